/* The guest instruction that each block starts in the middle of: see op.h. */
#include "ir/op.h"

#include <string.h>

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
			for (uint32_t id = bb->first; id < bb->first + bb->count; id++)
				if (r->inst[id].op == IR_INSN)
					pc = r->inst[id].imm;
			n = ir_targets(&r->inst[bb->first + bb->count - 1], target);
			for (unsigned t = 0; t < n; t++) {
				if (pcs[target[t]] == UINT64_MAX && pc != UINT64_MAX) {
					pcs[target[t]] = pc;
					changed = true;
				}
			}
		}
	} while (changed);
}
