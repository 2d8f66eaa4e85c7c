/*
 * Writing the ops: one pass over the region in the order in which it lies. Temporaries are given
 * out as results appear and come back after the last position that reads them.
 */
#include "ir/lower.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ir/interp.h"
#include "mem/endian.h"
#include "util/bits.h"

#define TEMP_UNITS (sizeof(union ir_slot) / CODE_UNIT)

/* A branch distance to be filled in once all blocks have their ops. */
struct fixup {
	uint32_t op, block;
	bool second; /* field c, not d */
};

struct output {
	struct lower l;
	const void *const *handler;
	struct code_op *op;
	uint32_t nop, cap_op;
	struct code_call *call; /* in the order of the ops that use them */
	uint32_t *call_op;
	uint32_t ncall, npc, nfix;
	struct code_pc *pc;
	struct fixup *fix;
	uint32_t *block_op;  /* by block: its first op */
	uint64_t *block_pc;  /* by block: guest pc at its start */
	uint32_t *expire;    /* by position: head of a list of values, through next */
	uint32_t *next;
	uint64_t free_temps[IR_MAX_TEMPS / 64];
	uint16_t scratch[8]; /* temporaries of constants, until the op is written */
	unsigned nscratch;
	uint32_t position;
	uint32_t next_block; /* the one behind this in memory */
	uint64_t guest_pc;
};

/* A place for ops that could not be had: the lowering has failed, but goes on to its end. */
static struct code_op *no_op(struct output *o)
{
	o->l.err = ENOMEM;
	o->nop = 0;
	return o->op;
}

static struct code_op *add_op(struct output *o, unsigned handler)
{
	struct code_op *op;

	if (o->nop == o->cap_op) {
		op = realloc(o->op, 2 * (size_t)o->cap_op * sizeof(*op));
		if (!op)
			return no_op(o);
		o->op = op;
		o->cap_op *= 2;
	}
	op = &o->op[o->nop++];
	*op = (struct code_op){.handler = o->handler[handler]};
	return op;
}

/* The op about to be written may fault: the side table must know its instruction. */
static void may_fault(struct output *o)
{
	if (o->npc && o->pc[o->npc - 1].pc == o->guest_pc)
		return;
	o->pc[o->npc++] = (struct code_pc){.pc = o->guest_pc, .first = o->nop};
}

static uint16_t take_temp(struct output *o)
{
	for (unsigned w = 0; w < ARRAY_SIZE(o->free_temps); w++) {
		if (o->free_temps[w]) {
			unsigned bit = (unsigned)__builtin_ctzll(o->free_temps[w]);

			o->free_temps[w] &= o->free_temps[w] - 1;
			return (uint16_t)((64 * w + bit) * TEMP_UNITS);
		}
	}
	o->l.err = E2BIG;
	return 0;
}

static void give_temp(struct output *o, uint16_t loc)
{
	unsigned t = loc / TEMP_UNITS;

	o->free_temps[t / 64] |= UINT64_C(1) << t % 64;
}

/* Take back the temporaries of values that are read at this position for the last time. */
static void expire(struct output *o)
{
	uint32_t *head = &o->expire[o->position];

	while (*head != NOWHERE) {
		give_temp(o, o->l.v[*head].loc);
		*head = o->next[*head];
	}
}

static void place_in_temp(struct output *o, uint32_t id)
{
	struct value *v = &o->l.v[id];

	v->loc = take_temp(o);
	v->flags |= VAL_TEMP;
	if (v->flags & VAL_EARLY)
		return;
	/* A result that nobody reads has its temporary until the op is over. */
	if (v->last < o->position)
		v->last = o->position;
	o->next[id] = o->expire[v->last];
	o->expire[v->last] = id;
}

/* Where a value is, as an operand. Constants get a temporary for the time of this op. */
static uint16_t operand(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	unsigned delta;
	uint32_t root;
	uint64_t c;

	if (lower_const(&o->l, id, &c)) {
		uint16_t t = take_temp(o);
		struct code_op *op = add_op(o, i->type == IR_I32 ? CODE_LI32 : CODE_LI64);

		assert(o->nscratch < ARRAY_SIZE(o->scratch));
		o->scratch[o->nscratch++] = t;
		op->d = t;
		op->imm = c;
		return t;
	}
	root = lower_root(&o->l, id, &delta);
	return (uint16_t)(o->l.v[root].loc + delta);
}

/* The same for its low 32 bits. */
static uint16_t low_operand(struct output *o, uint32_t id)
{
	uint16_t loc = operand(o, id);

	return o->l.r->inst[id].type == IR_I64 ? (uint16_t)(loc + CODE_LOW) : loc;
}

static uint32_t *cells_of(struct output *o, uint32_t access)
{
	return &o->l.cell[o->l.map.first[access]];
}

/* Guest state of an access is read, in place, up to a position. */
static void keep_until(struct output *o, uint32_t access, uint32_t last)
{
	uint32_t *cell = cells_of(o, access);

	for (unsigned c = 0; c < state_cells(o->l.r->inst[access].type); c++) {
		if (cell[c] < last)
			cell[c] = last;
	}
}

static uint16_t state_operand(const struct ir_inst *i)
{
	return (uint16_t)(i->imm / CODE_UNIT);
}

/*
 * May the definition at this position write what `set` is to write, and `set` vanish? Not if
 * something between sees guest state, and not while the old contents are still read.
 */
static bool may_write_early(const struct output *o, uint32_t id, uint32_t set)
{
	const struct lower *l = &o->l;
	const struct ir_inst *s = &l->r->inst[set];
	uint32_t first = l->map.first[set], end = first + state_cells(s->type);

	if (s->imm >= CODE_REACH || l->v[id].last > l->v[set].clob || set - id > 64 ||
	    l->barriers[set] != l->barriers[id + 1])
		return false;
	/* A helper gets a vector result's place, and may write it before it faults or reads state. */
	if (s->type == IR_V128 &&
	    ir_calls_with(&l->r->inst[id], IR_H_FAULTS | IR_H_READS_STATE | IR_H_WRITES_STATE))
		return false;
	for (uint32_t c = first; c < end; c++) {
		if (l->cell[c] > id)
			return false;
	}
	for (uint32_t k = id + 1; k < set; k++) {
		const struct ir_inst *i = &l->r->inst[k];

		if ((i->op == IR_SET || (i->op == IR_GET && lower_needed(l, k))) &&
		    l->map.first[k] < end && first < l->map.first[k] + state_cells(i->type))
			return false;
	}
	return true;
}

/* Where the result goes. Operands have been placed: their temporaries can be had again. */
static uint16_t result(struct output *o, uint32_t id)
{
	struct value *v = &o->l.v[id];

	expire(o);
	if (v->flags & VAL_SUNK || (v->home != NOWHERE && !(v->flags & VAL_GLOBAL) &&
				    may_write_early(o, id, v->home))) {
		v->loc = state_operand(&o->l.r->inst[v->home]);
		o->l.v[v->home].flags |= VAL_SET;
		keep_until(o, v->home, v->last);
	} else if (!(v->flags & VAL_EARLY)) {
		place_in_temp(o, id);
	}
	return v->loc;
}

/* An op with result `id`, behind all that its operands need. */
static struct code_op *op_with_result(struct output *o, unsigned handler, uint32_t id, uint16_t a,
				      uint16_t b, uint16_t c, uint64_t imm)
{
	uint16_t d = result(o, id);
	struct code_op *op = add_op(o, handler);

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
	[IR_AND] = CODE_AND64_RR,     [IR_OR] = CODE_OR64_RR,	    [IR_XOR] = CODE_XOR64_RR,
	[IR_ANDN] = CODE_ANDN64_RR,   [IR_SHL] = CODE_SHL64_RR,	    [IR_SHR] = CODE_SHR64_RR,
	[IR_SAR] = CODE_SAR64_RR,     [IR_ROTL] = CODE_ROTL64_RR,   [IR_DIVU] = CODE_DIVU64_RR,
	[IR_DIVS] = CODE_DIVS64_RR,   [IR_REMU] = CODE_REMU64_RR,   [IR_REMS] = CODE_REMS64_RR,
	[IR_EQ] = CODE_EQ64_RR,	      [IR_NE] = CODE_NE64_RR,	    [IR_LTS] = CODE_LTS64_RR,
	[IR_LES] = CODE_LES64_RR,     [IR_LTU] = CODE_LTU64_RR,	    [IR_LEU] = CODE_LEU64_RR,
	[IR_CMP3S] = CODE_CMP3S64_RR, [IR_CMP3U] = CODE_CMP3U64_RR,
};

/* Those with the forms 64, 32 (one operand, or two that are no constants). */
static const uint16_t plain_code[IR_OP_COUNT] = {
	[IR_MULHU] = CODE_MULHU_64,   [IR_MULHS] = CODE_MULHS_64,   [IR_NOT] = CODE_NOT_64,
	[IR_NEG] = CODE_NEG_64,	      [IR_CLZ] = CODE_CLZ_64,	    [IR_CTZ] = CODE_CTZ_64,
	[IR_BSWAP] = CODE_BSWAP_64,   [IR_POPCNT] = CODE_POPCNT_64, [IR_SEXT8] = CODE_SEXT8_64,
	[IR_SEXT16] = CODE_SEXT16_64, [IR_ZEXT8] = CODE_ZEXT8_64,   [IR_ZEXT16] = CODE_ZEXT16_64,
};

/* Vector operations: the first of those for each lane, or the only one. */
static const uint16_t vector_code[IR_OP_COUNT] = {
	[IR_VAND] = CODE_VAND,	   [IR_VOR] = CODE_VOR,	      [IR_VXOR] = CODE_VXOR,
	[IR_VANDN] = CODE_VANDN,   [IR_VNOT] = CODE_VNOT,     [IR_VMAKE] = CODE_VMAKE,
	[IR_VADD] = CODE_VADD_8,   [IR_VSUB] = CODE_VSUB_8,   [IR_VEQ] = CODE_VEQ_8,
	[IR_VGTS] = CODE_VGTS_8,   [IR_VGTU] = CODE_VGTU_8,   [IR_VMINS] = CODE_VMINS_8,
	[IR_VMAXS] = CODE_VMAXS_8, [IR_VMINU] = CODE_VMINU_8, [IR_VMAXU] = CODE_VMAXU_8,
	[IR_VSHL] = CODE_VSHL_8,   [IR_VSHR] = CODE_VSHR_8,   [IR_VSAR] = CODE_VSAR_8,
	[IR_VDUP] = CODE_VDUP_8,   [IR_VPERM2] = CODE_VPERM2,
};

static bool commutes(enum ir_op op)
{
	return op == IR_ADD || op == IR_MUL || op == IR_AND || op == IR_OR || op == IR_XOR ||
	       op == IR_EQ || op == IR_NE;
}

static void put_binary(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	bool compares = i->op >= IR_EQ && i->op <= IR_CMP3U;
	bool is_32 = (compares ? i->aux : i->type) == IR_I32;
	uint32_t a = i->arg[0], b = i->arg[1];
	uint64_t imm = 0;
	uint16_t la, lb;

	if (lower_const(&o->l, a, &imm) && !lower_const(&o->l, b, &imm)) {
		lower_const(&o->l, a, &imm);
		if (i->op == IR_SUB) {
			op_with_result(o, is_32 ? CODE_SUB32_IR : CODE_SUB64_IR, id, operand(o, b), 0,
				       0, imm);
			return;
		}
		if (commutes(i->op)) {
			a = i->arg[1];
			b = i->arg[0];
		}
	}
	la = operand(o, a);
	if (lower_const(&o->l, b, &imm)) {
		op_with_result(o, form(binary_code[i->op], is_32, true), id, la, 0, 0, imm);
		return;
	}
	lb = operand(o, b);
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
	uint16_t a = operand(o, cmp->arg[0]);
	uint16_t b = is_imm ? 0 : operand(o, cmp->arg[1]);
	uint16_t c = operand(o, i->arg[1 - k]);

	op_with_result(o, form(base, cmp->aux == IR_I32, is_imm), id, a, b, c, imm);
}

static void put_rotl_and(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id], *rot = &o->l.r->inst[i->arg[0]];
	uint64_t amount = 0, mask = 0;

	lower_const(&o->l, rot->arg[1], &amount);
	lower_const(&o->l, i->arg[1], &mask);
	op_with_result(o, CODE_ROTL_AND64, id, operand(o, rot->arg[0]), amount & 63, 0, mask);
}

static void put_addcarry(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	unsigned code = i->aux == IR_I32 ? CODE_ADDCARRY32_RR_C : CODE_ADDCARRY64_RR_C;
	uint32_t x = i->arg[0], y = i->arg[1];
	uint64_t imm = 0, carry;
	uint16_t a, b = 0, c;

	if (lower_const(&o->l, x, &imm)) {
		x = i->arg[1];
		y = i->arg[0];
	}
	a = operand(o, x);
	if (lower_const(&o->l, y, &imm))
		code += CODE_ADDCARRY64_RI_C - CODE_ADDCARRY64_RR_C;
	else
		b = operand(o, y);
	if (lower_const(&o->l, i->arg[2], &carry)) {
		code += CODE_ADDCARRY64_RR_K - CODE_ADDCARRY64_RR_C;
		c = carry & 1;
	} else {
		c = low_operand(o, i->arg[2]);
	}
	op_with_result(o, code, id, a, b, c, imm);
}

static void put_field(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	unsigned pos = ir_field_pos(i), len = ir_field_len(i);
	bool is_32 = i->type == IR_I32;
	uint64_t mask = ir_low_mask(len), imm;
	uint16_t a = operand(o, i->arg[0]);

	if (i->op == IR_EXTRACT)
		op_with_result(o, is_32 ? CODE_EXTRACT32 : CODE_EXTRACT64, id, a, pos, 0, mask);
	else if (lower_const(&o->l, i->arg[1], &imm))
		op_with_result(o, is_32 ? CODE_DEPOSIT32_RI : CODE_DEPOSIT64_RI, id, a, pos, len,
			       (imm & mask) << pos);
	else
		op_with_result(o, is_32 ? CODE_DEPOSIT32_RR : CODE_DEPOSIT64_RR, id, a,
			       operand(o, i->arg[1]), pos, mask << pos);
}

/* The handler for a condition in a family of them, and its first two operands. */
static unsigned put_cond(struct output *o, const struct cond *c, unsigned family, uint16_t *a,
			 uint16_t *b)
{
	*a = c->is_32 ? low_operand(o, c->a) : operand(o, c->a);
	*b = c->is_imm ? 0 : operand(o, c->b);
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

		x = operand(o, c->invert ? no : yes);
		y = operand(o, c->invert ? yes : no);
		op_with_result(o, code, id, a, x, y, c->is_imm ? c->imm : b);
		return;
	}
	a = operand(o, i->arg[0]);
	x = operand(o, yes);
	y = operand(o, no);
	op_with_result(o,
		       i->type == IR_V128 ? CODE_SELECTV :
		       i->type == IR_I64  ? CODE_SELECT64 :
					    CODE_SELECT32,
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
	if (y != IR_NO_VAL)
		*imm = 0;
	*a = operand(o, x);
	if (y != IR_NO_VAL)
		*b = operand(o, y);
	return y != IR_NO_VAL;
}

static void put_alignment(struct output *o, struct ir_memop m, bool sum, uint16_t a, uint16_t b,
			  uint64_t imm, bool store)
{
	struct code_op *op;

	if (!m.aligned || m.size == 1)
		return;
	op = add_op(o, sum ? CODE_ALIGN_X : CODE_ALIGN_I);
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
	may_fault(o);
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
	struct code_op *op;
	unsigned code;

	v = m.size < 8 ? low_operand(o, i->arg[1]) : operand(o, i->arg[1]);
	if (i->type == IR_V128)
		code = m.big_endian ? CODE_ST_V_BE_I : CODE_ST_V_LE_I;
	else
		code = CODE_ST_8_LE_I + 4 * (unsigned)__builtin_ctz(m.size) + 2 * m.big_endian;
	may_fault(o);
	put_alignment(o, m, sum, a, b, imm, true);
	op = add_op(o, code + sum);
	op->a = a;
	op->b = sum ? b : v;
	op->c = v;
	op->imm = imm;
}

static void put_atomic(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	struct ir_memop m = ir_memop_of(i);
	uint16_t a = operand(o, i->arg[0]), b = operand(o, i->arg[1]);
	uint16_t c = i->op == IR_CAS ? operand(o, i->arg[2]) : 0;

	may_fault(o);
	op_with_result(o, i->op == IR_CAS ? CODE_CAS : CODE_RMW, id, a, b, c,
		       code_atomic_imm((struct code_atomic){.size = m.size,
							    .kind = (uint8_t)i->aux,
							    .type = i->type,
							    .big_endian = m.big_endian,
							    .sign_extend = m.sign_extend}));
}

static void put_call(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	const struct ir_helper *h = ir_helper_of(i);
	bool faults = h->flags & IR_H_FAULTS;
	bool all_i64 = h->result == IR_I64 || h->result == IR_NONE;
	struct code_call call = {
		.fn = h->fn, .pc = o->guest_pc, .nargs = h->nargs, .result = h->result,
		.faults = faults};
	unsigned code = CODE_CALL_ANY;
	struct code_op *op;

	for (unsigned k = 0; k < h->nargs; k++) {
		call.arg[k] = operand(o, i->arg[k]);
		call.type[k] = h->arg[k];
		all_i64 = all_i64 && h->arg[k] == IR_I64;
	}
	if (all_i64)
		code = CODE_CALL0 + (CODE_CALL1 - CODE_CALL0) * h->nargs +
		       (h->result == IR_NONE ? CODE_CALL0_VOID - CODE_CALL0 : 0) + faults;
	if (faults)
		may_fault(o);
	o->call[o->ncall] = call;
	if (h->result == IR_NONE) {
		op = add_op(o, code);
		op->a = call.arg[0];
		op->b = call.arg[1];
		op->c = call.arg[2];
	} else {
		op_with_result(o, code, id, call.arg[0], call.arg[1], call.arg[2], 0);
	}
	o->call_op[o->ncall++] = o->nop - 1;
}

static void put_definition(struct output *o, uint32_t id);

static void put_set(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	struct value *v = &o->l.v[id];
	bool far = i->imm >= CODE_REACH;
	struct code_op *op;
	uint64_t c;
	uint16_t a;

	if (v->flags & VAL_SET)
		return;
	if (o->l.v[i->arg[0]].flags & VAL_SUNK && o->l.v[i->arg[0]].home == id) {
		put_definition(o, i->arg[0]);
		return;
	}
	if (!far && lower_const(&o->l, i->arg[0], &c)) {
		op = add_op(o, i->type == IR_I32 ? CODE_LI32 : CODE_LI64);
		op->d = state_operand(i);
		op->imm = c;
		return;
	}
	a = operand(o, i->arg[0]);
	if (!far && a == state_operand(i))
		return;
	if (i->type == IR_V128)
		op = add_op(o, far ? CODE_SETFARV : CODE_MOVV);
	else if (i->type == IR_I64)
		op = add_op(o, far ? CODE_SETFAR64 : CODE_MOV64);
	else
		op = add_op(o, far ? CODE_SETFAR32 : CODE_MOV32);
	op->a = a;
	if (far)
		op->imm = i->imm;
	else
		op->d = state_operand(i);
}

static void put_get(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	struct value *v = &o->l.v[id];
	bool far = i->imm >= CODE_REACH;
	unsigned code;
	struct code_op *op;

	if (!far && !(v->flags & VAL_GLOBAL) && v->last <= v->clob) {
		v->loc = state_operand(i);
		keep_until(o, id, v->last);
		return;
	}
	if (i->type == IR_V128)
		code = far ? CODE_GETFARV : CODE_MOVV;
	else if (i->type == IR_I64)
		code = far ? CODE_GETFAR64 : CODE_MOV64;
	else
		code = far ? CODE_GETFAR32 : CODE_MOV32;
	expire(o);
	if (!(v->flags & VAL_EARLY))
		place_in_temp(o, id);
	op = add_op(o, code);
	op->d = v->loc;
	op->a = far ? 0 : state_operand(i);
	op->imm = i->imm;
}

static void branch_to(struct output *o, uint32_t block, bool second)
{
	o->fix[o->nfix++] = (struct fixup){.op = o->nop - 1, .block = block, .second = second};
}

static void put_br(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	struct cond c = {.kind = COND_NE, .is_imm = true, .a = i->arg[0],
			 .is_32 = o->l.r->inst[i->arg[0]].type == IR_I32};
	struct code_op *op;
	uint16_t a, b;
	unsigned code;

	if (o->l.v[id].fuse == FUSE_COND)
		c = o->l.cond[o->l.v[id].index];
	code = put_cond(o, &c, CODE_BR_EQ64_RR, &a, &b);
	op = add_op(o, code);
	op->a = a;
	op->b = b;
	op->imm = c.imm;
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
			       low_operand(o, i->arg[0]), 0, 0, 0);
		return;
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
		op_with_result(o, CODE_VSPLAT_8 + i->aux, id, operand(o, i->arg[0]), 0, 0,
			       HOST_LITTLE_ENDIAN ? i->imm : (16u >> i->aux) - 1 - i->imm);
		return;
	default:
		break;
	}
	if (binary_code[i->op]) {
		put_binary(o, id);
		return;
	}
	a = operand(o, i->arg[0]);
	b = ir_nargs(i) > 1 ? operand(o, i->arg[1]) : 0;
	c = ir_nargs(i) > 2 ? operand(o, i->arg[2]) : 0;
	code = plain_code[i->op] ? plain_code[i->op] + (i->type == IR_I32) :
				   vector_code[i->op] + (i->op == IR_VMAKE ? 0 : i->aux);
	op_with_result(o, code, id, a, b, c, 0);
}

static void put_inst(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	struct code_op *op;

	switch (i->op) {
	case IR_CONST:
	case IR_TRUNC32:
	case IR_VLO:
	case IR_VHI:
		return;
	case IR_VCONST:
		op_with_result(o, CODE_LIV, id, 0, 0, 0, i->imm);
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
	case IR_FENCE:
		add_op(o, CODE_FENCE);
		return;
	case IR_CALL:
		put_call(o, id);
		return;
	case IR_INSN:
		o->guest_pc = i->imm;
		return;
	case IR_POLL:
		add_op(o, CODE_POLL)->imm = i->imm;
		return;
	case IR_BR:
		put_br(o, id);
		return;
	case IR_JUMP:
		if (i->arg[1] != o->next_block) {
			add_op(o, CODE_JUMP);
			branch_to(o, i->arg[1], false);
		}
		return;
	case IR_EXIT_DIRECT:
		op = add_op(o, CODE_EXIT_DIRECT);
		op->c = i->aux;
		op->imm = i->imm;
		return;
	case IR_EXIT_INDIRECT: {
		uint16_t a = operand(o, i->arg[0]);

		add_op(o, CODE_EXIT_INDIRECT)->a = a;
		return;
	}
	case IR_EXIT_RESUME:
		add_op(o, CODE_EXIT_RESUME);
		return;
	default:
		if (!(o->l.v[id].flags & VAL_SUNK))
			put_definition(o, id);
		return;
	}
}

/*
 * The guest instruction that each block starts in the middle of. It is carried from block to block;
 * predecessors agree (ir_check).
 */
static void find_block_pcs(struct output *o)
{
	const struct ir_region *r = o->l.r;
	bool changed;

	memset(o->block_pc, 0xff, r->nbb * sizeof(*o->block_pc));
	do {
		changed = false;
		for (uint32_t k = 0; k < o->l.norder; k++) {
			const struct ir_bb *bb = &r->bb[o->l.order[k]];
			uint64_t pc = o->block_pc[o->l.order[k]];
			uint32_t target[2];
			unsigned n;

			for (uint32_t id = bb->first; id < bb->first + bb->count; id++) {
				if (r->inst[id].op == IR_INSN)
					pc = r->inst[id].imm;
			}
			n = ir_targets(&r->inst[bb->first + bb->count - 1], target);
			for (unsigned t = 0; t < n; t++) {
				if (o->block_pc[target[t]] == UINT64_MAX && pc != UINT64_MAX) {
					o->block_pc[target[t]] = pc;
					changed = true;
				}
			}
		}
	} while (changed);
}

static void put_blocks(struct output *o)
{
	const struct ir_region *r = o->l.r;

	memset(o->free_temps, 0xff, sizeof(o->free_temps));
	memset(o->expire, 0xff, (r->ninst + 2) * sizeof(*o->expire));
	memset(o->l.cell, 0, o->l.map.ncells * sizeof(*o->l.cell));
	for (uint32_t id = 0; id < r->ninst; id++) {
		if (o->l.v[id].flags & VAL_EARLY)
			o->l.v[id].loc = take_temp(o);
	}
	for (uint32_t k = 0; k < o->l.norder; k++) {
		uint32_t b = o->l.order[k];

		o->block_op[b] = o->nop;
		o->guest_pc = o->block_pc[b];
		o->next_block = k + 1 < o->l.norder ? o->l.order[k + 1] : NOWHERE;
		for (uint32_t id = r->bb[b].first; id < r->bb[b].first + r->bb[b].count; id++) {
			o->position = id;
			if (lower_needed(&o->l, id))
				put_inst(o, id);
			while (o->nscratch)
				give_temp(o, o->scratch[--o->nscratch]);
			expire(o);
		}
	}
}

static void fix_branches(struct output *o)
{
	for (uint32_t k = 0; k < o->nfix; k++) {
		const struct fixup *f = &o->fix[k];
		int64_t distance = (int64_t)o->block_op[f->block] - f->op;

		if (distance != (int16_t)distance)
			o->l.err = E2BIG;
		if (f->second)
			o->op[f->op].c = (uint16_t)distance;
		else
			o->op[f->op].d = (uint16_t)distance;
	}
}

/* The parts that ops refer to by address. */
static void link_tables(struct ir_code *c, const struct output *o)
{
	for (uint32_t k = 0; k < o->ncall; k++)
		c->op[o->call_op[k]].imm = (uintptr_t)&c->call[k];
	for (uint32_t k = 0; k < c->nop && c->vconst != (const void *)c->call; k++) {
		if (c->op[k].handler == o->handler[CODE_LIV])
			c->op[k].imm = (uintptr_t)&c->vconst[c->op[k].imm];
	}
}

/* All in one piece of memory: ops, vector constants (aligned), calls, guest pcs. */
static struct ir_code *finish(const struct output *o)
{
	const struct ir_region *r = o->l.r;
	size_t vconst = align_up(sizeof(struct ir_code) + o->nop * sizeof(struct code_op), 16);
	size_t call = vconst + r->nvconst * sizeof(u128);
	size_t pc = call + o->ncall * sizeof(struct code_call);
	size_t size = pc + o->npc * sizeof(struct code_pc);
	struct ir_code *c = malloc(size);

	if (!c)
		return NULL;
	c->size = size;
	c->nop = o->nop;
	c->npc = o->npc;
	c->vconst = (u128 *)((char *)c + vconst);
	c->call = (struct code_call *)((char *)c + call);
	c->pc = (struct code_pc *)((char *)c + pc);
	memcpy(c->op, o->op, o->nop * sizeof(struct code_op));
	if (r->nvconst)
		memcpy(c->vconst, r->vconst, r->nvconst * sizeof(u128));
	memcpy(c->call, o->call, o->ncall * sizeof(struct code_call));
	memcpy(c->pc, o->pc, o->npc * sizeof(struct code_pc));
	link_tables(c, o);
	return c;
}

/* The blocks as they lie, and each instruction's block. */
static void order_blocks(struct lower *l, uint32_t *start)
{
	const struct ir_region *r = l->r;

	for (uint32_t b = 0; b < r->nbb; b++) {
		if (r->bb[b].count)
			start[r->bb[b].first] = b;
	}
	for (uint32_t id = 0; id < r->ninst;) {
		uint32_t b = start[id];

		l->order[l->norder++] = b;
		for (uint32_t end = id + r->bb[b].count; id < end; id++) {
			l->v[id].bb = b;
			l->v[id].home = NOWHERE;
		}
	}
}

/* Memory for all that is needed while lowering, in one piece that is given back at the end. */
static void *allot(struct output *o)
{
	const struct ir_region *r = o->l.r;
	size_t n = r->ninst, nconds = 0, size = 0;
	struct {
		void **array;
		size_t bytes;
	} part[] = {
		{(void **)&o->l.v, n * sizeof(*o->l.v)},
		{(void **)&o->block_pc, r->nbb * sizeof(*o->block_pc)},
		{(void **)&o->pc, n * sizeof(*o->pc)},
		{(void **)&o->call, n * sizeof(*o->call)},
		{(void **)&o->l.cond, 0},
		{(void **)&o->fix, 2 * n * sizeof(*o->fix)},
		{(void **)&o->l.order, (r->nbb + n) * sizeof(uint32_t)},
		{(void **)&o->call_op, n * sizeof(uint32_t)},
		{(void **)&o->l.barriers, n * sizeof(uint32_t)},
		{(void **)&o->l.cell, o->l.map.ncells * sizeof(uint32_t)},
		{(void **)&o->block_op, r->nbb * sizeof(uint32_t)},
		{(void **)&o->expire, (n + 2) * sizeof(uint32_t)},
		{(void **)&o->next, n * sizeof(uint32_t)},
	};
	char *mem;

	for (uint32_t id = 0; id < n; id++)
		nconds += r->inst[id].op == IR_BR || r->inst[id].op == IR_SELECT;
	part[4].bytes = nconds * sizeof(*o->l.cond);
	for (unsigned k = 0; k < ARRAY_SIZE(part); k++)
		size += align_up(part[k].bytes, 16);
	mem = malloc(size);
	for (unsigned k = 0; mem && k < ARRAY_SIZE(part); k++) {
		*part[k].array = mem + size - align_up(part[k].bytes, 16);
		size -= align_up(part[k].bytes, 16);
	}
	if (mem)
		memset(o->l.v, 0, n * sizeof(*o->l.v));
	return mem;
}

struct ir_code *ir_lower(const struct ir_region *r)
{
	struct output o = {.l.r = r, .handler = code_handlers(), .cap_op = r->ninst + 64};
	struct ir_code *c = NULL;
	void *mem = NULL;

	if (r->failed || !state_map_init(&o.l.map, r)) {
		errno = ENOMEM;
		return NULL;
	}
	mem = allot(&o);
	o.op = malloc(o.cap_op * sizeof(*o.op));
	if (!mem || !o.op) {
		o.l.err = ENOMEM;
		goto out;
	}
	order_blocks(&o.l, o.next);
	lower_plan(&o.l);
	lower_liveness(&o.l);
	find_block_pcs(&o);
	put_blocks(&o);
	if (!o.l.err)
		fix_branches(&o);
	if (!o.l.err) {
		c = finish(&o);
		if (!c)
			o.l.err = ENOMEM;
	}
out:
	free(o.op);
	free(mem);
	state_map_destroy(&o.l.map);
	if (o.l.err)
		errno = o.l.err;
	return c;
}

void ir_code_free(struct ir_code *c)
{
	free(c);
}

size_t ir_code_size(const struct ir_code *c)
{
	return c->size;
}
