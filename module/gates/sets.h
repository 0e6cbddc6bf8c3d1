/* SPDX-License-Identifier: GPL-2.0-only */
/* The sets of gates and tripwires; filesystems.c says which of them go together. */
#ifndef SEAL_SETS_H
#define SEAL_SETS_H

struct seal_gate_set;

extern struct seal_gate_set seal_vfs_gates;
extern struct seal_gate_set seal_xfs_gates;
extern struct seal_gate_set seal_ext4_gates;
extern struct seal_gate_set seal_xfs_tripwires;
extern struct seal_gate_set seal_ext4_tripwires;

#endif /* SEAL_SETS_H */
