// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requirements on a map, as words.
 */
#include <errno.h>
#include <string.h>

#include "base/sealctl.h"

static const struct {
	const char *name;
	uint32_t bit;
} names[] = {
	{ "allocated", SEAL_REQ_ALLOCATED },
	{ "written", SEAL_REQ_WRITTEN },
	{ "unshared", SEAL_REQ_UNSHARED },
	{ "extents", SEAL_REQ_EXTENTS },
};

const char *require_name(uint32_t bit)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].bit == bit)
			return names[i].name;
	return "unknown";
}

static int parse_word(const char *word, struct requirements *require)
{
	unsigned int i;

	if (!strncmp(word, "extents=", 8)) {
		require->mask |= SEAL_REQ_EXTENTS;
		return parse_size(word + 8, &require->max_extents);
	}
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		/* this one needs a number, see below */
		if (names[i].bit == SEAL_REQ_EXTENTS)
			continue;
		if (!strcmp(word, names[i].name)) {
			require->mask |= names[i].bit;
			return 0;
		}
	}
	return -EINVAL;
}

/* parse_require() - add a list like "written,extents=4" to @require */
int parse_require(const char *text, struct requirements *require)
{
	char word[64];
	size_t length;
	int ret;

	for (;;) {
		length = strcspn(text, ",");
		if (!length || length >= sizeof(word))
			return -EINVAL;
		memcpy(word, text, length);
		word[length] = '\0';
		ret = parse_word(word, require);
		if (ret || !text[length])
			return ret;
		text += length + 1;
	}
}
