/*
 * Path regions on a bare machine: a hot loop that calls through a pointer is found, recorded and compiled as one, gives the
 * same results, and goes when any of its code is written, by whoever it may be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "cpu/core.h"
#include "cpu/lockstep.h"
#include "mem/endian.h"
#include "power9_machine.h"

/* In blocks of their own. */
#define LEAF	(M_CODE + 0x2000)
#define OTHER	(M_CODE + 0x3000)
#define LAST	(M_CODE + 0x5000)
#define PATCHER (M_CODE + 0x7000)
#define ROUNDS	200000u
#define SECONDS 30

#define ADDI(rt, ra, imm)   (14u << 26 | (rt) << 21 | (ra) << 16 | ((imm) & 0xffff))
#define ADDIC_(rt, ra, imm) (13u << 26 | (rt) << 21 | (ra) << 16 | ((imm) & 0xffff))
#define ADD(rt, ra, rb)	    (31u << 26 | (rt) << 21 | (ra) << 16 | (rb) << 11 | 266u << 1)
#define XOR(ra, rs, rb)	    (31u << 26 | (rs) << 21 | (ra) << 16 | (rb) << 11 | 316u << 1)
#define ANDI_(ra, rs, imm)  (28u << 26 | (rs) << 21 | (ra) << 16 | (imm))
#define STW(rs, ra, d)	    (36u << 26 | (rs) << 21 | (ra) << 16 | (d))
#define MTCTR(rs)	    (31u << 26 | (rs) << 21 | 9u << 16 | 467u << 1)
#define MFLR(rt)	    (31u << 26 | (rt) << 21 | 8u << 16 | 339u << 1)
#define MTLR(rs)	    (31u << 26 | (rs) << 21 | 8u << 16 | 467u << 1)
#define B(off)		    (0x48000000u | ((off) & 0x3fffffcu))
#define BNE(distance)	    (16u << 26 | 4u << 21 | 2u << 16 | ((distance) & 0xfffc))
#define BEQ(distance)	    (16u << 26 | 12u << 21 | 2u << 16 | ((distance) & 0xfffc))
#define BCTRL		    0x4e800421u
#define BLR		    0x4e800020u
#define ISYNC		    0x4c00012cu

static void create(struct machine *m, unsigned ncpu, bool background)
{
	const struct cpu_system_config config = {
		.arch = &p9_arch,
		.optimise = true,
		.check_ir = true,
		.jit = true,
		.jit_after = 2,
		.background = background,
		.sample_us = 100,
	};
	/* r22, and every fourth time r23: what is called; r20: how often */
	const uint32_t loop[] = {
		MTCTR(22), ANDI_(5, 20, 3), BNE(8), MTCTR(23), BCTRL, XOR(4, 4, 3), ADDIC_(20, 20, -1), BNE(-28),
		M_HCALL,
	};
	const uint32_t leaf[] = {ADDI(3, 3, 5), BLR}, other[] = {ADDI(3, 3, 7), B(LAST - OTHER - 4)};
	const uint32_t last[] = {ADDI(6, 6, 1), BLR};

	machine_create_config(m, ncpu, &config);
	if (!m->system->jit) {
		machine_destroy(m);
		skip(); /* no back end */
	}
	machine_code(m, M_CODE, loop, ARRAY_SIZE(loop));
	machine_code(m, LEAF, leaf, ARRAY_SIZE(leaf));
	machine_code(m, OTHER, other, ARRAY_SIZE(other));
	machine_code(m, LAST, last, ARRAY_SIZE(last));
}

static uint64_t paths(struct machine *m)
{
	struct cpu_system_stats s;

	cpu_system_stats_read(m->system, &s);
	return s.regions_path;
}

/* What the loop comes to with leaves that add so much. */
static void check(struct machine *m, uint64_t first, uint64_t fourth, unsigned by_first, unsigned by_fourth)
{
	struct p9_regs *r = p9_regs(m->cpu[0]);
	uint64_t sum = 0, mixed = 0, others = 0;

	for (unsigned n = ROUNDS; n; n--) {
		uint64_t to = n % 4 ? first : fourth;

		sum += n % 4 ? by_first : by_fourth;
		mixed ^= sum;
		others += to == OTHER;
	}
	r->gpr[3] = r->gpr[4] = r->gpr[6] = 0;
	r->gpr[20] = ROUNDS;
	r->gpr[22] = first;
	r->gpr[23] = fourth;
	assert_int_equal(machine_run(m, 0, M_CODE), P9_VEC_SYSCALL);
	assert_int_equal(p9_pc(m->cpu[0]), M_CODE + 4 * 9);
	assert_int_equal(r->gpr[3], sum);
	assert_int_equal(r->gpr[4], mixed);
	assert_int_equal(r->gpr[6], others);
	assert_int_equal(r->lr, M_CODE + 4 * 5);
}

/* Is there a path region that begins where the loop can be entered? */
static bool has_path(struct machine *m)
{
	const uint64_t pc[] = {M_CODE, M_CODE + 4 * 5, LEAF, OTHER, LAST};
	bool any = false;

	for (unsigned n = 0; n < ARRAY_SIZE(pc); n++) {
		const struct region_source at = {
			.host = HVA(m->ram + pc[n]),
			.pc = pc[n],
			.mode = m->cpu[0]->mode | (uint32_t)REGION_SPAN_2M << REGION_SPAN_BIT,
		};

		any = any || region_path_made(m->system->regions, &at);
	}
	return any;
}

static void until_path(struct machine *m, uint64_t first, uint64_t fourth, unsigned by_first,
		       unsigned by_fourth)
{
	time_t end = time(NULL) + SECONDS;

	do
		check(m, first, fourth, by_first, by_fourth);
	while (!has_path(m) && time(NULL) < end);
	assert_true(has_path(m));
	assert_true(paths(m) > 0);
	check(m, first, fourth, by_first, by_fourth);
}

static void found(bool background)
{
	struct machine m;

	create(&m, 1, background);
	until_path(&m, LEAF, LEAF, 5, 5);
	/* Others than were seen. */
	for (unsigned n = 0; n < 3; n++) {
		check(&m, OTHER, OTHER, 7, 7);
		check(&m, OTHER, LEAF, 7, 5);
		check(&m, LEAF, OTHER, 5, 7);
		check(&m, LEAF, LEAF, 5, 5);
	}
	for (unsigned n = 0; n < 50; n++)
		check(&m, LEAF, OTHER, 5, 7);
	machine_destroy(&m);
}

static void test_found(void **state)
{
	(void)state;
	found(false);
}

static void test_found_meanwhile(void **state)
{
	(void)state;
	found(true);
}

/* Recordings that end at once, when the processor is asked to leave before the first step, and after it. */
static void test_ends_at_once(void **state)
{
	struct region *g;
	struct machine m;
	struct cpu *c;

	(void)state;
	create(&m, 1, false);
	check(&m, LEAF, LEAF, 5, 5);
	c = m.cpu[0];
	g = region_lookup(m.system->regions, HVA(m.ram + M_CODE), M_CODE,
			  c->mode | (uint32_t)REGION_SPAN_2M << REGION_SPAN_BIT);
	assert_non_null(g);
	for (unsigned steps = 0; steps < 8; steps++) {
		uint64_t before = paths(&m);
		enum ir_leave leave;

		p9_set_pc(c, M_CODE);
		assert_true(cpu_record_begin(c, g));
		for (unsigned n = 0; n < steps; n++)
			assert_int_equal(cpu_record_step(c, &leave), CPU_STEP_RUN);
		cpu_record_end(c, steps != 7);
		/* Once round is enough. */
		assert_true(steps > 3 || paths(&m) == before);
	}
	machine_destroy(&m);
}

/* By the host (a shootdown), which is what unmapping does, and by the guest. */
static void test_written(void **state)
{
	const uint32_t patcher[] = {STW(9, 8, 0), M_HCALL};
	struct machine m;

	(void)state;
	create(&m, 1, false);
	machine_code(&m, PATCHER, patcher, 2);
	for (unsigned n = 0; n < 6; n++) {
		struct p9_regs *r = p9_regs(m.cpu[0]);
		const uint32_t insn = ADDI(3, 3, 100 + n);

		until_path(&m, LEAF, LEAF, n ? 99 + n : 5, n ? 99 + n : 5);
		if (n % 2) {
			machine_code(&m, LEAF, &insn, 1);
		} else {
			r->gpr[8] = LEAF;
			r->gpr[9] = insn;
			assert_int_equal(machine_run(&m, 0, PATCHER), P9_VEC_SYSCALL);
		}
		assert_false(has_path(&m));
		check(&m, LEAF, LEAF, 100 + n, 100 + n);
	}
	machine_destroy(&m);
}

/* A callee that changes the next one's code, each time: there is no use in a path, and no harm. */
static void test_changes_itself(void **state)
{
	/* r8: where it lies, r9: `addi r3,r3,1`, one more each time */
	const uint32_t leaf[] = {ADDI(9, 9, 1), STW(9, 8, 12), ISYNC, ADDI(3, 3, 1), BLR};
	const unsigned rounds = 20000;
	struct p9_regs *r;
	struct machine m;

	(void)state;
	create(&m, 1, false);
	until_path(&m, LEAF, LEAF, 5, 5);
	machine_code(&m, LEAF, leaf, ARRAY_SIZE(leaf));
	r = p9_regs(m.cpu[0]);
	for (unsigned n = 0; n < 3; n++) {
		r->gpr[3] = 0;
		r->gpr[8] = LEAF;
		r->gpr[9] = ADDI(3, 3, 0);
		r->gpr[20] = rounds;
		r->gpr[22] = r->gpr[23] = LEAF;
		assert_int_equal(machine_run(&m, 0, M_CODE), P9_VEC_SYSCALL);
		assert_int_equal(r->gpr[3], (uint64_t)rounds * (rounds + 1) / 2);
	}
	machine_destroy(&m);
}

/* A path region whose recordings come to nothing is not recorded with each sample. */
static void test_again(void **state)
{
	struct region *g = NULL;
	struct machine m;
	struct cpu *c;
	unsigned begun = 0;

	(void)state;
	create(&m, 1, false);
	until_path(&m, LEAF, LEAF, 5, 5);
	c = m.cpu[0];
	for (unsigned n = 0; !g && n < 10; n++) {
		uint64_t pc = n < 9 ? M_CODE + 4 * n : LEAF;

		g = region_lookup(m.system->regions, HVA(m.ram + pc), pc, c->mode | (uint32_t)REGION_SPAN_2M << REGION_SPAN_BIT);
		g = g && region_path(g) ? g : NULL;
	}
	assert_non_null(g);
	/* As when it was entered. */
	atomic_store(&region_path(g)->made, 1);
	p9_set_pc(c, g->pc);
	for (unsigned n = 0; n < 320; n++)
		if (cpu_hot_sample(c, g)) {
			cpu_record_end(c, false);
			begun++;
		}
	assert_true(begun > 0 && begun <= 11);
	machine_destroy(&m);
}

/* A processor goes round for ever and is to be told to leave. */
static void *kick_later(void *arg)
{
	const struct timespec pause = {0, 300000000};

	nanosleep(&pause, NULL);
	cpu_kick(arg);
	return NULL;
}

/*
 * Two loops, of which the inner one is entered at two places, so it is none that is peeled; it has no end in the fourth round
 * of the outer one, which was.
 */
static void test_kicked(void **state)
{
	/* r8: from how many rounds on; r9 is 0 */
	const uint32_t loop[] = {
		ADDIC_(8, 8, -1), /* here: */ ANDI_(5, 9, 1), BEQ(8), /* one: */ ADDI(6, 6, 1), /* two: */ ANDI_(5, 8, 0xffff),
		BEQ(-8), B(-24),
	};
	(void)state;
	for (unsigned rounds = 1; rounds < 9; rounds++) {
		struct machine m;
		pthread_t thread;

		create(&m, 1, false);
		machine_code(&m, M_CODE, loop, ARRAY_SIZE(loop));
		p9_regs(m.cpu[0])->gpr[8] = 1000 + rounds;
		p9_regs(m.cpu[0])->gpr[9] = 0;
		p9_set_pc(m.cpu[0], M_CODE);
		assert_int_equal(pthread_create(&thread, NULL, kick_later, m.cpu[0]), 0);
		alarm(SECONDS);
		assert_int_equal(cpu_run(m.cpu[0]), CPU_EXIT_KICK);
		alarm(0);
		assert_int_equal(p9_regs(m.cpu[0])->gpr[8], 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		machine_destroy(&m);
	}
}

/* ---- two processors ---- */

#define MEANWHILE 300

static void *run_loop(void *arg)
{
	struct machine *m = arg;
	struct p9_regs *r = p9_regs(m->cpu[1]);
	uint64_t wrong = 0;

	for (unsigned n = 0; n < MEANWHILE; n++) {
		const uint64_t rounds = 5000;

		r->gpr[3] = 0;
		r->gpr[20] = rounds;
		r->gpr[22] = r->gpr[23] = LEAF;
		p9_set_pc(m->cpu[1], M_CODE);
		if (cpu_run(m->cpu[1]) != CPU_EXIT_HYPERVISOR)
			return (void *)UINT64_C(1);
		/* Each was one or the other. */
		wrong += r->gpr[3] < 5 * rounds || r->gpr[3] > 6 * rounds;
	}
	return (void *)(uintptr_t)wrong;
}

static void test_written_by_another(void **state)
{
	const uint32_t patcher[] = {STW(9, 8, 0), M_HCALL};
	struct machine m;

	(void)state;
	create(&m, 2, true);
	machine_code(&m, PATCHER, patcher, 2);
	for (unsigned round = 0; round < 3; round++) {
		struct p9_regs *r = p9_regs(m.cpu[0]);
		pthread_t thread;
		void *wrong;

		until_path(&m, LEAF, LEAF, round ? 6 : 5, round ? 6 : 5);
		assert_int_equal(pthread_create(&thread, NULL, run_loop, &m), 0);
		for (unsigned n = 0; n < 2 * MEANWHILE; n++) {
			const struct timespec pause = {0, 200000};

			r->gpr[8] = LEAF;
			r->gpr[9] = ADDI(3, 3, n % 2 ? 6 : 5);
			assert_int_equal(machine_run(&m, 0, PATCHER), P9_VEC_SYSCALL);
			if (n % 4 == 3)
				nanosleep(&pause, NULL);
		}
		assert_int_equal(pthread_join(thread, &wrong), 0);
		assert_null(wrong);
		/* Nobody runs what was there before the last store. */
		check(&m, LEAF, LEAF, 6, 6);
	}
	machine_destroy(&m);
}

/* In lockstep, where samples are counted, path regions are compared as others are. */
static void test_lockstep(void **state)
{
	const struct cpu_system_config config = {
		.arch = &p9_arch,
		.optimise = true,
		.jit = true,
		.jit_after = 2,
		.lockstep = true,
	};
	const uint32_t loop[] = {MTCTR(22), BCTRL, XOR(4, 4, 3), ADDIC_(20, 20, -1), BNE(-16), M_HCALL};
	const uint32_t leaf[] = {ADDI(3, 3, 5), BLR};
	struct p9_regs *r;
	struct machine m;
	uint64_t before;

	(void)state;
	machine_create_config(&m, 1, &config);
	if (!m.system->jit) {
		machine_destroy(&m);
		skip();
	}
	machine_code(&m, M_CODE, loop, ARRAY_SIZE(loop));
	machine_code(&m, LEAF, leaf, ARRAY_SIZE(leaf));
	r = p9_regs(m.cpu[0]);
	for (unsigned n = 0; n < 4; n++) {
		before = cpu_lockstep_compared(m.cpu[0]);
		r->gpr[3] = 0;
		r->gpr[20] = 5000;
		r->gpr[22] = LEAF;
		assert_int_equal(machine_run(&m, 0, M_CODE), P9_VEC_SYSCALL);
		assert_int_equal(r->gpr[3], 25000);
		assert_true(cpu_lockstep_compared(m.cpu[0]) > before + 50);
	}
	assert_true(paths(&m) > 0);
	machine_destroy(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_found_meanwhile),
		cmocka_unit_test(test_ends_at_once),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_changes_itself),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_kicked),
		cmocka_unit_test(test_written_by_another),
		cmocka_unit_test(test_lockstep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
