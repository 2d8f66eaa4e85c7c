/*
 * Registers of values, and where operands are read: see gen.h.
 */
#include "jit/x86_64/alloc.h"

static uint32_t distance(const struct gen *g, uint32_t v)
{
	return g->val[v].next;
}

unsigned alloc_take_gpr(struct gen *g, uint32_t prefer)
{
	uint32_t set = VALUE_GPR & ~g->pinned & ~g->locked;
	uint32_t best = 0, far = 0;

	for (uint32_t m = set & prefer; m; m &= m - 1)
		if (g->in_gpr[__builtin_ctz(m)] == NO_INDEX)
			return __builtin_ctz(m);
	for (uint32_t m = set; m; m &= m - 1) {
		unsigned n = __builtin_ctz(m);

		if (g->in_gpr[n] == NO_INDEX)
			return n;
		/* a clean one is cheaper to lose */
		uint32_t d = distance(g, g->in_gpr[n]);

		if (d >= far) {
			far = d;
			best = n;
		}
	}
	if (g->in_gpr[best] == NO_INDEX) {
		/* more operands than registers: not a region that can be compiled */
		g->failed = true;
		return RBX;
	}
	alloc_spill(g, g->in_gpr[best]);
	alloc_drop(g, g->in_gpr[best]);
	return best;
}

unsigned alloc_take_xmm(struct gen *g)
{
	uint32_t best = 0, far = 0;

	for (uint32_t m = VALUE_XMM & ~g->pinned_xmm & ~g->locked_xmm; m; m &= m - 1) {
		unsigned n = __builtin_ctz(m);

		if (g->in_xmm[n] == NO_INDEX)
			return n;
		if (distance(g, g->in_xmm[n]) >= far) {
			far = distance(g, g->in_xmm[n]);
			best = n;
		}
	}
	if (g->in_xmm[best] == NO_INDEX) {
		g->failed = true;
		return best;
	}
	alloc_spill(g, g->in_xmm[best]);
	alloc_drop(g, g->in_xmm[best]);
	return best;
}

void alloc_give_gpr(struct gen *g, uint32_t v, unsigned reg)
{
	g->in_gpr[reg] = v;
	g->val[v].reg = reg;
	g->locked |= 1u << reg;
}

void alloc_give_xmm(struct gen *g, uint32_t v, unsigned reg)
{
	g->in_xmm[reg] = v;
	g->val[v].reg = reg;
	g->locked_xmm |= 1u << reg;
}

unsigned alloc_take(struct gen *g, uint32_t v)
{
	return is_vec(g, v) ? alloc_take_xmm(g) : alloc_take_gpr(g, VALUE_GPR);
}

void alloc_put(struct gen *g, uint32_t v, unsigned reg)
{
	g->val[v].reg = reg;
	if (is_vec(g, v))
		g->in_xmm[reg] = v;
	else
		g->in_gpr[reg] = v;
}

void alloc_drop(struct gen *g, uint32_t v)
{
	struct value *x = &g->val[v];

	if (x->reg != NO_REG) {
		if (is_vec(g, v))
			g->in_xmm[x->reg] = NO_INDEX;
		else
			g->in_gpr[x->reg] = NO_INDEX;
		x->reg = NO_REG;
	}
}

void alloc_empty(struct gen *g, uint32_t v)
{
	if (v == NO_INDEX)
		return;
	alloc_spill(g, v);
	alloc_drop(g, v);
}

/* The pin whose cell is v's home, NULL. */
static const struct pin *pin_of(struct gen *g, uint32_t v)
{
	return g->val[v].home == HOME_STATE ? pin_at(g, g->val[v].home_at) : NULL;
}

void use_constant(struct gen *g, u128 c, unsigned reg)
{
	if (!c) {
		a_sse(&g->a, 0x66, 0x0fef, reg, reg); /* pxor */
		return;
	}
	if (!~c) {
		a_sse(&g->a, 0x66, 0x0f76, reg, reg); /* pcmpeqd */
		return;
	}
	a_mov_imm(&g->a, RAX, (uint64_t)c);
	gen_to_xmm(g, reg, RAX);
	if ((uint64_t)(c >> 64) != (uint64_t)c) {
		a_mov_imm(&g->a, RAX, (uint64_t)(c >> 64));
		gen_to_xmm(g, 1, RAX);
		a_sse(&g->a, 0x66, 0x0f6c, reg, 1); /* punpcklqdq */
	} else {
		a_sse(&g->a, 0x66, 0x0f6c, reg, reg);
	}
}

static void load_xmm(struct gen *g, uint32_t v, unsigned reg)
{
	const struct value *x = &g->val[v];
	const struct ir_inst *i = inst_of(g, v);
	const struct pin *p = pin_of(g, v);

	if (x->home == HOME_CONST)
		use_constant(g, i->type == IR_V128 ? g->r->vconst[i->imm] : i->imm, reg);
	else if (!p)
		gen_load_xmm(g, i->type, reg, RBP, (int32_t)x->home_at);
	else if (p->xmm)
		a_sse(&g->a, 0, 0x0f28, reg, p->reg);
	else
		gen_to_xmm(g, reg, p->reg);
}

static void load_gpr(struct gen *g, uint32_t v, unsigned reg)
{
	const struct value *x = &g->val[v];
	const struct ir_inst *i = inst_of(g, v);
	const struct pin *p = pin_of(g, v);

	if (x->home == HOME_CONST)
		a_mov_imm(&g->a, reg, i->type == IR_I32 ? (uint32_t)i->imm : i->imm);
	else if (!p)
		a_load(&g->a, wide(i), reg, RBP, x->home_at);
	else if (p->xmm)
		gen_from_xmm(g, reg, p->reg);
	else
		a_mov(&g->a, wide(i), reg, p->reg);
}

void alloc_load_home(struct gen *g, uint32_t v, unsigned reg)
{
	if (is_vec(g, v))
		load_xmm(g, v, reg);
	else
		load_gpr(g, v, reg);
}

unsigned use_reg(struct gen *g, uint32_t v)
{
	struct value *x = &g->val[v];

	if (x->reg == NO_REG) {
		const struct pin *p = pin_of(g, v);
		unsigned reg;

		/* A pinned guest register is read where it is. */
		if (p && wide(inst_of(g, v)) && p->xmm == is_vec(g, v))
			return p->reg;
		reg = alloc_take(g, v);
		alloc_load_home(g, v, reg);
		alloc_put(g, v, reg);
	}
	if (is_vec(g, v))
		g->locked_xmm |= 1u << x->reg;
	else
		g->locked |= 1u << x->reg;
	return x->reg;
}

bool use_imm(const struct gen *g, uint32_t v, int32_t *imm)
{
	const struct ir_inst *i = inst_of(g, v);

	if (i->op != IR_CONST)
		return false;
	if (i->type == IR_I32) {
		*imm = (int32_t)i->imm;
		return true;
	}
	if (!fits32((int64_t)i->imm))
		return false;
	*imm = (int32_t)i->imm;
	return true;
}

bool use_mem(struct gen *g, uint32_t v, int32_t *disp)
{
	struct value *x = &g->val[v];

	if (x->reg != NO_REG || (x->home != HOME_TEMP && x->home != HOME_STATE))
		return false;
	if (x->home == HOME_STATE && pin_at(g, x->home_at))
		return false;
	*disp = (int32_t)x->home_at;
	return true;
}

bool in_pin(struct gen *g, uint32_t v)
{
	const struct value *x = &g->val[v];

	const struct pin *p = pin_of(g, v);

	return x->reg == NO_REG && p && wide(inst_of(g, v)) && p->xmm == is_vec(g, v);
}

bool in_place(struct gen *g, uint32_t v)
{
	uint8_t pin = g->val[g->at].pin;

	return pin != NO_PIN && in_pin(g, v) && g->val[v].home_at == g->pin[pin].offset &&
	       dies(g, v);
}

void use_into(struct gen *g, uint32_t v, unsigned reg)
{
	const struct value *x = &g->val[v];

	if (x->reg == NO_REG)
		load_gpr(g, v, reg);
	else if (is_vec(g, v))
		gen_from_xmm(g, reg, x->reg);
	else
		a_mov(&g->a, true, reg, x->reg);
}

void use_into_xmm(struct gen *g, uint32_t v, unsigned xmm)
{
	const struct value *x = &g->val[v];

	if (x->reg == NO_REG)
		load_xmm(g, v, xmm);
	else if (is_vec(g, v))
		a_sse(&g->a, 0, 0x0f28, xmm, x->reg);
	else
		gen_to_xmm(g, xmm, x->reg);
}

void alloc_leave_pin(struct gen *g, uint32_t v)
{
	unsigned reg = alloc_take(g, v);

	alloc_load_home(g, v, reg);
	alloc_forget_state(g, v);
	g->val[v].home = HOME_NONE;
	alloc_put(g, v, reg);
}

uint32_t live_gprs(const struct gen *g)
{
	uint32_t live = 0;

	for (unsigned n = 0; n < 16; n++)
		if (g->in_gpr[n] != NO_INDEX && (CALLER_SAVED_GPR >> n & 1))
			live |= 1u << n;
	return live | (g->pinned & CALLER_SAVED_GPR);
}

uint32_t live_xmms(const struct gen *g)
{
	uint32_t live = 0;

	for (unsigned n = 0; n < 16; n++)
		if (g->in_xmm[n] != NO_INDEX)
			live |= 1u << n;
	return live | g->pinned_xmm;
}

/* Values of other blocks that come by guest state. */
static void begin_foreign(struct gen *g)
{
	for (unsigned n = 0; n < g->nvia; n++) {
		uint32_t v = g->via_state[n];
		struct value *x = &g->val[v];

		if (x->block == g->block || x->next == NO_INDEX || x->next == BLOCK_END ||
		    x->reg != NO_REG || x->home != HOME_NONE)
			continue;
		bind_state(g, v, x->state_at);
		if (x->home != HOME_STATE)
			g->failed = true;
	}
}

void alloc_begin_block(struct gen *g, uint32_t block)
{
	g->block = block;
	g->a.flags_at = NULL;
	g->in_rdx = NO_INDEX;
	tree_begin_block(g, block);
	begin_foreign(g);
}
