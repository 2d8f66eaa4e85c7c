/*
 * Condition register logic and moves (Power ISA 3.0B, Book I 2.5 and 3.3.17).
 *
 * The eight fields are kept apart, in a form of their own (cr.h), so that a compare writes one of them
 * whole; the register is put together only where it is read.
 */
#include "cpu/power9/emit_common.h"

/* CR bit BT := v (0 or 1). */
static void set_bit(struct p9_translator *t, const struct p9_insn *i, ir_val v)
{
	unsigned field = insn_BT(i) / 4;

	p9_set_crf(t, field, ir_deposit(t->r, p9_crf(t, field), v, 3 - insn_BT(i) % 4, 1));
}

static void cr_logic(struct p9_translator *t, const struct p9_insn *i, enum ir_op op, bool invert_b,
		     bool invert)
{
	ir_val v;

	if (op == IR_XOR && insn_BA(i) == insn_BB(i)) {
		/* crclr and crset */
		v = p9_i64(t, invert);
	} else {
		ir_val b = p9_cr_bit(t, insn_BB(i));

		if (invert_b)
			b = p9_bini(t, IR_XOR, b, 1);
		v = p9_bin(t, op, p9_cr_bit(t, insn_BA(i)), b);
		if (invert)
			v = p9_bini(t, IR_XOR, v, 1);
	}
	set_bit(t, i, v);
}

void p9_emit_crand(struct p9_translator *t, const struct p9_insn *i)
{
	cr_logic(t, i, IR_AND, false, false);
}

void p9_emit_crnand(struct p9_translator *t, const struct p9_insn *i)
{
	cr_logic(t, i, IR_AND, false, true);
}

void p9_emit_cror(struct p9_translator *t, const struct p9_insn *i)
{
	cr_logic(t, i, IR_OR, false, false);
}

void p9_emit_crnor(struct p9_translator *t, const struct p9_insn *i)
{
	cr_logic(t, i, IR_OR, false, true);
}

void p9_emit_crxor(struct p9_translator *t, const struct p9_insn *i)
{
	cr_logic(t, i, IR_XOR, false, false);
}

void p9_emit_creqv(struct p9_translator *t, const struct p9_insn *i)
{
	cr_logic(t, i, IR_XOR, false, true);
}

void p9_emit_crandc(struct p9_translator *t, const struct p9_insn *i)
{
	cr_logic(t, i, IR_AND, true, false);
}

void p9_emit_crorc(struct p9_translator *t, const struct p9_insn *i)
{
	cr_logic(t, i, IR_OR, true, false);
}

void p9_emit_mcrf(struct p9_translator *t, const struct p9_insn *i)
{
	p9_move_crf(t, insn_BF(i), insn_BFA(i));
}

/* CR[BF] := OV, OV32, CA, CA32 */
void p9_emit_mcrxrx(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val v = p9_bini(t, IR_SHL, p9_xer_bit(t, ov), 3);

	v = p9_bin(t, IR_OR, v, p9_bini(t, IR_SHL, p9_xer_bit(t, ov32), 2));
	v = p9_bin(t, IR_OR, v, p9_bini(t, IR_SHL, p9_xer_bit(t, ca), 1));
	v = p9_bin(t, IR_OR, v, ir_extract(t->r, ir_get(t->r, IR_I64, P9_OFF(ca32)), 32, 1));
	p9_set_crf(t, insn_BF(i), v);
}

/* All fields at once: kernels do this on each entry and exit. */
void p9_emit_mfcr(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RT(i), p9_cr(t));
}

/* The other fields of RT are undefined: here zero. So is all of RT unless FXM names one field. */
void p9_emit_mfocrf(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned fxm = insn_FXM(i);
	unsigned n;

	if (!is_pow2(fxm)) {
		p9_emit_mfcr(t, i);
		return;
	}
	n = 7 - (unsigned)__builtin_ctz(fxm);
	p9_set_gpr(t, insn_RT(i), p9_bini(t, IR_SHL, p9_crf(t, n), 28 - 4 * n));
}

void p9_emit_mtcrf(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val rs = p9_gpr(t, insn_RS(i));

	if (insn_FXM(i) == 0xff) {
		p9_set_cr(t, rs);
		return;
	}
	for (unsigned n = 0; n < 8; n++)
		if (insn_FXM(i) & 0x80u >> n)
			p9_set_crf(t, n, ir_extract(t->r, rs, 28 - 4 * n, 4));
}

/* With several fields in FXM their contents are undefined: this writes them all. */
void p9_emit_mtocrf(struct p9_translator *t, const struct p9_insn *i)
{
	p9_emit_mtcrf(t, i);
}

/* RT := -1, 1 or 0, by LT and GT of the field. */
void p9_emit_setb(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val lt = p9_cr_bit(t, insn_BFA(i) * 4), gt = p9_cr_bit(t, insn_BFA(i) * 4 + 1);

	p9_set_gpr(t, insn_RT(i), ir_select(t->r, lt, p9_i64(t, ~UINT64_C(0)), gt));
}
