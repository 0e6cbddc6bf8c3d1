// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of a command line.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/sealctl.h"

/* Descriptors besides those of the files: standard ones, session, others. */
#define SPARE_FDS 16

static struct rlimit saved_limit;

const char *file_kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFBLK:
		return "a block device";
	case S_IFCHR:
		return "a character device";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	default:
		return "something else";
	}
}

/*
 * The file is looked at before it is opened: opening a FIFO would wait for its other
 * end, and opening a device can have effects of its own. By the descriptor that only
 * says which file it is, so that nobody can put another one there meanwhile.
 */
int open_regular(const char *path, int how, mode_t *mode)
{
	const int flags = how | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int at = open(path, O_PATH | O_CLOEXEC);
	struct stat st;
	char name[40];
	int fd, error;

	*mode = S_IFREG;
	if (at < 0)
		return -errno;
	if (fstat(at, &st) < 0 || !S_ISREG(st.st_mode)) {
		*mode = st.st_mode;
		close(at);
		return -EINVAL;
	}
	snprintf(name, sizeof(name), "/proc/self/fd/%d", at);
	fd = open(name, flags);
	/* There is no /proc: what was said above may happen. */
	if (fd < 0 && errno == ENOENT && access("/proc/self/fd", F_OK))
		fd = open(path, flags);
	error = errno;
	close(at);
	if (fd < 0)
		return -error;
	fcntl(fd, F_SETFL, how);
	return fd;
}

static char *join(const char *dir, const char *name)
{
	char *whole;

	if (asprintf(&whole, "%s/%s", strcmp(dir, "/") ? dir : "", name) < 0)
		return NULL;
	return whole;
}

/* What does not exist cannot be resolved: the path is taken as it is written. */
static char *below_working_directory(const char *path)
{
	char *here, *whole;

	if (*path == '/')
		return strdup(path);
	while (!strncmp(path, "./", 2))
		path += 2;
	here = getcwd(NULL, 0);
	whole = here ? join(here, path) : NULL;
	free(here);
	return whole;
}

char *absolute_path(const char *path)
{
	char *for_dir = strdup(path), *for_base = strdup(path);
	char *dir = for_dir ? realpath(dirname(for_dir), NULL) : NULL;
	char *whole = NULL;

	if (dir && for_base)
		whole = join(dir, basename(for_base));
	else if (for_dir && for_base)
		whole = below_working_directory(path);
	free(dir);
	free(for_base);
	free(for_dir);
	return whole;
}

int open_file(const char *path, int access)
{
	mode_t mode;
	int fd = open_regular(path, access, &mode);

	if (fd >= 0)
		return fd;
	if (!S_ISREG(mode))
		complain(path, "not a regular file but %s; only regular files have a block map",
			 file_kind(mode));
	else if (fd == -ENOENT)
		complain(path, "%s", strerror(ENOENT));
	else if (fd == -EWOULDBLOCK)
		complain(path, "another program holds a lease on it; try again");
	else
		complain(path, "cannot open it%s: %s",
			 access == O_RDWR ? " for writing" : "", strerror(-fd));
	return -1;
}

static void raise_file_limit(unsigned int nr)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	if (limit.rlim_cur >= nr + SPARE_FDS)
		return;
	saved_limit = limit;
	limit.rlim_cur = limit.rlim_max;
	/* If this fails, open() will fail and tell. */
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Programs that use select() rely on a low limit: give them the old one. */
void restore_file_limit(void)
{
	if (saved_limit.rlim_max)
		setrlimit(RLIMIT_NOFILE, &saved_limit);
}

int open_files(struct file_list *list, char **paths, int nr, int access)
{
	*list = (struct file_list){ .paths = paths };
	if (nr > SEAL_MAX_FILES) {
		complain("too many files",
			 "%d given, at most %d can be sealed in one step; use several commands",
			 nr, SEAL_MAX_FILES);
		return -1;
	}
	list->fds = calloc((size_t)nr, sizeof(list->fds[0]));
	if (!list->fds) {
		complain("memory", "%s", strerror(ENOMEM));
		return -1;
	}
	raise_file_limit((unsigned int)nr);
	for (; list->nr < (unsigned int)nr; list->nr++) {
		list->fds[list->nr] = open_file(paths[list->nr], access);
		if (list->fds[list->nr] < 0) {
			close_files(list);
			return -1;
		}
	}
	return 0;
}

void close_files(struct file_list *list)
{
	while (list->nr)
		close(list->fds[--list->nr]);
	free(list->fds);
	list->fds = NULL;
}
