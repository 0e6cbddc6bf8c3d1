// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl offset: where a file that is in one piece begins on its device.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/plain_map.h"
#include "cmd/cmd.h"

#define SECTOR		512
#define MAX_PIECES	10

enum { OPT_BYTES = 256, OPT_PAGES, OPT_SECTORS };

static const struct option options[] = {
	{ "bytes", no_argument, NULL, OPT_BYTES },
	{ "pages", no_argument, NULL, OPT_PAGES },
	{ "sectors", no_argument, NULL, OPT_SECTORS },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

/* The pieces of a file: extents, and holes between and after them. */
struct pieces {
	unsigned int nr;
	struct plain_extent first;
	uint64_t pos;
	uint64_t size;
};

static void name_piece(struct pieces *pieces, uint64_t start, uint64_t end,
		       const struct plain_extent *extent)
{
	pieces->nr++;
	if (pieces->nr > MAX_PIECES)
		return;
	fprintf(stderr, "  bytes %" PRIu64 " to %" PRIu64 ": ", start, end - 1);
	if (extent)
		fprintf(stderr, "address %" PRIu64 "\n", extent->physical);
	else
		fputs("hole\n", stderr);
}

static bool in_one_piece(const struct pieces *pieces)
{
	return !pieces->first.logical &&
	       pieces->first.length >= pieces->size;
}

/* The whole list is for those that are in several; what it says is an error. */
static int walk(struct pieces *pieces, struct plain_map *map)
{
	struct plain_extent extent;
	bool said = false;
	int ret;

	while ((ret = plain_map_next(map, &extent)) > 0) {
		if (extent.logical >= pieces->size)
			break;
		if (!pieces->pos && !extent.logical)
			pieces->first = extent;
		if (in_one_piece(pieces))
			return 0;
		if (!said)
			fputs("sealctl: the pieces:\n", stderr);
		said = true;
		if (extent.logical > pieces->pos)
			name_piece(pieces, pieces->pos, extent.logical, NULL);
		pieces->pos = extent.logical + extent.length;
		name_piece(pieces, extent.logical, pieces->pos < pieces->size ?
			   pieces->pos : pieces->size, &extent);
	}
	if (ret >= 0 && pieces->pos < pieces->size)
		name_piece(pieces, pieces->pos, pieces->size, NULL);
	if (pieces->nr > MAX_PIECES)
		fprintf(stderr, "  and %u more\n", pieces->nr - MAX_PIECES);
	return ret < 0 ? ret : -EFBIG;
}

static int find(const char *path, int fd, uint64_t *physical)
{
	struct pieces pieces = { 0 };
	struct plain_map map;
	struct stat st;
	int ret;

	if (fstat(fd, &st) < 0) {
		complain(path, "%s", strerror(errno));
		return -errno;
	}
	if (!st.st_size) {
		complain(path, "empty, it has no blocks");
		return -ENODATA;
	}
	pieces.size = (uint64_t)st.st_size;
	ret = plain_map_open(&map, fd);
	if (!ret) {
		ret = walk(&pieces, &map);
		plain_map_close(&map);
	}
	*physical = pieces.first.physical;
	if (ret == -EFBIG)
		complain(path,
			 "not in one piece but in %u; make it anew on a filesystem with more room (fallocate, then \"sealctl prealloc --written\")",
			 pieces.nr);
	else if (ret)
		complain(path, "its blocks have no plain addresses: %s",
			 strerror(-ret));
	return ret;
}

static int print_in(const char *path, uint64_t physical, uint64_t unit,
		    const char *name)
{
	if (physical % unit) {
		complain(path, "it begins within a %s of %" PRIu64 " bytes, at address %" PRIu64,
			 name, unit, physical);
		return STATUS_FAILED;
	}
	printf("%" PRIu64 "\n", physical / unit);
	return STATUS_OK;
}

static void print_all(int fd, uint64_t physical, uint64_t page)
{
	unsigned int major_number, minor_number;
	struct seal_map *map;
	char name[64] = "";

	if (!seal_map_open(fd, &map)) {
		seal_map_device(map, &major_number, &minor_number, name,
				sizeof(name));
		seal_map_close(map);
		printf("device %s (%u:%u)\n", *name ? name : "-", major_number,
		       minor_number);
	}
	printf("bytes %" PRIu64 "\n", physical);
	if (physical % SECTOR == 0)
		printf("sectors %" PRIu64 "\n", physical / SECTOR);
	if (physical % page == 0)
		printf("pages %" PRIu64 " (resume_offset)\n", physical / page);
}

int cmd_offset(const struct verb *verb, int argc, char **argv)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	int status = STATUS_FAILED;
	uint64_t physical = 0;
	int unit = 0;
	int option, fd;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case OPT_BYTES:
		case OPT_PAGES:
		case OPT_SECTORS:
			unit = option;
			break;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
	}
	if (optind + 1 != argc)
		return verb_usage(verb);
	fd = open_file(argv[optind], O_RDONLY);
	if (fd < 0)
		return STATUS_FAILED;
	if (!find(argv[optind], fd, &physical)) {
		status = STATUS_OK;
		if (unit == OPT_BYTES)
			status = print_in(argv[optind], physical, 1, "byte");
		else if (unit == OPT_PAGES)
			status = print_in(argv[optind], physical, page, "page");
		else if (unit == OPT_SECTORS)
			status = print_in(argv[optind], physical, SECTOR,
					  "sector");
		else
			print_all(fd, physical, page);
	}
	close(fd);
	return status;
}
