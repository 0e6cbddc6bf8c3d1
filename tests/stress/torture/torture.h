/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Torture: threads change files at random while others seal and unseal them.
 *
 * Two classes of files:
 *
 * - with a model of their contents. Each worker owns runs of slots, and only
 *   the owner writes a slot, so that the workers write side by side and yet
 *   each knows what is there. What destroys or moves contents (punch,
 *   truncate, clone into, ...) holds the file's lock exclusively. Cached and
 *   direct writes do not mix in one file: the kernel does not promise that
 *   they see each other.
 * - map-only: no model, no lock, everything races with everything.
 *
 * Seals are taken without any of these locks. A worker looks before and after
 * an operation whether the file was sealed all the time (then it knows what
 * must have happened) or nobody sealed it (then nothing may be refused).
 */
#ifndef TORTURE_H
#define TORTURE_H

#include <linux/aio_abi.h>
#include <liburing.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <libseal.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define SLOT		512
#define BLOCK		4096		/* block size of every target */
#define RUN		5		/* slots; runs lie across blocks */
#define MODEL_SIZE	(512 << 10)
#define FILE_SIZE	(1 << 20)	/* the longest a file gets */
#define MODEL_SLOTS	(MODEL_SIZE / SLOT)
#define TINY_BLOCKS	4		/* as many extents as an ext4 inode has */
#define FILE_BLOCKS	(FILE_SIZE / BLOCK)
#define MAX_WORKERS	16
#define MAX_SEALERS	8
#define HISTORY		6

/* --- random numbers: each operation has its own stream --- */

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = (rng->state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* Operation number @op of thread @thread, whatever happened before it. */
static inline void rng_start(struct rng *rng, uint64_t seed, uint64_t thread,
			     uint64_t op)
{
	rng->state = seed ^ thread << 56;
	rng->state = rng_next(rng) + op * 0xd1342543de82ef95ULL;
	rng_next(rng);
}

static inline unsigned int rng_below(struct rng *rng, unsigned int n)
{
	return n ? (rng_next(rng) >> 32) % n : 0;
}

/* --- files --- */

enum file_class {
	CACHED,			/* modelled, written through the page cache */
	DIRECT,			/* modelled, written with O_DIRECT */
	MAP_ONLY,
	TINY,			/* map-only, its extents fit into the inode */
};

struct extent {
	uint64_t logical, physical, length;
	bool unwritten;
};

struct map {
	struct extent *extent;
	unsigned int nr, room;
};

struct file {
	const char *name;
	enum file_class class;
	uint64_t max;			/* longest it gets */
	/* has or had no extents, so ext4 itself says EOPNOTSUPP to fallocate */
	atomic_bool direct_blocks;

	/* the model: who writes a slot holds the lock shared and owns it */
	pthread_rwlock_t lock;
	uint64_t size;
	uint64_t tag[MODEL_SLOTS];	/* 0: zeroes */

	/* seals; sealed by someone while the epoch is odd */
	pthread_mutex_t seal_lock;
	unsigned int holders;
	atomic_uint epoch;
	atomic_uint busy;		/* sealing, sealed or unsealing */
	atomic_uint busy_changes;
	struct map map;			/* as sealed */
	uint64_t sealed_size, digest;
	bool in_place[FILE_BLOCKS];
	bool any_in_place, all_in_place;
};

extern struct file files[];
extern const unsigned int nr_files;

void files_make(void);
int file_open(const struct file *f, int flags);
static inline bool modelled(const struct file *f)
{
	return f->class == CACHED || f->class == DIRECT;
}

/* --- workers --- */

struct worker {
	unsigned int number;		/* also of sealers and main, from 0 */
	pthread_t thread;
	struct rng rng;
	uint64_t op;
	unsigned int current;		/* index of the operation */
	char history[HISTORY][160];
	int *fd, *direct;		/* per file */
	char **mapped;
	char *buf, *check;		/* FILE_SIZE each, aligned */
	aio_context_t aio;
	struct io_uring ring;
	struct seal_session *session;
	atomic_ulong beats;
};

struct op {
	const char *name;
	void (*fn)(struct worker *w);
	unsigned int weight;
	unsigned int fs;		/* FS_* it exists on */
};

enum { ON_XFS = 1, ON_EXT4 = 2, ON_ANY = 3 };

struct op_stats {
	atomic_ulong tried, done, refused, other;
	atomic_int last_errno;
};

struct options {
	const char *target, *dir, *guest, *group, *device;
	uint64_t seed;
	unsigned int seconds, workers, sealers, fs;
	bool no_seal, no_swapext, lossy, verbose;
};

extern struct options opt;
extern atomic_bool stopping;
extern pthread_rwlock_t world;	/* shared: one operation of a worker */
extern pthread_rwlock_t rest;	/* shared: as long as a seal is held */
/* a child has all descriptors, sessions too, until it runs another program */
extern pthread_mutex_t spawning;

extern atomic_ulong nr_seals, nr_seal_failed, nr_maps, nr_sealed_writes;
extern atomic_ulong nr_violations, nr_contents, nr_seal_calls, seal_us;
extern atomic_ulong nr_grants, nr_commits, nr_taken;

void ops_init(void);
void ops_report(void);
void ops_totals(unsigned long *tried, unsigned long *refused);
/* What has to be done at least: figures of the row at the end; @text is changed. */
bool least_parse(char *text);
bool least_done(void);

void *worker_main(void *arg);
void worker_open(struct worker *w);
void worker_close(struct worker *w);

/* What the current operation is, for the report of a violation. */
void note(struct worker *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void violation(struct worker *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Something is wrong with the test or its surroundings. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Count the outcome of the current operation: >= 0 or -errno. */
void count(struct worker *w, long ret);

/* --- was it sealed? --- */

struct watch {
	struct file *f;
	unsigned int epoch, changes;
	bool idle;
	bool lenient;		/* may share what is not in place */
};

void watch_begin(struct watch *x, struct file *f);
bool watch_sealed(const struct watch *x);	/* all the time */
bool watch_unsealed(const struct watch *x);	/* all the time, nobody tried */

/* A change of the map of all of these files came to @ret; counts it. */
void judge_change(struct worker *w, struct watch *x, unsigned int nr, long ret);

/* The same for what would free or zero blocks, and has another word for refused. */
void judge_zero(struct worker *w, struct watch *x, long ret);
/* The same for what would allocate them, which in place is nothing to do. */
void judge_allocate(struct worker *w, struct watch *x, uint64_t off,
		    uint64_t len, long ret);

/* A write to [off, off + len) came to @ret; counts it. */
enum write_way { BY_CALL, BY_SYNC, BY_STORE };
void judge_write(struct worker *w, struct watch *x, enum write_way way,
		 uint64_t off, uint64_t len, long ret);

/* --- model --- */

void tag_fill(void *buf, uint64_t tag);
bool tag_is(const void *buf, uint64_t tag);
uint64_t tag_new(struct worker *w, unsigned int i);
/* All slots of [slot, slot + nr) in @buf as the model has them? Reports. */
bool model_check(struct worker *w, struct file *f, const char *buf,
		 unsigned int slot, unsigned int nr, const char *how);
/* The whole file, with its lock held exclusively. */
void model_check_file(struct worker *w, struct file *f);

/* --- ways to write; return like pwrite, or -errno; SIGBUS is -ETXTBSY --- */

struct piece {
	uint64_t off, len;
	char *buf;
	long ret;
};

enum way { W_PWRITE, W_DSYNC, W_AIO, W_URING, W_SPLICE, W_STORE, W_WAYS };
extern const char *const way_name[];

void write_pieces(struct worker *w, struct file *f, enum way way, bool direct,
		  struct piece *piece, unsigned int nr);
/* Stores @piece through a mapping; how much of it in *stored. */
long store_piece(struct worker *w, struct file *f, struct piece *piece,
		 uint64_t *stored);
long uring_one(struct worker *w, struct io_uring_sqe *sqe);
void ways_open(struct worker *w);
void ways_close(struct worker *w);
void catch_sigbus(void);
int caught(void (*fn)(void *arg), void *arg);	/* 0 or -ETXTBSY for SIGBUS */

/* --- maps --- */

/* As FIEMAP tells it, without what others can change: how it is cut, and
 * whether a block is shared with another file.
 */
int map_read(int fd, bool sync, struct map *map);
bool map_same(const struct map *a, const struct map *b);
void map_free(struct map *map);
void map_print(const char *title, const struct map *map);

/* --- the rest --- */

long do_clone(int src, int dst, uint64_t from, uint64_t len, uint64_t to);
long do_dedupe(int src, int dst, uint64_t from, uint64_t len, uint64_t to);
long xfs_swap_files(int target, int donor, uint64_t size);
long xfs_exchange_files(int a, int b, uint64_t a_off, uint64_t b_off,
			uint64_t len);
long xfs_trim_eof(int fd);
long ext4_move(int orig, int donor, uint64_t off, uint64_t donor_off,
	       uint64_t len);

extern const struct op model_ops[], race_ops[], xfs_ops[], ext4_ops[];
extern const unsigned int nr_model_ops, nr_race_ops, nr_xfs_ops, nr_ext4_ops;

struct file *pick_file(struct worker *w, bool model);
/* A range in blocks within @max bytes. */
void pick_range(struct worker *w, uint64_t max, unsigned int max_blocks,
		uint64_t *off, uint64_t *len);
int scratch_open(struct worker *w);

void *sealer_main(void *arg);
void *pressure_main(void *arg);
/* Grants blocks of a file, and tries to change that file; on XFS. */
void granter_init(void);
void *granter_main(void *arg);
void *taker_main(void *arg);
void pin_make(struct worker *w);
void pin_seal(struct worker *w);
void pin_release(struct worker *w);

#endif /* TORTURE_H */
