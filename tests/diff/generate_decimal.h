/* The part of generate.c that knows decimal floating-point instructions. */
#ifndef ANYKVM_TESTS_DIFF_GENERATE_DECIMAL_H
#define ANYKVM_TESTS_DIFF_GENERATE_DECIMAL_H

#include "generate.h"

/* Put decimal numbers, integers or digits into the operands of a decimal instruction. */
void generate_decimal_state(struct generator *g, const struct p9_insn *i, struct diff_state *s);

#endif
