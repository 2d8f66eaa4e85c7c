/*
 * Instructions that the differential test (tests/diff/exclude.def) skips and that no other test
 * covers: random numbers, the time base, hints, and a class test that the reference gets wrong.
 * Expectations are from Power ISA 3.0B.
 *
 * Every program is interpreted and compiled, with the optimiser off and on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/power9/cr.h"
#include "cpu/power9/core.h"
#include "cpu/power9/insn.h"
#include "power9_harness.h"
#include "util/bits.h"

#define PC UINT64_C(0x10000)

static struct p9_harness *harness;
static struct p9_regs *regs;

static int setup(void **state)
{
	const uint32_t nop = 0x60000000;

	(void)state;
	harness = p9_harness_create();
	if (!harness)
		return -1;
	regs = p9_harness_regs(harness);
	/* The first run enters the mode into MSR. */
	p9_harness_run(harness, &nop, 1, PC, P9_HARNESS_USER, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	p9_harness_destroy(harness);
	return 0;
}

/* Form X: primary opcode 31. */
#define X(xo, rt, ra, rb)                                                                          \
	(UINT32_C(31) << 26 | (uint32_t)(rt) << 21 | (uint32_t)(ra) << 16 | (uint32_t)(rb) << 11 | \
	 (uint32_t)(xo) << 1)

static struct p9_harness_result run(const uint32_t *words, unsigned count, unsigned how)
{
	struct p9_harness_result r =
		p9_harness_run(harness, words, count, PC, P9_HARNESS_USER, how);

	if (r.end == P9_HARNESS_BROKEN)
		fail_msg("%08x: %s", words[0], r.why);
	return r;
}

static void run_to_end(const uint32_t *words, unsigned count, unsigned how)
{
	struct p9_harness_result r = run(words, count, how);

	assert_int_equal(r.end, P9_HARNESS_DONE);
	assert_int_equal(r.pc, PC + 4 * count);
}

/* Book I 3.3.9: L = 0: 32 bits; 1: conditioned, 2: raw, 64 bits. All ones would be an error. */
static void darn(void **state)
{
	static const uint32_t words[] = {
		X(755, 3, 0, 0), X(755, 4, 0, 0), X(755, 5, 1, 0),
		X(755, 6, 1, 0), X(755, 7, 2, 0), X(755, 8, 2, 0),
	};
	uint64_t low = 0, one[9] = {0}, zero[9] = {0};

	(void)state;
	for (unsigned how = 0; how < P9_HARNESS_HOWS; how++) {
		for (unsigned n = 0; n < 32; n++) {
			run_to_end(words, 6, how);
			for (unsigned r = 3; r <= 8; r++) {
				assert_int_not_equal(regs->gpr[r], UINT64_MAX);
				one[r] |= regs->gpr[r];
				zero[r] |= ~regs->gpr[r];
			}
			low |= regs->gpr[3] >> 32 | regs->gpr[4] >> 32;
			/* Two are equal once in 2^32 or 2^64. */
			assert_int_not_equal(regs->gpr[5], regs->gpr[6]);
			assert_int_not_equal(regs->gpr[7], regs->gpr[8]);
			assert_true(regs->gpr[3] != regs->gpr[4]);
		}
	}
	assert_int_equal(low, 0);
	/* Each bit was 1 once, and 0 once (it was not with probability 2^-128). */
	for (unsigned r = 5; r <= 8; r++)
		assert_true(one[r] == UINT64_MAX && zero[r] == UINT64_MAX);
	assert_int_equal(one[3] & one[4], UINT32_MAX);
}

/* Book II 6.2.1: TBR 268 is the time base, 269 its upper 32 bits. */
static void mftb(void **state)
{
	/* mftb r3; mftbu r4; mftb r5 */
	static const uint32_t words[] = {X(371, 3, 268 & 31, 268 >> 5),
					 X(371, 4, 269 & 31, 269 >> 5),
					 X(371, 5, 268 & 31, 268 >> 5)};

	(void)state;
	for (unsigned how = 0; how < P9_HARNESS_HOWS; how++) {
		uint64_t before, after;

		/* so that the upper half is not the host's */
		regs->tb_offset = UINT64_C(0x1234567800000000) * (how + 1);
		before = p9_tb(regs);
		run_to_end(words, 3, how);
		after = p9_tb(regs);
		assert_true(before <= regs->gpr[3]);
		assert_true(regs->gpr[3] <= regs->gpr[5]);
		assert_true(regs->gpr[5] <= after);
		assert_in_range(regs->gpr[4], before >> 32, after >> 32);
	}
}

/*
 * Book II 4.6.4: WC = 0 waits for an exception or event-based branch, and may go on at any time
 * for reasons of the implementation. Nothing changes but the instruction address.
 */
static void wait_resumes(void **state)
{
	static const uint32_t words[] = {X(30, 0, 0, 0)}; /* wait */
	struct p9_regs before = *regs;

	(void)state;
	for (unsigned how = 0; how < P9_HARNESS_HOWS; how++) {
		run_to_end(words, 1, how);
		assert_memory_equal(regs, &before, sizeof(before));
	}
}

/* Does nothing, whatever its fields and the registers that they name: it does not even translate.
 */
static void assert_no_op(uint32_t word)
{
	struct p9_regs before;

	for (unsigned r = 0; r < 32; r++)
		regs->gpr[r] = UINT64_C(0xdead000000000000) + r;
	before = *regs;
	for (unsigned how = 0; how < P9_HARNESS_HOWS; how++) {
		run_to_end(&word, 1, how);
		assert_memory_equal(regs, &before, sizeof(before));
	}
}

/* Book I 1.9.3: reserved_no_op, primary opcode 31. */
static void reserved_no_op(void **state)
{
	static const unsigned xo[] = {530, 562, 594, 626, 658, 690, 722, 754};

	(void)state;
	for (unsigned n = 0; n < ARRAY_SIZE(xo); n++) {
		assert_no_op(X(xo[n], 0, 0, 0));
		assert_no_op(X(xo[n], 31, 31, 31));
		assert_no_op(X(xo[n], 5, 6, 7));
	}
}

/* Hints: icbt; and dst, dstst, dss, which later architectures took away and ignore. */
static void hints(void **state)
{
	(void)state;
	assert_no_op(X(22, 0, 3, 4));   /* icbt 0,r3,r4 */
	assert_no_op(X(22, 2, 0, 4));   /* icbt 2,0,r4 */
	assert_no_op(X(342, 0, 3, 4));  /* dst r3,r4,0 */
	assert_no_op(X(342, 3, 0, 4));  /* dst 0,r4,3 */
	assert_no_op(X(374, 1, 3, 4));  /* dstst r3,r4,1 */
	assert_no_op(X(374, 1, 0, 4));  /* dstst 0,r4,1 */
	assert_no_op(X(822, 0, 0, 0));  /* dss 0 */
	assert_no_op(X(822, 16, 0, 0)); /* dssall */
}

#define DCMX_NAN     0x40
#define DCMX_INF     0x20
#define DCMX_NEG_INF 0x10
#define DCMX_ZERO    0x08
#define DCMX_NEG_0   0x04
#define DCMX_DEN     0x02
#define DCMX_NEG_DEN 0x01

/* CR and FPCC: sign, 0, match, not a single-precision value */
#define SIGN   8
#define MATCH  2
#define NOT_SP 1

/*
 * Book I 7.6.1: xststdcsp BF,XB,DCMX. The operand is a double-precision number; it is denormal
 * when it would be so in single precision, that is below 2^-126 (exponent 0x381).
 */
static void xststdcsp(void **state)
{
	static const struct {
		uint64_t b;
		unsigned class, cr;
	} cases[] = {
		{0x3ff0000000000000, 0, 0},               /* 1.0 */
		{0xbff0000000000000, 0, SIGN},            /* -1.0 */
		{0x3ff0000000000001, 0, NOT_SP},          /* a bit too many */
		{0x3ff0000020000000, 0, 0},               /* the last bit of a single */
		{0x3ff0000010000000, 0, NOT_SP},          /* the one behind it */
		{0x0000000000000000, DCMX_ZERO, 0},       /* 0.0 */
		{0x8000000000000000, DCMX_NEG_0, SIGN},   /* -0.0 */
		{0x7ff0000000000000, DCMX_INF, 0},        /* infinity */
		{0xfff0000000000000, DCMX_NEG_INF, SIGN}, /* -infinity */
		{0x7ff8000000000000, DCMX_NAN, 0},        /* quiet NaN */
		{0xfff8000000000000, DCMX_NAN, SIGN},     /* the same, negative */
		{0x3810000000000000, 0, 0},               /* 2^-126: normal */
		{0x3800000000000000, DCMX_DEN, 0},        /* 2^-127 */
		{0xb800000000000000, DCMX_NEG_DEN, SIGN}, /* -2^-127 */
		{0x36a0000000000000, DCMX_DEN, 0},        /* 2^-149, the smallest single */
		{0x3690000000000000, DCMX_DEN, NOT_SP},   /* 2^-150 */
		{0x0000000000000001, DCMX_DEN, NOT_SP},   /* a denormal double */
		{0x8000000000000001, DCMX_NEG_DEN, SIGN | NOT_SP},
		{0x47efffffe0000000, 0, 0},             /* the largest single */
		{0x47f0000000000000, 0, NOT_SP},        /* 2^128 */
		{0xffefffffffffffff, 0, SIGN | NOT_SP}, /* the smallest double */
	};

	(void)state;
	for (unsigned n = 0; n < ARRAY_SIZE(cases); n++) {
		for (unsigned dcmx = 0; dcmx < 128; dcmx = dcmx ? dcmx << 1 : 1) {
			/* BF 5, XB 41 (BX in bit 30) */
			uint32_t word = UINT32_C(60) << 26 | 5 << 23 | dcmx << 16 | 9 << 11 |
					UINT32_C(298) << 2 | 2;
			unsigned cr = cases[n].cr | (dcmx & cases[n].class ? MATCH : 0);

			for (unsigned how = 0; how < P9_HARNESS_HOWS; how++) {
				regs->vsr[41] = (u128)cases[n].b << 64 | 0x55;
				regs->crf[5] = p9_crf_encode(15 - cr);
				/* C stays, FPCC goes along, nothing else changes. */
				regs->fpscr = UINT64_C(0x00010000) | (uint64_t)(15 - cr) << 12 | 3;
				run_to_end(&word, 1, how);
				if (p9_crf_decode(regs->crf[5]) != cr)
					fail_msg("class %#x of %#llx: CR %#llx, not %#x", dcmx,
						 (unsigned long long)cases[n].b,
						 (unsigned long long)regs->crf[5], cr);
				assert_int_equal(regs->fpscr,
						 UINT64_C(0x00010000) | (uint64_t)cr << 12 | 3);
			}
		}
	}
}

/*
 * rfebb goes where EBBRR says and leaves S in BESCR[GE]; without FSCR[EBB], facility unavailable.
 * clrbhrb empties the branch history, and mfbhrbe of an empty one reads zero, its end.
 */
static void branch_events(void **state)
{
	const uint64_t ge = UINT64_C(1) << 63, other = UINT64_C(0x0000000100000002);
	const uint32_t rfebb[2] = {UINT32_C(19) << 26 | 146 << 1,
				   UINT32_C(19) << 26 | 1 << 11 | 146 << 1};
	const uint32_t history[2] = {X(430, 0, 0, 0), UINT32_C(31) << 26 | 5 << 21 | 302 << 1};
	const uint64_t fscr = regs->fscr;

	(void)state;
	for (unsigned how = 0; how < P9_HARNESS_HOWS; how++) {
		struct p9_harness_result r;

		for (unsigned s = 0; s < 2; s++) {
			regs->bescr = (s ? 0 : ge) | other;
			regs->ebbrr = 0x23457;
			r = run(&rfebb[s], 1, how);
			assert_int_equal(r.end, P9_HARNESS_DONE);
			assert_int_equal(r.pc, 0x23454);
			assert_int_equal(regs->bescr, (s ? ge : 0) | other);
		}
		regs->fscr = fscr & ~(UINT64_C(1) << P9_FSCR_EBB);
		r = run(&rfebb[1], 1, how);
		assert_int_equal(r.end, P9_HARNESS_FAULT);
		assert_int_equal(r.vector, P9_VEC_FAC_UNAVAILABLE);
		assert_int_equal(r.pc, PC);
		regs->fscr = fscr;
		regs->gpr[5] = 77;
		r = run(history, 2, how);
		assert_int_equal(r.end, P9_HARNESS_DONE);
		assert_int_equal(regs->gpr[5], 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(darn),           TEST(mftb),  TEST(wait_resumes),
		TEST(reserved_no_op), TEST(hints), TEST(xststdcsp),
		TEST(branch_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
