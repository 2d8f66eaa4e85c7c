/*
 * The partition-scoped radix tree (Power ISA 3.0B, Book III, "Radix Tree Translation"), in the
 * architecture's format in host memory, walked by the processor's own walker.
 *
 * Shape: a 52-bit space, as Linux has it: 13 bits at the root, then 9, 9 and 9, leaves of 1 GiB, 2
 * MiB and 4 KiB. Page numbers in leaves, and table addresses, are host virtual addresses
 * (mem/addr.h). A leaf is made on demand from the memory slots, with the largest page that lies in
 * the slot and is aligned alike in guest and host; slots whose writes are logged get 4 KiB pages.
 *
 * R and C. The walker sets them, atomically, in the leaf. A slot without dirty log gets leaves with
 * C set, so no walk has to write; with it, a leaf starts clean unless the fault was a store.
 *
 * Locks. All changes are made under mmu_lock, which makes the hypervisor's side simple; the
 * walkers take no lock, so each change is one atomic store of an entry, tables are zero before they
 * are linked, and a table that is unlinked is used again only after p9_invalidate, which
 * returns when no processor is walking it.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/powerpc.h"
#include "kvm/powerpc/radix_tree.h"
#include "util/bits.h"

/* All tables ever allocated, and those that are free; the memory goes with the VM. */
struct table {
	entry_t *entries;
	struct table *next_all;
	struct table *next_free;
};

struct radix {
	entry_t *root;
	struct table *all, *free;
};

int radix_create(struct ppc_vm *vm)
{
	struct radix *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->root = aligned_alloc(ROOT_SIZE, ROOT_SIZE);
	if (!r->root) {
		free(r);
		return -ENOMEM;
	}
	memset((void *)r->root, 0, ROOT_SIZE);
	vm->radix = r;
	return 0;
}

void radix_destroy(struct ppc_vm *vm)
{
	struct radix *r = vm->radix;
	struct table *t;

	if (!r)
		return;
	while ((t = r->all)) {
		r->all = t->next_all;
		free((void *)t->entries);
		free(t);
	}
	free((void *)r->root);
	free(r);
	vm->radix = NULL;
}

uint64_t radix_patb0(const struct ppc_vm *vm)
{
	return PATB_HR | PATB_RTS_52 | (uintptr_t)vm->radix->root | ROOT_BITS;
}

_Atomic uint64_t *radix_root(struct ppc_vm *vm)
{
	return vm->radix->root;
}

/* A zeroed table, or NULL. mmu_lock. */
static struct table *table_alloc(struct radix *r)
{
	struct table *t = r->free;

	if (t) {
		r->free = t->next_free;
		memset((void *)t->entries, 0, TABLE_SIZE);
		return t;
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->entries = aligned_alloc(TABLE_SIZE, TABLE_SIZE);
	if (!t->entries) {
		free(t);
		return NULL;
	}
	memset((void *)t->entries, 0, TABLE_SIZE);
	t->next_all = r->all;
	r->all = t;
	return t;
}

/* A table that was unlinked and that no processor walks any more. mmu_lock. */
static void table_free(struct radix *r, const entry_t *entries)
{
	for (struct table *t = r->all; t; t = t->next_all) {
		if (t->entries != entries)
			continue;
		t->next_free = r->free;
		r->free = t;
		return;
	}
}

/* Does the table map nothing? Tables under it that map nothing count as nothing. */
static bool table_empty(entry_t *table, unsigned shift)
{
	for (unsigned i = 0; i < 1u << TABLE_BITS; i++) {
		uint64_t v = entry_load(&table[i]);

		if (!v)
			continue;
		if (is_leaf(v) || !table_empty(table_of(v), shift - TABLE_BITS))
			return false;
	}
	return true;
}

static void table_free_all(struct radix *r, entry_t *table, unsigned shift)
{
	if (shift > RADIX_SHIFT_4K) {
		for (unsigned i = 0; i < 1u << TABLE_BITS; i++) {
			uint64_t v = entry_load(&table[i]);

			if (v)
				table_free_all(r, table_of(v), shift - TABLE_BITS);
		}
	}
	table_free(r, table);
}

unsigned radix_page_shift(const struct kvm_memslot *slot, uint64_t gpa)
{
	static const unsigned shifts[] = {RADIX_SHIFT_1G, RADIX_SHIFT_2M};
	uint64_t start = kvm_slot_start(slot);
	uint64_t end = start + kvm_slot_size(slot);

	if (slot->flags & KVM_MEM_LOG_DIRTY_PAGES)
		return RADIX_SHIFT_4K;
	for (size_t i = 0; i < ARRAY_SIZE(shifts); i++) {
		uint64_t size = BIT64(shifts[i]);
		uint64_t base = align_down(gpa, size);

		if (base >= start && base + size <= end && !((start ^ slot->hva.v) & (size - 1)))
			return shifts[i];
	}
	return RADIX_SHIFT_4K;
}

static uint64_t leaf_for(const struct kvm_memslot *slot, uint64_t gpa, unsigned shift, bool write)
{
	hva_t hva = kvm_slot_hva(slot, GPA(align_down(gpa, BIT64(shift))));
	uint64_t v =
		RADIX_VALID | RADIX_LEAF | (hva.v & RADIX_RPN) | RADIX_READ | RADIX_EXEC | RADIX_R;

	if (slot->flags & KVM_MEM_READONLY)
		return v;
	v |= RADIX_WRITE;
	if (write || !slot->dirty)
		v |= RADIX_C;
	return v;
}

/* Another vCPU may have mapped it meanwhile: is the leaf good for the access? */
static bool leaf_allows(entry_t *e, bool write)
{
	uint64_t v = entry_load(e);

	if (write && !(v & RADIX_WRITE))
		return false;
	/* The walker could not set them itself: do it here. */
	atomic_fetch_or(e, htobe64(RADIX_R | (write ? RADIX_C : 0)));
	return true;
}

/* slots_lock (read) and mmu_lock held. */
static enum radix_result map_in_slot(struct ppc_vm *vm, struct cpu *self,
				     const struct kvm_memslot *slot, uint64_t gpa, bool write)
{
	struct radix *r = vm->radix;
	unsigned want = radix_page_shift(slot, gpa);
	entry_t *e = entry_at(r->root, gpa, ROOT_SHIFT);
	unsigned shift = ROOT_SHIFT;

	for (;;) {
		uint64_t v = entry_load(e);

		if (is_leaf(v))
			return leaf_allows(e, write) ? RADIX_MAPPED : RADIX_READ_ONLY;
		if (shift == want) {
			entry_t *old = v ? table_of(v) : NULL;

			if (!old || table_empty(old, shift - TABLE_BITS)) {
				entry_store(e, leaf_for(slot, gpa, shift, write));
				if (old) {
					uint64_t start = align_down(gpa, BIT64(shift));

					p9_invalidate(vm->vm.system, self, PPC_LPID, UINT64_MAX,
						      true, start, start + BIT64(shift));
					table_free_all(r, old, shift - TABLE_BITS);
				}
				return RADIX_MAPPED;
			}
			/* Smaller pages are mapped there: join them. */
			want -= TABLE_BITS;
		}
		if (!v) {
			struct table *t = table_alloc(r);

			if (!t)
				return RADIX_NO_MEMORY;
			v = RADIX_VALID | (uintptr_t)t->entries | TABLE_BITS;
			entry_store(e, v);
		}
		shift -= TABLE_BITS;
		e = entry_at(table_of(v), gpa, shift);
	}
}

enum radix_result radix_map(struct ppc_vm *vm, struct cpu *self, gpa_t gpa, bool write)
{
	enum radix_result result;
	const struct kvm_memslot *slot;

	kvm_read_lock(&vm->vm.slots_lock);
	slot = kvm_find_slot(&vm->vm, gpa);
	if (!slot) {
		result = RADIX_NO_SLOT;
	} else if (write && (slot->flags & KVM_MEM_READONLY)) {
		result = RADIX_READ_ONLY;
	} else {
		kvm_lock(&vm->mmu_lock);
		result = map_in_slot(vm, self, slot, gpa.v, write);
		kvm_unlock(&vm->mmu_lock);
		/* The slot may be written and its leaf may not: retrying would go on for ever. */
		if (result == RADIX_READ_ONLY)
			kvm_vm_bug(&vm->vm, "a page table contradicts the memory slots.");
	}
	kvm_rw_unlock(&vm->vm.slots_lock);
	return result;
}

/* --- walking a range of the tree --- */

struct range_walk {
	const struct kvm_memslot *slot;
	/* Called for each leaf that touches the range; base and size are the leaf's. */
	void (*leaf)(struct range_walk *w, entry_t *e, uint64_t base, uint64_t size);
	_Atomic uint64_t *dirty; /* where unmapping puts C bits; may be NULL */
	uint64_t *bitmap;        /* where harvesting puts them */
	bool changed;
};

static void walk_table(struct range_walk *w, entry_t *table, unsigned shift, uint64_t start,
		       uint64_t end)
{
	uint64_t size = BIT64(shift);

	for (uint64_t base = align_down(start, size); base < end; base += size) {
		entry_t *e = entry_at(table, base, shift);
		uint64_t v = entry_load(e);

		if (!v)
			continue;
		if (is_leaf(v)) {
			w->leaf(w, e, base, size);
			continue;
		}
		walk_table(w, table_of(v), shift - TABLE_BITS, base > start ? base : start,
			   base + size < end ? base + size : end);
	}
}

static void unmap_leaf(struct range_walk *w, entry_t *e, uint64_t base, uint64_t size)
{
	uint64_t v = be64toh(atomic_exchange(e, 0));
	uint64_t page;

	w->changed = true;
	if (!w->dirty || !(v & RADIX_C) || size != KVM_PAGE_SIZE)
		return;
	page = (base - kvm_slot_start(w->slot)) >> KVM_PAGE_SHIFT;
	atomic_fetch_or(&w->dirty[page / 64], BIT64(page % 64));
}

void radix_unmap(struct kvm_vm *kvm_vm, const struct kvm_memslot *slot, uint64_t start,
		 uint64_t size)
{
	struct ppc_vm *vm = ppc_vm_of(kvm_vm);
	struct range_walk w = {.slot = slot, .leaf = unmap_leaf, .dirty = slot->dirty};

	kvm_lock(&vm->mmu_lock);
	walk_table(&w, vm->radix->root, ROOT_SHIFT, start, start + size);
	shadow_unmap_slot(vm, slot, start, size);
	if (w.changed || slot->rmap) {
		p9_invalidate(kvm_vm->system, NULL, PPC_LPID, UINT64_MAX, true, start,
			      start + size);
		cpu_shoot_host(kvm_vm->system, NULL, kvm_slot_hva(slot, GPA(start)), size);
	}
	kvm_unlock(&vm->mmu_lock);
}

static void harvest_leaf(struct range_walk *w, entry_t *e, uint64_t base, uint64_t size)
{
	uint64_t page = (base - kvm_slot_start(w->slot)) >> KVM_PAGE_SHIFT;

	(void)size;
	if (!(entry_load(e) & RADIX_C))
		return;
	atomic_fetch_and(e, htobe64(~RADIX_C));
	w->bitmap[page / 64] |= BIT64(page % 64);
	w->changed = true;
}

/* Slots that are logged have 4 KiB leaves only: they were unmapped when logging began. */
void radix_harvest_dirty(struct kvm_vm *kvm_vm, const struct kvm_memslot *slot, uint64_t *bitmap)
{
	struct ppc_vm *vm = ppc_vm_of(kvm_vm);
	struct range_walk w = {.slot = slot, .leaf = harvest_leaf, .bitmap = bitmap};
	uint64_t start = kvm_slot_start(slot), end = start + kvm_slot_size(slot);

	kvm_lock(&vm->mmu_lock);
	walk_table(&w, vm->radix->root, ROOT_SHIFT, start, end);
	shadow_harvest_slot(vm, slot, bitmap);
	if (w.changed) {
		/*
		 * A TLB entry that allows stores was made when C was set; when it is gone, the
		 * next store sets C again. Stores in between are before this returns, and in
		 * pages that are reported now.
		 */
		p9_invalidate(kvm_vm->system, NULL, PPC_LPID, UINT64_MAX, true, start, end);
		cpu_shoot_host(kvm_vm->system, NULL, slot->hva, kvm_slot_size(slot));
	}
	kvm_unlock(&vm->mmu_lock);
}

uint64_t radix_lookup(struct ppc_vm *vm, gpa_t gpa, unsigned *shift)
{
	entry_t *table = vm->radix->root;
	uint64_t v = 0;

	kvm_lock(&vm->mmu_lock);
	for (*shift = ROOT_SHIFT;; *shift -= TABLE_BITS) {
		v = entry_load(entry_at(table, gpa.v, *shift));
		if (!v || is_leaf(v))
			break;
		table = table_of(v);
	}
	kvm_unlock(&vm->mmu_lock);
	return v;
}
