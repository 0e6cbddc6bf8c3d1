/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What blockserver and its clients say to each other, over any stream socket.
 * Both are on machines of the same byte order; a real protocol would not be.
 *
 * The operations are those of a pNFS block or SCSI layout (RFC 5663, RFC 8154):
 *
 *   LAYOUTGET      seal_grant()     where are the blocks of this range
 *   LAYOUTCOMMIT   seal_commit()    they are written: make them the file's
 *   LAYOUTRETURN   seal_release()   no more writes will come
 *   READ                            what does the file hold, as NFS READ
 *   RECALL                          from the server: give back what you have
 *                                   (CB_LAYOUTRECALL)
 *
 * Ranges are whole units (the server says how large one is) throughout.
 */
#ifndef BLOCKSERVER_PROTOCOL_H
#define BLOCKSERVER_PROTOCOL_H

#include <libseal.h>
#include <stdint.h>

enum bs_op {
	BS_HELLO = 1,
	BS_LAYOUTGET,
	BS_LAYOUTCOMMIT,
	BS_LAYOUTRETURN,
	BS_READ,
	BS_RECALL,
};

#define BS_MAX_EXTENTS	64
#define BS_MAX_READ	(1U << 20)

struct bs_request {
	uint32_t op;
	uint32_t reserved;
	uint64_t offset;
	uint64_t length;
	uint64_t new_size;	/* LAYOUTCOMMIT: or 0 */
};

/*
 * Answers come in the order of the requests, followed by the extents or bytes
 * they announce. A RECALL comes at any time between two of them.
 */
struct bs_answer {
	uint32_t op;
	int32_t error;		/* 0 or a negative errno value */
	uint32_t nr;		/* LAYOUTGET: extents that follow */
	uint32_t unit;		/* HELLO */
	uint64_t size;		/* HELLO, LAYOUTCOMMIT: of the file */
	uint64_t offset;	/* RECALL */
	uint64_t length;	/* granted; read: bytes that follow; RECALL */
};

/* Send or receive all of it: 0, or -1 if the peer is gone. */
int bs_send(int socket, const void *data, size_t size);
int bs_receive(int socket, void *data, size_t size);

int bs_serve(const char *path, const char *port, int keep);

/* --- the client's side: 0 or a negative errno value --- */

struct bs_client {
	int socket;
	int device;		/* O_DIRECT */
	uint32_t unit;
	uint64_t size;
	/* what the server wants back */
	uint64_t recall_offset, recall_length;
};

int bs_connect(struct bs_client *client, const char *host, const char *port,
	       const char *device);
int bs_layoutget(struct bs_client *client, uint64_t offset, uint64_t length,
		 struct seal_grant_extent *extents, unsigned int *nr,
		 uint64_t *done);
/* Write to granted blocks; durable only after bs_flush(). */
int bs_write(struct bs_client *client, const struct seal_grant_extent *extents,
	     unsigned int nr, uint64_t offset, const void *data,
	     uint64_t length);
int bs_flush(struct bs_client *client);
int bs_commit(struct bs_client *client, uint64_t offset, uint64_t length,
	      uint64_t new_size);
int bs_return(struct bs_client *client, uint64_t offset, uint64_t length);
int bs_read(struct bs_client *client, uint64_t offset, void *data,
	    uint64_t length);
/* Wait until the server recalls something: 0, or -EPIPE. */
int bs_wait_recall(struct bs_client *client);
void bs_disconnect(struct bs_client *client);

#endif /* BLOCKSERVER_PROTOCOL_H */
