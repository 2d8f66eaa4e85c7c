/*
 * Known answers of the fixed-point, branch and storage instructions: what the differential test
 * (tests/diff) cannot compare, since a user program under an emulator has no 32-bit mode, no
 * page that faults half way, no alignment interrupts, or the emulator is wrong.
 *
 * Every program is interpreted and compiled, with the optimiser off and on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/power9/cr.h"
#include "cpu/power9/core.h"
#include "cpu/power9/insn.h"
#include "cpu/power9/reserve.h"
#include "mem/endian.h"
#include "power9_harness.h"

#define PC   UINT64_C(0x10000)
#define PAGE UINT64_C(0x40000) /* two pages: the first writable, the second read-only or absent */

#define USER32 (P9_HARNESS_USER & ~(uint32_t)P9_MODE_SF)

struct machine {
	struct p9_harness *h;
	struct p9_regs *r;
	uint8_t page[2][4096] __attribute__((aligned(128)));
};

static struct machine *machine;

static int setup(void **state)
{
	(void)state;
	machine = aligned_alloc(128, (sizeof(*machine) + 127) & ~(size_t)127);
	if (!machine)
		return -1;
	memset(machine, 0, sizeof(*machine));
	machine->h = p9_harness_create();
	if (!machine->h)
		return -1;
	machine->r = p9_harness_regs(machine->h);
	p9_harness_map(machine->h, PAGE, machine->page[0], true);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	p9_harness_destroy(machine->h);
	free(machine);
	return 0;
}

/* ---- assembling ---- */

static const struct p9_insn_desc *row(const char *mnemonic)
{
	size_t count;
	const struct p9_insn_desc *d = p9_insn_table(&count);

	for (size_t n = 0; n < count; n++)
		if (!strcmp(d[n].mnemonic, mnemonic))
			return &d[n];
	fail_msg("no instruction %s", mnemonic);
	return NULL;
}

/* The word of an instruction, its operands in the order of isa.def. */
static uint32_t word(const char *mnemonic, unsigned count, const int64_t *operands)
{
	const struct p9_insn_desc *d = row(mnemonic);
	uint32_t raw = d->value;

	for (unsigned n = 0; n < count; n++) {
		assert_int_not_equal(d->operands[n], P9_OPND_NONE);
		raw = p9_operand_set(raw, d->operands[n], operands[n]);
	}
	return raw;
}

#define I(mnemonic, ...)                                                                           \
	word(mnemonic, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t),                         \
	     (const int64_t[]){__VA_ARGS__})
#define I0(mnemonic) word(mnemonic, 0, NULL)
#define RC           1u
#define LK           1u
#define OE           0x400u

/* ---- running ---- */

/*
 * `arrange` sets registers and memory before each run; afterwards registers and memory must
 * be the same in all.
 */
static struct p9_harness_result run(const uint32_t *words, unsigned count, uint32_t mode,
				    void (*arrange)(void))
{
	static uint8_t memory[sizeof(machine->page)];
	static struct p9_regs regs;
	struct p9_harness_result r[P9_HARNESS_HOWS];

	for (unsigned how = 0; how < P9_HARNESS_HOWS; how++) {
		if (arrange)
			arrange();
		r[how] = p9_harness_run(machine->h, words, count, PC, mode, how);
		if (r[how].end == P9_HARNESS_BROKEN)
			fail_msg("%s", r[how].why);
		if (!how) {
			memcpy(memory, machine->page, sizeof(memory));
			regs = *machine->r;
			continue;
		}
		assert_memory_equal(memory, machine->page, sizeof(memory));
		assert_memory_equal(&regs, machine->r, sizeof(regs));
		assert_int_equal(r[0].end, r[how].end);
		assert_int_equal(r[0].pc, r[how].pc);
	}
	return r[1];
}

#define RUN(mode, arrange, ...)                                                                    \
	run((const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / 4, mode, arrange)

static void assert_done(struct p9_harness_result r, uint64_t pc)
{
	assert_int_equal(r.end, P9_HARNESS_DONE);
	assert_int_equal(r.pc, pc);
}

static void assert_fault(struct p9_harness_result r, uint32_t vector, uint64_t pc)
{
	assert_int_equal(r.end, P9_HARNESS_FAULT);
	assert_int_equal(r.vector, vector);
	assert_int_equal(r.pc, pc);
}

/* ---- 32-bit mode ---- */

static void carry_operands(void)
{
	struct p9_regs *r = machine->r;

	r->gpr[4] = UINT64_C(0x00000000ffffffff);
	r->gpr[5] = 1;
	r->so = r->ov = r->ca = 0;
}

static void test_carry_by_mode(void **state)
{
	struct p9_regs *r = machine->r;

	(void)state;
	assert_done(RUN(P9_HARNESS_USER, carry_operands, I("addc", 3, 4, 5) | RC), PC + 4);
	assert_int_equal(r->gpr[3], UINT64_C(0x100000000));
	assert_int_equal(r->ca, 0);
	assert_int_equal(p9_xer_get(r) >> 18 & 1, 1);
	assert_int_equal(p9_crf_decode(r->crf[0]), 4);
	assert_done(RUN(USER32, carry_operands, I("addc", 3, 4, 5) | RC), PC + 4);
	assert_int_equal(r->gpr[3], UINT64_C(0x100000000));
	assert_int_equal(r->ca, 1);
	assert_int_equal(p9_xer_get(r) >> 18 & 1, 1);
	assert_int_equal(p9_crf_decode(r->crf[0]), 2); /* the low word is zero */
}

static void overflow_operands(void)
{
	struct p9_regs *r = machine->r;

	r->gpr[4] = 0x7fffffff;
	r->gpr[5] = 1;
	r->so = r->ov = r->ov32 = 0;
}

static void test_overflow_by_mode(void **state)
{
	struct p9_regs *r = machine->r;

	(void)state;
	RUN(P9_HARNESS_USER, overflow_operands, I("add", 3, 4, 5) | OE | RC);
	assert_int_equal(r->ov, 0);
	assert_int_equal(r->ov32, 1);
	assert_int_equal(r->so, 0);
	assert_int_equal(p9_crf_decode(r->crf[0]), 4);
	RUN(USER32, overflow_operands, I("add", 3, 4, 5) | OE | RC);
	assert_int_equal(r->ov, 1);
	assert_int_equal(r->ov32, 1);
	assert_int_equal(r->so, 1);
	assert_int_equal(p9_crf_decode(r->crf[0]), 9); /* negative in 32 bits, and SO */
}

static void counter_low_word(void)
{
	machine->r->ctr = UINT64_C(0x100000001);
	machine->r->lr = UINT64_C(0xffffffff00020003);
}

static void test_branches_by_mode(void **state)
{
	struct p9_regs *r = machine->r;

	(void)state;
	/* bdnz: the counter's low word becomes zero */
	assert_done(RUN(P9_HARNESS_USER, counter_low_word, I("bc", 16, 0, 0x100)), PC + 0x100);
	assert_int_equal(r->ctr, UINT64_C(0x100000000));
	assert_done(RUN(USER32, counter_low_word, I("bc", 16, 0, 0x100)), PC + 4);
	assert_int_equal(r->ctr, UINT64_C(0x100000000));
	/* bclrl goes to where LR pointed, and links behind itself */
	assert_done(RUN(P9_HARNESS_USER, counter_low_word, I("bclr", 20, 0, 0) | LK),
		    UINT64_C(0xffffffff00020000));
	assert_int_equal(r->lr, PC + 4);
	assert_done(RUN(USER32, counter_low_word, I("bclr", 20, 0, 0) | LK), 0x20000);
	/* a backward branch below zero wraps at 32 bits */
	assert_done(RUN(USER32, counter_low_word, I("b", -0x20000)), 0xffff0000);
	assert_done(RUN(P9_HARNESS_USER, counter_low_word, I("b", -0x20000)),
		    UINT64_C(0xffffffffffff0000));
}

static void high_address(void)
{
	machine->r->gpr[4] = UINT64_C(0xabcd000000000000) + PAGE;
	st_le32(machine->page[0] + 16, 0x80000001);
}

static void test_addresses_by_mode(void **state)
{
	struct p9_regs *r = machine->r;

	(void)state;
	assert_fault(RUN(P9_HARNESS_USER, high_address, I("lwz", 3, 16, 4)), P9_VEC_DSI, PC);
	assert_done(RUN(USER32, high_address, I("lwzu", 3, 16, 4)), PC + 4);
	assert_int_equal(r->gpr[3], 0x80000001);
	assert_int_equal(r->gpr[4], PAGE + 16);
}

/* ---- loops within a region ---- */

static void ten(void)
{
	machine->r->ctr = 10;
	machine->r->gpr[3] = 0;
}

static void test_loop(void **state)
{
	(void)state;
	assert_done(RUN(P9_HARNESS_USER, ten, I("addi", 3, 3, 7), I("bc", 16, 0, -4)), PC + 8);
	assert_int_equal(machine->r->gpr[3], 70);
	assert_int_equal(machine->r->ctr, 0);
}

/* ---- faults leave registers alone ---- */

static void at_page_end(void)
{
	struct p9_regs *r = machine->r;

	for (unsigned n = 0; n < 32; n++)
		r->gpr[n] = 0x1000 + n;
	r->gpr[4] = PAGE + 4096 - 8;
	r->xer_rest = 12;
	memset(machine->page[0], 0x11, 4096);
	memset(machine->page[1], 0x22, 4096);
}

static void test_faults_are_precise(void **state)
{
	static const char *const update[] = {"lwzu", "stwu", "ldu", "stdu", "lhau", "stbu"};
	struct p9_regs *r = machine->r;

	(void)state;
	for (unsigned n = 0; n < sizeof(update) / sizeof(update[0]); n++) {
		assert_fault(
		    RUN(P9_HARNESS_USER, at_page_end, I("addi", 5, 0, 1), I(update[n], 3, 8, 4)),
		    P9_VEC_DSI, PC + 4);
		assert_int_equal(r->gpr[3], 0x1003);
		assert_int_equal(r->gpr[4], PAGE + 4096 - 8);
		assert_int_equal(r->gpr[5], 1);
		assert_int_equal(r->dar, PAGE + 4096);
		assert_int_equal(r->dsisr & P9_DSISR_ISSTORE,
				 update[n][0] == 's' ? P9_DSISR_ISSTORE : 0);
	}
	/* The second half of an unaligned store is what faults: nothing is stored. */
	assert_fault(RUN(P9_HARNESS_USER, at_page_end, I("std", 3, 4, 4)), P9_VEC_DSI, PC);
	assert_int_equal(r->dar, PAGE + 4096);
	assert_int_equal(machine->page[0][4095], 0x11);
}

static void test_multiples_and_strings(void **state)
{
	const uint32_t be = P9_HARNESS_USER_BE;
	struct p9_regs *r = machine->r;

	(void)state;
	/* lmw r28 wants 16 bytes, 8 of them unmapped */
	assert_fault(RUN(be, at_page_end, I("lmw", 28, 0, 4)), P9_VEC_DSI, PC);
	for (unsigned n = 28; n < 32; n++)
		assert_int_equal(r->gpr[n], 0x1000 + n);
	assert_fault(RUN(be, at_page_end, I("lswi", 28, 4, 12)), P9_VEC_DSI, PC);
	assert_int_equal(r->gpr[28], 0x101c);
	assert_fault(RUN(be, at_page_end, I("lswx", 28, 4, 0)), P9_VEC_DSI, PC);
	assert_int_equal(r->gpr[28], 0x101c);
	/* little-endian: alignment interrupts, wherever they point */
	assert_fault(RUN(P9_HARNESS_USER, at_page_end, I("lmw", 28, 0, 4)), P9_VEC_ALIGNMENT, PC);
	assert_int_equal(r->dar, PAGE + 4096 - 8);
	assert_fault(RUN(P9_HARNESS_USER, at_page_end, I("stmw", 28, 0, 4)), P9_VEC_ALIGNMENT, PC);
	assert_fault(RUN(P9_HARNESS_USER, at_page_end, I("lswi", 28, 4, 1)), P9_VEC_ALIGNMENT, PC);
	assert_fault(RUN(P9_HARNESS_USER, at_page_end, I("lswx", 28, 4, 0)), P9_VEC_ALIGNMENT, PC);
	assert_fault(RUN(P9_HARNESS_USER, at_page_end, I("stswi", 28, 4, 1)), P9_VEC_ALIGNMENT, PC);
	assert_fault(RUN(P9_HARNESS_USER, at_page_end, I("stswx", 28, 4, 0)), P9_VEC_ALIGNMENT, PC);
}

static void test_string_wraps_and_pads(void **state)
{
	struct p9_regs *r = machine->r;

	(void)state;
	p9_harness_map(machine->h, PAGE + 4096, machine->page[1], false);
	/* 9 bytes over the page boundary, from r31 on: r31, r0, and one byte in r1 */
	assert_done(RUN(P9_HARNESS_USER_BE, at_page_end, I("addi", 4, 4, 2), I("lswi", 31, 4, 9)),
		    PC + 8);
	assert_int_equal(r->gpr[31], 0x11111111);
	assert_int_equal(r->gpr[0], 0x11112222);
	assert_int_equal(r->gpr[1], 0x22000000);
	assert_int_equal(r->gpr[2], 0x1002);
}

/* ---- cache blocks ---- */

static void in_block(void)
{
	at_page_end();
	machine->r->gpr[5] = PAGE + 300;
	machine->r->gpr[6] = PAGE + 4096 + 5;
}

static void test_dcbz(void **state)
{
	static const uint8_t zeros[128];

	(void)state;
	assert_done(RUN(P9_HARNESS_USER, in_block, I("dcbz", 0, 5)), PC + 4);
	assert_memory_equal(machine->page[0] + 256, zeros, 128);
	assert_int_equal(machine->page[0][255], 0x11);
	assert_int_equal(machine->page[0][384], 0x11);
	assert_fault(RUN(P9_HARNESS_USER, in_block, I("dcbz", 0, 6)), P9_VEC_DSI, PC);
	assert_int_equal(machine->r->dsisr & P9_DSISR_ISSTORE, P9_DSISR_ISSTORE);
	/* read-only */
	p9_harness_map(machine->h, PAGE + 4096, machine->page[1], false);
	assert_fault(RUN(P9_HARNESS_USER, in_block, I("dcbz", 0, 6)), P9_VEC_DSI, PC);
	assert_int_equal(machine->page[1][0], 0x22);
}

static void test_cache_probes(void **state)
{
	(void)state;
	assert_fault(RUN(P9_HARNESS_USER, in_block, I("icbi", 0, 6)), P9_VEC_DSI, PC);
	assert_fault(RUN(P9_HARNESS_USER, in_block, I("dcbst", 0, 6)), P9_VEC_DSI, PC);
	assert_fault(RUN(P9_HARNESS_USER, in_block, I("dcbf", 0, 6, 0)), P9_VEC_DSI, PC);
	assert_done(RUN(P9_HARNESS_USER, in_block, I("dcbt", 0, 6, 0), I("dcbtst", 0, 6, 0),
			I("icbt", 0, 0, 6)),
		    PC + 12);
}

static void test_copy_paste(void **state)
{
	struct p9_regs *r = machine->r;

	(void)state;
	assert_fault(RUN(P9_HARNESS_USER, in_block, I("copy", 0, 5)), P9_VEC_ALIGNMENT, PC);
	assert_done(RUN(P9_HARNESS_USER, in_block, I("addi", 5, 5, -44), I("copy", 0, 5),
			I("paste.", 0, 5), I0("cpabort")),
		    PC + 16);
	assert_int_equal(p9_crf_decode(r->crf[0]), r->so);
}

/* ---- reservations ---- */

static void reservation(void)
{
	struct p9_regs *r = machine->r;

	memset(r->gpr, 0, sizeof(r->gpr));
	r->gpr[4] = PAGE + 64;
	r->gpr[8] = UINT64_C(0x1122334455667788);
	r->gpr[9] = UINT64_C(0x99aabbccddeeff00);
	r->so = 1;
	r->resv_size = r->resv_addr = 0;
	r->resv_watch = r->resv_given_up = UINT64_MAX;
	r->resv_left = r->resv_patience = 0;
	r->resv_value = 0;
	for (unsigned n = 0; n < 16; n++)
		machine->page[0][64 + n] = (uint8_t)n;
}

static void test_store_conditional(void **state)
{
	struct p9_regs *r = machine->r;

	(void)state;
	assert_done(RUN(P9_HARNESS_USER, reservation, I("lwarx", 3, 0, 4, 0), I("stwcx.", 8, 0, 4)),
		    PC + 8);
	assert_int_equal(r->gpr[3], 0x03020100);
	assert_int_equal(p9_crf_decode(r->crf[0]), 3);
	assert_int_equal(r->resv_size, 0);
	assert_int_equal(ld_le64(machine->page[0] + 64), UINT64_C(0x0706050455667788));
	/* none: no reservation, another size, another address, another value */
	RUN(P9_HARNESS_USER, reservation, I("stwcx.", 8, 0, 4));
	assert_int_equal(p9_crf_decode(r->crf[0]), 1);
	RUN(P9_HARNESS_USER, reservation, I("lwarx", 3, 0, 4, 0), I("sthcx.", 8, 0, 4));
	assert_int_equal(p9_crf_decode(r->crf[0]), 1);
	RUN(P9_HARNESS_USER, reservation, I("lwarx", 3, 0, 4, 0), I("addi", 4, 4, 4),
	    I("stwcx.", 8, 0, 4));
	assert_int_equal(p9_crf_decode(r->crf[0]), 1);
	RUN(P9_HARNESS_USER, reservation, I("lwarx", 3, 0, 4, 0), I("stw", 8, 0, 4),
	    I("stwcx.", 9, 0, 4));
	assert_int_equal(p9_crf_decode(r->crf[0]), 1);
	/* the first attempt took the reservation */
	RUN(P9_HARNESS_USER, reservation, I("lwarx", 3, 0, 4, 0), I("stwcx.", 3, 0, 4),
	    I("stwcx.", 8, 0, 4));
	assert_int_equal(p9_crf_decode(r->crf[0]), 1);
	assert_int_equal(ld_le32(machine->page[0] + 64), 0x03020100);
}

static void test_quadword_conditional(void **state)
{
	struct p9_regs *r = machine->r;

	(void)state;
	RUN(P9_HARNESS_USER, reservation, I("lqarx", 6, 0, 4, 0), I("stqcx.", 8, 0, 4));
	assert_int_equal(r->gpr[6], UINT64_C(0x0f0e0d0c0b0a0908));
	assert_int_equal(r->gpr[7], UINT64_C(0x0706050403020100));
	assert_int_equal(p9_crf_decode(r->crf[0]), 3);
	assert_int_equal(ld_le64(machine->page[0] + 64), r->gpr[9]);
	assert_int_equal(ld_le64(machine->page[0] + 72), r->gpr[8]);
	RUN(P9_HARNESS_USER_BE, reservation, I("lqarx", 6, 0, 4, 0), I("stqcx.", 8, 0, 4));
	assert_int_equal(r->gpr[6], UINT64_C(0x0001020304050607));
	assert_int_equal(p9_crf_decode(r->crf[0]), 3);
	assert_int_equal(ld_be64(machine->page[0] + 64), r->gpr[8]);
	/* only the upper half changed in between */
	RUN(P9_HARNESS_USER, reservation, I("lqarx", 6, 0, 4, 0), I("std", 8, 8, 4),
	    I("stqcx.", 8, 0, 4));
	assert_int_equal(p9_crf_decode(r->crf[0]), 1);
}

static void watched(void)
{
	reservation();
	machine->r->resv_watch = (PAGE + 64) & P9_RESV_BITS;
	machine->r->resv_left = 1;
}

/* With a load in between, of the bytes themselves; in both byte orders. */
static void test_watched_conditional(void **state)
{
	static const char *const loads[] = {"lbarx", "lharx", "lwarx", "ldarx", "lqarx"};
	static const char *const stores[] = {"stbcx.", "sthcx.", "stwcx.", "stdcx.", "stqcx."};
	struct p9_regs *r = machine->r;

	(void)state;
	for (unsigned n = 0; n < 10; n++) {
		unsigned f = n / 2, size = 1u << f;
		uint32_t mode = n & 1 ? P9_HARNESS_USER_BE : P9_HARNESS_USER;
		uint8_t wanted[16];
		uint64_t first;

		assert_done(RUN(mode, watched, I(loads[f], 6, 0, 4, 0), I("ld", 10, 0, 4), I(stores[f], 8, 0, 4)),
			    PC + 12);
		assert_int_equal(p9_crf_decode(r->crf[0]), 3);
		if (n & 1) {
			st_be64(wanted, r->gpr[8]);
			st_be64(wanted + 8, r->gpr[9]);
			assert_memory_equal(machine->page[0] + 64, wanted + (size < 8 ? 8 - size : 0), size);
			first = UINT64_C(0x0001020304050607) >> (size < 8 ? 64 - 8 * size : 0);
		} else {
			st_le64(wanted, r->gpr[size == 16 ? 9 : 8]);
			st_le64(wanted + 8, r->gpr[8]);
			assert_memory_equal(machine->page[0] + 64, wanted, size);
			first = size == 16 ? UINT64_C(0x0f0e0d0c0b0a0908) :
					     UINT64_C(0x0706050403020100) & (~UINT64_C(0) >> (64 - 8 * size));
		}
		assert_int_equal(r->gpr[6], first);
		/* only so often */
		assert_int_equal(r->resv_watch, UINT64_MAX);
	}
}

static void misaligned(void)
{
	reservation();
	machine->r->gpr[4] += 1;
}

static void test_alignment(void **state)
{
	static const char *const loads[] = {"lharx", "lwarx", "ldarx", "lqarx"};
	static const char *const stores[] = {"sthcx.", "stwcx.", "stdcx.", "stqcx."};

	(void)state;
	for (unsigned n = 0; n < 4; n++) {
		assert_fault(RUN(P9_HARNESS_USER, misaligned, I(loads[n], 6, 0, 4, 0)),
			     P9_VEC_ALIGNMENT, PC);
		assert_int_equal(machine->r->dar, PAGE + 65);
		assert_fault(RUN(P9_HARNESS_USER, misaligned, I(stores[n], 6, 0, 4)),
			     P9_VEC_ALIGNMENT, PC);
	}
	assert_done(RUN(P9_HARNESS_USER, misaligned, I("lbarx", 6, 0, 4, 0), I("stbcx.", 8, 0, 4)),
		    PC + 8);
	assert_int_equal(p9_crf_decode(machine->r->crf[0]), 3);
	assert_fault(RUN(P9_HARNESS_USER, misaligned, I("lq", 6, 0, 4)), P9_VEC_ALIGNMENT, PC);
	assert_fault(RUN(P9_HARNESS_USER, misaligned, I("stq", 6, 0, 4)), P9_VEC_ALIGNMENT, PC);
	assert_fault(RUN(P9_HARNESS_USER, misaligned, I("lwat", 6, 4, 0)), P9_VEC_ALIGNMENT, PC);
	assert_done(RUN(P9_HARNESS_USER, misaligned, I("ld", 6, 0, 4), I("std", 6, 4, 4)), PC + 8);
}

/* ---- atomic memory operations ---- */

static void put_words(uint32_t below, uint32_t at, uint32_t above)
{
	reservation();
	machine->r->gpr[4] += 4;
	machine->r->gpr[6] = UINT64_C(0xfffffffffffffff0); /* RT + 1 of r5 */
	machine->r->gpr[7] = 77;
	st_le32(machine->page[0] + 64, below);
	st_le32(machine->page[0] + 68, at);
	st_le32(machine->page[0] + 72, above);
}

static void words_differ(void)
{
	put_words(9, 0x80000000, 11);
}

static void words_equal(void)
{
	put_words(10, 10, 10);
}

static void operand_equal(void)
{
	put_words(10, 0xfffffff0, 10);
}

static void at_bound(void)
{
	put_words(0, 0, 0);
	machine->r->gpr[4] = PAGE + 64 + 28;
}

static void assert_amo(uint64_t rt, uint32_t at)
{
	assert_int_equal(machine->r->gpr[5], rt);
	assert_int_equal(ld_le32(machine->page[0] + 68), at);
}

static void test_amo(void **state)
{
	const uint32_t user = P9_HARNESS_USER;
	const uint64_t bound = 0x80000000;

	(void)state;
	RUN(user, words_differ, I("lwat", 5, 4, 7)); /* signed minimum */
	assert_amo(0x80000000, 0x80000000);
	RUN(user, words_differ, I("lwat", 5, 4, 5)); /* signed maximum */
	assert_amo(0x80000000, 0xfffffff0);
	RUN(user, words_differ, I("lwat", 5, 4, 6)); /* unsigned minimum */
	assert_amo(0x80000000, 0x80000000);
	RUN(user, words_differ, I("lwat", 5, 4, 16)); /* compare and swap not equal */
	assert_amo(0x80000000, 77);
	RUN(user, operand_equal, I("lwat", 5, 4, 16));
	assert_amo(0xfffffff0, 0xfffffff0);
	RUN(user, words_differ, I("lwat", 5, 4, 24)); /* increment bounded */
	assert_amo(0x80000000, 0x80000001);
	RUN(user, words_equal, I("lwat", 5, 4, 24));
	assert_amo(bound, 10);
	RUN(user, words_differ, I("lwat", 5, 4, 25)); /* increment equal */
	assert_amo(bound, 0x80000000);
	RUN(user, words_equal, I("lwat", 5, 4, 25));
	assert_amo(10, 11);
	RUN(user, words_differ, I("lwat", 5, 4, 28)); /* decrement bounded */
	assert_amo(0x80000000, 0x7fffffff);
	RUN(user, words_equal, I("lwat", 5, 4, 28));
	assert_amo(bound, 10);
	RUN(user, words_equal, I("stwat", 7, 4, 24)); /* store twin */
	assert_int_equal(ld_le64(machine->page[0] + 68), UINT64_C(0x4d0000004d));
	RUN(user, words_differ, I("stwat", 7, 4, 24));
	assert_int_equal(ld_le32(machine->page[0] + 72), 11);
	/* the neighbour is beyond 32 bytes */
	assert_fault(RUN(user, at_bound, I("lwat", 5, 4, 24)), P9_VEC_ALIGNMENT, PC);
	/* no such function */
	assert_fault(RUN(user, words_equal, I("lwat", 5, 4, 9)), P9_VEC_HEAI, PC);
	assert_fault(RUN(user, words_equal, I("stwat", 7, 4, 8)), P9_VEC_HEAI, PC);
}

/* ---- traps, invalid and privileged forms ---- */

static void unequal(void)
{
	machine->r->gpr[4] = UINT64_C(0x1ffffffff);
	machine->r->gpr[5] = 1;
}

static void test_traps(void **state)
{
	struct p9_harness_result r;

	(void)state;
	/* -1 and 1 as words: less, and greater when unsigned */
	r = RUN(P9_HARNESS_USER, unequal, I("addi", 3, 0, 5), I("tw", 16, 4, 5));
	assert_fault(r, P9_VEC_PROGRAM, PC + 4);
	assert_int_equal(r.srr1_bits, P9_PROG_TRAP);
	assert_int_equal(machine->r->gpr[3], 5);
	assert_fault(RUN(P9_HARNESS_USER, unequal, I("tw", 1, 4, 5)), P9_VEC_PROGRAM, PC);
	assert_done(RUN(P9_HARNESS_USER, unequal, I("tw", 8 + 2 + 4, 4, 5)), PC + 4);
	assert_done(RUN(P9_HARNESS_USER, unequal, I("td", 16 + 2, 4, 5)), PC + 4);
	assert_fault(RUN(P9_HARNESS_USER, unequal, I("tdi", 8, 4, 1)), P9_VEC_PROGRAM, PC);
	assert_fault(RUN(P9_HARNESS_USER, unequal, I("tw", 31, 0, 0)), P9_VEC_PROGRAM, PC);
	assert_done(RUN(P9_HARNESS_USER, unequal, I("tw", 0, 4, 5)), PC + 4);
}

static void one_round(void)
{
	machine->r->gpr[28] = UINT64_C(0x0007597e786f8735);
	machine->r->gpr[17] = UINT64_C(0x0c8526a9);
	machine->r->gpr[15] = 0x8000;
	machine->r->ctr = 1;
}

/* Behind a loop that is entered in its middle: the code that raises the interrupt lies elsewhere. */
static void test_trap_after_loop(void **state)
{
	(void)state;
	assert_fault(RUN(P9_HARNESS_USER, one_round, 0x42bc0008, /* b .+8 as bc */
			 0x60000000, 0x7f917f97 /* divwuo. 28,17,15 */, 0x60000000,
			 0x4200fff4 /* bdnz .-12 */, 0x0e1c359f /* twlti 28,13727 */, 0x60000000,
			 0x60000000),
		     P9_VEC_PROGRAM, PC + 20);
}

static void test_invalid_forms(void **state)
{
	const uint32_t words[] = {
	    I("lwzu", 3, 0, 0),     I("lwzu", 3, 0, 3),     I("stwu", 3, 0, 0),
	    I("lq", 3, 0, 4),       I("lq", 4, 0, 4),       I("stq", 3, 0, 4),
	    I("lmw", 4, 0, 4),      I("lswi", 4, 4, 4),     I("bcctr", 16, 0, 0),
	    I("lqarx", 7, 0, 4, 0), I("addex", 3, 4, 5, 1),
	};
	uint64_t gpr3;

	(void)state;
	for (unsigned n = 0; n < sizeof(words) / sizeof(words[0]); n++) {
		gpr3 = machine->r->gpr[3];
		assert_fault(RUN(P9_HARNESS_USER_BE, NULL, words[n]), P9_VEC_HEAI, PC);
		assert_int_equal(machine->r->heir, words[n]);
		assert_int_equal(machine->r->gpr[3], gpr3);
	}
}

static void test_barriers(void **state)
{
	struct p9_harness_result r;

	(void)state;
	assert_done(
	    RUN(P9_HARNESS_USER, NULL, I("sync", 0), I("sync", 1), I0("eieio"), I0("isync")),
	    PC + 16);
	r = RUN(P9_HARNESS_USER, NULL, I("sync", 2));
	assert_fault(r, P9_VEC_PROGRAM, PC);
	assert_int_equal(r.srr1_bits, P9_PROG_PRIV);
	assert_done(RUN(P9_HARNESS_USER & ~(uint32_t)P9_MODE_PR, NULL, I("sync", 2)), PC + 4);
}

/* ---- results that have no other witness ---- */

static void divide_operands(void)
{
	struct p9_regs *r = machine->r;

	r->gpr[4] = UINT64_C(0xffffffffffffffff);
	r->gpr[5] = UINT64_C(2);
	r->gpr[6] = UINT64_C(1);
	r->so = r->ov = 0;
}

static void test_divide_extended(void **state)
{
	struct p9_regs *r = machine->r;

	(void)state;
	/* -2^64 / 2 just fits, 2^64 / 2 does not */
	RUN(P9_HARNESS_USER, divide_operands, I("divde", 3, 4, 5) | OE);
	assert_int_equal(r->gpr[3], UINT64_C(0x8000000000000000));
	assert_int_equal(r->so, 0);
	RUN(P9_HARNESS_USER, divide_operands, I("divde", 3, 6, 5) | OE);
	assert_int_equal(r->so, 1);
	assert_int_equal(r->ov, 1);
	assert_int_equal(r->ov32, 1);
}

static void test_program_counter(void **state)
{
	(void)state;
	RUN(P9_HARNESS_USER, NULL, I("addpcis", 3, -1), I("addpcis", 4, 2));
	assert_int_equal(machine->r->gpr[3], PC + 4 - 0x10000);
	assert_int_equal(machine->r->gpr[4], PC + 8 + 0x20000);
}

static void every_field(void)
{
	p9_cr_set(machine->r, 0x12345678);
}

static void test_cr_moves(void **state)
{
	struct p9_regs *r = machine->r;

	(void)state;
	RUN(P9_HARNESS_USER, every_field, I("mfcr", 3), I("mfocrf", 4, 0x10), I("mtcrf", 0x81, 4),
	    I("mfcr", 5));
	assert_int_equal(r->gpr[3], 0x12345678);
	assert_int_equal(r->gpr[4], 0x00040000);
	assert_int_equal(r->gpr[5], 0x02345670);
}

static uint32_t cr_before, cr_after;

static void two_crs(void)
{
	p9_cr_set(machine->r, cr_before);
	machine->r->gpr[4] = UINT64_C(0xabcd000000000000) | cr_after;
	machine->r->gpr[10] = 10;
}

/* Fields are kept in a form of their own: every value gets there and back, and each bit is tested. */
static void test_cr_values(void **state)
{
	struct p9_regs *r = machine->r;

	(void)state;
	for (uint32_t v = 0; v < 16; v++) {
		cr_before = v * UINT32_C(0x10203040) + (15 - v) * UINT32_C(0x01010101);
		cr_after = v * UINT32_C(0x01111111) + ((v ^ 5) << 28);
		assert_int_equal(p9_crf_decode(p9_crf_encode(v)), v);
		RUN(P9_HARNESS_USER, two_crs, I("mfcr", 3), I("isel", 11, 10, 0, 28),
		    I("isel", 12, 10, 0, 29), I("isel", 13, 10, 0, 30), I("isel", 14, 10, 0, 31),
		    I("mtcrf", 0xff, 4), I("mfcr", 5), I("crxor", 2, 6, 13), I("mcrf", 6, 7),
		    I("setb", 6, 0), I("mtcrf", 0x04, 3));
		assert_int_equal(r->gpr[3], cr_before);
		assert_int_equal(r->gpr[5], cr_after);
		for (unsigned n = 0; n < 4; n++)
			assert_int_equal(r->gpr[11 + n], cr_before >> (3 - n) & 1 ? 10 : 0);
		cr_after &= ~UINT32_C(0x20000f00);
		cr_after |= ((cr_after >> 25 ^ cr_after >> 18) & 1) << 29;
		cr_after = (cr_after & ~UINT32_C(0xf0)) | (cr_after & 0xf) << 4;
		assert_int_equal(p9_cr_get(r), cr_after | (cr_before & 0xf00));
		assert_int_equal((int64_t)r->gpr[6], cr_after >> 31	   ? -1
						     : cr_after >> 30 & 1 ? 1
									  : 0);
	}
}

static void about_to_overflow(void)
{
	struct p9_regs *r = machine->r;

	r->gpr[4] = INT64_MAX;
	r->gpr[5] = 1;
	r->gpr[6] = 0;
	r->so = r->ov = r->ov32 = r->ca = r->ca32 = r->xer_rest = 0;
}

/* XER[SO] is a mode of translated code: what follows its setting, or clearing, in the same code sees it. */
static void test_summary_overflow(void **state)
{
	struct p9_regs *r = machine->r;

	(void)state;
	RUN(P9_HARNESS_USER, about_to_overflow, I("cmp", 0, 1, 4, 5), I("add", 3, 4, 5) | OE,
	    I("cmp", 1, 1, 5, 4), I("mfspr", 7, 1), I("mtspr", 1, 6), I("cmp", 2, 1, 5, 5),
	    I("add", 3, 4, 5) | OE | RC, I("cmpl", 3, 0, 5, 4), I("add", 3, 5, 5) | OE,
	    I("cmp", 4, 1, 4, 4));
	assert_int_equal(p9_cr_get(r) >> 12, 0x99293);
	assert_int_equal(r->gpr[7], 0xc0000000);
	assert_int_equal(p9_xer_get(r), 0x80000000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_carry_by_mode),
	    TEST(test_cr_values),
	    TEST(test_summary_overflow),
	    TEST(test_overflow_by_mode),
	    TEST(test_branches_by_mode),
	    TEST(test_addresses_by_mode),
	    TEST(test_loop),
	    TEST(test_faults_are_precise),
	    TEST(test_multiples_and_strings),
	    TEST(test_string_wraps_and_pads),
	    TEST(test_dcbz),
	    TEST(test_cache_probes),
	    TEST(test_copy_paste),
	    TEST(test_store_conditional),
	    TEST(test_quadword_conditional),
	    TEST(test_watched_conditional),
	    TEST(test_alignment),
	    TEST(test_amo),
	    TEST(test_traps), TEST(test_trap_after_loop),
	    TEST(test_invalid_forms),
	    TEST(test_barriers),
	    TEST(test_divide_extended),
	    TEST(test_program_counter),
	    TEST(test_cr_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
