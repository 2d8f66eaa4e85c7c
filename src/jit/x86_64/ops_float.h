/*
 * What the fast paths of floating point (ops_float.c) and their stubs (ops_float_stub.c) share.
 */
#ifndef ANYKVM_JIT_X86_64_OPS_FLOAT_H
#define ANYKVM_JIT_X86_64_OPS_FLOAT_H

#include "ir/intrinsic_float.h"
#include "jit/x86_64/vec.h"

#define SCALAR_SCRATCH 15 /* with xmm0 and xmm1, in no value's use: VALUE_XMM */

#define UCOMISD  0x0f2e
#define ADDPS    0x0f58
#define SUBPS    0x0f5c
#define MINPS    0x0f5d
#define MAXPS    0x0f5f
#define XORPS    0x0f57
#define ORPS     0x0f56
#define CMPPS    0x0fc2
#define PMOVMSKB 0x0fd7

/* Two-operand SSE opcodes in the order of the intrinsics: add, subtract, multiply, divide, root. */
extern const uint16_t float_arith_op[5];

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

/* ---- ops_float.c ---- */

/* Where an operand of 64 bits is. */
struct place float_operand(struct gen *g, uint32_t v);
/* The xmm that it is in, or is brought to: `scratch` then. */
unsigned float_in(struct gen *g, const struct place *p, unsigned scratch);
/* Where a number is to be made: the result's register, or xmm0 on the way there; and the end of it. */
unsigned float_to(const struct gen *g, unsigned dst);
void float_done(struct gen *g, unsigned dst, unsigned xmm);
/* dst := a op b; dst is not b. The prefix says of what: f2, f3, 66 or none */
void float_op3(struct gen *g, uint8_t prefix, unsigned op, unsigned dst, unsigned a, unsigned b);
/* ax := sign, exponent and four more bits of the number in xmm */
void float_upper_word(struct gen *g, unsigned xmm);
/* The stub for the current instruction, to which the jump at `from` leads, and which goes on here. */
struct stub *float_stub(struct gen *g, unsigned dst, const struct place *arg, uint32_t from);

/* ---- ops_float_convert.c ---- */

void float_convert(struct gen *g, const struct ir_inst *i, unsigned number);
/* For roundsd and the like, by the order of the intrinsics. */
unsigned float_rounding(unsigned n);
/* to := src to an integral value, halves away from zero. Prefix f2: a double; 66, none: two, four singles. */
void float_round_away(struct gen *g, uint8_t prefix, unsigned to, unsigned src);

/* ---- ops_float_vec.c ---- */

void float_vector(struct gen *g, const struct ir_inst *i, unsigned number);

/* ---- ops_float_quiet.c: from IR_VFADD_QUIET on ---- */

bool float_quiet_expands(const struct gen *g, const struct ir_inst *i, unsigned number);
void float_quiet(struct gen *g, const struct ir_inst *i, unsigned number);

#endif
