/*
 * Branches (Power ISA 3.0B, Book I 2.4).
 *
 * In 32-bit mode instruction addresses have 32 bits: targets and what is put into LR are
 * truncated, and a branch that counts tests the low word of CTR although it decrements all of it.
 */
#include "cpu/power9/emit_common.h"

/* Bits of BO. */
#define BO_NO_CR    0x10u /* CR bit not tested */
#define BO_CR_SET   0x08u /* branch when it is 1 */
#define BO_NO_CTR   0x04u /* CTR neither decremented nor tested */
#define BO_CTR_ZERO 0x02u /* branch when CTR became 0 */

static uint64_t insn_address(const struct p9_translator *t, uint64_t a)
{
	return p9_mode64(t) ? a : (uint32_t)a;
}

static void link_if(struct p9_translator *t, const struct p9_insn *i)
{
	if (insn_LK(i))
		ir_set(t->r, P9_OFF(lr), ir_pc(t->r, insn_address(t, t->pc + 4)));
}

/*
 * Decrement CTR if BO says so, and work out whether the branch is taken: *cond is the value to
 * test, *invert says that the branch is taken when it is zero. False: always taken.
 */
static bool condition(struct p9_translator *t, unsigned bo, unsigned bi, ir_val *cond, bool *invert)
{
	bool counts = !(bo & BO_NO_CTR);
	bool tests = !(bo & BO_NO_CR);

	*invert = false;
	*cond = p9_i64(t, 1);
	if (counts) {
		ir_val ctr = p9_bini(t, IR_SUB, ir_get(t->r, IR_I64, P9_OFF(ctr)), 1);

		ir_set(t->r, P9_OFF(ctr), ctr);
		*cond = p9_bini(t, bo & BO_CTR_ZERO ? IR_EQ : IR_NE, p9_ea(t, ctr), 0);
	}
	if (tests) {
		ir_val bit = p9_cr_bit(t, bi);

		if (!counts) {
			*cond = bit;
			*invert = !(bo & BO_CR_SET);
		} else {
			if (!(bo & BO_CR_SET))
				bit = p9_bini(t, IR_XOR, bit, 1);
			*cond = p9_bin(t, IR_AND, *cond, bit);
		}
	}
	return counts || tests;
}

/* Branch to `target` (direct: relative to the instruction) or to the address in *reg, when the condition holds. */
static void branch(struct p9_translator *t, const struct p9_insn *i, bool conditional,
		   uint64_t target, const ir_val *reg)
{
	ir_block taken, not_taken;
	bool invert = false;
	ir_val cond;

	if (conditional)
		conditional = condition(t, insn_BO(i), insn_BI(i), &cond, &invert);
	link_if(t, i);
	if (conditional) {
		taken = ir_create_block(t->r);
		not_taken = ir_create_block(t->r);
		ir_br(t->r, cond, invert ? not_taken : taken, invert ? taken : not_taken);
		ir_begin_block(t->r, not_taken);
		p9_exit_direct(t, insn_address(t, t->pc + 4));
		ir_begin_block(t->r, taken);
	}
	if (reg)
		p9_exit_indirect(t, *reg);
	else
		p9_exit_direct(t, insn_address(t, target));
}

/* The instruction address in a register: the low two bits are ignored. */
static ir_val address_in(struct p9_translator *t, uint32_t offset)
{
	return p9_bini(t, IR_AND, p9_ea(t, ir_get(t->r, IR_I64, offset)), ~UINT64_C(3));
}

/* An absolute target stays where it is when the code is mapped elsewhere: to the region it is any address. */
static void branch_immediate(struct p9_translator *t, const struct p9_insn *i, bool conditional,
			     uint64_t offset)
{
	ir_val target;

	if (insn_AA(i)) {
		target = p9_i64(t, insn_address(t, offset));
		branch(t, i, conditional, 0, &target);
	} else {
		branch(t, i, conditional, t->pc + offset, NULL);
	}
}

void p9_emit_b(struct p9_translator *t, const struct p9_insn *i)
{
	branch_immediate(t, i, false, (uint64_t)insn_LI(i));
}

void p9_emit_bc(struct p9_translator *t, const struct p9_insn *i)
{
	branch_immediate(t, i, true, (uint64_t)insn_BD(i));
}

/* The target is read before LR is written: bclrl goes where LR pointed. */
void p9_emit_bclr(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val target = address_in(t, P9_OFF(lr));

	branch(t, i, true, 0, &target);
}

void p9_emit_bcctr(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val target;

	/* Invalid form: CTR cannot be counter and target at once. */
	if (!(insn_BO(i) & BO_NO_CTR)) {
		p9_raise_illegal(t, i->raw);
		return;
	}
	target = address_in(t, P9_OFF(ctr));
	branch(t, i, true, 0, &target);
}

void p9_emit_bctar(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val target = address_in(t, P9_OFF(tar));

	branch(t, i, true, 0, &target);
}
