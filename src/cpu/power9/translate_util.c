/*
 * The parts of translate.h and emit_common.h that are more than an accessor.
 */
#include "cpu/power9/emit_common.h"
#include "cpu/power9/helper_fixed.h"

ir_val p9_ea(struct p9_translator *t, ir_val addr)
{
	return p9_mode64(t) ? addr : p9_un(t, IR_ZEXT32, addr);
}

ir_val p9_ea_disp(struct p9_translator *t, unsigned ra, int64_t disp)
{
	if (!ra)
		return p9_i64(t, p9_mode64(t) ? (uint64_t)disp : (uint32_t)disp);
	if (!disp)
		return p9_ea(t, p9_gpr(t, ra));
	return p9_ea(t, p9_bini(t, IR_ADD, p9_gpr(t, ra), (uint64_t)disp));
}

ir_val p9_ea_x(struct p9_translator *t, unsigned ra, unsigned rb)
{
	if (!ra)
		return p9_ea(t, p9_gpr(t, rb));
	return p9_ea(t, p9_bin(t, IR_ADD, p9_gpr(t, ra), p9_gpr(t, rb)));
}

struct ir_memop p9_memop(const struct p9_translator *t, unsigned size, bool sign_extend)
{
	return (struct ir_memop){
	    .size = (uint8_t)size,
	    .big_endian = !(t->mode & P9_MODE_LE),
	    .sign_extend = sign_extend,
	};
}

struct ir_memop p9_memop_rev(const struct p9_translator *t, unsigned size)
{
	return (struct ir_memop){
	    .size = (uint8_t)size,
	    .big_endian = t->mode & P9_MODE_LE,
	};
}

/*
 * The interrupt is raised in a block of its own, so that what follows the trap stays a straight
 * line.
 */
void p9_trap_if(struct p9_translator *t, ir_val cond)
{
	ir_block raise = ir_create_block(t->r);
	ir_block go_on = ir_create_block(t->r);

	ir_br(t->r, cond, raise, go_on);
	ir_begin_block(t->r, raise);
	p9_raise_program(t, P9_PROG_TRAP);
	t->ended = false;
	ir_begin_block(t->r, go_on);
}

void p9_raise_alignment(struct p9_translator *t, ir_val ea, bool store)
{
	p9_call2(t, &p9_h_misaligned, ea, p9_i64(t, store));
	ir_exit_resume(t->r);
	t->ended = true;
}

void p9_set_overflow(struct p9_translator *t, ir_val ov, ir_val ov32)
{
	ir_val so = p9_xer_bit(t, so);

	if (!p9_mode64(t))
		ov = ov32;
	ir_set(t->r, P9_OFF(ov), ov);
	ir_set(t->r, P9_OFF(ov32), ov32);
	ir_set(t->r, P9_OFF(so), p9_bin(t, IR_OR, so, ov));
	t->so_changed = true;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "where bit 32 of a word lies, below");

void p9_set_carry(struct p9_translator *t, ir_val ca, ir_val ca32)
{
	ir_set_bits(t->r, P9_OFF(ca), p9_mode64(t) ? ca : ca32, 1);
	/* the half that has bit 32, which is the second one on hosts that we know */
	ir_set(t->r, P9_OFF(ca32) + 4, p9_un(t, IR_TRUNC32, ca32));
}

/*
 * A sum bit differs from a ^ b where a carry came in: bit 32 tells of the low word, and is all of CA32
 * that is kept. `ca` is the carry out of all 64; it is written at once, as hosts have it in their flags.
 */
static void add_carries(struct p9_translator *t, ir_val a, ir_val b, ir_val sum, ir_val ca)
{
	ir_val in;

	if (p9_mode64(t))
		ir_set_bits(t->r, P9_OFF(ca), ca, 1);
	in = p9_bin(t, IR_XOR, p9_bin(t, IR_XOR, a, b), sum);
	ir_set(t->r, P9_OFF(ca32), in);
	if (!p9_mode64(t))
		ir_set_bits(t->r, P9_OFF(ca), ir_extract(t->r, in, 32, 1), 1);
}

/* Overflow: both operands of one sign, the sum of the other. */
static void add_overflows(struct p9_translator *t, ir_val a, ir_val b, ir_val sum)
{
	ir_val o = p9_bin(t, IR_AND, p9_bin(t, IR_XOR, a, sum), p9_bin(t, IR_XOR, b, sum));

	p9_set_overflow(t, ir_extract(t->r, o, 63, 1), ir_extract(t->r, o, 31, 1));
}

ir_val p9_add(struct p9_translator *t, ir_val a, ir_val b, unsigned flags)
{
	ir_val sum = p9_bin(t, IR_ADD, a, b);

	if (flags & P9_ADD_CA)
		add_carries(t, a, b, sum, ir_addcarry(t->r, a, b, p9_i64(t, 0)));
	if (flags & P9_ADD_OV)
		add_overflows(t, a, b, sum);
	return sum;
}

ir_val p9_add_carry(struct p9_translator *t, ir_val a, ir_val b, ir_val c, unsigned flags)
{
	ir_val sum = ir_addc(t->r, a, b, c);

	if (flags & P9_ADD_CA)
		add_carries(t, a, b, sum, ir_addcarry(t->r, a, b, c));
	if (flags & P9_ADD_OV)
		add_overflows(t, a, b, sum);
	return sum;
}

ir_val p9_subtract(struct p9_translator *t, ir_val a, ir_val b, unsigned flags)
{
	ir_val difference = p9_bin(t, IR_SUB, b, a);
	ir_val not_a;

	if (!flags)
		return difference;
	not_a = p9_un(t, IR_NOT, a);
	if (flags & P9_ADD_CA)
		add_carries(t, not_a, b, difference, p9_bin(t, IR_LEU, a, b));
	if (flags & P9_ADD_OV)
		add_overflows(t, not_a, b, difference);
	return difference;
}

ir_val p9_call0(struct p9_translator *t, const struct ir_helper *h)
{
	return ir_call(t->r, h, NULL, 0);
}

ir_val p9_call1(struct p9_translator *t, const struct ir_helper *h, ir_val a)
{
	return ir_call(t->r, h, &a, 1);
}

ir_val p9_call2(struct p9_translator *t, const struct ir_helper *h, ir_val a, ir_val b)
{
	ir_val args[] = {a, b};

	return ir_call(t->r, h, args, 2);
}

ir_val p9_call3(struct p9_translator *t, const struct ir_helper *h, ir_val a, ir_val b, ir_val c)
{
	ir_val args[] = {a, b, c};

	return ir_call(t->r, h, args, 3);
}

ir_val p9_call4(struct p9_translator *t, const struct ir_helper *h, ir_val a, ir_val b, ir_val c,
		ir_val d)
{
	ir_val args[] = {a, b, c, d};

	return ir_call(t->r, h, args, 4);
}
