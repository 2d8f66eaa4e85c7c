/*
 * The decimal floating-point unit of the POWER9 (Power ISA 3.0B, Book I chapter 5).
 *
 * Pure functions on bit patterns and on the FPSCR, as those of fpu.h are; `old` has the same
 * meaning: what the target holds, and what is returned when an enabled exception (VE with an
 * invalid operation, ZE with a zero divide) suppresses the result. Nothing here keeps state and
 * nothing uses the host's floating point.
 *
 * Formats. DFP Short (32 bits) is for storage only, DFP Long (64) stands in one FPR, DFP Extended
 * (128) in an even-odd pair of them. All are passed as p9_u128: a Long in its low doubleword, an
 * Extended with the even register's contents in the high one. Functions with a format parameter
 * serve Long and Extended.
 *
 * A number is sign, significand (7, 16 or 34 digits) and the exponent of its last digit; one value
 * may have several forms, and the ISA says which is the result (the ideal exponent). Significands
 * are densely packed decimal: declets of ten bits for three digits. The 24 redundant declets are
 * accepted; results have preferred ones only, and of infinities and NaNs the unused bits are zero.
 *
 * Rounding is by FPSCR[DRN], or by the RMC field of the instruction. FR, FI and FPRF are set as for
 * binary numbers; a signalling NaN, which only the conversions from and to DFP Short can give, has
 * the class 0b00001. Enabled overflow and underflow deliver the wrapped rounded result (5.5.10.3,
 * 5.5.10.4). Where the ISA leaves status undefined: FPRF after dctfix is kept.
 */
#ifndef ANYKVM_CPU_POWER9_DFP_H
#define ANYKVM_CPU_POWER9_DFP_H

#include "cpu/power9/fpu.h"

struct p9_dfp_format {
	unsigned bits;     /* of the whole */
	unsigned exp_bits; /* exponent continuation: below the five bits of the combination field */
	unsigned declets;  /* of the trailing significand field */
	int digits;        /* 3 * declets and the leftmost digit */
	int bias;          /* and minus the least exponent */
	int emax;          /* the greatest exponent */
	int wrap;          /* exponent adjustment of enabled overflow and underflow */
};

extern const struct p9_dfp_format p9_dfp_short;
extern const struct p9_dfp_format p9_dfp_long;
extern const struct p9_dfp_format p9_dfp_extended;

/* FPSCR[DRN], and all that RMC can name (5.5.2). */
enum p9_dfp_round {
	P9_DRN_NEAREST = 0, /* ties to even */
	P9_DRN_ZERO = 1,
	P9_DRN_UP = 2,
	P9_DRN_DOWN = 3,
	P9_DRN_NEAREST_AWAY = 4, /* ties away from zero */
	P9_DRN_NEAREST_ZERO = 5, /* ties toward zero */
	P9_DRN_AWAY = 6,
	P9_DRN_SHORTER = 7, /* toward zero, but away from it if the last digit is 0 or 5 */
};

#define P9_DFP_ARGS uint64_t *fpscr, const struct p9_dfp_format *f

/* 5.6.1 arithmetic: dadd[q], dsub[q], dmul[q], ddiv[q] */
p9_u128 p9_dfp_add(P9_DFP_ARGS, p9_u128 a, p9_u128 b, p9_u128 old);
p9_u128 p9_dfp_sub(P9_DFP_ARGS, p9_u128 a, p9_u128 b, p9_u128 old);
p9_u128 p9_dfp_mul(P9_DFP_ARGS, p9_u128 a, p9_u128 b, p9_u128 old);
p9_u128 p9_dfp_div(P9_DFP_ARGS, p9_u128 a, p9_u128 b, p9_u128 old);

/* 5.6.2 and 5.6.3: comparisons and tests give the CR field and put it into FPCC. */
unsigned p9_dfp_cmpu(P9_DFP_ARGS, p9_u128 a, p9_u128 b);
unsigned p9_dfp_cmpo(P9_DFP_ARGS, p9_u128 a, p9_u128 b);
unsigned p9_dfp_tstdc(P9_DFP_ARGS, p9_u128 a, unsigned dcm);
unsigned p9_dfp_tstdg(P9_DFP_ARGS, p9_u128 a, unsigned dgm);
unsigned p9_dfp_tstex(P9_DFP_ARGS, p9_u128 a, p9_u128 b);
unsigned p9_dfp_tstsf(P9_DFP_ARGS, uint64_t k, p9_u128 b); /* the low six bits of k count */

/*
 * 5.6.4 quantum adjustment. rmc: the two bits of the field; for drintx and drintn R stands left of
 * them, which makes eight ways.
 */
p9_u128 p9_dfp_qua(P9_DFP_ARGS, p9_u128 a, p9_u128 b, p9_u128 old, unsigned rmc);
p9_u128 p9_dfp_quai(P9_DFP_ARGS, int te, p9_u128 b, p9_u128 old, unsigned rmc);
p9_u128 p9_dfp_rrnd(P9_DFP_ARGS, uint64_t k, p9_u128 b, p9_u128 old, unsigned rmc);
p9_u128 p9_dfp_rintx(P9_DFP_ARGS, p9_u128 b, p9_u128 old, unsigned r_rmc);
p9_u128 p9_dfp_rintn(P9_DFP_ARGS, p9_u128 b, p9_u128 old, unsigned r_rmc);

/*
 * 5.6.5 conversion. The result of rsp is in the low word (or, wrapped, a Long); that of rdpq is
 * in the high doubleword, with zeros after it (or, wrapped, an Extended).
 */
p9_u128 p9_dfp_ctdp(uint64_t *fpscr, p9_u128 b);               /* Short to Long */
p9_u128 p9_dfp_ctqpq(uint64_t *fpscr, p9_u128 b, p9_u128 old); /* Long to Extended */
p9_u128 p9_dfp_rsp(uint64_t *fpscr, p9_u128 b);                /* Long to Short */
p9_u128 p9_dfp_rdpq(uint64_t *fpscr, p9_u128 b, p9_u128 old);  /* Extended to Long */
p9_u128 p9_dfp_cffix(P9_DFP_ARGS, uint64_t b);
uint64_t p9_dfp_ctfix(P9_DFP_ARGS, p9_u128 b, uint64_t old);

/* 5.6.6 format. Only enbcd has to do with the FPSCR. */
p9_u128 p9_dfp_dedpd(const struct p9_dfp_format *f, p9_u128 b, unsigned sp);
p9_u128 p9_dfp_enbcd(P9_DFP_ARGS, p9_u128 b, p9_u128 old, unsigned s);
uint64_t p9_dfp_xex(const struct p9_dfp_format *f, p9_u128 b);
p9_u128 p9_dfp_iex(const struct p9_dfp_format *f, uint64_t a, p9_u128 b);
p9_u128 p9_dfp_scli(const struct p9_dfp_format *f, p9_u128 a, unsigned sh);
p9_u128 p9_dfp_scri(const struct p9_dfp_format *f, p9_u128 a, unsigned sh);

#endif
