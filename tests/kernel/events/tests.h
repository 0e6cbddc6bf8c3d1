/* SPDX-License-Identifier: GPL-2.0-only */
/* What the test cases of tests/kernel/events share. */
#ifndef EVENTS_TESTS_H
#define EVENTS_TESTS_H

#include <check.h>
#include <libseal-events.h>

/* Fails the test if it cannot be opened. */
struct seal_monitor *ev_monitor(uint32_t events);

/* The next event of the file @fd, waited for; others are skipped. */
const struct seal_event *ev_next(struct seal_monitor *monitor, int fd);

/* Fails the test if something about @fd comes within a moment. */
void ev_nothing(struct seal_monitor *monitor, int fd);

#endif /* EVENTS_TESTS_H */
