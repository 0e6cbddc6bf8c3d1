// SPDX-License-Identifier: GPL-2.0-only
/* Steps that the debug build leaves out or lets fail; not in any other build. */
#include <linux/bits.h>
#include <linux/compiler.h>
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
	[SEAL_STEP_LANDINGS]	= "landings",
	[SEAL_STEP_GUARDS]	= "guards",
};

/* A bit for each step that is left out. */
static unsigned int skipped;

bool seal_step_skipped(enum seal_step step)
{
	return READ_ONCE(skipped) & BIT(step);
}

/* Parse names that are separated by commas; "" leaves no step out. */
static int step_set(const char *val, const struct kernel_param *kp)
{
	char names[64], *rest = names, *name;
	unsigned int steps = 0;
	int step;

	strscpy(names, val, sizeof(names));
	while ((name = strsep(&rest, ","))) {
		name = strim(name);
		if (!*name)
			continue;
		step = match_string(step_names, ARRAY_SIZE(step_names), name);
		if (step < 0)
			return step;
		steps |= BIT(step);
	}
	WRITE_ONCE(skipped, steps);
	return 0;
}

static int step_get(char *buf, const struct kernel_param *kp)
{
	unsigned int steps = READ_ONCE(skipped), i;
	int length = 0;

	for (i = 0; i < ARRAY_SIZE(step_names); i++)
		if (steps & BIT(i))
			length += sysfs_emit_at(buf, length, "%s%s",
						length ? "," : "",
						step_names[i]);
	return length + sysfs_emit_at(buf, length, "\n");
}

static const struct kernel_param_ops step_ops = {
	.set	= step_set,
	.get	= step_get,
};
module_param_cb(skip_step, &step_ops, NULL, 0600);
MODULE_PARM_DESC(skip_step, "debug build: steps of sealing that are left out");

/* How many steps of attaching are left until one fails; 0: none fails. */
static int fail_attach;
module_param(fail_attach, int, 0600);
MODULE_PARM_DESC(fail_attach, "debug build: the step of attaching gates that fails, counted from 1");

/* Detaching fails, as if ftrace had found its own code broken. */
static bool fail_detach;
module_param(fail_detach, bool, 0600);
MODULE_PARM_DESC(fail_detach, "debug build: no handler can be removed from ftrace");

bool seal_detach_fails(void)
{
	return READ_ONCE(fail_detach);
}

bool seal_attach_fails(void)
{
	int left = READ_ONCE(fail_attach);

	if (!left)
		return false;
	WRITE_ONCE(fail_attach, left - 1);
	return left == 1;
}
