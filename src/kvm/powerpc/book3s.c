/*
 * Running a POWER9 guest: reset state, KVM_RUN's loop, and the handling of every interrupt that the
 * architecture takes to hypervisor state (Power ISA 3.0B, Book III, chapter "Interrupts").
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/powerpc.h"
#include "util/bits.h"

#define LPCR_DPFD       (UINT64_C(7) << 52) /* default prefetch depth */
#define LPCR_DPFD_RESET (UINT64_C(4) << 52)
#define LPCR_ONL        BIT64(18)

/*
 * What is fixed for a radix guest: process tables (UPRT), host radix, time for PURR (ONL);
 * external interrupts go to the guest's supervisor (LPES). HDICE is off: the host's own threads
 * are preempted by its kernel, so the hypervisor needs no decrementer.
 */
#define LPCR_FIXED                                                                                 \
	(LPCR_DPFD_RESET | LPCR_ONL | P9_LPCR_UPRT | P9_LPCR_HR | P9_LPCR_HEIC | P9_LPCR_LPES |    \
	 P9_LPCR_HVICE | P9_LPCR_PECE)

/* What a VMM may change (KVM_REG_PPC_LPCR). */
#define LPCR_USER (LPCR_DPFD | P9_LPCR_ILE | P9_LPCR_AIL | P9_LPCR_LD)

/*
 * Facilities that guests have. Doorbells between threads (MSGP) trap, since which vCPUs are
 * threads of one core is the VMM's choice; transactional memory is not offered.
 */
#define HFSCR_GUEST                                                                                \
	(BIT64(P9_FSCR_FP) | BIT64(P9_FSCR_VECVSX) | BIT64(P9_FSCR_DSCR) | BIT64(P9_FSCR_PM) |     \
	 BIT64(P9_FSCR_BHRB) | BIT64(P9_FSCR_EBB) | BIT64(P9_FSCR_TAR) | BIT64(P9_FSCR_LM) |       \
	 BIT64(P9_FSCR_SCV))

#define MMCR0_FC   UINT64_C(0x80000000) /* counters frozen */
#define CTRL_RUN   UINT64_C(1)
#define HDEC_NEVER (INT64_MAX >> 8) /* the register has 56 bits */

/* --- set-up --- */

int ppc_vcpu_init(struct kvm_vcpu *vcpu)
{
	struct ppc_vcpu *v = ppc_vcpu_of(vcpu);
	struct ppc_vm *vm = ppc_vm_of(vcpu->vm);
	struct p9_regs *r = p9_regs(vcpu->cpu);
	int ret = kvm_lock_init(&v->vpa_lock, KVM_RANK_VPA);

	if (ret)
		return ret;
	v->initialised = true;
	v->lpcr = LPCR_FIXED;
	r->lpidr = PPC_LPID;
	r->hfscr = HFSCR_GUEST;
	r->pcr = 0;
	r->amor = UINT64_MAX;
	r->mmcr0 = MMCR0_FC;
	r->ctrl = CTRL_RUN;
	r->pir = vcpu->id;
	r->tir = vcpu->id & (vm->smt_mode - 1);
	r->patb0 = radix_patb0(vm);
	p9_hdec_set(vcpu->cpu, HDEC_NEVER);
	ppc_set_msr(v, 0);
	ppc_load_partition(v);
	return 0;
}

void ppc_vcpu_fini(struct kvm_vcpu *vcpu)
{
	struct ppc_vcpu *v = ppc_vcpu_of(vcpu);

	nested_vcpu_fini(v);
	if (v->initialised)
		kvm_lock_destroy(&v->vpa_lock);
}

void ppc_load_partition(struct ppc_vcpu *v)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(v);
	struct p9_regs *r = p9_regs(v->vcpu.cpu);

	r->lpcr = v->lpcr | atomic_load(&vm->gtse);
	r->patb1 = atomic_load(&vm->process_table);
	p9_state_changed(v->vcpu.cpu);
}

void ppc_set_lpcr(struct ppc_vcpu *v, uint64_t lpcr, bool keep_top)
{
	uint64_t mask = LPCR_USER;

	/* The 32-bit register must not clear what it cannot show. */
	if (keep_top)
		mask &= UINT32_MAX;
	lpcr = (v->lpcr & ~mask) | (lpcr & mask);
	/* AIL: 0 and 3 only */
	if ((lpcr & P9_LPCR_AIL) != P9_LPCR_AIL)
		lpcr &= ~P9_LPCR_AIL;
	v->lpcr = lpcr;
	ppc_load_partition(v);
}

void ppc_set_msr(struct ppc_vcpu *v, uint64_t msr)
{
	/* Never hypervisor or secure state; machine checks enabled; no transaction. */
	msr &= ~(P9_MSR_HV | P9_MSR_S | P9_MSR_TM | P9_MSR_TS_MASK);
	p9_regs(v->vcpu.cpu)->msr = msr | P9_MSR_ME;
	p9_state_changed(v->vcpu.cpu);
}

/* --- interrupts given to the guest --- */

void ppc_inject_dsi(struct ppc_vcpu *v, uint64_t dar, uint32_t dsisr)
{
	struct p9_regs *r = p9_regs(v->vcpu.cpu);

	r->dar = dar;
	r->dsisr = dsisr;
	p9_deliver(v->vcpu.cpu, P9_VEC_DSI, 0);
}

void ppc_inject_program(struct ppc_vcpu *v, uint64_t srr1_bits)
{
	p9_deliver(v->vcpu.cpu, P9_VEC_PROGRAM, srr1_bits);
}

/* --- page faults --- */

static enum ppc_next fail(struct ppc_vcpu *v, int error)
{
	v->error = error;
	return PPC_FAIL;
}

static enum radix_result map_page(struct ppc_vcpu *v, uint64_t gpa, bool write)
{
	enum radix_result result =
		radix_map(ppc_vm_of_vcpu(v), v->vcpu.cpu, GPA(gpa), write);

	count(&v->stat.page_fault[result == RADIX_MAPPED      ? PPC_FAULT_MAPPED
				  : result == RADIX_NO_MEMORY ? PPC_FAULT_NO_MEMORY
							      : PPC_FAULT_DEVICE]);
	return result;
}

/*
 * HDSI (Book III, "Hypervisor Data Storage Interrupt"): ASDR has the guest real page address, HDAR
 * the effective address.
 */
static enum ppc_next handle_hdsi(struct ppc_vcpu *v)
{
	struct p9_regs *r = p9_regs(v->vcpu.cpu);
	uint32_t dsisr = (uint32_t)r->hdsisr;
	uint64_t ea = r->hdar;
	bool write = dsisr & P9_DSISR_ISSTORE;
	uint64_t gpa = r->asdr & PPC_REAL_MASK & ~(KVM_PAGE_SIZE - 1);

	if (dsisr & P9_DSISR_UNSUPP_MMU)
		return fail(v, -EFAULT);
	if (dsisr & (PPC_DSISR_BADACCESS | P9_DSISR_DABRMATCH)) {
		ppc_inject_dsi(v, ea, dsisr);
		return PPC_RESUME;
	}
	if (!(dsisr & P9_DSISR_PRTABLE_FAULT))
		gpa |= ea & (KVM_PAGE_SIZE - 1);

	switch (map_page(v, gpa, write)) {
	case RADIX_MAPPED:
		return PPC_RESUME;
	case RADIX_NO_MEMORY:
		return fail(v, -ENOMEM);
	case RADIX_NO_SLOT:
	case RADIX_READ_ONLY:
		break;
	}
	/* The guest's own page tables are at a bad address, or in read-only memory. */
	if (dsisr & (P9_DSISR_PRTABLE_FAULT | P9_DSISR_SET_RC)) {
		ppc_inject_dsi(v, ea, dsisr);
		return PPC_RESUME;
	}
	return ppc_emulate_mmio(v, ea, GPA(gpa), write);
}

/* HISI: the address is pc's; the cause is in HSRR1, in the bits of SRR1. */
static enum ppc_next handle_hisi(struct ppc_vcpu *v)
{
	struct p9_regs *r = p9_regs(v->vcpu.cpu);
	uint32_t cause = (uint32_t)r->hsrr1 &
			 (P9_DSISR_NOHPTE | P9_DSISR_NOEXEC | P9_DSISR_PROTFAULT |
			  P9_DSISR_UNSUPP_MMU | P9_DSISR_SET_RC | P9_DSISR_PRTABLE_FAULT);
	uint64_t gpa = r->asdr & PPC_REAL_MASK & ~(KVM_PAGE_SIZE - 1);
	bool write = r->hsrr1 & P9_DSISR_ISSTORE; /* the walker's own store of R */

	if (cause & P9_DSISR_UNSUPP_MMU)
		return fail(v, -EFAULT);
	switch (map_page(v, gpa, write)) {
	case RADIX_MAPPED:
		return PPC_RESUME;
	case RADIX_NO_MEMORY:
		return fail(v, -ENOMEM);
	case RADIX_NO_SLOT:
	case RADIX_READ_ONLY:
		break;
	}
	/*
	 * Device memory is guarded: no instructions are fetched from it. A process table there is
	 * reported as what it is.
	 */
	if (!(cause & P9_DSISR_PRTABLE_FAULT))
		cause = P9_DSISR_NOEXEC;
	p9_deliver(v->vcpu.cpu, P9_VEC_ISI, cause);
	return PPC_RESUME;
}

/* --- the other exits --- */

static enum ppc_next handle_syscall(struct ppc_vcpu *v)
{
	struct cpu *c = v->vcpu.cpu;

	/*
	 * sc 1 in problem state: a radix guest can have no hypervisor of its own in problem state
	 * that it could mean, so it is a privileged instruction.
	 */
	if (p9_regs(c)->msr & P9_MSR_PR) {
		p9_set_pc(c, p9_pc(c) - 4);
		ppc_inject_program(v, PPC_PROG_PRIV);
		return PPC_RESUME;
	}
	return ppc_hcall(v);
}

/* HFSCR forbids it; the cause is HFSCR's high byte. */
static enum ppc_next handle_hfac(struct ppc_vcpu *v)
{
	if (p9_regs(v->vcpu.cpu)->hfscr >> 56 == P9_FSCR_MSGP)
		return ppc_emulate_doorbell(v);
	ppc_inject_program(v, PPC_PROG_ILLEGAL);
	return PPC_RESUME;
}

static enum ppc_next handle_exit(struct ppc_vcpu *v)
{
	struct cpu *c = v->vcpu.cpu;
	struct kvm_run *run = v->vcpu.run;
	uint32_t vector = p9_exit_vector(c);

	ppc_stat_exit(v);
	if (v->nested)
		return nested_handle_exit(v);
	switch (vector) {
	case P9_VEC_SYSCALL:
		return handle_syscall(v);
	case P9_VEC_HDSI:
		return handle_hdsi(v);
	case P9_VEC_HISI:
		return handle_hisi(v);
	case P9_VEC_HEAI:
		ppc_inject_program(v, PPC_PROG_ILLEGAL);
		return PPC_RESUME;
	case P9_VEC_HFAC_UNAVAILABLE:
		return handle_hfac(v);
	case P9_VEC_HDEC:
		/* Not used to schedule; put it out of the way if the guest's entry left it set. */
		p9_hdec_set(c, HDEC_NEVER);
		return PPC_RESUME;
	case P9_VEC_EXTERNAL:
	case P9_VEC_HVIRT:
	case P9_VEC_HDOORBELL:
	case P9_VEC_HMI:
	case P9_VEC_PERFMON:
	case P9_VEC_RESET:
		/* Nothing of ours is behind them; pending work is seen before the next entry. */
		return PPC_RESUME;
	case P9_VEC_MACHINE_CHECK:
		/* The silicon found the guest's access impossible: the guest's to handle. */
		p9_deliver(c, P9_VEC_MACHINE_CHECK, 0);
		return PPC_RESUME;
	default:
		run->exit_reason = KVM_EXIT_UNKNOWN;
		run->hw.hardware_exit_reason = vector;
		return PPC_USER;
	}
}

/* The processor cannot go on; the reason is a sentence for the person. */
static enum ppc_next handle_cpu_error(struct ppc_vcpu *v)
{
	struct kvm_run *run = v->vcpu.run;

	fprintf(stderr, "kvm: vCPU %u stopped: %s\n", v->vcpu.id, cpu_error(v->vcpu.cpu));
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;
	run->internal.ndata = 0;
	return PPC_USER;
}

/* --- the loop --- */

/* Whatever concerns the vCPU itself finds L1 in it, whose H_ENTER_NESTED returns: try again. */
static void leave_nested(struct ppc_vcpu *v)
{
	if (v->nested)
		nested_leave(v, 0);
}

static void serve_requests(struct ppc_vcpu *v)
{
	if (kvm_check_request(&v->vcpu, PPC_REQ_MMU)) {
		if (v->nested)
			nested_load_partition(v);
		else
			ppc_load_partition(v);
	}
	if (kvm_check_request(&v->vcpu, PPC_REQ_DOORBELL)) {
		/* It is for L1. */
		leave_nested(v);
		atomic_store(&v->doorbell, false);
		p9_regs(v->vcpu.cpu)->dpdes |= 1;
		p9_state_changed(v->vcpu.cpu);
	}
}

/* Nanoseconds until the decrementer passes zero. */
static int64_t decrementer_ns(struct ppc_vcpu *v)
{
	int64_t ticks = (int64_t)p9_dec_get(p9_regs(v->vcpu.cpu));

	if (ticks < 0)
		return 0;
	/* A day is as good as never, and keeps the product in range. */
	if (ticks > (int64_t)P9_TB_HZ * 86400)
		ticks = (int64_t)P9_TB_HZ * 86400;
	return (int64_t)((uint64_t)ticks * 1000 / (P9_TB_HZ / 1000000)) + 1;
}

/* H_CEDE: wait for an interrupt (enabled or not), a prod, or work. False: -EINTR. */
static bool block_until_work(struct ppc_vcpu *v)
{
	bool go_on = true;

	vpa_leave(v);
	for (;;) {
		uint32_t seq = atomic_load(&v->vcpu.wake_seq);

		if (kvm_vcpu_interrupted(&v->vcpu)) {
			go_on = false;
			break;
		}
		if (atomic_exchange(&v->prodded, false) || atomic_load(&v->vcpu.requests) ||
		    atomic_load(&v->vcpu.vm->bugged) || p9_interrupt_pending(v->vcpu.cpu))
			break;
		kvm_vcpu_block(&v->vcpu, seq, decrementer_ns(v));
	}
	vpa_enter(v);
	return go_on;
}

static int run_loop(struct ppc_vcpu *v)
{
	struct kvm_run *run = v->vcpu.run;

	for (;;) {
		enum ppc_next next = PPC_RESUME;

		if (kvm_vcpu_interrupted(&v->vcpu)) {
			leave_nested(v);
			run->exit_reason = KVM_EXIT_INTR;
			return -EINTR;
		}
		if (atomic_load(&v->vcpu.vm->bugged)) {
			leave_nested(v);
			return -EIO;
		}
		if (atomic_load_explicit(&v->vcpu.requests, memory_order_relaxed))
			serve_requests(v);

		switch (cpu_run(v->vcpu.cpu)) {
		case CPU_EXIT_KICK:
			break;
		case CPU_EXIT_HYPERVISOR:
			next = handle_exit(v);
			break;
		case CPU_EXIT_ERROR:
			leave_nested(v);
			next = handle_cpu_error(v);
			break;
		}

		switch (next) {
		case PPC_RESUME:
			break;
		case PPC_CEDE:
			if (!block_until_work(v)) {
				run->exit_reason = KVM_EXIT_INTR;
				return -EINTR;
			}
			break;
		case PPC_USER:
			return 0;
		case PPC_FAIL:
			return v->error;
		}
	}
}

static void complete_pending(struct ppc_vcpu *v)
{
	switch (v->pending) {
	case PPC_PENDING_NONE:
		break;
	case PPC_PENDING_HCALL:
		ppc_complete_hcall(v);
		break;
	case PPC_PENDING_MMIO:
		ppc_complete_mmio(v);
		break;
	}
	v->pending = PPC_PENDING_NONE;
}

int ppc_vcpu_run(struct kvm_vcpu *vcpu)
{
	struct ppc_vcpu *v = ppc_vcpu_of(vcpu);
	struct kvm_run *run = vcpu->run;
	int ret;

	complete_pending(v);
	if (__atomic_load_n(&run->immediate_exit, __ATOMIC_RELAXED)) {
		run->exit_reason = KVM_EXIT_INTR;
		return -EINTR;
	}
	/* Only PAPR guests: the VMM must have said so (KVM_CAP_PPC_PAPR). */
	if (!v->papr_enabled) {
		run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
		run->internal.suberror = 0;
		run->internal.ndata = 0;
		return -EINVAL;
	}
	run->flags = 0;
	run->ready_for_interrupt_injection = 1;
	v->online = 1;
	vpa_enter(v);
	ret = run_loop(v);
	vpa_leave(v);
	return ret;
}
