/*
 * Reservations (cpu/power9/reserve.h): what makes a processor lose one, whatever value is stored, and what does
 * not; and that loops around a conditional store get on, whatever they do in between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/power9/region.h"
#include "cpu/power9/translate.h"
#include "ir/op.h"
#include "mem/endian.h"
#include "power9_machine.h"

#define DATA    UINT64_C(0x800000)
#define GRANULE 128
#define EQ      UINT32_C(0x20000000)

#define X(xo, rt, ra, rb) (UINT32_C(31) << 26 | (rt) << 21 | (ra) << 16 | (rb) << 11 | (uint32_t)(xo) << 1)
#define D(op, rt, ra, d)  ((uint32_t)(op) << 26 | (uint32_t)(rt) << 21 | (ra) << 16 | ((d) & 0xffff))
#define LDARX(rt, rb)     X(84, rt, 0, rb)
#define STDCX(rs, rb)     (X(214, rs, 0, rb) | 1)
#define LD(rt, d, ra)     D(58, rt, ra, d)
#define STD(rs, d, ra)    D(62, rs, ra, d)
#define ADDI(rt, ra, i)   D(14, rt, ra, i)
#define BNE(d)            (D(16, 4, 2, d))
#define BEQ(d)            (D(16, 12, 2, d))
#define BDNZ(d)           (D(16, 16, 0, d))
#define MFCR(rt)          X(19, rt, 0, 0)
#define DCBZ(rb)          X(1014, 0, 0, rb)
#define STDAT_ADD(rs, ra) X(742, rs, ra, 0)
#define CMPDI(ra, i)      D(11, 1, ra, i)
#define NOP               0x60000000u

/* Load and reserve, store conditional. */
static const struct {
	unsigned size, load, store;
} form[] = {{1, 52, 694}, {2, 116, 726}, {4, 20, 150}, {8, 84, 214}, {16, 276, 182}};

static struct machine m;

static int setup(void **state)
{
	(void)state;
	machine_create(&m, 2);
	return 0;
}

static int setup_one(void **state)
{
	(void)state;
	machine_create(&m, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_destroy(&m);
	return 0;
}

static struct p9_regs *regs(unsigned n)
{
	return p9_regs(m.cpu[n]);
}

#define RUN(n, at, ...) run(n, at, (const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / 4)

static void code(uint64_t at, const uint32_t *words, unsigned count)
{
	/* Only what is new: the rest stays translated. */
	for (unsigned n = 0; n < count; n++)
		if (ld_le32(m.ram + at + 4 * n) != words[n]) {
			machine_code(&m, at, words, count);
			return;
		}
}

static void run(unsigned n, uint64_t at, const uint32_t *words, unsigned count)
{
	code(at, words, count);
	assert_int_equal(machine_run(&m, n, at), P9_VEC_SYSCALL);
}

/* From the load and reserve at DATA + offset to the exit behind it; what runs on comes to its store. */
static void reserve(unsigned f, uint64_t offset)
{
	struct p9_regs *r = regs(0);

	r->gpr[4] = DATA + offset;
	RUN(0, M_CODE, X(form[f].load, 6, 0, 4), M_HCALL, X(form[f].store, 8, 0, 4) | 1, MFCR(5), M_HCALL);
}

/* r8 and, of a quadword, r9 to DATA + offset: was it stored? */
static bool store(void)
{
	assert_int_equal(machine_run(&m, 0, p9_pc(m.cpu[0])), P9_VEC_SYSCALL);
	return regs(0)->gpr[5] & EQ;
}

/* The first one is given up at the exit; then they are watched. */
static void reserve_watched(unsigned f, uint64_t offset)
{
	for (unsigned n = 0; n < 4; n++) {
		reserve(f, offset);
		if (regs(0)->resv_size)
			return;
		assert_false(store());
	}
	fail_msg("reservations at 0x%x are always given up", (unsigned)offset);
}

/* Another value and the old one again, by plain stores of the other processor. */
static void change_and_restore(uint64_t at)
{
	struct p9_regs *r = regs(1);

	r->gpr[4] = DATA + at;
	r->gpr[8] = ~ld_le64(m.ram + DATA + at);
	RUN(1, M_CODE + 0x1000, LD(9, 0, 4), STD(8, 0, 4), STD(9, 0, 4), M_HCALL);
}

static void arrange(void)
{
	struct p9_regs *r = regs(0);

	for (unsigned n = 0; n < 4 * GRANULE; n++)
		m.ram[DATA + n] = (uint8_t)n;
	r->gpr[8] = UINT64_C(0x1122334455667788);
	r->gpr[9] = UINT64_C(0x99aabbccddeeff00);
}

/* Nobody stores: it lasts over the exit, and stores what it should. */
static void test_kept(void **state)
{
	(void)state;
	for (unsigned f = 0; f < 5; f++) {
		unsigned size = form[f].size;
		uint8_t before[32], wanted[16];

		arrange();
		st_le64(wanted, regs(0)->gpr[size == 16 ? 9 : 8]);
		st_le64(wanted + 8, regs(0)->gpr[8]);
		reserve_watched(f, 32);
		memcpy(before, m.ram + DATA + 32, 32);
		assert_true(store());
		assert_memory_equal(m.ram + DATA + 32, wanted, size);
		assert_memory_equal(m.ram + DATA + 32 + size, before + size, 32 - size);
		/* once */
		assert_int_equal(machine_run(&m, 0, M_CODE + 8), P9_VEC_SYSCALL);
		assert_false(regs(0)->gpr[5] & EQ);
	}
}

/* The value is the same again. */
static void test_same_value(void **state)
{
	(void)state;
	for (unsigned f = 0; f < 5; f++) {
		arrange();
		reserve_watched(f, 64);
		change_and_restore(64);
		assert_false(store());
		assert_int_equal(m.ram[DATA + 64], 64);
		/* And it is of no consequence for the next. */
		reserve_watched(f, 64);
		assert_true(store());
	}
}

/* All of the granule counts, and nothing else. */
static void test_granule(void **state)
{
	(void)state;
	for (int64_t at = 0; at < 4 * GRANULE; at += 16) {
		arrange();
		reserve_watched(3, GRANULE + 24);
		change_and_restore((uint64_t)at);
		assert_int_equal(store(), at < GRANULE || at >= 2 * GRANULE);
	}
	/* a store over the end of the one before */
	arrange();
	reserve_watched(2, GRANULE);
	change_and_restore(GRANULE - 4);
	assert_false(store());
}

/* In the same place of memory, by another name. */
static void test_others(void **state)
{
	struct p9_regs *r = regs(1);

	(void)state;
	memset(m.ram + DATA, 0, GRANULE);
	r->gpr[4] = DATA + 8;
	r->gpr[8] = 0;
	/* its conditional store; one that fails has stored nothing */
	reserve_watched(3, 0);
	RUN(1, M_CODE + 0x1000, LDARX(6, 4), STDCX(8, 4), M_HCALL);
	assert_false(store());
	reserve_watched(3, 0);
	RUN(1, M_CODE + 0x1100, STDCX(8, 4), M_HCALL);
	assert_true(store());
	memset(m.ram + DATA, 0, GRANULE);
	/* an atomic operation, zeroing the block */
	reserve_watched(3, 0);
	RUN(1, M_CODE + 0x1200, STDAT_ADD(8, 4), M_HCALL);
	assert_false(store());
	reserve_watched(3, 0);
	RUN(1, M_CODE + 0x1300, DCBZ(4), M_HCALL);
	assert_false(store());
	/* the hypervisor */
	reserve_watched(3, 0);
	cpu_outside_store_begin(m.system, HVA(m.ram + DATA + 16));
	st_le64(m.ram + DATA + 16, 0);
	cpu_outside_store_end(m.system, HVA(m.ram + DATA + 16), 8);
	assert_false(store());
	/* a page that it has taken away: what comes there is another's */
	reserve_watched(3, 0);
	cpu_shoot_host(m.system, NULL, HVA(m.ram + DATA), 4096);
	assert_false(store());
}

/* Its own stores are not others'; another load and reserve, or a conditional store to another address, is the end of it. */
static void test_own(void **state)
{
	struct p9_regs *r = regs(0);
	uint64_t back;

	(void)state;
	memset(m.ram + DATA, 0, 4 * GRANULE);
	reserve_watched(3, 0);
	back = p9_pc(m.cpu[0]);
	r->gpr[10] = DATA + 8;
	RUN(0, M_CODE + 0x1000, STD(8, 0, 10), LD(7, 0, 10), M_HCALL);
	p9_set_pc(m.cpu[0], back);
	assert_true(store());

	memset(m.ram + DATA, 0, 4 * GRANULE);
	reserve_watched(3, 0);
	r->gpr[10] = DATA + GRANULE;
	RUN(0, M_CODE + 0x1100, LDARX(7, 10), M_HCALL);
	p9_set_pc(m.cpu[0], back);
	assert_false(store());

	reserve_watched(3, 0);
	RUN(0, M_CODE + 0x1200, STDCX(7, 10), M_HCALL);
	p9_set_pc(m.cpu[0], back);
	assert_false(store());

	/* a store of another size stores nothing */
	reserve_watched(3, 0);
	RUN(0, M_CODE + 0x1300, X(150, 8, 0, 4) | 1, MFCR(5), M_HCALL);
	assert_false(r->gpr[5] & EQ);
	assert_int_equal(ld_le64(m.ram + DATA), 0);
}

/* Not even where it has reserved. */
static void test_own_value(void **state)
{
	struct p9_regs *r = regs(0);
	uint64_t back;

	(void)state;
	arrange();
	reserve_watched(3, 64);
	back = p9_pc(m.cpu[0]);
	RUN(0, M_CODE + 0x1000, STD(9, 0, 4), M_HCALL);
	p9_set_pc(m.cpu[0], back);
	assert_true(store());
	assert_int_equal(ld_le64(m.ram + DATA + 64), r->gpr[8]);
	/* but that another's has come in between is seen */
	reserve_watched(3, 64);
	RUN(0, M_CODE + 0x1000, STD(9, 0, 4), M_HCALL);
	change_and_restore(64);
	p9_set_pc(m.cpu[0], back);
	assert_false(store());
}

/* Whatever others store meanwhile, a block is not watched for ever. */
static void test_watched_for_a_while(void **state)
{
	struct cpu_stats before, after;
	struct p9_regs *r = regs(1);

	(void)state;
	arrange();
	reserve_watched(3, 0);
	r->gpr[4] = DATA + 2 * GRANULE;
	r->ctr = 100;
	RUN(1, M_CODE + 0x1000, STD(8, 0, 4), BDNZ(-4), M_HCALL);
	assert_true(store());
	reserve_watched(3, 0);
	r->ctr = 10000;
	cpu_stats_read(m.cpu[1], &before);
	RUN(1, M_CODE + 0x1000, STD(8, 0, 4), BDNZ(-4), M_HCALL);
	cpu_stats_read(m.cpu[1], &after);
	assert_in_range(after.tlb_misses - before.tlb_misses, 0, 100);
	assert_false(store());
}

/* More blocks than there is room to watch. */
static void test_many_blocks(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 500; n++) {
		m.ram[DATA + n * 4096] = 0;
		reserve_watched(3, n * 4096);
		if (n & 1) {
			change_and_restore(n * 4096);
			assert_false(store());
		} else {
			assert_true(store());
		}
	}
}

/* ---- getting on ---- */

static uint64_t given_up(unsigned n)
{
	struct cpu_stats s;

	cpu_stats_read(m.cpu[n], &s);
	return s.reservations_given_up;
}

/* ctr times: take the first of a list, that leads to itself. */
static void test_load_between(void **state)
{
	struct p9_regs *r = regs(0);

	(void)state;
	st_le64(m.ram + DATA, DATA);
	r->gpr[4] = DATA;
	r->ctr = 1000;
	RUN(0, M_CODE, LDARX(6, 4), LD(7, 0, 6), STDCX(7, 4), BNE(-12), BDNZ(-16), M_HCALL);
	/* a few failures, the more watched loads behind each */
	assert_in_range(given_up(0), 1, 20);
}

/* The load and its store lie on both sides of a page's end. */
static void test_straddle(void **state)
{
	struct p9_regs *r = regs(0);

	(void)state;
	for (unsigned n = 0; n < 3; n++) {
		uint64_t before = given_up(0);

		st_le64(m.ram + DATA, 0);
		r->gpr[4] = DATA;
		r->ctr = 1000;
		RUN(0, M_CODE + 0xffc - 4 * n, LDARX(6, 4), ADDI(6, 6, 1), NOP, STDCX(6, 4), BNE(-16), BDNZ(-20),
		    M_HCALL);
		assert_int_equal(ld_le64(m.ram + DATA), 1000);
		assert_int_equal(given_up(0) - before, 0);
	}
}

/* The same, and something comes in between: an access, another address, another size, the end of the loop. */
static void test_straddle_in_vain(void **state)
{
	struct p9_regs *r = regs(0);

	(void)state;
	st_le64(m.ram + DATA, 0);
	r->gpr[8] = 42;
	r->gpr[4] = DATA;
	r->gpr[10] = DATA + 8;
	RUN(0, M_CODE + 0xffc, LDARX(6, 4), LD(7, 0, 4), STDCX(8, 4), MFCR(5), M_HCALL);
	assert_false(r->gpr[5] & EQ);
	RUN(0, M_CODE + 0x1ffc, LDARX(6, 4), STDCX(8, 10), MFCR(5), M_HCALL);
	assert_false(r->gpr[5] & EQ);
	/* each another one: those that were in vain are watched now */
	r->gpr[10] += 8;
	RUN(0, M_CODE + 0x2ffc, LDARX(6, 10), X(150, 8, 0, 10) | 1, MFCR(5), M_HCALL);
	assert_false(r->gpr[5] & EQ);
	/* out before the store, and back to it */
	r->gpr[10] += 8;
	RUN(0, M_CODE + 0x3ffc, LDARX(6, 10), BEQ(8), M_HCALL, STDCX(8, 10), MFCR(5), M_HCALL);
	assert_int_equal(machine_run(&m, 0, M_CODE + 0x4008), P9_VEC_SYSCALL);
	assert_false(r->gpr[5] & EQ);
	assert_int_equal(ld_le64(m.ram + DATA), 0);
}

/* The page behind is not there yet: while it is brought, others run. */
static void test_straddle_fault(void **state)
{
	const uint64_t at = UINT64_C(0xbffffc), page = UINT64_C(0xc00000);
	static const uint32_t words[] = {LDARX(6, 4), STDCX(8, 4), MFCR(5), M_HCALL};
	uint64_t *pte = machine_partition_pte(&m, page), before = *pte;

	(void)state;
	arrange();
	regs(0)->gpr[4] = DATA;
	machine_code(&m, at, words, 4);
	for (unsigned n = 0; n < 8; n++) {
		*pte = 0;
		cpu_shoot_host(m.system, NULL, HVA(m.ram + page), 2 << 20);
		assert_int_equal(machine_run(&m, 0, at), P9_VEC_HISI);
		assert_int_equal(p9_pc(m.cpu[0]), page);
		*pte = before;
		change_and_restore(0);
		assert_false(store());
	}
	assert_int_equal(machine_run(&m, 0, at), P9_VEC_SYSCALL);
	assert_true(regs(0)->gpr[5] & EQ);
}

/* What a bare reservation is kept over neither accesses memory nor calls anything that does. */
static void test_what_keeps(void **state)
{
	const struct p9_insn_desc *row;
	unsigned kept = 0;
	size_t count;

	(void)state;
	row = p9_insn_table(&count);
	for (size_t n = 0; n < count; n++)
		for (unsigned k = 0; k < 50; k++) {
			uint32_t raw = row[n].value | ((uint32_t)random() & ~row[n].mask);
			struct ir_region r;
			struct p9_insn i;
			uint8_t code[4];

			st_le32(code, raw);
			if (!p9_decode(raw, &i) || i.desc != &row[n] || (row[n].flags & P9_FLAG_RESERVE) ||
			    !p9_keeps_reservation(&i))
				continue;
			kept++;
			ir_region_init(&r);
			p9_translate_region(P9_MODE_SF | P9_MODE_LE | P9_MODE_PR, &r, M_CODE + 4, code, 4, 1);
			for (uint32_t at = 0; at < r.ninst; at++) {
				const struct ir_helper *h = ir_helper_of(&r.inst[at]);

				if (r.inst[at].op >= IR_LOAD && r.inst[at].op <= IR_STORE_HOST)
					fail_msg("%s accesses memory", row[n].mnemonic);
				/* These are the last of the region. */
				if (r.inst[at].op == IR_CALL && !(h->flags & IR_H_PURE) &&
				    strcmp(h->name, "raise_illegal") && strcmp(h->name, "so_changed"))
					fail_msg("%s calls %s", row[n].mnemonic, h->name);
			}
			ir_region_destroy(&r);
		}
	assert_true(kept > 1000);
}

/* In a long straight line none is given up, wherever regions end. */
static void test_long_line(void **state)
{
	uint32_t words[200];
	struct p9_regs *r = regs(0);

	(void)state;
	for (unsigned first = 0; first < 20; first++) {
		unsigned n = 0;

		while (n < first)
			words[n++] = NOP;
		while (n + 6 < 200) {
			words[n++] = LDARX(6, 4);
			words[n++] = ADDI(6, 6, 1);
			words[n++] = STDCX(6, 4);
			words[n++] = BNE(-12);
			words[n++] = NOP;
		}
		words[n++] = M_HCALL;
		st_le64(m.ram + DATA, 0);
		r->gpr[4] = DATA;
		run(0, M_CODE, words, n);
		assert_int_equal(ld_le64(m.ram + DATA), (n - 1 - first) / 5);
	}
	assert_int_equal(given_up(0), 0);
}

/* One instruction at a time. */
static void test_single_step(void **state)
{
	/* the trace interrupt's handler: back to what was interrupted */
	static const uint32_t handler[] = {0x4c000024u};
	struct p9_regs *r = regs(0);

	(void)state;
	machine_code(&m, 0xd00, handler, 1);
	st_le64(m.ram + DATA, 0);
	r->gpr[4] = DATA;
	r->ctr = 20;
	r->msr |= P9_MSR_SE;
	p9_state_changed(m.cpu[0]);
	RUN(0, M_CODE, LDARX(6, 4), ADDI(6, 6, 1), STDCX(6, 4), BNE(-12), BDNZ(-16), M_HCALL);
	assert_int_equal(ld_le64(m.ram + DATA), 20);
}

/*
 * A stack of nodes without a lock, which two processors take two nodes each from and put them back: what one has taken is
 * the first again by the time the other stores, with another one behind it. A node is doubleword 0: the
 * next one, 1: how many have it. r4: where the first one's address is.
 */
#define NODES 4

/* Some time for the other between the load and its store; then nobody else may have it. */
#define POP(node, error)                                                                           \
	LDARX(node, 4), CMPDI(node, 0), BEQ(-8), LD(7, 0, node), ADDI(8, 0, 30), ADDI(8, 8, -1),   \
		CMPDI(8, 0), BNE(-8), STDCX(7, 4), BNE(-36), LD(8, 8, node), CMPDI(8, 0),          \
		BNE((error) - 48), ADDI(8, 0, 1), STD(8, 8, node)
#define PUSH(node)                                                                                 \
	ADDI(8, 0, 0), STD(8, 8, node), LDARX(7, 4), STD(7, 0, node), STDCX(node, 4), BNE(-12)

static const uint32_t pop_and_push[] = {
	/* 0 */ POP(6, 176),
	/* 60 */ POP(10, 176 - 60),
	/* 120 */ PUSH(6),
	/* 144 */ PUSH(10),
	/* 168 */ BDNZ(-168),
	M_HCALL,
	/* 176: an error */ ADDI(31, 31, 1),
	M_HCALL,
};

static void *run_stack(void *arg)
{
	unsigned n = (unsigned)(uintptr_t)arg;

	p9_set_pc(m.cpu[n], M_CODE);
	return (void *)(uintptr_t)(cpu_run(m.cpu[n]) == CPU_EXIT_HYPERVISOR);
}

static void test_stack(void **state)
{
	unsigned count = 0;
	pthread_t thread[2];
	uint64_t node;

	(void)state;
	machine_code(&m, M_CODE, pop_and_push, sizeof(pop_and_push) / 4);
	for (unsigned n = 0; n <= NODES; n++)
		st_le64(m.ram + DATA + n * GRANULE, n < NODES ? DATA + (n + 1) * GRANULE : 0);
	for (unsigned n = 0; n < 2; n++) {
		regs(n)->gpr[4] = DATA;
		regs(n)->gpr[31] = 0;
		regs(n)->ctr = 5000;
	}
	for (unsigned n = 0; n < 2; n++)
		assert_int_equal(pthread_create(&thread[n], NULL, run_stack, (void *)(uintptr_t)n), 0);
	for (unsigned n = 0; n < 2; n++) {
		void *ok;

		pthread_join(thread[n], &ok);
		assert_non_null(ok);
	}
	for (unsigned n = 0; n < 2; n++) {
		assert_int_equal(regs(n)->gpr[31], 0);
		assert_int_equal(regs(n)->ctr, 0);
	}
	for (node = ld_le64(m.ram + DATA); node && count <= NODES; node = ld_le64(m.ram + node))
		count++;
	assert_int_equal(count, NODES);
}

/* Stores by another address than it was loaded from, in one piece of code and over an exit: how many of eight succeed? */
static unsigned store_elsewhere(unsigned f, uint64_t ea)
{
	unsigned done = 0;

	for (unsigned n = 0; n < 8; n++) {
		regs(0)->gpr[4] = DATA + 32;
		regs(0)->gpr[7] = ea;
		if (n < 4)
			RUN(0, M_CODE, X(form[f].load, 10, 0, 4), X(form[f].store, 8, 0, 7) | 1, MFCR(5), M_HCALL);
		else
			RUN(0, M_CODE, X(form[f].load, 10, 0, 4), LD(12, 0, 4), X(form[f].store, 8, 0, 7) | 1, MFCR(5), M_HCALL);
		done += !!(regs(0)->gpr[5] & EQ);
	}
	return done;
}

/* What counts is the place (real mode ignores the four highest bits of an address), and the whole of it. */
static void test_two_addresses(void **state)
{
	(void)state;
	for (unsigned f = 0; f < 5; f++) {
		unsigned size = form[f].size;
		uint8_t before[GRANULE], wanted[16];

		arrange();
		st_le64(wanted, regs(0)->gpr[size == 16 ? 9 : 8]);
		st_le64(wanted + 8, regs(0)->gpr[8]);
		memcpy(before, m.ram + DATA, GRANULE);
		assert_int_equal(store_elsewhere(f, DATA + 48), 0);
		assert_int_equal(store_elsewhere(f, DATA + 32 + GRANULE), 0);
		assert_int_equal(store_elsewhere(f, DATA + 32 + (1 << 12)), 0);
		assert_int_equal(store_elsewhere(f, DATA + 32 + (1 << 16)), 0);
		assert_memory_equal(m.ram + DATA, before, GRANULE);
		assert_in_range(store_elsewhere(f, (DATA + 32) | UINT64_C(1) << 60), 6, 8);
		assert_memory_equal(m.ram + DATA + 32, wanted, size);
		assert_memory_equal(m.ram + DATA + 32 + size, before + 32 + size, 32 - size);
	}
}

int main(void)
{
#define T(f)   cmocka_unit_test_setup_teardown(f, setup, teardown)
#define ONE(f) cmocka_unit_test_setup_teardown(f, setup_one, teardown)
	const struct CMUnitTest two[] = {
		T(test_kept),         T(test_same_value),          T(test_granule),
		T(test_others),       T(test_own),                 T(test_watched_for_a_while),
		T(test_many_blocks),  T(test_load_between),        T(test_straddle),
		T(test_long_line),    T(test_single_step),         T(test_stack),
		T(test_straddle_in_vain), T(test_straddle_fault),  T(test_what_keeps),
		T(test_own_value),    T(test_two_addresses),
	};
	const struct CMUnitTest one[] = {
		ONE(test_kept),
		ONE(test_own),
		ONE(test_load_between),
		ONE(test_straddle),
		ONE(test_straddle_in_vain),
		ONE(test_long_line),
		ONE(test_single_step),
		ONE(test_two_addresses),
	};

	return machine_run_tests(two) + machine_run_tests(one);
}
