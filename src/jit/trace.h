/*
 * What was compiled, told to people and profilers.
 *
 * The perf map: lines "START SIZE NAME" for each piece of compiled code, as `perf report` reads
 * them from /tmp/perf-PID.map. NAME is the guest's: what the hypervisor's own profile shows as
 * anonymous memory then is guest code by address. Memory that is used again gets another line; perf
 * takes the later one.
 *
 * The dump: each region's guest instructions, its IR as it was compiled, and the host's
 * instructions.
 *
 * Any thread; one region at a time.
 */
#ifndef ANYKVM_JIT_TRACE_H
#define ANYKVM_JIT_TRACE_H

#include <stdint.h>
#include <stdio.h>
#include "ir/ir.h"
#include "jit/jit.h"

struct jit_trace;

/* Where one of them goes. */
struct jit_trace_to {
	int fd;     /* of which a copy is made; 0: nowhere */
	int *error; /* gets errno, by the end, if not all could be written; NULL: nobody wants to know */
};

/* NULL with errno. */
struct jit_trace *jit_trace_create(struct jit_trace_to perf_map, struct jit_trace_to dump);
/* NULL: nothing. */
void jit_trace_destroy(struct jit_trace *t);

struct jit_trace_region {
	const struct jit_code *code;
	const struct ir_region *ir; /* NULL: it is a copy */
	uint64_t pc;
	const char *state; /* what its translation depends on, in a word or a few */
	/* Writes the guest's instructions, a line each. */
	void (*guest)(FILE *out, const void *arg);
	const void *arg;
};

void jit_trace_add(struct jit_trace *t, const struct jit_trace_region *r);

/*
 * The host's instructions of a piece or of its cold part, a line each, and what lies between them as data; a folder
 * per host has it.
 */
void jit_print_hot(FILE *out, const struct jit_code *c);
void jit_print_cold(FILE *out, const struct jit_code *c);

#endif
