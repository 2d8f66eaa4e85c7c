/*
 * Naming compiled regions (jit/trace.h): what they are to the guest.
 */
#include <inttypes.h>

#include "cpu/core.h"
#include "jit/trace.h"

struct guest_code {
	const struct cpu_arch *arch;
	const struct region *region;
};

static void print_guest(FILE *out, const void *arg)
{
	const struct guest_code *code = arg;
	const struct region *g = code->region;
	const uint8_t *bytes = hva_ptr(HVA(g->host));
	char text[128];

	for (uint32_t at = 0; at < g->len;) {
		uint32_t n = code->arch->disassemble(g->mode, bytes + at, g->len - at, g->pc + at,
						     text, sizeof(text));

		fprintf(out, "  0x%016" PRIx64 "  %s\n", g->pc + at, text);
		at += n ? n : 1;
	}
}

void cpu_trace_region(struct cpu *c, const struct region *g, const struct jit_code *code)
{
	const struct guest_code guest = {.arch = c->arch, .region = g};
	char state[64];
	const struct jit_trace_region r = {
		.code = code,
		.ir = &c->ir,
		.pc = g->pc,
		.state = state,
		.guest = print_guest,
		.arg = &guest,
	};

	c->arch->describe_mode(g->mode, state, sizeof(state));
	jit_trace_add(c->system->trace, &r);
}
