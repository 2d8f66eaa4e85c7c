/*
 * Paths: several pieces of guest code as one region (translate_path.c), against the same code region by region.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/power9/core.h"
#include "cpu/power9/reserve.h"
#include "mem/endian.h"
#include "power9_harness.h"

#define CODE  UINT64_C(0x10000)
#define SIZE  0x4000u
#define OUT   0x3f00u /* where programs go to end: it is not code any more */
#define PAGE  UINT64_C(0x40000)
#define NONE  UINT64_MAX
#define AWAY  UINT64_C(0x7654000000)
#define MANY  1000000 /* polls: none is left at */

#define USER32 (P9_HARNESS_USER & ~(uint32_t)P9_MODE_SF)

#define LI(r, v)      (0x38000000u | (r) << 21 | ((v) & 0xffff))
#define ADDI(r, a, v) (0x38000000u | (r) << 21 | (a) << 16 | ((v) & 0xffff))
#define INC(r, v)     ADDI(r, r, v)
#define ADD(r, a, b)  (0x7c000214u | (r) << 21 | (a) << 16 | (b) << 11)
#define CMPDI(r, v)   (0x2c200000u | (r) << 16 | ((v) & 0xffff))
#define LD(r, d, a)   (0xe8000000u | (r) << 21 | (a) << 16 | ((d) & 0xfffc))
#define STD(r, d, a)  (0xf8000000u | (r) << 21 | (a) << 16 | ((d) & 0xfffc))
#define B(off)	      (0x48000000u | ((off) & 0x3fffffcu))
#define BL(off)	      (B(off) | 1)
#define BDNZ(off)     (0x42000000u | ((off) & 0xfffcu))
#define BEQ(off)      (0x41820000u | ((off) & 0xfffcu))
#define BNE(off)      (0x40820000u | ((off) & 0xfffcu))
#define BLR	      0x4e800020u
#define BEQLR	      0x4d820020u
#define BCTR	      0x4e800420u
#define BCTRL	      0x4e800421u
#define BCTAR	      0x4e800460u
#define MTCTR(r)      (0x7c0903a6u | (r) << 21)
#define MTLR(r)	      (0x7c0803a6u | (r) << 21)
#define MFLR(r)	      (0x7c0802a6u | (r) << 21)
#define MTTAR(r)      (0x7c0fcba6u | (r) << 21)
#define ANDI(r, s, v) (0x70000000u | (s) << 21 | (r) << 16 | (v))
#define ISEL_EQ(r, a, b) (0x7c00009eu | (r) << 21 | (a) << 16 | (b) << 11)
#define LWARX(r, b)   (0x7c000028u | (r) << 21 | (b) << 11)
#define STWCX(r, b)   (0x7c00012du | (r) << 21 | (b) << 11)
#define NOP	      0x60000000u
#define ISYNC	      0x4c00012cu

#define ROUNDS 20

static struct p9_harness *h;
static struct p9_regs *regs;
static uint8_t page[4096] __attribute__((aligned(128)));
static uint8_t code[SIZE];
static struct cpu_piece piece[CPU_PIECES];
static struct p9_harness_path path;

static int setup(void **state)
{
	(void)state;
	h = p9_harness_create();
	if (!h)
		return -1;
	regs = p9_harness_regs(h);
	p9_harness_map(h, PAGE, page, true);
	for (unsigned n = 0; n < SIZE; n += 4)
		st_le32(code + n, 0); /* illegal */
	path = (struct p9_harness_path){.code = code, .size = OUT, .pc = CODE, .away = AWAY, .piece = piece};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	p9_harness_destroy(h);
	return 0;
}

#define put(at, ...)                                                                               \
	put_words(at, sizeof((uint32_t[]){__VA_ARGS__}) / 4, (const uint32_t[]){__VA_ARGS__})

static void put_words(uint32_t at, unsigned n, const uint32_t *words)
{
	for (unsigned k = 0; k < n; k++)
		st_le32(code + at + 4 * k, words[k]);
}

static void add_sized(uint32_t at, uint32_t size, uint64_t next0, uint64_t next1)
{
	struct cpu_piece *p = &piece[path.n++];
	uint32_t room = TLB_BLOCK_SIZE - at % TLB_BLOCK_SIZE;

	*p = (struct cpu_piece){
		.pc = CODE + at,
		.bytes = code + at,
		.size = size < room ? size : room,
		.next = {next0 == NONE ? NONE : CODE + next0, next1 == NONE ? NONE : CODE + next1},
	};
}

/* A piece, and where it was left for by an indirect branch. */
static void add(uint32_t at, uint64_t next0, uint64_t next1)
{
	add_sized(at, 4 * CPU_REGION_INSNS, next0, next1);
}

static void arrange(uint64_t arg)
{
	memset(page, 0, sizeof(page));
	memset(regs, 0, sizeof(*regs));
	regs->resv_watch = regs->resv_given_up = P9_RESV_NOWHERE;
	regs->fscr = regs->hfscr = ~UINT64_C(0);
	regs->gpr[1] = PAGE + 4000;
	regs->gpr[5] = PAGE;
	regs->gpr[6] = arg;
	regs->gpr[7] = regs->ctr = ROUNDS;
	regs->gpr[10] = CODE;
}

/*
 * Region by region, and by the path in all ways; the same must come of it. Returns how often the path was entered, which
 * is the same for all.
 */
static unsigned run_polls(uint32_t entry, uint32_t mode, uint64_t arg, uint32_t polls, struct p9_harness_result *end)
{
	static uint8_t memory[sizeof(page)];
	static struct p9_regs expected;
	struct p9_harness_result plain, r;
	unsigned paths = 0;

	path.away = mode & P9_MODE_SF ? AWAY : 0;
	p9_harness_count_polls(h, polls);
	arrange(arg);
	plain = p9_harness_run_path(h, &path, CODE + entry, mode, P9_HARNESS_PLAIN);
	if (plain.end == P9_HARNESS_BROKEN)
		fail_msg("%s", plain.why);
	assert_int_not_equal(plain.end, P9_HARNESS_ENDLESS);
	memcpy(memory, page, sizeof(page));
	expected = *regs;
	for (unsigned how = 0; how < P9_HARNESS_HOWS; how++) {
		arrange(arg);
		r = p9_harness_run_path(h, &path, CODE + entry, mode, how);
		if (r.end == P9_HARNESS_BROKEN)
			fail_msg("%s", r.why);
		assert_int_equal(r.end, plain.end);
		assert_int_equal(r.pc, plain.pc);
		if (r.end == P9_HARNESS_FAULT) {
			assert_int_equal(r.vector, plain.vector);
			assert_int_equal(r.srr1_bits, plain.srr1_bits);
		}
		assert_memory_equal(page, memory, sizeof(page));
		assert_memory_equal(regs, &expected, sizeof(expected));
		if (how)
			assert_int_equal(r.paths, paths);
		paths = r.paths;
	}
	if (end)
		*end = r;
	return paths;
}

static unsigned run(uint32_t entry, uint64_t arg)
{
	run_polls(entry, P9_HARNESS_USER, arg, 3, NULL);
	run_polls(entry, P9_HARNESS_USER, arg, 1, NULL);
	return run_polls(entry, P9_HARNESS_USER, arg, MANY, NULL);
}

/* A loop that calls a leaf in another block: all of it is one region. */
static void put_leaf_loop(void)
{
	put(0x10, BL(0x1040 - 0x10), INC(3, 1), BDNZ(-8), B(OUT - 0x1c));
	put(0x1040, INC(4, 3), ADD(4, 4, 3), BLR);
	add(0x10, NONE, NONE);
	add(0x1040, 0x14, NONE);
	add(0x14, NONE, NONE);
}

static void test_leaf(void **state)
{
	(void)state;
	put_leaf_loop();
	assert_int_equal(run(0x10, 0), 1);
	assert_int_equal(regs->gpr[3], ROUNDS);
	assert_int_equal(piece[0].len, 4);
	assert_int_equal(piece[1].len, 12);
	assert_int_equal(piece[2].len, 12);
}

/* There is a poll in each loop: it is left, and entered anew. */
static void test_polls(void **state)
{
	(void)state;
	put_leaf_loop();
	assert_int_equal(run_polls(0x10, P9_HARNESS_USER, 0, 5, NULL), (ROUNDS + 4) / 5);
	assert_int_equal(run_polls(0x10, P9_HARNESS_USER, 0, 1, NULL), ROUNDS);
}

static void test_32_bit(void **state)
{
	(void)state;
	put_leaf_loop();
	assert_int_equal(run_polls(0x10, USER32, 0, MANY, NULL), 1);
	assert_int_equal(run_polls(0x10, USER32, 0, 3, NULL), (ROUNDS + 2) / 3);
}

/* A call through a pointer that changes: who is of the path is called inside, the others outside of it. */
static void put_pointer_loop(void)
{
	put(0xc, ADDI(11, 10, 0x1040), ADDI(12, 10, 0x2080));
	/* every other round the other one, if r6 has bit 0 */
	put(0x14, ADD(8, 3, 3), ANDI(9, 3, 1), 0x7d293038u /* and 9,9,6 */, CMPDI(9, 0), ISEL_EQ(9, 11, 12),
	    MTCTR(9), BCTRL, INC(3, 1), 0x7c233800u /* cmpd 3,7 */, BNE(0x14 - 0x38), B(OUT - 0x3c));
	put(0x1040, INC(4, 3), BLR);
	put(0x2080, INC(4, 5), BLR);
}

static void test_pointer(void **state)
{
	(void)state;
	put_pointer_loop();
	add(0x14, 0x1040, NONE);
	add(0x1040, 0x30, NONE);
	add(0x30, NONE, NONE);
	assert_int_equal(run(0xc, 0), 1);
	assert_int_equal(regs->gpr[4], 3 * ROUNDS);
	/* the wrong one every other round; it returns to the outside, which goes on to the loop's head */
	assert_int_equal(run(0xc, 1), ROUNDS / 2);
	assert_int_equal(regs->gpr[4], 4 * ROUNDS);
}

static void test_pointer_to_two(void **state)
{
	(void)state;
	put_pointer_loop();
	add(0x14, 0x1040, 0x2080);
	add(0x1040, 0x30, NONE);
	add(0x30, NONE, NONE);
	add(0x2080, 0x30, NONE);
	assert_int_equal(run(0xc, 1), 1);
	assert_int_equal(regs->gpr[4], 4 * ROUNDS);
}

/* A function that calls itself, and so returns to itself and to who called it. */
static void test_recursion(void **state)
{
	(void)state;
	put(0, LI(3, 6), LI(4, 0), BL(0x1000 - 8), B(OUT - 0xc));
	put(0x1000, MFLR(0), STD(0, 16, 1), INC(1, -32), CMPDI(3, 0), BEQ(0x18), INC(4, 1), INC(3, -1),
	    BL(-0x1c), INC(4, 0x100), B(8), NOP, INC(1, 32), LD(0, 16, 1), MTLR(0), BLR);
	/* beq goes where both ways meet */
	put(0x1010, BEQ(0x1c));
	add(0x1000, NONE, NONE);
	add(0x1020, 0x1020, 0xc);
	add(0x0c, NONE, NONE);
	run(0, 0);
	assert_int_equal(regs->gpr[4], 0x606);
	assert_int_equal(run_polls(0, P9_HARNESS_USER, 0, MANY, NULL), 1);
}

/* A conditional return, taken in some rounds. */
static void test_conditional_return(void **state)
{
	(void)state;
	put(0xc, BL(0x2000 - 0xc), INC(3, 1), 0x7c233800u, BNE(0xc - 0x18), B(OUT - 0x1c));
	put(0x2000, ANDI(9, 3, 3), BEQLR, INC(4, 1), CMPDI(9, 2), BEQLR, INC(4, 0x100), BLR);
	add(0xc, NONE, NONE);
	add(0x2000, 0x10, NONE);
	add(0x10, NONE, NONE);
	assert_int_equal(run(0xc, 0), 1);
	assert_int_equal(regs->gpr[4], 3 * ROUNDS / 4 + 0x100 * (ROUNDS / 2));
}

/* By CTR and TAR without a link: jumps of a table. */
static void test_jumps(void **state)
{
	(void)state;
	put(0xc, ADDI(11, 10, 0x1ff0), ADDI(12, 10, 0xc0), MTTAR(12));
	put(0x18, ADD(9, 11, 6), MTCTR(9), BCTR);
	put(0x1ff0, INC(4, 1), INC(3, 1), 0x7c233800u, BEQ(8));
	put(0x2000, BCTAR, B(OUT - 0x2004));
	put(0xc0, B(0x18 - 0xc0));
	add(0x18, 0x1ff0, NONE);
	add(0x1ff0, NONE, NONE);
	add(0x2000, 0xc0, NONE);
	add(0xc0, NONE, NONE);
	/* beq at the end of its block goes over the bctar */
	put(0x1ffc, BEQ(8));
	assert_int_equal(run(0xc, 0), 1);
	/* the low bits of CTR count for nothing */
	assert_int_equal(run(0xc, 3), 1);
	assert_int_equal(regs->gpr[4], ROUNDS);
	assert_int_equal(regs->ctr, CODE + 0x1ff3);
}

/* Calls at the end of a block, single instructions on either side of one, a piece that goes on in the next. */
static void test_block_ends(void **state)
{
	(void)state;
	put(0xffc, BL(0x2ffc - 0xffc));
	put(0x1000, INC(3, 1), 0x7c233800u, BNE(0xffc - 0x1008), B(OUT - 0x100c));
	put(0x2ffc, INC(4, 1));
	put(0x3000, BLR);
	add(0xffc, NONE, NONE);
	add(0x2ffc, NONE, NONE);
	add(0x3000, 0x1000, NONE);
	add(0x1000, NONE, NONE);
	assert_int_equal(run(0xffc, 0), 1);
	assert_int_equal(regs->gpr[4], ROUNDS);
	for (unsigned n = 0; n < 3; n++)
		assert_int_equal(piece[n].len, 4);
}

/* A path whose head is the start of a block, and the head of a loop. */
static void test_head_at_block_start(void **state)
{
	(void)state;
	put(0x1000, INC(3, 1), BL(0x20 - 0x1004), 0x7c233800u, BNE(-0xc), B(OUT - 0x1010));
	put(0x20, INC(4, 2), BLR);
	add(0x1000, NONE, NONE);
	add(0x20, 0x1008, NONE);
	add(0x1008, NONE, NONE);
	assert_int_equal(run(0x1000, 0), 1);
	assert_int_equal(regs->gpr[4], 2 * ROUNDS);
}

/* Pieces that begin in others, before and behind them in the list, and some that nothing leads to. */
static void test_overlaps(void **state)
{
	static const uint32_t starts[][4] = {
		{0x0c, 0x18, 0x10, 0x14}, {0x14, 0x0c, 0x18, 0x10}, {0x18, 0x14, 0x10, 0x0c}, {0x10, 0x0c, 0x0c, 0x10},
	};

	(void)state;
	put(0xc, ADD(4, 4, 3), INC(3, 1), INC(4, 0x11), BL(0x1100 - 0x18), INC(4, 0x100), 0x7c233800u,
	    BNE(0xc - 0x24), B(OUT - 0x28));
	put(0x1100, INC(4, 7), BLR, INC(4, 1), B(0));
	for (unsigned n = 0; n < 4; n++) {
		path.n = 0;
		for (unsigned k = 0; k < 4; k++)
			add_sized(starts[n][k], k % 2 ? 0x100 : 0x10, NONE, NONE);
		add(0x1100, 0x1c, NONE);
		add(0x1c, NONE, NONE);
		add(0x1108, NONE, NONE);
		run(starts[n][0], 0);
		assert_int_equal(piece[4].len, 8);
		assert_int_equal(piece[6].len, 0);
		run_polls(starts[n][0], USER32, 0, 2, NULL);
	}
}

/* What a callee faults at has its own address, and all that came before it is done. */
static void test_fault_in_callee(void **state)
{
	struct p9_harness_result end;

	(void)state;
	put(0xc, INC(5, 0x100), BL(0x2040 - 0x10), INC(3, 1), 0x7c233800u, BNE(0xc - 0x1c), B(OUT - 0x20));
	put(0x2040, INC(4, 1), LD(8, 0, 5), INC(4, 1), STD(4, 8, 5), BLR);
	add(0xc, NONE, NONE);
	add(0x2040, 0x14, NONE);
	add(0x14, NONE, NONE);
	run(0xc, 0);
	assert_int_equal(run_polls(0xc, P9_HARNESS_USER, 0, MANY, &end), 1);
	assert_int_equal(end.end, P9_HARNESS_FAULT);
	assert_int_equal(end.pc, CODE + 0x2044);
	assert_int_equal(regs->gpr[3], 15);
	assert_int_equal(regs->gpr[4], 31);
	assert_int_equal(regs->lr, CODE + 0x14);
}

/* An illegal word, and what has the guest's code fetched anew, end a path. */
static void test_ends(void **state)
{
	struct p9_harness_result end;

	(void)state;
	put(0xc, BL(0x2040 - 0xc), INC(3, 1), 0x7c233800u, BNE(0xc - 0x18), 0);
	put(0x2040, INC(4, 1), ISYNC, INC(4, 1), BLR);
	add(0xc, NONE, NONE);
	add(0x2040, 0x10, NONE);
	add(0x10, NONE, NONE);
	add(0x2048, 0x10, NONE);
	run(0xc, 0);
	assert_int_equal(run_polls(0xc, P9_HARNESS_USER, 0, MANY, &end), ROUNDS);
	assert_int_equal(end.end, P9_HARNESS_FAULT);
	assert_int_equal(end.pc, CODE + 0x1c);
}

/* A reservation that is made in one piece and used in another. */
static void test_reservation(void **state)
{
	(void)state;
	put(0xc, BL(0x2040 - 0xc), INC(8, 1), BL(0x3000 - 0x14), BNE(0xc - 0x18), INC(3, 1), 0x7c233800u,
	    BNE(0xc - 0x24), B(OUT - 0x28));
	put(0x2040, LWARX(8, 5), BLR);
	put(0x3000, STWCX(8, 5), BLR);
	add(0xc, NONE, NONE);
	add(0x2040, 0x10, NONE);
	add(0x10, NONE, NONE);
	add(0x3000, 0x18, NONE);
	add(0x18, NONE, NONE);
	/* Without the path it is given up between regions, and watched then. */
	for (unsigned how = 0; how < P9_HARNESS_HOWS; how++) {
		struct p9_harness_result r;

		path.away = AWAY;
		p9_harness_count_polls(h, MANY);
		arrange(0);
		r = p9_harness_run_path(h, &path, CODE + 0xc, P9_HARNESS_USER, how);
		if (r.end == P9_HARNESS_BROKEN)
			fail_msg("%s", r.why);
		assert_int_equal(r.end, P9_HARNESS_DONE);
		assert_int_equal(r.paths, 1);
		assert_int_equal(ld_le32(page), ROUNDS);
		assert_int_equal(regs->resv_given_up, P9_RESV_NOWHERE);
	}
}

/* Its load and its store lie on both sides of a block's end, and the path begins at either. */
static void test_reservation_straddles(void **state)
{
	static const uint32_t starts[] = {0x1000, 0xff8, 0xffc};

	(void)state;
	put(0xff8, NOP, LWARX(8, 5), INC(8, 1), STWCX(8, 5), BNE(0xff8 - 0x1008), BDNZ(0xff8 - 0x100c), B(OUT - 0x1010));
	for (unsigned n = 0; n < 3; n++)
		for (unsigned how = 0; how < P9_HARNESS_HOWS; how++) {
			struct p9_harness_result r;

			path.n = 0;
			add(starts[n], NONE, NONE);
			add(starts[(n + 1) % 3], NONE, NONE);
			add(starts[(n + 2) % 3], NONE, NONE);
			path.away = AWAY;
			p9_harness_count_polls(h, 3);
			arrange(0);
			r = p9_harness_run_path(h, &path, CODE + 0xff8, P9_HARNESS_USER, how);
			if (r.end == P9_HARNESS_BROKEN)
				fail_msg("%s", r.why);
			assert_int_equal(r.end, P9_HARNESS_DONE);
			assert_in_range(r.paths, 2, ROUNDS);
			assert_int_equal(ld_le32(page), ROUNDS);
			assert_int_equal(regs->resv_given_up, P9_RESV_NOWHERE);
		}
}

/* As many pieces as there can be, of as many instructions, that go round through pointers. */
static void test_most(void **state)
{
	(void)state;
	for (unsigned n = 0; n < CPU_PIECES; n++) {
		uint32_t at = n * 0x400;

		for (unsigned k = 0; k < CPU_REGION_INSNS - 3; k++)
			put(at + 4 * k, k % 4 ? ADD(k % 8 + 14, n + 1, k % 5 + 14) : STD(k % 8 + 14, 8 * k, 5));
		put(at + 4 * CPU_REGION_INSNS - 12, ADDI(12, 10, 0x400 * ((n + 1) % CPU_PIECES)), MTCTR(12),
		    n == CPU_PIECES - 1 ? BDNZ(8) : BCTR);
		add(at, 0x400 * ((n + 1) % CPU_PIECES), NONE);
	}
	/* the last counts */
	put((CPU_PIECES - 1) * 0x400 + 4 * CPU_REGION_INSNS - 12, INC(6, -1), CMPDI(6, 0), BNE(-0x400 * 7 - 0xf8 - 4 + 4),
	    B(OUT - 0x1d00));
	assert_int_equal(run(0, 5), 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_leaf),
		T(test_polls),
		T(test_32_bit),
		T(test_pointer),
		T(test_pointer_to_two),
		T(test_recursion),
		T(test_conditional_return),
		T(test_jumps),
		T(test_block_ends),
		T(test_head_at_block_start),
		T(test_overlaps),
		T(test_fault_in_callee),
		T(test_ends),
		T(test_reservation),
		T(test_reservation_straddles),
		T(test_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
