/*
 * Deferred comparisons: what finding them (defer.c, defer_flow.c) and making up for them (defer_make.c) share.
 */
#ifndef ANYKVM_JIT_X86_64_DEFER_H
#define ANYKVM_JIT_X86_64_DEFER_H

#include "ir/avail.h"
#include "jit/x86_64/gen.h"

#define SETS 64 /* that can be deferred in a region */

enum kind {
	COMPARE,  /* a SET of flags that may be deferred */
	OTHER,    /* another one of flags */
	CELL,     /* a SET of something else */
	CLOBBER,  /* all state may change; seen before */
	LOOK,     /* a stub may see state */
	SHOW,     /* code sees all state */
	READ,     /* of flags */
};

/* What matters here of one instruction. */
struct event {
	uint32_t id;
	uint8_t kind, cell, set; /* cell: of flags; set: number of the SET */
	bool steps;              /* CELL: to what it was, plus `step` */
	bool whole;              /* CELL: all eight bytes, to `value` */
	uint8_t size;            /* CELL, from `at` */
	uint32_t at, value;
	int64_t step;
	struct compared is;      /* COMPARE */
};

struct defer {
	struct gen *g;
	const struct ir_region *r;
	struct event *event;
	uint32_t nevents, *first; /* by block */
	uint32_t *end;
	struct compared *entry;   /* by block and cell of flags */
	uint32_t *offset;         /* by cell of the region, where it is even */
	uint8_t *live;            /* by block: cells that are seen before they are set */
	uint64_t *dirty;          /* by block: deferred SETs that may not have been made up for */
	uint64_t of_cell[DEFER_CELLS], wanted; /* SETs: of a cell; that are deferred */
	unsigned nsets;
	uint32_t set_id[SETS];
	float gain[SETS], alone[SETS], cost[DEFER_CELLS];
};

/* Can flags be made from that? */
static inline bool can_be_made(const struct compared *c)
{
	return c->op != IR_CONST && c->a.kind != SIDE_VALUE && c->b.kind != SIDE_VALUE;
}

/* Must flags be in memory before the code of an instruction? */
static inline bool defer_shows(const struct ir_inst *i)
{
	return ir_calls_with(i, IR_H_READS_STATE | IR_H_WRITES_STATE) ||
	       (ir_ends_block(i) && i->op != IR_BR && i->op != IR_JUMP);
}

/* ---- defer_flow.c ---- */

/* The cell of flags that overlaps some state; DEFER_CELLS: none. */
unsigned defer_cell_at(const struct gen *g, uint64_t off, unsigned size);
/* Events, SETs that could be deferred, and what that gains. False: out of memory. */
bool defer_find_events(struct defer *d);
/* What flags are the result of where blocks start. False: out of memory. */
bool defer_find_entries(struct defer *d);

/* What cells of flags are the result of, from before an event to behind it. */
void defer_step(const struct gen *g, struct compared *now, const struct event *e);

/* ---- defer.c ---- */

/* Cells to be made on the way to `to`, if `now` is before and SETs in `dirty` have not been made up for. */
uint32_t defer_on_edge(const struct defer *d, uint32_t to, uint64_t dirty);

#endif
