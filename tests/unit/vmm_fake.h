/*
 * A KVM backend for the VMM's tests: state behind the ioctls that src/vmm uses, and in place of
 * a processor a function of the test that plays the guest on KVM_RUN.
 */
#ifndef ANYKVM_TESTS_VMM_FAKE_H
#define ANYKVM_TESTS_VMM_FAKE_H

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "kvm/abi/papr.h"
#include "kvm/abi/ppc.h"
#include "util/compiler.h"
#include "vmm/console.h"
#include "vmm/pseries/pseries.h"
#include "vmm/vm.h"

#define FAKE_SYS    100
#define FAKE_VM     101
#define FAKE_XICS   102
#define FAKE_VCPU   200
#define FAKE_VCPUS  16
#define FAKE_NR_IRQ 8

struct fake_vcpu {
	struct kvm_run run;
	struct kvm_regs regs;
	uint64_t lpcr;
	uint32_t compat;
	uint64_t server;
	unsigned runs; /* times the guest was entered */
	bool pending;  /* a hypercall's results are to be taken */
	_Atomic bool kicked;
};

/*
 * The guest: fills in run for an exit and gives 0, or gives -EINTR after having waited. `regs`
 * are its registers.
 */
typedef int (*fake_guest)(struct fake_vcpu *v, unsigned index);

struct fake_state {
	fake_guest guest;
	struct fake_vcpu vcpus[FAKE_VCPUS];
	unsigned nr_vcpus;
	struct kvm_userspace_memory_region slot;
	struct kvm_ppc_mmuv3_cfg mmu;
	uint64_t sources[FAKE_NR_IRQ];
	_Atomic unsigned pulses;
	uint32_t smt;
	unsigned opened, destroyed;
	uint64_t hcalls_enabled;
	_Atomic uint32_t fail_request; /* this common request number fails with -EPERM */
};

/* The one there is. Tests clear it and look into it. */
extern struct fake_state fake;

extern const struct kvm_backend fake_backend;

/* A small machine without a kernel's path. */
extern const struct vmm_config fake_config;

/* The backend's ioctl, for backends that put something before it. */
int fake_ioctl(struct kvm *k, int fd, uint64_t request, void *arg);

/* The common request number of a POWER one: the inverse of kvm_request. */
uint32_t fake_common(uint64_t request);

/* A VM that was created but does not run, with a console on pipes. */
struct fake_machine {
	struct vmm_config config;
	struct vm vm;
	struct console *console;
	struct pseries *p;
	int in[2], out[2];
	void *keep;
};

void fake_machine_create(struct fake_machine *m, const struct vmm_config *config);
void fake_machine_destroy(struct fake_machine *m);

/* A hypercall of vCPU 0, results in args; gives the return code. */
int64_t fake_hcall(struct vm *vm, uint64_t nr, uint64_t args[9]);

#define HCALL(vm, nr, ...) fake_hcall(vm, nr, (uint64_t[9]){__VA_ARGS__})

#endif
