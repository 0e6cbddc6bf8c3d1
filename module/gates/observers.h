/* SPDX-License-Identifier: GPL-2.0-only */
/* Observers: calls that are only taken note of. */
#ifndef SEAL_OBSERVERS_H
#define SEAL_OBSERVERS_H

#include <linux/types.h>

/*
 * How often somebody has written to the switch of all kprobes, since the gates
 * were attached. If the number was the same before seal_last_armed() said yes
 * and is the same now, kprobes have not been off meanwhile.
 */
u64 seal_kprobes_switched(void);

#endif /* SEAL_OBSERVERS_H */
