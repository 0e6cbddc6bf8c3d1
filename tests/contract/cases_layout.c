// SPDX-License-Identifier: GPL-2.0-only
/* What a pNFS block layout server does; through a test module, see layout/. */
#include "contract.h"
#include "layout/layout_test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int layout(struct ctx *c, unsigned long cmd)
{
	struct layout_test op = {
		.fd = c->f.fd,
		.offset = c->tc->off,
		.length = c->tc->len,
	};
	int fd = open("/dev/seal-layout-test", O_RDWR | O_CLOEXEC), ret;

	if (fd < 0)
		return -EOPNOTSUPP;
	ret = ret_errno(ioctl(fd, cmd, &op));
	close(fd);
	return ret;
}

static int op_map(struct ctx *c)
{
	return layout(c, LAYOUT_TEST_MAP);
}

static int op_commit(struct ctx *c)
{
	return layout(c, LAYOUT_TEST_COMMIT);
}

static const struct guard guard_map = {
	.xfs = "xfs_fs_map_blocks", .xfs_dax = "xfs_fs_map_blocks",
};
static const struct guard guard_commit = {
	.xfs = "xfs_fs_commit_blocks", .xfs_dax = "xfs_fs_commit_blocks",
};

static const char no_module[] = "tests/contract/layout is not loaded";

static const struct contract_case cases[] = {
	{ .name = "layout-map", .targets = T_ANY_XFS,
	  .layout = "WWWW....WWWWWWWW", .op = op_map, .expect = -ETXTBSY,
	  .off = B(4), .len = B(4), .guard = &guard_map,
	  .may_lack = no_module },
	{ .name = "layout-commit", .targets = T_ANY_XFS,
	  .layout = "WWWWUUUUWWWWWWWW", .op = op_commit, .expect = -ETXTBSY,
	  .off = B(4), .len = B(4), .guard = &guard_commit,
	  .may_lack = no_module },
};

void cases_layout(void)
{
	add_cases(cases, ARRAY_SIZE(cases));
}
