/*
 * The POWER9 floating-point unit: cases written by hand from the Power ISA 3.0B (Book I: 4.3-4.6,
 * 6.10, 7.4-7.6). Random operands are in power9_fpu_random.c and power9_fpu_qemu.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "cpu/power9/fpu.h"
#include "util/compiler.h"

/* Doubles. */
#define ZERO  UINT64_C(0x0000000000000000)
#define ONE   UINT64_C(0x3ff0000000000000)
#define TWO   UINT64_C(0x4000000000000000)
#define THREE UINT64_C(0x4008000000000000)
#define MAX   UINT64_C(0x7fefffffffffffff)
#define MIN   UINT64_C(0x0010000000000000) /* the least normal number */
#define TINY  UINT64_C(0x0000000000000001)
#define INF   UINT64_C(0x7ff0000000000000)
#define QNAN  UINT64_C(0x7ff8000000000000) /* the default one */
#define Q1    UINT64_C(0x7ff8000000000111)
#define Q2    UINT64_C(0xfff8000000000222)
#define S1    UINT64_C(0x7ff0000000000111) /* signalling: quieted, it is Q1 */
#define S2    UINT64_C(0xfff0000000000222)
#define NEG   UINT64_C(0x8000000000000000)
#define OLD   UINT64_C(0x1234567890abcdef)

/* FPRF classes. */
#define F_QNAN (P9_FPSCR_C | P9_FPSCR_FU)
#define F_NINF (P9_FPSCR_FL | P9_FPSCR_FU)
#define F_NNOR P9_FPSCR_FL
#define F_NDEN (P9_FPSCR_C | P9_FPSCR_FL)
#define F_NZER (P9_FPSCR_C | P9_FPSCR_FE)
#define F_PZER P9_FPSCR_FE
#define F_PDEN (P9_FPSCR_C | P9_FPSCR_FG)
#define F_PNOR P9_FPSCR_FG
#define F_PINF (P9_FPSCR_FG | P9_FPSCR_FU)

#define FX P9_FPSCR_FX
#define VX (P9_FPSCR_FX | P9_FPSCR_VX)
#define OX (P9_FPSCR_FX | P9_FPSCR_OX)
#define UX (P9_FPSCR_FX | P9_FPSCR_UX)
#define ZX (P9_FPSCR_FX | P9_FPSCR_ZX)
#define XX (P9_FPSCR_FX | P9_FPSCR_XX)
#define FI P9_FPSCR_FI
#define FR P9_FPSCR_FR

/* What an operation starts from, other than 0: all of the status that it overwrites. */
#define STALE (P9_FPSCR_FR | P9_FPSCR_FI | P9_FPSCR_FPRF)

struct row {
	char op[8];
	uint64_t a, b, c; /* madd: a * c + b */
	uint64_t fpscr;   /* control bits before */
	uint64_t result;
	uint64_t status; /* all but the control bits after */
};

static uint64_t run(const struct row *r, uint64_t *f)
{
#define IS(name) (!__builtin_strcmp(r->op, name))
	if (IS("add"))
		return p9_fpu_add(f, r->a, r->b, OLD);
	if (IS("adds"))
		return p9_fpu_adds(f, r->a, r->b, OLD);
	if (IS("sub"))
		return p9_fpu_sub(f, r->a, r->b, OLD);
	if (IS("mul"))
		return p9_fpu_mul(f, r->a, r->b, OLD);
	if (IS("muls"))
		return p9_fpu_muls(f, r->a, r->b, OLD);
	if (IS("div"))
		return p9_fpu_div(f, r->a, r->b, OLD);
	if (IS("divs"))
		return p9_fpu_divs(f, r->a, r->b, OLD);
	if (IS("sqrt"))
		return p9_fpu_sqrt(f, r->b, OLD);
	if (IS("madd"))
		return p9_fpu_madd(f, r->a, r->b, r->c, OLD);
	if (IS("msub"))
		return p9_fpu_msub(f, r->a, r->b, r->c, OLD);
	if (IS("nmadd"))
		return p9_fpu_nmadd(f, r->a, r->b, r->c, OLD);
	if (IS("nmsub"))
		return p9_fpu_nmsub(f, r->a, r->b, r->c, OLD);
	if (IS("madds"))
		return p9_fpu_madds(f, r->a, r->b, r->c, OLD);
	if (IS("re"))
		return p9_fpu_re(f, r->b, OLD);
	if (IS("rsqrte"))
		return p9_fpu_rsqrte(f, r->b, OLD);
	if (IS("rsp"))
		return p9_fpu_rsp(f, r->b, OLD);
	if (IS("rin"))
		return p9_fpu_rin(f, r->b, OLD);
	if (IS("riz"))
		return p9_fpu_riz(f, r->b, OLD);
	if (IS("ric"))
		return p9_fpu_ric(f, r->b, OLD);
	if (IS("cfid"))
		return p9_fpu_cfid(f, r->b);
	if (IS("cfids"))
		return p9_fpu_cfids(f, r->b);
	fail_msg("no operation %s", r->op);
	return 0;
}

static void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		uint64_t f = r->fpscr | STALE, result = run(r, &f);
		uint64_t controls = P9_FPSCR_ENABLES | P9_FPSCR_RN;

		if (result != r->result || (f & ~controls) != r->status ||
		    (f & controls) != r->fpscr)
			fail_msg("row %zu (%s): %016lx, FPSCR %08lx; wanted %016lx, %08lx", i,
				 r->op, (unsigned long)result, (unsigned long)f,
				 (unsigned long)r->result, (unsigned long)r->status);
	}
}

#define CHECK(rows) check(rows, ARRAY_SIZE(rows))

static void classes_and_zeros(void **state)
{
	static const struct row rows[] = {
	    {"add", ONE, ONE, 0, 0, TWO, F_PNOR},
	    {"sub", ONE, THREE, 0, 0, TWO | NEG, F_NNOR},
	    {"add", TINY, TINY, 0, 0, 2, F_PDEN},
	    {"add", TINY | NEG, TINY | NEG, 0, 0, 2 | NEG, F_NDEN},
	    {"add", INF, ONE, 0, 0, INF, F_PINF},
	    {"sub", ONE, INF, 0, 0, INF | NEG, F_NINF},
	    {"mul", ZERO, ONE | NEG, 0, 0, NEG, F_NZER},
	    {"div", ONE, INF, 0, 0, ZERO, F_PZER},
	    /* An exact zero difference is +0, but -0 when rounding down. */
	    {"sub", ONE, ONE, 0, 0, ZERO, F_PZER},
	    {"sub", ONE, ONE, 0, P9_ROUND_ZERO, ZERO, F_PZER},
	    {"sub", ONE, ONE, 0, P9_ROUND_UP, ZERO, F_PZER},
	    {"sub", ONE, ONE, 0, P9_ROUND_DOWN, NEG, F_NZER},
	    {"add", ZERO, NEG, 0, 0, ZERO, F_PZER},
	    {"add", ZERO, NEG, 0, P9_ROUND_DOWN, NEG, F_NZER},
	    {"add", NEG, NEG, 0, 0, NEG, F_NZER},
	    {"madd", ONE, ONE | NEG, ONE, 0, ZERO, F_PZER},
	    {"nmadd", ONE, ONE | NEG, ONE, 0, NEG, F_NZER},
	    {"madd", ZERO, NEG, ONE | NEG, 0, NEG, F_NZER},
	    {"sqrt", 0, NEG, 0, 0, NEG, F_NZER},
	    {"rsp", 0, NEG, 0, 0, NEG, F_NZER},
	    {"cfid", 0, 0, 0, 0, ZERO, F_PZER},
	    {"cfid", 0, -UINT64_C(3), 0, 0, THREE | NEG, F_NNOR},
	    /* The class of a single result is that of the single. */
	    {"rsp", 0, UINT64_C(0x3800000000000000), 0, 0, UINT64_C(0x3800000000000000), F_PDEN},
	    {"rsp", 0, UINT64_C(0x3810000000000000), 0, 0, UINT64_C(0x3810000000000000), F_PNOR},
	};

	(void)state;
	CHECK(rows);
}

static void nans(void **state)
{
	static const struct row rows[] = {
	    /* A before B before C; a quiet one raises nothing. */
	    {"add", Q1, Q2, 0, 0, Q1, F_QNAN},
	    {"add", ONE, Q2, 0, 0, Q2, F_QNAN},
	    {"sub", ONE, Q2, 0, 0, Q2, F_QNAN},
	    {"madd", Q1, Q2, Q2, 0, Q1, F_QNAN},
	    {"madd", ONE, Q1, Q2, 0, Q1, F_QNAN},
	    {"madd", ONE, ONE, Q2, 0, Q2, F_QNAN},
	    /* Signalling: any of them raises, the first NaN is the result. */
	    {"add", S1, ONE, 0, 0, Q1, F_QNAN | VX | P9_FPSCR_VXSNAN},
	    {"mul", Q2, S1, 0, 0, Q2, F_QNAN | VX | P9_FPSCR_VXSNAN},
	    {"div", S2, Q1, 0, 0, Q2, F_QNAN | VX | P9_FPSCR_VXSNAN},
	    {"sqrt", 0, S2, 0, 0, Q2, F_QNAN | VX | P9_FPSCR_VXSNAN},
	    {"madd", Q1, Q2, S2, 0, Q1, F_QNAN | VX | P9_FPSCR_VXSNAN},
	    /* Neither sign of a multiply-add touches a NaN. */
	    {"nmadd", ONE, ONE, Q1, 0, Q1, F_QNAN},
	    {"msub", ONE, Q1, ONE, 0, Q1, F_QNAN},
	    {"nmsub", ONE, S1, ONE, 0, Q1, F_QNAN | VX | P9_FPSCR_VXSNAN},
	    /* A single result keeps the NaN's upper bits. */
	    {"rsp", 0, UINT64_C(0x7ff812345fffffff), 0, 0, UINT64_C(0x7ff8123440000000), F_QNAN},
	    {"rsp", 0, S1, 0, 0, QNAN, F_QNAN | VX | P9_FPSCR_VXSNAN},
	    {"adds", ONE, UINT64_C(0xfff4000020000000), 0, 0, UINT64_C(0xfffc000020000000),
	     F_QNAN | VX | P9_FPSCR_VXSNAN},
	    {"riz", 0, S1, 0, 0, Q1, F_QNAN | VX | P9_FPSCR_VXSNAN},
	};

	(void)state;
	CHECK(rows);
}

static void invalid(void **state)
{
	static const struct row rows[] = {
	    {"sub", INF, INF, 0, 0, QNAN, F_QNAN | VX | P9_FPSCR_VXISI},
	    {"add", INF | NEG, INF, 0, 0, QNAN, F_QNAN | VX | P9_FPSCR_VXISI},
	    {"div", INF, INF, 0, 0, QNAN, F_QNAN | VX | P9_FPSCR_VXIDI},
	    {"div", ZERO, NEG, 0, 0, QNAN, F_QNAN | VX | P9_FPSCR_VXZDZ},
	    {"mul", INF, ZERO, 0, 0, QNAN, F_QNAN | VX | P9_FPSCR_VXIMZ},
	    {"sqrt", 0, ONE | NEG, 0, 0, QNAN, F_QNAN | VX | P9_FPSCR_VXSQRT},
	    {"sqrt", 0, INF | NEG, 0, 0, QNAN, F_QNAN | VX | P9_FPSCR_VXSQRT},
	    {"rsqrte", 0, ONE | NEG, 0, 0, QNAN, F_QNAN | VX | P9_FPSCR_VXSQRT},
	    {"madd", INF, ONE, ZERO, 0, QNAN, F_QNAN | VX | P9_FPSCR_VXIMZ},
	    {"nmadd", INF, ONE, ZERO, 0, QNAN, F_QNAN | VX | P9_FPSCR_VXIMZ},
	    {"msub", INF, INF, ONE, 0, QNAN, F_QNAN | VX | P9_FPSCR_VXISI},
	    /* Infinity times zero, plus a NaN. */
	    {"madd", ZERO, Q1, INF, 0, Q1, F_QNAN | VX | P9_FPSCR_VXIMZ},
	    {"madd", ZERO, S1, INF, 0, Q1, F_QNAN | VX | P9_FPSCR_VXIMZ | P9_FPSCR_VXSNAN},
	    {"madd", INF, ONE, Q2, 0, Q2, F_QNAN},
	    /* Enabled: nothing is written, FPRF stays, FR and FI are cleared. */
	    {"sub", INF, INF, 0, P9_FPSCR_VE, OLD,
	     VX | P9_FPSCR_FEX | P9_FPSCR_VXISI | P9_FPSCR_FPRF},
	    {"madd", ZERO, S1, INF, P9_FPSCR_VE, OLD,
	     VX | P9_FPSCR_FEX | P9_FPSCR_VXIMZ | P9_FPSCR_VXSNAN | P9_FPSCR_FPRF},
	    {"rin", 0, S1, 0, P9_FPSCR_VE, OLD,
	     VX | P9_FPSCR_FEX | P9_FPSCR_VXSNAN | P9_FPSCR_FPRF},
	    {"add", Q1, ONE, 0, P9_FPSCR_VE, Q1, F_QNAN},
	};

	(void)state;
	CHECK(rows);
}

static void zero_divide(void **state)
{
	static const struct row rows[] = {
	    {"div", ONE, NEG, 0, 0, INF | NEG, ZX | F_NINF},
	    {"divs", ONE | NEG, NEG, 0, 0, INF, ZX | F_PINF},
	    {"div", ONE, ZERO, 0, P9_FPSCR_ZE, OLD, ZX | P9_FPSCR_FEX | P9_FPSCR_FPRF},
	    {"div", INF, ZERO, 0, P9_FPSCR_ZE, INF, F_PINF},
	    {"re", 0, ZERO, 0, 0, INF, ZX | F_PINF},
	    {"re", 0, INF | NEG, 0, 0, NEG, F_NZER},
	    {"rsqrte", 0, NEG, 0, 0, INF | NEG, ZX | F_NINF},
	    {"rsqrte", 0, ZERO, 0, P9_FPSCR_ZE, OLD, ZX | P9_FPSCR_FEX | P9_FPSCR_FPRF},
	    {"rsqrte", 0, INF, 0, 0, ZERO, F_PZER},
	    {"re", 0, TWO, 0, 0, UINT64_C(0x3fe0000000000000), F_PNOR},
	};

	(void)state;
	CHECK(rows);
}

static void inexact(void **state)
{
	const uint64_t third = UINT64_C(0x3fd5555555555555);      /* rounded down */
	const uint64_t two_thirds = UINT64_C(0x3fe5555555555555); /* truncated */
	const struct row rows[] = {
	    {"div", ONE, THREE, 0, 0, third, XX | FI | F_PNOR},
	    {"div", ONE, THREE, 0, P9_ROUND_UP, third + 1, XX | FI | FR | F_PNOR},
	    {"div", ONE, THREE | NEG, 0, P9_ROUND_UP, third | NEG, XX | FI | F_NNOR},
	    {"div", ONE, THREE | NEG, 0, P9_ROUND_DOWN, (third + 1) | NEG, XX | FI | FR | F_NNOR},
	    {"div", TWO, THREE, 0, P9_ROUND_ZERO, two_thirds, XX | FI | F_PNOR},
	    {"div", ONE, THREE, 0, P9_FPSCR_XE, third, XX | P9_FPSCR_FEX | FI | F_PNOR},
	    /* Ties go to the even one. */
	    {"add", ONE, UINT64_C(0x3ca0000000000000), 0, 0, ONE, XX | FI | F_PNOR},
	    {"add", ONE + 1, UINT64_C(0x3ca0000000000000), 0, 0, ONE + 2, XX | FI | FR | F_PNOR},
	    /* One rounding: 1 + 2^-24 + 2^-54 is above the tie in single, but not after a
	     * rounding to double. */
	    {"adds", UINT64_C(0x3ff0000010000000), UINT64_C(0x3c90000000000000), 0, 0,
	     UINT64_C(0x3ff0000020000000), XX | FI | FR | F_PNOR},
	    {"madds", UINT64_C(0x3c90000000000000), UINT64_C(0x3ff0000010000000), ONE, 0,
	     UINT64_C(0x3ff0000020000000), XX | FI | FR | F_PNOR},
	    /* Rounding before negation. */
	    {"nmadd", ONE, TINY, ONE, P9_ROUND_UP, (ONE + 1) | NEG, XX | FI | FR | F_NNOR},
	    {"nmsub", ONE, TINY, ONE, P9_ROUND_DOWN, (ONE - 1) | NEG, XX | FI | F_NNOR},
	    {"cfid", 0, UINT64_C(0x7fffffffffffffff), 0, 0, UINT64_C(0x43e0000000000000),
	     XX | FI | FR | F_PNOR},
	    {"cfids", 0, UINT64_C(0x4000004000000001), 0, 0, UINT64_C(0x43d0000020000000),
	     XX | FI | FR | F_PNOR},
	    {"rsp", 0, UINT64_C(0x3ff0000010000000), 0, 0, ONE, XX | FI | F_PNOR},
	    /* Of the roundings to an integral value only xsrdpic tells. */
	    {"rin", 0, UINT64_C(0x3fe0000000000000), 0, 0, ONE, F_PNOR},
	    {"rin", 0, UINT64_C(0x4004000000000000), 0, 0, THREE, F_PNOR},
	    {"ric", 0, UINT64_C(0x4004000000000000), 0, 0, TWO, XX | FI | F_PNOR},
	    {"ric", 0, UINT64_C(0xbfe0000000000000), 0, 0, NEG, XX | FI | F_NZER},
	    {"ric", 0, UINT64_C(0xbfe0000000000000), 0, P9_ROUND_DOWN, ONE | NEG,
	     XX | FI | FR | F_NNOR},
	};
	uint64_t f = P9_FPSCR_XX;

	(void)state;
	CHECK(rows);
	/* FX follows a change from 0 to 1 only. */
	p9_fpu_div(&f, ONE, THREE, OLD);
	assert_int_equal(f, P9_FPSCR_XX | FI | F_PNOR);
}

static void overflow(void **state)
{
	static const struct row rows[] = {
	    {"add", MAX, MAX, 0, P9_ROUND_NEAREST, INF, OX | XX | FI | FR | F_PINF},
	    {"add", MAX, MAX, 0, P9_ROUND_ZERO, MAX, OX | XX | FI | F_PNOR},
	    {"add", MAX, MAX, 0, P9_ROUND_UP, INF, OX | XX | FI | FR | F_PINF},
	    {"add", MAX, MAX, 0, P9_ROUND_DOWN, MAX, OX | XX | FI | F_PNOR},
	    {"mul", MAX | NEG, TWO, 0, P9_ROUND_UP, MAX | NEG, OX | XX | FI | F_NNOR},
	    {"mul", MAX | NEG, TWO, 0, P9_ROUND_DOWN, INF | NEG, OX | XX | FI | FR | F_NINF},
	    /* Overflow only by rounding. */
	    {"add", MAX, UINT64_C(0x7c90000000000000), 0, 0, INF, OX | XX | FI | FR | F_PINF},
	    {"add", MAX, UINT64_C(0x7c8fffffffffffff), 0, 0, MAX, XX | FI | F_PNOR},
	    /* Enabled: the exponent is 1536 less (192 for a single). */
	    {"add", MAX, MAX, 0, P9_FPSCR_OE, UINT64_C(0x1fffffffffffffff),
	     OX | P9_FPSCR_FEX | F_PNOR},
	    {"mul", MAX, THREE | NEG, 0, P9_FPSCR_OE, UINT64_C(0xa007ffffffffffff),
	     OX | P9_FPSCR_FEX | XX | FI | F_NNOR},
	    {"muls", UINT64_C(0x47e0000000000000), TWO, 0, P9_FPSCR_OE,
	     UINT64_C(0x3bf0000000000000), OX | P9_FPSCR_FEX | F_PNOR},
	    {"muls", UINT64_C(0x47e0000000000000), TWO, 0, 0, INF, OX | XX | FI | FR | F_PINF},
	    {"rsp", 0, MAX, 0, P9_ROUND_ZERO, UINT64_C(0x47efffffe0000000), OX | XX | FI | F_PNOR},
	};

	(void)state;
	CHECK(rows);
}

static void underflow(void **state)
{
	static const struct row rows[] = {
	    /* Exact denormals raise nothing. */
	    {"div", MIN, TWO, 0, 0, MIN >> 1, F_PDEN},
	    {"div", MIN + 1, TWO, 0, 0, MIN >> 1, UX | XX | FI | F_PDEN},
	    {"div", MIN + 3, TWO, 0, 0, (MIN >> 1) + 2, UX | XX | FI | FR | F_PDEN},
	    {"mul", TINY, UINT64_C(0x3fe0000000000000), 0, 0, ZERO, UX | XX | FI | F_PZER},
	    {"mul", TINY, UINT64_C(0x3fe0000000000000), 0, P9_ROUND_UP, TINY,
	     UX | XX | FI | FR | F_PDEN},
	    {"mul", TINY | NEG, MIN, 0, P9_ROUND_DOWN, TINY | NEG, UX | XX | FI | FR | F_NDEN},
	    /* Tiny before rounding, and the least normal number after it. */
	    {"mul", MIN, ONE - 1, 0, 0, MIN, UX | XX | FI | FR | F_PNOR},
	    {"muls", UINT64_C(0x3810000000000000), UINT64_C(0x3fefffffe0000000), 0, 0,
	     UINT64_C(0x3810000000000000), UX | XX | FI | FR | F_PNOR},
	    /* Enabled: raised also when exact; the exponent is 1536 greater (192). */
	    {"div", MIN, TWO, 0, P9_FPSCR_UE, UINT64_C(0x6000000000000000),
	     UX | P9_FPSCR_FEX | F_PNOR},
	    {"mul", MIN, ONE - 1, 0, P9_FPSCR_UE, UINT64_C(0x600fffffffffffff),
	     UX | P9_FPSCR_FEX | F_PNOR},
	    {"mul", MIN | NEG, MIN + 1, 0, P9_FPSCR_UE, UINT64_C(0xa030000000000001),
	     UX | P9_FPSCR_FEX | F_NNOR},
	    {"muls", UINT64_C(0x3810000000000000), UINT64_C(0x3fe0000000000000), 0, P9_FPSCR_UE,
	     UINT64_C(0x4400000000000000), UX | P9_FPSCR_FEX | F_PNOR},
	    {"rsp", 0, TINY, 0, 0, ZERO, UX | XX | FI | F_PZER},
	    {"rsp", 0, UINT64_C(0x36a0000000000000), 0, 0, UINT64_C(0x36a0000000000000), F_PDEN},
	};

	(void)state;
	CHECK(rows);
}

static void to_integer(void **state)
{
	enum { D, DZ, DU, DUZ, W, WZ, WU, WUZ };
	static uint64_t (*const fn[])(uint64_t *, uint64_t, uint64_t) = {
	    p9_fpu_ctid, p9_fpu_ctidz, p9_fpu_ctidu, p9_fpu_ctiduz,
	    p9_fpu_ctiw, p9_fpu_ctiwz, p9_fpu_ctiwu, p9_fpu_ctiwuz};
	static const uint64_t cvi = VX | P9_FPSCR_VXCVI, half = UINT64_C(0x3fe0000000000000);
	static const struct {
		int fn;
		uint64_t b, fpscr, result, status;
	} rows[] = {
	    {D, half, 0, 0, XX | FI},
	    {D, half, P9_ROUND_UP, 1, XX | FI | FR},
	    {D, UINT64_C(0xc004000000000000), 0, -UINT64_C(2), XX | FI},
	    {DZ, UINT64_C(0xc007ffffffffffff), 0, -UINT64_C(2), XX | FI},
	    {DZ, UINT64_C(0x43dfffffffffffff), 0, UINT64_C(0x7ffffffffffffc00), 0},
	    {DZ, UINT64_C(0x43e0000000000000), 0, UINT64_C(0x7fffffffffffffff), cvi},
	    {DZ, UINT64_C(0xc3e0000000000000), 0, NEG, 0},
	    {DZ, UINT64_C(0xc3e0000000000001), 0, NEG, cvi},
	    {DZ, Q1, 0, NEG, cvi},
	    {DZ, S1, 0, NEG, cvi | P9_FPSCR_VXSNAN},
	    {DZ, INF | NEG, 0, NEG, cvi},
	    {DZ, INF, P9_FPSCR_VE, OLD, cvi | P9_FPSCR_FEX},
	    {DZ, TINY, 0, 0, XX | FI},
	    {DUZ, UINT64_C(0x43efffffffffffff), 0, UINT64_C(0xfffffffffffff800), 0},
	    {DUZ, UINT64_C(0x43f0000000000000), 0, ~UINT64_C(0), cvi},
	    {DUZ, UINT64_C(0xbfefffffffffffff), 0, 0, XX | FI},
	    {DUZ, ONE | NEG, 0, 0, cvi},
	    {DU, UINT64_C(0xbfe0000000000000), 0, 0, XX | FI},
	    {DU, UINT64_C(0xbfe0000000000001), 0, 0, cvi},
	    {DUZ, Q1, 0, 0, cvi},
	    {DUZ, NEG, 0, 0, 0},
	    /* Words, in both halves. */
	    {WZ, UINT64_C(0x41dfffffffffffff), 0, UINT64_C(0x7fffffff7fffffff), XX | FI},
	    {W, UINT64_C(0x41dfffffffdfffff), 0, UINT64_C(0x7fffffff7fffffff), XX | FI},
	    {W, UINT64_C(0x41dfffffffe00000), 0, UINT64_C(0x7fffffff7fffffff), cvi},
	    {WZ, UINT64_C(0xc1e00000001fffff), 0, UINT64_C(0x8000000080000000), XX | FI},
	    {WZ, UINT64_C(0xc1e0000000200000), 0, UINT64_C(0x8000000080000000), cvi},
	    {WZ, Q2, 0, UINT64_C(0x8000000080000000), cvi},
	    {WZ, THREE | NEG, 0, UINT64_C(0xfffffffdfffffffd), 0},
	    {WUZ, UINT64_C(0x41efffffffffffff), 0, ~UINT64_C(0), XX | FI},
	    {WUZ, UINT64_C(0x41f0000000000000), 0, ~UINT64_C(0), cvi},
	    {WU, UINT64_C(0x41effffffff00000), 0, ~UINT64_C(0), cvi},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t f = rows[i].fpscr | STALE, r = fn[rows[i].fn](&f, rows[i].b, OLD);
		/* FPRF is kept. */
		uint64_t wanted = rows[i].fpscr | rows[i].status | P9_FPSCR_FPRF;

		if (r != rows[i].result || f != wanted)
			fail_msg("row %zu: %016lx, FPSCR %08lx; wanted %016lx, %08lx", i,
				 (unsigned long)r, (unsigned long)f, (unsigned long)rows[i].result,
				 (unsigned long)wanted);
	}
}

static void loads_and_formats(void **state)
{
	static const struct {
		uint32_t single;
		uint64_t dword;
	} both_ways[] = {
	    {0x00000000, ZERO},
	    {0x80000000, NEG},
	    {0x3f800000, ONE},
	    {0x7f800000, INF},
	    {0x7f800001, UINT64_C(0x7ff0000020000000)}, /* still signalling */
	    {0xffc12345, UINT64_C(0xfff82468a0000000)},
	    {0x00000001, UINT64_C(0x36a0000000000000)},
	    {0x807fffff, UINT64_C(0xb80fffffc0000000)},
	    {0x00800000, UINT64_C(0x3810000000000000)},
	    {0x7f7fffff, UINT64_C(0x47efffffe0000000)},
	};
	uint64_t f = STALE;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(both_ways); i++) {
		assert_int_equal(p9_fpu_double(both_ways[i].single), both_ways[i].dword);
		assert_int_equal(p9_fpu_single(both_ways[i].dword), both_ways[i].single);
		assert_int_equal(p9_fpu_cvspdpn(both_ways[i].single), both_ways[i].dword);
		assert_int_equal(p9_fpu_cvdpspn(both_ways[i].dword), both_ways[i].single);
	}
	/* stfs does not round. */
	assert_int_equal(p9_fpu_single(UINT64_C(0x3fffffffffffffff)), 0x3fffffff);
	assert_int_equal(p9_fpu_single(UINT64_C(0x380fffffffffffff)), 0x007fffff);

	/* Those with exceptions. */
	assert_int_equal(p9_fpu_cvspdp(&f, 0x7f800001, OLD), UINT64_C(0x7ff8000020000000));
	assert_int_equal(f, VX | P9_FPSCR_VXSNAN | F_QNAN);
	f = STALE;
	assert_int_equal(p9_fpu_cvspdp(&f, 0x00000001, OLD), UINT64_C(0x36a0000000000000));
	assert_int_equal(f, F_PNOR);
	f = STALE;
	assert_int_equal(p9_fpu_cvdpsp(&f, ONE - 1, 0), 0x3f800000);
	assert_int_equal(f, XX | FI | FR | F_PNOR);
	f = STALE | P9_FPSCR_VE;
	assert_int_equal(p9_fpu_cvdpsp(&f, S1, 0xdeadbeef), 0xdeadbeef);
	assert_int_equal(f, P9_FPSCR_VE | P9_FPSCR_FEX | VX | P9_FPSCR_VXSNAN | P9_FPSCR_FPRF);

	f = STALE;
	assert_int_equal(p9_fpu_cvdphp(&f, UINT64_C(0x40effc0000000000), 0), 0x7bff); /* 65504 */
	assert_int_equal(f, F_PNOR);
	f = STALE;
	assert_int_equal(p9_fpu_cvdphp(&f, UINT64_C(0x40effe0000000000), 0), 0x7c00);
	assert_int_equal(f, OX | XX | FI | FR | F_PINF);
	f = STALE;
	assert_int_equal(p9_fpu_cvdphp(&f, UINT64_C(0x3e70000000000000), 0), 0x0001); /* 2^-24 */
	assert_int_equal(f, F_PDEN);
	f = STALE;
	assert_int_equal(p9_fpu_cvhpdp(&f, 0x0001, OLD), UINT64_C(0x3e70000000000000));
	assert_int_equal(f, F_PNOR);
	f = STALE;
	assert_int_equal(p9_fpu_cvhpdp(&f, 0xfc01, OLD), UINT64_C(0xfff8040000000000));
	assert_int_equal(f, VX | P9_FPSCR_VXSNAN | F_QNAN);
}

static void comparisons(void **state)
{
	uint64_t f = STALE;

	(void)state;
	/* FPCC only: C, FR and FI stay. */
	assert_int_equal(p9_fpu_cmpu(&f, ONE, TWO), P9_CR_LT);
	assert_int_equal(f, FR | FI | P9_FPSCR_C | P9_FPSCR_FL);
	f = 0;
	assert_int_equal(p9_fpu_cmpu(&f, ZERO, NEG), P9_CR_EQ);
	assert_int_equal(f, P9_FPSCR_FE);
	f = 0;
	assert_int_equal(p9_fpu_cmpo(&f, INF, MAX), P9_CR_GT);
	assert_int_equal(f, P9_FPSCR_FG);
	f = 0;
	assert_int_equal(p9_fpu_cmpu(&f, Q1, ONE), P9_CR_UN);
	assert_int_equal(f, P9_FPSCR_FU);
	f = 0;
	assert_int_equal(p9_fpu_cmpo(&f, ONE, Q1), P9_CR_UN);
	assert_int_equal(f, P9_FPSCR_FU | VX | P9_FPSCR_VXVC);
	f = 0;
	assert_int_equal(p9_fpu_cmpu(&f, ONE, S1), P9_CR_UN);
	assert_int_equal(f, P9_FPSCR_FU | VX | P9_FPSCR_VXSNAN);
	f = 0;
	assert_int_equal(p9_fpu_cmpo(&f, ONE, S1), P9_CR_UN);
	assert_int_equal(f, P9_FPSCR_FU | VX | P9_FPSCR_VXSNAN | P9_FPSCR_VXVC);
	/* With VE a signalling NaN leaves VXVC alone; the CR field is written nevertheless. */
	f = P9_FPSCR_VE;
	assert_int_equal(p9_fpu_cmpo(&f, ONE, S1), P9_CR_UN);
	assert_int_equal(f, P9_FPSCR_VE | P9_FPSCR_FEX | P9_FPSCR_FU | VX | P9_FPSCR_VXSNAN);

	f = 0;
	assert_int_equal(p9_fpu_cmpexp(&f, THREE, TWO), P9_CR_EQ);
	assert_int_equal(p9_fpu_cmpexp(&f, ONE, TWO | NEG), P9_CR_LT);
	assert_int_equal(p9_fpu_cmpexp(&f, S1, TWO), P9_CR_UN);
	assert_int_equal(f, P9_FPSCR_FU);

	f = 0;
	assert_int_equal(p9_fpu_cmpeq(&f, ONE, ONE, OLD), ~UINT64_C(0));
	assert_int_equal(p9_fpu_cmpge(&f, ONE, TWO, OLD), 0);
	assert_int_equal(p9_fpu_cmpeq(&f, Q1, Q1, OLD), 0);
	assert_int_equal(f, 0);
	assert_int_equal(p9_fpu_cmpgt(&f, Q1, ONE, OLD), 0);
	assert_int_equal(f, VX | P9_FPSCR_VXVC);
	f = P9_FPSCR_VE;
	assert_int_equal(p9_fpu_cmpge(&f, Q1, ONE, OLD), OLD);
	assert_int_equal(f, P9_FPSCR_VE | P9_FPSCR_FEX | VX | P9_FPSCR_VXVC);
}

static void extremes(void **state)
{
	uint64_t f = 0;

	(void)state;
	/* IEEE: a number wins over a quiet NaN; zeros have an order. */
	assert_int_equal(p9_fpu_max(&f, Q1, ONE, OLD), ONE);
	assert_int_equal(p9_fpu_min(&f, ONE, Q1, OLD), ONE);
	assert_int_equal(p9_fpu_max(&f, Q1, Q2, OLD), Q1);
	assert_int_equal(p9_fpu_max(&f, NEG, ZERO, OLD), ZERO);
	assert_int_equal(p9_fpu_min(&f, ZERO, NEG, OLD), NEG);
	assert_int_equal(f, 0);
	assert_int_equal(p9_fpu_max(&f, ONE, S1, OLD), Q1);
	assert_int_equal(f, VX | P9_FPSCR_VXSNAN);
	/* a > b ? a : b. */
	f = 0;
	assert_int_equal(p9_fpu_maxc(&f, TWO, ONE, OLD), TWO);
	assert_int_equal(p9_fpu_maxc(&f, ZERO, NEG, OLD), NEG);
	assert_int_equal(p9_fpu_minc(&f, NEG, ZERO, OLD), ZERO);
	assert_int_equal(p9_fpu_maxc(&f, Q1, ONE, OLD), ONE);
	assert_int_equal(p9_fpu_maxc(&f, ONE, Q1, OLD), Q1);
	assert_int_equal(f, 0);
	assert_int_equal(p9_fpu_minc(&f, ONE, S1, OLD), S1);
	assert_int_equal(f, VX | P9_FPSCR_VXSNAN);
	f = P9_FPSCR_VE;
	assert_int_equal(p9_fpu_minc(&f, ONE, S1, OLD), OLD);
	/* Java. */
	f = 0;
	assert_int_equal(p9_fpu_maxj(&f, NEG, ZERO, OLD), ZERO);
	assert_int_equal(p9_fpu_minj(&f, ZERO, NEG, OLD), NEG);
	assert_int_equal(p9_fpu_maxj(&f, ONE, Q1, OLD), Q1);
	assert_int_equal(p9_fpu_minj(&f, Q2, Q1, OLD), Q2);
	assert_int_equal(f, 0);
	assert_int_equal(p9_fpu_maxj(&f, S2, ONE, OLD), S2);
	assert_int_equal(f, VX | P9_FPSCR_VXSNAN);
}

static void tests_for_software(void **state)
{
	uint64_t f = STALE;

	(void)state;
	assert_int_equal(p9_fpu_tdiv(ONE, ONE), 8);
	assert_int_equal(p9_fpu_tdiv(ONE, ZERO), 8 | 4 | 2);
	assert_int_equal(p9_fpu_tdiv(INF, ONE), 8 | 4 | 2);
	assert_int_equal(p9_fpu_tdiv(Q1, ONE), 8 | 2);
	assert_int_equal(p9_fpu_tdiv(ONE, TINY), 8 | 4 | 2);
	assert_int_equal(p9_fpu_tdiv(ONE, MIN), 8 | 2);                          /* eb = -1022 */
	assert_int_equal(p9_fpu_tdiv(ONE, UINT64_C(0x7fc0000000000000)), 8 | 2); /* eb = 1021 */
	assert_int_equal(p9_fpu_tdiv(ONE, UINT64_C(0x7fb0000000000000)), 8);
	assert_int_equal(p9_fpu_tdiv(UINT64_C(0x0350000000000000), ONE), 8 | 2); /* ea = -970 */
	assert_int_equal(p9_fpu_tdiv(UINT64_C(0x0360000000000000), ONE), 8);
	assert_int_equal(p9_fpu_tdiv(ZERO, ONE), 8);
	assert_int_equal(p9_fpu_tsqrt(TWO), 8);
	assert_int_equal(p9_fpu_tsqrt(TWO | NEG), 8 | 2);
	assert_int_equal(p9_fpu_tsqrt(ZERO), 8 | 4 | 2);
	assert_int_equal(p9_fpu_tsqrt(TINY), 8 | 4 | 2);
	assert_int_equal(p9_fpv_tdiv_sp(0x3f800000, 0x3f800000), 8);
	assert_int_equal(p9_fpv_tdiv_sp(0x3f800000, 0x7e000000), 8 | 2); /* eb = 125 */
	assert_int_equal(p9_fpv_tdiv_sp(0x3f800000, 0x7d800000), 8);
	assert_int_equal(p9_fpv_tsqrt_sp(0x00400000), 8 | 4 | 2);

	assert_int_equal(p9_fpu_tstdc(&f, Q2, 0x40), 8 | 2);
	assert_int_equal(f, FR | FI | P9_FPSCR_C | P9_FPSCR_FL | P9_FPSCR_FE);
	assert_int_equal(p9_fpu_tstdc(&f, INF, 0x20), 2);
	assert_int_equal(p9_fpu_tstdc(&f, INF | NEG, 0x20), 8);
	assert_int_equal(p9_fpu_tstdc(&f, NEG, 0x04), 8 | 2);
	assert_int_equal(p9_fpu_tstdc(&f, TINY, 0x02), 2);
	assert_int_equal(p9_fpu_tstdc(&f, ONE, 0x7f), 0);
	/* For single precision a double may be denormal, or no single at all. */
	assert_int_equal(p9_fpu_tstdcs(&f, UINT64_C(0x3800000000000000), 0x02), 2);
	assert_int_equal(p9_fpu_tstdcs(&f, UINT64_C(0xb800000000000001), 0x01), 8 | 2 | 1);
	assert_int_equal(p9_fpu_tstdcs(&f, ONE + 1, 0x7f), 1);
	assert_int_equal(p9_fpv_tstdc_sp(0x80000001, 0x01), 0xffffffff);
	assert_int_equal(p9_fpv_tstdc_dp(ONE, 0x7f), 0);

	assert_int_equal(p9_fpu_xexp(THREE), 0x400);
	assert_int_equal(p9_fpu_xsig(THREE), UINT64_C(0x0018000000000000));
	assert_int_equal(p9_fpu_xsig(TINY), 1);
	assert_int_equal(p9_fpu_iexp(UINT64_C(0xffffffffffffffff), 0x1801),
			 UINT64_C(0x801fffffffffffff));
}

static void fpscr_moves(void **state)
{
	uint64_t f = P9_FPSCR_VXSNAN | P9_FPSCR_VX | FX | P9_FPSCR_VE | P9_FPSCR_FEX | FI | F_PNOR |
		     UINT64_C(3) << 32 | P9_ROUND_UP;
	uint64_t g = f;

	(void)state;
	assert_int_equal(p9_fpscr_mffs(f), f);
	assert_int_equal(p9_fpscr_mffsl(f),
			 P9_FPSCR_VE | FI | F_PNOR | UINT64_C(3) << 32 | P9_ROUND_UP);
	assert_int_equal(p9_fpscr_cr1(f), 0xe);
	assert_int_equal(p9_fpscr_mffsce(&g), f);
	assert_int_equal(g, f & ~(P9_FPSCR_VE | P9_FPSCR_FEX));
	assert_int_equal(p9_fpscr_mffscrn(&g, ~UINT64_C(2)), UINT64_C(3) << 32 | P9_ROUND_UP);
	assert_int_equal(g & P9_FPSCR_RN, 1);
	p9_fpscr_mffscrni(&g, 3);
	assert_int_equal(g & P9_FPSCR_RN, 3);
	assert_int_equal(p9_fpscr_mffscdrn(&g, UINT64_C(5) << 32), UINT64_C(3) << 32 | 3);
	assert_int_equal(g & P9_FPSCR_DRN, UINT64_C(5) << 32);
	p9_fpscr_mffscdrni(&g, 6);
	assert_int_equal(g & P9_FPSCR_DRN, UINT64_C(6) << 32);

	/* FEX and VX are computed, whatever is written; reserved bits stay 0. */
	g = 0;
	p9_fpscr_mtfsf(&g, ~UINT64_C(0), 0, 1, 0);
	assert_int_equal(g, UINT64_C(0x00000007fffff7ff));
	g = 0;
	p9_fpscr_mtfsf(&g, P9_FPSCR_FEX | P9_FPSCR_VX | P9_FPSCR_OE, 0xff, 0, 0);
	assert_int_equal(g, P9_FPSCR_OE);
	p9_fpscr_mtfsf(&g, ~UINT64_C(0), 0x80, 0, 0);
	assert_int_equal(g, FX | P9_FPSCR_OX | P9_FPSCR_OE | P9_FPSCR_FEX);
	p9_fpscr_mtfsf(&g, UINT64_C(0xffffffff00000000), 0x01, 0, 1);
	assert_int_equal(g & P9_FPSCR_DRN, P9_FPSCR_DRN);

	g = 0;
	p9_fpscr_mtfsfi(&g, 0, 0xf, 0);
	assert_int_equal(g, FX | P9_FPSCR_OX);
	p9_fpscr_mtfsfi(&g, 7, 0xf, 0);
	assert_int_equal(g, FX | P9_FPSCR_OX | 0xf);
	p9_fpscr_mtfsfi(&g, 7, 0xa, 1);
	assert_int_equal(g, UINT64_C(0x200000000) | FX | P9_FPSCR_OX | 0xf);

	/* mtfsb1 sets FX with an exception bit, mtfsfi does not; VX is out of reach. */
	g = 0;
	p9_fpscr_mtfsb1(&g, 7);
	assert_int_equal(g, VX | P9_FPSCR_VXSNAN);
	p9_fpscr_mtfsb0(&g, 2);
	assert_int_equal(g, VX | P9_FPSCR_VXSNAN);
	p9_fpscr_mtfsb0(&g, 0);
	assert_int_equal(g, P9_FPSCR_VX | P9_FPSCR_VXSNAN);
	p9_fpscr_mtfsb1(&g, 24);
	assert_int_equal(g, P9_FPSCR_VX | P9_FPSCR_VXSNAN | P9_FPSCR_VE | P9_FPSCR_FEX);
	p9_fpscr_mtfsb0(&g, 7);
	assert_int_equal(g, P9_FPSCR_VE);

	/* mcrfs clears the exception bits that it copies, and no others. */
	g = f | XX | FR | P9_FPSCR_VXVC;
	assert_int_equal(p9_fpscr_mcrfs(&g, 3), 0x8 | 0x4 | 0x2);
	assert_int_equal(g, f | XX | FR);
	assert_int_equal(p9_fpscr_mcrfs(&g, 0), 0xe);
	assert_int_equal(g, (f & ~FX) | P9_FPSCR_XX | FR);
	assert_int_equal(p9_fpscr_mcrfs(&g, 1), 0x2 | 0x1);
	assert_int_equal(g, (f & ~(FX | P9_FPSCR_VXSNAN | P9_FPSCR_VX | P9_FPSCR_FEX)) | FR);
	assert_int_equal(p9_fpscr_mcrfs(&g, 7), 2);
}

static void vectors(void **state)
{
	uint64_t f = STALE, raised = 0;

	(void)state;
	/* Exceptions of all lanes together; FR, FI and FPRF stay. */
	assert_int_equal(p9_fpv_add_dp(f, &raised, INF, INF | NEG), QNAN);
	assert_int_equal(p9_fpv_add_dp(f, &raised, MAX, MAX), INF);
	assert_true(p9_fpv_commit(&f, raised));
	assert_int_equal(f, STALE | VX | P9_FPSCR_VXISI | OX | XX);
	/* Any enabled one suppresses all, overflow and inexact included. */
	f = STALE | P9_FPSCR_XE;
	raised = 0;
	p9_fpv_div_sp(f, &raised, 0x3f800000, 0x40400000);
	assert_false(p9_fpv_commit(&f, raised));
	assert_int_equal(f, STALE | P9_FPSCR_XE | P9_FPSCR_FEX | XX);
	f = P9_FPSCR_OE;
	raised = 0;
	p9_fpv_mul_sp(f, &raised, 0x7f7fffff, 0x40000000);
	assert_false(p9_fpv_commit(&f, raised));
	assert_int_equal(f, P9_FPSCR_OE | P9_FPSCR_FEX | OX);
	/* An exception pending from before does not. */
	f = P9_FPSCR_ZE | P9_FPSCR_ZX | P9_FPSCR_FEX;
	raised = 0;
	assert_int_equal(p9_fpv_sqrt_sp(f, &raised, 0x40000000), 0x3fb504f3);
	assert_true(p9_fpv_commit(&f, raised));
	assert_int_equal(f, P9_FPSCR_ZE | P9_FPSCR_ZX | P9_FPSCR_FEX | XX);

	f = raised = 0;
	assert_int_equal(p9_fpv_max_sp(f, &raised, 0x7fc00001, 0x3f800000), 0x3f800000);
	assert_int_equal(p9_fpv_cmpge_sp(f, &raised, 0x80000000, 0), 0xffffffff);
	assert_int_equal(p9_fpv_ri_sp(f, &raised, 0x40200000, P9_ROUND_AWAY, false), 0x40400000);
	assert_int_equal(raised, 0);
	assert_int_equal(p9_fpv_cvspsxws(f, &raised, 0x4f000000), 0x7fffffff);
	assert_int_equal(raised, P9_FPSCR_VXCVI);
	raised = 0;
	assert_int_equal(p9_fpv_cvuxdsp(f, &raised, ~UINT64_C(0)), 0x5f800000);
	assert_int_equal(raised, P9_FPSCR_XX);
	raised = 0;
	assert_int_equal(p9_fpv_cvhpsp(f, &raised, 0x8001), 0xb3800000);
	assert_int_equal(p9_fpv_cvsphp(f, &raised, 0x477fe000), 0x7bff);
	assert_int_equal(p9_fpv_cvsxwdp(0xffffffff), ONE | NEG);
	assert_int_equal(raised, 0);
}

static void vmx(void **state)
{
	bool sat = false;

	(void)state;
	/* NJ: denormal operands and results are zeros of the same sign. */
	assert_int_equal(p9_vmx_addfp(0x80000001, 0x80000001, false), 0x80000002);
	assert_int_equal(p9_vmx_addfp(0x80000001, 0x80000001, true), 0x80000000);
	assert_int_equal(p9_vmx_subfp(0x00c00000, 0x00800000, false), 0x00400000);
	assert_int_equal(p9_vmx_subfp(0x00800000, 0x00c00000, true), 0x80000000);
	assert_int_equal(p9_vmx_nmsubfp(0x00800000, 0, 0x3f000000, true), 0x80000000);
	assert_int_equal(p9_vmx_maddfp(0x40000000, 0x3f800000, 0x40400000, true), 0x40e00000);
	assert_int_equal(p9_vmx_maddfp(0x7f800000, 0xffc00001, 0, false), 0xffc00001);
	assert_int_equal(p9_vmx_nmsubfp(0x7f800000, 0x3f800000, 0, false), 0x7fc00000);
	assert_int_equal(p9_vmx_maxfp(0x7f800001, 0x3f800000, false), 0x7fc00001);
	assert_int_equal(p9_vmx_minfp(0, 0x80000000, false), 0x80000000);
	assert_int_equal(p9_vmx_refp(0x80000001, true), 0xff800000);
	assert_int_equal(p9_vmx_exptefp(0x7f800000, false), 0x7f800000);
	assert_int_equal(p9_vmx_exptefp(0xff800000, false), 0);
	assert_int_equal(p9_vmx_exptefp(0xc3000000, false), 0x00200000);
	assert_int_equal(p9_vmx_exptefp(0xc3000000, true), 0);
	assert_int_equal(p9_vmx_logefp(0x80000000, false), 0xff800000);
	assert_int_equal(p9_vmx_logefp(0xbf800000, false), 0x7fc00000);
	assert_int_equal(p9_vmx_rfi(0x3f000000, P9_ROUND_NEAREST, false), 0);
	assert_int_equal(p9_vmx_rfi(0xbfc00000, P9_ROUND_NEAREST, false), 0xc0000000);
	assert_int_equal(p9_vmx_rfi(0x00000001, P9_ROUND_UP, true), 0);
	assert_int_equal(p9_vmx_cfux(0xffffffff, 31), 0x40000000);
	assert_int_equal(p9_vmx_cfsx(0xffffffff, 1), 0xbf000000);
	assert_int_equal(p9_vmx_ctsxs(0xc0600000, 1, &sat, false), 0xfffffff9);
	assert_int_equal(p9_vmx_ctuxs(0xbf000000, 0, &sat, false), 0);
	assert_int_equal(p9_vmx_ctsxs(0x7fc00000, 0, &sat, false), 0);
	assert_false(sat);
	assert_int_equal(p9_vmx_ctuxs(0xbf800000, 0, &sat, false), 0);
	assert_true(sat);
	sat = false;
	assert_int_equal(p9_vmx_ctuxs(0x4f800000, 0, &sat, false), 0xffffffff);
	assert_true(sat);
	sat = false;
	/* By the ISA's exponent test the least integer counts as saturated. */
	assert_int_equal(p9_vmx_ctsxs(0xcf000000, 0, &sat, false), 0x80000000);
	assert_true(sat);
	assert_int_equal(p9_vmx_cmpbfp(0x3f800000, 0x3f800000, false), 0);
	assert_int_equal(p9_vmx_cmpbfp(0x40000000, 0x3f800000, false), 0x80000000);
	assert_int_equal(p9_vmx_cmpbfp(0xc0000000, 0x3f800000, false), 0x40000000);
	assert_int_equal(p9_vmx_cmpbfp(0x7fc00000, 0x3f800000, false), 0xc0000000);
	assert_int_equal(p9_vmx_cmpgtfp(0x00000001, 0, false), 0xffffffff);
	assert_int_equal(p9_vmx_cmpgtfp(0x00000001, 0, true), 0);
}

#define QUAD(high) ((p9_u128)UINT64_C(high) << 64)
#define Q_ONE      QUAD(0x3fff000000000000)
#define Q_MAX      (QUAD(0x7ffeffffffffffff) | ~UINT64_C(0))
#define Q_INF      QUAD(0x7fff000000000000)
#define Q_NEG      QUAD(0x8000000000000000)

static void quads(void **state)
{
	uint64_t f = STALE;

	(void)state;
	assert_true(p9_fpq_add(&f, Q_ONE, Q_ONE, 0, false) == QUAD(0x4000000000000000));
	assert_int_equal(f, F_PNOR);
	f = STALE;
	assert_true(p9_fpq_add(&f, Q_ONE, 1, 0, false) == Q_ONE);
	assert_int_equal(f, XX | FI | F_PNOR);
	assert_true(p9_fpq_add(&f, Q_ONE, 1, 0, true) == (Q_ONE | 1));
	assert_true(p9_fpq_sub(&f, Q_ONE, 1, 0, true) == Q_ONE - 1);
	f = STALE;
	assert_true(p9_fpq_add(&f, Q_MAX, Q_MAX, 0, false) == Q_INF);
	assert_int_equal(f, OX | XX | FI | FR | F_PINF);
	f = STALE;
	assert_true(p9_fpq_add(&f, Q_MAX, Q_MAX, 0, true) == Q_MAX);
	assert_int_equal(f, OX | XX | FI | F_PNOR);
	f = STALE | P9_FPSCR_OE;
	assert_true(p9_fpq_add(&f, Q_MAX, Q_MAX, 0, false) ==
		    Q_MAX - ((p9_u128)(24576 - 1) << 112));
	assert_int_equal(f, P9_FPSCR_OE | P9_FPSCR_FEX | OX | F_PNOR);
	f = STALE | P9_FPSCR_VE;
	assert_true(p9_fpq_sub(&f, Q_INF, Q_INF, Q_MAX, false) == Q_MAX);
	assert_int_equal(f, P9_FPSCR_VE | P9_FPSCR_FEX | VX | P9_FPSCR_VXISI | P9_FPSCR_FPRF);
	f = 0;
	assert_true(p9_fpq_nmsub(&f, Q_ONE, Q_ONE, Q_ONE, 0, false) == Q_NEG);
	assert_int_equal(f, F_NZER);

	f = 0;
	assert_true(p9_fpq_cvdpqp(&f, TINY | NEG, 0) == QUAD(0xbbcd000000000000));
	assert_int_equal(f, F_NNOR);
	f = 0;
	assert_int_equal(p9_fpq_cvqpdp(&f, Q_ONE | 1, OLD, false), ONE);
	assert_int_equal(p9_fpq_cvqpdp(&f, Q_ONE | 1, OLD, true), ONE | 1);
	assert_int_equal(f, XX | FI | FR | F_PNOR);
	f = 0;
	assert_int_equal(p9_fpq_cvqpdp(&f, Q_MAX, OLD, true), MAX);
	assert_int_equal(f, OX | XX | FI | F_PNOR);
	f = 0;
	assert_int_equal(p9_fpq_cvqpsdz(&f, Q_INF | Q_NEG, OLD), NEG);
	assert_int_equal(p9_fpq_cvqpswz(&f, Q_INF | Q_NEG, OLD), UINT64_C(0xffffffff80000000));
	assert_int_equal(p9_fpq_cvqpuwz(&f, Q_INF, OLD), UINT64_C(0xffffffff));
	assert_int_equal(f, VX | P9_FPSCR_VXCVI);
	f = 0;
	assert_true(p9_fpq_cvudqp(&f, ~UINT64_C(0)) ==
		    (QUAD(0x403effffffffffff) | UINT64_C(0xfffe000000000000)));
	assert_int_equal(f, F_PNOR);

	/* To integral: ties away, and by RN; to the x87's significand. */
	f = 0;
	assert_true(p9_fpq_ri(&f, QUAD(0x3ffe000000000000), 0, 0, 0, false) == Q_ONE);
	assert_int_equal(f, F_PNOR);
	assert_true(p9_fpq_ri(&f, QUAD(0x3ffe000000000000), 0, 0, 3, true) == 0);
	assert_int_equal(f, XX | FI | F_PZER);
	assert_true(p9_fpq_ri(&f, QUAD(0xbffe000000000000), 0, 1, 3, false) == (Q_ONE | Q_NEG));
	f = 0;
	assert_true(p9_fpq_rxp(&f, Q_ONE | UINT64_C(0x0001800000000000), 0, 1, 0) ==
		    (Q_ONE | UINT64_C(0x0002000000000000)));
	assert_int_equal(f, XX | FI | FR | F_PNOR);

	f = 0;
	assert_int_equal(p9_fpq_cmpu(&f, Q_ONE, Q_ONE | 1), P9_CR_LT);
	assert_int_equal(p9_fpq_cmpu(&f, 0, Q_NEG), P9_CR_EQ);
	assert_int_equal(p9_fpq_cmpo(&f, Q_INF | Q_NEG, Q_INF), P9_CR_LT);
	assert_int_equal(p9_fpq_cmpo(&f, Q_INF | 1, Q_INF), P9_CR_UN);
	assert_int_equal(f, VX | P9_FPSCR_VXSNAN | P9_FPSCR_VXVC | P9_FPSCR_FU);
	assert_int_equal(p9_fpq_tstdc(&f, Q_NEG | 1, 0x01), 8 | 2);
}

/* The status of an operation that may be deferred: that of doing it again. */
static void deferral(void **state)
{
	uint64_t f = P9_FPSCR_XX | P9_FPSCR_FX, g, r;

	(void)state;
	assert_true(p9_fpu_may_defer(f));
	assert_false(p9_fpu_may_defer(f | P9_ROUND_UP));
	assert_false(p9_fpu_may_defer(f | P9_FPSCR_XE));
	assert_false(p9_fpu_may_defer(0));
	r = p9_fpu_div(&f, ONE, THREE, OLD);
	g = f | STALE;
	assert_int_equal(p9_fpu_div(&g, ONE, THREE, OLD), r);
	assert_int_equal(f, g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(classes_and_zeros),
	    cmocka_unit_test(nans),
	    cmocka_unit_test(invalid),
	    cmocka_unit_test(zero_divide),
	    cmocka_unit_test(inexact),
	    cmocka_unit_test(overflow),
	    cmocka_unit_test(underflow),
	    cmocka_unit_test(to_integer),
	    cmocka_unit_test(loads_and_formats),
	    cmocka_unit_test(comparisons),
	    cmocka_unit_test(extremes),
	    cmocka_unit_test(tests_for_software),
	    cmocka_unit_test(fpscr_moves),
	    cmocka_unit_test(vectors),
	    cmocka_unit_test(vmx),
	    cmocka_unit_test(quads),
	    cmocka_unit_test(deferral),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
