// SPDX-License-Identifier: GPL-2.0-only
/* A line of mountinfo; names of mounts are what anybody called them. */
#include <stdlib.h>
#include <string.h>

/* match() is all there is to it, and nobody else's. */
#include "../../../../tools/base/mounts.c"
#include "parsers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size), name[16];
	unsigned int at, i;

	for (at = 1; at <= sizeof(name); at *= 4) {
		memset(name, 'x', sizeof(name));
		if (!match(text, makedev(8, 1), name, at))
			continue;
		must(memchr(name, 0, at));
		for (i = 0; name[i]; i++)
			must(name[i] > ' ' && name[i] <= '~');
	}
	free(text);
	return 0;
}
