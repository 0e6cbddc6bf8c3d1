// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client: it asks the server where the blocks are, and writes them itself.
 * It never mounts the filesystem, and needs neither the module nor the file.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol.h"

int bs_send(int socket, const void *data, size_t size)
{
	while (size) {
		ssize_t n = send(socket, data, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data = (const char *)data + n;
		size -= n;
	}
	return 0;
}

int bs_receive(int socket, void *data, size_t size)
{
	while (size) {
		ssize_t n = recv(socket, data, size, MSG_WAITALL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data = (char *)data + n;
		size -= n;
	}
	return 0;
}

/* One answer; recalls on the way are remembered. */
static int answer(struct bs_client *client, uint32_t op, struct bs_answer *out)
{
	do {
		if (bs_receive(client->socket, out, sizeof(*out)))
			return -EPIPE;
		if (out->op == BS_RECALL) {
			client->recall_offset = out->offset;
			client->recall_length = out->length;
		}
	} while (out->op == BS_RECALL && op != BS_RECALL);
	return out->op == op ? out->error : -EPROTO;
}

static int ask(struct bs_client *client, uint32_t op, uint64_t offset,
	       uint64_t length, uint64_t new_size, struct bs_answer *out)
{
	struct bs_request request = {
		.op = op, .offset = offset, .length = length,
		.new_size = new_size,
	};

	if (bs_send(client->socket, &request, sizeof(request)))
		return -EPIPE;
	return answer(client, op, out);
}

static int dial(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *at;
	int fd = -1;

	if (getaddrinfo(host, port, &hints, &list))
		return -EHOSTUNREACH;
	for (at = list; at && fd < 0; at = at->ai_next) {
		fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen)) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	return fd < 0 ? -ECONNREFUSED : fd;
}

int bs_connect(struct bs_client *client, const char *host, const char *port,
	       const char *device)
{
	struct bs_answer hello;
	int ret;

	memset(client, 0, sizeof(*client));
	client->device = open(device, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (client->device < 0)
		return -errno;
	client->socket = dial(host, port);
	if (client->socket < 0) {
		close(client->device);
		return client->socket;
	}
	ret = ask(client, BS_HELLO, 0, 0, 0, &hello);
	if (ret) {
		bs_disconnect(client);
		return ret;
	}
	client->unit = hello.unit;
	client->size = hello.size;
	return 0;
}

int bs_layoutget(struct bs_client *client, uint64_t offset, uint64_t length,
		 struct seal_grant_extent *extents, unsigned int *nr,
		 uint64_t *done)
{
	struct bs_answer out;
	int ret = ask(client, BS_LAYOUTGET, offset, length, 0, &out);

	if (ret)
		return ret;
	if (out.nr > BS_MAX_EXTENTS)
		return -EPROTO;
	*nr = out.nr;
	*done = out.length;
	return bs_receive(client->socket, extents, out.nr * sizeof(*extents)) ?
	       -EPIPE : 0;
}

int bs_write(struct bs_client *client, const struct seal_grant_extent *extents,
	     unsigned int nr, uint64_t offset, const void *data,
	     uint64_t length)
{
	uint64_t end = offset + length;

	for (unsigned int i = 0; i < nr; i++) {
		const struct seal_grant_extent *e = &extents[i];
		uint64_t start = e->logical > offset ? e->logical : offset;
		uint64_t stop = e->logical + e->length;

		if (stop > end)
			stop = end;
		if (start >= stop)
			continue;
		/* the device may have another number here: it is ours to know */
		if (pwrite(client->device, (const char *)data + (start - offset),
			   stop - start, e->physical + (start - e->logical)) !=
		    (ssize_t)(stop - start))
			return -EIO;
	}
	return 0;
}

int bs_flush(struct bs_client *client)
{
	return fdatasync(client->device) ? -errno : 0;
}

int bs_commit(struct bs_client *client, uint64_t offset, uint64_t length,
	      uint64_t new_size)
{
	struct bs_answer out;
	int ret = ask(client, BS_LAYOUTCOMMIT, offset, length, new_size, &out);

	if (!ret)
		client->size = out.size;
	return ret;
}

int bs_return(struct bs_client *client, uint64_t offset, uint64_t length)
{
	struct bs_answer out;

	return ask(client, BS_LAYOUTRETURN, offset, length, 0, &out);
}

int bs_read(struct bs_client *client, uint64_t offset, void *data,
	    uint64_t length)
{
	struct bs_answer out;
	int ret = ask(client, BS_READ, offset, length, 0, &out);

	if (ret)
		return ret;
	if (out.length != length)
		return -EPROTO;
	return bs_receive(client->socket, data, length) ? -EPIPE : 0;
}

int bs_wait_recall(struct bs_client *client)
{
	struct bs_answer out;

	return client->recall_length ? 0 : answer(client, BS_RECALL, &out);
}

void bs_disconnect(struct bs_client *client)
{
	close(client->socket);
	close(client->device);
}
