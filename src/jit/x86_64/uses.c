/*
 * What values are needed for, and where blocks find those of others. See gen.h.
 */
#include "ir/avail.h"
#include "ir/scratch.h"
#include "jit/x86_64/gen.h"

/* A comparison that only one later branch, select, write or sum of its block reads is made there. */
static bool may_fuse(const struct gen *g, const struct ir_inst *user, const struct ir_inst *def)
{
	int32_t imm;

	if (user->op == IR_SET)
		return may_set_bytes(user, def);
	/* The jump cache has no other addresses; who does not find one there clears the bits. */
	if (user->op == IR_EXIT_INDIRECT)
		return def->op == IR_AND && wide(def) && use_imm(g, def->arg[1], &imm) &&
		       imm == -(int32_t)g->layout->insn_align;
	if (user->op == IR_NEG || user->op == IR_ADDC)
		return def->op == IR_LTU || def->op == IR_LEU;
	if (user->op != IR_BR && user->op != IR_SELECT)
		return false;
	if (def->op == IR_AND)
		return use_imm(g, def->arg[1], &imm);
	return def->op >= IR_EQ && def->op <= IR_LEU;
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
		for (unsigned k = 0, nargs = ir_nargs(i); k < nargs; k++) {
			struct value *x = &g->val[i->arg[k]];

			if (x->via_state && x->block != g->val[n].block &&
			    !tree_comes_from(g, g->val[n].block, i->arg[k]) &&
			    (!entry || !holds(g, entry, g->val[n].block, i->arg[k])))
				x->via_state = false;
		}
	}
	for (unsigned n = 0; n < g->nvia; n++) {
		struct value *x = &g->val[g->via_state[n]];

		if (!x->via_state)
			continue;
		x->state_cell = state_first(inst_of(g, x->state_at));
		x->state_at = (uint32_t)inst_of(g, x->state_at)->imm;
		g->via_state[kept++] = g->via_state[n];
	}
	g->nvia = kept;
}

static void choose_state(struct gen *g)
{
	struct scratch_mark mark;

	find_state(g);
	if (!g->nvia)
		return;
	mark = scratch_mark(g->r->scratch);
	check_state(g, g->available ? g->available : ir_available(g->r, &g->cfg));
	scratch_release(g->r->scratch, mark);
}

/*
 * Of a shift that is only masked, what the mask leaves, if that can be had without it: a number of bits that an
 * extension takes, or that ends with bit 31.
 */
static void find_field(struct gen *g, const struct ir_inst *i)
{
	struct value *x = &g->val[i->arg[0]];
	const struct ir_inst *shift = inst_of(g, i->arg[0]), *mask = inst_of(g, i->arg[1]);
	unsigned n, bits;
	uint64_t field;

	if (i->type != IR_I64 || shift->op != IR_SHL || x->uses != 1 || mask->op != IR_CONST ||
	    inst_of(g, shift->arg[1])->op != IR_CONST)
		return;
	n = inst_of(g, shift->arg[1])->imm & 63;
	field = mask->imm >> n;
	bits = field ? 64 - (unsigned)__builtin_clzll(field) : 0;
	if (!n || field << n != mask->imm || field != ir_low_mask(bits))
		return;
	if (bits == 8 || bits == 16 || bits == 32 || bits + n == 32)
		x->field = bits;
}

/* (a & ~c) | (b & c): the host has an instruction for it. */
static void find_choice(struct gen *g, uint32_t n)
{
	const struct ir_inst *i = inst_of(g, n), *clear, *put;
	struct value *x = &g->val[i->arg[0]], *y = &g->val[i->arg[1]];

	clear = inst_of(g, i->arg[inst_of(g, i->arg[0])->op == IR_VAND]);
	put = inst_of(g, i->arg[inst_of(g, i->arg[0])->op != IR_VAND]);
	if (clear->op != IR_VANDN || put->op != IR_VAND || !g->host->avx512 || x->uses != 1 || y->uses != 1 ||
	    x->block != g->val[n].block || y->block != x->block ||
	    (put->arg[0] != clear->arg[1] && put->arg[1] != clear->arg[1]))
		return;
	x->fused = y->fused = true;
}

/* Is an operand of instruction n made there, or asked whether it is zero? */
static void find_made_at_use(struct gen *g, uint32_t n)
{
	const struct ir_inst *i = inst_of(g, n);
	uint32_t v = i->arg[i->op == IR_ADDC ? 2 : 0];
	struct value *x = &g->val[v];

	if (i->op == IR_VOR) {
		find_choice(g, n);
		return;
	}
	x->fused = x->uses == 1 && x->block == g->val[n].block && may_fuse(g, i, inst_of(g, v));
	if (i->op == IR_AND)
		find_field(g, i);
	if (i->op == IR_BR)
		x->tested |= !x->fused;
	else if (i->op == IR_EQ || i->op == IR_NE)
		x->tested |= inst_of(g, i->arg[1])->op == IR_CONST && !inst_of(g, i->arg[1])->imm;
}

/*
 * Of each value its block, and how often it is an operand. What cannot be reached (the optimiser leaves a block now and
 * then whose last way it took) is in none: there is no code of it, nor need for what it names. No guest instruction is known
 * there either that a fault would be of.
 */
static void find_blocks(struct gen *g)
{
	const struct ir_region *r = g->r;

	for (uint32_t v = 0; v < r->ninst; v++) {
		g->val[v].next = NO_INDEX;
		g->val[v].reg = NO_REG;
		g->val[v].block = NO_INDEX;
		g->val[v].sum = NO_INDEX;
	}
	for (uint32_t b = 0; b < r->nbb; b++) {
		uint32_t end = r->bb[b].first + r->bb[b].count;

		if (g->cfg.number[b] == CFG_NONE)
			continue;
		for (uint32_t v = r->bb[b].first; v < end; v++) {
			const struct ir_inst *i = &r->inst[v];

			g->val[v].block = b;
			for (unsigned k = 0, nargs = ir_nargs(i); k < nargs; k++)
				g->val[i->arg[k]].uses++;
		}
	}
}

bool alloc_init(struct gen *g)
{
	const struct ir_region *r = g->r;
	struct value *val = g->val;

	find_blocks(g);
	find_carries(g);
	find_scalars(g);
	for (uint32_t n = 0; n < r->ninst; n++)
		if (val[n].block != NO_INDEX && nargs_of(g, n))
			find_made_at_use(g, n);
	if (!defer_init(g) || !tree_init(g))
		return false;
	choose_state(g);
	return true;
}
