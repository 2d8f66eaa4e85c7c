/*
 * The frame of lowering: blocks in the order in which they lie, branches and tables between them,
 * and the finished code in one piece.
 */
#include "ir/lower.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ir/interp.h"
#include "ir/scratch.h"
#include "util/bits.h"
#include "util/slab.h"

/* A place for ops that could not be had: the lowering has failed, but goes on to its end. */
static struct code_op *no_op(struct output *o)
{
	o->l.err = ENOMEM;
	o->nop = 0;
	return o->op;
}

struct code_op *lower_add_op(struct output *o, unsigned handler)
{
	struct code_op *op;

	if (o->nop == o->cap_op) {
		op = scratch_take(o->l.r->scratch, 2 * (size_t)o->cap_op, sizeof(*op));
		if (!op)
			return no_op(o);
		memcpy(op, o->op, o->cap_op * sizeof(*op));
		o->op = op;
		o->cap_op *= 2;
	}
	op = &o->op[o->nop++];
	*op = (struct code_op){.handler = o->handler[handler]};
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

static void put_block(struct output *o, const struct ir_bb *bb)
{
	const struct ir_inst *inst = o->l.r->inst;
	uint32_t end = bb->first + bb->count;

	for (uint32_t id = bb->first; id < end; id++) {
		o->position = id;
		if (inst[id].op == IR_INSN) {
			o->guest_pc = inst[id].imm - o->l.r->base;
		} else if (lower_needed(&o->l, id)) {
			lower_put(o, id);
			while (o->nscratch)
				lower_give_temp(o, o->scratch[--o->nscratch]);
		}
		lower_expire(o);
	}
}

static void put_blocks(struct output *o)
{
	const struct ir_region *r = o->l.r;

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
		o->next_block = k + 1 < o->l.norder ? o->l.order[k + 1] : NOWHERE;
		put_block(o, bb);
		note_pc_at_end(o, &r->inst[bb->first + bb->count - 1]);
	}
}

static void fix_branches(struct output *o)
{
	for (uint32_t k = 0; k < o->nfix; k++) {
		const struct fixup *f = &o->fix[k];
		int64_t distance = (int64_t)o->block_op[f->block] - f->op;

		if (distance != (int16_t)distance)
			o->l.err = E2BIG;
		if (f->second)
			o->op[f->op].c = (uint16_t)distance;
		else
			o->op[f->op].d = (uint16_t)distance;
	}
}

/* The parts that ops refer to by address. */
static void link_tables(struct ir_code *c, const struct output *o)
{
	for (uint32_t k = 0; k < o->ncall; k++)
		c->op[o->call_op[k]].imm = (uintptr_t)&c->call[k];
	for (uint32_t k = 0; k < c->nop && c->vconst != (const void *)c->call; k++) {
		if (c->op[k].handler == o->handler[CODE_LIV])
			c->op[k].imm = (uintptr_t)&c->vconst[c->op[k].imm];
	}
}

/* All in one piece of memory: ops, vector constants (aligned), calls, guest pcs. */
static struct ir_code *finish(const struct output *o, struct slab *slab)
{
	const struct ir_region *r = o->l.r;
	size_t vconst = align_up(sizeof(struct ir_code) + o->nop * sizeof(struct code_op), 16);
	size_t call = vconst + r->nvconst * sizeof(u128);
	size_t pc = call + o->ncall * sizeof(struct code_call);
	size_t size = pc + o->npc * sizeof(struct code_pc);
	struct ir_code *c = slab ? slab_take(slab, size) : malloc(size);

	if (!c)
		return NULL;
	c->slab = slab;
	c->size = size;
	c->nop = o->nop;
	c->npc = o->npc;
	c->vconst = (u128 *)((char *)c + vconst);
	c->call = (struct code_call *)((char *)c + call);
	c->pc = (struct code_pc *)((char *)c + pc);
	memcpy(c->op, o->op, o->nop * sizeof(struct code_op));
	if (r->nvconst)
		memcpy(c->vconst, r->vconst, r->nvconst * sizeof(u128));
	memcpy(c->call, o->call, o->ncall * sizeof(struct code_call));
	memcpy(c->pc, o->pc, o->npc * sizeof(struct code_pc));
	link_tables(c, o);
	return c;
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
			    sizeof(*o->call) + 2 * sizeof(*o->fix) + 5 * sizeof(uint32_t);
	char *at = scratch_take(o->l.r->scratch, 1,
				(n + 64) * each + nbb * (2 * 4 + 8) + ncells * 4 + 14 * 16);

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
	o->l.order = part(&at, nbb + n, sizeof(uint32_t));
	o->l.cell = part(&at, ncells, sizeof(uint32_t));
	o->block_op = part(&at, nbb, sizeof(uint32_t));
	o->block_pc = part(&at, nbb, sizeof(uint64_t));
	memset(o->l.v, 0, n * sizeof(*o->l.v));
	return true;
}

struct ir_code *ir_lower_in(const struct ir_region *r, struct slab *slab)
{
	struct output o = {.l = {.r = r, .ncells = state_ncells(r)}, .handler = code_handlers()};
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
		c = finish(&o, slab);
		if (!c)
			o.l.err = ENOMEM;
	}
out:
	scratch_release(r->scratch, mark);
	if (o.l.err)
		errno = o.l.err;
	return c;
}

struct ir_code *ir_lower(const struct ir_region *r)
{
	return ir_lower_in(r, NULL);
}

void ir_code_free(struct ir_code *c)
{
	if (c && c->slab)
		slab_give(c->slab, c, c->size);
	else
		free(c);
}

size_t ir_code_size(const struct ir_code *c)
{
	return c->size;
}
