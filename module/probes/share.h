/* SPDX-License-Identifier: GPL-2.0-only */
/* BPF programs on functions whose calls are redirected here. */
#ifndef SEAL_SHARE_H
#define SEAL_SHARE_H

#include <linux/types.h>

struct seal_gate_set;

/* Functions that can be redirected at the same time. */
#define SEAL_SHARE_MAX	64

/*
 * Watches BPF trampolines, so that they are fit to share the functions below;
 * attached before the first function is redirected, and until the last is not
 * any more.
 */
extern struct seal_gate_set seal_trampolines;

/*
 * The calls to ftrace at @sites are about to be redirected; or are not any more.
 * Under the lock of gate.c. A site of 0 is left out.
 */
void seal_share(unsigned long site);
void seal_unshare(unsigned long site);

#endif /* SEAL_SHARE_H */
