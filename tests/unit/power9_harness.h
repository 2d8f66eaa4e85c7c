/*
 * Runs a few POWER9 instructions on a register state and a small memory, through the same
 * translator, optimiser and interpreter as the processor, but with no MMU and no run loop: what
 * unit tests of the instruction semantics and the differential test need.
 *
 * One harness is used by one thread.
 */
#ifndef ANYKVM_TESTS_UNIT_POWER9_HARNESS_H
#define ANYKVM_TESTS_UNIT_POWER9_HARNESS_H

#include <stdbool.h>
#include <stdint.h>
#include "cpu/power9/power9.h"

struct p9_harness;
struct cpu_piece;

enum p9_harness_end {
	P9_HARNESS_DONE,  /* pc left the program: .pc */
	P9_HARNESS_FAULT, /* an interrupt was raised: .vector, .srr1_bits, .pc of the instruction */
	P9_HARNESS_ENDLESS, /* it came back to itself too often (a loop inside a region just hangs)
			     */
	P9_HARNESS_BROKEN,  /* the IR is malformed: .why */
};

struct p9_harness_result {
	enum p9_harness_end end;
	uint64_t pc;
	uint32_t vector;
	uint64_t srr1_bits;
	const char *why;
	unsigned paths; /* how often the region of the path was entered */
};

/* Mode bits are enum p9_mode_bits (cpu/power9/core.h); all that a user program has. */
#define P9_HARNESS_USER_BE                                                                         \
	(P9_MODE_SF | P9_MODE_PR | P9_MODE_FP | P9_MODE_VEC | P9_MODE_VSX | P9_MODE_IR |           \
	 P9_MODE_DR | P9_MODE_HFP | P9_MODE_HVEC)
#define P9_HARNESS_USER (P9_HARNESS_USER_BE | P9_MODE_LE)

/* NULL: out of memory. */
struct p9_harness *p9_harness_create(void);
void p9_harness_destroy(struct p9_harness *h);

/* Why a region is broken that has become too large to interpret. */
#define P9_HARNESS_LARGE "the region was not lowered"

/* The registers, all zero at first (and the facilities of FSCR and HFSCR enabled). */
struct p9_regs *p9_harness_regs(struct p9_harness *h);

/*
 * Map one page of 4096 bytes at address `ea` (a multiple of that) to host memory, which the
 * caller keeps. NULL unmaps. There is room for 16.
 */
void p9_harness_map(struct p9_harness *h, uint64_t ea, void *page, bool writable);

/* How to execute: 0 interprets the IR as the front end made it. Without a back end all interpret. */
enum p9_harness_how {
	P9_HARNESS_OPTIMISED = 1,
	P9_HARNESS_COMPILED = 2,
	P9_HARNESS_HOWS = 4, /* of these; besides: */
	P9_HARNESS_EXACT = 4, /* floating-point status is never computed late (float_status.h) */
	P9_HARNESS_PLAIN = 8, /* of a path: ordinary regions alone */
};

/* Compile for a host with fewer instructions: see jit_limit (jit/jit.h). */
void p9_harness_limit(struct p9_harness *h, unsigned level);

/* Execute words[0..count-1], which lie at `pc`, until pc is outside of them. */
struct p9_harness_result p9_harness_run(struct p9_harness *h, const uint32_t *words, unsigned count,
					uint64_t pc, uint32_t mode, unsigned how);

/* Leave compiled regions, too, when they have come by so many polls. */
void p9_harness_count_polls(struct p9_harness *h, uint32_t polls);

/* Code at pc, and pieces of it that are one region, entered where pc is the first one's. */
struct p9_harness_path {
	const uint8_t *code;
	uint32_t size;
	uint64_t pc;
	uint64_t away; /* regions are made for addresses so much greater; what moves does not mind */
	struct cpu_piece *piece;
	unsigned n;
	uint64_t *seen; /* not NULL: the first most_seen addresses where regions were entered; out: how many there are */
	unsigned most_seen, nseen;
};

/* Execute it from pc on, until that is outside of the code. */
struct p9_harness_result p9_harness_run_path(struct p9_harness *h, struct p9_harness_path *path,
					     uint64_t pc, uint32_t mode, unsigned how);

/* The signal that Linux would send for a fault, 0 if none. */
int p9_harness_signal(const struct p9_harness_result *r);

#endif
