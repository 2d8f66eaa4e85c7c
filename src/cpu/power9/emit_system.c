/*
 * System instructions (Book III; the user-level ones of Books I and II that read system state).
 */
#include <sys/random.h>

#include "cpu/lockstep.h"
#include "cpu/power9/exception.h"
#include "cpu/power9/mmu.h"
#include "cpu/power9/spr.h"
#include "cpu/power9/translate.h"

#define STATE (IR_H_FAULTS | IR_H_READS_STATE | IR_H_WRITES_STATE)
#define FN(f) ((void (*)(void))(f))

/* ---- system calls and returns ---- */

static uint64_t h_hypercall(struct ir_env *env)
{
	p9_raise_after(p9_of_env(env), P9_VEC_SYSCALL, 1);
	return 0;
}

static const struct ir_helper hypercall_helper = {
	.name = "hypercall",
	.fn = FN(h_hypercall),
	.result = IR_NONE,
	.flags = STATE,
};

/* The address to go on at, in the state that there is now. */
static uint64_t elsewhere(struct ir_env *env)
{
	cpu_jumps_select(&p9_of_env(env)->cpu);
	return env->pc;
}

static uint64_t h_system_call(struct ir_env *env, uint64_t next)
{
	p9_system_call(p9_of_env(env), false, 0, next);
	return elsewhere(env);
}

static uint64_t h_system_call_vectored(struct ir_env *env, uint64_t next, uint64_t level)
{
	p9_system_call(p9_of_env(env), true, level, next);
	return elsewhere(env);
}

static const struct ir_helper system_call_helper = {
	.name = "system_call",
	.fn = FN(h_system_call),
	.nargs = 1,
	.result = IR_I64,
	.arg = { IR_I64 },
	.flags = IR_H_READS_STATE | IR_H_WRITES_STATE | IR_H_DOOR,
};

static const struct ir_helper system_call_vectored_helper = {
	.name = "system_call_vectored",
	.fn = FN(h_system_call_vectored),
	.nargs = 2,
	.result = IR_I64,
	.arg = { IR_I64, IR_I64 },
	.flags = IR_H_READS_STATE | IR_H_WRITES_STATE | IR_H_DOOR,
};

/*
 * Go on at pc in another state, by the jump cache if it has that; MSR and env.pc have been written. What waits for EE
 * comes first.
 */
static void exit_elsewhere(struct p9_translator *t, ir_val pc)
{
	ir_block held = ir_create_block(t->r), go_on = ir_create_block(t->r);

	ir_br(t->r, ir_bin(t->r, IR_AND, ir_get(t->r, IR_I64, P9_OFF(msr)),
			   ir_get(t->r, IR_I64, offsetof(struct p9_cpu, held))),
	      held, go_on);
	ir_begin_block(t->r, held);
	ir_exit_resume(t->r);
	ir_begin_block(t->r, go_on);
	ir_exit_indirect(t->r, pc);
	t->ended = true;
}

static ir_val next_pc(struct p9_translator *t)
{
	return ir_pc(t->r, p9_mode64(t) ? t->pc + 4 : (uint32_t)(t->pc + 4));
}

static void resume_after(struct p9_translator *t, const struct ir_helper *h)
{
	p9_call0(t, h);
	ir_exit_resume(t->r);
	t->ended = true;
}

void p9_emit_sc(struct p9_translator *t, const struct p9_insn *i)
{
	if (insn_LEV(i) & 1) {
		resume_after(t, &hypercall_helper);
		return;
	}
	exit_elsewhere(t, p9_call1(t, &system_call_helper, next_pc(t)));
}

void p9_emit_scv(struct p9_translator *t, const struct p9_insn *i)
{
	exit_elsewhere(t, p9_call2(t, &system_call_vectored_helper, next_pc(t),
				   p9_i64(t, insn_LEV(i) & 0x7f)));
}

/*
 * MSR from a saved one, as rfid: not in hypervisor state, so ME stays, and HV and S are not
 * set. Bits 33:36 and 42:47 are not restored.
 */
static void return_from(struct p9_cpu *p, uint64_t pc, uint64_t saved)
{
	const uint64_t kept = P9_MSR_ME | UINT64_C(0x783f0000);
	uint64_t msr = (saved & ~kept) | (p->regs.msr & kept);

	p->cpu.env.pc = pc & ~UINT64_C(3);
	if (!(msr & P9_MSR_SF))
		p->cpu.env.pc &= UINT32_MAX;
	p9_set_msr(p, msr);
}

static uint64_t h_rfid(struct ir_env *env)
{
	struct p9_cpu *p = p9_of_env(env);

	return_from(p, p->regs.srr0, p->regs.srr1);
	return elsewhere(env);
}

static uint64_t h_rfscv(struct ir_env *env)
{
	struct p9_cpu *p = p9_of_env(env);

	return_from(p, p->regs.lr, p->regs.ctr);
	return elsewhere(env);
}

static const struct ir_helper rfid_helper = {
	.name = "rfid",
	.fn = FN(h_rfid),
	.result = IR_I64,
	.flags = IR_H_READS_STATE | IR_H_WRITES_STATE | IR_H_DOOR,
};

static const struct ir_helper rfscv_helper = {
	.name = "rfscv",
	.fn = FN(h_rfscv),
	.result = IR_I64,
	.flags = IR_H_READS_STATE | IR_H_WRITES_STATE | IR_H_DOOR,
};

void p9_emit_rfid(struct p9_translator *t, const struct p9_insn *i)
{
	(void)i;
	exit_elsewhere(t, p9_call0(t, &rfid_helper));
}

void p9_emit_rfscv(struct p9_translator *t, const struct p9_insn *i)
{
	(void)i;
	exit_elsewhere(t, p9_call0(t, &rfscv_helper));
}

/* Event-based branch return (Book II chapter 7). */
void p9_emit_rfebb(struct p9_translator *t, const struct p9_insn *i)
{
	const uint64_t ge = BIT64_BE(0); /* BESCR[GE] */
	ir_val bescr = ir_get(t->r, IR_I64, P9_OFF(bescr));

	if (insn_S(i))
		bescr = ir_bin(t->r, IR_OR, bescr, p9_i64(t, ge));
	else
		bescr = ir_bin(t->r, IR_AND, bescr, p9_i64(t, ~ge));
	ir_set(t->r, P9_OFF(bescr), bescr);
	p9_exit_indirect(t, ir_bin(t->r, IR_AND, ir_get(t->r, IR_I64, P9_OFF(ebbrr)),
				   p9_i64(t, ~UINT64_C(3))));
}

/* ---- MSR ---- */

static uint64_t h_set_msr(struct ir_env *env, uint64_t msr, uint64_t next)
{
	env->pc = next;
	p9_set_msr(p9_of_env(env), msr);
	return elsewhere(env);
}

static const struct ir_helper set_msr_helper = {
	.name = "set_msr",
	.fn = FN(h_set_msr),
	.nargs = 2,
	.result = IR_I64,
	.arg = { IR_I64, IR_I64 },
	.flags = IR_H_READS_STATE | IR_H_WRITES_STATE | IR_H_DOOR,
};

/* MSR is now that: go on, but for an interrupt that waits for EE. */
static void leave_if_held(struct p9_translator *t, ir_val msr)
{
	ir_block leave = ir_create_block(t->r), stay = ir_create_block(t->r);

	ir_br(t->r, ir_bin(t->r, IR_AND, msr, ir_get(t->r, IR_I64, offsetof(struct p9_cpu, held))),
	      leave, stay);
	ir_begin_block(t->r, leave);
	p9_exit_context(t);
	t->ended = false;
	ir_begin_block(t->r, stay);
}

/* MSR := those bits of RS that are in `mask`; problem state is seen as asking for EE, IR, DR. */
static void move_to_msr(struct p9_translator *t, const struct p9_insn *i, uint64_t mask)
{
	ir_val old, value;

	if (insn_L_MSR(i))
		mask = P9_MSR_EE | P9_MSR_RI;
	old = ir_get(t->r, IR_I64, P9_OFF(msr));
	value = ir_bin(t->r, IR_OR, ir_bin(t->r, IR_AND, old, p9_i64(t, ~mask)),
		       ir_bin(t->r, IR_AND, p9_gpr(t, insn_RS(i)), p9_i64(t, mask)));
	if (insn_L_MSR(i)) {
		/* EE and RI change nothing that translations depend on. */
		ir_set(t->r, P9_OFF(msr), value);
		leave_if_held(t, value);
	} else {
		value = p9_call2(t, &set_msr_helper, value, next_pc(t));
		if (t->mode & (P9_MODE_SE | P9_MODE_BE))
			p9_exit_context(t); /* there is a trace interrupt to come */
		else
			exit_elsewhere(t, value);
	}
}

void p9_emit_mtmsrd(struct p9_translator *t, const struct p9_insn *i)
{
	/* all but HV, S, ME, LE */
	move_to_msr(t, i, ~(P9_MSR_HV | P9_MSR_S | P9_MSR_ME | P9_MSR_LE));
}

void p9_emit_mtmsr(struct p9_translator *t, const struct p9_insn *i)
{
	move_to_msr(t, i, UINT64_C(0xffffffff) & ~(P9_MSR_S | P9_MSR_ME | P9_MSR_LE));
}

void p9_emit_mfmsr(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RT(i), ir_get(t->r, IR_I64, P9_OFF(msr)));
}

/* ---- special-purpose registers ---- */

static uint64_t h_spr_read(struct ir_env *env, uint64_t number)
{
	return p9_spr_read(p9_of_env(env), number);
}

static uint64_t h_spr_write(struct ir_env *env, uint64_t number, uint64_t value)
{
	p9_spr_write(p9_of_env(env), number, value);
	return 0;
}

static const struct ir_helper spr_read_helper = {
	.name = "spr_read",
	.fn = FN(h_spr_read),
	.nargs = 1,
	.result = IR_I64,
	.arg = { IR_I64 },
	.flags = STATE,
};

static const struct ir_helper spr_write_helper = {
	.name = "spr_write",
	.fn = FN(h_spr_write),
	.nargs = 2,
	.result = IR_NONE,
	.arg = { IR_I64, IR_I64 },
	.flags = STATE,
};

/*
 * A supervisor's registers on which translation depends, or when the decrementer's interrupt comes. The instructions up
 * to the next that synchronises are as good from before.
 */
static uint64_t h_spr_write_on(struct ir_env *env, uint64_t number, uint64_t value)
{
	p9_spr_write(p9_of_env(env), number, value);
	cpu_jumps_select(&p9_of_env(env)->cpu);
	return 0;
}

static const struct ir_helper spr_write_on_helper = {
	.name = "spr_write_on",
	.fn = FN(h_spr_write_on),
	.nargs = 2,
	.result = IR_NONE,
	.arg = { IR_I64, IR_I64 },
	.flags = IR_H_READS_STATE | IR_H_WRITES_STATE | IR_H_DOOR,
};

/* A supervisor's AMR: its data is found in another context, nothing else changes. */
static uint64_t h_set_amr(struct ir_env *env, uint64_t value)
{
	struct p9_cpu *p = p9_of_env(env);

	p->regs.amr = (p->regs.amr & ~p->regs.amor) | (value & p->regs.amor);
	p9_mmu_select(p);
	return 0;
}

static const struct ir_helper set_amr_helper = {
	.name = "set_amr",
	.fn = FN(h_set_amr),
	.nargs = 1,
	.result = IR_NONE,
	.arg = { IR_I64 },
	.flags = IR_H_READS_STATE | IR_H_WRITES_STATE | IR_H_DOOR,
};

/*
 * May the access go on? If not, what the architecture says for a register that is not there or
 * not this state's has been emitted (Book III 4.4.4): in problem state an interrupt;
 * in supervisor state nothing happens, but for the numbers that are always illegal.
 */
static bool spr_access(struct p9_translator *t, const struct p9_insn *i, unsigned number,
		       enum p9_spr_who who, bool write)
{
	bool pr = t->mode & P9_MODE_PR;
	bool exists = p9_spr(number)->name;

	if (exists && (who == P9_SPR_U || (who == P9_SPR_S && !pr)))
		return true;
	if (number == 0 || (!write && (number == 4 || number == 5 || number == 6)))
		p9_raise_illegal(t, i->raw);
	else if (pr && (number & 0x10))
		p9_raise_program(t, P9_PROG_PRIV);
	else if (pr)
		p9_raise_illegal(t, i->raw);
	return false;
}

void p9_emit_mfspr(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned number = insn_SPR(i);
	const struct p9_spr_desc *d = p9_spr(number);
	ir_val v;

	if (!spr_access(t, i, number, d->read, false))
		return;
	if (d->kind == P9_SPR_FN)
		v = p9_call1(t, &spr_read_helper, p9_i64(t, number));
	else
		v = ir_get(t->r, IR_I64, d->offset);
	p9_set_gpr(t, insn_RT(i), v);
	if (p9_spr_read_holds(number))
		leave_if_held(t, ir_get(t->r, IR_I64, P9_OFF(msr)));
}

void p9_emit_mtspr(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned number = insn_SPR(i);
	const struct p9_spr_desc *d = p9_spr(number);
	ir_val v;

	if (!spr_access(t, i, number, d->write, true))
		return;
	v = p9_gpr(t, insn_RS(i));
	if (p9_spr_is_amr(number) && !(t->mode & P9_MODE_PR)) {
		p9_call1(t, &set_amr_helper, v);
		return;
	}
	if (p9_spr_write_goes_on(number)) {
		p9_call2(t, &spr_write_on_helper, p9_i64(t, number), v);
		leave_if_held(t, ir_get(t->r, IR_I64, P9_OFF(msr)));
		return;
	}
	switch ((enum p9_spr_kind)d->kind) {
	case P9_SPR_REG32:
		v = ir_un(t->r, IR_ZEXT32, v);
		/* fall through */
	case P9_SPR_REG:
		ir_set(t->r, d->offset, v);
		break;
	case P9_SPR_READ:
	case P9_SPR_FN:
		p9_call2(t, &spr_write_helper, p9_i64(t, number), v);
		break;
	}
	if (p9_spr_write_ends_block(number))
		p9_exit_context(t);
	else if (p9_spr_write_changes_mode(number))
		p9_check_mode(t);
}

void p9_emit_mftb(struct p9_translator *t, const struct p9_insn *i)
{
	unsigned number = insn_SPR(i);

	if (number != 268 && number != 269) {
		p9_raise_illegal(t, i->raw);
		return;
	}
	p9_set_gpr(t, insn_RT(i), p9_call1(t, &spr_read_helper, p9_i64(t, number)));
	leave_if_held(t, ir_get(t->r, IR_I64, P9_OFF(msr)));
}

/* ---- random numbers ---- */

static uint64_t h_random(struct ir_env *env, uint64_t format)
{
	uint64_t v;

	(void)env;
	/* All ones says that none could be had; 32-bit numbers and the reserved format differ. */
	if (format > 2 || getrandom(&v, sizeof(v), 0) != sizeof(v))
		return UINT64_MAX;
	v = cpu_lockstep_value(v);
	return format == 0 ? (uint32_t)v : v;
}

static const struct ir_helper random_helper = {
	.name = "darn",
	.fn = FN(h_random),
	.nargs = 1,
	.result = IR_I64,
	.arg = { IR_I64 },
	/* reads no state, but is no function of its operand: not pure */
	.flags = IR_H_READS_STATE,
};

void p9_emit_darn(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RT(i), p9_call1(t, &random_helper, p9_i64(t, insn_L_DARN(i))));
}

/* ---- waiting ---- */

void p9_emit_wait(struct p9_translator *t, const struct p9_insn *i)
{
	(void)i;
	/* May resume at any time for implementation reasons; it does so at once. */
	p9_exit_context(t);
}

/* HFSCR interrupt cause of stop in supervisor state (Book III 6.2.11) */
#define CAUSE_STOP 9

static uint64_t h_stop(struct ir_env *env)
{
	struct p9_cpu *p = p9_of_env(env);

	p->regs.hfscr = (p->regs.hfscr & ~mask64_be(0, 7)) | (uint64_t)CAUSE_STOP << 56;
	p9_raise(p, P9_VEC_HFAC_UNAVAILABLE, 0);
	return 0;
}

static const struct ir_helper stop_helper = {
	.name = "stop",
	.fn = FN(h_stop),
	.result = IR_NONE,
	.flags = STATE,
};

void p9_emit_stop(struct p9_translator *t, const struct p9_insn *i)
{
	(void)i;
	resume_after(t, &stop_helper);
}

/* ---- doorbells between the threads of a core ---- */

/* RB: message type 5 (directed privileged doorbell) in bits 32:36, thread in 57:63. */
static uint64_t h_msgsndp(struct ir_env *env, uint64_t rb)
{
	struct p9_cpu *p = p9_of_env(env);

	if ((rb >> 27 & 0x1f) == 5 && (rb & 0x7f) == p->regs.tir)
		p->regs.dpdes |= 1;
	return 0;
}

static uint64_t h_msgclrp(struct ir_env *env, uint64_t rb)
{
	struct p9_cpu *p = p9_of_env(env);

	if ((rb >> 27 & 0x1f) == 5)
		p->regs.dpdes &= ~UINT64_C(1);
	return 0;
}

static const struct ir_helper msgsndp_helper = {
	.name = "msgsndp",
	.fn = FN(h_msgsndp),
	.nargs = 1,
	.result = IR_NONE,
	.arg = { IR_I64 },
	.flags = STATE,
};

static const struct ir_helper msgclrp_helper = {
	.name = "msgclrp",
	.fn = FN(h_msgclrp),
	.nargs = 1,
	.result = IR_NONE,
	.arg = { IR_I64 },
	.flags = STATE,
};

void p9_emit_msgsndp(struct p9_translator *t, const struct p9_insn *i)
{
	p9_call1(t, &msgsndp_helper, p9_gpr(t, insn_RB(i)));
	p9_exit_context(t);
}

void p9_emit_msgclrp(struct p9_translator *t, const struct p9_insn *i)
{
	p9_call1(t, &msgclrp_helper, p9_gpr(t, insn_RB(i)));
}

/* ---- branch history: recorded never, so every entry reads as the end of the buffer ---- */

void p9_emit_clrbhrb(struct p9_translator *t, const struct p9_insn *i)
{
	(void)t;
	(void)i;
}

void p9_emit_mfbhrbe(struct p9_translator *t, const struct p9_insn *i)
{
	p9_set_gpr(t, insn_RT(i), p9_i64(t, 0));
}

/* ---- translation look-aside management, radix forms ---- */

enum { RIC_TLB, RIC_PWC, RIC_ALL, RIC_GROUP };
enum { IS_VA, IS_PID, IS_LPID, IS_ALL };

/* log2 of the page size by the actual-page-size field of RB; 0: reserved */
static unsigned page_shift(unsigned ap)
{
	switch (ap) {
	case 0:
		return 12;
	case 1:
		return 21;
	case 2:
		return 30;
	case 5:
		return 16;
	default:
		return 0;
	}
}

/* control: RIC, PRS, R and local as bytes */
static uint64_t h_tlbie(struct ir_env *env, uint64_t rb, uint64_t rs, uint64_t control)
{
	struct p9_cpu *p = p9_of_env(env);
	unsigned ric = control & 3, prs = control >> 8 & 1, radix = control >> 16 & 1;
	bool local = control >> 24 & 1;
	unsigned is = rb >> 10 & 3, shift = page_shift(rb >> 5 & 7);
	uint64_t pid = rs >> 32, start = 0, end = 0;
	struct cpu_request req = { .kind = CPU_REQ_ARCH };
	uint32_t fetched;

	/*
	 * In supervisor state these are the guest's only with LPCR[GTSE], and never for
	 * partition-scoped translations.
	 */
	if (!prs || (!local && !(p->regs.lpcr & P9_LPCR_GTSE))) {
		p9_raise(p, P9_VEC_PROGRAM, P9_PROG_PRIV);
		return 0;
	}
	/* Hashed page tables are not there; a group (RIC 3) exists for addresses only. */
	if (!radix || (is == IS_VA && (!shift || ric == RIC_ALL)) ||
	    (is != IS_VA && ric == RIC_GROUP)) {
		p9_raise(p, P9_VEC_PROGRAM, P9_PROG_ILLEGAL);
		return 0;
	}
	cpu_lockstep_once();
	fetched = p->cpu.fetch_context;
	/* Nothing is cached of the upper levels of the tree. */
	if (ric == RIC_PWC)
		return 0;
	/* A local one names a set of the TLB, unless it names an address: all there is lies in set 0. */
	if (local && is != IS_VA && (rb >> 12 & 0xfff))
		return 0;
	switch (is) {
	case IS_VA:
		start = rb & ~((UINT64_C(1) << shift) - 1);
		end = start + (UINT64_C(1) << shift);
		if (ric == RIC_GROUP) {
			/* 64 KiB translations of an aligned group: 2 MiB around the address */
			start &= ~((UINT64_C(1) << 21) - 1);
			end = start + (UINT64_C(1) << 21);
		}
		break;
	case IS_PID:
		break;
	default:
		pid = UINT64_MAX;
		break;
	}
	req.arg[0] = p->regs.lpidr;
	req.arg[1] = pid;
	req.arg[2] = 0;
	req.arg[3] = start;
	req.arg[4] = end;
	if (local)
		p9_mmu_request(&p->cpu, &req);
	else
		cpu_broadcast(p->cpu.system, &p->cpu, &req);
	/* Linked code goes on without looking where the next instruction lies: not for long. */
	if (p->cpu.fetch_context != fetched)
		atomic_store(&p->cpu.env.exit_request, 1);
	return 0;
}

static const struct ir_helper tlbie_helper = {
	.name = "tlbie",
	.fn = FN(h_tlbie),
	.nargs = 3,
	.result = IR_NONE,
	.arg = { IR_I64, IR_I64, IR_I64 },
	.flags = STATE,
};

static void tlbie(struct p9_translator *t, const struct p9_insn *i, bool local)
{
	uint64_t control = insn_RIC(i) | insn_PRS(i) << 8 | insn_R(i) << 16 |
			   (uint64_t)local << 24;

	p9_call3(t, &tlbie_helper, p9_gpr(t, insn_RB(i)), p9_gpr(t, insn_RS(i)),
		 p9_i64(t, control));
}

void p9_emit_tlbie(struct p9_translator *t, const struct p9_insn *i)
{
	tlbie(t, i, false);
}

void p9_emit_tlbiel(struct p9_translator *t, const struct p9_insn *i)
{
	tlbie(t, i, true);
}

void p9_emit_tlbsync(struct p9_translator *t, const struct p9_insn *i)
{
	(void)i;
	/* tlbie has waited for the other processors; order what follows. */
	ir_fence(t->r);
}

/* There is no SLB in radix mode, and what slbia drops beside it is a cache that is kept right. */
void p9_emit_slbia(struct p9_translator *t, const struct p9_insn *i)
{
	(void)t;
	(void)i;
}
