// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A bitmap as a qcow2 file over a raw one.
 *
 * The file has the header, counts of references, the tables L1 and L2, and one
 * persistent bitmap; all data are in the raw file, each cluster at the offset it
 * has on the virtual disk. Only clusters in which the raw file has data are in the
 * tables: others read as zeros, as they do in the raw file. The clusters of the
 * qcow2 file, in order:
 *
 *   header, table of counts, counts, L1, L2 tables, directory of bitmaps,
 *   table of the bitmap, data of the bitmap
 *
 * Numbers are big-endian. Clusters whose bits are all equal are not stored.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/bitmap.h"
#include "core/private.h"

#define MAGIC			0x514649fbU	/* "QFI" and 0xfb */
#define VERSION			3
#define HEADER_LENGTH		104
#define INCOMPAT_DATA_FILE	0x4ULL
#define AUTOCLEAR_BITMAPS	0x1ULL
#define AUTOCLEAR_RAW_DATA	0x2ULL
#define EXT_DATA_FILE		0x44415441U
#define EXT_BITMAPS		0x23852875U

/* Exactly one reference, in entries of L1 and L2. */
#define COPIED			0x8000000000000000ULL
#define ALL_ONES		1ULL
#define DIRTY_TRACKING		1

/* 1 << 4 bits for each count */
#define REFCOUNT_ORDER		4
#define MAX_L1_BYTES		(32ULL << 20)

#define MAX_NAME		1023
#define MAX_DATA_FILE		4095

/* What is not written is not there: disk blocks. */
#define SPARSE			4096U

struct header {
	uint32_t magic;
	uint32_t version;
	uint64_t backing_file_offset;
	uint32_t backing_file_size;
	uint32_t cluster_bits;
	uint64_t size;
	uint32_t crypt_method;
	uint32_t l1_size;
	uint64_t l1_table_offset;
	uint64_t refcount_table_offset;
	uint32_t refcount_table_clusters;
	uint32_t nb_snapshots;
	uint64_t snapshots_offset;
	uint64_t incompatible_features;
	uint64_t compatible_features;
	uint64_t autoclear_features;
	uint32_t refcount_order;
	uint32_t header_length;
};

struct extension {
	uint32_t type;
	uint32_t length;
};

struct bitmaps_extension {
	uint32_t nb_bitmaps;
	uint32_t reserved;
	uint64_t directory_size;
	uint64_t directory_offset;
};

struct directory_entry {
	uint64_t table_offset;
	uint32_t table_size;
	uint32_t flags;
	uint8_t type;
	uint8_t granularity_bits;
	uint16_t name_size;
	uint32_t extra_data_size;
};

_Static_assert(sizeof(struct header) == HEADER_LENGTH, "no padding");
_Static_assert(sizeof(struct bitmaps_extension) == 24, "no padding");
_Static_assert(sizeof(struct directory_entry) == 24, "no padding");

/* Numbers of clusters of the qcow2 file, and where its parts begin. */
struct image {
	const struct seal_bitmap *bitmap;
	int fd;
	uint64_t cluster;	/* bytes */
	uint8_t *buffer;	/* a cluster */
	uint64_t per_table;	/* entries of an L2 table */
	uint64_t l1_entries;
	uint64_t table_entries;
	uint64_t l1, l2, directory, table, data, end;
};

static uint64_t parts(uint64_t number, uint64_t part)
{
	return number / part + (number % part != 0);
}

static unsigned int log2_of(uint64_t number)
{
	return (unsigned int)__builtin_ctzll(number);
}

static int put(const struct image *image, const void *data, size_t length,
	       uint64_t offset)
{
	const char *from = data;
	ssize_t n;

	while (length) {
		n = pwrite(image->fd, from, length, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		from += n;
		offset += (uint64_t)n;
		length -= (size_t)n;
	}
	return 0;
}

static bool all_equal(const uint8_t *data, size_t length, uint8_t value)
{
	return !length || (data[0] == value &&
			   !memcmp(data, data + 1, length - 1));
}

/* The buffer as a cluster of the file. */
static int put_cluster(const struct image *image, uint64_t number)
{
	size_t at, from = 0, to = 0;
	int ret;

	for (at = 0; at < image->cluster; at += SPARSE) {
		if (!all_equal(image->buffer + at, SPARSE, 0)) {
			to = at + SPARSE;
			continue;
		}
		ret = put(image, image->buffer + from, to - from,
			  number * image->cluster + from);
		if (ret)
			return ret;
		from = at + SPARSE;
		to = from;
	}
	return put(image, image->buffer + from, to - from,
		   number * image->cluster + from);
}

static uint64_t *entries(const struct image *image)
{
	return (uint64_t *)(void *)image->buffer;
}

static void clear(const struct image *image)
{
	memset(image->buffer, 0, image->cluster);
}

/* Is there data in what this L2 table is for? */
static bool has_data(const struct image *image, uint64_t l1_index)
{
	uint64_t first = l1_index * image->per_table;

	return bits_any(&image->bitmap->data, first, first + image->per_table,
			true);
}

/* The entry for a cluster of the bitmap's bits, 0 if it has to be stored. */
static bool is_plain(const struct image *image, uint64_t index, uint64_t *entry)
{
	const struct bits *dirty = &image->bitmap->dirty;
	uint64_t first = index * image->cluster * 8;
	uint64_t end = first + image->cluster * 8;

	*entry = 0;
	if (!bits_any(dirty, first, end, true))
		return true;
	*entry = ALL_ONES;
	/* The last one has bits beyond the end, which have to be zeros. */
	return end <= dirty->nr && !bits_any(dirty, first, end, false);
}

static int plan(struct image *image)
{
	const struct seal_bitmap_info *info = &image->bitmap->info;
	uint64_t i, entry;

	image->per_table = image->cluster / sizeof(uint64_t);
	image->l1_entries = parts(info->size,
				  image->cluster * image->per_table);
	image->table_entries = parts(parts(info->granules, 8), image->cluster);
	if (image->l1_entries * sizeof(uint64_t) > MAX_L1_BYTES)
		return -EFBIG;
	image->l1 = 3;
	image->l2 = image->l1 + parts(image->l1_entries, image->per_table);
	image->directory = image->l2;
	for (i = 0; i < image->l1_entries; i++)
		image->directory += has_data(image, i);
	image->table = image->directory + 1;
	image->data = image->table + parts(image->table_entries,
					   image->per_table);
	image->end = image->data;
	for (i = 0; i < image->table_entries; i++)
		image->end += !is_plain(image, i, &entry);
	/* One cluster of counts has to do. */
	return image->end > image->cluster * 8 >> REFCOUNT_ORDER ? -EFBIG : 0;
}

static uint8_t *put_extension(uint8_t *at, uint32_t type, const void *data,
			      size_t length)
{
	struct extension extension = {
		.type = htobe32(type),
		.length = htobe32((uint32_t)length),
	};

	memcpy(at, &extension, sizeof(extension));
	memcpy(at + sizeof(extension), data, length);
	return at + sizeof(extension) + (length + 7) / 8 * 8;
}

static size_t directory_size(const char *name)
{
	return (sizeof(struct directory_entry) + strlen(name) + 7) / 8 * 8;
}

static int put_header(const struct image *image, const char *name,
		      const char *data_file)
{
	struct header header = {
		.magic = htobe32(MAGIC),
		.version = htobe32(VERSION),
		.cluster_bits = htobe32(log2_of(image->cluster)),
		.size = htobe64(image->bitmap->info.size),
		.l1_size = htobe32((uint32_t)image->l1_entries),
		.l1_table_offset = htobe64(image->l1 * image->cluster),
		.refcount_table_offset = htobe64(image->cluster),
		.refcount_table_clusters = htobe32(1),
		.incompatible_features = htobe64(INCOMPAT_DATA_FILE),
		.autoclear_features = htobe64(AUTOCLEAR_BITMAPS |
					      AUTOCLEAR_RAW_DATA),
		.refcount_order = htobe32(REFCOUNT_ORDER),
		.header_length = htobe32(HEADER_LENGTH),
	};
	struct bitmaps_extension bitmaps = {
		.nb_bitmaps = htobe32(1),
		.directory_size = htobe64(directory_size(name)),
		.directory_offset = htobe64(image->directory * image->cluster),
	};
	uint8_t *at = image->buffer + sizeof(header);

	clear(image);
	memcpy(image->buffer, &header, sizeof(header));
	at = put_extension(at, EXT_DATA_FILE, data_file, strlen(data_file));
	put_extension(at, EXT_BITMAPS, &bitmaps, sizeof(bitmaps));
	/* The end of the extensions is zeros. */
	return put_cluster(image, 0);
}

static int put_counts(const struct image *image)
{
	uint16_t *counts = (uint16_t *)(void *)image->buffer;
	uint64_t i;
	int ret;

	clear(image);
	entries(image)[0] = htobe64(2 * image->cluster);
	ret = put_cluster(image, 1);
	if (ret)
		return ret;
	clear(image);
	for (i = 0; i < image->end; i++)
		counts[i] = htobe16(1);
	return put_cluster(image, 2);
}

/*
 * A table that is longer than a cluster, perhaps: a function fills in each entry,
 * and counts the clusters that those use.
 */
static int put_table(const struct image *image, uint64_t first,
		     uint64_t nr, uint64_t target,
		     uint64_t (*entry)(const struct image *image, uint64_t i,
				       uint64_t *target))
{
	uint64_t i;
	int ret;

	clear(image);
	for (i = 0; i < nr; i++) {
		entries(image)[i % image->per_table] =
			htobe64(entry(image, i, &target));
		if ((i + 1) % image->per_table && i + 1 < nr)
			continue;
		ret = put_cluster(image, first++);
		if (ret)
			return ret;
		clear(image);
	}
	return 0;
}

static uint64_t l1_entry(const struct image *image, uint64_t i,
			 uint64_t *target)
{
	return has_data(image, i) ? (*target)++ * image->cluster | COPIED : 0;
}

static uint64_t table_entry(const struct image *image, uint64_t i,
			    uint64_t *target)
{
	uint64_t entry;

	if (is_plain(image, i, &entry))
		return entry;
	return (*target)++ * image->cluster;
}

/* Each cluster of the virtual disk is at its offset in the raw file. */
static void fill_l2(const struct image *image, uint64_t l1_index)
{
	const struct bits *data = &image->bitmap->data;
	uint64_t first = l1_index * image->per_table;
	uint64_t end = first + image->per_table;
	uint64_t i = first;

	clear(image);
	while ((i = bits_next(data, i, true)) < end && i < data->nr) {
		entries(image)[i - first] = htobe64(i * image->cluster | COPIED);
		i++;
	}
}

static int put_l2_tables(const struct image *image)
{
	uint64_t i, number = image->l2;
	int ret;

	for (i = 0; i < image->l1_entries; i++) {
		if (!has_data(image, i))
			continue;
		fill_l2(image, i);
		ret = put_cluster(image, number++);
		if (ret)
			return ret;
	}
	return 0;
}

static int put_directory(const struct image *image, const char *name)
{
	struct directory_entry entry = {
		.table_offset = htobe64(image->table * image->cluster),
		.table_size = htobe32((uint32_t)image->table_entries),
		.type = DIRTY_TRACKING,
		.granularity_bits = (uint8_t)
			log2_of(image->bitmap->info.granularity),
		.name_size = htobe16((uint16_t)strlen(name)),
	};

	clear(image);
	memcpy(image->buffer, &entry, sizeof(entry));
	memcpy(image->buffer + sizeof(entry), name, strlen(name));
	return put_cluster(image, image->directory);
}

static int put_bits(const struct image *image)
{
	uint64_t i, entry, number = image->data;
	int ret;

	for (i = 0; i < image->table_entries; i++) {
		if (is_plain(image, i, &entry))
			continue;
		bits_copy(&image->bitmap->dirty, i * image->cluster,
			  image->cluster, image->buffer);
		ret = put_cluster(image, number++);
		if (ret)
			return ret;
	}
	return 0;
}

static int put_all(const struct image *image, const char *name,
		   const char *data_file)
{
	int ret;

	ret = put_header(image, name, data_file);
	if (!ret)
		ret = put_counts(image);
	if (!ret)
		ret = put_table(image, image->l1, image->l1_entries, image->l2,
				l1_entry);
	if (!ret)
		ret = put_l2_tables(image);
	if (!ret)
		ret = put_directory(image, name);
	if (!ret)
		ret = put_table(image, image->table, image->table_entries,
				image->data, table_entry);
	if (!ret)
		ret = put_bits(image);
	if (!ret && ftruncate(image->fd,
			      (off_t)(image->end * image->cluster)) < 0)
		ret = -errno;
	return ret;
}

SEAL_EXPORT int seal_bitmap_write(const struct seal_bitmap *bitmap, int fd,
				  const char *name, const char *data_file)
{
	struct image image = {
		.bitmap = bitmap,
		.fd = fd,
		.cluster = bitmap->cluster,
	};
	int ret;

	if (!*name || strlen(name) > MAX_NAME)
		return -EINVAL;
	if (*data_file != '/' || strlen(data_file) > MAX_DATA_FILE)
		return -ENAMETOOLONG;
	ret = plan(&image);
	if (ret)
		return ret;
	image.buffer = malloc(image.cluster);
	if (!image.buffer)
		return -ENOMEM;
	ret = put_all(&image, name, data_file);
	free(image.buffer);
	return ret;
}
