/*
 * Guest registers that loops keep in host registers, of both kinds: general ones, vectors and numbers. What is seen
 * of them must be exact wherever a loop is left or looked into.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ir/intrinsic_float.h"
#include "ir_machine.h"
#include "jit/jit.h"

#define ROUNDS  5
#define NUMBER  OFF_STATE(64)
#define NUMBER2 OFF_STATE(72)
#define VECTOR  OFF_STATE(96)
#define VECTOR2 OFF_STATE(112)

enum inside { NOTHING, FAULT, SLOW_LOAD, LOOKS, WRITES, PURE, SPOILS, POLL, INSIDE_COUNT };

static const struct jit_layout layout = {
	.jump = offsetof(struct machine, jump),
	.jump_mask = 1,
	.insn_align = 4,
	.pin_first = offsetof(struct machine, s),
	.pin_end = offsetof(struct machine, s) + sizeof(struct guest_state),
	.vec_first = offsetof(struct machine, s.mem) + 48,
	.vec_end = offsetof(struct machine, s.mem) + 128,
};

/* Leaves nothing of the registers that a function may use. */
static void spoil(struct ir_env *env)
{
	(void)env;
#ifdef __x86_64__
	__asm__ volatile("pcmpeqd %%xmm2, %%xmm2\n\tpcmpeqd %%xmm3, %%xmm3\n\tpcmpeqd %%xmm4, %%xmm4\n\t"
			 "pcmpeqd %%xmm5, %%xmm5\n\tpcmpeqd %%xmm6, %%xmm6\n\tpcmpeqd %%xmm7, %%xmm7\n\t"
			 "pcmpeqd %%xmm8, %%xmm8\n\tpcmpeqd %%xmm9, %%xmm9\n\tpcmpeqd %%xmm10, %%xmm10\n\t"
			 "pcmpeqd %%xmm11, %%xmm11\n\tpcmpeqd %%xmm12, %%xmm12\n\tpcmpeqd %%xmm13, %%xmm13\n\t"
			 "pcmpeqd %%xmm14, %%xmm14\n\tmov $-1, %%rsi\n\tmov %%rsi, %%rdi\n\tmov %%rsi, %%r8\n\t"
			 "mov %%rsi, %%r9\n\tmov %%rsi, %%r10\n\tmov %%rsi, %%r11"
			 :
			 :
			 : "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
			   "xmm13", "xmm14", "rsi", "rdi", "r8", "r9", "r10", "r11");
#endif
}

static const struct ir_helper spoils = {"spoils", (void (*)(void))spoil, 0, IR_NONE, {0}, 0, 0};

static ir_val call(struct ir_region *r, unsigned helper, ir_val a, ir_val b)
{
	ir_val args[2] = {a, b};

	return ir_call(r, &machine_helper[helper], args, machine_helper[helper].nargs);
}

static ir_val number(struct ir_region *r, unsigned intrinsic, ir_val a, ir_val b)
{
	ir_val args[2] = {a, b};

	return ir_call(r, &machine_float[intrinsic - IR_FLOAT_FIRST], args, 2);
}

static void inside(struct ir_region *r, enum inside what, ir_val left)
{
	ir_val good = ir_const(r, IR_I64, RAM_BASE + 64), bad = ir_const(r, IR_I64, UINT64_C(1) << 60);
	struct ir_memop m = {.size = 8};

	switch (what) {
	case FAULT:
		good = ir_select(r, ir_bin(r, IR_EQ, left, ir_const(r, IR_I64, 2)), bad, good);
		/* fall through */
	case SLOW_LOAD:
		ir_set(r, OFF_STATE(8), ir_load(r, IR_I64, m, good));
		break;
	case LOOKS:
		ir_set(r, OFF_STATE(8), call(r, H_READ, good, good));
		break;
	case WRITES:
		call(r, H_WRITE, left, left);
		break;
	case PURE:
		ir_set(r, OFF_STATE(8), call(r, H_PURE, left, good));
		break;
	case SPOILS:
		ir_call(r, &spoils, NULL, 0);
		break;
	case POLL:
		call(r, H_REQUEST, left, left);
		break;
	default:
		break;
	}
}

/* A loop that counts down; sums of vectors and numbers before and behind what happens in it. */
static void make_loop(struct ir_region *r, enum inside what, bool vectors, bool numbers, bool zeroed)
{
	ir_block head, out;
	ir_val left;

	ir_region_init(r);
	r->base = RAM_BASE;
	ir_begin_block(r, ir_create_block(r));
	head = ir_create_block(r);
	out = ir_create_block(r);
	ir_insn(r, RAM_BASE);
	ir_set(r, OFF_COUNTER(0), ir_const(r, IR_I64, ROUNDS));
	if (zeroed)
		ir_set(r, NUMBER, ir_vconst(r, (u128)UINT64_C(0x4000000000000000) << 64));
	ir_jump(r, head);
	ir_begin_block(r, head);
	ir_insn(r, RAM_BASE + 4);
	ir_poll(r);
	left = ir_bin(r, IR_ADD, ir_get(r, IR_I64, OFF_COUNTER(0)), ir_const(r, IR_I64, UINT64_MAX));
	ir_set(r, OFF_COUNTER(0), left);
	if (vectors)
		ir_set(r, VECTOR,
		       ir_vbin(r, IR_VADD, 2, ir_get(r, IR_V128, VECTOR), ir_get(r, IR_V128, VECTOR2)));
	if (numbers)
		ir_set(r, NUMBER,
		       number(r, IR_FADD, ir_get(r, IR_I64, NUMBER), ir_get(r, IR_I64, NUMBER2)));
	ir_insn(r, RAM_BASE + 8);
	inside(r, what, left);
	ir_insn(r, RAM_BASE + 12);
	if (vectors)
		ir_set(r, VECTOR2, ir_bin(r, IR_VXOR, ir_get(r, IR_V128, VECTOR2), ir_get(r, IR_V128, VECTOR)));
	if (numbers)
		ir_set(r, NUMBER2,
		       ir_bin(r, IR_XOR, number(r, IR_FMUL, ir_get(r, IR_I64, NUMBER), ir_get(r, IR_I64, NUMBER2)),
			      ir_const(r, IR_I64, UINT64_C(1) << 63)));
	ir_br(r, ir_bin(r, IR_NE, left, ir_const(r, IR_I64, 0)), head, out);
	ir_begin_block(r, out);
	ir_insn(r, RAM_BASE + 16);
	/* A number as an integer, and in a vector. */
	if (numbers)
		ir_set(r, OFF_STATE(16), ir_bin(r, IR_ADD, ir_get(r, IR_I64, NUMBER), left));
	ir_exit_direct(r, RAM_BASE + 20);
}

static void reset(struct machine *m, uint64_t seed)
{
	static const double value[2] = {1.5, -0.75};

	machine_reset(m, seed);
	m->env.base = RAM_BASE;
	m->polls_left = 3;
	memcpy((uint8_t *)m + NUMBER, value, sizeof(value));
	/* a signalling NaN: by the helper */
	if (seed % 3 == 0)
		memcpy((uint8_t *)m + NUMBER2, &(uint64_t){UINT64_C(0x7ff4000000000001)}, 8);
}

static void check(struct ir_region *r, unsigned level, uint64_t seed)
{
	struct machine *a = machine_new(), *b = machine_new();
	struct jit *jit = jit_create(&layout, 1 << 20);
	uint32_t index[2] = {UINT32_MAX, UINT32_MAX};
	enum ir_leave leave[2];
	struct jit_code *c, *left = NULL;

	assert_null(ir_check(r));
	reset(a, seed);
	reset(b, seed);
	leave[0] = reference_run(r, &a->env, &index[0]);
	if (jit)
		jit_limit(jit, level);
	c = jit ? jit_compile(jit, r, RAM_BASE) : NULL;
	if (c) {
		leave[1] = jit_run(jit, c->entry, &b->env, &left, &index[1]);
		assert_int_equal(leave[0], leave[1]);
		assert_null(machine_differ(a, b));
		jit_free(jit, c);
	}
	jit_destroy(jit);
	machine_free(a);
	machine_free(b);
}

static void check_all(bool vectors, bool numbers, bool zeroed)
{
	for (enum inside what = NOTHING; what < INSIDE_COUNT; what++)
		for (unsigned level = 0; level < JIT_LEVELS; level++)
			for (unsigned n = 0; n < 12; n++) {
				struct ir_region r;

				make_loop(&r, what, vectors, numbers, zeroed);
				if (n & 1)
					ir_peel(&r, false);
				if (n & 2)
					ir_optimise(&r);
				check(&r, level, n);
				ir_region_destroy(&r);
			}
}

static void test_vectors(void **state)
{
	(void)state;
	check_all(true, false, false);
}

static void test_numbers(void **state)
{
	(void)state;
	check_all(false, true, false);
}

static void test_both(void **state)
{
	(void)state;
	check_all(true, true, false);
}

/* A vector constant is written to where two numbers are. */
static void test_halves(void **state)
{
	(void)state;
	check_all(true, true, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_halves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
