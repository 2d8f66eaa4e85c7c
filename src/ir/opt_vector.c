/*
 * Algebra of vectors. Front ends write byte permutations for much that is none on their processor's
 * memory: element loads in the other byte order, exchanges of halves that undo them, turns of
 * the bytes around an operation that counts from the other end. So permutations by constants are
 * merged.
 */
#include "ir/opt.h"

static bool vconst(const struct opt *o, uint32_t id, u128 *c)
{
	const struct ir_inst *i = &o->inst[id];

	*c = i->op == IR_VCONST ? o->r->vconst[i->imm] : 0;
	return i->op == IR_VCONST;
}

static bool is_vconst(const struct opt *o, uint32_t id, u128 want)
{
	u128 c;

	return vconst(o, id, &c) && c == want;
}

static uint32_t make_vconst(struct opt *o, u128 c)
{
	return opt_value(o, (struct ir_inst){.op = IR_VCONST,
					     .type = IR_V128,
					     .arg = {IR_NO_VAL, IR_NO_VAL, IR_NO_VAL, IR_NO_VAL},
					     .imm = ir_vconst_number(o->r, c)});
}

static enum simpler to_vconst(struct opt *o, u128 c, uint32_t *value)
{
	*value = make_vconst(o, c);
	return REPLACED;
}

static enum simpler to_permute(struct opt *o, struct ir_inst *i, uint32_t high, uint32_t low,
			       u128 select)
{
	i->op = IR_VPERM2;
	i->type = IR_V128;
	i->aux = 0;
	i->imm = 0;
	i->arg[0] = high;
	i->arg[1] = low;
	i->arg[2] = make_vconst(o, select);
	return CHANGED;
}

/* ---- permutations ---- */

/* Where the bytes of a result come from: at most two values, numbers 0..15 of the first. */
struct origin {
	uint32_t source[2];
	unsigned nsource;
	uint8_t byte[16]; /* 16 * source + byte */
};

static bool note(struct origin *from, unsigned n, uint32_t source, unsigned byte)
{
	unsigned k;

	for (k = 0; k < from->nsource && from->source[k] != source; k++)
		;
	if (k == 2)
		return false;
	if (k == from->nsource)
		from->source[from->nsource++] = source;
	from->byte[n] = 16 * k + byte;
	return true;
}

/* Byte n of the operands' is a byte of which value, looking through a permutation? */
static void look_through(const struct opt *o, uint32_t *source, unsigned *byte)
{
	const struct ir_inst *i = &o->inst[*source];
	unsigned s;
	u128 c;

	if (i->op != IR_VPERM2 || !vconst(o, i->arg[2], &c))
		return;
	s = c >> 8 * *byte & 31;
	*source = i->arg[s < 16];
	*byte = s & 15;
}

static u128 selector(const struct origin *from)
{
	u128 s = 0;

	for (unsigned n = 16; n-- > 0;)
		s = s << 8 | from->byte[n];
	return s;
}

/* Bytes 0 to 15 in order. */
static u128 identity(void)
{
	return (u128)UINT64_C(0x0f0e0d0c0b0a0908) << 64 | UINT64_C(0x0706050403020100);
}

static enum simpler fold_permute(struct opt *o, const struct origin *from, uint32_t *value)
{
	u128 c[2], v = 0;

	for (unsigned k = 0; k < from->nsource; k++)
		if (!vconst(o, from->source[k], &c[k]))
			return AS_IT_IS;
	for (unsigned n = 16; n-- > 0;)
		v = v << 8 | (uint8_t)(c[from->byte[n] >> 4] >> 8 * (from->byte[n] & 15));
	return to_vconst(o, v, value);
}

static enum simpler simplify_permute(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	struct origin from;
	uint32_t low, high;
	u128 c, s;

	if (!vconst(o, i->arg[2], &c))
		return AS_IT_IS;
	/* Through the operands' permutations if two values are enough then, else as it stands. */
	for (unsigned deep = 2; deep-- > 0;) {
		bool fits = true;

		from = (struct origin){.nsource = 0};
		for (unsigned n = 0; n < 16 && fits; n++) {
			unsigned at = c >> 8 * n & 31, byte = at & 15;
			uint32_t source = i->arg[at < 16];

			if (deep)
				look_through(o, &source, &byte);
			fits = note(&from, n, source, byte);
		}
		if (fits)
			break;
	}
	if (fold_permute(o, &from, value) == REPLACED)
		return REPLACED;
	low = from.source[0];
	high = from.source[from.nsource - 1];
	s = selector(&from);
	if (low == high && s == identity())
		return opt_to_value(low, value);
	if (low == i->arg[1] && high == i->arg[0] && s == c)
		return AS_IT_IS;
	return to_permute(o, i, high, low, s);
}

/* Halves of vectors put together. */
static enum simpler simplify_make(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	const struct ir_inst h = o->inst[i->arg[0]], l = o->inst[i->arg[1]];
	struct origin from = {.nsource = 0};

	if (h.op == IR_CONST && l.op == IR_CONST)
		return to_vconst(o, (u128)h.imm << 64 | l.imm, value);
	if ((h.op != IR_VHI && h.op != IR_VLO) || (l.op != IR_VHI && l.op != IR_VLO))
		return AS_IT_IS;
	for (unsigned n = 0; n < 16; n++) {
		const struct ir_inst *half = n < 8 ? &l : &h;

		note(&from, n, half->arg[0], n % 8 + (half->op == IR_VHI ? 8 : 0));
	}
	return to_permute(o, i, from.source[from.nsource - 1], from.source[0], selector(&from));
}

/* A half of a permutation that is a half of one of its operands. */
static enum simpler simplify_half(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	const struct ir_inst a = o->inst[i->arg[0]];
	unsigned shift = i->op == IR_VHI ? 64 : 0, first;
	u128 c;

	if (a.op == IR_VMAKE)
		return opt_to_value(a.arg[i->op == IR_VLO], value);
	if (vconst(o, i->arg[0], &c))
		return opt_to_const(o, i, (uint64_t)(c >> shift), value);
	if (a.op != IR_VPERM2 || !vconst(o, a.arg[2], &c))
		return AS_IT_IS;
	c >>= shift;
	first = c & 31;
	for (unsigned n = 0; n < 8; n++)
		if ((c >> 8 * n & 31) != first + n)
			return AS_IT_IS;
	if (first % 8)
		return AS_IT_IS;
	return opt_to_un(i, first & 8 ? IR_VHI : IR_VLO, a.arg[first < 16]);
}

/* ---- lanes and bits ---- */

static u128 repeated(uint64_t v, unsigned lane)
{
	unsigned bits = 8u << lane;
	u128 all = 0;

	for (unsigned at = 0; at < 128; at += bits)
		all |= (u128)(v & ir_low_mask(bits)) << at;
	return all;
}

static enum simpler simplify_bits(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	uint32_t a = i->arg[0], b = i->arg[1];
	u128 ca, cb;
	bool first = vconst(o, a, &ca), second = vconst(o, b, &cb), both = first && second;

	switch (i->op) {
	case IR_VAND:
		if (both)
			return to_vconst(o, ca & cb, value);
		if (a == b)
			return opt_to_value(a, value);
		if (o->inst[b].op == IR_VNOT)
			return opt_to_bin(i, IR_VANDN, a, o->inst[b].arg[0]);
		if (o->inst[a].op == IR_VNOT)
			return opt_to_bin(i, IR_VANDN, b, o->inst[a].arg[0]);
		return AS_IT_IS;
	case IR_VANDN:
		if (both)
			return to_vconst(o, ca & ~cb, value);
		if (a == b)
			return to_vconst(o, 0, value);
		return is_vconst(o, b, 0) ? opt_to_value(a, value) : AS_IT_IS;
	case IR_VOR:
		if (both)
			return to_vconst(o, ca | cb, value);
		/* Copies of vector registers are written so. */
		if (a == b || is_vconst(o, b, 0))
			return opt_to_value(a, value);
		return is_vconst(o, a, 0) ? opt_to_value(b, value) : AS_IT_IS;
	default: /* IR_VXOR */
		if (both)
			return to_vconst(o, ca ^ cb, value);
		if (a == b)
			return to_vconst(o, 0, value);
		if (is_vconst(o, b, 0))
			return opt_to_value(a, value);
		return is_vconst(o, a, 0) ? opt_to_value(b, value) : AS_IT_IS;
	}
}

enum simpler opt_vector(struct opt *o, struct ir_inst *i, uint32_t *value)
{
	const struct ir_inst a = o->inst[i->arg[0]];
	u128 c;

	switch (i->op) {
	case IR_VLO:
	case IR_VHI:
		return simplify_half(o, i, value);
	case IR_VMAKE:
		return simplify_make(o, i, value);
	case IR_VPERM2:
		return simplify_permute(o, i, value);
	case IR_VNOT:
		if (vconst(o, i->arg[0], &c))
			return to_vconst(o, ~c, value);
		return a.op == IR_VNOT ? opt_to_value(a.arg[0], value) : AS_IT_IS;
	case IR_VAND:
	case IR_VANDN:
	case IR_VOR:
	case IR_VXOR:
		return simplify_bits(o, i, value);
	case IR_VDUP:
		return a.op == IR_CONST ? to_vconst(o, repeated(a.imm, i->aux), value) : AS_IT_IS;
	case IR_VSPLAT:
		if (!vconst(o, i->arg[0], &c))
			return AS_IT_IS;
		return to_vconst(o, repeated((uint64_t)(c >> (i->imm * (8u << i->aux))), i->aux),
				 value);
	case IR_VSUB:
		return i->arg[0] == i->arg[1] ? to_vconst(o, 0, value) : AS_IT_IS;
	default:
		return AS_IT_IS;
	}
}
