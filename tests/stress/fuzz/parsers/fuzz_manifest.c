// SPDX-License-Identifier: GPL-2.0-only
/* Manifests of others: whatever they are, they are read or refused. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/escape.h"
#include "manifest/file.h"
#include "parsers.h"

/* What is complained of goes nowhere. */
static void be_quiet(void)
{
	static int done;
	int fd;

	if (done)
		return;
	done = 1;
	fd = open("/dev/null", O_WRONLY);
	must(fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0);
	if (!getenv("LOUD"))
		stderr = fdopen(fd, "w");
}

static void look(struct json_object *entry)
{
	const char *path = manifest_path(entry);
	uint64_t digest;
	const char *c;
	int fd;

	manifest_digest(entry, &digest);
	if (!path)
		return;
	must(*path);
	for (c = shown(path); *c; c++)
		must((unsigned char)*c >= ' ' && *c != 0x7f);
	fd = open("/proc/self/exe", O_RDONLY);
	manifest_check(path, fd, entry);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *top, *files;
	char name[32];
	size_t i;
	int fd = memfd_create("manifest", 0);

	be_quiet();
	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	lseek(fd, 0, SEEK_SET);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	top = manifest_load(name, &files);
	if (top) {
		for (i = 0; i < json_object_array_length(files); i++)
			look(json_object_array_get_idx(files, i));
		json_object_put(top);
	}
	close(fd);
	return 0;
}
