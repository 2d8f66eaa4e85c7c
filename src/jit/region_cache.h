/*
 * The region cache inside: what region.c (looking up, entering, killing) and region_evict.c (bounds,
 * reclaiming) share. Nothing outside src/jit includes this.
 */
#ifndef ANYKVM_JIT_REGION_CACHE_H
#define ANYKVM_JIT_REGION_CACHE_H

#include <pthread.h>
#include "jit/region.h"
#include "mem/tlb.h"
#include "util/counter.h"

#define REGION_HASH_BITS 18
#define REGION_HASH_SIZE (1u << REGION_HASH_BITS)
#define BLOCK_HASH_BITS	 14
#define BLOCK_HASH_SIZE	 (1u << BLOCK_HASH_BITS)
#define BLOCK_SEEN_BITS	 18

/* A block of guest memory that holds, or held, translated code. Never freed before the cache. */
struct code_block {
	uint64_t host;
	_Atomic uint64_t version; /* counts the times that its code was written */
	_Atomic uint32_t marked;  /* writes to it are reported */
	struct region *regions;
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

struct region_cache {
	_Atomic(struct region *) hash[REGION_HASH_SIZE];
	_Atomic(struct code_block *) block[BLOCK_HASH_SIZE];
	/* By hash, a bit for each block in `block`: most that are asked about are not, and this is dense. */
	_Atomic uint64_t block_seen[(1u << BLOCK_SEEN_BITS) / 64];
	pthread_mutex_t lock;
	_Atomic uint64_t epoch;
	struct retired retired[2]; /* of the current epoch and of those before */
	uint32_t nretired, npatched;
	size_t retired_bytes;
	struct region_limits limit;
	_Atomic size_t bytes, compiled_bytes; /* of the live */
	struct region_clock clock;
	_Atomic uint32_t round; /* of the hand of compiled ones */
	bool want_epoch;        /* since that is new */
	struct hand hand[2];    /* [is it for compiled ones] */
	struct counter entered, killed, evicted; /* under the lock */
	struct jit *jit;
	struct slab *slab; /* regions and their interpreted code */
};

/* Lock held, for all of these. */

/* Nothing jumps to g any more, and g jumps nowhere. */
void region_unlink(struct region_cache *rc, struct region *g);

/* Take g, which is in no block's list any more, out of the hash and keep it for reclamation. */
void region_retire(struct region_cache *rc, struct region *g);

/* Bytes that g's interpreted form takes, and its compiled one. */
size_t region_size(const struct region *g);
size_t region_compiled_size(const struct region *g);

/* `keep` was entered: evict others that were not used lately, if there is too much of its kind. */
void region_make_room(struct region_cache *rc, bool compiled, const struct region *keep);

/* Without the lock: free a list of retired regions. */
void region_free_list(struct region_cache *rc, struct region *g);

#endif
