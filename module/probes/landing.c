// SPDX-License-Identifier: GPL-2.0-only
/*
 * Landings: places at which a BPF trampoline may enter a gated function. This is
 * the file of the engine with code for one architecture, x86-64.
 *
 * All landings are alike: NOP, ENDBR, and a jump to the trampoline of a static
 * call, which the kernel changes into a direct jump to the original. They are
 * never called through anything but their address plus one:
 *
 * - The unwinder meets that address as the return address of the trampoline, and
 *   takes the instruction before it for the one that was left. The NOP is there
 *   so that this is an instruction of the same function.
 * - objtool lists functions that begin with an ENDBR to which nobody refers, and
 *   the kernel overwrites these when it loads the module. Nothing that is not
 *   the first instruction of a function comes into that list; besides, the table
 *   below refers to each of them.
 *
 * A landing never sleeps. A task that was preempted in one, or on its way there
 * in a BPF program, has left it when RCU tasks have been waited for, and that is
 * done between the detaching of gates and the end of the module. A trampoline
 * does not come back to a landing: it returns to the caller of the function.
 */
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include <asm/cpufeature.h>

#include "probes/landing.h"

#if SEAL_LANDINGS

DEFINE_STATIC_KEY_FALSE(seal_landings);

/* As many as SEAL_SHARE_MAX */
SEAL_DEFINE_LANDING(00); SEAL_DEFINE_LANDING(01);
SEAL_DEFINE_LANDING(02); SEAL_DEFINE_LANDING(03);
SEAL_DEFINE_LANDING(04); SEAL_DEFINE_LANDING(05);
SEAL_DEFINE_LANDING(06); SEAL_DEFINE_LANDING(07);
SEAL_DEFINE_LANDING(10); SEAL_DEFINE_LANDING(11);
SEAL_DEFINE_LANDING(12); SEAL_DEFINE_LANDING(13);
SEAL_DEFINE_LANDING(14); SEAL_DEFINE_LANDING(15);
SEAL_DEFINE_LANDING(16); SEAL_DEFINE_LANDING(17);
SEAL_DEFINE_LANDING(20); SEAL_DEFINE_LANDING(21);
SEAL_DEFINE_LANDING(22); SEAL_DEFINE_LANDING(23);
SEAL_DEFINE_LANDING(24); SEAL_DEFINE_LANDING(25);
SEAL_DEFINE_LANDING(26); SEAL_DEFINE_LANDING(27);
SEAL_DEFINE_LANDING(30); SEAL_DEFINE_LANDING(31);
SEAL_DEFINE_LANDING(32); SEAL_DEFINE_LANDING(33);
SEAL_DEFINE_LANDING(34); SEAL_DEFINE_LANDING(35);
SEAL_DEFINE_LANDING(36); SEAL_DEFINE_LANDING(37);
SEAL_DEFINE_LANDING(40); SEAL_DEFINE_LANDING(41);
SEAL_DEFINE_LANDING(42); SEAL_DEFINE_LANDING(43);
SEAL_DEFINE_LANDING(44); SEAL_DEFINE_LANDING(45);
SEAL_DEFINE_LANDING(46); SEAL_DEFINE_LANDING(47);
SEAL_DEFINE_LANDING(50); SEAL_DEFINE_LANDING(51);
SEAL_DEFINE_LANDING(52); SEAL_DEFINE_LANDING(53);
SEAL_DEFINE_LANDING(54); SEAL_DEFINE_LANDING(55);
SEAL_DEFINE_LANDING(56); SEAL_DEFINE_LANDING(57);
SEAL_DEFINE_LANDING(60); SEAL_DEFINE_LANDING(61);
SEAL_DEFINE_LANDING(62); SEAL_DEFINE_LANDING(63);
SEAL_DEFINE_LANDING(64); SEAL_DEFINE_LANDING(65);
SEAL_DEFINE_LANDING(66); SEAL_DEFINE_LANDING(67);
SEAL_DEFINE_LANDING(70); SEAL_DEFINE_LANDING(71);
SEAL_DEFINE_LANDING(72); SEAL_DEFINE_LANDING(73);
SEAL_DEFINE_LANDING(74); SEAL_DEFINE_LANDING(75);
SEAL_DEFINE_LANDING(76); SEAL_DEFINE_LANDING(77);

static const struct {
	const char		*endbr;
	struct static_call_key	*key;
	void			*trampoline;
} landings[] = {
	SEAL_LANDING(00), SEAL_LANDING(01), SEAL_LANDING(02), SEAL_LANDING(03),
	SEAL_LANDING(04), SEAL_LANDING(05), SEAL_LANDING(06), SEAL_LANDING(07),
	SEAL_LANDING(10), SEAL_LANDING(11), SEAL_LANDING(12), SEAL_LANDING(13),
	SEAL_LANDING(14), SEAL_LANDING(15), SEAL_LANDING(16), SEAL_LANDING(17),
	SEAL_LANDING(20), SEAL_LANDING(21), SEAL_LANDING(22), SEAL_LANDING(23),
	SEAL_LANDING(24), SEAL_LANDING(25), SEAL_LANDING(26), SEAL_LANDING(27),
	SEAL_LANDING(30), SEAL_LANDING(31), SEAL_LANDING(32), SEAL_LANDING(33),
	SEAL_LANDING(34), SEAL_LANDING(35), SEAL_LANDING(36), SEAL_LANDING(37),
	SEAL_LANDING(40), SEAL_LANDING(41), SEAL_LANDING(42), SEAL_LANDING(43),
	SEAL_LANDING(44), SEAL_LANDING(45), SEAL_LANDING(46), SEAL_LANDING(47),
	SEAL_LANDING(50), SEAL_LANDING(51), SEAL_LANDING(52), SEAL_LANDING(53),
	SEAL_LANDING(54), SEAL_LANDING(55), SEAL_LANDING(56), SEAL_LANDING(57),
	SEAL_LANDING(60), SEAL_LANDING(61), SEAL_LANDING(62), SEAL_LANDING(63),
	SEAL_LANDING(64), SEAL_LANDING(65), SEAL_LANDING(66), SEAL_LANDING(67),
	SEAL_LANDING(70), SEAL_LANDING(71), SEAL_LANDING(72), SEAL_LANDING(73),
	SEAL_LANDING(74), SEAL_LANDING(75), SEAL_LANDING(76), SEAL_LANDING(77),
};

/* How many are in use; under sets_lock of set.c. */
static unsigned int used;

int seal_landing_bind(unsigned long *landing, unsigned long original)
{
	unsigned int i;

	if (!*landing) {
		if (WARN_ON_ONCE(used == ARRAY_SIZE(landings)))
			return -E2BIG;
		*landing = (unsigned long)landings[used++].endbr;
	}
	for (i = 0; i < used; i++)
		if (*landing == (unsigned long)landings[i].endbr)
			__static_call_update(landings[i].key,
					     landings[i].trampoline,
					     (void *)original);
	return 0;
}

#ifdef CONFIG_SEAL_DEBUG
static bool force_landings;
module_param(force_landings, bool, 0400);
MODULE_PARM_DESC(force_landings, "debug build: send calls to landings also where the processor does not need it");
#else
#define force_landings	false
#endif

void seal_landings_init(void)
{
	if (cpu_feature_enabled(X86_FEATURE_IBT) || force_landings)
		static_branch_enable(&seal_landings);
}

#ifdef CONFIG_SEAL_DEBUG
static atomic64_t checked, bad;
static const char *last_bad;

/* Not is_endbr(), which takes one that was overwritten for an ENDBR. */
bool seal_landing_lands(unsigned long landing)
{
	static const u8 endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };

	return !memcmp((void *)landing, endbr64, sizeof(endbr64));
}

bool seal_landing_leads(unsigned long landing, unsigned long original)
{
	unsigned long at = landing + 4;
	unsigned int jumps;

	/* directly, or through the trampoline of the static call */
	for (jumps = 0; jumps < 2 && at != original; jumps++) {
		if (*(u8 *)at != 0xe9)
			return false;
		at += 5 + *(s32 *)(at + 1);
	}
	return at == original;
}

void seal_landing_check(const char *symbol, unsigned long target)
{
	atomic64_inc(&checked);
	if (seal_landing_lands(target))
		return;
	atomic64_inc(&bad);
	WRITE_ONCE(last_bad, symbol);
}

void seal_landings_counted(char *buf, size_t size)
{
	const char *symbol = READ_ONCE(last_bad);

	snprintf(buf, size, "checked %lld bad %lld last %s",
		 atomic64_read(&checked), atomic64_read(&bad), symbol ?: "-");
}
#endif
#endif
