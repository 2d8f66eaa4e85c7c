#include "generate.h"

#include <string.h>

#include "generate_decimal.h"
#include "generate_vector.h"

#include "util/bits.h"
#include "util/compiler.h"

/* ---- values ---- */

static uint64_t interesting_integer(struct generator *g)
{
	static const uint64_t some[] = {
	    0,
	    1,
	    2,
	    UINT64_C(0x7f),
	    UINT64_C(0x80),
	    UINT64_C(0x7fff),
	    UINT64_C(0x8000),
	    UINT64_C(0x7fffffff),
	    UINT64_C(0x80000000),
	    UINT64_C(0xffffffff),
	    UINT64_C(0x100000000),
	    UINT64_C(0x7fffffffffffffff),
	    UINT64_C(0x8000000000000000),
	    UINT64_C(0x5555555555555555),
	    UINT64_C(0x8080808080808080),
	};
	uint64_t v;

	switch (rng_below(&g->rng, 8)) {
	case 0:
	case 1:
		v = some[rng_below(&g->rng, ARRAY_SIZE(some))];
		switch (rng_below(&g->rng, 4)) {
		case 0:
			return -v;
		case 1:
			return ~v;
		default:
			return v;
		}
	case 2:
		return rng_below(&g->rng, 130);
	case 3:
		return (uint64_t)sext64(rng_next(&g->rng), 32);
	case 4:
		return (uint64_t)sext64(rng_next(&g->rng), 1 + rng_below(&g->rng, 64));
	case 5:
		return (rng_next(&g->rng) & UINT32_MAX) << 32 | (uint32_t)rng_next(&g->rng) >> 20;
	default:
		return rng_next(&g->rng);
	}
}

/* Sign, exponent field and fraction each from a few classes: width 32 or 64. */
static uint64_t interesting_float(struct generator *g, unsigned width)
{
	unsigned fraction_bits = width == 64 ? 52 : 23;
	unsigned exponent_max = width == 64 ? 2047 : 255;
	unsigned bias = exponent_max / 2;
	uint64_t fraction = 0, exponent, sign = rng_next(&g->rng) & 1;

	switch (rng_below(&g->rng, 8)) {
	case 0:
		exponent = 0;
		break;
	case 1:
		exponent = exponent_max;
		break;
	case 2:
		exponent = 1 + rng_below(&g->rng, 60);
		break;
	case 3:
		exponent = exponent_max - 1 - rng_below(&g->rng, 60);
		break;
	case 4:
		exponent = rng_next(&g->rng) & exponent_max;
		break;
	default: /* near 1, and the range of integers */
		exponent = bias - 4 + rng_below(&g->rng, rng_below(&g->rng, 2) ? 9 : 72);
		break;
	}
	switch (rng_below(&g->rng, 6)) {
	case 0:
		break;
	case 1:
		fraction = UINT64_C(1) << rng_below(&g->rng, fraction_bits);
		break;
	case 2:
		fraction = ~UINT64_C(0);
		break;
	case 3: /* few significant bits, so that results are exact or halfway */
		fraction = rng_next(&g->rng) << (fraction_bits - 1 - rng_below(&g->rng, 12));
		break;
	default:
		fraction = rng_next(&g->rng);
		break;
	}
	/* Doubles that are, or nearly are, singles. */
	if (width == 64 && rng_below(&g->rng, 4) == 0) {
		fraction &= ~UINT64_C(0) << (52 - 23 - rng_below(&g->rng, 3));
		if (exponent && exponent != exponent_max)
			exponent = bias - 155 + rng_below(&g->rng, 290);
	}
	fraction &= BIT64(fraction_bits) - 1;
	return sign << (width - 1) | exponent << fraction_bits | fraction;
}

static uint64_t interesting_doubleword(struct generator *g)
{
	uint64_t v;

	switch (rng_below(&g->rng, 8)) {
	case 0:
	case 1:
	case 2:
		return interesting_float(g, 64);
	case 3:
	case 4:
		return interesting_float(g, 32) << 32 | interesting_float(g, 32);
	case 5:
		return interesting_integer(g);
	case 6: /* few different bytes */
		v = rng_next(&g->rng) & UINT64_C(0x0101010101010101);
		return v * (rng_next(&g->rng) & 0xff);
	default:
		return rng_next(&g->rng);
	}
}

/* 16 digits and, in the low four bits of a vector, a sign. */
static uint64_t decimal_digits(struct generator *g)
{
	uint64_t v = 0;

	for (unsigned n = 0; n < 16; n++)
		v = v << 4 | rng_below(&g->rng, 10);
	/* Leading zeros, to be well inside of the range at times. */
	return v >> (rng_below(&g->rng, 2) ? 4 * rng_below(&g->rng, 16) : 0);
}

static void random_vsr(struct generator *g, uint64_t vsr[2])
{
	/* Quad-precision numbers have 15 bits of exponent. */
	static const uint16_t quad_exponent[] = {0,      1,      0x3fff, 0x3ffe, 0x4000, 0x403e,
						 0x3c01, 0x43fe, 0x7ffe, 0x7fff, 0x3fc0};

	vsr[0] = interesting_doubleword(g);
	vsr[1] = interesting_doubleword(g);
	switch (rng_below(&g->rng, 16)) {
	case 0:
		vsr[0] = decimal_digits(g);
		vsr[1] = decimal_digits(g) << 4 | (10 + rng_below(&g->rng, 6));
		break;
	case 1:
	case 2:
		vsr[0] = (vsr[0] & ~mask64_be(1, 15)) |
			 (uint64_t)quad_exponent[rng_below(&g->rng, ARRAY_SIZE(quad_exponent))]
			     << 48;
		break;
	case 3:
		vsr[1] = vsr[0];
		break;
	default:
		break;
	}
}

#define XER_BITS      UINT64_C(0xe00c0000) /* SO OV CA OV32 CA32 */
#define FPSCR_ENABLES UINT64_C(0xf8)
#define FPSCR_RN      UINT64_C(0x3)
#define FPSCR_FPRF    UINT64_C(0x1f000)

static void random_state(struct generator *g, struct diff_state *s)
{
	memset(s, 0, sizeof(*s));
	for (unsigned n = 0; n < 32; n++)
		s->gpr[n] = interesting_integer(g);
	/* Equal operands. */
	if (rng_below(&g->rng, 4) == 0)
		s->gpr[rng_below(&g->rng, 32)] = s->gpr[rng_below(&g->rng, 32)];
	for (unsigned n = 0; n < 64; n++)
		random_vsr(g, s->vsr[n]);
	for (unsigned n = 0; n < 4; n++)
		memcpy(s->vsr[rng_below(&g->rng, 64)], s->vsr[rng_below(&g->rng, 64)], 16);
	s->cr = rng_next(&g->rng) & UINT32_MAX;
	s->xer = (rng_next(&g->rng) & XER_BITS) | rng_below(&g->rng, 64);
	s->ctr = interesting_integer(g);
	s->lr = interesting_integer(g);
	s->tar = interesting_integer(g);
	s->vrsave = rng_next(&g->rng) & UINT32_MAX;
	/* SAT; not NJ, which makes denormalised numbers zero */
	s->vscr[1] = rng_below(&g->rng, 4) == 0;
	s->fpscr = rng_next(&g->rng) & (FPSCR_RN | FPSCR_FPRF);
	if (rng_below(&g->rng, 2))
		s->fpscr &= ~FPSCR_RN;
	if (g->fp_enables && rng_below(&g->rng, 4) == 0)
		s->fpscr |= rng_next(&g->rng) & FPSCR_ENABLES;
}

static void random_memory(struct generator *g, uint8_t *mem)
{
	for (unsigned n = 0; n < DIFF_MEM_SIZE; n += 8) {
		uint64_t v = interesting_doubleword(g);

		memcpy(mem + n, &v, 8);
	}
}

/* ---- rows ---- */

static bool has_operand(const struct p9_insn_desc *d, enum p9_operand op)
{
	for (unsigned n = 0; n < P9_OPERANDS_MAX; n++)
		if (d->operands[n] == op)
			return true;
	return false;
}

static bool starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

static bool is_named(const struct p9_insn_desc *d, const char *mnemonic)
{
	return !strcmp(d->mnemonic, mnemonic);
}

/* Cache instructions address storage too, although they neither load nor store. */
static bool is_storage(const struct p9_insn_desc *d)
{
	return (d->flags & (P9_FLAG_LOAD | P9_FLAG_STORE)) || starts_with(d->mnemonic, "dcb") ||
	       starts_with(d->mnemonic, "icb");
}

static bool is_amo(const struct p9_insn_desc *d)
{
	return has_operand(d, P9_OPND_FC);
}

/* RB is a length in its most significant byte. */
static bool is_with_length(const struct p9_insn_desc *d)
{
	return is_named(d, "lxvl") || is_named(d, "lxvll") || is_named(d, "stxvl") ||
	       is_named(d, "stxvll");
}

bool generate_supports(const struct p9_insn_desc *d)
{
	return d->emit && d->privilege == P9_PRIV_USER && d->facility != P9_FACILITY_TM &&
	       d->facility != P9_FACILITY_BHRB && d->facility != P9_FACILITY_EBB &&
	       d->facility != P9_FACILITY_SCV;
}

bool generate_simple(const struct p9_insn_desc *d)
{
	return generate_supports(d) && !is_storage(d) &&
	       !(d->flags & (P9_FLAG_BRANCH | P9_FLAG_TRAP | P9_FLAG_ENDS_BLOCK));
}

/* ---- the instruction's fields ---- */

static int64_t random_spr(struct generator *g)
{
	static const uint16_t user[] = {1, 8, 9, 256, 815};

	return user[rng_below(&g->rng, ARRAY_SIZE(user))];
}

static int64_t random_operand(struct generator *g, const struct p9_insn_desc *d, enum p9_operand op)
{
	/*
	 * Not the bounded ones and, of words, not the signed minimum and maximum: qemu 7.2
	 * sign-extends what the former return, looks above for the lower bound, and compares words
	 * unsigned.
	 */
	static const uint8_t amo_load[] = {0, 1, 2, 3, 4, 6, 8, 16, 5, 7};
	static const uint8_t amo_store[] = {0, 1, 2, 3, 4, 6, 24, 5, 7};
	bool word = is_named(d, "lwat") || is_named(d, "stwat");

	switch (op) {
	case P9_OPND_SPR_R:
	case P9_OPND_SPR_W:
		return random_spr(g);
	case P9_OPND_FC:
		return has_operand(d, P9_OPND_RT_AMO)
			   ? amo_load[rng_below(&g->rng, ARRAY_SIZE(amo_load) - 2 * word)]
			   : amo_store[rng_below(&g->rng, ARRAY_SIZE(amo_store) - 2 * word)];
	case P9_OPND_FXM_W:
	case P9_OPND_FXM_R:
		if (is_named(d, "mfocrf") || is_named(d, "mtocrf"))
			return 1 << rng_below(&g->rng, 8);
		break;
	case P9_OPND_L_X2:
		/* ptesync is privileged, and the last value reserved. */
		return rng_below(&g->rng, 2);
	case P9_OPND_CY:
		return 0;
	case P9_OPND_BO:
		/* bcctr cannot count */
		return rng_below(&g->rng, 32) | (is_named(d, "bcctr") ? 4 : 0);
	default:
		break;
	}
	return (int64_t)rng_next(&g->rng);
}

/* Bits of the word that are no operands: Rc, OE, LK, AA. */
static uint32_t random_suffix(struct generator *g, const struct p9_insn_desc *d)
{
	uint32_t v = 0, bits = (uint32_t)rng_next(&g->rng);

	if (d->flags & (P9_FLAG_RC | P9_FLAG_RC_CR1 | P9_FLAG_LK))
		v |= bits & 1;
	if (d->flags & P9_FLAG_AA)
		v |= bits & 2;
	if (d->flags & (P9_FLAG_RC_CR6 | P9_FLAG_OE))
		v |= bits & 0x400;
	return v;
}

/* How many registers does a string or a multiple load? */
static unsigned registers_loaded(const struct p9_insn *i, const struct diff_state *s)
{
	unsigned bytes;

	if (is_named(i->desc, "lmw"))
		return 32 - insn_RT(i);
	if (is_named(i->desc, "lqarx"))
		return 2;
	bytes = is_named(i->desc, "lswi") ? insn_NB(i) : s->xer & 0x7f;
	if (is_named(i->desc, "lswi") && !bytes)
		bytes = 32;
	return (bytes + 3) / 4;
}

static bool is_invalid(const struct p9_insn *i, const struct diff_state *s)
{
	uint32_t flags = i->desc->flags;
	unsigned rt = insn_RT(i), ra = insn_RA(i), rb = insn_RB(i);

	if ((flags & P9_FLAG_INVALID_RA_0) && !ra)
		return true;
	if ((flags & P9_FLAG_INVALID_RA_EQ_RT) && ra == rt)
		return true;
	if (flags & P9_FLAG_INVALID_RA_IN_RT) {
		unsigned count = registers_loaded(i, s);
		bool uses_rb = has_operand(i->desc, P9_OPND_RB);

		if (((ra - rt) & 31) < count || (uses_rb && ((rb - rt) & 31) < count))
			return true;
	}
	if (flags & P9_FLAG_INVALID_ODD) {
		for (unsigned n = 0; n < P9_OPERANDS_MAX; n++) {
			uint8_t op = i->desc->operands[n];

			if (op != P9_OPND_NONE &&
			    (p9_operand(op)->kind == P9_KIND_GPR_PAIR ||
			     p9_operand(op)->kind == P9_KIND_FPR_PAIR) &&
			    p9_operand_get(i->raw, op) % 2)
				return true;
		}
	}
	/* One register cannot be address and length. */
	if (is_with_length(i->desc) && ra == rb)
		return true;
	return generate_vector_is_invalid(i);
}

static struct p9_insn random_insn(struct generator *g, const struct p9_insn_desc *d,
				  const struct diff_state *s)
{
	struct p9_insn i = {.op = d->op, .desc = d};

	do {
		i.raw = d->value | random_suffix(g, d);
		for (unsigned n = 0; n < P9_OPERANDS_MAX; n++)
			if (d->operands[n] != P9_OPND_NONE)
				i.raw = p9_operand_set(i.raw, d->operands[n],
						       random_operand(g, d, d->operands[n]));
	} while (is_invalid(&i, s));
	return i;
}

/* ---- the state that the instruction wants ---- */

static uint64_t random_ea(struct generator *g, const struct p9_insn_desc *d)
{
	uint64_t ea = DIFF_MEM + 256 + rng_below(&g->rng, DIFF_MEM_SIZE - 512);
	bool reserve = d->flags & P9_FLAG_RESERVE;

	/* Without a reservation qemu does not look at a store's alignment. */
	if (reserve && (d->flags & P9_FLAG_STORE))
		return align_down(ea, 16);

	/* Unaligned quadwords and atomic operations are the reference's weak spot. */
	if (is_amo(d) || is_named(d, "lq") || is_named(d, "stq"))
		return align_down(ea, 16);
	if (reserve ? rng_below(&g->rng, 16) : rng_below(&g->rng, 2))
		return align_down(ea, 16);
	return ea;
}

/* Have the base and index registers, and the displacement, lead into the test memory. */
static void aim(struct generator *g, struct p9_insn *i, struct diff_state *s)
{
	const struct p9_insn_desc *d = i->desc;
	uint64_t ea = random_ea(g, d);
	unsigned ra = insn_RA(i), rb = insn_RB(i);

	if (has_operand(d, P9_OPND_D) || has_operand(d, P9_OPND_DS) || has_operand(d, P9_OPND_DQ)) {
		enum p9_operand op = has_operand(d, P9_OPND_D)    ? P9_OPND_D
				     : has_operand(d, P9_OPND_DS) ? P9_OPND_DS
								  : P9_OPND_DQ;

		if (!ra)
			i->raw = p9_operand_set(i->raw, op, (int64_t)ea);
		else
			s->gpr[ra] = ea - (uint64_t)p9_operand_get(i->raw, op);
	} else if (has_operand(d, P9_OPND_RB) && !is_with_length(d)) {
		if (!ra) {
			s->gpr[rb] = ea;
		} else if (ra == rb) {
			s->gpr[ra] = ea / 2;
		} else {
			s->gpr[rb] = ea - s->gpr[ra];
		}
	} else {
		if (ra)
			s->gpr[ra] = ea;
		if (is_with_length(d))
			s->gpr[rb] = (uint64_t)(rng_below(&g->rng, 8) ? rng_below(&g->rng, 20)
								      : rng_below(&g->rng, 256))
					 << 56 |
				     rng_next(&g->rng) >> 8;
	}
}

/* Branch to one of the pads: by the displacement or by the register. */
static void aim_branch(struct generator *g, struct p9_insn *i, struct diff_state *s)
{
	unsigned pad = 1 + rng_below(&g->rng, DIFF_PADS);
	uint64_t from = insn_AA(i) ? 0 : diff_address(g->slot, 0);
	uint64_t target = diff_address(g->slot, pad);
	uint64_t reg = target | (rng_next(&g->rng) & 3);

	if (has_operand(i->desc, P9_OPND_BD))
		i->raw = p9_operand_set(i->raw, P9_OPND_BD, (int64_t)(target - from));
	else if (has_operand(i->desc, P9_OPND_LI))
		i->raw = p9_operand_set(i->raw, P9_OPND_LI, (int64_t)(target - from));
	else if (is_named(i->desc, "bclr"))
		s->lr = reg;
	else if (is_named(i->desc, "bctar"))
		s->tar = reg;
	if (is_named(i->desc, "bcctr"))
		s->ctr = reg;
	else if (rng_below(&g->rng, 2))
		s->ctr = rng_below(&g->rng, 3);
}

static void special_state(struct generator *g, const struct p9_insn *i, struct diff_state *s)
{
	const char *m = i->desc->mnemonic;

	/* Digits above 9 are undefined. */
	if (is_named(i->desc, "cbcdtd"))
		s->gpr[insn_RS(i)] = decimal_digits(g);
	/* Indices in the range, mostly. */
	if (is_named(i->desc, "bpermd") && rng_below(&g->rng, 4))
		s->gpr[insn_RS(i)] &= UINT64_C(0x7f3f3f7f3f3f3f3f);
	/*
	 * qemu 7.2 finds no overflow when the quotient fits 64 bits but not with its sign: avoid
	 * the range of dividends between half the divisor and the divisor.
	 */
	if (is_named(i->desc, "divde")) {
		int64_t a = (int64_t)s->gpr[insn_RA(i)] / 2, b = (int64_t)s->gpr[insn_RB(i)] / 4;

		if ((a < 0 ? -a : a) >= (b < 0 ? -b : b) && insn_RA(i) != insn_RB(i))
			s->gpr[insn_RA(i)] = (uint64_t)(a % (b ? b : 1));
	}
	if (starts_with(m, "bcd")) {
		/* Decimal numbers most of the time, and a preferred sign code. */
		static const uint8_t sign[] = {12, 13, 15, 10, 11, 14};

		for (unsigned n = 0; n < 2; n++) {
			unsigned v = 32 + (n ? insn_VRA(i) : insn_VRB(i));

			if (rng_below(&g->rng, 8) == 0)
				continue;
			s->vsr[v][0] = rng_below(&g->rng, 2) ? decimal_digits(g) : 0;
			s->vsr[v][1] =
			    decimal_digits(g) << 4 | sign[rng_below(&g->rng, ARRAY_SIZE(sign))];
		}
	}
	/* XER bits that no instruction gives a meaning to are not kept by the processor. */
	if (is_named(i->desc, "mtspr") && insn_SPR(i) == 1)
		s->gpr[insn_RS(i)] &= XER_BITS | 0x7f;
	/* VRSAVE has 32 bits, in qemu 64. */
	if (is_named(i->desc, "mtspr") && insn_SPR(i) == 256)
		s->gpr[insn_RS(i)] &= UINT32_MAX;
}

static const struct p9_insn_desc *find_row(const char *mnemonic)
{
	size_t count;
	const struct p9_insn_desc *d = p9_insn_table(&count);

	for (size_t n = 0; n < count; n++)
		if (is_named(&d[n], mnemonic))
			return &d[n];
	return NULL;
}

/* lwarx for stwcx., with the same address and a target that leaves the operands alone. */
static bool matching_load(struct generator *g, const struct p9_insn *store, uint32_t *word)
{
	char name[8] = "l_arx";
	const struct p9_insn_desc *d;
	unsigned rt;

	name[1] = store->desc->mnemonic[2];
	d = find_row(name);
	if (!d)
		return false;
	do {
		rt = rng_below(&g->rng, 16) * 2;
	} while ((insn_RA(store) & ~1u) == rt || (insn_RB(store) & ~1u) == rt ||
		 (insn_RS(store) & ~1u) == rt);
	*word = p9_operand_set(d->value, P9_OPND_RT, rt);
	*word = p9_operand_set(*word, P9_OPND_RA, insn_RA(store));
	*word = p9_operand_set(*word, P9_OPND_RB, insn_RB(store));
	return true;
}

void generate_case(struct generator *g, const struct p9_insn_desc *d, struct diff_case *c)
{
	struct p9_insn i;
	uint32_t load;

	memset(c, 0, sizeof(*c));
	random_state(g, &c->state);
	random_memory(g, c->mem);
	i = random_insn(g, d, &c->state);
	special_state(g, &i, &c->state);
	generate_vector_state(g, &i, &c->state);
	generate_decimal_state(g, &i, &c->state);
	if (is_storage(d))
		aim(g, &i, &c->state);
	if (d->flags & P9_FLAG_BRANCH)
		aim_branch(g, &i, &c->state);
	if ((d->flags & P9_FLAG_RESERVE) && (d->flags & P9_FLAG_STORE) && rng_below(&g->rng, 4) &&
	    matching_load(g, &i, &load))
		c->word[c->nwords++] = load;
	c->word[c->nwords++] = i.raw;
}

/*
 * Storage in a sequence: with no base register, so that no instruction before it can spoil the
 * address.
 */
static bool is_absolute(const struct p9_insn_desc *d)
{
	return is_storage(d) && !(d->flags & P9_FLAG_UPDATE) &&
	       (has_operand(d, P9_OPND_D) || has_operand(d, P9_OPND_DS) ||
		has_operand(d, P9_OPND_DQ));
}

static uint32_t absolute_storage(struct generator *g, const struct p9_insn_desc *d,
				 struct diff_state *s)
{
	struct p9_insn i;

	do {
		i = random_insn(g, d, s);
		i.raw &= ~(UINT32_C(31) << 16);
	} while (is_invalid(&i, s));
	aim(g, &i, s);
	return i.raw;
}

/* bc over some of the instructions that follow, never counting. */
static uint32_t skip_forward(struct generator *g, unsigned left)
{
	const struct p9_insn_desc *d = find_row("bc");
	uint32_t raw = d->value;

	raw = p9_operand_set(raw, P9_OPND_BO, rng_below(&g->rng, 32) | 4);
	raw = p9_operand_set(raw, P9_OPND_BI, rng_below(&g->rng, 32));
	return p9_operand_set(raw, P9_OPND_BD, 4 * (1 + rng_below(&g->rng, left + 1)));
}

/* bdnz back into the sequence: the only instruction that counts, a few times. */
static uint32_t loop_back(struct generator *g, unsigned behind)
{
	uint32_t raw = p9_operand_set(find_row("bc")->value, P9_OPND_BO, 16);

	return p9_operand_set(raw, P9_OPND_BD, -4 * (int64_t)rng_below(&g->rng, behind + 1));
}

bool generate_in_sequence(const struct p9_insn_desc *d)
{
	return generate_simple(d) || (generate_supports(d) && is_absolute(d)) ||
	       (generate_supports(d) && (d->flags & P9_FLAG_TRAP));
}

void generate_sequence(struct generator *g, const struct p9_insn_desc *const *rows, unsigned nrows,
		       unsigned count, struct diff_case *c)
{
	bool looped = rng_below(&g->rng, 2);

	memset(c, 0, sizeof(*c));
	random_state(g, &c->state);
	random_memory(g, c->mem);
	c->state.ctr = 1 + rng_below(&g->rng, 4);
	while (c->nwords < count && c->nwords < DIFF_WORDS) {
		const struct p9_insn_desc *d = rows[rng_below(&g->rng, nrows)];
		unsigned at = (unsigned)c->nwords;
		uint32_t raw;

		if (at && !looped && rng_below(&g->rng, 12) == 0) {
			raw = loop_back(g, at);
			looped = true;
		} else if (rng_below(&g->rng, 8) == 0) {
			raw = skip_forward(g, count - at - 1);
		} else if (is_absolute(d)) {
			raw = absolute_storage(g, d, &c->state);
		} else if ((d->flags & P9_FLAG_TRAP) && rng_below(&g->rng, 8)) {
			continue;
		} else {
			raw = random_insn(g, d, &c->state).raw;
		}
		c->word[c->nwords++] = raw;
	}
}
