/*
 * Threaded code in a readable form, for those who work on the lowering.
 */
#include <inttypes.h>
#include <stdio.h>

#include "ir/code.h"
#include "ir/interp.h"

static const char *const handler_name[] = {
#define HANDLER(form, name, ...) #name,
#include "ir/handlers_int.def"
#include "ir/handlers_vec.def"
#include "ir/handlers_mem.def"
#include "ir/handlers_flow.def"
#undef HANDLER
};

void ir_code_print(const struct ir_code *c, FILE *out)
{
	for (uint32_t k = 0; k < c->nslot;) {
		const struct code_op *op = &c->op[k];
		const struct code_wide *wide = (const void *)op;
		bool is_wide = op->handler >= CODE_COUNT;

		fprintf(out, "%4u %-20s d 0x%x a 0x%x b 0x%x", k, handler_name[op->handler % CODE_COUNT],
			op->d, op->a, op->b);
		if (is_wide)
			fprintf(out, " c 0x%x imm 0x%" PRIx64, wide->c, wide->imm);
		fputc('\n', out);
		k += is_wide ? CODE_WIDE_SLOTS : 1;
	}
}
