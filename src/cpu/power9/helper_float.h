/*
 * C helpers of the floating-point instructions: what binds the floating-point unit (fpu.h), which
 * knows nothing of the processor, to registers and IR.
 *
 * Naming: p9_h_fpu_<f> calls p9_fpu_<f> on the processor's FPSCR; p9_h_<mnemonic> is a whole VSX or
 * VMX vector instruction. Lists by operands declare the helpers and make the semantic functions
 * (emit_float*.c, emit_vsx_float.c, emit_vmx_float.c).
 *
 * The deferred forms of the common ones, with intrinsics, are in float_status.h.
 *
 * State: a helper that can raise an exception reads and writes the FPSCR. Its last operand is what
 * the target holds now, which it returns when an enabled exception suppresses the result. When
 * MSR[FE0, FE1] are not both 0, the semantic function ends with p9_h_fp_interrupt.
 */
#ifndef ANYKVM_CPU_POWER9_HELPER_FLOAT_H
#define ANYKVM_CPU_POWER9_HELPER_FLOAT_H

#include "cpu/power9/float_status.h"
#include "cpu/power9/fpu.h"
#include "cpu/power9/helper_vec.h"

#define P9_H_FPSCR (IR_H_READS_STATE | IR_H_WRITES_STATE | IR_H_FLOAT)

/* Raise the floating-point enabled exception (program interrupt, P9_PROG_FP). In exception.c. */
extern void p9_raise_fp_enabled(struct p9_cpu *p);

/* clang-format off */

/* Scalars, I64. b, old */
#define P9_FPU_UNARY(_)                                                                            \
	_(sqrt) _(sqrts) _(re) _(res) _(rsqrte) _(rsqrtes) _(rsp)                                  \
	_(rin) _(riz) _(rip) _(rim) _(ric)                                                         \
	_(ctid) _(ctidz) _(ctidu) _(ctiduz) _(ctiw) _(ctiwz) _(ctiwu) _(ctiwuz)

/* b; never suppressed */
#define P9_FPU_FROM_INT(_) _(cfid) _(cfidu) _(cfids) _(cfidus)

/* a, b, old */
#define P9_FPU_BINARY(_)                                                                           \
	_(add) _(sub) _(mul) _(div) _(adds) _(subs) _(muls) _(divs)                                \
	_(cmpeq) _(cmpgt) _(cmpge) _(max) _(min) _(maxc) _(minc) _(maxj) _(minj)

/* a, b, c, old; a * c + b */
#define P9_FPU_FUSED(_)                                                                            \
	_(madd) _(msub) _(nmadd) _(nmsub) _(madds) _(msubs) _(nmadds) _(nmsubs)

/* a, b to a CR field */
#define P9_FPU_COMPARE(_) _(cmpu) _(cmpo) _(cmpexp)

/* b, DCMX to a CR field */
#define P9_FPU_CLASS(_) _(tstdc) _(tstdcs)

/* One I64 in, one I64 out; the FPSCR only where noted. */
#define P9_FPU_OTHER(_)                                                                            \
	_(double) _(single) _(cvdpspn) _(cvspdpn) _(tdiv) _(tsqrt) _(xsig) _(iexp)                 \
	_(cvdpsp) _(cvspdp) _(cvdphp) _(cvhpdp)

/* FPSCR moves: result and operands in helper_float.c */
#define P9_FPSCR_HELPERS(_)                                                                        \
	_(mffs) _(mffsl) _(mffsce) _(mffscdrn) _(mffscdrni) _(mffscrn) _(mffscrni)                 \
	_(mtfsf) _(mtfsfi) _(mtfsb0) _(mtfsb1) _(mcrfs)

/* Quad precision. VRA, VRB, old, odd */
#define P9_FPQ_BINARY(_) _(add) _(sub) _(mul) _(div)
/* VRA, VRT (also old), VRB, odd */
#define P9_FPQ_FUSED(_) _(madd) _(msub) _(nmadd) _(nmsub)
/* VRB, old, modifiers */
#define P9_FPQ_UNARY(_)                                                                            \
	_(sqrt) _(ri) _(rxp) _(cvdpqp) _(cvqpdp) _(cvqpsdz) _(cvqpudz) _(cvqpswz) _(cvqpuwz)
/* doubleword 0 of VRB */
#define P9_FPQ_FROM_INT(_) _(cvsdqp) _(cvudqp)
/* VRA, VRB to a CR field */
#define P9_FPQ_COMPARE(_) _(cmpu) _(cmpo) _(cmpexp)
/* tstdc: VRB, DCMX; xsig: VRB; iexp: VRA, VRB */
#define P9_FPQ_OTHER(_) _(tstdc) _(xsig) _(iexp)

/*
 * VSX vectors, by mnemonic; those with deferred forms are listed in float_status.h. XB, old
 */
#define P9_XV_UNARY(_)                                                                             \
	_(xvredp) _(xvresp) _(xvrsqrtedp) _(xvrsqrtesp) _(xvcvhpsp) _(xvcvsphp)                    \
	_(xvcvspsxds) _(xvcvspuxds) _(xvcvsxdsp) _(xvcvuxdsp)
/* XB, pure */
#define P9_XV_PURE_UNARY(_)                                                                        \
	_(xvcvsxwdp) _(xvcvuxwdp) _(xvxexpdp) _(xvxexpsp) _(xvxsigdp) _(xvxsigsp)
/* XA, XB, pure */
#define P9_XV_PURE_BINARY(_) _(xviexpdp) _(xviexpsp)
/* a, b, c, old */
#define P9_XV_FUSED(_)                                                                             \
	_(xvmadddp) _(xvmaddsp) _(xvmsubdp) _(xvmsubsp)                                            \
	_(xvnmadddp) _(xvnmaddsp) _(xvnmsubdp) _(xvnmsubsp)
/* tdiv: XA, XB, tsqrt: XB, to a CR field; tstdc: XB, DCMX */
#define P9_XV_OTHER(_)                                                                             \
	_(xvtdivdp) _(xvtdivsp) _(xvtsqrtdp) _(xvtsqrtsp) _(xvtstdcdp) _(xvtstdcsp)

/* VMX; the last operand is VSCR[NJ]. VRA, VRB */
#define P9_VMX_FLOAT_AB(_) _(vaddfp) _(vsubfp) _(vmaxfp) _(vminfp)
#define P9_VMX_FLOAT_COMPARE(_) _(vcmpbfp) _(vcmpeqfp) _(vcmpgefp) _(vcmpgtfp)
/* VRB */
#define P9_VMX_FLOAT_B(_)                                                                          \
	_(vrefp) _(vrsqrtefp) _(vlogefp) _(vexptefp) _(vrfin) _(vrfiz) _(vrfip) _(vrfim)
/* VRA, VRB, VRC */
#define P9_VMX_FLOAT_ABC(_) _(vmaddfp) _(vnmsubfp)
/* VRB, UIM; vctuxs reads VSCR[NJ] itself, and may set VSCR[SAT], which vctsxs leaves to its caller */
#define P9_VMX_FLOAT_CONVERT(_) _(vcfsx) _(vcfux) _(vctuxs)

/* clang-format on */

#define P9_DECLARE_FPU_HELPER(id) extern const struct ir_helper p9_h_fpu_##id;
#define P9_DECLARE_XVF(id, number) P9_DECLARE_HELPER(id)
#define P9_DECLARE_FPQ_HELPER(id) extern const struct ir_helper p9_h_fpq_##id;
P9_FPU_UNARY(P9_DECLARE_FPU_HELPER)
P9_FPU_FROM_INT(P9_DECLARE_FPU_HELPER)
P9_FPU_BINARY(P9_DECLARE_FPU_HELPER)
P9_FPU_FUSED(P9_DECLARE_FPU_HELPER)
P9_FPU_COMPARE(P9_DECLARE_FPU_HELPER)
P9_FPU_CLASS(P9_DECLARE_FPU_HELPER)
P9_FPU_OTHER(P9_DECLARE_FPU_HELPER)
P9_FPQ_BINARY(P9_DECLARE_FPQ_HELPER)
P9_FPQ_FUSED(P9_DECLARE_FPQ_HELPER)
P9_FPQ_UNARY(P9_DECLARE_FPQ_HELPER)
P9_FPQ_FROM_INT(P9_DECLARE_FPQ_HELPER)
P9_FPQ_COMPARE(P9_DECLARE_FPQ_HELPER)
P9_FPQ_OTHER(P9_DECLARE_FPQ_HELPER)
P9_FPSCR_HELPERS(P9_DECLARE_HELPER)
P9_XVF_BINARY(P9_DECLARE_XVF)
P9_XVF_UNARY(P9_DECLARE_XVF)
P9_XVF_COMPARE(P9_DECLARE_XVF)
P9_XV_UNARY(P9_DECLARE_HELPER)
P9_XV_PURE_UNARY(P9_DECLARE_HELPER)
P9_XV_PURE_BINARY(P9_DECLARE_HELPER)
P9_XV_FUSED(P9_DECLARE_HELPER)
P9_XV_OTHER(P9_DECLARE_HELPER)
P9_VMX_FLOAT_AB(P9_DECLARE_HELPER)
P9_VMX_FLOAT_COMPARE(P9_DECLARE_HELPER)
P9_VMX_FLOAT_B(P9_DECLARE_HELPER)
P9_VMX_FLOAT_ABC(P9_DECLARE_HELPER)
P9_VMX_FLOAT_CONVERT(P9_DECLARE_HELPER)
P9_DECLARE_HELPER(vctsxs)
extern const struct ir_helper p9_h_fp_interrupt;

#endif
