// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include "powercut.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("E ");
	vprintf(fmt, args);
	printf(" .\n");
	va_end(args);
	fflush(stdout);
	exit(1);
}

/* One line, with one write(2): the port takes it before that returns. */
void record(const char *fmt, ...)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static char line[MAP_TEXT + 256];
	size_t done = 0, len;
	va_list args;

	pthread_mutex_lock(&lock);
	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line) - 4, fmt, args);
	va_end(args);
	if (len >= sizeof(line) - 4)
		exit(1);
	len += sprintf(line + len, " .\n");
	while (done < len) {
		ssize_t n = write(STDOUT_FILENO, line + done, len - done);

		if (n < 0)
			exit(1);
		done += n;
	}
	pthread_mutex_unlock(&lock);
}

/* The same extent goes on. */
static bool continues(const struct seal_extent *a, const struct seal_extent *b)
{
	return a->length && a->state == b->state &&
	       a->logical + a->length == b->logical &&
	       (a->state == SEAL_RANGE_HOLE ||
		a->physical + a->length == b->physical);
}

static size_t extent_text(char *text, size_t size, const struct seal_extent *e)
{
	size_t len;

	if (!e->length)
		return 0;
	len = snprintf(text, size, " %llu:%llu:%llu:%s",
		       (unsigned long long)e->logical,
		       (unsigned long long)e->physical,
		       (unsigned long long)e->length,
		       seal_range_state_name(e->state));
	if (len >= size)
		die("more extents than expected");
	return len;
}

void map_text(int fd, char *text)
{
	struct seal_extent e, last = { 0 };
	struct seal_map *map;
	size_t len = 0;
	int ret;

	text[0] = '\0';
	ret = seal_map_open(fd, &map);
	if (ret)
		die("seal_map_open: %s", strerror(-ret));
	while ((ret = seal_map_next(map, &e)) > 0) {
		/* Another file's sharing is not of this map. */
		if (e.state == SEAL_RANGE_SHARED)
			e.state = SEAL_RANGE_WRITTEN;
		if (continues(&last, &e)) {
			last.length += e.length;
			continue;
		}
		len += extent_text(text + len, MAP_TEXT - len, &last);
		last = e;
	}
	if (ret)
		die("seal_map_next: %s", strerror(-ret));
	extent_text(text + len, MAP_TEXT - len, &last);
	seal_map_close(map);
}

void seal_text(struct seal_session *session, int fd, char *text)
{
	struct seal_status status = { .size = sizeof(status) };
	int ret = seal_status(session, fd, &status), len;

	if (ret)
		die("seal_status: %s", strerror(-ret));
	len = sprintf(text, "%016llx %llu", (unsigned long long)status.digest,
		      (unsigned long long)status.file_size);
	map_text(fd, text + len);
}

void block_fill(void *buf, unsigned int file, unsigned int block,
		uint32_t version)
{
	uint32_t *word = buf;

	for (unsigned int i = 0; i < BLOCK / 16; i++, word += 4) {
		word[0] = 0x5ea1b10cU;
		word[1] = file;
		word[2] = block;
		word[3] = version;
	}
}

int64_t block_version(const void *buf, unsigned int file, unsigned int block)
{
	static const char zeros[BLOCK];
	uint32_t want[BLOCK / 4];
	const uint32_t *word = buf;

	if (!memcmp(buf, zeros, BLOCK))
		return 0;
	block_fill(want, file, block, word[3]);
	return memcmp(buf, want, BLOCK) ? -1 : (int64_t)word[3];
}

static void promise_add(struct promise *p, char type, char *rest)
{
	unsigned int block, version;
	char *word;

	switch (type) {
	case 'N':
		memset(p, 0, sizeof(*p));
		p->there = true;
		break;
	case 'S':
		p->sealed = true;
		snprintf(p->seal, sizeof(p->seal), "%s", rest);
		break;
	case 'U':
		p->sealed = false;
		break;
	case 'W':
		for (word = strtok(rest, " "); word; word = strtok(NULL, " "))
			if (sscanf(word, "%u:%u", &block, &version) == 2 &&
			    block < BLOCKS)
				p->version[block] = version;
		break;
	}
}

void promises_read(const char *path, struct promise *promises)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	unsigned int file;
	int skip;
	ssize_t n;

	if (!f)
		die("%s: %s", path, strerror(errno));
	while ((n = getline(&line, &room, f)) > 0) {
		/* The last line may have been cut off. */
		if (n < 3 || strcmp(line + n - 3, " .\n"))
			continue;
		line[n - 3] = '\0';
		if (sscanf(line + 1, " %u%n", &file, &skip) != 1 ||
		    file >= FILES)
			continue;
		skip += 1;
		promise_add(&promises[file], line[0],
			    line + skip + (line[skip] == ' '));
	}
	free(line);
	fclose(f);
}
