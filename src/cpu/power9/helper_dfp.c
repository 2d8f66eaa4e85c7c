/*
 * Decimal floating point: see helper_dfp.h.
 */
#include "cpu/power9/helper_dfp.h"

#include "cpu/power9/dfp.h"

/* The FPSCR, exact. */
static uint64_t *fpscr_of(struct ir_env *env)
{
	struct p9_cpu *p = p9_of_env(env);

	p9_fp_settle(p);
	return &p->regs.fpscr;
}

#define LONG(env)     fpscr_of(env), &p9_dfp_long
#define EXTENDED(env) fpscr_of(env), &p9_dfp_extended

#define HELPER(id, flags_, result_, nargs_, ...)                                                   \
	const struct ir_helper p9_h_##id = {                                                       \
		.name = #id,                                                                       \
		.fn = (void (*)(void))dfp_##id,                                                    \
		.nargs = nargs_,                                                                   \
		.result = result_,                                                                 \
		.arg = {__VA_ARGS__},                                                              \
		.flags = flags_,                                                                   \
	};

/* A result in one FPR, in a pair, in a CR field. */
#define LONG_HELPER(id, flags, expr, nargs, types, ...)                                            \
	static uint64_t dfp_##id(struct ir_env *env, __VA_ARGS__)                                  \
	{                                                                                          \
		(void)env;                                                                         \
		return (uint64_t)(expr);                                                           \
	}                                                                                          \
	HELPER(id, flags, IR_I64, nargs, types)
#define PAIR_HELPER(id, flags, expr, nargs, types, ...)                                            \
	static void dfp_##id(struct ir_env *env, u128 *out, __VA_ARGS__)                           \
	{                                                                                          \
		(void)env;                                                                         \
		*out = expr;                                                                       \
	}                                                                                          \
	HELPER(id, flags, IR_V128, nargs, types)

#define TYPES(...) __VA_ARGS__

#define DEFINE_ARITH(op)                                                                           \
	LONG_HELPER(d##op, P9_H_FPSCR, p9_dfp_##op(LONG(env), a, b, old), 3,                       \
		    TYPES(IR_I64, IR_I64, IR_I64), uint64_t a, uint64_t b, uint64_t old)           \
	PAIR_HELPER(d##op##q, P9_H_FPSCR, p9_dfp_##op(EXTENDED(env), *a, *b, *old), 3,             \
		    TYPES(IR_V128, IR_V128, IR_V128), const u128 *a, const u128 *b,                \
		    const u128 *old)
P9_DFP_ARITH(DEFINE_ARITH)

#define DEFINE_COMPARE(op)                                                                         \
	LONG_HELPER(d##op, P9_H_FPSCR, p9_dfp_##op(LONG(env), a, b), 2, TYPES(IR_I64, IR_I64),     \
		    uint64_t a, uint64_t b)                                                        \
	LONG_HELPER(d##op##q, P9_H_FPSCR, p9_dfp_##op(EXTENDED(env), *a, *b), 2,                   \
		    TYPES(IR_V128, IR_V128), const u128 *a, const u128 *b)
P9_DFP_COMPARE(DEFINE_COMPARE)

#define DEFINE_CLASS(op)                                                                           \
	LONG_HELPER(d##op, P9_H_FPSCR, p9_dfp_##op(LONG(env), a, (unsigned)mask), 2,               \
		    TYPES(IR_I64, IR_I64), uint64_t a, uint64_t mask)                              \
	LONG_HELPER(d##op##q, P9_H_FPSCR, p9_dfp_##op(EXTENDED(env), *a, (unsigned)mask), 2,       \
		    TYPES(IR_V128, IR_I64), const u128 *a, uint64_t mask)
P9_DFP_CLASS(DEFINE_CLASS)

LONG_HELPER(dtstsf, P9_H_FPSCR, p9_dfp_tstsf(LONG(env), k, b), 2, TYPES(IR_I64, IR_I64), uint64_t k,
	    uint64_t b)
LONG_HELPER(dtstsfq, P9_H_FPSCR, p9_dfp_tstsf(EXTENDED(env), k, *b), 2, TYPES(IR_I64, IR_V128),
	    uint64_t k, const u128 *b)

LONG_HELPER(dqua, P9_H_FPSCR, p9_dfp_qua(LONG(env), a, b, old, (unsigned)rmc), 4,
	    TYPES(IR_I64, IR_I64, IR_I64, IR_I64), uint64_t a, uint64_t b, uint64_t old,
	    uint64_t rmc)
PAIR_HELPER(dquaq, P9_H_FPSCR, p9_dfp_qua(EXTENDED(env), *a, *b, *old, (unsigned)rmc), 4,
	    TYPES(IR_V128, IR_V128, IR_V128, IR_I64), const u128 *a, const u128 *b, const u128 *old,
	    uint64_t rmc)

#define DEFINE_IMMEDIATE(op)                                                                       \
	LONG_HELPER(d##op, P9_H_FPSCR, p9_dfp_##op(LONG(env), k, b, old, (unsigned)rmc), 4,        \
		    TYPES(IR_I64, IR_I64, IR_I64, IR_I64), uint64_t k, uint64_t b, uint64_t old,   \
		    uint64_t rmc)                                                                  \
	PAIR_HELPER(d##op##q, P9_H_FPSCR, p9_dfp_##op(EXTENDED(env), k, *b, *old, (unsigned)rmc),  \
		    4, TYPES(IR_I64, IR_V128, IR_V128, IR_I64), uint64_t k, const u128 *b,         \
		    const u128 *old, uint64_t rmc)
P9_DFP_IMMEDIATE(DEFINE_IMMEDIATE)

#define DEFINE_RINT(op)                                                                            \
	LONG_HELPER(d##op, P9_H_FPSCR, p9_dfp_##op(LONG(env), b, old, (unsigned)r_rmc), 3,         \
		    TYPES(IR_I64, IR_I64, IR_I64), uint64_t b, uint64_t old, uint64_t r_rmc)       \
	PAIR_HELPER(d##op##q, P9_H_FPSCR, p9_dfp_##op(EXTENDED(env), *b, *old, (unsigned)r_rmc),   \
		    3, TYPES(IR_V128, IR_V128, IR_I64), const u128 *b, const u128 *old,            \
		    uint64_t r_rmc)
P9_DFP_RINT(DEFINE_RINT)

LONG_HELPER(dctdp, P9_H_FPSCR, p9_dfp_ctdp(fpscr_of(env), b), 1, IR_I64, uint64_t b)
PAIR_HELPER(dctqpq, P9_H_FPSCR, p9_dfp_ctqpq(fpscr_of(env), b, *old), 2, TYPES(IR_I64, IR_V128),
	    uint64_t b, const u128 *old)
LONG_HELPER(drsp, P9_H_FPSCR, p9_dfp_rsp(fpscr_of(env), b), 1, IR_I64, uint64_t b)
PAIR_HELPER(drdpq, P9_H_FPSCR, p9_dfp_rdpq(fpscr_of(env), *b, *old), 2, TYPES(IR_V128, IR_V128),
	    const u128 *b, const u128 *old)
LONG_HELPER(dcffix, P9_H_FPSCR, p9_dfp_cffix(LONG(env), b), 1, IR_I64, uint64_t b)
PAIR_HELPER(dcffixq, P9_H_FPSCR, p9_dfp_cffix(EXTENDED(env), b), 1, IR_I64, uint64_t b)
LONG_HELPER(dctfix, P9_H_FPSCR, p9_dfp_ctfix(LONG(env), b, old), 2, TYPES(IR_I64, IR_I64),
	    uint64_t b, uint64_t old)
LONG_HELPER(dctfixq, P9_H_FPSCR, p9_dfp_ctfix(EXTENDED(env), *b, old), 2, TYPES(IR_V128, IR_I64),
	    const u128 *b, uint64_t old)

LONG_HELPER(denbcd, P9_H_FPSCR, p9_dfp_enbcd(LONG(env), b, old, (unsigned)s), 3,
	    TYPES(IR_I64, IR_I64, IR_I64), uint64_t b, uint64_t old, uint64_t s)
PAIR_HELPER(denbcdq, P9_H_FPSCR, p9_dfp_enbcd(EXTENDED(env), *b, *old, (unsigned)s), 3,
	    TYPES(IR_V128, IR_V128, IR_I64), const u128 *b, const u128 *old, uint64_t s)

/* Without the FPSCR. */

LONG_HELPER(ddedpd, IR_H_PURE, p9_dfp_dedpd(&p9_dfp_long, b, (unsigned)sp), 2,
	    TYPES(IR_I64, IR_I64), uint64_t b, uint64_t sp)
PAIR_HELPER(ddedpdq, IR_H_PURE, p9_dfp_dedpd(&p9_dfp_extended, *b, (unsigned)sp), 2,
	    TYPES(IR_V128, IR_I64), const u128 *b, uint64_t sp)
LONG_HELPER(dxex, IR_H_PURE, p9_dfp_xex(&p9_dfp_long, b), 1, IR_I64, uint64_t b)
LONG_HELPER(dxexq, IR_H_PURE, p9_dfp_xex(&p9_dfp_extended, *b), 1, IR_V128, const u128 *b)
LONG_HELPER(diex, IR_H_PURE, p9_dfp_iex(&p9_dfp_long, a, b), 2, TYPES(IR_I64, IR_I64), uint64_t a,
	    uint64_t b)
PAIR_HELPER(diexq, IR_H_PURE, p9_dfp_iex(&p9_dfp_extended, a, *b), 2, TYPES(IR_I64, IR_V128),
	    uint64_t a, const u128 *b)

#define DEFINE_SHIFT(op)                                                                           \
	LONG_HELPER(d##op, IR_H_PURE, p9_dfp_##op(&p9_dfp_long, a, (unsigned)sh), 2,               \
		    TYPES(IR_I64, IR_I64), uint64_t a, uint64_t sh)                                \
	PAIR_HELPER(d##op##q, IR_H_PURE, p9_dfp_##op(&p9_dfp_extended, *a, (unsigned)sh), 2,       \
		    TYPES(IR_V128, IR_I64), const u128 *a, uint64_t sh)
P9_DFP_SHIFT(DEFINE_SHIFT)
