/*
 * Decimal arithmetic and comparison (Power ISA 3.0B, Book I 5.6.1 and 5.6.2).
 */
#include "cpu/power9/dfp_core.h"

#include "cpu/power9/fpu_core.h"

#define UNIT (p9_dfp_power[P9_DFP_HALF])

static struct p9_dfp_num infinity(bool neg)
{
	return (struct p9_dfp_num){.cls = P9_DFP_INF, .neg = neg};
}

/* The sum of two magnitudes that do not reach 10^68, and the difference of a greater and a less. */

static struct p9_dfp_wide sum(struct p9_dfp_wide x, const struct p9_dfp_wide *y)
{
	x.lo += y->lo;
	x.hi += y->hi;
	if (x.lo >= UNIT) {
		x.lo -= UNIT;
		x.hi++;
	}
	return x;
}

static struct p9_dfp_wide difference(struct p9_dfp_wide x, const struct p9_dfp_wide *y, bool borrow)
{
	p9_u128 less = y->lo + borrow;

	x.hi -= y->hi + (x.lo < less);
	x.lo += (x.lo < less ? UNIT : 0) - less;
	return x;
}

/* Two nonzero finite numbers; a's exponent is not the less. */
static struct p9_dfp_num add_aligned(struct p9_dfp_op *op, const struct p9_dfp_num *a,
				     const struct p9_dfp_num *b)
{
	int distance = a->exp - b->exp;
	struct p9_dfp_wide x, y = {.lo = b->coef};
	bool neg = a->neg;

	if (distance <= P9_DFP_HALF) {
		x = p9_dfp_shift_left(a->coef, (unsigned)distance);
		x.exp = b->exp;
	} else {
		/* a with 34 digits and 34 zeros after them; of b's digits some may be below. */
		int zeros = P9_DFP_HALF - p9_dfp_digits(a->coef);

		x = (struct p9_dfp_wide){.hi = a->coef * p9_dfp_power[zeros],
					 .exp = a->exp - zeros - P9_DFP_HALF};
		if (b->exp >= x.exp)
			y = p9_dfp_shift_left(b->coef, (unsigned)(b->exp - x.exp));
		else
			p9_dfp_drop(&y, (unsigned)(x.exp - b->exp));
	}
	x.more = y.more;
	if (a->neg == b->neg) {
		x = sum(x, &y);
	} else if (x.hi > y.hi || (x.hi == y.hi && x.lo >= y.lo)) {
		/* With `more`, x is greater by far; what is left over is one less the rest. */
		x = difference(x, &y, y.more);
		if (!x.hi && !x.lo)
			neg = op->round == P9_DRN_DOWN;
	} else {
		y.exp = x.exp;
		x = difference(y, &x, false);
		neg = b->neg;
	}
	return p9_dfp_round(op, x, neg, b->exp);
}

static struct p9_dfp_num add(struct p9_dfp_op *op, const struct p9_dfp_num *a,
			     const struct p9_dfp_num *b)
{
	struct p9_dfp_num r;
	int ideal = a->exp < b->exp ? a->exp : b->exp;

	if (a->cls == P9_DFP_INF && b->cls == P9_DFP_INF && a->neg != b->neg)
		return p9_dfp_invalid(op, P9_FPSCR_VXISI);
	if (a->cls == P9_DFP_INF)
		return infinity(a->neg);
	if (b->cls == P9_DFP_INF)
		return infinity(b->neg);
	if (a->coef && b->coef)
		return a->exp >= b->exp ? add_aligned(op, a, b) : add_aligned(op, b, a);
	if (!a->coef && !b->coef) {
		r = *a;
		if (a->neg != b->neg)
			r.neg = op->round == P9_DRN_DOWN;
	} else {
		r = a->coef ? *a : *b;
	}
	return p9_dfp_round(op, (struct p9_dfp_wide){.lo = r.coef, .exp = r.exp}, r.neg, ideal);
}

static p9_u128 add_or_sub(P9_DFP_ARGS, p9_u128 abits, p9_u128 bbits, p9_u128 old, bool subtract)
{
	struct p9_dfp_op op = p9_dfp_begin(*fpscr, f);
	struct p9_dfp_num a = p9_dfp_unpack(f, abits), b = p9_dfp_unpack(f, bbits), r;

	if (!p9_dfp_nan_result(&op, &r, &a, &b)) {
		b.neg ^= subtract;
		r = add(&op, &a, &b);
	}
	return p9_dfp_finish(fpscr, &op, &r, old);
}

p9_u128 p9_dfp_add(P9_DFP_ARGS, p9_u128 a, p9_u128 b, p9_u128 old)
{
	return add_or_sub(fpscr, f, a, b, old, false);
}

p9_u128 p9_dfp_sub(P9_DFP_ARGS, p9_u128 a, p9_u128 b, p9_u128 old)
{
	return add_or_sub(fpscr, f, a, b, old, true);
}

/* The 68 digits of a product, by halves of 17. */
static struct p9_dfp_wide product(p9_u128 a, p9_u128 b)
{
	p9_u128 half = p9_dfp_power[P9_DFP_HALF / 2];
	uint64_t ah = (uint64_t)(a / half), al = (uint64_t)(a % half);
	uint64_t bh = (uint64_t)(b / half), bl = (uint64_t)(b % half);
	p9_u128 middle = (p9_u128)ah * bl + (p9_u128)al * bh;
	struct p9_dfp_wide w = {
		.hi = (p9_u128)ah * bh + middle / half,
		.lo = (p9_u128)al * bl + middle % half * half,
	};

	if (w.lo >= UNIT) {
		w.lo -= UNIT;
		w.hi++;
	}
	return w;
}

p9_u128 p9_dfp_mul(P9_DFP_ARGS, p9_u128 abits, p9_u128 bbits, p9_u128 old)
{
	struct p9_dfp_op op = p9_dfp_begin(*fpscr, f);
	struct p9_dfp_num a = p9_dfp_unpack(f, abits), b = p9_dfp_unpack(f, bbits), r;

	if (p9_dfp_nan_result(&op, &r, &a, &b)) {
		;
	} else if (a.cls == P9_DFP_INF || b.cls == P9_DFP_INF) {
		if (p9_dfp_is_zero(&a) || p9_dfp_is_zero(&b))
			r = p9_dfp_invalid(&op, P9_FPSCR_VXIMZ);
		else
			r = infinity(a.neg ^ b.neg);
	} else {
		struct p9_dfp_wide w = product(a.coef, b.coef);

		w.exp = a.exp + b.exp;
		r = p9_dfp_round(&op, w, a.neg ^ b.neg, w.exp);
	}
	return p9_dfp_finish(fpscr, &op, &r, old);
}

/*
 * a / b, neither zero, to two digits more than the format has: long division, with as many digits
 * a step as leave the remainder within 128 bits.
 */
static struct p9_dfp_wide quotient(const struct p9_dfp_format *f, const struct p9_dfp_num *a,
				   const struct p9_dfp_num *b)
{
	struct p9_dfp_wide q = {.lo = a->coef / b->coef, .exp = a->exp - b->exp};
	p9_u128 rest = a->coef - q.lo * b->coef;
	int most = 38 - p9_dfp_digits(b->coef), wanted = f->digits + 2;

	while (rest) {
		int have = q.hi ? P9_DFP_HALF + p9_dfp_digits(q.hi) : p9_dfp_digits(q.lo);
		int step = wanted - have < most ? wanted - have : most;
		struct p9_dfp_wide shifted;
		p9_u128 digits;

		if (step <= 0)
			break;
		if (step > P9_DFP_HALF)
			step = P9_DFP_HALF;
		rest *= p9_dfp_power[step];
		/* hi is less than 10^2 here: the quotient has no more digits than are wanted. */
		shifted = p9_dfp_shift_left(q.lo, (unsigned)step);
		shifted.hi += q.hi * p9_dfp_power[step];
		shifted.exp = q.exp - step;
		digits = rest / b->coef;
		rest -= digits * b->coef;
		q = sum(shifted, &(struct p9_dfp_wide){.lo = digits});
	}
	q.more = rest != 0;
	return q;
}

static struct p9_dfp_num divide(struct p9_dfp_op *op, const struct p9_dfp_num *a,
				const struct p9_dfp_num *b)
{
	bool neg = a->neg ^ b->neg;
	struct p9_dfp_num r = {.cls = P9_DFP_FINITE, .neg = neg};

	if (a->cls == P9_DFP_INF)
		return b->cls == P9_DFP_INF ? p9_dfp_invalid(op, P9_FPSCR_VXIDI) : infinity(neg);
	if (b->cls == P9_DFP_INF) {
		r.exp = p9_dfp_min_exp(op->format);
		return r;
	}
	if (!b->coef) {
		if (!a->coef)
			return p9_dfp_invalid(op, P9_FPSCR_VXZDZ);
		op->raised |= P9_FPSCR_ZX;
		return infinity(neg);
	}
	if (!a->coef)
		return p9_dfp_round(op, (struct p9_dfp_wide){0}, neg, a->exp - b->exp);
	return p9_dfp_round(op, quotient(op->format, a, b), neg, a->exp - b->exp);
}

p9_u128 p9_dfp_div(P9_DFP_ARGS, p9_u128 abits, p9_u128 bbits, p9_u128 old)
{
	struct p9_dfp_op op = p9_dfp_begin(*fpscr, f);
	struct p9_dfp_num a = p9_dfp_unpack(f, abits), b = p9_dfp_unpack(f, bbits), r;

	if (!p9_dfp_nan_result(&op, &r, &a, &b))
		r = divide(&op, &a, &b);
	return p9_dfp_finish(fpscr, &op, &r, old);
}

/* -1, 0, 1 as the magnitude of a is less than, equal to or greater than b's. */
static int compare_magnitude(const struct p9_dfp_num *a, const struct p9_dfp_num *b)
{
	int adigits = p9_dfp_digits(a->coef), bdigits = p9_dfp_digits(b->coef);
	p9_u128 x = a->coef, y = b->coef;

	if (a->cls == P9_DFP_INF || b->cls == P9_DFP_INF)
		return (a->cls == P9_DFP_INF) - (b->cls == P9_DFP_INF);
	if (!x || !y)
		return (x != 0) - (y != 0);
	if (a->exp + adigits != b->exp + bdigits)
		return a->exp + adigits < b->exp + bdigits ? -1 : 1;
	/* Leading digits of one place: the shorter gets zeros. */
	if (adigits < bdigits)
		x *= p9_dfp_power[bdigits - adigits];
	else
		y *= p9_dfp_power[adigits - bdigits];
	return (x > y) - (x < y);
}

static unsigned compare(P9_DFP_ARGS, p9_u128 abits, p9_u128 bbits, bool ordered)
{
	struct p9_dfp_num a = p9_dfp_unpack(f, abits), b = p9_dfp_unpack(f, bbits);
	uint64_t raised = 0;
	unsigned cr = P9_CR_UN;

	if (p9_dfp_is_nan(&a) || p9_dfp_is_nan(&b)) {
		if (a.cls == P9_DFP_SNAN || b.cls == P9_DFP_SNAN)
			raised = P9_FPSCR_VXSNAN;
		/* With VE, VXVC is only for quiet NaNs. */
		if (ordered && !(raised && (*fpscr & P9_FPSCR_VE)))
			raised |= P9_FPSCR_VXVC;
	} else {
		int order = compare_magnitude(&a, &b);

		if (p9_dfp_is_zero(&a) && p9_dfp_is_zero(&b))
			cr = P9_CR_EQ;
		else if (a.neg != b.neg)
			cr = a.neg ? P9_CR_LT : P9_CR_GT;
		else if (!order)
			cr = P9_CR_EQ;
		else
			cr = (order < 0) != a.neg ? P9_CR_LT : P9_CR_GT;
	}
	p9_fp_raise(fpscr, raised);
	return p9_dfp_set_fpcc(fpscr, cr);
}

unsigned p9_dfp_cmpu(P9_DFP_ARGS, p9_u128 a, p9_u128 b)
{
	return compare(fpscr, f, a, b, false);
}

unsigned p9_dfp_cmpo(P9_DFP_ARGS, p9_u128 a, p9_u128 b)
{
	return compare(fpscr, f, a, b, true);
}
