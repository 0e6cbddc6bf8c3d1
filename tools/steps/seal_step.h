/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sealing the files of a command line as one step.
 */
#ifndef SEALCTL_SEAL_STEP_H
#define SEALCTL_SEAL_STEP_H

#include "base/sealctl.h"

int step_seal(struct seal_session *session, const struct file_list *list,
	      uint32_t flags, const struct requirements *require);
/*
 * Warn if files that were sealed are not protected, because the module is in
 * log-only mode: such a seal must not pass for one that does protect.
 */
void warn_log_only(struct seal_session *session, const struct file_list *list);
/* Seal files only to read them, see seal_read_open(). */
int step_read(const struct file_list *list, struct seal_read **reading);
int parse_require_option(const char *text, struct requirements *require);

#endif /* SEALCTL_SEAL_STEP_H */
