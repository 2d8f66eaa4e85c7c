/*
 * The builder, the printer, and what ir_check finds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir_machine.h"

static struct ir_region r;

#define OFF OFF_STATE(0)

static int setup(void **state)
{
	(void)state;
	ir_region_init(&r);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ir_region_destroy(&r);
	return 0;
}

static void begin(void)
{
	ir_region_reset(&r);
	ir_begin_block(&r, ir_create_block(&r));
	ir_insn(&r, 0x1000);
}

static ir_val c64(uint64_t v)
{
	return ir_const(&r, IR_I64, v);
}

static void test_types(void **state)
{
	ir_val a, w, v;

	(void)state;
	begin();
	a = ir_get(&r, IR_I64, OFF);
	w = ir_un(&r, IR_TRUNC32, a);
	v = ir_bin(&r, IR_VMAKE, a, a);
	assert_int_equal(ir_type_of(&r, w), IR_I32);
	assert_int_equal(ir_type_of(&r, v), IR_V128);
	assert_int_equal(ir_type_of(&r, ir_un(&r, IR_VHI, v)), IR_I64);
	assert_int_equal(ir_type_of(&r, ir_un(&r, IR_SEXT32, w)), IR_I64);
	assert_int_equal(ir_type_of(&r, ir_un(&r, IR_NOT, w)), IR_I32);
	assert_int_equal(ir_type_of(&r, ir_bin(&r, IR_LTU, w, w)), IR_I64);
	assert_int_equal(ir_type_of(&r, ir_select(&r, a, v, v)), IR_V128);
	assert_int_equal(ir_type_of(&r, ir_addcarry(&r, w, w, a)), IR_I64);
	assert_int_equal(ir_type_of(&r, ir_extract(&r, w, 1, 2)), IR_I32);
	assert_int_equal(ir_type_of(&r, ir_vbin(&r, IR_VADD, 2, v, v)), IR_V128);
	assert_true(ir_block_open(&r));
	ir_exit_direct(&r, 0);
	assert_false(ir_block_open(&r));
	assert_null(ir_check(&r));
	assert_int_equal(r.nexit, 1);
}

static void test_memop(void **state)
{
	struct ir_memop m = {.size = 4, .big_endian = true, .sign_extend = true, .aligned = true};
	struct ir_memop n;

	(void)state;
	begin();
	n = ir_memop_of(&r.inst[ir_load(&r, IR_I64, m, c64(0)).id]);
	assert_memory_equal(&m, &n, sizeof(m));
	m = (struct ir_memop){.size = 1};
	n = ir_memop_of(&r.inst[ir_load(&r, IR_I64, m, c64(0)).id]);
	assert_memory_equal(&m, &n, sizeof(m));
}

/* Of many thousands, all are there. */
static void test_growth(void **state)
{
	(void)state;
	begin();
	for (unsigned k = 0; k < 10000; k++)
		assert_int_equal(c64(k).id, k + 1);
	for (unsigned k = 0; k < 10000; k++)
		assert_int_equal(r.inst[k + 1].imm, k);
	for (unsigned k = 1; k < 1000; k++)
		assert_int_equal(ir_create_block(&r).id, k);
	ir_exit_direct(&r, 0);
	assert_false(r.failed);
	assert_null(ir_check(&r));
}

static void test_polls(void **state)
{
	uint32_t first = r.ninst;

	(void)state;
	begin();
	first = r.ninst;
	ir_poll(&r); /* behind the mark, nothing done: at this one */
	ir_set(&r, OFF, c64(1));
	ir_poll(&r); /* at the next */
	ir_poll(&r);
	ir_insn(&r, 0x1004);
	ir_poll(&r);
	ir_exit_direct(&r, 0);
	assert_null(ir_check(&r));
	assert_int_equal(r.inst[first].imm, 0x1000);
	assert_int_equal(r.inst[first + 3].imm, 0x1004);
	assert_int_equal(r.inst[first + 4].imm, 0x1004);
	assert_int_equal(r.inst[first + 6].imm, 0x1004);
	begin();
	ir_set(&r, OFF, c64(1));
	ir_poll(&r);
	ir_exit_direct(&r, 0);
	assert_string_equal(ir_check(&r), "a poll with no instruction to go on at");
}

static void test_print(void **state)
{
	static const char want[] = "b0:\n"
				   "  insn 0x1000\n"
				   "    %1 = get.i64 [0x1010] bits 1\n"
				   "    %2 = const.i32 0xffffffff\n"
				   "    %3 = zext32.i64 %2\n"
				   "    %4 = add.i64 %1, %3\n"
				   "    %5 = load.i64 s16be %4\n"
				   "    store.i32 u32le aligned %4, %2\n"
				   "    %7 = extract.i64 4+8 %5\n"
				   "    %8 = vdup.v128.16 %7\n"
				   "    %9 = call.i64 pure %5, %7\n"
				   "    set.i64 [0x1018] %9\n"
				   "    %11 = rmw.i64 maxs u64le %4, %9\n"
				   "    br %11, b2, b1\n"
				   "b1:\n"
				   "    exit_indirect %9\n"
				   "b2:\n"
				   "    poll 0x1004\n"
				   "  insn 0x1004\n"
				   "    exit_direct 0x2000 (exit 0)\n";
	struct ir_memop m = {.size = 2, .big_endian = true, .sign_extend = true};
	ir_val a, b, v, args[2];
	ir_block b1, b2;
	char *text = NULL;
	size_t size = 0;
	FILE *f;

	(void)state;
	begin();
	a = ir_get_bits(&r, IR_I64, 0x1010, 1);
	b = ir_const(&r, IR_I32, UINT64_MAX);
	a = ir_bin(&r, IR_ADD, a, ir_un(&r, IR_ZEXT32, b));
	args[0] = ir_load(&r, IR_I64, m, a);
	ir_store(&r, (struct ir_memop){.size = 4, .aligned = true}, a, b);
	args[1] = ir_extract(&r, args[0], 4, 8);
	ir_vun(&r, IR_VDUP, 1, args[1]);
	v = ir_call(&r, &machine_helper[H_PURE], args, 2);
	ir_set(&r, 0x1018, v);
	b1 = ir_create_block(&r);
	b2 = ir_create_block(&r);
	ir_br(&r, ir_rmw(&r, IR_RMW_MAXS, (struct ir_memop){.size = 8}, a, v), b2, b1);
	ir_begin_block(&r, b1);
	ir_exit_indirect(&r, v);
	ir_begin_block(&r, b2);
	ir_poll(&r);
	ir_insn(&r, 0x1004);
	ir_exit_direct(&r, 0x2000);
	f = open_memstream(&text, &size);
	ir_print(&r, f);
	fclose(f);
	assert_string_equal(text, want);
	free(text);
}

/* What is wrong with it, once the block has an end. */
static const char *verdict(void)
{
	ir_exit_direct(&r, 0);
	return ir_check(&r);
}

static void test_check_shape(void **state)
{
	ir_block b;

	(void)state;
	ir_region_reset(&r);
	assert_string_equal(ir_check(&r), "the region is empty");
	begin();
	assert_string_equal(ir_check(&r), "the last block has no end");
	begin();
	b = ir_create_block(&r);
	ir_jump(&r, b);
	assert_string_equal(ir_check(&r), "a branch to a block that was never begun");
	/* A loop to the entry is none the worse for that. */
	begin();
	ir_jump(&r, (ir_block){0});
	assert_null(ir_check(&r));
	begin();
	assert_null(verdict());
	r.bb[0].count--;
	assert_non_null(ir_check(&r));
	r.bb[0].count++;
	r.inst[0].op = IR_EXIT_RESUME;
	assert_string_equal(ir_check(&r), "a block without an end, or with one in its middle");
}

static void test_check_operands(void **state)
{
	ir_val a;
	ir_block yes, no;

	(void)state;
	begin();
	a = ir_get(&r, IR_I64, OFF);
	ir_bin(&r, IR_ADD, a, a);
	r.inst[a.id + 1].arg[1] = a.id + 1;
	assert_string_equal(verdict(), "an operand that is not defined before its use");
	begin();
	a = ir_get(&r, IR_I64, OFF);
	ir_bin(&r, IR_ADD, a, a);
	r.inst[a.id + 1].arg[1] = 0;
	assert_string_equal(verdict(), "an operand that has no value");
	begin();
	a = ir_get(&r, IR_I32, OFF);
	ir_bin(&r, IR_ADD, a, a);
	r.inst[a.id].type = IR_I64;
	assert_string_equal(verdict(), "an operand of the wrong type");
	/* A value of one of two ways, used behind their meeting. */
	begin();
	yes = ir_create_block(&r);
	no = ir_create_block(&r);
	ir_br(&r, c64(1), yes, no);
	ir_begin_block(&r, yes);
	a = ir_get(&r, IR_I64, OFF);
	ir_jump(&r, no);
	ir_begin_block(&r, no);
	ir_set(&r, OFF, a);
	assert_string_equal(verdict(), "an operand from a block that does not always run before");
}

static void test_check_imm(void **state)
{
	ir_val a;

	(void)state;
	begin();
	a = ir_get(&r, IR_I64, OFF);
	r.inst[a.id].imm = OFF + 4;
	assert_string_equal(verdict(), "guest state at an offset that is not aligned");
	begin();
	a = ir_get(&r, IR_I64, OFF);
	r.inst[a.id].imm = 16;
	assert_string_equal(verdict(), "guest state at an offset that is the executor's");
	begin();
	ir_extract(&r, ir_get(&r, IR_I32, OFF), 0, 32);
	r.inst[2].imm = 1 | 32 << 8;
	assert_string_equal(verdict(), "a field that does not lie in its value");
	begin();
	ir_load(&r, IR_I64, (struct ir_memop){.size = 3}, c64(0));
	assert_string_equal(verdict(), "a memory access has a size that is not 1, 2, 4, 8 or 16");
	begin();
	ir_load(&r, IR_I64, (struct ir_memop){.size = 16}, c64(0));
	assert_string_equal(verdict(),
			    "a memory access of 16 bytes and its type do not go together");
	begin();
	ir_load(&r, IR_I32, (struct ir_memop){.size = 8}, c64(0));
	assert_string_equal(verdict(), "a memory access is wider than its value");
}

static void test_check_exceptions(void **state)
{
	const struct ir_memop m = {.size = 8};
	ir_block b, c;
	ir_val a;

	(void)state;
	begin();
	ir_set(&r, OFF, c64(1));
	ir_load(&r, IR_I64, m, c64(0));
	assert_string_equal(verdict(), "an instruction that may fault after a SET of the same "
				       "guest instruction");
	/* In the next one it may, and where partial results may stay. */
	begin();
	ir_set(&r, OFF, c64(1));
	ir_insn(&r, 0x1004);
	ir_load(&r, IR_I64, m, c64(0));
	assert_null(verdict());
	begin();
	ir_insn_partial(&r, 0x1004);
	ir_set(&r, OFF, c64(1));
	ir_load(&r, IR_I64, m, c64(0));
	assert_null(verdict());
	/* The instruction goes on in other blocks. */
	begin();
	b = ir_create_block(&r);
	a = c64(1);
	ir_set(&r, OFF, a);
	ir_br(&r, a, b, b);
	ir_begin_block(&r, b);
	ir_load(&r, IR_I64, m, a);
	assert_non_null(verdict());
	/* Which instruction is it? */
	begin();
	b = ir_create_block(&r);
	c = ir_create_block(&r);
	a = c64(1);
	ir_br(&r, a, b, c);
	ir_begin_block(&r, b);
	ir_insn(&r, 0x1004);
	ir_jump(&r, c);
	ir_begin_block(&r, c);
	ir_load(&r, IR_I64, m, a);
	assert_string_equal(verdict(), "an instruction that may fault, and no guest instruction");
	ir_region_reset(&r);
	ir_begin_block(&r, ir_create_block(&r));
	ir_load(&r, IR_I64, m, c64(0));
	assert_string_equal(verdict(), "an instruction that may fault, and no guest instruction");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_memop),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_polls),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_check_shape),
		cmocka_unit_test(test_check_operands),
		cmocka_unit_test(test_check_imm),
		cmocka_unit_test(test_check_exceptions),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
