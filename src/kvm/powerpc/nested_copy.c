/*
 * H_COPY_TOFROM_GUEST: L1 reads and writes its guests' memory at effective addresses, of which it
 * cannot make loads and stores as hypervisors do (quadrants 1 and 2 of the address space).
 */
#include <stdlib.h>
#include <string.h>

#include "kvm/powerpc/nested.h"
#include "util/bits.h"

/* Bits 0:11 of the address: the quadrant is the hypercall's to choose. */
#define EA_RESERVED UINT64_C(0xfff0000000000000)
#define COPY_MAX    (UINT64_C(1) << 20)

/* Between buf and L2, page by page. False: something is not mapped. */
static bool copy_l2(struct ppc_vcpu *v, struct nested_guest *g, uint32_t pid, uint64_t ea,
		    uint8_t *buf, uint64_t len, bool store)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(v);
	enum nested_need need = store ? NEED_WRITE : NEED_READ;

	while (len) {
		uint64_t n = KVM_PAGE_SIZE - (ea & (KVM_PAGE_SIZE - 1));
		struct nested_translation t;
		void *p;

		if (n > len)
			n = len;
		if (!nested_translate_ea(vm, g, pid, ea, need, &t))
			return false;
		p = kvm_guest_ptr(&vm->vm, GPA(t.gpa), n, store);
		if (!p)
			return false;
		if (store) {
			memcpy(p, buf, n);
			/* Once more for the dirty log, which may have been read since. */
			kvm_guest_ptr(&vm->vm, GPA(t.gpa), n, true);
			/* Code that was translated from there is no longer what it was. */
			cpu_shoot_host(vm->vm.system, v->vcpu.cpu, HVA(p), n);
		} else {
			memcpy(buf, p, n);
		}
		ea += n;
		buf += n;
		len -= n;
	}
	return true;
}

long nested_h_copy_tofrom_guest(struct ppc_vcpu *v, uint64_t *gpr)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(v);
	uint64_t lpid = gpr[4], pid = gpr[5], ea = gpr[6], to = gpr[7], from = gpr[8], n = gpr[9];
	struct nested_guest *g;
	long ret = H_SUCCESS;
	uint8_t *buf;
	long error;
	bool ok;

	if (!nested_enabled(vm))
		return H_FUNCTION;
	/* The direction is by which one there is. */
	if (!to == !from || (ea & EA_RESERVED) || pid > UINT32_MAX)
		return H_PARAMETER;
	if (n > COPY_MAX)
		return H_NO_MEM;
	buf = malloc(n ? n : 1);
	if (!buf)
		return H_NO_MEM;
	if (from && kvm_read_guest(&vm->vm, GPA(from), buf, n)) {
		free(buf);
		return H_NOT_FOUND;
	}
	nested_lock(vm);
	g = nested_get(vm, lpid, false, &error);
	if (g) {
		ok = copy_l2(v, g, (uint32_t)pid, ea, buf, n, from);
		nested_put(vm, v->vcpu.cpu, g);
		if (!ok)
			ret = H_NOT_FOUND;
	} else {
		ret = H_PARAMETER;
	}
	nested_unlock(vm);
	if (ret == H_SUCCESS && to && kvm_write_guest(&vm->vm, GPA(to), buf, n))
		ret = H_NOT_FOUND;
	free(buf);
	return ret;
}
