// SPDX-License-Identifier: GPL-2.0-only
/* The module's table of in-place ranges against a bitmap that says the same. */
#include <stdbool.h>
#include <string.h>

#include <linux/types.h>

#include "parsers.h"
#include "base/ranges.h"

#define UNITS 4096

/* Where units begin: what fits in narrow chunks, what does not, and both. */
static uint64_t at[UNITS + 1];

static void lay_out(unsigned int how)
{
	static const uint64_t sizes[] = { 512, 1, 1ULL << 33 };

	for (unsigned int i = 0; i < UNITS; i++)
		at[i + 1] = at[i] + sizes[how < 3 ? how : i / 300 % 3];
}

static void fill(struct input *in, struct seal_ranges *ranges, bool *map)
{
	unsigned int pos = 0, end, nr = input_byte(in) * 4;

	memset(map, 0, UNITS * sizeof(*map));
	while (nr-- && pos < UNITS) {
		pos += input_byte(in) % 32;
		end = pos + input_byte(in) % 32;
		if (end > UNITS)
			break;
		must(!seal_ranges_add(ranges, at[pos], at[end]));
		memset(map + pos, 1, (end - pos) * sizeof(*map));
		pos = end;
	}
}

static void same(const struct seal_ranges *ranges, const bool *map)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < UNITS; i++) {
		bytes += map[i] ? at[i + 1] - at[i] : 0;
		must(seal_ranges_cover(ranges, at[i], at[i + 1]) == map[i]);
		must(seal_ranges_overlap(ranges, at[i], at[i + 1]) == map[i]);
	}
	must(seal_ranges_bytes(ranges) == bytes);
}

static void compare(const uint8_t *data, size_t size)
{
	static bool map_a[UNITS], map_b[UNITS], both[UNITS];
	struct seal_ranges a = { 0 }, b = { 0 }, out = { 0 };
	struct input in = { data, size };
	bool subset = true, all;

	fill(&in, &a, map_a);
	fill(&in, &b, map_b);
	same(&a, map_a);
	same(&b, map_b);
	must(!seal_ranges_intersect(&out, &a, &b));
	for (unsigned int i = 0; i < UNITS; i++) {
		both[i] = map_a[i] && map_b[i];
		subset &= !map_a[i] || map_b[i];
	}
	same(&out, both);
	must(seal_ranges_subset(&a, &b) == subset);
	must(seal_ranges_subset(&out, &a) && seal_ranges_subset(&out, &b));
	seal_ranges_free(&out);
	must(!seal_ranges_union(&out, &a, &b));
	for (unsigned int i = 0; i < UNITS; i++)
		both[i] = map_a[i] || map_b[i];
	same(&out, both);
	seal_ranges_free(&out);
	must(!seal_ranges_subtract(&out, &a, &b));
	for (unsigned int i = 0; i < UNITS; i++)
		both[i] = map_a[i] && !map_b[i];
	same(&out, both);
	for (unsigned int i = 0; i < 16; i++) {
		unsigned int start = input_byte(&in) * 16;
		unsigned int end = start + input_byte(&in);

		if (end > UNITS)
			end = UNITS;
		all = true;
		for (unsigned int j = start; j < end; j++)
			all &= map_a[j];
		must(seal_ranges_cover(&a, at[start], at[end]) == all);
	}
	seal_ranges_free(&a);
	seal_ranges_free(&b);
	seal_ranges_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	lay_out(size % 4);
	compare(data, size);
	return 0;
}
