/*
 * What the semantic functions (emit_*.c) work with: the state of translating one region, and the
 * accessors through which they read and write guest registers.
 *
 * One function per row of isa.def, `void p9_emit_<name>(struct p9_translator *t, const struct p9_insn *i)`,
 * writes the IR of one instruction. Facility (FP, VEC, VSX) and privilege were checked before
 * it is called, from the row. Decoded fields (insn_RA(i)) are known when translating; ir_val are
 * known only when running.
 *
 * Rules: every check and memory access comes before the first write to guest state of the same
 * instruction. An instruction that ends the block calls one of the p9_exit_* functions (or emits
 * a raising call followed by ir_exit_resume) and nothing after it.
 */
#ifndef ANYKVM_CPU_POWER9_TRANSLATE_H
#define ANYKVM_CPU_POWER9_TRANSLATE_H

#include <stdbool.h>
#include "cpu/power9/core.h"
#include "cpu/power9/insn.h"
#include "ir/ir.h"
#include "mem/endian.h"
#include "util/bits.h"

#define P9_NO_BLOCK UINT32_MAX

/* What a field of the CR was made of, if that was in the block which is being filled (emit_cr_field.c). */
struct p9_crf_known {
	uint32_t block;
	enum {
		P9_CRF_WHOLE,     /* a: the field's value, 0 to 15 */
		P9_CRF_COMPARED,  /* a compared with b by op */
		P9_CRF_UNORDERED, /* a: what is kept, 0 for GT */
		P9_CRF_ALL_NONE,  /* LT is a, EQ is b; GT and SO are 0 */
	} how;
	bool low;      /* COMPARED: the low words of a and b */
	enum ir_op op; /* IR_CMP3S, IR_CMP3U */
	ir_val a, b;
};

/* The last load and reserve of a region. */
struct p9_reserve {
	uint32_t id;   /* not 0 */
	uint32_t from; /* what the region's IR has behind the load */
	unsigned size, ra, rb;
	ir_val ea, value;
	bool carried;  /* from the region before, if `held` is the size: then it is for ea, which the store's address may differ from */
	ir_val held;
};

/* A load and reserve at pc, for when the address is watched: what the region has at its end. */
struct p9_watched {
	ir_block block;
	ir_val ea;
	uint64_t pc;
	const struct p9_insn *insn;
	unsigned size;
};

struct p9_translator {
	struct ir_region *r;
	uint64_t pc;      /* of the instruction being translated */
	uint32_t mode;    /* enum p9_mode_bits in force */
	bool ended;       /* the instruction ended the block */
	struct p9_reserve reserve;
	struct p9_watched watched[CPU_PIECES * CPU_REGION_INSNS];
	unsigned nwatched;
	uint32_t reserved; /* reserve.id: all ways here came by it, and by nothing behind it that costs it; else 0 */
	bool so_changed;  /* it wrote XER[SO], which before was what the mode says */
	uint32_t available; /* P9_MODE_FP, _VEC, _VSX: found in MSR, in this straight line (supervisors) */
	struct p9_crf_known crf[8];
};

/* Bits of translator.mode: everything of MSR that translated code depends on (core.h). */

static inline bool p9_mode64(const struct p9_translator *t)
{
	return t->mode & P9_MODE_SF;
}

/* Offsets of guest state for ir_get and ir_set. */
#define P9_OFF(field) ((uint32_t)offsetof(struct p9_cpu, regs.field))

static inline uint32_t p9_off_gpr(unsigned n)
{
	return P9_OFF(gpr) + 8 * n;
}

static inline uint32_t p9_off_crf(unsigned n)
{
	return P9_OFF(crf) + 8 * n;
}

static inline uint32_t p9_off_vsr(unsigned n)
{
	return P9_OFF(vsr) + 16 * n;
}

/* Doubleword dw (0 or 1, 0 the high half) of VSR n. */
static inline uint32_t p9_off_vsr_dw(unsigned n, unsigned dw)
{
	return p9_off_vsr(n) + (HOST_LITTLE_ENDIAN ? 8 * (1 - dw) : 8 * dw);
}

static inline ir_val p9_i64(struct p9_translator *t, uint64_t v)
{
	return ir_const(t->r, IR_I64, v);
}

static inline ir_val p9_gpr(struct p9_translator *t, unsigned n)
{
	return ir_get(t->r, IR_I64, p9_off_gpr(n));
}

/* (RA|0) */
static inline ir_val p9_gpr0(struct p9_translator *t, unsigned n)
{
	return n ? p9_gpr(t, n) : p9_i64(t, 0);
}

static inline void p9_set_gpr(struct p9_translator *t, unsigned n, ir_val v)
{
	ir_set(t->r, p9_off_gpr(n), v);
}

/* FPR n: doubleword 0 of VSR n. Writing it makes doubleword 1 zero, as POWER9 does. */
static inline ir_val p9_fpr(struct p9_translator *t, unsigned n)
{
	return ir_get(t->r, IR_I64, p9_off_vsr_dw(n, 0));
}

static inline void p9_set_fpr(struct p9_translator *t, unsigned n, ir_val v)
{
	ir_set(t->r, p9_off_vsr_dw(n, 0), v);
	ir_set(t->r, p9_off_vsr_dw(n, 1), p9_i64(t, 0));
}

static inline ir_val p9_vsr(struct p9_translator *t, unsigned n)
{
	return ir_get(t->r, IR_V128, p9_off_vsr(n));
}

static inline void p9_set_vsr(struct p9_translator *t, unsigned n, ir_val v)
{
	ir_set(t->r, p9_off_vsr(n), v);
}

static inline ir_val p9_vr(struct p9_translator *t, unsigned n)
{
	return p9_vsr(t, 32 + n);
}

static inline void p9_set_vr(struct p9_translator *t, unsigned n, ir_val v)
{
	p9_set_vsr(t, 32 + n, v);
}

/* CR field n := v (0..15). */
void p9_set_crf(struct p9_translator *t, unsigned n, ir_val v);

/* CR field n := IR_CMP3S or IR_CMP3U of a and b, and SO. */
void p9_set_crf_compare(struct p9_translator *t, unsigned n, enum ir_op op, ir_val a, ir_val b);
void p9_set_crf_compare_low(struct p9_translator *t, unsigned n, enum ir_op op, ir_val a, ir_val b);

/* CR field n := 0b00, eq (0 or 1), SO. */
void p9_set_crf_equal(struct p9_translator *t, unsigned n, ir_val eq);

/* CR field n := w as it is kept (cr.h), one of LT, GT, EQ, SO: of numbers, of which one may be a NaN. */
void p9_set_crf_unordered(struct p9_translator *t, unsigned n, ir_val w);

/* CR field n := all, 0, none, 0; not both are 1. */
void p9_set_crf_all_none(struct p9_translator *t, unsigned n, ir_val all, ir_val none);

/* CR0 := signed comparison of v with zero (in the current computation mode), and SO. */
void p9_set_cr0(struct p9_translator *t, ir_val v);

/* CR field `to` := CR field `from`. */
void p9_move_crf(struct p9_translator *t, unsigned to, unsigned from);

/* Fill the blocks of t->watched. */
void p9_emit_watched(struct p9_translator *t);

/*
 * From a region's end that goes on at a block's start to the region there, whose first store conditional is of so many
 * bytes (0: the reservation is of no use there).
 */
void p9_carry_reservation(struct p9_translator *t);
void p9_take_reservation(struct p9_translator *t, unsigned size);

/* Reservations (reserve.h): may a bare one be kept over this instruction? */
bool p9_keeps_reservation(const struct p9_insn *i);

/*
 * Behind an instruction that may have changed what code depends on: leave the region if it has. By
 * XER[SO], or by cpu.mode, which a helper keeps right.
 */
void p9_check_so(struct p9_translator *t);
void p9_check_mode(struct p9_translator *t);

/* An effective address: in 32-bit mode the upper half is cleared. */
ir_val p9_ea(struct p9_translator *t, ir_val addr);

/* EA of D forms (RA|0) + disp and of X forms (RA|0) + (RB). */
ir_val p9_ea_disp(struct p9_translator *t, unsigned ra, int64_t disp);
ir_val p9_ea_x(struct p9_translator *t, unsigned ra, unsigned rb);

/* A memop of `size` bytes in the current byte order (reversed: lwbrx and its like). */
struct ir_memop p9_memop(const struct p9_translator *t, unsigned size, bool sign_extend);
struct ir_memop p9_memop_rev(const struct p9_translator *t, unsigned size);

/* Leave for the instruction at a known / computed address. Ends the block. */
void p9_exit_direct(struct p9_translator *t, uint64_t pc);
void p9_exit_indirect(struct p9_translator *t, ir_val pc);

/* Ends the block after an instruction that may have changed MSR or translation: goes on at pc + 4. */
void p9_exit_context(struct p9_translator *t);

/*
 * Ends the block for the instruction at pc + 4, fetched anew: stores to it and invalidations of its translation that
 * came before are seen.
 */
void p9_exit_refetch(struct p9_translator *t);

/*
 * Raise a program interrupt (P9_PROG_*), facility-unavailable etc. at this instruction. Ends
 * the block.
 */
void p9_raise_program(struct p9_translator *t, uint64_t srr1_bits);
void p9_raise_vector(struct p9_translator *t, uint32_t vector);
/* Illegal instruction: hypervisor emulation assistance or program interrupt, by LPCR[EVIRT]. */
void p9_raise_illegal(struct p9_translator *t, uint32_t raw);

/* Raise when the condition (I64) is not zero; goes on otherwise. */
void p9_trap_if(struct p9_translator *t, ir_val cond);

/* Call a helper with up to four operands. */
ir_val p9_call0(struct p9_translator *t, const struct ir_helper *h);
ir_val p9_call1(struct p9_translator *t, const struct ir_helper *h, ir_val a);
ir_val p9_call2(struct p9_translator *t, const struct ir_helper *h, ir_val a, ir_val b);
ir_val p9_call3(struct p9_translator *t, const struct ir_helper *h, ir_val a, ir_val b, ir_val c);
ir_val p9_call4(struct p9_translator *t, const struct ir_helper *h, ir_val a, ir_val b, ir_val c,
		ir_val d);

#endif
