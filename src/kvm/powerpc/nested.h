/*
 * Nested HV on POWER9: a guest (L1) that is itself a hypervisor of radix guests (L2).
 *
 * L1 keeps a partition table in its own memory, tells where by H_SET_PARTITION_TABLE, and runs a
 * virtual processor of an L2 by H_ENTER_NESTED (Linux: Documentation/powerpc/kvm-nested.rst). While
 * it runs, the vCPU's own processor executes L2 under an LPID of ours; whatever L2 does that needs
 * its hypervisor ends the hypercall, with the interrupt's vector as its return code.
 *
 * Memory. L2's real addresses are translated by a tree of L1's, in L1's memory, to L1's real
 * addresses. The processor walks instead a *shadow* tree (nested_shadow.c), one per LPID of L1,
 * which leads to host addresses at once, and is filled by page faults. It is a TLB to L1: it may
 * keep what L1 changed until L1 says so (H_TLB_INVALIDATE, nested_tlbie.c). What L0 changes goes
 * the other way, through reverse maps in the memory slots (nested_rmap.c).
 *
 * Locks: struct nested_vm and all that hangs on it is under mmu_lock; reading L1's memory needs
 * slots_lock (read) taken before it. nested_lock takes both.
 *
 * A vCPU is inside L2 only within KVM_RUN: before the ioctl returns, it is back in L1 (with the
 * return code 0, upon which L1 enters again), so registers that the VMM sees are L1's.
 */
#ifndef ANYKVM_KVM_POWERPC_NESTED_H
#define ANYKVM_KVM_POWERPC_NESTED_H

#include "kvm/powerpc/powerpc.h"

#define NESTED_MAX_GUESTS 1023
#define NESTED_LPIDS      65536 /* entries of the largest partition table: PATS = 8 */
#define NESTED_PATS_MAX   8
#define NESTED_MAX_TOKENS 2048 /* of L2's vCPUs: smaller than this */
#define NESTED_FIRST_LPID 2    /* of ours; PPC_LPID is L1's */
#define NESTED_PATB_BASE  UINT64_C(0x0ffffffffffff000)
#define NESTED_PATB_PATS  UINT64_C(0x1f)

struct shadow_table;

/* One LPID of L1 that has been run. */
struct nested_guest {
	uint32_t l1_lpid;
	uint32_t lpid;                /* of the processor; never used for another guest */
	uint32_t refs;                /* vCPUs inside; one more while the guest is in nested_vm */
	bool stale;                   /* leaves were taken away and TLBs have not been told yet */
	uint64_t patb0, patb1;        /* L1's partition-table entry, as processors cache it */
	_Atomic uint64_t *root;       /* the shadow tree's */
	struct shadow_table *pending; /* unlinked, to be free when TLBs have been told */
	uint64_t nr_tables;           /* linked */
	uint64_t top;                 /* the shadow tree maps nothing from this L2 address on */
	uint64_t reclaim;             /* L2 address from which tables go next, at the limit */
	struct nested_guest *next;
	uint16_t last_cpu[NESTED_MAX_TOKENS]; /* vcpu.index + 1 where L2's vCPU ran; 0: nowhere */
};

/* The threads of a virtual core: who of them is inside an L2, and who waits for that. */
struct nested_core {
	struct ppc_vcpu *owner, *first;
};

struct nested_vm {
	struct nested_guest *guest[NESTED_LPIDS]; /* by L1's LPID */
	struct nested_guest *all;
	uint32_t nr_guests;
	uint32_t next_lpid;
	uint64_t nr_tables; /* allocated, free ones included */
	uint64_t nr_free;
	struct shadow_table *free;
	struct nested_core core[KVM_MAX_VCPU_IDS]; /* with joint_threads */
};

static inline void nested_lock(struct ppc_vm *vm)
{
	kvm_read_lock(&vm->vm.slots_lock);
	kvm_lock(&vm->mmu_lock);
}

static inline void nested_unlock(struct ppc_vm *vm)
{
	kvm_unlock(&vm->mmu_lock);
	kvm_rw_unlock(&vm->vm.slots_lock);
}

/* Between steps of long work: others may have the locks, and what they are for may change. */
static inline void nested_give_way(struct ppc_vm *vm)
{
	unsigned turns = kvm_lock_turns(&vm->mmu_lock);

	nested_unlock(vm);
	kvm_lock_give_way(&vm->mmu_lock, turns);
	nested_lock(vm);
}

static inline bool nested_enabled(struct ppc_vm *vm)
{
	return atomic_load_explicit(&vm->nested_enabled, memory_order_acquire);
}

/* --- nested.c --- */

/* KVM_CAP_PPC_NESTED_HV. 0, -EPERM (forbidden by tuning), -EINVAL, -ENOMEM. Takes vm.lock. */
int nested_enable(struct ppc_vm *vm, uint64_t enable);
void nested_destroy(struct ppc_vm *vm);

/*
 * The guest of an LPID of L1, with a reference; `create`: made when it is not there. NULL: no such
 * LPID, too many guests (H_RESOURCE) or no memory (H_NO_MEM, in *error). nested_lock held.
 */
struct nested_guest *nested_get(struct ppc_vm *vm, uint64_t l1_lpid, bool create, long *error);
void nested_put(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g);

/* Read L1's partition-table entry anew. nested_lock held. */
void nested_read_patb(struct ppc_vm *vm, struct nested_guest *g);

/*
 * Take away what maps L2 real addresses [start, end) now; TLBs know it on return. RIC 2: and the
 * entry may have changed; a guest whose entry is gone goes. nested_lock held; it is let go between
 * steps, so no more may be known of g after that than that it is there if there is a reference to it.
 */
void nested_flush_range(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g,
			uint64_t start, uint64_t end);
void nested_flush_entry(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g);

/* One of the two, of every guest that there is: the latter if `entry`. */
void nested_flush_all(struct ppc_vm *vm, struct cpu *self, bool entry);

/* Unchecked: as KVM_REG_PPC_PTCR. */
void nested_set_ptcr(struct ppc_vcpu *v, uint64_t ptcr);
long nested_h_set_partition_table(struct ppc_vcpu *v, uint64_t *gpr);

/* --- nested_walk.c: L1's trees, in L1's memory --- */

enum nested_need { NEED_READ = 1, NEED_WRITE = 2, NEED_EXEC = 4 };

struct nested_translation {
	uint64_t gpa;   /* L1 real address of the byte */
	unsigned shift; /* log2 of the page that L1 (for nested_translate_ea: and L2) maps */
	unsigned prot;  /* enum nested_need; NEED_WRITE only when C is set */
	/* On a fault: DSISR bits, and the L1 real address of a table that is not in memory. */
	uint32_t fault;
	uint64_t fault_addr;
};

/*
 * Translate an L2 real address for an access; sets R and C in L1's tree as the processor does.
 * False: fault. nested_lock held.
 */
bool nested_translate(struct ppc_vm *vm, const struct nested_guest *g, uint64_t gpa,
		      enum nested_need need, struct nested_translation *t);

/*
 * Translate an effective address (bits 2:63) of a process of L2, by its own tables, as a
 * privileged load or store. False: no translation. nested_lock held.
 */
bool nested_translate_ea(struct ppc_vm *vm, const struct nested_guest *g, uint32_t pid, uint64_t ea,
			 enum nested_need need, struct nested_translation *t);

/* --- nested_rmap.c: words of kvm_memslot.rmap. mmu_lock held --- */

/* A leaf of a shadow tree: L2 real address, log2 of its size, L1's LPID. Never 0. */
uint64_t rmap_entry(uint64_t gpa, unsigned shift, uint32_t l1_lpid);
uint64_t rmap_gpa(uint64_t entry);
unsigned rmap_shift(uint64_t entry);
uint32_t rmap_lpid(uint64_t entry);

/* Leaves of one frame at most: with more, the one that was made first makes room. */
#define RMAP_MAX 1024

/* How many entries a frame has, and one of them: in the order of their making. */
uint32_t rmap_count(uint64_t head);
uint64_t rmap_at(uint64_t head, uint32_t i);
/* The entry is not there yet, and there are fewer than RMAP_MAX. 0 or -ENOMEM. */
int rmap_add(uint64_t *head, uint64_t entry);
void rmap_remove(uint64_t *head, uint64_t entry);

/* --- nested_shadow.c. nested_lock held, or for the kvm_arch_ops ones what those say --- */

enum nested_map {
	NESTED_MAPPED,
	NESTED_NO_MEMORY,
	NESTED_DEVICE, /* L1 maps what is not its memory (or a store to its read-only memory) */
	NESTED_FAULT,  /* L1's to handle: t->fault */
};

int shadow_create(struct nested_guest *g);
void shadow_destroy(struct ppc_vm *vm, struct nested_guest *g);
void shadow_fini(struct nested_vm *n); /* the free tables; guests are gone */

/* First doubleword of the partition-table entry with which the processor runs the guest. */
uint64_t shadow_patb0(const struct nested_guest *g);

/* A page fault of L2: translate, and map. */
enum nested_map shadow_map(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g,
			   uint64_t gpa, enum nested_need need, struct nested_translation *t);

/* Take away what maps L2 real addresses [start, end); TLBs know it on return. */
void shadow_zap(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g, uint64_t start,
		uint64_t end);
/*
 * A step of that, SHADOW_STEP tables at most: from *at on, which moves on; start at first. True:
 * there is more to do. What is mapped behind *at meanwhile stays.
 */
#define SHADOW_STEP 32
bool shadow_zap_step(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g, uint64_t start,
		     uint64_t end, uint64_t *at);

/* With radix_unmap and radix_harvest_dirty; mmu_lock held. */
void shadow_unmap_slot(struct ppc_vm *vm, const struct kvm_memslot *slot, uint64_t start,
		       uint64_t size);
void shadow_harvest_slot(struct ppc_vm *vm, const struct kvm_memslot *slot, uint64_t *bitmap);

/* Of a leaf in table `entries` (first member of its struct) at index i: L1's frame. mmu_lock. */
uint64_t shadow_leaf_gfn(const _Atomic uint64_t *entries, unsigned i);
/* What one of nested_vm.nr_tables takes. */
uint64_t shadow_table_bytes(void);

/* The leaf that maps an L2 real address (0: none) and log2 of its size. For tests; locks. */
uint64_t shadow_lookup(struct ppc_vm *vm, uint32_t l1_lpid, uint64_t gpa, unsigned *shift);

/* --- nested_enter.c --- */

/* H_ENTER_NESTED; GPR3 is set if it ends at once. */
enum ppc_next nested_enter(struct ppc_vcpu *v);
/* Back to L1, whose H_ENTER_NESTED returns `trap`. */
void nested_leave(struct ppc_vcpu *v, long trap);
/* The guest's partition-table entry changed while inside. */
void nested_load_partition(struct ppc_vcpu *v);
/* A load from a device that L2 made, done now: its register is in L1's memory. */
void nested_complete_load(struct ppc_vcpu *v, unsigned reg, uint64_t value);
/* By an HFSCR cause: has L1 a facility that it did not give to the L2 inside? */
bool nested_took_facility(struct ppc_vcpu *v, unsigned cause);
void nested_vcpu_fini(struct ppc_vcpu *v);

/* SRR1 and HSRR1 bits that say the cause of an interrupt, not the MSR */
#define NESTED_SRR1_CAUSE UINT64_C(0x783f0000)

/* --- nested_exit.c --- */

/* L2's interrupt to its hypervisor ended cpu_run. */
enum ppc_next nested_handle_exit(struct ppc_vcpu *v);

/* --- nested_core.c: without effect unless the VM has joint_threads --- */

/*
 * Wait until no other thread of the core is inside an L2, by the time base `until` at the latest.
 * False: the time has come, or there is something else to do. Takes mmu_lock.
 */
bool nested_core_enter(struct ppc_vcpu *v, uint64_t until);
void nested_core_leave(struct ppc_vcpu *v);

/* --- nested_tlbie.c --- */

long nested_h_tlb_invalidate(struct ppc_vcpu *v, uint64_t *gpr);
/* H_RPT_INVALIDATE with H_RPTI_TYPE_NESTED; arguments were checked for all kinds. */
long nested_h_rpt_invalidate(struct ppc_vcpu *v, uint64_t *gpr);

/* --- nested_copy.c --- */

long nested_h_copy_tofrom_guest(struct ppc_vcpu *v, uint64_t *gpr);

#endif
