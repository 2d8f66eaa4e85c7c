/*
 * Floating-point loads and stores, moves, selection, and the FPSCR (Book I 4.6.2 - 4.6.5, 4.6.9,
 * 4.6.10). Singles are held as doubles.
 */
#include "cpu/power9/emit_float.h"

#define SIGN UINT64_C(0x8000000000000000)

/* Loads and stores */

struct access {
	ir_val ea;
	bool update; /* RA := EA */
};

static ir_val load_double(struct p9_translator *t, ir_val ea)
{
	return ir_load(t->r, IR_I64, p9_memop(t, 8, false), ea);
}

static ir_val load_single(struct p9_translator *t, ir_val ea)
{
	return p9_call1(t, &p9_h_fpu_double,
			ir_load(t->r, IR_I64, p9_memop(t, 4, false), ea));
}

static void store_double(struct p9_translator *t, ir_val ea, ir_val v)
{
	ir_store(t->r, p9_memop(t, 8, false), ea, v);
}

static void store_single(struct p9_translator *t, ir_val ea, ir_val v)
{
	ir_store(t->r, p9_memop(t, 4, false), ea, p9_call1(t, &p9_h_fpu_single, v));
}

/*
 * The effective address of D and X forms, with or without update. False: an update form with
 * RA = 0, which is invalid and taken as illegal.
 */
static bool access_of(struct p9_translator *t, const struct p9_insn *i, bool indexed, bool update,
		      struct access *a)
{
	if (update && insn_RA(i) == 0) {
		p9_raise_illegal(t, i->raw);
		return false;
	}
	a->update = update;
	a->ea = indexed ? p9_ea_x(t, insn_RA(i), insn_RB(i))
			: p9_ea_disp(t, insn_RA(i), insn_D(i));
	return true;
}

static void finish_access(struct p9_translator *t, const struct p9_insn *i, const struct access *a)
{
	if (a->update)
		p9_set_gpr(t, insn_RA(i), a->ea);
}

#define FP_LOAD(id, load, indexed, update)                                                         \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		struct access a;                                                                   \
                                                                                                   \
		if (!access_of(t, i, indexed, update, &a))                                         \
			return;                                                                    \
		p9_set_fpr(t, insn_FRT(i), load(t, a.ea));                                         \
		finish_access(t, i, &a);                                                           \
	}

#define FP_STORE(id, store, indexed, update)                                                       \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		struct access a;                                                                   \
                                                                                                   \
		if (!access_of(t, i, indexed, update, &a))                                         \
			return;                                                                    \
		store(t, a.ea, p9_fpr(t, insn_FRS(i)));                                            \
		finish_access(t, i, &a);                                                           \
	}

FP_LOAD(lfs, load_single, false, false)
FP_LOAD(lfsx, load_single, true, false)
FP_LOAD(lfsu, load_single, false, true)
FP_LOAD(lfsux, load_single, true, true)
FP_LOAD(lfd, load_double, false, false)
FP_LOAD(lfdx, load_double, true, false)
FP_LOAD(lfdu, load_double, false, true)
FP_LOAD(lfdux, load_double, true, true)
FP_STORE(stfs, store_single, false, false)
FP_STORE(stfsx, store_single, true, false)
FP_STORE(stfsu, store_single, false, true)
FP_STORE(stfsux, store_single, true, true)
FP_STORE(stfd, store_double, false, false)
FP_STORE(stfdx, store_double, true, false)
FP_STORE(stfdu, store_double, false, true)
FP_STORE(stfdux, store_double, true, true)

/* Integer words, in the low half of the register. */

void p9_emit_lfiwax(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val ea = p9_ea_x(t, insn_RA(i), insn_RB(i));

	p9_set_fpr(t, insn_FRT(i), ir_load(t->r, IR_I64, p9_memop(t, 4, true), ea));
}

void p9_emit_lfiwzx(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val ea = p9_ea_x(t, insn_RA(i), insn_RB(i));

	p9_set_fpr(t, insn_FRT(i), ir_load(t->r, IR_I64, p9_memop(t, 4, false), ea));
}

void p9_emit_stfiwx(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val ea = p9_ea_x(t, insn_RA(i), insn_RB(i));

	ir_store(t->r, p9_memop(t, 4, false), ea, p9_fpr(t, insn_FRS(i)));
}

/*
 * Pairs: a quadword whose left half is the even register's, in the byte order of the mode. An odd
 * register is an invalid form, taken as illegal.
 */
static bool pair_is_valid(struct p9_translator *t, const struct p9_insn *i)
{
	if (insn_FRT(i) & 1) {
		p9_raise_illegal(t, i->raw);
		return false;
	}
	return true;
}

static void load_pair(struct p9_translator *t, const struct p9_insn *i, ir_val ea)
{
	ir_val v = ir_load(t->r, IR_V128, p9_memop(t, 16, false), ea);

	p9_set_fpr(t, insn_FRT(i), ir_un(t->r, IR_VHI, v));
	p9_set_fpr(t, insn_FRT(i) + 1, ir_un(t->r, IR_VLO, v));
}

static void store_pair(struct p9_translator *t, const struct p9_insn *i, ir_val ea)
{
	ir_val v = ir_bin(t->r, IR_VMAKE, p9_fpr(t, insn_FRS(i)), p9_fpr(t, insn_FRS(i) + 1));

	ir_store(t->r, p9_memop(t, 16, false), ea, v);
}

void p9_emit_lfdp(struct p9_translator *t, const struct p9_insn *i)
{
	if (pair_is_valid(t, i))
		load_pair(t, i, p9_ea_disp(t, insn_RA(i), insn_DS(i)));
}

void p9_emit_lfdpx(struct p9_translator *t, const struct p9_insn *i)
{
	if (pair_is_valid(t, i))
		load_pair(t, i, p9_ea_x(t, insn_RA(i), insn_RB(i)));
}

void p9_emit_stfdp(struct p9_translator *t, const struct p9_insn *i)
{
	if (pair_is_valid(t, i))
		store_pair(t, i, p9_ea_disp(t, insn_RA(i), insn_DS(i)));
}

void p9_emit_stfdpx(struct p9_translator *t, const struct p9_insn *i)
{
	if (pair_is_valid(t, i))
		store_pair(t, i, p9_ea_x(t, insn_RA(i), insn_RB(i)));
}

/* Moves, which know nothing of numbers and leave the FPSCR. */

static void finish_move(struct p9_translator *t, const struct p9_insn *i, ir_val v)
{
	p9_set_fpr(t, insn_FRT(i), v);
	p9_fp_record(t, i);
}

void p9_emit_fmr(struct p9_translator *t, const struct p9_insn *i)
{
	finish_move(t, i, p9_fpr(t, insn_FRB(i)));
}

void p9_emit_fneg(struct p9_translator *t, const struct p9_insn *i)
{
	finish_move(t, i, ir_bin(t->r, IR_XOR, p9_fpr(t, insn_FRB(i)), p9_i64(t, SIGN)));
}

void p9_emit_fabs(struct p9_translator *t, const struct p9_insn *i)
{
	finish_move(t, i, ir_bin(t->r, IR_AND, p9_fpr(t, insn_FRB(i)), p9_i64(t, ~SIGN)));
}

void p9_emit_fnabs(struct p9_translator *t, const struct p9_insn *i)
{
	finish_move(t, i, ir_bin(t->r, IR_OR, p9_fpr(t, insn_FRB(i)), p9_i64(t, SIGN)));
}

void p9_emit_fcpsgn(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val sign = ir_bin(t->r, IR_AND, p9_fpr(t, insn_FRA(i)), p9_i64(t, SIGN));
	ir_val rest = ir_bin(t->r, IR_AND, p9_fpr(t, insn_FRB(i)), p9_i64(t, ~SIGN));

	finish_move(t, i, ir_bin(t->r, IR_OR, sign, rest));
}

/* Words of two registers: both left ones, both right ones. */

void p9_emit_fmrgew(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val b = ir_extract(t->r, p9_fpr(t, insn_FRB(i)), 32, 32);

	p9_set_fpr(t, insn_FRT(i), ir_deposit(t->r, p9_fpr(t, insn_FRA(i)), b, 0, 32));
}

void p9_emit_fmrgow(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_fpr(t, insn_FRT(i),
		   ir_deposit(t->r, p9_fpr(t, insn_FRB(i)), p9_fpr(t, insn_FRA(i)), 32, 32));
}

/* FRC if FRA is zero, of either sign, or greater; a NaN is not. */
void p9_emit_fsel(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val a = p9_fpr(t, insn_FRA(i)), infinity = p9_i64(t, UINT64_C(0x7ff) << 52);
	ir_val chosen = ir_bin(t->r, IR_OR, ir_bin(t->r, IR_LEU, a, infinity),
			       ir_bin(t->r, IR_EQ, a, p9_i64(t, SIGN)));

	finish_move(t, i, ir_select(t->r, chosen, p9_fpr(t, insn_FRC(i)), p9_fpr(t, insn_FRB(i))));
}

/*
 * FPSCR. Enable bits that are set here may find their exception bits set already. And other code
 * may be needed from here on: the helpers keep cpu.mode right.
 */
void p9_emit_mffs(struct p9_translator *t, const struct p9_insn *i)
{
	finish_move(t, i, p9_call0(t, &p9_h_mffs));
}

void p9_emit_mffsl(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_fpr(t, insn_FRT(i), p9_call0(t, &p9_h_mffsl));
}

void p9_emit_mffsce(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_fpr(t, insn_FRT(i), p9_call0(t, &p9_h_mffsce));
	p9_check_mode(t);
}

void p9_emit_mffscdrn(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_fpr(t, insn_FRT(i), p9_call1(t, &p9_h_mffscdrn, p9_fpr(t, insn_FRB(i))));
}

void p9_emit_mffscdrni(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_fpr(t, insn_FRT(i), p9_call1(t, &p9_h_mffscdrni, p9_i64(t, insn_DRM(i))));
}

void p9_emit_mffscrn(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_fpr(t, insn_FRT(i), p9_call1(t, &p9_h_mffscrn, p9_fpr(t, insn_FRB(i))));
	p9_check_mode(t);
}

void p9_emit_mffscrni(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_fpr(t, insn_FRT(i), p9_call1(t, &p9_h_mffscrni, p9_i64(t, insn_RM(i))));
	p9_check_mode(t);
}

void p9_emit_mcrfs(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_crf(t, insn_BF(i), p9_call1(t, &p9_h_mcrfs, p9_i64(t, insn_BFA(i))));
	p9_fp_check(t);
}

static void finish_status(struct p9_translator *t, const struct p9_insn *i)
{
	p9_fp_record(t, i);
	p9_fp_check_any(t);
	p9_check_mode(t);
}

void p9_emit_mtfsf(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned fields = insn_FLM(i) | insn_L_XFL(i) << 8 | insn_W(i) << 9;

	p9_call2(t, &p9_h_mtfsf, p9_fpr(t, insn_FRB(i)), p9_i64(t, fields));
	finish_status(t, i);
}

void p9_emit_mtfsfi(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned fields = insn_BF(i) | insn_U(i) << 4 | insn_W(i) << 8;

	p9_call1(t, &p9_h_mtfsfi, p9_i64(t, fields));
	finish_status(t, i);
}

void p9_emit_mtfsb0(struct p9_translator *t, const struct p9_insn *i)
{
	p9_call1(t, &p9_h_mtfsb0, p9_i64(t, insn_BT(i)));
	finish_status(t, i);
}

void p9_emit_mtfsb1(struct p9_translator *t, const struct p9_insn *i)
{
	p9_call1(t, &p9_h_mtfsb1, p9_i64(t, insn_BT(i)));
	finish_status(t, i);
}
