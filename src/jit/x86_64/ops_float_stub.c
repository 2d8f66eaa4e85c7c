/*
 * Where floating-point operations go whose result is not plain (ops_float.c): back, if it turns
 * out that there is nothing to report after all, else to the helper.
 *
 * When a stub starts, the operands are where they were, the result is in its register, and xmm0 is as the
 * fast path left it; a number on its way to a single is there.
 */
#include "jit/x86_64/ops_float.h"

#define ANDPS 0x0f54

static uint32_t jump_if_zero(struct gen *g, const struct place *p, enum cond cc)
{
	from_place(g, p, RAX);
	a_alu(&g->a, ALU_ADD, true, RAX, RAX); /* without the sign */
	return a_jcc(&g->a, cc);
}

/* The flags are of the comparison: two that are equal are taken as they are, unless they are zeros of two signs. */
static void accept_same(struct gen *g, const struct stub *s)
{
	struct assembler *a = &g->a;
	uint32_t unordered = a_jcc(a, CC_P);

	from_place(g, &s->arg[0], RAX);
	from_place(g, &s->arg[1], RDX);
	a_alu(a, ALU_CMP, true, RAX, RDX);
	a_patch(a, a_jcc(a, CC_E), s->back);
	a_patch_here(a, unordered);
}

/*
 * Zero is the one common result that is not normal. Go back where it is exact: jumps to `back`;
 * the others fall through.
 */
static void accept_zero(struct gen *g, const struct stub *s, unsigned number)
{
	struct assembler *a = &g->a;
	struct place result = {.kind = s->xmm ? PLACE_XMM : PLACE_REG, .reg = s->reg};
	uint32_t not_zero, not_small, factor;

	if (number == IR_FMAX || number == IR_FMIN) {
		accept_same(g, s);
		return;
	}
	/* What was a zero after it was rounded to single may have been something before. */
	if (number >= IR_FADD_SINGLE && number != IR_FNARROW)
		return;
	if (number == IR_FNARROW) {
		a_patch(a, jump_if_zero(g, &s->arg[0], CC_E), s->back);
		return;
	}
	not_zero = jump_if_zero(g, &result, CC_NE);
	switch ((enum ir_float_intrinsic)number) {
	case IR_FADD:
	case IR_FSUB:
	case IR_FSQRT:
		a_patch(a, a_jmp(a), s->back);
		break;
	case IR_FMUL:
		a_patch(a, jump_if_zero(g, &s->arg[1], CC_E), s->back);
		/* fall through */
	case IR_FDIV:
		a_patch(a, jump_if_zero(g, &s->arg[0], CC_E), s->back);
		break;
	default:
		/*
		 * a * c + b: nothing is lost below a b that is not very small, since their
		 * difference is a multiple of the product's last bit.
		 */
		from_place(g, &s->arg[1], RDX);
		exponent(g, RDX);
		a_alu_imm(a, ALU_CMP, false, RAX, 0x100);
		not_small = a_jcc(a, CC_A);
		a_patch(a, not_small, s->back);
		a_alu(a, ALU_ADD, true, RDX, RDX);
		factor = a_jcc(a, CC_NE);
		a_patch(a, jump_if_zero(g, &s->arg[0], CC_E), s->back);
		a_patch(a, jump_if_zero(g, &s->arg[2], CC_E), s->back);
		a_patch_here(a, factor);
		break;
	}
	a_patch_here(a, not_zero);
}

/*
 * The same for vectors, but for roots and fused operations: as long as xmm0 has what
 * unless_all_plain left there, go back if each offending lane is an exact zero.
 */
static void accept_zero_lanes(struct gen *g, const struct stub *s, unsigned number)
{
	struct assembler *a = &g->a;
	bool wide_lanes = number < IR_VFADD_32;
	unsigned n = number - (wide_lanes ? IR_VFADD_64 : IR_VFADD_32);
	uint8_t prefix = wide_lanes ? 0x66 : 0;

	if (number == IR_VFNARROW)
		prefix = 0x66;
	else if (number >= IR_VFEQUAL_64 || n > IR_VFDIV_64 - IR_VFADD_64)
		return;
	/* xmm1: lanes that are zeros; a comparison of floating-point numbers minds no sign */
	a_sse(a, 0, XORPS, SCALAR_SCRATCH, SCALAR_SCRATCH);
	if (number == IR_VFNARROW) {
		a_sse(a, 0, 0x0f28, 1, s->arg[0].reg);
		a_sse(a, prefix, CMPPS, 1, SCALAR_SCRATCH);
		a_1(a, 0);
	} else if (n < IR_VFMUL_64 - IR_VFADD_64) {
		a_sse(a, 0, 0x0f28, 1, s->reg);
		a_sse(a, prefix, CMPPS, 1, SCALAR_SCRATCH);
		a_1(a, 0);
	} else {
		/* of a product, if a factor is; of a quotient, if the dividend is */
		a_sse(a, 0, 0x0f28, 1, s->arg[0].reg);
		a_sse(a, prefix, CMPPS, 1, SCALAR_SCRATCH);
		a_1(a, 0);
		a_sse(a, prefix, CMPPS, SCALAR_SCRATCH, s->arg[1].reg);
		a_1(a, 0);
		a_sse(a, 0, ORPS, 1, SCALAR_SCRATCH);
		a_sse(a, 0, XORPS, SCALAR_SCRATCH, SCALAR_SCRATCH);
		a_sse(a, prefix, CMPPS, SCALAR_SCRATCH, s->reg);
		a_1(a, 0);
		a_sse(a, 0, ANDPS, 1, SCALAR_SCRATCH);
	}
	a_sse(a, 0x66, PANDN, 1, 0); /* ~zeros & offending */
	a_sse(a, 0x66, PMOVMSKB, RAX, 1);
	a_test(a, false, RAX, RAX);
	a_patch(a, a_jcc(a, CC_E), s->back);
}

/*
 * In the middle between two singles: if that is exact, it can be rounded as it is, and always where it is not rounded
 * to nearest, which is not asked here. Sums and so on of singles either are exact or do not get there
 * (53 > 2 * 24 + 1). Of a fused operation on singles the product p is exact, if it is not tiny, and with it the error
 * of p + b can be had (Knuth), without any rounding if there is none. Else to `call`.
 */
static void accept_tie(struct gen *g, const struct stub *s, unsigned number, uint32_t call)
{
	struct assembler *a = &g->a;
	bool is_fused = number >= IR_FMADD_SINGLE;

	a_patch_here(a, s->tie);
	from_place(g, &s->arg[0], RAX);
	if (number != IR_FSQRT_SINGLE) {
		from_place(g, &s->arg[is_fused ? 2 : 1], RDX);
		a_alu(a, ALU_OR, false, RAX, RDX);
	}
	a_test_imm(a, false, RAX, 0x1fffffff);
	a_patch(a, a_jcc(a, CC_NE), call);
	if (is_fused) {
		number_from_place(g, &s->arg[0], 1);
		number_from_place(g, &s->arg[2], SCALAR_SCRATCH);
		from_place(g, &s->arg[1], RAX);
		if (number == IR_FMSUB_SINGLE || number == IR_FNMSUB_SINGLE) {
			a_rr(a, true, 0x0fba, 7, RAX); /* btc */
			a_1(a, 63);
		}
		a_sse(a, 0xf2, 0x0f59, 1, SCALAR_SCRATCH); /* p = a * c */
		a_sse(a, 0, 0x0f28, SCALAR_SCRATCH, 0);
		a_sse(a, 0xf2, 0x0f5c, SCALAR_SCRATCH, 1); /* sum - p is b? */
		a_sse_w(a, 0x66, 0x0f7e, SCALAR_SCRATCH, RDX);
		a_alu(a, ALU_CMP, true, RDX, RAX);
		a_patch(a, a_jcc(a, CC_NE), call);
		a_sse(a, 0xf2, 0x0f5c, SCALAR_SCRATCH, 0); /* b - sum is -p? */
		a_sse_w(a, 0x66, 0x0f7e, SCALAR_SCRATCH, RDX);
		a_rr(a, true, 0x0fba, 7, RDX);
		a_1(a, 63);
		a_sse_w(a, 0x66, 0x0f7e, 1, RAX);
		a_alu(a, ALU_CMP, true, RDX, RAX);
		a_patch(a, a_jcc(a, CC_NE), call);
		exponent(g, RAX);
		a_alu_imm(a, ALU_CMP, false, RAX, 2);
		a_patch(a, a_jcc(a, CC_B), call);
	}
	a_patch(a, a_jmp(a), s->resume);
}

void gen_float_stub(struct gen *g, const struct stub *s)
{
	static const uint8_t arg_reg[] = {RSI, RDX, RCX, R8, R9};
	struct assembler *a = &g->a;
	const struct ir_inst *i = inst_of(g, s->at);
	const struct ir_helper *h = ir_helper_of(i);
	bool vec = i->type == IR_V128;
	uint32_t bytes, call;

	if (vec)
		accept_zero_lanes(g, s, h->intrinsic);
	else
		accept_zero(g, s, h->intrinsic);
	call = a_pos(a);
	bytes = stub_save(g, s);
	if (vec) {
		a_alu_imm(a, ALU_SUB, true, RSP, 64);
		/* an integer is the last, if there is one */
		if (h->arg[h->nargs - 1] == IR_I64)
			from_place(g, &s->arg[h->nargs - 1], RAX);
		a_mov(a, true, RSI, RSP);
		for (unsigned k = 0; k < h->nargs; k++) {
			if (h->arg[k] == IR_I64) {
				a_mov(a, true, arg_reg[k + 1], RAX);
				continue;
			}
			a_sse_mem(a, 0, 0x0f29, s->arg[k].reg, RSP, 16 * (int32_t)(k + 1));
			a_lea(a, true, arg_reg[k + 1], RSP, 16 * (int32_t)(k + 1));
		}
	} else {
		for (unsigned k = 0; k < h->nargs; k++) {
			from_place(g, &s->arg[k], RAX);
			a_push(a, RAX);
		}
		for (unsigned k = h->nargs; k-- > 0;)
			a_pop(a, arg_reg[k]);
	}
	a_mxcsr_leave(a);
	a_lea(a, true, RDI, RBP, 0);
	a_mov_imm(a, RAX, (uintptr_t)h->fn);
	a_call_reg(a, RAX);
	a_mxcsr_enter(a);
	if (vec) {
		a_sse_mem(a, 0, 0x0f28, s->reg, RSP, 0);
		a_alu_imm(a, ALU_ADD, true, RSP, 64);
	} else if (s->xmm) {
		gen_to_xmm(g, s->reg, RAX);
	} else {
		a_mov(a, true, s->reg, RAX);
	}
	stub_restore(g, s, bytes);
	a_patch(a, a_jmp(a), s->back);
	if (s->tie != NO_INDEX)
		accept_tie(g, s, h->intrinsic, call);
}
