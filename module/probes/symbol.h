/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of functions that the kernel does not export. */
#ifndef SEAL_SYMBOL_H
#define SEAL_SYMBOL_H

#include <linux/types.h>

/*
 * Where the function @symbol of @module (NULL: of the kernel itself) calls
 * ftrace. Nothing is armed, and nobody's probe is changed. 0; -ENOENT: there is
 * no such function; -EOPNOTSUPP: it does not call ftrace; -ENOMEM. @site is 0 on
 * failure.
 */
int seal_symbol_site(const char *module, const char *symbol,
		     unsigned long *site);

/*
 * The address behind that call, where the function can be entered without its
 * gate; 0 if there is none.
 */
unsigned long seal_symbol_body(const char *module, const char *symbol);

/* Addresses of modules are right as long as this number stays the same. */
u64 seal_modules_gone(void);
void seal_module_goes(void);

#endif /* SEAL_SYMBOL_H */
