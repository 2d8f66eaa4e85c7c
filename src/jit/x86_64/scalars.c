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
		return false;
	}
}

static bool can_take(const struct gen *g, const struct ir_inst *i, unsigned operand)
{
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
		return false;
	}
}

/* Does an instruction that makes or takes a value say that it is a number, or part of a vector? */
static bool wants(const struct gen *g, const struct ir_inst *i)
{
	const struct jit_layout *l = g->layout;

	if (i->op == IR_GET || i->op == IR_SET)
		return i->imm >= l->vec_first && i->imm < l->vec_end;
	return i->op == IR_CALL || i->op == IR_VMAKE || i->op == IR_VDUP || i->op == IR_VHI ||
	       i->op == IR_VLO;
}

void find_scalars(struct gen *g)
{
	const struct ir_region *r = g->r;
	struct value *val = g->val;

	for (uint32_t v = 0; v < r->ninst; v++) {
		const struct ir_inst *i = inst_of(g, v);

		if (val[v].block == NO_INDEX)
			continue;
		val[v].vec = i->type == IR_V128 ||
			     (i->type == IR_I64 && can_make(g, i) && wants(g, i));
	}
	/* What may be one if a user wants it. */
	for (uint32_t n = 0; n < r->ninst; n++) {
		const struct ir_inst *i = inst_of(g, n);

		for (unsigned k = 0; val[n].block != NO_INDEX && k < ir_nargs(i); k++) {
			const struct ir_inst *def = inst_of(g, i->arg[k]);

			if (def->type == IR_I64 && wants(g, i) && can_take(g, i, k) && can_make(g, def))
				val[i->arg[k]].vec = true;
		}
	}
	/* But all of them must. */
	for (uint32_t n = 0; n < r->ninst; n++) {
		const struct ir_inst *i = inst_of(g, n);

		for (unsigned k = 0; val[n].block != NO_INDEX && k < ir_nargs(i); k++)
			if (inst_of(g, i->arg[k])->type == IR_I64 && !can_take(g, i, k))
				val[i->arg[k]].vec = false;
	}
}
