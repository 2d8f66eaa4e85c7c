/*
 * x86-64 machine code, an instruction at a time (Intel SDM volume 2). The writer stops at the end
 * of its buffer and remembers that it did; nothing is written past it.
 */
#ifndef ANYKVM_JIT_X86_64_ASM_H
#define ANYKVM_JIT_X86_64_ASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "util/compiler.h"

enum gpr { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, NO_REG };

enum cond {
	CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A,
	CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE, CC_LE, CC_G
};

/* The /digit of the immediate group, and bits 3:5 of the two-operand opcodes. */
enum alu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
enum shift { SH_ROL = 0, SH_ROR = 1, SH_SHL = 4, SH_SHR = 5, SH_SAR = 7 };

/* A displacement that leads elsewhere in the piece: to be corrected if the two are moved apart. */
struct a_reference {
	uint32_t where, target;
};

struct assembler {
	uint8_t *base, *at, *end;
	bool overflow;
	/*
	 * rbp points this far behind the start of the env, so that what is used most is reached with
	 * displacements of one byte. Memory operands are written relative to the start.
	 */
	int32_t bias;
	/* What was noted of the flags (a_note_flags) holds if this is `at`. */
	const uint8_t *flags_at;
	struct a_reference *ref;
	uint32_t nref, cap_ref;
};

static inline void a_bytes(struct assembler *a, const void *bytes, unsigned n)
{
	if (UNLIKELY((size_t)(a->end - a->at) < n)) {
		a->overflow = true;
		return;
	}
	memcpy(a->at, bytes, n);
	a->at += n;
}

static inline void a_1(struct assembler *a, uint8_t b)
{
	a_bytes(a, &b, 1);
}

static inline void a_4(struct assembler *a, uint32_t v)
{
	a_bytes(a, &v, 4);
}

static inline void a_8(struct assembler *a, uint64_t v)
{
	a_bytes(a, &v, 8);
}

static inline uint32_t a_pos(const struct assembler *a)
{
	return a->at - a->base;
}

/* The flags are, from here on, something that is worth remembering. */
static inline void a_note_flags(struct assembler *a)
{
	a->flags_at = a->at;
}

static inline bool a_flags_hold(const struct assembler *a)
{
	return a->flags_at == a->at && !a->overflow;
}

/* What was written from `start` on has left the flags alone. */
static inline void a_flags_kept(struct assembler *a, const uint8_t *start)
{
	if (a->flags_at == start)
		a->flags_at = a->at;
}

static inline bool fits8(int64_t v)
{
	return v == (int8_t)v;
}

static inline bool fits32(int64_t v)
{
	return v == (int32_t)v;
}

/* REX for reg, index and base; w: 64-bit operands; byte: a byte register that needs one. */
static inline void a_rex(struct assembler *a, bool w, unsigned reg, unsigned index, unsigned base,
			 bool byte)
{
	uint8_t rex = 0x40 | w << 3 | (reg >> 3 & 1) << 2 | (index >> 3 & 1) << 1 | (base >> 3 & 1);

	if (rex != 0x40 || byte)
		a_1(a, rex);
}

static inline void a_modrm_reg(struct assembler *a, unsigned reg, unsigned rm)
{
	a_1(a, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

/* [base + disp] */
static inline void a_modrm_mem(struct assembler *a, unsigned reg, unsigned base, int32_t disp)
{
	uint8_t mod;

	disp -= base == RBP ? a->bias : 0;
	mod = fits8(disp) ? 1 : 2;
	if (disp == 0 && (base & 7) != RBP)
		mod = 0;
	a_1(a, mod << 6 | (reg & 7) << 3 | (base & 7));
	if ((base & 7) == RSP)
		a_1(a, 0x24);
	if (mod == 1)
		a_1(a, disp);
	else if (mod == 2)
		a_4(a, disp);
}

/* [base + (index << scale) + disp], index not RSP */
static inline void a_modrm_scaled(struct assembler *a, unsigned reg, unsigned base, unsigned index,
				  unsigned scale, int32_t disp)
{
	uint8_t mod;

	disp -= base == RBP ? a->bias : 0;
	mod = disp == 0 && (base & 7) != RBP ? 0 : fits8(disp) ? 1 : 2;
	a_1(a, mod << 6 | (reg & 7) << 3 | 4);
	a_1(a, scale << 6 | (index & 7) << 3 | (base & 7));
	if (mod == 1)
		a_1(a, disp);
	else if (mod == 2)
		a_4(a, disp);
}

static inline void a_modrm_idx(struct assembler *a, unsigned reg, unsigned base, unsigned index,
			       int32_t disp)
{
	a_modrm_scaled(a, reg, base, index, 0, disp);
}

/* op reg, rm (both registers); two-byte opcodes are given as 0x0fxx */
static inline void a_opcode(struct assembler *a, unsigned op)
{
	if (op > 0xffff)
		a_1(a, op >> 16);
	if (op > 0xff)
		a_1(a, op >> 8);
	a_1(a, op);
}

static inline void a_rr(struct assembler *a, bool w, unsigned op, unsigned reg, unsigned rm)
{
	a_rex(a, w, reg, 0, rm, false);
	a_opcode(a, op);
	a_modrm_reg(a, reg, rm);
}

static inline void a_rm(struct assembler *a, bool w, unsigned op, unsigned reg, unsigned base,
			int32_t disp)
{
	a_rex(a, w, reg, 0, base, false);
	a_opcode(a, op);
	a_modrm_mem(a, reg, base, disp);
}

static inline void a_rx(struct assembler *a, bool w, unsigned op, unsigned reg, unsigned base,
			unsigned index, int32_t disp)
{
	a_rex(a, w, reg, index, base, false);
	a_opcode(a, op);
	a_modrm_idx(a, reg, base, index, disp);
}

/* reg, [base + 4 * index + disp] */
static inline void a_rx4(struct assembler *a, bool w, unsigned op, unsigned reg, unsigned base,
			 unsigned index, int32_t disp)
{
	a_rex(a, w, reg, index, base, false);
	a_opcode(a, op);
	a_modrm_scaled(a, reg, base, index, 2, disp);
}

/* ---- moves ---- */

static inline void a_mov(struct assembler *a, bool w, unsigned dst, unsigned src)
{
	const uint8_t *start = a->at;

	a_rr(a, w, 0x8b, dst, src);
	a_flags_kept(a, start);
}

static inline void a_mov_imm(struct assembler *a, unsigned dst, uint64_t v)
{
	const uint8_t *start = a->at;

	if (v <= UINT32_MAX) {
		if (v == 0 && !a_flags_hold(a)) {
			a_rr(a, false, 0x31, dst, dst); /* xor: changes flags */
			return;
		}
		a_rex(a, false, 0, 0, dst, false);
		a_1(a, 0xb8 | (dst & 7));
		a_4(a, v);
	} else if (fits32(v)) {
		a_rex(a, true, 0, 0, dst, false);
		a_1(a, 0xc7);
		a_modrm_reg(a, 0, dst);
		a_4(a, v);
	} else {
		a_rex(a, true, 0, 0, dst, false);
		a_1(a, 0xb8 | (dst & 7));
		a_8(a, v);
	}
	a_flags_kept(a, start);
}

static inline void a_load(struct assembler *a, bool w, unsigned dst, unsigned base, int32_t disp)
{
	const uint8_t *start = a->at;

	a_rm(a, w, 0x8b, dst, base, disp);
	a_flags_kept(a, start);
}

static inline void a_store(struct assembler *a, bool w, unsigned src, unsigned base, int32_t disp)
{
	const uint8_t *start = a->at;

	a_rm(a, w, 0x89, src, base, disp);
	a_flags_kept(a, start);
}

/* mov [base + disp], sign-extended imm32 */
static inline void a_store_imm(struct assembler *a, bool w, unsigned base, int32_t disp, int32_t v)
{
	const uint8_t *start = a->at;

	a_rex(a, w, 0, 0, base, false);
	a_1(a, 0xc7);
	a_modrm_mem(a, 0, base, disp);
	a_4(a, v);
	a_flags_kept(a, start);
}

static inline void a_lea(struct assembler *a, bool w, unsigned dst, unsigned base, int32_t disp)
{
	const uint8_t *start = a->at;

	a_rm(a, w, 0x8d, dst, base, disp);
	a_flags_kept(a, start);
}

static inline void a_lea_idx(struct assembler *a, bool w, unsigned dst, unsigned base,
			     unsigned index)
{
	const uint8_t *start = a->at;

	a_rx(a, w, 0x8d, dst, base, index, 0);
	a_flags_kept(a, start);
}

/* ---- arithmetic ---- */

static inline void a_alu(struct assembler *a, enum alu op, bool w, unsigned dst, unsigned src)
{
	a_rr(a, w, op << 3 | 3, dst, src);
}

static inline void a_alu_mem(struct assembler *a, enum alu op, bool w, unsigned dst, unsigned base,
			     int32_t disp)
{
	a_rm(a, w, op << 3 | 3, dst, base, disp);
}

static inline void a_alu_imm(struct assembler *a, enum alu op, bool w, unsigned dst, int32_t v)
{
	a_rex(a, w, 0, 0, dst, false);
	a_1(a, fits8(v) ? 0x83 : 0x81);
	a_modrm_reg(a, op, dst);
	if (fits8(v))
		a_1(a, v);
	else
		a_4(a, v);
}

/* cmp dword or qword [base + disp], imm */
static inline void a_alu_mem_imm(struct assembler *a, unsigned op, bool w, unsigned base, int32_t disp,
				 int32_t v)
{
	a_rex(a, w, 0, 0, base, false);
	a_1(a, fits8(v) ? 0x83 : 0x81);
	a_modrm_mem(a, op, base, disp);
	if (fits8(v))
		a_1(a, v);
	else
		a_4(a, v);
}

static inline void a_cmp_mem_imm(struct assembler *a, bool w, unsigned base, int32_t disp, int32_t v)
{
	a_alu_mem_imm(a, ALU_CMP, w, base, disp, v);
}

static inline void a_test(struct assembler *a, bool w, unsigned x, unsigned y)
{
	a_rr(a, w, 0x85, y, x);
}

static inline void a_test_imm(struct assembler *a, bool w, unsigned x, int32_t v)
{
	a_rex(a, w, 0, 0, x, false);
	a_1(a, 0xf7);
	a_modrm_reg(a, 0, x);
	a_4(a, v);
}

static inline void a_shift_imm(struct assembler *a, enum shift op, bool w, unsigned dst, unsigned n)
{
	a_rex(a, w, 0, 0, dst, false);
	a_1(a, 0xc1);
	a_modrm_reg(a, op, dst);
	a_1(a, n);
}

static inline void a_shift_cl(struct assembler *a, enum shift op, bool w, unsigned dst)
{
	a_rex(a, w, 0, 0, dst, false);
	a_1(a, 0xd3);
	a_modrm_reg(a, op, dst);
}

/* not (2), neg (3), mul (4), imul (5), div (6), idiv (7) of one operand */
static inline void a_group3(struct assembler *a, unsigned op, bool w, unsigned rm)
{
	const uint8_t *start = a->at;

	a_rex(a, w, 0, 0, rm, false);
	a_1(a, 0xf7);
	a_modrm_reg(a, op, rm);
	if (op == 2)
		a_flags_kept(a, start);
}

static inline void a_setcc(struct assembler *a, enum cond cc, unsigned dst)
{
	const uint8_t *start = a->at;

	a_rex(a, false, 0, 0, dst, dst >= RSP);
	a_1(a, 0x0f);
	a_1(a, 0x90 | cc);
	a_modrm_reg(a, 0, dst);
	a_flags_kept(a, start);
}

static inline void a_setcc_ah(struct assembler *a, enum cond cc)
{
	const uint8_t *start = a->at;

	a_1(a, 0x0f);
	a_1(a, 0x90 | cc);
	a_modrm_reg(a, 0, 4);
	a_flags_kept(a, start);
}

/* to the byte [base + disp] */
static inline void a_setcc_mem(struct assembler *a, enum cond cc, unsigned base, int32_t disp)
{
	const uint8_t *start = a->at;

	a_rex(a, false, 0, 0, base, false);
	a_1(a, 0x0f);
	a_1(a, 0x90 | cc);
	a_modrm_mem(a, 0, base, disp);
	a_flags_kept(a, start);
}

static inline void a_cmov(struct assembler *a, enum cond cc, bool w, unsigned dst, unsigned src)
{
	a_rr(a, w, 0x0f40 | cc, dst, src);
}

/* movzx (0x0fb6 byte, 0x0fb7 word), movsx (0x0fbe, 0x0fbf) from a register */
static inline void a_extend(struct assembler *a, bool w, unsigned op, unsigned dst, unsigned src)
{
	const uint8_t *start = a->at;

	a_rex(a, w, dst, 0, src, true);
	a_opcode(a, op);
	a_modrm_reg(a, dst, src);
	a_flags_kept(a, start);
}

static inline void a_bswap(struct assembler *a, bool w, unsigned r)
{
	a_rex(a, w, 0, 0, r, false);
	a_1(a, 0x0f);
	a_1(a, 0xc8 | (r & 7));
}

/* popcnt, lzcnt, tzcnt: f3 0f op */
static inline void a_f3(struct assembler *a, bool w, uint8_t op, unsigned dst, unsigned src)
{
	a_1(a, 0xf3);
	a_rr(a, w, 0x0f00 | op, dst, src);
}

/* ---- control ---- */

static inline void a_push(struct assembler *a, unsigned r)
{
	a_rex(a, false, 0, 0, r, false);
	a_1(a, 0x50 | (r & 7));
}

static inline void a_pop(struct assembler *a, unsigned r)
{
	a_rex(a, false, 0, 0, r, false);
	a_1(a, 0x58 | (r & 7));
}

static inline void a_call_reg(struct assembler *a, unsigned r)
{
	a_rex(a, false, 0, 0, r, false);
	a_1(a, 0xff);
	a_modrm_reg(a, 2, r);
}

static inline void a_jmp_reg(struct assembler *a, unsigned r)
{
	a_rex(a, false, 0, 0, r, false);
	a_1(a, 0xff);
	a_modrm_reg(a, 4, r);
}

/* Forward jumps: return the position of the 32-bit displacement, for a_patch. */
static inline uint32_t a_jcc(struct assembler *a, enum cond cc)
{
	a_1(a, 0x0f);
	a_1(a, 0x80 | cc);
	a_4(a, 0);
	return a_pos(a) - 4;
}

static inline uint32_t a_jmp(struct assembler *a)
{
	a_1(a, 0xe9);
	a_4(a, 0);
	return a_pos(a) - 4;
}

/* Let the displacement at `where` lead to `target` (positions from the base). */
static inline void a_patch(struct assembler *a, uint32_t where, uint32_t target)
{
	int32_t d = target - (where + 4);

	if (a->overflow || a->nref == a->cap_ref) {
		a->overflow = true;
		return;
	}
	memcpy(a->base + where, &d, 4);
	a->ref[a->nref++] = (struct a_reference){ where, target };
}

static inline void a_patch_here(struct assembler *a, uint32_t where)
{
	a_patch(a, where, a_pos(a));
	a->flags_at = NULL;
}

/* cmp ax, imm */
static inline void a_cmp_ax(struct assembler *a, uint16_t imm)
{
	a_1(a, 0x66);
	if (imm <= 0x7f || imm >= 0xff80) {
		a_1(a, 0x83);
		a_1(a, 0xf8);
		a_1(a, imm & 0xff);
	} else {
		a_1(a, 0x3d);
		a_1(a, imm & 0xff);
		a_1(a, imm >> 8);
	}
}

/* ---- SSE: op is 0x0fxx or 0x0f38xx, prefix 0, 0x66, 0xf2 or 0xf3 ---- */

static inline void a_sse(struct assembler *a, uint8_t prefix, unsigned op, unsigned dst,
			 unsigned src)
{
	const uint8_t *start = a->at;

	if (prefix)
		a_1(a, prefix);
	a_rr(a, false, op, dst, src);
	if (op == 0x0f28)
		a_flags_kept(a, start);
}

static inline void a_sse_w(struct assembler *a, uint8_t prefix, unsigned op, unsigned dst,
			   unsigned src)
{
	const uint8_t *start = a->at;

	if (prefix)
		a_1(a, prefix);
	a_rr(a, true, op, dst, src);
	if (op == 0x0f6e || op == 0x0f7e)
		a_flags_kept(a, start);
}

static inline void a_sse_mem(struct assembler *a, uint8_t prefix, unsigned op, unsigned reg,
			     unsigned base, int32_t disp)
{
	const uint8_t *start = a->at;

	if (prefix)
		a_1(a, prefix);
	a_rm(a, false, op, reg, base, disp);
	/* movaps, movq */
	if (op == 0x0f28 || op == 0x0f29 || op == 0x0f7e || op == 0x0fd6)
		a_flags_kept(a, start);
}

static inline void a_sse_idx(struct assembler *a, uint8_t prefix, unsigned op, unsigned reg,
			     unsigned base, unsigned index)
{
	if (prefix)
		a_1(a, prefix);
	a_rx(a, false, op, reg, base, index, 0);
}

/* ---- AVX: 128 bits, three operands. op is 0x0fxx, 0x0f38xx or 0x0f3axx ---- */

static inline unsigned a_vex_map(unsigned op)
{
	return op <= 0xffff ? 1 : (op >> 8 & 0xff) == 0x38 ? 2 : 3;
}

static inline unsigned a_vex_pp(uint8_t prefix)
{
	return prefix == 0x66 ? 1 : prefix == 0xf3 ? 2 : prefix == 0xf2 ? 3 : 0;
}

static inline void a_vex(struct assembler *a, uint8_t prefix, unsigned op, bool w, unsigned reg,
			 unsigned vvvv, unsigned rm)
{
	a_1(a, 0xc4);
	a_1(a, (~reg >> 3 & 1) << 7 | 1 << 6 | (~rm >> 3 & 1) << 5 | a_vex_map(op));
	a_1(a, w << 7 | (~vvvv & 15) << 3 | a_vex_pp(prefix));
	a_1(a, op);
	a_modrm_reg(a, reg, rm);
}

/* rorx dst, src, n */
static inline void a_rorx(struct assembler *a, bool w, unsigned dst, unsigned src, unsigned n)
{
	a_vex(a, 0xf2, 0x0f3af0, w, dst, 0, src);
	a_1(a, n);
}

static inline void a_vex_mem(struct assembler *a, uint8_t prefix, unsigned op, bool w, unsigned reg,
			     unsigned vvvv, unsigned base, int32_t disp)
{
	a_1(a, 0xc4);
	a_1(a, (~reg >> 3 & 1) << 7 | 1 << 6 | (~base >> 3 & 1) << 5 | a_vex_map(op));
	a_1(a, w << 7 | (~vvvv & 15) << 3 | a_vex_pp(prefix));
	a_1(a, op);
	a_modrm_mem(a, reg, base, disp);
}

/* AVX-512VL: the same registers 0 to 15, no mask. */
static inline void a_evex(struct assembler *a, uint8_t prefix, unsigned op, bool w, unsigned reg,
			  unsigned vvvv, unsigned rm)
{
	a_1(a, 0x62);
	a_1(a, (~reg >> 3 & 1) << 7 | 1 << 6 | (~rm >> 3 & 1) << 5 | 1 << 4 | a_vex_map(op));
	a_1(a, w << 7 | (~vvvv & 15) << 3 | 1 << 2 | a_vex_pp(prefix));
	a_1(a, 1 << 3);
	a_1(a, op);
	a_modrm_reg(a, reg, rm);
}

#endif
