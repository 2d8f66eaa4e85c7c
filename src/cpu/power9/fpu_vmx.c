/*
 * VMX floating-point lanes (Power ISA 3.0B, 6.10). Always rounded to nearest; no exceptions are
 * recorded. With VSCR[NJ] set ("non-Java", how Linux leaves it) denormals do not exist.
 */
#include "cpu/power9/fpu_core.h"
#include "cpu/power9/fpu_fast.h"

#define ONE   (UINT64_C(0x3ff) << 52)
#define SIGN  UINT32_C(0x80000000)
#define INF   UINT32_C(0x7f800000)
#define QUIET UINT32_C(0x00400000)
#define QNAN  UINT32_C(0x7fc00000)

static inline bool is_nan(uint32_t b)
{
	return (b & ~SIGN) > INF;
}

static inline uint32_t flush(uint32_t b, bool nj)
{
	return nj && !(b & INF) ? b & SIGN : b;
}

static inline bool safe(uint32_t bits)
{
	return (bits & ~SIGN) - (2u << 23) < 253u << 23;
}

/* Underflow is enabled in the core to learn of a tiny result, which then becomes a zero. */
static struct p9_fp_op begin(bool nj)
{
	return p9_fp_begin(nj ? P9_FPSCR_UE : 0, &p9_fp_single);
}

static uint32_t finish(struct p9_fp_op *op, struct p9_fp_num *r, bool negate)
{
	p9_fp_round(op, r);
	if (op->fpscr && op->raised & P9_FPSCR_UX)
		r->cls = P9_FP_ZERO;
	if (negate && !p9_fp_is_nan(r))
		r->neg = !r->neg;
	return (uint32_t)p9_fp_pack(&p9_fp_single, r);
}

static __attribute__((noinline)) uint32_t core_madd(uint32_t a, uint32_t b, uint32_t c, bool nmsub,
						    bool nj)
{
	struct p9_fp_op op = begin(nj);
	struct p9_fp_num x = p9_fp_unpack(&p9_fp_single, a);
	struct p9_fp_num y = p9_fp_unpack(&p9_fp_single, b);
	struct p9_fp_num z = p9_fp_unpack(&p9_fp_single, c);
	struct p9_fp_num r = p9_fp_madd(&op, &x, &y, &z, nmsub);

	return finish(&op, &r, nmsub);
}

static __attribute__((noinline)) uint32_t core_add(uint32_t a, uint32_t b, bool subtract, bool nj)
{
	struct p9_fp_op op = begin(nj);
	struct p9_fp_num x = p9_fp_unpack(&p9_fp_single, a);
	struct p9_fp_num y = p9_fp_unpack(&p9_fp_single, b);
	struct p9_fp_num r = subtract ? p9_fp_sub(&op, &x, &y) : p9_fp_add(&op, &x, &y);

	return finish(&op, &r, false);
}

uint32_t p9_vmx_addfp(uint32_t a, uint32_t b, bool nj)
{
	uint32_t s;

	a = flush(a, nj);
	b = flush(b, nj);
	s = p9_fast_float_bits(p9_fast_float(a) + p9_fast_float(b));
	return LIKELY(safe(s)) ? s : core_add(a, b, false, nj);
}

uint32_t p9_vmx_subfp(uint32_t a, uint32_t b, bool nj)
{
	uint32_t s;

	a = flush(a, nj);
	b = flush(b, nj);
	s = p9_fast_float_bits(p9_fast_float(a) - p9_fast_float(b));
	return LIKELY(safe(s)) ? s : core_add(a, b, true, nj);
}

uint32_t p9_vmx_maddfp(uint32_t a, uint32_t b, uint32_t c, bool nj)
{
	struct p9_fast r;

	a = flush(a, nj);
	b = flush(b, nj);
	c = flush(c, nj);
	if (LIKELY(p9_fast_madds(&r, p9_fast_widen(a), p9_fast_widen(b), p9_fast_widen(c))))
		return p9_fast_to_single(r.bits);
	return core_madd(a, b, c, false, nj);
}

uint32_t p9_vmx_nmsubfp(uint32_t a, uint32_t b, uint32_t c, bool nj)
{
	struct p9_fast r;

	a = flush(a, nj);
	b = flush(b, nj);
	c = flush(c, nj);
	if (LIKELY(p9_fast_madds(&r, p9_fast_widen(a), p9_fast_widen(b ^ SIGN), p9_fast_widen(c))))
		return p9_fast_to_single(r.bits) ^ SIGN;
	return core_madd(a, b, c, true, nj);
}

/* Unlike the maximum of VSX, any NaN wins. */
static uint32_t select(uint32_t a, uint32_t b, bool min, bool nj)
{
	uint64_t none = 0;

	a = flush(a, nj);
	b = flush(b, nj);
	if (is_nan(a))
		return a | QUIET;
	if (is_nan(b))
		return b | QUIET;
	return min ? p9_fpv_min_sp(0, &none, a, b) : p9_fpv_max_sp(0, &none, a, b);
}

uint32_t p9_vmx_maxfp(uint32_t a, uint32_t b, bool nj)
{
	return select(a, b, false, nj);
}

uint32_t p9_vmx_minfp(uint32_t a, uint32_t b, bool nj)
{
	return select(a, b, true, nj);
}

/* The estimates of VSX, without their exceptions. */
uint32_t p9_vmx_refp(uint32_t b, bool nj)
{
	uint64_t none = 0;

	return flush(p9_fpv_re_sp(0, &none, flush(b, nj)), nj);
}

uint32_t p9_vmx_rsqrtefp(uint32_t b, bool nj)
{
	uint64_t none = 0;

	return p9_fpv_rsqrte_sp(0, &none, flush(b, nj));
}

/*
 * 2^b and log2(b). The ISA asks for four good bits, and for exact results at integers and
 * at powers of two; these series give a single's worth, and the same one on every host.
 */
uint32_t p9_vmx_exptefp(uint32_t b, bool nj)
{
	static const double term[] = {1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24,
				      1.0 / 6,     1.0 / 2,    1.0,       1.0};
	double x, f, y = 0;
	int n;

	b = flush(b, nj);
	if (is_nan(b))
		return b | QUIET;
	x = (double)p9_fast_float(b);
	if (x >= 128)
		return INF;
	if (x < -151)
		return 0;
	n = (int)(x < 0 ? x - 0.5 : x + 0.5);
	f = (x - n) * 0x1.62e42fefa39efp-1; /* times ln 2: below 0.35 */
	for (unsigned i = 0; i < ARRAY_SIZE(term); i++)
		y = y * f + term[i];
	/* y is between 0.7 and 1.5, and the double far from its limits. */
	y = p9_fast_double(p9_fast_bits(y) + ((uint64_t)(int64_t)n << 52));
	return flush(p9_fast_float_bits((float)y), nj);
}

uint32_t p9_vmx_logefp(uint32_t b, bool nj)
{
	uint64_t bits;
	double m, t, y = 0;
	int n;

	b = flush(b, nj);
	if (is_nan(b))
		return b | QUIET;
	if (!(b << 1))
		return SIGN | INF;
	if (b >> 31)
		return QNAN;
	if (b == INF)
		return INF;
	bits = p9_fast_widen(b);
	n = p9_fast_exp(bits) - 1023;
	m = p9_fast_double((bits & (BIT64(52) - 1)) | ONE);
	if (m > 1.4142135623730951) {
		m /= 2;
		n++;
	}
	t = (m - 1) / (m + 1); /* ln m = 2 artanh t; t is below 0.18 */
	for (int i = 11; i > 0; i -= 2)
		y = y * t * t + 1.0 / i;
	y = n + y * t * 0x1.71547652b82fep+1; /* 2 / ln 2 */
	return p9_fast_float_bits((float)y);
}

uint32_t p9_vmx_rfi(uint32_t b, enum p9_fp_round mode, bool nj)
{
	uint64_t none = 0;

	return p9_fpv_ri_sp(0, &none, flush(b, nj), mode, false);
}

/* Divided after rounding, which changes the exponent only. */
static uint32_t from_int(uint64_t v, bool is_signed, unsigned uim)
{
	struct p9_fp_op op = p9_fp_begin(0, &p9_fp_single);
	uint64_t r = p9_fp_double_from_int(&op, v, is_signed, 24);

	return r ? p9_fpu_single(r - ((uint64_t)(uim & 31) << 52)) : 0;
}

uint32_t p9_vmx_cfux(uint32_t b, unsigned uim)
{
	return from_int(b, false, uim);
}

uint32_t p9_vmx_cfsx(uint32_t b, unsigned uim)
{
	return from_int(sext64(b, 32), true, uim);
}

/*
 * The ISA saturates, and says so in VSCR[SAT], by the exponent: -2^31 counts as saturated
 * although it is representable. A NaN gives 0 and does not saturate.
 */
static uint32_t to_int(uint32_t b, unsigned uim, bool *sat, bool nj, bool is_signed)
{
	struct p9_fp_op op = p9_fp_begin(0, &p9_fp_single);
	unsigned exp = (b >> 23 & 0xff) + (uim & 31);
	uint64_t d;

	b = flush(b, nj);
	if (is_nan(b))
		return 0;
	if ((b & ~SIGN) == INF || exp > 127 + (is_signed ? 30u : 31u)) {
		*sat = true;
		if (is_signed)
			return b >> 31 ? SIGN : ~SIGN;
		return b >> 31 ? 0 : ~UINT32_C(0);
	}
	d = p9_fpu_double(b);
	if (p9_fast_zero(d))
		return 0;
	d = p9_fp_double_to_int(&op, d + ((uint64_t)(uim & 31) << 52), P9_ROUND_ZERO, 32,
				is_signed);
	if (op.raised & P9_FPSCR_VXCVI)
		*sat = true;
	return (uint32_t)d;
}

uint32_t p9_vmx_ctuxs(uint32_t b, unsigned uim, bool *sat, bool nj)
{
	return to_int(b, uim, sat, nj, false);
}

uint32_t p9_vmx_ctsxs(uint32_t b, unsigned uim, bool *sat, bool nj)
{
	return to_int(b, uim, sat, nj, true);
}

/* Bit 0: not a <= b. Bit 1: not a >= -b. Both for a NaN. */
uint32_t p9_vmx_cmpbfp(uint32_t a, uint32_t b, bool nj)
{
	float x = p9_fast_float(flush(a, nj)), y = p9_fast_float(flush(b, nj));

	return (x <= y ? 0 : UINT32_C(0x80000000)) | (x >= -y ? 0 : UINT32_C(0x40000000));
}

uint32_t p9_vmx_cmpeqfp(uint32_t a, uint32_t b, bool nj)
{
	return p9_fast_float(flush(a, nj)) == p9_fast_float(flush(b, nj)) ? ~UINT32_C(0) : 0;
}

uint32_t p9_vmx_cmpgefp(uint32_t a, uint32_t b, bool nj)
{
	return p9_fast_float(flush(a, nj)) >= p9_fast_float(flush(b, nj)) ? ~UINT32_C(0) : 0;
}

uint32_t p9_vmx_cmpgtfp(uint32_t a, uint32_t b, bool nj)
{
	return p9_fast_float(flush(a, nj)) > p9_fast_float(flush(b, nj)) ? ~UINT32_C(0) : 0;
}
