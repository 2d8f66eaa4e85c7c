/*
 * ioctls of a POWER vCPU beside KVM_RUN: registers, interrupts, capabilities.
 */
#include <errno.h>
#include <string.h>

#include "kvm/powerpc/powerpc.h"

static void get_regs(struct ppc_vcpu *v, struct kvm_regs *out)
{
	const struct p9_regs *r = p9_regs(v->vcpu.cpu);

	*out = (struct kvm_regs){
		.pc = p9_pc(v->vcpu.cpu),
		.cr = p9_cr_get(r),
		.ctr = r->ctr,
		.lr = r->lr,
		.xer = p9_xer_get(r),
		.msr = r->msr,
		.srr0 = r->srr0,
		.srr1 = r->srr1,
		.pid = r->pidr,
		.sprg0 = r->sprg[0],
		.sprg1 = r->sprg[1],
		.sprg2 = r->sprg[2],
		.sprg3 = r->sprg[3],
	};
	memcpy(out->gpr, r->gpr, sizeof(out->gpr));
}

/* PID is not set here but as KVM_REG_PPC_PID; SPRG4 to 7 are Book E's. */
static void set_regs(struct ppc_vcpu *v, const struct kvm_regs *in)
{
	struct p9_regs *r = p9_regs(v->vcpu.cpu);

	p9_set_pc(v->vcpu.cpu, in->pc & ~UINT64_C(3));
	p9_cr_set(r, (uint32_t)in->cr);
	r->ctr = in->ctr;
	r->lr = in->lr;
	p9_xer_set(r, in->xer);
	r->srr0 = in->srr0;
	r->srr1 = in->srr1;
	r->sprg[0] = in->sprg0;
	r->sprg[1] = in->sprg1;
	r->sprg[2] = in->sprg2;
	r->sprg[3] = in->sprg3;
	memcpy(r->gpr, in->gpr, sizeof(r->gpr));
	ppc_set_msr(v, in->msr);
}

/* There is no SLB in a radix guest; the PVR is what it is. */
static int get_sregs(void *arg)
{
	struct kvm_sregs sregs;

	memset(&sregs, 0, sizeof(sregs));
	sregs.pvr = P9_PVR;
	return kvm_copy_out(arg, &sregs, sizeof(sregs));
}

static int set_sregs(void *arg)
{
	struct kvm_sregs sregs;
	int ret = kvm_copy_in(&sregs, arg, sizeof(sregs));

	if (ret)
		return ret;
	return sregs.pvr == P9_PVR ? 0 : -EINVAL;
}

static int set_mp_state(void *arg)
{
	struct kvm_mp_state state;
	int ret = kvm_copy_in(&state, arg, sizeof(state));

	if (ret)
		return ret;
	/* Which vCPUs are stopped is PAPR's and thus the VMM's to know: it does not run them. */
	return state.mp_state == KVM_MP_STATE_RUNNABLE ? 0 : -EINVAL;
}

int ppc_vcpu_async_ioctl(struct kvm_vcpu *vcpu, uint32_t request, void *arg)
{
	struct kvm_interrupt irq;
	bool level;
	int ret;

	if (request != KVM_INTERRUPT)
		return -ENOTTY;
	ret = kvm_copy_in(&irq, arg, sizeof(irq));
	if (ret)
		return ret;
	/*
	 * All kinds of SET are of a level, that UNSET ends: interrupt controllers of pseries
	 * guests assert it until the guest acknowledges.
	 */
	level = irq.irq != KVM_INTERRUPT_UNSET;
	p9_set_external(vcpu->cpu, level);
	if (level)
		kvm_vcpu_wake(vcpu);
	return 0;
}

int ppc_vcpu_ioctl(struct kvm_vcpu *vcpu, uint32_t request, void *arg)
{
	struct ppc_vcpu *v = ppc_vcpu_of(vcpu);
	struct kvm_mp_state mp_state = {.mp_state = KVM_MP_STATE_RUNNABLE};
	struct kvm_one_reg reg;
	struct kvm_regs regs;
	int ret;

	switch (request) {
	case KVM_GET_REGS:
		get_regs(v, &regs);
		return kvm_copy_out(arg, &regs, sizeof(regs));
	case KVM_SET_REGS:
		ret = kvm_copy_in(&regs, arg, sizeof(regs));
		if (!ret)
			set_regs(v, &regs);
		return ret;
	case KVM_GET_SREGS:
		return get_sregs(arg);
	case KVM_SET_SREGS:
		return set_sregs(arg);
	case KVM_GET_FPU:
	case KVM_SET_FPU:
		return -EOPNOTSUPP; /* KVM_REG_PPC_FPR */
	case KVM_GET_ONE_REG:
	case KVM_SET_ONE_REG:
		ret = kvm_copy_in(&reg, arg, sizeof(reg));
		if (ret)
			return ret;
		return request == KVM_GET_ONE_REG ? ppc_get_one_reg(v, &reg)
						  : ppc_set_one_reg(v, &reg);
	case KVM_GET_MP_STATE:
		return kvm_copy_out(arg, &mp_state, sizeof(mp_state));
	case KVM_SET_MP_STATE:
		return set_mp_state(arg);
	default:
		return -EINVAL;
	}
}

/* KVM_CAP_IRQ_XICS: args are the device's descriptor and the server number. */
static int enable_xics(struct kvm_vcpu *vcpu, const struct kvm_enable_cap *cap)
{
	struct kvm *k = vcpu->vm->kvm;
	struct kvm_file *f;
	int ret = -EPERM;

	if (cap->args[0] > INT32_MAX)
		return -EBADF;
	f = kvm_file_get(k, (int)cap->args[0]);
	if (!f)
		return -EBADF;
	if (f->kind == KVM_FILE_DEVICE)
		ret = xics_connect(f->device, ppc_vcpu_of(vcpu), cap->args[1]);
	kvm_file_put(k, f);
	return ret;
}

int ppc_vcpu_enable_cap(struct kvm_vcpu *vcpu, const struct kvm_enable_cap *cap)
{
	switch (cap->cap) {
	case KVM_CAP_PPC_PAPR:
		ppc_vcpu_of(vcpu)->papr_enabled = true;
		return 0;
	case KVM_CAP_IRQ_XICS:
		return enable_xics(vcpu, cap);
	default:
		return -EINVAL;
	}
}
