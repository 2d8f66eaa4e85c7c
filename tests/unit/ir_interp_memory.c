/*
 * Loads, stores and atomic operations in the interpreter: every size, order and extension, both
 * forms of address, over page boundaries, without a right, unaligned; and the ways to leave a
 * region, with the state that is left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ir_machine.h"

#define OFF_BASE  OFF_STATE(0)
#define OFF_INDEX OFF_STATE(8)
#define OFF_OLD   OFF_STATE(16) /* set before an access that may fault */
#define OFF_VALUE OFF_STATE(32)
#define OFF_R     OFF_STATE(48)
#define OFF_NEW   OFF_STATE(64) /* set after it */

static struct machine *machine;
static struct ir_region region;

static void begin(void)
{
	ir_region_reset(&region);
	ir_begin_block(&region, ir_create_block(&region));
	ir_insn(&region, 0x1000);
	ir_set(&region, OFF_OLD, ir_const(&region, IR_I64, 11));
	ir_insn(&region, 0x1004);
}

static enum ir_leave run(uint32_t *exit_index)
{
	uint32_t index = 99;
	struct ir_code *code;
	enum ir_leave leave;

	assert_null(ir_check(&region));
	code = ir_lower(&region);
	assert_non_null(code);
	leave = ir_interp(code, &machine->env, exit_index ? exit_index : &index);
	ir_code_free(code);
	return leave;
}

static u128 get128(uint32_t offset)
{
	u128 v;

	memcpy(&v, (char *)machine + offset, sizeof(v));
	return v;
}

static uint64_t get64(uint32_t offset)
{
	return (uint64_t)get128(offset);
}

static void put64(uint32_t offset, uint64_t v)
{
	memcpy((char *)machine + offset, &v, sizeof(v));
}

/* Address forms: a register; register and displacement; two registers; a constant. */
enum address { PLAIN, DISPLACED, INDEXED, CONSTANT, ADDRESSES };

static ir_val address(enum address form, uint64_t addr)
{
	ir_val base;

	if (form == CONSTANT)
		return ir_const(&region, IR_I64, addr);
	base = ir_get(&region, IR_I64, OFF_BASE);
	if (form == DISPLACED)
		return ir_bin(&region, IR_ADD, base, ir_const(&region, IR_I64, 0x123));
	if (form == INDEXED)
		return ir_bin(&region, IR_ADD, base, ir_get(&region, IR_I64, OFF_INDEX));
	return base;
}

static void set_registers(enum address form, uint64_t addr)
{
	put64(OFF_INDEX, (uint64_t)-77);
	put64(OFF_BASE, form == DISPLACED ? addr - 0x123 : form == INDEXED ? addr + 77 : addr);
}

static u128 memory_value(uint64_t addr, struct ir_memop m)
{
	u128 v = 0;

	for (unsigned k = 0; k < m.size; k++)
		v = v << 8 | *machine_at(machine, m.big_endian ? addr + k : addr + m.size - 1 - k);
	if (m.sign_extend && m.size < 8 && v >> (8 * m.size - 1))
		v |= ~(u128)0 << 8 * m.size;
	return v;
}

static u128 cut(u128 v, enum ir_type t)
{
	return t == IR_I32 ? (uint32_t)v : t == IR_I64 ? (uint64_t)v : v;
}

/* In the middle of a page, at its last bytes, over its end, and in a page that takes the slow way.
 */
static const uint64_t good[] = {PAGE_ADDR(0) + 0x130,
				PAGE_ADDR(0) + 0x133,
				PAGE_ADDR(1) - 16,
				PAGE_ADDR(1) - 1,
				PAGE_ADDR(1) - 3,
				PAGE_ADDR(1) - 8,
				PAGE_ADDR(PAGE_CODE) + 0x40,
				PAGE_ADDR(PAGE_RW4) - 5};

typedef void (*each_memop)(enum ir_type t, struct ir_memop m, enum address form, uint64_t addr);

static void for_each_memop(each_memop fn, bool stores)
{
	for (enum ir_type t = IR_I32; t <= IR_V128; t++) {
		for (unsigned size = 1; size <= 16; size *= 2) {
			if ((size == 16) != (t == IR_V128) || (size == 8 && t == IR_I32))
				continue;
			for (unsigned k = 0; k < (stores || t == IR_V128 ? 2 : 4); k++) {
				struct ir_memop m = {.size = (uint8_t)size,
						     .big_endian = k & 1,
						     .sign_extend = k >> 1};

				for (enum address form = 0; form < ADDRESSES; form++) {
					for (unsigned n = 0; n < ARRAY_SIZE(good); n++)
						fn(t, m, form, good[n]);
				}
			}
		}
	}
}

static void one_load(enum ir_type t, struct ir_memop m, enum address form, uint64_t addr)
{
	begin();
	ir_set(&region, OFF_R, ir_load(&region, t, m, address(form, addr)));
	ir_exit_direct(&region, 0x2000);
	machine_reset(machine, addr + m.size);
	set_registers(form, addr);
	/* Twice: a miss of the TLB, and a hit. */
	for (unsigned k = 0; k < 2; k++) {
		memset((char *)machine + OFF_R, 0xcc, 16);
		assert_int_equal(run(NULL), IR_LEAVE_DIRECT);
		assert_true(cut(get128(OFF_R), t) == cut(memory_value(addr, m), t));
		/* Its neighbour in guest state is untouched. */
		if (t == IR_I32)
			assert_int_equal(get64(OFF_R) >> 32, 0xcccccccc);
	}
}

static void one_store(enum ir_type t, struct ir_memop m, enum address form, uint64_t addr)
{
	u128 v = ((u128)0x0123456789abcdef << 64) | 0xfedcba9876543210;
	uint8_t before[2];

	begin();
	ir_store(&region, m, address(form, addr), ir_get(&region, t, OFF_VALUE));
	ir_exit_direct(&region, 0x2000);
	machine_reset(machine, addr);
	set_registers(form, addr);
	memcpy((char *)machine + OFF_VALUE, &v, sizeof(v));
	for (unsigned k = 0; k < 2; k++) {
		before[0] = *machine_at(machine, addr - 1);
		before[1] = *machine_at(machine, addr + m.size);
		assert_int_equal(run(NULL), IR_LEAVE_DIRECT);
		m.sign_extend = false;
		assert_true(memory_value(addr, m) ==
			    (m.size == 16 ? v : v & (((u128)1 << 8 * m.size) - 1)));
		assert_int_equal(*machine_at(machine, addr - 1), before[0]);
		assert_int_equal(*machine_at(machine, addr + m.size), before[1]);
		if (addr >> 12 == PAGE_ADDR(PAGE_CODE) >> 12)
			assert_int_equal(machine->ncode_writes, k + 1);
	}
}

static void test_loads(void **state)
{
	(void)state;
	for_each_memop(one_load, false);
}

static void test_stores(void **state)
{
	(void)state;
	for_each_memop(one_store, true);
}

/* Leaves the region with a fault: nothing of the instruction was done, all before it was. */
static void expect_fault(enum fault kind, uint64_t at)
{
	uint8_t before[PAGES][PAGE_SIZE];
	u128 r;

	memcpy(before, machine->ram, sizeof(before));
	r = get128(OFF_R);
	put64(OFF_OLD, 1);
	put64(OFF_NEW, 1);
	assert_int_equal(run(NULL), IR_LEAVE_FAULT);
	assert_int_equal(machine->env.fault, kind);
	assert_int_equal(machine->env.pc, 0x1004);
	assert_int_equal(machine->fault_addr, at);
	assert_int_equal(get64(OFF_OLD), 11);
	assert_int_equal(get64(OFF_NEW), 1);
	assert_true(get128(OFF_R) == r);
	assert_memory_equal(before, machine->ram, sizeof(before));
}

struct bad {
	uint64_t addr, at; /* of the access, and where it faults */
};

static void test_faults(void **state)
{
	static const struct bad loads[] = {
		{PAGE_ADDR(PAGE_NONE) + 8, PAGE_ADDR(PAGE_NONE) + 8},
		/* The second page of two. */
		{PAGE_ADDR(PAGE_NONE) - 1, PAGE_ADDR(PAGE_NONE)},
		{0, 0},
		{PAGE_ADDR(0) - 1, PAGE_ADDR(0) - 1},
		{UINT64_MAX, UINT64_MAX},
	};
	static const struct bad stores[] = {
		{PAGE_ADDR(PAGE_RO) + 16, PAGE_ADDR(PAGE_RO) + 16},
		{PAGE_ADDR(PAGE_RO) - 1, PAGE_ADDR(PAGE_RO)},
		{PAGE_ADDR(PAGE_CODE) - 1, PAGE_ADDR(PAGE_CODE) - 1},
	};

	(void)state;
	for (unsigned size = 2; size <= 16; size *= 2) {
		enum ir_type t = size == 16 ? IR_V128 : IR_I64;
		struct ir_memop m = {.size = (uint8_t)size};

		for (enum address form = 0; form < ADDRESSES; form++) {
			for (unsigned k = 0; k < ARRAY_SIZE(loads); k++) {
				begin();
				ir_set(&region, OFF_R,
				       ir_load(&region, t, m, address(form, loads[k].addr)));
				ir_set(&region, OFF_NEW, ir_const(&region, IR_I64, 2));
				ir_exit_direct(&region, 0);
				machine_reset(machine, k);
				set_registers(form, loads[k].addr);
				expect_fault(FAULT_READ, loads[k].at);
			}
			for (unsigned k = 0; k < ARRAY_SIZE(stores); k++) {
				begin();
				ir_store(&region, m, address(form, stores[k].addr),
					 ir_get(&region, t, OFF_VALUE));
				ir_set(&region, OFF_NEW, ir_const(&region, IR_I64, 2));
				ir_exit_direct(&region, 0);
				machine_reset(machine, k);
				set_registers(form, stores[k].addr);
				expect_fault(FAULT_WRITE, stores[k].at);
			}
		}
	}
}

static void test_alignment(void **state)
{
	const uint64_t addr = PAGE_ADDR(0) + 0x101;

	(void)state;
	for (enum address form = 0; form < ADDRESSES; form++) {
		for (unsigned store = 0; store < 2; store++) {
			struct ir_memop m = {.size = 8, .aligned = true};
			ir_val a;

			begin();
			a = address(form, addr);
			if (store)
				ir_store(&region, m, a, ir_get(&region, IR_I64, OFF_VALUE));
			else
				ir_set(&region, OFF_R, ir_load(&region, IR_I64, m, a));
			ir_set(&region, OFF_NEW, ir_const(&region, IR_I64, 2));
			ir_exit_direct(&region, 0);
			machine_reset(machine, 3);
			set_registers(form, addr);
			expect_fault(store ? FAULT_ALIGN_STORE : FAULT_ALIGN_LOAD, addr);
			set_registers(form, addr - 1);
			if (form != CONSTANT)
				assert_int_equal(run(NULL), IR_LEAVE_DIRECT);
		}
	}
}

/* Expected results of an atomic operation on numbers of `bits` bits, by the book. */
static u128 combined(enum ir_rmw kind, u128 old, u128 v, unsigned bits)
{
	u128 sign = (u128)1 << (bits - 1);
	bool less = old < v, less_signed = (old ^ sign) < (v ^ sign);

	switch (kind) {
	case IR_RMW_ADD:
		return old + v;
	case IR_RMW_AND:
		return old & v;
	case IR_RMW_OR:
		return old | v;
	case IR_RMW_XOR:
		return old ^ v;
	case IR_RMW_XCHG:
		return v;
	case IR_RMW_MAXU:
		return less ? v : old;
	case IR_RMW_MINU:
		return less ? old : v;
	case IR_RMW_MAXS:
		return less_signed ? v : old;
	default:
		return less_signed ? old : v;
	}
}

static void one_rmw(enum ir_rmw kind, enum ir_type t, struct ir_memop m, uint64_t addr)
{
	u128 mask = m.size == 16 ? ~(u128)0 : ((u128)1 << 8 * m.size) - 1, old, v;

	begin();
	ir_set(&region, OFF_R,
	       ir_rmw(&region, kind, m, ir_get(&region, IR_I64, OFF_BASE),
		      ir_get(&region, t, OFF_VALUE)));
	ir_exit_direct(&region, 0);
	machine_reset(machine, addr + kind);
	put64(OFF_BASE, addr);
	v = cut(get128(OFF_VALUE), t) & mask;
	old = memory_value(addr, m);
	assert_int_equal(run(NULL), IR_LEAVE_DIRECT);
	assert_true(memory_value(addr, m) == (combined(kind, old, v, 8 * m.size) & mask));
	assert_true(cut(get128(OFF_R), t) == old);
}

static void one_cas(bool equal, enum ir_type t, struct ir_memop m, uint64_t addr)
{
	u128 old, wanted;

	begin();
	ir_set(&region, OFF_R,
	       ir_cas(&region, m, ir_get(&region, IR_I64, OFF_BASE), ir_get(&region, t, OFF_VALUE),
		      ir_get(&region, t, OFF_NEW)));
	ir_exit_direct(&region, 0);
	machine_reset(machine, addr);
	put64(OFF_BASE, addr);
	old = memory_value(addr, m);
	wanted = equal ? old : old ^ 1;
	memcpy((char *)machine + OFF_VALUE, &wanted, sizeof(wanted));
	wanted = get128(OFF_NEW);
	assert_int_equal(run(NULL), IR_LEAVE_DIRECT);
	if (m.size < 16)
		wanted &= ((u128)1 << 8 * m.size) - 1;
	assert_true(memory_value(addr, m) == (equal ? wanted : old));
	assert_true(cut(get128(OFF_R), t) == old);
	assert_int_equal(machine->ncode_writes, equal && addr >= PAGE_ADDR(PAGE_CODE));
}

static void test_atomics(void **state)
{
	(void)state;
	for (unsigned size = 1; size <= 16; size *= 2) {
		for (unsigned k = 0; k < 4; k++) {
			enum ir_type t = size == 16            ? IR_V128
					 : size <= 4 && k >> 1 ? IR_I32
							       : IR_I64;
			struct ir_memop m = {.size = (uint8_t)size, .big_endian = k & 1};

			for (enum ir_rmw kind = 0; kind <= IR_RMW_MINS; kind++) {
				one_rmw(kind, t, m, PAGE_ADDR(0) + 0x40);
				one_rmw(kind, t, m, PAGE_ADDR(PAGE_CODE) + 0x80);
			}
			one_cas(true, t, m, PAGE_ADDR(0) + 0x40);
			one_cas(false, t, m, PAGE_ADDR(0) + 0x40);
			one_cas(true, t, m, PAGE_ADDR(PAGE_CODE) + 0x40);
			one_cas(false, t, m, PAGE_ADDR(PAGE_CODE) + 0x40);
		}
	}
}

static void test_atomic_faults(void **state)
{
	const struct {
		uint64_t addr;
		enum fault fault;
	} list[] = {
		{PAGE_ADDR(PAGE_RO) + 8, FAULT_WRITE},
		{PAGE_ADDR(PAGE_NONE) + 8, FAULT_READ_FOR_STORE},
		{PAGE_ADDR(0) + 4, FAULT_ALIGN_STORE},
	};
	struct ir_memop m = {.size = 8};

	(void)state;
	for (unsigned k = 0; k < ARRAY_SIZE(list); k++) {
		begin();
		ir_set(&region, OFF_R,
		       ir_rmw(&region, IR_RMW_ADD, m, ir_get(&region, IR_I64, OFF_BASE),
			      ir_get(&region, IR_I64, OFF_VALUE)));
		ir_set(&region, OFF_NEW, ir_const(&region, IR_I64, 2));
		ir_exit_direct(&region, 0);
		machine_reset(machine, k);
		put64(OFF_BASE, list[k].addr);
		expect_fault(list[k].fault, list[k].addr);
	}
}

/* A register that is both the base of an update and the target, and so on. */
static void test_update_forms(void **state)
{
	struct ir_memop m = {.size = 8};
	ir_val ea, v;

	(void)state;
	/* base := base + index; r := load, where r is index */
	begin();
	ea = address(INDEXED, 0);
	v = ir_load(&region, IR_I64, m, ea);
	ir_set(&region, OFF_BASE, ea);
	ir_set(&region, OFF_INDEX, v);
	ir_exit_direct(&region, 0);
	machine_reset(machine, 1);
	set_registers(INDEXED, PAGE_ADDR(0) + 0x100);
	assert_int_equal(run(NULL), IR_LEAVE_DIRECT);
	assert_int_equal(get64(OFF_BASE), PAGE_ADDR(0) + 0x100);
	assert_int_equal(get64(OFF_INDEX), (uint64_t)memory_value(PAGE_ADDR(0) + 0x100, m));
	/* The same when it faults: neither register has changed. */
	machine_reset(machine, 1);
	set_registers(INDEXED, 0x5000);
	assert_int_equal(run(NULL), IR_LEAVE_FAULT);
	assert_int_equal(get64(OFF_BASE), 0x5000 + 77);
	assert_int_equal(get64(OFF_INDEX), (uint64_t)-77);
}

static void test_faulting_helper(void **state)
{
	ir_val args[3];

	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		begin();
		for (unsigned n = 0; n < 3; n++)
			args[n] = ir_const(&region, IR_I64, k ? 3 : 4);
		ir_set(&region, OFF_R, ir_call(&region, &machine_helper[H_FAULT], args, 3));
		ir_set(&region, OFF_NEW, ir_const(&region, IR_I64, 2));
		ir_exit_direct(&region, 0x2000);
		machine_reset(machine, 5);
		if (k)
			expect_fault(FAULT_HELPER, 0);
		else
			assert_int_equal(run(NULL), IR_LEAVE_DIRECT);
	}
}

static void test_exits(void **state)
{
	uint32_t index = 99;
	ir_block other;
	ir_val v;

	(void)state;
	machine_reset(machine, 1);
	/* Numbers of exits follow the order in which they were made. */
	begin();
	other = ir_create_block(&region);
	ir_br(&region, ir_get(&region, IR_I64, OFF_BASE), other, other);
	ir_begin_block(&region, other);
	ir_exit_direct(&region, UINT64_MAX);
	assert_int_equal(run(&index), IR_LEAVE_DIRECT);
	assert_int_equal(index, 0);
	assert_true(machine->env.pc == UINT64_MAX);

	begin();
	ir_exit_indirect(&region, ir_get(&region, IR_I64, OFF_BASE));
	put64(OFF_BASE, 0x12345);
	assert_int_equal(run(NULL), IR_LEAVE_INDIRECT);
	assert_int_equal(machine->env.pc, 0x12345);

	begin();
	v = ir_const(&region, IR_I64, 2);
	ir_call(&region, &machine_helper[H_RESUME], &v, 1);
	ir_exit_resume(&region);
	assert_int_equal(run(NULL), IR_LEAVE_RESUME);
	assert_int_equal(machine->env.pc, 34);
}

/* A poll before the mark goes on at the next instruction, one behind a mark at that one. */
static void test_poll(void **state)
{
	(void)state;
	for (unsigned after = 0; after < 2; after++) {
		begin();
		ir_set(&region, OFF_R, ir_const(&region, IR_I64, 5));
		if (!after)
			ir_poll(&region);
		ir_insn(&region, 0x1008);
		if (after)
			ir_poll(&region);
		ir_set(&region, OFF_NEW, ir_const(&region, IR_I64, 2));
		ir_exit_direct(&region, 0x100c);
		machine_reset(machine, 1);
		put64(OFF_NEW, 1);
		machine->env.exit_request = 1;
		assert_int_equal(run(NULL), IR_LEAVE_POLL);
		assert_int_equal(machine->env.pc, 0x1008);
		assert_int_equal(get64(OFF_R), 5);
		assert_int_equal(get64(OFF_NEW), 1);
		machine->env.exit_request = 0;
		assert_int_equal(run(NULL), IR_LEAVE_DIRECT);
		assert_int_equal(get64(OFF_NEW), 2);
	}
}

/* More values alive than there are temporaries. */
static void test_too_big(void **state)
{
	ir_val v[IR_MAX_TEMPS + 8];

	(void)state;
	begin();
	for (unsigned k = 0; k < ARRAY_SIZE(v); k++)
		v[k] = ir_call(&region, &machine_helper[H_EFFECT], NULL, 0);
	for (unsigned k = 0; k < ARRAY_SIZE(v); k++)
		ir_set(&region, OFF_R, v[k]);
	ir_exit_direct(&region, 0);
	assert_null(ir_lower(&region));
}

static int setup(void **state)
{
	(void)state;
	machine = machine_new();
	ir_region_init(&region);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ir_region_destroy(&region);
	machine_free(machine);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loads),        cmocka_unit_test(test_stores),
		cmocka_unit_test(test_faults),       cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_atomics),      cmocka_unit_test(test_atomic_faults),
		cmocka_unit_test(test_update_forms), cmocka_unit_test(test_faulting_helper),
		cmocka_unit_test(test_exits),        cmocka_unit_test(test_poll),
		cmocka_unit_test(test_too_big),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
