/*
 * Scalar conversions: integers, integral values, the other formats; single loads and stores.
 */
#include "cpu/power9/fpu_core.h"
#include "cpu/power9/fpu_fast.h"

#define SIGN BIT64(63)
#define FRAC (BIT64(52) - 1)
#define BIAS 1023

static inline int biased_exp(uint64_t b)
{
	return (int)(b >> 52) & 0x7ff;
}

/*
 * The ISA's DOUBLE and SINGLE. They move fields; a denormal single is normalised, a double too
 * small for a normal single denormalised with its low bits lost. What is smaller still is
 * undefined in the ISA, and a zero here.
 */
uint64_t p9_fpu_double(uint32_t word)
{
	uint64_t sign = (uint64_t)(word >> 31) << 63;
	uint64_t frac = word & 0x7fffff;
	uint64_t exp = (word >> 23) & 0xff;
	int shift;

	if (exp == 0xff)
		exp = 0x7ff;
	else if (exp)
		exp += BIAS - 127;
	else if (frac) {
		shift = __builtin_clzll(frac) - 40; /* leading one to bit 23 */
		frac = (frac << shift) & 0x7fffff;
		exp = (uint64_t)(BIAS - 126 - shift);
	}
	return sign | exp << 52 | frac << 29;
}

uint32_t p9_fpu_single(uint64_t dword)
{
	int exp = biased_exp(dword);
	uint32_t sign = (uint32_t)(dword >> 63) << 31;

	if (exp > 896)
		return (uint32_t)(dword >> 32 & 0xc0000000) | (uint32_t)(dword >> 29 & 0x3fffffff);
	if (exp >= 874)
		return sign | (uint32_t)(((dword & FRAC) | BIT64(52)) >> (29 + 897 - exp));
	return sign;
}

/* xscvspdpn is a load without the load. */
uint64_t p9_fpu_cvspdpn(uint32_t b)
{
	return p9_fpu_double(b);
}

/* As p9_fpu_single, but defined for every operand: the bits below those of a single are lost. */
uint32_t p9_fpu_cvdpspn(uint64_t b)
{
	return p9_fpu_single(b);
}

/*
 * The magnitude of a finite double with exponent < 63 as an integer, and how it was rounded.
 */
static inline uint64_t integer_part(uint64_t b, enum p9_fp_round mode, bool *inexact, bool *up)
{
	uint64_t m = biased_exp(b) ? (b & FRAC) | BIT64(52) : b & FRAC;
	int shift = BIAS + 52 - (biased_exp(b) ? biased_exp(b) : 1);
	bool half, more;

	if (shift <= 0) {
		*inexact = *up = false;
		return m << -shift;
	}
	if (shift > 63)
		shift = 63; /* all of the 53 bits are lost anyway */
	half = m >> (shift - 1) & 1;
	more = m & ((BIT64(shift) >> 1) - 1);
	m >>= shift;
	*inexact = half | more;
	*up = p9_fp_round_up(mode, b >> 63, m & 1, half, more);
	return m + *up;
}

static struct p9_fp_num unpack(uint64_t bits)
{
	return p9_fp_unpack(&p9_fp_double, bits);
}

/* As p9_fp_finish, with a shorter way for normal numbers and zeros. */
static bool finish_double(uint64_t *fpscr, const struct p9_fp_op *op, uint64_t bits)
{
	bool zero = p9_fast_zero(bits);
	struct p9_fp_num r;

	if (UNLIKELY(!p9_fast_normal(bits) & !zero)) {
		r = unpack(bits);
		return p9_fp_finish(fpscr, op, &r);
	}
	if (!p9_fp_finish_int(fpscr, op))
		return false;
	*fpscr = (*fpscr & ~P9_FPSCR_FPRF) | p9_fast_fprf(bits);
	return true;
}

static uint64_t raised_by_rounding(bool inexact, bool up)
{
	return (inexact ? P9_FPSCR_XX | P9_FPSCR_FI : 0) | (up ? P9_FPSCR_FR : 0);
}

uint64_t p9_fp_double_integral(struct p9_fp_op *op, uint64_t b, enum p9_fp_round mode, bool exact)
{
	struct p9_fp_num x, r;
	bool inexact, up;
	uint64_t m;

	if (LIKELY(biased_exp(b) < BIAS + 52)) {
		m = integer_part(b, mode, &inexact, &up);
		if (exact)
			op->raised = raised_by_rounding(inexact, up);
		return p9_fast_bits((double)(int64_t)m) | (b & SIGN); /* exact, below 2^53 */
	}
	x = unpack(b);
	r = p9_fp_integral(op, &x, mode, exact);
	return (uint64_t)p9_fp_pack(&p9_fp_double, &r);
}

static uint64_t round_integral(uint64_t *fpscr, uint64_t b, uint64_t old, enum p9_fp_round mode,
			       bool exact)
{
	struct p9_fp_op op = p9_fp_begin(*fpscr, &p9_fp_double);
	uint64_t bits = p9_fp_double_integral(&op, b, mode, exact);

	return finish_double(fpscr, &op, bits) ? bits : old;
}

uint64_t p9_fpu_rin(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	return round_integral(fpscr, b, old, P9_ROUND_AWAY, false);
}

uint64_t p9_fpu_riz(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	return round_integral(fpscr, b, old, P9_ROUND_ZERO, false);
}

uint64_t p9_fpu_rip(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	return round_integral(fpscr, b, old, P9_ROUND_UP, false);
}

uint64_t p9_fpu_rim(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	return round_integral(fpscr, b, old, P9_ROUND_DOWN, false);
}

uint64_t p9_fpu_ric(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	return round_integral(fpscr, b, old, *fpscr & P9_FPSCR_RN, true);
}

uint64_t p9_fp_double_to_int(struct p9_fp_op *op, uint64_t b, enum p9_fp_round mode, unsigned bits,
			     bool is_signed)
{
	struct p9_fp_num x;
	bool inexact, up;
	uint64_t r;

	/* Well within range, so that rounding does not leave it. */
	if (LIKELY(biased_exp(b) < BIAS + (int)bits - 2 && (is_signed || !(b >> 63)))) {
		r = integer_part(b, mode, &inexact, &up);
		op->raised = raised_by_rounding(inexact, up);
		return b >> 63 ? -r : r;
	}
	x = unpack(b);
	return p9_fp_to_int(op, &x, mode, bits, is_signed);
}

static uint64_t to_int(uint64_t *fpscr, uint64_t b, uint64_t old, enum p9_fp_round mode,
		       unsigned bits, bool is_signed)
{
	struct p9_fp_op op = p9_fp_begin(*fpscr, &p9_fp_double);
	uint64_t r = p9_fp_double_to_int(&op, b, mode, bits, is_signed);

	if (!p9_fp_finish_int(fpscr, &op))
		return old;
	return bits == 32 ? r << 32 | (uint32_t)r : r;
}

uint64_t p9_fpu_ctid(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	return to_int(fpscr, b, old, *fpscr & P9_FPSCR_RN, 64, true);
}

uint64_t p9_fpu_ctidz(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	return to_int(fpscr, b, old, P9_ROUND_ZERO, 64, true);
}

uint64_t p9_fpu_ctidu(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	return to_int(fpscr, b, old, *fpscr & P9_FPSCR_RN, 64, false);
}

uint64_t p9_fpu_ctiduz(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	return to_int(fpscr, b, old, P9_ROUND_ZERO, 64, false);
}

uint64_t p9_fpu_ctiw(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	return to_int(fpscr, b, old, *fpscr & P9_FPSCR_RN, 32, true);
}

uint64_t p9_fpu_ctiwz(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	return to_int(fpscr, b, old, P9_ROUND_ZERO, 32, true);
}

uint64_t p9_fpu_ctiwu(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	return to_int(fpscr, b, old, *fpscr & P9_FPSCR_RN, 32, false);
}

uint64_t p9_fpu_ctiwuz(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	return to_int(fpscr, b, old, P9_ROUND_ZERO, 32, false);
}

/* Never out of range, never tiny. */
uint64_t p9_fp_double_from_int(struct p9_fp_op *op, uint64_t v, bool is_signed, int prec)
{
	bool neg = is_signed && v >> 63, half, more, up;
	uint64_t rest, r;
	int shift;

	if (!v)
		return 0;
	if (neg)
		v = -v;
	shift = __builtin_clzll(v);
	v <<= shift;
	rest = v << prec;
	v >>= 64 - prec;
	half = rest >> 63;
	more = rest << 1;
	up = p9_fp_round_up(op->round, neg, v & 1, half, more);
	op->raised = raised_by_rounding(half | more, up);
	/* The hidden bit, or a carry beyond it, goes into the exponent. */
	r = (uint64_t)(BIAS + 63 - shift - 1) << 52;
	return (uint64_t)neg << 63 | (r + ((v + up) << (53 - prec)));
}

static uint64_t from_int(uint64_t *fpscr, uint64_t v, bool is_signed, int prec)
{
	struct p9_fp_op op = p9_fp_begin(*fpscr, &p9_fp_double);
	uint64_t bits = p9_fp_double_from_int(&op, v, is_signed, prec);

	finish_double(fpscr, &op, bits);
	return bits;
}

uint64_t p9_fpu_cfid(uint64_t *fpscr, uint64_t b)
{
	return from_int(fpscr, b, true, 53);
}

uint64_t p9_fpu_cfidu(uint64_t *fpscr, uint64_t b)
{
	return from_int(fpscr, b, false, 53);
}

uint64_t p9_fpu_cfids(uint64_t *fpscr, uint64_t b)
{
	return from_int(fpscr, b, true, 24);
}

uint64_t p9_fpu_cfidus(uint64_t *fpscr, uint64_t b)
{
	return from_int(fpscr, b, false, 24);
}

static uint64_t convert(uint64_t *fpscr, uint64_t b, uint64_t old, const struct p9_fp_format *from,
			const struct p9_fp_format *to)
{
	struct p9_fp_op op = p9_fp_begin(*fpscr, to);
	struct p9_fp_num r = p9_fp_convert(&op, from, b);

	return p9_fp_finish(fpscr, &op, &r) ? (uint64_t)p9_fp_pack(to, &r) : old;
}

uint32_t p9_fpu_cvdpsp(uint64_t *fpscr, uint64_t b, uint32_t old)
{
	struct p9_fast r = {.bits = b};

	if (LIKELY(p9_fast_mode(*fpscr) && p9_fast_narrow(&r)))
		return p9_fast_to_single(p9_fast_finish(fpscr, &r));
	return (uint32_t)convert(fpscr, b, old, &p9_fp_double, &p9_fp_single);
}

uint64_t p9_fpu_cvspdp(uint64_t *fpscr, uint32_t b, uint64_t old)
{
	struct p9_fast r = {.bits = p9_fpu_double(b)};

	if (LIKELY(p9_fast_normal(r.bits) || p9_fast_zero(r.bits)))
		return p9_fast_finish(fpscr, &r);
	return convert(fpscr, b, old, &p9_fp_single, &p9_fp_double);
}

uint16_t p9_fpu_cvdphp(uint64_t *fpscr, uint64_t b, uint16_t old)
{
	return (uint16_t)convert(fpscr, b, old, &p9_fp_double, &p9_fp_half);
}

uint64_t p9_fpu_cvhpdp(uint64_t *fpscr, uint16_t b, uint64_t old)
{
	return convert(fpscr, b, old, &p9_fp_half, &p9_fp_double);
}
