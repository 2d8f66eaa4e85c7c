/*
 * An instruction's beginning and end: what dies there, and where its result goes.
 */
#include "jit/x86_64/alloc.h"

bool dies(struct gen *g, uint32_t v)
{
	const struct value *x = &g->val[v];

	return x->next == NO_INDEX && (x->via_state || !x->crosses);
}

void operands_read(struct gen *g)
{
	const struct ir_inst *i = inst_of(g, g->at);

	g->read = true;
	for (unsigned k = 0, nargs = nargs_of(g, g->at); k < nargs; k++) {
		uint32_t v = i->arg[k];
		unsigned reg = g->val[v].reg;

		if (g->val[v].fused || reg == NO_REG || !dies(g, v))
			continue;
		if (is_vec(g, v)) {
			g->locked_xmm &= ~(1u << reg);
			g->released_xmm |= 1u << reg;
		} else {
			g->locked &= ~(1u << reg);
			g->released |= 1u << reg;
		}
		alloc_drop(g, v);
	}
}

static bool is_operand(const struct gen *g, uint32_t v)
{
	const struct ir_inst *i = inst_of(g, g->at);

	for (unsigned k = 0, nargs = nargs_of(g, g->at); k < nargs; k++) {
		const struct ir_inst *c = inst_of(g, i->arg[k]);

		if (i->arg[k] == v ||
		    (g->val[i->arg[k]].fused && (c->arg[0] == v || c->arg[1] == v)))
			return true;
	}
	return false;
}

/*
 * The register of the pin that the current instruction's result is for, made ready to take it;
 * NO_REG, if it is still to be read. What else is in it, and needed later, is copied. `copied`,
 * NO_INDEX for none, is the operand that the result starts as a copy of.
 */
static unsigned def_in_pin(struct gen *g, uint32_t copied)
{
	struct value *x = &g->val[g->at];
	uint32_t locked = g->locked, locked_xmm = g->locked_xmm;
	unsigned copies[2] = {0};
	const struct pin *p;
	bool room;

	if (x->pin == NO_PIN || g->pin[x->pin].xmm != is_vec(g, g->at))
		return NO_REG;
	p = &g->pin[x->pin];
	for (unsigned n = 0; n < g->nstate; n++) {
		uint32_t v = g->state_vals[n];

		if (g->val[v].home_at != p->offset || g->val[v].reg != NO_REG)
			continue;
		if (v != copied && !g->read && is_operand(g, v))
			return NO_REG;
		copies[is_vec(g, v)] += !dies(g, v);
	}
	/* The copies are made before the operands are read. */
	g->locked |= g->released;
	g->locked_xmm |= g->released_xmm;
	room = (unsigned)__builtin_popcount(VALUE_GPR & ~g->pinned & ~g->locked) >= copies[0] &&
	       (unsigned)__builtin_popcount(VALUE_XMM & ~g->pinned_xmm & ~g->locked_xmm) >= copies[1];
	if (room)
		alloc_leave_state(g, p->offset, ir_type_size(p->type), false);
	g->locked = locked;
	g->locked_xmm = locked_xmm;
	if (!room || x->home != HOME_NONE || g->nstate == ARRAY_SIZE(g->state_vals))
		return NO_REG;
	bind_state(g, g->at, p->offset);
	g->early |= 1u << x->pin;
	return p->reg;
}

unsigned def_reg(struct gen *g)
{
	unsigned reg = def_in_pin(g, NO_INDEX);

	if (reg != NO_REG)
		return reg;
	if (is_vec(g, g->at)) {
		reg = alloc_take_xmm(g);
		alloc_give_xmm(g, g->at, reg);
	} else {
		reg = alloc_take_gpr(g, VALUE_GPR);
		alloc_give_gpr(g, g->at, reg);
	}
	return reg;
}

unsigned def_copy(struct gen *g, uint32_t v)
{
	struct value *x = &g->val[v];
	unsigned reg;

	if (is_vec(g, v) == is_vec(g, g->at) && g->val[g->at].pin != NO_PIN) {
		const struct pin *p = &g->pin[g->val[g->at].pin];
		bool there = x->reg == NO_REG && x->home == HOME_STATE && x->home_at == p->offset;

		if (x->reg != NO_REG)
			*(is_vec(g, v) ? &g->locked_xmm : &g->locked) |= 1u << x->reg;
		reg = def_in_pin(g, v);
		if (reg != NO_REG) {
			if (!there && is_vec(g, v))
				use_into_xmm(g, v, reg);
			else if (!there)
				use_into(g, v, reg);
			return reg;
		}
	}
	if (x->reg != NO_REG && dies(g, v) && is_vec(g, v) == is_vec(g, g->at)) {
		reg = x->reg;
		alloc_drop(g, v);
		if (is_vec(g, g->at))
			alloc_give_xmm(g, g->at, reg);
		else
			alloc_give_gpr(g, g->at, reg);
		return reg;
	}
	if (is_vec(g, v)) {
		unsigned src = use_reg(g, v);

		reg = def_reg(g);
		a_sse(&g->a, 0, 0x0f28, reg, src);
	} else {
		if (x->reg != NO_REG)
			g->locked |= 1u << x->reg;
		reg = def_reg(g);
		use_into(g, v, reg);
	}
	return reg;
}

void begin_inst(struct gen *g, uint32_t at)
{
	const struct ir_inst *i = inst_of(g, at);

	g->at = at;
	g->read = false;
	g->released = g->released_xmm = 0;
	for (unsigned k = 0, nargs = nargs_of(g, at); k < nargs; k++) {
		uint32_t v = i->arg[k];

		if (g->val[v].fused) {
			const struct ir_inst *c = inst_of(g, v);

			for (unsigned n = 0; n < 2; n++)
				if (g->next[v][n] != v && g->next[v][n] != at)
					g->val[c->arg[n]].next = g->next[v][n];
			continue;
		}
		if (g->next[at][k] != at)
			g->val[v].next = g->next[at][k];
	}
}

static void release_if_dead(struct gen *g, uint32_t v)
{
	struct value *x = &g->val[v];

	if (!dies(g, v))
		return;
	alloc_drop(g, v);
	if (x->home == HOME_TEMP)
		alloc_free_temp(g, x->home_at);
	else if (x->home == HOME_STATE)
		alloc_forget_state(g, v);
	if (x->home != HOME_CONST)
		x->home = HOME_NONE;
}

void end_inst(struct gen *g)
{
	const struct ir_inst *i = inst_of(g, g->at);
	struct value *x = &g->val[g->at];

	for (unsigned k = 0, nargs = nargs_of(g, g->at); k < nargs; k++) {
		uint32_t v = i->arg[k];

		if (g->val[v].fused) {
			release_if_dead(g, inst_of(g, v)->arg[0]);
			release_if_dead(g, inst_of(g, v)->arg[1]);
		} else {
			release_if_dead(g, v);
		}
	}
	g->locked = g->locked_xmm = 0;
	if (x->reg == NO_REG && x->home == HOME_NONE)
		return;
	if (x->crosses && !x->via_state && x->home != HOME_CONST)
		need_own_home(g, g->at);
	release_if_dead(g, g->at);
}
