/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Landings: places at which a BPF trampoline may enter a gated function.
 *
 * A BPF program at the exit of a function that somebody redirects calls the
 * function through a register, at the address that ftrace left. If the gate lets
 * the call pass, that address is behind the call to ftrace, where there is no
 * ENDBR. A processor that enforces IBT answers such a call with an exception, and
 * the kernel with BUG(). So on such a processor a call that passes is sent to a
 * landing: an ENDBR and a direct jump to the original, behind its call to ftrace.
 * Each gated function has one of its own.
 */
#ifndef SEAL_LANDING_H
#define SEAL_LANDING_H

#include <linux/ftrace.h>
#include <linux/jump_label.h>
#include <linux/static_call.h>
#include <linux/types.h>

#include "base/compat.h"

#if SEAL_LANDINGS
DECLARE_STATIC_KEY_FALSE(seal_landings);

/* Landing @n, and the static call to which it leads, for the table of landing.c */
#define SEAL_DEFINE_LANDING(n)						\
	void seal_past_##n(void);					\
	extern const char seal_landing_##n[];				\
	DEFINE_STATIC_CALL_RET0(seal_past_##n, seal_past_##n);		\
	asm(".pushsection .text, \"ax\"\n"				\
	    ".balign 16, 0xcc\n"					\
	    ".type seal_landing_" #n ", @function\n"			\
	    "seal_landing_" #n ":\n"					\
	    "	nop\n"							\
	    "	endbr64\n"						\
	    "	jmp " STATIC_CALL_TRAMP_STR(seal_past_##n) "\n"		\
	    ".size seal_landing_" #n ", . - seal_landing_" #n "\n"	\
	    ".popsection\n")

#define SEAL_LANDING(n)							\
	{ .endbr = seal_landing_##n + 1,				\
	  .key = &STATIC_CALL_KEY(seal_past_##n),			\
	  .trampoline = STATIC_CALL_TRAMP_ADDR(seal_past_##n) }

/* Does a call that passes a gate need a landing? Never changes after loading. */
static __always_inline bool seal_landings_used(void)
{
	return static_branch_unlikely(&seal_landings);
}

/* Find out. */
void seal_landings_init(void);

/*
 * Set @landing, if it is 0, to a landing that is not in use yet, and have it lead
 * to @original. No call is on its way there. Returns 0, or -E2BIG: there is none
 * left. May sleep.
 */
int seal_landing_bind(unsigned long *landing, unsigned long original);
#else
static inline bool seal_landings_used(void)
{
	return false;
}

static inline void seal_landings_init(void)
{
}

static inline int seal_landing_bind(unsigned long *landing,
				    unsigned long original)
{
	return 0;
}
#endif

#if SEAL_LANDINGS && defined(CONFIG_SEAL_DEBUG)
/* A call of @symbol is sent to @target: count it, and whether ENDBR is there. */
void seal_landing_check(const char *symbol, unsigned long target);
/* Does @landing begin with ENDBR, and lead to @original? */
bool seal_landing_lands(unsigned long landing);
bool seal_landing_leads(unsigned long landing, unsigned long original);
/* Write what seal_landing_check() has counted to @buf of @size bytes. */
void seal_landings_counted(char *buf, size_t size);
#else
static inline void seal_landing_check(const char *symbol, unsigned long target)
{
}
#endif

#endif /* SEAL_LANDING_H */
