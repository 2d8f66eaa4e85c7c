/*
 * Integer operations on bits: shifts, counts, fields.
 */
#include "jit/x86_64/ops_int.h"

void int_shift(struct gen *g, const struct ir_inst *i, enum shift op)
{
	bool w = wide(i);
	const struct ir_inst *n = inst_of(g, i->arg[1]);
	unsigned dst;

	if (n->op == IR_CONST) {
		unsigned by = n->imm & (w ? 63 : 31);

		dst = def_copy(g, i->arg[0]);
		if (by)
			a_shift_imm(&g->a, op, w, dst, by);
		else if (!w)
			a_mov(&g->a, false, dst, dst);
		return;
	}
	if (g->host->bmi2 && op != SH_ROL && op != SH_ROR) {
		/* shlx, shrx, sarx: VEX.LZ.{66,F2,F3}.0F38.W F7 /r; the amount in vvvv */
		unsigned by = use_reg(g, i->arg[1]), src = use_reg(g, i->arg[0]);
		unsigned pp = op == SH_SHL ? 1 : op == SH_SHR ? 3 : 2;

		operands_read(g);
		dst = def_reg(g);
		a_1(&g->a, 0xc4);
		a_1(&g->a, (~dst >> 3 & 1) << 7 | 1 << 6 | (~src >> 3 & 1) << 5 | 2);
		a_1(&g->a, w << 7 | (~by & 15) << 3 | pp);
		a_1(&g->a, 0xf7);
		a_modrm_reg(&g->a, dst, src);
		return;
	}
	use_into(g, i->arg[1], RCX);
	dst = def_copy(g, i->arg[0]);
	a_shift_cl(&g->a, op, w, dst);
}

void int_count_zeros(struct gen *g, const struct ir_inst *i)
{
	bool w = wide(i);
	unsigned src, dst;

	src = use_reg(g, i->arg[0]);
	dst = def_reg(g);
	if (i->op == IR_POPCNT && g->host->popcnt) {
		a_f3(&g->a, w, 0xb8, dst, src);
	} else if (i->op == IR_CLZ && g->host->lzcnt) {
		a_f3(&g->a, w, 0xbd, dst, src);
	} else if (i->op == IR_CTZ && g->host->lzcnt) {
		a_f3(&g->a, w, 0xbc, dst, src);
	} else if (i->op == IR_CLZ) {
		/* bsr of 0 leaves its target: 2 * width - 1, which the xor makes the width */
		a_mov_imm(&g->a, RAX, w ? 127 : 63);
		a_rr(&g->a, w, 0x0fbd, RCX, src);
		a_cmov(&g->a, CC_NE, w, RAX, RCX);
		a_alu_imm(&g->a, ALU_XOR, false, RAX, w ? 63 : 31);
		a_mov(&g->a, false, dst, RAX);
	} else if (i->op == IR_CTZ) {
		a_mov_imm(&g->a, RAX, w ? 64 : 32);
		a_rr(&g->a, w, 0x0fbc, RCX, src);
		a_cmov(&g->a, CC_NE, w, RAX, RCX);
		a_mov(&g->a, false, dst, RAX);
	} else {
		/* Bits counted in halves, then by multiplication. */
		a_mov(&g->a, w, RAX, src);
		a_mov(&g->a, w, RDX, src);
		a_shift_imm(&g->a, SH_SHR, w, RDX, 1);
		a_mov_imm(&g->a, RCX, w ? UINT64_C(0x5555555555555555) : 0x55555555);
		a_alu(&g->a, ALU_AND, w, RDX, RCX);
		a_alu(&g->a, ALU_SUB, w, RAX, RDX);
		a_mov_imm(&g->a, RCX, w ? UINT64_C(0x3333333333333333) : 0x33333333);
		a_mov(&g->a, w, RDX, RAX);
		a_shift_imm(&g->a, SH_SHR, w, RDX, 2);
		a_alu(&g->a, ALU_AND, w, RDX, RCX);
		a_alu(&g->a, ALU_AND, w, RAX, RCX);
		a_alu(&g->a, ALU_ADD, w, RAX, RDX);
		a_mov(&g->a, w, RDX, RAX);
		a_shift_imm(&g->a, SH_SHR, w, RDX, 4);
		a_alu(&g->a, ALU_ADD, w, RAX, RDX);
		a_mov_imm(&g->a, RCX, w ? UINT64_C(0x0f0f0f0f0f0f0f0f) : 0x0f0f0f0f);
		a_alu(&g->a, ALU_AND, w, RAX, RCX);
		a_mov_imm(&g->a, RCX, w ? UINT64_C(0x0101010101010101) : 0x01010101);
		a_rr(&g->a, w, 0x0faf, RAX, RCX);
		a_shift_imm(&g->a, SH_SHR, w, RAX, w ? 56 : 24);
		a_mov(&g->a, w, dst, RAX);
	}
}

void int_extract(struct gen *g, const struct ir_inst *i)
{
	unsigned pos = ir_field_pos(i), len = ir_field_len(i);
	bool w = wide(inst_of(g, i->arg[0]));
	unsigned dst = def_copy(g, i->arg[0]);

	if (pos)
		a_shift_imm(&g->a, SH_SHR, w, dst, pos);
	if (pos + len >= (w ? 64u : 32u))
		return;
	if (len == 8)
		a_extend(&g->a, false, 0x0fb6, dst, dst);
	else if (len == 16)
		a_extend(&g->a, false, 0x0fb7, dst, dst);
	else if (len == 32)
		a_mov(&g->a, false, dst, dst);
	else if (len < 32)
		a_alu_imm(&g->a, ALU_AND, false, dst, (int32_t)ir_low_mask(len));
	else {
		a_shift_imm(&g->a, SH_SHL, true, dst, 64 - len);
		a_shift_imm(&g->a, SH_SHR, true, dst, 64 - len);
	}
}

void int_and_mask(struct gen *g, bool w, unsigned dst, uint64_t mask)
{
	if (w ? fits32((int64_t)mask) : true) {
		a_alu_imm(&g->a, ALU_AND, w, dst, (int32_t)mask);
	} else if (mask <= UINT32_MAX) {
		/* the upper half goes anyway */
		a_alu_imm(&g->a, ALU_AND, false, dst, (int32_t)mask);
	} else {
		a_mov_imm(&g->a, RCX, mask);
		a_alu(&g->a, ALU_AND, true, dst, RCX);
	}
}

void int_deposit(struct gen *g, const struct ir_inst *i)
{
	unsigned pos = ir_field_pos(i), len = ir_field_len(i);
	bool w = wide(i);
	uint64_t mask = ir_low_mask(len);
	unsigned dst;

	use_into(g, i->arg[1], RAX);
	int_and_mask(g, w, RAX, mask);
	if (pos)
		a_shift_imm(&g->a, SH_SHL, w, RAX, pos);
	dst = def_copy(g, i->arg[0]);
	int_and_mask(g, w, dst, w ? ~(mask << pos) : (uint32_t)~(mask << pos));
	a_alu(&g->a, ALU_OR, w, dst, RAX);
}
