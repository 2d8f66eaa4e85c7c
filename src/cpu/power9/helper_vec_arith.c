/*
 * VMX integer addition, subtraction, averages and sums across (Book I 6.9.1): those with carries,
 * with saturation, or of quadwords, which have no IR operation of their own.
 */
#include "cpu/power9/helper_vec.h"

P9_LANES2_AS(vaddcuw, IR_CARRY_32, w, ((uint64_t)a.w[k] + b.w[k]) >> 32);
P9_LANES2_AS(vsubcuw, IR_NO_BORROW_32, w, a.w[k] >= b.w[k]); /* carry of a + ~b + 1: no borrow */

P9_SATURATE2_AS(vaddsbs, IR_ADD_SATURATE_S8, sb, INT8_MIN, INT8_MAX, (int64_t)a.sb[k] + b.sb[k]);
P9_SATURATE2_AS(vaddshs, IR_ADD_SATURATE_S16, sh, INT16_MIN, INT16_MAX, (int64_t)a.sh[k] + b.sh[k]);
P9_SATURATE2(vaddsws, sw, INT32_MIN, INT32_MAX, (int64_t)a.sw[k] + b.sw[k]);
P9_SATURATE2_AS(vaddubs, IR_ADD_SATURATE_U8, b, 0, UINT8_MAX, (int64_t)a.b[k] + b.b[k]);
P9_SATURATE2_AS(vadduhs, IR_ADD_SATURATE_U16, h, 0, UINT16_MAX, (int64_t)a.h[k] + b.h[k]);
P9_SATURATE2(vadduws, w, 0, UINT32_MAX, (int64_t)a.w[k] + b.w[k]);
P9_SATURATE2_AS(vsubsbs, IR_SUB_SATURATE_S8, sb, INT8_MIN, INT8_MAX, (int64_t)a.sb[k] - b.sb[k]);
P9_SATURATE2_AS(vsubshs, IR_SUB_SATURATE_S16, sh, INT16_MIN, INT16_MAX, (int64_t)a.sh[k] - b.sh[k]);
P9_SATURATE2(vsubsws, sw, INT32_MIN, INT32_MAX, (int64_t)a.sw[k] - b.sw[k]);
P9_SATURATE2_AS(vsububs, IR_SUB_SATURATE_U8, b, 0, UINT8_MAX, (int64_t)a.b[k] - b.b[k]);
P9_SATURATE2_AS(vsubuhs, IR_SUB_SATURATE_U16, h, 0, UINT16_MAX, (int64_t)a.h[k] - b.h[k]);
P9_SATURATE2(vsubuws, w, 0, UINT32_MAX, (int64_t)a.w[k] - b.w[k]);

P9_LANES2(vavgsb, sb, (a.sb[k] + b.sb[k] + 1) >> 1);
P9_LANES2(vavgsh, sh, (a.sh[k] + b.sh[k] + 1) >> 1);
P9_LANES2(vavgsw, sw, ((int64_t)a.sw[k] + b.sw[k] + 1) >> 1);
P9_LANES2_AS(vavgub, IR_AVERAGE_U8, b, (a.b[k] + b.b[k] + 1) >> 1);
P9_LANES2_AS(vavguh, IR_AVERAGE_U16, h, (a.h[k] + b.h[k] + 1) >> 1);
P9_LANES2(vavguw, w, ((uint64_t)a.w[k] + b.w[k] + 1) >> 1);

/* Quadwords. Subtraction adds the complement, so its carry means "no borrow". */

static u128 quad_add(u128 a, u128 b, unsigned carry_in, unsigned *carry)
{
	u128 part = a + b, sum = part + carry_in;

	*carry = part < a || sum < part;
	return sum;
}

#define QUAD2(id, b_, carry_in, result)                                                            \
	static void p9_v_##id(P9_PARAMS_VV)                                                        \
	{                                                                                          \
		unsigned carry;                                                                    \
		u128 sum = quad_add(*pa, b_ * pb, carry_in, &carry);                               \
                                                                                                   \
		(void)env;                                                                         \
		(void)sum;                                                                         \
		*out = result;                                                                     \
	}                                                                                          \
	P9_HELPER_V_VV(id, IR_H_PURE)

QUAD2(vadduqm, , 0, sum);
QUAD2(vaddcuq, , 0, carry);
QUAD2(vsubuqm, ~, 1, sum);
QUAD2(vsubcuq, ~, 1, carry);

#define QUAD3(id, b_, result)                                                                      \
	static void p9_v_##id(P9_PARAMS_VVV)                                                       \
	{                                                                                          \
		unsigned carry;                                                                    \
		u128 sum = quad_add(*pa, b_ * pb, *pc & 1, &carry);                                \
                                                                                                   \
		(void)env;                                                                         \
		(void)sum;                                                                         \
		*out = result;                                                                     \
	}                                                                                          \
	P9_HELPER_V_VVV(id, IR_H_PURE)

QUAD3(vaddeuqm, , sum);
QUAD3(vaddecuq, , carry);
QUAD3(vsubeuqm, ~, sum);
QUAD3(vsubecuq, ~, carry);

/* Decimal multiply by ten of a 128-bit binary number, plus a digit: product and carry. */

static u128 times_ten(u128 a, unsigned digit, unsigned *carry)
{
	u128 low = (u128)(uint64_t)a * 10 + digit;
	u128 high = (a >> 64) * 10 + (low >> 64);

	*carry = (unsigned)(high >> 64);
	return high << 64 | (uint64_t)low;
}

static void p9_v_vmul10uq(P9_PARAMS_V)
{
	unsigned carry;

	(void)env;
	*out = times_ten(*pa, 0, &carry);
}
P9_HELPER_V_V(vmul10uq, IR_H_PURE);

static void p9_v_vmul10cuq(P9_PARAMS_V)
{
	unsigned carry;

	(void)env;
	times_ten(*pa, 0, &carry);
	*out = carry;
}
P9_HELPER_V_V(vmul10cuq, IR_H_PURE);

static void p9_v_vmul10euq(P9_PARAMS_VV)
{
	unsigned carry;

	(void)env;
	*out = times_ten(*pa, *pb & 15, &carry);
}
P9_HELPER_V_VV(vmul10euq, IR_H_PURE);

static void p9_v_vmul10ecuq(P9_PARAMS_VV)
{
	unsigned carry;

	(void)env;
	times_ten(*pa, *pb & 15, &carry);
	*out = carry;
}
P9_HELPER_V_VV(vmul10ecuq, IR_H_PURE);

/* Sums across: parts of VRA and a word of VRB, in words 1 and 3, or 3 alone; the rest is 0. */

static void p9_v_vsumsws(P9_PARAMS_VV)
{
	union p9_vec a = {*pa}, b = {*pb}, d = {0};
	bool sat = false;
	int64_t sum = VE(b, sw, 3);

	for (unsigned k = 0; k < 4; k++)
		sum += a.sw[k];
	VE(d, sw, 3) = P9_CLAMP(sum, INT32_MIN, INT32_MAX, sat);
	if (sat)
		p9_set_sat(env);
	*out = d.q;
}
P9_HELPER_V_VV(vsumsws, P9_H_SATURATES);

static void p9_v_vsum2sws(P9_PARAMS_VV)
{
	union p9_vec a = {*pa}, b = {*pb}, d = {0};
	bool sat = false;

	for (unsigned e = 0; e < 4; e += 2) {
		int64_t sum = (int64_t)VE(a, sw, e) + VE(a, sw, e + 1) + VE(b, sw, e + 1);

		VE(d, sw, e + 1) = P9_CLAMP(sum, INT32_MIN, INT32_MAX, sat);
	}
	if (sat)
		p9_set_sat(env);
	*out = d.q;
}
P9_HELPER_V_VV(vsum2sws, P9_H_SATURATES);

#define SUM4(a, m, k)                                                                              \
	((int64_t)(a).m[4 * (k)] + (a).m[4 * (k) + 1] + (a).m[4 * (k) + 2] + (a).m[4 * (k) + 3])
#define SUM2(a, m, k) ((int64_t)(a).m[2 * (k)] + (a).m[2 * (k) + 1])

P9_SATURATE2(vsum4sbs, sw, INT32_MIN, INT32_MAX, SUM4(a, sb, k) + b.sw[k]);
P9_SATURATE2(vsum4shs, sw, INT32_MIN, INT32_MAX, SUM2(a, sh, k) + b.sw[k]);
P9_SATURATE2(vsum4ubs, w, 0, UINT32_MAX, SUM4(a, b, k) + b.w[k]);
