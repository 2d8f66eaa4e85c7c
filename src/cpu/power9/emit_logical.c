/*
 * Fixed-point logical instructions (Power ISA 3.0B, Book I 3.3.13), and the bit counts,
 * permutations and decimal conversions that stand with them.
 */
#include "cpu/power9/emit_common.h"
#include "cpu/power9/helper_fixed.h"

/* RA := v, with Rc. */
static void result(struct p9_translator *t, const struct p9_insn *i, ir_val v)
{
	p9_set_gpr(t, insn_RA(i), v);
	p9_record(t, i, v);
}

static ir_val rs(struct p9_translator *t, const struct p9_insn *i)
{
	return p9_gpr(t, insn_RS(i));
}

static ir_val rb(struct p9_translator *t, const struct p9_insn *i)
{
	return p9_gpr(t, insn_RB(i));
}

void p9_emit_andi_dot(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val v = p9_bini(t, IR_AND, rs(t, i), insn_UI(i));

	p9_set_gpr(t, insn_RA(i), v);
	p9_set_cr0(t, v);
}

void p9_emit_andis_dot(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val v = p9_bini(t, IR_AND, rs(t, i), (uint64_t)insn_UI(i) << 16);

	p9_set_gpr(t, insn_RA(i), v);
	p9_set_cr0(t, v);
}

static void logical_imm(struct p9_translator *t, const struct p9_insn *i, enum ir_op op,
			uint64_t imm)
{
	/* ori 0,0,0 is the preferred no-op, and ori RA,RS,0 a move. */
	p9_set_gpr(t, insn_RA(i), imm ? p9_bini(t, op, rs(t, i), imm) : rs(t, i));
}

void p9_emit_ori(struct p9_translator *t, const struct p9_insn *i)
{
	logical_imm(t, i, IR_OR, insn_UI(i));
}

void p9_emit_oris(struct p9_translator *t, const struct p9_insn *i)
{
	logical_imm(t, i, IR_OR, (uint64_t)insn_UI(i) << 16);
}

void p9_emit_xori(struct p9_translator *t, const struct p9_insn *i)
{
	logical_imm(t, i, IR_XOR, insn_UI(i));
}

void p9_emit_xoris(struct p9_translator *t, const struct p9_insn *i)
{
	logical_imm(t, i, IR_XOR, (uint64_t)insn_UI(i) << 16);
}

void p9_emit_and(struct p9_translator *t, const struct p9_insn *i)
{
	result(t, i, insn_RS(i) == insn_RB(i) ? rs(t, i) : p9_bin(t, IR_AND, rs(t, i), rb(t, i)));
}

/* or RA,RS,RS is the move; or rx,rx,rx sets a thread priority, which means nothing here. */
void p9_emit_or(struct p9_translator *t, const struct p9_insn *i)
{
	result(t, i, insn_RS(i) == insn_RB(i) ? rs(t, i) : p9_bin(t, IR_OR, rs(t, i), rb(t, i)));
}

void p9_emit_xor(struct p9_translator *t, const struct p9_insn *i)
{
	result(t, i,
	       insn_RS(i) == insn_RB(i) ? p9_i64(t, 0) : p9_bin(t, IR_XOR, rs(t, i), rb(t, i)));
}

void p9_emit_andc(struct p9_translator *t, const struct p9_insn *i)
{
	result(t, i, p9_bin(t, IR_ANDN, rs(t, i), rb(t, i)));
}

void p9_emit_orc(struct p9_translator *t, const struct p9_insn *i)
{
	result(t, i, p9_bin(t, IR_OR, rs(t, i), p9_un(t, IR_NOT, rb(t, i))));
}

static void inverted(struct p9_translator *t, const struct p9_insn *i, enum ir_op op)
{
	ir_val v = rs(t, i);

	if (insn_RS(i) != insn_RB(i) || op == IR_XOR)
		v = p9_bin(t, op, v, rb(t, i));
	result(t, i, p9_un(t, IR_NOT, v));
}

void p9_emit_nand(struct p9_translator *t, const struct p9_insn *i)
{
	inverted(t, i, IR_AND);
}

void p9_emit_nor(struct p9_translator *t, const struct p9_insn *i)
{
	inverted(t, i, IR_OR);
}

void p9_emit_eqv(struct p9_translator *t, const struct p9_insn *i)
{
	inverted(t, i, IR_XOR);
}

void p9_emit_extsb(struct p9_translator *t, const struct p9_insn *i)
{
	result(t, i, p9_un(t, IR_SEXT8, rs(t, i)));
}

void p9_emit_extsh(struct p9_translator *t, const struct p9_insn *i)
{
	result(t, i, p9_un(t, IR_SEXT16, rs(t, i)));
}

void p9_emit_extsw(struct p9_translator *t, const struct p9_insn *i)
{
	result(t, i, p9_un(t, IR_SEXT32, rs(t, i)));
}

/* Counts in the low word. */
static ir_val count_word(struct p9_translator *t, const struct p9_insn *i, enum ir_op op)
{
	return p9_un(t, IR_ZEXT32, p9_un(t, op, p9_un(t, IR_TRUNC32, rs(t, i))));
}

void p9_emit_cntlzw(struct p9_translator *t, const struct p9_insn *i)
{
	result(t, i, count_word(t, i, IR_CLZ));
}

void p9_emit_cnttzw(struct p9_translator *t, const struct p9_insn *i)
{
	result(t, i, count_word(t, i, IR_CTZ));
}

void p9_emit_cntlzd(struct p9_translator *t, const struct p9_insn *i)
{
	result(t, i, p9_un(t, IR_CLZ, rs(t, i)));
}

void p9_emit_cnttzd(struct p9_translator *t, const struct p9_insn *i)
{
	result(t, i, p9_un(t, IR_CTZ, rs(t, i)));
}

void p9_emit_popcntd(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RA(i), p9_un(t, IR_POPCNT, rs(t, i)));
}

void p9_emit_popcntw(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val lo = p9_un(t, IR_POPCNT, p9_un(t, IR_ZEXT32, rs(t, i)));
	ir_val hi = p9_un(t, IR_POPCNT, p9_bini(t, IR_SHR, rs(t, i), 32));

	p9_set_gpr(t, insn_RA(i), p9_bin(t, IR_OR, lo, p9_bini(t, IR_SHL, hi, 32)));
}

void p9_emit_popcntb(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RA(i), p9_call1(t, &p9_h_popcntb, rs(t, i)));
}

/* Parity of the low bits of the bytes in mask. */
static ir_val parity(struct p9_translator *t, const struct p9_insn *i, uint64_t mask)
{
	ir_val bits = p9_bini(t, IR_AND, rs(t, i), mask);

	return p9_bini(t, IR_AND, p9_un(t, IR_POPCNT, bits), 1);
}

void p9_emit_prtyd(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RA(i), parity(t, i, UINT64_C(0x0101010101010101)));
}

void p9_emit_prtyw(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val lo = parity(t, i, UINT64_C(0x0000000001010101));
	ir_val hi = parity(t, i, UINT64_C(0x0101010100000000));

	p9_set_gpr(t, insn_RA(i), p9_bin(t, IR_OR, lo, p9_bini(t, IR_SHL, hi, 32)));
}

/*
 * cmpb: ones in each byte that is equal. (x & 7f) + 7f carries into the byte's top bit unless the
 * low seven bits are zero, and never out of the byte.
 */
void p9_emit_cmpb(struct p9_translator *t, const struct p9_insn *i)
{
	const uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
	ir_val x = p9_bin(t, IR_XOR, rs(t, i), rb(t, i));
	ir_val nonzero = p9_bin(t, IR_OR, p9_bini(t, IR_ADD, p9_bini(t, IR_AND, x, low7), low7), x);
	ir_val top = p9_bini(t, IR_AND, p9_un(t, IR_NOT, nonzero), ~low7);

	/* 0x80 of each equal byte becomes 0x100 - 1. */
	p9_set_gpr(t, insn_RA(i),
		   p9_bin(t, IR_SUB, p9_bini(t, IR_SHL, top, 1), p9_bini(t, IR_SHR, top, 7)));
}

void p9_emit_bpermd(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RA(i), p9_call2(t, &p9_h_bpermd, rs(t, i), rb(t, i)));
}

void p9_emit_cdtbcd(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RA(i), p9_call1(t, &p9_h_cdtbcd, rs(t, i)));
}

void p9_emit_cbcdtd(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RA(i), p9_call1(t, &p9_h_cbcdtd, rs(t, i)));
}
