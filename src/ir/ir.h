/*
 * The intermediate representation: typed SSA over the basic blocks of one region of guest code.
 *
 * A front end (src/cpu/<arch>) emits it through the builder below, one guest instruction after
 * the other; the optimiser rewrites it; the interpreter (interp.h) and the JIT execute it.
 *
 * Values. An `ir_val` names the instruction that defines it. Types: I32 and I64 (an I32 lives in
 * a 64-bit container whose upper half is zero), V128 (see env.h for its lanes). Comparisons give
 * I64 0 or 1. A floating-point number is its bit pattern. A value may be used in every block that
 * the defining one dominates; there are no phis in what a front end emits: across joins, values
 * travel in guest state, which the optimiser promotes.
 *
 * Guest state. IR_GET and IR_SET read and write it explicitly, at byte offsets from struct ir_env:
 * I64 8 bytes, I32 4, V128 16, aligned to their size. Registers narrower than 32 bits are
 * read with EXTRACT and written with DEPOSIT.
 *
 * Precise exceptions. All that comes before an instruction that may fault, in program order, is
 * visible when it faults, and nothing of what comes after. Front ends therefore check first and
 * commit after: within one guest instruction no IR_SET comes before a LOAD, STORE or faulting
 * call of the same instruction, unless the architecture says that partial results stay.
 * IR_INSN marks the start of each guest instruction with its program counter; executors find
 * the program counter of a fault from tables made of these marks, at no cost when nothing faults.
 *
 * Position. The guest pcs that a region names (INSN, POLL, EXIT_DIRECT, PC) are those of a run with
 * env->base equal to the region's `base`; at another base they all move by the difference, so that one
 * region serves code that is mapped at several addresses. Either is a multiple of 4 KiB. pcs may lie as far from it as
 * a page of code is large.
 *
 * Memory. Loads and stores go to guest virtual addresses in the current data context, with size,
 * byte order and extension in a `struct ir_memop`.
 *
 * Shared checks. A PROBE stands before an access of `size` bytes at base + `at` and answers for all accesses to
 * [base + low, base + high), which are LOAD_HOST and STORE_HOST and cannot fault: it looks whether that memory
 * is translated for its kinds of access, lies in one piece on the host, and may be written
 * without being reported. It faults as that first access would, which may be a load where there are stores. If only the rest of the memory is not as
 * it should be, the region is left (IR_LEAVE_UNSHARED) with nothing of the guest instruction done; who runs it
 * goes on there with code that has no PROBE. With `size` 0 it stands before another instruction than those that it answers for, and never
 * faults: the region is left so, too, where that memory is not known without looking at the guest's tables. The answer holds until translations may change: up to the next
 * call of a helper that is not pure, or where the region is left. The optimiser makes these from LOAD and
 * STORE (ir_optimise_shared); a front end does not, since the region as the front end made it is what is
 * gone back to.
 *
 * Windows. LOAD, STORE and PROBE may name a window of the TLB (mem/tlb.h) that they go through first. That is a hint
 * (op.h), which ir_optimise_shared and ir_optimise_unshared give, and does not change what they do.
 *
 * Leaving. A block ends in one of BR, JUMP, EXIT_DIRECT, EXIT_INDIRECT, EXIT_RESUME. POLL stands at the head
 * of loops: when an exit was requested, the region is left there with all state exact.
 */
#ifndef ANYKVM_IR_IR_H
#define ANYKVM_IR_IR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "ir/env.h"

enum ir_type { IR_NONE, IR_I32, IR_I64, IR_V128 };

/*
 * Operations. Columns: name, number of value operands, and what the result is:
 *   V none, T the type given at build time (that of the operands), L always I64, W always I32,
 *   X always V128. Flags: S has a side effect or order (never removed or moved over another S),
 *   F may fault, E ends a block.
 *
 * Shift and rotate amounts are taken modulo the width. Division by zero gives 0, and the most
 * negative number divided by -1 gives itself with remainder 0: front ends add what their
 * architecture says. Vector lanes: `lane` in aux is log2 of the lane's bytes (0..3).
 */
#define IR_OPS(_)                                                                                  \
	/* constants and state */                                                                  \
	_(CONST, 0, T, 0)   /* imm */                                                              \
	_(VCONST, 0, X, 0)  /* imm: index into region->vconst */                                   \
	_(PC, 0, L, 0)      /* imm: guest pc, as of INSN; a value that moves with the region */    \
	_(GET, 0, T, 0)     /* imm: offset; aux: low bits that can be 1 (0: any) */                \
	_(SET, 1, V, S)     /* imm: offset; type is that of the value; aux: as of GET, of state and value */                           \
	/* integer arithmetic */                                                                   \
	_(ADD, 2, T, 0)                                                                            \
	_(SUB, 2, T, 0)                                                                            \
	_(MUL, 2, T, 0)                                                                            \
	_(MULHU, 2, T, 0)                                                                          \
	_(MULHS, 2, T, 0)                                                                          \
	_(DIVU, 2, T, 0)                                                                           \
	_(DIVS, 2, T, 0)                                                                           \
	_(REMU, 2, T, 0)                                                                           \
	_(REMS, 2, T, 0)                                                                           \
	_(AND, 2, T, 0)                                                                            \
	_(OR, 2, T, 0)                                                                             \
	_(XOR, 2, T, 0)                                                                            \
	_(ANDN, 2, T, 0)    /* a & ~b */                                                           \
	_(NOT, 1, T, 0)                                                                            \
	_(NEG, 1, T, 0)                                                                            \
	_(SHL, 2, T, 0)                                                                            \
	_(SHR, 2, T, 0)                                                                            \
	_(SAR, 2, T, 0)                                                                            \
	_(ROTL, 2, T, 0)                                                                           \
	_(CLZ, 1, T, 0)     /* of 0: the width */                                                  \
	_(CTZ, 1, T, 0)     /* of 0: the width */                                                  \
	_(POPCNT, 1, T, 0)                                                                         \
	_(BSWAP, 1, T, 0)                                                                          \
	_(ADDC, 3, T, 0)      /* a + b + c, c I64, 0 or 1 */                                       \
	_(ADDCARRY, 3, L, 0)  /* carry out of a + b + c, c 0 or 1 (type: of a, in aux) */          \
	/* widths: I64 unless said */                                                              \
	_(SEXT8, 1, T, 0)                                                                          \
	_(SEXT16, 1, T, 0)                                                                         \
	_(SEXT32, 1, L, 0)  /* I32 or I64 operand, low 32 bits, to I64 */                          \
	_(ZEXT8, 1, T, 0)                                                                          \
	_(ZEXT16, 1, T, 0)                                                                         \
	_(ZEXT32, 1, L, 0)  /* I32 or I64 operand, low 32 bits, to I64 */                          \
	_(TRUNC32, 1, W, 0) /* I64 operand */                                                      \
	_(EXTRACT, 1, T, 0) /* unsigned field: imm = pos | len << 8 */                             \
	_(DEPOSIT, 2, T, 0) /* a with field imm = pos | len << 8 replaced by the low bits of b */  \
	/* comparisons; 0 or 1, I64. aux: type of the operands; I32: or low words of I64 */                                  \
	_(EQ, 2, L, 0)                                                                             \
	_(NE, 2, L, 0)                                                                             \
	_(LTS, 2, L, 0)                                                                            \
	_(LES, 2, L, 0)                                                                            \
	_(LTU, 2, L, 0)                                                                            \
	_(LEU, 2, L, 0)                                                                            \
	_(CMP3S, 2, L, 0)   /* 1, 0, 0x100 for a less than, greater than, equal to b, signed */        \
	_(CMP3U, 2, L, 0)                                                                          \
	_(SELECT, 3, T, 0)  /* a (I64) not zero: b, else c */                                      \
	/* vectors */                                                                              \
	_(VMAKE, 2, X, 0)   /* high half a, low half b (I64) */                                    \
	_(VHI, 1, L, 0)                                                                            \
	_(VLO, 1, L, 0)                                                                            \
	_(VAND, 2, X, 0)                                                                           \
	_(VOR, 2, X, 0)                                                                            \
	_(VXOR, 2, X, 0)                                                                           \
	_(VANDN, 2, X, 0)   /* a & ~b */                                                           \
	_(VNOT, 1, X, 0)                                                                           \
	_(VADD, 2, X, 0)    /* aux: lane, for all of these */                                      \
	_(VSUB, 2, X, 0)                                                                           \
	_(VEQ, 2, X, 0)     /* all ones or zero */                                                 \
	_(VGTS, 2, X, 0)                                                                           \
	_(VGTU, 2, X, 0)                                                                           \
	_(VMINS, 2, X, 0)                                                                          \
	_(VMAXS, 2, X, 0)                                                                          \
	_(VMINU, 2, X, 0)                                                                          \
	_(VMAXU, 2, X, 0)                                                                          \
	_(VSHL, 2, X, 0)    /* each lane by the same lane of b, modulo its width */                \
	_(VSHR, 2, X, 0)                                                                           \
	_(VROTL, 2, X, 0)                                                                          \
	_(VSAR, 2, X, 0)                                                                           \
	_(VDUP, 1, X, 0)    /* the low bits of an I64 in every lane */                             \
	_(VSPLAT, 1, X, 0)  /* lane imm of a vector in every lane */                               \
	_(VPERM2, 3, X, 0)  /* byte i of the result: byte (c.byte[i] & 31) of a:b (a high) */      \
	/* memory: imm is a struct ir_memop; LOAD and STORE: and a displacement (op.h) */          \
	_(LOAD, 1, T, S | F)                                                                       \
	_(STORE, 2, V, S | F)      /* address, value */                                            \
	_(CAS, 3, T, S | F)        /* address, expected, new -> old value; size 1..16 */           \
	_(RMW, 2, T, S | F)        /* address, value -> old value; aux: enum ir_rmw */             \
	_(FENCE, 0, V, S)                                                                          \
	/* memory that was found before: see Shared checks */                                      \
	_(PROBE, 1, L, S | F)      /* base -> its host address; aux, imm: a struct ir_probe */     \
	_(LOAD_HOST, 1, T, S)      /* of a PROBE's result + displacement */                        \
	_(STORE_HOST, 2, V, S)     /* the same, value */                                           \
	/* calls: imm is a const struct ir_helper *; up to 4 operands */                           \
	_(CALL, 4, T, 0)           /* S and F by the helper's flags */                             \
	/* marks and polls */                                                                      \
	_(INSN, 0, V, S)           /* imm: guest pc; aux 1: partial results may stay */            \
	_(POLL, 0, V, S)           /* imm: guest pc to go on at, aux 1: known (by the builder) */  \
	/* block ends */                                                                           \
	_(BR, 1, V, S | E)            /* operand not 0: block b, else block c (arg[1], arg[2]) */  \
	_(JUMP, 0, V, S | E)          /* block b (arg[1]) */                                       \
	_(EXIT_DIRECT, 0, V, S | E)   /* imm: guest pc; aux: index of the exit, for chaining */    \
	_(EXIT_INDIRECT, 1, V, S | E) /* operand: guest pc */                                      \
	_(EXIT_RESUME, 0, V, S | E)   /* the pc is env->pc, set by a helper; mode may have changed */

enum ir_op {
#define _(name, n, r, f) IR_##name,
	IR_OPS(_)
#undef _
	IR_OP_COUNT
};

enum ir_rmw {
	IR_RMW_ADD,
	IR_RMW_AND,
	IR_RMW_OR,
	IR_RMW_XOR,
	IR_RMW_XCHG,
	IR_RMW_MAXU,
	IR_RMW_MAXS,
	IR_RMW_MINU,
	IR_RMW_MINS
};

struct ir_memop {
	uint8_t size;     /* 1, 2, 4, 8, 16 bytes */
	bool big_endian;
	bool sign_extend; /* loads: to the result's type */
	bool aligned;     /* not a multiple of size: alignment interrupt */
};

/*
 * A C function called from IR. It takes the env (the processor) and up to 4 operands: uint64_t for
 * I32 and I64, `const u128 *` for V128. It returns uint64_t (I32, I64 results) or, for a V128
 * result, void with a `u128 *` for the result as its second parameter (behind the env), which may
 * point to the same memory as an operand.
 */
enum ir_helper_flags {
	IR_H_PURE = 1,          /* result of its operands alone: may be removed, merged */
	IR_H_READS_STATE = 2,   /* reads guest state other than by operands */
	IR_H_WRITES_STATE = 4,  /* writes guest state */
	IR_H_FAULTS = 8,        /* may set env->fault: the instruction is left then */
	IR_H_FLOAT = 16,        /* uses the host's floating-point unit, env->fp_status or fp_round */
	IR_H_DOOR = 32,         /* changes env->door.tlb; only what WRITES_STATE may */
};

struct ir_helper {
	const char *name;
	void (*fn)(void);    /* cast to the real type when called */
	uint8_t nargs;
	uint8_t result;      /* enum ir_type */
	uint8_t arg[4];      /* enum ir_type */
	uint8_t flags;       /* enum ir_helper_flags */
	uint16_t intrinsic;  /* not 0: names an operation that a back end may expand itself */
};

typedef struct {
	uint32_t id;
} ir_val;

typedef struct {
	uint32_t id;
} ir_block;

#define IR_NO_VAL UINT32_MAX

struct ir_inst {
	uint8_t op;    /* enum ir_op */
	uint8_t type;  /* of the result; for SET and STORE, of the value */
	uint16_t aux;
	uint32_t arg[4]; /* ids of values or blocks; arg[1] of GET and SET: first cell (state.h) */
	uint64_t imm;
};

/*
 * Instructions of a block are contiguous, and blocks lie one behind the other in the order in which
 * they were begun, without gaps; so a value's id is greater than those of its operands.
 */
struct ir_bb {
	uint32_t first, count; /* count 0: unreachable, removed by the optimiser */
};

struct ir_line;
struct ir_scratch;

/* The region under construction. Reused from one translation to the next. */
#define IR_STEADY 2

struct ir_region {
	struct ir_inst *inst;
	uint32_t ninst, cap_inst;
	struct ir_bb *bb; /* by block id, in order of ir_create_block; block 0 is the entry */
	uint32_t nbb, cap_bb;
	u128 *vconst;
	uint32_t nvconst, cap_vconst;
	uint32_t nexit; /* EXIT_DIRECT indices handed out */
	uint64_t base;  /* env->base for which the pcs are; 0 after reset, set by who translates */
	unsigned span;  /* exits into the aligned 2^span bytes around may become direct jumps; set likewise */
	/*
	 * Where state lies that points to the same memory most of the time, such as the stack pointer; 0: nothing. A
	 * hint, set by front ends.
	 */
	uint32_t steady[IR_STEADY];
	uint32_t cur;   /* block being filled, or UINT32_MAX */
	struct ir_line *line; /* the guest state that it names (state.h) */
	uint32_t nlines, line_mask, stamp;
	struct ir_inst *spare; /* the optimiser's other array */
	uint32_t cap_spare;
	struct ir_scratch *scratch; /* of the passes over the region (scratch.h) */
	uint32_t mark, open_poll; /* builder: the mark that a poll belongs to, the poll without */
	bool hot;       /* it is known to run often: its code may be larger */
	bool failed;    /* out of memory: the region must be given up */
};

void ir_region_init(struct ir_region *r);
void ir_region_reset(struct ir_region *r);
void ir_region_destroy(struct ir_region *r);

/* Blocks: create names one that can be branched to; begin starts to fill it (each exactly once). */
ir_block ir_create_block(struct ir_region *r);
void ir_begin_block(struct ir_region *r, ir_block b);
bool ir_block_open(const struct ir_region *r); /* the current block has no end yet */

/* Builder. Operand types are checked (ir_check, and asserts in debug builds). */
ir_val ir_const(struct ir_region *r, enum ir_type t, uint64_t v);
ir_val ir_vconst(struct ir_region *r, u128 v);
/* The constant's number among the region's; 0, and r->failed set, when there is no memory. */
uint32_t ir_vconst_number(struct ir_region *r, u128 v);
ir_val ir_pc(struct ir_region *r, uint64_t pc); /* I64: an address of code, relative to the region */
ir_val ir_get(struct ir_region *r, enum ir_type t, uint32_t offset);
/* The front end vouches that all but the low `bits` bits are zero (flags kept as 0 or 1). */
ir_val ir_get_bits(struct ir_region *r, enum ir_type t, uint32_t offset, unsigned bits);
void ir_set(struct ir_region *r, uint32_t offset, ir_val v);
/* And that of state, before as after, all but the low `bits` bits are zero. */
void ir_set_bits(struct ir_region *r, uint32_t offset, ir_val v, unsigned bits);
ir_val ir_un(struct ir_region *r, enum ir_op op, ir_val a);           /* type by the op's column */
ir_val ir_bin(struct ir_region *r, enum ir_op op, ir_val a, ir_val b); /* also comparisons */
/* A comparison of low words: of two I64, or of one with an I32. */
ir_val ir_compare_low(struct ir_region *r, enum ir_op op, ir_val a, ir_val b);
ir_val ir_addc(struct ir_region *r, ir_val a, ir_val b, ir_val c);
ir_val ir_addcarry(struct ir_region *r, ir_val a, ir_val b, ir_val c);
ir_val ir_select(struct ir_region *r, ir_val c, ir_val if_set, ir_val if_clear);
ir_val ir_extract(struct ir_region *r, ir_val a, unsigned pos, unsigned len);
ir_val ir_deposit(struct ir_region *r, ir_val a, ir_val b, unsigned pos, unsigned len);
ir_val ir_vun(struct ir_region *r, enum ir_op op, unsigned lane, ir_val a);
ir_val ir_vbin(struct ir_region *r, enum ir_op op, unsigned lane, ir_val a, ir_val b);
ir_val ir_vsplat(struct ir_region *r, unsigned lane, unsigned index, ir_val a);
ir_val ir_vperm2(struct ir_region *r, ir_val a, ir_val b, ir_val sel);
ir_val ir_load(struct ir_region *r, enum ir_type t, struct ir_memop m, ir_val addr);
void ir_store(struct ir_region *r, struct ir_memop m, ir_val addr, ir_val v);
ir_val ir_cas(struct ir_region *r, struct ir_memop m, ir_val addr, ir_val expected, ir_val desired);
ir_val ir_rmw(struct ir_region *r, enum ir_rmw kind, struct ir_memop m, ir_val addr, ir_val v);
void ir_fence(struct ir_region *r);
ir_val ir_call(struct ir_region *r, const struct ir_helper *h, const ir_val *args, unsigned nargs);
void ir_insn(struct ir_region *r, uint64_t pc);
/* The same, of which the architecture lets results stay when it faults: ir_check does not object. */
void ir_insn_partial(struct ir_region *r, uint64_t pc);
void ir_poll(struct ir_region *r);
void ir_br(struct ir_region *r, ir_val cond, ir_block if_set, ir_block if_clear);
void ir_jump(struct ir_region *r, ir_block b);
void ir_exit_direct(struct ir_region *r, uint64_t pc);
void ir_exit_indirect(struct ir_region *r, ir_val pc);
void ir_exit_resume(struct ir_region *r);

/* For passes over a region: an instruction as it is, with operands and blocks of this region. */
ir_val ir_append(struct ir_region *r, struct ir_inst i);

enum ir_type ir_type_of(const struct ir_region *r, ir_val v);
struct ir_memop ir_memop_of(const struct ir_inst *i);

/*
 * A POLL resumes at the instruction whose INSN stands before it in its block when nothing with a
 * side effect lies between, else at the next INSN of the block.
 *
 * A block without an INSN at its start continues the guest instruction of its predecessors, which
 * must be the same one for all.
 */

/* One line per instruction. */
void ir_print(const struct ir_region *r, FILE *out);

/*
 * Is the region well formed: types, dominance, one end per block, offsets aligned, precise
 * exception rule? Returns NULL, or a sentence that says what is wrong (static storage).
 */
const char *ir_check(const struct ir_region *r);

/*
 * Before it is optimised: give the first round of small loops code of its own, so that what each round establishes
 * holds where the next begins, and lay several rounds of the smallest in a row. The region grows; for code that is to run
 * often. all_poll: so that it polls in each round as before; else once in a row.
 */
void ir_peel(struct ir_region *r, bool all_poll);

/*
 * Optimise in place: constant folding, copies, state forwarding within and across blocks, dead
 * stores to guest state between points that can observe it, common subexpressions, dead code.
 */
void ir_optimise(struct ir_region *r);

/*
 * The same, and accesses to addresses that differ by constants share a PROBE. For who can go on
 * after IR_LEAVE_UNSHARED.
 */
void ir_optimise_shared(struct ir_region *r);

/* The same, but that each looks for itself: for compiled code that has been left so often enough. */
void ir_optimise_unshared(struct ir_region *r);

#endif
