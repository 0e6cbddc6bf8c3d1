/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of libseal-events share: a netlink socket that may ask.
 */
#ifndef LIBSEAL_EVENTS_PRIVATE_H
#define LIBSEAL_EVENTS_PRIVATE_H

#include <libmnl/libmnl.h>
#include <libseal.h>

#include <libseal-events.h>

#define SEAL_EXPORT __attribute__((visibility("default")))

/* The kernel makes no larger messages. */
#define CHANNEL_BUFFER	32768

struct channel {
	struct seal_session *session;	/* the right to ask */
	struct mnl_socket *socket;
	unsigned int portid;
	uint16_t family;
	uint32_t seq;			/* of the last request */
	/* what was received, and where in it we are */
	char *buffer;
	const struct nlmsghdr *message;
	int left;
};

/* Attributes of a message by their number; those of others are skipped. */
struct attributes {
	const struct nlattr *attr[SEAL_A_DEADLINE + 1];
};

int channel_open(struct channel *channel);
void channel_close(struct channel *channel);

/* Send command @cmd; @events as SEAL_A_EVENTS if it is not 0. */
int channel_request(struct channel *channel, uint8_t cmd, uint16_t flags,
		    uint32_t events);

/*
 * The next message of ours: 1; 0: the end of a dump, or of an acknowledged
 * request; -EAGAIN: none yet (of a socket that does not wait); -errno.
 */
int channel_next(struct channel *channel, uint8_t cmd,
		 struct attributes *attributes);

/* Is there an answer, or something else, at the front? 0 or -errno. */
int channel_peek(struct channel *channel);

uint32_t attribute_u32(const struct attributes *attributes, unsigned int type);
uint64_t attribute_u64(const struct attributes *attributes, unsigned int type);
const char *attribute_text(const struct attributes *attributes,
			   unsigned int type);

#endif /* LIBSEAL_EVENTS_PRIVATE_H */
