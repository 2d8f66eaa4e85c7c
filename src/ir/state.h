/*
 * The guest state that a region names, numbered densely, so that what is known of each piece can be
 * kept in small arrays. A piece ("cell") is 4 bytes, the smallest that GET and SET move. Cells come
 * in lines of 16 bytes of state, which are numbered in the order in which the builder meets them;
 * since GET and SET are aligned, their cells follow one another.
 */
#ifndef ANYKVM_IR_STATE_H
#define ANYKVM_IR_STATE_H

#include "ir/ir.h"

/* One of the region's hash table of lines. */
struct ir_line {
	uint32_t stamp; /* taken, when it is the region's */
	uint32_t line;  /* offset / 16 */
	uint32_t number;
};

static inline uint32_t state_ncells(const struct ir_region *r)
{
	return 4 * r->nlines;
}

/* The first cell of a GET or SET. */
static inline uint32_t state_first(const struct ir_inst *i)
{
	return i->arg[1];
}

static inline unsigned state_count(enum ir_type t)
{
	return t == IR_V128 ? 4 : t == IR_I64 ? 2 : 1;
}

uint32_t state_cell_slow(struct ir_region *r, uint32_t offset);

/* The cell at an offset; a new one when it is named for the first time. */
static inline uint32_t state_cell(struct ir_region *r, uint32_t offset)
{
	const struct ir_line *l;

	if (UNLIKELY(!r->line))
		return state_cell_slow(r, offset);
	l = &r->line[offset / 16 & r->line_mask];
	if (UNLIKELY(l->stamp != r->stamp || l->line != offset / 16))
		return state_cell_slow(r, offset);
	return 4 * l->number + offset % 16 / 4;
}

#endif
