// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the module does when a map changes below the gates.
 *
 * Every change is counted in the entry, whatever the state of the entry:
 * sealing itself causes write-back and conversions, and reads the map again if
 * it changed meanwhile. Once the entry is sealed, a change means that the seal
 * is broken. The flag of the inode is not looked at, since its loss is one of
 * the faults to be noticed.
 */
#include <linux/fs.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/stacktrace.h>

#include "base/mode.h"
#include "base/trace.h"
#include "gates/tripwire.h"
#include "probes/gate.h"
#include "table/entry.h"
#include "table/events.h"

static DEFINE_RATELIMIT_STATE(report_limit, DEFAULT_RATELIMIT_INTERVAL, 3);

/* How many callers of the changing function are printed. */
#define REPORT_CALLERS	6
/* Room for them behind save, report, trip, handler, enter_set and ftrace. */
#define STACK_DEPTH	20

/*
 * The stack begins with the frames of the tripwire. The callers that matter
 * come behind the function that the tripwire is on, whose ftrace call is at
 * @probed.
 */
static void report(struct inode *inode, const char *function,
		   unsigned long probed)
{
	unsigned long stack[STACK_DEPTH];
	unsigned int nr, i, first = 0;

	/* in log-only mode maps do change, and nothing was promised */
	if (seal_is_log_only() || !__ratelimit(&report_limit))
		return;
	nr = stack_trace_save(stack, STACK_DEPTH, 0);
	for (i = 0; i < nr; i++)
		if (probed && stack[i] - probed < 64)
			first = i + 1;
	/* one rate limit for all lines of a report, so that none is missing */
	pr_err("seal: BROKEN: the map of inode %lu on %s changed while sealed: %s\n",
	       (unsigned long)inode->i_ino, inode->i_sb->s_id, function);
	for (i = first; i < nr && i < first + REPORT_CALLERS; i++)
		pr_err("seal:   called from %pS\n", (void *)stack[i]);
}

void seal_trip(struct seal_gate *gate, struct inode *inode)
{
	struct seal_entry *entry;

	rcu_read_lock();
	entry = seal_lookup(inode);
	/* a change that a holder makes breaks nothing, see change.c */
	if (entry && !seal_entry_changing(entry)) {
		/*
		 * A full barrier, which pairs with smp_store_mb() in
		 * jobs_commit(): sealing sets the state, then reads the count.
		 */
		atomic64_inc_return(&entry->changes);
		if (READ_ONCE(entry->state) == SEAL_ENTRY_SEALED) {
			atomic64_inc(&gate->hits);
			cmpxchg(&entry->first_change, NULL, gate->symbol);
			trace_seal_broken(inode, gate->symbol);
			seal_event_broken(entry, gate->symbol);
			report(inode, gate->symbol, gate->site);
		}
	}
	rcu_read_unlock();
}

void seal_report_broken(struct seal_entry *entry, const char *when)
{
	cmpxchg(&entry->first_change, NULL, "seal");
	trace_seal_broken(entry->inode, "seal");
	seal_event_broken(entry, "seal");
	report(entry->inode, when, 0);
}

void seal_trip_size(struct seal_entry *entry)
{
	lockdep_assert_held(&seal_table_lock);
	if (entry->state != SEAL_ENTRY_SEALED || entry->growing ||
	    entry->resized ||
	    i_size_read(entry->inode) == entry->sum.file_size)
		return;
	entry->resized = true;
	atomic64_inc(&entry->changes);
	cmpxchg(&entry->first_change, NULL, "size");
	trace_seal_broken(entry->inode, "size");
	seal_event_broken(entry, "size");
	report(entry->inode, "its size", 0);
}
