/*
 * Lockstep (cpu/lockstep.h): differences between interpreter and compiled code are found, and what is none
 * is not taken for one. A difference is planted by changing the code behind the processor's back between
 * the translation for the interpreter and the one that is compiled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "cpu/lockstep.h"
#include "cpu/lockstep_log.h"
#include "mem/endian.h"
#include "power9_machine.h"

#define AFTER 3
#define DATA  UINT64_C(0x20000)

#define ADDI(rt, ra, imm)  (14u << 26 | (rt) << 21 | (ra) << 16 | ((imm) & 0xffff))
#define LIS(rt, imm)       (15u << 26 | (rt) << 21 | ((imm) & 0xffff))
#define STD(rs, ra, d)     (62u << 26 | (rs) << 21 | (ra) << 16 | (d))
#define STW(rs, ra, d)     (36u << 26 | (rs) << 21 | (ra) << 16 | (d))
#define LD(rt, ra, d)      (58u << 26 | (rt) << 21 | (ra) << 16 | (d))
#define MTCTR(rs)          (31u << 26 | (rs) << 21 | 9u << 16 | 467u << 1)
#define MFTB(rt)           (31u << 26 | (rt) << 21 | 12u << 16 | 8u << 11 | 339u << 1)
#define BDNZ(distance)     (16u << 26 | 16u << 21 | ((distance) & 0xfffc))
#define LDARX(rt, ra, rb)  (31u << 26 | (rt) << 21 | (ra) << 16 | (rb) << 11 | 84u << 1)
#define STDCX(rs, ra, rb)  (31u << 26 | (rs) << 21 | (ra) << 16 | (rb) << 11 | 214u << 1 | 1)
#define DCBZ(ra, rb)       (31u << 26 | (ra) << 16 | (rb) << 11 | 1014u << 1)
#define DARN(rt)           (31u << 26 | (rt) << 21 | 1u << 16 | 755u << 1)

static void create(struct machine *m)
{
	const struct cpu_system_config config = {
		.arch = &p9_arch,
		.optimise = true,
		.jit = true,
		.lockstep = true,
		.jit_after = AFTER,
	};

	machine_create_config(m, 1, &config);
	if (!m->cpu[0]->lockstep) {
		machine_destroy(m);
		skip(); /* no back end */
	}
}

static enum cpu_exit run_once(struct machine *m)
{
	enum cpu_exit exit;

	p9_set_pc(m->cpu[0], M_CODE);
	do {
		exit = cpu_run(m->cpu[0]);
	} while (exit == CPU_EXIT_KICK);
	return exit;
}

/* Run the code so often that it is compiled next, then change a word of it unseen. */
static void planted(const uint32_t *code, unsigned n, unsigned where, uint32_t other)
{
	struct machine m;

	create(&m);
	machine_code(&m, M_CODE, code, n);
	for (unsigned k = 1; k < AFTER; k++)
		assert_int_equal(run_once(&m), CPU_EXIT_HYPERVISOR);
	assert_int_equal(cpu_lockstep_compared(m.cpu[0]), 0);
	st_le32(m.ram + M_CODE + 4 * where, other);
	assert_int_equal(run_once(&m), CPU_EXIT_ERROR);
	assert_non_null(strstr(cpu_error(m.cpu[0]), "differ"));
	assert_int_equal(cpu_lockstep_compared(m.cpu[0]), 1);
	machine_destroy(&m);
}

static void wrong_register(void **state)
{
	const uint32_t code[] = {ADDI(3, 3, 1), ADDI(4, 3, 2), M_HCALL};

	(void)state;
	planted(code, 3, 0, ADDI(3, 3, 3));
}

static void wrong_store(void **state)
{
	const uint32_t code[] = {LIS(5, DATA >> 16), ADDI(3, 3, 1), STD(3, 5, 0), M_HCALL};

	(void)state;
	planted(code, 4, 2, STD(5, 5, 0));
	planted(code, 4, 2, STD(3, 5, 8)); /* elsewhere */
	planted(code, 4, 2, ADDI(6, 6, 0)); /* none */
}

static void wrong_end(void **state)
{
	const uint32_t code[] = {ADDI(3, 3, 1), M_HCALL};

	(void)state;
	planted(code, 2, 1, 0x44000002 /* sc 0 */);
}

/* All that is done twice, or may not be: stores over each other, loops, time, random numbers, atomics. */
static void no_difference(void **state)
{
	const uint32_t code[] = {
		LIS(5, DATA >> 16), ADDI(3, 0, 300), MTCTR(3),	   ADDI(7, 0, 0),
		/* loop */
		LD(4, 5, 0),	    ADDI(4, 4, 1),   STD(4, 5, 0), STW(4, 5, 4),
		STD(4, 5, 8),	    MFTB(6),	     STD(6, 5, 16), DARN(6),
		STD(6, 5, 24),	    LDARX(8, 7, 5),  STDCX(4, 7, 5), ADDI(9, 5, 256),
		DCBZ(0, 9),	    STD(4, 9, 4092 - 256), BDNZ(-14 * 4), M_HCALL,
	};
	struct machine m;

	(void)state;
	create(&m);
	machine_code(&m, M_CODE, code, ARRAY_SIZE(code));
	for (unsigned k = 0; k < 50; k++) {
		st_le64(m.ram + DATA, 0);
		assert_int_equal(run_once(&m), CPU_EXIT_HYPERVISOR);
		assert_int_equal(p9_exit_vector(m.cpu[0]), P9_VEC_SYSCALL);
		assert_int_equal(p9_regs(m.cpu[0])->gpr[4], ld_le64(m.ram + DATA + 8));
	}
	assert_true(cpu_lockstep_compared(m.cpu[0]) > 50);
	machine_destroy(&m);
}

/* Code that changes itself in its own region: the interpreter's run stands. */
static void own_code(void **state)
{
	const uint32_t code[] = {
		ADDI(6, 6, 1), STW(3, 5, 16), ADDI(7, 7, 1), ADDI(9, 9, 1), ADDI(8, 8, 1), M_HCALL,
	};
	struct machine m;

	(void)state;
	create(&m);
	machine_code(&m, M_CODE, code, ARRAY_SIZE(code));
	p9_regs(m.cpu[0])->gpr[3] = ADDI(8, 8, 1);
	for (unsigned k = 0; k < 20; k++) {
		/* once it is compiled, into itself */
		p9_regs(m.cpu[0])->gpr[5] = k < 15 ? DATA : M_CODE;
		assert_int_equal(run_once(&m), CPU_EXIT_HYPERVISOR);
	}
	assert_int_equal(cpu_lockstep_compared(m.cpu[0]), 15 - (AFTER - 1));
	assert_int_equal(p9_regs(m.cpu[0])->gpr[6], 20);
	assert_int_equal(p9_regs(m.cpu[0])->gpr[8], 20);
	machine_destroy(&m);
}

static void add(struct store_log *log, uint8_t *at, uint8_t value)
{
	uint8_t old = *at;

	*at = value;
	store_log_add(log, at, 1, &old);
}

static void logs(void **state)
{
	static struct store_log a, b;
	uint8_t memory[4] = {1, 2, 3, 4};

	(void)state;
	add(&a, memory, 10);
	add(&a, memory, 11);
	add(&a, memory + 1, 12);
	assert_true(store_log_undo(&a));
	assert_memory_equal(memory, ((uint8_t[]){1, 2, 3, 4}), 4);
	/* the same bytes in another order */
	add(&b, memory + 1, 12);
	add(&b, memory, 11);
	assert_true(store_logs_same(&a, &b));
	assert_memory_equal(memory, ((uint8_t[]){11, 12, 3, 4}), 4);
	/* one more */
	add(&b, memory + 2, 13);
	assert_false(store_logs_same(&a, &b));
	/* somebody else's store stays, and so do all */
	memset(memory, 0, 4);
	a.count = 0;
	add(&a, memory, 1);
	add(&a, memory + 1, 2);
	memory[0] = 77;
	assert_false(store_log_undo(&a));
	assert_memory_equal(memory, ((uint8_t[]){77, 2, 0, 0}), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_register), cmocka_unit_test(wrong_store),
		cmocka_unit_test(wrong_end),	  cmocka_unit_test(no_difference),
		cmocka_unit_test(own_code),	  cmocka_unit_test(logs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
