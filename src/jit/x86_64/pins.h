/*
 * Choosing pins (pins.c): what is known of the cells of guest state that may become pins.
 */
#ifndef ANYKVM_JIT_X86_64_PINS_H
#define ANYKVM_JIT_X86_64_PINS_H

#include "ir/state.h"
#include "jit/x86_64/gen.h"

#define CANDIDATES 64
#define NONE       0xff

/* Members of a window of the TLB that may become pins: minus, addend. */
#define WINDOW_PINS 2

/* Of one block, by candidate. */
struct flow {
	uint64_t read;    /* or written back, before it is written */
	uint64_t written; /* for what comes later in the block, or in others */
	uint64_t named;
	uint64_t live;    /* at its start */
	uint64_t dirty;   /* the same */
	uint64_t made, kept; /* dirty at its end: made, or dirty at its start and kept */
	uint64_t enter;   /* of windows: loaded at its start, for a loop that it leads to */
	uint64_t clean;   /* written back at its end, if dirty: for a loop that it leads to */
	uint64_t fetch;   /* loaded at its end */
	uint64_t real;    /* live at its start, and be it that nobody looks at guest state */
	bool in_loop;
	uint16_t pressure[2]; /* by kind */
};

enum { GPR, XMM, KINDS };

struct choice {
	struct gen *g;
	const struct ir_region *r;
	const struct ir_cfg *cfg;
	uint8_t *of_cell; /* candidate, NONE */
	uint8_t of_window[TLB_WINDOWS][WINDOW_PINS]; /* the same */
	uint32_t offset[CANDIDATES];
	float gain[CANDIDATES];
	uint8_t order[KINDS][MAX_PINS]; /* the best, by gain */
	unsigned n, count[KINDS]; /* count: of order */
	uint64_t bad, top, xmm, vec; /* xmm: those that are to be in one, of which `vec` are V128 */
	uint8_t *line;        /* what names a line of state: LINE_* */
	struct flow *flow;
	float calls; /* runs of calls */
};

static inline uint64_t bit(unsigned candidate)
{
	return candidate == NONE ? 0 : UINT64_C(1) << candidate;
}

enum { LINE_VECTOR = 1, LINE_PART = 2, LINE_CONST = 4 };

static inline bool is_access(const struct ir_inst *i)
{
	return i->op == IR_GET || i->op == IR_SET;
}

static inline unsigned named_by(const struct choice *c, const struct ir_inst *i)
{
	return is_access(i) ? c->of_cell[state_first(i)] : NONE;
}

/* Where a vector constant is written, perhaps both halves. */
static inline uint64_t named_set(const struct choice *c, const struct ir_inst *i)
{
	uint64_t set = bit(named_by(c, i));

	return is_access(i) && i->type == IR_V128 ? set | bit(c->of_cell[state_first(i) + 2]) : set;
}

static inline bool is_call(const struct ir_inst *i, unsigned flags)
{
	return ir_calls_with(i, flags) && !ir_helper_of(i)->intrinsic;
}

/* A call that writes pins back and, for now, is not expanded. */
static inline bool is_seeing_call(const struct ir_inst *i)
{
	return is_call(i, IR_H_READS_STATE | IR_H_WRITES_STATE | IR_H_FAULTS);
}

/* The window that an access goes through, plus 1; 0. */
static inline unsigned window_of(const struct ir_inst *i)
{
	return i->op == IR_LOAD || i->op == IR_STORE || i->op == IR_PROBE ? ir_window_of(i->imm, (enum ir_op)i->op) : 0;
}

/* What an access reads of its window, if it is in a loop. */
static inline uint64_t window_set(const struct choice *c, uint32_t b, const struct ir_inst *i)
{
	unsigned window = c->flow[b].in_loop ? window_of(i) : 0;
	uint64_t set = 0;

	for (unsigned n = 0; window && n < WINDOW_PINS; n++)
		set |= bit(c->of_window[window - 1][n]);
	return set;
}

/* Does it need guest state in memory, if only where it goes wrong? */
static inline bool observes(const struct ir_inst *i)
{
	return ir_observes_state(i) || (ir_ends_block(i) && i->op != IR_BR && i->op != IR_JUMP);
}

/* What is newer than memory at the end of a block, but for what is written back there. */
static inline uint64_t pins_dirty_end(const struct flow *f)
{
	return (f->dirty & f->kept) | f->made;
}

/* ---- pins_loop.c ---- */

/* Makes those windows candidates that accesses in loops go through, and sets flow.enter. Without memory, there are none. */
void pins_find_windows(struct choice *c);
/* Sets flow.clean and flow.fetch, given what is live and dirty, and finds that anew. */
void pins_relieve(struct choice *c);

/* ---- pins_flow.c ---- */

/* Fills all but gains, order and pressure. */
void pins_flow(struct choice *c);

/* Candidates that an instruction of block b reads as values of other blocks. */
uint64_t pins_foreign(const struct choice *c, uint32_t b, const struct ir_inst *i);

/* What is newer than memory behind an instruction, if `dirty` was before it. */
uint64_t pins_dirty_after(const struct choice *c, const struct ir_inst *i, uint64_t dirty);

/* Which candidates are dirty where; and live, given that. seen: who looks at guest state uses them, too. */
void pins_find_dirty(struct choice *c);
void pins_find_live(struct choice *c, bool seen);

/* Candidates that would be in their registers somewhere in a block. */
uint64_t pins_taken_in(const struct choice *c, uint32_t b);

#endif
