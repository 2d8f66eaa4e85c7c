/*
 * Watched memory: what processors have reserved and must hear of if anybody else stores there.
 *
 * A block of memory is watched from when a processor reserves some of it (cpu_watch_load). Stores of processors to it are
 * reported from then on, as those to code are: their TLBs allow none directly, and the door brackets each by
 * store_begin and store_end. In between, the lock of the block's set is held, and each counts for the granules that it
 * goes to. A reservation is the count of its granule: whoever finds another one at his conditional store
 * (cpu_watch_swap) has lost it. So what is stored in between is noticed, whatever its value.
 *
 * A block stays watched, so that code which reserves there again and again shoots down once: up to a number of stores
 * since it was last reserved, or until another block takes its place. Reservations there are lost then.
 *
 * A system of one processor need not be told: nobody else stores but from outside.
 *
 * Locks: cpu_watch_set.lock is taken with no lock of the processors held, and none is taken under it.
 */
#ifndef ANYKVM_CPU_WATCH_H
#define ANYKVM_CPU_WATCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "ir/env.h"
#include "mem/addr.h"
#include "mem/tlb.h"

#define CPU_GRANULE_SHIFT 7

#define CPU_WATCH_SETS 32
#define CPU_WATCH_WAYS 4

struct cpu;
struct cpu_system;

struct cpu_watched {
	bool told;       /* every processor that there is reports its stores to it */
	uint32_t credit; /* so many more stores are reported */
	uint64_t assigned; /* a count, too: when it became this block's */
	uint64_t stores[TLB_BLOCK_SIZE >> CPU_GRANULE_SHIFT]; /* never the same twice, of whatever block */
};

struct cpu_watch_set {
	_Atomic uint64_t block[CPU_WATCH_WAYS]; /* host address, 0: none; written under the lock */
	pthread_mutex_t lock;
	uint64_t last; /* of all counts in the set */
	struct cpu_watched way[CPU_WATCH_WAYS];
};

struct cpu_watches {
	struct cpu_watch_set set[CPU_WATCH_SETS];
	_Atomic uint32_t blocks; /* that are watched */
	_Atomic uint32_t writers; /* processors of the system */
};

/* What a processor has reserved. */
struct cpu_watch {
	uint64_t granule; /* host address / its size */
	uint64_t stores;
	bool own; /* it has stored there itself since: the value is what it has made it */
	struct cpu_watch_set *held; /* between store_begin and store_end */
};

void cpu_watches_init(struct cpu_watches *w);
void cpu_watches_destroy(struct cpu_watches *w);

/* A processor was created, and has run nothing yet; or is gone. */
void cpu_watches_join(struct cpu_watches *w);
void cpu_watches_leave(struct cpu_watches *w);

/* Must stores to this block be reported? No lock. */
bool cpu_watches_block(const struct cpu_watches *w, hva_t block);
/* Of any block? */
bool cpu_watches_any(const struct cpu_watches *w);

/*
 * Reserve: load `size` bytes (raw) and hear of stores to their granule from then on. False: they were not watched before,
 * and requests of others may have been served to have them so; translate again and call again.
 */
bool cpu_watch_load(struct cpu *c, hva_t host, unsigned size, u128 *raw);

/*
 * Store if nobody else has stored to the granule since, and the value is still the expected one, or what c has made of
 * it. Both are raw.
 */
bool cpu_watch_swap(struct cpu *c, hva_t host, unsigned size, u128 expected, u128 desired);

/* Around a store of c that is reported: mem_door_ops. Its own do not make it lose a reservation. */
void cpu_store_begin(struct cpu *c, hva_t host);
void cpu_store_end(struct cpu *c, hva_t host, unsigned size, bool stored);

/* The memory is somebody else's from now on. */
void cpu_watch_forget(struct cpu_watches *w, hva_t start, uint64_t len);

#endif
