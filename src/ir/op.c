#include "ir/op.h"

/* The flag letters of IR_OPS; the letters of the results are taken as characters. */
enum { S = IR_OP_SIDE, F = IR_OP_FAULT, E = IR_OP_END };

const struct ir_op_info ir_op_info[IR_OP_COUNT] = {
#define _(name, nargs, result, flags) [IR_##name] = {#name, nargs, #result[0], flags},
	IR_OPS(_)
#undef _
};
