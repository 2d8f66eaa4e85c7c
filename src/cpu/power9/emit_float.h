/*
 * What the floating-point semantics share (emit_float*.c, emit_vsx_float*.c).
 */
#ifndef ANYKVM_CPU_POWER9_EMIT_FLOAT_H
#define ANYKVM_CPU_POWER9_EMIT_FLOAT_H

#include "cpu/power9/helper_float.h"
#include "cpu/power9/translate.h"

/*
 * The end of an instruction that may have set FPSCR[FEX], after its target was written: the
 * enabled exception's interrupt, if MSR[FE0, FE1] ask for it.
 */
static inline void p9_fp_check(struct p9_translator *t)
{
	if (!(t->mode & P9_MODE_FE))
		return;
	/* What the instruction has written stays. */
	ir_insn_partial(t->r, t->pc);
	p9_call0(t, &p9_h_fp_interrupt);
}

/* Rc = 1: CR1 := FPSCR[FX, FEX, VX, OX]. */
static inline void p9_fp_record(struct p9_translator *t, const struct p9_insn *i)
{
	if (insn_Rc(i))
		p9_set_crf(t, 1, ir_extract(t->r, ir_get(t->r, IR_I64, P9_OFF(fpscr)), 28, 4));
}

#endif
