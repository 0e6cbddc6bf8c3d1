/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel threads that entered a filesystem before its gates were attached. */
#ifndef SEAL_KTHREADS_H
#define SEAL_KTHREADS_H

struct super_block;

/*
 * Wait until every kernel thread has been seen once where it does not change
 * maps. 0, -EINTR if killed, -ENOMEM, or -EBUSY with @reason if
 * one does not stop running.
 */
int seal_drain_kthreads(struct super_block *sb, char *reason);

#endif /* SEAL_KTHREADS_H */
