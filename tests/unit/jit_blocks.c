/*
 * Blocks that only leave: whoever branches to one may leave from where he is, if nobody else goes there. Blocks that are never
 * reached, which the optimiser would remove, do not count, and there is no code of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ir_machine.h"
#include "jit/jit.h"

static const struct jit_layout layout = {
	.jump = offsetof(struct machine, jump),
	.jump_mask = 1,
	.insn_align = 4,
	.pin_first = offsetof(struct machine, s),
	.pin_end = offsetof(struct machine, s) + sizeof(struct guest_state),
	.vec_first = offsetof(struct machine, s.flag),
	.vec_end = offsetof(struct machine, s.flag),
};

/* Two ways out, to one of which a block that is never reached branches, too; behind code of some length. */
static void make(struct ir_region *r, unsigned before)
{
	ir_block block[5];
	ir_val v;

	ir_region_init(r);
	r->base = RAM_BASE;
	for (unsigned n = 0; n < 5; n++)
		block[n] = ir_create_block(r);
	ir_begin_block(r, block[0]);
	ir_insn(r, RAM_BASE);
	/* of seven bytes each, so that the branch comes to lie anywhere in a doubleword */
	v = ir_get(r, IR_I64, OFF_STATE(0));
	for (unsigned n = 0; n < before; n++)
		ir_set(r, OFF_FAR(8 * n), v);
	ir_br(r, ir_get(r, IR_I64, OFF_COUNTER(0)), block[2], block[3]);
	ir_begin_block(r, block[1]);
	ir_insn(r, RAM_BASE + 4);
	v = ir_get(r, IR_I64, OFF_COUNTER(1));
	ir_br(r, v, block[2], block[4]);
	ir_begin_block(r, block[4]);
	ir_insn(r, RAM_BASE + 8);
	ir_set(r, OFF_COUNTER(2), v);
	ir_exit_direct(r, RAM_BASE + 0x40);
	for (unsigned n = 2; n < 4; n++) {
		ir_begin_block(r, block[n]);
		ir_insn(r, RAM_BASE + 8 + 4 * n);
		ir_exit_direct(r, RAM_BASE + 0x100 * n);
	}
	assert_null(ir_check(r));
}

static void test_unreached(void **state)
{
	struct machine *a = machine_new(), *b = machine_new();
	struct jit *jit = jit_create(&layout, 1 << 20);

	(void)state;
	for (unsigned n = 0; jit && n < 64; n++) {
		uint32_t index[2] = {UINT32_MAX, UINT32_MAX};
		struct jit_code *c, *left = NULL;
		enum ir_leave leave[2];
		struct ir_region r;

		make(&r, n / 4);
		jit_limit(jit, n % JIT_LEVELS);
		c = jit_compile(jit, &r, RAM_BASE);
		assert_non_null(c);
		machine_reset(a, n);
		machine_reset(b, n);
		a->env.base = b->env.base = RAM_BASE;
		a->s.counter[0] = b->s.counter[0] = n & 1;
		leave[0] = reference_run(&r, &a->env, &index[0]);
		leave[1] = jit_run(jit, c->entry, &b->env, &left, &index[1]);
		assert_int_equal(leave[0], leave[1]);
		assert_int_equal(index[0], index[1]);
		assert_null(machine_differ(a, b));
		jit_free(jit, c);
		ir_region_destroy(&r);
	}
	jit_destroy(jit);
	machine_free(a);
	machine_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_unreached)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
