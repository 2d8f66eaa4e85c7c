/*
 * VMX loads and stores (Book I 6.7): quadwords, and single elements at their natural place in the
 * aligned quadword. The low bits of the address are ignored, so there are no alignment interrupts.
 */
#include "cpu/power9/emit_vec.h"

static ir_val aligned_ea(struct p9_translator *t, const struct p9_insn *i, unsigned size)
{
	return ir_bin(t->r, IR_AND, p9_ea_x(t, insn_RA(i), insn_RB(i)),
		      p9_i64(t, ~(uint64_t)(size - 1)));
}

static void emit_load(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vr(t, insn_VRT(i), p9_vload_quad(t, aligned_ea(t, i, 16)));
}

static void emit_store(struct p9_translator *t, const struct p9_insn *i)
{
	p9_vstore_quad(t, aligned_ea(t, i, 16), p9_vr(t, insn_VRS(i)));
}

void p9_emit_lvx(struct p9_translator *t, const struct p9_insn *i)
{
	emit_load(t, i);
}

/* The l of lvxl and stvxl is a hint: the quadword will not be used again soon. */
void p9_emit_lvxl(struct p9_translator *t, const struct p9_insn *i)
{
	emit_load(t, i);
}

void p9_emit_stvx(struct p9_translator *t, const struct p9_insn *i)
{
	emit_store(t, i);
}

void p9_emit_stvxl(struct p9_translator *t, const struct p9_insn *i)
{
	emit_store(t, i);
}

/* Where in the register the element at ea belongs: as if the whole quadword were loaded. */
static ir_val element_where(struct p9_translator *t, ir_val ea, unsigned size)
{
	ir_val offset = ir_bin(t->r, IR_AND, ea, p9_i64(t, 15));

	if (!p9_little_endian(t))
		offset = ir_bin(t->r, IR_SUB, p9_i64(t, 16 - size), offset);
	return ir_bin(t->r, IR_OR, ir_bin(t->r, IR_SHL, offset, p9_i64(t, 3)),
		      p9_i64(t, P9_WHERE(0, 8 * size)));
}

/* The rest of the target is undefined; it is kept. */
static void emit_load_element(struct p9_translator *t, const struct p9_insn *i, unsigned size)
{
	ir_val ea = aligned_ea(t, i, size);
	ir_val v = ir_load(t->r, IR_I64, p9_memop(t, size, false), ea);

	p9_set_vr(t, insn_VRT(i),
		  p9_call3(t, &p9_h_vec_insert, p9_vr(t, insn_VRT(i)), element_where(t, ea, size),
			   v));
}

static void emit_store_element(struct p9_translator *t, const struct p9_insn *i, unsigned size)
{
	ir_val ea = aligned_ea(t, i, size);

	ir_store(t->r, p9_memop(t, size, false), ea,
		 p9_call2(t, &p9_h_vec_extract, p9_vr(t, insn_VRS(i)), element_where(t, ea, size)));
}

void p9_emit_lvebx(struct p9_translator *t, const struct p9_insn *i)
{
	emit_load_element(t, i, 1);
}

void p9_emit_lvehx(struct p9_translator *t, const struct p9_insn *i)
{
	emit_load_element(t, i, 2);
}

void p9_emit_lvewx(struct p9_translator *t, const struct p9_insn *i)
{
	emit_load_element(t, i, 4);
}

void p9_emit_stvebx(struct p9_translator *t, const struct p9_insn *i)
{
	emit_store_element(t, i, 1);
}

void p9_emit_stvehx(struct p9_translator *t, const struct p9_insn *i)
{
	emit_store_element(t, i, 2);
}

void p9_emit_stvewx(struct p9_translator *t, const struct p9_insn *i)
{
	emit_store_element(t, i, 4);
}

/*
 * Control vectors for vperm, from an address that is not used otherwise: bytes sh..sh + 15, and
 * 16 - sh..31 - sh. The same in both byte orders.
 */
static void emit_control(struct p9_translator *t, const struct p9_insn *i, enum ir_op op,
			 unsigned first)
{
	ir_val sh = ir_bin(t->r, IR_AND, p9_ea_x(t, insn_RA(i), insn_RB(i)), p9_i64(t, 15));
	union p9_vec from;

	for (unsigned e = 0; e < 16; e++)
		VE(from, b, e) = first + e;
	p9_set_vr(t, insn_VRT(i),
		  ir_vbin(t->r, op, P9_LANE_B, ir_vconst(t->r, from.q),
			  ir_vun(t->r, IR_VDUP, P9_LANE_B, sh)));
}

void p9_emit_lvsl(struct p9_translator *t, const struct p9_insn *i)
{
	emit_control(t, i, IR_VADD, 0);
}

void p9_emit_lvsr(struct p9_translator *t, const struct p9_insn *i)
{
	emit_control(t, i, IR_VSUB, 16);
}
