/*
 * Nested HV: L2's state, as L1 gives it by H_ENTER_NESTED and gets it back. Each field arrives in
 * the register of its name; of what is L1's to give, L2 has no more than L1.
 */
#include "kvm_nested_l1.h"

static struct p9_regs *regs(void)
{
	return p9_regs(test_vcpu_inside(&t, 0)->vcpu.cpu);
}

/* The switch alone, with no instruction of L2's. */
static void into_l2(void)
{
	assert_int_equal(test_hcall(&t, 0, H_ENTER_NESTED, (const uint64_t[]){HV, PT}, 2),
			 PPC_RESUME);
	assert_non_null(test_vcpu_inside(&t, 0)->nested);
}

static void out_of_l2(void)
{
	nested_leave(test_vcpu_inside(&t, 0), 0);
	assert_null(test_vcpu_inside(&t, 0)->nested);
	assert_int_equal(regs()->gpr[3], 0);
}

/* --- facilities --- */

/* In whichever compatibility mode L1 is, L2 is too; of others it is only in those there are. */
static void l2_is_in_l1s_compatibility_mode(void **state)
{
	const uint64_t known = BIT64(63) | BIT64(62) | BIT64(61) | 0xe;
	const uint64_t mode[] = {0, 2, 6, 0xe, BIT64(63), BIT64(62) | 8, BIT64(61) | 4, known};
	const uint64_t want[] = {0, 1, 2, 4, 8, BIT64(63), BIT64(60), known, ~known, UINT64_MAX};

	(void)state;
	for (unsigned l1 = 0; l1 < ARRAY_SIZE(mode); l1++) {
		for (unsigned l2 = 0; l2 < ARRAY_SIZE(want); l2++) {
			PREPARE(0, INSN_SC1);
			put64(HV + HV_PCR, want[l2]);
			regs()->pcr = mode[l1];
			into_l2();
			assert_int_equal(regs()->pcr, (want[l2] & known) | mode[l1]);
			out_of_l2();
			assert_int_equal(regs()->pcr, mode[l1]);
			assert_int_equal(get64(HV + HV_PCR), want[l2]);
		}
	}
}

/* L2 sets no key of AMR that is not L1's to set. */
static void l2_has_no_keys_but_l1s(void **state)
{
	const uint64_t mask[] = {0, UINT64_C(0x00ffff0000ffff00), UINT64_C(0xf0f0f0f0f0f0f0f0),
				 UINT64_MAX};

	(void)state;
	for (unsigned l1 = 0; l1 < ARRAY_SIZE(mask); l1++) {
		for (unsigned l2 = 0; l2 < ARRAY_SIZE(mask); l2++) {
			PREPARE(0, INSN_MTSPR(5, 29), INSN_MFSPR(6, 29), INSN_SC1);
			put64(HV + HV_AMOR, mask[l2]);
			put64(PT + 8 * 5, UINT64_C(0xfedcba9876543210));
			regs()->amor = mask[l1];
			regs()->amr = 0;
			assert_int_equal(enter(0), P9_VEC_SYSCALL);
			assert_int_equal(pt_gpr(6),
					 UINT64_C(0xfedcba9876543210) & mask[l1] & mask[l2]);
			assert_int_equal(regs()->amor, mask[l1]);
			assert_int_equal(get64(HV + HV_AMOR), mask[l2]);
		}
	}
}

static void l2_has_no_facilities_but_l1s(void **state)
{
	const uint64_t cause = UINT64_C(0xff) << 56;
	uint64_t l1;

	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		for (unsigned all = 0; all < 2; all++) {
			PREPARE(0, INSN_SC1);
			put64(HV + HV_HFSCR, all ? UINT64_MAX : BIT64(bit));
			l1 = all ? BIT64(bit) & ~cause : ~BIT64(bit) & ~cause;
			regs()->hfscr = l1;
			into_l2();
			assert_int_equal(regs()->hfscr, all ? l1 | cause : BIT64(bit) & cause);
			out_of_l2();
			assert_int_equal(regs()->hfscr, l1);
		}
	}
}

/* --- doorbells --- */

/* Its own alone: that of this thread. */
static void l2s_doorbell_goes_in_and_out(void **state)
{
	const uint64_t given[] = {0, 1, 2, UINT64_MAX - 1, UINT64_MAX};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(given); i++) {
		for (unsigned k = 0; k < 4; k++) {
			uint64_t l1 = k & 1, left = k >> 1;

			PREPARE(0, INSN_SC1);
			put64(HV + HV_DPDES, given[i]);
			regs()->dpdes = l1;
			into_l2();
			assert_int_equal(regs()->dpdes, given[i] & 1);
			regs()->dpdes = left;
			out_of_l2();
			assert_int_equal(regs()->dpdes, l1);
			assert_int_equal(get64(HV + HV_DPDES), left);
		}
	}
	regs()->dpdes = 0;
}

/* One that is pending is taken when L2 sets EE, and is not there afterwards. */
static void l2_takes_its_doorbell(void **state)
{
	(void)state;
	for (unsigned rung = 0; rung < 2; rung++) {
		PREPARE(0, INSN_LI(7, 1), INSN_LIS(4, 0), INSN_ORI(4, 4, 0x8000), INSN_MTMSRD_L1(4),
			INSN_SC1);
		st_le32(t.mem + L2_MEM + P9_VEC_DOORBELL, INSN_LI(7, 2));
		st_le32(t.mem + L2_MEM + P9_VEC_DOORBELL + 4, INSN_SC1);
		put64(HV + HV_LPCR, P9_LPCR_LD | P9_LPCR_ILE);
		put64(HV + HV_DPDES, rung);
		assert_int_equal(enter(0), P9_VEC_SYSCALL);
		assert_int_equal(pt_gpr(7), 1 + rung);
		assert_int_equal(get64(HV + HV_DPDES), 0);
		/* Before it is taken, it comes back. */
		PREPARE(0, INSN_SC1);
		put64(HV + HV_DPDES, rung);
		assert_int_equal(enter(0), P9_VEC_SYSCALL);
		assert_int_equal(get64(HV + HV_DPDES), rung);
	}
}

/* --- LPCR --- */

/* L2's bits where it has a choice, L1's anywhere else. */
static void lpcr_is_l1s_but_for_what_it_may_choose(void **state)
{
	const uint64_t dpfd = UINT64_C(7) << 52;
	const uint64_t choice = dpfd | P9_LPCR_ILE | P9_LPCR_LD | P9_LPCR_MER;
	struct ppc_vcpu *v = test_vcpu_inside(&t, 0);

	(void)state;
	for (unsigned i = 0; i < 2 * 64; i++) {
		uint64_t want = i < 64 ? BIT64(i) : ~BIT64(i - 64), expected, l1;

		/* Those have a test each. */
		want &= ~(P9_LPCR_AIL | P9_LPCR_GTSE);
		PREPARE(0, INSN_SC1);
		put64(HV + HV_LPCR, want);
		/* L1's own choices are not L2's. */
		ppc_set_lpcr(v, i % 2 ? UINT64_MAX : 0, false);
		atomic_store(&test_vm_inside(&t)->gtse, 0);
		ppc_load_partition(v);
		l1 = regs()->lpcr;
		expected = (l1 & ~(choice | P9_LPCR_AIL | P9_LPCR_LPES)) | (want & choice) |
			   P9_LPCR_HDICE;
		into_l2();
		assert_int_equal(regs()->lpcr, expected);
		out_of_l2();
		assert_int_equal(regs()->lpcr, l1);
		assert_int_equal(get64(HV + HV_LPCR), want);
	}
}

/* Values of AIL that are reserved are 0, whatever L1's is. */
static void ail_is_0_or_3(void **state)
{
	const uint64_t shift = 23;

	(void)state;
	for (uint64_t l1 = 0; l1 < 4; l1 += 3) {
		for (uint64_t l2 = 0; l2 < 4; l2++) {
			PREPARE(0, INSN_SC1);
			ppc_set_lpcr(test_vcpu_inside(&t, 0), l1 << shift, false);
			put64(HV + HV_LPCR, P9_LPCR_LD | l2 << shift);
			into_l2();
			assert_int_equal(regs()->lpcr & P9_LPCR_AIL, (l2 == 3 ? l2 : 0) << shift);
			out_of_l2();
			assert_int_equal(regs()->lpcr & P9_LPCR_AIL, l1 << shift);
		}
	}
}

/* L2 invalidates translations by itself only where both L0 and L1 let it. */
static void l2_has_tlbie_only_if_l1_has(void **state)
{
	struct ppc_vm *vm = test_vm_inside(&t);

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t l1 = i & 1 ? P9_LPCR_GTSE : 0, l2 = i & 2 ? P9_LPCR_GTSE : 0;

		/* tlbie r5,r4,RIC=2,PRS=1,R=1: all of a process */
		PREPARE(0, INSN_LI(4, 0x400), INSN_LI(5, 0), INSN_X(306, 5, 2 << 2 | 2 | 1, 4),
			INSN_SC1);
		put64(HV + HV_LPCR, P9_LPCR_LD | l2);
		atomic_store(&vm->gtse, l1);
		ppc_load_partition(test_vcpu_inside(&t, 0));
		assert_int_equal(enter(0), i == 3 ? P9_VEC_SYSCALL : P9_VEC_HEAI);
		assert_int_equal(regs()->lpcr & P9_LPCR_GTSE, l1);
	}
}

/* --- whose state it is --- */

/* The two words are in L1's byte order each. */
static void lpid_and_token_of_l1s_byte_order(void **state)
{
	const uint32_t last = NESTED_MAX_TOKENS - 1;
	struct nested_vm *n;

	(void)state;
	for (unsigned order = 0; order < 2; order++) {
		l1_be = order;
		for (uint32_t lpid = LPID; lpid < LPID + 2; lpid++) {
			set_patb(lpid, ld_be64(t.mem + PATB + 16 * LPID), BIT64(63));
			PREPARE(0, INSN_SC1);
			put32(HV + HV_LPID, lpid);
			put32(HV + HV_TOKEN, last - order);
			assert_int_equal(enter(0), P9_VEC_SYSCALL);
			n = test_vm_inside(&t)->nested;
			assert_int_equal(n->nr_guests, order ? 2 : lpid - LPID + 1);
			assert_int_equal(n->guest[lpid]->l1_lpid, lpid);
			assert_int_equal(n->guest[lpid]->last_cpu[last - order], 1);
			assert_int_equal(n->guest[lpid]->last_cpu[lpid], 0);
			assert_int_equal(n->guest[lpid]->last_cpu[0], 0);
			/* As it was, for L1 to enter it again. */
			put64(HV + HV_AMOR, 0);
			assert_int_equal(get64(HV + HV_LPID),
					 order ? (uint64_t)lpid << 32 | (last - order)
					       : (uint64_t)(last - order) << 32 | lpid);
		}
		PREPARE(0, INSN_SC1);
		put32(HV + HV_TOKEN, NESTED_MAX_TOKENS);
		assert_int_equal(enter(0), H_PARAMETER);
		PREPARE(0, INSN_SC1);
		put32(HV + HV_TOKEN, UINT32_C(1) << 31);
		assert_int_equal(enter(0), H_PARAMETER);
	}
}

/* --- all else --- */

/* Registers that L1 gives as they are, and gets back as L2 left them. */
static const struct field {
	uint64_t at;   /* gpa */
	size_t offset; /* in struct p9_regs */
	bool back;
} fields[] = {
#define REG(r) offsetof(struct p9_regs, r)
	{HV + HV_DAWR0, REG(dawr0), false},
	{HV + HV_IC, REG(ic), true},
	{HV + HV_SRR0, REG(srr0), true},
	{HV + HV_SRR1, REG(srr1), true},
	{HV + HV_SPRG0, REG(sprg[0]), true},
	{HV + HV_SPRG0 + 8, REG(sprg[1]), true},
	{HV + HV_SPRG0 + 16, REG(sprg[2]), true},
	{HV + HV_SPRG0 + 24, REG(sprg[3]), true},
	{HV + HV_PIDR, REG(pidr), true},
	{HV + HV_CFAR, REG(cfar), true},
	{HV + HV_PPR, REG(ppr), true},
	{PT + PT_LINK, REG(lr), true},
	{PT + PT_CTR, REG(ctr), true},
#undef REG
};

static uint64_t *reg_of(const struct field *f)
{
	return (uint64_t *)(void *)((uint8_t *)regs() + f->offset);
}

/* Different for each register and each use; PIDR has 32 bits. */
static uint64_t value_of(unsigned field, unsigned use)
{
	return UINT64_C(0x1010101) * (field + 1) + UINT64_C(0x20000000) * use;
}

enum { OF_L1, GIVEN, LEFT };

static void check_registers(void)
{
	uint64_t l1_msr, gpr[32];

	PREPARE(0, INSN_SC1);
	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
		put64(fields[i].at, value_of(i, GIVEN));
		*reg_of(&fields[i]) = value_of(i, OF_L1);
	}
	for (unsigned i = 0; i < 32; i++)
		put64(PT + 8 * i, value_of(i + 100, GIVEN));
	put64(PT + PT_ORIG_GPR3, 0x3333);
	put64(PT + PT_XER, UINT64_C(0xa0000000));
	put64(PT + PT_CCR, 0x13579bdf);
	p9_xer_set(regs(), UINT64_C(0x40000000));
	p9_cr_set(regs(), 0x2468ace0);
	/* Without these L2 goes on as well. */
	l1_msr = regs()->msr;
	memcpy(gpr, regs()->gpr, sizeof(gpr));
	into_l2();
	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
		assert_int_equal(*reg_of(&fields[i]), value_of(i, GIVEN));
		*reg_of(&fields[i]) = value_of(i, LEFT);
	}
	for (unsigned i = 0; i < 32; i++) {
		assert_int_equal(regs()->gpr[i], value_of(i + 100, GIVEN));
		regs()->gpr[i] = value_of(i + 100, LEFT);
	}
	assert_int_equal(p9_xer_get(regs()), UINT64_C(0xa0000000));
	assert_int_equal(p9_cr_get(regs()), 0x13579bdf);
	p9_xer_set(regs(), UINT64_C(0xe0000000));
	p9_cr_set(regs(), 0xfedcba98);
	p9_set_pc(test_vcpu_inside(&t, 0)->vcpu.cpu, L2_CODE + 0x40);
	regs()->msr |= P9_MSR_FP;
	out_of_l2();
	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
		/* L1's own count goes on with what L2 counted. */
		assert_int_equal(*reg_of(&fields[i]),
				 value_of(i, OF_L1) +
					 (fields[i].at == HV + HV_IC
						  ? value_of(i, LEFT) - value_of(i, GIVEN)
						  : 0));
		assert_int_equal(get64(fields[i].at), value_of(i, fields[i].back ? LEFT : GIVEN));
	}
	for (unsigned i = 0; i < 32; i++) {
		assert_int_equal(get64(PT + 8 * i), value_of(i + 100, LEFT));
		if (i != 3) /* the hypercall's result */
			assert_int_equal(regs()->gpr[i], gpr[i]);
	}
	assert_int_equal(get64(PT + PT_ORIG_GPR3), 0x3333);
	assert_int_equal(get64(PT + PT_XER), UINT64_C(0xe0000000));
	assert_int_equal(get64(PT + PT_CCR), 0xfedcba98);
	assert_int_equal(get64(PT + PT_NIP), L2_CODE + 0x40);
	assert_int_equal(get64(PT + PT_MSR), P9_MSR_SF | P9_MSR_LE | P9_MSR_ME | P9_MSR_FP);
	assert_int_equal(p9_xer_get(regs()), UINT64_C(0x40000000));
	assert_int_equal(p9_cr_get(regs()), 0x2468ace0);
	assert_int_equal(regs()->msr, l1_msr);
}

static void registers_go_in_and_come_back(void **state)
{
	(void)state;
	for (unsigned order = 0; order < 2; order++) {
		l1_be = order;
		check_registers();
	}
}

/* PIDR has 32 bits, so an L1 that gives more gets back as many. */
static void pidr_has_32_bits(void **state)
{
	(void)state;
	PREPARE(0, INSN_SC1);
	put64(HV + HV_PIDR, UINT64_MAX);
	into_l2();
	assert_int_equal(regs()->pidr, UINT32_MAX);
	out_of_l2();
	assert_int_equal(get64(HV + HV_PIDR), UINT32_MAX);
}

/* Breakpoints of hypervisor state would be L0's. */
static void breakpoints_are_not_of_hypervisor_state(void **state)
{
	(void)state;
	for (uint64_t privilege = 0; privilege < 4; privilege++) {
		PREPARE(0, INSN_SC1);
		put64(HV + HV_CIABR, 0x123450 | privilege);
		put64(HV + HV_DAWRX0, 0x58 | privilege | 4);
		regs()->ciabr = 0x77770;
		regs()->dawrx0 = 0x19;
		into_l2();
		assert_int_equal(regs()->ciabr, 0x123450 | (privilege == 3 ? 0 : privilege));
		assert_int_equal(regs()->dawrx0, 0x58 | privilege);
		out_of_l2();
		assert_int_equal(regs()->ciabr, 0x77770);
		assert_int_equal(regs()->dawrx0, 0x19);
	}
}

/* L2's counters are those that L1 gives; what they counted is added to L1's. */
static void counters_go_in_and_come_back(void **state)
{
	(void)state;
	PREPARE(0, INSN_SC1);
	put64(HV + HV_PURR, 0x100000);
	put64(HV + HV_SPURR, 0x200000);
	put64(HV + HV_VTB, 0x300000);
	p9_purr_set(regs(), 0x10000000);
	p9_spurr_set(regs(), 0x20000000);
	p9_vtb_set(regs(), 0x30000000);
	/* Not running, they stand still. */
	into_l2();
	assert_int_equal(p9_purr_get(regs()), 0x100000);
	assert_int_equal(p9_spurr_get(regs()), 0x200000);
	assert_int_equal(p9_vtb_get(regs()), 0x300000);
	p9_purr_set(regs(), 0x100011);
	p9_spurr_set(regs(), 0x200022);
	p9_vtb_set(regs(), 0x300033);
	out_of_l2();
	assert_int_equal(get64(HV + HV_PURR), 0x100011);
	assert_int_equal(get64(HV + HV_SPURR), 0x200022);
	assert_int_equal(get64(HV + HV_VTB), 0x300033);
	assert_int_equal(p9_purr_get(regs()), 0x10000011);
	assert_int_equal(p9_spurr_get(regs()), 0x20000022);
	assert_int_equal(p9_vtb_get(regs()), 0x30000033);
}

/* Its states are those of a guest, whatever L1 says: no hypervisor, no secure memory. */
static void msr_is_a_guests(void **state)
{
	const uint64_t never = P9_MSR_HV | P9_MSR_S | P9_MSR_TM;

	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t want = P9_MSR_SF | BIT64(bit), got = (want & ~never) | P9_MSR_ME;

		/* Problem state is with these on, as hrfid has it. */
		if (want & P9_MSR_PR)
			got |= P9_MSR_EE | P9_MSR_IR | P9_MSR_DR;
		/* A transaction is refused. */
		if (want & P9_MSR_TS_MASK)
			continue;
		PREPARE(0, INSN_SC1);
		put64(PT + PT_MSR, want);
		into_l2();
		assert_int_equal(regs()->msr, got);
		out_of_l2();
		assert_int_equal(get64(PT + PT_MSR), got);
	}
}

static void instructions_are_aligned(void **state)
{
	(void)state;
	PREPARE(0, INSN_SC1);
	put64(PT + PT_NIP, L2_CODE + 3);
	into_l2();
	assert_int_equal(p9_pc(test_vcpu_inside(&t, 0)->vcpu.cpu), L2_CODE);
	out_of_l2();
	assert_int_equal(get64(PT + PT_NIP), L2_CODE);
}

/* L2's time base is ahead of L1's, which has an offset of its own. */
static void time_base_is_ahead_of_l1s(void **state)
{
	const uint64_t l1 = UINT64_C(0x123456789a), ahead[] = {0, UINT64_C(1) << 40, -BIT64(33)};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(ahead); i++) {
		PREPARE(0, INSN_SC1);
		put64(HV + HV_TB_OFFSET, ahead[i]);
		regs()->tb_offset = l1;
		into_l2();
		assert_int_equal(regs()->tb_offset, l1 + ahead[i]);
		out_of_l2();
		assert_int_equal(regs()->tb_offset, l1);
		assert_int_equal(get64(HV + HV_TB_OFFSET), ahead[i]);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(l2_is_in_l1s_compatibility_mode),
		TEST(l2_has_no_keys_but_l1s),
		TEST(l2_has_no_facilities_but_l1s),
		TEST(l2s_doorbell_goes_in_and_out),
		TEST(l2_takes_its_doorbell),
		TEST(lpcr_is_l1s_but_for_what_it_may_choose),
		TEST(ail_is_0_or_3),
		TEST(l2_has_tlbie_only_if_l1_has),
		TEST(lpid_and_token_of_l1s_byte_order),
		TEST(registers_go_in_and_come_back),
		TEST(pidr_has_32_bits),
		TEST(breakpoints_are_not_of_hypervisor_state),
		TEST(counters_go_in_and_come_back),
		TEST(msr_is_a_guests),
		TEST(instructions_are_aligned),
		TEST(time_base_is_ahead_of_l1s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
