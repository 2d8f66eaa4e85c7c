/*
 * Partition-scoped radix trees of the hypervisor's own making: the format of entries (Power ISA
 * 3.0B, Book III, "Radix Tree Translation"), and the one shape that they have. Both the tree of the
 * VM's own addresses (radix.c) and the shadow trees of its nested guests (nested_shadow.c) are of
 * it: a 52-bit space, 13 bits at the root, then 9, 9 and 9; leaves of 1 GiB, 2 MiB and 4 KiB.
 *
 * Entries are big-endian, and are read by walkers without a lock: each change is one atomic store.
 */
#ifndef ANYKVM_KVM_POWERPC_RADIX_TREE_H
#define ANYKVM_KVM_POWERPC_RADIX_TREE_H

#include <endian.h>
#include <stdatomic.h>

#include "kvm/powerpc/powerpc.h"
#include "util/bits.h"

/* Entries (big-endian in memory) */
#define RADIX_VALID UINT64_C(0x8000000000000000)
#define RADIX_LEAF  UINT64_C(0x4000000000000000)
#define RADIX_RPN   UINT64_C(0x01fffffffffff000)
#define RADIX_R     UINT64_C(0x100)
#define RADIX_C     UINT64_C(0x080)
#define RADIX_READ  UINT64_C(0x004)
#define RADIX_WRITE UINT64_C(0x002)
#define RADIX_EXEC  UINT64_C(0x001)
#define RADIX_NLB   UINT64_C(0x0fffffffffffff00)

/* Partition-table entry, doubleword 0 */
#define PATB_HR        UINT64_C(0x8000000000000000)
#define PATB_RTS_52    (UINT64_C(2) << 61 | UINT64_C(5) << 5) /* RTS + 31 = 52: 0b10101 */
#define ROOT_BITS      13
#define TABLE_BITS     9
#define ROOT_SIZE      (sizeof(uint64_t) << ROOT_BITS)
#define TABLE_SIZE     (sizeof(uint64_t) << TABLE_BITS)
#define RADIX_SHIFT_4K 12
#define RADIX_SHIFT_2M 21
#define RADIX_SHIFT_1G 30
#define ROOT_SHIFT     39

typedef _Atomic uint64_t entry_t; /* big-endian */

static inline uint64_t entry_load(entry_t *e)
{
	return be64toh(atomic_load_explicit(e, memory_order_acquire));
}

static inline void entry_store(entry_t *e, uint64_t v)
{
	atomic_store_explicit(e, htobe64(v), memory_order_release);
}

static inline bool is_leaf(uint64_t v)
{
	return v & RADIX_LEAF;
}

static inline entry_t *table_of(uint64_t v)
{
	return (entry_t *)(uintptr_t)(v & RADIX_NLB);
}

/* The entry for gpa in a table whose entries cover 1 << shift bytes each. */
static inline entry_t *entry_at(entry_t *table, uint64_t gpa, unsigned shift)
{
	unsigned bits = shift == ROOT_SHIFT ? ROOT_BITS : TABLE_BITS;

	return &table[(gpa >> shift) & (BIT64(bits) - 1)];
}

/* log2 of the largest page that may map gpa in this slot. */
unsigned radix_page_shift(const struct kvm_memslot *slot, uint64_t gpa);

#endif
