/*
 * Random programs, and random pieces of them as a path: the same must come of it as region by region. ANYKVM_PATH_RANDOM programs
 * (200), of seeds from ANYKVM_PATH_SEED on.
 *
 * A program is some chunks of code in three blocks of 4 KiB, which branch to each other, call, and return, directly and through
 * pointers. Each branch has been paid for with fuel, so it ends.
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

#define CODE   UINT64_C(0x10000)
#define OUT    0x3000u
#define PAGE   UINT64_C(0x40000)
#define NOWHERE UINT64_C(0x80000)
#define CHUNKS 12u
#define FUEL   50
#define AWAY   UINT64_C(0x7654000000)

enum { R_PAGE = 5, R_NOWHERE = 6, R_CHUNK = 20, R_LR = 28, R_FUEL = 31 };

static uint8_t page[4096] __attribute__((aligned(128)));
static uint8_t code[OUT + 4096];
static uint32_t chunk[CHUNKS]; /* where they begin */
static uint32_t site[64], nsites; /* behind calls, and other places of note */
static struct cpu_piece piece[CPU_PIECES];
static uint64_t rng;

static uint32_t below(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)((rng >> 32) * n >> 32);
}

static uint32_t at; /* where code is put */

static void put(uint32_t word)
{
	if (at < OUT)
		st_le32(code + at, word);
	at += 4;
}

static uint32_t reg(void)
{
	return 7 + below(12);
}

static uint32_t xo(uint32_t op, uint32_t t, uint32_t a, uint32_t b)
{
	return 0x7c000000u | t << 21 | a << 16 | b << 11 | op << 1;
}

static uint32_t number_reg(void)
{
	return below(6);
}

/* What comes between branches. */
static void put_work(void)
{
	static const uint32_t logical[] = {130, 146, 154, 138}; /* xxland, xxlor, xxlxor, xxlandc */
	static const uint32_t moves[] = {72, 40, 264};

	switch (below(18)) {
	case 0:
		put(xo(266, reg(), reg(), reg())); /* add */
		break;
	case 1:
		put(0x38000000u | reg() << 21 | reg() << 16 | below(0x10000)); /* addi */
		break;
	case 2:
		put(0x2c200000u | below(7) << 23 | reg() << 16 | below(4)); /* cmpdi */
		break;
	case 3:
		put(xo(0, below(7) << 2 | 1, reg(), reg())); /* cmpd */
		break;
	case 4:
		put(0xe8000000u | reg() << 21 | R_PAGE << 16 | below(510) * 8); /* ld */
		break;
	case 5:
		put(0xf8000000u | reg() << 21 | R_PAGE << 16 | below(510) * 8); /* std */
		break;
	case 6:
		put(xo(10, reg(), reg(), reg())); /* addc */
		break;
	case 7:
		put(xo(138, reg(), reg(), reg()) | below(2)); /* adde */
		break;
	case 8:
		put(xo(15 | below(24) << 5, reg(), reg(), reg())); /* isel */
		break;
	case 9:
		put(0x4c000182u | below(28) << 21 | below(28) << 16 | below(28) << 11); /* crxor */
		break;
	case 10:
		put(0x7c000026u | reg() << 21); /* mfcr */
		break;
	case 11:
		put(0x70000000u | reg() << 21 | reg() << 16 | below(4)); /* andi. */
		break;
	case 12:
		put(0x7c0803a6u | R_LR << 21); /* mtlr */
		break;
	case 13:
		put((below(2) ? 0xc8000000u : 0xd8000000u) | number_reg() << 21 | R_PAGE << 16 | below(510) * 8); /* lfd, stfd */
		break;
	case 14:
		put((below(2) ? 0xf4000001u : 0xf4000005u) | number_reg() << 21 | R_PAGE << 16 | below(254) * 16); /* lxv, stxv */
		break;
	case 15:
		put(0xf0000000u | number_reg() << 21 | number_reg() << 16 | number_reg() << 11 | logical[below(4)] << 3);
		break;
	case 16:
		/* fmr, fneg, fabs, xxpermdi */
		put(below(2) ? 0xf0000050u | number_reg() << 21 | number_reg() << 16 | number_reg() << 11 | below(4) << 8 :
			       0xfc000000u | number_reg() << 21 | number_reg() << 11 | moves[below(3)] << 1);
		break;
	default:
		if (below(4))
			put(0x7c0802a6u | (below(2) ? R_LR : reg()) << 21); /* mflr */
		else if (!below(12))
			put(0xe8000000u | reg() << 21 | R_NOWHERE << 16); /* a fault */
		break;
	}
}

static uint32_t to(uint32_t where)
{
	return (where - at) & 0x3fffffcu;
}

/* Branch always, when a bit of the CR is 0 or 1, or when CTR is not 0. */
static uint32_t condition(void)
{
	switch (below(4)) {
	case 0:
		return 0x14u << 21;
	case 1:
		return 0x10u << 21;
	default:
		return (below(2) ? 0x0cu : 0x04u) << 21 | below(28) << 16;
	}
}

static void put_fuel(void)
{
	/* addi, cmpdi cr7, blt cr7 */
	put(0x38000000u | R_FUEL << 21 | R_FUEL << 16 | 0xffff);
	put(0x2fa00000u | R_FUEL << 16);
	put(0x419c0000u | (to(OUT) & 0xfffc));
}

static void put_branch(void)
{
	uint32_t target = chunk[below(CHUNKS)], pointer = R_CHUNK + below(8);

	if (nsites && !below(4))
		target = site[below(nsites)];
	put_fuel();
	switch (below(8)) {
	case 0:
		put(0x48000000u | to(target));
		break;
	case 1:
		put(0x48000001u | to(target));
		break;
	case 2:
	case 3:
		put(0x40000000u | condition() | (to(target) & 0xfffc) | !below(4));
		break;
	case 4:
		put(0x4c000020u | condition()); /* bclr */
		break;
	case 5:
		put(0x7c0903a6u | pointer << 21); /* mtctr */
		put(0x4e800420u | below(2)); /* bcctr, bcctrl */
		break;
	case 6:
		put(0x7c0fcba6u | pointer << 21); /* mttar */
		put(0x4c000460u | (condition() & (0x1fu << 21)) | 0x10u << 21 | below(2));
		break;
	default:
		if (!below(3))
			put(0x4c00012cu); /* isync */
		break;
	}
	if (nsites < 64)
		site[nsites++] = at;
}

static void make_program(void)
{
	memset(code, 0, sizeof(code));
	nsites = 0;
	for (unsigned n = 0; n < CHUNKS; n++) {
		chunk[n] = n * 0x400 + 4 * below(0xc0);
		/* over the end of a block, often */
		if (n % 4 == 3 && n + 1 < CHUNKS && below(2))
			chunk[n] = (n + 1) * 0x400 - 4 * (1 + below(20));
		if (n % 4 == 0 && !below(3))
			chunk[n] = n * 0x400;
	}
	for (unsigned n = 0; n < CHUNKS; n++) {
		uint32_t end = n + 1 < CHUNKS ? chunk[n + 1] : OUT;
		unsigned branches = 1 + below(4);

		at = chunk[n];
		for (unsigned k = 0; k < branches && at + 200 < end; k++) {
			for (unsigned m = below(10); m > 0; m--)
				put_work();
			put_branch();
		}
		if (at + 16 <= end) {
			put_fuel();
			put(0x48000000u | to(below(16) ? chunk[below(CHUNKS)] : OUT));
		}
	}
}

/* An address of which a program knows. */
static uint64_t place(void)
{
	uint32_t where = nsites && below(2) ? site[below(nsites)] : chunk[below(CHUNKS)];

	if (!below(4))
		where += 4 * below(8);
	return CODE + (where < OUT ? where : chunk[0]);
}

static bool is_code(uint64_t pc)
{
	return pc - CODE < OUT;
}

/* From some of what was seen to be run on, in its order; now and then another place. */
static void make_pieces(struct p9_harness_path *path, const uint64_t *seen, unsigned nseen)
{
	unsigned first = below(nseen), n = 0, want = 1 + below(CPU_PIECES);

	for (unsigned k = first; k < nseen && n < want; k++) {
		uint64_t pc = below(12) ? seen[k] : place(), where = pc - CODE;
		uint32_t room = 4096 - where % 4096, size = 4 * (below(3) ? CPU_REGION_INSNS : 1 + below(64));
		bool known = !is_code(pc);

		for (unsigned m = 0; m < n; m++)
			known |= piece[m].pc == pc;
		if (known)
			continue;
		piece[n++] = (struct cpu_piece){
			.pc = pc,
			.bytes = code + where,
			.size = size < room ? size : room,
			.next = {UINT64_MAX, UINT64_MAX},
		};
	}
	path->n = n;
	for (unsigned m = 0; m < n; m++) {
		for (unsigned k = 0; k + 1 < nseen; k++)
			if (seen[k] == piece[m].pc)
				piece[m].next[below(2)] = seen[k + 1];
		if (!below(6))
			piece[m].next[below(2)] = piece[below(n)].pc;
	}
}

static void arrange(struct p9_regs *regs)
{
	memset(regs, 0, sizeof(*regs));
	regs->resv_watch = regs->resv_given_up = P9_RESV_NOWHERE;
	for (unsigned n = 0; n < sizeof(page); n++)
		page[n] = (uint8_t)(n * 37);
	regs->fscr = regs->hfscr = ~UINT64_C(0);
	for (unsigned n = 7; n < 20; n++)
		regs->gpr[n] = n - 10;
	regs->gpr[R_PAGE] = PAGE;
	regs->gpr[R_NOWHERE] = NOWHERE;
	for (unsigned n = 0; n < 8; n++)
		regs->gpr[R_CHUNK + n] = CODE + chunk[n] + n % 4;
	regs->gpr[R_LR] = regs->lr = CODE + OUT;
	regs->gpr[R_FUEL] = FUEL;
	regs->ctr = 7;
	regs->tar = CODE + chunk[8];
}

static void run(struct p9_harness *h, uint64_t seed)
{
	static const uint32_t modes[] = {P9_HARNESS_USER, P9_HARNESS_USER, P9_HARNESS_USER & ~(uint32_t)P9_MODE_SF,
					 P9_HARNESS_USER & ~(uint32_t)P9_MODE_PR};
	struct p9_harness_path path = {.code = code, .size = OUT, .pc = CODE, .piece = piece};
	struct p9_regs *regs = p9_harness_regs(h);
	static struct p9_regs expected;
	static uint8_t memory[sizeof(page)];
	struct p9_harness_result plain, r;
	static uint64_t seen[64];
	uint32_t mode, entry;

	rng = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	for (unsigned n = 0; n < 16; n++)
		below(2);
	make_program();
	mode = modes[below(4)];
	entry = chunk[below(CHUNKS)];
	path.away = mode & P9_MODE_SF ? AWAY : 0;
	/* 0: none is left at, and not all rounds of small loops look */
	p9_harness_count_polls(h, below(3) ? 1 + below(4) * below(4) : 0);
	path.seen = seen;
	path.most_seen = 64;
	arrange(regs);
	plain = p9_harness_run_path(h, &path, CODE + entry, mode, P9_HARNESS_PLAIN);
	expected = *regs;
	memcpy(memory, page, sizeof(page));
	path.seen = NULL;
	make_pieces(&path, seen, path.nseen);
	if (plain.end == P9_HARNESS_BROKEN)
		fail_msg("seed %u, plain: %s", (unsigned)seed, plain.why);
	if (!path.n)
		return;
	for (unsigned how = 0; how < P9_HARNESS_HOWS; how++) {
		arrange(regs);
		r = p9_harness_run_path(h, &path, CODE + entry, mode, how);
		/* What is optimised is to be compiled: its rounds in a row may be too much to interpret. */
		if (r.end == P9_HARNESS_BROKEN && how == P9_HARNESS_OPTIMISED && !strcmp(r.why, P9_HARNESS_LARGE))
			continue;
		if (r.end == P9_HARNESS_BROKEN)
			fail_msg("seed %u, how %u: %s", (unsigned)seed, how, r.why);
		if (r.end != plain.end || r.pc != plain.pc || r.vector != plain.vector)
			fail_msg("seed %u, how %u: it ends at %x, not %x", (unsigned)seed, how, (unsigned)r.pc,
				 (unsigned)plain.pc);
		if (memcmp(page, memory, sizeof(page)))
			fail_msg("seed %u, how %u: memory differs", (unsigned)seed, how);
		if (memcmp(regs, &expected, sizeof(expected)))
			fail_msg("seed %u, how %u: registers differ", (unsigned)seed, how);
	}
}

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static void test_random(void **state)
{
	uint64_t first = number("ANYKVM_PATH_SEED", 1), n = number("ANYKVM_PATH_RANDOM", 200);
	struct p9_harness *h = p9_harness_create();

	(void)state;
	assert_non_null(h);
	p9_harness_map(h, PAGE, page, true);
	for (uint64_t seed = first; seed < first + n; seed++)
		run(h, seed);
	p9_harness_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
