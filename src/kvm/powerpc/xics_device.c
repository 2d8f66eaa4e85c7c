/*
 * XICS as a KVM device (devices/xics.rst): sources set up, saved and restored as attributes, vCPUs
 * connected (KVM_CAP_IRQ_XICS), and their controllers' state (KVM_REG_PPC_ICP_STATE).
 */
#include <errno.h>
#include <stdlib.h>

#include "kvm/powerpc/xics.h"

static uint64_t source_state(const struct xics_source *s)
{
	uint64_t priority = s->priority, v = s->server;

	if (priority == XICS_MASKED) {
		v |= KVM_XICS_MASKED;
		priority = s->saved_priority;
	}
	v |= priority << KVM_XICS_PRIORITY_SHIFT;
	if (s->lsi)
		v |= KVM_XICS_LEVEL_SENSITIVE | (s->p ? KVM_XICS_PENDING : 0);
	else if (s->masked_pending || s->resend)
		v |= KVM_XICS_PENDING;
	if (s->p)
		v |= KVM_XICS_PRESENTED;
	if (s->q)
		v |= KVM_XICS_QUEUED;
	return v;
}

static int get_source(struct xics *x, const struct kvm_device_attr *attr)
{
	uint64_t value = 0;
	struct xics_source *s;

	kvm_lock(&x->lock);
	s = attr->attr < XICS_NR_IRQS ? xics_find_source(x, (uint32_t)attr->attr) : NULL;
	if (s)
		value = source_state(s);
	kvm_unlock(&x->lock);
	if (!s)
		return -ENOENT;
	return kvm_copy_out(kvm_user_ptr(attr->addr), &value, sizeof(value));
}

static struct xics_source *make_source(struct xics *x, uint32_t irq)
{
	struct xics_source **block = &x->block[irq >> XICS_BLOCK_SHIFT];

	if (!*block) {
		*block = calloc(XICS_BLOCK_IRQS, sizeof(**block));
		if (!*block)
			return NULL;
		for (uint32_t i = 0; i < XICS_BLOCK_IRQS; i++) {
			(*block)[i].irq = (irq & ~(XICS_BLOCK_IRQS - 1)) + i;
			(*block)[i].priority = XICS_MASKED;
			(*block)[i].saved_priority = XICS_MASKED;
		}
	}
	return &(*block)[irq & (XICS_BLOCK_IRQS - 1)];
}

static int set_source(struct xics *x, const struct kvm_device_attr *attr)
{
	uint32_t server;
	uint8_t priority;
	struct xics_source *s;
	uint64_t value;
	int ret;

	if (attr->attr < XICS_FIRST_IRQ || attr->attr >= XICS_NR_IRQS)
		return -ENOENT;
	ret = kvm_copy_in(&value, kvm_user_ptr(attr->addr), sizeof(value));
	if (ret)
		return ret;
	server = (uint32_t)(value & KVM_XICS_DESTINATION_MASK);
	priority = (value >> KVM_XICS_PRIORITY_SHIFT) & KVM_XICS_PRIORITY_MASK;

	kvm_lock(&x->lock);
	ret = -EINVAL;
	if (priority != XICS_MASKED && !xics_find_icp(x, server))
		goto out;
	ret = -ENOMEM;
	s = make_source(x, (uint32_t)attr->attr);
	if (!s)
		goto out;
	ret = 0;
	s->exists = true;
	s->server = server;
	s->saved_priority = priority;
	s->priority = value & KVM_XICS_MASKED ? XICS_MASKED : priority;
	s->resend = false;
	s->masked_pending = false;
	s->lsi = value & KVM_XICS_LEVEL_SENSITIVE;
	s->p = value & (KVM_XICS_PRESENTED | KVM_XICS_PENDING);
	s->q = value & KVM_XICS_QUEUED;
	if (value & KVM_XICS_PENDING)
		xics_deliver(x, s);
out:
	kvm_unlock(&x->lock);
	return ret;
}

static int set_nr_servers(struct xics *x, const struct kvm_device_attr *attr)
{
	uint32_t n;
	int ret = kvm_copy_in(&n, kvm_user_ptr(attr->addr), sizeof(n));

	if (ret)
		return ret;
	if (n > XICS_NR_SERVERS)
		return -EINVAL;
	kvm_lock(&x->lock);
	if (x->connected)
		ret = -EBUSY;
	else
		x->nr_servers = n ? n : XICS_NR_SERVERS;
	kvm_unlock(&x->lock);
	return ret;
}

/* --- the device --- */

static int xics_create(struct kvm_device *dev)
{
	struct ppc_vm *vm = ppc_vm_of(dev->vm);
	struct xics *x;

	if (vm->xics)
		return -EEXIST;
	x = calloc(1, sizeof(*x));
	if (!x)
		return -ENOMEM;
	if (kvm_lock_init(&x->lock, KVM_RANK_IRQCHIP)) {
		free(x);
		return -ENOMEM;
	}
	x->nr_servers = XICS_NR_SERVERS;
	dev->private = x;
	__atomic_store_n(&vm->xics, x, __ATOMIC_RELEASE);
	return 0;
}

static void xics_destroy(struct kvm_device *dev)
{
	struct xics *x = dev->private;

	for (size_t i = 0; i < XICS_BLOCKS; i++)
		free(x->block[i]);
	for (size_t i = 0; i < XICS_NR_SERVERS; i++)
		free(x->icp[i]);
	kvm_lock_destroy(&x->lock);
	ppc_vm_of(dev->vm)->xics = NULL;
	free(x);
}

static int xics_set_attr(struct kvm_device *dev, const struct kvm_device_attr *attr)
{
	if (attr->group == KVM_DEV_XICS_GRP_SOURCES)
		return set_source(dev->private, attr);
	if (attr->group == KVM_DEV_XICS_GRP_CTRL && attr->attr == KVM_DEV_XICS_NR_SERVERS)
		return set_nr_servers(dev->private, attr);
	return -ENXIO;
}

static int xics_get_attr(struct kvm_device *dev, const struct kvm_device_attr *attr)
{
	if (attr->group == KVM_DEV_XICS_GRP_SOURCES)
		return get_source(dev->private, attr);
	return -ENXIO;
}

static int xics_has_attr(struct kvm_device *dev, const struct kvm_device_attr *attr)
{
	(void)dev;
	if (attr->group == KVM_DEV_XICS_GRP_SOURCES && attr->attr >= XICS_FIRST_IRQ &&
	    attr->attr < XICS_NR_IRQS)
		return 0;
	if (attr->group == KVM_DEV_XICS_GRP_CTRL && attr->attr == KVM_DEV_XICS_NR_SERVERS)
		return 0;
	return -ENXIO;
}

const struct kvm_device_ops xics_device_ops = {
	.name = "xics",
	.create = xics_create,
	.destroy = xics_destroy,
	.set_attr = xics_set_attr,
	.get_attr = xics_get_attr,
	.has_attr = xics_has_attr,
};

int xics_connect(struct kvm_device *dev, struct ppc_vcpu *v, uint64_t server)
{
	struct xics *x = dev->private;
	struct xics_icp *icp;
	int ret = 0;

	if (dev->ops != &xics_device_ops || dev->vm != v->vcpu.vm)
		return -EPERM;
	if (v->icp)
		return -EBUSY;
	icp = calloc(1, sizeof(*icp));
	if (!icp)
		return -ENOMEM;
	/* CPPR 0: nothing gets through until the guest is ready. */
	*icp = (struct xics_icp){
		.xics = x,
		.vcpu = v,
		.server = (uint32_t)server,
		.mfrr = XICS_LEAST_FAVOURED,
		.pending = XICS_LEAST_FAVOURED,
	};
	kvm_lock(&x->lock);
	if (server >= x->nr_servers)
		ret = -EINVAL;
	else if (x->icp[server])
		ret = -EEXIST;
	else
		x->icp[server] = icp;
	if (!ret)
		x->connected = true;
	kvm_unlock(&x->lock);
	if (ret)
		free(icp);
	else
		v->icp = icp;
	return ret;
}

uint64_t xics_get_icp(struct ppc_vcpu *v)
{
	struct xics_icp *icp = v->icp;
	uint64_t value;

	kvm_lock(&icp->xics->lock);
	value = (uint64_t)icp->cppr << KVM_REG_PPC_ICP_CPPR_SHIFT |
		(uint64_t)icp->xisr << KVM_REG_PPC_ICP_XISR_SHIFT |
		(uint64_t)icp->mfrr << KVM_REG_PPC_ICP_MFRR_SHIFT |
		(uint64_t)icp->pending << KVM_REG_PPC_ICP_PPRI_SHIFT;
	kvm_unlock(&icp->xics->lock);
	return value;
}

int xics_set_icp(struct ppc_vcpu *v, uint64_t value)
{
	struct xics_icp *icp = v->icp;
	uint8_t cppr = (uint8_t)(value >> KVM_REG_PPC_ICP_CPPR_SHIFT);
	uint8_t mfrr = (uint8_t)(value >> KVM_REG_PPC_ICP_MFRR_SHIFT);
	uint8_t pending = (uint8_t)(value >> KVM_REG_PPC_ICP_PPRI_SHIFT);
	uint32_t xisr = (value >> KVM_REG_PPC_ICP_XISR_SHIFT) & XICS_XISR_MASK;
	bool consistent;

	kvm_lock(&icp->xics->lock);
	if (!xisr)
		consistent = pending == XICS_LEAST_FAVOURED;
	else if (xisr == XICS_IPI)
		consistent = pending == mfrr && pending < cppr;
	else
		consistent = pending < mfrr && pending < cppr && xics_find_source(icp->xics, xisr);
	if (consistent) {
		bool less_favoured = mfrr > icp->mfrr || cppr > icp->cppr;

		icp->cppr = cppr;
		icp->mfrr = mfrr;
		icp->pending = pending;
		icp->xisr = xisr;
		xics_icp_update(icp);
		/* Sources may have been restored before. */
		if (less_favoured)
			xics_resend(icp);
	}
	kvm_unlock(&icp->xics->lock);
	return consistent ? 0 : -EINVAL;
}
