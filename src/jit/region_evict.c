/*
 * Keeping the region cache within bounds, and freeing what is dead.
 *
 * Eviction is a clock: a hand goes round the blocks that hold code, a few with each translation that is
 * entered while there is too much, so that nobody waits for long. A region that was seen in this round or the
 * one before loses its links only, so that its use is seen again; one that was not is killed. What goes
 * on from jump caches is not seen: a round begins by having all processors look at what theirs hold
 * again (region_round). So what is used at least once in a round stays, unless the
 * bound is exceeded by much: a guest may use all that there is again and again.
 *
 * Interpreted regions and compiled ones have a bound and a hand each: the former are cheap to make again. What is kept
 * of those that died otherwise (region_twin.c) goes before any that live.
 */
#include "jit/jit.h"
#include "jit/region_cache.h"

#define SWEEP_BUCKETS	  128 /* of blocks, at most, for each translation that is entered */
#define EXCESS_SHARE	  16  /* above the bound by this share of it, what is used goes, too */
#define RETIRED_THRESHOLD 2048 /* regions: enough to begin an epoch */
#define RETIRED_SHARE	  32 /* and so is this share of what all may take */

/* More than the bound, and this share of it. */
static bool excess(const struct region_cache *rc, bool compiled, unsigned share)
{
	size_t bytes = atomic_load(compiled ? &rc->compiled_bytes : &rc->bytes);
	size_t limit = atomic_load(&rc->most[compiled]);

	return bytes > limit + (share ? limit / share : 0);
}

static bool unused_since(const struct region *g, uint32_t tick)
{
	return (int32_t)(atomic_load_explicit(&g->seen, memory_order_relaxed) - tick) < 0;
}

static void sweep_block(struct region_cache *rc, struct code_block *b, bool compiled,
			const struct region *keep)
{
	struct region **link = &b->regions, *g;
	bool all = excess(rc, compiled, EXCESS_SHARE);

	while ((g = *link)) {
		if (!g->compiled == compiled || g == keep) {
			link = &g->block_next;
		} else if (!all && !unused_since(g, rc->hand[compiled].since)) {
			region_unlink(rc, g);
			link = &g->block_next;
		} else {
			*link = g->block_next;
			region_retire(rc, g, true);
			count(&rc->evicted);
		}
	}
	/* As region_kill_range: who is translating must not take it for the block it has marked. */
	if (region_block_empty(b) && atomic_load(&b->marked)) {
		atomic_fetch_add(&b->version, 1);
		atomic_store(&b->marked, 0);
	}
}

static void begin_round(struct region_cache *rc, bool compiled)
{
	struct hand *h = &rc->hand[compiled];

	h->since = h->began;
	h->began = atomic_fetch_add(&rc->clock.now, 1) + 1;
	if (compiled) {
		atomic_fetch_add(&rc->round, 1);
		rc->want_epoch = true;
	}
}

void region_make_room(struct region_cache *rc, bool compiled, const struct region *keep)
{
	struct hand *h = &rc->hand[compiled];

	/* First what is kept of the dead. */
	for (unsigned n = 0; n < SWEEP_BUCKETS && excess(rc, compiled, 0); n++)
		if (!(compiled ? region_twin_drop(rc) : region_text_drop(rc)))
			break;
	for (unsigned n = 0; n < SWEEP_BUCKETS && excess(rc, compiled, 0); n++) {
		struct code_block *b = atomic_load(&rc->block[h->bucket]);

		if (!h->bucket)
			begin_round(rc, compiled);
		for (; b; b = atomic_load(&b->hash_next))
			if (b->regions)
				sweep_block(rc, b, compiled, keep);
		h->bucket = (h->bucket + 1) % BLOCK_HASH_SIZE;
	}
}

/* ---- epochs ---- */

uint64_t region_epoch(const struct region_cache *rc)
{
	return atomic_load(&rc->epoch);
}

uint32_t region_round(const struct region_cache *rc)
{
	return atomic_load(&rc->round);
}

bool region_epoch_advance(struct region_cache *rc)
{
	bool advanced = false, enough;

	pthread_mutex_lock(&rc->lock);
	enough = rc->nretired >= RETIRED_THRESHOLD || rc->want_epoch ||
		 rc->retired_bytes > (atomic_load(&rc->most[false]) + atomic_load(&rc->most[true])) / RETIRED_SHARE;
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
	for (; g; g = g->compiled->strip_next) {
		if (!atomic_load(&g->dead))
			region_text_die(rc, g->code, true);
		region_text_give(rc, g->code);
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
