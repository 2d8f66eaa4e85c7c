/*
 * VMX integer arithmetic, comparison, logic, shifts and rotates by IR operations on lanes
 * (Book I 6.9).
 */
#include "cpu/power9/emit_vec.h"

#define LANE_BINARY(id, op, lane)                                                                  \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vr(t, insn_VRT(i),                                                          \
			  ir_vbin(t->r, op, lane, p9_vr(t, insn_VRA(i)), p9_vr(t, insn_VRB(i))));  \
	}

LANE_BINARY(vaddubm, IR_VADD, P9_LANE_B)
LANE_BINARY(vadduhm, IR_VADD, P9_LANE_H)
LANE_BINARY(vadduwm, IR_VADD, P9_LANE_W)
LANE_BINARY(vaddudm, IR_VADD, P9_LANE_D)
LANE_BINARY(vsububm, IR_VSUB, P9_LANE_B)
LANE_BINARY(vsubuhm, IR_VSUB, P9_LANE_H)
LANE_BINARY(vsubuwm, IR_VSUB, P9_LANE_W)
LANE_BINARY(vsubudm, IR_VSUB, P9_LANE_D)
LANE_BINARY(vmaxsb, IR_VMAXS, P9_LANE_B)
LANE_BINARY(vmaxsh, IR_VMAXS, P9_LANE_H)
LANE_BINARY(vmaxsw, IR_VMAXS, P9_LANE_W)
LANE_BINARY(vmaxsd, IR_VMAXS, P9_LANE_D)
LANE_BINARY(vmaxub, IR_VMAXU, P9_LANE_B)
LANE_BINARY(vmaxuh, IR_VMAXU, P9_LANE_H)
LANE_BINARY(vmaxuw, IR_VMAXU, P9_LANE_W)
LANE_BINARY(vmaxud, IR_VMAXU, P9_LANE_D)
LANE_BINARY(vminsb, IR_VMINS, P9_LANE_B)
LANE_BINARY(vminsh, IR_VMINS, P9_LANE_H)
LANE_BINARY(vminsw, IR_VMINS, P9_LANE_W)
LANE_BINARY(vminsd, IR_VMINS, P9_LANE_D)
LANE_BINARY(vminub, IR_VMINU, P9_LANE_B)
LANE_BINARY(vminuh, IR_VMINU, P9_LANE_H)
LANE_BINARY(vminuw, IR_VMINU, P9_LANE_W)
LANE_BINARY(vminud, IR_VMINU, P9_LANE_D)
LANE_BINARY(vslb, IR_VSHL, P9_LANE_B)
LANE_BINARY(vslh, IR_VSHL, P9_LANE_H)
LANE_BINARY(vslw, IR_VSHL, P9_LANE_W)
LANE_BINARY(vsld, IR_VSHL, P9_LANE_D)
LANE_BINARY(vsrb, IR_VSHR, P9_LANE_B)
LANE_BINARY(vsrh, IR_VSHR, P9_LANE_H)
LANE_BINARY(vsrw, IR_VSHR, P9_LANE_W)
LANE_BINARY(vsrd, IR_VSHR, P9_LANE_D)
LANE_BINARY(vsrab, IR_VSAR, P9_LANE_B)
LANE_BINARY(vsrah, IR_VSAR, P9_LANE_H)
LANE_BINARY(vsraw, IR_VSAR, P9_LANE_W)
LANE_BINARY(vsrad, IR_VSAR, P9_LANE_D)
LANE_BINARY(vrlb, IR_VROTL, P9_LANE_B)
LANE_BINARY(vrlh, IR_VROTL, P9_LANE_H)
LANE_BINARY(vrlw, IR_VROTL, P9_LANE_W)
LANE_BINARY(vrld, IR_VROTL, P9_LANE_D)

/* Lanes that are kept in their range. Where that made a difference, VSCR[SAT] is set. */
#define LANE_SATURATE(id, op, lane)                                                                \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val a = p9_vr(t, insn_VRA(i)), b = p9_vr(t, insn_VRB(i));                       \
		ir_val v = p9_call2(t, &p9_h_##id, a, b);                                          \
                                                                                                   \
		p9_note_saturation(t, ir_bin(t->r, IR_VXOR, v,                                        \
					  ir_vbin(t->r, IR_##op, P9_LANE_##lane, a, b)));          \
		p9_set_vr(t, insn_VRT(i), v);                                                      \
	}

P9_VMX_SATURATE(LANE_SATURATE)

/* Absolute difference of unsigned numbers. */
#define LANE_ABSDIFF(id, lane)                                                                     \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val a = p9_vr(t, insn_VRA(i)), b = p9_vr(t, insn_VRB(i));                       \
                                                                                                   \
		p9_set_vr(t, insn_VRT(i),                                                          \
			  ir_vbin(t->r, IR_VSUB, lane, ir_vbin(t->r, IR_VMAXU, lane, a, b),        \
				  ir_vbin(t->r, IR_VMINU, lane, a, b)));                           \
	}

LANE_ABSDIFF(vabsdub, P9_LANE_B)
LANE_ABSDIFF(vabsduh, P9_LANE_H)
LANE_ABSDIFF(vabsduw, P9_LANE_W)

/* Sign extension of the low bits of each lane: shift up and down. */
#define LANE_EXTEND(id, lane, shift)                                                               \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val by = p9_vsame(t, lane, shift);                                              \
                                                                                                   \
		p9_set_vr(t, insn_VRT(i),                                                          \
			  ir_vbin(t->r, IR_VSAR, lane,                                             \
				  ir_vbin(t->r, IR_VSHL, lane, p9_vr(t, insn_VRB(i)), by), by));   \
	}

LANE_EXTEND(vextsb2w, P9_LANE_W, 24)
LANE_EXTEND(vextsh2w, P9_LANE_W, 16)
LANE_EXTEND(vextsb2d, P9_LANE_D, 56)
LANE_EXTEND(vextsh2d, P9_LANE_D, 48)
LANE_EXTEND(vextsw2d, P9_LANE_D, 32)

#define LANE_NEGATE(id, lane)                                                                      \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vr(t, insn_VRT(i),                                                          \
			  ir_vbin(t->r, IR_VSUB, lane, p9_vsame(t, lane, 0),                       \
				  p9_vr(t, insn_VRB(i))));                                         \
	}

LANE_NEGATE(vnegw, P9_LANE_W)
LANE_NEGATE(vnegd, P9_LANE_D)

/* Comparisons; with Rc, CR6 tells whether all or none of the elements compare true. */

static void set_comparison(struct p9_translator *t, const struct p9_insn *i, ir_val v)
{
	p9_set_vr(t, insn_VRT(i), v);
	if (insn_Rc_VC(i))
		p9_set_cr6_all_none(t, v);
}

#define LANE_COMPARE(id, op, lane)                                                                 \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		set_comparison(t, i,                                                               \
			       ir_vbin(t->r, op, lane, p9_vr(t, insn_VRA(i)),                      \
				       p9_vr(t, insn_VRB(i))));                                    \
	}

LANE_COMPARE(vcmpequb, IR_VEQ, P9_LANE_B)
LANE_COMPARE(vcmpequh, IR_VEQ, P9_LANE_H)
LANE_COMPARE(vcmpequw, IR_VEQ, P9_LANE_W)
LANE_COMPARE(vcmpequd, IR_VEQ, P9_LANE_D)
LANE_COMPARE(vcmpgtsb, IR_VGTS, P9_LANE_B)
LANE_COMPARE(vcmpgtsh, IR_VGTS, P9_LANE_H)
LANE_COMPARE(vcmpgtsw, IR_VGTS, P9_LANE_W)
LANE_COMPARE(vcmpgtsd, IR_VGTS, P9_LANE_D)
LANE_COMPARE(vcmpgtub, IR_VGTU, P9_LANE_B)
LANE_COMPARE(vcmpgtuh, IR_VGTU, P9_LANE_H)
LANE_COMPARE(vcmpgtuw, IR_VGTU, P9_LANE_W)
LANE_COMPARE(vcmpgtud, IR_VGTU, P9_LANE_D)

#define LANE_COMPARE_NE(id, lane)                                                                  \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		set_comparison(t, i,                                                               \
			       ir_un(t->r, IR_VNOT,                                                \
				     ir_vbin(t->r, IR_VEQ, lane, p9_vr(t, insn_VRA(i)),            \
					     p9_vr(t, insn_VRB(i)))));                             \
	}

LANE_COMPARE_NE(vcmpneb, P9_LANE_B)
LANE_COMPARE_NE(vcmpneh, P9_LANE_H)
LANE_COMPARE_NE(vcmpnew, P9_LANE_W)

/* Not equal, or one of them zero: for strings. */
#define LANE_COMPARE_NEZ(id, lane)                                                                 \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val a = p9_vr(t, insn_VRA(i)), b = p9_vr(t, insn_VRB(i));                       \
		ir_val zero = p9_vsame(t, lane, 0);                                                \
		ir_val ne = ir_un(t->r, IR_VNOT, ir_vbin(t->r, IR_VEQ, lane, a, b));               \
		ir_val z = ir_bin(t->r, IR_VOR, ir_vbin(t->r, IR_VEQ, lane, a, zero),              \
				  ir_vbin(t->r, IR_VEQ, lane, b, zero));                           \
                                                                                                   \
		set_comparison(t, i, ir_bin(t->r, IR_VOR, ne, z));                                 \
	}

LANE_COMPARE_NEZ(vcmpnezb, P9_LANE_B)
LANE_COMPARE_NEZ(vcmpnezh, P9_LANE_H)
LANE_COMPARE_NEZ(vcmpnezw, P9_LANE_W)

/* Logic, which VSX has on all 64 registers. */

enum logic { AND, ANDC, OR, ORC, XOR, NAND, NOR, EQV };

static ir_val logic(struct p9_translator *t, enum logic op, ir_val a, ir_val b)
{
	struct ir_region *r = t->r;

	switch (op) {
	case AND:
		return ir_bin(r, IR_VAND, a, b);
	case ANDC:
		return ir_bin(r, IR_VANDN, a, b);
	case OR:
		return ir_bin(r, IR_VOR, a, b);
	case ORC:
		return ir_bin(r, IR_VOR, a, ir_un(r, IR_VNOT, b));
	case XOR:
		return ir_bin(r, IR_VXOR, a, b);
	case NAND:
		return ir_un(r, IR_VNOT, ir_bin(r, IR_VAND, a, b));
	case NOR:
		return ir_un(r, IR_VNOT, ir_bin(r, IR_VOR, a, b));
	case EQV:
		break;
	}
	return ir_un(r, IR_VNOT, ir_bin(r, IR_VXOR, a, b));
}

#define LOGIC(vmx, vsx, op)                                                                        \
	void p9_emit_##vmx(struct p9_translator *t, const struct p9_insn *i)                       \
	{                                                                                          \
		p9_set_vr(t, insn_VRT(i),                                                          \
			  logic(t, op, p9_vr(t, insn_VRA(i)), p9_vr(t, insn_VRB(i))));             \
	}                                                                                          \
	void p9_emit_##vsx(struct p9_translator *t, const struct p9_insn *i)                       \
	{                                                                                          \
		p9_set_vsr(t, insn_XT(i),                                                          \
			   logic(t, op, p9_vsr(t, insn_XA(i)), p9_vsr(t, insn_XB(i))));            \
	}

LOGIC(vand, xxland, AND)
LOGIC(vandc, xxlandc, ANDC)
LOGIC(vor, xxlor, OR)
LOGIC(vorc, xxlorc, ORC)
LOGIC(vxor, xxlxor, XOR)
LOGIC(vnand, xxlnand, NAND)
LOGIC(vnor, xxlnor, NOR)
LOGIC(veqv, xxleqv, EQV)

/* Bits of b where c has ones, of a elsewhere. */
static ir_val choose(struct p9_translator *t, ir_val a, ir_val b, ir_val c)
{
	return ir_bin(t->r, IR_VOR, ir_bin(t->r, IR_VAND, b, c), ir_bin(t->r, IR_VANDN, a, c));
}

void p9_emit_vsel(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vr(t, insn_VRT(i),
		  choose(t, p9_vr(t, insn_VRA(i)), p9_vr(t, insn_VRB(i)), p9_vr(t, insn_VRC(i))));
}

void p9_emit_xxsel(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vsr(t, insn_XT(i),
		   choose(t, p9_vsr(t, insn_XA(i)), p9_vsr(t, insn_XB(i)), p9_vsr(t, insn_XC(i))));
}
