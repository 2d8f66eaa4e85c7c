/*
 * For the choice of pins: which cells can be pins at all, what is live, and what is newer than memory where.
 */
#include "ir/scratch.h"
#include "jit/x86_64/pins.h"

uint64_t pins_foreign(const struct choice *c, uint32_t b, const struct ir_inst *i)
{
	uint64_t set = 0;

	for (unsigned k = c->g->nvia ? ir_nargs(i) : 0; k-- > 0;) {
		const struct value *x = &c->g->val[i->arg[k]];

		if (x->via_state && x->block != b && !tree_comes_from(c->g, b, i->arg[k]))
			set |= bit(c->of_cell[x->state_cell]);
	}
	return set;
}

/* ---- candidates ---- */

static bool within(const struct ir_inst *i, uint32_t first, uint32_t end)
{
	return i->imm >= first && i->imm + ir_type_size(i->type) <= end;
}

static void find_lines(struct choice *c)
{
	for (uint32_t n = 0; n < c->r->ninst; n++) {
		const struct ir_inst *i = &c->r->inst[n];

		if (!is_access(i) || c->g->val[n].block == NO_INDEX)
			continue;
		c->line[state_first(i) / 4] |=
			i->type != IR_V128 ? LINE_PART :
			i->op == IR_SET && c->r->inst[i->arg[0]].op == IR_VCONST ? LINE_CONST :
										    LINE_VECTOR;
	}
}

/* A whole line; or one of the halves of one that is not named as a whole, but to write constants. */
static void add_candidate(struct choice *c, uint32_t n)
{
	const struct ir_inst *i = &c->r->inst[n];
	const struct jit_layout *l = c->g->layout;
	bool vector = i->type == IR_V128, number = c->g->val[i->op == IR_GET ? n : i->arg[0]].vec;
	uint8_t *of = &c->of_cell[state_first(i) & ~1u];

	if (c->line[state_first(i) / 4] & (vector ? LINE_PART : LINE_VECTOR))
		return;
	if (of[0] == NONE && c->n < CANDIDATES) {
		c->offset[c->n] = (uint32_t)(i->imm & ~UINT64_C(7));
		memset(of, (int)c->n++, vector ? 4 : 2);
	}
	if (vector)
		c->vec |= bit(of[0]);
	if (vector || (number && within(i, l->vec_first, l->vec_end)))
		c->xmm |= bit(of[0]);
	/* Flags are written by a byte or two of them, which is as cheap. */
	if (i->type == IR_I32 || (i->op == IR_SET && i->aux))
		c->bad |= bit(of[0]);
}

static void find_candidates(struct choice *c)
{
	const struct ir_region *r = c->r;
	const struct jit_layout *l = c->g->layout;

	memset(c->of_cell, NONE, state_ncells(r));
	find_lines(c);
	for (uint32_t n = 0; n < r->ninst; n++) {
		const struct ir_inst *i = &r->inst[n];

		if (is_access(i) && c->g->val[n].block != NO_INDEX &&
		    (within(i, l->vec_first, l->vec_end) ||
		     (i->type != IR_V128 && within(i, l->pin_first, l->pin_end))))
			add_candidate(c, n);
	}
	/* What lies where vectors do, and no number is, */
	for (unsigned k = 0; k < c->n; k++)
		if (!(c->xmm >> k & 1) && (c->offset[k] < l->pin_first || c->offset[k] + 8 > l->pin_end))
			c->bad |= bit(k);
}

/* ---- what is live, and what is newer than memory ---- */

uint64_t pins_dirty_after(const struct choice *c, const struct ir_inst *i, uint64_t dirty)
{
	if (i->op == IR_SET)
		return dirty | named_set(c, i);
	return is_seeing_call(i) ? 0 : dirty;
}

void pins_find_dirty(struct choice *c)
{
	bool again = true;

	for (uint32_t k = 0; k < c->cfg->nrpo; k++) {
		const struct ir_bb *bb = &c->r->bb[c->cfg->rpo[k]];
		struct flow *f = &c->flow[c->cfg->rpo[k]];

		f->kept = ~UINT64_C(0);
		f->dirty = f->made = 0;
		for (uint32_t id = bb->first; id < bb->first + bb->count; id++) {
			f->made = pins_dirty_after(c, &c->r->inst[id], f->made);
			if (is_seeing_call(&c->r->inst[id]))
				f->kept = 0;
		}
	}
	while (again) {
		again = false;
		for (uint32_t k = 0; k < c->cfg->nrpo; k++) {
			uint32_t b = c->cfg->rpo[k], target[2];
			uint64_t dirty = pins_dirty_end(&c->flow[b]) & ~c->flow[b].clean;

			for (unsigned t = ir_targets(last_of(c->g, b), target); t-- > 0;) {
				struct flow *to = &c->flow[target[t]];

				if (!(dirty & ~to->dirty))
					continue;
				to->dirty |= dirty;
				again |= c->cfg->number[target[t]] <= k;
			}
		}
	}
}

/* seen: what guest state is observed is a use, too. */
static void find_uses(struct choice *c, uint32_t b, bool seen)
{
	struct flow *f = &c->flow[b];
	uint64_t dirty = f->dirty;

	f->named = f->written = f->enter;
	f->read = f->live = 0;
	for (uint32_t id = c->r->bb[b].first; id < c->r->bb[b].first + c->r->bb[b].count; id++) {
		const struct ir_inst *i = &c->r->inst[id];
		uint64_t others = pins_foreign(c, b, i), read = 0;

		if (i->op == IR_GET)
			read = named_set(c, i);
		else
			read = window_set(c, b, i);
		f->named |= read | others;
		/* A value of another block is there from the start, and is saved from what is written. */
		f->read |= others;
		if (seen && observes(i))
			read |= dirty;
		f->read |= read & ~f->written;
		dirty = pins_dirty_after(c, i, dirty);
		if (i->op == IR_SET) {
			f->written |= named_set(c, i);
			f->named |= named_set(c, i);
		} else if (is_call(i, IR_H_WRITES_STATE)) {
			/* all are loaded again */
			f->written = ~UINT64_C(0);
		}
	}
	if (seen)
		f->read |= dirty & f->clean & ~f->written;
}

static uint64_t live_at_end(const struct choice *c, uint32_t b)
{
	uint32_t target[2];
	uint64_t live = 0;

	for (unsigned t = ir_targets(last_of(c->g, b), target); t-- > 0;)
		live |= c->flow[target[t]].live;
	return live;
}

void pins_find_live(struct choice *c, bool seen)
{
	bool again = true;

	for (uint32_t k = 0; k < c->cfg->nrpo; k++)
		find_uses(c, c->cfg->rpo[k], seen);
	while (again) {
		again = false;
		for (uint32_t k = c->cfg->nrpo; k-- > 0;) {
			struct flow *f = &c->flow[c->cfg->rpo[k]];
			uint64_t live = f->read | (live_at_end(c, c->cfg->rpo[k]) & ~f->written & ~f->fetch);

			again |= live != f->live;
			f->live = live;
		}
	}
}

uint64_t pins_taken_in(const struct choice *c, uint32_t b)
{
	return c->flow[b].live | c->flow[b].named | live_at_end(c, b);
}

void pins_flow(struct choice *c)
{
	find_candidates(c);
	pins_find_windows(c);
	if (!c->n)
		return;
	pins_find_dirty(c);
	pins_find_live(c, true);
	pins_relieve(c);
}
