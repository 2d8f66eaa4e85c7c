/*
 * The VMX rows that are one call of a helper, from the lists in helper_vec.h.
 */
#include "cpu/power9/emit_vec.h"

#define EMIT_B(id)                                                                                 \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vr(t, insn_VRT(i), p9_call1(t, &p9_h_##id, p9_vr(t, insn_VRB(i))));         \
	}

#define EMIT_A(id)                                                                                 \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vr(t, insn_VRT(i), p9_call1(t, &p9_h_##id, p9_vr(t, insn_VRA(i))));         \
	}

#define EMIT_AB(id)                                                                                \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vr(t, insn_VRT(i),                                                          \
			  p9_call2(t, &p9_h_##id, p9_vr(t, insn_VRA(i)), p9_vr(t, insn_VRB(i))));  \
	}

#define EMIT_ABC(id)                                                                               \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vr(t, insn_VRT(i),                                                          \
			  p9_call3(t, &p9_h_##id, p9_vr(t, insn_VRA(i)), p9_vr(t, insn_VRB(i)),    \
				   p9_vr(t, insn_VRC(i))));                                        \
	}

#define EMIT_ABT(id)                                                                               \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vr(t, insn_VRT(i),                                                          \
			  p9_call3(t, &p9_h_##id, p9_vr(t, insn_VRA(i)), p9_vr(t, insn_VRB(i)),    \
				   p9_vr(t, insn_VRT(i))));                                        \
	}

P9_VMX_HELPERS_B(EMIT_B)
P9_VMX_HELPERS_A(EMIT_A)
P9_VMX_HELPERS_AB(EMIT_AB)
P9_VMX_HELPERS_ABC(EMIT_ABC)
P9_VMX_HELPERS_ABT(EMIT_ABT)

/* Decimal: the helper writes VRT and returns CR6. */

static ir_val decimal_where(struct p9_translator *t, const struct p9_insn *i)
{
	return p9_i64(t, insn_VRT(i) | insn_PS(i) << 8);
}

#define EMIT_DECIMAL_B(id)                                                                         \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_crf(t, 6,                                                                   \
			   p9_call2(t, &p9_h_##id, p9_vr(t, insn_VRB(i)), decimal_where(t, i)));   \
	}

#define EMIT_DECIMAL_AB(id)                                                                        \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_crf(t, 6,                                                                   \
			   p9_call3(t, &p9_h_##id, p9_vr(t, insn_VRA(i)), p9_vr(t, insn_VRB(i)),   \
				    decimal_where(t, i)));                                         \
	}

P9_VMX_DECIMAL_B(EMIT_DECIMAL_B)
P9_VMX_DECIMAL_AB(EMIT_DECIMAL_AB)
