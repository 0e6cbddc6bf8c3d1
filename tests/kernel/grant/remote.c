// SPDX-License-Identifier: GPL-2.0-only
/*
 * remote HOST PORT DEVICE ROUNDS SEED EXPECTED: a client of
 * examples/blockserver on another machine than the server, which writes at
 * random through the device. What the server reads through the file must be
 * what a model says, before and after each commit. What the file has to hold
 * at the end is put into EXPECTED.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../examples/blockserver/protocol.h"

#define UNIT	4096
#define UNITS	128		/* at most */

static struct bs_client client;
static unsigned char shows[UNITS], holds[UNITS];
static bool written[UNITS], granted[UNITS];
static unsigned int units;
static unsigned long checked, commits, refused;
static char *buffer;

__attribute__((noreturn))
static void die(unsigned long round, const char *what, int ret)
{
	printf("round %lu: %s: %s\n", round, what, strerror(-ret));
	printf("0 passed, 1 failed, 0 skipped\n");
	exit(1);
}

static void check(unsigned long round, unsigned int first, unsigned int nr)
{
	int ret = bs_read(&client, (uint64_t)first * UNIT, buffer,
			  (uint64_t)nr * UNIT);

	if (ret)
		die(round, "read", ret);
	for (unsigned int i = 0; i < nr * UNIT; i++)
		if ((unsigned char)buffer[i] != shows[first + i / UNIT]) {
			printf("unit %u: 0x%02x, not 0x%02x\n", first + i / UNIT,
			       (unsigned char)buffer[i], shows[first + i / UNIT]);
			die(round, "the file shows something else", -EILSEQ);
		}
	checked += nr;
}

static bool all(const bool *flags, unsigned int first, unsigned int nr)
{
	for (unsigned int i = first; i < first + nr; i++)
		if (!flags[i])
			return false;
	return true;
}

static void write_units(unsigned long round, unsigned int first,
			unsigned int nr, unsigned char byte)
{
	struct seal_grant_extent extents[BS_MAX_EXTENTS];
	uint64_t done, offset = (uint64_t)first * UNIT;
	unsigned int got;
	int ret;

	ret = bs_layoutget(&client, offset, (uint64_t)nr * UNIT, extents, &got,
			   &done);
	if (ret || done != (uint64_t)nr * UNIT)
		die(round, "layout", ret ? ret : -ERANGE);
	memset(granted + first, 1, nr);
	memset(buffer, byte, (size_t)nr * UNIT);
	ret = bs_write(&client, extents, got, offset, buffer,
		       (uint64_t)nr * UNIT);
	if (ret)
		die(round, "write", ret);
	memset(holds + first, byte, nr);
}

static void commit_units(unsigned long round, unsigned int first,
			 unsigned int nr, uint64_t new_size)
{
	int ret = bs_flush(&client);

	if (!ret)
		ret = bs_commit(&client, (uint64_t)first * UNIT,
				(uint64_t)nr * UNIT, new_size);
	if (!all(granted, first, nr)) {
		if (ret != -ENXIO)
			die(round, "commit of what is not granted", ret);
		refused++;
		return;
	}
	if (ret)
		die(round, "commit", ret);
	memcpy(shows + first, holds + first, nr);
	memset(written + first, 1, nr);
	commits++;
}

static void one(unsigned long round)
{
	unsigned int first = rand() % units, nr = 1 + rand() % 8;
	int ret;

	if (first + nr > units)
		nr = units - first;
	switch (rand() % 8) {
	case 0:
		ret = bs_return(&client, (uint64_t)first * UNIT,
				(uint64_t)nr * UNIT);
		if (ret)
			die(round, "return", ret);
		memset(granted + first, 0, nr);
		break;
	case 1:
	case 2:
		/* may be of units nobody wrote to since they were allocated */
		for (unsigned int i = first; i < first + nr; i++)
			if (!holds[i])
				write_units(round, i, 1, 1 + rand() % 255);
		commit_units(round, first, nr, 0);
		check(round, first, nr);
		break;
	case 3:
		if (units == UNITS)
			break;
		nr = units + nr > UNITS ? UNITS - units : nr;
		write_units(round, units, nr, 1 + rand() % 255);
		commit_units(round, units, nr, (uint64_t)(units + nr) * UNIT);
		units += nr;
		check(round, units - nr, nr);
		break;
	default:
		write_units(round, first, nr, 1 + rand() % 255);
		/* not there before the commit, but where it is in place */
		for (unsigned int i = first; i < first + nr; i++) {
			if (written[i])
				commit_units(round, i, 1, 0);
			check(round, i, 1);
		}
		break;
	}
}

int main(int argc, char **argv)
{
	unsigned long rounds;
	FILE *expected;
	int ret;

	if (argc != 7)
		return 2;
	ret = bs_connect(&client, argv[1], argv[2], argv[3]);
	if (ret)
		die(0, "connect", ret);
	if (client.unit != UNIT || posix_memalign((void **)&buffer, UNIT,
						  UNITS * UNIT))
		die(0, "unit", -EINVAL);
	units = client.size / UNIT;
	rounds = strtoul(argv[4], NULL, 0);
	srand(atoi(argv[5]));
	for (unsigned long round = 1; round <= rounds; round++)
		one(round);
	check(rounds, 0, units);
	expected = fopen(argv[6], "w");
	for (unsigned int i = 0; expected && i < units; i++) {
		memset(buffer, shows[i], UNIT);
		if (fwrite(buffer, UNIT, 1, expected) != 1)
			die(rounds, "expected", -EIO);
	}
	if (!expected || fclose(expected))
		die(rounds, "expected", -EIO);
	bs_disconnect(&client);
	printf("%lu rounds, %lu commits, %lu refused, %lu units compared, %u KiB\n",
	       rounds, commits, refused, checked, units * UNIT / 1024);
	printf("1 passed, 0 failed, 0 skipped\n");
	return 0;
}
