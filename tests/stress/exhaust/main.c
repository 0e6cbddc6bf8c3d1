// SPDX-License-Identifier: GPL-2.0-only
/*
 * Go through the sequences. One process does it and another one watches it: a
 * sequence that hangs or dies is a failure like any other, and the rest goes on.
 *
 * SEAL takes longer than all else and takes many files at once, so sequences
 * are run many at a time. What fails so is run again alone.
 */
#include "exhaust.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Files that are sealed by one call. */
#define TOGETHER	32
/* A step of it: coprime to their number, so that a part is of all kinds. */
#define STRIDE		104729ULL
#define MAX_OPS		64
#define MAX_KINDS	64
#define MAX_REFUSALS	64
#define PRINTED		25	/* of a kind */
#define HANGS		60	/* seconds */

struct counts {
	uint64_t	tried;
	uint64_t	done;
};

struct kind {
	char		name[160];
	uint64_t	nr;
	uint64_t	with_prepare[MAX_OPS];
	uint64_t	with_act[MAX_OPS];
};

struct refusal {
	char		why[SEAL_REASON_LEN + 32];
	uint64_t	nr;
};

/* What the watcher knows of the process that works. */
struct shared {
	uint64_t		beats;
	const char		*step;		/* a constant */
	struct sequence		sequence;	/* the one under way */
	bool			together;	/* and others with it */
	uint64_t		position;	/* all before are done */
	uint64_t		run, sealed, refused, failed, changed;
	struct counts		prepares[MAX_OPS], acts[MAX_OPS];
	unsigned int		nr_kinds;
	struct kind		kinds[MAX_KINDS];
	unsigned int		nr_refusals;
	struct refusal		refusals[MAX_REFUSALS];
};

static struct shared *shared;
static struct run runs[TOGETHER];
static const char *target = "";
static bool seal = true, verbose;
static unsigned int hangs = HANGS;

void die(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("exhaust: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

void fail(struct run *run, const char *kind, const char *fmt, ...)
{
	va_list ap;

	/* the first thing wrong is told */
	if (run->failed)
		return;
	run->failed = true;
	snprintf(run->kind, sizeof(run->kind), "%s", kind);
	va_start(ap, fmt);
	vsnprintf(run->detail, sizeof(run->detail), fmt, ap);
	va_end(ap);
}

static uint64_t total(void)
{
	uint64_t n = 1;
	unsigned int i;

	for (i = 0; i < PREPARES; i++)
		n *= nr_prepares;
	for (i = 0; i < ACTS; i++)
		n *= nr_acts;
	return n;
}

static struct sequence sequence_at(uint64_t position)
{
	uint64_t n = position * STRIDE % total();
	struct sequence s;
	unsigned int i;

	for (i = 0; i < ACTS; i++, n /= nr_acts)
		s.act[i] = n % nr_acts;
	for (i = 0; i < PREPARES; i++, n /= nr_prepares)
		s.prepare[i] = n % nr_prepares;
	return s;
}

static const char *sequence_text(const struct sequence *s)
{
	static char text[160];

	snprintf(text, sizeof(text), "%s %s | %s %s",
		 prepares[s->prepare[0]].name, prepares[s->prepare[1]].name,
		 acts[s->act[0]].name, acts[s->act[1]].name);
	return text;
}

static unsigned int op_find(const struct op *ops, unsigned int nr,
			    const char *name)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (name && !strcmp(ops[i].name, name))
			return i;
	die("there is no '%s', see --list", name ? name : "");
}

static struct sequence sequence_parse(const char *text)
{
	char *copy = strdup(text), *acting = copy ? strchr(copy, '|') : NULL;
	struct sequence s;
	char *rest = NULL;
	unsigned int i;

	if (!acting)
		die("a sequence is \"prepare prepare | act act\"");
	*acting++ = '\0';
	for (i = 0; i < PREPARES; i++)
		s.prepare[i] = op_find(prepares, nr_prepares,
				       strtok_r(i ? NULL : copy, " ", &rest));
	for (i = 0; i < ACTS; i++)
		s.act[i] = op_find(acts, nr_acts,
				   strtok_r(i ? NULL : acting, " ", &rest));
	free(copy);
	return s;
}

static void kind_count(const char *name, const struct sequence *s,
		       const char *detail)
{
	struct kind *kind = shared->kinds;
	unsigned int i;

	for (i = 0; i < shared->nr_kinds; i++, kind++)
		if (!strcmp(kind->name, name))
			break;
	if (i == shared->nr_kinds) {
		if (i == MAX_KINDS)
			die("too many kinds of failures");
		shared->nr_kinds++;
		snprintf(kind->name, sizeof(kind->name), "%s", name);
	}
	shared->failed++;
	for (i = 0; i < PREPARES; i++)
		if (!i || s->prepare[i] != s->prepare[0])
			kind->with_prepare[s->prepare[i]]++;
	for (i = 0; i < ACTS; i++)
		if (!i || s->act[i] != s->act[0])
			kind->with_act[s->act[i]]++;
	if (++kind->nr <= PRINTED)
		printf("FAILED: %s: --sequence \"%s\": %s: %s\n", target,
		       sequence_text(s), name, detail);
	fflush(stdout);
}

static void refusal_count(int error, const char *reason)
{
	struct refusal *refusal = shared->refusals;
	char why[sizeof(refusal->why)];
	unsigned int i;

	snprintf(why, sizeof(why), "%s: %s", strerrorname_np(error), reason);
	for (i = 0; i < shared->nr_refusals; i++, refusal++)
		if (!strcmp(refusal->why, why))
			break;
	if (i == MAX_REFUSALS)
		die("too many reasons of refusals");
	if (i == shared->nr_refusals) {
		shared->nr_refusals++;
		strcpy(refusal->why, why);
	}
	refusal->nr++;
}

/* Tell the watcher. */
static void step(const struct run *run, const char *what)
{
	if (run)
		shared->sequence = run->sequence;
	shared->step = what;
	__atomic_add_fetch(&shared->beats, 1, __ATOMIC_RELEASE);
}

static void map_print(const struct snap *snap, const char *when)
{
	unsigned int i;

	printf("  %s: %llu bytes:", when, (unsigned long long)snap->size);
	for (i = 0; i < snap->nr; i++)
		printf(" [%llu+%llu @%llu f%x]",
		       (unsigned long long)snap->extents[i].logical,
		       (unsigned long long)snap->extents[i].length,
		       (unsigned long long)snap->extents[i].physical,
		       snap->extents[i].flags);
	putchar('\n');
}

static void op_do(struct run *run, const struct op *op, struct counts *counts)
{
	bool done;

	step(run, op->name);
	done = op->act(run);
	counts->tried++;
	counts->done += done;
	if (verbose)
		printf("  %s: %s\n", op->name, done ? "done" : "no");
}

static bool has_prepare(const struct run *run, const char *name)
{
	unsigned int i;

	for (i = 0; i < PREPARES; i++)
		if (!strcmp(prepares[run->sequence.prepare[i]].name, name))
			return true;
	return false;
}

/* SEAL fails: may it? Not but for what cannot be closed. */
static void refused(struct run *run, int error, const char *reason)
{
	char kind[96];

	shared->refused++;
	refusal_count(error, reason);
	if (verbose)
		printf("  SEAL: %s: %s\n", strerror(error), reason);
	/* somebody has pages of it */
	if (error == EBUSY &&
	    (has_prepare(run, "pin") || has_prepare(run, "pipe")))
		return;
	if (error == EOPNOTSUPP && run->no_seal)
		return;
	/* ext4 keeps what it reserved for data that did not come */
	if (error == EBUSY && run->left && strstr(reason, "delayed block"))
		return;
	snprintf(kind, sizeof(kind), "SEAL is refused: %s",
		 strerrorname_np(error));
	fail(run, kind, "%s", reason);
}

/* Seal all; those that cannot be are left out. */
static void seal_all(unsigned int nr)
{
	struct seal_files report;
	struct run *list[TOGETHER];
	int fds[TOGETHER], ret;
	unsigned int i, left = 0;

	for (i = 0; i < nr; i++)
		list[left++] = &runs[i];
	while (left) {
		for (i = 0; i < left; i++)
			fds[i] = list[i]->fd;
		memset(&report, 0, sizeof(report));
		step(list[0], "SEAL");
		ret = seal_files(world.session, fds, left, 0, 0, 0, &report);
		if (!ret)
			break;
		i = report.bad_index;
		if (left == 1)
			i = 0;
		else if (i >= left)
			die("SEAL of %u files: %s: %s", left, strerror(-ret),
			    (char *)report.reason);
		refused(list[i], -ret, (char *)report.reason);
		list[i] = list[--left];
	}
	for (i = 0; i < left; i++)
		list[i]->sealed = true;
	shared->sealed += left;
}

static void run_begin(struct run *run, const struct sequence *s)
{
	char *address = run->address;
	uint8_t *model = run->model;

	memset(run, 0, sizeof(*run));
	run->sequence = *s;
	run->address = address;
	run->model = model ?: malloc(MAX_SIZE);
	if (!run->model)
		die("no memory");
	step(run, "the file");
	base_make(run);
}

static void sync_all(const char *what)
{
	step(NULL, what);
	if (syncfs(world.dir_fd))
		die("syncfs: %s", strerror(errno));
}

static void run_acts(struct run *run)
{
	unsigned int i, op;

	if (seal && !run->sealed)
		return;
	step(run, "FIEMAP after SEAL");
	check_before(run);
	if (verbose)
		map_print(&run->before, "before");
	for (i = 0; i < ACTS; i++) {
		op = run->sequence.act[i];
		op_do(run, &acts[op], &shared->acts[op]);
	}
	step(run, "the end of direct reads");
	pin_end(run);
}

static void run_end(struct run *run)
{
	int ret;

	step(run, "the last look");
	if (!seal && map_changed(run))
		shared->changed++;
	check_after(run);
	if (verbose) {
		static struct snap now;

		snap_take(run, &now);
		map_print(&now, "after");
	}
	if (run->sealed) {
		step(run, "UNSEAL");
		ret = seal_unseal(world.session, run->fd, 0);
		if (ret)
			fail(run, "UNSEAL fails", "%s", strerror(-ret));
	}
	step(run, "close");
	run_close(run);
}

/* Run @nr sequences beside each other. */
static void run_together(const struct sequence *list, unsigned int nr)
{
	unsigned int i, k, op;

	shared->together = nr > 1;
	for (i = 0; i < nr; i++)
		run_begin(&runs[i], &list[i]);
	sync_all("sync of the new files");
	for (i = 0; i < nr; i++) {
		for (k = 0; k < PREPARES; k++) {
			op = list[i].prepare[k];
			op_do(&runs[i], &prepares[op], &shared->prepares[op]);
		}
	}
	if (seal)
		seal_all(nr);
	else
		sync_all("sync before the acts");
	for (i = 0; i < nr; i++)
		run_acts(&runs[i]);
	sync_all("sync after the acts");
	for (i = 0; i < nr; i++)
		run_end(&runs[i]);
}

static void run_alone(const struct sequence *s)
{
	run_together(s, 1);
	shared->run++;
	if (runs[0].failed)
		kind_count(runs[0].kind, s, runs[0].detail);
}

/* And again alone what fails so. */
static void run_batch(const struct sequence *list, unsigned int nr)
{
	struct {
		struct sequence	sequence;
		char		kind[160];
		char		detail[160];
	} again[TOGETHER];
	unsigned int i, failed = 0;

	if (!nr)
		return;
	run_together(list, nr);
	shared->run += nr;
	for (i = 0; i < nr; i++) {
		if (!runs[i].failed)
			continue;
		again[failed].sequence = list[i];
		snprintf(again[failed].kind, sizeof(again->kind),
			 "%s (beside others, and not alone)", runs[i].kind);
		strcpy(again[failed++].detail, runs[i].detail);
	}
	for (i = 0; i < failed; i++) {
		run_together(&again[i].sequence, 1);
		if (runs[0].failed)
			kind_count(runs[0].kind, &again[i].sequence,
				   runs[0].detail);
		else
			kind_count(again[i].kind, &again[i].sequence,
				   again[i].detail);
	}
}

static bool alone(const struct sequence *s)
{
	struct run run = { .sequence = *s };

	return has_prepare(&run, "pin");
}

/* All up to @end; up to @slowly one by one. */
static void work(uint64_t end, uint64_t slowly)
{
	struct sequence list[TOGETHER], single[TOGETHER];
	unsigned int i, nr, nr_single, count;

	while (shared->position < end) {
		if (shared->position < slowly) {
			list[0] = sequence_at(shared->position);
			run_alone(&list[0]);
			shared->position++;
			continue;
		}
		count = end - shared->position < TOGETHER ?
			end - shared->position : TOGETHER;
		for (i = 0, nr = 0, nr_single = 0; i < count; i++) {
			struct sequence s = sequence_at(shared->position + i);

			if (alone(&s))
				single[nr_single++] = s;
			else
				list[nr++] = s;
		}
		run_batch(list, nr);
		for (i = 0; i < nr_single; i++)
			run_alone(&single[i]);
		shared->position += count;
	}
}

/* What a process that was killed has left. */
static void clean(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	if (!d)
		die("%s: %s", dir, strerror(errno));
	while ((entry = readdir(d)))
		if (!strncmp(entry->d_name, "file.", 5))
			unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
}

/* Where in the kernel is it? */
static void stack_print(pid_t pid)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		printf("    %s", line);
	if (file)
		fclose(file);
}

/* Wait for @pid; false if it stood still and cannot be ended. */
static bool watch(pid_t pid, int *status, bool *hung)
{
	uint64_t beats = 0, now;
	unsigned int ticks = 0;

	*hung = false;
	while (!waitpid(pid, status, WNOHANG)) {
		usleep(100000);
		now = __atomic_load_n(&shared->beats, __ATOMIC_ACQUIRE);
		if (now != beats) {
			beats = now;
			ticks = 0;
			continue;
		}
		if (++ticks == hangs * 10) {
			*hung = true;
			printf("no progress for %u s in %s of \"%s\"%s\n", hangs,
			       shared->step, sequence_text(&shared->sequence),
			       shared->together ? " and others" : "");
			stack_print(pid);
			fflush(stdout);
			kill(pid, SIGKILL);
			pin_abandon();
		}
		if (ticks > (hangs + 10) * 10)
			return false;
	}
	return true;
}

/* Run positions from shared->position to @end whatever happens. */
static void supervise(const char *dir, uint64_t end)
{
	uint64_t slowly = 0;
	bool hung, ended;
	char detail[128];
	int status;
	pid_t pid;

	for (;;) {
		fflush(stdout);
		pid = fork();
		if (pid < 0)
			die("fork: %s", strerror(errno));
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			clean(dir);
			world_open(dir, seal);
			work(end, slowly);
			fflush(stdout);
			_exit(0);
		}
		ended = watch(pid, &status, &hung);
		if (ended && WIFEXITED(status) && !WEXITSTATUS(status))
			return;
		/* what is wrong with the test itself, or its surroundings */
		if (ended && WIFEXITED(status) && WEXITSTATUS(status) == 2)
			exit(2);
		snprintf(detail, sizeof(detail), "in %s%s", shared->step,
			 ended ? "" : ", and cannot be killed");
		if (!shared->together || !ended) {
			kind_count(hung ? "hangs" : "the process died",
				   &shared->sequence, detail);
			shared->run++;
			shared->position++;
		} else {
			slowly = shared->position + TOGETHER;
		}
		if (!ended)
			return;
	}
}

static void print_with(const struct op *ops, unsigned int nr_ops,
		       const uint64_t *with, uint64_t nr)
{
	unsigned int i;

	/* those that many of the failures have in common */
	for (i = 0; i < nr_ops; i++)
		if (with[i] * 10 >= nr)
			printf(" %s %llu", ops[i].name,
			       (unsigned long long)with[i]);
}

static void print_idle(const char *what, const struct op *ops, unsigned int nr,
		       const struct counts *counts)
{
	unsigned int i, idle = 0;

	for (i = 0; i < nr; i++) {
		if (!counts[i].tried || counts[i].done)
			continue;
		printf("%s%s", idle++ ? ", " : what, ops[i].name);
	}
	if (idle)
		putchar('\n');
}

static void summary(uint64_t start, uint64_t end, double seconds)
{
	unsigned int i;

	for (i = 0; i < shared->nr_kinds; i++) {
		const struct kind *kind = &shared->kinds[i];

		printf("group: %llu: %s; with", (unsigned long long)kind->nr,
		       kind->name);
		print_with(prepares, nr_prepares, kind->with_prepare, kind->nr);
		printf(" |");
		print_with(acts, nr_acts, kind->with_act, kind->nr);
		putchar('\n');
	}
	for (i = 0; i < shared->nr_refusals; i++)
		printf("SEAL refused %llu times: %s\n",
		       (unsigned long long)shared->refusals[i].nr,
		       shared->refusals[i].why);
	print_idle("prepared nothing here: ", prepares, nr_prepares,
		   shared->prepares);
	print_idle(seal ? "never succeeded under a seal: " :
			  "never succeeded: ", acts, nr_acts, shared->acts);
	printf("exhaust %s: positions %llu to %llu of %llu: %llu sequences, ",
	       target, (unsigned long long)start, (unsigned long long)end,
	       (unsigned long long)total(), (unsigned long long)shared->run);
	if (seal)
		printf("%llu sealed, %llu refused", (unsigned long long)
		       shared->sealed, (unsigned long long)shared->refused);
	else
		printf("%llu changed the map", (unsigned long long)
		       shared->changed);
	printf(", %llu failed, %.0f s\n", (unsigned long long)shared->failed,
	       seconds);
}

static void list_print(void)
{
	unsigned int i;

	for (i = 0; i < nr_prepares; i++)
		printf("prepare %s\n", prepares[i].name);
	for (i = 0; i < nr_acts; i++)
		printf("act %s\n", acts[i].name);
	printf("%llu sequences\n", (unsigned long long)total());
}

static const char usage[] =
	"usage: exhaust --dir DIR [OPTION...]\n"
	"  --sequence \"P P | A A\"  this one, and say what happens\n"
	"  --part K/N            the K-th of N parts of all sequences\n"
	"  --no-seal             without the module: only the bytes are checked\n"
	"  --target NAME         how to call it\n"
	"  --hangs SECONDS       without progress: it hangs\n"
	"  --list                print the operations\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "sequence", required_argument, NULL, 's' },
		{ "part", required_argument, NULL, 'p' },
		{ "no-seal", no_argument, NULL, 'n' },
		{ "target", required_argument, NULL, 't' },
		{ "hangs", required_argument, NULL, 'h' },
		{ "list", no_argument, NULL, 'l' },
		{ 0 },
	};
	const char *dir = NULL, *sequence = NULL;
	unsigned long long part = 1, parts = 1;
	uint64_t start, end, passed;
	struct timespec t0, t1;
	struct sequence s;
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 'd':
			dir = optarg;
			break;
		case 's':
			sequence = optarg;
			break;
		case 'p':
			if (sscanf(optarg, "%llu/%llu", &part, &parts) != 2 ||
			    part < 1 || part > parts)
				die("a part is K/N");
			break;
		case 'n':
			seal = false;
			break;
		case 't':
			target = optarg;
			break;
		case 'h':
			hangs = atoi(optarg);
			break;
		case 'l':
			list_print();
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (!dir || optind != argc || !hangs || nr_prepares > MAX_OPS ||
	    nr_acts > MAX_OPS) {
		fputs(usage, stderr);
		return 2;
	}
	if (!(total() % STRIDE))
		die("another stride is needed");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	shared->step = "the setup";
	if (sequence) {
		s = sequence_parse(sequence);
		for (start = 0; start < total(); start++) {
			struct sequence at = sequence_at(start);

			if (!memcmp(&at, &s, sizeof(s)))
				break;
		}
		end = start + 1;
		verbose = true;
	} else {
		start = total() * (part - 1) / parts;
		end = total() * part / parts;
	}
	clock_gettime(CLOCK_MONOTONIC, &t0);
	shared->position = start;
	supervise(dir, end);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	summary(start, end, t1.tv_sec - t0.tv_sec +
			    (t1.tv_nsec - t0.tv_nsec) / 1e9);
	passed = shared->run > shared->failed ? shared->run - shared->failed : 0;
	printf("%llu passed, %llu failed, 0 skipped\n",
	       (unsigned long long)passed, (unsigned long long)shared->failed);
	return shared->failed ? 1 : 0;
}
