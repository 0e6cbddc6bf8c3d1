// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Claims: sealing files and giving the claim back.
 */
#include "core/private.h"

SEAL_EXPORT int seal_files_recall_sized(struct seal_session *session,
					const int *fds, unsigned int nr,
					uint32_t flags, uint32_t require,
					uint64_t max_extents,
					uint32_t recall_ms,
					struct seal_files *report, size_t size)
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
		/* The call failed before it looked at a file. */
		if (!request.bad_require && !request.reason[0] &&
		    !request.bad_index)
			request.bad_index = SEAL_NO_INDEX;
		request.reason[sizeof(request.reason) - 1] = '\0';
		seal_give(report, size, &request, sizeof(request));
	}
	return ret;
}

SEAL_EXPORT int seal_files_sized(struct seal_session *session, const int *fds,
				 unsigned int nr, uint32_t flags,
				 uint32_t require, uint64_t max_extents,
				 struct seal_files *report, size_t size)
{
	return seal_files_recall_sized(session, fds, nr, flags, require,
				       max_extents, 0, report, size);
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

SEAL_EXPORT int seal_unseal_claim(struct seal_session *session, uint64_t claim)
{
	struct seal_unseal request = {
		.size = sizeof(request),
		.fd = -1,
		.flags = SEAL_UNSEAL_CLAIM,
		.claim = claim,
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
