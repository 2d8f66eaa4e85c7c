/*
 * Shifts and rotates of lanes, each by its own amount or all by a constant.
 */
#include "jit/x86_64/vec.h"

enum {
	PSUBB = 0x0ff8,
	PSUBD = 0x0ffa,
	PSUBQ = 0x0ffb,
	PCMPGTD = 0x0f66,
	PSHUFD = 0x0f70,
	MOVDQA = 0x0f6f,
};

/* The amount, if it is the same constant in all lanes. */
static bool same_amount(const struct gen *g, const struct ir_inst *i, unsigned bits, unsigned *n)
{
	u128 c;

	if (!vec_const(g, i->arg[1], &c))
		return false;
	*n = (unsigned)c & (bits - 1);
	for (unsigned at = 0; at < 128; at += bits)
		if (((unsigned)(c >> at) & (bits - 1)) != *n)
			return false;
	return true;
}

/* Bytes shift with their neighbours' bits, which are then cut off. n is 1 to 7. */
static void bytes_by(struct gen *g, enum vec_shift how, unsigned dst, unsigned src, unsigned n)
{
	vec_shift(g, how == VEC_SHL ? VEC_SHL : VEC_SHR, 1, dst, src, n);
	gen_sse_data(g, 0x66, PAND, dst, vec_same(8, how == VEC_SHL ? 0xffu << n : 0xffu >> n));
	if (how == VEC_SAR) {
		/* extend from the bit that the sign is in now */
		gen_sse_data(g, 0x66, PXOR, dst, vec_same(8, 0x80u >> n));
		gen_sse_data(g, 0x66, PSUBB, dst, vec_same(8, 0x80u >> n));
	}
}

/* There is no such instruction before AVX-512. */
static void sar_64_by(struct gen *g, unsigned dst, unsigned src, unsigned n)
{
	if (g->host->avx512) {
		a_evex(&g->a, 0x66, 0x0f72, true, VEC_SAR, dst, src);
		a_1(&g->a, n);
		return;
	}
	/* xmm0: the sign in all bits */
	vec_zero(g, 0);
	a_sse(&g->a, 0x66, PCMPGTD, 0, src);
	a_sse(&g->a, 0x66, PSHUFD, 0, 0);
	a_1(&g->a, 0xf5);
	vec_shift(g, VEC_SHR, 3, dst, src, n);
	vec_shift(g, VEC_SHL, 3, 0, 0, 64 - n);
	a_sse(&g->a, 0x66, POR, dst, 0);
}

static void rotate_by(struct gen *g, unsigned lane, unsigned dst, unsigned src, unsigned n)
{
	unsigned bits = 8u << lane;

	if (lane >= 2 && g->host->avx512) {
		a_evex(&g->a, 0x66, 0x0f72, lane == 3, 1, dst, src); /* vprold, vprolq */
		a_1(&g->a, n);
	} else if (lane > 0 && n % 8 == 0 && g->host->ssse3) {
		u128 c = 0;

		for (unsigned k = 16; k-- > 0;) {
			unsigned size = bits / 8, at = k % size;

			c = c << 8 | (k - at + (at + size - n / 8) % size);
		}
		vec3_data(g, PSHUFB, dst, src, c);
	} else {
		if (lane == 0) {
			bytes_by(g, VEC_SHL, dst, src, n);
			bytes_by(g, VEC_SHR, 0, src, bits - n);
		} else {
			vec_shift(g, VEC_SHL, lane, dst, src, n);
			vec_shift(g, VEC_SHR, lane, 0, src, bits - n);
		}
		a_sse(&g->a, 0x66, POR, dst, 0);
	}
}

static void by_constant(struct gen *g, const struct ir_inst *i, unsigned lane, unsigned n)
{
	enum vec_shift how = i->op == IR_VSHL ? VEC_SHL : i->op == IR_VSHR ? VEC_SHR : VEC_SAR;
	unsigned src = use_reg(g, i->arg[0]), dst = def_reg(g);

	if (n == 0)
		vec_mov(g, dst, src);
	else if (i->op == IR_VROTL)
		rotate_by(g, lane, dst, src, n);
	else if (lane == 0)
		bytes_by(g, how, dst, src, n);
	else if (lane == 3 && how == VEC_SAR)
		sar_64_by(g, dst, src, n);
	else
		vec_shift(g, how, lane, dst, src, n);
}

/* By lane: 66 0f38 op, VEX; EVEX if it has to be. 0: none. */
struct variable {
	uint8_t vex[4], evex[4];
};

static const struct variable shl = {{0, 0, 0x47, 0x47}, {0, 0x12, 0, 0}};
static const struct variable shr = {{0, 0, 0x45, 0x45}, {0, 0x10, 0, 0}};
static const struct variable sar = {{0, 0, 0x46, 0}, {0, 0x11, 0, 0x46}};
static const struct variable rotl = {{0}, {0, 0, 0x15, 0x15}};

/* VEX only: amounts as they are, dst := src shifted by amount. */
static void shift_by(struct gen *g, uint8_t op, unsigned lane, unsigned dst, unsigned src,
		     unsigned amount)
{
	a_vex(&g->a, 0x66, 0x0f3800 | op, lane == 3, dst, src, amount);
}

bool gen_lane_shift(struct gen *g, const struct ir_inst *i)
{
	const struct variable *v = i->op == IR_VSHL   ? &shl
				   : i->op == IR_VSHR ? &shr
				   : i->op == IR_VSAR ? &sar
						      : &rotl;
	unsigned lane = i->aux & 3, bits = 8u << lane, src, by, dst, n;
	bool evex = g->host->avx512 && v->evex[lane];
	bool rotate = i->op == IR_VROTL && g->host->avx2 && lane >= 2;

	if (same_amount(g, i, bits, &n)) {
		by_constant(g, i, lane, n);
		return true;
	}
	if (!evex && !rotate && !(g->host->avx2 && v->vex[lane]))
		return false;
	src = use_reg(g, i->arg[0]);
	by = use_reg(g, i->arg[1]);
	dst = def_reg(g);
	if (evex && i->op == IR_VROTL) {
		a_evex(&g->a, 0x66, 0x0f3815, lane == 3, dst, src, by);
		return true;
	}
	/* Amounts are not taken modulo the width. */
	vec3_data(g, PAND, 0, by, vec_same(bits, bits - 1));
	if (evex) {
		a_evex(&g->a, 0x66, 0x0f3800 | v->evex[lane], true, dst, src, 0);
	} else if (rotate) {
		shift_by(g, 0x47, lane, dst, src, 0);
		gen_sse_data(g, 0x66, MOVDQA, 1, vec_same(bits, bits));
		a_sse(&g->a, 0x66, lane == 2 ? PSUBD : PSUBQ, 1, 0);
		shift_by(g, 0x45, lane, 0, src, 1);
		a_sse(&g->a, 0x66, POR, dst, 0);
	} else {
		shift_by(g, v->vex[lane], lane, dst, src, 0);
	}
	return true;
}
