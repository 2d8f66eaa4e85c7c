/*
 * What is interpreted where compiled code was left for a PROBE that was refused (run.c): some of it is kept. The same
 * code is left again and again, thousands of times a second where a stack's frames lie on two pages, and making it
 * interpretable takes thirty times as long as interpreting it.
 *
 * It is found by the guest's code itself, which has just been read, so it need not be known when that changes.
 */
#include <stdlib.h>
#include <string.h>

#include "cpu/core.h"

#define KEPT 128

struct cpu_once {
	struct once {
		struct ir_code *code; /* NULL: free */
		uint64_t pc;
		uint32_t mode;
		uint32_t len; /* of the bytes that it was made from */
		uint8_t bytes[CPU_REGION_INSNS * CPU_INSN_BYTES];
	} kept[KEPT];
};

static struct once *place(struct cpu_once *o, const struct cpu *c, uint64_t pc)
{
	return &o->kept[pc / c->arch->insn_align % KEPT];
}

struct ir_code *cpu_once_find(struct cpu *c, uint64_t pc)
{
	const struct once *k;

	if (!c->once)
		return NULL;
	k = place(c->once, c, pc);
	/* Where it may be run elsewhere, as far from the start of its block. */
	if (!k->code || k->mode != c->mode || (pc ^ k->pc) & TLB_BLOCK_MASK ||
	    (pc != k->pc && !(c->mode & c->arch->mode_movable)) || k->len > c->code.size ||
	    memcmp(k->bytes, c->code.bytes, k->len))
		return NULL;
	return k->code;
}

bool cpu_once_keep(struct cpu *c, uint64_t pc, uint32_t len, struct ir_code *code)
{
	struct once *k;

	if (!c->once)
		c->once = calloc(1, sizeof(*c->once));
	if (!c->once || len > c->code.size)
		return false;
	k = place(c->once, c, pc);
	ir_code_free(k->code);
	k->code = code;
	k->pc = pc;
	k->mode = c->mode;
	k->len = len;
	memcpy(k->bytes, c->code.bytes, len);
	return true;
}

void cpu_once_destroy(struct cpu *c)
{
	for (unsigned n = 0; c->once && n < KEPT; n++)
		ir_code_free(c->once->kept[n].code);
	free(c->once);
	c->once = NULL;
}
