/*
 * Peeling: the first round of a small loop gets code of its own. Whoever comes round again then comes from a round
 * that has done all that rounds do, so what a round establishes holds where the next one starts: which
 * comparison a flag is the result of, that memory at an address that stays the same was looked up.
 *
 * Of what is smaller still, the rounds behind the first lie several in a row, and only the first of these looks for
 * requests.
 *
 * It is done to the region as the front end made it, whose blocks hand values on through guest state. A loop of
 * which that is not so, since others name what is made in it, is left as it is; but for those that do no more than leave the
 * region from there, of which each round has its own.
 */
#include "ir/opt.h"

#include <string.h>

#include "ir/scratch.h"

#define LOOP_INSTS 120 /* of the IR as front ends make it: some 20 of the guest */
#define ALL_INSTS  640 /* of all that is copied in a region */
#define HOT_LOOP   480 /* the same of hot regions */
#define HOT_ALL	   960
#define ROW_INSTS  240 /* of rounds in a row */
#define ROW_MAX    8u

struct peel {
	struct ir_region *r;
	struct ir_cfg cfg;
	uint32_t ninst, nbb; /* before anything was peeled */
	uint32_t *block; /* by instruction */
	bool *in;        /* by block: in the loop, or a way out that goes with it */
	bool *head;      /* by block: of a loop */
	uint32_t *stack, *order, norder; /* order: the loop's blocks as they lie */
	uint32_t *copy;  /* by block of the loop: in the round that is being copied */
	uint32_t row[ROW_MAX], nrow, round; /* heads of the rounds in a row, and which is being copied */
	uint32_t loop_head;
	bool all_poll;
	uint32_t *new_id;
	uint32_t total;
};

static bool allot(struct peel *p)
{
	struct ir_region *r = p->r;
	struct ir_scratch *s = r->scratch;

	p->ninst = r->ninst;
	p->nbb = r->nbb;
	p->block = scratch_take(s, r->ninst, sizeof(*p->block));
	p->new_id = scratch_take(s, r->ninst, sizeof(*p->new_id));
	p->in = scratch_take(s, r->nbb, sizeof(*p->in));
	p->head = scratch_take(s, r->nbb, sizeof(*p->head));
	p->stack = scratch_take(s, r->nbb, sizeof(*p->stack));
	p->order = scratch_take(s, r->nbb, sizeof(*p->order));
	p->copy = scratch_take(s, r->nbb, sizeof(*p->copy));
	if (!p->block || !p->new_id || !p->in || !p->head || !p->stack || !p->order || !p->copy)
		return false;
	memset(p->head, 0, r->nbb * sizeof(*p->head));
	for (uint32_t b = 0; b < r->nbb; b++)
		for (uint32_t n = 0; r->bb[b].count && n < r->bb[b].count; n++)
			p->block[r->bb[b].first + n] = b;
	return true;
}

static bool is_inside(const struct peel *p, uint32_t id)
{
	return id < p->ninst && p->in[p->block[id]];
}

/* Does the block leave the region with something that was made in the loop, and is that all that it does? */
static bool is_way_out(const struct peel *p, uint32_t b)
{
	const struct ir_bb *bb = &p->r->bb[b];
	bool names = false;

	/* (Exits of other kinds have numbers, or something to do before.) */
	if (p->cfg.number[b] == CFG_NONE || p->in[b] || p->cfg.npred[b] != 1 || !p->in[p->cfg.pred[p->cfg.pred_at[b]]] ||
	    p->r->inst[bb->first + bb->count - 1].op != IR_EXIT_INDIRECT)
		return false;
	for (uint32_t id = bb->first; id < bb->first + bb->count; id++) {
		const struct ir_inst *i = &p->r->inst[id];

		if (i->op == IR_CALL)
			return false;
		for (unsigned k = 0, nargs = ir_nargs(i); k < nargs; k++)
			names |= is_inside(p, i->arg[k]);
	}
	return names;
}

static void add_ways_out(struct peel *p)
{
	/* None leads to another. */
	for (uint32_t b = 0; b < p->nbb; b++)
		if (is_way_out(p, b))
			p->in[b] = true;
}

/* The loop's blocks as they lie. Returns how many instructions they have; 0: another loop is in it. */
static uint32_t find_order(struct peel *p, uint32_t head)
{
	uint32_t insts = 0;

	p->norder = 0;
	for (uint32_t id = 0; id < p->ninst;) {
		uint32_t b = p->block[id];

		id += p->r->bb[b].count;
		if (!p->in[b])
			continue;
		if (p->head[b] && b != head)
			return 0;
		p->order[p->norder++] = b;
		insts += p->r->bb[b].count;
	}
	return insts;
}

/* Does something outside of the loop name a value that is made in it? */
static bool is_named_outside(const struct peel *p)
{
	for (uint32_t id = 0; id < p->r->ninst; id++) {
		const struct ir_inst *i = &p->r->inst[id];

		if (is_inside(p, id))
			continue;
		for (unsigned k = 0, nargs = ir_nargs(i); k < nargs; k++)
			if (is_inside(p, i->arg[k]))
				return true;
	}
	return false;
}

/* The same instruction in the copy. */
static struct ir_inst in_copy(const struct peel *p, uint32_t id)
{
	struct ir_inst i = p->r->inst[id];
	unsigned first = i.op == IR_BR || i.op == IR_JUMP, n = i.op == IR_BR ? 2 : first;

	for (unsigned k = 0, nargs = ir_nargs(&i); k < nargs; k++)
		if (is_inside(p, i.arg[k]))
			i.arg[k] = p->new_id[i.arg[k]];
	for (unsigned k = first; k < first + n; k++) {
		if (i.arg[k] == p->loop_head)
			i.arg[k] = p->row[(p->round + 1) % p->nrow];
		else if (i.arg[k] < p->nbb && p->in[i.arg[k]])
			i.arg[k] = p->copy[i.arg[k]];
		else
			i.arg[k] = ir_through(p->r, i.arg[k]);
	}
	return i;
}

/*
 * A look for requests that rounds need not have but for the first in a row: that at the head. What looks elsewhere may be the
 * head of a loop in this one, which is entered at several places and so is none here, but may be gone round for ever.
 */
static bool is_spared(const struct peel *p, uint32_t id)
{
	return p->r->inst[id].op == IR_POLL && p->block[id] == p->loop_head && p->round && !p->all_poll;
}

/* The next of the rounds behind the first. */
static void copy_round(struct peel *p)
{
	struct ir_region *r = p->r;

	for (uint32_t k = 0; k < p->norder; k++)
		p->copy[p->order[k]] = p->order[k] == p->loop_head ? p->row[p->round] :
								     ir_create_block(r).id;
	for (uint32_t k = 0; k < p->norder && !r->failed; k++) {
		struct ir_bb bb = r->bb[p->order[k]];

		ir_begin_block(r, (ir_block){p->copy[p->order[k]]});
		for (uint32_t id = bb.first; id < bb.first + bb.count && !r->failed; id++)
			if (!is_spared(p, id))
				p->new_id[id] = ir_append(r, in_copy(p, id)).id;
	}
}

/* Is the address a register, with or without a constant? */
static bool is_by_register(const struct ir_region *r, uint32_t addr)
{
	const struct ir_inst *i = &r->inst[addr];

	while (i->op == IR_ADD) {
		unsigned k = r->inst[i->arg[0]].op == IR_CONST;

		if (r->inst[i->arg[!k]].op != IR_CONST)
			return false;
		i = &r->inst[i->arg[k]];
	}
	return i->op == IR_GET;
}

/* How many rounds of so many instructions are to lie in a row. */
static uint32_t rounds_in_row(const struct peel *p, uint32_t insts)
{
	const struct ir_region *r = p->r;
	uint32_t n = ROW_MAX;

	for (uint32_t id = 0; id < p->ninst; id++) {
		const struct ir_inst *i = &r->inst[id];

		if (!p->in[p->block[id]])
			continue;
		/* Beside a call, the rest of a round costs little. */
		if (i->op == IR_CALL)
			return 1;
		/*
		 * Accesses that step through memory would share checks from round to round, which are
		 * refused at the end of each page: so often that the region would have to do without any.
		 */
		if ((i->op == IR_LOAD || i->op == IR_STORE) && is_by_register(r, i->arg[0]))
			return 1;
	}
	while (n > 1 && (n * insts > ROW_INSTS || p->total + n * insts > ALL_INSTS))
		n /= 2;
	return n;
}

/* The first round goes on in the copy. */
static void leave_first(struct peel *p, uint32_t head)
{
	struct ir_region *r = p->r;

	for (uint32_t k = 0; k < p->norder; k++) {
		const struct ir_bb *bb = &r->bb[p->order[k]];
		struct ir_inst *i = &r->inst[bb->first + bb->count - 1];

		for (unsigned a = 1; a < 3; a++)
			if ((i->op == IR_BR || (i->op == IR_JUMP && a == 1)) && i->arg[a] == head)
				i->arg[a] = p->row[0];
	}
}

/* Does a branch lead to a block that does not lie behind it? Else there is no loop. */
static bool goes_back(const struct ir_region *r)
{
	for (uint32_t b = 0; b < r->nbb; b++) {
		const struct ir_bb *bb = &r->bb[b];
		uint32_t target[2];

		for (unsigned t = bb->count ? ir_targets(&r->inst[bb->first + bb->count - 1], target) : 0; t-- > 0;)
			if (r->bb[target[t]].first <= bb->first)
				return true;
	}
	return false;
}

void ir_peel(struct ir_region *r, bool all_poll)
{
	struct peel p = {.r = r, .all_poll = all_poll};
	struct scratch_mark mark;

	if (r->failed || !goes_back(r))
		return;
	mark = scratch_mark(r->scratch);
	/* Without memory, a region stays as it is. */
	if (!ir_cfg_init(&p.cfg, r) || !allot(&p))
		goto out;
	/* Inner loops lie behind the heads of those that they are in. */
	for (uint32_t k = p.cfg.nrpo; k-- > 0 && !r->failed;) {
		uint32_t head = p.cfg.rpo[k], insts;

		if (!ir_cfg_loop(&p.cfg, p.nbb, head, p.in, p.stack))
			continue;
		p.head[head] = true;
		add_ways_out(&p);
		insts = find_order(&p, head);
		if (!insts || insts > (r->hot ? HOT_LOOP : LOOP_INSTS) ||
		    p.total + insts > (r->hot ? HOT_ALL : ALL_INSTS) || is_named_outside(&p))
			continue;
		p.loop_head = head;
		p.nrow = rounds_in_row(&p, insts);
		p.total += p.nrow * insts;
		for (uint32_t n = 0; n < p.nrow; n++)
			p.row[n] = ir_create_block(r).id;
		for (p.round = 0; p.round < p.nrow && !r->failed; p.round++)
			copy_round(&p);
		if (!r->failed)
			leave_first(&p, head);
	}
out:
	scratch_release(r->scratch, mark);
}
