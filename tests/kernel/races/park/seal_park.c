// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests only: stops a thread at the entry of any kernel function and lets
 * it go on when told, so that a race is a sequence of steps. What it stops
 * sleeps and can be killed.
 *
 * A kprobe sends the thread to a stub with as many arguments as go through
 * registers; the stub sleeps and calls the rest of the function, behind the
 * call to ftrace, by a static call (as the wrappers of seal do).
 *
 * Closing the device lets everybody go.
 */
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/static_call.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "park.h"

typedef unsigned long word;
typedef word (*function)(word a, word b, word c, word d, word e, word f);

struct spot {
	struct kprobe		kp;
	char			symbol[sizeof_field(struct park, symbol)];
	struct task_struct	*task;
	atomic_t		countdown;
	struct completion	parked;
	struct completion	release;
	atomic_t		inside;		/* 1 from the probe to the end */
	bool			set;
	function		stub;
	void			(*bind)(unsigned long original);
};

static void park(struct spot *spot);
static struct spot spots[PARK_SPOTS];

#define SPOT(n)								\
	word original##n(word a, word b, word c, word d, word e, word f); \
	DEFINE_STATIC_CALL_RET0(original##n, original##n);		\
	static void bind##n(unsigned long original)			\
	{								\
		static_call_update(original##n, (function)original);	\
	}								\
	static noinline word stub##n(word a, word b, word c, word d,	\
				     word e, word f)			\
	{								\
		word ret;						\
									\
		park(&spots[n]);					\
		ret = static_call(original##n)(a, b, c, d, e, f);	\
		atomic_set_release(&spots[n].inside, 0);		\
		return ret;						\
	}

SPOT(0)
SPOT(1)
SPOT(2)

static struct spot spots[PARK_SPOTS] = {
	{ .stub = stub0, .bind = bind0 },
	{ .stub = stub1, .bind = bind1 },
	{ .stub = stub2, .bind = bind2 },
};

static DEFINE_MUTEX(spots_lock);

static struct task_struct *spinner;

/* As ksoftirqd with a lot to do: it lets others run, but it never sleeps. */
static int spin(void *data)
{
	while (!kthread_should_stop())
		cond_resched();
	return 0;
}

static int spin_start(void)
{
	struct task_struct *task;

	if (spinner)
		return -EBUSY;
	task = kthread_run(spin, NULL, "seal-spin");
	if (IS_ERR(task))
		return PTR_ERR(task);
	spinner = task;
	return 0;
}

static void spin_stop(void)
{
	if (spinner)
		kthread_stop(spinner);
	spinner = NULL;
}

static void park(struct spot *spot)
{
	complete(&spot->parked);
	/*
	 * Nobody kills a kernel thread, and who would close the device may wait
	 * for it: a test that failed is over then.
	 */
	if (current->flags & PF_KTHREAD)
		wait_for_completion_timeout(&spot->release, 20 * HZ);
	else
		wait_for_completion_killable(&spot->release);
}

static int enter(struct kprobe *kp, struct pt_regs *regs)
{
	struct spot *spot = container_of(kp, struct spot, kp);

	if (!in_task())
		return 0;
	if (spot->task ? current != spot->task : !(current->flags & PF_KTHREAD))
		return 0;
	if (atomic_dec_return(&spot->countdown))
		return 0;
	atomic_set(&spot->inside, 1);
	instruction_pointer_set(regs, (unsigned long)spot->stub);
	return 1;
}

/* With a post_handler kprobes claims the right to redirect. */
static void after(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}

static void spot_clear(struct spot *spot)
{
	if (!spot->set)
		return;
	unregister_kprobe(&spot->kp);
	complete_all(&spot->release);
	if (spot->task)
		put_task_struct(spot->task);
	spot->set = false;
}

static int spot_set(struct spot *spot, const struct park *arg)
{
	int ret;

	if (atomic_read(&spot->inside))
		return -EBUSY;
	spot_clear(spot);

	spot->task = NULL;
	if (arg->tid) {
		rcu_read_lock();
		spot->task = pid_task(find_vpid(arg->tid), PIDTYPE_PID);
		if (spot->task)
			get_task_struct(spot->task);
		rcu_read_unlock();
		if (!spot->task)
			return -ESRCH;
	}

	init_completion(&spot->parked);
	init_completion(&spot->release);
	atomic_set(&spot->countdown, arg->nth);
	strscpy(spot->symbol, arg->symbol, sizeof(spot->symbol));
	memset(&spot->kp, 0, sizeof(spot->kp));
	spot->kp.symbol_name = spot->symbol;
	spot->kp.pre_handler = enter;
	spot->kp.post_handler = after;
	spot->kp.flags = KPROBE_FLAG_DISABLED;
	ret = register_kprobe(&spot->kp);
	if (!ret) {
		/* where the stub goes on must be known before it is reached */
		spot->bind((unsigned long)spot->kp.addr + MCOUNT_INSN_SIZE);
		ret = kprobe_ftrace(&spot->kp) ? enable_kprobe(&spot->kp) :
						 -EOPNOTSUPP;
		if (ret)
			unregister_kprobe(&spot->kp);
	}
	if (ret && spot->task)
		put_task_struct(spot->task);
	spot->set = !ret;
	return ret;
}

static long spot_wait(struct spot *spot, unsigned int timeout_ms)
{
	unsigned long timeout = msecs_to_jiffies(timeout_ms);
	long left;

	left = wait_for_completion_killable_timeout(&spot->parked, timeout);
	return left > 0 ? 0 : left ?: -ETIME;
}

static long kill_threads(const char *name)
{
	struct task_struct *task;
	long killed = 0;

	rcu_read_lock();
	for_each_process(task) {
		if (!(task->flags & PF_KTHREAD) || !strstarts(task->comm, name))
			continue;
		send_sig(SIGKILL, task, 1);
		killed++;
	}
	rcu_read_unlock();
	return killed;
}

static long park_ioctl(struct file *dev, unsigned int cmd, unsigned long arg)
{
	struct spot *spot;
	struct park op;
	long ret = 0;

	if (cmd == PARK_SPIN) {
		mutex_lock(&spots_lock);
		ret = spin_start();
		mutex_unlock(&spots_lock);
		return ret;
	}
	if (copy_from_user(&op, (void __user *)arg, sizeof(op)))
		return -EFAULT;
	op.symbol[sizeof(op.symbol) - 1] = '\0';
	if (cmd == PARK_KILL)
		return op.symbol[0] ? kill_threads(op.symbol) : -EINVAL;
	if (op.spot >= PARK_SPOTS)
		return -EINVAL;
	spot = &spots[op.spot];

	switch (cmd) {
	case PARK_SET:
		mutex_lock(&spots_lock);
		ret = spot_set(spot, &op);
		mutex_unlock(&spots_lock);
		return ret;
	case PARK_WAIT:
		return spot->set ? spot_wait(spot, op.timeout_ms) : -EINVAL;
	case PARK_RELEASE:
		mutex_lock(&spots_lock);
		spot_clear(spot);
		mutex_unlock(&spots_lock);
		return 0;
	default:
		return -ENOTTY;
	}
}

static int park_close(struct inode *inode, struct file *dev)
{
	unsigned int i;

	mutex_lock(&spots_lock);
	spin_stop();
	for (i = 0; i < PARK_SPOTS; i++)
		spot_clear(&spots[i]);
	mutex_unlock(&spots_lock);
	return 0;
}

static const struct file_operations park_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= park_ioctl,
	.release	= park_close,
};

static struct miscdevice park_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "seal-park",
	.fops	= &park_fops,
	.mode	= 0600,
};

static int __init park_init(void)
{
	return misc_register(&park_device);
}

static void __exit park_exit(void)
{
	unsigned int i;

	misc_deregister(&park_device);
	/* on the way from a probe to a stub, inside one, on the way out */
	synchronize_rcu_tasks();
	for (i = 0; i < PARK_SPOTS; i++)
		while (atomic_read_acquire(&spots[i].inside))
			schedule_timeout_uninterruptible(1);
	synchronize_rcu_tasks();
}

module_init(park_init);
module_exit(park_exit);
MODULE_DESCRIPTION("Stops threads at kernel functions, for tests of seal");
MODULE_LICENSE("GPL");
