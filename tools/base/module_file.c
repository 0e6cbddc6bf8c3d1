// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why the module may not be loaded, as far as that can be seen.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/module_file.h"

bool module_installed(const char *release)
{
	char path[256], line[4096];
	const char *name, *end;
	bool found = false;
	FILE *file;

	/* modprobe reads this file; it has a line for each module. */
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", release);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		name = strstr(line, "/seal.ko");
		end = strchr(line, ':');
		found = name && end && name < end;
	}
	fclose(file);
	return found;
}

static bool file_has(const char *path, const char *text)
{
	char content[128] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, content, sizeof(content) - 1) < 0)
		content[0] = '\0';
	close(fd);
	return strstr(content, text);
}

bool module_signed_only(void)
{
	return file_has("/sys/module/module/parameters/sig_enforce", "Y") ||
	       file_has("/sys/kernel/security/lockdown", "[integrity]") ||
	       file_has("/sys/kernel/security/lockdown", "[confidentiality]");
}
