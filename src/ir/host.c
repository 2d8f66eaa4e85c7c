/*
 * The interpreter's accesses to memory that a PROBE has found. What is interpreted has few: the code that
 * is gone back to when a PROBE is refused has none.
 */
#include <string.h>

#include "ir/code.h"
#include "ir/op.h"
#include "util/bits.h"

enum mem_probe code_probe(struct ir_env *env, const struct code_wide *op)
{
	struct ir_probe p = ir_probe_of(op->imm, op->c);
	uint64_t base = *(const code_u64 *)code_at(env, op->a);
	void *host = NULL;
	enum mem_probe found = mem_probe(&env->door, base + (uint64_t)p.at, p.size,
					 base + (uint64_t)p.low, base + (uint64_t)(p.high - 1), p.kind, p.loads,
					 &host);

	if (found == MEM_PROBE_OK)
		*(code_u64 *)code_at(env, op->d) = (uintptr_t)host - (uint64_t)p.at;
	return found;
}

static void *host_of(struct ir_env *env, const struct code_wide *op)
{
	return (void *)(uintptr_t)(*(const code_u64 *)code_at(env, op->a) +
				   (uint64_t)(int32_t)(op->imm >> 32));
}

static u128 swapped(u128 v)
{
	return (u128)__builtin_bswap64((uint64_t)v) << 64 | __builtin_bswap64((uint64_t)(v >> 64));
}

void code_load_host(struct ir_env *env, const struct code_wide *op)
{
	struct ir_memop m = ir_memop_of(&(struct ir_inst){.imm = op->imm});
	const void *p = host_of(env, op);
	void *to = code_at(env, op->d);
	uint64_t v;
	u128 wide;

	switch (m.size) {
	case 1:
		v = *(const uint8_t *)p;
		break;
	case 2:
		v = m.big_endian ? ld_be16(p) : ld_le16(p);
		break;
	case 4:
		v = m.big_endian ? ld_be32(p) : ld_le32(p);
		break;
	case 8:
		v = m.big_endian ? ld_be64(p) : ld_le64(p);
		break;
	default:
		memcpy(&wide, p, sizeof(wide));
		*(code_u128 *)to = m.big_endian == HOST_LITTLE_ENDIAN ? swapped(wide) : wide;
		return;
	}
	if (m.sign_extend)
		v = sext64(v, 8 * m.size);
	if (op->c == IR_I32)
		*(code_u32 *)to = (uint32_t)v;
	else
		*(code_u64 *)to = v;
}

void code_store_host(struct ir_env *env, const struct code_wide *op)
{
	struct ir_memop m = ir_memop_of(&(struct ir_inst){.imm = op->imm});
	void *p = host_of(env, op);
	const void *from = code_at(env, op->b);
	u128 wide;

	switch (m.size) {
	case 1:
		*(uint8_t *)p = (uint8_t) * (const code_u32 *)from;
		break;
	case 2:
		m.big_endian ? st_be16(p, (uint16_t) * (const code_u32 *)from) :
			       st_le16(p, (uint16_t) * (const code_u32 *)from);
		break;
	case 4:
		m.big_endian ? st_be32(p, *(const code_u32 *)from) :
			       st_le32(p, *(const code_u32 *)from);
		break;
	case 8:
		m.big_endian ? st_be64(p, *(const code_u64 *)from) :
			       st_le64(p, *(const code_u64 *)from);
		break;
	default:
		wide = *(const code_u128 *)from;
		wide = m.big_endian == HOST_LITTLE_ENDIAN ? swapped(wide) : wide;
		memcpy(p, &wide, sizeof(wide));
		break;
	}
}
