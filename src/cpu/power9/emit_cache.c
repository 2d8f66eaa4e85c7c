/*
 * Cache management and copy-paste (Power ISA 3.0B, Book II 4.3 and 4.4). The cache block is 128
 * bytes.
 *
 * There is no cache here: what remains of most of these is that they translate their address as a
 * load does, or do not even that (the touches, which never fault). Translated code is kept
 * coherent with the processors' own stores by detecting these; what other agents write (the VMM,
 * devices) is seen after icbi.
 */
#include "cpu/power9/emit_common.h"
#include "cpu/power9/helper_fixed.h"

#define BLOCK_SIZE 128

static ir_val block_ea(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val ea = p9_ea_x(t, insn_RA(i), insn_RB(i));

	return p9_bini(t, IR_AND, ea, ~(uint64_t)(BLOCK_SIZE - 1));
}

/* Translate as a load of the addressed byte. */
static void probe(struct p9_translator *t, const struct p9_insn *i)
{
	ir_load(t->r, IR_I64, p9_memop(t, 1, false), p9_ea_x(t, insn_RA(i), insn_RB(i)));
}

void p9_emit_icbi(struct p9_translator *t, const struct p9_insn *i)
{
	p9_call1(t, &p9_h_invalidate_code, p9_ea_x(t, insn_RA(i), insn_RB(i)));
}

void p9_emit_dcbst(struct p9_translator *t, const struct p9_insn *i)
{
	probe(t, i);
}

void p9_emit_dcbf(struct p9_translator *t, const struct p9_insn *i)
{
	probe(t, i);
}

/* Touches, data streams, and the opcodes that are reserved for hints. */
void p9_emit_no_op(struct p9_translator *t, const struct p9_insn *i)
{
	(void)t, (void)i;
}

void p9_emit_dcbz(struct p9_translator *t, const struct p9_insn *i)
{
	static const struct ir_memop m = {.size = 16};
	ir_val ea = block_ea(t, i), zero = ir_vconst(t->r, 0);

	/* It lies in one page: either all of it is stored or nothing. */
	for (unsigned n = 0; n < BLOCK_SIZE; n += m.size)
		ir_store(t->r, m, p9_bini(t, IR_ADD, ea, n), zero);
}

/*
 * Copy and paste move a block to an accelerator. This machine has none: a copy reads the block,
 * for the faults that has, and a paste never succeeds (CR0 = 0b00, 0, SO), as when the
 * accelerator has no room.
 */
void p9_emit_copy(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val ea = p9_ea_x(t, insn_RA(i), insn_RB(i));

	p9_call3(t, &p9_h_check_aligned, ea, p9_i64(t, BLOCK_SIZE), p9_i64(t, false));
	ir_load(t->r, IR_I64, p9_memop(t, 8, false), ea);
}

void p9_emit_paste_dot(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val ea = p9_ea_x(t, insn_RA(i), insn_RB(i));

	p9_call3(t, &p9_h_check_aligned, ea, p9_i64(t, BLOCK_SIZE), p9_i64(t, true));
	p9_set_crf_equal(t, 0, p9_i64(t, 0));
}

/* No copy is ever pending. */
void p9_emit_cpabort(struct p9_translator *t, const struct p9_insn *i)
{
	(void)t, (void)i;
}
