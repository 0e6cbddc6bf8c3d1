/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The verbs. Each has a file of the same name.
 */
#ifndef SEALCTL_CMD_H
#define SEALCTL_CMD_H

#include "base/sealctl.h"

int cmd_info(const struct verb *verb, int argc, char **argv);
int cmd_prealloc(const struct verb *verb, int argc, char **argv);
int cmd_unshare(const struct verb *verb, int argc, char **argv);
int cmd_seal(const struct verb *verb, int argc, char **argv);
int cmd_unseal(const struct verb *verb, int argc, char **argv);
int cmd_status(const struct verb *verb, int argc, char **argv);
int cmd_hold(const struct verb *verb, int argc, char **argv);
int cmd_map(const struct verb *verb, int argc, char **argv);
int cmd_diff(const struct verb *verb, int argc, char **argv);
int cmd_bitmap(const struct verb *verb, int argc, char **argv);
int cmd_serve(const struct verb *verb, int argc, char **argv);
int cmd_send(const struct verb *verb, int argc, char **argv);
int cmd_snapshot(const struct verb *verb, int argc, char **argv);
int cmd_receive(const struct verb *verb, int argc, char **argv);
int cmd_record(const struct verb *verb, int argc, char **argv);
int cmd_verify(const struct verb *verb, int argc, char **argv);
int cmd_offset(const struct verb *verb, int argc, char **argv);
int cmd_swapfile(const struct verb *verb, int argc, char **argv);
int cmd_export(const struct verb *verb, int argc, char **argv);
int cmd_unexport(const struct verb *verb, int argc, char **argv);
int cmd_list(const struct verb *verb, int argc, char **argv);
int cmd_monitor(const struct verb *verb, int argc, char **argv);
int cmd_revoke(const struct verb *verb, int argc, char **argv);
int cmd_restore(const struct verb *verb, int argc, char **argv);
int cmd_forget(const struct verb *verb, int argc, char **argv);

#endif /* SEALCTL_CMD_H */
