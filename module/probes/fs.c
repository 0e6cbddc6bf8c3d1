// SPDX-License-Identifier: GPL-2.0-only
/* A filesystem type and the sets of gates that cover it: all sets or none. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/utsname.h>

#include "base/compat.h"
#include "base/lock.h"
#include "base/mode.h"
#include "probes/differs.h"
#include "probes/fs.h"
#include "probes/gate.h"
#include "probes/set.h"
#include "uapi/seal.h"

static bool kernel_supported(char *reason)
{
	if (!IS_ENABLED(CONFIG_X86_64)) {
		strscpy(reason, "only x86-64 kernels are supported",
			SEAL_REASON_LEN);
		return false;
	}
	if (!IS_ENABLED(CONFIG_DYNAMIC_FTRACE_WITH_ARGS) ||
	    !IS_ENABLED(CONFIG_KPROBES_ON_FTRACE) ||
	    !IS_ENABLED(CONFIG_HAVE_STATIC_CALL_INLINE)) {
		strscpy(reason,
			"no ftrace with arguments, kprobes by ftrace or static calls in this kernel",
			SEAL_REASON_LEN);
		return false;
	}
	if (IS_ENABLED(CONFIG_LTO)) {
		strscpy(reason, "the kernel is built with LTO: gates may be inlined",
			SEAL_REASON_LEN);
		return false;
	}
	if (!SEAL_SERIES_REVIEWED) {
		strscpy(reason, "kernel series not reviewed (6.1, 6.12, 6.18, 7.2, 7.3 are)",
			SEAL_REASON_LEN);
		return false;
	}
	return true;
}

/* May a point release be sealed on, of which somebody read no more than its number? */
static bool kernel_reviewed(struct seal_fs *fs, char *reason)
{
	const char *version = init_utsname()->version;

	if (seal_takes_unreviewed())
		return true;
	if (!fs->differs[0]) {
		/* another build of the kernel can have the same release */
		if (!strcmp(version, SEAL_COMPARED_VERSION))
			return true;
		snprintf(reason, SEAL_REASON_LEN,
			 "built for and compared with another kernel (seal.unreviewed=1 seals): %s",
			 SEAL_COMPARED_VERSION);
	} else if (fs->differs[0] == '?') {
		snprintf(reason, SEAL_REASON_LEN,
			 "not compared with reviewed kernels (seal.unreviewed=1 seals): %s",
			 fs->differs + 1);
	} else {
		snprintf(reason, SEAL_REASON_LEN,
			 "differs from reviewed kernels (seal.unreviewed=1 seals): %s",
			 fs->differs);
	}
	return false;
}

static void sets_put(struct seal_gate_set *const *sets, unsigned int nr)
{
	while (nr--)
		seal_set_put(sets[nr]);
}

static unsigned int sets_count(struct seal_gate_set *const *sets)
{
	unsigned int nr = 0;

	while (sets[nr])
		nr++;
	return nr;
}

static int sets_get(struct seal_gate_set *const *sets,
		    const struct seal_limit *limit)
{
	unsigned int i;
	int ret = seal_sets_look_up(sets, sets_count(sets), limit);

	if (ret)
		return ret;
	for (i = 0; sets[i]; i++) {
		ret = seal_set_get(sets[i], limit);
		if (ret) {
			sets_put(sets, i);
			return ret;
		}
	}
	return 0;
}

/*
 * The errors kept here depend on the moment or the caller. Every other error
 * means that this kernel does not offer what the gates need.
 */
static int fs_error(int error)
{
	return error == -ENOMEM || error == -EIO || error == -EINTR ||
	       error == -EBUSY ? error : -EOPNOTSUPP;
}

int seal_fs_get(struct seal_fs *fs, struct file *file,
		const struct seal_limit *limit)
{
	const char *disarmed;
	int ret;

	if (!kernel_supported(limit->reason) ||
	    !kernel_reviewed(fs, limit->reason))
		return -EOPNOTSUPP;
	ret = fs->prove ? fs->prove(file, limit) : 0;
	if (!ret)
		ret = sets_get(fs->sets, limit);
	if (ret)
		return fs_error(ret);
	disarmed = !fs->armed() ? "ftrace is broken, no gate works" :
		   !fs->last_armed() ?
		   "kprobes are switched off (debugfs kprobes/enabled)" : NULL;
	if (disarmed) {
		strscpy(limit->reason, disarmed, SEAL_REASON_LEN);
		sets_put(fs->sets, sets_count(fs->sets));
		return -EOPNOTSUPP;
	}
	atomic_inc(&(fs->listed ?: fs)->sealed);
	return 0;
}

void seal_fs_put(struct seal_fs *fs)
{
	atomic_dec(&(fs->listed ?: fs)->sealed);
	sets_put(fs->sets, sets_count(fs->sets));
}

int seal_fs_recalls_get(struct seal_fs *fs, const struct seal_limit *limit)
{
	int ret = sets_get(fs->recalls, limit);

	return ret ? fs_error(ret) : 0;
}

void seal_fs_recalls_put(struct seal_fs *fs)
{
	sets_put(fs->recalls, sets_count(fs->recalls));
}

bool seal_fs_attached(struct seal_fs *fs)
{
	return atomic_read(&fs->set->users) != 0;
}

unsigned int seal_fs_nr_gates(struct seal_fs *fs)
{
	unsigned int i, j, nr = 0;

	for (i = 0; fs->sets[i]; i++)
		for (j = 0; j < fs->sets[i]->nr_gates; j++)
			nr += fs->sets[i]->gates[j].kind <= SEAL_GATE_WRAPS;
	return nr;
}

int seal_fs_probe(struct seal_fs *fs, const struct seal_limit *limit)
{
	char *reason = limit->reason;
	unsigned int i, found;
	int ret;

	reason[0] = '\0';
	if (!kernel_supported(reason) || !kernel_reviewed(fs, reason))
		return SEAL_FS_UNSUPPORTED;
	/* what is not found is found missing once more, set by set */
	ret = seal_sets_look_up(fs->sets, sets_count(fs->sets), limit);
	if (ret == -ENOMEM || ret == -EINTR || ret == -EBUSY)
		return ret;
	for (i = 0; fs->sets[i]; i++) {
		ret = seal_set_resolve(fs->sets[i], limit, &found);
		if (!ret)
			continue;
		/* the answer could not be found out: not "unsupported" */
		if (ret == -ENOMEM || ret == -EINTR || ret == -EBUSY)
			return ret;
		if (ret == -ENOENT && fs->sets[i]->module && !found) {
			snprintf(reason, SEAL_REASON_LEN,
				 "module %s is not loaded", fs->module);
			return SEAL_FS_NOT_LOADED;
		}
		return SEAL_FS_UNSUPPORTED;
	}
	return SEAL_FS_SUPPORTED;
}

unsigned long seal_fs_missed(struct seal_fs *fs)
{
	unsigned long missed = 0;
	unsigned int i, j;

	for (i = 0; fs->sets[i]; i++)
		for (j = 0; fs->sets[i]->kprobes && j < fs->sets[i]->nr_gates; j++)
			missed += READ_ONCE(fs->sets[i]->gates[j].kp.nmissed);
	return missed;
}
