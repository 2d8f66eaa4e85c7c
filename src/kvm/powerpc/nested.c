/*
 * The partition table that L1 keeps, and the guests that are in it: see nested.h.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/radix_tree.h"

int nested_enable(struct ppc_vm *vm, uint64_t enable)
{
	int ret = 0;

	if (vm->vm.kvm->tuning.no_nested)
		return -EPERM;
	if (enable > 1)
		return -EINVAL;
	kvm_lock(&vm->vm.lock);
	/* Once there it stays, since guests may be running. */
	if (enable && !vm->nested) {
		struct nested_vm *n = calloc(1, sizeof(*n));

		if (n) {
			n->next_lpid = NESTED_FIRST_LPID;
			kvm_lock(&vm->mmu_lock);
			vm->nested = n;
			kvm_unlock(&vm->mmu_lock);
		} else {
			ret = -ENOMEM;
		}
	}
	if (!ret)
		atomic_store(&vm->nested_enabled, enable);
	kvm_unlock(&vm->vm.lock);
	return ret;
}

/* The VM runs no more. */
void nested_destroy(struct ppc_vm *vm)
{
	struct nested_vm *n = vm->nested;
	struct nested_guest *g;

	if (!n)
		return;
	kvm_lock(&vm->mmu_lock);
	while ((g = n->all)) {
		n->all = g->next;
		shadow_destroy(vm, g);
		free(g);
	}
	shadow_fini(n);
	vm->nested = NULL;
	kvm_unlock(&vm->mmu_lock);
	free(n);
}

/* --- the partition table --- */

static uint64_t table_entries(uint64_t ptcr)
{
	uint64_t pats = ptcr & NESTED_PATB_PATS;

	/* KVM_REG_PPC_PTCR takes any. */
	if (pats > NESTED_PATS_MAX)
		pats = NESTED_PATS_MAX;
	return BIT64(pats + 12) / 16;
}

void nested_read_patb(struct ppc_vm *vm, struct nested_guest *g)
{
	uint64_t ptcr = atomic_load(&vm->l1_ptcr);
	const _Atomic uint64_t *entry = NULL;

	if (ptcr && g->l1_lpid < table_entries(ptcr))
		entry = kvm_guest_ptr(&vm->vm, GPA((ptcr & NESTED_PATB_BASE) + g->l1_lpid * 16), 16,
				      false);
	g->patb0 = entry ? be64toh(atomic_load_explicit(&entry[0], memory_order_relaxed)) : 0;
	g->patb1 = entry ? be64toh(atomic_load_explicit(&entry[1], memory_order_relaxed)) : 0;
}

void nested_set_ptcr(struct ppc_vcpu *v, uint64_t ptcr)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(v);

	nested_lock(vm);
	atomic_store(&vm->l1_ptcr, ptcr);
	/* Nothing is cached of the table before. */
	if (vm->nested)
		nested_flush_all(vm, v->vcpu.cpu, true);
	nested_unlock(vm);
}

static bool in_memory(struct ppc_vm *vm, uint64_t gpa, uint64_t size)
{
	bool ok = true;

	kvm_read_lock(&vm->vm.slots_lock);
	for (uint64_t page = 0; page < size && ok; page += KVM_PAGE_SIZE)
		ok = kvm_find_slot(&vm->vm, GPA(gpa + page));
	kvm_rw_unlock(&vm->vm.slots_lock);
	return ok;
}

long nested_h_set_partition_table(struct ppc_vcpu *v, uint64_t *gpr)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(v);
	uint64_t ptcr = gpr[4], base = ptcr & NESTED_PATB_BASE, size;

	if (!nested_enabled(vm))
		return H_FUNCTION;
	if ((ptcr & ~(NESTED_PATB_BASE | NESTED_PATB_PATS)) ||
	    (ptcr & NESTED_PATB_PATS) > NESTED_PATS_MAX)
		return H_PARAMETER;
	size = BIT64((ptcr & NESTED_PATB_PATS) + 12);
	/* The table is aligned to its size. */
	if (base & (size - 1))
		return H_PARAMETER;
	if (ptcr && !in_memory(vm, base, size))
		return H_PARAMETER;
	nested_set_ptcr(v, ptcr);
	return H_SUCCESS;
}

/* --- guests --- */

static void guest_unlink(struct nested_vm *n, struct nested_guest *g)
{
	struct nested_guest **link;

	for (link = &n->all; *link != g; link = &(*link)->next)
		;
	*link = g->next;
	n->guest[g->l1_lpid] = NULL;
	n->nr_guests--;
}

static struct nested_guest *guest_create(struct nested_vm *n, uint32_t l1_lpid, long *error)
{
	struct nested_guest *g;

	/* LPIDs of the processor are not used again, so nothing is left of an earlier guest's. */
	*error = H_RESOURCE;
	if (n->nr_guests >= NESTED_MAX_GUESTS || n->next_lpid == UINT32_MAX)
		return NULL;
	*error = H_NO_MEM;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	if (shadow_create(g)) {
		free(g);
		return NULL;
	}
	g->l1_lpid = l1_lpid;
	g->lpid = n->next_lpid++;
	g->refs = 1;
	g->next = n->all;
	n->all = g;
	n->guest[l1_lpid] = g;
	n->nr_guests++;
	return g;
}

struct nested_guest *nested_get(struct ppc_vm *vm, uint64_t l1_lpid, bool create, long *error)
{
	uint64_t ptcr = atomic_load(&vm->l1_ptcr);
	struct nested_guest *g;

	*error = H_PARAMETER;
	if (!ptcr || l1_lpid >= table_entries(ptcr))
		return NULL;
	g = vm->nested->guest[l1_lpid];
	if (!g && create) {
		g = guest_create(vm->nested, (uint32_t)l1_lpid, error);
		if (g)
			nested_read_patb(vm, g);
	}
	if (g)
		g->refs++;
	return g;
}

/* Only the list's reference is left. */
static void guest_remove(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g)
{
	/* Before it is off the list: its leaves are found by its LPID. */
	shadow_zap(vm, self, g, 0, UINT64_MAX);
	guest_unlink(vm->nested, g);
	shadow_destroy(vm, g);
	free(g);
}

void nested_put(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g)
{
	/* L1 took it out of the table while a vCPU was inside. */
	if (--g->refs == 1 && !g->patb0)
		guest_remove(vm, self, g);
}

void nested_flush_range(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g,
			uint64_t start, uint64_t end)
{
	uint64_t at = start;

	g->refs++;
	while (shadow_zap_step(vm, self, g, start, end, &at))
		nested_give_way(vm);
	nested_put(vm, self, g);
}

void nested_flush_entry(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g)
{
	uint64_t patb1 = g->patb1;

	/* First, so that what is mapped while the rest goes is of the new one. */
	nested_read_patb(vm, g);
	if (g->patb1 != patb1) {
		/* vCPUs inside go by the entry that they were entered with. */
		kvm_make_all_request(&vm->vm, PPC_REQ_MMU);
		p9_invalidate(vm->vm.system, self, g->lpid, UINT64_MAX, false, 0, 0);
	}
	nested_flush_range(vm, self, g, 0, UINT64_MAX);
}

/* The newest guest that is older than the one of `lpid`. */
static struct nested_guest *next_guest(struct nested_vm *n, uint32_t lpid)
{
	struct nested_guest *g = n->all;

	while (g && g->lpid >= lpid)
		g = g->next;
	return g;
}

void nested_flush_all(struct ppc_vm *vm, struct cpu *self, bool entry)
{
	/* Those that are created meanwhile hold nothing that is older. */
	uint32_t lpid = vm->nested->next_lpid;
	struct nested_guest *g;

	while ((g = next_guest(vm->nested, lpid))) {
		lpid = g->lpid;
		if (entry)
			nested_flush_entry(vm, self, g);
		else
			nested_flush_range(vm, self, g, 0, UINT64_MAX);
	}
}
