/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work that a thread of the kernel does in place of a task.
 *
 * A task may get little processor time (a control group with a quota), may be
 * stopped, or be killed. While it has a lock of the module or of ftrace, all others
 * wait for it. So what takes such locks for long is an errand: a thread does it, one
 * errand after the other, and the task waits, killable and with a limit.
 */
#ifndef SEAL_ERRAND_H
#define SEAL_ERRAND_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "base/lock.h"
#include "uapi/seal.h"

/* The first member of a structure from kmalloc(). */
struct seal_errand {
	/*
	 * Runs in the thread, and stores its result by seal_errand_end(). Not
	 * called if the task has gone before.
	 */
	void			(*run)(struct seal_errand *errand);
	/* for run(): the end of the task's limit, and a reason of its own */
	struct seal_limit	limit;

	/* The rest belongs to errand.c. */
	struct work_struct	work;
	struct completion	done;
	struct kref		ref;
	atomic_t		state;
	int			ret;
	char			reason[SEAL_REASON_LEN];
};

/*
 * Have @errand run and wait for it. Returns its result, and fills in the reason of
 * @limit if that is an error; -EINTR: killed; -EBUSY: its turn did not come before the
 * end of @limit, @what is the reason. Frees @errand, at once or when it has ended.
 */
int seal_errand_do(struct seal_errand *errand, const struct seal_limit *limit,
		   const char *what);

/*
 * The errand has ended with @ret. Returns false if the task does not wait any more:
 * the caller must undo what it did, for nobody else knows of it.
 */
bool seal_errand_end(struct seal_errand *errand, int ret);

int seal_errands_init(void);
/* Wait for errands whose tasks were killed. There are no new ones. */
void seal_errands_wait(void);
void seal_errands_exit(void);

#endif /* SEAL_ERRAND_H */
