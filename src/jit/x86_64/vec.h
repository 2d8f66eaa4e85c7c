/*
 * What the parts of the vector back end share (ops_vec*.c): three-operand forms with or without
 * AVX, shifts by constants, constant operands.
 *
 * The upper halves of ymm and zmm registers are never used, so VEX and SSE encodings mix at no
 * cost.
 */
#ifndef ANYKVM_JIT_X86_64_VEC_H
#define ANYKVM_JIT_X86_64_VEC_H

#include "jit/x86_64/gen.h"

/* Opcodes with prefix 66, for vec3() and others. */
enum {
	PSHUFB = 0x0f3800,
	PADDB = 0x0ffc,
	PADDW = 0x0ffd,
	PADDD = 0x0ffe,
	PADDQ = 0x0fd4,
	PAND = 0x0fdb,
	PANDN = 0x0fdf, /* ~first & second */
	POR = 0x0feb,
	PXOR = 0x0fef,
	PCMPEQB = 0x0f74,
	PCMPEQD = 0x0f76,
	PMULLW = 0x0fd5,
	PUNPCKLQDQ = 0x0f6c,
	PUNPCKHQDQ = 0x0f6d,
	PCMPGTQ = 0x0f3837,
	VPTERNLOG = 0x0f3a25,
};

static inline void vec_mov(struct gen *g, unsigned dst, unsigned src)
{
	if (dst != src)
		a_sse(&g->a, 0, 0x0f28, dst, src); /* movaps */
}

/* dst := a op b. dst may be a; it may be b only if it is a as well, or with AVX. */
static inline void vec3(struct gen *g, unsigned op, unsigned dst, unsigned a, unsigned b)
{
	if (g->host->avx && dst != a) {
		a_vex(&g->a, 0x66, op, false, dst, a, b);
		return;
	}
	vec_mov(g, dst, a);
	a_sse(&g->a, 0x66, op, dst, b);
}

/* The same with 16 bytes of constant data for b. */
static inline void vec3_data(struct gen *g, unsigned op, unsigned dst, unsigned a, u128 b)
{
	vec_mov(g, dst, a);
	gen_sse_data(g, 0x66, op, dst, b);
}

/*
 * dst := src shifted in lanes of 16, 32 or 64 bits (lane 1, 2, 3) by a constant; or, with lane 3, as a
 * whole by bytes.
 */
enum vec_shift { /* the /digit; no 64-bit SAR */
	VEC_SHR = 2,
	VEC_SHR_BYTES = 3,
	VEC_SAR = 4,
	VEC_SHL = 6,
	VEC_SHL_BYTES = 7,
};

static inline void vec_shift(struct gen *g, enum vec_shift how, unsigned lane, unsigned dst,
			     unsigned src, unsigned n)
{
	unsigned op = 0x0f70 + lane;

	if (g->host->avx && dst != src) {
		a_vex(&g->a, 0x66, op, false, how, dst, src);
	} else {
		vec_mov(g, dst, src);
		a_sse(&g->a, 0x66, op, how, dst);
	}
	a_1(&g->a, n);
}

static inline void vec_zero(struct gen *g, unsigned xmm)
{
	a_sse(&g->a, 0x66, PXOR, xmm, xmm);
}

static inline void vec_ones(struct gen *g, unsigned xmm)
{
	a_sse(&g->a, 0x66, PCMPEQD, xmm, xmm);
}

/* The low bits of v in every lane of `bits` bits. */
static inline u128 vec_same(unsigned bits, uint64_t v)
{
	u128 all = 0;

	for (unsigned at = 0; at < 128; at += bits)
		all |= (u128)(v & ir_low_mask(bits)) << at;
	return all;
}

/* Is the value a constant of equal lanes, and which? */
static inline bool vec_const(const struct gen *g, uint32_t v, u128 *c)
{
	const struct ir_inst *i = inst_of(g, v);

	if (i->op != IR_VCONST)
		return false;
	*c = g->r->vconst[i->imm];
	return true;
}

/* ops_vec.c: the result of one instruction on two values, prefix 66. */
void vec_binary(struct gen *g, unsigned op, uint32_t va, uint32_t vb);

/* ops_vec_permute.c: VPERM2, VSPLAT. False: nothing was made, the host lacks instructions. */
bool gen_permute(struct gen *g, const struct ir_inst *i);
bool gen_splat(struct gen *g, const struct ir_inst *i);

/* ops_vec_shift.c: VSHL, VSHR, VSAR, VROTL. */
bool gen_lane_shift(struct gen *g, const struct ir_inst *i);

/* ops_vec_crypto.c, for gen_intrinsic: what they have. */
bool gen_crypto(struct gen *g, const struct ir_inst *i, unsigned intrinsic);

#endif
