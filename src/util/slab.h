/*
 * Many small pieces of memory of sizes that their owners know, given back one by one or all at once.
 * They come in steps of some bytes, aligned to that, out of large chunks that stay until the end: there are
 * no headers, no calls of the system for each few of them, and few page faults.
 *
 * Any thread may take and give back.
 */
#ifndef ANYKVM_UTIL_SLAB_H
#define ANYKVM_UTIL_SLAB_H

#include <stddef.h>

struct slab;

/* step: 16, 32 or 64. NULL: out of memory. Destroying it frees all pieces. */
struct slab *slab_create(size_t step);
void slab_destroy(struct slab *s);

/* Not cleared. NULL: out of memory. */
void *slab_take(struct slab *s, size_t size);

/* size: as it was asked for. */
void slab_give(struct slab *s, void *p, size_t size);

#endif
