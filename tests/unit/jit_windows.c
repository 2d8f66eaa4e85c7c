/*
 * Loops that step through memory, whose windows of the TLB are in host registers, with so much guest state besides that not
 * all of it can be: what is written before such a loop, and not named in it, goes back to memory, and what is written only on
 * one way to where it is seen is loaded on the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ir/op.h"
#include "ir_machine.h"
#include "jit/jit.h"

#define S(n) OFF_STATE(8 * (n))

enum { BASE = 7, VALUE, STEP, LIMIT, WHICH, FROM = 14 };

static const struct jit_layout layout = {
	.jump = offsetof(struct machine, jump),
	.jump_mask = 1,
	.insn_align = 4,
	.pin_first = offsetof(struct machine, s),
	.pin_end = offsetof(struct machine, s) + sizeof(struct guest_state),
	.vec_first = offsetof(struct machine, s.flag),
	.vec_end = offsetof(struct machine, s.flag),
};

enum beside { NOTHING, WRITES, POLLS, BESIDES };

static struct ir_region r;
static uint64_t pc;

static ir_val get(unsigned n)
{
	return ir_get(&r, IR_I64, S(n));
}

static ir_val k64(uint64_t v)
{
	return ir_const(&r, IR_I64, v);
}

static void insn(void)
{
	ir_insn(&r, pc);
	pc += 4;
}

static void add(unsigned to, ir_val v)
{
	insn();
	ir_set(&r, S(to), ir_bin(&r, IR_ADD, get(to), v));
}

static ir_block begin_block(ir_block b)
{
	ir_begin_block(&r, b);
	insn();
	return b;
}

static void beside(enum beside what)
{
	ir_val args[2] = {get(VALUE), get(STEP)};
	const struct ir_helper *h = &machine_helper[what == WRITES ? H_WRITE : H_REQUEST];

	insn();
	if (what != NOTHING)
		ir_call(&r, h, args, h->nargs);
}

/* Stores at base + index, while the index is below a limit. */
static void first_loop(ir_block head, ir_block out, unsigned size, enum beside what)
{
	begin_block(head);
	ir_poll(&r);
	insn();
	ir_store(&r, (struct ir_memop){.size = size}, ir_bin(&r, IR_ADD, get(BASE), get(6)), get(VALUE));
	add(6, get(STEP));
	beside(what);
	insn();
	ir_br(&r, ir_bin(&r, IR_LTU, get(6), get(LIMIT)), head, out);
}

/* Counts and sums up what it loads. */
static void second_loop(ir_block head, ir_block out, unsigned size, bool down)
{
	ir_val v, zeros;

	begin_block(head);
	ir_poll(&r);
	insn();
	v = ir_load(&r, IR_I64, (struct ir_memop){.size = size}, get(FROM));
	ir_set(&r, S(3), v);
	add(FROM, k64(down ? -(uint64_t)size : size));
	add(0, get(3));
	insn();
	/* as a guest asks whether a word is zero */
	zeros = ir_un(&r, IR_ZEXT32, ir_un(&r, IR_CLZ, ir_un(&r, IR_TRUNC32, get(3))));
	ir_set(&r, S(2), ir_extract(&r, zeros, 5, 27));
	add(1, get(2));
	insn();
	ir_set(&r, OFF_COUNTER(0), ir_bin(&r, IR_ADD, ir_get(&r, IR_I64, OFF_COUNTER(0)), k64(UINT64_MAX)));
	insn();
	ir_br(&r, ir_get(&r, IR_I64, OFF_COUNTER(0)), head, out);
}

static void make(unsigned size, bool down, enum beside what)
{
	ir_block block[6];

	ir_region_init(&r);
	r.base = RAM_BASE;
	pc = RAM_BASE;
	for (unsigned n = 0; n < 6; n++)
		block[n] = ir_create_block(&r);
	begin_block(block[0]);
	for (unsigned n = 0; n < 6; n++)
		add(n, k64(n + 1));
	insn();
	ir_set(&r, S(6), k64(0));
	insn();
	ir_jump(&r, block[1]);
	first_loop(block[1], block[2], size, what);
	begin_block(block[2]);
	ir_br(&r, ir_bin(&r, IR_AND, get(WHICH), k64(1)), block[3], block[5]);
	begin_block(block[3]);
	ir_set(&r, OFF_COUNTER(0), k64(40));
	insn();
	ir_jump(&r, block[4]);
	second_loop(block[4], block[5], size, down);
	begin_block(block[5]);
	add(5, get(0));
	insn();
	ir_exit_direct(&r, RAM_BASE + 0x800);
	assert_null(ir_check(&r));
}

static void set(struct machine *m, unsigned n, uint64_t v)
{
	memcpy(&m->s.mem[8 * n], &v, sizeof(v));
}

static void reset(struct machine *m, uint64_t seed)
{
	static const uint64_t steps[] = {1, 8, 24, 500, 4096, (uint64_t)-8};
	static const uint64_t limits[] = {1, 100, 5000, 9000, 30000};

	machine_reset(m, seed);
	m->env.base = RAM_BASE;
	m->polls_left = seed % 7 ? 1000 : 4;
	set(m, BASE, PAGE_ADDR(seed % 5) + 61 * (seed % 67));
	set(m, STEP, steps[seed % ARRAY_SIZE(steps)]);
	set(m, LIMIT, limits[seed / 3 % ARRAY_SIZE(limits)]);
	set(m, WHICH, seed / 2);
	set(m, FROM, PAGE_ADDR(seed / 5 % 5) + 4096 - 8 * (seed % 30));
}

static bool has_windows(void)
{
	for (uint32_t id = 0; id < r.ninst; id++)
		if ((r.inst[id].op == IR_LOAD || r.inst[id].op == IR_STORE) &&
		    ir_window_of(r.inst[id].imm, (enum ir_op)r.inst[id].op))
			return true;
	return false;
}

/* The code as the optimiser makes it, against the region as it was. */
static void check(unsigned size, bool down, enum beside what, unsigned level, bool peel)
{
	struct machine *a = machine_new(), *b = machine_new();
	struct jit *jit = jit_create(&layout, 1 << 20);
	struct jit_code *c = NULL, *left = NULL;
	struct ir_region plain;

	make(size, down, what);
	plain = r;
	make(size, down, what);
	if (peel)
		ir_peel(&r, false);
	ir_optimise_shared(&r);
	assert_null(ir_check(&r));
	assert_true(what == WRITES || has_windows());
	if (jit) {
		jit_limit(jit, level);
		c = jit_compile(jit, &r, RAM_BASE);
		assert_non_null(c);
	}
	for (uint64_t seed = 0; c && seed < 60; seed++) {
		uint32_t index[2] = {UINT32_MAX, UINT32_MAX};
		enum ir_leave leave[2];

		reset(a, seed);
		reset(b, seed);
		leave[0] = reference_run(&plain, &a->env, &index[0]);
		leave[1] = jit_run(jit, c->entry, &b->env, &left, &index[1]);
		/* Polls in a row are spared, so that is left elsewhere. */
		if (leave[1] == IR_LEAVE_UNSHARED || leave[0] == IR_LEAVE_POLL || leave[1] == IR_LEAVE_POLL)
			continue;
		assert_int_equal(leave[0], leave[1]);
		assert_null(machine_differ(a, b));
	}
	if (c)
		jit_free(jit, c);
	jit_destroy(jit);
	machine_free(a);
	machine_free(b);
	ir_region_destroy(&r);
	ir_region_destroy(&plain);
}

static void check_all(enum beside what)
{
	for (unsigned level = 0; level < JIT_LEVELS; level++)
		for (unsigned n = 0; n < 16; n++)
			check(1u << (n & 3), n & 4, what, level, n & 8);
}

static void test_stepping(void **state)
{
	(void)state;
	check_all(NOTHING);
}

/* A helper changes all guest state, pins among it. */
static void test_helpers(void **state)
{
	(void)state;
	check_all(WRITES);
}

static void test_polls(void **state)
{
	(void)state;
	check_all(POLLS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stepping),
		cmocka_unit_test(test_helpers),
		cmocka_unit_test(test_polls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
