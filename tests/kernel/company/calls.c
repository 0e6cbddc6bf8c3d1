// SPDX-License-Identifier: GPL-2.0-only
/* Single calls that lead to a gate or ask the module. */
#define _GNU_SOURCE
#include "company.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../races/park/park.h"
#include "seal.h"

#define EXT4_IOC_SWAP_BOOT	_IO('f', 17)

int files_main(int nr, char **paths)
{
	static const char zeros[65536];

	for (int i = 0; i < nr; i++) {
		int fd = open(paths[i], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
			      0644);

		for (int j = 0; fd >= 0 && j < 4; j++)
			if (write(fd, zeros, sizeof(zeros)) != sizeof(zeros))
				die("%s: write", paths[i]);
		if (fd < 0 || close(fd))
			die("%s", paths[i]);
	}
	return 0;
}

int lease_main(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("%s", path);
	/* the signal of the lease that is broken */
	signal(SIGIO, SIG_IGN);
	if (fcntl(fd, F_SETLEASE, F_RDLCK))
		die("%s: F_SETLEASE", path);
	if (open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC) >= 0 ||
	    errno != EWOULDBLOCK)
		die("%s: open", path);
	return 0;
}

int info_main(void)
{
	struct seal_fs_info fs[16];
	struct seal_info info = {
		.size = sizeof(info),
		.nr_fs = sizeof(fs) / sizeof(fs[0]),
		.fs = (uintptr_t)fs,
	};
	int fd = open("/dev/seal", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("/dev/seal");
	if (ioctl(fd, SEAL_IOC_INFO, &info))
		die("SEAL_IOC_INFO");
	for (uint32_t i = 0; i < info.nr_fs; i++)
		printf("%s state %u gates %u %s\n", (char *)fs[i].name,
		       fs[i].state, fs[i].gates, (char *)fs[i].reason);
	return 0;
}

#define FUNCTIONS "/sys/kernel/tracing/enabled_functions"

static bool gates_attached(void)
{
	static char text[65536];
	int fd = open(FUNCTIONS, O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	ssize_t n;

	if (fd < 0)
		die(FUNCTIONS);
	while (size + 1 < sizeof(text) &&
	       (n = read(fd, text + size, sizeof(text) - 1 - size)) > 0)
		size += n;
	text[size] = 0;
	close(fd);
	return strstr(text, "[seal]");
}

/*
 * The gates are called no more, but the module waits for all tasks before it frees
 * them: it waits for this thread.
 */
int spin_main(const char *seconds)
{
	int park = open("/dev/seal-park", O_RDWR | O_CLOEXEC);

	if (park < 0)
		die("/dev/seal-park");
	while (gates_attached())
		;
	if (ioctl(park, PARK_SPIN))
		die("PARK_SPIN");
	puts("spins");
	sleep(atoi(seconds));
	return 0;
}

#define MAX_FILES 8

/* "sealed", or "refused ERRNO: REASON"; then, line for line, STATUS of each. */
int hold_main(const char *recall_ms, int nr, char **paths)
{
	struct seal_files files = { .size = sizeof(files), .nr_fds = nr };
	int fds[MAX_FILES], dev = open("/dev/seal", O_RDWR | O_CLOEXEC);
	char line[64];

	if (dev < 0)
		die("/dev/seal");
	for (int i = 0; i < nr; i++) {
		fds[i] = open(paths[i], O_RDONLY | O_CLOEXEC);
		if (fds[i] < 0)
			die("%s", paths[i]);
	}
	files.fds = (uintptr_t)fds;
	files.recall_ms = strtoul(recall_ms, NULL, 10);
	if (files.recall_ms)
		files.flags = SEAL_SEAL_RECALL;
	if (ioctl(dev, SEAL_IOC_SEAL, &files)) {
		printf("refused %s: %s\n", strerrorname_np(errno),
		       (char *)files.reason);
		return 1;
	}
	puts("sealed");
	while (fgets(line, sizeof(line), stdin)) {
		for (int i = 0; i < nr; i++) {
			struct seal_status status = {
				.size = sizeof(status),
				.fd = fds[i],
			};

			if (ioctl(dev, SEAL_IOC_STATUS, &status))
				die("%s: SEAL_IOC_STATUS", paths[i]);
			printf("status %s%s%s%s refused %llu broken %llu\n",
			       paths[i],
			       status.flags & SEAL_STATUS_DISARMED ? " disarmed" : "",
			       status.flags & SEAL_STATUS_MISSED ? " missed" : "",
			       status.flags & SEAL_STATUS_LAPSED ? " lapsed" : "",
			       (unsigned long long)status.refused,
			       (unsigned long long)status.broken);
		}
		puts("end");
	}
	return 0;
}

int swap_boot_main(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("%s", path);
	if (ioctl(fd, EXT4_IOC_SWAP_BOOT))
		die("%s: EXT4_IOC_SWAP_BOOT", path);
	return 0;
}
