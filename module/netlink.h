/* SPDX-License-Identifier: GPL-2.0-only */
/* The generic netlink family of uapi/seal_netlink.h. */
#ifndef SEAL_NETLINK_H
#define SEAL_NETLINK_H

struct seal_events_sink;

/* How netlink listeners are reached, for seal_events_init(). */
extern const struct seal_events_sink seal_netlink_sink;

int seal_netlink_init(void);
void seal_netlink_exit(void);

#endif /* SEAL_NETLINK_H */
