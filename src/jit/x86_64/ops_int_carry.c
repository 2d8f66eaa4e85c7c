/*
 * Sums with carries. Which carries stay in the host's flags was found before (flags.c).
 */
#include "jit/x86_64/ops_int.h"

/* CF := c, which is 0 or 1 */
void int_load_carry(struct gen *g, uint32_t c)
{
	const struct ir_inst *i = inst_of(g, c);
	int32_t disp;
	unsigned reg;

	if (have_carry(g, c))
		return;
	if (g->val[c].in_flags) {
		g->failed = true; /* lost: flags.c took a wrong view of some operation */
		return;
	}
	if (i->op == IR_CONST) {
		a_1(&g->a, i->imm & 1 ? 0xf9 : 0xf8); /* stc, clc */
	} else {
		reg = RCX;
		/* A byte: it may have been written so, and then is not forwarded to a wider load. */
		if (use_mem(g, c, &disp))
			a_rm(&g->a, false, 0x0fb6, RCX, RBP, disp);
		else
			reg = use_reg(g, c);
		a_rex(&g->a, false, 0, 0, reg, false); /* bt reg, 0 */
		a_1(&g->a, 0x0f);
		a_1(&g->a, 0xba);
		a_modrm_reg(&g->a, 4, reg);
		a_1(&g->a, 0);
	}
	note_flags(g, FLAGS_CARRY, c, 0, true);
}

/* a + b + c */
void int_add_with_carry(struct gen *g, const struct ir_inst *i)
{
	uint32_t a = i->arg[0], b = i->arg[1];
	bool w = wide(i);
	unsigned dst;

	if (int_start_with_second(g, a, b)) {
		a = i->arg[1];
		b = i->arg[0];
	}
	/* From here on moves only. */
	int_load_carry(g, i->arg[2]);
	if (g->val[b].reg != NO_REG)
		g->locked |= 1u << g->val[b].reg;
	dst = def_copy(g, a);
	if (a == b)
		a_alu(&g->a, ALU_ADC, w, dst, dst);
	else
		int_alu_operand(g, ALU_ADC, w, dst, b);
	note_flags(g, FLAGS_SUM, g->at, 0, w);
}

/* The carry of the addition that was just made. */
static void carry_of_sum(struct gen *g)
{
	const struct value *x = &g->val[g->at];
	unsigned dst;

	if (!flags_of(g, FLAGS_SUM, x->sum, 0, wide(inst_of(g, x->sum)))) {
		g->failed = true;
		return;
	}
	note_flags(g, FLAGS_CARRY, g->at, 0, true);
	if (x->in_flags)
		return;
	dst = def_reg(g);
	a_setcc(&g->a, CC_B, dst);
	a_extend(&g->a, false, 0x0fb6, dst, dst);
}

/* Write a carry that is in the flags to a byte of guest state. False: it is not there. */
bool gen_set_flag(struct gen *g, uint32_t v, uint32_t off)
{
	if (!have_carry(g, v))
		return false;
	a_setcc_mem(&g->a, CC_B, RBP, (int32_t)off);
	return true;
}

void int_add_carry(struct gen *g, const struct ir_inst *i)
{
	bool w = i->aux == IR_I64;
	const struct ir_inst *c = inst_of(g, i->arg[2]);
	unsigned dst;

	if (g->val[g->at].sum != NO_INDEX) {
		carry_of_sum(g);
		return;
	}
	if (c->op == IR_CONST && c->imm == 0) {
		use_into(g, i->arg[0], RAX);
		int_alu_operand(g, ALU_ADD, w, RAX, i->arg[1]);
	} else {
		unsigned b = use_reg(g, i->arg[1]);

		use_into(g, i->arg[0], RAX);
		int_load_carry(g, i->arg[2]);
		a_alu(&g->a, ALU_ADC, w, RAX, b);
	}
	a_setcc(&g->a, CC_B, RAX);
	operands_read(g);
	dst = def_reg(g);
	a_extend(&g->a, false, 0x0fb6, dst, RAX);
}
