/*
 * Executable memory: the same pages mapped writable and, elsewhere, executable.
 */
#ifndef ANYKVM_JIT_MEMORY_H
#define ANYKVM_JIT_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#define JIT_UNIT 128u /* bytes; pieces are multiples */

struct jit_memory;

struct jit_memory *jit_memory_create(size_t bytes);
void jit_memory_destroy(struct jit_memory *m);

/* `units` units: the writable address, or NULL when memory is full. Any thread. */
uint8_t *jit_memory_alloc(struct jit_memory *m, uint32_t units);
void jit_memory_free(struct jit_memory *m, uint8_t *writable, uint32_t units);

/* From a writable address to the executable one, and back. */
const uint8_t *jit_memory_exec(const struct jit_memory *m, const uint8_t *writable);
uint8_t *jit_memory_writable(const struct jit_memory *m, const uint8_t *exec);

size_t jit_memory_used(const struct jit_memory *m);

#endif
