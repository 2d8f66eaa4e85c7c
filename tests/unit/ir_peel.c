/*
 * Loops whose first round, and some more, were given code of their own: they do what they did, and poll as often
 * as is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ir/op.h"
#include "ir_machine.h"

/* What a round does beside counting. */
enum work { ADDS, INDEXED, LOADS, CALLS, MUCH };

static const struct ir_memop byte = {.size = 1};

static void work(struct ir_region *r, enum work w)
{
	ir_val at = ir_get(r, IR_I64, OFF_COUNTER(1)), sum = ir_get(r, IR_I64, OFF_COUNTER(2)), x = at;

	switch (w) {
	case ADDS:
		break;
	case INDEXED:
		x = ir_load(r, IR_I64, byte, ir_bin(r, IR_ADD, at, ir_get(r, IR_I64, OFF_COUNTER(3))));
		break;
	case LOADS:
		x = ir_load(r, IR_I64, byte, at);
		break;
	case CALLS:
		x = ir_call(r, &machine_helper[H_EFFECT], NULL, 0);
		break;
	case MUCH:
		for (unsigned n = 0; n < 100; n++)
			x = ir_bin(r, IR_XOR, x, ir_const(r, IR_I64, n + 1));
		break;
	}
	ir_set(r, OFF_COUNTER(2), ir_bin(r, IR_ADD, sum, x));
	ir_set(r, OFF_COUNTER(1), ir_bin(r, IR_ADD, at, ir_const(r, IR_I64, 1)));
}

/* counter[0] rounds, which go through memory from page 0 on. */
static void make(struct ir_region *r, enum work w, uint64_t rounds)
{
	ir_block head, out;
	ir_val left;

	ir_region_init(r);
	r->base = RAM_BASE;
	ir_begin_block(r, ir_create_block(r));
	head = ir_create_block(r);
	out = ir_create_block(r);
	ir_insn(r, RAM_BASE);
	ir_set(r, OFF_COUNTER(0), ir_const(r, IR_I64, rounds));
	ir_set(r, OFF_COUNTER(1), ir_const(r, IR_I64, RAM_BASE + 1));
	ir_set(r, OFF_COUNTER(3), ir_const(r, IR_I64, 0));
	ir_jump(r, head);
	ir_begin_block(r, head);
	ir_insn(r, RAM_BASE + 4);
	ir_poll(r);
	work(r, w);
	ir_insn(r, RAM_BASE + 8);
	left = ir_bin(r, IR_ADD, ir_get(r, IR_I64, OFF_COUNTER(0)), ir_const(r, IR_I64, UINT64_MAX));
	ir_set(r, OFF_COUNTER(0), left);
	ir_br(r, left, head, out);
	ir_begin_block(r, out);
	ir_insn(r, RAM_BASE + 12);
	ir_exit_direct(r, RAM_BASE + 16);
	assert_null(ir_check(r));
}

static void test_polls(void **state)
{
	/* The loop itself, its first round, and those behind. */
	static const struct {
		enum work work;
		unsigned rounds, polls;
	} expected[] = {{ADDS, 9, 2}, {INDEXED, 9, 2}, {LOADS, 2, 2}, {CALLS, 2, 2}, {MUCH, 1, 1}};

	(void)state;
	for (unsigned n = 0; n < sizeof(expected) / sizeof(expected[0]); n++)
		for (unsigned all = 0; all < 2; all++) {
			struct ir_region r;

			make(&r, expected[n].work, 3);
			ir_peel(&r, all);
			assert_null(ir_check(&r));
			assert_int_equal(count_op(&r, IR_BR), expected[n].rounds);
			assert_int_equal(count_op(&r, IR_POLL), all ? expected[n].rounds : expected[n].polls);
			ir_region_destroy(&r);
		}
}

static void test_same(void **state)
{
	struct machine *a = machine_new(), *b = machine_new();

	(void)state;
	for (enum work w = ADDS; w <= MUCH; w++)
		for (uint64_t rounds = 1; rounds < 22; rounds++)
			for (unsigned optimise = 0; optimise < 3; optimise++) {
				struct ir_region r;
				uint32_t index;
				const char *differ;

				make(&r, w, rounds);
				machine_reset(a, 1);
				assert_int_equal(reference_run(&r, &a->env, &index), IR_LEAVE_DIRECT);
				ir_peel(&r, false);
				if (optimise == 1)
					ir_optimise(&r);
				else if (optimise == 2)
					ir_optimise_shared(&r);
				assert_null(ir_check(&r));
				machine_reset(b, 1);
				assert_int_equal(reference_run(&r, &b->env, &index), IR_LEAVE_DIRECT);
				differ = machine_differ(a, b);
				if (differ)
					fail_msg("%u, %u rounds: %s", w, (unsigned)rounds, differ);
				ir_region_destroy(&r);
			}
	machine_free(a);
	machine_free(b);
}

/* Who leaves from the middle with what was made there has no part in the loop, but goes with each round. */
static void test_way_out(void **state)
{
	struct machine *a = machine_new(), *b = machine_new();

	(void)state;
	for (uint64_t rounds = 1; rounds < 9; rounds++) {
		struct ir_region r;
		ir_block head, more, out, end;
		uint32_t index;
		ir_val v;

		ir_region_init(&r);
		ir_begin_block(&r, ir_create_block(&r));
		ir_insn(&r, 0xffc);
		ir_set(&r, OFF_COUNTER(1), ir_const(&r, IR_I64, 0));
		ir_set(&r, OFF_COUNTER(2), ir_const(&r, IR_I64, 12));
		head = ir_create_block(&r);
		more = ir_create_block(&r);
		out = ir_create_block(&r);
		end = ir_create_block(&r);
		ir_jump(&r, head);
		ir_begin_block(&r, head);
		ir_insn(&r, 0x1000);
		ir_poll(&r);
		ir_insn(&r, 0x1000);
		v = ir_bin(&r, IR_ADD, ir_get(&r, IR_I64, OFF_COUNTER(1)), ir_const(&r, IR_I64, 4));
		ir_set(&r, OFF_COUNTER(1), v);
		ir_br(&r, ir_bin(&r, IR_LTU, v, ir_const(&r, IR_I64, 4 * rounds)), more, out);
		ir_begin_block(&r, out);
		ir_insn(&r, 0x1004);
		ir_exit_indirect(&r, v);
		ir_begin_block(&r, more);
		ir_insn(&r, 0x1008);
		ir_br(&r, ir_bin(&r, IR_EQ, v, ir_get(&r, IR_I64, OFF_COUNTER(2))), end, head);
		ir_begin_block(&r, end);
		ir_insn(&r, 0x100c);
		ir_exit_direct(&r, 0x2000);
		for (unsigned n = 0; n < 2; n++) {
			struct machine *m = n ? b : a;

			machine_reset(m, 1);
			if (n)
				ir_peel(&r, false);
			assert_null(ir_check(&r));
			assert_int_equal(reference_run(&r, &m->env, &index),
					 rounds > 3 ? IR_LEAVE_DIRECT : IR_LEAVE_INDIRECT);
		}
		assert_true(count_op(&r, IR_EXIT_INDIRECT) > 1);
		assert_null(machine_differ(a, b));
		assert_int_equal(a->env.pc, b->env.pc);
		ir_region_destroy(&r);
	}
	machine_free(a);
	machine_free(b);
}

/* Can a block be come to again without a POLL in between? */
static bool comes_round(const struct ir_region *r, uint32_t from)
{
	uint32_t stack[64], depth = 0;
	bool seen[64] = {false};

	assert_true(r->nbb <= 64);
	stack[depth++] = from;
	while (depth) {
		const struct ir_bb *bb = &r->bb[stack[--depth]];
		uint32_t target[2];
		unsigned n = ir_targets(&r->inst[bb->first + bb->count - 1], target);
		bool polls = false;

		for (uint32_t id = bb->first; id < bb->first + bb->count; id++)
			polls |= r->inst[id].op == IR_POLL;
		for (unsigned t = 0; t < n && !polls; t++) {
			if (target[t] == from)
				return true;
			if (!seen[target[t]])
				stack[depth++] = target[t];
			seen[target[t]] = true;
		}
	}
	return false;
}

/* In a loop there is one that is entered at two places: it is no loop to peel, and each of the rounds around it polls in it. */
static void test_two_entries(void **state)
{
	(void)state;
	for (unsigned all = 0; all < 2; all++) {
		struct ir_region r;
		ir_block head, one, two, next, out;

		ir_region_init(&r);
		ir_begin_block(&r, ir_create_block(&r));
		ir_insn(&r, 0xffc);
		head = ir_create_block(&r);
		one = ir_create_block(&r);
		two = ir_create_block(&r);
		next = ir_create_block(&r);
		out = ir_create_block(&r);
		ir_jump(&r, head);
		ir_begin_block(&r, head);
		ir_insn(&r, 0x1000);
		ir_poll(&r);
		ir_br(&r, ir_get(&r, IR_I64, OFF_COUNTER(0)), two, one);
		ir_begin_block(&r, one);
		ir_insn(&r, 0x1004);
		ir_poll(&r);
		ir_jump(&r, two);
		ir_begin_block(&r, two);
		ir_insn(&r, 0x1008);
		ir_br(&r, ir_get(&r, IR_I64, OFF_COUNTER(1)), one, next);
		ir_begin_block(&r, next);
		ir_insn(&r, 0x100c);
		ir_br(&r, ir_get(&r, IR_I64, OFF_COUNTER(2)), head, out);
		ir_begin_block(&r, out);
		ir_insn(&r, 0x1010);
		ir_exit_direct(&r, 0x2000);
		ir_peel(&r, all);
		assert_null(ir_check(&r));
		assert_int_equal(count_op(&r, IR_BR), 27);
		for (uint32_t b = 0; b < r.nbb; b++)
			assert_false(comes_round(&r, b));
		ir_region_destroy(&r);
	}
}

/* Rings of nothing but jumps, which no front end makes: whatever is done to them, branches go to blocks that are there. */
static void test_only_jumps(void **state)
{
	enum { RING_MAX = 24 };

	(void)state;
	for (unsigned n = 1; n <= RING_MAX; n++)
		for (unsigned how = 0; how < 6; how++) {
			ir_block ring[RING_MAX], start;
			struct ir_region r;

			ir_region_init(&r);
			start = ir_create_block(&r);
			for (unsigned k = 0; k < n; k++)
				ring[k] = ir_create_block(&r);
			ir_begin_block(&r, start);
			ir_insn(&r, 0x1000);
			ir_br(&r, ir_get(&r, IR_I64, OFF_COUNTER(0)), ring[0], ring[n / 2]);
			for (unsigned k = 0; k < n; k++) {
				ir_begin_block(&r, ring[k]);
				ir_jump(&r, ring[(k + 1) % n]);
			}
			assert_null(ir_check(&r));
			if (how & 1)
				ir_peel(&r, false);
			assert_null(ir_check(&r));
			if (how / 2 == 0)
				ir_optimise(&r);
			else if (how / 2 == 1)
				ir_optimise_shared(&r);
			else
				ir_optimise_unshared(&r);
			if (ir_check(&r))
				fail_msg("%u blocks, %u: %s", n, how, ir_check(&r));
			ir_region_destroy(&r);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_polls),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_way_out),
		cmocka_unit_test(test_two_entries),
		cmocka_unit_test(test_only_jumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
