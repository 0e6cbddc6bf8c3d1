// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Talking to the generic netlink family "seal".
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "events/events.h"

/* libmnl takes a length beyond INT_MAX for a short one. */
static bool message_ok(const struct nlmsghdr *message, int left)
{
	return left >= (int)sizeof(*message) &&
	       message->nlmsg_len <= (uint32_t)left &&
	       mnl_nlmsg_ok(message, left);
}

static int receive(struct channel *channel)
{
	ssize_t length;

	do {
		length = mnl_socket_recvfrom(channel->socket, channel->buffer,
					     CHANNEL_BUFFER);
		/* ENOBUFS: events were lost; a message will tell how many */
	} while (length < 0 && (errno == EINTR || errno == ENOBUFS));
	if (length < 0)
		return -errno;
	channel->message = (const struct nlmsghdr *)channel->buffer;
	channel->left = (int)length;
	return 0;
}

static int check_attribute(const struct nlattr *attr, unsigned int type)
{
	static const uint8_t types[] = {
		[SEAL_A_EVENT] = MNL_TYPE_U32,
		[SEAL_A_SERIAL] = MNL_TYPE_U64,
		[SEAL_A_TIME] = MNL_TYPE_U64,
		[SEAL_A_LOST] = MNL_TYPE_U64,
		[SEAL_A_CLAIM] = MNL_TYPE_U64,
		[SEAL_A_INODE] = MNL_TYPE_U64,
		[SEAL_A_DEV_MAJOR] = MNL_TYPE_U32,
		[SEAL_A_DEV_MINOR] = MNL_TYPE_U32,
		[SEAL_A_PATH] = MNL_TYPE_NUL_STRING,
		[SEAL_A_DELETED] = MNL_TYPE_FLAG,
		[SEAL_A_PID] = MNL_TYPE_U32,
		[SEAL_A_UID] = MNL_TYPE_U32,
		[SEAL_A_COMM] = MNL_TYPE_NUL_STRING,
		[SEAL_A_SINCE] = MNL_TYPE_U64,
		[SEAL_A_REQUIRE] = MNL_TYPE_U32,
		[SEAL_A_MAX_EXTENTS] = MNL_TYPE_U64,
		[SEAL_A_FLAGS] = MNL_TYPE_U32,
		[SEAL_A_HOLDERS] = MNL_TYPE_U32,
		[SEAL_A_FILE_SIZE] = MNL_TYPE_U64,
		[SEAL_A_EXTENTS] = MNL_TYPE_U64,
		[SEAL_A_IN_PLACE] = MNL_TYPE_U64,
		[SEAL_A_REFUSED] = MNL_TYPE_U64,
		[SEAL_A_BROKEN] = MNL_TYPE_U64,
		[SEAL_A_WHY] = MNL_TYPE_U32,
		[SEAL_A_OPERATION] = MNL_TYPE_NUL_STRING,
		[SEAL_A_GATE] = MNL_TYPE_NUL_STRING,
		[SEAL_A_OFFSET] = MNL_TYPE_U64,
		[SEAL_A_LENGTH] = MNL_TYPE_U64,
		[SEAL_A_RECALL] = MNL_TYPE_U64,
		[SEAL_A_DEADLINE] = MNL_TYPE_U64,
	};

	/* an attribute without a type (MNL_TYPE_UNSPEC) is not checked */
	return mnl_attr_validate(attr, types[type]) < 0 ? -EPROTO : 0;
}

static int parse(const struct nlmsghdr *message, struct attributes *attributes)
{
	const struct nlattr *attr;
	unsigned int type;

	memset(attributes, 0, sizeof(*attributes));
	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr)) {
		type = mnl_attr_get_type(attr);
		/* a newer module may send more attributes */
		if (type > SEAL_A_DEADLINE)
			continue;
		if (check_attribute(attr, type))
			return -EPROTO;
		attributes->attr[type] = attr;
	}
	return 0;
}

static int error_of(const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

	/* a positive number would pass for a message */
	if (mnl_nlmsg_get_payload_len(message) < sizeof(*error) ||
	    error->error > 0)
		return -EPROTO;
	return error->error;
}

int channel_next(struct channel *channel, uint8_t cmd,
		 struct attributes *attributes)
{
	const struct genlmsghdr *genl;
	const struct nlmsghdr *message;
	int ret;

	for (;;) {
		if (!channel->message ||
		    !message_ok(channel->message, channel->left)) {
			ret = receive(channel);
			if (ret)
				return ret;
			if (!message_ok(channel->message, channel->left))
				return -EPROTO;
		}
		message = channel->message;
		channel->message = mnl_nlmsg_next(message, &channel->left);
		if (message->nlmsg_type == NLMSG_ERROR ||
		    message->nlmsg_type == NLMSG_DONE) {
			/* an answer to an earlier request */
			if (message->nlmsg_seq != channel->seq)
				continue;
			if (message->nlmsg_type == NLMSG_ERROR)
				return error_of(message);
			/* the end of a dump carries its result */
			ret = 0;
			if (mnl_nlmsg_get_payload_len(message) >= sizeof(ret))
				memcpy(&ret, mnl_nlmsg_get_payload(message),
				       sizeof(ret));
			return ret < 0 ? ret : 0;
		}
		if (message->nlmsg_type != channel->family ||
		    mnl_nlmsg_get_payload_len(message) < sizeof(*genl))
			continue;
		genl = mnl_nlmsg_get_payload(message);
		if (genl->cmd != cmd)
			continue;
		ret = parse(message, attributes);
		return ret ? ret : 1;
	}
}

int channel_peek(struct channel *channel)
{
	const struct nlmsghdr *message = (const void *)channel->buffer;
	ssize_t length;

	do {
		length = recv(mnl_socket_get_fd(channel->socket),
			      channel->buffer, CHANNEL_BUFFER, MSG_PEEK);
	} while (length < 0 && (errno == EINTR || errno == ENOBUFS));
	if (length < 0)
		return -errno;
	if (!message_ok(message, (int)length))
		return -EPROTO;
	return message->nlmsg_type == NLMSG_ERROR ? error_of(message) : 0;
}

int channel_request(struct channel *channel, uint8_t cmd, uint16_t flags,
		    uint32_t events)
{
	char buffer[256] __attribute__((aligned(8)));
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *genl;

	message->nlmsg_type = channel->family;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	message->nlmsg_seq = ++channel->seq;
	genl = mnl_nlmsg_put_extra_header(message, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = SEAL_GENL_VERSION;
	mnl_attr_put_u32(message, SEAL_A_SESSION,
			 (uint32_t)seal_session_fd(channel->session));
	if (events)
		mnl_attr_put_u32(message, SEAL_A_EVENTS, events);
	if (mnl_socket_sendto(channel->socket, message, message->nlmsg_len) < 0)
		return -errno;
	return 0;
}

static int family_attribute(const struct nlattr *attr, void *arg)
{
	uint16_t *family = arg;

	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID &&
	    mnl_attr_validate(attr, MNL_TYPE_U16) >= 0)
		*family = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static int find_family(struct channel *channel)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(channel->buffer);
	struct genlmsghdr *genl;
	int ret;

	message->nlmsg_type = GENL_ID_CTRL;
	message->nlmsg_flags = NLM_F_REQUEST;
	message->nlmsg_seq = ++channel->seq;
	genl = mnl_nlmsg_put_extra_header(message, sizeof(*genl));
	genl->cmd = CTRL_CMD_GETFAMILY;
	genl->version = 1;
	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, SEAL_GENL_NAME);
	if (mnl_socket_sendto(channel->socket, message, message->nlmsg_len) < 0)
		return -errno;
	ret = receive(channel);
	if (ret)
		return ret;
	message = (struct nlmsghdr *)channel->buffer;
	if (!message_ok(message, channel->left))
		return -EPROTO;
	channel->message = NULL;
	if (message->nlmsg_type == NLMSG_ERROR) {
		ret = error_of(message);
		/*
		 * The device is open, so the module is loaded, and the family
		 * is missing in this network namespace.
		 */
		return ret == -ENOENT ? -EOPNOTSUPP : ret ? ret : -EPROTO;
	}
	mnl_attr_parse(message, sizeof(*genl), family_attribute,
		       &channel->family);
	return channel->family ? 0 : -EPROTO;
}

static int check_module(struct seal_session *session)
{
	struct seal_info info;
	int ret = seal_info(session, &info, NULL, 0);

	if (!ret && !(info.features & SEAL_FEATURE_EVENTS))
		ret = -EPROTO;
	return ret;
}

int channel_open(struct channel *channel)
{
	int ret;

	memset(channel, 0, sizeof(*channel));
	ret = seal_open(&channel->session);
	if (ret)
		return ret;
	ret = check_module(channel->session);
	if (ret)
		goto err;
	ret = -ENOMEM;
	channel->buffer = malloc(CHANNEL_BUFFER);
	if (!channel->buffer)
		goto err;
	channel->socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!channel->socket ||
	    mnl_socket_bind(channel->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		ret = -errno;
		goto err;
	}
	channel->portid = mnl_socket_get_portid(channel->socket);
	ret = find_family(channel);
	if (ret)
		goto err;
	return 0;
err:
	channel_close(channel);
	return ret;
}

void channel_close(struct channel *channel)
{
	if (channel->socket)
		mnl_socket_close(channel->socket);
	free(channel->buffer);
	seal_close(channel->session);
}

uint32_t attribute_u32(const struct attributes *attributes, unsigned int type)
{
	const struct nlattr *attr = attributes->attr[type];

	return attr ? mnl_attr_get_u32(attr) : 0;
}

uint64_t attribute_u64(const struct attributes *attributes, unsigned int type)
{
	const struct nlattr *attr = attributes->attr[type];

	return attr ? mnl_attr_get_u64(attr) : 0;
}

const char *attribute_text(const struct attributes *attributes,
			   unsigned int type)
{
	const struct nlattr *attr = attributes->attr[type];

	return attr ? mnl_attr_get_str(attr) : NULL;
}
