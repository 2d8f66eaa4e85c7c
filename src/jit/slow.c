/*
 * What compiled code calls: see slow.h.
 */
#include <string.h>

#include "ir/code.h"
#include "ir/memop.h"
#include "ir/op.h"
#include "jit/slow.h"
#include "util/bits.h"

static bool misaligned(struct ir_env *env, uint64_t addr, struct ir_memop m, bool store)
{
	if (!m.aligned || !(addr & (m.size - 1)))
		return false;
	env->door.ops->misaligned(&env->door, GVA(addr), store);
	return true;
}

static struct ir_memop memop(uint64_t m)
{
	const struct ir_inst i = { .imm = m };

	return ir_memop_of(&i);
}

static void missed(struct ir_env *env, uint64_t imm, enum ir_op op, uint64_t addr)
{
	mem_window_missed(&env->door, ir_window_of(imm, op), addr);
}

struct slow_result slow_load(struct ir_env *env, uint64_t addr, uint64_t packed, uint64_t type)
{
	struct ir_memop m = memop(packed);
	uint8_t raw[8];
	uint64_t v;

	if (misaligned(env, addr, m, false) || !mem_read(&env->door, addr, raw, m.size))
		return (struct slow_result){ 0, 0 };
	v = memop_load(raw, m);
	missed(env, packed, IR_LOAD, addr);
	if (type == IR_I32)
		v = (uint32_t)v;
	return (struct slow_result){ v, 1 };
}

uint64_t slow_store(struct ir_env *env, uint64_t addr, uint64_t packed, uint64_t value)
{
	struct ir_memop m = memop(packed);
	uint8_t raw[8];

	if (misaligned(env, addr, m, true))
		return 0;
	memop_store(raw, m, value);
	if (!mem_write(&env->door, addr, raw, m.size))
		return 0;
	missed(env, packed, IR_STORE, addr);
	return 1;
}

uint64_t slow_load_v(struct ir_env *env, uint64_t addr, uint64_t packed, u128 *value)
{
	struct ir_memop m = memop(packed);
	uint8_t raw[16];

	if (misaligned(env, addr, m, false) || !mem_read(&env->door, addr, raw, 16))
		return 0;
	*value = memop_load_v(raw, m);
	missed(env, packed, IR_LOAD, addr);
	return 1;
}

uint64_t slow_store_v(struct ir_env *env, uint64_t addr, uint64_t packed, const u128 *value)
{
	struct ir_memop m = memop(packed);
	uint8_t raw[16];

	if (misaligned(env, addr, m, true))
		return 0;
	memop_store_v(raw, m, *value);
	if (!mem_write(&env->door, addr, raw, 16))
		return 0;
	missed(env, packed, IR_STORE, addr);
	return 1;
}

struct slow_result slow_cas(struct ir_env *env, uint64_t addr, uint64_t packed, uint64_t expected, uint64_t desired)
{
	struct ir_memop m = memop(packed);
	u128 value = expected;

	if (!code_cas_slow(env, addr, m.size, m.big_endian, &value, desired))
		return (struct slow_result){ 0, 0 };
	return (struct slow_result){ (uint64_t)value, 1 };
}

struct slow_result slow_probe(struct ir_env *env, uint64_t base, uint64_t imm, uint64_t aux)
{
	struct ir_probe p = ir_probe_of(imm, (uint16_t)aux);
	void *host = NULL;
	enum mem_probe found = mem_probe(&env->door, base + (uint64_t)p.at, p.size,
					 base + (uint64_t)p.low, base + (uint64_t)(p.high - 1), p.kind, p.both,
					 &host);

	if (found == MEM_PROBE_OK)
		missed(env, imm, IR_PROBE, base + (uint64_t)p.at);
	return (struct slow_result){(uintptr_t)host - (uint64_t)p.at, found};
}

/* ---- vectors ---- */

uint64_t slow_vec_pack(const struct ir_inst *i)
{
	return i->op | (uint64_t)(i->aux & 3) << 8 | (i->imm & 0xff) << 16;
}

static uint64_t lane_of(u128 v, unsigned lane, unsigned n)
{
	return (uint64_t)(v >> (n * (8u << lane))) & ir_low_mask(8u << lane);
}

static uint64_t lane_op(enum ir_op op, unsigned bits, uint64_t a, uint64_t b)
{
	int64_t sa = sext64(a, bits), sb = sext64(b, bits);
	unsigned n = b & (bits - 1);

	switch (op) {
	case IR_VADD:
		return a + b;
	case IR_VSUB:
		return a - b;
	case IR_VEQ:
		return a == b ? ~UINT64_C(0) : 0;
	case IR_VGTS:
		return sa > sb ? ~UINT64_C(0) : 0;
	case IR_VGTU:
		return a > b ? ~UINT64_C(0) : 0;
	case IR_VMINS:
		return sa < sb ? a : b;
	case IR_VMAXS:
		return sa > sb ? a : b;
	case IR_VMINU:
		return a < b ? a : b;
	case IR_VMAXU:
		return a > b ? a : b;
	case IR_VSHL:
		return a << n;
	case IR_VSHR:
		return a >> n;
	case IR_VROTL:
		return a << n | a >> (-n & (bits - 1));
	case IR_VSAR:
		return (uint64_t)(sa >> n);
	default:
		return 0;
	}
}

void slow_vec(uint64_t packed, u128 *out, const u128 *a, const u128 *b, const u128 *c)
{
	enum ir_op op = packed & 0xff;
	unsigned lane = packed >> 8 & 3, bits = 8u << lane;
	unsigned index = packed >> 16 & 0xff;
	u128 v = 0;

	switch (op) {
	case IR_VPERM2:
		for (unsigned n = 0; n < 16; n++) {
			unsigned sel = lane_of(*c, 0, n) & 31;
			u128 from = sel < 16 ? *b : *a;

			v |= (u128)lane_of(from, 0, sel & 15) << (8 * n);
		}
		break;
	case IR_VSPLAT:
		for (unsigned n = 0; n < 128 / bits; n++)
			v |= (u128)lane_of(*a, lane, index) << (n * bits);
		break;
	case IR_VDUP:
		for (unsigned n = 0; n < 128 / bits; n++)
			v |= (u128)lane_of(*a, lane, 0) << (n * bits);
		break;
	default:
		for (unsigned n = 0; n < 128 / bits; n++) {
			uint64_t x = lane_op(op, bits, lane_of(*a, lane, n), lane_of(*b, lane, n));

			v |= (u128)(x & ir_low_mask(bits)) << (n * bits);
		}
		break;
	}
	*out = v;
}
