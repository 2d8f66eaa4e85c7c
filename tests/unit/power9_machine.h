/*
 * A bare POWER9 for unit tests: one or more processors, 16 MiB of guest memory, and a
 * partition-scoped tree that the test can change. Guest code ends with `sc 1`.
 */
#ifndef POWER9_MACHINE_H
#define POWER9_MACHINE_H

#include "cpu/power9/power9.h"

#define M_SIZE      (UINT64_C(16) << 20)
#define M_CODE      UINT64_C(0x10000)  /* where code is put, guest real */
#define M_PROCTAB   UINT64_C(0x200000) /* process table: 4 KiB, 256 entries */
#define M_TREE      UINT64_C(0x210000) /* page tables of the guest are allocated from here */
#define M_HCALL     0x44000022u        /* sc 1 */
#define M_LPID      1

struct machine {
	struct cpu_system *system;
	struct cpu *cpu[4];
	unsigned ncpu;
	uint8_t *ram;
	uint64_t *partition; /* level tables: 13, 9, 9 bits; leaves of 2 MiB */
	uint64_t tree_next;
};

/* All processors: real mode, little-endian, 64-bit. */
void machine_create(struct machine *m, unsigned ncpu);
struct cpu_system_config;
void machine_create_config(struct machine *m, unsigned ncpu,
			   const struct cpu_system_config *config);

/*
 * Run a group of tests in all modes: interpreted, and compiled at the first run, each with the
 * IR optimiser off and on; and, those of one processor, in lockstep. Returns how many tests failed.
 */
#define machine_run_tests(tests) machine_run_modes(tests, sizeof(tests) / sizeof((tests)[0]))
int machine_run_modes(const struct CMUnitTest *tests, size_t count);
/* In the present mode all is compiled, at once. */
bool machine_compiles(void);
void machine_destroy(struct machine *m);

/* The partition-scoped entry of the 2 MiB page at a guest real address, as the CPU reads it. */
uint64_t *machine_partition_pte(struct machine *m, uint64_t gra);

/* Put little-endian code at a guest real address. */
void machine_code(struct machine *m, uint64_t gra, const uint32_t *words, unsigned n);

/* An empty radix tree for a process; returns its process-table entry's first doubleword. */
void machine_process(struct machine *m, uint32_t pid);

/* Map a page of 2^shift (12, 16, 21, 30) at ea of a process; returns where the entry lies in host memory. */
uint64_t *machine_map(struct machine *m, uint32_t pid, uint64_t ea, uint64_t gra, unsigned shift,
		      uint64_t bits);

/* Run cpu n from pc until it leaves to the hypervisor; returns the vector. */
uint32_t machine_run(struct machine *m, unsigned n, uint64_t pc);

#endif
