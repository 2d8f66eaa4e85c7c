/*
 * What tests of nested HV share: an L1 whose tables the test builds, and L2 code that runs under
 * it. The vCPU's code is L1's: H_ENTER_NESTED, and then a hypercall that the hypervisor does not
 * know, with the result in GPR14.
 */
#ifndef KVM_NESTED_L1_H
#define KVM_NESTED_L1_H

#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/radix_tree.h"
#include "kvm_test.h"

#define PATB       UINT64_C(0x300000)  /* L1's partition table, a page */
#define TREES      UINT64_C(0x400000)  /* its trees */
#define HV         UINT64_C(0x20000)   /* struct hv_guest_state; a page on for each vCPU */
#define PT         UINT64_C(0x24000)   /* struct pt_regs, as well */
#define L2_MEM     UINT64_C(0x1000000) /* L1 memory that L2 has */
#define L2_CODE    UINT64_C(0x10000)
#define LPID       5
#define DONE_HCALL 0x3ffc

/* Byte offsets in struct hv_guest_state */
enum {
	HV_LPID = 8,
	HV_TOKEN = 12,
	HV_LPCR = 16,
	HV_PCR = 24,
	HV_AMOR = 32,
	HV_DPDES = 40,
	HV_HFSCR = 48,
	HV_TB_OFFSET = 56,
	HV_DAWR0 = 64,
	HV_DAWRX0 = 72,
	HV_CIABR = 80,
	HV_HDEC = 88,
	HV_PURR = 96,
	HV_SPURR = 104,
	HV_IC = 112,
	HV_VTB = 120,
	HV_HDAR = 128,
	HV_HDSISR = 136,
	HV_HEIR = 144,
	HV_ASDR = 152,
	HV_SRR0 = 160,
	HV_SRR1 = 168,
	HV_SPRG0 = 176,
	HV_PIDR = 208,
	HV_CFAR = 216,
	HV_PPR = 224,
};

/* In struct pt_regs, behind the GPRs */
enum {
	PT_NIP = 32 * 8,
	PT_MSR = 33 * 8,
	PT_ORIG_GPR3 = 34 * 8,
	PT_CTR = 35 * 8,
	PT_LINK = 36 * 8,
	PT_XER = 37 * 8,
	PT_CCR = 38 * 8,
};

#define ATTR_RWX (RADIX_READ | RADIX_WRITE | RADIX_EXEC)

#define INSN_MR(ra, rs)     (0x7c000378u | (rs) << 21 | (ra) << 16 | (rs) << 11)
#define INSN_LD(rt, ra, d)  INSN_D(58, rt, ra, d)
#define INSN_STD(rs, ra, d) INSN_D(62, rs, ra, d)
#define INSN_LWZ(rt, ra, d) INSN_D(32, rt, ra, d)
#define INSN_MFSPR(rt, spr) INSN_X(339, rt, (spr)&31, (spr) >> 5)
#define INSN_MTSPR(rt, spr) INSN_X(467, rt, (spr)&31, (spr) >> 5)
#define INSN_MTMSRD_L1(rs)  (0x7c010164u | (rs) << 21)
#define INSN_ILLEGAL        0x00000000u

static struct test_vm t;
static uint64_t tree_next;
static bool l1_be;

static inline void put64(uint64_t gpa, uint64_t v)
{
	if (l1_be)
		st_be64(t.mem + gpa, v);
	else
		st_le64(t.mem + gpa, v);
}

static inline uint64_t get64(uint64_t gpa)
{
	return l1_be ? ld_be64(t.mem + gpa) : ld_le64(t.mem + gpa);
}

static inline void put32(uint64_t gpa, uint32_t v)
{
	if (l1_be)
		st_be32(t.mem + gpa, v);
	else
		st_le32(t.mem + gpa, v);
}

static inline uint64_t new_table(uint64_t size)
{
	uint64_t at = align_up(tree_next, size);

	tree_next = at + size;
	assert_true(tree_next <= L2_MEM);
	memset(t.mem + at, 0, size);
	return at;
}

static inline void set_patb(uint32_t lpid, uint64_t dw0, uint64_t dw1)
{
	st_be64(t.mem + PATB + 16 * lpid, dw0);
	st_be64(t.mem + PATB + 16 * lpid + 8, dw1);
}

/* Address of the entry of L2's gpa for pages of 1 << shift in the tree at dw0; tables are made. */
static inline uint64_t l1_entry(uint64_t dw0, uint64_t gpa, unsigned shift)
{
	uint64_t table = dw0 & 0x0fffffffffffff00;
	unsigned bits = 39, nls = 13;

	for (;;) {
		uint64_t e = table + (gpa >> bits & (BIT64(nls) - 1)) * 8;

		if (bits == shift)
			return e;
		nls = bits == 21 && shift == 16 ? 5 : 9;
		if (!ld_be64(t.mem + e))
			st_be64(t.mem + e, RADIX_VALID | new_table(8u << nls) | nls);
		table = ld_be64(t.mem + e) & 0x01ffffffffffff00;
		bits -= nls;
	}
}

static inline uint64_t l1_map(uint32_t lpid, uint64_t gpa, uint64_t to, unsigned shift,
			      uint64_t attr)
{
	uint64_t e = l1_entry(ld_be64(t.mem + PATB + 16 * lpid), gpa, shift);

	st_be64(t.mem + e, RADIX_VALID | RADIX_LEAF | to | attr);
	return e;
}

static inline uint64_t new_root(void)
{
	return PATB_HR | PATB_RTS_52 | new_table(ROOT_SIZE) | ROOT_BITS;
}

static inline int64_t set_ptcr(uint64_t ptcr)
{
	return HCALL(&t, 0, H_SET_PARTITION_TABLE, ptcr);
}

/* L1's vCPU i at its H_ENTER_NESTED; L2 at L2_CODE in real mode, with `n` instructions. */
static inline void prepare(unsigned i, const uint32_t *insn, size_t n)
{
	static const uint32_t l1[] = {INSN_SC1, INSN_MR(14, 3), INSN_LI(3, DONE_HCALL), INSN_SC1};
	uint64_t hv = HV + 0x1000 * i, pt = PT + 0x1000 * i;
	struct kvm_regs r;

	test_complete(&t, i);
	for (size_t k = 0; k < n; k++)
		st_le32(t.mem + L2_MEM + L2_CODE + 4 * k, insn[k]);
	for (size_t k = 0; k < ARRAY_SIZE(l1); k++) {
		if (l1_be)
			st_be32(t.mem + GUEST_CODE + 4 * k, l1[k]);
		else
			st_le32(t.mem + GUEST_CODE + 4 * k, l1[k]);
	}
	/* Not by the guest, so the processor does not know. */
	cpu_shoot_host(test_vm_inside(&t)->vm.system, test_vcpu_inside(&t, i)->vcpu.cpu,
		       HVA(t.mem + L2_MEM + L2_CODE), 0x1000);
	cpu_shoot_host(test_vm_inside(&t)->vm.system, test_vcpu_inside(&t, i)->vcpu.cpu,
		       HVA(t.mem + GUEST_CODE), 0x1000);
	memset(t.mem + hv, 0, 248);
	memset(t.mem + pt, 0, 352);
	put64(hv, 2);
	put32(hv + HV_LPID, LPID);
	put32(hv + HV_TOKEN, i);
	put64(hv + HV_AMOR, UINT64_MAX);
	put64(hv + HV_HFSCR, UINT64_MAX >> 8);
	put64(hv + HV_HDEC, UINT64_MAX);
	put64(hv + HV_LPCR, P9_LPCR_LD);
	put64(pt + PT_NIP, L2_CODE);
	put64(pt + PT_MSR, P9_MSR_SF | P9_MSR_LE);
	test_get_regs(&t, i, &r);
	memset(r.gpr, 0, sizeof(r.gpr));
	r.pc = GUEST_CODE;
	r.msr = P9_MSR_SF | (l1_be ? 0 : P9_MSR_LE);
	r.gpr[3] = H_ENTER_NESTED;
	r.gpr[4] = hv;
	r.gpr[5] = pt;
	test_set_regs(&t, i, &r);
}

#define PREPARE(i, ...)                                                                            \
	prepare(i, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

/* Run L2 until L1 has the hypercall's result. */
static inline int64_t enter(unsigned i)
{
	assert_int_equal(test_run(&t, i), 0);
	assert_int_equal(t.run[i]->exit_reason, KVM_EXIT_PAPR_HCALL);
	assert_int_equal(t.run[i]->papr_hcall.nr, DONE_HCALL);
	assert_null(test_vcpu_inside(&t, i)->nested);
	assert_int_equal(p9_regs(test_vcpu_inside(&t, i)->vcpu.cpu)->lpidr, PPC_LPID);
	return (int64_t)test_gpr(&t, i, 14);
}

static inline uint64_t pt_gpr(unsigned n)
{
	return get64(PT + 8 * n);
}

static inline int setup(void **state)
{
	(void)state;
	test_vm_create(&t, 2);
	l1_be = false;
	tree_next = TREES;
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_NESTED_HV, 1, 0), 0);
	set_patb(LPID, new_root(), BIT64(63));
	assert_int_equal(set_ptcr(PATB), 0);
	/* 2 MiB from 0 */
	l1_map(LPID, 0, L2_MEM, 21, ATTR_RWX);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	test_vm_destroy(&t);
	return 0;
}

/* Of the leaf that maps L2 address gpa in the shadow tree. */
static inline unsigned shadow_shift(uint64_t gpa, uint64_t *leaf)
{
	unsigned shift;

	*leaf = shadow_lookup(test_vm_inside(&t), LPID, gpa, &shift);
	return shift;
}

/* Has the dirty log a page of slot 0? It is read, and cleared. */
static inline uint64_t dirty_page(uint64_t gpa)
{
	static uint64_t bitmap[GUEST_MEM / 4096 / 64];
	struct kvm_dirty_log log = {.slot = 0, .dirty_bitmap = (uintptr_t)bitmap};

	assert_int_equal(test_ioctl(&t, t.fd, KVM_GET_DIRTY_LOG, &log), 0);
	return bitmap[gpa / 4096 / 64] >> (gpa / 4096 % 64) & 1;
}

/* H_TLB_INVALIDATE and its first argument. */
static inline uint64_t tlbie_insn(unsigned ric, unsigned prs, unsigned r)
{
	return (uint64_t)ric << 18 | (uint64_t)prs << 17 | (uint64_t)r << 16;
}

static inline int64_t tlbie(uint64_t insn, uint64_t rs, uint64_t rb)
{
	return HCALL(&t, 0, H_TLB_INVALIDATE, insn, rs, rb);
}

#endif
