/*
 * Comparisons: as values, as bytes of guest state, as conditions of branches and selections.
 */
#include "jit/x86_64/ops_int.h"

enum cond gen_cond_of(enum ir_op op)
{
	static const enum cond cc[] = {CC_E, CC_NE, CC_L, CC_LE, CC_B, CC_BE};

	if (op == IR_CMP3S || op == IR_CMP3U)
		op = op == IR_CMP3S ? IR_LTS : IR_LTU;
	return cc[op - IR_EQ];
}

enum cond gen_swapped_cond_of(enum ir_op op)
{
	static const enum cond cc[] = {CC_E, CC_NE, CC_G, CC_GE, CC_A, CC_AE};

	if (op == IR_CMP3S || op == IR_CMP3U)
		op = op == IR_CMP3S ? IR_LTS : IR_LTU;
	return cc[op - IR_EQ];
}

/* Compare, and say which condition tells that the comparison holds. */
enum cond gen_compare(struct gen *g, const struct ir_inst *i)
{
	uint32_t a = i->arg[0], b = i->arg[1];
	bool w = i->aux != IR_I32, swap = inst_of(g, a)->op == IR_CONST;
	uint32_t key;
	int32_t v;

	if (swap) {
		a = i->arg[1];
		b = i->arg[0];
	}
	key = inst_of(g, b)->op == IR_CONST && !inst_of(g, b)->imm ? NO_INDEX : b;
	if (key == NO_INDEX && i->op <= IR_NE && zero_known(g, a, w))
		return gen_cond_of(i->op);
	if (flags_of(g, FLAGS_COMPARE, a, key, w)) {
		/* a comparison of the same was just made */
	} else if (flags_of(g, FLAGS_COMPARE, b, a, w)) {
		swap = !swap;
		return swap ? gen_swapped_cond_of(i->op) : gen_cond_of(i->op);
	} else if (use_imm(g, b, &v)) {
		int32_t disp;

		if (use_mem(g, a, &disp)) {
			a_cmp_mem_imm(&g->a, w, RBP, disp, v);
		} else {
			unsigned ra = use_reg(g, a);

			if (v == 0)
				a_test(&g->a, w, ra, ra);
			else
				a_alu_imm(&g->a, ALU_CMP, w, ra, v);
		}
	} else {
		unsigned ra = use_reg(g, a);

		int_alu_operand(g, ALU_CMP, w, ra, b);
	}
	note_flags(g, FLAGS_COMPARE, a, key, w);
	return swap ? gen_swapped_cond_of(i->op) : gen_cond_of(i->op);
}

/* Test bits of memory that lie in one byte, which may just have been written as a byte. */
static bool test_byte(struct gen *g, int32_t disp, int32_t mask)
{
	unsigned at = mask ? (unsigned)__builtin_ctz((unsigned)mask) / 8 : 0;

	if (mask < 0 || (uint32_t)mask >> 8 * at > 0xff)
		return false;
	a_1(&g->a, 0xf6);
	a_modrm_mem(&g->a, 0, RBP, disp + (int32_t)at);
	a_1(&g->a, (uint8_t)((uint32_t)mask >> 8 * at));
	return true;
}

enum cond gen_condition(struct gen *g, uint32_t v)
{
	const struct ir_inst *i = inst_of(g, v);
	int32_t disp;

	if (g->val[v].fused && i->op == IR_AND) {
		int32_t mask;

		use_imm(g, i->arg[1], &mask);
		if (use_mem(g, i->arg[0], &disp) && test_byte(g, disp, mask))
			return CC_NE;
		a_test_imm(&g->a, wide(i) && mask < 0, use_reg(g, i->arg[0]), mask);
		return CC_NE;
	}
	if (g->val[v].fused)
		return gen_compare(g, i);
	if (zero_known(g, v, wide(i)))
		return CC_NE;
	if (use_mem(g, v, &disp)) {
		a_cmp_mem_imm(&g->a, wide(i), RBP, disp, 0);
	} else {
		unsigned r = use_reg(g, v);

		a_test(&g->a, wide(i), r, r);
	}
	return CC_NE;
}

void gen_store_compare(struct gen *g, enum ir_op op, enum cond cc, uint32_t off)
{
	a_setcc_mem(&g->a, cc, RBP, (int32_t)off);
	if (op == IR_CMP3S || op == IR_CMP3U)
		a_setcc_mem(&g->a, CC_E, RBP, (int32_t)off + 1);
}

/* CMP3 or a comparison to guest state of which the other bytes are zero already. */
void gen_set_compare(struct gen *g, const struct ir_inst *c, uint32_t off)
{
	struct ir_inst i = *c;

	if (c->op == IR_CMP3S || c->op == IR_CMP3U)
		i.op = c->op == IR_CMP3S ? IR_LTS : IR_LTU;
	gen_store_compare(g, c->op, gen_compare(g, &i), off);
}

/* Is it whether something is zero, which no flag says yet? */
static bool is_zero_test(struct gen *g, const struct ir_inst *i)
{
	const struct ir_inst *b = inst_of(g, i->arg[1]);
	bool w = i->aux != IR_I32;

	return i->op == IR_EQ && b->op == IR_CONST && !b->imm && inst_of(g, i->arg[0])->op != IR_CONST &&
	       !zero_known(g, i->arg[0], w) && !flags_of(g, FLAGS_COMPARE, i->arg[0], NO_INDEX, w);
}

void int_compare_value(struct gen *g, const struct ir_inst *i)
{
	enum cond cc;
	unsigned dst;

	if (g->host->lzcnt && is_zero_test(g, i)) {
		/* the width for zero alone */
		bool w = i->aux != IR_I32;
		unsigned src = use_reg(g, i->arg[0]);

		operands_read(g);
		dst = def_reg(g);
		a_f3(&g->a, w, 0xbd, dst, src);
		a_shift_imm(&g->a, SH_SHR, false, dst, w ? 6 : 5);
		return;
	}
	cc = gen_compare(g, i);
	a_setcc(&g->a, cc, RAX);
	operands_read(g);
	dst = def_reg(g);
	a_extend(&g->a, false, 0x0fb6, dst, RAX);
}

/* Less in bit 0, equal in bit 8. */
void int_compare_three(struct gen *g, const struct ir_inst *i)
{
	struct ir_inst less = *i;
	enum cond cc;

	less.op = i->op == IR_CMP3S ? IR_LTS : IR_LTU;
	cc = gen_compare(g, &less);
	a_setcc(&g->a, cc, RAX);
	a_setcc_ah(&g->a, CC_E);
	operands_read(g);
	a_extend(&g->a, false, 0x0fb7, def_reg(g), RAX);
}

/* Is x read to compute the condition v? */
static bool condition_reads(const struct gen *g, uint32_t v, uint32_t x)
{
	const struct ir_inst *c = inst_of(g, v);

	return v == x || (g->val[v].fused && (c->arg[0] == x || c->arg[1] == x));
}

/* cmov into the register of an operand that the condition does not need. */
static void select_into(struct gen *g, uint32_t v, uint32_t into, uint32_t other, bool invert)
{
	unsigned dst, src;

	/* Values first: loading constants may change flags. */
	dst = def_copy(g, into);
	src = use_reg(g, other);
	a_cmov(&g->a, gen_condition(g, v) ^ invert, true, dst, src);
}

void int_select(struct gen *g, const struct ir_inst *i)
{
	uint32_t yes = i->arg[1], no = i->arg[2];
	enum cond cc;
	unsigned dst;

	if (i->type == IR_V128) {
		unsigned a = use_reg(g, yes), b = use_reg(g, no);
		uint32_t skip;

		cc = gen_condition(g, i->arg[0]);
		a_sse(&g->a, 0, 0x0f28, 0, a);
		skip = a_jcc(&g->a, cc);
		a_sse(&g->a, 0, 0x0f28, 0, b);
		a_patch_here(&g->a, skip);
		dst = def_reg(g);
		a_sse(&g->a, 0, 0x0f28, dst, 0);
		return;
	}
	if (yes != no && !condition_reads(g, i->arg[0], no)) {
		select_into(g, i->arg[0], no, yes, false);
		return;
	}
	if (yes != no && !condition_reads(g, i->arg[0], yes)) {
		select_into(g, i->arg[0], yes, no, true);
		return;
	}
	use_into(g, no, RAX);
	use_into(g, yes, RCX);
	cc = gen_condition(g, i->arg[0]);
	a_cmov(&g->a, cc, true, RAX, RCX);
	dst = def_reg(g);
	a_mov(&g->a, wide(i), dst, RAX);
}
