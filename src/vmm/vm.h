/*
 * A virtual machine inside the VMM: guest memory, vCPUs and their threads.
 *
 * Threads. Each vCPU has one thread that alternates between KVM_RUN and handling its exit. The
 * thread that called vmm_run waits for the end. The console's threads may raise interrupts.
 *
 * Locks, outermost first:
 *   the exclusive section (vm_exclusive_begin)
 *   device locks (struct xics, console)
 *   vm->lock, which guards the fields marked (L); nothing is locked under it
 * The exclusive section is never entered with a device lock held: the thread that is waited for
 * may need it.
 */
#ifndef ANYKVM_VMM_VM_H
#define ANYKVM_VMM_VM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "kvm/abi/kvm.h"
#include "kvm/kvm.h"
#include "vmm/machine.h"
#include "vmm/vmm.h"

/* Guest memory, one block from guest physical address 0. */
struct ram {
	uint8_t *base;
	uint64_t size;
	void *map; /* what was mapped, larger than base for its alignment */
	size_t map_size;
};

/* Memory that reads as zeros. -ENOMEM; -E2BIG if no host could have that much. */
int ram_create(struct ram *ram, uint64_t size, struct error *e);
void ram_destroy(struct ram *ram);

enum vcpu_state {
	VCPU_STOPPED,  /* not started, or stopped itself: waits for vcpu_start */
	VCPU_STOPPING, /* stopped itself; its last exit is not completed yet */
	VCPU_RUNNABLE,
};

struct vcpu {
	struct vm *vm;
	unsigned index; /* in vm->vcpus */
	unsigned id;    /* KVM's, and the guest's hardware number */
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	bool has_thread;
	/* An exit whose results KVM takes at the next KVM_RUN; the vCPU's thread only. */
	bool incomplete;
	_Atomic enum vcpu_state state; /* (L), also read without by its own thread */
	bool busy;                     /* (L) its thread may be in KVM_RUN or handle an exit */
};

struct vm {
	const struct vmm_config *config;
	const struct machine *machine;
	const struct kvm_backend *backend;
	struct kvm *kvm;
	int sys_fd, fd;
	size_t run_size;
	struct ram ram;
	struct console *console;
	void *keep; /* machine->keep_create's */
	void *priv; /* the machine's */

	struct vcpu *vcpus;
	unsigned nr_vcpus;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	_Atomic bool attention; /* (L) vCPU threads have to look under the lock */
	bool exclusive;         /* (L) */
	bool save_wanted;       /* (L) the thread in vm_run is to save the state */
	enum vmm_end end;       /* (L) */
	struct error end_error; /* (L) */
};

/*
 * A VM with memory, no vCPUs. `keep` is what the machine keeps over resets. -errno of the
 * hypervisor or -ENOMEM; -E2BIG if the configuration asks for too much.
 */
int vm_create(struct vm *vm, const struct vmm_config *config, struct console *console, void *keep,
	      struct error *e);
void vm_destroy(struct vm *vm);

/* Let the vCPUs run; returns when the VM has ended and its threads are gone. */
enum vmm_end vm_run(struct vm *vm, struct error *e);

/*
 * End the VM, from any thread, with a sentence for the user (may be NULL). The first reason
 * counts. Returns at once; vCPUs stop when their exit is handled.
 */
void PRINTF_LIKE(3, 4) vm_stop(struct vm *vm, enum vmm_end why, const char *fmt, ...);

/*
 * The user wants the run to end: with config->save, the state is saved first, and if that fails the
 * VM runs on. Any thread.
 */
void vm_quit(struct vm *vm);

/*
 * [gpa, gpa + len) in host memory; NULL if not all of it is guest memory. The guest may change it
 * at any time: read once, then check.
 */
void *vm_mem(struct vm *vm, uint64_t gpa, uint64_t len);

/* ioctls by common request number (abi/kvm.h); return as ioctl or -errno. */
int sys_ioctl(struct vm *vm, uint32_t request, void *arg);
int vm_ioctl(struct vm *vm, uint32_t request, void *arg);
int device_ioctl(struct vm *vm, int fd, uint32_t request, void *arg);
int vcpu_ioctl(struct vcpu *v, uint32_t request, void *arg);
/* KVM_CHECK_EXTENSION on the VM; 0 if unknown. */
int vm_check_cap(struct vm *vm, uint32_t cap);
int vm_enable_cap(struct vm *vm, uint32_t cap, uint64_t arg0, uint64_t arg1);
int vcpu_enable_cap(struct vcpu *v, uint32_t cap, uint64_t arg0, uint64_t arg1);
/* KVM_GET/SET_ONE_REG of 64-bit registers. */
int vcpu_get_reg(struct vcpu *v, uint64_t id, uint64_t *value);
int vcpu_set_reg(struct vcpu *v, uint64_t id, uint64_t value);

/* Allocates vm->vcpus; once, before vcpu_create. -ENOMEM. */
int vm_alloc_vcpus(struct vm *vm, unsigned n);
/* Creates the hypervisor's vCPU of vm->vcpus[index], stopped. -errno. */
int vcpu_create(struct vm *vm, unsigned index, unsigned id, struct error *e);
struct vcpu *vcpu_by_id(struct vm *vm, uint64_t id);

/*
 * Start a stopped vCPU. `setup` puts its registers right and runs first, while the vCPU is still
 * stopped. -EBUSY if it is not stopped, or what setup returns.
 */
int vcpu_start(struct vcpu *v, int (*setup)(struct vcpu *v, void *arg), void *arg);

/* Stop the calling thread's own vCPU when this exit is handled. */
void vcpu_stop_self(struct vcpu *v);
enum vcpu_state vcpu_state(struct vcpu *v);

/*
 * Have every other vCPU outside KVM_RUN and outside its exit handling, until _end. `self` is the
 * calling thread's vCPU or NULL. False if the VM ends meanwhile: nothing is held then.
 */
bool vm_exclusive_begin(struct vm *vm, struct vcpu *self);
void vm_exclusive_end(struct vm *vm);

#endif
