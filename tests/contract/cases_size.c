// SPDX-License-Identifier: GPL-2.0-only
/* Changes of a file's size. */
#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int op_ftruncate(struct ctx *c)
{
	return ret_errno(ftruncate(c->f.fd, c->tc->off));
}

static int op_truncate(struct ctx *c)
{
	return ret_errno(truncate(c->f.path, c->tc->off));
}

static int op_open_trunc(struct ctx *c)
{
	int fd = open_more(&c->f, c->tc->arg);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* Writes that start at the size need not be data: an empty file, extended. */
static int op_create(struct ctx *c)
{
	int fd = creat(c->f.path, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

#define TRUNCATE(_name, _layout, _size, _expect, ...)			\
	{ .name = "ftruncate-" _name, .targets = T_ANY,			\
	  .layout = _layout, .off = _size, .op = op_ftruncate,		\
	  .expect = _expect, .guard = (_expect) ? &guard_setattr : NULL, \
	  __VA_ARGS__ }

static const struct contract_case cases[] = {
	TRUNCATE("down", "WWWWWWWW", B(3), -ETXTBSY),
	TRUNCATE("up", "WWWWWWWW", B(11), -ETXTBSY),
	TRUNCATE("zero", "WWWWWWWW", 0, -ETXTBSY),
	TRUNCATE("down-within-block", "WWWW", B(4) - 1, -ETXTBSY),
	TRUNCATE("up-within-block", "WWWh", B(4) - 1, -ETXTBSY),
	TRUNCATE("down-in-hole", "WWWW....", B(6), -ETXTBSY),
	TRUNCATE("up-allocated", "WWWW|UUUU", B(6), -ETXTBSY),
	TRUNCATE("same", "WWWWWWWW", B(8), 0),
	TRUNCATE("same-tail", "WWWh", B(3) + 2048, 0),
	TRUNCATE("same-empty", "", 0, 0),
	/* Unsealed this frees what is allocated beyond the end. */
	{ .name = "ftruncate-same-allocated-beyond", .targets = T_ANY,
	  .layout = "WWWW|UUUU", .off = B(4), .op = op_ftruncate,
	  .guard = &guard_setattr, .flags = C_CTL_CHANGES },
	{ .name = "truncate-down", .targets = T_ANY, .layout = "WWWWWWWW",
	  .off = B(3), .op = op_truncate, .expect = -ETXTBSY,
	  .guard = &guard_setattr },
	{ .name = "truncate-up", .targets = T_ANY, .layout = "WWWWWWWW",
	  .off = B(30), .op = op_truncate, .expect = -ETXTBSY,
	  .guard = &guard_setattr },
	{ .name = "truncate-same", .targets = T_ANY, .layout = "WWWWWWWW",
	  .off = B(8), .op = op_truncate },
	{ .name = "open-trunc", .targets = T_ANY, .layout = "WWWWWWWW",
	  .arg = O_WRONLY | O_TRUNC, .op = op_open_trunc, .expect = -ETXTBSY,
	  .guard = &guard_setattr },
	{ .name = "open-trunc-direct", .targets = T_ANY, .layout = "WWWWWWWW",
	  .arg = O_RDWR | O_TRUNC | O_DIRECT, .op = op_open_trunc,
	  .expect = -ETXTBSY, .guard = &guard_setattr },
	{ .name = "open-trunc-empty", .targets = T_ANY, .layout = "",
	  .arg = O_WRONLY | O_TRUNC, .op = op_open_trunc },
	{ .name = "open-trunc-hole", .targets = T_ANY, .layout = "....",
	  .arg = O_WRONLY | O_TRUNC, .op = op_open_trunc, .expect = -ETXTBSY,
	  .guard = &guard_setattr },
	{ .name = "creat", .targets = T_ANY, .layout = "WWWWWWWW",
	  .op = op_create, .expect = -ETXTBSY, .guard = &guard_setattr },
};

void cases_size(void)
{
	add_cases(cases, ARRAY_SIZE(cases));
}
