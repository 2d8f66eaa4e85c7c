/*
 * What goes through the pipes between p9_diff, on the host, and the runner, which executes on
 * a real or an emulated POWER9 as an ordinary user program.
 *
 * p9_diff writes a number of cases (struct diff_batch, then that many struct diff_case), the
 * runner answers with as many struct diff_result. All members but `mem` are 64-bit numbers in the
 * runner's byte order.
 *
 * The addresses are below 32 KiB where code must reach them with no base register: the test may
 * use every register there is. (A real machine must allow that: sysctl vm.mmap_min_addr=0.)
 */
#ifndef ANYKVM_TESTS_DIFF_RECORD_H
#define ANYKVM_TESTS_DIFF_RECORD_H

#define DIFF_BATCH 128 /* cases */
#define DIFF_WORDS 24  /* instructions of a case */
#define DIFF_PADS  4   /* places behind them where a branch may lead */

/*
 * Each case has a slot for its code: DIFF_PROLOGUE instructions of the runner, those of the test,
 * and the pads. Ending on a pad ends the case.
 */
#define DIFF_SLOTS     0x1000
#define DIFF_SLOT_SIZE 128
#define DIFF_PROLOGUE  3

/* Test memory: it crosses the boundary of two pages. */
#define DIFF_MEM      0x6e00
#define DIFF_MEM_SIZE 1024

#define DIFF_INIT 0x5000 /* state to be loaded */
#define DIFF_OUT  0x5800 /* state when the case ended */
#define DIFF_KEEP 0x6000 /* the runner's own registers, and where the case ended */

/* Offsets of the members of struct diff_state, for the assembler. */
#define DIFF_GPR        0
#define DIFF_CR         256
#define DIFF_XER        264
#define DIFF_CTR        272
#define DIFF_LR         280
#define DIFF_TAR        288
#define DIFF_FPSCR      296
#define DIFF_VSCR       304 /* a quadword: 0, VSCR */
#define DIFF_VRSAVE     320
#define DIFF_VSR        336
#define DIFF_STATE_SIZE 1360

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

struct diff_state {
	uint64_t gpr[32];
	uint64_t cr, xer, ctr, lr, tar, fpscr;
	uint64_t vscr[2];
	uint64_t vrsave, reserved;
	uint64_t vsr[64][2]; /* doubleword 0 first */
};

_Static_assert(offsetof(struct diff_state, cr) == DIFF_CR, "diff_state");
_Static_assert(offsetof(struct diff_state, fpscr) == DIFF_FPSCR, "diff_state");
_Static_assert(offsetof(struct diff_state, vscr) == DIFF_VSCR, "diff_state");
_Static_assert(offsetof(struct diff_state, vrsave) == DIFF_VRSAVE, "diff_state");
_Static_assert(offsetof(struct diff_state, vsr) == DIFF_VSR, "diff_state");
_Static_assert(sizeof(struct diff_state) == DIFF_STATE_SIZE, "diff_state");

struct diff_batch {
	uint64_t count;
};

struct diff_case {
	uint64_t nwords, word[DIFF_WORDS];
	struct diff_state state;
	uint8_t mem[DIFF_MEM_SIZE];
};

struct diff_result {
	uint64_t signal;         /* 0: the case ran to its end, on pad `where` */
	uint64_t where;          /* with a signal: address of the instruction */
	struct diff_state state; /* with a signal: only gpr, cr, xer, ctr, lr */
	uint8_t mem[DIFF_MEM_SIZE];
};

/* Address of instruction n of the test in slot `slot`. */
static inline uint64_t diff_address(unsigned slot, unsigned n)
{
	return DIFF_SLOTS + (uint64_t)slot * DIFF_SLOT_SIZE + 4 * (DIFF_PROLOGUE + n);
}

#endif
#endif
