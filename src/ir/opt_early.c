/*
 * Checks at the head: in loops, what looks up memory does so before the first instruction of its block, where it can.
 * Between accesses nothing shows guest state then, so that what the block itself overwrites, such as the carries of a long
 * sum, needs not be written.
 *
 * A PROBE that stands before another instruction's access must not fault in its name: it has no access of its own, and
 * is refused where that would fault (ir.h, Shared checks).
 *
 * A PROBE that is moved takes a register for longer, and leaves the region before more of it is done. So it is only done
 * where many SETs go by it, as in sums and products of many words.
 */
#include "ir/opt.h"

#include <string.h>

#include "ir/scratch.h"

#define NONE	  UINT32_MAX
#define MOVED_MAX 4 /* PROBEs in a row, each of which takes a register from there on */
#define TERMS_MAX 8 /* instructions that are moved with one */
#define SPARED	  4 /* SETs that must go for each */

struct early {
	struct ir_region *r;
	bool *in_loop;    /* by block */
	uint32_t *block;  /* by instruction */
	uint32_t *moved;  /* by instruction: the INSN that it is moved behind; NONE */
	uint32_t *new_id;
	uint32_t nmoved;
	/* The stretch that is looked at: instructions [first, end) of a block, behind the INSN first - 1. */
	uint32_t first, end;
	uint32_t access[MOVED_MAX], naccess;
	unsigned terms;
};

static bool is_access(const struct ir_inst *i)
{
	return i->op == IR_LOAD || i->op == IR_STORE || i->op == IR_PROBE;
}

/* May translations be others behind it, or is it nothing that could be passed by? */
static bool ends_stretch(const struct ir_inst *i)
{
	if (is_access(i) || i->op == IR_INSN || i->op == IR_SET || i->op == IR_LOAD_HOST || i->op == IR_STORE_HOST)
		return false;
	return ir_has_side(i);
}

static bool overlaps(const struct ir_inst *a, const struct ir_inst *b)
{
	return state_first(a) < state_first(b) + state_count((enum ir_type)b->type) &&
	       state_first(b) < state_first(a) + state_count((enum ir_type)a->type);
}

static bool is_set_before(const struct early *e, uint32_t get)
{
	const struct ir_inst *inst = e->r->inst;

	for (uint32_t id = e->first; id < get; id++)
		if (inst[id].op == IR_SET && overlaps(&inst[id], &inst[get]))
			return true;
	return false;
}

/* Is the value known where the stretch begins, or can what makes it be moved to there? */
static bool is_known(struct early *e, uint32_t v)
{
	const struct ir_inst *i = &e->r->inst[v];

	if (v < e->first)
		return true;
	if (i->op == IR_CALL || ir_has_side(i) || !e->terms || (i->op == IR_GET && is_set_before(e, v)))
		return false;
	e->terms--;
	for (unsigned k = 0, n = ir_nargs(i); k < n; k++)
		if (!is_known(e, i->arg[k]))
			return false;
	return true;
}

/* Can it be looked up where the stretch begins? */
static bool can_be_early(struct early *e, uint32_t id)
{
	const struct ir_inst *i = &e->r->inst[id];

	e->terms = TERMS_MAX;
	if (i->op != IR_PROBE) {
		struct ir_memop m = ir_memop_of(i);
		int32_t disp = ir_disp_of(i);

		if ((m.aligned && m.size > 1) || disp != (int16_t)disp || disp + m.size != (int16_t)(disp + m.size))
			return false;
	}
	return is_known(e, i->arg[0]);
}

static bool is_early(const struct early *e, uint32_t id)
{
	for (unsigned n = 0; n < e->naccess; n++)
		if (e->access[n] == id)
			return true;
	return false;
}

/* Does a SET go if the accesses do: is it overwritten in the stretch, and was seen by none but them? */
static bool is_spared(const struct early *e, uint32_t set)
{
	const struct ir_inst *inst = e->r->inst;
	bool passed = false;

	for (uint32_t id = set + 1; id < e->end; id++) {
		const struct ir_inst *i = &inst[id];

		if (i->op == IR_GET && overlaps(i, &inst[set]))
			return false;
		if (i->op == IR_SET && state_first(i) == state_first(&inst[set]) && i->type >= inst[set].type)
			return passed;
		if (!is_access(i))
			continue;
		if (!is_early(e, id))
			return false;
		passed = true;
	}
	return false;
}

static bool pays(const struct early *e)
{
	unsigned spared = 0;

	for (uint32_t id = e->first; id < e->end; id++)
		spared += e->r->inst[id].op == IR_SET && is_spared(e, id);
	return spared >= SPARED * e->naccess;
}

/* With what it is made of. */
static void move(struct early *e, uint32_t v)
{
	const struct ir_inst *i = &e->r->inst[v];

	if (v < e->first || e->moved[v] != NONE)
		return;
	/* The address of an access, but not what is stored. */
	for (unsigned k = 0, n = is_access(i) ? 1 : ir_nargs(i); k < n; k++)
		move(e, i->arg[k]);
	e->moved[v] = e->first - 1;
	e->nmoved++;
}

static void look_at_stretch(struct early *e)
{
	e->naccess = 0;
	for (uint32_t id = e->first; id < e->end; id++) {
		if (!is_access(&e->r->inst[id]) || !can_be_early(e, id))
			continue;
		if (e->naccess == MOVED_MAX)
			return;
		e->access[e->naccess++] = id;
	}
	if (!e->naccess || !pays(e))
		return;
	for (unsigned n = 0; n < e->naccess; n++)
		move(e, e->access[n]);
}

/* Stretches begin behind the last INSN before something is done. */
static void look_at_block(struct early *e, uint32_t b)
{
	const struct ir_inst *inst = e->r->inst;
	uint32_t id = e->r->bb[b].first, end = id + e->r->bb[b].count;

	while (id < end) {
		e->first = NONE;
		for (; id < end && !ends_stretch(&inst[id]); id++) {
			if (inst[id].op == IR_INSN)
				e->first = id + 1;
			else if (e->first != NONE && ir_has_side(&inst[id]))
				break;
		}
		while (id < end && !ends_stretch(&inst[id]))
			id++;
		e->end = id++;
		if (e->first != NONE)
			look_at_stretch(e);
	}
}

/* ---- the region anew ---- */

static void copy(struct early *e, uint32_t old, struct ir_inst *to, uint32_t *at)
{
	struct ir_inst *i = &to[*at];

	*i = e->r->inst[old];
	for (unsigned k = 0, n = ir_nargs(i); k < n; k++)
		i->arg[k] = e->new_id[i->arg[k]];
	e->new_id[old] = (*at)++;
}

/* The check of an access, or a PROBE, without an access of its own. */
static void check(struct early *e, uint32_t old, struct ir_inst *to, uint32_t *at)
{
	const struct ir_inst *i = &e->r->inst[old];
	struct ir_probe p;

	if (i->op == IR_PROBE) {
		p = ir_probe_of(i->imm, i->aux);
	} else {
		p = (struct ir_probe){
			.kind = i->op == IR_STORE ? MEM_WRITE : MEM_READ,
			.low = (int16_t)ir_disp_of(i),
			.high = (int16_t)(ir_disp_of(i) + ir_memop_of(i).size),
		};
	}
	p.at = p.low;
	p.size = 0;
	to[*at] = (struct ir_inst){
		.op = IR_PROBE,
		.type = IR_I64,
		.aux = ir_probe_aux(p),
		.arg = {e->new_id[i->arg[0]], IR_NO_VAL, IR_NO_VAL, IR_NO_VAL},
		.imm = ir_probe_imm(p),
	};
	e->new_id[old] = (*at)++;
}

/* An access behind its check, whose number it has. */
static void access_host(struct early *e, uint32_t old, struct ir_inst *to, uint32_t *at)
{
	struct ir_inst *i = &to[*at];
	bool load = e->r->inst[old].op == IR_LOAD;

	*i = e->r->inst[old];
	i->op = load ? IR_LOAD_HOST : IR_STORE_HOST;
	i->arg[0] = e->new_id[old];
	if (!load)
		i->arg[1] = e->new_id[i->arg[1]];
	e->new_id[old] = (*at)++;
}

static void rewrite(struct early *e, uint32_t old, struct ir_inst *to, uint32_t *at)
{
	const struct ir_inst *i = &e->r->inst[old];
	uint32_t end = e->r->bb[e->block[old]].first + e->r->bb[e->block[old]].count;

	if (e->moved[old] == NONE)
		copy(e, old, to, at);
	else if (i->op == IR_LOAD || i->op == IR_STORE)
		access_host(e, old, to, at);
	if (i->op != IR_INSN)
		return;
	for (uint32_t id = old + 1; id < end; id++) {
		if (e->moved[id] != old)
			continue;
		if (is_access(&e->r->inst[id]))
			check(e, id, to, at);
		else
			copy(e, id, to, at);
	}
}

/* The blocks lie as before. */
static void write_all(struct early *e)
{
	struct ir_region *r = e->r;
	struct ir_inst *to = opt_spare(r, r->ninst + e->nmoved);
	uint32_t at = 0;

	if (!to)
		return;
	for (uint32_t id = 0; id < r->ninst;) {
		struct ir_bb *bb = &r->bb[e->block[id]];
		uint32_t end = id + bb->count, first = at;

		for (; id < end; id++)
			rewrite(e, id, to, &at);
		*bb = (struct ir_bb){first, at - first};
	}
	opt_use_spare(r, at);
}

static bool find_loops(struct early *e)
{
	struct ir_region *r = e->r;
	struct ir_cfg cfg;
	uint32_t *stack;
	bool *in;

	if (!ir_cfg_init(&cfg, r) || !cfg.loops)
		return false;
	in = scratch_take(r->scratch, r->nbb, sizeof(*in));
	stack = scratch_take(r->scratch, r->nbb, sizeof(*stack));
	e->in_loop = scratch_take(r->scratch, r->nbb, sizeof(*e->in_loop));
	if (!in || !stack || !e->in_loop)
		return false;
	memset(e->in_loop, 0, r->nbb * sizeof(*e->in_loop));
	for (uint32_t k = 0; k < cfg.nrpo; k++) {
		if (!ir_cfg_loop(&cfg, r->nbb, cfg.rpo[k], in, stack))
			continue;
		for (uint32_t b = 0; b < r->nbb; b++)
			e->in_loop[b] |= in[b];
	}
	return true;
}

void opt_early(struct ir_region *r)
{
	struct early e = {.r = r};

	if (!find_loops(&e))
		return;
	e.block = scratch_take(r->scratch, r->ninst, sizeof(*e.block));
	e.moved = scratch_take(r->scratch, r->ninst, sizeof(*e.moved));
	e.new_id = scratch_take(r->scratch, r->ninst, sizeof(*e.new_id));
	if (!e.block || !e.moved || !e.new_id)
		return;
	memset(e.moved, 0xff, r->ninst * sizeof(*e.moved));
	for (uint32_t b = 0; b < r->nbb; b++)
		for (uint32_t n = 0; n < r->bb[b].count; n++)
			e.block[r->bb[b].first + n] = b;
	for (uint32_t b = 0; b < r->nbb; b++)
		if (e.in_loop[b])
			look_at_block(&e, b);
	if (e.nmoved)
		write_all(&e);
}
