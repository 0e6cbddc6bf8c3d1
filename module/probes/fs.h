/* SPDX-License-Identifier: GPL-2.0-only */
/* A filesystem type and the sets of gates that cover it. */
#ifndef SEAL_FS_H
#define SEAL_FS_H

#include <linux/atomic.h>
#include <linux/types.h>

struct file;
struct seal_gate_set;

struct seal_fs {
	const char		*name;
	const char		*module;
	const char		*fallocate;	/* as kallsyms prints it */
	/* the gates of the filesystem itself */
	struct seal_gate_set	*set;
	/* all that it takes, in the order of attaching; NULL ends it */
	struct seal_gate_set	*const *sets;
	/* and for holders that want to be asked first */
	struct seal_gate_set	*const *recalls;
	/* functions that give up a lock half-way, or NULL; NULL ends it */
	const char		*const *drops;
	/* before they are attached, look at the first file; 0 or -errno */
	int			(*prove)(struct file *file, char *reason);
	/* Do the gates work at the moment? And the last line? */
	bool			(*armed)(void);
	bool			(*last_armed)(void);
	struct seal_fs		*listed;	/* counted there; NULL: here */
	atomic_t		sealed;		/* entries that use it */
};

/*
 * Attach the gates of @fs for one more user. @file is a file of it. 0, or an
 * error with @reason, of SEAL_REASON_LEN: -EBUSY, somebody else redirects one of
 * the functions; -EOPNOTSUPP, the kernel does not offer what it takes, or it is
 * switched off; -EINTR; -ENOMEM; -EIO, an earlier probe could not be removed.
 */
int seal_fs_get(struct seal_fs *fs, struct file *file, char *reason);
void seal_fs_put(struct seal_fs *fs);

/* The same for the gates that only ask holders first. */
int seal_fs_recalls_get(struct seal_fs *fs, char *reason);
void seal_fs_recalls_put(struct seal_fs *fs);

/* Can the gates of @fs be placed on this kernel? enum seal_fs_state, -ENOMEM. */
int seal_fs_probe(struct seal_fs *fs, char *reason);
bool seal_fs_attached(struct seal_fs *fs);
unsigned int seal_fs_nr_gates(struct seal_fs *fs);

/* Calls that the last line of @fs was not called for. */
unsigned long seal_fs_missed(struct seal_fs *fs);

/* Do the gates of @fs, which are attached, work at the moment? */
static inline bool seal_gates_armed(struct seal_fs *fs)
{
	return fs->armed();
}

/* And the last line? */
static inline bool seal_fs_last_armed(struct seal_fs *fs)
{
	return fs->last_armed();
}

#endif /* SEAL_FS_H */
