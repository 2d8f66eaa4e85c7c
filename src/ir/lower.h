/*
 * Lowering a region to threaded code: what its three parts share.
 *
 *   lower_plan.c  decides what needs no op of its own: reads of guest state that can stay there,
 *                 operations absorbed into their users, results delayed to where they are set
 *   lower_home.c  which values that are used in other blocks can stay in guest state
 *   lower_live.c  how long the others live
 *   lower_place.c gives out temporaries
 *   lower_emit.c  writes the ops
 *   lower_encode.c makes them dense
 *   lower.c       the frame of it all
 *
 * A position is an instruction's id. "View" is an operation that only names a part of its
 * operand's bytes (TRUNC32, VLO, VHI): it has no op and no place; what is said of a value's uses
 * is kept for the root under its views.
 */
#ifndef ANYKVM_IR_LOWER_H
#define ANYKVM_IR_LOWER_H

#include "ir/code.h"
#include "ir/op.h"
#include "ir/state.h"

#define NOWHERE UINT32_MAX

/* The conditions that handlers know, in the order of EACH_CONDITION in handlers_int.def. */
enum code_cond { COND_EQ, COND_LTS, COND_LES, COND_LTU, COND_LEU, COND_TEST, COND_NE };

struct cond {
	uint8_t kind; /* enum code_cond */
	bool is_32, is_imm, invert;
	uint32_t a, b; /* values; b not when is_imm */
	uint64_t imm;
};

enum fuse {
	FUSE_NONE,
	FUSE_ADDR_IMM, /* LOAD, STORE: address is value a + imm */
	FUSE_ADDR_SUM, /* address is a + b */
	FUSE_COND,     /* BR, SELECT: condition in lower->cond[index] */
	FUSE_CMP3,     /* OR: of a CMP3 (operand `index` of it) and another */
	FUSE_ROTL,     /* AND: with a constant, of a ROTL by a constant */
};

enum value_flags {
	VAL_GLOBAL = 1, /* used in another block than its own */
	VAL_SUNK = 2,   /* computed where it is set, not where it is defined */
	VAL_SET = 4,    /* of a SET: done by the definition of its value */
	VAL_TEMP = 8,   /* has a temporary */
	VAL_EARLY = 16, /* its temporary is taken from the start of the region on */
	VAL_STATE = 32, /* global, but all who read it find it in guest state */
	VAL_SIDE = 64,  /* needed even if nobody reads it */
};

struct value {
	uint32_t uses; /* by instructions that have not absorbed it */
	uint32_t last; /* the last position that reads it */
	uint32_t clob; /* GET, SET: where that state is next written in the block, or NOWHERE */
	uint32_t home; /* the first SET of it in its block, or 0 */
	uint32_t bb;   /* known when values cross blocks */
	uint32_t barrier; /* how many instructions from here on observe or clobber state */
	uint32_t index; /* by fuse */
	uint16_t loc;   /* where it is, as an operand */
	uint8_t flags;  /* enum value_flags */
	uint8_t fuse;   /* enum fuse */
};

ASSERT_SIZE(struct value, 32);

struct lower {
	const struct ir_region *r;
	uint32_t ncells;
	struct value *v;
	uint32_t *order; /* reachable or not, the blocks that exist, as they lie */
	uint32_t norder;
	bool crossing;      /* some values are used in other blocks than their own */
	uint32_t *cell;     /* scratch, one per cell of guest state */
	uint32_t *sink;     /* SETs that may have their values computed where they stand */
	uint32_t nsink;
	uint32_t *fuses;    /* what may absorb others, while the plan is made */
	uint32_t nfuses;
	struct cond *cond;
	uint32_t ncond;
	int err; /* positive errno */
};

static inline bool lower_is_view(const struct ir_inst *i)
{
	const uint64_t views = UINT64_C(1) << IR_TRUNC32 | UINT64_C(1) << IR_VLO |
			       UINT64_C(1) << IR_VHI;

	_Static_assert(IR_TRUNC32 < 64 && IR_VLO < 64 && IR_VHI < 64, "bits of a word");
	return i->op < 64 && (views >> i->op & 1);
}

/* The value whose bytes a value is a part of, and the distance in units. */
static inline uint32_t lower_root(const struct lower *l, uint32_t id, unsigned *delta)
{
	unsigned d = 0;

	for (; lower_is_view(&l->r->inst[id]); id = l->r->inst[id].arg[0]) {
		switch (l->r->inst[id].op) {
		case IR_TRUNC32:
			d += CODE_LOW;
			break;
		case IR_VHI:
			d += 2 - 2 * CODE_LOW;
			break;
		default:
			d += 2 * CODE_LOW;
			break;
		}
	}
	if (delta)
		*delta = d;
	return id;
}

/* Is it a constant known now? */
static inline bool lower_const(const struct lower *l, uint32_t id, uint64_t *c)
{
	const struct ir_inst *i = &l->r->inst[id];
	bool narrow = i->op == IR_TRUNC32;

	if (narrow)
		i = &l->r->inst[i->arg[0]];
	if (i->op != IR_CONST)
		return false;
	*c = narrow ? (uint32_t)i->imm : i->imm;
	return true;
}

static inline bool lower_needed(const struct lower *l, uint32_t id)
{
	return l->v[id].uses || (l->v[id].flags & VAL_SIDE);
}

/* The values that an instruction reads once it has absorbed others. At most 5. */
unsigned lower_leaves(const struct lower *l, uint32_t id, uint32_t *leaf);

/* How an absorbed address is made up: its first operand, the second or *imm. */
void lower_address(const struct lower *l, uint32_t add, uint32_t *a, uint32_t *b, uint64_t *imm);

void lower_plan(struct lower *l);
void lower_homes(struct lower *l);
void lower_liveness(struct lower *l);

/* From op `first` on, the guest instruction at pc (relative to env->base). */
struct lower_pc {
	uint64_t pc;
	uint32_t first;
};

/* Where a branch goes, to be filled in once all blocks have their ops. */
struct fixup {
	uint32_t op, block;
	bool second; /* field c, not d */
};

struct output {
	struct lower l;
	struct code_wide *op;
	uint32_t nop, cap_op;
	struct code_call *call; /* in the order of the ops that use them */
	uint32_t *call_op;
	uint32_t ncall, npc, nfix;
	struct lower_pc *pc;
	struct fixup *fix;
	uint32_t *block_op; /* by block: its first op */
	uint32_t *place;    /* by op: its slot in the end */
	uint64_t *block_pc; /* by block: guest pc at its start */
	uint32_t *pass;     /* by block: where it goes on if it does nothing but that, or NOWHERE */
	uint32_t *expire;   /* by position: head of a list of values, through next */
	uint32_t *next;
	uint64_t free_temps[IR_MAX_TEMPS / 64];
	uint16_t scratch[8]; /* temporaries of constants, until the op is written */
	unsigned nscratch;
	uint32_t position;
	uint32_t next_block; /* the one behind this in memory */
	bool passed_by;      /* nothing leads to this block any more */
	uint64_t guest_pc;
};

struct code_wide *lower_add_op(struct output *o, unsigned handler);

/* Where one is in the end who goes to a block. */
static inline uint32_t lower_end_of(const struct output *o, uint32_t block)
{
	while (o->pass[block] != NOWHERE)
		block = o->pass[block];
	return block;
}

/* The finished code. NULL with errno ENOMEM or E2BIG (lower_encode.c). */
struct ir_code *lower_encode(struct output *o, struct slab *slab, size_t front);

/* Write the ops of an instruction that is needed (lower_emit.c). */
void lower_put(struct output *o, uint32_t id);

/* Temporaries (lower_place.c). Out of them, E2BIG is noted and some number returned. */
uint16_t lower_take_temp(struct output *o);
void lower_give_temp(struct output *o, uint16_t loc);
void lower_place_in_temp(struct output *o, uint32_t id);

/* Take back the temporaries of values that are read at this position for the last time. */
void lower_expire_all(struct output *o);

static inline void lower_expire(struct output *o)
{
	if (o->expire[o->position] != NOWHERE)
		lower_expire_all(o);
}

/* Where a value is, as an operand. Constants get a temporary for the time of this op. */
uint16_t lower_operand(struct output *o, uint32_t id);

/* The same for its low 32 bits. */
uint16_t lower_low_operand(struct output *o, uint32_t id);

/* Where the result goes. Operands have been placed: their temporaries can be had again. */
uint16_t lower_result(struct output *o, uint32_t id);

/* Guest state of a GET or SET is read, in place, up to a position. */
static inline void lower_keep_until(struct output *o, uint32_t access, uint32_t last)
{
	const struct ir_inst *i = &o->l.r->inst[access];
	uint32_t *cell = &o->l.cell[state_first(i)];
	unsigned n = state_count((enum ir_type)i->type);

	for (unsigned c = 0; c < n; c++) {
		if (cell[c] < last)
			cell[c] = last;
	}
}

static inline uint16_t lower_state_operand(const struct ir_inst *i)
{
	return (uint16_t)(i->imm / CODE_UNIT);
}

/* Can what a GET reads stay where it is? If so it is there from now on. */
static inline bool lower_get_in_place(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	struct value *v = &o->l.v[id];

	if (!(v->flags & VAL_STATE) &&
	    (i->imm >= CODE_REACH || v->flags & VAL_GLOBAL || v->last > v->clob))
		return false;
	v->loc = lower_state_operand(i);
	lower_keep_until(o, id, v->last);
	return true;
}

#endif
