/*
 * decimal_cases COUNT SEED: random decimal arithmetic by cpu/power9/dfp.h, a line a case, for the
 * script `decimal` to check. Numbers are class (enum p9_dfp_class), sign, significand, exponent.
 *
 *   operation bits DRN OE UE  a  b  result  OX UX XX FI FR VX ZX FPRF
 *
 * operation: 0 dadd, 1 dsub, 2 dmul, 3 ddiv, 4 drsp, 5 drdpq; bits: of the operands' format.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cpu/power9/dfp_core.h"
#include "util/compiler.h"

enum operation { DADD, DSUB, DMUL, DDIV, DRSP, DRDPQ, OPERATIONS };

static uint64_t random_state;

static unsigned below(unsigned n)
{
	uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned)((z ^ z >> 31) >> 33) % n;
}

/* Up to `most` digits, often with rounding in mind: 99..9, 10..0, xx50..0, 99..90..0. */
static p9_u128 some_digits(int most)
{
	unsigned kind = below(6), count = below((unsigned)most + 1);
	p9_u128 v = 0;

	for (unsigned n = 0; n < count; n++) {
		unsigned digit = below(10);

		if (kind == 0)
			digit = 9;
		else if (kind == 1)
			digit = n == 0;
		else if (kind == 2)
			digit = n < count / 2 ? digit : n == count / 2 ? 5 : 0;
		else if (kind == 3)
			digit = n < count / 2 ? 9 : 0;
		v = v * 10 + digit;
	}
	return v;
}

static struct p9_dfp_num number(const struct p9_dfp_format *f, int around)
{
	struct p9_dfp_num n = {.cls = P9_DFP_FINITE, .neg = below(2)};

	n.coef = some_digits(f->digits);
	n.exp = around + (int)below(2 * (unsigned)f->digits + 8) - f->digits - 4;
	if (below(4) == 0)
		n.exp = (int)below((unsigned)(f->emax + f->bias + 1)) - f->bias;
	if (n.exp < -f->bias)
		n.exp = -f->bias;
	if (n.exp > f->emax)
		n.exp = f->emax;
	return n;
}

/* Where operands must be for results near both ends of the range. */
static int choose_exponent(enum operation op, const struct p9_dfp_format *f)
{
	static const int eighths[] = {0, 0, 0, 4, -4, 8, -8, 3};
	static const int to_short[] = {-105, 88, 0}, to_long[] = {-405, 360, 0};

	if (op == DRSP)
		return to_short[below(ARRAY_SIZE(to_short))];
	if (op == DRDPQ)
		return to_long[below(ARRAY_SIZE(to_long))];
	return f->emax * eighths[below(ARRAY_SIZE(eighths))] / 8;
}

static void print_number(const struct p9_dfp_format *f, p9_u128 bits)
{
	struct p9_dfp_num n = p9_dfp_unpack(f, bits);

	printf("%d %d ", (int)n.cls, n.neg);
	if (n.coef >= p9_dfp_power[18])
		printf("%llu%018llu", (unsigned long long)(n.coef / p9_dfp_power[18]),
		       (unsigned long long)(n.coef % p9_dfp_power[18]));
	else
		printf("%llu", (unsigned long long)n.coef);
	printf(" %d ", n.exp);
}

static void one_case(void)
{
	enum operation op = below(OPERATIONS);
	const struct p9_dfp_format *f = below(2) ? &p9_dfp_long : &p9_dfp_extended, *rf;
	uint64_t before = (uint64_t)below(8) << 32 | (below(2) ? P9_FPSCR_OE : 0) |
			  (below(2) ? P9_FPSCR_UE : 0);
	uint64_t after = before;
	struct p9_dfp_num n;
	p9_u128 a, b, r = 0;
	int around;

	if (op == DRSP)
		f = &p9_dfp_long;
	if (op == DRDPQ)
		f = &p9_dfp_extended;
	rf = f;
	around = choose_exponent(op, f);
	n = number(f, around);
	a = p9_dfp_pack(f, &n);
	n = number(f, around);
	b = p9_dfp_pack(f, &n);
	switch (op) {
	case DADD:
		r = p9_dfp_add(&after, f, a, b, 0);
		break;
	case DSUB:
		r = p9_dfp_sub(&after, f, a, b, 0);
		break;
	case DMUL:
		r = p9_dfp_mul(&after, f, a, b, 0);
		break;
	case DDIV:
		r = p9_dfp_div(&after, f, a, b, 0);
		break;
	case DRSP:
		r = p9_dfp_rsp(&after, a);
		rf = &p9_dfp_short;
		break;
	default:
		r = p9_dfp_rdpq(&after, a, 0);
		rf = &p9_dfp_long;
		break;
	}
	/* With an enabled overflow or underflow the format is that of the source. */
	if (((after & P9_FPSCR_OX) && (before & P9_FPSCR_OE)) ||
	    ((after & P9_FPSCR_UX) && (before & P9_FPSCR_UE)))
		rf = f;
	else if (op == DRDPQ)
		r >>= 64;

	printf("%d %u %u %d %d ", (int)op, f->bits, (unsigned)(before >> 32),
	       !!(before & P9_FPSCR_OE), !!(before & P9_FPSCR_UE));
	print_number(f, a);
	print_number(f, b);
	print_number(rf, r);
	printf("%d %d %d %d %d %d %d %d\n", !!(after & P9_FPSCR_OX), !!(after & P9_FPSCR_UX),
	       !!(after & P9_FPSCR_XX), !!(after & P9_FPSCR_FI), !!(after & P9_FPSCR_FR),
	       !!(after & P9_FPSCR_VX), !!(after & P9_FPSCR_ZX),
	       (int)(after >> P9_FPSCR_FPCC_SHIFT & 31));
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: decimal_cases COUNT SEED\n");
		return 2;
	}
	random_state = strtoull(argv[2], NULL, 0);
	for (unsigned long n = strtoul(argv[1], NULL, 0); n; n--)
		one_case();
	return 0;
}
