/*
 * Stores to code by a processor that could store there directly before it was code: whoever runs it must not see what was
 * there before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "cpu/cpu.h"
#include "mem/endian.h"
#include "power9_machine.h"

#define CODE   (M_CODE + 0x4000) /* what is written */
#define BESIDE 0x800		 /* in its block */
#define STORER (M_CODE + 0x5000)
#define FLAG   UINT64_C(0x100000)
#define TIMES  60
#define BLOCKS 24
#define HANGS  60 /* seconds, after which nothing will come any more */

#define LI(rt, imm)	    (14u << 26 | (rt) << 21 | (imm))
#define CMPDI(ra, imm)	    (11u << 26 | 1u << 21 | (ra) << 16 | (imm))
#define ADDIC_(rt, ra, imm) (13u << 26 | (rt) << 21 | (ra) << 16 | ((imm) & 0xffff))
#define B(off)		    (0x48000000u | ((off) & 0x3fffffcu))
#define STW(rs, ra, d)	    (36u << 26 | (rs) << 21 | (ra) << 16 | (d))
#define LD(rt, ra, d)	    (58u << 26 | (rt) << 21 | (ra) << 16 | (d))
#define BC(bo, bi, d)	    (16u << 26 | (bo) << 21 | (bi) << 16 | ((d) & 0xfffc))
#define BEQ(d)		    BC(12u, 2u, d)
#define BNE(d)		    BC(4u, 2u, d)

static struct machine m;

static int setup(void **state)
{
	(void)state;
	machine_create(&m, 2);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_destroy(&m);
	return 0;
}

static void put_code(uint64_t at)
{
	const uint32_t code[] = {LI(7, 1), M_HCALL};

	machine_code(&m, at, code, ARRAY_SIZE(code));
}

static void assert_runs(unsigned cpu, uint64_t at, uint64_t value)
{
	assert_int_equal(machine_run(&m, cpu, at), P9_VEC_SYSCALL);
	assert_int_equal(p9_regs(m.cpu[cpu])->gpr[7], value);
}

/* Processor 0 stores r9 to r8, so often. */
static void store(uint64_t at, uint32_t value, unsigned times)
{
	struct p9_regs *r = p9_regs(m.cpu[0]);

	r->gpr[8] = at;
	r->gpr[9] = value;
	r->gpr[20] = times;
	assert_int_equal(machine_run(&m, 0, STORER), P9_VEC_SYSCALL);
}

/* One processor has stored beside it, another one runs it; neither does while the other one does. */
static void test_by_another(void **state)
{
	const uint32_t storer[] = {STW(9, 8, 0), ADDIC_(20, 20, -1), BNE(-8), M_HCALL};

	(void)state;
	machine_code(&m, STORER, storer, ARRAY_SIZE(storer));
	for (unsigned n = 0; n < BLOCKS; n++) {
		uint64_t at = CODE + n * 0x2000;

		put_code(at);
		store(at + BESIDE, 0, 100);
		assert_runs(1, at, 1);
		for (unsigned v = 2; v < 6; v++) {
			store(at, LI(7, v), 1);
			assert_runs(1, at, v);
			assert_runs(0, at, v);
			store(at + BESIDE, 0, 3);
		}
	}
}

/* The same by one processor alone. */
static void test_by_itself(void **state)
{
	const uint32_t storer[] = {STW(9, 8, 0), ADDIC_(20, 20, -1), BNE(-8), M_HCALL};

	(void)state;
	machine_code(&m, STORER, storer, ARRAY_SIZE(storer));
	for (unsigned n = 0; n < BLOCKS; n++) {
		uint64_t at = CODE + n * 0x2000;

		put_code(at);
		store(at + BESIDE, 0, 100);
		for (unsigned v = 1; v < 6; v++) {
			assert_runs(0, at, v);
			store(at, LI(7, v + 1), 1);
		}
	}
}

static void *run_storer(void *arg)
{
	return (void *)(uintptr_t)machine_run(arg, 0, STORER);
}

/*
 * It is in the middle of storing beside when the other one finds code there: it has to leave for the run loop,
 * so that it cannot go on storing directly. Later it is told to store to the code.
 */
static void test_meanwhile(void **state)
{
	/* until there is something at r10: store r9 beside, r8 + BESIDE; then to r8 */
	const uint32_t storer[] = {
		STW(9, 8, BESIDE), LD(5, 10, 0), CMPDI(5, 0), BEQ(-12), STW(9, 8, 0), M_HCALL,
	};

	(void)state;
	machine_code(&m, STORER, storer, ARRAY_SIZE(storer));
	for (unsigned n = 0; n < TIMES; n++) {
		const struct timespec pause = {0, 200000};
		struct p9_regs *r = p9_regs(m.cpu[0]);
		uint64_t at = CODE + n % BLOCKS * 0x2000;
		pthread_t thread;
		void *vector;

		put_code(at);
		st_le64(m.ram + FLAG, 0);
		r->gpr[8] = at;
		r->gpr[9] = LI(7, 2 + n);
		r->gpr[10] = FLAG;
		assert_int_equal(pthread_create(&thread, NULL, run_storer, &m), 0);
		nanosleep(&pause, NULL);
		assert_runs(1, at, 1);
		__atomic_store_n((uint64_t *)(m.ram + FLAG), 1, __ATOMIC_SEQ_CST);
		assert_int_equal(pthread_join(thread, &vector), 0);
		assert_int_equal((uintptr_t)vector, P9_VEC_SYSCALL);
		assert_runs(1, at, 2 + n);
	}
}

static _Atomic bool enough;

static void *store_all_the_time(void *arg)
{
	(void)arg;
	while (!enough)
		machine_run(&m, 0, STORER);
	return NULL;
}

static void *invalidate_all_the_time(void *arg)
{
	(void)arg;
	while (!enough)
		p9_invalidate(m.system, NULL, M_LPID, UINT64_MAX, true, 0, 0);
	return NULL;
}

static void *run_for_ever(void *arg)
{
	p9_set_pc(m.cpu[1], CODE);
	return (void *)(uintptr_t)(cpu_run(arg) == CPU_EXIT_KICK);
}

/* One stores beside, another one has translations of addresses forgotten: the one in between gets on, and can be kicked. */
static void test_between_two(void **state)
{
	const uint32_t storer[] = {LI(20, 1000), STW(9, 8, 0), ADDIC_(20, 20, -1), BNE(-8), M_HCALL};
	/* r7 + 1, to r10; far away r7 + 1, back: each round is two regions, beside which there are stores */
	const uint32_t first[] = {ADDIC_(7, 7, 1), STW(7, 10, 0), B(0x100 - 8)};
	const uint32_t second[] = {ADDIC_(7, 7, 1), B(-0x104)};
	const uint32_t *rounds = (const uint32_t *)(m.ram + FLAG);

	(void)state;
	machine_code(&m, STORER, storer, ARRAY_SIZE(storer));
	machine_code(&m, CODE, first, ARRAY_SIZE(first));
	machine_code(&m, CODE + 0x100, second, ARRAY_SIZE(second));
	for (unsigned n = 0; n < 3; n++) {
		const struct timespec pause = {0, 1000000};
		pthread_t thread[3];
		void *kicked;

		enough = false;
		st_le32(m.ram + FLAG, 0);
		p9_regs(m.cpu[0])->gpr[8] = CODE + BESIDE;
		p9_regs(m.cpu[1])->gpr[7] = 0;
		p9_regs(m.cpu[1])->gpr[10] = FLAG;
		assert_int_equal(pthread_create(&thread[0], NULL, store_all_the_time, NULL), 0);
		assert_int_equal(pthread_create(&thread[1], NULL, invalidate_all_the_time, NULL), 0);
		assert_int_equal(pthread_create(&thread[2], NULL, run_for_ever, m.cpu[1]), 0);
		alarm(HANGS);
		while (__atomic_load_n(rounds, __ATOMIC_RELAXED) < 20)
			nanosleep(&pause, NULL);
		cpu_kick(m.cpu[1]);
		pthread_join(thread[2], &kicked);
		alarm(0);
		enough = true;
		pthread_join(thread[0], NULL);
		pthread_join(thread[1], NULL);
		assert_non_null(kicked);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_by_another),
		T(test_by_itself),
		T(test_meanwhile),
		T(test_between_two),
	};

	return machine_run_tests(tests);
}
