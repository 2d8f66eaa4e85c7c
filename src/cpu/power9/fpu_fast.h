/*
 * The common cases of double and single arithmetic on the host's floating-point hardware.
 *
 * Each function returns true when it has the result of the operation rounded to nearest, for
 * operands and results of which nothing but inexactness is to be said: the result is a normal
 * number, not the least one (which may have been tiny before rounding), or an exact zero.
 * Everything else, exceptions among it, is left to the core. Only plain IEEE operations in the
 * host's default mode are used. What the host did not tell, whether and where it rounded, follows
 * from the operands, exactly: from the rounding error of a sum (which is a double), or from
 * integer products. That is faster than to clear and read the host's exception flags, and these do
 * not tell FR.
 *
 * `error` has the sign of |exact| - |result|: 0 when exact, negative when rounding increased the
 * magnitude. It comes and goes without branches, for it is as good as random.
 */
#ifndef ANYKVM_CPU_POWER9_FPU_FAST_H
#define ANYKVM_CPU_POWER9_FPU_FAST_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "cpu/power9/fpu.h"
#include "util/compiler.h"

/* Results must be rounded to double at every step. */
_Static_assert(FLT_EVAL_METHOD == 0, "the host computes doubles in a wider format");

struct p9_fast {
	uint64_t bits;
	int64_t error;
};

#define P9_FAST_SIGN BIT64(63)

static inline double p9_fast_double(uint64_t bits)
{
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

static inline uint64_t p9_fast_bits(double d)
{
	uint64_t bits;

	memcpy(&bits, &d, sizeof(bits));
	return bits;
}

static inline float p9_fast_float(uint32_t bits)
{
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

static inline uint32_t p9_fast_float_bits(float f)
{
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

/* A single as the double of the same value, and back where that is exact. Not for NaNs. */
static inline uint64_t p9_fast_widen(uint32_t bits)
{
	return p9_fast_bits(p9_fast_float(bits));
}

static inline uint32_t p9_fast_to_single(uint64_t bits)
{
	return p9_fast_float_bits((float)p9_fast_double(bits));
}

/* Round to nearest, and the one exception that can occur here, inexact, not enabled. */
static inline bool p9_fast_mode(uint64_t fpscr)
{
	return !(fpscr & (P9_FPSCR_XE | P9_FPSCR_RN));
}

/* Biased exponent within first..last. */
static inline bool p9_fast_exponent(uint64_t bits, uint64_t first, uint64_t last)
{
	return (bits & ~P9_FAST_SIGN) - (first << 52) < (last - first + 1) << 52;
}

static inline bool p9_fast_normal(uint64_t bits)
{
	return p9_fast_exponent(bits, 1, 0x7fe);
}

static inline bool p9_fast_zero(uint64_t bits)
{
	return !(bits << 1);
}

/* A result of which nothing is to be said but its rounding. */
static inline bool p9_fast_safe(uint64_t bits)
{
	return p9_fast_exponent(bits, 2, 0x7fe);
}

static inline uint64_t p9_fast_significand(uint64_t bits)
{
	return (bits & (BIT64(52) - 1)) | BIT64(52);
}

static inline int p9_fast_exp(uint64_t bits)
{
	return (int)(bits >> 52) & 0x7ff;
}

static inline bool p9_fast_add(struct p9_fast *r, uint64_t a, uint64_t b)
{
	bool swap = (a & ~P9_FAST_SIGN) < (b & ~P9_FAST_SIGN);
	double large = p9_fast_double(swap ? b : a);
	double small = p9_fast_double(swap ? a : b);
	double s = p9_fast_double(a) + p9_fast_double(b);
	/* The error of a sum rounded to nearest, exactly (Dekker). */
	double e = small - (s - large);

	r->bits = p9_fast_bits(s);
	r->error = 0;
	if (UNLIKELY(!p9_fast_safe(r->bits)))
		return p9_fast_zero(r->bits); /* which is exact */
	r->error = e != 0 ? (int64_t)(p9_fast_bits(e) ^ (r->bits & P9_FAST_SIGN)) : 0;
	return true;
}

/*
 * x * 2^shift - y * z, for an x that is y * z rounded, or the other way round: the difference is
 * below 2^63, so it does not matter that the products are not.
 */
static inline int64_t p9_fast_residue(uint64_t x, int shift, uint64_t y, uint64_t z)
{
	return (int64_t)((x << shift) - y * z);
}

static inline bool p9_fast_mul(struct p9_fast *r, uint64_t a, uint64_t b)
{
	r->bits = p9_fast_bits(p9_fast_double(a) * p9_fast_double(b));
	r->error = 0;
	if (UNLIKELY(!p9_fast_normal(a) || !p9_fast_normal(b)))
		return (p9_fast_zero(a) && p9_fast_exp(b) != 0x7ff) ||
		       (p9_fast_zero(b) && p9_fast_exp(a) != 0x7ff);
	if (UNLIKELY(!p9_fast_safe(r->bits)))
		return false;
	r->error = -p9_fast_residue(p9_fast_significand(r->bits),
				    p9_fast_exp(r->bits) - p9_fast_exp(a) - p9_fast_exp(b) + 1075,
				    p9_fast_significand(a), p9_fast_significand(b));
	return true;
}

static inline bool p9_fast_div(struct p9_fast *r, uint64_t a, uint64_t b)
{
	r->bits = p9_fast_bits(p9_fast_double(a) / p9_fast_double(b));
	r->error = 0;
	if (UNLIKELY(!p9_fast_normal(a) || !p9_fast_normal(b)))
		return p9_fast_zero(a) && p9_fast_normal(b);
	if (UNLIKELY(!p9_fast_safe(r->bits)))
		return false;
	r->error = p9_fast_residue(p9_fast_significand(a),
				   p9_fast_exp(a) - p9_fast_exp(r->bits) - p9_fast_exp(b) + 1075,
				   p9_fast_significand(r->bits), p9_fast_significand(b));
	return true;
}

static inline bool p9_fast_sqrt(struct p9_fast *r, uint64_t b)
{
	uint64_t m;

	if (UNLIKELY(!p9_fast_normal(b) || b >> 63))
		return false;
	r->bits = p9_fast_bits(sqrt(p9_fast_double(b)));
	m = p9_fast_significand(r->bits);
	r->error = p9_fast_residue(p9_fast_significand(b),
				   p9_fast_exp(b) - 2 * p9_fast_exp(r->bits) + 1075, m, m);
	return true;
}

/*
 * a * c + b in integers: the hardware's fused operation would not tell how it rounded.
 */
static inline bool p9_fast_madd(struct p9_fast *r, uint64_t a, uint64_t b, uint64_t c)
{
	p9_u128 p, q, s, small, minus;
	uint64_t neg, high, rest, up;
	int exp, shift, lead;
	bool swap;

	if (UNLIKELY(!p9_fast_normal(a) || !p9_fast_normal(c) || !p9_fast_normal(b))) {
		/* Zeros are common in products of matrices. */
		if (p9_fast_zero(b) && p9_fast_normal(a) && p9_fast_normal(c))
			return p9_fast_mul(r, a, c);
		if ((p9_fast_zero(a) && p9_fast_exp(c) != 0x7ff) ||
		    (p9_fast_zero(c) && p9_fast_exp(a) != 0x7ff))
			return p9_fast_add(r, (a ^ c) & P9_FAST_SIGN, b);
		return false;
	}

	/* Both with the leading bit at 124 or 125; exp is that of bit 124, biased. */
	p = (p9_u128)p9_fast_significand(a) * p9_fast_significand(c) << 20;
	q = (p9_u128)(p9_fast_significand(b) << 8) << 64;
	exp = p9_fast_exp(a) + p9_fast_exp(c) - 1023;
	shift = exp - p9_fast_exp(b);
	swap = shift < 0;
	exp = swap ? p9_fast_exp(b) : exp;
	s = swap ? q : p;
	small = swap ? p : q;
	neg = (swap ? b : a ^ c) & P9_FAST_SIGN;
	shift = swap ? -shift : shift;
	/* The product has 20 zeros at its end, and b more: only beyond that are bits lost, to the
	 * sticky one. As in p9_fp_add, no more than one leading bit cancels then. */
	if (LIKELY(shift <= 20))
		small >>= shift;
	else
		small = shift < 127 ? small >> shift | (small << 1 << (127 - shift) != 0) : 1;

	/* Add or subtract; the sign of the difference becomes that of the result. */
	minus = -(p9_u128)((a ^ b ^ c) >> 63);
	s += (small ^ minus) - minus;
	minus = -(s >> 127);
	s = (s ^ minus) - minus;
	neg ^= (uint64_t)minus & P9_FAST_SIGN;
	if (UNLIKELY(!(uint64_t)(s >> 64))) {
		if (!s) {
			r->bits = 0;
			r->error = 0;
			return true;
		}
		s <<= 64;
		exp -= 64;
	}
	lead = __builtin_clzll((uint64_t)(s >> 64));
	s <<= lead;
	exp += 3 - lead;
	if (UNLIKELY(exp < 2 || exp > 0x7fd))
		return false;
	/* 53 bits, a rounding bit, and the rest. */
	high = (uint64_t)(s >> 64);
	rest = (high & 0x3ff) | ((uint64_t)s != 0);
	up = high >> 10 & ((rest != 0) | high >> 11) & 1;
	/* The hidden bit adds the 1 that is missing in exp - 1; a carry increments it again. */
	r->bits = (((uint64_t)(exp - 1) << 52) + (high >> 11) + up) | neg;
	r->error = (int64_t)(rest | (high & 0x400)) * (1 - 2 * (int64_t)up);
	return true;
}

/*
 * A double rounded to nearest, and its error, to single: the bits of the single as a double.
 * Rounding twice would go wrong near ties: so the double is first rounded to odd instead, which
 * keeps it on the right side of every tie.
 */
static inline bool p9_fast_narrow(struct p9_fast *r)
{
	uint64_t d = r->bits, s;

	/* An even double moves to its odd neighbour on the side of the exact value. */
	d += (uint64_t)(r->error >> 63 | 1) & -(uint64_t)(r->error != 0 && !(d & 1));
	s = p9_fast_bits((double)(float)p9_fast_double(d));
	if (UNLIKELY(!p9_fast_exponent(s, 898, 1150)))
		return !r->error && p9_fast_zero(d);
	r->bits = s;
	r->error = (int64_t)(d - s);
	return true;
}

/* The FPRF of a normal number (FL is left of FG) or a zero. */
static inline uint64_t p9_fast_fprf(uint64_t bits)
{
	uint64_t neg = bits >> 63;

	return p9_fast_zero(bits) ? P9_FPSCR_FE | P9_FPSCR_C * neg : P9_FPSCR_FG << neg;
}

/* Ends a scalar operation whose result is of one of these functions. */
static inline uint64_t p9_fast_finish(uint64_t *fpscr, const struct p9_fast *r)
{
	uint64_t f = *fpscr & ~(P9_FPSCR_FR | P9_FPSCR_FI | P9_FPSCR_FPRF);

	f |= p9_fast_fprf(r->bits);
	f |= r->error != 0 ? P9_FPSCR_FI : 0;
	f |= r->error < 0 ? P9_FPSCR_FR : 0;
	if (UNLIKELY(!(f & P9_FPSCR_XX)) && r->error)
		f |= P9_FPSCR_XX | P9_FPSCR_FX;
	*fpscr = f;
	return r->bits;
}

/*
 * a * c + b with a single result. The product of operands that are singles, as they ought to be,
 * is exact in double.
 */
static inline bool p9_fast_madds(struct p9_fast *r, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t p = p9_fast_bits(p9_fast_double(a) * p9_fast_double(c));

	if (LIKELY(!((a | c) & 0x1fffffff) &&
		   (p9_fast_safe(p) || p9_fast_zero(a) || p9_fast_zero(c))))
		return p9_fast_add(r, p, b) && p9_fast_narrow(r);
	return p9_fast_madd(r, a, b, c) && p9_fast_narrow(r);
}

#endif
