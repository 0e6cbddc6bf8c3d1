// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared by sealctl list and sealctl monitor.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/errors.h"
#include "base/sealctl.h"
#include "print/claims.h"

/* If the device is the reason, complain about it. Return: was it? */
static bool device_complained(int error)
{
	struct seal_session *session;

	if (error != ENOENT && error != ENXIO && error != ENODEV &&
	    error != EACCES && error != EPERM)
		return false;
	session = open_session();
	if (!session)
		return true;
	seal_close(session);
	return false;
}

void complain_events(int error)
{
	if (device_complained(error))
		return;
	switch (error) {
	case EOPNOTSUPP:
		complain("events",
			 "the module answers in the initial network namespace only; run sealctl outside of the container");
		break;
	case EPROTO:
		complain("events",
			 "the loaded module and sealctl do not understand each other; load the module that came with sealctl (\"rmmod seal; modprobe seal\")");
		break;
	default:
		complain("events", "%s", strerror(error));
		break;
	}
}

void format_time(uint64_t ns, char *text, size_t size)
{
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;

	if (!localtime_r(&seconds, &tm) ||
	    !strftime(text, size, "%Y-%m-%dT%H:%M:%S", &tm))
		snprintf(text, size, "?");
}

void format_time_exact(uint64_t ns, char *text, size_t size)
{
	char whole[32];

	format_time(ns, whole, sizeof(whole));
	snprintf(text, size, "%s.%06u", whole,
		 (unsigned int)(ns % 1000000000 / 1000));
}

const char *claim_state(uint32_t flags)
{
	if (flags & SEAL_STATUS_BROKEN)
		return "broken";
	if (flags & SEAL_STATUS_MISSED)
		return "missed";
	if (flags & SEAL_STATUS_LOG_ONLY)
		return "log-only";
	return flags & SEAL_STATUS_SEALED ? "sealed" : "unsealed";
}

bool parse_number(const char *text, uint32_t *number)
{
	unsigned long long value;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || value > UINT32_MAX)
		return false;
	*number = (uint32_t)value;
	return true;
}
