/*
 * Algebra: comparisons, selection, branches.
 */
#include "ir/opt.h"

static bool is_bool(const struct opt *o, uint32_t id)
{
	return opt_ones(o, id) == 1;
}

static bool is_compare(enum ir_op op)
{
	return op >= IR_EQ && op <= IR_LEU;
}

static bool is_three_way(enum ir_op op)
{
	return op == IR_CMP3S || op == IR_CMP3U;
}

/* The opposite of a comparison. */
static struct ir_inst opposite(struct ir_inst i)
{
	uint32_t a = i.arg[0], b = i.arg[1];

	switch (i.op) {
	case IR_EQ:
		i.op = IR_NE;
		return i;
	case IR_NE:
		i.op = IR_EQ;
		return i;
	case IR_LTS:
		i.op = IR_LES;
		break;
	case IR_LES:
		i.op = IR_LTS;
		break;
	case IR_LTU:
		i.op = IR_LEU;
		break;
	default:
		i.op = IR_LTU;
		break;
	}
	i.arg[0] = b;
	i.arg[1] = a;
	return i;
}

/* x (0 or 1) compared with 0 or 1 is x, or the opposite of it. */
static enum simpler compare_bool(struct opt *o, struct ir_inst *i, uint64_t c, uint32_t *value)
{
	struct ir_inst a = o->inst[i->arg[0]];
	bool negate = (i->op == IR_EQ) == (c == 0);

	if (!negate)
		return opt_type(o, i->arg[0]) == IR_I64 ? opt_to_value(i->arg[0], value) : AS_IT_IS;
	if (is_compare(a.op)) {
		*i = opposite(a);
		return CHANGED;
	}
	if (opt_type(o, i->arg[0]) != IR_I64)
		return AS_IT_IS;
	return opt_to_bin(i, IR_XOR, i->arg[0], opt_make_const(o, IR_I64, 1));
}

/*
 * The operand without its sign or zero extension from 32 bits, if the comparison is the same
 * without: IR_NO_VAL if it is not. Constants do if they are such an extension.
 */
static uint32_t narrow(struct opt *o, uint32_t id, enum ir_op extension)
{
	const struct ir_inst i = o->inst[id];

	if (i.op == IR_CONST) {
		uint64_t same = extension == IR_SEXT32 ? (uint64_t)(int32_t)i.imm : (uint32_t)i.imm;

		return same == i.imm ? opt_make_const(o, IR_I32, i.imm) : IR_NO_VAL;
	}
	return i.op == extension ? i.arg[0] : IR_NO_VAL;
}

static bool is_extension(const struct opt *o, uint32_t id, enum ir_op extension)
{
	return o->inst[id].op == extension;
}

static enum simpler narrow_compare(struct opt *o, struct ir_inst *i)
{
	bool is_signed = i->op == IR_LTS || i->op == IR_LES || i->op == IR_CMP3S;
	bool either = i->op == IR_EQ || i->op == IR_NE;

	if (i->aux != IR_I64)
		return AS_IT_IS;
	for (unsigned k = 0; k < 2; k++) {
		enum ir_op extension = k ? IR_ZEXT32 : IR_SEXT32;
		uint32_t a, b;

		if (!either && is_signed != (extension == IR_SEXT32))
			continue;
		if (!is_extension(o, i->arg[0], extension) &&
		    !is_extension(o, i->arg[1], extension))
			continue;
		a = narrow(o, i->arg[0], extension);
		b = narrow(o, i->arg[1], extension);
		if (a == IR_NO_VAL || b == IR_NO_VAL)
			continue;
		i->arg[0] = a;
		i->arg[1] = b;
		i->aux = IR_I32;
		return CHANGED;
	}
	return AS_IT_IS;
}

static enum simpler compare(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	unsigned bits = ir_type_bits((enum ir_type)i->aux);
	uint64_t c, max = ir_low_mask(bits), sign = UINT64_C(1) << (bits - 1);
	uint64_t ones = opt_ones(o, i->arg[0]);

	if (i->arg[0] == i->arg[1])
		return opt_to_const(o, i, i->op == IR_EQ || i->op == IR_LES || i->op == IR_LEU,
				    value);
	/* Addresses of code move together. */
	if ((i->op == IR_EQ || i->op == IR_NE) && i->aux == IR_I64 && o->inst[i->arg[0]].op == IR_PC &&
	    o->inst[i->arg[1]].op == IR_PC)
		return opt_to_const(o, i, (o->inst[i->arg[0]].imm == o->inst[i->arg[1]].imm) == (i->op == IR_EQ),
				    value);
	/* Numbers without a sign compare alike in both ways. */
	if ((i->op == IR_LTS || i->op == IR_LES) && !(ones & sign) &&
	    !(opt_ones(o, i->arg[1]) & sign)) {
		i->op = i->op == IR_LTS ? IR_LTU : IR_LEU;
		return CHANGED;
	}
	if (opt_const(o, i->arg[1], &c)) {
		switch (i->op) {
		case IR_EQ:
		case IR_NE:
			if (c & ~ones)
				return opt_to_const(o, i, i->op == IR_NE, value);
			/* Neither less nor equal, or one of them. */
			if (c == 0 && is_three_way(o->inst[i->arg[0]].op)) {
				struct ir_inst a = o->inst[i->arg[0]];

				a.op = a.op == IR_CMP3S ? IR_LES : IR_LEU;
				*i = i->op == IR_NE ? a : opposite(a);
				return CHANGED;
			}
			if (is_bool(o, i->arg[0])) {
				enum simpler s = compare_bool(o, i, c, value);

				if (s != AS_IT_IS)
					return s;
			}
			break;
		case IR_LTU:
			if (c == 0)
				return opt_to_const(o, i, 0, value);
			if (ones < c)
				return opt_to_const(o, i, 1, value);
			break;
		case IR_LEU:
			if (ones <= c || c == max)
				return opt_to_const(o, i, 1, value);
			if (c == 0) {
				i->op = IR_EQ;
				return CHANGED;
			}
			break;
		case IR_LTS:
			if (c == sign)
				return opt_to_const(o, i, 0, value);
			break;
		case IR_LES:
			if (c == (sign - 1))
				return opt_to_const(o, i, 1, value);
			break;
		default:
			break;
		}
	} else if (opt_const(o, i->arg[0], &c)) {
		if (i->op == IR_LEU && c == 0)
			return opt_to_const(o, i, 1, value);
		if (i->op == IR_LTU && c == max)
			return opt_to_const(o, i, 0, value);
		if (i->op == IR_LTU && c == 0) {
			i->op = IR_NE;
			return CHANGED;
		}
	}
	return narrow_compare(o, i);
}

/* x ^ 1 of a comparison. (XOR is not looked at here before opt_arith has.) */
static enum simpler invert(struct opt *o, struct ir_inst *i)
{
	struct ir_inst a = o->inst[i->arg[0]];

	if (!opt_is(o, i->arg[1], 1) || !is_compare(a.op))
		return AS_IT_IS;
	*i = opposite(a);
	return CHANGED;
}

/* Does a comparison look at all of its (first) operand, not at the low word alone? */
static bool whole(const struct opt *o, const struct ir_inst *i)
{
	return opt_type(o, i->arg[0]) == i->aux;
}

static bool is_inverted(const struct opt *o, uint32_t id, uint32_t *of)
{
	const struct ir_inst *i = &o->inst[id];

	*of = i->arg[0];
	return (i->op == IR_XOR && opt_is(o, i->arg[1], 1) && is_bool(o, i->arg[0])) ||
	       (i->op == IR_EQ && opt_is(o, i->arg[1], 0) && whole(o, i));
}

/* Is it a comparison with a constant on the left, which executors like less than on the right? */
static bool is_backwards(const struct opt *o, uint32_t id)
{
	const struct ir_inst *i = &o->inst[id];

	return is_compare(i->op) && o->inst[i->arg[0]].op == IR_CONST;
}

static enum simpler select(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	uint32_t c = i->arg[0], yes = i->arg[1], no = i->arg[2], of;
	uint64_t k;

	if (yes == no)
		return opt_to_value(yes, value);
	if (opt_const(o, c, &k))
		return opt_to_value(k ? yes : no, value);
	if (i->type == IR_I64 && is_bool(o, c)) {
		if (opt_is(o, yes, 1) && opt_is(o, no, 0))
			return opt_to_value(c, value);
		if (opt_is(o, yes, 0) && opt_is(o, no, 1))
			return opt_to_bin(i, IR_XOR, c, no);
	}
	if (is_inverted(o, c, &of) && opt_type(o, of) == IR_I64) {
		i->arg[0] = of;
		i->arg[1] = no;
		i->arg[2] = yes;
		return CHANGED;
	}
	if (is_backwards(o, c)) {
		i->arg[0] = opt_value(o, opposite(o->inst[c]));
		i->arg[1] = no;
		i->arg[2] = yes;
		return CHANGED;
	}
	if (o->inst[c].op == IR_NE && opt_is(o, o->inst[c].arg[1], 0) && o->inst[c].aux == IR_I64) {
		i->arg[0] = o->inst[c].arg[0];
		return CHANGED;
	}
	return AS_IT_IS;
}

/* A three-way comparison of which only the bit for "less" counts. */
static enum simpler only_less(struct opt *o, struct ir_inst *i)
{
	const struct ir_inst *a = &o->inst[i->arg[0]];

	if (i->type != IR_I64 || !is_three_way(a->op) || !opt_is(o, i->arg[1], 1))
		return AS_IT_IS;
	i->aux = a->aux;
	i->op = a->op == IR_CMP3S ? IR_LTS : IR_LTU;
	i->arg[0] = a->arg[0];
	i->arg[1] = a->arg[1];
	return CHANGED;
}

/* Of a doubleword whose low word is compared only that counts; in what follows, too. */
static bool narrow_constants(struct opt *o, struct ir_inst *i)
{
	bool any = false;

	for (unsigned k = 0; k < 2 && i->aux == IR_I32; k++) {
		const struct ir_inst *c = &o->inst[i->arg[k]];

		if (c->op != IR_CONST || c->type != IR_I64)
			continue;
		i->arg[k] = opt_make_const(o, IR_I32, (uint32_t)c->imm);
		any = true;
	}
	return any;
}

enum simpler opt_compare(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	if (i->op >= IR_EQ && i->op <= IR_CMP3U && narrow_constants(o, i))
		return CHANGED;
	switch (i->op) {
	case IR_EQ:
	case IR_NE:
	case IR_LTS:
	case IR_LES:
	case IR_LTU:
	case IR_LEU:
		return compare(o, i, value);
	case IR_CMP3S:
	case IR_CMP3U:
		if (i->arg[0] == i->arg[1])
			return opt_to_const(o, i, 0x100, value);
		return narrow_compare(o, i);
	case IR_AND:
		return only_less(o, i);
	case IR_XOR:
		return i->type == IR_I64 ? invert(o, i) : AS_IT_IS;
	case IR_SELECT:
		return select(o, i, value);
	default:
		return AS_IT_IS;
	}
}

bool opt_branch(struct opt *o, struct ir_inst *br, bool *always)
{
	for (;;) {
		const struct ir_inst *c = &o->inst[br->arg[0]];
		uint32_t of, target = br->arg[1];

		if (c->op == IR_CONST) {
			*always = c->imm;
			return false;
		}
		if (is_inverted(o, br->arg[0], &of) || is_backwards(o, br->arg[0])) {
			if (is_backwards(o, br->arg[0]))
				of = opt_value(o, opposite(*c));
			br->arg[0] = of;
			br->arg[1] = br->arg[2];
			br->arg[2] = target;
		} else if (c->op == IR_NE && opt_is(o, c->arg[1], 0) && whole(o, c)) {
			br->arg[0] = c->arg[0];
		} else if (c->op == IR_EXTRACT && ir_field_pos(c) + ir_field_len(c) < 32) {
			/* not zero where it is */
			br->arg[0] = opt_make_bin(
				o, IR_AND, (enum ir_type)c->type, c->arg[0],
				opt_make_const(o, (enum ir_type)c->type,
					       ir_low_mask(ir_field_len(c)) << ir_field_pos(c)));
			return true;
		} else if (c->op == IR_ZEXT32 && opt_type(o, c->arg[0]) == IR_I32) {
			br->arg[0] = c->arg[0];
		} else {
			return true;
		}
	}
}
