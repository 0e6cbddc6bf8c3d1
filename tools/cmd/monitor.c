// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl monitor: print a line for each event of sealed files.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/escape.h"
#include "cmd/cmd.h"
#include "print/claims.h"
#include "print/json.h"
#include "steps/fs_info.h"

enum { OPT_JSON = 256 };

static const struct option options[] = {
	{ "events", required_argument, NULL, 'e' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

struct file_id {
	dev_t device;
	ino_t inode;
};

/* The files whose events are printed; if there is none, all files. */
struct files {
	struct file_id *id;
	unsigned int nr;
};

static bool wanted(const struct files *files, const struct seal_event *event)
{
	unsigned int i;

	if (!files->nr || event->type == SEAL_EVENT_LOST)
		return true;
	for (i = 0; i < files->nr; i++)
		if (files->id[i].inode == event->inode &&
		    files->id[i].device == makedev(event->dev_major,
						   event->dev_minor))
			return true;
	return false;
}

static void print_about(const struct seal_event *e)
{
	if (e->why)
		printf(" why %s", seal_why_name(e->why));
	switch (e->type) {
	case SEAL_EVENT_UNSEALED:
	case SEAL_EVENT_SEALED:
	case SEAL_EVENT_REVOKED:
		printf(" holders %u", e->holders);
		if (e->flags & SEAL_STATUS_STICKY)
			fputs(" sticky", stdout);
		if (e->flags & SEAL_STATUS_BROKEN)
			fputs(" broken", stdout);
		break;
	case SEAL_EVENT_RECALL:
		printf(" recall %ju operation %s within %jd ms",
		       (uintmax_t)e->recall, e->operation ? e->operation : "?",
		       (intmax_t)(e->deadline - e->time) / 1000000);
		break;
	case SEAL_EVENT_REFUSED:
		printf(" operation %s", e->operation ? e->operation : "?");
		if (e->flags & SEAL_STATUS_LOG_ONLY)
			fputs(" passed log-only", stdout);
		if (e->has_range)
			printf(" offset %ju length %ju", (uintmax_t)e->offset,
			       (uintmax_t)e->length);
		break;
	case SEAL_EVENT_COMMITTED:
		printf(" offset %ju length %ju", (uintmax_t)e->offset,
		       (uintmax_t)e->length);
		break;
	case SEAL_EVENT_BROKEN:
		printf(" by %s", e->gate ? e->gate : "?");
		break;
	default:
		break;
	}
}

/*
 * Whose process an event names: that of the holder of the claim, that which
 * waits for the holder, or that which did it.
 */
static const char *whose_process(const struct seal_event *e)
{
	switch (e->type) {
	case SEAL_EVENT_SEALED:
	case SEAL_EVENT_UNSEALED:
	case SEAL_EVENT_REVOKED:
		return "holder";
	case SEAL_EVENT_RECALL:
		return "waiting";
	default:
		return "acting";
	}
}

/* TIME EVENT FILE [KEY VALUE]... */
static void print_line(const struct seal_event *e)
{
	char when[48];

	format_time_exact(e->time, when, sizeof(when));
	printf("%s %s ", when, seal_event_name(e->type));
	if (e->type == SEAL_EVENT_LOST) {
		printf("%ju events: this program was too slow\n",
		       (uintmax_t)e->lost);
		return;
	}
	if (e->path)
		print_word(stdout, e->path);
	else
		printf("%u:%u/%ju", e->dev_major, e->dev_minor,
		       (uintmax_t)e->inode);
	if (e->deleted)
		fputs(" (deleted)", stdout);
	print_about(e);
	printf(" %s pid %u uid %u command ", whose_process(e), e->pid, e->uid);
	print_word(stdout, e->comm);
	putchar('\n');
}

static void add_file(struct json_object *object, const struct seal_event *e)
{
	json_add_name(object, "path", e->path);
	json_add_bool(object, "deleted", e->deleted);
	json_add_device(object, "device", e->dev_major, e->dev_minor);
	json_add_number(object, "inode", e->inode);
	json_add_number(object, "pid", e->pid);
	json_add_number(object, "uid", e->uid);
	json_add_name(object, "command", e->comm);
	json_add_text(object, "process", whose_process(e));
}

static void print_json(const struct seal_event *e)
{
	struct json_object *object = json_object_new_object();

	json_add_text(object, "event", seal_event_name(e->type));
	json_add_number(object, "serial", e->serial);
	json_add_number(object, "time_ns", e->time);
	if (e->type == SEAL_EVENT_LOST)
		json_add_number(object, "lost", e->lost);
	else
		add_file(object, e);
	if (e->claim) {
		json_add_number(object, "claim", e->claim);
		json_add_number(object, "holders", e->holders);
		json_add_bool(object, "sticky",
			      !!(e->flags & SEAL_STATUS_STICKY));
		json_add_bool(object, "broken",
			      !!(e->flags & SEAL_STATUS_BROKEN));
	}
	if (e->type == SEAL_EVENT_UNSEALED)
		json_add_text(object, "why", seal_why_name(e->why));
	if (e->operation)
		json_add_text(object, "operation", e->operation);
	if (e->type == SEAL_EVENT_REFUSED)
		json_add_bool(object, "log_only",
			      !!(e->flags & SEAL_STATUS_LOG_ONLY));
	if (e->gate)
		json_add_text(object, "gate", e->gate);
	if (e->recall) {
		json_add_number(object, "recall", e->recall);
		json_add_number(object, "deadline_ns", e->deadline);
	}
	if (e->has_range) {
		json_add_number(object, "offset", e->offset);
		json_add_number(object, "length", e->length);
	}
	json_print_line(object);
	putchar('\n');
}

/* Has the reader of our output gone? That is the usual end of a pipe. */
static bool reader_gone(void)
{
	if (!ferror(stdout) || errno != EPIPE)
		return false;
	/* so that main() does not take it for lost output */
	return freopen("/dev/null", "w", stdout);
}

static int print_events(struct seal_monitor *monitor, const struct files *files,
			bool json)
{
	const struct seal_event *event;
	int ret;

	while ((ret = seal_monitor_next(monitor, &event)) > 0) {
		if (!wanted(files, event))
			continue;
		if (json)
			print_json(event);
		else
			print_line(event);
		if (ferror(stdout))
			return 0;
	}
	return ret;
}

static int watch(struct seal_monitor *monitor, const struct files *files,
		 bool json)
{
	struct pollfd polled[] = {
		{ .fd = seal_monitor_fd(monitor), .events = POLLIN },
		/* no events are asked for: poll() reports errors anyway */
		{ .fd = fileno(stdout) },
	};
	int ret;

	for (;;) {
		ret = print_events(monitor, files, json);
		if (ret) {
			complain_events(-ret);
			return STATUS_FAILED;
		}
		if (ferror(stdout) || fflush(stdout))
			return reader_gone() ? STATUS_OK : STATUS_FAILED;
		if (poll(polled, ARRAY_SIZE(polled), -1) < 0 && errno != EINTR) {
			complain("poll", "%s", strerror(errno));
			return STATUS_FAILED;
		}
		if (polled[1].revents & (POLLERR | POLLHUP))
			return STATUS_OK;
	}
}

static int parse_events(char *text, uint32_t *events)
{
	static const uint32_t types[] = {
		SEAL_EVENT_SEALED, SEAL_EVENT_UNSEALED, SEAL_EVENT_REFUSED,
		SEAL_EVENT_BROKEN, SEAL_EVENT_REVOKED, SEAL_EVENT_RECALL,
		SEAL_EVENT_COMMITTED,
	};
	char *rest = text, *word;
	unsigned int i;

	*events = 0;
	while ((word = strsep(&rest, ","))) {
		for (i = 0; i < ARRAY_SIZE(types); i++)
			if (!strcmp(word, seal_event_name(types[i])))
				break;
		if (!strcmp(word, seal_event_name(SEAL_EVENT_LOST))) {
			complain(word,
				 "it cannot be chosen, since it is told whatever the others are; leave it out");
			return STATUS_USAGE;
		}
		if (i == ARRAY_SIZE(types)) {
			complain(word,
				 "no such event; there are sealed, unsealed, refused, broken, revoked, recall and committed");
			return STATUS_USAGE;
		}
		*events |= SEAL_EVENT_BIT(types[i]);
	}
	return STATUS_OK;
}

struct filesystems {
	struct seal_info info;
	struct seal_fs_info *fs;
};

/* Of what cannot be sealed, nothing would ever be told. */
static bool can_be_sealed(const struct filesystems *known, const char *path,
			  int fd, mode_t mode)
{
	const struct seal_fs_info *fs;

	if (!S_ISREG(mode)) {
		complain(path, "not a regular file but %s; only regular files can be sealed",
			 file_kind(mode));
		return false;
	}
	fs = find_fs_info(&known->info, known->fs, fd);
	if (fs && fs->state != SEAL_FS_UNSUPPORTED)
		return true;
	complain(path,
		 "it cannot be sealed, so that nothing would be told: %s; \"sealctl info\" lists what can be",
		 fs ? (const char *)fs->reason : "its filesystem is none of those that can");
	return false;
}

/* It is not opened for reading, which may not be allowed. */
static int find_file(const struct filesystems *known, const char *path,
		     struct file_id *id)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	int status = STATUS_FAILED;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		complain(path, "%s", strerror(errno));
	} else if (can_be_sealed(known, path, fd, st.st_mode)) {
		id->device = st.st_dev;
		id->inode = st.st_ino;
		status = STATUS_OK;
	}
	if (fd >= 0)
		close(fd);
	return status;
}

static int get_filesystems(struct filesystems *known)
{
	struct seal_session *session = open_session();
	int ret;

	if (!session)
		return -1;
	ret = get_info(session, &known->info, &known->fs);
	seal_close(session);
	return ret;
}

static int find_files(struct files *files, char **paths, unsigned int nr)
{
	struct filesystems known;
	int status = STATUS_OK;

	if (!nr)
		return STATUS_OK;
	if (get_filesystems(&known))
		return STATUS_FAILED;
	files->id = calloc(nr, sizeof(*files->id));
	if (!files->id) {
		complain("files", "%s", strerror(ENOMEM));
		status = STATUS_FAILED;
	}
	for (; status == STATUS_OK && files->nr < nr; files->nr++)
		status = find_file(&known, paths[files->nr],
				   &files->id[files->nr]);
	free(known.fs);
	return status;
}

int cmd_monitor(const struct verb *verb, int argc, char **argv)
{
	uint32_t events = SEAL_EVENTS_ALL;
	struct seal_monitor *monitor;
	struct files files = { 0 };
	int option, ret, status;
	bool json = false;

	while ((option = getopt_long(argc, argv, "e:h", options, NULL)) != -1) {
		switch (option) {
		case 'e':
			status = parse_events(optarg, &events);
			if (status != STATUS_OK)
				return status;
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
	status = find_files(&files, argv + optind,
			    (unsigned int)(argc - optind));
	if (status == STATUS_OK) {
		ret = seal_monitor_open(&monitor, events);
		if (ret) {
			complain_events(-ret);
			status = STATUS_FAILED;
		} else {
			signal(SIGPIPE, SIG_IGN);
			status = watch(monitor, &files, json);
			seal_monitor_close(monitor);
		}
	}
	free(files.id);
	return status;
}
