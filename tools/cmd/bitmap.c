// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl bitmap: what differs, as a dirty bitmap in a qcow2 file.
 */
#include <getopt.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/escape.h"
#include "cmd/cmd.h"
#include "print/json.h"
#include "steps/overlay.h"
#include "steps/unnamed.h"

enum { OPT_JSON = 256 };

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "name", required_argument, NULL, 'n' },
	{ "granularity", required_argument, NULL, 'g' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static void say_summary(const struct overlay *overlay, const char *path)
{
	const struct seal_bitmap_info *info = &overlay->info;
	char dirty[24], granule[24];

	printf("%s: bitmap \"%s\", ", shown(path), shown(overlay->name));
	printf("%llu of %llu granules of %s are dirty, for %s that may differ; ",
	       (unsigned long long)info->dirty_granules,
	       (unsigned long long)info->granules,
	       format_size(info->granularity, granule, sizeof(granule)),
	       format_size(info->dirty_bytes, dirty, sizeof(dirty)));
	printf("the files were held for %llu ms\n",
	       (unsigned long long)info->held_ns / 1000000);
}

static void json_summary(const struct overlay *overlay, const char *path)
{
	const struct seal_bitmap_info *info = &overlay->info;
	struct json_object *object = json_object_new_object();

	json_add_name(object, "path", path);
	json_add_name(object, "bitmap", overlay->name);
	json_add_number(object, "granularity", info->granularity);
	json_add_number(object, "size", info->size);
	json_add_number(object, "file_size", info->new_size);
	json_add_number(object, "granules", info->granules);
	json_add_number(object, "dirty_granules", info->dirty_granules);
	json_add_number(object, "dirty_bytes", info->dirty_bytes);
	json_add_number(object, "same_bytes", info->same_bytes);
	json_add_number(object, "held_ns", info->held_ns);
	json_print(object);
}

static int make(struct overlay *overlay, const char *path)
{
	struct stat st;
	int fd, ret;

	/* Not only when all is done. */
	if (!lstat(path, &st)) {
		complain(path, "it exists already; give another name, or remove it first");
		return -1;
	}
	if (overlay_open(overlay))
		return -1;
	fd = unnamed_open(path, 0666, "making an overlay in it");
	ret = fd < 0 ? fd : overlay_write(overlay, fd);
	if (!ret)
		ret = unnamed_keep(fd, path);
	if (!ret)
		overlay_warn(overlay);
	if (fd >= 0)
		close(fd);
	overlay_close(overlay);
	return ret;
}

int cmd_bitmap(const struct verb *verb, int argc, char **argv)
{
	struct overlay overlay = { .name = OVERLAY_BITMAP };
	bool quiet = false, json = false;
	const char *path = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "o:n:g:qh", options,
				     NULL)) != -1) {
		switch (option) {
		case 'o':
			path = optarg;
			break;
		case 'n':
			overlay.name = optarg;
			break;
		case 'g':
			if (overlay_granularity(optarg, &overlay.granularity))
				return STATUS_USAGE;
			break;
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
	if (optind + 2 != argc || !path || (quiet && json))
		return verb_usage(verb);
	overlay.output = path;
	overlay.old_path = argv[optind];
	overlay.new_path = argv[optind + 1];
	if (make(&overlay, path))
		return STATUS_FAILED;
	if (json)
		json_summary(&overlay, path);
	else if (!quiet)
		say_summary(&overlay, path);
	return STATUS_OK;
}
