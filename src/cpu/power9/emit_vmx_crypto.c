/*
 * VMX cryptography that is more than one call of a helper (Book I 6.11.2, 6.11.3).
 */
#include "cpu/power9/emit_vec.h"

/*
 * The AES helpers count bytes from the right. The state is turned round before a round and back
 * behind it, which the optimiser finds to be nothing between two rounds; only what is kept in
 * a register that can be seen is turned. A round key is often used for several blocks.
 */
static ir_val turned(struct p9_translator *t, ir_val v)
{
	static const uint8_t select[16] = {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};

	return p9_vshuffle(t, v, v, select);
}

#define AES_ROUND(id, helper)                                                                      \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		ir_val state = turned(t, p9_vr(t, insn_VRA(i)));                                   \
		ir_val key = turned(t, p9_vr(t, insn_VRB(i)));                                     \
                                                                                                   \
		p9_set_vr(t, insn_VRT(i), turned(t, p9_call2(t, &p9_h_##helper, state, key)));     \
	}

AES_ROUND(vcipher, aes_encrypt)
AES_ROUND(vcipherlast, aes_encrypt_last)
AES_ROUND(vncipher, aes_decrypt)
AES_ROUND(vncipherlast, aes_decrypt_last)

static void emit_sigma(struct p9_translator *t, const struct p9_insn *i, const struct ir_helper *h)
{
	p9_set_vr(t, insn_VRT(i),
		  p9_call3(t, h, p9_vr(t, insn_VRA(i)), p9_i64(t, insn_ST(i)),
			   p9_i64(t, insn_SIX(i))));
}

void p9_emit_vshasigmaw(struct p9_translator *t, const struct p9_insn *i)
{
	emit_sigma(t, i, &p9_h_vshasigmaw);
}

void p9_emit_vshasigmad(struct p9_translator *t, const struct p9_insn *i)
{
	emit_sigma(t, i, &p9_h_vshasigmad);
}
