// SPDX-License-Identifier: GPL-2.0-only
#include "bystander.h"
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* In shared memory: when the write that is under way began, 0: none is. */
struct shared {
	volatile double longest;
	volatile double began;
};

static void write_for_ever(int fd, struct shared *shared)
{
	char block[4096];

	memset(block, 'b', sizeof(block));
	for (unsigned int i = 0;; i++) {
		double began = st_now(), took;

		shared->began = began;
		/* allocating writes: what a frozen filesystem stops at once */
		if (pwrite(fd, block, sizeof(block), (i % 1024) * 4096L) < 0 ||
		    (i % 1024 == 1023 && ftruncate(fd, 0)))
			_exit(1);
		took = st_now() - began;
		shared->began = 0;
		if (took > shared->longest)
			shared->longest = took;
		usleep(10000);
	}
}

void bystander_start(struct bystander *b, const char *path)
{
	struct shared *shared = mmap(NULL, sizeof(*shared),
				     PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert(shared != MAP_FAILED);
	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	b->longest = (double *)&shared->longest;
	b->pid = fork();
	ck_assert_int_ge(b->pid, 0);
	if (!b->pid)
		write_for_ever(fd, shared);
	close(fd);
}

double bystander_longest(struct bystander *b)
{
	struct shared *shared = (struct shared *)b->longest;
	double longest = shared->longest, began = shared->began;

	/* one that has not ended yet counts as well */
	if (began && st_now() - began > longest)
		longest = st_now() - began;
	shared->longest = 0;
	return longest;
}

void bystander_stop(struct bystander *b)
{
	kill(b->pid, SIGKILL);
	ck_assert_int_ne(st_wait_child(b->pid, st_patience(10)), -1);
	munmap(b->longest, sizeof(struct shared));
}
