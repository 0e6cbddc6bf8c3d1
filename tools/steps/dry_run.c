// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl seal --dry-run: print what would happen, without doing it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/errors.h"
#include "base/escape.h"
#include "steps/dry_run.h"
#include "steps/fs_info.h"
#include "steps/space.h"

static void print_work(const char *path, const struct seal_status *status)
{
	char allocate[24], unshare[24], write[24];

	printf("%s: allocate %s, unshare %s, write %s", shown(path),
	       format_size(status->hole, allocate, sizeof(allocate)),
	       format_size(status->shared, unshare, sizeof(unshare)),
	       format_size(status->hole + status->unwritten, write,
			   sizeof(write)));
	if (!status->shared && !(status->met & SEAL_REQ_UNSHARED))
		fputs(", end copy-on-write", stdout);
	fputs("; ", stdout);
}

static void print_map(const char *path, const struct seal_status *status)
{
	char hole[24], shared[24], unwritten[24];

	printf("%s: %" PRIu64 " extent%s, hole %s, shared %s, unwritten %s; ",
	       shown(path), (uint64_t)status->extents,
	       status->extents == 1 ? "" : "s",
	       format_size(status->hole, hole, sizeof(hole)),
	       format_size(status->shared, shared, sizeof(shared)),
	       format_size(status->unwritten, unwritten, sizeof(unwritten)));
}

/* Print whether the requirements would be met, without a newline. */
static bool requirements_met(const struct seal_status *status,
			     const struct requirements *require,
			     const char *path, bool prepare)
{
	uint32_t missing = require->mask & ~status->met &
			   (SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN |
			    SEAL_REQ_UNSHARED);
	uint32_t bit;

	if (prepare)
		missing = 0;	/* preparing would meet them */
	for (bit = 1; missing && bit; bit <<= 1) {
		if (missing & bit) {
			fputs("would fail: ", stdout);
			explain_unmet(stdout, bit, path, status->flags &
				      SEAL_STATUS_SEALED);
			putchar('\n');
			return false;
		}
	}
	/* The number of extents after preparing is not known before. */
	if ((require->mask & SEAL_REQ_EXTENTS) &&
	    status->extents > require->max_extents) {
		printf("%s fail: %" PRIu64 " extent%s, at most %" PRIu64 " allowed\n",
		       prepare ? "would probably" : "would",
		       (uint64_t)status->extents,
		       status->extents == 1 ? "" : "s", require->max_extents);
		return false;
	}
	return true;
}

static bool judge(const struct seal_fs_info *fs,
		  const struct seal_status *status,
		  const struct requirements *require, const char *path,
		  bool prepare, bool fits)
{
	/* A file that is sealed already is not prepared. */
	if (status->flags & SEAL_STATUS_SEALED) {
		if (!requirements_met(status, require, path, false))
			return false;
		puts("is sealed already, sealing would succeed");
		return true;
	}
	if (!fs) {
		puts("would fail: its filesystem is not one that can be sealed");
		return false;
	}
	if (fs->state == SEAL_FS_UNSUPPORTED) {
		printf("would fail: %s\n", (const char *)fs->reason);
		return false;
	}
	if (prepare && !fits) {
		puts("would fail: not all files fit, see the end");
		return false;
	}
	if (!requirements_met(status, require, path, prepare))
		return false;
	puts("sealing would succeed");
	return true;
}

/* @fits: is there space for what would be prepared? */
static int dry_run_files(struct seal_session *session,
			 const struct file_list *list,
			 const struct requirements *require, bool prepare,
			 bool fits)
{
	int result = STATUS_OK;
	struct seal_status status;
	struct seal_fs_info *fs;
	struct seal_info info;
	unsigned int i;
	int ret;

	if (get_info(session, &info, &fs))
		return STATUS_FAILED;
	for (i = 0; i < list->nr; i++) {
		ret = seal_status(session, list->fds[i], &status);
		if (ret) {
			complain_range(list->paths[i], "reading its map", -ret);
			result = STATUS_FAILED;
			continue;
		}
		if (prepare && !(status.flags & SEAL_STATUS_SEALED))
			print_work(list->paths[i], &status);
		else
			print_map(list->paths[i], &status);
		if (!judge(find_fs_info(&info, fs, list->fds[i]), &status, require,
			   list->paths[i], prepare, fits))
			result = STATUS_FAILED;
	}
	free(fs);
	return result;
}

/* What cannot be read now is complained about when it is judged. */
static int add_needs(struct space *space, struct seal_session *session,
		     const struct file_list *list)
{
	struct seal_status status;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < list->nr && !ret; i++)
		if (!seal_status(session, list->fds[i], &status) &&
		    !(status.flags & SEAL_STATUS_SEALED))
			ret = space_add(space, list->paths[i], list->fds[i],
					&status, SPACE_HOLES | SPACE_SHARED);
	return ret;
}

static int dry_run_prepare(struct seal_session *session,
			   const struct file_list *list,
			   const struct requirements *require,
			   struct space *space)
{
	int result;
	bool fits;

	if (add_needs(space, session, list))
		return STATUS_FAILED;
	fits = space_suffices(space, NULL, NULL);
	result = dry_run_files(session, list, require, true, fits);
	if (fits)
		return result;
	space_suffices(space, stdout, "would fail: ");
	return STATUS_FAILED;
}

int dry_run(struct seal_session *session, const struct file_list *list,
	    const struct requirements *require, bool prepare)
{
	struct space *space;
	int result;

	if (!prepare)
		return dry_run_files(session, list, require, false, true);
	space = space_new();
	if (!space)
		return STATUS_FAILED;
	result = dry_run_prepare(session, list, require, space);
	space_free(space);
	return result;
}
