// SPDX-License-Identifier: GPL-2.0-only
/* The iterator over extents, fed with made-up answers of FIEMAP. */
#include <errno.h>
#include <linux/fiemap.h>
#include <stdio.h>
#include <string.h>

#include "core/map.h"
#include "core/private.h"
#include "unit.h"

#define K 1024ULL

/* What the file looks like, and how much of it one call tells. */
static struct fiemap_extent layout[2000];
static unsigned int nr_layout, batch, calls;
static int load_error;

static struct seal_map *map;

static int fake_load(struct seal_map *m)
{
	unsigned int i, n = 0;

	calls++;
	if (load_error)
		return load_error;
	for (i = 0; i < nr_layout && n < batch; i++)
		if (layout[i].fe_logical + layout[i].fe_length > m->pos)
			m->batch->fm_extents[n++] = layout[i];
	m->batch->fm_mapped_extents = n;
	m->next = 0;
	m->end = !n;
	return 0;
}

static void add(uint64_t logical, uint64_t physical, uint64_t length,
		uint32_t flags)
{
	layout[nr_layout++] = (struct fiemap_extent){
		.fe_logical = logical,
		.fe_physical = physical,
		.fe_length = length,
		.fe_flags = flags,
	};
}

static void setup(void)
{
	FILE *file = tmpfile();

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(seal_map_open(fileno(file), &map), 0);
	fclose(file);
	map->load = fake_load;
	nr_layout = 0;
	calls = 0;
	load_error = 0;
	batch = MAP_BATCH;
	memset(layout, 0, sizeof(layout));
}

static void teardown(void)
{
	seal_map_close(map);
}

static void expect(uint64_t logical, uint64_t physical, uint64_t length,
		   uint32_t state)
{
	struct seal_extent extent;

	ck_assert_int_eq(seal_map_next(map, &extent), 1);
	ck_assert_uint_eq(extent.logical, logical);
	ck_assert_uint_eq(extent.physical, physical);
	ck_assert_uint_eq(extent.length, length);
	ck_assert_uint_eq(extent.state, state);
}

static void expect_end(void)
{
	struct seal_extent extent;

	ck_assert_int_eq(seal_map_next(map, &extent), 0);
	/* and again */
	ck_assert_int_eq(seal_map_next(map, &extent), 0);
}

START_TEST(test_empty)
{
	expect_end();
}
END_TEST

START_TEST(test_only_hole)
{
	map->eof = 64 * K;
	expect(0, 0, 64 * K, SEAL_RANGE_HOLE);
	expect_end();
}
END_TEST

START_TEST(test_states)
{
	map->eof = 64 * K;
	add(4 * K, 100 * K, 4 * K, 0);
	add(8 * K, 104 * K, 8 * K, FIEMAP_EXTENT_UNWRITTEN);
	add(32 * K, 200 * K, 4 * K, FIEMAP_EXTENT_SHARED);
	add(36 * K, 12345, 4 * K, FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_UNKNOWN);
	add(40 * K, 12345, 4 * K, FIEMAP_EXTENT_ENCODED | FIEMAP_EXTENT_LAST);
	expect(0, 0, 4 * K, SEAL_RANGE_HOLE);
	expect(4 * K, 100 * K, 4 * K, SEAL_RANGE_WRITTEN);
	expect(8 * K, 104 * K, 8 * K, SEAL_RANGE_UNWRITTEN);
	expect(16 * K, 0, 16 * K, SEAL_RANGE_HOLE);
	expect(32 * K, 200 * K, 4 * K, SEAL_RANGE_SHARED);
	expect(36 * K, 0, 4 * K, SEAL_RANGE_DELALLOC);
	expect(40 * K, 0, 4 * K, SEAL_RANGE_NONE);
	expect(44 * K, 0, 20 * K, SEAL_RANGE_HOLE);
	expect_end();
	/* LAST was believed */
	ck_assert_uint_eq(calls, 1);
}
END_TEST

/* Neighbours stay apart, also if they would fit together. */
START_TEST(test_no_merging)
{
	map->eof = 8 * K;
	add(0, 100 * K, 4 * K, 0);
	add(4 * K, 104 * K, 4 * K, FIEMAP_EXTENT_LAST);
	expect(0, 100 * K, 4 * K, SEAL_RANGE_WRITTEN);
	expect(4 * K, 104 * K, 4 * K, SEAL_RANGE_WRITTEN);
	expect_end();
}
END_TEST

/* Holes end at EOF, allocated blocks beyond it follow. */
START_TEST(test_beyond_eof)
{
	map->eof = 8 * K;
	add(0, 100 * K, 4 * K, 0);
	add(16 * K, 200 * K, 4 * K, FIEMAP_EXTENT_UNWRITTEN);
	add(32 * K, 300 * K, 4 * K, FIEMAP_EXTENT_UNWRITTEN);
	expect(0, 100 * K, 4 * K, SEAL_RANGE_WRITTEN);
	expect(4 * K, 0, 4 * K, SEAL_RANGE_HOLE);
	expect(16 * K, 200 * K, 4 * K, SEAL_RANGE_UNWRITTEN);
	expect(32 * K, 300 * K, 4 * K, SEAL_RANGE_UNWRITTEN);
	expect_end();
}
END_TEST

START_TEST(test_extent_across_eof)
{
	map->eof = 8 * K;
	add(4 * K, 100 * K, 64 * K, FIEMAP_EXTENT_UNWRITTEN);
	expect(0, 0, 4 * K, SEAL_RANGE_HOLE);
	expect(4 * K, 100 * K, 64 * K, SEAL_RANGE_UNWRITTEN);
	expect_end();
}
END_TEST

/* The same whatever a batch holds. */
START_TEST(test_batches)
{
	unsigned int i;

	batch = (unsigned int)_i;
	map->eof = 2000 * 8 * K;
	for (i = 0; i < 2000; i++)
		add(i * 8 * K, (i + 7) * 64 * K, 4 * K,
		    i == 1999 ? FIEMAP_EXTENT_LAST : 0);
	for (i = 0; i < 2000; i++) {
		expect(i * 8 * K, (i + 7) * 64 * K, 4 * K, SEAL_RANGE_WRITTEN);
		expect(i * 8 * K + 4 * K, 0, 4 * K, SEAL_RANGE_HOLE);
	}
	expect_end();
	ck_assert_uint_eq(calls, (2000 + batch - 1) / batch);
}
END_TEST

/* The map changed between two batches: no offset comes twice. */
START_TEST(test_changed)
{
	batch = 1;
	map->eof = 16 * K;
	add(0, 100 * K, 8 * K, 0);
	expect(0, 100 * K, 8 * K, SEAL_RANGE_WRITTEN);
	nr_layout = 0;
	add(0, 200 * K, 12 * K, 0);
	add(12 * K, 400 * K, 4 * K, FIEMAP_EXTENT_LAST);
	expect(8 * K, 208 * K, 4 * K, SEAL_RANGE_WRITTEN);
	expect(12 * K, 400 * K, 4 * K, SEAL_RANGE_WRITTEN);
	expect_end();
}
END_TEST

START_TEST(test_error)
{
	struct seal_extent extent;

	map->eof = 8 * K;
	load_error = -EIO;
	ck_assert_int_eq(seal_map_next(map, &extent), -EIO);
	/* it can be tried again */
	load_error = 0;
	add(0, 100 * K, 8 * K, 0);
	expect(0, 100 * K, 8 * K, SEAL_RANGE_WRITTEN);
	expect_end();
}
END_TEST

START_TEST(test_bad_descriptor)
{
	struct seal_map *none;

	ck_assert_int_eq(seal_map_open(-1, &none), -EBADF);
	seal_map_close(NULL);
}
END_TEST

/* A module that does not know how to read by a seal: the map is read as without. */
START_TEST(test_without_places)
{
	int (*by_seal)(struct seal_map *m);
	struct seal_session old = { .fd = -1 };
	struct seal_extent extent;
	FILE *file = tmpfile();
	int with, without;

	ck_assert_ptr_nonnull(file);
	/* no command of the module is known to an ordinary file */
	map->fd = fileno(file);
	old.fd = map->fd;
	map->eof = 8 * K;
	ck_assert_int_eq(map_ask_seal(map, &old), 0);
	by_seal = map->load;
	with = seal_map_next(map, &extent);
	ck_assert(map->load != by_seal);
	without = map->load(map);
	ck_assert_int_eq(with < 0 ? with : 0, without);
	fclose(file);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("map");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_empty);
	tcase_add_test(tests, test_only_hole);
	tcase_add_test(tests, test_states);
	tcase_add_test(tests, test_no_merging);
	tcase_add_test(tests, test_beyond_eof);
	tcase_add_test(tests, test_extent_across_eof);
	tcase_add_loop_test(tests, test_batches, 1, 3);
	tcase_add_loop_test(tests, test_batches, MAP_BATCH, MAP_BATCH + 1);
	tcase_add_test(tests, test_changed);
	tcase_add_test(tests, test_error);
	tcase_add_test(tests, test_without_places);
	tcase_add_test(tests, test_bad_descriptor);
	return run_tests(tests, "map");
}
