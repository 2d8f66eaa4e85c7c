/*
 * Plans of regions: which guest instructions are translated together, which of them begin blocks, and which of those
 * are the heads of loops. Private to the translator.
 *
 * A plan has one run of consecutive instructions (an ordinary region), or several (a path). Instructions are named by
 * their slots: those of a run have consecutive ones. Runs do not overlap, and each lies in a block of 4 KiB.
 *
 * Every loop of the plan has a head at which there is a poll: jumps in the region go to what has a greater place, or to
 * such a head. All others leave.
 */
#ifndef ANYKVM_CPU_POWER9_TRANSLATE_PLAN_H
#define ANYKVM_CPU_POWER9_TRANSLATE_PLAN_H

#include "cpu/power9/translate.h"

#define PLAN_SLOTS (CPU_PIECES * CPU_REGION_INSNS)
#define PLAN_NONE  UINT32_MAX

/* Of an indirect branch: where it goes mostly. */
#define PLAN_TARGETS 4

enum plan_flags {
	PLAN_LEADER = 1,  /* begins a block */
	PLAN_LOOP = 2,    /* its block is the head of a loop */
	PLAN_LEGAL = 4,   /* was decoded */
	PLAN_ENTERED = 8, /* ways to it were noted */
	PLAN_VISITED = 16, /* a leader that can be reached (paths) */
	PLAN_TAKES = 32,   /* the head of a loop at the start of a block of 4 KiB, where reservations come by state (paths) */
};

struct plan_run {
	uint64_t pc; /* of its first instruction */
	uint32_t first, count; /* slots */
	bool ended;  /* what follows it is not reached from it; else it only has become long */
};

struct plan {
	struct plan_run run[CPU_PIECES];
	unsigned nrun;
	uint32_t count; /* slots */
	uint8_t flags[PLAN_SLOTS];
	uint16_t place[PLAN_SLOTS]; /* by leader: of its block in the order in which they are translated */
	ir_block block[PLAN_SLOTS]; /* by leader */
	struct p9_insn insn[PLAN_SLOTS];
	uint32_t reserved[PLAN_SLOTS]; /* by what is reserved on all ways to it that were noted */
	const struct cpu_piece *piece; /* NULL: an ordinary region */
	unsigned npiece;
};

/* The translator as translate_util and the emit functions see it, with the plan behind it. */
struct region_translator {
	struct p9_translator t;
	uint32_t slot;  /* of the instruction being translated */
	uint32_t place; /* of its block */
	bool is_branch; /* that is what it is */
	struct plan plan;
};

static inline struct region_translator *rt_of(struct p9_translator *t)
{
	return container_of(t, struct region_translator, t);
}

/* The target of a relative branch. False: no such branch. */
static inline bool plan_direct_target(const struct p9_insn *i, uint64_t pc, uint64_t *target, bool *conditional)
{
	if (i->op == P9_OP_b && !insn_AA(i)) {
		*target = pc + (uint64_t)insn_LI(i);
		*conditional = false;
	} else if (i->op == P9_OP_bc && !insn_AA(i)) {
		*target = pc + (uint64_t)insn_BD(i);
		/* "branch always" is BO = 1z1zz */
		*conditional = (insn_BO(i) & 0x14) != 0x14;
	} else {
		return false;
	}
	return true;
}

/* Does the next instruction follow in every case that matters for the plan? */
static inline bool plan_falls_through(const struct p9_insn *i, bool direct, bool conditional)
{
	if (direct)
		return conditional;
	/* EE and RI alone */
	if (i->op == P9_OP_mtmsrd || i->op == P9_OP_mtmsr)
		return insn_L_MSR(i);
	if (i->op == P9_OP_bclr || i->op == P9_OP_bcctr || i->op == P9_OP_bctar || i->op == P9_OP_bc)
		return (insn_BO(i) & 0x14) != 0x14;
	return !(i->desc->flags & P9_FLAG_ENDS_BLOCK);
}

/* translate_plan.c */

/* One more run, of at most max instructions, whose code is at `code`. */
void plan_add_run(struct plan *plan, uint32_t mode, uint64_t pc, const uint8_t *code, uint32_t max);
/* The last run, which ends because it has become long or where there is no more code, ends before a load and reserve whose store is not of it. */
void plan_end_before_reserve(struct plan *plan);
/* The slot of the instruction at pc; PLAN_NONE: it is not of the plan. */
uint32_t plan_find(const struct plan *plan, uint64_t pc);
/* And the address of what is in a slot. */
uint64_t plan_pc(const struct plan *plan, uint32_t slot);

/* translate_path.c: to which slots (at most PLAN_TARGETS) does the indirect branch in a slot, at pc, go mostly? */
unsigned plan_indirect_targets(const struct plan *plan, uint32_t slot, uint64_t pc, uint32_t *target);

/* translate_region.c */

void plan_begin(struct region_translator *rt, struct ir_region *r, uint32_t mode);
/* At a region's start in the first slot: take over what the region before has reserved. */
void plan_enter(struct region_translator *rt);
/* Translate the block that begins with the leader `slot`; returns the next slot of the run that is not of it. */
uint32_t plan_translate_block(struct region_translator *rt, const struct plan_run *run, uint32_t slot);

/* translate.c: one instruction; NULL: an illegal one. The mark of it is written, too. */
void p9_translate_insn(struct p9_translator *t, const struct p9_insn *i, uint32_t raw);
/* What is raised has been: ends the block. */
void p9_end_raised(struct p9_translator *t);

#endif
