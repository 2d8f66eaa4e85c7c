/*
 * The POWER9 floating-point unit against qemu-ppc64le.
 *
 * The table below has one row per instruction: its assembler text and what our unit computes for
 * it. From the texts the test writes a guest program, compiles it with the cross compiler, and
 * has it execute random operands under user-mode QEMU; results, FPSCR, CR field 1 and VSCR must
 * agree. QEMU is a second opinion, not the authority: where it departs from the Power ISA, the
 * row or known_deviation() says so. The test is skipped where QEMU or the compiler is missing.
 *
 * Argument: the number of operand sets per instruction.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "cpu/power9/fpu.h"
#include "util/compiler.h"

#define QEMU     "qemu-ppc64le"
#define COMPILER "powerpc64le-linux-gnu-gcc"

/* One execution, in and out; the layout is repeated in the guest's text. Register values have
 * ISA doubleword 0 in the upper half. */
struct record {
	p9_u128 a, b, c, t;
	uint64_t fpscr;
	uint64_t op;
	uint64_t cr1;
	uint64_t vscr;
};

/* What our functions see of a record. */
struct values {
	uint64_t a, b, c, t; /* doubleword 0 */
	p9_u128 va, vb, vc, vt;
	uint64_t *f;
	uint64_t cr1;
	bool nj, sat;
};

static p9_u128 dw0(uint64_t v)
{
	return (p9_u128)v << 64;
}

/* As the instruction semantics do it: doubleword 1 is cleared. */
static p9_u128 dw0_kept(uint64_t v, p9_u128 old, const uint64_t *fpscr)
{
	return dw0(v) | (p9_fpu_suppressed(*fpscr) ? (uint64_t)old : 0);
}

static uint32_t word(p9_u128 v, int n)
{
	return (uint32_t)(v >> (96 - 32 * n));
}

static uint64_t dword(p9_u128 v, int n)
{
	return (uint64_t)(v >> (64 - 64 * n));
}

/* The loops over lanes that the instruction semantics has. */
#define LANES_DP(expr)                                                                             \
	({                                                                                         \
		uint64_t raised = 0, *r = &raised, f = *v->f;                                      \
		p9_u128 out = 0;                                                                   \
		for (int i = 0; i < 2; i++) {                                                      \
			uint64_t a = dword(v->va, i), b = dword(v->vb, i), c = dword(v->vc, i),    \
				 t = dword(v->vt, i);                                              \
			(void)a, (void)b, (void)c, (void)t, (void)r, (void)f;                      \
			out = out << 64 | (uint64_t)(expr);                                        \
		}                                                                                  \
		p9_fpv_commit(v->f, raised) ? out : v->vt;                                         \
	})

#define LANES_SP(expr)                                                                             \
	({                                                                                         \
		uint64_t raised = 0, *r = &raised, f = *v->f;                                      \
		p9_u128 out = 0;                                                                   \
		for (int i = 0; i < 4; i++) {                                                      \
			uint32_t a = word(v->va, i), b = word(v->vb, i), c = word(v->vc, i),       \
				 t = word(v->vt, i);                                               \
			(void)a, (void)b, (void)c, (void)t, (void)r, (void)f;                      \
			out = out << 32 | (uint32_t)(expr);                                        \
		}                                                                                  \
		p9_fpv_commit(v->f, raised) ? out : v->vt;                                         \
	})

/* From words 0 and 2 to doublewords, and back (to words 0 and 2). */
#define WIDEN(expr)                                                                                \
	({                                                                                         \
		uint64_t raised = 0, *r = &raised, f = *v->f;                                      \
		p9_u128 out = 0;                                                                   \
		for (int i = 0; i < 2; i++) {                                                      \
			uint32_t b = word(v->vb, 2 * i);                                           \
			(void)r, (void)f;                                                          \
			out = out << 64 | (uint64_t)(expr);                                        \
		}                                                                                  \
		p9_fpv_commit(v->f, raised) ? out : v->vt;                                         \
	})

#define NARROW(expr)                                                                               \
	({                                                                                         \
		uint64_t raised = 0, *r = &raised, f = *v->f;                                      \
		p9_u128 out = 0;                                                                   \
		for (int i = 0; i < 2; i++) {                                                      \
			uint64_t b = dword(v->vb, i);                                              \
			out = out << 64 | (uint64_t)(uint32_t)(expr) << 32;                        \
		}                                                                                  \
		p9_fpv_commit(v->f, raised) ? out : v->vt;                                         \
	})

enum kind {
	FPR,   /* operands in FPRs; doubleword 0 counts */
	FPRW,  /* the same, word 1 */
	VSR,   /* operands in VSRs; doubleword 0 counts */
	VSRW,  /* the same, word 0 */
	VSRH,  /* the same, bits 48:63 */
	VSR2,  /* the whole VSR */
	VSR2E, /* the whole VSR, of which words 0 and 2 count */
	VR,    /* a vector register, for quad precision */
	VMX,   /* a vector register, with VSCR */
};

#define A v->a
#define B v->b
#define C v->c
#define T v->t
#define F v->f

#define SCALARS(X)                                                                                 \
	X(FPR, "fadd %t,%a,%b", dw0(p9_fpu_add(F, A, B, T)))                                       \
	X(FPR, "fsub %t,%a,%b", dw0(p9_fpu_sub(F, A, B, T)))                                       \
	X(FPR, "fmul %t,%a,%b", dw0(p9_fpu_mul(F, A, B, T)))                                       \
	X(FPR, "fdiv %t,%a,%b", dw0(p9_fpu_div(F, A, B, T)))                                       \
	X(FPR, "fsqrt %t,%b", dw0(p9_fpu_sqrt(F, B, T)))                                           \
	X(FPR, "fmadd %t,%a,%c,%b", dw0(p9_fpu_madd(F, A, B, C, T)))                               \
	X(FPR, "fmsub %t,%a,%c,%b", dw0(p9_fpu_msub(F, A, B, C, T)))                               \
	X(FPR, "fnmadd %t,%a,%c,%b", dw0(p9_fpu_nmadd(F, A, B, C, T)))                             \
	X(FPR, "fnmsub %t,%a,%c,%b", dw0(p9_fpu_nmsub(F, A, B, C, T)))                             \
	X(FPR, "fadds %t,%a,%b", dw0(p9_fpu_adds(F, A, B, T)))                                     \
	X(FPR, "fsubs %t,%a,%b", dw0(p9_fpu_subs(F, A, B, T)))                                     \
	X(FPR, "fmuls %t,%a,%b", dw0(p9_fpu_muls(F, A, B, T)))                                     \
	X(FPR, "fdivs %t,%a,%b", dw0(p9_fpu_divs(F, A, B, T)))                                     \
	X(FPR, "fsqrts %t,%b", dw0(p9_fpu_sqrts(F, B, T)))                                         \
	X(FPR, "fmadds %t,%a,%c,%b", dw0(p9_fpu_madds(F, A, B, C, T)))                             \
	X(FPR, "fmsubs %t,%a,%c,%b", dw0(p9_fpu_msubs(F, A, B, C, T)))                             \
	X(FPR, "fnmadds %t,%a,%c,%b", dw0(p9_fpu_nmadds(F, A, B, C, T)))                           \
	X(FPR, "fnmsubs %t,%a,%c,%b", dw0(p9_fpu_nmsubs(F, A, B, C, T)))                           \
	X(FPR, "fre %t,%b", dw0(p9_fpu_re(F, B, T)))                                               \
	X(FPR, "fres %t,%b", dw0(p9_fpu_res(F, B, T)))                                             \
	X(FPR, "frsqrte %t,%b", dw0(p9_fpu_rsqrte(F, B, T)))                                       \
	X(FPR, "frsqrtes %t,%b", dw0(p9_fpu_rsqrtes(F, B, T)))                                     \
	X(FPR, "frsp %t,%b", dw0(p9_fpu_rsp(F, B, T)))                                             \
	X(FPR, "frin %t,%b", dw0(p9_fpu_rin(F, B, T)))                                             \
	X(FPR, "friz %t,%b", dw0(p9_fpu_riz(F, B, T)))                                             \
	X(FPR, "frip %t,%b", dw0(p9_fpu_rip(F, B, T)))                                             \
	X(FPR, "frim %t,%b", dw0(p9_fpu_rim(F, B, T)))                                             \
	X(FPR, "fctid %t,%b", dw0(p9_fpu_ctid(F, B, T)))                                           \
	X(FPR, "fctidz %t,%b", dw0(p9_fpu_ctidz(F, B, T)))                                         \
	X(FPR, "fctidu %t,%b", dw0(p9_fpu_ctidu(F, B, T)))                                         \
	X(FPR, "fctiduz %t,%b", dw0(p9_fpu_ctiduz(F, B, T)))                                       \
	X(FPRW, "fctiw %t,%b", dw0(p9_fpu_ctiw(F, B, T)))                                          \
	X(FPRW, "fctiwz %t,%b", dw0(p9_fpu_ctiwz(F, B, T)))                                        \
	X(FPRW, "fctiwu %t,%b", dw0(p9_fpu_ctiwu(F, B, T)))                                        \
	X(FPRW, "fctiwuz %t,%b", dw0(p9_fpu_ctiwuz(F, B, T)))                                      \
	X(FPR, "fcfid %t,%b", dw0(p9_fpu_cfid(F, B)))                                              \
	X(FPR, "fcfidu %t,%b", dw0(p9_fpu_cfidu(F, B)))                                            \
	X(FPR, "fcfids %t,%b", dw0(p9_fpu_cfids(F, B)))                                            \
	X(FPR, "fcfidus %t,%b", dw0(p9_fpu_cfidus(F, B)))                                          \
	X(FPR, "fcmpu 1,%a,%b", (v->cr1 = p9_fpu_cmpu(F, A, B), v->vt))                            \
	X(FPR, "fcmpo 1,%a,%b", (v->cr1 = p9_fpu_cmpo(F, A, B), v->vt))                            \
	X(FPR, "ftdiv 1,%a,%b", (v->cr1 = p9_fpu_tdiv(A, B), v->vt))                               \
	X(FPR, "ftsqrt 1,%b", (v->cr1 = p9_fpu_tsqrt(B), v->vt))                                   \
	X(VSR, "xsadddp %t,%a,%b", dw0(p9_fpu_add(F, A, B, T)))                                    \
	X(VSR, "xssqrtdp %t,%b", dw0(p9_fpu_sqrt(F, B, T)))                                        \
	X(VSR, "xsmaddadp %t,%a,%b", dw0(p9_fpu_madd(F, A, T, B, T)))                              \
	X(VSR, "xsnmsubmdp %t,%a,%b", dw0(p9_fpu_nmsub(F, A, B, T, T)))                            \
	X(VSR, "xsmaddmsp %t,%a,%b", dw0(p9_fpu_madds(F, A, B, T, T)))                             \
	X(VSR, "xsnmaddasp %t,%a,%b", dw0(p9_fpu_nmadds(F, A, T, B, T)))                           \
	X(VSR, "xsredp %t,%b", dw0(p9_fpu_re(F, B, T)))                                            \
	X(VSR, "xsresp %t,%b", dw0(p9_fpu_res(F, B, T)))                                           \
	X(VSR, "xsrsqrtedp %t,%b", dw0(p9_fpu_rsqrte(F, B, T)))                                    \
	X(VSR, "xsrsqrtesp %t,%b", dw0(p9_fpu_rsqrtes(F, B, T)))                                   \
	X(VSR, "xsrsp %t,%b", dw0(p9_fpu_rsp(F, B, T)))                                            \
	X(VSR, "xsrdpi %t,%b", dw0(p9_fpu_rin(F, B, T)))                                           \
	X(VSR, "xsrdpiz %t,%b", dw0(p9_fpu_riz(F, B, T)))                                          \
	X(VSR, "xsrdpip %t,%b", dw0(p9_fpu_rip(F, B, T)))                                          \
	X(VSR, "xsrdpim %t,%b", dw0(p9_fpu_rim(F, B, T)))                                          \
	X(VSR, "xsrdpic %t,%b", dw0(p9_fpu_ric(F, B, T)))                                          \
	X(VSR, "xscvdpsxds %t,%b", dw0(p9_fpu_ctidz(F, B, T)))                                     \
	X(VSR, "xscvdpuxds %t,%b", dw0(p9_fpu_ctiduz(F, B, T)))                                    \
	X(VSR, "xscvdpsxws %t,%b", dw0(p9_fpu_ctiwz(F, B, T)))                                     \
	X(VSR, "xscvdpuxws %t,%b", dw0(p9_fpu_ctiwuz(F, B, T)))                                    \
	X(VSR, "xscvsxdsp %t,%b", dw0(p9_fpu_cfids(F, B)))                                         \
	X(VSR, "xscvuxddp %t,%b", dw0(p9_fpu_cfidu(F, B)))                                         \
	X(VSRW, "xscvdpsp %t,%b", dw0((uint64_t)p9_fpu_cvdpsp(F, B, (uint32_t)(T >> 32)) << 32))   \
	X(VSR, "xscvspdp %t,%b", dw0(p9_fpu_cvspdp(F, (uint32_t)(B >> 32), T)))                    \
	X(VSRW, "xscvdpspn %t,%b", dw0((uint64_t)p9_fpu_cvdpspn(B) << 32))                         \
	X(VSR, "xscvspdpn %t,%b", dw0(p9_fpu_cvspdpn((uint32_t)(B >> 32))))                        \
	X(VSRH, "xscvdphp %t,%b", dw0(p9_fpu_cvdphp(F, B, (uint16_t)T)))                           \
	X(VSR, "xscvhpdp %t,%b", dw0(p9_fpu_cvhpdp(F, (uint16_t)B, T)))                            \
	X(VSR, "xscmpudp 1,%a,%b", (v->cr1 = p9_fpu_cmpu(F, A, B), v->vt))                         \
	X(VSR, "xscmpodp 1,%a,%b", (v->cr1 = p9_fpu_cmpo(F, A, B), v->vt))                         \
	X(VSR, "xscmpexpdp 1,%a,%b", (v->cr1 = p9_fpu_cmpexp(F, A, B), v->vt))                     \
	X(VSR, "xststdcdp 1,%b,0x55", (v->cr1 = p9_fpu_tstdc(F, B, 0x55), v->vt))                  \
	X(VSR, "xststdcdp 1,%b,0x2a", (v->cr1 = p9_fpu_tstdc(F, B, 0x2a), v->vt))                  \
	X(VSR, "xststdcsp 1,%b,0x55", (v->cr1 = p9_fpu_tstdcs(F, B, 0x55), v->vt))                 \
	X(VSR, "xststdcsp 1,%b,0x2a", (v->cr1 = p9_fpu_tstdcs(F, B, 0x2a), v->vt))                 \
	X(VSR, "xsmaxdp %t,%a,%b", dw0(p9_fpu_max(F, A, B, T)))                                    \
	X(VSR, "xsmindp %t,%a,%b", dw0(p9_fpu_min(F, A, B, T)))                                    \
	X(VSR, "xsmaxcdp %t,%a,%b", dw0(p9_fpu_maxc(F, A, B, T)))                                  \
	X(VSR, "xsmincdp %t,%a,%b", dw0(p9_fpu_minc(F, A, B, T)))                                  \
	X(VSR, "xsmaxjdp %t,%a,%b", dw0(p9_fpu_maxj(F, A, B, T)))                                  \
	X(VSR, "xsminjdp %t,%a,%b", dw0(p9_fpu_minj(F, A, B, T)))                                  \
	X(VSR, "xscmpeqdp %t,%a,%b", dw0(p9_fpu_cmpeq(F, A, B, T)))                                \
	X(VSR, "xscmpgtdp %t,%a,%b", dw0(p9_fpu_cmpgt(F, A, B, T)))                                \
	X(VSR, "xscmpgedp %t,%a,%b", dw0(p9_fpu_cmpge(F, A, B, T)))

#define QA v->va
#define QB v->vb
#define QT v->vt

#define QUADS(X)                                                                                   \
	X(VR, "xsaddqp %t,%a,%b", p9_fpq_add(F, QA, QB, QT, false))                                \
	X(VR, "xsaddqpo %t,%a,%b", p9_fpq_add(F, QA, QB, QT, true))                                \
	X(VR, "xssubqp %t,%a,%b", p9_fpq_sub(F, QA, QB, QT, false))                                \
	X(VR, "xssubqpo %t,%a,%b", p9_fpq_sub(F, QA, QB, QT, true))                                \
	X(VR, "xsmulqp %t,%a,%b", p9_fpq_mul(F, QA, QB, QT, false))                                \
	X(VR, "xsmulqpo %t,%a,%b", p9_fpq_mul(F, QA, QB, QT, true))                                \
	X(VR, "xsdivqp %t,%a,%b", p9_fpq_div(F, QA, QB, QT, false))                                \
	X(VR, "xsdivqpo %t,%a,%b", p9_fpq_div(F, QA, QB, QT, true))                                \
	X(VR, "xssqrtqp %t,%b", p9_fpq_sqrt(F, QB, QT, false))                                     \
	X(VR, "xssqrtqpo %t,%b", p9_fpq_sqrt(F, QB, QT, true))                                     \
	X(VR, "xsmaddqp %t,%a,%b", p9_fpq_madd(F, QA, QT, QB, QT, false))                          \
	X(VR, "xsmaddqpo %t,%a,%b", p9_fpq_madd(F, QA, QT, QB, QT, true))                          \
	X(VR, "xsmsubqp %t,%a,%b", p9_fpq_msub(F, QA, QT, QB, QT, false))                          \
	X(VR, "xsnmaddqp %t,%a,%b", p9_fpq_nmadd(F, QA, QT, QB, QT, false))                        \
	X(VR, "xsnmsubqp %t,%a,%b", p9_fpq_nmsub(F, QA, QT, QB, QT, false))                        \
	X(VR, "xsrqpi 0,%t,%b,0", p9_fpq_ri(F, QB, QT, 0, 0, false))                               \
	X(VR, "xsrqpi 1,%t,%b,2", p9_fpq_ri(F, QB, QT, 1, 2, false))                               \
	X(VR, "xsrqpix 0,%t,%b,3", p9_fpq_ri(F, QB, QT, 0, 3, true))                               \
	X(VR, "xsrqpix 1,%t,%b,0", p9_fpq_ri(F, QB, QT, 1, 0, true))                               \
	X(VR, "xsrqpxp 0,%t,%b,0", p9_fpq_rxp(F, QB, QT, 0, 0))                                    \
	X(VR, "xsrqpxp 0,%t,%b,3", p9_fpq_rxp(F, QB, QT, 0, 3))                                    \
	X(VR, "xscvdpqp %t,%b", p9_fpq_cvdpqp(F, B, QT))                                           \
	X(VR, "xscvqpdp %t,%b", dw0_kept(p9_fpq_cvqpdp(F, QB, T, false), QT, F))                   \
	X(VR, "xscvqpdpo %t,%b", dw0_kept(p9_fpq_cvqpdp(F, QB, T, true), QT, F))                   \
	X(VR, "xscvqpsdz %t,%b", dw0_kept(p9_fpq_cvqpsdz(F, QB, T), QT, F))                        \
	X(VR, "xscvqpudz %t,%b", dw0_kept(p9_fpq_cvqpudz(F, QB, T), QT, F))                        \
	X(VR, "xscvqpswz %t,%b", dw0_kept(p9_fpq_cvqpswz(F, QB, T), QT, F))                        \
	X(VR, "xscvqpuwz %t,%b", dw0_kept(p9_fpq_cvqpuwz(F, QB, T), QT, F))                        \
	X(VR, "xscvsdqp %t,%b", p9_fpq_cvsdqp(F, B))                                               \
	X(VR, "xscvudqp %t,%b", p9_fpq_cvudqp(F, B))                                               \
	X(VR, "xscmpuqp 1,%a,%b", (v->cr1 = p9_fpq_cmpu(F, QA, QB), v->vt))                        \
	X(VR, "xscmpoqp 1,%a,%b", (v->cr1 = p9_fpq_cmpo(F, QA, QB), v->vt))                        \
	X(VR, "xscmpexpqp 1,%a,%b", (v->cr1 = p9_fpq_cmpexp(F, QA, QB), v->vt))                    \
	X(VR, "xststdcqp 1,%b,0x55", (v->cr1 = p9_fpq_tstdc(F, QB, 0x55), v->vt))                  \
	X(VR, "xststdcqp 1,%b,0x2a", (v->cr1 = p9_fpq_tstdc(F, QB, 0x2a), v->vt))                  \
	X(VR, "xsxexpqp %t,%b", dw0(p9_fpq_xexp(QB)))                                              \
	X(VR, "xsxsigqp %t,%b", p9_fpq_xsig(QB))                                                   \
	X(VR, "xsiexpqp %t,%a,%b", p9_fpq_iexp(QA, B))

#define RN_MODE (f & P9_FPSCR_RN)

#define VECTORS(X)                                                                                 \
	X(VSR2, "xvadddp %t,%a,%b", LANES_DP(p9_fpv_add_dp(f, r, a, b)))                           \
	X(VSR2, "xvsubdp %t,%a,%b", LANES_DP(p9_fpv_sub_dp(f, r, a, b)))                           \
	X(VSR2, "xvmuldp %t,%a,%b", LANES_DP(p9_fpv_mul_dp(f, r, a, b)))                           \
	X(VSR2, "xvdivdp %t,%a,%b", LANES_DP(p9_fpv_div_dp(f, r, a, b)))                           \
	X(VSR2, "xvsqrtdp %t,%b", LANES_DP(p9_fpv_sqrt_dp(f, r, b)))                               \
	X(VSR2, "xvmaddadp %t,%a,%b", LANES_DP(p9_fpv_madd_dp(f, r, a, t, b)))                     \
	X(VSR2, "xvmsubmdp %t,%a,%b", LANES_DP(p9_fpv_msub_dp(f, r, a, b, t)))                     \
	X(VSR2, "xvnmaddadp %t,%a,%b", LANES_DP(p9_fpv_nmadd_dp(f, r, a, t, b)))                   \
	X(VSR2, "xvnmsubadp %t,%a,%b", LANES_DP(p9_fpv_nmsub_dp(f, r, a, t, b)))                   \
	X(VSR2, "xvredp %t,%b", LANES_DP(p9_fpv_re_dp(f, r, b)))                                   \
	X(VSR2, "xvrsqrtedp %t,%b", LANES_DP(p9_fpv_rsqrte_dp(f, r, b)))                           \
	X(VSR2, "xvmaxdp %t,%a,%b", LANES_DP(p9_fpv_max_dp(f, r, a, b)))                           \
	X(VSR2, "xvmindp %t,%a,%b", LANES_DP(p9_fpv_min_dp(f, r, a, b)))                           \
	X(VSR2, "xvcmpeqdp %t,%a,%b", LANES_DP(p9_fpv_cmpeq_dp(f, r, a, b)))                       \
	X(VSR2, "xvcmpgtdp %t,%a,%b", LANES_DP(p9_fpv_cmpgt_dp(f, r, a, b)))                       \
	X(VSR2, "xvcmpgedp %t,%a,%b", LANES_DP(p9_fpv_cmpge_dp(f, r, a, b)))                       \
	X(VSR2, "xvrdpi %t,%b", LANES_DP(p9_fpv_ri_dp(f, r, b, P9_ROUND_AWAY, false)))             \
	X(VSR2, "xvrdpic %t,%b", LANES_DP(p9_fpv_ri_dp(f, r, b, RN_MODE, true)))                   \
	X(VSR2, "xvrdpim %t,%b", LANES_DP(p9_fpv_ri_dp(f, r, b, P9_ROUND_DOWN, false)))            \
	X(VSR2, "xvtstdcdp %t,%b,0x35", LANES_DP(p9_fpv_tstdc_dp(b, 0x35)))                        \
	X(VSR2, "xvaddsp %t,%a,%b", LANES_SP(p9_fpv_add_sp(f, r, a, b)))                           \
	X(VSR2, "xvsubsp %t,%a,%b", LANES_SP(p9_fpv_sub_sp(f, r, a, b)))                           \
	X(VSR2, "xvmulsp %t,%a,%b", LANES_SP(p9_fpv_mul_sp(f, r, a, b)))                           \
	X(VSR2, "xvdivsp %t,%a,%b", LANES_SP(p9_fpv_div_sp(f, r, a, b)))                           \
	X(VSR2, "xvsqrtsp %t,%b", LANES_SP(p9_fpv_sqrt_sp(f, r, b)))                               \
	X(VSR2, "xvmaddasp %t,%a,%b", LANES_SP(p9_fpv_madd_sp(f, r, a, t, b)))                     \
	X(VSR2, "xvmsubmsp %t,%a,%b", LANES_SP(p9_fpv_msub_sp(f, r, a, b, t)))                     \
	X(VSR2, "xvnmaddasp %t,%a,%b", LANES_SP(p9_fpv_nmadd_sp(f, r, a, t, b)))                   \
	X(VSR2, "xvnmsubasp %t,%a,%b", LANES_SP(p9_fpv_nmsub_sp(f, r, a, t, b)))                   \
	X(VSR2, "xvresp %t,%b", LANES_SP(p9_fpv_re_sp(f, r, b)))                                   \
	X(VSR2, "xvrsqrtesp %t,%b", LANES_SP(p9_fpv_rsqrte_sp(f, r, b)))                           \
	X(VSR2, "xvmaxsp %t,%a,%b", LANES_SP(p9_fpv_max_sp(f, r, a, b)))                           \
	X(VSR2, "xvminsp %t,%a,%b", LANES_SP(p9_fpv_min_sp(f, r, a, b)))                           \
	X(VSR2, "xvcmpeqsp %t,%a,%b", LANES_SP(p9_fpv_cmpeq_sp(f, r, a, b)))                       \
	X(VSR2, "xvcmpgtsp %t,%a,%b", LANES_SP(p9_fpv_cmpgt_sp(f, r, a, b)))                       \
	X(VSR2, "xvcmpgesp %t,%a,%b", LANES_SP(p9_fpv_cmpge_sp(f, r, a, b)))                       \
	X(VSR2, "xvrspi %t,%b", LANES_SP(p9_fpv_ri_sp(f, r, b, P9_ROUND_AWAY, false)))             \
	X(VSR2, "xvrspic %t,%b", LANES_SP(p9_fpv_ri_sp(f, r, b, RN_MODE, true)))                   \
	X(VSR2, "xvrspip %t,%b", LANES_SP(p9_fpv_ri_sp(f, r, b, P9_ROUND_UP, false)))              \
	X(VSR2, "xvtstdcsp %t,%b,0x4a", LANES_SP(p9_fpv_tstdc_sp(b, 0x4a)))                        \
	X(VSR2, "xvcvdpsxds %t,%b", LANES_DP(p9_fpv_cvdpsxds(f, r, b)))                            \
	X(VSR2, "xvcvdpuxds %t,%b", LANES_DP(p9_fpv_cvdpuxds(f, r, b)))                            \
	X(VSR2, "xvcvsxddp %t,%b", LANES_DP(p9_fpv_cvsxddp(f, r, b)))                              \
	X(VSR2, "xvcvuxddp %t,%b", LANES_DP(p9_fpv_cvuxddp(f, r, b)))                              \
	X(VSR2, "xvcvspsxws %t,%b", LANES_SP(p9_fpv_cvspsxws(f, r, b)))                            \
	X(VSR2, "xvcvspuxws %t,%b", LANES_SP(p9_fpv_cvspuxws(f, r, b)))                            \
	X(VSR2, "xvcvsxwsp %t,%b", LANES_SP(p9_fpv_cvsxwsp(f, r, b)))                              \
	X(VSR2, "xvcvuxwsp %t,%b", LANES_SP(p9_fpv_cvuxwsp(f, r, b)))                              \
	X(VSR2, "xvcvspdp %t,%b", WIDEN(p9_fpv_cvspdp(f, r, b)))                                   \
	X(VSR2, "xvcvspsxds %t,%b", WIDEN(p9_fpv_cvspsxds(f, r, b)))                               \
	X(VSR2, "xvcvspuxds %t,%b", WIDEN(p9_fpv_cvspuxds(f, r, b)))                               \
	X(VSR2, "xvcvsxwdp %t,%b", WIDEN(p9_fpv_cvsxwdp(b)))                                       \
	X(VSR2, "xvcvuxwdp %t,%b", WIDEN(p9_fpv_cvuxwdp(b)))                                       \
	X(VSR2E, "xvcvdpsp %t,%b", NARROW(p9_fpv_cvdpsp(f, r, b)))                                 \
	X(VSR2E, "xvcvdpsxws %t,%b", NARROW(p9_fpv_cvdpsxws(f, r, b)))                             \
	X(VSR2E, "xvcvdpuxws %t,%b", NARROW(p9_fpv_cvdpuxws(f, r, b)))                             \
	X(VSR2E, "xvcvsxdsp %t,%b", NARROW(p9_fpv_cvsxdsp(f, r, b)))                               \
	X(VSR2E, "xvcvuxdsp %t,%b", NARROW(p9_fpv_cvuxdsp(f, r, b)))                               \
	X(VSR2, "xvcvhpsp %t,%b", LANES_SP(p9_fpv_cvhpsp(f, r, (uint16_t)b)))                      \
	X(VSR2, "xvcvsphp %t,%b", LANES_SP(p9_fpv_cvsphp(f, r, b)))                                \
	X(VSR2, "xvtdivdp 1,%a,%b",                                                                \
	  (v->cr1 = (p9_fpu_tdiv(A, B) | p9_fpu_tdiv((uint64_t)QA, (uint64_t)QB)), v->vt))         \
	X(VSR2, "xvtsqrtdp 1,%b",                                                                  \
	  (v->cr1 = (p9_fpu_tsqrt(B) | p9_fpu_tsqrt((uint64_t)QB)), v->vt))                        \
	X(VSR2, "xvtdivsp 1,%a,%b", (LANES_SP(v->cr1 |= p9_fpv_tdiv_sp(a, b)), v->vt))             \
	X(VSR2, "xvtsqrtsp 1,%b", (LANES_SP(v->cr1 |= p9_fpv_tsqrt_sp(b)), v->vt))

#define NJ  v->nj
#define SAT &v->sat

#define VMXES(X)                                                                                   \
	X(VMX, "vaddfp %t,%a,%b", LANES_SP(p9_vmx_addfp(a, b, NJ)))                                \
	X(VMX, "vsubfp %t,%a,%b", LANES_SP(p9_vmx_subfp(a, b, NJ)))                                \
	X(VMX, "vmaddfp %t,%a,%c,%b", LANES_SP(p9_vmx_maddfp(a, b, c, NJ)))                        \
	X(VMX, "vnmsubfp %t,%a,%c,%b", LANES_SP(p9_vmx_nmsubfp(a, b, c, NJ)))                      \
	X(VMX, "vmaxfp %t,%a,%b", LANES_SP(p9_vmx_maxfp(a, b, NJ)))                                \
	X(VMX, "vminfp %t,%a,%b", LANES_SP(p9_vmx_minfp(a, b, NJ)))                                \
	X(VMX, "vrefp %t,%b", LANES_SP(p9_vmx_refp(b, NJ)))                                        \
	X(VMX, "vrsqrtefp %t,%b", LANES_SP(p9_vmx_rsqrtefp(b, NJ)))                                \
	X(VMX, "vlogefp %t,%b", LANES_SP(p9_vmx_logefp(b, NJ)))                                    \
	X(VMX, "vrfin %t,%b", LANES_SP(p9_vmx_rfi(b, P9_ROUND_NEAREST, NJ)))                       \
	X(VMX, "vrfiz %t,%b", LANES_SP(p9_vmx_rfi(b, P9_ROUND_ZERO, NJ)))                          \
	X(VMX, "vrfip %t,%b", LANES_SP(p9_vmx_rfi(b, P9_ROUND_UP, NJ)))                            \
	X(VMX, "vrfim %t,%b", LANES_SP(p9_vmx_rfi(b, P9_ROUND_DOWN, NJ)))                          \
	X(VMX, "vcfux %t,%b,7", LANES_SP(p9_vmx_cfux(b, 7)))                                       \
	X(VMX, "vcfsx %t,%b,31", LANES_SP(p9_vmx_cfsx(b, 31)))                                     \
	X(VMX, "vctuxs %t,%b,0", LANES_SP(p9_vmx_ctuxs(b, 0, SAT, NJ)))                            \
	X(VMX, "vctsxs %t,%b,9", LANES_SP(p9_vmx_ctsxs(b, 9, SAT, NJ)))                            \
	X(VMX, "vcmpbfp %t,%a,%b", LANES_SP(p9_vmx_cmpbfp(a, b, NJ)))                              \
	X(VMX, "vcmpeqfp %t,%a,%b", LANES_SP(p9_vmx_cmpeqfp(a, b, NJ)))                            \
	X(VMX, "vcmpgefp %t,%a,%b", LANES_SP(p9_vmx_cmpgefp(a, b, NJ)))                            \
	X(VMX, "vcmpgtfp %t,%a,%b", LANES_SP(p9_vmx_cmpgtfp(a, b, NJ)))

#define MOVES(X)                                                                                   \
	X(FPR, "mffs %t", dw0(p9_fpscr_mffs(*F)))                                                  \
	X(FPR, "mffsl %t", dw0(p9_fpscr_mffsl(*F)))                                                \
	X(FPR, "mffsce %t", dw0(p9_fpscr_mffsce(F)))                                               \
	X(FPR, "mffscdrn %t,%b", dw0(p9_fpscr_mffscdrn(F, B)))                                     \
	X(FPR, "mffscdrni %t,5", dw0(p9_fpscr_mffscdrni(F, 5)))                                    \
	X(FPR, "mffscrn %t,%b", dw0(p9_fpscr_mffscrn(F, B)))                                       \
	X(FPR, "mffscrni %t,2", dw0(p9_fpscr_mffscrni(F, 2)))                                      \
	X(FPR, "mtfsf 0xff,%b,0,0", (p9_fpscr_mtfsf(F, B, 0xff, 0, 0), v->vt))                     \
	X(FPR, "mtfsf 0xa6,%b,0,0", (p9_fpscr_mtfsf(F, B, 0xa6, 0, 0), v->vt))                     \
	X(FPR, "mtfsf 0x11,%b,0,1", (p9_fpscr_mtfsf(F, B, 0x11, 0, 1), v->vt))                     \
	X(FPR, "mtfsf 0x00,%b,1,0", (p9_fpscr_mtfsf(F, B, 0, 1, 0), v->vt))                        \
	X(FPR, "mtfsfi 0,9,0", (p9_fpscr_mtfsfi(F, 0, 9, 0), v->vt))                               \
	X(FPR, "mtfsfi 7,6,1", (p9_fpscr_mtfsfi(F, 7, 6, 1), v->vt))                               \
	X(FPR, "mtfsfi 6,2,0", (p9_fpscr_mtfsfi(F, 6, 2, 0), v->vt))                               \
	X(FPR, "mtfsb0 0", (p9_fpscr_mtfsb0(F, 0), v->vt))                                         \
	X(FPR, "mtfsb0 7", (p9_fpscr_mtfsb0(F, 7), v->vt))                                         \
	X(FPR, "mtfsb1 6", (p9_fpscr_mtfsb1(F, 6), v->vt))                                         \
	X(FPR, "mtfsb1 23", (p9_fpscr_mtfsb1(F, 23), v->vt))                                       \
	X(FPR, "mtfsb1 14", (p9_fpscr_mtfsb1(F, 14), v->vt))                                       \
	X(FPR, "mcrfs 1,0", (v->cr1 = p9_fpscr_mcrfs(F, 0), v->vt))                                \
	X(FPR, "mcrfs 1,1", (v->cr1 = p9_fpscr_mcrfs(F, 1), v->vt))                                \
	X(FPR, "mcrfs 1,3", (v->cr1 = p9_fpscr_mcrfs(F, 3), v->vt))                                \
	X(FPR, "mcrfs 1,5", (v->cr1 = p9_fpscr_mcrfs(F, 5), v->vt))

#define ALL(X)                                                                                     \
	SCALARS(X)                                                                                 \
	QUADS(X)                                                                                   \
	VECTORS(X)                                                                                 \
	VMXES(X)                                                                                   \
	MOVES(X)

struct op {
	enum kind kind;
	const char *text;
};

static const struct op ops[] = {
#define ROW(kind, text, expr) {kind, text},
    ALL(ROW)};

#define OPS ARRAY_SIZE(ops)

static p9_u128 compute(uint64_t op, struct values *v)
{
	enum { FIRST = __COUNTER__ + 1 };

	switch (op) {
#define CASE(kind, text, expr)                                                                     \
	case __COUNTER__ - FIRST:                                                                  \
		return expr;
		ALL(CASE)
	}
	return 0;
}

/* ---- the guest ---- */

static const char guest_head[] =
    "#include <signal.h>\n"
    "#include <stdint.h>\n"
    "#include <string.h>\n"
    "#include <ucontext.h>\n"
    "#include <unistd.h>\n"
    "typedef unsigned __int128 u128;\n"
    "typedef __vector unsigned char vec;\n"
    "struct record { u128 a, b, c, t; uint64_t fpscr, op, cr1, vscr; };\n"
    /* An enabled exception interrupts; go on after the instruction. */
    "static void fpe(int s, siginfo_t *i, void *u)\n"
    "{\n"
    "	(void)s, (void)i;\n"
    "	((ucontext_t *)u)->uc_mcontext.gp_regs[32] += 4;\n"
    "}\n"
    "static double d0(u128 v)\n"
    "{\n"
    "	uint64_t b = v >> 64; double d;\n"
    "	memcpy(&d, &b, 8); return d;\n"
    "}\n"
    "static u128 u0(double d)\n"
    "{\n"
    "	uint64_t b;\n"
    "	memcpy(&b, &d, 8); return (u128)b << 64;\n"
    "}\n"
    "#define BEGIN(type, get) type t = get(r->t), a = get(r->a), b = get(r->b), c = get(r->c);\\\n"
    "	double f = d0((u128)r->fpscr << 64); uint64_t cr;\n"
    "#define BODY(text, cons) asm volatile(\"mtfsf 255,%[f],1,0\\n\\t\" text \\\n"
    "	\"\\n\\tmffs %[f]\\n\\tmfcr %[cr]\" : [t] \"+&\" cons (t), [f] \"+&d\" (f), \\\n"
    "	[cr] \"=r\" (cr) : [a] cons (a), [b] cons (b), [c] cons (c) : \"cr1\"); \\\n"
    "	r->fpscr = u0(f) >> 64; r->cr1 = cr >> 24 & 15;\n"
    "#define VCONV(x) (vec)(x)\n"
    "#define OP_FPR(n, text) static void op##n(struct record *r) { BEGIN(double, d0) \\\n"
    "	BODY(text, \"d\") r->t = u0(t); }\n"
    "#define OP_VSR(n, text) static void op##n(struct record *r) { BEGIN(vec, VCONV) \\\n"
    "	BODY(text, \"wa\") r->t = (u128)t; }\n"
    "#define OP_VR(n, text) static void op##n(struct record *r) { BEGIN(vec, VCONV) \\\n"
    "	BODY(text, \"v\") r->t = (u128)t; }\n"
    "#define OP_VMX(n, text) static void op##n(struct record *r) { BEGIN(vec, VCONV) \\\n"
    "	vec s = (vec)(u128)r->vscr; asm volatile(\"mtvscr %0\" :: \"v\" (s)); \\\n"
    "	BODY(text, \"v\") r->t = (u128)t; \\\n"
    "	asm volatile(\"mfvscr %0\" : \"=v\" (s)); r->vscr = (u128)s; }\n";

static const char guest_tail[] =
    "static struct record buf[4096];\n"
    "int main(void)\n"
    "{\n"
    "	struct sigaction sa = { .sa_sigaction = fpe, .sa_flags = SA_SIGINFO };\n"
    "	size_t have = 0; ssize_t n;\n"
    "	sigaction(SIGFPE, &sa, 0);\n"
    "	for (;;) {\n"
    "		have = 0;\n"
    "		while (have < sizeof(buf) && (n = read(0, (char *)buf + have,\n"
    "						sizeof(buf) - have)) > 0)\n"
    "			have += n;\n"
    "		if (!have)\n"
    "			return 0;\n"
    "		for (size_t i = 0; i < have / sizeof(buf[0]); i++)\n"
    "			table[buf[i].op](&buf[i]);\n"
    "		if (write(1, buf, have) != (ssize_t)have)\n"
    "			return 1;\n"
    "	}\n"
    "}\n";

/* The text of an instruction with its operands as the compiler wants them. */
static void write_text(FILE *out, const struct op *op)
{
	const char *prefix = op->kind >= VSR && op->kind <= VSR2E ? "%x" : "%";

	for (const char *s = op->text; *s; s++) {
		if (*s == '%')
			fprintf(out, "%s[%c]", prefix, *++s);
		else
			fputc(*s, out);
	}
}

static void write_guest(const char *path)
{
	static const char *const macro[] = {
	    [FPR] = "FPR",  [FPRW] = "FPR",  [VSR] = "VSR", [VSRW] = "VSR", [VSRH] = "VSR",
	    [VSR2] = "VSR", [VSR2E] = "VSR", [VR] = "VR",   [VMX] = "VMX"};
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(guest_head, out);
	for (unsigned i = 0; i < OPS; i++) {
		fprintf(out, "OP_%s(%u, \"", macro[ops[i].kind], i);
		write_text(out, &ops[i]);
		fputs("\")\n", out);
	}
	fputs("static void (*const table[])(struct record *) = {\n", out);
	for (unsigned i = 0; i < OPS; i++)
		fprintf(out, "op%u,\n", i);
	fputs("};\n", out);
	fputs(guest_tail, out);
	assert_int_equal(fclose(out), 0);
}

/* ---- random operands ---- */

static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t rnd(void)
{
	/* xorshift64* */
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * UINT64_C(2685821657736338717);
}

static uint64_t below(uint64_t n)
{
	return rnd() % n;
}

/* A number of a format, with a liking for its corners. */
static p9_u128 number(unsigned exp_bits, unsigned frac_bits)
{
	uint64_t special = (UINT64_C(1) << exp_bits) - 1, bias = special >> 1, exp;
	p9_u128 frac = dw0(rnd()) | rnd(), mask = ((p9_u128)1 << frac_bits) - 1;

	switch (below(16)) {
	case 0:
		exp = 0;
		break;
	case 1:
		exp = special;
		break;
	case 2:
		exp = 1 + below(3);
		break;
	case 3:
		exp = special - 1 - below(3);
		break;
	case 4:
		exp = below(special + 1);
		break;
	case 5:
		exp = bias + below(70); /* around the sizes of integers */
		break;
	default:
		exp = bias - 8 + below(16);
		break;
	}
	if (exp > special)
		exp = special;
	switch (below(8)) {
	case 0:
		frac = 0;
		break;
	case 1:
		frac = mask;
		break;
	case 2:
		frac = (p9_u128)1 << below(frac_bits);
		break;
	case 3:
		frac = mask << below(frac_bits);
		break;
	case 4:
		frac &= mask << below(frac_bits);
		break;
	default:
		break;
	}
	return (p9_u128)(rnd() & 1) << (exp_bits + frac_bits) | (p9_u128)exp << frac_bits |
	       (frac & mask);
}

static p9_u128 operand(const struct op *op)
{
	p9_u128 v = 0;

	if (op->kind == VR && !strstr(op->text, "xscvdpqp") && !strstr(op->text, "dqp"))
		return number(15, 112);
	if (strstr(op->text, "mtfsf "))
		return dw0(rnd() & ~P9_FPSCR_ENABLES) | rnd();
	if (strstr(op->text, "cvspdp"))
		return dw0((uint64_t)number(8, 23) << 32 | (uint32_t)rnd()) |
		       (uint64_t)number(8, 23) << 32;
	if (strstr(op->text, "xscvhpdp"))
		return dw0((uint64_t)number(5, 10));
	if (op->kind == VSR2 || op->kind == VMX) {
		if (strstr(op->text, "sp %") || strstr(op->text, "xvcvsp") ||
		    strstr(op->text, "xvrsp") || strstr(op->text, "spi ") || op->kind == VMX ||
		    strstr(op->text, "sp 1")) {
			for (int i = 0; i < 4; i++)
				v = v << 32 | number(8, 23);
			if (strstr(op->text, "hpsp"))
				v = (p9_u128)number(5, 10) << 96 | number(5, 10) << 64 |
				    number(5, 10) << 32 | number(5, 10);
			return v;
		}
	}
	/* Singles in double format for single arithmetic, for the most part. */
	if (op->kind != VSR2 && op->kind != VSR2E && below(2))
		return dw0(p9_fpu_double((uint32_t)number(8, 23)));
	return dw0((uint64_t)number(11, 52)) | (uint64_t)number(11, 52);
}

static void make_record(struct record *r, unsigned op)
{
	uint64_t enables = 0;

	r->op = op;
	r->a = operand(&ops[op]);
	r->b = operand(&ops[op]);
	r->c = operand(&ops[op]);
	r->t = operand(&ops[op]);
	/* Related operands: sums that cancel, ties, equal numbers. */
	if (!below(8))
		r->b = r->a ^ (p9_u128)below(4);
	if (!below(16))
		r->b ^= (p9_u128)1 << 127;
	/* Exceptions pending already would trap the guest's own mtfsf. */
	if (!below(16))
		enables = rnd() & P9_FPSCR_ENABLES;
	r->fpscr = rnd() & P9_FPSCR_WRITABLE & ~P9_FPSCR_ENABLES & ~P9_FPSCR_NI;
	if (below(4))
		r->fpscr &= ~P9_FPSCR_STICKY;
	if (below(2))
		r->fpscr &= ~P9_FPSCR_RN;
	if (enables)
		r->fpscr &= ~P9_FPSCR_STICKY;
	r->fpscr = p9_fpscr_summarise(r->fpscr | enables);
	r->vscr = below(2) << 16;
	r->cr1 = 0;
}

static void run_here(struct record *r)
{
	struct values v = {.a = dword(r->a, 0),
			   .b = dword(r->b, 0),
			   .c = dword(r->c, 0),
			   .t = dword(r->t, 0),
			   .va = r->a,
			   .vb = r->b,
			   .vc = r->c,
			   .vt = r->t,
			   .f = &r->fpscr,
			   .nj = r->vscr >> 16 & 1};

	r->t = compute((unsigned)r->op, &v);
	r->cr1 = v.cr1;
	r->vscr |= v.sat;
}

/* ---- comparison ---- */

static p9_u128 counted(enum kind kind)
{
	switch (kind) {
	case VSRW:
		return (p9_u128)~UINT32_C(0) << 96;
	case FPRW:
		return (p9_u128)~UINT32_C(0) << 64;
	case VSRH:
		return (p9_u128)0xffff << 64;
	case FPR:
	case VSR:
		return (p9_u128)~UINT64_C(0) << 64;
	case VSR2E:
		return dw0(UINT64_C(0xffffffff00000000)) | UINT64_C(0xffffffff00000000);
	default:
		return ~(p9_u128)0;
	}
}

/*
 * Where QEMU 7.2 is not the Power ISA, or the ISA leaves the result undefined. `text` begins the
 * instruction's text; `fpscr` are the bits not compared. Not in the table because QEMU's result is
 * of no use: vexptefp (garbage for large negative operands), and xsaddsp, xssubsp, xsmulsp,
 * xsdivsp, xssqrtsp (rounded twice; our functions are those of fadds, ... which are compared).
 */
static const struct deviation {
	const char *text;
	uint64_t fpscr;
} deviations[] = {
    /* Estimates: FI and XX are undefined. QEMU raises no ZX in the VSX forms, and rounds the
     * singles twice, after which an underflow may be exact. */
    {"fre", P9_FPSCR_FI | P9_FPSCR_XX},
    {"frsqrte", P9_FPSCR_FI | P9_FPSCR_XX},
    {"xsre", P9_FPSCR_FI | P9_FPSCR_XX | P9_FPSCR_ZX | P9_FPSCR_UX},
    {"xsrsqrte", P9_FPSCR_FI | P9_FPSCR_XX | P9_FPSCR_ZX | P9_FPSCR_UX},
    {"xvre", P9_FPSCR_FI | P9_FPSCR_XX | P9_FPSCR_ZX},
    {"xvrsqrte", P9_FPSCR_FI | P9_FPSCR_XX | P9_FPSCR_ZX},
    /* FPRF is undefined. */
    {"fcti", P9_FPSCR_FPRF},
    /* QEMU does not set FPRF. */
    {"fcfids", P9_FPSCR_FPRF},
    {"fcfidu", P9_FPSCR_FPRF},
    /* QEMU clears FI, and sets C with VXVC. */
    {"fcmp", P9_FPSCR_FI | P9_FPSCR_C},
    /* QEMU does not set FX. */
    {"mtfsb1", P9_FPSCR_FX},
    /* QEMU does not see the signalling NaN in the other operand. */
    {"xsmaxj", P9_FPSCR_VXSNAN},
    {"xsminj", P9_FPSCR_VXSNAN},
};

static bool starts(const struct op *op, const char *prefix)
{
	return !strncmp(op->text, prefix, strlen(prefix));
}

static bool contains(const struct op *op, const char *part)
{
	return strstr(op->text, part);
}

/* A result in single format, held as a double or not. */
static bool single_result(const struct op *op)
{
	size_t n = strcspn(op->text, " ");

	return (op->kind == FPR && op->text[n - 1] == 's' && !starts(op, "fcfid")) ||
	       contains(op, "sp ") || contains(op, "spn ");
}

static bool is_nan_lane(const struct op *op, p9_u128 b)
{
	for (int i = 0; i < 4; i++) {
		if ((word(b, i) & 0x7fffffff) > 0x7f800000 && contains(op, "xvcvsp"))
			return true;
		if (i < 2 && dword(b, i) << 1 > UINT64_C(0xffe0000000000000))
			return true;
	}
	return false;
}

/* Results that cannot be compared, by operands and modes. */
static bool incomparable(const struct op *op, const struct record *in, const struct record *ours,
			 const struct record *theirs)
{
	uint64_t rn = in->fpscr & P9_FPSCR_RN;
	bool fex = ours->fpscr & P9_FPSCR_FEX;

	/* QEMU negates before it rounds. */
	if ((contains(op, "nmadd") || contains(op, "nmsub")) && rn >= P9_ROUND_UP)
		return true;
	/* QEMU takes RN for its own code of a rounding mode. */
	if ((starts(op, "xsrqpix 0") || starts(op, "xsrqpxp 0,%t,%b,3")) && rn & 1)
		return true;
	/* QEMU: 1 / 0 is 0.5. */
	if (starts(op, "fre") && !(dword(in->b, 0) << 1))
		return true;
	/* Rounded to single in between; one unit is well within the accuracy asked for. */
	if (starts(op, "vrsqrtefp") || starts(op, "xvrsqrtesp"))
		return true;
	/* QEMU: a NaN in one lane is a NaN in the lanes after it. */
	if (starts(op, "xvcv") && is_nan_lane(op, in->b))
		return true;
	/* QEMU: a NaN is never representable in single format; the sign of what would be a
	 * denormal single is taken the wrong way round. */
	if (starts(op, "xststdcsp") && (dword(in->b, 0) << 1 > UINT64_C(0xffe0000000000000) ||
					p9_fpu_xexp(dword(in->b, 0)) < 0x381))
		return true;
	/* QEMU: the first operand of a > b ? a : b for equal numbers, here zeros. */
	if (starts(op, "xsmaxc") && !(dword(in->a | in->b, 0) << 1))
		return true;
	/* QEMU: -2^31 does not saturate. */
	if (starts(op, "vctsxs") && (theirs->vscr ^ ours->vscr) == 1 &&
	    (word(ours->t, 0) == 0x80000000 || word(ours->t, 1) == 0x80000000 ||
	     word(ours->t, 2) == 0x80000000 || word(ours->t, 3) == 0x80000000))
		return ours->t == theirs->t;
	/* As QEMU misses these exceptions (see above), it does not suppress the results. */
	if (fex && (starts(op, "xsre") || starts(op, "xsrsqrte") || starts(op, "xsmaxj") ||
		    starts(op, "xsminj")))
		return true;
	/* QEMU: enabled exceptions in vectors interrupt at the first lane, or do not suppress. */
	if (op->kind >= VSR2 && op->kind <= VSR2E && (fex || theirs->fpscr & P9_FPSCR_FEX))
		return true;
	/* QEMU: some instructions do not deliver a result with an enabled inexact exception. */
	if (fex && !((in->t ^ theirs->t) & counted(op->kind)) && !starts(op, "xscmp"))
		return true;
	/* QEMU adjusts the exponents of singles by 960, not by 192; and where the adjusted
	 * exponent of a conversion is still out of range the result is undefined. */
	if (in->fpscr & (P9_FPSCR_OE | P9_FPSCR_UE) && ours->fpscr & (P9_FPSCR_OX | P9_FPSCR_UX) &&
	    (single_result(op) || starts(op, "xscvdp") || starts(op, "xscvqp")))
		return true;
	/* QEMU finds a minimum tiny, and adjusts it. */
	if (in->fpscr & P9_FPSCR_UE && theirs->fpscr & P9_FPSCR_UX && contains(op, "dp ") &&
	    (starts(op, "xsmax") || starts(op, "xsmin")))
		return true;
	/* QEMU writes the result of a comparison that raised an enabled VXVC. */
	return fex && starts(op, "xscmpg");
}

static uint64_t ignored_status(const struct op *op, const struct record *in,
			       const struct record *ours, const struct record *theirs)
{
	/* QEMU does not compute FR. */
	uint64_t ignored = P9_FPSCR_FR;

	for (size_t i = 0; i < ARRAY_SIZE(deviations); i++) {
		if (starts(op, deviations[i].text))
			ignored |= deviations[i].fpscr;
	}
	/* QEMU sets FX also for an exception whose bit was set before. */
	if (theirs->fpscr & P9_FPSCR_FX && theirs->fpscr & P9_FPSCR_STICKY)
		ignored |= P9_FPSCR_FX;
	/* QEMU gives a single result the class that it has as a double. */
	if (single_result(op) && (ours->fpscr & P9_FPSCR_C))
		ignored |= P9_FPSCR_FPRF;
	/* QEMU keeps FI when the result is suppressed. */
	if (ours->fpscr & P9_FPSCR_FEX && ours->fpscr & (P9_FPSCR_VX | P9_FPSCR_ZX))
		ignored |= P9_FPSCR_FI;
	/* QEMU: infinity times zero hides a signalling NaN; QEMU raises VXVC although a signalling
	 * NaN raised an enabled VXSNAN. */
	if (ours->fpscr & P9_FPSCR_VXIMZ)
		ignored |= P9_FPSCR_VXSNAN;
	if (in->fpscr & P9_FPSCR_VE && theirs->fpscr & P9_FPSCR_VXVC)
		ignored |= P9_FPSCR_VXVC;
	if (op->kind >= VSR2 && op->kind <= VSR2E) {
		/* QEMU changes FI, and loses UX when another lane overflows. */
		ignored |= P9_FPSCR_FI;
		if (ours->fpscr & P9_FPSCR_OX)
			ignored |= P9_FPSCR_UX;
	}
	/* QEMU's signal frame, from which the FPSCR is restored after a trap, has no DRN. There are
	 * spurious traps too: a pending one is raised at the next vector instruction. */
	if (!(theirs->fpscr & P9_FPSCR_DRN) && (op->kind >= VSR2 || theirs->fpscr & P9_FPSCR_FEX))
		ignored |= P9_FPSCR_DRN;
	/* What hangs on a bit that is not compared. */
	if (ignored & (P9_FPSCR_STICKY))
		ignored |= P9_FPSCR_FX | P9_FPSCR_VX | P9_FPSCR_FEX;
	return ignored;
}

static bool same(const struct record *in, const struct record *ours, const struct record *theirs)
{
	const struct op *op = &ops[in->op];
	uint64_t differ = ours->fpscr ^ theirs->fpscr;

	if (incomparable(op, in, ours, theirs))
		return true;
	if ((ours->t ^ theirs->t) & counted(op->kind))
		return false;
	/* Without a target register: the result is CR field 1. */
	if (!contains(op, "%t") && contains(op, " 1,") && ours->cr1 != theirs->cr1)
		return false;
	if (op->kind == VMX)
		return ours->vscr == theirs->vscr && !differ;
	return !(differ & ~ignored_status(op, in, ours, theirs));
}

static void print_record(const char *what, const struct record *r)
{
	print_message("%s t %016lx%016lx fpscr %016lx cr1 %lx vscr %lx\n", what,
		      (unsigned long)(r->t >> 64), (unsigned long)r->t, (unsigned long)r->fpscr,
		      (unsigned long)r->cr1, (unsigned long)r->vscr);
}

static void report(const struct record *in, const struct record *ours, const struct record *theirs)
{
	print_message("%s\n", ops[in->op].text);
	print_message("     a %016lx%016lx\n     b %016lx%016lx\n     c %016lx%016lx\n",
		      (unsigned long)(in->a >> 64), (unsigned long)in->a,
		      (unsigned long)(in->b >> 64), (unsigned long)in->b,
		      (unsigned long)(in->c >> 64), (unsigned long)in->c);
	print_record("in  ", in);
	print_record("ours", ours);
	print_record("qemu", theirs);
}

/* Operand sets per instruction. */
static unsigned sets = 2000;

static void *load(const char *path, size_t bytes)
{
	FILE *in = fopen(path, "r");
	void *p = malloc(bytes);

	assert_non_null(in);
	assert_non_null(p);
	assert_int_equal(fread(p, 1, bytes, in), bytes);
	fclose(in);
	return p;
}

static void save(const char *path, const void *p, size_t bytes)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(p, 1, bytes, out), bytes);
	assert_int_equal(fclose(out), 0);
}

static void PRINTF_LIKE(1, 2) command(const char *format, ...)
{
	char line[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	assert_int_equal(system(line), 0);
}

static void against_qemu(void **state)
{
	const char *tmp = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	char dir[512], path[544], in_path[544], out_path[544];
	size_t count = (size_t)OPS * sets, failed = 0;
	struct record *in, *theirs;
	unsigned shown[OPS] = {0};

	(void)state;
	if (system("command -v " QEMU " >/dev/null && command -v " COMPILER " >/dev/null")) {
		print_message("skipped: needs " QEMU " and " COMPILER "\n");
		skip();
	}
	snprintf(dir, sizeof(dir), "%s/power9_fpu_XXXXXX", tmp);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/guest.c", dir);
	snprintf(in_path, sizeof(in_path), "%s/in", dir);
	snprintf(out_path, sizeof(out_path), "%s/out", dir);
	write_guest(path);
	command(COMPILER " -O1 -w -mcpu=power9 -static -o %s/guest %s", dir, path);

	in = calloc(count, sizeof(*in));
	assert_non_null(in);
	for (size_t i = 0; i < count; i++)
		make_record(&in[i], (unsigned)(i % OPS));
	save(in_path, in, count * sizeof(*in));
	command(QEMU " -cpu power9 %s/guest <%s >%s", dir, in_path, out_path);
	theirs = load(out_path, count * sizeof(*theirs));

	for (size_t i = 0; i < count; i++) {
		struct record ours = in[i];

		run_here(&ours);
		if (same(&in[i], &ours, &theirs[i]))
			continue;
		failed++;
		if (!shown[in[i].op]++)
			report(&in[i], &ours, &theirs[i]);
	}
	print_message("%zu instructions, %zu executions, %zu differ\n", OPS, count, failed);
	free(in);
	free(theirs);
	command("rm -r %s", dir);
	assert_int_equal(failed, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(against_qemu),
	};

	if (argc > 1)
		sets = (unsigned)atoi(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
