/*
 * Decimal floating point (Book I chapter 5). All arithmetic is in C helpers (helper_dfp.h). A
 * number of DFP Extended is an even-odd pair of FPRs; an odd one is an invalid form, taken as
 * illegal as by lfdp.
 */
#include "cpu/power9/emit_float.h"
#include "cpu/power9/helper_dfp.h"

/* DFP Extended in FPRs n and n + 1. */
static ir_val pair(struct p9_translator *t, unsigned n)
{
	return ir_bin(t->r, IR_VMAKE, p9_fpr(t, n), p9_fpr(t, n + 1));
}

static bool pairs_are_valid(struct p9_translator *t, const struct p9_insn *i)
{
	for (unsigned n = 0; n < P9_OPERANDS_MAX; n++) {
		enum p9_operand op = i->desc->operands[n];

		if (op != P9_OPND_NONE && p9_operand(op)->kind == P9_KIND_FPR_PAIR &&
		    (p9_operand_get(i->raw, op) & 1)) {
			p9_raise_illegal(t, i->raw);
			return false;
		}
	}
	return true;
}

static void finish(struct p9_translator *t, const struct p9_insn *i, ir_val v)
{
	p9_set_fpr(t, insn_FRT(i), v);
	p9_fp_record(t, i);
	p9_fp_check(t);
}

static void finish_pair(struct p9_translator *t, const struct p9_insn *i, ir_val v)
{
	p9_set_fpr(t, insn_FRT(i), ir_un(t->r, IR_VHI, v));
	p9_set_fpr(t, insn_FRT(i) + 1, ir_un(t->r, IR_VLO, v));
	p9_fp_record(t, i);
	p9_fp_check(t);
}

static void finish_cr(struct p9_translator *t, const struct p9_insn *i, ir_val v)
{
	p9_set_crf(t, insn_BF(i), v);
	p9_fp_check(t);
}

/*
 * One function: `end` is one of the three above, the others are how to call the helper. The quad
 * form of a pair of rows differs in how operands are read and the result is written.
 */
#define DFP(id, end, call, ...)                                                                    \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		if (pairs_are_valid(t, i))                                                         \
			end(t, i, call(t, &p9_h_##id, __VA_ARGS__));                               \
	}

#define FPR(field)  p9_fpr(t, insn_##field(i))
#define PAIR(field) pair(t, insn_##field(i))
#define IMM(v)      p9_i64(t, (uint64_t)(v))

#define R_RMC (insn_R(i) << 2 | insn_RMC(i))

#define ARITH(op)                                                                                  \
	DFP(d##op, finish, p9_call3, FPR(FRA), FPR(FRB), FPR(FRT))                                 \
	DFP(d##op##q, finish_pair, p9_call3, PAIR(FRA), PAIR(FRB), PAIR(FRT))
P9_DFP_ARITH(ARITH)

#define COMPARE(op)                                                                                \
	DFP(d##op, finish_cr, p9_call2, FPR(FRA), FPR(FRB))                                        \
	DFP(d##op##q, finish_cr, p9_call2, PAIR(FRA), PAIR(FRB))
P9_DFP_COMPARE(COMPARE)

DFP(dtstdc, finish_cr, p9_call2, FPR(FRA), IMM(insn_DCM(i)))
DFP(dtstdcq, finish_cr, p9_call2, PAIR(FRA), IMM(insn_DCM(i)))
DFP(dtstdg, finish_cr, p9_call2, FPR(FRA), IMM(insn_DGM(i)))
DFP(dtstdgq, finish_cr, p9_call2, PAIR(FRA), IMM(insn_DGM(i)))
DFP(dtstsf, finish_cr, p9_call2, FPR(FRA), FPR(FRB))
DFP(dtstsfq, finish_cr, p9_call2, FPR(FRA), PAIR(FRB))

/* With an immediate for FRA. */
void p9_emit_dtstsfi(struct p9_translator *t, const struct p9_insn *i)
{
	finish_cr(t, i, p9_call2(t, &p9_h_dtstsf, IMM(insn_UIM6(i)), FPR(FRB)));
}

void p9_emit_dtstsfiq(struct p9_translator *t, const struct p9_insn *i)
{
	if (pairs_are_valid(t, i))
		finish_cr(t, i, p9_call2(t, &p9_h_dtstsfq, IMM(insn_UIM6(i)), PAIR(FRB)));
}

DFP(dqua, finish, p9_call4, FPR(FRA), FPR(FRB), FPR(FRT), IMM(insn_RMC(i)))
DFP(dquaq, finish_pair, p9_call4, PAIR(FRA), PAIR(FRB), PAIR(FRT), IMM(insn_RMC(i)))
DFP(dquai, finish, p9_call4, IMM(insn_TE(i)), FPR(FRB), FPR(FRT), IMM(insn_RMC(i)))
DFP(dquaiq, finish_pair, p9_call4, IMM(insn_TE(i)), PAIR(FRB), PAIR(FRT), IMM(insn_RMC(i)))
DFP(drrnd, finish, p9_call4, FPR(FRA), FPR(FRB), FPR(FRT), IMM(insn_RMC(i)))
DFP(drrndq, finish_pair, p9_call4, FPR(FRA), PAIR(FRB), PAIR(FRT), IMM(insn_RMC(i)))

#define RINT(op)                                                                                   \
	DFP(d##op, finish, p9_call3, FPR(FRB), FPR(FRT), IMM(R_RMC))                               \
	DFP(d##op##q, finish_pair, p9_call3, PAIR(FRB), PAIR(FRT), IMM(R_RMC))
P9_DFP_RINT(RINT)

DFP(dctdp, finish, p9_call1, FPR(FRB))
DFP(dctqpq, finish_pair, p9_call2, FPR(FRB), PAIR(FRT))
DFP(drsp, finish, p9_call1, FPR(FRB))
DFP(drdpq, finish_pair, p9_call2, PAIR(FRB), PAIR(FRT))
DFP(dcffix, finish, p9_call1, FPR(FRB))
DFP(dcffixq, finish_pair, p9_call1, FPR(FRB))
DFP(dctfix, finish, p9_call2, FPR(FRB), FPR(FRT))
DFP(dctfixq, finish, p9_call2, PAIR(FRB), FPR(FRT))

DFP(ddedpd, finish, p9_call2, FPR(FRB), IMM(insn_SP(i)))
DFP(ddedpdq, finish_pair, p9_call2, PAIR(FRB), IMM(insn_SP(i)))
DFP(denbcd, finish, p9_call3, FPR(FRB), FPR(FRT), IMM(insn_S_DFP(i)))
DFP(denbcdq, finish_pair, p9_call3, PAIR(FRB), PAIR(FRT), IMM(insn_S_DFP(i)))
DFP(dxex, finish, p9_call1, FPR(FRB))
DFP(dxexq, finish, p9_call1, PAIR(FRB))
DFP(diex, finish, p9_call2, FPR(FRA), FPR(FRB))
DFP(diexq, finish_pair, p9_call2, FPR(FRA), PAIR(FRB))

#define SHIFT(op)                                                                                  \
	DFP(d##op, finish, p9_call2, FPR(FRA), IMM(insn_SH_Z22(i)))                                \
	DFP(d##op##q, finish_pair, p9_call2, PAIR(FRA), IMM(insn_SH_Z22(i)))
P9_DFP_SHIFT(SHIFT)
