/*
 * Scalar floating point, quad precision and the FPSCR: see helper_float.h.
 */
#include "cpu/power9/helper_float.h"

/* The FPSCR, exact. */
static uint64_t *fpscr_of(struct ir_env *env)
{
	struct p9_cpu *p = p9_of_env(env);

	p9_fp_settle(p);
	return &p->regs.fpscr;
}

#define FPU_HELPER(id, flags_, nargs_, ...)                                                        \
	FPU_INTRINSIC(id, IR_NOT_INTRINSIC, flags_, nargs_, __VA_ARGS__)

#define FPU_INTRINSIC(id, number, flags_, nargs_, ...)                                             \
	const struct ir_helper p9_h_fpu_##id = {                                                   \
		.name = "fpu_" #id,                                                                \
		.fn = (void (*)(void))fpu_##id,                                                    \
		.nargs = nargs_,                                                                   \
		.result = IR_I64,                                                                  \
		.arg = {__VA_ARGS__},                                                              \
		.flags = flags_,                                                                   \
		.intrinsic = number,                                                               \
	};

#define DEFINE_UNARY(id)                                                                           \
	static uint64_t fpu_##id(struct ir_env *env, uint64_t b, uint64_t old)                     \
	{                                                                                          \
		return p9_fpu_##id(fpscr_of(env), b, old);                                         \
	}                                                                                          \
	FPU_HELPER(id, P9_H_FPSCR, 2, IR_I64, IR_I64)
P9_FPU_UNARY(DEFINE_UNARY)

#define DEFINE_FROM_INT(id)                                                                        \
	static uint64_t fpu_##id(struct ir_env *env, uint64_t b)                                   \
	{                                                                                          \
		return p9_fpu_##id(fpscr_of(env), b);                                              \
	}                                                                                          \
	FPU_HELPER(id, P9_H_FPSCR, 1, IR_I64)
P9_FPU_FROM_INT(DEFINE_FROM_INT)

#define DEFINE_BINARY(id)                                                                          \
	static uint64_t fpu_##id(struct ir_env *env, uint64_t a, uint64_t b, uint64_t old)         \
	{                                                                                          \
		return p9_fpu_##id(fpscr_of(env), a, b, old);                                      \
	}                                                                                          \
	FPU_HELPER(id, P9_H_FPSCR, 3, IR_I64, IR_I64, IR_I64)
P9_FPU_BINARY(DEFINE_BINARY)

#define DEFINE_FUSED(id)                                                                           \
	static uint64_t fpu_##id(struct ir_env *env, uint64_t a, uint64_t b, uint64_t c,           \
				 uint64_t old)                                                     \
	{                                                                                          \
		return p9_fpu_##id(fpscr_of(env), a, b, c, old);                                   \
	}                                                                                          \
	FPU_HELPER(id, P9_H_FPSCR, 4, IR_I64, IR_I64, IR_I64, IR_I64)
P9_FPU_FUSED(DEFINE_FUSED)

#define DEFINE_COMPARE(id)                                                                         \
	static uint64_t fpu_##id(struct ir_env *env, uint64_t a, uint64_t b)                       \
	{                                                                                          \
		return p9_fpu_##id(fpscr_of(env), a, b);                                           \
	}                                                                                          \
	FPU_HELPER(id, P9_H_FPSCR, 2, IR_I64, IR_I64)
P9_FPU_COMPARE(DEFINE_COMPARE)
P9_FPU_CLASS(DEFINE_COMPARE)

/* The singles and halves of these conversions stand at the right end of an I64. */

static uint64_t fpu_cvdpsp(struct ir_env *env, uint64_t b, uint64_t old)
{
	return p9_fpu_cvdpsp(fpscr_of(env), b, (uint32_t)old);
}
FPU_HELPER(cvdpsp, P9_H_FPSCR, 2, IR_I64, IR_I64)

static uint64_t fpu_cvspdp(struct ir_env *env, uint64_t b, uint64_t old)
{
	return p9_fpu_cvspdp(fpscr_of(env), (uint32_t)b, old);
}
FPU_HELPER(cvspdp, P9_H_FPSCR, 2, IR_I64, IR_I64)

static uint64_t fpu_cvdphp(struct ir_env *env, uint64_t b, uint64_t old)
{
	return p9_fpu_cvdphp(fpscr_of(env), b, (uint16_t)old);
}
FPU_HELPER(cvdphp, P9_H_FPSCR, 2, IR_I64, IR_I64)

static uint64_t fpu_cvhpdp(struct ir_env *env, uint64_t b, uint64_t old)
{
	return p9_fpu_cvhpdp(fpscr_of(env), (uint16_t)b, old);
}
FPU_HELPER(cvhpdp, P9_H_FPSCR, 2, IR_I64, IR_I64)

#define DEFINE_PURE1(id, number)                                                                   \
	static uint64_t fpu_##id(struct ir_env *env, uint64_t b)                                   \
	{                                                                                          \
		(void)env;                                                                         \
		return p9_fpu_##id(b);                                                             \
	}                                                                                          \
	FPU_INTRINSIC(id, number, IR_H_PURE | IR_H_FLOAT, 1, IR_I64)
DEFINE_PURE1(double, IR_FWIDEN)
DEFINE_PURE1(single, IR_FNARROW)
DEFINE_PURE1(cvdpspn, IR_FNARROW)
DEFINE_PURE1(cvspdpn, IR_FWIDEN)
DEFINE_PURE1(tsqrt, IR_NOT_INTRINSIC)
DEFINE_PURE1(xsig, IR_NOT_INTRINSIC)

#define DEFINE_PURE2(id)                                                                           \
	static uint64_t fpu_##id(struct ir_env *env, uint64_t a, uint64_t b)                       \
	{                                                                                          \
		(void)env;                                                                         \
		return p9_fpu_##id(a, b);                                                          \
	}                                                                                          \
	FPU_HELPER(id, IR_H_PURE | IR_H_FLOAT, 2, IR_I64, IR_I64)
DEFINE_PURE2(tdiv)
DEFINE_PURE2(iexp)

/* FPSCR moves */

#define FPSCR_HELPER(id, nargs_, ...)                                                              \
	const struct ir_helper p9_h_##id = {                                                       \
		.name = #id,                                                                       \
		.fn = (void (*)(void))fpscr_##id,                                                  \
		.nargs = nargs_,                                                                   \
		.result = IR_I64,                                                                  \
		.arg = {__VA_ARGS__},                                                              \
		.flags = P9_H_FPSCR,                                                               \
	}

static uint64_t fpscr_mffs(struct ir_env *env)
{
	return p9_fpscr_mffs(*fpscr_of(env));
}
FPSCR_HELPER(mffs, 0, IR_NONE);

static uint64_t fpscr_mffsl(struct ir_env *env)
{
	return p9_fpscr_mffsl(*fpscr_of(env));
}
FPSCR_HELPER(mffsl, 0, IR_NONE);

/* Those that may change control bits. */
static uint64_t control_changed(struct ir_env *env, uint64_t v)
{
	p9_fp_control_changed(p9_of_env(env));
	return v;
}

static uint64_t fpscr_mffsce(struct ir_env *env)
{
	return control_changed(env, p9_fpscr_mffsce(fpscr_of(env)));
}
FPSCR_HELPER(mffsce, 0, IR_NONE);

#define DEFINE_FPSCR_MOVE(id)                                                                      \
	static uint64_t fpscr_##id(struct ir_env *env, uint64_t v)                                 \
	{                                                                                          \
		return control_changed(env, p9_fpscr_##id(fpscr_of(env), v));                      \
	}                                                                                          \
	FPSCR_HELPER(id, 1, IR_I64)
DEFINE_FPSCR_MOVE(mffscdrn);
DEFINE_FPSCR_MOVE(mffscdrni);
DEFINE_FPSCR_MOVE(mffscrn);
DEFINE_FPSCR_MOVE(mffscrni);
DEFINE_FPSCR_MOVE(mcrfs);

/* FRB, and FLM | L << 8 | W << 9 */
static uint64_t fpscr_mtfsf(struct ir_env *env, uint64_t frb, uint64_t fields)
{
	p9_fpscr_mtfsf(fpscr_of(env), frb, fields & 0xff, fields >> 8 & 1, fields >> 9 & 1);
	return control_changed(env, 0);
}
FPSCR_HELPER(mtfsf, 2, IR_I64, IR_I64);

/* BF | U << 4 | W << 8 */
static uint64_t fpscr_mtfsfi(struct ir_env *env, uint64_t fields)
{
	p9_fpscr_mtfsfi(fpscr_of(env), fields & 7, fields >> 4 & 15, fields >> 8 & 1);
	return control_changed(env, 0);
}
FPSCR_HELPER(mtfsfi, 1, IR_I64);

static uint64_t fpscr_mtfsb0(struct ir_env *env, uint64_t bt)
{
	p9_fpscr_mtfsb0(fpscr_of(env), bt);
	return control_changed(env, 0);
}
FPSCR_HELPER(mtfsb0, 1, IR_I64);

static uint64_t fpscr_mtfsb1(struct ir_env *env, uint64_t bt)
{
	p9_fpscr_mtfsb1(fpscr_of(env), bt);
	return control_changed(env, 0);
}
FPSCR_HELPER(mtfsb1, 1, IR_I64);

/*
 * After an instruction that may have set FPSCR[FEX], with MSR[FE0] or MSR[FE1] set: the
 * instruction is complete, and the program interrupt's SRR0 is its address.
 */
static uint64_t fp_interrupt(struct ir_env *env)
{
	struct p9_cpu *p = p9_of_env(env);

	if (p9_fpu_pending(p->regs.fpscr))
		p9_raise_fp_enabled(p);
	return 0;
}
const struct ir_helper p9_h_fp_interrupt = {
	.name = "fp_interrupt",
	.fn = (void (*)(void))fp_interrupt,
	.result = IR_I64,
	.flags = IR_H_READS_STATE | IR_H_FAULTS,
};

/* Quad precision. Results that are doublewords go to doubleword 0, with doubleword 1 zero. */

#define FPQ_HELPER(id, flags_, result_, nargs_, ...)                                               \
	const struct ir_helper p9_h_fpq_##id = {                                                   \
		.name = "fpq_" #id,                                                                \
		.fn = (void (*)(void))fpq_##id,                                                    \
		.nargs = nargs_,                                                                   \
		.result = result_,                                                                 \
		.arg = {__VA_ARGS__},                                                              \
		.flags = flags_,                                                                   \
	};

#define DEFINE_QUAD_BINARY(id)                                                                     \
	static void fpq_##id(struct ir_env *env, u128 *out, const u128 *pa, const u128 *pb,        \
			     const u128 *old, uint64_t odd)                                        \
	{                                                                                          \
		*out = p9_fpq_##id(fpscr_of(env), *pa, *pb, *old, odd);                            \
	}                                                                                          \
	FPQ_HELPER(id, P9_H_FPSCR, IR_V128, 4, IR_V128, IR_V128, IR_V128, IR_I64)
P9_FPQ_BINARY(DEFINE_QUAD_BINARY)

#define DEFINE_QUAD_FUSED(id)                                                                      \
	static void fpq_##id(struct ir_env *env, u128 *out, const u128 *pa, const u128 *pt,        \
			     const u128 *pb, uint64_t odd)                                         \
	{                                                                                          \
		*out = p9_fpq_##id(fpscr_of(env), *pa, *pt, *pb, *pt, odd);                        \
	}                                                                                          \
	FPQ_HELPER(id, P9_H_FPSCR, IR_V128, 4, IR_V128, IR_V128, IR_V128, IR_I64)
P9_FPQ_FUSED(DEFINE_QUAD_FUSED)

#define QUAD_UNARY(id, ...)                                                                        \
	static void fpq_##id(struct ir_env *env, u128 *out, const u128 *pb, const u128 *old,       \
			     uint64_t modifiers)                                                   \
	{                                                                                          \
		uint64_t *fpscr = fpscr_of(env);                                                   \
		u128 b = *pb, prior = *old;                                                        \
                                                                                                   \
		(void)modifiers;                                                                   \
		*out = __VA_ARGS__;                                                                \
	}                                                                                          \
	FPQ_HELPER(id, P9_H_FPSCR, IR_V128, 3, IR_V128, IR_V128, IR_I64)

/* A doubleword result; a suppressed one leaves all of the target as it was. */
static u128 to_doubleword(const uint64_t *fpscr, u128 prior, uint64_t v)
{
	return (u128)v << 64 | (p9_fpu_suppressed(*fpscr) ? (uint64_t)prior : 0);
}

static uint64_t from_doubleword(u128 v)
{
	return (uint64_t)(v >> 64);
}

QUAD_UNARY(sqrt, p9_fpq_sqrt(fpscr, b, prior, modifiers))
QUAD_UNARY(ri, p9_fpq_ri(fpscr, b, prior, modifiers & 1, modifiers >> 1 & 3, modifiers >> 3 & 1))
QUAD_UNARY(rxp, p9_fpq_rxp(fpscr, b, prior, modifiers & 1, modifiers >> 1 & 3))
QUAD_UNARY(cvdpqp, p9_fpq_cvdpqp(fpscr, from_doubleword(b), prior))

#define QUAD_TO_DOUBLEWORD(id, ...)                                                                \
	static void fpq_##id(struct ir_env *env, u128 *out, const u128 *pb, const u128 *old,       \
			     uint64_t modifiers)                                                   \
	{                                                                                          \
		uint64_t *fpscr = fpscr_of(env), v;                                                \
		u128 b = *pb, prior = *old;                                                        \
                                                                                                   \
		(void)modifiers;                                                                   \
		v = p9_fpq_##id(fpscr, b, __VA_ARGS__);                                            \
		*out = to_doubleword(fpscr, prior, v);                                             \
	}                                                                                          \
	FPQ_HELPER(id, P9_H_FPSCR, IR_V128, 3, IR_V128, IR_V128, IR_I64)
QUAD_TO_DOUBLEWORD(cvqpdp, from_doubleword(prior), modifiers)
QUAD_TO_DOUBLEWORD(cvqpsdz, from_doubleword(prior))
QUAD_TO_DOUBLEWORD(cvqpudz, from_doubleword(prior))
QUAD_TO_DOUBLEWORD(cvqpswz, from_doubleword(prior))
QUAD_TO_DOUBLEWORD(cvqpuwz, from_doubleword(prior))

#define DEFINE_QUAD_FROM_INT(id)                                                                   \
	static void fpq_##id(struct ir_env *env, u128 *out, uint64_t b)                            \
	{                                                                                          \
		*out = p9_fpq_##id(fpscr_of(env), b);                                              \
	}                                                                                          \
	FPQ_HELPER(id, P9_H_FPSCR, IR_V128, 1, IR_I64)
P9_FPQ_FROM_INT(DEFINE_QUAD_FROM_INT)

#define DEFINE_QUAD_COMPARE(id)                                                                    \
	static uint64_t fpq_##id(struct ir_env *env, const u128 *pa, const u128 *pb)               \
	{                                                                                          \
		return p9_fpq_##id(fpscr_of(env), *pa, *pb);                                       \
	}                                                                                          \
	FPQ_HELPER(id, P9_H_FPSCR, IR_I64, 2, IR_V128, IR_V128)
P9_FPQ_COMPARE(DEFINE_QUAD_COMPARE)

static uint64_t fpq_tstdc(struct ir_env *env, const u128 *pb, uint64_t dcmx)
{
	return p9_fpq_tstdc(fpscr_of(env), *pb, dcmx);
}
FPQ_HELPER(tstdc, P9_H_FPSCR, IR_I64, 2, IR_V128, IR_I64)

static void fpq_xsig(struct ir_env *env, u128 *out, const u128 *pb)
{
	(void)env;
	*out = p9_fpq_xsig(*pb);
}
FPQ_HELPER(xsig, IR_H_PURE, IR_V128, 1, IR_V128)

static void fpq_iexp(struct ir_env *env, u128 *out, const u128 *pa, const u128 *pb)
{
	(void)env;
	*out = p9_fpq_iexp(*pa, from_doubleword(*pb));
}
FPQ_HELPER(iexp, IR_H_PURE, IR_V128, 2, IR_V128, IR_V128)
