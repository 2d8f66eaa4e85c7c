#include "mem/tlb.h"

#include <stdbool.h>
#include <string.h>

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

/* ---- windows ---- */

#define PATIENCE_MIN 2
#define PATIENCE_MAX 1024

static void ask_less(struct tlb_window *w)
{
	w->patience = w->patience < PATIENCE_MAX / 2 ? 2 * w->patience + PATIENCE_MIN : PATIENCE_MAX;
	w->misses = w->patience;
}

void tlb_refuse_window(struct tlb *tlb, unsigned window)
{
	ask_less(&tlb->window[window]);
}

void tlb_set_window(struct tlb *tlb, unsigned window, uint64_t first, uint64_t length, uint64_t addend)
{
	struct tlb_window *w = &tlb->window[window];
	uint64_t was = -w->minus;

	if (first + length - was <= w->length + length)
		w->misses = w->patience = PATIENCE_MIN;
	else
		ask_less(w);
	w->minus = -first;
	w->addend = addend;
	w->length = length;
	for (unsigned n = 0; n < TLB_SPANS; n++)
		w->limit[n] = length >> n ? length - (UINT64_C(1) << n) + 1 : 0;
	tlb->windows |= UINT64_C(1) << window;
}

static void forget_window(struct tlb *tlb, unsigned window)
{
	memset(tlb->window[window].limit, 0, sizeof(tlb->window[window].limit));
	tlb->windows &= ~(UINT64_C(1) << window);
}

void tlb_forget_windows(struct tlb *tlb, uint64_t last)
{
	for (uint64_t set = tlb->windows; set; set &= set - 1) {
		unsigned n = (unsigned)__builtin_ctzll(set);

		if (-tlb->window[n].minus <= last)
			forget_window(tlb, n);
	}
}

/* Do the len bytes at a and the m bytes at b meet, modulo 2^64? */
static bool meet(uint64_t a, uint64_t len, uint64_t b, uint64_t m)
{
	return a - b < m || b - a < len;
}

/* Those of a set that have guest addresses in [start, start + len), or lead to such host addresses. */
static void forget_windows_in(struct tlb *tlb, uint64_t set, uint64_t start, uint64_t len, bool host)
{
	for (set &= tlb->windows; set; set &= set - 1) {
		unsigned n = (unsigned)__builtin_ctzll(set);
		const struct tlb_window *w = &tlb->window[n];

		if (meet((host ? w->addend : 0) - w->minus, w->length, start, len))
			forget_window(tlb, n);
	}
}

void tlb_flush_host_windows(struct tlb *tlb, hva_t start, uint64_t len)
{
	if (len)
		forget_windows_in(tlb, UINT64_MAX, start.v, len, true);
}

void tlb_protect_host_windows(struct tlb *tlb, hva_t start, uint64_t len)
{
	if (len)
		forget_windows_in(tlb, UINT64_MAX << TLB_WINDOWS_OF_KIND, start.v, len, true);
}

/* ---- all of it ---- */

void tlb_flush(struct tlb *tlb)
{
	for (unsigned i = 0; i < TLB_ENTRIES; i++)
		forget(&tlb->entry[i]);
	memset(tlb->window, 0, sizeof(tlb->window));
	tlb->windows = 0;
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

	if (!len || start + len - 1 < start || last - first == UINT64_MAX >> TLB_BLOCK_SHIFT) {
		/* All, or a range that wraps round the end of the address space, or nearly all: rare, so all. */
		tlb_flush(tlb);
		return;
	}
	/* Whole blocks, as of entries. */
	forget_windows_in(tlb, UINT64_MAX, first << TLB_BLOCK_SHIFT, (last - first + 1) << TLB_BLOCK_SHIFT, false);
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
	tlb_flush_host_windows(tlb, start, len);
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
	tlb_protect_host_windows(tlb, start, len);
}
