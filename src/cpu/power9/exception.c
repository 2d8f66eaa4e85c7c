/*
 * Interrupts: see exception.h.
 */
#include "cpu/power9/exception.h"
#include "cpu/power9/float_status.h"
#include "cpu/power9/mmu.h"
#include "util/bits.h"

/* SRR1 and HSRR1 bits that an interrupt replaces (33:36 and 42:47). */
#define SRR1_REPLACED UINT64_C(0x783f0000)

void p9_raise(struct p9_cpu *p, enum p9_vector vector, uint64_t srr1_bits)
{
	p->exc.vector = vector;
	p->exc.srr1_bits = srr1_bits;
	p->exc.after = false;
	p->exc.elsewhere = false;
	p->cpu.env.fault = 1;
}

void p9_raise_after(struct p9_cpu *p, enum p9_vector vector, uint64_t srr1_bits)
{
	p9_raise(p, vector, srr1_bits);
	p->exc.after = true;
}

void p9_raise_trace(struct p9_cpu *p, uint64_t next_pc)
{
	p9_raise(p, P9_VEC_TRACE, 0);
	p->exc.elsewhere = true;
	p->exc.next_pc = next_pc;
}

void p9_raise_fp_enabled(struct p9_cpu *p)
{
	if ((p->regs.fpscr & UINT64_C(0x40000000)) && (p->regs.msr & (P9_MSR_FE0 | P9_MSR_FE1)))
		p9_raise(p, P9_VEC_PROGRAM, P9_PROG_FP);
}

bool p9_facility(struct p9_cpu *p, unsigned cause)
{
	uint64_t bit = BIT64(cause);

	/* FSCR governs problem state; HFSCR every state but the hypervisor's. */
	bool in_fscr = cause != P9_FSCR_FP && cause != P9_FSCR_VECVSX && cause != P9_FSCR_PM &&
		       cause != P9_FSCR_BHRB && cause != P9_FSCR_MSGP;

	/* scv is FSCR's alone: HFSCR has no bit for it. */
	if (cause != P9_FSCR_SCV && !(p->regs.hfscr & bit)) {
		p->regs.hfscr = (p->regs.hfscr & ~mask64_be(0, 7)) | (uint64_t)cause << 56;
		p9_raise(p, P9_VEC_HFAC_UNAVAILABLE, 0);
		return false;
	}
	if (in_fscr && (p->regs.msr & P9_MSR_PR) && !(p->regs.fscr & bit)) {
		p->regs.fscr = (p->regs.fscr & ~mask64_be(0, 7)) | (uint64_t)cause << 56;
		p9_raise(p, P9_VEC_FAC_UNAVAILABLE, 0);
		return false;
	}
	return true;
}

void p9_update_mode(struct p9_cpu *p)
{
	uint64_t msr = p->regs.msr;
	uint32_t mode = 0;

	if (msr & P9_MSR_SF)
		mode |= P9_MODE_SF;
	if (msr & P9_MSR_LE)
		mode |= P9_MODE_LE;
	if (msr & P9_MSR_PR)
		mode |= P9_MODE_PR;
	/* Supervisors use these rarely, and run all their code with and without: theirs looks at MSR itself. */
	if (msr & P9_MSR_PR) {
		if (msr & P9_MSR_FP)
			mode |= P9_MODE_FP;
		if (msr & P9_MSR_VEC)
			mode |= P9_MODE_VEC;
		if (msr & P9_MSR_VSX)
			mode |= P9_MODE_VSX;
	}
	if (msr & P9_MSR_SE)
		mode |= P9_MODE_SE;
	if (msr & P9_MSR_BE)
		mode |= P9_MODE_BE;
	if (msr & (P9_MSR_FE0 | P9_MSR_FE1))
		mode |= P9_MODE_FE;
	if (msr & P9_MSR_IR)
		mode |= P9_MODE_IR;
	if (msr & P9_MSR_DR)
		mode |= P9_MODE_DR;
	if (p->regs.hfscr & BIT64(P9_FSCR_FP))
		mode |= P9_MODE_HFP;
	if (p->regs.hfscr & BIT64(P9_FSCR_VECVSX))
		mode |= P9_MODE_HVEC;
	if (p->regs.so)
		mode |= P9_MODE_SO;
	/* Where nothing can be computed, the kernel's code is not translated twice for it. */
	if (msr & (P9_MSR_FP | P9_MSR_VSX))
		mode |= p9_fp_mode(p->regs.fpscr);
	cpu_set_mode(&p->cpu, mode);
	p9_mmu_select(p);
}

void p9_so_changed(struct p9_cpu *p)
{
	cpu_set_mode(&p->cpu, (p->cpu.mode & ~(uint32_t)P9_MODE_SO) | (p->regs.so ? P9_MODE_SO : 0));
}

void p9_set_msr(struct p9_cpu *p, uint64_t msr)
{
	/* PR implies EE and both relocations (Book III 3.2.1, as set by mtmsr and rfid). */
	if (msr & P9_MSR_PR)
		msr |= P9_MSR_EE | P9_MSR_IR | P9_MSR_DR;
	/* This processor executes no transactions and is never in hypervisor or secure state. */
	msr &= ~(P9_MSR_HV | P9_MSR_S | P9_MSR_TM | P9_MSR_TS_MASK);
	p->regs.msr = msr;
	p9_update_mode(p);
}

void p9_state_changed(struct cpu *c)
{
	struct p9_cpu *p = p9_of(c);

	p9_set_msr(p, p->regs.msr);
	p9_fp_round_changed(p);
	/* Time facilities and control bits may have changed too: look at all events again. */
	atomic_store(&c->timer_fired, true);
	atomic_store(&c->env.exit_request, 1);
}

/* MSR in the handler of an interrupt that the supervisor takes. */
static uint64_t handler_msr(const struct p9_cpu *p, bool relocate)
{
	uint64_t msr = P9_MSR_SF | (p->regs.msr & P9_MSR_ME);

	if (p->regs.lpcr & P9_LPCR_ILE)
		msr |= P9_MSR_LE;
	if (relocate)
		msr |= P9_MSR_IR | P9_MSR_DR;
	return msr;
}

/*
 * Alternate interrupt location: the displacement of the vectors, when it applies (both
 * relocations on; never for reset and machine check).
 */
static bool alternate_location(const struct p9_cpu *p, enum p9_vector vector, uint64_t *base)
{
	unsigned ail = (p->regs.lpcr & P9_LPCR_AIL) >> 23;

	*base = 0;
	if (vector == P9_VEC_RESET || vector == P9_VEC_MACHINE_CHECK)
		return false;
	if ((p->regs.msr & (P9_MSR_IR | P9_MSR_DR)) != (P9_MSR_IR | P9_MSR_DR))
		return false;
	if (ail == 2)
		*base = 0x18000;
	else if (ail == 3)
		*base = UINT64_C(0xc000000000004000);
	else
		return false;
	return true;
}

static void deliver_at(struct p9_cpu *p, enum p9_vector vector, uint64_t pc, uint64_t srr1_bits)
{
	uint64_t base;
	bool relocate = alternate_location(p, vector, &base);

	count(&p->delivered[vector / 0x20 % P9_DELIVERED]);
	p->regs.resv_carried = 0;
	p->regs.srr0 = pc;
	p->regs.srr1 = (p->regs.msr & ~SRR1_REPLACED) | srr1_bits;
	p->cpu.env.pc = base + vector;
	p9_set_msr(p, handler_msr(p, relocate));
}

void p9_deliver(struct cpu *c, enum p9_vector vector, uint64_t srr1_bits)
{
	deliver_at(p9_of(c), vector, c->env.pc, srr1_bits);
}

/* System call vectored: LR and CTR take the place of SRR0 and SRR1 (Book III 6.5.27). */
static void deliver_scv(struct p9_cpu *p, uint64_t pc, unsigned level)
{
	uint64_t base;
	bool relocate = alternate_location(p, P9_VEC_SCV, &base);
	unsigned ail = (p->regs.lpcr & P9_LPCR_AIL) >> 23;

	count(&p->delivered[P9_DELIVERED_SCV]);
	p->regs.lr = pc;
	p->regs.ctr = p->regs.msr & ~SRR1_REPLACED;
	if (!relocate)
		p->cpu.env.pc = 0x17000 + 0x20 * level;
	else if (ail == 2)
		p->cpu.env.pc = 0x17000 + 0x20 * level;
	else
		p->cpu.env.pc = UINT64_C(0xc000000000003000) + 0x20 * level;
	/* EE, RI and ME stay; PR goes. */
	p9_set_msr(p, handler_msr(p, relocate) | (p->regs.msr & (P9_MSR_EE | P9_MSR_RI)));
}

void p9_system_call(struct p9_cpu *p, bool vectored, unsigned level, uint64_t pc)
{
	if (vectored)
		deliver_scv(p, pc, level);
	else
		deliver_at(p, P9_VEC_SYSCALL, pc, 0);
}

static bool to_hypervisor(uint32_t vector)
{
	switch (vector) {
	case P9_VEC_HDEC:
	case P9_VEC_HDSI:
	case P9_VEC_HISI:
	case P9_VEC_HEAI:
	case P9_VEC_HMI:
	case P9_VEC_HDOORBELL:
	case P9_VEC_HVIRT:
	case P9_VEC_HFAC_UNAVAILABLE:
		return true;
	default:
		return false;
	}
}

static bool exit_to_hypervisor(struct p9_cpu *p, enum p9_vector vector, uint64_t pc,
			       uint64_t srr1_bits)
{
	p->exit_vector = vector;
	p->regs.hsrr0 = pc;
	p->regs.hsrr1 = (p->regs.msr & ~SRR1_REPLACED) | srr1_bits;
	return true;
}

bool p9_fault(struct cpu *c)
{
	struct p9_cpu *p = p9_of(c);
	uint64_t pc = p->exc.elsewhere ? p->exc.next_pc : c->env.pc + (p->exc.after ? 4 : 0);

	if (!(p->regs.msr & P9_MSR_SF))
		pc &= UINT32_MAX;
	if (p->exc.vector == P9_VEC_SYSCALL && p->exc.srr1_bits) {
		/* sc 1: to the hypervisor, by SRR0 and SRR1 */
		c->env.pc = pc;
		p->regs.srr0 = pc;
		p->regs.srr1 = p->regs.msr & ~SRR1_REPLACED;
		p->exit_vector = P9_VEC_SYSCALL;
		return true;
	}
	if (to_hypervisor(p->exc.vector)) {
		c->env.pc = pc;
		return exit_to_hypervisor(p, p->exc.vector, pc, p->exc.srr1_bits);
	}
	deliver_at(p, p->exc.vector, pc, p->exc.srr1_bits);
	return p9_events(c);
}

bool p9_events(struct cpu *c)
{
	struct p9_cpu *p = p9_of(c);
	bool external;

	/* HDEC is enabled whenever the thread is not in hypervisor state, whatever EE says. */
	if (UNLIKELY((p->regs.lpcr & P9_LPCR_HDICE) && p->hdec_pending))
		return exit_to_hypervisor(p, P9_VEC_HDEC, c->env.pc, 0);
	external = atomic_load_explicit(&p->external, memory_order_acquire);
	/* Without LPES, it is the hypervisor's, and EE does not hold it up (Book III 6.5.7). */
	if (UNLIKELY(external && !(p->regs.lpcr & P9_LPCR_LPES)))
		return exit_to_hypervisor(p, P9_VEC_EXTERNAL, c->env.pc, 0);
	/* Direct, or mediated (MER): the hypervisor's request on the guest's behalf. */
	external = external || (p->regs.lpcr & P9_LPCR_MER);
	/* One of them is delivered here, if any: then this says too much, which does no harm. */
	p->held = external || p->dec_pending || (p->regs.dpdes & 1) ? P9_MSR_EE : 0;
	if (LIKELY(!(p->regs.msr & P9_MSR_EE)))
		return false;
	if (external) {
		deliver_at(p, P9_VEC_EXTERNAL, c->env.pc, 0);
	} else if (p->dec_pending) {
		deliver_at(p, P9_VEC_DECREMENTER, c->env.pc, 0);
	} else if (p->regs.dpdes & 1) {
		p->regs.dpdes &= ~UINT64_C(1);
		deliver_at(p, P9_VEC_DOORBELL, c->env.pc, 0);
	}
	return false;
}

void p9_set_external(struct cpu *c, bool level)
{
	struct p9_cpu *p = p9_of(c);

	atomic_store_explicit(&p->external, level, memory_order_release);
	if (level)
		atomic_store(&c->env.exit_request, 1);
}

bool p9_external_pending(struct cpu *c)
{
	return atomic_load(&p9_of(c)->external);
}

bool p9_interrupt_pending(struct cpu *c)
{
	struct p9_cpu *p = p9_of(c);

	return atomic_load(&p->external) || p9_dec_expired(&p->regs) || (p->regs.dpdes & 1);
}

uint64_t p9_delivered(const struct cpu *c, enum p9_vector vector)
{
	unsigned slot = vector == P9_VEC_SCV ? P9_DELIVERED_SCV : vector / 0x20 % P9_DELIVERED;

	return counter_read(&((const struct p9_cpu *)c)->delivered[slot]);
}

uint32_t p9_exit_vector(const struct cpu *c)
{
	return ((const struct p9_cpu *)c)->exit_vector;
}
