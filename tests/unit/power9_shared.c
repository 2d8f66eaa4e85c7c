/*
 * What makes starting and switching cheap, by counters: translated code is shared by all who map its memory, ways inside a page
 * become jumps, and neither interrupts nor changes of MSR or process forget translations of addresses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cpu/cpu.h"
#include "mem/endian.h"
#include "power9_machine.h"

#define EAA_USER (6 | 1 | 0x100 | 0x80) /* read, write, execute; R and C */

#define EA	  UINT64_C(0x0000123400000000)
#define DATA_EA	  UINT64_C(0x0000345600100000) /* in another entry of a TLB */
#define FRAME	  UINT64_C(0x800000)
#define DATA	  UINT64_C(0xa00000)
#define KERNEL	  UINT64_C(0xc00000) /* what the handler stores to */
#define PROCESSES 8u
#define ROUNDS	  100u

#define LI(rt, imm)	    (14u << 26 | (rt) << 21 | ((imm) & 0xffff))
#define ADDI(rt, ra, imm)   (LI(rt, imm) | (ra) << 16)
#define ADDIC_(rt, ra, imm) (13u << 26 | (rt) << 21 | (ra) << 16 | ((imm) & 0xffff))
#define LD(rt, ra, d)	    (58u << 26 | (rt) << 21 | (ra) << 16 | (d))
#define STD(rs, ra, d)	    (62u << 26 | (rs) << 21 | (ra) << 16 | (d))
#define B(off)		    (0x48000000u | ((off) & 0x3fffffcu))
#define BNE(off)	    (16u << 26 | 4u << 21 | 2u << 16 | ((off) & 0xfffc))
#define SC		    0x44000002u
#define RFID		    0x4c000024u
#define MTMSRD_EE(rs)	    (31u << 26 | (rs) << 21 | 1u << 16 | 178u << 1)

static struct machine m;

static int setup(void **state)
{
	/* A system call: EE on and off again, a store, return. */
	static const uint32_t handler[] = {MTMSRD_EE(11), MTMSRD_EE(12), STD(5, 10, 0), RFID};

	(void)state;
	machine_create(&m, 1);
	machine_code(&m, P9_VEC_SYSCALL, handler, ARRAY_SIZE(handler));
	for (unsigned pid = 0; pid <= PROCESSES; pid++)
		machine_process(&m, pid);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_destroy(&m);
	return 0;
}

static struct cpu_stats stats(void)
{
	struct cpu_stats s;

	cpu_stats_read(m.cpu[0], &s);
	return s;
}

/* The program at ea of a process, r20 times round; each time r5 grows by one. */
static void run(unsigned pid, uint64_t ea)
{
	struct p9_regs *r = p9_regs(m.cpu[0]);

	r->msr = P9_MSR_SF | P9_MSR_LE | P9_MSR_ME | P9_MSR_IR | P9_MSR_DR | P9_MSR_PR | P9_MSR_EE;
	r->pidr = pid;
	p9_state_changed(m.cpu[0]);
	p9_dec_set(m.cpu[0], UINT64_C(1) << 54);
	r->gpr[4] = DATA_EA;
	r->gpr[5] = 0;
	r->gpr[10] = KERNEL;
	r->gpr[11] = P9_MSR_EE;
	r->gpr[12] = 0;
	r->gpr[20] = ROUNDS;
	assert_int_equal(machine_run(&m, 0, ea), P9_VEC_SYSCALL);
	assert_int_equal(r->gpr[20], 0);
	assert_int_equal(r->gpr[5], ROUNDS);
}

/* Each process maps it at another address. */
static void test_code_of_all(void **state)
{
	static const uint32_t program[] = {ADDI(5, 5, 1), ADDIC_(20, 20, -1), BNE(-8), M_HCALL};
	uint64_t first = 0;

	(void)state;
	machine_code(&m, FRAME, program, ARRAY_SIZE(program));
	for (unsigned pid = 1; pid <= PROCESSES; pid++) {
		uint64_t ea = EA + ((uint64_t)pid << 30);

		machine_map(&m, pid, ea, FRAME, 16, EAA_USER);
		run(pid, ea);
		if (pid == 1)
			first = stats().regions_translated;
		assert_int_equal(stats().regions_translated, first);
	}
	assert_true(first > 0);
}

/* Two blocks of one page, which are regions of their own. */
static void test_jumps_in_page(void **state)
{
	static const uint32_t program[] = {ADDI(5, 5, 1), B(0x1000)};
	static const uint32_t other[] = {ADDIC_(20, 20, -1), BNE(-0x1008), M_HCALL};
	struct cpu_stats before;

	(void)state;
	if (!machine_compiles())
		skip();
	machine_code(&m, FRAME, program, ARRAY_SIZE(program));
	machine_code(&m, FRAME + 0x1004, other, ARRAY_SIZE(other));
	machine_map(&m, 1, EA, FRAME, 16, EAA_USER);
	run(1, EA);
	before = stats();
	for (unsigned n = 0; n < 10; n++)
		run(1, EA);
	assert_in_range(stats().left_direct + stats().left_indirect - before.left_direct - before.left_indirect, 0, 20);
}

static void test_switches(void **state)
{
	static const uint32_t program[] = {
		LD(5, 4, 0), ADDI(5, 5, 1), STD(5, 4, 0), SC, ADDIC_(20, 20, -1), BNE(-20), M_HCALL,
	};
	struct cpu_stats before = {0}, after;

	(void)state;
	machine_code(&m, FRAME, program, ARRAY_SIZE(program));
	for (unsigned pid = 1; pid <= PROCESSES; pid++) {
		machine_map(&m, pid, EA, FRAME, 16, EAA_USER);
		machine_map(&m, pid, DATA_EA, DATA + (pid << 16), 16, EAA_USER);
	}
	for (unsigned n = 0; n < 6; n++) {
		if (n == 3)
			before = stats();
		for (unsigned pid = 1; pid <= PROCESSES; pid++) {
			st_le64(m.ram + DATA + (pid << 16), 0);
			run(pid, EA);
			assert_int_equal(ld_le64(m.ram + DATA + (pid << 16)), ROUNDS);
		}
	}
	assert_int_equal(ld_le64(m.ram + KERNEL), ROUNDS);
	after = stats();
	assert_int_equal(after.tlb_misses, before.tlb_misses);
	assert_int_equal(after.regions_translated, before.regions_translated);
	if (machine_compiles())
		assert_in_range(after.left_indirect - before.left_indirect + after.left_resume - before.left_resume, 0,
				4 * PROCESSES * ROUNDS / 10);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_code_of_all),
		T(test_jumps_in_page),
		T(test_switches),
	};

	return machine_run_tests(tests);
}
