#include "mem/tlb.h"

#include <stdbool.h>

static void forget(struct tlb_entry *e)
{
	e->tag[MEM_READ] = TLB_TAG_INVALID;
	e->tag[MEM_WRITE] = TLB_TAG_INVALID;
	e->tag[MEM_FETCH] = TLB_TAG_INVALID;
	e->addend = 0;
}

/*
 * The block that an entry translates: all its valid tags name the same one, since they share
 * the addend. False when no tag is valid.
 */
static bool block_of(const struct tlb_entry *e, uint64_t *block)
{
	for (unsigned i = 0; i < 3; i++) {
		if (e->tag[i] != TLB_TAG_INVALID) {
			*block = e->tag[i] & ~TLB_BLOCK_MASK;
			return true;
		}
	}
	return false;
}

void tlb_flush(struct tlb *tlb)
{
	for (unsigned i = 0; i < TLB_ENTRIES; i++)
		forget(&tlb->entry[i]);
}

void tlb_forget_slot(struct tlb *tlb, unsigned slot, uint64_t last)
{
	struct tlb_entry *e = &tlb->entry[slot];
	uint64_t block;

	if (block_of(e, &block) && block <= last)
		forget(e);
}

/* Whether a block at `block` has a byte in [start, start + len); modulo 2^64. */
static bool block_meets(uint64_t block, uint64_t start, uint64_t len)
{
	return block + TLB_BLOCK_MASK - start < len + TLB_BLOCK_MASK;
}

void tlb_flush_range(struct tlb *tlb, uint64_t start, uint64_t len)
{
	uint64_t first = start >> TLB_BLOCK_SHIFT, last = (start + len - 1) >> TLB_BLOCK_SHIFT;
	uint64_t block;

	if (!len || start + len - 1 < start) {
		/* All, or a range that wraps round the end of the address space: rare, so all. */
		tlb_flush(tlb);
		return;
	}
	if (last - first >= TLB_ENTRIES) {
		for (unsigned i = 0; i < TLB_ENTRIES; i++) {
			struct tlb_entry *e = &tlb->entry[i];

			if (block_of(e, &block) && block >> TLB_BLOCK_SHIFT >= first &&
			    block >> TLB_BLOCK_SHIFT <= last)
				forget(e);
		}
		return;
	}
	for (uint64_t b = first; b <= last; b++) {
		struct tlb_entry *e = tlb_slot(tlb, b << TLB_BLOCK_SHIFT);

		if (block_of(e, &block) && block >> TLB_BLOCK_SHIFT == b)
			forget(e);
	}
}

void tlb_flush_host_slot(struct tlb *tlb, unsigned slot, hva_t start, uint64_t len)
{
	struct tlb_entry *e = &tlb->entry[slot];
	uint64_t block;

	if (len && block_of(e, &block) && block_meets(block + e->addend, start.v, len))
		forget(e);
}

void tlb_flush_host(struct tlb *tlb, hva_t start, uint64_t len)
{
	for (unsigned i = 0; i < TLB_ENTRIES; i++)
		tlb_flush_host_slot(tlb, i, start, len);
}

void tlb_protect_host_slot(struct tlb *tlb, unsigned slot, hva_t start, uint64_t len)
{
	struct tlb_entry *e = &tlb->entry[slot];

	if (e->tag[MEM_WRITE] != TLB_TAG_INVALID &&
	    block_meets((e->tag[MEM_WRITE] & ~TLB_BLOCK_MASK) + e->addend, start.v, len))
		e->tag[MEM_WRITE] = TLB_TAG_INVALID;
}

void tlb_protect_host(struct tlb *tlb, hva_t start, uint64_t len)
{
	for (unsigned i = 0; i < TLB_ENTRIES; i++)
		tlb_protect_host_slot(tlb, i, start, len);
}
