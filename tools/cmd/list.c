// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl list: print all claims with their holders and files, or the files
 * that are sealed at boot.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/errors.h"
#include "base/escape.h"
#include "cmd/cmd.h"
#include "manifest/list_persistent.h"
#include "print/claims.h"
#include "print/json.h"

enum { OPT_JSON = 256, OPT_PERSISTENT, OPT_PATHS };

static const struct option options[] = {
	{ "mount", required_argument, NULL, 'm' },
	{ "pid", required_argument, NULL, 'p' },
	{ "state", required_argument, NULL, 's' },
	{ "sort", required_argument, NULL, 'S' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "persistent", no_argument, NULL, OPT_PERSISTENT },
	{ "paths", no_argument, NULL, OPT_PATHS },
	{ "null", no_argument, NULL, '0' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

/* A claim, kept until all have been read; its texts follow the structure. */
struct line {
	struct line *next;
	struct seal_claim claim;
};

struct lines {
	struct line *first;
	const struct seal_claim **claim;	/* all, to be sorted */
	size_t nr;
};

struct filter {
	bool by_mount;
	dev_t device;
	bool by_pid;
	uint32_t pid;
	const char *state;
};

static const char *const states[] = {
	"sealed", "sticky", "broken", "missed", "log-only",
};

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* The claim at an address that qsort(3) passes. */
static const struct seal_claim *claim_at(const void *line)
{
	return *(const struct seal_claim *const *)line;
}

static int by_age(const void *a, const void *b)
{
	const struct seal_claim *x = claim_at(a), *y = claim_at(b);

	return compare_u64(x->claim, y->claim);
}

/* Equal claims are put in the order of age. */
static int by_path(const void *a, const void *b)
{
	const struct seal_claim *x = claim_at(a), *y = claim_at(b);
	int order = strcmp(x->path ? x->path : "", y->path ? y->path : "");

	return order ? order : by_age(a, b);
}

static int by_pid(const void *a, const void *b)
{
	const struct seal_claim *x = claim_at(a), *y = claim_at(b);
	int order = compare_u64(x->pid, y->pid);

	return order ? order : by_age(a, b);
}

/* The largest comes first. */
static int by_size(const void *a, const void *b)
{
	const struct seal_claim *x = claim_at(a), *y = claim_at(b);
	int order = compare_u64(y->file_size, x->file_size);

	return order ? order : by_age(a, b);
}

static int by_refused(const void *a, const void *b)
{
	const struct seal_claim *x = claim_at(a), *y = claim_at(b);
	int order = compare_u64(y->refused, x->refused);

	return order ? order : by_age(a, b);
}

static const struct {
	const char *name;
	int (*compare)(const void *a, const void *b);
} orders[] = {
	{ "age", by_age },
	{ "path", by_path },
	{ "pid", by_pid },
	{ "size", by_size },
	{ "refused", by_refused },
};

static bool wanted(const struct filter *filter, const struct seal_claim *claim)
{
	if (filter->by_mount &&
	    makedev(claim->dev_major, claim->dev_minor) != filter->device)
		return false;
	if (filter->by_pid && claim->pid != filter->pid)
		return false;
	if (!filter->state)
		return true;
	if (!strcmp(filter->state, "sticky"))
		return claim->flags & SEAL_STATUS_STICKY;
	/* a change that it let pass makes such a claim a broken one as well */
	if (!strcmp(filter->state, "log-only"))
		return claim->flags & SEAL_STATUS_LOG_ONLY;
	return !strcmp(filter->state, claim_state(claim->flags));
}

static int add(struct lines *lines, const struct seal_claim *claim)
{
	size_t comm = strlen(claim->comm) + 1;
	size_t path = claim->path ? strlen(claim->path) + 1 : 0;
	struct line *line = malloc(sizeof(*line) + comm + path);
	char *text = (char *)(line + 1);

	if (!line)
		return -ENOMEM;
	line->claim = *claim;
	line->claim.comm = memcpy(text, claim->comm, comm);
	if (path)
		line->claim.path = memcpy(text + comm, claim->path, path);
	line->next = lines->first;
	lines->first = line;
	lines->nr++;
	return 0;
}

static int sort(struct lines *lines, int (*compare)(const void *a, const void *b))
{
	const struct line *line;
	size_t i = 0;

	lines->claim = calloc(lines->nr + 1, sizeof(*lines->claim));
	if (!lines->claim)
		return -ENOMEM;
	for (line = lines->first; line; line = line->next)
		lines->claim[i++] = &line->claim;
	qsort(lines->claim, lines->nr, sizeof(*lines->claim), compare);
	return 0;
}

static void free_lines(struct lines *lines)
{
	struct line *line;

	while ((line = lines->first)) {
		lines->first = line->next;
		free(line);
	}
	free(lines->claim);
}

static int collect(struct lines *lines, const struct filter *filter)
{
	const struct seal_claim *claim;
	struct seal_list *list;
	int ret;

	ret = seal_list_open(&list);
	if (ret)
		return ret;
	while ((ret = seal_list_next(list, &claim)) > 0) {
		if (!wanted(filter, claim))
			continue;
		ret = add(lines, claim);
		if (ret)
			break;
	}
	seal_list_close(list);
	return ret;
}

static void print_require(const struct seal_claim *claim)
{
	static const uint32_t bits[] = {
		SEAL_REQ_ALLOCATED, SEAL_REQ_WRITTEN, SEAL_REQ_UNSHARED,
	};
	const char *comma = "";
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		if (!(claim->require & bits[i]))
			continue;
		printf("%s%s", comma, require_name(bits[i]));
		comma = ",";
	}
	if (claim->require & SEAL_REQ_EXTENTS)
		printf("%sextents=%ju", comma, (uintmax_t)claim->max_extents);
	else if (!*comma)
		putchar('-');
}

/* A claim's own state may hide it: "broken" goes first. */
static void warn_log_only(const struct lines *lines)
{
	if (lines->nr && (lines->claim[0]->flags & SEAL_STATUS_LOG_ONLY))
		puts("WARNING: seal.log_only=1: changes of these files are NOT refused");
}

static void print_table(const struct lines *lines)
{
	size_t i;

	printf("%6s %-19s %8s %-15s %-8s %-6s %8s %8s %10s %10s  %s\n", "claim",
	       "since",
	       "pid", "command", "state", "sticky", "refused", "extents",
	       "size", "in place", "file; required");
	for (i = 0; i < lines->nr; i++) {
		const struct seal_claim *c = lines->claim[i];
		char since[32], size[32], in_place[32];

		format_time(c->since, since, sizeof(since));
		printf("%6ju %-19s %8u ", (uintmax_t)c->claim, since, c->pid);
		print_word(stdout, c->comm);
		printf("%*s %-8s %-6s %8ju %8ju %10s %10s  ",
		       (int)(15 - strnlen(c->comm, 15)), "",
		       claim_state(c->flags),
		       c->flags & SEAL_STATUS_STICKY ? "yes" : "no",
		       (uintmax_t)c->refused, (uintmax_t)c->extents,
		       format_size(c->file_size, size, sizeof(size)),
		       format_size(c->in_place, in_place, sizeof(in_place)));
		if (c->path)
			print_word(stdout, c->path);
		else
			fputs("?", stdout);
		printf(" %u:%u/%ju", c->dev_major, c->dev_minor,
		       (uintmax_t)c->inode);
		fputs(c->deleted ? " (deleted); " : "; ", stdout);
		print_require(c);
		putchar('\n');
	}
	warn_log_only(lines);
}

static struct json_object *to_json(const struct seal_claim *c)
{
	struct json_object *object = json_object_new_object();

	json_add_number(object, "claim", c->claim);
	json_add_name(object, "path", c->path);
	json_add_bool(object, "deleted", c->deleted);
	json_add_device(object, "device", c->dev_major, c->dev_minor);
	json_add_number(object, "inode", c->inode);
	json_add_number(object, "pid", c->pid);
	json_add_number(object, "uid", c->uid);
	json_add_name(object, "command", c->comm);
	json_add_number(object, "since_ns", c->since);
	json_add_text(object, "state", claim_state(c->flags));
	json_add_bool(object, "sticky", !!(c->flags & SEAL_STATUS_STICKY));
	json_add_bool(object, "require_allocated",
		      !!(c->require & SEAL_REQ_ALLOCATED));
	json_add_bool(object, "require_written",
		      !!(c->require & SEAL_REQ_WRITTEN));
	json_add_bool(object, "require_unshared",
		      !!(c->require & SEAL_REQ_UNSHARED));
	if (c->require & SEAL_REQ_EXTENTS)
		json_add_number(object, "require_extents", c->max_extents);
	else
		json_object_object_add(object, "require_extents", NULL);
	json_add_number(object, "holders", c->holders);
	json_add_number(object, "size", c->file_size);
	json_add_number(object, "extents", c->extents);
	json_add_number(object, "in_place_bytes", c->in_place);
	json_add_number(object, "refused", c->refused);
	json_add_number(object, "broken", c->broken);
	return object;
}

/* One object per line: a tree of many claims would need much memory. */
static void print_json(const struct lines *lines)
{
	size_t i;

	fputs("{ \"claims\": [", stdout);
	for (i = 0; i < lines->nr; i++) {
		fputs(i ? ",\n" : "\n", stdout);
		json_print_line(to_json(lines->claim[i]));
	}
	puts("\n] }");
}

/* Print each path once. */
static void print_paths(const struct lines *lines, bool null)
{
	size_t i;

	for (i = 0; i < lines->nr; i++)
		if (lines->claim[i]->path && !lines->claim[i]->deleted)
			print_path(lines->claim[i]->path, null);
}

static int parse_mount(const char *path, struct filter *filter)
{
	struct stat st;

	if (stat(path, &st)) {
		complain(path, "%s", strerror(errno));
		return STATUS_FAILED;
	}
	filter->by_mount = true;
	filter->device = st.st_dev;
	return STATUS_OK;
}

static int parse_state(const char *text, struct filter *filter)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(states); i++)
		if (!strcmp(text, states[i]))
			filter->state = states[i];
	if (filter->state)
		return STATUS_OK;
	complain(text, "no such state; there are sealed, sticky, broken, missed and log-only");
	return STATUS_USAGE;
}

static int parse_order(const char *text,
		       int (**compare)(const void *a, const void *b))
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		if (strcmp(text, orders[i].name))
			continue;
		*compare = orders[i].compare;
		return STATUS_OK;
	}
	complain(text, "no such order; there are age, path, pid, size and refused");
	return STATUS_USAGE;
}

static int parse_pid(const char *text, struct filter *filter)
{
	filter->by_pid = true;
	if (parse_number(text, &filter->pid) && filter->pid)
		return STATUS_OK;
	complain(text, "no process number");
	return STATUS_USAGE;
}

int cmd_list(const struct verb *verb, int argc, char **argv)
{
	int (*compare)(const void *a, const void *b) = NULL;
	bool json = false, paths = false, persistent = false;
	bool null = false;
	struct filter filter = { 0 };
	struct lines lines = { 0 };
	int option, ret, status = STATUS_OK;

	while ((option = getopt_long(argc, argv, "m:p:0h", options, NULL)) != -1) {
		switch (option) {
		case 'm':
			status = parse_mount(optarg, &filter);
			break;
		case 'p':
			status = parse_pid(optarg, &filter);
			break;
		case 's':
			status = parse_state(optarg, &filter);
			break;
		case 'S':
			status = parse_order(optarg, &compare);
			break;
		case OPT_JSON:
			json = true;
			break;
		case OPT_PERSISTENT:
			persistent = true;
			break;
		case OPT_PATHS:
			paths = true;
			break;
		case '0':
			null = true;
			paths = true;
			break;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
		if (status != STATUS_OK)
			return status;
	}
	if (optind != argc || (paths && json))
		return verb_usage(verb);
	if (persistent) {
		/* records have no holder */
		if (filter.by_mount || filter.by_pid || filter.state || compare)
			return verb_usage(verb);
		return list_persistent(paths, null, json);
	}

	ret = collect(&lines, &filter);
	if (!ret)
		ret = sort(&lines, compare ? compare : by_age);
	if (ret) {
		complain_events(-ret);
		status = STATUS_FAILED;
	} else if (paths) {
		print_paths(&lines, null);
	} else if (json) {
		print_json(&lines);
	} else {
		print_table(&lines);
	}
	free_lines(&lines);
	return status;
}
