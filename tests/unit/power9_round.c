/*
 * Rounding by FPSCR[RN] in a processor that is run: what its host sets holds from the next run on, what the program sets
 * from the next instruction on, and the host's own rounding is as it was when the processor is left.
 */
#include <fenv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cpu/cpu.h"
#include "cpu/power9/fpu.h"
#include "power9_machine.h"
#include "util/compiler.h"

#define FADD(t, a, b)	(63u << 26 | (t) << 21 | (a) << 16 | (b) << 11 | 21u << 1)
#define FSUB(t, a, b)	(63u << 26 | (t) << 21 | (a) << 16 | (b) << 11 | 20u << 1)
#define VADDFP(t, a, b) (4u << 26 | (t) << 21 | (a) << 16 | (b) << 11 | 10u)
#define MTFSFI_RN(rn)	(63u << 26 | 7u << 23 | (rn) << 12 | 134u << 1)
#define BDNZ(off)	(16u << 26 | 16u << 21 | ((off) & 0xfffc))

#define ONE    UINT64_C(0x3ff0000000000000)
#define LITTLE UINT64_C(0x3c30000000000000) /* 2^-60 */

static const uint64_t sum[] = {ONE, ONE, ONE + 1, ONE};
static const uint64_t none[] = {0, 0, 0, UINT64_C(1) << 63};

static uint64_t fpr(const struct p9_regs *r, unsigned n)
{
	return (uint64_t)(r->vsr[n] >> 64);
}

static void test_round(void **state)
{
	struct machine m;

	(void)state;
	for (unsigned by_program = 0; by_program < 4; by_program++) {
		const uint32_t code[] = {FADD(3u, 1u, 2u), VADDFP(8u, 6u, 7u), BDNZ(-8), MTFSFI_RN(by_program),
					 FADD(4u, 1u, 2u), FSUB(5u, 1u, 1u), M_HCALL};
		struct p9_regs *r;

		machine_create(&m, 1);
		machine_code(&m, M_CODE, code, ARRAY_SIZE(code));
		r = p9_regs(m.cpu[0]);
		r->msr |= P9_MSR_FP | P9_MSR_VEC;
		for (unsigned n = 0; n < 8; n++) {
			r->vsr[1] = (u128)ONE << 64;
			r->vsr[2] = (u128)LITTLE << 64;
			r->vsr[38] = (u128)0x3f800000;
			r->vsr[39] = (u128)0x30000000;
			r->ctr = 4;
			r->fpscr = n % 4;
			p9_state_changed(m.cpu[0]);
			assert_int_equal(machine_run(&m, 0, M_CODE), P9_VEC_SYSCALL);
			assert_int_equal(fegetround(), FE_TONEAREST);
			assert_int_equal(fpr(r, 3), sum[n % 4]);
			assert_int_equal(fpr(r, 4), sum[by_program]);
			assert_int_equal(fpr(r, 5), none[by_program]);
			/* VMX always rounds to nearest. */
			assert_int_equal((uint64_t)r->vsr[40], 0x3f800000);
			/* The last one was exact. */
			assert_int_equal(r->fpscr, P9_FPSCR_FX | P9_FPSCR_XX | P9_FPSCR_FE | by_program |
						 (by_program == 3 ? P9_FPSCR_C : 0));
		}
		machine_destroy(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
	};

	return machine_run_tests(tests);
}
