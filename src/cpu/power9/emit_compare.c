/*
 * Fixed-point compares, traps and select (Power ISA 3.0B, Book I 3.3.10 to 3.3.12).
 */
#include "cpu/power9/emit_common.h"

/* CR[BF] := comparison, and SO. The low words are compared when L is 0. */
static void compare(struct p9_translator *t, const struct p9_insn *i, enum ir_op op, ir_val a,
		    ir_val b, bool doubleword)
{
	if (doubleword)
		p9_set_crf_compare(t, insn_BF(i), op, a, b);
	else
		p9_set_crf_compare_low(t, insn_BF(i), op, a, b);
}

static ir_val immediate(struct p9_translator *t, uint64_t value, bool doubleword)
{
	return ir_const(t->r, doubleword ? IR_I64 : IR_I32, doubleword ? value : (uint32_t)value);
}

void p9_emit_cmpi(struct p9_translator *t, const struct p9_insn *i)
{
	compare(t, i, IR_CMP3S, p9_gpr(t, insn_RA(i)),
		immediate(t, (uint64_t)insn_SI(i), insn_L_D(i)), insn_L_D(i));
}

void p9_emit_cmpli(struct p9_translator *t, const struct p9_insn *i)
{
	compare(t, i, IR_CMP3U, p9_gpr(t, insn_RA(i)),
		immediate(t, insn_UI(i), insn_L_D(i)), insn_L_D(i));
}

void p9_emit_cmp(struct p9_translator *t, const struct p9_insn *i)
{
	compare(t, i, IR_CMP3S, p9_gpr(t, insn_RA(i)), p9_gpr(t, insn_RB(i)), insn_L_X(i));
}

void p9_emit_cmpl(struct p9_translator *t, const struct p9_insn *i)
{
	compare(t, i, IR_CMP3U, p9_gpr(t, insn_RA(i)), p9_gpr(t, insn_RB(i)), insn_L_X(i));
}

/* Is the byte x in the range that two bytes of RB give, the low one `pos` bits up? */
static ir_val in_range(struct p9_translator *t, ir_val x, ir_val rb, unsigned pos)
{
	ir_val lo = ir_extract(t->r, rb, pos, 8), hi = ir_extract(t->r, rb, pos + 8, 8);

	return p9_bin(t, IR_AND, p9_bin(t, IR_LEU, lo, x), p9_bin(t, IR_LEU, x, hi));
}

void p9_emit_cmprb(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val x = p9_un(t, IR_ZEXT8, p9_gpr(t, insn_RA(i)));
	ir_val rb = p9_gpr(t, insn_RB(i));
	ir_val in = in_range(t, x, rb, 0);

	if (insn_L_X(i))
		in = p9_bin(t, IR_OR, in, in_range(t, x, rb, 16));
	p9_set_crf(t, insn_BF(i), p9_bini(t, IR_SHL, in, 2));
}

/* A byte of RB equals RA's: the exclusive or with RA's byte everywhere has a zero byte. */
void p9_emit_cmpeqb(struct p9_translator *t, const struct p9_insn *i)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	ir_val all = p9_bini(t, IR_MUL, p9_un(t, IR_ZEXT8, p9_gpr(t, insn_RA(i))), ones);
	ir_val x = p9_bin(t, IR_XOR, p9_gpr(t, insn_RB(i)), all);
	ir_val borrow = p9_bin(t, IR_ANDN, p9_bini(t, IR_SUB, x, ones), x);
	ir_val any = p9_bini(t, IR_NE, p9_bini(t, IR_AND, borrow, ones << 7), 0);

	p9_set_crf(t, insn_BF(i), p9_bini(t, IR_SHL, any, 2));
}

/* Bits of TO. */
#define TO_LTS 0x10u
#define TO_GTS 0x08u
#define TO_EQ  0x04u
#define TO_LTU 0x02u
#define TO_GTU 0x01u

static void trap(struct p9_translator *t, unsigned to, ir_val a, ir_val b, bool doubleword)
{
	unsigned by_sign = to & (TO_LTS | TO_GTS), by_size = to & (TO_LTU | TO_GTU);
	ir_val cond, c;
	bool any = false;

	if (!to)
		return;
	/* Less, greater or equal, one of them holds. */
	if ((to & TO_EQ) && (by_sign == (TO_LTS | TO_GTS) || by_size == (TO_LTU | TO_GTU))) {
		p9_raise_program(t, P9_PROG_TRAP);
		return;
	}
	/* Sign extension keeps the order of unsigned words too. */
	if (!doubleword) {
		a = p9_un(t, IR_SEXT32, a);
		b = p9_un(t, IR_SEXT32, b);
	}
	if (by_sign == (TO_LTS | TO_GTS) || by_size == (TO_LTU | TO_GTU)) {
		cond = p9_bin(t, IR_NE, a, b);
		p9_trap_if(t, cond);
		return;
	}
	if (by_sign) {
		ir_val x = by_sign == TO_LTS ? a : b, y = by_sign == TO_LTS ? b : a;

		cond = p9_bin(t, to & TO_EQ ? IR_LES : IR_LTS, x, y);
		any = true;
	}
	if (by_size) {
		ir_val x = by_size == TO_LTU ? a : b, y = by_size == TO_LTU ? b : a;

		c = p9_bin(t, to & TO_EQ ? IR_LEU : IR_LTU, x, y);
		cond = any ? p9_bin(t, IR_OR, cond, c) : c;
		any = true;
	}
	if (!any)
		cond = p9_bin(t, IR_EQ, a, b);
	p9_trap_if(t, cond);
}

void p9_emit_tw(struct p9_translator *t, const struct p9_insn *i)
{
	trap(t, insn_TO(i), p9_gpr(t, insn_RA(i)), p9_gpr(t, insn_RB(i)), false);
}

void p9_emit_twi(struct p9_translator *t, const struct p9_insn *i)
{
	trap(t, insn_TO(i), p9_gpr(t, insn_RA(i)), p9_i64(t, (uint64_t)insn_SI(i)), false);
}

void p9_emit_td(struct p9_translator *t, const struct p9_insn *i)
{
	trap(t, insn_TO(i), p9_gpr(t, insn_RA(i)), p9_gpr(t, insn_RB(i)), true);
}

void p9_emit_tdi(struct p9_translator *t, const struct p9_insn *i)
{
	trap(t, insn_TO(i), p9_gpr(t, insn_RA(i)), p9_i64(t, (uint64_t)insn_SI(i)), true);
}

void p9_emit_isel(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val bit = p9_cr_bit(t, insn_BC(i));

	p9_set_gpr(t, insn_RT(i),
		   ir_select(t->r, bit, p9_gpr0(t, insn_RA(i)), p9_gpr(t, insn_RB(i))));
}
