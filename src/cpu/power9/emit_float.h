/*
 * What the floating-point semantics share (emit_float*.c, emit_vsx_float*.c).
 */
#ifndef ANYKVM_CPU_POWER9_EMIT_FLOAT_H
#define ANYKVM_CPU_POWER9_EMIT_FLOAT_H

#include "cpu/power9/cr.h"
#include "cpu/power9/helper_float.h"
#include "cpu/power9/translate.h"

/* May the status be computed late here (float_status.h)? Then no exception is enabled either. */
static inline bool p9_fp_deferred(const struct p9_translator *t)
{
	return !(t->mode & P9_MODE_FPX);
}

#define P9_OFF_LAST(field) ((uint32_t)offsetof(struct p9_cpu, fp_last.field))

/* The last operation is now `op`, and no conversion or comparison has come after it. Its operands follow. */
static inline void p9_fp_note(struct p9_translator *t, enum p9_fp_last_op op, ir_val a)
{
	ir_set(t->r, P9_OFF_LAST(op), p9_i64(t, HOST_LITTLE_ENDIAN ? op : (uint64_t)op << 32));
	ir_set(t->r, P9_OFF_LAST(a), a);
}

/* Deferred operations: the call and the note. */
static inline ir_val p9_fp_defer1(struct p9_translator *t, const struct ir_helper *h,
				  enum p9_fp_last_op op, ir_val a)
{
	ir_val v = p9_call1(t, h, a);

	p9_fp_note(t, op, a);
	return v;
}

static inline ir_val p9_fp_defer2(struct p9_translator *t, const struct ir_helper *h,
				  enum p9_fp_last_op op, ir_val a, ir_val b)
{
	ir_val v = p9_call2(t, h, a, b);

	p9_fp_note(t, op, a);
	ir_set(t->r, P9_OFF_LAST(b), b);
	return v;
}

static inline ir_val p9_fp_defer3(struct p9_translator *t, const struct ir_helper *h,
				  enum p9_fp_last_op op, ir_val a, ir_val b, ir_val c)
{
	ir_val v = p9_call3(t, h, a, b, c);

	p9_fp_note(t, op, a);
	ir_set(t->r, P9_OFF_LAST(b), b);
	ir_set(t->r, P9_OFF_LAST(c), c);
	return v;
}

#define P9_FP_DEFER1(t, f, a)        p9_fp_defer1(t, &p9_h_fpf_##f, P9_FP_LAST_##f, a)
#define P9_FP_DEFER_CONVERT(t, f, b) p9_fp_defer_convert(t, &p9_h_fpf_##f, P9_FP_LAST_##f, b)
#define P9_FP_DEFER2(t, f, a, b)     p9_fp_defer2(t, &p9_h_fpf_##f, P9_FP_LAST_##f, a, b)
#define P9_FP_DEFER3(t, f, a, b, c)  p9_fp_defer3(t, &p9_h_fpf_##f, P9_FP_LAST_##f, a, b, c)

/* A comparison, to CR field n and FPCC; h where the status is deferred, else `exact`. */
static inline void p9_fp_compare(struct p9_translator *t, unsigned n, const struct ir_helper *h,
				 const struct ir_helper *exact, ir_val a, ir_val b)
{
	ir_val v = p9_call2(t, p9_fp_deferred(t) ? h : exact, a, b);

	if (!p9_fp_deferred(t)) {
		p9_set_crf(t, n, v);
		return;
	}
	p9_set_crf_unordered(t, n, v);
	ir_set(t->r, P9_OFF_LAST(is_compared), ir_const(t->r, IR_I32, 1));
	ir_set_bits(t->r, P9_OFF_LAST(compared), v, P9_CRF_BITS);
}

/* A conversion to an integer, which leaves FPRF. */
static inline ir_val p9_fp_defer_convert(struct p9_translator *t, const struct ir_helper *h,
					 enum p9_fp_last_op op, ir_val b)
{
	ir_val v = p9_call1(t, h, b), last = ir_get(t->r, IR_I32, P9_OFF_LAST(op));

	ir_set(t->r, P9_OFF_LAST(op), ir_deposit(t->r, last, ir_const(t->r, IR_I32, op), 8, 24));
	ir_set(t->r, P9_OFF_LAST(converted), b);
	return v;
}

/*
 * The interrupt of an enabled exception, if MSR[FE0, FE1] ask for it, after the instruction's
 * results were written.
 */
static inline void p9_fp_check_any(struct p9_translator *t)
{
	if (!(t->mode & P9_MODE_FE))
		return;
	/* What the instruction has written stays. */
	ir_insn_partial(t->r, t->pc);
	p9_call0(t, &p9_h_fp_interrupt);
}

/* The end of an instruction that may have set FPSCR[FEX], but does not change what is enabled. */
static inline void p9_fp_check(struct p9_translator *t)
{
	if (!p9_fp_deferred(t))
		p9_fp_check_any(t);
}

/* Rc = 1: CR1 := FPSCR[FX, FEX, VX, OX]. */
static inline void p9_fp_record(struct p9_translator *t, const struct p9_insn *i)
{
	if (insn_Rc(i))
		p9_set_crf(t, 1, p9_call0(t, &p9_h_fp_cr1));
}

#endif
