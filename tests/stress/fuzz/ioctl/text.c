// SPDX-License-Identifier: GPL-2.0-only
/* A program as text: one call per line, members in the order of the struct. */
#include "fuzz.h"

#include <inttypes.h>
#include <string.h>

const char *const op_names[OP_NR] = {
	[OP_INFO] = "info", [OP_PREALLOC] = "prealloc",
	[OP_UNSHARE] = "unshare", [OP_SEAL] = "seal", [OP_UNSEAL] = "unseal",
	[OP_STATUS] = "status", [OP_REVOKE] = "revoke", [OP_GRANT] = "grant",
	[OP_COMMIT] = "commit", [OP_RELEASE] = "release",
	[OP_PLACES] = "places",
	[OP_UNKNOWN] = "unknown", [OP_OPEN] = "open",
	[OP_CLOSE] = "close", [OP_DUP] = "dup", [OP_WRITE] = "write",
	[OP_TRUNCATE] = "truncate", [OP_PUNCH] = "punch", [OP_FSYNC] = "fsync",
	[OP_STORE] = "store", [OP_CLONE] = "clone",
	[OP_NETLINK] = "netlink",
};

void program_write(FILE *out, const struct program *p)
{
	for (unsigned int i = 0; i < p->nr; i++) {
		const struct call *c = &p->call[i];

		fprintf(out, "%s %u %u %u %u %u %u 0x%x 0x%x 0x%" PRIx64 " 0x%" PRIx64 "\n",
			op_names[c->op], c->thread, c->dev, c->file, c->where,
			c->nr, c->size, c->flags, c->more, c->a, c->b);
	}
	fputc('\n', out);
}

/* Reads up to an empty line; false at the end, and at what is no program. */
bool program_read(FILE *in, struct program *p)
{
	char line[256], name[16];

	p->nr = 0;
	while (fgets(line, sizeof(line), in)) {
		struct call c = { .op = OP_NR };

		if (*line == '#')
			continue;
		if (*line == '\n') {
			if (p->nr)
				return true;
			continue;
		}
		if (p->nr == MAX_CALLS ||
		    sscanf(line, "%15s %hhu %hhu %hhu %hhu %hhu %hu %x %x %" SCNx64 " %" SCNx64,
			   name, &c.thread, &c.dev, &c.file, &c.where, &c.nr,
			   &c.size, &c.flags, &c.more, &c.a, &c.b) != 11)
			return false;
		for (c.op = 0; c.op < OP_NR; c.op++)
			if (!strcmp(name, op_names[c.op]))
				break;
		if (c.op == OP_NR)
			return false;
		p->call[p->nr++] = c;
	}
	return p->nr;
}
