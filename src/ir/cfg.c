#include "ir/cfg.h"

#include <string.h>

#include "ir/op.h"
#include "ir/scratch.h"

/* Where a block goes, found once: two of each, CFG_NONE behind the last. */
static void find_successors(const struct ir_region *r, uint32_t (*to)[2])
{
	for (uint32_t b = 0; b < r->nbb; b++) {
		const struct ir_bb *bb = &r->bb[b];
		unsigned n = bb->count ? ir_targets(&r->inst[bb->first + bb->count - 1], to[b]) : 0;

		for (; n < 2; n++)
			to[b][n] = CFG_NONE;
	}
}

/*
 * Depth first, without recursion: stack holds the path, `next` how many successors of a block were
 * taken. rpo is filled from its end and moved to its start.
 */
static void number_blocks(struct ir_cfg *g, const struct ir_region *r, const uint32_t (*succ)[2],
			  uint32_t *stack, uint8_t *next)
{
	uint32_t depth = 0, at = r->nbb;

	memset(g->number, 0xff, r->nbb * sizeof(*g->number));
	memset(next, 0, r->nbb);
	stack[depth++] = 0;
	g->number[0] = 0;
	while (depth) {
		uint32_t b = stack[depth - 1];

		if (next[b] < 2 && succ[b][next[b]] != CFG_NONE) {
			uint32_t to = succ[b][next[b]++];

			if (g->number[to] == CFG_NONE) {
				g->number[to] = 0;
				stack[depth++] = to;
			}
			continue;
		}
		g->rpo[--at] = b;
		depth--;
	}
	g->nrpo = r->nbb - at;
	memmove(g->rpo, g->rpo + at, g->nrpo * sizeof(*g->rpo));
	for (uint32_t k = 0; k < g->nrpo; k++)
		g->number[g->rpo[k]] = k;
}

static void find_preds(struct ir_cfg *g, const struct ir_region *r, const uint32_t (*succ)[2])
{
	uint32_t at = 0;

	memset(g->npred, 0, r->nbb * sizeof(*g->npred));
	g->loops = false;
	for (uint32_t k = 0; k < g->nrpo; k++) {
		const uint32_t *to = succ[g->rpo[k]];

		for (unsigned t = 0; t < 2 && to[t] != CFG_NONE; t++) {
			g->npred[to[t]]++;
			g->loops |= g->number[to[t]] <= k;
		}
	}
	for (uint32_t b = 0; b < r->nbb; b++) {
		g->pred_at[b] = at;
		at += g->npred[b];
		g->npred[b] = 0;
	}
	for (uint32_t k = 0; k < g->nrpo; k++) {
		const uint32_t *to = succ[g->rpo[k]];

		for (unsigned t = 0; t < 2 && to[t] != CFG_NONE; t++)
			g->pred[g->pred_at[to[t]] + g->npred[to[t]]++] = g->rpo[k];
	}
}

static uint32_t common_dominator(const struct ir_cfg *g, uint32_t a, uint32_t b)
{
	while (a != b) {
		while (g->number[a] > g->number[b])
			a = g->idom[a];
		while (g->number[b] > g->number[a])
			b = g->idom[b];
	}
	return a;
}

/* Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm. */
static void find_dominators(struct ir_cfg *g, const struct ir_region *r)
{
	bool changed;

	memset(g->idom, 0xff, r->nbb * sizeof(*g->idom));
	g->idom[0] = 0;
	do {
		changed = false;
		for (uint32_t k = 1; k < g->nrpo; k++) {
			uint32_t b = g->rpo[k], dom = CFG_NONE;

			for (uint32_t p = 0; p < g->npred[b]; p++) {
				uint32_t from = g->pred[g->pred_at[b] + p];

				if (g->idom[from] == CFG_NONE)
					continue;
				dom = dom == CFG_NONE ? from : common_dominator(g, from, dom);
			}
			changed |= g->idom[b] != dom;
			g->idom[b] = dom;
		}
		/* Those that lead to a block were seen before it, but for loops. */
	} while (changed && g->loops);
}

bool ir_cfg_init(struct ir_cfg *g, const struct ir_region *r)
{
	uint32_t n = r->nbb;
	uint32_t *mem = scratch_take(r->scratch, 10 * (size_t)n + n / 4 + 1, sizeof(*mem));
	uint32_t(*succ)[2];

	if (!mem)
		return false;
	g->rpo = mem;
	g->number = mem + n;
	g->idom = mem + 2 * (size_t)n;
	g->npred = mem + 3 * (size_t)n;
	g->pred_at = mem + 4 * (size_t)n;
	g->pred = mem + 5 * (size_t)n; /* two for each block */
	succ = (uint32_t(*)[2])(mem + 7 * (size_t)n);
	find_successors(r, succ);
	number_blocks(g, r, succ, mem + 9 * (size_t)n, (uint8_t *)(mem + 10 * (size_t)n));
	find_preds(g, r, succ);
	find_dominators(g, r);
	return true;
}

bool ir_cfg_dominates(const struct ir_cfg *g, uint32_t a, uint32_t b)
{
	while (g->number[b] > g->number[a])
		b = g->idom[b];
	return a == b;
}

bool ir_only_jumps(const struct ir_region *r, uint32_t b)
{
	const struct ir_bb *bb = &r->bb[b];

	return bb->count == 1 && r->inst[bb->first].op == IR_JUMP;
}

uint32_t ir_through(const struct ir_region *r, uint32_t b)
{
	uint32_t to = b;

	/*
	 * The bound is for loops of such blocks. Where it is reached nothing is passed over: a block in the
	 * middle of them may be one that nobody else goes to any more.
	 */
	for (unsigned steps = 0; ir_only_jumps(r, to); steps++) {
		if (steps == 8)
			return b;
		to = r->inst[r->bb[to].first].arg[1];
	}
	return to;
}

/* All that gets to `from` without passing the head. */
static void mark_loop(const struct ir_cfg *g, uint32_t head, uint32_t from, bool *in, uint32_t *stack)
{
	uint32_t depth = 0;

	if (!in[from]) {
		in[from] = true;
		stack[depth++] = from;
	}
	while (depth) {
		uint32_t b = stack[--depth];

		for (uint32_t p = 0; b != head && p < g->npred[b]; p++) {
			uint32_t pred = g->pred[g->pred_at[b] + p];

			if (!in[pred]) {
				in[pred] = true;
				stack[depth++] = pred;
			}
		}
	}
}

bool ir_cfg_loop(const struct ir_cfg *g, uint32_t nbb, uint32_t head, bool *in, uint32_t *stack)
{
	bool loop = false;

	for (uint32_t p = 0; p < g->npred[head]; p++) {
		uint32_t from = g->pred[g->pred_at[head] + p];

		if (g->number[from] < g->number[head] || !ir_cfg_dominates(g, head, from))
			continue;
		if (!loop) {
			memset(in, 0, nbb * sizeof(*in));
			in[head] = loop = true;
		}
		mark_loop(g, head, from, in, stack);
	}
	return loop;
}
