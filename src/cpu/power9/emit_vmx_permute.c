/*
 * VMX permutes: packs modulo, unpacks, merges, splats, byte permutes, elements to and from other
 * places (Book I 6.8), and the VSCR moves (6.14).
 */
#include "cpu/power9/emit_vec.h"

/* Lanes of `from` bytes: the right halves of VRA's, then of VRB's. */
static void emit_pack_modulo(struct p9_translator *t, const struct p9_insn *i, unsigned from)
{
	uint8_t select[16];
	unsigned to = from / 2;

	for (unsigned e = 0; e < 16; e++)
		select[e] = e / to * from + to + e % to;
	p9_set_vr(t, insn_VRT(i),
		  p9_vshuffle(t, p9_vr(t, insn_VRA(i)), p9_vr(t, insn_VRB(i)), select));
}

void p9_emit_vpkuhum(struct p9_translator *t, const struct p9_insn *i)
{
	emit_pack_modulo(t, i, 2);
}

void p9_emit_vpkuwum(struct p9_translator *t, const struct p9_insn *i)
{
	emit_pack_modulo(t, i, 4);
}

void p9_emit_vpkudum(struct p9_translator *t, const struct p9_insn *i)
{
	emit_pack_modulo(t, i, 8);
}

/*
 * Unpack signed: elements first.. of half the lane's size go to the left halves of the lanes, and
 * are shifted down with sign.
 */
static void emit_unpack(struct p9_translator *t, const struct p9_insn *i, enum p9_lane lane,
			bool low)
{
	unsigned to = 1u << lane, from = to / 2;
	ir_val b = p9_vr(t, insn_VRB(i));
	uint8_t select[16];

	for (unsigned e = 0; e < 16; e++)
		select[e] = (low ? 8 : 0) + e / to * from + e % from;
	p9_set_vr(t, insn_VRT(i),
		  ir_vbin(t->r, IR_VSAR, lane, p9_vshuffle(t, b, b, select),
			  p9_vsame(t, lane, 8 * from)));
}

#define UNPACK(id, lane, low)                                                                      \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		emit_unpack(t, i, lane, low);                                                      \
	}

UNPACK(vupkhsb, P9_LANE_H, false)
UNPACK(vupklsb, P9_LANE_H, true)
UNPACK(vupkhsh, P9_LANE_W, false)
UNPACK(vupklsh, P9_LANE_W, true)
UNPACK(vupkhsw, P9_LANE_D, false)
UNPACK(vupklsw, P9_LANE_D, true)

/* Merge: elements first, first + step ... of a and of b by turns. */
static ir_val merge(struct p9_translator *t, ir_val a, ir_val b, unsigned size, unsigned first,
		    unsigned step)
{
	uint8_t select[16];

	for (unsigned e = 0; e < 16; e++) {
		unsigned element = e / size;

		select[e] = (first + element / 2 * step) * size + e % size + (element & 1 ? 16 : 0);
	}
	return p9_vshuffle(t, a, b, select);
}

#define MERGE_V(id, size, first, step)                                                             \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vr(t, insn_VRT(i),                                                          \
			  merge(t, p9_vr(t, insn_VRA(i)), p9_vr(t, insn_VRB(i)), size, first,      \
				step));                                                            \
	}

#define MERGE_X(id, size, first, step)                                                             \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vsr(t, insn_XT(i),                                                          \
			   merge(t, p9_vsr(t, insn_XA(i)), p9_vsr(t, insn_XB(i)), size, first,     \
				 step));                                                           \
	}

MERGE_V(vmrghb, 1, 0, 1)
MERGE_V(vmrghh, 2, 0, 1)
MERGE_V(vmrghw, 4, 0, 1)
MERGE_V(vmrglb, 1, 8, 1)
MERGE_V(vmrglh, 2, 4, 1)
MERGE_V(vmrglw, 4, 2, 1)
MERGE_V(vmrgew, 4, 0, 2)
MERGE_V(vmrgow, 4, 1, 2)
MERGE_X(xxmrghw, 4, 0, 1)
MERGE_X(xxmrglw, 4, 2, 1)

/* Splats; the IR numbers lanes from the right. */

void p9_emit_vspltb(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vr(t, insn_VRT(i),
		  ir_vsplat(t->r, P9_LANE_B, 15 - insn_UIM4(i), p9_vr(t, insn_VRB(i))));
}

void p9_emit_vsplth(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vr(t, insn_VRT(i),
		  ir_vsplat(t->r, P9_LANE_H, 7 - insn_UIM3(i), p9_vr(t, insn_VRB(i))));
}

void p9_emit_vspltw(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vr(t, insn_VRT(i),
		  ir_vsplat(t->r, P9_LANE_W, 3 - insn_UIM2(i), p9_vr(t, insn_VRB(i))));
}

void p9_emit_xxspltw(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vsr(t, insn_XT(i),
		   ir_vsplat(t->r, P9_LANE_W, 3 - insn_UIM2(i), p9_vsr(t, insn_XB(i))));
}

void p9_emit_vspltisb(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vr(t, insn_VRT(i), p9_vsame(t, P9_LANE_B, (uint64_t)insn_SIM(i)));
}

void p9_emit_vspltish(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vr(t, insn_VRT(i), p9_vsame(t, P9_LANE_H, (uint64_t)insn_SIM(i)));
}

void p9_emit_vspltisw(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vr(t, insn_VRT(i), p9_vsame(t, P9_LANE_W, (uint64_t)insn_SIM(i)));
}

void p9_emit_xxspltib(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vsr(t, insn_XT(i), p9_vsame(t, P9_LANE_B, insn_IMM8(i)));
}

/*
 * Byte permutes. The ISA numbers the 32 bytes from the left, the IR from the right: what vperm
 * calls n is 31 - n, the complement of its five bits; vpermr has them right for the IR.
 */
void p9_emit_vperm(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vr(t, insn_VRT(i),
		  ir_vperm2(t->r, p9_vr(t, insn_VRA(i)), p9_vr(t, insn_VRB(i)),
			    ir_un(t->r, IR_VNOT, p9_vr(t, insn_VRC(i)))));
}

void p9_emit_vpermr(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vr(t, insn_VRT(i),
		  ir_vperm2(t->r, p9_vr(t, insn_VRA(i)), p9_vr(t, insn_VRB(i)),
			    p9_vr(t, insn_VRC(i))));
}

/* The second source is the target; the control vector is XB. */
void p9_emit_xxperm(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vsr(t, insn_XT(i),
		   ir_vperm2(t->r, p9_vsr(t, insn_XA(i)), p9_vsr(t, insn_XT(i)),
			     ir_un(t->r, IR_VNOT, p9_vsr(t, insn_XB(i)))));
}

void p9_emit_xxpermr(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vsr(t, insn_XT(i),
		   ir_vperm2(t->r, p9_vsr(t, insn_XA(i)), p9_vsr(t, insn_XT(i)),
			     p9_vsr(t, insn_XB(i))));
}

/* Sixteen bytes of a:b from byte `first` on. */
static ir_val shift_double(struct p9_translator *t, ir_val a, ir_val b, unsigned first)
{
	uint8_t select[16];

	for (unsigned e = 0; e < 16; e++)
		select[e] = first + e;
	return p9_vshuffle(t, a, b, select);
}

void p9_emit_vsldoi(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vr(t, insn_VRT(i),
		  shift_double(t, p9_vr(t, insn_VRA(i)), p9_vr(t, insn_VRB(i)), insn_SHB(i)));
}

void p9_emit_xxsldwi(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vsr(t, insn_XT(i),
		   shift_double(t, p9_vsr(t, insn_XA(i)), p9_vsr(t, insn_XB(i)), 4 * insn_SHW(i)));
}

/* DM: its left bit chooses the half of XA for the left half, its right one that of XB. */
void p9_emit_xxpermdi(struct p9_translator *t, const struct p9_insn *i)
{
	ir_val a = p9_vsr(t, insn_XA(i)), b = p9_vsr(t, insn_XB(i));
	unsigned dm = insn_DM(i);

	p9_set_vsr(t, insn_XT(i),
		   ir_bin(t->r, IR_VMAKE, ir_un(t->r, dm & 2 ? IR_VLO : IR_VHI, a),
			  ir_un(t->r, dm & 1 ? IR_VLO : IR_VHI, b)));
}

/* Bytes of each element in the opposite order. */
static void emit_byte_reverse(struct p9_translator *t, const struct p9_insn *i, unsigned size)
{
	ir_val b = p9_vsr(t, insn_XB(i));
	uint8_t select[16];

	for (unsigned e = 0; e < 16; e++)
		select[e] = e ^ (size - 1);
	p9_set_vsr(t, insn_XT(i), p9_vshuffle(t, b, b, select));
}

void p9_emit_xxbrh(struct p9_translator *t, const struct p9_insn *i)
{
	emit_byte_reverse(t, i, 2);
}

void p9_emit_xxbrw(struct p9_translator *t, const struct p9_insn *i)
{
	emit_byte_reverse(t, i, 4);
}

void p9_emit_xxbrd(struct p9_translator *t, const struct p9_insn *i)
{
	emit_byte_reverse(t, i, 8);
}

void p9_emit_xxbrq(struct p9_translator *t, const struct p9_insn *i)
{
	emit_byte_reverse(t, i, 16);
}

/*
 * Extract: `size` bytes from byte UIM of VRB, to the right end of doubleword 0; the rest is zero.
 * A field that would begin or end outside the register is undefined: its missing bytes are zero.
 */
static ir_val extract_bytes(struct p9_translator *t, ir_val b, unsigned from, unsigned size)
{
	ir_val zero = p9_vsame(t, P9_LANE_D, 0);
	uint8_t select[16];

	for (unsigned e = 0; e < 16; e++)
		select[e] = e >= 8 - size && e < 8 ? from + e - (8 - size) : 16;
	return p9_vshuffle(t, b, zero, select);
}

#define EXTRACT_V(id, size)                                                                        \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vr(t, insn_VRT(i),                                                          \
			  extract_bytes(t, p9_vr(t, insn_VRB(i)), insn_UIM4(i), size));            \
	}

EXTRACT_V(vextractub, 1)
EXTRACT_V(vextractuh, 2)
EXTRACT_V(vextractuw, 4)
EXTRACT_V(vextractd, 8)

void p9_emit_xxextractuw(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vsr(t, insn_XT(i), extract_bytes(t, p9_vsr(t, insn_XB(i)), insn_UIM4(i), 4));
}

/* Insert: the right end of doubleword 0 of b replaces `size` bytes of a from `to` on. */
static ir_val insert_bytes(struct p9_translator *t, ir_val a, ir_val b, unsigned to, unsigned size)
{
	uint8_t select[16];

	for (unsigned e = 0; e < 16; e++)
		select[e] = e >= to && e < to + size ? 16 + 8 - size + e - to : e;
	return p9_vshuffle(t, a, b, select);
}

#define INSERT_V(id, size)                                                                         \
	void p9_emit_##id(struct p9_translator *t, const struct p9_insn *i)                        \
	{                                                                                          \
		p9_set_vr(t, insn_VRT(i),                                                          \
			  insert_bytes(t, p9_vr(t, insn_VRT(i)), p9_vr(t, insn_VRB(i)),            \
				       insn_UIM4(i), size));                                       \
	}

INSERT_V(vinsertb, 1)
INSERT_V(vinserth, 2)
INSERT_V(vinsertw, 4)
INSERT_V(vinsertd, 8)

void p9_emit_xxinsertw(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vsr(t, insn_XT(i),
		   insert_bytes(t, p9_vsr(t, insn_XT(i)), p9_vsr(t, insn_XB(i)), insn_UIM4(i), 4));
}

/*
 * To a general register, from a byte number in RA: counted from the left (the field's left end)
 * or from the right (its right end). Fields that leave the register are undefined; bytes outside
 * are zero.
 */
static void emit_extract_indexed(struct p9_translator *t, const struct p9_insn *i, unsigned size,
				 bool from_right)
{
	ir_val index = ir_bin(t->r, IR_AND, p9_gpr(t, insn_RA(i)), p9_i64(t, 15));
	ir_val low;

	if (!from_right) /* clamped at the right end: what lies beyond is not there */
		index = ir_select(t->r,
				  ir_bin(t->r, IR_LTU, index, p9_i64(t, 16 - size)),
				  ir_bin(t->r, IR_SUB, p9_i64(t, 16 - size), index), p9_i64(t, 0));
	low = ir_bin(t->r, IR_SHL, index, p9_i64(t, 3));
	p9_set_gpr(t, insn_RT(i),
		   p9_call2(t, &p9_h_vec_extract, p9_vr(t, insn_VRB(i)),
			    ir_bin(t->r, IR_OR, low, p9_i64(t, P9_WHERE(0, 8 * size)))));
}

void p9_emit_vextublx(struct p9_translator *t, const struct p9_insn *i)
{
	emit_extract_indexed(t, i, 1, false);
}

void p9_emit_vextubrx(struct p9_translator *t, const struct p9_insn *i)
{
	emit_extract_indexed(t, i, 1, true);
}

void p9_emit_vextuhlx(struct p9_translator *t, const struct p9_insn *i)
{
	emit_extract_indexed(t, i, 2, false);
}

void p9_emit_vextuhrx(struct p9_translator *t, const struct p9_insn *i)
{
	emit_extract_indexed(t, i, 2, true);
}

void p9_emit_vextuwlx(struct p9_translator *t, const struct p9_insn *i)
{
	emit_extract_indexed(t, i, 4, false);
}

void p9_emit_vextuwrx(struct p9_translator *t, const struct p9_insn *i)
{
	emit_extract_indexed(t, i, 4, true);
}

void p9_emit_vclzlsbb(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RT(i), p9_call1(t, &p9_h_vclzlsbb, p9_vr(t, insn_VRB(i))));
}

void p9_emit_vctzlsbb(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RT(i), p9_call1(t, &p9_h_vctzlsbb, p9_vr(t, insn_VRB(i))));
}

/* The VSCR has two bits, NJ and SAT; the rest of the quadword is zero. */

void p9_emit_mfvscr(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_vr(t, insn_VRT(i),
		  ir_bin(t->r, IR_VMAKE, p9_i64(t, 0), ir_get(t->r, IR_I64, P9_OFF(vscr))));
}

void p9_emit_mtvscr(struct p9_translator *t, const struct p9_insn *i)
{
	ir_set(t->r, P9_OFF(vscr),
	       ir_bin(t->r, IR_AND, ir_un(t->r, IR_VLO, p9_vr(t, insn_VRB(i))),
		      p9_i64(t, P9_VSCR_NJ | P9_VSCR_SAT)));
}
