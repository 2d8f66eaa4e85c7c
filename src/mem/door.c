#include "mem/door.h"

#include <string.h>

/*
 * Copies of 2, 4 and 8 bytes are one host access each, so that an aligned access of one vCPU is
 * never seen half done by another.
 */
static void copy(void *to, const void *from, unsigned size)
{
	switch (size) {
	case 1:
		memcpy(to, from, 1);
		break;
	case 2:
		memcpy(to, from, 2);
		break;
	case 4:
		memcpy(to, from, 4);
		break;
	case 8:
		memcpy(to, from, 8);
		break;
	case 16:
		memcpy(to, from, 16);
		break;
	default:
		memcpy(to, from, size);
		break;
	}
}

/*
 * One piece inside a block: by the TLB if it is there (the other piece of a crossing access may
 * be what missed), by the walker if not.
 */
static bool translate(struct mem_door *d, uint64_t addr, unsigned size, enum mem_access kind,
		      bool store_like, void **host, bool *slow)
{
	*slow = false;
	*host = tlb_lookup(d->tlb, addr, size, kind);
	if (*host)
		return true;
	return d->ops->fill(d, GVA(addr), kind, store_like, host, slow);
}

/* How many of the bytes lie in the first block. */
static unsigned first_piece(uint64_t addr, unsigned size)
{
	uint64_t room = TLB_BLOCK_SIZE - (addr & TLB_BLOCK_MASK);

	return room < size ? (unsigned)room : size;
}

bool mem_read_slow(struct mem_door *d, uint64_t addr, void *buf, unsigned size)
{
	unsigned n = first_piece(addr, size);
	void *lo, *hi;
	bool slow;

	if (!translate(d, addr, n, MEM_READ, false, &lo, &slow))
		return false;
	if (LIKELY(n == size)) {
		copy(buf, lo, size);
		return true;
	}
	if (!translate(d, addr + n, size - n, MEM_READ, false, &hi, &slow))
		return false;
	copy(buf, lo, n);
	copy((char *)buf + n, hi, size - n);
	return true;
}

static void store(struct mem_door *d, void *to, const void *from, unsigned size, bool report)
{
	if (report)
		mem_report_begin(d, to);
	copy(to, from, size);
	if (report)
		mem_report_end(d, to, size, true);
}

bool mem_write_slow(struct mem_door *d, uint64_t addr, const void *buf, unsigned size)
{
	unsigned n = first_piece(addr, size);
	bool lo_slow, hi_slow;
	void *lo, *hi;

	if (!translate(d, addr, n, MEM_WRITE, false, &lo, &lo_slow))
		return false;
	if (LIKELY(n == size)) {
		store(d, lo, buf, size, lo_slow);
		return true;
	}
	if (!translate(d, addr + n, size - n, MEM_WRITE, false, &hi, &hi_slow))
		return false;
	store(d, lo, buf, n, lo_slow);
	store(d, hi, (const char *)buf + n, size - n, hi_slow);
	return true;
}

void *mem_atomic_ptr(struct mem_door *d, uint64_t addr, unsigned size, bool write, bool *report)
{
	void *host;

	*report = false;
	if (UNLIKELY(addr & (size - 1))) {
		d->ops->misaligned(d, GVA(addr), write);
		return NULL;
	}
	/*
	 * The right to store does not include the right to load everywhere, so a read-modify-write
	 * asks for both. A fault of its load is reported as a store's.
	 */
	if (!translate(d, addr, size, MEM_READ, write, &host, report))
		return NULL;
	if (write && !translate(d, addr, size, MEM_WRITE, true, &host, report))
		return NULL;
	*report = *report && write;
	return host;
}

/* May block be accessed directly? */
static bool known(struct mem_door *d, uint64_t block, enum mem_access kind, bool both, uint64_t *addend)
{
	const struct tlb_entry *e = tlb_slot(d->tlb, block);

	if (both)
		kind = MEM_WRITE;
	if (e->tag[kind] != block && d->ops->fill_known)
		d->ops->fill_known(d, GVA(block), kind);
	*addend = e->addend;
	return e->tag[kind] == block && (!both || e->tag[MEM_READ] == block);
}

enum mem_probe mem_probe(struct mem_door *d, uint64_t addr, unsigned size, uint64_t first,
			 uint64_t last, enum mem_access kind, bool both, void **host)
{
	unsigned n = first_piece(addr, size);
	uint64_t block = first & ~TLB_BLOCK_MASK, addend;
	void *end;
	bool slow;

	if (!size) {
		if (!known(d, block, kind, both, &addend))
			return MEM_PROBE_REFUSED;
		*host = (void *)(uintptr_t)(addr + addend);
	} else if (!translate(d, addr, n, kind, false, host, &slow) ||
		   (n < size && !translate(d, addr + n, size - n, kind, false, &end, &slow))) {
		/* In the order of the access itself, which faults on the first piece that does. */
		return MEM_PROBE_FAULT;
	}
	for (;; block += TLB_BLOCK_SIZE) {
		if (!known(d, block, kind, both, &addend) || addend != (uintptr_t)*host - addr)
			return MEM_PROBE_REFUSED;
		if (block == (last & ~TLB_BLOCK_MASK))
			return MEM_PROBE_OK;
	}
}

void mem_window_missed(struct mem_door *d, unsigned window, uint64_t addr)
{
	uint64_t first = addr & ~TLB_BLOCK_MASK, length = TLB_BLOCK_SIZE;
	const struct tlb_entry *e = tlb_slot(d->tlb, addr);
	enum tlb_window_kind kind;

	/* Compiled code counts down, the last time beyond 0. */
	if (!window || (int32_t)d->tlb->window[window - 1].misses >= 0)
		return;
	kind = tlb_window_kind(window - 1);
	if ((kind != TLB_WINDOW_READ && e->tag[MEM_WRITE] != first) ||
	    (kind != TLB_WINDOW_WRITE && e->tag[MEM_READ] != first)) {
		tlb_refuse_window(d->tlb, window - 1);
		return;
	}
	if (d->ops->widen)
		d->ops->widen(d, kind, e->addend, &first, &length);
	tlb_set_window(d->tlb, window - 1, first, length, e->addend);
}
