#include "ir/opt.h"

#include <stdlib.h>
#include <string.h>

#include "ir/scratch.h"
#include "ir/state.h"

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

struct ir_inst *opt_spare(struct ir_region *r, uint32_t count)
{
	if (r->cap_spare < count) {
		free(r->spare);
		r->spare = malloc(count * sizeof(*r->spare));
		r->cap_spare = r->spare ? count : 0;
	}
	return r->spare;
}

void opt_use_spare(struct ir_region *r, uint32_t count)
{
	struct ir_inst *inst = r->inst;
	uint32_t cap = r->cap_inst;

	r->inst = r->spare;
	r->cap_inst = r->cap_spare;
	r->ninst = count;
	r->spare = inst;
	r->cap_spare = cap;
}

/* Memory for the new region and all that is known of it. */
static bool allot(struct opt *o)
{
	struct ir_region *r = o->r;
	struct ir_scratch *s = r->scratch;

	o->ncells = state_ncells(r);
	o->cap = r->ninst + r->ninst / 2 + 16;
	o->inst = opt_spare(r, o->cap);
	o->fact = scratch_take(s, o->cap, sizeof(*o->fact));
	o->block = scratch_take(s, o->cap, sizeof(*o->block));
	o->chain = scratch_take(s, o->cap, sizeof(*o->chain));
	for (o->bucket_mask = 63; o->bucket_mask < r->ninst / 4;)
		o->bucket_mask = 2 * o->bucket_mask + 1;
	o->bucket = scratch_take(s, o->bucket_mask + 1, sizeof(*o->bucket));
	o->order = scratch_take(s, r->nbb, sizeof(*o->order));
	o->new_id = scratch_take(s, r->ninst, sizeof(*o->new_id));
	o->entered = scratch_take(s, 2 * r->nbb, sizeof(*o->entered));
	o->bb = scratch_take(s, r->nbb, sizeof(*o->bb));
	o->state = scratch_take(s, o->ncells + 4, sizeof(*o->state));
	if (!o->inst || !o->fact || !o->block || !o->chain || !o->bucket || !o->order ||
	    !o->new_id || !o->entered || !o->bb || !o->state)
		return false;
	memset(o->bucket, 0xff, (o->bucket_mask + 1) * sizeof(*o->bucket));
	memset(o->entered, 0, 2 * r->nbb * sizeof(*o->entered));
	memset(o->bb, 0, r->nbb * sizeof(*o->bb));
	return true;
}

/* Put the new region in the place of the old. */
static void install(struct opt *o)
{
	memcpy(o->r->bb, o->bb, o->r->nbb * sizeof(*o->bb));
	opt_use_spare(o->r, o->ninst);
}

/* access: what back ends make of accesses is seen to, too; share: and they share checks. */
static void optimise(struct ir_region *r, bool access, bool share)
{
	struct opt o = {.r = r};
	struct scratch_mark mark;

	if (r->failed)
		return;
	mark = scratch_mark(r->scratch);
	/* Without memory, a region stays as it is. */
	if (ir_cfg_init(&o.cfg, r) && allot(&o)) {
		o.entry = ir_available(r, &o.cfg);
		if (o.entry) {
			choose_order(&o);
			opt_rewrite(&o);
			if (!o.failed)
				install(&o);
		}
	}
	scratch_release(r->scratch, mark);
	if (o.entry && !o.failed) {
		if (access)
			opt_share(r, share);
		scratch_release(r->scratch, mark);
		if (share)
			opt_early(r);
		scratch_release(r->scratch, mark);
		opt_dead(r);
		if (access)
			opt_window(r);
	}
	scratch_release(r->scratch, mark);
}

void ir_optimise(struct ir_region *r)
{
	optimise(r, false, false);
}

void ir_optimise_shared(struct ir_region *r)
{
	optimise(r, true, true);
}

void ir_optimise_unshared(struct ir_region *r)
{
	optimise(r, true, false);
}
