// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages that claim to be of the module's netlink family. The input is what the
 * socket gives: pieces, each with two bytes of length in front. Whatever it is, the
 * list and the monitor come to an end, touch nothing else, and what they give out is
 * whole.
 */
#include <errno.h>

#include "parsers.h"

/* the socket is played by the input, and the structures are private */
#include "events/channel.c"
#include "events/list.c"
#include "events/monitor.c"

#define FAMILY	0x5e
#define SEQ	7

static struct input socket_input;

ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buffer,
			    size_t room)
{
	size_t length;

	(void)nl;
	if (socket_input.size < 2) {
		errno = EAGAIN;
		return -1;
	}
	length = input_byte(&socket_input);
	length |= (size_t)input_byte(&socket_input) << 8;
	if (length > socket_input.size)
		length = socket_input.size;
	if (length > room)
		length = room;
	memcpy(buffer, socket_input.data, length);
	socket_input.data += length;
	socket_input.size -= length;
	return (ssize_t)length;
}

static void channel_set(struct channel *channel, const uint8_t *data, size_t size)
{
	channel->family = FAMILY;
	channel->seq = SEQ;
	/* of the exact size, so that a step beyond its end is seen */
	channel->buffer = malloc(CHANNEL_BUFFER);
	must(channel->buffer);
	socket_input = (struct input){ data, size };
}

static size_t text_length(const char *text)
{
	return text ? strlen(text) : 0;
}

static void run_list(const uint8_t *data, size_t size)
{
	struct seal_list list = { 0 };
	const struct seal_claim *claim;
	size_t rounds = 0;

	channel_set(&list.channel, data, size);
	while (seal_list_next(&list, &claim) > 0) {
		must(claim->comm);
		must(text_length(claim->comm) + text_length(claim->path) <
		     CHANNEL_BUFFER);
		/* each has a header at least */
		must(++rounds <= size / sizeof(struct nlmsghdr));
	}
	free(list.channel.buffer);
}

static void run_monitor(const uint8_t *data, size_t size)
{
	struct seal_monitor monitor = { 0 };
	const struct seal_event *event;
	size_t rounds = 0;

	channel_set(&monitor.channel, data, size);
	while (seal_monitor_next(&monitor, &event) > 0) {
		must(event->type == SEAL_EVENT_LOST || event->comm);
		must(text_length(event->comm) + text_length(event->path) +
		     text_length(event->operation) + text_length(event->gate) <
		     CHANNEL_BUFFER);
		must(seal_event_name(event->type));
		must(seal_why_name(event->why));
		must(++rounds <= size / sizeof(struct nlmsghdr));
	}
	free(monitor.channel.buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run_list(data, size);
	run_monitor(data, size);
	return 0;
}
