/*
 * Which values of 64 bits are in xmm registers: numbers of floating point, on their way from memory or guest
 * state through operations back there. A value is one of them if it is made by, or given to, an operation on such
 * numbers, or its place is where guests keep vectors; and if all that makes and reads it can do with an xmm.
 */
#include "jit/x86_64/gen.h"

/* A load or store of 8 bytes as they are. */
static bool is_plain(const struct ir_inst *i)
{
	struct ir_memop m = ir_memop_of(i);

	return m.size == 8 && !m.big_endian;
}

/* A sign turned, taken away, put there. */
static bool is_mask(const struct gen *g, const struct ir_inst *i)
{
	return (i->op == IR_XOR || i->op == IR_AND || i->op == IR_OR) && i->type == IR_I64 &&
	       inst_of(g, i->arg[1])->op == IR_CONST && inst_of(g, i->arg[0])->op != IR_SHL; /* value.field */
}

static bool can_make(const struct gen *g, const struct ir_inst *i)
{
	switch ((enum ir_op)i->op) {
	case IR_GET:
	case IR_VHI:
	case IR_VLO:
		return true;
	case IR_LOAD:
	case IR_LOAD_HOST:
		return is_plain(i);
	case IR_CALL:
		return gen_float_makes(g, i);
	default:
		return is_mask(g, i);
	}
}

static bool can_take(const struct gen *g, uint32_t n, unsigned operand)
{
	const struct ir_inst *i = inst_of(g, n);

	switch ((enum ir_op)i->op) {
	case IR_SET:
	case IR_VMAKE:
		return true;
	case IR_VDUP:
		return (i->aux & 3) == 3;
	case IR_STORE:
	case IR_STORE_HOST:
		return operand == 1 && is_plain(i);
	case IR_CALL:
		return gen_float_takes(g, i);
	default:
		return !operand && g->val[n].vec && is_mask(g, i);
	}
}

/* Does an instruction that makes or takes a value say that it is a number, or part of a vector? */
static bool wants(const struct gen *g, uint32_t n)
{
	const struct ir_inst *i = inst_of(g, n);
	const struct jit_layout *l = g->layout;

	if (is_mask(g, i))
		return g->val[n].vec;
	if (i->op == IR_GET || i->op == IR_SET)
		return i->imm >= l->vec_first && i->imm < l->vec_end;
	return i->op == IR_CALL || i->op == IR_VMAKE || i->op == IR_VDUP || i->op == IR_VHI ||
	       i->op == IR_VLO;
}

/* Those that some user cannot take. Returns whether there are any. */
static bool give_up(struct gen *g)
{
	bool any = false;

	for (uint32_t n = 0; n < g->r->ninst; n++) {
		const struct ir_inst *i = inst_of(g, n);

		for (unsigned k = 0, nargs = g->val[n].block != NO_INDEX ? ir_nargs(i) : 0; k < nargs; k++) {
			struct value *x = &g->val[i->arg[k]];

			if (x->vec && inst_of(g, i->arg[k])->type == IR_I64 && !can_take(g, n, k)) {
				x->vec = false;
				any = true;
			}
		}
	}
	return any;
}

/* May any value of 64 bits be one? */
static bool any_wants(const struct gen *g)
{
	for (uint32_t n = 0; n < g->r->ninst; n++) {
		const struct ir_inst *i = inst_of(g, n);

		if (i->op == IR_CALL ? gen_float_makes(g, i) || gen_float_takes(g, i) :
				       !is_mask(g, i) && wants(g, n))
			return true;
	}
	return false;
}

void find_scalars(struct gen *g)
{
	const struct ir_region *r = g->r;
	struct value *val = g->val;

	if (!any_wants(g)) {
		for (uint32_t n = 0; n < r->ninst; n++)
			val[n].vec = inst_of(g, n)->type == IR_V128 && val[n].block != NO_INDEX;
		return;
	}

	/* Users come behind what they use. */
	for (uint32_t n = r->ninst; n-- > 0;) {
		const struct ir_inst *i = inst_of(g, n);

		if (val[n].block == NO_INDEX)
			continue;
		if (i->type == IR_V128 || (i->type == IR_I64 && can_make(g, i) && wants(g, n)))
			val[n].vec = true;
		for (unsigned k = 0, nargs = ir_nargs(i); k < nargs; k++) {
			const struct ir_inst *def = inst_of(g, i->arg[k]);

			if (def->type == IR_I64 && wants(g, n) && can_take(g, n, k) && can_make(g, def))
				val[i->arg[k]].vec = true;
		}
	}
	while (give_up(g))
		;
}
