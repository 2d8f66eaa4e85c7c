/*
 * The integer core of the floating-point unit: exact numbers, and the one rounding.
 *
 * Every operation here is: unpack the operands into struct p9_fp_num, compute the exact result
 * (to 256 bits with the last one sticky, which is more than any rounding looks at), round it once
 * to the target's precision and range with p9_fp_round(), pack it. What may go wrong is gathered
 * in struct p9_fp_op and takes effect in p9_fp_finish() or p9_fpv_commit() only. The core serves
 * all formats and all modes; it is also the reference for the host's arithmetic in fpu_fast.h.
 */
#ifndef ANYKVM_CPU_POWER9_FPU_CORE_H
#define ANYKVM_CPU_POWER9_FPU_CORE_H

#include "cpu/power9/fpu.h"

enum p9_fp_class { P9_FP_ZERO, P9_FP_FINITE, P9_FP_INF, P9_FP_QNAN, P9_FP_SNAN };

/*
 * A finite number is hi:lo / 2^255 * 2^(exp + 1) with the top bit of hi set, that is 1.xxx * 2^exp;
 * an unpacked operand has lo = 0 and at most 113 bits in hi. Of a NaN, the fraction field
 * stands in hi from bit 126 down, as of a number, so that a narrower format truncates it.
 */
struct p9_fp_num {
	enum p9_fp_class cls;
	bool neg;
	int exp;
	p9_u128 hi;
	p9_u128 lo;
};

struct p9_fp_format {
	int exp_bits;
	int frac_bits;
	int emin; /* exponent of the least normal number */
	int emax;
	int wrap; /* exponent adjustment of enabled overflow and underflow */
};

extern const struct p9_fp_format p9_fp_half;
extern const struct p9_fp_format p9_fp_single;
extern const struct p9_fp_format p9_fp_double;
extern const struct p9_fp_format p9_fp_quad;

/* One operation under way. */
struct p9_fp_op {
	uint64_t fpscr;  /* the enable bits count here */
	uint64_t raised; /* exceptions, FR and FI, in their FPSCR places */
	enum p9_fp_round round;
	const struct p9_fp_format *format; /* of the result */
};

static inline struct p9_fp_op p9_fp_begin(uint64_t fpscr, const struct p9_fp_format *format)
{
	return (struct p9_fp_op){.fpscr = fpscr, .round = fpscr & P9_FPSCR_RN, .format = format};
}

static inline bool p9_fp_is_nan(const struct p9_fp_num *n)
{
	return n->cls >= P9_FP_QNAN;
}

/* Leading zeros; v is not 0. */
static inline int p9_fp_clz128(p9_u128 v)
{
	uint64_t high = (uint64_t)(v >> 64);

	return high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)v);
}

/*
 * Does the magnitude grow by one unit? `odd` is the last bit kept, `half` the first one lost,
 * `more` the OR of the others. No branches, for it is as good as random.
 */
static inline bool p9_fp_round_up(enum p9_fp_round mode, bool neg, bool odd, bool half, bool more)
{
	switch (mode) {
	case P9_ROUND_NEAREST:
		return half & (more | odd);
	case P9_ROUND_AWAY:
		return half;
	case P9_ROUND_UP:
		return (half | more) & !neg;
	case P9_ROUND_DOWN:
		return neg & (half | more);
	case P9_ROUND_ODD:
		return (half | more) & !odd;
	default:
		return false;
	}
}

/* Shift the significand of a finite number right, the bits lost ORed into the last one. */
void p9_fp_shift_right(struct p9_fp_num *n, int shift);

struct p9_fp_num p9_fp_unpack(const struct p9_fp_format *f, p9_u128 bits);

/* `n` must have been rounded to `f`, or to a narrower format. */
p9_u128 p9_fp_pack(const struct p9_fp_format *f, const struct p9_fp_num *n);

/*
 * Round to `prec` bits in the format's range (p9_fp_round: to the format's precision): FI, FR, XX,
 * OX and UX with their enabled and disabled results. Tininess is found before rounding. A NaN's
 * fraction is cut to the precision.
 */
void p9_fp_round_to(struct p9_fp_op *op, struct p9_fp_num *n, int prec);

static inline void p9_fp_round(struct p9_fp_op *op, struct p9_fp_num *n)
{
	p9_fp_round_to(op, n, op->format->frac_bits + 1);
}

/* The FPRF value of a rounded number. */
unsigned p9_fp_fprf(const struct p9_fp_num *n, const struct p9_fp_format *f);

/*
 * The exact operations, not rounded: NaNs, infinities, zeros with their invalid operations.
 * A square root gives no more bits than the format of the result needs.
 */
struct p9_fp_num p9_fp_add(struct p9_fp_op *op, const struct p9_fp_num *a,
			   const struct p9_fp_num *b);
struct p9_fp_num p9_fp_sub(struct p9_fp_op *op, const struct p9_fp_num *a,
			   const struct p9_fp_num *b);
struct p9_fp_num p9_fp_mul(struct p9_fp_op *op, const struct p9_fp_num *a,
			   const struct p9_fp_num *b);
struct p9_fp_num p9_fp_div(struct p9_fp_op *op, const struct p9_fp_num *a,
			   const struct p9_fp_num *b);
struct p9_fp_num p9_fp_sqrt(struct p9_fp_op *op, const struct p9_fp_num *b);
/* a * c + b, or a * c - b; a NaN b is not negated. */
struct p9_fp_num p9_fp_madd(struct p9_fp_op *op, const struct p9_fp_num *a,
			    const struct p9_fp_num *b, const struct p9_fp_num *c, bool subtract);

/* 1 / b or 1 / sqrt(b), rounded, with the exceptions of an estimate: see p9_fpu_re. */
struct p9_fp_num p9_fp_estimate(struct p9_fp_op *op, const struct p9_fp_num *b, bool root);

/* The NaN result of an operand list in order of priority (NULL ends it): quieted, VXSNAN raised
 * by any signalling one. False when none is a NaN. */
bool p9_fp_nan_result(struct p9_fp_op *op, struct p9_fp_num *r, const struct p9_fp_num *a,
		      const struct p9_fp_num *b, const struct p9_fp_num *c);

/* A number of another format, quieted if a NaN, rounded to that of the operation. */
struct p9_fp_num p9_fp_convert(struct p9_fp_op *op, const struct p9_fp_format *from, p9_u128 bits);

/*
 * To an integral value, by `mode`; returns it as a number. XX, FI, FR are raised if `exact`.
 */
struct p9_fp_num p9_fp_integral(struct p9_fp_op *op, const struct p9_fp_num *b,
				enum p9_fp_round mode, bool exact);

/*
 * To an integer of `bits` bits, saturated when out of range (VXCVI), the least value for a NaN.
 * The result is sign-extended or zero-extended to 64 bits.
 */
uint64_t p9_fp_to_int(struct p9_fp_op *op, const struct p9_fp_num *b, enum p9_fp_round mode,
		      unsigned bits, bool is_signed);
struct p9_fp_num p9_fp_from_int(uint64_t v, bool is_signed);

/* -1, 0, 1; neither may be a NaN. */
int p9_fp_compare(const struct p9_fp_num *a, const struct p9_fp_num *b);

/*
 * True when the exceptions raised suppress a scalar's result, see fpu.h.
 */
static inline bool p9_fp_suppressed(const struct p9_fp_op *op)
{
	return ((op->raised & P9_FPSCR_VX_ANY) && (op->fpscr & P9_FPSCR_VE)) ||
	       ((op->raised & P9_FPSCR_ZX) && (op->fpscr & P9_FPSCR_ZE));
}

/* Adds the exceptions raised to the FPSCR, with FX, VX and FEX; touches nothing else. */
void p9_fp_raise(uint64_t *fpscr, uint64_t raised);

/*
 * Ends a scalar operation with the rounded result `r`: exceptions, FR, FI, and FPRF unless
 * suppressed. Returns false when the result is suppressed. p9_fp_finish_int is for results
 * without a class: FPRF is kept.
 */
bool p9_fp_finish(uint64_t *fpscr, const struct p9_fp_op *op, const struct p9_fp_num *r);
bool p9_fp_finish_int(uint64_t *fpscr, const struct p9_fp_op *op);

/*
 * Conversions of doubles without the detour over struct p9_fp_num (fpu_convert.c); with
 * p9_fpu_double and p9_fpu_single they serve singles too. p9_fp_double_from_int rounds to `prec`
 * bits.
 */
uint64_t p9_fp_double_integral(struct p9_fp_op *op, uint64_t b, enum p9_fp_round mode, bool exact);
uint64_t p9_fp_double_to_int(struct p9_fp_op *op, uint64_t b, enum p9_fp_round mode, unsigned bits,
			     bool is_signed);
uint64_t p9_fp_double_from_int(struct p9_fp_op *op, uint64_t v, bool is_signed, int prec);

#endif
