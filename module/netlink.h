/* SPDX-License-Identifier: GPL-2.0-only */
/* The generic netlink family of uapi/seal_netlink.h. */
#ifndef SEAL_NETLINK_H
#define SEAL_NETLINK_H

#include <linux/types.h>

struct seal_event;
struct sk_buff;

/* A message that tells @event; of SEAL_EVENT_LOST, @lost. NULL: no memory. */
struct sk_buff *seal_netlink_event(const struct seal_event *event, u64 serial,
				   u64 lost);

/* Give a message to a socket, without waiting for room. 0 or -errno. */
int seal_netlink_send(struct sk_buff *skb, u32 portid);

int seal_netlink_init(void);
void seal_netlink_exit(void);

#endif /* SEAL_NETLINK_H */
