/*
 * Floating point on vectors: the same as in ops_float.c, by lanes. One lane that is not plain sends all to the stub.
 */
#include "jit/x86_64/ops_float.h"

#define PCMPGTW  0x0f65
#define PCMPGTD  0x0f66
#define PCMPEQQ  0x0f3829
#define MOVMSKPD 0x0f50
#define PSHUFD   0x0f70

static struct place in_xmm(struct gen *g, uint32_t v)
{
	return (struct place){.kind = PLACE_XMM, .reg = use_reg(g, v)};
}

/*
 * A jump that is taken unless all lanes are plain. What is looked at is the word that has the exponent, shifted by one,
 * which has the sign drop out. There are only signed comparisons: the top bit is turned.
 */
static uint32_t unless_all_plain(struct gen *g, unsigned xmm, bool wide_lanes)
{
	struct assembler *a = &g->a;
	unsigned bits = wide_lanes ? 64 : 32, one = wide_lanes ? 5 : 8; /* the exponent's lowest bit */
	uint32_t greatest = wide_lanes ? 0x7fd : 0xfd;
	uint64_t least = 2u << one, top = 0x8000, past = ((greatest - 1) << one) - 1;
	/* the other words are never greater */
	uint64_t never = wide_lanes ? UINT64_C(0x7fff7fff7fff) : 0x7fff;

	vec3(g, PADDW, 0, xmm, xmm);
	gen_sse_data(g, 0x66, PADDW, 0, vec_same(bits, ((top - least) & 0xffff) << (bits - 16)));
	gen_sse_data(g, 0x66, PCMPGTW, 0, vec_same(bits, never | ((top + past) & 0xffff) << (bits - 16)));
	/* xmm0: the offending lanes' upper words */
	a_sse(a, 0x66, PMOVMSKB, RAX, 0);
	a_test(a, false, RAX, RAX);
	return a_jcc(a, CC_NE);
}

static void vector(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	bool wide_lanes = number < IR_VFADD_32;
	unsigned n = number - (wide_lanes ? IR_VFADD_64 : IR_VFADD_32), dst;
	uint8_t prefix = wide_lanes ? 0x66 : 0;
	struct place arg[MAX_FLOAT_ARGS] = {{0}};

	for (unsigned k = 0; k < ir_nargs(i); k++)
		arg[k] = in_xmm(g, i->arg[k]);
	dst = def_reg(g);
	if (n >= IR_VFMADD_64 - IR_VFADD_64) {
		bool subtract = (n - (IR_VFMADD_64 - IR_VFADD_64)) & 1;

		a_sse(a, 0, 0x0f28, dst, arg[1].reg);
		a_vex(a, 0x66, subtract ? 0x0f38ba : 0x0f38b8, wide_lanes, dst, arg[0].reg,
		      arg[2].reg);
	} else if (n == IR_VFSQRT_64 - IR_VFADD_64) {
		a_sse(a, prefix, float_arith_op[n], dst, arg[0].reg);
	} else {
		float_op3(g, prefix, float_arith_op[n], dst, arg[0].reg, arg[1].reg);
	}
	if (n >= IR_VFNMADD_64 - IR_VFADD_64)
		gen_sse_data(g, 0x66, XORPS, dst, /* xorpd */
			     wide_lanes ? vec_same(64, UINT64_C(1) << 63) : vec_same(32, 0x80000000));
	float_stub(g, dst, arg, unless_all_plain(g, dst, wide_lanes));
}

/* cmpps and cmppd: 0 equal, 1 less, 2 not greater, 3 unordered */
static void compare_lanes(struct gen *g, uint8_t prefix, unsigned dst, unsigned src, uint8_t how)
{
	a_sse(&g->a, prefix, CMPPS, dst, src);
	a_1(&g->a, how);
}

/* A jump that is taken if a lane of either is a NaN. */
static uint32_t unless_ordered(struct gen *g, uint8_t prefix, unsigned x, unsigned y)
{
	a_sse(&g->a, 0, 0x0f28, 0, x);
	compare_lanes(g, prefix, 0, y, 3);
	a_sse(&g->a, 0x66, PMOVMSKB, RAX, 0);
	a_test(&g->a, false, RAX, RAX);
	return a_jcc(&g->a, CC_NE);
}

static void vector_compare(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	uint8_t prefix = number < IR_VFEQUAL_32 ? 0x66 : 0;
	unsigned n = number - (number < IR_VFEQUAL_32 ? IR_VFEQUAL_64 : IR_VFEQUAL_32), dst;
	struct place arg[MAX_FLOAT_ARGS] = {in_xmm(g, i->arg[0]), in_xmm(g, i->arg[1])};

	dst = def_reg(g);
	a_sse(a, 0, 0x0f28, 0, arg[0].reg);
	compare_lanes(g, prefix, 0, arg[1].reg, 3);
	a_sse(a, 0x66, PMOVMSKB, RAX, 0);
	a_test(a, false, RAX, RAX);
	/* with the operands exchanged */
	a_sse(a, 0, 0x0f28, dst, arg[1].reg);
	compare_lanes(g, prefix, dst, arg[0].reg, n);
	float_stub(g, dst, arg, a_jcc(a, CC_NE));
}

/* The host gives the second operand where one is a NaN, or both are zeros. */
static void vector_max(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	uint8_t prefix = number < IR_VFMAX_32 ? 0x66 : 0;
	struct place arg[MAX_FLOAT_ARGS] = {in_xmm(g, i->arg[0]), in_xmm(g, i->arg[1])};
	unsigned dst = def_reg(g);

	/* equal, but not the same */
	a_sse(a, 0, 0x0f28, 0, arg[0].reg);
	a_sse(a, 0x66, PCMPEQD, 0, arg[1].reg);
	a_sse(a, 0, 0x0f28, 1, arg[0].reg);
	compare_lanes(g, prefix, 1, arg[1].reg, 0);
	a_sse(a, 0x66, PANDN, 0, 1);
	a_sse(a, 0, 0x0f28, 1, arg[0].reg);
	compare_lanes(g, prefix, 1, arg[1].reg, 3);
	a_sse(a, 0, ORPS, 0, 1);
	a_sse(a, 0x66, PMOVMSKB, RAX, 0);
	a_sse(a, 0, 0x0f28, dst, arg[0].reg);
	a_sse(a, prefix, number == IR_VFMAX_64 || number == IR_VFMAX_32 ? 0x0f5f : 0x0f5d, dst,
	      arg[1].reg);
	a_test(a, false, RAX, RAX);
	float_stub(g, dst, arg, a_jcc(a, CC_NE));
}

/* ---- to integral values ---- */

static void vector_integral(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	bool wide_lanes = number < IR_VFTRUNCATE_32;
	unsigned n = number - (wide_lanes ? IR_VFTRUNCATE_64 : IR_VFTRUNCATE_32), dst;
	struct place arg[MAX_FLOAT_ARGS] = {in_xmm(g, i->arg[0])};

	dst = def_reg(g);
	if (n == IR_VFROUND_AWAY_64 - IR_VFTRUNCATE_64) {
		float_round_away(g, wide_lanes ? 0x66 : 0, dst, arg[0].reg);
	} else {
		a_sse(a, 0x66, wide_lanes ? 0x0f3a09 : 0x0f3a08, dst, arg[0].reg); /* roundpd */
		a_1(a, float_rounding(n));
	}
	float_stub(g, dst, arg, unless_ordered(g, wide_lanes ? 0x66 : 0, dst, dst));
}

/* ---- integers ---- */

static void shuffle(struct gen *g, unsigned dst, unsigned src, uint8_t how)
{
	a_sse(&g->a, 0x66, PSHUFD, dst, src);
	a_1(&g->a, how);
}

/* A jump that is taken if a lane of 32 or 64 bits is a constant. */
static uint32_t if_any_is(struct gen *g, unsigned xmm, unsigned bits, uint64_t v)
{
	vec3_data(g, bits == 64 ? PCMPEQQ : PCMPEQD, 0, xmm, vec_same(bits, v));
	a_sse(&g->a, 0x66, PMOVMSKB, RAX, 0);
	a_test(&g->a, false, RAX, RAX);
	return a_jcc(&g->a, CC_NE);
}

/* A jump that is taken unless all lanes are positive, and less than what has these upper bits. */
static uint32_t unless_all_below(struct gen *g, unsigned xmm, unsigned bits, uint32_t upper)
{
	u128 last = bits == 64 ? vec_same(64, (uint64_t)(upper - 1) << 32 | 0x7fffffff) : vec_same(32, upper - 1);

	vec3_data(g, PCMPGTD, 0, xmm, last);
	a_sse(&g->a, 0, ORPS, 0, xmm);
	a_sse(&g->a, bits == 64 ? 0x66 : 0, MOVMSKPD, RAX, 0);
	a_test(&g->a, false, RAX, RAX);
	return a_jcc(&g->a, CC_NE);
}

/* dst := both doubles of src as signed integers of 64 bits, of which rax and rdx have a copy */
static void convert_two(struct gen *g, unsigned dst, unsigned src)
{
	struct assembler *a = &g->a;

	vec3(g, PUNPCKHQDQ, 0, src, src);
	a_1(a, 0xf2);
	a_rr(a, true, 0x0f2c, RAX, src); /* cvttsd2si */
	a_1(a, 0xf2);
	a_rr(a, true, 0x0f2c, RDX, 0);
	gen_to_xmm(g, dst, RAX);
	gen_to_xmm(g, 0, RDX);
	a_sse(a, 0x66, PUNPCKLQDQ, dst, 0);
}

static void vector_to_s64(struct gen *g, const struct ir_inst *i)
{
	struct place arg[MAX_FLOAT_ARGS] = {in_xmm(g, i->arg[0])};
	unsigned dst = def_reg(g);
	uint32_t low, high;

	if (g->host->avx512) {
		a_evex(&g->a, 0x66, 0x0f7a, true, dst, 0, arg[0].reg); /* vcvttpd2qq */
		float_stub(g, dst, arg, if_any_is(g, dst, 64, UINT64_C(1) << 63));
		return;
	}
	convert_two(g, dst, arg[0].reg);
	/* cmp with 1 overflows for the least number alone */
	a_alu_imm(&g->a, ALU_CMP, true, RAX, 1);
	low = a_jcc(&g->a, CC_O);
	a_alu_imm(&g->a, ALU_CMP, true, RDX, 1);
	high = a_jcc(&g->a, CC_O);
	float_stub(g, dst, arg, low)->from[1] = high;
}

static void vector_to_u64(struct gen *g, const struct ir_inst *i)
{
	struct place arg[MAX_FLOAT_ARGS] = {in_xmm(g, i->arg[0])};
	unsigned dst = def_reg(g);
	uint32_t from;

	if (g->host->avx512) {
		a_evex(&g->a, 0x66, 0x0f78, true, dst, 0, arg[0].reg); /* vcvttpd2uqq */
		from = if_any_is(g, dst, 64, ~UINT64_C(0));
	} else {
		from = unless_all_below(g, arg[0].reg, 64, 0x43e00000);
		convert_two(g, dst, arg[0].reg);
	}
	float_stub(g, dst, arg, from);
}

/* Four singles; two doubles, with each result in both halves of its lane. */
static void vector_to_s32(struct gen *g, const struct ir_inst *i, bool wide_lanes)
{
	struct place arg[MAX_FLOAT_ARGS] = {in_xmm(g, i->arg[0])};
	unsigned dst = def_reg(g);

	if (wide_lanes) {
		a_sse(&g->a, 0x66, 0x0fe6, dst, arg[0].reg); /* cvttpd2dq */
		shuffle(g, dst, dst, 0x50);
	} else {
		a_sse(&g->a, 0xf3, 0x0f5b, dst, arg[0].reg); /* cvttps2dq */
	}
	float_stub(g, dst, arg, if_any_is(g, dst, 32, 0x80000000));
}

static void vector_to_u32(struct gen *g, const struct ir_inst *i, bool wide_lanes)
{
	struct place arg[MAX_FLOAT_ARGS] = {in_xmm(g, i->arg[0])};
	unsigned dst = def_reg(g);
	uint32_t from;

	if (g->host->avx512) {
		a_evex(&g->a, 0, 0x0f78, wide_lanes, dst, 0, arg[0].reg); /* vcvttps2udq, vcvttpd2udq */
		if (wide_lanes)
			shuffle(g, dst, dst, 0x50);
		from = if_any_is(g, dst, 32, 0xffffffff);
	} else if (wide_lanes) {
		from = unless_all_below(g, arg[0].reg, 64, 0x41f00000);
		convert_two(g, dst, arg[0].reg);
		shuffle(g, dst, dst, 0xa0);
	} else {
		from = unless_all_below(g, arg[0].reg, 32, 0x4f000000);
		a_sse(&g->a, 0xf3, 0x0f5b, dst, arg[0].reg);
	}
	float_stub(g, dst, arg, from);
}

/* A jump that is taken if a lane's upper bit is set. */
static uint32_t if_any_negative(struct gen *g, unsigned xmm, unsigned bits)
{
	a_sse(&g->a, bits == 64 ? 0x66 : 0, MOVMSKPD, RAX, xmm);
	a_test(&g->a, false, RAX, RAX);
	return a_jcc(&g->a, CC_NE);
}

static void vector_from_64(struct gen *g, const struct ir_inst *i, bool is_signed)
{
	struct assembler *a = &g->a;
	struct place arg[MAX_FLOAT_ARGS] = {in_xmm(g, i->arg[0])};
	unsigned src = arg[0].reg, dst = def_reg(g);
	uint32_t from = NO_INDEX;

	if (g->host->avx512) {
		a_evex(a, 0xf3, is_signed ? 0x0fe6 : 0x0f7a, true, dst, 0, src); /* vcvtqq2pd, vcvtuqq2pd */
		return;
	}
	if (!is_signed)
		from = if_any_negative(g, src, 64);
	gen_from_xmm(g, RAX, src);
	vec3(g, PUNPCKHQDQ, 0, src, src);
	gen_from_xmm(g, RDX, 0);
	a_sse(a, 0, XORPS, dst, dst); /* cvtsi2sd keeps the rest: wait for nobody's */
	a_1(a, 0xf2);
	a_rr(a, true, 0x0f2a, dst, RAX);
	a_sse(a, 0, XORPS, 0, 0);
	a_1(a, 0xf2);
	a_rr(a, true, 0x0f2a, 0, RDX);
	a_sse(a, 0x66, PUNPCKLQDQ, dst, 0);
	if (from != NO_INDEX)
		float_stub(g, dst, arg, from);
}

static void vector_from_u32(struct gen *g, const struct ir_inst *i)
{
	struct place arg[MAX_FLOAT_ARGS] = {in_xmm(g, i->arg[0])};
	unsigned dst = def_reg(g);
	uint32_t from;

	if (g->host->avx512) {
		a_evex(&g->a, 0xf2, 0x0f7a, false, dst, 0, arg[0].reg); /* vcvtudq2ps */
		return;
	}
	from = if_any_negative(g, arg[0].reg, 32);
	a_sse(&g->a, 0, 0x0f5b, dst, arg[0].reg);
	float_stub(g, dst, arg, from);
}

/* Lanes 1 and 3, to doubles, exactly: the lower bits of 2^52, less that. */
static void vector_from_odd_u32(struct gen *g, const struct ir_inst *i)
{
	const uint64_t magic = UINT64_C(0x433) << 52;
	unsigned src = use_reg(g, i->arg[0]), dst = def_reg(g);

	vec_shift(g, VEC_SHR, 3, dst, src, 32);
	gen_sse_data(g, 0x66, POR, dst, vec_same(64, magic));
	gen_sse_data(g, 0x66, SUBPS, dst, vec_same(64, magic));
	gen_sse_data(g, 0x66, PAND, dst, vec_same(64, INT64_MAX)); /* rounding down, zero is -0 */
}

static void vector_from_s32(struct gen *g, const struct ir_inst *i, bool odd)
{
	unsigned src = use_reg(g, i->arg[0]), dst = def_reg(g);

	if (!odd) {
		a_sse(&g->a, 0, 0x0f5b, dst, src); /* cvtdq2ps */
		return;
	}
	shuffle(g, dst, src, 0x0d);
	a_sse(&g->a, 0xf3, 0x0fe6, dst, dst); /* cvtdq2pd */
}

/* ---- between doubles and singles ---- */

static void vector_widen(struct gen *g, const struct ir_inst *i)
{
	struct place arg[MAX_FLOAT_ARGS] = {in_xmm(g, i->arg[0])};
	unsigned dst = def_reg(g);

	shuffle(g, dst, arg[0].reg, 0x0d);
	a_sse(&g->a, 0, 0x0f5a, dst, dst); /* cvtps2pd */
	float_stub(g, dst, arg, unless_ordered(g, 0x66, dst, dst));
}

static void vector_narrow(struct gen *g, const struct ir_inst *i)
{
	struct place arg[MAX_FLOAT_ARGS] = {in_xmm(g, i->arg[0])};
	unsigned dst = def_reg(g);

	a_sse(&g->a, 0x66, 0x0f5a, dst, arg[0].reg); /* cvtpd2ps */
	shuffle(g, dst, dst, 0x50);
	float_stub(g, dst, arg, unless_all_plain(g, dst, false));
}

static void convert_vector(struct gen *g, const struct ir_inst *i, unsigned number)
{
	switch ((enum ir_float_intrinsic)number) {
	case IR_VFTO_S64_TRUNCATE:
		vector_to_s64(g, i);
		break;
	case IR_VFTO_U64_TRUNCATE:
		vector_to_u64(g, i);
		break;
	case IR_VFTO_S32_TRUNCATE:
	case IR_VFTO_S32_TRUNCATE_64:
		vector_to_s32(g, i, number == IR_VFTO_S32_TRUNCATE_64);
		break;
	case IR_VFTO_U32_TRUNCATE:
	case IR_VFTO_U32_TRUNCATE_64:
		vector_to_u32(g, i, number == IR_VFTO_U32_TRUNCATE_64);
		break;
	case IR_VFFROM_S64:
	case IR_VFFROM_U64:
		vector_from_64(g, i, number == IR_VFFROM_S64);
		break;
	case IR_VFFROM_U32:
		vector_from_u32(g, i);
		break;
	case IR_VFFROM_ODD_U32:
		vector_from_odd_u32(g, i);
		break;
	case IR_VFWIDEN:
		vector_widen(g, i);
		break;
	case IR_VFNARROW:
		vector_narrow(g, i);
		break;
	default:
		vector_from_s32(g, i, number == IR_VFFROM_ODD_S32);
		break;
	}
}

void float_vector(struct gen *g, const struct ir_inst *i, unsigned number)
{
	if (number < IR_VFEQUAL_64)
		vector(g, i, number);
	else if (number < IR_VFMAX_64)
		vector_compare(g, i, number);
	else if (number <= IR_VFMIN_32)
		vector_max(g, i, number);
	else if (number <= IR_VFROUND_CURRENT_32)
		vector_integral(g, i, number);
	else
		convert_vector(g, i, number);
}
