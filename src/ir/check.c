/*
 * Is a region well formed? Each function here gives NULL or the sentence that says what is wrong.
 */
#include <string.h>

#include "ir/cfg.h"
#include "ir/op.h"
#include "ir/scratch.h"
#include "ir/state.h"

static bool is_int(unsigned type)
{
	return type == IR_I32 || type == IR_I64;
}

static bool is_comparison(const struct ir_inst *i)
{
	return i->op >= IR_EQ && i->op <= IR_CMP3U;
}

/* What type operand k must have: one, or IR_NONE for any integer. */
static enum ir_type operand_type(const struct ir_inst *i, unsigned k)
{
	switch (i->op) {
	case IR_ADDC:
		return k == 2 ? IR_NONE : (enum ir_type)i->type;
	case IR_ADDCARRY:
		return k == 2 ? IR_NONE : (enum ir_type)i->aux;
	case IR_EQ:
	case IR_NE:
	case IR_LTS:
	case IR_LES:
	case IR_LTU:
	case IR_LEU:
	case IR_CMP3S:
	case IR_CMP3U:
		return i->aux == IR_I32 ? IR_NONE : (enum ir_type)i->aux;
	case IR_SEXT32:
	case IR_ZEXT32:
	case IR_BR:
		return IR_NONE;
	case IR_TRUNC32:
	case IR_VMAKE:
	case IR_VDUP:
	case IR_PROBE:
	case IR_EXIT_INDIRECT:
		return IR_I64;
	case IR_VHI:
	case IR_VLO:
		return IR_V128;
	case IR_SELECT:
	case IR_LOAD:
	case IR_STORE:
	case IR_CAS:
	case IR_RMW:
	case IR_LOAD_HOST:
	case IR_STORE_HOST:
		return k == 0 ? IR_I64 : (enum ir_type)i->type;
	case IR_CALL:
		return ir_helper_of(i)->arg[k];
	default:
		return i->type;
	}
}

static const char *check_result(const struct ir_inst *i)
{
	const char *wrong = "an instruction has a result type that its operation does not give";

	switch (ir_op_info[i->op].result) {
	case 'L':
		return i->type == IR_I64 ? NULL : wrong;
	case 'W':
		return i->type == IR_I32 ? NULL : wrong;
	case 'X':
		return i->type == IR_V128 ? NULL : wrong;
	case 'T':
		if (i->op == IR_CALL)
			return i->type == ir_helper_of(i)->result ? NULL : wrong;
		if (i->op == IR_GET || i->op == IR_SELECT || i->op == IR_LOAD_HOST ||
		    (i->op >= IR_LOAD && i->op <= IR_RMW))
			return i->type != IR_NONE && i->type <= IR_V128 ? NULL : wrong;
		return is_int(i->type) ? NULL : wrong;
	default:
		return NULL;
	}
}

static bool wrong_window(const struct ir_inst *i)
{
	unsigned window = ir_window_of(i->imm, (enum ir_op)i->op);
	enum tlb_window_kind kind;

	if (!window)
		return false;
	kind = tlb_window_kind(window - 1);
	return window > TLB_WINDOWS || (kind != ir_window_kind(i) && kind != TLB_WINDOW_BOTH);
}

static const char *check_memop(const struct ir_inst *i)
{
	struct ir_memop m = ir_memop_of(i);

	if (!m.size || m.size > 16 || (m.size & (m.size - 1)))
		return "a memory access has a size that is not 1, 2, 4, 8 or 16";
	if ((m.size == 16) != (i->type == IR_V128))
		return "a memory access of 16 bytes and its type do not go together";
	if (m.size > ir_type_size(i->type))
		return "a memory access is wider than its value";
	if ((i->op == IR_LOAD || i->op == IR_STORE) && wrong_window(i))
		return "a window that is not there, or of the wrong kind";
	if (i->op == IR_RMW && i->aux > IR_RMW_MINS)
		return "an atomic operation of an unknown kind";
	return NULL;
}

static const char *check_probe(const struct ir_inst *i)
{
	struct ir_probe p = ir_probe_of(i->imm, i->aux);

	if (i->aux > 7 || (p.kind != MEM_READ && p.kind != MEM_WRITE))
		return "a probe for an access of an unknown kind";
	if (p.size > 16 || p.low > p.at || p.high < p.at + p.size ||
	    p.low >= p.high || p.high - p.low > IR_PROBE_MAX)
		return "a probe that does not span its access, or too much";
	if (wrong_window(i) ||
	    (ir_window_of(i->imm, IR_PROBE) && tlb_span((unsigned)(p.high - p.low)) >= TLB_SPANS))
		return "a window that is not there, of the wrong kind, or not for so large a probe";
	return NULL;
}

static const char *check_helper(const struct ir_helper *h)
{
	if (!h || !h->fn || h->nargs > 4)
		return "a call has no helper, or one with too many operands";
	if ((h->flags & IR_H_DOOR) && !(h->flags & IR_H_WRITES_STATE))
		return "a helper changes the door, but no state";
	if ((h->flags & IR_H_PURE) && (h->flags & ~IR_H_FLOAT) != IR_H_PURE)
		return "a helper that is called pure has other effects";
	return NULL;
}

static const char *check_imm(const struct ir_region *r, const struct ir_inst *i)
{
	switch (i->op) {
	case IR_CONST:
		if (i->type == IR_I32 && i->imm > UINT32_MAX)
			return "a 32-bit constant has more bits";
		return NULL;
	case IR_VCONST:
		return i->imm < r->nvconst ? NULL : "a vector constant does not exist";
	case IR_GET:
	case IR_SET:
		if (i->type == IR_NONE || i->imm % ir_type_size(i->type))
			return "guest state at an offset that is not aligned";
		if (i->imm < sizeof(union ir_slot) * IR_MAX_TEMPS || i->imm > UINT32_MAX)
			return "guest state at an offset that is the executor's";
		if (state_first(i) >= state_ncells(r) || state_first(i) % 4 != i->imm % 16 / 4)
			return "guest state without a number";
		return NULL;
	case IR_EXTRACT:
	case IR_DEPOSIT:
		if (!ir_field_len(i) || ir_field_pos(i) + ir_field_len(i) > ir_type_bits(i->type))
			return "a field that does not lie in its value";
		return NULL;
	case IR_VSPLAT:
		return i->aux < 4 && i->imm < 16u >> i->aux ? NULL : "a lane that does not exist";
	case IR_LOAD:
	case IR_STORE:
	case IR_CAS:
	case IR_RMW:
	case IR_LOAD_HOST:
	case IR_STORE_HOST:
		return check_memop(i);
	case IR_PROBE:
		return check_probe(i);
	case IR_POLL:
		return i->aux ? NULL : "a poll with no instruction to go on at";
	case IR_EXIT_DIRECT:
		return i->aux < r->nexit ? NULL : "an exit with a number that was not given out";
	default:
		if (ir_op_info[i->op].result == 'X' && i->aux > IR_V128)
			return "a lane size that does not exist";
		return NULL;
	}
}

static const char *check_targets(const struct ir_region *r, const struct ir_inst *i)
{
	uint32_t target[2];
	unsigned n = ir_targets(i, target);

	for (unsigned k = 0; k < n; k++) {
		if (target[k] >= r->nbb || !r->bb[target[k]].count)
			return "a branch to a block that was never begun";
	}
	return NULL;
}

/* All that can be said of an instruction by itself and its operands. */
static const char *check_inst(const struct ir_region *r, uint32_t id)
{
	const struct ir_inst *i = &r->inst[id];
	const char *e;

	if (i->op >= IR_OP_COUNT)
		return "an unknown operation";
	if (i->op == IR_CALL) {
		e = check_helper(ir_helper_of(i));
		if (e)
			return e;
	}
	if (i->op == IR_ADDCARRY || is_comparison(i)) {
		if (!is_int(i->aux))
			return "a comparison of values that are no integers";
	}
	for (unsigned k = 0; k < ir_nargs(i); k++) {
		enum ir_type want = operand_type(i, k), have;

		if (i->arg[k] >= id)
			return "an operand that is not defined before its use";
		have = (enum ir_type)r->inst[i->arg[k]].type;
		if (ir_op_info[r->inst[i->arg[k]].op].result == 'V' || have == IR_NONE)
			return "an operand that has no value";
		if (want == IR_NONE ? !is_int(have) : have != want)
			return "an operand of the wrong type";
	}
	e = check_result(i);
	if (!e)
		e = check_imm(r, i);
	return e ? e : check_targets(r, i);
}

/* Blocks lie without gaps and end where they should. start: scratch, by instruction. */
static const char *check_blocks(const struct ir_region *r, uint32_t *block_of)
{
	uint32_t at = 0;

	if (!r->nbb || !r->bb[0].count || r->bb[0].first)
		return "the first block is not the entry";
	memset(block_of, 0xff, r->ninst * sizeof(*block_of));
	for (uint32_t b = 0; b < r->nbb; b++) {
		if (!r->bb[b].count)
			continue;
		if (r->bb[b].first >= r->ninst || r->bb[b].count > r->ninst - r->bb[b].first ||
		    block_of[r->bb[b].first] != UINT32_MAX)
			return "a block outside the region, or over another";
		block_of[r->bb[b].first] = b;
	}
	while (at < r->ninst) {
		uint32_t b = block_of[at];

		if (b == UINT32_MAX)
			return "instructions that belong to no block";
		for (uint32_t end = at + r->bb[b].count; at < end; at++) {
			if (block_of[at] != UINT32_MAX && at != r->bb[b].first)
				return "a block over another";
			block_of[at] = b;
			if (ir_ends_block(&r->inst[at]) != (at + 1 == end))
				return "a block without an end, or with one in its middle";
		}
	}
	return NULL;
}

static const char *check_dominance(const struct ir_region *r, const struct ir_cfg *g,
				   const uint32_t *block_of)
{
	for (uint32_t id = 0; id < r->ninst; id++) {
		const struct ir_inst *i = &r->inst[id];

		if (g->number[block_of[id]] == CFG_NONE)
			continue;
		for (unsigned k = 0; k < ir_nargs(i); k++) {
			uint32_t from = block_of[i->arg[k]];

			if (g->number[from] == CFG_NONE || !ir_cfg_dominates(g, from, block_of[id]))
				return "an operand from a block that does not always run before";
		}
	}
	return NULL;
}

/* What is known, where a block starts, of the guest instruction that it continues. */
struct progress {
	bool known, many; /* which instruction it is: one, or not the same from everywhere */
	bool partial;     /* partial results may stay */
	bool dirty;       /* some predecessor has set guest state in it */
	uint64_t pc;
};

static void merge(struct progress *to, const struct progress *from, bool *changed)
{
	struct progress p = *to;

	if (from->known && !p.known) {
		p.known = true;
		p.pc = from->pc;
	}
	p.many |= from->many || (from->known && from->pc != p.pc);
	p.partial |= from->partial;
	p.dirty |= from->dirty;
	if (p.known != to->known || p.many != to->many || p.partial != to->partial ||
	    p.dirty != to->dirty) {
		*to = p;
		*changed = true;
	}
}

/* Through one block; p goes from its start to its end. */
static const char *walk(const struct ir_region *r, uint32_t b, struct progress *p)
{
	for (uint32_t id = r->bb[b].first; id < r->bb[b].first + r->bb[b].count; id++) {
		const struct ir_inst *i = &r->inst[id];

		if (i->op == IR_INSN) {
			*p = (struct progress){.known = true, .pc = i->imm, .partial = i->aux};
		} else if (i->op == IR_SET) {
			p->dirty = !p->partial;
		} else if (ir_may_fault(i)) {
			if (!p->known || p->many)
				return "an instruction that may fault, and no guest instruction";
			if (p->dirty)
				return "an instruction that may fault after a SET of the same "
				       "guest instruction";
		}
	}
	return NULL;
}

/* Precise exceptions: along all paths, till nothing new is learned. */
static const char *check_exceptions(const struct ir_region *r, const struct ir_cfg *g)
{
	struct progress *start = scratch_take(r->scratch, r->nbb, sizeof(*start));
	const char *e = start ? NULL : "out of memory while checking";
	bool changed = true;

	if (!start)
		return e;
	memset(start, 0, r->nbb * sizeof(*start));
	/* Who enters the region is in no instruction yet. */
	start[0].many = true;
	while (!e && changed) {
		changed = false;
		for (uint32_t k = 0; !e && k < g->nrpo; k++) {
			uint32_t b = g->rpo[k], target[2];
			struct progress p = start[b];
			unsigned n =
				ir_targets(&r->inst[r->bb[b].first + r->bb[b].count - 1], target);

			/* Before the first round is over, a block may look as if it had no start.
			 */
			walk(r, b, &p);
			for (unsigned t = 0; t < n; t++)
				merge(&start[target[t]], &p, &changed);
		}
	}
	for (uint32_t k = 0; !e && k < g->nrpo; k++) {
		struct progress p = start[g->rpo[k]];

		e = walk(r, g->rpo[k], &p);
	}
	return e;
}

const char *ir_check(const struct ir_region *r)
{
	const char *e = NULL;
	struct ir_cfg g;
	struct scratch_mark mark;
	uint32_t *block_of;

	if (r->failed)
		return "the region was given up for want of memory";
	if (ir_block_open(r))
		return "the last block has no end";
	if (!r->ninst)
		return "the region is empty";
	for (uint32_t id = 0; !e && id < r->ninst; id++)
		e = check_inst(r, id);
	if (e)
		return e;
	mark = scratch_mark(r->scratch);
	block_of = scratch_take(r->scratch, r->ninst, sizeof(*block_of));
	if (!block_of)
		return "out of memory while checking";
	e = check_blocks(r, block_of);
	if (!e && !ir_cfg_init(&g, r)) {
		e = "out of memory while checking";
	} else if (!e) {
		e = check_dominance(r, &g, block_of);
		if (!e)
			e = check_exceptions(r, &g);
	}
	scratch_release(r->scratch, mark);
	return e;
}
