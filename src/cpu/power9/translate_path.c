/*
 * Paths: several pieces of guest code, which were seen to follow each other, as one region.
 *
 * Each piece becomes a run, but for what another run has already. Direct branches, calls included, from any run to any
 * become jumps inside the region; so does an indirect branch, behind a check of the address, to where its piece was seen to go.
 * Blocks are translated in reverse postorder from the entry, so ways lead forwards but for those that close a loop,
 * whose heads have polls.
 */
#include <string.h>

#include "cpu/power9/region.h"
#include "cpu/power9/translate_plan.h"

#define UNSEEN UINT64_MAX /* cpu_piece.next */

static bool is_indirect(const struct p9_insn *i)
{
	return i->op == P9_OP_bclr || i->op == P9_OP_bcctr || i->op == P9_OP_bctar;
}

static const struct plan_run *run_of(const struct plan *plan, uint32_t slot)
{
	const struct plan_run *run = plan->run;

	while (slot - run->first >= run->count)
		run++;
	return run;
}

/* ---- runs ---- */

/* What of a piece is in no run yet becomes one. piece->len: how far it goes. */
static void add_piece(struct plan *plan, uint32_t mode, struct cpu_piece *piece)
{
	uint32_t size = piece->size / 4, at = 0, left;
	bool cut = false;

	if (size > CPU_REGION_INSNS)
		size = CPU_REGION_INSNS;
	for (;;) {
		uint32_t slot = at < size ? plan_find(plan, piece->pc + 4 * at) : PLAN_NONE;
		const struct plan_run *run;

		if (slot == PLAN_NONE)
			break;
		run = run_of(plan, slot);
		at += run->first + run->count - slot;
		if (run->ended)
			size = at;
	}
	piece->len = 4 * at;
	if (at >= size)
		return;
	left = size - at;
	for (unsigned k = 0; k < plan->nrun; k++) {
		uint64_t ahead = (plan->run[k].pc - (piece->pc + 4 * at)) / 4;

		if (ahead >= left)
			continue;
		left = (uint32_t)ahead;
		cut = true;
	}
	plan_add_run(plan, mode, piece->pc + 4 * at, piece->bytes + 4 * at, left);
	/* One that goes on in another is not too long. */
	if (!cut)
		plan_end_before_reserve(plan);
	piece->len += 4 * plan->run[plan->nrun - 1].count;
}

static bool is_in(const struct cpu_piece *piece, uint64_t pc)
{
	return pc - piece->pc < piece->len;
}

/* ---- where branches go ---- */

/* Is what comes before it a branch that sets LR? */
static bool follows_call(const struct plan *plan, uint32_t slot)
{
	uint32_t before = plan_find(plan, plan_pc(plan, slot) - 4);
	const struct p9_insn *i;

	if (before == PLAN_NONE || !(plan->flags[before] & PLAN_LEGAL))
		return false;
	i = &plan->insn[before];
	return (i->desc->flags & P9_FLAG_BRANCH) && insn_LK(i);
}

static bool has_jump(const struct plan *plan, const struct cpu_piece *piece)
{
	for (uint32_t at = 0; at < piece->len; at += 4) {
		uint32_t slot = plan_find(plan, piece->pc + at);

		if (slot != PLAN_NONE && (plan->flags[slot] & PLAN_LEGAL) && is_indirect(&plan->insn[slot]) &&
		    plan->insn[slot].op != P9_OP_bclr)
			return true;
	}
	return false;
}

/*
 * A piece says where it was left for, not by which of its branches: it is returned from to what follows a call, which nothing
 * else goes to.
 */
static bool is_likely(const struct plan *plan, const struct cpu_piece *piece, const struct p9_insn *i, uint32_t target)
{
	if (follows_call(plan, target))
		return i->op == P9_OP_bclr;
	return i->op != P9_OP_bclr || !has_jump(plan, piece);
}

unsigned plan_indirect_targets(const struct plan *plan, uint32_t slot, uint64_t pc, uint32_t *target)
{
	unsigned n = 0;

	for (unsigned k = 0; k < 2 * plan->npiece; k++) {
		const struct cpu_piece *piece = &plan->piece[k / 2];
		uint64_t next = piece->next[k % 2];
		uint32_t to;
		bool known = false;

		if (next == UNSEEN || !is_in(piece, pc))
			continue;
		to = plan_find(plan, next);
		if (to == PLAN_NONE || !is_likely(plan, piece, &plan->insn[slot], to))
			continue;
		for (unsigned m = 0; m < n; m++)
			known |= target[m] == to;
		if (!known && n < PLAN_TARGETS)
			target[n++] = to;
	}
	return n;
}

static uint32_t behind(const struct plan *plan, uint32_t mode, const struct plan_run *run, uint32_t slot)
{
	uint64_t pc = run->pc + 4 * (slot + 1 - run->first);

	if (slot + 1 < run->first + run->count)
		return slot + 1;
	return plan_find(plan, mode & P9_MODE_SF ? pc : (uint32_t)pc);
}

/* Those of the block that begins in a slot, the likeliest last. */
static unsigned successors(const struct plan *plan, uint32_t mode, uint32_t slot, uint32_t *to)
{
	const struct plan_run *run = run_of(plan, slot);
	uint32_t end = run->first + run->count, seen[PLAN_TARGETS];
	bool falls = true;
	unsigned n = 0;

	for (;; slot++) {
		const struct p9_insn *i = &plan->insn[slot];
		uint64_t pc = run->pc + 4 * (slot - run->first), target;
		bool conditional = false, direct;

		if (!(plan->flags[slot] & PLAN_LEGAL))
			return 0;
		direct = plan_direct_target(i, pc, &target, &conditional);
		falls = plan_falls_through(i, direct, conditional);
		if (direct) {
			to[n] = plan_find(plan, mode & P9_MODE_SF ? target : (uint32_t)target);
			n += to[n] != PLAN_NONE;
		} else if (i->desc->flags & P9_FLAG_BRANCH) {
			unsigned k = plan_indirect_targets(plan, slot, pc, seen);

			while (k-- > 0)
				to[n++] = seen[k];
		}
		if (!falls || slot + 1 == end || (plan->flags[slot + 1] & PLAN_LEADER))
			break;
	}
	if (falls) {
		to[n] = behind(plan, mode, run, slot);
		n += to[n] != PLAN_NONE;
	}
	return n;
}

/* ---- blocks ---- */

static void mark_leaders(struct plan *plan, uint32_t mode)
{
	for (unsigned k = 0; k < plan->npiece; k++) {
		uint32_t slot = plan_find(plan, plan->piece[k].pc);

		if (slot != PLAN_NONE)
			plan->flags[slot] |= PLAN_LEADER;
	}
	for (uint32_t slot = 0; slot < plan->count; slot++) {
		uint64_t target;
		uint32_t to;
		bool conditional;

		plan->flags[slot] &= ~PLAN_LOOP;
		plan->block[slot].id = P9_NO_BLOCK;
		if (!(plan->flags[slot] & PLAN_LEGAL) ||
		    !plan_direct_target(&plan->insn[slot], plan_pc(plan, slot), &target, &conditional))
			continue;
		to = plan_find(plan, mode & P9_MODE_SF ? target : (uint32_t)target);
		if (to != PLAN_NONE)
			plan->flags[to] |= PLAN_LEADER;
	}
}

/* The leaders that can be reached, in reverse postorder. Returns how many. */
static uint32_t order_blocks(struct plan *plan, uint32_t mode, uint16_t *order)
{
	uint16_t stack[PLAN_SLOTS];
	uint8_t next[PLAN_SLOTS];
	uint32_t depth = 0, at = PLAN_SLOTS, n, to[PLAN_TARGETS + 1];

	stack[depth] = 0;
	next[depth++] = 0;
	plan->flags[0] |= PLAN_VISITED;
	while (depth) {
		uint32_t slot = stack[depth - 1];

		n = successors(plan, mode, slot, to);
		if (next[depth - 1] == n) {
			order[--at] = (uint16_t)slot;
			depth--;
			continue;
		}
		slot = to[next[depth - 1]++];
		if (plan->flags[slot] & PLAN_VISITED)
			continue;
		plan->flags[slot] |= PLAN_VISITED;
		stack[depth] = (uint16_t)slot;
		next[depth++] = 0;
	}
	n = PLAN_SLOTS - at;
	memmove(order, order + at, n * sizeof(*order));
	for (uint32_t k = 0; k < n; k++)
		plan->place[order[k]] = (uint16_t)k;
	return n;
}

static void mark_loops(struct plan *plan, uint32_t mode, const uint16_t *order, uint32_t count)
{
	for (uint32_t k = 0; k < count; k++) {
		uint32_t to[PLAN_TARGETS + 1];
		unsigned n = successors(plan, mode, order[k], to);

		for (unsigned m = 0; m < n; m++) {
			if (plan->place[to[m]] > k)
				continue;
			plan->flags[to[m]] |= PLAN_LOOP;
			if (!(plan_pc(plan, to[m]) & TLB_BLOCK_MASK))
				plan->flags[to[m]] |= PLAN_TAKES;
		}
	}
}

/* Of what of a piece was translated, the end. */
static void set_len(const struct plan *plan, struct cpu_piece *piece)
{
	uint32_t len = 0;
	bool visited = false;

	for (uint32_t at = 0; at < piece->len; at += 4) {
		uint32_t slot = plan_find(plan, piece->pc + at);

		if (slot == PLAN_NONE)
			continue;
		/* A piece's start is one, and so is that of a run. */
		if (plan->flags[slot] & PLAN_LEADER)
			visited = plan->flags[slot] & PLAN_VISITED;
		if (visited)
			len = at + 4;
	}
	piece->len = len;
}

void p9_translate_path(uint32_t mode, struct ir_region *r, struct cpu_piece *piece, unsigned n)
{
	struct region_translator rt;
	struct plan *plan = &rt.plan;
	uint16_t order[PLAN_SLOTS];
	uint32_t count;

	r->hot = true;
	plan_begin(&rt, r, mode);
	plan->piece = piece;
	plan->npiece = n < CPU_PIECES ? n : CPU_PIECES;
	for (unsigned k = 0; k < plan->npiece; k++)
		add_piece(plan, mode, &piece[k]);
	if (!plan->count) {
		r->failed = true;
		return;
	}
	mark_leaders(plan, mode);
	count = order_blocks(plan, mode, order);
	mark_loops(plan, mode, order, count);
	plan_enter(&rt);
	for (uint32_t k = 0; k < count; k++)
		plan->block[order[k]] = ir_create_block(r);
	if (ir_block_open(r))
		ir_jump(r, plan->block[0]);
	for (uint32_t k = 0; k < count; k++)
		plan_translate_block(&rt, run_of(plan, order[k]), order[k]);
	rt.is_branch = false;
	p9_emit_watched(&rt.t);
	for (unsigned k = 0; k < n; k++) {
		if (k < plan->npiece)
			set_len(plan, &piece[k]);
		else
			piece[k].len = 0;
	}
}
