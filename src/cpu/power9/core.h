/*
 * POWER9 inside: the processor structure and what its parts (MMU, exceptions, timers, special
 * registers, translation) offer each other. Nothing outside src/cpu includes this.
 */
#ifndef ANYKVM_CPU_POWER9_CORE_H
#define ANYKVM_CPU_POWER9_CORE_H

#include "cpu/core.h"
#include "cpu/power9/power9.h"

/* What translated code depends on; part of the key of a region. */
enum p9_mode_bits {
	P9_MODE_SF = 1 << 0,
	P9_MODE_LE = 1 << 1,
	P9_MODE_PR = 1 << 2,
	P9_MODE_FP = 1 << 3,  /* this and the next two with PR only: else code asks MSR */
	P9_MODE_VEC = 1 << 4,
	P9_MODE_VSX = 1 << 5,
	P9_MODE_SE = 1 << 6,  /* single-step trace: regions of one instruction */
	P9_MODE_BE = 1 << 7,  /* branch trace */
	P9_MODE_FE = 1 << 8,  /* floating-point exceptions enabled (FE0 or FE1) */
	P9_MODE_IR = 1 << 9,
	P9_MODE_DR = 1 << 10,
	P9_MODE_HV = 1 << 11,
	P9_MODE_HFP = 1 << 12,  /* HFSCR[FP] set */
	P9_MODE_HVEC = 1 << 13, /* HFSCR[VECVSX] set */
	P9_MODE_SO = 1 << 15,   /* XER[SO] */
	P9_MODE_FPX = 1 << 14,  /* FP or VSX, and an exception enabled in the FPSCR (float_status.h) */
};

/* Interrupts to the supervisor are counted by vector / 0x20; scv has a slot of its own. */
#define P9_DELIVERED     128
#define P9_DELIVERED_SCV 0 /* there is no vector 0 */

struct p9_cpu {
	struct cpu cpu; /* first: begins with struct ir_env */
	struct p9_regs regs;
	/* Of the last floating-point operation, whose status is not in regs.fpscr: float_status.h. */
	struct {
		_Alignas(8) uint32_t op; /* P9_FP_LAST_*: of these operands; a conversion behind it */
		uint32_t is_compared;    /* a comparison came behind it */
		uint64_t a, b, c;
		uint64_t converted;
		uint64_t compared;       /* a field of the CR (cr.h) */
	} fp_last;
	/*
	 * P9_MSR_EE if an interrupt was waiting for it when events were looked at last, or has since been found to by a
	 * program that wrote DEC or read the time, else 0: what translated code asks when it sets EE. What comes later sets
	 * exit_request.
	 */
	uint64_t held;
	uint32_t exit_vector;
	bool dec_pending, hdec_pending; /* as of the last look at the clock; the timer has it taken */
	/* The exception being raised (env.fault set): delivered when the executor has left. */
	struct {
		uint32_t vector;
		uint64_t srr1_bits;
		bool after;      /* the saved pc is the next instruction's (system call) */
		bool elsewhere;  /* it is next_pc (trace after a branch) */
		uint64_t next_pc;
	} exc;
	_Atomic uint32_t external; /* level of the external interrupt line; what lies before is state */
	struct p9_mmu *mmu;
	struct counter delivered[P9_DELIVERED]; /* p9_delivered */
};

ASSERT_OFFSET(struct p9_cpu, cpu, 0);
_Static_assert(sizeof(struct p9_cpu) <= IR_NEAR, "guest state is near the env");

static inline struct p9_cpu *p9_of(struct cpu *c)
{
	return container_of(c, struct p9_cpu, cpu);
}

static inline struct p9_cpu *p9_of_env(struct ir_env *env)
{
	return (struct p9_cpu *)env;
}

/* SRR1 bits of program interrupts */
#define P9_PROG_FP      UINT64_C(0x00100000)
#define P9_PROG_ILLEGAL UINT64_C(0x00080000)
#define P9_PROG_PRIV    UINT64_C(0x00040000)
#define P9_PROG_TRAP    UINT64_C(0x00020000)

#endif
