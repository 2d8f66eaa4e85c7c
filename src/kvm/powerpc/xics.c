/*
 * The XICS interrupt controller (PAPR+, "Platform Interrupt Controller"; KVM's
 * devices/xics.rst): a presentation controller (ICP) per vCPU and interrupt sources (ICS).
 *
 * An ICP has CPPR, the priority that the processor is at; MFRR, at which an inter-processor
 * interrupt is asked for; and at most one interrupt presented, XISR with its priority. 0 is the most
 * favoured priority, 0xff never interrupts. It drives the processor's external interrupt line
 * while an XISR is presented that is more favoured than CPPR.
 *
 * A source whose interrupt the ICP does not take (something as favoured is presented, or CPPR is)
 * is `resend`, and one that is displaced by a more favoured one ("rejected") is delivered anew,
 * which ends in either. ICPs keep the sources that want to be sent again, and try them when
 * CPPR or MFRR become less favoured.
 *
 * P and Q: a source with P has been presented and waits for its EOI. An edge meanwhile sets Q, and is
 * presented at the EOI. A level source's P follows its line; at the EOI it is presented again
 * while the line is up.
 *
 * One lock holds all: the sections are short, and the state of two ICPs and a source changes in one
 * step, so that there are no races of rejection with resending to resolve.
 */
#include <errno.h>
#include <stdlib.h>

#include "kvm/powerpc/powerpc.h"

#define XICS_IPI         2
#define XICS_FIRST_IRQ   16
#define XICS_NR_IRQS     (1u << 20)
#define XICS_BLOCK_SHIFT 10
#define XICS_BLOCK_IRQS  (1u << XICS_BLOCK_SHIFT)
#define XICS_BLOCKS      (XICS_NR_IRQS / XICS_BLOCK_IRQS)
#define XICS_NR_SERVERS  KVM_MAX_VCPU_IDS
#define XISR_MASK        0xffffffu
#define MASKED           0xff
#define LEAST_FAVOURED   0xff

struct source {
	uint32_t irq;
	uint32_t server;
	uint8_t priority; /* MASKED by RTAS int-off, too */
	uint8_t saved_priority;
	bool exists;
	bool lsi;
	bool p, q;
	bool masked_pending; /* fired while masked */
	bool resend;
	bool listed; /* is in an ICP's resend list */
	struct source *next_resend;
};

struct xics_icp {
	struct xics *xics;
	struct ppc_vcpu *vcpu;
	uint32_t server;
	uint8_t cppr, mfrr, pending;
	uint32_t xisr;
	struct source *resend;
};

struct xics {
	struct kvm_lock lock;
	uint32_t nr_servers;
	bool connected;
	struct source *block[XICS_BLOCKS];
	struct xics_icp *icp[XICS_NR_SERVERS];
};

/* --- presentation (xics.lock held throughout) --- */

static struct source *find_source(struct xics *x, uint32_t irq)
{
	struct source *block, *s;

	if (irq >= XICS_NR_IRQS)
		return NULL;
	block = x->block[irq >> XICS_BLOCK_SHIFT];
	if (!block)
		return NULL;
	s = &block[irq & (XICS_BLOCK_IRQS - 1)];
	return s->exists ? s : NULL;
}

static struct xics_icp *find_icp(struct xics *x, uint64_t server)
{
	return server < XICS_NR_SERVERS ? x->icp[server] : NULL;
}

/* Let the line to the processor follow the state. */
static void icp_update(struct xics_icp *icp)
{
	bool out = icp->xisr && icp->pending < icp->cppr;

	p9_set_external(icp->vcpu->vcpu.cpu, out);
	if (out)
		kvm_vcpu_wake(&icp->vcpu->vcpu);
}

/* Send a source's interrupt, and what it displaces, to where they belong. */
static void deliver(struct xics *x, struct source *s)
{
	while (s) {
		struct xics_icp *icp = find_icp(x, s->server);
		uint32_t rejected;

		s->resend = false;
		if (!icp)
			return;
		if (s->priority == MASKED) {
			s->masked_pending = true;
			return;
		}
		if (s->priority >= icp->cppr || s->priority >= icp->mfrr ||
		    s->priority >= icp->pending) {
			s->resend = true;
			if (!s->listed) {
				s->listed = true;
				s->next_resend = icp->resend;
				icp->resend = s;
			}
			return;
		}
		rejected = icp->xisr;
		icp->xisr = s->irq;
		icp->pending = s->priority;
		icp_update(icp);
		/* A displaced IPI stays in MFRR. Favour rises at each turn, so this ends. */
		s = rejected && rejected != XICS_IPI ? find_source(x, rejected) : NULL;
	}
}

static void resend(struct xics_icp *icp)
{
	struct source *s = icp->resend, *next;

	icp->resend = NULL;
	for (; s; s = next) {
		next = s->next_resend;
		s->listed = false;
		if (s->resend)
			deliver(icp->xics, s);
	}
}

/* CPPR becomes less favoured: an IPI may be due, and sources that were refused. */
static void lower_priority(struct xics_icp *icp, uint8_t cppr)
{
	icp->cppr = cppr;
	if (icp->mfrr < cppr && icp->mfrr <= icp->pending) {
		icp->pending = icp->mfrr;
		icp->xisr = XICS_IPI;
	}
	icp_update(icp);
	resend(icp);
}

/* --- the hypercalls --- */

static uint32_t h_xirr(struct xics_icp *icp)
{
	uint32_t xirr = (uint32_t)icp->cppr << 24 | icp->xisr;

	if (icp->xisr) {
		icp->cppr = icp->pending;
		icp->pending = LEAST_FAVOURED;
		icp->xisr = 0;
	}
	icp_update(icp);
	return xirr;
}

static void h_cppr(struct xics_icp *icp, uint8_t cppr)
{
	uint32_t rejected = 0;

	if (cppr > icp->cppr) {
		lower_priority(icp, cppr);
		return;
	}
	icp->cppr = cppr;
	if (cppr <= icp->pending) {
		rejected = icp->xisr;
		icp->xisr = 0;
		icp->pending = LEAST_FAVOURED;
	}
	icp_update(icp);
	if (rejected && rejected != XICS_IPI)
		deliver(icp->xics, find_source(icp->xics, rejected));
}

static long h_eoi(struct xics_icp *icp, uint32_t xirr)
{
	uint32_t irq = xirr & XISR_MASK;
	struct source *s;

	lower_priority(icp, (uint8_t)(xirr >> 24));
	if (irq == XICS_IPI)
		return H_SUCCESS;
	s = find_source(icp->xics, irq);
	if (!s)
		return H_PARAMETER;
	if (!s->lsi) {
		s->p = s->q;
		s->q = false;
	}
	if (s->p)
		deliver(icp->xics, s);
	return H_SUCCESS;
}

static long h_ipi(struct xics *x, uint64_t server, uint8_t mfrr)
{
	struct xics_icp *icp = find_icp(x, server);
	uint32_t rejected = 0;
	bool less_favoured;

	if (!icp)
		return H_PARAMETER;
	less_favoured = mfrr > icp->mfrr;
	icp->mfrr = mfrr;
	if (mfrr < icp->cppr && mfrr <= icp->pending) {
		rejected = icp->xisr;
		icp->pending = mfrr;
		icp->xisr = XICS_IPI;
	}
	icp_update(icp);
	if (rejected && rejected != XICS_IPI)
		deliver(x, find_source(x, rejected));
	if (less_favoured)
		resend(icp);
	return H_SUCCESS;
}

static long h_ipoll(struct xics *x, uint64_t *gpr)
{
	struct xics_icp *icp = find_icp(x, gpr[4]);

	if (!icp)
		return H_PARAMETER;
	gpr[4] = (uint32_t)icp->cppr << 24 | icp->xisr;
	gpr[5] = icp->mfrr;
	return H_SUCCESS;
}

long xics_hcall(struct ppc_vcpu *v, uint64_t nr)
{
	struct p9_regs *r = p9_regs(v->vcpu.cpu);
	uint64_t *gpr = r->gpr;
	struct xics_icp *icp = v->icp;
	struct xics *x = icp->xics;
	long ret = H_SUCCESS;

	kvm_lock(&x->lock);
	switch (nr) {
	case H_XIRR_X:
		gpr[4] = h_xirr(icp);
		gpr[5] = p9_tb(r);
		break;
	case H_XIRR:
		gpr[4] = h_xirr(icp);
		break;
	case H_CPPR:
		h_cppr(icp, (uint8_t)gpr[4]);
		break;
	case H_EOI:
		ret = h_eoi(icp, (uint32_t)gpr[4]);
		break;
	case H_IPI:
		ret = h_ipi(x, gpr[4], (uint8_t)gpr[5]);
		break;
	case H_IPOLL:
		ret = h_ipoll(x, gpr);
		break;
	default:
		ret = H_FUNCTION;
		break;
	}
	kvm_unlock(&x->lock);
	return ret;
}

/* --- sources --- */

int xics_irq_line(struct kvm_vm *vm, uint32_t irq, uint32_t level)
{
	struct xics *x = __atomic_load_n(&ppc_vm_of(vm)->xics, __ATOMIC_ACQUIRE);
	bool up = level != 0 && level != KVM_INTERRUPT_UNSET;
	struct source *s;
	int ret = 0;

	if (!x)
		return -ENODEV;
	kvm_lock(&x->lock);
	s = find_source(x, irq);
	if (!s) {
		ret = -EINVAL;
	} else if (s->lsi) {
		bool rises = up && !s->p;

		s->p = up;
		s->q = false;
		if (rises)
			deliver(x, s);
	} else if (up) {
		s->q = s->p;
		s->p = true;
		if (!s->q)
			deliver(x, s);
	}
	kvm_unlock(&x->lock);
	return ret;
}

/* New server and priority; what was pending while masked is sent now. */
static void configure(struct xics *x, struct source *s, uint32_t server, uint8_t priority,
		      uint8_t saved)
{
	s->server = server;
	s->priority = priority;
	s->saved_priority = saved;
	if ((s->masked_pending || s->resend) && priority != MASKED) {
		s->masked_pending = false;
		deliver(x, s);
	}
}

int xics_set_xive(struct xics *x, uint32_t irq, uint32_t server, uint32_t priority)
{
	struct source *s;
	int ret = -EINVAL;

	if (!x)
		return -ENODEV;
	kvm_lock(&x->lock);
	s = find_source(x, irq);
	if (s && find_icp(x, server) && priority <= MASKED) {
		configure(x, s, server, (uint8_t)priority, (uint8_t)priority);
		ret = 0;
	}
	kvm_unlock(&x->lock);
	return ret;
}

int xics_get_xive(struct xics *x, uint32_t irq, uint32_t *server, uint32_t *priority)
{
	struct source *s;

	if (!x)
		return -ENODEV;
	kvm_lock(&x->lock);
	s = find_source(x, irq);
	if (s) {
		*server = s->server;
		*priority = s->priority;
	}
	kvm_unlock(&x->lock);
	return s ? 0 : -EINVAL;
}

int xics_int_on(struct xics *x, uint32_t irq)
{
	struct source *s;
	int ret = -EINVAL;

	if (!x)
		return -ENODEV;
	kvm_lock(&x->lock);
	s = find_source(x, irq);
	if (s && find_icp(x, s->server)) {
		configure(x, s, s->server, s->saved_priority, s->saved_priority);
		ret = 0;
	}
	kvm_unlock(&x->lock);
	return ret;
}

int xics_int_off(struct xics *x, uint32_t irq)
{
	struct source *s;

	if (!x)
		return -ENODEV;
	kvm_lock(&x->lock);
	s = find_source(x, irq);
	/* Twice off must not lose the priority. */
	if (s && s->priority != MASKED)
		configure(x, s, s->server, MASKED, s->priority);
	kvm_unlock(&x->lock);
	return s ? 0 : -EINVAL;
}

static uint64_t source_state(const struct source *s)
{
	uint64_t priority = s->priority, v = s->server;

	if (priority == MASKED) {
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
	struct source *s;

	kvm_lock(&x->lock);
	s = attr->attr < XICS_NR_IRQS ? find_source(x, (uint32_t)attr->attr) : NULL;
	if (s)
		value = source_state(s);
	kvm_unlock(&x->lock);
	if (!s)
		return -ENOENT;
	return kvm_copy_out(kvm_user_ptr(attr->addr), &value, sizeof(value));
}

static struct source *make_source(struct xics *x, uint32_t irq)
{
	struct source **block = &x->block[irq >> XICS_BLOCK_SHIFT];

	if (!*block) {
		*block = calloc(XICS_BLOCK_IRQS, sizeof(**block));
		if (!*block)
			return NULL;
		for (uint32_t i = 0; i < XICS_BLOCK_IRQS; i++) {
			(*block)[i].irq = (irq & ~(XICS_BLOCK_IRQS - 1)) + i;
			(*block)[i].priority = MASKED;
			(*block)[i].saved_priority = MASKED;
		}
	}
	return &(*block)[irq & (XICS_BLOCK_IRQS - 1)];
}

static int set_source(struct xics *x, const struct kvm_device_attr *attr)
{
	uint32_t server;
	uint8_t priority;
	struct source *s;
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
	if (priority != MASKED && !find_icp(x, server))
		goto out;
	ret = -ENOMEM;
	s = make_source(x, (uint32_t)attr->attr);
	if (!s)
		goto out;
	ret = 0;
	s->exists = true;
	s->server = server;
	s->saved_priority = priority;
	s->priority = value & KVM_XICS_MASKED ? MASKED : priority;
	s->resend = false;
	s->masked_pending = false;
	s->lsi = value & KVM_XICS_LEVEL_SENSITIVE;
	s->p = value & (KVM_XICS_PRESENTED | KVM_XICS_PENDING);
	s->q = value & KVM_XICS_QUEUED;
	if (value & KVM_XICS_PENDING)
		deliver(x, s);
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
		.mfrr = LEAST_FAVOURED,
		.pending = LEAST_FAVOURED,
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
	uint32_t xisr = (value >> KVM_REG_PPC_ICP_XISR_SHIFT) & XISR_MASK;
	bool consistent;

	kvm_lock(&icp->xics->lock);
	if (!xisr)
		consistent = pending == LEAST_FAVOURED;
	else if (xisr == XICS_IPI)
		consistent = pending == mfrr && pending < cppr;
	else
		consistent = pending < mfrr && pending < cppr && find_source(icp->xics, xisr);
	if (consistent) {
		bool less_favoured = mfrr > icp->mfrr || cppr > icp->cppr;

		icp->cppr = cppr;
		icp->mfrr = mfrr;
		icp->pending = pending;
		icp->xisr = xisr;
		icp_update(icp);
		/* Sources may have been restored before. */
		if (less_favoured)
			resend(icp);
	}
	kvm_unlock(&icp->xics->lock);
	return consistent ? 0 : -EINVAL;
}
