// SPDX-License-Identifier: GPL-2.0-only
/* Programs from a seed, and programs from other programs. */
#include "fuzz.h"

#include <string.h>

static uint64_t state;

void random_seed(uint64_t seed)
{
	state = seed * 2 + 1;
}

/* splitmix64 */
static uint64_t random_word(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

uint64_t random_below(uint64_t n)
{
	return random_word() % n;
}

static bool one_in(unsigned int n)
{
	return !random_below(n);
}

/* Where mistakes of one, of a page and of a type live. */
static uint64_t random_number(void)
{
	static const uint64_t edges[] = {
		0, 1, 4095, 4096, 4097, 65536, 262143, 262144, 262145,
		1 << 20, 1 << 26, 1ULL << 30, 0x7fffffffULL, 0x80000000ULL,
		0xffffffffULL, 1ULL << 32, 1ULL << 43, INT64_MAX - 4096,
		INT64_MAX, 1ULL << 63, UINT64_MAX - 4095, UINT64_MAX,
	};

	switch (random_below(4)) {
	case 0:
		return edges[random_below(sizeof(edges) / sizeof(edges[0]))];
	case 1:
		return random_below(64) * 4096;
	case 2:
		return random_below(300000);
	default:
		return one_in(8) ? random_word() : 0;
	}
}

static uint32_t random_flags(void)
{
	if (one_in(2))
		return 0;
	return one_in(4) ? (uint32_t)random_word() : random_below(16);
}

static uint16_t random_size(void)
{
	static const uint16_t edges[] = {
		1, 4, 8, 64, 4095, 4096, 4097,
		(uint16_t)-1, (uint16_t)-4, (uint16_t)-8, (uint16_t)-64,
	};

	if (!one_in(6))
		return 0;
	return edges[random_below(sizeof(edges) / sizeof(edges[0]))];
}

static void call_random(struct call *c)
{
	*c = (struct call){
		.op = random_below(OP_NR),
		.thread = one_in(3),
		.dev = random_below(4),
		.file = random_below(32),
		.where = one_in(6) ? random_below(WHERE_NR) : WHERE_EXACT,
		.nr = one_in(4) ? random_below(256) : 1 + random_below(3),
		.size = random_size(),
		.flags = random_flags(),
		.more = random_flags(),
		.a = random_number(),
		.b = random_number(),
	};
	/* half of all calls are about sealing, and some about grants */
	if (one_in(2))
		c->op = OP_SEAL + random_below(3);
	else if (one_in(4))
		c->op = OP_GRANT + random_below(3);
	if (c->op == OP_NETLINK)
		c->where = random_below(5);
}

void program_random(struct program *p)
{
	p->nr = 1 + random_below(MAX_CALLS / 2);
	for (unsigned int i = 0; i < p->nr; i++)
		call_random(&p->call[i]);
}

static void call_mutate(struct call *c)
{
	struct call other;

	call_random(&other);
	switch (random_below(10)) {
	case 0: c->op = other.op; break;
	case 1: c->thread = !c->thread; break;
	case 2: c->dev = other.dev; break;
	case 3: c->file = other.file; break;
	case 4: c->where = random_below(WHERE_NR); break;
	case 5: c->nr = other.nr; break;
	case 6: c->size = other.size; break;
	case 7: c->flags ^= 1U << random_below(32); break;
	case 8: c->more ^= 1U << random_below(32); break;
	default:
		c->a = random_number();
		c->b = random_number();
		break;
	}
}

void program_mutate(struct program *p)
{
	unsigned int at, times = 1 + random_below(4);

	while (times--) {
		at = random_below(p->nr);
		switch (random_below(5)) {
		case 0:
			if (p->nr == MAX_CALLS)
				break;
			memmove(&p->call[at + 1], &p->call[at],
				(p->nr - at) * sizeof(p->call[0]));
			p->nr++;
			if (one_in(2))
				call_random(&p->call[at]);
			break;
		case 1:
			if (p->nr == 1)
				break;
			p->nr--;
			memmove(&p->call[at], &p->call[at + 1],
				(p->nr - at) * sizeof(p->call[0]));
			break;
		default:
			call_mutate(&p->call[at]);
			break;
		}
	}
}
