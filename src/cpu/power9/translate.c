/*
 * From guest code to the IR of one region.
 *
 * A region is a run of consecutive instructions inside one TLB block: from the entry up to the
 * first one that goes elsewhere unconditionally and behind which no forward branch of the region
 * lands. Branches inside the run become jumps between its blocks, so small loops and
 * if-then-else stay within a region.
 */
#include <string.h>

#include "cpu/power9/exception.h"
#include "cpu/power9/region.h"
#include "cpu/power9/translate.h"
#include "mem/endian.h"

/* One region's plan: which instructions begin blocks. */
struct plan {
	uint32_t count;             /* instructions */
	uint64_t start;             /* address of the first */
	uint64_t leader;            /* bit n: instruction n begins a block */
	uint64_t loop;              /* bit n: it is the target of a backward branch */
	ir_block block[CPU_REGION_INSNS];
	struct p9_insn insn[CPU_REGION_INSNS];
	uint64_t legal;             /* bit n: insn[n] was decoded */
	uint64_t entered;           /* bit n: ways to n were noted */
	uint32_t reserved[CPU_REGION_INSNS]; /* by what is reserved on all of them */
};

/* The translator as translate_util and the emit functions see it, with the plan behind it. */
struct region_translator {
	struct p9_translator t;
	struct plan plan;
	bool is_branch; /* of the instruction being translated */
};

_Static_assert(CPU_REGION_INSNS <= 64, "one bit each in a word");

static struct region_translator *rt_of(struct p9_translator *t)
{
	return container_of(t, struct region_translator, t);
}

/* ---- helpers that raise ---- */

static uint64_t h_raise(struct ir_env *env, uint64_t vector, uint64_t srr1_bits)
{
	p9_raise(p9_of_env(env), vector, srr1_bits);
	return 0;
}

static const struct ir_helper raise_helper = {
	.name = "raise",
	.fn = (void (*)(void))h_raise,
	.nargs = 2,
	.result = IR_NONE,
	.arg = { IR_I64, IR_I64 },
	.flags = IR_H_FAULTS | IR_H_READS_STATE | IR_H_WRITES_STATE,
};

static uint64_t h_raise_illegal(struct ir_env *env, uint64_t raw)
{
	struct p9_cpu *p = p9_of_env(env);

	p->regs.heir = raw;
	p9_raise(p, P9_VEC_HEAI, 0);
	return 0;
}

static const struct ir_helper raise_illegal_helper = {
	.name = "raise_illegal",
	.fn = (void (*)(void))h_raise_illegal,
	.nargs = 1,
	.result = IR_NONE,
	.arg = { IR_I64 },
	.flags = IR_H_FAULTS | IR_H_READS_STATE | IR_H_WRITES_STATE,
};

static uint64_t h_facility(struct ir_env *env, uint64_t cause)
{
	p9_facility(p9_of_env(env), cause);
	return 0;
}

static const struct ir_helper facility_helper = {
	.name = "facility",
	.fn = (void (*)(void))h_facility,
	.nargs = 1,
	.result = IR_NONE,
	.arg = { IR_I64 },
	.flags = IR_H_FAULTS | IR_H_READS_STATE | IR_H_WRITES_STATE,
};

static uint64_t h_tm_unavailable(struct ir_env *env)
{
	struct p9_cpu *p = p9_of_env(env);

	/* Without HFSCR[TM] it is the hypervisor's to answer; MSR[TM] is never set. */
	if (p9_facility(p, P9_FSCR_TM)) {
		p->regs.fscr = (p->regs.fscr & ~mask64_be(0, 7)) | (uint64_t)P9_FSCR_TM << 56;
		p9_raise(p, P9_VEC_FAC_UNAVAILABLE, 0);
	}
	return 0;
}

static const struct ir_helper tm_unavailable_helper = {
	.name = "tm_unavailable",
	.fn = (void (*)(void))h_tm_unavailable,
	.result = IR_NONE,
	.flags = IR_H_FAULTS | IR_H_READS_STATE | IR_H_WRITES_STATE,
};

static uint64_t h_trace(struct ir_env *env, uint64_t next_pc)
{
	p9_raise_trace(p9_of_env(env), next_pc);
	return 0;
}

static const struct ir_helper trace_helper = {
	.name = "trace",
	.fn = (void (*)(void))h_trace,
	.nargs = 1,
	.result = IR_NONE,
	.arg = { IR_I64 },
	.flags = IR_H_FAULTS | IR_H_READS_STATE | IR_H_WRITES_STATE,
};

static void end_raised(struct p9_translator *t)
{
	ir_exit_resume(t->r);
	t->ended = true;
}

void p9_raise_vector(struct p9_translator *t, uint32_t vector)
{
	p9_call2(t, &raise_helper, p9_i64(t, vector), p9_i64(t, 0));
	end_raised(t);
}

void p9_raise_program(struct p9_translator *t, uint64_t srr1_bits)
{
	p9_call2(t, &raise_helper, p9_i64(t, P9_VEC_PROGRAM), p9_i64(t, srr1_bits));
	end_raised(t);
}

void p9_raise_illegal(struct p9_translator *t, uint32_t raw)
{
	p9_call1(t, &raise_illegal_helper, p9_i64(t, raw));
	end_raised(t);
}

/* ---- leaving the instruction ---- */

/* Single-step and branch trace: the interrupt comes when the instruction is complete. */
static bool traced(struct p9_translator *t)
{
	return (t->mode & P9_MODE_SE) || ((t->mode & P9_MODE_BE) && rt_of(t)->is_branch);
}

/* Instruction n of the plan is gone to from here. */
static void note_way(struct p9_translator *t, uint64_t n)
{
	struct plan *plan = &rt_of(t)->plan;

	if (!(plan->entered >> n & 1))
		plan->reserved[n] = t->reserved;
	else if (plan->reserved[n] != t->reserved)
		plan->reserved[n] = 0;
	plan->entered |= UINT64_C(1) << n;
}

/* By what is reserved where instruction n begins a block, once all ways to it were noted. */
static uint32_t reserved_at(const struct region_translator *rt, uint32_t n)
{
	uint32_t id = rt->plan.entered >> n & 1 ? rt->plan.reserved[n] : 0;

	/* A loop may be left at its head, and entered there later. */
	return rt->plan.loop >> n & 1 || id != rt->t.reserve.id ? 0 : id;
}

void p9_exit_indirect(struct p9_translator *t, ir_val pc)
{
	if (traced(t)) {
		/* The instruction is complete: what is raised now is between it and the next. */
		ir_insn(t->r, t->pc);
		p9_call1(t, &trace_helper, pc);
		end_raised(t);
		return;
	}
	ir_exit_indirect(t->r, pc);
	t->ended = true;
}

void p9_exit_direct(struct p9_translator *t, uint64_t pc)
{
	struct plan *plan = &rt_of(t)->plan;
	uint64_t n = (pc - plan->start) / 4;
	bool inside;

	if (traced(t)) {
		p9_exit_indirect(t, ir_pc(t->r, pc));
		return;
	}
	/*
	 * Back only to where a poll was planned: a loop without one could not be interrupted. What
	 * was not planned as a loop (calls, addresses that wrap) leaves the region.
	 */
	inside = n < plan->count && (plan->leader >> n & 1);
	if (inside && (plan->start + 4 * n > t->pc || (plan->loop >> n & 1))) {
		note_way(t, n);
		ir_jump(t->r, plan->block[n]);
	} else {
		if (!(pc & TLB_BLOCK_MASK))
			p9_carry_reservation(t);
		ir_exit_direct(t->r, pc);
	}
	t->ended = true;
}

void p9_exit_context(struct p9_translator *t)
{
	uint64_t next = t->pc + 4;

	if (!p9_mode64(t))
		next &= UINT32_MAX;
	if (traced(t)) {
		p9_exit_indirect(t, ir_pc(t->r, next));
		return;
	}
	ir_set(t->r, offsetof(struct ir_env, pc), ir_pc(t->r, next));
	end_raised(t);
}

void p9_exit_refetch(struct p9_translator *t)
{
	uint64_t next = p9_mode64(t) ? t->pc + 4 : (uint32_t)(t->pc + 4);

	/* By the jump cache, which has nothing after an invalidation: direct jumps forwards would not ask. */
	p9_exit_indirect(t, ir_pc(t->r, next));
}

/* ---- the checks before an instruction ---- */

static void check_facility_bit(struct p9_translator *t, unsigned cause)
{
	p9_call1(t, &facility_helper, p9_i64(t, cause));
}

/*
 * Supervisors' code is the same whatever MSR says of this, so it asks, once in a straight line: what changes MSR
 * ends the region.
 */
static void check_msr(struct p9_translator *t, uint32_t mode_bit, uint64_t msr_bit, uint32_t vector)
{
	ir_block missing, go_on;

	if (t->available & mode_bit)
		return;
	missing = ir_create_block(t->r);
	go_on = ir_create_block(t->r);
	ir_br(t->r, ir_bin(t->r, IR_AND, ir_get(t->r, IR_I64, P9_OFF(msr)), p9_i64(t, msr_bit)),
	      go_on, missing);
	ir_begin_block(t->r, missing);
	p9_raise_vector(t, vector);
	t->ended = false;
	ir_begin_block(t->r, go_on);
	t->available |= mode_bit;
}

/* True when the interrupt was raised instead: translation of this instruction is over. */
static bool unavailable(struct p9_translator *t, uint32_t msr_mode, uint64_t msr_bit,
			uint32_t hfscr_bit, uint32_t vector, unsigned cause)
{
	if (!(t->mode & P9_MODE_PR)) {
		check_msr(t, msr_mode, msr_bit, vector);
	} else if (!(t->mode & msr_mode)) {
		p9_raise_vector(t, vector);
		return true;
	}
	if (!(t->mode & hfscr_bit)) {
		check_facility_bit(t, cause);
		end_raised(t);
		return true;
	}
	return false;
}

static bool fp_unavailable(struct p9_translator *t)
{
	return unavailable(t, P9_MODE_FP, P9_MSR_FP, P9_MODE_HFP, P9_VEC_FP_UNAVAILABLE,
			   P9_FSCR_FP);
}

static bool vec_unavailable(struct p9_translator *t)
{
	return unavailable(t, P9_MODE_VEC, P9_MSR_VEC, P9_MODE_HVEC, P9_VEC_VEC_UNAVAILABLE,
			   P9_FSCR_VECVSX);
}

static bool vsx_unavailable(struct p9_translator *t)
{
	return unavailable(t, P9_MODE_VSX, P9_MSR_VSX, P9_MODE_HVEC, P9_VEC_VSX_UNAVAILABLE,
			   P9_FSCR_VECVSX);
}

/* The number of the VSR that decides about the facility: the first vector-scalar operand. */
static unsigned vsr_operand(const struct p9_insn *i)
{
	for (unsigned n = 0; n < P9_OPERANDS_MAX && i->desc->operands[n] != P9_OPND_NONE; n++)
		if (p9_operand(i->desc->operands[n])->kind == P9_KIND_VSR)
			return p9_operand_get(i->raw, i->desc->operands[n]);
	return 0;
}

static bool facility_missing(struct p9_translator *t, const struct p9_insn *i)
{
	switch ((enum p9_facility)i->desc->facility) {
	case P9_FACILITY_BASE:
		return false;
	case P9_FACILITY_FP:
	case P9_FACILITY_DFP:
		return fp_unavailable(t);
	case P9_FACILITY_VEC:
		return vec_unavailable(t);
	case P9_FACILITY_VSX:
		return vsx_unavailable(t);
	case P9_FACILITY_FP_OR_VEC:
		return vsr_operand(i) < 32 ? fp_unavailable(t) : vec_unavailable(t);
	case P9_FACILITY_VSX_OR_VEC:
		return vsr_operand(i) < 32 ? vsx_unavailable(t) : vec_unavailable(t);
	case P9_FACILITY_TM:
		p9_call0(t, &tm_unavailable_helper);
		end_raised(t);
		return true;
	case P9_FACILITY_BHRB:
		check_facility_bit(t, P9_FSCR_BHRB);
		return false;
	case P9_FACILITY_EBB:
		check_facility_bit(t, P9_FSCR_EBB);
		return false;
	case P9_FACILITY_TAR:
		check_facility_bit(t, P9_FSCR_TAR);
		return false;
	case P9_FACILITY_MSGP:
		check_facility_bit(t, P9_FSCR_MSGP);
		return false;
	case P9_FACILITY_SCV:
		check_facility_bit(t, P9_FSCR_SCV);
		return false;
	}
	return false;
}

static bool privilege_missing(struct p9_translator *t, const struct p9_insn *i)
{
	switch ((enum p9_privilege)i->desc->privilege) {
	case P9_PRIV_USER:
		return false;
	case P9_PRIV_PRIV:
		if (!(t->mode & P9_MODE_PR))
			return false;
		break;
	case P9_PRIV_HYPV:
		break; /* the thread is never in hypervisor state */
	}
	p9_raise_program(t, P9_PROG_PRIV);
	return true;
}

static void emit_one(struct p9_translator *t, const struct p9_insn *i, uint32_t raw)
{
	ir_insn(t->r, t->pc);
	t->ended = false;
	if (!i || !p9_keeps_reservation(i))
		t->reserved = 0;
	if (!i) {
		p9_raise_illegal(t, raw);
		return;
	}
	if (privilege_missing(t, i))
		return;
	/* The facility comes first: what cannot be enabled here is reported as unavailable. */
	if (facility_missing(t, i))
		return;
	if (!i->desc->emit) {
		p9_raise_illegal(t, raw);
		return;
	}
	i->desc->emit(t, i);
	if (t->so_changed) {
		t->reserved = 0;
		p9_check_so(t);
	}
}

/* ---- regions ---- */

static uint32_t fetch_word(const struct p9_translator *t, const uint8_t *code)
{
	return t->mode & P9_MODE_LE ? ld_le32(code) : ld_be32(code);
}

/* The target of a relative branch. False: no such branch. */
static bool direct_target(const struct p9_insn *i, uint64_t pc, uint64_t *target, bool *conditional)
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
static bool falls_through(const struct p9_insn *i, bool direct, bool conditional)
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

/*
 * A region that ends because it has become long does not end between a load and reserve and its store: it ends before the load, so
 * that the next one has both.
 */
static uint32_t end_before_reserve(const struct plan *plan, uint32_t count)
{
	for (uint32_t n = count; n-- > 1;) {
		const struct p9_insn *i = &plan->insn[n];

		if (!(plan->legal >> n & 1) || !p9_keeps_reservation(i))
			break;
		if (i->desc->flags & P9_FLAG_RESERVE)
			return i->desc->flags & P9_FLAG_LOAD ? n : count;
	}
	return count;
}

static void make_plan(struct region_translator *rt, const uint8_t *code, uint32_t max)
{
	struct plan *plan = &rt->plan;
	uint64_t furthest = plan->start; /* of the forward targets seen */
	bool ended = false;
	uint32_t n;

	plan->leader = 1;
	plan->loop = 0;
	plan->legal = 0;
	plan->entered = 0;
	for (n = 0; n < max; n++) {
		uint64_t pc = plan->start + 4 * n, target, at;
		struct p9_insn *i = &plan->insn[n];
		uint32_t raw = fetch_word(&rt->t, code + 4 * n);
		bool conditional = false, direct, falls;

		i->raw = raw;
		if (!p9_decode(raw, i)) {
			/* Data, most likely: nothing behind it is worth translating. */
			n++;
			ended = true;
			break;
		}
		plan->legal |= UINT64_C(1) << n;
		direct = direct_target(i, pc, &target, &conditional);
		if (direct && !insn_LK(i)) {
			at = (target - plan->start) / 4;
			if (target >= plan->start && at < max) {
				if (at <= n) {
					plan->leader |= UINT64_C(1) << at;
					plan->loop |= UINT64_C(1) << at;
				} else {
					plan->leader |= UINT64_C(1) << at;
					if (target > furthest)
						furthest = target;
				}
			}
		}
		falls = falls_through(i, direct, conditional);
		if ((i->desc->flags & P9_FLAG_BRANCH) && n + 1 < max)
			plan->leader |= UINT64_C(1) << (n + 1);
		if (!falls && furthest <= pc) {
			n++;
			ended = true;
			break;
		}
	}
	if (!ended)
		n = end_before_reserve(plan, n);
	plan->count = n;
	if (n < 64)
		plan->leader &= (UINT64_C(1) << n) - 1;
}

/* The bytes of a store conditional that comes before anything that costs a reservation; 0: there is none. */
static unsigned store_to_come(const struct plan *plan)
{
	for (uint32_t n = 0; n < plan->count; n++) {
		const struct p9_insn *i = &plan->insn[n];

		if (!(plan->legal >> n & 1) || !p9_keeps_reservation(i))
			return 0;
		switch (i->op) {
		case P9_OP_stbcx_dot:
			return 1;
		case P9_OP_sthcx_dot:
			return 2;
		case P9_OP_stwcx_dot:
			return 4;
		case P9_OP_stdcx_dot:
			return 8;
		case P9_OP_stqcx_dot:
			return 16;
		default:
			if (i->desc->flags & P9_FLAG_RESERVE)
				return 0;
		}
	}
	return 0;
}

uint32_t p9_translate_region(uint32_t mode, struct ir_region *r, uint64_t pc, const uint8_t *code,
			     uint32_t bytes, uint32_t max_insns)
{
	struct region_translator rt;
	struct p9_translator *t = &rt.t;
	struct plan *plan = &rt.plan;
	uint32_t max = bytes / 4 < max_insns ? bytes / 4 : max_insns;

	t->r = r;
	t->mode = mode;
	/*
	 * The thread's own data (of a kernel, the processor's), and the stack. A kernel's is another with
	 * each process and in interrupts.
	 */
	r->steady[0] = p9_off_gpr(13);
	r->steady[1] = mode & P9_MODE_PR ? p9_off_gpr(1) : 0;
	t->ended = false;
	t->so_changed = false;
	t->reserve.id = t->reserved = 0;
	t->nwatched = 0;
	t->available = 0;
	for (unsigned n = 0; n < ARRAY_SIZE(t->crf); n++)
		t->crf[n].block = P9_NO_BLOCK;
	rt.is_branch = false;
	if (mode & (P9_MODE_SE | P9_MODE_BE))
		max = 1;
	plan->start = pc;
	make_plan(&rt, code, max);
	if (!(pc & TLB_BLOCK_MASK)) {
		ir_begin_block(r, ir_create_block(r));
		ir_insn(r, pc);
		p9_take_reservation(t, store_to_come(plan));
		note_way(t, 0);
	}
	for (uint32_t n = 0; n < plan->count; n++)
		if (plan->leader >> n & 1)
			plan->block[n] = ir_create_block(r);
	if (!(pc & TLB_BLOCK_MASK))
		ir_jump(r, plan->block[0]);
	for (uint32_t n = 0; n < plan->count; n++) {
		bool legal = plan->legal >> n & 1;

		t->pc = pc + 4 * n;
		if (plan->leader >> n & 1) {
			if (n && ir_block_open(r)) {
				note_way(t, n);
				ir_jump(r, plan->block[n]);
			}
			ir_begin_block(r, plan->block[n]);
			t->available = 0;
			t->reserved = reserved_at(&rt, n);
			if (plan->loop >> n & 1) {
				/* Left here, the guest is at the start of this instruction. */
				ir_insn(r, t->pc);
				ir_poll(r);
			}
		} else if (!ir_block_open(r)) {
			/* Nothing of the region leads here. */
			continue;
		}
		rt.is_branch = legal && (plan->insn[n].desc->flags & P9_FLAG_BRANCH);
		emit_one(t, legal ? &plan->insn[n] : NULL, plan->insn[n].raw);
		if (t->ended || !ir_block_open(r))
			continue;
		if (n + 1 == plan->count) {
			rt.is_branch = false;
			p9_exit_direct(t, p9_mode64(t) ? t->pc + 4 : (uint32_t)(t->pc + 4));
		} else if (traced(t)) {
			p9_exit_direct(t, t->pc + 4);
		}
	}
	rt.is_branch = false;
	p9_emit_watched(t);
	return plan->count * 4;
}
