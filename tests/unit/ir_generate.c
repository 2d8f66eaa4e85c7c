#include "ir_generate.h"

#include <string.h>

#include "ir/intrinsic_float.h"
#include "ir/op.h"
#include "ir_machine.h"
#include "util/bits.h"

#define MAX_BLOCKS 8
#define MAX_VALUES 4096

struct gen {
	struct ir_region *r;
	uint64_t seed;
	const uint8_t *data; /* choices are made by these bytes, if not NULL */
	size_t left;
	/* The flow graph, made before any instruction. */
	unsigned nblocks;
	int succ[MAX_BLOCKS][2];           /* -1: leave the region */
	unsigned back[MAX_BLOCKS];         /* 0, or counter + 1: succ[][0] is a way back */
	uint32_t dominated_by[MAX_BLOCKS]; /* sets of blocks */
	bool entered[MAX_BLOCKS];          /* from some block, or first of all */
	ir_block block[MAX_BLOCKS];
	/* Values so far, by type, and where they were defined. */
	struct {
		ir_val v;
		uint8_t block;
	} value[3][MAX_VALUES];
	unsigned nvalues[3];
	/* A base that addresses are made of again. */
	ir_val near;
	int near_block; /* -1: none */
	uint64_t pc;
	unsigned cur;
	/* Most state is read and written by 64 bits only: what a back end may keep in registers. */
	bool whole;
	/* Blocks hand on values through state alone, as those of guests do; mostly comparisons and steps. */
	bool plain;
};

static uint8_t next_byte(struct gen *g)
{
	return g->left ? g->left--, *g->data++ : 0;
}

static uint64_t rnd(struct gen *g)
{
	uint64_t v = 0;

	if (!g->data)
		return next_random(&g->seed);
	for (unsigned k = 0; k < 8; k++)
		v = v << 8 | next_byte(g);
	return v;
}

static unsigned below(struct gen *g, unsigned n)
{
	if (g->data)
		return n > 256 ? (next_byte(g) << 8 | next_byte(g)) % n : next_byte(g) % n;
	return (unsigned)(rnd(g) >> 33) % n;
}

static bool chance(struct gen *g, unsigned percent)
{
	return below(g, 100) < percent;
}

static void plan_blocks(struct gen *g)
{
	unsigned n = g->nblocks = 1 + below(g, MAX_BLOCKS), counters = 0;
	bool changed = true;

	for (unsigned b = 0; b < n; b++) {
		for (unsigned k = 0; k < 2; k++)
			g->succ[b][k] = b + 1 < n && !chance(g, 15)
						? (int)(b + 1 + below(g, n - b - 1))
						: -1;
		g->back[b] = 0;
		if (chance(g, 25)) {
			g->succ[b][0] = (int)below(g, b + 1);
			g->back[b] = ++counters;
		} else if (chance(g, 20)) {
			g->succ[b][1] = g->succ[b][0];
		}
		g->dominated_by[b] = b ? ~0u : 1;
		g->entered[b] = !b;
	}
	for (unsigned b = 0; b < 2 * n; b++)
		if (g->succ[b / 2][b % 2] >= 0)
			g->entered[g->succ[b / 2][b % 2]] = true;
	while (changed) {
		changed = false;
		for (unsigned b = 1; b < n; b++) {
			uint32_t set = ~0u;

			for (unsigned p = 0; p < n; p++) {
				if (g->succ[p][0] == (int)b || g->succ[p][1] == (int)b)
					set &= g->dominated_by[p];
			}
			set |= 1u << b;
			changed |= set != g->dominated_by[b];
			g->dominated_by[b] = set;
		}
	}
}

static ir_val keep(struct gen *g, enum ir_type t, ir_val v)
{
	unsigned k = t - IR_I32;

	if (g->nvalues[k] < MAX_VALUES) {
		g->value[k][g->nvalues[k]].v = v;
		g->value[k][g->nvalues[k]++].block = (uint8_t)g->cur;
	}
	return v;
}

static uint64_t interesting(struct gen *g)
{
	static const uint64_t list[] = {0,
					1,
					2,
					3,
					4,
					7,
					8,
					0xf,
					0x10,
					0x1f,
					0x20,
					0x3f,
					0x40,
					0x7f,
					0x80,
					0xff,
					0x100,
					0xfff,
					4096,
					0x7fff,
					0x8000,
					0xffff,
					0x7fffffff,
					0x80000000,
					0xffffffff,
					0x100000000,
					INT64_MAX,
					(uint64_t)INT64_MIN,
					UINT64_MAX,
					UINT64_MAX - 1,
					UINT64_MAX << 32,
					0x0123456789abcdef,
					0x5555555555555555};

	switch (below(g, 4)) {
	case 0:
		return rnd(g);
	case 1:
		return UINT64_C(1) << below(g, 64);
	default:
		return list[below(g, ARRAY_SIZE(list))];
	}
}

static uint32_t state_offset(struct gen *g, enum ir_type t)
{
	unsigned size = t == IR_V128 ? 16 : t == IR_I64 ? 8 : 4;
	/* Few places, so that accesses meet. */
	uint32_t o = g->whole && t != IR_I64 ? 64 + below(g, 4) * 8 : below(g, 12) * 8;

	/* And vectors that nobody names a part of. */
	if (g->whole && t == IR_V128 && !chance(g, 20))
		o = 96 + below(g, 2) * 16;
	if (t == IR_I32)
		o += 4 * below(g, 2);
	o = o / size * size;
	return chance(g, 5) ? OFF_FAR(o) : OFF_STATE(o);
}

static ir_val fresh(struct gen *g, enum ir_type t)
{
	if (chance(g, 40)) {
		if (t == IR_V128)
			return ir_vconst(g->r, (u128)interesting(g) << 64 | interesting(g));
		return ir_const(g->r, t, interesting(g));
	}
	if (t == IR_I64 && chance(g, 10))
		return keep(g, t, ir_get_bits(g->r, t, OFF_FLAG(below(g, 4)), 1));
	return keep(g, t, ir_get(g->r, t, state_offset(g, t)));
}

/* A value that may be used here: mostly one of the last. */
static ir_val pick(struct gen *g, enum ir_type t)
{
	unsigned k = t - IR_I32;

	for (unsigned tries = 0; tries < 4 && g->nvalues[k] && !chance(g, 20); tries++) {
		unsigned span = chance(g, 70) && g->nvalues[k] > 6 ? 6 : g->nvalues[k];
		unsigned n = g->nvalues[k] - 1 - below(g, span);

		if (g->plain ? g->value[k][n].block == g->cur
			     : g->dominated_by[g->cur] >> g->value[k][n].block & 1)
			return g->value[k][n].v;
	}
	return fresh(g, t);
}

static enum ir_type int_type(struct gen *g)
{
	return chance(g, 70) ? IR_I64 : IR_I32;
}

static enum ir_type any_type(struct gen *g)
{
	return chance(g, 15) ? IR_V128 : int_type(g);
}

/* The low word of a doubleword; sometimes a word. */
static ir_val low_word(struct gen *g)
{
	return pick(g, chance(g, 80) ? IR_I64 : IR_I32);
}

static ir_val boolean(struct gen *g)
{
	enum ir_type t = int_type(g);

	if (chance(g, 20))
		return ir_compare_low(g->r, IR_EQ + below(g, IR_LEU - IR_EQ + 1), low_word(g),
				      low_word(g));
	return ir_bin(g->r, IR_EQ + below(g, IR_LEU - IR_EQ + 1), pick(g, t), pick(g, t));
}

static void pure_int(struct gen *g)
{
	static const uint8_t unary[] = {IR_NOT,   IR_NEG,   IR_CLZ,    IR_CTZ,   IR_POPCNT,
					IR_BSWAP, IR_SEXT8, IR_SEXT16, IR_ZEXT8, IR_ZEXT16};
	static const uint8_t binary[] = {IR_ADD,  IR_SUB,  IR_MUL,  IR_MULHU, IR_MULHS, IR_DIVU,
					 IR_DIVS, IR_REMU, IR_REMS, IR_AND,   IR_OR,    IR_XOR,
					 IR_ANDN, IR_SHL,  IR_SHR,  IR_SAR,   IR_ROTL,  IR_ADD,
					 IR_SUB,  IR_AND,  IR_OR};
	enum ir_type t = int_type(g);
	unsigned bits = t == IR_I64 ? 64 : 32, pos = below(g, bits), len = 1 + below(g, bits - pos);
	ir_val args[2];

	switch (below(g, 14)) {
	case 0:
	case 1:
		keep(g, t, ir_un(g->r, unary[below(g, ARRAY_SIZE(unary))], pick(g, t)));
		break;
	case 2:
		keep(g, IR_I64, ir_un(g->r, chance(g, 50) ? IR_SEXT32 : IR_ZEXT32, pick(g, t)));
		break;
	case 3:
		keep(g, IR_I32, ir_un(g->r, IR_TRUNC32, pick(g, IR_I64)));
		break;
	case 4:
		keep(g, t, ir_extract(g->r, pick(g, t), pos, chance(g, 50) ? 1 : len));
		break;
	case 5:
		keep(g, t, ir_deposit(g->r, pick(g, t), pick(g, t), pos, len));
		break;
	case 6:
		keep(g, IR_I64, boolean(g));
		break;
	case 7:
		if (chance(g, 30))
			keep(g, IR_I64,
			     ir_compare_low(g->r, chance(g, 50) ? IR_CMP3S : IR_CMP3U, low_word(g),
					    low_word(g)));
		else
			keep(g, IR_I64,
			     ir_bin(g->r, chance(g, 50) ? IR_CMP3S : IR_CMP3U, pick(g, t),
				    pick(g, t)));
		break;
	case 8:
		keep(g, t,
		     ir_select(g->r, chance(g, 60) ? boolean(g) : pick(g, IR_I64), pick(g, t),
			       pick(g, t)));
		break;
	case 9:
		keep(g, IR_I64,
		     (chance(g, 50) && t == IR_I64 ? ir_addc : ir_addcarry)(g->r, pick(g, t), pick(g, t),
				 chance(g, 30) ? ir_const(g->r, t, below(g, 2)) : boolean(g)));
		break;
	case 10:
		if (chance(g, 50)) {
			args[0] = pick(g, IR_I64);
			args[1] = pick(g, IR_I64);
			keep(g, IR_I64, ir_call(g->r, &machine_helper[H_PURE], args, 2));
		} else {
			args[0] = pick(g, IR_I32);
			args[1] = pick(g, IR_I64);
			keep(g, IR_I32, ir_call(g->r, &machine_helper[H_PURE_MIXED], args, 2));
		}
		break;
	default:
		keep(g, t,
		     ir_bin(g->r, binary[below(g, ARRAY_SIZE(binary))], pick(g, t), pick(g, t)));
		break;
	}
}

/*
 * A constant selector of a permutation, of those for which hosts have instructions, or nearly:
 * merges, shifts of two vectors, exchanges and choices of elements, insertions, reversals.
 */
static ir_val selector(struct gen *g)
{
	unsigned size = 1u << below(g, 4), count = 16 / size, kind = below(g, 7);
	unsigned first = below(g, 32), elements[16];
	u128 s = 0;

	for (unsigned e = 0; e < count; e++) {
		switch (kind) {
		case 0: /* merge */
			elements[e] = e / 2 + (first & 1) * count / 2 +
				      (((e ^ first >> 1) & 1) ? count : 0);
			break;
		case 1: /* one of the two in place */
			elements[e] = e + (chance(g, 50) ? count : 0);
			break;
		case 2: /* reversed */
			elements[e] = (e ^ (count - 1)) + (first & 1) * count;
			break;
		case 3: /* of each a half */
			elements[e] = below(g, count) +
				      ((e < count / 2) == (first & 1) ? count : 0);
			break;
		case 4: /* of one */
			elements[e] = below(g, count);
			break;
		default:
			elements[e] = below(g, 2 * count);
			break;
		}
	}
	for (unsigned n = 16; n-- > 0;)
		s = s << 8 | (kind == 6 ? (first + n) & 31 : elements[n / size] * size + n % size);
	/* The upper bits do not count. */
	if (chance(g, 20))
		s |= (u128)0xe0 << 8 * below(g, 16);
	return ir_vconst(g->r, s);
}

static ir_val same_lanes(struct gen *g, unsigned lane)
{
	uint64_t n = below(g, 80);
	u128 v = 0;

	for (unsigned at = 0; at < 128; at += 8u << lane)
		v |= (u128)n << at;
	return ir_vconst(g->r, v);
}

/* Bits of one vector or of another. */
static ir_val choice(struct gen *g)
{
	ir_val mask = pick(g, IR_V128), a = ir_bin(g->r, IR_VANDN, pick(g, IR_V128), mask), b = pick(g, IR_V128);

	b = chance(g, 50) ? ir_bin(g->r, IR_VAND, mask, b) : ir_bin(g->r, IR_VAND, b, mask);
	if (chance(g, 20))
		keep(g, IR_V128, chance(g, 50) ? a : b);
	return chance(g, 50) ? ir_bin(g->r, IR_VOR, a, b) : ir_bin(g->r, IR_VOR, b, a);
}

static void pure_vector(struct gen *g)
{
	ir_val args[2];
	unsigned lane = below(g, 4);

	switch (below(g, 10)) {
	case 9:
		keep(g, IR_I64, ir_pc(g->r, g->pc + 4 * below(g, 64)));
		break;
	case 0:
		keep(g, IR_V128, ir_bin(g->r, IR_VMAKE, pick(g, IR_I64), pick(g, IR_I64)));
		break;
	case 1:
		keep(g, IR_I64, ir_un(g->r, IR_VHI, pick(g, IR_V128)));
		break;
	case 2:
		keep(g, IR_I64, ir_un(g->r, IR_VLO, pick(g, IR_V128)));
		break;
	case 3:
		if (chance(g, 30))
			keep(g, IR_V128, choice(g));
		else
			keep(g, IR_V128,
			     ir_bin(g->r, IR_VAND + below(g, 4), pick(g, IR_V128), pick(g, IR_V128)));
		break;
	case 4:
		keep(g, IR_V128, ir_un(g->r, IR_VNOT, pick(g, IR_V128)));
		break;
	case 5:
		if (chance(g, 50))
			keep(g, IR_V128, ir_vun(g->r, IR_VDUP, lane, pick(g, IR_I64)));
		else
			keep(g, IR_V128,
			     ir_vsplat(g->r, lane, below(g, 16u >> lane), pick(g, IR_V128)));
		break;
	case 6:
		keep(g, IR_V128,
		     ir_vperm2(g->r, pick(g, IR_V128), pick(g, IR_V128),
			       chance(g, 80) ? selector(g) : pick(g, IR_V128)));
		break;
	case 7:
		args[0] = pick(g, IR_V128);
		args[1] = pick(g, IR_I64);
		keep(g, IR_V128, ir_call(g->r, &machine_helper[H_VPURE], args, 2));
		break;
	case 8:
		keep(g, IR_V128,
		     ir_vbin(g->r, IR_VSHL + below(g, IR_VSAR - IR_VSHL + 1), lane,
			     pick(g, IR_V128), same_lanes(g, lane)));
		break;
	default:
		keep(g, IR_V128,
		     ir_vbin(g->r, IR_VADD + below(g, IR_VSAR - IR_VADD + 1), lane,
			     pick(g, IR_V128), pick(g, IR_V128)));
		break;
	}
}

/* Long numbers: sums that hand their carries on, with what lies between them in programs. */
static void chain(struct gen *g, enum ir_type t)
{
	struct ir_region *r = g->r;
	uint32_t flag = OFF_FLAG(below(g, 4));
	ir_val zero = ir_const(r, IR_I64, 0);
	/* None; one from before; one that was kept as a number that is not 0, or as a comparison. */
	ir_val c = chance(g, 40) ? zero :
		   chance(g, 40) ? ir_get_bits(r, IR_I64, flag, 1) :
		   chance(g, 60) ? ir_addcarry(r, pick(g, t), ir_const(r, t, UINT64_MAX), zero) :
				   boolean(g);

	for (unsigned n = 1 + below(g, 5); n; n--) {
		ir_val a = chance(g, 20) ? ir_un(r, IR_NOT, pick(g, t)) : pick(g, t);
		ir_val b = chance(g, 20) ? ir_const(r, t, interesting(g)) : pick(g, t);
		bool first = r->inst[c.id].op == IR_CONST && chance(g, 70);
		ir_val s = first ? ir_bin(r, IR_ADD, a, b) : ir_addc(r, a, b, c);
		ir_val carry = ir_addcarry(r, a, b, c);

		keep(g, t, s);
		if (chance(g, 70))
			ir_set_bits(r, flag, carry, 1);
		else
			keep(g, IR_I64, carry);
		if (chance(g, 60))
			ir_set(r, state_offset(g, t), s);
		if (chance(g, 30))
			keep(g, t, ir_bin(r, IR_XOR, ir_bin(r, IR_XOR, a, b), s));
		if (chance(g, 30))
			keep(g, t, ir_bin(r, chance(g, 50) ? IR_MUL : IR_MULHU, pick(g, t), s));
		for (unsigned k = chance(g, 20) ? 1 + below(g, 3) : 0; k; k--)
			keep(g, t, ir_bin(r, chance(g, 50) ? IR_MUL : IR_MULHU, a, pick(g, t)));
		if (chance(g, 20))
			keep(g, IR_I64, ir_un(r, IR_NEG, boolean(g)));
		if (chance(g, 20))
			keep(g, t, ir_bin(r, IR_ADD, pick(g, t), pick(g, t)));
		c = chance(g, 80) ? carry : boolean(g);
	}
}

/* What front ends write, and the lowering and the optimiser have patterns for. */
static void idiom(struct gen *g)
{
	struct ir_region *r = g->r;
	enum ir_type t = int_type(g);
	uint32_t reg = state_offset(g, IR_I64);
	ir_val v;

	switch (below(g, 16)) {
	case 14: { /* rlwinm, rldic: a field, shifted */
		static const uint8_t of[] = {8, 16, 32};
		unsigned n = below(g, 32), bits = chance(g, 50) ? 32 - n : of[below(g, 3)];

		v = ir_bin(r, IR_SHL, pick(g, IR_I64), ir_const(r, IR_I64, n));
		v = ir_bin(r, IR_AND, v, ir_const(r, IR_I64, ir_low_mask(bits) << n));
		ir_set(r, reg, keep(g, IR_I64, v));
		break;
	}
	case 15: { /* rlwimi of something short, or into it */
		unsigned pos = below(g, 32), len = chance(g, 50) ? 32 - pos : 1 + below(g, 32 - pos);
		ir_val a = pick(g, IR_I64), b = pick(g, IR_I64);

		if (chance(g, 50))
			a = ir_un(r, chance(g, 50) ? IR_ZEXT8 : IR_ZEXT16, a);
		if (chance(g, 50))
			b = ir_un(r, chance(g, 50) ? IR_ZEXT8 : IR_ZEXT16, b);
		ir_set(r, reg, keep(g, IR_I64, ir_deposit(r, a, b, pos, len)));
		keep(g, IR_I64, ir_extract(r, pick(g, IR_I64), pos, len));
		break;
	}
	case 11: /* a register is written, and what it held is needed later */
	case 12:
	case 13: {
		static const uint8_t op[] = {IR_SEXT32, IR_ZEXT32, IR_SEXT8, IR_ZEXT16, IR_NEG, IR_NOT};
		ir_val old = keep(g, IR_I64, ir_get(r, IR_I64, reg));

		v = ir_bin(r, IR_XOR, chance(g, 50) ? old : pick(g, IR_I64), pick(g, IR_I64));
		if (chance(g, 70))
			v = ir_un(r, op[below(g, ARRAY_SIZE(op))], v);
		if (chance(g, 50))
			v = ir_bin(r, IR_ADD, v, chance(g, 50) ? old : pick(g, IR_I64));
		ir_set(r, reg, v);
		keep(g, IR_I64, ir_bin(r, IR_SUB, old, pick(g, IR_I64)));
		break;
	}
	case 0: /* a comparison into a condition field, with summary overflow */
		v = ir_bin(r, chance(g, 50) ? IR_CMP3S : IR_CMP3U, pick(g, t),
			   chance(g, 50) ? ir_const(r, t, interesting(g)) : pick(g, t));
		reg = OFF_FIELD(below(g, 4));
		if (chance(g, 30))
			v = ir_bin(r, IR_OR, v,
				   ir_bin(r, IR_SHL, ir_get_bits(r, IR_I64, OFF_FLAG(0), 1),
					  ir_const(r, IR_I64, 1)));
		ir_set_bits(r, reg, v, 9);
		v = ir_get_bits(r, IR_I64, chance(g, 70) ? reg : OFF_FIELD(below(g, 4)), 9);
		if (chance(g, 30)) /* greater */
			v = ir_bin(r, IR_EQ,
				   ir_bin(r, IR_AND, v, ir_const(r, IR_I64, 0x101)),
				   ir_const(r, IR_I64, 0));
		else
			v = ir_extract(r, v, chance(g, 40) ? 8 : below(g, 9), 1);
		keep(g, IR_I64, v);
		break;
	case 1: /* rotate and mask */
		v = ir_bin(r, IR_ROTL, pick(g, IR_I64), ir_const(r, IR_I64, below(g, 64)));
		keep(g, IR_I64, ir_bin(r, IR_AND, v, ir_const(r, IR_I64, interesting(g))));
		break;
	case 2: /* a register counts */
		v = ir_bin(r, IR_ADD, ir_get(r, IR_I64, reg), ir_const(r, IR_I64, interesting(g)));
		ir_set(r, reg, v);
		keep(g, IR_I64, v);
		break;
	case 3: /* the same with 32 bits of it */
		v = ir_bin(r, IR_SUB, ir_un(r, IR_TRUNC32, ir_get(r, IR_I64, reg)),
			   pick(g, IR_I32));
		ir_set(r, reg, keep(g, IR_I64, ir_un(r, IR_ZEXT32, v)));
		break;
	case 4: /* registers exchanged */
		v = ir_get(r, IR_I64, reg);
		ir_set(r, reg, pick(g, IR_I64));
		ir_set(r, state_offset(g, IR_I64), v);
		break;
	case 5: /* a flag */
		v = keep(g, IR_I64, boolean(g));
		if (chance(g, 50))
			ir_set(r, OFF_FLAG(below(g, 4)), v);
		else
			ir_set_bits(r, OFF_FLAG(below(g, 4)), v, 1);
		break;
	case 6: /* sums and differences with their carries */
		if (chance(g, 70)) {
			chain(g, t);
			break;
		}
		v = ir_un(r, IR_NOT, pick(g, t));
		reg = chance(g, 50);
		v = ir_bin(r, IR_ADD, v, pick(g, t));
		keep(g, t, ir_bin(r, IR_ADD, v, ir_const(r, t, 1)));
		keep(g, IR_I64,
		     ir_addcarry(r, ir_un(r, IR_NOT, pick(g, t)), pick(g, t),
				 ir_const(r, IR_I64, reg)));
		break;
	case 7: /* is it zero? */
		v = ir_un(r, IR_CLZ, pick(g, t));
		keep(g, t, ir_bin(r, IR_SHR, v, ir_const(r, t, t == IR_I64 ? 6 : 5)));
		break;
	case 8: /* operations with constants, one upon the other */
	case 9:
		v = pick(g, t);
		for (unsigned n = 2 + below(g, 2); n; n--) {
			static const uint8_t op[] = {IR_ADD, IR_SUB,  IR_MUL, IR_AND,
						     IR_OR,  IR_XOR,  IR_SHL, IR_SHR,
						     IR_SAR, IR_ROTL, IR_ROTL};

			v = ir_bin(r, op[below(g, ARRAY_SIZE(op))], v,
				   ir_const(r, t, interesting(g)));
		}
		keep(g, t, v);
		break;
	default: /* a chain of a condition */
		v = boolean(g);
		if (chance(g, 50))
			v = ir_bin(r, IR_XOR, v, ir_const(r, IR_I64, 1));
		if (chance(g, 50))
			v = ir_bin(r, chance(g, 50) ? IR_EQ : IR_NE, v, ir_const(r, IR_I64, 0));
		keep(g, IR_I64, v);
		break;
	}
}

/* Mostly an address with memory behind it, often near a page's end. */
static ir_val address(struct gen *g, unsigned size, unsigned aligned)
{
	struct ir_region *r = g->r;
	uint64_t page = PAGE_ADDR(below(g, chance(g, 6) ? PAGES : PAGE_RW1 + 1));
	uint64_t align = chance(g, aligned) ? ~(uint64_t)(size - 1) : ~UINT64_C(0);
	ir_val base, index;

	if (chance(g, 1))
		return pick(g, IR_I64);
	if (g->near_block >= 0 && chance(g, 60) &&
	    (g->plain ? g->near_block == (int)g->cur
		      : g->dominated_by[g->cur] >> g->near_block & 1)) {
		int64_t disp = chance(g, 90) ? (int)below(g, 129) - 64 : (int)below(g, 4001) - 2000;

		return ir_bin(r, IR_ADD, g->near, ir_const(r, IR_I64, (uint64_t)disp & align));
	}
	if (chance(g, 15))
		return ir_const(r, IR_I64,
				(page + (chance(g, 50) ? 4096 - below(g, 24) : below(g, 64))) &
					align);
	index = ir_bin(r, IR_AND, pick(g, IR_I64), ir_const(r, IR_I64, 0xfff & align));
	if (chance(g, 50)) {
		base = ir_const(r, IR_I64, page);
		return ir_bin(r, IR_ADD, index, base);
	}
	/* A base register, and an index or displacement. */
	base = ir_bin(r, IR_OR, index, ir_const(r, IR_I64, page));
	if (chance(g, 30))
		base = keep(g, IR_I64, base);
	g->near = base;
	g->near_block = (int)g->cur;
	if (chance(g, 50))
		return ir_bin(
			r, IR_ADD, base,
			ir_bin(r, IR_AND, pick(g, IR_I64), ir_const(r, IR_I64, 0x30 & align)));
	return keep(
		g, IR_I64,
		ir_bin(r, IR_ADD, base,
		       ir_const(r, IR_I64, (uint64_t)(int64_t)((int)below(g, 65) - 32) & align)));
}

/* A memory access or a call that may fault: to come before the SETs of a guest instruction. */
static void access(struct gen *g)
{
	enum ir_type t = any_type(g);
	unsigned size = t == IR_V128 ? 16 : 1u << below(g, t == IR_I64 ? 4 : 3);
	struct ir_memop m = {.size = (uint8_t)size,
			     .big_endian = chance(g, 50),
			     .sign_extend = t != IR_V128 && chance(g, 40),
			     .aligned = chance(g, 5)};
	ir_val a[4], v;

	switch (below(g, 10)) {
	case 0:
		a[0] = pick(g, IR_I64);
		a[1] = pick(g, IR_I64);
		a[2] = pick(g, IR_I64);
		a[3] = pick(g, IR_I64);
		if (chance(g, 50))
			keep(g, IR_I64, ir_call(g->r, &machine_helper[H_FAULT], a, 3));
		else
			ir_call(g->r, &machine_helper[H_FAULT_VOID], a, 4);
		break;
	case 1:
		a[0] = pick(g, IR_V128);
		keep(g, IR_V128, ir_call(g->r, &machine_helper[H_VFAULT], a, 1));
		break;
	case 2:
		a[0] = address(g, size, 95);
		keep(g, t, ir_cas(g->r, m, a[0], pick(g, t), pick(g, t)));
		break;
	case 3:
		a[0] = address(g, size, 95);
		keep(g, t, ir_rmw(g->r, below(g, IR_RMW_MINS + 1), m, a[0], pick(g, t)));
		break;
	case 4:
	case 5:
		a[0] = address(g, size, 50);
		ir_store(g->r, m, a[0], pick(g, t));
		break;
	case 6: /* with update */
		a[0] = address(g, size, 50);
		if (chance(g, 70)) {
			v = keep(g, t, ir_load(g->r, t, m, a[0]));
			ir_set(g->r, state_offset(g, t), v);
		} else {
			ir_store(g->r, m, a[0], pick(g, t));
		}
		ir_set(g->r, state_offset(g, IR_I64), a[0]);
		break;
	default:
		a[0] = address(g, size, 50);
		keep(g, t, ir_load(g->r, t, m, a[0]));
		break;
	}
}

/* A double, or two singles: mostly results of others and numbers of the same size. */
static ir_val number(struct gen *g, enum ir_type t)
{
	static const uint64_t list[] = {
	    0, UINT64_C(0x3ff0000000000000), UINT64_C(0xbff8000000000001),
	    UINT64_C(0x4024000000000000), UINT64_C(0x3fefffffe0000000),
	    UINT64_C(0x7ff0000000000000), UINT64_C(0x7ff4000000000000),
	    UINT64_C(0x0010000000000001), UINT64_C(0x3810000020000000),
	    UINT64_C(0x3ff0000010000000), UINT64_C(0x41efffffffe00000),
	    UINT64_C(0x3f8000003f800001), UINT64_C(0xc1200000bf000000),
	    UINT64_C(0x3fe0000000000000), UINT64_C(0xbfdfffffffffffff),
	    UINT64_C(0x4004000000000000), UINT64_C(0x43efffffffffffff),
	    UINT64_C(0x4f0000004effffff), UINT64_C(0x4020000040a00000),
	    UINT64_C(0x8000000000000000), UINT64_C(0x41dfffffffc00000),
	    UINT64_C(0x00800000807fffff), UINT64_C(0x7f8000007fc00001),
	};
	uint64_t v = list[below(g, ARRAY_SIZE(list))];

	if (chance(g, 50))
		return pick(g, t);
	if (t == IR_V128)
		return ir_vconst(g->r, (u128)v << 64 | list[below(g, ARRAY_SIZE(list))]);
	return ir_const(g->r, t, v);
}

static void floating_point(struct gen *g)
{
	const struct ir_helper *h = &machine_float[below(g, IR_FLOAT_END - IR_FLOAT_FIRST)];
	ir_val a[4];

	for (unsigned k = 0; k < h->nargs; k++)
		a[k] = number(g, h->arg[k]);
	/* by how much, or whether denormals are zeros */
	if (h->intrinsic >= IR_VFADD_QUIET && chance(g, 80))
		a[h->nargs - 1] = ir_const(g->r, IR_I64, below(g, 40));
	keep(g, h->result, ir_call(g->r, h, a, h->nargs));
}

static void effect(struct gen *g)
{
	ir_val a[3];

	switch (below(g, 14)) {
	case 11:
		if (chance(g, 40)) {
			a[0] = pick(g, IR_I64);
			ir_call(g->r, &machine_helper[H_ROUND], a, 1);
			break;
		}
		/* fall through */
	case 12:
	case 13:
		floating_point(g);
		break;
	case 0:
		a[0] = pick(g, IR_I64);
		ir_call(g->r, &machine_helper[H_WRITE], a, 1);
		break;
	case 1:
		a[0] = pick(g, IR_V128);
		a[1] = pick(g, IR_V128);
		a[2] = pick(g, IR_I32);
		keep(g, IR_V128, ir_call(g->r, &machine_helper[H_WRITE_VEC], a, 3));
		break;
	case 2:
		keep(g, IR_I64, ir_call(g->r, &machine_helper[H_READ], NULL, 0));
		break;
	case 3:
		keep(g, IR_I64, ir_call(g->r, &machine_helper[H_EFFECT], NULL, 0));
		break;
	case 4:
		ir_call(g->r, &machine_helper[H_REQUEST], NULL, 0);
		break;
	case 5:
		ir_fence(g->r);
		break;
	default: {
		enum ir_type t = any_type(g);

		ir_set(g->r, state_offset(g, t), pick(g, t));
		break;
	}
	}
}

static void guest_instruction(struct gen *g)
{
	/* Some instructions are several times as long as most. */
	unsigned work = chance(g, 10) ? 12 : 4;

	g->pc += 4;
	if (chance(g, 3))
		ir_poll(g->r);
	ir_insn_partial(g->r, g->pc);
	for (unsigned n = below(g, work); n; n--) {
		if (chance(g, 15))
			pure_vector(g);
		else
			pure_int(g);
	}
	for (unsigned n = below(g, 8) / 3; n; n--)
		access(g);
	for (unsigned n = below(g, 4); n; n--)
		pure_int(g);
	if (chance(g, 35))
		idiom(g);
	for (unsigned n = below(g, work); n; n--)
		effect(g);
}

static ir_val plain_operand(struct gen *g, bool constant)
{
	if (constant)
		return ir_const(g->r, IR_I64, chance(g, 70) ? below(g, 9) - 4u : interesting(g));
	return ir_get(g->r, IR_I64, OFF_STATE(8 * below(g, 5)));
}

/* What loops of guests are made of: compare, step, load, store; and now and then something else. */
static void plain_instruction(struct gen *g)
{
	static const uint8_t less[] = {IR_EQ, IR_NE, IR_LTS, IR_LES, IR_LTU, IR_LEU};
	struct ir_memop m = {.size = 8};
	struct ir_region *r = g->r;
	ir_val a, b;

	g->pc += 4;
	ir_insn(r, g->pc);
	switch (below(g, 12)) {
	case 0:
	case 1:
	case 2:
	case 3:
		a = plain_operand(g, chance(g, 5));
		b = plain_operand(g, chance(g, 60));
		if (chance(g, 15)) /* the register is written as well, behind the flags */
			a = ir_bin(r, IR_SUB, a, b);
		if (chance(g, 10))
			ir_set_bits(r, OFF_FLAG(below(g, 2)),
				    ir_bin(r, less[below(g, ARRAY_SIZE(less))], a, b), 1);
		else
			ir_set_bits(r, OFF_FIELD(below(g, 2)),
				    chance(g, 50) ? ir_compare_low(r, chance(g, 50) ? IR_CMP3S : IR_CMP3U, a, b)
						  : ir_bin(r, chance(g, 50) ? IR_CMP3S : IR_CMP3U, a, b),
				    9);
		if (chance(g, 20))
			ir_set(r, OFF_STATE(8 * below(g, 5)), a);
		break;
	case 4:
	case 5:
	case 6: {
		uint32_t from = OFF_STATE(8 * below(g, 5));

		a = ir_bin(r, IR_ADD, ir_get(r, IR_I64, from), plain_operand(g, chance(g, 80)));
		ir_set(r, chance(g, 80) ? from : OFF_STATE(8 * below(g, 5)), a);
		break;
	}
	case 7:
	case 8:
		a = ir_load(r, IR_I64, m, address(g, 8, 50));
		ir_set(r, OFF_STATE(8 * below(g, 5)), a);
		break;
	case 9:
		b = plain_operand(g, false);
		if (chance(g, 30)) {
			ir_set(r, OFF_STATE(8 * below(g, 5)),
			       ir_cas(r, m, address(g, 8, 95), b, plain_operand(g, false)));
			break;
		}
		ir_store(r, m, address(g, 8, 50), b);
		break;
	case 10:
		if (chance(g, 40))
			ir_set(r, OFF_STATE(8 * below(g, 5)),
			       ir_get_bits(r, IR_I64, OFF_FIELD(below(g, 2)), 9));
		else
			ir_set(r, OFF_STATE(4 * below(g, 10)), pick(g, IR_I32));
		break;
	default:
		if (chance(g, 50))
			effect(g);
		break;
	}
}

static void leave(struct gen *g)
{
	ir_val v;

	switch (below(g, 4)) {
	case 0:
		v = pick(g, IR_I64);
		if (below(g, 2))
			v = ir_bin(g->r, IR_AND, v, ir_const(g->r, IR_I64, ~UINT64_C(3)));
		ir_exit_indirect(g->r, v);
		break;
	case 1:
		v = pick(g, IR_I64);
		ir_call(g->r, &machine_helper[H_RESUME], &v, 1);
		ir_exit_resume(g->r);
		break;
	case 2: /* near enough for a direct jump, or not */
		ir_exit_direct(g->r, RAM_BASE + (interesting(g) & 0x7ffffc));
		break;
	default:
		ir_exit_direct(g->r, interesting(g));
		break;
	}
}

static void end_block(struct gen *g, ir_block *exits, unsigned *nexits)
{
	ir_block to[2];
	bool same = g->succ[g->cur][0] == g->succ[g->cur][1];
	ir_val v;

	if (same && g->succ[g->cur][0] < 0) {
		leave(g);
		return;
	}
	for (unsigned k = 0; k < 2; k++) {
		if (g->succ[g->cur][k] >= 0) {
			to[k] = g->block[g->succ[g->cur][k]];
		} else {
			to[k] = ir_create_block(g->r);
			exits[(*nexits)++] = to[k];
		}
	}
	if (g->back[g->cur]) {
		uint32_t counter = OFF_COUNTER(g->back[g->cur] - 1);

		v = ir_bin(g->r, IR_SUB, ir_get(g->r, IR_I64, counter), ir_const(g->r, IR_I64, 1));
		ir_set(g->r, counter, v);
		/* Once round more than it says, if it was zero. */
		v = ir_bin(g->r, IR_LTS, ir_const(g->r, IR_I64, 0), v);
		ir_br(g->r, v, to[0], to[1]);
	} else if (same) {
		ir_jump(g->r, to[0]);
	} else {
		v = chance(g, 60) ? boolean(g) : pick(g, int_type(g));
		if (chance(g, 30) && ir_type_of(g->r, v) == IR_I64)
			v = ir_extract(g->r, v, below(g, 8), 1);
		ir_br(g->r, v, to[0], to[1]);
	}
}

static void generate(struct gen *g, struct ir_region *r)
{
	static const uint64_t base[] = {0, 0, 0x1ff000, -(uint64_t)0x1ff000};
	ir_block exits[2 * MAX_BLOCKS];
	unsigned nexits = 0, order[MAX_BLOCKS];

	g->r = r;
	memset(g->nvalues, 0, sizeof(g->nvalues));
	g->near_block = -1;
	g->pc = chance(g, 50) ? 0x1000 : UINT64_C(0xc000000000401000);
	/* Run at another base than its own, as most are. A page of code may begin before it, and end behind it. */
	r->base = g->pc + base[below(g, ARRAY_SIZE(base))];
	g->whole = chance(g, 60);
	g->plain = chance(g, 40);
	plan_blocks(g);
	for (unsigned b = 0; b < g->nblocks; b++) {
		g->block[b] = ir_create_block(r);
		order[b] = b;
	}
	/* They need not lie in the order in which they run. */
	for (unsigned b = g->nblocks - 1; b > 1 && chance(g, 50); b--) {
		unsigned k = 1 + below(g, b), t = order[k];

		order[k] = order[b];
		order[b] = t;
	}
	for (unsigned k = 0; k < g->nblocks; k++) {
		unsigned size = 1 + below(g, 6);

		g->cur = order[k];
		ir_begin_block(r, g->block[g->cur]);
		if (chance(g, 10) && g->succ[g->cur][0] > (int)g->cur) {
			ir_jump(r, g->block[g->succ[g->cur][0]]);
			continue;
		}
		/* The rest of an instruction that is gone. */
		if (!g->entered[g->cur] && chance(g, 50))
			access(g);
		if (chance(g, 30))
			ir_poll(r);
		for (unsigned n = 0; n < size; n++)
			g->plain && chance(g, 95) ? plain_instruction(g) : guest_instruction(g);
		end_block(g, exits, &nexits);
	}
	for (unsigned k = 0; k < nexits; k++) {
		ir_begin_block(r, exits[k]);
		ir_exit_direct(r, 0x100 + k);
	}
}

void generate_region(struct ir_region *r, uint64_t seed)
{
	static _Thread_local struct gen g;

	g.seed = seed;
	g.data = NULL;
	generate(&g, r);
	/* Some are looked at more closely: all guest registers, and larger loops. */
	r->hot = seed / 5 % 2;
}

void generate_region_from(struct ir_region *r, const uint8_t *data, size_t size)
{
	static _Thread_local struct gen g;

	g.data = data;
	g.left = size;
	generate(&g, r);
}
