// SPDX-License-Identifier: GPL-2.0-only
/* Why ftrace does not take the gates of a set, and on which function. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "base/lock.h"
#include "probes/gate.h"
#include "probes/ops.h"
#include "probes/probe.h"
#include "probes/refusal.h"
#include "uapi/seal.h"

static void target(const struct seal_gate_set *set,
		   const struct seal_gate *gate, char *buf, size_t size)
{
	const char *module = set->module;

	snprintf(buf, size, "%s%s%s", module ?: "", module ? ":" : "",
		 gate->symbol);
}

/*
 * Does ftrace refuse an ops for @nr functions? Returns its answer. The ops is there for
 * a moment if it does not, and does nothing.
 */
static int try(bool observes, unsigned long *sites, unsigned int nr)
{
	struct seal_ops *scratch = seal_ops_scratch();
	int ret;

	if (!scratch)
		return -ENOMEM;
	ret = seal_ops_attach(scratch, seal_enter_nothing, observes, sites, nr);
	seal_ops_discard(scratch);
	return ret;
}

/* If ftrace is switched off, even an ops that redirects nothing is refused. */
static bool ftrace_is_off(unsigned long site)
{
	return try(true, &site, 1) == -EBUSY;
}

int seal_refusal_explain(const struct seal_gate_set *set,
			 const struct seal_gate *gate, int error, char *reason)
{
	char name[80];

	target(set, gate, name, sizeof(name));
	if (error == -EAGAIN) {
		snprintf(reason, SEAL_REASON_LEN,
			 "BPF programs come and go on %s: try again", name);
		return -EBUSY;
	}
	if (error == -EBUSY && ftrace_is_off(gate->site))
		strscpy(reason, "ftrace is switched off (sysctl kernel.ftrace_enabled)",
			SEAL_REASON_LEN);
	else if (error == -EBUSY)
		snprintf(reason, SEAL_REASON_LEN,
			 "a live patch, or another tracer that redirects calls, is on %s: remove it first",
			 name);
	else
		snprintf(reason, SEAL_REASON_LEN, "no gate on %s (error %d)",
			 name, error);
	return error;
}

/* Each try changes code of the kernel. So half of the functions are tried at a time. */
int seal_refusal_blame(struct seal_gate_set *set, int error,
		       const struct seal_limit *limit)
{
	unsigned int first = 0, left = set->nr_sites, nr;
	int ret;

	while (left && !seal_limit_over(limit)) {
		nr = DIV_ROUND_UP(left, 2);
		ret = try(set->observes, set->sites + first, nr);
		if (ret == -ENOMEM || seal_probes_stuck())
			break;
		if (ret && left == 1)
			return seal_refusal_explain(set, set->at_site[first],
						    ret, limit->reason);
		if (!ret)
			first += nr;
		left = ret ? nr : left - nr;
	}
	/* no function is refused any more, or there is no time to find it */
	snprintf(limit->reason, SEAL_REASON_LEN,
		 "ftrace refuses the gates of %s (error %d): try again",
		 set->name, error);
	return error == -EAGAIN ? -EBUSY : error;
}
