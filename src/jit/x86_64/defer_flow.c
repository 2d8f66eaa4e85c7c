/*
 * For deferred comparisons: what happens in a region that matters to them, and what cells of flags are the result
 * of where its blocks start.
 */
#include "ir/scratch.h"
#include "jit/x86_64/defer.h"

#define COST_SET 2.0f /* setcc for each of two bytes */

static bool same(const struct compared *x, const struct compared *y)
{
	return x->op == y->op && x->wide == y->wide && x->a.kind == y->a.kind &&
	       x->a.at == y->a.at && x->a.imm == y->a.imm && x->b.kind == y->b.kind &&
	       x->b.at == y->b.at && x->b.imm == y->b.imm;
}

/* ---- what happens ---- */

unsigned defer_cell_at(const struct gen *g, uint64_t off, unsigned size)
{
	for (unsigned n = 0; n < g->ndefer; n++)
		if (off < g->defer_at[n] + 8u && off + size > g->defer_at[n])
			return n;
	return DEFER_CELLS;
}

/* A value as another one and a constant. */
static uint32_t root_of(const struct ir_region *r, uint32_t v, uint64_t *plus)
{
	const struct ir_inst *i = &r->inst[v];

	*plus = 0;
	if (i->op != IR_ADD || i->type != IR_I64 || r->inst[i->arg[1]].op != IR_CONST)
		return v;
	*plus = r->inst[i->arg[1]].imm;
	return i->arg[0];
}

/* state: the values that cells hold */
static struct side side_of(const struct defer *d, const uint32_t *state, uint32_t v, bool wide)
{
	const struct ir_inst *i = &d->r->inst[v];

	if (i->op == IR_CONST)
		return (struct side){.kind = SIDE_CONST,
					.imm = wide ? i->imm : (uint64_t)(int32_t)i->imm};
	for (uint32_t c = 0; c < state_ncells(d->r); c += 2)
		if (state[c] == v && state[c + 1] == v) {
			uint32_t at = d->offset[c];

			if (defer_cell_at(d->g, at, 8) == DEFER_CELLS)
				return (struct side){.kind = SIDE_CELL, .at = at};
		}
	return (struct side){.kind = SIDE_VALUE, .at = v};
}

static void note_set(struct defer *d, struct event *e, const struct ir_inst *i, const uint32_t *state)
{
	unsigned size = ir_type_size((enum ir_type)i->type);
	const struct ir_inst *c = &d->r->inst[i->arg[0]];
	uint32_t was = state[state_first(i)];
	uint64_t plus, minus;

	e->cell = (uint8_t)defer_cell_at(d->g, i->imm, size);
	e->at = (uint32_t)i->imm;
	e->value = i->arg[0];
	e->size = (uint8_t)size;
	if (e->cell == DEFER_CELLS) {
		e->kind = CELL;
		e->whole = i->type == IR_I64;
		e->steps = e->whole && was != AVAIL_NONE && was == state[state_first(i) + 1] &&
			   root_of(d->r, i->arg[0], &plus) == root_of(d->r, was, &minus);
		e->step = e->steps ? (int64_t)(plus - minus) : 0;
		return;
	}
	e->kind = OTHER;
	e->set = SETS;
	if (!d->g->val[i->arg[0]].fused || d->nsets == SETS)
		return;
	e->kind = COMPARE;
	e->is.op = c->op;
	e->is.wide = c->aux != IR_I32;
	e->is.a = side_of(d, state, c->arg[0], e->is.wide);
	e->is.b = side_of(d, state, c->arg[1], e->is.wide);
	e->is.va = c->arg[0];
	e->is.vb = c->arg[1];
	e->set = (uint8_t)d->nsets;
	d->set_id[d->nsets] = e->id;
	d->of_cell[e->cell] |= UINT64_C(1) << d->nsets++;
}

static bool note(struct defer *d, struct event *e, uint32_t id, const uint32_t *state)
{
	const struct ir_inst *i = &d->r->inst[id];

	*e = (struct event){.id = id, .set = SETS};
	if (i->op == IR_SET) {
		note_set(d, e, i, state);
	} else if (i->op == IR_GET) {
		e->kind = READ;
		e->cell = (uint8_t)defer_cell_at(d->g, i->imm, ir_type_size((enum ir_type)i->type));
		return e->cell != DEFER_CELLS;
	} else if (ir_clobbers_state(i)) {
		e->kind = CLOBBER;
	} else if (defer_shows(i)) {
		e->kind = SHOW;
	} else if (ir_observes_state(i)) {
		e->kind = LOOK;
	} else {
		return false;
	}
	return true;
}

bool defer_find_events(struct defer *d)
{
	const struct ir_cfg *cfg = &d->g->cfg;
	uint32_t ncells = state_ncells(d->r);
	uint32_t *state = scratch_take(d->r->scratch, ncells + 1, sizeof(*state));

	d->offset = scratch_take(d->r->scratch, ncells + 1, sizeof(*d->offset));
	if (!state || !d->offset)
		return false;
	for (uint32_t id = 0; id < d->r->ninst; id++) {
		const struct ir_inst *i = &d->r->inst[id];

		if (i->op == IR_GET || i->op == IR_SET)
			d->offset[state_first(i) & ~1u] = (uint32_t)i->imm & ~7u;
	}
	for (uint32_t k = 0; k < cfg->nrpo; k++) {
		uint32_t b = cfg->rpo[k], first = d->r->bb[b].first;

		memcpy(state, &d->g->available[(size_t)b * ncells], ncells * sizeof(*state));
		d->first[b] = d->nevents;
		for (uint32_t id = first; id < first + d->r->bb[b].count; id++) {
			if (note(d, &d->event[d->nevents], id, state)) {
				uint8_t set = d->event[d->nevents++].set;

				if (set != SETS)
					d->gain[set] = COST_SET * d->g->runs[b];
			}
			ir_avail_step(d->r, id, state);
		}
		d->end[b] = d->nevents;
	}
	return true;
}

/* ---- what flags are the result of ---- */

static void forget(struct compared *c)
{
	*c = (struct compared){.op = IR_CONST};
}

static void side_set(struct compared *c, struct side *o, const struct event *e)
{
	if (o->kind == SIDE_VALUE && e->whole && o->at == e->value) {
		*o = (struct side){.kind = SIDE_CELL, .at = e->at};
	} else if (o->kind == SIDE_CELL && e->at < o->at + 8 && o->at < e->at + e->size) {
		o->imm -= (uint64_t)e->step;
		if (!e->steps || !fits32((int64_t)o->imm))
			forget(c);
	}
}

void defer_step(const struct gen *g, struct compared *now, const struct event *e)
{
	switch ((enum kind)e->kind) {
	case COMPARE:
		now[e->cell] = e->is;
		break;
	case OTHER:
		forget(&now[e->cell]);
		break;
	case CELL:
		for (unsigned n = 0; n < g->ndefer; n++) {
			if (now[n].op != IR_CONST)
				side_set(&now[n], &now[n].a, e);
			if (now[n].op != IR_CONST)
				side_set(&now[n], &now[n].b, e);
		}
		break;
	case CLOBBER:
		for (unsigned n = 0; n < g->ndefer; n++)
			forget(&now[n]);
		break;
	default:
		break;
	}
}

/*
 * alone: this is the only way to `to`. Where ways join, and so in another round of a loop, values of the same
 * names may be other ones.
 */
static bool meet(const struct gen *g, struct compared *to, const struct compared *end, bool first,
		 bool alone)
{
	bool changed = first;

	for (unsigned n = 0; n < g->ndefer; n++) {
		if (first) {
			to[n] = end[n];
		} else if (to[n].op != IR_CONST && !same(&to[n], &end[n])) {
			forget(&to[n]);
			changed = true;
		}
		if (!alone)
			to[n].va = to[n].vb = NO_INDEX;
	}
	return changed;
}

bool defer_find_entries(struct defer *d)
{
	const struct ir_cfg *cfg = &d->g->cfg;
	unsigned ndefer = d->g->ndefer;
	bool *reached = scratch_take(d->r->scratch, d->r->nbb, sizeof(*reached)), again = true;
	struct compared end[DEFER_CELLS];

	if (!reached)
		return false;
	memset(reached, 0, d->r->nbb * sizeof(*reached));
	reached[cfg->rpo[0]] = true;
	for (unsigned n = 0; n < ndefer; n++)
		forget(&d->entry[(size_t)cfg->rpo[0] * ndefer + n]);
	while (again) {
		again = false;
		for (uint32_t k = 0; k < cfg->nrpo; k++) {
			uint32_t b = cfg->rpo[k], target[2];

			memcpy(end, &d->entry[(size_t)b * ndefer], ndefer * sizeof(*end));
			for (uint32_t n = d->first[b]; n < d->end[b]; n++)
				defer_step(d->g, end, &d->event[n]);
			for (unsigned t = ir_targets(last_of(d->g, b), target); t-- > 0;) {
				bool changed = meet(d->g, &d->entry[(size_t)target[t] * ndefer], end,
						    !reached[target[t]], cfg->npred[target[t]] == 1);

				reached[target[t]] = true;
				again |= changed && cfg->number[target[t]] <= k;
			}
		}
	}
	return true;
}
