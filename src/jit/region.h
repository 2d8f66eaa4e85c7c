/*
 * Regions: pieces of translated guest code, found by the host address of the code, the
 * guest address it runs at and the mode bits that its translation depends on.
 *
 * One `struct region_cache` serves all processors of a system. Lookups take no lock; insertion and
 * removal take the cache's mutex. A region that is removed (its code was written, its memory
 * unmapped) is marked dead at once and stays readable until every processor has passed a point
 * at which it holds no region (region_cache_reclaim): the processors' run loop announces these points.
 *
 * A region lies within one TLB block (4 KiB), so one write-protected block covers it.
 *
 * Lock order: the mutex here is innermost; no callback is made with it held.
 */
#ifndef ANYKVM_JIT_REGION_H
#define ANYKVM_JIT_REGION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "ir/interp.h"
#include "mem/addr.h"

struct region {
	uint64_t host; /* address of its first instruction in host memory */
	uint64_t pc;   /* guest address of the same */
	uint32_t mode;
	uint32_t len;  /* bytes of guest code that it was made from, contiguous */
	_Atomic bool dead;
	struct ir_code *code;
	_Atomic(struct region *) hash_next;
	struct region *block_next;  /* in its block's list, or in the retired list */
};

struct region_cache;

struct region_cache *region_cache_create(void);
void region_cache_destroy(struct region_cache *rc);

/* NULL if there is none (alive). */
struct region *region_lookup(struct region_cache *rc, hva_t host, uint64_t pc, uint32_t mode);

/*
 * Enter a block as one that holds code, before its bytes are read for translation. True: it did
 * not hold any before, so the caller must first have every processor forget writable TLB
 * entries for it. -ENOMEM as errno with false in *ok.
 */
bool region_mark_block(struct region_cache *rc, hva_t block, bool *ok);

/* Does the block hold translated code? No lock. */
bool region_block_has_code(struct region_cache *rc, hva_t block);

/*
 * Enter a region (ownership of `code` passes when it succeeds). `version` is what region_block_version returned
 * before the code was read: if the block has been written since, nothing is entered and NULL
 * is returned with errno EAGAIN. NULL with ENOMEM. If another thread has
 * entered an equal one, `code` is freed and that one returned.
 */
uint64_t region_block_version(struct region_cache *rc, hva_t block);
struct region *region_insert(struct region_cache *rc, hva_t host, uint64_t pc, uint32_t mode,
			     uint32_t len, struct ir_code *code, uint64_t version);

/* Kill what was made from host memory [start, start+len). True if anything was. */
bool region_kill_range(struct region_cache *rc, hva_t start, uint64_t len);

/* Kill everything. */
void region_kill_all(struct region_cache *rc);

/*
 * Epoch-based reclamation. region_epoch_advance starts a new epoch when enough has been retired
 * (true: the caller has every processor pass a quiescent point); region_cache_reclaim
 * frees what was retired before epoch `oldest_seen`, the oldest that a running processor has acknowledged.
 */
uint64_t region_epoch(const struct region_cache *rc);
bool region_epoch_advance(struct region_cache *rc);
void region_cache_reclaim(struct region_cache *rc, uint64_t oldest_seen);

/* Bytes held by live regions; above the limit the owner kills everything. */
size_t region_cache_bytes(const struct region_cache *rc);

#endif
