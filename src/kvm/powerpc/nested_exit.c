/*
 * What ends L2's execution: the interrupts that the architecture takes to hypervisor state. Some
 * are L0's, above all page faults that the shadow tree can be filled for; the rest end L1's
 * H_ENTER_NESTED, in the registers as the architecture has them for L1's hypervisor state.
 */
#include <errno.h>

#include "kvm/powerpc/nested.h"
#include "util/bits.h"

static enum ppc_next leave(struct ppc_vcpu *v, enum p9_vector vector)
{
	nested_leave(v, vector);
	return PPC_RESUME;
}

static enum ppc_next fail(struct ppc_vcpu *v, int error)
{
	nested_leave(v, 0);
	v->error = error;
	return PPC_FAIL;
}

/*
 * L2 touched a device of L1's. The VMM carries it out with L1's registers in the vCPU; L1 enters L2
 * again, and finds the register loaded.
 */
static enum ppc_next device_access(struct ppc_vcpu *v, uint64_t ea, uint64_t gpa, bool write)
{
	enum ppc_next next = ppc_emulate_mmio(v, ea, GPA(gpa), write);

	if (next == PPC_USER) {
		nested_leave(v, 0);
		v->mmio.nested = true;
	}
	return next;
}

/* Map what L2 missed in its shadow tree, or say why not. */
static enum nested_map shadow_fault(struct ppc_vcpu *v, uint64_t gpa, enum nested_need need,
				    struct nested_translation *t)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(v);
	enum nested_map map;

	nested_lock(vm);
	map = shadow_map(vm, v->vcpu.cpu, v->nested, gpa, need, t);
	nested_unlock(vm);
	count(&v->stat.shadow_fault[map]);
	return map;
}

static enum ppc_next handle_hdsi(struct ppc_vcpu *v)
{
	struct p9_regs *r = p9_regs(v->vcpu.cpu);
	uint32_t dsisr = (uint32_t)r->hdsisr;
	bool write = dsisr & P9_DSISR_ISSTORE;
	uint64_t gpa = r->asdr & PPC_REAL_MASK & ~(KVM_PAGE_SIZE - 1);
	struct nested_translation t;

	/* Not of translation: the processor's own, for L1. */
	if (dsisr & (P9_DSISR_UNSUPP_MMU | PPC_DSISR_BADACCESS | P9_DSISR_DABRMATCH))
		return leave(v, P9_VEC_HDSI);
	if (!(dsisr & P9_DSISR_PRTABLE_FAULT))
		gpa |= r->hdar & (KVM_PAGE_SIZE - 1);
	switch (shadow_fault(v, gpa, write ? NEED_WRITE : NEED_READ, &t)) {
	case NESTED_MAPPED:
		return PPC_RESUME;
	case NESTED_NO_MEMORY:
		return fail(v, -ENOMEM);
	case NESTED_FAULT:
		r->hdsisr = t.fault | (dsisr & P9_DSISR_PRTABLE_FAULT);
		if (t.fault & P9_DSISR_PRTABLE_FAULT)
			r->asdr = t.fault_addr & ~(KVM_PAGE_SIZE - 1);
		return leave(v, P9_VEC_HDSI);
	case NESTED_DEVICE:
		break;
	}
	/* L2's page tables, in a device. */
	if (dsisr & (P9_DSISR_PRTABLE_FAULT | P9_DSISR_SET_RC)) {
		ppc_inject_dsi(v, r->hdar, dsisr);
		return PPC_RESUME;
	}
	return device_access(v, r->hdar, t.gpa, write);
}

static enum ppc_next handle_hisi(struct ppc_vcpu *v)
{
	struct p9_regs *r = p9_regs(v->vcpu.cpu);
	uint32_t cause = (uint32_t)r->hsrr1 & (uint32_t)NESTED_SRR1_CAUSE;
	uint64_t gpa = r->asdr & PPC_REAL_MASK & ~(KVM_PAGE_SIZE - 1);
	enum nested_need need = NEED_EXEC;
	struct nested_translation t;

	if (r->hsrr1 & P9_DSISR_UNSUPP_MMU)
		return leave(v, P9_VEC_HISI);
	/* A table was read, or R set in it. */
	if (r->hsrr1 & P9_DSISR_PRTABLE_FAULT)
		need = r->hsrr1 & P9_DSISR_ISSTORE ? NEED_WRITE : NEED_READ;
	switch (shadow_fault(v, gpa, need, &t)) {
	case NESTED_MAPPED:
		return PPC_RESUME;
	case NESTED_NO_MEMORY:
		return fail(v, -ENOMEM);
	case NESTED_FAULT:
		r->hsrr1 = (r->hsrr1 & ~NESTED_SRR1_CAUSE) | t.fault |
			   (cause & P9_DSISR_PRTABLE_FAULT);
		if (t.fault & P9_DSISR_PRTABLE_FAULT)
			r->asdr = t.fault_addr & ~(KVM_PAGE_SIZE - 1);
		return leave(v, P9_VEC_HISI);
	case NESTED_DEVICE:
		break;
	}
	/* Device memory is guarded: no instructions are fetched from it. */
	if (!(cause & P9_DSISR_PRTABLE_FAULT))
		cause = P9_DSISR_NOEXEC;
	p9_deliver(v->vcpu.cpu, P9_VEC_ISI, cause);
	return PPC_RESUME;
}

static enum ppc_next leave_heai(struct ppc_vcpu *v)
{
	uint32_t insn;

	/* Another processor unmapped it: it will fault by itself. */
	if (!ppc_fetch_current(v, &insn))
		return PPC_RESUME;
	p9_regs(v->vcpu.cpu)->heir = insn;
	return leave(v, P9_VEC_HEAI);
}

/*
 * A facility that L1 took from L2 is L1's to handle. One that L1 gave and does not have itself is
 * to L2 as if the processor had it not.
 */
static enum ppc_next handle_hfac(struct ppc_vcpu *v)
{
	if (nested_took_facility(v, p9_regs(v->vcpu.cpu)->hfscr >> 56))
		return leave(v, P9_VEC_HFAC_UNAVAILABLE);
	return leave_heai(v);
}

static enum ppc_next handle_syscall(struct ppc_vcpu *v)
{
	struct p9_regs *r = p9_regs(v->vcpu.cpu);

	/* Process-scoped translations are the processor's, and L1 has no way to reach them. */
	if (r->gpr[3] == H_RPT_INVALIDATE && !(r->msr & P9_MSR_PR) &&
	    !(r->gpr[6] & H_RPTI_TYPE_NESTED)) {
		r->gpr[3] = (uint64_t)ppc_h_rpt_process(v, v->nested->lpid, r->gpr);
		return PPC_RESUME;
	}
	return leave(v, P9_VEC_SYSCALL);
}

enum ppc_next nested_handle_exit(struct ppc_vcpu *v)
{
	uint32_t vector = p9_exit_vector(v->vcpu.cpu);

	switch (vector) {
	case P9_VEC_HDSI:
		return handle_hdsi(v);
	case P9_VEC_HISI:
		return handle_hisi(v);
	case P9_VEC_SYSCALL:
		return handle_syscall(v);
	case P9_VEC_HEAI:
		return leave_heai(v);
	case P9_VEC_HFAC_UNAVAILABLE:
		return handle_hfac(v);
	case P9_VEC_HVIRT:
	case P9_VEC_HDOORBELL:
	case P9_VEC_HMI:
	case P9_VEC_PERFMON:
	case P9_VEC_RESET:
		/* Nothing of L1's is behind them. */
		return PPC_RESUME;
	default:
		/* External interrupts, HDEC, machine checks: as L1's hypervisor state gets them. */
		return leave(v, (enum p9_vector)vector);
	}
}
