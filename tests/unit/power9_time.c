/*
 * The time base, the decrementer and its interrupt in order: a program that has seen the time at which the decrementer
 * passes zero, by whichever register, has its interrupt before it does anything else that it is enabled for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "power9_machine.h"

#define MSR_BASE (P9_MSR_SF | P9_MSR_LE | P9_MSR_ME)
#define ROUNDS	 200

#define LI(rt, imm)    (14u << 26 | (rt) << 21 | (imm))
#define MFSPR(rt, spr) (31u << 26 | (rt) << 21 | ((spr) & 31) << 16 | (spr) >> 5 << 11 | 339u << 1)
#define MFTB(rt)       (31u << 26 | (rt) << 21 | (268 & 31u) << 16 | (268u >> 5) << 11 | 371u << 1)
#define MFDEC(rt)      MFSPR(rt, 22u)
#define CMPD(ra, rb)   (31u << 26 | 1u << 21 | (ra) << 16 | (rb) << 11)
#define CMPLD(ra, rb)  (CMPD(ra, rb) | 32u << 1)
#define BC(bo, bi, d)  (16u << 26 | (bo) << 21 | (bi) << 16 | ((d) & 0xfffc))
#define BGE(d)	       BC(4u, 0u, d)
#define BLE(d)	       BC(4u, 1u, d)
#define EE_ON	       0x7cc10164u /* mtmsrd r6,1 */

static struct machine m;

static int setup(void **state)
{
	/* r31 = SRR0 */
	const uint32_t handler[] = {MFSPR(31, 26u), M_HCALL};

	(void)state;
	machine_create(&m, 1);
	for (unsigned v = 0x100; v < 0x1000; v += 0x20)
		machine_code(&m, v, handler, 2);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_destroy(&m);
	return 0;
}

/* Run those words with some time until the decrementer passes zero: r7 is the time base when it is at zero, r8 is 0. */
static void start(const uint32_t *words, unsigned n, uint64_t ee, unsigned round)
{
	struct p9_regs *r = p9_regs(m.cpu[0]);

	if (!round)
		machine_code(&m, M_CODE, words, n);
	r->msr = MSR_BASE | ee;
	p9_state_changed(m.cpu[0]);
	r->gpr[3] = r->gpr[5] = r->gpr[8] = 0;
	r->gpr[6] = P9_MSR_EE;
	p9_dec_set(m.cpu[0], round * 97 % 20000);
	r->gpr[7] = r->dec_expires;
	assert_int_equal(machine_run(&m, 0, M_CODE), P9_VEC_SYSCALL);
	/* In its handler, not behind the words. */
	assert_int_equal(p9_pc(m.cpu[0]) - 8, P9_VEC_DECREMENTER);
}

/* EE is off until it has passed. */
static void held_up(const uint32_t *words, unsigned n)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		start(words, n, 0, round);
		assert_int_equal(p9_regs(m.cpu[0])->gpr[3], 1);
		assert_int_equal(p9_regs(m.cpu[0])->gpr[31], M_CODE + 4 * (n - 2));
	}
}

static void test_decrementer_then_ee(void **state)
{
	const uint32_t words[] = {MFDEC(5), CMPD(5, 8), BGE(-8), LI(3, 1), EE_ON, LI(3, 2), M_HCALL};

	(void)state;
	held_up(words, ARRAY_SIZE(words));
}

static void test_time_base_then_ee(void **state)
{
	const uint32_t words[] = {MFTB(5), CMPLD(5, 7), BLE(-8), LI(3, 1), EE_ON, LI(3, 2), M_HCALL};

	(void)state;
	held_up(words, ARRAY_SIZE(words));
}

/* EE is on: whoever reads such a time has read it last of all. */
static void not_held_up(const uint32_t *words, unsigned n)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		start(words, n, P9_MSR_EE, round);
		assert_int_equal(p9_regs(m.cpu[0])->gpr[3], 0);
		assert_in_range(p9_regs(m.cpu[0])->gpr[31], M_CODE, M_CODE + 8);
	}
}

static void test_decrementer_with_ee(void **state)
{
	const uint32_t words[] = {MFDEC(5), CMPD(5, 8), BGE(-8), LI(3, 2), M_HCALL};

	(void)state;
	not_held_up(words, ARRAY_SIZE(words));
}

static void test_time_base_with_ee(void **state)
{
	const uint32_t words[] = {MFTB(5), CMPLD(5, 7), BLE(-8), LI(3, 2), M_HCALL};

	(void)state;
	not_held_up(words, ARRAY_SIZE(words));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_decrementer_then_ee), T(test_time_base_then_ee),
		T(test_decrementer_with_ee), T(test_time_base_with_ee),
	};

	return machine_run_tests(tests);
}
