/*
 * Interrupts: recording one while an instruction executes, and delivering it. Power ISA 3.0B
 * Book III chapter 6.
 */
#ifndef ANYKVM_CPU_POWER9_EXCEPTION_H
#define ANYKVM_CPU_POWER9_EXCEPTION_H

#include "cpu/power9/core.h"

/*
 * Record an interrupt that the instruction at env.pc takes; the executor leaves the region
 * and p9_fault delivers it. srr1_bits go to SRR1 or HSRR1.
 */
void p9_raise(struct p9_cpu *p, enum p9_vector vector, uint64_t srr1_bits);

/* The same, for one that is taken after the instruction: the saved pc is the next one's. */
void p9_raise_after(struct p9_cpu *p, enum p9_vector vector, uint64_t srr1_bits);

/* Trace interrupt after an instruction that goes on at next_pc. */
void p9_raise_trace(struct p9_cpu *p, uint64_t next_pc);

/* After a floating-point instruction: a program interrupt if FPSCR[FEX] and MSR[FE0 FE1] ask for it. */
void p9_raise_fp_enabled(struct p9_cpu *p);

/* Facility-unavailable interrupt for a cause of enum p9_facility_bit, by FSCR then HFSCR. False: raised. */
bool p9_facility(struct p9_cpu *p, unsigned cause);

/* System call, vectored or not, to the supervisor; pc is that of the next instruction. */
void p9_system_call(struct p9_cpu *p, bool vectored, unsigned level, uint64_t pc);

/* Arch operations (cpu_arch). */
bool p9_fault(struct cpu *c);
bool p9_events(struct cpu *c);

/* Change MSR as mtmsr, rfid and interrupts do, and re-derive what depends on it. */
void p9_set_msr(struct p9_cpu *p, uint64_t msr);
void p9_update_mode(struct p9_cpu *p);

/* The same after no more than XER[SO] may have changed. */
void p9_so_changed(struct p9_cpu *p);

/* time.c */
void p9_timer(struct cpu *c);

/*
 * The time base as the program reads it, and the decrementer at a time. Where that is past its zero, its interrupt waits from
 * now on, whether the timer's thread has got round to it or not: no program sees the time go by without.
 */
uint64_t p9_tb_seen(struct p9_cpu *p);
uint64_t p9_dec_at(const struct p9_regs *r, uint64_t tb);

bool p9_dec_expired(const struct p9_regs *r);
bool p9_hdec_expired(const struct p9_regs *r);
void p9_time_enter(struct p9_cpu *p);
void p9_time_leave(struct p9_cpu *p);

#endif
