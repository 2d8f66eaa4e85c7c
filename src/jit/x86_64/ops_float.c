/*
 * Floating point on SSE2 and FMA: the intrinsics of ir/intrinsic_float.h. The fast path does the
 * operation and looks at the exponent of the result; whatever is not a plain number, and so might
 * have something to report, goes to a stub, which calls the helper instead. MXCSR[PE] gathers
 * "inexact" (IR_FP_INEXACT) while compiled code runs; it is in env->fp_status while C runs that
 * looks at it or that computes itself.
 */
#include "jit/x86_64/ops_float.h"

#define PSRLQ_PSRLD_GROUP 2 /* /2: logical, right */
#define PAND              0x0fdb
#define PADDD             0x0ffe
#define PCMPGTD           0x0f66
#define PCMPEQD           0x0f76

/* The exponents of plain results, biased as a double's: all but the least, which may be tiny. */
enum { DOUBLE_LEAST = 2, DOUBLE_GREATEST = 0x7fe, SINGLE_LEAST = 0x382, SINGLE_GREATEST = 0x47e };

/* Two-operand SSE opcodes in the order of the intrinsics: add, subtract, multiply, divide, root. */
static const uint16_t arith_op[] = {0x0f58, 0x0f5c, 0x0f59, 0x0f5e, 0x0f51};

static bool is_single(unsigned number)
{
	return number >= IR_FADD_SINGLE && number <= IR_FNMSUB_SINGLE;
}

/* An operand of 64 bits, in xmm; and where else it is, for the stub. */
static struct place fetch(struct gen *g, uint32_t v, unsigned xmm)
{
	struct assembler *a = &g->a;
	struct place p = {.kind = PLACE_REG};

	if (inst_of(g, v)->op == IR_CONST) {
		p.kind = PLACE_CONST;
		p.imm = inst_of(g, v)->imm;
		if (xmm != NO_REG && !p.imm) {
			a_sse(a, 0, XORPS, xmm, xmm);
		} else if (xmm != NO_REG) {
			a_mov_imm(a, RAX, p.imm);
			a_sse_w(a, 0x66, 0x0f6e, xmm, RAX);
		}
	} else if (use_mem(g, v, &p.disp)) {
		p.kind = PLACE_MEM;
		if (xmm != NO_REG)
			a_sse_mem(a, 0xf3, 0x0f7e, xmm, RBP, p.disp); /* movq */
	} else {
		p.reg = use_reg(g, v);
		if (xmm != NO_REG)
			a_sse_w(a, 0x66, 0x0f6e, xmm, p.reg);
	}
	return p;
}

/* A jump that is taken unless the double in reg is plain. */
static uint32_t unless_plain(struct gen *g, unsigned reg, bool single)
{
	int32_t least = single ? SINGLE_LEAST : DOUBLE_LEAST;
	int32_t greatest = single ? SINGLE_GREATEST : DOUBLE_GREATEST;

	exponent(g, reg);
	a_alu_imm(&g->a, ALU_SUB, false, RAX, least);
	a_alu_imm(&g->a, ALU_CMP, false, RAX, greatest - least);
	return a_jcc(&g->a, CC_A);
}

/*
 * xmm0, a double, to single precision, and to dst as a double. Rounding twice can go wrong only if
 * the first rounding ended in the middle between two singles: returns the jump that is taken then,
 * to come back to *resume.
 */
static uint32_t narrow(struct gen *g, unsigned dst, uint32_t *resume)
{
	uint32_t tie;

	struct assembler *a = &g->a;

	a_sse_w(a, 0x66, 0x0f7e, 0, dst);
	a_mov(a, false, RAX, dst);
	a_alu_imm(a, ALU_AND, false, RAX, 0x1fffffff);
	a_alu_imm(a, ALU_CMP, false, RAX, 0x10000000);
	tie = a_jcc(a, CC_E);
	*resume = a_pos(a);
	a_sse(a, 0xf2, 0x0f5a, 0, 0); /* cvtsd2ss */
	a_sse(a, 0xf3, 0x0f5a, 0, 0); /* cvtss2sd */
	a_sse_w(a, 0x66, 0x0f7e, 0, dst);
	return tie;
}

static struct stub *float_stub(struct gen *g, unsigned dst, const struct place *arg, uint32_t from)
{
	struct stub *s = add_stub(g, STUB_FLOAT);
	bool vector = inst_of(g, g->at)->type == IR_V128;

	s->at = g->at;
	s->reg = dst;
	memcpy(s->arg, arg, sizeof(s->arg));
	s->from[0] = from;
	s->tie = NO_INDEX;
	s->live = live_gprs(g);
	s->live_xmm = live_xmms(g);
	if (vector)
		s->live_xmm &= ~(1u << dst);
	else
		s->live &= ~(1u << dst);
	s->back = a_pos(&g->a);
	return s;
}

/* xmm0 := xmm1 * xmm15 + xmm0, or - xmm0 */
static void fused(struct gen *g, bool subtract)
{
	a_vex(&g->a, 0x66, subtract ? 0x0f38bb : 0x0f38b9, true, 0, 1, SCALAR_SCRATCH);
}

static bool arithmetic(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	bool single = is_single(number);
	unsigned n = single ? number - IR_FADD_SINGLE : number - IR_FADD, dst;
	uint32_t tie = NO_INDEX, resume = 0;
	struct stub *s;
	struct place arg[3] = {{0}};

	if (n >= IR_FMADD - IR_FADD) {
		if (!g->host->fma)
			return false;
		arg[0] = fetch(g, i->arg[0], 1);
		arg[1] = fetch(g, i->arg[1], 0);
		arg[2] = fetch(g, i->arg[2], SCALAR_SCRATCH);
		fused(g, n == IR_FMSUB - IR_FADD || n == IR_FNMSUB - IR_FADD);
	} else if (n == IR_FSQRT - IR_FADD) {
		arg[0] = fetch(g, i->arg[0], 1);
		a_sse(a, 0xf2, arith_op[n], 0, 1);
	} else {
		arg[0] = fetch(g, i->arg[0], 0);
		arg[1] = fetch(g, i->arg[1], 1);
		a_sse(a, 0xf2, arith_op[n], 0, 1);
	}
	dst = def_reg(g);
	if (single)
		tie = narrow(g, dst, &resume);
	else
		a_sse_w(a, 0x66, 0x0f7e, 0, dst);
	if (n >= IR_FNMADD - IR_FADD) {
		a_rr(a, true, 0x0fba, 7, dst); /* btc dst, 63 */
		a_1(a, 63);
	}
	s = float_stub(g, dst, arg, unless_plain(g, dst, single));
	s->tie = tie;
	s->resume = resume;
	return true;
}

static void round_single(struct gen *g, const struct ir_inst *i)
{
	struct place arg[3] = {fetch(g, i->arg[0], 0)};
	unsigned dst = def_reg(g);

	a_sse(&g->a, 0xf2, 0x0f5a, 0, 0);
	a_sse(&g->a, 0xf3, 0x0f5a, 0, 0);
	a_sse_w(&g->a, 0x66, 0x0f7e, 0, dst);
	float_stub(g, dst, arg, unless_plain(g, dst, true));
}

static bool integral(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct place arg[3] = {{0}};
	unsigned dst;

	if (!g->host->sse41)
		return false;
	arg[0] = fetch(g, i->arg[0], 0);
	dst = def_reg(g);
	a_sse(&g->a, 0x66, 0x0f3a0b, 0, 0); /* roundsd */
	/* 8: inexactness is not told */
	a_1(&g->a, 8 | (number == IR_FTRUNCATE ? 3 : number == IR_FCEILING ? 2 : 1));
	a_sse_w(&g->a, 0x66, 0x0f7e, 0, dst);
	exponent(g, dst);
	a_alu_imm(&g->a, ALU_CMP, false, RAX, 0x7ff);
	float_stub(g, dst, arg, a_jcc(&g->a, CC_E));
	return true;
}

static void from_integer(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	struct place arg[3] = {fetch(g, i->arg[0], NO_REG)};
	uint32_t from = NO_INDEX;
	unsigned src = RAX, dst;

	if (arg[0].kind == PLACE_REG)
		src = arg[0].reg;
	else
		from_place(g, &arg[0], RAX);
	dst = def_reg(g);
	if (number == IR_FFROM_U64) {
		a_test(a, true, src, src);
		from = a_jcc(a, CC_S);
	}
	a_sse(a, 0, XORPS, 0, 0); /* cvtsi2sd keeps the rest: wait for nobody's */
	a_1(a, number == IR_FFROM_S64_SINGLE ? 0xf3 : 0xf2);
	a_rr(a, true, 0x0f2a, 0, src);
	if (number == IR_FFROM_S64_SINGLE)
		a_sse(a, 0xf3, 0x0f5a, 0, 0);
	a_sse_w(a, 0x66, 0x0f7e, 0, dst);
	if (from != NO_INDEX)
		float_stub(g, dst, arg, from);
}

static void compare(struct gen *g, const struct ir_inst *i)
{
	struct assembler *a = &g->a;
	struct place arg[3] = {fetch(g, i->arg[0], 0), fetch(g, i->arg[1], 1)};
	unsigned dst = def_reg(g);
	uint32_t from;

	a_sse(a, 0x66, 0x0f2e, 0, 1); /* ucomisd */
	from = a_jcc(a, CC_P);
	a_mov_imm(a, dst, 4);
	a_mov_imm(a, RAX, 8);
	a_cmov(a, CC_B, false, dst, RAX);
	a_mov_imm(a, RAX, 2);
	a_cmov(a, CC_E, false, dst, RAX);
	float_stub(g, dst, arg, from);
}

/* cvtsd2si, cvttsd2si: what does not fit gives the least number. */
static void to_integer(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	struct place arg[3] = {fetch(g, i->arg[0], 0)};
	bool w = number == IR_FTO_S64 || number == IR_FTO_S64_TRUNCATE;
	bool truncate = number >= IR_FTO_S64_TRUNCATE;
	unsigned dst = def_reg(g);
	uint32_t from;

	a_1(a, 0xf2);
	a_rr(a, w, truncate ? 0x0f2c : 0x0f2d, dst, 0);
	/* cmp dst, 1 overflows for the least number alone */
	a_alu_imm(a, ALU_CMP, w, dst, 1);
	from = a_jcc(a, CC_O);
	if (!w) {
		a_mov(a, false, RAX, dst);
		a_shift_imm(a, SH_SHL, true, RAX, 32);
		a_alu(a, ALU_OR, true, dst, RAX);
	}
	float_stub(g, dst, arg, from);
}

/* NaNs are for the helper: the host would quiet them. */
static void widen(struct gen *g, const struct ir_inst *i)
{
	struct assembler *a = &g->a;
	struct place arg[3] = {fetch(g, i->arg[0], NO_REG)};
	unsigned dst;

	from_place(g, &arg[0], RAX);
	dst = def_reg(g);
	a_sse(a, 0x66, 0x0f6e, 0, RAX);
	a_sse(a, 0xf3, 0x0f5a, 0, 0);
	a_alu(a, ALU_ADD, false, RAX, RAX);
	a_alu_imm(a, ALU_CMP, false, RAX, (int32_t)0xff000000);
	a_sse_w(a, 0x66, 0x0f7e, 0, dst);
	float_stub(g, dst, arg, a_jcc(a, CC_A));
}

/* Bits 0:1 and 5:34 of the double, unless it is too small for a normal single. */
static void narrow_bits(struct gen *g, const struct ir_inst *i)
{
	struct assembler *a = &g->a;
	struct place arg[3] = {fetch(g, i->arg[0], NO_REG)};
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

/* ---- vectors ---- */

static u128 every(unsigned lane_bits, uint64_t v)
{
	u128 r = v;

	for (unsigned n = lane_bits; n < 128; n *= 2)
		r |= r << n;
	return r;
}

/*
 * A jump that is taken unless all lanes are plain. There are only signed comparisons: exponents
 * less the least allowed one, which wraps round for those below, have the sign bit turned.
 */
static uint32_t unless_all_plain(struct gen *g, unsigned xmm, bool wide_lanes)
{
	struct assembler *a = &g->a;
	uint64_t mask = wide_lanes ? 0x7ff : 0xff, top = UINT64_C(0x80000000);
	unsigned bits = wide_lanes ? 64 : 32;
	/* the upper halves of wide lanes are zero and never greater */
	uint64_t never = wide_lanes ? UINT64_C(0x7fffffff) << 32 : 0;

	a_sse(a, 0, 0x0f28, 0, xmm);
	a_sse(a, 0x66, wide_lanes ? 0x0f73 : 0x0f72, PSRLQ_PSRLD_GROUP, 0);
	a_1(a, wide_lanes ? 52 : 23);
	gen_sse_data(g, 0x66, PAND, 0, every(bits, mask));
	gen_sse_data(g, 0x66, PADDD, 0, every(bits, top - 2));
	gen_sse_data(g, 0x66, PCMPGTD, 0, every(bits, never | (top + mask - 1 - 2)));
	/* xmm0: the offending lanes, of wide ones the low half */
	a_sse(a, 0x66, PMOVMSKB, RAX, 0);
	a_test(a, false, RAX, RAX);
	return a_jcc(a, CC_NE);
}

static bool vector(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	bool wide_lanes = number < IR_VFADD_32;
	unsigned n = number - (wide_lanes ? IR_VFADD_64 : IR_VFADD_32), dst;
	uint8_t prefix = wide_lanes ? 0x66 : 0;
	struct place arg[3] = {{0}};

	if (n >= IR_VFMADD_64 - IR_VFADD_64 && !g->host->fma)
		return false;
	for (unsigned k = 0; k < ir_nargs(i); k++)
		arg[k].reg = use_reg(g, i->arg[k]);
	dst = def_reg(g);
	if (n >= IR_VFMADD_64 - IR_VFADD_64) {
		bool subtract = (n - (IR_VFMADD_64 - IR_VFADD_64)) & 1;

		a_sse(a, 0, 0x0f28, dst, arg[1].reg);
		a_vex(a, 0x66, subtract ? 0x0f38ba : 0x0f38b8, wide_lanes, dst, arg[0].reg,
		      arg[2].reg);
	} else if (n == IR_VFSQRT_64 - IR_VFADD_64) {
		a_sse(a, prefix, arith_op[n], dst, arg[0].reg);
	} else {
		a_sse(a, 0, 0x0f28, dst, arg[0].reg);
		a_sse(a, prefix, arith_op[n], dst, arg[1].reg);
	}
	if (n >= IR_VFNMADD_64 - IR_VFADD_64)
		gen_sse_data(g, 0x66, XORPS, dst, /* xorpd */
			     wide_lanes ? every(64, UINT64_C(1) << 63) : every(32, 0x80000000));
	float_stub(g, dst, arg, unless_all_plain(g, dst, wide_lanes));
	return true;
}

/* cmpps and cmppd: 0 equal, 1 less, 2 not greater, 3 unordered */
static void compare_lanes(struct gen *g, uint8_t prefix, unsigned dst, unsigned src, uint8_t how)
{
	a_sse(&g->a, prefix, CMPPS, dst, src);
	a_1(&g->a, how);
}

static void vector_compare(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	uint8_t prefix = number < IR_VFEQUAL_32 ? 0x66 : 0;
	unsigned n = number - (number < IR_VFEQUAL_32 ? IR_VFEQUAL_64 : IR_VFEQUAL_32), dst;
	struct place arg[3] = {{.reg = use_reg(g, i->arg[0])}, {.reg = use_reg(g, i->arg[1])}};

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
	struct place arg[3] = {{.reg = use_reg(g, i->arg[0])}, {.reg = use_reg(g, i->arg[1])}};
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

static void vector_from_integer(struct gen *g, const struct ir_inst *i, unsigned number)
{
	unsigned src = use_reg(g, i->arg[0]), dst = def_reg(g);

	if (number == IR_VFFROM_S32) {
		a_sse(&g->a, 0, 0x0f5b, dst, src); /* cvtdq2ps */
		return;
	}
	a_sse(&g->a, 0x66, 0x0f70, dst, src); /* pshufd */
	a_1(&g->a, 1 | 3 << 2);
	a_sse(&g->a, 0xf3, 0x0fe6, dst, dst); /* cvtdq2pd */
}

bool gen_float(struct gen *g, const struct ir_inst *i)
{
	unsigned number = ir_helper_of(i)->intrinsic;

	if (number <= IR_FNMSUB_SINGLE)
		return arithmetic(g, i, number);
	if (number >= IR_VFADD_64 && number < IR_VFEQUAL_64)
		return vector(g, i, number);
	if (number >= IR_VFEQUAL_64 && number < IR_VFMAX_64) {
		vector_compare(g, i, number);
		return true;
	}
	switch ((enum ir_float_intrinsic)number) {
	case IR_FROUND_SINGLE:
		round_single(g, i);
		return true;
	case IR_FTRUNCATE:
	case IR_FCEILING:
	case IR_FFLOOR:
		return integral(g, i, number);
	case IR_FFROM_S64:
	case IR_FFROM_U64:
	case IR_FFROM_S64_SINGLE:
		from_integer(g, i, number);
		return true;
	case IR_FTO_S64:
	case IR_FTO_S32:
	case IR_FTO_S64_TRUNCATE:
	case IR_FTO_S32_TRUNCATE:
		to_integer(g, i, number);
		return true;
	case IR_FCOMPARE:
		compare(g, i);
		return true;
	case IR_FFROM_SINGLE:
	case IR_FWIDEN:
		widen(g, i);
		return true;
	case IR_FNARROW:
		narrow_bits(g, i);
		return true;
	case IR_VFMAX_64:
	case IR_VFMIN_64:
	case IR_VFMAX_32:
	case IR_VFMIN_32:
		vector_max(g, i, number);
		return true;
	case IR_VFFROM_S32:
	case IR_VFFROM_ODD_S32:
		vector_from_integer(g, i, number);
		return true;
	default:
		return false;
	}
}
