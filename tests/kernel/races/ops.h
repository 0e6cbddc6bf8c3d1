/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations that change a map, each as one call a racer makes. */
#ifndef RACES_OPS_H
#define RACES_OPS_H

#define SIZE	(256 * 1024)
#define FROM	(64 * 1024)	/* the range operations work on */
#define LENGTH	(64 * 1024)

enum layout { FULL, WITH_HOLE, WITH_UNWRITTEN, ALL_HOLE, ALL_UNWRITTEN };

/* A file, a second one of the same size, and what is prepared for the call. */
struct target {
	int fd, direct, peer;
	char *map;		/* of the whole file */
	char *buf;		/* LENGTH bytes, aligned */
	int loop;		/* a device on the file, or -1 */
};

void target_make(struct target *t, enum layout layout);
/* Put a loop device on it. */
void target_loop(struct target *t);
void target_close(struct target *t);

/* 0 or -errno */
int op_punch(void *target);
int op_punch_edge(void *target);
int op_discard(void *target);
int op_truncate(void *target);
int op_write(void *target);
int op_write_direct(void *target);
int op_store(void *target);
int op_fsync(void *target);
int op_swapext(void *target);
int op_map_blocks(void *target);
int op_commit_blocks(void *target);
int op_repair(void *target);
int op_move_extents(void *target);
int op_swap_boot(void *target);
int op_enable_verity(void *target);
int op_journal_data(void *target);

/* A lease as a pNFS server holds it for a client. */
int layout_lease(const struct target *t);
int layout_return(const struct target *t);

#endif /* RACES_OPS_H */
