/*
 * Liveness of the values that cross blocks in temporaries. Few do, so a set of bits for each block
 * is enough. A value's temporary is taken for the span of positions, in the order in which blocks
 * lie, that covers all places where it lives: from its definition, or from the start of the region
 * when it lives in a block that lies before, to the end of the last block that it leaves alive.
 */
#include "ir/lower.h"

#include <errno.h>
#include <string.h>

#include "ir/scratch.h"

struct live {
	uint32_t words; /* per set */
	uint64_t *in;   /* by block */
	uint64_t *def;
	uint32_t *index; /* by value: its bit */
};

static bool crosses(const struct lower *l, uint32_t id)
{
	return (l->v[id].flags & (VAL_GLOBAL | VAL_STATE)) == VAL_GLOBAL &&
	       l->r->inst[id].op != IR_CONST;
}

static void set_bit(uint64_t *set, uint32_t bit)
{
	set[bit / 64] |= UINT64_C(1) << bit % 64;
}

/* Definitions of a block, and what it reads that comes from elsewhere. */
static void local_sets(const struct lower *l, struct live *s, uint32_t b)
{
	const struct ir_bb *bb = &l->r->bb[b];

	for (uint32_t id = bb->first; id < bb->first + bb->count; id++) {
		uint32_t leaf[5];
		unsigned n;

		if (!lower_needed(l, id) || lower_is_view(&l->r->inst[id]))
			continue;
		if (crosses(l, id))
			set_bit(&s->def[b * s->words], s->index[id]);
		n = lower_leaves(l, id, leaf);
		for (unsigned k = 0; k < n; k++) {
			uint32_t root = lower_root(l, leaf[k], NULL);

			if (crosses(l, root) && l->v[root].bb != b)
				set_bit(&s->in[b * s->words], s->index[root]);
		}
	}
}

/* What leaves a block alive, word w of it. */
static uint64_t live_out(const struct lower *l, const struct live *s, uint32_t b, uint32_t w)
{
	const struct ir_bb *bb = &l->r->bb[b];
	uint32_t target[2];
	unsigned n = ir_targets(&l->r->inst[bb->first + bb->count - 1], target);
	uint64_t out = 0;

	for (unsigned k = 0; k < n; k++)
		out |= s->in[target[k] * s->words + w];
	return out;
}

static void solve(const struct lower *l, struct live *s)
{
	bool changed;

	do {
		changed = false;
		for (uint32_t k = l->norder; k-- > 0;) {
			uint32_t b = l->order[k];

			for (uint32_t w = 0; w < s->words; w++) {
				uint64_t *in = &s->in[b * s->words + w];
				uint64_t more = live_out(l, s, b, w) & ~s->def[b * s->words + w];

				changed |= (*in | more) != *in;
				*in |= more;
			}
		}
	} while (changed);
}

static void widen(struct lower *l, const struct live *s, uint32_t id)
{
	struct value *v = &l->v[id];
	uint32_t word = s->index[id] / 64;
	uint64_t bit = UINT64_C(1) << s->index[id] % 64;

	for (uint32_t k = 0; k < l->norder; k++) {
		uint32_t b = l->order[k];
		const struct ir_bb *bb = &l->r->bb[b];

		if ((s->in[b * s->words + word] & bit) && bb->first < id)
			v->flags |= VAL_EARLY;
		if ((live_out(l, s, b, word) & bit) && v->last < bb->first + bb->count)
			v->last = bb->first + bb->count;
	}
}

void lower_liveness(struct lower *l)
{
	struct live s = {0};
	struct scratch_mark mark;
	uint32_t count = 0;

	for (uint32_t id = 0; id < l->r->ninst; id++)
		count += crosses(l, id);
	if (!count)
		return;
	s.words = (count + 63) / 64;
	mark = scratch_mark(l->r->scratch);
	s.in = scratch_take(l->r->scratch, (size_t)l->r->nbb * s.words * 2, sizeof(*s.in));
	s.index = scratch_take(l->r->scratch, l->r->ninst, sizeof(*s.index));
	if (!s.in || !s.index) {
		l->err = ENOMEM;
		goto out;
	}
	memset(s.in, 0, (size_t)l->r->nbb * s.words * 2 * sizeof(*s.in));
	s.def = s.in + (size_t)l->r->nbb * s.words;
	count = 0;
	for (uint32_t id = 0; id < l->r->ninst; id++) {
		if (crosses(l, id))
			s.index[id] = count++;
	}
	for (uint32_t k = 0; k < l->norder; k++)
		local_sets(l, &s, l->order[k]);
	solve(l, &s);
	for (uint32_t id = 0; id < l->r->ninst; id++) {
		if (crosses(l, id))
			widen(l, &s, id);
	}
out:
	scratch_release(l->r->scratch, mark);
}
