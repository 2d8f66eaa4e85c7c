/*
 * Calls and returns, those that nest and those that do not: what remembers where calls return to must not be taken in by
 * the latter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <unistd.h>

#include "cpu/cpu.h"
#include "power9_machine.h"

#define MSR_BASE (P9_MSR_SF | P9_MSR_LE | P9_MSR_ME)
#define STACK	 UINT64_C(0x180000)
#define TIMES	 20

#define ADDI(rt, ra, imm)   (14u << 26 | (rt) << 21 | (ra) << 16 | ((imm) & 0xffff))
#define ADDIC_(rt, ra, imm) (13u << 26 | (rt) << 21 | (ra) << 16 | ((imm) & 0xffff))
#define LD(rt, ra, d)	    (58u << 26 | (rt) << 21 | (ra) << 16 | (d))
#define STD(rs, ra, d)	    (62u << 26 | (rs) << 21 | (ra) << 16 | (d))
#define STW(rs, ra, d)	    (36u << 26 | (rs) << 21 | (ra) << 16 | (d))
#define MFLR(rt)	    (31u << 26 | (rt) << 21 | 8u << 16 | 339u << 1)
#define MTLR(rs)	    (31u << 26 | (rs) << 21 | 8u << 16 | 467u << 1)
#define MTCTR(rs)	    (31u << 26 | (rs) << 21 | 9u << 16 | 467u << 1)
#define ICBI(rb)	    (31u << 26 | (rb) << 11 | 982u << 1)
#define BL(off)		    (0x48000001u | ((off) & 0x3fffffcu))
#define BEQ(off)	    (16u << 26 | 12u << 21 | 2u << 16 | ((off) & 0xfffc))
#define BLE(off)	    (16u << 26 | 4u << 21 | 1u << 16 | ((off) & 0xfffc))
#define BNE(off)	    (16u << 26 | 4u << 21 | 2u << 16 | ((off) & 0xfffc))
#define BLR		    0x4e800020u
#define BCTRL		    0x4e800421u
#define ISYNC		    0x4c00012cu
#define TRAP		    0x7fe00008u

static struct machine m;

static int setup(void **state)
{
	struct p9_regs *r;

	(void)state;
	machine_create(&m, 1);
	r = p9_regs(m.cpu[0]);
	r->msr = MSR_BASE;
	r->gpr[1] = STACK;
	p9_state_changed(m.cpu[0]);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_destroy(&m);
	return 0;
}

static struct p9_regs *run(void)
{
	assert_int_equal(machine_run(&m, 0, M_CODE), P9_VEC_SYSCALL);
	return p9_regs(m.cpu[0]);
}

#define CODE(at, ...)                                                        \
	do {                                                                 \
		const uint32_t words[] = {__VA_ARGS__};                      \
		machine_code(&m, M_CODE + (at), words, ARRAY_SIZE(words));   \
	} while (0)

/* The function lies in the same block, in another one, or in another page. */
static void test_recursion(void **state)
{
	static const uint32_t at[] = {0x100, 0x2100, 0x20100};

	(void)state;
	for (unsigned k = 0; k < ARRAY_SIZE(at); k++) {
		CODE(0, BL(at[k]), M_HCALL);
		CODE(at[k], MFLR(0), STD(0, 1, 0), ADDI(1, 1, -16), ADDIC_(3, 3, -1), BEQ(12), BL(-20), ADDI(4, 4, 1),
		     ADDI(1, 1, 16), LD(0, 1, 0), MTLR(0), BLR);
		for (unsigned depth = 1; depth < 400; depth = depth * 2 + 1) {
			for (unsigned n = 0; n < TIMES; n++) {
				struct p9_regs *r = p9_regs(m.cpu[0]);

				r->gpr[3] = depth;
				r->gpr[4] = 0;
				run();
				assert_int_equal(r->gpr[4], depth - 1);
				assert_int_equal(r->gpr[1], STACK);
			}
		}
	}
}

/* To the instruction behind the next. */
static void test_elsewhere(void **state)
{
	(void)state;
	CODE(0, BL(0x100), ADDI(4, 4, 100), ADDI(4, 4, 1), M_HCALL);
	CODE(0x100, MFLR(5), ADDI(5, 5, 4), MTLR(5), BLR);
	for (unsigned n = 1; n < TIMES; n++)
		assert_int_equal(run()->gpr[4], n);
}

/* Over the one that called: what that had left is there when others return. */
static void test_unwinding(void **state)
{
	(void)state;
	CODE(0, BL(0x100), ADDI(6, 6, 1), BL(0x300), ADDI(6, 6, 16), M_HCALL);
	CODE(0x100, MFLR(30), BL(0x100 - 4), ADDI(4, 4, 1), MTLR(30), BLR);
	CODE(0x200, MTLR(30), BLR);
	CODE(0x308, ADDI(7, 7, 1), BLR);
	for (unsigned n = 1; n < TIMES; n++) {
		struct p9_regs *r = run();

		assert_int_equal(r->gpr[4], 0);
		assert_int_equal(r->gpr[6], 17 * n);
		assert_int_equal(r->gpr[7], n);
	}
}

/* Calls that nobody returns from, in all ways to call. */
static void test_no_return(void **state)
{
	(void)state;
	CODE(0, BL(8), TRAP, ADDIC_(3, 3, -1), BNE(-12), M_HCALL);
	p9_regs(m.cpu[0])->gpr[3] = 300000;
	assert_int_equal(run()->gpr[3], 0);
	CODE(0x1000, MTCTR(5), BCTRL, TRAP, ADDIC_(3, 3, -1), BNE(-16), M_HCALL);
	p9_regs(m.cpu[0])->gpr[3] = 300000;
	p9_regs(m.cpu[0])->gpr[5] = M_CODE + 0x100c;
	assert_int_equal(machine_run(&m, 0, M_CODE + 0x1000), P9_VEC_SYSCALL);
	assert_int_equal(p9_regs(m.cpu[0])->gpr[3], 0);
}

/* What is returned to is written by who returns. */
static void test_changed(void **state)
{
	struct p9_regs *r = p9_regs(m.cpu[0]);

	(void)state;
	CODE(0, BL(0x100), ADDI(4, 4, 1), M_HCALL);
	CODE(0x100, MFLR(30), BL(0x100 - 4), MTLR(30), BLR);
	CODE(0x200, STW(10, 22, 4), ICBI(23), ISYNC, BLR);
	r->gpr[22] = M_CODE;
	r->gpr[23] = M_CODE + 4;
	for (unsigned n = 1; n < TIMES; n++) {
		r->gpr[4] = 0;
		r->gpr[10] = ADDI(4, 4, n);
		run();
		assert_int_equal(r->gpr[4], n);
	}
}

static void *kick(void *arg)
{
	(void)arg;
	usleep(100000);
	cpu_kick(m.cpu[0]);
	return NULL;
}

/*
 * Each function calls the next three times, all forwards, while r31 counts down: this takes for ever, but for whoever
 * asks. First so briefly that all has been run, and leads directly to what comes next.
 */
static void test_kick(void **state)
{
	enum { FIRST = 2, LAST = 30 }; /* registers for LR */
	enum { SIZE = 0x80 };	       /* so that each is a region */
	pthread_t thread;

	(void)state;
	CODE(0, BL(0x40), M_HCALL);
	for (unsigned n = FIRST; n < LAST; n++)
		CODE(0x40 + SIZE * (n - FIRST), MFLR(n), ADDIC_(31, 31, -1), BLE(16), BL(SIZE - 12), BL(SIZE - 16),
		     BL(SIZE - 20), MTLR(n), BLR);
	CODE(0x40 + SIZE * (LAST - FIRST), BLR);
	for (unsigned n = 0; n < TIMES; n++) {
		p9_regs(m.cpu[0])->gpr[31] = LAST;
		run();
	}
	p9_regs(m.cpu[0])->gpr[31] = UINT64_C(1) << 60;
	p9_set_pc(m.cpu[0], M_CODE);
	for (unsigned n = 0; n < 4; n++) {
		assert_int_equal(pthread_create(&thread, NULL, kick, NULL), 0);
		alarm(30);
		assert_int_equal(cpu_run(m.cpu[0]), CPU_EXIT_KICK);
		alarm(0);
		pthread_join(thread, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_recursion, setup, teardown),
		cmocka_unit_test_setup_teardown(test_elsewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unwinding, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_return, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kick, setup, teardown),
	};

	return machine_run_tests(tests);
}
