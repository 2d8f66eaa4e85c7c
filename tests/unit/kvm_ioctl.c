/*
 * ioctls and their arguments: each bad one gives the documented error and changes nothing; slots
 * are checked, kept sorted, and found.
 */
#include <unistd.h>

#include "kvm_test.h"

static struct test_vm t;

static int setup(void **state)
{
	(void)state;
	test_vm_create(&t, 2);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_vm_destroy(&t);
	return 0;
}

/* An address where nothing is mapped. */
static void *bad_pointer(void)
{
	void *p = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(p, 65536);
	return p;
}

static void request_numbers(void **state)
{
	(void)state;
	/* As the powerpc64le kernel's headers have them. */
	assert_int_equal(kvm_request(KVM_GUEST_PPC64, KVM_RUN), 0x2000ae80);
	assert_int_equal(kvm_request(KVM_GUEST_PPC64, KVM_GET_SREGS), 0x44d0ae83);
	assert_int_equal(kvm_request(KVM_GUEST_PPC64, KVM_SET_USER_MEMORY_REGION), 0x8020ae46);
	assert_int_equal(kvm_request(KVM_GUEST_PPC64, KVM_CREATE_DEVICE), 0xc00caee0);
	assert_int_equal(kvm_request(KVM_GUEST_X86_64, KVM_RUN), 0xae80);
	/* Another architecture's number, or garbage, is none of KVM's. */
	assert_int_equal(be->ioctl(t.kvm, t.sys, 0xae00, NULL), -ENOTTY);
	assert_int_equal(be->ioctl(t.kvm, t.fd, 0x12345678, NULL), -ENOTTY);
	assert_int_equal(be->ioctl(t.kvm, t.vcpu[0], 0xae80, NULL), -EINVAL);
	assert_int_equal(be->ioctl(t.kvm, t.sys, UINT64_MAX, NULL), -ENOTTY);
}

static void descriptors(void **state)
{
	struct kvm *k;
	int err, fd;

	(void)state;
	assert_int_equal(be->open(KVM_GUEST_S390X, &k), -ENOENT);
	assert_null(k);
	for (int bad = -2; bad < 6000; bad += 1999)
		assert_int_equal(test_ioctl(&t, bad, KVM_GET_API_VERSION, NULL), -EBADF);
	assert_int_equal(be->close(t.kvm, 77), -EBADF);
	assert_null(be->map_run(t.kvm, t.fd, 4096, &err));
	assert_int_equal(err, -ENODEV);
	assert_null(be->map_run(t.kvm, 4095, 4096, &err));
	assert_int_equal(err, -EBADF);
	assert_null(be->map_run(t.kvm, t.vcpu[0], 1 << 20, &err));
	assert_int_equal(err, -EINVAL);
	/* A vCPU outlives its descriptor, and its number stays taken. */
	assert_int_equal(be->close(t.kvm, t.vcpu[1]), 0);
	assert_int_equal(be->close(t.kvm, t.vcpu[1]), -EBADF);
	assert_int_equal(test_ioctl_n(&t, t.fd, KVM_CREATE_VCPU, 1), -EEXIST);
	fd = test_ioctl_n(&t, t.fd, KVM_CREATE_VCPU, 5);
	assert_true(fd >= 0);
	/* A VM lives as long as a vCPU's descriptor. */
	assert_int_equal(be->close(t.kvm, t.fd), 0);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_GET_DIRTY_LOG, NULL), -EBADF);
	TEST_CODE(&t, 0, GUEST_CODE, INSN_LI(3u, 0x54), INSN_SC1);
	assert_int_equal(test_run(&t, 0), 0);
}

static void system_ioctls(void **state)
{
	(void)state;
	assert_int_equal(test_ioctl(&t, t.sys, KVM_GET_API_VERSION, NULL), 12);
	assert_int_equal(test_ioctl_n(&t, t.sys, KVM_GET_API_VERSION, 1), -EINVAL);
	assert_true(test_ioctl(&t, t.sys, KVM_GET_VCPU_MMAP_SIZE, NULL) >=
		    (int)sizeof(struct kvm_run));
	assert_int_equal(test_ioctl_n(&t, t.sys, KVM_CREATE_VM, KVM_VM_PPC_PR), -EINVAL);
	assert_int_equal(test_ioctl_n(&t, t.sys, KVM_CREATE_VM, 99), -EINVAL);
	assert_int_equal(test_ioctl(&t, t.sys, KVM_RUN, NULL), -EINVAL);
	assert_int_equal(test_ioctl_n(&t, t.sys, KVM_CHECK_EXTENSION, KVM_CAP_PPC_MMU_RADIX), 1);
	assert_int_equal(test_ioctl_n(&t, t.sys, KVM_CHECK_EXTENSION, KVM_CAP_PPC_MMU_HASH_V3), 0);
	assert_int_equal(test_ioctl_n(&t, t.sys, KVM_CHECK_EXTENSION, 0x7fffffff), 0);
	assert_int_equal(test_ioctl_n(&t, t.fd, KVM_CHECK_EXTENSION, KVM_CAP_PPC_SMT), 1);
}

static void vcpu_creation(void **state)
{
	(void)state;
	assert_int_equal(test_ioctl_n(&t, t.fd, KVM_CREATE_VCPU, 0), -EEXIST);
	assert_int_equal(test_ioctl_n(&t, t.fd, KVM_CREATE_VCPU, KVM_MAX_VCPU_IDS), -EINVAL);
	assert_int_equal(test_ioctl_n(&t, t.fd, KVM_CREATE_VCPU, UINT64_MAX), -EINVAL);
	assert_true(test_ioctl_n(&t, t.fd, KVM_CREATE_VCPU, KVM_MAX_VCPU_IDS - 1) >= 0);
}

static void slot_arguments(void **state)
{
	uint8_t *m = t.mem;
	void *bad = bad_pointer();

	(void)state;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_SET_USER_MEMORY_REGION, NULL), -EFAULT);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_SET_USER_MEMORY_REGION, bad), -EFAULT);
	/* alignment */
	assert_int_equal(test_set_slot(&t, 1, 0, GUEST_MEM + 1, 4096, m), -EINVAL);
	assert_int_equal(test_set_slot(&t, 1, 0, GUEST_MEM, 4097, m), -EINVAL);
	assert_int_equal(test_set_slot(&t, 1, 0, GUEST_MEM, 4096, m + 8), -EINVAL);
	/* flags, slot, address space */
	assert_int_equal(test_set_slot(&t, 1, 4, GUEST_MEM, 4096, m), -EINVAL);
	assert_int_equal(test_set_slot(&t, KVM_USER_MEM_SLOTS, 0, GUEST_MEM, 4096, m), -EINVAL);
	assert_int_equal(test_set_slot(&t, 0x10001, 0, GUEST_MEM, 4096, m), -EINVAL);
	/* ranges */
	assert_int_equal(test_set_slot(&t, 1, 0, UINT64_MAX - 4095, 4096, m), -EINVAL);
	assert_int_equal(test_set_slot(&t, 1, 0, UINT64_C(1) << 52, 4096, m), -EINVAL);
	assert_int_equal(test_set_slot(&t, 1, 0, GUEST_MEM, UINT64_C(1) << 44, m), -EINVAL);
	assert_int_equal(test_set_slot(&t, 1, 0, GUEST_MEM, 4096, (void *)(UINT64_MAX - 4095)),
			 -EINVAL);
	assert_int_equal(test_set_slot(&t, 1, 0, GUEST_MEM, 65536, bad), -EINVAL);
	/* the last page of the address space is fine */
	assert_int_equal(test_set_slot(&t, 1, 0, (UINT64_C(1) << 52) - 4096, 4096, m), 0);
	assert_int_equal(test_set_slot(&t, 1, 0, 0, 0, NULL), 0);
	/* overlap: inside, at either end */
	assert_int_equal(test_set_slot(&t, 1, 0, 4096, 4096, m), -EEXIST);
	assert_int_equal(test_set_slot(&t, 1, 0, GUEST_MEM - 4096, 8192, m), -EEXIST);
	assert_int_equal(test_set_slot(&t, 1, 0, GUEST_MEM, 8192, m), 0);
	assert_int_equal(test_set_slot(&t, 2, 0, GUEST_MEM + 4096, 4096, m), -EEXIST);
	assert_int_equal(test_set_slot(&t, 2, 0, GUEST_MEM + 8192, 4096, m), 0);
	/* deletion of what is not there */
	assert_int_equal(test_set_slot(&t, 3, 0, 0, 0, NULL), -EINVAL);
	/* modification: no resizing, no other memory, no change of read-only */
	assert_int_equal(test_set_slot(&t, 1, 0, GUEST_MEM, 4096, m), -EINVAL);
	assert_int_equal(test_set_slot(&t, 1, 0, GUEST_MEM, 8192, m + 4096), -EINVAL);
	assert_int_equal(test_set_slot(&t, 1, KVM_MEM_READONLY, GUEST_MEM, 8192, m), -EINVAL);
	assert_int_equal(test_set_slot(&t, 1, KVM_MEM_LOG_DIRTY_PAGES, GUEST_MEM, 8192, m), 0);
	/* a move, over itself, and onto another */
	assert_int_equal(test_set_slot(&t, 1, 0, GUEST_MEM + 4096, 8192, m), -EEXIST);
	assert_int_equal(test_set_slot(&t, 2, 0, GUEST_MEM + 16384, 4096, m), 0);
	assert_int_equal(test_set_slot(&t, 1, 0, GUEST_MEM + 4096, 8192, m), 0);
}

static void slot_lookup(void **state)
{
	struct kvm_vm *vm = test_file(&t, t.fd)->vm;
	uint64_t base = UINT64_C(1) << 32;

	(void)state;
	/* In a mixed order, with a gap of a page after each. */
	for (uint32_t i = 0; i < 200; i++) {
		uint32_t k = i * 77 % 200;

		assert_int_equal(test_set_slot(&t, 1 + k, 0, base + k * UINT64_C(8192), 4096,
					       t.mem + k * 4096),
				 0);
	}
	for (uint32_t i = 0; i < 200; i += 3)
		assert_int_equal(test_set_slot(&t, 1 + i, 0, 0, 0, NULL), 0);
	kvm_read_lock(&vm->slots_lock);
	for (uint32_t i = 0; i < 200; i++) {
		uint64_t gpa = base + i * UINT64_C(8192);
		struct kvm_memslot *s = kvm_find_slot(vm, GPA(gpa + 4095));

		assert_null(kvm_find_slot(vm, GPA(gpa + 4096)));
		assert_null(kvm_find_slot(vm, GPA(gpa - 1)));
		if (i % 3 == 0) {
			assert_null(s);
			continue;
		}
		assert_non_null(s);
		assert_int_equal(s->id, 1 + i);
		assert_ptr_equal(kvm_guest_ptr(vm, GPA(gpa + 8), 4088, true), t.mem + i * 4096 + 8);
		assert_null(kvm_guest_ptr(vm, GPA(gpa + 8), 4089, false));
		assert_null(kvm_guest_ptr(vm, GPA(gpa + 8), UINT64_MAX, false));
	}
	assert_null(kvm_find_slot(vm, GPA(UINT64_MAX)));
	kvm_rw_unlock(&vm->slots_lock);
}

static void guest_copies(void **state)
{
	struct kvm_vm *vm = test_file(&t, t.fd)->vm;
	char buf[8200];

	(void)state;
	assert_int_equal(test_set_slot(&t, 1, 0, GUEST_MEM, 4096, t.mem), 0);
	assert_int_equal(
		test_set_slot(&t, 2, KVM_MEM_READONLY, GUEST_MEM + 4096, 4096, t.mem + 4096), 0);
	memset(buf, 0x5a, sizeof(buf));
	/* over two slots; the read-only one cannot be written; the end is the end */
	assert_int_equal(kvm_write_guest(vm, GPA(GUEST_MEM - 10), buf, 20), 0);
	assert_int_equal(t.mem[GUEST_MEM - 10], 0x5a);
	assert_int_equal(t.mem[9], 0x5a);
	assert_int_equal(t.mem[10], 0);
	assert_int_equal(kvm_write_guest(vm, GPA(GUEST_MEM + 4090), buf, 10), -EFAULT);
	assert_int_equal(kvm_read_guest(vm, GPA(GUEST_MEM + 4090), buf, 10), 0);
	assert_int_equal(kvm_read_guest(vm, GPA(GUEST_MEM), buf, 8193), -EFAULT);
	assert_int_equal(kvm_read_guest(vm, GPA(UINT64_MAX - 5), buf, 20), -EFAULT);
}

static void mmu_configuration(void **state)
{
	const uint64_t gr = UINT64_C(1) << 63;
	struct kvm_ppc_mmuv3_cfg cfg = {.flags = KVM_PPC_MMUV3_RADIX, .process_table = gr};
	struct kvm_ppc_rmmu_info rmmu;
	struct kvm_ppc_smmu_info smmu;
	struct kvm_ppc_cpu_char chr;

	(void)state;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_PPC_CONFIGURE_V3_MMU, &cfg), 0);
	cfg.flags = 0;
	cfg.process_table = 0;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_PPC_CONFIGURE_V3_MMU, &cfg), -EINVAL);
	cfg.flags = KVM_PPC_MMUV3_RADIX;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_PPC_CONFIGURE_V3_MMU, &cfg), -EINVAL);
	cfg.process_table = gr | 25;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_PPC_CONFIGURE_V3_MMU, &cfg), -EINVAL);
	cfg.process_table = gr | 24;
	cfg.flags |= 4;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_PPC_CONFIGURE_V3_MMU, &cfg), -EINVAL);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_PPC_CONFIGURE_V3_MMU, NULL), -EFAULT);

	assert_int_equal(test_ioctl(&t, t.fd, KVM_PPC_GET_RMMU_INFO, &rmmu), 0);
	assert_int_equal(rmmu.geometries[0].page_shift, 12);
	assert_int_equal(rmmu.geometries[1].level_bits[0], 5);
	assert_int_equal(rmmu.ap_encodings[1], 0xa0000010);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_PPC_GET_SMMU_INFO, &smmu), 0);
	assert_int_equal(smmu.flags, KVM_PPC_NO_HASH);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_PPC_GET_CPU_CHAR, &chr), 0);
	assert_int_equal(chr.character & ~chr.character_mask, 0);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_PPC_GET_RMMU_INFO, bad_pointer()), -EFAULT);
}

static void capabilities(void **state)
{
	struct kvm_enable_cap cap = {.cap = KVM_CAP_PPC_PAPR, .flags = 1};

	(void)state;
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_ENABLE_CAP, &cap), -EINVAL);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_ENABLE_CAP, &cap), -EINVAL);
	assert_int_equal(test_enable_cap(&t, t.vcpu[0], 12345, 0, 0), -EINVAL);
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_NESTED_HV, 2, 0), -EINVAL);
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_SMT, 2, 0), -EBUSY);
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_SMT, 16, 0), -EINVAL);
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_SMT, 0, 0), -EINVAL);
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_ENABLE_HCALL, H_RANDOM, 1), 0);
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_ENABLE_HCALL, H_RANDOM, 2), -EINVAL);
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_ENABLE_HCALL, H_RANDOM + 1, 1),
			 -EINVAL);
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_ENABLE_HCALL, H_PUT_TERM_CHAR, 1),
			 -EINVAL);
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_ENABLE_HCALL, H_RTAS, 1), -EINVAL);
	/* XICS: a bad descriptor, a wrong one */
	assert_int_equal(test_enable_cap(&t, t.vcpu[0], KVM_CAP_IRQ_XICS, 99, 0), -EBADF);
	assert_int_equal(test_enable_cap(&t, t.vcpu[0], KVM_CAP_IRQ_XICS, UINT64_MAX, 0), -EBADF);
	assert_int_equal(test_enable_cap(&t, t.vcpu[0], KVM_CAP_IRQ_XICS, (uint64_t)t.fd, 0),
			 -EPERM);
}

static void registers(void **state)
{
	struct kvm_regs r, back;
	struct kvm_sregs sregs;

	(void)state;
	memset(&r, 0, sizeof(r));
	r.pc = 0x1234;
	r.msr = UINT64_MAX;
	r.cr = 0x12345678;
	r.xer = 0xe0000011;
	r.lr = 5;
	r.ctr = 6;
	for (int i = 0; i < 32; i++)
		r.gpr[i] = (uint64_t)i << 40;
	test_set_regs(&t, 0, &r);
	test_get_regs(&t, 0, &back);
	assert_int_equal(back.pc, 0x1234);
	assert_int_equal(back.cr, 0x12345678);
	assert_int_equal(back.lr, 5);
	assert_int_equal(back.gpr[31], UINT64_C(31) << 40);
	/* never the hypervisor's state */
	assert_int_equal(back.msr & (P9_MSR_HV | P9_MSR_S | P9_MSR_TM | P9_MSR_TS_MASK), 0);
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_REGS, NULL), -EFAULT);
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_GET_REGS, bad_pointer()), -EFAULT);

	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_GET_SREGS, &sregs), 0);
	assert_int_equal(sregs.pvr, P9_PVR);
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_SREGS, &sregs), 0);
	sregs.pvr = 0x004d0200;
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_SREGS, &sregs), -EINVAL);
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_GET_FPU, &sregs), -EOPNOTSUPP);
}

static int one_reg(uint32_t request, uint64_t id, void *value)
{
	struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)value};

	return test_ioctl(&t, t.vcpu[0], request, &reg);
}

static void one_registers(void **state)
{
	static const uint64_t plain[] = {
		KVM_REG_PPC_DSCR,  KVM_REG_PPC_DAR,   KVM_REG_PPC_AMR,    KVM_REG_PPC_FPR(31),
		KVM_REG_PPC_MMCR0, KVM_REG_PPC_TAR,   KVM_REG_PPC_TIDR,   KVM_REG_PPC_ACOP,
		KVM_REG_PPC_WORT,  KVM_REG_PPC_PTCR,  KVM_REG_PPC_DABR,   KVM_REG_PPC_IAMR,
		KVM_REG_PPC_DAWR,  KVM_REG_PPC_TFHAR, KVM_REG_PPC_TEXASR, KVM_REG_PPC_PPR,
	};
	uint64_t v, w;
	uint32_t v32;
	u128 q, q2;

	(void)state;
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		v = 0x1122334455667788 + i;
		assert_int_equal(one_reg(KVM_SET_ONE_REG, plain[i], &v), 0);
		w = 0;
		assert_int_equal(one_reg(KVM_GET_ONE_REG, plain[i], &w), 0);
		assert_int_equal(v, w);
	}
	/* FPR n and VSR n are one register; VR n is VSR 32 + n. */
	q = (u128)0x0102030405060708 << 64 | 0x090a0b0c0d0e0f10;
	assert_int_equal(one_reg(KVM_SET_ONE_REG, KVM_REG_PPC_VSR(7), &q), 0);
	assert_int_equal(one_reg(KVM_GET_ONE_REG, KVM_REG_PPC_FPR(7), &v), 0);
	assert_int_equal(v, 0x0102030405060708);
	v = 3;
	assert_int_equal(one_reg(KVM_SET_ONE_REG, KVM_REG_PPC_FPR(7), &v), 0);
	assert_int_equal(one_reg(KVM_GET_ONE_REG, KVM_REG_PPC_VSR(7), &q2), 0);
	assert_true(q2 == ((u128)3 << 64 | 0x090a0b0c0d0e0f10));
	assert_int_equal(one_reg(KVM_SET_ONE_REG, KVM_REG_PPC_VR(31), &q), 0);
	assert_true(p9_regs(test_vcpu_inside(&t, 0)->vcpu.cpu)->vsr[63] == q);
	/* 32-bit ones, and the last of a run */
	v32 = 0xabcd;
	assert_int_equal(one_reg(KVM_SET_ONE_REG, KVM_REG_PPC_PMC(6), &v32), 0);
	assert_int_equal(p9_regs(test_vcpu_inside(&t, 0)->vcpu.cpu)->pmc[5], 0xabcd);
	assert_int_equal(one_reg(KVM_SET_ONE_REG, KVM_REG_PPC_PMC(8), &v32), 0);
	assert_int_equal(one_reg(KVM_SET_ONE_REG, KVM_REG_PPC_ARCH_COMPAT, &v32), -EINVAL);
	v32 = 0x0f000005;
	assert_int_equal(one_reg(KVM_SET_ONE_REG, KVM_REG_PPC_ARCH_COMPAT, &v32), 0);
	/* restricted ones */
	v = 1;
	assert_int_equal(one_reg(KVM_SET_ONE_REG, KVM_REG_PPC_HIOR, &v), -EINVAL);
	v = UINT64_MAX;
	assert_int_equal(one_reg(KVM_SET_ONE_REG, KVM_REG_PPC_LPCR_64, &v), 0);
	assert_int_equal(one_reg(KVM_GET_ONE_REG, KVM_REG_PPC_LPCR_64, &v), 0);
	assert_int_equal(v & P9_LPCR_AIL, P9_LPCR_AIL);
	assert_true(v & P9_LPCR_ILE);
	assert_false(v & P9_LPCR_HDICE);
	assert_false(v & P9_LPCR_MER);
	v = UINT64_C(2) << 23; /* AIL = 2 is not done */
	assert_int_equal(one_reg(KVM_SET_ONE_REG, KVM_REG_PPC_LPCR_64, &v), 0);
	assert_int_equal(one_reg(KVM_GET_ONE_REG, KVM_REG_PPC_LPCR_64, &v), 0);
	assert_int_equal(v & P9_LPCR_AIL, 0);
	v = 5;
	assert_int_equal(one_reg(KVM_SET_ONE_REG, KVM_REG_PPC_TB_OFFSET, &v), 0);
	assert_int_equal(one_reg(KVM_GET_ONE_REG, KVM_REG_PPC_TB_OFFSET, &v), 0);
	assert_int_equal(v, 1 << 24);
	v = 7;
	assert_int_equal(one_reg(KVM_SET_ONE_REG, KVM_REG_PPC_CIABR, &v), 0);
	assert_int_equal(one_reg(KVM_GET_ONE_REG, KVM_REG_PPC_CIABR, &v), 0);
	assert_int_equal(v, 4);
	assert_int_equal(one_reg(KVM_SET_ONE_REG, KVM_REG_PPC_DEBUG_INST, &v), -EINVAL);
	assert_int_equal(one_reg(KVM_GET_ONE_REG, KVM_REG_PPC_ICP_STATE, &v), -ENXIO);
	assert_int_equal(one_reg(KVM_GET_ONE_REG, KVM_REG_PPC_64(0x3fff), &v), -EINVAL);
	/* the right number with the wrong size, another architecture's */
	assert_int_equal(one_reg(KVM_GET_ONE_REG, KVM_REG_PPC_32(0x9), &v), -EINVAL);
	assert_int_equal(one_reg(KVM_GET_ONE_REG, KVM_REG_S390 | 9, &v), -EINVAL);
	assert_int_equal(one_reg(KVM_GET_ONE_REG, KVM_REG_PPC_DSCR, NULL), -EFAULT);
	assert_int_equal(one_reg(KVM_SET_ONE_REG, KVM_REG_PPC_DSCR, bad_pointer()), -EFAULT);
}

static void devices(void **state)
{
	struct kvm_create_device cd = {.type = KVM_DEV_TYPE_XIVE};
	struct kvm_device_attr attr = {.group = KVM_DEV_XICS_GRP_SOURCES, .attr = 16};
	struct kvm_irq_level level = {.irq = 16, .level = 1};
	uint64_t v;
	uint32_t n = KVM_MAX_VCPU_IDS + 1;

	(void)state;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_IRQ_LINE, &level), -ENODEV);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_CREATE_DEVICE, &cd), -ENODEV);
	cd.type = KVM_DEV_TYPE_XICS;
	cd.flags = 2;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_CREATE_DEVICE, &cd), -EINVAL);
	cd.flags = KVM_CREATE_DEVICE_TEST;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_CREATE_DEVICE, &cd), 0);
	cd.flags = 0;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_CREATE_DEVICE, &cd), 0);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_IRQ_LINE, &level), -EINVAL);
	attr.addr = (uintptr_t)&v;
	assert_int_equal(test_ioctl(&t, (int)cd.fd, KVM_HAS_DEVICE_ATTR, &attr), 0);
	assert_int_equal(test_ioctl(&t, (int)cd.fd, KVM_GET_DEVICE_ATTR, &attr), -ENOENT);
	attr.attr = 15;
	assert_int_equal(test_ioctl(&t, (int)cd.fd, KVM_HAS_DEVICE_ATTR, &attr), -ENXIO);
	assert_int_equal(test_ioctl(&t, (int)cd.fd, KVM_SET_DEVICE_ATTR, &attr), -ENOENT);
	attr.attr = UINT64_C(0x100000010);
	assert_int_equal(test_ioctl(&t, (int)cd.fd, KVM_SET_DEVICE_ATTR, &attr), -ENOENT);
	assert_int_equal(test_ioctl(&t, (int)cd.fd, KVM_GET_DEVICE_ATTR, &attr), -ENOENT);
	attr.attr = 16;
	v = 0; /* server 0 is not connected */
	assert_int_equal(test_ioctl(&t, (int)cd.fd, KVM_SET_DEVICE_ATTR, &attr), -EINVAL);
	attr.addr = 0;
	assert_int_equal(test_ioctl(&t, (int)cd.fd, KVM_SET_DEVICE_ATTR, &attr), -EFAULT);
	attr.flags = 1;
	assert_int_equal(test_ioctl(&t, (int)cd.fd, KVM_SET_DEVICE_ATTR, &attr), -EINVAL);
	attr.flags = 0;
	attr.group = 9;
	assert_int_equal(test_ioctl(&t, (int)cd.fd, KVM_SET_DEVICE_ATTR, &attr), -ENXIO);
	attr.group = KVM_DEV_XICS_GRP_CTRL;
	attr.attr = KVM_DEV_XICS_NR_SERVERS;
	attr.addr = (uintptr_t)&n;
	assert_int_equal(test_ioctl(&t, (int)cd.fd, KVM_SET_DEVICE_ATTR, &attr), -EINVAL);
	n = 1;
	assert_int_equal(test_ioctl(&t, (int)cd.fd, KVM_SET_DEVICE_ATTR, &attr), 0);
	assert_int_equal(test_enable_cap(&t, t.vcpu[0], KVM_CAP_IRQ_XICS, cd.fd, 1), -EINVAL);
	assert_int_equal(test_enable_cap(&t, t.vcpu[0], KVM_CAP_IRQ_XICS, cd.fd, 0), 0);
	assert_int_equal(test_enable_cap(&t, t.vcpu[0], KVM_CAP_IRQ_XICS, cd.fd, 0), -EBUSY);
	assert_int_equal(test_enable_cap(&t, t.vcpu[1], KVM_CAP_IRQ_XICS, cd.fd, 0), -EEXIST);
	assert_int_equal(test_ioctl(&t, (int)cd.fd, KVM_SET_DEVICE_ATTR, &attr), -EBUSY);
	assert_int_equal(test_ioctl(&t, (int)cd.fd, KVM_RUN, NULL), -ENOTTY);
	/* one per VM, also when its descriptor is closed */
	assert_int_equal(be->close(t.kvm, (int)cd.fd), 0);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_CREATE_DEVICE, &cd), -EEXIST);
}

static void signal_mask(void **state)
{
	struct {
		uint32_t len;
		uint8_t set[8];
	} m = {8, {0}};
	sigset_t block;

	(void)state;
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	raise(SIGUSR1);
	TEST_CODE(&t, 0, GUEST_CODE, INSN_LI(3u, 0x54), INSN_SC1);
	m.len = 7;
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_SIGNAL_MASK, &m), -EINVAL);
	m.len = 8;
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_SIGNAL_MASK, &m), 0);
	/* Pending, and let through by the mask: it stays for the caller. */
	assert_int_equal(test_run(&t, 0), -EINTR);
	m.set[(SIGUSR1 - 1) / 8] = 1 << ((SIGUSR1 - 1) % 8);
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_SIGNAL_MASK, &m), 0);
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_SIGNAL_MASK, NULL), 0);
	signal(SIGUSR1, SIG_IGN);
	sigprocmask(SIG_UNBLOCK, &block, NULL);
}

static void other_vcpu_ioctls(void **state)
{
	struct kvm_mp_state mp = {.mp_state = 9};
	struct kvm_interrupt irq = {.irq = KVM_INTERRUPT_SET_LEVEL};
	struct cpu *c = test_vcpu_inside(&t, 0)->vcpu.cpu;

	(void)state;
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_GET_MP_STATE, &mp), 0);
	assert_int_equal(mp.mp_state, KVM_MP_STATE_RUNNABLE);
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_MP_STATE, &mp), 0);
	mp.mp_state = KVM_MP_STATE_LOAD;
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_MP_STATE, &mp), -EINVAL);
	assert_false(p9_interrupt_pending(c));
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_INTERRUPT, &irq), 0);
	assert_true(p9_interrupt_pending(c));
	irq.irq = KVM_INTERRUPT_UNSET;
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_INTERRUPT, &irq), 0);
	assert_false(p9_interrupt_pending(c));
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_INTERRUPT, NULL), -EFAULT);
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_CREATE_VCPU, NULL), -EINVAL);
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_GUEST_DEBUG, NULL), -EINVAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(request_numbers), TEST(descriptors),       TEST(system_ioctls),
		TEST(vcpu_creation),   TEST(slot_arguments),    TEST(slot_lookup),
		TEST(guest_copies),    TEST(mmu_configuration), TEST(capabilities),
		TEST(registers),       TEST(one_registers),     TEST(devices),
		TEST(signal_mask),     TEST(other_vcpu_ioctls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
