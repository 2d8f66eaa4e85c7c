/*
 * VSX scalar floating point (Book I 7.6.1.3 - 7.6.1.8, 7.6.1.12): double precision in doubleword 0.
 */
#include "cpu/power9/emit_float.h"

#define SIGN UINT64_C(0x8000000000000000)

static ir_val dw0(struct p9_translator *t, unsigned n)
{
	return ir_get(t->r, IR_I64, p9_off_vsr_dw(n, 0));
}

/* Doubleword 1, undefined in the ISA, becomes zero. */
static void set_scalar(struct p9_translator *t, unsigned n, ir_val v)
{
	p9_set_vsr(t, n, ir_bin(t->r, IR_VMAKE, v, p9_i64(t, 0)));
}

/*
 * After an operation that an enabled exception may have suppressed: then the register keeps
 * its doubleword 1 as well (fpu.h says how to tell).
 */
static void set_result(struct p9_translator *t, unsigned n, ir_val v)
{
	ir_val fpscr, pending, old;

	if (p9_fp_deferred(t)) {
		p9_set_fpr(t, n, v);
		return;
	}
	fpscr = ir_get(t->r, IR_I64, P9_OFF(fpscr));
	pending = ir_bin(t->r, IR_AND, fpscr, p9_i64(t, P9_FPSCR_FEX));
	old = ir_get(t->r, IR_I64, p9_off_vsr_dw(n, 1));
	p9_set_vsr(t, n,
		   ir_bin(t->r, IR_VMAKE, v, ir_select(t->r, pending, old, p9_i64(t, 0))));
	p9_fp_check(t);
}

#define XS_B(id, f)                                                                                \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		set_result(t, insn_XT(i),                                                          \
			   p9_call2(t, &p9_h_fpu_##f, dw0(t, insn_XB(i)), dw0(t, insn_XT(i))));    \
	}

/* Those whose status can be deferred. */

#define XS_B_LATE(id, f)                                                                           \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val b = dw0(t, insn_XB(i));                                                     \
                                                                                                   \
		set_result(t, insn_XT(i),                                                          \
			   p9_fp_deferred(t) ?                                                     \
				   P9_FP_DEFER1(t, f, b) :                                         \
				   p9_call2(t, &p9_h_fpu_##f, b, dw0(t, insn_XT(i))));             \
	}

#define XS_TO_INT_LATE(id, f)                                                                      \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val b = dw0(t, insn_XB(i));                                                     \
                                                                                                   \
		set_result(t, insn_XT(i),                                                          \
			   p9_fp_deferred(t) ?                                                     \
				   P9_FP_DEFER_CONVERT(t, f, b) :                                  \
				   p9_call2(t, &p9_h_fpu_##f, b, dw0(t, insn_XT(i))));             \
	}

#define XS_AB_LATE(id, f)                                                                          \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val a = dw0(t, insn_XA(i)), b = dw0(t, insn_XB(i));                             \
                                                                                                   \
		set_result(t, insn_XT(i),                                                          \
			   p9_fp_deferred(t) ?                                                     \
				   P9_FP_DEFER2(t, f, a, b) :                                      \
				   p9_call3(t, &p9_h_fpu_##f, a, b, dw0(t, insn_XT(i))));          \
	}

/* These set no status but exceptions. */
#define XS_CHOICE(id, f)                                                                           \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val a = dw0(t, insn_XA(i)), b = dw0(t, insn_XB(i));                             \
                                                                                                   \
		set_result(t, insn_XT(i),                                                          \
			   p9_fp_deferred(t) ?                                                     \
				   p9_call2(t, &p9_h_fpf_##f, a, b) :                              \
				   p9_call3(t, &p9_h_fpu_##f, a, b, dw0(t, insn_XT(i))));          \
	}

/* The a form multiplies by XB and adds XT, the m form multiplies by XT and adds XB. */
#define XS_FUSED(id_a, id_m, f)                                                                    \
	void p9_emit_##id_a(struct p9_translator *t, const struct p9_insn *i)                      \
	{                                                                                          \
		ir_val a = dw0(t, insn_XA(i)), b = dw0(t, insn_XB(i)), xt = dw0(t, insn_XT(i));    \
                                                                                                   \
		set_result(t, insn_XT(i),                                                          \
			   p9_fp_deferred(t) ? P9_FP_DEFER3(t, f, a, xt, b) :                      \
					       p9_call4(t, &p9_h_fpu_##f, a, xt, b, xt));          \
	}                                                                                          \
	void p9_emit_##id_m(struct p9_translator *t, const struct p9_insn *i)                      \
	{                                                                                          \
		ir_val a = dw0(t, insn_XA(i)), b = dw0(t, insn_XB(i)), xt = dw0(t, insn_XT(i));    \
                                                                                                   \
		set_result(t, insn_XT(i),                                                          \
			   p9_fp_deferred(t) ? P9_FP_DEFER3(t, f, a, b, xt) :                      \
					       p9_call4(t, &p9_h_fpu_##f, a, b, xt, xt));          \
	}

#define XS_FROM_INT_LATE(id, f)                                                                    \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val b = dw0(t, insn_XB(i));                                                     \
                                                                                                   \
		if (p9_fp_deferred(t))                                                             \
			p9_set_fpr(t, insn_XT(i), P9_FP_DEFER1(t, f, b));                          \
		else                                                                               \
			set_scalar(t, insn_XT(i), p9_call1(t, &p9_h_fpu_##f, b));                  \
		p9_fp_check(t);                                                                    \
	}

XS_AB_LATE(xsadddp, add)
XS_AB_LATE(xsaddsp, adds)
XS_AB_LATE(xssubdp, sub)
XS_AB_LATE(xssubsp, subs)
XS_AB_LATE(xsmuldp, mul)
XS_AB_LATE(xsmulsp, muls)
XS_AB_LATE(xsdivdp, div)
XS_AB_LATE(xsdivsp, divs)
XS_B_LATE(xssqrtdp, sqrt)
XS_B_LATE(xssqrtsp, sqrts)
XS_B(xsredp, re)
XS_B(xsresp, res)
XS_B(xsrsqrtedp, rsqrte)
XS_B(xsrsqrtesp, rsqrtes)

XS_FUSED(xsmaddadp, xsmaddmdp, madd)
XS_FUSED(xsmaddasp, xsmaddmsp, madds)
XS_FUSED(xsmsubadp, xsmsubmdp, msub)
XS_FUSED(xsmsubasp, xsmsubmsp, msubs)
XS_FUSED(xsnmaddadp, xsnmaddmdp, nmadd)
XS_FUSED(xsnmaddasp, xsnmaddmsp, nmadds)
XS_FUSED(xsnmsubadp, xsnmsubmdp, nmsub)
XS_FUSED(xsnmsubasp, xsnmsubmsp, nmsubs)

XS_CHOICE(xscmpeqdp, cmpeq)
XS_CHOICE(xscmpgtdp, cmpgt)
XS_CHOICE(xscmpgedp, cmpge)
XS_CHOICE(xsmaxdp, max)
XS_CHOICE(xsmindp, min)
XS_CHOICE(xsmaxcdp, maxc)
XS_CHOICE(xsmincdp, minc)
XS_CHOICE(xsmaxjdp, maxj)
XS_CHOICE(xsminjdp, minj)

XS_B_LATE(xsrsp, rsp)
XS_B_LATE(xsrdpi, rin)
XS_B_LATE(xsrdpiz, riz)
XS_B_LATE(xsrdpip, rip)
XS_B_LATE(xsrdpim, rim)
XS_B_LATE(xsrdpic, ric)
XS_TO_INT_LATE(xscvdpsxds, ctidz)
XS_TO_INT_LATE(xscvdpuxds, ctiduz)
XS_TO_INT_LATE(xscvdpsxws, ctiwz)
XS_TO_INT_LATE(xscvdpuxws, ctiwuz)
XS_FROM_INT_LATE(xscvsxddp, cfid)
XS_FROM_INT_LATE(xscvuxddp, cfidu)
XS_FROM_INT_LATE(xscvsxdsp, cfids)
XS_FROM_INT_LATE(xscvuxdsp, cfidus)

/* A single in the register's format is in words 0 and 1; conversions read word 0. */

static ir_val word0(struct p9_translator *t, unsigned n)
{
	return ir_extract(t->r, dw0(t, n), 32, 32);
}

static ir_val both_words(struct p9_translator *t, ir_val v)
{
	return ir_deposit(t->r, v, v, 32, 32);
}

/* A suppressed result must keep both words of the target, which may differ. */
void p9_emit_xscvdpsp(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned xt = insn_XT(i);
	ir_val old, v, fpscr, suppressed;

	if (p9_fp_deferred(t)) {
		/* rounded as a double; its low bits are zero then */
		v = P9_FP_DEFER1(t, rsp, dw0(t, insn_XB(i)));
		set_result(t, xt, both_words(t, p9_call1(t, &p9_h_fpu_cvdpspn, v)));
		return;
	}
	old = dw0(t, xt);
	v = p9_call2(t, &p9_h_fpu_cvdpsp, dw0(t, insn_XB(i)), word0(t, xt));
	fpscr = ir_get(t->r, IR_I64, P9_OFF(fpscr));
	suppressed = ir_bin(t->r, IR_AND, ir_extract(t->r, fpscr, 30, 1),
			    ir_bin(t->r, IR_EQ, v, ir_extract(t->r, old, 32, 32)));

	set_result(t, xt, ir_select(t->r, suppressed, old, both_words(t, v)));
}

void p9_emit_xscvspdp(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned xt = insn_XT(i);
	ir_val b = word0(t, insn_XB(i));

	set_result(t, xt,
		   p9_fp_deferred(t) ? P9_FP_DEFER1(t, cvspdp, b) :
				       p9_call2(t, &p9_h_fpu_cvspdp, b, dw0(t, xt)));
}

void p9_emit_xscvdpspn(struct p9_translator *t, const struct p9_insn *i)
{
	set_scalar(t, insn_XT(i),
		   both_words(t, p9_call1(t, &p9_h_fpu_cvdpspn, dw0(t, insn_XB(i)))));
}

void p9_emit_xscvspdpn(struct p9_translator *t, const struct p9_insn *i)
{
	set_scalar(t, insn_XT(i), p9_call1(t, &p9_h_fpu_cvspdpn, word0(t, insn_XB(i))));
}

/* A half is at the right end of doubleword 0; a result has zeros to its left. */
void p9_emit_xscvdphp(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned xt = insn_XT(i);
	ir_val old = dw0(t, xt);
	ir_val v = p9_call2(t, &p9_h_fpu_cvdphp, dw0(t, insn_XB(i)), old);
	ir_val fpscr = ir_get(t->r, IR_I64, P9_OFF(fpscr));
	ir_val suppressed = ir_bin(t->r, IR_AND, ir_extract(t->r, fpscr, 30, 1),
				   ir_bin(t->r, IR_EQ, v, ir_extract(t->r, old, 0, 16)));

	set_result(t, xt, ir_select(t->r, suppressed, old, v));
}

void p9_emit_xscvhpdp(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned xt = insn_XT(i);

	set_result(t, xt, p9_call2(t, &p9_h_fpu_cvhpdp, dw0(t, insn_XB(i)), dw0(t, xt)));
}

/* Comparisons and tests to a CR field */

#define XS_COMPARE(id, f)                                                                          \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_crf(t, insn_BF(i),                                                          \
			   p9_call2(t, &p9_h_fpu_##f, dw0(t, insn_XA(i)), dw0(t, insn_XB(i))));    \
		p9_fp_check(t);                                                                    \
	}

#define XS_COMPARE_LATE(id, f)                                                                     \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_fp_compare(t, insn_BF(i), &p9_h_fpf_##f, &p9_h_fpu_##f, dw0(t, insn_XA(i)),     \
			      dw0(t, insn_XB(i)));                                                 \
		p9_fp_check(t);                                                                    \
	}

XS_COMPARE_LATE(xscmpudp, cmpu)
XS_COMPARE_LATE(xscmpodp, cmpo)
XS_COMPARE(xscmpexpdp, cmpexp)

void p9_emit_xstdivdp(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_crf(t, insn_BF(i),
		   p9_call2(t, &p9_h_fpu_tdiv, dw0(t, insn_XA(i)), dw0(t, insn_XB(i))));
}

void p9_emit_xstsqrtdp(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_crf(t, insn_BF(i), p9_call1(t, &p9_h_fpu_tsqrt, dw0(t, insn_XB(i))));
}

void p9_emit_xststdcdp(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_crf(t, insn_BF(i),
		   p9_call2(t, &p9_h_fpu_tstdc, dw0(t, insn_XB(i)), p9_i64(t, insn_DCMX(i))));
}

void p9_emit_xststdcsp(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_crf(t, insn_BF(i),
		   p9_call2(t, &p9_h_fpu_tstdcs, dw0(t, insn_XB(i)), p9_i64(t, insn_DCMX(i))));
}

/* Sign manipulation: bits only */

void p9_emit_xsabsdp(struct p9_translator *t, const struct p9_insn *i)
{
	set_scalar(t, insn_XT(i), ir_bin(t->r, IR_AND, dw0(t, insn_XB(i)), p9_i64(t, ~SIGN)));
}

void p9_emit_xsnabsdp(struct p9_translator *t, const struct p9_insn *i)
{
	set_scalar(t, insn_XT(i), ir_bin(t->r, IR_OR, dw0(t, insn_XB(i)), p9_i64(t, SIGN)));
}

void p9_emit_xsnegdp(struct p9_translator *t, const struct p9_insn *i)
{
	set_scalar(t, insn_XT(i), ir_bin(t->r, IR_XOR, dw0(t, insn_XB(i)), p9_i64(t, SIGN)));
}

void p9_emit_xscpsgndp(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val sign = ir_bin(t->r, IR_AND, dw0(t, insn_XA(i)), p9_i64(t, SIGN));
	ir_val rest = ir_bin(t->r, IR_AND, dw0(t, insn_XB(i)), p9_i64(t, ~SIGN));

	set_scalar(t, insn_XT(i), ir_bin(t->r, IR_OR, sign, rest));
}

/* Exponent and significand, from and to general registers */

void p9_emit_xsiexpdp(struct p9_translator *t, const struct p9_insn *i)
{
	set_scalar(t, insn_XT(i),
		   p9_call2(t, &p9_h_fpu_iexp, p9_gpr(t, insn_RA(i)), p9_gpr(t, insn_RB(i))));
}

void p9_emit_xsxexpdp(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RT(i), ir_extract(t->r, dw0(t, insn_XB(i)), 52, 11));
}

void p9_emit_xsxsigdp(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RT(i), p9_call1(t, &p9_h_fpu_xsig, dw0(t, insn_XB(i))));
}
