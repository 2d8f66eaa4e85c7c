/*
 * Random regions, run by the reference, by the interpreter, and by the interpreter after the
 * optimiser: all must leave the same machine behind. ANYKVM_IR_RANDOM says how many regions are to
 * be tried (default 20000), ANYKVM_IR_SEED which is the first.
 */
#include <errno.h>
#include <fenv.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jit/jit.h"
#include "host_code.h"
#include "ir_generate.h"
#include "ir_machine.h"

/* So many times as seldom is it looked at what instructions code has: none that its host need not have. */
#define LOOK_AT_CODE 4

struct outcome {
	enum ir_leave leave;
	uint32_t exit_index;
	bool compiled;
};

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *s = getenv(name);

	return s ? strtoull(s, NULL, 0) : otherwise;
}

static struct outcome interpret(const struct ir_region *r, struct machine *m, bool *fits)
{
	struct outcome o = {.exit_index = UINT32_MAX};
	struct ir_code *c = ir_lower(r);

	*fits = c;
	if (!c) {
		assert_int_equal(errno, E2BIG);
		return o;
	}
	o.leave = ir_interp(c, &m->env, &o.exit_index);
	ir_code_free(c);
	return o;
}

/* As hosts of all kinds by turns. */
static unsigned level_of(uint64_t seed)
{
	return (unsigned)(JIT_LEVELS - 1 - seed % JIT_LEVELS);
}

/* What was given to the compiler, and what it made of that. */
static struct {
	unsigned tried, done;
} compiled;

/* Where there is a back end for this host. */
static bool run_compiled(struct jit *j, uint64_t seed, const struct ir_region *r, struct machine *m,
			 struct outcome *o)
{
	struct jit_code *c = jit_compile(j, r, RAM_BASE), *left;
	const char *beyond;

	compiled.tried++;
	if (!c)
		return false;
	compiled.done++;
	/* Not each, since it takes time. */
	beyond = seed % LOOK_AT_CODE ? NULL : host_code_beyond(c, level_of(seed));
	if (beyond)
		fail_msg("seed %" PRIu64 ", level %u: %s", seed, level_of(seed), beyond);
	o->leave = jit_run(j, c->entry, &m->env, &left, &o->exit_index);
	assert_int_equal(fegetround(), FE_TONEAREST);
	/* Beyond its span it goes by the jump cache, which is empty. */
	if (o->leave == IR_LEAVE_INDIRECT)
		o->exit_index = UINT32_MAX;
	jit_free(j, c);
	return true;
}

static void compare(uint64_t seed, const char *what, const struct ir_region *r,
		    const struct machine *a, struct outcome x, const struct machine *b,
		    struct outcome y)
{
	const char *d = machine_differ(a, b);

	if (!d && x.leave != y.leave &&
	    !(x.leave == IR_LEAVE_DIRECT && y.leave == IR_LEAVE_INDIRECT && y.compiled))
		d = "the way it was left";
	if (!d && x.leave == IR_LEAVE_DIRECT && y.leave == x.leave && x.exit_index != y.exit_index)
		d = "the exit";
	if (!d)
		return;
	for (unsigned n = 0; n < sizeof(a->s.mem); n++)
		if (a->s.mem[n] != b->s.mem[n])
			fprintf(stderr, "state at 0x%zx: %02x, %02x\n", OFF_STATE(n) + (size_t)0,
				a->s.mem[n], b->s.mem[n]);
	ir_print(r, stderr);
	ir_code_print(ir_lower(r), stderr);
	fail_msg("seed %" PRIu64 ", %s: %s differs (left %d, %d, pc %" PRIx64 ", %" PRIx64 ")",
		 seed, what, d, x.leave, y.leave, a->env.pc, b->env.pc);
}

/* As the seed says; the region runs at another base than the one that its pcs are for. */
static void reset(struct machine *m, uint64_t seed)
{
	machine_reset(m, seed);
	m->env.base = seed << 40 | (seed & 3) << 12;
	/* one in two as programs mostly do */
	ir_fp_set_round(&m->env, seed & 1 ? IR_FP_NEAREST : (enum ir_fp_round)(seed << 12 & IR_FP_ROUND));
}

static void check(uint64_t seed, const char *what, const struct ir_region *r)
{
	const char *wrong = ir_check(r);

	if (!wrong)
		return;
	ir_print(r, stderr);
	fail_msg("seed %" PRIu64 ", %s: %s", seed, what, wrong);
}

/*
 * With shared checks. Where one is refused, the machine has to be as it is before that guest instruction in
 * the region as it was generated. x is what that one does. Says whether one was refused.
 */
static bool test_shared(uint64_t seed, struct jit *jit, struct ir_region *r, struct machine *a,
			struct outcome x, struct machine *b)
{
	struct outcome y = {.exit_index = UINT32_MAX};
	uint64_t insns;
	bool refused, fits;

	ir_region_reset(r);
	generate_region(r, seed);
	ir_peel(r, false);
	ir_optimise_shared(r);
	check(seed, "shared", r);
	reset(b, seed);
	y.leave = reference_run(r, &b->env, &y.exit_index);
	refused = y.leave == IR_LEAVE_UNSHARED;
	if (refused) {
		insns = reference_insns - 1;
		ir_region_reset(r);
		generate_region(r, seed);
		reset(a, seed);
		x.leave = reference_run_to(r, &a->env, &x.exit_index, insns);
		ir_region_reset(r);
		generate_region(r, seed);
		ir_peel(r, false);
		ir_optimise_shared(r);
	}
	compare(seed, "shared, reference", r, a, x, b, y);
	reset(b, seed);
	y = interpret(r, b, &fits);
	if (fits)
		compare(seed, "shared", r, a, x, b, y);
	reset(b, seed);
	y = (struct outcome){.exit_index = UINT32_MAX, .compiled = true};
	if (jit && run_compiled(jit, seed, r, b, &y))
		compare(seed, "shared and compiled", r, a, x, b, y);
	return refused;
}

/* Without, but with all else that is made of accesses for back ends. */
static void test_unshared(uint64_t seed, struct jit *jit, struct ir_region *r, struct machine *a,
			  struct outcome x, struct machine *b)
{
	struct outcome y;
	bool fits;

	ir_region_reset(r);
	generate_region(r, seed);
	ir_peel(r, false);
	ir_optimise_unshared(r);
	check(seed, "unshared", r);
	reset(b, seed);
	y = interpret(r, b, &fits);
	if (fits)
		compare(seed, "unshared", r, a, x, b, y);
	reset(b, seed);
	y = (struct outcome){.exit_index = UINT32_MAX, .compiled = true};
	if (jit && run_compiled(jit, seed, r, b, &y))
		compare(seed, "unshared and compiled", r, a, x, b, y);
}

static void test_random(void **state)
{
	uint64_t seed = from_environment("ANYKVM_IR_SEED", 1);
	uint64_t end = seed + from_environment("ANYKVM_IR_RANDOM", 20000);
	struct machine *a = machine_new(), *b = machine_new();
	unsigned ways[IR_LEAVE_POLL + 1] = {0}, too_big = 0, refused = 0;
	struct ir_region r;

	(void)state;
	const struct jit_layout layout = {
		.jump = offsetof(struct machine, jump),
		.jump_mask = 1,
		.insn_align = 4,
		.pin_first = offsetof(struct machine, s),
		.pin_end = offsetof(struct machine, s) + sizeof(struct guest_state),
		.vec_first = offsetof(struct machine, s.mem) + 48,
		.vec_end = offsetof(struct machine, s.mem) + 128,
	};
	struct jit *jit = jit_create(&layout, 1 << 20);

	ir_region_init(&r);
	for (; seed < end; seed++) {
		struct outcome x = {.exit_index = UINT32_MAX}, y;
		bool fits;

		ir_region_reset(&r);
		generate_region(&r, seed);
		r.span = (const unsigned[]){0, 16, 21}[seed % 3];
		check(seed, "as generated", &r);
		reset(a, seed);
		x.leave = reference_run(&r, &a->env, &x.exit_index);
		ways[x.leave]++;

		reset(b, seed);
		y = interpret(&r, b, &fits);
		too_big += !fits;
		if (fits)
			compare(seed, "as generated", &r, a, x, b, y);
		reset(b, seed);
		y = (struct outcome){.exit_index = UINT32_MAX, .compiled = true};
		if (jit)
			jit_limit(jit, level_of(seed));
		if (jit && run_compiled(jit, seed, &r, b, &y))
			compare(seed, "compiled", &r, a, x, b, y);

		ir_peel(&r, false);
		check(seed, "peeled", &r);
		reset(b, seed);
		y = (struct outcome){.exit_index = UINT32_MAX};
		y.leave = reference_run(&r, &b->env, &y.exit_index);
		compare(seed, "peeled", &r, a, x, b, y);
		ir_optimise(&r);
		check(seed, "optimised", &r);
		reset(b, seed);
		y = interpret(&r, b, &fits);
		if (fits)
			compare(seed, "optimised", &r, a, x, b, y);
		reset(b, seed);
		y = (struct outcome){.exit_index = UINT32_MAX, .compiled = true};
		if (jit && run_compiled(jit, seed, &r, b, &y))
			compare(seed, "optimised and compiled", &r, a, x, b, y);

		test_unshared(seed, jit, &r, a, x, b);
		refused += test_shared(seed, jit, &r, a, x, b);
	}
	print_message("left by direct %u, indirect %u, resume %u, fault %u, poll %u; too big %u\n",
		      ways[0], ways[1], ways[2], ways[3], ways[4], too_big);
	print_message("compiled %u of %u, refused %u\n", compiled.done, compiled.tried, refused);
	/* A few need more registers than there are. If it were many, this would say nothing of the compiler. */
	assert_true(compiled.tried < 1000 || compiled.done >= compiled.tried / 100 * 95);
	jit_destroy(jit);
	ir_region_destroy(&r);
	machine_free(a);
	machine_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
