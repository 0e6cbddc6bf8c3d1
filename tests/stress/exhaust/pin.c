// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page that is pinned to be written to: the buffer of a direct read from a
 * device that is suspended. When it is resumed the read ends and dirties the
 * page, and nobody is asked. The device reads as zeros; guest makes it.
 */
#include "exhaust.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/dm-ioctl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLOW_NAME	"exhaust-slow"
#define MAX_PINS	8
#define PIN_BYTES	512

static int control = -1;
static aio_context_t context;
static unsigned int pins;

static void suspend(bool on)
{
	struct dm_ioctl request = {
		.version = { DM_VERSION_MAJOR, 0, 0 },
		.data_size = sizeof(request),
		.flags = on ? DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG |
			      DM_NOFLUSH_FLAG : 0,
		.name = SLOW_NAME,
	};

	if (ioctl(control, DM_DEV_SUSPEND, &request))
		die("%s of %s: %s", on ? "suspend" : "resume", SLOW_NAME,
		    strerror(errno));
}

/* For one that died or hangs: a process does not end before its reads do. */
void pin_abandon(void)
{
	control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		die("no device %s: %s", SLOW_NAME, strerror(errno));
	suspend(false);
	close(control);
	control = -1;
}

void pin_init(void)
{
	world.slow = open("/dev/mapper/" SLOW_NAME,
			  O_RDONLY | O_DIRECT | O_CLOEXEC);
	control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (world.slow < 0 || control < 0)
		die("no device %s: %s", SLOW_NAME, strerror(errno));
	if (syscall(SYS_io_setup, MAX_PINS, &context))
		die("io_setup: %s", strerror(errno));
	/* as one that was killed may have left it */
	suspend(false);
}

bool pin_take(struct run *run, uint64_t offset)
{
	struct iocb iocb = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = world.slow,
		.aio_buf = (uintptr_t)(map_get(run) + offset),
		.aio_nbytes = PIN_BYTES,
	}, *list = &iocb;

	if (pins == MAX_PINS)
		return false;
	if (!pins)
		suspend(true);
	if (syscall(SYS_io_submit, context, 1, &list) != 1) {
		if (!pins)
			suspend(false);
		return false;
	}
	pins++;
	run->pinned = true;
	model_open(run, offset, offset + PIN_BYTES, NULL);
	return true;
}

void pin_end(struct run *run)
{
	struct io_event events[MAX_PINS];

	run->pinned = false;
	if (!pins)
		return;
	suspend(false);
	while (pins) {
		long n = syscall(SYS_io_getevents, context, 1, MAX_PINS, events,
				 NULL);

		if (n < 0 && errno != EINTR)
			die("io_getevents: %s", strerror(errno));
		if (n > 0)
			pins -= n;
	}
}
