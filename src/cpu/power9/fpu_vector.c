/*
 * VSX vector lanes. As in fpu_scalar.c, with less to say: of rounding only whether it was
 * inexact, and not even that once XX is set.
 */
#include "cpu/power9/fpu_core.h"
#include "cpu/power9/fpu_fast.h"

#define ONE    (UINT64_C(0x3ff) << 52)
#define ONE_SP UINT32_C(0x3f800000)
#define SIGN32 UINT32_C(0x80000000)

/* Any enabled exception of any lane leaves the whole target as it was. */
bool p9_fpv_commit(uint64_t *fpscr, uint64_t raised)
{
	uint64_t enables = *fpscr & P9_FPSCR_ENABLES;

	raised &= P9_FPSCR_STICKY;
	if (LIKELY(!raised))
		return true;
	p9_fp_raise(fpscr, raised);
	return !(p9_fpscr_summarise(raised | enables) & P9_FPSCR_FEX);
}

typedef struct p9_fp_num binary_fn(struct p9_fp_op *op, const struct p9_fp_num *a,
				   const struct p9_fp_num *b);

static uint64_t finish(struct p9_fp_op *op, struct p9_fp_num *r, uint64_t *raised)
{
	p9_fp_round(op, r);
	*raised |= op->raised & P9_FPSCR_STICKY;
	return (uint64_t)p9_fp_pack(op->format, r);
}

static __attribute__((noinline)) uint64_t core_binary(binary_fn *fn, uint64_t fpscr,
						      uint64_t *raised, uint64_t a, uint64_t b,
						      const struct p9_fp_format *format)
{
	struct p9_fp_op op = p9_fp_begin(fpscr, format);
	struct p9_fp_num x = p9_fp_unpack(format, a), y = p9_fp_unpack(format, b);
	struct p9_fp_num r = fn(&op, &x, &y);

	return finish(&op, &r, raised);
}

static __attribute__((noinline)) uint64_t core_sqrt(uint64_t fpscr, uint64_t *raised, uint64_t b,
						    const struct p9_fp_format *format)
{
	struct p9_fp_op op = p9_fp_begin(fpscr, format);
	struct p9_fp_num x = p9_fp_unpack(format, b), r = p9_fp_sqrt(&op, &x);

	return finish(&op, &r, raised);
}

static __attribute__((noinline)) uint64_t core_madd(uint64_t fpscr, uint64_t *raised, uint64_t a,
						    uint64_t b, uint64_t c, bool subtract,
						    bool negate, const struct p9_fp_format *format)
{
	struct p9_fp_op op = p9_fp_begin(fpscr, format);
	struct p9_fp_num x = p9_fp_unpack(format, a), y = p9_fp_unpack(format, b);
	struct p9_fp_num z = p9_fp_unpack(format, c);
	struct p9_fp_num r = p9_fp_madd(&op, &x, &y, &z, subtract);

	p9_fp_round(&op, &r);
	if (negate && !p9_fp_is_nan(&r))
		r.neg = !r.neg;
	*raised |= op.raised & P9_FPSCR_STICKY;
	return (uint64_t)p9_fp_pack(format, &r);
}

static __attribute__((noinline)) uint64_t core_estimate(uint64_t fpscr, uint64_t *raised,
							uint64_t b, bool root,
							const struct p9_fp_format *format)
{
	struct p9_fp_op op = p9_fp_begin(fpscr, format);
	struct p9_fp_num x = p9_fp_unpack(format, b), r = p9_fp_estimate(&op, &x, root);

	*raised |= op.raised & P9_FPSCR_STICKY;
	return (uint64_t)p9_fp_pack(format, &r);
}

/* Inexactness is known already: the host's result can be taken as it is, if safe. */
static inline bool xx_known(uint64_t fpscr, const uint64_t *raised)
{
	return p9_fast_mode(fpscr) && (fpscr | *raised) & P9_FPSCR_XX;
}

static inline uint64_t accept(uint64_t *raised, const struct p9_fast *r)
{
	if (r->error)
		*raised |= P9_FPSCR_XX;
	return r->bits;
}

uint64_t p9_fpv_add_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b)
{
	uint64_t s = p9_fast_bits(p9_fast_double(a) + p9_fast_double(b));
	struct p9_fast r;

	if (LIKELY(xx_known(fpscr, raised) && p9_fast_safe(s)))
		return s;
	if (p9_fast_mode(fpscr) && p9_fast_add(&r, a, b))
		return accept(raised, &r);
	return core_binary(p9_fp_add, fpscr, raised, a, b, &p9_fp_double);
}

uint64_t p9_fpv_sub_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b)
{
	uint64_t s = p9_fast_bits(p9_fast_double(a) - p9_fast_double(b));
	struct p9_fast r;

	if (LIKELY(xx_known(fpscr, raised) && p9_fast_safe(s)))
		return s;
	if (p9_fast_mode(fpscr) && p9_fast_add(&r, a, b ^ P9_FAST_SIGN))
		return accept(raised, &r);
	return core_binary(p9_fp_sub, fpscr, raised, a, b, &p9_fp_double);
}

uint64_t p9_fpv_mul_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b)
{
	uint64_t s = p9_fast_bits(p9_fast_double(a) * p9_fast_double(b));
	struct p9_fast r;

	if (LIKELY(xx_known(fpscr, raised) && p9_fast_safe(s)))
		return s;
	if (p9_fast_mode(fpscr) && p9_fast_mul(&r, a, b))
		return accept(raised, &r);
	return core_binary(p9_fp_mul, fpscr, raised, a, b, &p9_fp_double);
}

uint64_t p9_fpv_div_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(fpscr) && p9_fast_div(&r, a, b)))
		return accept(raised, &r);
	return core_binary(p9_fp_div, fpscr, raised, a, b, &p9_fp_double);
}

uint64_t p9_fpv_sqrt_dp(uint64_t fpscr, uint64_t *raised, uint64_t b)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(fpscr) && p9_fast_sqrt(&r, b)))
		return accept(raised, &r);
	return core_sqrt(fpscr, raised, b, &p9_fp_double);
}

static inline uint64_t madd_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b, uint64_t c,
			       bool subtract, bool negate)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(fpscr) && p9_fast_madd(&r, a, subtract ? b ^ P9_FAST_SIGN : b, c)))
		return accept(raised, &r) ^ (uint64_t)negate << 63;
	return core_madd(fpscr, raised, a, b, c, subtract, negate, &p9_fp_double);
}

uint64_t p9_fpv_madd_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b, uint64_t c)
{
	return madd_dp(fpscr, raised, a, b, c, false, false);
}

uint64_t p9_fpv_msub_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b, uint64_t c)
{
	return madd_dp(fpscr, raised, a, b, c, true, false);
}

uint64_t p9_fpv_nmadd_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b, uint64_t c)
{
	return madd_dp(fpscr, raised, a, b, c, false, true);
}

uint64_t p9_fpv_nmsub_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b, uint64_t c)
{
	return madd_dp(fpscr, raised, a, b, c, true, true);
}

uint64_t p9_fpv_re_dp(uint64_t fpscr, uint64_t *raised, uint64_t b)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(fpscr) && p9_fast_div(&r, ONE, b)))
		return r.bits;
	return core_estimate(fpscr, raised, b, false, &p9_fp_double);
}

uint64_t p9_fpv_rsqrte_dp(uint64_t fpscr, uint64_t *raised, uint64_t b)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(fpscr) && p9_fast_sqrt(&r, b) && p9_fast_div(&r, ONE, r.bits)))
		return r.bits;
	return core_estimate(fpscr, raised, b, true, &p9_fp_double);
}

static inline bool safe_sp(uint32_t bits)
{
	return (bits & ~SIGN32) - (2u << 23) < 253u << 23;
}

/* The fast functions take a single as the double of the same value. */
static inline uint32_t accept_sp(uint64_t *raised, const struct p9_fast *r)
{
	return p9_fast_to_single(accept(raised, r));
}

uint32_t p9_fpv_add_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b)
{
	uint32_t s = p9_fast_float_bits(p9_fast_float(a) + p9_fast_float(b));
	struct p9_fast r;

	if (LIKELY(xx_known(fpscr, raised) && safe_sp(s)))
		return s;
	if (p9_fast_mode(fpscr) && p9_fast_add(&r, p9_fast_widen(a), p9_fast_widen(b)) &&
	    p9_fast_narrow(&r))
		return accept_sp(raised, &r);
	return (uint32_t)core_binary(p9_fp_add, fpscr, raised, a, b, &p9_fp_single);
}

uint32_t p9_fpv_sub_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b)
{
	uint32_t s = p9_fast_float_bits(p9_fast_float(a) - p9_fast_float(b));
	struct p9_fast r;

	if (LIKELY(xx_known(fpscr, raised) && safe_sp(s)))
		return s;
	if (p9_fast_mode(fpscr) && p9_fast_add(&r, p9_fast_widen(a), p9_fast_widen(b ^ SIGN32)) &&
	    p9_fast_narrow(&r))
		return accept_sp(raised, &r);
	return (uint32_t)core_binary(p9_fp_sub, fpscr, raised, a, b, &p9_fp_single);
}

uint32_t p9_fpv_mul_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b)
{
	uint32_t s = p9_fast_float_bits(p9_fast_float(a) * p9_fast_float(b));
	struct p9_fast r;

	if (LIKELY(xx_known(fpscr, raised) && safe_sp(s)))
		return s;
	if (p9_fast_mode(fpscr) && p9_fast_mul(&r, p9_fast_widen(a), p9_fast_widen(b)) &&
	    p9_fast_narrow(&r))
		return accept_sp(raised, &r);
	return (uint32_t)core_binary(p9_fp_mul, fpscr, raised, a, b, &p9_fp_single);
}

uint32_t p9_fpv_div_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(fpscr) && p9_fast_div(&r, p9_fast_widen(a), p9_fast_widen(b)) &&
		   p9_fast_narrow(&r)))
		return accept_sp(raised, &r);
	return (uint32_t)core_binary(p9_fp_div, fpscr, raised, a, b, &p9_fp_single);
}

uint32_t p9_fpv_sqrt_sp(uint64_t fpscr, uint64_t *raised, uint32_t b)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(fpscr) && p9_fast_sqrt(&r, p9_fast_widen(b)) && p9_fast_narrow(&r)))
		return accept_sp(raised, &r);
	return (uint32_t)core_sqrt(fpscr, raised, b, &p9_fp_single);
}

static inline uint32_t madd_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b, uint32_t c,
			       bool subtract, bool negate)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(fpscr) &&
		   p9_fast_madds(&r, p9_fast_widen(a), p9_fast_widen(subtract ? b ^ SIGN32 : b),
				 p9_fast_widen(c))))
		return accept_sp(raised, &r) ^ (uint32_t)negate << 31;
	return (uint32_t)core_madd(fpscr, raised, a, b, c, subtract, negate, &p9_fp_single);
}

uint32_t p9_fpv_madd_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b, uint32_t c)
{
	return madd_sp(fpscr, raised, a, b, c, false, false);
}

uint32_t p9_fpv_msub_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b, uint32_t c)
{
	return madd_sp(fpscr, raised, a, b, c, true, false);
}

uint32_t p9_fpv_nmadd_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b, uint32_t c)
{
	return madd_sp(fpscr, raised, a, b, c, false, true);
}

uint32_t p9_fpv_nmsub_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b, uint32_t c)
{
	return madd_sp(fpscr, raised, a, b, c, true, true);
}

uint32_t p9_fpv_re_sp(uint64_t fpscr, uint64_t *raised, uint32_t b)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(fpscr) && p9_fast_div(&r, ONE, p9_fast_widen(b)) &&
		   p9_fast_narrow(&r)))
		return p9_fast_to_single(r.bits);
	return (uint32_t)core_estimate(fpscr, raised, b, false, &p9_fp_single);
}

uint32_t p9_fpv_rsqrte_sp(uint64_t fpscr, uint64_t *raised, uint32_t b)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(fpscr) && p9_fast_sqrt(&r, p9_fast_widen(b)) &&
		   p9_fast_div(&r, ONE, r.bits) && p9_fast_narrow(&r)))
		return p9_fast_to_single(r.bits);
	return (uint32_t)core_estimate(fpscr, raised, b, true, &p9_fp_single);
}
