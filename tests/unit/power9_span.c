/*
 * Ways between pieces of translated code: direct jumps as far as a page goes, whatever else maps the same memory, and
 * indirect ones by the jump cache.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/core.h"
#include "mem/endian.h"
#include "power9_machine.h"

#define EAA_ALL (8 | 6 | 1 | 0x100 | 0x80) /* supervisor's, read, write, execute; R and C */

#define PID   7
#define EA    UINT64_C(0x0000123400000000)
#define FRAME UINT64_C(0x800000) /* of 2 MiB */
#define OTHER UINT64_C(0xa00000)
#define ROUND 50

/* Where the three pieces lie in their page; the second and third are reached from the block before. */
#define FIRST  0x0f80u
#define SECOND 0x1040u
#define THIRD  0x3000u
/* The same in pages of their own, of 64 KiB. */
#define FAR_SECOND 0x31040u
#define FAR_THIRD  0x53000u

#define LI(r, v)  (0x38000000u | (r) << 21 | (v))
#define INC(r, v) (0x38000000u | (r) << 21 | (r) << 16 | (v))
#define B(off)	  (0x48000000u | ((off) & 0x3fffffcu))
#define BL(off)	  (B(off) | 1)
#define BDNZ(off) (0x42000000u | ((off) & 0xfffcu))
#define BLR	  0x4e800020u
#define MTCTR_R7  0x7ce903a6u
#define MFLR_R8	  0x7d0802a6u
#define MTLR_R8	  0x7d0803a6u
#define ORI_R8_3  0x61080003u

static struct machine m;

static int setup(void **state)
{
	(void)state;
	machine_create(&m, 1);
	for (unsigned pid = 0; pid < 16; pid++)
		machine_process(&m, pid);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_destroy(&m);
	return 0;
}

static void put(uint64_t gra, const uint32_t *words, unsigned n)
{
	machine_code(&m, gra, words, n);
}

/* A loop that calls the second piece, which goes on in the third. */
static void put_first(uint64_t frame, uint32_t second)
{
	const uint32_t code[] = {
		LI(7, ROUND), MTCTR_R7, BL(second - FIRST - 8), INC(3, 1), BDNZ(-8), M_HCALL,
	};

	put(frame + FIRST, code, 6);
}

static void put_second(uint64_t frame, uint32_t second, uint32_t third, unsigned step)
{
	const uint32_t code[] = {MFLR_R8, INC(4, step), B(third - second - 8)};

	put(frame + second, code, 3);
}

/* LR's low bits are nothing to where it leads. */
static void put_third(uint64_t frame, uint32_t third, unsigned step)
{
	const uint32_t code[] = {INC(5, step), ORI_R8_3, MTLR_R8, BLR};

	put(frame + third, code, 4);
}

static void run(unsigned pid, uint64_t ea, unsigned second, unsigned third)
{
	struct p9_regs *r = p9_regs(m.cpu[0]);

	for (unsigned n = 0; n < 3; n++) {
		r->msr = P9_MSR_SF | P9_MSR_LE | P9_MSR_ME | (pid ? P9_MSR_IR | P9_MSR_DR : 0);
		r->pidr = pid;
		p9_state_changed(m.cpu[0]);
		r->gpr[3] = r->gpr[4] = r->gpr[5] = 0;
		assert_int_equal(machine_run(&m, 0, ea + FIRST), P9_VEC_SYSCALL);
		assert_int_equal(p9_pc(m.cpu[0]), ea + FIRST + 24);
		assert_int_equal(r->gpr[3], ROUND);
		assert_int_equal(r->gpr[4], ROUND * second);
		assert_int_equal(r->gpr[5], ROUND * third);
		assert_int_equal(r->gpr[8], (ea + FIRST + 12) | 3);
		assert_int_equal(r->lr, (ea + FIRST + 12) | 3);
	}
}

static void test_page_sizes(void **state)
{
	(void)state;
	put_first(FRAME, SECOND);
	put_second(FRAME, SECOND, THIRD, 1);
	put_third(FRAME, THIRD, 1);
	for (unsigned round = 0; round < 2; round++) {
		static const unsigned shift[] = {12, 16, 21};

		for (unsigned n = 0; n < 3; n++) {
			uint64_t ea = EA + (UINT64_C(1) << 32) * n;

			for (uint64_t at = 0; at < 0x4000; at += UINT64_C(1) << shift[n])
				machine_map(&m, PID, ea + at, FRAME + at, shift[n], EAA_ALL);
			run(PID, ea, 1, 1);
		}
		run(0, FRAME, 1, 1);
	}
}

/* The three pieces in one frame, and the second and third, which tell others, in the other. */
static void put_both(void)
{
	put_first(FRAME, FAR_SECOND);
	put_second(FRAME, FAR_SECOND, FAR_THIRD, 1);
	put_third(FRAME, FAR_THIRD, 2);
	put_second(OTHER, FAR_SECOND, FAR_THIRD, 3);
	put_third(OTHER, FAR_THIRD, 4);
}

/* The same first frame in pages of several sizes, and the others elsewhere. */
static void test_one_frame_in_two_pages(void **state)
{
	(void)state;
	put_both();
	machine_map(&m, PID, EA, FRAME, 21, EAA_ALL);
	machine_map(&m, 8, EA, FRAME, 16, EAA_ALL);
	machine_map(&m, 8, EA + 0x30000, OTHER + 0x30000, 16, EAA_ALL);
	machine_map(&m, 8, EA + 0x50000, FRAME + 0x50000, 16, EAA_ALL);
	machine_map(&m, 9, EA, FRAME, 12, EAA_ALL);
	machine_map(&m, 9, EA + 0x31000, FRAME + 0x31000, 12, EAA_ALL);
	machine_map(&m, 9, EA + 0x53000, OTHER + 0x53000, 12, EAA_ALL);
	for (unsigned n = 0; n < 5; n++) {
		run(PID, EA, 1, 2);
		run(8, EA, 3, 2);
		run(9, EA, 1, 4);
		run(0, FRAME, 1, 2);
	}
}

/* A page is split, and a piece of it goes elsewhere, and all comes back. */
static void test_split(void **state)
{
	uint64_t *large = machine_map(&m, PID, EA, FRAME, 21, EAA_ALL), whole = *large, split;

	(void)state;
	put_both();
	run(PID, EA, 1, 2);
	*large = 0;
	for (uint64_t at = 0; at < 2 << 20; at += 0x10000)
		machine_map(&m, PID, EA + at, (at == 0x30000 ? OTHER : FRAME) + at, 16, EAA_ALL);
	split = *large;
	for (unsigned n = 0; n < 6; n++) {
		*large = n % 2 ? whole : split;
		/* by address, or all of the process */
		p9_invalidate(m.system, NULL, M_LPID, PID, false, n < 3 ? EA : 0,
			      n < 3 ? EA + (2 << 20) : 0);
		run(PID, EA, n % 2 ? 1 : 3, 2);
	}
}

/*
 * The hypervisor's pages count as well: one of 2 MiB, or 512 small ones, which are as good as some of 64 KiB where all lie
 * in a row.
 */
static void test_small_partition_page(void **state)
{
	uint64_t *leaf = machine_partition_pte(&m, FRAME), whole = *leaf;
	uint64_t *table = aligned_alloc(4096, 4096);

	(void)state;
	assert_non_null(table);
	put_first(FRAME, SECOND);
	put_second(FRAME, SECOND, THIRD, 1);
	put_third(FRAME, THIRD, 2);
	put_third(OTHER, THIRD, 3);
	machine_map(&m, PID, EA, FRAME, 21, EAA_ALL);
	for (unsigned n = 0; n < 12; n++) {
		static const enum { WHOLE, APART, ROW } order[] = {WHOLE, APART, ROW, APART, WHOLE, ROW};
		unsigned now = order[n % 6];

		for (uint64_t k = 0; k < 512; k++) {
			uint64_t to = k * 4096;

			if (now == APART && k == THIRD >> 12)
				to += OTHER - FRAME;
			table[k] = htobe64(be64toh(whole) + to);
		}
		*leaf = now == WHOLE ? whole : htobe64(UINT64_C(1) << 63 | (uintptr_t)table | 9);
		p9_invalidate(m.system, NULL, M_LPID, UINT64_MAX, true, 0, 0);
		run(PID, EA, 1, now == APART ? 3 : 2);
		run(0, FRAME, 1, now == APART ? 3 : 2);
	}
	*leaf = whole;
	p9_invalidate(m.system, NULL, M_LPID, UINT64_MAX, true, 0, 0);
	free(table);
}

/* A row that has a hole: what is in it faults, whatever lies around it. */
static void test_hole_in_row(void **state)
{
	enum { STORES = 32 };
	static const uint32_t code[] = {
		0x7ca903a6, /* mtctr 5 */
		0x90a40000, /* stw 5,0(4) */
		INC(4, 0x1000),
		BDNZ(-8),
		M_HCALL,
	};
	uint64_t *leaf = machine_partition_pte(&m, OTHER), whole = *leaf;
	uint64_t *table = aligned_alloc(4096, 4096);
	struct p9_regs *r = p9_regs(m.cpu[0]);

	(void)state;
	assert_non_null(table);
	for (uint64_t n = 0; n < 512; n++)
		table[n] = htobe64(be64toh(whole) + n * 4096);
	*leaf = htobe64(UINT64_C(1) << 63 | (uintptr_t)table | 9);
	table[20] = 0;
	p9_invalidate(m.system, NULL, M_LPID, UINT64_MAX, true, 0, 0);
	put(FRAME, code, ARRAY_SIZE(code));
	r->msr = P9_MSR_SF | P9_MSR_LE | P9_MSR_ME;
	p9_state_changed(m.cpu[0]);
	r->gpr[4] = OTHER;
	r->gpr[5] = STORES;
	assert_int_equal(machine_run(&m, 0, FRAME), P9_VEC_HDSI);
	assert_int_equal(r->gpr[4], OTHER + 0x14000);
	assert_int_equal(r->asdr, OTHER + 0x14000);
	*leaf = whole;
	p9_invalidate(m.system, NULL, M_LPID, UINT64_MAX, true, 0, 0);
	free(table);
}

/* More processes than the jump cache has tables for, and other code at the same address in each. */
static void test_many_contexts(void **state)
{
	(void)state;
	for (unsigned pid = 1; pid < 16; pid++) {
		uint64_t frame = FRAME + 0x10000 * pid;

		put_first(frame, SECOND);
		put_second(frame, SECOND, THIRD, pid);
		put_third(frame, THIRD, 100 + pid);
		machine_map(&m, pid, EA, frame, 16, EAA_ALL);
	}
	for (unsigned n = 0; n < 3; n++)
		for (unsigned pid = 1; pid < 16; pid++)
			run(pid, EA, pid, 100 + pid);
}

/*
 * Functions whose addresses have the same first entry of the jump cache. Two, and as many as all lie in second entries
 * but one: compiled code finds them all.
 */
static void test_same_entry(void **state)
{
	enum { FUNCTIONS = 3, ROUNDS = 1000, DISTANCE = 4 * CPU_JUMP_HALF };
	static const uint32_t loop[] = {
		0x7d6903a6, /* mtctr 11 */
		0x4e800421, /* bctrl */
		0x7d8903a6, /* mtctr 12 */
		0x4e800421,
		0x7da903a6, /* mtctr 13 */
		0x4e800421,
		INC(6, 0xffff),
		0x2c260000, /* cmpdi 6,0 */
		0x4082ffe0, /* bne loop */
		M_HCALL,
	};
	struct p9_regs *r = p9_regs(m.cpu[0]);
	struct cpu_stats before, after;

	(void)state;
	put(FRAME, loop, ARRAY_SIZE(loop));
	for (unsigned n = 0; n < FUNCTIONS; n++) {
		const uint32_t function[] = {INC(3 + n % 3, 1), BLR};

		put(FRAME + 0x10000 + n * DISTANCE, function, 2);
	}
	for (unsigned n = 0; n < 4; n++) {
		cpu_stats_read(m.cpu[0], &before);
		r->msr = P9_MSR_SF | P9_MSR_LE | P9_MSR_ME;
		p9_state_changed(m.cpu[0]);
		r->gpr[3] = r->gpr[4] = r->gpr[5] = 0;
		r->gpr[6] = ROUNDS;
		for (unsigned k = 0; k < FUNCTIONS; k++)
			r->gpr[11 + k] = FRAME + 0x10000 + k * DISTANCE;
		assert_int_equal(machine_run(&m, 0, FRAME), P9_VEC_SYSCALL);
		cpu_stats_read(m.cpu[0], &after);
		for (unsigned k = 0; k < FUNCTIONS; k++)
			assert_int_equal(r->gpr[3 + k], ROUNDS);
	}
	if (machine_compiles())
		assert_in_range(after.left_indirect - before.left_indirect, 0, 10);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_page_sizes),
		T(test_one_frame_in_two_pages),
		T(test_split),
		T(test_small_partition_page),
		T(test_hole_in_row),
		T(test_many_contexts),
		T(test_same_entry),
	};

	return machine_run_tests(tests);
}
