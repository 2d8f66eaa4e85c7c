/* Guest code as text: cpu_arch.disassemble and .describe_mode. */
#include <stdio.h>

#include "cpu/power9/insn.h"
#include "cpu/power9/region.h"
#include "mem/endian.h"

uint32_t p9_disassemble(uint32_t mode, const uint8_t *code, uint32_t bytes, uint64_t pc, char *text,
			size_t size)
{
	uint32_t raw;
	int n;

	if (bytes < 4) {
		snprintf(text, size, ".byte");
		return bytes;
	}
	raw = mode & P9_MODE_LE ? ld_le32(code) : ld_be32(code);
	n = snprintf(text, size, "%08x  ", raw);
	p9_disasm(raw, pc, text + n, size - (size_t)n);
	return 4;
}

void p9_describe_mode(uint32_t mode, char *text, size_t size)
{
	snprintf(text, size, "%s%s%s%s", mode & P9_MODE_PR ? "user" : "kernel",
		 mode & P9_MODE_IR ? "" : "-real", mode & P9_MODE_LE ? "" : "-be",
		 mode & P9_MODE_SF ? "" : "-32");
}

void p9_describe_state(uint32_t offset, char *text, size_t size)
{
	const struct {
		const char *name;
		uint32_t first, each, count;
	} known[] = {
#define _(field, each, count) {#field, offsetof(struct p9_cpu, regs.field), each, count}
		_(gpr, 8, 32),	 _(lr, 8, 1),	_(ctr, 8, 1),	_(tar, 8, 1),	_(crf, 8, 8),
		_(so, 8, 1),	 _(ov, 8, 1),	_(ca, 8, 1),	_(ov32, 8, 1),	_(ca32, 8, 1),
		_(fpscr, 8, 1),	 _(vsr, 16, 64), _(vscr, 8, 1), _(msr, 8, 1),	_(srr0, 8, 1),
		_(srr1, 8, 1),	 _(dar, 8, 1),	_(dsisr, 8, 1),	_(dec_expires, 8, 1),
#undef _
	};

	for (unsigned n = 0; n < ARRAY_SIZE(known); n++) {
		uint32_t at = offset - known[n].first;

		if (offset < known[n].first || at >= known[n].each * known[n].count)
			continue;
		if (known[n].count == 1)
			snprintf(text, size, "%s", known[n].name);
		else
			snprintf(text, size, "%s%u%s", known[n].name, at / known[n].each,
				 at % known[n].each ? " (high)" : "");
		return;
	}
	snprintf(text, size, "state+0x%x",
		 offset - (uint32_t)offsetof(struct p9_cpu, regs));
}
