// SPDX-License-Identifier: GPL-2.0-only
/*
 * One case: the control on an unsealed twin, the same on the sealed file, the
 * comparison of what the contract promises, and once more after unsealing.
 */
#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *phase;

static void prepare(struct ctx *c, const struct contract_case *tc,
		    const char *suffix, bool *skipped)
{
	char name[sizeof(tc->name) + 16];
	int ret;

	memset(c, 0, sizeof(*c));
	c->tc = tc;
	c->f.fd = -1;
	c->peer.fd = -1;
	snprintf(name, sizeof(name), "%s.%s", tc->name, suffix);
	ret = file_make(c, &c->f, name, tc->layout, SEED_OLD);
	if (!ret && tc->peer) {
		strcat(name, ".peer");
		ret = file_make(c, &c->peer, name, tc->peer,
				tc->flags & C_PEER_SAME ? SEED_OLD : SEED_NEW);
	}
	*skipped = ret == OP_SKIP;
}

static int before(struct ctx *c)
{
	int ret = c->tc->before ? c->tc->before(c) : 0;

	if (ret && ret != OP_SKIP)
		die("%s: preparing: %s %s", phase, result_name(ret), c->why);
	return ret;
}

static bool is_refusal(int expect)
{
	return expect < 0 && expect != EITHER;
}

/* Old times and set-id bits, which any change that gets through renews, drops. */
static void age(struct ctx *c)
{
	bool setid = c->tc->expect && !(c->tc->flags & C_NO_SETID);
	static const struct timespec times[2] = {
		{ .tv_sec = 1000000000 }, { .tv_sec = 1000000000 },
	};

	if (fchmod(c->f.fd, setid ? 06755 : 0644))
		die("fchmod: %s", strerror(errno));
	if (futimens(c->f.fd, times))
		die("futimens: %s", strerror(errno));
	if (fsync(c->f.fd))
		die("fsync: %s", strerror(errno));
	if (c->tc->flags & C_RDONLY)
		file_reopen(&c->f, O_RDONLY);
}

/* Only what is named as possibly lacking may be missing, and only so. */
static bool lacks(const struct contract_case *tc, int ret)
{
	if (!tc->may_lack)
		return false;
	return ret == -EOPNOTSUPP || ret == -ENOSYS || ret == -ENOTTY ||
	       (ret == -EINVAL && tc->flags & C_LACK_EINVAL);
}

static int finish(struct ctx *c, int ret)
{
	seal_close(c->session);
	c->session = NULL;
	file_close(&c->peer);
	file_close(&c->f);
	return ret;
}

static int control(const struct contract_case *tc, struct ctx *c)
{
	struct snap a, b;
	char why[256] = "";
	bool skipped, changed;
	int ret;

	phase = "control";
	prepare(c, tc, "control", &skipped);
	if (skipped || before(c))
		return finish(c, OP_SKIP);
	age(c);
	snap_take(c, &c->f, &a);
	ret = tc->op(c);
	if (ret == OP_SKIP)
		return finish(c, ret);
	if (lacks(tc, ret)) {
		ret = skip(c, "%s: %s", tc->may_lack, result_name(ret));
		return finish(c, ret);
	}
	if (ret && !(ret == -EAGAIN && tc->flags & C_CTL_AGAIN))
		die("control: unsealed it fails with %s %s", result_name(ret),
		    c->why);
	snap_take(c, &c->f, &b);
	changed = snap_differs(&a, &b, SNAP_MAP | SNAP_META, why, sizeof(why));
	/* A write drops set-id bits, which is no change of the map. */
	if (changed && !strncmp(why, "mode", 4))
		changed = false;
	if (!ret && !changed && !(tc->flags & C_CTL_SAME) &&
	    (tc->expect || tc->flags & C_CTL_CHANGES))
		die("control: unsealed it changes nothing");
	snap_free(&a);
	snap_free(&b);
	return finish(c, 0);
}

static void seal_it(struct ctx *c, bool *refused)
{
	struct seal_files report = { 0 };
	int ret;

	*refused = false;
	ret = seal_open(&c->session);
	if (ret)
		die("seal_open: %s", strerror(-ret));
	if (c->tc->flags & C_NO_SEAL)
		return;
	ret = seal_files(c->session, &c->f.fd, 1, 0, c->tc->require, 0,
			 &report);
	if (!ret)
		return;
	if (!(c->tc->flags & C_SEAL_REFUSES) ||
	    (ret != -EOPNOTSUPP && ret != -EBADFD) || !report.reason[0])
		die("seal: %s: %s", strerror(-ret), (char *)report.reason);
	*refused = true;
}

/* Compare what must not have changed. @ret is what the operation said. */
static void judge(struct ctx *c, int ret, const struct snap *a,
		  const struct snap *b)
{
	const struct contract_case *tc = c->tc;
	unsigned int what = SNAP_MAP | SNAP_DIGEST;
	char why[256] = "";

	if (tc->flags & C_SHARING)
		what |= SNAP_SHARING;
	if (ret && !(tc->flags & C_TOUCHED))
		what |= SNAP_META;
	/*
	 * A write fault updates the times before anything that could refuse
	 * it, so this alone is not promised for it.
	 */
	if (what & SNAP_META && ret != OP_SIGBUS && ret != -EFAULT)
		what |= SNAP_TIMES;
	if (snap_differs(a, b, what, why, sizeof(why)))
		die("%s: but %s", result_name(ret), why);
	if (content_differs(&c->f, why, sizeof(why)))
		die("%s: but %s", result_name(ret), why);
	if (is_refusal(tc->expect) && !(tc->flags & (C_NO_COUNT | C_NO_SEAL)) &&
	    b->refused <= a->refused)
		die("the refusal is not counted (%llu)",
		    (unsigned long long)b->refused);
}

static void judge_peer(struct ctx *c, int ret, const struct snap *a,
		       const struct snap *b)
{
	char why[256] = "";

	if (!ret)
		return;
	if (snap_differs(a, b, SNAP_MAP | SNAP_META, why, sizeof(why)))
		die("%s: but the other file's %s", result_name(ret), why);
	if (content_differs(&c->peer, why, sizeof(why)))
		die("%s: but the other file's %s", result_name(ret), why);
}

/* Changes of the sealed map that the tripwires have seen so far. */
static uint64_t tripped(struct ctx *c)
{
	struct seal_status status = { 0 };
	int ret = seal_status(c->session, c->f.fd, &status);

	if (ret)
		die("seal_status: %s", strerror(-ret));
	return status.broken;
}

/* The tripwires must say that a map changed exactly if it did. */
static void judge_tripwires(struct note *note, uint64_t in_call,
			    const struct snap *a, const struct snap *b)
{
	bool moved;

	if (!a->sealed || !b->sealed)
		return;
	moved = snap_moved(a, b, note->moved, sizeof(note->moved));
	note->tripped = in_call;
	note->tripped_late = !in_call && b->broken;
	if (moved && !b->broken)
		die("no tripwire saw %s", note->moved);
	if (!moved && b->broken && !opt.expect_violation)
		die("a tripwire was hit, but the map is the same");
}

static bool as_expected(int ret, int expect)
{
	if (expect == EITHER)
		return !ret || ret == -ETXTBSY;
	return ret == expect;
}

static void again(struct ctx *c)
{
	int ret = seal_unseal(c->session, c->f.fd, 0);

	phase = "unsealed";
	if (ret)
		die("seal_unseal: %s", strerror(-ret));
	if (!is_refusal(c->tc->expect) ||
	    c->tc->flags & (C_ONCE | C_CTL_NONE | C_CTL_AGAIN))
		return;
	ret = c->tc->op(c);
	if (ret)
		die("after unsealing it still fails with %s %s",
		    result_name(ret), c->why);
}

static int sealed(const struct contract_case *tc, struct ctx *c,
		  struct note *note)
{
	struct snap a, b, pa = { 0 }, pb = { 0 };
	/* Long enough for a changed time to differ at any clock granularity. */
	const struct timespec tick = { .tv_nsec = 10000000 };
	bool skipped, refused;
	uint64_t in_call;
	int ret;

	phase = "sealed";
	prepare(c, tc, "sealed", &skipped);
	if (skipped || before(c))
		return finish(c, OP_SKIP);
	age(c);
	seal_it(c, &refused);
	if (refused)
		return finish(c, 0);
	snap_take(c, &c->f, &a);
	if (tc->peer)
		snap_take(c, &c->peer, &pa);
	nanosleep(&tick, NULL);
	note->reached = true;
	ret = tc->op(c);
	if (ret == OP_SKIP)
		return finish(c, ret);
	in_call = tripped(c);
	snap_take(c, &c->f, &b);
	judge_tripwires(note, in_call, &a, &b);
	if (!as_expected(ret, tc->expect))
		die("%s instead of %s %s", result_name(ret),
		    result_name(tc->expect), c->why);
	judge(c, ret, &a, &b);
	if (tc->peer) {
		snap_take(c, &c->peer, &pb);
		judge_peer(c, ret, &pa, &pb);
	}
	again(c);
	snap_free(&a);
	snap_free(&b);
	snap_free(&pa);
	snap_free(&pb);
	return finish(c, 0);
}

/* Soon the case is killed: say where it hangs, and what is blocked. */
static void on_alarm(int sig)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY);

	(void)sig;
	if (write(STDERR_FILENO, "hangs: ", 7) < 0 ||
	    write(STDERR_FILENO, phase, strlen(phase)) < 0 ||
	    write(STDERR_FILENO, "\n", 1) < 0 || write(fd, "w", 1) < 0)
		_exit(1);
	close(fd);
}

void run_case(const struct contract_case *tc, struct note *note)
{
	static struct ctx c;
	const struct sigaction hangs = {
		.sa_handler = on_alarm, .sa_flags = SA_RESTART,
	};
	int ret = 0;

	phase = "start";
	sigaction(SIGALRM, &hangs, NULL);
	alarm(CASE_SECONDS - 20);

	drop_fsetid();
	if (!(tc->flags & C_CTL_NONE))
		ret = control(tc, &c);
	if (!ret && !opt.no_seal)
		ret = sealed(tc, &c, note);
	else if (!ret && tc->flags & C_CTL_NONE)
		ret = skip(&c, "needs the module");
	if (ret == OP_SKIP)
		snprintf(note->skip, sizeof(note->skip), "%s",
			 c.why[0] ? c.why : "no reason given");
	note->done = true;
}
