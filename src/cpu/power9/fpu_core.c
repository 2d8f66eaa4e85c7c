/*
 * Unpacking, rounding and packing of numbers, integers, and the end of a scalar operation.
 */
#include <stddef.h>
#include "cpu/power9/fpu_core.h"

const struct p9_fp_format p9_fp_half = {5, 10, -14, 15, 24};
const struct p9_fp_format p9_fp_single = {8, 23, -126, 127, 192};
const struct p9_fp_format p9_fp_double = {11, 52, -1022, 1023, 1536};
const struct p9_fp_format p9_fp_quad = {15, 112, -16382, 16383, 24576};

struct p9_fp_num p9_fp_unpack(const struct p9_fp_format *f, p9_u128 bits)
{
	struct p9_fp_num n = {.cls = P9_FP_FINITE};
	int special = (1 << f->exp_bits) - 1;
	int exp = (int)(bits >> f->frac_bits) & special;
	p9_u128 frac = bits & (((p9_u128)1 << f->frac_bits) - 1);

	n.neg = (bits >> (f->exp_bits + f->frac_bits)) & 1;
	n.hi = frac << (127 - f->frac_bits);
	if (exp == special) {
		if (!frac)
			n.cls = P9_FP_INF;
		else
			n.cls = (n.hi >> 126) & 1 ? P9_FP_QNAN : P9_FP_SNAN;
	} else if (exp) {
		n.hi |= (p9_u128)1 << 127;
		n.exp = exp - f->emax;
	} else if (frac) {
		int shift = p9_fp_clz128(n.hi);

		n.hi <<= shift;
		n.exp = f->emin - shift;
	} else {
		n.cls = P9_FP_ZERO;
	}
	return n;
}

p9_u128 p9_fp_pack(const struct p9_fp_format *f, const struct p9_fp_num *n)
{
	p9_u128 special = ((p9_u128)1 << f->exp_bits) - 1;
	p9_u128 fracs = ((p9_u128)1 << f->frac_bits) - 1;
	p9_u128 sign = (p9_u128)n->neg << (f->exp_bits + f->frac_bits);

	switch (n->cls) {
	case P9_FP_ZERO:
		return sign;
	case P9_FP_INF:
		return sign | special << f->frac_bits;
	case P9_FP_QNAN:
	case P9_FP_SNAN:
		return sign | special << f->frac_bits | ((n->hi >> (127 - f->frac_bits)) & fracs);
	default:
		break;
	}
	if (n->exp < f->emin) {
		int shift = 127 - f->frac_bits + f->emin - n->exp;

		return sign | (shift < 128 ? n->hi >> shift : 0);
	}
	/* The mask matters only where the ISA leaves the result undefined: an adjusted exponent
	 * that is still out of range. */
	return sign | ((p9_u128)(unsigned)(n->exp + f->emax) & special) << f->frac_bits |
	       ((n->hi >> (127 - f->frac_bits)) & fracs);
}

void p9_fp_shift_right(struct p9_fp_num *n, int shift)
{
	p9_u128 lost = 0;

	n->exp += shift;
	if (shift >= 256) {
		n->hi = 0;
		n->lo = 1;
		return;
	}
	if (shift >= 128) {
		lost = n->lo;
		n->lo = n->hi;
		n->hi = 0;
		shift -= 128;
	}
	if (shift) {
		lost |= n->lo << (128 - shift);
		n->lo = n->lo >> shift | n->hi << (128 - shift);
		n->hi >>= shift;
	}
	n->lo |= lost != 0;
}

/* The result of a disabled overflow is an infinity, or the greatest finite number. */
static bool overflow_to_inf(enum p9_fp_round mode, bool neg)
{
	switch (mode) {
	case P9_ROUND_ZERO:
	case P9_ROUND_ODD:
		return false;
	case P9_ROUND_UP:
		return !neg;
	case P9_ROUND_DOWN:
		return neg;
	default:
		return true;
	}
}

void p9_fp_round_to(struct p9_fp_op *op, struct p9_fp_num *n, int prec)
{
	const struct p9_fp_format *f = op->format;
	int drop = 128 - prec; /* 15 or more, bits of hi below the precision */
	p9_u128 unit = (p9_u128)1 << drop;
	bool denormal = false, inexact, up;
	p9_u128 rest;

	if (p9_fp_is_nan(n)) {
		n->hi &= ~(unit - 1);
		return;
	}
	if (n->cls != P9_FP_FINITE)
		return;

	if (n->exp < f->emin) {
		if (op->fpscr & P9_FPSCR_UE) {
			op->raised |= P9_FPSCR_UX;
			n->exp += f->wrap;
		} else {
			denormal = true;
			p9_fp_shift_right(n, f->emin - n->exp);
		}
	}

	rest = n->hi & (unit - 1);
	inexact = rest || n->lo;
	up = p9_fp_round_up(op->round, n->neg, n->hi & unit, rest & unit >> 1,
			    (rest & ((unit >> 1) - 1)) || n->lo);
	n->hi &= ~(unit - 1);
	n->lo = 0;
	if (up) {
		n->hi += unit;
		if (!n->hi) {
			n->hi = (p9_u128)1 << 127;
			n->exp++;
		}
		op->raised |= P9_FPSCR_FR;
	}
	if (inexact)
		op->raised |= P9_FPSCR_FI | P9_FPSCR_XX;

	if (denormal) {
		if (inexact)
			op->raised |= P9_FPSCR_UX;
		if (n->hi) {
			int shift = p9_fp_clz128(n->hi);

			n->hi <<= shift;
			n->exp -= shift;
		} else {
			n->cls = P9_FP_ZERO;
		}
	} else if (n->exp > f->emax) {
		op->raised |= P9_FPSCR_OX;
		if (op->fpscr & P9_FPSCR_OE) {
			n->exp -= f->wrap;
			return;
		}
		/* FR is undefined; here it tells which of the two results it is. */
		op->raised |= P9_FPSCR_XX | P9_FPSCR_FI;
		op->raised &= ~P9_FPSCR_FR;
		if (overflow_to_inf(op->round, n->neg)) {
			n->cls = P9_FP_INF;
			op->raised |= P9_FPSCR_FR;
		} else {
			n->hi = ~(unit - 1);
			n->exp = f->emax;
		}
	}
}

unsigned p9_fp_fprf(const struct p9_fp_num *n, const struct p9_fp_format *f)
{
	switch (n->cls) {
	case P9_FP_ZERO:
		return n->neg ? 0x12 : 0x02;
	case P9_FP_INF:
		return n->neg ? 0x09 : 0x05;
	case P9_FP_FINITE:
		if (n->exp < f->emin)
			return n->neg ? 0x18 : 0x14;
		return n->neg ? 0x08 : 0x04;
	default:
		return 0x11;
	}
}

struct p9_fp_num p9_fp_convert(struct p9_fp_op *op, const struct p9_fp_format *from, p9_u128 bits)
{
	struct p9_fp_num b = p9_fp_unpack(from, bits), r = b;

	p9_fp_nan_result(op, &r, &b, NULL, NULL);
	p9_fp_round(op, &r);
	return r;
}

/*
 * The magnitude of a finite number rounded to an integer, for exp < 127. *inexact and *up say what
 * rounding did.
 */
static p9_u128 integer_magnitude(const struct p9_fp_num *b, enum p9_fp_round mode, bool *inexact,
				 bool *up)
{
	p9_u128 value, rest;
	bool half, more;

	if (b->exp < 0) {
		value = 0;
		half = b->exp == -1;
		more = b->exp < -1 || b->hi << 1;
	} else {
		value = b->hi >> (127 - b->exp);
		rest = b->hi << (b->exp + 1);
		half = rest >> 127;
		more = rest << 1;
	}
	*inexact = half || more;
	*up = p9_fp_round_up(mode, b->neg, value & 1, half, more);
	return value + *up;
}

static void raise_inexact(struct p9_fp_op *op, bool inexact, bool up)
{
	if (inexact)
		op->raised |= P9_FPSCR_XX | P9_FPSCR_FI | (up ? P9_FPSCR_FR : 0);
}

struct p9_fp_num p9_fp_integral(struct p9_fp_op *op, const struct p9_fp_num *b,
				enum p9_fp_round mode, bool exact)
{
	struct p9_fp_num r = *b;
	bool inexact, up;
	int shift;

	if (p9_fp_nan_result(op, &r, b, NULL, NULL) || b->cls != P9_FP_FINITE || b->exp >= 127)
		return r;
	r.hi = integer_magnitude(b, mode, &inexact, &up);
	if (exact)
		raise_inexact(op, inexact, up);
	if (!r.hi) {
		r.cls = P9_FP_ZERO;
		return r;
	}
	shift = p9_fp_clz128(r.hi);
	r.hi <<= shift;
	r.exp = 127 - shift;
	return r;
}

uint64_t p9_fp_to_int(struct p9_fp_op *op, const struct p9_fp_num *b, enum p9_fp_round mode,
		      unsigned bits, bool is_signed)
{
	uint64_t ones = ~UINT64_C(0) >> (64 - bits);
	p9_u128 least = is_signed ? (p9_u128)1 << (bits - 1) : 0; /* its magnitude */
	p9_u128 greatest = is_signed ? ones >> 1 : ones;
	p9_u128 value = 0;
	bool inexact = false, up = false, fits = true;

	if (p9_fp_is_nan(b)) {
		op->raised |= P9_FPSCR_VXCVI;
		if (b->cls == P9_FP_SNAN)
			op->raised |= P9_FPSCR_VXSNAN;
		return -(uint64_t)least;
	}
	if (b->cls == P9_FP_INF || (b->cls == P9_FP_FINITE && b->exp >= 127))
		fits = false;
	else if (b->cls == P9_FP_FINITE)
		value = integer_magnitude(b, mode, &inexact, &up);

	if (!fits || value > (b->neg ? least : greatest)) {
		op->raised |= P9_FPSCR_VXCVI;
		return b->neg ? -(uint64_t)least : (uint64_t)greatest;
	}
	raise_inexact(op, inexact, up);
	return b->neg ? -(uint64_t)value : (uint64_t)value;
}

struct p9_fp_num p9_fp_from_int(uint64_t v, bool is_signed)
{
	struct p9_fp_num n = {.cls = P9_FP_ZERO};
	int shift;

	if (!v)
		return n;
	n.cls = P9_FP_FINITE;
	n.neg = is_signed && v >> 63;
	if (n.neg)
		v = -v;
	shift = __builtin_clzll(v);
	n.hi = (p9_u128)(v << shift) << 64;
	n.exp = 63 - shift;
	return n;
}

static int compare_magnitude(const struct p9_fp_num *a, const struct p9_fp_num *b)
{
	if (a->cls != b->cls)
		return a->cls < b->cls ? -1 : 1;
	if (a->cls != P9_FP_FINITE)
		return 0;
	if (a->exp != b->exp)
		return a->exp < b->exp ? -1 : 1;
	return a->hi < b->hi ? -1 : a->hi > b->hi;
}

int p9_fp_compare(const struct p9_fp_num *a, const struct p9_fp_num *b)
{
	if (a->cls == P9_FP_ZERO && b->cls == P9_FP_ZERO)
		return 0;
	if (a->neg != b->neg)
		return a->neg ? -1 : 1;
	return a->neg ? compare_magnitude(b, a) : compare_magnitude(a, b);
}

void p9_fp_raise(uint64_t *fpscr, uint64_t raised)
{
	raised &= P9_FPSCR_STICKY;
	if (raised & ~*fpscr)
		*fpscr = p9_fpscr_summarise(*fpscr | raised | P9_FPSCR_FX);
}

bool p9_fp_finish(uint64_t *fpscr, const struct p9_fp_op *op, const struct p9_fp_num *r)
{
	if (!p9_fp_finish_int(fpscr, op))
		return false;
	*fpscr = (*fpscr & ~P9_FPSCR_FPRF) | (uint64_t)p9_fp_fprf(r, op->format)
						 << P9_FPSCR_FPCC_SHIFT;
	return true;
}

bool p9_fp_finish_int(uint64_t *fpscr, const struct p9_fp_op *op)
{
	*fpscr &= ~(P9_FPSCR_FR | P9_FPSCR_FI);
	*fpscr |= op->raised & (P9_FPSCR_FR | P9_FPSCR_FI);
	p9_fp_raise(fpscr, op->raised);
	return !p9_fp_suppressed(op);
}
