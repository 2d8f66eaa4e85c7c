/*
 * Operands of the decimal floating-point rows: numbers of all classes whose exponents and digits
 * stand in an interesting relation, so that results are exact, halfway, subnormal or too large.
 */
#include <string.h>

#include "cpu/power9/dfp_core.h"
#include "generate_decimal.h"
#include "util/bits.h"

static bool starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* `count` digits: of all kinds, or ones of which rounding makes a difference. */
static p9_u128 some_digits(struct generator *g, unsigned count)
{
	unsigned kind = rng_below(&g->rng, 8), from = rng_below(&g->rng, count + 1);
	p9_u128 v = 0;

	for (unsigned n = 0; n < count; n++) {
		unsigned digit = rng_below(&g->rng, 10);

		if (kind == 0)
			digit = 9;
		else if (kind == 1)
			digit = n == 0;
		else if (kind == 2)
			digit = n == from ? 5 : n < from ? digit : 0;
		else if (kind == 3)
			digit = n < from ? digit : 0;
		else if (kind == 4)
			digit = n < from ? 9 : 4;
		v = v * 10 + digit;
	}
	return v;
}

static bool is_narrowing(const struct p9_insn_desc *d)
{
	return starts_with(d->mnemonic, "drsp") || starts_with(d->mnemonic, "drdpq");
}

static p9_u128 decimal(struct generator *g, const struct p9_insn_desc *d,
		       const struct p9_dfp_format *f, int around)
{
	struct p9_dfp_num n = {.cls = P9_DFP_FINITE, .neg = rng_below(&g->rng, 2)};
	unsigned digits = (unsigned)f->digits, count;
	p9_u128 v;

	switch (rng_below(&g->rng, 24)) {
	case 0:
		n.cls = P9_DFP_INF;
		break;
	case 1:
		n.cls = P9_DFP_QNAN;
		break;
	case 2:
		n.cls = P9_DFP_SNAN;
		break;
	default:
		break;
	}
	count = rng_below(&g->rng, 2) ? digits : rng_below(&g->rng, digits + 1);
	if (rng_below(&g->rng, 16))
		n.coef = some_digits(g, count);
	if (n.cls == P9_DFP_INF)
		n.coef = 0;
	n.exp = around + (int)rng_below(&g->rng, 2 * digits + 8) - (int)digits - 4;
	if (rng_below(&g->rng, 4) == 0)
		n.exp = (int)rng_below(&g->rng, (unsigned)(f->emax + f->bias + 1)) - f->bias;
	if (n.exp < -f->bias)
		n.exp = -f->bias + (int)rng_below(&g->rng, 4);
	if (n.exp > f->emax)
		n.exp = f->emax - (int)rng_below(&g->rng, 4);
	/* A narrower format keeps what there is room for; qemu has nothing then, and no SNaN. */
	if (p9_dfp_is_nan(&n) && is_narrowing(d))
		n.coef %= 1000000;
	v = p9_dfp_pack(f, &n);
	/* Redundant declets, which qemu copies to a NaN or infinity that diex makes. */
	if (rng_below(&g->rng, 8) == 0 && n.cls != P9_DFP_INF &&
	    !starts_with(d->mnemonic, "diex") && !(p9_dfp_is_nan(&n) && is_narrowing(d)))
		v |= (p9_u128)0x3ff << (10 * rng_below(&g->rng, f->declets));
	return v;
}

static const struct p9_dfp_format *format_of(enum p9_kind kind)
{
	return kind == P9_KIND_FPR_PAIR ? &p9_dfp_extended : &p9_dfp_long;
}

/* The exponent near which both operands are: their sum's, product's or quotient's matters. */
static int choose_exponent(struct generator *g, const struct p9_insn_desc *d,
			   const struct p9_dfp_format *f)
{
	static const int eighths[] = {0, 0, 0, 4, -4, 8, -8, 3};
	int e = f->emax * eighths[rng_below(&g->rng, 8)] / 8;

	if (starts_with(d->mnemonic, "drsp"))
		e = rng_below(&g->rng, 4) ? (rng_below(&g->rng, 2) ? 84 : -105) : 0;
	if (starts_with(d->mnemonic, "drdpq"))
		e = rng_below(&g->rng, 4) ? (rng_below(&g->rng, 2) ? 360 : -405) : 0;
	if (starts_with(d->mnemonic, "dctfix") || starts_with(d->mnemonic, "drint"))
		e = rng_below(&g->rng, 4) ? 2 - (int)rng_below(&g->rng, (unsigned)f->digits) : e;
	if (starts_with(d->mnemonic, "dquai"))
		e = rng_below(&g->rng, 4) ? 0 : e;
	return e;
}

static void set(struct diff_state *s, unsigned fpr, const struct p9_dfp_format *f, p9_u128 v)
{
	if (f->bits > 64)
		s->vsr[fpr++][0] = (uint64_t)(v >> 64);
	s->vsr[fpr][0] = (uint64_t)v;
}

static p9_u128 bcd(struct generator *g, const struct p9_dfp_format *f, bool sign)
{
	unsigned count = f->bits / 4 - sign;
	p9_u128 v = 0;

	if (rng_below(&g->rng, 8) == 0)
		count = 0;
	for (unsigned n = 0; n < count; n++)
		v = v << 4 | rng_below(&g->rng, 10);
	if (rng_below(&g->rng, 4) == 0)
		v >>= 4 * rng_below(&g->rng, count + 1) % f->bits;
	return sign ? v << 4 | (10 + rng_below(&g->rng, 6)) : v;
}

/* What is not decimal about operands. True if `fpr` has its value. */
static bool special_operand(struct generator *g, const struct p9_insn *i, struct diff_state *s,
			    enum p9_operand op, unsigned fpr, const struct p9_dfp_format *f)
{
	const char *m = i->desc->mnemonic;
	uint64_t small = rng_below(&g->rng, 40) | (rng_next(&g->rng) & ~UINT64_C(63));

	if (op == P9_OPND_FRA && (starts_with(m, "drrnd") || starts_with(m, "dtstsf"))) {
		s->vsr[fpr][0] = small;
	} else if (op == P9_OPND_FRA && starts_with(m, "diex")) {
		s->vsr[fpr][0] = rng_below(&g->rng, 4)
					 ? (uint64_t)rng_below(&g->rng, m[4] ? 12300 : 770)
					 : (uint64_t)rng_below(&g->rng, 6) - 5;
	} else if (starts_with(m, "dcffix")) {
		if (rng_below(&g->rng, 2))
			s->vsr[fpr][0] =
				(uint64_t)sext64(rng_next(&g->rng), 1 + rng_below(&g->rng, 64));
	} else if (starts_with(m, "denbcd")) {
		set(s, fpr, f, bcd(g, f, insn_S_DFP(i)));
	} else if (!strcmp(m, "dctdp")) {
		s->vsr[fpr][0] = (rng_next(&g->rng) & ~(uint64_t)UINT32_MAX) |
				 (uint64_t)decimal(g, i->desc, &p9_dfp_short, 0);
	} else {
		return false;
	}
	return true;
}

void generate_decimal_state(struct generator *g, const struct p9_insn *i, struct diff_state *s)
{
	int around = INT32_MIN;

	if (i->desc->facility != P9_FACILITY_DFP)
		return;
	s->fpscr |= rng_next(&g->rng) & P9_FPSCR_DRN;
	/* qemu leaves doubleword 1 of what it writes; POWER9 clears it. */
	for (unsigned n = 0; n < 32; n++)
		s->vsr[n][1] = 0;
	for (unsigned n = 0; n < P9_OPERANDS_MAX; n++) {
		enum p9_operand op = i->desc->operands[n];
		const struct p9_operand_desc *o = p9_operand(op);
		const struct p9_dfp_format *f;
		unsigned fpr;

		if (op == P9_OPND_NONE || o->access == P9_ACCESS_WRITE ||
		    (o->kind != P9_KIND_FPR && o->kind != P9_KIND_FPR_PAIR))
			continue;
		f = format_of(o->kind);
		fpr = (unsigned)p9_operand_get(i->raw, op);
		if (special_operand(g, i, s, op, fpr, f))
			continue;
		if (around == INT32_MIN)
			around = choose_exponent(g, i->desc, f);
		set(s, fpr, f, decimal(g, i->desc, f, around));
	}
}
