/*
 * Naming compiled regions (jit/trace.h): what they are to the guest.
 */
#include <inttypes.h>

#include "cpu/core.h"
#include "jit/trace.h"

struct guest_code {
	const struct cpu_arch *arch;
	uint32_t mode;
	const struct cpu_piece *piece;
	unsigned n;
};

void cpu_print_guest(FILE *out, const struct cpu_arch *arch, uint32_t mode, uint64_t pc,
		     const uint8_t *bytes, uint32_t len)
{
	char text[128];

	for (uint32_t at = 0; at < len;) {
		uint32_t n = arch->disassemble(mode & ~REGION_SPAN_MASK, bytes + at, len - at, pc + at, text,
					       sizeof(text));

		fprintf(out, "  0x%016" PRIx64 "  %s\n", pc + at, text);
		at += n ? n : 1;
	}
}

static void print_guest(FILE *out, const void *arg)
{
	const struct guest_code *code = arg;

	for (unsigned n = 0; n < code->n; n++) {
		const struct cpu_piece *p = &code->piece[n];

		if (n && p->len)
			fputc('\n', out);
		cpu_print_guest(out, code->arch, code->mode, p->pc, p->bytes, p->len);
	}
}

void cpu_trace_path(struct cpu_system *s, uint32_t mode, const struct ir_region *ir,
		    const struct cpu_piece *piece, unsigned n, const struct jit_code *code)
{
	const struct guest_code arg = {.arch = s->arch, .mode = mode, .piece = piece, .n = n};
	char state[64];
	const struct jit_trace_region r = {
		.code = code,
		.ir = ir,
		.pc = piece[0].pc,
		.state = state,
		.guest = print_guest,
		.arg = &arg,
	};

	s->arch->describe_mode(mode & ~REGION_SPAN_MASK, state, sizeof(state));
	jit_trace_add(s->trace, &r);
}

void cpu_trace_region(struct cpu_system *s, const struct region *g, const struct ir_region *ir,
		      const uint8_t *bytes, uint32_t len, const struct jit_code *code)
{
	const struct cpu_piece piece = {.pc = g->pc, .bytes = bytes, .len = len};

	cpu_trace_path(s, g->mode, ir, &piece, 1, code);
}
