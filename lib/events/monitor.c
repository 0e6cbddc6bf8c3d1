// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Events, one after the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "events/events.h"

/* Room for bursts, since the kernel never waits. It may grant less. */
#define RECEIVE_BUFFER	(8 * 1024 * 1024)

struct seal_monitor {
	struct channel channel;
	struct seal_event event;
};

static int monitor_listen(struct seal_monitor *monitor, uint32_t events)
{
	int fd = mnl_socket_get_fd(monitor->channel.socket);
	int size = RECEIVE_BUFFER, flags, ret;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	ret = channel_request(&monitor->channel, SEAL_CMD_LISTEN, NLM_F_ACK,
			      events);
	if (ret)
		return ret;
	/*
	 * If an event comes before the ACK, the request has succeeded, too.
	 * seal_monitor_next() skips the ACK later.
	 */
	ret = channel_peek(&monitor->channel);
	if (ret)
		return ret;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return -errno;
	return 0;
}

SEAL_EXPORT int seal_monitor_open(struct seal_monitor **monitor,
				  uint32_t events)
{
	struct seal_monitor *new;
	int ret;

	if (!events || events & ~SEAL_EVENTS_ALL)
		return -EINVAL;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	ret = channel_open(&new->channel);
	if (ret) {
		free(new);
		return ret;
	}
	ret = monitor_listen(new, events);
	if (ret) {
		seal_monitor_close(new);
		return ret;
	}
	*monitor = new;
	return 0;
}

SEAL_EXPORT int seal_monitor_fd(const struct seal_monitor *monitor)
{
	return mnl_socket_get_fd(monitor->channel.socket);
}

SEAL_EXPORT int seal_monitor_next(struct seal_monitor *monitor,
				  const struct seal_event **event)
{
	struct attributes a;
	int ret;

	do {
		ret = channel_next(&monitor->channel, SEAL_CMD_EVENT, &a);
		/* 0 is the ACK of LISTEN */
	} while (!ret);
	if (ret < 0)
		return ret == -EAGAIN || ret == -EWOULDBLOCK ? 0 : ret;
	monitor->event = (struct seal_event){
		.type		= attribute_u32(&a, SEAL_A_EVENT),
		.serial		= attribute_u64(&a, SEAL_A_SERIAL),
		.time		= attribute_u64(&a, SEAL_A_TIME),
		.lost		= attribute_u64(&a, SEAL_A_LOST),
		.inode		= attribute_u64(&a, SEAL_A_INODE),
		.dev_major	= attribute_u32(&a, SEAL_A_DEV_MAJOR),
		.dev_minor	= attribute_u32(&a, SEAL_A_DEV_MINOR),
		.path		= attribute_text(&a, SEAL_A_PATH),
		.deleted	= a.attr[SEAL_A_DELETED],
		.pid		= attribute_u32(&a, SEAL_A_PID),
		.uid		= attribute_u32(&a, SEAL_A_UID),
		.comm		= attribute_text(&a, SEAL_A_COMM),
		.claim		= attribute_u64(&a, SEAL_A_CLAIM),
		.holders	= attribute_u32(&a, SEAL_A_HOLDERS),
		.flags		= attribute_u32(&a, SEAL_A_FLAGS),
		.why		= attribute_u32(&a, SEAL_A_WHY),
		.operation	= attribute_text(&a, SEAL_A_OPERATION),
		.gate		= attribute_text(&a, SEAL_A_GATE),
		.has_range	= a.attr[SEAL_A_LENGTH],
		.offset		= attribute_u64(&a, SEAL_A_OFFSET),
		.length		= attribute_u64(&a, SEAL_A_LENGTH),
		.recall		= attribute_u64(&a, SEAL_A_RECALL),
		.deadline	= attribute_u64(&a, SEAL_A_DEADLINE),
	};
	if (monitor->event.type != SEAL_EVENT_LOST && !monitor->event.comm)
		return -EPROTO;
	*event = &monitor->event;
	return 1;
}

SEAL_EXPORT void seal_monitor_close(struct seal_monitor *monitor)
{
	if (!monitor)
		return;
	channel_close(&monitor->channel);
	free(monitor);
}

SEAL_EXPORT const char *seal_event_name(uint32_t type)
{
	switch (type) {
	case SEAL_EVENT_SEALED:
		return "sealed";
	case SEAL_EVENT_UNSEALED:
		return "unsealed";
	case SEAL_EVENT_REFUSED:
		return "refused";
	case SEAL_EVENT_BROKEN:
		return "broken";
	case SEAL_EVENT_LOST:
		return "lost";
	case SEAL_EVENT_REVOKED:
		return "revoked";
	case SEAL_EVENT_RECALL:
		return "recall";
	case SEAL_EVENT_COMMITTED:
		return "committed";
	default:
		return "unknown";
	}
}

SEAL_EXPORT const char *seal_why_name(uint32_t why)
{
	switch (why) {
	case SEAL_WHY_CALL:
		return "call";
	case SEAL_WHY_CLOSE:
		return "close";
	case SEAL_WHY_EXIT:
		return "exit";
	default:
		return "unknown";
	}
}
