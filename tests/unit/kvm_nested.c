/*
 * Nested HV: L2 code under an L1 whose tables this test builds (kvm_nested_l1.h).
 */
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include "kvm_nested_l1.h"

/* --- the capability, and the partition table --- */

static void off_by_default(void **state)
{
	struct test_vm off;

	(void)state;
	test_vm_create(&off, 1);
	assert_int_equal(test_ioctl_n(&off, off.sys, KVM_CHECK_EXTENSION, KVM_CAP_PPC_NESTED_HV),
			 1);
	assert_int_equal(HCALL(&off, 0, H_SET_PARTITION_TABLE, 0), H_FUNCTION);
	assert_int_equal(HCALL(&off, 0, H_ENTER_NESTED, HV, PT), H_FUNCTION);
	assert_int_equal(HCALL(&off, 0, H_TLB_INVALIDATE, 0, 0, 0), H_FUNCTION);
	assert_int_equal(HCALL(&off, 0, H_COPY_TOFROM_GUEST, 0, 0, 0, 0, 0, 0), H_FUNCTION);
	assert_int_equal(test_enable_cap(&off, off.fd, KVM_CAP_PPC_NESTED_HV, 2, 0), -EINVAL);
	assert_int_equal(test_enable_cap(&off, off.fd, KVM_CAP_PPC_NESTED_HV, 1, 0), 0);
	assert_int_equal(HCALL(&off, 0, H_SET_PARTITION_TABLE, 0), H_SUCCESS);
	assert_int_equal(HCALL(&off, 0, H_ENTER_NESTED, HV, PT), H_NOT_AVAILABLE);
	assert_int_equal(test_enable_cap(&off, off.fd, KVM_CAP_PPC_NESTED_HV, 0, 0), 0);
	assert_int_equal(HCALL(&off, 0, H_SET_PARTITION_TABLE, 0), H_FUNCTION);
	test_vm_destroy(&off);
}

static void partition_table(void **state)
{
	uint64_t value = 0;
	struct kvm_one_reg reg = {.id = KVM_REG_PPC_PTCR, .addr = (uintptr_t)&value};

	(void)state;
	assert_int_equal(set_ptcr(PATB | 9), H_PARAMETER);            /* too large */
	assert_int_equal(set_ptcr(PATB | 2), H_SUCCESS);              /* 16 KiB */
	assert_int_equal(set_ptcr((PATB + 0x1000) | 1), H_PARAMETER); /* not aligned to its size */
	assert_int_equal(set_ptcr(PATB | 0x20), H_PARAMETER);         /* reserved */
	assert_int_equal(set_ptcr(PATB | BIT64(63)), H_PARAMETER);
	assert_int_equal(set_ptcr(GUEST_MEM), H_PARAMETER); /* no memory there */
	assert_int_equal(set_ptcr(0), H_SUCCESS);
	assert_int_equal(set_ptcr(PATB), H_SUCCESS);
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_GET_ONE_REG, &reg), 0);
	assert_int_equal(value, PATB);
	value = 0;
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_ONE_REG, &reg), 0);
	assert_int_equal(HCALL(&t, 0, H_ENTER_NESTED, HV, PT), H_NOT_AVAILABLE);
}

/* --- entry and exit --- */

static void bad_arguments(void **state)
{
	(void)state;
	PREPARE(0, INSN_SC1);
	put64(HV, 3);
	assert_int_equal(enter(0), H_P2);
	PREPARE(0, INSN_SC1);
	put64(HV, 0);
	assert_int_equal(enter(0), H_PARAMETER);
	PREPARE(0, INSN_SC1);
	put32(HV + HV_LPID, 256); /* the table has as many entries */
	assert_int_equal(enter(0), H_PARAMETER);
	PREPARE(0, INSN_SC1);
	put32(HV + HV_TOKEN, NESTED_MAX_TOKENS);
	assert_int_equal(enter(0), H_PARAMETER);
	PREPARE(0, INSN_SC1);
	put64(PT + PT_MSR, P9_MSR_SF | UINT64_C(1) << 33);
	assert_int_equal(enter(0), H_BAD_MODE);
	/* Memory that is not there, or not all of it. */
	assert_int_equal(HCALL(&t, 0, H_ENTER_NESTED, GUEST_MEM, PT), H_PARAMETER);
	assert_int_equal(HCALL(&t, 0, H_ENTER_NESTED, GUEST_MEM - 16, PT), H_PARAMETER);
	assert_int_equal(HCALL(&t, 0, H_ENTER_NESTED, UINT64_MAX - 7, PT), H_PARAMETER);
	PREPARE(0, INSN_SC1);
	assert_int_equal(HCALL(&t, 0, H_ENTER_NESTED, HV, GUEST_MEM - 8), H_PARAMETER);
}

/* Registers go in and come out; L1's are as they were. */
static void check_round_trip(void)
{
	struct kvm_regs r;

	PREPARE(0, INSN_ADDI(5, 5, 1), INSN_MFSPR(6, 272), INSN_MTSPR(5, 273), INSN_SC1);
	put64(PT + 8 * 5, 41);
	put64(PT + 8 * 31, 0x123456789abcdef0);
	put64(PT + PT_CCR, 0x12345678);
	put64(HV + HV_SPRG0, 0x5555);
	test_get_regs(&t, 0, &r);
	r.gpr[31] = 77;
	r.sprg0 = 0x1111;
	r.sprg1 = 0x2222;
	test_set_regs(&t, 0, &r);
	assert_int_equal(enter(0), P9_VEC_SYSCALL);
	assert_int_equal(pt_gpr(5), 42);
	assert_int_equal(pt_gpr(6), 0x5555);
	assert_int_equal(pt_gpr(31), 0x123456789abcdef0);
	assert_int_equal(get64(PT + PT_NIP), L2_CODE + 16);
	assert_int_equal(get64(PT + PT_MSR), P9_MSR_SF | P9_MSR_LE | P9_MSR_ME);
	assert_int_equal(get64(PT + PT_CCR), 0x12345678);
	assert_int_equal(get64(HV + HV_SPRG0), 0x5555);
	assert_int_equal(get64(HV + HV_SPRG0 + 8), 42);
	test_get_regs(&t, 0, &r);
	assert_int_equal(r.gpr[31], 77);
	assert_int_equal(r.sprg0, 0x1111);
	assert_int_equal(r.sprg1, 0x2222);
}

static void round_trip(void **state)
{
	(void)state;
	check_round_trip();
	put64(HV, 1);
	check_round_trip();
	l1_be = true;
	check_round_trip();
}

/* L1 gives no more than it has. */
static void sanitised(void **state)
{
	struct ppc_vcpu *v = test_vcpu_inside(&t, 0);
	struct p9_regs *r = p9_regs(v->vcpu.cpu);
	uint64_t hfscr = r->hfscr, lpcr = r->lpcr, tb_offset = r->tb_offset;

	(void)state;
	PREPARE(0, INSN_SC1);
	put64(HV + HV_LPCR, UINT64_MAX);
	put64(HV + HV_HFSCR, UINT64_MAX);
	put64(HV + HV_DAWRX0, UINT64_MAX);
	put64(HV + HV_CIABR, 0x1003);
	put64(HV + HV_PCR, UINT64_MAX);
	put64(HV + HV_TB_OFFSET, UINT64_C(1) << 30);
	put64(PT + PT_MSR, UINT64_MAX & ~P9_MSR_TS_MASK);
	assert_int_equal(test_hcall(&t, 0, H_ENTER_NESTED, (const uint64_t[]){HV, PT}, 2),
			 PPC_RESUME);
	assert_non_null(v->nested);
	assert_int_equal(r->hfscr & ~hfscr & (UINT64_MAX >> 8), 0);
	assert_int_equal(r->lpcr & P9_LPCR_LPES, 0);
	assert_int_equal(r->lpcr & P9_LPCR_HDICE, P9_LPCR_HDICE);
	assert_int_equal(r->lpcr & P9_LPCR_EVIRT, 0);
	assert_int_equal(r->dawrx0 & 4, 0);
	assert_int_equal(r->ciabr, 0x1000);
	assert_int_equal(r->msr & (P9_MSR_HV | P9_MSR_S | P9_MSR_TM), 0);
	assert_int_equal(r->tb_offset, tb_offset + (UINT64_C(1) << 30));
	assert_int_not_equal(r->lpidr, PPC_LPID);
	nested_leave(v, 0);
	assert_null(v->nested);
	assert_int_equal(r->hfscr, hfscr);
	assert_int_equal(r->lpcr, lpcr);
	assert_int_equal(r->tb_offset, tb_offset);
	assert_int_equal(r->lpidr, PPC_LPID);
	assert_int_equal(r->gpr[3], 0);
}

static void *ring(void *v)
{
	usleep(20000);
	kvm_make_request(v, PPC_REQ_DOORBELL);
	return NULL;
}

static void *kick(void *v)
{
	usleep(20000);
	kvm_vcpu_kick(v);
	return NULL;
}

static void interrupts(void **state)
{
	pthread_t thread;
	struct kvm_interrupt irq = {.irq = KVM_INTERRUPT_SET_LEVEL};

	(void)state;
	/* L1's time is up. */
	PREPARE(0, INSN_B(0));
	put64(HV + HV_HDEC, 0);
	assert_int_equal(enter(0), P9_VEC_HDEC);
	PREPARE(0, INSN_B(0));
	put64(HV + HV_HDEC, p9_tb(p9_regs(test_vcpu_inside(&t, 0)->vcpu.cpu)) + P9_TB_HZ / 100);
	assert_int_equal(enter(0), P9_VEC_HDEC);
	assert_int_equal(get64(PT + PT_NIP), L2_CODE);
	/* L1's device, although L2 has EE off. */
	PREPARE(0, INSN_B(0));
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_INTERRUPT, &irq), 0);
	assert_int_equal(enter(0), P9_VEC_EXTERNAL);
	irq.irq = KVM_INTERRUPT_UNSET;
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_INTERRUPT, &irq), 0);
	/* L1 mediates: L2's handler at 0x500, when it sets EE. */
	st_le32(t.mem + L2_MEM + 0x500, INSN_LI(7, 99));
	st_le32(t.mem + L2_MEM + 0x504, INSN_SC1);
	PREPARE(0, INSN_LIS(4, 0), INSN_ORI(4, 4, 0x8000), INSN_MTMSRD_L1(4), INSN_B(0));
	put64(HV + HV_LPCR, P9_LPCR_LD | P9_LPCR_MER | P9_LPCR_ILE);
	assert_int_equal(enter(0), P9_VEC_SYSCALL);
	assert_int_equal(pt_gpr(7), 99);
	/* A doorbell for L1: it tries again, and gets it first. */
	PREPARE(0, INSN_B(0));
	pthread_create(&thread, NULL, ring, test_vcpu_inside(&t, 0));
	assert_int_equal(enter(0), 0);
	pthread_join(thread, NULL);
	assert_int_equal(p9_regs(test_vcpu_inside(&t, 0)->vcpu.cpu)->dpdes, 1);
	assert_int_equal(get64(HV + HV_DPDES), 0);
	/* A kick: KVM_RUN returns, in L1. */
	PREPARE(0, INSN_B(0));
	pthread_create(&thread, NULL, kick, test_vcpu_inside(&t, 0));
	assert_int_equal(test_run(&t, 0), -EINTR);
	pthread_join(thread, NULL);
	assert_null(test_vcpu_inside(&t, 0)->nested);
	assert_int_equal(test_gpr(&t, 0, 3), 0);
	assert_int_equal(get64(PT + PT_NIP), L2_CODE);
}

static void instructions(void **state)
{
	uint64_t hfscr;

	(void)state;
	PREPARE(0, INSN_ILLEGAL);
	assert_int_equal(enter(0), P9_VEC_HEAI);
	assert_int_equal(get64(HV + HV_HEIR), INSN_ILLEGAL);
	assert_int_equal(get64(PT + PT_NIP), L2_CODE);
	/* A facility that L1 took away: DSCR, cause 2. */
	PREPARE(0, INSN_MFSPR(4, 3));
	put64(HV + HV_HFSCR, (UINT64_MAX >> 8) & ~BIT64(P9_FSCR_DSCR));
	assert_int_equal(enter(0), P9_VEC_HFAC_UNAVAILABLE);
	hfscr = get64(HV + HV_HFSCR);
	assert_int_equal(hfscr >> 56, P9_FSCR_DSCR);
	assert_int_equal(hfscr << 8 >> 8, (UINT64_MAX >> 8) & ~BIT64(P9_FSCR_DSCR));
	/* One that L1 gives and does not have: transactional memory. */
	PREPARE(0, INSN_MFSPR(4, 128));
	assert_int_equal(enter(0), P9_VEC_HEAI);
	assert_int_equal(get64(HV + HV_HEIR), INSN_MFSPR(4, 128));
}

/* --- memory --- */

static void page_faults(void **state)
{
	uint64_t entry, leaf;

	(void)state;
	/* Nothing is mapped at 4 MiB: a load, and a store. */
	PREPARE(0, INSN_LIS(4, 0x40), INSN_LD(5, 4, 8), INSN_SC1);
	assert_int_equal(enter(0), P9_VEC_HDSI);
	assert_int_equal(get64(HV + HV_HDAR), 0x400008);
	assert_int_equal(get64(HV + HV_ASDR), 0x400000);
	assert_int_equal(get64(HV + HV_HDSISR), P9_DSISR_NOHPTE);
	assert_int_equal(get64(PT + PT_NIP), L2_CODE + 4);
	PREPARE(0, INSN_LIS(4, 0x40), INSN_STD(5, 4, 8), INSN_SC1);
	assert_int_equal(enter(0), P9_VEC_HDSI);
	assert_int_equal(get64(HV + HV_HDSISR), P9_DSISR_NOHPTE | P9_DSISR_ISSTORE);
	/* L1 maps it: read only, then all; R and C are set as they are used. */
	entry = l1_map(LPID, 0x400000, L2_MEM + 0x400000, 16, RADIX_READ);

	PREPARE(0, INSN_LIS(4, 0x40), INSN_LD(5, 4, 8), INSN_STD(5, 4, 8), INSN_SC1);
	st_le64(t.mem + L2_MEM + 0x400008, 0xfeed);
	assert_int_equal(enter(0), P9_VEC_HDSI);
	assert_int_equal(pt_gpr(5), 0xfeed);
	assert_int_equal(get64(HV + HV_HDSISR), P9_DSISR_PROTFAULT | P9_DSISR_ISSTORE);
	assert_int_equal(ld_be64(t.mem + entry) & (RADIX_R | RADIX_C), RADIX_R);
	l1_map(LPID, 0x400000, L2_MEM + 0x400000, 16, RADIX_READ | RADIX_WRITE);
	PREPARE(0, INSN_LIS(4, 0x40), INSN_LD(5, 4, 8), INSN_STD(5, 4, 16), INSN_SC1);
	assert_int_equal(enter(0), P9_VEC_SYSCALL);
	assert_int_equal(ld_le64(t.mem + L2_MEM + 0x400010), 0xfeed);
	assert_int_equal(ld_be64(t.mem + entry) & (RADIX_R | RADIX_C), RADIX_R | RADIX_C);
	/* All of the 64 KiB at once; the smaller of the page sizes. */
	assert_int_equal(shadow_shift(0x40f000, &leaf), 12);
	assert_true(leaf & RADIX_LEAF);
	assert_int_equal(leaf & RADIX_RPN, (uintptr_t)t.mem + L2_MEM + 0x40f000);
	assert_int_equal(shadow_shift(L2_CODE, &leaf), 21);
	/* Nothing may be executed there. */
	PREPARE(0, INSN_SC1);
	put64(PT + PT_NIP, 0x400000);
	assert_int_equal(enter(0), P9_VEC_HISI);
	assert_int_equal(get64(HV + HV_ASDR), 0x400000);
	assert_int_equal(get64(PT + PT_MSR) & 0x783f0000, P9_DSISR_NOEXEC);
	/* L1's tree is outside its memory. */
	set_patb(LPID, (new_root() & ~UINT64_C(0x0fffffffffffff00)) | GUEST_MEM, BIT64(63));
	assert_int_equal(HCALL(&t, 0, H_TLB_INVALIDATE, 2 << 18 | 1 << 16, LPID, 2 << 10),
			 H_SUCCESS);
	PREPARE(0, INSN_SC1);
	assert_int_equal(enter(0), P9_VEC_HISI);
	assert_int_equal(get64(PT + PT_MSR) & P9_DSISR_PRTABLE_FAULT, P9_DSISR_PRTABLE_FAULT);
	assert_int_equal(get64(HV + HV_ASDR), GUEST_MEM);
	/* A hash guest is refused. */
	set_patb(LPID, 0x400000, 0);
	assert_int_equal(HCALL(&t, 0, H_TLB_INVALIDATE, 2 << 18 | 1 << 16, LPID, 2 << 10),
			 H_SUCCESS);
	PREPARE(0, INSN_SC1);
	assert_int_equal(enter(0), P9_VEC_HISI);
	assert_int_equal(get64(PT + PT_MSR) & P9_DSISR_UNSUPP_MMU, P9_DSISR_UNSUPP_MMU);
}

/* L2 reaches a device of L1's: the VMM's business, with L1's registers in the vCPU. */
static void mmio(void **state)
{
	uint64_t value;

	(void)state;
	l1_map(LPID, 0x800000, GUEST_MEM + 0x200000, 21, RADIX_READ | RADIX_WRITE);
	for (int be = 0; be < 2; be++) {
		l1_be = be;
		PREPARE(0, INSN_LIS(4, 0x80), INSN_LWZ(5, 4, 0x10), INSN_STD(5, 4, 0x18), INSN_SC1);
		assert_int_equal(test_run(&t, 0), 0);
		assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_MMIO);
		assert_int_equal(t.run[0]->mmio.phys_addr, GUEST_MEM + 0x200010);
		assert_int_equal(t.run[0]->mmio.is_write, 0);
		assert_int_equal(t.run[0]->mmio.len, 4);
		assert_null(test_vcpu_inside(&t, 0)->nested);
		assert_int_equal(test_gpr(&t, 0, 3), 0);
		st_le32(t.run[0]->mmio.data, 0x89abcdef);
		/* L1 sees 0: nothing for it. */
		assert_int_equal(enter(0), 0);
		assert_int_equal(pt_gpr(5), 0x89abcdef);
		assert_int_equal(get64(PT + PT_NIP), L2_CODE + 8);
		/* It enters again. */
		test_complete(&t, 0);
		p9_regs(test_vcpu_inside(&t, 0)->vcpu.cpu)->gpr[3] = H_ENTER_NESTED;
		p9_set_pc(test_vcpu_inside(&t, 0)->vcpu.cpu, GUEST_CODE);
		assert_int_equal(test_run(&t, 0), 0);
		assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_MMIO);
		assert_int_equal(t.run[0]->mmio.is_write, 1);
		memcpy(&value, t.run[0]->mmio.data, 8);
		assert_int_equal(value, 0x89abcdef);
		assert_int_equal(enter(0), 0);
	}
}

/* The log has what L2 stores, each time; and what L0 takes away, L2 has no more. */
static void slots(void **state)
{
	const uint64_t target = L2_MEM + 0x100000;
	uint64_t leaf;

	(void)state;
	PREPARE(0, INSN_LIS(4, 0x10), INSN_STD(5, 4, 0), INSN_SC1);
	assert_int_equal(enter(0), P9_VEC_SYSCALL);
	assert_int_equal(shadow_shift(0x100000, &leaf), 21);
	assert_int_equal(test_set_slot(&t, 0, KVM_MEM_LOG_DIRTY_PAGES, 0, GUEST_MEM, t.mem), 0);
	shadow_shift(0x100000, &leaf);
	assert_int_equal(leaf, 0);
	dirty_page(0);
	for (int i = 0; i < 3; i++) {
		PREPARE(0, INSN_LIS(4, 0x10), INSN_LD(6, 4, 0), INSN_SC1);
		assert_int_equal(enter(0), P9_VEC_SYSCALL);
		assert_int_equal(dirty_page(target), 0);
		PREPARE(0, INSN_LIS(4, 0x10), INSN_STD(5, 4, 0), INSN_STD(5, 4, 8), INSN_SC1);
		assert_int_equal(enter(0), P9_VEC_SYSCALL);
		assert_int_equal(shadow_shift(0x100000, &leaf), 12);
		assert_int_equal(leaf & RADIX_WRITE, RADIX_WRITE);
		assert_int_equal(dirty_page(target), 1);
		shadow_shift(0x100000, &leaf);
		assert_int_equal(leaf & (RADIX_WRITE | RADIX_LEAF), RADIX_LEAF);
	}
	/* A slot for the target alone, read-only: a store becomes the VMM's. */
	assert_int_equal(test_set_slot(&t, 0, 0, 0, 0, NULL), 0);
	shadow_shift(0x100000, &leaf);
	assert_int_equal(leaf, 0);
	assert_int_equal(test_set_slot(&t, 0, 0, 0, target, t.mem), 0);
	assert_int_equal(test_set_slot(&t, 1, KVM_MEM_READONLY, target, 0x1000, t.mem + target), 0);
	PREPARE(0, INSN_LIS(4, 0x10), INSN_LD(6, 4, 0), INSN_STD(5, 4, 0), INSN_SC1);
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_MMIO);
	assert_int_equal(t.run[0]->mmio.phys_addr, target);
	assert_int_equal(enter(0), 0);
	assert_int_equal(test_set_slot(&t, 1, KVM_MEM_READONLY, 0, 0, NULL), 0);
	shadow_shift(0x100000, &leaf);
	assert_int_equal(leaf, 0);
}

/* --- invalidation --- */

static void fill(void)
{
	PREPARE(0, INSN_LIS(4, 0x40), INSN_LD(5, 4, 0), INSN_SC1);
	assert_int_equal(enter(0), P9_VEC_SYSCALL);
}

static void invalidation(void **state)
{
	uint64_t leaf;

	(void)state;
	l1_map(LPID, 0x400000, L2_MEM + 0x400000, 16, ATTR_RWX);
	fill();
	/* What the architecture does not have. */
	assert_int_equal(tlbie(tlbie_insn(0, 0, 0), LPID, 0), H_PARAMETER);
	assert_int_equal(tlbie(tlbie_insn(0, 1, 1), LPID, 0), H_PARAMETER);
	assert_int_equal(tlbie(tlbie_insn(3, 0, 1), LPID, 0), H_PARAMETER);
	assert_int_equal(tlbie(tlbie_insn(0, 0, 1), LPID, 1 << 10), H_PARAMETER);
	assert_int_equal(tlbie(tlbie_insn(1, 0, 1), LPID, 0), H_PARAMETER);
	assert_int_equal(tlbie(tlbie_insn(2, 0, 1), LPID, 0), H_PARAMETER);
	assert_int_equal(tlbie(tlbie_insn(0, 0, 1), LPID, 3 << 5), H_PARAMETER);
	/* Another LPID, the page-walk cache: nothing goes. */
	assert_int_equal(tlbie(tlbie_insn(0, 0, 1), LPID + 1, 0x400000), H_SUCCESS);
	assert_int_equal(tlbie(tlbie_insn(1, 0, 1), LPID, 2 << 10), H_SUCCESS);
	assert_int_equal(shadow_shift(0x400000, &leaf), 12);
	/* 4 KiB, 64 KiB */
	assert_int_equal(tlbie(tlbie_insn(0, 0, 1), LPID, 0x401000), H_SUCCESS);
	shadow_shift(0x401000, &leaf);
	assert_int_equal(leaf, 0);
	shadow_shift(0x402000, &leaf);
	assert_int_not_equal(leaf, 0);
	assert_int_equal(tlbie(tlbie_insn(0, 0, 1), LPID, 0x403000 | 5 << 5), H_SUCCESS);
	shadow_shift(0x402000, &leaf);
	assert_int_equal(leaf, 0);
	shadow_shift(0, &leaf);
	assert_int_not_equal(leaf, 0);
	/* One LPID, all */
	for (unsigned is = 2; is < 4; is++) {
		fill();
		assert_int_equal(tlbie(tlbie_insn(0, 0, 1), LPID, is << 10), H_SUCCESS);
		shadow_shift(0, &leaf);
		assert_int_equal(leaf, 0);
	}
	/* H_RPT_INVALIDATE */
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_ENABLE_HCALL, H_RPT_INVALIDATE, 1),
			 0);
	fill();
	assert_int_equal(HCALL(&t, 0, H_RPT_INVALIDATE, LPID, H_RPTI_TARGET_CMMU_LOCAL,
			       H_RPTI_TYPE_NESTED | H_RPTI_TYPE_TLB, H_RPTI_PAGE_ALL, 0,
			       UINT64_MAX),
			 H_P2);
	assert_int_equal(HCALL(&t, 0, H_RPT_INVALIDATE, LPID, H_RPTI_TARGET_CMMU,
			       H_RPTI_TYPE_NESTED | H_RPTI_TYPE_TLB, H_RPTI_PAGE_64K, 0x500000,
			       0x400000),
			 H_P5);
	assert_int_equal(HCALL(&t, 0, H_RPT_INVALIDATE, LPID, H_RPTI_TARGET_CMMU,
			       H_RPTI_TYPE_NESTED | H_RPTI_TYPE_TLB, H_RPTI_PAGE_64K, 0x400000,
			       0x410000),
			 H_SUCCESS);
	shadow_shift(0x400000, &leaf);
	assert_int_equal(leaf, 0);
	shadow_shift(0, &leaf);
	assert_int_not_equal(leaf, 0);
	/* L1 takes the guest out of its table. */
	set_patb(LPID, 0, 0);
	assert_int_equal(
		HCALL(&t, 0, H_RPT_INVALIDATE, LPID, H_RPTI_TARGET_CMMU,
		      H_RPTI_TYPE_NESTED | H_RPTI_TYPE_TLB | H_RPTI_TYPE_PWC | H_RPTI_TYPE_PRT,
		      H_RPTI_PAGE_ALL, 0, UINT64_MAX),
		H_SUCCESS);
	assert_int_equal(test_vm_inside(&t)->nested->nr_guests, 0);
}

static void many_guests(void **state)
{
	const uint64_t table = 0x380000;

	(void)state;
	assert_int_equal(set_ptcr(0), H_SUCCESS);
	memcpy(t.mem + table, t.mem + PATB, 0x1000);
	for (uint32_t i = 0; i < 1024; i++)
		memcpy(t.mem + table + 16 * i, t.mem + PATB + 16 * LPID, 16);
	assert_int_equal(set_ptcr(table | 2), H_SUCCESS);
	for (uint32_t i = 0; i < 1024; i++) {
		PREPARE(0, INSN_SC1);
		put32(HV + HV_LPID, i);
		assert_int_equal(enter(0), i < NESTED_MAX_GUESTS ? P9_VEC_SYSCALL : H_RESOURCE);
	}
	/* One goes, so there is room; all share their memory. */
	memset(t.mem + table + 16 * 7, 0, 16);
	assert_int_equal(tlbie(tlbie_insn(2, 0, 1), 7, 2 << 10), H_SUCCESS);
	PREPARE(0, INSN_SC1);
	put32(HV + HV_LPID, 1023);
	assert_int_equal(enter(0), P9_VEC_SYSCALL);
	assert_int_equal(test_set_slot(&t, 0, 0, 0, 0, NULL), 0);
	for (uint32_t i = 0; i < 1024; i++) {
		unsigned shift;

		assert_int_equal(shadow_lookup(test_vm_inside(&t), i, 0, &shift), 0);
	}
}

/* --- H_COPY_TOFROM_GUEST --- */

static void copy(void **state)
{
	const uint64_t prtb = 0x50000, root = 0x60000, buf = 0x28000;
	const uint64_t rts = PATB_RTS_52;
	uint64_t dw0 = ld_be64(t.mem + PATB + 16 * LPID);

	(void)state;
	/* L2's process 3: its effective addresses from 1 GiB are real ones from 0, 2 MiB. */
	set_patb(LPID, dw0, BIT64(63) | prtb);
	st_be64(t.mem + L2_MEM + prtb + 3 * 16, rts | root | 13);
	st_be64(t.mem + L2_MEM + root, RADIX_VALID | 0x70000 | 9);
	st_be64(t.mem + L2_MEM + 0x70000 + 8, RADIX_VALID | 0x71000 | 9);
	st_be64(t.mem + L2_MEM + 0x71000, RADIX_VALID | RADIX_LEAF | RADIX_READ | RADIX_WRITE);
	PREPARE(0, INSN_SC1);
	assert_int_equal(HCALL(&t, 0, H_COPY_TOFROM_GUEST, LPID, 3, 0x40001000, buf, 0, 8),
			 H_PARAMETER); /* never run */
	PREPARE(0, INSN_SC1);
	assert_int_equal(enter(0), P9_VEC_SYSCALL);
	for (unsigned i = 0; i < 0x3000; i++)
		t.mem[L2_MEM + 0x10ff0 + i] = (uint8_t)(i * 7);
	assert_int_equal(HCALL(&t, 0, H_COPY_TOFROM_GUEST, LPID, 3, 0x40010ff0, buf, 0, 0x2800),
			 H_SUCCESS);
	assert_memory_equal(t.mem + buf, t.mem + L2_MEM + 0x10ff0, 0x2800);
	assert_int_equal(ld_be64(t.mem + L2_MEM + 0x71000) & (RADIX_R | RADIX_C), RADIX_R);
	assert_int_equal(HCALL(&t, 0, H_COPY_TOFROM_GUEST, LPID, 3, 0x40020000, 0, buf, 0x2000),
			 H_SUCCESS);
	assert_memory_equal(t.mem + buf, t.mem + L2_MEM + 0x20000, 0x2000);
	assert_int_equal(ld_be64(t.mem + L2_MEM + 0x71000) & RADIX_C, RADIX_C);
	/* Both or no direction, another quadrant, no translation, too much. */
	assert_int_equal(HCALL(&t, 0, H_COPY_TOFROM_GUEST, LPID, 3, 0x40000000, buf, buf, 8),
			 H_PARAMETER);
	assert_int_equal(HCALL(&t, 0, H_COPY_TOFROM_GUEST, LPID, 3, 0x40000000, 0, 0, 8),
			 H_PARAMETER);
	assert_int_equal(
		HCALL(&t, 0, H_COPY_TOFROM_GUEST, LPID, 3, BIT64(62) | 0x40000000, buf, 0, 8),
		H_PARAMETER);
	assert_int_equal(HCALL(&t, 0, H_COPY_TOFROM_GUEST, LPID, 3, 0x40200000, buf, 0, 8),
			 H_NOT_FOUND);
	assert_int_equal(HCALL(&t, 0, H_COPY_TOFROM_GUEST, LPID, 300, 0x40000000, buf, 0, 8),
			 H_NOT_FOUND);
	assert_int_equal(HCALL(&t, 0, H_COPY_TOFROM_GUEST, LPID, 3, 0x40000000, GUEST_MEM, 0, 8),
			 H_NOT_FOUND);
	assert_int_equal(HCALL(&t, 0, H_COPY_TOFROM_GUEST, LPID, 3, 0x40000000, buf, 0, UINT64_MAX),
			 H_NO_MEM);
}

/* --- reverse maps --- */

static void rmaps(void **state)
{
	static uint64_t entries[RMAP_MAX];
	uint64_t head = 0, seed = 1;
	uint32_t n = 0;

	(void)state;
	assert_int_equal(rmap_gpa(rmap_entry(UINT64_C(0xfffffc0000000), 30, 65535)),
			 UINT64_C(0xfffffc0000000));
	assert_int_equal(rmap_shift(rmap_entry(UINT64_C(0xfffffc0000000), 30, 65535)), 30);
	assert_int_equal(rmap_lpid(rmap_entry(UINT64_C(0xfffffc0000000), 30, 65535)), 65535);
	for (unsigned step = 0; step < 200000; step++) {
		seed = seed * 6364136223846793005 + 1442695040888963407;
		if (n < RMAP_MAX && (seed >> 33) % 100 < (step / 20000 % 2 ? 45 : 55)) {
			uint64_t e = rmap_entry(step * UINT64_C(4096), 12, step % 1024);

			assert_int_equal(rmap_add(&head, e), 0);
			entries[n++] = e;
		} else if (n) {
			uint32_t i = (uint32_t)(seed >> 40) % n;

			rmap_remove(&head, entries[i]);
			memmove(&entries[i], &entries[i + 1], (--n - i) * sizeof(entries[0]));
		}
		assert_int_equal(rmap_count(head), n);
		if (n == 1)
			assert_int_equal(head, entries[0]);
		/* The oldest is first, and memory is given back. */
		if (n) {
			assert_int_equal(rmap_at(head, 0), entries[0]);
			assert_int_equal(rmap_at(head, n - 1), entries[n - 1]);
		}
		if (n > 1)
			assert_true(malloc_usable_size((void *)(uintptr_t)head) <=
				    (n < 4 ? 4 : n) * 3 * sizeof(head) + 32);
	}
	while (n)
		rmap_remove(&head, entries[--n]);
	assert_int_equal(head, 0);
}

/* --- two vCPUs in one L2, while its memory comes and goes --- */

static void *runner(void *arg)
{
	unsigned i = (unsigned)(uintptr_t)arg;

	for (int k = 0; k < 300; k++) {
		prepare(i, NULL, 0);
		if (enter(i) != P9_VEC_SYSCALL)
			return "L2 did not get to its hypercall";
	}
	return NULL;
}

static void two_vcpus(void **state)
{
	pthread_t thread[2];
	void *result;

	(void)state;
	/* 256 stores and loads of 4 KiB pages, and out */
	PREPARE(0, INSN_LIS(4, 0x10), INSN_LI(6, 256), INSN_STD(6, 4, 0), INSN_LD(7, 4, 0),
		INSN_ADDI(4, 4, 0x1000), INSN_ADDI(6, 6, -1), 0x2c060000u /* cmpwi r6,0 */,
		0x4082ffecu /* bne -20 */, INSN_SC1);
	for (uintptr_t i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, runner, (void *)i);
	for (int k = 0; k < 60; k++) {
		struct kvm_userspace_memory_region r = {
			.flags = k & 1 ? 0 : KVM_MEM_LOG_DIRTY_PAGES,
			.memory_size = GUEST_MEM,
			.userspace_addr = (uintptr_t)t.mem,
		};

		test_ioctl(&t, t.fd, KVM_SET_USER_MEMORY_REGION, &r);
		if (r.flags)
			dirty_page(0);
	}
	for (unsigned i = 0; i < 2; i++) {
		pthread_join(thread[i], &result);
		assert_null(result);
	}
}

/* --- threads of a core that depend on each other --- */

static _Atomic bool inside;

/* vCPU 1: enters L2, which leaves at once. */
static void *second(void *result)
{
	*(int64_t *)result = enter(1);
	/* vCPU 0 has left before. */
	return atomic_load(&inside) ? "both were inside" : NULL;
}

static void *clear_and_kick(void *v)
{
	usleep(30000);
	atomic_store(&inside, false);
	kvm_vcpu_kick(v);
	return NULL;
}

static void joint_threads(void **state)
{
	struct ppc_vcpu *v = test_vcpu_inside(&t, 0);
	pthread_t thread, kicker;
	int64_t trap = -1;
	void *result;

	(void)state;
	test_vm_inside(&t)->joint_threads = true;
	test_vm_inside(&t)->smt_mode = 2;
	/* vCPU 0 loops in L2 until it is kicked; vCPU 1 waits for that, and enters. */
	PREPARE(1, INSN_SC1);
	PREPARE(0, INSN_B(0));
	st_le32(t.mem + L2_MEM + L2_CODE + 0x100, INSN_SC1);
	put64(PT + 0x1000 + PT_NIP, L2_CODE + 0x100);
	atomic_store(&inside, true);
	assert_int_equal(test_hcall(&t, 0, H_ENTER_NESTED, (const uint64_t[]){HV, PT}, 2),
			 PPC_RESUME);
	assert_ptr_equal(test_vm_inside(&t)->nested->core[0].owner, v);
	pthread_create(&thread, NULL, second, &trap);
	pthread_create(&kicker, NULL, clear_and_kick, &v->vcpu);
	assert_int_equal(test_run(&t, 0), -EINTR);
	pthread_join(kicker, NULL);
	pthread_join(thread, &result);
	assert_null(result);
	assert_int_equal(trap, P9_VEC_SYSCALL);
	assert_null(test_vm_inside(&t)->nested->core[0].owner);

	/* A wait that ends: by a kick, by a doorbell, by L1's next event. */
	assert_int_equal(test_hcall(&t, 0, H_ENTER_NESTED, (const uint64_t[]){HV, PT}, 2),
			 PPC_RESUME);
	PREPARE(1, INSN_SC1);
	kvm_vcpu_kick(&test_vcpu_inside(&t, 1)->vcpu);
	assert_int_equal(test_run(&t, 1), -EINTR);
	pthread_create(&kicker, NULL, clear_and_kick, &test_vcpu_inside(&t, 1)->vcpu);
	while (test_run(&t, 1) != -EINTR)
		;
	pthread_join(kicker, NULL);
	assert_int_equal(test_gpr(&t, 1, 3), 0);
	PREPARE(1, INSN_SC1);
	pthread_create(&kicker, NULL, ring, test_vcpu_inside(&t, 1));
	assert_int_equal(enter(1), 0);
	pthread_join(kicker, NULL);
	PREPARE(1, INSN_SC1);
	put64(HV + 0x1000 + HV_HDEC, p9_tb(p9_regs(v->vcpu.cpu)) + P9_TB_HZ / 100);
	assert_int_equal(enter(1), P9_VEC_HDEC);
	assert_null(test_vm_inside(&t)->nested->core[0].first);
	/* Of another core it is independent. */
	nested_leave(v, 0);
	test_vm_inside(&t)->smt_mode = 1;
	assert_int_equal(test_hcall(&t, 0, H_ENTER_NESTED, (const uint64_t[]){HV, PT}, 2),
			 PPC_RESUME);
	PREPARE(1, INSN_SC1);
	assert_int_equal(enter(1), P9_VEC_SYSCALL);
	nested_leave(v, 0);
	test_vm_inside(&t)->joint_threads = false;
}

/* The administrator forbids it. */
static void forbidden(void **state)
{
	const struct kvm_tuning tuning = {.no_nested = true};
	struct kvm_enable_cap cap = {.cap = KVM_CAP_PPC_NESTED_HV, .args = {1}};
	struct test_vm off = {0};

	(void)state;
	off.sys = be->open(KVM_GUEST_PPC64, &off.kvm);
	be->tune(off.kvm, &tuning);
	off.fd = test_ioctl_n(&off, off.sys, KVM_CREATE_VM, 0);
	assert_true(off.fd >= 0);
	assert_int_equal(test_ioctl_n(&off, off.sys, KVM_CHECK_EXTENSION, KVM_CAP_PPC_NESTED_HV),
			 0);
	assert_int_equal(test_ioctl_n(&off, off.fd, KVM_CHECK_EXTENSION, KVM_CAP_PPC_NESTED_HV), 0);
	assert_int_equal(test_ioctl(&off, off.fd, KVM_ENABLE_CAP, &cap), -EPERM);
	be->destroy(off.kvm);
}

/* --- byte order: L1 and L2 may differ --- */

/* L2's code is stored by `prepare` as little-endian: of a big-endian L2, anew. */
static void put_l2_be(const uint32_t *insn, size_t n)
{
	for (size_t k = 0; k < n; k++)
		st_be32(t.mem + L2_MEM + L2_CODE + 4 * k, insn[k]);
	put64(PT + PT_MSR, P9_MSR_SF);
}

static void byte_orders(void **state)
{
	/* Its interrupt handler is of its own byte order, by LPCR[ILE] (0): big-endian. */
	static const uint32_t code[] = {INSN_LIS(4, 1), INSN_LD(5, 4, 0x100), INSN_STD(5, 4, 0x108),
					INSN_LWZ(6, 4, 0x104), INSN_SC1};

	(void)state;
	for (unsigned order = 0; order < 4; order++) {
		bool l2_be = order & 1;

		l1_be = order & 2;
		prepare(0, code, ARRAY_SIZE(code));
		if (l2_be)
			put_l2_be(code, ARRAY_SIZE(code));
		memcpy(t.mem + L2_MEM + 0x10100, "\1\2\3\4\5\6\7\10", 8);
		assert_int_equal(enter(0), P9_VEC_SYSCALL);
		assert_int_equal(pt_gpr(5), l2_be ? 0x0102030405060708 : 0x0807060504030201);
		assert_int_equal(pt_gpr(6), l2_be ? 0x05060708 : 0x08070605);
		assert_memory_equal(t.mem + L2_MEM + 0x10108, "\1\2\3\4\5\6\7\10", 8);
		assert_int_equal(get64(PT + PT_MSR) & P9_MSR_LE, l2_be ? 0 : P9_MSR_LE);
		assert_int_equal(get64(PT + PT_NIP), L2_CODE + sizeof(code));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_by_default),
		cmocka_unit_test(rmaps),
		TEST(partition_table),
		TEST(bad_arguments),
		TEST(round_trip),
		TEST(sanitised),
		TEST(interrupts),
		TEST(instructions),
		TEST(page_faults),
		TEST(mmio),
		TEST(slots),
		TEST(invalidation),
		TEST(many_guests),
		TEST(copy),
		TEST(two_vcpus),
		TEST(joint_threads),
		cmocka_unit_test(forbidden),
		TEST(byte_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
