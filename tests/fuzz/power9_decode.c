/*
 * Fuzzes the decoder, the disassembler and the translator: any words, in any mode, give a
 * well-formed region before and after the optimiser, which the interpreter accepts.
 *
 * Input: two bytes of mode bits, the top one of which chooses what follows: little-endian words,
 * or rows of isa.def and fields (power9_words.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/power9/core.h"
#include "cpu/power9/insn.h"
#include "cpu/power9/region.h"
#include "ir/interp.h"
#include "mem/endian.h"
#include "power9_words.h"

#define ROWS 0x8000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void refuse(const struct ir_region *r, const char *what, const char *wrong)
{
	fprintf(stderr, "%s: %s\n", what, wrong);
	ir_print(r, stderr);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cpu_system *system;
	static struct cpu *cpu;
	uint8_t code[CPU_REGION_INSNS * 4];
	struct ir_region *r;
	struct ir_code *lowered;
	const char *wrong;
	uint32_t len, bytes;
	char text[128];

	if (size < 2 + FUZZ_ROW_BYTES)
		return 0;
	if (!cpu) {
		const struct cpu_system_config config = {.arch = &p9_arch};

		system = cpu_system_create(&config);
		cpu = system ? cpu_create(system) : NULL;
		if (!cpu)
			abort();
	}
	cpu->mode = ld_le16(data) & ~ROWS;
	bytes = 4 * fuzz_code(code, CPU_REGION_INSNS, data + 2, size - 2, ld_le16(data) & ROWS,
			      !(cpu->mode & P9_MODE_LE));
	for (uint32_t at = 0; at < bytes; at += 4) {
		uint32_t raw = cpu->mode & P9_MODE_LE ? ld_le32(code + at) : ld_be32(code + at);
		struct p9_insn insn;

		if (p9_decode(raw, &insn) && (raw & insn.desc->mask) != insn.desc->value)
			abort();
		p9_disasm(raw, UINT64_C(0xc000000000000000) + at, text, sizeof(text));
	}
	r = &cpu->ir;
	ir_region_reset(r);
	len = p9_translate_region(cpu->mode, r, UINT64_C(0xc000000000001000), code, bytes,
				  CPU_REGION_INSNS);
	if (len > bytes || r->failed)
		abort();
	wrong = ir_check(r);
	if (wrong)
		refuse(r, "as translated", wrong);
	ir_optimise(r);
	wrong = ir_check(r);
	if (wrong)
		refuse(r, "as optimised", wrong);
	lowered = ir_lower(r);
	if (lowered)
		ir_code_free(lowered);
	else if (len == 4)
		refuse(r, "not lowered", "one instruction must always fit");
	return 0;
}
