/*
 * The ops of each instruction: which handler, with which operands.
 */
#include "ir/lower.h"

/*
 * The op about to be written may fault: the side table must know its instruction. Nobody gets to where none is known (ir_check),
 * as the optimiser leaves a block now and then whose last way it took.
 */
static void lower_may_fault(struct output *o)
{
	if (o->npc && o->pc[o->npc - 1].pc == o->guest_pc)
		return;
	if (o->guest_pc + o->l.r->base == UINT64_MAX)
		return;
	o->pc[o->npc++] = (struct lower_pc){.pc = o->guest_pc, .first = o->nop};
}

/* An op with result `id`, behind all that its operands need. */
static struct code_wide *op_with_result(struct output *o, unsigned handler, uint32_t id, uint16_t a,
				      uint16_t b, uint16_t c, uint64_t imm)
{
	uint16_t d = lower_result(o, id);
	struct code_wide *op = lower_add_op(o, handler);

	op->d = d;
	op->a = a;
	op->b = b;
	op->c = c;
	op->imm = imm;
	return op;
}

/* Families with the forms 64_RR, 64_RI, 32_RR, 32_RI. */
static unsigned form(unsigned base, bool is_32, bool is_imm)
{
	return base + 2 * is_32 + is_imm;
}

static const uint16_t binary_code[IR_OP_COUNT] = {
	[IR_ADD] = CODE_ADD64_RR,     [IR_SUB] = CODE_SUB64_RR,     [IR_MUL] = CODE_MUL64_RR,
	[IR_AND] = CODE_AND64_RR,     [IR_OR] = CODE_OR64_RR,       [IR_XOR] = CODE_XOR64_RR,
	[IR_ANDN] = CODE_ANDN64_RR,   [IR_SHL] = CODE_SHL64_RR,     [IR_SHR] = CODE_SHR64_RR,
	[IR_SAR] = CODE_SAR64_RR,     [IR_ROTL] = CODE_ROTL64_RR,   [IR_DIVU] = CODE_DIVU64_RR,
	[IR_DIVS] = CODE_DIVS64_RR,   [IR_REMU] = CODE_REMU64_RR,   [IR_REMS] = CODE_REMS64_RR,
	[IR_EQ] = CODE_EQ64_RR,       [IR_NE] = CODE_NE64_RR,       [IR_LTS] = CODE_LTS64_RR,
	[IR_LES] = CODE_LES64_RR,     [IR_LTU] = CODE_LTU64_RR,     [IR_LEU] = CODE_LEU64_RR,
	[IR_CMP3S] = CODE_CMP3S64_RR, [IR_CMP3U] = CODE_CMP3U64_RR,
};

/* Those with the forms 64, 32 (one operand, or two that are no constants). */
static const uint16_t plain_code[IR_OP_COUNT] = {
	[IR_MULHU] = CODE_MULHU_64,   [IR_MULHS] = CODE_MULHS_64,   [IR_NOT] = CODE_NOT_64,
	[IR_NEG] = CODE_NEG_64,       [IR_CLZ] = CODE_CLZ_64,       [IR_CTZ] = CODE_CTZ_64,
	[IR_BSWAP] = CODE_BSWAP_64,   [IR_POPCNT] = CODE_POPCNT_64, [IR_SEXT8] = CODE_SEXT8_64,
	[IR_SEXT16] = CODE_SEXT16_64, [IR_ZEXT8] = CODE_ZEXT8_64,   [IR_ZEXT16] = CODE_ZEXT16_64,
};

/* Vector operations: the first of those for each lane, or the only one. */
static const uint16_t vector_code[IR_OP_COUNT] = {
	[IR_VAND] = CODE_VAND,     [IR_VOR] = CODE_VOR,       [IR_VXOR] = CODE_VXOR,
	[IR_VANDN] = CODE_VANDN,   [IR_VNOT] = CODE_VNOT,     [IR_VMAKE] = CODE_VMAKE,
	[IR_VADD] = CODE_VADD_8,   [IR_VSUB] = CODE_VSUB_8,   [IR_VEQ] = CODE_VEQ_8,
	[IR_VGTS] = CODE_VGTS_8,   [IR_VGTU] = CODE_VGTU_8,   [IR_VMINS] = CODE_VMINS_8,
	[IR_VMAXS] = CODE_VMAXS_8, [IR_VMINU] = CODE_VMINU_8, [IR_VMAXU] = CODE_VMAXU_8,
	[IR_VSHL] = CODE_VSHL_8,   [IR_VSHR] = CODE_VSHR_8,   [IR_VSAR] = CODE_VSAR_8,
	[IR_VDUP] = CODE_VDUP_8,   [IR_VPERM2] = CODE_VPERM2, [IR_VROTL] = CODE_VROTL_8,
};

static bool commutes(enum ir_op op)
{
	return op == IR_ADD || op == IR_MUL || op == IR_AND || op == IR_OR || op == IR_XOR ||
	       op == IR_EQ || op == IR_NE;
}

/* (Comparisons of words take the low ones of doublewords, too.) */
static uint16_t operand_of(struct output *o, uint32_t id, bool is_32)
{
	return is_32 ? lower_low_operand(o, id) : lower_operand(o, id);
}

/*
 * A comparison with a constant on the left, as one with a constant on the right: c < x is x > c,
 * and c <= x is x > c - 1 but for the least c.
 */
static bool put_backwards(struct output *o, uint32_t id, uint64_t c)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	bool is_signed = i->op == IR_LTS || i->op == IR_LES;
	bool is_32 = i->aux == IR_I32;
	uint64_t least = !is_signed ? 0 : is_32 ? UINT64_C(0x80000000) : UINT64_C(1) << 63;

	if (i->op != IR_LTS && i->op != IR_LES && i->op != IR_LTU && i->op != IR_LEU)
		return false;
	/* Of a doubleword the low word counts. */
	if (is_32)
		c = (uint32_t)c;
	if (i->op == IR_LES || i->op == IR_LEU) {
		if (c == least)
			return false;
		c--;
	}
	op_with_result(o, form(is_signed ? CODE_GTS64_RR : CODE_GTU64_RR, is_32, true), id,
		       operand_of(o, i->arg[1], is_32), 0, 0, c);
	return true;
}

static void put_binary(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	bool compares = i->op >= IR_EQ && i->op <= IR_CMP3U;
	bool is_32 = (compares ? i->aux : i->type) == IR_I32;
	uint32_t a = i->arg[0], b = i->arg[1];
	uint64_t left, imm = 0;
	uint16_t la, lb;

	if (lower_const(&o->l, a, &left) && !lower_const(&o->l, b, &imm)) {
		if (i->op == IR_SUB) {
			op_with_result(o, is_32 ? CODE_SUB32_IR : CODE_SUB64_IR, id,
				       lower_operand(o, b), 0, 0, left);
			return;
		}
		if (put_backwards(o, id, left))
			return;
		if (commutes(i->op)) {
			a = i->arg[1];
			b = i->arg[0];
		}
	}
	la = operand_of(o, a, is_32);
	if (lower_const(&o->l, b, &imm)) {
		if (is_32)
			imm = (uint64_t)(int64_t)(int32_t)imm; /* more of them are short */
		op_with_result(o, form(binary_code[i->op], is_32, true), id, la, 0, 0, imm);
		return;
	}
	lb = operand_of(o, b, is_32);
	op_with_result(o, form(binary_code[i->op], is_32, false), id, la, lb, 0, 0);
}

static void put_cmp3_or(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	unsigned k = o->l.v[id].index;
	const struct ir_inst *cmp = &o->l.r->inst[i->arg[k]];
	unsigned base = cmp->op == IR_CMP3S ? CODE_CMP3S_OR64_RR : CODE_CMP3U_OR64_RR;
	uint64_t imm = 0;
	bool is_imm = lower_const(&o->l, cmp->arg[1], &imm);
	bool is_32 = cmp->aux == IR_I32;
	uint16_t a = operand_of(o, cmp->arg[0], is_32);
	uint16_t b = is_imm ? 0 : operand_of(o, cmp->arg[1], is_32);
	uint16_t c = lower_operand(o, i->arg[1 - k]);

	op_with_result(o, form(base, is_32, is_imm), id, a, b, c, imm);
}

static void put_rotl_and(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id], *rot = &o->l.r->inst[i->arg[0]];
	uint64_t amount = 0, mask = 0;

	lower_const(&o->l, rot->arg[1], &amount);
	lower_const(&o->l, i->arg[1], &mask);
	op_with_result(o, CODE_ROTL_AND64, id, lower_operand(o, rot->arg[0]), amount & 63, 0, mask);
}

/* ADDC and ADDCARRY. */
static void put_addcarry(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	unsigned code = i->op == IR_ADDC ? (i->type == IR_I32 ? CODE_ADDC32_RR_C : CODE_ADDC64_RR_C)
			: i->aux == IR_I32 ? CODE_ADDCARRY32_RR_C
					   : CODE_ADDCARRY64_RR_C;
	uint32_t x = i->arg[0], y = i->arg[1];
	uint64_t imm = 0, carry;
	uint16_t a, b = 0, c;

	if (lower_const(&o->l, x, &imm)) {
		x = i->arg[1];
		y = i->arg[0];
	}
	a = lower_operand(o, x);
	if (lower_const(&o->l, y, &imm))
		code += CODE_ADDCARRY64_RI_C - CODE_ADDCARRY64_RR_C;
	else
		b = lower_operand(o, y);
	if (lower_const(&o->l, i->arg[2], &carry)) {
		code += CODE_ADDCARRY64_RR_K - CODE_ADDCARRY64_RR_C;
		c = carry & 1;
	} else {
		c = lower_low_operand(o, i->arg[2]);
	}
	op_with_result(o, code, id, a, b, c, imm);
}

static void put_field(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	unsigned pos = ir_field_pos(i), len = ir_field_len(i);
	bool is_32 = i->type == IR_I32;
	uint64_t mask = ir_low_mask(len), imm;
	uint16_t a = lower_operand(o, i->arg[0]);

	if (i->op == IR_EXTRACT)
		op_with_result(o, is_32 ? CODE_EXTRACT32 : CODE_EXTRACT64, id, a, pos | len << 8, 0, 0);
	else if (lower_const(&o->l, i->arg[1], &imm))
		op_with_result(o, is_32 ? CODE_DEPOSIT32_RI : CODE_DEPOSIT64_RI, id, a, pos, len,
			       (imm & mask) << pos);
	else
		op_with_result(o, is_32 ? CODE_DEPOSIT32_RR : CODE_DEPOSIT64_RR, id, a,
			       lower_operand(o, i->arg[1]), pos, mask << pos);
}

/* The handler for a condition in a family of them, and its first two operands. */
static unsigned put_cond(struct output *o, const struct cond *c, unsigned family, uint16_t *a,
			 uint16_t *b)
{
	*a = operand_of(o, c->a, c->is_32);
	*b = c->is_imm ? 0 : operand_of(o, c->b, c->is_32);
	return form(family + 4 * c->kind, c->is_32, c->is_imm);
}

static void put_select(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	uint32_t yes = i->arg[1], no = i->arg[2];
	uint16_t a, b, x, y;

	if (o->l.v[id].fuse == FUSE_COND) {
		const struct cond *c = &o->l.cond[o->l.v[id].index];
		unsigned code = put_cond(o, c, CODE_SELECT_EQ64_RR, &a, &b);

		x = lower_operand(o, c->invert ? no : yes);
		y = lower_operand(o, c->invert ? yes : no);
		op_with_result(o, code, id, a, x, y, c->is_imm ? c->imm : b);
		return;
	}
	a = lower_operand(o, i->arg[0]);
	x = lower_operand(o, yes);
	y = lower_operand(o, no);
	op_with_result(o,
		       i->type == IR_V128  ? CODE_SELECTV
		       : i->type == IR_I64 ? CODE_SELECT64
					   : CODE_SELECT32,
		       id, a, x, y, 0);
}

/* The address of a LOAD or STORE: operand a, and b or *imm. True: b. */
static bool put_address(struct output *o, uint32_t id, uint16_t *a, uint16_t *b, uint64_t *imm)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	uint32_t x = i->arg[0], y = IR_NO_VAL;

	*imm = 0;
	*b = 0;
	if (o->l.v[id].fuse != FUSE_NONE)
		lower_address(&o->l, o->l.v[id].index, &x, &y, imm);
	*imm = y != IR_NO_VAL ? 0 : *imm + (uint64_t)(int64_t)ir_disp_of(i);
	*a = lower_operand(o, x);
	if (y != IR_NO_VAL)
		*b = lower_operand(o, y);
	return y != IR_NO_VAL;
}

static void put_alignment(struct output *o, struct ir_memop m, bool sum, uint16_t a, uint16_t b,
			  uint64_t imm, bool store)
{
	struct code_wide *op;

	if (!m.aligned || m.size == 1)
		return;
	op = lower_add_op(o, sum ? CODE_ALIGN_X : CODE_ALIGN_I);
	op->a = a;
	op->b = b;
	op->c = m.size - 1;
	op->d = store;
	op->imm = imm;
}

static void put_load(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	struct ir_memop m = ir_memop_of(i);
	uint64_t imm;
	uint16_t a, b;
	bool sum = put_address(o, id, &a, &b, &imm);
	unsigned code;

	if (i->type == IR_V128)
		code = m.big_endian ? CODE_LD_V_BE_I : CODE_LD_V_LE_I;
	else
		code = (i->type == IR_I32 ? CODE_LD_WU8_LE_I : CODE_LD_U8_LE_I) +
		       8 * (unsigned)__builtin_ctz(m.size) + 4 * m.sign_extend + 2 * m.big_endian;
	lower_may_fault(o);
	put_alignment(o, m, sum, a, b, imm, false);
	op_with_result(o, code + sum, id, a, b, 0, imm);
}

static void put_store(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	struct ir_memop m = ir_memop_of(i);
	uint64_t imm;
	uint16_t a, b, v;
	bool sum = put_address(o, id, &a, &b, &imm);
	struct code_wide *op;
	unsigned code;

	v = m.size < 8 ? lower_low_operand(o, i->arg[1]) : lower_operand(o, i->arg[1]);
	if (i->type == IR_V128)
		code = m.big_endian ? CODE_ST_V_BE_I : CODE_ST_V_LE_I;
	else
		code = CODE_ST_8_LE_I + 4 * (unsigned)__builtin_ctz(m.size) + 2 * m.big_endian;
	lower_may_fault(o);
	put_alignment(o, m, sum, a, b, imm, true);
	op = lower_add_op(o, code + sum);
	op->d = v;
	op->a = a;
	op->b = b;
	op->imm = imm;
}

static void put_atomic(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	struct ir_memop m = ir_memop_of(i);
	uint16_t a = lower_operand(o, i->arg[0]), b = lower_operand(o, i->arg[1]);
	uint16_t c = i->op == IR_CAS ? lower_operand(o, i->arg[2]) : 0;

	lower_may_fault(o);
	op_with_result(o, i->op == IR_CAS ? CODE_CAS : CODE_RMW, id, a, b, c,
		       code_atomic_imm((struct code_atomic){.size = m.size,
							    .kind = (uint8_t)i->aux,
							    .type = i->type,
							    .big_endian = m.big_endian,
							    .sign_extend = m.sign_extend}));
}

/* Rare in what is interpreted: all of an access is in the op's operands and imm. */
static void put_host(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	uint16_t a = lower_operand(o, i->arg[0]), v;
	struct code_wide *op;

	if (i->op == IR_PROBE) {
		lower_may_fault(o);
		op_with_result(o, CODE_PROBE, id, a, 0, i->aux, i->imm);
		return;
	}
	if (i->op == IR_LOAD_HOST) {
		op_with_result(o, CODE_LD_HOST, id, a, 0, i->type, i->imm);
		return;
	}
	v = ir_memop_of(i).size < 8 ? lower_low_operand(o, i->arg[1]) :
				      lower_operand(o, i->arg[1]);
	op = lower_add_op(o, CODE_ST_HOST);
	op->a = a;
	op->b = v;
	op->c = i->type;
	op->imm = i->imm;
}

static void put_call(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	const struct ir_helper *h = ir_helper_of(i);
	bool faults = h->flags & IR_H_FAULTS;
	bool all_i64 = h->result == IR_I64 || h->result == IR_NONE;
	struct code_call call = {.fn = h->fn,
				 .pc = o->guest_pc,
				 .nargs = h->nargs,
				 .result = h->result,
				 .faults = faults};
	unsigned code = CODE_CALL_ANY;
	struct code_wide *op;

	for (unsigned k = 0; k < h->nargs; k++) {
		call.arg[k] = lower_operand(o, i->arg[k]);
		call.type[k] = h->arg[k];
		all_i64 = all_i64 && h->arg[k] == IR_I64;
	}
	if (all_i64)
		code = CODE_CALL0 + (CODE_CALL1 - CODE_CALL0) * h->nargs +
		       (h->result == IR_NONE ? CODE_CALL0_VOID - CODE_CALL0 : 0) + faults;
	if (faults)
		lower_may_fault(o);
	o->call[o->ncall] = call;
	if (h->result == IR_NONE) {
		op = lower_add_op(o, code);
		op->a = call.arg[0];
		op->b = call.arg[1];
		op->c = call.arg[2];
	} else {
		op_with_result(o, code, id, call.arg[0], call.arg[1], call.arg[2], 0);
	}
	o->call_op[o->ncall++] = o->nop - 1;
}

static void put_definition(struct output *o, uint32_t id);

/*
 * A value that other blocks find in guest state has just been set there: from now on this is
 * where it is. Its temporary is given back when this position is over.
 */
static void move_home(struct output *o, uint32_t id)
{
	struct value *v = &o->l.v[id];

	lower_expire(o);
	v->loc = lower_state_operand(&o->l.r->inst[v->home]);
	lower_keep_until(o, v->home, v->last);
}

static void put_set(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	bool far = i->imm >= CODE_REACH;
	struct code_wide *op;
	uint64_t c;
	uint16_t a;

	if (o->l.v[i->arg[0]].flags & VAL_SUNK && o->l.v[i->arg[0]].home == id) {
		put_definition(o, i->arg[0]);
		return;
	}
	if (!far && lower_const(&o->l, i->arg[0], &c)) {
		op = lower_add_op(o, i->type == IR_I32 ? CODE_LI32 : CODE_LI64);
		op->d = lower_state_operand(i);
		op->imm = c;
		return;
	}
	a = lower_operand(o, i->arg[0]);
	if (!far && a == lower_state_operand(i))
		return;
	if (i->type == IR_V128)
		op = lower_add_op(o, far ? CODE_SETFARV : CODE_MOVV);
	else if (i->type == IR_I64)
		op = lower_add_op(o, far ? CODE_SETFAR64 : CODE_MOV64);
	else
		op = lower_add_op(o, far ? CODE_SETFAR32 : CODE_MOV32);
	op->a = a;
	if (far)
		op->imm = i->imm;
	else
		op->d = lower_state_operand(i);
	if (o->l.v[i->arg[0]].flags & VAL_STATE && o->l.v[i->arg[0]].home == id &&
	    o->l.r->inst[i->arg[0]].op != IR_GET)
		move_home(o, i->arg[0]);
}

static void put_get(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	struct value *v = &o->l.v[id];
	bool far = i->imm >= CODE_REACH;
	unsigned code;
	struct code_wide *op;

	if (i->type == IR_V128)
		code = far ? CODE_GETFARV : CODE_MOVV;
	else if (i->type == IR_I64)
		code = far ? CODE_GETFAR64 : CODE_MOV64;
	else
		code = far ? CODE_GETFAR32 : CODE_MOV32;
	lower_expire(o);
	if (!(v->flags & VAL_EARLY))
		lower_place_in_temp(o, id);
	op = lower_add_op(o, code);
	op->d = v->loc;
	op->a = far ? 0 : lower_state_operand(i);
	op->imm = i->imm;
}

static void branch_to(struct output *o, uint32_t block, bool second)
{
	o->fix[o->nfix++] = (struct fixup){
		.op = o->nop - 1, .block = lower_end_of(o, block), .second = second};
}

static void put_br(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	struct cond c = {.kind = COND_NE,
			 .is_imm = true,
			 .a = i->arg[0],
			 .is_32 = o->l.r->inst[i->arg[0]].type == IR_I32};
	struct code_wide *op;
	uint16_t a, b;
	unsigned code;

	if (o->l.v[id].fuse == FUSE_COND)
		c = o->l.cond[o->l.v[id].index];
	code = put_cond(o, &c, CODE_BR_EQ64_RR, &a, &b);
	op = lower_add_op(o, code);
	op->a = a;
	op->b = b;
	op->imm = c.is_32 ? (uint64_t)(int64_t)(int32_t)c.imm : c.imm;
	branch_to(o, i->arg[1], c.invert);
	branch_to(o, i->arg[2], !c.invert);
}

static void put_definition(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	uint16_t a, b, c;
	unsigned code;

	switch (i->op) {
	case IR_OR:
		if (o->l.v[id].fuse == FUSE_CMP3)
			put_cmp3_or(o, id);
		else
			put_binary(o, id);
		return;
	case IR_AND:
		if (o->l.v[id].fuse == FUSE_ROTL)
			put_rotl_and(o, id);
		else
			put_binary(o, id);
		return;
	case IR_SEXT32:
	case IR_ZEXT32:
		op_with_result(o, i->op == IR_SEXT32 ? CODE_SEXT32 : CODE_ZEXT32, id,
			       lower_low_operand(o, i->arg[0]), 0, 0, 0);
		return;
	case IR_ADDC:
	case IR_ADDCARRY:
		put_addcarry(o, id);
		return;
	case IR_EXTRACT:
	case IR_DEPOSIT:
		put_field(o, id);
		return;
	case IR_SELECT:
		put_select(o, id);
		return;
	case IR_VSPLAT:
		op_with_result(o, CODE_VSPLAT_8 + i->aux, id, lower_operand(o, i->arg[0]), 0, 0,
			       HOST_LITTLE_ENDIAN ? i->imm : (16u >> i->aux) - 1 - i->imm);
		return;
	default:
		break;
	}
	if (binary_code[i->op]) {
		put_binary(o, id);
		return;
	}
	a = lower_operand(o, i->arg[0]);
	b = ir_nargs(i) > 1 ? lower_operand(o, i->arg[1]) : 0;
	c = ir_nargs(i) > 2 ? lower_operand(o, i->arg[2]) : 0;
	code = plain_code[i->op] ? plain_code[i->op] + (i->type == IR_I32)
				 : vector_code[i->op] + (i->op == IR_VMAKE ? 0 : i->aux);
	op_with_result(o, code, id, a, b, c, 0);
}

void lower_put(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	struct code_wide *op;

	switch (i->op) {
	case IR_INSN: /* marks are seen to by the caller */
	case IR_CONST:
	case IR_TRUNC32:
	case IR_VLO:
	case IR_VHI:
		return;
	case IR_VCONST:
		op_with_result(o, CODE_LIV, id, 0, 0, 0, i->imm);
		return;
	case IR_PC:
		op_with_result(o, CODE_PC, id, 0, 0, 0, i->imm - o->l.r->base);
		return;
	case IR_GET:
		put_get(o, id);
		return;
	case IR_SET:
		put_set(o, id);
		return;
	case IR_LOAD:
		put_load(o, id);
		return;
	case IR_STORE:
		put_store(o, id);
		return;
	case IR_CAS:
	case IR_RMW:
		put_atomic(o, id);
		return;
	case IR_PROBE:
	case IR_LOAD_HOST:
	case IR_STORE_HOST:
		put_host(o, id);
		return;
	case IR_FENCE:
		lower_add_op(o, CODE_FENCE);
		return;
	case IR_CALL:
		put_call(o, id);
		return;
	case IR_POLL:
		lower_add_op(o, CODE_POLL)->imm = i->imm - o->l.r->base;
		return;
	case IR_BR:
		put_br(o, id);
		return;
	case IR_JUMP:
		if (!o->passed_by && lower_end_of(o, i->arg[1]) != o->next_block) {
			lower_add_op(o, CODE_JUMP);
			branch_to(o, i->arg[1], false);
		}
		return;
	case IR_EXIT_DIRECT:
		op = lower_add_op(o, CODE_EXIT_DIRECT);
		op->d = i->aux;
		op->imm = i->imm - o->l.r->base;
		return;
	case IR_EXIT_INDIRECT: {
		uint16_t a = lower_operand(o, i->arg[0]);

		lower_add_op(o, CODE_EXIT_INDIRECT)->a = a;
		return;
	}
	case IR_EXIT_RESUME:
		lower_add_op(o, CODE_EXIT_RESUME);
		return;
	default:
		if (!(o->l.v[id].flags & VAL_SUNK))
			put_definition(o, id);
		return;
	}
}
