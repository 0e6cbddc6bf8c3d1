// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Claims: sealing files and giving the claim back.
 */
#include "core/private.h"

SEAL_EXPORT int seal_files_recall(struct seal_session *session, const int *fds,
				  unsigned int nr, uint32_t flags,
				  uint32_t require, uint64_t max_extents,
				  uint32_t recall_ms, struct seal_files *report)
{
	struct seal_files request = {
		.size = sizeof(request),
		.flags = flags,
		.nr_fds = nr,
		.require = require,
		.fds = (uintptr_t)fds,
		.max_extents = max_extents,
		.recall_ms = recall_ms,
	};
	int ret = seal_ioctl(session->fd, SEAL_IOC_SEAL, &request);

	if (ret && report) {
		*report = request;
		/* It failed before it looked at a file: none is to blame. */
		if (!report->bad_require && !report->reason[0] &&
		    !report->bad_index)
			report->bad_index = SEAL_NO_INDEX;
		report->reason[sizeof(report->reason) - 1] = '\0';
	}
	return ret;
}

SEAL_EXPORT int seal_files(struct seal_session *session, const int *fds,
			   unsigned int nr, uint32_t flags, uint32_t require,
			   uint64_t max_extents, struct seal_files *report)
{
	return seal_files_recall(session, fds, nr, flags, require, max_extents,
				 0, report);
}

SEAL_EXPORT int seal_unseal(struct seal_session *session, int fd,
			    uint32_t flags)
{
	struct seal_unseal request = {
		.size = sizeof(request),
		.fd = fd,
		.flags = flags,
	};

	return seal_ioctl(session->fd, SEAL_IOC_UNSEAL, &request);
}

SEAL_EXPORT int seal_revoke(struct seal_session *session, int fd,
			    unsigned int *holders)
{
	struct seal_revoke request = {
		.size = sizeof(request),
		.fd = fd,
	};
	int ret = seal_ioctl(session->fd, SEAL_IOC_REVOKE, &request);

	if (holders)
		*holders = request.holders;
	return ret;
}
