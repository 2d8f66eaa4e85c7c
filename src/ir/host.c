/*
 * The interpreter's accesses to memory that a PROBE has found. What is interpreted has few: the code that
 * is gone back to when a PROBE is refused has none.
 */
#include "ir/code.h"
#include "ir/memop.h"
#include "ir/op.h"

enum mem_probe code_probe(struct ir_env *env, const struct code_wide *op)
{
	struct ir_probe p = ir_probe_of(op->imm, op->c);
	uint64_t base = *(const code_u64 *)code_at(env, op->a);
	void *host = NULL;
	enum mem_probe found = mem_probe(&env->door, base + (uint64_t)p.at, p.size,
					 base + (uint64_t)p.low, base + (uint64_t)(p.high - 1), p.kind, p.both,
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

void code_load_host(struct ir_env *env, const struct code_wide *op)
{
	struct ir_memop m = ir_memop_of(&(struct ir_inst){.imm = op->imm});
	const void *p = host_of(env, op);
	void *to = code_at(env, op->d);

	if (m.size == 16)
		*(code_u128 *)to = memop_load_v(p, m);
	else if (op->c == IR_I32)
		*(code_u32 *)to = (uint32_t)memop_load(p, m);
	else
		*(code_u64 *)to = memop_load(p, m);
}

void code_store_host(struct ir_env *env, const struct code_wide *op)
{
	struct ir_memop m = ir_memop_of(&(struct ir_inst){.imm = op->imm});
	void *p = host_of(env, op);
	const void *from = code_at(env, op->b);

	if (m.size == 16)
		memop_store_v(p, m, *(const code_u128 *)from);
	else if (m.size == 8)
		memop_store(p, m, *(const code_u64 *)from);
	else
		memop_store(p, m, *(const code_u32 *)from);
}
