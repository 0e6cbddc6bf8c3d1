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
#include <linux/slab.h>

#include "base/compat.h"
#include "base/debug.h"
#include "base/errand.h"
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

int seal_symbol_begin(struct kprobe *kp, const char *module,
		      const char *symbol, unsigned long *site)
{
	char target[80];
	int ret;

	*site = 0;
	if (seal_attach_fails())
		return -ENOMEM;
	snprintf(target, sizeof(target), "%s%s%s", module ?: "",
		 module ? ":" : "", symbol);
	*kp = (struct kprobe){
		.symbol_name	= target,
		.pre_handler	= enter_nothing,
		.flags		= KPROBE_FLAG_DISABLED,
	};
	ret = register_kprobe(kp);
	kp->symbol_name = NULL;
	if (ret)
		return ret;
	/* x86: a kprobe on a function entry is moved to the call to ftrace */
	if (kprobe_ftrace(kp)) {
		*site = (unsigned long)kp->addr;
		return 0;
	}
	unregister_kprobe(kp);
	return -EOPNOTSUPP;
}

void seal_symbols_end(struct kprobe **kps, unsigned int nr)
{
	unregister_kprobes(kps, nr);
}

struct bind_errand {
	struct seal_errand	errand;
	const char		*module;
	const char		*symbol;
	void			(*bind)(unsigned long original);
};

static void bind_errand(struct seal_errand *errand)
{
	struct kprobe kp, *kps = &kp;
	struct bind_errand *be;
	unsigned long site;
	int ret;

	be = container_of(errand, struct bind_errand, errand);
	ret = seal_symbol_begin(&kp, be->module, be->symbol, &site);
	if (!ret)
		be->bind(site + MCOUNT_INSN_SIZE);
	/* the task need not wait until the kprobe is given up */
	seal_errand_end(errand, ret);
	if (!ret)
		seal_symbols_end(&kps, 1);
}

int seal_symbol_bind(const char *module, const char *symbol,
		     void (*bind)(unsigned long original),
		     const struct seal_limit *limit)
{
	struct bind_errand *be = kzalloc(sizeof(*be), GFP_KERNEL_ACCOUNT);

	if (!be)
		return -ENOMEM;
	be->errand.run = bind_errand;
	be->module = module;
	be->symbol = symbol;
	be->bind = bind;
	return seal_errand_do(&be->errand, limit,
			      "the kernel takes long to attach or detach gates");
}
