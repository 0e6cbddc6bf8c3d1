// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requirements that are not met: SEAL says which range, changes nothing and
 * seals nothing, however many files it was given.
 */
#include "contract.h"

#include <errno.h>
#include <string.h>

struct unmet {
	uint64_t off, len;
	uint64_t max_extents;
	uint32_t state;
	bool second;	/* the second file of two is the one */
};

static bool is_sealed(struct ctx *c, const struct file *f)
{
	struct seal_status status = { 0 };
	int ret = seal_status(c->session, f->fd, &status);

	if (ret)
		die("seal_status: %s", strerror(-ret));
	return status.flags & SEAL_STATUS_SEALED;
}

static int op_seal(struct ctx *c)
{
	const struct contract_case *tc = c->tc;
	const struct unmet *u = tc->data;
	struct seal_files report = { 0 };
	int fds[2] = { c->f.fd, c->peer.fd };
	uint32_t require = tc->arg;
	int ret;

	if (u->second) {
		fds[0] = c->peer.fd;
		fds[1] = c->f.fd;
	}
	ret = seal_files(c->session, fds, u->second ? 2 : 1, 0, require,
			 u->max_extents, &report);
	if (ret != -EBADFD)
		return ret;
	if (is_sealed(c, &c->f) || (u->second && is_sealed(c, &c->peer)))
		die("a file is sealed all the same");
	if (report.bad_index != u->second)
		die("bad_index is %u", report.bad_index);
	if (report.bad_require & ~require || !report.bad_require)
		die("bad_require is %x", report.bad_require);
	if (!report.reason[0])
		die("there is no reason");
	if (u->state && report.bad_state != u->state)
		die("bad_state is %s, not %s",
		    seal_range_state_name(report.bad_state),
		    seal_range_state_name(u->state));
	if (u->state && (report.bad_offset != u->off ||
			 report.bad_length != u->len))
		die("the range is %llu+%llu, not %llu+%llu",
		    (unsigned long long)report.bad_offset,
		    (unsigned long long)report.bad_length,
		    (unsigned long long)u->off, (unsigned long long)u->len);
	return ret;
}

static const struct unmet hole = { B(4), B(4), 0, SEAL_RANGE_HOLE, false };
static const struct unmet hole_second = { B(4), B(4), 0, SEAL_RANGE_HOLE, true };
static const struct unmet tail_hole = { B(4), B(2), 0, SEAL_RANGE_HOLE, false };
static const struct unmet unwritten = { B(4), B(4), 0, SEAL_RANGE_UNWRITTEN, false };
static const struct unmet shared = { B(4), B(4), 0, SEAL_RANGE_SHARED, false };
static const struct unmet extents = { 0, 0, 2, 0, false };

/* There is no unsealed way to be refused a seal, so there is no control. */
#define REQUIRE(_name, _layout, _require, _unmet, ...)			\
	{ .name = "require-" _name, .targets = T_ANY, .layout = _layout, \
	  .op = op_seal, .arg = _require, .data = _unmet,		\
	  .expect = -EBADFD,						\
	  .flags = C_CTL_NONE | C_NO_SEAL, __VA_ARGS__ }

static const struct contract_case cases[] = {
	REQUIRE("allocated-hole", "WWWW....WWWW", SEAL_REQ_ALLOCATED, &hole),
	REQUIRE("allocated-tail", "WWWW..", SEAL_REQ_ALLOCATED, &tail_hole),
	REQUIRE("written-unwritten", "WWWWUUUUWWWW", SEAL_REQ_WRITTEN,
		&unwritten),
	REQUIRE("unshared-shared", "WWWWSSSSWWWW", SEAL_REQ_UNSHARED, &shared),
	REQUIRE("extents", "FF..FF..FF..FF", SEAL_REQ_EXTENTS, &extents),
	REQUIRE("all-hole", "WWWW....WWWW",
		SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN | SEAL_REQ_UNSHARED,
		&hole),
	REQUIRE("two-files-second", "WWWW....WWWW", SEAL_REQ_ALLOCATED,
		&hole_second, .peer = "WWWWWWWW"),
};

void cases_require(void)
{
	add_cases(cases, ARRAY_SIZE(cases));
}
