/* x86-64 instructions as text, by Zydis. */
#include <inttypes.h>
#include <Zydis/Zydis.h>

#include "jit/trace.h"

#define BYTES_SHOWN 10

void jit_print_host(FILE *out, const uint8_t *code, size_t size, uint64_t address)
{
	ZydisDisassembledInstruction insn;

	for (size_t at = 0; at < size;) {
		bool good = ZYAN_SUCCESS(ZydisDisassembleIntel(
			ZYDIS_MACHINE_MODE_LONG_64, address + at, code + at, size - at, &insn));
		/* Behind the code there are constants. */
		size_t n = good ? insn.info.length : 1;
		int width = 0;

		fprintf(out, "  0x%012" PRIx64 "  ", address + at);
		for (size_t i = 0; i < n; i++)
			width += fprintf(out, "%02x", code[at + i]);
		fprintf(out, "%*s  %s\n", width < 2 * BYTES_SHOWN ? 2 * BYTES_SHOWN - width : 0, "",
			good ? insn.text : ".byte");
		at += n;
	}
}
