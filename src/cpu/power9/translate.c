/*
 * One guest instruction on its way to IR: the checks that come before it, and what raises in its place.
 */
#include "cpu/power9/exception.h"
#include "cpu/power9/translate_plan.h"

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

void p9_end_raised(struct p9_translator *t)
{
	ir_exit_resume(t->r);
	t->ended = true;
}

void p9_raise_vector(struct p9_translator *t, uint32_t vector)
{
	p9_call2(t, &raise_helper, p9_i64(t, vector), p9_i64(t, 0));
	p9_end_raised(t);
}

void p9_raise_program(struct p9_translator *t, uint64_t srr1_bits)
{
	p9_call2(t, &raise_helper, p9_i64(t, P9_VEC_PROGRAM), p9_i64(t, srr1_bits));
	p9_end_raised(t);
}

void p9_raise_illegal(struct p9_translator *t, uint32_t raw)
{
	p9_call1(t, &raise_illegal_helper, p9_i64(t, raw));
	p9_end_raised(t);
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
		p9_end_raised(t);
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
		p9_end_raised(t);
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

void p9_translate_insn(struct p9_translator *t, const struct p9_insn *i, uint32_t raw)
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
