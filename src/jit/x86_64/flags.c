/*
 * What is made of the host's flags where it is used, found before code is: comparisons that are written to
 * guest state from them, and carries that stay in them from one sum to the next (ops_int_carry.c,
 * ops_int_compare.c make both).
 */
#include "jit/x86_64/gen.h"

/* Bytes of guest state that a comparison can be written to, all others being zero: see IR_SET's aux. */
bool may_set_bytes(const struct ir_inst *set, const struct ir_inst *def)
{
	if (!set->aux)
		return false;
	if (def->op == IR_CMP3S || def->op == IR_CMP3U)
		return set->aux <= 16;
	return set->aux <= 8 && def->op >= IR_EQ && def->op <= IR_LEU;
}

/* The sum whose carry v is, if no code lies between the two. */
static uint32_t sum_before(const struct gen *g, uint32_t v, uint32_t first)
{
	const struct ir_inst *i = inst_of(g, v), *c = inst_of(g, i->arg[2]);
	bool none = c->op == IR_CONST && !(c->imm & 1);

	for (uint32_t n = v; n-- > first;) {
		const struct ir_inst *s = inst_of(g, n);

		if (s->op == IR_CONST || s->op == IR_GET || s->op == IR_INSN)
			continue;
		if (s->type != i->aux || s->arg[0] != i->arg[0] || s->arg[1] != i->arg[1])
			return NO_INDEX;
		if (s->op == IR_ADDC ? s->arg[2] == i->arg[2] : s->op == IR_ADD && none)
			return n;
		return NO_INDEX;
	}
	return NO_INDEX;
}

/* Is an access by a host address made of moves and bswap? Two bytes are exchanged by a rotation. */
bool access_keeps_flags(const struct ir_inst *i)
{
	return i->type != IR_V128 && !(ir_memop_of(i).big_endian && ir_memop_of(i).size == 2);
}

/* Can it be made of instructions that leave the flags alone (when carry_pending: ops_int.h)? */
static bool keeps_flags(const struct gen *g, uint32_t n)
{
	const struct ir_inst *i = inst_of(g, n);
	enum ir_op v;

	switch ((enum ir_op)i->op) {
	case IR_INSN:
	case IR_CONST:
	case IR_GET:
	case IR_NOT:
	case IR_ZEXT32:
	case IR_TRUNC32:
		return true;
	case IR_LOAD_HOST:
	case IR_STORE_HOST:
		return access_keeps_flags(i);
	case IR_SET:
		v = inst_of(g, i->arg[0])->op;
		return i->type != IR_V128 && !(v >= IR_EQ && v <= IR_CMP3U);
	case IR_ADD:
		return i->type == IR_I64 && !g->val[n].carries;
	case IR_MUL:
	case IR_MULHU:
		return g->host->bmi2;
	default:
		return false;
	}
}

/* Do all uses of a carry find it in the flags? Then it needs no other place. */
static bool stays_in_flags(const struct gen *g, uint32_t v, uint32_t end, uint32_t uses)
{
	uint32_t taken = NO_INDEX;

	for (uint32_t n = v + 1; n < end && uses; n++) {
		const struct ir_inst *i = inst_of(g, n);
		bool reads = false;

		for (unsigned k = 0, nargs = ir_nargs(i); k < nargs; k++)
			reads |= i->arg[k] == v;
		if (taken != NO_INDEX) {
			/* the next carry is in the flags: only that may still name this one */
			if (!reads)
				continue;
			if (g->val[n].sum != taken || i->arg[0] == v || i->arg[1] == v)
				return false;
			uses--;
		} else if (!reads) {
			if (!keeps_flags(g, n))
				return false;
		} else if (i->op == IR_SET && i->aux && i->aux <= 8) {
			uses--;
		} else if (i->op == IR_ADDC && i->arg[0] != v && i->arg[1] != v) {
			uses--;
			taken = n;
		} else {
			return false;
		}
	}
	return !uses;
}

/* The sums whose carry each carry is. Returns whether there are any. */
static bool find_sums(struct gen *g)
{
	const struct ir_region *r = g->r;
	bool any = false;

	for (uint32_t v = 0; v < r->ninst; v++) {
		if (inst_of(g, v)->op != IR_ADDCARRY || g->val[v].block == NO_INDEX)
			continue;
		g->val[v].sum = sum_before(g, v, r->bb[g->val[v].block].first);
		if (g->val[v].sum != NO_INDEX) {
			g->val[g->val[v].sum].carries = true;
			any = true;
		}
	}
	return any;
}

void find_carries(struct gen *g)
{
	const struct ir_region *r = g->r;

	if (!find_sums(g))
		return;
	for (uint32_t v = 0; v < r->ninst; v++) {
		const struct value *x = &g->val[v];

		if (x->sum != NO_INDEX)
			g->val[v].in_flags = stays_in_flags(g, v, r->bb[x->block].first + r->bb[x->block].count,
							    x->uses);
	}
	/* They need no operands. */
	for (uint32_t v = 0; v < r->ninst; v++)
		for (unsigned k = g->val[v].sum != NO_INDEX ? ir_nargs(inst_of(g, v)) : 0; k-- > 0;)
			g->val[inst_of(g, v)->arg[k]].uses--;
}
