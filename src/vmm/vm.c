/* The VM: its descriptors, memory and life, and the short names of the KVM API's calls. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/abi/kvm.h"
#include "vmm/vm.h"

int sys_ioctl(struct vm *vm, uint32_t request, void *arg)
{
	return vm->backend->ioctl(vm->kvm, vm->sys_fd, kvm_request(vm->machine->arch, request),
				  arg);
}

int device_ioctl(struct vm *vm, int fd, uint32_t request, void *arg)
{
	return vm->backend->ioctl(vm->kvm, fd, kvm_request(vm->machine->arch, request), arg);
}

int vm_ioctl(struct vm *vm, uint32_t request, void *arg)
{
	return device_ioctl(vm, vm->fd, request, arg);
}

int vcpu_ioctl(struct vcpu *v, uint32_t request, void *arg)
{
	return device_ioctl(v->vm, v->fd, request, arg);
}

int vm_check_cap(struct vm *vm, uint32_t cap)
{
	int ret = vm_ioctl(vm, KVM_CHECK_EXTENSION, (void *)(uintptr_t)cap);

	return ret < 0 ? 0 : ret;
}

int vm_enable_cap(struct vm *vm, uint32_t cap, uint64_t arg0, uint64_t arg1)
{
	struct kvm_enable_cap c = {.cap = cap, .args = {arg0, arg1}};

	return vm_ioctl(vm, KVM_ENABLE_CAP, &c);
}

int vcpu_enable_cap(struct vcpu *v, uint32_t cap, uint64_t arg0, uint64_t arg1)
{
	struct kvm_enable_cap c = {.cap = cap, .args = {arg0, arg1}};

	return vcpu_ioctl(v, KVM_ENABLE_CAP, &c);
}

int vcpu_get_reg(struct vcpu *v, uint64_t id, uint64_t *value)
{
	struct kvm_one_reg r = {.id = id, .addr = (uintptr_t)value};

	return vcpu_ioctl(v, KVM_GET_ONE_REG, &r);
}

int vcpu_set_reg(struct vcpu *v, uint64_t id, uint64_t value)
{
	struct kvm_one_reg r = {.id = id, .addr = (uintptr_t)&value};

	return vcpu_ioctl(v, KVM_SET_ONE_REG, &r);
}

void *vm_mem(struct vm *vm, uint64_t gpa, uint64_t len)
{
	if (gpa > vm->ram.size || len > vm->ram.size - gpa)
		return NULL;
	return vm->ram.base + gpa;
}

static int create_descriptors(struct vm *vm, struct error *e)
{
	int ret;

	ret = vm->backend->open(vm->machine->arch, &vm->kvm);
	if (ret < 0) {
		vm->kvm = NULL;
		return error_set(e, ret,
				 "cannot open the hypervisor \"%s\" (%s); try --backend "
				 "anykvm.",
				 vm->backend->name, strerror(-ret));
	}
	vm->sys_fd = ret;
	if (vm->backend->tune)
		vm->backend->tune(vm->kvm, &vm->config->tuning);
	ret = sys_ioctl(vm, KVM_GET_API_VERSION, NULL);
	if (ret != KVM_API_VERSION)
		return error_set(e, -ENOTSUP,
				 "the hypervisor \"%s\" has version %d of the KVM API, "
				 "not %d; try --backend anykvm.",
				 vm->backend->name, ret, KVM_API_VERSION);
	ret = sys_ioctl(vm, KVM_GET_VCPU_MMAP_SIZE, NULL);
	if (ret < (int)offsetof(struct kvm_run, kvm_valid_regs))
		return error_set(e, ret < 0 ? ret : -ENOTSUP,
				 "the hypervisor \"%s\" has no usable kvm_run area.",
				 vm->backend->name);
	vm->run_size = (size_t)ret;
	return 0;
}

int vm_create(struct vm *vm, const struct vmm_config *config, struct console *console, void *keep,
	      struct error *e)
{
	int ret;

	*vm = (struct vm){
		.config = config,
		.machine = config->machine,
		.backend = config->backend,
		.console = console,
		.keep = keep,
		.sys_fd = -1,
		.fd = -1,
	};
	pthread_mutex_init(&vm->lock, NULL);
	pthread_cond_init(&vm->changed, NULL);

	ret = ram_create(&vm->ram, config->memory, e);
	if (ret)
		goto fail;
	ret = create_descriptors(vm, e);
	if (ret)
		goto fail;
	ret = vm->machine->create(vm, e);
	if (ret)
		goto fail;
	return 0;
fail:
	vm_destroy(vm);
	return ret;
}

void vm_destroy(struct vm *vm)
{
	if (vm->priv)
		vm->machine->destroy(vm);
	for (unsigned i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpus[i].fd >= 0)
			vm->backend->close(vm->kvm, vm->vcpus[i].fd);
	free(vm->vcpus);
	if (vm->fd >= 0)
		vm->backend->close(vm->kvm, vm->fd);
	if (vm->kvm)
		vm->backend->destroy(vm->kvm);
	ram_destroy(&vm->ram);
	pthread_cond_destroy(&vm->changed);
	pthread_mutex_destroy(&vm->lock);
	*vm = (struct vm){.sys_fd = -1, .fd = -1};
}

void vm_stop(struct vm *vm, enum vmm_end why, const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&vm->lock);
	if (vm->end == VMM_RUNS) {
		vm->end = why;
		if (fmt) {
			va_start(ap, fmt);
			vsnprintf(vm->end_error.text, sizeof(vm->end_error.text), fmt, ap);
			va_end(ap);
		}
		atomic_store(&vm->attention, true);
		for (unsigned i = 0; i < vm->nr_vcpus; i++)
			if (vm->vcpus[i].busy)
				vm->backend->kick(vm->kvm, vm->vcpus[i].fd);
		pthread_cond_broadcast(&vm->changed);
	}
	pthread_mutex_unlock(&vm->lock);
}

void vm_quit(struct vm *vm)
{
	if (!vm->config->save) {
		vm_stop(vm, VMM_QUIT, NULL);
		return;
	}
	pthread_mutex_lock(&vm->lock);
	vm->save_wanted = true;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
}
