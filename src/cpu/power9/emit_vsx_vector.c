/*
 * VSX vector floating point (Book I 7.6.1), one helper call each. The target is an operand: it
 * stays as it was when an enabled exception occurs in any element.
 */
#include "cpu/power9/emit_float.h"
#include "cpu/power9/emit_vec.h"

static void finish(struct p9_translator *t, const struct p9_insn *i, ir_val v)
{
	p9_set_vsr(t, insn_XT(i), v);
	p9_fp_check(t);
}

/* Those whose status can be deferred (float_status.h). */
#define XV_BINARY_LATE(id, number)                                                                 \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val a = p9_vsr(t, insn_XA(i)), b = p9_vsr(t, insn_XB(i));                       \
                                                                                                   \
		finish(t, i,                                                                       \
		       p9_fp_deferred(t) ? p9_call2(t, &p9_h_fpf_##id, a, b) :                     \
					   p9_call3(t, &p9_h_##id, a, b, p9_vsr(t, insn_XT(i))));  \
	}
P9_XVF_BINARY(XV_BINARY_LATE)

#define XV_COMPARE(id, number)                                                                     \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val a = p9_vsr(t, insn_XA(i)), b = p9_vsr(t, insn_XB(i));                       \
		ir_val v = p9_fp_deferred(t) ?                                                     \
				   p9_call2(t, &p9_h_fpf_##id, a, b) :                             \
				   p9_call3(t, &p9_h_##id, a, b, p9_vsr(t, insn_XT(i)));           \
                                                                                                   \
		p9_set_vsr(t, insn_XT(i), v);                                                      \
		if (insn_Rc_VC(i))                                                                 \
			p9_set_cr6_all_none(t, v);                                                 \
		p9_fp_check(t);                                                                    \
	}
P9_XVF_COMPARE(XV_COMPARE)

#define XV_UNARY(id)                                                                               \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		finish(t, i,                                                                       \
		       p9_call2(t, &p9_h_##id, p9_vsr(t, insn_XB(i)), p9_vsr(t, insn_XT(i))));     \
	}
P9_XV_UNARY(XV_UNARY)

#define XV_UNARY_LATE(id, number)                                                                  \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val b = p9_vsr(t, insn_XB(i));                                                  \
                                                                                                   \
		finish(t, i,                                                                       \
		       p9_fp_deferred(t) ? p9_call1(t, &p9_h_fpf_##id, b) :                        \
					   p9_call2(t, &p9_h_##id, b, p9_vsr(t, insn_XT(i))));     \
	}
P9_XVF_UNARY(XV_UNARY_LATE)

/* The a form multiplies by XB and adds XT, the m form multiplies by XT and adds XB. */
#define XV_FUSED(id_a, id_m, f)                                                                    \
	void p9_emit_##id_a(struct p9_translator *t, const struct p9_insn *i)                      \
	{                                                                                          \
		ir_val a = p9_vsr(t, insn_XA(i)), b = p9_vsr(t, insn_XB(i)),                       \
		       xt = p9_vsr(t, insn_XT(i));                                                 \
                                                                                                   \
		finish(t, i,                                                                       \
		       p9_fp_deferred(t) ? p9_call3(t, &p9_h_fpf_##f, a, xt, b) :                  \
					   p9_call4(t, &p9_h_##f, a, xt, b, xt));                  \
	}                                                                                          \
	void p9_emit_##id_m(struct p9_translator *t, const struct p9_insn *i)                      \
	{                                                                                          \
		ir_val a = p9_vsr(t, insn_XA(i)), b = p9_vsr(t, insn_XB(i)),                       \
		       xt = p9_vsr(t, insn_XT(i));                                                 \
                                                                                                   \
		finish(t, i,                                                                       \
		       p9_fp_deferred(t) ? p9_call3(t, &p9_h_fpf_##f, a, b, xt) :                  \
					   p9_call4(t, &p9_h_##f, a, b, xt, xt));                  \
	}
XV_FUSED(xvmaddadp, xvmaddmdp, xvmadddp)
XV_FUSED(xvmaddasp, xvmaddmsp, xvmaddsp)
XV_FUSED(xvmsubadp, xvmsubmdp, xvmsubdp)
XV_FUSED(xvmsubasp, xvmsubmsp, xvmsubsp)
XV_FUSED(xvnmaddadp, xvnmaddmdp, xvnmadddp)
XV_FUSED(xvnmaddasp, xvnmaddmsp, xvnmaddsp)
XV_FUSED(xvnmsubadp, xvnmsubmdp, xvnmsubdp)
XV_FUSED(xvnmsubasp, xvnmsubmsp, xvnmsubsp)

/* Without status */

#define XV_PURE_UNARY(id)                                                                          \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vsr(t, insn_XT(i), p9_call1(t, &p9_h_##id, p9_vsr(t, insn_XB(i))));         \
	}
P9_XV_PURE_UNARY(XV_PURE_UNARY)

#define XV_PURE_BINARY(id)                                                                         \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vsr(t, insn_XT(i),                                                          \
			   p9_call2(t, &p9_h_##id, p9_vsr(t, insn_XA(i)), p9_vsr(t, insn_XB(i)))); \
	}
P9_XV_PURE_BINARY(XV_PURE_BINARY)

#define XV_TEST_AB(id)                                                                             \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_crf(t, insn_BF(i),                                                          \
			   p9_call2(t, &p9_h_##id, p9_vsr(t, insn_XA(i)), p9_vsr(t, insn_XB(i)))); \
	}
XV_TEST_AB(xvtdivdp)
XV_TEST_AB(xvtdivsp)

#define XV_TEST_B(id)                                                                              \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_crf(t, insn_BF(i), p9_call1(t, &p9_h_##id, p9_vsr(t, insn_XB(i))));         \
	}
XV_TEST_B(xvtsqrtdp)
XV_TEST_B(xvtsqrtsp)

#define XV_CLASS(id)                                                                               \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vsr(t, insn_XT(i),                                                          \
			   p9_call2(t, &p9_h_##id, p9_vsr(t, insn_XB(i)),                          \
				    p9_i64(t, insn_DCMX_XV(i))));                                  \
	}
XV_CLASS(xvtstdcdp)
XV_CLASS(xvtstdcsp)

/* Sign manipulation: the sign bits, and the others */

static ir_val signs(struct p9_translator *t, enum p9_lane lane)
{
	return p9_vsame(t, lane, UINT64_C(1) << ((8u << lane) - 1));
}

#define XV_SIGN(id, op, lane)                                                                      \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vsr(t, insn_XT(i),                                                          \
			   ir_bin(t->r, op, p9_vsr(t, insn_XB(i)), signs(t, lane)));               \
	}
XV_SIGN(xvabsdp, IR_VANDN, P9_LANE_D)
XV_SIGN(xvabssp, IR_VANDN, P9_LANE_W)
XV_SIGN(xvnabsdp, IR_VOR, P9_LANE_D)
XV_SIGN(xvnabssp, IR_VOR, P9_LANE_W)
XV_SIGN(xvnegdp, IR_VXOR, P9_LANE_D)
XV_SIGN(xvnegsp, IR_VXOR, P9_LANE_W)

#define XV_COPY_SIGN(id, lane)                                                                     \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val sign = signs(t, lane);                                                      \
                                                                                                   \
		p9_set_vsr(t, insn_XT(i),                                                          \
			   ir_bin(t->r, IR_VOR,                                                    \
				  ir_bin(t->r, IR_VAND, p9_vsr(t, insn_XA(i)), sign),              \
				  ir_bin(t->r, IR_VANDN, p9_vsr(t, insn_XB(i)), sign)));           \
	}
XV_COPY_SIGN(xvcpsgndp, P9_LANE_D)
XV_COPY_SIGN(xvcpsgnsp, P9_LANE_W)
