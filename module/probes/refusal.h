/* SPDX-License-Identifier: GPL-2.0-only */
/* Why ftrace does not take the gates of a set, and on which function. */
#ifndef SEAL_REFUSAL_H
#define SEAL_REFUSAL_H

struct seal_gate;
struct seal_gate_set;
struct seal_limit;

/*
 * ftrace has refused @gate of @set with @error: write to @reason, of SEAL_REASON_LEN
 * bytes, what that means and what to do. Returns the error for the caller of SEAL.
 */
int seal_refusal_explain(const struct seal_gate_set *set,
			 const struct seal_gate *gate, int error, char *reason);

/*
 * ftrace has refused the ops that the gates of @set share, with @error: find the
 * function that is the reason, by trying until the end of @limit. Fills in the reason
 * of @limit. Returns as seal_refusal_explain().
 */
int seal_refusal_blame(struct seal_gate_set *set, int error,
		       const struct seal_limit *limit);

#endif /* SEAL_REFUSAL_H */
