/*
 * VSX loads and stores (Book I 7.6.1.1, 7.6.1.2) and moves between general registers and
 * VSRs (3.3.18). Any alignment is handled by the hardware.
 */
#include "cpu/power9/emit_vec.h"
#include "cpu/power9/helper_float.h"

static ir_val ea_x(struct p9_translator *t, const struct p9_insn *i)
{
	return p9_ea_x(t, insn_RA(i), insn_RB(i));
}

static ir_val load_int(struct p9_translator *t, unsigned size, bool sign_extend, ir_val ea)
{
	return ir_load(t->r, IR_I64, p9_memop(t, size, sign_extend), ea);
}

/* A scalar to doubleword 0; doubleword 1, undefined in the ISA, becomes zero. */
static void set_scalar(struct p9_translator *t, unsigned n, ir_val v)
{
	p9_set_vsr(t, n, ir_bin(t->r, IR_VMAKE, v, p9_i64(t, 0)));
}

static ir_val doubleword(struct p9_translator *t, unsigned n, unsigned dw)
{
	return ir_get(t->r, IR_I64, p9_off_vsr_dw(n, dw));
}

/* Scalars. A single is held as a double. */

static ir_val load_single(struct p9_translator *t, ir_val ea)
{
	return p9_call1(t, &p9_h_fpu_double, load_int(t, 4, false, ea));
}

static void store_single(struct p9_translator *t, ir_val ea, ir_val v)
{
	ir_store(t->r, p9_memop(t, 4, false), ea, p9_call1(t, &p9_h_fpu_single, v));
}

void p9_emit_lxsd(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val ea = p9_ea_disp(t, insn_RA(i), insn_DS(i));

	set_scalar(t, 32 + insn_VRT(i), load_int(t, 8, false, ea));
}

void p9_emit_lxssp(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val ea = p9_ea_disp(t, insn_RA(i), insn_DS(i));

	set_scalar(t, 32 + insn_VRT(i), load_single(t, ea));
}

void p9_emit_stxsd(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val ea = p9_ea_disp(t, insn_RA(i), insn_DS(i));

	ir_store(t->r, p9_memop(t, 8, false), ea, doubleword(t, 32 + insn_VRS(i), 0));
}

void p9_emit_stxssp(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val ea = p9_ea_disp(t, insn_RA(i), insn_DS(i));

	store_single(t, ea, doubleword(t, 32 + insn_VRS(i), 0));
}

void p9_emit_lxsspx(struct p9_translator *t, const struct p9_insn *i)
{
	set_scalar(t, insn_XT(i), load_single(t, ea_x(t, i)));
}

void p9_emit_stxsspx(struct p9_translator *t, const struct p9_insn *i)
{
	store_single(t, ea_x(t, i), doubleword(t, insn_XS(i), 0));
}

#define LOAD_SCALAR(id, size, sign)                                                                \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		set_scalar(t, insn_XT(i), load_int(t, size, sign, ea_x(t, i)));                    \
	}

LOAD_SCALAR(lxsdx, 8, false)
LOAD_SCALAR(lxsibzx, 1, false)
LOAD_SCALAR(lxsihzx, 2, false)
LOAD_SCALAR(lxsiwzx, 4, false)
LOAD_SCALAR(lxsiwax, 4, true)

/* The right end of doubleword 0. */
#define STORE_SCALAR(id, size)                                                                     \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_store(t->r, p9_memop(t, size, false), ea_x(t, i),                               \
			 doubleword(t, insn_XS(i), 0));                                            \
	}

STORE_SCALAR(stxsdx, 8)
STORE_SCALAR(stxsibx, 1)
STORE_SCALAR(stxsihx, 2)
STORE_SCALAR(stxsiwx, 4)

/* Vectors */

void p9_emit_lxv(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val ea = p9_ea_disp(t, insn_RA(i), insn_DQ(i));

	p9_set_vsr(t, insn_XT_DQ(i), p9_vload_quad(t, ea));
}

void p9_emit_stxv(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val ea = p9_ea_disp(t, insn_RA(i), insn_DQ(i));

	p9_vstore_quad(t, ea, p9_vsr(t, insn_XS_DQ(i)));
}

void p9_emit_lxvx(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vsr(t, insn_XT(i), p9_vload_quad(t, ea_x(t, i)));
}

void p9_emit_stxvx(struct p9_translator *t, const struct p9_insn *i)
{
	p9_vstore_quad(t, ea_x(t, i), p9_vsr(t, insn_XS(i)));
}

#define VECTOR_ELEMENTS(load, store, lane)                                                         \
	void p9_emit_##load(struct p9_translator *t, const struct p9_insn *i)                      \
	{                                                                                          \
		p9_set_vsr(t, insn_XT(i), p9_vload_elements(t, lane, ea_x(t, i)));                 \
	}                                                                                          \
	void p9_emit_##store(struct p9_translator *t, const struct p9_insn *i)                     \
	{                                                                                          \
		p9_vstore_elements(t, lane, ea_x(t, i), p9_vsr(t, insn_XS(i)));                    \
	}

VECTOR_ELEMENTS(lxvb16x, stxvb16x, P9_LANE_B)
VECTOR_ELEMENTS(lxvh8x, stxvh8x, P9_LANE_H)
VECTOR_ELEMENTS(lxvw4x, stxvw4x, P9_LANE_W)
VECTOR_ELEMENTS(lxvd2x, stxvd2x, P9_LANE_D)

void p9_emit_lxvdsx(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val v = load_int(t, 8, false, ea_x(t, i));

	p9_set_vsr(t, insn_XT(i), ir_vun(t->r, IR_VDUP, P9_LANE_D, v));
}

void p9_emit_lxvwsx(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val v = load_int(t, 4, false, ea_x(t, i));

	p9_set_vsr(t, insn_XT(i), ir_vun(t->r, IR_VDUP, P9_LANE_W, v));
}

/*
 * With length: (RA|0) is the address, RB byte 0 the number of bytes. The ll forms keep the bytes
 * in storage order from the left; the others follow the byte order of the mode.
 */
static void emit_load_length(struct p9_translator *t, const struct p9_insn *i, bool from_right)
{
	ir_val ea = p9_ea(t, p9_gpr0(t, insn_RA(i)));

	p9_set_vsr(t, insn_XT(i),
		   p9_call3(t, &p9_h_vec_load_len, ea, p9_gpr(t, insn_RB(i)),
			    p9_i64(t, from_right)));
}

static void emit_store_length(struct p9_translator *t, const struct p9_insn *i, bool from_right)
{
	ir_val ea = p9_ea(t, p9_gpr0(t, insn_RA(i)));

	p9_call4(t, &p9_h_vec_store_len, p9_vsr(t, insn_XS(i)), ea, p9_gpr(t, insn_RB(i)),
		 p9_i64(t, from_right));
}

void p9_emit_lxvl(struct p9_translator *t, const struct p9_insn *i)
{
	emit_load_length(t, i, p9_little_endian(t));
}

void p9_emit_lxvll(struct p9_translator *t, const struct p9_insn *i)
{
	emit_load_length(t, i, false);
}

void p9_emit_stxvl(struct p9_translator *t, const struct p9_insn *i)
{
	emit_store_length(t, i, p9_little_endian(t));
}

void p9_emit_stxvll(struct p9_translator *t, const struct p9_insn *i)
{
	emit_store_length(t, i, false);
}

/* Moves; in RA's operand place stands the general register. */

void p9_emit_mfvsrd(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RA(i), doubleword(t, insn_XS(i), 0));
}

void p9_emit_mfvsrld(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RA(i), doubleword(t, insn_XS(i), 1));
}

void p9_emit_mfvsrwz(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RA(i), ir_un(t->r, IR_ZEXT32, doubleword(t, insn_XS(i), 0)));
}

void p9_emit_mtvsrd(struct p9_translator *t, const struct p9_insn *i)
{
	set_scalar(t, insn_XT(i), p9_gpr(t, insn_RA(i)));
}

void p9_emit_mtvsrwa(struct p9_translator *t, const struct p9_insn *i)
{
	set_scalar(t, insn_XT(i), ir_un(t->r, IR_SEXT32, p9_gpr(t, insn_RA(i))));
}

void p9_emit_mtvsrwz(struct p9_translator *t, const struct p9_insn *i)
{
	set_scalar(t, insn_XT(i), ir_un(t->r, IR_ZEXT32, p9_gpr(t, insn_RA(i))));
}

void p9_emit_mtvsrdd(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vsr(t, insn_XT(i),
		   ir_bin(t->r, IR_VMAKE, p9_gpr0(t, insn_RA(i)), p9_gpr(t, insn_RB(i))));
}

void p9_emit_mtvsrws(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vsr(t, insn_XT(i), ir_vun(t->r, IR_VDUP, P9_LANE_W, p9_gpr(t, insn_RA(i))));
}
