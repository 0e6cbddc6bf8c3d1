// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl verify: check that files and their maps are still the recorded ones.
 *
 * FIEMAP is enough for that. If the module is loaded, it is asked, too.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/escape.h"
#include "cmd/cmd.h"
#include "manifest/file.h"

static const struct option options[] = {
	{ "manifest", required_argument, NULL, 'm' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

struct verify {
	struct seal_session *session;	/* NULL without the module */
	struct json_object *files;
	bool quiet;
};

/* Does the module agree? @sealed: is the file sealed, so that this lasts? */
static bool ask_module(const struct verify *verify, const char *path, int fd,
		       struct json_object *entry, bool *sealed)
{
	struct seal_status status;
	uint64_t digest;

	*sealed = false;
	if (!verify->session)
		return true;
	/* No right, or an unsupported filesystem: FIEMAP alone decides. */
	if (seal_status(verify->session, fd, &status))
		return true;
	if (!manifest_digest(entry, &digest) || digest != status.digest) {
		complain(path, "the module reads another map than the recorded one");
		return false;
	}
	*sealed = is_protected(&status);
	return true;
}

static bool verify_file(const struct verify *verify, const char *path,
			struct json_object *entry)
{
	int fd = open_file(path, O_RDONLY);
	bool sealed = false;
	bool good;

	if (fd < 0)
		return false;
	good = manifest_check(path, fd, entry) &&
	       ask_module(verify, path, fd, entry, &sealed);
	close(fd);
	if (good && !verify->quiet)
		printf("%s: as recorded%s\n", shown(path),
		       sealed ? ", sealed" : " (not sealed, it may change)");
	return good;
}

static int verify_all(const struct verify *verify)
{
	size_t i, nr = json_object_array_length(verify->files);
	int status = nr ? STATUS_OK : STATUS_FAILED;
	struct json_object *entry;
	const char *path;

	if (!nr)
		complain("manifest", "it names no file");
	for (i = 0; i < nr; i++) {
		entry = json_object_array_get_idx(verify->files, i);
		path = manifest_path(entry);
		if (!path) {
			complain("manifest", "entry %zu has no path", i);
			status = STATUS_FAILED;
		} else if (!verify_file(verify, path, entry)) {
			status = STATUS_FAILED;
		}
	}
	return status;
}

static struct json_object *find(const struct verify *verify, const char *path)
{
	size_t i, nr = json_object_array_length(verify->files);
	char *whole = realpath(path, NULL);
	struct json_object *entry = NULL;
	const char *stored;

	for (i = 0; i < nr; i++) {
		entry = json_object_array_get_idx(verify->files, i);
		stored = manifest_path(entry);
		if (stored && !strcmp(stored, whole ? whole : path))
			break;
		entry = NULL;
	}
	free(whole);
	return entry;
}

static int verify_some(const struct verify *verify, char **paths, int nr)
{
	struct json_object *entry;
	int status = STATUS_OK;
	int i;

	for (i = 0; i < nr; i++) {
		entry = find(verify, paths[i]);
		if (!entry)
			complain(paths[i], "the manifest does not have it");
		if (!entry || !verify_file(verify, paths[i], entry))
			status = STATUS_FAILED;
	}
	return status;
}

int cmd_verify(const struct verb *verb, int argc, char **argv)
{
	struct verify verify = { 0 };
	const char *manifest = NULL;
	struct json_object *top;
	int option, status;

	while ((option = getopt_long(argc, argv, "m:qh", options, NULL)) != -1) {
		switch (option) {
		case 'm':
			manifest = optarg;
			break;
		case 'q':
			verify.quiet = true;
			break;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
	}
	if (!manifest && isatty(STDIN_FILENO)) {
		complain("manifest",
			 "none was given; give what \"sealctl record\" printed, with -m MANIFEST or as the standard input");
		return STATUS_USAGE;
	}
	top = manifest_load(manifest, &verify.files);
	if (!top)
		return STATUS_FAILED;
	if (seal_open(&verify.session))
		verify.session = NULL;
	status = optind < argc ?
		 verify_some(&verify, argv + optind, argc - optind) :
		 verify_all(&verify);
	seal_close(verify.session);
	json_object_put(top);
	return status;
}
