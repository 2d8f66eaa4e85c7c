/*
 * KVM_ANYKVM_GET_MAPPINGS: an extension of the KVM API, ours alone. It lists what a VM's
 * second-stage page tables map: the VM's own, and those with which its nested guests run. Linux
 * shows the same to people in debugfs (kvm/<vm>/radix on POWER), which is no part of the API; as a
 * request it has fixed structures, and each call does a bounded amount of work.
 *
 * To a VM's descriptor, at any time. Other hypervisors answer -ENOTTY or -EINVAL.
 */
#ifndef ANYKVM_KVM_ABI_MAPPINGS_H
#define ANYKVM_KVM_ABI_MAPPINGS_H

#include "kvm/abi/kvm.h"

enum kvm_mapping_flags {
	KVM_MAPPING_READ = 1,
	KVM_MAPPING_WRITE = 2,
	KVM_MAPPING_EXEC = 4,
	KVM_MAPPING_REFERENCED = 8,
	KVM_MAPPING_CHANGED = 16,
};

/* A range of pages of one size that map consecutive memory alike. */
struct kvm_mapping {
	uint64_t gpa;    /* of the guest whose table it is */
	uint64_t size;   /* bytes */
	uint64_t host;   /* the host virtual address of the memory */
	uint64_t origin; /* nested: its address to the guest that is the hypervisor */
	uint32_t page_shift;
	uint32_t flags; /* enum kvm_mapping_flags */
};

ASSERT_SIZE(struct kvm_mapping, 40);

#define KVM_MAPPINGS_NESTED UINT32_C(1) /* a shadow table; else the VM's own */

/*
 * In: flags, lpid, start, entries and nr (room, at least 1). Out: what of the table is mapped from
 * `start` on, in ascending order, as many as fit or as the call's work allows (perhaps none);
 * nr how many; start where to go on; done 1 when there is no more.
 *
 * Nested: of the guest with the least logical partition number that is at least `lpid`, which is
 * set to it; -ENOENT if there is none. The table may change between two calls.
 */
struct kvm_mappings {
	uint32_t flags;
	uint32_t lpid;
	uint64_t start;
	uint64_t entries; /* address of struct kvm_mapping[nr] */
	uint32_t nr;
	uint32_t done;
};

ASSERT_SIZE(struct kvm_mappings, 32);

#define KVM_ANYKVM_GET_MAPPINGS KVM_IOWR(0xf8, struct kvm_mappings)

#endif
