// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include "fuse.h"
#include "sealtest.h"
#include "stuck.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LENGTH	(1 << 20)

static int open_own(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		_exit(2);
	return fd;
}

/* A page that nobody ever provides: whoever touches it sleeps, and can be killed. */
static void *missing_page(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (uffd < 0 || page == MAP_FAILED || ioctl(uffd, UFFDIO_API, &api))
		_exit(3);
	reg.range.start = (unsigned long)page;
	reg.range.len = 4096;
	if (ioctl(uffd, UFFDIO_REGISTER, &reg))
		_exit(4);
	return page;
}

/*
 * The cache is filled from a page that does not come, with i_rwsem and write access
 * held. The first byte is there, so that the page is not asked for too early.
 */
static void write_from(const char *path, void *page)
{
	struct { const void *base; size_t length; } iov[2];
	char byte = 'x';

	iov[0].base = &byte;
	iov[0].length = 1;
	iov[1].base = page;
	iov[1].length = 4096;
	syscall(SYS_pwritev2, open_own(path), iov, 2, 0L, 0L, 0);
	_exit(5);
}

static void write_missing(const char *path)
{
	write_from(path, missing_page());
}

/* The page is one of a file whose server does not answer. */
static void write_fuse(const char *path)
{
	void *page = fuse_page();

	if (!page)
		_exit(3);
	write_from(path, page);
}

/* Reads of a file can be stuck as well, and hold its lock with others. */
static void read_missing_direct(const char *path)
{
	char *page = missing_page();
	int fd = open(path, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);

	if (fd < 0 || fallocate(fd, 0, 0, 65536))
		_exit(2);
	if (pread(fd, page, 4096, 0) < 0)
		_exit(6);
	_exit(5);
}

/* A direct write needs the page before it begins. */
static void write_missing_direct(const char *path)
{
	char *page = missing_page();
	int fd = open(path, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);

	if (fd < 0)
		_exit(2);
	if (pwrite(fd, page, 4096, 0) < 0)
		_exit(6);
	_exit(5);
}

/* From a pipe in which nothing ever arrives. */
static void splice_empty(const char *path)
{
	int pipes[2];

	if (pipe(pipes))
		_exit(3);
	splice(pipes[0], NULL, open_own(path), NULL, 4096, 0);
	_exit(5);
}

/* A fallocate that waits for the lock which a write of the same file holds. */
static void fallocate_behind(const char *path)
{
	pid_t writer = fork();

	if (writer < 0)
		_exit(3);
	if (!writer) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		write_missing(path);
	}
	usleep(300000);
	fallocate(open_own(path), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		  4096);
	_exit(5);
}

static const char *no_uffd(void)
{
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (uffd < 0)
		return "no userfaultfd in this kernel";
	close(uffd);
	return NULL;
}

static const char *no_fuse(void)
{
	return access("/dev/fuse", F_OK) ? "no FUSE in this kernel" : NULL;
}

const struct stuck_kind stuck_kinds[] = {
	{ "a write whose page never comes", write_missing, no_uffd },
	{ "a write whose page a FUSE server does not send", write_fuse, no_fuse },
	{ "a direct read whose page never comes", read_missing_direct, no_uffd },
	{ "a direct write whose page never comes", write_missing_direct,
	  no_uffd },
	{ "splice from an empty pipe", splice_empty, NULL },
	{ "fallocate behind a write that is stuck", fallocate_behind, no_uffd },
};

const int nr_stuck_kinds = sizeof(stuck_kinds) / sizeof(stuck_kinds[0]);

const struct stuck_kind *stuck_find(const char *name)
{
	int i;

	for (i = 0; i < nr_stuck_kinds; i++)
		if (!strncmp(stuck_kinds[i].name, name, strlen(name)))
			break;
	ck_assert_msg(i < nr_stuck_kinds, "%s: there is no such kind", name);
	return &stuck_kinds[i];
}

pid_t stuck_start(const struct stuck_kind *kind, const char *path)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		kind->get_stuck(path);
	}
	st_sleep_ms(st_patience(1) * 1000);
	ck_assert_msg(!waitpid(pid, &status, WNOHANG), "%s: not stuck, status %#x",
		      kind->name, status);
	return pid;
}

void stuck_end(pid_t pid)
{
	/* and what it has started: one of them may hold the lock that it waits for */
	kill(-pid, SIGKILL);
	ck_assert_int_ne(st_wait_child(pid, st_patience(10)), -1);
}
