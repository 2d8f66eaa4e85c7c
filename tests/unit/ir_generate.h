/*
 * Random well-formed regions for the machine of ir_machine.h.
 */
#ifndef ANYKVM_TESTS_IR_GENERATE_H
#define ANYKVM_TESTS_IR_GENERATE_H

#include "ir/ir.h"

/* Fills r, which was reset. Runs of it end: each way back goes through a counter. */
void generate_region(struct ir_region *r, uint64_t seed);

#endif
