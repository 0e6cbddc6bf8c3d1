/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the verbs of sealctl have in common.
 */
#ifndef SEALCTL_H
#define SEALCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <libseal.h>

enum {
	STATUS_OK	= 0,
	STATUS_FAILED	= 1,
	STATUS_USAGE	= 2,
};

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

struct verb {
	const char *name;
	int (*run)(const struct verb *verb, int argc, char **argv);
	const char *arguments;
	const char *summary;
	const char *options;	/* help text of the options, "" if none */
};

int cmd_info(const struct verb *verb, int argc, char **argv);
int cmd_prealloc(const struct verb *verb, int argc, char **argv);
int cmd_unshare(const struct verb *verb, int argc, char **argv);
int cmd_seal(const struct verb *verb, int argc, char **argv);
int cmd_unseal(const struct verb *verb, int argc, char **argv);
int cmd_status(const struct verb *verb, int argc, char **argv);
int cmd_hold(const struct verb *verb, int argc, char **argv);
int cmd_map(const struct verb *verb, int argc, char **argv);
int cmd_diff(const struct verb *verb, int argc, char **argv);
int cmd_send(const struct verb *verb, int argc, char **argv);
int cmd_receive(const struct verb *verb, int argc, char **argv);
int cmd_record(const struct verb *verb, int argc, char **argv);
int cmd_verify(const struct verb *verb, int argc, char **argv);
int cmd_offset(const struct verb *verb, int argc, char **argv);
int cmd_export(const struct verb *verb, int argc, char **argv);
int cmd_unexport(const struct verb *verb, int argc, char **argv);
int cmd_list(const struct verb *verb, int argc, char **argv);
int cmd_monitor(const struct verb *verb, int argc, char **argv);
int cmd_revoke(const struct verb *verb, int argc, char **argv);
int cmd_restore(const struct verb *verb, int argc, char **argv);
int cmd_forget(const struct verb *verb, int argc, char **argv);

/* sealctl.c */
int verb_help(const struct verb *verb);
int verb_usage(const struct verb *verb);

/* size.c */
int parse_size(const char *text, uint64_t *size);
const char *format_size(uint64_t size, char *buffer, size_t length);

/* require.c: what --require was given */
struct requirements {
	uint32_t mask;
	uint64_t max_extents;
};

int parse_require(const char *text, struct requirements *require);
const char *require_name(uint32_t bit);

/* files.c: the files of a command line */
struct file_list {
	unsigned int nr;
	char **paths;		/* the caller's */
	int *fds;
};

int open_file(const char *path, int access);
int open_files(struct file_list *list, char **paths, int nr, int access);
void close_files(struct file_list *list);
void restore_file_limit(void);

/* session.c */
struct seal_session *open_session(void);
/* Sealed, and nothing says that the seal may not have held. */
bool is_protected(const struct seal_status *status);

/* mounts.c */
bool filesystem_name(int fd, char *name, size_t size);

/* step.c: one long operation on one file, with a progress bar */
int step_prealloc(struct seal_session *session, const char *path, int fd,
		  uint32_t flags, uint64_t offset, uint64_t length);
int step_unshare(struct seal_session *session, const char *path, int fd,
		 uint64_t offset, uint64_t length);

/* range_options.c: command line of prealloc and unshare */
struct range_options {
	uint64_t offset;
	uint64_t length;
	uint32_t flags;
};

int parse_range_options(const struct verb *verb, int argc, char **argv,
			bool is_prealloc, struct range_options *options);

#endif /* SEALCTL_H */
