/*
 * Threaded code in a readable form, for those who work on the lowering.
 */
#include <inttypes.h>
#include <stdio.h>

#include "ir/code.h"
#include "ir/interp.h"

static const char *const handler_name[] = {
#define HANDLER(name, ...) #name,
#include "ir/handlers_int.def"
#include "ir/handlers_vec.def"
#include "ir/handlers_mem.def"
#include "ir/handlers_flow.def"
#undef HANDLER
};

/* Handlers with the same body may share an address: then the first name is as good. */
static const char *name_of(const void *handler)
{
	const void *const *all = code_handlers();

	for (unsigned h = 0; h < CODE_COUNT; h++) {
		if (all[h] == handler)
			return handler_name[h];
	}
	return "?";
}

void ir_code_print(const struct ir_code *c, FILE *out)
{
	for (uint32_t k = 0; k < c->nop; k++) {
		const struct code_op *op = &c->op[k];

		fprintf(out, "%4u %-20s d 0x%x a 0x%x b 0x%x c 0x%x imm 0x%" PRIx64 "\n", k,
			name_of(op->handler), op->d * CODE_UNIT, op->a * CODE_UNIT,
			op->b * CODE_UNIT, op->c * CODE_UNIT, op->imm);
	}
}
