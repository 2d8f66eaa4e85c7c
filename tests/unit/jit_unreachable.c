/*
 * Blocks that nothing leads to any more, as the optimiser leaves them when it takes their last way: what may fault there is of no
 * guest instruction. The region is lowered and compiled as if they were not there, at whatever address.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ir_machine.h"
#include "jit/jit.h"

#define BASE UINT64_C(0xc000000000200000)
#define EXIT (BASE + 0x100)

static const struct ir_memop word = {.size = 8};

/* A SET, an exit, and behind it the rest of an instruction whose beginning is gone. */
static void begin(struct ir_region *r)
{
	ir_region_init(r);
	r->base = BASE;
	ir_begin_block(r, ir_create_block(r));
	ir_insn(r, BASE + 4);
	ir_store(r, word, ir_const(r, IR_I64, PAGE_ADDR(PAGE_RW0)), ir_get(r, IR_I64, OFF_STATE(0)));
	ir_set(r, OFF_STATE(8), ir_const(r, IR_I64, 5));
	ir_exit_direct(r, EXIT);
	ir_begin_block(r, ir_create_block(r));
}

static void check(struct ir_region *r)
{
	const struct jit_layout layout = {.jump = offsetof(struct machine, jump), .jump_mask = 1, .insn_align = 4};
	struct machine *m = machine_new();
	struct jit *jit = jit_create(&layout, 1 << 20);
	struct jit_code *c, *left;
	struct ir_code *text;
	uint32_t index;

	ir_exit_resume(r);
	assert_null(ir_check(r));
	machine_reset(m, 1);
	m->env.base = BASE;
	text = ir_lower(r);
	assert_non_null(text);
	assert_int_equal(ir_interp(text, &m->env, &index), IR_LEAVE_DIRECT);
	assert_int_equal(m->env.pc, EXIT);
	ir_code_free(text);
	if (jit) {
		c = jit_compile(jit, r, BASE + 4);
		assert_non_null(c);
		memset(m->s.mem, 0, sizeof(m->s.mem));
		m->env.pc = 0;
		assert_int_equal(jit_run(jit, c->entry, &m->env, &left, &index), IR_LEAVE_DIRECT);
		assert_int_equal(m->env.pc, EXIT);
		assert_int_equal(m->s.mem[8], 5);
		jit_free(jit, c);
	}
	jit_destroy(jit);
	machine_free(m);
	ir_region_destroy(r);
}

static void test_access(void **state)
{
	struct ir_region r;

	(void)state;
	begin(&r);
	ir_set(&r, OFF_STATE(16), ir_load(&r, IR_I64, word, ir_get(&r, IR_I64, OFF_STATE(0))));
	check(&r);
}

static void test_call(void **state)
{
	struct ir_region r;
	ir_val a[4];

	(void)state;
	begin(&r);
	for (unsigned n = 0; n < 4; n++)
		a[n] = ir_get(&r, IR_I64, OFF_STATE(8 * n));
	ir_call(&r, &machine_helper[H_FAULT_VOID], a, 4);
	check(&r);
}

static void test_atomic(void **state)
{
	struct ir_region r;

	(void)state;
	begin(&r);
	ir_rmw(&r, IR_RMW_ADD, word, ir_get(&r, IR_I64, OFF_STATE(0)), ir_get(&r, IR_I64, OFF_STATE(8)));
	check(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_access),
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_atomic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
