/* See host_code.h. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "host_code.h"

#ifdef __x86_64__
#include <Zydis/Zydis.h>

/* The first level that has it; JIT_LEVELS: none, or the last. */
static unsigned level_of(ZydisISAExt ext)
{
	switch (ext) {
	case ZYDIS_ISA_EXT_BASE:
	case ZYDIS_ISA_EXT_LONGMODE:
	case ZYDIS_ISA_EXT_SSE:
	case ZYDIS_ISA_EXT_SSE2:
		return 0;
	case ZYDIS_ISA_EXT_SSSE3:
		return 1;
	case ZYDIS_ISA_EXT_SSE3:
	case ZYDIS_ISA_EXT_SSE4:
	case ZYDIS_ISA_EXT_AES:
	case ZYDIS_ISA_EXT_PCLMULQDQ:
		return 2;
	case ZYDIS_ISA_EXT_AVX:
	case ZYDIS_ISA_EXT_AVX2:
	case ZYDIS_ISA_EXT_AVXAES:
	case ZYDIS_ISA_EXT_FMA:
	case ZYDIS_ISA_EXT_BMI1:
	case ZYDIS_ISA_EXT_BMI2:
	case ZYDIS_ISA_EXT_LZCNT:
	case ZYDIS_ISA_EXT_MOVBE:
	case ZYDIS_ISA_EXT_SHA:
		return 3;
	default:
		return JIT_LEVELS - 1;
	}
}

static unsigned level_of_insn(const ZydisDecodedInstruction *i)
{
	switch (i->meta.isa_set) {
	case ZYDIS_ISA_SET_POPCNT:
		return 2;
	default:
		return level_of(i->meta.isa_ext);
	}
}

/* Pieces of code: the one that is run, and the one that rarely is. */
struct piece {
	const uint8_t *code;
	uint32_t size;
	bool *seen; /* by byte: an instruction that begins there was looked at, or is going to be */
};

struct walk {
	struct piece piece[2];
	const uint8_t **todo;
	uint32_t n;
};

static void visit(struct walk *w, const uint8_t *at)
{
	for (unsigned n = 0; n < 2; n++) {
		struct piece *p = &w->piece[n];

		if (at < p->code || at >= p->code + p->size || p->seen[at - p->code])
			continue;
		p->seen[at - p->code] = true;
		w->todo[w->n++] = at;
	}
}

const char *host_code_beyond(const struct jit_code *c, unsigned level)
{
	static char text[128];
	struct walk w = {.piece = {{c->entry, c->size}, {jit_code_cold(c), c->cold_size}}};
	const char *beyond = NULL;
	ZydisDecoder decoder;

	w.piece[0].seen = calloc(c->size + 1, sizeof(bool));
	w.piece[1].seen = calloc(c->cold_size + 1, sizeof(bool));
	w.todo = calloc(c->size + c->cold_size + 1, sizeof(*w.todo));
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	visit(&w, c->entry);
	while (w.n && !beyond) {
		const uint8_t *at = w.todo[--w.n];
		const struct piece *p = &w.piece[at < w.piece[0].code || at >= w.piece[0].code + w.piece[0].size];
		ZydisDecodedInstruction i;

		if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, NULL, at, (size_t)(p->code + p->size - at),
								&i))) {
			snprintf(text, sizeof(text), "no instruction: %02x %02x %02x %02x", at[0], at[1], at[2], at[3]);
			beyond = text;
		} else if (level_of_insn(&i) > level) {
			snprintf(text, sizeof(text), "%s (%s)", ZydisMnemonicGetString(i.mnemonic),
				 ZydisISAExtGetString(i.meta.isa_ext));
			beyond = text;
		} else {
			if (i.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE && i.raw.imm[0].is_relative)
				visit(&w, at + i.length + i.raw.imm[0].value.s);
			if (i.meta.category != ZYDIS_CATEGORY_UNCOND_BR && i.meta.category != ZYDIS_CATEGORY_RET)
				visit(&w, at + i.length);
		}
	}
	free(w.piece[0].seen);
	free(w.piece[1].seen);
	free(w.todo);
	return beyond;
}
#else
const char *host_code_beyond(const struct jit_code *c, unsigned level)
{
	(void)c, (void)level;
	return NULL;
}
#endif
