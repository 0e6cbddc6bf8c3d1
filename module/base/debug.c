// SPDX-License-Identifier: GPL-2.0-only
/* The step that the debug build leaves out; not part of any other build. */
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "base/debug.h"

static const char * const step_names[] = {
	[SEAL_STEP_ENTERED]	= "entered",
	[SEAL_STEP_KTHREADS]	= "kthreads",
	[SEAL_STEP_RWSEM]	= "rwsem",
	[SEAL_STEP_INVALIDATE]	= "invalidate",
	[SEAL_STEP_DIO]		= "dio",
	[SEAL_STEP_WRAPPERS]	= "wrappers",
	[SEAL_STEP_LAYOUTS]	= "layouts",
	[SEAL_STEP_COW]		= "cow",
	[SEAL_STEP_PAGES]	= "pages",
	[SEAL_STEP_FOLIOS]	= "folios",
	[SEAL_STEP_STAGING]	= "staging",
	[SEAL_STEP_FACTS]	= "facts",
	[SEAL_STEP_OWN]		= "own",
	[SEAL_STEP_WATCH]	= "watch",
};

static int skipped = -1;

bool seal_step_skipped(enum seal_step step)
{
	return READ_ONCE(skipped) == (int)step;
}

/* An empty name: no step is left out. */
static int step_set(const char *val, const struct kernel_param *kp)
{
	char name[16];
	int step = -1;

	strscpy(name, val, sizeof(name));
	if (*strim(name)) {
		step = match_string(step_names, ARRAY_SIZE(step_names),
				    strim(name));
		if (step < 0)
			return step;
	}
	WRITE_ONCE(skipped, step);
	return 0;
}

static int step_get(char *buf, const struct kernel_param *kp)
{
	int step = READ_ONCE(skipped);

	return sysfs_emit(buf, "%s\n", step < 0 ? "" : step_names[step]);
}

static const struct kernel_param_ops step_ops = {
	.set	= step_set,
	.get	= step_get,
};
module_param_cb(skip_step, &step_ops, NULL, 0600);
MODULE_PARM_DESC(skip_step, "debug build: a step of sealing that is left out");
