// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Operations on a range of one file. The module does a bounded part per call;
 * the loop is here.
 */
#include <errno.h>
#include <sys/stat.h>

#include "core/private.h"

/* Bytes from @offset to EOF, 0 if it is at or beyond it. */
static int rest_of_file(int fd, uint64_t offset, uint64_t *rest)
{
	struct stat st;

	*rest = 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	*rest = (uint64_t)st.st_size > offset ?
		(uint64_t)st.st_size - offset : 0;
	return 0;
}

static int report(struct seal_session *session, uint64_t done, uint64_t total)
{
	if (!session->progress)
		return 0;
	return session->progress(done, total, session->progress_arg) ?
		-ECANCELED : 0;
}

/*
 * A length of 0 is passed to the module, which looks up EOF in each call. With
 * an EOF remembered here, a file that was truncated meanwhile would be
 * extended.
 */
static int run(struct seal_session *session, unsigned long command, int fd,
	       uint32_t flags, uint64_t offset, uint64_t length)
{
	struct seal_range_op op;
	uint64_t total = length;
	uint64_t done = 0;
	uint64_t rest;
	int ret;

	if (!length) {
		ret = rest_of_file(fd, offset, &total);
		if (ret)
			return ret;
	}
	do {
		op = (struct seal_range_op){
			.size = sizeof(op),
			.fd = fd,
			.flags = flags,
			.offset = offset + done,
			.length = length ? length - done : 0,
		};
		ret = seal_ioctl(session->fd, command, &op);
		if (ret)
			return ret;
		done += op.done;
		if (length) {
			rest = done < length ? length - done : 0;
		} else {
			ret = rest_of_file(fd, offset + done, &rest);
			if (ret)
				return ret;
			/* The file may have grown or shrunk. */
			total = done + rest;
		}
		if (rest && !op.done)
			return -EIO;	/* or this would never end */
		ret = report(session, done, total);
	} while (rest && !ret);
	/* After the last step the operation is complete, not stopped. */
	return rest ? ret : 0;
}

SEAL_EXPORT int seal_prealloc(struct seal_session *session, int fd,
			      uint32_t flags, uint64_t offset, uint64_t length)
{
	return run(session, SEAL_IOC_PREALLOC, fd, flags, offset, length);
}

SEAL_EXPORT int seal_unshare(struct seal_session *session, int fd,
			     uint64_t offset, uint64_t length)
{
	return run(session, SEAL_IOC_UNSHARE, fd, 0, offset, length);
}
