/* SPDX-License-Identifier: GPL-2.0-only */
/* BPF trampolines, while functions that they are on get gates and lose them. */
#ifndef SEAL_TRAMPOLINE_H
#define SEAL_TRAMPOLINE_H

#include <linux/types.h>

struct seal_gate_set;

/*
 * Tells trampolines to share: attached before the first function is redirected, and
 * until the last is not any more.
 */
extern struct seal_gate_set seal_trampolines;
/* What the rest here needs. Attached as long as that, where guards are used. */
extern struct seal_gate_set seal_answers;

/* Note what trampolines answer to this task, while it has gates leave. */
void seal_asking_begin(void);
/* Has one of them refused since then? */
bool seal_asking_end(void);

/* Unchanged: no trampoline that shares was built, except by those that ended here. */
u64 seal_sharing(void);
/* Wait for updates of trampolines that have begun. */
void seal_updates_wait(void);

/*
 * The gates of @set have left, its guard is called, and share.c has forgotten its
 * functions. Have all trampolines there built so that they do not share. Under
 * sets_lock. Returns false if one of them cannot; then nothing can be sealed any more.
 */
bool seal_trampolines_settle(const struct seal_gate_set *set);

#endif /* SEAL_TRAMPOLINE_H */
