// SPDX-License-Identifier: GPL-2.0-only
/* Sharing blocks between files, into a sealed file and from it. */
#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int clone_range(int src, int dst, uint64_t off, uint64_t len)
{
	struct file_clone_range range = {
		.src_fd = src,
		.src_offset = off,
		.src_length = len,
		.dest_offset = off,
	};

	return ret_errno(ioctl(dst, FICLONERANGE, &range));
}

static int dedupe_range(int src, int dst, uint64_t off, uint64_t len)
{
	struct file_dedupe_range *range;
	int ret;

	range = calloc(1, sizeof(*range) + sizeof(range->info[0]));
	if (!range)
		die("no memory");
	range->src_offset = off;
	range->src_length = len;
	range->dest_count = 1;
	range->info[0].dest_fd = dst;
	range->info[0].dest_offset = off;
	ret = ret_errno(ioctl(src, FIDEDUPERANGE, range));
	if (!ret && range->info[0].status)
		ret = range->info[0].status < 0 ? range->info[0].status :
						  -EUCLEAN;
	free(range);
	return ret;
}

static int copy_range(int src, int dst, uint64_t off, uint64_t len)
{
	loff_t in = off, out = off;
	ssize_t n = copy_file_range(src, &in, dst, &out, len, 0);

	if (n >= 0 && (size_t)n != len)
		die("copy_file_range: %zd of %zu bytes", n, (size_t)len);
	return ret_errno(n);
}

static int op_clone_into(struct ctx *c)
{
	return ret_errno(ioctl(c->f.fd, FICLONE, c->peer.fd));
}

static int op_clone_range_into(struct ctx *c)
{
	return clone_range(c->peer.fd, c->f.fd, c->tc->off, c->tc->len);
}

static int op_dedupe_into(struct ctx *c)
{
	return dedupe_range(c->peer.fd, c->f.fd, c->tc->off, c->tc->len);
}

static int op_copy_into(struct ctx *c)
{
	int ret = copy_range(c->peer.fd, c->f.fd, c->tc->off, c->tc->len);
	void *buf = new_data(c->tc->off, c->tc->len);

	if (!ret)
		wrote(&c->f, buf, c->tc->len, c->tc->off);
	free(buf);
	return ret;
}

static int op_clone_from(struct ctx *c)
{
	return ret_errno(ioctl(c->peer.fd, FICLONE, c->f.fd));
}

static int op_clone_range_from(struct ctx *c)
{
	return clone_range(c->f.fd, c->peer.fd, c->tc->off, c->tc->len);
}

static int op_dedupe_from(struct ctx *c)
{
	return dedupe_range(c->f.fd, c->peer.fd, c->tc->off, c->tc->len);
}

static int op_copy_from(struct ctx *c)
{
	return copy_range(c->f.fd, c->peer.fd, c->tc->off, c->tc->len);
}

/* Within one file, source and destination are both sealed. */
static int op_clone_within(struct ctx *c)
{
	struct file_clone_range range = {
		.src_fd = c->f.fd,
		.src_offset = 0,
		.src_length = c->tc->len,
		.dest_offset = c->tc->off,
	};

	return ret_errno(ioctl(c->f.fd, FICLONERANGE, &range));
}

#define FULL "WWWWWWWWWWWW"
#define HOLE "WWWW....WWWW"
#define SHARED "WWWWSSSSWWWW"

static const char no_reflink[] = "no reflink";

#define CLONE(_name, _op, _layout, _off, _len, _expect, ...)		\
	{ .name = _name, .targets = T_REFLINK, .layout = _layout,	\
	  .peer = FULL, .off = _off, .len = _len, .op = _op,		\
	  .expect = _expect, .guard = (_expect) ? &guard_remap : NULL,	\
	  .may_lack = no_reflink, __VA_ARGS__ }

static const struct contract_case cases[] = {
	CLONE("clone-into", op_clone_into, FULL, 0, 0, -ETXTBSY),
	CLONE("clone-into-hole", op_clone_range_into, HOLE, B(5), B(1),
	      -ETXTBSY),
	CLONE("clone-into-inplace", op_clone_range_into, HOLE, B(1), B(2),
	      -ETXTBSY),
	CLONE("clone-into-beyond-eof", op_clone_range_into, "WWWW", B(8), B(2),
	      -ETXTBSY),
	CLONE("clone-into-shared", op_clone_range_into, SHARED, B(5), B(2),
	      -ETXTBSY),
	CLONE("clone-within", op_clone_within, FULL, B(8), B(2), -ETXTBSY),
	CLONE("dedupe-into", op_dedupe_into, FULL, B(2), B(4), -ETXTBSY,
	      .flags = C_PEER_SAME),
	/* Unsealed it shares; a sealed file gets the bytes in its own blocks. */
	CLONE("copy-into", op_copy_into, FULL, B(2), B(4), 0),
	CLONE("copy-into-whole", op_copy_into, FULL, 0, B(12), 0),

	CLONE("clone-from", op_clone_from, FULL, 0, 0, -ETXTBSY),
	CLONE("clone-from-range", op_clone_range_from, HOLE, B(2), B(2),
	      -ETXTBSY),
	CLONE("clone-from-with-hole", op_clone_range_from, HOLE, B(2), B(4),
	      -ETXTBSY),
	CLONE("dedupe-from", op_dedupe_from, FULL, B(2), B(4), -ETXTBSY,
	      .flags = C_PEER_SAME),
	CLONE("copy-from", op_copy_from, FULL, B(2), B(4), 0),
	/*
	 * An inode with the reflink flag has no block that could be written in
	 * place, so sharing more of them takes nothing away.
	 */
	CLONE("clone-from-shared", op_clone_from, SHARED, 0, 0, 0,
	      .flags = C_SHARING),
	CLONE("dedupe-from-shared", op_dedupe_from, SHARED, B(1), B(6), 0,
	      .flags = C_SHARING | C_PEER_SAME),
};

void cases_clone(void)
{
	add_cases(cases, ARRAY_SIZE(cases));
}
