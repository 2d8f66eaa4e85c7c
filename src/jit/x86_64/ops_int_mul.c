/*
 * Integer multiplication and division.
 */
#include "jit/x86_64/ops_int.h"

/*
 * mulx: VEX.LZ.F2.0F38.W F6 /r, by rdx; leaves the flags alone. The value is read where it is.
 */
static void mulx(struct gen *g, bool w, unsigned hi, unsigned lo, struct place b)
{
	const uint8_t *start = g->a.at;

	a_1(&g->a, 0xc4);
	a_1(&g->a, (~hi >> 3 & 1) << 7 | 1 << 6 | (~b.reg >> 3 & 1) << 5 | 2);
	a_1(&g->a, w << 7 | (~lo & 15) << 3 | 3);
	a_1(&g->a, 0xf6);
	if (b.kind == PLACE_MEM)
		a_modrm_mem(&g->a, hi, RBP, b.disp);
	else
		a_modrm_reg(&g->a, hi, b.reg);
	a_flags_kept(&g->a, start);
}

/* A register, or memory if that is where it is. */
static struct place place_of(struct gen *g, uint32_t v)
{
	struct place p = { .kind = PLACE_MEM, .reg = RBP };

	if (use_mem(g, v, &p.disp))
		return p;
	p.kind = PLACE_REG;
	p.reg = use_reg(g, v);
	return p;
}

void int_multiply(struct gen *g, uint32_t a, uint32_t b)
{
	struct place src;
	unsigned dst;

	if (int_start_with_second(g, a, b)) {
		uint32_t t = a;

		a = b;
		b = t;
	}
	src = place_of(g, b);
	if (g->host->bmi2 && carry_pending(g)) {
		use_into(g, a, RDX);
		operands_read(g);
		mulx(g, w_of(g), RCX, def_reg(g), src);
		return;
	}
	dst = def_copy(g, a);
	if (a == b)
		a_rr(&g->a, w_of(g), 0x0faf, dst, dst);
	else if (src.kind == PLACE_MEM)
		a_rm(&g->a, w_of(g), 0x0faf, dst, RBP, src.disp);
	else
		a_rr(&g->a, w_of(g), 0x0faf, dst, src.reg);
}

void int_high_multiply(struct gen *g, const struct ir_inst *i)
{
	uint32_t a = i->arg[0], b = i->arg[1];
	bool w = wide(i);
	struct place src;

	/* one is copied anyway */
	if (g->val[a].reg == NO_REG && g->val[b].reg != NO_REG) {
		a = i->arg[1];
		b = i->arg[0];
	}
	src = place_of(g, b);
	if (g->host->bmi2 && i->op == IR_MULHU) {
		use_into(g, a, RDX);
		operands_read(g);
		mulx(g, w, def_reg(g), RCX, src);
		return;
	}
	use_into(g, a, RAX);
	if (src.kind == PLACE_MEM)
		a_rm(&g->a, w, 0xf7, i->op == IR_MULHU ? 4 : 5, RBP, src.disp);
	else
		a_group3(&g->a, i->op == IR_MULHU ? 4 : 5, w, src.reg);
	operands_read(g);
	a_mov(&g->a, w, def_reg(g), RDX);
}

/*
 * Division traps on the host where the IR has defined results: by zero 0, and the most negative
 * number by -1 itself with remainder 0.
 */
void int_divide(struct gen *g, const struct ir_inst *i)
{
	bool w = wide(i), is_signed = i->op == IR_DIVS || i->op == IR_REMS;
	bool remainder = i->op == IR_REMU || i->op == IR_REMS;
	unsigned b = use_reg(g, i->arg[1]), dst;
	uint32_t zero, minus_one = NO_INDEX, done, done2 = NO_INDEX;

	use_into(g, i->arg[0], RAX);
	dst = def_reg(g);
	a_test(&g->a, w, b, b);
	zero = a_jcc(&g->a, CC_E);
	if (is_signed) {
		a_alu_imm(&g->a, ALU_CMP, w, b, -1);
		minus_one = a_jcc(&g->a, CC_E);
		if (w)
			a_1(&g->a, 0x48);
		a_1(&g->a, 0x99); /* cdq, cqo */
	} else {
		a_rr(&g->a, false, 0x31, RDX, RDX);
	}
	a_group3(&g->a, is_signed ? 7 : 6, w, b);
	a_mov(&g->a, w, dst, remainder ? RDX : RAX);
	done = a_jmp(&g->a);
	if (is_signed) {
		a_patch_here(&g->a, minus_one);
		if (remainder) {
			a_rr(&g->a, false, 0x31, dst, dst);
		} else {
			a_group3(&g->a, 3, w, RAX);
			a_mov(&g->a, w, dst, RAX);
		}
		done2 = a_jmp(&g->a);
	}
	a_patch_here(&g->a, zero);
	a_rr(&g->a, false, 0x31, dst, dst);
	a_patch_here(&g->a, done);
	if (done2 != NO_INDEX)
		a_patch_here(&g->a, done2);
}
