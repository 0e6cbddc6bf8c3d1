/* SPDX-License-Identifier: GPL-2.0-only */
/* STATUS and PLACES: what is known about a file, sealed or not. */
#ifndef SEAL_QUERY_H
#define SEAL_QUERY_H

struct file;
struct seal_places;
struct seal_session;
struct seal_status;

/*
 * Fill in the results of @status, which are zero, except @size, @fd and @ask.
 * Returns 0 or -errno. For a file that is not sealed, writes back dirty data and
 * reads the map, if @ask wants it. May sleep.
 */
int seal_query(struct seal_session *session, struct file *file,
	       struct seal_status *status);

/* PLACES, with @room for extents in user memory. Returns 0 or -errno. May sleep. */
int seal_query_places(struct seal_session *session, struct file *file,
		      struct seal_places *places, unsigned int room);

#endif /* SEAL_QUERY_H */
