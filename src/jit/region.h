/*
 * Regions: pieces of translated guest code, found by the host address of the code and the mode bits
 * that its translation depends on, so that all who map the code share them. In some modes translations
 * are bound to the guest address they run at.
 *
 * One `struct region_cache` serves all processors of a system. Lookups take no lock; insertion and
 * removal take the cache's mutex. A region that is removed (its code was written, its memory
 * unmapped) is marked dead at once and stays readable until every processor has passed a point
 * at which it holds no region (region_cache_reclaim): the processors' run loop announces these points.
 *
 * A region lies within one TLB block (4 KiB), so one write-protected block covers it.
 *
 * A path region (region_enter_path) is made from several pieces of code, each within a block of its own choice;
 * a store to any of them kills it.
 *
 * Direct jumps lead from region to region as far as the page goes that the code was fetched from: one
 * translation of addresses holds for all of it. The same memory may be mapped by pages of other sizes elsewhere
 * or later, so the page's size, as a class, is part of the mode (enum region_span): who enters a region
 * has it from its own page, and finds others when that is of another class.
 *
 * Lock order: under the mutex here only the locks of code memory and of the slab are taken; no callback is made with it
 * held.
 */
#ifndef ANYKVM_JIT_REGION_H
#define ANYKVM_JIT_REGION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "ir/interp.h"
#include "mem/addr.h"
#include "util/siphash.h"

struct jit;
struct jit_code;

/*
 * An entry of a processor's jump cache, as compiled code looks it up: from guest addresses to compiled regions. It
 * is in a table of one translation context and mode (cpu/jump.c), so the address is all there is to compare.
 */
struct region_jump {
	uint64_t pc;
	const void *entry; /* the region's death reaches it (jit_kill) */
};

ASSERT_SIZE(struct region_jump, 16); /* compiled code scales by it */

/*
 * Which entry an address has in the first half of its table, modulo half their number. It is this simple because
 * compiled code does it at each jump. Instructions that are not four bytes apart get by with fewer entries.
 */
static inline uint32_t region_jump_hash(uint64_t pc)
{
	return (uint32_t)pc >> 2;
}

/*
 * And in the second half, which is looked at when the first has another address: two that meet in
 * one half hardly meet in both.
 */
#define REGION_JUMP_FOLD 11

static inline uint32_t region_jump_hash_second(uint64_t pc)
{
	return region_jump_hash(pc ^ pc >> REGION_JUMP_FOLD);
}

/* The address in an entry of either half that is empty: one that belongs elsewhere. */
static inline uint64_t region_jump_empty(uint32_t index)
{
	return index ? 0 : 4;
}

/*
 * The high-order bits of a region's mode: guest and host addresses go together around it in an aligned piece of
 * so much memory, wherever it is run. The other bits are the architecture's.
 */
#define REGION_SPAN_BIT	 30
#define REGION_SPAN_MASK (UINT32_C(3) << REGION_SPAN_BIT)

enum region_span {
	REGION_SPAN_BLOCK, /* 4 KiB */
	REGION_SPAN_64K,
	REGION_SPAN_2M,
};

/* As bits of a mode, for code in a page of 2^page_shift bytes. */
static inline uint32_t region_span_bits(unsigned page_shift)
{
	uint32_t span = page_shift >= 21 ? REGION_SPAN_2M :
			page_shift >= 16 ? REGION_SPAN_64K :
					   REGION_SPAN_BLOCK;

	return span << REGION_SPAN_BIT;
}

/* log2 of the span's bytes */
static inline unsigned region_span_shift(uint32_t mode)
{
	static const uint8_t shift[] = {12, 16, 21, 21};

	return shift[mode >> REGION_SPAN_BIT];
}

/* A line: most regions are run a few times and never compiled, and a look-up reads one of each that it meets. */
struct region {
	uint64_t host; /* address of its first instruction in host memory */
	uint64_t pc;   /* guest address of the same where it was found first */
	struct region_compiled *_Atomic compiled; /* NULL: interpreted */
	struct ir_code *code; /* NULL once it is compiled, and all processors know: see region_attach */
	_Atomic(struct region *) hash_next;
	struct region *block_next; /* in its block's list, or in the retired list */
	uint32_t mode;         /* with REGION_SPAN_MASK */
	_Atomic uint32_t seen; /* by the cache's clock: when it was last looked up, linked or interpreted */
	_Atomic uint16_t runs; /* how often it was interpreted; approximate */
	uint16_t len;          /* bytes of guest code that it was made from, contiguous */
	_Atomic uint16_t held; /* region_hold; changed under the cache's mutex */
	bool bound;            /* good for this pc only */
	_Atomic bool dead;
};

ASSERT_SIZE(struct region, 64);

#define REGION_RUNS_MAX (INT16_MAX - 1)

static inline uint16_t region_runs(const struct region *g)
{
	return atomic_load_explicit(&g->runs, memory_order_relaxed);
}

static inline void region_set_runs(struct region *g, uint16_t runs)
{
	atomic_store_explicit(&g->runs, runs, memory_order_relaxed);
}

/* Nothing, if they are not `before` any more. */
static inline void region_change_runs(struct region *g, uint16_t before, uint16_t runs)
{
	atomic_compare_exchange_strong_explicit(&g->runs, &before, runs, memory_order_relaxed, memory_order_relaxed);
}

/* What a region has once it is compiled, until its end. */
struct region_compiled {
	struct jit_code *code;
	const void *entry;
	struct region_link *incoming;
	union {
		struct region *strip_next; /* in the list of those whose interpreted form goes */
		struct region_compiled *let_go_next;
	};
	struct region_path *path;  /* NULL: it was made from contiguous code */
	uint16_t unshared;         /* how often it was left so (IR_LEAVE_UNSHARED) of late; approximate */
	uint16_t unshared_in;      /* when that was, by a clock of the run loop's */
	uint16_t content_len;      /* 0: it is not to be copied */
	bool kept;                 /* it is dead, and counted */
	uint32_t content_hash;     /* of what it was made from: */
	struct siphash content;
	struct region_link {
		struct region *from, *to;  /* to NULL: not linked */
		struct region_link *next; /* of those into `to` */
	} link[]; /* by exit: direct jumps to others' compiled code; under the cache's mutex */
};

/*
 * What a path region was made from: pieces of guest code in one span, the first of which is region.host and
 * region.len, too.
 */
#define REGION_PIECES 8

struct region_piece {
	uint64_t host;
	uint64_t next[2]; /* where its indirect branches went: places of pieces, or 0 */
	uint32_t len;
	struct region *region;
	struct region_piece *block_next; /* in its block's list; under the cache's mutex */
};

struct region_path {
	unsigned n;
	/* The run loop's: how often its path was recorded, and how often it was met since. */
	_Atomic unsigned made, samples;
	struct region_piece piece[REGION_PIECES];
};

/* The path that a region was made for, or NULL. It is as long there as the region. */
static inline struct region_path *region_path(const struct region *g)
{
	const struct region_compiled *c = atomic_load_explicit(&g->compiled, memory_order_acquire);

	return c ? c->path : NULL;
}

/* Where its compiled code is entered; NULL: it has none. */
static inline const void *region_entry(const struct region *g)
{
	const struct region_compiled *c = atomic_load_explicit(&g->compiled, memory_order_acquire);

	return c ? c->entry : NULL;
}

/* Ticks now and then while translations are evicted, so that what is used can be told from what was. */
struct region_clock {
	_Atomic uint32_t now;
};

static inline uint32_t region_clock_now(const struct region_clock *k)
{
	return atomic_load_explicit(&k->now, memory_order_relaxed);
}

/* Written when it is news only: other processors read what lies beside. */
static inline void region_use(const struct region_clock *k, struct region *g)
{
	uint32_t now = region_clock_now(k);

	if (UNLIKELY(atomic_load_explicit(&g->seen, memory_order_relaxed) != now))
		atomic_store_explicit(&g->seen, now, memory_order_relaxed);
}

struct region_cache;

/*
 * Bytes that live regions may take, as they are interpreted and compiled: above it, those that have not been
 * used for long are killed, some with each that is entered.
 */
struct region_limits {
	size_t interpreted, compiled;
	bool keep_interpreted; /* of what is compiled, too */
	bool no_twins;         /* nothing is found by its content */
};

/* jit: frees and links compiled code; NULL when everything is interpreted. */
struct region_cache *region_cache_create(struct jit *jit, const struct region_limits *limit);

void region_cache_destroy(struct region_cache *rc);

/* Other limits than those that it was made with, from now on; what is beyond them goes as others are entered. */
void region_cache_limit(struct region_cache *rc, size_t interpreted, size_t compiled);

/*
 * Where the interpreted code of its regions is to be from, with so many bytes in front of it (ir_lower_in), which
 * they need.
 */
struct slab *region_slab(struct region_cache *rc);
#define REGION_TEXT_FRONT 32u

/* For region_use: by who interprets a region, or finds it without region_lookup. */
const struct region_clock *region_cache_clock(const struct region_cache *rc);

/* NULL if there is none (alive). */
struct region *region_lookup(struct region_cache *rc, hva_t host, uint64_t pc, uint32_t mode);

/*
 * Enter a block as one that holds code, before its bytes are read for translation. True: it did
 * not hold any before, so the caller must first have every processor forget writable TLB
 * entries for it, and say so: region_block_told, with the version that it had before. Until then others who mark it do
 * the same, since they may not read its bytes sooner either. -ENOMEM as errno with false in *ok.
 */
bool region_mark_block(struct region_cache *rc, hva_t block, bool *ok);
void region_block_told(struct region_cache *rc, hva_t block, uint64_t version);

/* Does the block hold translated code? No lock. */
bool region_block_has_code(struct region_cache *rc, hva_t block);

/* A bit for each block of a group (mem/tlb.h) that may hold some, or has held it. No lock. */
uint32_t region_group_seen(struct region_cache *rc, hva_t group);

uint64_t region_block_version(struct region_cache *rc, hva_t block);

/* What a region is made from, and for. */
struct region_source {
	hva_t host;
	uint64_t pc;
	uint32_t mode;        /* with its span */
	bool bound;
	uint32_t size;        /* of `bytes`: as many as it may be made from at most */
	const uint8_t *bytes; /* a copy of the guest's code: that may be written at any time */
	uint64_t version;     /* as region_block_version returned it before they were copied */
};

/*
 * Enter a region with code that was made from the first len bytes (ownership passes, whatever comes of it). If the
 * block has been written since, nothing is entered and NULL is returned with errno EAGAIN. NULL with ENOMEM. If
 * another thread has entered an equal one, that one is returned.
 */
struct region *region_insert(struct region_cache *rc, const struct region_source *from,
			     struct ir_code *code, uint32_t len);

/* Compiled code that is no region's yet, and what of the guest's code it was made from. */
struct region_product {
	struct jit_code *code;
	uint32_t len;
	bool known; /* others may copy it: */
	uint32_t hash;
	struct siphash content;
};

/* May code be found by its content at all? */
bool region_finds_twins(const struct region_cache *rc);

/* code was made from the first len bytes; kind: what it depends on beside the mode. */
void region_product_init(struct region_cache *rc, struct region_product *p, struct jit_code *code,
			 const struct region_source *from, uint32_t len, uint32_t kind);

/* Copy what was compiled from the same guest code, at another place. False: there is none, or no memory. */
bool region_copy_twin(struct region_cache *rc, const struct region_source *from, uint32_t kind,
		      struct region_product *p);

/*
 * How many of the `size` bytes from g's place on lie before another region for its mode begins, at a multiple of `step`
 * bytes from there, that is compiled and had fewer runs than that (region_runs); but for paths. Any thread that holds g.
 */
uint32_t region_until_compiled(struct region_cache *rc, const struct region *g, uint32_t size, unsigned step,
			       uint16_t runs);

/*
 * As region_insert, with the interpreted code of others with the same guest code. NULL, and errno 0: only compiled code
 * was found, and copied, to be inserted. Errno is ENOENT if there is none.
 */
struct region *region_insert_twin(struct region_cache *rc, const struct region_source *from, uint32_t kind,
				  struct region_product *p);

/* As region_insert, with compiled code and no other. */
struct region *region_insert_compiled(struct region_cache *rc, const struct region_source *from,
				      const struct region_product *p);

/*
 * Give a region compiled code (ownership passes), made from p->len bytes, which may be more than the
 * region had. `version` as for region_insert. False: the region has died or its block was written
 * meanwhile, or there is no memory; the code is freed.
 */
bool region_attach(struct region_cache *rc, struct region *g, const struct region_product *p,
		   uint64_t version);

/* A piece of a path, and the version of its block as region_block_version returned it before the code was copied. */
struct region_path_source {
	hva_t host, next[2];
	uint32_t len; /* bytes that the code depends on */
	uint64_t version;
};

/*
 * Enter a path region, compiled, at from->host (from->version and from->bytes are not looked at): its first piece's place. What
 * is found there is retired: everybody finds the new one from now on. `text`: its interpreted code
 * from ir_lower_in, or NULL. Ownership of code and text passes, whatever comes of it. made: for region_path.
 * NULL with errno EAGAIN: a block with a piece of it was written, or holds no code any more; ENOMEM.
 */
struct region *region_enter_path(struct region_cache *rc, const struct region_source *from,
				 const struct region_path_source *piece, unsigned n, struct jit_code *code,
				 struct ir_code *text, unsigned made);

/* `made` of the path region there; 0: there is none. */
unsigned region_path_made(struct region_cache *rc, const struct region_source *at);

/*
 * Keep a region readable, though it may die, for a thread that passes no quiescent points. The caller
 * of region_hold is at none itself.
 */
void region_hold(struct region_cache *rc, struct region *g);
void region_release(struct region_cache *rc, struct region *g);

/*
 * Have an exit of `from` lead straight to `to`, if both live and are compiled. They must lie in the
 * same span, so that one translation holds for both. Code without end finds a poll: what leads backwards, or away from
 * a path region, whose exits may be anywhere, looks for requests.
 */
void region_link(struct region_cache *rc, struct region *from, uint32_t exit, struct region *to);

/* Kill what was made from host memory [start, start+len). True if anything was. */
bool region_kill_range(struct region_cache *rc, hva_t start, uint64_t len);

/* Kill everything. */
void region_kill_all(struct region_cache *rc);

/*
 * Epoch-based reclamation. region_epoch_advance starts a new epoch when enough has been retired, or a new
 * round has begun (true: the caller has every processor pass a quiescent point); region_cache_reclaim
 * frees what was retired before epoch `oldest_seen`, the oldest that a running processor has acknowledged.
 *
 * Compiled code goes on in what the jump cache holds, unseen. When a processor sees in a new epoch that
 * region_round is another, it lets no entry of its jump cache hit before it has looked at it again, and
 * told of it (region_use).
 */
uint64_t region_epoch(const struct region_cache *rc);
uint32_t region_round(const struct region_cache *rc);
bool region_epoch_advance(struct region_cache *rc);
void region_cache_reclaim(struct region_cache *rc, uint64_t oldest_seen);

/* Live regions; since creation: regions killed, and of these, to make room. No lock. */
struct region_cache_stats {
	uint64_t live, killed, evicted;
};

void region_cache_stats_read(const struct region_cache *rc, struct region_cache_stats *out);

/* Compiled code takes nearly what it may. */
bool region_cache_filling(const struct region_cache *rc);

/* Bytes that the interpreted form of live regions takes. */
size_t region_cache_bytes(const struct region_cache *rc);

#endif
