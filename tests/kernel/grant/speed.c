// SPDX-License-Identifier: GPL-2.0-only
/*
 * What granting costs: the same data through grants and the device, through
 * the filesystem, and into blocks that were zeroed in advance. All in one run;
 * ratios are what can be compared.
 */
#define _GNU_SOURCE
#include "sealtest.h"
#include "tests.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE	(64ULL << 20)
#define CHUNK	(1U << 20)

static char *buf;

static double granted(int device)
{
	struct seal_session *session = gr_session();
	struct seal_grant_extent extents[MAX];
	int fd = gr_create_unwritten("speed", SIZE), ret;
	struct seal_grant grant;
	double start;

	gr_seal(session, fd);
	start = st_now();
	for (uint64_t at = 0; at < SIZE; at += CHUNK) {
		ret = seal_grant(session, fd, 0, at, CHUNK, extents, MAX,
				 &grant);
		ck_assert_int_gt(ret, 0);
		ck_assert_uint_eq(grant.done, CHUNK);
		for (int i = 0; i < ret; i++)
			ck_assert_int_eq(pwrite(device, buf, extents[i].length,
						extents[i].physical),
					 extents[i].length);
		gr_commit(session, fd, at, CHUNK);
	}
	start = st_now() - start;
	ck_assert(gr_reads(fd, SIZE - CHUNK, CHUNK, 0xa5));
	seal_close(session);
	close(fd);
	st_remove("speed");
	return start;
}

static double direct(bool zero)
{
	int fd = gr_create_unwritten("speed", SIZE), io;
	struct seal_session *session = gr_session();
	double start = st_now();

	if (zero)
		ck_assert_int_eq(seal_prealloc(session, fd,
					       SEAL_PREALLOC_WRITTEN, 0, SIZE),
				 0);
	io = st_open("speed", O_RDWR | O_DIRECT | O_DSYNC);
	for (uint64_t at = 0; at < SIZE; at += CHUNK)
		ck_assert_int_eq(pwrite(io, buf, CHUNK, at), CHUNK);
	start = st_now() - start;
	seal_close(session);
	close(io);
	close(fd);
	st_remove("speed");
	return start;
}

START_TEST(throughput)
{
	int device = gr_device();
	double g[3], d[3], z[3];

	ck_assert_int_eq(posix_memalign((void **)&buf, UNIT, CHUNK), 0);
	memset(buf, 0xa5, CHUNK);
	for (int i = 0; i < 3; i++) {
		g[i] = granted(device);
		d[i] = direct(false);
		z[i] = direct(true);
		printf("throughput: grant+write+commit %.2f s; O_DIRECT %.2f s (ratio %.2f); zeroed first %.2f s (ratio %.2f)\n",
		       g[i], d[i], g[i] / d[i], z[i], g[i] / z[i]);
	}
	close(device);
}
END_TEST

static TCase *grant_speed(void)
{
	TCase *tc = tcase_create("speed");

	tcase_set_timeout(tc, 200);
	tcase_add_test(tc, throughput);
	return tc;
}

ST_CASE(speed, grant_speed, ST_NOWHERE);
