// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl info: print what the loaded module can do on this kernel.
 */
#include <getopt.h>
#include <stdlib.h>

#include "base/errors.h"
#include "cmd/cmd.h"
#include "print/json.h"
#include "steps/fs_info.h"

enum { OPT_JSON = 256 };

static const struct option options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static const struct {
	uint64_t bit;
	const char *name;
} features[] = {
	{ SEAL_FEATURE_STICKY, "sticky" },
	{ SEAL_FEATURE_EVENTS, "events" },
	{ SEAL_FEATURE_REVOKE, "revoke" },
	{ SEAL_FEATURE_RECALL, "recall" },
	{ SEAL_FEATURE_UNSEAL_CLAIM, "unseal-claim" },
	{ SEAL_FEATURE_PLACES, "places" },
	{ SEAL_FEATURE_DEBUG, "debug" },
	{ SEAL_FEATURE_GRANT, "grant" },
};

static const char *state_name(uint32_t state)
{
	switch (state) {
	case SEAL_FS_UNSUPPORTED:
		return "unsupported";
	case SEAL_FS_SUPPORTED:
		return "supported";
	case SEAL_FS_NOT_LOADED:
		return "not loaded";
	default:
		return "unknown";
	}
}

/* What the module says, and what can be done about it. */
static void print_reason(const struct seal_fs_info *fs)
{
	const char *reason = (const char *)fs->reason;

	if (fs->state == SEAL_FS_NOT_LOADED)
		printf("%s; load it (\"modprobe %s\", or mount one), then ask again\n",
		       *reason ? reason : "its module is not loaded",
		       (const char *)fs->name);
	else
		puts(*reason ? reason : "-");
}

static void print_text(const struct seal_info *info,
		       const struct seal_fs_info *fs)
{
	unsigned int i;

	printf("module version %s, ABI %u (sealctl: ABI %u)\n",
	       (const char *)info->version, info->abi, SEAL_ABI_VERSION);
	fputs("features:", stdout);
	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (info->features & features[i].bit)
			printf(" %s", features[i].name);
	putchar('\n');
	if (info->flags & SEAL_INFO_DISARMED)
		puts("WARNING: kprobes or ftrace are switched off: nothing is protected");
	if (info->flags & SEAL_INFO_DISABLED)
		puts("WARNING: loaded with seal.disable=1: nothing can be sealed");
	if (info->flags & SEAL_INFO_LOG_ONLY)
		puts("WARNING: loaded with seal.log_only=1: changes are NOT refused");
	printf("%-12s %-12s %5s %9s %6s  %s\n", "filesystem", "state", "gates",
	       "attached", "sealed", "reason");
	for (i = 0; i < info->nr_fs; i++) {
		printf("%-12s %-12s %5u %9s %6u  ",
		       (const char *)fs[i].name, state_name(fs[i].state),
		       fs[i].gates, fs[i].attached ? "yes" : "no",
		       fs[i].sealed);
		print_reason(&fs[i]);
	}
}

static struct json_object *fs_to_json(const struct seal_fs_info *fs)
{
	struct json_object *object = json_object_new_object();

	json_add_text(object, "name", (const char *)fs->name);
	json_add_text(object, "state", state_name(fs->state));
	json_add_number(object, "gates", fs->gates);
	json_add_bool(object, "attached", !!fs->attached);
	json_add_number(object, "sealed", fs->sealed);
	json_add_text(object, "reason", (const char *)fs->reason);
	return object;
}

static void print_json(const struct seal_info *info,
		       const struct seal_fs_info *fs)
{
	struct json_object *top = json_object_new_object();
	struct json_object *list = json_object_new_array();
	unsigned int i;

	json_add_text(top, "version", (const char *)info->version);
	json_add_number(top, "abi", info->abi);
	json_add_number(top, "library_abi", SEAL_ABI_VERSION);
	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (info->features & features[i].bit)
			json_object_array_add(list, json_object_new_string(features[i].name));
	json_add(top, "features", list);
	json_add_bool(top, "disarmed", !!(info->flags & SEAL_INFO_DISARMED));
	json_add_bool(top, "disabled", !!(info->flags & SEAL_INFO_DISABLED));
	json_add_bool(top, "log_only", !!(info->flags & SEAL_INFO_LOG_ONLY));
	list = json_object_new_array();
	for (i = 0; i < info->nr_fs; i++)
		json_object_array_add(list, fs_to_json(&fs[i]));
	json_add(top, "filesystems", list);
	json_print(top);
}

int cmd_info(const struct verb *verb, int argc, char **argv)
{
	struct seal_session *session;
	int status = STATUS_FAILED;
	struct seal_fs_info *fs;
	struct seal_info info;
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case OPT_JSON:
			json = true;
			break;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
	}
	if (optind != argc)
		return verb_usage(verb);
	session = open_session();
	if (!session)
		return STATUS_FAILED;
	if (!get_info(session, &info, &fs)) {
		if (json)
			print_json(&info, fs);
		else
			print_text(&info, fs);
		free(fs);
		status = STATUS_OK;
	}
	seal_close(session);
	return status;
}
