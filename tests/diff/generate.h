/*
 * Random test cases: instructions made from the rows of isa.def, by their operands' kinds, and
 * states in which they do something interesting.
 */
#ifndef ANYKVM_TESTS_DIFF_GENERATE_H
#define ANYKVM_TESTS_DIFF_GENERATE_H

#include <stdbool.h>
#include "cpu/power9/insn.h"
#include "record.h"

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* 0..n-1 */
static inline unsigned rng_below(struct rng *r, unsigned n)
{
	return (unsigned)((rng_next(r) >> 32) * n >> 32);
}

struct generator {
	struct rng rng;
	unsigned slot;   /* where the next case will run (record.h) */
	bool fp_enables; /* FPSCR may enable exceptions */
};

/* Can one case of this row be made and run by a user program? */
bool generate_supports(const struct p9_insn_desc *d);

/* Is it free of storage, branches and traps, so that it can stand anywhere in a sequence? */
bool generate_simple(const struct p9_insn_desc *d);

/* A case that tests row d: the instruction is the last one (a stwcx. comes after its lwarx). */
void generate_case(struct generator *g, const struct p9_insn_desc *d, struct diff_case *c);

/* Can it stand in a sequence, with what generate_sequence does for it? */
bool generate_in_sequence(const struct p9_insn_desc *d);

/*
 * A case of `count` instructions of random rows among rows[0..nrows-1], all of them fit for
 * sequences, with branches forward among them and at most one loop.
 */
void generate_sequence(struct generator *g, const struct p9_insn_desc *const *rows, unsigned nrows,
		       unsigned count, struct diff_case *c);

#endif
