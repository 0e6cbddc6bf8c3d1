// SPDX-License-Identifier: GPL-2.0-only
/* Requirements as words: only known bits, and a limit only with its bit. */
#include <stdlib.h>
#include <string.h>

#include "base/sealctl.h"
#include "parsers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);
	struct requirements require = { 0 };

	if (!parse_require(text, &require)) {
		must(require.mask && !(require.mask & ~SEAL_REQ_ALL));
		must(!require.max_extents || require.mask & SEAL_REQ_EXTENTS);
		must(text[strlen(text) - 1] != ',');
	}
	free(text);
	return 0;
}
