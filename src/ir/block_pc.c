/* The guest instruction that each block starts in the middle of: see op.h. */
#include "ir/op.h"

#include <string.h>

/* The guest instruction that is under way where a block ends, which starts in the middle of pc. */
static uint64_t last_pc(const struct ir_region *r, const struct ir_bb *bb, uint64_t pc)
{
	for (uint32_t id = bb->first + bb->count; id-- > bb->first;)
		if (r->inst[id].op == IR_INSN)
			return r->inst[id].imm;
	return pc;
}

void ir_block_pcs(const struct ir_region *r, uint64_t *pcs)
{
	bool changed;

	memset(pcs, 0xff, r->nbb * sizeof(*pcs));
	do {
		changed = false;
		for (uint32_t b = 0; b < r->nbb; b++) {
			const struct ir_bb *bb = &r->bb[b];
			uint64_t pc = pcs[b];
			uint32_t target[2];
			unsigned n;

			if (!bb->count)
				continue;
			n = ir_targets(&r->inst[bb->first + bb->count - 1], target);
			if (n > 0 && (pcs[target[0]] == UINT64_MAX || pcs[target[n - 1]] == UINT64_MAX))
				pc = last_pc(r, bb, pc);
			for (unsigned t = 0; t < n; t++) {
				if (pcs[target[t]] == UINT64_MAX && pc != UINT64_MAX) {
					pcs[target[t]] = pc;
					changed = true;
				}
			}
		}
	} while (changed);
}
