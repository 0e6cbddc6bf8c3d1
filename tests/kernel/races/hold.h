/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes to some blocks of the device are held up. */
#ifndef RACES_HOLD_H
#define RACES_HOLD_H

#include <stdint.h>

/* From now on, writes to these bytes of the device do not end. */
void hold_writes(uint64_t address, uint64_t length);
/* They do, and all that come later. */
void hold_end(void);

/* Begin a direct write of @buf to a file; reap it. */
struct flight {
	unsigned long context;
};

void flight_start(struct flight *f, int fd, void *buf, uint64_t length,
		  uint64_t offset);
/* Bytes written or -errno. */
long flight_end(struct flight *f);

#endif /* RACES_HOLD_H */
