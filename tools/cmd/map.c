// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl map: print the extents of a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/addresses.h"
#include "base/errors.h"
#include "base/escape.h"
#include "cmd/cmd.h"
#include "print/json.h"
#include "print/picture.h"
#include "print/progress.h"

enum { OPT_JSON = 256 };

static const struct option options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

struct totals {
	uint64_t extents;
	uint64_t bytes[PICTURE_STATES];
	uint64_t in_place;
	bool in_place_known;
};

struct device {
	unsigned int major_number;
	unsigned int minor_number;
	char name[64];
};

/* Where extents are put: a table with a picture, or an array. */
struct sink {
	struct json_object *array;
	struct picture picture;
	bool addresses;		/* do reported addresses mean anything? */
};

static void header(const char *path, const struct device *device)
{
	printf("%s on %s%s%u:%u%s\n", shown(path), device->name,
	       *device->name ? " (" : "device ", device->major_number,
	       device->minor_number, *device->name ? ")" : "");
	printf("%18s %18s %18s  %s\n", "offset", "length", "physical", "state");
}

static void print_extent(const struct seal_extent *extent)
{
	printf("%18" PRIu64 " %18" PRIu64 " ", extent->logical, extent->length);
	if (extent->physical)
		printf("%18" PRIu64, extent->physical);
	else
		printf("%18s", "-");
	printf("  %s\n", seal_range_state_name(extent->state));
}

static struct json_object *extent_to_json(const struct seal_extent *extent)
{
	struct json_object *object = json_object_new_object();

	json_add_number(object, "offset", extent->logical);
	json_add_number(object, "length", extent->length);
	if (extent->physical)
		json_add_number(object, "physical", extent->physical);
	else
		json_object_object_add(object, "physical", NULL);
	json_add_text(object, "state", seal_range_state_name(extent->state));
	json_add_number(object, "flags", extent->flags);
	return object;
}

static void take(struct sink *sink, struct totals *totals,
		 struct seal_extent *extent)
{
	if (!sink->addresses)
		extent->physical = 0;
	if (extent->state != SEAL_RANGE_HOLE)
		totals->extents++;
	totals->bytes[extent->state < PICTURE_STATES ? extent->state : 0] +=
		extent->length;
	if (sink->array) {
		json_object_array_add(sink->array, extent_to_json(extent));
		return;
	}
	print_extent(extent);
	if (sink->picture.cells)
		picture_add(&sink->picture, extent->logical, extent->length,
			    extent->state);
}

/*
 * FIEMAP alone does not tell whether a written block stays where it is: on some
 * filesystems, the next store to a file that was reflinked once moves the
 * block. The module knows.
 */
static void ask_module(int fd, struct totals *totals)
{
	struct seal_session *session;
	struct seal_status status;

	if (seal_open(&session))
		return;
	if (!seal_status(session, fd, &status)) {
		totals->in_place = in_place_bytes(fd, &status);
		totals->in_place_known = true;
	}
	seal_close(session);
}

static void print_summary(const struct totals *totals)
{
	char text[24];
	uint32_t state;

	printf("%" PRIu64 " extent%s", totals->extents,
	       totals->extents == 1 ? "" : "s");
	for (state = 0; state < PICTURE_STATES; state++)
		if (totals->bytes[state])
			printf(", %s %s", seal_range_state_name(state),
			       format_size(totals->bytes[state], text,
					   sizeof(text)));
	if (totals->in_place_known)
		printf("; in place %s\n",
		       format_size(totals->in_place, text, sizeof(text)));
	else
		puts("; in place: the module is needed to tell");
}

static void print_picture(struct sink *sink, const struct totals *totals)
{
	uint32_t state;
	char *line;

	line = malloc(sink->picture.cells + 1);
	if (!line)
		return;
	picture_draw(&sink->picture, line);
	printf("[%s]\n ", line);
	free(line);
	for (state = 0; state < PICTURE_STATES; state++)
		if (totals->bytes[state])
			printf(" %c %s", picture_symbol(state),
			       seal_range_state_name(state));
	putchar('\n');
}

static void print_json(const char *path, const struct device *device,
		       struct json_object *array, const struct totals *totals)
{
	struct json_object *top = json_object_new_object();
	struct json_object *bytes = json_object_new_object();
	uint32_t state;

	json_add_name(top, "path", path);
	json_add_device(top, "device", device->major_number,
			device->minor_number);
	json_add_text(top, "device_name", device->name);
	json_add(top, "extents", array);
	for (state = SEAL_RANGE_HOLE; state <= SEAL_RANGE_SHARED; state++)
		json_add_number(bytes, seal_range_state_name(state),
				totals->bytes[state]);
	json_add_number(bytes, "unknown", totals->bytes[SEAL_RANGE_NONE]);
	json_add(top, "bytes", bytes);
	if (totals->in_place_known)
		json_add_number(top, "in_place_bytes", totals->in_place);
	else
		json_object_object_add(top, "in_place_bytes", NULL);
	json_print(top);
}

static int complain_map(const char *path, int error)
{
	if (error == EOPNOTSUPP || error == ENOTTY)
		complain(path, "its filesystem does not tell block maps (FIEMAP)");
	else
		complain(path, "reading its map: %s", strerror(error));
	return STATUS_FAILED;
}

static int show(const char *path, int fd, struct seal_map *map, bool json)
{
	unsigned int columns = json ? 0 : terminal_columns(STDOUT_FILENO);
	struct totals totals = { 0 };
	struct sink sink = { 0 };
	struct seal_extent extent;
	struct device device;
	char name[32];
	struct stat st;
	int ret;

	seal_map_device(map, &device.major_number, &device.minor_number,
			device.name, sizeof(device.name));
	if (json)
		sink.array = json_object_new_array();
	else
		header(path, &device);
	sink.addresses = addresses_mean(fd, name, sizeof(name));
	if (!sink.addresses && !json)
		printf("(no addresses: on %s what is reported as such are none of a device)\n",
		       shown(name));
	/* less two brackets and the last column */
	if (columns && !fstat(fd, &st))
		picture_begin(&sink.picture, columns - 3, (uint64_t)st.st_size);
	while ((ret = seal_map_next(map, &extent)) > 0)
		take(&sink, &totals, &extent);
	if (ret < 0) {
		json_object_put(sink.array);
		picture_end(&sink.picture);
		return complain_map(path, -ret);
	}
	ask_module(fd, &totals);
	if (json) {
		print_json(path, &device, sink.array, &totals);
		return STATUS_OK;
	}
	print_summary(&totals);
	if (sink.picture.cells)
		print_picture(&sink, &totals);
	picture_end(&sink.picture);
	return STATUS_OK;
}

int cmd_map(const struct verb *verb, int argc, char **argv)
{
	struct seal_map *map;
	bool json = false;
	int option, fd, ret;
	int status = STATUS_FAILED;

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
	if (optind + 1 != argc)
		return verb_usage(verb);
	fd = open_file(argv[optind], O_RDONLY);
	if (fd < 0)
		return STATUS_FAILED;
	ret = seal_map_open(fd, &map);
	if (ret) {
		complain_map(argv[optind], -ret);
	} else {
		status = show(argv[optind], fd, map, json);
		seal_map_close(map);
	}
	close(fd);
	return status;
}
