/*
 * Decimal floating point (cpu/power9/dfp.h), by the text of Power ISA 3.0B, Book I chapter 5:
 * encodings, forms of results, the eight rounding modes, and what the differential test cannot
 * show, as the reference knows neither FR nor enabled exceptions nor wrapped results.
 *
 * Numbers are written as text: sign, significand, E and the exponent of its last digit ("-750E-2"),
 * "inf", "nan12", "snan12".
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/power9/cr.h"
#include "cpu/power9/core.h"
#include "cpu/power9/dfp_core.h"
#include "power9_harness.h"
#include "util/compiler.h"

#define LONG     (&p9_dfp_long)
#define EXTENDED (&p9_dfp_extended)
#define SHORT    (&p9_dfp_short)
#define DRN(n)   ((uint64_t)(n) << 32)

#define FX  P9_FPSCR_FX
#define XX  P9_FPSCR_XX
#define FI  P9_FPSCR_FI
#define FR  P9_FPSCR_FR
#define OX  P9_FPSCR_OX
#define UX  P9_FPSCR_UX
#define ZX  P9_FPSCR_ZX
#define VX  P9_FPSCR_VX
#define VE  P9_FPSCR_VE
#define OE  P9_FPSCR_OE
#define UE  P9_FPSCR_UE
#define ZE  P9_FPSCR_ZE
#define XE  P9_FPSCR_XE
#define FEX P9_FPSCR_FEX

#define CLASS(fprf) ((uint64_t)(fprf) << P9_FPSCR_FPCC_SHIFT)
#define QNAN        CLASS(0x11)
#define PNORMAL     CLASS(0x04)
#define NNORMAL     CLASS(0x08)
#define PSUBNORMAL  CLASS(0x14)
#define PZERO       CLASS(0x02)
#define NZERO       CLASS(0x12)
#define PINF        CLASS(0x05)
#define NINF        CLASS(0x09)

#define OLD ((p9_u128)0x1122334455667788 << 64 | 0x99aabbccddeeff00)

/* ---- text ---- */

static p9_u128 number(const struct p9_dfp_format *f, const char *text)
{
	struct p9_dfp_num n = {.cls = P9_DFP_FINITE};

	if (*text == '-') {
		n.neg = true;
		text++;
	}
	if (!strncmp(text, "inf", 3)) {
		n.cls = P9_DFP_INF;
		text += 3;
	} else if (!strncmp(text, "nan", 3)) {
		n.cls = P9_DFP_QNAN;
		text += 3;
	} else if (!strncmp(text, "snan", 4)) {
		n.cls = P9_DFP_SNAN;
		text += 4;
	}
	for (; *text >= '0' && *text <= '9'; text++)
		n.coef = n.coef * 10 + (unsigned)(*text - '0');
	if (*text == 'E')
		n.exp = atoi(text + 1);
	return p9_dfp_pack(f, &n);
}

/* In one of a few buffers. */
static const char *text_of(const struct p9_dfp_format *f, p9_u128 bits)
{
	static const char *const names[] = {"", "inf", "nan", "snan"};
	static char buffers[4][64];
	static unsigned next;
	struct p9_dfp_num n = p9_dfp_unpack(f, bits);
	char *to = buffers[next++ % 4], digits[40];
	int len = 0;

	do {
		digits[len++] = (char)('0' + (int)(n.coef % 10));
		n.coef /= 10;
	} while (n.coef);
	if (n.cls != P9_DFP_FINITE && len == 1 && digits[0] == '0')
		len = 0;
	to += sprintf(to, "%s%s", n.neg ? "-" : "", names[n.cls]);
	while (len)
		*to++ = digits[--len];
	if (n.cls == P9_DFP_FINITE)
		sprintf(to, "E%d", n.exp);
	else
		*to = 0;
	return buffers[(next - 1) % 4];
}

typedef p9_u128 binary(uint64_t *fpscr, const struct p9_dfp_format *f, p9_u128 a, p9_u128 b,
		       p9_u128 old);

static void check_bits(const struct p9_dfp_format *f, p9_u128 bits, const char *want, int line)
{
	const char *got = text_of(f, bits);

	if (strcmp(got, want))
		fail_msg("line %d: %s, not %s", line, got, want);
	/* Results are canonical. */
	if (bits != number(f, want))
		fail_msg("line %d: %s is not in its canonical form", line, want);
}

static void check_status(uint64_t got, uint64_t want, int line)
{
	if (got != want)
		fail_msg("line %d: FPSCR is %#" PRIx64 ", not %#" PRIx64, line, got, want);
}

static void check_binary(binary *op, const struct p9_dfp_format *f, uint64_t before, const char *a,
			 const char *b, const char *want, uint64_t after, int line)
{
	uint64_t fpscr = before;
	p9_u128 r = op(&fpscr, f, number(f, a), number(f, b), OLD);

	if (want)
		check_bits(f, r, want, line);
	else
		assert_true(r == OLD);
	check_status(fpscr, before | after, line);
}

/* The FPSCR after is `after` more than before; no result: it is suppressed. */
#define BINARY(op, f, before, a, b, want, after)                                                   \
	check_binary(p9_dfp_##op, f, before, a, b, want, after, __LINE__)

/* ---- encodings ---- */

/* IEEE 754-2008 3.5.2, and the examples known from many papers. */
static void encodings(void **state)
{
	(void)state;
	assert_true(number(LONG, "-750E-2") == 0xa2300000000003d0);
	assert_true(number(SHORT, "-750E-2") == 0xa23003d0);
	assert_true(number(EXTENDED, "-750E-2") == ((p9_u128)0xa207800000000000 << 64 | 0x3d0));
	assert_true(number(LONG, "1E0") == 0x2238000000000001);
	assert_true(number(LONG, "9999999999999999E369") == 0x77fcff3fcff3fcff);
	assert_true(number(LONG, "1E-398") == 1);
	assert_true(number(LONG, "-inf") == 0xf800000000000000);
	assert_true(number(LONG, "nan") == 0x7c00000000000000);
	assert_true(number(LONG, "snan999999999999999") == 0x7e00ff3fcff3fcff);
	assert_true(number(LONG, "8000000000000000E-398") == 0x6000000000000000);
	/* What is unused of an infinity or NaN is ignored. */
	assert_string_equal(text_of(LONG, 0x7bfc000000000001), "inf1");
	assert_string_equal(text_of(LONG, 0xfdfc000000000001), "-nan1");
}

static unsigned digits_of_declet(unsigned declet)
{
	struct p9_dfp_num n = p9_dfp_unpack(SHORT, 0x22500000 | declet);

	return (unsigned)n.coef;
}

/* Appendix B. */
static void declets(void **state)
{
	static const struct {
		unsigned number, declet;
	} some[] = {
		{5, 0x005},  {9, 0x009},   {55, 0x055},  {79, 0x079},  {80, 0x00a},
		{99, 0x05f}, {555, 0x2d5}, {999, 0x0ff}, {800, 0x00c}, {808, 0x02e},
	};
	unsigned redundant = 0;

	(void)state;
	for (unsigned n = 0; n < ARRAY_SIZE(some); n++) {
		struct p9_dfp_num v = {.cls = P9_DFP_FINITE, .coef = some[n].number};

		assert_int_equal(digits_of_declet(some[n].declet), some[n].number);
		assert_int_equal((unsigned)p9_dfp_pack(SHORT, &v) & 1023, some[n].declet);
	}
	for (unsigned d = 0; d < 1024; d++) {
		struct p9_dfp_num v = {.cls = P9_DFP_FINITE, .coef = digits_of_declet(d)};
		unsigned preferred = (unsigned)p9_dfp_pack(SHORT, &v) & 1023;

		assert_true(v.coef < 1000);
		if (preferred != d) {
			/* Three large digits: the first two bits do not count. */
			assert_int_equal(d & 0x6e, 0x6e);
			assert_int_equal(d & 0xff, preferred);
			redundant++;
		}
	}
	assert_int_equal(redundant, 24);
}

/* ---- arithmetic ---- */

static void forms(void **state)
{
	(void)state;
	/* Exact: the form nearest to the ideal exponent. */
	BINARY(add, LONG, 0, "1E0", "100E-2", "200E-2", PNORMAL);
	BINARY(add, LONG, 0, "1E3", "1E0", "1001E0", PNORMAL);
	BINARY(add, LONG, 0, "1E20", "0E0", "1000000000000000E5", PNORMAL);
	BINARY(add, LONG, 0, "1E20", "1E5", "1000000000000001E5", PNORMAL);
	BINARY(add, LONG, 0, "1E20", "10E4", "1000000000000001E5", PNORMAL);
	BINARY(sub, LONG, 0, "100E-2", "1E0", "0E-2", PZERO);
	BINARY(mul, LONG, 0, "120E-2", "10E3", "1200E1", PNORMAL);
	BINARY(mul, LONG, 0, "1000000000E5", "1000000000E-5", "1000000000000000E3", PNORMAL);
	BINARY(div, LONG, 0, "10E0", "4E0", "25E-1", PNORMAL);
	BINARY(div, LONG, 0, "100E0", "5E0", "20E0", PNORMAL);
	BINARY(div, LONG, 0, "240E5", "2E2", "120E3", PNORMAL);
	BINARY(div, EXTENDED, 0, "1E0", "1024E0", "9765625E-10", PNORMAL);
	/* Inexact: as many digits as there are. */
	BINARY(div, LONG, 0, "1E0", "3E0", "3333333333333333E-16", FX | XX | FI | PNORMAL);
	BINARY(div, LONG, 0, "2E0", "3E0", "6666666666666667E-16", FX | XX | FI | FR | PNORMAL);
	BINARY(div, EXTENDED, 0, "-1E0", "7E0", "-1428571428571428571428571428571429E-34",
	       FX | XX | FI | FR | NNORMAL);
	BINARY(mul, EXTENDED, 0, "9999999999999999999999999999999999E0",
	       "9999999999999999999999999999999999E0", "9999999999999999999999999999999998E34",
	       FX | XX | FI | PNORMAL);
	BINARY(add, LONG, 0, "9999999999999999E0", "5E-1", "1000000000000000E1",
	       FX | XX | FI | FR | PNORMAL);
	BINARY(add, LONG, 0, "1E300", "-1E-300", "1000000000000000E285",
	       FX | XX | FI | FR | PNORMAL);
	BINARY(sub, LONG, DRN(1), "1E300", "1E-300", "9999999999999999E284",
	       FX | XX | FI | PNORMAL);
	BINARY(sub, EXTENDED, 0, "1000000000000000000000000000000000E1", "5E-1",
	       "1000000000000000000000000000000000E1", FX | XX | FI | FR | PNORMAL);
	/* Zeros: the sign of a difference, the exponent within bounds. */
	BINARY(sub, LONG, 0, "1E0", "1E0", "0E0", PZERO);
	BINARY(sub, LONG, DRN(3), "1E0", "1E0", "-0E0", NZERO);
	BINARY(add, LONG, 0, "-0E1", "-0E3", "-0E1", NZERO);
	BINARY(mul, LONG, 0, "0E300", "1E300", "0E369", PZERO);
	BINARY(mul, LONG, 0, "0E-300", "-1E-300", "-0E-398", NZERO);
	BINARY(div, LONG, 0, "0E-300", "1E300", "0E-398", PZERO);
	/* The exponent is too great, but there is room for zeros. */
	BINARY(mul, LONG, 0, "1E369", "1E2", "100E369", PNORMAL);
	BINARY(mul, LONG, 0, "1E369", "1E15", "1000000000000000E369", PNORMAL);
}

static void specials(void **state)
{
	uint64_t vxsnan = FX | VX | P9_FPSCR_VXSNAN | QNAN;

	(void)state;
	BINARY(add, LONG, 0, "inf", "1E0", "inf", PINF);
	BINARY(sub, LONG, 0, "1E0", "inf", "-inf", NINF);
	BINARY(add, LONG, 0, "inf", "-inf", "nan", FX | VX | P9_FPSCR_VXISI | QNAN);
	BINARY(sub, EXTENDED, 0, "inf", "inf", "nan", FX | VX | P9_FPSCR_VXISI | QNAN);
	BINARY(mul, LONG, 0, "inf", "-0E0", "nan", FX | VX | P9_FPSCR_VXIMZ | QNAN);
	BINARY(mul, LONG, 0, "-inf", "-2E0", "inf", PINF);
	BINARY(div, LONG, 0, "inf", "-inf", "nan", FX | VX | P9_FPSCR_VXIDI | QNAN);
	BINARY(div, LONG, 0, "0E1", "0E0", "nan", FX | VX | P9_FPSCR_VXZDZ | QNAN);
	BINARY(div, LONG, 0, "1E0", "-0E0", "-inf", FX | ZX | NINF);
	BINARY(div, LONG, 0, "inf", "-0E0", "-inf", NINF);
	BINARY(div, LONG, 0, "-1E0", "inf", "-0E-398", NZERO);
	/* The first signalling NaN, or else the first quiet one. */
	BINARY(add, LONG, 0, "nan1", "-nan2", "nan1", QNAN);
	BINARY(add, LONG, 0, "1E0", "-nan2", "-nan2", QNAN);
	BINARY(sub, LONG, 0, "1E0", "nan2", "nan2", QNAN);
	BINARY(mul, LONG, 0, "nan1", "-snan2", "-nan2", vxsnan);
	BINARY(div, EXTENDED, 0, "snan1", "snan2", "nan1", vxsnan);

	/* Enabled: no result, no class, FR and FI clear. */
	BINARY(add, LONG, VE | PNORMAL, "inf", "-inf", NULL, FX | VX | P9_FPSCR_VXISI | FEX);
	BINARY(div, EXTENDED, ZE, "1E0", "0E0", NULL, FX | ZX | FEX);
	BINARY(div, LONG, VE, "1E0", "0E0", "inf", FX | ZX | PINF);
	BINARY(div, LONG, XE, "1E0", "3E0", "3333333333333333E-16", FX | FEX | XX | FI | PNORMAL);
	/* FX is for changes. */
	BINARY(div, LONG, XX, "1E0", "3E0", "3333333333333333E-16", FI | PNORMAL);
}

/* 5.5.10.3: the result of an overflow by rounding mode and sign. */
static void overflows(void **state)
{
	static const bool infinite[8][2] = {
		/* plus, minus */
		{true, true}, {false, false}, {true, false}, {false, true},
		{true, true}, {true, true},   {true, true},  {false, false},
	};

	(void)state;
	for (unsigned mode = 0; mode < 8; mode++) {
		uint64_t fpscr = DRN(mode), status = FX | OX | XX | FI;

		BINARY(mul, LONG, fpscr, "1E369", "1E16",
		       infinite[mode][0] ? "inf" : "9999999999999999E369",
		       status | (infinite[mode][0] ? FR | PINF : PNORMAL));
		BINARY(mul, EXTENDED, fpscr, "-1E6111", "1E34",
		       infinite[mode][1] ? "-inf" : "-9999999999999999999999999999999999E6111",
		       status | (infinite[mode][1] ? FR | NINF : NNORMAL));
	}
	/* Only rounding takes it beyond the greatest number. */
	BINARY(add, LONG, 0, "9999999999999999E369", "5E368", "inf", FX | OX | XX | FI | FR | PINF);
	BINARY(add, LONG, DRN(5), "9999999999999999E369", "5E368", "9999999999999999E369",
	       FX | XX | FI | PNORMAL);

	/* Enabled: wrapped, by 576 and 9216. */
	BINARY(mul, LONG, OE, "12E369", "100E300", "1200E93", FX | FEX | OX | PNORMAL);
	BINARY(mul, EXTENDED, OE, "-12E6111", "100E6000", "-1200E2895", FX | FEX | OX | NNORMAL);
	BINARY(div, LONG, OE, "1E300", "3E-200", "3333333333333333E-92",
	       FX | FEX | OX | XX | FI | PNORMAL);
	BINARY(add, LONG, OE, "9999999999999999E369", "5E368", "1000000000000000E-206",
	       FX | FEX | OX | XX | FI | FR | PNORMAL);
}

/* 5.5.10.4 */
static void underflows(void **state)
{
	(void)state;
	/* Exact: none. */
	BINARY(mul, LONG, 0, "10E-200", "1E-199", "1E-398", PSUBNORMAL);
	BINARY(add, LONG, 0, "1E-398", "1E-398", "2E-398", PSUBNORMAL);
	BINARY(mul, LONG, 0, "15E-200", "1E-199", "2E-398", FX | UX | XX | FI | FR | PSUBNORMAL);
	BINARY(mul, LONG, 0, "25E-200", "1E-199", "2E-398", FX | UX | XX | FI | PSUBNORMAL);
	BINARY(mul, LONG, 0, "1E-300", "1E-300", "0E-398", FX | UX | XX | FI | PZERO);
	BINARY(mul, LONG, DRN(2), "1E-300", "1E-300", "1E-398",
	       FX | UX | XX | FI | FR | PSUBNORMAL);
	/* Tiny before rounding, normal after it. */
	BINARY(div, LONG, DRN(6), "9999999999999999E-398", "10E0", "1000000000000000E-398",
	       FX | UX | XX | FI | FR | PNORMAL);

	/* Enabled: wrapped, if exact too. */
	BINARY(add, LONG, UE, "1E-398", "1E-398", "2E178", FX | FEX | UX | PNORMAL);
	BINARY(mul, LONG, UE, "15E-300", "1E-199", "15E77", FX | FEX | UX | PNORMAL);
	BINARY(mul, EXTENDED, UE, "-3E-6000", "5E-6000", "-15E-2784", FX | FEX | UX | NNORMAL);
	BINARY(div, LONG, UE, "2E-300", "3E200", "6666666666666667E60",
	       FX | FEX | UX | XX | FI | FR | PNORMAL);
}

/* ---- rounding ---- */

static const char *const modes[8][7] = {
	/* 15E-1, 25E-1, -25E-1, 2501E-3, -2499E-3, 54E-1, -1E-9 */
	{"2E0", "2E0", "-2E0", "3E0", "-2E0", "5E0", "-0E0"}, /* nearest, to even */
	{"1E0", "2E0", "-2E0", "2E0", "-2E0", "5E0", "-0E0"}, /* toward zero */
	{"2E0", "3E0", "-2E0", "3E0", "-2E0", "6E0", "-0E0"}, /* toward plus infinity */
	{"1E0", "2E0", "-3E0", "2E0", "-3E0", "5E0", "-1E0"}, /* toward minus infinity */
	{"2E0", "3E0", "-3E0", "3E0", "-2E0", "5E0", "-0E0"}, /* nearest, away from zero */
	{"1E0", "2E0", "-2E0", "3E0", "-2E0", "5E0", "-0E0"}, /* nearest, toward zero */
	{"2E0", "3E0", "-3E0", "3E0", "-3E0", "6E0", "-1E0"}, /* away from zero */
	{"1E0", "2E0", "-2E0", "2E0", "-2E0", "6E0", "-1E0"}, /* to prepare for shorter */
};

static const char *const rounded[7] = {"15E-1",    "25E-1", "-25E-1", "2501E-3",
				       "-2499E-3", "54E-1", "-1E-9"};

static void check_rounding(const struct p9_dfp_format *f, unsigned mode, uint64_t drn, int rmc,
			   int r_rmc)
{
	for (unsigned n = 0; n < 7; n++) {
		uint64_t fpscr = drn, status = FX | XX | FI;
		p9_u128 v = number(f, rounded[n]);
		/* Greater in magnitude than without rounding? */
		bool up = strcmp(modes[mode][n], modes[1][n]) != 0;
		p9_u128 r;

		if (rmc >= 0) {
			r = p9_dfp_quai(&fpscr, f, 0, v, OLD, (unsigned)rmc);
			check_bits(f, r, modes[mode][n], __LINE__);
			assert_true((fpscr & (FX | XX | FI | FR)) == (status | (up ? FR : 0)));
		}
		fpscr = drn;
		r = p9_dfp_rintx(&fpscr, f, v, OLD, (unsigned)r_rmc);
		check_bits(f, r, modes[mode][n], __LINE__);
		assert_true((fpscr & (FX | XX | FI | FR)) == (status | (up ? FR : 0)));
		fpscr = drn;
		r = p9_dfp_rintn(&fpscr, f, v, OLD, (unsigned)r_rmc);
		check_bits(f, r, modes[mode][n], __LINE__);
		assert_true((fpscr & (FX | XX | FI | FR)) == 0);
	}
}

static void rounding(void **state)
{
	/* R:RMC to what DRN calls it; 3 is DRN itself. */
	static const uint8_t named[8] = {0, 1, 4, 0, 2, 3, 6, 5};

	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		const struct p9_dfp_format *f = n ? EXTENDED : LONG;

		for (unsigned mode = 0; mode < 8; mode++)
			check_rounding(f, mode, DRN(mode), 3, 3);
		for (unsigned rmc = 0; rmc < 8; rmc++)
			if (rmc != 3)
				check_rounding(f, named[rmc], DRN(rmc), rmc < 4 ? (int)rmc : -1,
					       (int)rmc);
	}
}

/* ---- quantum adjustment ---- */

static p9_u128 qua0(uint64_t *fpscr, const struct p9_dfp_format *f, p9_u128 a, p9_u128 b,
		    p9_u128 old)
{
	return p9_dfp_qua(fpscr, f, a, b, old, 0);
}

/* The reference significance is that of a number of so many digits. */
static p9_u128 rrnd0(uint64_t *fpscr, const struct p9_dfp_format *f, p9_u128 a, p9_u128 b,
		     p9_u128 old)
{
	return p9_dfp_rrnd(fpscr, f, (uint64_t)p9_dfp_unpack(f, a).coef, b, old, 0);
}

static void quantum(void **state)
{
	uint64_t vxcvi = FX | VX | P9_FPSCR_VXCVI;

	(void)state;
#define QUA(f, before, a, b, want, after) check_binary(qua0, f, before, a, b, want, after, __LINE__)
	QUA(LONG, 0, "7E-2", "15E0", "1500E-2", PNORMAL);
	QUA(LONG, 0, "1E-15", "10E0", "nan", vxcvi | QNAN);
	QUA(LONG, VE, "1E-15", "10E0", NULL, vxcvi | FEX);
	QUA(LONG, 0, "1E-15", "9E0", "9000000000000000E-15", PNORMAL);
	QUA(LONG, 0, "1E-300", "-0E300", "-0E-300", NZERO);
	QUA(LONG, 0, "1E300", "5E-300", "0E300", FX | XX | FI | PZERO);
	QUA(LONG, UE, "1E-398", "5E-398", "5E-398", PSUBNORMAL);
	QUA(EXTENDED, 0, "inf", "-inf", "-inf", NINF);
	QUA(LONG, 0, "inf", "1E0", "nan", vxcvi | QNAN);
	QUA(LONG, 0, "1E0", "inf", "nan", vxcvi | QNAN);
	QUA(LONG, 0, "nan1", "snan2", "nan2", FX | VX | P9_FPSCR_VXSNAN | QNAN);

#define RRND(f, before, k, b, want, after)                                                         \
	check_binary(rrnd0, f, before, k, b, want, after, __LINE__)
	RRND(LONG, 0, "3E0", "123456E-2", "123E1", FX | XX | FI | PNORMAL);
	RRND(LONG, 0, "3E0", "99950E0", "100E3", FX | XX | FI | FR | PNORMAL);
	RRND(LONG, 0, "3E0", "12000E0", "120E2", PNORMAL);
	RRND(LONG, 0, "0E0", "12345E0", "12345E0", PNORMAL);
	RRND(LONG, 0, "5E0", "12345E0", "12345E0", PNORMAL);
	RRND(EXTENDED, 0, "33E0", "1234567890123456789012345678901234E6110",
	     "123456789012345678901234567890123E6111", FX | XX | FI | PNORMAL);
	RRND(LONG, 0, "1E0", "12E369", "nan", vxcvi | QNAN);
	RRND(LONG, 0, "1E0", "99E368", "nan", vxcvi | QNAN);
	RRND(LONG, VE, "1E0", "99E368", NULL, vxcvi | FEX);
	RRND(LONG, 0, "64E0", "12E0", "12E0", PNORMAL);
	RRND(LONG, 0, "2E0", "-inf", "-inf", NINF);
	RRND(LONG, 0, "2E0", "snan3", "nan3", FX | VX | P9_FPSCR_VXSNAN | QNAN);
}

/* ---- comparison and tests ---- */

static void check_cr(unsigned got, unsigned want, uint64_t fpscr, uint64_t status, int line)
{
	if (got != want)
		fail_msg("line %d: CR field %#x, not %#x", line, got, want);
	check_status(fpscr, status | CLASS(want), line);
}

#define COMPARE(op, before, a, b, want, after)                                                     \
	do {                                                                                       \
		uint64_t s1 = before, s2 = before;                                                 \
		unsigned r1 = p9_dfp_##op(&s1, LONG, number(LONG, a), number(LONG, b));            \
		unsigned r2 =                                                                      \
			p9_dfp_##op(&s2, EXTENDED, number(EXTENDED, a), number(EXTENDED, b));      \
                                                                                                   \
		check_cr(r1, want, s1, (before) | (after), __LINE__);                              \
		check_cr(r2, want, s2, (before) | (after), __LINE__);                              \
	} while (0)

static void comparisons(void **state)
{
	uint64_t snan = FX | VX | P9_FPSCR_VXSNAN, vc = FX | VX | P9_FPSCR_VXVC;

	(void)state;
	COMPARE(cmpu, 0, "100E-2", "1E0", P9_CR_EQ, 0);
	COMPARE(cmpu, 0, "-0E-2", "0E5", P9_CR_EQ, 0);
	COMPARE(cmpu, 0, "1E20", "9999999999999999E4", P9_CR_GT, 0);
	COMPARE(cmpu, 0, "-1E20", "-9999999999999999E4", P9_CR_LT, 0);
	COMPARE(cmpu, 0, "-1E20", "1E-300", P9_CR_LT, 0);
	COMPARE(cmpu, 0, "0E0", "1E-300", P9_CR_LT, 0);
	COMPARE(cmpu, 0, "inf", "inf", P9_CR_EQ, 0);
	COMPARE(cmpo, 0, "-inf", "-1E369", P9_CR_LT, 0);
	COMPARE(cmpo, 0, "12E0", "13E0", P9_CR_LT, 0);
	COMPARE(cmpu, 0, "nan", "1E0", P9_CR_UN, 0);
	COMPARE(cmpu, 0, "nan", "snan", P9_CR_UN, snan);
	COMPARE(cmpo, 0, "1E0", "nan", P9_CR_UN, vc);
	COMPARE(cmpo, 0, "1E0", "snan", P9_CR_UN, snan | vc);
	COMPARE(cmpo, VE, "1E0", "snan", P9_CR_UN, snan | FEX);
	COMPARE(tstex, 0, "1E5", "0E5", P9_CR_EQ, 0);
	COMPARE(tstex, 0, "1E4", "0E5", P9_CR_LT, 0);
	COMPARE(tstex, 0, "1E5", "0E-5", P9_CR_GT, 0);
	COMPARE(tstex, 0, "inf", "-inf", P9_CR_EQ, 0);
	COMPARE(tstex, 0, "nan", "snan", P9_CR_EQ, 0);
	COMPARE(tstex, 0, "inf", "snan", P9_CR_UN, 0);
	COMPARE(tstex, 0, "inf", "1E0", P9_CR_UN, 0);
}

static void tests(void **state)
{
	/* DCM and DGM bits by which a number is found, for Long. */
	static const struct {
		const char *number;
		unsigned dcm, dgm;
	} some[] = {
		{"0E0", 0x20, 0x20},
		{"-0E-398", 0x20, 0x10},
		{"0E369", 0x20, 0x10},
		{"-1E-398", 0x10, 0x08},
		{"1E-397", 0x10, 0x08},
		{"1000000000000000E-398", 0x08, 0x08},
		{"1E369", 0x08, 0x08},
		{"1E0", 0x08, 0x04},
		{"-1000000000000000E0", 0x08, 0x02},
		{"-inf", 0x04, 0x01},
		{"nan", 0x02, 0x01},
		{"snan", 0x01, 0x01},
	};
	uint64_t fpscr = 0;

	(void)state;
	for (unsigned n = 0; n < ARRAY_SIZE(some); n++) {
		p9_u128 v = number(LONG, some[n].number);
		unsigned sign = some[n].number[0] == '-' ? 8 : 0;

		for (unsigned bit = 1; bit < 0x40; bit <<= 1) {
			unsigned dcm = p9_dfp_tstdc(&fpscr, LONG, v, bit);
			unsigned dgm;

			check_status(fpscr, CLASS(dcm), __LINE__);
			dgm = p9_dfp_tstdg(&fpscr, LONG, v, bit);
			check_status(fpscr, CLASS(dgm), __LINE__);
			assert_int_equal(dcm, sign | (bit == some[n].dcm ? 2 : 0));
			assert_int_equal(dgm, sign | (bit == some[n].dgm ? 2 : 0));
		}
	}
	assert_int_equal(p9_dfp_tstsf(&fpscr, LONG, 3, number(LONG, "123E9")), P9_CR_EQ);
	assert_int_equal(p9_dfp_tstsf(&fpscr, LONG, 64 + 2, number(LONG, "123E9")), P9_CR_LT);
	assert_int_equal(p9_dfp_tstsf(&fpscr, EXTENDED, 63, number(EXTENDED, "123E9")), P9_CR_GT);
	assert_int_equal(p9_dfp_tstsf(&fpscr, LONG, 0, number(LONG, "123E9")), P9_CR_GT);
	assert_int_equal(p9_dfp_tstsf(&fpscr, LONG, 1, number(LONG, "0E9")), P9_CR_GT);
	assert_int_equal(p9_dfp_tstsf(&fpscr, LONG, 0, number(LONG, "inf")), P9_CR_UN);
	check_status(fpscr, CLASS(P9_CR_UN), __LINE__);
}

/* ---- conversion ---- */

#define CONVERT(call, format, want, after)                                                         \
	do {                                                                                       \
		p9_u128 r_ = call;                                                                 \
                                                                                                   \
		check_bits(format, r_, want, __LINE__);                                            \
		check_status(fpscr, after, __LINE__);                                              \
		fpscr = 0;                                                                         \
	} while (0)

static void widening(void **state)
{
	uint64_t fpscr = 0;

	(void)state;
	CONVERT(p9_dfp_ctdp(&fpscr, number(SHORT, "-1234567E90")), LONG, "-1234567E90", NNORMAL);
	/* Subnormal numbers become normal. */
	CONVERT(p9_dfp_ctdp(&fpscr, number(SHORT, "1E-101")), LONG, "1E-101", PNORMAL);
	CONVERT(p9_dfp_ctdp(&fpscr, number(SHORT, "snan12")), LONG, "snan12", CLASS(1));
	CONVERT(p9_dfp_ctqpq(&fpscr, number(LONG, "1E-398"), OLD), EXTENDED, "1E-398", PNORMAL);
	CONVERT(p9_dfp_ctqpq(&fpscr, number(LONG, "-inf"), OLD), EXTENDED, "-inf", NINF);
	CONVERT(p9_dfp_ctqpq(&fpscr, number(LONG, "snan12"), OLD), EXTENDED, "nan12",
		FX | VX | P9_FPSCR_VXSNAN | QNAN);
	fpscr = VE;
	assert_true(p9_dfp_ctqpq(&fpscr, number(LONG, "snan12"), OLD) == OLD);
	check_status(fpscr, VE | FEX | FX | VX | P9_FPSCR_VXSNAN, __LINE__);
}

/* drsp and drdpq */
static void narrowing(void **state)
{
	uint64_t fpscr = 0;

	(void)state;
	CONVERT(p9_dfp_rsp(&fpscr, number(LONG, "1234567E-3")), SHORT, "1234567E-3", PNORMAL);
	CONVERT(p9_dfp_rsp(&fpscr, number(LONG, "12345675E-3")), SHORT, "1234568E-2",
		FX | XX | FI | FR | PNORMAL);
	CONVERT(p9_dfp_rsp(&fpscr, number(LONG, "1E97")), SHORT, "inf",
		FX | OX | XX | FI | FR | PINF);
	CONVERT(p9_dfp_rsp(&fpscr, number(LONG, "1E96")), SHORT, "1000000E90", PNORMAL);
	CONVERT(p9_dfp_rsp(&fpscr, number(LONG, "12E-102")), SHORT, "1E-101",
		FX | UX | XX | FI | PSUBNORMAL);
	CONVERT(p9_dfp_rsp(&fpscr, number(LONG, "-snan123456789")), SHORT, "-snan456789", CLASS(1));
	/* Wrapped by 192, and a Long then. */
	fpscr = OE;
	CONVERT(p9_dfp_rsp(&fpscr, number(LONG, "12345675E200")), LONG, "1234568E9",
		OE | FX | FEX | OX | XX | FI | FR | PNORMAL);
	fpscr = UE;
	CONVERT(p9_dfp_rsp(&fpscr, number(LONG, "-12E-200")), LONG, "-12E-8",
		UE | FX | FEX | UX | NNORMAL);

	/* The result stands in the even register. */
#define RDPQ(b) p9_dfp_rdpq(&fpscr, number(EXTENDED, b), OLD)
	CONVERT(RDPQ("1234567890123456E-3") >> 64, LONG, "1234567890123456E-3", PNORMAL);
	assert_true((uint64_t)RDPQ("1E0") == 0);
	fpscr = 0;
	CONVERT(RDPQ("12345678901234565E-3") >> 64, LONG, "1234567890123456E-2",
		FX | XX | FI | PNORMAL);
	CONVERT(RDPQ("1E-1000") >> 64, LONG, "0E-398", FX | UX | XX | FI | PZERO);
	CONVERT(RDPQ("-nan1234567890123456789") >> 64, LONG, "-nan567890123456789", QNAN);
	CONVERT(RDPQ("snan7") >> 64, LONG, "nan7", FX | VX | P9_FPSCR_VXSNAN | QNAN);
	fpscr = VE;
	assert_true(RDPQ("snan7") == OLD);
	check_status(fpscr, VE | FEX | FX | VX | P9_FPSCR_VXSNAN, __LINE__);
	/* Wrapped by 3072, and an Extended then. */
	fpscr = OE;
	CONVERT(RDPQ("12345678901234567E6000"), EXTENDED, "1234567890123457E2929",
		OE | FX | FEX | OX | XX | FI | FR | PNORMAL);
	fpscr = UE;
	CONVERT(RDPQ("-1E-6176"), EXTENDED, "-1E-3104", UE | FX | FEX | UX | NNORMAL);
}

static void integers(void **state)
{
	uint64_t fpscr = 0;

	(void)state;
	CONVERT(p9_dfp_cffix(&fpscr, LONG, (uint64_t)-42), LONG, "-42E0", NNORMAL);
	CONVERT(p9_dfp_cffix(&fpscr, LONG, 0), LONG, "0E0", PZERO);
	CONVERT(p9_dfp_cffix(&fpscr, LONG, BIT64(63)), LONG, "-9223372036854776E3",
		FX | XX | FI | FR | NNORMAL);
	CONVERT(p9_dfp_cffix(&fpscr, EXTENDED, BIT64(63)), EXTENDED, "-9223372036854775808E0",
		NNORMAL);

#define FIX(before, b, want, after)                                                                \
	do {                                                                                       \
		fpscr = before;                                                                    \
		assert_int_equal(p9_dfp_ctfix(&fpscr, EXTENDED, number(EXTENDED, b), 7), want);    \
		check_status(fpscr, (before) | (after), __LINE__);                                 \
	} while (0)
	uint64_t most = BIT64(63) - 1, least = BIT64(63), vxcvi = FX | VX | P9_FPSCR_VXCVI;

	FIX(0, "-25E-1", (uint64_t)-2, FX | XX | FI);
	FIX(DRN(3), "-25E-1", (uint64_t)-3, FX | XX | FI | FR);
	FIX(0, "5E3", 5000, 0);
	FIX(PINF, "0E3", 0, 0); /* FPRF is kept */
	FIX(0, "9223372036854775807E0", most, 0);
	FIX(0, "9223372036854775808E0", most, vxcvi);
	FIX(0, "-9223372036854775808E0", least, 0);
	FIX(0, "92233720368547758075E-1", most, vxcvi);
	FIX(DRN(1), "92233720368547758075E-1", most, FX | XX | FI);
	FIX(0, "-9223372036854775809E0", least, vxcvi);
	FIX(0, "1E6111", most, vxcvi);
	FIX(0, "inf", most, vxcvi);
	FIX(0, "-inf", least, vxcvi);
	FIX(0, "nan", least, vxcvi);
	FIX(0, "snan", least, vxcvi | P9_FPSCR_VXSNAN);
	FIX(VE, "1E19", 7, vxcvi | FEX);
	FIX(0, "1E-6176", 0, FX | XX | FI);
}

/* ---- format ---- */

static void digits(void **state)
{
	p9_u128 quad = number(EXTENDED, "-1234567890123456789012345678901234E0");
	uint64_t fpscr = 0;

	(void)state;
	assert_true(p9_dfp_dedpd(LONG, number(LONG, "-1234567890123456E5"), 0) ==
		    0x1234567890123456);
	assert_true((uint64_t)p9_dfp_dedpd(LONG, number(LONG, "-1234567890123456E5"), 2) ==
		    0x234567890123456d);
	assert_true((uint64_t)p9_dfp_dedpd(LONG, number(LONG, "12E5"), 2) == 0x12c);
	assert_true((uint64_t)p9_dfp_dedpd(LONG, number(LONG, "12E5"), 3) == 0x12f);
	assert_true((uint64_t)p9_dfp_dedpd(LONG, number(LONG, "nan12"), 1) == 0x12);
	assert_true(p9_dfp_dedpd(EXTENDED, quad, 0) ==
		    ((p9_u128)0x3456789012345678 << 64 | 0x9012345678901234));
	assert_true(p9_dfp_dedpd(EXTENDED, quad, 3) ==
		    ((p9_u128)0x4567890123456789 << 64 | 0x012345678901234d));

	CONVERT(p9_dfp_enbcd(&fpscr, LONG, 0x1234567890123456, OLD, 0), LONG, "1234567890123456E0",
		PNORMAL);
	CONVERT(p9_dfp_enbcd(&fpscr, LONG, 0x12b, OLD, 1), LONG, "-12E0", NNORMAL);
	CONVERT(p9_dfp_enbcd(&fpscr, LONG, 0xd, OLD, 1), LONG, "-0E0", NZERO);
	CONVERT(p9_dfp_enbcd(&fpscr, EXTENDED,
			     (p9_u128)0x3456789012345678 << 64 | 0x901234567890123a, OLD, 1),
		EXTENDED, "3456789012345678901234567890123E0", PNORMAL);
	CONVERT(p9_dfp_enbcd(&fpscr, LONG, 0x12a, OLD, 0), LONG, "nan",
		FX | VX | P9_FPSCR_VXCVI | QNAN);
	CONVERT(p9_dfp_enbcd(&fpscr, LONG, 0x129, OLD, 1), LONG, "nan",
		FX | VX | P9_FPSCR_VXCVI | QNAN);
	fpscr = VE;
	assert_true(p9_dfp_enbcd(&fpscr, LONG, 0x12a, OLD, 0) == OLD);
	check_status(fpscr, VE | FEX | FX | VX | P9_FPSCR_VXCVI, __LINE__);
}

static void exponents(void **state)
{
	(void)state;
	assert_int_equal(p9_dfp_xex(LONG, number(LONG, "1E-398")), 0);
	assert_int_equal(p9_dfp_xex(LONG, number(LONG, "0E0")), 398);
	assert_int_equal(p9_dfp_xex(EXTENDED, number(EXTENDED, "5E6111")), 12287);
	assert_int_equal(p9_dfp_xex(LONG, number(LONG, "-inf")), (uint64_t)-1);
	assert_int_equal(p9_dfp_xex(LONG, number(LONG, "nan")), (uint64_t)-2);
	assert_int_equal(p9_dfp_xex(LONG, number(LONG, "snan")), (uint64_t)-3);

#define IEX(a, b, want) check_bits(LONG, p9_dfp_iex(LONG, a, number(LONG, b)), want, __LINE__)
	IEX(398, "-12E5", "-12E0");
	IEX(767, "12E5", "12E369");
	IEX(768, "12E5", "nan12");
	IEX((uint64_t)-1, "-12E5", "-inf12");
	IEX((uint64_t)-2, "9000000000000012E5", "nan12");
	IEX((uint64_t)-3, "12E5", "snan12");
	IEX((uint64_t)-4, "12E5", "nan12");
	IEX(BIT64(32), "12E5", "nan12");
	IEX(398, "snan12", "12E0");
	check_bits(EXTENDED, p9_dfp_iex(EXTENDED, 12287, number(EXTENDED, "nan12")), "12E6111",
		   __LINE__);

#define SHIFT(op, a, sh, want)                                                                     \
	check_bits(LONG, p9_dfp_##op(LONG, number(LONG, a), sh), want, __LINE__)
	SHIFT(scli, "-1234567890123456E7", 3, "-4567890123456000E7");
	SHIFT(scli, "1E7", 15, "1000000000000000E7");
	SHIFT(scli, "1E7", 16, "0E7");
	SHIFT(scli, "1E7", 63, "0E7");
	SHIFT(scli, "nan123456789012345", 1, "nan234567890123450");
	SHIFT(scri, "-1234567890123456E7", 3, "-1234567890123E7");
	SHIFT(scri, "9E7", 1, "0E7");
	SHIFT(scri, "9E7", 63, "0E7");
	SHIFT(scri, "snan12", 1, "snan1");
}

/* ---- instructions ---- */

#define X(po, t, a, b, xo, rc)                                                                     \
	((uint32_t)(po) << 26 | (t) << 21 | (a) << 16 | (b) << 11 | (xo) << 1 | (rc))

static void instructions(void **state)
{
	struct p9_harness *h = p9_harness_create();
	struct p9_regs *regs = p9_harness_regs(h);
	p9_u128 one = number(EXTENDED, "1E0"), three = number(EXTENDED, "3E0");
	p9_u128 third = number(EXTENDED, "3333333333333333333333333333333333E-34");
	uint32_t ddivq = X(63, 4, 6, 8, 546, 1), odd = X(63, 4, 7, 8, 546, 1);
	uint32_t dcmpuq = X(63, 5 << 2, 6, 8, 642, 0);

	(void)state;
	for (unsigned how = 0; how < P9_HARNESS_HOWS; how++) {
		struct p9_harness_result r;

		memset(regs->vsr, 0x55, sizeof(regs->vsr));
		regs->vsr[6] = one >> 64 << 64;
		regs->vsr[7] = one << 64;
		regs->vsr[8] = three >> 64 << 64;
		regs->vsr[9] = three << 64;
		regs->fpscr = 0;
		r = p9_harness_run(h, &ddivq, 1, 0x1000, P9_HARNESS_USER, how);
		assert_int_equal(r.end, P9_HARNESS_DONE);
		/* Both registers of the pair, doubleword 1 of each clear. */
		assert_true(regs->vsr[4] == third >> 64 << 64);
		assert_true(regs->vsr[5] == third << 64);
		check_status(regs->fpscr, FX | XX | FI | PNORMAL, __LINE__);
		assert_int_equal(p9_crf_decode(regs->crf[1]), 8);

		r = p9_harness_run(h, &dcmpuq, 1, 0x1000, P9_HARNESS_USER, how);
		assert_int_equal(r.end, P9_HARNESS_DONE);
		assert_int_equal(p9_crf_decode(regs->crf[5]), P9_CR_LT);

		/* An enabled exception: the result is there, and the interrupt comes. */
		regs->vsr[4] = 0;
		regs->fpscr = XE;
		r = p9_harness_run(h, &ddivq, 1, 0x1000, P9_HARNESS_USER | P9_MODE_FE | P9_MODE_FPX,
				   how);
		assert_int_equal(r.end, P9_HARNESS_FAULT);
		assert_int_equal(r.pc, 0x1000);
		assert_true(regs->vsr[4] == third >> 64 << 64);

		/* An odd register where a pair is named. */
		r = p9_harness_run(h, &odd, 1, 0x1000, P9_HARNESS_USER, how);
		assert_int_equal(r.end, P9_HARNESS_FAULT);
		/* Without MSR[FP] there is no decimal arithmetic either. */
		r = p9_harness_run(h, &ddivq, 1, 0x1000, P9_HARNESS_USER & ~(uint32_t)P9_MODE_FP,
				   how);
		assert_int_equal(r.end, P9_HARNESS_FAULT);
		assert_int_equal(r.vector, 0x800);
	}
	p9_harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(encodings),   cmocka_unit_test(declets),
		cmocka_unit_test(forms),       cmocka_unit_test(specials),
		cmocka_unit_test(overflows),   cmocka_unit_test(underflows),
		cmocka_unit_test(rounding),    cmocka_unit_test(quantum),
		cmocka_unit_test(comparisons), cmocka_unit_test(tests),
		cmocka_unit_test(widening),    cmocka_unit_test(narrowing),
		cmocka_unit_test(integers),    cmocka_unit_test(digits),
		cmocka_unit_test(exponents),   cmocka_unit_test(instructions),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
