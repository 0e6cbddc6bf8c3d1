// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Marks. A mark identifies the contents of a file by a random number that the
 * sender chose, and has the facts by which a later change is noticed. It is
 * stored as text, so that people can read it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <time.h>

#include "delta/delta.h"

#define PREFIX		"user.seal."
#define NAME_ID		PREFIX "id"
#define NAME_JOURNAL	PREFIX "receiving"
#define NAME_ACCESS	"system.posix_acl_access"

#define VALUE_LEN	200

/* Return: 1, 0 or a negative errno value; @value is a string. */
static int get(int fd, const char *name, char value[VALUE_LEN])
{
	ssize_t n = fgetxattr(fd, name, value, VALUE_LEN - 1);

	if (n < 0)
		return errno == ENODATA || errno == EOPNOTSUPP ? 0 :
		       errno == ERANGE ? -EINVAL : -errno;
	value[n] = '\0';
	return 1;
}

static int set(int fd, const char *name, const char *value)
{
	return fsetxattr(fd, name, value, strlen(value), 0) < 0 ? -errno : 0;
}

static bool parse_id(const char *text, uint8_t id[DELTA_ID_LEN])
{
	unsigned int i, byte;

	for (i = 0; i < DELTA_ID_LEN; i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		id[i] = (uint8_t)byte;
	}
	return true;
}

/* "1 ID SIZE SECONDS.NANOSECONDS [DIGEST]" */
int delta_mark_read(int fd, struct delta_mark *mark)
{
	char value[VALUE_LEN], id[33];
	int64_t seconds;
	long nanoseconds;
	int n, ret;

	ret = get(fd, NAME_ID, value);
	/* A mark that makes no sense counts as none. */
	if (ret <= 0)
		return ret == -EINVAL ? 0 : ret;
	*mark = (struct delta_mark){ 0 };
	n = sscanf(value, "1 %32[0-9a-f] %" SCNu64 " %" SCNd64 ".%ld %" SCNx64,
		   id, &mark->size, &seconds, &nanoseconds, &mark->digest);
	if (n < 4 || strlen(id) != 2 * DELTA_ID_LEN || !parse_id(id, mark->id))
		return 0;
	mark->mtime.tv_sec = seconds;
	mark->mtime.tv_nsec = nanoseconds;
	mark->has_digest = n == 5;
	return 1;
}

bool delta_mark_fits(const struct delta_mark *mark, const struct stat *st)
{
	return mark->size == (uint64_t)st->st_size &&
	       mark->mtime.tv_sec == st->st_mtim.tv_sec &&
	       mark->mtime.tv_nsec == st->st_mtim.tv_nsec;
}

int delta_mark_write(int fd, const struct delta_mark *mark)
{
	char value[VALUE_LEN], id[33], digest[18] = "";

	delta_id_text(mark->id, id);
	if (mark->has_digest)
		snprintf(digest, sizeof(digest), " %016" PRIx64, mark->digest);
	snprintf(value, sizeof(value), "1 %s %" PRIu64 " %" PRId64 ".%09ld%s",
		 id, mark->size, (int64_t)mark->mtime.tv_sec,
		 mark->mtime.tv_nsec, digest);
	return set(fd, NAME_ID, value);
}

/*
 * Timestamps advance with the kernel's clock, in steps of some milliseconds, or
 * of a second if the filesystem keeps whole seconds only. Once the clock is
 * beyond the timestamp of the file, every later write changes the timestamp.
 */
int delta_settle(int fd, struct stat *st)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	const struct timespec *time = &st->st_mtim;
	struct timespec now;
	unsigned int tries;

	if (fstat(fd, st) < 0)
		return -errno;
	for (tries = 0; tries < 750; tries++) {
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
		if (now.tv_sec > time->tv_sec ||
		    (now.tv_sec == time->tv_sec && time->tv_nsec &&
		     now.tv_nsec > time->tv_nsec))
			return 0;
		if (now.tv_sec + 2 < time->tv_sec)
			break;
		nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

void delta_mark_remove(int fd)
{
	fremovexattr(fd, NAME_ID);
}

bool delta_id_is_none(const uint8_t id[DELTA_ID_LEN])
{
	static const uint8_t none[DELTA_ID_LEN];

	return !memcmp(id, none, DELTA_ID_LEN);
}

void delta_journal_of(const struct delta_header *header,
		      struct delta_journal *journal)
{
	bool hashed = (header->flags & HEADER_HAS_BASE) &&
		      delta_id_is_none(header->base_id);

	memcpy(journal->base_id, hashed ? header->base_hash : header->base_id,
	       DELTA_ID_LEN);
	memcpy(journal->new_id, header->new_id, DELTA_ID_LEN);
}

bool delta_journal_fits(const struct delta_journal *journal,
			const struct delta_header *header)
{
	struct delta_journal own;

	delta_journal_of(header, &own);
	return !memcmp(journal->base_id, own.base_id, DELTA_ID_LEN) &&
	       !memcmp(journal->new_id, own.new_id, DELTA_ID_LEN);
}

bool delta_journal_kept(const struct delta_journal *journal,
			const struct stat *st)
{
	const struct timespec *time = &journal->time;
	const struct timespec *now = &st->st_mtim;

	if (journal->kind == JOURNAL_TIME)
		return now->tv_sec == time->tv_sec &&
		       now->tv_nsec == time->tv_nsec;
	return journal->kind == JOURNAL_NO_TIME || now->tv_sec < time->tv_sec ||
	       (now->tv_sec == time->tv_sec && now->tv_nsec <= time->tv_nsec);
}

/* "1 BASE-ID NEW-ID DONE", then "=TIME" or "<TIME" */
int delta_journal_read(int fd, struct delta_journal *journal)
{
	char value[VALUE_LEN], base[33], new[33], kind;
	int64_t seconds;
	long nanoseconds;
	int n, ret;

	ret = get(fd, NAME_JOURNAL, value);
	if (ret <= 0)
		return ret;
	n = sscanf(value, "1 %32[0-9a-f] %32[0-9a-f] %" SCNu64 " %c%" SCNd64 ".%ld",
		   base, new, &journal->done, &kind, &seconds, &nanoseconds);
	journal->kind = JOURNAL_NO_TIME;
	if (n == 6 && (kind == JOURNAL_TIME || kind == JOURNAL_LIMIT)) {
		journal->kind = kind == JOURNAL_TIME ? JOURNAL_TIME : JOURNAL_LIMIT;
		journal->time.tv_sec = seconds;
		journal->time.tv_nsec = nanoseconds;
	} else if (n != 3) {
		return -EINVAL;
	}
	if (strlen(base) != 2 * DELTA_ID_LEN ||
	    strlen(new) != 2 * DELTA_ID_LEN ||
	    !parse_id(base, journal->base_id) ||
	    !parse_id(new, journal->new_id))
		return -EINVAL;
	return 1;
}

int delta_journal_write(int fd, const struct delta_journal *journal)
{
	char value[VALUE_LEN], base[33], new[33];

	delta_id_text(journal->base_id, base);
	delta_id_text(journal->new_id, new);
	snprintf(value, sizeof(value), "1 %s %s %" PRIu64 " %c%" PRId64 ".%09ld",
		 base, new, journal->done, (char)journal->kind,
		 (int64_t)journal->time.tv_sec, journal->time.tv_nsec);
	return set(fd, NAME_JOURNAL, value);
}

int delta_journal_remove(int fd)
{
	if (fremovexattr(fd, NAME_JOURNAL) < 0 && errno != ENODATA &&
	    errno != EOPNOTSUPP)
		return -errno;
	return 0;
}

/* "BASE-ID:NEW-ID:DONE" */
void delta_token_format(const struct delta_journal *journal,
			char text[SEAL_DELTA_TOKEN_LEN])
{
	char base[33], new[33];

	delta_id_text(journal->base_id, base);
	delta_id_text(journal->new_id, new);
	snprintf(text, SEAL_DELTA_TOKEN_LEN, "%s:%s:%" PRIu64, base, new,
		 journal->done);
}

int delta_token_parse(const char *text, struct delta_journal *journal)
{
	char base[33], new[33];
	int end = 0;

	if (sscanf(text, "%32[0-9a-f]:%32[0-9a-f]:%" SCNu64 "%n", base, new,
		   &journal->done, &end) != 3 || text[end] ||
	    strlen(base) != 2 * DELTA_ID_LEN ||
	    strlen(new) != 2 * DELTA_ID_LEN ||
	    !parse_id(base, journal->base_id) ||
	    !parse_id(new, journal->new_id))
		return -EINVAL;
	return 0;
}

/*
 * Somebody else may change the attribute meanwhile. It is never asked for with a
 * size of 0: then the kernel only tells how large it is by now.
 */
static ssize_t get_all(int fd, const char *name, char **value)
{
	ssize_t n;
	char *more;

	*value = NULL;
	do {
		n = fgetxattr(fd, name, NULL, 0);
		if (n < 0)
			break;
		more = realloc(*value, (size_t)n + 1);
		if (!more) {
			errno = ENOMEM;
			return -1;
		}
		*value = more;
		n = fgetxattr(fd, name, more, (size_t)n + 1);
	} while (n < 0 && errno == ERANGE);
	return n;
}

static int copy_one(int from, int to, const char *name)
{
	char *value;
	int ret = 0;
	ssize_t n = get_all(from, name, &value);

	if (n < 0)
		ret = errno == ENODATA ? 0 : -errno;
	else if (fsetxattr(to, name, value, (size_t)n, 0) < 0)
		ret = -errno;
	free(value);
	return ret;
}

static bool is_copied(const char *name)
{
	if (!strcmp(name, NAME_ACCESS))
		return true;
	return !strncmp(name, "user.", 5) &&
	       strncmp(name, PREFIX, strlen(PREFIX)) != 0;
}

int delta_drop_access_list(int fd)
{
	if (fremovexattr(fd, NAME_ACCESS) < 0 && errno != ENODATA &&
	    errno != EOPNOTSUPP)
		return -errno;
	return 0;
}

int delta_copy_xattrs(int from, int to)
{
	ssize_t n = flistxattr(from, NULL, 0);
	char *names, *name;
	int ret = 0;

	if (n <= 0)
		return n < 0 && errno != EOPNOTSUPP ? -errno : 0;
	names = malloc((size_t)n);
	if (!names)
		return -ENOMEM;
	n = flistxattr(from, names, (size_t)n);
	if (n < 0)
		ret = -errno;
	for (name = names; !ret && n > 0 && name < names + n;
	     name += strlen(name) + 1)
		if (is_copied(name))
			ret = copy_one(from, to, name);
	free(names);
	return ret;
}
