/*
 * Vector operations on SSE; what a host lacks is a call of the portable function (slow.h).
 */
#include "jit/slow.h"
#include "jit/x86_64/gen.h"

/* By lane (8, 16, 32, 64 bits): 66 0f(38) op; 0: none. `need`: 0 SSE2, 1 SSE4.1, 2 SSE4.2. */
struct lanes {
	uint32_t op[4];
	uint8_t need[4];
};

static const struct lanes vadd = { { 0x0ffc, 0x0ffd, 0x0ffe, 0x0fd4 }, { 0 } };
static const struct lanes vsub = { { 0x0ff8, 0x0ff9, 0x0ffa, 0x0ffb }, { 0 } };
static const struct lanes veq = { { 0x0f74, 0x0f75, 0x0f76, 0x0f3829 }, { 0, 0, 0, 1 } };
static const struct lanes vgts = { { 0x0f64, 0x0f65, 0x0f66, 0x0f3837 }, { 0, 0, 0, 2 } };
static const struct lanes vmins = { { 0x0f3838, 0x0fea, 0x0f3839, 0 }, { 1, 0, 1, 0 } };
static const struct lanes vmaxs = { { 0x0f383c, 0x0fee, 0x0f383d, 0 }, { 1, 0, 1, 0 } };
static const struct lanes vminu = { { 0x0fda, 0x0f383a, 0x0f383b, 0 }, { 0, 1, 1, 0 } };
static const struct lanes vmaxu = { { 0x0fde, 0x0f383e, 0x0f383f, 0 }, { 0, 1, 1, 0 } };

static const struct lanes *lanes_of(enum ir_op op)
{
	switch (op) {
	case IR_VADD:
		return &vadd;
	case IR_VSUB:
		return &vsub;
	case IR_VEQ:
		return &veq;
	case IR_VGTS:
		return &vgts;
	case IR_VMINS:
		return &vmins;
	case IR_VMAXS:
		return &vmaxs;
	case IR_VMINU:
		return &vminu;
	case IR_VMAXU:
		return &vmaxu;
	default:
		return NULL;
	}
}

static bool host_has(const struct gen *g, unsigned need)
{
	return need == 0 || (need == 1 && g->host->sse41) || (need == 2 && g->host->sse42);
}

static void binary(struct gen *g, const struct ir_inst *i, uint8_t prefix, unsigned op)
{
	unsigned b = use_reg(g, i->arg[1]);
	unsigned dst = def_copy(g, i->arg[0]);

	a_sse(&g->a, prefix, op, dst, i->arg[0] == i->arg[1] ? dst : b);
}

/* By the portable function, through the operands' homes. */
static void by_call(struct gen *g, const struct ir_inst *i)
{
	static const unsigned reg[] = { RDX, RCX, R8 };
	unsigned nargs = ir_nargs(i);
	uint32_t at[3] = { 0 }, out;

	for (unsigned k = 0; k < nargs; k++)
		at[k] = need_home(g, i->arg[k]);
	out = own_temp(g, g->at);
	spill_for_call(g);
	pins_save_lost(g);
	a_lea(&g->a, true, RSI, RBP, (int32_t)out);
	for (unsigned k = 0; k < 3; k++)
		a_lea(&g->a, true, reg[k], RBP, (int32_t)(k < nargs ? at[k] : out));
	a_mov_imm(&g->a, RDI, slow_vec_pack(i));
	gen_call_c(g, (const void *)slow_vec);
	pins_reload_lost(g);
}

static void make(struct gen *g, const struct ir_inst *i)
{
	unsigned lo = use_reg(g, i->arg[1]), hi = use_reg(g, i->arg[0]);
	unsigned dst = def_reg(g);

	a_sse_w(&g->a, 0x66, 0x0f6e, dst, lo);
	a_sse_w(&g->a, 0x66, 0x0f6e, 1, hi);
	a_sse(&g->a, 0x66, 0x0f6c, dst, 1);
}

static void half(struct gen *g, const struct ir_inst *i)
{
	unsigned src = use_reg(g, i->arg[0]), dst = def_reg(g);

	if (i->op == IR_VHI) {
		a_sse(&g->a, 0x66, 0x0f70, 0, src);
		a_1(&g->a, 0x4e);
		src = 0;
	}
	a_sse_w(&g->a, 0x66, 0x0f7e, src, dst); /* movq r64, xmm */
}

static void duplicate(struct gen *g, const struct ir_inst *i)
{
	unsigned src = use_reg(g, i->arg[0]), dst = def_reg(g);

	a_sse_w(&g->a, 0x66, 0x0f6e, dst, src);
	switch (i->aux & 3) {
	case 0:
		a_sse(&g->a, 0x66, 0x0f60, dst, dst); /* punpcklbw */
		/* fall through */
	case 1:
		a_sse(&g->a, 0xf2, 0x0f70, dst, dst); /* pshuflw */
		a_1(&g->a, 0);
		/* fall through */
	case 2:
		a_sse(&g->a, 0x66, 0x0f70, dst, dst); /* pshufd */
		a_1(&g->a, 0);
		break;
	default:
		a_sse(&g->a, 0x66, 0x0f6c, dst, dst);
		break;
	}
}

static void all_ones(struct gen *g, unsigned xmm)
{
	a_sse(&g->a, 0x66, 0x0f76, xmm, xmm);
}

/* Unsigned a > b: not (max(a, b) = b), where there is a maximum. */
static void greater_unsigned(struct gen *g, const struct ir_inst *i)
{
	unsigned lane = i->aux & 3, b, dst;

	if (lane == 3 || !host_has(g, vmaxu.need[lane])) {
		by_call(g, i);
		return;
	}
	b = use_reg(g, i->arg[1]);
	dst = def_copy(g, i->arg[0]);
	if (i->arg[0] == i->arg[1])
		b = dst;
	a_sse(&g->a, 0, 0x0f28, 0, b);
	a_sse(&g->a, 0x66, vmaxu.op[lane], dst, 0);
	a_sse(&g->a, 0x66, veq.op[lane], dst, 0);
	all_ones(g, 0);
	a_sse(&g->a, 0x66, 0x0fef, dst, 0);
}

#define PSHUFB 0x0f3800
#define PADDB  0x0ffc
#define PAND   0x0fdb
#define POR    0x0feb

static u128 every_byte(uint8_t b)
{
	u128 v = 0;

	for (unsigned n = 0; n < 16; n++)
		v = v << 8 | b;
	return v;
}

/*
 * Bytes chosen from a pair of vectors. pshufb takes the low four bits of an index and gives zero
 * where bit 7 is set: with 0x70 added to an index of 0..31 it takes from the low vector alone,
 * with 0xf0 added from the high one.
 */
static void permute(struct gen *g, const struct ir_inst *i)
{
	unsigned hi, lo, sel, dst;

	if (!g->host->ssse3) {
		by_call(g, i);
		return;
	}
	hi = use_reg(g, i->arg[0]);
	lo = use_reg(g, i->arg[1]);
	sel = use_reg(g, i->arg[2]);
	dst = def_reg(g);
	a_sse(&g->a, 0, 0x0f28, 0, sel);
	if (hi == lo) {
		gen_sse_data(g, 0x66, PAND, 0, every_byte(0x0f));
		a_sse(&g->a, 0, 0x0f28, dst, lo);
		a_sse(&g->a, 0x66, PSHUFB, dst, 0);
		return;
	}
	gen_sse_data(g, 0x66, PAND, 0, every_byte(0x1f));
	a_sse(&g->a, 0, 0x0f28, 1, 0);
	gen_sse_data(g, 0x66, PADDB, 0, every_byte(0x70));
	gen_sse_data(g, 0x66, PADDB, 1, every_byte(0xf0));
	a_sse(&g->a, 0, 0x0f28, dst, lo);
	a_sse(&g->a, 0x66, PSHUFB, dst, 0);
	a_sse(&g->a, 0, 0x0f28, 0, hi);
	a_sse(&g->a, 0x66, PSHUFB, 0, 1);
	a_sse(&g->a, 0x66, POR, dst, 0);
}

static void splat(struct gen *g, const struct ir_inst *i)
{
	unsigned lane = i->aux & 3, dst;
	u128 sel = 0;

	if (!g->host->ssse3) {
		by_call(g, i);
		return;
	}
	for (unsigned n = 16; n-- > 0;)
		sel = sel << 8 | (((unsigned)(i->imm & 0xff) << lane) + (n & ((1u << lane) - 1)));
	dst = def_copy(g, i->arg[0]);
	gen_sse_data(g, 0x66, PSHUFB, dst, sel);
}

/* Each lane by its own amount: AVX2, 32 and 64 bits. VEX.128.66.0F38 op; arithmetic has no 64. */
static void lane_shift(struct gen *g, const struct ir_inst *i)
{
	unsigned lane = i->aux & 3, value, by, dst;
	uint8_t op = i->op == IR_VSHL ? 0x47 : i->op == IR_VSHR ? 0x45 : 0x46;

	if (!g->host->avx2 || lane < 2 || (i->op == IR_VSAR && lane == 3)) {
		by_call(g, i);
		return;
	}
	value = use_reg(g, i->arg[0]);
	by = use_reg(g, i->arg[1]);
	dst = def_reg(g);
	a_sse(&g->a, 0, 0x0f28, 0, by);
	gen_sse_data(g, 0x66, PAND, 0, lane == 2 ? (u128)UINT64_C(0x1f0000001f) << 64 |
							   UINT64_C(0x1f0000001f) :
						   (u128)63 << 64 | 63);
	a_1(&g->a, 0xc4);
	a_1(&g->a, (~dst >> 3 & 1) << 7 | 1 << 6 | 1 << 5 | 2);
	a_1(&g->a, (lane == 3) << 7 | (~value & 15) << 3 | 1);
	a_1(&g->a, op);
	a_modrm_reg(&g->a, dst, 0);
}

void gen_vector(struct gen *g, const struct ir_inst *i)
{
	const struct lanes *l = lanes_of(i->op);
	unsigned lane = i->aux & 3, dst, src;

	if (l) {
		if (l->op[lane] && host_has(g, l->need[lane]))
			binary(g, i, 0x66, l->op[lane]);
		else
			by_call(g, i);
		return;
	}
	switch ((enum ir_op)i->op) {
	case IR_VMAKE:
		make(g, i);
		break;
	case IR_VHI:
	case IR_VLO:
		half(g, i);
		break;
	case IR_VAND:
		binary(g, i, 0x66, 0x0fdb);
		break;
	case IR_VOR:
		binary(g, i, 0x66, 0x0feb);
		break;
	case IR_VXOR:
		binary(g, i, 0x66, 0x0fef);
		break;
	case IR_VANDN: /* pandn is ~dst & src */
		src = use_reg(g, i->arg[0]);
		dst = def_copy(g, i->arg[1]);
		a_sse(&g->a, 0x66, 0x0fdf, dst, i->arg[0] == i->arg[1] ? dst : src);
		break;
	case IR_VNOT:
		dst = def_copy(g, i->arg[0]);
		all_ones(g, 0);
		a_sse(&g->a, 0x66, 0x0fef, dst, 0);
		break;
	case IR_VGTU:
		greater_unsigned(g, i);
		break;
	case IR_VDUP:
		duplicate(g, i);
		break;
	case IR_VPERM2:
		permute(g, i);
		break;
	case IR_VSPLAT:
		splat(g, i);
		break;
	case IR_VSHL:
	case IR_VSHR:
	case IR_VSAR:
		lane_shift(g, i);
		break;
	default:
		by_call(g, i);
		break;
	}
}
