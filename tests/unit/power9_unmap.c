/*
 * Host memory that holds code goes and comes back, as when a slot is moved, while a processor translates what is
 * there. To mark a block that had no code it waits for the others, and serves what they ask for meanwhile; once it
 * has served a shootdown of that memory it may not look there any more, nor run what was there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "cpu/core.h"
#include "mem/endian.h"
#include "power9_machine.h"

#define GONE	   UINT64_C(0x800000) /* the page of the partition's table that goes */
#define GONE_SIZE  (UINT64_C(2) << 20)
#define BLOCK	   4096
#define BLOCKS	   8		      /* that hold code, one leading to the next */
#define GENERATION UINT64_C(0x100000) /* which code there is */
#define SPINNERS   2
#define ROUNDS_NS  INT64_C(700000000)
#define ROUNDS_MIN 4

#define LI(rt, imm)	 (14u << 26 | (rt) << 21 | ((imm) & 0xffff))
#define LD(rt, ra, d)	 (58u << 26 | (rt) << 21 | (ra) << 16 | (d))
#define SUBF(rt, ra, rb) (31u << 26 | (rt) << 21 | (ra) << 16 | (rb) << 11 | 40u << 1)
#define OR(ra, rs, rb)	 (31u << 26 | (rs) << 21 | (ra) << 16 | (rb) << 11 | 444u << 1)
#define B(distance)	 (18u << 26 | ((distance) & 0x3fffffc))

struct test {
	struct machine m;
	_Atomic bool mapped, stop;
	_Atomic bool stale; /* the walker ran code that was not there any more */
	_Atomic bool wrong; /* that, or a processor was left as it should not be; it runs no more */
	_Atomic uint64_t faults;
	uint64_t translated; /* by the walker, before it could see the present code */
};

/* Run the processor; false: the test is over. */
static bool run(struct test *t, struct cpu *c, enum cpu_exit *exit)
{
	do {
		if (atomic_load(&t->stop))
			return false;
		*exit = cpu_run(c);
	} while (*exit == CPU_EXIT_KICK);
	return true;
}

/* Walks through the code, over and over. */
static void *walk(void *arg)
{
	struct test *t = arg;
	struct cpu *c = t->m.cpu[0];
	struct p9_regs *r = p9_regs(c);
	enum cpu_exit exit;

	p9_set_pc(c, GONE);
	r->gpr[4] = GENERATION;
	r->gpr[9] = 0;
	while (run(t, c, &exit)) {
		uint32_t vector = p9_exit_vector(c);
		uint64_t pc = p9_pc(c);

		if (r->gpr[9] >> 63) {
			atomic_store(&t->stale, true);
			atomic_store(&t->wrong, true);
			break;
		}
		if (exit == CPU_EXIT_HYPERVISOR && vector == P9_VEC_SYSCALL) {
			p9_set_pc(c, GONE);
			continue;
		}
		/* Else it could not fetch what is not mapped. */
		if (exit != CPU_EXIT_HYPERVISOR || vector != P9_VEC_HISI || r->hsrr0 != pc || pc < GONE ||
		    pc >= GONE + BLOCKS * BLOCK || r->asdr != pc - pc % BLOCK ||
		    (r->hsrr1 & 0x783f0000u) != P9_DSISR_NOHPTE) {
			atomic_store(&t->wrong, true);
			break;
		}
		atomic_fetch_add(&t->faults, 1);
		while (!atomic_load(&t->mapped) && !atomic_load(&t->stop))
			sched_yield();
	}
	return NULL;
}

struct spinner {
	struct test *t;
	struct cpu *cpu;
};

/* Serves requests when it has the host's processor. */
static void *spin(void *arg)
{
	struct spinner *s = arg;
	enum cpu_exit exit;

	p9_set_pc(s->cpu, M_CODE);
	if (run(s->t, s->cpu, &exit))
		atomic_store(&s->t->wrong, true);
	return NULL;
}

/* Code that knows its generation, and makes r9 negative where a later one was the present one before. */
static void write_code(struct test *t, uint32_t generation)
{
	st_le64(t->m.ram + GENERATION, generation);
	for (unsigned n = 0; n < BLOCKS; n++) {
		const uint32_t code[] = {
			LD(8, 4, 0), LI(5, generation), SUBF(5, 8, 5), OR(9, 9, 5),
			n < BLOCKS - 1 ? B(BLOCK - 16) : M_HCALL,
		};

		for (unsigned i = 0; i < ARRAY_SIZE(code); i++)
			st_le32(t->m.ram + GONE + n * BLOCK + 4 * i, code[i]);
	}
}

static uint64_t translated(struct test *t)
{
	struct cpu_stats s;

	cpu_stats_read(t->m.cpu[0], &s);
	return s.regions_translated;
}

static void protect(struct test *t, int prot)
{
	assert_int_equal(mprotect(t->m.ram + GONE, GONE_SIZE, prot), 0);
}

static void round_of(struct test *t, uint32_t generation, bool faults)
{
	_Atomic uint64_t *pte = (_Atomic uint64_t *)machine_partition_pte(&t->m, GONE);
	uint64_t saved = atomic_load(pte), before;

	/* Then it is about to mark the next block, most likely. */
	while (translated(t) == t->translated && !atomic_load(&t->wrong))
		sched_yield();
	before = atomic_load(&t->faults);
	atomic_store(&t->mapped, false);
	atomic_store(pte, 0);
	cpu_shoot_host(t->m.system, NULL, HVA(t->m.ram + GONE), GONE_SIZE);
	protect(t, PROT_NONE);
	/* Or else there is other code by the time that the processor looks. */
	while (faults && atomic_load(&t->faults) == before && !atomic_load(&t->wrong))
		sched_yield();
	protect(t, PROT_READ | PROT_WRITE);
	write_code(t, generation);
	t->translated = translated(t);
	atomic_store(pte, saved);
	atomic_store(&t->mapped, true);
}

/*
 * All share one processor of the host: who has to be waited for mostly waits for that itself, and whoever of those
 * that wait finds it first goes on first.
 */
static void pin(pthread_t thread, int host)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(host, &set);
	assert_int_equal(pthread_setaffinity_np(thread, sizeof(set), &set), 0);
}

static void come_and_go(bool jit, bool background)
{
	const struct cpu_system_config config = {
		.arch = &p9_arch,
		.optimise = true,
		.jit = jit,
		.jit_after = 1,
		.background = background,
	};
	static const uint32_t loop[] = { B(0) };
	struct spinner spinner[SPINNERS];
	pthread_t thread[1 + SPINNERS];
	struct test t = { .mapped = true };
	uint32_t generation = 1;
	cpu_set_t before;
	int host = sched_getcpu();
	int64_t end;

	assert_true(host >= 0);
	assert_int_equal(pthread_getaffinity_np(pthread_self(), sizeof(before), &before), 0);
	machine_create_config(&t.m, 1 + SPINNERS, &config);
	machine_code(&t.m, M_CODE, loop, 1);
	write_code(&t, generation);
	pin(pthread_self(), host);
	assert_int_equal(pthread_create(&thread[0], NULL, walk, &t), 0);
	for (unsigned n = 0; n < SPINNERS; n++) {
		spinner[n] = (struct spinner){ .t = &t, .cpu = t.m.cpu[1 + n] };
		assert_int_equal(pthread_create(&thread[1 + n], NULL, spin, &spinner[n]), 0);
	}
	end = cpu_clock_ns() + ROUNDS_NS;
	while ((generation <= ROUNDS_MIN || cpu_clock_ns() < end) && !atomic_load(&t.wrong)) {
		/* li has 15 bits for it; there is no time for so many. */
		assert_in_range(++generation, 1, 0x7fff);
		round_of(&t, generation, generation % 2);
	}
	atomic_store(&t.stop, true);
	for (unsigned n = 0; n <= SPINNERS; n++)
		cpu_kick(t.m.cpu[n]);
	for (unsigned n = 0; n <= SPINNERS; n++)
		assert_int_equal(pthread_join(thread[n], NULL), 0);
	assert_int_equal(pthread_setaffinity_np(pthread_self(), sizeof(before), &before), 0);
	assert_false(t.stale);
	assert_false(t.wrong);
	machine_destroy(&t.m);
}

static void interpreted(void **state)
{
	(void)state;
	come_and_go(false, false);
}

static void compiled(void **state)
{
	(void)state;
	come_and_go(true, false);
}

static void compiled_meanwhile(void **state)
{
	(void)state;
	come_and_go(true, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interpreted),
		cmocka_unit_test(compiled),
		cmocka_unit_test(compiled_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
