/*
 * Memory for the passes over a region: taken piece by piece, given back all at once to where it
 * stood before, and kept from one region to the next, so that translating asks malloc for nothing.
 */
#ifndef ANYKVM_IR_SCRATCH_H
#define ANYKVM_IR_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

struct scratch_chunk;

struct ir_scratch {
	struct scratch_chunk *first, *cur; /* chunks behind cur are empty */
};

struct scratch_mark {
	struct scratch_chunk *chunk;
	size_t used;
};

void scratch_destroy(struct ir_scratch *s);

/* Aligned to 16 bytes, not cleared. NULL: out of memory. */
void *scratch_take(struct ir_scratch *s, size_t count, size_t size);

struct scratch_mark scratch_mark(const struct ir_scratch *s);
void scratch_release(struct ir_scratch *s, struct scratch_mark m);

#endif
