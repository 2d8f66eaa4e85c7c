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
