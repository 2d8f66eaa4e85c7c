/*
 * Devices in the hypervisor (KVM_CREATE_DEVICE): common life and attribute ioctls. A device lives
 * as long as its VM, whatever happens to its descriptor.
 */
#include <errno.h>
#include <stdlib.h>

#include "kvm/internal.h"

int kvm_device_create(struct kvm_vm *vm, struct kvm_create_device *cd)
{
	const struct kvm_device_ops *ops = vm->arch->device_ops(cd->type);
	struct kvm_device *dev;
	int ret;

	if (!ops)
		return -ENODEV;
	if (cd->flags & ~KVM_CREATE_DEVICE_TEST)
		return -EINVAL;
	if (cd->flags & KVM_CREATE_DEVICE_TEST)
		return 0;
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return -ENOMEM;
	dev->vm = vm;
	dev->ops = ops;
	kvm_lock(&vm->lock);
	ret = ops->create(dev);
	if (ret) {
		kvm_unlock(&vm->lock);
		free(dev);
		return ret;
	}
	dev->next = vm->devices;
	vm->devices = dev;
	kvm_unlock(&vm->lock);

	kvm_vm_get(vm);
	ret = kvm_file_install(vm->kvm, KVM_FILE_DEVICE, vm, NULL, dev);
	if (ret < 0) {
		kvm_vm_put(vm);
		return ret;
	}
	cd->fd = (uint32_t)ret;
	return 0;
}

void kvm_device_destroy_all(struct kvm_vm *vm)
{
	struct kvm_device *dev;

	while ((dev = vm->devices)) {
		vm->devices = dev->next;
		dev->ops->destroy(dev);
		free(dev);
	}
}

int kvm_device_ioctl(struct kvm_device *dev, uint32_t request, void *arg)
{
	int (*handler)(struct kvm_device *, const struct kvm_device_attr *);
	struct kvm_device_attr attr;
	int ret;

	switch (request) {
	case KVM_SET_DEVICE_ATTR:
		handler = dev->ops->set_attr;
		break;
	case KVM_GET_DEVICE_ATTR:
		handler = dev->ops->get_attr;
		break;
	case KVM_HAS_DEVICE_ATTR:
		handler = dev->ops->has_attr;
		break;
	default:
		return -ENOTTY;
	}
	ret = kvm_copy_in(&attr, arg, sizeof(attr));
	if (ret)
		return ret;
	if (attr.flags)
		return -EINVAL;
	return handler(dev, &attr);
}
