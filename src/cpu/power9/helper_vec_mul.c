/*
 * VMX integer multiplies and multiply-sums (Book I 6.9.1.3, 6.9.1.4).
 */
#include "cpu/power9/helper_vec.h"

P9_LANES2_AS(vmuluwm, IR_MULTIPLY_32, w, a.w[k] * b.w[k]);

/*
 * Even and odd multiplies: product lane k comes from element 2k (even) or 2k + 1 (odd) of the
 * lanes half as wide, in the ISA's numbers. Counted from the right, even is odd and odd even.
 */
#define MULTIPLY(id, number, from, to, type, odd)                                                  \
	static void p9_v_##id(P9_PARAMS_VV)                                                        \
	{                                                                                          \
		union p9_vec a = {*pa}, b = {*pb}, d;                                              \
                                                                                                   \
		(void)env;                                                                         \
		for (unsigned e = 0; e < ARRAY_SIZE(d.to); e++)                                    \
			VE(d, to, e) = (type)VE(a, from, 2 * e + odd) * VE(b, from, 2 * e + odd);  \
		*out = d.q;                                                                        \
	}                                                                                          \
	P9_INTRINSIC_V_VV(id, number)

MULTIPLY(vmulesb, IR_NOT_INTRINSIC, sb, sh, int32_t, 0);
MULTIPLY(vmulosb, IR_NOT_INTRINSIC, sb, sh, int32_t, 1);
MULTIPLY(vmuleub, IR_MULTIPLY_ODD_U8, b, h, uint32_t, 0);
MULTIPLY(vmuloub, IR_MULTIPLY_EVEN_U8, b, h, uint32_t, 1);
MULTIPLY(vmulesh, IR_MULTIPLY_ODD_S16, sh, sw, int32_t, 0);
MULTIPLY(vmulosh, IR_MULTIPLY_EVEN_S16, sh, sw, int32_t, 1);
MULTIPLY(vmuleuh, IR_MULTIPLY_ODD_U16, h, w, uint32_t, 0);
MULTIPLY(vmulouh, IR_MULTIPLY_EVEN_U16, h, w, uint32_t, 1);
MULTIPLY(vmulesw, IR_MULTIPLY_ODD_S32, sw, sd, int64_t, 0);
MULTIPLY(vmulosw, IR_MULTIPLY_EVEN_S32, sw, sd, int64_t, 1);
MULTIPLY(vmuleuw, IR_MULTIPLY_ODD_U32, w, d, uint64_t, 0);
MULTIPLY(vmulouw, IR_MULTIPLY_EVEN_U32, w, d, uint64_t, 1);

/* Multiply-high-add: the upper 17 bits of the product, and VRC. */
P9_SATURATE3(vmhaddshs, sh, INT16_MIN, INT16_MAX, (a.sh[k] * b.sh[k] >> 15) + c.sh[k]);
P9_SATURATE3(vmhraddshs, sh, INT16_MIN, INT16_MAX,
	     ((a.sh[k] * b.sh[k] + 0x4000) >> 15) + c.sh[k]);
P9_LANES3_AS(vmladduhm, IR_MULTIPLY_ADD_16, h, (uint32_t)a.h[k] * b.h[k] + c.h[k]);

/* Multiply-sum: all products inside a word, and the word of VRC. */
#define PRODUCTS4(ma, mb)                                                                          \
	((int64_t)a.ma[4 * k] * b.mb[4 * k] + (int64_t)a.ma[4 * k + 1] * b.mb[4 * k + 1] +         \
	 (int64_t)a.ma[4 * k + 2] * b.mb[4 * k + 2] + (int64_t)a.ma[4 * k + 3] * b.mb[4 * k + 3])
#define PRODUCTS2(m)                                                                               \
	((int64_t)a.m[2 * k] * b.m[2 * k] + (int64_t)a.m[2 * k + 1] * b.m[2 * k + 1])

P9_LANES3(vmsumubm, w, (uint32_t)(PRODUCTS4(b, b) + c.w[k]));
P9_LANES3(vmsummbm, w, (uint32_t)(PRODUCTS4(sb, b) + c.sw[k]));
P9_LANES3(vmsumuhm, w, (uint32_t)(PRODUCTS2(h) + c.w[k]));
P9_LANES3(vmsumshm, w, (uint32_t)(PRODUCTS2(sh) + c.sw[k]));
P9_SATURATE3(vmsumuhs, w, 0, UINT32_MAX, PRODUCTS2(h) + c.w[k]);
P9_SATURATE3(vmsumshs, sw, INT32_MIN, INT32_MAX, PRODUCTS2(sh) + c.sw[k]);

static void p9_v_vmsumudm(P9_PARAMS_VVV)
{
	union p9_vec a = {*pa}, b = {*pb};

	(void)env;
	*out = (u128)a.d[0] * b.d[0] + (u128)a.d[1] * b.d[1] + *pc;
}
P9_HELPER_V_VVV(vmsumudm, IR_H_PURE);
