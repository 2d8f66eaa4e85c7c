/*
 * Values that are used in other blocks than their own, but are in guest state all the while: a
 * register that was read or set once and is used all over a region. They need no temporary if, at
 * each place that reads them, the state still holds them: it does where the block starts
 * (avail.h), and is not written in the block before. So the optimiser may forward values from
 * block to block, and reading a register still costs nothing here.
 */
#include "ir/lower.h"

#include <errno.h>
#include <string.h>

#include "ir/avail.h"
#include "ir/scratch.h"

struct homes {
	struct lower *l;
	uint32_t *entry;  /* by block and cell: value held */
	uint32_t *writes; /* by block and cell: first position that writes it, or NOWHERE */
};

/* The access whose state is a value's home: itself, or the SET behind it. */
static uint32_t home_of(const struct lower *l, uint32_t id)
{
	return l->r->inst[id].op == IR_GET ? id : l->v[id].home;
}

static bool is_candidate(const struct lower *l, uint32_t id)
{
	const struct ir_inst *i = &l->r->inst[id];

	return (l->v[id].flags & VAL_GLOBAL) && (i->op == IR_GET || l->v[id].home) &&
	       i->op != IR_CONST && l->r->inst[home_of(l, id)].imm < CODE_REACH;
}

/* Can it be read from its home at a position? */
static bool is_there(const struct homes *h, uint32_t id, uint32_t at)
{
	const struct lower *l = h->l;
	uint32_t home = home_of(l, id), b = l->v[at].bb;
	uint32_t n = state_count((enum ir_type)l->r->inst[home].type);
	size_t cell = (size_t)b * l->ncells + state_first(&l->r->inst[home]);

	if (b == l->v[id].bb)
		return at <= l->v[home].clob;
	for (uint32_t c = 0; c < n; c++) {
		if (h->entry[cell + c] != id || at > h->writes[cell + c])
			return false;
	}
	return true;
}

static void find_writes(struct homes *h)
{
	const struct lower *l = h->l;
	uint32_t ncells = l->ncells;

	memset(h->writes, 0xff, (size_t)l->r->nbb * ncells * sizeof(*h->writes));
	for (uint32_t k = 0; k < l->norder; k++) {
		const struct ir_bb *bb = &l->r->bb[l->order[k]];
		uint32_t *first = &h->writes[(size_t)l->order[k] * ncells];

		for (uint32_t id = bb->first + bb->count; id-- > bb->first;) {
			const struct ir_inst *i = &l->r->inst[id];
			uint32_t n = state_count((enum ir_type)i->type);

			if (i->op == IR_SET) {
				for (uint32_t c = 0; c < n; c++)
					first[state_first(i) + c] = id;
			} else if (ir_clobbers_state(i)) {
				for (uint32_t c = 0; c < ncells; c++)
					first[c] = id;
			}
		}
	}
}

/* Take the mark from those of which some use finds them gone. */
static void check_uses(struct homes *h)
{
	struct lower *l = h->l;

	for (uint32_t id = 0; id < l->r->ninst; id++) {
		const struct ir_inst *i = &l->r->inst[id];
		uint32_t leaf[5], at = id;
		unsigned n;

		if (!lower_needed(l, id) || lower_is_view(i))
			continue;
		if (l->v[id].flags & VAL_SUNK)
			at = l->v[id].home;
		n = lower_leaves(l, id, leaf);
		for (unsigned k = 0; k < n; k++) {
			uint32_t root = lower_root(l, leaf[k], NULL), last = at;

			if (!(l->v[root].flags & VAL_STATE))
				continue;
			/* A helper may write state before it has read what it got by reference. */
			if (ir_clobbers_state(i) && l->r->inst[leaf[k]].type == IR_V128)
				last++;
			if (!is_there(h, root, last))
				l->v[root].flags &= (uint8_t)~VAL_STATE;
		}
	}
}

void lower_homes(struct lower *l)
{
	size_t cells = (size_t)l->r->nbb * l->ncells;
	struct homes h = {.l = l};
	struct scratch_mark mark;
	struct ir_cfg g;
	bool any = false;

	for (uint32_t id = 0; id < l->r->ninst; id++) {
		if (is_candidate(l, id)) {
			l->v[id].flags |= VAL_STATE;
			any = true;
		}
	}
	if (!any)
		return;
	mark = scratch_mark(l->r->scratch);
	h.writes = scratch_take(l->r->scratch, cells, sizeof(*h.writes));
	if (ir_cfg_init(&g, l->r))
		h.entry = ir_available(l->r, &g);
	if (h.entry && h.writes) {
		find_writes(&h);
		check_uses(&h);
	} else {
		l->err = ENOMEM;
	}
	scratch_release(l->r->scratch, mark);
}
