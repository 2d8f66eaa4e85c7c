/*
 * VMX integer multiplies and multiply-sums (Book I 6.9.1.3, 6.9.1.4).
 */
#include "cpu/power9/helper_vec.h"

P9_LANES2(vmuluwm, w, a.w[k] * b.w[k]);

/*
 * Even and odd multiplies: product lane k comes from element 2k (even) or 2k + 1 (odd) of the
 * lanes half as wide, in the ISA's numbers.
 */
#define MULTIPLY(id, from, to, type, odd)                                                          \
	static void p9_v_##id(P9_PARAMS_VV)                                                        \
	{                                                                                          \
		union p9_vec a = {*pa}, b = {*pb}, d;                                              \
                                                                                                   \
		(void)env;                                                                         \
		for (unsigned e = 0; e < ARRAY_SIZE(d.to); e++)                                    \
			VE(d, to, e) = (type)VE(a, from, 2 * e + odd) * VE(b, from, 2 * e + odd);  \
		*out = d.q;                                                                        \
	}                                                                                          \
	P9_HELPER_V_VV(id, IR_H_PURE)

MULTIPLY(vmulesb, sb, sh, int32_t, 0);
MULTIPLY(vmulosb, sb, sh, int32_t, 1);
MULTIPLY(vmuleub, b, h, uint32_t, 0);
MULTIPLY(vmuloub, b, h, uint32_t, 1);
MULTIPLY(vmulesh, sh, sw, int32_t, 0);
MULTIPLY(vmulosh, sh, sw, int32_t, 1);
MULTIPLY(vmuleuh, h, w, uint32_t, 0);
MULTIPLY(vmulouh, h, w, uint32_t, 1);
MULTIPLY(vmulesw, sw, sd, int64_t, 0);
MULTIPLY(vmulosw, sw, sd, int64_t, 1);
MULTIPLY(vmuleuw, w, d, uint64_t, 0);
MULTIPLY(vmulouw, w, d, uint64_t, 1);

/* Multiply-high-add: the upper 17 bits of the product, and VRC. */
P9_SATURATE3(vmhaddshs, sh, INT16_MIN, INT16_MAX, (a.sh[k] * b.sh[k] >> 15) + c.sh[k]);
P9_SATURATE3(vmhraddshs, sh, INT16_MIN, INT16_MAX,
	     ((a.sh[k] * b.sh[k] + 0x4000) >> 15) + c.sh[k]);
P9_LANES3(vmladduhm, h, (uint32_t)a.h[k] * b.h[k] + c.h[k]);

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
