/*
 * Comparisons that compiled code does not write where they are made, in regions that look at flags in other pieces
 * than they were written in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ir_machine.h"
#include "jit/jit.h"

#define ROUNDS 5

struct loop {
	struct ir_region r;
	ir_block head, out;
	ir_val left;
	uint64_t with; /* counter[1] */
};

/* A loop that counts counter[0] down, with an IR_POLL at its head. */
static void begin(struct loop *l)
{
	struct ir_region *r = &l->r;

	l->with = 0;
	ir_region_init(r);
	r->base = RAM_BASE;
	ir_begin_block(r, ir_create_block(r));
	l->head = ir_create_block(r);
	l->out = ir_create_block(r);
}

static void head(struct loop *l)
{
	struct ir_region *r = &l->r;

	ir_insn(r, RAM_BASE);
	ir_set(r, OFF_COUNTER(0), ir_const(r, IR_I64, ROUNDS));
	ir_jump(r, l->head);
	ir_begin_block(r, l->head);
	ir_insn(r, RAM_BASE + 4);
	ir_poll(r);
	l->left = ir_bin(r, IR_ADD, ir_get(r, IR_I64, OFF_COUNTER(0)), ir_const(r, IR_I64, UINT64_MAX));
	ir_set(r, OFF_COUNTER(0), l->left);
}

static void compare(struct loop *l, unsigned field, uint64_t with)
{
	ir_set_bits(&l->r, OFF_FIELD(field),
		    ir_bin(&l->r, IR_CMP3S, l->left, ir_const(&l->r, IR_I64, with)), 9);
}

static void end(struct loop *l)
{
	struct ir_region *r = &l->r;

	ir_br(r, ir_bin(r, IR_NE, l->left, ir_const(r, IR_I64, 0)), l->head, l->out);
	ir_begin_block(r, l->out);
	ir_insn(r, RAM_BASE + 8);
	ir_exit_direct(r, RAM_BASE + 12);
}

static void check(struct loop *l)
{
	const struct jit_layout layout = {
		.jump = offsetof(struct machine, jump),
		.jump_mask = 1,
		.insn_align = 4,
		.pin_first = offsetof(struct machine, s),
		.pin_end = offsetof(struct machine, s) + sizeof(struct guest_state),
	};
	struct machine *a = machine_new(), *b = machine_new();
	struct jit *jit = jit_create(&layout, 1 << 20);
	struct jit_code *c, *left;
	uint32_t index;

	/* Then it is known in the rounds behind the first what flags are the result of. */
	ir_peel(&l->r, false);
	assert_null(ir_check(&l->r));
	machine_reset(a, 1);
	machine_reset(b, 1);
	memset(a->s.field, 0, sizeof(a->s.field));
	memset(b->s.field, 0, sizeof(b->s.field));
	a->s.counter[0] = b->s.counter[0] = ROUNDS;
	a->s.counter[1] = b->s.counter[1] = l->with;
	a->env.base = b->env.base = RAM_BASE;
	reference_run(&l->r, &a->env, &index);
	c = jit ? jit_compile(jit, &l->r, RAM_BASE) : NULL;
	if (c) {
		jit_run(jit, c->entry, &b->env, &left, &index);
		assert_memory_equal(a->s.field, b->s.field, sizeof(a->s.field));
		assert_memory_equal(a->s.mem, b->s.mem, sizeof(a->s.mem));
		jit_free(jit, c);
	}
	jit_destroy(jit);
	machine_free(a);
	machine_free(b);
	ir_region_destroy(&l->r);
}

/* Two cells of flags are read as one vector: the second is looked at, too. */
static void test_read_as_vector(void **state)
{
	struct loop l;

	(void)state;
	begin(&l);
	head(&l);
	compare(&l, 0, 2);
	compare(&l, 1, 3);
	ir_set(&l.r, OFF_STATE(0), ir_get(&l.r, IR_V128, OFF_FIELD(0)));
	end(&l);
	check(&l);
}

/* The half of a cell that holds no flags is written by itself: the other half is still what was compared. */
static void test_half_written(void **state)
{
	struct loop l;

	(void)state;
	begin(&l);
	head(&l);
	compare(&l, 1, 3);
	ir_set(&l.r, OFF_FIELD(1) + 4, ir_const(&l.r, IR_I32, 0));
	end(&l);
	check(&l);
}

/*
 * No loop: a comparison that the next one overwrites, unless the region is left by a branch on the same between the two, where
 * the host's flags are what it is made from.
 */
static void left_between(uint64_t with, enum ir_op op, bool swapped, uint64_t second)
{
	ir_block out, on;
	struct loop l;
	ir_val k;

	begin(&l);
	out = l.out;
	on = l.head;
	l.with = with;
	ir_insn(&l.r, RAM_BASE);
	l.left = ir_get(&l.r, IR_I64, OFF_COUNTER(0));
	k = ir_get(&l.r, IR_I64, OFF_COUNTER(1));
	ir_insn(&l.r, RAM_BASE + 8);
	ir_set_bits(&l.r, OFF_FIELD(0), ir_bin(&l.r, IR_CMP3S, l.left, k), 9);
	ir_insn(&l.r, RAM_BASE + 12);
	ir_br(&l.r, swapped ? ir_bin(&l.r, op, k, l.left) : ir_bin(&l.r, op, l.left, k), on, out);
	ir_begin_block(&l.r, on);
	ir_insn(&l.r, RAM_BASE + 16);
	ir_set(&l.r, OFF_STATE(8), ir_load(&l.r, IR_I64, (struct ir_memop){.size = 8},
					     ir_const(&l.r, IR_I64, RAM_BASE + 64)));
	ir_insn(&l.r, RAM_BASE + 20);
	compare(&l, 0, second);
	ir_exit_direct(&l.r, RAM_BASE + 24);
	ir_begin_block(&l.r, out);
	ir_insn(&l.r, RAM_BASE + 28);
	ir_exit_direct(&l.r, RAM_BASE + 64);
	check(&l);
}

static void test_left_between(void **state)
{
	static const enum ir_op op[] = {IR_EQ, IR_NE, IR_LTS, IR_LES, IR_LTU, IR_LEU};

	(void)state;
	for (unsigned n = 0; n < ARRAY_SIZE(op); n++)
		for (uint64_t with = ROUNDS - 1; with <= ROUNDS + 1; with++)
			for (unsigned swapped = 0; swapped < 2; swapped++)
				left_between(with, op[n], swapped, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_as_vector),
		cmocka_unit_test(test_half_written),
		cmocka_unit_test(test_left_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
