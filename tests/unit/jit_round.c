/*
 * Compiled floating point when the guest does not round to nearest: it gives what the helpers give, it is done by the
 * host's instructions, and C is run with the host's own rounding, in helpers and after compiled code was left.
 *
 * ANYKVM_ROUND_CASES says how many operands each operation is tried with in each mode (default 1000).
 */
#include <fenv.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir/intrinsic_float.h"
#include "ir_machine.h"
#include "jit/jit.h"
#include "util/compiler.h"

#define BASE UINT64_C(0x100000)

/* Of the state: operands at multiples of 16, then the result. */
#define RESULT 64

static const enum ir_fp_round modes[] = {IR_FP_NEAREST, IR_FP_DOWN, IR_FP_UP, IR_FP_ZERO};
static const int fe_modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};

static struct machine *machine, *expected;
static struct jit *jit;
static struct ir_region region;
static uint64_t state_of_random = 1;

static uint64_t rnd(void)
{
	return next_random(&state_of_random);
}

static unsigned below(unsigned n)
{
	return (unsigned)(rnd() >> 33) % n;
}

/* Near the edges of both formats, ties of both, integers and halves, zeros, NaNs; as doubles and as pairs of singles. */
static uint64_t number(void)
{
	static const uint64_t list[] = {
		0, 1, UINT64_C(0x000fffffffffffff), UINT64_C(0x0010000000000000), UINT64_C(0x0010000000000001),
		UINT64_C(0x0020000000000000), UINT64_C(0x7fefffffffffffff), UINT64_C(0x7fe0000000000000),
		UINT64_C(0x7fdfffffffffffff), UINT64_C(0x7ff0000000000000), UINT64_C(0x7ff8000000000000),
		UINT64_C(0x7ff4000000000123), UINT64_C(0x3ff0000000000000), UINT64_C(0x3fefffffffffffff),
		UINT64_C(0x3ff0000000000001), UINT64_C(0x3ca0000000000000), UINT64_C(0x3ff0000010000000),
		UINT64_C(0x3ff0000030000000), UINT64_C(0x3ff0000010000001), UINT64_C(0x3ff000000fffffff),
		UINT64_C(0x47efffffe0000000), UINT64_C(0x47efffffefffffff), UINT64_C(0x47effffff0000000),
		UINT64_C(0x3810000000000000), UINT64_C(0x380fffffffffffff), UINT64_C(0x36a0000000000000),
		UINT64_C(0x3690000000000000), UINT64_C(0x41dfffffffc00000), UINT64_C(0x41dfffffffe00000),
		UINT64_C(0x41e0000000100000), UINT64_C(0x41efffffffe00000), UINT64_C(0x41effffffff00000),
		UINT64_C(0x43dfffffffffffff), UINT64_C(0x43e0000000000000), UINT64_C(0x43efffffffffffff),
		UINT64_C(0x3fe0000000000000), UINT64_C(0x3fdfffffffffffff), UINT64_C(0x4330000000000001),
		UINT64_C(0x7f7fffff7f7ffffe), UINT64_C(0x7f00000000800000), UINT64_C(0x0080000100000001),
		UINT64_C(0x7f8000007fc00001), UINT64_C(0x3f8000013f7fffff), UINT64_C(0x4b0000014effffff),
		UINT64_C(0x4f0000004f7fffff), UINT64_C(0x00ffffffffffffff), UINT64_C(0x7fffffffffffffff),
		UINT64_C(0x0020000000000001), UINT64_C(0x1000000100000001),
	};
	uint64_t sign = rnd() & UINT64_C(0x8000000080000000), v;

	if (below(2))
		sign &= UINT64_C(1) << 63;
	switch (below(8)) {
	case 0:
	case 1:
	case 2:
		return list[below(ARRAY_SIZE(list))] ^ sign;
	case 3:
		return rnd() >> below(64);
	case 4: { /* halves */
		double d = below(64) / 2.0;

		memcpy(&v, &d, 8);
		return v ^ (sign & UINT64_C(1) << 63);
	}
	case 5: /* singles as doubles */
		return ((UINT64_C(0x3f0) + below(32)) << 52 | (rnd() >> 12 & ~UINT64_C(0x1fffffff))) ^
		       (sign & UINT64_C(1) << 63);
	case 6: /* singles */
		return (UINT64_C(0x3f0000003f000000) + (rnd() & UINT64_C(0x01ffffff01ffffff))) ^ sign;
	default:
		return ((UINT64_C(0x3e0) + below(64)) << 52 | rnd() >> 12) ^ (sign & UINT64_C(1) << 63);
	}
}

/* One call, of operands in the state. */
static void make_region(const struct ir_helper *h)
{
	ir_val a[4], v;

	ir_region_reset(&region);
	region.base = BASE;
	ir_begin_block(&region, ir_create_block(&region));
	ir_insn(&region, BASE);
	for (unsigned k = 0; k < h->nargs; k++)
		a[k] = ir_get(&region, h->arg[k], OFF_STATE(16 * k));
	v = ir_call(&region, h, a, h->nargs);
	ir_set(&region, OFF_STATE(RESULT), v);
	ir_exit_direct(&region, BASE + 4);
	assert_null(ir_check(&region));
}

/* Operands that a machine begins with. */
static void begin(struct machine *m, const uint64_t v[8], enum ir_fp_round round)
{
	m->env.base = BASE;
	m->env.fp_status = 0;
	memset(m->s.mem, 0, sizeof(m->s.mem));
	memcpy(m->s.mem, v, 64);
	ir_fp_set_round(&m->env, round);
}

static bool differ(const struct machine *a, const struct machine *b)
{
	return memcmp(a->s.mem, b->s.mem, sizeof(a->s.mem)) || ((a->env.fp_status ^ b->env.fp_status) & IR_FP_INEXACT);
}

static uint64_t result(const struct machine *m)
{
	uint64_t v;

	memcpy(&v, m->s.mem + RESULT, 8);
	return v;
}

static void run(struct machine *m, const struct jit_code *c)
{
	struct jit_code *left;
	uint32_t index;

	assert_int_equal(jit_run(jit, c->entry, &m->env, &left, &index), IR_LEAVE_DIRECT);
	assert_int_equal(fegetround(), FE_TONEAREST);
}

static void same(void **state)
{
	const char *s = getenv("ANYKVM_ROUND_CASES");
	unsigned cases = s ? (unsigned)atoi(s) : 1000;

	(void)state;
	for (unsigned n = 0; n < (IR_FLOAT_END - IR_FLOAT_FIRST) * JIT_LEVELS && jit; n++) {
		const struct ir_helper *h = &machine_float[n / JIT_LEVELS];
		struct jit_code *c;
		uint32_t index;

		jit_limit(jit, n % JIT_LEVELS);
		make_region(h);
		c = jit_compile(jit, &region, BASE);
		assert_non_null(c);
		for (unsigned k = 0; k < 4 * cases; k++) {
			uint64_t v[8];

			for (unsigned m = 0; m < 8; m++)
				v[m] = m && !below(8) ? v[below(m)] ^ (rnd() & UINT64_C(1) << 63) : number();
			begin(expected, v, modes[k % 4]);
			begin(machine, v, modes[k % 4]);
			reference_run(&region, &expected->env, &index);
			run(machine, c);
			if (differ(expected, machine))
				fail_msg("%s, level %u, mode %u: %016" PRIx64 " %016" PRIx64 " %016" PRIx64
					 " gives %016" PRIx64 ", not %016" PRIx64 "; status %x, not %x", h->name,
					 n % JIT_LEVELS, k % 4, v[0], v[2], v[4], result(machine), result(expected),
					 machine->env.fp_status, expected->env.fp_status);
		}
		jit_free(jit, c);
	}
}

/* ---- whose work it is ---- */

static unsigned calls;

static uint64_t must_not(struct ir_env *env, uint64_t a, uint64_t b, uint64_t c)
{
	(void)env, (void)a, (void)b, (void)c;
	calls++;
	return 0;
}

static void must_not_vector(struct ir_env *env, u128 *out, const u128 *a, const u128 *b, const u128 *c)
{
	(void)env, (void)a, (void)b, (void)c;
	calls++;
	*out = 0;
}

/* What each mode gives, of operands that are the same in all lanes: nothing but the host's instructions knows. */
static void on_the_host(void **state)
{
	static const struct {
		unsigned number;
		double a, b, c;
		double want[4]; /* by modes */
	} row[] = {
		{IR_FADD, 1, 0x1p-60, 0, {1, 1, 0x1.0000000000001p0, 1}},
		{IR_FSUB, 1, 0x1p-60, 0, {1, 0x1.fffffffffffffp-1, 1, 0x1.fffffffffffffp-1}},
		{IR_FMUL, 0x1.0000000000001p0, -0x1.0000000000001p0, 0,
		 {-0x1.0000000000002p0, -0x1.0000000000003p0, -0x1.0000000000002p0, -0x1.0000000000002p0}},
		{IR_FDIV, 1, 3, 0, {0x1.5555555555555p-2, 0x1.5555555555555p-2, 0x1.5555555555556p-2, 0x1.5555555555555p-2}},
		{IR_FSQRT, 2, 0, 0, {0x1.6a09e667f3bcdp0, 0x1.6a09e667f3bccp0, 0x1.6a09e667f3bcdp0, 0x1.6a09e667f3bccp0}},
		{IR_FMADD, 3, 0x1p-60, 1, {3, 3, 0x1.8000000000001p1, 3}},
		{IR_FNMADD, 3, 0x1p-60, 1, {-3, -3, -0x1.8000000000001p1, -3}},
		{IR_FSUB, 5, 5, 0, {0, -0.0, 0, 0}},
		{IR_FADD_SINGLE, 1, 0x1p-60, 0, {1, 1, 0x1.000002p0, 1}},
		{IR_FDIV_SINGLE, -1, 3, 0, {-0x1.555556p-2, -0x1.555556p-2, -0x1.555554p-2, -0x1.555554p-2}},
		{IR_FROUND_SINGLE, 0x1.0000000001p0, 0, 0, {1, 1, 0x1.000002p0, 1}},
		{IR_FROUND_CURRENT, -2.5, 0, 0, {-2, -3, -2, -2}},
		{IR_VFADD_64, 1, 0x1p-60, 0, {1, 1, 0x1.0000000000001p0, 1}},
		{IR_VFMADD_64, 3, 0x1p-60, 1, {3, 3, 0x1.8000000000001p1, 3}},
		{IR_VFROUND_CURRENT_64, -2.5, 0, 0, {-2, -3, -2, -2}},
	};

	(void)state;
	for (unsigned n = 0; n < ARRAY_SIZE(row) && jit; n++) {
		struct ir_helper h = machine_float[row[n].number - IR_FLOAT_FIRST];
		struct jit_code *c;

		h.fn = h.result == IR_V128 ? (void (*)(void))must_not_vector : (void (*)(void))must_not;
		for (unsigned k = 0; k < 4 * JIT_LEVELS; k++) {
			unsigned level = k / 4;
			bool is_able = level >= 3 || (level == 2 && row[n].number != IR_VFMADD_64 &&
						      row[n].number != IR_FMADD && row[n].number != IR_FNMADD) ||
				       (row[n].number != IR_VFMADD_64 && row[n].number != IR_FMADD &&
					row[n].number != IR_FNMADD && row[n].number != IR_FROUND_CURRENT &&
					row[n].number != IR_VFROUND_CURRENT_64);
			const double d[8] = {row[n].a, row[n].a, row[n].b, row[n].b, row[n].c, row[n].c};
			uint64_t v[8], want;

			if (!is_able)
				continue;
			jit_limit(jit, level);
			make_region(&h);
			c = jit_compile(jit, &region, BASE);
			assert_non_null(c);
			memcpy(v, d, sizeof(v));
			memcpy(&want, &row[n].want[k % 4], 8);
			begin(machine, v, modes[k % 4]);
			calls = 0;
			run(machine, c);
			assert_int_equal(calls, 0);
			if (result(machine) != want)
				fail_msg("row %u, level %u, mode %u: %016" PRIx64 ", not %016" PRIx64, n, level, k % 4,
					 result(machine), want);
			jit_free(jit, c);
		}
	}
}

/* ---- C ---- */

static int seen_round;
static enum ir_fp_round next_round;

static uint64_t look(struct ir_env *env, uint64_t a)
{
	seen_round = fegetround();
	ir_fp_set_round(env, next_round);
	return a;
}

/* A helper is run with the host's rounding, and what it sets holds for what comes behind it, and for the next run. */
static void around_helpers(void **state)
{
	static const struct ir_helper h = {"look", (void (*)(void))look, 1, IR_I64, {IR_I64}, IR_H_FLOAT, 0};
	const double d[8] = {1, 0, 0x1p-60};

	(void)state;
	for (unsigned k = 0; k < 16 && jit; k++) {
		volatile double a = 1, b = 0x1p-60, before, behind;
		struct jit_code *c;
		uint64_t v[8], got[2];
		ir_val x[2];

		ir_region_reset(&region);
		region.base = BASE;
		ir_begin_block(&region, ir_create_block(&region));
		ir_insn(&region, BASE);
		for (unsigned n = 0; n < 2; n++)
			x[n] = ir_get(&region, IR_I64, OFF_STATE(16 * n));
		ir_set(&region, OFF_STATE(RESULT), ir_call(&region, &machine_float[IR_FADD - IR_FLOAT_FIRST], x, 2));
		ir_call(&region, &h, x, 1);
		ir_set(&region, OFF_STATE(RESULT + 8),
		       ir_call(&region, &machine_float[IR_FADD - IR_FLOAT_FIRST], x, 2));
		ir_exit_direct(&region, BASE + 4);
		jit_limit(jit, JIT_LEVELS - 1);
		c = jit_compile(jit, &region, BASE);
		assert_non_null(c);
		memcpy(v, d, sizeof(v));
		begin(machine, v, modes[k % 4]);
		fesetround(fe_modes[k % 4]);
		before = a + b;
		fesetround(fe_modes[k / 4]);
		behind = a + b;
		fesetround(FE_TONEAREST);
		seen_round = -1;
		next_round = modes[k / 4];
		run(machine, c);
		assert_int_equal(seen_round, FE_TONEAREST);
		memcpy(got, machine->s.mem + RESULT, 16);
		assert_memory_equal(&got[0], (const void *)&before, 8);
		assert_memory_equal(&got[1], (const void *)&behind, 8);
		run(machine, c);
		memcpy(got, machine->s.mem + RESULT, 16);
		assert_memory_equal(&got[0], (const void *)&behind, 8);
		jit_free(jit, c);
	}
}

static int setup(void **state)
{
	const struct jit_layout layout = {.jump = offsetof(struct machine, jump), .jump_mask = 1, .insn_align = 4};

	(void)state;
	machine = machine_new();
	expected = machine_new();
	jit = jit_create(&layout, 1 << 20);
	ir_region_init(&region);
	return machine && expected ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	ir_region_destroy(&region);
	jit_destroy(jit);
	machine_free(machine);
	machine_free(expected);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same),
		cmocka_unit_test(on_the_host),
		cmocka_unit_test(around_helpers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
