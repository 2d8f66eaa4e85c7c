/*
 * Floating-point status that is computed late, and the helpers of deferred operations: see
 * float_status.h.
 */
#include "cpu/power9/cr.h"
#include "cpu/power9/float_status.h"

/* Once more, for the status. */
static void again(uint64_t *f, enum p9_fp_last_op op, uint64_t a, uint64_t b, uint64_t c)
{
	switch (op) {
	case P9_FP_LAST_NONE:
		break;
#define _(id, intrinsic)                                                                           \
	case P9_FP_LAST_##id:                                                                      \
		p9_fpu_##id(f, a, 0);                                                              \
		break;
		P9_FPF_UNARY(_)
		P9_FPF_TO_INT(_)
#undef _
#define _(id, intrinsic)                                                                           \
	case P9_FP_LAST_##id:                                                                      \
		p9_fpu_##id(f, (uint32_t)a, 0);                                                    \
		break;
		P9_FPF_FROM_SINGLE(_)
#undef _
#define _(id, intrinsic)                                                                           \
	case P9_FP_LAST_##id:                                                                      \
		p9_fpu_##id(f, a);                                                                 \
		break;
		P9_FPF_FROM_INT(_)
#undef _
#define _(id, intrinsic)                                                                           \
	case P9_FP_LAST_##id:                                                                      \
		p9_fpu_##id(f, a, b, 0);                                                           \
		break;
		P9_FPF_BINARY(_)
#undef _
#define _(id, intrinsic)                                                                           \
	case P9_FP_LAST_##id:                                                                      \
		p9_fpu_##id(f, a, b, c, 0);                                                        \
		break;
		P9_FPF_FUSED(_)
#undef _
	}
}

void p9_fp_settle_now(struct p9_cpu *p)
{
	uint64_t *f = &p->regs.fpscr;

	if (p->cpu.env.fp_status & IR_FP_INEXACT) {
		if (!(*f & P9_FPSCR_XX))
			*f |= P9_FPSCR_XX | P9_FPSCR_FX;
		p->cpu.env.fp_status &= ~IR_FP_INEXACT;
	}
	again(f, P9_FP_LAST_OPERATION(p->fp_last.op), p->fp_last.a, p->fp_last.b, p->fp_last.c);
	again(f, P9_FP_LAST_CONVERT(p->fp_last.op), p->fp_last.converted, 0, 0);
	if (p->fp_last.is_compared)
		*f = (*f & ~P9_FPSCR_FPCC) | (uint64_t)p9_crf_decode(p->fp_last.compared)
						     << P9_FPSCR_FPCC_SHIFT;
	p->fp_last.op = p->fp_last.is_compared = 0;
}

/*
 * What the last operation left is overwritten by these, or, FPCC by a comparison, is put in
 * order by p9_fp_settle: the FPSCR need not be exact before.
 */
static uint64_t *fpscr_of(struct ir_env *env)
{
	return &p9_of_env(env)->regs.fpscr;
}

#define HELPER(id, number, nargs_, ...)                                                            \
	const struct ir_helper p9_h_fpf_##id = {                                                   \
		.name = "fpf_" #id,                                                                \
		.fn = (void (*)(void))fpf_##id,                                                    \
		.nargs = nargs_,                                                                   \
		.result = IR_I64,                                                                  \
		.arg = {__VA_ARGS__},                                                              \
		.flags = IR_H_FLOAT,                                                               \
		.intrinsic = number,                                                               \
	};

#define DEFINE_UNARY(id, number)                                                                   \
	static uint64_t fpf_##id(struct ir_env *env, uint64_t b)                                   \
	{                                                                                          \
		return p9_fpu_##id(fpscr_of(env), b, 0);                                           \
	}                                                                                          \
	HELPER(id, number, 1, IR_I64)
P9_FPF_UNARY(DEFINE_UNARY)
P9_FPF_TO_INT(DEFINE_UNARY)

#define DEFINE_FROM_SINGLE(id, number)                                                             \
	static uint64_t fpf_##id(struct ir_env *env, uint64_t b)                                   \
	{                                                                                          \
		return p9_fpu_##id(fpscr_of(env), (uint32_t)b, 0);                                 \
	}                                                                                          \
	HELPER(id, number, 1, IR_I64)
P9_FPF_FROM_SINGLE(DEFINE_FROM_SINGLE)

#define DEFINE_FROM_INT(id, number)                                                                \
	static uint64_t fpf_##id(struct ir_env *env, uint64_t b)                                   \
	{                                                                                          \
		return p9_fpu_##id(fpscr_of(env), b);                                              \
	}                                                                                          \
	HELPER(id, number, 1, IR_I64)
P9_FPF_FROM_INT(DEFINE_FROM_INT)

#define DEFINE_BINARY(id, number)                                                                  \
	static uint64_t fpf_##id(struct ir_env *env, uint64_t a, uint64_t b)                       \
	{                                                                                          \
		return p9_fpu_##id(fpscr_of(env), a, b, 0);                                        \
	}                                                                                          \
	HELPER(id, number, 2, IR_I64, IR_I64)
P9_FPF_BINARY(DEFINE_BINARY)
P9_FPF_CHOICE(DEFINE_BINARY)

#define DEFINE_FUSED(id, number)                                                                   \
	static uint64_t fpf_##id(struct ir_env *env, uint64_t a, uint64_t b, uint64_t c)           \
	{                                                                                          \
		return p9_fpu_##id(fpscr_of(env), a, b, c, 0);                                     \
	}                                                                                          \
	HELPER(id, number, 3, IR_I64, IR_I64, IR_I64)
P9_FPF_FUSED(DEFINE_FUSED)

#define DEFINE_COMPARE(id)                                                                         \
	static uint64_t fpf_##id(struct ir_env *env, uint64_t a, uint64_t b)                       \
	{                                                                                          \
		return p9_crf_encode(p9_fpu_##id(fpscr_of(env), a, b));                            \
	}                                                                                          \
	HELPER(id, IR_FCOMPARE, 2, IR_I64, IR_I64)
P9_FPF_COMPARE(DEFINE_COMPARE)

static uint64_t fp_cr1(struct ir_env *env)
{
	struct p9_cpu *p = p9_of_env(env);

	p9_fp_settle(p);
	return p9_fpscr_cr1(p->regs.fpscr);
}

const struct ir_helper p9_h_fp_cr1 = {
	.name = "fp_cr1",
	.fn = (void (*)(void))fp_cr1,
	.result = IR_I64,
	.flags = IR_H_READS_STATE | IR_H_WRITES_STATE | IR_H_FLOAT,
};
