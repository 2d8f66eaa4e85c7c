/*
 * Exact arithmetic on unpacked numbers, and its special operands (ISA tables of 4.4 and 7.4).
 */
#include <stddef.h>
#include "cpu/power9/fpu_core.h"

static struct p9_fp_num default_nan(void)
{
	return (struct p9_fp_num){.cls = P9_FP_QNAN, .hi = (p9_u128)1 << 126};
}

static struct p9_fp_num invalid(struct p9_fp_op *op, uint64_t cause)
{
	op->raised |= cause;
	return default_nan();
}

static struct p9_fp_num signed_zero(bool neg)
{
	return (struct p9_fp_num){.cls = P9_FP_ZERO, .neg = neg};
}

static struct p9_fp_num signed_inf(bool neg)
{
	return (struct p9_fp_num){.cls = P9_FP_INF, .neg = neg};
}

bool p9_fp_nan_result(struct p9_fp_op *op, struct p9_fp_num *r, const struct p9_fp_num *a,
		      const struct p9_fp_num *b, const struct p9_fp_num *c)
{
	const struct p9_fp_num *operand[3] = {a, b, c}, *first = NULL;

	for (int i = 0; i < 3; i++) {
		if (!operand[i] || !p9_fp_is_nan(operand[i]))
			continue;
		if (operand[i]->cls == P9_FP_SNAN)
			op->raised |= P9_FPSCR_VXSNAN;
		if (!first)
			first = operand[i];
	}
	if (!first)
		return false;
	*r = *first;
	r->cls = P9_FP_QNAN;
	r->hi |= (p9_u128)1 << 126;
	return true;
}

/* Shift left until the top bit is set; hi:lo is not 0. */
static void normalise(struct p9_fp_num *n)
{
	int shift;

	if (!n->hi) {
		n->hi = n->lo;
		n->lo = 0;
		n->exp -= 128;
	}
	shift = p9_fp_clz128(n->hi);
	if (shift) {
		n->hi = n->hi << shift | n->lo >> (128 - shift);
		n->lo <<= shift;
		n->exp -= shift;
	}
}

/*
 * The sum of two finite numbers. The larger one is shifted by one place only, to leave room for
 * the carry; both operands have more than 29 zeros at the end, so nothing is lost of the
 * smaller one unless their exponents differ by that much, and then at most one leading bit
 * cancels: the sticky bit stays far below any rounding position.
 */
static struct p9_fp_num sum(struct p9_fp_op *op, const struct p9_fp_num *a,
			    const struct p9_fp_num *b)
{
	struct p9_fp_num x = *a, y = *b;
	p9_u128 lo;

	if (x.exp < y.exp) {
		x = *b;
		y = *a;
	}
	p9_fp_shift_right(&y, x.exp - y.exp + 1);
	p9_fp_shift_right(&x, 1);
	if (x.neg == y.neg) {
		lo = x.lo + y.lo;
		x.hi += y.hi + (lo < x.lo);
		x.lo = lo;
	} else {
		if (x.hi < y.hi || (x.hi == y.hi && x.lo < y.lo)) {
			struct p9_fp_num t = x;

			x = y;
			y = t;
		}
		x.hi -= y.hi + (x.lo < y.lo);
		x.lo -= y.lo;
		if (!x.hi && !x.lo)
			return signed_zero(op->round == P9_ROUND_DOWN);
	}
	normalise(&x);
	return x;
}

/* a + b where neither is a NaN. */
static struct p9_fp_num add_numbers(struct p9_fp_op *op, const struct p9_fp_num *a,
				    const struct p9_fp_num *b)
{
	if (a->cls == P9_FP_INF || b->cls == P9_FP_INF) {
		if (a->cls == b->cls && a->neg != b->neg)
			return invalid(op, P9_FPSCR_VXISI);
		return signed_inf(a->cls == P9_FP_INF ? a->neg : b->neg);
	}
	if (a->cls == P9_FP_ZERO && b->cls == P9_FP_ZERO) {
		if (a->neg == b->neg)
			return *a;
		return signed_zero(op->round == P9_ROUND_DOWN);
	}
	if (a->cls == P9_FP_ZERO)
		return *b;
	if (b->cls == P9_FP_ZERO)
		return *a;
	return sum(op, a, b);
}

struct p9_fp_num p9_fp_add(struct p9_fp_op *op, const struct p9_fp_num *a,
			   const struct p9_fp_num *b)
{
	struct p9_fp_num r;

	if (p9_fp_nan_result(op, &r, a, b, NULL))
		return r;
	return add_numbers(op, a, b);
}

struct p9_fp_num p9_fp_sub(struct p9_fp_op *op, const struct p9_fp_num *a,
			   const struct p9_fp_num *b)
{
	struct p9_fp_num r, minus = *b;

	if (p9_fp_nan_result(op, &r, a, b, NULL))
		return r;
	minus.neg = !b->neg;
	return add_numbers(op, a, &minus);
}

/* The 256-bit product of two significands. */
static struct p9_fp_num product(const struct p9_fp_num *a, const struct p9_fp_num *b)
{
	struct p9_fp_num r = {
	    .cls = P9_FP_FINITE, .neg = a->neg != b->neg, .exp = a->exp + b->exp + 1};
	uint64_t a1 = (uint64_t)(a->hi >> 64), a0 = (uint64_t)a->hi;
	uint64_t b1 = (uint64_t)(b->hi >> 64), b0 = (uint64_t)b->hi;
	p9_u128 mid = (p9_u128)a1 * b0, mid2 = (p9_u128)a0 * b1;
	p9_u128 low = (p9_u128)a0 * b0;
	p9_u128 carry = (low >> 64) + (uint64_t)mid + (uint64_t)mid2;

	r.lo = carry << 64 | (uint64_t)low;
	r.hi = (p9_u128)a1 * b1 + (mid >> 64) + (mid2 >> 64) + (carry >> 64);
	normalise(&r);
	return r;
}

/* a * b where neither is a NaN. */
static struct p9_fp_num mul_numbers(struct p9_fp_op *op, const struct p9_fp_num *a,
				    const struct p9_fp_num *b)
{
	bool neg = a->neg != b->neg;

	if (a->cls == P9_FP_INF || b->cls == P9_FP_INF) {
		if (a->cls == P9_FP_ZERO || b->cls == P9_FP_ZERO)
			return invalid(op, P9_FPSCR_VXIMZ);
		return signed_inf(neg);
	}
	if (a->cls == P9_FP_ZERO || b->cls == P9_FP_ZERO)
		return signed_zero(neg);
	return product(a, b);
}

struct p9_fp_num p9_fp_mul(struct p9_fp_op *op, const struct p9_fp_num *a,
			   const struct p9_fp_num *b)
{
	struct p9_fp_num r;

	if (p9_fp_nan_result(op, &r, a, b, NULL))
		return r;
	return mul_numbers(op, a, b);
}

struct p9_fp_num p9_fp_madd(struct p9_fp_op *op, const struct p9_fp_num *a,
			    const struct p9_fp_num *b, const struct p9_fp_num *c, bool subtract)
{
	struct p9_fp_num r, p, addend = *b;
	bool nan = p9_fp_nan_result(op, &r, a, b, c);

	/* Infinity times zero is invalid even where the addend is a NaN, and is then the result. */
	if (!p9_fp_is_nan(a) && !p9_fp_is_nan(c))
		p = mul_numbers(op, a, c);
	if (nan)
		return r;
	if (p9_fp_is_nan(&p))
		return p;
	addend.neg ^= subtract;
	return add_numbers(op, &p, &addend);
}

/*
 * 2^128 * a / b for a < b, b with its top bit set, and the rest: long division by two digits
 * of 64 bits (Knuth's algorithm D). An estimated digit is at most 2 too great.
 */
static p9_u128 divide(p9_u128 a, p9_u128 b, p9_u128 *rest)
{
	uint64_t high = (uint64_t)(b >> 64), low = (uint64_t)b;
	p9_u128 quotient = 0;

	for (int i = 0; i < 2; i++) {
		p9_u128 digit = a / high, left;

		if (digit >> 64)
			digit = ~UINT64_C(0);
		left = a - digit * high;
		while (!(left >> 64) && digit * low > left << 64) {
			digit--;
			left += high;
		}
		a = (left << 64) - digit * low;
		quotient = quotient << 64 | digit;
	}
	*rest = a;
	return quotient;
}

struct p9_fp_num p9_fp_div(struct p9_fp_op *op, const struct p9_fp_num *a,
			   const struct p9_fp_num *b)
{
	bool neg = a->neg != b->neg;
	struct p9_fp_num r;
	p9_u128 rest;

	if (p9_fp_nan_result(op, &r, a, b, NULL))
		return r;
	if (a->cls == P9_FP_INF) {
		if (b->cls == P9_FP_INF)
			return invalid(op, P9_FPSCR_VXIDI);
		return signed_inf(neg);
	}
	if (b->cls == P9_FP_INF)
		return signed_zero(neg);
	if (b->cls == P9_FP_ZERO) {
		if (a->cls == P9_FP_ZERO)
			return invalid(op, P9_FPSCR_VXZDZ);
		op->raised |= P9_FPSCR_ZX;
		return signed_inf(neg);
	}
	if (a->cls == P9_FP_ZERO)
		return signed_zero(neg);

	r = (struct p9_fp_num){.cls = P9_FP_FINITE,
			       .neg = neg,
			       .exp = a->exp - b->exp,
			       .hi = divide(a->hi >> 1, b->hi, &rest)};
	r.lo = rest != 0;
	/* The sticky bit must stay at the end whether or not the quotient is below 1. */
	if (!(r.hi >> 127)) {
		r.hi <<= 1;
		r.exp--;
	}
	return r;
}

/*
 * The first `bits` bits of a square root; *radicand becomes not 0 if there are more. Two digits of
 * the radicand give one of the root.
 */
static p9_u128 square_root(p9_u128 *radicand, int bits)
{
	p9_u128 x = *radicand, rest = 0, root = 0;

	if (bits <= 60) {
		/* As below, in a machine word. */
		uint64_t rest64 = 0, root64 = 0;

		for (int i = 0; i < bits; i++) {
			uint64_t digit;

			rest64 = rest64 << 2 | (uint64_t)(x >> 126);
			x <<= 2;
			digit = rest64 >= (root64 << 2 | 1);
			rest64 -= (root64 << 2 | 1) & -digit;
			root64 = root64 << 1 | digit;
		}
		*radicand = x | rest64;
		return root64;
	}
	for (int i = 0; i < bits; i++) {
		p9_u128 digit;

		rest = rest << 2 | x >> 126;
		x <<= 2;
		digit = rest >= (root << 2 | 1);
		rest -= (root << 2 | 1) & -digit;
		root = root << 1 | digit;
	}
	*radicand = x | rest;
	return root;
}

struct p9_fp_num p9_fp_sqrt(struct p9_fp_op *op, const struct p9_fp_num *b)
{
	int bits = op->format->frac_bits + 4;
	p9_u128 radicand, root;
	struct p9_fp_num r;
	int exp = b->exp;

	if (p9_fp_nan_result(op, &r, b, NULL, NULL))
		return r;
	if (b->cls == P9_FP_ZERO)
		return *b;
	if (b->neg)
		return invalid(op, P9_FPSCR_VXSQRT);
	if (b->cls == P9_FP_INF)
		return *b;

	/* The radicand has two digits before the point; an odd exponent lends it one. */
	if (exp & 1) {
		radicand = b->hi;
		exp--;
	} else {
		radicand = b->hi >> 1;
	}
	root = square_root(&radicand, bits);
	return (struct p9_fp_num){
	    .cls = P9_FP_FINITE, .exp = exp / 2, .hi = root << (128 - bits), .lo = radicand != 0};
}

struct p9_fp_num p9_fp_estimate(struct p9_fp_op *op, const struct p9_fp_num *b, bool root)
{
	static const struct p9_fp_num one = {.cls = P9_FP_FINITE, .hi = (p9_u128)1 << 127};
	const struct p9_fp_format *format = op->format;
	struct p9_fp_num x = *b, r;

	/* Both steps are rounded, the first one to double. */
	if (root) {
		op->format = &p9_fp_double;
		x = p9_fp_sqrt(op, b);
		p9_fp_round(op, &x);
		op->format = format;
	}
	r = p9_fp_div(op, &one, &x);
	p9_fp_round(op, &r);
	op->raised &= ~(P9_FPSCR_XX | P9_FPSCR_FI | P9_FPSCR_FR);
	return r;
}
