// SPDX-License-Identifier: GPL-2.0-only
/* Finds functions in the type information that the kernel shows in sysfs. */
#include "company.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *read_all(const char *path)
{
	size_t size = 1 << 16, used = 0;
	char *data = NULL;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	do {
		if (!data || used == size) {
			size *= 2;
			data = realloc(data, size);
			if (!data)
				die("%s", path);
		}
		got = read(fd, data + used, size - used);
		if (got < 0)
			die("%s", path);
		used += got;
	} while (got);
	close(fd);
	return data;
}

/* Bytes behind the head of a type. */
static size_t tail(const struct btf_type *type)
{
	unsigned int nr = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		return sizeof(uint32_t);
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return nr * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return nr * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return nr * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return nr * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return nr * sizeof(struct btf_var_secinfo);
	default:
		return 0;
	}
}

/* Look at all types for the function @name; the number behind the last one. */
static uint32_t walk(const struct btf *btf, const char *name, uint32_t *found)
{
	const struct btf_header *head = (void *)btf->data;
	const char *pos = btf->data + head->hdr_len + head->type_off;
	const char *end = pos + head->type_len;
	const char *strings = btf->data + head->hdr_len + head->str_off;
	uint32_t id = btf->first_id;

	for (; pos < end; id++) {
		const struct btf_type *type = (void *)pos;

		if (name && BTF_INFO_KIND(type->info) == BTF_KIND_FUNC &&
		    type->name_off >= btf->first_string &&
		    !strcmp(strings + type->name_off - btf->first_string, name))
			*found = id;
		pos += sizeof(*type) + tail(type);
	}
	return id;
}

int btf_read(struct btf *btf, const struct btf *kernel, const char *module)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/btf/%s", module ?: "vmlinux");
	btf->data = read_all(path);
	if (!btf->data)
		return 0;
	btf->first_id = 1;
	btf->first_string = 0;
	/* what a module has goes on where the kernel's ends */
	if (module) {
		const struct btf_header *head = (void *)kernel->data;

		btf->first_id = kernel->end_id;
		btf->first_string = head->str_len;
	}
	btf->end_id = walk(btf, NULL, NULL);
	return 1;
}

uint32_t btf_function(const struct btf *btf, const char *name)
{
	uint32_t found = 0;

	walk(btf, name, &found);
	return found;
}
