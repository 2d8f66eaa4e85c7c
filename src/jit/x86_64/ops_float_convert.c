/*
 * Numbers of floating point to and from integers, to integral values, between the forms of a single.
 */
#include "jit/x86_64/ops_float.h"

/* The immediate of roundsd and the like, by the order of the intrinsics. 8: inexactness is not told; 4: by MXCSR */
unsigned float_rounding(unsigned n)
{
	static const uint8_t how[] = {8 | 3, 8 | 2, 8 | 1, 8 | 3, 4};

	return how[n];
}

void float_round_away(struct gen *g, uint8_t prefix, unsigned to, unsigned src)
{
	struct assembler *a = &g->a;
	unsigned bits = prefix ? 64 : 32, round = prefix == 0xf2 ? 0x0f3a0b : prefix ? 0x0f3a09 : 0x0f3a08;
	uint64_t sign = UINT64_C(1) << (bits - 1);
	uint64_t half = prefix ? UINT64_C(0x3fe) << 52 : 0x3f000000;
	uint64_t one = prefix ? UINT64_C(0x3ff) << 52 : 0x3f800000;

	a_sse(a, 0x66, round, to, src);
	a_1(a, 8 | 3);
	/* What was cut off, exactly: if that is a half or more, one is added. A zero keeps its sign. */
	float_op3(g, prefix, SUBPS, SCALAR_SCRATCH, src, to);
	gen_sse_data(g, 0x66, PAND, SCALAR_SCRATCH, vec_same(bits, sign - 1));
	gen_sse_data(g, 0x66, 0x0f28, 1, vec_same(bits, half));
	a_sse(a, prefix == 0xf2 ? 0x66 : prefix, CMPPS, 1, SCALAR_SCRATCH);
	a_1(a, 2);
	gen_sse_data(g, 0x66, PAND, 1, vec_same(bits, one));
	vec3_data(g, PAND, SCALAR_SCRATCH, to, vec_same(bits, sign));
	a_sse(a, 0x66, POR, 1, SCALAR_SCRATCH);
	a_sse(a, prefix, ADDPS, to, 1);
}

static void integral(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct place arg[MAX_FLOAT_ARGS] = {float_operand(g, i->arg[0])};
	unsigned dst = def_reg(g), to = float_to(g, dst);

	if (number == IR_FROUND_AWAY) {
		float_round_away(g, 0xf2, to, float_in(g, &arg[0], 1));
	} else {
		a_sse(&g->a, 0x66, 0x0f3a0b, to, float_in(g, &arg[0], to)); /* roundsd */
		a_1(&g->a, float_rounding(number - IR_FTRUNCATE));
	}
	float_done(g, dst, to);
	float_upper_word(g, to);
	a_alu_imm(&g->a, ALU_AND, false, RAX, 0x7ff0);
	a_alu_imm(&g->a, ALU_CMP, false, RAX, 0x7ff0);
	float_stub(g, dst, arg, a_jcc(&g->a, CC_E));
}

static void from_integer(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	struct place arg[MAX_FLOAT_ARGS] = {float_operand(g, i->arg[0])};
	bool single = number == IR_FFROM_S64_SINGLE || number == IR_FFROM_U64_SINGLE;
	unsigned src = RAX, dst, to;
	uint32_t from = NO_INDEX;

	if (arg[0].kind == PLACE_REG)
		src = arg[0].reg;
	else
		from_place(g, &arg[0], RAX);
	dst = def_reg(g);
	to = float_to(g, dst);
	if (number == IR_FFROM_U64 || number == IR_FFROM_U64_SINGLE) {
		a_test(a, true, src, src);
		from = a_jcc(a, CC_S);
	}
	a_sse(a, 0, XORPS, to, to); /* cvtsi2sd keeps the rest: wait for nobody's */
	a_1(a, single ? 0xf3 : 0xf2);
	a_rr(a, true, 0x0f2a, to, src);
	if (single)
		a_sse(a, 0xf3, 0x0f5a, to, to);
	float_done(g, dst, to);
	if (from != NO_INDEX)
		float_stub(g, dst, arg, from);
}
static void both_words(struct gen *g, unsigned reg)
{
	a_mov(&g->a, false, RAX, reg);
	a_shift_imm(&g->a, SH_SHL, true, RAX, 32);
	a_alu(&g->a, ALU_OR, true, reg, RAX);
}

/* cvtsd2si, cvttsd2si: what does not fit gives the least number. */
static void to_integer(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	struct place arg[MAX_FLOAT_ARGS] = {float_operand(g, i->arg[0])};
	bool w = number == IR_FTO_S64 || number == IR_FTO_S64_TRUNCATE;
	bool truncate = number >= IR_FTO_S64_TRUNCATE;
	unsigned src = float_in(g, &arg[0], 0), dst = def_reg(g);
	uint32_t from;

	a_1(a, 0xf2);
	a_rr(a, w, truncate ? 0x0f2c : 0x0f2d, dst, src);
	/* cmp dst, 1 overflows for the least number alone */
	a_alu_imm(a, ALU_CMP, w, dst, 1);
	from = a_jcc(a, CC_O);
	if (!w)
		both_words(g, dst);
	float_stub(g, dst, arg, from);
}

/*
 * By the signed conversion, of what its result can be. That must be known before, since a number that does not fit
 * the guest's integer, but the host's, would be noted as inexact.
 */
static void to_unsigned(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	struct place arg[MAX_FLOAT_ARGS] = {float_operand(g, i->arg[0])};
	bool w = number == IR_FTO_U64 || number == IR_FTO_U64_TRUNCATE;
	bool truncate = number >= IR_FTO_U64_TRUNCATE;
	unsigned src = float_in(g, &arg[0], 0), dst = def_reg(g);
	uint32_t from;

	float_upper_word(g, src);
	/* 2^63; 2^32, or what is not rounded to that */
	a_cmp_ax(a, w ? 0x43e0 : truncate ? 0x41f0 : 0x41ef);
	from = a_jcc(a, CC_AE);
	a_1(a, 0xf2);
	a_rr(a, true, truncate ? 0x0f2c : 0x0f2d, dst, src);
	if (!w)
		both_words(g, dst);
	float_stub(g, dst, arg, from);
}

/* NaNs are for the helper: the host would quiet them. */
static void widen(struct gen *g, const struct ir_inst *i)
{
	struct assembler *a = &g->a;
	struct place arg[MAX_FLOAT_ARGS] = {float_operand(g, i->arg[0])};
	unsigned dst, to;

	from_place(g, &arg[0], RAX);
	dst = def_reg(g);
	to = float_to(g, dst);
	a_sse(a, 0x66, 0x0f6e, to, RAX);
	a_sse(a, 0xf3, 0x0f5a, to, to);
	float_done(g, dst, to);
	a_alu(a, ALU_ADD, false, RAX, RAX);
	a_alu_imm(a, ALU_CMP, false, RAX, (int32_t)0xff000000);
	float_stub(g, dst, arg, a_jcc(a, CC_A));
}

/* Bits 0:1 and 5:34 of the double, unless it is too small for a normal single. */
static void narrow_bits(struct gen *g, const struct ir_inst *i)
{
	struct assembler *a = &g->a;
	struct place arg[MAX_FLOAT_ARGS] = {float_operand(g, i->arg[0])};
	unsigned dst = def_reg(g);

	from_place(g, &arg[0], RDX);
	a_mov(a, true, dst, RDX);
	a_shift_imm(a, SH_SHR, true, dst, 32);
	a_alu_imm(a, ALU_AND, false, dst, (int32_t)0xc0000000);
	a_mov(a, true, RCX, RDX);
	a_shift_imm(a, SH_SHR, true, RCX, 29);
	a_alu_imm(a, ALU_AND, false, RCX, 0x3fffffff);
	a_alu(a, ALU_OR, false, dst, RCX);
	exponent(g, RDX);
	a_alu_imm(a, ALU_CMP, false, RAX, 896);
	float_stub(g, dst, arg, a_jcc(a, CC_BE));
}

void float_convert(struct gen *g, const struct ir_inst *i, unsigned number)
{
	if (number >= IR_FTRUNCATE && number <= IR_FROUND_CURRENT)
		integral(g, i, number);
	else if (number >= IR_FFROM_S64 && number <= IR_FFROM_U64_SINGLE)
		from_integer(g, i, number);
	else if (number >= IR_FTO_S64 && number <= IR_FTO_S32_TRUNCATE)
		to_integer(g, i, number);
	else if (number >= IR_FTO_U64 && number <= IR_FTO_U32_TRUNCATE)
		to_unsigned(g, i, number);
	else if (number == IR_FNARROW)
		narrow_bits(g, i);
	else
		widen(g, i); /* IR_FFROM_SINGLE, IR_FWIDEN */
}
