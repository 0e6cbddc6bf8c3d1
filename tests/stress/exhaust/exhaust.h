/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every sequence "prepare; prepare; SEAL; act; act; UNSEAL" over two lists of
 * operations. What the seal promises is checked from outside the module: FIEMAP
 * and the size before the acts and after them, and the bytes against a model.
 */
#ifndef EXHAUST_H
#define EXHAUST_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "libseal.h"

/* Pages of a file as it begins, see base_make(). */
#define PAGE		4096ULL
#define BASE_PAGES	8
#define MIXED		3	/* written, unwritten, hole, written */
#define HOLE		4
#define UNWRITTEN	5
#define BASE_SIZE	(BASE_PAGES * PAGE)
#define HUGE_PAGE	(2ULL << 20)
/* No file becomes longer. */
#define MAX_SIZE	(HUGE_PAGE + 16 * PAGE)
/* The file whose blocks are cloned and whose bytes are read. */
#define SOURCE_PAGES	16

#define MAX_EXTENTS	512
#define MAX_OPEN	8
#define MAX_HELD	4
#define PREPARES	2
#define ACTS		2

struct extent {
	uint64_t	logical;
	uint64_t	physical;
	uint64_t	length;
	uint32_t	flags;
};

struct snap {
	uint64_t	size;
	unsigned int	nr;
	struct extent	extents[MAX_EXTENTS];
};

struct sequence {
	unsigned int	prepare[PREPARES];
	unsigned int	act[ACTS];
};

/* One sequence under way, on a file of its own. */
struct run {
	struct sequence	sequence;
	char		name[32];
	int		fd;
	int		direct;		/* the same file, O_DIRECT */
	int		share;		/* shares blocks with it, or -1 */
	char		*map;		/* of the file, or NULL */
	char		*address;	/* where that is put */
	uint8_t		*model;		/* of MAX_SIZE */
	uint64_t	size;
	/* whether these bytes are those of the model or these is open */
	struct {
		uint64_t	start;
		uint64_t	end;
		const uint8_t	*bytes;		/* NULL: zeros */
	}		open[MAX_OPEN];
	unsigned int	nr_open;
	int		pipes[MAX_HELD][2];
	unsigned int	nr_pipes;
	bool		pinned;		/* a direct read into the mapping waits */
	bool		left;		/* blocks reserved for no data */
	bool		redirected;	/* writes may go elsewhere than in place */
	bool		cloned;		/* blocks of it were shared */
	bool		may_share;	/* cloned before SEAL: nothing is in place */
	bool		no_seal;	/* what SEAL may refuse with EOPNOTSUPP */
	bool		sealed;
	uint64_t	digest;
	struct snap	before;
	bool		failed;
	char		kind[96];	/* of failure */
	char		detail[160];
};

struct op {
	const char	*name;
	/* did it do anything? */
	bool		(*act)(struct run *run);
};

/* The filesystem under test, and what all files share. */
struct world {
	const char		*dir;
	int			dir_fd;
	int			source;		/* a file of SOURCE_PAGES */
	const uint8_t		*bytes;		/* of it */
	uint64_t		block;
	bool			xfs;
	int			slow;		/* the device pins wait for, or -1 */
	struct seal_session	*session;	/* NULL: --no-seal */
};

extern struct world world;
extern const struct op prepares[], acts[];
extern const unsigned int nr_prepares, nr_acts;

__attribute__((format(printf, 1, 2), noreturn)) void die(const char *fmt, ...);

/* The sequence does not hold: @kind for all like it, the rest for this one. */
__attribute__((format(printf, 3, 4)))
void fail(struct run *run, const char *kind, const char *fmt, ...);

/* --- file.c --- */

void world_open(const char *dir, bool seal);
/* A file as all sequences begin with it. What is written is not synced. */
void base_make(struct run *run);
void run_close(struct run *run);
void pattern(uint8_t *buf, uint64_t offset, size_t length, unsigned int seed);
/* Aligned memory with bytes no other call has given; not to be freed. */
uint8_t *data_new(uint64_t offset, size_t length);
char *map_get(struct run *run);
void model_write(struct run *run, uint64_t offset, const void *data, size_t length);
void model_zero(struct run *run, uint64_t start, uint64_t end);
void model_size(struct run *run, uint64_t size);
void model_open(struct run *run, uint64_t start, uint64_t end,
		const uint8_t *bytes);
/* Store to one byte of the mapping; false if that is SIGBUS. */
bool store(struct run *run, uint64_t offset);

/* --- check.c --- */

void snap_take(const struct run *run, struct snap *snap);
/* Is [start, end), to whole pages, overwritten in place as FIEMAP has it? */
bool is_in_place(const struct run *run, uint64_t start, uint64_t end);
void check_before(struct run *run);
void check_after(struct run *run);
/* Without a seal: did the sequence change the map? */
bool map_changed(struct run *run);

/* --- pin.c --- */

void pin_init(void);
/* Begin a direct read into the mapping that does not end. */
bool pin_take(struct run *run, uint64_t offset);
/* Let it end. */
void pin_end(struct run *run);
/* The same for all of another process. */
void pin_abandon(void);

#endif /* EXHAUST_H */
