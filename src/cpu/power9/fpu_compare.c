/*
 * Comparisons, maximum and minimum, and the tests of data class: scalars and VSX lanes.
 *
 * A single is compared as the double of the same value (p9_fpu_double keeps NaNs and their kind),
 * so each rule is written once.
 */
#include "cpu/power9/fpu_core.h"
#include "cpu/power9/fpu_fast.h"

#define SIGN  BIT64(63)
#define INF   (UINT64_C(0x7ff) << 52)
#define QUIET BIT64(51)

static inline bool is_nan(uint64_t b)
{
	return (b & ~SIGN) > INF;
}

static inline bool is_snan(uint64_t b)
{
	return is_nan(b) && !(b & QUIET);
}

static inline bool less(uint64_t a, uint64_t b)
{
	return p9_fast_double(a) < p9_fast_double(b);
}

static inline bool equal(uint64_t a, uint64_t b)
{
	return p9_fast_double(a) == p9_fast_double(b);
}

static unsigned set_fpcc(uint64_t *fpscr, unsigned cc)
{
	*fpscr = (*fpscr & ~P9_FPSCR_FPCC) | (uint64_t)cc << P9_FPSCR_FPCC_SHIFT;
	return cc;
}

/* The exceptions of a comparison; an ordered one with NaNs is invalid. A signalling NaN raises
 * VXVC too, but not if VE is set. */
static uint64_t compare_raises(uint64_t fpscr, uint64_t a, uint64_t b, bool ordered)
{
	if (is_snan(a) || is_snan(b))
		return P9_FPSCR_VXSNAN | (ordered && !(fpscr & P9_FPSCR_VE) ? P9_FPSCR_VXVC : 0);
	return ordered && (is_nan(a) || is_nan(b)) ? P9_FPSCR_VXVC : 0;
}

static unsigned compare(uint64_t *fpscr, uint64_t a, uint64_t b, bool ordered)
{
	if (UNLIKELY(is_nan(a) || is_nan(b))) {
		p9_fp_raise(fpscr, compare_raises(*fpscr, a, b, ordered));
		return set_fpcc(fpscr, P9_CR_UN);
	}
	return set_fpcc(fpscr, less(a, b) ? P9_CR_LT : equal(a, b) ? P9_CR_EQ : P9_CR_GT);
}

unsigned p9_fpu_cmpu(uint64_t *fpscr, uint64_t a, uint64_t b)
{
	return compare(fpscr, a, b, false);
}

unsigned p9_fpu_cmpo(uint64_t *fpscr, uint64_t a, uint64_t b)
{
	return compare(fpscr, a, b, true);
}

unsigned p9_fpu_cmpexp(uint64_t *fpscr, uint64_t a, uint64_t b)
{
	uint64_t x = p9_fpu_xexp(a), y = p9_fpu_xexp(b);

	if (is_nan(a) || is_nan(b))
		return set_fpcc(fpscr, P9_CR_UN);
	return set_fpcc(fpscr, x < y ? P9_CR_LT : x > y ? P9_CR_GT : P9_CR_EQ);
}

static bool is_denormal(uint64_t b)
{
	return !(b & INF) && (b & ~SIGN);
}

/*
 * The flags of ftdiv and ftsqrt, by which software divide and square root know that they need
 * care: fg (an operand that is special), fe (exponents with which an intermediate may overflow
 * or underflow). ea, eb are unbiased; `few` is the least exponent at which the remainder stays
 * exact.
 */
static unsigned test_flags(bool fe, bool fg)
{
	return 8 | (fg ? 4 : 0) | (fe ? 2 : 0);
}

static unsigned tdiv(uint64_t a, uint64_t b, int emin, int emax, int digits)
{
	int ea = (int)p9_fpu_xexp(a) - 1023, eb = (int)p9_fpu_xexp(b) - 1023;
	bool zero_a = p9_fast_zero(a), zero_b = p9_fast_zero(b);
	bool inf_a = (a & ~SIGN) == INF, inf_b = (b & ~SIGN) == INF;
	bool denormal_b = is_denormal(b) || (!zero_b && eb < emin);
	bool fe = is_nan(a) || inf_a || is_nan(b) || inf_b || zero_b || eb <= emin ||
		  eb >= emax - 2 ||
		  (!zero_a && (ea - eb >= emax || ea - eb <= emin + 1 || ea <= emin + digits));

	return test_flags(fe, inf_a || inf_b || zero_b || denormal_b);
}

static unsigned tsqrt(uint64_t b, int emin, int digits)
{
	int eb = (int)p9_fpu_xexp(b) - 1023;
	bool zero = p9_fast_zero(b), inf = (b & ~SIGN) == INF;
	bool denormal = is_denormal(b) || (!zero && eb < emin);
	bool fe = is_nan(b) || inf || zero || b >> 63 || eb <= emin + digits;

	return test_flags(fe, zero || inf || denormal);
}

unsigned p9_fpu_tdiv(uint64_t a, uint64_t b)
{
	return tdiv(a, b, -1022, 1023, 52);
}

unsigned p9_fpu_tsqrt(uint64_t b)
{
	return tsqrt(b, -1022, 52);
}

unsigned p9_fpv_tdiv_sp(uint32_t a, uint32_t b)
{
	return tdiv(p9_fpu_double(a), p9_fpu_double(b), -126, 127, 23);
}

unsigned p9_fpv_tsqrt_sp(uint32_t b)
{
	return tsqrt(p9_fpu_double(b), -126, 23);
}

/* DCMX: NaN, +Inf, -Inf, +0, -0, +denormal, -denormal from the most significant bit. */
static bool in_class(uint64_t b, unsigned dcmx, bool denormal)
{
	unsigned neg = (unsigned)(b >> 63);

	if (is_nan(b))
		return dcmx & 0x40;
	if ((b & ~SIGN) == INF)
		return dcmx & 0x20 >> neg;
	if (p9_fast_zero(b))
		return dcmx & 0x08 >> neg;
	return denormal && dcmx & 0x02 >> neg;
}

unsigned p9_fpu_tstdc(uint64_t *fpscr, uint64_t b, unsigned dcmx)
{
	return set_fpcc(fpscr, (b >> 63 ? 8 : 0) | (in_class(b, dcmx, is_denormal(b)) ? 2 : 0));
}

unsigned p9_fpu_tstdcs(uint64_t *fpscr, uint64_t b, unsigned dcmx)
{
	bool denormal = !p9_fast_zero(b) && p9_fpu_xexp(b) < 0x381;
	/* Whether a single can hold the operand. */
	bool single = p9_fpu_double(p9_fpu_single(b)) == b;

	return set_fpcc(fpscr, (b >> 63 ? 8 : 0) | (in_class(b, dcmx, denormal) ? 2 : 0) | !single);
}

uint64_t p9_fpv_tstdc_dp(uint64_t b, unsigned dcmx)
{
	return in_class(b, dcmx, is_denormal(b)) ? ~UINT64_C(0) : 0;
}

uint32_t p9_fpv_tstdc_sp(uint32_t b, unsigned dcmx)
{
	bool denormal = !(b & 0x7f800000) && b << 1;

	return in_class(p9_fpu_double(b), dcmx, denormal) ? ~UINT32_C(0) : 0;
}

/*
 * IEEE maximum: a number wins over a quiet NaN, not over a signalling one; of zeros the positive
 * one is greater.
 */
static uint64_t select_ieee(uint64_t *raised, uint64_t a, uint64_t b, bool min)
{
	bool b_wins;

	if (UNLIKELY(is_nan(a) || is_nan(b))) {
		if (is_snan(a) || is_snan(b)) {
			*raised |= P9_FPSCR_VXSNAN;
			return (is_nan(a) ? a : b) | QUIET;
		}
		return is_nan(a) && !is_nan(b) ? b : a;
	}
	b_wins = min ? less(b, a) : less(a, b);
	if (p9_fast_zero(a) && p9_fast_zero(b))
		b_wins = min ? b >> 63 : a >> 63;
	return b_wins ? b : a;
}

uint64_t p9_fpv_max_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b)
{
	(void)fpscr;
	return select_ieee(raised, a, b, false);
}

uint64_t p9_fpv_min_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b)
{
	(void)fpscr;
	return select_ieee(raised, a, b, true);
}

uint64_t p9_fpv_cmpeq_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b)
{
	*raised |= compare_raises(fpscr, a, b, false);
	return equal(a, b) ? ~UINT64_C(0) : 0;
}

uint64_t p9_fpv_cmpgt_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b)
{
	*raised |= compare_raises(fpscr, a, b, true);
	return less(b, a) ? ~UINT64_C(0) : 0;
}

uint64_t p9_fpv_cmpge_dp(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b)
{
	*raised |= compare_raises(fpscr, a, b, true);
	return less(b, a) || equal(a, b) ? ~UINT64_C(0) : 0;
}

typedef uint64_t lane_fn(uint64_t fpscr, uint64_t *raised, uint64_t a, uint64_t b);

static inline uint32_t as_single(lane_fn *fn, uint64_t fpscr, uint64_t *raised, uint32_t a,
				 uint32_t b)
{
	return p9_fpu_single(fn(fpscr, raised, p9_fpu_double(a), p9_fpu_double(b)));
}

uint32_t p9_fpv_max_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b)
{
	return as_single(p9_fpv_max_dp, fpscr, raised, a, b);
}

uint32_t p9_fpv_min_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b)
{
	return as_single(p9_fpv_min_dp, fpscr, raised, a, b);
}

uint32_t p9_fpv_cmpeq_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b)
{
	return (uint32_t)p9_fpv_cmpeq_dp(fpscr, raised, p9_fpu_double(a), p9_fpu_double(b));
}

uint32_t p9_fpv_cmpgt_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b)
{
	return (uint32_t)p9_fpv_cmpgt_dp(fpscr, raised, p9_fpu_double(a), p9_fpu_double(b));
}

uint32_t p9_fpv_cmpge_sp(uint64_t fpscr, uint64_t *raised, uint32_t a, uint32_t b)
{
	return (uint32_t)p9_fpv_cmpge_dp(fpscr, raised, p9_fpu_double(a), p9_fpu_double(b));
}

/* The scalars differ from a vector of one lane in nothing: no FR, FI, FPRF. */
static inline uint64_t as_scalar(lane_fn *fn, uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old)
{
	uint64_t raised = 0, r = fn(*fpscr, &raised, a, b);

	return p9_fpv_commit(fpscr, raised) ? r : old;
}

uint64_t p9_fpu_cmpeq(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old)
{
	return as_scalar(p9_fpv_cmpeq_dp, fpscr, a, b, old);
}

uint64_t p9_fpu_cmpgt(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old)
{
	return as_scalar(p9_fpv_cmpgt_dp, fpscr, a, b, old);
}

uint64_t p9_fpu_cmpge(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old)
{
	return as_scalar(p9_fpv_cmpge_dp, fpscr, a, b, old);
}

uint64_t p9_fpu_max(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old)
{
	return as_scalar(p9_fpv_max_dp, fpscr, a, b, old);
}

uint64_t p9_fpu_min(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old)
{
	return as_scalar(p9_fpv_min_dp, fpscr, a, b, old);
}

static uint64_t snan_raises(uint64_t a, uint64_t b)
{
	return is_snan(a) || is_snan(b) ? P9_FPSCR_VXSNAN : 0;
}

/* a > b ? a : b as C evaluates it: b where they are equal or a NaN is among them, as it is. */
uint64_t p9_fpu_maxc(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old)
{
	return p9_fpv_commit(fpscr, snan_raises(a, b)) ? (less(b, a) ? a : b) : old;
}

uint64_t p9_fpu_minc(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old)
{
	return p9_fpv_commit(fpscr, snan_raises(a, b)) ? (less(a, b) ? a : b) : old;
}

/* As Java's Math.max: a NaN wins, as it is; -0 is less than +0. */
static uint64_t select_java(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old, bool min)
{
	uint64_t none = 0;

	if (!p9_fpv_commit(fpscr, snan_raises(a, b)))
		return old;
	if (is_nan(a))
		return a;
	return is_nan(b) ? b : select_ieee(&none, a, b, min);
}

uint64_t p9_fpu_maxj(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old)
{
	return select_java(fpscr, a, b, old, false);
}

uint64_t p9_fpu_minj(uint64_t *fpscr, uint64_t a, uint64_t b, uint64_t old)
{
	return select_java(fpscr, a, b, old, true);
}
