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

static void put_blocks(struct output *o)
{
	const struct ir_region *r = o->l.r;

	memset(o->free_temps, 0xff, sizeof(o->free_temps));
	memset(o->expire, 0xff, (r->ninst + 2) * sizeof(*o->expire));
	memset(o->l.cell, 0, o->l.ncells * sizeof(*o->l.cell));
	for (uint32_t id = 0; id < r->ninst; id++) {
		if (o->l.v[id].flags & VAL_EARLY)
			o->l.v[id].loc = lower_take_temp(o);
	}
	for (uint32_t k = 0; k < o->l.norder; k++) {
		uint32_t b = o->l.order[k];

		o->block_op[b] = o->nop;
		o->guest_pc = o->block_pc[b] - r->base;
		o->next_block = k + 1 < o->l.norder ? o->l.order[k + 1] : NOWHERE;
		for (uint32_t id = r->bb[b].first; id < r->bb[b].first + r->bb[b].count; id++) {
			o->position = id;
			if (lower_needed(&o->l, id))
				lower_put(o, id);
			while (o->nscratch)
				lower_give_temp(o, o->scratch[--o->nscratch]);
			lower_expire(o);
		}
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
static struct ir_code *finish(const struct output *o)
{
	const struct ir_region *r = o->l.r;
	size_t vconst = align_up(sizeof(struct ir_code) + o->nop * sizeof(struct code_op), 16);
	size_t call = vconst + r->nvconst * sizeof(u128);
	size_t pc = call + o->ncall * sizeof(struct code_call);
	size_t size = pc + o->npc * sizeof(struct code_pc);
	struct ir_code *c = malloc(size);

	if (!c)
		return NULL;
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

/* The blocks as they lie, and each instruction's block. */
static void order_blocks(struct lower *l, uint32_t *start)
{
	const struct ir_region *r = l->r;

	for (uint32_t b = 0; b < r->nbb; b++) {
		if (r->bb[b].count)
			start[r->bb[b].first] = b;
	}
	for (uint32_t id = 0; id < r->ninst;) {
		uint32_t b = start[id];

		l->order[l->norder++] = b;
		for (uint32_t end = id + r->bb[b].count; id < end; id++) {
			l->v[id].bb = b;
			l->v[id].home = NOWHERE;
		}
	}
}

/* Memory for all that is needed while lowering. */
static bool allot(struct output *o)
{
	struct ir_scratch *s = o->l.r->scratch;
	size_t n = o->l.r->ninst, nbb = o->l.r->nbb, nconds = 0;

	for (uint32_t id = 0; id < n; id++)
		nconds += o->l.r->inst[id].op == IR_BR || o->l.r->inst[id].op == IR_SELECT;
	o->cap_op = (uint32_t)n + 64;
	o->op = scratch_take(s, o->cap_op, sizeof(*o->op));
	o->l.v = scratch_take(s, n, sizeof(*o->l.v));
	o->l.cond = scratch_take(s, nconds, sizeof(*o->l.cond));
	o->l.order = scratch_take(s, nbb + n, sizeof(*o->l.order));
	o->l.barriers = scratch_take(s, n, sizeof(*o->l.barriers));
	o->l.cell = scratch_take(s, o->l.ncells, sizeof(*o->l.cell));
	o->block_pc = scratch_take(s, nbb, sizeof(*o->block_pc));
	o->block_op = scratch_take(s, nbb, sizeof(*o->block_op));
	o->pc = scratch_take(s, n, sizeof(*o->pc));
	o->call = scratch_take(s, n, sizeof(*o->call));
	o->call_op = scratch_take(s, n, sizeof(*o->call_op));
	o->fix = scratch_take(s, 2 * n, sizeof(*o->fix));
	o->expire = scratch_take(s, n + 2, sizeof(*o->expire));
	o->next = scratch_take(s, n, sizeof(*o->next));
	if (!o->op || !o->l.v || !o->l.cond || !o->l.order || !o->l.barriers || !o->l.cell ||
	    !o->block_pc || !o->block_op || !o->pc || !o->call || !o->call_op || !o->fix ||
	    !o->expire || !o->next)
		return false;
	memset(o->l.v, 0, n * sizeof(*o->l.v));
	return true;
}

struct ir_code *ir_lower(const struct ir_region *r)
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
		lower_homes(&o.l);
		lower_liveness(&o.l);
	}
	ir_block_pcs(o.l.r, o.block_pc);
	put_blocks(&o);
	if (!o.l.err)
		fix_branches(&o);
	if (!o.l.err) {
		c = finish(&o);
		if (!c)
			o.l.err = ENOMEM;
	}
out:
	scratch_release(r->scratch, mark);
	if (o.l.err)
		errno = o.l.err;
	return c;
}

void ir_code_free(struct ir_code *c)
{
	free(c);
}

size_t ir_code_size(const struct ir_code *c)
{
	return c->size;
}
