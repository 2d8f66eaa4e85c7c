/*
 * XICS inside: sources, presentation controllers, and what the state machine (xics.c) and the
 * device's interface (xics_device.c) share. The model is described in xics.c.
 */
#ifndef ANYKVM_KVM_POWERPC_XICS_H
#define ANYKVM_KVM_POWERPC_XICS_H

#include "kvm/powerpc/powerpc.h"

#define XICS_IPI            2
#define XICS_FIRST_IRQ      16
#define XICS_NR_IRQS        (1u << 20)
#define XICS_BLOCK_SHIFT    10
#define XICS_BLOCK_IRQS     (1u << XICS_BLOCK_SHIFT)
#define XICS_BLOCKS         (XICS_NR_IRQS / XICS_BLOCK_IRQS)
#define XICS_NR_SERVERS     KVM_MAX_VCPU_IDS
#define XICS_XISR_MASK      0xffffffu
#define XICS_MASKED         0xff
#define XICS_LEAST_FAVOURED 0xff

struct xics_source {
	uint32_t irq;
	uint32_t server;
	uint8_t priority; /* XICS_MASKED by RTAS int-off, too */
	uint8_t saved_priority;
	bool exists;
	bool lsi;
	bool p, q;
	bool masked_pending; /* fired while masked */
	bool resend;
	/* In the resend list of: */
	struct xics_icp *listed;
	struct xics_source *prev, *next;
};

struct xics_icp {
	struct xics *xics;
	struct ppc_vcpu *vcpu;
	uint32_t server;
	uint8_t cppr, mfrr, pending;
	uint32_t xisr;
	struct xics_source *first, *last; /* sources to send again, in the order of refusal */
};

struct xics {
	struct kvm_lock lock;
	uint32_t nr_servers;
	bool connected;
	struct xics_source *block[XICS_BLOCKS];
	struct xics_icp *icp[XICS_NR_SERVERS];
};

/* All with xics.lock held. */

/* NULL: there is none, or it was never set up. */
struct xics_source *xics_find_source(struct xics *x, uint32_t irq);

static inline struct xics_icp *xics_find_icp(struct xics *x, uint64_t server)
{
	return server < XICS_NR_SERVERS ? x->icp[server] : NULL;
}

/* Let the line to the processor follow the controller's state. */
void xics_icp_update(struct xics_icp *icp);

/* Send a source's interrupt, and what it displaces, to where they belong. */
void xics_deliver(struct xics *x, struct xics_source *s);

/* Try again what was refused. */
void xics_resend(struct xics_icp *icp);

#endif
