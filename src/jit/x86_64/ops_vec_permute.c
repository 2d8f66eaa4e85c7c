/*
 * Permutations of bytes. Most selectors are constants: merges, shifts of two registers, element and
 * half exchanges; what has an instruction of its own gets it, the others pshufb.
 */
#include "jit/x86_64/vec.h"

enum {
	PSHUFD = 0x0f70,
	SHUFP = 0x0fc6,
	PALIGNR = 0x0f3a0f,
	PBLENDW = 0x0f3a0e,
	MOVDQA = 0x0f6f,
	VPBLENDVB = 0x0f3a4c,
	VPERMI2B = 0x0f3875,
};

/* The byte of low:high (numbers 0..15, 16..31) that each byte of the result is. */
struct choice {
	uint8_t of[16];
};

static struct choice choice_of(u128 selector)
{
	struct choice c;

	for (unsigned n = 0; n < 16; n++)
		c.of[n] = selector >> 8 * n & 31;
	return c;
}

/* Does byte n come from a_first + n for the bytes from..from + size - 1? */
static bool runs(const struct choice *c, unsigned from, unsigned size, unsigned first)
{
	for (unsigned n = 0; n < size; n++)
		if (c->of[from + n] != first + n)
			return false;
	return true;
}

/* Number of the element of `size` bytes that is at place `at`; 64: none is. */
static unsigned element(const struct choice *c, unsigned at, unsigned size)
{
	unsigned first = c->of[at * size];

	return first % size == 0 && runs(c, at * size, size, first) ? first / size : 64;
}

/* pshufb selector: bytes first..first + 15 are this source's, others give zero. */
static u128 selector_of(const struct choice *c, unsigned first)
{
	u128 s = 0;

	for (unsigned n = 16; n-- > 0;)
		s = s << 8 | (c->of[n] - first < 16u ? c->of[n] - first : 0x80);
	return s;
}

/* dst := first op second, with an immediate. */
static void two(struct gen *g, const struct ir_inst *i, uint8_t prefix, unsigned op, bool swapped,
		int imm)
{
	unsigned lo = use_reg(g, i->arg[1]), hi = use_reg(g, i->arg[0]);
	unsigned first = swapped ? hi : lo, second = swapped ? lo : hi, dst = def_reg(g);

	if (g->host->avx) {
		a_vex(&g->a, prefix, op, false, dst, first, second);
	} else {
		vec_mov(g, dst, first);
		a_sse(&g->a, prefix, op, dst, second);
	}
	if (imm >= 0)
		a_1(&g->a, imm);
}

/* Interleaved elements of the lower or upper halves. */
static bool interleave(struct gen *g, const struct ir_inst *i, const struct choice *c)
{
	static const uint16_t low[] = {0x0f60, 0x0f61, 0x0f62, 0x0f6c};
	static const uint16_t high[] = {0x0f68, 0x0f69, 0x0f6a, 0x0f6d};

	for (unsigned lane = 0; lane < 4; lane++) {
		unsigned size = 1u << lane, count = 16 / size;

		for (unsigned how = 0; how < 4; how++) {
			bool upper = how & 1, swapped = how & 2;
			bool fits = true;

			for (unsigned e = 0; e < count && fits; e++) {
				unsigned from = e / 2 + (upper ? count / 2 : 0);

				if ((e & 1) != swapped)
					from += count;
				fits = element(c, e, size) == from;
			}
			if (fits) {
				two(g, i, 0x66, upper ? high[lane] : low[lane], swapped, -1);
				return true;
			}
		}
	}
	return false;
}

/* The lower half from one source, the upper one from the other: elements of 64 or 32 bits. */
static bool halves(struct gen *g, const struct ir_inst *i, const struct choice *c)
{
	for (unsigned size = 8; size >= 4; size -= 4) {
		unsigned count = 16 / size, e[4];
		bool swapped = c->of[0] >= 16, fits = true;
		int imm = 0;

		for (unsigned n = 0; n < count && fits; n++) {
			bool of_high = (n >= count / 2) != swapped;

			e[n] = element(c, n, size);
			fits = e[n] < 2 * count && (e[n] >= count) == of_high;
			imm |= (int)(e[n] % count) << (size == 8 ? n : 2 * n);
		}
		if (fits) {
			two(g, i, size == 8 ? 0x66 : 0, SHUFP, swapped, imm);
			return true;
		}
	}
	return false;
}

static bool align(struct gen *g, const struct ir_inst *i, const struct choice *c)
{
	unsigned first = c->of[0];

	if (!g->host->ssse3)
		return false;
	for (unsigned n = 0; n < 16; n++)
		if (c->of[n] != ((first + n) & 31))
			return false;
	/* the second operand is the lower part */
	two(g, i, 0x66, PALIGNR, first < 16, first & 15);
	return true;
}

/* Bytes stay where they are. */
static bool blend(struct gen *g, const struct ir_inst *i, const struct choice *c)
{
	int imm = 0;

	if (!g->host->sse41)
		return false;
	for (unsigned n = 0; n < 8; n++) {
		unsigned e = element(c, n, 2);

		if (e != n && e != n + 8)
			return false;
		imm |= (int)(e >> 3) << n;
	}
	two(g, i, 0x66, PBLENDW, false, imm);
	return true;
}

static bool one_source(struct gen *g, const struct ir_inst *i, const struct choice *c)
{
	unsigned imm = 0, dst;
	bool words = true;

	for (unsigned n = 0; n < 4; n++) {
		unsigned e = element(c, n, 4);

		words &= e < 4;
		imm |= (e & 3) << 2 * n;
	}
	if (words) {
		unsigned src = use_reg(g, i->arg[1]);

		dst = def_reg(g);
		a_sse(&g->a, 0x66, PSHUFD, dst, src);
		a_1(&g->a, imm);
		return true;
	}
	if (!g->host->ssse3)
		return false;
	dst = def_copy(g, i->arg[1]);
	gen_sse_data(g, 0x66, PSHUFB, dst, selector_of(c, 0));
	return true;
}

static bool is_zero(const struct gen *g, uint32_t v)
{
	u128 c;

	return vec_const(g, v, &c) && !c;
}

static bool constant(struct gen *g, const struct ir_inst *i, u128 selector)
{
	struct choice c = choice_of(selector);
	unsigned lo, hi, dst;

	if (i->arg[0] == i->arg[1]) {
		for (unsigned n = 0; n < 16; n++)
			c.of[n] &= 15;
		return one_source(g, i, &c);
	}
	if (!g->host->ssse3)
		return interleave(g, i, &c) || halves(g, i, &c);
	for (unsigned k = 0; k < 2; k++) {
		/* Next to zero. */
		if (is_zero(g, i->arg[k])) {
			dst = def_copy(g, i->arg[1 - k]);
			gen_sse_data(g, 0x66, PSHUFB, dst, selector_of(&c, k ? 16 : 0));
			return true;
		}
	}
	if (interleave(g, i, &c) || align(g, i, &c) || halves(g, i, &c) || blend(g, i, &c))
		return true;
	lo = use_reg(g, i->arg[1]);
	hi = use_reg(g, i->arg[0]);
	dst = def_reg(g);
	if (g->host->avx512vbmi) {
		gen_sse_data(g, 0x66, MOVDQA, dst, selector);
		a_evex(&g->a, 0x66, VPERMI2B, false, dst, lo, hi);
		return true;
	}
	vec3_data(g, PSHUFB, dst, lo, selector_of(&c, 0));
	vec3_data(g, PSHUFB, 0, hi, selector_of(&c, 16));
	a_sse(&g->a, 0x66, POR, dst, 0);
	return true;
}

/*
 * pshufb takes the low four bits of an index and gives zero where bit 7 is set: with 0x70 added
 * to an index of 0..31 it takes from the low vector alone, with 0xf0 added from the high one.
 */
static void by_sums(struct gen *g, unsigned dst, unsigned hi, unsigned lo, unsigned sel)
{
	vec3_data(g, PAND, 0, sel, vec_same(8, 0x1f));
	vec3_data(g, PADDB, 1, 0, vec_same(8, 0xf0));
	gen_sse_data(g, 0x66, PADDB, 0, vec_same(8, 0x70));
	vec3(g, PSHUFB, dst, lo, 0);
	vec3(g, PSHUFB, 0, hi, 1);
	a_sse(&g->a, 0x66, POR, dst, 0);
}

bool gen_permute(struct gen *g, const struct ir_inst *i)
{
	unsigned hi, lo, sel, dst;
	u128 c;

	if (vec_const(g, i->arg[2], &c))
		return constant(g, i, c);
	if (!g->host->ssse3)
		return false;
	hi = use_reg(g, i->arg[0]);
	lo = use_reg(g, i->arg[1]);
	sel = use_reg(g, i->arg[2]);
	dst = def_reg(g);
	if (hi == lo) {
		vec3_data(g, PAND, 0, sel, vec_same(8, 0x0f));
		vec3(g, PSHUFB, dst, lo, 0);
	} else if (g->host->avx512vbmi) {
		vec_mov(g, dst, sel);
		a_evex(&g->a, 0x66, VPERMI2B, false, dst, lo, hi);
	} else if (g->host->avx) {
		/* bit 4 of an index, which chooses the vector, becomes the byte's sign */
		vec3_data(g, PAND, 0, sel, vec_same(8, 0x0f));
		vec_shift(g, VEC_SHL, 1, 1, sel, 3);
		vec3(g, PSHUFB, dst, lo, 0);
		a_vex(&g->a, 0x66, PSHUFB, false, 0, hi, 0);
		a_vex(&g->a, 0x66, VPBLENDVB, false, dst, dst, 0);
		a_1(&g->a, 1 << 4);
	} else {
		by_sums(g, dst, hi, lo, sel);
	}
	return true;
}

bool gen_splat(struct gen *g, const struct ir_inst *i)
{
	unsigned lane = i->aux & 3, size = 1u << lane;
	struct choice c;

	for (unsigned n = 0; n < 16; n++)
		c.of[n] = (uint8_t)((i->imm & 15) * size + n % size) & 15;
	if (lane >= 2) {
		unsigned src = use_reg(g, i->arg[0]), dst = def_reg(g);
		unsigned w = c.of[0] / 4, w1 = c.of[4] / 4;

		a_sse(&g->a, 0x66, PSHUFD, dst, src);
		a_1(&g->a, w | w1 << 2 | w << 4 | w1 << 6);
		return true;
	}
	if (!g->host->ssse3)
		return false;
	gen_sse_data(g, 0x66, PSHUFB, def_copy(g, i->arg[0]), selector_of(&c, 0));
	return true;
}
