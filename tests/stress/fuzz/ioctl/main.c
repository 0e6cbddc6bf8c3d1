// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the corpus, then programs made from it and from nothing, until the time
 * is up. With coverage, what reaches a new place joins the corpus.
 *
 * usage: fuzz [--seconds N] [--seed N] [--log FILE] [--new FILE] [CORPUS...]
 *   --log   every program before it is run: the last one is what did it
 *   --new   programs that reached a new place, worth adding to the corpus
 * SEAL_DIR is a directory on the filesystem to work on.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_CORPUS	4096

static struct program corpus[MAX_CORPUS];
static unsigned int nr_corpus;
static FILE *log_file, *new_file;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void corpus_load(const char *path)
{
	FILE *in = fopen(path, "re");
	struct program p;

	if (!in) {
		perror(path);
		exit(2);
	}
	while (nr_corpus < MAX_CORPUS && program_read(in, &p))
		corpus[nr_corpus++] = p;
	if (!feof(in)) {
		fprintf(stderr, "%s: program %u is none\n", path, nr_corpus + 1);
		exit(2);
	}
	fclose(in);
}

/* False, with the program shown, if it broke something. */
static bool run(const struct program *p)
{
	const char *broken;

	if (log_file) {
		program_write(log_file, p);
		fflush(log_file);
	}
	broken = program_run(p);
	if (!broken)
		return true;
	printf("FAILED: %s, by:\n", broken);
	program_write(stdout, p);
	return false;
}

/* Cases of one kind: a corpus that still works, and what comes of it. */
static bool run_corpus(void)
{
	unsigned int bad = 0;

	for (unsigned int i = 0; i < nr_corpus; i++) {
		bad += !run(&corpus[i]);
		kcov_news();
	}
	printf("corpus: %u programs, %u places\n", nr_corpus, kcov_total());
	return !bad;
}

static bool run_random(double seconds)
{
	double end = now() + seconds, start = now();
	unsigned int programs = 0, bad = 0;
	struct program p;

	while (now() < end && bad < 10) {
		if (nr_corpus && random_below(4)) {
			p = corpus[random_below(nr_corpus)];
			program_mutate(&p);
		} else {
			program_random(&p);
		}
		bad += !run(&p);
		programs++;
		if (kcov_news() && nr_corpus < MAX_CORPUS) {
			corpus[nr_corpus++] = p;
			if (new_file)
				program_write(new_file, &p);
		}
	}
	printf("random: %u programs in %.0f s, %u places, corpus %u\n",
	       programs, now() - start, kcov_total(), nr_corpus);
	return !bad && programs;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'S' },
		{ "log", required_argument, NULL, 'l' },
		{ "new", required_argument, NULL, 'n' },
		{ }
	};
	uint64_t seed = time(NULL);
	unsigned int failed = 0;
	double seconds = 60;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 's': seconds = atof(optarg); break;
		case 'S': seed = strtoull(optarg, NULL, 0); break;
		case 'l': log_file = fopen(optarg, "ae"); break;
		case 'n': new_file = fopen(optarg, "ae"); break;
		default: return 2;
		}
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!getenv("SEAL_DIR")) {
		fprintf(stderr, "SEAL_DIR is not set: run the guest script\n");
		return 2;
	}
	for (; optind < argc; optind++)
		corpus_load(argv[optind]);
	random_seed(seed);
	printf("seed %llu, %s coverage\n", (unsigned long long)seed,
	       kcov_open() ? "with" : "without");
	world_begin(getenv("SEAL_DIR"));
	failed += !run_corpus();
	failed += !run_random(seconds);
	world_report();
	world_end();
	printf("%u passed, %u failed, 0 skipped\n", 2 - failed, failed);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
