/* SPDX-License-Identifier: GPL-2.0-only */
/* The sets of gates; filesystems.c says which of them go together. */
#ifndef SEAL_SETS_H
#define SEAL_SETS_H

struct seal_gate_set;

/* the first line */
extern struct seal_gate_set seal_vfs_gates;
extern struct seal_gate_set seal_small_block_gates;
extern struct seal_gate_set seal_xfs_gates;
extern struct seal_gate_set seal_ext4_gates;
/* the last line, and the probe that shows whether it works */
extern struct seal_gate_set seal_xfs_last;
extern struct seal_gate_set seal_ext4_last;
extern struct seal_gate_set seal_last_canary;
/* gates that only ask holders to let go */
extern struct seal_gate_set seal_vfs_recalls;
extern struct seal_gate_set seal_xfs_recalls;
/* gates that redirect nothing */
extern struct seal_gate_set seal_observers;
extern struct seal_gate_set seal_xfs_tripwires;
extern struct seal_gate_set seal_ext4_tripwires;

#endif /* SEAL_SETS_H */
