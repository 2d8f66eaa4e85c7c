/*
 * The JIT of this host, as compile.c (compiling, entering) and place.c (what becomes of pieces) know it.
 */
#ifndef ANYKVM_JIT_X86_64_JIT_H
#define ANYKVM_JIT_X86_64_JIT_H

#include "jit/memory.h"
#include "jit/x86_64/gen.h"

struct jit {
	struct jit_memory *memory;
	struct jit_layout layout;
	struct features host;
	const uint8_t *enter; /* struct left enter(struct ir_env *, const void *entry) */
	const uint8_t *no_entry[2]; /* [are low bits of the address to be ignored] */
	const uint8_t *unentered; /* jit_unentered */
	struct shared shared;
};

/* Make j->shared. False: no room. */
bool gen_shared_make(struct jit *j);

/* How far behind the env rbp points. */
int32_t gen_bias(const struct jit_layout *layout);

/* The first instruction of each piece. */
void gen_first(struct assembler *a);

/* Bring what was generated to code memory; fills in c but for its exits' number. False: no room. */
bool gen_place(const struct gen *g, struct jit_memory *m, struct jit_code *c);

#endif
