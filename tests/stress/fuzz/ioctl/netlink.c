// SPDX-License-Identifier: GPL-2.0-only
/* Messages to the generic netlink family: almost right ones, and noise. */
#define _GNU_SOURCE
#include "fuzz.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <seal_netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_MESSAGE	8192
#define MAX_NOISE	512
/* A dump in parts, events of many threads: enough for both. */
#define MAX_ANSWERS	64

static uint16_t family;
static uint32_t serial;

static struct nlmsghdr *message_begin(void *buffer, uint16_t type,
				      uint16_t flags, uint8_t cmd)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *genl;

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	message->nlmsg_seq = __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED);
	genl = mnl_nlmsg_put_extra_header(message, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = SEAL_GENL_VERSION;
	return message;
}

int netlink_socket(void)
{
	struct sockaddr_nl nobody = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_GENERIC);

	if (fd < 0 || bind(fd, (struct sockaddr *)&nobody, sizeof(nobody)))
		abort();
	return fd;
}

static int attribute(const struct nlattr *attr, void *data)
{
	(void)data;
	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
		family = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

void netlink_begin(void)
{
	char buffer[MAX_MESSAGE] __attribute__((aligned(8)));
	struct nlmsghdr *message;
	int fd = netlink_socket();
	ssize_t n;

	message = message_begin(buffer, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY);
	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, SEAL_GENL_NAME);
	if (send(fd, message, message->nlmsg_len, 0) < 0)
		abort();
	n = recv(fd, buffer, sizeof(buffer), 0);
	close(fd);
	message = (struct nlmsghdr *)buffer;
	if (n > 0 && mnl_nlmsg_ok(message, n) &&
	    message->nlmsg_type == GENL_ID_CTRL)
		mnl_attr_parse(message, sizeof(struct genlmsghdr), attribute,
			       NULL);
	if (!family) {
		fprintf(stderr, "no netlink family\n");
		exit(2);
	}
}

/* @c->more says which attributes there are; all fit the buffer. */
static void put_attributes(struct nlmsghdr *message, const struct call *c,
			   int session)
{
	static const char noise[MAX_NOISE] = "noise";
	struct nlattr *nest;

	if (c->more & 1)
		mnl_attr_put_u32(message, SEAL_A_SESSION, session);
	if (c->more & 2)
		mnl_attr_put_u32(message, SEAL_A_EVENTS, c->flags);
	if (c->more & 4)
		mnl_attr_put_u8(message, SEAL_A_SESSION, session);
	if (c->more & 8)
		mnl_attr_put(message, c->a & 0xffff, c->b % MAX_NOISE, noise);
	if (c->more & 16) {
		nest = mnl_attr_nest_start(message, c->a & NLA_TYPE_MASK);
		mnl_attr_put(message, SEAL_A_EVENTS, c->b % 16, noise);
		mnl_attr_nest_end(message, nest);
	}
	if (c->more & 32)
		mnl_attr_put_u32(message, SEAL_A_EVENTS, c->b);
}

/* What came back: the first error, or 0. */
static int read_answers(int fd)
{
	char buffer[65536] __attribute__((aligned(8)));
	int error = 0;

	for (int i = 0; i < MAX_ANSWERS; i++) {
		const struct nlmsghdr *message = (void *)buffer;
		ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
		int left = n;

		if (n < 0)
			break;
		for (; mnl_nlmsg_ok(message, left);
		     message = mnl_nlmsg_next(message, &left)) {
			const struct nlmsgerr *e;

			if (message->nlmsg_type != NLMSG_ERROR)
				continue;
			e = mnl_nlmsg_get_payload(message);
			if (!error)
				error = -e->error;
		}
	}
	return error;
}

int netlink_run(int fd, const struct call *c, int session)
{
	char buffer[MAX_MESSAGE] __attribute__((aligned(8))) = { 0 };
	struct nlmsghdr *message;
	size_t length;
	int error;

	message = message_begin(buffer, family + (c->nr == 255),
				(c->nr & 1 ? NLM_F_ACK : 0) |
				(c->nr & 2 ? NLM_F_DUMP : 0), c->where % 5);
	put_attributes(message, c, session);
	/* it says more or less than there is */
	length = message->nlmsg_len;
	message->nlmsg_len += (int16_t)c->size;
	if (c->size & 1)
		length = message->nlmsg_len % sizeof(buffer);
	if (send(fd, buffer, length, 0) < 0)
		return -1;
	error = read_answers(fd);
	errno = error;
	return error ? -1 : 0;
}

bool netlink_documented(int error)
{
	static const int errors[] = {
		0, EINVAL, ERANGE, EPERM, EOPNOTSUPP, EBADF, EBUSY, ENOMEM,
		/* from the socket, or what a descriptor became meanwhile */
		ENOTSOCK, EAGAIN, ENOENT,
	};

	for (unsigned int i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i] == error)
			return true;
	return false;
}
