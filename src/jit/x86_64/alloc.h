/*
 * What the files of the register allocator share (alloc*.c).
 */
#ifndef ANYKVM_JIT_X86_64_ALLOC_H
#define ANYKVM_JIT_X86_64_ALLOC_H

#include "jit/x86_64/gen.h"

/* ---- alloc.c ---- */

/* A register that is free, of `prefer` if there is one, or is made free; not locked yet. */
unsigned alloc_take_gpr(struct gen *g, uint32_t prefer);
unsigned alloc_take_xmm(struct gen *g);
/* A register of its kind. */
unsigned alloc_take(struct gen *g, uint32_t v);
/* v is in reg, locked until the instruction ends. */
void alloc_give_gpr(struct gen *g, uint32_t v, unsigned reg);
void alloc_give_xmm(struct gen *g, uint32_t v, unsigned reg);
/* The same for a register of its kind, which is not locked. */
void alloc_put(struct gen *g, uint32_t v, unsigned reg);
/* v is in no register any more. */
void alloc_drop(struct gen *g, uint32_t v);
/* reg := v from its home; rax and xmm1 may be lost for vector constants */
void alloc_load_home(struct gen *g, uint32_t v, unsigned reg);

/* ---- alloc_home.c ---- */

/* The register's value can be found again elsewhere: make it so. */
void alloc_spill(struct gen *g, uint32_t v);
/*
 * Values that live in guest state get registers of their own; those that die here, and are read,
 * only if `dying`.
 */
void alloc_leave_state(struct gen *g, uint32_t offset, uint32_t size, bool dying);

#endif
