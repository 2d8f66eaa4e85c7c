/*
 * Floating point on SSE2 and FMA: the intrinsics of ir/intrinsic_float.h. The fast path does the
 * operation and looks at the exponent of the result; whatever is not a plain number, and so might
 * have something to report, goes to a stub, which calls the helper instead. MXCSR[PE] gathers
 * "inexact" (IR_FP_INEXACT) while compiled code runs; it is in env->fp_status while C runs that
 * looks at it or that computes itself.
 */
#include "jit/x86_64/ops_float.h"

#define PCMPGTW 0x0f65

/* The exponents of plain results, biased as a double's: all but the least, which may be tiny. */
enum { DOUBLE_LEAST = 2, DOUBLE_GREATEST = 0x7fe, SINGLE_LEAST = 0x382, SINGLE_GREATEST = 0x47e };

/* Two-operand SSE opcodes in the order of the intrinsics: add, subtract, multiply, divide, root. */
static const uint16_t arith_op[] = {0x0f58, 0x0f5c, 0x0f59, 0x0f5e, 0x0f51};

static bool is_single(unsigned number)
{
	return number >= IR_FADD_SINGLE && number <= IR_FNMSUB_SINGLE;
}

/* Where an operand of 64 bits is. */
static struct place find_operand(struct gen *g, uint32_t v)
{
	struct place p = {.kind = PLACE_REG};

	if (inst_of(g, v)->op == IR_CONST) {
		p.kind = PLACE_CONST;
		p.imm = inst_of(g, v)->imm;
	} else if ((!is_vec(g, v) || dies(g, v)) && use_mem(g, v, &p.disp)) {
		p.kind = PLACE_MEM;
	} else {
		p.kind = is_vec(g, v) ? PLACE_XMM : PLACE_REG;
		p.reg = use_reg(g, v);
	}
	return p;
}

/* The xmm that it is in, or is brought to: `scratch` then. */
static unsigned number_in(struct gen *g, const struct place *p, unsigned scratch)
{
	if (p->kind == PLACE_XMM)
		return p->reg;
	number_from_place(g, p, scratch);
	return scratch;
}

/* Where a number is to be made: the result's register, or xmm0 on the way there. */
static unsigned number_to(const struct gen *g, unsigned dst)
{
	return is_vec(g, g->at) ? dst : 0;
}

static void number_done(struct gen *g, unsigned dst, unsigned xmm)
{
	if (!is_vec(g, g->at))
		gen_from_xmm(g, dst, xmm);
}

/* dst := a op b, a scalar operation; dst is not b. */
static void scalar3(struct gen *g, uint8_t prefix, unsigned op, unsigned dst, unsigned a, unsigned b)
{
	if (g->host->avx && dst != a) {
		a_vex(&g->a, prefix, op, false, dst, a, b);
		return;
	}
	if (dst != a)
		a_sse(&g->a, 0, 0x0f28, dst, a);
	a_sse(&g->a, prefix, op, dst, b);
}

/* ax := sign, exponent and four more bits of the number in xmm */
static void upper_word(struct gen *g, unsigned xmm)
{
	a_sse(&g->a, 0x66, 0x0fc5, RAX, xmm); /* pextrw */
	a_1(&g->a, 3);
}

/*
 * A jump that is taken unless the double in xmm is plain: its exponent, with a few bits below it, is to be in
 * one piece of 16 bits without a sign, whatever is above wraps round.
 */
static uint32_t unless_plain(struct gen *g, unsigned xmm, bool single)
{
	int32_t least = single ? SINGLE_LEAST : DOUBLE_LEAST;
	int32_t greatest = single ? SINGLE_GREATEST : DOUBLE_GREATEST;

	upper_word(g, xmm);
	a_rx(&g->a, false, 0x8d, RAX, RAX, RAX, -(least << 5)); /* lea */
	a_cmp_ax(&g->a, (uint16_t)((greatest - least + 1) << 5));
	return a_jcc(&g->a, CC_AE);
}

/*
 * xmm0, a double, to single precision, and to xmm as a double. Rounding twice can go wrong only if
 * the first rounding ended in the middle between two singles: returns the jump that is taken then,
 * to come back to *resume.
 */
static uint32_t narrow(struct gen *g, unsigned xmm, uint32_t *resume)
{
	struct assembler *a = &g->a;
	uint32_t tie;

	gen_from_xmm(g, RAX, 0);
	a_alu_imm(a, ALU_AND, false, RAX, 0x1fffffff);
	a_alu_imm(a, ALU_CMP, false, RAX, 0x10000000);
	tie = a_jcc(a, CC_E);
	*resume = a_pos(a);
	a_sse(a, 0xf2, 0x0f5a, 0, 0); /* cvtsd2ss */
	scalar3(g, 0xf3, 0x0f5a, xmm, 0, 0); /* cvtss2sd */
	return tie;
}

static struct stub *float_stub(struct gen *g, unsigned dst, const struct place *arg, uint32_t from)
{
	struct stub *s = add_stub(g, STUB_FLOAT);

	s->at = g->at;
	s->reg = dst;
	s->xmm = is_vec(g, g->at);
	memcpy(s->arg, arg, sizeof(s->arg));
	s->from[0] = from;
	s->tie = NO_INDEX;
	s->live = live_gprs(g);
	s->live_xmm = live_xmms(g);
	if (s->xmm)
		s->live_xmm &= ~(1u << dst);
	else
		s->live &= ~(1u << dst);
	s->back = a_pos(&g->a);
	return s;
}

static bool is_fused(unsigned n)
{
	return n >= IR_FMADD - IR_FADD;
}

/* to := the result of the operation n from IR_FADD on */
static void operate(struct gen *g, unsigned n, unsigned to, const struct place *arg)
{
	bool subtract = n == IR_FMSUB - IR_FADD || n == IR_FNMSUB - IR_FADD;
	unsigned a, b;

	if (is_fused(n)) {
		a = number_in(g, &arg[0], 1);
		b = number_in(g, &arg[2], SCALAR_SCRATCH);
		number_from_place(g, &arg[1], to);
		/* to := a * b + to, - to */
		a_vex(&g->a, 0x66, subtract ? 0x0f38bb : 0x0f38b9, true, to, a, b);
	} else if (n == IR_FSQRT - IR_FADD) {
		a = number_in(g, &arg[0], 1);
		scalar3(g, 0xf2, arith_op[n], to, a, a);
	} else {
		a = number_in(g, &arg[0], to);
		b = number_in(g, &arg[1], 1);
		scalar3(g, 0xf2, arith_op[n], to, a, b);
	}
}

static void arithmetic(struct gen *g, const struct ir_inst *i, unsigned number)
{
	bool single = is_single(number);
	unsigned n = single ? number - IR_FADD_SINGLE : number - IR_FADD, dst, to;
	uint32_t tie = NO_INDEX, resume = 0;
	struct place arg[3] = {{0}};
	struct stub *s;

	for (unsigned k = 0; k < ir_nargs(i); k++)
		arg[k] = find_operand(g, i->arg[k]);
	dst = def_reg(g);
	to = number_to(g, dst);
	operate(g, n, single ? 0 : to, arg);
	if (single)
		tie = narrow(g, to, &resume);
	if (n >= IR_FNMADD - IR_FADD)
		gen_sse_data(g, 0x66, XORPS, to, UINT64_C(1) << 63);
	number_done(g, dst, to);
	s = float_stub(g, dst, arg, unless_plain(g, to, single));
	s->tie = tie;
	s->resume = resume;
}

static void round_single(struct gen *g, const struct ir_inst *i)
{
	struct place arg[3] = {find_operand(g, i->arg[0])};
	unsigned dst = def_reg(g), to = number_to(g, dst), src = number_in(g, &arg[0], 0);

	scalar3(g, 0xf2, 0x0f5a, 0, src, src);
	scalar3(g, 0xf3, 0x0f5a, to, 0, 0);
	number_done(g, dst, to);
	float_stub(g, dst, arg, unless_plain(g, to, true));
}

static void integral(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct place arg[3] = {find_operand(g, i->arg[0])};
	unsigned dst = def_reg(g), to = number_to(g, dst);

	a_sse(&g->a, 0x66, 0x0f3a0b, to, number_in(g, &arg[0], to)); /* roundsd */
	/* 8: inexactness is not told */
	a_1(&g->a, 8 | (number == IR_FTRUNCATE ? 3 : number == IR_FCEILING ? 2 : 1));
	number_done(g, dst, to);
	upper_word(g, to);
	a_alu_imm(&g->a, ALU_AND, false, RAX, 0x7ff0);
	a_alu_imm(&g->a, ALU_CMP, false, RAX, 0x7ff0);
	float_stub(g, dst, arg, a_jcc(&g->a, CC_E));
}

static void from_integer(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	struct place arg[3] = {find_operand(g, i->arg[0])};
	unsigned src = RAX, dst, to;
	uint32_t from = NO_INDEX;

	if (arg[0].kind == PLACE_REG)
		src = arg[0].reg;
	else
		from_place(g, &arg[0], RAX);
	dst = def_reg(g);
	to = number_to(g, dst);
	if (number == IR_FFROM_U64) {
		a_test(a, true, src, src);
		from = a_jcc(a, CC_S);
	}
	a_sse(a, 0, XORPS, to, to); /* cvtsi2sd keeps the rest: wait for nobody's */
	a_1(a, number == IR_FFROM_S64_SINGLE ? 0xf3 : 0xf2);
	a_rr(a, true, 0x0f2a, to, src);
	if (number == IR_FFROM_S64_SINGLE)
		a_sse(a, 0xf3, 0x0f5a, to, to);
	number_done(g, dst, to);
	if (from != NO_INDEX)
		float_stub(g, dst, arg, from);
}

static void compare(struct gen *g, const struct ir_inst *i)
{
	struct assembler *a = &g->a;
	struct place arg[3] = {find_operand(g, i->arg[0]), find_operand(g, i->arg[1])};
	unsigned x = number_in(g, &arg[0], 0), y = number_in(g, &arg[1], 1), dst = def_reg(g);
	uint32_t from;

	a_sse(a, 0x66, 0x0f2e, x, y); /* ucomisd */
	from = a_jcc(a, CC_P);
	a_setcc(a, CC_B, RAX);
	a_setcc_ah(a, CC_E);
	a_extend(a, false, 0x0fb7, dst, RAX);
	float_stub(g, dst, arg, from);
}

/* cvtsd2si, cvttsd2si: what does not fit gives the least number. */
static void to_integer(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	struct place arg[3] = {find_operand(g, i->arg[0])};
	bool w = number == IR_FTO_S64 || number == IR_FTO_S64_TRUNCATE;
	bool truncate = number >= IR_FTO_S64_TRUNCATE;
	unsigned src = number_in(g, &arg[0], 0), dst = def_reg(g);
	uint32_t from;

	a_1(a, 0xf2);
	a_rr(a, w, truncate ? 0x0f2c : 0x0f2d, dst, src);
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
	struct place arg[3] = {find_operand(g, i->arg[0])};
	unsigned dst, to;

	from_place(g, &arg[0], RAX);
	dst = def_reg(g);
	to = number_to(g, dst);
	a_sse(a, 0x66, 0x0f6e, to, RAX);
	a_sse(a, 0xf3, 0x0f5a, to, to);
	number_done(g, dst, to);
	a_alu(a, ALU_ADD, false, RAX, RAX);
	a_alu_imm(a, ALU_CMP, false, RAX, (int32_t)0xff000000);
	float_stub(g, dst, arg, a_jcc(a, CC_A));
}

/* Bits 0:1 and 5:34 of the double, unless it is too small for a normal single. */
static void narrow_bits(struct gen *g, const struct ir_inst *i)
{
	struct assembler *a = &g->a;
	struct place arg[3] = {find_operand(g, i->arg[0])};
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

static struct place in_xmm(struct gen *g, uint32_t v)
{
	return (struct place){.kind = PLACE_XMM, .reg = use_reg(g, v)};
}

static u128 every(unsigned lane_bits, uint64_t v)
{
	u128 r = v;

	for (unsigned n = lane_bits; n < 128; n *= 2)
		r |= r << n;
	return r;
}

/*
 * A jump that is taken unless all lanes are plain. What is looked at is the word that has the exponent, shifted by one,
 * which has the sign drop out. There are only signed comparisons: the top bit is turned.
 */
static uint32_t unless_all_plain(struct gen *g, unsigned xmm, bool wide_lanes)
{
	struct assembler *a = &g->a;
	unsigned bits = wide_lanes ? 64 : 32, one = wide_lanes ? 5 : 8; /* the exponent's lowest bit */
	uint32_t greatest = wide_lanes ? 0x7fe : 0xfe;
	uint64_t least = 2u << one, top = 0x8000, past = ((greatest - 1) << one) - 1;
	/* the other words are never greater */
	uint64_t never = wide_lanes ? UINT64_C(0x7fff7fff7fff) : 0x7fff;

	vec3(g, PADDW, 0, xmm, xmm);
	gen_sse_data(g, 0x66, PADDW, 0, every(bits, ((top - least) & 0xffff) << (bits - 16)));
	gen_sse_data(g, 0x66, PCMPGTW, 0, every(bits, never | ((top + past) & 0xffff) << (bits - 16)));
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
	struct place arg[3] = {{0}};

	for (unsigned k = 0; k < ir_nargs(i); k++)
		arg[k] = in_xmm(g, i->arg[k]);
	dst = def_reg(g);
	if (n >= IR_VFMADD_64 - IR_VFADD_64) {
		bool subtract = (n - (IR_VFMADD_64 - IR_VFADD_64)) & 1;

		a_sse(a, 0, 0x0f28, dst, arg[1].reg);
		a_vex(a, 0x66, subtract ? 0x0f38ba : 0x0f38b8, wide_lanes, dst, arg[0].reg,
		      arg[2].reg);
	} else if (n == IR_VFSQRT_64 - IR_VFADD_64) {
		a_sse(a, prefix, arith_op[n], dst, arg[0].reg);
	} else {
		scalar3(g, prefix, arith_op[n], dst, arg[0].reg, arg[1].reg);
	}
	if (n >= IR_VFNMADD_64 - IR_VFADD_64)
		gen_sse_data(g, 0x66, XORPS, dst, /* xorpd */
			     wide_lanes ? every(64, UINT64_C(1) << 63) : every(32, 0x80000000));
	float_stub(g, dst, arg, unless_all_plain(g, dst, wide_lanes));
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
	struct place arg[3] = {in_xmm(g, i->arg[0]), in_xmm(g, i->arg[1])};

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
	struct place arg[3] = {in_xmm(g, i->arg[0]), in_xmm(g, i->arg[1])};
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

static bool expands(const struct gen *g, unsigned number)
{
	if (number >= IR_VFADD_64)
		return g->host->fma || number >= IR_VFEQUAL_64 ||
		       (number < IR_VFADD_32 ? number < IR_VFMADD_64 : number < IR_VFMADD_32);
	if (number <= IR_FNMSUB_SINGLE)
		return g->host->fma || !is_fused(number - (is_single(number) ? IR_FADD_SINGLE : IR_FADD));
	if (number == IR_FTRUNCATE || number == IR_FCEILING || number == IR_FFLOOR)
		return g->host->sse41;
	return true;
}

bool gen_float_makes(const struct gen *g, const struct ir_inst *i)
{
	unsigned number = ir_helper_of(i)->intrinsic;

	return number >= IR_FLOAT_FIRST && expands(g, number) &&
	       (number <= IR_FFROM_SINGLE || number == IR_FWIDEN);
}

bool gen_float_takes(const struct gen *g, const struct ir_inst *i)
{
	unsigned number = ir_helper_of(i)->intrinsic;

	return number >= IR_FLOAT_FIRST && expands(g, number) &&
	       (number <= IR_FFLOOR || (number >= IR_FTO_S64 && number <= IR_FCOMPARE) ||
		number == IR_FNARROW);
}

bool gen_float(struct gen *g, const struct ir_inst *i)
{
	unsigned number = ir_helper_of(i)->intrinsic;

	if (!expands(g, number))
		return false;
	if (number <= IR_FNMSUB_SINGLE) {
		arithmetic(g, i, number);
		return true;
	}
	if (number >= IR_VFADD_64 && number < IR_VFEQUAL_64) {
		vector(g, i, number);
		return true;
	}
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
		integral(g, i, number);
		return true;
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
