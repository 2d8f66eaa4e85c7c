/*
 * What the hypervisor's fuzzers share: input taken apart, and a VM with memory, vCPUs and XICS. A
 * new VM for each input, so that an input alone reproduces what it found.
 */
#ifndef KVM_FUZZ_H
#define KVM_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/abi/papr.h"
#include "kvm/abi/ppc.h"
#include "kvm/kvm.h"
#include "kvm/powerpc/powerpc.h"

#define FUZZ_MEM   (UINT64_C(1) << 20)
#define FUZZ_VCPUS 2

struct fuzz_input {
	const uint8_t *data;
	size_t size;
};

struct fuzz_vm {
	struct kvm *kvm;
	int sys, vm, vcpu[FUZZ_VCPUS], xics;
	uint8_t *mem;
};

static inline uint64_t fuzz_take(struct fuzz_input *in, size_t n)
{
	uint64_t v = 0;

	if (n > in->size)
		n = in->size;
	memcpy(&v, in->data, n);
	in->data += n;
	in->size -= n;
	return v;
}

/* A number of the kinds that break things: small, an address, a limit, anything. */
static inline uint64_t fuzz_number(struct fuzz_input *in)
{
	uint8_t kind = (uint8_t)fuzz_take(in, 1);

	switch (kind & 7) {
	case 0:
		return fuzz_take(in, 1) & 7;
	case 1:
		return fuzz_take(in, 1);
	case 2:
		return fuzz_take(in, 3) & (FUZZ_MEM - 1) & ~UINT64_C(127);
	case 3:
		return fuzz_take(in, 3);
	case 4:
		return UINT64_MAX - fuzz_take(in, 1);
	case 5:
		return UINT64_C(1) << (fuzz_take(in, 1) & 63);
	case 6:
		return FUZZ_MEM - fuzz_take(in, 1);
	default:
		return fuzz_take(in, 8);
	}
}

static inline int fuzz_ioctl(struct fuzz_vm *f, int fd, uint32_t request, void *arg)
{
	return kvm_backend_anykvm.ioctl(f->kvm, fd, kvm_request(KVM_GUEST_PPC64, request), arg);
}

static inline void fuzz_vm_create(struct fuzz_vm *f)
{
	struct kvm_userspace_memory_region r = {.memory_size = FUZZ_MEM};
	struct kvm_create_device cd = {.type = KVM_DEV_TYPE_XICS};

	f->sys = kvm_backend_anykvm.open(KVM_GUEST_PPC64, &f->kvm);
	f->vm = fuzz_ioctl(f, f->sys, KVM_CREATE_VM, NULL);
	f->mem = aligned_alloc(65536, FUZZ_MEM);
	if (f->sys < 0 || f->vm < 0 || !f->mem)
		abort();
	memset(f->mem, 0, FUZZ_MEM);
	r.userspace_addr = (uintptr_t)f->mem;
	if (fuzz_ioctl(f, f->vm, KVM_SET_USER_MEMORY_REGION, &r) ||
	    fuzz_ioctl(f, f->vm, KVM_CREATE_DEVICE, &cd))
		abort();
	f->xics = (int)cd.fd;
	for (uint64_t i = 0; i < FUZZ_VCPUS; i++) {
		struct kvm_enable_cap papr = {.cap = KVM_CAP_PPC_PAPR};
		struct kvm_enable_cap xics = {.cap = KVM_CAP_IRQ_XICS, .args = {cd.fd, i}};

		f->vcpu[i] = fuzz_ioctl(f, f->vm, KVM_CREATE_VCPU, (void *)(uintptr_t)i);
		if (f->vcpu[i] < 0 || fuzz_ioctl(f, f->vcpu[i], KVM_ENABLE_CAP, &papr) ||
		    fuzz_ioctl(f, f->vcpu[i], KVM_ENABLE_CAP, &xics))
			abort();
	}
}

static inline void fuzz_vm_destroy(struct fuzz_vm *f)
{
	kvm_backend_anykvm.destroy(f->kvm);
	free(f->mem);
}

/* The vCPU behind a descriptor of the fuzzer's own. */
static inline struct ppc_vcpu *fuzz_vcpu(struct fuzz_vm *f, unsigned i)
{
	return ppc_vcpu_of(atomic_load(&f->kvm->file[f->vcpu[i]])->vcpu);
}

#endif
