/*
 * Translation contexts. Each has a TLB of its own, so switching between kernel and user, between
 * processes, or between guests changes two pointers. A context is named by all that translation
 * depends on beside the tables: LPID, PID, PR, relocation, and key 0 of AMR and IAMR, which
 * Linux switches at each entry to the kernel (KUAP). AMR is nothing to fetches: code of supervisors is found in
 * the context of the AMR that they mostly have.
 *
 * Supervisor contexts serve every process: quadrant 3 is translated by process 0's tables whatever
 * PIDR holds. What they hold of quadrant 0, where a kernel reaches its user, belongs to one PID and
 * is forgotten when another process comes; it is little, and a list of slots finds it.
 *
 * Kernels flush all of process 0 often (Linux for each instruction that it patches), with nothing changed but
 * a page: what still holds by the tables stays (source.h). What was filled since the last time is listed too,
 * and a second level keeps whole pages, so that a block of a large page is found without a walk.
 *
 * A processor's own: no locks.
 */
#ifndef ANYKVM_CPU_POWER9_CONTEXT_H
#define ANYKVM_CPU_POWER9_CONTEXT_H

#include "cpu/power9/source.h"

#define P9_CONTEXTS 32
#define P9_CONTEXT_HINTS 256

/* Slots that a list can name; when it is longer all slots are looked at. */
#define P9_SLOTS 64

/* Pages that code was fetched from, by hash: a set that may say yes wrongly, never no. */
#define P9_FETCHED_BITS 32768

/* Whole pages: those of 64 KiB and more, and those of 2 MiB and more. */
#define P9_PAGES       512
#define P9_PAGE_SIZES  2

struct p9_context_key {
	uint32_t lpid;
	uint32_t pid; /* 0 for supervisor state */
	uint32_t state; /* P9_CONTEXT_*; 0: the context was never used */
};

#define P9_CONTEXT_USED 1u /* always */
#define P9_CONTEXT_REAL 2u
#define P9_CONTEXT_PR	4u
/* AMR[0:1], IAMR[1]; only for supervisor state */
#define P9_CONTEXT_KEYS_SHIFT 3

struct p9_slots {
	uint32_t count; /* more than P9_SLOTS: not all are here */
	uint16_t slot[P9_SLOTS];
};

struct p9_page {
	uint64_t base; /* of the guest addresses */
	uint64_t addend; /* as in a TLB entry */
	uint32_t age;  /* valid if it is the context's */
	uint16_t prot; /* enum prot */
	uint16_t shift; /* log2 of its bytes, which may be more than those of its kind */
};

struct p9_context {
	struct p9_context_key key;
	uint32_t id;   /* changes whenever cached regions of the context must be looked up anew */
	uint64_t used; /* for choosing a victim */
	struct tlb *tlb;
	uint8_t page_shift[TLB_ENTRIES]; /* log2 of the page that an entry of it is a piece of */
	/* By entry of it: of the block of host memory that it allowed stores to last, the low bits of the number. */
	_Alignas(64) uint32_t stored[TLB_ENTRIES];
	struct p9_slots filled; /* since it was last empty */
	bool high;     /* quadrant 3 may be there: never with PR, as a rule */
	bool low_code; /* code was fetched from quadrant 0 */
	/* Supervisor contexts: */
	uint32_t pid;  /* whose quadrant 0 this is */
	struct p9_slots low;
	uint64_t fetched[P9_FETCHED_BITS / 64]; /* since id changed */
	uint32_t age, age_low; /* of pages; of those in quadrant 0 */
	struct p9_page page[P9_PAGE_SIZES][P9_PAGES];
	struct p9_sources sources; /* of all that is in tlb and page, but for real addresses */
};

struct p9_contexts {
	struct p9_context context[P9_CONTEXTS];
	struct p9_context *data, *fetch, *real;
	uint8_t hint[P9_CONTEXT_HINTS]; /* where a key was found last, by hash */
	uint32_t next_id;
	uint64_t clock;
	struct counter *recycles;
};

/* 0 or -1: out of memory (fini is still to be called). */
int p9_contexts_init(struct p9_contexts *m, struct counter *recycles);
void p9_contexts_fini(struct p9_contexts *m);

/* Make data, fetch and real those of the present state. */
void p9_contexts_select(struct p9_contexts *m, const struct p9_cpu *p);

/* An entry for ea went to a context's TLB. */
void p9_context_filled(struct p9_context *x, uint64_t ea);

/* The entry of ea allows stores, to that host memory, from now on. */
void p9_context_stores(struct p9_context *x, uint64_t ea, uint64_t host);

/* Code at pc is looked for: its place in the context has been asked for. */
void p9_context_fetched(struct p9_context *x, uint64_t pc);

/* The page of ea if it allows prot; NULL: walk. And enter one of 2^shift bytes. */
const struct p9_page *p9_context_page(struct p9_context *x, uint64_t ea, unsigned prot);
void p9_context_keep_page(struct p9_context *x, uint64_t ea, unsigned shift, uint64_t addend,
			  unsigned prot);

/* Forget everything; or a range of addresses, end > start. */
void p9_context_flush(struct p9_contexts *m, struct p9_context *x);
void p9_context_flush_range(struct p9_contexts *m, struct p9_context *x, uint64_t start,
			    uint64_t end);

/*
 * Forget process-scoped translations of a PID (UINT64_MAX: of all); end > start: only there. What
 * still holds by the tables may stay. patb1: of the context's partition; NULL: the tables are not to be
 * looked at.
 */
void p9_context_flush_process(struct p9_contexts *m, struct p9_context *x, uint64_t pid,
			      uint64_t start, uint64_t end, const uint64_t *patb1);

/* Forget what leads to host memory. */
void p9_context_flush_host(struct p9_contexts *m, struct p9_context *x, hva_t start, uint64_t len);

/* Forget that stores are allowed there. */
void p9_context_protect_host(struct p9_context *x, hva_t start, uint64_t len);

#endif
