// SPDX-License-Identifier: GPL-2.0-only
/* What goes on around the files: memory, write-back, freezing, defragmenters. */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void pause_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

static long put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	long ret = -ENOENT;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	else
		ret = 0;
	close(fd);
	return ret;
}

static void drop_caches(struct worker *w)
{
	static const char *const what[] = { "1", "2", "3" };

	put("/proc/sys/vm/drop_caches", what[rng_below(&w->rng, 3)]);
}

static void group(const char *name, const char *text)
{
	char path[256];

	if (!opt.group)
		return;
	snprintf(path, sizeof(path), "%s/%s", opt.group, name);
	put(path, text);
}

/* The files in the cache are a few MiB. */
static void reclaim(struct worker *w)
{
	char text[32];

	snprintf(text, sizeof(text), "%uK", 512 + rng_below(&w->rng, 8192));
	group("memory.reclaim", text);
}

static void squeeze(struct worker *w)
{
	char text[32];

	snprintf(text, sizeof(text), "%uK", 8192 + rng_below(&w->rng, 4096));
	group("memory.high", text);
	pause_ms(100);
	group("memory.high", "max");
}

static void sync_all(struct worker *w)
{
	int fd = open(opt.dir, O_RDONLY | O_CLOEXEC);

	(void)w;
	syncfs(fd);
	close(fd);
}

static void freeze(struct worker *w)
{
	int fd = open(opt.dir, O_RDONLY | O_CLOEXEC);

	if (!ioctl(fd, FIFREEZE, 0)) {
		pause_ms(rng_below(&w->rng, 60));
		if (ioctl(fd, FITHAW, 0))
			violation(w, "thaw: %s", strerror(errno));
	}
	close(fd);
}

/* Dirty pages go out nearly at once, or hardly ever. */
static void write_back(struct worker *w)
{
	bool soon = rng_below(&w->rng, 2);

	put("/proc/sys/vm/dirty_background_bytes", soon ? "65536" : "67108864");
	put("/proc/sys/vm/dirty_bytes", soon ? "1048576" : "268435456");
	put("/proc/sys/vm/dirty_expire_centisecs", soon ? "1" : "3000");
	put("/proc/sys/vm/dirty_writeback_centisecs", soon ? "1" : "500");
}

/* The real ones; on files without a model, as writers race with them. */
static void defragment(struct worker *w)
{
	const struct file *f = pick_file(w, false);
	char path[512], *xfs[] = { "xfs_fsr", path, NULL };
	char *ext4[] = { "e4defrag", path, NULL };
	char **argv = opt.fs == ON_XFS ? xfs : ext4;
	posix_spawn_file_actions_t quiet;
	pid_t pid;
	int ret;

	snprintf(path, sizeof(path), "%s/%s", opt.dir, f->name);
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
	pthread_mutex_lock(&spawning);
	ret = posix_spawnp(&pid, argv[0], &quiet, NULL, argv, environ);
	pthread_mutex_unlock(&spawning);
	if (!ret)
		waitpid(pid, NULL, 0);
	posix_spawn_file_actions_destroy(&quiet);
}

static const struct {
	void (*fn)(struct worker *w);
	unsigned int weight;
	const char *name;
} acts[] = {
	{ drop_caches, 8, "drop caches" },
	{ reclaim, 6, "reclaim memory" },
	{ squeeze, 2, "limit memory" },
	{ sync_all, 4, "sync" },
	{ freeze, 3, "freeze" },
	{ write_back, 4, "write-back limits" },
	{ defragment, 2, "defragment" },
};

void *pressure_main(void *arg)
{
	struct worker *w = arg;
	unsigned int all = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(acts); i++)
		all += acts[i].weight;
	while (!stopping) {
		unsigned int n, i = 0;

		rng_start(&w->rng, opt.seed, w->number, w->op);
		n = rng_below(&w->rng, all);
		while (n >= acts[i].weight)
			n -= acts[i++].weight;
		note(w, "%s", acts[i].name);
		acts[i].fn(w);
		pause_ms(rng_below(&w->rng, 300));
		w->op++;
		w->beats++;
	}
	return NULL;
}
