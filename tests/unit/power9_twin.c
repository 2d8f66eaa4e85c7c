/*
 * The same guest code at several places of memory: translated once, and right at each of them, whatever becomes
 * of the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>

#include "mem/endian.h"
#include "power9_machine.h"

#define PLACES	  4
#define PLACE(n)  (UINT64_C(0x400000) + (n) * UINT64_C(0x200000)) /* each in a page of 2 MiB */
#define SHIFTED	  UINT64_C(0x550000) /* in another piece of the first one's page */
#define FIRST	  0x0f00u
#define SECOND	  0x1040u /* in another block */
#define ROUND	  50
#define FUNCTIONS 600
#define DISTANCE  128

#define LI(r, v)      (0x38000000u | (r) << 21 | (v))
#define INC(r, v)     (0x38000000u | (r) << 21 | (r) << 16 | (v))
#define B(off)	      (0x48000000u | ((off) & 0x3fffffcu))
#define BL(off)	      (B(off) | 1)
#define BDNZ(off)     (0x42000000u | ((off) & 0xfffcu))
#define STW(rs, ra, d) (36u << 26 | (rs) << 21 | (ra) << 16 | (d))
#define STD(rs, ra, d) (62u << 26 | (rs) << 21 | (ra) << 16 | (d))
#define LD(rt, ra, d) (58u << 26 | (rt) << 21 | (ra) << 16 | (d))
#define MULLI(rt, ra, imm) (7u << 26 | (rt) << 21 | (ra) << 16 | ((imm) & 0xffff))
#define ADD(rt, ra, rb)	   (31u << 26 | (rt) << 21 | (ra) << 16 | (rb) << 11 | 266u << 1)
#define ADDIC_(rt, ra, imm) (13u << 26 | (rt) << 21 | (ra) << 16 | ((imm) & 0xffff))
#define MTCTR(rs)     (31u << 26 | (rs) << 21 | 9u << 16 | 467u << 1)
#define BNE(off)      (16u << 26 | 4u << 21 | 2u << 16 | ((off) & 0xfffc))
#define BCTRL	      0x4e800421u
#define BLR	      0x4e800020u

static struct machine m;
static bool jit, no_twins;

static void create(unsigned ncpu, size_t limit, bool background)
{
	const struct cpu_system_config config = {
		.arch = &p9_arch,
		.optimise = true,
		.check_ir = true,
		.jit = jit,
		.jit_after = 2,
		.background = background,
		.translation_bytes = limit,
		.no_twins = no_twins,
	};

	machine_create_config(&m, ncpu, &config);
}

static uint64_t translated(void)
{
	struct cpu_stats s;

	cpu_stats_read(m.cpu[0], &s);
	return s.regions_translated - s.translations_shared;
}

static uint64_t copied(void)
{
	struct cpu_system_stats s;

	cpu_system_stats_read(m.system, &s);
	return s.regions_copied;
}

static uint64_t compiled(void)
{
	struct cpu_system_stats s;

	cpu_system_stats_read(m.system, &s);
	return s.regions_compiled;
}

/* A loop that calls what lies in the next block, which adds `step`, and then stores to r10 + 8 what r9 is. */
static void put(uint64_t at, unsigned step)
{
	const uint32_t first[] = {
		LI(7, ROUND), MTCTR(7), BL(SECOND - FIRST - 8), INC(3, 1), BDNZ(-8), STW(9, 10, 8), M_HCALL,
	};
	const uint32_t second[] = {INC(4, step), LD(6, 11, 0), STD(6, 11, 8), B(8), INC(5, 9), INC(5, 2), BLR};

	machine_code(&m, at + FIRST, first, 7);
	machine_code(&m, at + SECOND, second, 7);
}

static void run(uint64_t at, unsigned step)
{
	for (unsigned n = 0; n < 4; n++) {
		struct p9_regs *r = p9_regs(m.cpu[0]);

		r->gpr[3] = r->gpr[4] = r->gpr[5] = 0;
		r->gpr[10] = 0x100000;
		r->gpr[11] = 0x100100;
		st_le64(m.ram + 0x100100, at + n);
		assert_int_equal(machine_run(&m, 0, at + FIRST), P9_VEC_SYSCALL);
		assert_int_equal(p9_pc(m.cpu[0]), at + FIRST + 28);
		assert_int_equal(r->gpr[3], ROUND);
		assert_int_equal(r->gpr[4], ROUND * step);
		assert_int_equal(r->gpr[5], ROUND * 2);
		assert_int_equal(r->lr, at + FIRST + 12);
		assert_int_equal(ld_le64(m.ram + 0x100108), at + n);
	}
}

static void test_made_once(void)
{
	uint64_t made, hot, copies;

	create(1, 0, false);
	for (unsigned n = 0; n < PLACES; n++)
		put(PLACE(n), n == 2 ? 7 : 1);
	put(SHIFTED, 1);
	run(PLACE(0), 1);
	made = translated();
	hot = compiled();
	run(PLACE(1), 1);
	assert_int_equal(translated(), made);
	assert_int_equal(compiled(), hot);
	copies = copied();
	assert_true(jit ? copies >= 3 : !copies);
	/* other code in the second block, which the rest of the first is found by itself */
	run(PLACE(2), 7);
	assert_true(translated() > made);
	assert_true(!jit || compiled() > hot);
	assert_true(!jit || copied() > copies);
	/* Jumps to other blocks would be others at another place of the page: interpreted code only. */
	made = translated();
	hot = copied();
	run(SHIFTED, 1);
	assert_int_equal(copied(), hot);
	if (!jit)
		assert_int_equal(translated(), made);
	run(PLACE(3), 1);
	run(PLACE(0), 1);
	machine_destroy(&m);
}

/* Nothing is looked for by its content where that is not wanted. */
static void test_not_wanted(void)
{
	uint64_t made;

	no_twins = true;
	create(1, 0, false);
	no_twins = false;
	put(PLACE(0), 1);
	put(PLACE(1), 1);
	run(PLACE(0), 1);
	made = translated();
	run(PLACE(1), 1);
	assert_int_equal(translated(), 2 * made);
	assert_int_equal(copied(), 0);
	cpu_shoot_host(m.system, NULL, HVA((uintptr_t)m.ram + PLACE(1)), 0x10000);
	put(PLACE(1), 3);
	run(PLACE(1), 3);
	run(PLACE(0), 1);
	machine_destroy(&m);
}

/* The first is killed, and its place has other code then; what was copied from it goes on, and is copied. */
static void test_killed(void)
{
	create(1, 0, false);
	for (unsigned n = 0; n < PLACES; n++)
		put(PLACE(n), 1);
	run(PLACE(0), 1);
	run(PLACE(1), 1);
	cpu_shoot_host(m.system, NULL, HVA((uintptr_t)m.ram + PLACE(0)), 0x10000);
	put(PLACE(0), 3);
	run(PLACE(1), 1);
	run(PLACE(0), 3);
	run(PLACE(2), 1);
	cpu_shoot_host(m.system, NULL, HVA((uintptr_t)m.ram + PLACE(1)), 0x10000);
	put(PLACE(1), 3);
	run(PLACE(1), 3);
	run(PLACE(2), 1);
	run(PLACE(3), 1);
	run(PLACE(0), 3);
	machine_destroy(&m);
}

static void kill_all(void)
{
	cpu_shoot_host(m.system, NULL, HVA((uintptr_t)m.ram), M_SIZE);
}

/* When all have died the same code may come again, at the same place or at another. */
static void test_kept(void)
{
	uint64_t made, hot;

	create(1, 0, false);
	for (unsigned n = 0; n < PLACES; n++)
		put(PLACE(n), 1);
	run(PLACE(0), 1);
	made = translated();
	hot = compiled();
	for (unsigned n = 0; n < 3 * PLACES; n++) {
		kill_all();
		run(PLACE(n % PLACES), 1);
	}
	assert_int_equal(translated(), made);
	assert_int_equal(compiled(), hot);
	put(PLACE(1), 4);
	kill_all();
	run(PLACE(1), 4);
	put(PLACE(1), 1);
	kill_all();
	run(PLACE(1), 1);
	machine_destroy(&m);
}

/*
 * Memory that the VMM wrote: what is there is not what was translated, until the guest's icbi. It must not be
 * taken for the new content.
 */
static void test_stale(void)
{
	create(1, 0, false);
	put(PLACE(0), 1);
	run(PLACE(0), 1);
	put(PLACE(0), 5);
	put(PLACE(1), 5);
	put(PLACE(2), 1);
	run(PLACE(1), 5);
	run(PLACE(2), 1);
	machine_destroy(&m);
}

/* Each changes its own code, at one place after the other. */
static void test_written(void)
{
	create(1, 0, false);
	for (unsigned n = 0; n < PLACES; n++)
		put(PLACE(n), 1);
	for (unsigned round = 1; round < 6; round++) {
		for (unsigned n = 0; n < PLACES; n++) {
			struct p9_regs *r = p9_regs(m.cpu[0]);

			run(PLACE(n), round);
			r->gpr[3] = r->gpr[4] = r->gpr[5] = 0;
			r->gpr[9] = INC(4, round + 1);
			r->gpr[10] = PLACE(n) + SECOND - 8;
			assert_int_equal(machine_run(&m, 0, PLACE(n) + FIRST), P9_VEC_SYSCALL);
			assert_int_equal(r->gpr[4], ROUND * round);
			run(PLACE(n), round + 1);
			for (unsigned k = 0; k < PLACES; k++)
				run(PLACE(k), k <= n ? round + 1 : round);
		}
	}
	machine_destroy(&m);
}

/* In 32-bit mode code is bound to its place. */
static void test_bound(void)
{
	uint64_t made;

	create(1, 0, false);
	put(PLACE(0), 1);
	put(PLACE(1), 1);
	p9_regs(m.cpu[0])->msr &= ~P9_MSR_SF;
	p9_state_changed(m.cpu[0]);
	run(PLACE(0), 1);
	made = translated();
	run(PLACE(1), 1);
	assert_true(translated() >= made + 3);
	assert_int_equal(copied(), 0);
	machine_destroy(&m);
}

/* ---- many, in a cache that is too small for them ---- */

static void put_many(void)
{
	/* r22: the first function, r23: the distance, r20: how many */
	const uint32_t caller[] = {MTCTR(22), BCTRL, ADD(22, 22, 23), ADDIC_(20, 20, -1), BNE(-16), M_HCALL};

	machine_code(&m, M_CODE, caller, 6);
	for (unsigned place = 0; place < PLACES; place++) {
		for (unsigned n = 0; n < FUNCTIONS; n++) {
			/* the same for some, and begins the same for all */
			const uint32_t function[] = {
				MULLI(3, 3, 31), LI(5, 3), MTCTR(5), INC(3, 7), BDNZ(-4),
				INC(3, n % 5),	 BLR,
			};

			machine_code(&m, PLACE(place) + n * DISTANCE, function, 7);
		}
	}
}

static bool kills;

static void *run_many(void *arg)
{
	struct cpu *c = arg;
	struct p9_regs *r = p9_regs(c);
	uint64_t wrong = 0;

	for (unsigned round = 0; round < 12; round++) {
		for (unsigned place = 0; place < PLACES; place++) {
			unsigned count = round % 3 ? 30 : FUNCTIONS;
			uint64_t wanted = 0;
			enum cpu_exit exit;

			p9_set_pc(c, M_CODE);
			r->gpr[3] = 0;
			r->gpr[20] = count;
			r->gpr[22] = PLACE(place);
			r->gpr[23] = DISTANCE;
			do {
				exit = cpu_run(c);
			} while (exit == CPU_EXIT_KICK);
			/* one kills what others run */
			if (kills && c == m.cpu[0])
				cpu_shoot_host(m.system, c, HVA((uintptr_t)m.ram + PLACE(round % PLACES)),
					       FUNCTIONS * DISTANCE);
			for (unsigned n = 0; n < count; n++)
				wanted = wanted * 31 + 21 + n % 5;
			wrong += exit != CPU_EXIT_HYPERVISOR || r->gpr[3] != wanted;
		}
	}
	return (void *)(uintptr_t)wrong;
}

static void many(unsigned ncpu, size_t limit, bool background)
{
	pthread_t thread[4];

	create(ncpu, limit, background);
	put_many();
	for (unsigned n = 0; n < ncpu; n++)
		assert_int_equal(pthread_create(&thread[n], NULL, run_many, m.cpu[n]), 0);
	for (unsigned n = 0; n < ncpu; n++) {
		void *wrong;

		assert_int_equal(pthread_join(thread[n], &wrong), 0);
		assert_null(wrong);
	}
	/* of PLACES times as many */
	if (ncpu == 1 && !limit && !kills) {
		assert_true(translated() < FUNCTIONS);
		assert_true(!jit || (compiled() < 2 * FUNCTIONS && copied() > 2 * FUNCTIONS));
	}
	machine_destroy(&m);
}

static void test_many(void)
{
	for (unsigned n = 0; n < 2; n++) {
		kills = n;
		many(1, 0, false);
		many(1, 128 << 10, false);
		many(4, 128 << 10, false);
		many(4, 0, true);
		many(4, 128 << 10, true);
	}
}

static void in_both(void (*test)(void))
{
	jit = false;
	test();
	jit = true;
	test();
}

#define TEST(name)                                                                                 \
	static void name##_in_both(void **state)                                                   \
	{                                                                                          \
		(void)state;                                                                       \
		in_both(name);                                                                     \
	}

TEST(test_made_once)
TEST(test_not_wanted)
TEST(test_killed)
TEST(test_kept)
TEST(test_stale)
TEST(test_written)
TEST(test_bound)
TEST(test_many)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_once_in_both), cmocka_unit_test(test_killed_in_both),
		cmocka_unit_test(test_stale_in_both),	  cmocka_unit_test(test_written_in_both),
		cmocka_unit_test(test_bound_in_both),	  cmocka_unit_test(test_many_in_both),
		cmocka_unit_test(test_kept_in_both),	  cmocka_unit_test(test_not_wanted_in_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
