// SPDX-License-Identifier: GPL-2.0-only
/* Coverage of the module, if it was built with it (SEAL_KCOV=1). */
#include "fuzz.h"

#include <fcntl.h>
#include <linux/kcov.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define AREA	(64 << 10)	/* words */
#define SEEN	(1 << 16)	/* the module has a few thousand places */

static struct {
	int fd;
	uint64_t *area;
} threads[FUZZ_THREADS];

static uint64_t seen[SEEN];
static unsigned int total;
static bool available;

bool kcov_open(void)
{
	for (int i = 0; i < FUZZ_THREADS; i++) {
		int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

		if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, AREA))
			return false;
		threads[i].fd = fd;
		threads[i].area = mmap(NULL, AREA * sizeof(uint64_t),
				       PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				       0);
		if (threads[i].area == MAP_FAILED)
			return false;
	}
	available = true;
	return true;
}

void kcov_begin(unsigned int thread)
{
	if (!available)
		return;
	__atomic_store_n(&threads[thread].area[0], 0, __ATOMIC_RELAXED);
	if (ioctl(threads[thread].fd, KCOV_ENABLE, KCOV_TRACE_PC))
		abort();
}

void kcov_end(unsigned int thread)
{
	if (available && ioctl(threads[thread].fd, KCOV_DISABLE, 0))
		abort();
}

static bool add(uint64_t place)
{
	uint64_t slot = place * 0x9e3779b97f4a7c15ULL >> 48;

	while (seen[slot] && seen[slot] != place)
		slot = (slot + 1) % SEEN;
	if (seen[slot] || total == SEEN / 2)
		return false;
	seen[slot] = place;
	total++;
	return true;
}

unsigned int kcov_news(void)
{
	unsigned int news = 0;

	if (!available)
		return 0;
	for (int i = 0; i < FUZZ_THREADS; i++) {
		uint64_t nr = __atomic_load_n(&threads[i].area[0],
					      __ATOMIC_ACQUIRE);

		for (uint64_t j = 1; j <= nr && j < AREA; j++)
			news += add(threads[i].area[j]);
		/* a thread that has nothing to do next time left it behind */
		threads[i].area[0] = 0;
	}
	return news;
}

unsigned int kcov_total(void)
{
	return total;
}
