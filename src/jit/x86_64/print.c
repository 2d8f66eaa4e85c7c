/* x86-64 instructions as text, by Zydis. */
#include <inttypes.h>
#include <Zydis/Zydis.h>

#include "jit/trace.h"
#include "jit/x86_64/jit.h"

#define BYTES_SHOWN 10

static void line(FILE *out, const uint8_t *at, size_t n, const char *text)
{
	int width = 0;

	fprintf(out, "  0x%012" PRIx64 "  ", (uint64_t)(uintptr_t)at);
	for (size_t i = 0; i < n; i++)
		width += fprintf(out, "%02x", at[i]);
	fprintf(out, "%*s  %s\n", width < 2 * BYTES_SHOWN ? 2 * BYTES_SHOWN - width : 0, "", text);
}

/* Returns what lies behind it. */
static const uint8_t *one(FILE *out, const uint8_t *at, const uint8_t *end, bool *calls)
{
	ZydisDisassembledInstruction insn;
	bool good = ZYAN_SUCCESS(ZydisDisassembleIntel(ZYDIS_MACHINE_MODE_LONG_64, (uintptr_t)at, at,
						       (size_t)(end - at), &insn));
	/* Behind the code there are constants. */
	size_t n = good ? insn.info.length : 1;

	line(out, at, n, good ? insn.text : ".byte");
	*calls = good && insn.info.mnemonic == ZYDIS_MNEMONIC_CALL && insn.info.raw.imm[0].is_relative;
	return at + n;
}

void jit_print_hot(FILE *out, const struct jit_code *c)
{
	const uint8_t *end = c->entry + c->size;
	bool calls;

	for (const uint8_t *at = c->entry; at < end;)
		at = one(out, at, end, &calls);
}

void jit_print_cold(FILE *out, const struct jit_code *c)
{
	const uint8_t *at = jit_code_cold(c), *end = at + c->cold_size;

	/* The piece (stubs.c). */
	if (end - at >= 8) {
		line(out, at, 8, ".quad");
		at += 8;
	}
	while (at < end) {
		bool calls;

		at = one(out, at, end, &calls);
		if (calls && at < end) {
			size_t n;

			/* The jump back, and what is told to who is called. */
			at = one(out, at, end, &calls);
			n = gen_miss_data(at, (size_t)(end - at));
			if (n)
				line(out, at, n, ".byte");
			at += n;
		}
	}
}
