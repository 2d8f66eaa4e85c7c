/*
 * C helpers of decimal floating point: the unit (dfp.h) on the processor's FPSCR.
 *
 * p9_h_<mnemonic>. Operands that are in one FPR are I64, those in a pair V128; so are results, but
 * CR fields are I64. `old` is what the target holds, for results that are suppressed.
 */
#ifndef ANYKVM_CPU_POWER9_HELPER_DFP_H
#define ANYKVM_CPU_POWER9_HELPER_DFP_H

#include "cpu/power9/helper_float.h"

/* clang-format off */

/* a, b, old */
#define P9_DFP_ARITH(_) _(add) _(sub) _(mul) _(div)
/* a, b to a CR field */
#define P9_DFP_COMPARE(_) _(cmpu) _(cmpo) _(tstex)
/* a, mask to a CR field */
#define P9_DFP_CLASS(_) _(tstdc) _(tstdg)
/* FRA or TE (I64), b, old, RMC */
#define P9_DFP_IMMEDIATE(_) _(quai) _(rrnd)
/* b, old, R:RMC */
#define P9_DFP_RINT(_) _(rintx) _(rintn)
/* a, SH */
#define P9_DFP_SHIFT(_) _(scli) _(scri)
/* operands in helper_dfp.c */
#define P9_DFP_OTHER(_)                                                                            \
	_(tstsf) _(qua) _(cffix) _(ctfix) _(dedpd) _(enbcd) _(xex) _(iex)

/* clang-format on */

#define _(id) extern const struct ir_helper p9_h_d##id, p9_h_d##id##q;
P9_DFP_ARITH(_)
P9_DFP_COMPARE(_)
P9_DFP_CLASS(_)
P9_DFP_IMMEDIATE(_)
P9_DFP_RINT(_)
P9_DFP_SHIFT(_)
P9_DFP_OTHER(_)
#undef _

extern const struct ir_helper p9_h_dctdp, p9_h_dctqpq, p9_h_drsp, p9_h_drdpq;

#endif
