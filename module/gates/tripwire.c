// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens when a map is changed, seen from below the gates.
 *
 * Every change is counted in the entry, whatever its state: sealing itself
 * settles a map with write-back and conversions, and reads it again if it
 * changed meanwhile. From the moment the entry is sealed a change is an
 * accident. The inode flag plays no role here: losing it is one of the
 * accidents this is for.
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

/* Callers above the probed function that are worth a line. */
#define REPORT_CALLERS	6
/* Frames of the tripwire itself: save, report, trip, handler, set, ftrace. */
#define STACK_DEPTH	20

/*
 * The stack begins with the way into the probe. What is of interest comes
 * behind the probed function.
 */
static void report(struct inode *inode, const char *function,
		   unsigned long probed)
{
	unsigned long stack[STACK_DEPTH];
	unsigned int nr, i, first = 0;

	/* then maps do change, and nobody was promised anything else */
	if (seal_is_log_only() || !__ratelimit(&report_limit))
		return;
	nr = stack_trace_save(stack, STACK_DEPTH, 0);
	for (i = 0; i < nr; i++)
		if (probed && stack[i] - probed < 64)
			first = i + 1;
	/* one line each, so that they stay together and are limited as one */
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
	/* what a holder has asked for is not an accident, see change.c */
	if (entry && !seal_entry_changing(entry)) {
		/* a full barrier: sealing sets the state, then looks here */
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
