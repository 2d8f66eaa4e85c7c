/*
 * VMX bit work: counts, parity, bit gathering and permutation, shifts of the whole register,
 * rotates under mask (Book I 6.8.6, 6.9.3 - 6.9.5, 6.13).
 */
#include "cpu/power9/helper_vec.h"
#include "util/bits.h"

P9_LANES1(vclzb, b, a.b[k] ? __builtin_clz(a.b[k]) - 24 : 8);
P9_LANES1(vclzh, h, a.h[k] ? __builtin_clz(a.h[k]) - 16 : 16);
P9_LANES1(vclzw, w, a.w[k] ? __builtin_clz(a.w[k]) : 32);
P9_LANES1_AS(vclzd, IR_CLZ_64, d, a.d[k] ? __builtin_clzll(a.d[k]) : 64);
P9_LANES1(vctzb, b, a.b[k] ? __builtin_ctz(a.b[k]) : 8);
P9_LANES1(vctzh, h, a.h[k] ? __builtin_ctz(a.h[k]) : 16);
P9_LANES1(vctzw, w, a.w[k] ? __builtin_ctz(a.w[k]) : 32);
P9_LANES1(vctzd, d, a.d[k] ? __builtin_ctzll(a.d[k]) : 64);
P9_LANES1_AS(vpopcntb, IR_POPCNT_8, b, __builtin_popcount(a.b[k]));
P9_LANES1_AS(vpopcnth, IR_POPCNT_16, h, __builtin_popcount(a.h[k]));
P9_LANES1_AS(vpopcntw, IR_POPCNT_32, w, __builtin_popcount(a.w[k]));
P9_LANES1_AS(vpopcntd, IR_POPCNT_64, d, __builtin_popcountll(a.d[k]));

/* Parity of the least significant bits of an element's bytes. */
P9_LANES1(vprtybw, w, __builtin_parity(a.w[k] & 0x01010101));
P9_LANES1(vprtybd, d, __builtin_parityll(a.d[k] & UINT64_C(0x0101010101010101)));

static void p9_v_vprtybq(P9_PARAMS_V)
{
	union p9_vec a = {*pa};

	(void)env;
	*out = (unsigned)__builtin_parityll((a.d[0] ^ a.d[1]) & UINT64_C(0x0101010101010101));
}
P9_HELPER_V_V(vprtybq, IR_H_PURE);

/* Each doubleword is a matrix of 8 by 8 bits; transpose it. */
static uint64_t transpose8(uint64_t x)
{
	uint64_t t;

	t = (x ^ x >> 7) & UINT64_C(0x00aa00aa00aa00aa);
	x ^= t ^ t << 7;
	t = (x ^ x >> 14) & UINT64_C(0x0000cccc0000cccc);
	x ^= t ^ t << 14;
	t = (x ^ x >> 28) & UINT64_C(0x00000000f0f0f0f0);
	x ^= t ^ t << 28;
	return x;
}

P9_LANES1_AS(vgbbd, IR_TRANSPOSE_8X8, d, transpose8(a.d[k]));

/* Sixteen bits of VRA, chosen by the bytes of VRB, to bits 48:63; an index above 127 gives 0. */
static void p9_v_vbpermq(P9_PARAMS_VV)
{
	union p9_vec b = {*pb};
	u128 a = *pa;
	unsigned bits = 0;

	(void)env;
	for (unsigned e = 0; e < 16; e++) {
		unsigned index = VE(b, b, e);

		bits = bits << 1 | (index < 128 ? (unsigned)(a >> (127 - index)) & 1 : 0);
	}
	*out = (u128)bits << 64;
}
P9_INTRINSIC_V_VV(vbpermq, IR_GATHER_BITS);

/* Eight bits of each doubleword, an index above 63 gives 0. */
static uint64_t bit_permute(uint64_t a, uint64_t indices)
{
	uint64_t bits = 0;

	for (int shift = 56; shift >= 0; shift -= 8) {
		unsigned index = indices >> shift & 0xff;

		bits = bits << 1 | (index < 64 ? a >> (63 - index) & 1 : 0);
	}
	return bits;
}

P9_LANES2(vbpermd, d, bit_permute(a.d[k], b.d[k]));

/* Shifts of the whole register: by bits (0..7), by octets. */

static void p9_v_vsl(P9_PARAMS_VV)
{
	(void)env;
	*out = *pa << (*pb & 7);
}
P9_HELPER_V_VV(vsl, IR_H_PURE);

static void p9_v_vsr(P9_PARAMS_VV)
{
	(void)env;
	*out = *pa >> (*pb & 7);
}
P9_HELPER_V_VV(vsr, IR_H_PURE);

static void p9_v_vslo(P9_PARAMS_VV)
{
	(void)env;
	*out = *pa << (*pb & 0x78);
}
P9_HELPER_V_VV(vslo, IR_H_PURE);

static void p9_v_vsro(P9_PARAMS_VV)
{
	(void)env;
	*out = *pa >> (*pb & 0x78);
}
P9_HELPER_V_VV(vsro, IR_H_PURE);

/* Each byte with its right (left) neighbour, shifted by its own amount; zero beyond the end. */

static void p9_v_vslv(P9_PARAMS_VV)
{
	union p9_vec a = {*pa}, b = {*pb}, d;

	(void)env;
	for (unsigned e = 0; e < 16; e++) {
		unsigned pair = VE(a, b, e) << 8 | (e < 15 ? VE(a, b, e + 1) : 0);

		VE(d, b, e) = pair << (VE(b, b, e) & 7) >> 8;
	}
	*out = d.q;
}
P9_HELPER_V_VV(vslv, IR_H_PURE);

static void p9_v_vsrv(P9_PARAMS_VV)
{
	union p9_vec a = {*pa}, b = {*pb}, d;

	(void)env;
	for (unsigned e = 0; e < 16; e++) {
		unsigned pair = (e > 0 ? VE(a, b, e - 1) : 0) << 8 | VE(a, b, e);

		VE(d, b, e) = pair >> (VE(b, b, e) & 7);
	}
	*out = d.q;
}
P9_HELPER_V_VV(vsrv, IR_H_PURE);

/*
 * Rotate under mask. An element of VRB holds the mask's first bit, its last bit and the shift,
 * in its third, second and first byte from the right; a mask may wrap around.
 */
static uint64_t wrap_mask64(unsigned first, unsigned last)
{
	return first <= last ? mask64_be(first, last) : ~mask64_be(last + 1, first - 1);
}

static uint64_t mask_d(uint64_t b)
{
	unsigned first = b >> 16 & 63, last = b >> 8 & 63;

	return first == ((last + 1) & 63) ? ~UINT64_C(0) : wrap_mask64(first, last);
}

static uint32_t mask_w(uint32_t b)
{
	unsigned first = b >> 16 & 31, last = b >> 8 & 31;

	if (first == ((last + 1) & 31))
		return UINT32_MAX;
	if (first <= last)
		return (uint32_t)mask64_be(first + 32, last + 32);
	return ~(uint32_t)mask64_be(last + 33, first + 31);
}

P9_LANES2(vrlwnm, w, rotl32(a.w[k], b.w[k]) & mask_w(b.w[k]));
P9_LANES2(vrldnm, d, rotl64(a.d[k], b.d[k] & 63) & mask_d(b.d[k]));
P9_LANES3(vrlwmi, w, (rotl32(a.w[k], b.w[k]) & mask_w(b.w[k])) | (c.w[k] & ~mask_w(b.w[k])));
P9_LANES3(vrldmi, d, (rotl64(a.d[k], b.d[k] & 63) & mask_d(b.d[k])) | (c.d[k] & ~mask_d(b.d[k])));

/* The sign bits of the bytes; of a comparison's result they tell all. */
static uint64_t p9_v_vec_signs(struct ir_env *env, const u128 *pa)
{
	union p9_vec a = {*pa};
	uint64_t signs = 0;

	(void)env;
	for (unsigned e = 0; e < 16; e++)
		signs = signs << 1 | VE(a, b, e) >> 7;
	return signs;
}
P9_INTRINSIC_I_V(vec_signs, IR_BYTE_SIGNS);

/* Leading (trailing) bytes whose least significant bit is 0. */

static uint64_t p9_v_vclzlsbb(struct ir_env *env, const u128 *pa)
{
	union p9_vec a = {*pa};
	unsigned count = 0;

	(void)env;
	while (count < 16 && !(VE(a, b, count) & 1))
		count++;
	return count;
}
P9_INTRINSIC_I_V(vclzlsbb, IR_UPPER_EVEN_BYTES);

static uint64_t p9_v_vctzlsbb(struct ir_env *env, const u128 *pa)
{
	union p9_vec a = {*pa};
	unsigned count = 0;

	(void)env;
	while (count < 16 && !(VE(a, b, 15 - count) & 1))
		count++;
	return count;
}
P9_INTRINSIC_I_V(vctzlsbb, IR_LOWER_EVEN_BYTES);
