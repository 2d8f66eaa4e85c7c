/*
 * Threaded code: what the lowering makes of a region and the interpreter executes. Private to them.
 *
 * An op is a handler's address and up to four operands. An operand is the offset of a value from
 * the env, in units of 4 bytes: a temporary or guest state, the handler does not care. An I64 is
 * 8 bytes there, an I32 4 bytes (its neighbour may be another piece of guest state, so the upper
 * half of a temporary that holds an I32 is undefined), a V128 16 bytes. Handlers read all
 * operands before they write a result, so result and operand may be the same.
 *
 * The handlers are written once, in handlers_*.def, as HANDLER(name, body).
 */
#ifndef ANYKVM_IR_CODE_H
#define ANYKVM_IR_CODE_H

#include <stddef.h>
#include "ir/ir.h"
#include "mem/endian.h"

enum code_handler {
#define HANDLER(name, ...) CODE_##name,
#include "ir/handlers_int.def"
#include "ir/handlers_vec.def"
#include "ir/handlers_mem.def"
#include "ir/handlers_flow.def"
#undef HANDLER
	CODE_COUNT
};

struct code_op {
	const void
		*handler; /* a label of the interpreter, or the number where those do not exist */
	uint16_t d, a, b, c; /* result and operands; branches: distances in ops, signed */
	uint64_t imm;
};

ASSERT_SIZE(struct code_op, 24);
_Static_assert(IR_NEAR == 4 * (UINT16_MAX + 1), "operands are 16 bits");

#define CODE_UNIT  4u
#define CODE_REACH IR_NEAR                        /* offsets from here on are no operands */
#define CODE_LOW   (HOST_LITTLE_ENDIAN ? 0u : 1u) /* the low half of 64 bits, in units */

/* A call of a helper: what does not fit into the op. */
struct code_call {
	void (*fn)(void);
	uint64_t pc; /* of the instruction, relative to env->base */
	uint16_t arg[4];
	uint8_t type[4]; /* enum ir_type */
	uint8_t nargs, result;
	bool faults;
};

/* From op `first` on, the guest instruction at pc (relative to env->base). Only ops that can fault are covered. */
struct code_pc {
	uint64_t pc;
	uint32_t first;
};

struct ir_code {
	struct slab *slab; /* where it is from; NULL: malloc */
	size_t size;
	uint32_t nop, npc;
	struct code_pc *pc;
	struct code_call *call;
	u128 *vconst;
	struct code_op op[];
};

/* What to put into op->handler, by enum code_handler. */
const void *const *code_handlers(void);

/* A PROBE and what it answers for, out of line (host.c). */
enum mem_probe code_probe(struct ir_env *env, const struct code_op *op);
void code_load_host(struct ir_env *env, const struct code_op *op);
void code_store_host(struct ir_env *env, const struct code_op *op);

/* Atomic operations, out of line: false when a fault was recorded (atomic.c). */
bool code_cas(struct ir_env *env, const struct code_op *op);
bool code_rmw(struct ir_env *env, const struct code_op *op);

/* imm of CAS and RMW ops. */
struct code_atomic {
	uint8_t size, kind, type; /* bytes, enum ir_rmw, enum ir_type of the value */
	bool big_endian, sign_extend;
};

static inline uint64_t code_atomic_imm(struct code_atomic a)
{
	return a.size | a.kind << 8 | a.type << 16 | a.big_endian << 24 | a.sign_extend << 25;
}

static inline struct code_atomic code_atomic_of(uint64_t imm)
{
	return (struct code_atomic){
		.size = imm & 0xff,
		.kind = imm >> 8 & 0xff,
		.type = imm >> 16 & 0xff,
		.big_endian = imm >> 24 & 1,
		.sign_extend = imm >> 25 & 1,
	};
}

/* Operands are pieces of structures of any type. */
typedef uint16_t __attribute__((may_alias)) code_u16;
typedef uint32_t __attribute__((may_alias)) code_u32;
typedef uint64_t __attribute__((may_alias)) code_u64;
typedef u128 __attribute__((may_alias)) code_u128;

static inline void *code_at(struct ir_env *env, uint16_t operand)
{
	return (char *)env + (size_t)CODE_UNIT * operand;
}

#endif
