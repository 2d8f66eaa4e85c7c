/*
 * What the fixed-point and storage semantics share beside translate.h: carry, overflow and
 * summary overflow as the XER keeps them, and the small idioms that many rows are made of.
 */
#ifndef ANYKVM_CPU_POWER9_EMIT_COMMON_H
#define ANYKVM_CPU_POWER9_EMIT_COMMON_H

#include "cpu/power9/translate.h"

static inline ir_val p9_bin(struct p9_translator *t, enum ir_op op, ir_val a, ir_val b)
{
	return ir_bin(t->r, op, a, b);
}

static inline ir_val p9_bini(struct p9_translator *t, enum ir_op op, ir_val a, uint64_t b)
{
	return ir_bin(t->r, op, a, p9_i64(t, b));
}

static inline ir_val p9_un(struct p9_translator *t, enum ir_op op, ir_val a)
{
	return ir_un(t->r, op, a);
}

/* Record forms (Rc = 1) compare the result with zero. */
static inline void p9_record(struct p9_translator *t, const struct p9_insn *i, ir_val v)
{
	if (insn_Rc(i))
		p9_set_cr0(t, v);
}

/* CR field n, 0..15. */
ir_val p9_crf(struct p9_translator *t, unsigned n);

/* All of it; the low word is taken. */
ir_val p9_cr(struct p9_translator *t);
void p9_set_cr(struct p9_translator *t, ir_val v);

/* Bit n (0..31) of the CR, as 0 or 1. */
ir_val p9_cr_bit(struct p9_translator *t, unsigned n);

/* One of the XER's bits, which are kept apart: p9_xer_bit(t, ca). */
#define p9_xer_bit(t, name) ir_get_bits((t)->r, IR_I64, P9_OFF(name), 1)

/* The MASK(first, last) of the manual: it wraps around when first > last. */
static inline uint64_t p9_mask(unsigned first, unsigned last)
{
	if (first <= last)
		return mask64_be(first, last);
	return mask64_be(first, 63) | mask64_be(0, last);
}

/*
 * XER[OV, OV32] := the values given (0 or 1), XER[SO] |= OV. In 32-bit mode OV tells of the low
 * word, as OV32 always does.
 */
void p9_set_overflow(struct p9_translator *t, ir_val ov, ir_val ov32);

/* XER[CA, CA32] := the values given (0 or 1). In 32-bit mode CA tells of the low word. */
void p9_set_carry(struct p9_translator *t, ir_val ca, ir_val ca32);

/* What an addition does beside the sum. */
enum p9_add_flags {
	P9_ADD_CA = 1, /* writes XER[CA, CA32] */
	P9_ADD_OV = 2, /* writes XER[SO, OV, OV32] */
};

/* a + b, and a + b + c with c an I64 0 or 1. */
ir_val p9_add(struct p9_translator *t, ir_val a, ir_val b, unsigned flags);
ir_val p9_add_carry(struct p9_translator *t, ir_val a, ir_val b, ir_val c, unsigned flags);

/* b - a: the sum ~a + b + 1, for carries and overflow too. */
ir_val p9_subtract(struct p9_translator *t, ir_val a, ir_val b, unsigned flags);

/* An alignment interrupt for an access to ea, whatever ea is. Ends the block. */
void p9_raise_alignment(struct p9_translator *t, ir_val ea, bool store);

#endif
