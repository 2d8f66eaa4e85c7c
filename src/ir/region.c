/*
 * The region and its builder. Out of memory is not reported at each step: the region is marked
 * failed, the builder goes on harmlessly, and the translator gives up at the end.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ir/op.h"
#include "ir/scratch.h"
#include "ir/state.h"

#define NO_BLOCK UINT32_MAX

void ir_region_init(struct ir_region *r)
{
	memset(r, 0, sizeof(*r));
	ir_region_reset(r);
}

void ir_region_reset(struct ir_region *r)
{
	r->ninst = 0;
	r->nbb = 0;
	r->nvconst = 0;
	r->nexit = 0;
	r->base = 0;
	r->span = 0;
	r->hot = false;
	r->nlines = 0;
	if (++r->stamp == 0 && r->line) {
		/* Old stamps would come true again. */
		memset(r->line, 0, (r->line_mask + 1) * sizeof(*r->line));
		r->stamp = 1;
	}
	r->cur = NO_BLOCK;
	r->mark = IR_NO_VAL;
	r->open_poll = IR_NO_VAL;
	if (!r->scratch)
		r->scratch = calloc(1, sizeof(*r->scratch));
	r->failed = !r->scratch;
}

void ir_region_destroy(struct ir_region *r)
{
	if (r->scratch)
		scratch_destroy(r->scratch);
	free(r->scratch);
	free(r->line);
	free(r->spare);
	free(r->inst);
	free(r->bb);
	free(r->vconst);
	memset(r, 0, sizeof(*r));
	r->failed = true;
}

/* The array with room for one more element; the capacity doubles. NULL: there is none. */
static void *grow(struct ir_region *r, void *array, uint32_t count, uint32_t *cap, size_t size)
{
	uint32_t bigger = *cap ? *cap * 2 : 64;
	void *p;

	if (LIKELY(count < *cap))
		return array;
	p = bigger > *cap ? realloc(array, bigger * size) : NULL;
	if (p)
		*cap = bigger;
	else
		r->failed = true;
	return p;
}

ir_block ir_create_block(struct ir_region *r)
{
	struct ir_bb *bb = grow(r, r->bb, r->nbb, &r->cap_bb, sizeof(*bb));

	if (!bb)
		return (ir_block){0};
	r->bb = bb;
	bb[r->nbb] = (struct ir_bb){UINT32_MAX, 0};
	return (ir_block){r->nbb++};
}

void ir_begin_block(struct ir_region *r, ir_block b)
{
	if (r->failed)
		return;
	assert(r->cur == NO_BLOCK);
	assert(b.id < r->nbb && r->bb[b.id].first == UINT32_MAX);
	assert(r->ninst || b.id == 0);
	r->bb[b.id].first = r->ninst;
	r->cur = b.id;
	r->mark = IR_NO_VAL;
	r->open_poll = IR_NO_VAL;
}

bool ir_block_open(const struct ir_region *r)
{
	return r->cur != NO_BLOCK;
}

enum ir_type ir_type_of(const struct ir_region *r, ir_val v)
{
	return v.id < r->ninst ? (enum ir_type)r->inst[v.id].type : IR_I64;
}

struct ir_memop ir_memop_of(const struct ir_inst *i)
{
	return (struct ir_memop){
		.size = i->imm & 0xff,
		.big_endian = i->imm >> 8 & 1,
		.sign_extend = i->imm >> 9 & 1,
		.aligned = i->imm >> 10 & 1,
	};
}

static uint64_t memop_imm(struct ir_memop m)
{
	return m.size | (uint64_t)m.big_endian << 8 | (uint64_t)m.sign_extend << 9 |
	       (uint64_t)m.aligned << 10;
}

/* A mark: polls before it that have none go on there. */
static void place_mark(struct ir_region *r, ir_val mark)
{
	while (r->open_poll != IR_NO_VAL) {
		struct ir_inst *poll = &r->inst[r->open_poll];

		r->open_poll = (uint32_t)poll->imm;
		poll->imm = r->inst[mark.id].imm;
		poll->aux = 1;
	}
	r->mark = mark.id;
}

/*
 * Where a poll goes on: at the instruction whose mark stands before it when nothing has happened
 * since, else at the next mark.
 */
static void place_poll(struct ir_region *r, ir_val poll)
{
	struct ir_inst *i = &r->inst[poll.id];

	if (r->mark != IR_NO_VAL) {
		i->imm = r->inst[r->mark].imm;
		i->aux = 1;
	} else {
		i->imm = r->open_poll; /* of several, each has the one before */
		r->open_poll = poll.id;
	}
}

/* Before an instruction that does not fit, or must not be. False: it is not made. */
static __attribute__((noinline, cold)) bool make_room(struct ir_region *r)
{
	struct ir_inst *inst;

	assert(r->failed || r->cur != NO_BLOCK);
	if (r->cur == NO_BLOCK)
		r->failed = true;
	if (r->failed)
		return false;
	inst = grow(r, r->inst, r->ninst, &r->cap_inst, sizeof(*inst));
	if (!inst)
		return false;
	r->inst = inst;
	return true;
}

/* One more instruction; those with an effect have to be told to emit_side or end instead. */
static inline __attribute__((always_inline)) ir_val emit(struct ir_region *r, enum ir_op op,
							 enum ir_type type, unsigned aux, ir_val a,
							 ir_val b, ir_val c, uint64_t imm)
{
	ir_val v = {r->ninst};

	if (UNLIKELY(v.id == r->cap_inst || r->cur == NO_BLOCK || r->failed) && !make_room(r))
		return (ir_val){0};
	r->ninst = v.id + 1;
	r->inst[v.id] = (struct ir_inst){
		.op = op,
		.type = type,
		.aux = aux,
		.arg = {a.id, b.id, c.id, IR_NO_VAL},
		.imm = imm,
	};
	return v;
}

/* A poll behind it does not go on at the mark before. */
static inline ir_val emit_side(struct ir_region *r, enum ir_op op, enum ir_type type, unsigned aux,
			       ir_val a, ir_val b, ir_val c, uint64_t imm)
{
	r->mark = IR_NO_VAL;
	return emit(r, op, type, aux, a, b, c, imm);
}

static void close_block(struct ir_region *r)
{
	r->bb[r->cur].count = r->ninst - r->bb[r->cur].first;
	r->cur = NO_BLOCK;
}

ir_val ir_append(struct ir_region *r, struct ir_inst i)
{
	ir_val v = {r->ninst};

	if ((v.id == r->cap_inst || r->cur == NO_BLOCK || r->failed) && !make_room(r))
		return (ir_val){0};
	r->inst[r->ninst++] = i;
	if (ir_ends_block(&i))
		close_block(r);
	return v;
}

/* The last instruction of a block. */
static void end(struct ir_region *r, enum ir_op op, unsigned aux, ir_val a, ir_val b, ir_val c,
		uint64_t imm)
{
	emit(r, op, IR_NONE, aux, a, b, c, imm);
	if (!r->failed)
		close_block(r);
}

static const ir_val none = {IR_NO_VAL};

/* The type of an operation's result by its column. */
static enum ir_type result_type(const struct ir_region *r, enum ir_op op, ir_val a)
{
	switch (ir_op_info[op].result) {
	case 'T':
		return ir_type_of(r, a);
	case 'L':
		return IR_I64;
	case 'W':
		return IR_I32;
	case 'X':
		return IR_V128;
	default:
		return IR_NONE;
	}
}

ir_val ir_const(struct ir_region *r, enum ir_type t, uint64_t v)
{
	assert(t == IR_I32 || t == IR_I64);
	return emit(r, IR_CONST, t, 0, none, none, none, t == IR_I32 ? (uint32_t)v : v);
}

uint32_t ir_vconst_number(struct ir_region *r, u128 v)
{
	u128 *vconst;

	/* The same few come again and again; equal values are to have equal numbers. */
	for (uint32_t n = 0; n < r->nvconst; n++)
		if (r->vconst[n] == v)
			return n;
	vconst = grow(r, r->vconst, r->nvconst, &r->cap_vconst, sizeof(v));
	if (!vconst)
		return 0;
	r->vconst = vconst;
	vconst[r->nvconst] = v;
	return r->nvconst++;
}

ir_val ir_vconst(struct ir_region *r, u128 v)
{
	return emit(r, IR_VCONST, IR_V128, 0, none, none, none, ir_vconst_number(r, v));
}

ir_val ir_pc(struct ir_region *r, uint64_t pc)
{
	return emit(r, IR_PC, IR_I64, 0, none, none, none, pc);
}

ir_val ir_get(struct ir_region *r, enum ir_type t, uint32_t offset)
{
	assert(offset % ir_type_size(t) == 0);
	return emit(r, IR_GET, t, 0, none, (ir_val){state_cell(r, offset)}, none, offset);
}

ir_val ir_get_bits(struct ir_region *r, enum ir_type t, uint32_t offset, unsigned bits)
{
	assert(offset % ir_type_size(t) == 0 && t != IR_V128);
	return emit(r, IR_GET, t, bits < ir_type_bits(t) ? bits : 0, none,
		    (ir_val){state_cell(r, offset)}, none, offset);
}

void ir_set(struct ir_region *r, uint32_t offset, ir_val v)
{
	enum ir_type t = ir_type_of(r, v);

	assert(offset % ir_type_size(t) == 0);
	emit_side(r, IR_SET, t, 0, v, (ir_val){state_cell(r, offset)}, none, offset);
}

void ir_set_bits(struct ir_region *r, uint32_t offset, ir_val v, unsigned bits)
{
	enum ir_type t = ir_type_of(r, v);

	assert(offset % ir_type_size(t) == 0 && t != IR_V128);
	emit(r, IR_SET, t, bits < ir_type_bits(t) ? bits : 0, v, (ir_val){state_cell(r, offset)}, none,
	     offset);
}

ir_val ir_un(struct ir_region *r, enum ir_op op, ir_val a)
{
	assert(ir_op_info[op].nargs == 1 && op != IR_EXTRACT);
	return emit(r, op, result_type(r, op, a), 0, a, none, none, 0);
}

ir_val ir_bin(struct ir_region *r, enum ir_op op, ir_val a, ir_val b)
{
	enum ir_type t = ir_type_of(r, a);

	assert(ir_op_info[op].nargs == 2 && op != IR_DEPOSIT);
	assert(r->failed || t == ir_type_of(r, b));
	return emit(r, op, result_type(r, op, a), op >= IR_EQ && op <= IR_CMP3U ? t : 0, a, b, none,
		    0);
}

ir_val ir_compare_low(struct ir_region *r, enum ir_op op, ir_val a, ir_val b)
{
	assert(op >= IR_EQ && op <= IR_CMP3U);
	return emit(r, op, IR_I64, IR_I32, a, b, none, 0);
}

ir_val ir_addc(struct ir_region *r, ir_val a, ir_val b, ir_val c)
{
	assert(r->failed || ir_type_of(r, a) == ir_type_of(r, b));
	return emit(r, IR_ADDC, ir_type_of(r, a), 0, a, b, c, 0);
}

ir_val ir_addcarry(struct ir_region *r, ir_val a, ir_val b, ir_val c)
{
	assert(r->failed || ir_type_of(r, a) == ir_type_of(r, b));
	return emit(r, IR_ADDCARRY, IR_I64, ir_type_of(r, a), a, b, c, 0);
}

ir_val ir_select(struct ir_region *r, ir_val c, ir_val if_set, ir_val if_clear)
{
	assert(r->failed || ir_type_of(r, if_set) == ir_type_of(r, if_clear));
	return emit(r, IR_SELECT, ir_type_of(r, if_set), 0, c, if_set, if_clear, 0);
}

ir_val ir_extract(struct ir_region *r, ir_val a, unsigned pos, unsigned len)
{
	assert(r->failed || (len && pos + len <= ir_type_bits(ir_type_of(r, a))));
	return emit(r, IR_EXTRACT, ir_type_of(r, a), 0, a, none, none, pos | len << 8);
}

ir_val ir_deposit(struct ir_region *r, ir_val a, ir_val b, unsigned pos, unsigned len)
{
	assert(r->failed || (len && pos + len <= ir_type_bits(ir_type_of(r, a))));
	return emit(r, IR_DEPOSIT, ir_type_of(r, a), 0, a, b, none, pos | len << 8);
}

ir_val ir_vun(struct ir_region *r, enum ir_op op, unsigned lane, ir_val a)
{
	assert(ir_op_info[op].nargs == 1 && ir_op_info[op].result == 'X' && lane < 4);
	return emit(r, op, IR_V128, lane, a, none, none, 0);
}

ir_val ir_vbin(struct ir_region *r, enum ir_op op, unsigned lane, ir_val a, ir_val b)
{
	assert(ir_op_info[op].nargs == 2 && ir_op_info[op].result == 'X' && lane < 4);
	return emit(r, op, IR_V128, lane, a, b, none, 0);
}

ir_val ir_vsplat(struct ir_region *r, unsigned lane, unsigned index, ir_val a)
{
	assert(lane < 4 && index < 16u >> lane);
	return emit(r, IR_VSPLAT, IR_V128, lane, a, none, none, index);
}

ir_val ir_vperm2(struct ir_region *r, ir_val a, ir_val b, ir_val sel)
{
	return emit(r, IR_VPERM2, IR_V128, 0, a, b, sel, 0);
}

ir_val ir_load(struct ir_region *r, enum ir_type t, struct ir_memop m, ir_val addr)
{
	return emit_side(r, IR_LOAD, t, 0, addr, none, none, memop_imm(m));
}

void ir_store(struct ir_region *r, struct ir_memop m, ir_val addr, ir_val v)
{
	emit_side(r, IR_STORE, ir_type_of(r, v), 0, addr, v, none, memop_imm(m));
}

ir_val ir_cas(struct ir_region *r, struct ir_memop m, ir_val addr, ir_val expected, ir_val desired)
{
	return emit_side(r, IR_CAS, ir_type_of(r, expected), 0, addr, expected, desired, memop_imm(m));
}

ir_val ir_rmw(struct ir_region *r, enum ir_rmw kind, struct ir_memop m, ir_val addr, ir_val v)
{
	return emit_side(r, IR_RMW, ir_type_of(r, v), kind, addr, v, none, memop_imm(m));
}

void ir_fence(struct ir_region *r)
{
	emit_side(r, IR_FENCE, IR_NONE, 0, none, none, none, 0);
}

ir_val ir_call(struct ir_region *r, const struct ir_helper *h, const ir_val *args, unsigned nargs)
{
	ir_val v = emit(r, IR_CALL, h->result, 0, none, none, none, (uintptr_t)h);

	assert(nargs == h->nargs && nargs <= 4);
	if (!(h->flags & IR_H_PURE))
		r->mark = IR_NO_VAL;
	if (r->failed)
		return v;
	for (unsigned i = 0; i < nargs && i < 4; i++) {
		assert(ir_type_of(r, args[i]) == h->arg[i]);
		r->inst[v.id].arg[i] = args[i].id;
	}
	return v;
}

static inline void mark(struct ir_region *r, uint64_t pc, unsigned aux)
{
	ir_val v = emit(r, IR_INSN, IR_NONE, aux, none, none, none, pc);

	if (!r->failed)
		place_mark(r, v);
}

void ir_insn(struct ir_region *r, uint64_t pc)
{
	mark(r, pc, 0);
}

void ir_insn_partial(struct ir_region *r, uint64_t pc)
{
	mark(r, pc, 1);
}

void ir_poll(struct ir_region *r)
{
	ir_val v = emit(r, IR_POLL, IR_NONE, 0, none, none, none, 0);

	if (!r->failed)
		place_poll(r, v);
}

void ir_br(struct ir_region *r, ir_val cond, ir_block if_set, ir_block if_clear)
{
	end(r, IR_BR, ir_type_of(r, cond), cond, (ir_val){if_set.id},
	     (ir_val){if_clear.id}, 0);
}

void ir_jump(struct ir_region *r, ir_block b)
{
	end(r, IR_JUMP, 0, none, (ir_val){b.id}, none, 0);
}

void ir_exit_direct(struct ir_region *r, uint64_t pc)
{
	end(r, IR_EXIT_DIRECT, r->nexit, none, none, none, pc);
	r->nexit++;
}

void ir_exit_indirect(struct ir_region *r, ir_val pc)
{
	end(r, IR_EXIT_INDIRECT, 0, pc, none, none, 0);
}

void ir_exit_resume(struct ir_region *r)
{
	end(r, IR_EXIT_RESUME, 0, none, none, none, 0);
}
