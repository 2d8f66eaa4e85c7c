/*
 * What the files of integer operations share (ops_int*.c): what is known of the flags, and each
 * other's functions.
 */
#ifndef ANYKVM_JIT_X86_64_OPS_INT_H
#define ANYKVM_JIT_X86_64_OPS_INT_H

#include "jit/x86_64/gen.h"

static inline bool w_of(const struct gen *g)
{
	return wide(inst_of(g, g->at));
}

/* The flags are, from here on, those of this. */
static inline void note_flags(struct gen *g, unsigned kind, uint32_t a, uint32_t b, bool w)
{
	g->flags.kind = kind;
	g->flags.a = a;
	g->flags.b = b;
	g->flags.w = w;
	a_note_flags(&g->a);
}

static inline bool flags_of(const struct gen *g, unsigned kind, uint32_t a, uint32_t b, bool w)
{
	return a_flags_hold(&g->a) && g->flags.kind == kind && g->flags.a == a && g->flags.b == b &&
	       g->flags.w == w;
}

static inline bool have_carry(const struct gen *g, uint32_t v)
{
	return a_flags_hold(&g->a) && g->flags.kind == FLAGS_CARRY && g->flags.a == v;
}

/* Is there a carry in the flags that nothing else has? */
static inline bool carry_pending(const struct gen *g)
{
	return a_flags_hold(&g->a) && g->flags.kind == FLAGS_CARRY && g->val[g->flags.a].in_flags;
}

/* ---- ops_int.c ---- */

/* op dst, operand b */
void int_alu_operand(struct gen *g, enum alu op, bool w, unsigned dst, uint32_t b);
/* Should the result start as a copy of b, not a? */
bool int_start_with_second(struct gen *g, uint32_t a, uint32_t b);

/* ---- ops_int_bits.c ---- */

void int_shift(struct gen *g, const struct ir_inst *i, enum shift op);
void int_count_zeros(struct gen *g, const struct ir_inst *i);
void int_extract(struct gen *g, const struct ir_inst *i);
/* dst &= mask; rcx is lost */
void int_and_mask(struct gen *g, bool w, unsigned dst, uint64_t mask);
void int_deposit(struct gen *g, const struct ir_inst *i);

/* ---- ops_int_mul.c ---- */

void int_multiply(struct gen *g, uint32_t a, uint32_t b);
void int_high_multiply(struct gen *g, const struct ir_inst *i);
void int_divide(struct gen *g, const struct ir_inst *i);

/* ---- ops_int_carry.c ---- */

/* CF := c, which is 0 or 1 */
void int_load_carry(struct gen *g, uint32_t c);
void int_add_with_carry(struct gen *g, const struct ir_inst *i);
void int_add_carry(struct gen *g, const struct ir_inst *i);

/* ---- ops_int_compare.c ---- */

void int_compare_value(struct gen *g, const struct ir_inst *i);
void int_compare_three(struct gen *g, const struct ir_inst *i);
void int_select(struct gen *g, const struct ir_inst *i);

#endif
