/*
 * What both executors need of a processor at run time. It is the first member of every
 * architecture's processor structure; guest state lies behind it, and the IR addresses guest
 * state as byte offsets from here. Temporaries of the interpreter lie in the same block of
 * memory, so that one kind of operand serves for both.
 */
#ifndef ANYKVM_IR_ENV_H
#define ANYKVM_IR_ENV_H

#include <stdatomic.h>
#include <stdint.h>
#include "mem/door.h"

/*
 * A 128-bit value. Its lanes are numbered from the least significant end (lane 0 of 64-bit lanes
 * is the low half), whatever the host's or the guest's byte order is; a host of either byte
 * order holds it as its own 128-bit integer.
 */
typedef unsigned __int128 u128;

union ir_slot {
	uint64_t u64;
	u128 v;
};

/* Temporaries of one region in the interpreter; a region that needs more is translated shorter. */
#define IR_MAX_TEMPS 256

/*
 * The interpreter's operands are guest state within so many bytes of the env. What lies beyond costs an
 * op for each access, and keeps atomics from being compiled: no registers of programs should.
 */
#define IR_NEAR (UINT32_C(4) << 16)

#define IR_FP_INEXACT UINT32_C(0x20) /* of fp_status; x86's MXCSR[PE] */

/* How floating-point results are rounded, of fp_round and fp_status: x86's MXCSR[RC] */
enum ir_fp_round {
	IR_FP_NEAREST = 0,
	IR_FP_DOWN = 0x2000,
	IR_FP_UP = 0x4000,
	IR_FP_ZERO = 0x6000,
	IR_FP_ROUND = 0x6000, /* the bits */
};

struct ir_env {
	union ir_slot temp[IR_MAX_TEMPS];
	struct mem_door door;
	/*
	 * Set by any thread to have the executor leave at the next poll. The processor's run loop
	 * clears it before it looks for work, so no request is lost.
	 */
	_Atomic uint32_t exit_request;
	/*
	 * How many polls the interpreter passes before it leaves for one, so that the run loop sees
	 * that a loop is hot.
	 */
	uint32_t polls_left;
	/* A helper or the walker recorded an exception: leave the instruction. */
	uint32_t fault;
	/*
	 * What compiled code found out by computing on the host's floating-point unit: that some
	 * operation was inexact (IR_FP_INEXACT) since that bit was last cleared. The other bits are
	 * the back end's (x86-64: MXCSR, as it is inside compiled code).
	 */
	uint32_t fp_status;
	/*
	 * How it is to round there: the architecture's, by ir_fp_set_round(). C is run with the host's own
	 * control bits, which the back end has in fp_host; a helper that computes, or changes this, says so (IR_H_FLOAT).
	 */
	uint32_t fp_round;
	uint32_t fp_host;
	/* Guest program counter of the instruction being left, set by the executor on every exit. */
	uint64_t pc;
	/*
	 * Where the region that runs lies: guest pcs in it are relative to this. Set by who enters one;
	 * compiled code that goes on in another region sets it itself.
	 */
	uint64_t base;
};

/* In C: compiled code takes it up where it goes on. */
static inline void ir_fp_set_round(struct ir_env *env, enum ir_fp_round round)
{
	env->fp_round = round;
	env->fp_status = (env->fp_status & ~(uint32_t)IR_FP_ROUND) | round;
}

#endif
