/*
 * Integer operations. Two-address x86 forms: the result's register starts as a copy of the first
 * operand (its own register when it dies there) and takes the second from a register, memory or
 * an immediate.
 */
#include "jit/x86_64/gen.h"

static bool w_of(const struct gen *g)
{
	return wide(inst_of(g, g->at));
}

/* op dst, operand b */
static void alu_operand(struct gen *g, enum alu op, bool w, unsigned dst, uint32_t b)
{
	int32_t v;

	if (use_imm(g, b, &v))
		a_alu_imm(&g->a, op, w, dst, v);
	else if (use_mem(g, b, &v))
		a_alu_mem(&g->a, op, w, dst, RBP, v);
	else
		a_alu(&g->a, op, w, dst, use_reg(g, b));
}

/* The flags are, from here on, those of this. */
static void note_flags(struct gen *g, unsigned kind, uint32_t a, uint32_t b, bool w)
{
	g->flags.kind = kind;
	g->flags.a = a;
	g->flags.b = b;
	g->flags.w = w;
	a_note_flags(&g->a);
}

static bool flags_of(const struct gen *g, unsigned kind, uint32_t a, uint32_t b, bool w)
{
	return a_flags_hold(&g->a) && g->flags.kind == kind && g->flags.a == a && g->flags.b == b &&
	       g->flags.w == w;
}

static bool have_carry(const struct gen *g, uint32_t v)
{
	return a_flags_hold(&g->a) && g->flags.kind == FLAGS_CARRY && g->flags.a == v;
}

/* Is there a carry in the flags that nothing else has? */
static bool carry_pending(const struct gen *g)
{
	return a_flags_hold(&g->a) && g->flags.kind == FLAGS_CARRY && g->val[g->flags.a].in_flags;
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
}

/* Bring b out of the way when it sits in the register that a's copy may become. */
static void two_address(struct gen *g, enum alu op, uint32_t a, uint32_t b, bool commutes)
{
	bool w = w_of(g), lea;
	int32_t v;
	unsigned dst;

	/* a dying second operand serves as well as a dying first */
	if (commutes && !(g->val[a].reg != NO_REG && dies(g, a)) && g->val[b].reg != NO_REG &&
	    dies(g, b)) {
		uint32_t t = a;

		a = b;
		b = t;
	}
	if (g->val[b].reg != NO_REG)
		g->locked |= 1u << g->val[b].reg;
	/* lea saves the move where a lives on, and the flags */
	lea = op == ALU_ADD && w && !g->val[g->at].carries && (!dies(g, a) || carry_pending(g));
	if (lea && use_imm(g, b, &v)) {
		unsigned src = use_reg(g, a);

		operands_read(g);
		a_lea(&g->a, true, def_reg(g), src, v);
		return;
	}
	if (lea && (carry_pending(g) || (a != b && g->val[b].reg != NO_REG))) {
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
	alu_operand(g, op, w, dst, b);
	alu_flags(g, op, a, b);
}

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

static void multiply(struct gen *g, uint32_t a, uint32_t b)
{
	struct place src;
	unsigned dst;

	if (!(g->val[a].reg != NO_REG && dies(g, a)) && g->val[b].reg != NO_REG && dies(g, b)) {
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

static void high_multiply(struct gen *g, const struct ir_inst *i)
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
static void divide(struct gen *g, const struct ir_inst *i)
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

static void shift(struct gen *g, const struct ir_inst *i, enum shift op)
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

static void count_zeros(struct gen *g, const struct ir_inst *i)
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

/* CF := c, which is 0 or 1 */
static void load_carry(struct gen *g, uint32_t c)
{
	const struct ir_inst *i = inst_of(g, c);
	int32_t disp;
	unsigned reg;

	if (have_carry(g, c))
		return;
	if (g->val[c].in_flags) {
		g->failed = true; /* they were lost: alloc.c took a wrong view of some operation */
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
static void add_with_carry(struct gen *g, const struct ir_inst *i)
{
	uint32_t a = i->arg[0], b = i->arg[1];
	bool w = wide(i);
	unsigned dst;

	if (!(g->val[a].reg != NO_REG && dies(g, a)) && g->val[b].reg != NO_REG && dies(g, b)) {
		a = i->arg[1];
		b = i->arg[0];
	}
	/* From here on moves only. */
	load_carry(g, i->arg[2]);
	if (g->val[b].reg != NO_REG)
		g->locked |= 1u << g->val[b].reg;
	dst = def_copy(g, a);
	if (a == b)
		a_alu(&g->a, ALU_ADC, w, dst, dst);
	else
		alu_operand(g, ALU_ADC, w, dst, b);
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

static void add_carry(struct gen *g, const struct ir_inst *i)
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
		alu_operand(g, ALU_ADD, w, RAX, i->arg[1]);
	} else {
		unsigned b = use_reg(g, i->arg[1]);

		use_into(g, i->arg[0], RAX);
		load_carry(g, i->arg[2]);
		a_alu(&g->a, ALU_ADC, w, RAX, b);
	}
	a_setcc(&g->a, CC_B, RAX);
	operands_read(g);
	dst = def_reg(g);
	a_extend(&g->a, false, 0x0fb6, dst, RAX);
}

/* Compare, and say which condition tells that the comparison holds. */
enum cond gen_compare(struct gen *g, const struct ir_inst *i)
{
	static const enum cond cc[] = { CC_E, CC_NE, CC_L, CC_LE, CC_B, CC_BE };
	static const enum cond swapped[] = { CC_E, CC_NE, CC_G, CC_GE, CC_A, CC_AE };
	uint32_t a = i->arg[0], b = i->arg[1];
	bool w = i->aux != IR_I32, swap = inst_of(g, a)->op == IR_CONST;
	uint32_t key;
	int32_t v;

	if (swap) {
		a = i->arg[1];
		b = i->arg[0];
	}
	key = inst_of(g, b)->op == IR_CONST && !inst_of(g, b)->imm ? NO_INDEX : b;
	if (flags_of(g, FLAGS_COMPARE, a, key, w)) {
		/* a comparison of the same was just made */
	} else if (flags_of(g, FLAGS_COMPARE, b, a, w)) {
		swap = !swap;
		return swap ? swapped[i->op - IR_EQ] : cc[i->op - IR_EQ];
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

		alu_operand(g, ALU_CMP, w, ra, b);
	}
	note_flags(g, FLAGS_COMPARE, a, key, w);
	return swap ? swapped[i->op - IR_EQ] : cc[i->op - IR_EQ];
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
	if (use_mem(g, v, &disp)) {
		a_cmp_mem_imm(&g->a, wide(i), RBP, disp, 0);
	} else {
		unsigned r = use_reg(g, v);

		a_test(&g->a, wide(i), r, r);
	}
	return CC_NE;
}

/* CMP3 or a comparison to guest state of which the other bytes are zero already. */
void gen_set_compare(struct gen *g, const struct ir_inst *c, uint32_t off)
{
	struct ir_inst i = *c;

	if (c->op == IR_CMP3S || c->op == IR_CMP3U)
		i.op = c->op == IR_CMP3S ? IR_LTS : IR_LTU;
	a_setcc_mem(&g->a, gen_compare(g, &i), RBP, (int32_t)off);
	if (i.op != c->op)
		a_setcc_mem(&g->a, CC_E, RBP, (int32_t)off + 1);
}

static void compare_value(struct gen *g, const struct ir_inst *i)
{
	enum cond cc = gen_compare(g, i);
	unsigned dst;

	a_setcc(&g->a, cc, RAX);
	operands_read(g);
	dst = def_reg(g);
	a_extend(&g->a, false, 0x0fb6, dst, RAX);
}

/* Less in bit 0, equal in bit 8. */
static void compare_three(struct gen *g, const struct ir_inst *i)
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

static void select_value(struct gen *g, const struct ir_inst *i)
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

static void extract(struct gen *g, const struct ir_inst *i)
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

static void and_mask(struct gen *g, bool w, unsigned dst, uint64_t mask)
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

static void deposit(struct gen *g, const struct ir_inst *i)
{
	unsigned pos = ir_field_pos(i), len = ir_field_len(i);
	bool w = wide(i);
	uint64_t mask = ir_low_mask(len);
	unsigned dst;

	use_into(g, i->arg[1], RAX);
	and_mask(g, w, RAX, mask);
	if (pos)
		a_shift_imm(&g->a, SH_SHL, w, RAX, pos);
	dst = def_copy(g, i->arg[0]);
	and_mask(g, w, dst, w ? ~(mask << pos) : (uint32_t)~(mask << pos));
	a_alu(&g->a, ALU_OR, w, dst, RAX);
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
		c = inst_of(g, b);
		if (w && c->op == IR_CONST && !fits32((int64_t)c->imm) && c->imm <= UINT32_MAX) {
			dst = def_copy(g, a);
			and_mask(g, w, dst, c->imm);
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
		use_into(g, b, RAX);
		a_group3(&g->a, 2, w, RAX);
		dst = def_copy(g, a);
		a_alu(&g->a, ALU_AND, w, dst, RAX);
		break;
	case IR_NOT:
		a_group3(&g->a, 2, w, def_copy(g, a));
		break;
	case IR_NEG:
		a_group3(&g->a, 3, w, def_copy(g, a));
		break;
	case IR_MUL:
		multiply(g, a, b);
		break;
	case IR_MULHU:
	case IR_MULHS:
		high_multiply(g, i);
		break;
	case IR_DIVU:
	case IR_DIVS:
	case IR_REMU:
	case IR_REMS:
		divide(g, i);
		break;
	case IR_SHL:
		shift(g, i, SH_SHL);
		break;
	case IR_SHR:
		shift(g, i, SH_SHR);
		break;
	case IR_SAR:
		shift(g, i, SH_SAR);
		break;
	case IR_ROTL:
		shift(g, i, SH_ROL);
		break;
	case IR_CLZ:
	case IR_CTZ:
	case IR_POPCNT:
		count_zeros(g, i);
		break;
	case IR_BSWAP:
		a_bswap(&g->a, w, def_copy(g, a));
		break;
	case IR_ADDC:
		add_with_carry(g, i);
		break;
	case IR_ADDCARRY:
		add_carry(g, i);
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
		src = use_reg(g, a);
		operands_read(g);
		a_mov(&g->a, false, def_reg(g), src);
		break;
	case IR_EXTRACT:
		extract(g, i);
		break;
	case IR_DEPOSIT:
		deposit(g, i);
		break;
	case IR_EQ:
	case IR_NE:
	case IR_LTS:
	case IR_LES:
	case IR_LTU:
	case IR_LEU:
		compare_value(g, i);
		break;
	case IR_CMP3S:
	case IR_CMP3U:
		compare_three(g, i);
		break;
	case IR_SELECT:
		select_value(g, i);
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
