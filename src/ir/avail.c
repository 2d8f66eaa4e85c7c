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

/* Of a block: its entry has changed since it was looked at; some way to it was seen. */
enum { CHANGED = 1, REACHED = 2 };

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
	return cell[0];
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
	uint32_t changed = 0;

	_Static_assert(AVAIL_NONE == UINT32_MAX, "or-ing ones makes it");
	for (uint32_t c = 0; c < ncells; c++) {
		uint32_t v = to[c] | -(uint32_t)(to[c] != end[c]);

		changed |= v ^ to[c];
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
	uint8_t *now = scratch_take(r->scratch, r->nbb, sizeof(*now)); /* by block */
	bool again = true;

	if (!entry || !end || !same || !now)
		return NULL;
	/* Of the entry nothing is known, nor of blocks that are never reached. */
	for (uint32_t b = 0; b < r->nbb; b++) {
		bool other = b && g->number[b] != CFG_NONE;

		now[b] = other ? 0 : CHANGED | REACHED;
		if (!other)
			memset(&entry[(size_t)b * ncells], 0xff, bytes);
	}
	while (again) {
		again = false;
		for (uint32_t k = 0; k < g->nrpo; k++) {
			uint32_t b = g->rpo[k];
			unsigned n =
				ir_targets(&r->inst[r->bb[b].first + r->bb[b].count - 1], target);

			if (!(now[b] & CHANGED))
				continue;
			now[b] &= ~CHANGED;
			if (!n)
				continue;
			memcpy(end, &entry[(size_t)b * ncells], bytes);
			transfer(r, b, end, same);
			for (unsigned t = 0; t < n; t++) {
				uint32_t *to = &entry[(size_t)target[t] * ncells];

				if (!(now[target[t]] & REACHED))
					memcpy(to, end, bytes);
				else if (!meet(to, end, ncells))
					continue;
				now[target[t]] = CHANGED | REACHED;
				again |= g->number[target[t]] <= k;
			}
		}
	}
	return entry;
}
