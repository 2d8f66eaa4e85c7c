/*
 * Into L2 and out again. The processor is switched by its registers alone: what is privileged to
 * hypervisors comes from and goes to L1's struct hv_guest_state, the rest of the core registers
 * to its struct pt_regs; all others (floating point, AMR, FSCR, DEC, DAR, DSISR...) L1 itself has
 * loaded before the hypercall. TLBs are tagged by LPID and stay.
 *
 * Time. L2's time base is L1's plus hv_guest_state.tb_offset. The decrementer is L2's while it
 * runs; L1 gives its own next event as hdec_expiry, in its time base, and gets it as the hypervisor
 * decrementer's interrupt.
 *
 * Interrupts. The external line is L1's: without LPCR[LPES] it is directed to the hypervisor and
 * ends cpu_run, so it ends L2. L1 gives L2 interrupts of its own by LPCR[MER] or in L2's registers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/powerpc/nested.h"
#include "mem/endian.h"
#include "util/bits.h"

/* struct hv_guest_state, as doublewords; all but HV_IDS are numbers of 64 bits. */
enum hv_word {
	HV_VERSION,
	HV_IDS, /* two words: LPID, vCPU token */
	HV_LPCR,
	HV_PCR,
	HV_AMOR,
	HV_DPDES,
	HV_HFSCR,
	HV_TB_OFFSET,
	HV_DAWR0,
	HV_DAWRX0,
	HV_CIABR,
	HV_HDEC_EXPIRY,
	HV_PURR,
	HV_SPURR,
	HV_IC,
	HV_VTB,
	HV_HDAR,
	HV_HDSISR,
	HV_HEIR,
	HV_ASDR,
	HV_SRR0,
	HV_SRR1,
	HV_SPRG0,
	HV_PIDR = HV_SPRG0 + 4,
	HV_CFAR,
	HV_PPR,
	HV_WORDS_V1,
	HV_DAWR1 = HV_WORDS_V1, /* POWER10 */
	HV_DAWRX1,
	HV_WORDS,
};

/* struct pt_regs, as far as it concerns: doublewords. (On POWER, the host's headers have PT_.) */
enum pt_word {
	PTREG_GPR0,
	PTREG_NIP = 32,
	PTREG_MSR,
	PTREG_ORIG_GPR3,
	PTREG_CTR,
	PTREG_LINK,
	PTREG_XER,
	PTREG_CCR,
	PTREG_WORDS,
};

#define HV_VERSION_MAX 2

/* LPCR bits of L2 that are L1's to choose; GTSE only if L1 has it too. */
#define LPCR_DPFD (UINT64_C(7) << 52)
#define LPCR_L1   (LPCR_DPFD | P9_LPCR_ILE | P9_LPCR_AIL | P9_LPCR_LD | P9_LPCR_MER)

#define DAWRX_HYP   UINT64_C(4)
#define CIABR_PRIV  UINT64_C(3)
#define PCR_KNOWN   (BIT64_BE(0) | BIT64_BE(1) | BIT64_BE(2) | UINT64_C(0xe))
#define HFSCR_CAUSE UINT64_C(0xff00000000000000)
#define HDEC_NEVER  (INT64_MAX >> 8)

#define CONDITION_WORDS                                                                            \
	((offsetof(struct p9_regs, xer_rest) - offsetof(struct p9_regs, crf)) / 8 + 1)

/* What a switch exchanges: L1's while L2 runs. CR and XER go apart. */
struct core_regs {
	uint64_t gpr[32], pc, msr, lr, ctr;
	uint64_t srr0, srr1, sprg[4], pidr, cfar, ppr;
	uint64_t pcr, amor, dpdes, hfscr, dawr0, dawrx0, ciabr, tb_offset;
	uint64_t purr, spurr, ic, vtb;
};

struct nested_vcpu {
	bool big_endian; /* L1, when it made the hypercall */
	uint64_t hv_gpa, regs_gpa;
	unsigned words; /* of hv */
	uint64_t hv[HV_WORDS];
	uint64_t pt[PTREG_WORDS];
	struct core_regs l1;
	uint64_t l1_condition[CONDITION_WORDS]; /* CR and XER as the processor has them */
	uint64_t l1_hdec_expires; /* which is never taken */
};

/* --- L1's memory --- */

/* L1's byte order and the host's are the same most often: no word is touched then. */
static void swap_words(const struct nested_vcpu *n, uint64_t *words, unsigned count)
{
	if (n->big_endian != HOST_LITTLE_ENDIAN)
		return;
	for (unsigned i = 0; i < count; i++)
		words[i] = __builtin_bswap64(words[i]);
}

/* With slots_lock held. Most often all is in one slot; -EFAULT where there is none. */
static int read_words(struct ppc_vcpu *v, uint64_t gpa, uint64_t *words, unsigned n)
{
	struct kvm_vm *vm = v->vcpu.vm;
	const void *p = kvm_guest_ptr(vm, GPA(gpa), n * sizeof(*words), false);

	if (p) {
		memcpy(words, p, n * sizeof(*words));
	} else {
		for (unsigned i = 0; i < n; i++) {
			uint8_t *byte = (uint8_t *)&words[i];

			for (unsigned k = 0; k < sizeof(*words); k++) {
				p = kvm_guest_ptr(vm, GPA(gpa + i * 8 + k), 1, false);
				if (!p)
					return -EFAULT;
				byte[k] = *(const uint8_t *)p;
			}
		}
	}
	swap_words(v->nested_vcpu, words, n);
	return 0;
}

/* The same way; partly done when it fails. */
static int write_words(struct ppc_vcpu *v, uint64_t gpa, uint64_t *words, unsigned n)
{
	struct kvm_vm *vm = v->vcpu.vm;
	size_t size = n * sizeof(*words);
	void *p;

	swap_words(v->nested_vcpu, words, n);
	p = kvm_guest_ptr(vm, GPA(gpa), size, true);
	if (p) {
		memcpy(p, words, size);
		/* Once more: the dirty log may have been read between the two. */
		kvm_guest_ptr(vm, GPA(gpa), size, true);
		return 0;
	}
	for (size_t k = 0; k < size; k++) {
		p = kvm_guest_ptr(vm, GPA(gpa + k), 1, true);
		if (!p)
			return -EFAULT;
		*(uint8_t *)p = ((const uint8_t *)words)[k];
		kvm_guest_ptr(vm, GPA(gpa + k), 1, true);
	}
	return 0;
}

/* --- registers --- */

static void save_core(struct ppc_vcpu *v, struct core_regs *s)
{
	const struct p9_regs *r = p9_regs(v->vcpu.cpu);

	memcpy(s->gpr, r->gpr, sizeof(s->gpr));
	s->pc = p9_pc(v->vcpu.cpu);
	s->msr = r->msr;
	s->lr = r->lr;
	s->ctr = r->ctr;
	s->srr0 = r->srr0;
	s->srr1 = r->srr1;
	memcpy(s->sprg, r->sprg, sizeof(s->sprg));
	s->pidr = r->pidr;
	s->cfar = r->cfar;
	s->ppr = r->ppr;
	s->pcr = r->pcr;
	s->amor = r->amor;
	s->dpdes = r->dpdes;
	s->hfscr = r->hfscr;
	s->dawr0 = r->dawr0;
	s->dawrx0 = r->dawrx0;
	s->ciabr = r->ciabr;
	s->tb_offset = r->tb_offset;
	s->purr = p9_purr_get(r);
	s->spurr = p9_spurr_get(r);
	s->ic = r->ic;
	s->vtb = p9_vtb_get(r);
}

static void load_core(struct ppc_vcpu *v, const struct core_regs *s)
{
	struct p9_regs *r = p9_regs(v->vcpu.cpu);

	memcpy(r->gpr, s->gpr, sizeof(r->gpr));
	p9_set_pc(v->vcpu.cpu, s->pc);
	r->msr = s->msr;
	r->lr = s->lr;
	r->ctr = s->ctr;
	r->srr0 = s->srr0;
	r->srr1 = s->srr1;
	memcpy(r->sprg, s->sprg, sizeof(r->sprg));
	r->pidr = s->pidr;
	r->cfar = s->cfar;
	r->ppr = s->ppr;
	r->pcr = s->pcr;
	r->amor = s->amor;
	r->dpdes = s->dpdes;
	r->hfscr = s->hfscr;
	r->dawr0 = s->dawr0;
	r->dawrx0 = s->dawrx0;
	r->ciabr = s->ciabr;
	/* The decrementer goes on: what is left of it is the same in both time bases. */
	r->dec_expires += s->tb_offset - r->tb_offset;
	r->tb_offset = s->tb_offset;
	p9_purr_set(r, s->purr);
	p9_spurr_set(r, s->spurr);
	r->ic = s->ic;
	p9_vtb_set(r, s->vtb);
	/* A reservation is lost. */
	r->resv_size = 0;
}

/* L2's, as L1 wants it and may want it. */
static void l2_core(const struct nested_vcpu *n, struct core_regs *s)
{
	const uint64_t *hv = n->hv, *pt = n->pt;

	memcpy(s->gpr, pt + PTREG_GPR0, sizeof(s->gpr));
	s->pc = pt[PTREG_NIP] & ~UINT64_C(3);
	s->msr = (pt[PTREG_MSR] & ~(P9_MSR_HV | P9_MSR_S | P9_MSR_TM)) | P9_MSR_ME;
	s->lr = pt[PTREG_LINK];
	s->ctr = pt[PTREG_CTR];
	s->srr0 = hv[HV_SRR0];
	s->srr1 = hv[HV_SRR1];
	memcpy(s->sprg, hv + HV_SPRG0, sizeof(s->sprg));
	s->pidr = hv[HV_PIDR] & UINT32_MAX;
	s->cfar = hv[HV_CFAR];
	s->ppr = hv[HV_PPR];
	/* A compatibility mode of L1's is one of L2's. */
	s->pcr = (hv[HV_PCR] & PCR_KNOWN) | n->l1.pcr;
	s->amor = hv[HV_AMOR] & n->l1.amor;
	s->dpdes = hv[HV_DPDES] & 1;
	s->hfscr = hv[HV_HFSCR] & (n->l1.hfscr | HFSCR_CAUSE);
	s->dawr0 = hv[HV_DAWR0];
	s->dawrx0 = hv[HV_DAWRX0] & ~DAWRX_HYP;
	s->ciabr = hv[HV_CIABR];
	/* A breakpoint in hypervisor state is none. */
	if ((s->ciabr & CIABR_PRIV) == CIABR_PRIV)
		s->ciabr &= ~CIABR_PRIV;
	s->tb_offset = n->l1.tb_offset + hv[HV_TB_OFFSET];
	s->purr = hv[HV_PURR];
	s->spurr = hv[HV_SPURR];
	s->ic = hv[HV_IC];
	s->vtb = hv[HV_VTB];
}

static uint64_t l2_lpcr(struct ppc_vcpu *v)
{
	uint64_t want = v->nested_vcpu->hv[HV_LPCR];
	uint64_t lpcr = (v->lpcr & ~LPCR_L1) | (want & LPCR_L1);

	/* AIL: 0 and 3 only */
	if ((lpcr & P9_LPCR_AIL) != P9_LPCR_AIL)
		lpcr &= ~P9_LPCR_AIL;
	lpcr |= atomic_load(&ppc_vm_of_vcpu(v)->gtse) & want;
	return (lpcr & ~P9_LPCR_LPES) | P9_LPCR_HDICE;
}

/* --- entry --- */

/*
 * H_ENTER_NESTED's arguments, checked. Each word is read once: another processor of L1's may write
 * it meanwhile. slots_lock held.
 */
static long read_arguments(struct ppc_vcpu *v)
{
	struct nested_vcpu *n = v->nested_vcpu;
	const struct p9_regs *r = p9_regs(v->vcpu.cpu);

	n->big_endian = !(r->msr & P9_MSR_LE);
	n->hv_gpa = r->gpr[4];
	n->regs_gpa = r->gpr[5];
	if (read_words(v, n->hv_gpa, n->hv, 1))
		return H_PARAMETER;
	switch (n->hv[HV_VERSION]) {
	case 1:
		n->words = HV_WORDS_V1;
		break;
	case 2:
		n->words = HV_WORDS;
		break;
	default:
		return n->hv[HV_VERSION] > HV_VERSION_MAX ? H_P2 : H_PARAMETER;
	}
	if (read_words(v, n->hv_gpa + sizeof(n->hv[0]), n->hv + 1, n->words - 1) ||
	    read_words(v, n->regs_gpa, n->pt, PTREG_WORDS))
		return H_PARAMETER;
	/* There are no transactions. */
	if (n->pt[PTREG_MSR] & P9_MSR_TS_MASK)
		return H_BAD_MODE;
	return H_SUCCESS;
}

/* The two words in the order of memory. */
static uint32_t first_id(const struct nested_vcpu *n)
{
	return (uint32_t)(n->big_endian ? n->hv[HV_IDS] >> 32 : n->hv[HV_IDS]);
}

static uint32_t second_id(const struct nested_vcpu *n)
{
	return (uint32_t)(n->big_endian ? n->hv[HV_IDS] : n->hv[HV_IDS] >> 32);
}

/*
 * The guest to run; a reference is kept until L2 is left. Its vCPU may have run elsewhere: there,
 * and here from before that, are translations that local invalidations (tlbiel) did not reach.
 */
static long get_guest(struct ppc_vcpu *v)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(v);
	uint32_t token = second_id(v->nested_vcpu);
	uint16_t here = (uint16_t)(v->vcpu.index + 1);
	struct nested_guest *g;
	long error;

	if (token >= NESTED_MAX_TOKENS)
		return H_PARAMETER;
	nested_lock(vm);
	g = nested_get(vm, first_id(v->nested_vcpu), true, &error);
	if (g) {
		if (!g->patb0)
			nested_read_patb(vm, g);
		if (g->last_cpu[token] && g->last_cpu[token] != here)
			p9_invalidate(vm->vm.system, v->vcpu.cpu, g->lpid, UINT64_MAX, false, 0, 0);
		g->last_cpu[token] = here;
		v->nested_patb1 = g->patb1;
	}
	nested_unlock(vm);
	v->nested = g;
	return g ? H_SUCCESS : error;
}

/*
 * When L1 wants the processor back, in L2's time base: most often without a look at the clock.
 * Expiries further away than the register's 56 bits are as far away as it can say.
 */
static uint64_t hdec_expires(const struct nested_vcpu *n, const struct p9_regs *r)
{
	uint64_t expiry = n->hv[HV_HDEC_EXPIRY], now;

	if (expiry < HDEC_NEVER)
		return expiry + n->hv[HV_TB_OFFSET];
	now = p9_tb(r);
	if (expiry - (now - n->hv[HV_TB_OFFSET]) < HDEC_NEVER)
		return expiry + n->hv[HV_TB_OFFSET];
	return expiry <= now - n->hv[HV_TB_OFFSET] ? now - 1 : now + HDEC_NEVER;
}

enum ppc_next nested_enter(struct ppc_vcpu *v)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(v);
	struct p9_regs *r = p9_regs(v->vcpu.cpu);
	struct nested_vcpu *n = v->nested_vcpu;
	struct core_regs l2;
	long ret = H_SUCCESS;

	if (!nested_enabled(vm)) {
		ret = H_FUNCTION;
	} else if (!atomic_load(&vm->l1_ptcr)) {
		ret = H_NOT_AVAILABLE;
	} else if (!n) {
		n = v->nested_vcpu = calloc(1, sizeof(*n));
		ret = n ? H_SUCCESS : H_NO_MEM;
	}
	if (ret == H_SUCCESS) {
		kvm_read_lock(&vm->vm.slots_lock);
		ret = read_arguments(v);
		kvm_rw_unlock(&vm->vm.slots_lock);
	}
	if (ret == H_SUCCESS && !nested_core_enter(v, n->hv[HV_HDEC_EXPIRY])) {
		/* L1 has something to do before, or its time is up. */
		r->gpr[3] = p9_tb(r) >= n->hv[HV_HDEC_EXPIRY] ? P9_VEC_HDEC : 0;
		return PPC_RESUME;
	}
	if (ret == H_SUCCESS) {
		ret = get_guest(v);
		if (ret != H_SUCCESS)
			nested_core_leave(v);
	}
	if (ret != H_SUCCESS) {
		count(&v->stat.nested_refused);
		r->gpr[3] = (uint64_t)ret;
		return PPC_RESUME;
	}

	/* Nothing fails from here on. */
	count(&v->stat.nested_entries);
	save_core(v, &n->l1);
	l2_core(n, &l2);
	load_core(v, &l2);
	memcpy(n->l1_condition, r->crf, sizeof(n->l1_condition));
	p9_xer_set(r, n->pt[PTREG_XER]);
	p9_cr_set(r, (uint32_t)n->pt[PTREG_CCR]);
	r->lpidr = v->nested->lpid;
	r->lpcr = l2_lpcr(v);
	r->patb0 = shadow_patb0(v->nested);
	r->patb1 = v->nested_patb1;
	n->l1_hdec_expires = r->hdec_expires;
	r->hdec_expires = hdec_expires(n, r);
	p9_state_changed(v->vcpu.cpu);
	return PPC_RESUME;
}

void nested_load_partition(struct ppc_vcpu *v)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(v);

	nested_lock(vm);
	p9_regs(v->vcpu.cpu)->patb1 = v->nested->patb1;
	nested_unlock(vm);
	p9_state_changed(v->vcpu.cpu);
}

/* --- exit --- */

/* hv_guest_state as it goes back. */
static void return_hv(struct ppc_vcpu *v, const struct core_regs *l2, long trap)
{
	const struct p9_regs *r = p9_regs(v->vcpu.cpu);
	uint64_t *hv = v->nested_vcpu->hv;

	hv[HV_DPDES] = l2->dpdes;
	hv[HV_PURR] = l2->purr;
	hv[HV_SPURR] = l2->spurr;
	hv[HV_IC] = l2->ic;
	hv[HV_VTB] = l2->vtb;
	hv[HV_SRR0] = l2->srr0;
	hv[HV_SRR1] = l2->srr1;
	memcpy(hv + HV_SPRG0, l2->sprg, sizeof(l2->sprg));
	hv[HV_PIDR] = l2->pidr;
	hv[HV_CFAR] = l2->cfar;
	hv[HV_PPR] = l2->ppr;
	switch (trap) {
	case P9_VEC_HDSI:
		hv[HV_HDAR] = r->hdar;
		hv[HV_HDSISR] = r->hdsisr;
		hv[HV_ASDR] = r->asdr;
		break;
	case P9_VEC_HISI:
		hv[HV_ASDR] = r->asdr;
		break;
	case P9_VEC_HFAC_UNAVAILABLE:
		hv[HV_HFSCR] = (hv[HV_HFSCR] & ~HFSCR_CAUSE) | (l2->hfscr & HFSCR_CAUSE);
		break;
	case P9_VEC_HEAI:
		hv[HV_HEIR] = r->heir;
		break;
	}
}

/* pt_regs; MSR as HSRR1 has it: with the cause of an instruction storage interrupt. */
static void return_pt(struct ppc_vcpu *v, const struct core_regs *l2, long trap)
{
	const struct p9_regs *r = p9_regs(v->vcpu.cpu);
	uint64_t *pt = v->nested_vcpu->pt;

	memcpy(pt + PTREG_GPR0, l2->gpr, sizeof(l2->gpr));
	pt[PTREG_NIP] = l2->pc;
	pt[PTREG_MSR] = l2->msr;
	if (trap == P9_VEC_HISI)
		pt[PTREG_MSR] = (l2->msr & ~NESTED_SRR1_CAUSE) | (r->hsrr1 & NESTED_SRR1_CAUSE);
	pt[PTREG_CTR] = l2->ctr;
	pt[PTREG_LINK] = l2->lr;
	/* Which the processor still has. */
	pt[PTREG_XER] = p9_xer_get(r);
	pt[PTREG_CCR] = p9_cr_get(r);
}

void nested_leave(struct ppc_vcpu *v, long trap)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(v);
	struct p9_regs *r = p9_regs(v->vcpu.cpu);
	struct nested_vcpu *n = v->nested_vcpu;
	struct core_regs l2;

	ppc_stat_nested_exit(v, trap);
	save_core(v, &l2);
	/* L1's counters ran meanwhile; before its copy of L2's is updated. */
	n->l1.purr += l2.purr - n->hv[HV_PURR];
	n->l1.spurr += l2.spurr - n->hv[HV_SPURR];
	n->l1.ic += l2.ic - n->hv[HV_IC];
	n->l1.vtb += l2.vtb - n->hv[HV_VTB];
	return_hv(v, &l2, trap);
	return_pt(v, &l2, trap);

	load_core(v, &n->l1);
	memcpy(r->crf, n->l1_condition, sizeof(n->l1_condition));
	r->lpidr = PPC_LPID;
	r->patb0 = radix_patb0(vm);
	r->hdec_expires = n->l1_hdec_expires;
	nested_lock(vm);
	nested_put(vm, v->vcpu.cpu, v->nested);
	if (write_words(v, n->hv_gpa, n->hv, n->words) ||
	    write_words(v, n->regs_gpa, n->pt, PTREG_WORDS))
		trap = H_AUTHORITY;
	nested_unlock(vm);
	v->nested = NULL;
	nested_core_leave(v);
	ppc_load_partition(v);

	r->gpr[3] = (uint64_t)trap;
}

void nested_complete_load(struct ppc_vcpu *v, unsigned reg, uint64_t value)
{
	uint64_t gpa = v->nested_vcpu->regs_gpa + (PTREG_GPR0 + reg) * sizeof(uint64_t);

	/* L1 that gave this memory away meanwhile loses the value. */
	kvm_read_lock(&v->vcpu.vm->slots_lock);
	write_words(v, gpa, &value, 1);
	kvm_rw_unlock(&v->vcpu.vm->slots_lock);
}

bool nested_took_facility(struct ppc_vcpu *v, unsigned cause)
{
	const struct nested_vcpu *n = v->nested_vcpu;
	uint64_t bit = BIT64(cause & 63);

	/* Doorbells L1 has, by emulation (doorbell.c). */
	return ((n->l1.hfscr | BIT64(P9_FSCR_MSGP)) & bit) && !(n->hv[HV_HFSCR] & bit);
}

void nested_vcpu_fini(struct ppc_vcpu *v)
{
	free(v->nested_vcpu);
	v->nested_vcpu = NULL;
}
