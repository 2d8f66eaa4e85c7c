/*
 * What a translation context was filled from: the table entries of the guest, as the walker read them.
 *
 * An invalidation says that entries may have changed, and rarely does more than one have: Linux
 * invalidates all of process 0 for each instruction that it patches. As long as every entry that led to
 * what a context holds is what it was, a new walk would give the same, so nothing has to be forgotten; where
 * a page's entry has changed, that page is.
 *
 * The second scope is not watched: who changes it invalidates contexts in their entirety.
 */
#ifndef ANYKVM_CPU_POWER9_SOURCE_H
#define ANYKVM_CPU_POWER9_SOURCE_H

#include "cpu/power9/mmu.h"

#define P9_SOURCES 128
#define P9_RECENT  64

struct p9_source {
	const _Atomic uint64_t *where; /* in host memory, as long as the context holds anything at all */
	uint64_t value;                /* as the guest has it */
	uint64_t base;                 /* guest addresses: the page's, or one that led here */
	uint8_t shift;                 /* of the page; 0: this is no leaf */
	bool exec;                     /* code may have been fetched from the page */
};

struct p9_sources {
	uint32_t count;
	bool incomplete;          /* the context holds what is not listed */
	uint64_t patb1;           /* where the process table is */
	uint8_t recent[P9_RECENT]; /* numbers of sources, by hash: spares equal ones; may be wrong */
	struct p9_source source[P9_SOURCES];
};

/* The context is empty. */
static inline void p9_sources_clear(struct p9_sources *s)
{
	s->count = 0;
	s->incomplete = false;
}

/* A walk for ea has led to what is now entered. */
void p9_sources_note(struct p9_sources *s, uint64_t patb1, uint64_t ea,
		     const struct radix_trace *trace);

/* What was filled of addresses below `end` is forgotten. */
void p9_sources_forget_below(struct p9_sources *s, uint64_t end);

/* Is any of them in host memory [start, start + len)? */
bool p9_sources_meet(const struct p9_sources *s, hva_t start, uint64_t len);

enum p9_sources_state {
	P9_SOURCES_SAME,
	P9_SOURCES_PAGE, /* *page has changed, and is not listed any more: look again */
	P9_SOURCES_LOST  /* everything may have */
};

/* patb1 NULL: the entries are not to be looked at. */
enum p9_sources_state p9_sources_check(struct p9_sources *s, const uint64_t *patb1,
				       struct p9_source *page);

#endif
