// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests only: a live patch of any functions, named when it is loaded. The
 * new functions count the call and go on with the old one, behind its call to
 * ftrace, so that nothing changes but who has the function.
 *
 * functions=NAME,...  of the kernel itself, or of object=MODULE
 * hits                how often each of them was called (read only)
 *
 * To unload it: write 0 to /sys/kernel/livepatch/seal_company_patch/enabled,
 * wait until that folder is gone, and then rmmod.
 */
#include <linux/atomic.h>
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/static_call.h>
#include <linux/sysfs.h>

#define NR_SLOTS	24

typedef unsigned long word;
/* some of the functions have more arguments than go through registers */
typedef word (*function)(word a, word b, word c, word d, word e, word f,
			 word g, word h);

static atomic_t hits[NR_SLOTS];

/* Never through a pointer: many functions do not begin with ENDBR. */
#define SLOT(n)								\
	word old##n(word a, word b, word c, word d, word e, word f,	\
		    word g, word h);					\
	DEFINE_STATIC_CALL_RET0(old##n, old##n);			\
	static void bind##n(unsigned long behind)			\
	{								\
		static_call_update(old##n, (function)behind);		\
	}								\
	static noinline word new##n(word a, word b, word c, word d,	\
				    word e, word f, word g, word h)	\
	{								\
		atomic_inc(&hits[n]);					\
		return static_call(old##n)(a, b, c, d, e, f, g, h);	\
	}

SLOT(0) SLOT(1) SLOT(2) SLOT(3) SLOT(4) SLOT(5) SLOT(6) SLOT(7)
SLOT(8) SLOT(9) SLOT(10) SLOT(11) SLOT(12) SLOT(13) SLOT(14) SLOT(15)
SLOT(16) SLOT(17) SLOT(18) SLOT(19) SLOT(20) SLOT(21) SLOT(22) SLOT(23)

#define NEW(n)	{ new##n, bind##n }

static const struct {
	function	call;
	void		(*bind)(unsigned long behind);
} slots[NR_SLOTS] = {
	NEW(0), NEW(1), NEW(2), NEW(3), NEW(4), NEW(5), NEW(6), NEW(7),
	NEW(8), NEW(9), NEW(10), NEW(11), NEW(12), NEW(13), NEW(14), NEW(15),
	NEW(16), NEW(17), NEW(18), NEW(19), NEW(20), NEW(21), NEW(22), NEW(23),
};

static char *object;
module_param(object, charp, 0400);
MODULE_PARM_DESC(object, "module that has the functions; none: the kernel");

static char *functions[NR_SLOTS];
static int nr_functions;
module_param_array(functions, charp, &nr_functions, 0400);
MODULE_PARM_DESC(functions, "names of the functions");

static int hits_get(char *buf, const struct kernel_param *kp)
{
	int i, len = 0;

	for (i = 0; i < nr_functions; i++)
		len += sysfs_emit_at(buf, len, "%s %d\n", functions[i],
				     atomic_read(&hits[i]));
	return len;
}

static const struct kernel_param_ops hits_ops = {
	.get	= hits_get,
};
module_param_cb(hits, &hits_ops, NULL, 0400);
MODULE_PARM_DESC(hits, "calls of each function so far");

static struct klp_func funcs[NR_SLOTS + 1];

static struct klp_object objects[] = {
	{ .funcs = funcs },
	{ }
};

static struct klp_patch patch = {
	.mod	= THIS_MODULE,
	.objs	= objects,
};

static int enter_nothing(struct kprobe *kp, struct pt_regs *regs)
{
	return 0;
}

/* Where the function goes on behind its call to ftrace; 0: it has none. */
static unsigned long behind(const char *name)
{
	char target[80];
	struct kprobe kp = {
		.symbol_name	= target,
		.pre_handler	= enter_nothing,
		.flags		= KPROBE_FLAG_DISABLED,
	};
	unsigned long address;

	snprintf(target, sizeof(target), "%s%s%s", object ?: "",
		 object ? ":" : "", name);
	if (register_kprobe(&kp))
		return 0;
	address = (unsigned long)kp.addr + MCOUNT_INSN_SIZE;
	unregister_kprobe(&kp);
	return address;
}

static int __init patch_init(void)
{
	unsigned long address;
	int i;

	if (!nr_functions)
		return -EINVAL;
	for (i = 0; i < nr_functions; i++) {
		address = behind(functions[i]);
		if (!address)
			return -ENOENT;
		slots[i].bind(address);
		funcs[i].old_name = functions[i];
		funcs[i].new_func = slots[i].call;
	}
	objects[0].name = object;
	return klp_enable_patch(&patch);
}
module_init(patch_init);

static void __exit patch_exit(void)
{
}
module_exit(patch_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("For tests only: a live patch of any functions");
MODULE_INFO(livepatch, "Y");
