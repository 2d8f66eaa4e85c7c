/*
 * Algebra: sums, products, logic.
 */
#include "ir/opt.h"
#include "util/bits.h"

static uint64_t all_ones(const struct ir_inst *i)
{
	return ir_low_mask(ir_type_bits((enum ir_type)i->type));
}

/* op(op(x, c1), c2), of an operation that associates: x and the operand that is combined. */
static bool reassociate(struct opt *o, const struct ir_inst *i, uint64_t c2, uint64_t *c)
{
	const struct ir_inst *a = &o->inst[i->arg[0]];
	uint64_t c1;

	if (a->op != i->op || !opt_const(o, a->arg[1], &c1))
		return false;
	/* Of another block, x may be kept for this only: a counter of rounds that lie in a row. */
	if (i->op == IR_ADD && o->block[i->arg[0]] != o->cur)
		return false;
	switch (i->op) {
	case IR_ADD:
		*c = c1 + c2;
		break;
	case IR_MUL:
		*c = c1 * c2;
		break;
	case IR_AND:
		*c = c1 & c2;
		break;
	case IR_OR:
		*c = c1 | c2;
		break;
	default:
		*c = c1 ^ c2;
		break;
	}
	return true;
}

static enum simpler with_constant(struct opt *o, struct ir_inst *i, uint64_t c)
{
	uint32_t x = o->inst[i->arg[0]].arg[0];

	return opt_to_bin(i, i->op, x, opt_make_const(o, (enum ir_type)i->type, c));
}

static enum simpler simplify_add(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	struct ir_inst a = o->inst[i->arg[0]], b = o->inst[i->arg[1]];
	enum ir_type t = (enum ir_type)i->type;
	uint64_t c, c1;

	if (!opt_const(o, i->arg[1], &c)) {
		if (b.op == IR_NEG)
			return opt_to_bin(i, IR_SUB, i->arg[0], b.arg[0]);
		if (a.op == IR_NEG)
			return opt_to_bin(i, IR_SUB, i->arg[1], a.arg[0]);
		return AS_IT_IS;
	}
	if (c == 0)
		return opt_to_value(i->arg[0], value);
	if (reassociate(o, i, c, &c1))
		return with_constant(o, i, c1);
	/* ~x + c is (c - 1) - x */
	if (a.op == IR_NOT)
		return opt_to_bin(i, IR_SUB, opt_make_const(o, t, c - 1), a.arg[0]);
	if (a.op == IR_SUB && opt_const(o, a.arg[0], &c1))
		return opt_to_bin(i, IR_SUB, opt_make_const(o, t, c + c1), a.arg[1]);
	/* (~x + y) + 1, as subtraction with carry is defined, is y - x. */
	if (a.op == IR_ADD && c == 1) {
		struct ir_inst x = o->inst[a.arg[0]], y = o->inst[a.arg[1]];

		if (x.op == IR_NOT)
			return opt_to_bin(i, IR_SUB, a.arg[1], x.arg[0]);
		if (y.op == IR_NOT)
			return opt_to_bin(i, IR_SUB, a.arg[0], y.arg[0]);
	}
	return AS_IT_IS;
}

static enum simpler simplify_sub(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	uint64_t c;

	if (i->arg[0] == i->arg[1])
		return opt_to_const(o, i, 0, value);
	if (opt_const(o, i->arg[1], &c))
		return opt_to_bin(i, IR_ADD, i->arg[0],
				  opt_make_const(o, (enum ir_type)i->type, -c));
	if (opt_is(o, i->arg[0], 0))
		return opt_to_un(i, IR_NEG, i->arg[1]);
	return AS_IT_IS;
}

static enum simpler simplify_mul(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	uint64_t c, c1;

	if (!opt_const(o, i->arg[1], &c))
		return AS_IT_IS;
	if (c == 0)
		return opt_to_const(o, i, 0, value);
	if (c == 1)
		return opt_to_value(i->arg[0], value);
	if (is_pow2(c))
		return opt_to_bin(
			i, IR_SHL, i->arg[0],
			opt_make_const(o, (enum ir_type)i->type, (unsigned)__builtin_ctzll(c)));
	if (reassociate(o, i, c, &c1))
		return with_constant(o, i, c1);
	return AS_IT_IS;
}

/* A rotation of which a mask keeps only one side is a shift or a field. */
static enum simpler masked_rotation(struct opt *o, struct ir_inst *i, uint64_t mask)
{
	struct ir_inst a = o->inst[i->arg[0]];
	unsigned bits = ir_type_bits((enum ir_type)i->type), n;
	uint64_t c;

	if (a.op != IR_ROTL || !opt_const(o, a.arg[1], &c))
		return AS_IT_IS;
	n = (unsigned)c & (bits - 1);
	if (!(mask & ir_low_mask(n)))
		return opt_to_bin(
			i, IR_AND,
			opt_make_bin(o, IR_SHL, (enum ir_type)i->type, a.arg[0], a.arg[1]),
			i->arg[1]);
	/* What came round lies in the low n bits. */
	if (!(mask & (mask + 1)) && mask <= ir_low_mask(n))
		return opt_to_field(i, a.arg[0], bits - n, (unsigned)__builtin_popcountll(mask));
	return AS_IT_IS;
}

static enum simpler simplify_and(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	struct ir_inst a = o->inst[i->arg[0]];
	uint64_t c, c1, ones = opt_ones(o, i->arg[0]);
	enum simpler s;

	if (i->arg[0] == i->arg[1])
		return opt_to_value(i->arg[0], value);
	if (!(ones & opt_ones(o, i->arg[1])))
		return opt_to_const(o, i, 0, value);
	if (!opt_const(o, i->arg[1], &c)) {
		if (a.op == IR_NOT)
			return opt_to_bin(i, IR_ANDN, i->arg[1], a.arg[0]);
		if (o->inst[i->arg[1]].op == IR_NOT)
			return opt_to_bin(i, IR_ANDN, i->arg[0], o->inst[i->arg[1]].arg[0]);
		return AS_IT_IS;
	}
	if (!(ones & ~c))
		return opt_to_value(i->arg[0], value);
	if (reassociate(o, i, c, &c1))
		return with_constant(o, i, c1);
	if (opt_keeps_low(o, i->arg[0], 64 - (unsigned)__builtin_clzll(c)) &&
	    opt_type(o, a.arg[0]) == i->type)
		return opt_to_bin(i, IR_AND, a.arg[0], i->arg[1]);
	if (c == UINT32_MAX && i->type == IR_I64)
		return opt_to_un(i, IR_ZEXT32, i->arg[0]);
	/* What the mask takes away need not be put in first. */
	for (unsigned k = 0; k < 2 && a.op == IR_OR; k++) {
		if (!(opt_ones(o, a.arg[k]) & c))
			return opt_to_bin(i, IR_AND, a.arg[1 - k], i->arg[1]);
	}
	s = masked_rotation(o, i, c);
	if (s != AS_IT_IS)
		return s;
	/* A run of low bits of something shifted right. */
	if (a.op == IR_SHR && !(c & (c + 1)) && opt_const(o, a.arg[1], &c1)) {
		unsigned bits = ir_type_bits((enum ir_type)i->type), n = (unsigned)c1 & (bits - 1);
		unsigned len = (unsigned)__builtin_popcountll(c);

		return opt_to_field(i, a.arg[0], n, len < bits - n ? len : bits - n);
	}
	/* Bits of an operand that the mask takes away anyway. */
	if (a.op == IR_OR || a.op == IR_XOR) {
		for (unsigned k = 0; k < 2; k++) {
			if (!(opt_ones(o, a.arg[k]) & c))
				return opt_to_bin(i, IR_AND, a.arg[1 - k], i->arg[1]);
		}
	}
	return AS_IT_IS;
}

static enum simpler simplify_or(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	uint64_t c, c1;

	if (i->arg[0] == i->arg[1])
		return opt_to_value(i->arg[0], value);
	if (!opt_const(o, i->arg[1], &c))
		return AS_IT_IS;
	if (c == 0)
		return opt_to_value(i->arg[0], value);
	if (c == all_ones(i))
		return opt_to_value(i->arg[1], value);
	if (reassociate(o, i, c, &c1))
		return with_constant(o, i, c1);
	return AS_IT_IS;
}

static enum simpler simplify_xor(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	uint64_t c, c1;

	if (i->arg[0] == i->arg[1])
		return opt_to_const(o, i, 0, value);
	for (unsigned k = 0; k < 2; k++) {
		const struct ir_inst *x = &o->inst[i->arg[k]];

		if (x->op == IR_NOT && x->arg[0] == i->arg[1 - k])
			return opt_to_const(o, i, all_ones(i), value);
	}
	if (!opt_const(o, i->arg[1], &c))
		return AS_IT_IS;
	if (c == 0)
		return opt_to_value(i->arg[0], value);
	if (c == all_ones(i))
		return opt_to_un(i, IR_NOT, i->arg[0]);
	if (reassociate(o, i, c, &c1))
		return with_constant(o, i, c1);
	return AS_IT_IS;
}

static enum simpler simplify_andn(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	uint64_t c;

	if (i->arg[0] == i->arg[1])
		return opt_to_const(o, i, 0, value);
	if (opt_const(o, i->arg[1], &c))
		return opt_to_bin(i, IR_AND, i->arg[0],
				  opt_make_const(o, (enum ir_type)i->type, ~c));
	if (opt_is(o, i->arg[0], 0))
		return opt_to_const(o, i, 0, value);
	if (opt_is(o, i->arg[0], all_ones(i)))
		return opt_to_un(i, IR_NOT, i->arg[1]);
	return AS_IT_IS;
}

/* Two inversions. */
static enum simpler undo_twice(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	struct ir_inst a = o->inst[i->arg[0]];

	if (a.op == i->op)
		return opt_to_value(a.arg[0], value);
	/* ~(x - 1) */
	if (i->op == IR_NOT && a.op == IR_ADD && opt_is(o, a.arg[1], all_ones(i)))
		return opt_to_un(i, IR_NEG, a.arg[0]);
	if (i->op == IR_NEG && a.op == IR_SUB)
		return opt_to_bin(i, IR_SUB, a.arg[1], a.arg[0]);
	return AS_IT_IS;
}

/* Is one operand of a sum the inverse of a number, and the other that number less k? */
static bool is_inverse(struct opt *o, const struct ir_inst *i, uint64_t *k)
{
	for (unsigned n = 0; n < 2; n++) {
		const struct ir_inst *inverse = &o->inst[i->arg[n]];
		uint32_t x, y = i->arg[1 - n];

		/* -y is ~(y - 1) */
		*k = ~UINT64_C(0);
		if (inverse->op == IR_NEG && inverse->arg[0] == y)
			return true;
		if (inverse->op != IR_NOT)
			continue;
		x = inverse->arg[0];
		*k = 0;
		if (x == y)
			return true;
		if (o->inst[x].op == IR_ADD && o->inst[x].arg[0] == y &&
		    opt_const(o, o->inst[x].arg[1], k))
			return true;
	}
	return false;
}

/* x + y + carry, as adde and subfe have it. */
static enum simpler simplify_addc(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	enum ir_type t = (enum ir_type)i->type;
	uint64_t c, k;

	if (opt_const(o, i->arg[2], &c)) {
		uint32_t sum = opt_make_bin(o, IR_ADD, t, i->arg[0], i->arg[1]);

		if (!(c & 1))
			return opt_to_value(sum, value);
		return opt_to_bin(i, IR_ADD, sum, opt_make_const(o, t, 1));
	}
	/* ~(y + k) + y + c is c - 1 - k: what makes a number of a carry. */
	if (t == IR_I64 && opt_ones(o, i->arg[2]) == 1 && opt_type(o, i->arg[2]) == t &&
	    is_inverse(o, i, &k))
		return opt_to_bin(i, IR_ADD, i->arg[2], opt_make_const(o, t, ~k));
	return AS_IT_IS;
}

static enum simpler simplify_addcarry(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	struct ir_inst a = o->inst[i->arg[0]], b = o->inst[i->arg[1]];
	uint64_t c;

	/* The definition takes the lowest bit of the third operand. */
	if (opt_const(o, i->arg[2], &c) && (c & 1)) {
		/* ~x + y + 1 carries when x <= y. */
		uint32_t x = a.op == IR_NOT ? a.arg[0] : b.op == IR_NOT ? b.arg[0] : IR_NO_VAL;
		uint32_t y = a.op == IR_NOT ? i->arg[1] : i->arg[0];
		unsigned aux = i->aux;

		if (x == IR_NO_VAL && opt_const(o, i->arg[1], &c)) {
			x = opt_make_const(o, (enum ir_type)aux, ~c);
			y = i->arg[0];
		}
		if (x == IR_NO_VAL)
			return AS_IT_IS;
		opt_to_bin(i, IR_LEU, x, y);
		i->aux = (uint16_t)aux;
		return CHANGED;
	}
	if (opt_is(o, i->arg[2], 0) && opt_is(o, i->arg[1], 0))
		return opt_to_const(o, i, 0, value);
	/* Less one, unless it is zero. */
	if (opt_is(o, i->arg[2], 0) && opt_is(o, i->arg[1], ir_low_mask(ir_type_bits(i->aux)))) {
		unsigned aux = i->aux;

		opt_to_bin(i, IR_NE, i->arg[0], opt_make_const(o, (enum ir_type)aux, 0));
		i->aux = (uint16_t)aux;
		return CHANGED;
	}
	/* ~x + x is all ones: the carry goes through. */
	if (opt_ones(o, i->arg[2]) == 1 && opt_type(o, i->arg[2]) == IR_I64 && is_inverse(o, i, &c) &&
	    c == 0)
		return opt_to_value(i->arg[2], value);
	return AS_IT_IS;
}

enum simpler opt_arith(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	switch (i->op) {
	case IR_ADD:
		return simplify_add(o, i, value);
	case IR_SUB:
		return simplify_sub(o, i, value);
	case IR_MUL:
		return simplify_mul(o, i, value);
	case IR_AND:
		return simplify_and(o, i, value);
	case IR_OR:
		return simplify_or(o, i, value);
	case IR_XOR:
		return simplify_xor(o, i, value);
	case IR_ANDN:
		return simplify_andn(o, i, value);
	case IR_NOT:
	case IR_NEG:
		return undo_twice(o, i, value);
	case IR_ADDC:
		return simplify_addc(o, i, value);
	case IR_ADDCARRY:
		return simplify_addcarry(o, i, value);
	default:
		return (ir_op_info[i->op].result == 'X' && i->op != IR_VCONST) || i->op == IR_VLO ||
				       i->op == IR_VHI
			       ? opt_vector(o, i, value)
			       : AS_IT_IS;
	}
}
