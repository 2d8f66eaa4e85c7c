/*
 * Conversions between decimal formats, and to and from integers (Power ISA 3.0B, Book I 5.6.5).
 */
#include "cpu/power9/dfp_core.h"

/* FPSCR and result of a conversion that cannot go wrong. */
static p9_u128 finish(uint64_t *fpscr, const struct p9_dfp_op *op, const struct p9_dfp_num *r)
{
	return p9_dfp_finish(fpscr, op, r, 0);
}

/* A signalling NaN stays one: dctdp and drsp are loads and stores, so to say. */
p9_u128 p9_dfp_ctdp(uint64_t *fpscr, p9_u128 bits)
{
	struct p9_dfp_op op = p9_dfp_begin(*fpscr, &p9_dfp_long);
	struct p9_dfp_num b = p9_dfp_unpack(&p9_dfp_short, (uint32_t)bits);

	if (b.cls == P9_DFP_INF)
		b.coef = 0;
	return finish(fpscr, &op, &b);
}

p9_u128 p9_dfp_ctqpq(uint64_t *fpscr, p9_u128 bits, p9_u128 old)
{
	struct p9_dfp_op op = p9_dfp_begin(*fpscr, &p9_dfp_extended);
	struct p9_dfp_num b = p9_dfp_unpack(&p9_dfp_long, bits), r = b;

	if (b.cls == P9_DFP_INF)
		r.coef = 0;
	else
		p9_dfp_nan_result(&op, &r, &b, &b);
	return p9_dfp_finish(fpscr, &op, &r, old);
}

/* To a narrower format. Of a NaN the last digits stay. */
static struct p9_dfp_num narrow(struct p9_dfp_op *op, const struct p9_dfp_num *b)
{
	struct p9_dfp_num r = *b;

	if (b->cls == P9_DFP_FINITE)
		return p9_dfp_round(op, (struct p9_dfp_wide){.lo = b->coef, .exp = b->exp}, b->neg,
				    b->exp);
	if (b->cls == P9_DFP_INF)
		r.coef = 0;
	return r;
}

p9_u128 p9_dfp_rsp(uint64_t *fpscr, p9_u128 bits)
{
	struct p9_dfp_op op = p9_dfp_begin(*fpscr, &p9_dfp_short);
	struct p9_dfp_num b = p9_dfp_unpack(&p9_dfp_long, bits), r;

	op.source = &p9_dfp_long;
	r = narrow(&op, &b);
	return finish(fpscr, &op, &r);
}

p9_u128 p9_dfp_rdpq(uint64_t *fpscr, p9_u128 bits, p9_u128 old)
{
	struct p9_dfp_op op = p9_dfp_begin(*fpscr, &p9_dfp_long);
	struct p9_dfp_num b = p9_dfp_unpack(&p9_dfp_extended, bits), r;
	bool suppressed;
	p9_u128 v;

	op.source = &p9_dfp_extended;
	if (!p9_dfp_nan_result(&op, &r, &b, &b))
		r = narrow(&op, &b);
	suppressed = (op.raised & P9_FPSCR_VXSNAN) && (op.fpscr & P9_FPSCR_VE);
	v = p9_dfp_finish(fpscr, &op, &r, old);
	return op.wrapped || suppressed ? v : v << 64;
}

p9_u128 p9_dfp_cffix(P9_DFP_ARGS, uint64_t b)
{
	struct p9_dfp_op op = p9_dfp_begin(*fpscr, f);
	bool neg = b >> 63;
	struct p9_dfp_num r = p9_dfp_round(&op, (struct p9_dfp_wide){.lo = neg ? -b : b}, neg, 0);

	return finish(fpscr, &op, &r);
}

/* A NaN gives the least integer, as a number too small does. */
static uint64_t saturated(struct p9_dfp_op *op, bool least)
{
	op->raised = (op->raised & P9_FPSCR_VXSNAN) | P9_FPSCR_VXCVI;
	return least ? BIT64(63) : BIT64(63) - 1;
}

static uint64_t to_integer(struct p9_dfp_op *op, const struct p9_dfp_num *b)
{
	p9_u128 v = b->coef, limit = (p9_u128)BIT64(63) - !b->neg;

	if (b->cls == P9_DFP_SNAN)
		op->raised |= P9_FPSCR_VXSNAN;
	if (b->cls != P9_DFP_FINITE)
		return saturated(op, b->neg || p9_dfp_is_nan(b));
	if (b->exp < 0) {
		struct p9_dfp_wide w = {.lo = v, .exp = b->exp};

		v = p9_dfp_round_off(op, &w, (unsigned)-b->exp, b->neg);
	} else if (v) {
		/* 2^63 has 19 digits. */
		if (p9_dfp_digits(v) + b->exp > 19)
			return saturated(op, b->neg);
		v *= p9_dfp_power[b->exp];
	}
	if (v > limit)
		return saturated(op, b->neg);
	return b->neg ? -(uint64_t)v : (uint64_t)v;
}

uint64_t p9_dfp_ctfix(P9_DFP_ARGS, p9_u128 bits, uint64_t old)
{
	struct p9_dfp_op op = p9_dfp_begin(*fpscr, f);
	struct p9_dfp_num b = p9_dfp_unpack(f, bits);
	uint64_t v = to_integer(&op, &b);

	return p9_dfp_finish_status(fpscr, &op) ? v : old;
}
