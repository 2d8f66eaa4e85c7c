/*
 * Every operation in the interpreter. First against results written down by hand, then, over all
 * combinations of edge values, against the reference evaluator. Each case runs in all the forms
 * that the lowering knows: operands in guest state, as immediate values, in temporaries; result in
 * guest state or in a temporary; and once more after the optimiser.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ir_machine.h"

/* Where operands lie in the machine's state, and the result. */
#define OFF_A OFF_STATE(0)
#define OFF_B OFF_STATE(16)
#define OFF_C OFF_STATE(32)
#define OFF_R OFF_STATE(48)

static struct machine *machine, *other;
static struct ir_region region;

enum form { IN_STATE, IN_TEMP, IMMEDIATE, FORMS };

static ir_val operand(enum form f, enum ir_type t, uint32_t offset, u128 v)
{
	ir_val x;

	if (f == IMMEDIATE)
		return t == IR_V128 ? ir_vconst(&region, v) : ir_const(&region, t, (uint64_t)v);
	x = ir_get(&region, t, offset);
	if (f == IN_TEMP) {
		/* The state is written before the value is used, so it must be copied. */
		ir_val junk = t == IR_V128 ? ir_vconst(&region, 99) : ir_const(&region, t, 99);

		ir_set(&region, offset, junk);
	}
	return x;
}

static void put(struct machine *m, uint32_t offset, u128 v)
{
	memcpy((char *)m + offset, &v, sizeof(v));
}

struct operation {
	enum ir_op op;
	enum ir_type type; /* of the operands, or of the second for SELECT */
	unsigned aux;      /* lane */
	unsigned pos, len;
};

static bool compares(enum ir_op op)
{
	return op >= IR_EQ && op <= IR_CMP3U;
}

static enum ir_type operand_type(const struct operation *x, unsigned k)
{
	if (x->op == IR_SELECT && k == 0)
		return IR_I64;
	if (x->op == IR_VMAKE || x->op == IR_VDUP || ((x->op == IR_ADDC || x->op == IR_ADDCARRY) && k == 2))
		return IR_I64;
	return x->type;
}

static ir_val emit(const struct operation *x, const ir_val *v)
{
	struct ir_region *r = &region;

	switch (x->op) {
	case IR_ADDC:
		return ir_addc(r, v[0], v[1], v[2]);
	case IR_ADDCARRY:
		return ir_addcarry(r, v[0], v[1], v[2]);
	case IR_SELECT:
		return ir_select(r, v[0], v[1], v[2]);
	case IR_EXTRACT:
		return ir_extract(r, v[0], x->pos, x->len);
	case IR_DEPOSIT:
		return ir_deposit(r, v[0], v[1], x->pos, x->len);
	case IR_VSPLAT:
		return ir_vsplat(r, x->aux, x->pos, v[0]);
	case IR_VPERM2:
		return ir_vperm2(r, v[0], v[1], v[2]);
	case IR_VDUP:
		return ir_vun(r, x->op, x->aux, v[0]);
	default:
		if (x->op >= IR_VADD && x->op <= IR_VSAR)
			return ir_vbin(r, x->op, x->aux, v[0], v[1]);
		switch (x->op) {
		case IR_NOT:
		case IR_NEG:
		case IR_CLZ:
		case IR_CTZ:
		case IR_POPCNT:
		case IR_BSWAP:
		case IR_SEXT8:
		case IR_SEXT16:
		case IR_SEXT32:
		case IR_ZEXT8:
		case IR_ZEXT16:
		case IR_ZEXT32:
		case IR_TRUNC32:
		case IR_VHI:
		case IR_VLO:
		case IR_VNOT:
			return ir_un(r, x->op, v[0]);
		default:
			return ir_bin(r, x->op, v[0], v[1]);
		}
	}
}

static unsigned nargs(const struct operation *x)
{
	switch (x->op) {
	case IR_ADDC:
	case IR_ADDCARRY:
	case IR_SELECT:
	case IR_VPERM2:
		return 3;
	case IR_NOT:
	case IR_NEG:
	case IR_CLZ:
	case IR_CTZ:
	case IR_POPCNT:
	case IR_BSWAP:
	case IR_SEXT8:
	case IR_SEXT16:
	case IR_SEXT32:
	case IR_ZEXT8:
	case IR_ZEXT16:
	case IR_ZEXT32:
	case IR_TRUNC32:
	case IR_EXTRACT:
	case IR_VHI:
	case IR_VLO:
	case IR_VNOT:
	case IR_VDUP:
	case IR_VSPLAT:
		return 1;
	default:
		return 2;
	}
}

/*
 * The region of one case. When `branch`, the result decides about a branch, which the lowering
 * fuses with what it tests, and is 1 or 0 after that.
 */
static void build(const struct operation *x, const u128 *c, unsigned forms, bool branch)
{
	static const uint32_t offset[3] = {OFF_A, OFF_B, OFF_C};
	ir_block entry, yes, no;
	ir_val v[3], result;

	ir_region_reset(&region);
	entry = ir_create_block(&region);
	ir_begin_block(&region, entry);
	ir_insn(&region, 0x1000);
	for (unsigned k = 0; k < nargs(x); k++, forms /= FORMS)
		v[k] = operand(forms % FORMS, operand_type(x, k), offset[k], c[k]);
	result = emit(x, v);
	if (branch) {
		yes = ir_create_block(&region);
		no = ir_create_block(&region);
		ir_br(&region, result, yes, no);
		ir_begin_block(&region, no);
		ir_set(&region, OFF_R, ir_const(&region, IR_I64, 0));
		ir_exit_direct(&region, 0x2000);
		ir_begin_block(&region, yes);
		ir_set(&region, OFF_R, ir_const(&region, IR_I64, 1));
	} else {
		ir_set(&region, OFF_R, result);
	}
	ir_exit_direct(&region, 0x3000);
}

static void load_state(struct machine *m, const u128 *c)
{
	machine_reset(m, 1);
	put(m, OFF_A, c[0]);
	put(m, OFF_B, c[1]);
	put(m, OFF_C, c[2]);
	put(m, OFF_R, 0);
}

static u128 run(const u128 *c)
{
	struct ir_code *code = ir_lower(&region);
	uint32_t exit_index = 99;
	u128 result;

	assert_non_null(code);
	load_state(machine, c);
	assert_int_equal(ir_interp(code, &machine->env, &exit_index), IR_LEAVE_DIRECT);
	assert_true(exit_index < 2);
	ir_code_free(code);
	memcpy(&result, (char *)machine + OFF_R, sizeof(result));
	return result;
}

static void report(const struct operation *x, const u128 *c, u128 want, u128 got)
{
	ir_print(&region, stderr);
	for (unsigned k = 0; k < nargs(x); k++)
		print_error("operand %u: %016" PRIx64 "%016" PRIx64 "\n", k, (uint64_t)(c[k] >> 64),
			    (uint64_t)c[k]);
	fail_msg("want %016" PRIx64 "%016" PRIx64 ", have %016" PRIx64 "%016" PRIx64,
		 (uint64_t)(want >> 64), (uint64_t)want, (uint64_t)(got >> 64), (uint64_t)got);
}

static void try_case(const struct operation *x, const u128 *c, u128 want)
{
	unsigned all = 1;

	for (unsigned k = 0; k < nargs(x); k++)
		all *= FORMS;
	for (unsigned forms = 0; forms < all; forms++) {
		u128 got;

		for (unsigned optimised = 0; optimised < 2; optimised++) {
			build(x, c, forms, false);
			assert_null(ir_check(&region));
			if (optimised)
				ir_optimise(&region);
			got = run(c);
			if (got != want)
				report(x, c, want, got);
		}
	}
	if (!compares(x->op) && x->op != IR_AND && x->op != IR_EXTRACT && x->op != IR_XOR)
		return;
	for (unsigned forms = 0; forms < all; forms++) {
		build(x, c, forms, true);
		assert_null(ir_check(&region));
		if (run(c) != (want != 0))
			report(x, c, want != 0, !(want != 0));
	}
}

/* By hand. */
struct golden {
	struct operation x;
	uint64_t a, b, c, want;
};

#define MIN64 UINT64_C(0x8000000000000000)
#define MAX64 UINT64_C(0x7fffffffffffffff)
#define ONES  UINT64_MAX
#define I64(name)                                                                                  \
	{                                                                                          \
		IR_##name, IR_I64, 0, 0, 0                                                         \
	}
#define I32(name)                                                                                  \
	{                                                                                          \
		IR_##name, IR_I32, 0, 0, 0                                                         \
	}
#define FIELD64(name, pos, len)                                                                    \
	{                                                                                          \
		IR_##name, IR_I64, 0, pos, len                                                     \
	}
#define FIELD32(name, pos, len)                                                                    \
	{                                                                                          \
		IR_##name, IR_I32, 0, pos, len                                                     \
	}

static const struct golden golden[] = {
	{I64(ADD), ONES, 1, 0, 0},
	{I64(ADD), MAX64, 1, 0, MIN64},
	{I32(ADD), 0xffffffff, 1, 0, 0},
	{I64(SUB), 0, 1, 0, ONES},
	{I32(SUB), 0, 1, 0, 0xffffffff},
	{I64(MUL), 0x100000001, 0x100000001, 0, 0x200000001},
	{I32(MUL), 0x10001, 0x10001, 0, 0x20001},
	{I64(MULHU), ONES, ONES, 0, ONES - 1},
	{I32(MULHU), 0xffffffff, 0xffffffff, 0, 0xfffffffe},
	{I64(MULHS), ONES, ONES, 0, 0},
	{I64(MULHS), MIN64, MIN64, 0, UINT64_C(1) << 62},
	{I32(MULHS), 0x80000000, 2, 0, 0xffffffff},
	{I64(DIVU), 7, 0, 0, 0},
	{I64(DIVU), ONES, 16, 0, ONES >> 4},
	{I64(DIVS), MIN64, ONES, 0, MIN64},
	{I32(DIVS), 0x80000000, 0xffffffff, 0, 0x80000000},
	{I64(DIVS), (uint64_t)-7, 2, 0, (uint64_t)-3},
	{I64(DIVS), 5, 0, 0, 0},
	{I64(REMU), 7, 0, 0, 0},
	{I64(REMS), (uint64_t)-7, 2, 0, ONES},
	{I64(REMS), MIN64, ONES, 0, 0},
	{I32(REMS), 0x80000000, 0xffffffff, 0, 0},
	{I32(REMS), 0xfffffff9, 4, 0, 0xfffffffd},
	{I64(AND), 0xff00ff00, 0x0ff00ff0, 0, 0x0f000f00},
	{I64(OR), 0xf0, 0x0f, 0, 0xff},
	{I64(XOR), 0xff, 0x0f, 0, 0xf0},
	{I64(ANDN), 0xff, 0x0f, 0, 0xf0},
	{I32(ANDN), 0xffffffff, 0xffff, 0, 0xffff0000},
	{I64(NOT), 0, 0, 0, ONES},
	{I32(NOT), 0, 0, 0, 0xffffffff},
	{I64(NEG), 1, 0, 0, ONES},
	{I32(NEG), MIN64 >> 32, 0, 0, 0x80000000},
	{I64(SHL), 1, 63, 0, MIN64},
	{I64(SHL), 1, 64, 0, 1},
	{I32(SHL), 1, 33, 0, 2},
	{I64(SHR), MIN64, 63, 0, 1},
	{I32(SHR), 0x80000000, 31, 0, 1},
	{I64(SAR), MIN64, 63, 0, ONES},
	{I64(SAR), MIN64, 65, 0, MIN64 | MIN64 >> 1},
	{I32(SAR), 0x80000000, 4, 0, 0xf8000000},
	{I64(ROTL), MIN64 | 1, 1, 0, 3},
	{I64(ROTL), 0x123, 0, 0, 0x123},
	{I32(ROTL), 0x80000001, 4, 0, 0x18},
	{I64(CLZ), 0, 0, 0, 64},
	{I64(CLZ), 1, 0, 0, 63},
	{I32(CLZ), 0, 0, 0, 32},
	{I32(CLZ), 1, 0, 0, 31},
	{I64(CTZ), 0, 0, 0, 64},
	{I64(CTZ), MIN64, 0, 0, 63},
	{I32(CTZ), 0, 0, 0, 32},
	{I32(CTZ), 0x80000000, 0, 0, 31},
	{I64(POPCNT), ONES, 0, 0, 64},
	{I32(POPCNT), 0xf0f0f0f0, 0, 0, 16},
	{I64(BSWAP), 0x0102030405060708, 0, 0, 0x0807060504030201},
	{I32(BSWAP), 0x01020304, 0, 0, 0x04030201},
	{I64(ADDC), ONES, 5, 1, 5},
	{I64(ADDC), ONES, 5, 0, 4},
	{I32(ADDC), 0xffffffff, 5, 1, 5},
	{I64(ADDCARRY), ONES, 0, 1, 1},
	{I64(ADDCARRY), ONES, 0, 0, 0},
	{I64(ADDCARRY), MIN64, MIN64, 0, 1},
	{I64(ADDCARRY), ONES, ONES, 1, 1},
	{I32(ADDCARRY), 0xffffffff, 0, 1, 1},
	{I32(ADDCARRY), 0x7fffffff, 0x80000000, 0, 0},
	{I64(SEXT8), 0x180, 0, 0, (uint64_t)-128},
	{I32(SEXT8), 0x80, 0, 0, 0xffffff80},
	{I64(SEXT16), 0x18000, 0, 0, (uint64_t)-32768},
	{I32(SEXT16), 0x7fff, 0, 0, 0x7fff},
	{I64(SEXT32), 0x180000000, 0, 0, 0xffffffff80000000},
	{I32(SEXT32), 0x80000000, 0, 0, 0xffffffff80000000},
	{I64(ZEXT8), 0x1ff, 0, 0, 0xff},
	{I32(ZEXT16), 0x12345678, 0, 0, 0x5678},
	{I64(ZEXT32), ONES, 0, 0, 0xffffffff},
	{I32(ZEXT32), 0x80000000, 0, 0, 0x80000000},
	{I64(TRUNC32), 0x123456789, 0, 0, 0x23456789},
	{FIELD64(EXTRACT, 60, 4), MIN64, 0, 0, 8},
	{FIELD64(EXTRACT, 0, 64), ONES, 0, 0, ONES},
	{FIELD32(EXTRACT, 8, 8), 0x12345678, 0, 0, 0x56},
	{FIELD64(DEPOSIT, 8, 8), 0x11223344, 0xabcd, 0, 0x1122cd44},
	{FIELD64(DEPOSIT, 0, 64), 1, 2, 0, 2},
	{FIELD64(DEPOSIT, 63, 1), 0, 1, 0, MIN64},
	{FIELD32(DEPOSIT, 16, 16), 0x11112222, 0x3333, 0, 0x33332222},
	{I64(EQ), 5, 5, 0, 1},
	{I64(EQ), 5, 5 + (UINT64_C(1) << 32), 0, 0},
	{I64(NE), 5, 6, 0, 1},
	{I32(NE), 5, 5, 0, 0},
	{I64(LTS), ONES, 0, 0, 1},
	{I32(LTS), 0xffffffff, 0, 0, 1},
	{I64(LTS), 0xffffffff, 0, 0, 0},
	{I64(LES), MIN64, MAX64, 0, 1},
	{I64(LES), 3, 3, 0, 1},
	{I64(LTU), 0, ONES, 0, 1},
	{I32(LTU), 0x7fffffff, 0x80000000, 0, 1},
	{I64(LEU), ONES, 0, 0, 0},
	{I64(CMP3S), ONES, 0, 0, 1},
	{I64(CMP3S), 0, ONES, 0, 0},
	{I64(CMP3S), 9, 9, 0, 0x100},
	{I32(CMP3S), 0x80000000, 0, 0, 1},
	{I64(CMP3U), ONES, 0, 0, 0},
	{I32(CMP3U), 0x7fffffff, 0x80000000, 0, 1},
	{I64(SELECT), 0, 1, 2, 2},
	{I64(SELECT), MIN64, 1, 2, 1},
	{I32(SELECT), UINT64_C(1) << 32, 1, 2, 1},
};

static void test_golden(void **state)
{
	(void)state;
	for (unsigned k = 0; k < ARRAY_SIZE(golden); k++) {
		const struct golden *g = &golden[k];
		u128 c[3] = {g->a, g->b, g->c};

		try_case(&g->x, c, g->want);
	}
}

static u128 vec(uint64_t high, uint64_t low)
{
	return (u128)high << 64 | low;
}

static void test_golden_vectors(void **state)
{
	const u128 x = vec(0x0f0e0d0c0b0a0908, 0x0706050403020100);
	const struct {
		struct operation x;
		u128 a, b, c, want;
	} list[] = {
		{{IR_VADD, IR_V128, 0, 0, 0}, vec(0xff, 0xff), vec(1, 2), 0, vec(0, 1)},
		{{IR_VADD, IR_V128, 3, 0, 0}, vec(ONES, ONES), vec(1, 2), 0, vec(0, 1)},
		{{IR_VSUB, IR_V128, 1, 0, 0}, 0, vec(1, 1), 0, vec(0xffff, 0xffff)},
		{{IR_VEQ, IR_V128, 2, 0, 0}, vec(5, 7), vec(5, 8), 0, vec(ONES, ONES << 32)},
		{{IR_VGTS, IR_V128, 0, 0, 0}, 0x80, 0x7f, 0, 0},
		{{IR_VGTU, IR_V128, 0, 0, 0}, 0x80, 0x7f, 0, 0xff},
		{{IR_VMINS, IR_V128, 1, 0, 0}, 0x8000, 1, 0, 0x8000},
		{{IR_VMAXU, IR_V128, 1, 0, 0}, 0x8000, 1, 0, 0x8000},
		{{IR_VSHL, IR_V128, 0, 0, 0}, 0x0101, 0x0907, 0, 0x0280},
		{{IR_VSAR, IR_V128, 2, 0, 0}, 0x80000000, 31, 0, 0xffffffff},
		{{IR_VSPLAT, IR_V128, 0, 3, 0},
		 x,
		 0,
		 0,
		 vec(0x0303030303030303, 0x0303030303030303)},
		{{IR_VSPLAT, IR_V128, 3, 1, 0},
		 x,
		 0,
		 0,
		 vec((uint64_t)(x >> 64), (uint64_t)(x >> 64))},
		{{IR_VDUP, IR_V128, 1, 0, 0},
		 0xabcd,
		 0,
		 0,
		 vec(0xabcdabcdabcdabcd, 0xabcdabcdabcdabcd)},
		{{IR_VMAKE, IR_I64, 0, 0, 0}, 1, 2, 0, vec(1, 2)},
		{{IR_VHI, IR_V128, 0, 0, 0}, vec(1, 2), 0, 0, 1},
		{{IR_VLO, IR_V128, 0, 0, 0}, vec(1, 2), 0, 0, 2},
		{{IR_VANDN, IR_V128, 0, 0, 0},
		 vec(ONES, ONES),
		 vec(1, 2),
		 0,
		 vec(ONES - 1, ONES - 2)},
		/* Selectors count from the least significant byte of b; 16 and up are of a. */
		{{IR_VPERM2, IR_V128, 0, 0, 0},
		 vec(0, 0xa1a0),
		 vec(0, 0xb1b0),
		 vec(0, 0x11100100),
		 vec(0xb0b0b0b0b0b0b0b0, 0xb0b0b0b0a1a0b1b0)},
	};

	(void)state;
	for (unsigned k = 0; k < ARRAY_SIZE(list); k++) {
		u128 c[3] = {list[k].a, list[k].b, list[k].c};

		try_case(&list[k].x, c, list[k].want);
	}
}

/* All combinations of edge values, with the reference for an oracle. */
static const uint64_t edges[] = {0,          1,          2,          31,          32,
				 63,         0x7f,       0x80,       0xff,        0x8000,
				 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, MAX64,
				 MIN64,      MIN64 + 1,  ONES - 1,   ONES};

static u128 by_reference(const struct operation *x, const u128 *c)
{
	uint32_t exit_index;
	u128 want;

	build(x, c, 0, false);
	load_state(other, c);
	reference_run(&region, &other->env, &exit_index);
	memcpy(&want, (char *)other + OFF_R, sizeof(want));
	return want;
}

static void all_edges(const struct operation *x)
{
	unsigned n = ARRAY_SIZE(edges), nb = nargs(x) > 1 ? n : 1, nc = nargs(x) > 2 ? 2 : 1;

	for (unsigned a = 0; a < n; a++) {
		/* Three operands have many forms: fewer values of them. */
		for (unsigned b = nc > 1 ? a % 3 : 0; b<nb; b += nc> 1 ? 3 : 1) {
			for (unsigned k = 0; k < nc; k++) {
				u128 c[3] = {edges[a], edges[b], k};

				if (x->op == IR_SELECT) {
					c[0] = edges[b] * k;
					c[2] = edges[(a + 3) % n];
				}
				if (x->type == IR_V128) {
					for (unsigned j = 0; j < 3; j++)
						c[j] |= (u128)edges[(a * 5 + b * 3 + j) % n] << 64;
				}
				if (x->type == IR_I32) {
					c[0] = (uint32_t)c[0];
					c[1] = (uint32_t)c[1];
					c[2] = (uint32_t)c[2];
				}
				try_case(x, c, by_reference(x, c));
			}
		}
	}
}

static void test_edges_int(void **state)
{
	(void)state;
	for (enum ir_op op = IR_ADD; op <= IR_SELECT; op++) {
		for (unsigned wide = 0; wide < 2; wide++) {
			struct operation x = {op, wide ? IR_I64 : IR_I32, 0, 3, 17};

			if (op == IR_TRUNC32 && !wide)
				continue;
			all_edges(&x);
			if (op == IR_EXTRACT || op == IR_DEPOSIT) {
				x.pos = wide ? 63 : 31;
				x.len = 1;
				all_edges(&x);
				x.pos = 0;
				x.len = wide ? 64 : 32;
				all_edges(&x);
			}
		}
	}
}

static void test_edges_vector(void **state)
{
	(void)state;
	for (enum ir_op op = IR_VMAKE; op <= IR_VPERM2; op++) {
		for (unsigned lane = 0; lane < 4; lane++) {
			struct operation x = {op, IR_V128, lane, 1, 0};

			if (op == IR_VMAKE || op == IR_VDUP)
				x.type = IR_I64;
			if (lane && (op < IR_VADD || op == IR_VPERM2))
				continue;
			all_edges(&x);
		}
	}
}

static void test_helpers(void **state)
{
	const u128 v = vec(0x1122334455667788, 0x99aabbccddeeff00);
	ir_val args[3];
	u128 got;

	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		u128 c[3] = {v, v, 7};

		ir_region_reset(&region);
		ir_begin_block(&region, ir_create_block(&region));
		ir_insn(&region, 0x1000);
		args[0] = ir_get(&region, IR_V128, OFF_A);
		args[1] = ir_get(&region, IR_I64, OFF_C);
		/* The result takes the operand's place. */
		ir_set(&region, k ? OFF_A : OFF_R,
		       ir_call(&region, &machine_helper[H_VPURE], args, 2));
		ir_exit_direct(&region, 0);
		got = run(c);
		if (k)
			memcpy(&got, (char *)machine + OFF_A, sizeof(got));
		assert_true(got == v * 5 + 7);
	}
}

static int setup(void **state)
{
	(void)state;
	machine = machine_new();
	other = machine_new();
	ir_region_init(&region);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ir_region_destroy(&region);
	machine_free(machine);
	machine_free(other);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),    cmocka_unit_test(test_golden_vectors),
		cmocka_unit_test(test_edges_int), cmocka_unit_test(test_edges_vector),
		cmocka_unit_test(test_helpers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
