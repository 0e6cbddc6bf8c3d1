// SPDX-License-Identifier: GPL-2.0-only
/* A filesystem type and the sets of gates that cover it: all of them or none. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "base/compat.h"
#include "probes/fs.h"
#include "probes/gate.h"
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
		strscpy(reason, "the kernel lacks ftrace with arguments, ftrace-based kprobes or static calls",
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

static int sets_get(struct seal_gate_set *const *sets, char *reason)
{
	unsigned int i;
	int ret;

	for (i = 0; sets[i]; i++) {
		ret = seal_set_get(sets[i], reason);
		if (ret) {
			sets_put(sets, i);
			return ret;
		}
	}
	return 0;
}

/* What is not about this moment or this caller is about the kernel. */
static int fs_error(int error)
{
	return error == -ENOMEM || error == -EIO || error == -EINTR ||
	       error == -EBUSY ? error : -EOPNOTSUPP;
}

int seal_fs_get(struct seal_fs *fs, struct file *file, char *reason)
{
	const char *disarmed;
	int ret;

	if (!kernel_supported(reason))
		return -EOPNOTSUPP;
	ret = fs->prove ? fs->prove(file, reason) : 0;
	if (!ret)
		ret = sets_get(fs->sets, reason);
	if (ret)
		return fs_error(ret);
	disarmed = !fs->armed() ? "ftrace is broken, no gate works" :
		   !fs->last_armed() ?
		   "kprobes are switched off (debugfs kprobes/enabled)" : NULL;
	if (disarmed) {
		strscpy(reason, disarmed, SEAL_REASON_LEN);
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

int seal_fs_recalls_get(struct seal_fs *fs, char *reason)
{
	int ret = sets_get(fs->recalls, reason);

	return ret ? fs_error(ret) : 0;
}

void seal_fs_recalls_put(struct seal_fs *fs)
{
	sets_put(fs->recalls, sets_count(fs->recalls));
}

bool seal_fs_attached(struct seal_fs *fs)
{
	return READ_ONCE(fs->set->users) != 0;
}

unsigned int seal_fs_nr_gates(struct seal_fs *fs)
{
	unsigned int i, j, nr = 0;

	for (i = 0; fs->sets[i]; i++)
		for (j = 0; j < fs->sets[i]->nr_gates; j++)
			nr += fs->sets[i]->gates[j].kind <= SEAL_GATE_WRAPS;
	return nr;
}

int seal_fs_probe(struct seal_fs *fs, char *reason)
{
	unsigned int i, missing;
	int ret;

	reason[0] = '\0';
	if (!kernel_supported(reason))
		return SEAL_FS_UNSUPPORTED;
	for (i = 0; fs->sets[i]; i++) {
		ret = seal_set_resolve(fs->sets[i], reason, &missing);
		if (!ret)
			continue;
		/* what a lack of memory keeps from being known is not unsupported */
		if (ret == -ENOMEM)
			return ret;
		if (fs->sets[i]->module && missing == fs->sets[i]->nr_gates) {
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
