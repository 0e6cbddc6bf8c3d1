// SPDX-License-Identifier: GPL-2.0-only
/* PLACES, and what STATUS says of shared blocks now that SEAL does not count them. */
#define _GNU_SOURCE
#include "sealtest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define KIB(n)	((n) * 1024ULL)
#define MAX	256

static int dev;

static void setup(void)
{
	dev = st_session();
}

static void teardown(void)
{
	close(dev);
}

/* Uniform parts of a map: neighbours joined, whether they are shared or not. */
struct parts {
	unsigned int nr;
	struct seal_place part[MAX];
};

static void add(struct parts *parts, const struct seal_place *place)
{
	struct seal_place *last = &parts->part[parts->nr - 1];

	if (parts->nr && last->state == place->state &&
	    last->logical + last->length == place->logical &&
	    last->physical + last->length == place->physical) {
		last->length += place->length;
		return;
	}
	ck_assert_uint_lt(parts->nr, MAX);
	parts->part[parts->nr++] = *place;
}

static int ask(int fd, struct seal_place *places, uint32_t room, uint64_t offset,
	       struct seal_places *out)
{
	*out = (struct seal_places){
		.size = sizeof(*out),
		.fd = fd,
		.nr_extents = room,
		.extents = (uintptr_t)places,
		.offset = offset,
	};
	return st_do_ioctl(dev, SEAL_IOC_PLACES, out);
}

static struct parts by_places(int fd, uint32_t room)
{
	struct parts parts = { 0 };
	struct seal_place places[MAX];
	struct seal_places out;
	uint64_t offset = 0;

	do {
		memset(places, 0xa5, sizeof(places));
		ck_assert_int_eq(ask(fd, places, room, offset, &out), 0);
		for (unsigned int i = 0; i < out.nr_extents; i++) {
			ck_assert_uint_ge(places[i].logical, offset);
			ck_assert_uint_eq(places[i].reserved, 0);
			add(&parts, &places[i]);
			offset = places[i].logical + places[i].length;
		}
		if (out.nr_extents < MAX)
			ck_assert_uint_eq(places[out.nr_extents].state, 0xa5a5a5a5);
	} while (out.nr_extents == room);
	return parts;
}

static struct parts by_fiemap(int fd)
{
	struct parts parts = { 0 };
	struct st_map map = st_map(fd);

	for (unsigned int i = 0; i < map.nr; i++) {
		const struct fiemap_extent *e = &map.e[i];
		const struct seal_place place = {
			.logical = e->fe_logical,
			.length = e->fe_length,
			.physical = e->fe_physical,
			.state = e->fe_flags & FIEMAP_EXTENT_UNWRITTEN ?
				 SEAL_RANGE_UNWRITTEN : SEAL_RANGE_WRITTEN,
		};

		add(&parts, &place);
	}
	st_map_free(&map);
	return parts;
}

static void same(const struct parts *a, const struct parts *b)
{
	ck_assert_uint_eq(a->nr, b->nr);
	ck_assert_int_eq(memcmp(a->part, b->part, a->nr * sizeof(a->part[0])), 0);
}

/* Written and unwritten parts, and holes between them. */
static int create_mixed(const char *name)
{
	int fd = st_create(name);

	for (unsigned int i = 0; i < 20; i++)
		st_fill(fd, KIB(128) * i, KIB(64), 'a');
	if (fallocate(fd, 0, KIB(128 * 20), KIB(64)))
		ck_assert_int_eq(errno, EOPNOTSUPP);
	ck_assert_int_eq(fsync(fd), 0);
	return fd;
}

static int clone_part(int from, const char *name, uint64_t offset, uint64_t length)
{
	int fd = st_create(name);
	struct file_clone_range range = {
		.src_fd = from,
		.src_offset = offset,
		.src_length = length,
		.dest_offset = offset,
	};

	if (!ioctl(fd, FICLONERANGE, &range))
		return fd;
	ck_assert_int_eq(errno, EOPNOTSUPP);
	close(fd);
	return -1;
}

START_TEST(as_fiemap)
{
	static const uint32_t rooms[] = { 1, 3, 20, MAX };
	int fd = create_mixed("mixed"), clone;
	struct seal_places out;
	struct parts expected;

	clone = clone_part(fd, "clone", KIB(16), KIB(256));
	st_seal(dev, fd);
	expected = by_fiemap(fd);
	ck_assert_uint_gt(expected.nr, 19);
	for (unsigned int i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		struct parts parts = by_places(fd, rooms[i]);

		same(&parts, &expected);
	}
	/* behind everything */
	ck_assert_int_eq(ask(fd, expected.part, MAX, 1ULL << 62, &out), 0);
	ck_assert_uint_eq(out.nr_extents, 0);
	ck_assert_int_eq(ask(fd, expected.part, MAX, UINT64_MAX, &out), 0);
	ck_assert_uint_eq(out.nr_extents, 0);
	close(fd);
	if (clone >= 0)
		close(clone);
	st_remove("mixed");
	st_remove("clone");
}
END_TEST

/* It begins in the middle of an extent, where the caller asked it to. */
START_TEST(in_the_middle)
{
	int fd = st_create_written("middle", KIB(256));
	struct seal_place place;
	struct seal_places out;

	st_seal(dev, fd);
	ck_assert_int_eq(ask(fd, &place, 1, KIB(64), &out), 0);
	ck_assert_uint_eq(out.nr_extents, 1);
	ck_assert_uint_eq(place.logical, KIB(64));
	ck_assert_uint_eq(place.physical, st_address(fd, KIB(64)));
	ck_assert_uint_eq(place.state, SEAL_RANGE_WRITTEN);
	close(fd);
	st_remove("middle");
}
END_TEST

START_TEST(refused)
{
	struct seal_revoke revoke = { .size = sizeof(revoke) };
	int fd = st_create_written("refused", KIB(64)), other = st_session();
	struct seal_place places[2];
	struct seal_places out;

	ck_assert_int_eq(ask(fd, places, 2, 0, &out), -EACCES);
	st_seal(other, fd);
	ck_assert_int_eq(ask(fd, places, 2, 0, &out), -EACCES);
	st_seal(dev, fd);
	ck_assert_int_eq(ask(fd, places, 2, 0, &out), 0);
	ck_assert_int_eq(ask(fd, places, 0, 0, &out), -EINVAL);
	ck_assert_int_eq(ask(fd, places, SEAL_PLACES_MAX_EXTENTS + 1, 0, &out),
			 -EINVAL);
	ck_assert_int_eq(ask(fd, NULL, 2, 0, &out), -EFAULT);
	ck_assert_uint_eq(out.nr_extents, 0);
	ck_assert_int_eq(ask(-1, places, 2, 0, &out), -EBADF);
	ask(fd, places, 2, 0, &out);
	out.nr_extents = 2;
	out.flags = 1;
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_PLACES, &out), -EINVAL);
	revoke.fd = fd;
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_REVOKE, &revoke), 0);
	ck_assert_int_eq(ask(fd, places, 2, 0, &out), -EOWNERDEAD);
	close(other);
	close(fd);
	st_remove("refused");
}
END_TEST

/* What follows the written blocks: the map is read in the same way. */
enum { NOTHING, UNWRITTEN, A_HOLE, A_HOLE_AND_UNWRITTEN, BEHIND_EOF, LAYOUTS };

static int create_followed(const char *name, int layout)
{
	int fd = st_create_written(name, KIB(128));
	int mode = layout == BEHIND_EOF ? FALLOC_FL_KEEP_SIZE : 0;
	off_t at = layout == A_HOLE_AND_UNWRITTEN ? KIB(256) : KIB(128);

	if (layout == A_HOLE)
		ck_assert_int_eq(ftruncate(fd, KIB(256)), 0);
	else if (layout != NOTHING && fallocate(fd, mode, at, KIB(64)))
		ck_assert_int_eq(errno, EOPNOTSUPP);
	ck_assert_int_eq(fsync(fd), 0);
	return fd;
}

/* A clone that goes takes its shares with it, also of a sealed file. */
START_TEST(shared_now)
{
	int fd = create_followed("shared", _i), clone;
	struct seal_status status = { .size = sizeof(status), .fd = fd };
	double end = st_now() + st_patience(10);

	clone = clone_part(fd, "clone", 0, KIB(128));
	if (clone < 0) {
		close(fd);
		ST_SKIP("%s has no reflink", st_env("SEAL_TARGET"));
	}
	st_seal(dev, fd);
	ck_assert_uint_eq(st_status(fd).shared, KIB(128));
	ck_assert_uint_eq(st_status(fd).written, 0);
	ck_assert_uint_eq(st_status(fd).in_place, 0);
	ck_assert_uint_eq(st_status(fd).met & SEAL_REQ_UNSHARED, 0);
	close(clone);
	st_remove("clone");
	/* XFS frees its blocks a little later */
	while (st_status(fd).shared && st_now() < end)
		usleep(20000);
	ck_assert_uint_eq(st_status(fd).shared, 0);
	ck_assert_uint_eq(st_status(fd).written, KIB(128));
	ck_assert_uint_eq(st_status(fd).in_place, 0);

	status.ask = SEAL_ASK_SEAL;
	ck_assert_int_eq(st_do_ioctl(dev, SEAL_IOC_STATUS, &status), 0);
	ck_assert_uint_eq(status.flags & SEAL_STATUS_HELD, SEAL_STATUS_HELD);
	ck_assert_uint_eq(status.holders, 1);
	ck_assert_uint_ne(status.generation, 0);
	ck_assert_uint_eq(status.file_size, 0);
	ck_assert_uint_eq(status.written, 0);
	ck_assert_uint_eq(status.digest, 0);
	ck_assert_uint_eq(status.met, 0);
	close(fd);
	st_remove("shared");
}
END_TEST

static TCase *abi_places(void)
{
	TCase *tc = tcase_create("places");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, as_fiemap);
	tcase_add_test(tc, in_the_middle);
	tcase_add_test(tc, refused);
	tcase_add_loop_test(tc, shared_now, 0, LAYOUTS);
	return tc;
}

ST_CASE(places, abi_places, ST_HERE);
