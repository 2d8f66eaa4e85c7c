/*
 * Random well-formed regions for the machine of ir_machine.h.
 */
#ifndef ANYKVM_TESTS_IR_GENERATE_H
#define ANYKVM_TESTS_IR_GENERATE_H

#include <stddef.h>
#include "ir/ir.h"

/* Fills r, which was reset. Runs of it end: each way back goes through a counter. */
void generate_region(struct ir_region *r, uint64_t seed);

/* The same with choices from a fuzzer's input; when it has come to its end, all are the same. */
void generate_region_from(struct ir_region *r, const uint8_t *data, size_t size);

#endif
