/*
 * ioctls of the system descriptor, and the capabilities that all architectures have.
 */
#include <errno.h>
#include <unistd.h>

#include "kvm/internal.h"

/* 0 for what is not common. */
static int common_extension(uint64_t cap)
{
	long online;

	switch (cap) {
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_DESTROY_MEMORY_REGION_WORKS:
	case KVM_CAP_JOIN_MEMORY_REGIONS_WORKS:
	case KVM_CAP_SYNC_MMU: /* slots are the caller's own mappings */
	case KVM_CAP_INTERNAL_ERROR_DATA:
	case KVM_CAP_ENABLE_CAP:
	case KVM_CAP_ENABLE_CAP_VM:
	case KVM_CAP_ONE_REG:
	case KVM_CAP_READONLY_MEM:
	case KVM_CAP_DEVICE_CTRL:
	case KVM_CAP_CHECK_EXTENSION_VM:
	case KVM_CAP_IMMEDIATE_EXIT:
	case KVM_CAP_IOEVENTFD:
	case KVM_CAP_IRQFD:
	case KVM_CAP_STATS_BINARY_FD:
		return 1;
	case KVM_CAP_NR_VCPUS: /* recommended: more than the host has only take turns */
		online = sysconf(_SC_NPROCESSORS_ONLN);
		return online > 0 && online < KVM_MAX_VCPUS ? (int)online : KVM_MAX_VCPUS;
	case KVM_CAP_MAX_VCPUS:
		return KVM_MAX_VCPUS;
	case KVM_CAP_MAX_VCPU_ID:
		return KVM_MAX_VCPU_IDS;
	case KVM_CAP_NR_MEMSLOTS:
		return KVM_USER_MEM_SLOTS;
	default:
		return 0;
	}
}

int kvm_check_extension(struct kvm *k, struct kvm_vm *vm, uint64_t cap)
{
	int r = common_extension(cap);

	return r ? r : k->arch->check_extension(k, vm, cap);
}

int kvm_system_ioctl(struct kvm *k, uint32_t request, void *arg)
{
	uint64_t value = (uintptr_t)arg;

	switch (request) {
	case KVM_GET_API_VERSION:
		return value ? -EINVAL : KVM_API_VERSION;
	case KVM_CREATE_VM:
		return kvm_vm_create(k, value);
	case KVM_CHECK_EXTENSION:
		return kvm_check_extension(k, NULL, value);
	case KVM_GET_VCPU_MMAP_SIZE:
		return value ? -EINVAL : KVM_RUN_AREA_SIZE;
	default:
		return request ? -EINVAL : -ENOTTY;
	}
}
