/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a sealed file allows and refuses, as a table of cases: the types every
 * part of the program shares. A case is prepared twice with the same layout:
 * the unsealed twin shows that the operation works here and what it would do
 * to a block map, then the sealed file shows what is left of that.
 */
#ifndef CONTRACT_H
#define CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <libseal.h>

/* Guests are emulated; this is for what hangs, not for what is slow. */
#define CASE_SECONDS 120

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Offsets in the tables are in pages, the unit of most layouts. */
#define UNIT 4096ULL
#define B(n) ((n) * UNIT)
#define UNIT_FSBLOCK 1		/* contract_case.unit: one filesystem block */

enum {
	T_XFS		= 1 << 0,
	T_XFS_NOREFLINK	= 1 << 1,
	T_XFS_DAX	= 1 << 2,
	T_XFS_1K	= 1 << 3,
	T_EXT4		= 1 << 4,
	T_EXT4_IND	= 1 << 5,
	T_EXT4_DAX	= 1 << 6,
	T_EXT4_1K	= 1 << 7,
	T_EXT4_NODELALLOC = 1 << 8,
	T_XFS_ATOMIC	= 1 << 9,	/* a few cases of its own */
};

#define T_ANY_XFS (T_XFS | T_XFS_NOREFLINK | T_XFS_DAX | T_XFS_1K)
#define T_REFLINK (T_XFS | T_XFS_DAX | T_XFS_1K)
#define T_EXTENTS (T_EXT4 | T_EXT4_DAX | T_EXT4_1K | T_EXT4_NODELALLOC)
#define T_ANY_EXT4 (T_EXTENTS | T_EXT4_IND)
#define T_ANY (T_ANY_XFS | T_ANY_EXT4)
#define T_DAX (T_XFS_DAX | T_EXT4_DAX)
#define T_SUBPAGE (T_XFS_1K | T_EXT4_1K)
#define T_UNWRITTEN (T_ANY_XFS | T_EXTENTS)

/* What an operation returns besides 0 and a negative errno value. */
#define OP_SIGBUS (-10000)
#define OP_SKIP (-10001)	/* cannot run here, the reason is in ctx.why */
/* contract_case.expect only: 0 or -ETXTBSY, and no block moves. */
#define EITHER (-10002)

/*
 * The gate that guards a case, by family; NULL where there is none, and for
 * ext4 without delayed allocation where it is that of ext4. A name that
 * depends on the kernel is written "a|b".
 */
struct guard {
	const char *xfs, *xfs_dax, *ext4, *ext4_dax, *ext4_nodelalloc;
};

enum {
	/* The refusal is stricter than needed: unsealed no map changes either. */
	C_CTL_SAME	= 1 << 0,
	/* Allowed, though unsealed it changes the map. */
	C_CTL_CHANGES	= 1 << 1,
	/* No control; the comment at the case says what shows that it works. */
	C_CTL_NONE	= 1 << 2,
	/* Unsealed it may say EAGAIN, which no refusal says. */
	C_CTL_AGAIN	= 1 << 3,
	/* Sealed through a read-only descriptor, nobody has it open to write. */
	C_RDONLY	= 1 << 4,
	/* Not to be repeated after unsealing. */
	C_ONCE		= 1 << 5,
	/* Other extents become shared or private, no address changes. */
	C_SHARING	= 1 << 6,
	/* SEAL may say EOPNOTSUPP or EBADFD, then nothing else happens. */
	C_SEAL_REFUSES	= 1 << 7,
	/* The second file has the same contents. */
	C_PEER_SAME	= 1 << 8,
	/* The operation seals by itself. */
	C_NO_SEAL	= 1 << 9,
	/* The refusal goes to someone else (device, page) and is not counted on. */
	C_NO_COUNT	= 1 << 10,
	/* What may be lacking says EINVAL where it is. */
	C_LACK_EINVAL	= 1 << 11,
	/* No set-id bits: the operation takes no such file. */
	C_NO_SETID	= 1 << 12,
	/* Runs while no other file is sealed. */
	C_ALONE		= 1 << 13,
	/* Times and set-id bits are gone before any gate can tell. */
	C_TOUCHED	= 1 << 14,
};

struct ctx;
typedef int op_fn(struct ctx *c);

/*
 * A layout is a string, one character per unit:
 *   W written    . hole    U unwritten    S shared with another file
 *   F written, each unit an allocation of its own (fragmented)
 *   h written, the first half of a unit (end of the file)
 *   | end of file; units after it are allocated beyond it (U), or P for
 *     whatever the filesystem preallocates behind an appending writer
 * "e:" in front: the inode has an extent size hint.
 */
struct contract_case {
	char name[56];
	unsigned int targets;
	const char *layout;
	const char *peer;	/* layout of a second file, or NULL */
	uint64_t unit;		/* bytes per character, 0: UNIT */
	op_fn *before;		/* runs before the seal, may be NULL */
	op_fn *op;
	uint64_t off, len;	/* for the operation, in bytes */
	int64_t arg;		/* the same */
	const void *data;	/* the same */
	unsigned int require;	/* SEAL_REQ_* */
	int expect;		/* 0, -errno, OP_SIGBUS or EITHER */
	const struct guard *guard;
	unsigned int flags;	/* C_* */
	const char *may_lack;	/* why a kernel or filesystem may not know it */
};

struct file {
	int fd;
	char path[512];
	uint8_t *model;		/* what it must contain */
	uint64_t size;
};

struct ctx {
	const struct contract_case *tc;
	struct file f, peer;
	struct seal_session *session;	/* NULL in a control */
	void *map;			/* from before() to op() */
	char why[200];
};

/* options of the program (main.c) */
struct options {
	const char *dir;
	unsigned int target;
	const char *target_name;
	bool no_seal, expect_violation;
};
extern struct options opt;

/* table.c */
void add_cases(const struct contract_case *cases, size_t count);
size_t case_count(void);
const struct contract_case *case_at(size_t i);
unsigned int target_by_name(const char *name);
const char *target_name(unsigned int bit);
bool case_applies(const struct contract_case *tc, unsigned int target);
const char *case_gate(const struct contract_case *tc, unsigned int target);
bool case_has_gate(const struct contract_case *tc, unsigned int target,
		   const char *gate);
extern const struct guard guard_write, guard_mmap, guard_setattr;
extern const struct guard guard_fallocate, guard_remap;

void cases_write(void);
void cases_async(void);
void cases_mmap(void);
void cases_size(void);
void cases_fallocate(void);
void cases_clone(void);
void cases_cow(void);
void cases_xfs(void);
void cases_layout(void);
void cases_ext4(void);
void cases_allowed(void);
void cases_require(void);

/* What a case leaves behind for the program that started its process. */
struct note {
	char skip[200];		/* why it could not run */
	bool reached;		/* the operation on the sealed file began */
	bool done;		/* all of it went well, or was skipped */
	char moved[200];	/* how an extent of the sealed file changed */
	bool tripped;		/* and whether a tripwire saw it: in the call, */
	bool tripped_late;	/* or when it was written back */
	double seconds;
};

/* run.c */
void run_case(const struct contract_case *tc, struct note *note);

/* file.c: 0 or OP_SKIP; anything unexpected fails the case */
#define SEED_OLD 1
#define SEED_NEW 2
int file_make(struct ctx *c, struct file *f, const char *name,
	      const char *layout, uint8_t seed);
void file_reopen(struct file *f, int flags);
void file_close(struct file *f);
uint64_t fs_block(int fd);
uint64_t case_unit(const struct contract_case *tc, int fd);
void pattern(void *buf, uint64_t off, size_t len, uint8_t seed);
/* The new contents for a range, page aligned, to be freed by the caller. */
void *new_data(uint64_t off, size_t len);
/* The operation put @buf there: contents are compared with that. */
void wrote(struct file *f, const void *buf, size_t len, uint64_t off);

/* snap.c */
struct extent {
	uint64_t logical, physical, length;
	uint64_t flags;
};

struct snap {
	struct stat st;
	uint32_t iflags;
	struct extent *ext;
	unsigned int count;
	uint64_t digest, refused, broken;
	bool sealed;
};

enum {
	SNAP_MAP	= 1 << 0,	/* size and extents */
	SNAP_META	= 1 << 1,	/* mode, owner, blocks, inode flags */
	SNAP_TIMES	= 1 << 2,
	SNAP_DIGEST	= 1 << 3,
	SNAP_SHARING	= 1 << 4,	/* sharing may differ */
};

void snap_take(struct ctx *c, const struct file *f, struct snap *s);
void snap_free(struct snap *s);
bool snap_differs(const struct snap *a, const struct snap *b,
		  unsigned int what, char *why, size_t size);
/* Did an extent change, whatever it is shared with? */
bool snap_moved(const struct snap *a, const struct snap *b, char *why,
		size_t size);
bool content_differs(const struct file *f, char *why, size_t size);
unsigned int extents_read(int fd, struct extent **ext);

/* util.c */
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *fmt, ...);
__attribute__((format(printf, 2, 3))) int skip(struct ctx *c, const char *fmt, ...);
int ret_errno(long ret);
const char *result_name(int result);
void drop_fsetid(void);
/* Call fn(arg); OP_SIGBUS if it touched a page that could not be had. */
int catch_fault(void (*fn)(void *arg), void *arg);
/* A descriptor of its own on the file. */
int open_more(const struct file *f, int flags);

/* uring.c: -errno or the result; OP_SKIP where io_uring cannot be used */
int uring_write(struct ctx *c, int fd, const void *buf, size_t len, off_t off);
int uring_fallocate(struct ctx *c, int fd, int mode, off_t off, off_t len);
int uring_ftruncate(struct ctx *c, int fd, off_t size);

#endif /* CONTRACT_H */
