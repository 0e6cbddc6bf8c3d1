// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Blocks of a sealed file that others may write to.
 */
#include "core/private.h"

SEAL_EXPORT int seal_grant_sized(struct seal_session *session, int fd,
				 uint32_t flags, uint64_t offset,
				 uint64_t length,
				 struct seal_grant_extent *extents,
				 unsigned int room, struct seal_grant *result,
				 size_t size)
{
	struct seal_grant grant = {
		.size = sizeof(grant),
		.fd = fd,
		.flags = flags,
		.nr_extents = room > SEAL_GRANT_MAX_EXTENTS ?
			      SEAL_GRANT_MAX_EXTENTS : room,
		.extents = (uintptr_t)extents,
		.offset = offset,
		.length = length,
	};
	int ret = seal_ioctl(session->fd, SEAL_IOC_GRANT, &grant);

	if (result)
		seal_give(result, size, &grant, sizeof(grant));
	return ret ? ret : (int)grant.nr_extents;
}

SEAL_EXPORT int seal_commit_sized(struct seal_session *session, int fd,
				  const struct seal_commit_range *ranges,
				  unsigned int nr, uint64_t new_size,
				  struct seal_commit *result, size_t size)
{
	struct seal_commit commit = {
		.size = sizeof(commit),
		.fd = fd,
		.nr_ranges = nr,
		.ranges = (uintptr_t)ranges,
		.new_size = new_size,
	};
	int ret = seal_ioctl(session->fd, SEAL_IOC_COMMIT, &commit);

	if (result)
		seal_give(result, size, &commit, sizeof(commit));
	return ret;
}

SEAL_EXPORT int seal_release(struct seal_session *session, int fd,
			     uint32_t flags, uint64_t offset, uint64_t length)
{
	struct seal_release release = {
		.size = sizeof(release),
		.fd = fd,
		.flags = flags,
		.offset = offset,
		.length = length,
	};

	return seal_ioctl(session->fd, SEAL_IOC_RELEASE, &release);
}
