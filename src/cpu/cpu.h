/*
 * The software processors' common seam: all that the hypervisor (src/kvm) uses of a processor,
 * beside the registers that the architecture's own header gives (power9/power9.h).
 *
 * A `struct cpu_system` is the silicon of one virtual machine: the processors that share a
 * translation cache and that hear each other's broadcasts. A `struct cpu` is one hardware thread.
 *
 * The hypervisor treats it as it would silicon: it sets registers, builds page tables in the
 * architecture's format, and calls cpu_run. Whatever the architecture directs to hypervisor
 * state ends the call; every other exception is delivered inside the processor.
 *
 * Threads: cpu_run and all register access of one cpu happen on one thread at a time (the
 * hypervisor's vCPU mutex). cpu_kick, cpu_system_* and cpu_shoot* may be called by any thread.
 */
#ifndef ANYKVM_CPU_CPU_H
#define ANYKVM_CPU_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "mem/addr.h"

struct cpu;
struct cpu_system;
struct cpu_arch;

#define CPU_HOST_LEVELS 4

struct cpu_system_config {
	const struct cpu_arch *arch;
	bool optimise;  /* run the IR optimiser */
	bool check_ir;  /* verify every region (tests, debugging) */
	bool jit;       /* compile hot regions, where the host has a back end */
	bool lockstep;  /* and compare it with the interpreter, all the time; one processor only */
	unsigned jit_without; /* for tests: so many levels of the host's features are not used (jit_limit), of CPU_HOST_LEVELS */
	int perf_map_fd, jit_dump_fd; /* where compiled code is named (jit/trace.h); 0: nowhere */
	int *perf_map_error, *jit_dump_error; /* as of struct jit_trace_to; may be NULL */
	uint32_t jit_after; /* interpreted runs that make a region hot; 0: the default */
	size_t translation_bytes; /* what translations may take; 0: the default */
	uint32_t sample_us; /* samples for paths are taken so often at most; 0: the default; UINT32_MAX: never */
	bool no_twins;      /* do not look for code of the same content: there will be little */
	bool background;    /* compile on a thread of its own, if the host has processors for it */
};

/*
 * NULL with errno: ENOMEM; EACCES, EPERM or the like if the host forbids memory for compiled code; ENOTSUP for lockstep, a perf map or
 * a dump where it has no back end. (Otherwise the interpreter serves there.)
 */
struct cpu_system *cpu_system_create(const struct cpu_system_config *config);

/* All its processors must have been destroyed. */
void cpu_system_destroy(struct cpu_system *s);

/* A processor in its architecture's power-on state. NULL with errno ENOMEM. */
struct cpu *cpu_create(struct cpu_system *s);
void cpu_destroy(struct cpu *c);

enum cpu_exit {
	CPU_EXIT_KICK,       /* cpu_kick was called; no guest-visible event */
	CPU_EXIT_HYPERVISOR, /* an interrupt to hypervisor state: see the architecture's registers */
	CPU_EXIT_ERROR,      /* the processor cannot go on (out of host memory): cpu_error says why */
};

/*
 * Run guest code until something ends it. Asynchronous work that other threads requested
 * (shootdowns) is done inside.
 */
enum cpu_exit cpu_run(struct cpu *c);
const char *cpu_error(const struct cpu *c);

/*
 * Have cpu_run return (CPU_EXIT_KICK) soon: within one region or loop iteration. When the cpu is not
 * running, its next cpu_run returns at once. Async-signal-safe.
 */
void cpu_kick(struct cpu *c);

/*
 * Forget on every processor of the system what its TLBs hold of the host memory [start, start +
 * len), translations of code there included; on return no processor uses it any more. To be
 * called after page tables stopped mapping it (slot removal, write protection, invalidation).
 * `self` is the calling thread's own cpu if it holds one (NULL otherwise).
 */
void cpu_shoot_host(struct cpu_system *s, struct cpu *self, hva_t start, uint64_t len);

/* Forget all translations of addresses on every processor, as above. */
void cpu_shoot_all(struct cpu_system *s, struct cpu *self);

/*
 * What a processor counts. Its own thread writes, on paths that are slow anyway; compiled code
 * that goes on in compiled code counts nothing.
 */
#define CPU_COUNTERS(_)                                                                            \
	_(regions_translated)                                                                      \
	_(translations_shared) /* of these, those of which others of the same content had the code */ \
	_(code_writes)       /* stores into blocks that hold translated code */                    \
	_(tlb_misses)        /* walks of the page tables */                                        \
	_(tlb_refills)       /* of these, those that found a translation */                        \
	_(tlb_requests)      /* invalidations served, its own and others' */                       \
	_(reservations_watched)    /* loads that had stores to what they reserve watched */            \
	_(reservations_given_up)   /* conditional stores whose reservation had not been watched */    \
	_(reservations_lost)       /* conditional stores whose reservation had, and was lost */       \
	_(watched_blocks)          /* invalidations sent to have stores to a block watched */          \
	_(context_recycles)  /* translation contexts that were flushed to make room */             \
	/* why compiled or interpreted code was left for the run loop */                           \
	_(left_direct)                                                                            \
	_(left_indirect)                                                                          \
	_(left_resume)                                                                            \
	_(left_fault)                                                                             \
	_(left_poll)                                                                               \
	_(left_unshared)

/*
 * Around a store to guest memory, within 4 KiB, by somebody who is no processor: so that those who have reserved it
 * learn of it. Nothing else may be waited for in between.
 */
void cpu_outside_store_begin(struct cpu_system *s, hva_t host);
void cpu_outside_store_end(struct cpu_system *s, hva_t host, unsigned size);

/* Counters, monotonic, readable by any thread at any time. */
struct cpu_stats {
#define _(name) uint64_t name;
	CPU_COUNTERS(_)
#undef _
};

void cpu_stats_read(const struct cpu *c, struct cpu_stats *out);

/* The same of what the processors of a system share. */
struct cpu_system_stats {
	/* now */
	uint64_t regions, region_bytes; /* live translations; what their interpreted form takes */
	uint64_t code_bytes;            /* compiled code, memory not yet reclaimed included */
	/* since creation */
	uint64_t regions_killed;        /* code was written or unmapped, or room was needed */
	uint64_t regions_evicted;       /* of these, to make room for others */
	uint64_t regions_compiled;
	uint64_t regions_copied;        /* got compiled code of the same guest code elsewhere */
	uint64_t regions_path;          /* compiled from several pieces, along a path that was hot */
	uint64_t compile_failures;      /* hot regions that stay interpreted, or died meanwhile */
	uint64_t shootdowns;            /* invalidations sent to all processors */
};

void cpu_system_stats_read(const struct cpu_system *s, struct cpu_system_stats *out);

#endif
