/*
 * Registers and homes of values: see gen.h.
 */
#include "jit/x86_64/gen.h"

static bool is_vec(const struct gen *g, uint32_t v)
{
	return inst_of(g, v)->type == IR_V128;
}

/* ---- homes ---- */

/*
 * Temporaries of values that stay in their block are used again and again, from below. One that
 * crosses blocks may be alive while any other block executes, so it shares with none: from above.
 */
static uint32_t temp_alloc(struct gen *g, bool crosses)
{
	unsigned n = IR_MAX_TEMPS;

	if (crosses) {
		if (g->temp_crossing < IR_MAX_TEMPS - g->temp_high)
			n = IR_MAX_TEMPS - ++g->temp_crossing;
	} else {
		for (unsigned w = 0; w < IR_MAX_TEMPS / 64 && n == IR_MAX_TEMPS; w++) {
			if (~g->temp_used[w]) {
				n = 64 * w + __builtin_ctzll(~g->temp_used[w]);
				g->temp_used[w] |= UINT64_C(1) << (n % 64);
			}
		}
		if (n >= IR_MAX_TEMPS - g->temp_crossing)
			n = IR_MAX_TEMPS;
		else if (n >= g->temp_high)
			g->temp_high = n + 1;
	}
	if (n == IR_MAX_TEMPS) {
		g->failed = true;
		n = 0;
	}
	return offsetof(struct ir_env, temp) + n * sizeof(union ir_slot);
}

void alloc_free_temp(struct gen *g, uint32_t at)
{
	unsigned n = (at - offsetof(struct ir_env, temp)) / sizeof(union ir_slot);

	g->temp_used[n / 64] &= ~(UINT64_C(1) << (n % 64));
}

static void store_home(struct gen *g, uint32_t v)
{
	struct value *x = &g->val[v];

	if (is_vec(g, v))
		a_sse_mem(&g->a, 0, 0x0f29, x->reg, RBP, x->home_at); /* movaps */
	else
		a_store(&g->a, true, x->reg, RBP, x->home_at);
}

void alloc_forget_state(struct gen *g, uint32_t v)
{
	for (unsigned n = 0; n < g->nstate; n++) {
		if (g->state_vals[n] == v) {
			g->state_vals[n] = g->state_vals[--g->nstate];
			return;
		}
	}
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
	tree_begin_block(g, block);
	begin_foreign(g);
}

/* The register's value can be found again elsewhere: make it so. */
static void spill(struct gen *g, uint32_t v)
{
	struct value *x = &g->val[v];

	if (x->home == HOME_NONE) {
		x->home = HOME_TEMP;
		x->home_at = temp_alloc(g, x->crosses && !x->via_state);
		store_home(g, v);
	}
}

static void drop(struct gen *g, uint32_t v)
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

static uint32_t distance(const struct gen *g, uint32_t v)
{
	return g->val[v].next;
}

static unsigned take_gpr(struct gen *g, uint32_t prefer)
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
	spill(g, g->in_gpr[best]);
	drop(g, g->in_gpr[best]);
	return best;
}

static unsigned take_xmm(struct gen *g)
{
	uint32_t best = 2, far = 0;

	for (uint32_t m = VALUE_XMM & ~g->locked_xmm; m; m &= m - 1) {
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
	spill(g, g->in_xmm[best]);
	drop(g, g->in_xmm[best]);
	return best;
}

static void give_gpr(struct gen *g, uint32_t v, unsigned reg)
{
	g->in_gpr[reg] = v;
	g->val[v].reg = reg;
	g->locked |= 1u << reg;
}

static void give_xmm(struct gen *g, uint32_t v, unsigned reg)
{
	g->in_xmm[reg] = v;
	g->val[v].reg = reg;
	g->locked_xmm |= 1u << reg;
}

static void load_home(struct gen *g, uint32_t v, unsigned reg)
{
	const struct value *x = &g->val[v];
	const struct ir_inst *i = inst_of(g, v);
	struct pin *p;

	if (i->type == IR_V128) {
		if (x->home == HOME_CONST) {
			u128 c = g->r->vconst[i->imm];

			if (!c) {
				a_sse(&g->a, 0x66, 0x0fef, reg, reg); /* pxor */
				return;
			}
			if (!~c) {
				a_sse(&g->a, 0x66, 0x0f76, reg, reg); /* pcmpeqd */
				return;
			}
			a_mov_imm(&g->a, RAX, (uint64_t)c);
			a_sse_w(&g->a, 0x66, 0x0f6e, reg, RAX); /* movq */
			if ((uint64_t)(c >> 64) != (uint64_t)c) {
				a_mov_imm(&g->a, RAX, (uint64_t)(c >> 64));
				a_sse_w(&g->a, 0x66, 0x0f6e, 1, RAX);
				a_sse(&g->a, 0x66, 0x0f6c, reg, 1); /* punpcklqdq */
			} else {
				a_sse(&g->a, 0x66, 0x0f6c, reg, reg);
			}
			return;
		}
		a_sse_mem(&g->a, 0, 0x0f28, reg, RBP, x->home_at);
		return;
	}
	if (x->home == HOME_CONST) {
		a_mov_imm(&g->a, reg, i->type == IR_I32 ? (uint32_t)i->imm : i->imm);
		return;
	}
	p = x->home == HOME_STATE ? pin_at(g, x->home_at) : NULL;
	if (p)
		a_mov(&g->a, wide(i), reg, p->reg);
	else
		a_load(&g->a, wide(i), reg, RBP, x->home_at);
}

unsigned use_reg(struct gen *g, uint32_t v)
{
	struct value *x = &g->val[v];

	if (x->reg == NO_REG) {
		struct pin *p = x->home == HOME_STATE ? pin_at(g, x->home_at) : NULL;

		/* A pinned guest register is read where it is. */
		if (p && wide(inst_of(g, v)))
			return p->reg;
		if (is_vec(g, v)) {
			unsigned reg = take_xmm(g);

			load_home(g, v, reg);
			give_xmm(g, v, reg);
		} else {
			unsigned reg = take_gpr(g, VALUE_GPR);

			load_home(g, v, reg);
			give_gpr(g, v, reg);
		}
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

	return x->reg == NO_REG && x->home == HOME_STATE && wide(inst_of(g, v)) &&
	       pin_at(g, x->home_at);
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

	if (x->reg != NO_REG)
		a_mov(&g->a, true, reg, x->reg);
	else
		load_home(g, v, reg);
}

bool dies(struct gen *g, uint32_t v)
{
	const struct value *x = &g->val[v];

	return x->next == NO_INDEX && (x->via_state || !x->crosses);
}

void operands_read(struct gen *g)
{
	const struct ir_inst *i = inst_of(g, g->at);

	g->read = true;
	for (unsigned k = 0; k < nargs_of(g, g->at); k++) {
		uint32_t v = i->arg[k];
		unsigned reg = g->val[v].reg;

		if (g->val[v].fused || reg == NO_REG || !dies(g, v))
			continue;
		if (is_vec(g, v))
			g->locked_xmm &= ~(1u << reg);
		else {
			g->locked &= ~(1u << reg);
			g->released |= 1u << reg;
		}
		drop(g, v);
	}
}

static bool is_operand(const struct gen *g, uint32_t v)
{
	const struct ir_inst *i = inst_of(g, g->at);

	for (unsigned k = 0; k < nargs_of(g, g->at); k++) {
		const struct ir_inst *c = inst_of(g, i->arg[k]);

		if (i->arg[k] == v ||
		    (g->val[i->arg[k]].fused && (c->arg[0] == v || c->arg[1] == v)))
			return true;
	}
	return false;
}

static void leave_state(struct gen *g, uint32_t offset, uint32_t size, bool dying);

/*
 * The register of the pin that the current instruction's result is for, made ready to take it; NO_REG,
 * if it is still to be read. What else is in it, and needed later, is copied. `copied`, NO_INDEX for
 * none, is the operand that the result starts as a copy of.
 */
static unsigned def_in_pin(struct gen *g, uint32_t copied)
{
	struct value *x = &g->val[g->at];
	uint32_t locked = g->locked;
	const struct pin *p;
	unsigned copies = 0;

	if (x->pin == NO_PIN)
		return NO_REG;
	p = &g->pin[x->pin];
	for (unsigned n = 0; n < g->nstate; n++) {
		uint32_t v = g->state_vals[n];

		if (g->val[v].home_at != p->offset || g->val[v].reg != NO_REG)
			continue;
		if (v != copied && !g->read && is_operand(g, v))
			return NO_REG;
		copies += !dies(g, v);
	}
	/* The copies are made before the operands are read. */
	g->locked |= g->released;
	if ((unsigned)__builtin_popcount(VALUE_GPR & ~g->pinned & ~g->locked) < copies) {
		g->locked = locked;
		return NO_REG;
	}
	leave_state(g, p->offset, 8, false);
	g->locked = locked;
	if (x->home != HOME_NONE || g->nstate == ARRAY_SIZE(g->state_vals))
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
		reg = take_xmm(g);
		give_xmm(g, g->at, reg);
	} else {
		reg = take_gpr(g, VALUE_GPR);
		give_gpr(g, g->at, reg);
	}
	return reg;
}

unsigned def_copy(struct gen *g, uint32_t v)
{
	struct value *x = &g->val[v];
	unsigned reg;

	if (!is_vec(g, v) && !is_vec(g, g->at) && g->val[g->at].pin != NO_PIN) {
		const struct pin *p = &g->pin[g->val[g->at].pin];
		bool there = x->reg == NO_REG && x->home == HOME_STATE && x->home_at == p->offset;

		if (x->reg != NO_REG)
			g->locked |= 1u << x->reg;
		reg = def_in_pin(g, v);
		if (reg != NO_REG) {
			if (!there)
				use_into(g, v, reg);
			return reg;
		}
	}
	if (x->reg != NO_REG && dies(g, v) && is_vec(g, v) == is_vec(g, g->at)) {
		reg = x->reg;
		drop(g, v);
		if (is_vec(g, g->at))
			give_xmm(g, g->at, reg);
		else
			give_gpr(g, g->at, reg);
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
	g->released = 0;
	for (unsigned k = 0; k < nargs_of(g, at); k++) {
		uint32_t v = i->arg[k];

		if (g->val[v].fused) {
			const struct ir_inst *c = inst_of(g, v);

			for (unsigned n = 0; n < 2; n++)
				if (g->next[v][n] != v)
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
	drop(g, v);
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

	for (unsigned k = 0; k < nargs_of(g, g->at); k++) {
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

/* A temporary of its own, which no change of guest state touches. */
void need_own_home(struct gen *g, uint32_t v)
{
	struct value *x = &g->val[v];

	if (x->home == HOME_TEMP || x->home == HOME_CONST)
		return;
	if (x->reg == NO_REG)
		use_reg(g, v);
	if (x->reg == NO_REG) {
		/* a pinned register */
		unsigned reg = take_gpr(g, VALUE_GPR);

		load_home(g, v, reg);
		give_gpr(g, v, reg);
	}
	alloc_forget_state(g, v);
	x->home = HOME_NONE;
	spill(g, v);
}

uint32_t need_home(struct gen *g, uint32_t v)
{
	struct value *x = &g->val[v];

	if (x->home == HOME_CONST || (x->home == HOME_STATE && pin_at(g, x->home_at))) {
		uint32_t at = temp_alloc(g, false);

		/* Its own home stays; this copy lasts for the region. */
		if (is_vec(g, v)) {
			unsigned reg = use_reg(g, v);

			a_sse_mem(&g->a, 0, 0x0f29, reg, RBP, at);
		} else {
			use_into(g, v, RAX);
			a_store(&g->a, true, RAX, RBP, at);
		}
		return at;
	}
	if (x->home == HOME_NONE)
		spill(g, v);
	return x->home_at;
}

/* Values that live in guest state get registers of their own, but for those that die here: they are read. */
static void leave_state(struct gen *g, uint32_t offset, uint32_t size, bool dying)
{
	for (unsigned n = 0; n < g->nstate;) {
		uint32_t v = g->state_vals[n];
		struct value *x = &g->val[v];

		if (x->home_at >= offset + size ||
		    x->home_at + ir_type_size(inst_of(g, v)->type) <= offset) {
			n++;
			continue;
		}
		if (x->reg == NO_REG && (dying || !dies(g, v))) {
			unsigned reg = is_vec(g, v) ? take_xmm(g) : take_gpr(g, VALUE_GPR);

			load_home(g, v, reg);
			/* not locked: if registers run short it goes to a temporary */
			if (is_vec(g, v)) {
				g->in_xmm[reg] = v;
				x->reg = reg;
			} else {
				g->in_gpr[reg] = v;
				x->reg = reg;
			}
		}
		/* Taking a register may have changed the list: look the place up again. */
		alloc_forget_state(g, v);
		x->home = HOME_NONE;
		n = 0;
	}
}

void state_changes(struct gen *g, uint32_t offset, uint32_t size)
{
	leave_state(g, offset, size, true);
}

void bind_state(struct gen *g, uint32_t v, uint32_t offset)
{
	struct value *x = &g->val[v];

	if (x->home != HOME_NONE || g->nstate == ARRAY_SIZE(g->state_vals))
		return;
	x->home = HOME_STATE;
	x->home_at = offset;
	g->state_vals[g->nstate++] = v;
}

void spill_for_call(struct gen *g)
{
	for (unsigned n = 0; n < 16; n++) {
		uint32_t v = g->in_gpr[n];

		if (v != NO_INDEX && (CALLER_SAVED_GPR >> n & 1)) {
			if (!dies(g, v))
				spill(g, v);
			drop(g, v);
		}
		v = g->in_xmm[n];
		if (v != NO_INDEX) {
			if (!dies(g, v))
				spill(g, v);
			drop(g, v);
		}
	}
}

void alloc_empty(struct gen *g, unsigned reg)
{
	uint32_t v = g->in_gpr[reg];

	if (v == NO_INDEX)
		return;
	spill(g, v);
	drop(g, v);
}

void alloc_leave_pin(struct gen *g, uint32_t v)
{
	unsigned reg = take_gpr(g, VALUE_GPR);

	load_home(g, v, reg);
	alloc_forget_state(g, v);
	g->val[v].home = HOME_NONE;
	g->val[v].reg = reg;
	g->in_gpr[reg] = v;
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
	return live;
}

uint32_t own_temp(struct gen *g, uint32_t v)
{
	struct value *x = &g->val[v];

	x->home = HOME_TEMP;
	x->home_at = temp_alloc(g, x->crosses && !x->via_state);
	return x->home_at;
}

void save_for_call(struct gen *g)
{
	for (unsigned n = 0; n < 16; n++) {
		uint32_t v = g->in_gpr[n];

		if (v != NO_INDEX && (CALLER_SAVED_GPR >> n & 1) && !dies(g, v))
			spill(g, v);
		v = g->in_xmm[n];
		if (v != NO_INDEX && !dies(g, v))
			spill(g, v);
	}
}
