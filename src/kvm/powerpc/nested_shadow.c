/*
 * Shadow partition-scoped trees: from L2 real addresses to host addresses, in the format and shape
 * of radix_tree.h, one per LPID of L1. A leaf joins what L1's tree and L0's say:
 *
 * Size: the smaller of L1's page and of what radix_page_shift allows for L1's memory. L1's pages of
 * 64 KiB become sixteen leaves of 4 KiB at once (no page that L1 can have is smaller than L0's).
 *
 * Permissions: those of both. R is set in L1's entry when the leaf is made. The leaf lets L2 store
 * only when C is set in L1's entry and the page is in the dirty log, if there is one; otherwise the
 * first store faults, and both are done then. So the processor's walker never has R or C to set.
 *
 * Tables and how leaves go are in nested_tables.c.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/powerpc/nested_tables.h"

/* --- filling --- */

/*
 * The table with the entries of 1 << want for gpa. Larger leaves on the way go. NULL: as
 * shadow_table_alloc.
 */
static struct shadow_table *table_for(struct ppc_vm *vm, struct nested_guest *g, uint64_t gpa,
				      unsigned want, bool *limit)
{
	struct shadow_table *t = NULL;
	entry_t *e = entry_at(g->root, gpa, ROOT_SHIFT);

	if (gpa >= g->top)
		g->top = align_down(gpa, BIT64(ROOT_SHIFT)) + BIT64(ROOT_SHIFT);
	for (unsigned shift = ROOT_SHIFT;;) {
		uint64_t v = entry_load(e);

		if (is_leaf(v)) {
			shadow_zap_leaf(vm, g, t, (unsigned)(e - t->entry), shift,
					align_down(gpa, BIT64(shift)), NULL);
			v = 0;
		}
		if (!v) {
			struct shadow_table *new = shadow_table_alloc(vm, g, limit);

			if (!new)
				return NULL;
			v = RADIX_VALID | (uintptr_t) new | TABLE_BITS;
			entry_store(e, v);
		}
		t = shadow_of(v);
		shift -= TABLE_BITS;
		if (shift == want)
			return t;
		e = entry_at(t->entry, gpa, shift);
	}
}

/* The head of the frame's reverse map, with room for one more. NULL: no memory. */
static uint64_t *rmap_room(struct ppc_vm *vm, struct cpu *self, struct kvm_memslot *slot,
			   uint64_t gfn)
{
	uint64_t *head, old;
	struct nested_guest *g;

	if (!slot->rmap)
		slot->rmap = calloc(slot->npages, sizeof(*slot->rmap));
	if (!slot->rmap)
		return NULL;
	head = &slot->rmap[gfn - slot->base_gfn];
	if (rmap_count(*head) < RMAP_MAX)
		return head;
	old = rmap_at(*head, 0);
	g = vm->nested->guest[rmap_lpid(old)];
	if (g)
		shadow_zap(vm, self, g, rmap_gpa(old), rmap_gpa(old) + KVM_PAGE_SIZE);
	return head;
}

enum install { INSTALLED, INSTALL_LIMIT, INSTALL_NO_MEMORY };

/* Map one leaf: L2 address gpa to L1's `to`, both aligned to 1 << shift. */
static enum install install(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g,
			    struct kvm_memslot *slot, uint64_t gpa, uint64_t to, unsigned shift,
			    unsigned prot)
{
	uint64_t gfn = to >> KVM_PAGE_SHIFT, v, old;
	struct shadow_table *t;
	bool limit = false;
	uint64_t *head;
	unsigned i;

	v = RADIX_VALID | RADIX_LEAF | (kvm_slot_hva(slot, GPA(to)).v & RADIX_RPN) | RADIX_R;
	if (prot & NEED_READ)
		v |= RADIX_READ;
	if (prot & NEED_WRITE)
		v |= RADIX_WRITE | RADIX_C;
	if (prot & NEED_EXEC)
		v |= RADIX_EXEC;
	t = table_for(vm, g, gpa, shift, &limit);
	if (!t)
		return limit ? INSTALL_LIMIT : INSTALL_NO_MEMORY;
	i = (unsigned)(gpa >> shift) & (TABLE_ENTRIES - 1);
	old = entry_load(&t->entry[i]);
	if (is_leaf(old) && t->gfn[i] == gfn && !((old ^ v) & RADIX_RPN)) {
		/* The same page with other permissions: fewer have to be told. */
		entry_store(&t->entry[i], v);
		if (old & ~v)
			g->stale = true;
		shadow_flush(vm, self, g);
		return INSTALLED;
	}
	if (is_leaf(old)) {
		shadow_zap_leaf(vm, g, t, i, shift, gpa, NULL);
	} else if (old) {
		entry_store(&t->entry[i], 0);
		shadow_zap_table(vm, g, shadow_of(old), shift - TABLE_BITS, gpa);
	}
	shadow_flush(vm, self, g);
	head = rmap_room(vm, self, slot, gfn);
	if (!head || rmap_add(head, rmap_entry(gpa, shift, g->l1_lpid)))
		return INSTALL_NO_MEMORY;
	t->gfn[i] = gfn;
	entry_store(&t->entry[i], v);
	return INSTALLED;
}

/* As install; at the limit of tables, some of others' leaves make room. */
static enum nested_map install_or_reclaim(struct ppc_vm *vm, struct cpu *self,
					  struct nested_guest *g, struct kvm_memslot *slot,
					  uint64_t gpa, uint64_t to, unsigned shift, unsigned prot)
{
	enum install ret = install(vm, self, g, slot, gpa, to, shift, prot);

	if (ret == INSTALL_LIMIT) {
		shadow_reclaim(vm, self, g);
		ret = install(vm, self, g, slot, gpa, to, shift, prot);
	}
	if (ret == INSTALLED)
		return NESTED_MAPPED;
	/* What was zapped before memory ran out. */
	shadow_flush(vm, self, g);
	return NESTED_NO_MEMORY;
}

enum nested_map shadow_map(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g,
			   uint64_t gpa, enum nested_need need, struct nested_translation *t)
{
	struct kvm_memslot *slot;
	enum nested_map ret;
	unsigned shift, prot;
	uint64_t page;

	if (!nested_translate(vm, g, gpa, need, t)) {
		/* What the processor found is no longer in L1's tree. */
		page = align_down(gpa, KVM_PAGE_SIZE);
		shadow_zap(vm, self, g, page, page + KVM_PAGE_SIZE);
		return NESTED_FAULT;
	}
	slot = kvm_find_slot(&vm->vm, GPA(t->gpa));
	if (!slot)
		return NESTED_DEVICE;
	prot = t->prot;
	if (slot->flags & KVM_MEM_READONLY) {
		if (need & NEED_WRITE)
			return NESTED_DEVICE;
		prot &= ~(unsigned)NEED_WRITE;
	}
	/* The log: of this page alone, so pages around it stay clean. */
	if (slot->dirty && !(need & NEED_WRITE))
		prot &= ~(unsigned)NEED_WRITE;
	if (need & NEED_WRITE)
		kvm_guest_ptr(&vm->vm, GPA(t->gpa), 1, true);
	shift = radix_page_shift(slot, t->gpa);
	if (t->shift < shift)
		shift = t->shift == 16 ? RADIX_SHIFT_4K : t->shift;
	page = align_down(t->gpa, BIT64(shift));
	ret = install_or_reclaim(vm, self, g, slot, align_down(gpa, BIT64(shift)), page, shift,
				 prot);
	if (ret != NESTED_MAPPED || t->shift != 16)
		return ret;
	/* The rest of a page of 64 KiB. */
	if (slot->dirty)
		prot &= ~(unsigned)NEED_WRITE;
	for (unsigned i = 0; i < 16; i++) {
		uint64_t offset = (uint64_t)i << KVM_PAGE_SHIFT, l2 = align_down(gpa, BIT64(16));
		uint64_t l1 = align_down(t->gpa, BIT64(16)) + offset;

		if (shift != RADIX_SHIFT_4K || l1 == page ||
		    kvm_find_slot(&vm->vm, GPA(l1)) != slot)
			continue;
		/* It is a guess that may fail. */
		if (install(vm, self, g, slot, l2 + offset, l1, shift, prot) != INSTALLED)
			break;
	}
	shadow_flush(vm, self, g);
	return NESTED_MAPPED;
}

/* --- L1's memory changes --- */

/* The table and index of an entry's leaf; NULL: the reverse map is wrong. */
static struct shadow_table *find_leaf(struct ppc_vm *vm, uint64_t entry, struct nested_guest **g,
				      unsigned *i)
{
	uint64_t gpa = rmap_gpa(entry), v;
	unsigned want = rmap_shift(entry);
	struct shadow_table *t;

	*g = vm->nested->guest[rmap_lpid(entry)];
	if (!*g)
		return NULL;
	v = entry_load(entry_at((*g)->root, gpa, ROOT_SHIFT));
	for (unsigned shift = ROOT_SHIFT - TABLE_BITS;; shift -= TABLE_BITS) {
		if (!v || is_leaf(v))
			return NULL;
		t = shadow_of(v);
		*i = (unsigned)(gpa >> shift) & (TABLE_ENTRIES - 1);
		v = entry_load(&t->entry[*i]);
		if (shift == want)
			return is_leaf(v) ? t : NULL;
	}
}

static void flush_stale(struct ppc_vm *vm)
{
	for (struct nested_guest *g = vm->nested->all; g; g = g->next)
		shadow_flush(vm, NULL, g);
}

static void zap_head(struct ppc_vm *vm, uint64_t *head)
{
	while (*head) {
		uint64_t entry = rmap_at(*head, rmap_count(*head) - 1);
		struct nested_guest *g;
		struct shadow_table *t;
		unsigned i;

		t = find_leaf(vm, entry, &g, &i);
		if (t) {
			shadow_zap_leaf(vm, g, t, i, rmap_shift(entry), rmap_gpa(entry), head);
		} else {
			kvm_vm_bug(&vm->vm, "a reverse map of nested guests leads nowhere.");
			rmap_remove(head, entry);
		}
	}
}

void shadow_unmap_slot(struct ppc_vm *vm, const struct kvm_memslot *slot, uint64_t start,
		       uint64_t size)
{
	static const unsigned larger[] = {RADIX_SHIFT_2M, RADIX_SHIFT_1G};
	uint64_t first = (start >> KVM_PAGE_SHIFT) - slot->base_gfn;

	if (!slot->rmap)
		return;
	for (uint64_t i = 0; i < size >> KVM_PAGE_SHIFT; i++)
		zap_head(vm, &slot->rmap[first + i]);
	/* Large leaves that begin before and reach into the range. */
	for (size_t i = 0; i < ARRAY_SIZE(larger); i++) {
		uint64_t base = align_down(start, BIT64(larger[i]));

		if (base < start && base >= kvm_slot_start(slot))
			zap_head(vm, &slot->rmap[(base >> KVM_PAGE_SHIFT) - slot->base_gfn]);
	}
	flush_stale(vm);
}

/*
 * The log is read: each page's next store has to be noticed. Logged slots have 4 KiB leaves. A leaf
 * that lets store has been stored to, or will be: if not by the log's present bit, which somebody
 * may have read since, it is known by that.
 */
void shadow_harvest_slot(struct ppc_vm *vm, const struct kvm_memslot *slot, uint64_t *bitmap)
{
	if (!slot->rmap)
		return;
	for (uint64_t page = 0; page < slot->npages; page++) {
		uint64_t head = slot->rmap[page];

		for (uint32_t n = rmap_count(head); n-- > 0;) {
			struct nested_guest *g;
			struct shadow_table *t;
			unsigned i;

			t = find_leaf(vm, rmap_at(head, n), &g, &i);
			if (!t || !(entry_load(&t->entry[i]) & RADIX_WRITE))
				continue;
			atomic_fetch_and(&t->entry[i], htobe64(~(RADIX_WRITE | RADIX_C)));
			bitmap[page / 64] |= BIT64(page % 64);
			g->stale = true;
		}
	}
	flush_stale(vm);
}

uint64_t shadow_lookup(struct ppc_vm *vm, uint32_t l1_lpid, uint64_t gpa, unsigned *shift)
{
	struct nested_guest *g;
	uint64_t v = 0;

	nested_lock(vm);
	g = vm->nested && l1_lpid < NESTED_LPIDS ? vm->nested->guest[l1_lpid] : NULL;
	*shift = ROOT_SHIFT;
	if (g)
		v = entry_load(entry_at(g->root, gpa, ROOT_SHIFT));
	while (v && !is_leaf(v)) {
		*shift -= TABLE_BITS;
		v = entry_load(entry_at(table_of(v), gpa, *shift));
	}
	nested_unlock(vm);
	return v;
}
