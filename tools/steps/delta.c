// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells people how a transfer ended.
 */
#include <errno.h>
#include <string.h>

#include "base/errors.h"
#include "base/escape.h"
#include "steps/delta.h"

static void summary(const struct seal_delta *delta, const char *path)
{
	char read[24], data[24], zero[24], skipped[24], stream[24], resumed[24];

	fprintf(stderr, "%s: read %s, delta %s, data %s, zeros %s, skipped %s",
		shown(path), format_size(delta->read, read, sizeof(read)),
		format_size(delta->stream, stream, sizeof(stream)),
		format_size(delta->data, data, sizeof(data)),
		format_size(delta->zero, zero, sizeof(zero)),
		format_size(delta->skipped, skipped, sizeof(skipped)));
	if (delta->resumed)
		fprintf(stderr, ", received before %s",
			format_size(delta->resumed, resumed, sizeof(resumed)));
	fputc('\n', stderr);
}

static void complain_delta(const struct seal_delta *delta, const char *path,
			   int ret)
{
	if (ret == -ECANCELED)
		complain(path, "interrupted");
	else if (ret == -ESTALE && !delta->message[0])
		complain(path,
			 "the seals were not kept, or the file changed; the delta has no end and cannot be received");
	else if (ret)
		complain(path, "%s", delta->message[0] ? delta->message :
						       strerror(-ret));
	else if (delta->message[0])
		complain(path, "done, but %s", delta->message);
}

int delta_status(const struct seal_delta *delta, int ret)
{
	switch (ret) {
	case 0:
		return STATUS_OK;
	case -EALREADY:
		return STATUS_ALREADY;
	case -ENODATA:
		return STATUS_WRONG_BASE;
	case -ESTALE:
		return delta->message[0] ? STATUS_WRONG_BASE : STATUS_FAILED;
	case -EIO:
	case -ENOSPC:
	case -EDQUOT:
	case -EPIPE:
		return STATUS_IO;
	default:
		return STATUS_FAILED;
	}
}

int delta_result(const struct seal_delta *delta, const char *path, int ret,
		 bool quiet)
{
	complain_delta(delta, path, ret);
	if (!ret && !quiet)
		summary(delta, path);
	return delta_status(delta, ret);
}
