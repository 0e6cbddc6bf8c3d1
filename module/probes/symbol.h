/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of functions that the kernel does not export. */
#ifndef SEAL_SYMBOL_H
#define SEAL_SYMBOL_H

#include <linux/types.h>

/*
 * Find the address at which the function @symbol of @module (NULL: of the
 * kernel itself) calls ftrace. Nothing is armed, and nobody's probe is changed.
 * Returns 0; -ENOENT: there is no such function; -EOPNOTSUPP: it does not call
 * ftrace; -ENOMEM. @site is 0 on failure. May sleep.
 */
int seal_symbol_site(const char *module, const char *symbol,
		     unsigned long *site);

/*
 * The same for the address behind the call to ftrace, at which the function can
 * be entered without its gate noticing.
 */
int seal_symbol_body(const char *module, const char *symbol,
		     unsigned long *body);

/* Addresses in modules stay valid as long as this number does not change. */
u64 seal_modules_gone(void);
/* Changes that number: a module is about to be unloaded. */
void seal_module_goes(void);

#endif /* SEAL_SYMBOL_H */
