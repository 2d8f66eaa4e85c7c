/*
 * Decimal quantum adjustment (Power ISA 3.0B, Book I 5.6.4): quantize, reround, round to an
 * integer. None of them overflows or underflows: what does not fit is an invalid operation.
 */
#include "cpu/power9/dfp_core.h"

/*
 * A finite number with the exponent `exp`: rounded, or with zeros after it. An invalid operation if
 * it has more digits than the format then.
 */
static struct p9_dfp_num with_exponent(struct p9_dfp_op *op, const struct p9_dfp_num *b, int exp)
{
	struct p9_dfp_num r = *b;

	r.exp = exp;
	if (exp < b->exp) {
		if (b->coef && p9_dfp_digits(b->coef) + b->exp - exp > op->format->digits)
			return p9_dfp_invalid(op, P9_FPSCR_VXCVI);
		if (b->coef)
			r.coef *= p9_dfp_power[b->exp - exp];
	} else if (exp > b->exp) {
		struct p9_dfp_wide w = {.lo = b->coef, .exp = b->exp};

		r.coef = p9_dfp_round_off(op, &w, (unsigned)(exp - b->exp), b->neg);
	}
	return r;
}

p9_u128 p9_dfp_qua(P9_DFP_ARGS, p9_u128 abits, p9_u128 bbits, p9_u128 old, unsigned rmc)
{
	struct p9_dfp_op op = p9_dfp_begin(*fpscr, f);
	struct p9_dfp_num a = p9_dfp_unpack(f, abits), b = p9_dfp_unpack(f, bbits), r;

	p9_dfp_set_rmc(&op, rmc & 3);
	if (p9_dfp_nan_result(&op, &r, &a, &b)) {
		;
	} else if (a.cls == P9_DFP_INF && b.cls == P9_DFP_INF) {
		r = (struct p9_dfp_num){.cls = P9_DFP_INF, .neg = b.neg};
	} else if (a.cls == P9_DFP_INF || b.cls == P9_DFP_INF) {
		r = p9_dfp_invalid(&op, P9_FPSCR_VXCVI);
	} else {
		r = with_exponent(&op, &b, a.exp);
	}
	return p9_dfp_finish(fpscr, &op, &r, old);
}

/* As dqua with 1 * 10^TE for a. */
p9_u128 p9_dfp_quai(P9_DFP_ARGS, int te, p9_u128 bbits, p9_u128 old, unsigned rmc)
{
	struct p9_dfp_num a = {.cls = P9_DFP_FINITE, .coef = 1, .exp = te};

	return p9_dfp_qua(fpscr, f, p9_dfp_pack(f, &a), bbits, old, rmc);
}

p9_u128 p9_dfp_rrnd(P9_DFP_ARGS, uint64_t k, p9_u128 bbits, p9_u128 old, unsigned rmc)
{
	struct p9_dfp_op op = p9_dfp_begin(*fpscr, f);
	struct p9_dfp_num b = p9_dfp_unpack(f, bbits), r = b;
	int wanted = (int)(k & 63), n = p9_dfp_digits(b.coef) - wanted;

	p9_dfp_set_rmc(&op, rmc & 3);
	if (b.cls == P9_DFP_INF) {
		r.coef = 0;
	} else if (!p9_dfp_nan_result(&op, &r, &b, &b) && wanted && n > 0) {
		struct p9_dfp_wide w = {.lo = b.coef, .exp = b.exp};

		r = b;
		r.coef = p9_dfp_round_off(&op, &w, (unsigned)n, b.neg);
		r.exp = b.exp + n;
		/* From 99..9 to the next power of ten, with as many digits. */
		if (r.coef == p9_dfp_power[wanted]) {
			r.coef /= 10;
			r.exp++;
		}
		if (r.exp > f->emax) {
			op.raised = 0;
			r = p9_dfp_invalid(&op, P9_FPSCR_VXCVI);
		}
	}
	return p9_dfp_finish(fpscr, &op, &r, old);
}

static p9_u128 round_to_integer(P9_DFP_ARGS, p9_u128 bbits, p9_u128 old, unsigned r_rmc,
				bool inexact)
{
	struct p9_dfp_op op = p9_dfp_begin(*fpscr, f);
	struct p9_dfp_num b = p9_dfp_unpack(f, bbits), r = b;

	p9_dfp_set_rmc(&op, r_rmc);
	if (b.cls == P9_DFP_INF)
		r.coef = 0;
	else if (!p9_dfp_nan_result(&op, &r, &b, &b) && b.exp < 0)
		r = with_exponent(&op, &b, 0);
	if (!inexact)
		op.raised &= ~(P9_FPSCR_XX | P9_FPSCR_FI | P9_FPSCR_FR);
	return p9_dfp_finish(fpscr, &op, &r, old);
}

p9_u128 p9_dfp_rintx(P9_DFP_ARGS, p9_u128 b, p9_u128 old, unsigned r_rmc)
{
	return round_to_integer(fpscr, f, b, old, r_rmc, true);
}

p9_u128 p9_dfp_rintn(P9_DFP_ARGS, p9_u128 b, p9_u128 old, unsigned r_rmc)
{
	return round_to_integer(fpscr, f, b, old, r_rmc, false);
}
