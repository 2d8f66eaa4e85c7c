/*
 * The region cache: see region.h.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "jit/jit.h"
#include "jit/region.h"
#include "mem/tlb.h"
#include "util/counter.h"
#include "util/slab.h"

#define REGION_HASH_BITS  18
#define REGION_HASH_SIZE  (1u << REGION_HASH_BITS)
#define BLOCK_HASH_BITS   14
#define BLOCK_HASH_SIZE   (1u << BLOCK_HASH_BITS)
#define RETIRED_THRESHOLD 2048

/* A block of guest memory that holds, or held, translated code. Never freed before the cache. */
struct code_block {
	uint64_t host;
	_Atomic uint64_t version;  /* counts the times that its code was written */
	_Atomic uint32_t marked;   /* writes to it are reported */
	struct region *regions;
	_Atomic(struct code_block *) hash_next;
};

struct retired {
	struct region *list;
	uint64_t epoch; /* in which its members were retired */
};

struct region_cache {
	_Atomic(struct region *) hash[REGION_HASH_SIZE];
	_Atomic(struct code_block *) block[BLOCK_HASH_SIZE];
	pthread_mutex_t lock;
	_Atomic uint64_t epoch;
	struct retired retired[2]; /* of the current epoch and of those before */
	uint32_t nretired;
	_Atomic size_t bytes;
	struct counter entered, killed; /* under the lock */
	struct counter flushes;
	struct jit *jit;
	struct slab *slab; /* regions and their interpreted code */
};

static uint32_t region_hash(uint64_t host, uint32_t mode)
{
	uint64_t h = (host >> 2) * UINT64_C(0x9e3779b97f4a7c15);

	h ^= mode * UINT64_C(0x165667b19e3779f9);
	return h >> (64 - REGION_HASH_BITS);
}

static uint32_t block_hash(uint64_t host)
{
	return ((host >> TLB_BLOCK_SHIFT) * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - BLOCK_HASH_BITS);
}

struct region_cache *region_cache_create(struct jit *jit)
{
	struct region_cache *rc = calloc(1, sizeof(*rc));

	if (!rc)
		return NULL;
	rc->slab = slab_create();
	if (!rc->slab) {
		free(rc);
		return NULL;
	}
	pthread_mutex_init(&rc->lock, NULL);
	atomic_store(&rc->epoch, 1);
	rc->jit = jit;
	return rc;
}

struct slab *region_slab(struct region_cache *rc)
{
	return rc->slab;
}

/* What is not in the slab. */
static void free_compiled(struct region_cache *rc, struct region *g)
{
	if (g->compiled)
		jit_free(rc->jit, g->compiled);
	free(g->link);
}

static void region_free(struct region_cache *rc, struct region *g)
{
	free_compiled(rc, g);
	ir_code_free(g->code);
	slab_give(rc->slab, g, sizeof(*g));
}

/* True: somebody still holds g, and frees it. */
static bool left_to_holder(struct region_cache *rc, struct region *g)
{
	bool held;

	/* No processor can reach it, so nobody begins to hold it now. */
	if (!atomic_load(&g->held))
		return false;
	pthread_mutex_lock(&rc->lock);
	held = g->unowned = atomic_load(&g->held) > 0;
	pthread_mutex_unlock(&rc->lock);
	return held;
}

static void free_list(struct region_cache *rc, struct region *g)
{
	while (g) {
		struct region *next = g->block_next;

		if (!left_to_holder(rc, g))
			region_free(rc, g);
		g = next;
	}
}

void region_hold(struct region_cache *rc, struct region *g)
{
	pthread_mutex_lock(&rc->lock);
	atomic_fetch_add(&g->held, 1);
	pthread_mutex_unlock(&rc->lock);
}

void region_release(struct region_cache *rc, struct region *g)
{
	bool last;

	pthread_mutex_lock(&rc->lock);
	last = atomic_fetch_sub(&g->held, 1) == 1 && g->unowned;
	pthread_mutex_unlock(&rc->lock);
	if (last)
		region_free(rc, g);
}

/* All at once at the end. */
static void drop_list(struct region_cache *rc, struct region *g)
{
	for (; g; g = g->block_next)
		free_compiled(rc, g);
}

void region_cache_destroy(struct region_cache *rc)
{
	if (!rc)
		return;
	for (uint32_t i = 0; i < BLOCK_HASH_SIZE; i++) {
		struct code_block *b = atomic_load(&rc->block[i]);

		while (b) {
			struct code_block *next = atomic_load(&b->hash_next);

			drop_list(rc, b->regions);
			free(b);
			b = next;
		}
	}
	for (unsigned i = 0; i < 2; i++)
		drop_list(rc, rc->retired[i].list);
	slab_destroy(rc->slab);
	pthread_mutex_destroy(&rc->lock);
	free(rc);
}

struct region *region_lookup(struct region_cache *rc, hva_t host, uint64_t pc, uint32_t mode)
{
	struct region *g = atomic_load_explicit(&rc->hash[region_hash(host.v, mode)],
						memory_order_acquire);

	for (; g; g = atomic_load_explicit(&g->hash_next, memory_order_acquire))
		if (g->host == host.v && g->mode == mode && (!g->bound || g->pc == pc) &&
		    !atomic_load_explicit(&g->dead, memory_order_relaxed))
			return g;
	return NULL;
}

static struct code_block *block_find(struct region_cache *rc, uint64_t host)
{
	struct code_block *b;

	host &= ~TLB_BLOCK_MASK;
	b = atomic_load_explicit(&rc->block[block_hash(host)], memory_order_acquire);
	while (b && b->host != host)
		b = atomic_load_explicit(&b->hash_next, memory_order_acquire);
	return b;
}

bool region_mark_block(struct region_cache *rc, hva_t block, bool *ok)
{
	struct code_block *b = block_find(rc, block.v);
	bool fresh = false;

	*ok = true;
	if (b && atomic_load(&b->marked))
		return false;
	pthread_mutex_lock(&rc->lock);
	b = block_find(rc, block.v);
	if (!b) {
		b = calloc(1, sizeof(*b));
		if (!b) {
			*ok = false;
			goto out;
		}
		b->host = block.v & ~TLB_BLOCK_MASK;
		_Atomic(struct code_block *) *head = &rc->block[block_hash(b->host)];

		atomic_store(&b->hash_next, atomic_load(head));
		atomic_store(&b->marked, 1);
		atomic_store_explicit(head, b, memory_order_release);
		fresh = true;
	} else if (!atomic_load(&b->marked)) {
		atomic_store(&b->marked, 1);
		fresh = true;
	}
out:
	pthread_mutex_unlock(&rc->lock);
	return fresh;
}

bool region_block_has_code(struct region_cache *rc, hva_t block)
{
	struct code_block *b = block_find(rc, block.v);

	return b && atomic_load(&b->marked);
}

uint64_t region_block_version(struct region_cache *rc, hva_t block)
{
	struct code_block *b = block_find(rc, block.v);

	return b ? atomic_load(&b->version) : 0;
}

struct region *region_insert(struct region_cache *rc, hva_t host, uint64_t pc, uint32_t mode,
			     bool bound, uint32_t len, struct ir_code *code, uint64_t version)
{
	struct region *g = slab_take(rc->slab, sizeof(*g)), *same;
	struct code_block *b;
	int err = 0;

	if (!g) {
		errno = ENOMEM;
		return NULL;
	}
	*g = (struct region){
		.host = host.v,
		.pc = pc,
		.mode = mode,
		.bound = bound,
		.len = len,
		.code = code,
	};
	pthread_mutex_lock(&rc->lock);
	b = block_find(rc, host.v);
	same = region_lookup(rc, host, pc, mode);
	if (!b || !atomic_load(&b->marked) || atomic_load(&b->version) != version) {
		err = EAGAIN;
	} else if (!same) {
		_Atomic(struct region *) *head = &rc->hash[region_hash(host.v, mode)];

		g->block_next = b->regions;
		b->regions = g;
		atomic_store(&g->hash_next, atomic_load(head));
		atomic_store_explicit(head, g, memory_order_release);
		atomic_fetch_add(&rc->bytes, sizeof(*g) + ir_code_size(code));
		count(&rc->entered);
	}
	pthread_mutex_unlock(&rc->lock);
	if (err) {
		slab_give(rc->slab, g, sizeof(*g));
		errno = err;
		return NULL;
	}
	if (same) {
		region_free(rc, g);
		return same;
	}
	return g;
}

bool region_attach(struct region_cache *rc, struct region *g, struct jit_code *code, uint32_t len,
		   uint64_t version)
{
	struct region_link *link = calloc(code->nexit + 1, sizeof(*link));
	bool attached = false;

	pthread_mutex_lock(&rc->lock);
	if (link && !atomic_load(&g->dead) && !g->compiled &&
	    region_block_version(rc, HVA(g->host)) == version) {
		if (len > g->len)
			g->len = len;
		for (uint32_t n = 0; n < code->nexit; n++)
			link[n].from = g;
		g->link = link;
		g->compiled = code;
		code->owner = g;
		atomic_store_explicit(&g->entry, code->entry, memory_order_release);
		attached = true;
	}
	pthread_mutex_unlock(&rc->lock);
	if (!attached) {
		free(link);
		jit_free(rc->jit, code);
	}
	return attached;
}

void region_link(struct region_cache *rc, struct region *from, uint32_t exit, struct region *to)
{
	pthread_mutex_lock(&rc->lock);
	if (!atomic_load(&from->dead) && !atomic_load(&to->dead) && from->compiled &&
	    to->compiled && exit < from->compiled->nexit && !from->link[exit].to &&
	    (from->host ^ to->host) >> TLB_BLOCK_SHIFT == 0 && from->mode == to->mode) {
		struct region_link *l = &from->link[exit];

		l->to = to;
		l->next = to->incoming;
		to->incoming = l;
		/* Forwards in a block there is an end to it soon. */
		jit_link(from->compiled, exit, to->compiled, to->host <= from->host);
	}
	pthread_mutex_unlock(&rc->lock);
}

/* Lock held. Nothing jumps to g any more, and g jumps nowhere. */
static void unlink_all(struct region *g)
{
	if (!g->compiled)
		return;
	for (struct region_link *l = g->incoming; l; l = l->next) {
		jit_unlink(l->from->compiled, l - l->from->link);
		l->to = NULL;
	}
	g->incoming = NULL;
	for (uint32_t n = 0; n < g->compiled->nexit; n++) {
		struct region_link *l = &g->link[n], **at;

		if (!l->to)
			continue;
		for (at = &l->to->incoming; *at != l; at = &(*at)->next)
			;
		*at = l->next;
		l->to = NULL;
		jit_unlink(g->compiled, n);
	}
}

/* Lock held. Takes g out of the hash and keeps it for reclamation. */
static void retire(struct region_cache *rc, struct region *g)
{
	_Atomic(struct region *) *link = &rc->hash[region_hash(g->host, g->mode)];
	struct region *at;

	atomic_store(&g->dead, true);
	unlink_all(g);
	if (g->compiled)
		jit_kill(rc->jit, g->compiled);
	while ((at = atomic_load(link)) && at != g)
		link = &at->hash_next;
	if (at)
		atomic_store(link, atomic_load(&g->hash_next));
	/* g->hash_next stays: a reader may stand on g. */
	g->block_next = rc->retired[0].list;
	rc->retired[0].list = g;
	rc->nretired++;
	atomic_fetch_sub(&rc->bytes, sizeof(*g) + ir_code_size(g->code));
	count(&rc->killed);
}

bool region_kill_range(struct region_cache *rc, hva_t start, uint64_t len)
{
	uint64_t end = start.v + len;
	bool any = false;

	if (!len)
		return false;
	pthread_mutex_lock(&rc->lock);
	/* A long range is cheaper by a walk over the blocks that there are. */
	bool walk = (len >> TLB_BLOCK_SHIFT) > BLOCK_HASH_SIZE;
	uint64_t at = start.v & ~TLB_BLOCK_MASK;
	uint32_t bucket = 0;
	struct code_block *b = NULL;

	for (;;) {
		if (walk) {
			while (!b && bucket < BLOCK_HASH_SIZE)
				b = atomic_load(&rc->block[bucket++]);
			if (!b)
				break;
		} else {
			if (at >= end)
				break;
			b = block_find(rc, at);
			at += TLB_BLOCK_SIZE;
			if (!b)
				continue;
		}
		if (b->host < end && b->host + TLB_BLOCK_SIZE > start.v) {
			struct region **link = &b->regions, *g;

			atomic_fetch_add(&b->version, 1);
			while ((g = *link)) {
				if (g->host < end && g->host + g->len > start.v) {
					*link = g->block_next;
					retire(rc, g);
					any = true;
				} else {
					link = &g->block_next;
				}
			}
			/* With nothing left to protect, stores may go at full speed again. */
			if (!b->regions)
				atomic_store(&b->marked, 0);
		}
		b = walk ? atomic_load(&b->hash_next) : NULL;
	}
	pthread_mutex_unlock(&rc->lock);
	return any;
}

void region_kill_all(struct region_cache *rc)
{
	count_shared(&rc->flushes);
	region_kill_range(rc, HVA(0), UINT64_MAX);
}

void region_cache_stats_read(const struct region_cache *rc, struct region_cache_stats *out)
{
	uint64_t entered = counter_read(&rc->entered);

	out->killed = counter_read(&rc->killed);
	/* The two are not read at one moment. */
	out->live = entered > out->killed ? entered - out->killed : 0;
	out->flushes = counter_read(&rc->flushes);
}

uint64_t region_epoch(const struct region_cache *rc)
{
	return atomic_load(&rc->epoch);
}

bool region_epoch_advance(struct region_cache *rc)
{
	bool advanced = false;

	pthread_mutex_lock(&rc->lock);
	if (rc->nretired >= RETIRED_THRESHOLD && !rc->retired[1].list) {
		rc->retired[1].list = rc->retired[0].list;
		rc->retired[1].epoch = atomic_load(&rc->epoch);
		rc->retired[0].list = NULL;
		rc->nretired = 0;
		atomic_fetch_add(&rc->epoch, 1);
		advanced = true;
	}
	pthread_mutex_unlock(&rc->lock);
	return advanced;
}

void region_cache_reclaim(struct region_cache *rc, uint64_t oldest_seen)
{
	struct region *list = NULL;

	pthread_mutex_lock(&rc->lock);
	if (rc->retired[1].list && rc->retired[1].epoch < oldest_seen) {
		list = rc->retired[1].list;
		rc->retired[1].list = NULL;
	}
	pthread_mutex_unlock(&rc->lock);
	free_list(rc, list);
}

size_t region_cache_bytes(const struct region_cache *rc)
{
	return atomic_load(&rc->bytes);
}
