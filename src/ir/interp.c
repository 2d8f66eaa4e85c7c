/*
 * The loop. Each handler ends in its own indirect jump to the next, so that the host predicts each
 * by where it comes from; compilers without labels as values get a switch.
 */
#include "ir/interp.h"

#include <string.h>

#include "ir/code.h"
#include "ir/op.h"
#include "mem/endian.h"

#ifndef ANYKVM_IR_SWITCH
#if defined(__GNUC__)
#define ANYKVM_IR_SWITCH 0
#else
#define ANYKVM_IR_SWITCH 1
#endif
#endif

#define VECTOR(type, name) typedef type code_##name __attribute__((vector_size(16), may_alias))
VECTOR(uint8_t, v8);
VECTOR(uint16_t, v16);
VECTOR(uint32_t, v32);
VECTOR(uint64_t, v64);
VECTOR(int8_t, sv8);
VECTOR(int16_t, sv16);
VECTOR(int32_t, sv32);
VECTOR(int64_t, sv64);
#undef VECTOR

static inline u128 bswap128(u128 v)
{
	return (u128)__builtin_bswap64((uint64_t)v) << 64 | __builtin_bswap64((uint64_t)(v >> 64));
}

/* Between memory in that byte order and the host's. */
static inline u128 le128(u128 v)
{
	return HOST_LITTLE_ENDIAN ? v : bswap128(v);
}

static inline u128 be128(u128 v)
{
	return HOST_LITTLE_ENDIAN ? bswap128(v) : v;
}

/*
 * The misses, out of line and with everything in registers, so that a handler's hit needs no
 * memory of its own.
 */
struct slow_value {
	uint64_t value; /* raw */
	uint64_t ok;
};

static __attribute__((noinline, cold)) struct slow_value slow_read(struct ir_env *env, uint64_t ea,
								   unsigned size)
{
	union {
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
	} raw;

	if (!mem_read_slow(&env->door, ea, &raw, size))
		return (struct slow_value){0, false};
	switch (size) {
	case 1:
		return (struct slow_value){raw.u8, true};
	case 2:
		return (struct slow_value){raw.u16, true};
	case 4:
		return (struct slow_value){raw.u32, true};
	default:
		return (struct slow_value){raw.u64, true};
	}
}

static __attribute__((noinline, cold)) bool slow_write(struct ir_env *env, uint64_t ea,
						       uint64_t value, unsigned size)
{
	union {
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
	} raw;

	switch (size) {
	case 1:
		raw.u8 = (uint8_t)value;
		break;
	case 2:
		raw.u16 = (uint16_t)value;
		break;
	case 4:
		raw.u32 = (uint32_t)value;
		break;
	default:
		raw.u64 = value;
		break;
	}
	return mem_write_slow(&env->door, ea, &raw, size);
}

static __attribute__((noinline)) u128 permute(u128 high, u128 low, u128 select)
{
	union {
		u128 v[2];
		uint8_t byte[32];
	} table = {.v = {low, high}};
	union {
		u128 v;
		uint8_t byte[16];
	} s = {.v = select}, out;
	/* Byte 0 is the least significant of a value, wherever the host keeps it. */
	const unsigned flip = HOST_LITTLE_ENDIAN ? 0 : 15;

	for (unsigned i = 0; i < 16; i++)
		out.byte[i] = table.byte[(s.byte[i] & 31) ^ flip];
	return out.v;
}

/*
 * A call with operands of any type. On all hosts with 64-bit pointers these go the way of
 * uint64_t, so no type is needed for each combination.
 */
static bool call_any(struct ir_env *env, const struct code_call *call, uint16_t d)
{
	typedef uint64_t (*value_fn)(struct ir_env *, uint64_t, uint64_t, uint64_t, uint64_t);
	typedef void (*vector_fn)(struct ir_env *, u128 *, uint64_t, uint64_t, uint64_t, uint64_t);
	uint64_t arg[4] = {0}, value = 0;

	for (unsigned i = 0; i < call->nargs; i++) {
		void *p = code_at(env, call->arg[i]);

		if (call->type[i] == IR_V128)
			arg[i] = (uintptr_t)p;
		else if (call->type[i] == IR_I64)
			arg[i] = *(const code_u64 *)p;
		else
			arg[i] = *(const code_u32 *)p;
	}
	if (call->result == IR_V128)
		((vector_fn)call->fn)(env, code_at(env, d), arg[0], arg[1], arg[2], arg[3]);
	else
		value = ((value_fn)call->fn)(env, arg[0], arg[1], arg[2], arg[3]);
	if (UNLIKELY(call->faults && env->fault))
		return false;
	if (call->result == IR_I64)
		*(code_u64 *)code_at(env, d) = value;
	else if (call->result == IR_I32)
		*(code_u32 *)code_at(env, d) = (uint32_t)value;
	return true;
}

/* The guest instruction that an op belongs to: the last entry that starts at or before it; relative. */
static uint64_t guest_pc(const struct ir_code *c, const struct code_op *op)
{
	uint32_t at = (uint32_t)(op - c->op), low = 0, high = c->npc;

	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		if (c->pc[mid].first <= at)
			low = mid;
		else
			high = mid;
	}
	return c->npc ? c->pc[low].pc : 0;
}

#define D64           (*(code_u64 *)code_at(env, op->d))
#define D32           (*(code_u32 *)code_at(env, op->d))
#define DV            (*(code_u128 *)code_at(env, op->d))
#define A64           (*(const code_u64 *)code_at(env, op->a))
#define A32           (*(const code_u32 *)code_at(env, op->a))
#define AV            (*(const code_u128 *)code_at(env, op->a))
#define B64           (*(const code_u64 *)code_at(env, op->b))
#define B32           (*(const code_u32 *)code_at(env, op->b))
#define BV            (*(const code_u128 *)code_at(env, op->b))
#define C64           (*(const code_u64 *)code_at(env, op->c))
#define C32           (*(const code_u32 *)code_at(env, op->c))
#define CV            (*(const code_u128 *)code_at(env, op->c))
#define IMM           (op->imm)
#define FAR           ((char *)env + op->imm)
#define IMM_OPERAND64 (*(const code_u64 *)code_at(env, (uint16_t)op->imm))
#define IMM_OPERAND32 (*(const code_u32 *)code_at(env, (uint16_t)op->imm))
#define CALL_INFO     ((const struct code_call *)(uintptr_t)op->imm)

#define BRANCH(condition)                                                                          \
	do {                                                                                       \
		if (condition)                                                                     \
			GO((int16_t)op->d);                                                        \
		else                                                                               \
			GO((int16_t)op->c);                                                        \
	} while (0)

/*
 * Runs c, or, when c is NULL, gives the addresses of the handlers: they can be named only inside.
 */
static enum ir_leave run(const struct ir_code *c, struct ir_env *env, uint32_t *exit_index,
			 const void *const **handlers)
{
	const struct code_op *op;

#if ANYKVM_IR_SWITCH
#define GO(distance)                                                                               \
	do {                                                                                       \
		op += (distance);                                                                  \
		goto again;                                                                        \
	} while (0)
	static const void *const numbers[CODE_COUNT] = {
#define HANDLER(name, ...) (const void *)(uintptr_t)CODE_##name,
#include "ir/handlers_int.def"
#include "ir/handlers_vec.def"
#include "ir/handlers_mem.def"
#include "ir/handlers_flow.def"
#undef HANDLER
	};

	if (!c) {
		*handlers = numbers;
		return IR_LEAVE_RESUME;
	}
#define HANDLER(name, ...)                                                                         \
	case CODE_##name: {                                                                        \
		__VA_ARGS__                                                                        \
	}                                                                                          \
		op++;                                                                              \
		continue;

	for (op = c->op;;) {
	again:
		switch ((enum code_handler)(uintptr_t)op->handler) {
#else
#define GO(distance)                                                                               \
	do {                                                                                       \
		op += (distance);                                                                  \
		goto * op->handler;                                                                \
	} while (0)
	static const void *const labels[CODE_COUNT] = {
#define HANDLER(name, ...) &&do_##name,
#include "ir/handlers_int.def"
#include "ir/handlers_vec.def"
#include "ir/handlers_mem.def"
#include "ir/handlers_flow.def"
#undef HANDLER
	};
#define HANDLER(name, ...) do_##name : {__VA_ARGS__} GO(1);

	if (!c) {
		*handlers = labels;
		return IR_LEAVE_RESUME;
	}
	op = c->op;
	goto * op->handler;
#endif

#include "ir/handlers_int.def"
#include "ir/handlers_vec.def"
#include "ir/handlers_mem.def"
#include "ir/handlers_flow.def"
#undef HANDLER

#if ANYKVM_IR_SWITCH
		case CODE_COUNT:
			break;
		}
	}
#endif
fault:
	env->pc = env->base + guest_pc(c, op);
	return IR_LEAVE_FAULT;
}

const void *const *code_handlers(void)
{
	const void *const *handlers;

	run(NULL, NULL, NULL, &handlers);
	return handlers;
}

enum ir_leave ir_interp(const struct ir_code *c, struct ir_env *env, uint32_t *exit_index)
{
	return run(c, env, exit_index, NULL);
}
