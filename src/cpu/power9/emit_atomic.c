/*
 * Reservations, atomic memory operations and barriers (Power ISA 3.0B, Book II 4.5 and 4.6).
 *
 * A reservation is the effective address, the size and the value that was loaded. The store
 * conditional compares and swaps: it succeeds if memory still holds that value. That another
 * processor stored and the same value came back meanwhile goes unseen, which no use of
 * reservations that compares values can tell.
 */
#include "cpu/power9/emit_common.h"
#include "cpu/power9/helper_fixed.h"

/* The low half of resv_value: where reservations of up to eight bytes hold their value. */
#define RESV_LOW (P9_OFF(resv_value) + (HOST_LITTLE_ENDIAN ? 0 : 8))

static struct ir_memop aligned_memop(struct p9_translator *t, unsigned size)
{
	struct ir_memop m = p9_memop(t, size, false);

	m.aligned = true;
	return m;
}

static void reserve(struct p9_translator *t, ir_val ea, unsigned size)
{
	ir_set(t->r, P9_OFF(resv_addr), ea);
	ir_set(t->r, P9_OFF(resv_size), p9_i64(t, size));
}

static void load_reserve(struct p9_translator *t, const struct p9_insn *i, unsigned size)
{
	ir_val ea = p9_ea_x(t, insn_RA(i), insn_RB(i));
	ir_val v = ir_load(t->r, IR_I64, aligned_memop(t, size), ea);

	reserve(t, ea, size);
	ir_set(t->r, RESV_LOW, v);
	p9_set_gpr(t, insn_RT(i), v);
}

/* CR0 := 0b00, was it stored, SO; and no reservation is left. */
static void conditional_done(struct p9_translator *t, ir_val stored)
{
	ir_set(t->r, P9_OFF(resv_size), p9_i64(t, 0));
	p9_set_crf_equal(t, 0, stored);
}

/*
 * Branch on whether the reservation is for these bytes, fill the block for which it is not, and
 * open the one for which it is. A reservation's address is aligned, so the store's needs
 * checking only where they differ. Returns the block behind both.
 */
static ir_block if_reserved(struct p9_translator *t, ir_val ea, unsigned size)
{
	ir_block held = ir_create_block(t->r), lost = ir_create_block(t->r);
	ir_block done = ir_create_block(t->r);
	ir_val same_ea = p9_bin(t, IR_EQ, ir_get(t->r, IR_I64, P9_OFF(resv_addr)), ea);
	ir_val same_size = p9_bini(t, IR_EQ, ir_get(t->r, IR_I64, P9_OFF(resv_size)), size);

	ir_br(t->r, p9_bin(t, IR_AND, same_ea, same_size), held, lost);
	ir_begin_block(t->r, lost);
	if (size > 1)
		p9_call3(t, &p9_h_check_aligned, ea, p9_i64(t, size), p9_i64(t, true));
	conditional_done(t, p9_i64(t, 0));
	ir_jump(t->r, done);
	ir_begin_block(t->r, held);
	return done;
}

static void store_conditional(struct p9_translator *t, const struct p9_insn *i, unsigned size)
{
	ir_val ea = p9_ea_x(t, insn_RA(i), insn_RB(i));
	ir_block done = if_reserved(t, ea, size);
	ir_val expected = ir_get(t->r, IR_I64, RESV_LOW);
	ir_val v = p9_gpr(t, insn_RS(i));
	ir_val old;

	if (size < 8)
		v = ir_extract(t->r, v, 0, 8 * size);
	old = ir_cas(t->r, aligned_memop(t, size), ea, expected, v);
	conditional_done(t, p9_bin(t, IR_EQ, old, expected));
	ir_jump(t->r, done);
	ir_begin_block(t->r, done);
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

/* The even register is the high half in either byte order. */
void p9_emit_lqarx(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned rt = insn_RT(i);
	ir_val ea, v;

	if (rt % 2 || rt == insn_RA(i) || rt == insn_RB(i)) {
		p9_raise_illegal(t, i->raw);
		return;
	}
	ea = p9_ea_x(t, insn_RA(i), insn_RB(i));
	v = ir_load(t->r, IR_V128, aligned_memop(t, 16), ea);
	reserve(t, ea, 16);
	ir_set(t->r, P9_OFF(resv_value), v);
	p9_set_gpr(t, rt, p9_un(t, IR_VHI, v));
	p9_set_gpr(t, rt + 1, p9_un(t, IR_VLO, v));
}

void p9_emit_stqcx_dot(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned rs = insn_RS(i);
	ir_val ea, expected, v, old, differ;
	ir_block done;

	if (rs % 2) {
		p9_raise_illegal(t, i->raw);
		return;
	}
	ea = p9_ea_x(t, insn_RA(i), insn_RB(i));
	done = if_reserved(t, ea, 16);
	expected = ir_get(t->r, IR_V128, P9_OFF(resv_value));
	v = p9_bin(t, IR_VMAKE, p9_gpr(t, rs), p9_gpr(t, rs + 1));
	old = ir_cas(t->r, aligned_memop(t, 16), ea, expected, v);
	differ =
	    p9_bin(t, IR_OR, p9_bin(t, IR_XOR, p9_un(t, IR_VHI, old), p9_un(t, IR_VHI, expected)),
		   p9_bin(t, IR_XOR, p9_un(t, IR_VLO, old), p9_un(t, IR_VLO, expected)));
	conditional_done(t, p9_bini(t, IR_EQ, differ, 0));
	ir_jump(t->r, done);
	ir_begin_block(t->r, done);
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
