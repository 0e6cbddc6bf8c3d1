// SPDX-License-Identifier: GPL-2.0-only
/* Random grants, writes and commits, against a model of what must be read. */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNITS	96
#define ROUNDS	1000
#define CHECKS	50	/* rounds between two looks at all of it */

struct model {
	unsigned char shows[UNITS];	/* what the file reads as */
	unsigned char holds[UNITS];	/* what is in the blocks */
	bool written[UNITS];
	bool granted[UNITS];
};

static void check_all(int fd, const struct model *m)
{
	gr_consistent(fd);
	for (unsigned int i = 0; i < UNITS; i++)
		ck_assert_msg(gr_reads(fd, (uint64_t)i * UNIT, UNIT,
				       m->shows[i]), "unit %u", i);
}

static bool all(const bool *flags, unsigned int first, unsigned int nr)
{
	for (unsigned int i = first; i < first + nr; i++)
		if (!flags[i])
			return false;
	return true;
}

static void round_grant(struct seal_session *session, int fd, struct model *m,
			unsigned int first, unsigned int nr)
{
	struct seal_grant_extent extents[MAX];

	gr_grant(session, fd, 0, (uint64_t)first * UNIT, (uint64_t)nr * UNIT,
		 extents);
	memset(m->granted + first, 1, nr);
}

static void round_client(struct seal_session *session, int fd, int device,
			 struct model *m, unsigned int first, unsigned int nr,
			 unsigned char byte)
{
	struct seal_grant_extent extents[MAX];
	uint64_t offset = (uint64_t)first * UNIT, length = (uint64_t)nr * UNIT;
	int got;

	if (!all(m->granted, first, nr)) {
		ck_assert_int_eq(gr_do_commit(session, fd, offset, length),
				 -ENXIO);
		return;
	}
	got = gr_grant(session, fd, 0, offset, length, extents);
	gr_client_write(device, extents, got, offset, length, byte);
	for (unsigned int i = first; i < first + nr; i++) {
		m->holds[i] = byte;
		/* of written blocks the file shows it at once, or later */
		if (m->written[i])
			gr_commit(session, fd, (uint64_t)i * UNIT, UNIT);
		if (m->written[i])
			m->shows[i] = byte;
	}
}

static void round_commit(struct seal_session *session, int fd, struct model *m,
			 unsigned int first, unsigned int nr)
{
	uint64_t offset = (uint64_t)first * UNIT, length = (uint64_t)nr * UNIT;

	if (!all(m->granted, first, nr)) {
		ck_assert_int_eq(gr_do_commit(session, fd, offset, length),
				 -ENXIO);
		return;
	}
	gr_commit(session, fd, offset, length);
	for (unsigned int i = first; i < first + nr; i++) {
		m->shows[i] = m->holds[i];
		m->written[i] = true;
	}
}

static void round_local(int fd, struct model *m, unsigned int first,
			unsigned int nr, unsigned char byte)
{
	static unsigned char buf[UNITS * UNIT];
	ssize_t n;

	memset(buf, byte, (size_t)nr * UNIT);
	n = pwrite(fd, buf, (size_t)nr * UNIT, (off_t)first * UNIT);
	if (!all(m->written, first, nr)) {
		ck_assert_int_eq(n, -1);
		ck_assert_int_eq(errno, ETXTBSY);
		return;
	}
	ck_assert_int_eq(n, nr * UNIT);
	ck_assert_int_eq(fsync(fd), 0);
	memset(m->shows + first, byte, nr);
	memset(m->holds + first, byte, nr);
}

START_TEST(random_rounds)
{
	struct seal_session *session = gr_session();
	int fd, device = gr_device(), addresses = 0;
	uint64_t address[UNITS];
	struct model m = { 0 };
	unsigned int first, nr;

	srand(_i + 1);
	fd = gr_create_unwritten("rounds", UNITS * UNIT);
	for (unsigned int i = 0; i < UNITS; i++)
		address[i] = st_address(fd, (uint64_t)i * UNIT);
	/* what the blocks hold is somebody's who was here before */
	memset(m.holds, 0, sizeof(m.holds));
	gr_seal(session, fd);
	for (unsigned int i = 0; i < UNITS; i++) {
		struct seal_grant_extent extents[MAX];
		int got = gr_grant(session, fd, 0, (uint64_t)i * UNIT, UNIT,
				   extents);

		gr_client_write(device, extents, got, (uint64_t)i * UNIT, UNIT,
				0xee);
		m.holds[i] = 0xee;
	}
	ck_assert_int_eq(seal_release(session, fd, 0, 0, 0), 0);

	for (int round = 1; round <= ROUNDS; round++) {
		first = rand() % UNITS;
		nr = 1 + rand() % 6;
		if (first + nr > UNITS)
			nr = UNITS - first;
		switch (rand() % 8) {
		case 0:
			ck_assert_int_eq(seal_release(session, fd, 0,
						      (uint64_t)first * UNIT,
						      (uint64_t)nr * UNIT), 0);
			memset(m.granted + first, 0, nr);
			break;
		case 1:
		case 2:
			round_grant(session, fd, &m, first, nr);
			break;
		case 3:
			round_commit(session, fd, &m, first, nr);
			break;
		case 4:
			round_local(fd, &m, first, nr, rand());
			break;
		default:
			round_client(session, fd, device, &m, first, nr,
				     rand());
			break;
		}
		if (round % CHECKS == 0)
			check_all(fd, &m);
	}
	for (unsigned int i = 0; i < UNITS; i++)
		addresses += st_address(fd, (uint64_t)i * UNIT) != address[i];
	ck_assert_int_eq(addresses, 0);
	seal_close(session);
	/* nor does the cache say anything else than the disk */
	ck_assert_int_eq(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	for (unsigned int i = 0; i < UNITS; i++)
		ck_assert(gr_reads(fd, (uint64_t)i * UNIT, UNIT, m.shows[i]));
	close(fd);
	close(device);
	st_remove("rounds");
}
END_TEST

static TCase *grant_rounds(void)
{
	TCase *tc = tcase_create("rounds");

	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, random_rounds, 0, 1);
	return tc;
}

ST_CASE(rounds, grant_rounds, ST_NOWHERE);
