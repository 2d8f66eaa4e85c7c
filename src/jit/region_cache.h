/*
 * The region cache inside: what region.c (looking up, entering, killing), region_evict.c (bounds,
 * reclaiming), region_twin.c and region_text.c (code of the same content) share. Nothing outside src/jit includes this.
 */
#ifndef ANYKVM_JIT_REGION_CACHE_H
#define ANYKVM_JIT_REGION_CACHE_H

#include <pthread.h>
#include "jit/region.h"
#include "mem/tlb.h"
#include "util/counter.h"

#define REGION_HASH_BITS 17
#define REGION_HASH_SIZE (1u << REGION_HASH_BITS)
#define BLOCK_HASH_BITS	 14
#define BLOCK_HASH_SIZE	 (1u << BLOCK_HASH_BITS)
#define BLOCK_SEEN_BITS	 18

/* By who looks it up from now on; by all. */
enum { BLOCK_MARKED = 1, BLOCK_TOLD };

/* A block of guest memory that holds, or held, translated code. Never freed before the cache. */
struct code_block {
	uint64_t host;
	_Atomic uint64_t version; /* counts the times that its code was written */
	_Atomic uint32_t marked;  /* writes to it are reported: BLOCK_*, 0: not */
	struct region *regions;
	struct region_piece *pieces; /* of path regions, with those of regions that are its own, but for their first */
	_Atomic(struct code_block *) hash_next;
};

/* What nobody finds any more, but some processor may still hold. */
struct retired {
	struct region *list;
	struct region *stripped; /* compiled: their interpreted form is not needed any more */
	uint64_t epoch;          /* in which its members were retired */
};

/* Goes round the buckets of blocks to evict. */
struct hand {
	uint32_t bucket; /* that it looks at next */
	uint32_t began, since; /* by the clock: this round began, and the one before */
};

/* Guest code that is looked for, or was found, at another place. */
struct region_content {
	uint32_t mode, place, kind;
	uint32_t size;
	const uint8_t *bytes;
};

/* What is found by a hash: 2^bits lines of a few words, the newest first. */
#define REGION_SET_WAYS 8

struct region_set {
	uint64_t *line;
	void *memory;
	unsigned bits;
};

struct region_cache {
	_Atomic(struct region *) hash[REGION_HASH_SIZE];
	_Atomic(struct code_block *) block[BLOCK_HASH_SIZE];
	/* By hash, a bit for each block in `block`: most that are asked about are not, and this is dense. */
	_Atomic uint64_t block_seen[(1u << BLOCK_SEEN_BITS) / 64];
	pthread_mutex_t lock;
	_Atomic uint64_t epoch;
	struct retired retired[2]; /* of the current epoch and of those before */
	uint32_t nretired;
	size_t retired_bytes;
	bool keep_interpreted;  /* as of struct region_limits */
	_Atomic size_t most[2]; /* bytes that live regions may take: [compiled] */
	_Atomic size_t bytes, compiled_bytes; /* of the live, and what is kept of others: */
	_Atomic size_t kept_bytes;            /* compiled */
	struct region_clock clock;
	_Atomic uint32_t round; /* of the hand of compiled ones */
	bool want_epoch;        /* since that is new */
	struct hand hand[2];    /* [is it for compiled ones] */
	struct counter entered, killed, evicted; /* under the lock */
	struct jit *jit;
	struct slab *regions, *slab; /* themselves, and their interpreted code */
	/* By content (region_twin.c): text and struct region_compiled */
	struct siphash key;
	struct region_set twins;
	/* Those of the dead that are kept, the oldest first. */
	struct {
		struct text *texts, **texts_end;
		struct region_compiled *twins, **twins_end;
	} let_go;
};

/* Lock held, for all of these. */

/* Nothing jumps to g any more, and g jumps nowhere. */
void region_unlink(struct region_cache *rc, struct region *g);

/*
 * Take g, which is in no block's list any more, out of the hash and keep it for reclamation. for_room: and do not
 * keep what others could use.
 */
void region_retire(struct region_cache *rc, struct region *g, bool for_room);

struct code_block *region_block_find(struct region_cache *rc, uint64_t host);
struct region *region_new(struct region_cache *rc, const struct region_source *from);
struct region_compiled *region_compiled_new(const struct region_product *p);
/* g, of block b, can be found from now on: what it has is given to it before. */
void region_enter(struct region_cache *rc, struct code_block *b, struct region *g);
void region_give_text(struct region_cache *rc, struct region *g, struct ir_code *code);
void region_give_compiled(struct region_cache *rc, struct region *g, struct region_compiled *c,
			  const struct region_product *p);

/*
 * region_path.c: g, that dies, is in the lists of its pieces' blocks no more; and in its own block's. Kill
 * path regions of which a piece in b lies in [start, end). True: there were some.
 */
void region_path_unlist(struct region_cache *rc, struct region *g);
bool region_path_kill(struct region_cache *rc, struct code_block *b, uint64_t start, uint64_t end);

/* Nothing in it is translated code of a live region: stores to it need not be reported. */
static inline bool region_block_empty(const struct code_block *b)
{
	return !b->regions && !b->pieces;
}

/* Bytes that a compiled form takes. */
size_t region_compiled_size(const struct region_compiled *c);

/* `keep` was entered: evict others that were not used lately, if there is too much of its kind. */
void region_make_room(struct region_cache *rc, bool compiled, const struct region *keep);

/* ---- region_text.c: interpreted code ---- */

/*
 * enter makes it known to find, if others may have it; of c->size bytes the code that is found may be made from less.
 * Each region that has it takes it once, then dies once and gives it back once. The code is counted in
 * region_cache.bytes until it is freed, or the last region that lived has died to make room: die says how much less that
 * became. drop frees the oldest that nobody has; false: there is none.
 */
void region_text_init(struct ir_code *code, uint32_t len);
void region_text_enter(struct region_cache *rc, struct ir_code *code, const struct region_content *c,
		       uint32_t len);
struct ir_code *region_text_find(struct region_cache *rc, const struct region_content *c);
uint32_t region_text_len(const struct ir_code *code);
void region_text_take(struct region_cache *rc, struct ir_code *code);
size_t region_text_die(struct region_cache *rc, struct ir_code *code, bool for_room);
void region_text_give(struct region_cache *rc, struct ir_code *code);
bool region_text_drop(struct region_cache *rc);
size_t region_text_size(const struct ir_code *code);

/* ---- region_twin.c ---- */

void region_set_add(struct region_set *s, uint32_t hash, const void *what);
void region_set_remove(struct region_set *s, uint32_t hash, const void *what);
/* Those that may have this hash, each once: *at is 0 at first. NULL: no more. */
void *region_set_next(const struct region_set *s, uint32_t hash, unsigned *at);

/*
 * c, of a live region, may be copied; and not any more. let_go: nobody is in it any more, and it is kept to be
 * copied, or freed. drop frees the oldest of those; false: there is none.
 */
void region_twin_enter(struct region_cache *rc, struct region_compiled *c, const struct region_product *p);
void region_twin_remove(struct region_cache *rc, struct region_compiled *c);
void region_twin_let_go(struct region_cache *rc, struct region_compiled *c);
bool region_twin_drop(struct region_cache *rc);
/* As region_copy_twin. */
bool region_twin_copy(struct region_cache *rc, const struct region_source *from, uint32_t kind,
		      struct region_product *p);

/* ---- without the lock ---- */

/* Of what code depends on, compiled or not. */
struct region_content region_content_of(const struct region_source *from, bool compiled, uint32_t kind);
/* May others find what is made from the first len bytes? */
bool region_content_known(const struct region_cache *rc, const struct region_content *c, uint32_t len);
uint32_t region_content_hash(const struct region_content *c);
/* Of content of len bytes; equal values are equal contents. */
struct siphash region_content_value(const struct region_cache *rc, const struct region_content *c, uint32_t len);

/* Of `all` bytes that translations may take, what looking them up by content takes is a SET_SHARE-th. */
#define REGION_SET_SHARE 32 /* an entry for each */

/* all 0: nothing is looked up so. False: out of memory. */
bool region_twins_create(struct region_cache *rc, size_t all);
void region_twins_destroy(struct region_cache *rc);

/* Free a list of retired regions. */
void region_free_list(struct region_cache *rc, struct region *g);

#endif
