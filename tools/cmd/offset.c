// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl offset: print where a file begins on its device.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/addresses.h"
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

/*
 * The pieces of a file. A piece is contiguous on the device, in whatever states
 * its blocks are, or a hole.
 */
struct pieces {
	unsigned int nr;
	unsigned int holes;
	uint64_t first;		/* address of the first byte */
	uint64_t logical;	/* the piece that is being joined */
	uint64_t physical;	/* 0: a hole */
	uint64_t pos;		/* the end of the piece */
	uint64_t size;
	bool tell;
};

static void end_piece(struct pieces *pieces)
{
	if (pieces->pos == pieces->logical)
		return;
	pieces->nr++;
	if (!pieces->physical)
		pieces->holes++;
	if (pieces->tell && pieces->nr <= MAX_PIECES) {
		fprintf(stderr, "  bytes %" PRIu64 " to %" PRIu64 ": ",
			pieces->logical, pieces->pos - 1);
		if (pieces->physical)
			fprintf(stderr, "address %" PRIu64 "\n",
				pieces->physical);
		else
			fputs("hole\n", stderr);
	}
	pieces->logical = pieces->pos;
}

static void add(struct pieces *pieces, uint64_t physical, uint64_t end)
{
	bool follows = pieces->physical &&
		       physical == pieces->physical +
				   (pieces->pos - pieces->logical);

	if (end > pieces->size)
		end = pieces->size;
	if (!follows || pieces->pos == pieces->logical) {
		end_piece(pieces);
		pieces->physical = physical;
	}
	pieces->pos = end;
}

static int walk(struct pieces *pieces, struct plain_map *map)
{
	struct plain_extent extent;
	int ret;

	while ((ret = plain_map_next(map, &extent)) > 0) {
		if (extent.logical >= pieces->size)
			break;
		if (extent.logical > pieces->pos)
			add(pieces, 0, extent.logical);
		if (!extent.logical)
			pieces->first = extent.physical;
		add(pieces, extent.physical, extent.logical + extent.length);
	}
	if (ret < 0)
		return ret;
	if (pieces->pos < pieces->size)
		add(pieces, 0, pieces->size);
	end_piece(pieces);
	return 0;
}

static int walk_file(struct pieces *pieces, int fd, uint64_t size, bool tell)
{
	struct plain_map map;
	int ret = plain_map_open(&map, fd);

	*pieces = (struct pieces){ .size = size, .tell = tell };
	if (ret)
		return ret;
	ret = walk(pieces, &map);
	plain_map_close(&map);
	return ret;
}

static void tell_pieces(int fd, uint64_t size)
{
	struct pieces pieces;

	fflush(stdout);
	fputs("sealctl: the pieces:\n", stderr);
	walk_file(&pieces, fd, size, true);
	if (pieces.nr > MAX_PIECES)
		fprintf(stderr, "  and %u more\n", pieces.nr - MAX_PIECES);
}

/*
 * For hibernation, the kernel maps a swap file itself and is told only where
 * its first page is: the file may be in pieces, but must not have holes. Other
 * readers begin at the address and go on from there, so for them the file must
 * be one piece.
 */
static int judge(const char *path, int fd, const struct pieces *pieces,
		 bool for_swap)
{
	if (pieces->holes) {
		tell_pieces(fd, pieces->size);
		complain(path,
			 "it has holes; fill them with \"sealctl prealloc --written\", or make it anew with \"sealctl swapfile\"");
		return -EFBIG;
	}
	if (pieces->nr <= 1)
		return 0;
	if (for_swap) {
		complain(path,
			 "it is in %u pieces; as a swap file it works all the same, and this is where it begins",
			 pieces->nr);
		return 0;
	}
	tell_pieces(fd, pieces->size);
	complain(path,
		 "not in one piece but in %u; make it anew on a filesystem with more room (fallocate, then \"sealctl prealloc --written\")",
		 pieces->nr);
	return -EFBIG;
}

static int find(const char *path, int fd, bool for_swap, uint64_t *physical)
{
	struct pieces pieces;
	struct stat st;
	char name[32];
	int ret;

	if (fstat(fd, &st) < 0) {
		complain(path, "%s", strerror(errno));
		return -errno;
	}
	if (!st.st_size) {
		complain(path, "empty, it has no blocks");
		return -ENODATA;
	}
	if (!addresses_mean(fd, name, sizeof(name))) {
		complain(path,
			 "on %s what is reported as addresses are none of a device; files on XFS and ext4 have some",
			 name);
		return -EOPNOTSUPP;
	}
	ret = walk_file(&pieces, fd, (uint64_t)st.st_size, false);
	if (ret) {
		complain(path, "its blocks have no plain addresses: %s",
			 strerror(-ret));
		return ret;
	}
	*physical = pieces.first;
	return judge(path, fd, &pieces, for_swap);
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
	bool again = false;
	int unit = 0;
	int option, fd;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case OPT_BYTES:
		case OPT_PAGES:
		case OPT_SECTORS:
			again |= unit && unit != option;
			unit = option;
			break;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
	}
	if (again || optind + 1 != argc)
		return verb_usage(verb);
	fd = open_file(argv[optind], O_RDONLY);
	if (fd < 0)
		return STATUS_FAILED;
	if (!find(argv[optind], fd, unit == OPT_PAGES, &physical)) {
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
