/*
 * Fields of the condition register in translated code: between their architected values and how
 * they are kept (cr.h).
 *
 * What was written to a field in the same block is remembered, so that bits which are not kept as such
 * (GT, or those of a value that was computed whole) are tested on what they were made of.
 */
#include "cpu/power9/cr.h"
#include "cpu/power9/emit_common.h"
#include "cpu/power9/exception.h"

static ir_val kept(struct p9_translator *t, unsigned n)
{
	return ir_get_bits(t->r, IR_I64, p9_off_crf(n), P9_CRF_BITS);
}

static void keep(struct p9_translator *t, unsigned n, ir_val w)
{
	ir_set_bits(t->r, p9_off_crf(n), w, P9_CRF_BITS);
	t->crf[n].block = P9_NO_BLOCK;
}

static bool known(const struct p9_translator *t, unsigned n)
{
	return t->crf[n].block != P9_NO_BLOCK && t->crf[n].block == t->r->cur;
}

void p9_set_crf(struct p9_translator *t, unsigned n, ir_val v)
{
	ir_val table = p9_i64(t, P9_CRF_LOW);
	ir_val low = p9_bini(t, IR_AND, p9_bin(t, IR_SHR, table, p9_bini(t, IR_SHL, v, 2)), 7);

	keep(t, n, p9_bin(t, IR_OR, low, p9_bini(t, IR_SHL, p9_bini(t, IR_AND, v, 2), 7)));
	t->crf[n] = (struct p9_crf_known){.block = t->r->cur, .how = P9_CRF_WHOLE, .a = v};
}

ir_val p9_crf(struct p9_translator *t, unsigned n)
{
	ir_val w, at;

	if (known(t, n) && t->crf[n].how == P9_CRF_WHOLE)
		return t->crf[n].a;
	if (known(t, n) && t->crf[n].how == P9_CRF_ALL_NONE)
		return p9_bin(t, IR_OR, p9_bini(t, IR_SHL, t->crf[n].a, 3),
			      p9_bini(t, IR_SHL, t->crf[n].b, 1));
	w = kept(t, n);
	at = p9_bini(t, IR_AND, p9_bin(t, IR_OR, w, p9_bini(t, IR_SHR, w, 5)), 15);
	return p9_bini(t, IR_AND,
		       p9_bin(t, IR_SHR, p9_i64(t, P9_CRF_VALUE), p9_bini(t, IR_SHL, at, 2)), 15);
}

/*
 * All eight fields in one doubleword: two in each of its four halfwords, as they are kept, but that
 * the even one of each pair is four bits further up. The bits of one kind, where LT is:
 */
#define EACH UINT64_C(0x0011001100110011)

static ir_val bits_from(struct p9_translator *t, ir_val v, unsigned at)
{
	return p9_bini(t, IR_AND, at ? p9_bini(t, IR_SHR, v, at) : v, EACH);
}

static ir_val join(struct p9_translator *t, ir_val v, ir_val bits, unsigned at)
{
	return p9_bin(t, IR_OR, v, p9_bini(t, IR_SHL, bits, at));
}

/* Between GT and P9_CRF_ODD. */
static ir_val exchange(struct p9_translator *t, ir_val v, ir_val lt, ir_val eq)
{
	ir_val neither = p9_bini(t, IR_XOR, p9_bin(t, IR_OR, lt, eq), EACH);

	return p9_bin(t, IR_XOR, v, neither);
}

ir_val p9_cr(struct p9_translator *t)
{
	ir_val v = kept(t, 0), odd = kept(t, 1), lt, eq, gt;

	for (unsigned n = 2; n < 8; n += 2) {
		v = p9_bin(t, IR_OR, p9_bini(t, IR_SHL, v, 16), kept(t, n));
		odd = p9_bin(t, IR_OR, p9_bini(t, IR_SHL, odd, 16), kept(t, n + 1));
	}
	v = p9_bin(t, IR_OR, p9_bini(t, IR_SHL, v, 4), odd);
	lt = bits_from(t, v, P9_CRF_LT_BIT);
	eq = bits_from(t, v, P9_CRF_EQ_BIT);
	gt = exchange(t, bits_from(t, v, P9_CRF_ODD_BIT), lt, eq);
	v = join(t, bits_from(t, v, P9_CRF_SO_BIT), eq, 1);
	v = join(t, join(t, v, gt, 2), lt, 3);
	/* a byte of each halfword */
	v = p9_bini(t, IR_AND, p9_bin(t, IR_OR, v, p9_bini(t, IR_SHR, v, 8)),
		    UINT64_C(0x0000ffff0000ffff));
	return p9_un(t, IR_ZEXT32, p9_bin(t, IR_OR, v, p9_bini(t, IR_SHR, v, 16)));
}

void p9_set_cr(struct p9_translator *t, ir_val v)
{
	ir_val lt, eq, odd;

	v = p9_un(t, IR_ZEXT32, v);
	v = p9_bini(t, IR_AND, p9_bin(t, IR_OR, v, p9_bini(t, IR_SHL, v, 16)),
		    UINT64_C(0x0000ffff0000ffff));
	v = p9_bini(t, IR_AND, p9_bin(t, IR_OR, v, p9_bini(t, IR_SHL, v, 8)),
		    UINT64_C(0x00ff00ff00ff00ff));
	lt = bits_from(t, v, 3);
	eq = bits_from(t, v, 1);
	odd = exchange(t, bits_from(t, v, 2), lt, eq);
	v = join(t, lt, bits_from(t, v, 0), P9_CRF_SO_BIT);
	v = join(t, join(t, v, odd, P9_CRF_ODD_BIT), eq, P9_CRF_EQ_BIT);
	for (unsigned n = 0; n < 8; n++) {
		ir_val half = ir_extract(t->r, v, 48 - 16 * (n / 2) + (n % 2 ? 0 : 4), 9);

		keep(t, n, p9_bini(t, IR_AND, half, P9_CRF_LT | P9_CRF_SO | P9_CRF_ODD | P9_CRF_EQ));
	}
}

void p9_move_crf(struct p9_translator *t, unsigned to, unsigned from)
{
	ir_set_bits(t->r, p9_off_crf(to), kept(t, from), P9_CRF_BITS);
	t->crf[to] = t->crf[from];
}

/* XER[SO] as 0 or 1. */
static ir_val summary(struct p9_translator *t)
{
	return t->so_changed ? p9_xer_bit(t, so) : p9_i64(t, t->mode & P9_MODE_SO ? 1 : 0);
}

static ir_val compare(struct p9_translator *t, enum ir_op op, ir_val a, ir_val b, bool low)
{
	return low ? ir_compare_low(t->r, op, a, b) : p9_bin(t, op, a, b);
}

static void set_crf_compare(struct p9_translator *t, unsigned n, enum ir_op op, ir_val a, ir_val b,
			    bool low)
{
	ir_val w = compare(t, op, a, b, low);

	if (t->so_changed || (t->mode & P9_MODE_SO))
		w = p9_bin(t, IR_OR, w, p9_bini(t, IR_SHL, summary(t), P9_CRF_SO_BIT));
	keep(t, n, w);
	t->crf[n] = (struct p9_crf_known){
		.block = t->r->cur, .how = P9_CRF_COMPARED, .low = low, .op = op, .a = a, .b = b};
}

void p9_set_crf_compare(struct p9_translator *t, unsigned n, enum ir_op op, ir_val a, ir_val b)
{
	set_crf_compare(t, n, op, a, b, false);
}

void p9_set_crf_compare_low(struct p9_translator *t, unsigned n, enum ir_op op, ir_val a, ir_val b)
{
	set_crf_compare(t, n, op, a, b, true);
}

void p9_set_crf_equal(struct p9_translator *t, unsigned n, ir_val eq)
{
	ir_val w = p9_bini(t, IR_SHL, eq, P9_CRF_EQ_BIT);

	w = p9_bin(t, IR_OR, w, p9_bini(t, IR_SHL, p9_bini(t, IR_XOR, eq, 1), P9_CRF_ODD_BIT));
	if (t->so_changed || (t->mode & P9_MODE_SO))
		w = p9_bin(t, IR_OR, w, p9_bini(t, IR_SHL, summary(t), P9_CRF_SO_BIT));
	keep(t, n, w);
}

void p9_set_crf_unordered(struct p9_translator *t, unsigned n, ir_val w)
{
	keep(t, n, w);
	t->crf[n] = (struct p9_crf_known){.block = t->r->cur, .how = P9_CRF_UNORDERED, .a = w};
}

void p9_set_crf_all_none(struct p9_translator *t, unsigned n, ir_val all, ir_val none)
{
	ir_val w = ir_select(t->r, none, p9_i64(t, P9_CRF_EQ), p9_i64(t, P9_CRF_ODD));

	keep(t, n, ir_select(t->r, all, p9_i64(t, P9_CRF_LT), w));
	t->crf[n] = (struct p9_crf_known){
		.block = t->r->cur, .how = P9_CRF_ALL_NONE, .a = all, .b = none};
}

void p9_set_cr0(struct p9_translator *t, ir_val v)
{
	if (!p9_mode64(t))
		v = p9_un(t, IR_SEXT32, v);
	p9_set_crf_compare(t, 0, IR_CMP3S, v, p9_i64(t, 0));
}

/* GT, where it is kept as what LT and EQ are not. */
static ir_val greater(struct p9_translator *t, ir_val w)
{
	ir_val neither = p9_bini(t, IR_EQ, p9_bini(t, IR_AND, w, P9_CRF_LT | P9_CRF_EQ), 0);

	return p9_bin(t, IR_XOR, neither, ir_extract(t->r, w, P9_CRF_ODD_BIT, 1));
}

ir_val p9_cr_bit(struct p9_translator *t, unsigned n)
{
	const struct p9_crf_known *k = &t->crf[n / 4];

	if (known(t, n / 4) && k->how == P9_CRF_WHOLE)
		return ir_extract(t->r, k->a, 3 - n % 4, 1);
	switch (n % 4) {
	case 0:
		return ir_extract(t->r, kept(t, n / 4), P9_CRF_LT_BIT, 1);
	case 1:
		if (!known(t, n / 4))
			return greater(t, kept(t, n / 4));
		if (k->how == P9_CRF_UNORDERED)
			return p9_bini(t, IR_EQ, k->a, 0);
		if (k->how == P9_CRF_ALL_NONE)
			return p9_i64(t, 0);
		return compare(t, k->op == IR_CMP3S ? IR_LTS : IR_LTU, k->b, k->a, k->low);
	case 2:
		return ir_extract(t->r, kept(t, n / 4), P9_CRF_EQ_BIT, 1);
	default:
		return ir_extract(t->r, kept(t, n / 4), P9_CRF_SO_BIT, 1);
	}
}

/*
 * The rest of the region is for another XER[SO]: leave it where that has changed. (The instruction is
 * complete.)
 */
static uint64_t h_so_changed(struct ir_env *env)
{
	p9_so_changed(p9_of_env(env));
	return 0;
}

static const struct ir_helper so_changed_helper = {
	.name = "so_changed",
	.fn = (void (*)(void))h_so_changed,
	.result = IR_NONE,
	.flags = IR_H_READS_STATE | IR_H_WRITES_STATE,
};

void p9_check_so(struct p9_translator *t)
{
	ir_block leave, stay;

	t->so_changed = false;
	/* What sets it cannot clear it; what can (mtspr) keeps cpu.mode right itself. */
	if (t->mode & P9_MODE_SO)
		return;
	leave = ir_create_block(t->r);
	stay = ir_create_block(t->r);
	ir_br(t->r, p9_xer_bit(t, so), leave, stay);
	ir_begin_block(t->r, leave);
	p9_call0(t, &so_changed_helper);
	p9_exit_context(t);
	t->ended = false;
	ir_begin_block(t->r, stay);
}

void p9_check_mode(struct p9_translator *t)
{
	ir_val mode = ir_get(t->r, IR_I32, (uint32_t)offsetof(struct p9_cpu, cpu.mode));
	ir_block leave = ir_create_block(t->r), stay = ir_create_block(t->r);

	ir_br(t->r, ir_bin(t->r, IR_NE, mode, ir_const(t->r, IR_I32, t->mode)), leave, stay);
	ir_begin_block(t->r, leave);
	p9_exit_context(t);
	t->ended = false;
	ir_begin_block(t->r, stay);
}
