/*
 * Hypercalls (PAPR+, "Hypervisor Call Functions"). Those in the table are served here; any other,
 * and one of the table's that the VMM has switched off, leaves KVM_RUN with KVM_EXIT_PAPR_HCALL.
 *
 * KVM_CAP_PPC_ENABLE_HCALL switches the PAPR ones; at first those are on that were served before
 * that capability existed (api.rst, 4.x "KVM_CAP_PPC_ENABLE_HCALL").
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/random.h>

#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/powerpc.h"
#include "mem/endian.h"
#include "util/bits.h"

/* A handler's answer "not here": the call goes to the VMM. No hypercall returns it. */
#define H_TOO_HARD 9999

/* DAWRX: privilege to match, hypervisor state; CIABR: the same */
#define DAWRX_USER   1
#define DAWRX_KERNEL 2
#define DAWRX_HYP    4
#define DAWRX_WT     0x10
#define DAWRX_DR     0x20
#define DAWRX_DW     0x40
#define DABRX_BTI    8
#define CIABR_PRIV   3

/* H_PAGE_INIT flags */
#define PAGE_ICACHE_INVALIDATE  BIT64_BE(40)
#define PAGE_ICACHE_SYNCHRONIZE BIT64_BE(41)
#define PAGE_ZERO               BIT64_BE(48)
#define PAGE_COPY               BIT64_BE(49)
#define PAGE_STATE              (BIT64_BE(28) | BIT64_BE(29) | BIT64_BE(30) | BIT64_BE(31))

/* Bytes that icbi works on */
#define ICACHE_BLOCK 128

struct hcall {
	uint16_t nr;
	bool enabled; /* at first */
	/* Arguments are in GPR4.., results go there; the return value to GPR3. */
	long (*handler)(struct ppc_vcpu *v, uint64_t *gpr);
};

/* --- processor management --- */

static long h_prod(struct ppc_vcpu *v, uint64_t *gpr)
{
	struct kvm_vcpu *target = kvm_find_vcpu(v->vcpu.vm, gpr[4]);

	if (!target)
		return H_PARAMETER;
	atomic_store(&ppc_vcpu_of(target)->prodded, true);
	kvm_vcpu_wake(target);
	return H_SUCCESS;
}

/*
 * The caller waits for a lock whose holder is not dispatched. The host's scheduler knows who
 * runs; all there is to do is to give it the processor.
 */
static long h_confer(struct ppc_vcpu *v, uint64_t *gpr)
{
	struct kvm_vcpu *target;

	if (gpr[4] == UINT64_MAX || (uint32_t)gpr[4] == UINT32_MAX) {
		sched_yield();
		return H_SUCCESS;
	}
	target = kvm_find_vcpu(v->vcpu.vm, gpr[4]);
	if (!target)
		return H_PARAMETER;
	if (vpa_yield_count(ppc_vcpu_of(target)) == (uint32_t)gpr[5])
		sched_yield();
	return H_SUCCESS;
}

static long h_register_vpa(struct ppc_vcpu *v, uint64_t *gpr)
{
	return vpa_h_register(v, gpr[4], gpr[5], gpr[6]);
}

/* Breakpoint registers are here; the rest of H_SET_MODE concerns all processors: the VMM's. */
static long h_set_mode(struct ppc_vcpu *v, uint64_t *gpr)
{
	struct p9_regs *r = p9_regs(v->vcpu.cpu);
	uint64_t flags = gpr[4], value1 = gpr[6], value2 = gpr[7];

	switch (gpr[5]) {
	case H_SET_MODE_RESOURCE_SET_CIABR:
		if (value2)
			return H_P4;
		if (flags)
			return H_UNSUPPORTED_FLAG_START;
		if ((value1 & CIABR_PRIV) == CIABR_PRIV) /* hypervisor state */
			return H_P3;
		r->ciabr = value1;
		p9_state_changed(v->vcpu.cpu);
		return H_SUCCESS;
	case H_SET_MODE_RESOURCE_SET_DAWR0:
		if (flags)
			return H_UNSUPPORTED_FLAG_START;
		if (value2 & DAWRX_HYP)
			return H_P4;
		r->dawr0 = value1;
		r->dawrx0 = value2;
		p9_state_changed(v->vcpu.cpu);
		return H_SUCCESS;
	case H_SET_MODE_RESOURCE_SET_DAWR1:
		return H_P2; /* POWER10 */
	default:
		return H_TOO_HARD;
	}
}

/* The DABR of older processors, on the DAWR: bits 61 (translation), 62 (store), 63 (load). */
static void set_dawr_from_dabr(struct ppc_vcpu *v, uint64_t dabr, uint64_t dabrx)
{
	struct p9_regs *r = p9_regs(v->vcpu.cpu);

	r->dawr0 = dabr & ~UINT64_C(7);
	r->dawrx0 = (dabrx & (DAWRX_USER | DAWRX_KERNEL)) | (dabr & 1 ? DAWRX_DR : 0) |
		    (dabr & 2 ? DAWRX_DW : 0) | (dabr & 4 ? DAWRX_WT : 0);
	v->dabr = dabr;
	v->dabrx = dabrx;
	p9_state_changed(v->vcpu.cpu);
}

static long h_set_dabr(struct ppc_vcpu *v, uint64_t *gpr)
{
	set_dawr_from_dabr(v, gpr[4], DAWRX_USER | DAWRX_KERNEL);
	return H_SUCCESS;
}

static long h_set_xdabr(struct ppc_vcpu *v, uint64_t *gpr)
{
	uint64_t x = gpr[5];

	if (!(x & (DAWRX_USER | DAWRX_KERNEL)) || (x & ~(DAWRX_USER | DAWRX_KERNEL | DABRX_BTI)))
		return H_PARAMETER;
	set_dawr_from_dabr(v, gpr[4], x);
	return H_SUCCESS;
}

static long h_random(struct ppc_vcpu *v, uint64_t *gpr)
{
	uint64_t value;

	(void)v;
	if (getrandom(&value, sizeof(value), GRND_NONBLOCK) != sizeof(value))
		return H_HARDWARE;
	gpr[4] = value;
	return H_SUCCESS;
}

/* --- translation --- */

/*
 * Process-scoped invalidation for a guest without GTSE. The software TLB has no page-walk cache
 * or page sizes of its own; an invalidation of any type is one of translations, which is more
 * than was asked at most.
 */
long ppc_h_rpt_process(struct ppc_vcpu *v, uint32_t lpid, const uint64_t *gpr)
{
	uint64_t pid = gpr[4], target = gpr[5], type = gpr[6], start = gpr[8], end = gpr[9];

	(void)target; /* all or this processor only: all it is */
	if (end < start)
		return H_P5;
	if (!(type & (H_RPTI_TYPE_TLB | H_RPTI_TYPE_PWC | H_RPTI_TYPE_PRT)))
		return H_SUCCESS;
	if ((!start && end == UINT64_MAX) || (type & (H_RPTI_TYPE_PWC | H_RPTI_TYPE_PRT)))
		start = end = 0;
	else if (start == end)
		return H_SUCCESS;
	p9_invalidate(v->vcpu.vm->system, v->vcpu.cpu, lpid, pid, false, start, end);
	return H_SUCCESS;
}

static long h_rpt_invalidate(struct ppc_vcpu *v, uint64_t *gpr)
{
	if (gpr[9] < gpr[8])
		return H_P5;
	/* Of guests of this guest. */
	if (gpr[6] & H_RPTI_TYPE_NESTED)
		return nested_h_rpt_invalidate(v, gpr);
	return ppc_h_rpt_process(v, PPC_LPID, gpr);
}

/* --- storage --- */

/* Loads and stores in real mode, caching-inhibited: devices are the VMM's, or an ioeventfd. */
static long h_logical_ci_load(struct ppc_vcpu *v, uint64_t *gpr)
{
	(void)v;
	(void)gpr;
	return H_TOO_HARD;
}

static long h_logical_ci_store(struct ppc_vcpu *v, uint64_t *gpr)
{
	uint64_t size = gpr[4], addr = gpr[5], value = gpr[6];
	uint8_t be[8];

	if (size > 8 || !is_pow2(size))
		return H_TOO_HARD;
	/* As the bytes would lie in memory, read in the host's order: what datamatch compares. */
	st_be64(be, value << (64 - 8 * size));
	value = HOST_LITTLE_ENDIAN ? ld_le64(be) : ld_be64(be) >> (64 - 8 * size);
	if (!kvm_ioeventfd_write(v->vcpu.vm, GPA(addr), (uint32_t)size, value))
		return H_TOO_HARD;
	return H_SUCCESS;
}

static long h_page_init(struct ppc_vcpu *v, uint64_t *gpr)
{
	const uint64_t known = PAGE_ICACHE_INVALIDATE | PAGE_ICACHE_SYNCHRONIZE | PAGE_ZERO |
			       PAGE_COPY | PAGE_STATE;
	uint64_t flags = gpr[4], to = gpr[5], from = gpr[6];
	struct kvm_vm *vm = v->vcpu.vm;
	long ret = H_SUCCESS;
	void *dst, *src;

	if (flags & ~known)
		return H_PARAMETER;
	if ((to & (KVM_PAGE_SIZE - 1)) || ((flags & PAGE_COPY) && (from & (KVM_PAGE_SIZE - 1))))
		return H_PARAMETER;
	if (!(flags & (PAGE_COPY | PAGE_ZERO)))
		return H_SUCCESS;
	kvm_read_lock(&vm->slots_lock);
	src = flags & PAGE_COPY ? kvm_guest_ptr(vm, GPA(from), KVM_PAGE_SIZE, false) : NULL;
	dst = !(flags & PAGE_COPY) || src ? kvm_guest_ptr(vm, GPA(to), KVM_PAGE_SIZE, true) : NULL;
	if (!dst)
		ret = H_PARAMETER;
	else if (src)
		memmove(dst, src, KVM_PAGE_SIZE);
	else
		memset(dst, 0, KVM_PAGE_SIZE);
	kvm_rw_unlock(&vm->slots_lock);
	/* Code that was translated from the page is no longer there. */
	if (dst)
		cpu_shoot_host(vm->system, v->vcpu.cpu, HVA(dst), KVM_PAGE_SIZE);
	return ret;
}

/*
 * The block of 128 bytes at a logical address, as icbi does it: what the VMM wrote there (that is
 * where the H_LOGICAL_ stores are served) is executed from now on.
 */
static long h_logical_icbi(struct ppc_vcpu *v, uint64_t *gpr)
{
	struct kvm_vm *vm = v->vcpu.vm;
	uint64_t block = gpr[4] & ~(uint64_t)(ICACHE_BLOCK - 1);
	void *p;

	kvm_read_lock(&vm->slots_lock);
	p = kvm_guest_ptr(vm, GPA(block), ICACHE_BLOCK, false);
	kvm_rw_unlock(&vm->slots_lock);
	if (!p)
		return H_PARAMETER;
	cpu_shoot_host(vm->system, v->vcpu.cpu, HVA(p), ICACHE_BLOCK);
	return H_SUCCESS;
}

/* --- interrupts --- */

static long h_xics(struct ppc_vcpu *v, uint64_t *gpr)
{
	return v->icp ? xics_hcall(v, gpr[3]) : H_TOO_HARD;
}

static long h_rtas(struct ppc_vcpu *v, uint64_t *gpr)
{
	long ret;

	(void)gpr;
	return rtas_hcall(v, &ret) ? ret : H_TOO_HARD;
}

/* H_CEDE and H_ENTER_NESTED are handled before the table, since they switch what runs. */
static long h_switch(struct ppc_vcpu *v, uint64_t *gpr)
{
	(void)v;
	(void)gpr;
	return H_SUCCESS;
}

/* Sorted by number. */
static const struct hcall hcalls[] = {
	{H_SET_DABR, true, h_set_dabr},
	{H_PAGE_INIT, false, h_page_init},
	{H_LOGICAL_CI_LOAD, false, h_logical_ci_load},
	{H_LOGICAL_CI_STORE, false, h_logical_ci_store},
	{H_LOGICAL_ICBI, false, h_logical_icbi},
	{H_EOI, true, h_xics},
	{H_CPPR, true, h_xics},
	{H_IPI, true, h_xics},
	{H_IPOLL, true, h_xics},
	{H_XIRR, true, h_xics},
	{H_REGISTER_VPA, true, h_register_vpa},
	{H_CEDE, true, h_switch},
	{H_CONFER, true, h_confer},
	{H_PROD, true, h_prod},
	{H_SET_XDABR, true, h_set_xdabr},
	{H_XIRR_X, true, h_xics},
	{H_RANDOM, false, h_random},
	{H_SET_MODE, false, h_set_mode},
	{H_RPT_INVALIDATE, false, h_rpt_invalidate},
	{H_RTAS, true, h_rtas},
	{H_SET_PARTITION_TABLE, true, nested_h_set_partition_table},
	{H_ENTER_NESTED, true, h_switch},
	{H_TLB_INVALIDATE, true, nested_h_tlb_invalidate},
	{H_COPY_TOFROM_GUEST, true, nested_h_copy_tofrom_guest},
};

static const struct hcall *hcall_find(uint64_t nr)
{
	size_t lo = 0, hi = ARRAY_SIZE(hcalls);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (hcalls[mid].nr == nr)
			return &hcalls[mid];
		if (hcalls[mid].nr < nr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static bool hcall_enabled(struct ppc_vm *vm, uint64_t nr)
{
	uint64_t bit = nr / 4;

	if (nr > H_LAST_PAPR)
		return true;
	return atomic_load_explicit(&vm->hcall_enabled[bit / 32], memory_order_relaxed) &
	       UINT32_C(1) << (bit % 32);
}

void ppc_hcall_defaults(struct ppc_vm *vm)
{
	for (size_t i = 0; i < ARRAY_SIZE(hcalls); i++) {
		if (hcalls[i].enabled)
			ppc_enable_hcall(vm, hcalls[i].nr, 1);
	}
}

int ppc_enable_hcall(struct ppc_vm *vm, uint64_t nr, uint64_t enable)
{
	uint32_t mask;

	if (nr > H_LAST_PAPR || nr % 4 || enable > 1 || !hcall_find(nr))
		return -EINVAL;
	mask = UINT32_C(1) << (nr / 4 % 32);
	if (enable)
		atomic_fetch_or(&vm->hcall_enabled[nr / 4 / 32], mask);
	else
		atomic_fetch_and(&vm->hcall_enabled[nr / 4 / 32], ~mask);
	return 0;
}

static enum ppc_next hcall_to_user(struct ppc_vcpu *v, const uint64_t *gpr)
{
	struct kvm_run *run = v->vcpu.run;

	run->exit_reason = KVM_EXIT_PAPR_HCALL;
	run->papr_hcall.nr = gpr[3];
	run->papr_hcall.ret = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(run->papr_hcall.args); i++)
		run->papr_hcall.args[i] = gpr[4 + i];
	v->pending = PPC_PENDING_HCALL;
	return PPC_USER;
}

void ppc_complete_hcall(struct ppc_vcpu *v)
{
	const struct kvm_run *run = v->vcpu.run;
	uint64_t *gpr = p9_regs(v->vcpu.cpu)->gpr;

	gpr[3] = run->papr_hcall.ret;
	for (unsigned i = 0; i < ARRAY_SIZE(run->papr_hcall.args); i++)
		gpr[4 + i] = run->papr_hcall.args[i];
}

enum ppc_next ppc_hcall(struct ppc_vcpu *v)
{
	struct p9_regs *r = p9_regs(v->vcpu.cpu);
	const struct hcall *h = hcall_find(r->gpr[3]);
	long ret;

	if (!h || !hcall_enabled(ppc_vm_of_vcpu(v), h->nr))
		return hcall_to_user(v, r->gpr);
	if (h->nr == H_CEDE) {
		/* External interrupts are enabled by the call; a prod that came before ends it. */
		r->gpr[3] = H_SUCCESS;
		r->msr |= P9_MSR_EE;
		p9_state_changed(v->vcpu.cpu);
		return PPC_CEDE;
	}
	if (h->nr == H_ENTER_NESTED)
		return nested_enter(v);
	ret = h->handler(v, r->gpr);
	if (ret == H_TOO_HARD)
		return hcall_to_user(v, r->gpr);
	r->gpr[3] = (uint64_t)ret;
	return PPC_RESUME;
}
