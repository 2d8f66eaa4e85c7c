/*
 * Reservations (reserve.h), atomic memory operations and barriers (Power ISA 3.0B, Book II 4.5 and 4.6).
 */
#include "cpu/power9/emit_common.h"
#include "cpu/power9/helper_fixed.h"
#include "cpu/power9/reserve.h"

/* The low half of resv_value: where reservations of up to eight bytes hold their value. */
#define RESV_LOW (P9_OFF(resv_value) + (HOST_LITTLE_ENDIAN ? 0 : 8))

static struct ir_memop aligned_memop(struct p9_translator *t, unsigned size)
{
	struct ir_memop m = p9_memop(t, size, false);

	m.aligned = true;
	return m;
}

/* What neither accesses memory nor asks anybody outside, and always goes on in the same mode if not elsewhere. */
bool p9_keeps_reservation(const struct p9_insn *i)
{
	const uint32_t not = P9_FLAG_LOAD | P9_FLAG_STORE | P9_FLAG_TRAP;

	/* These know themselves what they do to it. */
	if (i->desc->flags & P9_FLAG_RESERVE)
		return true;
	if ((i->desc->flags & not) || i->desc->facility != P9_FACILITY_BASE ||
	    i->desc->privilege != P9_PRIV_USER ||
	    ((i->desc->flags & P9_FLAG_ENDS_BLOCK) && !(i->desc->flags & P9_FLAG_BRANCH)))
		return false;
	/* Chapters 2 and 3 of Book I. */
	return i->op <= P9_OP_reserved_no_op_754 && i->op != P9_OP_darn && i->op != P9_OP_mfspr &&
	       i->op != P9_OP_mtspr;
}

static ir_val size_and_order(struct p9_translator *t, unsigned size)
{
	return p9_i64(t, size | (t->mode & P9_MODE_LE ? 1u << 16 : 0));
}

static enum ir_type type_of(unsigned size)
{
	return size == 16 ? IR_V128 : IR_I64;
}

/* Registers := what was loaded. Of lqarx the even register is the high half in either byte order. */
static void set_loaded(struct p9_translator *t, const struct p9_insn *i, unsigned size, ir_val v)
{
	unsigned rt = insn_RT(i);

	if (size == 16) {
		p9_set_gpr(t, rt, p9_un(t, IR_VHI, v));
		p9_set_gpr(t, rt + 1, p9_un(t, IR_VLO, v));
	} else {
		p9_set_gpr(t, rt, v);
	}
}

void p9_emit_watched(struct p9_translator *t)
{
	for (unsigned n = 0; n < t->nwatched; n++) {
		const struct p9_watched *w = &t->watched[n];
		uint32_t value = w->size == 16 ? P9_OFF(resv_value) : RESV_LOW;

		t->pc = w->pc;
		ir_begin_block(t->r, w->block);
		ir_insn(t->r, w->pc);
		p9_call2(t, &p9_h_load_reserve, w->ea, size_and_order(t, w->size));
		set_loaded(t, w->insn, w->size, ir_get(t->r, type_of(w->size), value));
		p9_exit_refetch(t);
	}
}

static void load_reserve(struct p9_translator *t, const struct p9_insn *i, unsigned size)
{
	struct p9_reserve *reserve = &t->reserve;
	ir_val ea = p9_ea_x(t, insn_RA(i), insn_RB(i)), v;
	ir_block watched = ir_create_block(t->r), bare = ir_create_block(t->r);

	ir_br(t->r,
	      p9_bin(t, IR_EQ, ir_get(t->r, IR_I64, P9_OFF(resv_watch)), p9_bini(t, IR_AND, ea, P9_RESV_BITS)),
	      watched, bare);
	t->watched[t->nwatched++] = (struct p9_watched){watched, ea, t->pc, i, size};
	ir_begin_block(t->r, bare);
	v = ir_load(t->r, type_of(size), aligned_memop(t, size), ea);
	/* One that was watched is replaced. */
	ir_set(t->r, P9_OFF(resv_size), p9_i64(t, 0));
	t->reserved = ++reserve->id;
	reserve->from = t->r->ninst;
	reserve->size = size;
	reserve->ra = insn_RA(i);
	reserve->rb = insn_RB(i);
	reserve->ea = ea;
	reserve->value = v;
	reserve->carried = false;
	set_loaded(t, i, size, v);
}

/* Is it the store of the bare reservation that is held here? Its address is, if the registers are still what they were. */
static bool stores_bare(const struct p9_translator *t, const struct p9_insn *i, unsigned size)
{
	const struct p9_reserve *reserve = &t->reserve;

	if (!t->reserved || reserve->carried || reserve->size != size || reserve->ra != insn_RA(i) || reserve->rb != insn_RB(i))
		return false;
	for (uint32_t n = reserve->from; n < t->r->ninst; n++) {
		const struct ir_inst *set = &t->r->inst[n];

		if (set->op == IR_SET && ((reserve->ra && set->imm == p9_off_gpr(reserve->ra)) ||
					  set->imm == p9_off_gpr(reserve->rb)))
			return false;
	}
	return true;
}

/* Are they equal? */
static ir_val same(struct p9_translator *t, unsigned size, ir_val a, ir_val b)
{
	ir_val differ;

	if (size < 16)
		return p9_bin(t, IR_EQ, a, b);
	differ = p9_bin(t, IR_OR, p9_bin(t, IR_XOR, p9_un(t, IR_VHI, a), p9_un(t, IR_VHI, b)),
			p9_bin(t, IR_XOR, p9_un(t, IR_VLO, a), p9_un(t, IR_VLO, b)));
	return p9_bini(t, IR_EQ, differ, 0);
}

/* Nothing is left of a bare reservation but in translated code: see reserve.h. */
static ir_val store_bare(struct p9_translator *t, const struct p9_insn *i, unsigned size)
{
	ir_val v = p9_gpr(t, insn_RS(i)), old;

	if (size < 8)
		v = ir_extract(t->r, v, 0, 8 * size);
	else if (size == 16)
		v = p9_bin(t, IR_VMAKE, v, p9_gpr(t, insn_RS(i) + 1));
	old = ir_cas(t->r, aligned_memop(t, size), t->reserve.ea, t->reserve.value, v);
	return same(t, size, old, t->reserve.value);
}

static ir_val store_other(struct p9_translator *t, const struct p9_insn *i, unsigned size)
{
	ir_val ea = p9_ea_x(t, insn_RA(i), insn_RB(i));
	ir_val high = size == 16 ? p9_gpr(t, insn_RS(i)) : p9_i64(t, 0);
	ir_val low = p9_gpr(t, size == 16 ? insn_RS(i) + 1 : insn_RS(i)), stored;

	if (size < 8)
		low = ir_extract(t->r, low, 0, 8 * size);
	stored = p9_call4(t, &p9_h_store_conditional, ea, size_and_order(t, size), high, low);
	ir_set(t->r, P9_OFF(resv_size), p9_i64(t, 0));
	return stored;
}

void p9_carry_reservation(struct p9_translator *t)
{
	const struct p9_reserve *reserve = &t->reserve;

	if (!t->reserved || reserve->carried)
		return;
	ir_set(t->r, P9_OFF(resv_addr), reserve->ea);
	ir_set(t->r, reserve->size == 16 ? P9_OFF(resv_value) : RESV_LOW, reserve->value);
	ir_set(t->r, P9_OFF(resv_carried), p9_i64(t, reserve->size));
}

void p9_take_reservation(struct p9_translator *t, unsigned size)
{
	struct p9_reserve *reserve = &t->reserve;

	if (size) {
		reserve->carried = true;
		reserve->size = size;
		reserve->held = ir_get(t->r, IR_I64, P9_OFF(resv_carried));
		reserve->ea = ir_get(t->r, IR_I64, P9_OFF(resv_addr));
		reserve->value = ir_get(t->r, type_of(size), size == 16 ? P9_OFF(resv_value) : RESV_LOW);
		t->reserved = ++reserve->id;
	}
	ir_set(t->r, P9_OFF(resv_carried), p9_i64(t, 0));
}

/* The store, if one was carried here, and is for the same address. */
static void store_carried(struct p9_translator *t, const struct p9_insn *i, unsigned size)
{
	ir_block held = ir_create_block(t->r), other = ir_create_block(t->r), done = ir_create_block(t->r);
	ir_val ea = p9_ea_x(t, insn_RA(i), insn_RB(i));
	ir_val same_ea = p9_bin(t, IR_EQ, t->reserve.ea, ea);
	ir_val same_size = p9_bini(t, IR_EQ, t->reserve.held, size);

	ir_br(t->r, p9_bin(t, IR_AND, same_ea, same_size), held, other);
	ir_begin_block(t->r, other);
	p9_set_crf_equal(t, 0, store_other(t, i, size));
	ir_jump(t->r, done);
	ir_begin_block(t->r, held);
	p9_set_crf_equal(t, 0, store_bare(t, i, size));
	ir_jump(t->r, done);
	ir_begin_block(t->r, done);
}

/* CR0 := 0b00, was it stored, SO; and no reservation is left. */
static void store_conditional(struct p9_translator *t, const struct p9_insn *i, unsigned size)
{
	if (t->reserved && t->reserve.carried && t->reserve.size == size)
		store_carried(t, i, size);
	else
		p9_set_crf_equal(t, 0, stores_bare(t, i, size) ? store_bare(t, i, size) :
								 store_other(t, i, size));
	t->reserved = 0;
}

void p9_emit_lbarx(struct p9_translator *t, const struct p9_insn *i)
{
	load_reserve(t, i, 1);
}

void p9_emit_lharx(struct p9_translator *t, const struct p9_insn *i)
{
	load_reserve(t, i, 2);
}

void p9_emit_lwarx(struct p9_translator *t, const struct p9_insn *i)
{
	load_reserve(t, i, 4);
}

void p9_emit_ldarx(struct p9_translator *t, const struct p9_insn *i)
{
	load_reserve(t, i, 8);
}

void p9_emit_stbcx_dot(struct p9_translator *t, const struct p9_insn *i)
{
	store_conditional(t, i, 1);
}

void p9_emit_sthcx_dot(struct p9_translator *t, const struct p9_insn *i)
{
	store_conditional(t, i, 2);
}

void p9_emit_stwcx_dot(struct p9_translator *t, const struct p9_insn *i)
{
	store_conditional(t, i, 4);
}

void p9_emit_stdcx_dot(struct p9_translator *t, const struct p9_insn *i)
{
	store_conditional(t, i, 8);
}

void p9_emit_lqarx(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned rt = insn_RT(i);

	if (rt % 2 || rt == insn_RA(i) || rt == insn_RB(i)) {
		p9_raise_illegal(t, i->raw);
		return;
	}
	load_reserve(t, i, 16);
}

void p9_emit_stqcx_dot(struct p9_translator *t, const struct p9_insn *i)
{
	if (insn_RS(i) % 2) {
		p9_raise_illegal(t, i->raw);
		return;
	}
	store_conditional(t, i, 16);
}

/*
 * Atomic memory operations. Function codes 0 to 8 are the IR's own read-modify-write kinds; 8
 * (swap) is for loads only. The others look at a second operand and are helpers.
 */
static const enum ir_rmw amo_kind[] = {
    IR_RMW_ADD,  IR_RMW_XOR,  IR_RMW_OR,   IR_RMW_AND,  IR_RMW_MAXU,
    IR_RMW_MAXS, IR_RMW_MINU, IR_RMW_MINS, IR_RMW_XCHG,
};

#define FC_SWAP              8
#define FC_COMPARE_NOT_EQUAL 16
#define FC_INC_BOUNDED       24
#define FC_INC_EQUAL         25
#define FC_DEC_BOUNDED       28
#define FC_STORE_TWIN        24

static ir_val amo_operand(struct p9_translator *t, unsigned reg, unsigned size)
{
	ir_val v = p9_gpr(t, reg & 31);

	return size == 4 ? p9_un(t, IR_ZEXT32, v) : v;
}

static void amo_load(struct p9_translator *t, const struct p9_insn *i, unsigned size)
{
	unsigned rt = insn_RT(i), fc = insn_FC(i);
	ir_val ea = p9_ea(t, p9_gpr0(t, insn_RA(i)));
	ir_val v;

	if (fc <= FC_SWAP) {
		v = ir_rmw(t->r, amo_kind[fc], aligned_memop(t, size), ea,
			   amo_operand(t, rt + 1, size));
	} else if (fc == FC_COMPARE_NOT_EQUAL || fc == FC_INC_BOUNDED || fc == FC_INC_EQUAL ||
		   fc == FC_DEC_BOUNDED) {
		uint64_t how = fc | size << 8 | (t->mode & P9_MODE_LE ? 1u << 16 : 0);

		v = p9_call4(t, &p9_h_amo_load, ea, p9_i64(t, how), amo_operand(t, rt + 1, size),
			     amo_operand(t, rt + 2, size));
	} else {
		p9_raise_illegal(t, i->raw);
		return;
	}
	p9_set_gpr(t, rt, v);
}

void p9_emit_lwat(struct p9_translator *t, const struct p9_insn *i)
{
	amo_load(t, i, 4);
}

void p9_emit_ldat(struct p9_translator *t, const struct p9_insn *i)
{
	amo_load(t, i, 8);
}

static void amo_store(struct p9_translator *t, const struct p9_insn *i, unsigned size)
{
	unsigned fc = insn_FC(i);
	ir_val ea = p9_ea(t, p9_gpr0(t, insn_RA(i)));
	ir_val v = amo_operand(t, insn_RS(i), size);

	if (fc < FC_SWAP) {
		ir_rmw(t->r, amo_kind[fc], aligned_memop(t, size), ea, v);
	} else if (fc == FC_STORE_TWIN) {
		uint64_t how = fc | size << 8 | (t->mode & P9_MODE_LE ? 1u << 16 : 0);

		p9_call3(t, &p9_h_amo_store_twin, ea, p9_i64(t, how), v);
	} else {
		p9_raise_illegal(t, i->raw);
	}
}

void p9_emit_stwat(struct p9_translator *t, const struct p9_insn *i)
{
	amo_store(t, i, 4);
}

void p9_emit_stdat(struct p9_translator *t, const struct p9_insn *i)
{
	amo_store(t, i, 8);
}

/*
 * The lightweight barriers order all but a store before a load. Hosts that never reorder
 * anything else need nothing for them.
 */
#if defined(__x86_64__) || defined(__i386__) || defined(__s390x__)
#define HOST_TOTAL_STORE_ORDER true
#else
#define HOST_TOTAL_STORE_ORDER false
#endif

/* L: 0 the heavyweight barrier, 1 lwsync, 2 ptesync (privileged), 3 reserved and taken for 0. */
void p9_emit_sync(struct p9_translator *t, const struct p9_insn *i)
{
	if (insn_L_X2(i) == 2 && (t->mode & P9_MODE_PR)) {
		p9_raise_program(t, P9_PROG_PRIV);
		return;
	}
	if (insn_L_X2(i) != 1 || !HOST_TOTAL_STORE_ORDER)
		ir_fence(t->r);
}

void p9_emit_eieio(struct p9_translator *t, const struct p9_insn *i)
{
	(void)i;
	if (!HOST_TOTAL_STORE_ORDER)
		ir_fence(t->r);
}

/* What follows must be fetched again, in the context that now is. */
void p9_emit_isync(struct p9_translator *t, const struct p9_insn *i)
{
	(void)i;
	p9_exit_refetch(t);
}
