/*
 * Fixed-point division (Power ISA 3.0B, Book I 3.3.9): divide, divide extended, modulo.
 *
 * A quotient that does not fit, and any division by zero, leaves RT undefined. The plain forms
 * then give the dividend (as if divided by one), the extended forms zero, and the modulo forms
 * zero, which is also what other implementations are seen to give.
 */
#include "cpu/power9/emit_common.h"
#include "cpu/power9/helper_fixed.h"

static void finish(struct p9_translator *t, const struct p9_insn *i, ir_val v, ir_val ov)
{
	if (insn_OE(i))
		p9_set_overflow(t, ov, ov);
	p9_set_gpr(t, insn_RT(i), v);
	p9_record(t, i, v);
}

/* Is a the most negative number of `bits` bits (sign-extended) and b -1? */
static ir_val signed_overflow(struct p9_translator *t, ir_val a, ir_val b, unsigned bits)
{
	ir_val min = p9_bini(t, IR_EQ, a, ~UINT64_C(0) << (bits - 1));

	return p9_bin(t, IR_AND, min, p9_bini(t, IR_EQ, b, ~UINT64_C(0)));
}

static void divide(struct p9_translator *t, const struct p9_insn *i, unsigned bits, bool is_signed)
{
	ir_val a = p9_gpr(t, insn_RA(i)), b = p9_gpr(t, insn_RB(i));
	ir_val zero, v, ov;

	if (bits == 32) {
		a = p9_un(t, is_signed ? IR_SEXT32 : IR_ZEXT32, a);
		b = p9_un(t, is_signed ? IR_SEXT32 : IR_ZEXT32, b);
	}
	zero = p9_bini(t, IR_EQ, b, 0);
	ov = zero;
	if (is_signed && insn_OE(i))
		ov = p9_bin(t, IR_OR, zero, signed_overflow(t, a, b, bits));
	v = p9_bin(t, is_signed ? IR_DIVS : IR_DIVU, a, ir_select(t->r, zero, p9_i64(t, 1), b));
	/* The upper word of a 32-bit quotient is undefined. */
	if (bits == 32)
		v = p9_un(t, IR_ZEXT32, v);
	finish(t, i, v, ov);
}

void p9_emit_divw(struct p9_translator *t, const struct p9_insn *i)
{
	divide(t, i, 32, true);
}

void p9_emit_divwu(struct p9_translator *t, const struct p9_insn *i)
{
	divide(t, i, 32, false);
}

void p9_emit_divd(struct p9_translator *t, const struct p9_insn *i)
{
	divide(t, i, 64, true);
}

void p9_emit_divdu(struct p9_translator *t, const struct p9_insn *i)
{
	divide(t, i, 64, false);
}

/* The dividend of the extended forms is (RA) followed by zeros. */
static void divide_word_extended(struct p9_translator *t, const struct p9_insn *i, bool is_signed)
{
	enum ir_op extend = is_signed ? IR_SEXT32 : IR_ZEXT32;
	ir_val a = p9_bini(t, IR_SHL, p9_gpr(t, insn_RA(i)), 32);
	ir_val b = p9_un(t, extend, p9_gpr(t, insn_RB(i)));
	ir_val q = p9_bin(t, is_signed ? IR_DIVS : IR_DIVU, a, b);
	ir_val ov =
	    p9_bin(t, IR_OR, p9_bini(t, IR_EQ, b, 0), p9_bin(t, IR_NE, q, p9_un(t, extend, q)));

	finish(t, i, ir_select(t->r, ov, p9_i64(t, 0), q), ov);
}

void p9_emit_divwe(struct p9_translator *t, const struct p9_insn *i)
{
	divide_word_extended(t, i, true);
}

void p9_emit_divweu(struct p9_translator *t, const struct p9_insn *i)
{
	divide_word_extended(t, i, false);
}

void p9_emit_divde(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val a = p9_gpr(t, insn_RA(i)), b = p9_gpr(t, insn_RB(i));
	ir_val v = p9_call2(t, &p9_h_divde, a, b);

	finish(t, i, v, insn_OE(i) ? p9_call2(t, &p9_h_divde_overflows, a, b) : p9_i64(t, 0));
}

void p9_emit_divdeu(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val a = p9_gpr(t, insn_RA(i)), b = p9_gpr(t, insn_RB(i));
	ir_val v = p9_call2(t, &p9_h_divdeu, a, b);

	/* The quotient fits if and only if the high half of the dividend is below the divisor. */
	finish(t, i, v, p9_bin(t, IR_LEU, b, a));
}

static void modulo(struct p9_translator *t, const struct p9_insn *i, unsigned bits, bool is_signed)
{
	ir_val a = p9_gpr(t, insn_RA(i)), b = p9_gpr(t, insn_RB(i));
	ir_val zero, v;

	if (bits == 32) {
		a = p9_un(t, is_signed ? IR_SEXT32 : IR_ZEXT32, a);
		b = p9_un(t, is_signed ? IR_SEXT32 : IR_ZEXT32, b);
	}
	zero = p9_bini(t, IR_EQ, b, 0);
	v = p9_bin(t, is_signed ? IR_REMS : IR_REMU, a, ir_select(t->r, zero, p9_i64(t, 1), b));
	p9_set_gpr(t, insn_RT(i), v);
}

void p9_emit_modsw(struct p9_translator *t, const struct p9_insn *i)
{
	modulo(t, i, 32, true);
}

void p9_emit_moduw(struct p9_translator *t, const struct p9_insn *i)
{
	modulo(t, i, 32, false);
}

void p9_emit_modsd(struct p9_translator *t, const struct p9_insn *i)
{
	modulo(t, i, 64, true);
}

void p9_emit_modud(struct p9_translator *t, const struct p9_insn *i)
{
	modulo(t, i, 64, false);
}
