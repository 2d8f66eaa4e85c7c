/*
 * Keeping the region cache within bounds, and freeing what is dead.
 *
 * Eviction is a clock: a hand goes round the blocks that hold code, a few with each translation that is
 * entered while there is too much, so that nobody waits for long. A region that was looked up or linked to
 * since the hand came by last loses its mark and its links, so that its use is seen again; one that was not is
 * killed. What goes on from jump caches alone is not seen: a round begins by having all processors clear
 * theirs, as they do when an epoch begins.
 */
#include "jit/jit.h"
#include "jit/region_cache.h"

#define SWEEP_BUCKETS	  256 /* of blocks, at most, for each translation that is entered */
#define RETIRED_THRESHOLD 512 /* regions: enough to begin an epoch */

/* Interpreted regions and compiled ones have a bound and a hand each. */
static bool excess(const struct region_cache *rc, bool compiled)
{
	return compiled ? atomic_load(&rc->compiled_bytes) > rc->limit.compiled :
			  atomic_load(&rc->bytes) > rc->limit.interpreted;
}

static void sweep_block(struct region_cache *rc, struct code_block *b, bool compiled)
{
	struct region **link = &b->regions, *g;

	while ((g = *link)) {
		if (!g->compiled == compiled) {
			link = &g->block_next;
		} else if (atomic_load_explicit(&g->used, memory_order_relaxed)) {
			atomic_store_explicit(&g->used, false, memory_order_relaxed);
			region_unlink(g);
			link = &g->block_next;
		} else {
			*link = g->block_next;
			region_retire(rc, g);
			count(&rc->evicted);
		}
	}
	/* As region_kill_range: who is translating must not take it for the block it has marked. */
	if (!b->regions && atomic_load(&b->marked)) {
		atomic_fetch_add(&b->version, 1);
		atomic_store(&b->marked, 0);
	}
}

void region_make_room(struct region_cache *rc, bool compiled)
{
	uint32_t *hand = &rc->hand[compiled];

	for (unsigned n = 0; n < SWEEP_BUCKETS && excess(rc, compiled); n++) {
		struct code_block *b = atomic_load(&rc->block[*hand]);

		if (!*hand)
			rc->want_epoch = true;
		for (; b; b = atomic_load(&b->hash_next))
			if (b->regions)
				sweep_block(rc, b, compiled);
		*hand = (*hand + 1) % BLOCK_HASH_SIZE;
	}
}

/* ---- epochs ---- */

uint64_t region_epoch(const struct region_cache *rc)
{
	return atomic_load(&rc->epoch);
}

bool region_epoch_advance(struct region_cache *rc)
{
	bool advanced = false, enough;

	pthread_mutex_lock(&rc->lock);
	enough = rc->nretired >= RETIRED_THRESHOLD || rc->want_epoch ||
		 rc->retired_bytes > (rc->limit.interpreted + rc->limit.compiled) / 16;
	if (enough && !rc->retired[1].list && !rc->retired[1].stripped) {
		rc->retired[1] = rc->retired[0];
		rc->retired[1].epoch = atomic_load(&rc->epoch);
		rc->retired[0].list = rc->retired[0].stripped = NULL;
		rc->nretired = 0;
		rc->retired_bytes = 0;
		rc->want_epoch = false;
		atomic_fetch_add(&rc->epoch, 1);
		advanced = true;
	}
	pthread_mutex_unlock(&rc->lock);
	return advanced;
}

/* Lock held. Nobody interprets them any more: all have seen that they are compiled. */
static void strip(struct region_cache *rc, struct region *g)
{
	for (; g; g = g->strip_next) {
		if (!atomic_load(&g->dead))
			atomic_fetch_sub(&rc->bytes, ir_code_size(g->code));
		ir_code_free(g->code);
		g->code = NULL;
	}
}

void region_cache_reclaim(struct region_cache *rc, uint64_t oldest_seen)
{
	struct region *list = NULL;

	pthread_mutex_lock(&rc->lock);
	if (rc->retired[1].epoch < oldest_seen) {
		/* before what is freed: it may be among that */
		strip(rc, rc->retired[1].stripped);
		list = rc->retired[1].list;
		rc->retired[1].list = rc->retired[1].stripped = NULL;
	}
	pthread_mutex_unlock(&rc->lock);
	region_free_list(rc, list);
}
