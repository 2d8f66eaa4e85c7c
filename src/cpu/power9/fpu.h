/*
 * The floating-point unit of the POWER9 (Power ISA 3.0B, Book I chapters 4, 6.10 and 7).
 *
 * Pure functions on bit patterns and on the FPSCR. The unit knows nothing of registers, of the
 * MSR or of interrupts: facility checks come before, and after an instruction that may raise an
 * exception the caller looks at P9_FPSCR_FEX together with MSR[FE0,FE1] (p9_fpu_pending()).
 * Nothing here keeps state and nothing touches the host's rounding mode or exception flags; the
 * host must be in its default mode (round to nearest, no flush to zero).
 *
 * Groups, by prefix:
 *   p9_fpscr_*  the FPSCR move instructions (mffs, mtfsf, ...)
 *   p9_fpu_*    scalars: book I chapter 4 (fadd, ...) and the VSX scalars (xsadddp, ...), which
 *               share their rules; they set sticky bits, FR, FI and FPRF
 *   p9_fpq_*    quad precision (xsaddqp, ...), on 128-bit patterns
 *   p9_fpv_*    one lane of a VSX vector instruction; the exceptions of all lanes are gathered
 *               and committed at once: sticky bits only, no FR, FI, FPRF
 *   p9_vmx_*    one lane of a VMX (AltiVec) instruction: no FPSCR, VSCR[NJ] as a parameter
 *
 * Operands and results. A double is its 64-bit pattern. A "single" scalar (fadds, xsaddsp) takes
 * and gives doubles; its result is rounded once, to single. fpscr points to the 64-bit FPSCR
 * (bit 63 is the ISA's bit 0, reserved; DRN is ISA bits 29:31, FX ISA bit 32).
 *
 * `old` is what the target register holds. It is returned when an enabled exception suppresses
 * the result (VE with an invalid operation, ZE with a zero divide); FR and FI are then 0 and
 * FPRF is kept. The ISA leaves doubleword 1 of the target of a VSX scalar undefined, except that
 * a suppressed result leaves all of it unchanged: the caller, who clears it as the processor does,
 * keeps it if p9_fpu_suppressed() says so after the call.
 *
 * Where the ISA leaves status undefined: FR after a disabled overflow is 1 for an infinity, 0 for
 * the greatest finite number; FPRF after a conversion to an integer is kept; FR of a rounding to
 * odd is 1 when it set the last bit. NI is stored and has no effect.
 *
 * Deferring the status. With XX set, XE clear and RN = 0 (p9_fpu_may_defer), an add, subtract,
 * multiply, divide, square root or multiply-add whose result, correctly rounded, is a normal
 * number other than those with the least biased exponent (1 for a double, 0x381 for a single held
 * as a double) changes nothing in the FPSCR but FR, FI and FPRF, and these are overwritten by the
 * next such instruction. Generated code may compute it on the host, note the operation and its
 * operands, and call the function here only when the FPSCR is read or changed otherwise: calling
 * it again with the same operands gives the same status.
 */
#ifndef ANYKVM_CPU_POWER9_FPU_H
#define ANYKVM_CPU_POWER9_FPU_H

#include <stdbool.h>
#include <stdint.h>
#include "util/bits.h"

__extension__ typedef unsigned __int128 p9_u128;

/* The FPSCR. */
#define P9_FPSCR_DRN    (UINT64_C(7) << 32)
#define P9_FPSCR_FX     BIT64_BE(32)
#define P9_FPSCR_FEX    BIT64_BE(33)
#define P9_FPSCR_VX     BIT64_BE(34)
#define P9_FPSCR_OX     BIT64_BE(35)
#define P9_FPSCR_UX     BIT64_BE(36)
#define P9_FPSCR_ZX     BIT64_BE(37)
#define P9_FPSCR_XX     BIT64_BE(38)
#define P9_FPSCR_VXSNAN BIT64_BE(39)
#define P9_FPSCR_VXISI  BIT64_BE(40)
#define P9_FPSCR_VXIDI  BIT64_BE(41)
#define P9_FPSCR_VXZDZ  BIT64_BE(42)
#define P9_FPSCR_VXIMZ  BIT64_BE(43)
#define P9_FPSCR_VXVC   BIT64_BE(44)
#define P9_FPSCR_FR     BIT64_BE(45)
#define P9_FPSCR_FI     BIT64_BE(46)
#define P9_FPSCR_C      BIT64_BE(47)
#define P9_FPSCR_FL     BIT64_BE(48)
#define P9_FPSCR_FG     BIT64_BE(49)
#define P9_FPSCR_FE     BIT64_BE(50)
#define P9_FPSCR_FU     BIT64_BE(51)
#define P9_FPSCR_VXSOFT BIT64_BE(53)
#define P9_FPSCR_VXSQRT BIT64_BE(54)
#define P9_FPSCR_VXCVI  BIT64_BE(55)
#define P9_FPSCR_VE     BIT64_BE(56)
#define P9_FPSCR_OE     BIT64_BE(57)
#define P9_FPSCR_UE     BIT64_BE(58)
#define P9_FPSCR_ZE     BIT64_BE(59)
#define P9_FPSCR_XE     BIT64_BE(60)
#define P9_FPSCR_NI     BIT64_BE(61)
#define P9_FPSCR_RN     UINT64_C(3)

#define P9_FPSCR_FPCC_SHIFT 12
#define P9_FPSCR_FPCC       (P9_FPSCR_FL | P9_FPSCR_FG | P9_FPSCR_FE | P9_FPSCR_FU)
#define P9_FPSCR_FPRF       (P9_FPSCR_C | P9_FPSCR_FPCC)
#define P9_FPSCR_ENABLES    (P9_FPSCR_VE | P9_FPSCR_OE | P9_FPSCR_UE | P9_FPSCR_ZE | P9_FPSCR_XE)
/* Every cause of VX. */
#define P9_FPSCR_VX_ANY                                                                            \
	(P9_FPSCR_VXSNAN | P9_FPSCR_VXISI | P9_FPSCR_VXIDI | P9_FPSCR_VXZDZ | P9_FPSCR_VXIMZ |     \
	 P9_FPSCR_VXVC | P9_FPSCR_VXSOFT | P9_FPSCR_VXSQRT | P9_FPSCR_VXCVI)
/* The exception bits whose change from 0 to 1 sets FX. */
#define P9_FPSCR_STICKY (P9_FPSCR_OX | P9_FPSCR_UX | P9_FPSCR_ZX | P9_FPSCR_XX | P9_FPSCR_VX_ANY)
/* All that software can write; FEX and VX are always computed. */
#define P9_FPSCR_WRITABLE                                                                          \
	(P9_FPSCR_DRN | P9_FPSCR_FX | P9_FPSCR_STICKY | P9_FPSCR_FR | P9_FPSCR_FI |                \
	 P9_FPSCR_FPRF | P9_FPSCR_ENABLES | P9_FPSCR_NI | P9_FPSCR_RN)

/* RN, and the rounding modes that only instructions name. */
enum p9_fp_round {
	P9_ROUND_NEAREST = 0, /* ties to even */
	P9_ROUND_ZERO = 1,
	P9_ROUND_UP = 2,
	P9_ROUND_DOWN = 3,
	P9_ROUND_AWAY = 4, /* to nearest, ties away from zero */
	P9_ROUND_ODD = 5,  /* an inexact result has its last bit set */
};

/* CR field values of comparisons. */
#define P9_CR_LT 8u
#define P9_CR_GT 4u
#define P9_CR_EQ 2u
#define P9_CR_UN 1u

/* True when an enabled exception is pending; with MSR[FE0,FE1] not 0 it interrupts. */
static inline bool p9_fpu_pending(uint64_t fpscr)
{
	return fpscr & P9_FPSCR_FEX;
}

/*
 * True after an operation whose result an enabled exception suppressed. (Also as long as such an
 * exception is pending from an earlier one, which happens only with MSR[FE0,FE1] = 0.)
 */
static inline bool p9_fpu_suppressed(uint64_t fpscr)
{
	/* The exception bits stand 22 bits left of their enables. */
	return fpscr >> 22 & fpscr & (P9_FPSCR_VE | P9_FPSCR_ZE);
}

/* True when the status of an operation may be computed later (see above). */
static inline bool p9_fpu_may_defer(uint64_t fpscr)
{
	return (fpscr & (P9_FPSCR_XX | P9_FPSCR_XE | P9_FPSCR_RN)) == P9_FPSCR_XX;
}

/*
 * ------------------------------------------------------------------------------------------
 * FPSCR moves (4.6.10). Those that return a value return what goes to FRT or to the CR field;
 * the record forms copy FPSCR[32:35] (p9_fpscr_cr1) to CR field 1 afterwards.
 */
uint64_t p9_fpscr_summarise(uint64_t fpscr); /* computes VX and FEX, drops reserved bits */
uint64_t p9_fpscr_mffs(uint64_t fpscr);
uint64_t p9_fpscr_mffsl(uint64_t fpscr);                   /* control bits and FR, FI, FPRF */
uint64_t p9_fpscr_mffsce(uint64_t *fpscr);                 /* and clears the enable bits */
uint64_t p9_fpscr_mffscdrn(uint64_t *fpscr, uint64_t frb); /* DRN from FRB[29:31] */
uint64_t p9_fpscr_mffscdrni(uint64_t *fpscr, unsigned drn);
uint64_t p9_fpscr_mffscrn(uint64_t *fpscr, uint64_t frb); /* RN from FRB[62:63] */
uint64_t p9_fpscr_mffscrni(uint64_t *fpscr, unsigned rn);
void p9_fpscr_mtfsf(uint64_t *fpscr, uint64_t frb, unsigned flm, unsigned l, unsigned w);
void p9_fpscr_mtfsfi(uint64_t *fpscr, unsigned bf, unsigned u, unsigned w);
void p9_fpscr_mtfsb0(uint64_t *fpscr, unsigned bt); /* bt: 0..31, ISA bit bt + 32 */
void p9_fpscr_mtfsb1(uint64_t *fpscr, unsigned bt);
unsigned p9_fpscr_mcrfs(uint64_t *fpscr, unsigned bfa); /* bfa: 0..7 */

static inline unsigned p9_fpscr_cr1(uint64_t fpscr)
{
	return (unsigned)(fpscr >> 28) & 15;
}

/*
 * ------------------------------------------------------------------------------------------
 * Loads and stores of singles (4.6.2, 4.6.3): no FPSCR, signalling NaNs stay as they are.
 */
uint64_t p9_fpu_double(uint32_t word);  /* lfs, lxsspx: the ISA's DOUBLE() */
uint32_t p9_fpu_single(uint64_t dword); /* stfs, stxsspx: the ISA's SINGLE() */

/*
 * ------------------------------------------------------------------------------------------
 * Scalar arithmetic. fadd and xsadddp; with an s, fadds and xsaddsp.
 *
 * Multiply-add: a * c + b. The order a, b, c is that in which NaNs are propagated, and the
 * ISA's src1, src2, src3: for fmadd FRA, FRB, FRC; for xsmadda XA, XT, XB; for xsmaddm XA, XB, XT.
 */
uint64_t p9_fpu_add(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old);
uint64_t p9_fpu_sub(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old);
uint64_t p9_fpu_mul(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old);
uint64_t p9_fpu_div(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old);
uint64_t p9_fpu_sqrt(uint64_t *fpscr, uint64_t b, uint64_t old);
uint64_t p9_fpu_madd(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t c, uint64_t old);
uint64_t p9_fpu_msub(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t c, uint64_t old);
uint64_t p9_fpu_nmadd(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t c, uint64_t old);
uint64_t p9_fpu_nmsub(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t c, uint64_t old);

uint64_t p9_fpu_adds(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old);
uint64_t p9_fpu_subs(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old);
uint64_t p9_fpu_muls(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old);
uint64_t p9_fpu_divs(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old);
uint64_t p9_fpu_sqrts(uint64_t *fpscr, uint64_t b, uint64_t old);
uint64_t p9_fpu_madds(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t c, uint64_t old);
uint64_t p9_fpu_msubs(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t c, uint64_t old);
uint64_t p9_fpu_nmadds(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t c, uint64_t old);
uint64_t p9_fpu_nmsubs(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t c, uint64_t old);

/*
 * Estimates: 1/b and 1/sqrt(b) as a division and a square root would round them, which is
 * within every accuracy the ISA demands. FR and FI, undefined in the ISA, become 0; XX is not
 * raised.
 */
uint64_t p9_fpu_re(uint64_t *fpscr, uint64_t b, uint64_t old);      /* fre, xsredp */
uint64_t p9_fpu_res(uint64_t *fpscr, uint64_t b, uint64_t old);     /* fres, xsresp */
uint64_t p9_fpu_rsqrte(uint64_t *fpscr, uint64_t b, uint64_t old);  /* frsqrte, xsrsqrtedp */
uint64_t p9_fpu_rsqrtes(uint64_t *fpscr, uint64_t b, uint64_t old); /* frsqrtes, xsrsqrtesp */

uint64_t p9_fpu_rsp(uint64_t *fpscr, uint64_t b, uint64_t old); /* frsp, xsrsp */

/* Round to an integral value. Only ric (xsrdpic: by RN) raises XX and sets FR, FI. */
uint64_t p9_fpu_rin(uint64_t *fpscr, uint64_t b, uint64_t old); /* frin, xsrdpi: ties away */
uint64_t p9_fpu_riz(uint64_t *fpscr, uint64_t b, uint64_t old); /* friz, xsrdpiz */
uint64_t p9_fpu_rip(uint64_t *fpscr, uint64_t b, uint64_t old); /* frip, xsrdpip */
uint64_t p9_fpu_rim(uint64_t *fpscr, uint64_t b, uint64_t old); /* frim, xsrdpim */
uint64_t p9_fpu_ric(uint64_t *fpscr, uint64_t b, uint64_t old); /* xsrdpic */

/*
 * Convert a double to an integer. A word result is in both halves of the doubleword, as the
 * processor gives it (the ISA defines the low one only). FPRF, undefined in the ISA, is kept.
 */
uint64_t p9_fpu_ctid(uint64_t *fpscr, uint64_t b, uint64_t old);
uint64_t p9_fpu_ctidz(uint64_t *fpscr, uint64_t b, uint64_t old); /* also xscvdpsxds */
uint64_t p9_fpu_ctidu(uint64_t *fpscr, uint64_t b, uint64_t old);
uint64_t p9_fpu_ctiduz(uint64_t *fpscr, uint64_t b, uint64_t old); /* also xscvdpuxds */
uint64_t p9_fpu_ctiw(uint64_t *fpscr, uint64_t b, uint64_t old);
uint64_t p9_fpu_ctiwz(uint64_t *fpscr, uint64_t b, uint64_t old); /* also xscvdpsxws */
uint64_t p9_fpu_ctiwu(uint64_t *fpscr, uint64_t b, uint64_t old);
uint64_t p9_fpu_ctiwuz(uint64_t *fpscr, uint64_t b, uint64_t old); /* also xscvdpuxws */

/* Convert a 64-bit integer. Never suppressed. */
uint64_t p9_fpu_cfid(uint64_t *fpscr, uint64_t b);   /* fcfid, xscvsxddp */
uint64_t p9_fpu_cfidu(uint64_t *fpscr, uint64_t b);  /* fcfidu, xscvuxddp */
uint64_t p9_fpu_cfids(uint64_t *fpscr, uint64_t b);  /* fcfids, xscvsxdsp */
uint64_t p9_fpu_cfidus(uint64_t *fpscr, uint64_t b); /* fcfidus, xscvuxdsp */

/*
 * Between formats. The ISA's target of a single is word 0; the processor writes words 0 and 1.
 * Half precision: bits 48:63 of doubleword 0.
 */
uint32_t p9_fpu_cvdpsp(uint64_t *fpscr, uint64_t b, uint32_t old); /* xscvdpsp */
uint64_t p9_fpu_cvspdp(uint64_t *fpscr, uint32_t b, uint64_t old); /* xscvspdp */
uint32_t p9_fpu_cvdpspn(uint64_t b);                               /* xscvdpspn */
uint64_t p9_fpu_cvspdpn(uint32_t b);                               /* xscvspdpn */
uint16_t p9_fpu_cvdphp(uint64_t *fpscr, uint64_t b, uint16_t old); /* xscvdphp */
uint64_t p9_fpu_cvhpdp(uint64_t *fpscr, uint16_t b, uint64_t old); /* xscvhpdp */

/* Comparisons give the CR field and put it into FPCC (ftdiv and ftsqrt leave the FPSCR). */
unsigned p9_fpu_cmpu(uint64_t *fpscr, uint64_t a, uint64_t b);      /* fcmpu, xscmpudp */
unsigned p9_fpu_cmpo(uint64_t *fpscr, uint64_t a, uint64_t b);      /* fcmpo, xscmpodp */
unsigned p9_fpu_cmpexp(uint64_t *fpscr, uint64_t a, uint64_t b);    /* xscmpexpdp */
unsigned p9_fpu_tdiv(uint64_t a, uint64_t b);                       /* ftdiv, xstdivdp */
unsigned p9_fpu_tsqrt(uint64_t b);                                  /* ftsqrt, xstsqrtdp */
unsigned p9_fpu_tstdc(uint64_t *fpscr, uint64_t b, unsigned dcmx);  /* xststdcdp */
unsigned p9_fpu_tstdcs(uint64_t *fpscr, uint64_t b, unsigned dcmx); /* xststdcsp */

/* xscmpeqdp, xscmpgtdp, xscmpgedp: all ones or zero. */
uint64_t p9_fpu_cmpeq(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old);
uint64_t p9_fpu_cmpgt(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old);
uint64_t p9_fpu_cmpge(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old);

/* Maximum and minimum: IEEE (xsmaxdp), like C's ?: (xsmaxcdp), like Java's (xsmaxjdp). */
uint64_t p9_fpu_max(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old);
uint64_t p9_fpu_min(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old);
uint64_t p9_fpu_maxc(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old);
uint64_t p9_fpu_minc(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old);
uint64_t p9_fpu_maxj(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old);
uint64_t p9_fpu_minj(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old);

/* Parts of a number (no FPSCR). xsiexpdp takes its operands from general registers. */
static inline uint64_t p9_fpu_xexp(uint64_t b) /* xsxexpdp */
{
	return (b >> 52) & 0x7ff;
}

static inline uint64_t p9_fpu_xsig(uint64_t b) /* xsxsigdp: with the implicit bit */
{
	uint64_t e = p9_fpu_xexp(b);

	return (b & (BIT64(52) - 1)) | (e != 0 && e != 0x7ff ? BIT64(52) : 0);
}

static inline uint64_t p9_fpu_iexp(uint64_t a, uint64_t b) /* xsiexpdp */
{
	return (a & (BIT64(63) | (BIT64(52) - 1))) | (b & 0x7ff) << 52;
}

/*
 * ------------------------------------------------------------------------------------------
 * Quad precision. `odd` is the o form: round to odd instead of by RN. Multiply-add as above:
 * a * c + b, for xsmaddqp VRA, VRT, VRB.
 */
p9_u128 p9_fpq_add(uint64_t *fpscr, p9_u128 a, p9_u128 b, p9_u128 old, bool odd);
p9_u128 p9_fpq_sub(uint64_t *fpscr, p9_u128 a, p9_u128 b, p9_u128 old, bool odd);
p9_u128 p9_fpq_mul(uint64_t *fpscr, p9_u128 a, p9_u128 b, p9_u128 old, bool odd);
p9_u128 p9_fpq_div(uint64_t *fpscr, p9_u128 a, p9_u128 b, p9_u128 old, bool odd);
p9_u128 p9_fpq_sqrt(uint64_t *fpscr, p9_u128 b, p9_u128 old, bool odd);
p9_u128 p9_fpq_madd(uint64_t *fpscr, p9_u128 a, p9_u128 b, p9_u128 c, p9_u128 old, bool odd);
p9_u128 p9_fpq_msub(uint64_t *fpscr, p9_u128 a, p9_u128 b, p9_u128 c, p9_u128 old, bool odd);
p9_u128 p9_fpq_nmadd(uint64_t *fpscr, p9_u128 a, p9_u128 b, p9_u128 c, p9_u128 old, bool odd);
p9_u128 p9_fpq_nmsub(uint64_t *fpscr, p9_u128 a, p9_u128 b, p9_u128 c, p9_u128 old, bool odd);

/* xsrqpi[x]: to an integral value; `exact` is the x form, which raises XX. r, rmc: 0..1, 0..3. */
p9_u128 p9_fpq_ri(uint64_t *fpscr, p9_u128 b, p9_u128 old, unsigned r, unsigned rmc, bool exact);
/* xsrqpxp: to the 64-bit significand of the x87's double-extended format. */
p9_u128 p9_fpq_rxp(uint64_t *fpscr, p9_u128 b, p9_u128 old, unsigned r, unsigned rmc);

/* Doubleword 0 of the target; doubleword 1 becomes 0 (unless suppressed). */
p9_u128 p9_fpq_cvdpqp(uint64_t *fpscr, uint64_t b, p9_u128 old); /* all of the target */
uint64_t p9_fpq_cvqpdp(uint64_t *fpscr, p9_u128 b, uint64_t old, bool odd);
uint64_t p9_fpq_cvqpsdz(uint64_t *fpscr, p9_u128 b, uint64_t old);
uint64_t p9_fpq_cvqpudz(uint64_t *fpscr, p9_u128 b, uint64_t old);
uint64_t p9_fpq_cvqpswz(uint64_t *fpscr, p9_u128 b, uint64_t old); /* sign-extended */
uint64_t p9_fpq_cvqpuwz(uint64_t *fpscr, p9_u128 b, uint64_t old);
p9_u128 p9_fpq_cvsdqp(uint64_t *fpscr, uint64_t b);
p9_u128 p9_fpq_cvudqp(uint64_t *fpscr, uint64_t b);

unsigned p9_fpq_cmpu(uint64_t *fpscr, p9_u128 a, p9_u128 b);
unsigned p9_fpq_cmpo(uint64_t *fpscr, p9_u128 a, p9_u128 b);
unsigned p9_fpq_cmpexp(uint64_t *fpscr, p9_u128 a, p9_u128 b);
unsigned p9_fpq_tstdc(uint64_t *fpscr, p9_u128 b, unsigned dcmx);

static inline uint64_t p9_fpq_xexp(p9_u128 b) /* xsxexpqp: to doubleword 0 */
{
	return (uint64_t)(b >> 112) & 0x7fff;
}

static inline p9_u128 p9_fpq_xsig(p9_u128 b) /* xsxsigqp */
{
	uint64_t e = p9_fpq_xexp(b);
	p9_u128 one = (p9_u128)1 << 112;

	return (b & (one - 1)) | (e != 0 && e != 0x7fff ? one : 0);
}

static inline p9_u128 p9_fpq_iexp(p9_u128 a, uint64_t b) /* xsiexpqp: b is doubleword 0 of VRB */
{
	return (a & ~((p9_u128)0x7fff << 112)) | (p9_u128)(b & 0x7fff) << 112;
}

/*
 * ------------------------------------------------------------------------------------------
 * VSX vector lanes: dp on 64 bits, sp on 32. fpscr gives RN and the enables and is not changed;
 * exceptions are added to *raised, which starts at 0. After all lanes p9_fpv_commit() puts them
 * into the FPSCR; when it returns false an enabled exception occurred and the target must stay
 * unchanged as a whole (for the record forms of comparisons, CR6 is then undefined).
 */
bool p9_fpv_commit(uint64_t *fpscr, uint64_t raised);

uint64_t p9_fpv_add_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b);
uint64_t p9_fpv_sub_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b);
uint64_t p9_fpv_mul_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b);
uint64_t p9_fpv_div_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b);
uint64_t p9_fpv_sqrt_dp(uint64_t fpscr, uint64_t *raised, uint64_t b);
uint64_t p9_fpv_madd_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b, uint64_t c);
uint64_t p9_fpv_msub_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b, uint64_t c);
uint64_t p9_fpv_nmadd_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b, uint64_t c);
uint64_t p9_fpv_nmsub_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b, uint64_t c);
uint64_t p9_fpv_re_dp(uint64_t fpscr, uint64_t *raised, uint64_t b);
uint64_t p9_fpv_rsqrte_dp(uint64_t fpscr, uint64_t *raised, uint64_t b);
uint64_t p9_fpv_max_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b);
uint64_t p9_fpv_min_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b);
uint64_t p9_fpv_cmpeq_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b);
uint64_t p9_fpv_cmpgt_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b);
uint64_t p9_fpv_cmpge_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b);
/* xvrdpi: P9_ROUND_AWAY; xvrdpic: `exact` and the mode of RN, which raises XX. */
uint64_t p9_fpv_ri_dp(uint64_t fpscr, uint64_t *raised, uint64_t b, enum p9_fp_round mode,
		      bool exact);
uint64_t p9_fpv_tstdc_dp(uint64_t b, unsigned dcmx); /* all ones or zero */

uint32_t p9_fpv_add_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b);
uint32_t p9_fpv_sub_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b);
uint32_t p9_fpv_mul_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b);
uint32_t p9_fpv_div_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b);
uint32_t p9_fpv_sqrt_sp(uint64_t fpscr, uint64_t *raised, uint32_t b);
uint32_t p9_fpv_madd_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b, uint32_t c);
uint32_t p9_fpv_msub_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b, uint32_t c);
uint32_t p9_fpv_nmadd_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b, uint32_t c);
uint32_t p9_fpv_nmsub_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b, uint32_t c);
uint32_t p9_fpv_re_sp(uint64_t fpscr, uint64_t *raised, uint32_t b);
uint32_t p9_fpv_rsqrte_sp(uint64_t fpscr, uint64_t *raised, uint32_t b);
uint32_t p9_fpv_max_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b);
uint32_t p9_fpv_min_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b);
uint32_t p9_fpv_cmpeq_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b);
uint32_t p9_fpv_cmpgt_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b);
uint32_t p9_fpv_cmpge_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b);
uint32_t p9_fpv_ri_sp(uint64_t fpscr, uint64_t *raised, uint32_t b, enum p9_fp_round mode,
		      bool exact);
uint32_t p9_fpv_tstdc_sp(uint32_t b, unsigned dcmx);

/* Test for software divide and square root: one lane's fe and fg flags as a CR field, 8|fg|fe|0;
 * the instruction's CR field is the OR over its lanes. The dp lanes are p9_fpu_tdiv, p9_fpu_tsqrt.
 */
unsigned p9_fpv_tdiv_sp(uint32_t a, uint32_t b);
unsigned p9_fpv_tsqrt_sp(uint32_t b);

/* Lane conversions; the name says from and to, as in xvcvdpsp. To integers: toward zero. */
uint32_t p9_fpv_cvdpsp(uint64_t fpscr, uint64_t *raised, uint64_t b);
uint64_t p9_fpv_cvspdp(uint64_t fpscr, uint64_t *raised, uint32_t b);
uint16_t p9_fpv_cvsphp(uint64_t fpscr, uint64_t *raised, uint32_t b);
uint32_t p9_fpv_cvhpsp(uint64_t fpscr, uint64_t *raised, uint16_t b);
uint64_t p9_fpv_cvdpsxds(uint64_t fpscr, uint64_t *raised, uint64_t b);
uint64_t p9_fpv_cvdpuxds(uint64_t fpscr, uint64_t *raised, uint64_t b);
uint32_t p9_fpv_cvdpsxws(uint64_t fpscr, uint64_t *raised, uint64_t b);
uint32_t p9_fpv_cvdpuxws(uint64_t fpscr, uint64_t *raised, uint64_t b);
uint64_t p9_fpv_cvspsxds(uint64_t fpscr, uint64_t *raised, uint32_t b);
uint64_t p9_fpv_cvspuxds(uint64_t fpscr, uint64_t *raised, uint32_t b);
uint32_t p9_fpv_cvspsxws(uint64_t fpscr, uint64_t *raised, uint32_t b);
uint32_t p9_fpv_cvspuxws(uint64_t fpscr, uint64_t *raised, uint32_t b);
uint64_t p9_fpv_cvsxddp(uint64_t fpscr, uint64_t *raised, uint64_t b);
uint64_t p9_fpv_cvuxddp(uint64_t fpscr, uint64_t *raised, uint64_t b);
uint32_t p9_fpv_cvsxdsp(uint64_t fpscr, uint64_t *raised, uint64_t b);
uint32_t p9_fpv_cvuxdsp(uint64_t fpscr, uint64_t *raised, uint64_t b);
uint64_t p9_fpv_cvsxwdp(uint32_t b); /* exact */
uint64_t p9_fpv_cvuxwdp(uint32_t b);
uint32_t p9_fpv_cvsxwsp(uint64_t fpscr, uint64_t *raised, uint32_t b);
uint32_t p9_fpv_cvuxwsp(uint64_t fpscr, uint64_t *raised, uint32_t b);

/* Parts of a single (xvxexpsp, xvxsigsp, xviexpsp); those of a double are the scalars'. */
static inline uint32_t p9_fpv_xexp_sp(uint32_t b)
{
	return (b >> 23) & 0xff;
}

static inline uint32_t p9_fpv_xsig_sp(uint32_t b)
{
	uint32_t e = p9_fpv_xexp_sp(b);

	return (b & 0x7fffff) | (e != 0 && e != 0xff ? 0x800000 : 0);
}

static inline uint32_t p9_fpv_iexp_sp(uint32_t a, uint32_t b)
{
	return (a & 0x807fffff) | (b & 0xff) << 23;
}

/*
 * ------------------------------------------------------------------------------------------
 * VMX lanes (6.10). Round to nearest, no exceptions. nj is VSCR[NJ]: denormal operands count as
 * zeros and denormal results become zeros, of the same sign. Multiply-add: a * c + b.
 */
uint32_t p9_vmx_addfp(uint32_t a, uint32_t b, bool nj);
uint32_t p9_vmx_subfp(uint32_t a, uint32_t b, bool nj);
uint32_t p9_vmx_maddfp(uint32_t a, uint32_t b, uint32_t c, bool nj);
uint32_t p9_vmx_nmsubfp(uint32_t a, uint32_t b, uint32_t c, bool nj);
uint32_t p9_vmx_maxfp(uint32_t a, uint32_t b, bool nj);
uint32_t p9_vmx_minfp(uint32_t a, uint32_t b, bool nj);
uint32_t p9_vmx_refp(uint32_t b, bool nj);
uint32_t p9_vmx_rsqrtefp(uint32_t b, bool nj);
uint32_t p9_vmx_logefp(uint32_t b, bool nj);
uint32_t p9_vmx_exptefp(uint32_t b, bool nj);
uint32_t p9_vmx_rfi(uint32_t b, enum p9_fp_round mode, bool nj); /* vrfin: P9_ROUND_NEAREST */
uint32_t p9_vmx_cfux(uint32_t b, unsigned uim);                  /* vcfux: b / 2^uim */
uint32_t p9_vmx_cfsx(uint32_t b, unsigned uim);
uint32_t p9_vmx_ctuxs(uint32_t b, unsigned uim, bool *sat, bool nj); /* b * 2^uim; *sat is ORed */
uint32_t p9_vmx_ctsxs(uint32_t b, unsigned uim, bool *sat, bool nj);
uint32_t p9_vmx_cmpbfp(uint32_t a, uint32_t b, bool nj);  /* bits 0 and 1 of the word */
uint32_t p9_vmx_cmpeqfp(uint32_t a, uint32_t b, bool nj); /* all ones or zero */
uint32_t p9_vmx_cmpgefp(uint32_t a, uint32_t b, bool nj);
uint32_t p9_vmx_cmpgtfp(uint32_t a, uint32_t b, bool nj);

#endif
