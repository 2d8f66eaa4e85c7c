/*
 * Decimal formats (Power ISA 3.0B, Book I 5.4.1 and appendix B): combination field, exponent
 * continuation and declets.
 */
#include "cpu/power9/dfp_core.h"

const struct p9_dfp_format p9_dfp_short = {
	.bits = 32,
	.exp_bits = 6,
	.declets = 2,
	.digits = 7,
	.bias = 101,
	.emax = 90,
};

const struct p9_dfp_format p9_dfp_long = {
	.bits = 64,
	.exp_bits = 8,
	.declets = 5,
	.digits = 16,
	.bias = 398,
	.emax = 369,
	.wrap = 576,
};

const struct p9_dfp_format p9_dfp_extended = {
	.bits = 128,
	.exp_bits = 12,
	.declets = 11,
	.digits = 34,
	.bias = 6176,
	.emax = 6111,
	.wrap = 9216,
};

/*
 * Declets. Of three digits each is small (0 to 7, three bits) or large (8 or 9, one bit); what is
 * not needed for the bits of large ones tells which they are. The names of the bits are those of
 * appendix B: p q r s t u v w x y.
 */
#define BIT(d, n)       ((d) >> (n)&1)
#define OCTAL(d, h, l)  (BIT(d, h) << 2 | BIT(d, (h)-1) << 1 | BIT(d, l))
#define PQR(d)          OCTAL(d, 9, 7)
#define STU(d)          OCTAL(d, 6, 4)
#define WXY(d)          OCTAL(d, 2, 0)
#define PQ(d, last)     (BIT(d, 9) << 2 | BIT(d, 8) << 1 | BIT(d, last))
#define ST(d, last)     (BIT(d, 6) << 2 | BIT(d, 5) << 1 | BIT(d, last))
#define LARGE(d, last)  (8 | BIT(d, last))
#define NUMBER(a, b, c) (100 * (a) + 10 * (b) + (c))

/* w, x (where v is 1) and s, t (where those are 1 too) choose the row of the table. */
#define DECODE_ST(d)                                                                               \
	(BIT(d, 6)   ? BIT(d, 5) ? NUMBER(LARGE(d, 7), LARGE(d, 4), LARGE(d, 0))                   \
				 : NUMBER(PQR(d), LARGE(d, 4), LARGE(d, 0))                        \
	   : BIT(d, 5) ? NUMBER(LARGE(d, 7), PQ(d, 4), LARGE(d, 0))                                \
		     : NUMBER(LARGE(d, 7), LARGE(d, 4), PQ(d, 0)))
#define DECODE_WX(d)                                                                               \
	(BIT(d, 2)   ? BIT(d, 1) ? DECODE_ST(d) : NUMBER(LARGE(d, 7), STU(d), PQ(d, 0))            \
	   : BIT(d, 1) ? NUMBER(PQR(d), LARGE(d, 4), ST(d, 0))                                     \
		     : NUMBER(PQR(d), STU(d), LARGE(d, 0)))
#define DECODE(d) (BIT(d, 3) ? DECODE_WX(d) : NUMBER(PQR(d), STU(d), WXY(d)))

#define TABLE4(m, n)  m(n), m((n) + 1), m((n) + 2), m((n) + 3)
#define TABLE16(m, n) TABLE4(m, n), TABLE4(m, (n) + 4), TABLE4(m, (n) + 8), TABLE4(m, (n) + 12)
#define TABLE64(m, n)                                                                              \
	TABLE16(m, n), TABLE16(m, (n) + 16), TABLE16(m, (n) + 32), TABLE16(m, (n) + 48)
#define TABLE256(m, n)                                                                             \
	TABLE64(m, n), TABLE64(m, (n) + 64), TABLE64(m, (n) + 128), TABLE64(m, (n) + 192)
#define TABLE1024(m) TABLE256(m, 0), TABLE256(m, 256), TABLE256(m, 512), TABLE256(m, 768)

static const uint16_t from_declet[1024] = {TABLE1024(DECODE)};

/* The preferred declet of a number from 0 to 999 (those after it are not used). */
#define D2(n)           ((n) / 100)
#define D1(n)           ((n) / 10 % 10)
#define D0(n)           ((n) % 10)
#define LOW3(d)         ((d)&7)
#define HIGH2(d)        ((d)&6)
#define LOW1(d)         ((d)&1)
#define IS_LARGE(d)     ((d) >= 8)
#define DECLET(p, s, w) ((p) << 7 | (s) << 4 | (w))

#define ENCODE_LARGE2(n)                                                                           \
	(IS_LARGE(D1(n))                                                                           \
		 ? IS_LARGE(D0(n))                                                                 \
			   ? DECLET(LOW1(D2(n)), 6 | LOW1(D1(n)), 14 | LOW1(D0(n)))                \
			   : DECLET(HIGH2(D0(n)) | LOW1(D2(n)), LOW1(D1(n)), 14 | LOW1(D0(n)))     \
	 : IS_LARGE(D0(n)) ? DECLET(HIGH2(D1(n)) | LOW1(D2(n)), 2 | LOW1(D1(n)), 14 | LOW1(D0(n))) \
			   : DECLET(HIGH2(D0(n)) | LOW1(D2(n)), LOW3(D1(n)), 12 | LOW1(D0(n))))
#define ENCODE_SMALL2(n)                                                                           \
	(IS_LARGE(D1(n))                                                                           \
		 ? IS_LARGE(D0(n))                                                                 \
			   ? DECLET(LOW3(D2(n)), 4 | LOW1(D1(n)), 14 | LOW1(D0(n)))                \
			   : DECLET(LOW3(D2(n)), HIGH2(D0(n)) | LOW1(D1(n)), 10 | LOW1(D0(n)))     \
	 : IS_LARGE(D0(n)) ? DECLET(LOW3(D2(n)), LOW3(D1(n)), 8 | LOW1(D0(n)))                     \
			   : DECLET(LOW3(D2(n)), LOW3(D1(n)), LOW3(D0(n))))
#define ENCODE(n) (IS_LARGE(D2(n)) ? ENCODE_LARGE2(n) : ENCODE_SMALL2(n))

static const uint16_t to_declet[1024] = {TABLE1024(ENCODE)};

#define POWER(n) UINT64_C(1##n)
#define BIG(n)   ((p9_u128)POWER(0000000000000000000) * POWER(n))

const p9_u128 p9_dfp_power[39] = {
	1,
	POWER(0),
	POWER(00),
	POWER(000),
	POWER(0000),
	POWER(00000),
	POWER(000000),
	POWER(0000000),
	POWER(00000000),
	POWER(000000000),
	POWER(0000000000),
	POWER(00000000000),
	POWER(000000000000),
	POWER(0000000000000),
	POWER(00000000000000),
	POWER(000000000000000),
	POWER(0000000000000000),
	POWER(00000000000000000),
	POWER(000000000000000000),
	POWER(0000000000000000000),
	BIG(0),
	BIG(00),
	BIG(000),
	BIG(0000),
	BIG(00000),
	BIG(000000),
	BIG(0000000),
	BIG(00000000),
	BIG(000000000),
	BIG(0000000000),
	BIG(00000000000),
	BIG(000000000000),
	BIG(0000000000000),
	BIG(00000000000000),
	BIG(000000000000000),
	BIG(0000000000000000),
	BIG(00000000000000000),
	BIG(000000000000000000),
	BIG(0000000000000000000),
};

int p9_dfp_digits(p9_u128 v)
{
	uint64_t high = (uint64_t)(v >> 64);
	int bits, guess;

	if (!v)
		return 0;
	bits = high ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll((uint64_t)v);
	/* 1233 / 4096 is the logarithm of 2, well enough for 128 bits. */
	guess = bits * 1233 >> 12;
	return guess + (v >= p9_dfp_power[guess]);
}

/* The digits of the trailing significand field behind the leftmost one. */
static p9_u128 decode_trailing(const struct p9_dfp_format *f, p9_u128 bits, unsigned leftmost)
{
	uint64_t high = leftmost, low = 0;
	unsigned n = f->declets;

	/* A doubleword has room for six declets, and for five with the leftmost digit. */
	while (n > (f->declets > 6 ? 6 : 0))
		high = high * 1000 + from_declet[(uint64_t)(bits >> (10 * --n)) & 1023];
	if (!n)
		return high;
	while (n > 0)
		low = low * 1000 + from_declet[(uint64_t)(bits >> (10 * --n)) & 1023];
	return high * p9_dfp_power[18] + low;
}

static p9_u128 encode_trailing(const struct p9_dfp_format *f, p9_u128 coef, unsigned *leftmost)
{
	p9_u128 bits = 0;
	unsigned n = 0;
	uint64_t v = (uint64_t)coef;

	if (f->declets > 6) {
		uint64_t high = (uint64_t)(coef / p9_dfp_power[18]);

		v -= high * (uint64_t)p9_dfp_power[18];
		for (; n < 6; n++, v /= 1000)
			bits |= (p9_u128)to_declet[v % 1000] << (10 * n);
		v = high;
	}
	for (; n < f->declets; n++, v /= 1000)
		bits |= (p9_u128)to_declet[v % 1000] << (10 * n);
	*leftmost = v % 10;
	return bits;
}

struct p9_dfp_num p9_dfp_unpack(const struct p9_dfp_format *f, p9_u128 bits)
{
	struct p9_dfp_num n = {.cls = P9_DFP_FINITE, .neg = (uint64_t)(bits >> (f->bits - 1)) & 1};
	unsigned combination = (unsigned)(bits >> (f->bits - 6)) & 31;
	unsigned high, leftmost, low_mask = (1u << f->exp_bits) - 1;

	if (combination >= 30) {
		if (combination == 30)
			n.cls = P9_DFP_INF;
		else
			n.cls = (unsigned)(bits >> (f->bits - 7)) & 1 ? P9_DFP_SNAN : P9_DFP_QNAN;
		n.coef = decode_trailing(f, bits, 0);
		return n;
	}
	if (combination < 24) {
		high = combination >> 3;
		leftmost = combination & 7;
	} else {
		high = combination >> 1 & 3;
		leftmost = 8 | (combination & 1);
	}
	n.exp = (int)(high << f->exp_bits | ((unsigned)(bits >> (10 * f->declets)) & low_mask)) -
		f->bias;
	n.coef = decode_trailing(f, bits, leftmost);
	return n;
}

p9_u128 p9_dfp_pack(const struct p9_dfp_format *f, const struct p9_dfp_num *n)
{
	unsigned leftmost, combination, biased, high;
	p9_u128 coef = n->coef, bits;

	if (coef >= p9_dfp_power[f->digits])
		coef %= p9_dfp_power[f->digits];
	bits = encode_trailing(f, coef, &leftmost);
	bits |= (p9_u128)n->neg << (f->bits - 1);
	switch (n->cls) {
	case P9_DFP_INF:
		return bits | (p9_u128)30 << (f->bits - 6);
	case P9_DFP_QNAN:
		return bits | (p9_u128)62 << (f->bits - 7);
	case P9_DFP_SNAN:
		return bits | (p9_u128)63 << (f->bits - 7);
	case P9_DFP_FINITE:
		break;
	}
	biased = (unsigned)(n->exp + f->bias);
	high = biased >> f->exp_bits & 3;
	combination = leftmost < 8 ? high << 3 | leftmost : 24 | high << 1 | (leftmost & 1);
	biased &= (1u << f->exp_bits) - 1;
	return bits | (p9_u128)combination << (f->bits - 6) | (p9_u128)biased << (10 * f->declets);
}
