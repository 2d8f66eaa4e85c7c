/*
 * Deferred comparisons where they are seen: made from their operands, in the region's code or in a stub.
 */
#include <string.h>

#include "ir/scratch.h"
#include "jit/x86_64/defer.h"
#include "jit/x86_64/ops_int.h"

void defer_begin_block(struct gen *g, uint32_t block)
{
	const struct defer *d = g->defer;

	if (!d)
		return;
	g->next_event = d->first[block];
	g->pending = 0;
	for (unsigned n = 0; n < g->ndefer; n++) {
		g->now[n] = d->entry[(size_t)block * g->ndefer + n];
		if (d->dirty[block] & d->of_cell[n])
			g->pending |= 1u << n;
	}
	g->shown_now = false;
}

void defer_after(struct gen *g, uint32_t at)
{
	const struct defer *d = g->defer;
	const struct event *e;

	if (!d || g->next_event == d->nevents || d->event[g->next_event].id != at)
		return;
	e = &d->event[g->next_event++];
	defer_step(g, g->now, e);
	if (e->kind == COMPARE || e->kind == OTHER)
		g->pending &= ~(1u << e->cell);
	if (g->val[at].deferred)
		g->pending |= 1u << e->cell;
	g->shown_now = false;
}

/* reg := an operand. Pins of `dirty` are in their registers, all else in memory. Flags are lost. */
static void load(struct gen *g, const struct side *o, unsigned reg, uint32_t dirty)
{
	const struct pin *p;

	if (o->kind == SIDE_CONST) {
		a_mov_imm(&g->a, reg, o->imm);
		return;
	}
	p = pin_at(g, o->at);
	if (p && p->xmm && (dirty >> (p - g->pin) & 1))
		gen_from_xmm(g, reg, p->reg);
	else if (p && (dirty >> (p - g->pin) & 1))
		a_mov(&g->a, true, reg, p->reg);
	else
		a_load(&g->a, true, reg, RBP, (int32_t)o->at);
	if (o->imm)
		a_alu_imm(&g->a, ALU_ADD, true, reg, (int32_t)o->imm);
}

static bool is_imm(const struct side *o)
{
	return o->kind == SIDE_CONST && fits32((int64_t)o->imm);
}

static void compare(struct gen *g, const struct compared *c, uint32_t dirty)
{
	load(g, &c->a, RAX, dirty);
	if (is_imm(&c->b)) {
		a_alu_imm(&g->a, ALU_CMP, c->wide, RAX, (int32_t)c->b.imm);
		return;
	}
	load(g, &c->b, RCX, dirty);
	a_alu(&g->a, ALU_CMP, c->wide, RAX, RCX);
}

/* Are the host's flags those of `a` compared with `b`? */
static bool are_flags(const struct gen *g, uint32_t a, uint32_t b, bool wide)
{
	if (inst_of(g, b)->op == IR_CONST && !inst_of(g, b)->imm)
		b = NO_INDEX;
	return flags_of(g, FLAGS_COMPARE, a, b, wide);
}

/* Has it just been made, for a branch as a rule? Then *cc is made to fit. */
static bool is_made(const struct gen *g, const struct compared *c, enum cond *cc)
{
	if (c->va == NO_INDEX)
		return false;
	if (are_flags(g, c->va, c->vb, c->wide))
		return true;
	if (!are_flags(g, c->vb, c->va, c->wide))
		return false;
	*cc = gen_swapped_cond_of((enum ir_op)c->op);
	return true;
}

/* here: in the region's code, not in a stub */
static void make(struct gen *g, const struct compared *of, uint32_t flags, uint32_t dirty, bool here)
{
	for (; flags; flags &= flags - 1) {
		unsigned n = (unsigned)__builtin_ctz(flags);
		enum ir_op op = (enum ir_op)of[n].op;
		enum cond cc = gen_cond_of(op);

		if (!can_be_made(&of[n])) {
			g->failed = true; /* defer.c would not have deferred it */
			return;
		}
		if (!here || !is_made(g, &of[n], &cc))
			compare(g, &of[n], dirty);
		gen_store_compare(g, op, cc, g->defer_at[n]);
	}
}

void defer_before(struct gen *g, const struct ir_inst *i)
{
	if (!g->pending || !defer_shows(i))
		return;
	make(g, g->now, g->pending, g->dirty, true);
	g->pending = 0;
	g->shown_now = false;
}

uint32_t defer_edge(const struct gen *g, unsigned t)
{
	const struct defer *d = g->defer;
	uint32_t target[2];
	uint64_t dirty = 0;

	if (!d || !g->pending)
		return 0;
	ir_targets(last_of(g, g->block), target);
	for (unsigned n = 0; n < g->ndefer; n++)
		if (g->pending >> n & 1)
			dirty |= d->of_cell[n];
	return defer_on_edge(d, target[t], dirty);
}

void defer_make_here(struct gen *g, uint32_t flags)
{
	make(g, g->now, flags, g->dirty, true);
}

void defer_note(struct gen *g, struct stub *s)
{
	s->flags = g->pending;
	if (!g->pending)
		return;
	if (!g->shown_now) {
		if (g->nshown == g->cap_shown) {
			uint32_t cap = 2 * g->cap_shown + 16;
			struct compared *more = scratch_take(g->r->scratch, cap, sizeof(g->now));

			if (!more) {
				g->failed = true;
				s->flags = 0;
				return;
			}
			if (g->nshown)
				memcpy(more, g->shown, g->nshown * sizeof(g->now));
			g->shown = more;
			g->cap_shown = cap;
		}
		memcpy(&g->shown[(size_t)DEFER_CELLS * g->nshown++], g->now, sizeof(g->now));
		g->shown_now = true;
	}
	s->shown = DEFER_CELLS * (g->nshown - 1);
}

void defer_make(struct gen *g, const struct stub *s)
{
	if (!s->flags)
		return;
	if (s->kind == STUB_EDGE) {
		make(g, &g->shown[s->shown], s->flags, s->dirty, false);
		return;
	}
	a_push(&g->a, RAX);
	a_push(&g->a, RCX);
	make(g, &g->shown[s->shown], s->flags, 0, false);
	a_pop(&g->a, RCX);
	a_pop(&g->a, RAX);
}
