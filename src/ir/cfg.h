/*
 * The control flow of a region: its blocks as they lie and in reverse postorder, their
 * predecessors, and the dominator tree.
 */
#ifndef ANYKVM_IR_CFG_H
#define ANYKVM_IR_CFG_H

#include "ir/ir.h"

#define CFG_NONE UINT32_MAX

struct ir_cfg {
	uint32_t nrpo;
	uint32_t *rpo;    /* the blocks that can be reached, each behind all that dominate it */
	uint32_t *number; /* by block: its place in rpo, or CFG_NONE */
	uint32_t *idom;   /* by block: immediate dominator; of the entry, the entry */
	uint32_t *npred;  /* by block; edges from blocks that can be reached, one for each target */
	uint32_t *pred_at;
	uint32_t *pred; /* of block b: pred[pred_at[b]...] */
	bool loops;     /* some branch leads to a block that does not lie behind it in rpo */
};

/*
 * In the region's scratch memory. False: there is none. Every block must end in an op that ends
 * blocks.
 */
bool ir_cfg_init(struct ir_cfg *g, const struct ir_region *r);

/* Both reachable. */
bool ir_cfg_dominates(const struct ir_cfg *g, uint32_t a, uint32_t b);

/* A block with nothing in it but a jump? */
bool ir_only_jumps(const struct ir_region *r, uint32_t b);
/* Where a branch to b gets to, past such blocks. */
uint32_t ir_through(const struct ir_region *r, uint32_t b);

/*
 * The natural loop that `head`, which can be reached, is the head of: the blocks from which one gets back to it without
 * passing it, among those that it dominates. False: it is the head of none. in: by block, filled if it is;
 * stack: room for every block.
 */
bool ir_cfg_loop(const struct ir_cfg *g, uint32_t nbb, uint32_t head, bool *in, uint32_t *stack);

#endif
