/*
 * What the vector and floating-point rows want of their operands: encodings and values whose
 * results the ISA defines, and that the reference (qemu 7.2) computes correctly.
 */
#include <string.h>

#include "generate_vector.h"
#include "util/bits.h"
#include "util/compiler.h"

static bool starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

static bool is_named(const struct p9_insn_desc *d, const char *mnemonic)
{
	return !strcmp(d->mnemonic, mnemonic);
}

/* Bytes of the element that an extract or insert moves; 0 for other rows. */
static unsigned element_size(const struct p9_insn_desc *d)
{
	const char *m = d->mnemonic;

	if (starts_with(m, "vextractd") || starts_with(m, "vinsertd"))
		return 8;
	if (starts_with(m, "vextractuw") || starts_with(m, "vinsertw") ||
	    starts_with(m, "vextuw") || is_named(d, "xxextractuw") || is_named(d, "xxinsertw"))
		return 4;
	if (starts_with(m, "vextractuh") || starts_with(m, "vinserth") || starts_with(m, "vextuh"))
		return 2;
	return 0;
}

bool generate_vector_is_invalid(const struct p9_insn *i)
{
	const struct p9_insn_desc *d = i->desc;
	unsigned size = element_size(d);

	/* qemu reads VRB once more after it has written VRT. */
	if ((is_named(d, "bcdctsq.") || is_named(d, "bcdcpsgn.")) && insn_VRT(i) == insn_VRB(i))
		return true;
	/* Reserved rounding modes. */
	if (is_named(d, "xsrqpi") || is_named(d, "xsrqpxp"))
		return !insn_R(i) && (insn_RMC(i) == 1 || insn_RMC(i) == 2);
	/* An element that would leave the register. */
	return size && !starts_with(d->mnemonic, "vextu") && insn_UIM4(i) + size > 16;
}

/* A double with the exponent and the precision of a single. */
static uint64_t as_single(uint64_t v)
{
	unsigned exponent = v >> 52 & 0x7ff;

	v &= ~UINT64_C(0) << 29;
	if (exponent != 0 && exponent != 0x7ff && (exponent < 0x381 || exponent > 0x47e))
		v = (v & ~(UINT64_C(0x7ff) << 52)) | (uint64_t)(0x381 + exponent % 254) << 52;
	if (!exponent)
		v &= BIT64(63);
	return v;
}

/*
 * Singles by VSX: qemu rounds to double first, which does no harm where all operands are
 * singles.
 */
static bool rounds_twice(const struct p9_insn_desc *d)
{
	return is_named(d, "xsaddsp") || is_named(d, "xssubsp") || is_named(d, "xsmulsp") ||
	       is_named(d, "xsdivsp") || is_named(d, "xssqrtsp");
}

static void choose_digit(uint64_t vsr[2], unsigned n, unsigned v)
{
	uint64_t *dw = &vsr[n < 16 ? 1 : 0];

	*dw = (*dw & ~(UINT64_C(15) << 4 * (n % 16))) | (uint64_t)v << 4 * (n % 16);
}

/* Digits, without the sign. */
static void make_decimal(uint64_t vsr[2])
{
	for (unsigned n = 1; n < 32; n++) {
		unsigned v = vsr[n < 16 ? 1 : 0] >> 4 * (n % 16) & 15;

		choose_digit(vsr, n, v > 9 ? v - 6 : v);
	}
}

/* Operands in the encodings that each conversion takes. */
static void decimal_state(struct generator *g, const struct p9_insn *i, struct diff_state *s)
{
	struct rng *r = &g->rng;
	uint64_t *a = s->vsr[32 + insn_VRA(i)], *b = s->vsr[32 + insn_VRB(i)];
	bool ps = insn_PS(i);

	if (is_named(i->desc, "bcdcfn.")) {
		for (unsigned n = 1; n < 8; n++) {
			choose_digit(b, 4 * n, rng_below(r, 10));
			for (unsigned k = 1; k < 4; k++)
				choose_digit(b, 4 * n + k, k == 1 ? 3 : 0);
		}
		b[1] = (b[1] & ~UINT64_C(0xffff)) | (rng_below(r, 2) ? 0x2b : 0x2d);
		if (rng_below(r, 8) == 0)
			b[0] ^= BIT64(rng_below(r, 64));
	} else if (is_named(i->desc, "bcdcfz.")) {
		for (unsigned n = 0; n < 32; n += 2) {
			choose_digit(b, n, rng_below(r, 10));
			choose_digit(b, n + 1, n ? (ps ? 15 : 3) : rng_below(r, 16));
		}
		if (rng_below(r, 8) == 0)
			b[0] ^= BIT64(rng_below(r, 64));
	} else if (is_named(i->desc, "bcdcfsq.")) {
		/* 10^31 is a little more than 2^102 */
		if (rng_below(r, 4))
			b[0] = (uint64_t)sext64(b[0], 39);
	} else if (is_named(i->desc, "bcds.") || is_named(i->desc, "bcdsr.") ||
		   is_named(i->desc, "bcdus.")) {
		/* VRA byte 7 */
		a[0] = (a[0] & ~UINT64_C(0xff)) | ((rng_below(r, 66) - 31) & 0xff);
	} else if (is_named(i->desc, "bcdtrunc.") || is_named(i->desc, "bcdutrunc.")) {
		/* VRA halfword 3 */
		a[0] = (a[0] & ~UINT64_C(0xffff)) | rng_below(r, 40);
	}
	/* qemu does not look at all digits before it knows the result. */
	if (is_named(i->desc, "bcdadd.") || is_named(i->desc, "bcdsub.") ||
	    is_named(i->desc, "bcdctn.") || is_named(i->desc, "bcdctz.")) {
		make_decimal(a);
		make_decimal(b);
	}
	/* No sign but a digit. */
	if ((is_named(i->desc, "bcdus.") || is_named(i->desc, "bcdutrunc.")) && rng_below(r, 8))
		choose_digit(b, 0, rng_below(r, 10));
}

/*
 * Conversions of vectors: qemu does not forget an element's flags before the next one. Here all
 * are the same, or all are in every integer's range.
 */
static void conversion_state(struct generator *g, const struct p9_insn *i, struct diff_state *s)
{
	uint64_t *b = s->vsr[insn_XB(i)];
	bool from_double = starts_with(i->desc->mnemonic, "xvcvdp");

	for (unsigned n = 0; n < 2; n++) {
		if (from_double)
			b[n] = (b[n] & UINT64_C(0x3fffffffffffffff)) | UINT64_C(0x4000000000000000);
	}
	if (from_double && rng_below(&g->rng, 2)) {
		for (unsigned n = 0; n < 2; n++)
			b[n] = (b[n] & ~(UINT64_C(0x7ff) << 52)) |
			       (uint64_t)(0x3f0 + rng_below(&g->rng, 45)) << 52;
	} else if (!from_double && rng_below(&g->rng, 2)) {
		for (unsigned n = 0; n < 2; n++)
			b[n] = (b[n] & UINT64_C(0x007fffff007fffff)) |
			       (uint64_t)(0x70 + rng_below(&g->rng, 45)) << 55 |
			       (uint64_t)(0x70 + rng_below(&g->rng, 45)) << 23;
	} else {
		if (!from_double)
			b[0] = (b[0] & UINT32_MAX) << 32 | (b[0] & UINT32_MAX);
		b[1] = b[0];
	}
}

static bool converts_to_integers(const struct p9_insn_desc *d)
{
	size_t length = strlen(d->mnemonic);

	return (starts_with(d->mnemonic, "xvcvdp") || starts_with(d->mnemonic, "xvcvsp")) &&
	       d->mnemonic[length - 1] == 's';
}

void generate_vector_state(struct generator *g, const struct p9_insn *i, struct diff_state *s)
{
	const struct p9_insn_desc *d = i->desc;
	const char *m = d->mnemonic;

	if (starts_with(m, "bcd"))
		decimal_state(g, i, s);
	/* Bytes that are in the register. */
	if (starts_with(m, "vextu") && element_size(d))
		s->gpr[insn_RA(i)] =
		    (s->gpr[insn_RA(i)] & ~UINT64_C(15)) | rng_below(&g->rng, 17 - element_size(d));
	if (rounds_twice(d)) {
		s->vsr[insn_XA(i)][0] = as_single(s->vsr[insn_XA(i)][0]);
		s->vsr[insn_XB(i)][0] = as_single(s->vsr[insn_XB(i)][0]);
	}
	/* As here: from what a double can hold. */
	if (is_named(d, "xscvsxdsp") || is_named(d, "xscvuxdsp") || is_named(d, "xvcvsxdsp") ||
	    is_named(d, "xvcvuxdsp")) {
		s->vsr[insn_XB(i)][0] &= ~UINT64_C(0x7ff);
		s->vsr[insn_XB(i)][1] &= ~UINT64_C(0x7ff);
	}
	if (converts_to_integers(d))
		conversion_state(g, i, s);
	/* qemu negates before it rounds; to nearest, that is the same. */
	if (starts_with(m, "fnm") || starts_with(m, "xsnm") || starts_with(m, "xvnm"))
		s->fpscr &= ~UINT64_C(3);
	/* a > b ? a : b, so b of two zeros; qemu gives a. */
	if (is_named(d, "xsmaxcdp") && !(s->vsr[insn_XA(i)][0] << 1 | s->vsr[insn_XB(i)][0] << 1))
		s->vsr[insn_XA(i)][0] = s->vsr[insn_XB(i)][0];
	/* -2^31 sets SAT, although it fits; in qemu it does not. */
	for (unsigned n = 0; is_named(d, "vctsxs") && n < 2; n++) {
		uint64_t *b = &s->vsr[32 + insn_VRB(i)][n];

		*b |= *b >> 63 << 32 | (*b >> 31 & 1);
	}
	/* Rounding by RN: qemu confuses toward zero and down here. */
	if ((is_named(d, "xsrqpi") || is_named(d, "xsrqpxp")) && !insn_R(i))
		s->fpscr &= ~UINT64_C(1);
	/* The processor has NJ and SAT; qemu keeps the other bits too. */
	if (is_named(d, "mtvscr"))
		s->vsr[32 + insn_VRB(i)][1] &= ~UINT64_C(0xfffefffe);
	/* An exception and its enable bit would interrupt the reference. */
	if (is_named(d, "mtfsf") && !g->fp_enables)
		s->vsr[insn_FRB(i)][0] &= ~UINT64_C(0xf8);
}
