/*
 * What compiled code calls: accesses that miss, atomics, and vector operations for which a host
 * has no instruction. Portable C.
 */
#ifndef ANYKVM_JIT_SLOW_H
#define ANYKVM_JIT_SLOW_H

#include "ir/ir.h"

/* Comes back in two registers. ok 0: a fault was recorded. */
struct slow_result {
	uint64_t value;
	uint64_t ok;
};

/* m: the imm of the IR instruction; type: enum ir_type of the value. */
struct slow_result slow_load(struct ir_env *env, uint64_t addr, uint64_t m, uint64_t type);
uint64_t slow_store(struct ir_env *env, uint64_t addr, uint64_t m, uint64_t value);
uint64_t slow_load_v(struct ir_env *env, uint64_t addr, uint64_t m, u128 *value);
uint64_t slow_store_v(struct ir_env *env, uint64_t addr, uint64_t m, const u128 *value);

/* Of a CAS of up to 8 bytes, whose result is not sign-extended: the old value. */
struct slow_result slow_cas(struct ir_env *env, uint64_t addr, uint64_t m, uint64_t expected, uint64_t desired);

/* imm and aux of a PROBE, with its base. ok: enum mem_probe. */
struct slow_result slow_probe(struct ir_env *env, uint64_t base, uint64_t imm, uint64_t aux);

/* packed: op, lane (aux) and imm, by slow_vec_pack. */
uint64_t slow_vec_pack(const struct ir_inst *i);
void slow_vec(uint64_t packed, u128 *out, const u128 *a, const u128 *b, const u128 *c);

#endif
