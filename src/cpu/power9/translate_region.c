/*
 * From guest code to the IR of one region.
 *
 * A region is a run of consecutive instructions inside one TLB block (translate_plan.c), or a path through several
 * (translate_path.c). Branches inside it become jumps between its blocks, so small loops and if-then-else stay
 * within a region.
 */
#include <string.h>

#include "cpu/power9/exception.h"
#include "cpu/power9/region.h"
#include "cpu/power9/translate_plan.h"

/* ---- leaving the instruction ---- */

static uint64_t h_trace(struct ir_env *env, uint64_t next_pc)
{
	p9_raise_trace(p9_of_env(env), next_pc);
	return 0;
}

static const struct ir_helper trace_helper = {
	.name = "trace",
	.fn = (void (*)(void))h_trace,
	.nargs = 1,
	.result = IR_NONE,
	.arg = { IR_I64 },
	.flags = IR_H_FAULTS | IR_H_READS_STATE | IR_H_WRITES_STATE,
};

/* Single-step and branch trace: the interrupt comes when the instruction is complete. */
static bool traced(struct p9_translator *t)
{
	return (t->mode & P9_MODE_SE) || ((t->mode & P9_MODE_BE) && rt_of(t)->is_branch);
}

/* What is in this slot is gone to from here. */
static void note_way(struct p9_translator *t, uint32_t slot)
{
	struct plan *plan = &rt_of(t)->plan;

	if (!(plan->flags[slot] & PLAN_ENTERED))
		plan->reserved[slot] = t->reserved;
	else if (plan->reserved[slot] != t->reserved)
		plan->reserved[slot] = 0;
	plan->flags[slot] |= PLAN_ENTERED;
}

/* By what is reserved where a slot begins a block, once all ways to it were noted. */
static uint32_t reserved_at(const struct region_translator *rt, uint32_t slot)
{
	uint8_t flags = rt->plan.flags[slot];
	uint32_t id = flags & PLAN_ENTERED ? rt->plan.reserved[slot] : 0;

	/* A loop may be left at its head, and entered there later. */
	return flags & PLAN_LOOP || id != rt->t.reserve.id ? 0 : id;
}

/*
 * Can what is in a slot be jumped to from here? Back only to where a poll was planned: a loop without one could not be
 * interrupted.
 */
static bool can_jump(const struct region_translator *rt, uint32_t slot)
{
	const struct plan *plan = &rt->plan;

	if (slot == PLAN_NONE || !(plan->flags[slot] & PLAN_LEADER) || plan->block[slot].id == P9_NO_BLOCK)
		return false;
	return plan->place[slot] > rt->place || (plan->flags[slot] & PLAN_LOOP);
}

static void leave_indirect(struct p9_translator *t, ir_val pc)
{
	if (traced(t)) {
		/* The instruction is complete: what is raised now is between it and the next. */
		ir_insn(t->r, t->pc);
		p9_call1(t, &trace_helper, pc);
		p9_end_raised(t);
		return;
	}
	ir_exit_indirect(t->r, pc);
	t->ended = true;
}

void p9_exit_indirect(struct p9_translator *t, ir_val pc)
{
	struct region_translator *rt = rt_of(t);
	uint32_t target[PLAN_TARGETS];
	unsigned n = rt->plan.piece && rt->is_branch ?
			     plan_indirect_targets(&rt->plan, rt->slot, t->pc, target) :
			     0;

	for (unsigned k = 0; k < n; k++) {
		ir_block other;

		if (!can_jump(rt, target[k]))
			continue;
		other = ir_create_block(t->r);
		note_way(t, target[k]);
		ir_br(t->r, ir_bin(t->r, IR_EQ, pc, ir_pc(t->r, plan_pc(&rt->plan, target[k]))),
		      rt->plan.block[target[k]], other);
		ir_begin_block(t->r, other);
	}
	leave_indirect(t, pc);
}

void p9_exit_direct(struct p9_translator *t, uint64_t pc)
{
	struct region_translator *rt = rt_of(t);
	uint32_t slot;

	if (traced(t)) {
		leave_indirect(t, ir_pc(t->r, pc));
		return;
	}
	/* What was not planned (calls out of the region, addresses that wrap) leaves it. */
	slot = plan_find(&rt->plan, pc);
	if (can_jump(rt, slot)) {
		if (rt->plan.flags[slot] & PLAN_TAKES)
			p9_carry_reservation(t);
		note_way(t, slot);
		ir_jump(t->r, rt->plan.block[slot]);
	} else {
		if (!(pc & TLB_BLOCK_MASK))
			p9_carry_reservation(t);
		ir_exit_direct(t->r, pc);
	}
	t->ended = true;
}

void p9_exit_context(struct p9_translator *t)
{
	uint64_t next = t->pc + 4;

	if (!p9_mode64(t))
		next &= UINT32_MAX;
	if (traced(t)) {
		leave_indirect(t, ir_pc(t->r, next));
		return;
	}
	ir_set(t->r, offsetof(struct ir_env, pc), ir_pc(t->r, next));
	p9_end_raised(t);
}

void p9_exit_refetch(struct p9_translator *t)
{
	uint64_t next = p9_mode64(t) ? t->pc + 4 : (uint32_t)(t->pc + 4);

	/* By the jump cache, which has nothing after an invalidation: direct jumps forwards would not ask. */
	leave_indirect(t, ir_pc(t->r, next));
}

/* ---- regions ---- */

/*
 * The bytes of a store conditional that comes, from a slot of the run on, before anything that costs a reservation; 0: there
 * is none.
 */
static unsigned store_to_come(const struct plan *plan, const struct plan_run *run, uint32_t slot)
{
	for (uint32_t n = slot; n < run->first + run->count; n++) {
		const struct p9_insn *i = &plan->insn[n];

		if (!(plan->flags[n] & PLAN_LEGAL) || !p9_keeps_reservation(i))
			return 0;
		switch (i->op) {
		case P9_OP_stbcx_dot:
			return 1;
		case P9_OP_sthcx_dot:
			return 2;
		case P9_OP_stwcx_dot:
			return 4;
		case P9_OP_stdcx_dot:
			return 8;
		case P9_OP_stqcx_dot:
			return 16;
		default:
			if (i->desc->flags & P9_FLAG_RESERVE)
				return 0;
		}
	}
	return 0;
}

void plan_begin(struct region_translator *rt, struct ir_region *r, uint32_t mode)
{
	struct p9_translator *t = &rt->t;

	t->r = r;
	t->mode = mode;
	t->ended = false;
	t->so_changed = false;
	t->reserve.id = t->reserved = 0;
	t->nwatched = 0;
	t->available = 0;
	for (unsigned n = 0; n < ARRAY_SIZE(t->crf); n++)
		t->crf[n].block = P9_NO_BLOCK;
	rt->is_branch = false;
	rt->plan.nrun = 0;
	rt->plan.count = 0;
	rt->plan.piece = NULL;
}

void plan_enter(struct region_translator *rt)
{
	struct p9_translator *t = &rt->t;
	uint64_t pc = rt->plan.run[0].pc;

	if ((pc & TLB_BLOCK_MASK) || (rt->plan.flags[0] & PLAN_TAKES))
		return;
	ir_begin_block(t->r, ir_create_block(t->r));
	ir_insn(t->r, pc);
	p9_take_reservation(t, store_to_come(&rt->plan, &rt->plan.run[0], 0));
	note_way(t, 0);
}

uint32_t plan_translate_block(struct region_translator *rt, const struct plan_run *run, uint32_t slot)
{
	struct p9_translator *t = &rt->t;
	struct plan *plan = &rt->plan;
	uint32_t end = run->first + run->count;
	uint64_t next;

	ir_begin_block(t->r, plan->block[slot]);
	t->available = 0;
	t->reserved = reserved_at(rt, slot);
	rt->place = plan->place[slot];
	t->pc = run->pc + 4 * (slot - run->first);
	if (plan->flags[slot] & PLAN_LOOP) {
		/* Left here, the guest is at the start of this instruction. */
		ir_insn(t->r, t->pc);
		ir_poll(t->r);
	}
	if (plan->flags[slot] & PLAN_TAKES) {
		ir_insn(t->r, t->pc);
		p9_take_reservation(t, store_to_come(plan, run, slot));
	}
	do {
		bool legal = plan->flags[slot] & PLAN_LEGAL;

		t->pc = run->pc + 4 * (slot - run->first);
		rt->slot = slot;
		rt->is_branch = legal && (plan->insn[slot].desc->flags & P9_FLAG_BRANCH);
		p9_translate_insn(t, legal ? &plan->insn[slot] : NULL, plan->insn[slot].raw);
		slot++;
		if (t->ended || !ir_block_open(t->r)) {
			/* Nothing leads to what is behind. */
			while (slot < end && !(plan->flags[slot] & PLAN_LEADER))
				slot++;
			return slot;
		}
	} while (slot < end && !(plan->flags[slot] & PLAN_LEADER));
	rt->is_branch = false;
	next = t->pc + 4;
	p9_exit_direct(t, p9_mode64(t) || slot < end ? next : (uint32_t)next);
	return slot;
}

uint32_t p9_translate_region(uint32_t mode, struct ir_region *r, uint64_t pc, const uint8_t *code,
			     uint32_t bytes, uint32_t max_insns)
{
	struct region_translator rt;
	struct plan *plan = &rt.plan;
	const struct plan_run *run = &plan->run[0];
	uint32_t max = bytes / 4 < max_insns ? bytes / 4 : max_insns;

	plan_begin(&rt, r, mode);
	if (mode & (P9_MODE_SE | P9_MODE_BE))
		max = 1;
	plan_add_run(plan, mode, pc, code, max);
	plan_end_before_reserve(plan);
	plan_enter(&rt);
	for (uint32_t n = 0; n < run->count; n++) {
		if (!(plan->flags[n] & PLAN_LEADER))
			continue;
		plan->block[n] = ir_create_block(r);
		plan->place[n] = (uint16_t)n;
	}
	if (ir_block_open(r))
		ir_jump(r, plan->block[0]);
	for (uint32_t n = 0; n < run->count;)
		n = plan_translate_block(&rt, run, n);
	rt.is_branch = false;
	p9_emit_watched(&rt.t);
	return run->count * 4;
}
