/*
 * Floating point on vectors of singles that has no status, and takes denormals for zeros if it is told to. Nothing of
 * it may be noted as inexact: arithmetic has an MXCSR of its own, all else is made of what is exact.
 */
#include "jit/x86_64/ops_float.h"

#define MULPS   0x0f59
#define PCMPGTD 0x0f66
#define ROUNDPS 0x0f3a08

#define MXCSR_FLUSH UINT32_C(0x8040) /* denormal results and operands are zeros */

/* From here to quiet_end(); rax, rcx, rdx are lost. That is a dozen cycles, but for arithmetic there is no other way. */
static void quiet_begin(struct gen *g, const struct place *flush)
{
	static const uint32_t mxcsr[4] = {MXCSR_MASKED, MXCSR_MASKED | MXCSR_FLUSH};

	from_place(g, flush, RCX);
	a_alu_imm(&g->a, ALU_AND, false, RCX, 1);
	a_mxcsr_store(&g->a);
	gen_lea_data(g, RDX, mxcsr, sizeof(mxcsr));
	a_rx4(&g->a, false, 0x0fae, 2, RDX, RCX, 0);
}

static void quiet_end(struct gen *g)
{
	a_mxcsr_enter(&g->a);
}

/* Comparisons and the like find nothing inexact: their operands are flushed. rdx + rcx: which bits to clear. */
static void flush_begin(struct gen *g, const struct place *flush)
{
	static const uint32_t clear[8] = {0, 0, 0, 0, 0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff};

	from_place(g, flush, RCX);
	a_alu_imm(&g->a, ALU_AND, false, RCX, 1);
	a_shift_imm(&g->a, SH_SHL, false, RCX, 4);
	gen_lea_data(g, RDX, clear, sizeof(clear));
}

/* dst := src, with denormals as zeros if that is asked for */
static void flushed(struct gen *g, unsigned dst, unsigned src)
{
	a_sse(&g->a, 0, 0x0f28, dst, src);
	gen_sse_data(g, 0x66, PAND, dst, vec_same(32, 0x7f800000));
	gen_sse_data(g, 0x66, PCMPEQD, dst, 0);
	a_sse_idx(&g->a, 0x66, PAND, dst, RDX, RCX);
	a_sse(&g->a, 0x66, PANDN, dst, src);
}

static void compare_singles(struct gen *g, unsigned dst, unsigned src, uint8_t how)
{
	a_sse(&g->a, 0, CMPPS, dst, src);
	a_1(&g->a, how);
}

static void find_operands(struct gen *g, const struct ir_inst *i, struct place *arg)
{
	const struct ir_helper *h = ir_helper_of(i);

	for (unsigned k = 0; k < h->nargs; k++)
		arg[k] = h->arg[k] == IR_V128 ? (struct place){.kind = PLACE_XMM, .reg = use_reg(g, i->arg[k])}
					      : float_operand(g, i->arg[k]);
}

/* A jump that is taken if a lane of xmm0 is not zero. */
static uint32_t if_any(struct gen *g)
{
	a_sse(&g->a, 0x66, PMOVMSKB, RAX, 0);
	a_test(&g->a, false, RAX, RAX);
	return a_jcc(&g->a, CC_NE);
}

/*
 * Special is a NaN; and of a fused operation the least normal number, which may have been tiny before it was
 * rounded. A sum as small as that is exact.
 */
static void arithmetic(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	bool is_fused = number >= IR_VFMADD_QUIET;
	struct place arg[MAX_FLOAT_ARGS] = {{0}};
	unsigned dst;

	find_operands(g, i, arg);
	dst = def_reg(g);
	quiet_begin(g, &arg[is_fused ? 3 : 2]);
	if (is_fused) {
		a_sse(a, 0, 0x0f28, dst, arg[1].reg);
		/* vfmadd231ps, vfmsub231ps */
		a_vex(a, 0x66, number == IR_VFMADD_QUIET ? 0x0f38b8 : 0x0f38ba, false, dst, arg[0].reg,
		      arg[2].reg);
	} else {
		float_op3(g, 0, number == IR_VFADD_QUIET ? ADDPS : SUBPS, dst, arg[0].reg, arg[1].reg);
	}
	quiet_end(g);
	a_sse(a, 0, 0x0f28, 0, dst);
	compare_singles(g, 0, 0, 3);
	if (is_fused) {
		vec3(g, PADDD, 1, dst, dst);
		gen_sse_data(g, 0x66, PCMPEQD, 1, vec_same(32, 0x01000000));
		a_sse(a, 0x66, POR, 0, 1);
	}
	if (number == IR_VFNMSUB_QUIET)
		gen_sse_data(g, 0x66, PXOR, dst, vec_same(32, 0x80000000));
	float_stub(g, dst, arg, if_any(g));
}

static void choose(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	struct place arg[MAX_FLOAT_ARGS] = {{0}};
	unsigned dst;

	find_operands(g, i, arg);
	dst = def_reg(g);
	flush_begin(g, &arg[2]);
	flushed(g, dst, arg[0].reg);
	flushed(g, SCALAR_SCRATCH, arg[1].reg);
	/* equal, but not the same */
	a_sse(a, 0, 0x0f28, 0, dst);
	compare_singles(g, 0, SCALAR_SCRATCH, 0);
	vec3(g, PCMPEQD, 1, dst, SCALAR_SCRATCH);
	a_sse(a, 0x66, PANDN, 1, 0);
	a_sse(a, 0, 0x0f28, 0, dst);
	compare_singles(g, 0, SCALAR_SCRATCH, 3);
	a_sse(a, 0x66, POR, 0, 1);
	a_sse(a, 0, number == IR_VFMAX_QUIET ? MAXPS : MINPS, dst, SCALAR_SCRATCH);
	float_stub(g, dst, arg, if_any(g));
}

/* Nothing is special here: comparisons with a NaN do not hold. */
static void compare(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	struct place arg[MAX_FLOAT_ARGS] = {{0}};
	unsigned dst;

	find_operands(g, i, arg);
	dst = def_reg(g);
	flush_begin(g, &arg[2]);
	if (number != IR_VFBOUNDS_QUIET) {
		/* with the operands exchanged: equal, less, not greater */
		flushed(g, dst, arg[1].reg);
		flushed(g, 0, arg[0].reg);
		compare_singles(g, dst, 0, number - IR_VFEQUAL_QUIET);
		return;
	}
	/* not a <= b, not -b <= a */
	flushed(g, dst, arg[0].reg);
	flushed(g, 0, arg[1].reg);
	vec3_data(g, PXOR, 1, 0, vec_same(32, 0x80000000));
	compare_singles(g, 1, dst, 6);
	compare_singles(g, dst, 0, 6);
	gen_sse_data(g, 0x66, PAND, dst, vec_same(32, 0x80000000));
	gen_sse_data(g, 0x66, PAND, 1, vec_same(32, 0x40000000));
	a_sse(a, 0x66, POR, dst, 1);
}

static void integral(struct gen *g, const struct ir_inst *i, unsigned number)
{
	static const uint8_t how[] = {3, 2, 1, 0};
	struct place arg[MAX_FLOAT_ARGS] = {{0}};
	unsigned dst;

	find_operands(g, i, arg);
	dst = def_reg(g);
	flush_begin(g, &arg[1]);
	flushed(g, dst, arg[0].reg);
	a_sse(&g->a, 0x66, ROUNDPS, dst, dst);
	a_1(&g->a, 8 | how[number - IR_VFTRUNCATE_QUIET]);
	a_sse(&g->a, 0, 0x0f28, 0, dst);
	compare_singles(g, 0, 0, 3);
	float_stub(g, dst, arg, if_any(g));
}

/* 2^n in each lane. */
static u128 power(int n)
{
	return vec_same(32, (uint32_t)(127 + n) << 23);
}

/* Only what is exact; the rest is done by the function. */
static void from_integer(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct place arg[MAX_FLOAT_ARGS] = {{0}};
	int n = inst_of(g, i->arg[1])->imm & 31;
	uint32_t from;
	unsigned dst;

	find_operands(g, i, arg);
	dst = def_reg(g);
	if (number == IR_VFFROM_S32_QUIET) {
		/* between -2^24 and 2^24, moved to where the least numbers are */
		vec3_data(g, PADDD, 0, arg[0].reg, vec_same(32, 0x81000000));
		gen_sse_data(g, 0x66, PCMPGTD, 0, vec_same(32, 0x82000000));
	} else {
		vec3_data(g, PCMPGTD, 0, arg[0].reg, vec_same(32, 0x01000000));
		a_sse(&g->a, 0x66, POR, 0, arg[0].reg);
		vec_shift(g, VEC_SAR, 2, 0, 0, 31);
	}
	from = if_any(g);
	a_sse(&g->a, 0, 0x0f5b, dst, arg[0].reg); /* cvtdq2ps */
	if (n)
		gen_sse_data(g, 0, MULPS, dst, power(-n));
	float_stub(g, dst, arg, from);
}

/*
 * The host gives the least number for all that does not fit. Nothing is inexact: the product cannot be too great,
 * and is made integral first.
 */
static void to_integer(struct gen *g, const struct ir_inst *i)
{
	int n = inst_of(g, i->arg[1])->imm & 31;
	unsigned src = use_reg(g, i->arg[0]), dst = def_reg(g);
	struct assembler *a = &g->a;

	a_sse(a, 0, 0x0f28, dst, src);
	if (n) {
		gen_sse_data(g, 0, MINPS, dst, power(32));
		gen_sse_data(g, 0, MAXPS, dst, power(32) | vec_same(32, 0x80000000));
		gen_sse_data(g, 0, MULPS, dst, power(n));
	}
	gen_sse_data(g, 0x66, 0x0f28, 0, power(31));
	compare_singles(g, 0, dst, 2);
	a_sse(a, 0, 0x0f28, 1, src);
	compare_singles(g, 1, 1, 7);
	a_sse(a, 0x66, ROUNDPS, dst, dst);
	a_1(a, 8 | 3);
	a_sse(a, 0xf3, 0x0f5b, dst, dst); /* cvttps2dq */
	a_sse(a, 0x66, PXOR, dst, 0); /* what is too great becomes the greatest */
	a_sse(a, 0x66, PAND, dst, 1); /* a NaN 0 */
}

bool float_quiet_expands(const struct gen *g, const struct ir_inst *i, unsigned number)
{
	switch ((enum ir_float_intrinsic)number) {
	case IR_VFMADD_QUIET:
	case IR_VFNMSUB_QUIET:
		return g->host->fma;
	case IR_VFTRUNCATE_QUIET:
	case IR_VFCEILING_QUIET:
	case IR_VFFLOOR_QUIET:
	case IR_VFROUND_EVEN_QUIET:
		return g->host->sse41;
	case IR_VFFROM_S32_QUIET:
	case IR_VFFROM_U32_QUIET:
		return inst_of(g, i->arg[1])->op == IR_CONST;
	case IR_VFTO_S32_QUIET:
		return g->host->sse41 && inst_of(g, i->arg[1])->op == IR_CONST;
	default:
		return true;
	}
}

void float_quiet(struct gen *g, const struct ir_inst *i, unsigned number)
{
	if (number <= IR_VFNMSUB_QUIET)
		arithmetic(g, i, number);
	else if (number <= IR_VFMIN_QUIET)
		choose(g, i, number);
	else if (number <= IR_VFBOUNDS_QUIET)
		compare(g, i, number);
	else if (number <= IR_VFROUND_EVEN_QUIET)
		integral(g, i, number);
	else if (number == IR_VFTO_S32_QUIET)
		to_integer(g, i);
	else
		from_integer(g, i, number);
}
