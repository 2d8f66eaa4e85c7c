/*
 * The core of the decimal floating-point unit: numbers unpacked, exact intermediate results, and
 * the one rounding.
 *
 * As in fpu_core.h an operation unpacks its operands, computes exactly, rounds once, packs;
 * exceptions are gathered in struct p9_dfp_op and take effect in p9_dfp_finish().
 */
#ifndef ANYKVM_CPU_POWER9_DFP_CORE_H
#define ANYKVM_CPU_POWER9_DFP_CORE_H

#include "cpu/power9/dfp.h"

enum p9_dfp_class { P9_DFP_FINITE, P9_DFP_INF, P9_DFP_QNAN, P9_DFP_SNAN };

/*
 * coef * 10^exp, zeros of all exponents included. Of an infinity or NaN, coef is the trailing
 * significand field: the leftmost digit is zero. exp is 0 then.
 */
struct p9_dfp_num {
	enum p9_dfp_class cls;
	bool neg;
	int exp;
	p9_u128 coef;
};

/*
 * An exact magnitude: (hi * 10^34 + lo + rest) * 10^exp, where rest is 0, or with `more` some
 * fraction between 0 and 1; hi and lo are less than 10^34. With `more`, there are more digits than
 * any format has.
 */
struct p9_dfp_wide {
	p9_u128 hi, lo;
	bool more;
	int exp;
};

#define P9_DFP_HALF 34 /* digits of hi and of lo */

/* One operation under way. */
struct p9_dfp_op {
	uint64_t fpscr;  /* the enable bits count here */
	uint64_t raised; /* exceptions, FR and FI, in their FPSCR places */
	enum p9_dfp_round round;
	const struct p9_dfp_format *format; /* of the result */
	/* For drsp and drdpq, whose wrapped result keeps the format of the source; else NULL. */
	const struct p9_dfp_format *source;
	bool wrapped; /* by the rounding: packed in the source's format, if there is one */
};

static inline struct p9_dfp_op p9_dfp_begin(uint64_t fpscr, const struct p9_dfp_format *f)
{
	return (struct p9_dfp_op){
		.fpscr = fpscr,
		.round = (enum p9_dfp_round)((fpscr & P9_FPSCR_DRN) >> 32),
		.format = f,
	};
}

static inline bool p9_dfp_is_nan(const struct p9_dfp_num *n)
{
	return n->cls >= P9_DFP_QNAN;
}

static inline bool p9_dfp_is_zero(const struct p9_dfp_num *n)
{
	return n->cls == P9_DFP_FINITE && !n->coef;
}

static inline int p9_dfp_min_exp(const struct p9_dfp_format *f)
{
	return -f->bias;
}

/* 10^n for n in 0..38. */
extern const p9_u128 p9_dfp_power[39];

/* Decimal digits of v; 0 of zero. */
int p9_dfp_digits(p9_u128 v);

/* Has the number, which is not zero, an exponent less than that of the least normal one? */
bool p9_dfp_is_subnormal(const struct p9_dfp_format *f, const struct p9_dfp_num *n);

struct p9_dfp_num p9_dfp_unpack(const struct p9_dfp_format *f, p9_u128 bits);

/* The number fits the format; of an infinity or NaN the last digits are taken. */
p9_u128 p9_dfp_pack(const struct p9_dfp_format *f, const struct p9_dfp_num *n);

/* coef * 10^n, n <= 34 */
struct p9_dfp_wide p9_dfp_shift_left(p9_u128 coef, unsigned n);

/* Drop the last n digits, with `more` for what is lost. */
void p9_dfp_drop(struct p9_dfp_wide *w, unsigned n);

/* The rounding mode of an RMC field (R:RMC for drintx and drintn). */
void p9_dfp_set_rmc(struct p9_dfp_op *op, unsigned r_rmc);

/*
 * Round off the last n digits, n > 0, of a magnitude of which at most 34 are left: XX, FI, FR. A
 * carry may make one more.
 */
p9_u128 p9_dfp_round_off(struct p9_dfp_op *op, struct p9_dfp_wide *w, unsigned n, bool neg);

/*
 * Round to the format's precision and range, in the form that is nearest to the ideal exponent if
 * exact, else with the least exponent: also OX and UX, with their enabled and disabled results.
 */
struct p9_dfp_num p9_dfp_round(struct p9_dfp_op *op, struct p9_dfp_wide w, bool neg, int ideal);

/*
 * If one of the operands is a NaN, the result: the first signalling one (VXSNAN), quieted, or else
 * the first quiet one.
 */
bool p9_dfp_nan_result(struct p9_dfp_op *op, struct p9_dfp_num *r, const struct p9_dfp_num *a,
		       const struct p9_dfp_num *b);

/* An invalid operation: the default NaN. */
struct p9_dfp_num p9_dfp_invalid(struct p9_dfp_op *op, uint64_t vx);

/* The FPRF value. */
unsigned p9_dfp_fprf(const struct p9_dfp_format *f, const struct p9_dfp_num *n);

/*
 * The end of an operation: exceptions, FR, FI. False when they suppress the result. p9_dfp_finish
 * also sets FPRF and packs the result, or returns `old`.
 */
bool p9_dfp_finish_status(uint64_t *fpscr, const struct p9_dfp_op *op);
p9_u128 p9_dfp_finish(uint64_t *fpscr, const struct p9_dfp_op *op, const struct p9_dfp_num *r,
		      p9_u128 old);

/* FPCC := the CR field. */
static inline unsigned p9_dfp_set_fpcc(uint64_t *fpscr, unsigned cr)
{
	*fpscr = (*fpscr & ~P9_FPSCR_FPCC) | (uint64_t)cr << P9_FPSCR_FPCC_SHIFT;
	return cr;
}

#endif
