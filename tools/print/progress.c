// SPDX-License-Identifier: GPL-2.0-only
/*
 * A progress bar with the remaining time, on terminals only.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/sealctl.h"
#include "print/progress.h"

/* No bar before this time: by then the rate is known, or the work is done. */
#define QUIET_MS	500
#define REDRAW_MS	100

unsigned int progress_percent(uint64_t done, uint64_t total)
{
	if (done >= total)
		return 100;
	/* floating point: it does not overflow */
	return (unsigned int)((double)done / (double)total * 100);
}

int64_t progress_eta(uint64_t done, uint64_t total, uint64_t elapsed_ms)
{
	if (done >= total)
		return 0;
	if (!done || elapsed_ms < QUIET_MS)
		return -1;
	return (int64_t)((double)(total - done) / (double)done *
			 (double)elapsed_ms / 1000 + 0.5);
}

static void format_eta(char *text, size_t size, int64_t seconds)
{
	if (seconds < 0)
		snprintf(text, size, "--:--");
	else if (seconds < 3600)
		snprintf(text, size, "%02d:%02d", (int)(seconds / 60),
			 (int)(seconds % 60));
	else
		snprintf(text, size, "%" PRId64 ":%02d:%02d", seconds / 3600,
			 (int)(seconds / 60 % 60), (int)(seconds % 60));
}

/*
 * "LABEL [####    ]  45% 1.2 GiB of 2.6 GiB, ETA 00:12". A label that is too
 * long loses its beginning, since the end of a path tells more.
 */
void progress_line(char *line, size_t size, unsigned int columns,
		   const char *label, uint64_t done, uint64_t total,
		   uint64_t elapsed_ms)
{
	char tail[96], have[24], all[24], eta[24], bar[41];
	unsigned int percent = progress_percent(done, total);
	unsigned int width, left;

	format_eta(eta, sizeof(eta), progress_eta(done, total, elapsed_ms));
	snprintf(tail, sizeof(tail), " %3u%% %s of %s, ETA %s", percent,
		 format_size(done, have, sizeof(have)),
		 format_size(total, all, sizeof(all)), eta);
	left = columns > strlen(tail) ? columns - (unsigned int)strlen(tail) : 0;
	width = left / 2 > 3 ? left / 2 - 3 : 0;
	if (width > sizeof(bar) - 1)
		width = sizeof(bar) - 1;
	memset(bar, ' ', sizeof(bar));
	memset(bar, '#', width * percent / 100);
	bar[width] = '\0';
	left = left > width + 3 ? left - width - 3 : 0;
	if (strlen(label) > left)
		label += strlen(label) - left;
	snprintf(line, size, "%s [%s]%s", label, bar, tail);
}

unsigned int terminal_columns(int fd)
{
	struct winsize window;

	if (!isatty(fd))
		return 0;
	if (ioctl(fd, TIOCGWINSZ, &window) < 0 || window.ws_col < 40)
		return 80;
	return window.ws_col;
}

static uint64_t since(const struct timespec *then, const struct timespec *now)
{
	return (uint64_t)((int64_t)(now->tv_sec - then->tv_sec) * 1000 +
			  (now->tv_nsec - then->tv_nsec) / 1000000);
}

void progress_begin(struct progress *progress, const char *label)
{
	snprintf(progress->label, sizeof(progress->label), "%s", shown(label));
	progress->terminal = isatty(STDERR_FILENO);
	progress->drawn = false;
	clock_gettime(CLOCK_MONOTONIC, &progress->begin);
	progress->last = progress->begin;
}

void progress_update(struct progress *progress, uint64_t done, uint64_t total)
{
	unsigned int columns;
	struct timespec now;
	char line[512];

	if (!progress->terminal)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (since(&progress->begin, &now) < QUIET_MS ||
	    since(&progress->last, &now) < REDRAW_MS)
		return;
	progress->last = now;
	columns = terminal_columns(STDERR_FILENO);
	if (columns > sizeof(line))
		columns = sizeof(line);
	/* some terminals wrap after the last column */
	progress_line(line, sizeof(line), columns - 1, progress->label, done,
		      total, since(&progress->begin, &now));
	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
	progress->drawn = true;
}

void progress_end(struct progress *progress)
{
	if (progress->drawn)
		fputs("\r\033[K", stderr);
	progress->drawn = false;
}
