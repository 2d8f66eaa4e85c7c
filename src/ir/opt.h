/*
 * The optimiser: what its parts share.
 *
 *   opt.c          the passes in their order, and putting the result in place
 *   opt_peel.c     rounds of loops with code of their own, before all else and only where it is asked for
 *   opt_avail.c    which value each piece of guest state holds where a block starts
 *   opt_rewrite.c  one walk that writes the region anew: forwarding of guest state, common
 *                  subexpressions, simplification, branches
 *   opt_fold.c     operations on constants
 *   opt_facts.c    which bits of a value can be one, how far it is sign-extended
 *   opt_arith.c, opt_bits.c, opt_compare.c, opt_vector.c    algebra
 *   opt_share.c    one check of the TLB for accesses near each other
 *   opt_early.c    in loops, checks before the first instruction of their block
 *   opt_window.c   windows of the TLB for tables, and for what steps through memory (opt_step.c)
 *   opt_dead.c     writes of guest state that nobody sees, values that nobody uses
 *
 * Simplification happens while an instruction is built (opt_value): an operation comes in, and
 * the value that stands for it comes out, be it a constant, an older value or a new
 * instruction. Ids are those of the new region, unless they are called old.
 */
#ifndef ANYKVM_IR_OPT_H
#define ANYKVM_IR_OPT_H

#include "ir/avail.h"
#include "ir/cfg.h"
#include "ir/op.h"
#include "ir/state.h"

/* What is known of an integer value. */
struct fact {
	uint64_t ones; /* bits that can be one */
	uint8_t sign;  /* the value is the sign extension of its low `sign` bits */
};

struct opt {
	struct ir_region *r; /* old */
	struct ir_cfg cfg;
	uint32_t ncells;
	uint32_t *entry; /* by block and cell: old value held there (avail.h) */
	uint32_t *order; /* blocks in the order in which they are rewritten and will lie */

	struct ir_inst *inst; /* new: the region's spare array */
	struct fact *fact;
	uint32_t *block; /* by new id */
	uint32_t *chain; /* by new id: next in its hash chain */
	uint32_t ninst, cap;
	struct ir_bb *bb; /* new, by block */
	uint32_t *new_id; /* by old id */
	uint32_t *bucket;
	uint32_t bucket_mask;
	uint32_t cur;    /* block being written */
	bool *entered;   /* by block: some branch to it was written */
	uint32_t *state; /* by cell: new value it holds, or AVAIL_NONE */
	bool failed;     /* out of memory */
};

/* The region's other array, where it is written anew, with room for so many instructions; NULL: out of memory. */
struct ir_inst *opt_spare(struct ir_region *r, uint32_t count);
/* So many are there now: that is the region. */
void opt_use_spare(struct ir_region *r, uint32_t count);

/* The new region from the old. */
void opt_rewrite(struct opt *o);

/* The value of a pure operation on new values. */
uint32_t opt_value(struct opt *o, struct ir_inst i);

/* Write an instruction as it is. */
uint32_t opt_append(struct opt *o, const struct ir_inst *i);

void opt_learn(struct opt *o, uint32_t id);

/* Constant results; false when the operation is not one of those. c: constant operands. */
bool opt_fold(const struct ir_inst *i, const uint64_t c[3], uint64_t *result);

/*
 * Algebra. An operation is replaced by a value, changed in place into a simpler one that is to
 * be looked at again, or cannot be improved.
 */
enum simpler { AS_IT_IS, CHANGED, REPLACED };

enum simpler opt_arith(struct opt *o, struct ir_inst *i, uint32_t *value);
enum simpler opt_bits(struct opt *o, struct ir_inst *i, uint32_t *value);
enum simpler opt_compare(struct opt *o, struct ir_inst *i, uint32_t *value);
enum simpler opt_vector(struct opt *o, struct ir_inst *i, uint32_t *value);

/* Does the operation leave the low n bits of its (first) operand alone? */
bool opt_keeps_low(const struct opt *o, uint32_t id, unsigned n);

/* The condition of a branch: may swap its targets. False: it is a constant, *always is which. */
bool opt_branch(struct opt *o, struct ir_inst *br, bool *always);

/*
 * Let accesses share checks, if there is memory for that; without `probes`, only give them displacements. Dead instructions
 * are left behind.
 */
void opt_share(struct ir_region *r, bool probes);

/* In loops, have PROBEs stand where blocks begin, if writes of guest state die by that. Behind opt_share. */
void opt_early(struct ir_region *r);

/* Choose windows of the TLB for accesses to tables, and for those that step. */
void opt_window(struct ir_region *r);

/*
 * By instruction: for accesses whose addresses step, what these are made of, as a number that is the same where they differ
 * by constants; 0 for others. NULL: there are none, or there is no memory. In the region's scratch memory.
 */
const uint32_t *opt_steps(const struct ir_region *r);

/* Remove dead instructions from a region in place, if there is memory for that. */
void opt_dead(struct ir_region *r);

/* For the algebra. */

static inline bool opt_const(const struct opt *o, uint32_t id, uint64_t *c)
{
	*c = o->inst[id].imm;
	return o->inst[id].op == IR_CONST;
}

static inline bool opt_is(const struct opt *o, uint32_t id, uint64_t c)
{
	return o->inst[id].op == IR_CONST && o->inst[id].imm == c;
}

static inline uint64_t opt_ones(const struct opt *o, uint32_t id)
{
	return o->fact[id].ones;
}

static inline enum ir_type opt_type(const struct opt *o, uint32_t id)
{
	return (enum ir_type)o->inst[id].type;
}

static inline uint32_t opt_make_const(struct opt *o, enum ir_type t, uint64_t c)
{
	return opt_value(o, (struct ir_inst){.op = IR_CONST,
					     .type = t,
					     .arg = {IR_NO_VAL, IR_NO_VAL, IR_NO_VAL, IR_NO_VAL},
					     .imm = c & ir_low_mask(ir_type_bits(t))});
}

static inline uint32_t opt_make_un(struct opt *o, enum ir_op op, enum ir_type t, uint32_t a)
{
	return opt_value(
		o,
		(struct ir_inst){.op = op, .type = t, .arg = {a, IR_NO_VAL, IR_NO_VAL, IR_NO_VAL}});
}

static inline uint32_t opt_make_bin(struct opt *o, enum ir_op op, enum ir_type t, uint32_t a,
				    uint32_t b)
{
	return opt_value(
		o, (struct ir_inst){.op = op, .type = t, .arg = {a, b, IR_NO_VAL, IR_NO_VAL}});
}

static inline uint32_t opt_make_compare(struct opt *o, enum ir_op op, uint32_t a, uint32_t b)
{
	return opt_value(o, (struct ir_inst){.op = op,
					     .type = IR_I64,
					     .aux = o->inst[a].type,
					     .arg = {a, b, IR_NO_VAL, IR_NO_VAL}});
}

static inline uint32_t opt_make_field(struct opt *o, uint32_t a, unsigned pos, unsigned len)
{
	return opt_value(o, (struct ir_inst){.op = IR_EXTRACT,
					     .type = o->inst[a].type,
					     .arg = {a, IR_NO_VAL, IR_NO_VAL, IR_NO_VAL},
					     .imm = pos | len << 8});
}

/* Change i in place. */
static inline enum simpler opt_to_un(struct ir_inst *i, enum ir_op op, uint32_t a)
{
	i->op = op;
	i->arg[0] = a;
	i->arg[1] = i->arg[2] = IR_NO_VAL;
	i->imm = 0;
	i->aux = 0;
	return CHANGED;
}

static inline enum simpler opt_to_bin(struct ir_inst *i, enum ir_op op, uint32_t a, uint32_t b)
{
	opt_to_un(i, op, a);
	i->arg[1] = b;
	return CHANGED;
}

static inline enum simpler opt_to_field(struct ir_inst *i, uint32_t a, unsigned pos, unsigned len)
{
	opt_to_un(i, IR_EXTRACT, a);
	i->imm = pos | len << 8;
	return CHANGED;
}

static inline enum simpler opt_to_const(struct opt *o, const struct ir_inst *i, uint64_t c,
					uint32_t *value)
{
	*value = opt_make_const(o, (enum ir_type)i->type, c);
	return REPLACED;
}

static inline enum simpler opt_to_value(uint32_t v, uint32_t *value)
{
	*value = v;
	return REPLACED;
}

#endif
