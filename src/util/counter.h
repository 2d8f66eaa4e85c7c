/*
 * A counter of events that one thread counts and any thread reads, at any time: monotonic, and
 * never torn. It is a structure, so that `++`, which would be a locked instruction, is refused by
 * the compiler.
 */
#ifndef ANYKVM_UTIL_COUNTER_H
#define ANYKVM_UTIL_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

struct counter {
	_Atomic uint64_t value;
};

/* The owning thread only. Plain load, add, store: what is not on a hot path can afford it. */
static inline void count_by(struct counter *c, uint64_t n)
{
	atomic_store_explicit(&c->value, atomic_load_explicit(&c->value, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

static inline void count(struct counter *c)
{
	count_by(c, 1);
}

/* Any thread, of a counter that several threads count. */
static inline void count_shared(struct counter *c)
{
	atomic_fetch_add_explicit(&c->value, 1, memory_order_relaxed);
}

static inline uint64_t counter_read(const struct counter *c)
{
	return atomic_load_explicit(&c->value, memory_order_relaxed);
}

#endif
