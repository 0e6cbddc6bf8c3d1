// SPDX-License-Identifier: GPL-2.0-only
/*
 * sealctl swapfile: make a swap file, and give it a lasting seal.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/addresses.h"
#include "base/errors.h"
#include "base/plain_map.h"
#include "cmd/cmd.h"
#include "manifest/persist.h"
#include "steps/seal_step.h"
#include "steps/step.h"

/* If a file is allocated in pieces of this size, they are aligned to pages. */
#define ALIGNMENT	(1024 * 1024)

enum { OPT_PERSIST = 256 };

static const struct option options[] = {
	{ "persist", no_argument, NULL, OPT_PERSIST },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

/* XFS takes this hint; other filesystems do not know it. */
static void ask_for_alignment(int fd)
{
	struct fsxattr attr;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attr) < 0)
		return;
	attr.fsx_xflags |= FS_XFLAG_EXTSIZE;
	attr.fsx_extsize = ALIGNMENT;
	ioctl(fd, FS_IOC_FSSETXATTR, &attr);
}

static int allocate(const char *path, int fd, uint64_t size)
{
	ask_for_alignment(fd);
	if (!fallocate(fd, 0, 0, (off_t)size))
		return 0;
	complain(path, "allocating it: %s", strerror(errno));
	return -1;
}

/*
 * Run mkswap, without its output. It gets the file, not the path: in a directory of
 * somebody else, the path may lead to a disk by now.
 */
static int make_swap(const char *path, int fd)
{
	char file[40];
	int status;
	pid_t pid;
	int null;

	pid = fork();
	if (!pid) {
		null = open("/dev/null", O_WRONLY);
		if (null >= 0)
			dup2(null, STDOUT_FILENO);
		/* without close-on-exec */
		snprintf(file, sizeof(file), "/proc/self/fd/%d", dup(fd));
		execl("/sbin/mkswap", "mkswap", "--", file, (char *)NULL);
		execlp("mkswap", "mkswap", "--", file, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		complain(path, "mkswap: %s", strerror(errno));
		return -1;
	}
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		complain(path, "mkswap cannot be run; install util-linux");
	else
		complain(path, "mkswap failed");
	return -1;
}

/* Find out where the file begins, and the number of its pieces. */
static int look(const char *path, int fd, uint64_t *physical, unsigned int *nr)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct plain_extent extent;
	struct plain_map map;
	uint64_t next = 0;
	int ret;

	*nr = 0;
	ret = plain_map_open(&map, fd);
	if (!ret) {
		while ((ret = plain_map_next(&map, &extent)) > 0) {
			if (!*nr)
				*physical = extent.physical;
			if (!*nr || extent.physical != next)
				++*nr;
			next = extent.physical + extent.length;
			if (extent.physical % page)
				break;
		}
		plain_map_close(&map);
	}
	if (ret > 0)
		complain(path,
			 "its blocks are not aligned to pages; the blocks of its filesystem are too small");
	else if (ret)
		complain(path, "its blocks have no plain addresses: %s",
			 strerror(-ret));
	return ret;
}

static int print_resume(const char *path, int fd)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct seal_identity identity;
	uint64_t physical = 0;
	unsigned int i, nr;

	if (look(path, fd, &physical, &nr))
		return -1;
	if (seal_identity(fd, &identity)) {
		complain(path, "its filesystem does not tell its UUID");
		return -1;
	}
	if (nr > 1)
		complain(path,
			 "it is in %u pieces, as its filesystem had no larger one; that does no harm",
			 nr);
	fputs("resume=UUID=", stdout);
	for (i = 0; i < sizeof(identity.uuid); i++)
		printf("%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
		       identity.uuid[i]);
	printf(" resume_offset=%" PRIu64 "\n", physical / page);
	return 0;
}

static bool same_file(const char *path, int fd, int other)
{
	struct stat a, b;

	if (!fstat(fd, &a) && !fstat(other, &b) && a.st_ino == b.st_ino &&
	    a.st_dev == b.st_dev)
		return true;
	complain(path, "another file has taken its place");
	return false;
}

static int seal(struct seal_session *session, const char *path, int fd,
		bool persist)
{
	const struct requirements whole = {
		.mask = SEAL_REQ_ALLOCATED | SEAL_REQ_WRITTEN | SEAL_REQ_UNSHARED,
	};
	char *paths = (char *)path;
	struct file_list list;
	int ret;

	if (open_files(&list, &paths, 1, O_RDONLY))
		return -1;
	if (!same_file(path, fd, list.fds[0])) {
		close_files(&list);
		return -1;
	}
	ret = step_seal(session, &list, SEAL_SEAL_STICKY, &whole);
	/* the record last: nothing that fails later leaves one behind */
	if (!ret && (print_resume(path, list.fds[0]) ||
		     (persist && persist_store(session, &list, &whole)))) {
		seal_unseal(session, list.fds[0], SEAL_UNSEAL_STICKY);
		ret = -1;
	}
	if (!ret)
		warn_log_only(session, &list);
	close_files(&list);
	return ret;
}

static int fill(struct seal_session *session, const char *path, int fd,
		uint64_t size)
{
	char name[32];

	if (!addresses_mean(fd, name, sizeof(name))) {
		complain(path,
			 "on %s blocks have no addresses of a device; make it on XFS or ext4",
			 name);
		return -1;
	}
	if (allocate(path, fd, size))
		return -1;
	if (step_prealloc(session, path, fd, SEAL_PREALLOC_WRITTEN, 0, 0))
		return -1;
	return make_swap(path, fd);
}

/* Remove the file that was made, unless another one has taken its place. */
static void discard(const char *path, int fd)
{
	struct stat made, there;

	if (!fstat(fd, &made) && !lstat(path, &there) &&
	    made.st_ino == there.st_ino && made.st_dev == there.st_dev)
		unlink(path);
}

static int swapfile(const char *path, uint64_t size, bool persist)
{
	struct seal_session *session = open_session();
	int fd, ret;

	if (!session)
		return STATUS_FAILED;
	/* 0600: nobody else may read what was in memory. */
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		if (errno == EEXIST)
			complain(path, "it exists already; give another name");
		else
			complain(path, "cannot create it: %s", strerror(errno));
		seal_close(session);
		return STATUS_FAILED;
	}
	ret = fill(session, path, fd, size);
	if (!ret)
		ret = seal(session, path, fd, persist);
	if (ret)
		discard(path, fd);
	close(fd);
	seal_close(session);
	return ret ? STATUS_FAILED : STATUS_OK;
}

int cmd_swapfile(const struct verb *verb, int argc, char **argv)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	bool persist = false;
	uint64_t size;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case OPT_PERSIST:
			persist = true;
			break;
		case 'h':
			return verb_help(verb);
		default:
			return verb_usage(verb);
		}
	}
	if (optind + 2 != argc)
		return verb_usage(verb);
	if (parse_size(argv[optind + 1], &size) || size < 10 * page ||
	    size % page) {
		complain(argv[optind + 1],
			 "not a size for a swap file; give whole pages, at least ten");
		return STATUS_USAGE;
	}
	return swapfile(argv[optind], size, persist);
}
