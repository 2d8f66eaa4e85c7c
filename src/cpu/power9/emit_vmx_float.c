/*
 * VMX floating point (Book I 6.10): no FPSCR, no exceptions; VSCR[NJ] flushes denormals.
 */
#include "cpu/power9/emit_vec.h"
#include "cpu/power9/helper_float.h"

static ir_val non_java(struct p9_translator *t)
{
	return ir_extract(t->r, ir_get(t->r, IR_I64, P9_OFF(vscr)), 16, 1);
}

#define VMX_AB(id)                                                                                 \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vr(t, insn_VRT(i),                                                          \
			  p9_call3(t, &p9_h_##id, p9_vr(t, insn_VRA(i)), p9_vr(t, insn_VRB(i)),    \
				   non_java(t)));                                                  \
	}
P9_VMX_FLOAT_AB(VMX_AB)

/*
 * vcmpbfp has two bits a word, 0 where the bounds hold: "none" tells that all do, and "all" cannot be.
 * The second bit joins the first, for CR6 is made of signs.
 */
static void set_cr6(struct p9_translator *t, ir_val v)
{
	ir_val second = ir_vbin(t->r, IR_VSHL, P9_LANE_W, v, p9_vsame(t, P9_LANE_W, 1));

	p9_set_cr6_all_none(t, ir_bin(t->r, IR_VOR, v, second));
}

#define VMX_COMPARE(id)                                                                            \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val v = p9_call3(t, &p9_h_##id, p9_vr(t, insn_VRA(i)), p9_vr(t, insn_VRB(i)),   \
				    non_java(t));                                                  \
                                                                                                   \
		p9_set_vr(t, insn_VRT(i), v);                                                      \
		if (insn_Rc_VC(i))                                                                 \
			set_cr6(t, v);                                                             \
	}
P9_VMX_FLOAT_COMPARE(VMX_COMPARE)

#define VMX_B(id)                                                                                  \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vr(t, insn_VRT(i),                                                          \
			  p9_call2(t, &p9_h_##id, p9_vr(t, insn_VRB(i)), non_java(t)));            \
	}
P9_VMX_FLOAT_B(VMX_B)

#define VMX_ABC(id)                                                                                \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vr(t, insn_VRT(i),                                                          \
			  p9_call4(t, &p9_h_##id, p9_vr(t, insn_VRA(i)), p9_vr(t, insn_VRB(i)),    \
				   p9_vr(t, insn_VRC(i)), non_java(t)));                           \
	}
P9_VMX_FLOAT_ABC(VMX_ABC)

#define VMX_CONVERT(id)                                                                            \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vr(t, insn_VRT(i),                                                          \
			  p9_call2(t, &p9_h_##id, p9_vr(t, insn_VRB(i)),                           \
				   p9_i64(t, insn_UIM5(i))));                                      \
	}
P9_VMX_FLOAT_CONVERT(VMX_CONVERT)

/*
 * -2^31 counts as out of range (fpu_vmx.c), and no single is 2^31 - 1: so either in the result tells
 * that VSCR[SAT] is to be set.
 */
void p9_emit_vctsxs(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val v = p9_call2(t, &p9_h_vctsxs, p9_vr(t, insn_VRB(i)), p9_i64(t, insn_UIM5(i)));
	ir_val least = ir_vbin(t->r, IR_VEQ, P9_LANE_W, v, p9_vsame(t, P9_LANE_W, 0x80000000));
	ir_val greatest = ir_vbin(t->r, IR_VEQ, P9_LANE_W, v, p9_vsame(t, P9_LANE_W, 0x7fffffff));

	p9_note_saturation(t, ir_bin(t->r, IR_VOR, least, greatest));
	p9_set_vr(t, insn_VRT(i), v);
}
