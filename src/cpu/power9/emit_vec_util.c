/* Non-inline part of emit_vec.h. */
#include "cpu/power9/emit_vec.h"

void p9_set_cr6_all_none(struct p9_translator *t, ir_val v)
{
	struct ir_region *r = t->r;
	ir_val signs = p9_call1(t, &p9_h_vec_signs, v);
	ir_val all = ir_bin(r, IR_EQ, signs, p9_i64(t, 0xffff));
	ir_val none = ir_bin(r, IR_EQ, signs, p9_i64(t, 0));

	p9_set_crf_all_none(t, 6, all, none);
}

void p9_note_saturation(struct p9_translator *t, ir_val v)
{
	ir_val any = ir_bin(t->r, IR_OR, ir_un(t->r, IR_VHI, v), ir_un(t->r, IR_VLO, v));

	_Static_assert(P9_VSCR_SAT == 1, "what a comparison gives");
	ir_set(t->r, P9_OFF(vscr),
	       ir_bin(t->r, IR_OR, ir_get(t->r, IR_I64, P9_OFF(vscr)),
		      ir_bin(t->r, IR_NE, any, p9_i64(t, 0))));
}

/*
 * In big-endian mode elements of any size in storage are the quadword as it is. A little-endian
 * quadword access has them in the opposite order, each as it should be.
 */
static ir_val reverse_elements(struct p9_translator *t, enum p9_lane lane, ir_val v)
{
	uint8_t select[16];

	if (lane == P9_LANE_D)
		return ir_bin(t->r, IR_VMAKE, ir_un(t->r, IR_VLO, v), ir_un(t->r, IR_VHI, v));
	for (unsigned e = 0; e < 16; e++)
		select[e] = e ^ (15u & ~0u << lane);
	return p9_vshuffle(t, v, v, select);
}

ir_val p9_vload_elements(struct p9_translator *t, enum p9_lane lane, ir_val ea)
{
	ir_val v = p9_vload_quad(t, ea);

	return p9_little_endian(t) ? reverse_elements(t, lane, v) : v;
}

void p9_vstore_elements(struct p9_translator *t, enum p9_lane lane, ir_val ea, ir_val v)
{
	p9_vstore_quad(t, ea, p9_little_endian(t) ? reverse_elements(t, lane, v) : v);
}
