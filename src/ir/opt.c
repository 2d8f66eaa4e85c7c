#include "ir/opt.h"

#include <stdlib.h>
#include <string.h>

#include "ir/arena.h"

/*
 * The order in which blocks are rewritten, and lie afterwards: as they lie now, which the front end
 * chose well, unless a block lies before its dominator.
 */
static void choose_order(struct opt *o)
{
	const struct ir_region *r = o->r;
	uint32_t n = o->cfg.nrpo;

	memcpy(o->order, o->cfg.rpo, n * sizeof(*o->order));
	/* Nearly sorted as a rule. */
	for (uint32_t k = 1; k < n; k++) {
		uint32_t b = o->order[k], at = k;

		for (; at > 0 && r->bb[o->order[at - 1]].first > r->bb[b].first; at--)
			o->order[at] = o->order[at - 1];
		o->order[at] = b;
	}
	for (uint32_t k = 1; k < n; k++) {
		uint32_t b = o->order[k];

		if (r->bb[o->cfg.idom[b]].first > r->bb[b].first) {
			memcpy(o->order, o->cfg.rpo, n * sizeof(*o->order));
			return;
		}
	}
}

static void carve(struct opt *o, struct arena *a)
{
	const struct ir_region *r = o->r;
	size_t nbb = r->nbb, ncells = o->map.ncells;

	o->entry = arena_carve(a, nbb * ncells, sizeof(*o->entry));
	o->order = arena_carve(a, nbb, sizeof(*o->order));
	o->new_id = arena_carve(a, r->ninst, sizeof(*o->new_id));
	o->bucket = arena_carve(a, o->bucket_mask + 1, sizeof(*o->bucket));
	o->entered = arena_carve(a, 2 * nbb, sizeof(*o->entered));
	o->state = arena_carve(a, ncells + 4, sizeof(*o->state));
}

/* What is not part of the new region. */
static void *allot(struct opt *o)
{
	struct arena a = {0};

	for (o->bucket_mask = 63; o->bucket_mask < o->r->ninst / 2;)
		o->bucket_mask = 2 * o->bucket_mask + 1;
	carve(o, &a);
	a.base = malloc(a.size);
	if (!a.base)
		return NULL;
	a.size = 0;
	carve(o, &a);
	memset(o->bucket, 0xff, (o->bucket_mask + 1) * sizeof(*o->bucket));
	memset(o->entered, 0, 2 * o->r->nbb * sizeof(*o->entered));
	return a.base;
}

/* The new region's arrays, which grow as needed. */
static bool allot_output(struct opt *o)
{
	o->cap = o->r->ninst + o->r->ninst / 2 + 16;
	o->inst = malloc(o->cap * sizeof(*o->inst));
	o->fact = malloc(o->cap * sizeof(*o->fact));
	o->block = malloc(o->cap * sizeof(*o->block));
	o->chain = malloc(o->cap * sizeof(*o->chain));
	o->bb = calloc(o->r->nbb, sizeof(*o->bb));
	return o->inst && o->fact && o->block && o->chain && o->bb;
}

/* Put the new region in the place of the old. */
static void install(struct opt *o)
{
	struct ir_region *r = o->r;

	memcpy(r->bb, o->bb, r->nbb * sizeof(*r->bb));
	free(r->inst);
	r->inst = o->inst;
	r->ninst = o->ninst;
	r->cap_inst = o->cap;
	o->inst = NULL;
}

void ir_optimise(struct ir_region *r)
{
	struct opt o = {.r = r};
	void *mem;

	/* Without memory, a region stays as it is. */
	if (r->failed || !state_map_init(&o.map, r))
		return;
	if (!ir_cfg_init(&o.cfg, r))
		goto out_map;
	mem = allot(&o);
	if (mem && allot_output(&o)) {
		choose_order(&o);
		ir_available(r, &o.cfg, &o.map, o.entry, o.state);
		opt_rewrite(&o);
		if (!o.failed) {
			install(&o);
			opt_dead(r);
		}
	}
	free(o.inst);
	free(o.fact);
	free(o.block);
	free(o.chain);
	free(o.bb);
	free(mem);
	ir_cfg_destroy(&o.cfg);
out_map:
	state_map_destroy(&o.map);
}
