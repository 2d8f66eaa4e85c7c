/*
 * The XICS interrupt controller (PAPR+, "Platform Interrupt Controller"; KVM's
 * devices/xics.rst): a presentation controller (ICP) per vCPU and interrupt sources (ICS).
 *
 * An ICP has CPPR, the priority that the processor is at; MFRR, at which an inter-processor
 * interrupt is asked for; and at most one interrupt presented, XISR with its priority. 0 is the
 * most favoured priority, 0xff never interrupts. It drives the processor's external interrupt line
 * while an XISR is presented that is more favoured than CPPR.
 *
 * A source whose interrupt the ICP does not take (something as favoured is presented, or CPPR is)
 * is `resend`, and one that is displaced by a more favoured one ("rejected") is delivered anew,
 * which ends in either. ICPs keep the sources that want to be sent again, and try them when
 * CPPR or MFRR become less favoured.
 *
 * P and Q: a source with P has been presented and waits for its EOI. An edge meanwhile sets Q, and
 * is presented at the EOI. A level source's P follows its line; at the EOI it is presented again
 * while the line is up.
 *
 * One lock holds all: the sections are short, and the state of two ICPs and a source changes in one
 * step, so that there are no races of rejection with resending to resolve.
 */
#include <errno.h>

#include "kvm/powerpc/xics.h"

/* --- presentation (xics.lock held throughout) --- */

struct xics_source *xics_find_source(struct xics *x, uint32_t irq)
{
	struct xics_source *block, *s;

	if (irq >= XICS_NR_IRQS)
		return NULL;
	block = x->block[irq >> XICS_BLOCK_SHIFT];
	if (!block)
		return NULL;
	s = &block[irq & (XICS_BLOCK_IRQS - 1)];
	return s->exists ? s : NULL;
}

void xics_icp_update(struct xics_icp *icp)
{
	bool out = icp->xisr && icp->pending < icp->cppr;

	p9_set_external(icp->vcpu->vcpu.cpu, out);
	if (out)
		kvm_vcpu_wake(&icp->vcpu->vcpu);
}

static void unlist(struct xics_source *s)
{
	struct xics_icp *icp = s->listed;

	if (!icp)
		return;
	*(s->prev ? &s->prev->next : &icp->first) = s->next;
	*(s->next ? &s->next->prev : &icp->last) = s->prev;
	s->prev = s->next = NULL;
	s->listed = NULL;
}

/* The source is refused: it is to be sent again when this ICP becomes less favoured. */
static void refuse(struct xics_icp *icp, struct xics_source *s)
{
	s->resend = true;
	if (s->listed == icp)
		return;
	/* It was refused by another, and has moved since. */
	unlist(s);
	s->listed = icp;
	s->prev = icp->last;
	*(icp->last ? &icp->last->next : &icp->first) = s;
	icp->last = s;
}

void xics_deliver(struct xics *x, struct xics_source *s)
{
	while (s) {
		struct xics_icp *icp = xics_find_icp(x, s->server);
		uint32_t rejected;

		s->resend = false;
		if (!icp)
			return;
		if (s->priority == XICS_MASKED) {
			s->masked_pending = true;
			return;
		}
		if (s->priority >= icp->cppr || s->priority >= icp->mfrr ||
		    s->priority >= icp->pending) {
			refuse(icp, s);
			return;
		}
		rejected = icp->xisr;
		icp->xisr = s->irq;
		icp->pending = s->priority;
		xics_icp_update(icp);
		/* A displaced IPI stays in MFRR. Favour rises at each turn, so this ends. */
		s = rejected && rejected != XICS_IPI ? xics_find_source(x, rejected) : NULL;
	}
}

void xics_resend(struct xics_icp *icp)
{
	struct xics_source *s;
	uint32_t n = 0;

	for (s = icp->first; s; s = s->next)
		n++;
	/* What is refused again goes to the end, and is not tried twice. */
	while (n-- && (s = icp->first)) {
		unlist(s);
		if (s->resend)
			xics_deliver(icp->xics, s);
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
	xics_icp_update(icp);
	xics_resend(icp);
}

/* --- the hypercalls --- */

static uint32_t h_xirr(struct xics_icp *icp)
{
	uint32_t xirr = (uint32_t)icp->cppr << 24 | icp->xisr;

	if (icp->xisr) {
		icp->cppr = icp->pending;
		icp->pending = XICS_LEAST_FAVOURED;
		icp->xisr = 0;
	}
	xics_icp_update(icp);
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
		icp->pending = XICS_LEAST_FAVOURED;
	}
	xics_icp_update(icp);
	if (rejected && rejected != XICS_IPI)
		xics_deliver(icp->xics, xics_find_source(icp->xics, rejected));
}

static long h_eoi(struct xics_icp *icp, uint32_t xirr)
{
	uint32_t irq = xirr & XICS_XISR_MASK;
	struct xics_source *s;

	lower_priority(icp, (uint8_t)(xirr >> 24));
	if (irq == XICS_IPI)
		return H_SUCCESS;
	s = xics_find_source(icp->xics, irq);
	if (!s)
		return H_PARAMETER;
	if (!s->lsi) {
		s->p = s->q;
		s->q = false;
	}
	if (s->p)
		xics_deliver(icp->xics, s);
	return H_SUCCESS;
}

static long h_ipi(struct xics *x, uint64_t server, uint8_t mfrr)
{
	struct xics_icp *icp = xics_find_icp(x, server);
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
	xics_icp_update(icp);
	if (rejected && rejected != XICS_IPI)
		xics_deliver(x, xics_find_source(x, rejected));
	if (less_favoured)
		xics_resend(icp);
	return H_SUCCESS;
}

static long h_ipoll(struct xics *x, uint64_t *gpr)
{
	struct xics_icp *icp = xics_find_icp(x, gpr[4]);

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
	struct xics_source *s;
	int ret = 0;

	if (!x)
		return -ENODEV;
	kvm_lock(&x->lock);
	s = xics_find_source(x, irq);
	if (!s) {
		ret = -EINVAL;
	} else if (s->lsi) {
		bool rises = up && !s->p;

		s->p = up;
		s->q = false;
		if (rises)
			xics_deliver(x, s);
	} else if (up) {
		s->q = s->p;
		s->p = true;
		if (!s->q)
			xics_deliver(x, s);
	}
	kvm_unlock(&x->lock);
	return ret;
}

/* New server and priority; what was pending while masked is sent now. */
static void configure(struct xics *x, struct xics_source *s, uint32_t server, uint8_t priority,
		      uint8_t saved)
{
	s->server = server;
	s->priority = priority;
	s->saved_priority = saved;
	if ((s->masked_pending || s->resend) && priority != XICS_MASKED) {
		s->masked_pending = false;
		xics_deliver(x, s);
	}
}

int xics_set_xive(struct xics *x, uint32_t irq, uint32_t server, uint32_t priority)
{
	struct xics_source *s;
	int ret = -EINVAL;

	if (!x)
		return -ENODEV;
	kvm_lock(&x->lock);
	s = xics_find_source(x, irq);
	if (s && xics_find_icp(x, server) && priority <= XICS_MASKED) {
		configure(x, s, server, (uint8_t)priority, (uint8_t)priority);
		ret = 0;
	}
	kvm_unlock(&x->lock);
	return ret;
}

int xics_get_xive(struct xics *x, uint32_t irq, uint32_t *server, uint32_t *priority)
{
	struct xics_source *s;

	if (!x)
		return -ENODEV;
	kvm_lock(&x->lock);
	s = xics_find_source(x, irq);
	if (s) {
		*server = s->server;
		*priority = s->priority;
	}
	kvm_unlock(&x->lock);
	return s ? 0 : -EINVAL;
}

int xics_int_on(struct xics *x, uint32_t irq)
{
	struct xics_source *s;
	int ret = -EINVAL;

	if (!x)
		return -ENODEV;
	kvm_lock(&x->lock);
	s = xics_find_source(x, irq);
	if (s && xics_find_icp(x, s->server)) {
		configure(x, s, s->server, s->saved_priority, s->saved_priority);
		ret = 0;
	}
	kvm_unlock(&x->lock);
	return ret;
}

int xics_int_off(struct xics *x, uint32_t irq)
{
	struct xics_source *s;

	if (!x)
		return -ENODEV;
	kvm_lock(&x->lock);
	s = xics_find_source(x, irq);
	/* Twice off must not lose the priority. */
	if (s && s->priority != XICS_MASKED)
		configure(x, s, s->server, XICS_MASKED, s->priority);
	kvm_unlock(&x->lock);
	return s ? 0 : -EINVAL;
}
