/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzing /dev/seal, and its netlink family, with calls that know the interface: almost right requests
 * get further than noise.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MAX_CALLS	16
#define FUZZ_THREADS	2

enum op {
	OP_INFO, OP_PREALLOC, OP_UNSHARE, OP_SEAL, OP_UNSEAL, OP_STATUS,
	OP_REVOKE, OP_GRANT, OP_COMMIT, OP_RELEASE, OP_PLACES,
	OP_UNKNOWN,	/* a command that does not exist */
	OP_OPEN,	/* a session */
	OP_CLOSE,	/* a session, or a file */
	OP_DUP,		/* one descriptor becomes another kind, atomically */
	OP_WRITE, OP_TRUNCATE, OP_PUNCH, OP_FSYNC, OP_STORE, OP_CLONE,
	OP_NETLINK,	/* a message: where is the command, more the attributes */
	OP_NR
};

/* Where the request lies. */
enum where {
	WHERE_EXACT,	/* ends with the page, behind it nothing is mapped */
	WHERE_SHORT,	/* its last bytes would be behind that end */
	WHERE_ODD,	/* not aligned */
	WHERE_READONLY,
	WHERE_UNMAPPED,
	WHERE_NULL,
	WHERE_KERNEL,
	WHERE_NR
};

struct call {
	uint8_t op;
	uint8_t thread;
	uint8_t dev;		/* which session */
	uint8_t file;		/* which file */
	uint8_t where;
	uint8_t nr;		/* how many files, or room */
	uint16_t size;		/* added to the size of the request */
	uint32_t flags;
	uint32_t more;		/* requirements, reserved members */
	uint64_t a, b;		/* offset, length, or a pointer's fault */
};

struct program {
	unsigned int nr;
	struct call call[MAX_CALLS];
};

extern const char *const op_names[OP_NR];

/* mutate.c: the same seed makes the same programs. */
void random_seed(uint64_t seed);
uint64_t random_below(uint64_t n);
void program_random(struct program *p);
void program_mutate(struct program *p);

/* text.c: a program as lines of text, for people and for the corpus. */
void program_write(FILE *out, const struct program *p);
bool program_read(FILE *in, struct program *p);

/* kcov.c: what of the module was run; false without it. */
bool kcov_open(void);
void kcov_begin(unsigned int thread);
void kcov_end(unsigned int thread);
/* Places not seen before in this process. */
unsigned int kcov_news(void);
unsigned int kcov_total(void);

/* netlink.c */
void netlink_begin(void);
int netlink_socket(void);
/* Send a message, read what comes back: 0, or -1 with errno. */
int netlink_run(int fd, const struct call *c, int session);
bool netlink_documented(int error);

/* calls.c */
void world_begin(const char *dir);
void world_end(void);
/* NULL, or what a call broke. */
const char *program_run(const struct program *p);
/* Calls made so far, by result. */
void world_report(void);

#endif /* FUZZ_H */
