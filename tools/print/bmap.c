// SPDX-License-Identifier: GPL-2.0-only
/*
 * The differences of two files as a block map for bmaptool (format 2.0). With
 * it, "bmaptool copy" writes only the blocks that differ from NEW to a copy of
 * OLD. Without OLD, the map has the blocks that have data; or all of them, those
 * that read as zeros in ranges of their own and without a checksum, so that
 * nothing has to be read to make one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sha2.h>
#include <unistd.h>

#include "print/diff.h"

#define CHUNK (1024 * 1024)

/* Stands for the checksum of the file itself while that is computed. */
#define NO_CHECKSUM \
	"0000000000000000000000000000000000000000000000000000000000000000"

struct bmap {
	const struct diff_files *files;
	uint32_t block;
	uint64_t size;
	uint64_t mapped;	/* blocks */
	FILE *ranges;		/* their text, printed after the number */
	char *buffer;
};

static int hash_range(struct bmap *bmap, uint64_t offset, uint64_t length,
		      char text[SHA256_DIGEST_STRING_LENGTH])
{
	SHA2_CTX context;
	size_t part;
	ssize_t n;

	SHA256Init(&context);
	while (length) {
		part = length < CHUNK ? (size_t)length : CHUNK;
		n = pread(bmap->files->new_fd, bmap->buffer, part,
			  (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ESTALE;
		SHA256Update(&context, (const uint8_t *)bmap->buffer,
			     (size_t)n);
		offset += (uint64_t)n;
		length -= (uint64_t)n;
	}
	SHA256End(&context, text);
	return 0;
}

/* Put the blocks from @first to before @end. */
static int put_range(struct bmap *bmap, uint64_t first, uint64_t end, bool zeros)
{
	char text[SHA256_DIGEST_STRING_LENGTH];
	uint64_t to = end * bmap->block;
	int ret;

	if (first == end)
		return 0;
	if (to > bmap->size)
		to = bmap->size;
	fputs("        <Range", bmap->ranges);
	if (!zeros) {
		ret = hash_range(bmap, first * bmap->block,
				 to - first * bmap->block, text);
		if (ret)
			return ret;
		fprintf(bmap->ranges, " chksum=\"%s\"", text);
	}
	bmap->mapped += end - first;
	fprintf(bmap->ranges, "> %" PRIu64, first);
	if (end - first > 1)
		fprintf(bmap->ranges, "-%" PRIu64, end - 1);
	fputs(" </Range>\n", bmap->ranges);
	return 0;
}

/* Join ranges that touch. Blocks that became zeros are written, too. */
static int put_ranges(struct bmap *bmap)
{
	const struct diff_files *files = bmap->files;
	struct seal_diff_range range;
	uint64_t first = 0, end = 0;
	uint64_t from, to;
	bool zeros = false, was_zeros = false;
	int next, ret;

	while ((next = diff_files_next(files, &range)) > 0) {
		*files->different = true;
		if (range.kind != SEAL_DIFF_DATA && range.kind != SEAL_DIFF_ZERO)
			continue;
		zeros = files->zeros && range.kind == SEAL_DIFF_ZERO;
		from = range.offset / bmap->block;
		to = (range.offset + range.length + bmap->block - 1) /
		     bmap->block;
		if (from > end || zeros != was_zeros) {
			ret = put_range(bmap, first, end, was_zeros);
			if (ret)
				return ret;
			first = from;
		} else if (first == end) {
			first = from;
		}
		was_zeros = zeros;
		end = to;
	}
	return next < 0 ? next : put_range(bmap, first, end, was_zeros);
}

static void header(const struct bmap *bmap, const char *checksum, char *text,
		   size_t size)
{
	snprintf(text, size,
		 "<?xml version=\"1.0\" ?>\n<bmap version=\"2.0\">\n"
		 "    <ImageSize> %" PRIu64 " </ImageSize>\n"
		 "    <BlockSize> %" PRIu32 " </BlockSize>\n"
		 "    <BlocksCount> %" PRIu64 " </BlocksCount>\n"
		 "    <MappedBlocksCount> %" PRIu64 " </MappedBlocksCount>\n"
		 "    <ChecksumType> sha256 </ChecksumType>\n"
		 "    <BmapFileChecksum> %s </BmapFileChecksum>\n"
		 "    <BlockMap>\n",
		 bmap->size, bmap->block,
		 (bmap->size + bmap->block - 1) / bmap->block, bmap->mapped,
		 checksum);
}

static int print_all(struct bmap *bmap)
{
	static const char footer[] = "    </BlockMap>\n</bmap>\n";
	char text[SHA256_DIGEST_STRING_LENGTH];
	SHA2_CTX context;
	char top[1024];
	size_t n;

	header(bmap, NO_CHECKSUM, top, sizeof(top));
	SHA256Init(&context);
	SHA256Update(&context, (const uint8_t *)top, strlen(top));
	rewind(bmap->ranges);
	while ((n = fread(bmap->buffer, 1, CHUNK, bmap->ranges)) > 0)
		SHA256Update(&context, (const uint8_t *)bmap->buffer, n);
	SHA256Update(&context, (const uint8_t *)footer, strlen(footer));
	SHA256End(&context, text);

	header(bmap, text, top, sizeof(top));
	fputs(top, stdout);
	rewind(bmap->ranges);
	while ((n = fread(bmap->buffer, 1, CHUNK, bmap->ranges)) > 0)
		fwrite(bmap->buffer, 1, n, stdout);
	fputs(footer, stdout);
	return ferror(bmap->ranges) ? -EIO : 0;
}

int print_diff_bmap(const struct diff_files *files)
{
	struct bmap bmap = { .files = files };
	struct seal_identity identity;
	uint64_t old_size;
	int ret;

	seal_diff_sizes(files->diff, &old_size, &bmap.size);
	ret = seal_identity(files->new_fd, &identity);
	if (ret)
		return ret;
	bmap.block = identity.block_size;
	bmap.buffer = malloc(CHUNK);
	if (!bmap.buffer)
		return -ENOMEM;
	bmap.ranges = tmpfile();
	ret = bmap.ranges ? put_ranges(&bmap) : -errno;
	if (!ret && (fflush(bmap.ranges) || ferror(bmap.ranges)))
		ret = -EIO;
	if (!ret)
		ret = print_all(&bmap);
	if (bmap.ranges)
		fclose(bmap.ranges);
	free(bmap.buffer);
	return ret;
}
