// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct {
	const char *name;
	TCase *(*make)(void);
} cases[] = {
	{ "cow", trap_cow },
	{ "atomic", trap_atomic },
	{ "folio", trap_folio },
	{ "before", trap_before },
	{ "large", trap_large },
	{ "own", trap_own },
	{ "writers", trap_writers },
	{ "crash", trap_crash },
};

static sigjmp_buf jump;

static void on_bus_error(int sig)
{
	(void)sig;
	siglongjmp(jump, 1);
}

int trap_store(int fd, off_t offset, char byte)
{
	struct sigaction sa = { .sa_handler = on_bus_error }, old;
	long page = sysconf(_SC_PAGESIZE);
	volatile int ret = 0;
	volatile char *map;

	map = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   offset & ~(page - 1));
	ck_assert_msg(map != MAP_FAILED, "mmap: %s", strerror(errno));
	sigaction(SIGBUS, &sa, &old);
	if (sigsetjmp(jump, 1))
		ret = EFAULT;
	else
		map[offset & (page - 1)] = byte;
	sigaction(SIGBUS, &old, NULL);
	if (!ret)
		ck_assert_int_eq(msync((void *)map, page, MS_SYNC), 0);
	munmap((void *)map, page);
	return ret;
}

static void expect(ssize_t n, ssize_t want, bool must_refuse, const char *what)
{
	if (must_refuse) {
		ck_assert_msg(n == -1, "%s was not refused", what);
		ck_assert_msg(errno == ETXTBSY, "%s: %s", what, strerror(errno));
	} else {
		ck_assert_msg(n == want, "%s: %s", what,
			      n < 0 ? strerror(errno) : "short");
	}
}

void trap_overwrite(const char *name, int fd, size_t size, bool must_refuse)
{
	int direct = st_open(name, O_RDWR | O_DIRECT);
	uint64_t before = st_content(fd);
	char *buf;

	ck_assert_int_eq(posix_memalign((void **)&buf, 4096, 4096), 0);
	memset(buf, 'o', 4096);
	for (size_t at = 0; at < size; at += 4096) {
		switch (at / 4096 % 3) {
		case 0:
			expect(pwrite(fd, buf, 4096, at), 4096, must_refuse,
			       "buffered write");
			break;
		case 1:
			expect(pwrite(direct, buf, 4096, at), 4096, must_refuse,
			       "direct write");
			break;
		default:
			ck_assert_int_eq(trap_store(fd, at, 'o'),
					 must_refuse ? EFAULT : 0);
		}
	}
	ck_assert_int_eq(fsync(fd), 0);
	sync();
	if (must_refuse)
		ck_assert_uint_eq(st_content(fd), before);
	free(buf);
	close(direct);
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc < 2;
}

/* The arguments are the cases to run, none means all. */
int main(int argc, char **argv)
{
	Suite *suite = suite_create("traps");

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (wanted(cases[i].name, argc, argv))
			suite_add_tcase(suite, cases[i].make());
	return st_main(suite);
}
