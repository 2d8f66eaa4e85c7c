/*
 * Fuzzes ir_check with instructions of any shape: it looks at all of them without harm, and what
 * it accepts the optimiser and the lowering can work with.
 *
 * Input: the number of exits, then 12 bytes for each instruction: operation, type, aux, which of
 * the first operands are near, a helper or bits of the immediate value, and the rest of that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/op.h"
#include "ir/state.h"
#include "unit/ir_machine.h"

#define MAX_INSTS 256
#define BYTES     12

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Mostly a value a little before this one, else any number. */
static uint32_t operand(uint32_t id, uint8_t byte)
{
	return byte < 240 ? id - 1 - byte % 16 : byte == 255 ? IR_NO_VAL : byte;
}

static void put_inst(struct ir_region *r, uint32_t id, const uint8_t *p)
{
	struct ir_inst *i = &r->inst[id];

	*i = (struct ir_inst){
		.op = p[0] % (IR_OP_COUNT + 1),
		.type = p[1] % 5,
		.aux = p[2],
		.arg = {operand(id, p[3]), operand(id, p[4]), operand(id, p[5]), operand(id, p[6])},
		.imm = p[7] | (uint64_t)p[8] << 8 | (uint64_t)p[9] << 56,
	};
	switch (i->op) {
	case IR_CALL:
		i->imm = (uintptr_t)&machine_helper[p[7] % H_COUNT];
		break;
	case IR_GET:
	case IR_SET:
		i->imm = OFF_STATE(p[7]);
		i->arg[1] = state_cell(r, (uint32_t)i->imm);
		break;
	case IR_BR:
	case IR_JUMP:
		i->arg[1] = p[7];
		i->arg[2] = p[8];
		break;
	default:
		break;
	}
}

/* Blocks end where the instructions say, so that some regions are well formed. */
static void divide(struct ir_region *r)
{
	uint32_t first = 0;

	for (uint32_t id = 0; id < r->ninst; id++) {
		if (r->inst[id].op < IR_OP_COUNT && ir_ends_block(&r->inst[id])) {
			ir_block b = ir_create_block(r);

			r->bb[b.id] = (struct ir_bb){first, id + 1 - first};
			first = id + 1;
		}
	}
	/* What is behind the last end belongs to no block, or is cut off. */
	if (first && r->ninst % 2)
		r->ninst = first;
}

/* In all ways that there are. */
static void optimise(struct ir_region *r, uint8_t how)
{
	if (how & 4)
		ir_peel(r, how & 8);
	if (r->failed)
		return;
	if ((how & 3) == 1)
		ir_optimise_shared(r);
	else if ((how & 3) == 2)
		ir_optimise_unshared(r);
	else
		ir_optimise(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ir_region r;
	struct ir_code *code;
	const char *wrong;
	uint32_t n;

	if (size < 1 + BYTES)
		return 0;
	if (!r.scratch)
		ir_region_init(&r);
	n = (uint32_t)((size - 1) / BYTES);
	if (n > MAX_INSTS)
		n = MAX_INSTS;
	ir_region_reset(&r);
	/* Have the builder make room. */
	ir_begin_block(&r, ir_create_block(&r));
	for (uint32_t id = 0; id < n; id++)
		ir_fence(&r);
	ir_exit_resume(&r);
	r.ninst = n;
	r.nbb = 0;
	r.nexit = data[0];
	for (uint32_t id = 0; id < n; id++)
		put_inst(&r, id, data + 1 + id * BYTES);
	divide(&r);
	if (ir_check(&r))
		return 0;
	optimise(&r, data[0]);
	wrong = ir_check(&r);
	if (wrong) {
		fprintf(stderr, "optimised: %s\n", wrong);
		ir_print(&r, stderr);
		abort();
	}
	code = ir_lower(&r);
	ir_code_free(code);
	return 0;
}
