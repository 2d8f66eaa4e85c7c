/*
 * The frame of lowering: blocks in the order in which they lie, branches and tables between them.
 */
#include "ir/lower.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ir/interp.h"
#include "ir/scratch.h"
#include "util/bits.h"

/* A place for ops that could not be had: the lowering has failed, but goes on to its end. */
static struct code_wide *no_op(struct output *o)
{
	o->l.err = ENOMEM;
	o->nop = 0;
	return o->op;
}

struct code_wide *lower_add_op(struct output *o, unsigned handler)
{
	struct code_wide *op;

	if (o->nop == o->cap_op) {
		op = scratch_take(o->l.r->scratch, 2 * (size_t)o->cap_op, sizeof(*op));
		if (!op)
			return no_op(o);
		memcpy(op, o->op, o->cap_op * sizeof(*op));
		o->op = op;
		o->cap_op *= 2;
	}
	op = &o->op[o->nop++];
	*op = (struct code_wide){.handler = (uint16_t)handler};
	return op;
}

/* The guest instruction that a block starts in the middle of, relative to the base. */
static uint64_t pc_at_start(struct output *o, uint32_t b)
{
	const struct ir_region *r = o->l.r;

	/* Nearly always a block that lies before has led here, or it makes no difference. */
	if (o->block_pc[b] == UINT64_MAX && r->inst[r->bb[b].first].op != IR_INSN)
		ir_block_pcs(r, o->block_pc);
	return o->block_pc[b] - r->base;
}

static void note_pc_at_end(struct output *o, const struct ir_inst *end)
{
	uint32_t target[2];
	unsigned n = ir_targets(end, target);

	for (unsigned t = 0; t < n; t++) {
		if (o->block_pc[target[t]] == UINT64_MAX)
			o->block_pc[target[t]] = o->guest_pc + o->l.r->base;
	}
}

/* What needs no op of its own, most of all instructions: constants, and reads and writes of state that is where it is. */
static inline bool lower_in_place(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	struct value *v = &o->l.v[id];

	if (i->op == IR_SET)
		return v->flags & VAL_SET;
	return i->op == IR_CONST || (i->op == IR_GET && lower_get_in_place(o, id));
}

static void put_block(struct output *o, const struct ir_bb *bb)
{
	const struct ir_inst *inst = o->l.r->inst;
	uint32_t end = bb->first + bb->count;

	for (uint32_t id = bb->first; id < end; id++) {
		o->position = id;
		if (inst[id].op == IR_INSN) {
			o->guest_pc = inst[id].imm - o->l.r->base;
		} else if (lower_needed(&o->l, id) && !lower_in_place(o, id)) {
			lower_put(o, id);
			while (o->nscratch)
				lower_give_temp(o, o->scratch[--o->nscratch]);
		}
		lower_expire(o);
	}
}

/* Has a block nothing to do but to go on elsewhere? */
static bool only_jumps(const struct output *o, const struct ir_bb *bb)
{
	const struct ir_inst *inst = o->l.r->inst;
	uint32_t last = bb->first + bb->count - 1;

	if (inst[last].op != IR_JUMP)
		return false;
	for (uint32_t id = bb->first; id < last; id++) {
		if (inst[id].op != IR_INSN && inst[id].op != IR_CONST && lower_needed(&o->l, id))
			return false;
	}
	return true;
}

/*
 * Branches that leave a region have a block for each way, most of which do nothing but jump on: who
 * goes there goes on at once.
 */
static void find_passes(struct output *o)
{
	const struct ir_region *r = o->l.r;

	memset(o->pass, 0xff, r->nbb * sizeof(*o->pass));
	/* Backwards, since most jump forwards; the first is where the region is entered. */
	for (uint32_t k = o->l.norder; k-- > 1;) {
		uint32_t b = o->l.order[k], to;
		const struct ir_bb *bb = &r->bb[b];

		if (!only_jumps(o, bb))
			continue;
		to = lower_end_of(o, r->inst[bb->first + bb->count - 1].arg[1]);
		/* Not what leads back to itself. */
		if (to != b)
			o->pass[b] = to;
	}
}

/* The next block in memory that something leads to, behind the k-th. */
static uint32_t block_behind(const struct output *o, uint32_t k)
{
	while (++k < o->l.norder) {
		if (o->pass[o->l.order[k]] == NOWHERE)
			return o->l.order[k];
	}
	return NOWHERE;
}

static void put_blocks(struct output *o)
{
	const struct ir_region *r = o->l.r;

	find_passes(o);
	memset(o->free_temps, 0xff, sizeof(o->free_temps));
	memset(o->expire, 0xff, (r->ninst + 2) * sizeof(*o->expire));
	memset(o->l.cell, 0, o->l.ncells * sizeof(*o->l.cell));
	memset(o->block_pc, 0xff, r->nbb * sizeof(*o->block_pc));
	for (uint32_t id = 0; o->l.crossing && id < r->ninst; id++) {
		if (o->l.v[id].flags & VAL_EARLY)
			o->l.v[id].loc = lower_take_temp(o);
	}
	for (uint32_t k = 0; k < o->l.norder; k++) {
		uint32_t b = o->l.order[k];
		const struct ir_bb *bb = &r->bb[b];

		o->block_op[b] = o->nop;
		o->guest_pc = pc_at_start(o, b);
		o->next_block = block_behind(o, k);
		o->passed_by = o->pass[b] != NOWHERE;
		put_block(o, bb);
		note_pc_at_end(o, &r->inst[bb->first + bb->count - 1]);
	}
}

static void fix_branches(struct output *o)
{
	if (o->nop > UINT16_MAX)
		o->l.err = E2BIG;
	for (uint32_t k = 0; k < o->nfix; k++) {
		const struct fixup *f = &o->fix[k];
		uint16_t to = (uint16_t)o->block_op[f->block];

		if (f->second)
			o->op[f->op].c = to;
		else
			o->op[f->op].d = to;
	}
}

/* The blocks as they lie. start: scratch, by position. */
static void order_blocks(struct lower *l, uint32_t *start)
{
	const struct ir_region *r = l->r;

	for (uint32_t b = 0; b < r->nbb; b++) {
		if (r->bb[b].count)
			start[r->bb[b].first] = b;
	}
	for (uint32_t id = 0; id < r->ninst; id += r->bb[start[id]].count)
		l->order[l->norder++] = start[id];
}

/* Each instruction's block. */
static void number_blocks(struct lower *l)
{
	for (uint32_t k = 0; k < l->norder; k++) {
		const struct ir_bb *bb = &l->r->bb[l->order[k]];

		for (uint32_t id = bb->first; id < bb->first + bb->count; id++)
			l->v[id].bb = l->order[k];
	}
}

/* The next part of a piece of memory. */
static void *part(char **at, size_t count, size_t size)
{
	void *p = *at;

	*at += align_up(count * size, 16);
	return p;
}

/* Memory for all that is needed while lowering, in one piece. */
static bool allot(struct output *o)
{
	size_t n = o->l.r->ninst, nbb = o->l.r->nbb, ncells = o->l.ncells;
	const size_t each = sizeof(*o->l.v) + sizeof(*o->l.cond) + sizeof(*o->op) + sizeof(*o->pc) +
			    sizeof(*o->call) + 2 * sizeof(*o->fix) + 6 * sizeof(uint32_t);
	char *at = scratch_take(o->l.r->scratch, 1,
				(n + 64) * each + nbb * (3 * 4 + 8) + ncells * 4 + 16 * 16);

	if (!at)
		return false;
	o->cap_op = (uint32_t)n + 64;
	o->l.v = part(&at, n, sizeof(*o->l.v));
	o->l.cond = part(&at, n, sizeof(*o->l.cond));
	o->op = part(&at, o->cap_op, sizeof(*o->op));
	o->pc = part(&at, n, sizeof(*o->pc));
	o->call = part(&at, n, sizeof(*o->call));
	o->fix = part(&at, 2 * n, sizeof(*o->fix));
	o->call_op = part(&at, n, sizeof(uint32_t));
	o->expire = part(&at, n + 2, sizeof(uint32_t));
	o->next = part(&at, n, sizeof(uint32_t));
	o->l.sink = part(&at, n, sizeof(uint32_t));
	o->l.fuses = part(&at, n, sizeof(uint32_t));
	o->l.order = part(&at, nbb + n, sizeof(uint32_t));
	o->l.cell = part(&at, ncells, sizeof(uint32_t));
	o->block_op = part(&at, nbb, sizeof(uint32_t));
	o->block_pc = part(&at, nbb, sizeof(uint64_t));
	o->pass = part(&at, nbb, sizeof(uint32_t));
	memset(o->l.v, 0, n * sizeof(*o->l.v));
	return true;
}

struct ir_code *ir_lower_in(const struct ir_region *r, struct slab *slab, size_t front)
{
	struct output o = {.l = {.r = r, .ncells = state_ncells(r)}};
	struct ir_code *c = NULL;
	struct scratch_mark mark;

	if (r->failed) {
		errno = ENOMEM;
		return NULL;
	}
	mark = scratch_mark(r->scratch);
	if (!allot(&o)) {
		o.l.err = ENOMEM;
		goto out;
	}
	order_blocks(&o.l, o.next);
	lower_plan(&o.l);
	if (o.l.crossing) {
		number_blocks(&o.l);
		lower_homes(&o.l);
		lower_liveness(&o.l);
	}
	put_blocks(&o);
	if (!o.l.err)
		fix_branches(&o);
	if (!o.l.err) {
		c = lower_encode(&o, slab, front);
		if (!c)
			o.l.err = errno;
	}
out:
	scratch_release(r->scratch, mark);
	if (o.l.err)
		errno = o.l.err;
	return c;
}

struct ir_code *ir_lower(const struct ir_region *r)
{
	return ir_lower_in(r, NULL, 0);
}
