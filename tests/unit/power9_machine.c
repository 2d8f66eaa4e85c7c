#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "mem/endian.h"
#include "power9_machine.h"

#define VALID UINT64_C(0x8000000000000000)
#define LEAF  UINT64_C(0x4000000000000000)

static void *zalloc(size_t align, size_t size)
{
	void *p = aligned_alloc(align, size);

	assert_non_null(p);
	memset(p, 0, size);
	return p;
}

static void put(uint64_t *entry, uint64_t v)
{
	*entry = htobe64(v);
}

static unsigned mode; /* 1: optimise, 2: compile, 4: on a thread of its own, 8: in lockstep */

bool machine_compiles(void)
{
	return (mode & (2 | 4 | 8)) == 2;
}

void machine_create(struct machine *m, unsigned ncpu)
{
	struct cpu_system_config config = {
		.arch = &p9_arch,
		.optimise = mode & 1,
		.check_ir = true,
		.jit = mode & 2,
		.lockstep = mode & 8 && ncpu == 1,
		.jit_after = 1,
		.background = mode & 4,
	};

	machine_create_config(m, ncpu, &config);
}

void machine_create_config(struct machine *m, unsigned ncpu,
			   const struct cpu_system_config *config)
{
	const size_t root_size = 8 << 13, level_size = 8 << 9;
	uint64_t *root, *level2, *level3;

	memset(m, 0, sizeof(*m));
	m->ram = zalloc(2 << 20, M_SIZE);
	m->partition = zalloc(root_size, 2 * root_size); /* with the two levels behind it */
	root = m->partition;
	level2 = root + (root_size >> 3);
	level3 = level2 + (level_size >> 3);
	put(&root[0], VALID | (uintptr_t)level2 | 9);
	put(&level2[0], VALID | (uintptr_t)level3 | 9);
	for (uint64_t a = 0; a < M_SIZE; a += 2 << 20)
		put(&level3[a >> 21], VALID | LEAF | (uintptr_t)(m->ram + a) | 7);
	m->tree_next = M_TREE;
	m->system = cpu_system_create(config);
	assert_non_null(m->system);
	m->ncpu = ncpu;
	for (unsigned n = 0; n < ncpu; n++) {
		struct p9_regs *r;

		m->cpu[n] = cpu_create(m->system);
		assert_non_null(m->cpu[n]);
		r = p9_regs(m->cpu[n]);
		r->lpidr = M_LPID;
		r->lpcr = P9_LPCR_HR | P9_LPCR_UPRT | P9_LPCR_GTSE | P9_LPCR_LD | P9_LPCR_ILE |
			  P9_LPCR_LPES;
		r->hfscr = ~(UINT64_C(1) << P9_FSCR_TM) & 0xffff;
		/* RTS 52 - 31 = 0b10101: high two bits at 1:2, low three at 56:58 */
		r->patb0 = VALID | UINT64_C(2) << 61 | UINT64_C(5) << 5 | (uintptr_t)root | 13;
		r->patb1 = VALID | M_PROCTAB | 0;
		r->msr = P9_MSR_SF | P9_MSR_LE | P9_MSR_ME;
		r->pir = n;
		p9_state_changed(m->cpu[n]);
	}
}

void machine_destroy(struct machine *m)
{
	for (unsigned n = 0; n < m->ncpu; n++)
		cpu_destroy(m->cpu[n]);
	cpu_system_destroy(m->system);
	free(m->partition);
	free(m->ram);
}

uint64_t *machine_partition_pte(struct machine *m, uint64_t gra)
{
	return m->partition + (1 << 13) + (1 << 9) + (gra >> 21);
}

void machine_code(struct machine *m, uint64_t gra, const uint32_t *words, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		st_le32(m->ram + gra + 4 * i, words[i]);
	/* Written behind the processors' back: what they translated there is out of date. */
	cpu_shoot_host(m->system, NULL, HVA(m->ram + gra), 4 * n);
}

static uint64_t new_table(struct machine *m, unsigned bits)
{
	uint64_t size = UINT64_C(8) << bits, at = (m->tree_next + size - 1) & ~(size - 1);

	assert_true(at + size <= M_SIZE);
	memset(m->ram + at, 0, size);
	m->tree_next = at + size;
	return at;
}

void machine_process(struct machine *m, uint32_t pid)
{
	uint64_t root = new_table(m, 13);

	assert_true(pid < 256);
	st_be64(m->ram + M_PROCTAB + 16 * pid, UINT64_C(2) << 61 | UINT64_C(5) << 5 | root | 13);
}

uint64_t *machine_map(struct machine *m, uint32_t pid, uint64_t ea, uint64_t gra, unsigned shift,
		      uint64_t bits)
{
	uint64_t table = ld_be64(m->ram + M_PROCTAB + 16 * pid) & UINT64_C(0x0fffffffffffff00);
	unsigned at = 52, nls = 13;

	ea &= (UINT64_C(1) << 52) - 1;
	for (;;) {
		uint64_t *entry, v;

		at -= nls;
		entry = (uint64_t *)(m->ram + table) + ((ea >> at) & ((UINT64_C(1) << nls) - 1));
		if (at == shift) {
			put(entry, VALID | LEAF | gra | bits);
			return entry;
		}
		assert_true(at > shift);
		/* 64 KiB leaves lie in tables of 5 bits */
		nls = at == 21 ? 21 - shift : 9;
		v = be64toh(*entry);
		if (!(v & VALID)) {
			v = VALID | new_table(m, nls) | nls;
			put(entry, v);
		}
		table = v & UINT64_C(0x01ffffffffffff00);
	}
}

uint32_t machine_run(struct machine *m, unsigned n, uint64_t pc)
{
	struct cpu *c = m->cpu[n];
	enum cpu_exit exit;

	p9_set_pc(c, pc);
	do {
		exit = cpu_run(c);
	} while (exit == CPU_EXIT_KICK);
	if (exit != CPU_EXIT_HYPERVISOR)
		fail_msg("the processor stopped: %s", cpu_error(c));
	return p9_exit_vector(c);
}

int machine_run_modes(const struct CMUnitTest *tests, size_t count)
{
	static const char *const name[] = {
		[0] = "interpreted",
		[1] = "interpreted, optimised",
		[2] = "compiled",
		[3] = "compiled, optimised",
		[7] = "compiled meanwhile, optimised",
		[11] = "in lockstep",
	};
	int failed = 0;

	for (mode = 0; mode < sizeof(name) / sizeof(name[0]); mode++)
		if (name[mode])
			failed += _cmocka_run_group_tests(name[mode], tests, count, NULL, NULL);
	return failed;
}
