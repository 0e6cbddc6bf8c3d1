/* SPDX-License-Identifier: GPL-2.0-only */
/* Sealing: one or more files in one step, all or none. */
#ifndef SEAL_SEALING_H
#define SEAL_SEALING_H

struct seal_request;
struct seal_session;

/*
 * Seal the files of @req. Returns 0 or -errno; the results in @req tell which
 * file is the reason, and why. May sleep.
 */
int seal_claim_files(struct seal_session *session, struct seal_request *req);

#endif /* SEAL_SEALING_H */
