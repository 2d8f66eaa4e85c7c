/*
 * Shadow trees as such: their tables, and taking away what they map. Of the shadow trees' own
 * (nested_tables.c, nested_shadow.c). mmu_lock held in all of it, slots_lock where slots are looked
 * up: all but shadow_flush.
 */
#ifndef ANYKVM_KVM_POWERPC_NESTED_TABLES_H
#define ANYKVM_KVM_POWERPC_NESTED_TABLES_H

#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/radix_tree.h"

#define TABLE_ENTRIES (1u << TABLE_BITS)

struct shadow_table {
	entry_t entry[TABLE_ENTRIES]; /* first: what the processor walks, aligned to its size */
	union {
		uint64_t gfn[TABLE_ENTRIES]; /* of leaves: the L1 frame */
		struct shadow_table *next;   /* unlinked */
	};
};

static inline struct shadow_table *shadow_of(uint64_t v)
{
	return (struct shadow_table *)(void *)table_of(v);
}

/* A zeroed table for g; NULL: no memory, or the limit is reached (*limit). */
struct shadow_table *shadow_table_alloc(struct ppc_vm *vm, struct nested_guest *g, bool *limit);

/*
 * At the limit: take some tables away, with what they map, from g, and from others when it has too
 * few. There are enough for one leaf then. TLBs know it on return.
 */
void shadow_reclaim(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g);

/*
 * Take away the leaf at index i of t, which maps L2 address gpa; all that a table maps, and itself,
 * which is unlinked by the caller (`base`: the L2 address that it starts at; its entries are of 1
 * << shift). head: of the leaf's frame, if known. shadow_flush is to follow.
 */
void shadow_zap_leaf(struct ppc_vm *vm, struct nested_guest *g, struct shadow_table *t, unsigned i,
		     unsigned shift, uint64_t gpa, uint64_t *head);
void shadow_zap_table(struct ppc_vm *vm, struct nested_guest *g, struct shadow_table *t,
		      unsigned shift, uint64_t base);

/* TLBs of all processors forget the guest, and tables that were unlinked are free. */
void shadow_flush(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g);

#endif
