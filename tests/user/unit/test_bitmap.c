// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bitmaps of made-up maps, and the qcow2 files they are written to, which are read
 * here byte by byte.
 */
#include <errno.h>
#include <sys/mman.h>

#include "core/bitmap.h"
#include "two_maps.h"

#define M (1024ULL * K)
#define G (1024ULL * M)
#define T (1024ULL * G)

#define IMAGE_BYTES (64ULL * M)

static struct seal_bitmap bitmap;

static void compare(uint64_t old_size, uint64_t new_size, uint32_t granularity)
{
	begin(old_size, new_size);
	ck_assert_int_eq(bitmap_begin(&bitmap, old_size, new_size, granularity), 0);
	ck_assert_int_eq(bitmap_compare(&bitmap, &diff), 0);
}

static void bitmap_setup(void)
{
	setup();
	memset(&bitmap, 0, sizeof(bitmap));
}

static void bitmap_teardown(void)
{
	bitmap_free(&bitmap);
	teardown();
}

static void expect(uint64_t from, uint64_t offset, uint64_t length)
{
	uint64_t at, size;

	ck_assert_int_eq(seal_bitmap_next(&bitmap, from, &at, &size), 1);
	ck_assert_uint_eq(at, offset);
	ck_assert_uint_eq(size, length);
}

static void expect_none(uint64_t from)
{
	uint64_t at, size;

	ck_assert_int_eq(seal_bitmap_next(&bitmap, from, &at, &size), 0);
}

static uint64_t number(const uint8_t *at, unsigned int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | *at++;
	return value;
}

struct image {
	FILE *file;
	const uint8_t *bytes;
	uint64_t cluster, size, end;
};

static const uint8_t *at(const struct image *image, uint64_t offset,
			 size_t length)
{
	/* An assertion tells its place each time, which takes long. */
	if (offset + length > image->end)
		ck_abort_msg("%llu is beyond the end",
			     (unsigned long long)offset);
	return image->bytes + offset;
}

static uint64_t entry(const struct image *image, uint64_t table, uint64_t i)
{
	return number(at(image, table + 8 * i, 8), 8);
}

static void write_image(struct image *image, const char *name, const char *path)
{
	image->file = tmpfile();
	ck_assert_ptr_nonnull(image->file);
	ck_assert_int_eq(seal_bitmap_write(&bitmap, fileno(image->file), name,
					   path), 0);
	image->end = (uint64_t)lseek(fileno(image->file), 0, SEEK_END);
	image->bytes = mmap(NULL, image->end, PROT_READ, MAP_SHARED,
			    fileno(image->file), 0);
	ck_assert_ptr_ne(image->bytes, MAP_FAILED);
	image->cluster = 1ULL << number(at(image, 20, 4), 4);
	image->size = number(at(image, 24, 8), 8);
	ck_assert_uint_eq(image->end % image->cluster, 0);
}

static void done(struct image *image)
{
	munmap((void *)image->bytes, image->end);
	fclose(image->file);
}

/* Where the data of an extension of the header are; its length. */
static uint64_t extension(const struct image *image, uint32_t type,
			  uint64_t *length)
{
	uint64_t pos = 104, found;

	for (;;) {
		found = number(at(image, pos, 4), 4);
		*length = number(at(image, pos + 4, 4), 4);
		if (found == type)
			return pos + 8;
		if (!found)
			ck_abort_msg("no extension %x", type);
		pos += 8 + (*length + 7) / 8 * 8;
	}
}

/* Each cluster has one reference, and there are no others. */
static void check_counts(const struct image *image)
{
	uint64_t block = entry(image, number(at(image, 48, 8), 8), 0);
	uint64_t i;

	ck_assert_uint_eq(number(at(image, 56, 4), 4), 1);
	ck_assert_uint_eq(number(at(image, 96, 4), 4), 4);
	for (i = 0; i < image->cluster / 2; i++)
		if (number(at(image, block + 2 * i, 2), 2) !=
		    (i < image->end / image->cluster))
			ck_abort_msg("count %llu", (unsigned long long)i);
}

/* Does the virtual disk have this cluster of the raw file? */
static bool is_mapped(const struct image *image, uint64_t offset)
{
	uint64_t n = offset / image->cluster, per_table = image->cluster / 8;
	uint64_t l1 = entry(image, number(at(image, 40, 8), 8), n / per_table);
	uint64_t l2;

	ck_assert_uint_lt(n / per_table, number(at(image, 36, 4), 4));
	if (!l1)
		return false;
	ck_assert_uint_eq(l1 >> 63, 1);
	l2 = entry(image, l1 & ~(1ULL << 63), n % per_table);
	if (!l2)
		return false;
	ck_assert_uint_eq(l2, n * image->cluster | 1ULL << 63);
	return true;
}

static bool is_dirty(const struct image *image, uint64_t offset)
{
	uint64_t length, bits = extension(image, 0x23852875, &length);
	uint64_t directory = number(at(image, bits + 16, 8), 8);
	uint64_t table = number(at(image, directory, 8), 8);
	uint64_t bit = offset >> *at(image, directory + 17, 1);
	uint64_t data = entry(image, table, bit / 8 / image->cluster);

	if (data <= 1)
		return data;
	if (data % image->cluster)
		ck_abort_msg("no cluster");
	return *at(image, data + bit / 8 % image->cluster, 1) >> bit % 8 & 1;
}

static void check_bits(const struct image *image, uint64_t granularity)
{
	uint64_t offset, found = 0, length = 0;
	bool wanted;

	for (offset = 0; offset < image->size; offset += granularity) {
		if (offset >= found + length &&
		    !seal_bitmap_next(&bitmap, offset, &found, &length))
			found = image->size;
		wanted = offset >= found;
		if (is_dirty(image, offset) != wanted)
			ck_abort_msg("at %llu: not %d",
				     (unsigned long long)offset, wanted);
	}
}

START_TEST(only_what_differs_is_dirty)
{
	add(0, 0, 1 * G, 1 * M, FIEMAP_EXTENT_SHARED);
	add(1, 0, 1 * G, 256 * K, FIEMAP_EXTENT_SHARED);
	add(1, 256 * K, 2 * G, 8 * K, 0);
	add(1, 264 * K, 1 * G + 264 * K, 760 * K, FIEMAP_EXTENT_SHARED);
	compare(1 * M, 1 * M, 64 * K);
	expect(0, 256 * K, 64 * K);
	expect(257 * K, 257 * K, 63 * K);
	expect_none(320 * K);
	ck_assert_uint_eq(bitmap.info.dirty_bytes, 8 * K);
	ck_assert_uint_eq(bitmap.info.same_bytes, 1 * M - 8 * K);
	ck_assert_uint_eq(bitmap.info.dirty_granules, 1);
	ck_assert_uint_eq(bitmap.info.granules, 16);
}
END_TEST

/* Zeros that became other zeros are no change; those that were data are one. */
START_TEST(zeros)
{
	add(0, 0, 1 * G, 4 * K, 0);
	add(0, 8 * K, 2 * G, 4 * K, FIEMAP_EXTENT_UNWRITTEN);
	add(1, 16 * K, 3 * G, 4 * K, FIEMAP_EXTENT_UNWRITTEN);
	compare(32 * K, 32 * K, 4 * K);
	expect(0, 0, 4 * K);
	expect_none(4 * K);
}
END_TEST

START_TEST(sizes)
{
	add(0, 0, 1 * G, 8 * K, 0);
	add(1, 0, 1 * G, 8 * K, 0);
	compare(5000, 6000, 512);
	ck_assert_uint_eq(bitmap.info.size, 6144);
	expect(0, 4608, 1536);
	expect_none(6144);
	ck_assert_uint_eq(bitmap.info.dirty_bytes, 1000);
}
END_TEST

/* The sector that NEW ends in is one of the virtual disk, and zeros behind NEW. */
START_TEST(a_shorter_one)
{
	add(0, 0, 1 * G, 8 * K, 0);
	add(1, 0, 1 * G, 8 * K, 0);
	compare(8 * K, 5000, 512);
	ck_assert_uint_eq(bitmap.info.size, 5120);
	expect(0, 4608, 512);
	expect_none(5120);
	ck_assert_uint_eq(bitmap.info.dirty_bytes, 120);
}
END_TEST

START_TEST(what_has_no_address_is_dirty)
{
	add(0, 0, 1 * G, 64 * K, FIEMAP_EXTENT_ENCODED);
	add(1, 0, 1 * G, 64 * K, FIEMAP_EXTENT_ENCODED);
	compare(128 * K, 128 * K, 64 * K);
	expect(0, 0, 64 * K);
	expect_none(64 * K);
	ck_assert_uint_eq(bitmap.info.same_bytes, 0);
}
END_TEST

START_TEST(limits)
{
	ck_assert_int_eq(bitmap_begin(&bitmap, 0, 1 * G, 256), -EINVAL);
	ck_assert_int_eq(bitmap_begin(&bitmap, 0, 1 * G, 128 * M), -EINVAL);
	ck_assert_int_eq(bitmap_begin(&bitmap, 0, 1 * G, 5000), -EINVAL);
	ck_assert_int_eq(bitmap_begin(&bitmap, 1 * G, 0, 0), -ENODATA);
	ck_assert_int_eq(bitmap_begin(&bitmap, 0, 2 * T + 1, 512), -EFBIG);
	ck_assert_int_eq(bitmap_begin(&bitmap, 0, 2 * T, 512), 0);
	ck_assert_int_eq(seal_bitmap_write(&bitmap, -1, "", "/x"), -EINVAL);
	ck_assert_int_eq(seal_bitmap_write(&bitmap, -1, "x", "x"),
			 -ENAMETOOLONG);
	ck_assert_int_eq(seal_bitmap_write(&bitmap, -1, "x", "/x"), -EBADF);
}
END_TEST

START_TEST(the_header)
{
	struct image image;
	uint64_t pos, length;

	add(1, 0, 1 * G, 64 * K, 0);
	compare(1 * M, 1 * M, 4 * K);
	write_image(&image, "since-monday", "/srv/a:b.img");
	ck_assert_uint_eq(number(at(&image, 0, 4), 4), 0x514649fb);
	ck_assert_uint_eq(number(at(&image, 4, 4), 4), 3);
	ck_assert_uint_eq(number(at(&image, 8, 8), 8), 0);
	ck_assert_uint_eq(image.cluster, 64 * K);
	ck_assert_uint_eq(image.size, 1 * M);
	ck_assert_uint_eq(number(at(&image, 72, 8), 8), 4);
	ck_assert_uint_eq(number(at(&image, 80, 8), 8), 0);
	ck_assert_uint_eq(number(at(&image, 88, 8), 8), 3);
	ck_assert_uint_eq(number(at(&image, 100, 4), 4), 104);
	pos = extension(&image, 0x44415441, &length);
	ck_assert_uint_eq(length, 12);
	ck_assert_mem_eq(at(&image, pos, length), "/srv/a:b.img", length);
	pos = extension(&image, 0x23852875, &length);
	ck_assert_uint_eq(number(at(&image, pos, 4), 4), 1);
	ck_assert_uint_eq(number(at(&image, pos + 8, 8), 8), 40);
	pos = number(at(&image, pos + 16, 8), 8);
	ck_assert_uint_eq(number(at(&image, pos + 8, 4), 4), 1);
	ck_assert_uint_eq(number(at(&image, pos + 12, 4), 4), 0);
	ck_assert_uint_eq(*at(&image, pos + 16, 1), 1);
	ck_assert_uint_eq(*at(&image, pos + 17, 1), 12);
	ck_assert_uint_eq(number(at(&image, pos + 18, 2), 2), 12);
	ck_assert_mem_eq(at(&image, pos + 24, 12), "since-monday", 12);
	check_counts(&image);
	done(&image);
}
END_TEST

START_TEST(holes_are_not_mapped)
{
	struct image image;

	add(1, 2 * M, 1 * G, 4 * K, 0);
	add(1, 4 * M, 2 * G, 1 * M, FIEMAP_EXTENT_UNWRITTEN);
	add(1, 600 * M, 3 * G, 4 * K, 0);
	compare(700 * M, 700 * M, 1 * M);
	write_image(&image, "b", "/x");
	ck_assert(!is_mapped(&image, 0));
	ck_assert(is_mapped(&image, 2 * M));
	ck_assert(!is_mapped(&image, 2 * M + 64 * K));
	ck_assert(!is_mapped(&image, 4 * M));
	ck_assert(is_mapped(&image, 600 * M));
	check_bits(&image, 1 * M);
	check_counts(&image);
	done(&image);
}
END_TEST

/* Clusters of bits: one that is mixed, one all dirty, one all clean, the last. */
START_TEST(clusters_of_bits)
{
	struct image image;

	add(1, 4 * K, 1 * G, 4 * K, 0);
	add(1, 256 * M, 2 * G, 256 * M, 0);
	add(1, 768 * M, 4 * G, 1 * M, 0);
	compare(769 * M, 769 * M, 512);
	write_image(&image, "b", "/x");
	check_bits(&image, 512);
	check_counts(&image);
	/* counts 2, header, L1, two L2 tables, directory, table; bits of two */
	ck_assert_uint_eq(image.end, (8 + 2) * 64 * K);
	done(&image);
}
END_TEST

START_TEST(the_end_is_all_dirty)
{
	struct image image;

	add(1, 0, 1 * G, 256 * M + 3 * K, 0);
	compare(256 * M + 3 * K, 256 * M + 3 * K, 512);
	ck_assert_uint_eq(bitmap.info.dirty_granules, bitmap.info.granules);
	write_image(&image, "b", "/x");
	check_bits(&image, 512);
	/* Bits beyond the end are zeros. */
	ck_assert(!is_dirty(&image, 256 * M + 3 * K));
	done(&image);
}
END_TEST

START_TEST(a_large_sparse_disk)
{
	struct image image;

	add(0, 0, 1 * G, 1 * M, 0);
	add(1, 0, 1 * G, 1 * M, 0);
	add(1, 1 * T - 64 * K, 2 * G, 64 * K, 0);
	compare(1 * T, 1 * T, 64 * K);
	expect(0, 1 * T - 64 * K, 64 * K);
	write_image(&image, "b", "/x");
	ck_assert_uint_eq(image.cluster, 2 * M);
	ck_assert_uint_le(image.end, IMAGE_BYTES);
	ck_assert(is_mapped(&image, 1 * T - 1));
	ck_assert(!is_mapped(&image, 1 * T / 2));
	ck_assert(is_dirty(&image, 1 * T - 1));
	ck_assert(!is_dirty(&image, 0));
	check_counts(&image);
	done(&image);
}
END_TEST

/*
 * To look for data in each part must not be to look through all that follow: with
 * that it did not end within the limit of time.
 */
START_TEST(a_huge_sparse_disk)
{
	const uint64_t size = 200 * 1024 * T;
	struct image image;

	ck_assert_int_eq(bitmap_begin(&bitmap, 0, size, 64 * M), 0);
	ck_assert_int_eq(bits_set(&bitmap.data, bitmap.data.nr - 1,
				  bitmap.data.nr), 0);
	ck_assert_int_eq(bits_set(&bitmap.dirty, bitmap.dirty.nr - 1,
				  bitmap.dirty.nr), 0);
	write_image(&image, "b", "/x");
	ck_assert(is_mapped(&image, size - 1));
	ck_assert(is_dirty(&image, size - 1));
	ck_assert(!is_mapped(&image, size / 2));
	ck_assert(!is_dirty(&image, size / 2));
	done(&image);
}
END_TEST

static uint64_t seed;

static uint64_t rnd(uint64_t below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % below;
}

/* A set of bits against an array of them. */
START_TEST(sets)
{
	const uint64_t nr = 3 * BITS_CHUNK - 5;
	struct bits bits = { 0 };
	uint8_t copy[64];
	uint64_t i, first, end, count = 0;
	bool *model = calloc(nr, 1);

	ck_assert_ptr_nonnull(model);
	seed = (uint64_t)_i;
	ck_assert_int_eq(bits_init(&bits, nr), 0);
	for (i = 0; i < 200; i++) {
		first = rnd(nr);
		end = first + 1 + rnd(1 + rnd(_i % 2 ? nr : 100));
		if (end > nr)
			end = nr;
		if (rnd(40) == 0)
			first = 0;
		ck_assert_int_eq(bits_set(&bits, first, end), 0);
		memset(model + first, 1, end - first);
	}
	for (i = 0; i < nr; i++)
		count += model[i];
	ck_assert_uint_eq(bits_count(&bits), count);
	for (first = 0; first < nr; first = end) {
		for (end = first; end < nr && model[end] == model[first]; end++)
			;
		ck_assert_uint_eq(bits_next(&bits, first, model[first]), first);
		ck_assert_uint_eq(bits_next(&bits, first, !model[first]), end);
		ck_assert(!bits_any(&bits, first, end, !model[first]));
		ck_assert(bits_any(&bits, first, end, model[first]));
		ck_assert_int_eq(bits_any(&bits, first, end + 1, !model[first]),
				 end < nr);
	}
	for (i = 0; i < nr / 8; i += sizeof(copy)) {
		bits_copy(&bits, i, sizeof(copy), copy);
		for (first = 8 * i; first < 8 * (i + sizeof(copy)); first++)
			if ((copy[first / 8 - i] >> first % 8 & 1) !=
			    (first < nr && model[first]))
				ck_abort_msg("bit %llu",
					     (unsigned long long)first);
	}
	bits_free(&bits);
	free(model);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("bitmap");

	tcase_add_checked_fixture(tests, bitmap_setup, bitmap_teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, only_what_differs_is_dirty);
	tcase_add_test(tests, zeros);
	tcase_add_test(tests, sizes);
	tcase_add_test(tests, a_shorter_one);
	tcase_add_test(tests, what_has_no_address_is_dirty);
	tcase_add_test(tests, limits);
	tcase_add_test(tests, the_header);
	tcase_add_test(tests, holes_are_not_mapped);
	tcase_add_test(tests, clusters_of_bits);
	tcase_add_test(tests, the_end_is_all_dirty);
	tcase_add_test(tests, a_large_sparse_disk);
	tcase_add_test(tests, a_huge_sparse_disk);
	tcase_add_loop_test(tests, sets, 0, 20);
	return run_tests(tests, "bitmap");
}
