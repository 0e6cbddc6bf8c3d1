// SPDX-License-Identifier: GPL-2.0-only
/* Failures on request, through /proc/thread-self/fail-nth. */
#define _GNU_SOURCE
#include "inject.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sealtest.h"

#define DEBUGFS	"/sys/kernel/debug/"

static int fail_nth = -1;

/* What can fail at all, and without a dump of the stack in the log. */
static const struct {
	const char *path;
	const char *value;
} settings[] = {
	{ DEBUGFS "failslab/ignore-gfp-wait", "N" },
	{ DEBUGFS "failslab/verbose", "0" },
	{ DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N" },
	{ DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N" },
	{ DEBUGFS "fail_page_alloc/min-order", "0" },
	{ DEBUGFS "fail_page_alloc/verbose", "0" },
	{ DEBUGFS "fail_usercopy/verbose", "0" },
};

/*
 * The kernel cannot remove a kprobe without memory: it warns, leaves the probe
 * in its table and miscounts how many there are, whoever the probe belongs to.
 * So nothing fails there, unless FAULTS_DISARM is set to see what becomes of it:
 * with "rest unseal", and the warnings exempt from the look through the log.
 */
static const char *const spared[] = {
	"__disarm_kprobe_ftrace", "disarm_kprobe_ftrace", "disarm_kprobe",
};

static bool function_range(const char *name, uint64_t *start, uint64_t *end)
{
	unsigned long long address;
	char line[512], symbol[256];
	FILE *f = fopen("/proc/kallsyms", "re");

	*start = 0;
	*end = UINT64_MAX;
	if (!f)
		return false;
	while (!*start && fgets(line, sizeof(line), f))
		if (sscanf(line, "%llx %*c %255s", &address, symbol) == 2 &&
		    !strcmp(symbol, name))
			*start = address;
	rewind(f);
	while (*start && fgets(line, sizeof(line), f))
		if (sscanf(line, "%llx", &address) == 1 &&
		    address > *start && address < *end)
			*end = address;
	fclose(f);
	return *start;
}

static int spare(const char *kind, uint64_t start, uint64_t end)
{
	char path[128], value[32];
	int ret;

	snprintf(path, sizeof(path), DEBUGFS "%s/reject-start", kind);
	snprintf(value, sizeof(value), "0x%llx", (unsigned long long)start);
	ret = st_do_write_file(path, value);
	snprintf(path, sizeof(path), DEBUGFS "%s/reject-end", kind);
	snprintf(value, sizeof(value), "0x%llx", (unsigned long long)end);
	return ret ?: st_do_write_file(path, value);
}

const char *inject_setup(void)
{
	uint64_t start = 0, end = 0;
	unsigned int i;

	if (access("/proc/thread-self/fail-nth", W_OK))
		return "the kernel has no fault injection";
	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (st_do_write_file(settings[i].path, settings[i].value))
			return settings[i].path;
	for (i = 0; i < sizeof(spared) / sizeof(spared[0]); i++)
		if (function_range(spared[i], &start, &end))
			break;
	if (!start)
		return "no function that disarms kprobes";
	if (!getenv("FAULTS_DISARM") &&
	    (spare("failslab", start, end) ||
	     spare("fail_page_alloc", start, end)))
		return "no stack filter for failures";
	return NULL;
}

void inject_arm(unsigned int nth)
{
	char value[16];
	int len = snprintf(value, sizeof(value), "%u", nth);

	if (fail_nth < 0)
		fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fail_nth, 0);
	ck_assert_int_eq(pwrite(fail_nth, value, len, 0), len);
}

bool inject_disarm(void)
{
	char value[16] = "";
	ssize_t n = pread(fail_nth, value, sizeof(value) - 1, 0);
	/*
	 * The failure can hit this very call, or the next one: then the others
	 * were spared.
	 */
	bool hit = n > 0 && !atoi(value);

	if (pwrite(fail_nth, "0", 1, 0) != 1)
		ck_assert_int_eq(pwrite(fail_nth, "0", 1, 0), 1);
	return hit;
}
