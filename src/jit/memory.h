/*
 * Executable memory: the same pages mapped writable and, elsewhere, executable. There are two zones, so
 * that code that is rarely run does not lie between what is run all the time: it would fill the host's
 * instruction caches with bytes that nobody needs. Relative jumps reach from one to the other.
 */
#ifndef ANYKVM_JIT_MEMORY_H
#define ANYKVM_JIT_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <stdint.h>

enum jit_zone { JIT_HOT, JIT_COLD, JIT_ZONES };

/*
 * Pieces of a zone are so many units, of so many bytes. What runs begins with a line of the host's; of what does not, more is saved
 * by packing it.
 */
#define JIT_UNIT(zone) ((zone) == JIT_HOT ? 64u : 16u)

static inline uint32_t jit_memory_units(enum jit_zone zone, uint32_t bytes)
{
	return (bytes + JIT_UNIT(zone) - 1) / JIT_UNIT(zone);
}

struct jit_memory;

struct jit_memory *jit_memory_create(size_t bytes);
void jit_memory_destroy(struct jit_memory *m);

/* `units` units: the writable address, or NULL when the zone is full. Any thread. */
uint8_t *jit_memory_alloc(struct jit_memory *m, enum jit_zone zone, uint32_t units);
void jit_memory_free(struct jit_memory *m, enum jit_zone zone, uint8_t *writable, uint32_t units);

/* The writable address of an executable one: some bytes there, in one page, are going to be changed. Any thread. */
uint8_t *jit_memory_write(struct jit_memory *m, const uint8_t *exec);

/* From a writable address to the executable one, and back. */
const uint8_t *jit_memory_exec(const struct jit_memory *m, const uint8_t *writable);
uint8_t *jit_memory_writable(const struct jit_memory *m, const uint8_t *exec);

size_t jit_memory_used(const struct jit_memory *m);

#endif
