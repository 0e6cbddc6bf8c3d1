// SPDX-License-Identifier: GPL-2.0-only
/* Module parameters by which an administrator limits what the module does. */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/ratelimit.h>

#include "base/mode.h"

static bool disable;
module_param(disable, bool, 0444);
MODULE_PARM_DESC(disable, "seal nothing; nothing is probed");

static bool log_only;
module_param(log_only, bool, 0444);
MODULE_PARM_DESC(log_only, "log what would be refused, refuse nothing: no protection");

static bool unreviewed = IS_ENABLED(CONFIG_SEAL_UNREVIEWED);
module_param(unreviewed, bool, 0644);
MODULE_PARM_DESC(unreviewed, "seal on a kernel in which functions differ from those that were reviewed");

static DEFINE_RATELIMIT_STATE(passed_limit, DEFAULT_RATELIMIT_INTERVAL, 10);

bool seal_is_disabled(void)
{
	return disable;
}

bool seal_is_log_only(void)
{
	return log_only;
}

bool seal_takes_unreviewed(void)
{
	return READ_ONCE(unreviewed);
}

void seal_tell_passed(const struct inode *inode, const char *gate)
{
	if (__ratelimit(&passed_limit))
		pr_notice("seal: log only: would refuse %s on inode %lu on %s\n",
			  gate, (unsigned long)inode->i_ino,
			  inode->i_sb->s_id);
}
