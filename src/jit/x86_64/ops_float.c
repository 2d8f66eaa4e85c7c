/*
 * Floating point on SSE2 and FMA: the intrinsics of ir/intrinsic_float.h. The fast path does the
 * operation and looks at the exponent of the result; whatever is not a plain number, and so might
 * have something to report, goes to a stub, which calls the helper instead. MXCSR[PE] gathers
 * "inexact" (IR_FP_INEXACT) while compiled code runs; it is in env->fp_status while C runs that
 * looks at it or that computes itself.
 *
 * MXCSR[RC] is how the guest rounds, which the code does not know: what is done here holds in all four modes. An
 * overflow may end in the greatest finite number, so results as great as that are not plain either.
 */
#include "jit/x86_64/ops_float.h"

/* The exponents of plain results, biased as a double's: all but the least, which may be tiny, and the greatest. */
enum { DOUBLE_LEAST = 2, DOUBLE_GREATEST = 0x7fd, SINGLE_LEAST = 0x382, SINGLE_GREATEST = 0x47d };

const uint16_t float_arith_op[5] = {0x0f58, 0x0f5c, 0x0f59, 0x0f5e, 0x0f51};

static bool is_single(unsigned number)
{
	return number >= IR_FADD_SINGLE && number <= IR_FNMSUB_SINGLE;
}

struct place float_operand(struct gen *g, uint32_t v)
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

unsigned float_in(struct gen *g, const struct place *p, unsigned scratch)
{
	if (p->kind == PLACE_XMM)
		return p->reg;
	number_from_place(g, p, scratch);
	return scratch;
}

unsigned float_to(const struct gen *g, unsigned dst)
{
	return is_vec(g, g->at) ? dst : 0;
}

void float_done(struct gen *g, unsigned dst, unsigned xmm)
{
	if (!is_vec(g, g->at))
		gen_from_xmm(g, dst, xmm);
}

void float_op3(struct gen *g, uint8_t prefix, unsigned op, unsigned dst, unsigned a, unsigned b)
{
	if (g->host->avx && dst != a) {
		a_vex(&g->a, prefix, op, false, dst, a, b);
		return;
	}
	if (dst != a)
		a_sse(&g->a, 0, 0x0f28, dst, a);
	a_sse(&g->a, prefix, op, dst, b);
}

void float_upper_word(struct gen *g, unsigned xmm)
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

	float_upper_word(g, xmm);
	a_rx(&g->a, false, 0x8d, RAX, RAX, RAX, -(least << 5)); /* lea */
	a_cmp_ax(&g->a, (uint16_t)((greatest - least + 1) << 5));
	return a_jcc(&g->a, CC_AE);
}

/*
 * xmm0, a double, to single precision, and to xmm as a double. Rounding twice can go wrong only if
 * the first rounding ended in the middle between two singles, and only to nearest: returns the jump that is taken
 * then, to come back to *resume.
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
	float_op3(g, 0xf3, 0x0f5a, xmm, 0, 0); /* cvtss2sd */
	return tie;
}

struct stub *float_stub(struct gen *g, unsigned dst, const struct place *arg, uint32_t from)
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
		a = float_in(g, &arg[0], 1);
		b = float_in(g, &arg[2], SCALAR_SCRATCH);
		number_from_place(g, &arg[1], to);
		/* to := a * b + to, - to */
		a_vex(&g->a, 0x66, subtract ? 0x0f38bb : 0x0f38b9, true, to, a, b);
	} else if (n == IR_FSQRT - IR_FADD) {
		a = float_in(g, &arg[0], 1);
		float_op3(g, 0xf2, float_arith_op[n], to, a, a);
	} else {
		a = float_in(g, &arg[0], to);
		b = float_in(g, &arg[1], 1);
		float_op3(g, 0xf2, float_arith_op[n], to, a, b);
	}
}

static void arithmetic(struct gen *g, const struct ir_inst *i, unsigned number)
{
	bool single = is_single(number);
	unsigned n = single ? number - IR_FADD_SINGLE : number - IR_FADD, dst, to;
	uint32_t tie = NO_INDEX, resume = 0;
	struct place arg[MAX_FLOAT_ARGS] = {{0}};
	struct stub *s;

	for (unsigned k = 0; k < ir_nargs(i); k++)
		arg[k] = float_operand(g, i->arg[k]);
	dst = def_reg(g);
	to = float_to(g, dst);
	operate(g, n, single ? 0 : to, arg);
	if (single)
		tie = narrow(g, to, &resume);
	if (n >= IR_FNMADD - IR_FADD)
		gen_sse_data(g, 0x66, XORPS, to, UINT64_C(1) << 63);
	float_done(g, dst, to);
	s = float_stub(g, dst, arg, unless_plain(g, to, single));
	s->tie = tie;
	s->resume = resume;
}

static void round_single(struct gen *g, const struct ir_inst *i)
{
	struct place arg[MAX_FLOAT_ARGS] = {float_operand(g, i->arg[0])};
	unsigned dst = def_reg(g), to = float_to(g, dst), src = float_in(g, &arg[0], 0);

	float_op3(g, 0xf2, 0x0f5a, 0, src, src);
	float_op3(g, 0xf3, 0x0f5a, to, 0, 0);
	float_done(g, dst, to);
	float_stub(g, dst, arg, unless_plain(g, to, true));
}

static void compare(struct gen *g, const struct ir_inst *i)
{
	struct assembler *a = &g->a;
	struct place arg[MAX_FLOAT_ARGS] = {float_operand(g, i->arg[0]), float_operand(g, i->arg[1])};
	unsigned x = float_in(g, &arg[0], 0), y = float_in(g, &arg[1], 1), dst = def_reg(g);
	uint32_t from;

	a_sse(a, 0x66, UCOMISD, x, y);
	from = a_jcc(a, CC_P);
	a_setcc(a, CC_B, RAX);
	a_setcc_ah(a, CC_E);
	a_extend(a, false, 0x0fb7, dst, RAX);
	float_stub(g, dst, arg, from);
}

/* cmpsd and the like: 0 equal, 1 less, 2 not greater, 3 unordered; of doubles if a NaN is not among them */
static void mask(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	struct place arg[MAX_FLOAT_ARGS] = {float_operand(g, i->arg[0]), float_operand(g, i->arg[1])};
	unsigned x = float_in(g, &arg[0], 0), y = float_in(g, &arg[1], 1), dst = def_reg(g);
	unsigned to = is_vec(g, g->at) ? dst : SCALAR_SCRATCH;

	a_sse(a, 0x66, UCOMISD, x, y);
	/* with the operands exchanged */
	a_sse(a, 0, 0x0f28, to, y);
	a_sse(a, 0xf2, CMPPS, to, x);
	a_1(a, number - IR_FEQUAL);
	float_done(g, dst, to);
	float_stub(g, dst, arg, a_jcc(a, CC_P));
}

/* The host gives the second operand where one is a NaN, or both are zeros: what the C forms want. */
static void max(struct gen *g, const struct ir_inst *i, unsigned number)
{
	struct assembler *a = &g->a;
	struct place arg[MAX_FLOAT_ARGS] = {float_operand(g, i->arg[0]), float_operand(g, i->arg[1])};
	unsigned y = float_in(g, &arg[1], 1), x = float_in(g, &arg[0], 0), dst = def_reg(g);
	unsigned to = float_to(g, dst);
	bool as_c = number == IR_FMAX_C || number == IR_FMIN_C;

	a_sse(a, 0x66, UCOMISD, x, y);
	float_op3(g, 0xf2, number == IR_FMAX || number == IR_FMAX_C ? MAXPS : MINPS, to, x, y);
	float_done(g, dst, to);
	/* equal or not ordered */
	float_stub(g, dst, arg, a_jcc(a, as_c ? CC_P : CC_E));
}

static bool expands(const struct gen *g, const struct ir_inst *i, unsigned number)
{
	if (number >= IR_VFADD_QUIET)
		return float_quiet_expands(g, i, number);
	if (number >= IR_VFTRUNCATE_64 && number <= IR_VFROUND_CURRENT_32)
		return g->host->sse41;
	if (number >= IR_VFADD_64)
		return g->host->fma || number >= IR_VFEQUAL_64 ||
		       (number < IR_VFADD_32 ? number < IR_VFMADD_64 : number < IR_VFMADD_32);
	if (number <= IR_FNMSUB_SINGLE)
		return g->host->fma || !is_fused(number - (is_single(number) ? IR_FADD_SINGLE : IR_FADD));
	if (number >= IR_FTRUNCATE && number <= IR_FROUND_CURRENT)
		return g->host->sse41;
	return true;
}

bool gen_float_makes(const struct gen *g, const struct ir_inst *i)
{
	unsigned number = ir_helper_of(i)->intrinsic;

	return number >= IR_FLOAT_FIRST && expands(g, i, number) &&
	       (number <= IR_FFROM_SINGLE || number == IR_FWIDEN);
}

bool gen_float_takes(const struct gen *g, const struct ir_inst *i)
{
	unsigned number = ir_helper_of(i)->intrinsic;

	return number >= IR_FLOAT_FIRST && expands(g, i, number) &&
	       (number <= IR_FNOT_LESS || (number >= IR_FTO_S64 && number <= IR_FCOMPARE) ||
		number == IR_FNARROW);
}

bool gen_float(struct gen *g, const struct ir_inst *i)
{
	unsigned number = ir_helper_of(i)->intrinsic;

	if (!expands(g, i, number))
		return false;
	if (number >= IR_VFADD_QUIET)
		float_quiet(g, i, number);
	else if (number >= IR_VFADD_64)
		float_vector(g, i, number);
	else if (number <= IR_FNMSUB_SINGLE)
		arithmetic(g, i, number);
	else if (number == IR_FROUND_SINGLE)
		round_single(g, i);
	else if (number >= IR_FMAX && number <= IR_FMIN_C)
		max(g, i, number);
	else if (number >= IR_FEQUAL && number <= IR_FNOT_LESS)
		mask(g, i, number);
	else if (number == IR_FCOMPARE)
		compare(g, i);
	else
		float_convert(g, i, number);
	return true;
}
