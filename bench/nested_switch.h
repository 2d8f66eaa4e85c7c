/*
 * What the parts of bench/nested-switch's program share: a machine of one vCPU whose L1 is a few instructions. L1's
 * memory is laid out by hand.
 */
#ifndef ANYKVM_BENCH_NESTED_SWITCH_H
#define ANYKVM_BENCH_NESTED_SWITCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvm/abi/kvm.h"
#include "kvm/abi/ppc.h"

#define MIB        (UINT64_C(1) << 20)
#define MEM_SIZE   (256 * MIB)
#define L1_CODE    UINT64_C(0x10000)
#define HV         UINT64_C(0x20000) /* struct hv_guest_state */
#define PT         UINT64_C(0x24000) /* struct pt_regs */
#define PATB       UINT64_C(0x40000) /* 1024 entries */
#define PATS       2
#define TREES      (2 * MIB)
#define L2_MEM     (192 * MIB) /* 64 MiB that L2 has */
#define L2_SIZE    (64 * MIB)
#define L2_CODE    UINT64_C(0x1000)
#define L2_TOUCH   UINT64_C(0x2000)
#define TOUCH_FROM (2 * MIB)
#define DONE       0x3ffc
#define ROOT_SIZE  UINT64_C(65536)
#define VALID      (UINT64_C(1) << 63)
#define LEAF       (UINT64_C(1) << 62)
#define ATTR       UINT64_C(0x187) /* R, C, read, write, execute */
#define PATB_DW0   (VALID | UINT64_C(2) << 61 | UINT64_C(5) << 5 | 13)
#define MSR_SF     (UINT64_C(1) << 63)
#define LPCR_LD    (UINT64_C(1) << 17)
#define HV_LPID    8
#define HV_AMOR    32
#define HV_LPCR    16
#define HV_HFSCR   48
#define HV_HDEC    88
#define PT_NIP_OFF (32 * 8)
#define PT_MSR_OFF (33 * 8)
#define PT_CTR_OFF (35 * 8)

/* What a number of runs took. */
struct cost {
	double seconds;
	uint64_t instructions;
};

extern uint8_t *mem; /* L1's */

_Noreturn void die(const char *what, int err);

void put_code(uint64_t at, const uint32_t *insn, size_t n);
/* A nested guest: `sc 1` for ever; GPR4 address, GPR5 how many, GPR6 step: stores, then `sc 1`. */
void put_leaving_guest(uint64_t code, uint64_t touch);

/* Of L1's memory, aligned to its size. */
uint64_t new_table(uint64_t size);
/* L1's tree for an LPID: L2_MEM at 0 by pages of 1 << shift (12, 16 or 21). */
void make_guest(unsigned lpid, unsigned shift);

/* struct hv_guest_state and struct pt_regs in L1's memory, for one entry into lpid at nip. */
void put_state(uint64_t hv, uint64_t pt, unsigned lpid, uint64_t nip);

/* All that shadow tables hold goes. */
void flush(void);

/* L1 runs until its hypercall DONE. Added to *cost, unless NULL. */
void run_l1(struct kvm_regs *regs, struct cost *cost);

bool wanted(const char *name);
void report(const char *name, const struct cost *cost, uint64_t n);

/* nested_switch_two.c: the same of a guest of a guest. LPIDs of L1: one that make_guest made, and an unused one. */
void bench_two(unsigned l2_lpid, unsigned l3_lpid, unsigned rounds);

#endif
