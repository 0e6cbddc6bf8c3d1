// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes: every way to write (methods) times every place to write to.
 * Asynchronous methods are in cases_async.c.
 */
#include "writes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

static ssize_t by_pwrite(struct ctx *c, void *buf, size_t len, off_t off)
{
	return pwrite(c->f.fd, buf, len, off);
}

static ssize_t by_write(struct ctx *c, void *buf, size_t len, off_t off)
{
	if (lseek(c->f.fd, off, SEEK_SET) != off)
		return -1;
	return write(c->f.fd, buf, len);
}

static ssize_t by_pwritev(struct ctx *c, void *buf, size_t len, off_t off)
{
	size_t third = len / 3;
	struct iovec iov[3] = {
		{ buf, third },
		{ (char *)buf + third, third },
		{ (char *)buf + 2 * third, len - 2 * third },
	};

	return pwritev(c->f.fd, iov, 3, off);
}

static ssize_t through(struct ctx *c, int flags, void *buf, size_t len,
		       off_t off)
{
	int fd = open_more(&c->f, O_WRONLY | flags);
	ssize_t ret;

	if (fd < 0)
		die("%s: open: %s", c->f.path, strerror(-fd));
	ret = pwrite(fd, buf, len, off);
	if (ret < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static ssize_t by_append(struct ctx *c, void *buf, size_t len, off_t off)
{
	return through(c, O_APPEND, buf, len, off);
}

static ssize_t by_direct(struct ctx *c, void *buf, size_t len, off_t off)
{
	return through(c, O_DIRECT, buf, len, off);
}

static ssize_t by_dsync(struct ctx *c, void *buf, size_t len, off_t off)
{
	return through(c, O_DSYNC, buf, len, off);
}

static ssize_t with_flags(struct ctx *c, int fd, int flags, void *buf,
			  size_t len, off_t off)
{
	struct iovec iov = { buf, len };
	ssize_t ret = pwritev2(fd, &iov, 1, off, flags);

	/*
	 * EAGAIN is a proper answer of a write that must not wait: for the
	 * times to be updated, for one. Where nothing has to be allocated, a
	 * waiting write of the same clears the way.
	 */
	if (ret < 0 && errno == EAGAIN && !c->tc->expect) {
		pwrite(fd, buf, len, off);
		ret = pwritev2(fd, &iov, 1, off, flags);
		if (ret < 0 && errno == EAGAIN)
			return skip(c, "RWF_NOWAIT never gets through here");
	}
	return ret;
}

static ssize_t by_rwf_dsync(struct ctx *c, void *buf, size_t len, off_t off)
{
	return with_flags(c, c->f.fd, RWF_DSYNC, buf, len, off);
}

static ssize_t by_rwf_nowait(struct ctx *c, void *buf, size_t len, off_t off)
{
	return with_flags(c, c->f.fd, RWF_NOWAIT, buf, len, off);
}

static ssize_t by_rwf_append(struct ctx *c, void *buf, size_t len, off_t off)
{
	return with_flags(c, c->f.fd, RWF_APPEND, buf, len, off);
}

static ssize_t by_direct_nowait(struct ctx *c, void *buf, size_t len, off_t off)
{
	int fd = open_more(&c->f, O_RDWR | O_DIRECT);
	ssize_t ret;

	if (fd < 0)
		die("%s: open: %s", c->f.path, strerror(-fd));
	ret = with_flags(c, fd, RWF_NOWAIT, buf, len, off);
	if (ret == -1)
		ret = -errno;
	close(fd);
	return ret;
}

static ssize_t from_pipe(struct ctx *c, int *fds, size_t len, off_t off)
{
	loff_t pos = off;
	ssize_t ret = splice(fds[0], NULL, c->f.fd, &pos, len, 0);

	if (ret < 0)
		ret = -errno;
	close(fds[0]);
	close(fds[1]);
	return ret;
}

static void make_pipe(int *fds)
{
	if (pipe2(fds, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
}

static ssize_t by_splice(struct ctx *c, void *buf, size_t len, off_t off)
{
	int fds[2];

	make_pipe(fds);
	if (write(fds[1], buf, len) != (ssize_t)len)
		die("filling the pipe: %s", strerror(errno));
	return from_pipe(c, fds, len, off);
}

static ssize_t by_vmsplice(struct ctx *c, void *buf, size_t len, off_t off)
{
	struct iovec iov = { buf, len };
	int fds[2];

	make_pipe(fds);
	if (vmsplice(fds[1], &iov, 1, 0) != (ssize_t)len)
		die("vmsplice: %s", strerror(errno));
	return from_pipe(c, fds, len, off);
}

static ssize_t by_sendfile(struct ctx *c, void *buf, size_t len, off_t off)
{
	off_t pos = off;

	(void)buf;
	if (lseek(c->f.fd, off, SEEK_SET) != off)
		return -1;
	return sendfile(c->f.fd, c->peer.fd, &pos, len);
}

static ssize_t by_copy(struct ctx *c, void *buf, size_t len, off_t off)
{
	loff_t in = off, out = off;

	(void)buf;
	return copy_file_range(c->peer.fd, &in, c->f.fd, &out, len, 0);
}

static const char nowait_lacks[] = "no RWF_NOWAIT for buffered writes";

static const struct method methods[] = {
	{ "pwrite", by_pwrite, 0, NULL },
	{ "write", by_write, 0, NULL },
	{ "pwritev", by_pwritev, 0, NULL },
	{ "dsync", by_dsync, 0, NULL },
	{ "direct", by_direct, M_DIRECT, NULL },
	{ "direct-unaligned", by_direct, M_UNALIGNED, NULL },
	{ "rwf-dsync", by_rwf_dsync, 0, NULL },
	{ "rwf-nowait", by_rwf_nowait, M_NOWAIT, nowait_lacks },
	{ "direct-nowait", by_direct_nowait, M_DIRECT | M_NOWAIT, NULL },
	{ "splice", by_splice, 0, NULL },
	{ "vmsplice", by_vmsplice, 0, NULL },
	{ "sendfile", by_sendfile, M_PEER, NULL },
	{ "copy-file-range", by_copy, M_PEER, NULL },
	{ "append", by_append, M_APPEND, NULL },
	{ "rwf-append", by_rwf_append, M_APPEND, NULL },
};

/* Places every method is tried on. */
static const struct place places[] = {
	{ "inplace", "WWWWWWWWWWWW", B(2), B(2), 0, P_ALL },
	{ "hole", "WWWW....WWWW", B(5), B(1), -ETXTBSY, P_ALL },
	{ "unwritten", "WWWWUUUUWWWW", B(5), B(1), -ETXTBSY, P_ALL },
	{ "shared", "WWWWSSSSWWWW", B(5), B(1), -ETXTBSY, P_ALL },
	{ "into-hole", "WWWW....WWWW", B(3), B(2), -ETXTBSY, P_ALL },
	{ "out-of-hole", "WWWW....WWWW", B(7), B(2), -ETXTBSY, P_ALL },
	{ "across-eof", "WWWWWWWW", B(7), B(2), -ETXTBSY, P_ALL },
	{ "beyond-eof", "WWWWWWWW", B(10), B(1), -ETXTBSY, P_ALL },
	{ "at-eof", "WWWWWWWW", B(8), B(1), -ETXTBSY, P_ALL | P_APPEND },

	{ "inplace-whole", "WWWWWWWWWWWW", 0, B(12), 0, P_SOME },
	{ "inplace-up-to-hole", "WWWW....WWWW", B(3), B(1), 0, P_SOME },
	{ "inplace-fragmented", "FFFFFFFF", B(1), B(6), 0, P_SOME },
	{ "into-unwritten", "WWWWUUUUWWWW", B(3), B(2), -ETXTBSY, P_SOME },
	{ "out-of-unwritten", "WWWWUUUUWWWW", B(7), B(2), -ETXTBSY, P_SOME },
	{ "into-shared", "WWWWSSSSWWWW", B(3), B(2), -ETXTBSY, P_SOME },
	{ "over-hole", "WWWW....WWWW", B(2), B(8), -ETXTBSY, P_SOME },
	{ "over-all", "WW.WUUWWFF", 0, B(10), -ETXTBSY, P_SOME },
	{ "at-eof-allocated", "WWWWWWWW|UUUU", B(8), B(1), -ETXTBSY, P_SOME },
	{ "empty", "", 0, B(1), -ETXTBSY, P_SOME },
	{ "only-hole", "....", B(1), B(1), -ETXTBSY, P_SOME },
	{ "extsize-inplace", "e:WWWWWWWWWWWWWWWW................",
	  B(2), B(2), 0, P_SOME },
	{ "extsize-hole", "e:WWWWWWWWWWWWWWWW................",
	  B(20), B(1), -ETXTBSY, P_SOME },

	{ "inplace-bytes", "WWWWWWWW", B(1) + 100, 50, 0, P_BYTES },
	{ "inplace-tail", "WWWh", B(3) + 1000, 1048, 0, P_BYTES },
	{ "over-tail", "WWWh", B(3) + 2000, 1000, -ETXTBSY, P_BYTES },
	{ "hole-byte", "WWWW....WWWW", B(5) + 7, 1, -ETXTBSY, P_BYTES },
	{ "into-hole-byte", "WWWW....WWWW", B(4) - 100, 101, -ETXTBSY, P_BYTES },
};

/*
 * An inode with XFS's reflink flag has no in-place range at all: its private
 * blocks may move too, though they need not.
 */
static const struct place strict[] = {
	{ "private-of-shared", "WWWWSSSSWWWW", B(1), B(1), -ETXTBSY, P_ALL },
};

int op_write(struct ctx *c)
{
	const struct contract_case *tc = c->tc;
	const struct method *m = (const void *)tc->data;
	void *buf = new_data(tc->off, tc->len);
	ssize_t ret;

	errno = 0;
	ret = m->fn(c, buf, tc->len, tc->off);
	if (ret == -1 && errno)
		ret = -errno;
	if (ret >= 0 && (size_t)ret != tc->len)
		die("short write: %zd of %llu bytes", ret,
		    (unsigned long long)tc->len);
	if (ret >= 0) {
		wrote(&c->f, buf, tc->len, tc->off);
		ret = 0;
	}
	free(buf);
	return ret;
}

static bool all_written(const char *layout)
{
	return *layout && strspn(layout, "WFh") == strlen(layout);
}

static bool fits(const struct method *m, const struct place *p)
{
	if (p->flags & P_APPEND && m->flags & M_APPEND)
		return true;
	if (m->flags & M_APPEND)
		return false;
	if (p->flags & P_BYTES)
		return !(m->flags & (M_DIRECT | M_UNALIGNED | M_PEER)) &&
		       !strcmp(m->name, "pwrite");
	if (p->flags & P_SOME)
		return !strcmp(m->name, "pwrite") || !strcmp(m->name, "direct");
	return true;
}

/*
 * How a call gets to the filesystem does not depend on block size or delayed
 * allocation, so there two methods stand for all.
 */
static unsigned int method_targets(const struct method *m)
{
	if (!strcmp(m->name, "pwrite") || !strcmp(m->name, "direct"))
		return T_ANY;
	return T_ANY & ~(T_SUBPAGE | T_EXT4_NODELALLOC);
}

static void cross(const struct method *m, const struct place *p, unsigned int flags)
{
	struct contract_case *tc = calloc(1, sizeof(*tc));

	if (!tc)
		abort();
	snprintf(tc->name, sizeof(tc->name), "write-%s-%s", p->name, m->name);
	tc->targets = method_targets(m);
	tc->layout = p->layout;
	tc->off = p->off;
	tc->len = p->len;
	if (m->flags & M_UNALIGNED) {
		/* Aligned to sectors, not to blocks, at both ends. */
		tc->off += 512;
		tc->len -= 1024;
	}
	if (m->flags & M_PEER)
		tc->peer = "WWWWWWWWWWWW";
	if (m->flags & M_NOWAIT)
		flags |= C_CTL_AGAIN | C_LACK_EINVAL;
	if (all_written(p->layout))
		tc->require = SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN |
			      SEAL_REQ_UNSHARED;
	tc->op = op_write;
	tc->data = m;
	tc->expect = p->expect;
	tc->guard = p->expect ? &guard_write : NULL;
	tc->flags = flags;
	tc->may_lack = m->may_lack;
	add_cases(tc, 1);
}

void write_matrix(const struct method *m, size_t count)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		for (size_t j = 0; j < count; j++)
			if (fits(&m[j], &places[i]))
				cross(&m[j], &places[i], 0);
	for (size_t i = 0; i < ARRAY_SIZE(strict); i++)
		for (size_t j = 0; j < count; j++)
			if (fits(&m[j], &strict[i]))
				cross(&m[j], &strict[i], C_CTL_SAME);
}

/* Nothing to write is no change wherever it is. */
static int op_write_nothing(struct ctx *c)
{
	return ret_errno(pwrite(c->f.fd, "", 0, c->tc->off));
}

static const struct contract_case cases[] = {
	{ .name = "write-nothing-hole", .targets = T_ANY,
	  .layout = "WW..WW", .off = B(2), .op = op_write_nothing },
	{ .name = "write-nothing-beyond-eof", .targets = T_ANY,
	  .layout = "WWWW", .off = B(9), .op = op_write_nothing },
};

void cases_write(void)
{
	write_matrix(methods, ARRAY_SIZE(methods));
	add_cases(cases, ARRAY_SIZE(cases));
}
