/*
 * Two processors that count at one place: conditional stores and atomic operations of all sizes lose nothing of each other's, nor
 * of plain stores right beside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "cpu/cpu.h"
#include "mem/endian.h"
#include "power9_machine.h"

#define DATA   UINT64_C(0x800000) /* what is counted at, of 16 bytes; behind it a byte of each processor's own */
#define ARRIVE UINT64_C(0x900000) /* so many processors are there */
#define OTHER  UINT64_C(0xa00000)
#define COUNT  150000u
#define FEWER  15000u /* where each store takes a while */
#define MOST   16     /* words of a program */

#define X(xo, rt, ra, rb)   (UINT32_C(31) << 26 | (uint32_t)(rt) << 21 | (uint32_t)(ra) << 16 | (uint32_t)(rb) << 11 | (uint32_t)(xo) << 1)
#define D(op, rt, ra, d)    ((uint32_t)(op) << 26 | (uint32_t)(rt) << 21 | (uint32_t)(ra) << 16 | ((d) & 0xffff))
#define ADDI(rt, ra, i)	    D(14, rt, ra, i)
#define LBZ(rt, d, ra)	    D(34, rt, ra, d)
#define STB(rs, d, ra)	    D(38, rs, ra, d)
#define LD(rt, d, ra)	    D(58, rt, ra, d)
#define CMPDI(ra, i)	    D(11, 1, ra, i)
#define BNE(d)		    D(16, 4, 2, d)
#define BDNZ(d)		    D(16, 16, 0, d)
#define LWAT_ADD(rt, ra)    X(582, rt, ra, 0)
#define STDAT_ADD(rs, ra)   X(742, rs, ra, 0)

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

static void *run(void *cpu)
{
	enum cpu_exit exit;

	p9_set_pc(cpu, M_CODE);
	do
		exit = cpu_run(cpu);
	while (exit == CPU_EXIT_KICK);
	return (void *)(uintptr_t)(exit == CPU_EXIT_HYPERVISOR);
}

/*
 * Both run those words so often, once both are there. r4: DATA, r10: their own byte, r12: OTHER, r13: 1; r5, r8, r9 and r11 are
 * free. What was counted in all.
 */
static uint64_t count(const uint32_t *words, unsigned n, unsigned times)
{
	const uint32_t arrive[] = {
		STDAT_ADD(13, 14), LD(5, 0, 14), CMPDI(5, 2), BNE(-8),
	};
	const uint32_t own[] = {
		LBZ(11, 0, 10), ADDI(11, 11, 1), STB(11, 0, 10), BDNZ(-(int)(n + 3) * 4), M_HCALL,
	};
	uint32_t program[MOST];
	pthread_t thread[2];
	unsigned k = 0;

	assert_true(ARRAY_SIZE(arrive) + n + ARRAY_SIZE(own) <= MOST);
	for (unsigned i = 0; i < ARRAY_SIZE(arrive); i++)
		program[k++] = arrive[i];
	for (unsigned i = 0; i < n; i++)
		program[k++] = words[i];
	for (unsigned i = 0; i < ARRAY_SIZE(own); i++)
		program[k++] = own[i];
	machine_code(&m, M_CODE, program, k);
	memset(m.ram + DATA, 0, 32);
	st_le64(m.ram + ARRIVE, 0);
	for (unsigned c = 0; c < 2; c++) {
		struct p9_regs *r = p9_regs(m.cpu[c]);

		r->gpr[4] = DATA;
		r->gpr[10] = DATA + 16 + c;
		r->gpr[12] = OTHER;
		r->gpr[13] = 1;
		r->gpr[14] = ARRIVE;
		r->ctr = times;
		assert_int_equal(pthread_create(&thread[c], NULL, run, m.cpu[c]), 0);
	}
	for (unsigned c = 0; c < 2; c++) {
		void *ok;

		pthread_join(thread[c], &ok);
		assert_non_null(ok);
		assert_int_equal(p9_regs(m.cpu[c])->ctr, 0);
		assert_int_equal(m.ram[DATA + 16 + c], times & 0xff);
	}
	return ld_le64(m.ram + DATA) + ld_le64(m.ram + DATA + 8);
}

static void test_conditional_stores(void **state)
{
	static const struct {
		uint64_t max;
		unsigned load, store;
	} form[] = {
		{UINT8_MAX, 52, 694},  {UINT16_MAX, 116, 726}, {UINT32_MAX, 20, 150},
		{UINT64_MAX, 84, 214}, {UINT64_MAX, 276, 182},
	};

	(void)state;
	for (unsigned f = 0; f < ARRAY_SIZE(form); f++) {
		const uint32_t words[] = {X(form[f].load, 8, 0, 4), ADDI(9, 9, 1), X(form[f].store, 8, 0, 4) | 1, BNE(-12)};
		const bool quad = form[f].load == 276;
		uint32_t program[ARRAY_SIZE(words)];

		/* The register that is stored, or the second of the two. */
		memcpy(program, words, sizeof(words));
		if (!quad)
			program[1] = ADDI(8, 8, 1);
		assert_int_equal(count(program, ARRAY_SIZE(program), quad ? FEWER : COUNT),
				 (quad ? FEWER : COUNT) * 2 & form[f].max);
	}
}

/* With something in between, which is not one operation then. */
static void test_with_loads(void **state)
{
	const uint32_t words[] = {X(84, 8, 0, 4), LD(9, 0, 12), ADDI(8, 8, 1), X(214, 8, 0, 4) | 1, BNE(-16)};

	(void)state;
	assert_int_equal(count(words, ARRAY_SIZE(words), FEWER), 2 * FEWER);
}

static void test_atomic_operations(void **state)
{
	const uint32_t stores[] = {STDAT_ADD(13, 4)};
	/* r9 is added, r8 was there. */
	const uint32_t loads[] = {ADDI(9, 0, 1), LWAT_ADD(8, 4)};

	(void)state;
	assert_int_equal(count(stores, ARRAY_SIZE(stores), COUNT), 2 * COUNT);
	assert_int_equal(count(loads, ARRAY_SIZE(loads), COUNT), 2 * COUNT);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_conditional_stores),
		T(test_with_loads),
		T(test_atomic_operations),
	};

	return machine_run_tests(tests);
}
