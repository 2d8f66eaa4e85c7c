/*
 * How often the blocks of a region run, guessed from its loops: for choices that cost in one place what they
 * save in another.
 */
#include "ir/scratch.h"
#include "jit/x86_64/gen.h"

#define LOOP_RUNS 8.0f /* of a loop, or so */
#define CHECK_RUNS 16.0f /* of a check of where an indirect branch goes, as it was seen to go */
#define DEPTH_MAX 4

/* depth: by block, how many loops it is in */
static bool find_depths(const struct gen *g, uint8_t *depth)
{
	uint32_t nbb = g->r->nbb;
	uint32_t *stack = scratch_take(g->r->scratch, nbb + 1, sizeof(*stack));
	bool *in = scratch_take(g->r->scratch, nbb + 1, sizeof(*in));

	if (!stack || !in)
		return false;
	memset(depth, 0, nbb);
	for (uint32_t k = 0; g->cfg.loops && k < g->cfg.nrpo; k++) {
		if (!ir_cfg_loop(&g->cfg, nbb, g->cfg.rpo[k], in, stack))
			continue;
		for (uint32_t b = 0; b < nbb; b++)
			if (in[b] && depth[b] < DEPTH_MAX)
				depth[b]++;
	}
	return true;
}

/* Does the block end in a check whether an address is one of the region's? */
static bool checks_pc(const struct gen *g, uint32_t b)
{
	const struct ir_inst *end = last_of(g, b), *eq;

	if (end->op != IR_BR)
		return false;
	eq = inst_of(g, end->arg[0]);
	return eq->op == IR_EQ && (inst_of(g, eq->arg[0])->op == IR_PC || inst_of(g, eq->arg[1])->op == IR_PC);
}

static void find_runs(struct gen *g, const uint8_t *depth)
{
	const struct ir_cfg *cfg = &g->cfg;

	g->runs[cfg->rpo[0]] = 1;
	for (uint32_t k = 0; k < cfg->nrpo; k++) {
		uint32_t b = cfg->rpo[k], target[2];
		unsigned n = ir_targets(last_of(g, b), target);
		float share[2] = {n > 1 ? 0.5f : 1, 0.5f};

		for (uint32_t p = 0; p < cfg->npred[b]; p++) {
			uint32_t from = cfg->pred[cfg->pred_at[b] + p];

			/* the head of a loop */
			if (cfg->number[from] >= k) {
				g->runs[b] *= LOOP_RUNS;
				break;
			}
		}
		if (n > 1 && depth[target[0]] != depth[target[1]]) {
			/* a loop is left more rarely than it goes round */
			bool stays = depth[target[0]] > depth[target[1]];

			share[!stays] = 1 - 1 / LOOP_RUNS;
			share[stays] = 1 / LOOP_RUNS;
		}
		if (checks_pc(g, b)) {
			share[0] = 1 - 1 / CHECK_RUNS;
			share[1] = 1 / CHECK_RUNS;
		}
		g->share[b] = share[0];
		for (unsigned t = 0; t < n; t++)
			if (cfg->number[target[t]] > k)
				g->runs[target[t]] += g->runs[b] * share[t];
	}
}

bool runs_find(struct gen *g)
{
	struct ir_scratch *s = g->r->scratch;
	uint8_t *depth;

	g->runs = scratch_take(s, g->r->nbb + 1, sizeof(*g->runs));
	g->share = scratch_take(s, g->r->nbb + 1, sizeof(*g->share));
	depth = scratch_take(s, g->r->nbb + 1, sizeof(*depth));
	if (!g->runs || !g->share || !depth)
		return false;
	memset(g->runs, 0, (g->r->nbb + 1) * sizeof(*g->runs));
	if (!find_depths(g, depth))
		return false;
	find_runs(g, depth);
	return true;
}
