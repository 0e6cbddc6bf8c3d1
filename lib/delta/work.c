// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The file that a delta is received into: a new one, which replaces the old one
 * at the end, or the file itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "delta/delta.h"

#define TEMPORARY ".%s.seal-receive"
#define SPOOL ".%s.seal-spool"

/* Bytes that are copied before the progress function is asked again. */
#define COPY_BYTES (64 * 1024 * 1024)

/* How far in the future the limit for the times of writes is. */
#define LIMIT_SECONDS 10

/* The path of an open file, to be freed; or NULL, with *@ret set. */
static char *path_of(int fd, int *ret)
{
	char name[40], path[PATH_MAX];
	struct stat st, named;
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = readlink(name, path, sizeof(path) - 1);
	*ret = -EINVAL;
	if (n < 0)
		return NULL;
	path[n] = '\0';
	/* Was it removed or renamed meanwhile? */
	*ret = -ESTALE;
	if (*path != '/' || fstat(fd, &st) < 0 || lstat(path, &named) < 0 ||
	    named.st_ino != st.st_ino || named.st_dev != st.st_dev)
		return NULL;
	*ret = -ENOMEM;
	return strdup(path);
}

/*
 * A symbolic link is followed, not replaced. The kernel follows it, so that it
 * does not follow links of others in a directory like /tmp (protected_symlinks
 * in proc(5)), as realpath(3) would.
 */
static char *follow(const char *path, int *ret)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;
	char *whole;

	if (fd >= 0) {
		whole = path_of(fd, ret);
		close(fd);
		return whole;
	}
	*ret = -errno;
	if (*ret != -ENOENT)
		return NULL;
	/* A link to nothing must not be replaced either. */
	*ret = -ELOOP;
	if (!lstat(path, &st))
		return NULL;
	/* It will be created. */
	*ret = -ENOMEM;
	return strdup(path);
}

static int resolve(struct delta_work *work, const char *path)
{
	char *slash, *dir;
	int ret = 0;

	work->path = follow(path, &ret);
	if (!work->path)
		return ret < 0 ? ret : -EINVAL;
	slash = strrchr(work->path, '/');
	work->name = slash ? slash + 1 : work->path;
	if (!*work->name)
		return -EISDIR;
	if (!slash)
		dir = strdup(".");
	else
		dir = strndup(work->path, (size_t)(slash - work->path) + 1);
	if (!dir)
		return -ENOMEM;
	work->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	return work->dir_fd < 0 ? -errno : 0;
}

/*
 * A delta of a few bytes can ask for a file of any size. The file need not fit
 * into the free space, since holes take none, but the user has to ask for a
 * file that is larger than the filesystem.
 */
static int check_size(struct seal_delta *delta, const struct delta_work *work,
		      uint64_t size)
{
	uint64_t limit = delta->max_size;
	struct statvfs fs;

	if (!limit) {
		if (fstatvfs(work->dir_fd, &fs) < 0)
			return -errno;
		limit = (uint64_t)fs.f_blocks * fs.f_frsize;
		if (limit < (uint64_t)work->base_st.st_size)
			limit = (uint64_t)work->base_st.st_size;
	}
	if (size <= limit)
		return 0;
	return delta_fail(delta, EFBIG,
			  "the delta makes it %llu bytes large, the limit is %llu; if that is wanted give a larger limit (--max-size)",
			  (unsigned long long)size, (unsigned long long)limit);
}

/*
 * Who may not open the device is told by the filesystem, if that can share
 * blocks: it does not share those of a sealed file.
 */
static bool shares_nothing(const struct delta_work *work)
{
	int fd = openat(work->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	bool sealed;

	if (fd < 0)
		return false;
	sealed = ioctl(fd, FICLONE, work->base_fd) < 0 && errno == ETXTBSY;
	close(fd);
	return sealed;
}

/*
 * A sealed file must not be replaced: its seal would go on holding blocks of a
 * file that has no name any more.
 */
static int check_sealed(struct seal_delta *delta, const struct delta_work *work)
{
	struct seal_session *session;
	struct seal_status status;
	bool sealed = false;
	int ret;

	if (work->base_fd < 0)
		return 0;
	ret = seal_open(&session);
	if (!ret) {
		sealed = !seal_status(session, work->base_fd, &status) &&
			 (status.flags & SEAL_STATUS_SEALED);
		seal_close(session);
	} else if (ret == -EACCES || ret == -EPERM) {
		sealed = shares_nothing(work);
	}
	if (!sealed)
		return 0;
	return delta_fail(delta, EBUSY,
			  "it is sealed, and must not be replaced by another file; unseal it first, or update it in place");
}

int delta_work_open(struct seal_delta *delta, struct delta_work *work,
		    const char *path, const struct delta_header *header)
{
	bool in_place = delta->flags & SEAL_DELTA_IN_PLACE;
	struct stat *st = &work->base_st;
	int ret;

	*work = (struct delta_work){ .fd = -1, .base_fd = -1, .dir_fd = -1 };
	ret = resolve(work, path);
	/* A file that is missing is no error of this. */
	if (ret == -ENOENT || ret == -ENOTDIR)
		return delta_fail(delta, -ret, "%s; make it first",
				  ret == -ENOENT ?
				  "the directory that it is to be in is missing" :
				  "what it is to be in is not a directory");
	if (ret)
		return delta_fail(delta, -ret, "%s", strerror(-ret));
	/* To open a device can have effects of its own. */
	if (!fstatat(work->dir_fd, work->name, st, AT_SYMLINK_NOFOLLOW) &&
	    !S_ISREG(st->st_mode))
		return delta_fail(delta, EINVAL, "not a regular file");
	work->base_fd = openat(work->dir_fd, work->name, O_CLOEXEC | O_NOCTTY |
			       O_NONBLOCK | O_NOFOLLOW | (in_place ? O_RDWR : O_RDONLY));
	if (work->base_fd < 0) {
		if (errno == ENOENT)
			return check_size(delta, work, header->new_size);
		return delta_fail(delta, errno, "cannot open it: %s",
				  strerror(errno));
	}
	if (fstat(work->base_fd, st) < 0 || !S_ISREG(st->st_mode))
		return delta_fail(delta, EINVAL, "not a regular file");
	if (in_place && flock(work->base_fd, LOCK_EX | LOCK_NB) < 0)
		return delta_fail(delta, EBUSY, "another process receives into it");
	ret = in_place ? 0 : check_sealed(delta, work);
	return ret ? ret : check_size(delta, work, header->new_size);
}

/* Share all blocks if the filesystem can; if not, copy the data. */
static int copy_contents(struct seal_delta *delta, int from, int to,
			 uint64_t size)
{
	off_t data = 0, end;
	loff_t in, out;
	size_t part;
	ssize_t n;
	int ret;

	if (!ioctl(to, FICLONE, from))
		return 0;
	if (ftruncate(to, (off_t)size) < 0)
		return -errno;
	while ((data = lseek(from, data, SEEK_DATA)) >= 0) {
		end = lseek(from, data, SEEK_HOLE);
		if (end < 0)
			return -errno;
		in = data;
		out = data;
		while (in < end) {
			part = end - in < COPY_BYTES ? (size_t)(end - in) :
						       COPY_BYTES;
			n = copy_file_range(from, &in, to, &out, part, 0);
			/* Let the progress function say what a signal means. */
			if (n < 0 && errno != EINTR)
				return -errno;
			if (!n)
				return -ESTALE;
			ret = delta_poll(delta);
			if (ret)
				return ret;
		}
		data = end;
	}
	return errno == ENXIO ? 0 : -errno;
}

/*
 * Does the name lead to this file? Whoever has the lock of a file knows that no
 * other receiver takes its name from it, if it had the name after that.
 */
static bool is_named(const struct delta_work *work, const char *name, int fd)
{
	struct stat st, named;

	return !fstat(fd, &st) &&
	       !fstatat(work->dir_fd, name, &named, AT_SYMLINK_NOFOLLOW) &&
	       named.st_ino == st.st_ino && named.st_dev == st.st_dev;
}

/* Return: 0, or -EBUSY if another process receives into it. */
static int lock_named(const struct delta_work *work, const char *name, int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) < 0 || !is_named(work, name, fd) ?
	       -EBUSY : 0;
}

/* Only its owner can open the new file (0600) until it is complete. */
static int make_temporary(struct seal_delta *delta, struct delta_work *work,
			  bool has_base)
{
	work->fd = openat(work->dir_fd, work->temporary, O_RDWR | O_CREAT |
			  O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	/* Somebody else made it since there was none. */
	if (work->fd < 0)
		return errno == EEXIST ? -EBUSY : -errno;
	if (lock_named(work, work->temporary, work->fd))
		return -EBUSY;
	if (work->base_fd < 0 || !has_base)
		return 0;
	return copy_contents(delta, work->base_fd, work->fd,
			     (uint64_t)work->base_st.st_size);
}

/*
 * The mask for new files, read from /proc: umask(2) would change it for a
 * moment for all threads of the process. Return: 077 if it cannot be found out.
 */
static mode_t file_mask(void)
{
	FILE *file = fopen("/proc/thread-self/status", "re");
	unsigned int mask = 0777;
	char line[128];

	if (!file)
		return 077;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Umask: %o", &mask) == 1)
			break;
	fclose(file);
	return mask == 0777 ? 077 : (mode_t)mask;
}

/*
 * What the old contents were trusted to do the new ones are not: as when a
 * user without privilege writes to a file, the bits that give a program the
 * rights of its owner or group go.
 */
static mode_t without_privilege(mode_t mode)
{
	mode &= (mode_t)~S_ISUID;
	return mode & 0010 ? mode & (mode_t)~S_ISGID : mode;
}

static int drop_privilege(int fd)
{
	struct stat st;
	mode_t mode;

	if (fstat(fd, &st) < 0)
		return -errno;
	mode = without_privilege(st.st_mode);
	return mode != st.st_mode && fchmod(fd, mode & 07777) < 0 ? -errno : 0;
}

/* Give the new file the owner, mode and attributes of the old one. */
static int dress(const struct delta_work *work)
{
	const struct stat *st = &work->base_st;

	if (work->base_fd < 0)
		return fchmod(work->fd, 0666 & ~file_mask()) < 0 ? -errno : 0;
	/* The directory may have given it an access list that the old one lacks. */
	if (fchown(work->fd, st->st_uid, st->st_gid) < 0 ||
	    delta_drop_access_list(work->fd) < 0 ||
	    fchmod(work->fd, without_privilege(st->st_mode) & 07777) < 0)
		return -errno;
	return delta_copy_xattrs(work->base_fd, work->fd);
}

/*
 * Who continues must know whether somebody else wrote to the file meanwhile. If this
 * attempt is killed, its own writes are not later than the limit.
 */
int delta_work_note(struct delta_work *work, const struct delta_header *header,
		    uint64_t done, bool last)
{
	struct delta_journal journal = { .done = done };
	struct timespec now;
	struct stat st;
	int ret;

	if (last) {
		ret = delta_settle(work->fd, &st);
		/* If its time is in the future, a later write changes it as well. */
		if (ret && ret != -EBUSY)
			return ret;
		journal.kind = JOURNAL_TIME;
		journal.time = st.st_mtim;
	} else {
		clock_gettime(CLOCK_REALTIME, &now);
		/* The clock of a file server may be ahead. */
		if (!fstat(work->fd, &st) && st.st_mtim.tv_sec > now.tv_sec)
			now = st.st_mtim;
		journal.kind = JOURNAL_LIMIT;
		journal.time.tv_sec = now.tv_sec + LIMIT_SECONDS;
	}
	delta_journal_of(header, &journal);
	work->noted = done;
	work->limit = journal.time.tv_sec;
	return delta_journal_write(work->fd, &journal);
}

int delta_work_writes(struct delta_work *work, const struct delta_header *header)
{
	struct timespec now;
	int ret;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec + LIMIT_SECONDS / 2 < work->limit)
		return 0;
	ret = delta_work_note(work, header, work->noted, false);
	/* Without extended attributes nothing is continued later. */
	return ret == -EOPNOTSUPP ? 0 : ret;
}

/* With this owner and mode, no other user can have written to it. */
static bool is_ours(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_nlink == 1 &&
	       st->st_uid == geteuid() && (st->st_mode & 07777) == 0600;
}

/*
 * Continue with the file that an earlier attempt left, if that was our own,
 * received the same delta, and nobody wrote to it since; otherwise remove the file.
 */
static int take_temporary(struct delta_work *work,
			  const struct delta_header *header)
{
	struct delta_journal journal;
	struct stat st;

	work->fd = openat(work->dir_fd, work->temporary,
			  O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (work->fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(work->fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_nlink != 1)
		return -EEXIST;
	if (lock_named(work, work->temporary, work->fd))
		return -EBUSY;
	if (is_ours(&st) && delta_journal_read(work->fd, &journal) == 1 &&
	    delta_journal_fits(&journal, header) &&
	    delta_journal_kept(&journal, &st)) {
		work->resumed = true;
		work->done = journal.done;
		work->noted = journal.done;
		return delta_work_writes(work, header);
	}
	if (unlinkat(work->dir_fd, work->temporary, 0) < 0)
		return -errno;
	close(work->fd);
	work->fd = -1;
	return 0;
}

/*
 * Read the journal of a file under the same conditions under which receiving goes on
 * with that file.
 */
static int find_journal(const struct delta_work *work, const char *name,
			bool in_place, struct delta_journal *journal)
{
	struct stat st;
	int ret, fd;

	if (fstatat(work->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	/* To open a device can have effects of its own. */
	if (!S_ISREG(st.st_mode))
		return 0;
	fd = openat(work->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
		    O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		ret = -errno;
	else if (in_place ? !S_ISREG(st.st_mode) : !is_ours(&st))
		ret = 0;
	else
		ret = delta_journal_read(fd, journal);
	/* Receiving begins at the beginning then, or says why it does not. */
	if (ret == 1 && !delta_journal_kept(journal, &st))
		journal->done = 0;
	close(fd);
	return ret;
}

int delta_work_find(const char *path, uint32_t flags,
		    struct delta_journal *journal)
{
	struct delta_work work = { .fd = -1, .base_fd = -1, .dir_fd = -1 };
	bool in_place = flags & SEAL_DELTA_IN_PLACE;
	char *name = NULL;
	int ret;

	ret = resolve(&work, path);
	if (!ret && asprintf(&name, TEMPORARY, work.name) < 0) {
		name = NULL;
		ret = -ENOMEM;
	}
	if (!ret)
		ret = find_journal(&work, in_place ? work.name : name, in_place,
				   journal);
	free(name);
	delta_work_close(&work, false);
	return ret;
}

int delta_work_spool(struct seal_delta *delta, const struct delta_work *work)
{
	char *name;
	int fd;

	fd = openat(work->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	/* Not every filesystem has O_TMPFILE. */
	if (asprintf(&name, SPOOL, work->name) < 0)
		return -ENOMEM;
	fd = openat(work->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC |
		    O_NOFOLLOW, 0600);
	if (fd < 0)
		fd = delta_fail(delta, errno, "storing the delta in \"%s\": %s",
				name, strerror(errno));
	else
		unlinkat(work->dir_fd, name, 0);
	free(name);
	return fd;
}

static int begin_beside(struct seal_delta *delta, struct delta_work *work,
			const struct delta_header *header)
{
	int ret;

	if (asprintf(&work->temporary, TEMPORARY, work->name) < 0) {
		work->temporary = NULL;
		return -ENOMEM;
	}
	ret = take_temporary(work, header);
	if (!ret && work->fd < 0) {
		ret = make_temporary(delta, work,
				     header->flags & HEADER_HAS_BASE);
		/* Without extended attributes it cannot be continued later. */
		if (!ret)
			ret = delta_work_note(work, header, 0, false);
		if (ret == -EOPNOTSUPP)
			ret = 0;
	}
	if (ret == -ECANCELED)
		return ret;
	if (ret == -EBUSY)
		return delta_fail(delta, EBUSY, "another process receives into it");
	if (ret)
		return delta_fail(delta, -ret, "making \"%s\": %s",
				  work->temporary, strerror(-ret));
	return 0;
}

static int begin_in_place(struct seal_delta *delta, struct delta_work *work,
			  const struct delta_header *header)
{
	int ret;

	if (work->base_fd < 0) {
		work->base_fd = openat(work->dir_fd, work->name, O_RDWR |
				       O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (work->base_fd < 0)
			return delta_fail(delta, errno, "cannot create it: %s",
					  strerror(errno));
		if (lock_named(work, work->name, work->base_fd))
			return delta_fail(delta, EBUSY, "another process receives into it");
	}
	work->fd = work->base_fd;
	work->base_fd = -1;
	/* From here on it has neither the old nor the new contents. */
	ret = delta_work_note(work, header, work->done, false);
	if (ret)
		return delta_fail(delta, -ret,
				  "cannot note that an update has begun (%s); receive it without updating in place",
				  strerror(-ret));
	if (!work->resumed && fsync(work->fd) < 0)
		return -errno;
	/* An earlier attempt may have ended between the note and this. */
	if (!(header->flags & HEADER_HAS_BASE) && !work->done &&
	    ftruncate(work->fd, 0) < 0)
		return delta_fail(delta, errno, "%s", strerror(errno));
	return 0;
}

/* Nothing was changed yet: the file is what it was before this attempt. */
static void undo_begin(struct delta_work *work)
{
	if (!work->resumed)
		delta_journal_remove(work->fd);
}

int delta_work_begin(struct seal_delta *delta, struct delta_work *work,
		     const struct delta_header *header)
{
	int ret;

	if (delta->flags & SEAL_DELTA_IN_PLACE)
		ret = begin_in_place(delta, work, header);
	else
		ret = begin_beside(delta, work, header);
	if (!ret && ftruncate(work->fd, (off_t)header->new_size) < 0) {
		ret = delta_fail(delta, errno, "setting its size: %s",
				 strerror(errno));
		if (!work->temporary && (header->flags & HEADER_HAS_BASE))
			undo_begin(work);
	}
	if (ret || work->temporary)
		return ret;
	delta_mark_remove(work->fd);
	ret = drop_privilege(work->fd);
	return ret ? delta_fail(delta, -ret, "%s", strerror(-ret)) : 0;
}

/* Set timestamp and mark. When this returns 0, all of it is on disk. */
static int finish_contents(struct delta_work *work,
			   const struct delta_header *header, int *marked)
{
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_NOW },
		{ .tv_sec = header->mtime_sec, .tv_nsec = header->mtime_nsec },
	};
	struct delta_mark mark = { .size = header->new_size };
	struct stat st;
	int ret;

	/* Read the timestamp back: some filesystems keep whole seconds only. */
	if (fsync(work->fd) < 0 || futimens(work->fd, times) < 0 ||
	    fstat(work->fd, &st) < 0)
		return -errno;
	mark.mtime = st.st_mtim;
	memcpy(mark.id, header->new_id, DELTA_ID_LEN);
	*marked = delta_mark_write(work->fd, &mark);
	ret = delta_journal_remove(work->fd);
	if (ret)
		return ret;
	return fsync(work->fd) < 0 ? -errno : 0;
}

static bool was_written(const struct delta_work *work)
{
	const struct stat *then = &work->base_st;
	struct stat now;

	return fstat(work->base_fd, &now) < 0 ||
	       now.st_size != then->st_size ||
	       now.st_mtim.tv_sec != then->st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != then->st_mtim.tv_nsec;
}

/*
 * Is what is to be replaced still what it was when the transfer began? Another
 * file must not get lost, which may be sealed, too.
 */
static int check_name(struct seal_delta *delta, const struct delta_work *work)
{
	struct stat st;
	bool found = !fstatat(work->dir_fd, work->name, &st,
			      AT_SYMLINK_NOFOLLOW);

	if (!work->temporary) {
		if (is_named(work, work->name, work->fd))
			return 0;
		return delta_fail(delta, EBUSY,
				  "another file got this name meanwhile; the one that had it was updated");
	}
	if (!is_named(work, work->temporary, work->fd))
		return delta_fail(delta, EBUSY,
				  "\"%s\" was replaced or removed meanwhile",
				  work->temporary);
	if (work->base_fd < 0 && !found && errno == ENOENT)
		return 0;
	if (work->base_fd >= 0 && found && st.st_ino == work->base_st.st_ino &&
	    st.st_dev == work->base_st.st_dev)
		return 0;
	return delta_fail(delta, EBUSY,
			  "another file got this name meanwhile, which would be lost");
}

/* If there was no file, none that was made meanwhile is replaced. */
static int put_in_place(const struct delta_work *work)
{
	unsigned int flags = work->base_fd < 0 ? RENAME_NOREPLACE : 0;

	if (!renameat2(work->dir_fd, work->temporary, work->dir_fd,
		       work->name, flags))
		return 0;
	/* Not every filesystem can do that. */
	if (errno != EINVAL || !flags)
		return -errno;
	return renameat(work->dir_fd, work->temporary, work->dir_fd,
			work->name) < 0 ? -errno : 0;
}

int delta_work_commit(struct seal_delta *delta, struct delta_work *work,
		      const struct delta_header *header)
{
	int marked = 0;
	struct stat st;
	int ret;

	/* The old file may have been sealed since the transfer began. */
	ret = work->temporary ? check_sealed(delta, work) : 0;
	if (!ret)
		ret = check_name(delta, work);
	if (ret)
		return ret;
	if (work->temporary && work->base_fd >= 0 && was_written(work))
		return delta_fail(delta, EBUSY,
				  "it was written to meanwhile; these writes would be lost");
	if (work->temporary) {
		ret = dress(work);
		if (ret)
			return delta_fail(delta, -ret, "giving it its owner and attributes: %s",
					  strerror(-ret));
	}
	ret = finish_contents(work, header, &marked);
	if (ret)
		return delta_fail(delta, -ret, "writing it: %s", strerror(-ret));
	/* Not needed if the timestamp is in the future: a write changes it. */
	delta_settle(work->fd, &st);
	if (work->temporary) {
		ret = put_in_place(work);
		if (ret)
			return delta_fail(delta, -ret, "replacing it: %s",
					  strerror(-ret));
		free(work->temporary);
		work->temporary = NULL;
	}
	if (fsync(work->dir_fd) < 0)
		return delta_fail(delta, errno, "writing its directory: %s",
				  strerror(errno));
	if (marked)
		delta_fail(delta, -marked,
			   "it could not be marked (%s); the next delta has to be made with whole hashes",
			   strerror(-marked));
	return 0;
}

void delta_work_close(struct delta_work *work, bool discard)
{
	if (work->temporary && work->fd >= 0 && discard &&
	    is_named(work, work->temporary, work->fd))
		unlinkat(work->dir_fd, work->temporary, 0);
	if (work->fd >= 0)
		close(work->fd);
	if (work->base_fd >= 0)
		close(work->base_fd);
	if (work->dir_fd >= 0)
		close(work->dir_fd);
	free(work->temporary);
	free(work->path);
}
