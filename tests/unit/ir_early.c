/*
 * Checks at the head of loops' blocks (ir/opt_early.c): where they are moved to, and that whoever meets memory that is not
 * in order there leaves with all state as it is before the first instruction that they stand at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ir/op.h"
#include "ir_machine.h"

#define HEAD (RAM_BASE + 4)

/* What the loop has beside sums and two accesses. */
enum shape {
	PLAIN,
	POINTER,  /* the second access is where the first one's value says */
	MOVED,    /* the second one's base is set before it, in the loop's block */
	PART,     /* of it a half is */
	CALL,     /* a helper between them may change translations */
	CHECKED,  /* the second must be aligned */
	FEW,      /* sums are hardly overwritten */
	OUTSIDE,  /* there is no loop */
	SHAPES
};

static const struct ir_memop wide = {.size = 8}, aligned = {.size = 8, .aligned = true};

static ir_val get(struct ir_region *r, unsigned n)
{
	return ir_get(r, IR_I64, OFF_COUNTER(n));
}

/* counter[n] := counter[n] + v, each time as an instruction of its own. */
static void sum(struct ir_region *r, uint64_t *pc, unsigned n, ir_val v)
{
	ir_insn(r, *pc += 4);
	ir_set(r, OFF_COUNTER(n), ir_bin(r, IR_ADD, get(r, n), v));
}

static void sums(struct ir_region *r, uint64_t *pc, enum shape shape)
{
	for (unsigned n = 0; n < (shape == FEW ? 2 : 4); n++)
		sum(r, pc, 4 + n, get(r, (4 + (n + 1) % 4)));
}

static void body(struct ir_region *r, uint64_t *pc, enum shape shape)
{
	ir_val base, loaded;

	sums(r, pc, shape);
	ir_insn(r, *pc += 4);
	loaded = ir_load(r, IR_I64, wide, ir_bin(r, IR_ADD, get(r, 1), ir_const(r, IR_I64, 8)));
	ir_set(r, OFF_COUNTER(3), loaded);
	sums(r, pc, shape);
	if (shape == CALL) {
		ir_insn(r, *pc += 4);
		ir_set(r, OFF_COUNTER(3), ir_call(r, &machine_helper[H_EFFECT], NULL, 0));
	}
	if (shape == MOVED) {
		ir_insn(r, *pc += 4);
		ir_set(r, OFF_COUNTER(2), ir_bin(r, IR_AND, get(r, 2), ir_const(r, IR_I64, ~UINT64_C(7))));
	}
	if (shape == PART) {
		ir_insn(r, *pc += 4);
		ir_set(r, OFF_COUNTER(2), ir_un(r, IR_TRUNC32, ir_bin(r, IR_OR, get(r, 2), ir_const(r, IR_I64, 1))));
	}
	ir_insn(r, *pc += 4);
	base = shape == POINTER ? ir_bin(r, IR_OR, get(r, 2), ir_bin(r, IR_AND, get(r, 3), ir_const(r, IR_I64, 8))) :
				  get(r, 2);
	ir_store(r, shape == CHECKED ? aligned : wide, base, get(r, 4));
	sums(r, pc, shape);
	ir_insn(r, *pc += 4);
	ir_set(r, OFF_COUNTER(1), ir_bin(r, IR_ADD, get(r, 1), ir_const(r, IR_I64, 8)));
}

/* counter[0] rounds; counter[1] and counter[2] say where the accesses are. */
static void make(struct ir_region *r, enum shape shape)
{
	ir_block head, out;
	uint64_t pc = HEAD;
	ir_val left;

	ir_region_reset(r);
	r->base = RAM_BASE;
	head = ir_create_block(r);
	out = ir_create_block(r);
	ir_begin_block(r, head);
	ir_insn(r, HEAD);
	ir_poll(r);
	body(r, &pc, shape);
	ir_insn(r, pc += 4);
	left = ir_bin(r, IR_ADD, get(r, 0), ir_const(r, IR_I64, UINT64_MAX));
	ir_set(r, OFF_COUNTER(0), left);
	if (shape == OUTSIDE)
		ir_jump(r, out);
	else
		ir_br(r, left, head, out);
	ir_begin_block(r, out);
	ir_insn(r, pc += 4);
	ir_exit_direct(r, pc + 4);
	assert_null(ir_check(r));
}

/* PROBEs without an access of their own; all of them stand before anything is done. */
static unsigned early(const struct ir_region *r)
{
	unsigned count = 0;
	bool done = false;

	for (uint32_t id = 0; id < r->ninst; id++) {
		const struct ir_inst *i = &r->inst[id];

		done |= i->op == IR_SET || i->op == IR_LOAD_HOST || i->op == IR_STORE_HOST;
		if (i->op != IR_PROBE || ir_probe_of(i->imm, i->aux).size)
			continue;
		assert_false(done);
		count++;
	}
	return count;
}

static void test_shapes(void **state)
{
	static const unsigned expected[SHAPES] = {
		[PLAIN] = 2, [POINTER] = 1, [MOVED] = 2, [PART] = 1, [CALL] = 1, [CHECKED] = 1, [FEW] = 0, [OUTSIDE] = 0};
	struct ir_region r;

	(void)state;
	ir_region_init(&r);
	for (enum shape s = PLAIN; s < SHAPES; s++) {
		make(&r, s);
		ir_optimise_shared(&r);
		assert_null(ir_check(&r));
		if (early(&r) != expected[s])
			fail_msg("shape %u: %u, not %u", s, early(&r), expected[s]);
	}
	/* Four sums, two addresses or what was loaded, and the rounds: each once. */
	make(&r, PLAIN);
	ir_optimise_shared(&r);
	assert_int_equal(count_op(&r, IR_SET), 4 + 2 + 1);
	assert_int_equal(count_op(&r, IR_LOAD_HOST) + count_op(&r, IR_STORE_HOST), 2);
	ir_region_destroy(&r);
}

static void start(struct machine *m, uint64_t rounds, uint64_t first, uint64_t second)
{
	machine_reset(m, 1);
	m->s.counter[0] = rounds;
	m->s.counter[1] = first;
	m->s.counter[2] = second;
}

/* As the region was made, as far as the other one got; x: how that one left. */
static void run_made(struct ir_region *r, enum shape s, struct machine *m, enum ir_leave *x)
{
	uint64_t insns = reference_insns - 1;
	uint32_t index;

	make(r, s);
	*x = *x == IR_LEAVE_UNSHARED ? reference_run_to(r, &m->env, &index, insns) : reference_run(r, &m->env, &index);
}

static void test_same(void **state)
{
	static const uint64_t place[] = {
		PAGE_ADDR(PAGE_RW0) + 64, PAGE_ADDR(PAGE_RW1) - 24, PAGE_ADDR(PAGE_RO) - 36, PAGE_ADDR(PAGE_RO) + 256,
		PAGE_ADDR(PAGE_CODE) + 8, PAGE_ADDR(PAGE_RW4) + 3,  PAGE_ADDR(PAGE_NONE) - 40,
	};
	struct machine *a = machine_new(), *b = machine_new();
	unsigned refused = 0, whole = 0;
	struct ir_region r;

	(void)state;
	ir_region_init(&r);
	for (enum shape s = PLAIN; s < SHAPES; s++)
		for (unsigned n = 0; n < ARRAY_SIZE(place) * ARRAY_SIZE(place); n++) {
			uint64_t first = place[n % ARRAY_SIZE(place)], second = place[n / ARRAY_SIZE(place)];
			enum ir_leave x, y;
			const char *differ;
			uint32_t index;

			make(&r, s);
			ir_optimise_shared(&r);
			start(b, 6, first, second);
			x = y = reference_run(&r, &b->env, &index);
			refused += y == IR_LEAVE_UNSHARED;
			whole += y == IR_LEAVE_DIRECT;
			start(a, 6, first, second);
			run_made(&r, s, a, &x);
			differ = machine_differ(a, b);
			if (differ || x != y)
				fail_msg("shape %u, %u: left %u and %u: %s", s, n, x, y, differ ? differ : "alike");
		}
	assert_true(refused > SHAPES && whole > SHAPES);
	machine_free(a);
	machine_free(b);
	ir_region_destroy(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
