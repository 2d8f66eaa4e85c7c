/*
 * Vector operations on SSE; what a host lacks is a call of the portable function (slow.h).
 */
#include "jit/slow.h"
#include "jit/x86_64/vec.h"

/* By lane (8, 16, 32, 64 bits): 66 0f(38) op; 0: none. `need`: 0 SSE2, 1 SSE4.1, 2 SSE4.2. */
struct lanes {
	uint32_t op[4];
	uint8_t need[4];
};

static const struct lanes vadd = {{0x0ffc, 0x0ffd, 0x0ffe, 0x0fd4}, {0}};
static const struct lanes vsub = {{0x0ff8, 0x0ff9, 0x0ffa, 0x0ffb}, {0}};
static const struct lanes veq = {{0x0f74, 0x0f75, 0x0f76, 0x0f3829}, {0, 0, 0, 1}};
static const struct lanes vgts = {{0x0f64, 0x0f65, 0x0f66, 0x0f3837}, {0, 0, 0, 2}};
static const struct lanes vmins = {{0x0f3838, 0x0fea, 0x0f3839, 0}, {1, 0, 1, 0}};
static const struct lanes vmaxs = {{0x0f383c, 0x0fee, 0x0f383d, 0}, {1, 0, 1, 0}};
static const struct lanes vminu = {{0x0fda, 0x0f383a, 0x0f383b, 0}, {0, 1, 1, 0}};
static const struct lanes vmaxu = {{0x0fde, 0x0f383e, 0x0f383f, 0}, {0, 1, 1, 0}};

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

/* An operand that is in memory and not needed again is used from there. */
void vec_binary(struct gen *g, unsigned op, uint32_t va, uint32_t vb)
{
	int32_t disp = 0;
	bool in_memory = va != vb && dies(g, vb) && use_mem(g, vb, &disp);
	unsigned a, b = in_memory ? 0 : use_reg(g, vb), dst;

	if (g->host->avx) {
		a = use_reg(g, va);
		operands_read(g);
		dst = def_reg(g);
		if (in_memory)
			a_vex_mem(&g->a, 0x66, op, false, dst, a, RBP, disp);
		else
			a_vex(&g->a, 0x66, op, false, dst, a, b);
		return;
	}
	dst = def_copy(g, va);
	if (in_memory)
		a_sse_mem(&g->a, 0x66, op, dst, RBP, disp);
	else
		a_sse(&g->a, 0x66, op, dst, va == vb ? dst : b);
}

static void binary(struct gen *g, const struct ir_inst *i, unsigned op)
{
	vec_binary(g, op, i->arg[0], i->arg[1]);
}

/* By the portable function, through the operands' homes. */
static void by_call(struct gen *g, const struct ir_inst *i)
{
	static const unsigned reg[] = {RDX, RCX, R8};
	unsigned nargs = ir_nargs(i);
	uint32_t at[3] = {0}, out;

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

static bool is_zero(const struct gen *g, uint32_t v)
{
	return inst_of(g, v)->op == IR_CONST && !inst_of(g, v)->imm;
}

/* The low half of dst: a value that is in reg. */
static void to_low(struct gen *g, uint32_t v, unsigned reg, unsigned dst)
{
	if (is_vec(g, v))
		vec_mov(g, dst, reg);
	else
		gen_to_xmm(g, dst, reg);
}

static void make(struct gen *g, const struct ir_inst *i)
{
	uint32_t hi = i->arg[0], lo = i->arg[1];
	unsigned low, high, dst;

	if (is_zero(g, hi) || is_zero(g, lo)) {
		/* A scalar: movq clears the upper half. */
		uint32_t v = is_zero(g, lo) ? hi : lo;
		unsigned src = use_reg(g, v);

		dst = def_reg(g);
		if (is_vec(g, v))
			a_sse(&g->a, 0xf3, 0x0f7e, dst, src);
		else
			gen_to_xmm(g, dst, src);
		if (is_zero(g, lo)) {
			a_sse(&g->a, 0x66, 0x0f73, 7, dst); /* pslldq */
			a_1(&g->a, 8);
		}
		return;
	}
	low = use_reg(g, lo);
	high = use_reg(g, hi);
	dst = def_reg(g);
	if (is_vec(g, lo) && is_vec(g, hi)) {
		vec3(g, PUNPCKLQDQ, dst, low, high);
		return;
	}
	to_low(g, lo, low, dst);
	if (lo != hi && !is_vec(g, hi)) {
		gen_to_xmm(g, 1, high);
		high = 1;
	}
	a_sse(&g->a, 0x66, PUNPCKLQDQ, dst, lo == hi ? dst : high);
}

static void half(struct gen *g, const struct ir_inst *i)
{
	bool upper = i->op == IR_VHI;
	unsigned src, dst;
	int32_t disp;

	if (use_mem(g, i->arg[0], &disp)) {
		dst = def_reg(g);
		if (is_vec(g, g->at))
			gen_load_xmm(g, IR_I64, dst, RBP, disp + (upper ? 8 : 0));
		else
			a_load(&g->a, true, dst, RBP, disp + (upper ? 8 : 0));
		return;
	}
	src = use_reg(g, i->arg[0]);
	dst = def_reg(g);
	if (is_vec(g, g->at)) {
		if (upper)
			vec3(g, PUNPCKHQDQ, dst, src, src);
		else
			vec_mov(g, dst, src);
		return;
	}
	if (upper && g->host->sse41) {
		a_sse_w(&g->a, 0x66, 0x0f3a16, src, dst); /* pextrq */
		a_1(&g->a, 1);
		return;
	}
	if (upper) {
		a_sse(&g->a, 0x66, 0x0f70, 0, src);
		a_1(&g->a, 0x4e);
		src = 0;
	}
	a_sse_w(&g->a, 0x66, 0x0f7e, src, dst); /* movq r64, xmm */
}

static void duplicate(struct gen *g, const struct ir_inst *i)
{
	unsigned src = use_reg(g, i->arg[0]), dst = def_reg(g);

	if (is_vec(g, i->arg[0])) {
		/* 64 bits: scalars.c */
		vec3(g, PUNPCKLQDQ, dst, src, src);
		return;
	}
	gen_to_xmm(g, dst, src);
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

/* Unsigned a > b: not (max(a, b) = b), where there is a maximum; else signed, of other numbers. */
static bool greater_unsigned(struct gen *g, const struct ir_inst *i)
{
	unsigned lane = i->aux & 3, a, b, dst;

	if (!host_has(g, lane == 3 ? 2 : vmaxu.need[lane]))
		return false;
	a = use_reg(g, i->arg[0]);
	b = use_reg(g, i->arg[1]);
	dst = def_reg(g);
	if (lane == 3) {
		u128 sign = vec_same(64, UINT64_C(1) << 63);

		vec3_data(g, PXOR, dst, a, sign);
		vec3_data(g, PXOR, 0, b, sign);
		a_sse(&g->a, 0x66, PCMPGTQ, dst, 0);
		return true;
	}
	vec3(g, vmaxu.op[lane], dst, a, b);
	a_sse(&g->a, 0x66, veq.op[lane], dst, b);
	vec_ones(g, 0);
	a_sse(&g->a, 0x66, PXOR, dst, 0);
	return true;
}

/* Minimum and maximum of 64 bits: AVX-512 has them, else by comparison. */
static bool choose_64(struct gen *g, const struct ir_inst *i)
{
	bool is_signed = i->op == IR_VMINS || i->op == IR_VMAXS;
	bool max = i->op == IR_VMAXS || i->op == IR_VMAXU;
	unsigned a, b, dst;

	if (!g->host->avx512 && !g->host->sse42)
		return false;
	a = use_reg(g, i->arg[0]);
	b = use_reg(g, i->arg[1]);
	dst = def_reg(g);
	if (g->host->avx512) {
		/* vpminsq, vpminuq, vpmaxsq, vpmaxuq */
		a_evex(&g->a, 0x66, 0x0f3839 + (is_signed ? 0 : 2) + (max ? 4 : 0), true, dst, a,
		       b);
		return true;
	}
	/* xmm1: the greater is a; the result is one of them, and the other one where they differ */
	if (is_signed) {
		vec3(g, PCMPGTQ, 1, a, b);
	} else {
		u128 sign = vec_same(64, UINT64_C(1) << 63);

		vec3_data(g, PXOR, 0, b, sign);
		vec3_data(g, PXOR, 1, a, sign);
		a_sse(&g->a, 0x66, PCMPGTQ, 1, 0);
	}
	vec3(g, PXOR, dst, a, b);
	a_sse(&g->a, 0x66, PAND, dst, 1);
	a_sse(&g->a, 0x66, PXOR, dst, max ? b : a);
	return true;
}

/* (a & ~c) | (b & c), which uses.c has found */
static void choose_bits(struct gen *g, const struct ir_inst *i)
{
	bool exchanged = inst_of(g, i->arg[0])->op == IR_VAND;
	const struct ir_inst *clear = inst_of(g, i->arg[exchanged]), *put = inst_of(g, i->arg[!exchanged]);
	unsigned a = use_reg(g, clear->arg[0]), b = use_reg(g, put->arg[put->arg[0] == clear->arg[1]]);

	a_evex(&g->a, 0x66, VPTERNLOG, false, def_copy(g, clear->arg[1]), b, a);
	a_1(&g->a, 0xca);
}

/* scalars.c: a logical operation with a constant */
static void mask_number(struct gen *g, const struct ir_inst *i)
{
	unsigned op = i->op == IR_XOR ? PXOR : i->op == IR_AND ? PAND : POR, src, dst;
	uint32_t v = i->arg[0];

	if (is_vec(g, v)) {
		dst = def_copy(g, v);
	} else {
		src = use_reg(g, v);
		dst = def_reg(g);
		gen_to_xmm(g, dst, src);
	}
	gen_sse_data(g, 0x66, op, dst, inst_of(g, i->arg[1])->imm);
}

void gen_vector(struct gen *g, const struct ir_inst *i)
{
	const struct lanes *l = lanes_of(i->op);
	unsigned lane = i->aux & 3, dst, src;

	if (i->type == IR_I64 && is_vec(g, g->at) && i->op != IR_VHI && i->op != IR_VLO) {
		mask_number(g, i);
		return;
	}
	if (l) {
		if (l->op[lane] && host_has(g, l->need[lane]))
			binary(g, i, l->op[lane]);
		else if (l->op[lane] || !choose_64(g, i))
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
		binary(g, i, 0x0fdb);
		break;
	case IR_VOR:
		if (g->val[i->arg[0]].fused)
			choose_bits(g, i);
		else
			binary(g, i, 0x0feb);
		break;
	case IR_VXOR:
		binary(g, i, 0x0fef);
		break;
	case IR_VANDN: /* pandn is ~first & second */
		vec_binary(g, PANDN, i->arg[1], i->arg[0]);
		break;
	case IR_VNOT:
		if (g->host->avx512) {
			src = use_reg(g, i->arg[0]);
			a_evex(&g->a, 0x66, VPTERNLOG, false, def_reg(g), src, src);
			a_1(&g->a, 0x55);
			break;
		}
		dst = def_copy(g, i->arg[0]);
		vec_ones(g, 0);
		a_sse(&g->a, 0x66, PXOR, dst, 0);
		break;
	case IR_VGTU:
		if (!greater_unsigned(g, i))
			by_call(g, i);
		break;
	case IR_VDUP:
		duplicate(g, i);
		break;
	case IR_VPERM2:
		if (!gen_permute(g, i))
			by_call(g, i);
		break;
	case IR_VSPLAT:
		if (!gen_splat(g, i))
			by_call(g, i);
		break;
	case IR_VSHL:
	case IR_VSHR:
	case IR_VSAR:
	case IR_VROTL:
		if (!gen_lane_shift(g, i))
			by_call(g, i);
		break;
	default:
		by_call(g, i);
		break;
	}
}
