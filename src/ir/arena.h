/*
 * Several arrays in one piece of memory: a function that carves them all is called twice, first
 * without memory to learn the size, then with it.
 */
#ifndef ANYKVM_IR_ARENA_H
#define ANYKVM_IR_ARENA_H

#include <stddef.h>
#include "util/bits.h"

struct arena {
	char *base; /* NULL: only measure */
	size_t size;
};

static inline void *arena_carve(struct arena *a, size_t count, size_t size)
{
	void *p = a->base ? a->base + a->size : NULL;

	a->size += align_up(count * size, 16);
	return p;
}

#endif
