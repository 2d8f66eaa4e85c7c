/*
 * Helpers that back ends expand (ir/intrinsic.h): compiled code gives what the helper's C function
 * gives, for random operands, on hosts with fewer and fewer features; with operands that are used
 * again afterwards and not, and with equal ones. And it has no instruction that such a host has not.
 *
 * ANYKVM_IR_SEED is the seed, ANYKVM_INTRINSIC_CASES how many operands each is tried with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/power9/helper_vec.h"
#include "host_code.h"
#include "ir_machine.h"
#include "jit/jit.h"

#define HELPER(id, ...) &p9_h_##id,
static const struct ir_helper *const helper[] = {
	P9_VMX_HELPERS_B(HELPER) P9_VMX_HELPERS_A(HELPER) P9_VMX_HELPERS_AB(HELPER)
		P9_VMX_SATURATE(HELPER) P9_VMX_HELPERS_ABC(HELPER) P9_VMX_HELPERS_ABT(HELPER)
			P9_VEC_HELPERS_OTHER(HELPER)};

enum { OUT = 0, KEPT = 16, IN = 64 }; /* offsets in the state */

static struct machine *m;
static struct jit *jit;
static uint64_t seed = 1;

static u128 random_vector(void)
{
	u128 v = (u128)next_random(&seed) << 64 | next_random(&seed);
	uint64_t how = next_random(&seed);

	/* Ends of the ranges, and equal operands, are found by chance only in small lanes. */
	for (unsigned n = 0; n < 16; n++) {
		if ((how >> n & 1) && (how >> 32 & 1))
			v &= ~((u128)0xff << 8 * n);
		else if ((how >> (n + 16) & 1) && (how >> 33 & 1))
			v |= (u128)0xff << 8 * n;
	}
	return v;
}

/* What the C function gives. */
static u128 expected(const struct ir_helper *h, const u128 in[3], const uint64_t c[3])
{
	struct ir_env *env = &m->env;
	u128 out = 0;

	if (h->result == IR_I64)
		return ((uint64_t(*)(struct ir_env *, const u128 *))h->fn)(env, &in[0]);
	if (h->nargs == 1)
		((void (*)(struct ir_env *, u128 *, const u128 *))h->fn)(env, &out, &in[0]);
	else if (h->arg[1] == IR_I64)
		((void (*)(struct ir_env *, u128 *, const u128 *, uint64_t, uint64_t))h->fn)(
			env, &out, &in[0], c[1], c[2]);
	else if (h->nargs == 2)
		((void (*)(struct ir_env *, u128 *, const u128 *, const u128 *))h->fn)(
			env, &out, &in[0], &in[1]);
	else
		((void (*)(struct ir_env *, u128 *, const u128 *, const u128 *,
			   const u128 *))h->fn)(env, &out, &in[0], &in[1], &in[2]);
	return out;
}

enum { KEEP = 1, EQUAL = 2, HOWS = 4 };

static void build(struct ir_region *r, const struct ir_helper *h, const uint64_t c[3], unsigned how)
{
	ir_val args[4];
	ir_block b;

	ir_region_reset(r);
	b = ir_create_block(r);
	ir_begin_block(r, b);
	ir_insn(r, 0x1000);
	for (unsigned k = 0; k < h->nargs; k++) {
		if (h->arg[k] == IR_I64)
			args[k] = ir_const(r, IR_I64, c[k]);
		else if (k && (how & EQUAL))
			args[k] = args[0];
		else /* not the state itself, which a register is only a copy of */
			args[k] = ir_un(r, IR_VNOT, ir_get(r, IR_V128, OFF_STATE(IN + 16 * k)));
	}
	ir_set(r, OFF_STATE(OUT), ir_call(r, h, args, h->nargs));
	for (unsigned k = 0; k < h->nargs && (how & KEEP); k++)
		if (h->arg[k] == IR_V128)
			ir_set(r, OFF_STATE(KEPT + 16 * k), args[k]);
	ir_exit_direct(r, 0x1004);
	assert_null(ir_check(r));
}

static void try(const struct ir_helper *h, const uint64_t c[3], unsigned cases, unsigned level)
{
	struct ir_region r;

	ir_region_init(&r);
	for (unsigned how = 0; how < HOWS; how++) {
		struct jit_code *code, *left;
		const char *beyond;

		build(&r, h, c, how);
		code = jit_compile(jit, &r, 0x1000);
		assert_non_null(code);
		beyond = host_code_beyond(code, level);
		if (beyond)
			fail_msg("%s, level %u: %s", h->name, level, beyond);
		for (unsigned n = 0; n < cases; n++) {
			u128 in[3], want, got = 0;
			uint32_t index;

			for (unsigned k = 0; k < 3; k++) {
				u128 v;

				in[k] = (how & EQUAL) ? in[0] : random_vector();
				if (!k)
					in[0] = random_vector();
				v = ~in[k];
				memcpy(m->s.mem + IN + 16 * k, &v, 16);
			}
			want = expected(h, in, c);
			memset(m->s.mem + OUT, 0, 16);
			jit_run(jit, code->entry, &m->env, &left, &index);
			memcpy(&got, m->s.mem + OUT, h->result == IR_I64 ? 8 : 16);
			if (got != want)
				fail_msg("%s (%#x, %#x), level %u, operands %s%s: "
					 "%016llx%016llx, not %016llx%016llx",
					 h->name, (unsigned)c[1], (unsigned)c[2], level,
					 how & KEEP ? "kept " : "", how & EQUAL ? "equal" : "",
					 (unsigned long long)(got >> 64), (unsigned long long)got,
					 (unsigned long long)(want >> 64),
					 (unsigned long long)want);
			for (unsigned k = 0; k < h->nargs && (how & KEEP); k++)
				if (h->arg[k] == IR_V128)
					assert_memory_equal(m->s.mem + KEPT + 16 * k, &in[k], 16);
		}
		jit_free(jit, code);
	}
	ir_region_destroy(&r);
}

static void all(void **state)
{
	const char *s = getenv("ANYKVM_INTRINSIC_CASES"), *first = getenv("ANYKVM_IR_SEED");
	unsigned cases = s ? strtoul(s, NULL, 0) : 200, tried = 0;
	bool seen[IR_INTRINSIC_COUNT] = {false};

	(void)state;
	seed = first ? strtoull(first, NULL, 0) : 1;
	for (unsigned level = JIT_LEVELS; level-- > 0;) {
		jit_limit(jit, level);
		for (unsigned n = 0; n < ARRAY_SIZE(helper); n++) {
			const struct ir_helper *h = helper[n];

			if (!h->intrinsic)
				continue;
			assert_true(h->intrinsic < IR_INTRINSIC_COUNT && (h->flags & IR_H_PURE));
			seen[h->intrinsic] = true;
			tried++;
			if (h->nargs > 1 && h->arg[1] == IR_I64) {
				for (uint64_t c = 0; c < 32; c++)
					try(h, (const uint64_t[]){0, c >> 4, c & 15}, cases / 8 + 1,
					    level);
			} else {
				try(h, (const uint64_t[3]){0}, cases, level);
			}
		}
	}
	for (unsigned n = 1; n < IR_INTRINSIC_COUNT; n++)
		if (!seen[n])
			fail_msg("no helper is intrinsic %u", n);
	print_message("%u helpers\n", tried / JIT_LEVELS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all)};
	static const struct jit_layout layout = {
		.jump = offsetof(struct machine, jump),
		.jump_mask = 1,
		.insn_align = 4,
		.pin_first = offsetof(struct machine, s),
		.pin_end = offsetof(struct machine, s) + sizeof(struct guest_state),
		.vec_first = offsetof(struct machine, s.mem) + 48,
		.vec_end = offsetof(struct machine, s.mem) + 128,
	};
	int failed;

	m = machine_new();
	jit = jit_create(&layout, 1 << 20);
	if (!jit) {
		print_message("no back end for this host\n");
		return 77;
	}
	machine_reset(m, 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	jit_destroy(jit);
	machine_free(m);
	return failed;
}
