/*
 * Fuzzes the optimiser, the lowering and the interpreter: a region made by the input's choices
 * leaves the same machine behind in the reference evaluator, in the interpreter, and in the
 * interpreter after the optimiser.
 *
 * Input: a byte that seeds the machine, then what unit/ir_generate.c chooses by.
 */
#include <stdio.h>
#include <stdlib.h>

#include "unit/ir_generate.h"
#include "unit/ir_machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct machine *expected, *machine;

static void refuse(const struct ir_region *r, const char *stage, const char *wrong)
{
	fprintf(stderr, "%s: %s\n", stage, wrong);
	ir_print(r, stderr);
	abort();
}

static void run(const struct ir_region *r, const char *stage, uint8_t seed, enum ir_leave want,
		uint32_t want_exit)
{
	struct ir_code *code = ir_lower(r);
	uint32_t exit_index = UINT32_MAX;
	const char *wrong;
	enum ir_leave leave;

	/* Too big for the interpreter: the front end would make it smaller. */
	if (!code)
		return;
	machine_reset(machine, seed);
	leave = ir_interp(code, &machine->env, &exit_index);
	ir_code_free(code);
	wrong = machine_differ(expected, machine);
	if (!wrong && leave != want)
		wrong = "the way it was left";
	if (!wrong && leave == IR_LEAVE_DIRECT && exit_index != want_exit)
		wrong = "the exit";
	if (wrong)
		refuse(r, stage, wrong);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ir_region r;
	uint32_t exit_index = UINT32_MAX;
	enum ir_leave leave;
	const char *wrong;

	if (size < 2)
		return 0;
	if (!machine) {
		expected = machine_new();
		machine = machine_new();
		ir_region_init(&r);
	}
	ir_region_reset(&r);
	generate_region_from(&r, data + 1, size - 1);
	wrong = ir_check(&r);
	if (wrong)
		refuse(&r, "as generated", wrong);
	machine_reset(expected, data[0]);
	leave = reference_run(&r, &expected->env, &exit_index);
	run(&r, "as generated", data[0], leave, exit_index);
	ir_optimise(&r);
	wrong = ir_check(&r);
	if (wrong)
		refuse(&r, "optimised", wrong);
	run(&r, "optimised", data[0], leave, exit_index);
	ir_region_reset(&r);
	generate_region_from(&r, data + 1, size - 1);
	ir_optimise_shared(&r);
	wrong = ir_check(&r);
	if (wrong)
		refuse(&r, "shared", wrong);
	/* What it does otherwise is compared where it does all of it. */
	machine_reset(machine, data[0]);
	if (reference_run(&r, &machine->env, &exit_index) == leave)
		run(&r, "shared", data[0], leave, exit_index);
	return 0;
}
