// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The device that the addresses of a map are relative to.
 */
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "core/map.h"
#include "core/private.h"

/* Ask the kernel for the node name: /dev need not follow device numbers. */
static void device_name(dev_t device, char *name, size_t size)
{
	char line[256];
	FILE *file;

	name[0] = '\0';
	snprintf(line, sizeof(line), "/sys/dev/block/%u:%u/uevent",
		 major(device), minor(device));
	file = fopen(line, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "DEVNAME=", 8))
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(name, size, "/dev/%s", line + 8);
		break;
	}
	fclose(file);
}

SEAL_EXPORT int seal_map_device(const struct seal_map *map,
				unsigned int *major_number,
				unsigned int *minor_number,
				char *name, size_t size)
{
	*major_number = major(map->device);
	*minor_number = minor(map->device);
	if (name && size)
		device_name(map->device, name, size);
	return 0;
}
