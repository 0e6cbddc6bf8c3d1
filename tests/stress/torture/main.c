// SPDX-License-Identifier: GPL-2.0-only
/*
 * Torture one mounted filesystem for a time. Operation number N of a thread
 * follows from the seed alone, so a run with the same seed does the same; when
 * one thread does what relative to another is up to the kernel.
 */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#define CHECK_EVERY	7	/* seconds */
#define REST_EVERY	12
#define STUCK_AFTER	90
#define MAX_REPORTS	8
#define LONGEST		5	/* times as long as asked for, see least.c */

struct options opt = {
	.seconds = 40, .workers = 4, .sealers = 2, .seed = 1, .guest = "?",
};
atomic_bool stopping;
pthread_rwlock_t world, rest;
pthread_mutex_t spawning = PTHREAD_MUTEX_INITIALIZER;
atomic_ulong nr_seals, nr_seal_failed, nr_maps, nr_sealed_writes;
atomic_ulong nr_violations, nr_contents, nr_seal_calls, seal_us;

static struct worker *all_workers;
static unsigned int nr_all;
static unsigned int checks, rests, remounts;
static pthread_mutex_t report_lock = PTHREAD_MUTEX_INITIALIZER;

static const char usage[] =
	"usage: torture --target NAME --dir DIR [OPTION...]\n"
	"  --seconds N     how long (40)\n"
	"  --least LIST    go on for up to five times as long until as much is done:\n"
	"                  tried=N,refused=N,seals=N,maps=N,inplace=N,commits=N\n"
	"  --seed N        what to do (1)\n"
	"  --workers N     threads that change files (4)\n"
	"  --sealers N     threads that seal them (2)\n"
	"  --device DEV    what is mounted there: blocks are granted too, on XFS\n"
	"  --group DIR     memory cgroup this runs in, for memory pressure\n"
	"  --guest NAME    for the line that repeats a run\n"
	"  --no-seal       without the module: is the model right here?\n"
	"  --lossy         count wrong contents, and go on with them\n"
	"  --no-swapext    extents are swapped where that is refused only\n"
	"  --verbose       what came of each operation\n"
	"status: 0; 1 violations; 2 wrong usage; 3 it could not go on\n";

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("torture: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	fflush(stdout);
	_exit(3);
}

static void print_history(const struct worker *w)
{
	for (unsigned int i = 0; i < HISTORY; i++) {
		uint64_t op = w->op - (HISTORY - 1 - i);

		if (op <= w->op && w->history[op % HISTORY][0])
			printf("    thread %u, operation %llu: %s\n", w->number,
			       (unsigned long long)op, w->history[op % HISTORY]);
	}
}

void violation(struct worker *w, const char *fmt, ...)
{
	va_list ap;

	stopping = true;
	pthread_mutex_lock(&report_lock);
	if (nr_violations++ < MAX_REPORTS) {
		printf("VIOLATION: thread %u, operation %llu: ", w->number,
		       (unsigned long long)w->op);
		va_start(ap, fmt);
		vprintf(fmt, ap);
		va_end(ap);
		printf("\n");
		print_history(w);
	}
	if (nr_violations == 1) {
		printf("  the others at that time:\n");
		for (unsigned int i = 0; i < nr_all; i++)
			if (&all_workers[i] != w)
				print_history(&all_workers[i]);
		printf("  again: make torture SEED=%llu GUEST=%s FS=%s SECONDS=%u\n",
		       (unsigned long long)opt.seed, opt.guest, opt.target,
		       opt.seconds);
	}
	fflush(stdout);
	pthread_mutex_unlock(&report_lock);
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "target", required_argument, NULL, 't' },
		{ "dir", required_argument, NULL, 'd' },
		{ "seconds", required_argument, NULL, 's' },
		{ "least", required_argument, NULL, 'L' },
		{ "seed", required_argument, NULL, 'r' },
		{ "workers", required_argument, NULL, 'w' },
		{ "sealers", required_argument, NULL, 'l' },
		{ "group", required_argument, NULL, 'g' },
		{ "device", required_argument, NULL, 'D' },
		{ "guest", required_argument, NULL, 'u' },
		{ "no-seal", no_argument, NULL, 'n' },
		{ "lossy", no_argument, NULL, 'y' },
		{ "no-swapext", no_argument, NULL, 'x' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 't':
			opt.target = optarg;
			break;
		case 'd':
			opt.dir = optarg;
			break;
		case 's':
			opt.seconds = atoi(optarg);
			break;
		case 'L':
			if (least_parse(optarg))
				break;
			fputs(usage, stderr);
			exit(2);
		case 'r':
			opt.seed = strtoull(optarg, NULL, 0);
			break;
		case 'w':
			opt.workers = atoi(optarg);
			break;
		case 'l':
			opt.sealers = atoi(optarg);
			break;
		case 'D':
			opt.device = optarg;
			break;
		case 'g':
			opt.group = optarg;
			break;
		case 'u':
			opt.guest = optarg;
			break;
		case 'n':
			opt.no_seal = true;
			break;
		case 'x':
			opt.no_swapext = true;
			break;
		case 'y':
			opt.lossy = true;
			break;
		case 'v':
			opt.verbose = true;
			break;
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (!opt.target || !opt.dir || optind != argc || !opt.workers ||
	    opt.workers > MAX_WORKERS || opt.sealers > MAX_SEALERS) {
		fputs(usage, stderr);
		exit(2);
	}
	opt.fs = strncmp(opt.target, "xfs", 3) ? ON_EXT4 : ON_XFS;
}

static void make_lock(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr,
				      PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(lock, &attr);
	pthread_rwlockattr_destroy(&attr);
}

static void make_worker(struct worker *w, unsigned int number)
{
	int ret;

	w->number = number;
	w->fd = calloc(nr_files, sizeof(int));
	w->direct = calloc(nr_files, sizeof(int));
	w->mapped = calloc(nr_files, sizeof(char *));
	if (!w->fd || !w->direct || !w->mapped ||
	    posix_memalign((void **)&w->buf, BLOCK, FILE_SIZE) ||
	    posix_memalign((void **)&w->check, BLOCK, FILE_SIZE))
		die("no memory");
	memset(w->buf, 0, FILE_SIZE);
	if (opt.no_seal)
		return;
	ret = seal_open(&w->session);
	if (ret)
		die("/dev/seal: %s", strerror(-ret));
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void remount(unsigned long flags, const char *how)
{
	int tries = 0;

	/* one that is frozen just now is busy */
	while (mount(NULL, opt.dir, NULL, MS_REMOUNT | flags, NULL)) {
		if (errno != EBUSY || ++tries == 600)
			die("remount %s: %s", how, strerror(errno));
		usleep(50000);
	}
}

/* With all workers at rest and their descriptors closed, files stay sealed. */
static void read_only(void)
{
	for (unsigned int i = 0; i < opt.workers; i++)
		worker_close(&all_workers[i]);
	/* a sealer may be preparing a file: then not this time */
	if (!mount(NULL, opt.dir, NULL, MS_REMOUNT | MS_RDONLY, NULL)) {
		usleep(100000);
		remount(0, "rw");
		remounts++;
	}
	for (unsigned int i = 0; i < opt.workers; i++)
		worker_open(&all_workers[i]);
}

static void check_all(struct worker *w)
{
	pthread_rwlock_wrlock(&world);
	note(w, "check all files");
	worker_open(w);
	for (unsigned int i = 0; i < nr_files && !stopping; i++)
		if (modelled(&files[i]))
			model_check_file(w, &files[i]);
	worker_close(w);
	if (checks++ % 2)
		read_only();
	pthread_rwlock_unlock(&world);
}

/* Is a function of the module called by ftrace? */
static bool gates_left(void)
{
	FILE *f = fopen("/sys/kernel/tracing/enabled_functions", "re");
	char line[512];
	bool left = false;

	if (!f)
		die("enabled_functions: %s", strerror(errno));
	while (!left && fgets(line, sizeof(line), f))
		left = strstr(line, "[seal]");
	fclose(f);
	return left;
}

/* Let all seals go: the gates must go with them, and operations go on. */
static void take_rest(struct worker *w)
{
	pthread_rwlock_wrlock(&rest);
	note(w, "let all seals go");
	pin_release(w);
	/* they stay for a moment (linger_ms), and going takes time */
	for (int i = 0; i < 200 && gates_left(); i++)
		usleep(100000);
	if (gates_left())
		violation(w, "nothing is sealed, and gates are left");
	usleep(200000);
	pin_seal(w);
	rests++;
	pthread_rwlock_unlock(&rest);
}

/* Refusals per gate for the caller's table. */
static void report_gates(void)
{
	FILE *f = fopen("/sys/kernel/debug/seal/gates", "re");
	unsigned long refused;
	char set[32], symbol[64];

	if (!f)
		die("debugfs: %s", strerror(errno));
	while (fscanf(f, "%31s %63s %lu %*s", set, symbol, &refused) == 3)
		printf("gate %s %s %lu\n", set, symbol, refused);
	fclose(f);
}

static void stuck(unsigned int i)
{
	struct worker *w = &all_workers[i];

	violation(w, "nothing done for %u s", STUCK_AFTER);
	_exit(1);
}

static void supervise(struct worker *w)
{
	double begin = now(), check = begin + CHECK_EVERY;
	double end = begin + opt.seconds, last = begin + LONGEST * opt.seconds;
	double unseal = now() + REST_EVERY, moved[MAX_WORKERS + MAX_SEALERS + 3];
	unsigned long beats[ARRAY_SIZE(moved)] = { 0 };

	for (unsigned int i = 0; i < ARRAY_SIZE(moved); i++)
		moved[i] = now();
	while (!stopping && (now() < end || (now() < last && !least_done()))) {
		usleep(50000);
		w->op++;
		if (now() > check) {
			check_all(w);
			check = now() + CHECK_EVERY;
		}
		if (!opt.no_seal && now() > unseal) {
			take_rest(w);
			unseal = now() + REST_EVERY;
		}
		for (unsigned int i = 0; i < nr_all - 1; i++) {
			if (beats[i] != all_workers[i].beats)
				moved[i] = now();
			beats[i] = all_workers[i].beats;
			if (now() - moved[i] > STUCK_AFTER)
				stuck(i);
		}
	}
	stopping = true;
}

static void start(struct worker *w, void *(*fn)(void *arg))
{
	int ret = pthread_create(&w->thread, NULL, fn, w);

	if (ret)
		die("thread: %s", strerror(ret));
}

/* Only XFS converts blocks that it did not write. */
static bool granting(void)
{
	return !opt.no_seal && opt.device && opt.fs == ON_XFS;
}

static void run(struct worker *me)
{
	unsigned int i = 0;

	for (; i < opt.workers; i++) {
		worker_open(&all_workers[i]);
		start(&all_workers[i], worker_main);
	}
	for (; i < opt.workers + opt.sealers; i++)
		start(&all_workers[i], sealer_main);
	if (granting()) {
		start(&all_workers[i++], granter_main);
		start(&all_workers[i++], taker_main);
	}
	start(&all_workers[i], pressure_main);
	supervise(me);
	for (i = 0; i < nr_all - 1; i++)
		pthread_join(all_workers[i].thread, NULL);
	for (i = 0; i < opt.workers; i++)
		worker_close(&all_workers[i]);
}

int main(int argc, char **argv)
{
	unsigned long tried, refused;
	struct worker *me;
	double start_time;

	parse(argc, argv);
	if (opt.no_seal)
		opt.sealers = 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	catch_sigbus();
	make_lock(&world);
	make_lock(&rest);
	ops_init();
	files_make();
	if (granting())
		granter_init();
	/* workers, sealers, granter and taker, pressure, and this thread */
	nr_all = opt.workers + opt.sealers + 2 * granting() + 2;
	all_workers = calloc(nr_all, sizeof(*all_workers));
	if (!all_workers)
		die("no memory");
	for (unsigned int i = 0; i < nr_all; i++)
		make_worker(&all_workers[i], i);
	me = &all_workers[nr_all - 1];
	if (!opt.no_seal) {
		pin_make(me);
		pin_seal(me);
	}
	start_time = now();
	run(me);
	worker_open(me);
	for (unsigned int i = 0; i < nr_files && !nr_violations; i++)
		if (modelled(&files[i]))
			model_check_file(me, &files[i]);
	worker_close(me);
	if (!opt.no_seal) {
		report_gates();
		pin_release(me);
	}
	if (opt.verbose)
		ops_report();
	ops_totals(&tried, &refused);
	printf("%u checks of all files, %u times read-only, %u times without any seal\n",
	       checks, remounts, rests);
	if (nr_seal_calls)
		printf("%lu calls of SEAL, %lu ms each, %lu files not sealed: map restless, requirement not met, or frozen\n",
		       nr_seal_calls, seal_us / nr_seal_calls / 1000,
		       nr_seal_failed);
	if (granting())
		printf("%lu grants, %lu commits, %lu times somebody tried to change that file\n",
		       nr_grants, nr_commits, nr_taken);
	printf("row target=%s seconds=%.0f tried=%lu refused=%lu seals=%lu maps=%lu inplace=%lu commits=%lu contents=%lu violations=%lu\n",
	       opt.target, now() - start_time, tried, refused, nr_seals,
	       nr_maps, nr_sealed_writes, nr_commits, nr_contents,
	       nr_violations);
	return nr_violations ? 1 : 0;
}
