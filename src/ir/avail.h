/*
 * Available values: for each block and each cell of guest state, the value that the cell holds
 * whenever the block starts, by whatever way. A cell holds a value since it was set to it, or since
 * it was read. The block of such a value dominates the block.
 */
#ifndef ANYKVM_IR_AVAIL_H
#define ANYKVM_IR_AVAIL_H

#include "ir/cfg.h"
#include "ir/state.h"

#define AVAIL_NONE UINT32_MAX /* not known */

/* By block and cell, in the region's scratch memory. NULL: there is none. */
uint32_t *ir_available(const struct ir_region *r, const struct ir_cfg *g);

/* state: the values that cells hold before an instruction, and then behind it. */
void ir_avail_step(const struct ir_region *r, uint32_t id, uint32_t *state);

#endif
