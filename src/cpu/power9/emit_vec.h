/*
 * Idioms of the vector semantics (emit_vmx*.c, emit_vsx*.c): constants of equal lanes, byte
 * permutations known when translating, storage access in both byte orders, CR field 6.
 */
#ifndef ANYKVM_CPU_POWER9_EMIT_VEC_H
#define ANYKVM_CPU_POWER9_EMIT_VEC_H

#include "cpu/power9/helper_vec.h"
#include "cpu/power9/translate.h"

/* log2 of a lane's bytes, as the IR names lanes */
enum p9_lane { P9_LANE_B, P9_LANE_H, P9_LANE_W, P9_LANE_D };

static inline bool p9_little_endian(const struct p9_translator *t)
{
	return t->mode & P9_MODE_LE;
}

/* The low bits of v in every lane. */
static inline ir_val p9_vsame(struct p9_translator *t, enum p9_lane lane, uint64_t v)
{
	unsigned bits = 8u << lane;
	uint64_t d = 0;

	v &= ~UINT64_C(0) >> (64 - bits);
	for (unsigned at = 0; at < 64; at += bits)
		d |= v << at;
	return ir_vconst(t->r, (u128)d << 64 | d);
}

/*
 * Bytes of a (numbers 0..15) and b (16..31), in the ISA's numbers: byte e of the result is
 * byte select[e].
 */
static inline ir_val p9_vshuffle(struct p9_translator *t, ir_val a, ir_val b,
				 const uint8_t select[16])
{
	union p9_vec c;

	/* The IR counts bytes from the other end. */
	for (unsigned e = 0; e < 16; e++)
		VE(c, b, e) = 31 - select[e];
	return ir_vperm2(t->r, a, b, ir_vconst(t->r, c.q));
}

/* CR6 after a comparison: all elements true (all ones, else zero), 0, none true, 0. */
void p9_set_cr6_all_none(struct p9_translator *t, ir_val v);

/* VSCR[SAT] is set if any bit of v is. */
void p9_note_saturation(struct p9_translator *t, ir_val v);

/*
 * A quadword in storage as elements of 1 << lane bytes, each in the byte order of the mode,
 * element 0 first: what lxvb16x, lxvh8x, lxvw4x, lxvd2x load. A quadword as a whole (lvx, lxv) is
 * p9_vload_quad. One access of 16 bytes each, so that a fault leaves everything as it was.
 */
ir_val p9_vload_elements(struct p9_translator *t, enum p9_lane lane, ir_val ea);
void p9_vstore_elements(struct p9_translator *t, enum p9_lane lane, ir_val ea, ir_val v);

static inline ir_val p9_vload_quad(struct p9_translator *t, ir_val ea)
{
	return ir_load(t->r, IR_V128, p9_memop(t, 16, false), ea);
}

static inline void p9_vstore_quad(struct p9_translator *t, ir_val ea, ir_val v)
{
	ir_store(t->r, p9_memop(t, 16, false), ea, v);
}

/* Field `where` = low bit | width << 8 of a vector (see vec_insert). */
#define P9_WHERE(low_bit, width) ((low_bit) | (uint64_t)(width) << 8)

#endif
