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
	const struct code_pc *pc = code_pcs(c);
	uint32_t at = (uint32_t)(op - c->op), low = 0, high = c->npc;

	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		if (pc[mid].first <= at)
			low = mid;
		else
			high = mid;
	}
	return c->npc ? c->pc + (uint64_t)(int64_t)pc[low].distance : 0;
}

const uint8_t code_form[CODE_COUNT] = {
#define HANDLER(form, name, ...) CODE_FORM_##form,
#include "ir/handlers_int.def"
#include "ir/handlers_vec.def"
#include "ir/handlers_mem.def"
#include "ir/handlers_flow.def"
#undef HANDLER
};

/* In a handler's body: is this the wide one, is the immediate of a narrow one long? */
#define WIDE_OP       ((const struct code_wide *)(const void *)op)
#define D64           (*(code_u64 *)code_at(env, op->d))
#define D32           (*(code_u32 *)code_at(env, op->d))
#define DV            (*(code_u128 *)code_at(env, op->d))
#define A64           (*(const code_u64 *)code_at(env, op->a))
#define A32           (*(const code_u32 *)code_at(env, op->a))
#define AV            (*(const code_u128 *)code_at(env, op->a))
#define B64           (*(const code_u64 *)code_at(env, op->b))
#define B32           (*(const code_u32 *)code_at(env, op->b))
#define BV            (*(const code_u128 *)code_at(env, op->b))
#define C64           (*(const code_u64 *)code_at(env, WIDE_OP->c))
#define C32           (*(const code_u32 *)code_at(env, WIDE_OP->c))
#define CV            (*(const code_u128 *)code_at(env, WIDE_OP->c))
#define IMM_SHORT     ((uint64_t)(int64_t)(int16_t)op->b)
#define IMM_LONG      ((uint64_t)(int64_t)*(const code_i32 *)(const void *)&op->a)
#define IMM           (WIDE ? WIDE_OP->imm : LONG ? IMM_LONG : IMM_SHORT)
#define FAR           ((char *)env + WIDE_OP->imm)
#define IMM_OPERAND64 (*(const code_u64 *)code_at(env, (uint16_t)WIDE_OP->imm))
#define IMM_OPERAND32 (*(const code_u32 *)code_at(env, (uint16_t)WIDE_OP->imm))
#define CALL_INFO     ((const struct code_call *)(uintptr_t)WIDE_OP->imm)

#define BRANCH(condition)                                                                          \
	do {                                                                                       \
		if (condition)                                                                     \
			GO(WIDE ? (int16_t)op->d : (int8_t)op->d);                                 \
		else                                                                               \
			GO(WIDE ? (int16_t)WIDE_OP->c : (int8_t)(op->d >> 8));                     \
	} while (0)

/* Which of a narrow and a wide one there are. */
#define HANDLER_R(name, ...) NARROW(R, name, __VA_ARGS__)
#define HANDLER_J(name, ...) NARROW(J, name, __VA_ARGS__)
#define HANDLER_W(name, ...) ONLY_WIDE(W, name, __VA_ARGS__)
#define HANDLER_I(name, ...) NARROW(I, name, __VA_ARGS__) ONLY_WIDE(I, name, __VA_ARGS__)
#define HANDLER_L(name, ...) NARROW(L, name, __VA_ARGS__) ONLY_WIDE(L, name, __VA_ARGS__)
#define HANDLER_B(name, ...) NARROW(B, name, __VA_ARGS__) ONLY_WIDE(B, name, __VA_ARGS__)
#define HANDLER_C(name, ...) NARROW(C, name, __VA_ARGS__) ONLY_WIDE(C, name, __VA_ARGS__)
#define HANDLER(form, name, ...) HANDLER_##form(name, __VA_ARGS__)
#define BODY(form, is_wide, ...)                                                                   \
	{                                                                                          \
		enum { LONG = CODE_FORM_##form == CODE_FORM_L, WIDE = is_wide };                   \
		__VA_ARGS__                                                                        \
	}

enum ir_leave ir_interp(const struct ir_code *c, struct ir_env *env, uint32_t *exit_index)
{
	const struct code_op *op;

#if ANYKVM_IR_SWITCH
#define GO(distance)                                                                               \
	do {                                                                                       \
		op += (distance);                                                                  \
		goto again;                                                                        \
	} while (0)
#define NARROW(form, name, ...)                                                                    \
	case CODE_##name:                                                                          \
		BODY(form, 0, __VA_ARGS__)                                                         \
		op++;                                                                              \
		continue;
#define ONLY_WIDE(form, name, ...)                                                                 \
	case CODE_COUNT + CODE_##name:                                                             \
		BODY(form, 1, __VA_ARGS__)                                                         \
		op += CODE_WIDE_SLOTS;                                                             \
		continue;

	for (op = c->op;;) {
	again:
		switch ((unsigned)op->handler) {
#else
	/* By the number in an op. */
	static const void *const labels[2 * CODE_COUNT] = {
#define LABEL_R(name) [CODE_##name] = &&do_##name,
#define LABEL_J(name) [CODE_##name] = &&do_##name,
#define LABEL_W(name) [CODE_COUNT + CODE_##name] = &&do_wide_##name,
#define LABEL_I(name) LABEL_R(name) LABEL_W(name)
#define LABEL_L(name) LABEL_R(name) LABEL_W(name)
#define LABEL_B(name) LABEL_R(name) LABEL_W(name)
#define LABEL_C(name) LABEL_R(name) LABEL_W(name)
#undef HANDLER
#define HANDLER(form, name, ...) LABEL_##form(name)
#include "ir/handlers_int.def"
#include "ir/handlers_vec.def"
#include "ir/handlers_mem.def"
#include "ir/handlers_flow.def"
#undef HANDLER
	};
#define HANDLER(form, name, ...) HANDLER_##form(name, __VA_ARGS__)
#define GO(distance)                                                                               \
	do {                                                                                       \
		op += (distance);                                                                  \
		goto * labels[op->handler];                                                        \
	} while (0)
#define NARROW(form, name, ...)    do_##name : BODY(form, 0, __VA_ARGS__) GO(1);
#define ONLY_WIDE(form, name, ...) do_wide_##name : BODY(form, 1, __VA_ARGS__) GO(CODE_WIDE_SLOTS);

	op = c->op;
	GO(0);
#endif

#include "ir/handlers_int.def"
#include "ir/handlers_vec.def"
#include "ir/handlers_mem.def"
#include "ir/handlers_flow.def"
#undef HANDLER

#if ANYKVM_IR_SWITCH
		default:
			break;
		}
	}
#endif
fault:
	env->pc = env->base + guest_pc(c, op);
	return IR_LEAVE_FAULT;
}
