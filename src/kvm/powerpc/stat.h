/*
 * What a POWER vCPU counts: exits by interrupt vector and hypercalls by number, of its own guest
 * and of an L2 inside it apart, and what nesting does. Written by the vCPU's thread in KVM_RUN, at
 * exits.
 */
#ifndef ANYKVM_KVM_POWERPC_STAT_H
#define ANYKVM_KVM_POWERPC_STAT_H

#include "kvm/abi/papr.h"
#include "util/counter.h"

struct ppc_vcpu;

/* Vectors are multiples of 0x20 below 0x1000. */
#define PPC_STAT_VECTORS 128

/* PAPR's numbers / 4; KVM's own from H_RTAS; nesting's from H_SET_PARTITION_TABLE; all others. */
#define PPC_STAT_HCALL_KVM    (H_LAST_PAPR / 4 + 1)
#define PPC_STAT_HCALL_NESTED (PPC_STAT_HCALL_KVM + 4)
#define PPC_STAT_HCALL_OTHER  (PPC_STAT_HCALL_NESTED + 4)
#define PPC_STAT_HCALLS       (PPC_STAT_HCALL_OTHER + 1)

enum ppc_level { PPC_L1, PPC_L2, PPC_LEVELS };

/* What came of a page fault. The order is enum nested_map's for those of shadow tables. */
enum ppc_fault_end {
	PPC_FAULT_MAPPED,
	PPC_FAULT_NO_MEMORY,
	PPC_FAULT_DEVICE,
	PPC_FAULT_GUEST, /* shadow: L1's to handle */
	PPC_FAULT_ENDS,
};

struct ppc_vcpu_stat {
	struct counter exits[PPC_LEVELS];
	struct counter exit[PPC_LEVELS][PPC_STAT_VECTORS];
	struct counter hcall[PPC_LEVELS][PPC_STAT_HCALLS];
	struct counter page_fault[PPC_FAULT_ENDS];   /* the VM's own tree */
	struct counter shadow_fault[PPC_FAULT_ENDS]; /* L2's */
	struct counter nested_entries, nested_refused;
	struct counter
		nested_exit[PPC_STAT_VECTORS]; /* by vector as L1 gets it; [0]: to try again */
};

/* cpu_run ended with an interrupt to hypervisor state: before it is handled. */
void ppc_stat_exit(struct ppc_vcpu *v);

/* H_ENTER_NESTED returns to L1 with `trap`, after it had entered. */
void ppc_stat_nested_exit(struct ppc_vcpu *v, long trap);

/* For ppc_arch_ops. */
struct kvm_vm;
struct kvm_vcpu;
struct kvm_stat_table;

extern const struct kvm_stat_table ppc_vm_stats, ppc_vcpu_stats;
void ppc_vm_stats_read(struct kvm_vm *vm, uint64_t *out);
void ppc_vcpu_stats_read(struct kvm_vcpu *vcpu, uint64_t *out);

#endif
