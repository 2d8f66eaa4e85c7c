/*
 * The POWER9 floating-point unit against itself and against the host, on random operands.
 *
 *  - The fast paths on the host's hardware must agree with the integer core in every bit: with XE
 *    set an operation goes through the core, and gives the same result.
 *  - The integer core must agree with the host's own arithmetic in its four rounding modes:
 *    results, exceptions, and FR, which is derived from the result rounded toward zero.
 *  - Lanes of vectors must agree with the scalars.
 *
 * Argument: a factor for the number of operand sets.
 */
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cpu/power9/fpu.h"
#include "util/compiler.h"

static unsigned factor = 1;

/* ---- operands ---- */

static uint64_t seed = UINT64_C(0x2545f4914f6cdd1d);

static uint64_t rnd(void)
{
	/* xorshift64* */
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * UINT64_C(2685821657736338717);
}

/* 0 .. n - 1, n being small. */
static unsigned below(unsigned n)
{
	return (unsigned)((rnd() >> 32) * n >> 32);
}

/* A number of a format, with a liking for its corners and for the neighbourhood of 1. */
static p9_u128 number(unsigned exp_bits, unsigned frac_bits)
{
	unsigned special = (1u << exp_bits) - 1, bias = special >> 1, exp;
	p9_u128 frac = (p9_u128)rnd() << 64 | rnd(), mask = ((p9_u128)1 << frac_bits) - 1;

	switch (below(16)) {
	case 0:
		exp = below(3);
		break;
	case 1:
		exp = special - below(3);
		break;
	case 2:
		exp = below(special + 1);
		break;
	case 3:
		exp = bias / 2 + below(4); /* products that are tiny */
		break;
	case 4:
		exp = bias + bias / 2 - 2 + below(4);
		break;
	default:
		exp = bias - 6 + below(12);
		break;
	}
	switch (below(8)) {
	case 0:
		frac = 0;
		break;
	case 1:
		frac = mask << below(frac_bits);
		break;
	case 2:
		frac = (p9_u128)1 << below(frac_bits);
		break;
	case 3:
		frac &= mask << below(frac_bits);
		break;
	case 4:
		frac = mask - below(4);
		break;
	default:
		break;
	}
	return (p9_u128)(rnd() >> 63) << (exp_bits + frac_bits) | (p9_u128)exp << frac_bits |
	       (frac & mask);
}

static uint64_t some_double(void)
{
	return (uint64_t)number(11, 52);
}

static uint32_t some_single(void)
{
	return (uint32_t)number(8, 23);
}

/* Three operands, now and then related so that sums cancel. */
static void doubles(uint64_t v[3])
{
	for (int i = 0; i < 3; i++)
		v[i] = some_double();
	if (!below(8))
		v[1] = v[0] ^ (rnd() & (UINT64_C(1) << 63 | 3));
	else if (!below(8))
		v[2] = UINT64_C(0x3ff) << 52 | below(4);
}

static void singles(uint64_t v[3])
{
	for (int i = 0; i < 3; i++)
		v[i] = p9_fpu_double(some_single());
	if (!below(8))
		v[1] = v[0] ^ (rnd() & UINT64_C(1) << 63);
}

/* ---- operations by number ---- */

enum { ADD, SUB, MUL, DIV, SQRT, MADD, MSUB, NMADD, NMSUB, OPS };

static const char *const names[OPS] = {"add",  "sub",  "mul",   "div",  "sqrt",
				       "madd", "msub", "nmadd", "nmsub"};

static uint64_t run_double(int op, uint64_t *f, const uint64_t v[3])
{
	switch (op) {
	case ADD:
		return p9_fpu_add(f, v[0], v[1], 0);
	case SUB:
		return p9_fpu_sub(f, v[0], v[1], 0);
	case MUL:
		return p9_fpu_mul(f, v[0], v[1], 0);
	case DIV:
		return p9_fpu_div(f, v[0], v[1], 0);
	case SQRT:
		return p9_fpu_sqrt(f, v[0], 0);
	case MADD:
		return p9_fpu_madd(f, v[0], v[1], v[2], 0);
	case MSUB:
		return p9_fpu_msub(f, v[0], v[1], v[2], 0);
	case NMADD:
		return p9_fpu_nmadd(f, v[0], v[1], v[2], 0);
	default:
		return p9_fpu_nmsub(f, v[0], v[1], v[2], 0);
	}
}

static uint64_t run_single(int op, uint64_t *f, const uint64_t v[3])
{
	switch (op) {
	case ADD:
		return p9_fpu_adds(f, v[0], v[1], 0);
	case SUB:
		return p9_fpu_subs(f, v[0], v[1], 0);
	case MUL:
		return p9_fpu_muls(f, v[0], v[1], 0);
	case DIV:
		return p9_fpu_divs(f, v[0], v[1], 0);
	case SQRT:
		return p9_fpu_sqrts(f, v[0], 0);
	case MADD:
		return p9_fpu_madds(f, v[0], v[1], v[2], 0);
	case MSUB:
		return p9_fpu_msubs(f, v[0], v[1], v[2], 0);
	case NMADD:
		return p9_fpu_nmadds(f, v[0], v[1], v[2], 0);
	default:
		return p9_fpu_nmsubs(f, v[0], v[1], v[2], 0);
	}
}

static uint64_t run_lane_double(int op, uint64_t f, uint64_t *r, const uint64_t v[3])
{
	switch (op) {
	case ADD:
		return p9_fpv_add_dp(f, r, v[0], v[1]);
	case SUB:
		return p9_fpv_sub_dp(f, r, v[0], v[1]);
	case MUL:
		return p9_fpv_mul_dp(f, r, v[0], v[1]);
	case DIV:
		return p9_fpv_div_dp(f, r, v[0], v[1]);
	case SQRT:
		return p9_fpv_sqrt_dp(f, r, v[0]);
	case MADD:
		return p9_fpv_madd_dp(f, r, v[0], v[1], v[2]);
	case MSUB:
		return p9_fpv_msub_dp(f, r, v[0], v[1], v[2]);
	case NMADD:
		return p9_fpv_nmadd_dp(f, r, v[0], v[1], v[2]);
	default:
		return p9_fpv_nmsub_dp(f, r, v[0], v[1], v[2]);
	}
}

static uint32_t run_lane_single(int op, uint64_t f, uint64_t *r, const uint32_t v[3])
{
	switch (op) {
	case ADD:
		return p9_fpv_add_sp(f, r, v[0], v[1]);
	case SUB:
		return p9_fpv_sub_sp(f, r, v[0], v[1]);
	case MUL:
		return p9_fpv_mul_sp(f, r, v[0], v[1]);
	case DIV:
		return p9_fpv_div_sp(f, r, v[0], v[1]);
	case SQRT:
		return p9_fpv_sqrt_sp(f, r, v[0]);
	case MADD:
		return p9_fpv_madd_sp(f, r, v[0], v[1], v[2]);
	case MSUB:
		return p9_fpv_msub_sp(f, r, v[0], v[1], v[2]);
	case NMADD:
		return p9_fpv_nmadd_sp(f, r, v[0], v[1], v[2]);
	default:
		return p9_fpv_nmsub_sp(f, r, v[0], v[1], v[2]);
	}
}

static void expect(bool ok, const char *what, const char *op, const uint64_t v[3], uint64_t r,
		   uint64_t wanted, uint64_t f, uint64_t wanted_f)
{
	if (LIKELY(ok))
		return;
	fail_msg("%s %s: %016lx %016lx %016lx gives %016lx, not %016lx, FPSCR %lx, not %lx", what,
		 op, (unsigned long)v[0], (unsigned long)v[1], (unsigned long)v[2],
		 (unsigned long)r, (unsigned long)wanted, (unsigned long)f,
		 (unsigned long)wanted_f);
}

/* ---- the fast paths against the core ---- */

static void check_core(const char *what, uint64_t (*run)(int, uint64_t *, const uint64_t *),
		       void (*make)(uint64_t *))
{
	uint64_t v[3], fast, core, r, wanted;

	for (unsigned i = 0; i < 400000 * factor; i++) {
		make(v);
		for (int op = 0; op < OPS; op++) {
			fast = rnd() & (P9_FPSCR_XX | P9_FPSCR_FX | P9_FPSCR_FPRF | P9_FPSCR_FR);
			core = fast | P9_FPSCR_XE;
			r = run(op, &fast, v);
			wanted = run(op, &core, v);
			core = p9_fpscr_summarise(core & ~P9_FPSCR_XE);
			expect(r == wanted && fast == core, what, names[op], v, r, wanted, fast,
			       core);
		}
	}
}

static void fast_double(void **state)
{
	(void)state;
	check_core("double", run_double, doubles);
}

static void fast_single(void **state)
{
	(void)state;
	check_core("single", run_single, singles);
}

/* Single operations whose operands are no singles: undefined in the ISA, but one rounding here. */
static void fast_single_of_doubles(void **state)
{
	(void)state;
	check_core("single of doubles", run_single, doubles);
}

/* ---- the core against the host ---- */

static const int host_modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_UPWARD, FE_DOWNWARD};

/* The operands are volatile: the compiler must not know that a result would be the same in another
 * rounding mode. */
static double host_double(int op, const uint64_t v[3])
{
	volatile double a, b, c;
	double d[3];

	memcpy(d, v, sizeof(d));
	a = d[0];
	b = d[1];
	c = d[2];
	switch (op) {
	case ADD:
		return a + b;
	case SUB:
		return a - b;
	case MUL:
		return a * b;
	case DIV:
		return a / b;
	case SQRT:
		return sqrt(a);
	case MADD:
		return fma(a, c, b);
	case MSUB:
		return fma(a, c, -b);
	case NMADD:
		return -fma(a, c, b);
	default:
		return -fma(a, c, -b);
	}
}

static double host_single(int op, const uint64_t v[3])
{
	volatile float a, b, c;
	double d[3];

	memcpy(d, v, sizeof(d));
	a = (float)d[0];
	b = (float)d[1];
	c = (float)d[2];
	switch (op) {
	case ADD:
		return (double)(a + b);
	case SUB:
		return (double)(a - b);
	case MUL:
		return (double)(a * b);
	case DIV:
		return (double)(a / b);
	case SQRT:
		return (double)sqrtf(a);
	case MADD:
		return (double)fmaf(a, c, b);
	case MSUB:
		return (double)fmaf(a, c, -b);
	case NMADD:
		return (double)-fmaf(a, c, b);
	default:
		return (double)-fmaf(a, c, -b);
	}
}

/* The operation on the host in a mode; *flags are its FE_ exceptions. */
static uint64_t on_host(double (*fn)(int, const uint64_t *), int op, const uint64_t v[3],
			unsigned mode, int *flags)
{
	volatile double result;
	uint64_t bits;
	double d;

	fesetround(host_modes[mode]);
	feclearexcept(FE_ALL_EXCEPT);
	result = fn(op, v);
	*flags = fetestexcept(FE_ALL_EXCEPT);
	fesetround(FE_TONEAREST);
	d = result;
	memcpy(&bits, &d, sizeof(bits));
	return bits;
}

static bool nan_bits(uint64_t b)
{
	return b << 1 > UINT64_C(0xffe) << 52;
}

static void check_host(const char *what, uint64_t (*run)(int, uint64_t *, const uint64_t *),
		       double (*host)(int, const uint64_t *), void (*make)(uint64_t *),
		       uint64_t least_normal)
{
	uint64_t v[3], f, r, wanted, zero, wanted_f;
	int flags, unused;

	for (unsigned i = 0; i < 60000 * factor; i++) {
		make(v);
		for (int op = 0; op < OPS; op++) {
			unsigned mode = i & 3;

			f = mode | P9_FPSCR_XE;
			r = run(op, &f, v);
			wanted = on_host(host, op, v, mode, &flags);
			/* Which NaN, and of which sign, is not the host's business. */
			if (nan_bits(r) && nan_bits(wanted))
				continue;
			wanted_f = (flags & FE_OVERFLOW ? P9_FPSCR_OX : 0) |
				   (flags & FE_UNDERFLOW ? P9_FPSCR_UX : 0) |
				   (flags & FE_DIVBYZERO ? P9_FPSCR_ZX : 0) |
				   (flags & FE_INEXACT ? P9_FPSCR_XX | P9_FPSCR_FI : 0);
			/* Tiny before rounding, but not after. */
			if (r << 1 == least_normal << 1)
				wanted_f |= f & P9_FPSCR_UX;
			zero = on_host(host, op, v, P9_ROUND_ZERO, &unused);
			if (r << 1 > zero << 1)
				wanted_f |= P9_FPSCR_FR;
			expect(r == wanted &&
				   (f & (P9_FPSCR_OX | P9_FPSCR_UX | P9_FPSCR_ZX | P9_FPSCR_XX |
					 P9_FPSCR_FI | P9_FPSCR_FR)) == wanted_f,
			       what, names[op], v, r, wanted, f, wanted_f);
		}
	}
}

static void host_doubles(void **state)
{
	(void)state;
	check_host("double", run_double, host_double, doubles, UINT64_C(1) << 52);
}

static void host_singles(void **state)
{
	(void)state;
	check_host("single", run_single, host_single, singles, UINT64_C(0x381) << 52);
}

/* ---- conversions against the host ---- */

static void check_conversion(const char *what, uint64_t v, uint64_t r, double wanted, bool inexact,
			     uint64_t f)
{
	uint64_t bits, operands[3] = {v, 0, 0};

	memcpy(&bits, &wanted, sizeof(bits));
	expect(r == bits && inexact == !!(f & P9_FPSCR_FI), what, "conversion", operands, r, bits,
	       f, inexact);
}

/* The library's, not what the compiler makes of it. */
static double (*volatile host_rint)(double) = rint;

static void host_conversions(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200000 * factor; i++) {
		uint64_t v = some_double(), integer = rnd() >> below(64), f, r;
		unsigned mode = below(4);
		volatile double d, x;
		volatile float s;
		volatile int64_t n = (int64_t)integer;
		volatile uint64_t u = integer;
		double copy;
		int flags;

		memcpy(&copy, &v, sizeof(copy));
		d = copy;
#define ON_HOST(statement)                                                                         \
	fesetround(host_modes[mode]);                                                              \
	feclearexcept(FE_ALL_EXCEPT);                                                              \
	statement;                                                                                 \
	flags = fetestexcept(FE_ALL_EXCEPT);                                                       \
	fesetround(FE_TONEAREST)

		if (i & 1)
			n = -n;
		f = mode;
		r = p9_fpu_cfid(&f, (uint64_t)n);
		ON_HOST(x = (double)n);
		check_conversion("fcfid", (uint64_t)n, r, x, flags & FE_INEXACT, f);
		f = mode;
		r = p9_fpu_cfids(&f, (uint64_t)n);
		ON_HOST(s = (float)n);
		check_conversion("fcfids", (uint64_t)n, r, (double)s, flags & FE_INEXACT, f);
		f = mode;
		r = p9_fpu_cfidu(&f, u);
		ON_HOST(x = (double)u);
		check_conversion("fcfidu", u, r, x, f & P9_FPSCR_FI, f);

		if (nan_bits(v))
			continue;
		f = mode;
		r = p9_fpu_rsp(&f, v, 0);
		ON_HOST(s = (float)d);
		check_conversion("frsp", v, r, (double)s, flags & FE_INEXACT, f);
		f = mode;
		r = p9_fpu_ric(&f, v, 0);
		ON_HOST(x = host_rint(d));
		check_conversion("xsrdpic", v, r, x, flags & FE_INEXACT, f);
		f = 0;
		r = p9_fpu_rin(&f, v, 0);
		check_conversion("frin", v, r, round(d), false, f);
		r = p9_fpu_riz(&f, v, 0);
		check_conversion("friz", v, r, trunc(d), false, f);
		r = p9_fpu_rip(&f, v, 0);
		check_conversion("frip", v, r, ceil(d), false, f);
		r = p9_fpu_rim(&f, v, 0);
		check_conversion("frim", v, r, floor(d), false, f);

		if (fabs(copy) >= 0x1p62)
			continue;
		f = mode;
		r = p9_fpu_ctid(&f, v, 0);
		ON_HOST(x = host_rint(d));
		assert_int_equal(r, (int64_t)x);
		assert_int_equal(!!(f & P9_FPSCR_FI), !!(flags & FE_INEXACT));
		r = p9_fpu_ctidz(&f, v, 0);
		assert_int_equal(r, (int64_t)d);
		if (fabs(copy) < 0x1p31)
			assert_int_equal((uint32_t)p9_fpu_ctiwz(&f, v, 0), (uint32_t)(int32_t)d);
	}
}

/* ---- lanes ---- */

static void lanes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200000 * factor; i++) {
		uint64_t v[3], w[3], f, g, raised, r, wanted;
		uint32_t s[3];

		doubles(v);
		for (int k = 0; k < 3; k++) {
			s[k] = some_single();
			w[k] = p9_fpu_double(s[k]);
		}
		for (int op = 0; op < OPS; op++) {
			f = rnd() & (P9_FPSCR_XX | P9_FPSCR_FX | P9_FPSCR_RN);
			if (below(2))
				f &= ~P9_FPSCR_RN;
			g = f & ~P9_FPSCR_XX;
			raised = 0;
			r = run_lane_double(op, f, &raised, v);
			wanted = run_double(op, &g, v);
			expect(r == wanted &&
				   ((f | raised) & P9_FPSCR_STICKY) == ((f | g) & P9_FPSCR_STICKY),
			       "double lane", names[op], v, r, wanted, raised, g);

			g = f & ~P9_FPSCR_XX;
			raised = 0;
			r = run_lane_single(op, f, &raised, s);
			wanted = p9_fpu_single(run_single(op, &g, w));
			expect(r == wanted &&
				   ((f | raised) & P9_FPSCR_STICKY) == ((f | g) & P9_FPSCR_STICKY),
			       "single lane", names[op], w, r, wanted, raised, g);

			/* VMX has no exceptions; with NJ = 0 its results are those of VSX. */
			if (f & P9_FPSCR_RN ||
			    (op != ADD && op != SUB && op != MADD && op != NMSUB))
				continue;
			r = op == ADD    ? p9_vmx_addfp(s[0], s[1], false)
			    : op == SUB  ? p9_vmx_subfp(s[0], s[1], false)
			    : op == MADD ? p9_vmx_maddfp(s[0], s[1], s[2], false)
					 : p9_vmx_nmsubfp(s[0], s[1], s[2], false);
			expect(r == wanted, "VMX", names[op], w, r, wanted, 0, 0);
		}
	}
}

static float as_float(uint32_t bits)
{
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

static void vmx_estimates(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200000 * factor; i++) {
		uint32_t s = some_single();
		double x = (double)as_float(s), y;

		if (isnan(x))
			continue;
		y = (double)as_float(p9_vmx_exptefp(s, false));
		if (x < 128 && x > -149)
			assert_true(fabs(y - exp2(x)) <= 1e-6 * exp2(x) + 0x1p-149);
		else
			assert_true(x < 0 ? y <= 0x1p-149 : isinf(y));
		if (x <= 0)
			continue;
		y = (double)as_float(p9_vmx_logefp(s, false));
		assert_true(isinf(x) ? isinf(y) : fabs(y - log2(x)) <= 1e-6 * fabs(log2(x)) + 1e-7);
		y = (double)as_float(p9_vmx_refp(s, false));
		if (fabs(x) > 1e-37 && fabs(x) < 1e37)
			assert_true(fabs(y * x - 1) < 1.0 / 4096);
		y = (double)as_float(p9_vmx_rsqrtefp(s, false));
		if (!isinf(x))
			assert_true(fabs(y * y * x - 1) < 1.0 / 4096);
	}
	for (int n = -126; n < 128; n++) {
		float f = (float)n, g = ldexpf(1.0f, n);
		uint32_t b, p;

		memcpy(&b, &f, sizeof(b));
		memcpy(&p, &g, sizeof(p));
		assert_int_equal(p9_vmx_exptefp(b, false), p);
		assert_int_equal(p9_vmx_logefp(p, false), b);
	}
}

/* ---- quad precision ---- */

#ifdef __SIZEOF_FLOAT128__

static p9_u128 run_quad(int op, uint64_t *f, const p9_u128 v[3], bool odd)
{
	switch (op) {
	case ADD:
		return p9_fpq_add(f, v[0], v[1], 0, odd);
	case SUB:
		return p9_fpq_sub(f, v[0], v[1], 0, odd);
	case MUL:
		return p9_fpq_mul(f, v[0], v[1], 0, odd);
	case DIV:
		return p9_fpq_div(f, v[0], v[1], 0, odd);
	case SQRT:
		return p9_fpq_sqrt(f, v[0], 0, odd);
	case MADD:
		return p9_fpq_madd(f, v[0], v[1], v[2], 0, odd);
	case MSUB:
		return p9_fpq_msub(f, v[0], v[1], v[2], 0, odd);
	case NMADD:
		return p9_fpq_nmadd(f, v[0], v[1], v[2], 0, odd);
	default:
		return p9_fpq_nmsub(f, v[0], v[1], v[2], 0, odd);
	}
}

/* Only what the compiler's own library does correctly rounded. */
static p9_u128 quad_on_host(int op, const p9_u128 v[3], unsigned mode, int *flags)
{
	volatile __float128 a, b, r;
	__float128 x[2], y;
	p9_u128 bits;

	memcpy(x, v, sizeof(x));
	a = x[0];
	b = x[1];
	fesetround(host_modes[mode]);
	feclearexcept(FE_ALL_EXCEPT);
	r = op == ADD ? a + b : op == SUB ? a - b : op == MUL ? a * b : a / b;
	*flags = fetestexcept(FE_ALL_EXCEPT);
	fesetround(FE_TONEAREST);
	y = r;
	memcpy(&bits, &y, sizeof(bits));
	return bits;
}

static bool nan_quad(p9_u128 b)
{
	return b << 1 > (p9_u128)0xfffe << 112;
}

static void quads(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 60000 * factor; i++) {
		p9_u128 v[3], r, wanted, odd;
		unsigned mode = i & 3;
		uint64_t f, g;
		int flags;

		for (int k = 0; k < 3; k++)
			v[k] = number(15, 112);
		if (!below(8))
			v[1] = v[0] ^ (p9_u128)below(4);
		for (int op = ADD; op <= DIV; op++) {
			f = mode;
			r = run_quad(op, &f, v, false);
			wanted = quad_on_host(op, v, mode, &flags);
			if (nan_quad(r) && nan_quad(wanted))
				continue;
			if (r != wanted || !(flags & FE_INEXACT) != !(f & P9_FPSCR_FI) ||
			    !(flags & FE_OVERFLOW) != !(f & P9_FPSCR_OX) ||
			    !(flags & FE_DIVBYZERO) != !(f & P9_FPSCR_ZX))
				fail_msg("quad %s: %016lx%016lx %016lx%016lx gives %016lx%016lx",
					 names[op], (unsigned long)(v[0] >> 64),
					 (unsigned long)v[0], (unsigned long)(v[1] >> 64),
					 (unsigned long)v[1], (unsigned long)(r >> 64),
					 (unsigned long)r);
		}
		/* Round to odd: the truncated result with its last bit set if it was inexact. */
		for (int op = ADD; op < OPS; op++) {
			f = g = P9_ROUND_ZERO;
			r = run_quad(op, &f, v, false);
			odd = run_quad(op, &g, v, true);
			if (f & P9_FPSCR_FI && !(f & P9_FPSCR_OX))
				r |= 1;
			assert_true(odd == r || (odd ^ r) << 1 == 0);
			assert_int_equal(f & P9_FPSCR_STICKY, g & P9_FPSCR_STICKY);
		}
		/* A root by its definition: r * r <= a < (r + 1) * (r + 1), with fused operations
		 * that do not round to the wrong side of 0. */
		if (!(v[0] >> 127) && v[0] >> 112 > 200 && v[0] >> 112 < 0x7fff) {
			f = g = P9_ROUND_ZERO;
			r = p9_fpq_sqrt(&f, v[0], 0, false);
			wanted = p9_fpq_msub(&g, r, v[0], r, 0, false);
			assert_true(wanted >> 127 || !wanted);
			assert_int_equal(!wanted, !(f & P9_FPSCR_FI));
			wanted = p9_fpq_msub(&g, r + 1, v[0], r + 1, 0, false);
			assert_true(!(wanted >> 127) && wanted);
		}
		/* a * c + b: that of doubles is exact as a product of quads, then rounded as a sum.
		 */
		for (int k = 0; k < 3; k++) {
			f = 0;
			v[k] = p9_fpq_cvdpqp(&f, some_double(), 0);
		}
		f = g = mode;
		r = p9_fpq_madd(&f, v[0], v[1], v[2], 0, false);
		wanted = p9_fpq_mul(&g, v[0], v[2], 0, false);
		assert_true(nan_quad(wanted) || !(g & P9_FPSCR_FI));
		if (nan_quad(wanted) || nan_quad(v[1]))
			continue;
		wanted = p9_fpq_add(&g, wanted, v[1], 0, false);
		assert_true(r == wanted);
		assert_int_equal(f, g);
	}
}

#else

static void quads(void **state)
{
	(void)state;
	skip();
}

#endif

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fast_double),
	    cmocka_unit_test(fast_single),
	    cmocka_unit_test(fast_single_of_doubles),
	    cmocka_unit_test(host_doubles),
	    cmocka_unit_test(host_singles),
	    cmocka_unit_test(host_conversions),
	    cmocka_unit_test(lanes),
	    cmocka_unit_test(vmx_estimates),
	    cmocka_unit_test(quads),
	};

	if (argc > 1)
		factor = (unsigned)atoi(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
