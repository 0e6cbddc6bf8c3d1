// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server: holds the seal, and remembers who was told which blocks.
 *
 * All grants are of one session, so who may have what is decided here: a range
 * that another client has is recalled, and whoever asks is told to try again.
 *
 * A client that is gone may not be: its machine can still have writes on the
 * way. Its blocks stay granted until somebody who has fenced it (taken its path
 * to the device away) says so with SIGUSR1. The same holds for this server: with
 * --sticky the seal and the grants outlive it, and the next one takes them over.
 *
 * Whoever wants to change the map of the file on this machine waits while all
 * clients are asked to give their blocks back; then the file is unsealed, until
 * the next client asks for a layout. A sticky seal does not let itself be asked.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol.h"

#define MAX_CLIENTS	16
#define MAX_LAYOUTS	1024
#define EVERYBODY	(-2)		/* no client has this socket */
#define RECALL_MS	20000		/* what clients need to finish */

struct layout {
	int client;		/* its socket, or -1: it is gone, not fenced */
	uint64_t offset, length;
};

static struct seal_session *session;
static int file = -1;
static uint32_t unit;
static uint32_t grant_flags;
static struct layout layouts[MAX_LAYOUTS];
static unsigned int nr_layouts;
static int sticky;
static int sealed;
static int leaving;		/* as soon as all clients have given back */
static volatile sig_atomic_t fenced;

static void on_fenced(int sig)
{
	(void)sig;
	fenced = 1;
}

static uint64_t file_size(void)
{
	struct stat st;

	return fstat(file, &st) ? 0 : (uint64_t)st.st_size;
}

static int overlap(const struct layout *l, uint64_t offset, uint64_t length)
{
	return l->offset < offset + length && offset < l->offset + l->length;
}

/* Whoever but @client has a part of it is asked to give it back. */
static int recall(int client, uint64_t offset, uint64_t length)
{
	int found = 0;

	for (unsigned int i = 0; i < nr_layouts; i++) {
		struct bs_answer call = {
			.op = BS_RECALL, .offset = layouts[i].offset,
			.length = layouts[i].length,
		};

		if (layouts[i].client == client ||
		    !overlap(&layouts[i], offset, length))
			continue;
		found = 1;
		if (layouts[i].client >= 0)
			bs_send(layouts[i].client, &call, sizeof(call));
	}
	return found;
}

/* Does the client have all of it? Its layouts are joined where they touch. */
static int has(int client, uint64_t offset, uint64_t length)
{
	for (unsigned int i = 0; i < nr_layouts; i++)
		if (layouts[i].client == client && layouts[i].offset <= offset &&
		    offset < layouts[i].offset + layouts[i].length) {
			uint64_t end = layouts[i].offset + layouts[i].length;

			return end >= offset + length ||
			       has(client, end, offset + length - end);
		}
	return 0;
}

/* Cut the range out of what the client has; the module is told first. */
static int give_back(int client, uint64_t offset, uint64_t length)
{
	uint64_t end = offset + length;

	for (unsigned int i = 0; i < nr_layouts; i++) {
		struct layout *l = &layouts[i], old = *l;
		uint64_t old_end = old.offset + old.length;
		uint64_t start = old.offset > offset ? old.offset : offset;
		uint64_t stop = old_end < end ? old_end : end;
		int ret;

		if (old.client != client || start >= stop)
			continue;
		if (start > old.offset && stop < old_end &&
		    nr_layouts == MAX_LAYOUTS)
			return -ENOSPC;
		ret = seal_release(session, file, 0, start, stop - start);
		/* an administrator may have taken the file from us */
		if (ret && ret != -EOWNERDEAD)
			return ret;
		if (start > old.offset) {
			l->length = start - old.offset;
			if (stop < old_end)
				layouts[nr_layouts++] = (struct layout){
					client, stop, old_end - stop };
		} else if (stop < old_end) {
			l->offset = stop;
			l->length = old_end - stop;
		} else {
			layouts[i--] = layouts[--nr_layouts];
		}
	}
	return 0;
}

/* What it had of this it has still, once. */
static void remember(int client, uint64_t offset, uint64_t length)
{
	if (has(client, offset, length))
		return;
	for (unsigned int i = 0; i < nr_layouts; i++)
		if (layouts[i].client == client && layouts[i].offset >= offset &&
		    layouts[i].offset + layouts[i].length <= offset + length)
			layouts[i--] = layouts[--nr_layouts];
	layouts[nr_layouts++] = (struct layout){ client, offset, length };
}

/* Blocks, without which nothing can be granted, are allocated on demand. */
static int seal_it(void)
{
	struct seal_files report;
	struct seal_status status;
	int ret;

	if (sealed)
		return 0;
	if (sticky) {
		ret = seal_files(session, &file, 1, 0, 0, 0, &report);
		if (!ret)
			ret = seal_files(session, &file, 1, SEAL_SEAL_STICKY,
					 0, 0, &report);
	} else {
		ret = seal_files_recall(session, &file, 1, SEAL_SEAL_RECALL,
					0, 0, RECALL_MS, &report);
	}
	if (!ret)
		ret = seal_status(session, file, &status);
	if (ret)
		return ret;
	sealed = 1;
	grant_flags = SEAL_GRANT_ALLOCATE;
	if (status.flags & SEAL_STATUS_STICKY)
		grant_flags |= SEAL_GRANT_TAKEOVER;
	if (status.granted)
		warnx("%llu bytes are still granted from before: who asks for them takes them over",
		      (unsigned long long)status.granted);
	return 0;
}

/* Somebody on this machine waits to change the map. */
static void asked_to_leave(void)
{
	leaving = 1;
	recall(EVERYBODY, 0, INT64_MAX);
}

static void leave_if_free(void)
{
	int ret;

	if (!leaving || nr_layouts)
		return;
	ret = seal_unseal(session, file, 0);
	if (ret)
		errx(1, "unseal: %s", strerror(-ret));
	sealed = 0;
	leaving = 0;
}

static void layoutget(int client, const struct bs_request *request)
{
	struct seal_grant_extent extents[BS_MAX_EXTENTS];
	struct bs_answer out = { .op = BS_LAYOUTGET };
	uint32_t flags = grant_flags;
	struct seal_grant grant;
	int ret;

	/* LAYOUTTRYLATER */
	if (leaving || recall(client, request->offset, request->length)) {
		out.error = -EAGAIN;
	} else if (seal_it()) {
		out.error = -EIO;
	} else if (nr_layouts == MAX_LAYOUTS) {
		out.error = -ENOSPC;
	} else {
		if (request->offset + request->length > file_size())
			flags |= SEAL_GRANT_EXTEND;
		ret = seal_grant(session, file, flags, request->offset,
				 request->length, extents, BS_MAX_EXTENTS,
				 &grant);
		if (ret < 0) {
			out.error = ret;
			warnx("layout of %llu+%llu: %s: %.*s",
			      (unsigned long long)request->offset,
			      (unsigned long long)request->length,
			      strerror(-ret), SEAL_REASON_LEN,
			      (char *)grant.reason);
		} else {
			out.nr = ret;
			out.length = grant.done;
			remember(client, request->offset, grant.done);
		}
	}
	if (!bs_send(client, &out, sizeof(out)))
		bs_send(client, extents, out.nr * sizeof(*extents));
}

static void layoutcommit(int client, const struct bs_request *request)
{
	struct seal_commit_range range = { request->offset, request->length };
	struct bs_answer out = { .op = BS_LAYOUTCOMMIT };
	struct seal_commit commit;

	if (!has(client, request->offset, request->length)) {
		out.error = -ENXIO;
	} else {
		out.error = seal_commit(session, file, &range, 1,
					request->new_size, &commit);
		if (out.error)
			warnx("commit of %llu+%llu: %s: %.*s",
			      (unsigned long long)request->offset,
			      (unsigned long long)request->length,
			      strerror(-out.error), SEAL_REASON_LEN,
			      (char *)commit.reason);
	}
	out.size = file_size();
	bs_send(client, &out, sizeof(out));
}

static void read_file(int client, const struct bs_request *request)
{
	static char buffer[BS_MAX_READ];
	struct bs_answer out = { .op = BS_READ };
	ssize_t n = -1;

	if (request->length <= BS_MAX_READ)
		n = pread(file, buffer, request->length, request->offset);
	if (n < 0)
		out.error = -EINVAL;
	else
		out.length = n;
	if (!bs_send(client, &out, sizeof(out)))
		bs_send(client, buffer, out.length);
}

/* One request; -1: the client is gone. */
static int serve_request(int client)
{
	struct bs_answer out = { .size = file_size(), .unit = unit };
	struct bs_request request;

	if (bs_receive(client, &request, sizeof(request)))
		return -1;
	out.op = request.op;
	switch (request.op) {
	case BS_LAYOUTGET:
		layoutget(client, &request);
		return 0;
	case BS_LAYOUTCOMMIT:
		layoutcommit(client, &request);
		return 0;
	case BS_READ:
		read_file(client, &request);
		return 0;
	case BS_HELLO:
		break;
	case BS_LAYOUTRETURN:
		out.error = give_back(client, request.offset, request.length);
		break;
	default:
		out.error = -EOPNOTSUPP;
		break;
	}
	return bs_send(client, &out, sizeof(out));
}

static void client_gone(int client)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < nr_layouts; i++)
		if (layouts[i].client == client) {
			layouts[i].client = -1;
			kept++;
		}
	close(client);
	if (kept)
		warnx("a client went away with %u layouts: fence it, then send SIGUSR1",
		      kept);
}

static int listen_on(const char *port)
{
	struct addrinfo hints = {
		.ai_family = AF_INET, .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE,
	}, *list;
	int fd, yes = 1;

	if (getaddrinfo(NULL, port, &hints, &list))
		errx(1, "no such port: %s", port);
	fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
	    bind(fd, list->ai_addr, list->ai_addrlen) || listen(fd, MAX_CLIENTS))
		err(1, "port %s", port);
	freeaddrinfo(list);
	return fd;
}

static void open_it(const char *path)
{
	struct stat st;
	int ret;

	file = open(path, O_RDWR | O_CLOEXEC);
	if (file < 0 || fstat(file, &st))
		err(1, "%s", path);
	unit = st.st_blksize > sysconf(_SC_PAGESIZE) ? st.st_blksize :
						       sysconf(_SC_PAGESIZE);
	ret = seal_open(&session);
	if (!ret)
		ret = seal_it();
	if (ret)
		errx(1, "%s cannot be sealed: %s", path, strerror(-ret));
}

int bs_serve(const char *path, const char *port, int keep)
{
	struct pollfd polls[2 + MAX_CLIENTS] = { 0 };
	struct sigaction action = { .sa_handler = on_fenced };
	sigset_t usr1, others;
	nfds_t nr = 2;

	sticky = keep;
	open_it(path);
	/* taken only while it waits: none is missed */
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, &others);
	sigaction(SIGUSR1, &action, NULL);
	polls[0] = (struct pollfd){ listen_on(port), POLLIN, 0 };
	polls[1] = (struct pollfd){ seal_session_fd(session), 0, 0 };
	printf("serving\n");
	fflush(stdout);
	for (;;) {
		leave_if_free();
		polls[1].events = leaving ? 0 : POLLPRI;
		if (ppoll(polls, nr, NULL, &others) < 0) {
			if (errno != EINTR)
				err(1, "poll");
			if (fenced)
				give_back(-1, 0, INT64_MAX & ~(uint64_t)(unit - 1));
			fenced = 0;
			continue;
		}
		if (polls[1].revents & POLLPRI)
			asked_to_leave();
		for (nfds_t i = 2; i < nr; i++) {
			if (!polls[i].revents || !serve_request(polls[i].fd))
				continue;
			client_gone(polls[i].fd);
			polls[i--] = polls[--nr];
		}
		if (polls[0].revents && nr < 2 + MAX_CLIENTS) {
			int client = accept(polls[0].fd, NULL, NULL);

			if (client >= 0)
				polls[nr++] = (struct pollfd){ client, POLLIN, 0 };
		}
	}
}
