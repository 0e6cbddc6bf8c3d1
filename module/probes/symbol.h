/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of functions that the kernel does not export. */
#ifndef SEAL_SYMBOL_H
#define SEAL_SYMBOL_H

#include <linux/types.h>

struct kprobe;
struct seal_limit;

/*
 * Find the address at which the function @symbol of @module (NULL: of the
 * kernel itself) calls ftrace. Nothing is armed, and nobody's probe is changed.
 * If this succeeds, the caller has seal_symbols_end() called with @kp soon, which
 * waits for an RCU grace period, once for all that it is given. Returns 0; -ENOENT:
 * there is no such function, or no such module; -EOPNOTSUPP: it does not call
 * ftrace; -ENOMEM or another error of register_kprobe().
 */
int seal_symbol_begin(struct kprobe *kp, const char *module,
		      const char *symbol, unsigned long *site);

void seal_symbols_end(struct kprobe **kps, unsigned int nr);

/*
 * Call @bind with the address behind the call to ftrace, at which the function
 * can be entered without its gate noticing. An errand does both, one after the
 * other for all tasks, so it may be done twice. The caller has a file open that
 * pins @module. Also returns -EINTR, or -EBUSY with the reason in @limit.
 */
int seal_symbol_bind(const char *module, const char *symbol,
		     void (*bind)(unsigned long original),
		     const struct seal_limit *limit);

/* Addresses in modules stay valid as long as this number does not change. */
u64 seal_modules_gone(void);
/* Changes that number: a module is about to be unloaded. */
void seal_module_goes(void);

#endif /* SEAL_SYMBOL_H */
