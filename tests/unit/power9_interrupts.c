/*
 * Interrupts, MSR moves, time facilities, special registers: what the supervisor's handlers find.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "cpu/power9/cr.h"
#include "mem/endian.h"
#include "power9_machine.h"

#define AIL3 UINT64_C(0xc000000000004000)

static struct machine m;

static uint32_t mfspr(unsigned rt, unsigned spr)
{
	return 0x7c0002a6u | rt << 21 | (spr & 31) << 16 | (spr >> 5) << 11;
}

static uint32_t mtspr(unsigned spr, unsigned rs)
{
	return 0x7c0003a6u | rs << 21 | (spr & 31) << 16 | (spr >> 5) << 11;
}

static int setup(void **state)
{
	/* r31 = SRR0, r30 = SRR1, r29 = MSR of the handler */
	const uint32_t handler[] = { mfspr(31, 26), mfspr(30, 27), 0x7fa000a6u, M_HCALL };

	(void)state;
	machine_create(&m, 1);
	for (unsigned v = 0x100; v < 0x1000; v += 0x20)
		machine_code(&m, v, handler, 4);
	for (unsigned lev = 0; lev < 128; lev++)
		machine_code(&m, 0x17000 + 0x20 * lev, handler, 4);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_destroy(&m);
	return 0;
}

static struct p9_regs *regs(void)
{
	return p9_regs(m.cpu[0]);
}

static void set_msr(uint64_t msr)
{
	regs()->msr = msr;
	p9_state_changed(m.cpu[0]);
}

#define MSR_BASE (P9_MSR_SF | P9_MSR_LE | P9_MSR_ME)

/* Run words in supervisor real mode (or as set); returns the handler's address, 0 for plain sc 1. */
static uint64_t run(const uint32_t *words, unsigned n, uint64_t msr)
{
	uint64_t pc;

	machine_code(&m, M_CODE, words, n);
	set_msr(msr);
	assert_int_equal(machine_run(&m, 0, M_CODE), P9_VEC_SYSCALL);
	pc = p9_pc(m.cpu[0]);
	return pc >= M_CODE && pc < M_CODE + 4 * n + 4 ? 0 : pc - 16;
}

#define RUN(msr, ...)                                                                              \
	run((const uint32_t[]){ __VA_ARGS__, M_HCALL },                                            \
	    sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4 + 1, msr)

/* Problem state with one-to-one mapped code. */
static uint64_t user_msr(void)
{
	machine_process(&m, 0);
	machine_process(&m, 1);
	machine_map(&m, 1, 0, 0, 21, 7);
	regs()->pidr = 1;
	return MSR_BASE | P9_MSR_PR | P9_MSR_EE | P9_MSR_IR | P9_MSR_DR;
}

/* sc 0 from problem state */
static void test_system_call(void **state)
{
	uint64_t user;

	(void)state;
	user = user_msr();
	assert_int_equal(RUN(user | P9_MSR_RI, 0x44000002u), P9_VEC_SYSCALL);
	assert_int_equal(regs()->gpr[31], M_CODE + 4);
	assert_int_equal(regs()->gpr[30], user | P9_MSR_RI);
	/* EE, PR, IR, DR, RI off; ME kept; LE by ILE */
	assert_int_equal(regs()->gpr[29], MSR_BASE);
}

static void test_alternate_location(void **state)
{
	const uint32_t handler[] = { mfspr(31, 26), mfspr(30, 27), 0x7fa000a6u, M_HCALL };
	uint64_t user = user_msr();

	(void)state;
	machine_map(&m, 0, UINT64_C(0xc000000000000000), 0, 21, 15);
	machine_code(&m, 0x4c00, handler, 4);
	regs()->lpcr |= P9_LPCR_AIL;
	assert_int_equal(RUN(user, 0x44000002u), AIL3 + P9_VEC_SYSCALL);
	assert_int_equal(regs()->gpr[29], MSR_BASE | P9_MSR_IR | P9_MSR_DR);
	/* not when relocation was off */
	assert_int_equal(RUN(MSR_BASE, 0x44000002u), P9_VEC_SYSCALL);
}

/* scv 3: entered through the vector's own entry point, with LR and CTR for SRR0 and SRR1 */
static void test_scv(void **state)
{
	uint64_t user = user_msr();

	(void)state;
	/* without FSCR[SCV]: facility unavailable, cause 12 */
	regs()->fscr = 0;
	assert_int_equal(RUN(user, 0x44000061u), P9_VEC_FAC_UNAVAILABLE);
	assert_int_equal(regs()->fscr >> 56, P9_FSCR_SCV);
	assert_int_equal(regs()->gpr[31], M_CODE);
	regs()->fscr = UINT64_C(1) << P9_FSCR_SCV;
	assert_int_equal(RUN(user, 0x44000061u), 0x17000 + 3 * 0x20);
	assert_int_equal(regs()->lr, M_CODE + 4);
	assert_int_equal(regs()->ctr, user);
	assert_int_equal(regs()->gpr[29], MSR_BASE | P9_MSR_EE);
}

static void test_program(void **state)
{
	uint64_t user = user_msr();

	(void)state;
	/* twi 31,r0,0 */
	assert_int_equal(RUN(MSR_BASE, 0x0fe00000u), P9_VEC_PROGRAM);
	assert_int_equal(regs()->gpr[30] & 0x783f0000u, 0x00020000u);
	assert_int_equal(regs()->gpr[31], M_CODE);
	/* mtmsrd in problem state; hrfid even in supervisor state */
	assert_int_equal(RUN(user, 0x7c600164u), P9_VEC_PROGRAM);
	assert_int_equal(regs()->gpr[30] & 0x783f0000u, 0x00040000u);
	assert_int_equal(RUN(MSR_BASE, 0x4c000224u), P9_VEC_PROGRAM);
	assert_int_equal(regs()->gpr[30] & 0x783f0000u, 0x00040000u);
}

static void test_illegal(void **state)
{
	static const uint32_t words[] = { 0, 0x00000001, 0x04000000, 0xec000000u | 1 << 1 };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		machine_code(&m, M_CODE, &words[i], 1);
		set_msr(MSR_BASE);
		assert_int_equal(machine_run(&m, 0, M_CODE), P9_VEC_HEAI);
		assert_int_equal(regs()->heir, words[i]);
		assert_int_equal(regs()->hsrr0, M_CODE);
		assert_int_equal(p9_pc(m.cpu[0]), M_CODE);
	}
}

static void test_unavailable(void **state)
{
	(void)state;
	/* fadd, vadduwm, xxlor */
	assert_int_equal(RUN(MSR_BASE, 0xfc22182au), P9_VEC_FP_UNAVAILABLE);
	assert_int_equal(RUN(MSR_BASE, 0x10221880u), P9_VEC_VEC_UNAVAILABLE);
	assert_int_equal(RUN(MSR_BASE, 0xf0221c90u), P9_VEC_VSX_UNAVAILABLE);
	/* decimal floating point (dadd) is FP's too; tbegin. has a facility of its own */
	assert_int_equal(RUN(MSR_BASE, 0xec221804u), P9_VEC_FP_UNAVAILABLE);
	regs()->hfscr |= UINT64_C(1) << P9_FSCR_TM;
	assert_int_equal(RUN(MSR_BASE, 0x7c00051du), P9_VEC_FAC_UNAVAILABLE);
	assert_int_equal(regs()->fscr >> 56, P9_FSCR_TM);
	/* the hypervisor has withdrawn it */
	regs()->hfscr &= ~(UINT64_C(1) << P9_FSCR_FP);
	const uint32_t fadd[] = { 0xfc22182au };

	machine_code(&m, M_CODE, fadd, 1);
	set_msr(MSR_BASE | P9_MSR_FP);
	assert_int_equal(machine_run(&m, 0, M_CODE), P9_VEC_HFAC_UNAVAILABLE);
	assert_int_equal(regs()->hfscr >> 56, P9_FSCR_FP);
}

/*
 * A supervisor's translations serve it with facilities and without. What asked MSR on one way has not
 * asked on another.
 */
static void test_supervisor_facilities(void **state)
{
	/* cmpdi r3,0; beq to the second of two fadd f1,f2,f3; vadduwm; sc 1 */
	const uint32_t code[] = { 0x2c230000u, 0x41820008u, 0xfc22182au, 0xfc22182au, 0x10221880u,
				  M_HCALL };
	static const struct {
		uint64_t msr, r3, pc;
	} runs[] = {
		{ 0, 1, M_CODE + 8 },
		{ 0, 0, M_CODE + 12 },
		{ P9_MSR_FP, 1, M_CODE + 16 },
		{ P9_MSR_VEC, 0, M_CODE + 12 },
		{ P9_MSR_FP | P9_MSR_VEC, 0, 0 },
		{ P9_MSR_FP | P9_MSR_VEC | P9_MSR_VSX, 1, 0 },
	};
	struct cpu_stats first, now;

	(void)state;
	machine_code(&m, M_CODE, code, 6);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned n = 0; n < sizeof(runs) / sizeof(runs[0]); n++) {
			set_msr(MSR_BASE | runs[n].msr);
			regs()->gpr[3] = runs[n].r3;
			assert_int_equal(machine_run(&m, 0, M_CODE), P9_VEC_SYSCALL);
			if (runs[n].pc)
				assert_int_equal(regs()->gpr[31], runs[n].pc);
			else
				assert_int_equal(p9_pc(m.cpu[0]), M_CODE + 24);
		}
		cpu_stats_read(m.cpu[0], round ? &now : &first);
	}
	assert_int_equal(now.regions_translated, first.regions_translated);
}

static void test_rfid(void **state)
{
	struct p9_regs *r = regs();
	uint64_t user = user_msr();

	(void)state;
	/* to problem state, which makes the call */
	const uint32_t sc[] = { 0x44000002u };

	machine_code(&m, M_CODE + 0x800, sc, 1);
	r->srr0 = M_CODE + 0x803; /* the low bits are ignored */
	r->srr1 = P9_MSR_SF | P9_MSR_LE | P9_MSR_PR | P9_MSR_HV | P9_MSR_S;
	assert_int_equal(RUN(MSR_BASE, 0x4c000024u), P9_VEC_SYSCALL);
	assert_int_equal(r->gpr[31], M_CODE + 0x804);
	/* PR brings EE, IR, DR; ME stays; HV and S cannot be had */
	assert_int_equal(r->gpr[30], user);
}

static void test_mtmsrd(void **state)
{
	struct p9_regs *r = regs();

	(void)state;
	/* L=1: only EE and RI */
	r->gpr[3] = UINT64_MAX & ~P9_MSR_EE;
	assert_int_equal(RUN(MSR_BASE, 0x7c610164u), 0);
	assert_int_equal(r->msr, MSR_BASE | P9_MSR_RI);
	/* L=0: not HV, S, ME, LE */
	r->gpr[3] = P9_MSR_SF | P9_MSR_FP | P9_MSR_VEC | P9_MSR_HV | P9_MSR_RI;
	assert_int_equal(RUN(MSR_BASE, 0x7c600164u), 0);
	assert_int_equal(r->msr, MSR_BASE | P9_MSR_FP | P9_MSR_VEC | P9_MSR_RI);
}

static void test_decrementer(void **state)
{
	/* mtdec r3; mtmsrd r4,1; b . */
	const uint32_t words[] = { mtspr(22, 3), 0x7c810164u, 0x48000000u };
	struct p9_regs *r = regs();

	(void)state;
	machine_code(&m, M_CODE, words, 3);
	r->gpr[3] = P9_TB_HZ / 200; /* 5 ms */
	r->gpr[4] = P9_MSR_EE;
	set_msr(MSR_BASE);
	assert_int_equal(machine_run(&m, 0, M_CODE), P9_VEC_SYSCALL);
	assert_int_equal(p9_pc(m.cpu[0]) - 16, P9_VEC_DECREMENTER);
	assert_int_equal(r->gpr[31], M_CODE + 8);
	assert_true((int64_t)p9_dec_get(r) < 0);
	/* level: with DEC still negative it comes again at once; with EE off it does not */
	set_msr(MSR_BASE | P9_MSR_EE);
	assert_int_equal(RUN(MSR_BASE | P9_MSR_EE, 0x60000000u), P9_VEC_DECREMENTER);
	assert_int_equal(RUN(MSR_BASE, 0x60000000u), 0);
	/* the 32-bit decrementer reads as 32 bits */
	r->lpcr &= ~P9_LPCR_LD;
	assert_true(p9_dec_get(r) <= UINT32_MAX);
}

/* An interrupt that waits is taken where EE is set, before anything else is done. */
static void test_waiting_for_ee(void **state)
{
	/* mtmsrd r4,1; li r3,1; mtmsrd r5,1; li r3,2; rfid; at 0x20: li r3,3; sc 1 */
	const uint32_t words[] = { 0x7c810164u, 0x38600001u, 0x7ca10164u, 0x38600002u, 0x4c000024u,
				   0x60000000u, 0x60000000u, 0x60000000u, 0x38600003u, M_HCALL };
	struct p9_regs *r = regs();

	(void)state;
	machine_code(&m, M_CODE, words, 10);
	for (unsigned n = 0; n < 16; n++) {
		unsigned where = n % 4; /* EE is set by: the first, the second, rfid, nobody */
		bool waits = n % 8 < 4;

		p9_dec_set(m.cpu[0], waits ? UINT64_MAX : P9_TB_HZ * 100);
		r->gpr[3] = 0;
		r->gpr[4] = where == 0 ? P9_MSR_EE : 0;
		r->gpr[5] = where == 1 ? P9_MSR_EE : 0;
		r->srr0 = M_CODE + 0x20;
		r->srr1 = MSR_BASE | (where == 2 ? P9_MSR_EE : 0);
		set_msr(MSR_BASE);
		assert_int_equal(machine_run(&m, 0, M_CODE), P9_VEC_SYSCALL);
		if (waits && where < 3) {
			assert_int_equal(r->gpr[3], where);
			assert_int_equal(p9_pc(m.cpu[0]) - 16, P9_VEC_DECREMENTER);
			assert_int_equal(r->gpr[31], where == 2 ? M_CODE + 0x20 : M_CODE + 4 + 8 * where);
			assert_int_equal(r->gpr[30], MSR_BASE | P9_MSR_EE);
		} else {
			assert_int_equal(r->gpr[3], 3);
			assert_int_equal(p9_pc(m.cpu[0]), M_CODE + 0x28);
		}
	}
}

static void test_hdec(void **state)
{
	const uint32_t words[] = { 0x48000000u };

	(void)state;
	machine_code(&m, M_CODE, words, 1);
	regs()->lpcr |= P9_LPCR_HDICE;
	p9_hdec_set(m.cpu[0], P9_TB_HZ / 500);
	set_msr(MSR_BASE); /* EE is off: it comes all the same */
	assert_int_equal(machine_run(&m, 0, M_CODE), P9_VEC_HDEC);
	assert_int_equal(regs()->hsrr0, M_CODE);
}

/* What writing DEC or MSR brings about comes before the next instruction; so does what passes meanwhile, in time. */
static void test_written_state(void **state)
{
	/* mtdec r4; mtmsrd r5; li r3,2; sc 1 */
	const uint32_t words[] = { mtspr(22, 4), 0x7ca00164u, 0x38600002u, M_HCALL };
	/* mtdec r4; b -4 */
	const uint32_t loop[] = { mtspr(22, 4), 0x4bfffffcu };
	struct p9_regs *r = regs();

	(void)state;
	machine_code(&m, M_CODE, words, 4);
	for (unsigned n = 0; n < 12; n++) {
		bool on = n & 1, sets = n & 2, past = n % 3;

		r->gpr[3] = 0;
		r->gpr[4] = past ? UINT64_MAX : P9_TB_HZ * 100;
		r->gpr[5] = MSR_BASE | (sets ? P9_MSR_EE : 0);
		set_msr(MSR_BASE | (on ? P9_MSR_EE : 0));
		p9_dec_set(m.cpu[0], P9_TB_HZ * 100);
		assert_int_equal(machine_run(&m, 0, M_CODE), P9_VEC_SYSCALL);
		if (past && (on || sets)) {
			assert_int_equal(r->gpr[3], 0);
			assert_int_equal(p9_pc(m.cpu[0]) - 16, P9_VEC_DECREMENTER);
			assert_int_equal(r->gpr[31], M_CODE + (on ? 4 : 8));
		} else {
			assert_int_equal(r->gpr[3], 2);
			assert_int_equal(p9_pc(m.cpu[0]), M_CODE + 16);
		}
	}
	/* The hypervisor's decrementer, which is found to have passed when DEC is written. */
	machine_code(&m, M_CODE, loop, 2);
	r->lpcr |= P9_LPCR_HDICE;
	for (unsigned n = 0; n < 20; n++) {
		r->gpr[4] = P9_TB_HZ * 100;
		p9_hdec_set(m.cpu[0], P9_TB_HZ / 2000);
		set_msr(MSR_BASE);
		assert_int_equal(machine_run(&m, 0, M_CODE), P9_VEC_HDEC);
	}
	r->lpcr &= ~P9_LPCR_HDICE;
}

/* Loops that the guest never leaves, and that set LR on the way: each can be interrupted. */
static void test_endless_call(void **state)
{
	static const struct {
		uint32_t words[2];
		uint64_t lr;
	} loop[] = {
		{{0x48000001u}, M_CODE + 4},              /* bl . */
		{{0x429f0001u}, M_CODE + 4},              /* bcl 20,31,. */
		{{0x60000000u, 0x4bfffffdu}, M_CODE + 8}, /* nop; bl .-4 */
		{{0x48010003u}, M_CODE + 4},              /* bla M_CODE */
	};

	(void)state;
	regs()->lpcr |= P9_LPCR_HDICE;
	for (unsigned n = 0; n < sizeof(loop) / sizeof(loop[0]); n++) {
		machine_code(&m, M_CODE, loop[n].words, 2);
		regs()->lr = 0;
		/* On a busy host the time may be over before the first instruction. */
		for (unsigned tries = 0; tries < 50 && !regs()->lr; tries++) {
			p9_hdec_set(m.cpu[0], P9_TB_HZ / 500);
			set_msr(MSR_BASE);
			assert_int_equal(machine_run(&m, 0, M_CODE), P9_VEC_HDEC);
		}
		assert_in_range(regs()->hsrr0, M_CODE, M_CODE + 4);
		assert_int_equal(regs()->lr, loop[n].lr);
	}
}

static void test_external(void **state)
{
	(void)state;
	p9_set_external(m.cpu[0], true);
	assert_int_equal(RUN(MSR_BASE, 0x60000000u), 0);
	assert_int_equal(RUN(MSR_BASE | P9_MSR_EE, 0x60000000u), P9_VEC_EXTERNAL);
	p9_set_external(m.cpu[0], false);
	assert_int_equal(RUN(MSR_BASE | P9_MSR_EE, 0x60000000u), 0);
}

static void test_doorbell(void **state)
{
	struct p9_regs *r = regs();

	(void)state;
	r->gpr[5] = 5 << 27;
	/* msgsndp r5, with EE: delivered behind it, once */
	assert_int_equal(RUN(MSR_BASE | P9_MSR_EE, 0x7c00291cu), P9_VEC_DOORBELL);
	assert_int_equal(r->gpr[31], M_CODE + 4);
	assert_int_equal(r->dpdes, 0);
	/* msgclrp takes it back */
	assert_int_equal(RUN(MSR_BASE, 0x7c00291cu, 0x7c00295cu), 0);
	assert_int_equal(r->dpdes, 0);
}

static void test_trace(void **state)
{
	(void)state;
	/* single step: nop, then a branch */
	assert_int_equal(RUN(MSR_BASE | P9_MSR_SE, 0x60000000u), P9_VEC_TRACE);
	assert_int_equal(regs()->gpr[31], M_CODE + 4);
	assert_int_equal(RUN(MSR_BASE | P9_MSR_SE, 0x48000010u), P9_VEC_TRACE);
	assert_int_equal(regs()->gpr[31], M_CODE + 0x10);
	/* branch trace: only the branch */
	assert_int_equal(RUN(MSR_BASE | P9_MSR_BE, 0x60000000u, 0x48000010u), P9_VEC_TRACE);
	assert_int_equal(regs()->gpr[31], M_CODE + 0x14);
}

static void test_spr(void **state)
{
	struct p9_regs *r = regs();
	uint64_t user = user_msr();

	(void)state;
	assert_int_equal(RUN(MSR_BASE, mfspr(3, 287)), 0);
	assert_int_equal(r->gpr[3], P9_PVR);
	/* a hypervisor's register, and one that does not exist: nothing in supervisor state */
	r->gpr[3] = 77;
	assert_int_equal(RUN(MSR_BASE, mfspr(3, 318), mtspr(318, 4), mfspr(3, 1000)), 0);
	assert_int_equal(r->gpr[3], 77);
	/* in problem state a privileged-instruction interrupt */
	assert_int_equal(RUN(user, mfspr(3, 272)), P9_VEC_PROGRAM);
	assert_int_equal(r->gpr[30] & 0x783f0000u, 0x00040000u);
	/* XER by its parts */
	r->gpr[3] = 0xe00c007fu;
	assert_int_equal(RUN(MSR_BASE, mtspr(1, 3), mfspr(4, 1)), 0);
	assert_int_equal(r->gpr[4], 0xe00c007fu);
	/* problem state changes AMR only where UAMOR lets it */
	r->amr = 0;
	r->uamor = UINT64_C(3) << 62;
	r->gpr[3] = UINT64_MAX;
	assert_int_equal(RUN(user, mtspr(13, 3), 0x44000002u), P9_VEC_SYSCALL);
	assert_int_equal(r->amr, UINT64_C(3) << 62);
	r->amr = 0;
	/* time goes on */
	assert_int_equal(RUN(MSR_BASE, mfspr(3, 268), mfspr(4, 268)), 0);
	assert_true(r->gpr[4] >= r->gpr[3] && r->gpr[3] != 0);
}

/* Operands of atomics have to be in reach of those who execute them, or such code is never compiled. */
static void test_atomics_compile(void **state)
{
	struct p9_regs *r = regs();
	struct cpu_system_stats stats;

	(void)state;
	st_le64(m.ram + 0x8000, 41);
	r->gpr[4] = 0x8000;
	/* ldarx r3,0,r4; addi r3,r3,1; stdcx. r3,0,r4 */
	assert_int_equal(RUN(MSR_BASE, 0x7c6020a8u, 0x38630001u, 0x7c6021adu), 0);
	assert_int_equal(ld_le64(m.ram + 0x8000), 42);
	assert_true(p9_crf_decode(r->crf[0]) & 2);
	cpu_system_stats_read(m.system, &stats);
	assert_int_equal(stats.compile_failures, 0);
}

static void test_32_bit_mode(void **state)
{
	struct p9_regs *r = regs();

	(void)state;
	/* addresses wrap at 32 bits: lwz r3,8(r4) with r4 = 0x1_0000_0000 + 0x8000 */
	st_le32(m.ram + 0x8008, 1234);
	r->gpr[4] = UINT64_C(0x100008000);
	assert_int_equal(RUN(MSR_BASE & ~P9_MSR_SF, 0x80640008u), 0);
	assert_int_equal(r->gpr[3], 1234);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_system_call), T(test_alternate_location), T(test_scv),
		T(test_program),     T(test_illegal),	         T(test_unavailable),
		T(test_rfid),	     T(test_mtmsrd),	         T(test_decrementer),
		T(test_hdec),	     T(test_endless_call),       T(test_external),
		T(test_doorbell),     T(test_supervisor_facilities),
		T(test_waiting_for_ee),
		T(test_written_state),
		T(test_trace),	     T(test_spr),	         T(test_32_bit_mode),
		T(test_atomics_compile),
	};

	return machine_run_tests(tests);
}
