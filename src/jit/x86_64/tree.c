/*
 * Values across branches: a block that only one other leads to starts with what that one ended with.
 *
 * So the blocks of a region make trees, whose roots are the entry and the blocks where ways join. Along
 * a path of a tree a value stays in its register, or where else it is; a value that is used only
 * below its block needs no temporary that lasts for the region. Paths part with a copy of what is known
 * (struct carried), so what is done on one of them means nothing to the others.
 */
#include <string.h>

#include "ir/scratch.h"
#include "jit/x86_64/alloc.h"

static uint64_t *wanted_of(const struct gen *g, uint32_t block)
{
	return g->wanted + (size_t)block * ((g->r->ninst + 63) / 64);
}

static bool is_wanted(const struct gen *g, uint32_t block, uint32_t v)
{
	return wanted_of(g, block)[v / 64] >> (v % 64) & 1;
}

/* v is used in a block: those above it keep it. Returns whether it comes from there. */
static bool want_above(struct gen *g, uint32_t block, uint32_t v)
{
	while (block != g->val[v].block) {
		uint32_t above = g->tree[block].above;

		if (above == NO_INDEX)
			return false;
		/* whether it comes from there was found then */
		if (is_wanted(g, above, v))
			return true;
		g->tree[above].has_below = true;
		wanted_of(g, above)[v / 64] |= UINT64_C(1) << (v % 64);
		block = above;
	}
	return true;
}

static void find_uses(struct gen *g, uint32_t block)
{
	const struct ir_region *r = g->r;

	for (uint32_t n = r->bb[block].first; n < r->bb[block].first + r->bb[block].count; n++) {
		const struct ir_inst *i = &r->inst[n];

		for (unsigned k = 0, nargs = nargs_of(g, n); k < nargs; k++) {
			uint32_t v = i->arg[k];
			enum ir_op op = inst_of(g, v)->op;

			if (g->val[v].block != block && op != IR_CONST && op != IR_VCONST &&
			    !want_above(g, block, v))
				g->val[v].crosses = true;
		}
	}
}

bool tree_init(struct gen *g)
{
	const struct ir_region *r = g->r;
	const struct ir_cfg *cfg = &g->cfg;

	g->tree = scratch_take(r->scratch, r->nbb, sizeof(*g->tree));
	g->wanted = scratch_take(r->scratch, (size_t)r->nbb * ((r->ninst + 63) / 64), sizeof(*g->wanted));
	if (!g->tree || !g->wanted)
		return false;
	memset(g->wanted, 0, (size_t)r->nbb * ((r->ninst + 63) / 64) * sizeof(*g->wanted));
	for (uint32_t b = 0; b < r->nbb; b++) {
		uint32_t above = NO_INDEX;

		/* Code of what is above must be made first. */
		if (b && cfg->number[b] != CFG_NONE && cfg->npred[b] == 1)
			above = cfg->pred[cfg->pred_at[b]];
		if (above != NO_INDEX && r->bb[above].first >= r->bb[b].first)
			above = NO_INDEX;
		g->tree[b] = (struct tree){.above = above};
	}
	for (uint32_t b = 0; b < r->nbb; b++)
		if (cfg->number[b] != CFG_NONE)
			find_uses(g, b);
	return true;
}

bool tree_comes_from(const struct gen *g, uint32_t block, uint32_t v)
{
	while (block != NO_INDEX && block != g->val[v].block)
		block = g->tree[block].above;
	return block != NO_INDEX;
}

/* ---- next uses ---- */

static void use(struct gen *g, uint32_t user, unsigned k, uint32_t v)
{
	g->next[user][k] = g->val[v].next;
	g->val[v].next = user;
}

/* wanted: the block's; NULL: nothing is */
static void reset(struct gen *g, const uint64_t *wanted, uint32_t v)
{
	g->val[v].next = wanted && wanted[v / 64] >> (v % 64) & 1 ? BLOCK_END : NO_INDEX;
}

/* Of each value, the first use in the block; of each use, the next. */
static void find_next(struct gen *g, uint32_t block, const uint64_t *wanted)
{
	const struct ir_region *r = g->r;
	uint32_t first = r->bb[block].first, end = first + r->bb[block].count;

	for (uint32_t n = first; n < end; n++) {
		const struct ir_inst *i = &r->inst[n];

		reset(g, wanted, n);
		for (unsigned k = 0, nargs = nargs_of(g, n); k < nargs; k++)
			reset(g, wanted, i->arg[k]);
	}
	for (uint32_t n = end; n-- > first;) {
		const struct ir_inst *i = &r->inst[n];

		/* made at its user */
		if (g->val[n].fused)
			continue;
		for (unsigned k = 0, nargs = nargs_of(g, n); k < nargs; k++) {
			uint32_t v = i->arg[k];
			const struct ir_inst *c = inst_of(g, v);

			if (!g->val[v].fused) {
				use(g, n, k, v);
				continue;
			}
			/* Its operands live until here, not to the comparison. */
			g->val[v].next = n;
			for (unsigned m = 0; m < 2; m++)
				use(g, v, m, c->arg[m]);
			for (unsigned m = 0; m < 2; m++)
				g->val[c->arg[m]].next = n;
		}
	}
}

/* ---- from one block to another ---- */

static void remember(struct gen *g, uint32_t v)
{
	const struct value *x = &g->val[v];

	if (x->reg == NO_REG && x->home == HOME_NONE)
		return;
	if (g->ncarried == g->cap_carried) {
		uint32_t cap = 2 * g->cap_carried + 64;
		struct carried *c = scratch_take(g->r->scratch, cap, sizeof(*c));

		if (!c) {
			g->failed = true;
			return;
		}
		if (g->ncarried)
			memcpy(c, g->carried, g->ncarried * sizeof(*c));
		g->carried = c;
		g->cap_carried = cap;
	}
	g->carried[g->ncarried++] = (struct carried){
		.v = v, .home = x->home, .home_at = x->home_at, .reg = x->reg};
}

void tree_end_block(struct gen *g, uint32_t block)
{
	struct tree *t = &g->tree[block];
	const uint64_t *wanted = wanted_of(g, block);

	if (!t->has_below)
		return;
	t->first = g->ncarried;
	for (uint32_t w = 0; w < (g->r->ninst + 63) / 64; w++)
		for (uint64_t m = wanted[w]; m; m &= m - 1)
			remember(g, 64 * w + __builtin_ctzll(m));
	t->count = g->ncarried - t->first;
	memcpy(t->temp_used, g->temp_used, sizeof(t->temp_used));
}

static void clear(struct gen *g)
{
	for (unsigned n = 0; n < 16; n++) {
		if (g->in_gpr[n] != NO_INDEX)
			g->val[g->in_gpr[n]].reg = NO_REG;
		if (g->in_xmm[n] != NO_INDEX)
			g->val[g->in_xmm[n]].reg = NO_REG;
		g->in_gpr[n] = NO_INDEX;
		g->in_xmm[n] = NO_INDEX;
	}
	for (unsigned n = 0; n < g->nvia; n++)
		g->val[g->via_state[n]].home = HOME_NONE;
	g->nstate = 0;
	g->locked = g->locked_xmm = 0;
	memset(g->temp_used, 0, sizeof(g->temp_used));
}

static void restore(struct gen *g, const struct tree *t)
{
	memcpy(g->temp_used, t->temp_used, sizeof(g->temp_used));
	for (uint32_t n = t->first; n < t->first + t->count; n++) {
		const struct carried *c = &g->carried[n];
		struct value *x = &g->val[c->v];

		if (x->next == NO_INDEX) {
			if (c->home == HOME_TEMP && dies(g, c->v))
				alloc_free_temp(g, c->home_at);
			continue;
		}
		x->home = c->home;
		x->home_at = c->home_at;
		x->reg = c->reg;
		if (x->reg != NO_REG && is_vec(g, c->v))
			g->in_xmm[x->reg] = c->v;
		else if (x->reg != NO_REG)
			g->in_gpr[x->reg] = c->v;
		if (x->home == HOME_STATE)
			g->state_vals[g->nstate++] = c->v;
	}
}

static bool is_taken(const struct gen *g, const struct pin *p)
{
	return g->taken >> (p - g->pin) & 1;
}

static void lock(struct gen *g, const struct pin *p)
{
	if (p->xmm)
		g->locked_xmm |= 1u << p->reg;
	else
		g->locked |= 1u << p->reg;
}

static uint32_t in_pin_register(const struct gen *g, const struct pin *p)
{
	return p->xmm ? g->in_xmm[p->reg] : g->in_gpr[p->reg];
}

/*
 * Registers that this block has other pins in are emptied. What was in a pin that it does not have is a value
 * like others from now on: the register is its own, or that of another that was there, too. (If it is another pin's here, it
 * is emptied with the rest.)
 */
static void settle(struct gen *g, const struct tree *t)
{
	for (uint32_t n = t->first; n < t->first + t->count; n++) {
		uint32_t v = g->carried[n].v;
		struct value *x = &g->val[v];
		const struct pin *p = x->home == HOME_STATE ? pin_at(g, x->home_at) : NULL;

		if (x->next == NO_INDEX || !p || is_taken(g, p))
			continue;
		lock(g, p);
		if (x->reg == NO_REG && (p->xmm != is_vec(g, v) || in_pin_register(g, p) != NO_INDEX))
			continue;
		alloc_forget_state(g, v);
		x->home = HOME_NONE;
		if (x->reg == NO_REG)
			alloc_put(g, v, p->reg);
	}
	for (uint32_t n = t->first; n < t->first + t->count; n++) {
		uint32_t v = g->carried[n].v;
		struct value *x = &g->val[v];
		const struct pin *p = x->home == HOME_STATE ? pin_at(g, x->home_at) : NULL;

		if (x->next != NO_INDEX && p && !is_taken(g, p))
			alloc_leave_pin(g, v);
	}
	g->locked = g->locked_xmm = 0;
	for (uint32_t m = g->pinned; m; m &= m - 1)
		alloc_empty(g, g->in_gpr[__builtin_ctz(m)]);
	for (uint32_t m = g->pinned_xmm; m; m &= m - 1)
		alloc_empty(g, g->in_xmm[__builtin_ctz(m)]);
}

void tree_begin_block(struct gen *g, uint32_t block)
{
	const struct tree *t =
		g->tree[block].above == NO_INDEX ? NULL : &g->tree[g->tree[block].above];
	const uint64_t *wanted = g->tree[block].has_below ? wanted_of(g, block) : NULL;

	clear(g);
	if (t) {
		for (uint32_t n = t->first; n < t->first + t->count; n++)
			reset(g, wanted, g->carried[n].v);
	}
	find_next(g, block, wanted);
	if (t) {
		restore(g, t);
		settle(g, t);
	}
}
