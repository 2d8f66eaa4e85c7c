/*
 * The floating-point status that is computed late.
 *
 * While no exception is enabled in the FPSCR (P9_MODE_FPX clear), compiled code does arithmetic on the
 * host (ir/intrinsic_float.h), rounded by FPSCR[RN], which env.fp_round follows, and leaves the FPSCR
 * alone. What it would have changed is told by two things:
 *
 *   env.fp_status has IR_FP_INEXACT: XX is due, and FX, if XX was not set.
 *   p9_cpu.fp_last: the last operation that sets FR, FI and FPRF, and its operands, from which
 *   p9_fp_settle() computes them by doing the operation again; that raises no exception which has
 *   not been raised then. Beside it stand a later comparison, which sets FPCC alone, and a later
 *   conversion to an integer, which sets FR and FI alone.
 *
 * Translated code writes fp_last as guest state, after each operation, so that the optimiser drops
 * all but what somebody can see. Whoever reads regs.fpscr or writes it calls p9_fp_settle first:
 * the helpers of FPSCR moves and of all operations that are not deferred, and cpu_run at its end. The
 * control bits, and so FEX (0), are never late.
 *
 * The helpers p9_h_fpf_* are the deferred operations: no `old` operand, since nothing is suppressed.
 */
#ifndef ANYKVM_CPU_POWER9_FLOAT_STATUS_H
#define ANYKVM_CPU_POWER9_FLOAT_STATUS_H

#include "cpu/power9/core.h"
#include "cpu/power9/fpu.h"
#include "ir/intrinsic_float.h"
#include "ir/ir.h"
#include "util/compiler.h"

/* clang-format off */

/* The unit's function, the intrinsic; by operands: b; a, b; a, b, c. */
#define P9_FPF_UNARY(_)                                                                            \
	_(sqrt, IR_FSQRT) _(sqrts, IR_FSQRT_SINGLE) _(rsp, IR_FROUND_SINGLE)                       \
	_(riz, IR_FTRUNCATE) _(rip, IR_FCEILING) _(rim, IR_FFLOOR)                                 \
	_(rin, IR_FROUND_AWAY) _(ric, IR_FROUND_CURRENT)
#define P9_FPF_FROM_INT(_)                                                                         \
	_(cfid, IR_FFROM_S64) _(cfidu, IR_FFROM_U64) _(cfids, IR_FFROM_S64_SINGLE)                   \
	_(cfidus, IR_FFROM_U64_SINGLE)
/* The operand is a single, in a doubleword. */
#define P9_FPF_FROM_SINGLE(_) _(cvspdp, IR_FFROM_SINGLE)
/* These leave FPRF. */
#define P9_FPF_TO_INT(_)                                                                           \
	_(ctid, IR_FTO_S64) _(ctiw, IR_FTO_S32)                                                    \
	_(ctidz, IR_FTO_S64_TRUNCATE) _(ctiwz, IR_FTO_S32_TRUNCATE)                                \
	_(ctidu, IR_FTO_U64) _(ctiwu, IR_FTO_U32)                                                  \
	_(ctiduz, IR_FTO_U64_TRUNCATE) _(ctiwuz, IR_FTO_U32_TRUNCATE)
#define P9_FPF_BINARY(_)                                                                           \
	_(add, IR_FADD) _(sub, IR_FSUB) _(mul, IR_FMUL) _(div, IR_FDIV)                            \
	_(adds, IR_FADD_SINGLE) _(subs, IR_FSUB_SINGLE)                                            \
	_(muls, IR_FMUL_SINGLE) _(divs, IR_FDIV_SINGLE)
#define P9_FPF_FUSED(_)                                                                            \
	_(madd, IR_FMADD) _(msub, IR_FMSUB) _(nmadd, IR_FNMADD) _(nmsub, IR_FNMSUB)                \
	_(madds, IR_FMADD_SINGLE) _(msubs, IR_FMSUB_SINGLE)                                        \
	_(nmadds, IR_FNMADD_SINGLE) _(nmsubs, IR_FNMSUB_SINGLE)
/* Of two; only exceptions, no FR, FI, FPRF: there is nothing to note. */
#define P9_FPF_CHOICE(_)                                                                           \
	_(max, IR_FMAX) _(min, IR_FMIN) _(maxj, IR_FMAX) _(minj, IR_FMIN)                          \
	_(maxc, IR_FMAX_C) _(minc, IR_FMIN_C)                                                      \
	_(cmpeq, IR_FEQUAL) _(cmpgt, IR_FGREATER) _(cmpge, IR_FNOT_LESS)
/* Vectors, by mnemonic: only exceptions, no FR, FI, FPRF, so there is nothing to note. */
#define P9_XVF_UNARY(_)                                                                            \
	_(xvsqrtdp, IR_VFSQRT_64) _(xvsqrtsp, IR_VFSQRT_32)                                        \
	_(xvrdpiz, IR_VFTRUNCATE_64) _(xvrdpip, IR_VFCEILING_64) _(xvrdpim, IR_VFFLOOR_64)         \
	_(xvrdpi, IR_VFROUND_AWAY_64) _(xvrdpic, IR_VFROUND_CURRENT_64)                               \
	_(xvrspiz, IR_VFTRUNCATE_32) _(xvrspip, IR_VFCEILING_32) _(xvrspim, IR_VFFLOOR_32)         \
	_(xvrspi, IR_VFROUND_AWAY_32) _(xvrspic, IR_VFROUND_CURRENT_32)                               \
	_(xvcvdpsxds, IR_VFTO_S64_TRUNCATE) _(xvcvdpuxds, IR_VFTO_U64_TRUNCATE)                    \
	_(xvcvspsxws, IR_VFTO_S32_TRUNCATE) _(xvcvspuxws, IR_VFTO_U32_TRUNCATE)                    \
	_(xvcvdpsxws, IR_VFTO_S32_TRUNCATE_64) _(xvcvdpuxws, IR_VFTO_U32_TRUNCATE_64)              \
	_(xvcvsxddp, IR_VFFROM_S64) _(xvcvuxddp, IR_VFFROM_U64)                                    \
	_(xvcvsxwsp, IR_VFFROM_S32) _(xvcvuxwsp, IR_VFFROM_U32)                                    \
	_(xvcvspdp, IR_VFWIDEN) _(xvcvdpsp, IR_VFNARROW)
#define P9_XVF_BINARY(_)                                                                           \
	_(xvadddp, IR_VFADD_64) _(xvsubdp, IR_VFSUB_64)                                            \
	_(xvmuldp, IR_VFMUL_64) _(xvdivdp, IR_VFDIV_64)                                            \
	_(xvaddsp, IR_VFADD_32) _(xvsubsp, IR_VFSUB_32)                                            \
	_(xvmulsp, IR_VFMUL_32) _(xvdivsp, IR_VFDIV_32)                                            \
	_(xvmaxdp, IR_VFMAX_64) _(xvmindp, IR_VFMIN_64)                                            \
	_(xvmaxsp, IR_VFMAX_32) _(xvminsp, IR_VFMIN_32)
#define P9_XVF_COMPARE(_)                                                                          \
	_(xvcmpeqdp, IR_VFEQUAL_64) _(xvcmpgtdp, IR_VFGREATER_64) _(xvcmpgedp, IR_VFNOT_LESS_64)   \
	_(xvcmpeqsp, IR_VFEQUAL_32) _(xvcmpgtsp, IR_VFGREATER_32) _(xvcmpgesp, IR_VFNOT_LESS_32)
#define P9_XVF_FUSED(_)                                                                            \
	_(xvmadddp, IR_VFMADD_64) _(xvmsubdp, IR_VFMSUB_64)                                        \
	_(xvnmadddp, IR_VFNMADD_64) _(xvnmsubdp, IR_VFNMSUB_64)                                    \
	_(xvmaddsp, IR_VFMADD_32) _(xvmsubsp, IR_VFMSUB_32)                                        \
	_(xvnmaddsp, IR_VFNMADD_32) _(xvnmsubsp, IR_VFNMSUB_32)

/* To a CR field, as it is kept (cr.h), and FPCC. */
#define P9_FPF_COMPARE(_) _(cmpu) _(cmpo)

/* clang-format on */

/* 0: none */
enum p9_fp_last_op {
	P9_FP_LAST_NONE,
#define _(id, intrinsic) P9_FP_LAST_##id,
	P9_FPF_UNARY(_) P9_FPF_FROM_INT(_) P9_FPF_FROM_SINGLE(_) P9_FPF_BINARY(_) P9_FPF_FUSED(_)
	P9_FPF_TO_INT(_)
#undef _
};

/* p9_cpu.fp_last.op: two of these, of the last operation and of a later conversion of `converted` */
#define P9_FP_LAST_OPERATION(op) ((op) & 0xff)
#define P9_FP_LAST_CONVERT(op)   ((op) >> 8)

#define _(id, intrinsic) extern const struct ir_helper p9_h_fpf_##id;
P9_FPF_UNARY(_)
P9_FPF_FROM_INT(_)
P9_FPF_FROM_SINGLE(_)
P9_FPF_TO_INT(_)
P9_FPF_BINARY(_)
P9_FPF_FUSED(_)
P9_FPF_CHOICE(_)
#undef _
#define _(id, intrinsic) extern const struct ir_helper p9_h_fpf_##id;
P9_XVF_UNARY(_)
P9_XVF_BINARY(_)
P9_XVF_COMPARE(_)
P9_XVF_FUSED(_)
#undef _
#define _(id) extern const struct ir_helper p9_h_fpf_##id;
P9_FPF_COMPARE(_)
#undef _

/* FPSCR[FX, FEX, VX, OX] for the record forms. */
extern const struct ir_helper p9_h_fp_cr1;

void p9_fp_settle_now(struct p9_cpu *p);

/* Make regs.fpscr what the architecture says it is. */
static inline void p9_fp_settle(struct p9_cpu *p)
{
	if ((p->fp_last.op | p->fp_last.is_compared) || (p->cpu.env.fp_status & IR_FP_INEXACT))
		p9_fp_settle_now(p);
}

/* Does the FPSCR demand more than what can be deferred? */
static inline uint32_t p9_fp_mode(uint64_t fpscr)
{
	return fpscr & P9_FPSCR_ENABLES ? P9_MODE_FPX : 0;
}

/* After RN may have changed. Translated code does not know it. */
static inline void p9_fp_round_changed(struct p9_cpu *p)
{
	static const uint16_t round[] = {
		[P9_ROUND_NEAREST] = IR_FP_NEAREST,
		[P9_ROUND_ZERO] = IR_FP_ZERO,
		[P9_ROUND_UP] = IR_FP_UP,
		[P9_ROUND_DOWN] = IR_FP_DOWN,
	};

	ir_fp_set_round(&p->cpu.env, round[p->regs.fpscr & P9_FPSCR_RN]);
}

/* After the control bits may have changed. Translated code asks cpu.mode whether to go on. */
static inline void p9_fp_control_changed(struct p9_cpu *p)
{
	p9_fp_round_changed(p);
	cpu_set_mode(&p->cpu, (p->cpu.mode & ~(uint32_t)P9_MODE_FPX) | p9_fp_mode(p->regs.fpscr));
}

#endif
