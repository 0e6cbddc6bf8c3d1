/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the verbs of sealctl.
 */
#ifndef SEALCTL_H
#define SEALCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <libseal.h>

enum {
	STATUS_OK	= 0,
	STATUS_FAILED	= 1,
	STATUS_USAGE	= 2,
	STATUS_DIFFERENT = 3,	/* diff: there is a difference */
	STATUS_ALREADY	= 4,	/* receive: the file has the new contents */
	STATUS_WRONG_BASE = 5,	/* send, receive: another base is needed */
	STATUS_IO	= 6,	/* send, receive: I/O error, no space */
};

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

struct verb {
	const char *name;
	int (*run)(const struct verb *verb, int argc, char **argv);
	const char *arguments;
	const char *summary;
	const char *options;	/* help text of the options, "" if none */
};

/* verb.c */
int verb_help(const struct verb *verb);
int verb_usage(const struct verb *verb);

/* size.c */
int parse_size(const char *text, uint64_t *size);
const char *format_size(uint64_t size, char *buffer, size_t length);

/* require.c: the value of --require */
struct requirements {
	uint32_t mask;
	uint64_t max_extents;
};

int parse_require(const char *text, struct requirements *require);
const char *require_name(uint32_t bit);

/* files.c: the files of a command line */
struct file_list {
	unsigned int nr;
	char **paths;		/* belong to the caller */
	int *fds;
};

/* What a file is that is not a regular one: "a directory", ... */
const char *file_kind(mode_t mode);
/*
 * Open nothing but a regular file. Return: a descriptor; -EINVAL with another @mode:
 * it is something else; -errno.
 */
int open_regular(const char *path, int how, mode_t *mode);
/* The same, with a complaint. Return: a descriptor, or -1. */
int open_file(const char *path, int access);
int open_files(struct file_list *list, char **paths, int nr, int access);
void close_files(struct file_list *list);
void restore_file_limit(void);
/*
 * The absolute path, also if there is no such file, or not even its directory.
 * Return: memory to be freed, or NULL.
 */
char *absolute_path(const char *path);

/* session.c */
struct seal_session *open_session(void);
/* Is the file sealed, and is there no sign that the seal did not hold? */
bool is_protected(const struct seal_status *status);

/* mounts.c */
bool filesystem_name(int fd, char *name, size_t size);
int open_filesystem(unsigned int major_number, unsigned int minor_number);

#endif /* SEALCTL_H */
