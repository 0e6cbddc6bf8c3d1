// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether what is to be allocated fits into the filesystems.
 *
 * Of blocks that several of these files share, one of the files can keep the
 * old ones if nobody else shares them, which cannot be seen. So they count once
 * less than there are references to them: what is refused can never fit.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/escape.h"
#include "steps/space.h"

/* Where a shared extent begins (+1) or ends (-1) on the device. */
struct edge {
	uint64_t at;
	int step;
};

struct filesystem {
	dev_t device;
	const char *path;	/* of the first file that needs space */
	unsigned int nr;	/* of such files */
	uint64_t need;
	uint64_t room;
	struct edge *edges;
	size_t nr_edges;
};

struct file_id {
	dev_t device;
	ino_t inode;
};

struct space {
	struct filesystem *fs;
	size_t nr_fs;
	struct file_id *files;
	size_t nr_files;
};

struct space *space_new(void)
{
	struct space *space = calloc(1, sizeof(*space));

	if (!space)
		complain("memory", "%s", strerror(ENOMEM));
	return space;
}

void space_free(struct space *space)
{
	size_t i;

	if (!space)
		return;
	for (i = 0; i < space->nr_fs; i++)
		free(space->fs[i].edges);
	free(space->fs);
	free(space->files);
	free(space);
}

/* Make room for one more. Return: 0 or -ENOMEM. */
static int grow(void **array, size_t nr, size_t size)
{
	void *larger;

	/* it grows at each power of two */
	if (nr & (nr - 1))
		return 0;
	larger = reallocarray(*array, nr ? 2 * nr : 1, size);
	if (!larger)
		return -ENOMEM;
	*array = larger;
	return 0;
}

/*
 * ext4 keeps some blocks for itself, which statvfs(3) calls free for root. It counts
 * clusters: where these are larger than blocks, less is found than it keeps.
 */
static uint64_t kept_by_ext4(dev_t device)
{
	char link[64], target[256], name[128];
	unsigned long long clusters = 0;
	const char *base;
	ssize_t length;
	FILE *file;

	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(device),
		 minor(device));
	length = readlink(link, target, sizeof(target) - 1);
	if (length < 0)
		return 0;
	target[length] = '\0';
	base = strrchr(target, '/');
	snprintf(name, sizeof(name), "/sys/fs/ext4/%.64s/reserved_clusters",
		 base ? base + 1 : target);
	file = fopen(name, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%llu", &clusters) != 1)
		clusters = 0;
	fclose(file);
	return clusters;
}

static int look_at_room(struct filesystem *fs, int fd)
{
	struct statvfs st;
	uint64_t kept;

	if (fstatvfs(fd, &st) < 0)
		return -errno;
	if (geteuid()) {
		fs->room = (uint64_t)st.f_bavail * st.f_frsize;
		return 0;
	}
	/* root may use what others may not */
	kept = kept_by_ext4(fs->device);
	fs->room = st.f_bfree > kept ?
		   ((uint64_t)st.f_bfree - kept) * st.f_frsize : 0;
	return 0;
}

static bool is_known(const struct space *space, const struct stat *st)
{
	size_t i;

	for (i = 0; i < space->nr_files; i++)
		if (space->files[i].device == st->st_dev &&
		    space->files[i].inode == st->st_ino)
			return true;
	return false;
}

static int get_filesystem(struct space *space, dev_t device, int fd,
			  struct filesystem **fs)
{
	size_t i;
	int ret;

	for (i = 0; i < space->nr_fs; i++) {
		*fs = &space->fs[i];
		if ((*fs)->device == device)
			return 0;
	}
	ret = grow((void **)&space->fs, space->nr_fs, sizeof(*space->fs));
	if (ret)
		return ret;
	*fs = &space->fs[space->nr_fs];
	**fs = (struct filesystem){ .device = device };
	ret = look_at_room(*fs, fd);
	if (!ret)
		space->nr_fs++;
	return ret;
}

static int add_edge(struct filesystem *fs, uint64_t at, int step)
{
	int ret = grow((void **)&fs->edges, fs->nr_edges, sizeof(*fs->edges));

	if (!ret)
		fs->edges[fs->nr_edges++] = (struct edge){ at, step };
	return ret;
}

static int add_shared(struct filesystem *fs, int fd)
{
	struct seal_extent extent;
	struct seal_map *map;
	int ret;

	ret = seal_map_open(fd, &map);
	if (ret)
		return ret;
	while ((ret = seal_map_next(map, &extent)) > 0) {
		if (extent.state != SEAL_RANGE_SHARED)
			continue;
		ret = add_edge(fs, extent.physical, 1);
		if (!ret)
			ret = add_edge(fs, extent.physical + extent.length, -1);
		if (ret)
			break;
	}
	seal_map_close(map);
	return ret;
}

static int add(struct space *space, const char *path, int fd, uint64_t hole,
	       uint64_t shared)
{
	struct filesystem *fs;
	struct stat st;
	int ret;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (is_known(space, &st))
		return 0;
	ret = grow((void **)&space->files, space->nr_files,
		   sizeof(*space->files));
	if (ret)
		return ret;
	space->files[space->nr_files++] = (struct file_id){
		st.st_dev, st.st_ino,
	};
	ret = get_filesystem(space, st.st_dev, fd, &fs);
	if (ret || !(hole + shared))
		return ret;
	if (!fs->nr++)
		fs->path = path;
	/* no sum of needs may wrap around */
	if (__builtin_add_overflow(fs->need, hole + shared, &fs->need))
		fs->need = UINT64_MAX;
	return shared ? add_shared(fs, fd) : 0;
}

int space_add(struct space *space, const char *path, int fd,
	      const struct seal_status *status, unsigned int what)
{
	int ret = add(space, path, fd, what & SPACE_HOLES ? status->hole : 0,
		      what & SPACE_SHARED ? status->shared : 0);

	if (ret)
		complain_range(path, "looking for the space it needs", -ret);
	return ret;
}

/* What ends comes first, so that neighbours do not count as one. */
static int by_place(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->step - y->step;
}

/* The bytes on the device to which several extents refer. */
static uint64_t common_bytes(struct filesystem *fs)
{
	uint64_t bytes = 0;
	int depth = 0;
	size_t i;

	if (!fs->nr_edges)
		return 0;
	qsort(fs->edges, fs->nr_edges, sizeof(*fs->edges), by_place);
	for (i = 0; i < fs->nr_edges; i++) {
		if (depth > 1)
			bytes += fs->edges[i].at - fs->edges[i - 1].at;
		depth += fs->edges[i].step;
	}
	return bytes;
}

static void explain(FILE *out, const struct filesystem *fs, uint64_t need)
{
	char want[24], have[24];

	format_size(need, want, sizeof(want));
	format_size(fs->room, have, sizeof(have));
	if (fs->nr == 1)
		fprintf(out,
			"%s: needs %s for its holes and shared blocks, and its filesystem has %s free; make room first",
			shown(fs->path), want, have);
	else
		fprintf(out,
			"%s and %u other%s on its filesystem: together they need %s for holes and shared blocks, and it has %s free; make room first, or take fewer files",
			shown(fs->path), fs->nr - 1, fs->nr == 2 ? "" : "s",
			want, have);
}

/* @out: NULL to print nothing; @suffix: of each line */
static bool suffices(struct space *space, FILE *out, const char *prefix,
		     const char *suffix)
{
	bool enough = true;
	uint64_t need;
	size_t i;

	for (i = 0; i < space->nr_fs; i++) {
		struct filesystem *fs = &space->fs[i];

		need = fs->need - common_bytes(fs);
		if (need <= fs->room)
			continue;
		enough = false;
		if (!out)
			continue;
		fputs(prefix, out);
		explain(out, fs, need);
		fprintf(out, "%s\n", suffix);
	}
	return enough;
}

bool space_suffices(struct space *space, FILE *out, const char *prefix)
{
	return suffices(space, out, prefix, "");
}

int space_check(struct space *space)
{
	fflush(stdout);
	return suffices(space, stderr, "sealctl: ",
			"; nothing was done to any file") ? 0 : -ENOSPC;
}

static int add_path(struct space *space, struct seal_session *session,
		    const char *path, unsigned int what)
{
	int fd = open_file(path, O_RDONLY);
	struct seal_status status;
	int ret = 0;

	if (fd < 0)
		return -EBADF;
	/* A file that is sealed will be refused, whatever it needs. */
	if (!seal_status(session, fd, &status) &&
	    !(status.flags & SEAL_STATUS_SEALED))
		ret = space_add(space, path, fd, &status, what);
	close(fd);
	return ret;
}

int space_check_paths(struct seal_session *session, char **paths,
		      unsigned int what)
{
	struct space *space = space_new();
	int ret = 0;

	if (!space)
		return -ENOMEM;
	for (; *paths && !ret; paths++)
		ret = add_path(space, session, *paths, what);
	if (!ret)
		ret = space_check(space);
	space_free(space);
	return ret;
}
