/*
 * The region cache: see region.h.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "jit/jit.h"
#include "jit/region_cache.h"
#include "util/slab.h"

#define CODE_STEP 16u
#define UNOWNED 0x8000u /* of region.held: reclaimed while it was held, so that who lets go last frees it */

/* Code may go on forwards without looking for requests in an aligned piece of so much memory (log2). */
#define NO_POLL_SHIFT 16

static uint32_t region_hash(uint64_t host, uint32_t mode)
{
	uint64_t h = (host >> 2) * UINT64_C(0x9e3779b97f4a7c15);

	h ^= mode * UINT64_C(0x165667b19e3779f9);
	return h >> (64 - REGION_HASH_BITS);
}

static uint32_t block_hash(uint64_t host)
{
	return (host >> TLB_BLOCK_SHIFT) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - BLOCK_HASH_BITS);
}

static _Atomic uint64_t *block_seen(struct region_cache *rc, uint64_t host, uint64_t *bit)
{
	uint32_t n = tlb_block_bit(host, BLOCK_SEEN_BITS);

	*bit = UINT64_C(1) << n % 64;
	return &rc->block_seen[n / 64];
}

void region_cache_limit(struct region_cache *rc, size_t interpreted, size_t compiled)
{
	unsigned share = region_finds_twins(rc) ? REGION_SET_SHARE : UINT_MAX;

	atomic_store(&rc->most[false], interpreted - interpreted / share);
	atomic_store(&rc->most[true], compiled - compiled / share);
}

struct region_cache *region_cache_create(struct jit *jit, const struct region_limits *limit)
{
	struct region_cache *rc = calloc(1, sizeof(*rc));

	if (!rc)
		return NULL;
	rc->keep_interpreted = limit->keep_interpreted;
	rc->regions = slab_create(sizeof(struct region));
	rc->slab = slab_create(CODE_STEP);
	if (!rc->regions || !rc->slab || !region_twins_create(rc, limit->no_twins ? 0 : limit->interpreted + limit->compiled)) {
		slab_destroy(rc->slab);
		slab_destroy(rc->regions);
		free(rc);
		return NULL;
	}
	pthread_mutex_init(&rc->lock, NULL);
	atomic_store(&rc->epoch, 1);
	region_cache_limit(rc, limit->interpreted, limit->compiled);
	rc->jit = jit;
	return rc;
}

struct slab *region_slab(struct region_cache *rc)
{
	return rc->slab;
}

const struct region_clock *region_cache_clock(const struct region_cache *rc)
{
	return &rc->clock;
}

/* What is not in the slab. */
static void free_compiled(struct region_cache *rc, struct region *g)
{
	struct region_compiled *c = g->compiled;

	if (!c)
		return;
	jit_free(rc->jit, c->code);
	free(c->path);
	free(c);
}

static void region_free(struct region_cache *rc, struct region *g)
{
	struct region_compiled *c = g->compiled;

	pthread_mutex_lock(&rc->lock);
	if (g->code)
		region_text_give(rc, g->code);
	if (c && c->kept) {
		region_twin_let_go(rc, c);
		g->compiled = NULL;
	}
	pthread_mutex_unlock(&rc->lock);
	free_compiled(rc, g);
	slab_give(rc->regions, g, sizeof(*g));
}

/* True: somebody still holds g, and frees it. */
static bool left_to_holder(struct region_cache *rc, struct region *g)
{
	bool held;

	/* No processor can reach it, so nobody begins to hold it now. */
	if (!atomic_load(&g->held))
		return false;
	pthread_mutex_lock(&rc->lock);
	held = atomic_load(&g->held);
	if (held)
		atomic_fetch_or(&g->held, UNOWNED);
	pthread_mutex_unlock(&rc->lock);
	return held;
}

void region_free_list(struct region_cache *rc, struct region *g)
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
	last = atomic_fetch_sub(&g->held, 1) == (UNOWNED | 1);
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
	region_twins_destroy(rc);
	slab_destroy(rc->slab);
	slab_destroy(rc->regions);
	pthread_mutex_destroy(&rc->lock);
	free(rc);
}

size_t region_compiled_size(const struct region_compiled *c)
{
	return jit_code_size(c->code) + sizeof(*c) + c->code->nexit * sizeof(c->link[0]) +
	       (c->path ? sizeof(*c->path) : 0);
}

struct region *region_lookup(struct region_cache *rc, hva_t host, uint64_t pc, uint32_t mode)
{
	struct region *g = atomic_load_explicit(&rc->hash[region_hash(host.v, mode)],
						memory_order_acquire);

	for (; g; g = atomic_load_explicit(&g->hash_next, memory_order_acquire))
		if (g->host == host.v && g->mode == mode && (!g->bound || g->pc == pc) &&
		    !atomic_load_explicit(&g->dead, memory_order_relaxed)) {
			region_use(&rc->clock, g);
			return g;
		}
	return NULL;
}

uint32_t region_until_compiled(struct region_cache *rc, const struct region *g, uint32_t size, unsigned step,
			       uint16_t runs)
{
	uint32_t at;

	/* Nothing is freed meanwhile: the caller need not be a processor. */
	pthread_mutex_lock(&rc->lock);
	for (at = step; at < size; at += step) {
		const struct region *o = region_lookup(rc, HVA(g->host + at), g->pc + at, g->mode);

		if (o && o->compiled && !o->compiled->path && region_runs(o) < runs)
			break;
	}
	pthread_mutex_unlock(&rc->lock);
	return at < size ? at : size;
}

struct code_block *region_block_find(struct region_cache *rc, uint64_t host)
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
	struct code_block *b = region_block_find(rc, block.v);
	bool fresh = false;

	*ok = true;
	if (b && atomic_load(&b->marked) == BLOCK_TOLD)
		return false;
	pthread_mutex_lock(&rc->lock);
	b = region_block_find(rc, block.v);
	if (!b) {
		b = calloc(1, sizeof(*b));
		if (!b) {
			*ok = false;
			goto out;
		}
		b->host = block.v & ~TLB_BLOCK_MASK;
		_Atomic(struct code_block *) *head = &rc->block[block_hash(b->host)];
		uint64_t bit;
		_Atomic uint64_t *seen = block_seen(rc, b->host, &bit);

		atomic_fetch_or(seen, bit);
		atomic_store(&b->hash_next, atomic_load(head));
		atomic_store(&b->marked, BLOCK_MARKED);
		atomic_store_explicit(head, b, memory_order_release);
		fresh = true;
	} else if (atomic_load(&b->marked) != BLOCK_TOLD) {
		atomic_store(&b->marked, BLOCK_MARKED);
		fresh = true;
	}
out:
	pthread_mutex_unlock(&rc->lock);
	return fresh;
}

void region_block_told(struct region_cache *rc, hva_t block, uint64_t version)
{
	struct code_block *b;

	pthread_mutex_lock(&rc->lock);
	b = region_block_find(rc, block.v);
	/* With the mark it would have another version: it may have been taken away, and be new now. */
	if (b && atomic_load(&b->marked) && atomic_load(&b->version) == version)
		atomic_store(&b->marked, BLOCK_TOLD);
	pthread_mutex_unlock(&rc->lock);
}

bool region_block_has_code(struct region_cache *rc, hva_t block)
{
	struct code_block *b;
	uint64_t bit, seen;

	/* As with the list: who does not see what another marks is told of it afterwards. */
	seen = atomic_load_explicit(block_seen(rc, block.v, &bit), memory_order_relaxed);
	if (!(seen & bit))
		return false;
	b = region_block_find(rc, block.v);
	return b && atomic_load(&b->marked);
}

uint32_t region_group_seen(struct region_cache *rc, hva_t group)
{
	uint64_t bit, seen;

	seen = atomic_load_explicit(block_seen(rc, group.v, &bit), memory_order_relaxed);
	return seen / bit & TLB_GROUP_ALL;
}

uint64_t region_block_version(struct region_cache *rc, hva_t block)
{
	struct code_block *b = region_block_find(rc, block.v);

	return b ? atomic_load(&b->version) : 0;
}

void region_enter(struct region_cache *rc, struct code_block *b, struct region *g)
{
	_Atomic(struct region *) *head = &rc->hash[region_hash(g->host, g->mode)];

	g->block_next = b->regions;
	b->regions = g;
	atomic_store(&g->hash_next, atomic_load(head));
	atomic_store_explicit(head, g, memory_order_release);
	atomic_fetch_add(&rc->bytes, sizeof(*g));
	count(&rc->entered);
}

void region_give_text(struct region_cache *rc, struct region *g, struct ir_code *code)
{
	g->code = code;
	g->len = (uint16_t)region_text_len(code);
	region_text_take(rc, code);
}

/* Lock held. */
static void enter_text(struct region_cache *rc, struct code_block *b, struct region *g, struct ir_code *code)
{
	region_give_text(rc, g, code);
	region_enter(rc, b, g);
	region_make_room(rc, false, g);
}

void region_give_compiled(struct region_cache *rc, struct region *g, struct region_compiled *c,
			  const struct region_product *p)
{
	if (p->len > g->len)
		g->len = (uint16_t)p->len;
	for (uint32_t n = 0; n < p->code->nexit; n++)
		c->link[n].from = g;
	c->code = p->code;
	c->entry = p->code->entry;
	p->code->owner = g;
	region_twin_enter(rc, c, p);
	atomic_store_explicit(&g->compiled, c, memory_order_release);
	atomic_fetch_add(&rc->compiled_bytes, region_compiled_size(c));
}

struct region_compiled *region_compiled_new(const struct region_product *p)
{
	return calloc(1, sizeof(struct region_compiled) + p->code->nexit * sizeof(struct region_link));
}

/* Lock held. What else is there, or why nothing can be entered: 0 if it can. */
static int may_enter(struct region_cache *rc, const struct region_source *from, struct code_block **b,
		     struct region **same)
{
	*b = region_block_find(rc, from->host.v);
	if (!*b || !atomic_load(&(*b)->marked) || atomic_load(&(*b)->version) != from->version)
		return EAGAIN;
	*same = region_lookup(rc, from->host, from->pc, from->mode);
	return *same ? EEXIST : 0;
}

struct region *region_new(struct region_cache *rc, const struct region_source *from)
{
	struct region *g = slab_take(rc->regions, sizeof(*g));

	if (g)
		*g = (struct region){
			.host = from->host.v,
			.pc = from->pc,
			.mode = from->mode,
			.bound = from->bound,
			.seen = region_clock_now(&rc->clock),
		};
	return g;
}

struct region *region_insert(struct region_cache *rc, const struct region_source *from,
			     struct ir_code *code, uint32_t len)
{
	struct region_content content = region_content_of(from, false, 0);
	struct region *g = region_new(rc, from), *same = NULL;
	struct code_block *b;
	int err = ENOMEM;

	region_text_init(code, len);
	pthread_mutex_lock(&rc->lock);
	if (g)
		err = may_enter(rc, from, &b, &same);
	if (!err) {
		region_text_enter(rc, code, &content, len);
		enter_text(rc, b, g, code);
	}
	pthread_mutex_unlock(&rc->lock);
	if (!err)
		return g;
	if (g)
		slab_give(rc->regions, g, sizeof(*g));
	slab_give(rc->slab, (char *)code - REGION_TEXT_FRONT, region_text_size(code));
	errno = err;
	return same;
}

struct region *region_insert_twin(struct region_cache *rc, const struct region_source *from, uint32_t kind,
				  struct region_product *p)
{
	struct region_content content = region_content_of(from, false, 0);
	struct region *g = NULL, *same = NULL;
	struct code_block *b;
	struct ir_code *code;
	int err;

	p->code = NULL;
	if (!region_finds_twins(rc)) {
		errno = ENOENT;
		return NULL;
	}
	pthread_mutex_lock(&rc->lock);
	err = may_enter(rc, from, &b, &same);
	if (!err) {
		code = region_text_find(rc, &content);
		if (code)
			g = region_new(rc, from);
		if (g)
			enter_text(rc, b, g, code);
		else if (code || rc->keep_interpreted || !region_twin_copy(rc, from, kind, p))
			err = code ? ENOMEM : ENOENT;
	}
	pthread_mutex_unlock(&rc->lock);
	errno = err;
	return g ? g : same;
}

struct region *region_insert_compiled(struct region_cache *rc, const struct region_source *from,
				      const struct region_product *p)
{
	struct region_compiled *c = region_compiled_new(p);
	struct region *g = region_new(rc, from), *same = NULL;
	struct code_block *b;
	int err = ENOMEM;

	pthread_mutex_lock(&rc->lock);
	if (g && c)
		err = may_enter(rc, from, &b, &same);
	if (!err) {
		region_give_compiled(rc, g, c, p);
		region_enter(rc, b, g);
		region_make_room(rc, true, g);
	}
	pthread_mutex_unlock(&rc->lock);
	if (!err)
		return g;
	if (g)
		slab_give(rc->regions, g, sizeof(*g));
	jit_free(rc->jit, p->code);
	free(c);
	errno = err;
	return same;
}

bool region_attach(struct region_cache *rc, struct region *g, const struct region_product *p,
		   uint64_t version)
{
	struct region_compiled *c = region_compiled_new(p);
	bool attached = false;

	pthread_mutex_lock(&rc->lock);
	if (c && !atomic_load(&g->dead) && !g->compiled &&
	    region_block_version(rc, HVA(g->host)) == version) {
		region_give_compiled(rc, g, c, p);
		attached = true;
		region_use(&rc->clock, g);
		if (!rc->keep_interpreted) {
			c->strip_next = rc->retired[0].stripped;
			rc->retired[0].stripped = g;
			rc->nretired++;
			rc->retired_bytes += region_text_size(g->code);
		}
		region_make_room(rc, true, g);
	}
	pthread_mutex_unlock(&rc->lock);
	if (!attached) {
		free(c);
		jit_free(rc->jit, p->code);
	}
	return attached;
}

void region_link(struct region_cache *rc, struct region *from, uint32_t exit, struct region *to)
{
	struct region_compiled *f, *t;

	pthread_mutex_lock(&rc->lock);
	f = from->compiled;
	t = to->compiled;
	if (!atomic_load(&from->dead) && !atomic_load(&to->dead) && f && t &&
	    exit < f->code->nexit && !f->link[exit].to &&
	    (from->host ^ to->host) >> region_span_shift(to->mode) == 0 && from->mode == to->mode) {
		struct region_link *l = &f->link[exit];
		bool near = (from->host ^ to->host) >> NO_POLL_SHIFT == 0;

		region_use(&rc->clock, from);
		region_use(&rc->clock, to);
		l->to = to;
		l->next = t->incoming;
		t->incoming = l;
		/* Only forwards, there is an end to it soon. */
		jit_link(rc->jit, f->code, exit, t->code, to->host <= from->host || !near || f->path);
	}
	pthread_mutex_unlock(&rc->lock);
}

void region_unlink(struct region_cache *rc, struct region *g)
{
	struct region_compiled *c = g->compiled;

	if (!c)
		return;
	for (struct region_link *l = c->incoming; l; l = l->next) {
		struct region_compiled *from = l->from->compiled;

		jit_unlink(rc->jit, from->code, l - from->link);
		l->to = NULL;
	}
	c->incoming = NULL;
	for (uint32_t n = 0; n < c->code->nexit; n++) {
		struct region_link *l = &c->link[n], **at;
		struct region_compiled *to;

		if (!l->to)
			continue;
		to = l->to->compiled;
		for (at = &to->incoming; *at != l; at = &(*at)->next)
			;
		*at = l->next;
		l->to = NULL;
		jit_unlink(rc->jit, c->code, n);
	}
}

void region_retire(struct region_cache *rc, struct region *g, bool for_room)
{
	struct region_compiled *c = g->compiled;
	_Atomic(struct region *) *link = &rc->hash[region_hash(g->host, g->mode)];
	struct region *at;

	atomic_store(&g->dead, true);
	region_unlink(rc, g);
	if (c) {
		size_t size = region_compiled_size(c);

		if (c->path)
			region_path_unlist(rc, g);
		if (for_room)
			region_twin_remove(rc, c);
		c->kept = c->content_len;
		if (c->kept) {
			atomic_fetch_add(&rc->kept_bytes, size);
		} else {
			rc->retired_bytes += size;
			atomic_fetch_sub(&rc->compiled_bytes, size);
		}
		jit_kill(rc->jit, c->code);
	}
	while ((at = atomic_load(link)) && at != g)
		link = &at->hash_next;
	if (at)
		atomic_store(link, atomic_load(&g->hash_next));
	/* g->hash_next stays: a reader may stand on g. */
	g->block_next = rc->retired[0].list;
	rc->retired[0].list = g;
	rc->nretired++;
	rc->retired_bytes += sizeof(*g);
	if (g->code)
		rc->retired_bytes += region_text_die(rc, g->code, for_room);
	atomic_fetch_sub(&rc->bytes, sizeof(*g));
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
			b = region_block_find(rc, at);
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
					region_retire(rc, g, false);
					any = true;
				} else {
					link = &g->block_next;
				}
			}
			if (region_path_kill(rc, b, start.v, end))
				any = true;
			/* With nothing left to protect, stores may go at full speed again. */
			if (region_block_empty(b))
				atomic_store(&b->marked, 0);
		}
		b = walk ? atomic_load(&b->hash_next) : NULL;
	}
	pthread_mutex_unlock(&rc->lock);
	return any;
}

void region_kill_all(struct region_cache *rc)
{
	region_kill_range(rc, HVA(0), UINT64_MAX);
}

void region_cache_stats_read(const struct region_cache *rc, struct region_cache_stats *out)
{
	uint64_t entered = counter_read(&rc->entered);

	out->killed = counter_read(&rc->killed);
	/* The two are not read at one moment. */
	out->live = entered > out->killed ? entered - out->killed : 0;
	out->evicted = counter_read(&rc->evicted);
}

bool region_cache_filling(const struct region_cache *rc)
{
	return atomic_load(&rc->compiled_bytes) > atomic_load(&rc->most[true]) / 8 * 7 + atomic_load(&rc->kept_bytes);
}

size_t region_cache_bytes(const struct region_cache *rc)
{
	return atomic_load(&rc->bytes);
}
