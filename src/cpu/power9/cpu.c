/*
 * The POWER9 thread as the common run loop sees it.
 */
#include <errno.h>
#include <string.h>

#include "cpu/power9/exception.h"
#include "cpu/power9/float_status.h"
#include "cpu/power9/mmu.h"
#include "cpu/power9/region.h"
#include "cpu/power9/reserve.h"
#include "ir/code.h"
#include "util/bits.h"

struct p9_regs *p9_regs(struct cpu *c)
{
	return &p9_of(c)->regs;
}

static int p9_init(struct cpu *c)
{
	struct p9_cpu *p = p9_of(c);
	struct p9_regs *r = &p->regs;

	r->msr = P9_MSR_SF;
	r->hfscr = BIT64(P9_FSCR_FP) | BIT64(P9_FSCR_VECVSX);
	r->amor = UINT64_MAX;
	r->mmcr0 = UINT64_C(0x80000000); /* counters frozen */
	r->ppr = UINT64_C(4) << 50;      /* medium priority */
	r->vscr = 0x10000;               /* NJ */
	r->resv_watch = r->resv_given_up = P9_RESV_NOWHERE;
	p9_cr_set(r, 0);
	r->dec_expires = r->hdec_expires = p9_host_tb() + (UINT64_C(1) << 40);
	if (p9_mmu_init(p))
		return -ENOMEM;
	p9_update_mode(p);
	return 0;
}

static void p9_fini(struct cpu *c)
{
	p9_mmu_fini(p9_of(c));
}

static void p9_enter(struct cpu *c)
{
	p9_time_enter(p9_of(c));
}

static void p9_leave(struct cpu *c)
{
	p9_of(c)->regs.resv_carried = 0;
	p9_time_leave(p9_of(c));
	p9_fp_settle(p9_of(c));
}

/* All that instructions name, operands of the interpreter and of compiled code's atomics reach. */
_Static_assert(offsetof(struct p9_cpu, exc) < CODE_REACH, "guest state is out of reach");

static void p9_state_loaded(struct cpu *c)
{
	p9_update_mode(p9_of(c));
	p9_fp_round_changed(p9_of(c));
}

static void p9_state_settle(struct cpu *c)
{
	struct p9_cpu *p = p9_of(c);

	p9_fp_settle(p);
	memset(&p->fp_last, 0, sizeof(p->fp_last));
}

const struct cpu_arch p9_arch = {
	.name = "power9",
	.size = sizeof(struct p9_cpu),
	/* GPRs, LR, CTR, TAR, CR fields and XER bits: nothing that walking or time look at */
	.mode_movable = P9_MODE_SF,
	.pin_first = offsetof(struct p9_cpu, regs.gpr),
	.pin_end = offsetof(struct p9_cpu, regs.xer_rest),
	.vec_first = offsetof(struct p9_cpu, regs.vsr),
	.vec_end = offsetof(struct p9_cpu, regs.vsr) + sizeof(((struct p9_cpu *)0)->regs.vsr),
	.init = p9_init,
	.fini = p9_fini,
	.fetch = p9_mmu_fetch,
	.insn_bytes = 4,
	.insn_align = 4,
	.translate = p9_translate_region,
	.translate_path = p9_translate_path,
	.mode_stepped = P9_MODE_SE | P9_MODE_BE,
	.disassemble = p9_disassemble,
	.describe_mode = p9_describe_mode,
	.fault = p9_fault,
	.events = p9_events,
	.timer = p9_timer,
	.request = p9_mmu_request,
	.state_first = offsetof(struct p9_cpu, regs),
	.state_end = offsetof(struct p9_cpu, external),
	.state_loaded = p9_state_loaded,
	.state_settle = p9_state_settle,
	.describe_state = p9_describe_state,
	.enter = p9_enter,
	.leave = p9_leave,
};
