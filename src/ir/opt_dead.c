/*
 * Dead code. A SET is dead when on every way from it the same state is set again before anything
 * can see it; a pure operation, or a GET, when nobody uses its value.
 *
 * Liveness of state is solved backwards. Where nothing goes round in the region, that is one walk
 * from its end, since blocks lie in the order in which they run, and dead instructions go in the
 * same walk: all users of a value lie behind it, so one that lost its last is found when its turn
 * comes.
 */
#include "ir/opt.h"

#include <string.h>

#include "ir/scratch.h"

enum kind {
	KIND_SIDE = 1,     /* stays */
	KIND_OBSERVES = 2, /* all state is live before it */
	KIND_COUNTED = 4,  /* its operands count as used */
};

struct dead {
	struct ir_region *r;
	uint32_t words; /* per set of cells */
	uint64_t *in;   /* by block: cells that are live at its start */
	uint64_t *live;
	uint32_t *uses; /* by value */
	uint8_t *kind;  /* by instruction */
	uint32_t *new_id;
	uint32_t *order; /* blocks as they lie */
	uint32_t norder;
};

static bool needed(const struct dead *d, uint32_t id)
{
	return (d->kind[id] & KIND_SIDE) || d->uses[id];
}

static void count_uses(struct dead *d)
{
	memset(d->uses, 0, d->r->ninst * sizeof(*d->uses));
	for (uint32_t id = d->r->ninst; id-- > 0;) {
		const struct ir_inst *i = &d->r->inst[id];
		unsigned n;

		d->kind[id] = (ir_has_side(i) ? KIND_SIDE : 0) |
			      (ir_observes_state(i) ? KIND_OBSERVES : 0);
		if (!needed(d, id))
			continue;
		d->kind[id] |= KIND_COUNTED;
		n = ir_nargs(i);
		for (unsigned k = 0; k < n; k++)
			d->uses[i->arg[k]]++;
	}
}

/* The cells of a SET or GET; they lie in one word, since lines are aligned. */
static uint64_t cell_bits(const struct ir_inst *i)
{
	return ir_low_mask(state_count((enum ir_type)i->type)) << state_first(i) % 64;
}

/* Found to be dead: so may be what it uses. */
static void drop(struct dead *d, uint32_t id)
{
	const struct ir_inst *i = &d->r->inst[id];
	unsigned n = d->kind[id] & KIND_COUNTED ? ir_nargs(i) : 0;

	d->kind[id] = 0;
	for (unsigned k = 0; k < n; k++)
		d->uses[i->arg[k]]--;
}

/* Back through a block; live goes from its end to its start. What is dead may be dropped. */
static void walk(struct dead *d, uint32_t b, bool remove)
{
	const struct ir_bb *bb = &d->r->bb[b];

	for (uint32_t id = bb->first + bb->count; id-- > bb->first;) {
		const struct ir_inst *i = &d->r->inst[id];
		uint64_t *word;

		if (!needed(d, id)) {
			if (remove)
				drop(d, id);
		} else if (d->kind[id] & KIND_OBSERVES) {
			memset(d->live, 0xff, d->words * sizeof(*d->live));
		} else if (i->op == IR_GET) {
			d->live[state_first(i) / 64] |= cell_bits(i);
		} else if (i->op == IR_SET) {
			word = &d->live[state_first(i) / 64];
			if (remove && !(*word & cell_bits(i)))
				drop(d, id);
			*word &= ~cell_bits(i);
		}
	}
}

/* What is live where a block ends. */
static void live_at_end(struct dead *d, uint32_t b)
{
	const struct ir_bb *bb = &d->r->bb[b];
	uint32_t target[2];
	unsigned n = ir_targets(&d->r->inst[bb->first + bb->count - 1], target);

	/* Who leaves the region shows all. */
	memset(d->live, n ? 0 : 0xff, d->words * sizeof(*d->live));
	for (unsigned t = 0; t < n; t++) {
		for (uint32_t w = 0; w < d->words; w++)
			d->live[w] |= d->in[(size_t)target[t] * d->words + w];
	}
}

/* All blocks, from the last. Says whether something changed. */
static bool round_of_blocks(struct dead *d, bool remove)
{
	bool changed = false;

	for (uint32_t k = d->norder; k-- > 0;) {
		uint64_t *in = &d->in[(size_t)d->order[k] * d->words];

		live_at_end(d, d->order[k]);
		walk(d, d->order[k], remove);
		if (memcmp(in, d->live, d->words * sizeof(*in))) {
			memcpy(in, d->live, d->words * sizeof(*in));
			changed = true;
		}
	}
	return changed;
}

/* Finds the order in which blocks lie, and says whether a branch goes back in it. */
static bool order_blocks(struct dead *d)
{
	const struct ir_region *r = d->r;
	uint32_t *at = d->new_id;
	bool loops = false;

	for (uint32_t b = 0; b < r->nbb; b++) {
		if (r->bb[b].count)
			at[r->bb[b].first] = b;
	}
	for (uint32_t id = 0; id < r->ninst;) {
		const struct ir_bb *bb = &r->bb[at[id]];
		uint32_t target[2];
		unsigned n = ir_targets(&r->inst[id + bb->count - 1], target);

		for (unsigned t = 0; t < n; t++)
			loops |= r->bb[target[t]].first <= id;
		d->order[d->norder++] = at[id];
		id += bb->count;
	}
	return loops;
}

/* Close the gaps. Blocks keep their order. */
static void compact(struct dead *d)
{
	struct ir_region *r = d->r;
	uint32_t n = 0;

	for (uint32_t k = 0; k < d->norder; k++) {
		struct ir_bb *bb = &r->bb[d->order[k]];
		uint32_t end = bb->first + bb->count, first = n;

		for (uint32_t id = bb->first; id < end; id++) {
			struct ir_inst *i = &r->inst[n];

			if (!needed(d, id))
				continue;
			/* Changed where it lies: a copy that was just written in parts is read late by the host. */
			*i = r->inst[id];
			for (unsigned a = 0, nargs = ir_nargs(i); a < nargs; a++)
				i->arg[a] = d->new_id[i->arg[a]];
			d->new_id[id] = n++;
		}
		*bb = (struct ir_bb){first, n - first};
	}
	r->ninst = n;
}

void opt_dead(struct ir_region *r)
{
	struct dead d = {.r = r, .words = (state_ncells(r) + 63) / 64};
	struct ir_scratch *s = r->scratch;

	d.in = scratch_take(s, (size_t)r->nbb * d.words, sizeof(*d.in));
	d.live = scratch_take(s, d.words, sizeof(*d.live));
	d.uses = scratch_take(s, r->ninst, sizeof(*d.uses));
	d.new_id = scratch_take(s, r->ninst, sizeof(*d.new_id));
	d.kind = scratch_take(s, r->ninst, sizeof(*d.kind));
	d.order = scratch_take(s, r->nbb, sizeof(*d.order));
	if (!d.in || !d.live || !d.uses || !d.new_id || !d.kind || !d.order)
		return;
	memset(d.in, 0, (size_t)r->nbb * d.words * sizeof(*d.in));
	count_uses(&d);
	if (order_blocks(&d)) {
		while (round_of_blocks(&d, false))
			;
	}
	round_of_blocks(&d, true);
	compact(&d);
}
