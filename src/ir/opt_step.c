/*
 * Addresses that step through memory: in a loop, those that are sums of registers and constants, where what a round
 * leaves in these registers is such a sum, too. The next access is near, or in the same page at least, so it may go
 * through a window of the TLB (opt_window.c). What follows pointers that it loads, or searches a table, does not step.
 *
 * Nothing but speed hangs on the answer.
 */
#include "ir/opt.h"

#include <string.h>

#include "ir/scratch.h"

#define TERMS_MAX 32 /* that are looked at in a sum */

struct steps {
	const struct ir_region *r;
	struct ir_cfg cfg;
	uint32_t *block; /* by instruction */
	uint32_t *sum;   /* by instruction: the result */
	bool *in;        /* by block: in the loop that is looked at, */
	bool *done;      /* in one that was */
	bool *odd;       /* by cell: the loop leaves something else there than a sum */
	uint32_t *stack;
	unsigned terms;
};

static bool allot(struct steps *s)
{
	const struct ir_region *r = s->r;
	struct ir_scratch *from = r->scratch;

	s->block = scratch_take(from, r->ninst, sizeof(*s->block));
	s->sum = scratch_take(from, r->ninst, sizeof(*s->sum));
	s->in = scratch_take(from, r->nbb, sizeof(*s->in));
	s->done = scratch_take(from, r->nbb, sizeof(*s->done));
	s->odd = scratch_take(from, state_ncells(r) + 4, sizeof(*s->odd));
	s->stack = scratch_take(from, r->nbb, sizeof(*s->stack));
	if (!s->block || !s->sum || !s->in || !s->done || !s->odd || !s->stack)
		return false;
	memset(s->sum, 0, r->ninst * sizeof(*s->sum));
	memset(s->done, 0, r->nbb * sizeof(*s->done));
	for (uint32_t b = 0; b < r->nbb; b++)
		for (uint32_t n = 0; n < r->bb[b].count; n++)
			s->block[r->bb[b].first + n] = b;
	return true;
}

static uint32_t mix(uint32_t n)
{
	n *= UINT32_C(0x9e3779b1);
	return n ^ n >> 15;
}

/* Is a value a sum of that kind? Adds what it is made of, but for constants, to *sum. */
static bool is_sum(struct steps *s, uint32_t v, uint32_t *sum)
{
	const struct ir_inst *i = &s->r->inst[v];

	if (i->op == IR_CONST)
		return true;
	if (!s->terms)
		return false;
	s->terms--;
	if (i->op == IR_GET) {
		*sum += mix(2 * state_first(i));
		return !s->in[s->block[v]] || !s->odd[state_first(i)];
	}
	if (!s->in[s->block[v]]) {
		*sum += mix(2 * v + 1);
		return true;
	}
	switch (i->op) {
	case IR_ADD:
	case IR_SUB:
		return is_sum(s, i->arg[0], sum) && is_sum(s, i->arg[1], sum);
	case IR_AND:
		/* as addresses of vectors are rounded down */
		return s->r->inst[i->arg[1]].op == IR_CONST && ~s->r->inst[i->arg[1]].imm < TLB_BLOCK_SIZE &&
		       is_sum(s, i->arg[0], sum);
	default:
		return false;
	}
}

static bool address_steps(struct steps *s, uint32_t v, uint32_t *sum)
{
	*sum = 0;
	s->terms = TERMS_MAX;
	return is_sum(s, v, sum);
}

/* What the loop leaves in cells. False: anything. */
static bool find_odd(struct steps *s)
{
	const struct ir_region *r = s->r;
	bool again = true;
	uint32_t sum;

	memset(s->odd, 0, state_ncells(r) * sizeof(*s->odd));
	while (again) {
		again = false;
		for (uint32_t id = 0; id < r->ninst; id++) {
			const struct ir_inst *i = &r->inst[id];

			if (!s->in[s->block[id]])
				continue;
			if (ir_clobbers_state(i))
				return false;
			if (i->op != IR_SET || s->odd[state_first(i)] || address_steps(s, i->arg[0], &sum))
				continue;
			for (unsigned c = 0; c < state_count((enum ir_type)i->type); c++)
				s->odd[state_first(i) + c] = true;
			again = true;
		}
	}
	return true;
}

static void look_at_loop(struct steps *s)
{
	const struct ir_region *r = s->r;
	bool known = find_odd(s);
	uint32_t sum;

	for (uint32_t id = 0; id < r->ninst; id++) {
		uint32_t b = s->block[id];
		enum ir_op op = (enum ir_op)r->inst[id].op;

		if (!s->in[b] || s->done[b] || (op != IR_LOAD && op != IR_STORE && op != IR_PROBE))
			continue;
		if (known && address_steps(s, r->inst[id].arg[0], &sum))
			s->sum[id] = sum ? sum : 1;
	}
	for (uint32_t b = 0; b < r->nbb; b++)
		s->done[b] |= s->in[b];
}

const uint32_t *opt_steps(const struct ir_region *r)
{
	struct steps s = {.r = r};
	bool any = false;

	if (!ir_cfg_init(&s.cfg, r) || !allot(&s))
		return NULL;
	/* Inner loops lie behind the heads of those that they are in. */
	for (uint32_t k = s.cfg.nrpo; k-- > 0;) {
		if (!ir_cfg_loop(&s.cfg, r->nbb, s.cfg.rpo[k], s.in, s.stack))
			continue;
		any = true;
		look_at_loop(&s);
	}
	return any ? s.sum : NULL;
}
