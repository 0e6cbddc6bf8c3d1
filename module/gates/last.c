// SPDX-License-Identifier: GPL-2.0-only
/* The last line: how it decides, and whether it works. */
#include <linux/compiler.h>
#include <linux/kprobes.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

#include "gates/decide.h"
#include "gates/last.h"
#include "gates/sets.h"
#include "table/entry.h"

bool seal_last_refuses(struct kprobe *kp, struct inode *inode)
{
	struct seal_gate *gate = container_of(kp, struct seal_gate, kp);
	struct seal_entry *entry;
	bool refused = false;

	if (likely(!seal_flagged(inode)))
		return false;
	rcu_read_lock();
	entry = seal_lookup(inode);
	/*
	 * While the file is being sealed, calls that passed a gate before it
	 * was shut may still allocate: sealing waits for them.
	 */
	if (entry && READ_ONCE(entry->state) == SEAL_ENTRY_SEALED &&
	    !seal_entry_changing(entry))
		refused = seal_gate_refuse(gate, entry, 0, 0);
	rcu_read_unlock();
	return refused;
}

int seal_last_refuse(struct pt_regs *regs)
{
	instruction_pointer_set(regs, (unsigned long)seal_return_busy);
	return 1;
}

/*
 * The canary: a function of our own, which nobody else calls, with a kprobe. If
 * that kprobe does not fire, none does.
 */
static unsigned long canary_hits;

static noinline void canary(void)
{
	/* keeps the compiler from removing it or merging it with another */
	asm volatile("");
}

static int enter_canary(struct kprobe *kp, struct pt_regs *regs)
{
	WRITE_ONCE(canary_hits, canary_hits + 1);
	return 0;
}

static struct seal_gate canary_gates[] = {
	SEAL_LAST("canary", enter_canary),
};

struct seal_gate_set seal_last_canary = {
	.name		= "canary",
	.module		= KBUILD_MODNAME,
	.gates		= canary_gates,
	.nr_gates	= ARRAY_SIZE(canary_gates),
	.kprobes	= true,
	.observes	= true,
};

/* Every SEAL and STATUS takes it, so it is a spinlock, as seal_table_lock. */
static DEFINE_SPINLOCK(canary_lock);

bool seal_last_armed(void)
{
	unsigned long before;
	bool armed;

	spin_lock(&canary_lock);
	before = READ_ONCE(canary_hits);
	canary();
	armed = READ_ONCE(canary_hits) != before;
	spin_unlock(&canary_lock);
	return armed;
}
