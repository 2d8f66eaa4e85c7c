/*
 * Loops that a guest never leaves, of every kind that goes on by itself: a kick ends each soon, and the decrementer's
 * interrupt is taken in each, however it is executed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "cpu/cpu.h"
#include "power9_machine.h"

#define MSR_BASE (P9_MSR_SF | P9_MSR_LE | P9_MSR_ME)
#define DATA	 UINT64_C(0x100000)
#define BLOCK	 0x1000
#define PAGE	 0x10000
#define LONGEST	 5
#define KICKS	 4
#define HANGS	 60   /* seconds, after which nothing will come any more */
#define SOON	 0.05 /* seconds, for the best of them: a busy host may take longer for one */

#define ADDI(rt, ra, imm)   (14u << 26 | (rt) << 21 | (ra) << 16 | ((imm) & 0xffff))
#define ADDIC_(rt, ra, imm) (13u << 26 | (rt) << 21 | (ra) << 16 | ((imm) & 0xffff))
#define ANDI_(ra, rs, imm)  (28u << 26 | (rs) << 21 | (ra) << 16 | (imm))
#define LDX(rt, ra, rb)	    (31u << 26 | (rt) << 21 | (ra) << 16 | (rb) << 11 | 21u << 1)
#define STDX(rs, ra, rb)    (31u << 26 | (rs) << 21 | (ra) << 16 | (rb) << 11 | 149u << 1)
#define STW(rs, ra, d)	    (36u << 26 | (rs) << 21 | (ra) << 16 | (d))
#define LWARX(rt, rb)	    (31u << 26 | (rt) << 21 | (rb) << 11 | 20u << 1)
#define STWCX_(rs, rb)	    (31u << 26 | (rs) << 21 | (rb) << 11 | 150u << 1 | 1)
#define ICBI(rb)	    (31u << 26 | (rb) << 11 | 982u << 1)
#define MTSPR(spr, rs)	    (31u << 26 | (rs) << 21 | ((spr) & 31u) << 16 | ((spr) >> 5) << 11 | 467u << 1)
#define MTLR(rs)	    MTSPR(8u, rs)
#define MTCTR(rs)	    MTSPR(9u, rs)
#define MTDEC(rs)	    MTSPR(22u, rs)
#define MTMSRD_EE(rs)	    (31u << 26 | (rs) << 21 | 1u << 16 | 178u << 1)
#define B(off)		    (0x48000000u | ((off) & 0x3fffffcu))
#define BL(off)		    (B(off) | 1)
#define BNE(off)	    (16u << 26 | 4u << 21 | 2u << 16 | ((off) & 0xfffc))
#define BDNZ(off)	    (16u << 26 | 16u << 21 | ((off) & 0xfffc))
#define BCTR		    0x4e800420u
#define BLR		    0x4e800020u
#define SC		    0x44000002u
#define TRAP		    0x7fe00008u
#define RFID		    0x4c000024u
#define ISYNC		    0x4c00012cu

static struct machine m;

/* r6 is EE, r7 0, r8 and r9 are DATA and some way on, r10 an instruction, r22 M_CODE, r23 large. */
static const struct loop {
	const char *what;
	uint32_t words[LONGEST];  /* at M_CODE */
	uint32_t block, page;     /* a block further, and a page of 64 KiB */
	bool no_decrementer;
} loop[] = {
	{"b", {B(0)}},
	{"bdnz", {MTCTR(23), BDNZ(0), B(-8)}},
	{"bne", {ADDIC_(3, 3, 1), BNE(-4), B(-8)}},
	{"bl", {BL(0)}},
	{"bctr", {MTCTR(22), BCTR}},
	{"blr", {MTLR(22), BLR}},
	{"call", {BL(BLOCK), B(-4)}, BLR},
	{"far call", {BL(PAGE), B(-4)}, 0, BLR},
	{"blocks", {B(BLOCK)}, B(-BLOCK)},
	{"block and page", {B(BLOCK)}, B(PAGE - BLOCK), B(-PAGE)},
	{"loads and stores", {ADDI(3, 3, 24), ANDI_(5, 3, 0xfff8), LDX(4, 8, 5), STDX(4, 9, 5), B(-16)}},
	{"reservations", {LWARX(4, 8), STWCX_(4, 9), B(-8)}},
	{"reservations that others lose", {LWARX(4, 8), STW(4, 8, 4), STWCX_(4, 8), BNE(-12), B(-16)}},
	{"system calls", {SC, B(-4)}},
	{"traps", {TRAP}},
	{"rfid", {MTSPR(26u, 22), MTSPR(27u, 24), RFID}},
	{"EE", {MTMSRD_EE(7), MTMSRD_EE(6), B(-8)}},
	{"isync", {ISYNC, B(-4)}},
	{"icbi", {ICBI(22), B(-4)}},
	{"own code", {STW(10, 22, 8), ISYNC, ADDI(3, 3, 1), B(-12)}},
	{"mtdec", {MTDEC(23), B(-4)}, .no_decrementer = true},
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void prepare(const struct loop *l)
{
	const uint32_t back = RFID, end = M_HCALL;
	struct p9_regs *r;

	machine_create(&m, 1);
	machine_code(&m, P9_VEC_PROGRAM, &back, 1);
	machine_code(&m, P9_VEC_SYSCALL, &back, 1);
	machine_code(&m, P9_VEC_DECREMENTER, &end, 1);
	machine_code(&m, M_CODE, l->words, LONGEST);
	machine_code(&m, M_CODE + BLOCK, &l->block, 1);
	machine_code(&m, M_CODE + PAGE, &l->page, 1);
	r = p9_regs(m.cpu[0]);
	r->gpr[6] = P9_MSR_EE;
	r->gpr[8] = DATA;
	r->gpr[9] = DATA + 0x20000;
	r->gpr[10] = ADDI(3, 3, 1);
	r->gpr[22] = M_CODE;
	r->gpr[23] = UINT64_C(1) << 54;
	r->gpr[24] = r->msr = MSR_BASE | P9_MSR_EE;
	p9_state_changed(m.cpu[0]);
	p9_set_pc(m.cpu[0], M_CODE);
}

struct kick {
	pthread_t thread;
	unsigned after; /* microseconds */
	double at;
};

static void *kick(void *arg)
{
	struct kick *k = arg;

	usleep(k->after);
	k->at = now();
	cpu_kick(m.cpu[0]);
	return NULL;
}

static void test_kick(void **state)
{
	(void)state;
	for (const struct loop *l = loop; l < loop + ARRAY_SIZE(loop); l++) {
		double best = HANGS;

		prepare(l);
		p9_dec_set(m.cpu[0], UINT64_C(1) << 54);
		for (unsigned n = 0; n < KICKS; n++) {
			struct kick k = {.after = 200u << 2 * n};
			double took;

			alarm(HANGS);
			assert_int_equal(pthread_create(&k.thread, NULL, kick, &k), 0);
			if (cpu_run(m.cpu[0]) != CPU_EXIT_KICK)
				fail_msg("%s: left, vector %x, pc %llx", l->what, p9_exit_vector(m.cpu[0]), (unsigned long long)p9_pc(m.cpu[0]));
			took = now();
			pthread_join(k.thread, NULL);
			alarm(0);
			took -= k.at;
			best = took < best ? took : best;
		}
		if (best > SOON)
			fail_msg("%s: a kick takes %.3f s", l->what, best);
		machine_destroy(&m);
	}
}

static void test_decrementer(void **state)
{
	(void)state;
	for (const struct loop *l = loop; l < loop + ARRAY_SIZE(loop); l++) {
		if (l->no_decrementer)
			continue;
		for (unsigned n = 0; n < KICKS; n++) {
			prepare(l);
			alarm(HANGS);
			p9_dec_set(m.cpu[0], P9_TB_HZ / 5000 << 2 * n);
			if (machine_run(&m, 0, M_CODE) != P9_VEC_SYSCALL ||
			    p9_pc(m.cpu[0]) != P9_VEC_DECREMENTER + 4)
				fail_msg("%s: no decrementer interrupt", l->what);
			alarm(0);
			machine_destroy(&m);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kick),
		cmocka_unit_test(test_decrementer),
	};

	return machine_run_tests(tests);
}
