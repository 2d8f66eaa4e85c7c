/*
 * Comparisons that are written to guest state where it is seen, not where they are made: flags that the next
 * round of a loop, or the next comparison, overwrites need not be written at all, as long as who does look
 * (a fault, a poll, an exit) can have them made then, from what they are the result of.
 *
 * What each cell of flags is the result of is followed through the region: a comparison of two operands, which are
 * constants or cells of guest state themselves, with something added. Where ways join they must agree. A SET is
 * left out ("deferred") if on all ways from it to the next SET of its cell it can be made up for
 * wherever state is observed. Where that is rare it is done in a stub, which costs nothing; helpers that look
 * at state and exits do it in the region's own code, and what that costs is weighed. Behind a branch on the same comparison,
 * which is where most regions are left, the host's flags are what it takes.
 *
 * Other operands than constants are read from guest state when the flags are made. Memory has them then: pins have been
 * written back, and nothing else is kept from memory but flags, which are never operands here.
 */
#include "ir/scratch.h"
#include "jit/x86_64/defer.h"

#define ALL          UINT64_MAX
#define COST_MADE_UP 4.0f
#define COST_STORED  2.0f /* the comparison has just been made */

/* ---- which SETs are left out ---- */

/* Cells that are seen before they are set, from where a block ends to where it starts. */
static uint32_t live_before(const struct defer *d, uint32_t b)
{
	uint32_t target[2], live = 0, all = (1u << d->g->ndefer) - 1;

	for (unsigned t = ir_targets(last_of(d->g, b), target); t-- > 0;)
		live |= d->live[target[t]];
	for (uint32_t n = d->end[b]; n-- > d->first[b];) {
		const struct event *e = &d->event[n];

		if (e->kind == COMPARE || e->kind == OTHER)
			live &= ~(1u << e->cell);
		else if (e->kind == READ)
			live |= 1u << e->cell;
		else if (e->kind != CELL)
			live = all;
	}
	return live;
}

static void find_live(struct defer *d)
{
	const struct ir_cfg *cfg = &d->g->cfg;
	bool again = true;

	while (again) {
		again = false;
		for (uint32_t k = cfg->nrpo; k-- > 0;) {
			uint32_t b = cfg->rpo[k], live = live_before(d, b);

			again |= live != d->live[b];
			d->live[b] = (uint8_t)live;
		}
	}
}

uint32_t defer_on_edge(const struct defer *d, uint32_t to, uint64_t dirty)
{
	const struct compared *there = &d->entry[(size_t)to * d->g->ndefer];
	uint32_t cells = 0;

	for (unsigned n = 0; n < d->g->ndefer; n++)
		if ((dirty & d->of_cell[n]) && (d->live[to] >> n & 1) && !can_be_made(&there[n]))
			cells |= 1u << n;
	return cells;
}

/* SETs that have not been made up for behind an event, of those before it. */
static uint64_t dirty_after(const struct defer *d, const struct event *e, uint64_t dirty)
{
	switch ((enum kind)e->kind) {
	case COMPARE:
	case OTHER:
		dirty &= ~d->of_cell[e->cell];
		return e->set == SETS ? dirty : dirty | (d->wanted & UINT64_C(1) << e->set);
	case CLOBBER:
	case SHOW:
		return 0;
	default:
		return dirty;
	}
}

/* The same behind a branch. What nobody sees any more needs not be made up for. */
static uint64_t dirty_behind(const struct defer *d, uint32_t to, uint64_t dirty)
{
	uint32_t made = defer_on_edge(d, to, dirty);

	for (unsigned n = 0; n < d->g->ndefer; n++)
		if ((made >> n & 1) || !(d->live[to] >> n & 1))
			dirty &= ~d->of_cell[n];
	return dirty;
}

static void find_dirty(struct defer *d)
{
	const struct ir_cfg *cfg = &d->g->cfg;
	bool again = true;

	memset(d->dirty, 0, d->r->nbb * sizeof(*d->dirty));
	while (again) {
		again = false;
		for (uint32_t k = 0; k < cfg->nrpo; k++) {
			uint32_t b = cfg->rpo[k], target[2];
			uint64_t dirty = d->dirty[b];

			for (uint32_t n = d->first[b]; n < d->end[b]; n++)
				dirty = dirty_after(d, &d->event[n], dirty);
			for (unsigned t = ir_targets(last_of(d->g, b), target); t-- > 0;) {
				uint64_t more = dirty_behind(d, target[t], dirty) &
						~d->dirty[target[t]];

				again |= more && cfg->number[target[t]] <= k;
				d->dirty[target[t]] |= more;
			}
		}
	}
}

/* A cell is made, for SETs of it that have not been made up for. */
static void pay(struct defer *d, unsigned cell, uint64_t dirty, float cost)
{
	uint64_t of = dirty & d->of_cell[cell];

	d->cost[cell] += cost;
	if (!(of & (of - 1)))
		d->alone[__builtin_ctzll(of)] += cost;
}

/* Does the branch that alone leads to a block compare the same? Then the host's flags are that where it begins. */
static bool is_tested_before(const struct defer *d, uint32_t block, const struct compared *c)
{
	const struct ir_cfg *cfg = &d->g->cfg;
	const struct ir_inst *br, *cond;

	if (cfg->npred[block] != 1 || c->va == NO_INDEX)
		return false;
	br = last_of(d->g, cfg->pred[cfg->pred_at[block]]);
	if (br->op != IR_BR)
		return false;
	cond = &d->r->inst[br->arg[0]];
	return cond->op >= IR_EQ && cond->op <= IR_CMP3U &&
	       ((cond->arg[0] == c->va && cond->arg[1] == c->vb) ||
		(cond->arg[0] == c->vb && cond->arg[1] == c->va));
}

/* SETs that an event needs made. What cannot be is added to `bad`; the others are paid for. */
static void need(struct defer *d, uint32_t b, const struct event *e, const struct compared *now,
		 uint64_t dirty, uint64_t *bad)
{
	bool first = e == &d->event[d->first[b]];
	float runs = d->g->runs[b], cost;

	if (e->kind == READ) {
		*bad |= dirty & d->of_cell[e->cell];
		return;
	}
	for (unsigned n = 0; n < d->g->ndefer; n++) {
		if (!(dirty & d->of_cell[n]))
			continue;
		cost = first && is_tested_before(d, b, &now[n]) ? COST_STORED : COST_MADE_UP;
		if (!can_be_made(&now[n]))
			*bad |= dirty & d->of_cell[n];
		else if (e->kind != LOOK)
			pay(d, n, dirty, runs * cost);
	}
}

static void need_on_edges(struct defer *d, uint32_t b, const struct compared *now, uint64_t dirty,
			  uint64_t *bad)
{
	uint32_t target[2];
	unsigned count = ir_targets(last_of(d->g, b), target);

	for (unsigned t = 0; t < count; t++) {
		float share = t ? 1 - d->g->share[b] : d->g->share[b];

		for (uint32_t m = defer_on_edge(d, target[t], dirty); m; m &= m - 1) {
			unsigned n = (unsigned)__builtin_ctz(m);

			if (!can_be_made(&now[n]))
				*bad |= dirty & d->of_cell[n];
			else
				pay(d, n, dirty, d->g->runs[b] * share * COST_MADE_UP);
		}
	}
}

/* Returns those that must not be deferred, and finds what the others cost. */
static uint64_t find_needs(struct defer *d)
{
	const struct ir_cfg *cfg = &d->g->cfg;
	struct compared now[DEFER_CELLS];
	uint64_t bad = 0;

	memset(d->cost, 0, sizeof(d->cost));
	memset(d->alone, 0, sizeof(d->alone));
	find_dirty(d);
	for (uint32_t k = 0; k < cfg->nrpo; k++) {
		uint32_t b = cfg->rpo[k];
		uint64_t dirty = d->dirty[b];

		memcpy(now, &d->entry[(size_t)b * d->g->ndefer], d->g->ndefer * sizeof(*now));
		for (uint32_t n = d->first[b]; n < d->end[b]; n++) {
			const struct event *e = &d->event[n];

			if (dirty && e->kind >= CLOBBER)
				need(d, b, e, now, dirty, &bad);
			dirty = dirty_after(d, e, dirty);
			defer_step(d->g, now, e);
		}
		need_on_edges(d, b, now, dirty, &bad);
	}
	return bad;
}

/* Those that save less than has to be paid because of them alone. */
static uint64_t too_dear(const struct defer *d)
{
	uint64_t dear = 0;

	for (uint64_t m = d->wanted; m; m &= m - 1) {
		unsigned n = (unsigned)__builtin_ctzll(m);

		if (d->gain[n] <= d->alone[n])
			dear |= UINT64_C(1) << n;
	}
	for (unsigned n = 0; n < d->g->ndefer; n++) {
		float gain = 0;

		for (uint64_t m = d->wanted & d->of_cell[n]; m; m &= m - 1)
			gain += d->gain[__builtin_ctzll(m)];
		if (!dear && gain <= d->cost[n])
			dear |= d->wanted & d->of_cell[n];
	}
	return dear;
}

static void choose(struct defer *d)
{
	uint64_t less;

	find_live(d);
	d->wanted = d->nsets ? ALL >> (64 - d->nsets) : 0;
	do {
		less = find_needs(d);
		if (!less)
			less = too_dear(d);
		d->wanted &= ~less;
	} while (less && d->wanted);
}

/* ---- all together ---- */

/* Is the cell read and written as one only? */
static bool is_whole(const struct gen *g, uint64_t at)
{
	for (uint32_t n = 0; n < g->r->ninst; n++) {
		const struct ir_inst *i = inst_of(g, n);

		if ((i->op == IR_GET || i->op == IR_SET) && i->imm < at + 8 &&
		    at < i->imm + ir_type_size((enum ir_type)i->type) && (i->imm != at || i->type != IR_I64))
			return false;
	}
	return true;
}

/*
 * Is the cell overwritten somewhere? Outside of loops, where nothing is set twice by one SET, that takes
 * another: else all ways lead to where it is seen.
 */
static bool is_set_again(const struct gen *g, uint32_t set)
{
	uint64_t at = inst_of(g, set)->imm;

	if (g->cfg.loops)
		return true;
	for (uint32_t n = set + 1; n < g->r->ninst; n++) {
		const struct ir_inst *i = inst_of(g, n);

		if (i->op == IR_SET && i->imm == at && g->val[n].block != NO_INDEX)
			return true;
	}
	return false;
}

/* Cells that comparisons are written to. */
static void find_cells(struct gen *g)
{
	for (uint32_t n = 0; n < g->r->ninst && g->ndefer < DEFER_CELLS; n++) {
		const struct ir_inst *i = inst_of(g, n);

		if (i->op == IR_SET && i->type == IR_I64 && g->val[n].block != NO_INDEX &&
		    g->val[i->arg[0]].fused && defer_cell_at(g, i->imm, 8) == DEFER_CELLS && is_set_again(g, n) &&
		    is_whole(g, i->imm))
			g->defer_at[g->ndefer++] = (uint32_t)i->imm;
	}
}

static void leave_out(struct defer *d)
{
	struct gen *g = d->g;

	for (uint64_t m = d->wanted; m; m &= m - 1) {
		uint32_t set = d->set_id[__builtin_ctzll(m)];

		g->val[set].deferred = true;
		g->val[inst_of(g, set)->arg[0]].deferred = true;
	}
	g->defer = d;
}

bool defer_init(struct gen *g)
{
	struct ir_scratch *s = g->r->scratch;
	struct defer *d;

	find_cells(g);
	if (!g->ndefer)
		return true;
	g->available = ir_available(g->r, &g->cfg);
	if (!g->available)
		return false;
	d = scratch_take(s, 1, sizeof(*d));
	if (!d)
		return false;
	memset(d, 0, sizeof(*d));
	d->g = g;
	d->r = g->r;
	d->event = scratch_take(s, g->r->ninst + 1, sizeof(*d->event));
	d->first = scratch_take(s, g->r->nbb, sizeof(*d->first));
	d->end = scratch_take(s, g->r->nbb, sizeof(*d->end));
	d->entry = scratch_take(s, (size_t)g->r->nbb * g->ndefer, sizeof(*d->entry));
	d->dirty = scratch_take(s, g->r->nbb, sizeof(*d->dirty));
	d->live = scratch_take(s, g->r->nbb, sizeof(*d->live));
	if (!d->event || !d->first || !d->end || !d->entry || !d->dirty || !d->live)
		return false;
	memset(d->live, 0, g->r->nbb * sizeof(*d->live));
	/* Blocks that cannot be reached have no events, and nothing is known there. */
	memset(d->first, 0, g->r->nbb * sizeof(*d->first));
	memset(d->end, 0, g->r->nbb * sizeof(*d->end));
	memset(d->entry, 0, (size_t)g->r->nbb * g->ndefer * sizeof(*d->entry));
	_Static_assert(IR_CONST == 0, "nothing known");
	if (!defer_find_events(d) || !defer_find_entries(d))
		return false;
	choose(d);
	if (d->wanted)
		leave_out(d);
	return true;
}
