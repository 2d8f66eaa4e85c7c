/*
 * Compiling on a thread of its own: what happens to the guest's code while it waits or is compiled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <time.h>

#include "cpu/core.h"
#include "power9_machine.h"

#define LOOPS  32
#define BLOCK  0x1000
#define BESIDE 0x800 /* in the code's block */
#define DATA   UINT64_C(0x100000)

#define MANY   600    /* more than can wait */
#define INSNS  40
#define PLACE  256

#define ADDI(rt, ra, imm)   (14u << 26 | (rt) << 21 | (ra) << 16 | ((imm) & 0xffff))
#define STW(rs, ra, d)	    (36u << 26 | (rs) << 21 | (ra) << 16 | (d))
#define ADDIC_(rt, ra, imm) (13u << 26 | (rt) << 21 | (ra) << 16 | ((imm) & 0xffff))
#define BNE(distance)	    (16u << 26 | 4u << 21 | 2u << 16 | ((distance) & 0xfffc))

/* A machine whose code is compiled on a thread of its own, after so many interpreted runs. */
static void create(struct machine *m, uint32_t after)
{
	const struct cpu_system_config config = {
		.arch = &p9_arch,
		.optimise = true,
		.jit = true,
		.jit_after = after,
		.background = true,
	};

	machine_create_config(m, 1, &config);
}

static void store_to(struct machine *m, uint64_t code, uint64_t address, unsigned times)
{
	struct p9_regs *r = p9_regs(m->cpu[0]);

	r->gpr[4] = address;
	r->gpr[20] = times;
	assert_int_equal(machine_run(m, 0, code), 0xc00);
	assert_int_equal(r->gpr[20], 0);
}

/*
 * Code that becomes hot while data beside it is written cannot be told from code that was written, and is not
 * compiled then; but it is once that is over.
 */
static void written_beside(void **state)
{
	const uint32_t loop[] = { STW(20, 4, 0), ADDIC_(20, 20, -1), BNE(-8), M_HCALL };
	struct cpu_system_stats s;
	struct machine m;
	time_t end;

	(void)state;
	create(&m, 4);
	/* Several, since the thread may have the processor while it compiles. */
	for (unsigned n = 0; n < LOOPS; n++) {
		machine_code(&m, M_CODE + n * BLOCK, loop, 4);
		store_to(&m, M_CODE + n * BLOCK, M_CODE + n * BLOCK + BESIDE, 2000);
	}
	end = time(NULL) + 20;
	do {
		for (unsigned n = 0; n < LOOPS; n++)
			store_to(&m, M_CODE + n * BLOCK, DATA, 100);
		cpu_system_stats_read(m.system, &s);
	} while (s.regions_compiled < LOOPS && time(NULL) < end);
	assert_true(s.regions_compiled >= LOOPS);
	machine_destroy(&m);
}

/*
 * More code becomes hot at once than can wait, and goes on being run meanwhile: it goes before what waits, or who runs it
 * compiles it. Whoever does it and when, all of it is compiled in the end, and runs as it should.
 */
static void run_while_waiting(void **state)
{
	uint32_t code[INSNS + 1];
	struct cpu_system_stats s;
	struct machine m;
	time_t end;

	(void)state;
	create(&m, 1);
	for (unsigned k = 1; k < INSNS; k++)
		code[k] = ADDI(3, 3, 1);
	code[INSNS] = M_HCALL;
	for (unsigned n = 0; n < MANY; n++) {
		code[0] = ADDI(3, 0, n);
		machine_code(&m, M_CODE + n * PLACE, code, INSNS + 1);
		/* It has been asked for when the first run begins. */
		assert_int_equal(machine_run(&m, 0, M_CODE + n * PLACE), 0xc00);
	}
	/* The last ones, which would be compiled last. */
	for (unsigned n = MANY; n-- > MANY - 8;)
		for (unsigned k = 0; k < 2000; k++) {
			assert_int_equal(machine_run(&m, 0, M_CODE + n * PLACE), 0xc00);
			assert_int_equal(p9_regs(m.cpu[0])->gpr[3], n + INSNS - 1);
		}
	end = time(NULL) + 20;
	do {
		for (unsigned n = 0; n < MANY; n++)
			assert_int_equal(machine_run(&m, 0, M_CODE + n * PLACE), 0xc00);
		cpu_system_stats_read(m.system, &s);
	} while (s.regions_compiled < MANY && time(NULL) < end);
	assert_true(s.regions_compiled >= MANY);
	machine_destroy(&m);
}

/*
 * Code is copied when it is asked for, and compiled some time later, more of it at once than was interpreted at once. If what
 * comes behind the region that asked is written in between, by a store that does not meet that region, what was made of the copy is
 * of no use.
 */
static void written_while_waiting(void **state)
{
	const uint64_t patcher = M_CODE - 0x1000;
	const uint32_t patch[] = { STW(5, 4, 0), M_HCALL };
	uint32_t code[INSNS + 1];
	struct cpu_system_stats s;
	struct machine m;
	time_t end;

	(void)state;
	create(&m, 1);
	machine_code(&m, patcher, patch, 2);
	for (unsigned k = 1; k < INSNS; k++)
		code[k] = ADDI(3, 3, 1);
	code[INSNS] = M_HCALL;
	for (unsigned n = 0; n < MANY; n++) {
		struct p9_regs *r = p9_regs(m.cpu[0]);

		code[0] = ADDI(3, 0, n);
		machine_code(&m, M_CODE + n * PLACE, code, INSNS + 1);
		assert_int_equal(machine_run(&m, 0, M_CODE + n * PLACE), 0xc00);
		r->gpr[4] = M_CODE + n * PLACE + (INSNS - 5) * 4;
		r->gpr[5] = ADDI(3, 3, 2);
		assert_int_equal(machine_run(&m, 0, patcher), 0xc00);
	}
	end = time(NULL) + 20;
	do {
		for (unsigned n = 0; n < MANY; n++) {
			assert_int_equal(machine_run(&m, 0, M_CODE + n * PLACE), 0xc00);
			assert_int_equal(p9_regs(m.cpu[0])->gpr[3], n + INSNS);
		}
		cpu_system_stats_read(m.system, &s);
	} while (s.regions_compiled < MANY && time(NULL) < end);
	assert_true(s.regions_compiled >= MANY);
	machine_destroy(&m);
}

static void until_compiled(struct machine *m, uint64_t regions)
{
	const struct timespec nap = {.tv_nsec = 1000000};
	time_t end = time(NULL) + 20;
	struct cpu_system_stats s;

	for (;;) {
		cpu_system_stats_read(m->system, &s);
		if (s.regions_compiled >= regions || time(NULL) >= end)
			break;
		nanosleep(&nap, NULL);
	}
	assert_int_equal(s.regions_compiled, regions);
}

static struct region *region_at(struct machine *m, uint64_t pc)
{
	return region_lookup(m->system->regions, HVA(m->ram + pc), pc,
			     m->cpu[0]->mode | (uint32_t)REGION_SPAN_2M << REGION_SPAN_BIT);
}

/* Code that is rarely run is compiled once, though there are two ways into it; but for what is hot. */
static void once_if_cold(void **state)
{
	const unsigned insns = 24, middle = 16;
	const uint64_t second = M_CODE + 4 * middle;
	uint32_t code[INSNS];
	struct region *all, *part;
	struct machine m;

	(void)state;
	create(&m, 1);
	if (!m.system->compiler) {
		machine_destroy(&m);
		skip(); /* no back end, or one processor */
	}
	code[0] = ADDI(3, 0, 5);
	for (unsigned k = 1; k < insns; k++)
		code[k] = ADDI(3, 3, 1);
	code[insns] = M_HCALL;
	machine_code(&m, M_CODE, code, insns + 1);
	assert_int_equal(machine_run(&m, 0, second), 0xc00);
	until_compiled(&m, 1);
	assert_int_equal(machine_run(&m, 0, M_CODE), 0xc00);
	until_compiled(&m, 2);
	for (unsigned n = 0; n < 3; n++) {
		assert_int_equal(machine_run(&m, 0, M_CODE), 0xc00);
		assert_int_equal(p9_regs(m.cpu[0])->gpr[3], 5 + insns - 1);
	}
	all = region_at(&m, M_CODE);
	part = region_at(&m, second);
	assert_non_null(all);
	assert_non_null(part);
	/* It goes on in the other. */
	assert_int_equal(part->compiled->code->nexit, 0);
	assert_int_equal(all->compiled->code->nexit, 1);
	assert_ptr_equal(all->compiled->link[0].to, part);
	assert_int_equal(region_until_compiled(m.system->regions, all, 4 * insns, 4, CPU_ASKED_HOT), 4 * middle);
	region_set_runs(part, CPU_ASKED_HOT);
	assert_int_equal(region_until_compiled(m.system->regions, all, 4 * insns, 4, CPU_ASKED_HOT), 4 * insns);
	machine_destroy(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_beside),
		cmocka_unit_test(run_while_waiting),
		cmocka_unit_test(written_while_waiting),
		cmocka_unit_test(once_if_cold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
