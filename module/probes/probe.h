/* SPDX-License-Identifier: GPL-2.0-only */
/* Removing kprobes so that nothing of them is left behind. */
#ifndef SEAL_PROBE_H
#define SEAL_PROBE_H

#include <linux/kprobes.h>
#include <linux/types.h>

/* Probes that can be removed in one step. */
#define SEAL_MAX_PROBES		16

/* Unregister armed probes; they may live in memory that is used again. */
void seal_probes_remove(struct kprobe **probes, unsigned int nr);

/* One cannot be removed, its memory and code must stay for ever. */
void seal_probes_give_up(void);

/* Could a probe not be removed? Then no other may be placed any more. */
bool seal_probes_stuck(void);

#endif /* SEAL_PROBE_H */
