/*
 * What the host's processor can do (Intel SDM volume 2, CPUID).
 */
#include <cpuid.h>

#include "jit/x86_64/gen.h"

/* Which registers the system saves: XCR0. Only with OSXSAVE. */
static uint32_t xcr0(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

#define XCR0_AVX    0x06u /* xmm, ymm */
#define XCR0_AVX512 0xe6u /* and masks, zmm */

void features_detect(struct features *f)
{
	unsigned a, b, c, d;
	uint32_t saved = 0;

	*f = (struct features){0};
	if (!__get_cpuid(1, &a, &b, &c, &d))
		return;
	f->ssse3 = c >> 9 & 1;
	f->sse41 = c >> 19 & 1;
	f->sse42 = c >> 20 & 1;
	f->movbe = c >> 22 & 1;
	f->popcnt = c >> 23 & 1;
	f->pclmul = c >> 1 & 1;
	f->fma = c >> 12 & 1;
	f->aes = c >> 25 & 1;
	if (c >> 27 & 1)
		saved = xcr0();
	f->avx = (c >> 28 & 1) && (saved & XCR0_AVX) == XCR0_AVX;
	f->fma = f->fma && f->avx;
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
		f->avx2 = f->avx && (b >> 5 & 1);
		f->bmi1 = b >> 3 & 1;
		f->bmi2 = b >> 8 & 1;
		f->sha = b >> 29 & 1;
		/* F, DQ, BW, VL: what is of use to 128-bit registers comes with VL */
		f->avx512 = f->avx2 && (saved & XCR0_AVX512) == XCR0_AVX512 && (b >> 16 & 1) &&
			    (b >> 17 & 1) && (b >> 30 & 1) && (b >> 31 & 1);
		f->avx512vbmi = f->avx512 && (c >> 1 & 1);
	}
	if (__get_cpuid(0x80000001, &a, &b, &c, &d))
		f->lzcnt = c >> 5 & 1;
}

void features_limit(struct features *f, unsigned level)
{
	const struct features have = *f;

	if (level >= 4)
		return;
	/* A list of what stays, so that what is added to the structure goes. */
	*f = (struct features){0};
	if (level >= 1)
		f->ssse3 = have.ssse3;
	if (level >= 2) {
		f->sse41 = have.sse41;
		f->sse42 = have.sse42;
		f->popcnt = have.popcnt;
		f->pclmul = have.pclmul;
		f->aes = have.aes;
	}
	if (level >= 3) {
		f->avx = have.avx;
		f->fma = have.fma;
		f->avx2 = have.avx2;
		f->bmi1 = have.bmi1;
		f->bmi2 = have.bmi2;
		f->lzcnt = have.lzcnt;
		f->movbe = have.movbe;
		f->sha = have.sha;
	}
}
