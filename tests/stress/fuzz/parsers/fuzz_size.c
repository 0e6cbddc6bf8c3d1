// SPDX-License-Identifier: GPL-2.0-only
/* Sizes as words: what is taken is what strtoull() and a shift would give. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/sealctl.h"
#include "parsers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size), shown[24];
	uint64_t value = 0, again;

	if (!parse_size(text, &value)) {
		must(value <= INT64_MAX);
		must(*text >= '0' && *text <= '9');
		/* a size in bytes reads back */
		snprintf(shown, sizeof(shown), "%" PRIu64, value);
		must(!parse_size(shown, &again) && again == value);
		must(strlen(format_size(value, shown, sizeof(shown))) <
		     sizeof(shown) - 1);
	}
	free(text);
	return 0;
}
