/*
 * Inside the hypervisor: VMs, vCPUs, memory slots, devices, and what an architecture gives to the
 * common part. Nothing outside src/kvm includes this (its tests do).
 *
 * Ownership. A `struct kvm` has a table of descriptors (struct kvm_file). Descriptors of a VM, of
 * its vCPUs and of its devices each hold a reference to the VM; the VM, with all that is in it,
 * goes when the last is closed, as in the kernel. An ioctl holds its descriptor while it runs.
 *
 * Result channels: -errno to the caller of an ioctl; what the guest does next is an enum of the
 * architecture; a VM whose state can no longer be trusted is marked (kvm_vm_bug) and its vCPUs
 * give -EIO.
 *
 * Lock order (lock.h, checked with KVM_LOCK_CHECK), outermost first:
 *   vcpu.mutex        all state of one vCPU, its processor included; held throughout KVM_RUN
 *   vm.lock           creation of vCPUs and devices, capabilities, partition-wide settings
 *   vm.slots_change   serialises KVM_SET_USER_MEMORY_REGION and the dirty log
 *   vpa_lock          (POWER) a vCPU's registered areas
 *   vm.slots_lock     readers look slots up, and may use their memory until they unlock
 *   mmu_lock          (POWER) the partition-scoped tree; nested guests with their shadow trees,
 *                     and reverse maps in the slots
 *   xics.lock         the interrupt controller
 *   eventfds.lock     irqfds and ioeventfds
 *   kvm.lock          the descriptor table
 * Processors are shot (cpu_shoot_*, p9_invalidate) with some of these held: it waits only for
 * threads inside cpu_run, and none of these is taken there.
 */
#ifndef ANYKVM_KVM_INTERNAL_H
#define ANYKVM_KVM_INTERNAL_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "cpu/cpu.h"
#include "kvm/abi/kvm.h"
#include "kvm/kvm.h"
#include "kvm/lock.h"
#include "kvm/stat.h"
#include "mem/addr.h"

#define KVM_MAX_FILES      4096
#define KVM_FIRST_FILE     3 /* unlike a process's standard streams */
#define KVM_MAX_VCPUS      256
#define KVM_MAX_VCPU_IDS   2048
#define KVM_USER_MEM_SLOTS 512
#define KVM_PAGE_SHIFT     12
#define KVM_PAGE_SIZE      (UINT64_C(1) << KVM_PAGE_SHIFT)
#define KVM_MAX_SLOT_PAGES ((UINT64_C(1) << 31) - 1)
#define KVM_RUN_AREA_SIZE  4096

struct kvm_vm;
struct kvm_vcpu;
struct kvm_device;
struct kvm_eventfds;
struct kvm_memslot;
struct kvm_arch_ops;

/* --- descriptors (api.c) --- */

enum kvm_file_kind {
	KVM_FILE_SYSTEM,
	KVM_FILE_VM,
	KVM_FILE_VCPU,
	KVM_FILE_DEVICE,
	KVM_FILE_STATS
};

struct kvm_file {
	enum kvm_file_kind kind;
	uint32_t refs;     /* under kvm.lock: one of the table, one of each ioctl that runs on it */
	struct kvm_vm *vm; /* all but the system's; counted in vm.refs */
	struct kvm_vcpu *vcpu;     /* KVM_FILE_VCPU; KVM_FILE_STATS of one */
	struct kvm_device *device; /* KVM_FILE_DEVICE */
};

struct kvm {
	const struct kvm_arch_ops *arch;
	struct kvm_tuning tuning; /* of VMs to come; set by one thread, before they are made */
	struct kvm_lock lock; /* writes to the table; reference counts */
	/* Read without the lock by `kick` only, which a signal handler may call. */
	struct kvm_file *_Atomic file[KVM_MAX_FILES];
	_Atomic uint32_t kickers; /* calls of `kick` in progress: closing waits for them */
};

/*
 * Enter a new descriptor; takes over a reference to vm (if any) only on success. Its number or
 * -EMFILE, -ENOMEM.
 */
int kvm_file_install(struct kvm *k, enum kvm_file_kind kind, struct kvm_vm *vm,
		     struct kvm_vcpu *vcpu, struct kvm_device *device);
struct kvm_file *kvm_file_get(struct kvm *k, int fd);
void kvm_file_put(struct kvm *k, struct kvm_file *f);

/* Arguments of ioctls, which the caller may have got wrong: 0 or -EFAULT, never a fault. */
int kvm_copy_in(void *dst, const void *user, size_t size);
int kvm_copy_out(void *user, const void *src, size_t size);

static inline void *kvm_user_ptr(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

/* system.c */
int kvm_check_extension(struct kvm *k, struct kvm_vm *vm, uint64_t cap);
int kvm_system_ioctl(struct kvm *k, uint32_t request, void *arg);

/* --- memory slots (memslot.c) --- */

struct kvm_memslot {
	uint32_t id;
	uint32_t flags;
	uint64_t base_gfn;
	uint64_t npages;
	hva_t hva;
	/* With KVM_MEM_LOG_DIRTY_PAGES: pages that the hypervisor wrote, a bit each. */
	_Atomic uint64_t *dirty;
	/*
	 * The architecture's, a word per page: reverse maps. NULL until it is needed; what the
	 * words lead to is gone when arch.unmap has been called. Under a lock of its.
	 */
	uint64_t *rmap;
};

static inline uint64_t kvm_slot_start(const struct kvm_memslot *s)
{
	return s->base_gfn << KVM_PAGE_SHIFT;
}

static inline uint64_t kvm_slot_size(const struct kvm_memslot *s)
{
	return s->npages << KVM_PAGE_SHIFT;
}

static inline hva_t kvm_slot_hva(const struct kvm_memslot *s, gpa_t gpa)
{
	return HVA(s->hva.v + (gpa.v - kvm_slot_start(s)));
}

int kvm_slots_init(struct kvm_vm *vm);
void kvm_slots_fini(struct kvm_vm *vm);

/* KVM_SET_USER_MEMORY_REGION, KVM_GET_DIRTY_LOG: errors as api.rst and the kernel give them. */
int kvm_set_memory_region(struct kvm_vm *vm, const struct kvm_userspace_memory_region *region);
int kvm_get_dirty_log(struct kvm_vm *vm, const struct kvm_dirty_log *log);

/* The slot of gpa, or NULL. slots_lock held. */
struct kvm_memslot *kvm_find_slot(struct kvm_vm *vm, gpa_t gpa);

/*
 * Host pointer to `len` bytes of guest memory at gpa that lie in one slot, or NULL; writing
 * needs a slot that is not read-only, and marks the pages dirty. slots_lock held, and to be held
 * as long as the pointer is used.
 */
void *kvm_guest_ptr(struct kvm_vm *vm, gpa_t gpa, uint64_t len, bool write);

/* Copy from and to guest memory, across slots. 0 or -EFAULT (partly done). Take slots_lock. */
int kvm_read_guest(struct kvm_vm *vm, gpa_t gpa, void *buf, uint64_t len);
int kvm_write_guest(struct kvm_vm *vm, gpa_t gpa, const void *buf, uint64_t len);

/* --- VMs (vm.c) --- */

struct kvm_vm {
	struct kvm *kvm;
	const struct kvm_arch_ops *arch;
	_Atomic uint32_t refs;
	_Atomic bool bugged;
	struct cpu_system *system;
	struct kvm_lock lock;
	/* By identifier. Written under lock and never taken back; readable without. */
	struct kvm_vcpu *_Atomic vcpu_by_id[KVM_MAX_VCPU_IDS];
	struct kvm_vcpu *_Atomic vcpu[KVM_MAX_VCPUS]; /* in order of creation */
	_Atomic uint32_t nr_vcpus;
	struct kvm_device *devices; /* list, under lock; entries go when the device is closed */

	struct kvm_lock slots_change;
	struct kvm_rwlock slots_lock;
	uint32_t nr_slots;
	struct kvm_memslot *slot[KVM_USER_MEM_SLOTS]; /* sorted by base_gfn */

	struct kvm_eventfds *eventfds;
};

int kvm_vm_create(struct kvm *k, uint64_t type); /* descriptor or -errno */
void kvm_vm_get(struct kvm_vm *vm);
void kvm_vm_put(struct kvm_vm *vm);
int kvm_vm_ioctl(struct kvm_vm *vm, uint32_t request, void *arg);

/* NULL if there is none. Any lock state. */
static inline struct kvm_vcpu *kvm_find_vcpu(struct kvm_vm *vm, uint64_t id)
{
	if (id >= KVM_MAX_VCPU_IDS)
		return NULL;
	return atomic_load_explicit(&vm->vcpu_by_id[id], memory_order_acquire);
}

#define kvm_for_each_vcpu(v, vm)                                                                   \
	for (uint32_t v##_i = 0;                                                                   \
	     v##_i < atomic_load(&(vm)->nr_vcpus) && ((v) = atomic_load(&(vm)->vcpu[v##_i]));      \
	     v##_i++)

/* The VM's state is inconsistent by the hypervisor's own fault: say so once, and stop it. */
void kvm_vm_bug(struct kvm_vm *vm, const char *what);

/* Set a request bit of every vCPU and have each look at it before it runs on. */
void kvm_make_all_request(struct kvm_vm *vm, uint32_t request);

/* --- vCPUs (vcpu.c) --- */

/* Request bits: common ones from 0, an architecture's from KVM_REQ_ARCH. */
#define KVM_REQ_ARCH 8
#define KVM_REQ(n)   (UINT32_C(1) << (n))

struct kvm_vcpu {
	struct kvm_vm *vm;
	uint32_t id;
	uint32_t index;
	struct kvm_lock mutex;
	struct cpu *cpu;
	struct kvm_run *run;
	_Atomic uint32_t requests;
	_Atomic bool kicked;       /* leave KVM_RUN with -EINTR */
	_Atomic uint32_t wake_seq; /* futex: a blocked vCPU waits for it to change */
	_Atomic bool blocked;      /* only then is waking a system call */
	struct kvm_vcpu_stat stat;
	bool sigmask_set;
	sigset_t sigmask;
};

int kvm_vcpu_create(struct kvm_vm *vm, uint64_t id); /* descriptor or -errno */
void kvm_vcpu_destroy(struct kvm_vcpu *vcpu);
int kvm_vcpu_ioctl(struct kvm_vcpu *vcpu, uint32_t request, void *arg);

/* Leave KVM_RUN as for a signal. Any thread, async-signal-safe. */
void kvm_vcpu_kick(struct kvm_vcpu *vcpu);

/* Have a blocked vCPU look again at what it waits for. Any thread, async-signal-safe. */
void kvm_vcpu_wake(struct kvm_vcpu *vcpu);

/* Set a request bit; the vCPU looks at it before it runs on. Any thread. */
void kvm_make_request(struct kvm_vcpu *vcpu, uint32_t request);

/* Own thread: was the bit set? Clears it. */
bool kvm_check_request(struct kvm_vcpu *vcpu, uint32_t request);

/*
 * Block until the vCPU is woken after *seq was read, or timeout_ns (INT64_MAX: for ever) went by:
 *	for (;;) {
 *		seq = atomic_load(&vcpu->wake_seq);
 *		if (what it waits for) break;
 *		kvm_vcpu_block(vcpu, seq, timeout);
 *	}
 */
void kvm_vcpu_block(struct kvm_vcpu *vcpu, uint32_t seq, int64_t timeout_ns);

/* Own thread, in KVM_RUN: is there a reason to return -EINTR? Consumes a kick. */
bool kvm_vcpu_interrupted(struct kvm_vcpu *vcpu);

/* --- devices (device.c) --- */

struct kvm_device_ops {
	const char *name;
	/* vm.lock held; 0 or -errno. */
	int (*create)(struct kvm_device *dev);
	void (*destroy)(struct kvm_device *dev);
	int (*set_attr)(struct kvm_device *dev, const struct kvm_device_attr *attr);
	int (*get_attr)(struct kvm_device *dev, const struct kvm_device_attr *attr);
	int (*has_attr)(struct kvm_device *dev, const struct kvm_device_attr *attr);
};

struct kvm_device {
	struct kvm_vm *vm;
	const struct kvm_device_ops *ops;
	void *private;
	struct kvm_device *next;
};

int kvm_device_create(struct kvm_vm *vm, struct kvm_create_device *cd);
int kvm_device_ioctl(struct kvm_device *dev, uint32_t request, void *arg);
void kvm_device_destroy_all(struct kvm_vm *vm);

/* --- irqfds and ioeventfds (eventfd.c) --- */

int kvm_irqfd(struct kvm_vm *vm, const struct kvm_irqfd *args);
int kvm_ioeventfd(struct kvm_vm *vm, const struct kvm_ioeventfd *args);
/* A guest stores len bytes (value) to device address gpa: true when an ioeventfd took it. */
bool kvm_ioeventfd_write(struct kvm_vm *vm, gpa_t gpa, uint32_t len, uint64_t value);
void kvm_eventfd_fini(struct kvm_vm *vm);

/* --- what an architecture provides --- */

struct kvm_arch_ops {
	enum kvm_guest_arch arch;
	const char *name;
	const struct cpu_arch *cpu;
	size_t vm_size;   /* of its structure that begins with struct kvm_vm */
	size_t vcpu_size; /* of its structure that begins with struct kvm_vcpu */
	uint64_t max_gpa; /* slots end at or below */

	/* KVM_CHECK_EXTENSION beyond the common ones; vm is NULL for the system descriptor. */
	int (*check_extension)(struct kvm *k, struct kvm_vm *vm, uint64_t cap);

	/* vm.system exists. 0 or -errno (-EINVAL: no such type). */
	int (*vm_init)(struct kvm_vm *vm, uint64_t type);
	void (*vm_fini)(struct kvm_vm *vm); /* also after a failed vm_init */
	int (*vm_ioctl)(struct kvm_vm *vm, uint32_t request, void *arg); /* -ENOTTY: unknown */
	int (*vm_enable_cap)(struct kvm_vm *vm, const struct kvm_enable_cap *cap);

	/* vcpu.cpu exists, in power-on state. */
	int (*vcpu_init)(struct kvm_vcpu *vcpu);
	void (*vcpu_fini)(struct kvm_vcpu *vcpu);
	/* -EINVAL: unknown */
	int (*vcpu_ioctl)(struct kvm_vcpu *vcpu, uint32_t request, void *arg);
	/* Without vcpu.mutex, what may be asked of a running vCPU. -ENOTTY: not such. */
	int (*vcpu_async_ioctl)(struct kvm_vcpu *vcpu, uint32_t request, void *arg);
	int (*vcpu_enable_cap)(struct kvm_vcpu *vcpu, const struct kvm_enable_cap *cap);
	/* 0: see run->exit_reason; -EINTR and other errors of KVM_RUN. vcpu.mutex held. */
	int (*vcpu_run)(struct kvm_vcpu *vcpu);

	/*
	 * Stop mapping what of the slot's memory [start, start + size) (guest physical) is mapped;
	 * on return no processor uses it. slots_lock held for writing.
	 */
	void (*unmap)(struct kvm_vm *vm, const struct kvm_memslot *slot, uint64_t start,
		      uint64_t size);
	/*
	 * Add to `bitmap` (a bit per page of the slot) the pages that guests wrote since the
	 * last call, and see that later writes are noticed. slots_lock held for reading.
	 */
	void (*harvest_dirty)(struct kvm_vm *vm, const struct kvm_memslot *slot, uint64_t *bitmap);

	/* Statistics beyond the common ones: names, and as many values. Any thread, no lock held. */
	const struct kvm_stat_table *vm_stats, *vcpu_stats;
	void (*vm_stats_read)(struct kvm_vm *vm, uint64_t *out);
	void (*vcpu_stats_read)(struct kvm_vcpu *vcpu, uint64_t *out);

	/* The host's counter of kvm_backend.timebase, or NULL. */
	uint64_t (*timebase)(void);

	/* Drive an interrupt source. NULL or -ENODEV: no interrupt controller. */
	int (*irq_line)(struct kvm_vm *vm, uint32_t irq, uint32_t level);
	/* The device type's operations, or NULL. */
	const struct kvm_device_ops *(*device_ops)(uint32_t type);
};

/* The one table that lists architectures (arch.c); NULL when there is none such. */
const struct kvm_arch_ops *kvm_arch_find(enum kvm_guest_arch arch);

#endif
