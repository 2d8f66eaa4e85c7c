/*
 * Integer operations: the dispatcher, and sums and logic. Two-address x86 forms: the result's
 * register starts as a copy of the first operand (its own register when it dies there) and takes
 * the second from a register, memory or an immediate.
 */
#include "jit/x86_64/ops_int.h"

/* op dst, operand b */
void int_alu_operand(struct gen *g, enum alu op, bool w, unsigned dst, uint32_t b)
{
	int32_t v;

	if (use_imm(g, b, &v))
		a_alu_imm(&g->a, op, w, dst, v);
	else if (use_mem(g, b, &v))
		a_alu_mem(&g->a, op, w, dst, RBP, v);
	else
		a_alu(&g->a, op, w, dst, use_reg(g, b));
}

/* What an operation's flags are good for. */
static void alu_flags(struct gen *g, enum alu op, uint32_t a, uint32_t b)
{
	if (op == ALU_SUB)
		note_flags(g, FLAGS_COMPARE, a, b, w_of(g));
	else if (op == ALU_AND || op == ALU_OR || op == ALU_XOR)
		note_flags(g, FLAGS_COMPARE, g->at, NO_INDEX, w_of(g));
	else if (op == ALU_ADD)
		note_flags(g, FLAGS_SUM, g->at, 0, w_of(g));
	note_zero(g);
}

/*
 * Should the result start as a copy of b, not a? A dying second operand serves as well as a dying
 * first, one that is there already better.
 */
bool int_start_with_second(struct gen *g, uint32_t a, uint32_t b)
{
	if (in_place(g, a))
		return false;
	return in_place(g, b) || (!(g->val[a].reg != NO_REG && dies(g, a)) &&
				  g->val[b].reg != NO_REG && dies(g, b));
}

/* Bring b out of the way when it sits in the register that a's copy may become. */
static void two_address(struct gen *g, enum alu op, uint32_t a, uint32_t b, bool commutes)
{
	bool w = w_of(g), lea;
	int32_t v;
	unsigned dst;

	if (commutes && int_start_with_second(g, a, b)) {
		uint32_t t = a;

		a = b;
		b = t;
	}
	if (g->val[b].reg != NO_REG)
		g->locked |= 1u << g->val[b].reg;
	/* lea saves the move where a's register lives on, and the flags; add tells whether it is zero */
	lea = op == ALU_ADD && w && !g->val[g->at].carries &&
	      (!dies(g, a) || in_pin(g, a) || carry_pending(g)) &&
	      (carry_pending(g) || !(g->val[g->at].tested && in_place(g, a)));
	if (lea && use_imm(g, b, &v)) {
		unsigned src = use_reg(g, a);

		operands_read(g);
		a_lea(&g->a, true, def_reg(g), src, v);
		return;
	}
	if (lea && (carry_pending(g) || (a != b && (g->val[b].reg != NO_REG || in_pin(g, b))))) {
		unsigned src = use_reg(g, a), other = use_reg(g, b);

		operands_read(g);
		a_lea_idx(&g->a, true, def_reg(g), src, other);
		return;
	}
	if (a == b) {
		dst = def_copy(g, a);
		a_alu(&g->a, op, w, dst, dst);
		alu_flags(g, op, a, b);
		return;
	}
	dst = def_copy(g, a);
	int_alu_operand(g, op, w, dst, b);
	alu_flags(g, op, a, b);
}

/* Has a value's register nothing in the upper half, whatever it is? */
static bool upper_half_is_zero(const struct gen *g, uint32_t v)
{
	const struct ir_inst *i = inst_of(g, v);

	switch ((enum ir_op)i->op) {
	case IR_LOAD:
	case IR_LOAD_HOST:
		return i->type == IR_I32 || (i->type == IR_I64 && ir_memop_of(i).size <= 4 && !ir_memop_of(i).sign_extend);
	case IR_CLZ:
	case IR_CTZ:
	case IR_POPCNT:
	case IR_ZEXT8:
	case IR_ZEXT16:
	case IR_ZEXT32:
		return true;
	case IR_EXTRACT:
		return i->type == IR_I32 || ir_field_len(i) <= 32;
	case IR_ADD:
	case IR_SUB:
	case IR_AND:
	case IR_OR:
	case IR_XOR:
	case IR_SHL:
	case IR_SHR:
	case IR_SAR:
	case IR_ROTL:
	case IR_BSWAP:
	case IR_TRUNC32:
		/* what has 32 bits is made by operations of 32 bits */
		return i->type == IR_I32;
	default:
		return false;
	}
}

void gen_int(struct gen *g, const struct ir_inst *i)
{
	uint32_t a = i->arg[0], b = i->arg[1];
	const struct ir_inst *c;
	bool w = wide(i);
	unsigned dst, src;

	switch ((enum ir_op)i->op) {
	case IR_ADD:
		two_address(g, ALU_ADD, a, b, true);
		break;
	case IR_SUB:
		two_address(g, ALU_SUB, a, b, false);
		break;
	case IR_AND:
		if (g->val[a].field) {
			def_copy(g, a); /* the shift has masked it */
			break;
		}
		c = inst_of(g, b);
		if (w && c->op == IR_CONST && !fits32((int64_t)c->imm) && c->imm <= UINT32_MAX) {
			dst = def_copy(g, a);
			int_and_mask(g, w, dst, c->imm);
			break;
		}
		two_address(g, ALU_AND, a, b, true);
		break;
	case IR_OR:
		two_address(g, ALU_OR, a, b, true);
		break;
	case IR_XOR:
		two_address(g, ALU_XOR, a, b, true);
		break;
	case IR_ANDN:
		if (g->host->bmi1) {
			unsigned inverted = use_reg(g, b);

			src = use_reg(g, a);
			operands_read(g);
			a_vex(&g->a, 0, 0x0f38f2, w, def_reg(g), inverted, src); /* andn */
			note_flags(g, FLAGS_COMPARE, g->at, NO_INDEX, w);
			note_zero(g);
			break;
		}
		use_into(g, b, RAX);
		a_group3(&g->a, 2, w, RAX);
		dst = def_copy(g, a);
		a_alu(&g->a, ALU_AND, w, dst, RAX);
		break;
	case IR_NOT:
		a_group3(&g->a, 2, w, def_copy(g, a));
		break;
	case IR_NEG:
		if (g->val[a].fused) {
			int_carry_of_compare(g, a);
			operands_read(g);
			dst = def_reg(g);
			a_alu(&g->a, ALU_SBB, w, dst, dst);
			break;
		}
		a_group3(&g->a, 3, w, def_copy(g, a));
		break;
	case IR_MUL:
		int_multiply(g, a, b);
		break;
	case IR_MULHU:
	case IR_MULHS:
		int_high_multiply(g, i);
		break;
	case IR_DIVU:
	case IR_DIVS:
	case IR_REMU:
	case IR_REMS:
		int_divide(g, i);
		break;
	case IR_SHL:
		int_shift(g, i, SH_SHL);
		break;
	case IR_SHR:
		int_shift(g, i, SH_SHR);
		break;
	case IR_SAR:
		int_shift(g, i, SH_SAR);
		break;
	case IR_ROTL:
		int_shift(g, i, SH_ROL);
		break;
	case IR_CLZ:
	case IR_CTZ:
	case IR_POPCNT:
		int_count_zeros(g, i);
		break;
	case IR_BSWAP:
		a_bswap(&g->a, w, def_copy(g, a));
		break;
	case IR_ADDC:
		int_add_with_carry(g, i);
		break;
	case IR_ADDCARRY:
		int_add_carry(g, i);
		break;
	case IR_SEXT8:
		src = use_reg(g, a);
		operands_read(g);
		a_extend(&g->a, w, 0x0fbe, def_reg(g), src);
		break;
	case IR_SEXT16:
		src = use_reg(g, a);
		operands_read(g);
		a_extend(&g->a, w, 0x0fbf, def_reg(g), src);
		break;
	case IR_SEXT32:
		src = use_reg(g, a);
		operands_read(g);
		a_rr(&g->a, true, 0x63, def_reg(g), src);
		break;
	case IR_ZEXT8:
		src = use_reg(g, a);
		operands_read(g);
		a_extend(&g->a, false, 0x0fb6, def_reg(g), src);
		break;
	case IR_ZEXT16:
		src = use_reg(g, a);
		operands_read(g);
		a_extend(&g->a, false, 0x0fb7, def_reg(g), src);
		break;
	case IR_ZEXT32:
	case IR_TRUNC32:
		if (upper_half_is_zero(g, a)) {
			def_copy(g, a);
			break;
		}
		src = use_reg(g, a);
		operands_read(g);
		a_mov(&g->a, false, def_reg(g), src);
		break;
	case IR_EXTRACT:
		int_extract(g, i);
		break;
	case IR_DEPOSIT:
		int_deposit(g, i);
		break;
	case IR_EQ:
	case IR_NE:
	case IR_LTS:
	case IR_LES:
	case IR_LTU:
	case IR_LEU:
		int_compare_value(g, i);
		break;
	case IR_CMP3S:
	case IR_CMP3U:
		int_compare_three(g, i);
		break;
	case IR_SELECT:
		int_select(g, i);
		break;
	default:
		g->failed = true;
		break;
	}
}

bool gen_is_int(enum ir_op op)
{
	return op >= IR_ADD && op <= IR_SELECT;
}
