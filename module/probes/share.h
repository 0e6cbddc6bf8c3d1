/* SPDX-License-Identifier: GPL-2.0-only */
/* BPF programs on functions whose calls are redirected here. */
#ifndef SEAL_SHARE_H
#define SEAL_SHARE_H

#include <linux/types.h>

struct bpf_trampoline;

/* Functions that can be redirected at the same time. */
#define SEAL_SHARE_MAX	64

/*
 * The calls to ftrace at @site are about to be redirected; or are not any more.
 * Under sets_lock of set.c. A site of 0 is left out.
 */
void seal_share(unsigned long site);
void seal_unshare(unsigned long site);

/*
 * @trampoline is about to be built and attached: if its function is one of those
 * above, make it fit to share it. With the mutex of the trampoline held.
 */
void seal_share_trampoline(struct bpf_trampoline *trampoline);

#endif /* SEAL_SHARE_H */
