/*
 * Floating-point operations that a helper may name in `struct ir_helper.intrinsic`, as those of
 * intrinsic.h. A number is its bit pattern: a double in an I64, singles and doubles in the lanes of a
 * V128.
 *
 * The function of such a helper is the whole truth: result, exceptions, all status. The number says
 * what a back end may do instead of calling it, for operands where nothing but "inexact" can be
 * said of the result:
 *
 *   The result R is IEEE 754's of the named operation, rounded as env->fp_round says, once, to the named
 *   precision. If R is a normal number, and not one with the least exponent (which may have been tiny
 *   before it was rounded) or the greatest (which may have been greater), or a zero that is exact, the
 *   function returns R, and all else that it does
 *   can be had from the operands again, but for one thing: if R is not exact, that counts as
 *   an operation that was inexact. A back end notes that in env->fp_status (IR_FP_INEXACT); the
 *   architecture looks there before it says what its status is.
 *
 * So these helpers have no flag that says they read or write guest state: what they change is
 * named by no GET or SET. They are not pure either (none of these flags: kept, in order), except
 * for those that only move bits. All of them, and every other helper that computes on the host's
 * floating-point unit or asks for the architecture's status, have IR_H_FLOAT.
 */
#ifndef ANYKVM_IR_INTRINSIC_FLOAT_H
#define ANYKVM_IR_INTRINSIC_FLOAT_H

enum ir_float_intrinsic {
	IR_FLOAT_FIRST = 0x100,
	/* Doubles: (a, b), (a, b), (a, b), (a, b), (a) */
	IR_FADD = IR_FLOAT_FIRST,
	IR_FSUB,
	IR_FMUL,
	IR_FDIV,
	IR_FSQRT,
	/* (a, b, c): a * c + b, a * c - b, and these negated (after rounding) */
	IR_FMADD,
	IR_FMSUB,
	IR_FNMADD,
	IR_FNMSUB,
	/* The same rounded to single precision and range; operands and result are doubles. */
	IR_FADD_SINGLE,
	IR_FSUB_SINGLE,
	IR_FMUL_SINGLE,
	IR_FDIV_SINGLE,
	IR_FSQRT_SINGLE,
	IR_FMADD_SINGLE,
	IR_FMSUB_SINGLE,
	IR_FNMADD_SINGLE,
	IR_FNMSUB_SINGLE,
	IR_FROUND_SINGLE, /* (a): a double rounded so */
	/*
	 * (a): to an integral value toward 0, up, down, to the nearest one with halves away from 0; that is
	 * never "inexact", any zero is exact. And to one as env->fp_round says, which is inexact if it is
	 * another number.
	 */
	IR_FTRUNCATE,
	IR_FCEILING,
	IR_FFLOOR,
	IR_FROUND_AWAY,
	IR_FROUND_CURRENT,
	/* (a, b): if none is a NaN, and they are not zeros of two signs */
	IR_FMAX,
	IR_FMIN,
	/* (a, b): a if it is greater, less, else b; if none is a NaN */
	IR_FMAX_C,
	IR_FMIN_C,
	/* (a, b): all ones or zero where a equals, is greater, is not less than b, if none is a NaN. */
	IR_FEQUAL,
	IR_FGREATER,
	IR_FNOT_LESS,
	/* (a): an integer of 64 bits; no result is special */
	IR_FFROM_S64,
	IR_FFROM_U64,
	IR_FFROM_S64_SINGLE,
	IR_FFROM_U64_SINGLE,
	/* (a): a single in the low half; a result is special only if it is a NaN. */
	IR_FFROM_SINGLE,
	/*
	 * (a): a double to an integer of 64, 32 bits (that in both halves of the result), rounded as
	 * env->fp_round says; toward 0. If it does not fit, or is the least that does, the function does
	 * as it likes.
	 */
	IR_FTO_S64,
	IR_FTO_S32,
	IR_FTO_S64_TRUNCATE,
	IR_FTO_S32_TRUNCATE,
	/* The same, unsigned. If it does not fit, or is near the greatest that does, the function does as it likes. */
	IR_FTO_U64,
	IR_FTO_U32,
	IR_FTO_U64_TRUNCATE,
	IR_FTO_U32_TRUNCATE,
	/* (a, b): 1, 0, 0x100 for a less than, greater than, equal to b (as CMP3S), if neither is a NaN. */
	IR_FCOMPARE,
	/* Pure. (a): a single in the low half as a double; a signalling NaN stays one. */
	IR_FWIDEN,
	/* Pure. (a): a double as a single, cut off where it does not fit, with a denormal's shape. */
	IR_FNARROW,
	/* Vectors of two doubles: as above, for each lane. */
	IR_VFADD_64,
	IR_VFSUB_64,
	IR_VFMUL_64,
	IR_VFDIV_64,
	IR_VFSQRT_64,
	IR_VFMADD_64,
	IR_VFMSUB_64,
	IR_VFNMADD_64,
	IR_VFNMSUB_64,
	/* Vectors of four singles. */
	IR_VFADD_32,
	IR_VFSUB_32,
	IR_VFMUL_32,
	IR_VFDIV_32,
	IR_VFSQRT_32,
	IR_VFMADD_32,
	IR_VFMSUB_32,
	IR_VFNMADD_32,
	IR_VFNMSUB_32,
	/* Lanes of all ones or zeros where a equals, is greater, is not less than b, if none is a NaN. */
	IR_VFEQUAL_64,
	IR_VFGREATER_64,
	IR_VFNOT_LESS_64,
	IR_VFEQUAL_32,
	IR_VFGREATER_32,
	IR_VFNOT_LESS_32,
	/* (a, b): if no lane is a NaN, or has zeros of two signs */
	IR_VFMAX_64,
	IR_VFMIN_64,
	IR_VFMAX_32,
	IR_VFMIN_32,
	/* (a): to integral values, in the order of the scalars; a result is special only if it is a NaN. */
	IR_VFTRUNCATE_64,
	IR_VFCEILING_64,
	IR_VFFLOOR_64,
	IR_VFROUND_AWAY_64,
	IR_VFROUND_CURRENT_64,
	IR_VFTRUNCATE_32,
	IR_VFCEILING_32,
	IR_VFFLOOR_32,
	IR_VFROUND_AWAY_32,
	IR_VFROUND_CURRENT_32,
	/* (a): two doubles to integers of 64 bits, signed, unsigned, toward 0; what does not fit as for the scalars */
	IR_VFTO_S64_TRUNCATE,
	IR_VFTO_U64_TRUNCATE,
	/* (a): four singles to integers of 32 bits */
	IR_VFTO_S32_TRUNCATE,
	IR_VFTO_U32_TRUNCATE,
	/* (a): two doubles to integers of 32 bits, in both halves of their lanes */
	IR_VFTO_S32_TRUNCATE_64,
	IR_VFTO_U32_TRUNCATE_64,
	/* (a): integers of 64 bits to doubles, of 32 bits to singles; no result is special */
	IR_VFFROM_S64,
	IR_VFFROM_U64,
	IR_VFFROM_S32,
	IR_VFFROM_U32,
	/* Pure. (a): of lanes 1 and 3, to two doubles */
	IR_VFFROM_ODD_S32,
	IR_VFFROM_ODD_U32,
	/* (a): singles in lanes 1 and 3, to two doubles; a result is special only if it is a NaN. */
	IR_VFWIDEN,
	/* (a): two doubles rounded to singles, in both halves of their lanes */
	IR_VFNARROW,
	/*
	 * Pure, without any status: four singles, always rounded to nearest. If the last operand (I64, its bit 0 counts)
	 * says so, denormals are zeros, as operands and as results; a result is tiny before it is rounded.
	 * Special is a result that is a NaN. (a, b, flush); (a, b, c, flush): a * c + b, -(a * c - b)
	 */
	IR_VFADD_QUIET,
	IR_VFSUB_QUIET,
	IR_VFMADD_QUIET,
	IR_VFNMSUB_QUIET,
	/* (a, b, flush): special also if they are zeros of two signs */
	IR_VFMAX_QUIET,
	IR_VFMIN_QUIET,
	/* (a, b, flush): ones or zeros where a equals, is greater, is not less than b; nothing is special */
	IR_VFEQUAL_QUIET,
	IR_VFGREATER_QUIET,
	IR_VFNOT_LESS_QUIET,
	/* The same: bit 31 of lanes where a <= b does not hold, bit 30 where -b <= a does not */
	IR_VFBOUNDS_QUIET,
	/* (a, flush): to integral values */
	IR_VFTRUNCATE_QUIET,
	IR_VFCEILING_QUIET,
	IR_VFFLOOR_QUIET,
	IR_VFROUND_EVEN_QUIET,
	/* (a, n): integers of 32 bits, rounded to singles, then divided by 2^n; the low five bits of n count */
	IR_VFFROM_S32_QUIET,
	IR_VFFROM_U32_QUIET,
	/* (a, n): multiplied by 2^n to integers of 32 bits, toward 0; the least or greatest where it does not fit, 0 for a NaN */
	IR_VFTO_S32_QUIET,
	IR_FLOAT_END
};

#endif
