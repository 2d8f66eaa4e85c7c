/*
 * Registers and homes of values: see gen.h.
 */
#include <stdlib.h>

#include "ir/avail.h"
#include "ir/scratch.h"
#include "jit/x86_64/gen.h"

static bool is_vec(const struct gen *g, uint32_t v)
{
	return inst_of(g, v)->type == IR_V128;
}

struct pin *pin_at(struct gen *g, uint32_t offset)
{
	for (unsigned i = 0; i < g->npin; i++)
		if (g->pin[i].offset == offset)
			return &g->pin[i];
	return NULL;
}

/* The operands that its code reads: a carry that is in the flags needs none. */
static unsigned nargs_of(const struct gen *g, uint32_t n)
{
	return g->val[n].sum != NO_INDEX ? 0 : ir_nargs(inst_of(g, n));
}

/* ---- uses, found backwards ---- */

/* A comparison that only one later branch, select or write of its block reads is made there. */
static bool may_fuse(const struct gen *g, const struct ir_inst *user, const struct ir_inst *def)
{
	int32_t imm;

	if (user->op == IR_SET)
		return may_set_bytes(user, def);
	if (user->op != IR_BR && user->op != IR_SELECT)
		return false;
	if (def->op == IR_AND)
		return use_imm(g, def->arg[1], &imm);
	return def->op >= IR_EQ && def->op <= IR_LEU;
}

static void note_use(struct gen *g, uint32_t user, unsigned k, uint32_t v, uint32_t block)
{
	struct value *x = &g->val[v];

	if (x->block != block) {
		/* Which use in this block comes next is not kept: it counts as far away. */
		x->crosses = true;
		g->next[user][k] = BLOCK_END;
		return;
	}
	g->next[user][k] = x->next;
	x->next = user;
}

/* ---- values that other blocks find in guest state ---- */

/* Where each value that crosses blocks can be: what it was read from, or is first written to. */
static void find_state(struct gen *g)
{
	const struct ir_region *r = g->r;

	for (uint32_t n = 0; n < r->ninst; n++) {
		const struct ir_inst *i = &r->inst[n];
		uint32_t v = i->op == IR_GET ? n : i->arg[0];
		struct value *x = &g->val[v];

		if (g->val[n].block == NO_INDEX || (i->op != IR_GET && i->op != IR_SET))
			continue;
		if (!x->crosses || x->via_state || r->inst[v].op == IR_CONST ||
		    r->inst[v].op == IR_VCONST || g->nvia == ARRAY_SIZE(g->via_state))
			continue;
		x->via_state = true;
		x->state_at = n; /* the access, until all is known */
		g->via_state[g->nvia++] = v;
	}
}

static bool holds(const struct gen *g, const uint32_t *entry, uint32_t block, uint32_t v)
{
	const struct ir_inst *access = inst_of(g, g->val[v].state_at);
	size_t cell = (size_t)block * state_ncells(g->r) + state_first(access);

	for (unsigned c = 0; c < state_count((enum ir_type)access->type); c++)
		if (entry[cell + c] != v)
			return false;
	return true;
}

/* Take the mark from those that some block does not find there. */
static void check_state(struct gen *g, const uint32_t *entry)
{
	const struct ir_region *r = g->r;
	unsigned kept = 0;

	for (uint32_t n = 0; n < r->ninst; n++) {
		const struct ir_inst *i = &r->inst[n];

		if (g->val[n].block == NO_INDEX)
			continue;
		for (unsigned k = 0; k < ir_nargs(i); k++) {
			struct value *x = &g->val[i->arg[k]];

			if (x->via_state && x->block != g->val[n].block &&
			    (!entry || !holds(g, entry, g->val[n].block, i->arg[k])))
				x->via_state = false;
		}
	}
	for (unsigned n = 0; n < g->nvia; n++) {
		struct value *x = &g->val[g->via_state[n]];

		if (!x->via_state)
			continue;
		x->state_at = (uint32_t)inst_of(g, x->state_at)->imm;
		g->via_state[kept++] = g->via_state[n];
	}
	g->nvia = kept;
}

static void choose_state(struct gen *g)
{
	struct scratch_mark mark;
	struct ir_cfg cfg;

	find_state(g);
	if (!g->nvia)
		return;
	mark = scratch_mark(g->r->scratch);
	check_state(g, ir_cfg_init(&cfg, g->r) ? ir_available(g->r, &cfg) : NULL);
	scratch_release(g->r->scratch, mark);
}

static bool is_foreign(const struct gen *g, uint32_t v, uint32_t block)
{
	return g->val[v].via_state && g->val[v].block != block;
}

/* The uses, in this block, of values of others that it finds in guest state. */
static void note_foreign_uses(struct gen *g, uint32_t block)
{
	const struct ir_region *r = g->r;

	for (uint32_t n = r->bb[block].count; n-- > 0;) {
		uint32_t user = r->bb[block].first + n;
		const struct ir_inst *i = &r->inst[user];

		if (g->val[user].fused || g->val[user].sum != NO_INDEX)
			continue;
		for (unsigned k = 0; k < ir_nargs(i); k++) {
			uint32_t v = i->arg[k];
			const struct ir_inst *c = inst_of(g, v);

			if (!g->val[v].fused) {
				if (!is_foreign(g, v, block))
					continue;
				g->next[user][k] = g->val[v].next;
				g->val[v].next = user;
				continue;
			}
			/* As in alloc_init: the comparison's operands live until its user. */
			for (unsigned m = 0; m < 2; m++) {
				if (!is_foreign(g, c->arg[m], block))
					continue;
				g->next[v][m] = g->val[c->arg[m]].next;
				g->val[c->arg[m]].next = v;
			}
			for (unsigned m = 0; m < 2; m++)
				if (is_foreign(g, c->arg[m], block))
					g->val[c->arg[m]].next = user;
		}
	}
}

static void temp_free(struct gen *g, uint32_t at);

static void begin_foreign(struct gen *g, uint32_t block)
{
	for (unsigned n = 0; n < g->nvia; n++) {
		struct value *x = &g->val[g->via_state[n]];

		if (x->home == HOME_TEMP)
			temp_free(g, x->home_at);
		x->home = HOME_NONE;
		/* Of blocks to come the uses are known from alloc_init. */
		if (g->via_state[n] < g->r->bb[block].first)
			x->next = NO_INDEX;
	}
	note_foreign_uses(g, block);
	for (unsigned n = 0; n < g->nvia; n++) {
		uint32_t v = g->via_state[n];
		struct value *x = &g->val[v];

		if (v >= g->r->bb[block].first || x->next == NO_INDEX)
			continue;
		bind_state(g, v, x->state_at);
		if (x->home != HOME_STATE)
			g->failed = true;
	}
}

bool alloc_init(struct gen *g)
{
	const struct ir_region *r = g->r;
	uint32_t *uses = calloc(r->ninst + 1, sizeof(*uses));

	if (!uses)
		return false;
	for (uint32_t v = 0; v < r->ninst; v++) {
		g->val[v].next = NO_INDEX;
		g->val[v].reg = NO_REG;
		g->val[v].block = NO_INDEX;
		g->val[v].sum = NO_INDEX;
	}
	for (uint32_t b = 0; b < r->nbb; b++) {
		if (r->bb[b].first == NO_INDEX)
			continue;
		for (uint32_t n = 0; n < r->bb[b].count; n++) {
			uint32_t v = r->bb[b].first + n;
			const struct ir_inst *i = &r->inst[v];

			g->val[v].block = b;
			for (unsigned k = 0; k < ir_nargs(i); k++)
				uses[i->arg[k]]++;
		}
	}
	find_carries(g, uses);
	for (uint32_t b = 0; b < r->nbb; b++) {
		if (r->bb[b].first == NO_INDEX)
			continue;
		for (uint32_t n = r->bb[b].count; n-- > 0;) {
			uint32_t v = r->bb[b].first + n;
			const struct ir_inst *i = &r->inst[v];
			unsigned nargs = ir_nargs(i);

			/* made at its user: its operands were counted there */
			if (g->val[v].fused || g->val[v].sum != NO_INDEX)
				continue;
			for (unsigned k = 0; k < nargs; k++) {
				uint32_t x = i->arg[k];
				const struct ir_inst *def = &r->inst[x];

				if (k == 0 && uses[x] == 1 && may_fuse(g, i, def) &&
				    g->val[x].block == b) {
					g->val[x].fused = true;
					g->val[x].next = v;
					note_use(g, x, 0, def->arg[0], b);
					note_use(g, x, 1, def->arg[1], b);
					/* The operands live until here, not to the comparison. */
					if (g->val[def->arg[0]].next == x)
						g->val[def->arg[0]].next = v;
					if (g->val[def->arg[1]].next == x)
						g->val[def->arg[1]].next = v;
					continue;
				}
				note_use(g, v, k, x, b);
			}
		}
	}
	free(uses);
	choose_state(g);
	return true;
}

void alloc_begin_block(struct gen *g, uint32_t block)
{
	g->block = block;
	for (unsigned n = 0; n < 16; n++) {
		if (g->in_gpr[n] != NO_INDEX)
			g->val[g->in_gpr[n]].reg = NO_REG;
		if (g->in_xmm[n] != NO_INDEX)
			g->val[g->in_xmm[n]].reg = NO_REG;
		g->in_gpr[n] = NO_INDEX;
		g->in_xmm[n] = NO_INDEX;
	}
	g->nstate = 0;
	g->locked = g->locked_xmm = 0;
	g->a.flags_at = NULL;
	begin_foreign(g, block);
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

static void temp_free(struct gen *g, uint32_t at)
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

static void forget_state(struct gen *g, uint32_t v)
{
	for (unsigned n = 0; n < g->nstate; n++) {
		if (g->state_vals[n] == v) {
			g->state_vals[n] = g->state_vals[--g->nstate];
			return;
		}
	}
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

	return x->next == NO_INDEX &&
	       (x->via_state || (!x->crosses && x->block == g->block));
}

void operands_read(struct gen *g)
{
	const struct ir_inst *i = inst_of(g, g->at);

	for (unsigned k = 0; k < nargs_of(g, g->at); k++) {
		uint32_t v = i->arg[k];
		unsigned reg = g->val[v].reg;

		if (g->val[v].fused || reg == NO_REG || !dies(g, v))
			continue;
		if (is_vec(g, v))
			g->locked_xmm &= ~(1u << reg);
		else
			g->locked &= ~(1u << reg);
		drop(g, v);
	}
}

unsigned def_reg(struct gen *g)
{
	unsigned reg;

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
		temp_free(g, x->home_at);
	else if (x->home == HOME_STATE)
		forget_state(g, v);
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
	forget_state(g, v);
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

void state_changes(struct gen *g, uint32_t offset, uint32_t size)
{
	for (unsigned n = 0; n < g->nstate;) {
		uint32_t v = g->state_vals[n];
		struct value *x = &g->val[v];

		if (x->home_at >= offset + size ||
		    x->home_at + ir_type_size(inst_of(g, v)->type) <= offset) {
			n++;
			continue;
		}
		if (x->reg == NO_REG) {
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
		forget_state(g, v);
		x->home = HOME_NONE;
		n = 0;
	}
}

void bind_state(struct gen *g, uint32_t v, uint32_t offset)
{
	struct value *x = &g->val[v];

	if (x->home != HOME_NONE || g->nstate == 64)
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

uint32_t live_gprs(const struct gen *g)
{
	uint32_t live = 0;

	for (unsigned n = 0; n < 16; n++)
		if (g->in_gpr[n] != NO_INDEX && (CALLER_SAVED_GPR >> n & 1))
			live |= 1u << n;
	for (unsigned n = 0; n < g->npin; n++)
		if (CALLER_SAVED_GPR >> g->pin[n].reg & 1)
			live |= 1u << g->pin[n].reg;
	return live;
}

uint32_t live_xmms(const struct gen *g)
{
	uint32_t live = 0;

	for (unsigned n = 0; n < 16; n++)
		if (g->in_xmm[n] != NO_INDEX)
			live |= 1u << n;
	return live;
}

void pins_write_back(struct gen *g)
{
	for (unsigned n = 0; n < g->npin; n++)
		if (g->pin[n].written)
			a_store(&g->a, true, g->pin[n].reg, RBP, (int32_t)g->pin[n].offset);
}

void pins_reload(struct gen *g)
{
	for (unsigned n = 0; n < g->npin; n++)
		a_load(&g->a, true, g->pin[n].reg, RBP, (int32_t)g->pin[n].offset);
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

static bool lost(const struct pin *p)
{
	return CALLER_SAVED_GPR >> p->reg & 1;
}

void pins_save_lost(struct gen *g)
{
	for (unsigned n = 0; n < g->npin; n++)
		if (lost(&g->pin[n]) && g->pin[n].written)
			a_store(&g->a, true, g->pin[n].reg, RBP, (int32_t)g->pin[n].offset);
}

void pins_reload_lost(struct gen *g)
{
	for (unsigned n = 0; n < g->npin; n++)
		if (lost(&g->pin[n]))
			a_load(&g->a, true, g->pin[n].reg, RBP, (int32_t)g->pin[n].offset);
}
