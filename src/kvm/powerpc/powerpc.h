/*
 * Book3S HV: the hypervisor of POWER9 guests (radix). Its parts and what they offer each other.
 *
 * It does to the software processor what KVM HV does to silicon: LPCR, LPIDR, HFSCR, PCR and the
 * partition-table entry are set, guest code runs in supervisor and problem state, and what the
 * architecture takes to hypervisor state comes back as a vector (book3s.c).
 *
 * Locks as in kvm/internal.h. Registers of a vCPU's processor are touched only under its mutex;
 * from elsewhere, a request bit asks the vCPU to do it.
 */
#ifndef ANYKVM_KVM_POWERPC_POWERPC_H
#define ANYKVM_KVM_POWERPC_POWERPC_H

#include "cpu/power9/power9.h"
#include "kvm/abi/papr.h"
#include "kvm/abi/ppc.h"
#include "kvm/internal.h"
#include "kvm/powerpc/stat.h"

extern const struct kvm_arch_ops ppc_arch_ops;

/* The VM's own logical partition; identifiers are local to its cpu_system. */
#define PPC_LPID 1

/* Guest real addresses: the top bits are ignored (Book III, "Real Mode": bits 0:3). */
#define PPC_REAL_MASK UINT64_C(0x0fffffffffffffff)

/* Program interrupt causes (SRR1) */
#define PPC_PROG_ILLEGAL UINT64_C(0x00080000)
#define PPC_PROG_PRIV    UINT64_C(0x00040000)

/* The guest used something that device memory does not do (larx, vectors, dcbz...). */
#define PPC_DSISR_BADACCESS P9_DSISR_CACHE_INHIBITED

#define PPC_REQ_MMU      KVM_REQ(KVM_REQ_ARCH + 0) /* LPCR or process table changed */
#define PPC_REQ_DOORBELL KVM_REQ(KVM_REQ_ARCH + 1) /* directed privileged doorbell */

/* What a vCPU does next, the result of everything that handles an exit. */
enum ppc_next {
	PPC_RESUME, /* run the guest on */
	PPC_USER,   /* leave KVM_RUN; run->exit_reason is set */
	PPC_CEDE,   /* block until something happens, then run on */
	PPC_FAIL,   /* leave KVM_RUN with ppc_vcpu.error */
};

struct nested_guest;
struct nested_vcpu;
struct nested_vm;
struct xics;
struct xics_icp;
struct radix;

#define PPC_HCALL_WORDS (H_LAST_PAPR / 4 / 32 + 1)
#define PPC_RTAS_CALLS  4

struct ppc_vm {
	struct kvm_vm vm; /* first */
	bool initialised;
	struct kvm_lock mmu_lock;
	struct radix *radix;
	/* Second doubleword of the partition-table entry; vcpus load it on PPC_REQ_MMU. */
	_Atomic uint64_t process_table;
	_Atomic uint64_t gtse; /* LPCR[GTSE] or 0 */
	uint32_t smt_mode;     /* threads that msgsndp reaches, a power of two; vm.lock */
	_Atomic uint32_t hcall_enabled[PPC_HCALL_WORDS];
	struct xics *xics; /* set once, under vm.lock */
	/* KVM_PPC_RTAS_DEFINE_TOKEN: by enum rtas_call; 0: not served here */
	_Atomic uint32_t rtas_token[PPC_RTAS_CALLS];
	/* Nested HV (nested.h) */
	_Atomic uint64_t l1_ptcr;    /* H_SET_PARTITION_TABLE, KVM_REG_PPC_PTCR; 0: none */
	_Atomic bool nested_enabled; /* KVM_CAP_PPC_NESTED_HV */
	bool joint_threads;          /* kvm_tuning's */
	struct nested_vm *nested;    /* set once; mmu_lock */
};

/* An area that the guest registered (H_REGISTER_VPA); gpa 0: none. */
struct ppc_vpa {
	uint64_t gpa;
	uint32_t len;
};

/* A load or store to device memory that the caller of KVM_RUN carries out. */
struct ppc_mmio {
	bool load;
	bool big_endian;
	bool sign;   /* sign-extend to 64 bits */
	bool fpr;    /* the target is a floating-point register */
	bool single; /* and is converted from single format */
	bool nested; /* of an L2, whose general registers are in L1's memory by now */
	uint8_t reg;
	uint8_t size;
};

struct ppc_vcpu {
	struct kvm_vcpu vcpu; /* first */
	bool initialised;
	bool papr_enabled;
	int error; /* with PPC_FAIL */
	uint64_t lpcr;
	uint32_t arch_compat;
	/* What the next KVM_RUN completes. */
	enum { PPC_PENDING_NONE, PPC_PENDING_HCALL, PPC_PENDING_MMIO } pending;
	struct ppc_mmio mmio;
	_Atomic bool prodded;
	_Atomic bool doorbell; /* for DPDES as siblings see it */
	struct xics_icp *icp;

	struct kvm_lock vpa_lock;
	struct ppc_vpa vpa, slb_shadow, dtl;
	bool vpa_fresh; /* registered and not yet written to */
	uint64_t dtl_index;
	uint32_t dtl_offset;

	struct nested_guest *nested; /* inside an L2: which; within KVM_RUN only */
	uint64_t nested_patb1;
	struct nested_vcpu *nested_vcpu; /* made by the first H_ENTER_NESTED */
	struct ppc_vcpu *core_next;      /* in nested_core.first */

	struct ppc_vcpu_stat stat;

	/* Registers that only KVM_GET/SET_ONE_REG and some hypercalls know. */
	uint64_t dabr, csigr, tacr, tcscr, acop, tidr, mmcrs;
	uint64_t dabrx, spmc[2], pmc_extra[2], online;
};

static inline struct ppc_vm *ppc_vm_of(struct kvm_vm *vm)
{
	return (struct ppc_vm *)vm;
}

static inline struct ppc_vcpu *ppc_vcpu_of(struct kvm_vcpu *vcpu)
{
	return (struct ppc_vcpu *)vcpu;
}

static inline struct ppc_vm *ppc_vm_of_vcpu(struct ppc_vcpu *v)
{
	return ppc_vm_of(v->vcpu.vm);
}

/* --- book3s.c --- */

int ppc_vcpu_init(struct kvm_vcpu *vcpu);
void ppc_vcpu_fini(struct kvm_vcpu *vcpu);
int ppc_vcpu_run(struct kvm_vcpu *vcpu);

/* Give the guest a data storage interrupt. */
void ppc_inject_dsi(struct ppc_vcpu *v, uint64_t dar, uint32_t dsisr);
void ppc_inject_program(struct ppc_vcpu *v, uint64_t srr1_bits);

/* The processor's registers after LPCR or process table changed. vcpu.mutex. */
void ppc_load_partition(struct ppc_vcpu *v);

/* Bits of a new LPCR that a VMM may choose; `keep_top`: the 32-bit register. vcpu.mutex. */
void ppc_set_lpcr(struct ppc_vcpu *v, uint64_t lpcr, bool keep_top);

/* MSR as the guest may have it. */
void ppc_set_msr(struct ppc_vcpu *v, uint64_t msr);

/* --- vcpu_ioctl.c --- */

int ppc_vcpu_async_ioctl(struct kvm_vcpu *vcpu, uint32_t request, void *arg);
int ppc_vcpu_ioctl(struct kvm_vcpu *vcpu, uint32_t request, void *arg);
int ppc_vcpu_enable_cap(struct kvm_vcpu *vcpu, const struct kvm_enable_cap *cap);

/* --- one_reg.c: 0, -EINVAL (no such register, or value), -EFAULT, -ENXIO --- */

int ppc_get_one_reg(struct ppc_vcpu *v, const struct kvm_one_reg *reg);
int ppc_set_one_reg(struct ppc_vcpu *v, const struct kvm_one_reg *reg);

/* --- radix.c: the partition-scoped tree --- */

int radix_create(struct ppc_vm *vm);
void radix_destroy(struct ppc_vm *vm);

/* First doubleword of the partition-table entry. */
uint64_t radix_patb0(const struct ppc_vm *vm);

enum radix_result {
	RADIX_MAPPED,
	RADIX_NO_SLOT,
	RADIX_READ_ONLY, /* a store to a read-only slot */
	RADIX_NO_MEMORY,
};

/* Have gpa mapped for a read or write. Takes slots_lock for reading and mmu_lock. */
enum radix_result radix_map(struct ppc_vm *vm, struct cpu *self, gpa_t gpa, bool write);

/* kvm_arch_ops.unmap and .harvest_dirty */
void radix_unmap(struct kvm_vm *vm, const struct kvm_memslot *slot, uint64_t start, uint64_t size);
void radix_harvest_dirty(struct kvm_vm *vm, const struct kvm_memslot *slot, uint64_t *bitmap);

/* The leaf that maps gpa (0: none) and the log2 of its size. For tests. Takes mmu_lock. */
uint64_t radix_lookup(struct ppc_vm *vm, gpa_t gpa, unsigned *shift);

/* First doubleword's tree, for mappings.c. mmu_lock. */
_Atomic uint64_t *radix_root(struct ppc_vm *vm);

/* --- mappings.c --- */

/* KVM_ANYKVM_GET_MAPPINGS: 0, -EFAULT, -EINVAL, -ENOENT, -ENOMEM. Takes mmu_lock. */
int ppc_get_mappings(struct kvm_vm *vm, void *arg);

/* --- emulate.c --- */

/*
 * The instruction at pc, for who carries it out in the processor's place. False: it is no longer
 * there. Takes mmu_lock: the processor walks page tables and reads guest memory, and outside of
 * cpu_run nobody who takes a table or a slot away waits for it; but they do that with mmu_lock held.
 */
bool ppc_fetch_current(struct ppc_vcpu *v, uint32_t *insn);

/* The load or store at pc touched device address page gpa (low 12 bits from ea). */
enum ppc_next ppc_emulate_mmio(struct ppc_vcpu *v, uint64_t ea, gpa_t gpa, bool write);
void ppc_complete_mmio(struct ppc_vcpu *v);

/* --- doorbell.c: HFSCR[MSGP] is off; msgsndp, msgclrp, TIR, DPDES --- */

enum ppc_next ppc_emulate_doorbell(struct ppc_vcpu *v);

/* --- hcall.c --- */

/* sc 1 from supervisor state; GPR3 is the number. */
enum ppc_next ppc_hcall(struct ppc_vcpu *v);
void ppc_complete_hcall(struct ppc_vcpu *v);
/* H_RPT_INVALIDATE of process-scoped translations of an LPID of the processor. */
long ppc_h_rpt_process(struct ppc_vcpu *v, uint32_t lpid, const uint64_t *gpr);
void ppc_hcall_defaults(struct ppc_vm *vm);
/* KVM_CAP_PPC_ENABLE_HCALL: 0 or -EINVAL. */
int ppc_enable_hcall(struct ppc_vm *vm, uint64_t nr, uint64_t enable);

/* --- vpa.c --- */

long vpa_h_register(struct ppc_vcpu *v, uint64_t flags, uint64_t vcpu_id, uint64_t gpa);
void vpa_enter(struct ppc_vcpu *v); /* the vCPU begins to execute */
void vpa_leave(struct ppc_vcpu *v); /* the vCPU stops executing */
uint32_t vpa_yield_count(struct ppc_vcpu *v);
/* KVM_REG_PPC_VPA_*: 0 or -EINVAL. */
int vpa_set(struct ppc_vcpu *v, struct ppc_vpa *which, uint64_t gpa, uint64_t len);

/* --- xics.c --- */

extern const struct kvm_device_ops xics_device_ops;

int xics_irq_line(struct kvm_vm *vm, uint32_t irq, uint32_t level);
/* KVM_CAP_IRQ_XICS: the vCPU becomes `server`. vcpu.mutex. */
int xics_connect(struct kvm_device *dev, struct ppc_vcpu *v, uint64_t server);
long xics_hcall(struct ppc_vcpu *v, uint64_t nr);
uint64_t xics_get_icp(struct ppc_vcpu *v);
int xics_set_icp(struct ppc_vcpu *v, uint64_t value);
/* The RTAS calls: -ENODEV, -EINVAL. */
int xics_set_xive(struct xics *x, uint32_t irq, uint32_t server, uint32_t priority);
int xics_get_xive(struct xics *x, uint32_t irq, uint32_t *server, uint32_t *priority);
int xics_int_on(struct xics *x, uint32_t irq);
int xics_int_off(struct xics *x, uint32_t irq);

/* --- rtas.c --- */

int rtas_define_token(struct ppc_vm *vm, const struct kvm_rtas_token_args *args);
/* H_RTAS: false when the call is not served here. */
bool rtas_hcall(struct ppc_vcpu *v, long *ret);

#endif
