/*
 * What the hypervisor's tests share: a POWER9 VM behind the KVM API, with memory and vCPUs, and
 * guest code for it. Guest code is little-endian, in real mode, from GUEST_CODE.
 */
#ifndef KVM_TEST_H
#define KVM_TEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
/* cmocka wants the headers above */
#include <cmocka.h>

#include "kvm/abi/papr.h"
#include "kvm/abi/ppc.h"
#include "kvm/powerpc/powerpc.h"
#include "mem/endian.h"

#define GUEST_MEM  (UINT64_C(64) << 20)
#define GUEST_CODE UINT64_C(0x10000)
#define TEST_VCPUS 4

struct test_vm {
	struct kvm *kvm;
	int sys, fd, vcpu[TEST_VCPUS], xics;
	unsigned nr_vcpus;
	struct kvm_run *run[TEST_VCPUS];
	uint8_t *mem; /* GUEST_MEM bytes at guest address 0; aligned to 1 GiB in the host */
	void *mapping;
	size_t mapping_size;
};

static const struct kvm_backend *const be = &kvm_backend_anykvm;

static inline int test_ioctl(struct test_vm *t, int fd, uint32_t request, void *arg)
{
	return be->ioctl(t->kvm, fd, kvm_request(KVM_GUEST_PPC64, request), arg);
}

static inline int test_ioctl_n(struct test_vm *t, int fd, uint32_t request, uint64_t n)
{
	return test_ioctl(t, fd, request, (void *)(uintptr_t)n);
}

/* A file's inside, for tests of what is behind the API. */
static inline struct kvm_file *test_file(struct test_vm *t, int fd)
{
	return atomic_load(&t->kvm->file[fd]);
}

static inline struct ppc_vm *test_vm_inside(struct test_vm *t)
{
	return ppc_vm_of(test_file(t, t->fd)->vm);
}

static inline struct ppc_vcpu *test_vcpu_inside(struct test_vm *t, unsigned i)
{
	return ppc_vcpu_of(test_file(t, t->vcpu[i])->vcpu);
}

static inline int test_set_slot(struct test_vm *t, uint32_t slot, uint32_t flags, uint64_t gpa,
				uint64_t size, const void *host)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};

	return test_ioctl(t, t->fd, KVM_SET_USER_MEMORY_REGION, &r);
}

static inline int test_enable_cap(struct test_vm *t, int fd, uint32_t cap, uint64_t a, uint64_t b)
{
	struct kvm_enable_cap c = {.cap = cap, .args = {a, b}};

	return test_ioctl(t, fd, KVM_ENABLE_CAP, &c);
}

/* `size` bytes of zeroed host memory, aligned to 1 GiB. */
static inline uint8_t *test_map(struct test_vm *t, size_t size)
{
	const uint64_t align = UINT64_C(1) << 30;

	t->mapping_size = size + align;
	t->mapping = mmap(NULL, t->mapping_size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(t->mapping, MAP_FAILED);
	return (uint8_t *)(((uintptr_t)t->mapping + align - 1) & ~(align - 1));
}

static inline void test_vm_create(struct test_vm *t, unsigned nr_vcpus)
{
	int err;

	memset(t, 0, sizeof(*t));
	t->xics = -1;
	t->sys = be->open(KVM_GUEST_PPC64, &t->kvm);
	assert_true(t->sys >= 0);
	t->fd = test_ioctl_n(t, t->sys, KVM_CREATE_VM, 0);
	assert_true(t->fd >= 0);
	t->mem = test_map(t, GUEST_MEM);
	assert_int_equal(test_set_slot(t, 0, 0, 0, GUEST_MEM, t->mem), 0);
	for (unsigned i = 0; i < nr_vcpus; i++) {
		t->vcpu[i] = test_ioctl_n(t, t->fd, KVM_CREATE_VCPU, i);
		assert_true(t->vcpu[i] >= 0);
		t->run[i] = be->map_run(t->kvm, t->vcpu[i], sizeof(struct kvm_run), &err);
		assert_non_null(t->run[i]);
		assert_int_equal(test_enable_cap(t, t->vcpu[i], KVM_CAP_PPC_PAPR, 0, 0), 0);
	}
	t->nr_vcpus = nr_vcpus;
}

/* With the XICS device, each vCPU connected as the server of its number. */
static inline void test_xics_create(struct test_vm *t)
{
	struct kvm_create_device cd = {.type = KVM_DEV_TYPE_XICS};

	assert_int_equal(test_ioctl(t, t->fd, KVM_CREATE_DEVICE, &cd), 0);
	t->xics = (int)cd.fd;
	for (unsigned i = 0; i < t->nr_vcpus; i++)
		assert_int_equal(test_enable_cap(t, t->vcpu[i], KVM_CAP_IRQ_XICS, cd.fd, i), 0);
}

static inline void test_vm_destroy(struct test_vm *t)
{
	be->destroy(t->kvm);
	munmap(t->mapping, t->mapping_size);
}

static inline void test_get_regs(struct test_vm *t, unsigned i, struct kvm_regs *r)
{
	assert_int_equal(test_ioctl(t, t->vcpu[i], KVM_GET_REGS, r), 0);
}

static inline void test_set_regs(struct test_vm *t, unsigned i, struct kvm_regs *r)
{
	assert_int_equal(test_ioctl(t, t->vcpu[i], KVM_SET_REGS, r), 0);
}

static inline uint64_t test_gpr(struct test_vm *t, unsigned i, unsigned n)
{
	struct kvm_regs r;

	test_get_regs(t, i, &r);
	return r.gpr[n];
}

/* Have the results of the last exit taken over, so that they do not overwrite what is set next. */
static inline void test_complete(struct test_vm *t, unsigned i)
{
	t->run[i]->immediate_exit = 1;
	assert_int_equal(test_ioctl(t, t->vcpu[i], KVM_RUN, NULL), -EINTR);
	t->run[i]->immediate_exit = 0;
}

/*
 * Process 1 of the guest: effective addresses 0 to 1 GiB are guest real addresses, for
 * problem state. Tables from 0x200000.
 */
static inline void test_process(struct test_vm *t, unsigned i)
{
	const uint64_t prtb = 0x200000, root = 0x210000, level2 = 0x220000;
	const uint64_t rts = UINT64_C(2) << 61 | UINT64_C(5) << 5;
	struct kvm_ppc_mmuv3_cfg cfg = {
		.flags = KVM_PPC_MMUV3_RADIX | KVM_PPC_MMUV3_GTSE,
		.process_table = UINT64_C(1) << 63 | prtb,
	};
	uint64_t pid = 1;
	struct kvm_one_reg reg = {.id = KVM_REG_PPC_PID, .addr = (uintptr_t)&pid};

	st_be64(t->mem + prtb + 16, rts | root | 13);
	st_be64(t->mem + root, UINT64_C(1) << 63 | level2 | 9);
	/* valid, leaf, R, C, read, write, execute */
	st_be64(t->mem + level2, UINT64_C(3) << 62 | 0x187);
	assert_int_equal(test_ioctl(t, t->fd, KVM_PPC_CONFIGURE_V3_MMU, &cfg), 0);
	assert_int_equal(test_ioctl(t, t->vcpu[i], KVM_SET_ONE_REG, &reg), 0);
}

/* Put code where the vCPU starts: little-endian, 64-bit, real mode. */
static inline void test_code(struct test_vm *t, unsigned i, uint64_t gpa, const uint32_t *insn,
			     size_t n)
{
	struct kvm_regs r;

	test_complete(t, i);
	for (size_t k = 0; k < n; k++)
		st_le32(t->mem + gpa + 4 * k, insn[k]);
	test_get_regs(t, i, &r);
	r.pc = gpa;
	r.msr = P9_MSR_SF | P9_MSR_LE | P9_MSR_FP;
	test_set_regs(t, i, &r);
}

#define TEST_CODE(t, i, gpa, ...)                                                                  \
	test_code(t, i, gpa, (const uint32_t[]){__VA_ARGS__},                                      \
		  sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

/* Instructions (the manual's operand names) */
#define INSN_SC1              0x44000022u
#define INSN_ADDI(rt, ra, v)  (0x38000000u | (rt) << 21 | (ra) << 16 | ((v)&0xffff))
#define INSN_LI(rt, v)        INSN_ADDI(rt, 0u, v)
#define INSN_LIS(rt, v)       (0x3c000000u | (rt) << 21 | ((v)&0xffff))
#define INSN_ORI(ra, rs, v)   (0x60000000u | (rs) << 21 | (ra) << 16 | ((v)&0xffff))
#define INSN_B(off)           (0x48000000u | ((off)&0x03fffffc))
#define INSN_D(op, rt, ra, d) ((uint32_t)(op) << 26 | (rt) << 21 | (ra) << 16 | ((d)&0xffff))
#define INSN_X(xo, rt, ra, rb)                                                                     \
	(31u << 26 | (uint32_t)(rt) << 21 | (ra) << 16 | (rb) << 11 | (uint32_t)(xo) << 1)

static inline int test_run(struct test_vm *t, unsigned i)
{
	return test_ioctl(t, t->vcpu[i], KVM_RUN, NULL);
}

/* Make a hypercall as the guest would, without executing it. Results are in the registers. */
static inline enum ppc_next test_hcall(struct test_vm *t, unsigned i, uint64_t nr,
				       const uint64_t *args, unsigned n)
{
	struct ppc_vcpu *v = test_vcpu_inside(t, i);
	uint64_t *gpr = p9_regs(v->vcpu.cpu)->gpr;

	gpr[3] = nr;
	for (unsigned k = 0; k < n; k++)
		gpr[4 + k] = args[k];
	v->pending = PPC_PENDING_NONE;
	return ppc_hcall(v);
}

/* Its return value; fails when the call was not served in the hypervisor. */
#define HCALL(t, i, nr, ...)                                                                       \
	test_hcall_ret(t, i, nr, (const uint64_t[]){__VA_ARGS__},                                  \
		       sizeof((const uint64_t[]){__VA_ARGS__}) / 8)

static inline int64_t test_hcall_ret(struct test_vm *t, unsigned i, uint64_t nr,
				     const uint64_t *args, unsigned n)
{
	assert_int_equal(test_hcall(t, i, nr, args, n), PPC_RESUME);
	return (int64_t)p9_regs(test_vcpu_inside(t, i)->vcpu.cpu)->gpr[3];
}

#endif
