// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sessions: opening the device, agreeing on an ABI version.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/private.h"

#define DEVICE_PATH "/dev/" SEAL_DEVICE_NAME

int seal_ioctl(int fd, unsigned long command, void *argument)
{
	return ioctl(fd, command, argument) < 0 ? -errno : 0;
}

int seal_device_open(void)
{
	int fd = open(DEVICE_PATH, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int seal_device_abi(int fd)
{
	struct seal_info info = { .size = sizeof(info) };
	int ret = seal_ioctl(fd, SEAL_IOC_INFO, &info);

	if (!ret)
		return (int)info.abi;
	/* A device that does not know INFO has another interface. */
	return ret == -ENOTTY ? -EPROTO : ret;
}

SEAL_EXPORT int seal_open(struct seal_session **session)
{
	struct seal_session *new;
	int ret;

	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	ret = seal_device_open();
	if (ret < 0)
		goto err_free;
	new->fd = ret;
	ret = seal_device_abi(new->fd);
	if (ret < 0)
		goto err_close;
	if (ret != SEAL_ABI_VERSION) {
		ret = -EPROTO;
		goto err_close;
	}
	*session = new;
	return 0;

err_close:
	close(new->fd);
err_free:
	free(new);
	return ret;
}

SEAL_EXPORT void seal_close(struct seal_session *session)
{
	if (!session)
		return;
	close(session->fd);
	free(session);
}

SEAL_EXPORT int seal_session_fd(const struct seal_session *session)
{
	return session->fd;
}

SEAL_EXPORT int seal_module_abi(void)
{
	int fd = seal_device_open();
	int ret;

	if (fd < 0)
		return fd;
	ret = seal_device_abi(fd);
	close(fd);
	return ret;
}

SEAL_EXPORT void seal_set_progress(struct seal_session *session,
				   seal_progress_fn fn, void *arg)
{
	session->progress = fn;
	session->progress_arg = arg;
}
