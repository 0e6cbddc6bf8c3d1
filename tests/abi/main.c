// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sealtest.h"
#include "tests.h"

/*
 * One file stays sealed throughout, so that the gates are not attached and
 * detached by every test: that takes most of the time under emulation, and
 * is the business of tests/lifecycle. Failure shows in the tests.
 */
static void hold_an_anchor(void)
{
	const char *dir = getenv("SEAL_DIR");
	int dev = open(ST_DEVICE, O_RDWR | O_CLOEXEC);
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/anchor", dir ? dir : ".");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (dev >= 0 && fd >= 0)
		st_do_seal_one(dev, fd);
}

int main(void)
{
	Suite *suite = suite_create("abi");

	suite_add_tcase(suite, abi_args());
	suite_add_tcase(suite, abi_memory());
	suite_add_tcase(suite, abi_descriptors());
	suite_add_tcase(suite, abi_rights());
	suite_add_tcase(suite, abi_require());
	suite_add_tcase(suite, abi_node());
	suite_add_tcase(suite, abi_compat());
	hold_an_anchor();
	return st_main(suite);
}
