// SPDX-License-Identifier: GPL-2.0-only
/*
 * blockread FILE: another process reads a file, but only its blocks.
 *
 * The server seals FILE and hands its client, over a socket, the map and a
 * descriptor of the device. The client never opens the file: it reads the
 * blocks with direct I/O and writes the contents to the standard output. What
 * makes that safe is the seal, which the server holds until the client has
 * finished: no block of the file can become another file's meanwhile. Who wants
 * to change the file either waits for that, for some seconds, or is refused; the
 * server is told of both.
 *
 *   cc blockread.c $(pkg-config --cflags --libs libseal libseal-events) -o blockread
 *   ./blockread disk.img | cmp - disk.img
 *
 * Blocks are read past the page cache of the file, so whoever writes to the
 * file has to use direct I/O or fsync(2) first; sealing wrote back what was
 * dirty then.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <libseal-events.h>
#include <libseal.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK (1024 * 1024)
#define SECTOR 4096
#define RECALL_MS 20000		/* what the client needs at most */

/* Sent once, with the descriptor; then the extents, then one of length 0. */
struct hello {
	uint64_t size;
	uint64_t digest;
};

static void send_device(int socket, const struct hello *hello, int device)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec io = { (void *)hello, sizeof(*hello) };
	struct msghdr message = {
		.msg_iov = &io, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &device, sizeof(int));
	if (sendmsg(socket, &message, 0) < 0)
		err(1, "sending the device");
}

static int receive_device(int socket, struct hello *hello)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec io = { hello, sizeof(*hello) };
	struct msghdr message = {
		.msg_iov = &io, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int device;

	if (recvmsg(socket, &message, 0) != sizeof(*hello) ||
	    !CMSG_FIRSTHDR(&message))
		exit(1);	/* the server has said why */
	memcpy(&device, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	return device;
}

static void copy_extent(int device, const struct seal_extent *extent,
			uint64_t size, char *buffer)
{
	uint64_t done = 0, part, n;

	/* Of the last block only what is before the end of the file. */
	while (done < extent->length && extent->logical + done < size) {
		part = extent->length - done < CHUNK ? extent->length - done : CHUNK;
		if (extent->state == SEAL_RANGE_WRITTEN ||
		    extent->state == SEAL_RANGE_SHARED) {
			if (pread(device, buffer, part, (off_t)
				  (extent->physical + done)) != (ssize_t)part)
				err(1, "reading the device");
		} else {
			memset(buffer, 0, part);
		}
		n = size - extent->logical - done;
		if (fwrite(buffer, 1, n < part ? n : part, stdout) == 0)
			err(1, "output");
		done += part;
	}
}

static int client(int socket)
{
	struct seal_extent extent;
	struct hello hello;
	int device = receive_device(socket, &hello);
	char *buffer;

	if (posix_memalign((void **)&buffer, SECTOR, CHUNK))
		err(1, "memory");
	for (;;) {
		if (recv(socket, &extent, sizeof(extent), MSG_WAITALL) !=
		    sizeof(extent))
			return 1;
		if (!extent.length)
			return fflush(stdout) ? 1 : 0;
		copy_extent(device, &extent, hello.size, buffer);
	}
}

/*
 * Until the client has closed its end. Without events (@monitor is NULL) it is
 * only waited for.
 */
static void wait_for_client(int socket, int fd, struct seal_session *session,
			    struct seal_monitor *monitor)
{
	struct pollfd p[] = {
		{ .fd = socket },
		{ .fd = seal_session_fd(session), .events = POLLPRI },
		{ .fd = -1, .events = POLLIN },
	};
	const struct seal_event *event;
	struct stat st;

	if (fstat(fd, &st))
		err(1, "fstat");
	if (monitor)
		p[2].fd = seal_monitor_fd(monitor);
	while (!p[0].revents && poll(p, 3, -1) >= 0) {
		if (p[1].revents & POLLPRI) {
			warnx("somebody waits to change the file");
			p[1].fd = -1;
		}
		while (monitor && seal_monitor_next(monitor, &event) > 0)
			if (event->inode == st.st_ino)
				warnx("refused: %s by %s", event->operation,
				      event->comm);
	}
}

static void serve(int socket, int fd)
{
	struct seal_monitor *monitor;
	struct seal_session *session;
	struct seal_files report;
	struct seal_extent extent;
	struct seal_status status;
	struct seal_map *map;
	struct hello hello;
	unsigned int numbers[2];
	char name[64];
	uint64_t digest;
	int device, ret;

	/* Before there is a seal, so that no refusal goes by unseen. */
	if (seal_monitor_open(&monitor, SEAL_EVENT_BIT(SEAL_EVENT_REFUSED)))
		monitor = NULL;
	ret = seal_open(&session);
	if (!ret)
		ret = seal_files_recall(session, &fd, 1, SEAL_SEAL_RECALL, 0,
					0, RECALL_MS, &report);
	if (!ret)
		ret = seal_status(session, fd, &status);
	if (!ret)
		ret = seal_map_open(fd, &map);
	if (ret)
		errx(1, "cannot be sealed: %s", strerror(-ret));
	seal_map_device(map, &numbers[0], &numbers[1], name, sizeof(name));
	device = open(name, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (device < 0)
		err(1, "%s", name);
	hello = (struct hello){ status.file_size, status.digest };
	send_device(socket, &hello, device);
	while ((ret = seal_map_next(map, &extent)) > 0)
		if (write(socket, &extent, sizeof(extent)) < 0)
			err(1, "sending the map");
	/* Was it the sealed map that was sent? The last extent says yes. */
	if (ret < 0 || seal_map_digest(map, &digest) || digest != status.digest)
		errx(1, "the map is not the one that was sealed");
	memset(&extent, 0, sizeof(extent));
	if (write(socket, &extent, sizeof(extent)) < 0)
		err(1, "sending the map");
	/* The seal ends with the session, so after the client. */
	wait_for_client(socket, fd, session, monitor);
	wait(&ret);
	if (seal_status(session, fd, &status) ||
	    !(status.flags & SEAL_STATUS_HELD) ||
	    (status.flags & (SEAL_STATUS_DISARMED | SEAL_STATUS_MISSED |
			     SEAL_STATUS_BROKEN)))
		errx(1, "the seal was not kept");
	seal_monitor_close(monitor);
	seal_close(session);
	if (ret)
		exit(1);
}

int main(int argc, char **argv)
{
	int sockets[2];
	int fd;

	if (argc != 2)
		errx(2, "usage: blockread FILE");
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", argv[1]);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		err(1, "socketpair");
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		close(sockets[0]);
		close(fd);	/* from here on the file is out of reach */
		return client(sockets[1]);
	}
	close(sockets[1]);
	serve(sockets[0], fd);
	return 0;
}
