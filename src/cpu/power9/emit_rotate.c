/*
 * Fixed-point rotates and shifts (Power ISA 3.0B, Book I 3.3.14).
 *
 * The word rotates work on the low word of RS written twice, so that a mask that wraps around
 * lets bits of the copy into the upper half. Where rotate and mask together are a shift, an
 * extraction or an insertion, that is what is emitted.
 */
#include "cpu/power9/emit_common.h"

static void result(struct p9_translator *t, const struct p9_insn *i, ir_val v)
{
	p9_set_gpr(t, insn_RA(i), v);
	p9_record(t, i, v);
}

/* The low word of v in both halves. */
static ir_val twice(struct p9_translator *t, ir_val v)
{
	return ir_deposit(t->r, v, v, 32, 32);
}

/* ROTL64(v, sh) & MASK(mb, me), for a mask that does not wrap. */
static ir_val rotate_and_mask(struct p9_translator *t, ir_val v, unsigned sh, unsigned mb,
			      unsigned me)
{
	uint64_t mask = p9_mask(mb, me);

	/* Only bits that came by shifting left, or none that came around. */
	if (63 - me >= sh) {
		if (sh)
			v = p9_bini(t, IR_SHL, v, sh);
		return mask == ~UINT64_C(0) << sh ? v : p9_bini(t, IR_AND, v, mask);
	}
	/* Only bits that came around: a field of v. */
	if (mb >= 64 - sh) {
		v = ir_extract(t->r, v, (64 - sh) + (63 - me), me - mb + 1);
		return me == 63 ? v : p9_bini(t, IR_SHL, v, 63 - me);
	}
	v = p9_bini(t, IR_ROTL, v, sh);
	return mask == ~UINT64_C(0) ? v : p9_bini(t, IR_AND, v, mask);
}

void p9_emit_rlwinm(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned sh = insn_SH(i), mb = insn_MB(i), me = insn_ME(i);
	ir_val v = p9_gpr(t, insn_RS(i));

	if (mb > me) {
		v = p9_bini(t, IR_ROTL, twice(t, v), sh);
		v = p9_bini(t, IR_AND, v, p9_mask(mb + 32, me + 32));
	} else if (31 - me >= sh) {
		v = rotate_and_mask(t, v, sh, mb + 32, me + 32);
	} else if (mb >= 32 - sh) {
		/* A field of the word, as a rotation of the doubleword by 32 more. */
		v = rotate_and_mask(t, v, sh + 32, mb + 32, me + 32);
	} else {
		v = p9_un(
		    t, IR_ZEXT32,
		    ir_bin(t->r, IR_ROTL, p9_un(t, IR_TRUNC32, v), ir_const(t->r, IR_I32, sh)));
		if (mb != 0 || me != 31)
			v = p9_bini(t, IR_AND, v, p9_mask(mb + 32, me + 32));
	}
	result(t, i, v);
}

void p9_emit_rlwnm(struct p9_translator *t, const struct p9_insn *i)
{
	uint64_t mask = p9_mask(insn_MB(i) + 32, insn_ME(i) + 32);
	ir_val n = p9_bini(t, IR_AND, p9_gpr(t, insn_RB(i)), 31);
	ir_val v = p9_bin(t, IR_ROTL, twice(t, p9_gpr(t, insn_RS(i))), n);

	result(t, i, p9_bini(t, IR_AND, v, mask));
}

/* (v & mask) | (RA & ~mask) */
static ir_val insert(struct p9_translator *t, const struct p9_insn *i, ir_val v, uint64_t mask)
{
	ir_val ra = p9_gpr(t, insn_RA(i));

	return p9_bin(t, IR_OR, p9_bini(t, IR_AND, v, mask), p9_bini(t, IR_AND, ra, ~mask));
}

void p9_emit_rlwimi(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned sh = insn_SH(i), mb = insn_MB(i), me = insn_ME(i);
	ir_val v = p9_gpr(t, insn_RS(i));

	if (mb <= me && 31 - me == sh)
		v = ir_deposit(t->r, p9_gpr(t, insn_RA(i)), v, sh, me - mb + 1);
	else
		v = insert(t, i, p9_bini(t, IR_ROTL, twice(t, v), sh), p9_mask(mb + 32, me + 32));
	result(t, i, v);
}

void p9_emit_rldicl(struct p9_translator *t, const struct p9_insn *i)
{
	result(t, i, rotate_and_mask(t, p9_gpr(t, insn_RS(i)), insn_SH6(i), insn_MB6(i), 63));
}

void p9_emit_rldicr(struct p9_translator *t, const struct p9_insn *i)
{
	result(t, i, rotate_and_mask(t, p9_gpr(t, insn_RS(i)), insn_SH6(i), 0, insn_ME6(i)));
}

void p9_emit_rldic(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned sh = insn_SH6(i), mb = insn_MB6(i);
	ir_val v = p9_gpr(t, insn_RS(i));

	if (mb <= 63 - sh)
		v = rotate_and_mask(t, v, sh, mb, 63 - sh);
	else
		v = p9_bini(t, IR_AND, p9_bini(t, IR_ROTL, v, sh), p9_mask(mb, 63 - sh));
	result(t, i, v);
}

void p9_emit_rldimi(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned sh = insn_SH6(i), mb = insn_MB6(i);
	ir_val v = p9_gpr(t, insn_RS(i));

	if (mb <= 63 - sh)
		v = ir_deposit(t->r, p9_gpr(t, insn_RA(i)), v, sh, 64 - sh - mb);
	else
		v = insert(t, i, p9_bini(t, IR_ROTL, v, sh), p9_mask(mb, 63 - sh));
	result(t, i, v);
}

void p9_emit_rldcl(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val v = p9_bin(t, IR_ROTL, p9_gpr(t, insn_RS(i)), p9_gpr(t, insn_RB(i)));

	result(t, i, p9_bini(t, IR_AND, v, p9_mask(insn_MB6(i), 63)));
}

void p9_emit_rldcr(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val v = p9_bin(t, IR_ROTL, p9_gpr(t, insn_RS(i)), p9_gpr(t, insn_RB(i)));

	result(t, i, p9_bini(t, IR_AND, v, p9_mask(0, insn_ME6(i))));
}

/*
 * Word shifts take six bits of RB, doubleword shifts seven. A doubleword shifted by 32..63 has
 * nothing left of a word, so only the doubleword shifts need to look at the top bit.
 */
void p9_emit_slw(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val v = p9_bin(t, IR_SHL, p9_gpr(t, insn_RS(i)), p9_gpr(t, insn_RB(i)));

	result(t, i, p9_un(t, IR_ZEXT32, v));
}

void p9_emit_srw(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val v = p9_un(t, IR_ZEXT32, p9_gpr(t, insn_RS(i)));

	result(t, i, p9_bin(t, IR_SHR, v, p9_gpr(t, insn_RB(i))));
}

static void shift_doubleword(struct p9_translator *t, const struct p9_insn *i, enum ir_op op)
{
	ir_val n = p9_gpr(t, insn_RB(i));
	ir_val v = p9_bin(t, op, p9_gpr(t, insn_RS(i)), n);

	result(t, i, ir_select(t->r, p9_bini(t, IR_AND, n, 0x40), p9_i64(t, 0), v));
}

void p9_emit_sld(struct p9_translator *t, const struct p9_insn *i)
{
	shift_doubleword(t, i, IR_SHL);
}

void p9_emit_srd(struct p9_translator *t, const struct p9_insn *i)
{
	shift_doubleword(t, i, IR_SHR);
}

/*
 * The algebraic right shifts set CA and CA32 when the number is negative and a one was shifted
 * out, so that adding CA to the result rounds towards zero: when the sign and what is shifted out are, taken
 * together, more than the sign alone.
 */
static void shift_algebraic_imm(struct p9_translator *t, const struct p9_insn *i, ir_val s, bool word)
{
	unsigned n = word ? insn_SH(i) : insn_SH6(i);
	uint64_t sign = word ? (uint64_t)INT32_MIN : (uint64_t)INT64_MIN, mask = sign | (BIT64(n) - 1);
	ir_val v = word ? p9_un(t, IR_SEXT32, s) : s, ca = p9_i64(t, 0);

	if (n) {
		ir_val kept = mask == UINT64_MAX ? s : p9_bini(t, IR_AND, s, mask & (word ? UINT32_MAX : UINT64_MAX));

		ca = word ? ir_compare_low(t->r, IR_LTU, p9_i64(t, sign), kept) :
			    p9_bin(t, IR_LTU, p9_i64(t, sign), kept);
		v = p9_bini(t, IR_SAR, v, n);
	}
	p9_set_carry(t, ca, ca);
	result(t, i, v);
}

void p9_emit_srawi(struct p9_translator *t, const struct p9_insn *i)
{
	shift_algebraic_imm(t, i, p9_gpr(t, insn_RS(i)), true);
}

void p9_emit_sradi(struct p9_translator *t, const struct p9_insn *i)
{
	shift_algebraic_imm(t, i, p9_gpr(t, insn_RS(i)), false);
}

/* s >> n is v: was a one lost? Not if shifting v back gives s. */
static ir_val lost_ones(struct p9_translator *t, ir_val s, ir_val v, ir_val n)
{
	return p9_bin(t, IR_NE, p9_bin(t, IR_SHL, v, n), s);
}

void p9_emit_sraw(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val s = p9_un(t, IR_SEXT32, p9_gpr(t, insn_RS(i)));
	ir_val n = p9_bini(t, IR_AND, p9_gpr(t, insn_RB(i)), 63);
	ir_val v = p9_bin(t, IR_SAR, s, n);
	ir_val ca = p9_bin(t, IR_AND, p9_bini(t, IR_SHR, s, 63), lost_ones(t, s, v, n));

	p9_set_carry(t, ca, ca);
	result(t, i, v);
}

void p9_emit_srad(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val s = p9_gpr(t, insn_RS(i)), rb = p9_gpr(t, insn_RB(i));
	ir_val all = ir_extract(t->r, rb, 6, 1); /* by 64 or more */
	ir_val n = ir_select(t->r, all, p9_i64(t, 63), p9_bini(t, IR_AND, rb, 63));
	ir_val v = p9_bin(t, IR_SAR, s, n);
	ir_val lost = p9_bin(t, IR_OR, all, lost_ones(t, s, v, n));
	ir_val ca = p9_bin(t, IR_AND, p9_bini(t, IR_SHR, s, 63), lost);

	p9_set_carry(t, ca, ca);
	result(t, i, v);
}

void p9_emit_extswsli(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val v = p9_un(t, IR_SEXT32, p9_gpr(t, insn_RS(i)));

	result(t, i, insn_SH6(i) ? p9_bini(t, IR_SHL, v, insn_SH6(i)) : v);
}
