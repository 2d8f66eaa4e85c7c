/*
 * Integer operations on bits: shifts, counts, fields.
 */
#include "jit/x86_64/ops_int.h"

/* dst := the low bits of src: 8, 16 or 32 */
static void extend(struct gen *g, unsigned bits, unsigned dst, unsigned src)
{
	if (bits == 32)
		a_mov(&g->a, false, dst, src);
	else
		a_extend(&g->a, false, bits == 8 ? 0x0fb6 : 0x0fb7, dst, src);
}

/* A shift to the left of only some bits: value.field. */
static void shift_field(struct gen *g, uint32_t v, unsigned by)
{
	unsigned bits = g->val[g->at].field, dst, src;
	int32_t disp;

	if (bits + by == 32) {
		a_shift_imm(&g->a, SH_SHL, false, def_copy(g, v), by);
		return;
	}
	if (bits == 32 && use_mem(g, v, &disp)) {
		operands_read(g);
		dst = def_reg(g);
		a_load(&g->a, false, dst, RBP, disp);
	} else {
		src = use_reg(g, v);
		operands_read(g);
		dst = def_reg(g);
		extend(g, bits, dst, src);
	}
	a_shift_imm(&g->a, SH_SHL, true, dst, by);
}

void int_shift(struct gen *g, const struct ir_inst *i, enum shift op)
{
	bool w = wide(i);
	const struct ir_inst *n = inst_of(g, i->arg[1]);
	unsigned dst;

	if (n->op == IR_CONST) {
		unsigned by = n->imm & (w ? 63 : 31);

		if (g->val[g->at].field) {
			shift_field(g, i->arg[0], by);
			return;
		}
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
	unsigned pos = ir_field_pos(i), len = ir_field_len(i), end = pos + len, dst;
	uint32_t v = i->arg[0];
	bool w = wide(inst_of(g, v));
	bool stays = in_pin(g, v) ? !in_place(g, v) : g->val[v].reg != NO_REG && !dies(g, v);

	if (end == 32) {
		/* the upper half goes with a shift of the lower */
		dst = def_copy(g, v);
		if (pos)
			a_shift_imm(&g->a, SH_SHR, false, dst, pos);
		else
			a_mov(&g->a, false, dst, dst);
		return;
	}
	if (pos && stays && end < (w ? 64u : 32u) && g->host->bmi2) {
		unsigned src = use_reg(g, v);

		operands_read(g);
		dst = def_reg(g);
		a_rorx(&g->a, w && end > 32, dst, src, pos);
	} else {
		dst = def_copy(g, v);
		if (pos)
			a_shift_imm(&g->a, SH_SHR, w, dst, pos);
	}
	if (end >= (w ? 64u : 32u))
		return;
	if (len == 8 || len == 16 || len == 32)
		extend(g, len, dst, dst);
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

/* Of how many bits is the number at most, as far as its instruction tells? */
static unsigned bits_of(const struct gen *g, uint32_t v)
{
	const struct ir_inst *i = inst_of(g, v), *c;
	unsigned all = wide(i) ? 64 : 32;

	switch ((enum ir_op)i->op) {
	case IR_ZEXT8:
		return 8;
	case IR_ZEXT16:
		return 16;
	case IR_ZEXT32:
		return 32;
	case IR_EXTRACT:
		return ir_field_len(i);
	case IR_LOAD:
	case IR_LOAD_HOST:
		return ir_memop_of(i).sign_extend ? all : 8u * ir_memop_of(i).size;
	case IR_AND:
		c = inst_of(g, i->arg[1]);
		if (c->op != IR_CONST)
			return all;
		return c->imm ? 64 - (unsigned)__builtin_clzll(c->imm) : 0;
	default:
		return all;
	}
}

void int_deposit(struct gen *g, const struct ir_inst *i)
{
	unsigned pos = ir_field_pos(i), len = ir_field_len(i), end = pos + len, dst;
	bool w = wide(i), half = end == 32; /* a shift of 32 bits drops the others */
	uint64_t mask = ir_low_mask(len);

	use_into(g, i->arg[1], RAX);
	if (half && !pos)
		a_mov(&g->a, false, RAX, RAX);
	else if (!half && end < 64 && bits_of(g, i->arg[1]) > len)
		int_and_mask(g, w, RAX, mask);
	if (pos)
		a_shift_imm(&g->a, SH_SHL, w && !half, RAX, pos);
	dst = def_copy(g, i->arg[0]);
	if (bits_of(g, i->arg[0]) > pos)
		int_and_mask(g, w, dst, w ? ~(mask << pos) : (uint32_t)~(mask << pos));
	a_alu(&g->a, ALU_OR, w, dst, RAX);
}
