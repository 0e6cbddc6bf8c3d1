// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sizes: reading them from the command line, and printing them for people.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/sealctl.h"

static const char suffixes[] = "KMGT";

/*
 * parse_size() - read a decimal number, which may be followed by K, M, G or T
 * (powers of 1024) and then by "iB"
 *
 * Return: 0; -EINVAL; -ERANGE beyond what a file offset can hold.
 */
int parse_size(const char *text, uint64_t *size)
{
	unsigned int shift = 0;
	const char *suffix;
	uint64_t value;
	char *end;

	/* strtoull() would accept blanks and signs. */
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno)
		return -ERANGE;
	if (*end) {
		suffix = strchr(suffixes, toupper((unsigned char)*end));
		if (!suffix)
			return -EINVAL;
		shift = 10 * (unsigned int)(suffix - suffixes + 1);
		end++;
		if (*end && strcmp(end, "iB"))
			return -EINVAL;
	}
	if (value > (uint64_t)INT64_MAX >> shift)
		return -ERANGE;
	*size = value << shift;
	return 0;
}

/* format_size() - "512 B", "4.0 KiB", ... */
const char *format_size(uint64_t size, char *buffer, size_t length)
{
	const char *suffix = suffixes;
	double value;

	if (size < 1024) {
		snprintf(buffer, length, "%" PRIu64 " B", size);
		return buffer;
	}
	value = (double)size / 1024;
	/* 1023.95 would round to 1024.0 */
	while (value >= 1023.95 && suffix[1]) {
		value /= 1024;
		suffix++;
	}
	snprintf(buffer, length, "%.1f %ciB", value, *suffix);
	return buffer;
}
