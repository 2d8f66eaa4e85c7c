/*
 * XICS through KVM's device (Documentation/virt/kvm/devices/xics.rst): set-up and the sources.
 *
 * A source's state can only be read and written as a whole. Between the two the presentation
 * controllers may take or give back a pending interrupt of it, on any vCPU, in the hypervisor;
 * so a change is made with all other vCPUs held. Guests change sources a few times per device and
 * boot.
 */
#include <errno.h>
#include <string.h>

#include "vmm/pseries/pseries.h"

static int source_attr(struct pseries *p, uint32_t request, uint32_t irq, uint64_t *state)
{
	struct kvm_device_attr attr = {
		.group = KVM_DEV_XICS_GRP_SOURCES,
		.attr = irq,
		.addr = (uintptr_t)state,
	};

	return device_ioctl(p->vm, p->xics.fd, request, &attr);
}

int xics_create(struct pseries *p, struct error *e)
{
	struct kvm_create_device dev = {.type = KVM_DEV_TYPE_XICS};
	struct vm *vm = p->vm;
	uint64_t state;
	int ret;

	ret = vm_ioctl(vm, KVM_CREATE_DEVICE, &dev);
	if (ret < 0)
		return error_set(e, ret, "the hypervisor has no XICS interrupt controller (%s).",
				 strerror(-ret));
	p->xics.fd = (int)dev.fd;
	for (unsigned i = 0; i < vm->nr_vcpus; i++) {
		ret = vcpu_enable_cap(&vm->vcpus[i], KVM_CAP_IRQ_XICS, dev.fd, vm->vcpus[i].id);
		if (ret < 0)
			return error_set(e, ret,
					 "cannot connect processor %u to the interrupt "
					 "controller (%s).",
					 i, strerror(-ret));
	}
	for (uint32_t irq = PSERIES_IRQ_FIRST; irq < PSERIES_IRQ_FIRST + PSERIES_NR_IRQS; irq++) {
		state = KVM_XICS_MASKED | KVM_XICS_PRIORITY_MASK << KVM_XICS_PRIORITY_SHIFT;
		ret = source_attr(p, KVM_SET_DEVICE_ATTR, irq, &state);
		if (ret < 0)
			return error_set(e, ret, "cannot set up interrupt source %#x (%s).", irq,
					 strerror(-ret));
	}
	return 0;
}

void xics_destroy(struct pseries *p)
{
	if (p->xics.fd >= 0)
		p->vm->backend->close(p->vm->kvm, p->xics.fd);
	pthread_mutex_destroy(&p->xics.lock);
}

bool xics_source_valid(uint64_t irq)
{
	return irq >= PSERIES_IRQ_FIRST && irq < PSERIES_IRQ_FIRST + PSERIES_NR_IRQS;
}

void xics_pulse(struct pseries *p, uint32_t irq)
{
	struct kvm_irq_level line = {.irq = irq, .level = 1};

	pthread_mutex_lock(&p->xics.lock);
	vm_ioctl(p->vm, KVM_IRQ_LINE, &line);
	pthread_mutex_unlock(&p->xics.lock);
}

int xics_get(struct pseries *p, uint32_t irq, uint64_t *state)
{
	return source_attr(p, KVM_GET_DEVICE_ATTR, irq, state);
}

int xics_put(struct pseries *p, uint32_t irq, uint64_t state)
{
	return source_attr(p, KVM_SET_DEVICE_ATTR, irq, &state);
}

int xics_update(struct vcpu *v, uint32_t irq, uint64_t mask, uint64_t value)
{
	struct pseries *p = pseries_of(v->vm);
	uint64_t state;
	int ret;

	if (!vm_exclusive_begin(v->vm, v))
		return -EINTR;
	pthread_mutex_lock(&p->xics.lock);
	ret = xics_get(p, irq, &state);
	if (!ret) {
		state = (state & ~mask) | (value & mask);
		ret = source_attr(p, KVM_SET_DEVICE_ATTR, irq, &state);
	}
	pthread_mutex_unlock(&p->xics.lock);
	vm_exclusive_end(v->vm);
	return ret;
}
