#include "ir/opt.h"
#include "util/bits.h"

static uint64_t divide(enum ir_op op, uint64_t a, uint64_t b, unsigned bits)
{
	int64_t sa = sext64(a, bits), sb = sext64(b, bits);

	if (!b)
		return 0;
	switch (op) {
	case IR_DIVU:
		return a / b;
	case IR_REMU:
		return a % b;
	case IR_DIVS:
		return sb == -1 ? -a : (uint64_t)(sa / sb);
	default:
		return sb == -1 ? 0 : (uint64_t)(sa % sb);
	}
}

static uint64_t multiply_high(enum ir_op op, uint64_t a, uint64_t b, unsigned bits)
{
	if (op == IR_MULHU)
		return (uint64_t)((u128)a * b >> bits);
	return (uint64_t)((__int128)sext64(a, bits) * sext64(b, bits) >> bits);
}

static uint64_t three_way(bool less, bool equal)
{
	return less | (unsigned)equal << 8;
}

bool opt_fold(const struct ir_inst *i, const uint64_t c[3], uint64_t *result)
{
	bool compares = i->op == IR_ADDCARRY || (i->op >= IR_EQ && i->op <= IR_CMP3U);
	unsigned bits = ir_type_bits((enum ir_type)(compares ? i->aux : i->type));
	/* Comparisons of words take the low ones of doublewords, too. */
	uint64_t of = compares ? ir_low_mask(bits) : UINT64_MAX;
	uint64_t a = c[0] & of, b = c[1] & of, v;
	int64_t sa = sext64(a, bits), sb = sext64(b, bits);
	unsigned n = (unsigned)b & (bits - 1);

	switch (i->op) {
	case IR_ADD:
		v = a + b;
		break;
	case IR_SUB:
		v = a - b;
		break;
	case IR_MUL:
		v = a * b;
		break;
	case IR_MULHU:
	case IR_MULHS:
		v = multiply_high(i->op, a, b, bits);
		break;
	case IR_DIVU:
	case IR_DIVS:
	case IR_REMU:
	case IR_REMS:
		v = divide(i->op, a, b, bits);
		break;
	case IR_AND:
		v = a & b;
		break;
	case IR_OR:
		v = a | b;
		break;
	case IR_XOR:
		v = a ^ b;
		break;
	case IR_ANDN:
		v = a & ~b;
		break;
	case IR_NOT:
		v = ~a;
		break;
	case IR_NEG:
		v = -a;
		break;
	case IR_SHL:
		v = a << n;
		break;
	case IR_SHR:
		v = a >> n;
		break;
	case IR_SAR:
		v = (uint64_t)(sa >> n);
		break;
	case IR_ROTL:
		v = bits == 64 ? rotl64(a, n) : rotl32((uint32_t)a, n);
		break;
	case IR_CLZ:
		v = a ? (unsigned)__builtin_clzll(a) - (64 - bits) : bits;
		break;
	case IR_CTZ:
		v = a ? (unsigned)__builtin_ctzll(a) : bits;
		break;
	case IR_POPCNT:
		v = (unsigned)__builtin_popcountll(a);
		break;
	case IR_BSWAP:
		v = bits == 64 ? __builtin_bswap64(a) : __builtin_bswap32((uint32_t)a);
		break;
	case IR_ADDC:
		v = a + b + (c[2] & 1);
		break;
	case IR_ADDCARRY:
		v = (uint64_t)(((u128)a + b + (c[2] & 1)) >> bits) & 1;
		break;
	case IR_SEXT8:
		v = (uint64_t)sext64(a, 8);
		break;
	case IR_SEXT16:
		v = (uint64_t)sext64(a, 16);
		break;
	case IR_SEXT32:
		v = (uint64_t)sext64(a, 32);
		break;
	case IR_ZEXT8:
		v = (uint8_t)a;
		break;
	case IR_ZEXT16:
		v = (uint16_t)a;
		break;
	case IR_ZEXT32:
	case IR_TRUNC32:
		v = (uint32_t)a;
		break;
	case IR_EXTRACT:
		v = a >> ir_field_pos(i) & ir_low_mask(ir_field_len(i));
		break;
	case IR_DEPOSIT: {
		uint64_t mask = ir_low_mask(ir_field_len(i)) << ir_field_pos(i);

		v = (a & ~mask) | (b << ir_field_pos(i) & mask);
		break;
	}
	case IR_EQ:
		v = a == b;
		break;
	case IR_NE:
		v = a != b;
		break;
	case IR_LTS:
		v = sa < sb;
		break;
	case IR_LES:
		v = sa <= sb;
		break;
	case IR_LTU:
		v = a < b;
		break;
	case IR_LEU:
		v = a <= b;
		break;
	case IR_CMP3S:
		v = three_way(sa < sb, a == b);
		break;
	case IR_CMP3U:
		v = three_way(a < b, a == b);
		break;
	default:
		return false;
	}
	*result = v & ir_low_mask(ir_type_bits((enum ir_type)i->type));
	return true;
}
