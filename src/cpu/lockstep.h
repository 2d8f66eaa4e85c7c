/*
 * Lockstep: a proof of the compiler by its use. Each run of a compiled region is done twice from the
 * same state, first by the interpreter on the IR as the front end made it, then, once state and memory
 * have been put back, by the compiled code alone; all guest state and all that was stored are compared.
 * A difference is told on standard error and ends the processor (CPU_EXIT_ERROR).
 *
 * Stores. While a processor is in lockstep every store takes the slow path of the door (its TLBs have
 * TLB_TAG_SLOW everywhere), where the bytes from before are kept. Page-table walks that set R and C are not
 * undone: they set nothing that the second run would not. Should one, or anybody else, have changed what
 * was stored, the interpreter's run stands.
 *
 * The world. What a run takes from outside the guest (the clock, random numbers: cpu_lockstep_value) is
 * noted in the first run and given again in the second. What cannot be done twice (an invalidation of TLBs:
 * cpu_lockstep_once) leaves the interpreter's run as it is. Memory-mapped devices and hypercalls are never
 * reached inside a region: both leave it.
 *
 * Ends. Regions run alone: none is linked, and the jump cache names no compiled code. Loops go round a
 * fixed number of times in both (jit_layout.count_polls). When another thread asks the processor to leave
 * in the middle, the two may leave at different polls: the interpreter's run stands.
 *
 * One processor a system: another would see, and change, what is put back.
 */
#ifndef ANYKVM_CPU_LOCKSTEP_H
#define ANYKVM_CPU_LOCKSTEP_H

#include "cpu/core.h"

/* For a processor whose architecture has been set up. False: out of memory. */
bool cpu_lockstep_create(struct cpu *c);
void cpu_lockstep_destroy(struct cpu *c);

/* Run a region, env.base being set; *leave is why it was left. False: c->error says what differed. */
bool cpu_lockstep_run(struct cpu *c, struct region *g, enum ir_leave *leave);

/* Does g, that is run next, count as a sample (hot.c)? By how many runs there were: the same each time. */
bool cpu_lockstep_sampled(struct cpu *c, const struct region *g);

/* How many runs were compared. */
uint64_t cpu_lockstep_compared(const struct cpu *c);

/* To helpers: a value that is not the guest's. Returns it, or in a second run what it was in the first. */
uint64_t cpu_lockstep_value(uint64_t value);

/* To helpers: what is being done cannot be done twice. */
void cpu_lockstep_once(void);

#endif
