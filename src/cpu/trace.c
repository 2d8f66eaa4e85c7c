/*
 * Naming compiled regions (jit/trace.h): what they are to the guest.
 */
#include <inttypes.h>

#include "cpu/core.h"
#include "jit/trace.h"

struct guest_code {
	const struct cpu_arch *arch;
	const struct region *region;
	const uint8_t *bytes;
	uint32_t len;
};

void cpu_print_guest(FILE *out, const struct cpu_arch *arch, const struct region *g,
		     const uint8_t *bytes, uint32_t len)
{
	char text[128];

	for (uint32_t at = 0; at < len;) {
		uint32_t n = arch->disassemble(g->mode & ~REGION_SPAN_MASK, bytes + at, len - at, g->pc + at,
					       text, sizeof(text));

		fprintf(out, "  0x%016" PRIx64 "  %s\n", g->pc + at, text);
		at += n ? n : 1;
	}
}

static void print_guest(FILE *out, const void *arg)
{
	const struct guest_code *code = arg;

	cpu_print_guest(out, code->arch, code->region, code->bytes, code->len);
}

void cpu_trace_region(struct cpu_system *s, const struct region *g, const struct ir_region *ir,
		      const uint8_t *bytes, uint32_t len, const struct jit_code *code)
{
	const struct guest_code arg = {.arch = s->arch, .region = g, .bytes = bytes, .len = len};
	char state[64];
	const struct jit_trace_region r = {
		.code = code,
		.ir = ir,
		.pc = g->pc,
		.state = state,
		.guest = print_guest,
		.arg = &arg,
	};

	s->arch->describe_mode(g->mode & ~REGION_SPAN_MASK, state, sizeof(state));
	jit_trace_add(s->trace, &r);
}
