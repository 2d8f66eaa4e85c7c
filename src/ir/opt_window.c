/*
 * Windows of the TLB (mem/tlb.h) for tables: accesses at an address and a small number, that comes from a byte of
 * memory or has been cut out of something. Where the table lies is mostly the same, and the number is known
 * late: what waits for the entry should not wait for a look into the TLB, too, which depends on it.
 *
 * And for what is reached from state that points to the same memory for long, as a stack pointer does:
 * a hit is five instructions there, where one in the TLB is seven or eight.
 *
 * And for what steps through memory in loops (opt_step.c), where back ends may keep a window in registers. There a guest
 * instruction has one window in all copies that were made of it, and what is at the same sum of registers has the same.
 *
 * Nothing but speed hangs on the choice. Any access may go through any window of its kind.
 */
#include "ir/opt.h"

/* Of an entry's number; an entry has at most 2^SCALE_MAX bytes. */
#define SMALL_BITS 13
#define SCALE_MAX  4

/* Windows of a kind. The others are each of one piece of steady state. */
#define OF_TABLES (TLB_WINDOWS_OF_KIND - IR_STEADY)

/* What the addresses of a window are made from. */
struct made_from {
	uint32_t base; /* IR_NO_VAL: they step */
	uint32_t sum;
	uint64_t pc;
};

struct windows {
	const struct ir_inst *inst;
	const uint32_t *steady;
	const uint32_t *steps; /* NULL */
	uint64_t pc;
	struct made_from of[TLB_WINDOWS];
	unsigned count[3]; /* of windows, by kind */
	unsigned first;
};

static bool is_const(const struct windows *w, uint32_t id, uint64_t low, uint64_t high)
{
	return w->inst[id].op == IR_CONST && w->inst[id].imm >= low && w->inst[id].imm <= high;
}

/* Has it few bits? */
static bool is_small(const struct windows *w, const struct ir_inst *i)
{
	unsigned bits = ir_type_bits((enum ir_type)i->type);

	switch (i->op) {
	case IR_LOAD:
	case IR_LOAD_HOST:
		return i->type != IR_V128 && ir_memop_of(i).size == 1 && !ir_memop_of(i).sign_extend;
	case IR_EXTRACT:
		return ir_field_len(i) <= SMALL_BITS;
	case IR_ZEXT8:
		return true;
	case IR_AND:
		return is_const(w, i->arg[1], 0, (1 << SMALL_BITS) - 1);
	case IR_SHR:
		return is_const(w, i->arg[1], bits - SMALL_BITS, bits - 1);
	default:
		return false;
	}
}

/*
 * Is it the offset of an entry of a table? The front end may have shifted first, and masked then.
 */
static bool is_offset(const struct windows *w, uint32_t id)
{
	const struct ir_inst *i = &w->inst[id];

	if (i->op == IR_AND && is_const(w, i->arg[1], 0, (1 << (SMALL_BITS + SCALE_MAX)) - 1))
		return true;
	if (i->op == IR_SHL && is_const(w, i->arg[1], 0, SCALE_MAX)) {
		bool scaled = w->inst[i->arg[1]].imm;

		i = &w->inst[i->arg[0]];
		/* Under a mask that is in a register: of tables whose sizes are powers of two. */
		if (scaled && i->op == IR_AND && w->inst[i->arg[1]].op != IR_CONST)
			return true;
	}
	return is_small(w, i);
}

/* Do two go through one window? */
static bool together(const struct made_from *a, const struct made_from *b)
{
	if (a->base != b->base)
		return false;
	return a->base != IR_NO_VAL || a->pc == b->pc || a->sum == b->sum;
}

/* A window for accesses at what is made so, plus 1; 0: there is none left. */
static unsigned window_for(struct windows *w, struct made_from from, enum tlb_window_kind kind)
{
	struct made_from *known = &w->of[kind * TLB_WINDOWS_OF_KIND];
	unsigned n = 0;

	while (n < w->count[kind] && !together(&known[n], &from))
		n++;
	if (n == OF_TABLES)
		return 0;
	if (n == w->count[kind])
		known[w->count[kind]++] = from;
	return (w->first + n) % OF_TABLES + kind * TLB_WINDOWS_OF_KIND + 1;
}

/*
 * The same for accesses off state that is steady: a window that is nobody else's. What is stored to there, a stack, is
 * loaded from, too: one window serves both.
 */
static unsigned steady_window(const struct windows *w, const struct ir_inst *base, enum tlb_window_kind kind)
{
	if (kind == TLB_WINDOW_WRITE)
		kind = TLB_WINDOW_BOTH;
	for (unsigned n = 0; n < IR_STEADY; n++)
		if (w->steady[n] && base->op == IR_GET && base->imm == w->steady[n])
			return OF_TABLES + n + kind * TLB_WINDOWS_OF_KIND + 1;
	return 0;
}

/* The table that an address is in, at a small number; IR_NO_VAL. */
static uint32_t table_of(const struct windows *w, const struct ir_inst *sum)
{
	if (sum->op != IR_ADD)
		return IR_NO_VAL;
	if (is_offset(w, sum->arg[0]))
		return sum->arg[1];
	return is_offset(w, sum->arg[1]) ? sum->arg[0] : IR_NO_VAL;
}

static void look_at(struct windows *w, uint32_t id, struct ir_inst *i)
{
	struct made_from from = {.pc = w->pc};
	enum tlb_window_kind kind;
	unsigned span, window;

	if (i->op == IR_INSN) {
		w->pc = i->imm;
		return;
	}
	if (i->op == IR_PROBE) {
		struct ir_probe p = ir_probe_of(i->imm, i->aux);

		span = (unsigned)(p.high - p.low);
		/* Not its own instruction's: nobody else's. */
		if (!p.size)
			from.pc = ~(uint64_t)id;
	} else if (i->op == IR_LOAD || i->op == IR_STORE) {
		span = ir_memop_of(i).size;
		if (ir_memop_of(i).aligned)
			return;
	} else {
		return;
	}
	if (tlb_span(span) >= TLB_SPANS)
		return;
	kind = ir_window_kind(i);
	window = steady_window(w, &w->inst[i->arg[0]], kind);
	if (!window) {
		from.base = table_of(w, &w->inst[i->arg[0]]);
		from.sum = w->steps ? w->steps[id] : 0;
		if (from.base == IR_NO_VAL && !from.sum)
			return;
		window = window_for(w, from, kind);
	}
	i->imm = ir_with_window(i->imm, (enum ir_op)i->op, window);
}

/* Those of other regions are mostly others. */
static unsigned first_window(const struct ir_region *r)
{
	for (uint32_t id = 0; id < r->ninst; id++)
		if (r->inst[id].op == IR_INSN)
			return (uint32_t)(r->inst[id].imm >> 2 & 0x3ff) * UINT32_C(0x9e3779b1) >> 16;
	return 0;
}

void opt_window(struct ir_region *r)
{
	struct windows w = {
		.inst = r->inst,
		.steady = r->steady,
		.steps = opt_steps(r),
		.first = first_window(r),
	};

	for (uint32_t id = 0; id < r->ninst; id++)
		look_at(&w, id, &r->inst[id]);
}
