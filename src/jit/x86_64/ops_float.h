/*
 * What the fast paths of floating point (ops_float.c) and their stubs (ops_float_stub.c) share.
 */
#ifndef ANYKVM_JIT_X86_64_OPS_FLOAT_H
#define ANYKVM_JIT_X86_64_OPS_FLOAT_H

#include "ir/intrinsic_float.h"
#include "jit/x86_64/vec.h"

#define SCALAR_SCRATCH 15 /* with xmm0 and xmm1, in no value's use: VALUE_XMM */

#define XORPS    0x0f57
#define ORPS     0x0f56
#define CMPPS    0x0fc2
#define PMOVMSKB 0x0fd7

/* reg := what is at a place */
static inline void from_place(struct gen *g, const struct place *p, unsigned reg)
{
	if (p->kind == PLACE_REG)
		a_mov(&g->a, true, reg, p->reg);
	else if (p->kind == PLACE_XMM)
		gen_from_xmm(g, reg, p->reg);
	else if (p->kind == PLACE_MEM)
		a_load(&g->a, true, reg, RBP, p->disp);
	else
		a_mov_imm(&g->a, reg, p->imm);
}

/* xmm := a number at a place */
static inline void number_from_place(struct gen *g, const struct place *p, unsigned xmm)
{
	if (p->kind == PLACE_REG) {
		gen_to_xmm(g, xmm, p->reg);
	} else if (p->kind == PLACE_XMM) {
		a_sse(&g->a, 0, 0x0f28, xmm, p->reg);
	} else if (p->kind == PLACE_MEM) {
		gen_load_xmm(g, IR_I64, xmm, RBP, p->disp);
	} else if (!p->imm) {
		a_sse(&g->a, 0, XORPS, xmm, xmm);
	} else {
		a_mov_imm(&g->a, RAX, p->imm);
		gen_to_xmm(g, xmm, RAX);
	}
}

/* eax := the biased exponent of a double in reg */
static inline void exponent(struct gen *g, unsigned reg)
{
	struct assembler *a = &g->a;

	if (g->host->bmi2) {
		a_vex(a, 0xf2, 0x0f3af0, true, RAX, 0, reg); /* rorx */
		a_1(a, 52);
	} else {
		a_mov(a, true, RAX, reg);
		a_shift_imm(a, SH_SHR, true, RAX, 52);
	}
	a_alu_imm(a, ALU_AND, false, RAX, 0x7ff);
}

#endif
