/*
 * Scalar arithmetic: each operation is the host's where that is safe (fpu_fast.h), else the
 * core's. Single results are computed from the exact result, never from one rounded to double.
 */
#include "cpu/power9/fpu_core.h"
#include "cpu/power9/fpu_fast.h"

#define ONE (UINT64_C(0x3ff) << 52)

static struct p9_fp_num unpack(uint64_t bits)
{
	return p9_fp_unpack(&p9_fp_double, bits);
}

/* Round and commit. */
static uint64_t finish(uint64_t *fpscr, struct p9_fp_op *op, struct p9_fp_num *r, uint64_t old)
{
	p9_fp_round(op, r);
	return p9_fp_finish(fpscr, op, r) ? (uint64_t)p9_fp_pack(&p9_fp_double, r) : old;
}

typedef struct p9_fp_num binary_fn(struct p9_fp_op *op, const struct p9_fp_num *a,
				   const struct p9_fp_num *b);

static __attribute__((noinline)) uint64_t core_binary(binary_fn *fn, uint64_t *fpscr, uint64_t a,
						      uint64_t b, uint64_t old,
						      const struct p9_fp_format *format)
{
	struct p9_fp_op op = p9_fp_begin(*fpscr, format);
	struct p9_fp_num x = unpack(a), y = unpack(b), r = fn(&op, &x, &y);

	return finish(fpscr, &op, &r, old);
}

static __attribute__((noinline)) uint64_t core_sqrt(uint64_t *fpscr, uint64_t b, uint64_t old,
						    const struct p9_fp_format *format)
{
	struct p9_fp_op op = p9_fp_begin(*fpscr, format);
	struct p9_fp_num x = unpack(b), r = p9_fp_sqrt(&op, &x);

	return finish(fpscr, &op, &r, old);
}

/* The negative forms negate the rounded result, NaNs excepted. */
static __attribute__((noinline)) uint64_t core_madd(uint64_t *fpscr, uint64_t a, uint64_t b,
						    uint64_t c, uint64_t old, bool subtract,
						    bool negate, const struct p9_fp_format *format)
{
	struct p9_fp_op op = p9_fp_begin(*fpscr, format);
	struct p9_fp_num x = unpack(a), y = unpack(b), z = unpack(c);
	struct p9_fp_num r = p9_fp_madd(&op, &x, &y, &z, subtract);

	p9_fp_round(&op, &r);
	if (negate && !p9_fp_is_nan(&r))
		r.neg = !r.neg;
	return p9_fp_finish(fpscr, &op, &r) ? (uint64_t)p9_fp_pack(&p9_fp_double, &r) : old;
}

uint64_t p9_fpu_add(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(*fpscr) && p9_fast_add(&r, a, b)))
		return p9_fast_finish(fpscr, &r);
	return core_binary(p9_fp_add, fpscr, a, b, old, &p9_fp_double);
}

uint64_t p9_fpu_sub(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(*fpscr) && p9_fast_add(&r, a, b ^ P9_FAST_SIGN)))
		return p9_fast_finish(fpscr, &r);
	return core_binary(p9_fp_sub, fpscr, a, b, old, &p9_fp_double);
}

uint64_t p9_fpu_mul(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(*fpscr) && p9_fast_mul(&r, a, b)))
		return p9_fast_finish(fpscr, &r);
	return core_binary(p9_fp_mul, fpscr, a, b, old, &p9_fp_double);
}

uint64_t p9_fpu_div(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(*fpscr) && p9_fast_div(&r, a, b)))
		return p9_fast_finish(fpscr, &r);
	return core_binary(p9_fp_div, fpscr, a, b, old, &p9_fp_double);
}

uint64_t p9_fpu_sqrt(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(*fpscr) && p9_fast_sqrt(&r, b)))
		return p9_fast_finish(fpscr, &r);
	return core_sqrt(fpscr, b, old, &p9_fp_double);
}

static inline uint64_t madd(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t c, uint64_t old,
			    bool subtract, bool negate)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(*fpscr) &&
		   p9_fast_madd(&r, a, subtract ? b ^ P9_FAST_SIGN : b, c))) {
		r.bits ^= (uint64_t)negate << 63;
		return p9_fast_finish(fpscr, &r);
	}
	return core_madd(fpscr, a, b, c, old, subtract, negate, &p9_fp_double);
}

uint64_t p9_fpu_madd(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t c, uint64_t old)
{
	return madd(fpscr, a, b, c, old, false, false);
}

uint64_t p9_fpu_msub(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t c, uint64_t old)
{
	return madd(fpscr, a, b, c, old, true, false);
}

uint64_t p9_fpu_nmadd(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t c, uint64_t old)
{
	return madd(fpscr, a, b, c, old, false, true);
}

uint64_t p9_fpu_nmsub(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t c, uint64_t old)
{
	return madd(fpscr, a, b, c, old, true, true);
}

uint64_t p9_fpu_adds(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(*fpscr) && p9_fast_add(&r, a, b) && p9_fast_narrow(&r)))
		return p9_fast_finish(fpscr, &r);
	return core_binary(p9_fp_add, fpscr, a, b, old, &p9_fp_single);
}

uint64_t p9_fpu_subs(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(*fpscr) && p9_fast_add(&r, a, b ^ P9_FAST_SIGN) &&
		   p9_fast_narrow(&r)))
		return p9_fast_finish(fpscr, &r);
	return core_binary(p9_fp_sub, fpscr, a, b, old, &p9_fp_single);
}

uint64_t p9_fpu_muls(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(*fpscr) && p9_fast_mul(&r, a, b) && p9_fast_narrow(&r)))
		return p9_fast_finish(fpscr, &r);
	return core_binary(p9_fp_mul, fpscr, a, b, old, &p9_fp_single);
}

uint64_t p9_fpu_divs(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(*fpscr) && p9_fast_div(&r, a, b) && p9_fast_narrow(&r)))
		return p9_fast_finish(fpscr, &r);
	return core_binary(p9_fp_div, fpscr, a, b, old, &p9_fp_single);
}

uint64_t p9_fpu_sqrts(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(*fpscr) && p9_fast_sqrt(&r, b) && p9_fast_narrow(&r)))
		return p9_fast_finish(fpscr, &r);
	return core_sqrt(fpscr, b, old, &p9_fp_single);
}

static inline uint64_t madds(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t c, uint64_t old,
			     bool subtract, bool negate)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(*fpscr) &&
		   p9_fast_madds(&r, a, subtract ? b ^ P9_FAST_SIGN : b, c))) {
		r.bits ^= (uint64_t)negate << 63;
		return p9_fast_finish(fpscr, &r);
	}
	return core_madd(fpscr, a, b, c, old, subtract, negate, &p9_fp_single);
}

uint64_t p9_fpu_madds(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t c, uint64_t old)
{
	return madds(fpscr, a, b, c, old, false, false);
}

uint64_t p9_fpu_msubs(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t c, uint64_t old)
{
	return madds(fpscr, a, b, c, old, true, false);
}

uint64_t p9_fpu_nmadds(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t c, uint64_t old)
{
	return madds(fpscr, a, b, c, old, false, true);
}

uint64_t p9_fpu_nmsubs(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t c, uint64_t old)
{
	return madds(fpscr, a, b, c, old, true, true);
}

uint64_t p9_fpu_rsp(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	struct p9_fp_op op = p9_fp_begin(*fpscr, &p9_fp_single);
	struct p9_fast fast = {.bits = b};
	struct p9_fp_num r;

	if (LIKELY(p9_fast_mode(*fpscr) && p9_fast_narrow(&fast)))
		return p9_fast_finish(fpscr, &fast);
	r = p9_fp_convert(&op, &p9_fp_double, b);
	return p9_fp_finish(fpscr, &op, &r) ? (uint64_t)p9_fp_pack(&p9_fp_double, &r) : old;
}

static uint64_t estimate(uint64_t *fpscr, uint64_t b, uint64_t old, bool root,
			 const struct p9_fp_format *format)
{
	struct p9_fp_op op = p9_fp_begin(*fpscr, format);
	struct p9_fp_num x = unpack(b), r = p9_fp_estimate(&op, &x, root);

	return p9_fp_finish(fpscr, &op, &r) ? (uint64_t)p9_fp_pack(&p9_fp_double, &r) : old;
}

uint64_t p9_fpu_re(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(*fpscr) && p9_fast_div(&r, ONE, b))) {
		r.error = 0;
		return p9_fast_finish(fpscr, &r);
	}
	return estimate(fpscr, b, old, false, &p9_fp_double);
}

uint64_t p9_fpu_res(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(*fpscr) && p9_fast_div(&r, ONE, b) && p9_fast_narrow(&r))) {
		r.error = 0;
		return p9_fast_finish(fpscr, &r);
	}
	return estimate(fpscr, b, old, false, &p9_fp_single);
}

uint64_t p9_fpu_rsqrte(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(*fpscr) && p9_fast_sqrt(&r, b) && p9_fast_div(&r, ONE, r.bits))) {
		r.error = 0;
		return p9_fast_finish(fpscr, &r);
	}
	return estimate(fpscr, b, old, true, &p9_fp_double);
}

uint64_t p9_fpu_rsqrtes(uint64_t *fpscr, uint64_t b, uint64_t old)
{
	struct p9_fast r;

	if (LIKELY(p9_fast_mode(*fpscr) && p9_fast_sqrt(&r, b) && p9_fast_div(&r, ONE, r.bits) &&
		   p9_fast_narrow(&r))) {
		r.error = 0;
		return p9_fast_finish(fpscr, &r);
	}
	return estimate(fpscr, b, old, true, &p9_fp_single);
}
