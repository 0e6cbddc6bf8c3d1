// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations whose gate is passed before they hold a lock of the inode, and
 * the others. Each is parked once behind its gate: SEAL must wait for it; and
 * once before its gate: SEAL must not wait, and the operation is refused.
 */
#define _GNU_SOURCE
#include "ops.h"
#include "party.h"
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct window {
	const char *name;
	const char *type;	/* of the filesystem, NULL: both */
	enum layout layout;
	int (*op)(void *target);
	const char *inside;	/* behind the gate, "function|alternative" */
	unsigned int nth;	/* call of it, 0 is the first */
	const char *before;	/* in front of the gate */
	unsigned int before_nth;
	int refused;		/* 0: -ETXTBSY */
	bool unlocked;		/* no lock of the inode is held inside */
	bool server;		/* called without write access, as nfsd does */
	bool alone;		/* refused where any file is sealed */
	const char *lack;	/* what a kernel may be without */
	bool same_map;		/* it gives the same map again */
	bool lease;		/* while a pNFS client holds a layout */
	bool loop;		/* a kernel thread does it, for a loop device */
};

/*
 * The unlocked ones are parked where they are about to take the lock of the
 * inode: behind the gate, and not yet where sealing would wait for the lock.
 */
static const struct window windows[] = {
	{ .name = "xfs_file_fallocate", .type = "xfs", .op = op_punch,
	  .refused = -EOPNOTSUPP,
	  .unlocked = true, .inside = "down_write", .before = "vfs_fallocate" },
	{ .name = "xfs_file_fallocate in two steps", .type = "xfs",
	  .layout = WITH_HOLE, .op = op_punch_edge, .refused = -EOPNOTSUPP,
	  .unlocked = true, .inside = "down_write", .before = "vfs_fallocate" },
	{ .name = "xfs_swap_extents", .type = "xfs", .op = op_swapext,
	  .unlocked = true,
	  .inside = "lock_two_nondirectories|lock_two_nondirectory_inodes",
	  .before = "security_file_ioctl", .before_nth = 2 },
	{ .name = "xfs_fs_map_blocks", .type = "xfs", .layout = WITH_HOLE,
	  .op = op_map_blocks, .unlocked = true, .server = true,
	  .inside = "down_write", .before = "security_file_ioctl" },
	{ .name = "xfs_fs_commit_blocks", .type = "xfs",
	  .layout = WITH_UNWRITTEN, .op = op_commit_blocks,
	  .unlocked = true, .server = true,
	  .inside = "down_write", .before = "security_file_ioctl" },
	{ .name = "xfs_scrub_metadata", .type = "xfs", .op = op_repair,
	  .unlocked = true, .inside = "down_write",
	  .before = "security_file_ioctl", .same_map = true,
	  .alone = true, .lack = "online repair" },
	{ .name = "notify_change, its lock dropped for a layout", .type = "xfs",
	  .op = op_truncate, .unlocked = true,
	  .inside = "__break_lease", .nth = 3, .lease = true },
	{ .name = "buffered write, its lock dropped for a layout",
	  .type = "xfs", .layout = ALL_HOLE, .op = op_write, .unlocked = true,
	  .inside = "__break_lease", .nth = 2, .lease = true },
	{ .name = "direct write, its lock dropped for a layout",
	  .type = "xfs", .layout = ALL_HOLE, .op = op_write_direct,
	  .unlocked = true, .inside = "__break_lease", .nth = 2,
	  .lease = true },
	{ .name = "ext4_fallocate", .type = "ext4", .op = op_punch,
	  .refused = -EOPNOTSUPP,
	  .unlocked = true, .inside = "down_write", .before = "vfs_fallocate" },
	{ .name = "ext4_move_extents", .type = "ext4", .op = op_move_extents,
	  .unlocked = true,
	  .inside = "lock_two_nondirectories|lock_two_nondirectory_inodes",
	  .before = "security_file_ioctl" },
	{ .name = "ext4_ioctl SWAP_BOOT", .type = "ext4", .op = op_swap_boot,
	  .unlocked = true,
	  .inside = "lock_two_nondirectories|lock_two_nondirectory_inodes",
	  .before = "security_file_ioctl" },

	{ .name = "discard of a loop device", .type = "xfs", .op = op_discard,
	  .unlocked = true, .loop = true, .inside = "xfs:xfs_ilock" },
	{ .name = "discard of a loop device", .type = "ext4", .op = op_discard,
	  .unlocked = true, .loop = true, .inside = "ext4:ext4_punch_hole" },

	/* with the lock */
	{ .name = "notify_change", .op = op_truncate,
	  .inside = "setattr_prepare",
	  .before = "security_file_truncate|security_path_truncate" },
	{ .name = "buffered write", .type = "xfs", .layout = ALL_HOLE,
	  .op = op_write, .inside = "xfs:xfs_buffered_write_iomap_begin",
	  .before = "security_file_permission" },
	{ .name = "buffered write", .type = "ext4", .layout = ALL_HOLE,
	  .op = op_write, .inside = "generic_perform_write",
	  .before = "security_file_permission" },
	{ .name = "direct write", .layout = ALL_HOLE, .op = op_write_direct,
	  .inside = "iomap_dio_rw", .before = "security_file_permission" },
	/* with the invalidate lock */
	{ .name = "page fault", .type = "xfs", .layout = ALL_HOLE,
	  .op = op_store, .inside = "xfs:xfs_qm_dqattach",
	  .before = "file_update_time", .refused = -EFAULT },
	{ .name = "page fault", .type = "ext4", .layout = ALL_HOLE,
	  .op = op_store, .inside = "ext4:ext4_es_lookup_extent",
	  .before = "file_update_time", .refused = -EFAULT },
};

#define NR_WINDOWS	((int)(sizeof(windows) / sizeof(windows[0])))

/* Does the kernel have it? */
static bool window_works(const struct window *w)
{
	struct st_map before, after;
	struct target t;
	bool same;
	int ret;

	/* With nobody sealing it succeeds, and changes the map. */
	target_make(&t, w->layout);
	if (w->loop)
		target_loop(&t);
	before = st_map(t.fd);
	ret = w->op(&t);
	if (w->lack && (ret == -EOPNOTSUPP || ret == -ENOTTY)) {
		target_close(&t);
		st_skip(w->name, "no %s in this kernel", w->lack);
		return false;
	}
	ck_assert_msg(!ret, "%s: %s", w->name, strerror(-ret));
	after = st_map(t.fd);
	same = st_map_same(&before, &after);
	ck_assert_msg(same == w->same_map, "%s: the map is %s", w->name,
		      same ? "the same" : "another");
	st_map_free(&before);
	st_map_free(&after);
	target_close(&t);
	return true;
}

/* A page that is there to be read: only the store is in question. */
static void touch(const struct target *t)
{
	*(volatile char *)(t->map + FROM);
}

static bool stored(const struct target *t)
{
	return *(volatile char *)(t->map + FROM) == *t->buf;
}

START_TEST(seal_waits_for_who_is_inside)
{
	const struct window *w = &windows[_i];
	unsigned int ms;
	struct sealing sealing;
	struct party racer;
	struct target t;
	int dev, ret;

	if (!window_works(w))
		return;
	ms = patience_ms();
	dev = st_session();
	target_make(&t, w->layout);
	touch(&t);
	if (w->loop)
		target_loop(&t);
	if (w->lease)
		ck_assert_int_eq(layout_lease(&t), 0);
	party_start(&racer, w->op, &t);
	sealing_start(&sealing, dev, t.fd);

	park_set(0, w->loop ? NULL : &racer, w->inside, w->nth ? w->nth : 1);
	party_go(&racer);
	park_wait(0);
	if (w->lease)
		ck_assert_int_eq(layout_return(&t), 0);
	party_go(&sealing.party);
	ck_assert_msg(!party_ends(&sealing.party, ms),
		      "%s: SEAL returned %d while a call was inside", w->name,
		      sealing.party.ret);
	park_release(0);
	ret = party_join(&racer);
	/*
	 * A store whose fault is over may come again, after SEAL has begun
	 * (store_by_the_first_look).
	 */
	if (ret && ret == w->refused)
		ck_assert_msg(!stored(&t), "%s: stored, and refused", w->name);
	else
		ck_assert_msg(!ret, "%s: %s", w->name, strerror(-ret));
	ret = party_join(&sealing.party);
	ck_assert_msg(!ret, "%s: SEAL: %s", w->name, strerror(-ret));
	check_frozen(dev, t.fd, w->name);
	target_close(&t);
	close(dev);
	printf("seal_waits_for_who_is_inside: %s\n", w->name);
}
END_TEST

START_TEST(who_comes_later_is_refused)
{
	const struct window *w = &windows[_i];
	struct st_map before, after;
	struct party racer;
	struct target t;
	int dev, ret;

	if (!window_works(w))
		return;
	dev = st_session();
	target_make(&t, w->layout);
	touch(&t);
	before = st_map(t.fd);
	party_start(&racer, w->op, &t);
	park_set(0, &racer, w->before, w->before_nth ? w->before_nth : 1);
	party_go(&racer);
	park_wait(0);
	/*
	 * Waits for nobody: the test would end by its timeout. A fault has hold
	 * of its page, which is not in place: that is a reason to refuse.
	 */
	ret = st_do_seal_one(dev, t.fd);
	if (ret == -EBUSY && w->refused == -EFAULT) {
		park_release(0);
		ck_assert_int_eq(party_join(&racer), 0);
		st_seal(dev, t.fd);
		check_frozen(dev, t.fd, w->name);
		st_map_free(&before);
		target_close(&t);
		close(dev);
		return;
	}
	ck_assert_msg(!ret, "%s: SEAL: %s", w->name, strerror(-ret));
	park_release(0);
	ret = party_join(&racer);
	ck_assert_msg(ret == (w->refused ? w->refused : -ETXTBSY),
		      "%s: %d, not refused", w->name, ret);
	after = st_map(t.fd);
	ck_assert_msg(st_map_same(&before, &after), "%s: the map changed",
		      w->name);
	check_frozen(dev, t.fd, w->name);
	st_map_free(&before);
	st_map_free(&after);
	target_close(&t);
	close(dev);
	printf("who_comes_later_is_refused: %s\n", w->name);
}
END_TEST

/* Waiting for somebody who never comes is no reason to hang. */
START_TEST(who_waits_can_be_killed)
{
	struct party racer;
	struct target t;
	int dev, status;
	pid_t pid;

	target_make(&t, FULL);
	party_start(&racer, op_punch, &t);
	park_set(0, &racer, "down_write", 1);
	party_go(&racer);
	park_wait(0);
	dev = st_session();
	pid = fork();
	if (!pid)
		_exit(st_do_seal_one(dev, t.fd) ? 1 : 0);
	status = st_wait_child(pid, 1);
	ck_assert_msg(status == -1, "SEAL ended: %x", status);
	kill(pid, SIGKILL);
	status = st_wait_child(pid, 10);
	ck_assert_msg(status != -1, "SEAL cannot be killed");
	ck_assert(!st_sealed(t.fd));
	park_release(0);
	ck_assert_int_eq(party_join(&racer), 0);
	st_seal(dev, t.fd);
	check_frozen(dev, t.fd, "after somebody was killed");
	target_close(&t);
	close(dev);
}
END_TEST

/* What was looked at first has changed when the gates are shut. */
START_TEST(attributes_that_are_changing)
{
	struct sealing sealing;
	struct party racer;
	struct target t;
	unsigned int ms = patience_ms();
	int dev, ret;

	dev = st_session();
	target_make(&t, FULL);
	party_start(&racer, op_journal_data, &t);
	sealing_start(&sealing, dev, t.fd);
	park_set(0, &racer, "jbd2:jbd2_journal_lock_updates", 1);
	party_go(&racer);
	park_wait(0);
	party_go(&sealing.party);
	ck_assert(!party_ends(&sealing.party, ms));
	park_release(0);
	ck_assert_int_eq(party_join(&racer), 0);
	ret = party_join(&sealing.party);
	ck_assert_msg(ret == -EOPNOTSUPP, "SEAL: %d", ret);
	ck_assert(!st_sealed(t.fd));
	target_close(&t);
	close(dev);
}
END_TEST

/* While the tree is written no lock is held, and it can still be taken back. */
START_TEST(verity_that_is_being_enabled)
{
	struct sealing sealing;
	struct party racer;
	struct target t;
	unsigned int ms = patience_ms();
	char path[64];
	int dev, ret;

	dev = st_session();
	target_make(&t, FULL);
	/* nobody may have it open for writing */
	munmap(t.map, SIZE);
	t.map = MAP_FAILED;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", t.fd);
	ret = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(ret, 0);
	close(t.fd);
	close(t.direct);
	t.fd = ret;
	t.direct = -1;
	party_start(&racer, op_enable_verity, &t);
	sealing_start(&sealing, dev, t.fd);
	park_set(0, &racer, "ext4:ext4_write_merkle_tree_block", 1);
	party_go(&racer);
	if (party_ends(&racer, 1000)) {
		ret = party_join(&racer);
		park_release(0);
		party_go(&sealing.party);
		party_join(&sealing.party);
		ck_assert_msg(ret == -EOPNOTSUPP, "verity: %d", ret);
		ST_SKIP("no verity on this filesystem");
	}
	park_wait(0);
	party_go(&sealing.party);
	ck_assert_msg(!party_ends(&sealing.party, ms),
		      "SEAL returned %d while verity was being enabled",
		      sealing.party.ret);
	park_release(0);
	ck_assert_int_eq(party_join(&racer), 0);
	ret = party_join(&sealing.party);
	ck_assert_msg(!ret, "SEAL: %d", ret);
	check_frozen(dev, t.fd, "verity");
	close(t.fd);
	close(dev);
}
END_TEST

static bool window_applies(const struct window *w)
{
	const char *type = getenv("SEAL_TYPE");

	return !w->type || (type && !strcmp(w->type, type));
}

static TCase *add_windows(const char *name, bool alone)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 90);
	for (int i = 0; i < NR_WINDOWS; i++) {
		if (!window_applies(&windows[i]) || windows[i].alone != alone)
			continue;
		tcase_add_loop_test(tc, seal_waits_for_who_is_inside, i, i + 1);
		if (windows[i].before)
			tcase_add_loop_test(tc, who_comes_later_is_refused, i,
					    i + 1);
	}
	return tc;
}

static TCase *race_windows(void)
{
	const char *type = getenv("SEAL_TYPE");
	TCase *tc = add_windows("windows", false);

	tcase_add_test(tc, who_waits_can_be_killed);
	if (type && !strcmp(type, "ext4")) {
		tcase_add_test(tc, attributes_that_are_changing);
		tcase_add_test(tc, verity_that_is_being_enabled);
	}
	return tc;
}

ST_CASE(windows, race_windows, ST_HERE);

static TCase *race_repair(void)
{
	return add_windows("repair", true);
}

ST_CASE(repair, race_repair, ST_AWAY);

/*
 * With nobody sealing there are no gates: those who are on their way then
 * have passed none. Only where no lock would stop SEAL later. Not those of a
 * pNFS server, which a lease announces, and which are not waited for.
 */
/* The seal to come must be the one that attaches the gates. */
static void rest(void)
{
	seals_attach = true;
	ck_assert(st_at_rest());
}

static TCase *race_attach(void)
{
	TCase *tc = tcase_create("attach");

	tcase_set_timeout(tc, 90);
	tcase_add_checked_fixture(tc, rest, NULL);
	for (int i = 0; i < NR_WINDOWS; i++)
		if (window_applies(&windows[i]) && windows[i].unlocked &&
		    !windows[i].server)
			tcase_add_loop_test(tc, seal_waits_for_who_is_inside, i,
					    i + 1);
	tcase_add_test(tc, who_waits_can_be_killed);
	return tc;
}

ST_CASE(attach, race_attach, ST_NOWHERE);
