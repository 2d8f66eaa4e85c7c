/*
 * Areas that a guest registers per processor (PAPR+, H_REGISTER_VPA): the virtual processor area,
 * the SLB shadow (of no use to a radix guest; remembered), and the dispatch trace log.
 *
 * They are kept by guest address and looked up at each use, so nothing pins memory: an area whose
 * slot is gone is just not written. The VPA's yield count is odd while the processor is not
 * dispatched; here that is while it is outside KVM_RUN or ceded. Each dispatch is an entry in the
 * log.
 */
#include <errno.h>
#include <string.h>

#include "kvm/powerpc/powerpc.h"
#include "mem/endian.h"

#define VPA_SIZE        640 /* what the hypervisor uses of it */
#define VPA_ALIGN       128
#define VPA_OLD_STATUS  9 /* byte: shared processor */
#define VPA_YIELD_COUNT 0x100
#define VPA_DTL_INDEX   0x218
#define VPA_SHARED_PROC 2

/* An entry of the dispatch trace log */
#define DTL_ENTRY_SIZE      48
#define DTL_DISPATCH_REASON 0
#define DTL_PROCESSOR       2
#define DTL_TIMEBASE        16
#define DTL_SRR0            32
#define DTL_SRR1            40
#define DTL_REASON_EXTERNAL 7

/* Length of an area being registered: a field at offset 4 of itself. */
#define AREA_LENGTH_OFFSET 4
#define AREA_HEADER_SIZE   8

/* Read an area's length field: 2 bytes of the VPA, 4 of the others. False: not in memory. */
static bool area_length(struct kvm_vm *vm, uint64_t gpa, bool is_vpa, uint32_t *len)
{
	uint8_t header[AREA_HEADER_SIZE];
	bool ok;

	kvm_read_lock(&vm->slots_lock);
	ok = kvm_guest_ptr(vm, GPA(gpa), sizeof(header), false) != NULL;
	kvm_rw_unlock(&vm->slots_lock);
	if (!ok || kvm_read_guest(vm, GPA(gpa), header, sizeof(header)))
		return false;
	*len = is_vpa ? ld_be16(header + AREA_LENGTH_OFFSET) : ld_be32(header + AREA_LENGTH_OFFSET);
	if (*len < AREA_HEADER_SIZE)
		return false;
	/* It must lie in one slot, wholly, and a VPA or log be writable. */
	kvm_read_lock(&vm->slots_lock);
	ok = kvm_guest_ptr(vm, GPA(gpa), *len, true) != NULL;
	kvm_rw_unlock(&vm->slots_lock);
	return ok;
}

/*
 * Linux asks the new area whether processors are shared before it leaves the hypercall's function, and
 * spins without yielding ever after if they are not. vpa_lock held.
 */
static void tell_at_once(struct ppc_vcpu *t, bool running)
{
	struct kvm_vm *vm = t->vcpu.vm;
	uint8_t *vpa;

	kvm_read_lock(&vm->slots_lock);
	vpa = kvm_guest_ptr(vm, GPA(t->vpa.gpa), VPA_SIZE, true);
	if (vpa) {
		vpa[VPA_OLD_STATUS] |= VPA_SHARED_PROC;
		if (running) {
			/* even: dispatched */
			st_be32(vpa + VPA_YIELD_COUNT, 0);
			t->vpa_fresh = false;
		}
	}
	kvm_rw_unlock(&vm->slots_lock);
}

long vpa_h_register(struct ppc_vcpu *v, uint64_t flags, uint64_t vcpu_id, uint64_t gpa)
{
	unsigned func = (flags >> H_VPA_FUNC_SHIFT) & H_VPA_FUNC_MASK;
	struct kvm_vcpu *target = kvm_find_vcpu(v->vcpu.vm, vcpu_id);
	struct ppc_vcpu *t;
	uint32_t len = 0;
	long ret = H_SUCCESS;

	if (!target)
		return H_PARAMETER;
	t = ppc_vcpu_of(target);
	switch (func) {
	case H_VPA_REG_VPA:
	case H_VPA_REG_DTL:
	case H_VPA_REG_SLB:
		if (!gpa || gpa % VPA_ALIGN)
			return H_PARAMETER;
		if (!area_length(v->vcpu.vm, gpa, func == H_VPA_REG_VPA, &len))
			return H_PARAMETER;
		break;
	default:
		break;
	}

	kvm_lock(&t->vpa_lock);
	switch (func) {
	case H_VPA_REG_VPA:
		if (len < VPA_SIZE) {
			ret = H_PARAMETER;
			break;
		}
		t->vpa = (struct ppc_vpa){gpa, len};
		t->vpa_fresh = true;
		tell_at_once(t, t == v);
		break;
	case H_VPA_REG_DTL:
		if (len < DTL_ENTRY_SIZE) {
			ret = H_PARAMETER;
			break;
		}
		if (!t->vpa.gpa) {
			ret = H_RESOURCE;
			break;
		}
		t->dtl = (struct ppc_vpa){gpa, len - len % DTL_ENTRY_SIZE};
		t->dtl_offset = 0;
		t->dtl_index = 0;
		break;
	case H_VPA_REG_SLB:
		if (!t->vpa.gpa) {
			ret = H_RESOURCE;
			break;
		}
		t->slb_shadow = (struct ppc_vpa){gpa, len};
		break;
	case H_VPA_DEREG_VPA:
		if (t->dtl.gpa || t->slb_shadow.gpa) {
			ret = H_RESOURCE;
			break;
		}
		t->vpa = (struct ppc_vpa){0};
		break;
	case H_VPA_DEREG_DTL:
		t->dtl = (struct ppc_vpa){0};
		break;
	case H_VPA_DEREG_SLB:
		t->slb_shadow = (struct ppc_vpa){0};
		break;
	default:
		ret = H_PARAMETER;
		break;
	}
	kvm_unlock(&t->vpa_lock);
	return ret;
}

int vpa_set(struct ppc_vcpu *v, struct ppc_vpa *which, uint64_t gpa, uint64_t len)
{
	int ret = 0;

	if (gpa % VPA_ALIGN || len > UINT32_MAX)
		return -EINVAL;
	kvm_lock(&v->vpa_lock);
	if (which == &v->vpa) {
		/* The others need it. */
		if (!gpa && (v->slb_shadow.gpa || v->dtl.gpa))
			ret = -EINVAL;
		len = VPA_SIZE;
	} else if (gpa && (!v->vpa.gpa || (which == &v->dtl && len < DTL_ENTRY_SIZE))) {
		ret = -EINVAL;
	}
	if (!ret) {
		if (which == &v->dtl) {
			len -= len % DTL_ENTRY_SIZE;
			v->dtl_offset = 0;
			v->dtl_index = 0;
		}
		if (which == &v->vpa && gpa != which->gpa)
			v->vpa_fresh = true;
		*which = (struct ppc_vpa){gpa, gpa ? (uint32_t)len : 0};
	}
	kvm_unlock(&v->vpa_lock);
	return ret;
}

/* A big-endian counter that the guest reads while it changes. */
static void counter_add(uint8_t *field, uint32_t n)
{
	uint32_t raw = htobe32(ld_be32(field) + n);

	__atomic_store_n((uint32_t *)(void *)field, raw, __ATOMIC_RELEASE);
}

/* vpa_lock and slots_lock held. */
static void log_dispatch(struct ppc_vcpu *v, uint8_t *vpa)
{
	const struct p9_regs *r = p9_regs(v->vcpu.cpu);
	uint8_t *e;

	if (!v->dtl.gpa)
		return;
	e = kvm_guest_ptr(v->vcpu.vm, GPA(v->dtl.gpa + v->dtl_offset), DTL_ENTRY_SIZE, true);
	if (!e)
		return;
	memset(e, 0, DTL_ENTRY_SIZE);
	e[DTL_DISPATCH_REASON] = DTL_REASON_EXTERNAL;
	st_be16(e + DTL_PROCESSOR, (uint16_t)v->vcpu.id);
	st_be64(e + DTL_TIMEBASE, p9_tb(r));
	st_be64(e + DTL_SRR0, p9_pc(v->vcpu.cpu));
	st_be64(e + DTL_SRR1, r->msr);
	v->dtl_offset += DTL_ENTRY_SIZE;
	if (v->dtl_offset == v->dtl.len)
		v->dtl_offset = 0;
	/* The guest reads the index, then the entry. */
	__atomic_store_n((uint64_t *)(void *)(vpa + VPA_DTL_INDEX), htobe64(++v->dtl_index),
			 __ATOMIC_RELEASE);
}

static void dispatch(struct ppc_vcpu *v, bool enter)
{
	struct kvm_vm *vm = v->vcpu.vm;
	uint8_t *vpa;

	kvm_lock(&v->vpa_lock);
	if (v->vpa.gpa) {
		kvm_read_lock(&vm->slots_lock);
		vpa = kvm_guest_ptr(vm, GPA(v->vpa.gpa), VPA_SIZE, true);
		if (vpa) {
			bool odd;

			if (v->vpa_fresh) {
				vpa[VPA_OLD_STATUS] |= VPA_SHARED_PROC;
				st_be32(vpa + VPA_YIELD_COUNT, 1);
				v->vpa_fresh = false;
			}
			/* Odd: not dispatched. The guest may have written it: count from there. */
			odd = ld_be32(vpa + VPA_YIELD_COUNT) & 1;
			if (odd == enter)
				counter_add(vpa + VPA_YIELD_COUNT, 1);
			if (enter)
				log_dispatch(v, vpa);
		}
		kvm_rw_unlock(&vm->slots_lock);
	}
	kvm_unlock(&v->vpa_lock);
}

void vpa_enter(struct ppc_vcpu *v)
{
	dispatch(v, true);
}

void vpa_leave(struct ppc_vcpu *v)
{
	dispatch(v, false);
}

uint32_t vpa_yield_count(struct ppc_vcpu *v)
{
	struct kvm_vm *vm = v->vcpu.vm;
	uint32_t count = 0;
	uint8_t *vpa;

	kvm_lock(&v->vpa_lock);
	if (v->vpa.gpa) {
		kvm_read_lock(&vm->slots_lock);
		vpa = kvm_guest_ptr(vm, GPA(v->vpa.gpa), VPA_SIZE, false);
		if (vpa)
			count = ld_be32(vpa + VPA_YIELD_COUNT);
		kvm_rw_unlock(&vm->slots_lock);
	}
	kvm_unlock(&v->vpa_lock);
	return count;
}
