// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl status: print whether files are sealed, their holders, and their
 * maps.
 */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/addresses.h"
#include "base/errors.h"
#include "base/escape.h"
#include "cmd/cmd.h"
#include "export/export.h"
#include "print/json.h"
#include "steps/by_claim.h"

enum { OPT_JSON = 256 };

static const struct option options[] = {
	{ "quiet", no_argument, NULL, 'q' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static const struct {
	uint32_t flags;		/* all of them are set */
	uint32_t unless;	/* and this one is not */
	const char *text;
} warnings[] = {
	{ SEAL_STATUS_BROKEN, SEAL_STATUS_LOG_ONLY,
	  "BROKEN: the map changed while sealed, see the kernel log; trust no address" },
	{ SEAL_STATUS_BROKEN | SEAL_STATUS_LOG_ONLY, 0,
	  "BROKEN: the map changed while sealed, which this mode lets pass and does not log" },
	{ SEAL_STATUS_DISARMED, 0,
	  "ftrace does not call the gates: the seal does not protect" },
	{ SEAL_STATUS_MISSED, 0,
	  "the last line missed calls: the map may have changed" },
	{ SEAL_STATUS_LAPSED, 0,
	  "kprobes were off for a while: the gates refused, but the last line may not have" },
	{ SEAL_STATUS_LOG_ONLY, 0,
	  "the module was loaded with seal.log_only=1: changes are NOT refused, only counted" },
	{ SEAL_STATUS_REPAIRED, 0,
	  "the inode had lost the mark of its seal: the map may have changed" },
};

static const char exported_unsealed[] =
	"exported but not sealed: writes to the device may hit other files; unexport it";

/* A file, and the device that was made of it, or "". */
struct file_status {
	struct seal_status seal;
	bool nameless;		/* it was removed */
	uint64_t claim;		/* then: the lasting one, or 0 */
	char device[130];
};

static bool is_warned_of(unsigned int i, uint32_t flags)
{
	return (flags & warnings[i].flags) == warnings[i].flags &&
	       !(flags & warnings[i].unless);
}

static bool is_adrift(const struct file_status *file)
{
	return *file->device && !(file->seal.flags & SEAL_STATUS_SEALED);
}

static void print_bytes(const char *label, uint64_t bytes)
{
	char text[24];

	printf("  %-10s %s", label, format_size(bytes, text, sizeof(text)));
	if (bytes >= 1024)
		printf(" (%" PRIu64 ")", bytes);
	putchar('\n');
}

static void print_file(const char *path, const struct file_status *file)
{
	const struct seal_status *status = &file->seal;
	bool sealed = status->flags & SEAL_STATUS_SEALED;
	bool log_only = status->flags & SEAL_STATUS_LOG_ONLY;
	unsigned int i;

	printf("%s: %s", shown(path), sealed ? "sealed" : "not sealed");
	if (log_only)
		fputs(" in log-only mode (changes are NOT refused)", stdout);
	if (sealed)
		printf(", %u holder%s%s", status->holders,
		       status->holders == 1 ? "" : "s",
		       status->flags & SEAL_STATUS_STICKY ? ", lasting" : "");
	putchar('\n');
	if (file->nameless)
		printf("  %-10s none, it was removed\n", "name");
	if (file->claim)
		printf("  %-10s %" PRIu64 " (\"sealctl unseal --claim %" PRIu64 "\" lifts it)\n",
		       "claim", file->claim, file->claim);
	print_bytes("size", status->file_size);
	printf("  %-10s %" PRIu64 "\n", "extents", (uint64_t)status->extents);
	print_bytes("written", status->written);
	print_bytes("unwritten", status->unwritten);
	print_bytes("shared", status->shared);
	if (status->delalloc)
		print_bytes("delalloc", status->delalloc);
	print_bytes("hole", status->hole);
	print_bytes("in place", status->in_place);
	if (status->granted)
		print_bytes("granted", status->granted);
	printf("  %-10s %016" PRIx64 "\n", "digest", (uint64_t)status->digest);
	printf("  %-10s %u:%u\n", "device", status->dev_major,
	       status->dev_minor);
	if (sealed)
		printf("  %-10s %" PRIu64 "%s\n", "refused",
		       (uint64_t)status->refused,
		       log_only ? " would have been; all of them passed" : "");
	if (*file->device)
		printf("  %-10s %s\n", "exported", file->device);
	for (i = 0; i < ARRAY_SIZE(warnings); i++)
		if (is_warned_of(i, status->flags))
			printf("  %-10s %s\n", "WARNING", warnings[i].text);
	if (status->broken)
		printf("  %-10s first by %.*s\n", "broken", SEAL_FUNCTION_LEN,
		       (const char *)status->first_broken);
	if (is_adrift(file))
		printf("  %-10s %s\n", "WARNING", exported_unsealed);
}

static struct json_object *to_json(const char *path,
				   const struct file_status *file_status)
{
	const struct seal_status *status = &file_status->seal;
	struct json_object *file = json_object_new_object();
	struct json_object *bytes = json_object_new_object();
	struct json_object *list = json_object_new_array();
	char digest[17];
	unsigned int i;

	json_add_name(file, "path", path);
	json_add_bool(file, "sealed", !!(status->flags & SEAL_STATUS_SEALED));
	json_add_number(file, "holders", status->holders);
	json_add_bool(file, "sticky", !!(status->flags & SEAL_STATUS_STICKY));
	json_add_number(file, "size", status->file_size);
	json_add_number(file, "extents", status->extents);
	json_add_number(bytes, "written", status->written);
	json_add_number(bytes, "unwritten", status->unwritten);
	json_add_number(bytes, "shared", status->shared);
	json_add_number(bytes, "hole", status->hole);
	json_add(file, "bytes", bytes);
	json_add_number(file, "in_place_bytes", status->in_place);
	snprintf(digest, sizeof(digest), "%016" PRIx64, (uint64_t)status->digest);
	json_add_text(file, "digest", digest);
	json_add_number(file, "generation", status->generation);
	json_add_number(file, "granted_bytes", status->granted);
	json_add_number(file, "refused", status->refused);
	json_add_number(file, "broken", status->broken);
	if (status->broken)
		json_add_text(file, "first_broken",
			      (const char *)status->first_broken);
	json_add_device(file, "device", status->dev_major, status->dev_minor);
	/* The member is there only if something is wrong. */
	for (i = 0; i < ARRAY_SIZE(warnings); i++)
		if (is_warned_of(i, status->flags))
			json_object_array_add(list, json_object_new_string(warnings[i].text));
	if (is_adrift(file_status))
		json_object_array_add(list, json_object_new_string(exported_unsealed));
	if (*file_status->device)
		json_add_text(file, "exported", file_status->device);
	if (json_object_array_length(list))
		json_add(file, "warnings", list);
	else
		json_object_put(list);
	return file;
}

static int get(struct seal_session *session, const char *path,
	       struct file_status *status)
{
	int fd = open_file(path, O_RDONLY);
	struct export_id id;
	struct stat st;
	int ret;

	if (fd < 0)
		return -1;
	ret = seal_status(session, fd, &status->seal);
	if (ret)
		complain_range(path, "reading its status", -ret);
	else
		status->seal.in_place = in_place_bytes(fd, &status->seal);
	status->nameless = !fstat(fd, &st) && !st.st_nlink;
	status->claim = status->nameless ? claim_of(&st) : 0;
	status->device[0] = '\0';
	if (!export_id_of(fd, &id))
		export_find(&id, status->device, sizeof(status->device));
	close(fd);
	return ret;
}

static int status_of(struct seal_session *session, char **paths, bool quiet,
		     struct json_object *array)
{
	int result = STATUS_OK;
	struct file_status status;

	for (; *paths; paths++) {
		if (get(session, *paths, &status)) {
			result = STATUS_FAILED;
			continue;
		}
		if (array)
			json_object_array_add(array, to_json(*paths, &status));
		else if (!quiet)
			print_file(*paths, &status);
		if (quiet && !is_protected(&status.seal))
			result = STATUS_FAILED;
	}
	return result;
}

int cmd_status(const struct verb *verb, int argc, char **argv)
{
	struct json_object *top, *array = NULL;
	struct seal_session *session;
	bool quiet = false;
	bool json = false;
	int option, status;

	while ((option = getopt_long(argc, argv, "qh", options, NULL)) != -1) {
		switch (option) {
		case 'q':
			quiet = true;
			break;
		case OPT_JSON:
			json = true;
			break;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
	}
	if (optind == argc)
		return verb_usage(verb);
	session = open_session();
	if (!session)
		return STATUS_FAILED;
	if (json && !quiet)
		array = json_object_new_array();
	status = status_of(session, argv + optind, quiet, array);
	/* Another file may have taken the place of one that is sealed. */
	if (!quiet)
		tell_former_of(argv + optind, (unsigned int)(argc - optind));
	if (array) {
		top = json_object_new_object();
		json_add(top, "files", array);
		json_print(top);
	}
	seal_close(session);
	return status;
}
