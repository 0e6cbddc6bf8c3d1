/* SPDX-License-Identifier: GPL-2.0-only */
/* Sealing: one or more files in one step, all or none. */
#ifndef SEAL_SEALING_H
#define SEAL_SEALING_H

struct seal_request;
struct seal_session;

/* 0 or -errno; what is wrong with which file is told in @req. */
int seal_claim_files(struct seal_session *session, struct seal_request *req);

#endif /* SEAL_SEALING_H */
