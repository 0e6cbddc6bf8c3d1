// SPDX-License-Identifier: GPL-2.0-only
/* Small things the cases share: failing, skipping, faults, capabilities. */
#include "contract.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void die(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ck_abort_msg("%s", text);
	_exit(1);	/* not reached, check does not say so */
}

int skip(struct ctx *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	return OP_SKIP;
}

int ret_errno(long ret)
{
	return ret < 0 ? -errno : 0;
}

const char *result_name(int result)
{
	static char text[2][64];
	static int turn;

	switch (result) {
	case OP_SIGBUS:
		return "SIGBUS";
	case OP_SKIP:
		return "skipped";
	case EITHER:
		return "success or ETXTBSY";
	case 0:
		return "success";
	}
	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]), "%s (%d)",
		 strerrorname_np(-result) ? strerrorname_np(-result) : "?",
		 -result);
	return text[turn];
}

/*
 * A writer without CAP_FSETID loses the set-id bits of a file with the first
 * write that gets that far, so a refusal that comes too late shows.
 */
void drop_fsetid(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		die("capget: %s", strerror(errno));
	data[0].effective &= ~(1U << CAP_FSETID);
	if (syscall(SYS_capset, &head, data))
		die("capset: %s", strerror(errno));
}

static sigjmp_buf fault_jump;

static void on_fault(int sig)
{
	siglongjmp(fault_jump, sig);
}

int catch_fault(void (*fn)(void *arg), void *arg)
{
	struct sigaction sa = { .sa_handler = on_fault }, old;
	int sig;

	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, &old);
	sig = sigsetjmp(fault_jump, 1);
	if (!sig)
		fn(arg);
	sigaction(SIGBUS, &old, NULL);
	return sig ? OP_SIGBUS : 0;
}

int open_more(const struct file *f, int flags)
{
	int fd = open(f->path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}
