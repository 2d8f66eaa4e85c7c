/*
 * Exact decimal magnitudes, rounding and status: see dfp_core.h.
 */
#include "cpu/power9/dfp_core.h"

#include "cpu/power9/fpu_core.h"

struct p9_dfp_wide p9_dfp_shift_left(p9_u128 coef, unsigned n)
{
	p9_u128 split = p9_dfp_power[P9_DFP_HALF - n], hi = 0;

	/* Divisions of 128 bits are slow. */
	if (coef >= split) {
		hi = coef / split;
		coef -= hi * split;
	}
	return (struct p9_dfp_wide){.hi = hi, .lo = coef * p9_dfp_power[n]};
}

void p9_dfp_drop(struct p9_dfp_wide *w, unsigned n)
{
	p9_u128 unit, lo, hi;

	w->exp += (int)n;
	if (n >= 2 * P9_DFP_HALF) {
		w->more |= w->hi || w->lo;
		w->hi = w->lo = 0;
		return;
	}
	if (n >= P9_DFP_HALF) {
		w->more |= w->lo != 0;
		w->lo = w->hi;
		w->hi = 0;
		n -= P9_DFP_HALF;
	}
	if (!n)
		return;
	unit = p9_dfp_power[n];
	lo = w->lo / unit;
	w->more |= lo * unit != w->lo;
	w->lo = lo;
	if (w->hi) {
		hi = w->hi / unit;
		w->lo += (w->hi - hi * unit) * p9_dfp_power[P9_DFP_HALF - n];
		w->hi = hi;
	}
}

static int wide_digits(const struct p9_dfp_wide *w)
{
	return w->hi ? P9_DFP_HALF + p9_dfp_digits(w->hi) : p9_dfp_digits(w->lo);
}

void p9_dfp_set_rmc(struct p9_dfp_op *op, unsigned r_rmc)
{
	static const uint8_t named[8] = {
		P9_DRN_NEAREST, P9_DRN_ZERO, P9_DRN_NEAREST_AWAY, 0 /* DRN */,
		P9_DRN_UP,      P9_DRN_DOWN, P9_DRN_AWAY,         P9_DRN_NEAREST_ZERO,
	};

	if (r_rmc != 3)
		op->round = (enum p9_dfp_round)named[r_rmc & 7];
}

/* What is lost by rounding, in halves of a unit: 0 < LESS < 1 = TIE < MORE < 2. */
enum lost { LOST_NOTHING, LOST_LESS, LOST_TIE, LOST_MORE };

/* Does the magnitude `kept` grow by one unit? */
static bool rounds_up(enum p9_dfp_round mode, bool neg, p9_u128 kept, enum lost lost)
{
	switch (mode) {
	case P9_DRN_NEAREST:
		return lost == LOST_MORE || (lost == LOST_TIE && (kept & 1));
	case P9_DRN_ZERO:
		return false;
	case P9_DRN_UP:
		return lost && !neg;
	case P9_DRN_DOWN:
		return lost && neg;
	case P9_DRN_NEAREST_AWAY:
		return lost >= LOST_TIE;
	case P9_DRN_NEAREST_ZERO:
		return lost == LOST_MORE;
	case P9_DRN_AWAY:
		return lost;
	case P9_DRN_SHORTER:
		return lost && kept % 5 == 0;
	}
	return false;
}

p9_u128 p9_dfp_round_off(struct p9_dfp_op *op, struct p9_dfp_wide *w, unsigned n, bool neg)
{
	p9_u128 unit, kept, rest;
	enum lost lost;

	if (n > P9_DFP_HALF) {
		p9_dfp_drop(w, n - P9_DFP_HALF);
		n = P9_DFP_HALF;
	}
	unit = p9_dfp_power[n];
	kept = w->lo / unit;
	rest = w->lo - kept * unit;
	kept += w->hi * p9_dfp_power[P9_DFP_HALF - n];
	w->exp += (int)n;
	if (rest == unit / 2)
		lost = w->more ? LOST_MORE : LOST_TIE;
	else if (rest > unit / 2)
		lost = LOST_MORE;
	else
		lost = rest || w->more ? LOST_LESS : LOST_NOTHING;
	if (lost)
		op->raised |= P9_FPSCR_XX | P9_FPSCR_FI;
	if (!rounds_up(op->round, neg, kept, lost))
		return kept;
	op->raised |= P9_FPSCR_FR;
	return kept + 1;
}

/* The result of a disabled overflow is an infinity, or the greatest finite number. */
static struct p9_dfp_num overflow(struct p9_dfp_op *op, bool neg)
{
	struct p9_dfp_num r = {.cls = P9_DFP_INF, .neg = neg};

	op->raised |= P9_FPSCR_XX | P9_FPSCR_FI | P9_FPSCR_FR;
	if (op->round == P9_DRN_ZERO || op->round == P9_DRN_SHORTER ||
	    (op->round == P9_DRN_UP && neg) || (op->round == P9_DRN_DOWN && !neg)) {
		op->raised &= ~P9_FPSCR_FR;
		r.cls = P9_DFP_FINITE;
		r.exp = op->format->emax;
		r.coef = p9_dfp_power[op->format->digits] - 1;
	}
	return r;
}

/* Remove zeros at the end, or add some, until the exponent is the ideal one, or near to it. */
static void approach_ideal(struct p9_dfp_num *n, int digits, int ideal)
{
	for (int step = 16; step; step /= 2)
		while (n->exp + step <= ideal && n->coef % p9_dfp_power[step] == 0) {
			n->coef /= p9_dfp_power[step];
			n->exp += step;
		}
	if (n->exp > ideal) {
		int room = digits - p9_dfp_digits(n->coef), step = n->exp - ideal;

		if (step > room)
			step = room;
		n->coef *= p9_dfp_power[step];
		n->exp -= step;
	}
}

static int clamp(int v, int least, int most)
{
	return v < least ? least : v > most ? most : v;
}

struct p9_dfp_num p9_dfp_round(struct p9_dfp_op *op, struct p9_dfp_wide w, bool neg, int ideal)
{
	const struct p9_dfp_format *f = op->format, *range = f;
	int wrap = op->source ? op->source->wrap / 3 : f->wrap;
	struct p9_dfp_num r = {.cls = P9_DFP_FINITE, .neg = neg};
	int count = wide_digits(&w), n = count - f->digits;
	bool tiny, inexact = false;

	if (!count) {
		r.exp = clamp(ideal, p9_dfp_min_exp(f), f->emax);
		return r;
	}

	/* Tininess is found before rounding: less than the least normal number. */
	tiny = w.exp + count < p9_dfp_min_exp(f) + f->digits;
	if (tiny && (op->fpscr & P9_FPSCR_UE)) {
		op->raised |= P9_FPSCR_UX;
		op->wrapped = true;
		w.exp += wrap;
		ideal += wrap;
	} else if (tiny && p9_dfp_min_exp(f) - w.exp > n) {
		n = p9_dfp_min_exp(f) - w.exp;
	}

	if (n > 0) {
		r.coef = p9_dfp_round_off(op, &w, (unsigned)n, neg);
		inexact = op->raised & P9_FPSCR_FI;
	} else {
		r.coef = w.lo;
	}
	r.exp = w.exp;
	if (r.coef == p9_dfp_power[f->digits]) {
		r.coef /= 10;
		r.exp++;
	}

	if (tiny && !op->wrapped) {
		if (inexact)
			op->raised |= P9_FPSCR_UX;
	} else if (!op->wrapped && r.exp + p9_dfp_digits(r.coef) > f->emax + f->digits) {
		op->raised |= P9_FPSCR_OX;
		if (!(op->fpscr & P9_FPSCR_OE))
			return overflow(op, neg);
		op->wrapped = true;
		r.exp -= wrap;
		ideal -= wrap;
	}

	if (op->wrapped && op->source)
		range = op->source;
	ideal = clamp(ideal, p9_dfp_min_exp(range), range->emax);
	if (!inexact)
		approach_ideal(&r, f->digits, ideal);
	/* A power of ten may still have its exponent beyond the greatest, zeros to be added. */
	if (r.exp > range->emax) {
		r.coef *= p9_dfp_power[r.exp - range->emax];
		r.exp = range->emax;
	}
	return r;
}

bool p9_dfp_nan_result(struct p9_dfp_op *op, struct p9_dfp_num *r, const struct p9_dfp_num *a,
		       const struct p9_dfp_num *b)
{
	if (a->cls == P9_DFP_SNAN || b->cls == P9_DFP_SNAN) {
		op->raised |= P9_FPSCR_VXSNAN;
		*r = a->cls == P9_DFP_SNAN ? *a : *b;
	} else if (p9_dfp_is_nan(a)) {
		*r = *a;
	} else if (p9_dfp_is_nan(b)) {
		*r = *b;
	} else {
		return false;
	}
	r->cls = P9_DFP_QNAN;
	return true;
}

struct p9_dfp_num p9_dfp_invalid(struct p9_dfp_op *op, uint64_t vx)
{
	op->raised |= vx;
	return (struct p9_dfp_num){.cls = P9_DFP_QNAN};
}

bool p9_dfp_is_subnormal(const struct p9_dfp_format *f, const struct p9_dfp_num *n)
{
	return n->exp + p9_dfp_digits(n->coef) < p9_dfp_min_exp(f) + f->digits;
}

unsigned p9_dfp_fprf(const struct p9_dfp_format *f, const struct p9_dfp_num *n)
{
	switch (n->cls) {
	case P9_DFP_FINITE:
		if (!n->coef)
			return n->neg ? 0x12 : 0x02;
		if (p9_dfp_is_subnormal(f, n))
			return n->neg ? 0x18 : 0x14;
		return n->neg ? 0x08 : 0x04;
	case P9_DFP_INF:
		return n->neg ? 0x09 : 0x05;
	case P9_DFP_SNAN:
		return 0x01;
	default:
		return 0x11;
	}
}

bool p9_dfp_finish_status(uint64_t *fpscr, const struct p9_dfp_op *op)
{
	*fpscr &= ~(P9_FPSCR_FR | P9_FPSCR_FI);
	*fpscr |= op->raised & (P9_FPSCR_FR | P9_FPSCR_FI);
	p9_fp_raise(fpscr, op->raised);
	return !((op->raised & P9_FPSCR_VX_ANY) && (op->fpscr & P9_FPSCR_VE)) &&
	       !((op->raised & P9_FPSCR_ZX) && (op->fpscr & P9_FPSCR_ZE));
}

p9_u128 p9_dfp_finish(uint64_t *fpscr, const struct p9_dfp_op *op, const struct p9_dfp_num *r,
		      p9_u128 old)
{
	const struct p9_dfp_format *f = op->wrapped && op->source ? op->source : op->format;

	if (!p9_dfp_finish_status(fpscr, op))
		return old;
	*fpscr = (*fpscr & ~P9_FPSCR_FPRF) | (uint64_t)p9_dfp_fprf(f, r) << P9_FPSCR_FPCC_SHIFT;
	return p9_dfp_pack(f, r);
}
