/*
 * Threaded code: what the lowering makes of a region and the interpreter executes. Private to them.
 *
 * An op is a handler's number, up to four operands and an immediate. An operand is the offset of a value
 * from the env, in units of 4 bytes: a temporary or guest state, the handler does not care. An I64 is
 * 8 bytes there, an I32 4 bytes (its neighbour may be another piece of guest state, so the upper
 * half of a temporary that holds an I32 is undefined), a V128 16 bytes. Handlers read all
 * operands before they write a result, so result and operand may be the same.
 *
 * Most code is kept for long and run seldom, so it is dense: an op takes a slot of 8 bytes where all it says
 * fits (narrow), else three (wide). Which of both a handler has, and what a narrow one says
 * where, is its form.
 *
 * The handlers are written once, in handlers_*.def, as HANDLER(form, name, body).
 */
#ifndef ANYKVM_IR_CODE_H
#define ANYKVM_IR_CODE_H

#include <stddef.h>
#include "ir/ir.h"
#include "mem/endian.h"

enum code_handler {
#define HANDLER(form, name, ...) CODE_##name,
#include "ir/handlers_int.def"
#include "ir/handlers_vec.def"
#include "ir/handlers_mem.def"
#include "ir/handlers_flow.def"
#undef HANDLER
	CODE_COUNT
};

enum code_form {
	CODE_FORM_R, /* narrow only: d, a, b */
	CODE_FORM_I, /* d, a, imm in b, signed */
	CODE_FORM_L, /* d, imm in a and b, signed */
	CODE_FORM_J, /* narrow only: where to go in d */
	CODE_FORM_B, /* a, b; where to go, or else, in the bytes of d */
	CODE_FORM_C, /* a, imm in b, signed; where to go, or else, in the bytes of d */
	CODE_FORM_W, /* wide only */
};

/* Where ops go is told in slots from theirs on, signed. */
struct code_op {
	uint16_t handler; /* of a wide one: CODE_COUNT more */
	uint16_t d, a, b;
};

/* The same, wide; and as the lowering first writes it: where to go, in d and c, is then an op's number. */
struct code_wide {
	uint16_t handler;
	uint16_t d, a, b, c;
	uint64_t imm;
};

ASSERT_SIZE(struct code_op, 8);
ASSERT_SIZE(struct code_wide, 24);
_Static_assert(IR_NEAR == 4 * (UINT16_MAX + 1), "operands are 16 bits");

#define CODE_WIDE_SLOTS (sizeof(struct code_wide) / sizeof(struct code_op))

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

/* From slot `first` on, the guest instruction so many bytes behind ir_code.pc. Only ops that can fault are covered. */
struct code_pc {
	uint16_t first;
	int16_t distance;
};

/* In one piece of memory: slots, constants of vectors, calls, and from its end backwards, guest pcs. */
struct ir_code {
	struct slab *slab; /* where it is from; NULL: malloc */
	uint64_t pc;       /* the first that code_pc tells of, relative to env->base */
	uint32_t size;
	uint16_t nslot, npc;
	struct code_op op[];
};

static inline const struct code_pc *code_pcs(const struct ir_code *c)
{
	return (const struct code_pc *)(const void *)((const char *)c + c->size) - c->npc;
}

/* The form of each handler (interp.c). */
extern const uint8_t code_form[CODE_COUNT];

/* A PROBE and what it answers for, out of line (host.c). */
enum mem_probe code_probe(struct ir_env *env, const struct code_wide *op);
void code_load_host(struct ir_env *env, const struct code_wide *op);
void code_store_host(struct ir_env *env, const struct code_wide *op);

/* Atomic operations, out of line: false when a fault was recorded (atomic.c). */
bool code_cas(struct ir_env *env, const struct code_wide *op);
bool code_rmw(struct ir_env *env, const struct code_wide *op);

/* The first of them, by the door's slow way: *expected is what was there. */
bool code_cas_slow(struct ir_env *env, uint64_t ea, unsigned size, bool big_endian, u128 *expected,
		   u128 desired);

/* Between memory of the stated byte order and a number, `size` bytes wide. */
u128 code_reorder(u128 v, unsigned size, bool big_endian);

/*
 * As memory holds it, 1 to 16 bytes, aligned. 16 bytes are not loaded at once. *expected is what was there before; true
 * when desired was stored.
 */
u128 code_raw_load(const void *p, unsigned size);
bool code_raw_swap(void *p, unsigned size, u128 *expected, u128 desired);

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
typedef int32_t __attribute__((may_alias)) code_i32;
typedef uint32_t __attribute__((may_alias)) code_u32;
typedef uint64_t __attribute__((may_alias)) code_u64;
typedef u128 __attribute__((may_alias)) code_u128;

static inline void *code_at(struct ir_env *env, uint16_t operand)
{
	return (char *)env + (size_t)CODE_UNIT * operand;
}

#endif
