// SPDX-License-Identifier: GPL-2.0-only
/* A worker: draws an operation, does it, counts it. */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_OPS 96

static struct op ops[MAX_OPS];
static struct op_stats stats[MAX_OPS];
static unsigned int nr_ops, weights;

static void add(const struct op *op, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (!(op[i].fs & opt.fs))
			continue;
		if (nr_ops == MAX_OPS)
			die("too many operations");
		ops[nr_ops++] = op[i];
		weights += op[i].weight;
	}
}

void ops_init(void)
{
	add(model_ops, nr_model_ops);
	add(race_ops, nr_race_ops);
	add(xfs_ops, nr_xfs_ops);
	add(ext4_ops, nr_ext4_ops);
}

static unsigned int op_draw(struct rng *rng)
{
	unsigned int n = rng_below(rng, weights), i = 0;

	while (n >= ops[i].weight)
		n -= ops[i++].weight;
	return i;
}

void count(struct worker *w, long ret)
{
	struct op_stats *s = &stats[w->current];

	s->tried++;
	if (ret >= 0) {
		s->done++;
	} else if (ret == -ETXTBSY) {
		s->refused++;
	} else {
		s->other++;
		s->last_errno = -ret;
	}
}

void ops_totals(unsigned long *tried, unsigned long *refused)
{
	*tried = 0;
	*refused = 0;
	for (unsigned int i = 0; i < nr_ops; i++) {
		*tried += stats[i].tried;
		*refused += stats[i].refused;
	}
}

void ops_report(void)
{
	printf("  %-22s %8s %8s %8s %8s\n", "operation", "tried", "done",
	       "refused", "other");
	for (unsigned int i = 0; i < nr_ops; i++)
		printf("  %-22s %8lu %8lu %8lu %8lu %s\n", ops[i].name,
		       stats[i].tried, stats[i].done, stats[i].refused,
		       stats[i].other, stats[i].last_errno ?
		       strerrorname_np(stats[i].last_errno) : "");
}

void note(struct worker *w, const char *fmt, ...)
{
	char *text = w->history[w->op % HISTORY];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(w->history[0]), fmt, ap);
	va_end(ap);
}

void worker_open(struct worker *w)
{
	for (unsigned int i = 0; i < nr_files; i++) {
		w->fd[i] = file_open(&files[i], O_RDWR);
		w->direct[i] = file_open(&files[i], O_RDWR | O_DIRECT);
		w->mapped[i] = mmap(NULL, files[i].max, PROT_READ | PROT_WRITE,
				    MAP_SHARED, w->fd[i], 0);
		if (w->mapped[i] == MAP_FAILED)
			die("mmap: %s", strerror(errno));
	}
}

void worker_close(struct worker *w)
{
	for (unsigned int i = 0; i < nr_files; i++) {
		munmap(w->mapped[i], files[i].max);
		close(w->fd[i]);
		close(w->direct[i]);
	}
}

void *worker_main(void *arg)
{
	struct worker *w = arg;

	ways_open(w);
	while (!stopping) {
		pthread_rwlock_rdlock(&world);
		rng_start(&w->rng, opt.seed, w->number, w->op);
		w->current = op_draw(&w->rng);
		note(w, "%s", ops[w->current].name);
		ops[w->current].fn(w);
		pthread_rwlock_unlock(&world);
		w->op++;
		w->beats++;
	}
	ways_close(w);
	return NULL;
}
