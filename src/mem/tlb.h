/*
 * The one TLB entry, and the inline hit.
 *
 * A software TLB caches translations from guest addresses to host pointers, in blocks of
 * 4 KiB whatever the guest's page size is. One `struct tlb` belongs to one vCPU and one
 * translation context (on POWER: LPID, PID and the MSR bits that matter), so a context switch
 * changes a pointer and flushes nothing. Only the owning thread reads or writes a TLB; other
 * threads ask for flushes through the processor's request bits.
 *
 * An access of `size` bytes at `addr` hits when the block of its last byte equals the tag:
 * an access that crosses into the next block misses and takes the slow function (door.h), and
 * an unaligned one inside the block is as fast as any other. A tag holds TLB_TAG_INVALID, or
 * the block's address with TLB_TAG_SLOW set when each access must take the slow function
 * (stores to blocks with translated code, or watched for reservations). The right to store does not include that to load.
 *
 * Windows go before it for accesses that stay near each other: each is one range of guest addresses, of a block up to
 * a page, all of which may be accessed directly at one addend. Which of them an access uses is chosen where its
 * code is made; a hit needs nothing that depends on its address but the comparison. They are part of the TLB, and
 * are forgotten with what they were made from.
 */
#ifndef ANYKVM_MEM_TLB_H
#define ANYKVM_MEM_TLB_H

#include <stdint.h>
#include "util/compiler.h"
#include "mem/addr.h"

#define TLB_BLOCK_SHIFT 12
#define TLB_BLOCK_SIZE  (UINT64_C(1) << TLB_BLOCK_SHIFT)
#define TLB_BLOCK_MASK  (TLB_BLOCK_SIZE - 1)

/* What is known of blocks of host memory is kept by groups: 16 of them, whose bits lie side by side. */
#define TLB_GROUP_SHIFT	 16
#define TLB_GROUP_SIZE	 (UINT64_C(1) << TLB_GROUP_SHIFT)
#define TLB_GROUP_BLOCKS (1u << (TLB_GROUP_SHIFT - TLB_BLOCK_SHIFT))
#define TLB_GROUP_ALL	 ((1u << TLB_GROUP_BLOCKS) - 1)

static inline unsigned tlb_block_in_group(uint64_t host)
{
	return host >> TLB_BLOCK_SHIFT & (TLB_GROUP_BLOCKS - 1);
}

/* Where the bit of a block is in a set of 2^bits, of those that share places by a hash. */
static inline uint32_t tlb_block_bit(uint64_t host, unsigned bits)
{
	uint64_t hash = (host >> TLB_GROUP_SHIFT) * UINT64_C(0x9e3779b97f4a7c15);

	return ((uint32_t)(hash >> (64 - bits)) & ~(TLB_GROUP_BLOCKS - 1)) | tlb_block_in_group(host);
}

#define TLB_TAG_INVALID UINT64_C(0xfff)
#define TLB_TAG_SLOW    UINT64_C(1)

/* More would miss less, but some requests of other processors look at all of them. */
#define TLB_ENTRIES 2048

enum mem_access { MEM_READ = 0, MEM_WRITE = 1, MEM_FETCH = 2 };

struct tlb_entry {
	uint64_t tag[3];  /* by enum mem_access */
	uint64_t addend;  /* host pointer = guest address + addend, modulo 2^64 */
};

/* Generated code scales the index by this size. */
ASSERT_SIZE(struct tlb_entry, 32);

/*
 * Windows are numbered by kind. What may be stored to may not always be loaded from: a kernel that copies to its user
 * has taken that right from itself meanwhile (on POWER by AMR).
 */
enum tlb_window_kind { TLB_WINDOW_READ, TLB_WINDOW_WRITE, TLB_WINDOW_BOTH };

#define TLB_WINDOWS_OF_KIND 21
#define TLB_WINDOWS	    (3 * TLB_WINDOWS_OF_KIND)

static inline enum tlb_window_kind tlb_window_kind(unsigned window)
{
	return (enum tlb_window_kind)(window / TLB_WINDOWS_OF_KIND);
}

/* Accesses of up to 2^(TLB_SPANS - 1) bytes go through windows. */
#define TLB_SPANS 10

/*
 * An access of at most 2^n bytes at addr hits when addr + minus < limit[n]: all of it lies inside. An
 * empty window has no limit but 0. After so many misses as it says there it is made anew: after few, if it was next
 * to where it is wanted, and the more, the more often that was elsewhere, or could not be.
 */
struct tlb_window {
	uint64_t minus; /* what it begins at, negated */
	uint64_t addend;
	uint64_t limit[TLB_SPANS];
	uint64_t length;
	uint32_t misses, patience;
	uint32_t unused[4];
};

ASSERT_SIZE(struct tlb_window, 128);
_Static_assert(TLB_WINDOWS <= 64, "tlb.windows");

/* Whole lines of the host's caches: what allocates it by lines gives no other size. */
struct tlb {
	_Alignas(64) struct tlb_entry entry[TLB_ENTRIES];
	struct tlb_window window[TLB_WINDOWS];
	uint64_t windows; /* a bit for each that is not empty */
};

static inline struct tlb_entry *tlb_slot(struct tlb *tlb, uint64_t addr)
{
	return &tlb->entry[(addr >> TLB_BLOCK_SHIFT) & (TLB_ENTRIES - 1)];
}

/* The host pointer of `size` bytes at `addr`, or NULL when the slow function must be taken. */
static inline void *tlb_lookup(struct tlb *tlb, uint64_t addr, unsigned size, enum mem_access kind)
{
	struct tlb_entry *e = tlb_slot(tlb, addr);
	void *host;

	if (UNLIKELY(((addr + size - 1) & ~TLB_BLOCK_MASK) != e->tag[kind]))
		return NULL;
	host = (void *)(uintptr_t)(addr + e->addend);
	/* Spares callers, once this is inlined, another look at whether it was a hit. */
	if (!host)
		__builtin_unreachable();
	return host;
}

/* The n with which an access of `bytes` is compared; TLB_SPANS or more: too large. */
static inline unsigned tlb_span(unsigned bytes)
{
	return bytes <= 1 ? 0 : 32 - (unsigned)__builtin_clz(bytes - 1);
}

/* Have a window be [first, first + length), which does not go beyond the last address. */
void tlb_set_window(struct tlb *tlb, unsigned window, uint64_t first, uint64_t length, uint64_t addend);

/* It could not be made where it is wanted: ask less often. */
void tlb_refuse_window(struct tlb *tlb, unsigned window);

/* Forget the windows that have addresses up to `last`. */
void tlb_forget_windows(struct tlb *tlb, uint64_t last);

/* Forget everything. */
void tlb_flush(struct tlb *tlb);

/* Forget what covers guest addresses [start, start + len). len 0 means all. */
void tlb_flush_range(struct tlb *tlb, uint64_t start, uint64_t len);

/* Forget one slot if it translates addresses up to `last`; no windows. */
void tlb_forget_slot(struct tlb *tlb, unsigned slot, uint64_t last);

/* Forget what points into host memory [start, start + len). */
void tlb_flush_host(struct tlb *tlb, hva_t start, uint64_t len);

/* Forget only that stores are allowed there. */
void tlb_protect_host(struct tlb *tlb, hva_t start, uint64_t len);

/* The same for the windows alone, and for one slot alone. */
void tlb_flush_host_windows(struct tlb *tlb, hva_t start, uint64_t len);
void tlb_protect_host_windows(struct tlb *tlb, hva_t start, uint64_t len);
void tlb_flush_host_slot(struct tlb *tlb, unsigned slot, hva_t start, uint64_t len);
void tlb_protect_host_slot(struct tlb *tlb, unsigned slot, hva_t start, uint64_t len);

#endif
