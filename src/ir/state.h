/*
 * The guest state that a region names, numbered densely, so that what is known of each piece can be
 * kept in small arrays. A piece ("cell") is 4 bytes, the smallest that GET and SET move; since
 * they are aligned, their cells follow one another.
 */
#ifndef ANYKVM_IR_STATE_H
#define ANYKVM_IR_STATE_H

#include "ir/ir.h"

struct state_map {
	uint32_t *first;  /* by instruction: first cell of a GET or SET */
	uint32_t ncells;  /* a multiple of 4: cells come in lines of 16 bytes */
	uint32_t *line;   /* hash table of 16-byte lines: offset / 16, ... */
	uint32_t *number; /* ... and their numbers */
	uint32_t mask;
};

static inline unsigned state_cells(enum ir_type t)
{
	return t == IR_V128 ? 4 : t == IR_I64 ? 2 : 1;
}

/* False: out of memory. */
bool state_map_init(struct state_map *m, const struct ir_region *r);
void state_map_destroy(struct state_map *m);

#endif
