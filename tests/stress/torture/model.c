// SPDX-License-Identifier: GPL-2.0-only
/* What a modelled file must contain: a tag per slot, which gives its bytes. */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define WORDS (SLOT / sizeof(uint64_t))

void tag_fill(void *buf, uint64_t tag)
{
	uint64_t *word = buf;

	for (unsigned int i = 0; i < WORDS; i++)
		word[i] = tag ? tag ^ i * 0x9e3779b97f4a7c15ULL : 0;
}

bool tag_is(const void *buf, uint64_t tag)
{
	const uint64_t *word = buf;

	for (unsigned int i = 0; i < WORDS; i++)
		if (word[i] != (tag ? tag ^ i * 0x9e3779b97f4a7c15ULL : 0))
			return false;
	return true;
}

/* Readable in a dump: worker, operation, slot of it. Never 0. */
uint64_t tag_new(struct worker *w, unsigned int i)
{
	return (uint64_t)(w->number + 1) << 56 | w->op << 8 | i;
}

bool model_check(struct worker *w, struct file *f, const char *buf,
		 unsigned int slot, unsigned int nr, const char *how)
{
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t want = f->tag[slot + i], got;

		if (tag_is(buf + (size_t)i * SLOT, want))
			continue;
		memcpy(&got, buf + (size_t)i * SLOT, sizeof(got));
		nr_contents++;
		if (opt.lossy) {
			if (tag_is(buf + (size_t)i * SLOT, got))
				f->tag[slot + i] = got;
			continue;
		}
		violation(w, "%s: contents (%s): slot %u has %016llx, the model %016llx (worker, operation, slot of it)%s",
			  f->name, how, slot + i, (unsigned long long)got,
			  (unsigned long long)want,
			  tag_is(buf + (size_t)i * SLOT, got) ? "" :
			  ", torn inside");
		return false;
	}
	return true;
}

void model_check_file(struct worker *w, struct file *f)
{
	unsigned int i = f - files;
	ssize_t n;
	off_t size;

	size = lseek(w->fd[i], 0, SEEK_END);
	if ((uint64_t)size != f->size) {
		violation(w, "%s: size %lld, the model %llu", f->name,
			  (long long)size, (unsigned long long)f->size);
		return;
	}
	n = pread(f->class == DIRECT ? w->direct[i] : w->fd[i], w->check,
		  f->max, 0);
	if (n != size)
		violation(w, "%s: read %zd of %lld bytes: %s", f->name, n,
			  (long long)size, n < 0 ? strerror(errno) : "short");
	else
		model_check(w, f, w->check, 0, size / SLOT, "whole file");
}
