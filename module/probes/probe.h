/* SPDX-License-Identifier: GPL-2.0-only */
/* Removing kprobes so that nothing of them is left behind. */
#ifndef SEAL_PROBE_H
#define SEAL_PROBE_H

#include <linux/kprobes.h>
#include <linux/types.h>

/* The most probes that seal_probes_remove() takes. */
#define SEAL_MAX_PROBES		16

/*
 * Unregister armed probes. Their memory may be used again afterwards, unless
 * seal_probes_stuck() says otherwise. Sleeps.
 */
void seal_probes_remove(struct kprobe **probes, unsigned int nr);

/* Note that a probe cannot be removed: its memory and code stay for ever. */
void seal_probes_give_up(void);

/*
 * The end of the unloading of the module, after which its code is freed: does not
 * return if a probe could not be removed meanwhile.
 */
void seal_probes_stay(void);

/* Was there a probe that could not be removed? Then no other is placed. */
bool seal_probes_stuck(void);

#endif /* SEAL_PROBE_H */
