/*
 * It is solved from the optimistic side: a block's entry is the meet of what its predecessors end
 * with, those not reached yet left out, and it only ever gets worse, until nothing changes. A
 * value found so dominates the block: its cell was written after it on each way there. (No
 * cell can hold it where its own block starts, since the first time round it did not exist.)
 */
#include "ir/avail.h"

#include <string.h>

#include "ir/op.h"
#include "ir/scratch.h"

/* Not reached yet. */
#define AVAIL_ANY (UINT32_MAX - 1)

/* Cells have been read. What is known of them already is older, and may be needed by others. */
static void read_cells(uint32_t *cell, unsigned n, uint32_t value)
{
	for (unsigned c = 0; c < n; c++) {
		if (cell[c] != AVAIL_NONE)
			return;
	}
	for (unsigned c = 0; c < n; c++)
		cell[c] = value;
}

void ir_avail_step(const struct ir_region *r, uint32_t id, uint32_t *state)
{
	const struct ir_inst *i = &r->inst[id];

	if (i->op == IR_SET) {
		uint32_t *cell = &state[state_first(i)];

		for (unsigned c = 0; c < state_count((enum ir_type)i->type); c++)
			cell[c] = i->arg[0];
	} else if (i->op == IR_GET) {
		read_cells(&state[state_first(i)], state_count((enum ir_type)i->type), id);
	} else if (ir_clobbers_state(i)) {
		memset(state, 0xff, state_ncells(r) * sizeof(*state));
	}
}

/* The value that n cells hold all, or AVAIL_NONE. */
static uint32_t held(const uint32_t *cell, unsigned n)
{
	for (unsigned c = 1; c < n; c++)
		if (cell[c] != cell[0])
			return AVAIL_NONE;
	return cell[0] < AVAIL_ANY ? cell[0] : AVAIL_NONE;
}

/* Does a SET write what is there already, by another name: the same constant? */
static bool is_there(const struct ir_region *r, const struct ir_inst *set, const uint32_t *state)
{
	uint32_t v = held(&state[state_first(set)], state_count((enum ir_type)set->type));

	return v != AVAIL_NONE && ir_same_constant(&r->inst[v], &r->inst[set->arg[0]]);
}

/*
 * From the start of a block to its end. What is read of a cell whose value is known is that value, where it is written
 * elsewhere in the block, too: so in the rounds of a loop a copy of what stays the same does. same: by instruction.
 */
static void transfer(const struct ir_region *r, uint32_t b, uint32_t *state, uint32_t *same)
{
	uint32_t first = r->bb[b].first;

	for (uint32_t id = first; id < first + r->bb[b].count; id++) {
		const struct ir_inst *i = &r->inst[id];

		if (i->op == IR_GET) {
			uint32_t v = held(&state[state_first(i)], state_count((enum ir_type)i->type));

			same[id] = v != AVAIL_NONE && r->inst[v].type == i->type ? v : id;
		} else if (i->op == IR_SET) {
			uint32_t v = i->arg[0], *cell = &state[state_first(i)];

			if (is_there(r, i, state))
				continue;
			if (v >= first && r->inst[v].op == IR_GET)
				v = same[v];
			for (unsigned c = 0; c < state_count((enum ir_type)i->type); c++)
				cell[c] = v;
			continue;
		}
		ir_avail_step(r, id, state);
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

uint32_t *ir_available(const struct ir_region *r, const struct ir_cfg *g)
{
	uint32_t ncells = state_ncells(r), target[2];
	size_t bytes = ncells * sizeof(uint32_t);
	uint32_t *entry = scratch_take(r->scratch, r->nbb, bytes);
	uint32_t *end = scratch_take(r->scratch, 1, bytes);
	uint32_t *same = scratch_take(r->scratch, r->ninst, sizeof(*same));
	bool *dirty = scratch_take(r->scratch, r->nbb, sizeof(*dirty));
	bool again = true;

	if (!entry || !end || !same || !dirty)
		return NULL;
	/* Of the entry nothing is known, nor of blocks that are never reached. */
	memset(entry, 0xff, r->nbb * bytes);
	for (uint32_t k = 0; k < g->nrpo; k++) {
		uint32_t *e = &entry[(size_t)g->rpo[k] * ncells];

		for (uint32_t c = 0; k && c < ncells; c++)
			e[c] = AVAIL_ANY;
		dirty[g->rpo[k]] = true;
	}
	while (again) {
		again = false;
		for (uint32_t k = 0; k < g->nrpo; k++) {
			uint32_t b = g->rpo[k];
			unsigned n =
				ir_targets(&r->inst[r->bb[b].first + r->bb[b].count - 1], target);

			if (!dirty[b])
				continue;
			dirty[b] = false;
			if (!n)
				continue;
			memcpy(end, &entry[(size_t)b * ncells], bytes);
			transfer(r, b, end, same);
			for (unsigned t = 0; t < n; t++) {
				if (!meet(&entry[(size_t)target[t] * ncells], end, ncells))
					continue;
				dirty[target[t]] = true;
				again |= g->number[target[t]] <= k;
			}
		}
	}
	return entry;
}
