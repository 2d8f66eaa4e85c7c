/*
 * Decimal format instructions (Power ISA 3.0B, Book I 5.6.6): digits as BCD, exponents as integers,
 * significands shifted. Infinities and NaNs have a significand too: their trailing significand
 * field, with zero for the leftmost digit.
 */
#include "cpu/power9/dfp_core.h"

/* The last sixteen digits. */
static uint64_t to_bcd(uint64_t v)
{
	uint64_t r = 0;

	for (unsigned n = 0; n < 64; n += 4, v /= 10)
		r |= v % 10 << n;
	return r;
}

p9_u128 p9_dfp_dedpd(const struct p9_dfp_format *f, p9_u128 bits, unsigned sp)
{
	struct p9_dfp_num b = p9_dfp_unpack(f, bits);
	p9_u128 unit = p9_dfp_power[16], r = to_bcd((uint64_t)(b.coef % unit));

	if (f->bits > 64)
		r |= (p9_u128)to_bcd((uint64_t)(b.coef / unit % unit)) << 64;
	/* SP: 0b0x no sign; 0b10 the code of a positive number is C, 0b11 F. */
	if (sp & 2)
		r = r << 4 | (b.neg ? 13 : sp & 1 ? 15 : 12);
	return r;
}

/* True if all is well. */
static bool from_bcd(struct p9_dfp_num *r, p9_u128 b, unsigned bits, bool with_sign)
{
	unsigned last = with_sign ? 4 : 0, sign = (unsigned)b & 15;

	*r = (struct p9_dfp_num){.cls = P9_DFP_FINITE};
	if (with_sign) {
		if (sign < 10)
			return false;
		r->neg = sign == 11 || sign == 13;
	}
	for (unsigned n = bits; n > last; n -= 4) {
		unsigned digit = (unsigned)(b >> (n - 4)) & 15;

		if (digit > 9)
			return false;
		r->coef = r->coef * 10 + digit;
	}
	return true;
}

p9_u128 p9_dfp_enbcd(P9_DFP_ARGS, p9_u128 b, p9_u128 old, unsigned s)
{
	struct p9_dfp_op op = p9_dfp_begin(*fpscr, f);
	struct p9_dfp_num r;

	if (!from_bcd(&r, b, f->bits, s))
		r = p9_dfp_invalid(&op, P9_FPSCR_VXCVI);
	return p9_dfp_finish(fpscr, &op, &r, old);
}

uint64_t p9_dfp_xex(const struct p9_dfp_format *f, p9_u128 bits)
{
	struct p9_dfp_num b = p9_dfp_unpack(f, bits);

	switch (b.cls) {
	case P9_DFP_INF:
		return (uint64_t)-1;
	case P9_DFP_QNAN:
		return (uint64_t)-2;
	case P9_DFP_SNAN:
		return (uint64_t)-3;
	default:
		return (uint64_t)(b.exp + f->bias);
	}
}

p9_u128 p9_dfp_iex(const struct p9_dfp_format *f, uint64_t a, p9_u128 bits)
{
	struct p9_dfp_num b = p9_dfp_unpack(f, bits);

	if (a <= (uint64_t)(f->emax + f->bias)) {
		b.cls = P9_DFP_FINITE;
		b.exp = (int)a - f->bias;
	} else if (a == (uint64_t)-1) {
		b.cls = P9_DFP_INF;
	} else {
		b.cls = a == (uint64_t)-3 ? P9_DFP_SNAN : P9_DFP_QNAN;
	}
	return p9_dfp_pack(f, &b);
}

p9_u128 p9_dfp_scli(const struct p9_dfp_format *f, p9_u128 bits, unsigned sh)
{
	struct p9_dfp_num a = p9_dfp_unpack(f, bits);

	if (sh >= (unsigned)f->digits)
		a.coef = 0;
	else
		a.coef = a.coef % p9_dfp_power[f->digits - (int)sh] * p9_dfp_power[sh];
	return p9_dfp_pack(f, &a);
}

p9_u128 p9_dfp_scri(const struct p9_dfp_format *f, p9_u128 bits, unsigned sh)
{
	struct p9_dfp_num a = p9_dfp_unpack(f, bits);

	a.coef = sh >= (unsigned)f->digits ? 0 : a.coef / p9_dfp_power[sh];
	return p9_dfp_pack(f, &a);
}
