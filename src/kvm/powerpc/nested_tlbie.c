/*
 * L1 invalidates translations of its guests. H_TLB_INVALIDATE has the operands of the tlbie
 * instruction that L1 would execute, were it the hypervisor of the machine (Power ISA 3.0B, Book
 * III, "TLB Management Instructions"); H_RPT_INVALIDATE (PAPR+) says the same in words.
 *
 * The shadow tree is what L1's TLB and page-walk cache are; the cached partition-table entry is in
 * struct nested_guest. An address is invalidated whatever page size L1 names.
 */
#include "kvm/powerpc/nested.h"
#include "util/bits.h"

enum { RIC_TLB = 0, RIC_PWC = 1, RIC_ALL = 2, RIC_GROUP = 3 };
enum { IS_ADDRESS = 0, IS_PID = 1, IS_LPID = 2, IS_EVERY = 3 };

#define INSN_RIC(i) ((i) >> 18 & 3)
#define INSN_PRS(i) ((i) >> 17 & 1)
#define INSN_R(i)   ((i) >> 16 & 1)
#define RB_IS(rb)   ((rb) >> 10 & 3)
#define RB_AP(rb)   ((rb) >> 5 & 7)
#define EPN_MASK    UINT64_C(0x000ffffffffff000) /* real addresses of 52 bits */

/* The actual page size field of RB; 0: no such size. */
static unsigned ap_shift(unsigned ap)
{
	switch (ap) {
	case 0:
		return 12;
	case 5:
		return 16;
	case 1:
		return 21;
	case 2:
		return 30;
	default:
		return 0;
	}
}

static void invalidate_guest(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g,
			     unsigned ric)
{
	switch (ric) {
	case RIC_TLB:
		nested_flush_range(vm, self, g, 0, UINT64_MAX);
		break;
	case RIC_PWC:
		/* Upper levels of L1's tree are not kept: each fault walks it anew. */
		break;
	case RIC_ALL:
		nested_flush_entry(vm, self, g);
		break;
	}
}

/* No reference taken: it is for use before the locks are let go. NULL: nothing is cached. */
static struct nested_guest *find(struct ppc_vm *vm, uint64_t lpid)
{
	return lpid < NESTED_LPIDS ? vm->nested->guest[lpid] : NULL;
}

long nested_h_tlb_invalidate(struct ppc_vcpu *v, uint64_t *gpr)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(v);
	uint64_t insn = gpr[4], rs = gpr[5], rb = gpr[6], start;
	unsigned ric = INSN_RIC(insn), is = RB_IS(rb), shift = 0;
	struct nested_guest *g;

	if (!nested_enabled(vm))
		return H_FUNCTION;
	/*
	 * Radix only; partition-scoped only (L2's process-scoped translations are L2's); no group
	 * of 64 KiB pages; no IS that goes by process; and one address only of the TLB.
	 */
	if (!INSN_R(insn) || INSN_PRS(insn) || ric == RIC_GROUP || is == IS_PID ||
	    (is == IS_ADDRESS && ric != RIC_TLB))
		return H_PARAMETER;
	if (is == IS_ADDRESS) {
		shift = ap_shift(RB_AP(rb));
		if (!shift)
			return H_PARAMETER;
	}
	nested_lock(vm);
	g = find(vm, rs & UINT32_MAX);
	switch (is) {
	case IS_ADDRESS:
		start = align_down(rb & EPN_MASK, BIT64(shift));
		if (g)
			nested_flush_range(vm, v->vcpu.cpu, g, start, start + BIT64(shift));
		break;
	case IS_LPID:
		if (g)
			invalidate_guest(vm, v->vcpu.cpu, g, ric);
		break;
	case IS_EVERY:
		if (ric != RIC_PWC)
			nested_flush_all(vm, v->vcpu.cpu, ric == RIC_ALL);
		break;
	}
	nested_unlock(vm);
	return H_SUCCESS;
}

long nested_h_rpt_invalidate(struct ppc_vcpu *v, uint64_t *gpr)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(v);
	uint64_t lpid = gpr[4], target = gpr[5], type = gpr[6], start = gpr[8], end = gpr[9];
	struct nested_guest *g;

	if (!nested_enabled(vm))
		return H_FUNCTION;
	/* All of the partition's processors: shadow trees are of none in particular. */
	if (target != H_RPTI_TARGET_CMMU)
		return H_P2;
	nested_lock(vm);
	/*
	 * A guest that was never run has nothing to be invalidated. (L1 flushes when it makes the
	 * partition-table entry, so it is no error either.)
	 */
	g = find(vm, lpid);
	if (g) {
		if (type & H_RPTI_TYPE_PRT) /* partition table */
			nested_flush_entry(vm, v->vcpu.cpu, g);
		else if (type & H_RPTI_TYPE_TLB)
			nested_flush_range(vm, v->vcpu.cpu, g, start, end);
	}
	nested_unlock(vm);
	return H_SUCCESS;
}
