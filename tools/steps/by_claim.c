// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lasting seals of files that no path leads to, by the numbers of their claims.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/errors.h"
#include "export/export.h"
#include "steps/by_claim.h"

int each_claim(int (*fn)(const struct seal_claim *claim, void *arg), void *arg)
{
	const struct seal_claim *claim;
	struct seal_list *list;
	int ret, sum = 0;

	ret = seal_list_open(&list);
	if (ret)
		return ret;
	while ((ret = seal_list_next(list, &claim)) > 0)
		sum += fn(claim, arg);
	seal_list_close(list);
	return ret ? ret : sum;
}

struct of_file {
	const struct stat *st;
	uint64_t claim;
};

static int match_file(const struct seal_claim *claim, void *arg)
{
	struct of_file *of_file = arg;

	if ((claim->flags & SEAL_STATUS_STICKY) &&
	    claim->inode == of_file->st->st_ino &&
	    claim->dev_major == major(of_file->st->st_dev) &&
	    claim->dev_minor == minor(of_file->st->st_dev))
		of_file->claim = claim->claim;
	return 0;
}

uint64_t claim_of(const struct stat *st)
{
	struct of_file of_file = { .st = st };

	return each_claim(match_file, &of_file) < 0 ? 0 : of_file.claim;
}

struct holders {
	const struct stat *st;
	uint32_t pid;		/* of the first program that holds the file */
	char comm[64];
	unsigned int nr;
};

static int match_holder(const struct seal_claim *claim, void *arg)
{
	struct holders *holders = arg;

	if ((claim->flags & SEAL_STATUS_STICKY) ||
	    claim->inode != holders->st->st_ino ||
	    claim->dev_major != major(holders->st->st_dev) ||
	    claim->dev_minor != minor(holders->st->st_dev))
		return 0;
	if (!holders->nr++) {
		holders->pid = claim->pid;
		snprintf(holders->comm, sizeof(holders->comm), "%s",
			 claim->comm ? claim->comm : "?");
	}
	return 0;
}

void complain_held(const char *path, const struct stat *st)
{
	struct holders holders = { .st = st };
	char more[40] = "";

	if (each_claim(match_holder, &holders) < 0 || !holders.nr) {
		complain(path,
			 "it has no lasting seal, a program holds it sealed; end that (\"sealctl list\" shows it), or take the file from it with \"sealctl revoke %s\"",
			 path);
		return;
	}
	if (holders.nr > 1)
		snprintf(more, sizeof(more), " and %u other claim%s",
			 holders.nr - 1, holders.nr == 2 ? "" : "s");
	complain(path,
		 "it has no lasting seal, process %u (%s)%s %s it sealed; end that (\"sealctl list\" shows all), or take the file away with \"sealctl revoke %s\"",
		 holders.pid, holders.comm, more, *more ? "hold" : "holds",
		 path);
}

static int complain_claim(uint64_t claim, int error)
{
	char name[32];

	snprintf(name, sizeof(name), "claim %" PRIu64, claim);
	switch (error) {
	case ENOENT:
		complain(name, "there is no such claim; \"sealctl list\" shows all");
		break;
	case EBUSY:
		complain(name,
			 "it is held by a program, and ends with it; \"sealctl list\" shows which one");
		break;
	case EPERM:
		complain(name,
			 "not permitted; lifting a lasting seal needs its owner or root, and CAP_LINUX_IMMUTABLE");
		break;
	case E2BIG:
	case EINVAL:
		complain(name,
			 "the loaded module is too old for this; load the one that came with sealctl");
		break;
	default:
		complain(name, "%s", strerror(error));
		break;
	}
	return STATUS_FAILED;
}

int unseal_claim(struct seal_session *session, const struct seal_claim *claim)
{
	struct stat st = {
		.st_ino = claim->inode,
		.st_dev = makedev(claim->dev_major, claim->dev_minor),
	};
	char number[32], device[130];
	int ret;

	/* An exported file must stay sealed: a device uses its blocks. */
	if (export_find_inode(&st, device, sizeof(device))) {
		snprintf(number, sizeof(number), "claim %" PRIu64,
			 claim->claim);
		complain(number,
			 "its file is the device %s; run \"sealctl unexport %s\", which unseals it, too",
			 device, device);
		return STATUS_FAILED;
	}
	ret = seal_unseal_claim(session, claim->claim);
	return ret ? complain_claim(claim->claim, -ret) : STATUS_OK;
}

struct numbered {
	struct seal_session *session;
	uint64_t claim;
	bool found;
	int status;
};

static int match_number(const struct seal_claim *claim, void *arg)
{
	struct numbered *numbered = arg;

	if (claim->claim != numbered->claim)
		return 0;
	numbered->found = true;
	numbered->status = unseal_claim(numbered->session, claim);
	return 0;
}

int parse_claim(const char *text, uint64_t *claim)
{
	char *end;

	/* strtoull() would accept blanks and signs. */
	errno = 0;
	*claim = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !errno && !*end && *claim)
		return STATUS_OK;
	complain(text, "not the number of a claim; \"sealctl list\" shows them");
	return STATUS_USAGE;
}

int unseal_number(struct seal_session *session, uint64_t claim)
{
	struct numbered numbered = { .session = session, .claim = claim };
	int ret;

	ret = each_claim(match_number, &numbered);
	if (numbered.found)
		return numbered.status;
	return complain_claim(numbered.claim, ret < 0 ? -ret : ENOENT);
}

/*
 * Absolute paths, or NULL: of each file the one that was given, and the one to
 * which that leads if it is a symbolic link.
 */
struct former {
	char **whole;
	unsigned int nr;
};

/* Where a symbolic link leads, also if nothing is there any more. */
static char *end_of_link(const char *path)
{
	char end[PATH_MAX] = "";
	struct stat st;

	if (lstat(path, &st) || !S_ISLNK(st.st_mode))
		return NULL;
	/* with ENOENT glibc has put there what is missing */
	if (!realpath(path, end) && errno != ENOENT)
		return NULL;
	return *end ? strdup(end) : NULL;
}

static int match_former(const struct seal_claim *claim, void *arg)
{
	const struct former *former = arg;
	int found = 0;
	unsigned int i;

	if (!claim->deleted || !claim->path)
		return 0;
	for (i = 0; i < former->nr; i++) {
		if (!former->whole[i] || strcmp(claim->path, former->whole[i]))
			continue;
		found++;
		if (claim->flags & SEAL_STATUS_STICKY)
			complain(claim->path,
				 "the file that had this name before is still sealed; \"sealctl unseal --claim %llu\" lifts that",
				 (unsigned long long)claim->claim);
		else
			complain(claim->path,
				 "the file that had this name before is still sealed, by process %u",
				 claim->pid);
	}
	return found;
}

int tell_former_of(char *const *paths, unsigned int nr)
{
	struct former former = { .nr = 2 * nr };
	unsigned int i;
	int ret;

	former.whole = calloc(former.nr, sizeof(*former.whole));
	if (!former.whole)
		return 0;
	for (i = 0; i < nr; i++) {
		former.whole[2 * i] = absolute_path(paths[i]);
		former.whole[2 * i + 1] = end_of_link(paths[i]);
	}
	ret = each_claim(match_former, &former);
	for (i = 0; i < former.nr; i++)
		free(former.whole[i]);
	free(former.whole);
	return ret < 0 ? 0 : ret;
}

int tell_former(const char *path)
{
	char *paths = (char *)path;

	return tell_former_of(&paths, 1);
}
