/*
 * The one door to guest memory: an inline hit in the TLB (tlb.h) and, behind it, the slow
 * functions here, which fill the TLB through the processor's page-table walker, split accesses
 * that cross a block, and take stores to translated code.
 *
 * Both executors (IR interpreter, JIT) and the processors' C helpers come through here; nothing
 * else turns a guest's virtual address into a host pointer.
 *
 * A failed access leaves guest state and memory as they were (an access over two blocks
 * translates both before it touches either) and the fault recorded by the walker in the
 * processor; the caller only has to leave the instruction.
 */
#ifndef ANYKVM_MEM_DOOR_H
#define ANYKVM_MEM_DOOR_H

#include <stdbool.h>
#include <stdint.h>
#include "mem/tlb.h"

struct mem_door;

struct mem_door_ops {
	/*
	 * Translate the block of `addr` for `kind`, and enter it in d->tlb (unless the
	 * translation must not be cached). On success *host is the host address of `addr` and
	 * *slow says that a store must be reported (mem_report_begin). On failure the fault is
	 * recorded in the processor and false returned; `store_like` says that a read is part
	 * of a read-modify-write, so that a fault on it is reported as a store's.
	 */
	bool (*fill)(struct mem_door *d, gva_t addr, enum mem_access kind, bool store_like,
		     void **host, bool *slow);
	/*
	 * The vCPU has just stored to [host, host+size), in a block that holds translated code. After
	 * the store, not before: a translator that read the old bytes meanwhile is found out.
	 */
	void (*code_write)(struct mem_door *d, hva_t host, unsigned size);
	/*
	 * Around a store that is reported, in one block: so that those who must know before anybody sees it do. Between the
	 * two nothing faults. stored: it was made. NULL, both: nobody must.
	 */
	void (*store_begin)(struct mem_door *d, hva_t host);
	void (*store_end)(struct mem_door *d, hva_t host, unsigned size, bool stored);
	/*
	 * Enter the translation of addr's block in d->tlb if it is known without looking at the tables and
	 * allows this kind of access; nothing is recorded otherwise. NULL: never.
	 */
	void (*fill_known)(struct mem_door *d, gva_t addr, enum mem_access kind);
	/*
	 * Make [*first, *first + *length), one block in d->tlb for windows of `kind` whose entry has `addend`, larger: what
	 * lies around it, translates alike and may be accessed in the same way, stores without being reported, until
	 * this TLB or its right to store is taken away. NULL: never.
	 */
	void (*widen)(struct mem_door *d, enum tlb_window_kind kind, uint64_t addend, uint64_t *first,
		      uint64_t *length);
	/* Record an alignment interrupt for an access to addr. */
	void (*misaligned)(struct mem_door *d, gva_t addr, bool store);
};

struct mem_door {
	struct tlb *tlb; /* of the current data context */
	const struct mem_door_ops *ops;
};

/*
 * Slow access of `size` (1..16, a power of two or not) bytes at addr, as bytes in guest memory
 * order. False: a fault was recorded, nothing changed.
 */
bool mem_read_slow(struct mem_door *d, uint64_t addr, void *buf, unsigned size);
bool mem_write_slow(struct mem_door *d, uint64_t addr, const void *buf, unsigned size);

/*
 * The host pointer of `size` bytes at addr for an atomic access (size a power of two). An
 * address that is not a multiple of size gives the architecture's alignment interrupt. When
 * *report is set, the caller brackets its store by mem_report_begin and mem_report_end.
 * NULL: a fault was recorded.
 */
void *mem_atomic_ptr(struct mem_door *d, uint64_t addr, unsigned size, bool write, bool *report);

/* Around a store to [host, host + size), in one block, that must be reported. `stored`: it was made. */
static inline void mem_report_begin(struct mem_door *d, const void *host)
{
	if (d->ops->store_begin)
		d->ops->store_begin(d, HVA(host));
}

static inline void mem_report_end(struct mem_door *d, const void *host, unsigned size, bool stored)
{
	if (d->ops->store_end)
		d->ops->store_end(d, HVA(host), size, stored);
	if (stored)
		d->ops->code_write(d, HVA(host), size);
}

/*
 * Host memory for `size` bytes at addr and all of [first, last] around them, in one piece, that may be
 * accessed directly in this way (both: loaded from and stored to) till translations change. MEM_PROBE_FAULT: the access itself recorded a
 * fault. MEM_PROBE_REFUSED: all that is known is that it must be done by itself. Size 0: there is no access yet; what is not
 * known without looking at the tables is refused.
 * *host is the address that corresponds to addr.
 */
enum mem_probe { MEM_PROBE_FAULT, MEM_PROBE_OK, MEM_PROBE_REFUSED };

enum mem_probe mem_probe(struct mem_door *d, uint64_t addr, unsigned size, uint64_t first,
			 uint64_t last, enum mem_access kind, bool both, void **host);

/*
 * An access by a window (tlb.h) at addr has missed, and has been made: have the window be what lies there, if it has
 * missed often enough. window: its number and 1; 0: none.
 */
void mem_window_missed(struct mem_door *d, unsigned window, uint64_t addr);

static inline bool mem_read(struct mem_door *d, uint64_t addr, void *buf, unsigned size)
{
	const void *p = tlb_lookup(d->tlb, addr, size, MEM_READ);

	if (UNLIKELY(!p))
		return mem_read_slow(d, addr, buf, size);
	__builtin_memcpy(buf, p, size);
	return true;
}

static inline bool mem_write(struct mem_door *d, uint64_t addr, const void *buf, unsigned size)
{
	void *p = tlb_lookup(d->tlb, addr, size, MEM_WRITE);

	if (UNLIKELY(!p))
		return mem_write_slow(d, addr, buf, size);
	__builtin_memcpy(p, buf, size);
	return true;
}

#endif
