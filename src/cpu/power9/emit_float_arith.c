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

#define FP_2(id, f, second)                                                                        \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		finish(t, i,                                                                       \
		       p9_call3(t, &p9_h_fpu_##f, p9_fpr(t, insn_FRA(i)),                          \
				p9_fpr(t, insn_##second(i)), p9_fpr(t, insn_FRT(i))));             \
	}

#define FP_FUSED(id, f)                                                                            \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		finish(t, i,                                                                       \
		       p9_call4(t, &p9_h_fpu_##f, p9_fpr(t, insn_FRA(i)), p9_fpr(t, insn_FRB(i)),  \
				p9_fpr(t, insn_FRC(i)), p9_fpr(t, insn_FRT(i))));                  \
	}

#define FP_FROM_INT(id, f)                                                                         \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		finish(t, i, p9_call1(t, &p9_h_fpu_##f, p9_fpr(t, insn_FRB(i))));                  \
	}

FP_2(fadd, add, FRB)
FP_2(fadds, adds, FRB)
FP_2(fsub, sub, FRB)
FP_2(fsubs, subs, FRB)
FP_2(fmul, mul, FRC)
FP_2(fmuls, muls, FRC)
FP_2(fdiv, div, FRB)
FP_2(fdivs, divs, FRB)
FP_B(fsqrt, sqrt)
FP_B(fsqrts, sqrts)
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

FP_B(frsp, rsp)
FP_B(fctid, ctid)
FP_B(fctidz, ctidz)
FP_B(fctidu, ctidu)
FP_B(fctiduz, ctiduz)
FP_B(fctiw, ctiw)
FP_B(fctiwz, ctiwz)
FP_B(fctiwu, ctiwu)
FP_B(fctiwuz, ctiwuz)
FP_FROM_INT(fcfid, cfid)
FP_FROM_INT(fcfidu, cfidu)
FP_FROM_INT(fcfids, cfids)
FP_FROM_INT(fcfidus, cfidus)
FP_B(frin, rin)
FP_B(friz, riz)
FP_B(frip, rip)
FP_B(frim, rim)

static void emit_compare(struct p9_translator *t, const struct p9_insn *i,
			 const struct ir_helper *h)
{
	p9_set_crf(t, insn_BF(i), p9_call2(t, h, p9_fpr(t, insn_FRA(i)), p9_fpr(t, insn_FRB(i))));
	p9_fp_check(t);
}

void p9_emit_fcmpu(struct p9_translator *t, const struct p9_insn *i)
{
	emit_compare(t, i, &p9_h_fpu_cmpu);
}

void p9_emit_fcmpo(struct p9_translator *t, const struct p9_insn *i)
{
	emit_compare(t, i, &p9_h_fpu_cmpo);
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
