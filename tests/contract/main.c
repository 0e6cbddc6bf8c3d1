// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run the cases of the contract on one mounted filesystem.
 *
 * Every case is a test of its own in a process of its own (libcheck forks),
 * so that one that hangs or dies is one failure. A case that cannot run says
 * why and counts as skipped, never as passed.
 */
#include "contract.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* To see one violation, a few of the cases of a gate mostly do. */
#define BATCH 8

#define KEEPER_SIZE 4096

struct options opt;

static const char *pattern_wanted = "*", *gate_wanted;
static bool list, verbose;

/* By number of the case; shared with the processes of the cases. */
static struct note *notes;

static const char usage[] =
	"usage: contract --target NAME --dir DIR [OPTION...]\n"
	"  --case GLOB          only the cases whose name matches; @(A|B) is A or B\n"
	"  --gate NAME          only the cases this gate guards\n"
	"  --expect-violation   succeed if at least one of them fails\n"
	"  --no-seal            controls only: the operations on unsealed files\n"
	"  --list               print the cases, run nothing\n"
	"  --verbose            a line per case\n";

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "target", required_argument, NULL, 't' },
		{ "dir", required_argument, NULL, 'd' },
		{ "case", required_argument, NULL, 'c' },
		{ "gate", required_argument, NULL, 'g' },
		{ "expect-violation", no_argument, NULL, 'e' },
		{ "no-seal", no_argument, NULL, 'n' },
		{ "list", no_argument, NULL, 'l' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 't':
			opt.target_name = optarg;
			opt.target = target_by_name(optarg);
			break;
		case 'd':
			opt.dir = optarg;
			break;
		case 'c':
			pattern_wanted = optarg;
			break;
		case 'g':
			gate_wanted = optarg;
			break;
		case 'e':
			opt.expect_violation = true;
			break;
		case 'n':
			opt.no_seal = true;
			break;
		case 'l':
			list = true;
			break;
		case 'v':
			verbose = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (!opt.target || optind != argc || (!opt.dir && !list)) {
		fputs(usage, stderr);
		exit(2);
	}
}

static bool wanted(const struct contract_case *tc)
{
	return case_applies(tc, opt.target) &&
	       !fnmatch(pattern_wanted, tc->name, FNM_EXTMATCH) &&
	       (!gate_wanted || case_has_gate(tc, opt.target, gate_wanted));
}

static void print_list(void)
{
	for (size_t i = 0; i < case_count(); i++) {
		const struct contract_case *tc = case_at(i);
		const char *gate = case_gate(tc, opt.target);

		if (wanted(tc))
			printf("%-40s %-24s %s\n", tc->name,
			       tc->expect == EITHER ? "either" :
			       result_name(tc->expect), gate ? gate : "-");
	}
}

START_TEST(contract_case)
{
	struct note *note = &notes[_i];
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	run_case(case_at(_i), note);
	clock_gettime(CLOCK_MONOTONIC, &b);
	note->seconds = b.tv_sec - a.tv_sec + (b.tv_nsec - a.tv_nsec) / 1e9;
}
END_TEST

/*
 * One file stays sealed all the time, with its block granted, so that the gates
 * and the probe that reads maps are not put in place and taken away again by each
 * case.
 */
static struct seal_session *keep_gates(void)
{
	struct seal_grant_extent extents[SEAL_GRANT_MIN_EXTENTS];
	struct seal_session *session;
	struct seal_files report = { 0 };
	struct seal_grant granted;
	int fd, writable, ret;
	char path[512];

	ret = seal_open(&session);
	if (ret) {
		fprintf(stderr, "contract: /dev/seal: %s\n", strerror(-ret));
		exit(1);
	}
	snprintf(path, sizeof(path), "%s/.keeper", opt.dir);
	writable = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (writable < 0 || ftruncate(writable, KEEPER_SIZE) ||
	    write(writable, path, sizeof(path)) != sizeof(path) ||
	    fsync(writable)) {
		fprintf(stderr, "contract: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	/* Read-only, so that the filesystem can be remounted read-only. */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ret = seal_files(session, &fd, 1, 0, 0, 0, &report);
	if (ret) {
		fprintf(stderr, "contract: %s: seal: %s: %s\n", path,
			strerror(-ret), (char *)report.reason);
		exit(1);
	}
	close(fd);
	ret = seal_grant(session, writable, SEAL_GRANT_WRITTEN, 0, KEEPER_SIZE,
			 extents, SEAL_GRANT_MIN_EXTENTS, &granted);
	close(writable);
	if (ret < 0) {
		fprintf(stderr, "contract: %s: grant: %s: %s\n", path,
			strerror(-ret), (char *)granted.reason);
		exit(1);
	}
	return session;
}

static void release_gates(struct seal_session *session)
{
	char path[512];

	seal_close(session);
	/* Only now: a filesystem with an orphan is not remounted read-only. */
	snprintf(path, sizeof(path), "%s/.keeper", opt.dir);
	unlink(path);
}

static int report(unsigned int run, unsigned int failed)
{
	struct utsname uts;
	unsigned int skipped = 0, violations = 0;

	for (size_t i = 0; i < case_count(); i++) {
		if (!wanted(case_at(i)))
			continue;
		if (notes[i].reached && !notes[i].done) {
			violations++;
			/* A case that hung says nothing by itself. */
			printf("fail %s: with its file sealed\n",
			       case_at(i)->name);
		}
		if (opt.expect_violation && notes[i].moved[0])
			printf("tripwire %s: %s: %s\n", case_at(i)->name,
			       notes[i].tripped ? "in the call" :
			       notes[i].tripped_late ? "at write-back" :
			       "silent", notes[i].moved);
		if (verbose && notes[i].done && !notes[i].skip[0])
			printf("ok %s (%.2f s)\n", case_at(i)->name,
			       notes[i].seconds);
		if (notes[i].done && notes[i].skip[0]) {
			printf("skip %s: %s\n", case_at(i)->name, notes[i].skip);
			skipped++;
		}
	}
	uname(&uts);
	printf("contract %s %s%s: %u passed, %u failed, %u skipped\n",
	       opt.target_name, uts.release, opt.no_seal ? " (controls only)" : "",
	       run - failed - skipped, failed, skipped);
	if (!run) {
		fprintf(stderr, "contract: no case is like that\n");
		return 2;
	}
	/* A case that fails before its file is sealed says nothing of a gate. */
	if (opt.expect_violation && violations == failed)
		return failed ? 0 : run == skipped ? 2 : 1;
	return failed ? 1 : 0;
}

/* A case that failed has not cleaned up, and may have filled the filesystem. */
static void sweep(void)
{
	struct dirent *entry;
	DIR *dir = opendir(opt.dir);

	while (dir && (entry = readdir(dir)))
		if (entry->d_type == DT_REG && entry->d_name[0] != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
}

/* Up to @count of the wanted cases from number @i on; where to go on. */
static size_t run_some(size_t i, size_t count, bool alone, unsigned int *run,
		       unsigned int *failed)
{
	Suite *suite = suite_create(opt.target_name);
	SRunner *runner = srunner_create(suite);
	bool any = false;

	for (; i < case_count() && count; i++) {
		TCase *tcase;

		if (!wanted(case_at(i)) ||
		    alone != !!(case_at(i)->flags & C_ALONE))
			continue;
		tcase = tcase_create(case_at(i)->name);
		tcase_set_timeout(tcase, CASE_SECONDS);
		tcase_add_unchecked_fixture(tcase, NULL, sweep);
		tcase_add_loop_test(tcase, contract_case, i, i + 1);
		suite_add_tcase(suite, tcase);
		any = true;
		count--;
	}
	srunner_set_fork_status(runner, CK_FORK);
	srunner_set_tap(runner, "-");
	if (any)
		srunner_run_all(runner, CK_NORMAL);
	*run += srunner_ntests_run(runner);
	*failed += srunner_ntests_failed(runner);
	srunner_free(runner);
	return i;
}

static void run_all(bool alone, unsigned int *run, unsigned int *failed)
{
	size_t some = opt.expect_violation ? BATCH : case_count();

	for (size_t i = 0; i < case_count();) {
		i = run_some(i, some, alone, run, failed);
		if (opt.expect_violation && *failed)
			break;
	}
}

int main(int argc, char **argv)
{
	struct seal_session *keeper = NULL;
	unsigned int run = 0, failed = 0;

	parse(argc, argv);
	cases_write();
	cases_async();
	cases_mmap();
	cases_size();
	cases_fallocate();
	cases_clone();
	cases_cow();
	cases_xfs();
	cases_layout();
	cases_ext4();
	cases_allowed();
	cases_require();
	if (list) {
		print_list();
		return 0;
	}
	notes = mmap(NULL, case_count() * sizeof(*notes),
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (notes == MAP_FAILED) {
		perror("contract: mmap");
		return 1;
	}
	setlinebuf(stdout);
	if (!opt.no_seal)
		keeper = keep_gates();
	run_all(false, &run, &failed);
	if (keeper)
		release_gates(keeper);
	if (!opt.expect_violation || !failed)
		run_all(true, &run, &failed);
	return report(run, failed);
}
