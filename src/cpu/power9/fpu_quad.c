/*
 * Quad precision, by the core alone.
 */
#include <stddef.h>
#include "cpu/power9/fpu_core.h"

static struct p9_fp_num unpack(p9_u128 bits)
{
	return p9_fp_unpack(&p9_fp_quad, bits);
}

static struct p9_fp_op begin(uint64_t fpscr, bool odd)
{
	struct p9_fp_op op = p9_fp_begin(fpscr, &p9_fp_quad);

	if (odd)
		op.round = P9_ROUND_ODD;
	return op;
}

/* Commit a rounded result. */
static p9_u128 commit(uint64_t *fpscr, const struct p9_fp_op *op, const struct p9_fp_num *r,
		      p9_u128 old)
{
	return p9_fp_finish(fpscr, op, r) ? p9_fp_pack(&p9_fp_quad, r) : old;
}

typedef struct p9_fp_num binary_fn(struct p9_fp_op *op, const struct p9_fp_num *a,
				   const struct p9_fp_num *b);

static p9_u128 binary(binary_fn *fn, uint64_t *fpscr, p9_u128 a, p9_u128 b, p9_u128 old, bool odd)
{
	struct p9_fp_op op = begin(*fpscr, odd);
	struct p9_fp_num x = unpack(a), y = unpack(b), r = fn(&op, &x, &y);

	p9_fp_round(&op, &r);
	return commit(fpscr, &op, &r, old);
}

p9_u128 p9_fpq_add(uint64_t *fpscr, p9_u128 a, p9_u128 b, p9_u128 old, bool odd)
{
	return binary(p9_fp_add, fpscr, a, b, old, odd);
}

p9_u128 p9_fpq_sub(uint64_t *fpscr, p9_u128 a, p9_u128 b, p9_u128 old, bool odd)
{
	return binary(p9_fp_sub, fpscr, a, b, old, odd);
}

p9_u128 p9_fpq_mul(uint64_t *fpscr, p9_u128 a, p9_u128 b, p9_u128 old, bool odd)
{
	return binary(p9_fp_mul, fpscr, a, b, old, odd);
}

p9_u128 p9_fpq_div(uint64_t *fpscr, p9_u128 a, p9_u128 b, p9_u128 old, bool odd)
{
	return binary(p9_fp_div, fpscr, a, b, old, odd);
}

p9_u128 p9_fpq_sqrt(uint64_t *fpscr, p9_u128 b, p9_u128 old, bool odd)
{
	struct p9_fp_op op = begin(*fpscr, odd);
	struct p9_fp_num x = unpack(b), r = p9_fp_sqrt(&op, &x);

	p9_fp_round(&op, &r);
	return commit(fpscr, &op, &r, old);
}

static p9_u128 madd(uint64_t *fpscr, p9_u128 a, p9_u128 b, p9_u128 c, p9_u128 old, bool odd,
		    bool subtract, bool negate)
{
	struct p9_fp_op op = begin(*fpscr, odd);
	struct p9_fp_num x = unpack(a), y = unpack(b), z = unpack(c);
	struct p9_fp_num r = p9_fp_madd(&op, &x, &y, &z, subtract);

	p9_fp_round(&op, &r);
	if (negate && !p9_fp_is_nan(&r))
		r.neg = !r.neg;
	return commit(fpscr, &op, &r, old);
}

p9_u128 p9_fpq_madd(uint64_t *fpscr, p9_u128 a, p9_u128 b, p9_u128 c, p9_u128 old, bool odd)
{
	return madd(fpscr, a, b, c, old, odd, false, false);
}

p9_u128 p9_fpq_msub(uint64_t *fpscr, p9_u128 a, p9_u128 b, p9_u128 c, p9_u128 old, bool odd)
{
	return madd(fpscr, a, b, c, old, odd, true, false);
}

p9_u128 p9_fpq_nmadd(uint64_t *fpscr, p9_u128 a, p9_u128 b, p9_u128 c, p9_u128 old, bool odd)
{
	return madd(fpscr, a, b, c, old, odd, false, true);
}

p9_u128 p9_fpq_nmsub(uint64_t *fpscr, p9_u128 a, p9_u128 b, p9_u128 c, p9_u128 old, bool odd)
{
	return madd(fpscr, a, b, c, old, odd, true, true);
}

/* R and RMC: 0,0 nearest with ties away; 0,3 by RN; 1,RMC that mode, of which 0 is ties to even.
 * The others are reserved, and taken for RN. */
static enum p9_fp_round rounding(uint64_t fpscr, unsigned r, unsigned rmc)
{
	static const enum p9_fp_round named[] = {P9_ROUND_NEAREST, P9_ROUND_ZERO, P9_ROUND_UP,
						 P9_ROUND_DOWN};

	if (r)
		return named[rmc & 3];
	return rmc == 0 ? P9_ROUND_AWAY : (enum p9_fp_round)(fpscr & P9_FPSCR_RN);
}

p9_u128 p9_fpq_ri(uint64_t *fpscr, p9_u128 b, p9_u128 old, unsigned r, unsigned rmc, bool exact)
{
	struct p9_fp_op op = begin(*fpscr, false);
	struct p9_fp_num x = unpack(b);
	struct p9_fp_num n = p9_fp_integral(&op, &x, rounding(*fpscr, r, rmc), exact);

	return commit(fpscr, &op, &n, old);
}

p9_u128 p9_fpq_rxp(uint64_t *fpscr, p9_u128 b, p9_u128 old, unsigned r, unsigned rmc)
{
	struct p9_fp_op op = begin(*fpscr, false);
	struct p9_fp_num x = unpack(b), n = x;

	op.round = rounding(*fpscr, r, rmc);
	p9_fp_nan_result(&op, &n, &x, NULL, NULL);
	p9_fp_round_to(&op, &n, 64);
	return commit(fpscr, &op, &n, old);
}

p9_u128 p9_fpq_cvdpqp(uint64_t *fpscr, uint64_t b, p9_u128 old)
{
	struct p9_fp_op op = begin(*fpscr, false);
	struct p9_fp_num r = p9_fp_convert(&op, &p9_fp_double, b);

	return commit(fpscr, &op, &r, old);
}

uint64_t p9_fpq_cvqpdp(uint64_t *fpscr, p9_u128 b, uint64_t old, bool odd)
{
	struct p9_fp_op op = p9_fp_begin(*fpscr, &p9_fp_double);
	struct p9_fp_num r;

	if (odd)
		op.round = P9_ROUND_ODD;
	r = p9_fp_convert(&op, &p9_fp_quad, b);
	return p9_fp_finish(fpscr, &op, &r) ? (uint64_t)p9_fp_pack(&p9_fp_double, &r) : old;
}

static uint64_t to_int(uint64_t *fpscr, p9_u128 b, uint64_t old, unsigned bits, bool is_signed)
{
	struct p9_fp_op op = begin(*fpscr, false);
	struct p9_fp_num x = unpack(b);
	uint64_t r = p9_fp_to_int(&op, &x, P9_ROUND_ZERO, bits, is_signed);

	return p9_fp_finish_int(fpscr, &op) ? r : old;
}

uint64_t p9_fpq_cvqpsdz(uint64_t *fpscr, p9_u128 b, uint64_t old)
{
	return to_int(fpscr, b, old, 64, true);
}

uint64_t p9_fpq_cvqpudz(uint64_t *fpscr, p9_u128 b, uint64_t old)
{
	return to_int(fpscr, b, old, 64, false);
}

uint64_t p9_fpq_cvqpswz(uint64_t *fpscr, p9_u128 b, uint64_t old)
{
	return to_int(fpscr, b, old, 32, true);
}

uint64_t p9_fpq_cvqpuwz(uint64_t *fpscr, p9_u128 b, uint64_t old)
{
	return to_int(fpscr, b, old, 32, false);
}

p9_u128 p9_fpq_cvsdqp(uint64_t *fpscr, uint64_t b)
{
	struct p9_fp_op op = begin(*fpscr, false);
	struct p9_fp_num r = p9_fp_from_int(b, true);

	return commit(fpscr, &op, &r, 0);
}

p9_u128 p9_fpq_cvudqp(uint64_t *fpscr, uint64_t b)
{
	struct p9_fp_op op = begin(*fpscr, false);
	struct p9_fp_num r = p9_fp_from_int(b, false);

	return commit(fpscr, &op, &r, 0);
}

static unsigned set_fpcc(uint64_t *fpscr, unsigned cc)
{
	*fpscr = (*fpscr & ~P9_FPSCR_FPCC) | (uint64_t)cc << P9_FPSCR_FPCC_SHIFT;
	return cc;
}

static unsigned compare(uint64_t *fpscr, p9_u128 a, p9_u128 b, bool ordered)
{
	struct p9_fp_num x = unpack(a), y = unpack(b);
	uint64_t raised = 0;
	int order;

	if (p9_fp_is_nan(&x) || p9_fp_is_nan(&y)) {
		/* As for doubles, see fpu_compare.c. */
		if (x.cls == P9_FP_SNAN || y.cls == P9_FP_SNAN) {
			raised = P9_FPSCR_VXSNAN;
			if (*fpscr & P9_FPSCR_VE)
				ordered = false;
		}
		p9_fp_raise(fpscr, raised | (ordered ? P9_FPSCR_VXVC : 0));
		return set_fpcc(fpscr, P9_CR_UN);
	}
	order = p9_fp_compare(&x, &y);
	return set_fpcc(fpscr, order < 0 ? P9_CR_LT : order > 0 ? P9_CR_GT : P9_CR_EQ);
}

unsigned p9_fpq_cmpu(uint64_t *fpscr, p9_u128 a, p9_u128 b)
{
	return compare(fpscr, a, b, false);
}

unsigned p9_fpq_cmpo(uint64_t *fpscr, p9_u128 a, p9_u128 b)
{
	return compare(fpscr, a, b, true);
}

unsigned p9_fpq_cmpexp(uint64_t *fpscr, p9_u128 a, p9_u128 b)
{
	struct p9_fp_num x = unpack(a), y = unpack(b);
	uint64_t ea = p9_fpq_xexp(a), eb = p9_fpq_xexp(b);

	if (p9_fp_is_nan(&x) || p9_fp_is_nan(&y))
		return set_fpcc(fpscr, P9_CR_UN);
	return set_fpcc(fpscr, ea < eb ? P9_CR_LT : ea > eb ? P9_CR_GT : P9_CR_EQ);
}

unsigned p9_fpq_tstdc(uint64_t *fpscr, p9_u128 b, unsigned dcmx)
{
	struct p9_fp_num x = unpack(b);
	unsigned bit = 0;

	switch (x.cls) {
	case P9_FP_QNAN:
	case P9_FP_SNAN:
		bit = 0x40;
		break;
	case P9_FP_INF:
		bit = 0x20 >> x.neg;
		break;
	case P9_FP_ZERO:
		bit = 0x08 >> x.neg;
		break;
	case P9_FP_FINITE:
		bit = x.exp < p9_fp_quad.emin ? 0x02 >> x.neg : 0;
		break;
	}
	return set_fpcc(fpscr, (x.neg ? 8 : 0) | (dcmx & bit ? 2 : 0));
}
