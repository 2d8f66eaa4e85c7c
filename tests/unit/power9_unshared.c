/*
 * Compiled code that is left where accesses cannot share a check: what goes on there runs the code that there is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mem/endian.h"
#include "power9_machine.h"

#define DATA	  UINT64_C(0x100000)
#define DATA_CODE (M_CODE + 0x800) /* stores there must be reported */
#define FUNCTION  (M_CODE + 0x100)
#define VALUE	  UINT64_C(0x123456789abcdef)

#define ADDI(rt, ra, imm) (14u << 26 | (rt) << 21 | (ra) << 16 | ((imm) & 0xffff))
#define STD(rs, ra, d)	  (62u << 26 | (rs) << 21 | (ra) << 16 | (d))
#define LD(rt, ra, d)	  (58u << 26 | (rt) << 21 | (ra) << 16 | (d))

static void put_function(struct machine *m, unsigned n)
{
	const uint32_t function[] = {
		ADDI(3, 3, n), STD(3, 4, 0), LD(7, 4, 8), ADDI(7, 7, n), M_HCALL,
	};

	machine_code(m, FUNCTION, function, 5);
}

static void call(struct machine *m, uint64_t address, unsigned n)
{
	struct p9_regs *r = p9_regs(m->cpu[0]);

	r->gpr[3] = 1000;
	r->gpr[4] = address;
	assert_int_equal(machine_run(m, 0, FUNCTION), 0xc00);
	assert_int_equal(r->gpr[3], 1000 + n);
	assert_int_equal(r->gpr[7], VALUE + n);
	assert_int_equal(ld_le64(m->ram + address), 1000 + n);
}

static uint64_t left_unshared(struct machine *m)
{
	struct cpu_stats s;

	cpu_stats_read(m->cpu[0], &s);
	return s.left_unshared;
}

static void create(struct machine *m)
{
	const struct cpu_system_config config = {
		.arch = &p9_arch,
		.optimise = true,
		.jit = true,
		.jit_after = 1,
	};

	machine_create_config(m, 1, &config);
	st_le64(m->ram + DATA + 8, VALUE);
	st_le64(m->ram + DATA_CODE + 8, VALUE);
}

/* What was kept of the code that was there before is not run. */
static void code_changes(void **state)
{
	struct machine m;

	(void)state;
	create(&m);
	for (unsigned n = 0; n < 20; n++) {
		uint64_t before = left_unshared(&m);

		put_function(&m, n % 3);
		for (unsigned k = 0; k < 4; k++)
			call(&m, DATA, n % 3);
		for (unsigned k = 0; k < 3; k++)
			call(&m, DATA_CODE, n % 3);
		assert_int_equal(left_unshared(&m) - before, 3);
	}
	machine_destroy(&m);
}

/* Nor is what was kept for another mode. */
static void mode_changes(void **state)
{
	struct machine m;
	struct p9_regs *r;

	(void)state;
	create(&m);
	r = p9_regs(m.cpu[0]);
	put_function(&m, 1);
	for (unsigned n = 0; n < 6; n++) {
		bool wide = n % 2;

		r->msr = (r->msr & ~P9_MSR_SF) | (wide ? P9_MSR_SF : 0);
		p9_state_changed(m.cpu[0]);
		for (unsigned k = 0; k < 4; k++)
			call(&m, DATA, 1);
		/* The upper word of an address counts in one of them only. */
		call(&m, DATA_CODE, 1);
		r->gpr[3] = 1000;
		r->gpr[4] = DATA_CODE | (wide ? 0 : UINT64_C(1) << 40);
		assert_int_equal(machine_run(&m, 0, FUNCTION), 0xc00);
		assert_int_equal(r->gpr[7], VALUE + 1);
	}
	machine_destroy(&m);
}

/* A refusal now and then does not undo sharing; those that come in a row do. */
static void many_refusals(void **state)
{
	struct machine m;
	uint64_t before;

	(void)state;
	create(&m);
	put_function(&m, 2);
	call(&m, DATA, 2);
	call(&m, DATA, 2);
	for (unsigned n = 0; n < 50000; n++)
		call(&m, DATA_CODE, 2);
	before = left_unshared(&m);
	assert_in_range(before, 64, 49999);
	for (unsigned n = 0; n < 100; n++)
		call(&m, DATA_CODE, 2);
	assert_int_equal(left_unshared(&m), before);
	machine_destroy(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_changes),
		cmocka_unit_test(mode_changes),
		cmocka_unit_test(many_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
