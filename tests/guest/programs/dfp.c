/*
 * Decimal floating point, as a compiler uses it: _Decimal32, _Decimal64 and _Decimal128. On POWER9
 * these are the decimal instructions, elsewhere a library of the compiler's; the results, which are
 * printed as sums, must be the same.
 *
 * Numbers are looked at by what both have: comparisons, and conversions to integers that are exact.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#ifdef __powerpc64__
#include <sys/auxv.h>
#endif

#define HWCAP_DFP 0x400 /* PPC_FEATURE_HAS_DFP */

static uint64_t random_state = 1, sum;

static uint64_t rnd(void)
{
	uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* An integer of any length. */
static long long rnd_integer(void)
{
	uint64_t v = rnd();

	return (long long)(v >> (rnd() & 63));
}

static void note(uint64_t v)
{
	sum = (sum ^ v) * UINT64_C(0x100000001b3);
}

/* NaNs, infinities, numbers far from 1: no more than that they are. */
static bool note_extreme(_Decimal128 x)
{
	if (x != x)
		note(1);
	else if (x > 1e300DL || x < -1e300DL)
		note(x < 0 ? 2 : x > 1e384DL ? 3 : 4);
	else if (x < 1e-100DL && x > -1e-100DL)
		note(x == 0 ? 5 : 6);
	else
		return false;
	return true;
}

static void note64(_Decimal64 x)
{
	if (note_extreme(x))
		return;
	while (x >= 1e15DD || x <= -1e15DD) {
		x /= 10;
		note(7);
	}
	while (x < 1e14DD && x > -1e14DD) {
		x *= 10;
		note(8);
	}
	note((uint64_t)(long long)x);
}

static void note128(_Decimal128 x)
{
	long long whole;

	if (note_extreme(x))
		return;
	while (x >= 1e17DL || x <= -1e17DL) {
		x /= 10;
		note(9);
	}
	whole = (long long)x;
	note((uint64_t)whole);
	note((uint64_t)(long long)((x - whole) * 1e17DL));
}

static void show(const char *what)
{
	printf("dfp: %-8s %016llx\n", what, (unsigned long long)sum);
	sum = 0;
}

/* Thirty years of interest, rounded to whole cents each month by the type itself. */
static void interest(void)
{
	_Decimal64 balance = 1000.00DD;

	for (int month = 0; month < 360; month++)
		balance += balance * 0.0025DD;
	note64(balance);
	show("interest");
}

/* The formula of Bailey, Borwein and Plouffe. */
static void pi(void)
{
	_Decimal128 v = 0, scale = 1;

	for (int n = 0; n < 120; n++) {
		v += scale * (4.0DL / (8 * n + 1) - 2.0DL / (8 * n + 4) - 1.0DL / (8 * n + 5) -
			      1.0DL / (8 * n + 6));
		scale /= 16;
	}
	printf("dfp: pi       %lld\n", (long long)(v * 1e18DL));
	note128(v);
	show("pi");
}

static void mixture(void)
{
	for (int n = 0; n < 5000; n++) {
		_Decimal64 x = rnd_integer(), y = rnd_integer();
		_Decimal128 p, q;

		for (unsigned e = rnd() % 40; e; e--)
			x /= 10;
		note64(x + y);
		note64(x - y);
		note64(x * y);
		note64(x / y);
		note(x < y);
		note64((_Decimal32)x);
		p = (_Decimal128)rnd_integer() * rnd_integer();
		q = x;
		note128(p + q);
		note128(p - q);
		note128(p * q);
		note128(p / q);
		note(p < q);
		note64((_Decimal64)(p / 7));
	}
	show("mixture");
}

static void extremes(void)
{
	_Decimal64 x = 1e-390DD, y = 9e370DD;

	for (int n = 0; n < 20; n++) {
		x /= 7;
		y *= 7;
		note(x == 0);
		note64(x * 1e380DD * 1e10DD);
		note64(y / 1e370DD);
	}
	note64(x - x);
	note64((y - y) / (x - x));
	show("extremes");
}

int main(void)
{
#ifdef __powerpc64__
	if (!(getauxval(AT_HWCAP) & HWCAP_DFP)) {
		printf("dfp: the kernel says that there is none\n");
		return 1;
	}
#endif
	interest();
	pi();
	mixture();
	extremes();
	return 0;
}
