/* SPDX-License-Identifier: GPL-2.0-only */
/* Observers: gates that only take note of a call. */
#ifndef SEAL_OBSERVERS_H
#define SEAL_OBSERVERS_H

#include <linux/types.h>

/*
 * How often the switch of all kprobes (kprobes/enabled in debugfs) was written
 * to while the observers were attached. If the number is the same as before a
 * call of seal_last_armed() that returned true, kprobes have not been off
 * since.
 */
u64 seal_kprobes_switched(void);

#endif /* SEAL_OBSERVERS_H */
