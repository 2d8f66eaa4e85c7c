/*
 * Virtual machines: creation and end, and the ioctls of a VM's descriptor.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "kvm/internal.h"

void kvm_vm_get(struct kvm_vm *vm)
{
	atomic_fetch_add(&vm->refs, 1);
}

/* Undo as much of creation as was done; everything below takes zeroed members. */
static void vm_free(struct kvm_vm *vm)
{
	struct kvm_vcpu *v;

	/* Threads that inject interrupts stop before what they inject into goes. */
	kvm_eventfd_fini(vm);
	kvm_for_each_vcpu(v, vm)
		kvm_vcpu_destroy(v);
	kvm_device_destroy_all(vm);
	vm->arch->vm_fini(vm);
	kvm_slots_fini(vm);
	if (vm->system)
		cpu_system_destroy(vm->system);
	kvm_lock_destroy(&vm->lock);
	free(vm);
}

void kvm_vm_put(struct kvm_vm *vm)
{
	if (atomic_fetch_sub(&vm->refs, 1) == 1)
		vm_free(vm);
}

_Static_assert(KVM_HOST_LEVELS == CPU_HOST_LEVELS, "the same for users");

int kvm_vm_create(struct kvm *k, uint64_t type)
{
	struct cpu_system_config config = {
		.arch = k->arch->cpu,
		.jit = !k->tuning.no_jit,
		.jit_without = k->tuning.jit_without,
		.background = true,
		.optimise = !k->tuning.no_optimise,
		.check_ir = k->tuning.check_ir,
		.lockstep = k->tuning.lockstep,
		.translation_bytes = k->tuning.translation_bytes,
		.no_twins = k->tuning.no_twins,
		.perf_map_fd = k->tuning.perf_map_fd,
		.jit_dump_fd = k->tuning.jit_dump_fd,
		.perf_map_error = k->tuning.perf_map_error,
		.jit_dump_error = k->tuning.jit_dump_error,
	};
	struct kvm_vm *vm = calloc(1, k->arch->vm_size);
	int ret;

	if (!vm)
		return -ENOMEM;
	vm->kvm = k;
	vm->arch = k->arch;
	atomic_init(&vm->refs, 1);
	ret = kvm_lock_init(&vm->lock, KVM_RANK_VM);
	if (ret) {
		free(vm);
		return ret;
	}
	ret = kvm_slots_init(vm);
	if (ret) {
		kvm_lock_destroy(&vm->lock);
		free(vm);
		return ret;
	}
	vm->system = cpu_system_create(&config);
	ret = vm->system ? k->arch->vm_init(vm, type) : -errno;
	if (!ret)
		ret = kvm_file_install(k, KVM_FILE_VM, vm, NULL, NULL);
	if (ret < 0)
		kvm_vm_put(vm);
	return ret;
}

void kvm_vm_bug(struct kvm_vm *vm, const char *what)
{
	if (!atomic_exchange(&vm->bugged, true))
		fprintf(stderr, "kvm: the virtual machine is stopped: %s\n", what);
	kvm_make_all_request(vm, 0);
}

void kvm_make_all_request(struct kvm_vm *vm, uint32_t request)
{
	struct kvm_vcpu *v;

	kvm_for_each_vcpu(v, vm)
		kvm_make_request(v, request);
}

static int vm_ioctl_irq_line(struct kvm_vm *vm, uint32_t request, void *arg)
{
	struct kvm_irq_level level;
	int ret;

	if (!vm->arch->irq_line)
		return -ENXIO;
	ret = kvm_copy_in(&level, arg, sizeof(level));
	if (ret)
		return ret;
	ret = vm->arch->irq_line(vm, level.irq, level.level);
	if (ret < 0 || request != KVM_IRQ_LINE_STATUS)
		return ret;
	level.status = 1;
	return kvm_copy_out(arg, &level, sizeof(level));
}

static int vm_ioctl_create_device(struct kvm_vm *vm, void *arg)
{
	struct kvm_create_device cd;
	int ret = kvm_copy_in(&cd, arg, sizeof(cd));

	if (ret)
		return ret;
	ret = kvm_device_create(vm, &cd);
	if (ret)
		return ret;
	return kvm_copy_out(arg, &cd, sizeof(cd));
}

int kvm_vm_ioctl(struct kvm_vm *vm, uint32_t request, void *arg)
{
	union {
		struct kvm_userspace_memory_region region;
		struct kvm_dirty_log log;
		struct kvm_enable_cap cap;
		struct kvm_irqfd irqfd;
		struct kvm_ioeventfd ioeventfd;
	} u;
	size_t size = 0;
	int ret;

	/* A bugged VM can only be closed. */
	if (atomic_load(&vm->bugged))
		return -EIO;
	switch (request) {
	case KVM_SET_USER_MEMORY_REGION:
		size = sizeof(u.region);
		break;
	case KVM_GET_DIRTY_LOG:
		size = sizeof(u.log);
		break;
	case KVM_ENABLE_CAP:
		size = sizeof(u.cap);
		break;
	case KVM_IRQFD:
		size = sizeof(u.irqfd);
		break;
	case KVM_IOEVENTFD:
		size = sizeof(u.ioeventfd);
		break;
	}
	if (size) {
		ret = kvm_copy_in(&u, arg, size);
		if (ret)
			return ret;
	}
	switch (request) {
	case KVM_CHECK_EXTENSION:
		return kvm_check_extension(vm->kvm, vm, (uintptr_t)arg);
	case KVM_CREATE_VCPU:
		return kvm_vcpu_create(vm, (uintptr_t)arg);
	case KVM_SET_USER_MEMORY_REGION:
		return kvm_set_memory_region(vm, &u.region);
	case KVM_GET_DIRTY_LOG:
		return kvm_get_dirty_log(vm, &u.log);
	case KVM_ENABLE_CAP:
		if (u.cap.flags)
			return -EINVAL;
		return vm->arch->vm_enable_cap(vm, &u.cap);
	case KVM_IRQ_LINE:
	case KVM_IRQ_LINE_STATUS:
		return vm_ioctl_irq_line(vm, request, arg);
	case KVM_CREATE_DEVICE:
		return vm_ioctl_create_device(vm, arg);
	case KVM_IRQFD:
		return kvm_irqfd(vm, &u.irqfd);
	case KVM_IOEVENTFD:
		return kvm_ioeventfd(vm, &u.ioeventfd);
	case KVM_GET_STATS_FD:
		return arg ? -EINVAL : kvm_stats_open(vm, NULL);
	default:
		return request ? vm->arch->vm_ioctl(vm, request, arg) : -ENOTTY;
	}
}
