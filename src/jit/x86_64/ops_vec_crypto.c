/*
 * Intrinsics of cryptography: AES rounds, SHA-2 sigma functions, carry-less products.
 */
#include "ir/intrinsic.h"
#include "jit/x86_64/vec.h"

enum {
	AESENC = 0x0f38dc,
	AESENCLAST = 0x0f38dd,
	AESDECLAST = 0x0f38df,
	AESDEC = 0x0f38de,
	AESIMC = 0x0f38db,
	PCLMULQDQ = 0x0f3a44,
	SHA256MSG1 = 0x0f38cc,
	PSUBD = 0x0ffa,
};

static bool aes_round(struct gen *g, const struct ir_inst *i, unsigned op)
{
	unsigned state, key, dst;

	if (!g->host->aes)
		return false;
	key = use_reg(g, i->arg[1]);
	if (op == AESDEC) {
		/* The key is to be added before InvMixColumns, which is linear. */
		a_sse(&g->a, 0x66, AESIMC, 0, key);
		key = 0;
	}
	if (g->host->avx) {
		state = use_reg(g, i->arg[0]);
		dst = def_reg(g);
		a_vex(&g->a, 0x66, op, false, dst, state, key);
		return true;
	}
	dst = def_copy(g, i->arg[0]);
	if (i->arg[0] == i->arg[1] && key != 0)
		key = dst;
	a_sse(&g->a, 0x66, op, dst, key);
	return true;
}

/* SubBytes is what AESENCLAST with no key does to a state whose ShiftRows is undone before. */
static bool sub_bytes(struct gen *g, const struct ir_inst *i)
{
	unsigned dst;
	u128 back = 0;

	if (!g->host->aes || !g->host->ssse3)
		return false;
	/* ShiftRows takes byte n from (5 n) % 16: row n % 4 moves by as many columns */
	for (unsigned n = 0; n < 16; n++)
		back |= (u128)n << 8 * (5 * n % 16);
	/* that says where byte 5 n comes from, so that it will go to n */
	dst = def_copy(g, i->arg[0]);
	gen_sse_data(g, 0x66, PSHUFB, dst, back);
	vec_zero(g, 0);
	a_sse(&g->a, 0x66, AESENCLAST, dst, 0);
	return true;
}

/* Rotations to the right by two amounts and a third, or a shift by that. */
struct sigma {
	uint8_t by[3];
	bool shift;
};

/* By capital and function. */
static const struct sigma sigma256[2][2] = {
	{{{7, 18, 3}, true}, {{17, 19, 10}, true}},
	{{{2, 13, 22}, false}, {{6, 11, 25}, false}},
};

static const struct sigma sigma512[2][2] = {
	{{{1, 8, 7}, true}, {{19, 61, 6}, true}},
	{{{28, 34, 39}, false}, {{14, 18, 41}, false}},
};

static void ror(struct gen *g, unsigned lane, unsigned dst, unsigned src, unsigned n)
{
	a_evex(&g->a, 0x66, 0x0f72, lane == 3, 0, dst, src); /* vprord, vprorq */
	a_1(&g->a, n);
}

/*
 * SHA256MSG1 adds to each of four words in a row sigma 0 of the one behind it. The words that it adds
 * to are those of which sigma 0 is wanted, one place up, so that they can be subtracted again.
 * (SHA256MSG2, sigma 1, does two words, and what it does to the other two hangs on these: to have four
 * out of it takes longer than shifts.)
 */
static void sigma_0_of(struct gen *g, unsigned dst, unsigned src)
{
	vec_shift(g, VEC_SHL_BYTES, 3, 0, src, 4);
	vec_shift(g, VEC_SHR_BYTES, 3, 1, src, 12);
	vec_mov(g, dst, 0);
	a_sse(&g->a, 0, SHA256MSG1, dst, 1);
	a_sse(&g->a, 0x66, PSUBD, dst, 0);
}

static void sigma_of(struct gen *g, unsigned lane, const struct sigma *s, unsigned dst,
		     unsigned src)
{
	unsigned bits = 8u << lane;

	if (g->host->avx512) {
		ror(g, lane, dst, src, s->by[0]);
		ror(g, lane, 0, src, s->by[1]);
		if (s->shift)
			vec_shift(g, VEC_SHR, lane, 1, src, s->by[2]);
		else
			ror(g, lane, 1, src, s->by[2]);
		a_evex(&g->a, 0x66, VPTERNLOG, false, dst, 0, 1);
		a_1(&g->a, 0x96); /* exclusive or of three */
		return;
	}
	if (s == &sigma256[0][0] && g->host->sha) {
		sigma_0_of(g, dst, src);
		return;
	}
	vec_shift(g, VEC_SHR, lane, dst, src, s->by[0]);
	for (unsigned k = 0; k < 3; k++) {
		if (k > 0) {
			vec_shift(g, VEC_SHR, lane, 0, src, s->by[k]);
			vec3(g, PXOR, dst, dst, 0);
		}
		if (k < 2 || !s->shift) {
			vec_shift(g, VEC_SHL, lane, 0, src, bits - s->by[k]);
			vec3(g, PXOR, dst, dst, 0);
		}
	}
}

static bool sigma(struct gen *g, const struct ir_inst *i, unsigned lane)
{
	const struct sigma(*table)[2] = lane == 2 ? sigma256 : sigma512;
	const struct ir_inst *capital = inst_of(g, i->arg[1]), *which = inst_of(g, i->arg[2]);
	uint64_t mask = lane == 2 ? 15 : 10, chosen;
	unsigned src, dst;

	if (capital->op != IR_CONST || which->op != IR_CONST)
		return false;
	/* Programs use the same function in all lanes. */
	chosen = which->imm & mask;
	if (chosen != 0 && chosen != mask)
		return false;
	src = use_reg(g, i->arg[0]);
	dst = def_reg(g);
	sigma_of(g, lane, &table[capital->imm != 0][chosen != 0], dst, src);
	return true;
}

static bool carryless_sum(struct gen *g, const struct ir_inst *i)
{
	unsigned a, b, dst;

	if (!g->host->pclmul)
		return false;
	a = use_reg(g, i->arg[0]);
	b = use_reg(g, i->arg[1]);
	dst = def_reg(g);
	vec_mov(g, 0, a);
	a_sse(&g->a, 0x66, PCLMULQDQ, 0, b);
	a_1(&g->a, 0x00);
	vec_mov(g, dst, a);
	a_sse(&g->a, 0x66, PCLMULQDQ, dst, b);
	a_1(&g->a, 0x11);
	a_sse(&g->a, 0x66, PXOR, dst, 0);
	return true;
}

static bool permute_xor(struct gen *g, const struct ir_inst *i)
{
	unsigned a, b, c, dst;

	if (!g->host->ssse3)
		return false;
	a = use_reg(g, i->arg[0]);
	b = use_reg(g, i->arg[1]);
	c = use_reg(g, i->arg[2]);
	dst = def_reg(g);
	/* ~c & 15 is 15 - (c & 15) */
	vec_shift(g, VEC_SHR, 1, 0, c, 4);
	vec3_data(g, PANDN, 0, 0, vec_same(8, 15));
	vec3(g, PSHUFB, dst, a, 0);
	vec3_data(g, PANDN, 0, c, vec_same(8, 15));
	vec3(g, PSHUFB, 1, b, 0);
	a_sse(&g->a, 0x66, PXOR, dst, 1);
	return true;
}

bool gen_crypto(struct gen *g, const struct ir_inst *i, unsigned intrinsic)
{
	switch (intrinsic) {
	case IR_AES_ENCRYPT:
		return aes_round(g, i, AESENC);
	case IR_AES_ENCRYPT_LAST:
		return aes_round(g, i, AESENCLAST);
	case IR_AES_DECRYPT:
		return aes_round(g, i, AESDEC);
	case IR_AES_DECRYPT_LAST:
		return aes_round(g, i, AESDECLAST);
	case IR_AES_SUB_BYTES:
		return sub_bytes(g, i);
	case IR_SHA256_SIGMA:
		return sigma(g, i, 2);
	case IR_SHA512_SIGMA:
		return sigma(g, i, 3);
	case IR_CARRYLESS_SUM_64:
		return carryless_sum(g, i);
	case IR_PERMUTE_XOR:
		return permute_xor(g, i);
	default:
		return false;
	}
}
