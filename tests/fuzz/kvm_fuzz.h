/*
 * What the hypervisor's fuzzers share: input taken apart, and a VM with memory, vCPUs and XICS.
 *
 * A VM costs milliseconds, an input microseconds; so a VM serves FUZZ_VM_INPUTS inputs, and is put
 * back between them (fuzz_vm_begin): memory, slots, registers, registered areas, interrupt sources
 * and presentation controllers, enabled hypercalls, L1's partition table and with it the nested
 * guests. What stays: page tables of memory that stayed where it was, the processor's translations
 * of these, LPIDs given to nested guests (they only grow), and the time. An input that does what
 * cannot be put back (creates or closes descriptors) says so in f->spoilt and the next gets a new
 * VM. So one input alone nearly always shows again what it found.
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
#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/powerpc.h"

#define FUZZ_MEM   (UINT64_C(1) << 20)
#define FUZZ_VCPUS 2
#define FUZZ_IRQS  4 /* interrupt sources, from FUZZ_IRQ on */
#define FUZZ_IRQ   16

#define FUZZ_VM_INPUTS 2048

struct fuzz_input {
	const uint8_t *data;
	size_t size;
};

struct fuzz_vm {
	struct kvm *kvm;
	int sys, vm, vcpu[FUZZ_VCPUS], xics;
	uint8_t *mem;
	unsigned inputs;
	bool spoilt;
	/* As after creation: */
	struct ppc_vm vm_before;
	struct ppc_vcpu vcpu_before[FUZZ_VCPUS];
	struct p9_regs regs_before[FUZZ_VCPUS];
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

/* The vCPU behind a descriptor of the fuzzer's own. */
static inline struct ppc_vcpu *fuzz_vcpu(struct fuzz_vm *f, unsigned i)
{
	return ppc_vcpu_of(atomic_load(&f->kvm->file[f->vcpu[i]])->vcpu);
}

static inline void fuzz_must(bool ok)
{
	if (!ok)
		abort();
}

/* Interrupt sources: alternately of either vCPU, the last one level-triggered. */
static inline void fuzz_sources_reset(struct fuzz_vm *f)
{
	for (uint64_t irq = FUZZ_IRQ; irq < FUZZ_IRQ + FUZZ_IRQS; irq++) {
		uint64_t state = UINT64_C(5) << KVM_XICS_PRIORITY_SHIFT |
				 (irq == FUZZ_IRQ + FUZZ_IRQS - 1 ? KVM_XICS_LEVEL_SENSITIVE : 0) |
				 (irq & 1);
		struct kvm_device_attr attr = {
			.group = KVM_DEV_XICS_GRP_SOURCES, .attr = irq, .addr = (uintptr_t)&state};

		fuzz_must(!fuzz_ioctl(f, f->xics, KVM_SET_DEVICE_ATTR, &attr));
	}
}

static inline void fuzz_vm_create(struct fuzz_vm *f)
{
	const struct kvm_tuning tuning = {.no_jit = true};
	struct kvm_userspace_memory_region r = {.memory_size = FUZZ_MEM};
	struct kvm_create_device cd = {.type = KVM_DEV_TYPE_XICS};

	memset(f, 0, sizeof(*f));
	f->sys = kvm_backend_anykvm.open(KVM_GUEST_PPC64, &f->kvm);
	fuzz_must(f->sys >= 0);
	kvm_backend_anykvm.tune(f->kvm, &tuning);
	f->vm = fuzz_ioctl(f, f->sys, KVM_CREATE_VM, NULL);
	f->mem = aligned_alloc(65536, FUZZ_MEM);
	fuzz_must(f->vm >= 0 && f->mem);
	r.userspace_addr = (uintptr_t)f->mem;
	fuzz_must(!fuzz_ioctl(f, f->vm, KVM_SET_USER_MEMORY_REGION, &r) &&
		  !fuzz_ioctl(f, f->vm, KVM_CREATE_DEVICE, &cd));
	f->xics = (int)cd.fd;
	for (uint64_t i = 0; i < FUZZ_VCPUS; i++) {
		struct kvm_enable_cap papr = {.cap = KVM_CAP_PPC_PAPR};
		struct kvm_enable_cap xics = {.cap = KVM_CAP_IRQ_XICS, .args = {cd.fd, i}};

		f->vcpu[i] = fuzz_ioctl(f, f->vm, KVM_CREATE_VCPU, (void *)(uintptr_t)i);
		fuzz_must(f->vcpu[i] >= 0 && !fuzz_ioctl(f, f->vcpu[i], KVM_ENABLE_CAP, &papr) &&
			  !fuzz_ioctl(f, f->vcpu[i], KVM_ENABLE_CAP, &xics));
	}
	fuzz_sources_reset(f);
}

static inline void fuzz_vm_destroy(struct fuzz_vm *f)
{
	kvm_backend_anykvm.destroy(f->kvm);
	free(f->mem);
	memset(f, 0, sizeof(*f));
}

/* Have the state that is there now be what fuzz_vm_begin puts back. */
static inline void fuzz_vm_remember(struct fuzz_vm *f)
{
	memcpy(&f->vm_before, fuzz_vcpu(f, 0)->vcpu.vm, sizeof(f->vm_before));
	for (unsigned i = 0; i < FUZZ_VCPUS; i++) {
		memcpy(&f->vcpu_before[i], fuzz_vcpu(f, i), sizeof(f->vcpu_before[i]));
		f->regs_before[i] = *p9_regs(fuzz_vcpu(f, i)->vcpu.cpu);
	}
}

static inline void fuzz_slots_reset(struct fuzz_vm *f, const struct kvm_vm *vm)
{
	struct kvm_userspace_memory_region r = {.memory_size = 0};
	const struct kvm_memslot *s = vm->nr_slots == 1 ? vm->slot[0] : NULL;

	if (s && !s->id && !s->flags && !s->base_gfn && kvm_slot_size(s) == FUZZ_MEM &&
	    s->hva.v == (uintptr_t)f->mem)
		return;
	while (vm->nr_slots) {
		r.slot = vm->slot[0]->id;
		fuzz_must(!fuzz_ioctl(f, f->vm, KVM_SET_USER_MEMORY_REGION, &r));
	}
	r = (struct kvm_userspace_memory_region){.memory_size = FUZZ_MEM,
						 .userspace_addr = (uintptr_t)f->mem};
	fuzz_must(!fuzz_ioctl(f, f->vm, KVM_SET_USER_MEMORY_REGION, &r));
}

static inline void fuzz_vcpu_reset(struct fuzz_vm *f, unsigned i)
{
	const size_t own = offsetof(struct ppc_vcpu, vcpu) + sizeof(struct kvm_vcpu);
	struct ppc_vcpu *v = fuzz_vcpu(f, i);
	struct nested_vcpu *nested_vcpu = v->nested_vcpu;

	fuzz_must(!v->nested);
	/* No lock in it is held, so its bytes are what they were. */
	memcpy((char *)v + own, (const char *)&f->vcpu_before[i] + own, sizeof(*v) - own);
	v->nested_vcpu = nested_vcpu;
	memset(v->vcpu.run, 0, KVM_RUN_AREA_SIZE);
	atomic_store(&v->vcpu.requests, 0);
	atomic_store(&v->vcpu.kicked, false);
	v->vcpu.sigmask_set = false;
	xics_set_icp(v, (uint64_t)0xff << KVM_REG_PPC_ICP_MFRR_SHIFT |
				(uint64_t)0xff << KVM_REG_PPC_ICP_PPRI_SHIFT);
	*p9_regs(v->vcpu.cpu) = f->regs_before[i];
	p9_set_pc(v->vcpu.cpu, 0);
	p9_state_changed(v->vcpu.cpu);
}

static inline void fuzz_vm_reset(struct fuzz_vm *f)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(fuzz_vcpu(f, 0));

	/* A contradiction in the hypervisor's own tables is a finding. */
	fuzz_must(!atomic_load(&vm->vm.bugged));
	if (atomic_load(&vm->l1_ptcr))
		nested_set_ptcr(fuzz_vcpu(f, 0), 0);
	fuzz_slots_reset(f, &vm->vm);
	atomic_store(&vm->process_table, f->vm_before.process_table);
	atomic_store(&vm->gtse, f->vm_before.gtse);
	atomic_store(&vm->nested_enabled, f->vm_before.nested_enabled);
	memcpy((void *)vm->hcall_enabled, (const void *)f->vm_before.hcall_enabled,
	       sizeof(vm->hcall_enabled));
	memcpy((void *)vm->rtas_token, (const void *)f->vm_before.rtas_token,
	       sizeof(vm->rtas_token));
	for (unsigned i = 0; i < FUZZ_VCPUS; i++)
		fuzz_vcpu_reset(f, i);
	fuzz_sources_reset(f);
	for (unsigned i = 0; i < FUZZ_VCPUS; i++)
		fuzz_vcpu_reset(f, i);
}

/* The VM that is there at exit: a target has one. */
static struct fuzz_vm *fuzz_vm_last;

static inline void fuzz_vm_at_exit(void)
{
	if (fuzz_vm_last->kvm)
		fuzz_vm_destroy(fuzz_vm_last);
}

/*
 * The VM for the next input: as one that was just created and then `prepare`d. It is destroyed at
 * exit, before leaks are looked for: guests' page tables hold addresses with attribute bits, in
 * memory that LeakSanitizer does not read, so it would take those of a living VM for lost.
 */
static inline void fuzz_vm_begin(struct fuzz_vm *f, void (*prepare)(struct fuzz_vm *f))
{
	if (!fuzz_vm_last) {
		fuzz_vm_last = f;
		fuzz_must(!atexit(fuzz_vm_at_exit));
	}
	if (f->kvm && (f->spoilt || ++f->inputs == FUZZ_VM_INPUTS))
		fuzz_vm_destroy(f);
	if (!f->kvm) {
		fuzz_vm_create(f);
		if (prepare)
			prepare(f);
		fuzz_vm_remember(f);
	} else {
		fuzz_vm_reset(f);
	}
	memset(f->mem, 0, FUZZ_MEM);
}

#endif
