#include "ir/opt.h"
#include "mem/tlb.h"
#include "util/bits.h"

/* The number of low bits that hold all ones. */
static unsigned width_of(uint64_t ones)
{
	return ones ? 64 - (unsigned)__builtin_clzll(ones) : 0;
}

static uint64_t up_to(unsigned width)
{
	return ir_low_mask(width);
}

/* Sign extension from bit `from` - 1: if that bit is zero, nothing is added. */
static uint64_t sign_extended(uint64_t ones, unsigned from)
{
	ones &= up_to(from);
	return ones >> (from - 1) & 1 ? ~UINT64_C(0) : ones;
}

static uint64_t shifted(const struct opt *o, const struct ir_inst *i, uint64_t a, unsigned bits)
{
	uint64_t c;
	unsigned n;

	if (!opt_const(o, i->arg[1], &c)) {
		if (i->op == IR_SHR || (i->op == IR_SAR && !(a >> (bits - 1) & 1)))
			return up_to(width_of(a));
		return ~UINT64_C(0);
	}
	n = (unsigned)c & (bits - 1);
	switch (i->op) {
	case IR_SHL:
		return a << n;
	case IR_SHR:
		return a >> n;
	case IR_SAR:
		return (uint64_t)(sext64(a, bits) >> n);
	default:
		return bits == 64 ? rotl64(a, n) : rotl32((uint32_t)a, n);
	}
}

/* Which bits can be one, but for those above the type. */
static uint64_t ones_of(const struct opt *o, const struct ir_inst *i)
{
	unsigned bits = ir_type_bits((enum ir_type)i->type), n = ir_nargs(i), w;
	uint64_t a = n > 0 ? o->fact[i->arg[0]].ones : 0, b = n > 1 ? o->fact[i->arg[1]].ones : 0;
	uint64_t mask;

	switch (i->op) {
	case IR_CONST:
		return i->imm;
	case IR_PC:
		/* It moves by whole blocks. */
		return ~(uint64_t)TLB_BLOCK_MASK | (i->imm - o->r->base);
	case IR_GET:
		return i->aux ? up_to(i->aux) : ~UINT64_C(0);
	case IR_ADD:
		w = width_of(a) > width_of(b) ? width_of(a) : width_of(b);
		return up_to(w + 1);
	case IR_MUL:
		return up_to(width_of(a) + width_of(b) < 64 ? width_of(a) + width_of(b) : 64);
	case IR_DIVU:
		return up_to(width_of(a));
	case IR_REMU:
		return up_to(width_of(a) < width_of(b) ? width_of(a) : width_of(b));
	case IR_AND:
		return a & b;
	case IR_OR:
	case IR_XOR:
		return a | b;
	case IR_ANDN:
		return o->inst[i->arg[1]].op == IR_CONST ? a & ~b : a;
	case IR_SHL:
	case IR_SHR:
	case IR_SAR:
	case IR_ROTL:
		return shifted(o, i, a, bits);
	case IR_CLZ:
	case IR_CTZ:
	case IR_POPCNT:
		return bits == 64 ? 0x7f : 0x3f;
	case IR_BSWAP:
		return bits == 64 ? __builtin_bswap64(a) : __builtin_bswap32((uint32_t)a);
	case IR_ADDCARRY:
	case IR_EQ:
	case IR_NE:
	case IR_LTS:
	case IR_LES:
	case IR_LTU:
	case IR_LEU:
		return 1;
	case IR_CMP3S:
	case IR_CMP3U:
		return 0x101;
	case IR_SEXT8:
		return sign_extended(a, 8);
	case IR_SEXT16:
		return sign_extended(a, 16);
	case IR_SEXT32:
		return sign_extended(a, 32);
	case IR_ZEXT8:
		return a & up_to(8);
	case IR_ZEXT16:
		return a & up_to(16);
	case IR_ZEXT32:
	case IR_TRUNC32:
		return a & up_to(32);
	case IR_EXTRACT:
		return a >> ir_field_pos(i) & up_to(ir_field_len(i));
	case IR_DEPOSIT:
		mask = up_to(ir_field_len(i)) << ir_field_pos(i);
		return (a & ~mask) | (b << ir_field_pos(i) & mask);
	case IR_SELECT:
		return b | o->fact[i->arg[2]].ones;
	case IR_LOAD:
	case IR_CAS:
	case IR_RMW:
		return ir_memop_of(i).sign_extend ? ~UINT64_C(0) : up_to(8 * ir_memop_of(i).size);
	default:
		return ~UINT64_C(0);
	}
}

static unsigned larger(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

static unsigned sign_of(const struct opt *o, const struct ir_inst *i, unsigned bits)
{
	const struct fact *f = o->fact;
	uint64_t c;
	unsigned n;

	switch (i->op) {
	case IR_CONST:
		return 64 - (unsigned)__builtin_clrsbll(sext64(i->imm, bits));
	case IR_SEXT8:
		return f[i->arg[0]].sign < 8 ? f[i->arg[0]].sign : 8;
	case IR_SEXT16:
		return f[i->arg[0]].sign < 16 ? f[i->arg[0]].sign : 16;
	case IR_SEXT32:
	case IR_TRUNC32:
		return f[i->arg[0]].sign < 32 ? f[i->arg[0]].sign : 32;
	case IR_LOAD:
	case IR_CAS:
	case IR_RMW:
		return ir_memop_of(i).sign_extend ? 8u * ir_memop_of(i).size : bits;
	case IR_AND:
	case IR_OR:
	case IR_XOR:
	case IR_ANDN:
		return larger(f[i->arg[0]].sign, f[i->arg[1]].sign);
	case IR_NOT:
		return f[i->arg[0]].sign;
	case IR_SELECT:
		return larger(f[i->arg[1]].sign, f[i->arg[2]].sign);
	case IR_SAR:
		if (!opt_const(o, i->arg[1], &c))
			return f[i->arg[0]].sign;
		n = (unsigned)c & (bits - 1);
		return f[i->arg[0]].sign > n + 1 ? f[i->arg[0]].sign - n : 1;
	default:
		return bits;
	}
}

void opt_learn(struct opt *o, uint32_t id)
{
	const struct ir_inst *i = &o->inst[id];
	struct fact *f = &o->fact[id];
	unsigned bits;

	/* Nobody asks for what has none. */
	if (ir_op_info[i->op].result == 'V')
		return;
	if (i->type != IR_I32 && i->type != IR_I64) {
		*f = (struct fact){~UINT64_C(0), 64};
		return;
	}
	bits = ir_type_bits((enum ir_type)i->type);
	f->ones = ones_of(o, i) & up_to(bits);
	f->sign = (uint8_t)sign_of(o, i, bits);
	/* A zero above all ones is a sign, too. */
	if (width_of(f->ones) + 1 < f->sign)
		f->sign = (uint8_t)(width_of(f->ones) + 1);
}
