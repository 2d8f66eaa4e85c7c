/*
 * KVM_ANYKVM_GET_MAPPINGS (kvm/abi/mappings.h): what the partition-scoped tree and the shadow trees
 * map. They have one shape (radix_tree.h), so one walk serves.
 *
 * A walk holds mmu_lock, so that no table goes while it is read, and looks at a bounded number of
 * entries; page faults of vCPUs wait no longer than that. R and C are set by walkers meanwhile.
 */
#include <errno.h>
#include <stdlib.h>

#include "kvm/abi/mappings.h"
#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/powerpc.h"
#include "kvm/powerpc/radix_tree.h"

/* Of one call: entries of tables looked at, and ranges given. */
#define LOOK_MAX  65536
#define RANGE_MAX 512

#define SPACE_END BIT64(ROOT_SHIFT + ROOT_BITS)

struct list {
	bool nested;
	struct kvm_mapping *range;
	uint32_t nr, room;
	uint32_t looked;
};

static uint32_t flags_of(uint64_t leaf)
{
	return (leaf & RADIX_READ ? KVM_MAPPING_READ : 0) |
	       (leaf & RADIX_WRITE ? KVM_MAPPING_WRITE : 0) |
	       (leaf & RADIX_EXEC ? KVM_MAPPING_EXEC : 0) |
	       (leaf & RADIX_R ? KVM_MAPPING_REFERENCED : 0) |
	       (leaf & RADIX_C ? KVM_MAPPING_CHANGED : 0);
}

/* False: there is no room for it. */
static bool add(struct list *l, const entry_t *table, unsigned i, uint64_t leaf, uint64_t gpa,
		unsigned shift)
{
	struct kvm_mapping m = {
		.gpa = gpa,
		.size = BIT64(shift),
		.host = leaf & RADIX_RPN,
		.origin = l->nested ? shadow_leaf_gfn(table, i) << KVM_PAGE_SHIFT : 0,
		.page_shift = shift,
		.flags = flags_of(leaf),
	};
	struct kvm_mapping *last = l->nr ? &l->range[l->nr - 1] : NULL;

	if (last && last->gpa + last->size == m.gpa && last->host + last->size == m.host &&
	    (!l->nested || last->origin + last->size == m.origin) &&
	    last->page_shift == m.page_shift && last->flags == m.flags) {
		last->size += m.size;
		return true;
	}
	if (l->nr == l->room)
		return false;
	l->range[l->nr++] = m;
	return true;
}

/* From `gpa` to the table's end; returns where it stopped. */
static uint64_t list_table(struct list *l, entry_t *table, unsigned shift, uint64_t gpa)
{
	unsigned bits = shift == ROOT_SHIFT ? ROOT_BITS : TABLE_BITS;
	uint64_t end = align_down(gpa, BIT64(shift + bits)) + BIT64(shift + bits);

	while (gpa < end) {
		uint64_t next = align_down(gpa, BIT64(shift)) + BIT64(shift);
		entry_t *e = entry_at(table, gpa, shift);
		uint64_t v = entry_load(e);

		if (l->looked++ == LOOK_MAX)
			return gpa;
		if (v && is_leaf(v)) {
			if (!add(l, table, (unsigned)(e - table), v, align_down(gpa, BIT64(shift)),
				 shift))
				return gpa;
		} else if (v) {
			uint64_t stop = list_table(l, table_of(v), shift - TABLE_BITS, gpa);

			if (stop < next)
				return stop;
		}
		gpa = next;
	}
	return end;
}

/* The nested guest with the least LPID of L1's that is not less. mmu_lock. */
static struct nested_guest *guest_from(struct ppc_vm *vm, uint32_t l1_lpid)
{
	struct nested_guest *found = NULL;

	for (struct nested_guest *g = vm->nested ? vm->nested->all : NULL; g; g = g->next) {
		if (g->l1_lpid >= l1_lpid && (!found || g->l1_lpid < found->l1_lpid))
			found = g;
	}
	return found;
}

static int list_mappings(struct ppc_vm *vm, struct kvm_mappings *m, struct list *l)
{
	entry_t *root = radix_root(vm);

	if (l->nested) {
		struct nested_guest *g = guest_from(vm, m->lpid);

		if (!g)
			return -ENOENT;
		/* Another guest than was asked for: from its start. */
		if (g->l1_lpid != m->lpid)
			m->start = 0;
		m->lpid = g->l1_lpid;
		root = g->root;
	}
	if (m->start < SPACE_END)
		m->start = list_table(l, root, ROOT_SHIFT, m->start);
	m->done = m->start >= SPACE_END;
	m->nr = l->nr;
	return 0;
}

int ppc_get_mappings(struct kvm_vm *kvm_vm, void *arg)
{
	struct ppc_vm *vm = ppc_vm_of(kvm_vm);
	struct kvm_mappings m;
	struct list l = {0};
	int ret = kvm_copy_in(&m, arg, sizeof(m));

	if (ret)
		return ret;
	if ((m.flags & ~KVM_MAPPINGS_NESTED) || !m.nr)
		return -EINVAL;
	l.nested = m.flags & KVM_MAPPINGS_NESTED;
	l.room = m.nr < RANGE_MAX ? m.nr : RANGE_MAX;
	l.range = malloc(l.room * sizeof(*l.range));
	if (!l.range)
		return -ENOMEM;
	kvm_lock(&vm->mmu_lock);
	ret = list_mappings(vm, &m, &l);
	kvm_unlock(&vm->mmu_lock);
	if (!ret && l.nr)
		ret = kvm_copy_out(kvm_user_ptr(m.entries), l.range, l.nr * sizeof(*l.range));
	free(l.range);
	return ret ? ret : kvm_copy_out(arg, &m, sizeof(m));
}
