/*
 * Special-purpose registers that are more than a word of state.
 */
#include "cpu/power9/cr.h"
#include "cpu/power9/exception.h"
#include "cpu/power9/spr.h"
#include "util/bits.h"

#define SPR_XER     1
#define SPR_UDSCR   3
#define SPR_UAMR    13
#define SPR_DSCR    17
#define SPR_DEC     22
#define SPR_AMR     29
#define SPR_PIDR    48
#define SPR_IAMR    61
#define SPR_TFHAR   128
#define SPR_TEXASRU 131
#define SPR_CTRL    152
#define SPR_FSCR    153
#define SPR_UAMOR   157
#define SPR_DPDES   176
#define SPR_TB      268
#define SPR_TBU_R   269
#define SPR_PVR     287
#define SPR_SPURR   308
#define SPR_PURR    309
#define SPR_USIER   768
#define SPR_UMMCR0  779
#define SPR_UMMCR1  782
#define SPR_SIER    784
#define SPR_MMCR1   798
#define SPR_BESCRS  800
#define SPR_BESCRSU 801
#define SPR_BESCRR  802
#define SPR_BESCRRU 803
#define SPR_EBBHR   804
#define SPR_EBBRR   805
#define SPR_BESCR   806
#define SPR_TAR     815
#define SPR_PSSCR_S 823
#define SPR_VTB     849
#define SPR_PPR     896
#define SPR_PPR32   898

/* FSCR: the facilities that the register can enable on this processor. */
#define FSCR_WRITABLE                                                                              \
	(mask64_be(0, 7) | BIT64(P9_FSCR_DSCR) | BIT64(P9_FSCR_EBB) | BIT64(P9_FSCR_TAR) |         \
	 BIT64(P9_FSCR_LM) | BIT64(P9_FSCR_SCV))

/* PSSCR fields that the supervisor may change: ESL, EC, PSLL, TR, MTL, RL */
#define PSSCR_SUPERVISOR UINT64_C(0x003f03ff)

#define DSCR_MASK UINT64_C(0x1ffffff)

static const struct p9_spr_desc spr_table[P9_SPR_COUNT] = {
#define P9_SPR(n, nm, r, w, k, field)                                                              \
	[n] = { #nm, P9_SPR_##r, P9_SPR_##w, P9_SPR_##k, offsetof(struct p9_cpu, regs.field) },
#include "cpu/power9/spr.def"
#undef P9_SPR
};

const struct p9_spr_desc *p9_spr(unsigned number)
{
	return &spr_table[number % P9_SPR_COUNT];
}

bool p9_spr_write_ends_block(unsigned number)
{
	switch (number) {
	case SPR_AMR:
	case SPR_UAMR:
		return true;
	default:
		return false;
	}
}

bool p9_spr_write_goes_on(unsigned number)
{
	return number == SPR_PIDR || number == SPR_IAMR || number == SPR_DEC;
}

bool p9_spr_read_holds(unsigned number)
{
	return number == SPR_DEC || number == SPR_TB || number == SPR_TBU_R;
}

bool p9_spr_is_amr(unsigned number)
{
	return number == SPR_AMR || number == SPR_UAMR;
}

bool p9_spr_write_changes_mode(unsigned number)
{
	return number == SPR_XER;
}

uint64_t p9_xer_get(const struct p9_regs *r)
{
	return r->xer_rest | r->so << 31 | r->ov << 30 | r->ca << 29 | r->ov32 << 19 |
	       (r->ca32 >> 32 & 1) << 18;
}

void p9_xer_set(struct p9_regs *r, uint64_t xer)
{
	r->so = xer >> 31 & 1;
	r->ov = xer >> 30 & 1;
	r->ca = xer >> 29 & 1;
	r->ov32 = xer >> 19 & 1;
	r->ca32 = (xer >> 18 & 1) << 32;
	/* Bits 57:63 count bytes for lswx and stswx; the others read as zero. */
	r->xer_rest = xer & 0x7f;
}

uint64_t p9_cr_get(const struct p9_regs *r)
{
	uint64_t cr = 0;

	for (unsigned i = 0; i < 8; i++)
		cr = cr << 4 | p9_crf_decode(r->crf[i]);
	return cr;
}

void p9_cr_set(struct p9_regs *r, uint32_t cr)
{
	for (unsigned i = 0; i < 8; i++)
		r->crf[i] = p9_crf_encode(cr >> (28 - 4 * i));
}

/*
 * The performance monitor in problem state: MMCR0[PMCC] says which registers can be reached
 * (Book III 9.4.4). The hypervisor can take it all away.
 */
static bool pmu_allowed(struct p9_cpu *p, unsigned number, bool write)
{
	unsigned pmcc = p->regs.mmcr0 >> 18 & 3;

	if (!(p->regs.hfscr & BIT64(P9_FSCR_PM)))
		return p9_facility(p, P9_FSCR_PM);
	if (number >= SPR_SIER || !(p->regs.msr & P9_MSR_PR))
		return true;
	switch (pmcc) {
	case 0: /* may be read only */
		if (!write)
			return true;
		p9_raise(p, P9_VEC_PROGRAM, P9_PROG_ILLEGAL);
		return false;
	case 1:
		break;
	default:
		/* PMC1..4 and the control bits; with 0b11 PMC5 and PMC6 are out of reach. */
		if (pmcc == 2 || (number != 775 && number != 776))
			return true;
		break;
	}
	p->regs.fscr = (p->regs.fscr & ~mask64_be(0, 7)) | (uint64_t)P9_FSCR_PM << 56;
	p9_raise(p, P9_VEC_FAC_UNAVAILABLE, 0);
	return false;
}

static bool is_pmu(unsigned number)
{
	return number >= SPR_USIER && number <= SPR_MMCR1;
}

static uint64_t *pmu_reg(struct p9_cpu *p, unsigned number)
{
	return (uint64_t *)((char *)p + p9_spr(number)->offset);
}

uint64_t p9_spr_read(struct p9_cpu *p, unsigned number)
{
	struct p9_regs *r = &p->regs;

	if (is_pmu(number)) {
		if (!pmu_allowed(p, number, false))
			return 0;
		/* PMC and MMCR0 are 32-bit registers. */
		return *pmu_reg(p, number);
	}
	switch (number) {
	case SPR_XER:
		return p9_xer_get(r);
	case SPR_UDSCR:
		return p9_facility(p, P9_FSCR_DSCR) ? r->dscr : 0;
	case SPR_DSCR:
		return r->hfscr & BIT64(P9_FSCR_DSCR) || p9_facility(p, P9_FSCR_DSCR) ? r->dscr : 0;
	case SPR_DEC:
		return p9_dec_at(r, p9_tb_seen(p));
	case SPR_TFHAR ... SPR_TEXASRU:
		p9_facility(p, P9_FSCR_TM);
		return number == SPR_TEXASRU ? r->texasr >> 32 : *pmu_reg(p, number);
	case SPR_DPDES:
		return r->hfscr & BIT64(P9_FSCR_MSGP) || p9_facility(p, P9_FSCR_MSGP) ? r->dpdes : 0;
	case SPR_TB:
		return p9_tb_seen(p);
	case SPR_TBU_R:
		return p9_tb_seen(p) >> 32;
	case SPR_PVR:
		return P9_PVR;
	case SPR_SPURR:
		return p9_spurr_get(r);
	case SPR_PURR:
		return p9_purr_get(r);
	case SPR_BESCRS:
	case SPR_BESCRR:
	case SPR_BESCR:
		return p9_facility(p, P9_FSCR_EBB) ? r->bescr : 0;
	case SPR_BESCRSU:
	case SPR_BESCRRU:
		return p9_facility(p, P9_FSCR_EBB) ? r->bescr >> 32 : 0;
	case SPR_EBBHR:
		return p9_facility(p, P9_FSCR_EBB) ? r->ebbhr : 0;
	case SPR_EBBRR:
		return p9_facility(p, P9_FSCR_EBB) ? r->ebbrr : 0;
	case SPR_TAR:
		return p9_facility(p, P9_FSCR_TAR) ? r->tar : 0;
	case SPR_PSSCR_S:
		return r->psscr & PSSCR_SUPERVISOR;
	case SPR_VTB:
		return p9_vtb_get(r);
	case SPR_PPR32:
		return r->ppr >> 32;
	default:
		return 0;
	}
}

/* Priorities that problem and privileged state may set; others leave the register alone. */
static void set_ppr(struct p9_regs *r, uint64_t value)
{
	unsigned priority = value >> 50 & 7;
	bool pr = r->msr & P9_MSR_PR;

	if (priority == 0 || priority == 7)
		return;
	if (pr && (priority == 1 || priority == 5 || priority == 6))
		return;
	r->ppr = (uint64_t)priority << 50;
}

void p9_spr_write(struct p9_cpu *p, unsigned number, uint64_t value)
{
	struct p9_regs *r = &p->regs;

	if (is_pmu(number)) {
		if (!pmu_allowed(p, number, true))
			return;
		if (number == SPR_UMMCR0) {
			/* Problem state changes only FC, PMAE and PMAO. */
			const uint64_t mask = UINT64_C(0x84000080);

			value = (r->mmcr0 & ~mask) | (value & mask);
		}
		if ((number >= 771 && number <= 776) || (number >= 787 && number <= 792) ||
		    number == 779 || number == 795)
			value &= UINT32_MAX;
		*pmu_reg(p, number) = value;
		return;
	}
	switch (number) {
	case SPR_XER:
		p9_xer_set(r, value);
		p9_so_changed(p);
		break;
	case SPR_UDSCR:
		if (p9_facility(p, P9_FSCR_DSCR))
			r->dscr = value & DSCR_MASK;
		break;
	case SPR_DSCR:
		if (r->hfscr & BIT64(P9_FSCR_DSCR) || p9_facility(p, P9_FSCR_DSCR))
			r->dscr = value & DSCR_MASK;
		break;
	case SPR_UAMR:
		/* Problem state changes the keys that UAMOR gives it. */
		if (r->msr & P9_MSR_PR)
			value = (r->amr & ~r->uamor) | (value & r->uamor);
		r->amr = (r->amr & ~r->amor) | (value & r->amor);
		p9_update_mode(p);
		break;
	case SPR_AMR:
		r->amr = (r->amr & ~r->amor) | (value & r->amor);
		p9_update_mode(p);
		break;
	case SPR_IAMR:
		r->iamr = (r->iamr & ~r->amor) | (value & r->amor);
		p9_update_mode(p);
		break;
	case SPR_UAMOR:
		r->uamor = value & r->amor;
		break;
	case SPR_DEC:
		p9_dec_set(&p->cpu, value);
		break;
	case SPR_PIDR:
		r->pidr = value & UINT32_MAX;
		p9_update_mode(p);
		break;
	case SPR_TFHAR ... SPR_TEXASRU:
		p9_facility(p, P9_FSCR_TM);
		break;
	case SPR_CTRL:
		/* RUN and its image for this thread in TS */
		r->ctrl = (value & 1) ? 0x8001 : 0;
		break;
	case SPR_FSCR:
		r->fscr = value & FSCR_WRITABLE;
		break;
	case SPR_BESCRS:
		if (p9_facility(p, P9_FSCR_EBB))
			r->bescr |= value;
		break;
	case SPR_BESCRSU:
		if (p9_facility(p, P9_FSCR_EBB))
			r->bescr |= value << 32;
		break;
	case SPR_BESCRR:
		if (p9_facility(p, P9_FSCR_EBB))
			r->bescr &= ~value;
		break;
	case SPR_BESCRRU:
		if (p9_facility(p, P9_FSCR_EBB))
			r->bescr &= ~(value << 32);
		break;
	case SPR_BESCR:
		if (p9_facility(p, P9_FSCR_EBB))
			r->bescr = value;
		break;
	case SPR_EBBHR:
		if (p9_facility(p, P9_FSCR_EBB))
			r->ebbhr = value;
		break;
	case SPR_EBBRR:
		if (p9_facility(p, P9_FSCR_EBB))
			r->ebbrr = value;
		break;
	case SPR_TAR:
		if (p9_facility(p, P9_FSCR_TAR))
			r->tar = value;
		break;
	case SPR_PSSCR_S:
		r->psscr = (r->psscr & ~PSSCR_SUPERVISOR) | (value & PSSCR_SUPERVISOR);
		break;
	case SPR_PPR:
		set_ppr(r, value);
		break;
	case SPR_PPR32:
		set_ppr(r, value << 32);
		break;
	default:
		break;
	}
}
