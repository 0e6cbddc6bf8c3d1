// SPDX-License-Identifier: GPL-2.0-only
/*
 * Removing kprobes so that nothing of them is left behind.
 *
 * To disarm a kprobe on a function, ftrace copies its table of functions. If
 * there is no memory for the copy, unregister_kprobe() returns while the probe
 * is still armed and in the kernel's table; the only sign is that the address
 * of the probe was cleared. Then the memory of the probe and the code of its
 * handler must stay.
 *
 * When ftrace finds its own code broken it stops working for good, and no probe
 * on a function can be disarmed any more. To ask kprobes all the same would only
 * fill the kernel's log with their warnings.
 */
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sched.h>

#include "probes/probe.h"

/* Wait two seconds in all. By then one page of memory is free in most cases. */
#define MAX_TRIES	100
#define WAIT_MS		20

static bool stuck;

bool seal_probes_stuck(void)
{
	return READ_ONCE(stuck);
}

void seal_probes_give_up(void)
{
	if (READ_ONCE(stuck))
		return;
	pr_crit("seal: a probe cannot be removed; nothing can be sealed and the module not be unloaded any more\n");
	__module_get(THIS_MODULE);
	WRITE_ONCE(stuck, true);
}

void seal_probes_stay(void)
{
	if (!seal_probes_stuck())
		return;
	pr_crit("seal: the kernel still calls the module: rmmod does not end; reboot\n");
	for (;;)
		schedule_timeout_idle(MAX_SCHEDULE_TIMEOUT);
}

/* A dead ftrace gives this answer to every request. */
static bool ftrace_is_dead(void)
{
	struct ftrace_ops scratch = { };
	bool dead;

	/* there is no function at 0: nothing is changed */
	dead = ftrace_set_filter_ip(&scratch, 0, 0, 0) == -ENODEV;
	ftrace_free_filter(&scratch);
	return dead;
}

/* Try again with the probes that are still there; return how many remain. */
static unsigned int retry(struct kprobe **probes, kprobe_opcode_t **addr,
			  unsigned int nr)
{
	unsigned int i, left = 0;

	for (i = 0; i < nr; i++) {
		if (probes[i]->addr)
			continue;
		probes[i]->addr = addr[i];
		unregister_kprobe(probes[i]);
		left += !probes[i]->addr;
	}
	return left;
}

void seal_probes_remove(struct kprobe **probes, unsigned int nr)
{
	kprobe_opcode_t *addr[SEAL_MAX_PROBES];
	unsigned int i, left = 0, tries;

	if (WARN_ON_ONCE(nr > ARRAY_SIZE(addr)))
		nr = ARRAY_SIZE(addr);
	for (i = 0; i < nr; i++)
		addr[i] = probes[i]->addr;

	if (ftrace_is_dead()) {
		seal_probes_give_up();
		return;
	}
	unregister_kprobes(probes, nr);
	for (i = 0; i < nr; i++)
		left += !probes[i]->addr;
	for (tries = 0; left && tries < MAX_TRIES && !ftrace_is_dead(); tries++) {
		msleep(WAIT_MS);
		left = retry(probes, addr, nr);
	}
	if (left)
		seal_probes_give_up();
}
