/*
 * Fixed-point arithmetic (Power ISA 3.0B, Book I 3.3.9): sums, differences and products. Quotients
 * are in emit_divide.c.
 */
#include "cpu/power9/emit_common.h"

void p9_emit_addi(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val v = p9_i64(t, (uint64_t)insn_SI(i));

	p9_set_gpr(t, insn_RT(i), insn_RA(i) ? p9_bin(t, IR_ADD, p9_gpr(t, insn_RA(i)), v) : v);
}

void p9_emit_addis(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val v = p9_i64(t, (uint64_t)insn_SI(i) << 16);

	p9_set_gpr(t, insn_RT(i), insn_RA(i) ? p9_bin(t, IR_ADD, p9_gpr(t, insn_RA(i)), v) : v);
}

void p9_emit_addpcis(struct p9_translator *t, const struct p9_insn *i)
{
	uint64_t nia = t->pc + 4;

	if (!p9_mode64(t))
		nia = (uint32_t)nia;
	p9_set_gpr(t, insn_RT(i), ir_pc(t->r, nia + ((uint64_t)insn_DX(i) << 16)));
}

static ir_val ra(struct p9_translator *t, const struct p9_insn *i)
{
	return p9_gpr(t, insn_RA(i));
}

static ir_val rb(struct p9_translator *t, const struct p9_insn *i)
{
	return p9_gpr(t, insn_RB(i));
}

static ir_val minus_one(struct p9_translator *t)
{
	return p9_i64(t, ~UINT64_C(0));
}

static unsigned overflow_if(const struct p9_insn *i)
{
	return insn_OE(i) ? P9_ADD_OV : 0;
}

static void result(struct p9_translator *t, const struct p9_insn *i, ir_val v)
{
	p9_set_gpr(t, insn_RT(i), v);
	p9_record(t, i, v);
}

void p9_emit_add(struct p9_translator *t, const struct p9_insn *i)
{
	result(t, i, p9_add(t, ra(t, i), rb(t, i), overflow_if(i)));
}

void p9_emit_addc(struct p9_translator *t, const struct p9_insn *i)
{
	result(t, i, p9_add(t, ra(t, i), rb(t, i), P9_ADD_CA | overflow_if(i)));
}

void p9_emit_subf(struct p9_translator *t, const struct p9_insn *i)
{
	result(t, i, p9_subtract(t, ra(t, i), rb(t, i), overflow_if(i)));
}

void p9_emit_subfc(struct p9_translator *t, const struct p9_insn *i)
{
	result(t, i, p9_subtract(t, ra(t, i), rb(t, i), P9_ADD_CA | overflow_if(i)));
}

/* RT := a + b + CA, and its carries. */
static void extended(struct p9_translator *t, const struct p9_insn *i, ir_val a, ir_val b)
{
	result(t, i, p9_add_carry(t, a, b, p9_xer_bit(t, ca), P9_ADD_CA | overflow_if(i)));
}

void p9_emit_adde(struct p9_translator *t, const struct p9_insn *i)
{
	extended(t, i, ra(t, i), rb(t, i));
}

void p9_emit_addme(struct p9_translator *t, const struct p9_insn *i)
{
	extended(t, i, ra(t, i), minus_one(t));
}

void p9_emit_addze(struct p9_translator *t, const struct p9_insn *i)
{
	extended(t, i, ra(t, i), p9_i64(t, 0));
}

static ir_val not_ra(struct p9_translator *t, const struct p9_insn *i)
{
	return p9_un(t, IR_NOT, ra(t, i));
}

void p9_emit_subfe(struct p9_translator *t, const struct p9_insn *i)
{
	extended(t, i, not_ra(t, i), rb(t, i));
}

void p9_emit_subfme(struct p9_translator *t, const struct p9_insn *i)
{
	extended(t, i, not_ra(t, i), minus_one(t));
}

void p9_emit_subfze(struct p9_translator *t, const struct p9_insn *i)
{
	extended(t, i, not_ra(t, i), p9_i64(t, 0));
}

void p9_emit_neg(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val a = ra(t, i);
	ir_val v = p9_un(t, IR_NEG, a);

	if (insn_OE(i)) {
		/* Only the most negative number has the sign of its own negative. */
		ir_val o = p9_bin(t, IR_AND, a, v);

		p9_set_overflow(t, ir_extract(t->r, o, 63, 1), ir_extract(t->r, o, 31, 1));
	}
	result(t, i, v);
}

static ir_val si(struct p9_translator *t, const struct p9_insn *i)
{
	return p9_i64(t, (uint64_t)insn_SI(i));
}

void p9_emit_addic(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RT(i), p9_add(t, ra(t, i), si(t, i), P9_ADD_CA));
}

void p9_emit_addic_dot(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val v = p9_add(t, ra(t, i), si(t, i), P9_ADD_CA);

	p9_set_gpr(t, insn_RT(i), v);
	p9_set_cr0(t, v);
}

void p9_emit_subfic(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RT(i), p9_subtract(t, ra(t, i), si(t, i), P9_ADD_CA));
}

/*
 * addex: OV is the carry, in and out. CY 0 names OV; the other values are reserved.
 */
void p9_emit_addex(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val a = ra(t, i), b = rb(t, i);
	ir_val c, v, in, ov32;

	if (insn_CY(i)) {
		p9_raise_illegal(t, i->raw);
		return;
	}
	c = p9_xer_bit(t, ov);
	v = ir_addc(t->r, a, b, c);
	in = p9_bin(t, IR_XOR, p9_bin(t, IR_XOR, a, b), v);
	ov32 = ir_extract(t->r, in, 32, 1);
	ir_set(t->r, P9_OFF(ov), p9_mode64(t) ? ir_addcarry(t->r, a, b, c) : ov32);
	ir_set(t->r, P9_OFF(ov32), ov32);
	p9_set_gpr(t, insn_RT(i), v);
}

/* addg6s: a six in each nibble out of which the sum carries nothing. */
void p9_emit_addg6s(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val a = ra(t, i), b = rb(t, i);
	ir_val s = p9_bin(t, IR_ADD, a, b);
	ir_val in = p9_bin(t, IR_XOR, p9_bin(t, IR_XOR, a, b), s);
	/* The carry out of a nibble is the one into the next. */
	ir_val out = p9_bini(t, IR_AND, p9_bini(t, IR_SHR, in, 4), UINT64_C(0x0111111111111111));
	ir_val top = p9_bini(t, IR_SHL, ir_addcarry(t->r, a, b, p9_i64(t, 0)), 60);
	ir_val none = p9_bini(t, IR_XOR, p9_bin(t, IR_OR, out, top), UINT64_C(0x1111111111111111));

	p9_set_gpr(t, insn_RT(i),
		   p9_bin(t, IR_OR, p9_bini(t, IR_SHL, none, 1), p9_bini(t, IR_SHL, none, 2)));
}

void p9_emit_mulli(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RT(i), p9_bini(t, IR_MUL, p9_gpr(t, insn_RA(i)), (uint64_t)insn_SI(i)));
}

void p9_emit_mulld(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val a = ra(t, i), b = rb(t, i);
	ir_val v = p9_bin(t, IR_MUL, a, b);

	if (insn_OE(i)) {
		ir_val ov = p9_bin(t, IR_NE, p9_bin(t, IR_MULHS, a, b), p9_bini(t, IR_SAR, v, 63));

		p9_set_overflow(t, ov, ov);
	}
	result(t, i, v);
}

void p9_emit_mullw(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val a = p9_un(t, IR_SEXT32, p9_gpr(t, insn_RA(i)));
	ir_val b = p9_un(t, IR_SEXT32, p9_gpr(t, insn_RB(i)));
	ir_val v = p9_bin(t, IR_MUL, a, b);

	if (insn_OE(i)) {
		ir_val ov = p9_bin(t, IR_NE, v, p9_un(t, IR_SEXT32, v));

		p9_set_overflow(t, ov, ov);
	}
	result(t, i, v);
}

/* The upper word of the 32-bit high products is undefined; here it is zero. */
static void high_word(struct p9_translator *t, const struct p9_insn *i, enum ir_op extend)
{
	ir_val a = p9_un(t, extend, p9_gpr(t, insn_RA(i)));
	ir_val b = p9_un(t, extend, p9_gpr(t, insn_RB(i)));
	ir_val v = p9_bini(t, IR_SHR, p9_bin(t, IR_MUL, a, b), 32);

	result(t, i, v);
}

void p9_emit_mulhw(struct p9_translator *t, const struct p9_insn *i)
{
	high_word(t, i, IR_SEXT32);
}

void p9_emit_mulhwu(struct p9_translator *t, const struct p9_insn *i)
{
	high_word(t, i, IR_ZEXT32);
}

static void high_doubleword(struct p9_translator *t, const struct p9_insn *i, enum ir_op op)
{
	ir_val v = p9_bin(t, op, p9_gpr(t, insn_RA(i)), p9_gpr(t, insn_RB(i)));

	result(t, i, v);
}

void p9_emit_mulhd(struct p9_translator *t, const struct p9_insn *i)
{
	high_doubleword(t, i, IR_MULHS);
}

void p9_emit_mulhdu(struct p9_translator *t, const struct p9_insn *i)
{
	high_doubleword(t, i, IR_MULHU);
}

void p9_emit_maddld(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val prod = p9_bin(t, IR_MUL, p9_gpr(t, insn_RA(i)), p9_gpr(t, insn_RB(i)));

	p9_set_gpr(t, insn_RT(i), p9_bin(t, IR_ADD, prod, p9_gpr(t, insn_RC(i))));
}

/* High half of RA * RB + RC, RC extended to 128 bits. */
static void madd_high(struct p9_translator *t, const struct p9_insn *i, bool is_signed)
{
	ir_val a = ra(t, i), b = rb(t, i), c = p9_gpr(t, insn_RC(i));
	ir_val lo = p9_bin(t, IR_MUL, a, b);
	ir_val hi = p9_bin(t, is_signed ? IR_MULHS : IR_MULHU, a, b);

	hi = p9_bin(t, IR_ADD, hi, ir_addcarry(t->r, lo, c, p9_i64(t, 0)));
	if (is_signed)
		hi = p9_bin(t, IR_ADD, hi, p9_bini(t, IR_SAR, c, 63));
	p9_set_gpr(t, insn_RT(i), hi);
}

void p9_emit_maddhd(struct p9_translator *t, const struct p9_insn *i)
{
	madd_high(t, i, true);
}

void p9_emit_maddhdu(struct p9_translator *t, const struct p9_insn *i)
{
	madd_high(t, i, false);
}
