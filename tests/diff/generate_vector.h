/* The part of generate.c that knows vector and floating-point instructions. */
#ifndef ANYKVM_TESTS_DIFF_GENERATE_VECTOR_H
#define ANYKVM_TESTS_DIFF_GENERATE_VECTOR_H

#include "generate.h"

/* Does the ISA leave undefined what these fields mean? */
bool generate_vector_is_invalid(const struct p9_insn *i);

/* Change registers so that the result is defined and comparable. */
void generate_vector_state(struct generator *g, const struct p9_insn *i, struct diff_state *s);

#endif
