/*
 * Fixed-point loads and stores (Power ISA 3.0B, Book I 3.3.1 to 3.3.7).
 *
 * POWER9 does unaligned loads and stores of up to eight bytes in hardware. Quadwords must be
 * aligned, for their access is a single one. Multiples and strings give an alignment interrupt in
 * little-endian mode, whatever their address.
 *
 * An update form with RA = 0, or a load with update with RA = RT, is invalid, and taken for an
 * illegal instruction.
 */
#include "cpu/power9/emit_common.h"
#include "cpu/power9/helper_fixed.h"

static bool invalid_update(struct p9_translator *t, const struct p9_insn *i, bool load)
{
	if (insn_RA(i) && (!load || insn_RA(i) != insn_RT(i)))
		return false;
	p9_raise_illegal(t, i->raw);
	return true;
}

static void load(struct p9_translator *t, const struct p9_insn *i, ir_val ea, struct ir_memop m,
		 bool update)
{
	ir_val v = ir_load(t->r, IR_I64, m, ea);

	if (update)
		p9_set_gpr(t, insn_RA(i), ea);
	p9_set_gpr(t, insn_RT(i), v);
}

static void store(struct p9_translator *t, const struct p9_insn *i, ir_val ea, struct ir_memop m,
		  bool update)
{
	ir_store(t->r, m, ea, p9_gpr(t, insn_RS(i)));
	if (update)
		p9_set_gpr(t, insn_RA(i), ea);
}

#define EA_D(t, i)  p9_ea_disp(t, insn_RA(i), insn_D(i))
#define EA_DS(t, i) p9_ea_disp(t, insn_RA(i), insn_DS(i))
#define EA_X(t, i)  p9_ea_x(t, insn_RA(i), insn_RB(i))

#define DEFINE_LOAD(name, form, size, sign_extend)                                                 \
	void p9_emit_##name(struct p9_translator *t, const struct p9_insn *i)                      \
	{                                                                                          \
		load(t, i, EA_##form(t, i), p9_memop(t, size, sign_extend), false);                \
	}

#define DEFINE_LOAD_UPDATE(name, form, size, sign_extend)                                          \
	void p9_emit_##name(struct p9_translator *t, const struct p9_insn *i)                      \
	{                                                                                          \
		if (!invalid_update(t, i, true))                                                   \
			load(t, i, EA_##form(t, i), p9_memop(t, size, sign_extend), true);         \
	}

#define DEFINE_LOAD_REVERSED(name, size)                                                           \
	void p9_emit_##name(struct p9_translator *t, const struct p9_insn *i)                      \
	{                                                                                          \
		load(t, i, EA_X(t, i), p9_memop_rev(t, size), false);                              \
	}

#define DEFINE_STORE(name, form, size)                                                             \
	void p9_emit_##name(struct p9_translator *t, const struct p9_insn *i)                      \
	{                                                                                          \
		store(t, i, EA_##form(t, i), p9_memop(t, size, false), false);                     \
	}

#define DEFINE_STORE_UPDATE(name, form, size)                                                      \
	void p9_emit_##name(struct p9_translator *t, const struct p9_insn *i)                      \
	{                                                                                          \
		if (!invalid_update(t, i, false))                                                  \
			store(t, i, EA_##form(t, i), p9_memop(t, size, false), true);              \
	}

#define DEFINE_STORE_REVERSED(name, size)                                                          \
	void p9_emit_##name(struct p9_translator *t, const struct p9_insn *i)                      \
	{                                                                                          \
		store(t, i, EA_X(t, i), p9_memop_rev(t, size), false);                             \
	}

DEFINE_LOAD(lbz, D, 1, false)
DEFINE_LOAD(lbzx, X, 1, false)
DEFINE_LOAD_UPDATE(lbzu, D, 1, false)
DEFINE_LOAD_UPDATE(lbzux, X, 1, false)
DEFINE_LOAD(lhz, D, 2, false)
DEFINE_LOAD(lhzx, X, 2, false)
DEFINE_LOAD_UPDATE(lhzu, D, 2, false)
DEFINE_LOAD_UPDATE(lhzux, X, 2, false)
DEFINE_LOAD(lha, D, 2, true)
DEFINE_LOAD(lhax, X, 2, true)
DEFINE_LOAD_UPDATE(lhau, D, 2, true)
DEFINE_LOAD_UPDATE(lhaux, X, 2, true)
DEFINE_LOAD(lwz, D, 4, false)
DEFINE_LOAD(lwzx, X, 4, false)
DEFINE_LOAD_UPDATE(lwzu, D, 4, false)
DEFINE_LOAD_UPDATE(lwzux, X, 4, false)
DEFINE_LOAD(lwa, DS, 4, true)
DEFINE_LOAD(lwax, X, 4, true)
DEFINE_LOAD_UPDATE(lwaux, X, 4, true)
DEFINE_LOAD(ld, DS, 8, false)
DEFINE_LOAD(ldx, X, 8, false)
DEFINE_LOAD_UPDATE(ldu, DS, 8, false)
DEFINE_LOAD_UPDATE(ldux, X, 8, false)
DEFINE_LOAD_REVERSED(lhbrx, 2)
DEFINE_LOAD_REVERSED(lwbrx, 4)
DEFINE_LOAD_REVERSED(ldbrx, 8)

DEFINE_STORE(stb, D, 1)
DEFINE_STORE(stbx, X, 1)
DEFINE_STORE_UPDATE(stbu, D, 1)
DEFINE_STORE_UPDATE(stbux, X, 1)
DEFINE_STORE(sth, D, 2)
DEFINE_STORE(sthx, X, 2)
DEFINE_STORE_UPDATE(sthu, D, 2)
DEFINE_STORE_UPDATE(sthux, X, 2)
DEFINE_STORE(stw, D, 4)
DEFINE_STORE(stwx, X, 4)
DEFINE_STORE_UPDATE(stwu, D, 4)
DEFINE_STORE_UPDATE(stwux, X, 4)
DEFINE_STORE(std, DS, 8)
DEFINE_STORE(stdx, X, 8)
DEFINE_STORE_UPDATE(stdu, DS, 8)
DEFINE_STORE_UPDATE(stdux, X, 8)
DEFINE_STORE_REVERSED(sthbrx, 2)
DEFINE_STORE_REVERSED(stwbrx, 4)
DEFINE_STORE_REVERSED(stdbrx, 8)

/*
 * Quadwords: the even register is the high half in either byte order.
 */
void p9_emit_lq(struct p9_translator *t, const struct p9_insn *i)
{
	struct ir_memop m = p9_memop(t, 16, false);
	unsigned rt = insn_RT(i);
	ir_val v;

	if (rt % 2 || rt == insn_RA(i)) {
		p9_raise_illegal(t, i->raw);
		return;
	}
	m.aligned = true;
	v = ir_load(t->r, IR_V128, m, p9_ea_disp(t, insn_RA(i), insn_DQ(i)));
	p9_set_gpr(t, rt, p9_un(t, IR_VHI, v));
	p9_set_gpr(t, rt + 1, p9_un(t, IR_VLO, v));
}

void p9_emit_stq(struct p9_translator *t, const struct p9_insn *i)
{
	struct ir_memop m = p9_memop(t, 16, false);
	unsigned rs = insn_RS(i);

	if (rs % 2) {
		p9_raise_illegal(t, i->raw);
		return;
	}
	m.aligned = true;
	ir_store(t->r, m, EA_DS(t, i), p9_bin(t, IR_VMAKE, p9_gpr(t, rs), p9_gpr(t, rs + 1)));
}

/* Little-endian mode does not have multiples and strings. True: the interrupt was emitted. */
static bool big_endian_only(struct p9_translator *t, ir_val ea, bool is_store)
{
	if (!(t->mode & P9_MODE_LE))
		return false;
	p9_raise_alignment(t, ea, is_store);
	return true;
}

/* The address `offset` bytes behind ea. */
static ir_val behind(struct p9_translator *t, ir_val ea, unsigned offset)
{
	return offset ? p9_ea(t, p9_bini(t, IR_ADD, ea, offset)) : ea;
}

/* All loads come before the first register changes, so a fault in the middle leaves none changed.
 */
void p9_emit_lmw(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned first = insn_RT(i);
	ir_val ea, v[32];

	/* Invalid form: RA among the registers loaded. */
	if (insn_RA(i) >= first) {
		p9_raise_illegal(t, i->raw);
		return;
	}
	ea = EA_D(t, i);
	if (big_endian_only(t, ea, false))
		return;
	for (unsigned n = first; n < 32; n++)
		v[n] = ir_load(t->r, IR_I64, p9_memop(t, 4, false), behind(t, ea, 4 * (n - first)));
	for (unsigned n = first; n < 32; n++)
		p9_set_gpr(t, n, v[n]);
}

/* A fault in the middle leaves the first words stored; the instruction is then started again. */
void p9_emit_stmw(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned first = insn_RS(i);
	ir_val ea = EA_D(t, i);

	if (big_endian_only(t, ea, true))
		return;
	for (unsigned n = first; n < 32; n++)
		ir_store(t->r, p9_memop(t, 4, false), behind(t, ea, 4 * (n - first)), p9_gpr(t, n));
}

/* Is register n among those that a string of `bytes` from register `first` on loads? */
static bool in_string(unsigned n, unsigned first, unsigned bytes)
{
	return ((n - first) & 31) < (bytes + 3) / 4;
}

void p9_emit_lswi(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned bytes = insn_NB(i) ? insn_NB(i) : 32;
	ir_val ea;

	if (in_string(insn_RA(i), insn_RT(i), bytes)) {
		p9_raise_illegal(t, i->raw);
		return;
	}
	ea = p9_ea(t, p9_gpr0(t, insn_RA(i)));
	if (big_endian_only(t, ea, false))
		return;
	p9_call3(t, &p9_h_load_string, ea, p9_i64(t, insn_RT(i)), p9_i64(t, bytes));
}

void p9_emit_stswi(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned bytes = insn_NB(i) ? insn_NB(i) : 32;
	ir_val ea = p9_ea(t, p9_gpr0(t, insn_RA(i)));

	if (big_endian_only(t, ea, true))
		return;
	p9_call3(t, &p9_h_store_string, ea, p9_i64(t, insn_RS(i)), p9_i64(t, bytes));
}

/* The count of the indexed strings is the low seven bits of XER. */
static ir_val string_count(struct p9_translator *t)
{
	return ir_extract(t->r, ir_get(t->r, IR_I64, P9_OFF(xer_rest)), 0, 7);
}

void p9_emit_lswx(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val ea = EA_X(t, i);

	if (big_endian_only(t, ea, false))
		return;
	p9_call3(t, &p9_h_load_string, ea, p9_i64(t, insn_RT(i)), string_count(t));
}

void p9_emit_stswx(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val ea = EA_X(t, i);

	if (big_endian_only(t, ea, true))
		return;
	p9_call3(t, &p9_h_store_string, ea, p9_i64(t, insn_RS(i)), string_count(t));
}
