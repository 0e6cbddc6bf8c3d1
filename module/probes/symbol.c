// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses of functions that the kernel does not export.
 *
 * register_kprobe() looks up a name. The kprobe is disabled and has no
 * post_handler, so nothing is armed. If somebody else has a kprobe on the same
 * function, that one goes on working and can be removed as before. (With a
 * post_handler it could not: kprobes would disarm it by another ftrace_ops than
 * the one that armed it.)
 */
#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>

#include "base/compat.h"
#include "base/debug.h"
#include "probes/symbol.h"

static atomic64_t modules_gone;

u64 seal_modules_gone(void)
{
	return atomic64_read(&modules_gone);
}

void seal_module_goes(void)
{
	atomic64_inc(&modules_gone);
}

static int enter_nothing(struct kprobe *kp, struct pt_regs *regs)
{
	return 0;
}

int seal_symbol_site(const char *module, const char *symbol,
		     unsigned long *site)
{
	char target[80];
	struct kprobe kp = {
		.symbol_name	= target,
		.pre_handler	= enter_nothing,
		.flags		= KPROBE_FLAG_DISABLED,
	};
	int ret;

	*site = 0;
	if (seal_attach_fails())
		return -ENOMEM;
	snprintf(target, sizeof(target), "%s%s%s", module ?: "",
		 module ? ":" : "", symbol);
	ret = register_kprobe(&kp);
	if (ret)
		return ret;
	/* x86: a kprobe on a function entry is moved to the call to ftrace */
	if (kprobe_ftrace(&kp))
		*site = (unsigned long)kp.addr;
	unregister_kprobe(&kp);
	return *site ? 0 : -EOPNOTSUPP;
}

int seal_symbol_body(const char *module, const char *symbol,
		     unsigned long *body)
{
	int ret = seal_symbol_site(module, symbol, body);

	if (!ret)
		*body += MCOUNT_INSN_SIZE;
	return ret;
}
