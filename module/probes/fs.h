/* SPDX-License-Identifier: GPL-2.0-only */
/* A filesystem type and the sets of gates that cover it. */
#ifndef SEAL_FS_H
#define SEAL_FS_H

#include <linux/atomic.h>
#include <linux/types.h>

struct file;
struct seal_limit;
struct seal_gate_set;

struct seal_fs {
	const char		*name;
	const char		*module;
	const char		*fallocate;	/* its method, as in kallsyms */
	/*
	 * Functions that are not as in the reviewed kernels; or ? and why they
	 * were not compared. From the build; empty if all is well.
	 */
	const char		*differs;
	/* the gates of the filesystem itself */
	struct seal_gate_set	*set;
	/* all sets that cover it, in the order of attaching; NULL ends it */
	struct seal_gate_set	*const *sets;
	/* the sets that ask holders to let go first; NULL ends it */
	struct seal_gate_set	*const *recalls;
	/* functions that drop a lock half-way; NULL ends it; or NULL: none */
	const char		*const *drops;
	/* look at a file before the sets are attached; 0 or -errno; or NULL */
	int			(*prove)(struct file *file,
					 const struct seal_limit *limit);
	/* do the gates, or the last line, work at the moment? */
	bool			(*armed)(void);
	bool			(*last_armed)(void);
	struct seal_fs		*listed;	/* counted there; NULL: here */
	atomic_t		sealed;		/* entries that use it */
};

/*
 * Attach the gates of @fs for one more user. @file is a file of @fs. Returns 0
 * or an error, and for most errors fills in the reason of @limit: -EBUSY: as for
 * seal_set_get(); -EOPNOTSUPP: the kernel does not offer what the gates need, or
 * it is switched off; -EIO: an earlier probe could not be removed; -EINTR;
 * -ENOMEM. May sleep.
 */
int seal_fs_get(struct seal_fs *fs, struct file *file,
		const struct seal_limit *limit);
/* Give up what seal_fs_get() got. Waits for nobody. */
void seal_fs_put(struct seal_fs *fs);

/* Attach and release the gates that only ask holders first. Errors as above. */
int seal_fs_recalls_get(struct seal_fs *fs, const struct seal_limit *limit);
void seal_fs_recalls_put(struct seal_fs *fs);

/*
 * Can the gates of @fs be attached on this kernel? Attaches nothing. Returns an
 * enum seal_fs_state, with the reason of @limit if it is not SEAL_FS_SUPPORTED;
 * -ENOMEM; -EINTR; or -EBUSY: others were attaching or detaching gates until the
 * end of @limit.
 */
int seal_fs_probe(struct seal_fs *fs, const struct seal_limit *limit);
/* Have the gates of the filesystem itself a user at the moment? */
bool seal_fs_attached(struct seal_fs *fs);
/* The number of functions on which gates that refuse are placed. */
unsigned int seal_fs_nr_gates(struct seal_fs *fs);

/* How many calls the kprobes of @fs have missed (kprobe.nmissed). */
unsigned long seal_fs_missed(struct seal_fs *fs);

/* Do the gates of @fs work at the moment? The caller has attached them. */
static inline bool seal_gates_armed(struct seal_fs *fs)
{
	return fs->armed();
}

/* Does the last line of @fs work at the moment? The caller has attached it. */
static inline bool seal_fs_last_armed(struct seal_fs *fs)
{
	return fs->last_armed();
}

#endif /* SEAL_FS_H */
