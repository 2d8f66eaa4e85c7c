/*
 * Intrinsics (ir/intrinsic.h) of vector integers and bits, and the way to all of them.
 */
#include "ir/intrinsic.h"
#include "jit/x86_64/vec.h"

enum {
	PMINUD = 0x0f383b,
	PMAXUD = 0x0f383f,
	PMULUDQ = 0x0ff4,
	PMULDQ = 0x0f3828,
	PMULLD = 0x0f3840,
	PMULHW = 0x0fe5,
	PMULHUW = 0x0fe4,
	PMADDWD = 0x0ff5,
	PSADBW = 0x0ff6,
	PAVGB = 0x0fe0,
	PAVGW = 0x0fe3,
	PMOVMSKB = 0x0fd7,
	MOVDQA = 0x0f6f,
};

static bool binary(struct gen *g, const struct ir_inst *i, unsigned op)
{
	vec_binary(g, op, i->arg[0], i->arg[1]);
	return true;
}

/* Products of lanes of 32 bits to 64. */
static bool multiply_32(struct gen *g, const struct ir_inst *i, bool is_signed, bool odd)
{
	unsigned op = is_signed ? PMULDQ : PMULUDQ, a, b, dst;

	if (is_signed && !g->host->sse41)
		return false;
	if (!odd)
		return binary(g, i, op);
	a = use_reg(g, i->arg[0]);
	b = use_reg(g, i->arg[1]);
	dst = def_reg(g);
	vec_shift(g, VEC_SHR, 3, dst, a, 32);
	vec_shift(g, VEC_SHR, 3, 0, b, 32);
	a_sse(&g->a, 0x66, op, dst, 0);
	return true;
}

/* Of 16 bits to 32: the halves of the products come from two instructions. */
static bool multiply_16(struct gen *g, const struct ir_inst *i, bool is_signed, bool odd)
{
	unsigned a = use_reg(g, i->arg[0]), b = use_reg(g, i->arg[1]), dst = def_reg(g);

	vec3(g, PMULLW, dst, a, b);
	vec3(g, is_signed ? PMULHW : PMULHUW, 0, a, b);
	if (odd) {
		vec_shift(g, VEC_SHR, 2, dst, dst, 16);
		vec_shift(g, VEC_SHR, 2, 0, 0, 16);
	} else {
		vec_shift(g, VEC_SHL, 2, dst, dst, 16);
		vec_shift(g, VEC_SHR, 2, dst, dst, 16);
	}
	vec_shift(g, VEC_SHL, 2, 0, 0, 16);
	a_sse(&g->a, 0x66, POR, dst, 0);
	return true;
}

/* Of 8 bits to 16. */
static bool multiply_8(struct gen *g, const struct ir_inst *i, bool odd)
{
	unsigned a = use_reg(g, i->arg[0]), b = use_reg(g, i->arg[1]), dst = def_reg(g);

	if (odd) {
		vec_shift(g, VEC_SHR, 1, dst, a, 8);
		vec_shift(g, VEC_SHR, 1, 0, b, 8);
	} else {
		vec3_data(g, PAND, dst, a, vec_same(16, 0xff));
		vec3_data(g, PAND, 0, b, vec_same(16, 0xff));
	}
	a_sse(&g->a, 0x66, PMULLW, dst, 0);
	return true;
}

static bool multiply_add_16(struct gen *g, const struct ir_inst *i)
{
	unsigned a = use_reg(g, i->arg[0]), b = use_reg(g, i->arg[1]), c = use_reg(g, i->arg[2]);
	unsigned dst = def_reg(g);

	vec3(g, PMULLW, dst, a, b);
	a_sse(&g->a, 0x66, PADDW, dst, c);
	return true;
}

/* a + b carries if b > ~a. The comparison gives ones where it is not so: one more is the carry. */
static bool carry_32(struct gen *g, const struct ir_inst *i)
{
	unsigned a, b, dst;

	if (!g->host->sse41)
		return false;
	a = use_reg(g, i->arg[0]);
	b = use_reg(g, i->arg[1]);
	dst = def_reg(g);
	vec_ones(g, 0);
	vec3(g, PXOR, dst, a, 0);
	a_sse(&g->a, 0x66, PMINUD, dst, b);
	a_sse(&g->a, 0x66, PCMPEQD, dst, b);
	gen_sse_data(g, 0x66, PADDD, dst, vec_same(32, 1));
	return true;
}

static bool no_borrow_32(struct gen *g, const struct ir_inst *i)
{
	unsigned a, b, dst;

	if (!g->host->sse41)
		return false;
	a = use_reg(g, i->arg[0]);
	b = use_reg(g, i->arg[1]);
	dst = def_reg(g);
	vec3(g, PMAXUD, dst, a, b);
	a_sse(&g->a, 0x66, PCMPEQD, dst, a);
	vec_shift(g, VEC_SHR, 2, dst, dst, 31);
	return true;
}

/* Ones of each half of a byte by a table, then sums of neighbours. */
static bool popcnt(struct gen *g, const struct ir_inst *i, unsigned lane)
{
	/* of 15, 14 ... 0 */
	const u128 table = (u128)UINT64_C(0x0403030203020201) << 64 | UINT64_C(0x0302020102010100);
	unsigned a, dst;

	if (!g->host->ssse3)
		return false;
	a = use_reg(g, i->arg[0]);
	dst = def_reg(g);
	vec_shift(g, VEC_SHR, 1, 0, a, 4);
	gen_sse_data(g, 0x66, PAND, 0, vec_same(8, 15));
	vec3_data(g, PAND, 1, a, vec_same(8, 15));
	gen_sse_data(g, 0x66, MOVDQA, dst, table);
	a_sse(&g->a, 0x66, PSHUFB, dst, 0);
	gen_sse_data(g, 0x66, MOVDQA, 0, table);
	a_sse(&g->a, 0x66, PSHUFB, 0, 1);
	a_sse(&g->a, 0x66, PADDB, dst, 0);
	if (lane == 3) {
		vec_zero(g, 0);
		a_sse(&g->a, 0x66, PSADBW, dst, 0);
	} else if (lane > 0) {
		vec_shift(g, VEC_SHR, 1, 0, dst, 8);
		a_sse(&g->a, 0x66, PADDB, dst, 0);
		gen_sse_data(g, 0x66, PAND, dst, vec_same(16, 0xff));
		if (lane == 2)
			gen_sse_data(g, 0x66, PMADDWD, dst, vec_same(16, 1));
	}
	return true;
}

static bool clz_64(struct gen *g, const struct ir_inst *i)
{
	unsigned a, dst;

	if (!g->host->lzcnt)
		return false;
	a = use_reg(g, i->arg[0]);
	dst = def_reg(g);
	vec3(g, PUNPCKHQDQ, 0, a, a);
	a_sse_w(&g->a, 0x66, 0x0f7e, a, RAX); /* movq */
	a_sse_w(&g->a, 0x66, 0x0f7e, 0, RDX);
	a_f3(&g->a, true, 0xbd, RAX, RAX);
	a_f3(&g->a, true, 0xbd, RDX, RDX);
	a_sse_w(&g->a, 0x66, 0x0f6e, dst, RAX);
	a_sse_w(&g->a, 0x66, 0x0f6e, 0, RDX);
	a_sse(&g->a, 0x66, PUNPCKLQDQ, dst, 0);
	return true;
}

static bool byte_signs(struct gen *g, const struct ir_inst *i)
{
	unsigned src = use_reg(g, i->arg[0]);

	a_sse(&g->a, 0x66, PMOVMSKB, def_reg(g), src);
	return true;
}

/* Each half is a matrix of 8 by 8 bits: exchange blocks across the diagonal, of 1, 2, 4 bits. */
static bool transpose_8x8(struct gen *g, const struct ir_inst *i)
{
	static const struct {
		unsigned by;
		uint64_t mask;
	} step[] = {
		{7, UINT64_C(0x00aa00aa00aa00aa)},
		{14, UINT64_C(0x0000cccc0000cccc)},
		{28, UINT64_C(0x00000000f0f0f0f0)},
	};
	unsigned dst = def_copy(g, i->arg[0]);

	for (unsigned n = 0; n < ARRAY_SIZE(step); n++) {
		vec_shift(g, VEC_SHR, 3, 0, dst, step[n].by);
		a_sse(&g->a, 0x66, PXOR, 0, dst);
		gen_sse_data(g, 0x66, PAND, 0, vec_same(64, step[n].mask));
		a_sse(&g->a, 0x66, PXOR, dst, 0);
		vec_shift(g, VEC_SHL, 3, 0, 0, step[n].by);
		a_sse(&g->a, 0x66, PXOR, dst, 0);
	}
	return true;
}

/* The lowest bit of each byte, counted from an end. */
static bool even_bytes(struct gen *g, const struct ir_inst *i, bool upper)
{
	unsigned a = use_reg(g, i->arg[0]), dst = def_reg(g);

	vec_shift(g, VEC_SHL, 1, 0, a, 7);
	a_sse(&g->a, 0x66, PMOVMSKB, RAX, 0);
	/* A bit beyond them is found when they are all zero. */
	if (upper) {
		a_shift_imm(&g->a, SH_SHL, false, RAX, 16);
		a_alu_imm(&g->a, ALU_OR, false, RAX, 0x8000);
		a_rr(&g->a, false, 0x0fbd, dst, RAX); /* bsr */
		a_alu_imm(&g->a, ALU_XOR, false, dst, 31);
	} else {
		a_alu_imm(&g->a, ALU_OR, false, RAX, 0x10000);
		a_rr(&g->a, false, 0x0fbc, dst, RAX); /* bsf */
	}
	return true;
}

static bool gather_bits(struct gen *g, const struct ir_inst *i)
{
	unsigned a, b, dst;

	if (!g->host->ssse3)
		return false;
	a = use_reg(g, i->arg[0]);
	b = use_reg(g, i->arg[1]);
	dst = def_reg(g);
	/* byte 15 - (index >> 3) of a */
	vec_shift(g, VEC_SHR, 1, 0, b, 3);
	vec3_data(g, PANDN, 0, 0, vec_same(8, 15));
	vec3(g, PSHUFB, 1, a, 0);
	/* its bit 7 - (index & 7); none if the index is too great */
	vec3_data(g, PAND, 0, b, vec_same(8, 0x87));
	gen_sse_data(g, 0x66, MOVDQA, dst, UINT64_C(0x0102040810204080));
	a_sse(&g->a, 0x66, PSHUFB, dst, 0);
	a_sse(&g->a, 0x66, PAND, dst, 1);
	vec_zero(g, 0);
	a_sse(&g->a, 0x66, PCMPEQB, dst, 0);
	a_sse(&g->a, 0x66, PMOVMSKB, RAX, dst);
	a_alu_imm(&g->a, ALU_XOR, false, RAX, 0xffff);
	a_sse_w(&g->a, 0x66, 0x0f6e, dst, RAX);
	a_sse(&g->a, 0x66, 0x0f73, 7, dst); /* pslldq */
	a_1(&g->a, 8);
	return true;
}

bool gen_intrinsic(struct gen *g, const struct ir_inst *i)
{
	unsigned number = ir_helper_of(i)->intrinsic;

	switch ((enum ir_intrinsic)number) {
	case IR_GATHER_BITS:
		return gather_bits(g, i);
	case IR_BYTE_SIGNS:
		return byte_signs(g, i);
	case IR_TRANSPOSE_8X8:
		return transpose_8x8(g, i);
	case IR_UPPER_EVEN_BYTES:
		return even_bytes(g, i, true);
	case IR_LOWER_EVEN_BYTES:
		return even_bytes(g, i, false);
	case IR_POPCNT_8:
	case IR_POPCNT_16:
	case IR_POPCNT_32:
	case IR_POPCNT_64:
		return popcnt(g, i, number - IR_POPCNT_8);
	case IR_CLZ_64:
		return clz_64(g, i);
	case IR_AVERAGE_U8:
		return binary(g, i, PAVGB);
	case IR_AVERAGE_U16:
		return binary(g, i, PAVGW);
	case IR_MULTIPLY_EVEN_U32:
		return multiply_32(g, i, false, false);
	case IR_MULTIPLY_ODD_U32:
		return multiply_32(g, i, false, true);
	case IR_MULTIPLY_EVEN_S32:
		return multiply_32(g, i, true, false);
	case IR_MULTIPLY_ODD_S32:
		return multiply_32(g, i, true, true);
	case IR_MULTIPLY_EVEN_U16:
		return multiply_16(g, i, false, false);
	case IR_MULTIPLY_ODD_U16:
		return multiply_16(g, i, false, true);
	case IR_MULTIPLY_EVEN_S16:
		return multiply_16(g, i, true, false);
	case IR_MULTIPLY_ODD_S16:
		return multiply_16(g, i, true, true);
	case IR_MULTIPLY_EVEN_U8:
		return multiply_8(g, i, false);
	case IR_MULTIPLY_ODD_U8:
		return multiply_8(g, i, true);
	case IR_MULTIPLY_32:
		return g->host->sse41 && binary(g, i, PMULLD);
	case IR_MULTIPLY_ADD_16:
		return multiply_add_16(g, i);
	case IR_ADD_SATURATE_S8:
		return binary(g, i, 0x0fec);
	case IR_ADD_SATURATE_S16:
		return binary(g, i, 0x0fed);
	case IR_ADD_SATURATE_U8:
		return binary(g, i, 0x0fdc);
	case IR_ADD_SATURATE_U16:
		return binary(g, i, 0x0fdd);
	case IR_SUB_SATURATE_S8:
		return binary(g, i, 0x0fe8);
	case IR_SUB_SATURATE_S16:
		return binary(g, i, 0x0fe9);
	case IR_SUB_SATURATE_U8:
		return binary(g, i, 0x0fd8);
	case IR_SUB_SATURATE_U16:
		return binary(g, i, 0x0fd9);
	case IR_CARRY_32:
		return carry_32(g, i);
	case IR_NO_BORROW_32:
		return no_borrow_32(g, i);
	default:
		return gen_crypto(g, i, number);
	}
}
