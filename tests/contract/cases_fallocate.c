// SPDX-License-Identifier: GPL-2.0-only
/*
 * fallocate in every mode, and what reaches it by other ways: old
 * preallocation ioctls and a loop device on the file, which calls the
 * filesystem without passing the VFS.
 */
#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef FALLOC_FL_WRITE_ZEROES
#define FALLOC_FL_WRITE_ZEROES 0x80
#endif

#define FS_IOC_RESVSP64 _IOW('X', 42, struct space_resv)
#define FS_IOC_UNRESVSP64 _IOW('X', 43, struct space_resv)
#define FS_IOC_ZERO_SPACE _IOW('X', 57, struct space_resv)

struct space_resv {
	int16_t l_type, l_whence;
	int64_t l_start, l_len;
	int32_t l_sysid;
	uint32_t l_pid;
	int32_t l_pad[4];
};

static int op_fallocate(struct ctx *c)
{
	return ret_errno(fallocate(c->f.fd, c->tc->arg, c->tc->off,
				   c->tc->len));
}

static int op_space_ioctl(struct ctx *c)
{
	struct space_resv arg = {
		.l_start = c->tc->off,
		.l_len = c->tc->len,
	};

	return ret_errno(ioctl(c->f.fd, c->tc->arg, &arg));
}

/* A loop device on the file; it goes away with the descriptor. */
static int loop_open(struct ctx *c)
{
	struct loop_config config = {
		.fd = c->f.fd,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR,
	};
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	char path[32];
	int fd, nr;

	if (control < 0)
		return skip(c, "/dev/loop-control: %s", strerror(errno));
	nr = ioctl(control, LOOP_CTL_GET_FREE);
	close(control);
	if (nr < 0)
		die("LOOP_CTL_GET_FREE: %s", strerror(errno));
	snprintf(path, sizeof(path), "/dev/loop%d", nr);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	if (ioctl(fd, LOOP_CONFIGURE, &config))
		die("%s: LOOP_CONFIGURE: %s", path, strerror(errno));
	return fd;
}

/* The block layer has no word for "text file busy". */
static int loop_result(int ret)
{
	return ret == -EIO ? -ETXTBSY : ret;
}

static int op_loop_ioctl(struct ctx *c)
{
	uint64_t range[2] = { c->tc->off, c->tc->len };
	int fd = loop_open(c);
	int ret;

	if (fd < 0)
		return fd;
	ret = ret_errno(ioctl(fd, c->tc->arg, range));
	if (!ret && (unsigned long)c->tc->arg == BLKZEROOUT) {
		void *zeros = calloc(1, c->tc->len);

		if (!zeros)
			die("no memory");
		wrote(&c->f, zeros, c->tc->len, c->tc->off);
		free(zeros);
	}
	close(fd);
	return loop_result(ret);
}

static int op_loop_write(struct ctx *c)
{
	void *buf = new_data(c->tc->off, c->tc->len);
	int fd = loop_open(c);
	ssize_t n;
	int ret;

	if (fd < 0)
		return fd;
	n = pwrite(fd, buf, c->tc->len, c->tc->off);
	ret = n == (ssize_t)c->tc->len ? ret_errno(fsync(fd)) : -errno;
	if (!ret)
		wrote(&c->f, buf, c->tc->len, c->tc->off);
	close(fd);
	free(buf);
	return loop_result(ret);
}

/*
 * What QEMU and others do with blocks that are not needed any more: to free them,
 * and if that is not supported to write zeros, which works in place.
 */
static int op_zero(struct ctx *c)
{
	void *zeros = calloc(1, c->tc->len);
	int ret = op_fallocate(c);

	if (!zeros)
		die("no memory");
	if (ret == -EOPNOTSUPP)
		ret = pwrite(c->f.fd, zeros, c->tc->len, c->tc->off) ==
		      (ssize_t)c->tc->len ? 0 : -errno;
	if (!ret)
		wrote(&c->f, zeros, c->tc->len, c->tc->off);
	free(zeros);
	return ret;
}

static const char no_falloc[] = "no fallocate of this mode";
static const char no_ioctl[] = "no such ioctl";
static const char no_discard[] = "the loop device has no discard";

#define FULL "WWWWWWWWWWWW"
#define HOLE "WWWW....WWWW"
#define KEEP FALLOC_FL_KEEP_SIZE

#define FALLOC_ON(_targets, _expect, _name, _layout, _mode, _off, _len, ...) \
	{ .name = "fallocate-" _name, .targets = _targets,		\
	  .layout = _layout, .arg = _mode, .off = _off, .len = _len,	\
	  .op = op_fallocate, .expect = _expect,				\
	  .guard = &guard_fallocate, .may_lack = no_falloc, __VA_ARGS__ }
#define FALLOC(...) FALLOC_ON(T_UNWRITTEN, -ETXTBSY, __VA_ARGS__)
/* For these there is another way, see op_zero(). */
#define ZERO(...) FALLOC_ON(T_UNWRITTEN, -EOPNOTSUPP, __VA_ARGS__)
#define PUNCH(...) FALLOC_ON(T_ANY, -EOPNOTSUPP, __VA_ARGS__)
/* There is nothing to do; no gate is asked. */
#define NO_FALLOC(_name, _layout, _mode, _off, _len)			\
	{ .name = "fallocate-" _name, .targets = T_UNWRITTEN,		\
	  .layout = _layout, .arg = _mode, .off = _off, .len = _len,	\
	  .op = op_fallocate }

static const struct contract_case cases[] = {
	FALLOC("hole", HOLE, 0, B(5), B(1)),
	FALLOC("beyond-eof", FULL, 0, B(10), B(4)),
	FALLOC("keep-size", FULL, KEEP, B(12), B(4)),
	NO_FALLOC("nothing-to-do", FULL, 0, B(2), B(2)),
	NO_FALLOC("nothing-to-do-keep-size", FULL, KEEP, B(2), B(2)),
	NO_FALLOC("nothing-to-do-bytes", FULL, 0, B(2) + 100, 200),
	NO_FALLOC("nothing-to-do-all", FULL, 0, 0, B(12)),
	NO_FALLOC("nothing-to-do-up-to-eof", "WWWh", 0, 0, B(3) + 2048),
	NO_FALLOC("nothing-to-do-beside-hole", HOLE, 0, B(8), B(4)),
	FALLOC("into-hole", HOLE, 0, B(3), B(2)),
	FALLOC("out-of-hole", HOLE, KEEP, B(7), B(2)),
	FALLOC("unwritten", "WWUU", 0, B(2), B(1), .flags = C_CTL_SAME),
	FALLOC("over-eof", "WWWh", 0, 0, B(3) + 2049),
	FALLOC("keep-size-over-eof", "WWWh", KEEP, 0, B(5)),
	FALLOC("allocated-beyond-eof", "WWWW|UUUU", KEEP, B(4), B(4),
	       .flags = C_CTL_SAME),
	PUNCH("punch", FULL, FALLOC_FL_PUNCH_HOLE | KEEP, B(2), B(2)),
	PUNCH("punch-all", FULL, FALLOC_FL_PUNCH_HOLE | KEEP, 0, B(12)),
	PUNCH("punch-bytes", FULL, FALLOC_FL_PUNCH_HOLE | KEEP,
	       B(2) + 100, 200, .flags = C_CTL_SAME | C_ONCE),
	PUNCH("punch-hole", HOLE, FALLOC_FL_PUNCH_HOLE | KEEP, B(4), B(4),
	       .flags = C_CTL_SAME),
	FALLOC_ON(T_ANY_XFS, -EOPNOTSUPP, "punch-beyond", "WWWW|UUUU",
		  FALLOC_FL_PUNCH_HOLE | KEEP, B(4), B(4)),
	ZERO("zero", FULL, FALLOC_FL_ZERO_RANGE, B(2), B(2)),
	ZERO("zero-keep-size", FULL, FALLOC_FL_ZERO_RANGE | KEEP,
	       B(2), B(2)),
	ZERO("zero-beyond-eof", FULL, FALLOC_FL_ZERO_RANGE, B(10), B(4)),
	FALLOC("collapse", FULL, FALLOC_FL_COLLAPSE_RANGE, B(2), B(2)),
	FALLOC("insert", FULL, FALLOC_FL_INSERT_RANGE, B(2), B(2)),
	FALLOC("unshare", "WWWWSSSSWWWW", FALLOC_FL_UNSHARE_RANGE, 0, B(12)),
	FALLOC_ON(T_REFLINK, -ETXTBSY, "unshare-private", FULL,
		  FALLOC_FL_UNSHARE_RANGE, 0, B(12), .flags = C_CTL_SAME),
	ZERO("write-zeroes", FULL, FALLOC_FL_WRITE_ZEROES, B(2), B(2)),

	{ .name = "ioctl-resvsp", .targets = T_UNWRITTEN, .layout = HOLE,
	  .arg = FS_IOC_RESVSP64, .off = B(5), .len = B(1),
	  .op = op_space_ioctl, .expect = -ETXTBSY, .guard = &guard_fallocate,
	  .may_lack = no_ioctl },
	{ .name = "ioctl-unresvsp", .targets = T_ANY, .layout = FULL,
	  .arg = FS_IOC_UNRESVSP64, .off = B(5), .len = B(1),
	  .op = op_space_ioctl, .expect = -EOPNOTSUPP, .guard = &guard_fallocate,
	  .may_lack = no_ioctl },
	{ .name = "ioctl-zero-range", .targets = T_UNWRITTEN, .layout = FULL,
	  .arg = FS_IOC_ZERO_SPACE, .off = B(5), .len = B(1),
	  .op = op_space_ioctl, .expect = -EOPNOTSUPP, .guard = &guard_fallocate,
	  .may_lack = no_ioctl },

	/* What a discard finds not to be supported is no error of it. */
	{ .name = "loop-discard", .targets = T_ANY, .layout = FULL,
	  .arg = BLKDISCARD, .off = B(2), .len = B(2), .op = op_loop_ioctl,
	  .guard = &guard_fallocate, .flags = C_CTL_CHANGES,
	  .may_lack = no_discard },
	/* The block layer then writes zeros, in place. */
	{ .name = "loop-zeroout", .targets = T_UNWRITTEN, .layout = FULL,
	  .arg = BLKZEROOUT, .off = B(2), .len = B(2), .op = op_loop_ioctl,
	  .guard = &guard_fallocate, .flags = C_CTL_CHANGES },
	/* Without unwritten blocks it writes zeros, sealed or not. */
	{ .name = "loop-zeroout-ind", .targets = T_EXT4_IND, .layout = FULL,
	  .arg = BLKZEROOUT, .off = B(2), .len = B(2), .op = op_loop_ioctl },
	{ .name = "punch-or-write-zeros", .targets = T_ANY, .layout = FULL,
	  .arg = FALLOC_FL_PUNCH_HOLE | KEEP, .off = B(2), .len = B(2),
	  .op = op_zero, .guard = &guard_fallocate, .flags = C_CTL_CHANGES },
	{ .name = "zero-range-or-write-zeros", .targets = T_UNWRITTEN,
	  .layout = FULL, .arg = FALLOC_FL_ZERO_RANGE, .off = B(2), .len = B(2),
	  .op = op_zero, .guard = &guard_fallocate, .flags = C_CTL_CHANGES },
	{ .name = "loop-write-inplace", .targets = T_ANY, .layout = FULL,
	  .off = B(2), .len = B(2), .op = op_loop_write },
	{ .name = "loop-write-hole", .targets = T_ANY, .layout = HOLE,
	  .off = B(4), .len = B(2), .op = op_loop_write, .expect = -ETXTBSY,
	  .guard = &guard_write },
};

void cases_fallocate(void)
{
	add_cases(cases, ARRAY_SIZE(cases));
}
