// SPDX-License-Identifier: GPL-2.0-only
/* What only ext4 can do to a block map. */
#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <unistd.h>

struct ext4_move_extent {
	uint32_t reserved, donor_fd;
	uint64_t orig_start, donor_start, len, moved_len;
};

#define EXT4_MIGRATE _IO('f', 9)
#define EXT4_MOVE_EXT _IOWR('f', 15, struct ext4_move_extent)
#define EXT4_SWAP_BOOT _IO('f', 17)
#define EXT4_PRECACHE_EXTENTS _IO('f', 18)
#define EXT4_CLEAR_ES_CACHE _IO('f', 40)
#define EXT4_EXTENTS_FL 0x80000

static int move_extents(struct ctx *c, int fd, int donor)
{
	uint64_t block = fs_block(fd);
	struct ext4_move_extent arg = {
		.donor_fd = donor,
		.orig_start = c->tc->off / block,
		.donor_start = c->tc->off / block,
		.len = c->tc->len / block,
	};
	int ret = ret_errno(ioctl(fd, EXT4_MOVE_EXT, &arg));

	if (!ret && arg.moved_len != arg.len)
		die("MOVE_EXT moved %llu of %llu blocks",
		    (unsigned long long)arg.moved_len,
		    (unsigned long long)arg.len);
	return ret;
}

static int op_move(struct ctx *c)
{
	return move_extents(c, c->f.fd, c->peer.fd);
}

static int op_move_donor(struct ctx *c)
{
	return move_extents(c, c->peer.fd, c->f.fd);
}

static int change_flags(struct ctx *c, int set, int clear)
{
	int flags;

	if (ioctl(c->f.fd, FS_IOC_GETFLAGS, &flags))
		die("GETFLAGS: %s", strerror(errno));
	flags = (flags | set) & ~clear;
	return ret_errno(ioctl(c->f.fd, FS_IOC_SETFLAGS, &flags));
}

/* chattr -e */
static int op_clear_extents(struct ctx *c)
{
	return change_flags(c, 0, EXT4_EXTENTS_FL);
}

/* chattr +e */
static int op_set_extents(struct ctx *c)
{
	return change_flags(c, EXT4_EXTENTS_FL, 0);
}

static int op_set_journal_data(struct ctx *c)
{
	return change_flags(c, FS_JOURNAL_DATA_FL, 0);
}

static int op_set_noatime(struct ctx *c)
{
	return change_flags(c, FS_NOATIME_FL, 0);
}

static int before_indirect(struct ctx *c)
{
	return op_clear_extents(c);
}

static int op_ioctl(struct ctx *c)
{
	return ret_errno(ioctl(c->f.fd, c->tc->arg));
}

static sigjmp_buf no_compat;

static void on_segv(int sig)
{
	siglongjmp(no_compat, sig);
}

/*
 * ioctl as a 32-bit program calls it, through the interrupt of 32-bit system
 * calls. @arg is below 4 GiB.
 */
static int compat_ioctl(struct ctx *c, int fd, unsigned int cmd, void *arg)
{
#ifdef __x86_64__
	struct sigaction sa = { .sa_handler = on_segv }, old;
	int ret = 0;

	sigaction(SIGSEGV, &sa, &old);
	if (sigsetjmp(no_compat, 1)) {
		sigaction(SIGSEGV, &old, NULL);
		return skip(c, "the kernel has no 32-bit system calls");
	}
	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(54), "b"(fd), "c"(cmd), "d"(arg)
			 : "memory", "r8", "r9", "r10", "r11");
	sigaction(SIGSEGV, &old, NULL);
	return ret;
#else
	(void)fd;
	(void)cmd;
	(void)arg;
	(void)on_segv;
	return skip(c, "no 32-bit system calls on this architecture");
#endif
}

static int op_move_compat(struct ctx *c)
{
	uint64_t block = fs_block(c->f.fd);
	struct ext4_move_extent *arg;
	int ret;

	arg = mmap(NULL, UNIT, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (arg == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	arg->donor_fd = c->peer.fd;
	arg->orig_start = c->tc->off / block;
	arg->donor_start = arg->orig_start;
	arg->len = c->tc->len / block;
	ret = compat_ioctl(c, c->f.fd, EXT4_MOVE_EXT, arg);
	munmap(arg, UNIT);
	return ret;
}

static int op_enable_verity(struct ctx *c)
{
	struct fsverity_enable_arg arg = {
		.version = 1,
		.hash_algorithm = FS_VERITY_HASH_ALG_SHA256,
		.block_size = fs_block(c->f.fd),
	};

	return ret_errno(ioctl(c->f.fd, FS_IOC_ENABLE_VERITY, &arg));
}

/* The file is an empty quota file, of the second format. */
static int before_quota(struct ctx *c)
{
	static const uint32_t head[8] = {
		0xd9c01f11, 1, 604800, 604800, 0, 2, 0, 0
	};

	if (mount(NULL, opt.dir, NULL, MS_REMOUNT, "usrquota"))
		return skip(c, "no quota: %s", strerror(errno));
	if (pwrite(c->f.fd, head, sizeof(head), 0) != sizeof(head) ||
	    fsync(c->f.fd))
		die("quota file: %s", strerror(errno));
	wrote(&c->f, head, sizeof(head), 0);
	return 0;
}

/* The kernel writes it, and makes it longer, from then on. */
static int op_quota_on(struct ctx *c)
{
	char device[64];
	struct stat st;
	int ret;

	if (fstat(c->f.fd, &st))
		die("fstat: %s", strerror(errno));
	snprintf(device, sizeof(device), "/tmp/contract-%u", getpid());
	if (mknod(device, S_IFBLK | 0600, st.st_dev))
		die("%s: %s", device, strerror(errno));
	ret = ret_errno(quotactl(QCMD(Q_QUOTAON, USRQUOTA), device, 4,
				 c->f.path));
	if (!ret)
		quotactl(QCMD(Q_QUOTAOFF, USRQUOTA), device, 0, NULL);
	unlink(device);
	return ret;
}

/* MOVE_EXT, verity and data journalling go through the page cache. */
#define T_CACHED (T_EXTENTS & ~T_DAX)
#define FULL "WWWWWWWWWWWWWWWW"

#define GUARD(_gate) { .ext4 = _gate, .ext4_dax = _gate }
static const struct guard guard_move = GUARD("ext4_move_extents");
static const struct guard guard_ioctl = GUARD("ext4_ioctl");
static const struct guard guard_flags = GUARD("ext4_fileattr_set");
static const struct guard guard_migrate = GUARD("ext4_ext_migrate");
static const struct guard guard_quota = GUARD("dquot_quota_on");
static const struct guard guard_verity = GUARD("ext4_begin_enable_verity");

static const char no_verity[] = "no fs-verity with this block size";
static const char no_precache[] = "no extents to cache";

#define EXT4(_name, _op, _targets, _layout, _expect, ...)		\
	{ .name = "ext4-" _name, .targets = _targets, .layout = _layout, \
	  .op = _op, .expect = _expect, __VA_ARGS__ }

static const struct contract_case cases[] = {
	EXT4("move-extent", op_move, T_CACHED, FULL, -ETXTBSY, .peer = FULL,
	     .off = B(4), .len = B(4), .guard = &guard_move),
	EXT4("move-extent-donor", op_move_donor, T_CACHED, FULL, -ETXTBSY,
	     .peer = FULL, .off = B(4), .len = B(4), .guard = &guard_move,
	     .flags = C_NO_SETID),
	EXT4("move-extent-compat", op_move_compat, T_CACHED, FULL, -ETXTBSY,
	     .peer = FULL, .off = B(4), .len = B(4), .guard = &guard_move),
	EXT4("move-extent-unwritten-donor", op_move, T_CACHED, FULL, -ETXTBSY,
	     .peer = "UUUUUUUUUUUUUUUU", .off = B(4), .len = B(4),
	     .guard = &guard_move),

	/* One block is one extent, and only that can go to the direct blocks. */
	EXT4("clear-extents-flag", op_clear_extents, T_EXTENTS, "W",
	     -ETXTBSY, .unit = UNIT_FSBLOCK, .guard = &guard_flags),
	EXT4("set-extents-flag", op_set_extents, T_EXTENTS, "W",
	     -ETXTBSY, .unit = UNIT_FSBLOCK, .before = before_indirect,
	     .guard = &guard_flags),
	EXT4("migrate", op_ioctl, T_EXTENTS, "W", -ETXTBSY,
	     .unit = UNIT_FSBLOCK, .before = before_indirect,
	     .arg = EXT4_MIGRATE, .guard = &guard_migrate),
	EXT4("set-journal-data", op_set_journal_data, T_ANY_EXT4 & ~T_DAX, FULL,
	     -ETXTBSY, .guard = &guard_flags),
	EXT4("set-noatime", op_set_noatime, T_ANY_EXT4, FULL, 0),

	/* Twice is back again, so that the boot inode ends as it began. */
	EXT4("swap-boot", op_ioctl, T_ANY_EXT4, FULL, -ETXTBSY,
	     .arg = EXT4_SWAP_BOOT, .guard = &guard_ioctl),

	EXT4("enable-verity", op_enable_verity, T_CACHED, FULL, -ETXTBSY,
	     .guard = &guard_verity, .flags = C_RDONLY, .may_lack = no_verity),

	/* tests/kernel/traps show that it works unsealed */
	EXT4("quota-on", op_quota_on, T_EXT4, FULL, -ETXTBSY,
	     .before = before_quota, .guard = &guard_quota,
	     .flags = C_CTL_NONE | C_ONCE),

	EXT4("precache-extents", op_ioctl, T_ANY_EXT4, FULL, 0,
	     .arg = EXT4_PRECACHE_EXTENTS, .may_lack = no_precache),
	EXT4("clear-extent-cache", op_ioctl, T_ANY_EXT4, FULL, 0,
	     .arg = EXT4_CLEAR_ES_CACHE),
};

void cases_ext4(void)
{
	add_cases(cases, ARRAY_SIZE(cases));
}
