/*
 * VMX packs with saturation, and pixels (Book I 6.8.1). Packs modulo and integer unpacks are byte
 * permutations and are emitted as such.
 */
#include "cpu/power9/helper_vec.h"

/* VRA's elements fill the left half, VRB's the right one. `clamp` narrows one element x. */
#define PACK(id, from, to, lo, hi)                                                                 \
	static void p9_v_##id(P9_PARAMS_VV)                                                        \
	{                                                                                          \
		union p9_vec a = {*pa}, b = {*pb}, d;                                              \
		bool sat = false;                                                                  \
                                                                                                   \
		for (unsigned e = 0; e < ARRAY_SIZE(a.from); e++) {                                \
			VE(d, to, e) = P9_CLAMP(VE(a, from, e), lo, hi, sat);                      \
			VE(d, to, e + ARRAY_SIZE(a.from)) = P9_CLAMP(VE(b, from, e), lo, hi, sat); \
		}                                                                                  \
		if (sat)                                                                           \
			p9_set_sat(env);                                                           \
		*out = d.q;                                                                        \
	}                                                                                          \
	P9_HELPER_V_VV(id, P9_H_SATURATES)

PACK(vpkshss, sh, sb, INT8_MIN, INT8_MAX);
PACK(vpkshus, sh, b, 0, UINT8_MAX);
PACK(vpkuhus, h, b, 0, UINT8_MAX);
PACK(vpkswss, sw, sh, INT16_MIN, INT16_MAX);
PACK(vpkswus, sw, h, 0, UINT16_MAX);
PACK(vpkuwus, w, h, 0, UINT16_MAX);
PACK(vpksdss, sd, sw, INT32_MIN, INT32_MAX);
PACK(vpksdus, sd, w, 0, UINT32_MAX);

/* An unsigned doubleword does not fit the macro's int64_t. */
static void p9_v_vpkudus(P9_PARAMS_VV)
{
	union p9_vec a = {*pa}, b = {*pb}, d;
	bool sat = false;

	for (unsigned e = 0; e < 4; e++) {
		uint64_t x = e < 2 ? VE(a, d, e) : VE(b, d, e - 2);

		sat |= x > UINT32_MAX;
		VE(d, w, e) = x > UINT32_MAX ? UINT32_MAX : x;
	}
	if (sat)
		p9_set_sat(env);
	*out = d.q;
}
P9_HELPER_V_VV(vpkudus, P9_H_SATURATES);

/* A pixel of 8:8:8:8 bits becomes one of 1:5:5:5: the high five bits, of alpha the last one. */
static uint16_t pixel_pack(uint32_t w)
{
	return (w >> 24 & 1) << 15 | (w >> 19 & 31) << 10 | (w >> 11 & 31) << 5 | (w >> 3 & 31);
}

static void p9_v_vpkpx(P9_PARAMS_VV)
{
	union p9_vec a = {*pa}, b = {*pb}, d;

	(void)env;
	for (unsigned e = 0; e < 4; e++) {
		VE(d, h, e) = pixel_pack(VE(a, w, e));
		VE(d, h, e + 4) = pixel_pack(VE(b, w, e));
	}
	*out = d.q;
}
P9_HELPER_V_VV(vpkpx, IR_H_PURE);

/* And back: alpha sign-extended, colours zero-extended, each to a byte. */
static uint32_t pixel_unpack(uint16_t h)
{
	return (h >> 15 ? 0xff000000u : 0) | (uint32_t)(h >> 10 & 31) << 16 | (h >> 5 & 31) << 8 |
	       (h & 31);
}

static void p9_v_vupkhpx(P9_PARAMS_V)
{
	union p9_vec a = {*pa}, d;

	(void)env;
	for (unsigned e = 0; e < 4; e++)
		VE(d, w, e) = pixel_unpack(VE(a, h, e));
	*out = d.q;
}
P9_HELPER_V_V(vupkhpx, IR_H_PURE);

static void p9_v_vupklpx(P9_PARAMS_V)
{
	union p9_vec a = {*pa}, d;

	(void)env;
	for (unsigned e = 0; e < 4; e++)
		VE(d, w, e) = pixel_unpack(VE(a, h, e + 4));
	*out = d.q;
}
P9_HELPER_V_V(vupklpx, IR_H_PURE);
