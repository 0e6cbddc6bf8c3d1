/* SPDX-License-Identifier: GPL-2.0-only */
/* STATUS: what is known of a file, sealed or not. */
#ifndef SEAL_QUERY_H
#define SEAL_QUERY_H

struct file;
struct seal_session;
struct seal_status;

int seal_query(struct seal_session *session, struct file *file,
	       struct seal_status *status);

#endif /* SEAL_QUERY_H */
