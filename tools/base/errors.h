/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Errors for people: the object, the cause and the remedy.
 */
#ifndef SEALCTL_ERRORS_H
#define SEALCTL_ERRORS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <libseal.h>

/* "sealctl: OBJECT: TEXT" on the standard error output. */
void complain(const char *object, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Print cause and remedy, without a newline. @error is positive. @group is the
 * group of the device node, or NULL. @abi is what seal_module_abi() returned.
 */
void explain_session(FILE *out, int error, int abi, const char *group);
void explain_range(FILE *out, int error, const char *path);
/* @sealed: the file was sealed before, so that its map cannot be changed. */
void explain_seal(FILE *out, int error, const struct seal_files *report,
		  const char *path, bool sealed);
void explain_unmet(FILE *out, uint32_t require, const char *path, bool sealed);

void complain_range(const char *path, const char *step, int error);

#endif /* SEALCTL_ERRORS_H */
