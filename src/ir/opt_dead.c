/*
 * Dead code. A SET is dead when on every way from it the same state is set again before anything
 * can see it; a pure operation, or a GET, when nobody uses its value.
 *
 * Both feed each other: a dead SET frees its value, and a GET that is no longer needed reads no
 * state. Liveness of state is solved over all blocks with the GETs that are needed at that time,
 * then dead SETs go, and what they alone used. One more round catches most of what that frees.
 */
#include "ir/opt.h"

#include <stdlib.h>
#include <string.h>

struct dead {
	struct ir_region *r;
	struct state_map map;
	uint32_t words;  /* per set of cells */
	uint64_t *in;    /* by block: cells that are live at its start */
	uint64_t *live;
	uint32_t *uses;  /* by value */
	bool *removed;   /* by instruction: dead SETs */
	uint32_t *new_id;
};

static bool needed(const struct dead *d, uint32_t id)
{
	return !d->removed[id] && (ir_has_side(&d->r->inst[id]) || d->uses[id]);
}

static void count_uses(struct dead *d)
{
	memset(d->uses, 0, d->r->ninst * sizeof(*d->uses));
	for (uint32_t id = d->r->ninst; id-- > 0;) {
		const struct ir_inst *i = &d->r->inst[id];

		for (unsigned k = 0; needed(d, id) && k < ir_nargs(i); k++)
			d->uses[i->arg[k]]++;
	}
}

/* Bits first.. of one SET or GET; they lie in one word, since lines of cells are aligned. */
static uint64_t cell_bits(const struct dead *d, uint32_t id)
{
	return ir_low_mask(state_cells((enum ir_type)d->r->inst[id].type)) << d->map.first[id] % 64;
}

/*
 * Back through a block; live goes from its end to its start. When `remove` is set, dead SETs are
 * marked, and it is said whether there were any.
 */
static bool walk(struct dead *d, uint32_t b, bool remove)
{
	const struct ir_bb *bb = &d->r->bb[b];
	bool any = false;

	for (uint32_t id = bb->first + bb->count; id-- > bb->first;) {
		const struct ir_inst *i = &d->r->inst[id];
		uint64_t *word = &d->live[d->map.first[id] / 64];

		if (!needed(d, id))
			continue;
		if (ir_observes_state(i)) {
			memset(d->live, 0xff, d->words * sizeof(*d->live));
		} else if (i->op == IR_GET) {
			*word |= cell_bits(d, id);
		} else if (i->op == IR_SET) {
			if (remove && !(*word & cell_bits(d, id))) {
				d->removed[id] = true;
				any = true;
			}
			*word &= ~cell_bits(d, id);
		}
	}
	return any;
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

static void solve(struct dead *d)
{
	bool changed;

	memset(d->in, 0, (size_t)d->r->nbb * d->words * sizeof(*d->in));
	do {
		changed = false;
		for (uint32_t b = d->r->nbb; b-- > 0;) {
			uint64_t *in = &d->in[(size_t)b * d->words];

			if (!d->r->bb[b].count)
				continue;
			live_at_end(d, b);
			walk(d, b, false);
			if (memcmp(in, d->live, d->words * sizeof(*in))) {
				memcpy(in, d->live, d->words * sizeof(*in));
				changed = true;
			}
		}
	} while (changed);
}

static bool remove_sets(struct dead *d)
{
	bool any = false;

	solve(d);
	for (uint32_t b = 0; b < d->r->nbb; b++) {
		if (!d->r->bb[b].count)
			continue;
		live_at_end(d, b);
		any |= walk(d, b, true);
	}
	return any;
}

/* Close the gaps. Blocks keep their order. */
static void compact(struct dead *d)
{
	struct ir_region *r = d->r;
	uint32_t n = 0;

	for (uint32_t id = 0; id < r->ninst; id++) {
		d->new_id[id] = n;
		n += needed(d, id);
	}
	for (uint32_t b = 0; b < r->nbb; b++) {
		uint32_t first = r->bb[b].first, last = first + r->bb[b].count - 1;

		if (!r->bb[b].count)
			continue;
		r->bb[b].first = d->new_id[first];
		r->bb[b].count = d->new_id[last] + 1 - d->new_id[first];
	}
	for (uint32_t id = 0; id < r->ninst; id++) {
		struct ir_inst i = r->inst[id];

		if (!needed(d, id))
			continue;
		for (unsigned k = 0; k < ir_nargs(&i); k++)
			i.arg[k] = d->new_id[i.arg[k]];
		r->inst[d->new_id[id]] = i;
	}
	r->ninst = n;
}

bool opt_dead(struct ir_region *r)
{
	struct dead d = {.r = r};
	char *mem;

	if (!state_map_init(&d.map, r))
		return false;
	d.words = (d.map.ncells + 63) / 64 + 1; /* one more, for those that name no state */
	mem = calloc(1, ((size_t)r->nbb + 1) * d.words * sizeof(uint64_t) +
				r->ninst * (2 * sizeof(uint32_t) + sizeof(bool)));
	if (!mem) {
		state_map_destroy(&d.map);
		return false;
	}
	d.in = (uint64_t *)mem;
	d.live = d.in + (size_t)r->nbb * d.words;
	d.uses = (uint32_t *)(d.live + d.words);
	d.new_id = d.uses + r->ninst;
	d.removed = (bool *)(d.new_id + r->ninst);
	count_uses(&d);
	for (unsigned round = 0; round < 2 && remove_sets(&d); round++)
		count_uses(&d);
	compact(&d);
	free(mem);
	state_map_destroy(&d.map);
	return true;
}
