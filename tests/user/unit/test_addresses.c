// SPDX-License-Identifier: GPL-2.0-only
/* Nothing is in place where an address means nothing. */
#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/addresses.h"
#include "unit.h"

START_TEST(nothing_in_place)
{
	struct seal_status status = { .written = 4096, .in_place = 4096 };
	struct statfs fs;
	char name[32];
	int fd;

	/* in memory, without any device */
	fd = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);
	if (fd < 0)
		fd = open("/run", O_TMPFILE | O_RDWR, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstatfs(fd, &fs), 0);
	ck_assert_int_eq(fs.f_type, TMPFS_MAGIC);
	ck_assert(!addresses_mean(fd, name, sizeof(name)));
	ck_assert(*name);
	ck_assert_uint_eq(in_place_bytes(fd, &status), 0);
	/* the module knows what it seals */
	status.flags = SEAL_STATUS_SEALED;
	ck_assert_uint_eq(in_place_bytes(fd, &status), 4096);
	close(fd);
}
END_TEST

/* Where the test runs there is a device, or there is none. */
START_TEST(as_addresses)
{
	struct seal_status status = { .written = 4096, .in_place = 4096 };
	int fd = open(".", O_RDONLY | O_DIRECTORY);
	char name[32];

	ck_assert_int_ge(fd, 0);
	ck_assert_uint_eq(in_place_bytes(fd, &status),
			  addresses_mean(fd, name, sizeof(name)) ? 4096 : 0);
	close(fd);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("addresses");

	tcase_add_test(tests, nothing_in_place);
	tcase_add_test(tests, as_addresses);
	return run_tests(tests, "addresses");
}
