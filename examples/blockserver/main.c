// SPDX-License-Identifier: GPL-2.0-only
/*
 * blockserver: clients write the blocks of a file, on a device they share.
 *
 *   blockserver serve [--sticky] FILE PORT
 *	seal FILE (on XFS) and serve it; needs root
 *   blockserver write [--keep] HOST PORT DEVICE OFFSET <data
 *	from another machine that sees the same disk as DEVICE; with --keep the
 *	blocks are given back only when the server recalls them
 *   blockserver read HOST PORT DEVICE OFFSET LENGTH >data
 *	through the file, by the server
 *
 * docs/BLOCKSERVER.md explains what must be true for this to be safe.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol.h"

#define CHUNK	(1U << 20)
#define TRIES	100

static void failed(const char *what, int error)
{
	errx(1, "%s: %s", what, strerror(-error));
}

static char *buffer(void)
{
	void *data;

	if (posix_memalign(&data, 4096, CHUNK))
		errx(1, "out of memory");
	return data;
}

/* What others have is recalled from them: it takes its time. */
static void get(struct bs_client *client, uint64_t offset, uint64_t length,
		struct seal_grant_extent *extents, unsigned int *nr,
		uint64_t *done)
{
	int ret = -EAGAIN;

	for (int i = 0; ret == -EAGAIN && i < TRIES; i++) {
		ret = bs_layoutget(client, offset, length, extents, nr, done);
		if (ret == -EAGAIN)
			usleep(100000);
	}
	if (ret)
		failed("layout", ret);
}

static void write_range(struct bs_client *client, uint64_t offset,
			const char *data, uint64_t length)
{
	struct seal_grant_extent extents[BS_MAX_EXTENTS];
	uint64_t done, end;
	unsigned int nr;
	int ret;

	while (length) {
		get(client, offset, length, extents, &nr, &done);
		end = offset + done;
		ret = bs_write(client, extents, nr, offset, data, done);
		if (!ret)
			ret = bs_flush(client);
		if (!ret)
			ret = bs_commit(client, offset, done,
					end > client->size ? end : 0);
		if (ret)
			failed("write", ret);
		offset = end;
		data += done;
		length -= done;
	}
}

static void write_input(struct bs_client *client, uint64_t offset)
{
	char *data = buffer();
	uint64_t start = offset;
	size_t n;

	while ((n = fread(data, 1, CHUNK, stdin)) > 0) {
		if (n % client->unit || offset % client->unit)
			errx(1, "offset and length must be multiples of %u",
			     client->unit);
		write_range(client, offset, data, n);
		offset += n;
	}
	free(data);
	printf("wrote %llu bytes\n", (unsigned long long)(offset - start));
	fflush(stdout);
}

static void give_back(struct bs_client *client, uint64_t offset, uint64_t length)
{
	int ret = bs_return(client, offset, length);

	if (ret)
		failed("return", ret);
}

static void read_output(struct bs_client *client, uint64_t offset,
			uint64_t length)
{
	char *data = buffer();

	while (length) {
		uint64_t n = length < CHUNK ? length : CHUNK;
		int ret = bs_read(client, offset, data, n);

		if (ret)
			failed("read", ret);
		if (fwrite(data, 1, n, stdout) != n)
			err(1, "output");
		offset += n;
		length -= n;
	}
	free(data);
}

int main(int argc, char **argv)
{
	int option = argc > 2 && !strncmp(argv[2], "--", 2);
	char **arg = argv + 2 + option;
	int nr = argc - 2 - option, ret;
	struct bs_client client;

	if (argc > 1 && !strcmp(argv[1], "serve") && nr == 2)
		return bs_serve(arg[0], arg[1], option);
	if (argc < 2 || !((!strcmp(argv[1], "write") && nr == 4) ||
			  (!strcmp(argv[1], "read") && nr == 5 && !option)))
		errx(2, "usage: serve [--sticky] FILE PORT | write [--keep] HOST PORT DEVICE OFFSET | read HOST PORT DEVICE OFFSET LENGTH");
	ret = bs_connect(&client, arg[0], arg[1], arg[2]);
	if (ret)
		failed("server or device", ret);
	if (nr == 5) {
		read_output(&client, strtoull(arg[3], NULL, 0),
			    strtoull(arg[4], NULL, 0));
	} else {
		write_input(&client, strtoull(arg[3], NULL, 0));
		while (option && !bs_wait_recall(&client)) {
			give_back(&client, client.recall_offset,
				  client.recall_length);
			printf("gave back %llu bytes\n",
			       (unsigned long long)client.recall_length);
			fflush(stdout);
			client.recall_length = 0;
		}
		if (!option)
			give_back(&client, 0, (INT64_MAX / client.unit) *
					      client.unit);
	}
	bs_disconnect(&client);
	return 0;
}
