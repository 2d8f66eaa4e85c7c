/*
 * From the ops that were written, all wide, to the dense form that is kept: which of them are narrow, where
 * each is then, and the finished code in one piece.
 */
#include "ir/lower.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ir/interp.h"
#include "ir/scratch.h"
#include "util/bits.h"
#include "util/slab.h"

static bool branches(enum code_form form)
{
	return form == CODE_FORM_B || form == CODE_FORM_C;
}

/* Does what an op says fit into one slot, but for where it goes? */
static bool operands_fit(const struct code_wide *op)
{
	switch ((enum code_form)code_form[op->handler]) {
	case CODE_FORM_R:
	case CODE_FORM_J:
	case CODE_FORM_B:
		return true;
	case CODE_FORM_I:
	case CODE_FORM_C:
		return op->imm == (uint64_t)(int64_t)(int16_t)op->imm;
	case CODE_FORM_L:
		return op->imm == (uint64_t)(int64_t)(int32_t)op->imm;
	case CODE_FORM_W:
		break;
	}
	return false;
}

static uint32_t slots(bool narrow)
{
	return narrow ? 1 : CODE_WIDE_SLOTS;
}

/* at: by op, how many slots lie before it at most, since branches are taken for wide ones. */
static void bound_places(const struct output *o, uint32_t *at)
{
	at[0] = 0;
	/* Mostly all is near in any case. */
	if (o->nop <= INT8_MAX / CODE_WIDE_SLOTS) {
		memset(at, 0, (o->nop + 1) * sizeof(*at));
		return;
	}
	for (uint32_t k = 0; k < o->nop; k++) {
		const struct code_wide *op = &o->op[k];

		at[k + 1] = at[k] + slots(!branches(code_form[op->handler]) && operands_fit(op));
	}
}

static bool near(const uint32_t *at, uint32_t from, uint32_t to)
{
	int64_t distance = (int64_t)at[to] - at[from];

	return distance == (int8_t)distance;
}

/* Mark the wide ones, and have `at` be where ops are; known to be no more than it was. */
static void place(struct output *o, uint32_t *at)
{
	uint32_t slot = 0;

	for (uint32_t k = 0; k < o->nop; k++) {
		struct code_wide *op = &o->op[k];
		bool narrow = operands_fit(op);

		/* Distances shrink only, whatever of `at` is exact by now. */
		if (branches(code_form[op->handler]))
			narrow = narrow && near(at, k, op->d) && near(at, k, op->c);
		if (!narrow)
			op->handler += CODE_COUNT;
		o->place[k] = slot;
		slot += slots(narrow);
	}
	o->place[o->nop] = slot;
}

static uint16_t distance(const struct output *o, uint32_t from, uint16_t to)
{
	return (uint16_t)(o->place[to] - o->place[from]);
}

static void write_narrow(const struct output *o, uint32_t k, struct code_op *to)
{
	const struct code_wide *op = &o->op[k];
	struct code_op n = {.handler = op->handler, .d = op->d, .a = op->a, .b = op->b};
	enum code_form form = code_form[op->handler];
	int32_t imm = (int32_t)op->imm;

	if (branches(form))
		n.d = (uint16_t)((distance(o, k, op->d) & 0xff) | distance(o, k, op->c) << 8);
	if (form == CODE_FORM_J)
		n.d = distance(o, k, op->d);
	if (form == CODE_FORM_I || form == CODE_FORM_C)
		n.b = (uint16_t)imm;
	if (form == CODE_FORM_L)
		memcpy(&n.a, &imm, sizeof(imm));
	memcpy(to, &n, sizeof(n));
}

static void write_wide(const struct output *o, uint32_t k, struct code_op *to, const u128 *vconst)
{
	struct code_wide op = o->op[k];

	if (branches(code_form[op.handler - CODE_COUNT])) {
		op.d = distance(o, k, op.d);
		op.c = distance(o, k, op.c);
	} else if (op.handler == CODE_COUNT + CODE_LIV) {
		op.imm = (uintptr_t)&vconst[op.imm];
	}
	memcpy(to, &op, sizeof(op));
}

static void write_ops(struct output *o, struct ir_code *c, struct code_call *call,
		      const u128 *vconst)
{
	for (uint32_t k = 0; k < o->ncall; k++)
		o->op[o->call_op[k]].imm = (uintptr_t)&call[k];
	for (uint32_t k = 0; k < o->nop; k++) {
		struct code_op *to = &c->op[o->place[k]];

		if (o->op[k].handler < CODE_COUNT)
			write_narrow(o, k, to);
		else
			write_wide(o, k, to, vconst);
	}
}

static bool write_pcs(const struct output *o, struct code_pc *pc)
{
	for (uint32_t k = 0; k < o->npc; k++) {
		int64_t d = (int64_t)(o->pc[k].pc - o->pc[0].pc);

		if (d != (int16_t)d)
			return false;
		pc[k].first = (uint16_t)o->place[o->pc[k].first];
		pc[k].distance = (int16_t)d;
	}
	return true;
}

/* All in one piece of memory: see struct ir_code. */
struct ir_code *lower_encode(struct output *o, struct slab *slab, size_t front)
{
	const struct ir_region *r = o->l.r;
	uint32_t *at = scratch_take(r->scratch, (size_t)o->nop + 1, 2 * sizeof(*at));
	size_t vconst, call, pc, size;
	struct ir_code *c;
	char *memory;

	if (!at) {
		errno = ENOMEM;
		return NULL;
	}
	o->place = at + o->nop + 1;
	bound_places(o, at);
	place(o, at);
	if (o->place[o->nop] > INT16_MAX) {
		errno = E2BIG;
		return NULL;
	}
	vconst = sizeof(*c) + o->place[o->nop] * sizeof(struct code_op);
	if (r->nvconst)
		vconst = align_up(vconst, sizeof(u128));
	call = vconst + r->nvconst * sizeof(u128);
	pc = call + o->ncall * sizeof(struct code_call);
	size = pc + o->npc * sizeof(struct code_pc);
	memory = slab ? slab_take(slab, front + size) : malloc(size);
	if (!memory) {
		errno = ENOMEM;
		return NULL;
	}
	c = (struct ir_code *)(void *)(memory + front);
	c->slab = slab;
	c->pc = o->npc ? o->pc[0].pc : 0;
	c->size = (uint32_t)size;
	c->nslot = (uint16_t)o->place[o->nop];
	c->npc = (uint16_t)o->npc;
	if (r->nvconst)
		memcpy((char *)c + vconst, r->vconst, r->nvconst * sizeof(u128));
	memcpy((char *)c + call, o->call, o->ncall * sizeof(struct code_call));
	write_ops(o, c, (void *)((char *)c + call), (const void *)((char *)c + vconst));
	if (!write_pcs(o, (void *)((char *)c + pc))) {
		if (slab)
			slab_give(slab, memory, front + size);
		else
			free(memory);
		errno = E2BIG;
		return NULL;
	}
	return c;
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
