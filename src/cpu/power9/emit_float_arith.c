/*
 * Floating-point arithmetic, conversion and comparison (Book I 4.6.6 - 4.6.8). A result that an
 * enabled exception suppresses leaves FRT as it was: the unit returns what it held.
 */
#include "cpu/power9/emit_float.h"

static void finish(struct p9_translator *t, const struct p9_insn *i, ir_val v)
{
	p9_set_fpr(t, insn_FRT(i), v);
	p9_fp_record(t, i);
	p9_fp_check(t);
}

#define FP_B(id, f)                                                                                \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		finish(t, i,                                                                       \
		       p9_call2(t, &p9_h_fpu_##f, p9_fpr(t, insn_FRB(i)),                          \
				p9_fpr(t, insn_FRT(i))));                                          \
	}

/* Those whose status can be deferred. */

#define FP_B_LATE(id, f)                                                                           \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val b = p9_fpr(t, insn_FRB(i));                                                 \
                                                                                                   \
		finish(t, i,                                                                       \
		       p9_fp_deferred(t) ?                                                         \
			       P9_FP_DEFER1(t, f, b) :                                             \
			       p9_call2(t, &p9_h_fpu_##f, b, p9_fpr(t, insn_FRT(i))));             \
	}

#define FP_TO_INT_LATE(id, f)                                                                      \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val b = p9_fpr(t, insn_FRB(i));                                                 \
                                                                                                   \
		finish(t, i,                                                                       \
		       p9_fp_deferred(t) ?                                                         \
			       P9_FP_DEFER_CONVERT(t, f, b) :                                      \
			       p9_call2(t, &p9_h_fpu_##f, b, p9_fpr(t, insn_FRT(i))));             \
	}

#define FP_2_LATE(id, f, second)                                                                   \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val a = p9_fpr(t, insn_FRA(i)), b = p9_fpr(t, insn_##second(i));                \
                                                                                                   \
		finish(t, i,                                                                       \
		       p9_fp_deferred(t) ?                                                         \
			       P9_FP_DEFER2(t, f, a, b) :                                          \
			       p9_call3(t, &p9_h_fpu_##f, a, b, p9_fpr(t, insn_FRT(i))));          \
	}

#define FP_FUSED(id, f)                                                                            \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val a = p9_fpr(t, insn_FRA(i)), b = p9_fpr(t, insn_FRB(i)),                     \
		       c = p9_fpr(t, insn_FRC(i));                                                 \
                                                                                                   \
		finish(t, i,                                                                       \
		       p9_fp_deferred(t) ?                                                         \
			       P9_FP_DEFER3(t, f, a, b, c) :                                       \
			       p9_call4(t, &p9_h_fpu_##f, a, b, c, p9_fpr(t, insn_FRT(i))));       \
	}

#define FP_FROM_INT_LATE(id, f)                                                                    \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val b = p9_fpr(t, insn_FRB(i));                                                 \
                                                                                                   \
		finish(t, i,                                                                       \
		       p9_fp_deferred(t) ? P9_FP_DEFER1(t, f, b) :                                 \
					   p9_call1(t, &p9_h_fpu_##f, b));                         \
	}

FP_2_LATE(fadd, add, FRB)
FP_2_LATE(fadds, adds, FRB)
FP_2_LATE(fsub, sub, FRB)
FP_2_LATE(fsubs, subs, FRB)
FP_2_LATE(fmul, mul, FRC)
FP_2_LATE(fmuls, muls, FRC)
FP_2_LATE(fdiv, div, FRB)
FP_2_LATE(fdivs, divs, FRB)
FP_B_LATE(fsqrt, sqrt)
FP_B_LATE(fsqrts, sqrts)
FP_B(fre, re)
FP_B(fres, res)
FP_B(frsqrte, rsqrte)
FP_B(frsqrtes, rsqrtes)

FP_FUSED(fmadd, madd)
FP_FUSED(fmadds, madds)
FP_FUSED(fmsub, msub)
FP_FUSED(fmsubs, msubs)
FP_FUSED(fnmadd, nmadd)
FP_FUSED(fnmadds, nmadds)
FP_FUSED(fnmsub, nmsub)
FP_FUSED(fnmsubs, nmsubs)

FP_B_LATE(frsp, rsp)
FP_TO_INT_LATE(fctid, ctid)
FP_TO_INT_LATE(fctidz, ctidz)
FP_TO_INT_LATE(fctidu, ctidu)
FP_TO_INT_LATE(fctiduz, ctiduz)
FP_TO_INT_LATE(fctiw, ctiw)
FP_TO_INT_LATE(fctiwz, ctiwz)
FP_TO_INT_LATE(fctiwu, ctiwu)
FP_TO_INT_LATE(fctiwuz, ctiwuz)
FP_FROM_INT_LATE(fcfid, cfid)
FP_FROM_INT_LATE(fcfidu, cfidu)
FP_FROM_INT_LATE(fcfids, cfids)
FP_FROM_INT_LATE(fcfidus, cfidus)
FP_B_LATE(frin, rin)
FP_B_LATE(friz, riz)
FP_B_LATE(frip, rip)
FP_B_LATE(frim, rim)

static void emit_compare(struct p9_translator *t, const struct p9_insn *i,
			 const struct ir_helper *h, const struct ir_helper *exact)
{
	p9_fp_compare(t, insn_BF(i), h, exact, p9_fpr(t, insn_FRA(i)), p9_fpr(t, insn_FRB(i)));
	p9_fp_check(t);
}

void p9_emit_fcmpu(struct p9_translator *t, const struct p9_insn *i)
{
	emit_compare(t, i, &p9_h_fpf_cmpu, &p9_h_fpu_cmpu);
}

void p9_emit_fcmpo(struct p9_translator *t, const struct p9_insn *i)
{
	emit_compare(t, i, &p9_h_fpf_cmpo, &p9_h_fpu_cmpo);
}

/* Tests for software division and square root: no status, no exceptions. */

void p9_emit_ftdiv(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_crf(t, insn_BF(i),
		   p9_call2(t, &p9_h_fpu_tdiv, p9_fpr(t, insn_FRA(i)), p9_fpr(t, insn_FRB(i))));
}

void p9_emit_ftsqrt(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_crf(t, insn_BF(i), p9_call1(t, &p9_h_fpu_tsqrt, p9_fpr(t, insn_FRB(i))));
}
