#include "ir/opt.h"

#include <stdlib.h>
#include <string.h>

#include "util/bits.h"

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

static void *allot(struct opt *o)
{
	const struct ir_region *r = o->r;
	size_t buckets = 64, ncells = o->map.ncells;
	struct {
		void **array;
		size_t bytes;
	} part[] = {
		{(void **)&o->entry, r->nbb * ncells * sizeof(uint32_t)},
		{(void **)&o->order, r->nbb * sizeof(uint32_t)},
		{(void **)&o->new_id, r->ninst * sizeof(uint32_t)},
		{(void **)&o->bucket, 0},
		{(void **)&o->entered, 2 * r->nbb * sizeof(bool)},
		{(void **)&o->state, (ncells + 4) * sizeof(uint32_t)},
	};
	size_t size = 0;
	char *mem;

	while (buckets < r->ninst / 2)
		buckets *= 2;
	o->bucket_mask = (uint32_t)buckets - 1;
	part[3].bytes = buckets * sizeof(uint32_t);
	for (unsigned k = 0; k < ARRAY_SIZE(part); k++)
		size += align_up(part[k].bytes, 16);
	mem = malloc(size);
	for (unsigned k = 0; mem && k < ARRAY_SIZE(part); k++) {
		size -= align_up(part[k].bytes, 16);
		*part[k].array = mem + size;
	}
	if (mem) {
		memset(o->bucket, 0xff, part[3].bytes);
		memset(o->entered, 0, part[4].bytes);
	}
	return mem;
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
		opt_available(&o);
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
