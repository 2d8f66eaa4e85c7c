/*
 * For the choice of pins: loops. Windows of the TLB that are to be in registers there, loaded before; and where a loop wants
 * more registers than there are, pins that would only be kept there for those who may look at guest state are written back
 * before it, and others are loaded behind it.
 */
#include "ir/scratch.h"
#include "jit/x86_64/pins.h"

#define FETCH_RUNS 4.0f /* by so much rarer than the most frequent block */

/* ---- windows ---- */

static void add_window(struct choice *c, unsigned window)
{
	static const size_t member[WINDOW_PINS] = {
		offsetof(struct tlb_window, minus),
		offsetof(struct tlb_window, addend),
	};
	uint8_t *of = c->of_window[window - 1];

	if (of[0] != NONE || c->n + WINDOW_PINS > CANDIDATES)
		return;
	for (unsigned k = 0; k < WINDOW_PINS; k++) {
		c->offset[c->n] = PIN_OF_TLB | (uint32_t)window_at(window, member[k]);
		of[k] = (uint8_t)c->n++;
	}
}

/* Those of accesses in blocks of a loop that are in no other yet; what of them is to be loaded before it. */
static uint64_t find_in_loop(struct choice *c, const bool *in)
{
	uint64_t set = 0;

	for (uint32_t k = 0; k < c->cfg->nrpo; k++) {
		uint32_t b = c->cfg->rpo[k];
		const struct ir_bb *bb = &c->r->bb[b];

		if (!in[b] || c->flow[b].in_loop)
			continue;
		c->flow[b].in_loop = true;
		for (uint32_t id = bb->first; id < bb->first + bb->count; id++) {
			unsigned window = window_of(&c->r->inst[id]);

			if (window)
				add_window(c, window);
			set |= window_set(c, b, &c->r->inst[id]);
		}
	}
	return set;
}

static bool any_window(const struct ir_region *r)
{
	for (uint32_t n = 0; n < r->ninst; n++)
		if (window_of(&r->inst[n]))
			return true;
	return false;
}

void pins_find_windows(struct choice *c)
{
	const struct ir_cfg *cfg = c->cfg;
	bool *in;
	uint32_t *stack;

	memset(c->of_window, NONE, sizeof(c->of_window));
	if (!any_window(c->r))
		return;
	in = scratch_take(c->r->scratch, c->r->nbb, sizeof(*in));
	stack = scratch_take(c->r->scratch, c->r->nbb, sizeof(*stack));
	if (!in || !stack)
		return;
	/* Inner loops lie behind the heads of those that they are in. */
	for (uint32_t k = cfg->nrpo; k-- > 0;) {
		uint32_t head = cfg->rpo[k];
		uint64_t set;

		if (!ir_cfg_loop(cfg, c->r->nbb, head, in, stack))
			continue;
		set = find_in_loop(c, in);
		for (uint32_t p = 0; p < cfg->npred[head]; p++) {
			uint32_t from = cfg->pred[cfg->pred_at[head] + p];

			if (!in[from])
				c->flow[from].enter |= set;
		}
	}
}

/* ---- what is written back before a loop ---- */

/* What has a register somewhere in a loop, and what the loop names. */
static void look_at_loop(const struct choice *c, const bool *in, uint64_t *taken, uint64_t *named)
{
	*taken = *named = 0;
	for (uint32_t k = 0; k < c->cfg->nrpo; k++) {
		uint32_t b = c->cfg->rpo[k];

		if (in[b]) {
			*taken |= pins_taken_in(c, b);
			*named |= c->flow[b].named;
		}
	}
}

static unsigned count(const struct choice *c, uint64_t set, unsigned kind)
{
	set &= ~c->bad & (kind == XMM ? c->xmm : ~c->xmm);
	return (unsigned)__builtin_popcountll(set);
}

/*
 * Does some loop want more registers than there are? What such loops do not name is to be clean where blocks lead
 * there.
 */
static bool find_crowded(struct choice *c, bool *in, uint32_t *stack)
{
	const struct ir_cfg *cfg = c->cfg;
	bool crowded = false;

	for (uint32_t k = 0; k < cfg->nrpo; k++) {
		uint32_t head = cfg->rpo[k];
		uint64_t taken, named, clean = 0;

		if (!ir_cfg_loop(cfg, c->r->nbb, head, in, stack))
			continue;
		look_at_loop(c, in, &taken, &named);
		for (unsigned kind = 0; kind < KINDS; kind++)
			if (count(c, taken, kind) > PIN_REGS)
				clean |= kind == XMM ? c->xmm : ~c->xmm;
		crowded |= clean != 0;
		clean &= taken & ~named;
		for (uint32_t p = 0; p < cfg->npred[head]; p++) {
			uint32_t from = cfg->pred[cfg->pred_at[head] + p];

			if (!in[from])
				c->flow[from].clean |= clean & pins_dirty_end(&c->flow[from]);
		}
	}
	return crowded;
}

/*
 * What is newer than memory only on other ways to where somebody looks at it, and for that is loaded on this one, too: as late
 * as can be, if that is not where it would be done often.
 */
static void find_fetches(struct choice *c)
{
	float most = 0;

	for (uint32_t k = 0; k < c->cfg->nrpo; k++)
		if (c->g->runs[c->cfg->rpo[k]] > most)
			most = c->g->runs[c->cfg->rpo[k]];
	for (uint32_t k = 0; k < c->cfg->nrpo; k++) {
		uint32_t b = c->cfg->rpo[k], target[2];
		struct flow *f = &c->flow[b];

		if (FETCH_RUNS * c->g->runs[b] > most)
			continue;
		for (unsigned t = ir_targets(last_of(c->g, b), target); t-- > 0;) {
			const struct flow *to = &c->flow[target[t]];

			f->fetch |= to->live & to->dirty & ~to->real & ~pins_dirty_end(f);
		}
	}
}

void pins_relieve(struct choice *c)
{
	const struct ir_cfg *cfg = c->cfg;
	bool *in = scratch_take(c->r->scratch, c->r->nbb, sizeof(*in));
	uint32_t *stack = scratch_take(c->r->scratch, c->r->nbb, sizeof(*stack)), target[2];

	if (!in || !stack || !find_crowded(c, in, stack))
		return;
	pins_find_live(c, false);
	for (uint32_t k = 0; k < cfg->nrpo; k++)
		c->flow[cfg->rpo[k]].real = c->flow[cfg->rpo[k]].live;
	/* What is read behind the loop stays in its register all the same. */
	for (uint32_t k = 0; k < cfg->nrpo; k++) {
		struct flow *f = &c->flow[cfg->rpo[k]];

		for (unsigned t = ir_targets(last_of(c->g, cfg->rpo[k]), target); f->clean && t-- > 0;)
			f->clean &= ~c->flow[target[t]].real;
	}
	pins_find_dirty(c);
	pins_find_live(c, true);
	find_fetches(c);
	pins_find_live(c, true);
}
