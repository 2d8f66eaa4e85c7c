/*
 * Nested HV: what goes with a vCPU of L2 into the processor and out of it again: translations,
 * time, reservations; and what becomes of it when L1 changes its tables or memory meanwhile.
 */
#include <pthread.h>
#include <unistd.h>

#include "kvm_nested_l1.h"

/* L2's process PID: its effective addresses from 1 GiB are 2 MiB of its real ones. */
#define PID  UINT64_C(3)
#define EA   UINT64_C(0x40000000)
#define PRTB UINT64_C(0x50000)
#define ROOT UINT64_C(0x60000)
#define MIB2 UINT64_C(0x200000)
/* A doubleword there */
#define WORD UINT64_C(0x20000)

#define INSN_LWARX(rt, ra, rb)      INSN_X(20, rt, ra, rb)
#define INSN_STWCX(rs, ra, rb)      (INSN_X(150, rs, ra, rb) | 1)
#define INSN_MFCR(rt)               INSN_X(19, rt, 0, 0)
#define INSN_CMPDI(ra, v)           (0x2c200000u | (ra) << 16 | ((v)&0xffff))
#define INSN_BEQ(off)               (0x41820000u | ((off)&0xfffc))
#define INSN_PTESYNC                0x7c4004acu
#define INSN_TLBIEL_PROCESS(rs, rb) (INSN_X(274, rs, 0, rb) | 3 << 16) /* RIC=0, PRS=1, R=1 */

#define CR0_EQ UINT64_C(0x20000000)

static struct p9_regs *regs(unsigned i)
{
	return p9_regs(test_vcpu_inside(&t, i)->vcpu.cpu);
}

/* L1's vCPU i is in L2 from its H_ENTER_NESTED on, which has been executed. */
static void go_inside(unsigned i)
{
	const uint64_t args[] = {HV + 0x1000 * i, PT + 0x1000 * i};
	struct kvm_regs r;

	test_get_regs(&t, i, &r);
	r.pc += 4;
	test_set_regs(&t, i, &r);
	assert_int_equal(test_hcall(&t, i, H_ENTER_NESTED, args, 2), PPC_RESUME);
	assert_non_null(test_vcpu_inside(&t, i)->nested);
}

/* L2's tables of its process at `prtb`, tables from `root`: EA leads to its real address `to`. */
static void process(uint64_t prtb, uint64_t root, uint64_t to)
{
	uint8_t *l2 = t.mem + L2_MEM;

	st_be64(l2 + prtb + PID * 16, PATB_RTS_52 | root | 13);
	st_be64(l2 + root, RADIX_VALID | (root + 0x10000) | 9);
	st_be64(l2 + root + 0x10000 + 8, RADIX_VALID | (root + 0x11000) | 9);
	st_be64(l2 + root + 0x11000,
		RADIX_VALID | RADIX_LEAF | to | RADIX_R | RADIX_C | RADIX_READ | RADIX_WRITE);
}

/* L2 has another 2 MiB; WORD is 1 in the first ones, and 2 in these. */
static void two_pages(void)
{
	l1_map(LPID, MIB2, L2_MEM + MIB2, 21, ATTR_RWX);
	st_le64(t.mem + L2_MEM + WORD, 1);
	st_le64(t.mem + L2_MEM + MIB2 + WORD, 2);
}

/* Data are translated, of process PID; GPR4: WORD's effective address. */
static void translate(unsigned i)
{
	put64(HV + 0x1000 * i + HV_PIDR, PID);
	put64(HV + 0x1000 * i + HV_LPCR, P9_LPCR_LD | P9_LPCR_GTSE);
	put64(PT + 0x1000 * i + 8 * 4, EA + WORD);
	put64(PT + 0x1000 * i + PT_MSR, P9_MSR_SF | P9_MSR_LE | P9_MSR_DR);
}

/* --- translations --- */

static int64_t load_word(unsigned i)
{
	PREPARE(i, INSN_LD(5, 4, 0), INSN_SC1);
	translate(i);
	put32(HV + 0x1000 * i + HV_TOKEN, 0);
	assert_int_equal(enter(i), P9_VEC_SYSCALL);
	return (int64_t)get64(PT + 0x1000 * i + 8 * 5);
}

/*
 * L2 has one vCPU, which changes a translation and says so to its processor alone (tlbiel). What it
 * was before is not used when the vCPU is back where it ran first.
 */
static void local_invalidation_goes_along(void **state)
{
	(void)state;
	set_patb(LPID, ld_be64(t.mem + PATB + 16 * LPID), BIT64(63) | PRTB);
	two_pages();
	process(PRTB, ROOT, 0);
	assert_int_equal(load_word(0), 1);
	assert_int_equal(load_word(1), 1);
	process(PRTB, ROOT, MIB2);
	/* On vCPU 1: GPR6 and GPR7 say the page (AP 1: 2 MiB), and the process. */
	PREPARE(1, INSN_PTESYNC, INSN_TLBIEL_PROCESS(7, 6), INSN_PTESYNC, INSN_LD(5, 4, 0),
		INSN_SC1);
	translate(1);
	put32(HV + 0x1000 + HV_TOKEN, 0);
	put64(PT + 0x1000 + 8 * 6, EA | 1 << 5);
	put64(PT + 0x1000 + 8 * 7, PID << 32);
	assert_int_equal(enter(1), P9_VEC_SYSCALL);
	assert_int_equal(get64(PT + 0x1000 + 8 * 5), 2);
	assert_int_equal(load_word(0), 2);
}

/* Of vCPU 0; negative until it has left. */
static _Atomic int64_t trap_of_loop;

static void *run_loop(void *arg)
{
	(void)arg;
	atomic_store(&trap_of_loop, enter(0));
	return NULL;
}

/* L1 moves L2's process table while a vCPU is in L2, which goes by the new one from then on. */
static void process_table_moves_under_l2(void **state)
{
	const uint64_t dw0 = ld_be64(t.mem + PATB + 16 * LPID);
	const uint64_t prtb2 = PRTB + 0x1000, root2 = ROOT + 0x20000, rounds = WORD + 8;
	_Atomic uint64_t *turned;
	pthread_t thread;

	(void)state;
	set_patb(LPID, dw0, BIT64(63) | PRTB);
	two_pages();
	process(PRTB, ROOT, 0);
	process(prtb2, root2, MIB2);
	turned = (_Atomic uint64_t *)(void *)(t.mem + L2_MEM + rounds);
	/* Until WORD is another; each turn is seen. */
	PREPARE(0, INSN_LD(5, 4, 0), INSN_CMPDI(5, 1), INSN_STD(4, 4, 8), INSN_BEQ(-12), INSN_SC1);
	translate(0);
	put64(HV + HV_HDEC, p9_tb(regs(0)) + 5 * P9_TB_HZ);
	atomic_store(&trap_of_loop, -1);
	assert_int_equal(pthread_create(&thread, NULL, run_loop, NULL), 0);
	while (!atomic_load(turned) && atomic_load(&trap_of_loop) < 0)
		usleep(100);
	set_patb(LPID, dw0, BIT64(63) | prtb2);
	/* RIC=2, R=1; IS=2: what there is of the LPID, with its entry */
	assert_int_equal(HCALL(&t, 1, H_TLB_INVALIDATE, 2 << 18 | 1 << 16, LPID, 2 << 10),
			 H_SUCCESS);
	pthread_join(thread, NULL);
	/* Not L1's time that is up. */
	assert_int_equal(atomic_load(&trap_of_loop), P9_VEC_SYSCALL);
	assert_int_equal(pt_gpr(5), 2);
}

/* --- time --- */

#define FAR_AWAY (INT64_MAX >> 8) /* as far as a decrementer of 56 bits goes */

/* When the hypervisor decrementer passes zero, by L1's time base; entered with what HV says. */
static uint64_t hdec_in_l1_time(uint64_t expiry, uint64_t l2_offset)
{
	uint64_t expires;

	PREPARE(0, INSN_SC1);
	put64(HV + HV_HDEC, expiry);
	put64(HV + HV_TB_OFFSET, l2_offset);
	go_inside(0);
	expires = regs(0)->hdec_expires - l2_offset;
	nested_leave(test_vcpu_inside(&t, 0), 0);
	return expires;
}

/* L1 says in its own time base when it wants its processor back, whatever L2's time base is. */
static void expiry_is_in_l1_time(void **state)
{
	static const uint64_t offsets[] = {0, UINT64_C(1) << 40, -(UINT64_C(1) << 40),
					   UINT64_C(3) << 56};
	const uint64_t own = regs(0)->tb_offset;
	uint64_t now, expiry, hdec;

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(offsets); k++) {
		/* L1's time base small, and with a number that the register cannot hold. */
		for (unsigned large = 0; large < 2; large++) {
			regs(0)->tb_offset = own + ((uint64_t)large << 58);
			now = p9_tb(regs(0));
			expiry = now + P9_TB_HZ;
			assert_int_equal(hdec_in_l1_time(expiry, offsets[k]), expiry);
			/* Long ago: at once. */
			hdec = hdec_in_l1_time(large ? UINT64_C(1) << 56 : 1, offsets[k]);
			assert_true(hdec < p9_tb(regs(0)));
			/* Never, or later than the register can say: as late as may be. */
			for (unsigned never = 0; never < 2; never++) {
				expiry = never ? UINT64_MAX : now + (UINT64_C(1) << 57);
				hdec = hdec_in_l1_time(expiry, offsets[k]);
				assert_true(hdec >= now + FAR_AWAY);
				assert_true(hdec <= p9_tb(regs(0)) + FAR_AWAY);
			}
		}
		regs(0)->tb_offset = own;
		/* And so it comes. */
		PREPARE(0, INSN_B(0));
		expiry = p9_tb(regs(0)) + P9_TB_HZ / 200;
		put64(HV + HV_HDEC, expiry);
		put64(HV + HV_TB_OFFSET, offsets[k]);
		assert_int_equal(enter(0), P9_VEC_HDEC);
		assert_true(p9_tb(regs(0)) >= expiry);
	}
}

/* What L1 loads into DEC, L2 finds there less the time that has gone by; and the other way. */
static void decrementer_goes_on(void **state)
{
	static const uint64_t offsets[] = {0, UINT64_C(1) << 40, -(UINT64_C(1) << 40)};
	const uint64_t left = UINT64_C(1) << 36;
	uint64_t expires, begun;

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(offsets); k++) {
		PREPARE(0, INSN_MFSPR(5, 22), INSN_SC1);
		put64(HV + HV_TB_OFFSET, offsets[k]);
		begun = p9_tb(regs(0));
		expires = begun + left;
		p9_dec_set_expiry(test_vcpu_inside(&t, 0)->vcpu.cpu, expires);
		assert_int_equal(enter(0), P9_VEC_SYSCALL);
		assert_true(pt_gpr(5) <= left);
		assert_true(pt_gpr(5) >= left - (p9_tb(regs(0)) - begun));
		assert_int_equal(regs(0)->dec_expires, expires);
	}
}

/* Counters that L2 has of its own: what they count there, L1's count as well. */
static void counters_of_both_run_in_l2(void **state)
{
	static const unsigned at[] = {HV_PURR, HV_SPURR, HV_VTB};
	const uint64_t start = UINT64_C(1) << 50;
	uint64_t before[3], after[3], begun, elapsed;
	const struct p9_regs *r = regs(0);

	(void)state;
	PREPARE(0, INSN_B(0));
	for (size_t k = 0; k < ARRAY_SIZE(at); k++)
		put64(HV + at[k], start << k);
	begun = p9_tb(r);
	put64(HV + HV_HDEC, begun + P9_TB_HZ / 50);
	before[0] = p9_purr_get(r);
	before[1] = p9_spurr_get(r);
	before[2] = p9_vtb_get(r);
	assert_int_equal(enter(0), P9_VEC_HDEC);
	after[0] = p9_purr_get(r);
	after[1] = p9_spurr_get(r);
	after[2] = p9_vtb_get(r);
	elapsed = p9_tb(r) - begun;
	for (size_t k = 0; k < ARRAY_SIZE(at); k++) {
		uint64_t in_l2 = get64(HV + at[k]) - (start << k);

		assert_true(in_l2 > 0);
		assert_true(after[k] - before[k] >= in_l2);
		assert_true(after[k] - before[k] <= elapsed);
	}
}

/* --- reservations --- */

/* L1's stwcx. fails after L2, and L2's after L1: at the same address, to the same memory. */
static void reservation_is_lost(void **state)
{
	/* The processor keeps a reservation that long if a store without any went before. */
	static const uint32_t l1[] = {
		INSN_STWCX(8u, 0u, 9u),
		INSN_LWARX(10u, 0u, 9u),
		INSN_SC1,
		INSN_STWCX(8u, 0u, 9u),
		INSN_MFCR(15u),
		INSN_MR(14, 3),
		INSN_LI(3u, DONE_HCALL),
		INSN_SC1,
	};
	const uint64_t at = L2_MEM + WORD;
	struct kvm_regs r;

	(void)state;
	l1_map(LPID, L2_MEM, L2_MEM, 21, ATTR_RWX);
	/* Once more when all is mapped: no page fault loses it then. */
	for (unsigned round = 0; round < 2; round++) {
		PREPARE(0, INSN_STWCX(8u, 0u, 9u), INSN_MFCR(5u), INSN_STWCX(8u, 0u, 9u),
			INSN_LWARX(10u, 0u, 9u), INSN_SC1);
		for (size_t k = 0; k < ARRAY_SIZE(l1); k++)
			st_le32(t.mem + GUEST_CODE + 4 * k, l1[k]);
		cpu_shoot_host(test_vm_inside(&t)->vm.system, test_vcpu_inside(&t, 0)->vcpu.cpu,
			       HVA(t.mem + GUEST_CODE), 0x1000);
		st_le32(t.mem + at, 7);
		put64(PT + 8 * 8, 8);
		put64(PT + 8 * 9, at);
		test_get_regs(&t, 0, &r);
		r.gpr[8] = 9;
		r.gpr[9] = at;
		test_set_regs(&t, 0, &r);
		assert_int_equal(enter(0), P9_VEC_SYSCALL);
		assert_int_equal(pt_gpr(5) & CR0_EQ, 0);
		assert_int_equal(pt_gpr(10), 7);
		assert_int_equal(test_gpr(&t, 0, 10), 7);
		assert_int_equal(test_gpr(&t, 0, 15) & CR0_EQ, 0);
		assert_int_equal(ld_le32(t.mem + at), 7);
	}
}

/* --- L1's state memory --- */

/* It goes while L2 runs: L1 hears of it, with its own registers; there is nowhere for L2's. */
static void state_memory_goes(void **state)
{
	struct ppc_vcpu *v = test_vcpu_inside(&t, 0);
	const uint64_t away = GUEST_MEM;
	uint64_t args[] = {HV, PT};

	(void)state;
	for (unsigned which = 0; which < 2; which++) {
		uint64_t home = args[which];

		PREPARE(0, INSN_SC1);
		regs(0)->gpr[20] = 77;
		/* Once more at `away`, from where it goes. */
		assert_int_equal(test_set_slot(&t, 1, 0, away, 0x1000, t.mem + home), 0);
		args[which] = away;
		for (unsigned gone = 0; gone < 2; gone++) {
			assert_int_equal(test_hcall(&t, 0, H_ENTER_NESTED, args, 2), PPC_RESUME);
			assert_non_null(v->nested);
			if (gone)
				assert_int_equal(test_set_slot(&t, 1, 0, away, 0, NULL), 0);
			nested_leave(v, P9_VEC_SYSCALL);
			assert_null(v->nested);
			assert_int_equal((int64_t)regs(0)->gpr[3],
					 gone ? H_AUTHORITY : P9_VEC_SYSCALL);
			assert_int_equal(regs(0)->gpr[20], 77);
			assert_int_equal(regs(0)->lpidr, PPC_LPID);
		}
		args[which] = home;
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(local_invalidation_goes_along),
		TEST(process_table_moves_under_l2),
		TEST(expiry_is_in_l1_time),
		TEST(decrementer_goes_on),
		TEST(counters_of_both_run_in_l2),
		TEST(reservation_is_lost),
		TEST(state_memory_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
