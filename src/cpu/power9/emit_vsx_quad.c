/*
 * Quad-precision floating point (Book I 7.6.1, the qp rows): operands are VRs. Bit 31 of the
 * instruction chooses rounding to odd, or, for xsrqpix, that inexactness is reported.
 */
#include "cpu/power9/emit_float.h"

#define SIGN ((u128)1 << 127)

static void finish(struct p9_translator *t, const struct p9_insn *i, ir_val v)
{
	p9_set_vr(t, insn_VRT(i), v);
	p9_fp_check(t);
}

static ir_val odd(struct p9_translator *t, const struct p9_insn *i)
{
	return p9_i64(t, insn_Rc(i));
}

#define QUAD_BINARY(id, f)                                                                         \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		finish(t, i,                                                                       \
		       p9_call4(t, &p9_h_fpq_##f, p9_vr(t, insn_VRA(i)), p9_vr(t, insn_VRB(i)),    \
				p9_vr(t, insn_VRT(i)), odd(t, i)));                                \
	}

/* VRA * VRB + VRT */
#define QUAD_FUSED(id, f)                                                                          \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		finish(t, i,                                                                       \
		       p9_call4(t, &p9_h_fpq_##f, p9_vr(t, insn_VRA(i)), p9_vr(t, insn_VRT(i)),    \
				p9_vr(t, insn_VRB(i)), odd(t, i)));                                \
	}

#define QUAD_UNARY(id, f, modifiers)                                                               \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		finish(t, i,                                                                       \
		       p9_call3(t, &p9_h_fpq_##f, p9_vr(t, insn_VRB(i)), p9_vr(t, insn_VRT(i)),    \
				p9_i64(t, modifiers)));                                            \
	}

QUAD_BINARY(xsaddqp, add)
QUAD_BINARY(xssubqp, sub)
QUAD_BINARY(xsmulqp, mul)
QUAD_BINARY(xsdivqp, div)
QUAD_FUSED(xsmaddqp, madd)
QUAD_FUSED(xsmsubqp, msub)
QUAD_FUSED(xsnmaddqp, nmadd)
QUAD_FUSED(xsnmsubqp, nmsub)
QUAD_UNARY(xssqrtqp, sqrt, insn_Rc(i))
QUAD_UNARY(xsrqpi, ri, insn_R(i) | insn_RMC(i) << 1 | insn_Rc(i) << 3)
QUAD_UNARY(xsrqpxp, rxp, insn_R(i) | insn_RMC(i) << 1)
QUAD_UNARY(xscvdpqp, cvdpqp, 0)
QUAD_UNARY(xscvqpdp, cvqpdp, insn_Rc(i))
QUAD_UNARY(xscvqpsdz, cvqpsdz, 0)
QUAD_UNARY(xscvqpudz, cvqpudz, 0)
QUAD_UNARY(xscvqpswz, cvqpswz, 0)
QUAD_UNARY(xscvqpuwz, cvqpuwz, 0)

#define QUAD_FROM_INT(id, f)                                                                       \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val b = ir_un(t->r, IR_VHI, p9_vr(t, insn_VRB(i)));                             \
                                                                                                   \
		finish(t, i, p9_call1(t, &p9_h_fpq_##f, b));                                       \
	}
QUAD_FROM_INT(xscvsdqp, cvsdqp)
QUAD_FROM_INT(xscvudqp, cvudqp)

#define QUAD_COMPARE(id, f)                                                                        \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_crf(t, insn_BF(i),                                                          \
			   p9_call2(t, &p9_h_fpq_##f, p9_vr(t, insn_VRA(i)),                       \
				    p9_vr(t, insn_VRB(i))));                                       \
		p9_fp_check(t);                                                                    \
	}
QUAD_COMPARE(xscmpuqp, cmpu)
QUAD_COMPARE(xscmpoqp, cmpo)
QUAD_COMPARE(xscmpexpqp, cmpexp)

void p9_emit_xststdcqp(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_crf(t, insn_BF(i),
		   p9_call2(t, &p9_h_fpq_tstdc, p9_vr(t, insn_VRB(i)), p9_i64(t, insn_DCMX(i))));
}

/* Bits only: sign, exponent, significand */

void p9_emit_xsabsqp(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vr(t, insn_VRT(i),
		  ir_bin(t->r, IR_VANDN, p9_vr(t, insn_VRB(i)), ir_vconst(t->r, SIGN)));
}

void p9_emit_xsnabsqp(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vr(t, insn_VRT(i),
		  ir_bin(t->r, IR_VOR, p9_vr(t, insn_VRB(i)), ir_vconst(t->r, SIGN)));
}

void p9_emit_xsnegqp(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vr(t, insn_VRT(i),
		  ir_bin(t->r, IR_VXOR, p9_vr(t, insn_VRB(i)), ir_vconst(t->r, SIGN)));
}

void p9_emit_xscpsgnqp(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val sign = ir_vconst(t->r, SIGN);

	p9_set_vr(t, insn_VRT(i),
		  ir_bin(t->r, IR_VOR, ir_bin(t->r, IR_VAND, p9_vr(t, insn_VRA(i)), sign),
			 ir_bin(t->r, IR_VANDN, p9_vr(t, insn_VRB(i)), sign)));
}

void p9_emit_xsxexpqp(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val hi = ir_un(t->r, IR_VHI, p9_vr(t, insn_VRB(i)));

	p9_set_vr(t, insn_VRT(i),
		  ir_bin(t->r, IR_VMAKE, ir_extract(t->r, hi, 48, 15), p9_i64(t, 0)));
}

void p9_emit_xsxsigqp(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vr(t, insn_VRT(i), p9_call1(t, &p9_h_fpq_xsig, p9_vr(t, insn_VRB(i))));
}

void p9_emit_xsiexpqp(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vr(t, insn_VRT(i),
		  p9_call2(t, &p9_h_fpq_iexp, p9_vr(t, insn_VRA(i)), p9_vr(t, insn_VRB(i))));
}
