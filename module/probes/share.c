// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF programs on functions whose calls are redirected here.
 *
 * A BPF program at the exit of a function makes the trampoline call the function
 * itself. So that the call goes where ftrace sends it, and not to the original,
 * the trampoline has to be built in another way: with BPF_TRAMP_F_SHARE_IPMODIFY.
 * The kernel finds that out when it attaches the trampoline: ftrace asks for it,
 * and the trampoline is built a second time. In series before 6.18 this goes
 * wrong where a program at the entry is there already, alone:
 *
 * - some versions do not ask. The calls go to the original, past the gate.
 * - others ask, and take the function out of the ftrace_ops of the trampoline,
 *   which is in use. The next call finds no function there, and ftrace stops
 *   working for good; detaching the programs is a kernel panic then.
 *
 * A live patch in the place of a gate has the same effect. So trampolines on
 * functions with gates get the flag before they are built the first time.
 * Without a gate it changes nothing of what they do.
 */
#include <linux/bpf.h>
#include <linux/compiler.h>
#include <linux/kernel.h>

#include "probes/share.h"

/* 0: a free place. Written under sets_lock of set.c, read without one. */
static unsigned long shared[SEAL_SHARE_MAX];

static bool replace(unsigned long old, unsigned long new)
{
	unsigned int i;

	for (i = 0; i < SEAL_SHARE_MAX; i++) {
		if (shared[i] == old) {
			WRITE_ONCE(shared[i], new);
			return true;
		}
	}
	return false;
}

void seal_share(unsigned long site)
{
	if (site)
		WARN_ON_ONCE(!replace(0, site));
}

void seal_unshare(unsigned long site)
{
	if (site)
		replace(site, 0);
}

/* The call to ftrace may come behind an ENDBR, which is part of the function. */
#define MAX_BEFORE_SITE	4

static bool is_shared(unsigned long function)
{
	unsigned int i;

	for (i = 0; i < SEAL_SHARE_MAX; i++) {
		unsigned long site = READ_ONCE(shared[i]);

		if (site && site - function <= MAX_BEFORE_SITE)
			return true;
	}
	return false;
}

/*
 * A function is noted before its ftrace_ops is registered. Registering waits for
 * whoever has the mutex of a trampoline that is attached to the function. So a
 * trampoline that was not seen here is at most about to be attached for the first
 * time, which the kernel gets right.
 */
void seal_share_trampoline(struct bpf_trampoline *trampoline)
{
	if (is_shared((unsigned long)trampoline->func.addr))
		trampoline->flags |= BPF_TRAMP_F_SHARE_IPMODIFY;
}
