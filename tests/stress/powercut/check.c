// SPDX-License-Identifier: GPL-2.0-only
/* Is everything there that was promised before the power failed? */
#define _GNU_SOURCE
#include "powercut.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_map(struct seal_session *session, int fd, unsigned int file,
		     const struct promise *p)
{
	static char now[MAP_TEXT + 64];

	seal_text(session, fd, now);
	if (!strcmp(now, p->seal))
		return 0;
	printf("FAILED: file %u was sealed as %s, is %s\n", file, p->seal, now);
	return 1;
}

static int check_blocks(int fd, unsigned int file, const struct promise *p,
			unsigned int *promised)
{
	char buf[BLOCK];
	int64_t version;
	int failed = 0;
	ssize_t n;

	for (unsigned int i = 0; i < BLOCKS; i++) {
		n = pread(fd, buf, BLOCK, i * BLOCK);
		if (n != BLOCK)
			die("file %u: read: %s", file,
			    n < 0 ? strerror(errno) : "short");
		version = block_version(buf, file, i);
		*promised += p->version[i] != 0;
		/* What was written later may be there as well. */
		if (version >= p->version[i])
			continue;
		printf("FAILED: file %u, block %u: version %u was synced, is %lld\n",
		       file, i, p->version[i], (long long)version);
		failed = 1;
	}
	return failed;
}

int promises_check(const char *dir, const char *path)
{
	static struct promise promises[FILES];
	unsigned int sealed = 0, blocks = 0;
	struct seal_session *session;
	int failed = 0, ret, fd;
	struct stat st;
	char name[256];

	promises_read(path, promises);
	ret = seal_open(&session);
	if (ret)
		die("seal_open: %s", strerror(-ret));
	for (unsigned int i = 0; i < FILES; i++) {
		if (!promises[i].there)
			continue;
		snprintf(name, sizeof(name), "%s/file%u", dir, i);
		fd = open(name, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) || st.st_size != BLOCKS * BLOCK) {
			printf("FAILED: %s: not there, or not its size\n", name);
			failed = 1;
			continue;
		}
		/* Looked at before anything reads or writes the file. */
		if (promises[i].sealed) {
			failed |= check_map(session, fd, i, &promises[i]);
			sealed++;
		}
		failed |= check_blocks(fd, i, &promises[i], &blocks);
		close(fd);
	}
	seal_close(session);
	printf("kept: %u sealed maps, %u synced blocks%s\n", sealed, blocks,
	       failed ? ", except as said" : "");
	return failed;
}
