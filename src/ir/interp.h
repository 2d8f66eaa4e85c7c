/*
 * The IR interpreter: the reference executor, and the one that runs on every host.
 *
 * A region is lowered once to compact threaded code whose operands are byte offsets from the
 * env: reads of guest state become operands, results that are written straight to guest state are
 * computed there, constants are folded into the operation. Executing it needs no memory.
 */
#ifndef ANYKVM_IR_INTERP_H
#define ANYKVM_IR_INTERP_H

#include "ir/ir.h"

struct ir_code;
struct slab;

enum ir_leave {
	IR_LEAVE_DIRECT,   /* env->pc holds the next pc; *exit_index says which exit was taken */
	IR_LEAVE_INDIRECT, /* env->pc holds the next pc */
	IR_LEAVE_RESUME,   /* env->pc was set by a helper; state may have changed */
	IR_LEAVE_FAULT,    /* env->fault is set; env->pc is the faulting instruction's */
	IR_LEAVE_POLL,     /* an exit was requested; env->pc is where to go on */
	IR_LEAVE_UNSHARED, /* a PROBE was refused (ir.h); nothing is done of the instruction at env->pc */
};

/*
 * Lower a region. NULL with errno ENOMEM, or E2BIG when it needs more temporaries than there are
 * (translate fewer instructions; a region of one guest instruction always fits).
 */
struct ir_code *ir_lower(const struct ir_region *r);
/* Memory from there, with `front` bytes before it, a multiple of 16, that are the caller's: then he gives it all back. */
struct ir_code *ir_lower_in(const struct ir_region *r, struct slab *slab, size_t front);
void ir_code_free(struct ir_code *c); /* one without `front` */
size_t ir_code_size(const struct ir_code *c); /* bytes of memory that it takes */
void ir_code_print(const struct ir_code *c, FILE *out); /* one line per op */

enum ir_leave ir_interp(const struct ir_code *c, struct ir_env *env, uint32_t *exit_index);

#endif
