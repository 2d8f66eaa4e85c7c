/*
 * It is solved from the optimistic side: a block's entry is the meet of what its predecessors end
 * with, those not reached yet left out, and it only ever gets worse, until nothing changes. A
 * value found so dominates the block: its cell was written after it on each way there. (No
 * cell can hold it where its own block starts, since the first time round it did not exist.)
 */
#include "ir/avail.h"

#include <string.h>

#include "ir/op.h"

/* Not reached yet. */
#define AVAIL_ANY (UINT32_MAX - 1)

/* From the start of a block to its end. */
static void transfer(const struct ir_region *r, const struct state_map *m, uint32_t b,
		     uint32_t *state)
{
	for (uint32_t id = r->bb[b].first; id < r->bb[b].first + r->bb[b].count; id++) {
		const struct ir_inst *i = &r->inst[id];
		uint32_t *cell = &state[m->first[id]];
		unsigned n = state_cells((enum ir_type)i->type);
		bool unknown = true;

		if (ir_clobbers_state(i)) {
			memset(state, 0xff, m->ncells * sizeof(*state));
		} else if (i->op == IR_SET) {
			for (unsigned c = 0; c < n; c++)
				cell[c] = i->arg[0];
		} else if (i->op == IR_GET) {
			/* What is known already is older, and may be needed by others. */
			for (unsigned c = 0; c < n; c++)
				unknown = unknown && cell[c] == AVAIL_NONE;
			for (unsigned c = 0; c < n && unknown; c++)
				cell[c] = id;
		}
	}
}

/* Make `to` agree with one more predecessor's end. */
static bool meet(uint32_t *to, const uint32_t *end, uint32_t ncells)
{
	bool changed = false;

	for (uint32_t c = 0; c < ncells; c++) {
		uint32_t v = to[c] == AVAIL_ANY ? end[c] : to[c] == end[c] ? to[c] : AVAIL_NONE;

		changed |= v != to[c];
		to[c] = v;
	}
	return changed;
}

void ir_available(const struct ir_region *r, const struct ir_cfg *g, const struct state_map *m,
		  uint32_t *entry, uint32_t *scratch)
{
	uint32_t ncells = m->ncells, target[2];
	bool changed;

	for (size_t k = 0; k < (size_t)r->nbb * ncells; k++)
		entry[k] = AVAIL_ANY;
	memset(entry, 0xff, ncells * sizeof(*entry)); /* block 0: nothing is known */
	do {
		changed = false;
		for (uint32_t k = 0; k < g->nrpo; k++) {
			uint32_t b = g->rpo[k];
			unsigned n = ir_targets(&r->inst[r->bb[b].first + r->bb[b].count - 1],
						target);

			memcpy(scratch, &entry[(size_t)b * ncells], ncells * sizeof(*scratch));
			transfer(r, m, b, scratch);
			for (unsigned t = 0; t < n; t++)
				changed |= meet(&entry[(size_t)target[t] * ncells], scratch, ncells);
		}
	} while (changed);
	/* Blocks that are never reached know nothing. */
	for (size_t k = 0; k < (size_t)r->nbb * ncells; k++) {
		if (entry[k] == AVAIL_ANY)
			entry[k] = AVAIL_NONE;
	}
}
