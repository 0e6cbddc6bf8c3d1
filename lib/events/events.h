/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by the parts of libseal-events: a netlink socket with the right to
 * ask.
 */
#ifndef LIBSEAL_EVENTS_PRIVATE_H
#define LIBSEAL_EVENTS_PRIVATE_H

#include <libmnl/libmnl.h>
#include <libseal.h>

#include <libseal-events.h>

#define SEAL_EXPORT __attribute__((visibility("default")))

/* The kernel sends no larger messages. */
#define CHANNEL_BUFFER	32768

struct channel {
	struct seal_session *session;	/* the right to ask */
	struct mnl_socket *socket;
	unsigned int portid;
	uint16_t family;
	uint32_t seq;			/* of the last request */
	/* what was received last, the next message in it, and bytes left */
	char *buffer;
	const struct nlmsghdr *message;
	int left;
};

/* The attributes of a message by their number; unknown ones are left out. */
struct attributes {
	const struct nlattr *attr[SEAL_A_DEADLINE + 1];
};

int channel_open(struct channel *channel);
void channel_close(struct channel *channel);

/* Send command @cmd, with SEAL_A_EVENTS if @events is not 0. 0 or -errno. */
int channel_request(struct channel *channel, uint8_t cmd, uint16_t flags,
		    uint32_t events);

/*
 * Get the next message with command @cmd. Returns 1; 0: the end of a dump, or
 * an ACK; -EAGAIN: there is none yet, and the socket does not wait; -errno.
 */
int channel_next(struct channel *channel, uint8_t cmd,
		 struct attributes *attributes);

/*
 * Wait for a message but leave it in the socket. Returns its error if it is an
 * NLMSG_ERROR (0 if that is an ACK), 0 if it is another message, or -errno.
 */
int channel_peek(struct channel *channel);

uint32_t attribute_u32(const struct attributes *attributes, unsigned int type);
uint64_t attribute_u64(const struct attributes *attributes, unsigned int type);
const char *attribute_text(const struct attributes *attributes,
			   unsigned int type);

#endif /* LIBSEAL_EVENTS_PRIVATE_H */
