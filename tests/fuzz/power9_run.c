/*
 * Executes arbitrary code in supervisor and problem state of a bare processor whose 16 MiB of
 * memory lie between guard pages: whatever the guest does, it stays in its memory, and each run
 * ends. It runs interpreted or compiled (at the second time round).
 *
 * Input: eight bytes that choose the state, then the code, placed in real and in mapped memory:
 * words, or rows of isa.def and fields (power9_words.h).
 *
 * Memory that an input wrote beyond the first 128 KiB and the tables is still there for the next.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cpu/core.h"
#include "cpu/power9/power9.h"
#include "mem/endian.h"
#include "power9_words.h"

#define RAM  (UINT64_C(16) << 20)
#define CODE UINT64_C(0x10000)

#define VALID UINT64_C(0x8000000000000000)
#define LEAF  UINT64_C(0x4000000000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bits of the state that mean something to us only. */
#define SEED_FACILITIES 0x100
#define SEED_COMPILED   0x10000
#define SEED_ROWS       0x20000

static struct cpu_system *systems[2]; /* interpreted, compiled */
static struct cpu *cpus[2];
static struct p9_regs fresh;
static uint8_t *ram;
static uint64_t *root; /* of the partition-scoped tree; lives as long as the process */

static void set_up(void)
{
	struct cpu_system_config config = {.arch = &p9_arch, .optimise = true, .jit_after = 1};
	/* guard, memory on a 2 MiB boundary, guard */
	uint8_t *area = mmap(NULL, RAM + (8 << 20), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t *l2, *l3;
	struct p9_regs *r;

	root = aligned_alloc(65536, 2 * 65536);
	if (area == MAP_FAILED || !root)
		abort();
	for (unsigned i = 0; i < 2; i++) {
		config.jit = i;
		systems[i] = cpu_system_create(&config);
		cpus[i] = systems[i] ? cpu_create(systems[i]) : NULL;
		if (!cpus[i])
			abort();
	}
	ram = (uint8_t *)(((uintptr_t)area + (4 << 20)) & ~((uintptr_t)(2 << 20) - 1));
	if (mprotect(ram, RAM, PROT_READ | PROT_WRITE))
		abort();
	l2 = root + 8192;
	l3 = l2 + 512;
	memset(root, 0, 65536 + 8192);
	root[0] = htobe64(VALID | (uintptr_t)l2 | 9);
	l2[0] = htobe64(VALID | (uintptr_t)l3 | 9);
	for (uint64_t a = 0; a < RAM; a += 2 << 20)
		l3[a >> 21] = htobe64(VALID | LEAF | (uintptr_t)(ram + a) | 7);
	r = p9_regs(cpus[0]);
	r->lpidr = 1;
	r->lpcr =
		P9_LPCR_HR | P9_LPCR_UPRT | P9_LPCR_GTSE | P9_LPCR_LD | P9_LPCR_ILE | P9_LPCR_HDICE;
	r->hfscr = UINT64_C(0xffdf);
	r->patb0 = VALID | UINT64_C(2) << 61 | UINT64_C(5) << 5 | (uintptr_t)root | 13;
	r->patb1 = VALID | UINT64_C(0x200000);
	fresh = *r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct p9_regs *r;
	struct cpu *cpu;
	uint64_t seed;
	unsigned which;

	if (size < 8 + FUZZ_ROW_BYTES)
		return 0;
	if (!ram)
		set_up();
	seed = ld_le64(data);
	data += 8;
	size -= 8;
	which = !!(seed & SEED_COMPILED);
	cpu = cpus[which];
	memset(ram, 0, 0x20000);
	fuzz_code(ram + CODE, 1024, data, size, seed & SEED_ROWS, !(seed & P9_MSR_LE));
	/* the process table's first entry, and a tree made of the input's own bytes */
	st_be64(ram + 0x200000, UINT64_C(2) << 61 | UINT64_C(5) << 5 | 0x210000 | 13);
	st_be64(ram + 0x210000, VALID | 0x220000 | 9);
	st_be64(ram + 0x220000, VALID | 0x230000 | 9);
	for (unsigned i = 0; i < 8; i++)
		st_be64(ram + 0x230000 + 8 * i,
			VALID | LEAF | (uint64_t)i << 21 | ((seed >> (8 * i)) & 0x1bf));
	/* Other code, and other page tables. */
	region_kill_all(systems[which]->regions);
	cpu_shoot_all(systems[which], NULL);
	r = p9_regs(cpu);
	*r = fresh;
	for (unsigned i = 0; i < 32; i++)
		r->gpr[i] = seed * (2 * i + 1) & (i & 1 ? RAM - 1 : UINT64_MAX);
	r->msr = P9_MSR_SF | P9_MSR_ME | (seed & (P9_MSR_LE | P9_MSR_PR | P9_MSR_IR | P9_MSR_DR)) |
		 (seed & SEED_FACILITIES ? P9_MSR_FP | P9_MSR_VEC | P9_MSR_VSX : 0);
	r->srr0 = CODE;
	r->srr1 = r->msr;
	p9_set_pc(cpu, CODE);
	p9_state_changed(cpu);
	/*
	 * The hypervisor decrementer ends what would not end by itself; not so soon that nothing is
	 * run under a sanitizer.
	 */
	p9_hdec_set(cpu, P9_TB_HZ / 4000);
	for (unsigned n = 0; n < 8; n++) {
		enum cpu_exit exit = cpu_run(cpu);

		if (exit == CPU_EXIT_ERROR)
			abort();
		if (exit == CPU_EXIT_HYPERVISOR && p9_exit_vector(cpu) == P9_VEC_HDEC)
			break;
		/* As a hypervisor that knows nothing: go on behind the instruction. */
		p9_set_pc(cpu, p9_pc(cpu) + 4);
	}
	return 0;
}
