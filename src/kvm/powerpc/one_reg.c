/*
 * KVM_GET_ONE_REG and KVM_SET_ONE_REG: identifiers to fields.
 *
 * Plain registers are rows of a table: where the value lies, and which bits of a new one are taken.
 * Those that stand for more than a field have functions.
 */
#include <errno.h>
#include <string.h>

#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/powerpc.h"
#include "util/bits.h"

#define PSSCR_GUEST_VISIBLE UINT64_C(0xf0000000000003ff)
#define DAWRX_HYP           UINT64_C(4)
#define CIABR_PRIV          UINT64_C(3)
/* An illegal instruction that KVM names as its software breakpoint. */
#define DEBUG_INSTRUCTION UINT32_C(0x00dddd00)

union reg_value {
	uint32_t u32;
	uint64_t u64;
	u128 u128;
	struct {
		uint64_t addr, length;
	} area;
};

enum place { IN_REGS, IN_VCPU };

struct reg_row {
	uint64_t id;
	uint32_t count; /* consecutive identifiers */
	enum place place;
	uint32_t offset; /* of a uint64_t (u128 for identifiers of 128 bits), an array for count > 1
			  */
	uint64_t writable;
};

#define ALL UINT64_MAX
#define REGS(id, field)                                                                            \
	{                                                                                          \
		(id), 1, IN_REGS, offsetof(struct p9_regs, field), ALL                             \
	}
#define REGS_MASK(id, field, mask)                                                                 \
	{                                                                                          \
		(id), 1, IN_REGS, offsetof(struct p9_regs, field), (mask)                          \
	}
#define REGS_N(id, n, field)                                                                       \
	{                                                                                          \
		(id), (n), IN_REGS, offsetof(struct p9_regs, field), ALL                           \
	}
#define VCPU(id, field)                                                                            \
	{                                                                                          \
		(id), 1, IN_VCPU, offsetof(struct ppc_vcpu, field), ALL                            \
	}
#define VCPU_N(id, n, field)                                                                       \
	{                                                                                          \
		(id), (n), IN_VCPU, offsetof(struct ppc_vcpu, field), ALL                          \
	}

static const struct reg_row rows[] = {
	REGS(KVM_REG_PPC_DSCR, dscr),
	REGS(KVM_REG_PPC_DAR, dar),
	REGS(KVM_REG_PPC_DSISR, dsisr),
	REGS(KVM_REG_PPC_AMR, amr),
	REGS(KVM_REG_PPC_UAMOR, uamor),
	REGS(KVM_REG_PPC_IAMR, iamr),
	REGS(KVM_REG_PPC_MMCR0, mmcr0),
	REGS(KVM_REG_PPC_MMCR1, mmcr1),
	REGS(KVM_REG_PPC_MMCR2, mmcr2),
	REGS(KVM_REG_PPC_MMCRA, mmcra),
	REGS(KVM_REG_PPC_SIAR, siar),
	REGS(KVM_REG_PPC_SDAR, sdar),
	REGS(KVM_REG_PPC_SIER, sier),
	REGS_N(KVM_REG_PPC_PMC(1), 6, pmc),
	VCPU_N(KVM_REG_PPC_PMC(7), 2, pmc_extra),
	VCPU_N(KVM_REG_PPC_SPMC1, 2, spmc),
	VCPU(KVM_REG_PPC_MMCRS, mmcrs),
	REGS_N(KVM_REG_PPC_VR(0), 32, vsr[32]),
	REGS_N(KVM_REG_PPC_VSR(0), 32, vsr[0]),
	REGS(KVM_REG_PPC_FPSCR, fpscr),
	REGS(KVM_REG_PPC_VSCR, vscr),
	REGS(KVM_REG_PPC_VRSAVE, vrsave),
	REGS(KVM_REG_PPC_FSCR, fscr),
	REGS(KVM_REG_PPC_PSPB, pspb),
	REGS(KVM_REG_PPC_EBBHR, ebbhr),
	REGS(KVM_REG_PPC_EBBRR, ebbrr),
	REGS(KVM_REG_PPC_BESCR, bescr),
	REGS(KVM_REG_PPC_TAR, tar),
	REGS(KVM_REG_PPC_DAWR, dawr0),
	REGS_MASK(KVM_REG_PPC_DAWRX, dawrx0, ~DAWRX_HYP),
	REGS(KVM_REG_PPC_IC, ic),
	REGS(KVM_REG_PPC_PID, pidr),
	REGS(KVM_REG_PPC_PPR, ppr),
	REGS(KVM_REG_PPC_WORT, wort),
	REGS_MASK(KVM_REG_PPC_PSSCR, psscr, PSSCR_GUEST_VISIBLE),
	REGS(KVM_REG_PPC_TFHAR, tfhar),
	REGS(KVM_REG_PPC_TFIAR, tfiar),
	REGS(KVM_REG_PPC_TEXASR, texasr),
	VCPU(KVM_REG_PPC_DABR, dabr),
	VCPU(KVM_REG_PPC_DABRX, dabrx),
	VCPU(KVM_REG_PPC_CSIGR, csigr),
	VCPU(KVM_REG_PPC_TACR, tacr),
	VCPU(KVM_REG_PPC_TCSCR, tcscr),
	VCPU(KVM_REG_PPC_ACOP, acop),
	VCPU(KVM_REG_PPC_TIDR, tidr),
	VCPU(KVM_REG_PPC_ONLINE, online),
};

/* --- registers that are more than a field --- */

struct reg_func {
	uint64_t id;
	uint32_t count;
	int (*get)(struct ppc_vcpu *v, uint64_t id, union reg_value *val);
	int (*set)(struct ppc_vcpu *v, uint64_t id, const union reg_value *val);
};

#define DEFINE_TIME_REG(name)                                                                      \
	static int get_##name(struct ppc_vcpu *v, uint64_t id, union reg_value *val)               \
	{                                                                                          \
		(void)id;                                                                          \
		val->u64 = p9_##name##_get(p9_regs(v->vcpu.cpu));                                  \
		return 0;                                                                          \
	}                                                                                          \
	static int set_##name(struct ppc_vcpu *v, uint64_t id, const union reg_value *val)         \
	{                                                                                          \
		(void)id;                                                                          \
		p9_##name##_set(p9_regs(v->vcpu.cpu), val->u64);                                   \
		return 0;                                                                          \
	}

DEFINE_TIME_REG(purr)
DEFINE_TIME_REG(spurr)
DEFINE_TIME_REG(vtb)

/* FPR n is the high doubleword of VSR n; the low one keeps its value. */
static int get_fpr(struct ppc_vcpu *v, uint64_t id, union reg_value *val)
{
	val->u64 = (uint64_t)(p9_regs(v->vcpu.cpu)->vsr[id - KVM_REG_PPC_FPR(0)] >> 64);
	return 0;
}

static int set_fpr(struct ppc_vcpu *v, uint64_t id, const union reg_value *val)
{
	u128 *vsr = &p9_regs(v->vcpu.cpu)->vsr[id - KVM_REG_PPC_FPR(0)];

	*vsr = (u128)val->u64 << 64 | (uint64_t)*vsr;
	return 0;
}

static int get_hior(struct ppc_vcpu *v, uint64_t id, union reg_value *val)
{
	(void)v;
	(void)id;
	val->u64 = 0;
	return 0;
}

static int set_hior(struct ppc_vcpu *v, uint64_t id, const union reg_value *val)
{
	(void)v;
	(void)id;
	return val->u64 ? -EINVAL : 0;
}

static int get_debug_inst(struct ppc_vcpu *v, uint64_t id, union reg_value *val)
{
	(void)v;
	(void)id;
	val->u32 = DEBUG_INSTRUCTION;
	return 0;
}

static int get_lpcr(struct ppc_vcpu *v, uint64_t id, union reg_value *val)
{
	uint64_t lpcr = p9_regs(v->vcpu.cpu)->lpcr;

	if (id == KVM_REG_PPC_LPCR)
		val->u32 = (uint32_t)lpcr;
	else
		val->u64 = lpcr;
	return 0;
}

static int set_lpcr(struct ppc_vcpu *v, uint64_t id, const union reg_value *val)
{
	if (id == KVM_REG_PPC_LPCR)
		ppc_set_lpcr(v, val->u32, true);
	else
		ppc_set_lpcr(v, val->u64, false);
	return 0;
}

static int get_ciabr(struct ppc_vcpu *v, uint64_t id, union reg_value *val)
{
	(void)id;
	val->u64 = p9_regs(v->vcpu.cpu)->ciabr;
	return 0;
}

static int set_ciabr(struct ppc_vcpu *v, uint64_t id, const union reg_value *val)
{
	uint64_t ciabr = val->u64;

	(void)id;
	/* A breakpoint in hypervisor state is none. */
	if ((ciabr & CIABR_PRIV) == CIABR_PRIV)
		ciabr &= ~CIABR_PRIV;
	p9_regs(v->vcpu.cpu)->ciabr = ciabr;
	return 0;
}

static int get_dpdes(struct ppc_vcpu *v, uint64_t id, union reg_value *val)
{
	(void)id;
	val->u64 = (p9_regs(v->vcpu.cpu)->dpdes & 1) | atomic_load(&v->doorbell);
	return 0;
}

static int set_dpdes(struct ppc_vcpu *v, uint64_t id, const union reg_value *val)
{
	(void)id;
	kvm_check_request(&v->vcpu, PPC_REQ_DOORBELL);
	atomic_store(&v->doorbell, false);
	p9_regs(v->vcpu.cpu)->dpdes = val->u64 & 1;
	return 0;
}

static int get_tb_offset(struct ppc_vcpu *v, uint64_t id, union reg_value *val)
{
	(void)id;
	val->u64 = p9_regs(v->vcpu.cpu)->tb_offset;
	return 0;
}

/* TBU40 sets the upper 40 bits only, so offsets are multiples of 2^24. */
static int set_tb_offset(struct ppc_vcpu *v, uint64_t id, const union reg_value *val)
{
	struct p9_regs *r = p9_regs(v->vcpu.cpu);
	uint64_t offset = align_up(val->u64, UINT64_C(1) << 24);
	uint64_t expires = r->dec_expires + offset - r->tb_offset;

	(void)id;
	/* As much is left as before. */
	r->tb_offset = offset;
	p9_dec_set_expiry(v->vcpu.cpu, expires);
	return 0;
}

/* In ticks of the guest's time base, so that it survives migration. */
static int get_dec_expiry(struct ppc_vcpu *v, uint64_t id, union reg_value *val)
{
	(void)id;
	val->u64 = p9_regs(v->vcpu.cpu)->dec_expires;
	return 0;
}

static int set_dec_expiry(struct ppc_vcpu *v, uint64_t id, const union reg_value *val)
{
	(void)id;
	p9_dec_set_expiry(v->vcpu.cpu, val->u64);
	return 0;
}

static int get_ptcr(struct ppc_vcpu *v, uint64_t id, union reg_value *val)
{
	(void)id;
	val->u64 = atomic_load(&ppc_vm_of_vcpu(v)->l1_ptcr);
	return 0;
}

static int set_ptcr(struct ppc_vcpu *v, uint64_t id, const union reg_value *val)
{
	(void)id;
	nested_set_ptcr(v, val->u64);
	return 0;
}

/* Logical processor versions and the PCR bits of the architectures above each. */
static const struct {
	uint32_t pvr;
	uint64_t pcr;
} compat[] = {
	{0, 0},
	{0x0f000002, 0x0e}, /* 2.05 */
	{0x0f000003, 0x0c}, /* 2.06 */
	{0x0f100003, 0x0c}, /* 2.06+ */
	{0x0f000004, 0x08}, /* 2.07 */
	{0x0f000005, 0},    /* 3.0 */
};

static int get_compat(struct ppc_vcpu *v, uint64_t id, union reg_value *val)
{
	(void)id;
	val->u32 = v->arch_compat;
	return 0;
}

static int set_compat(struct ppc_vcpu *v, uint64_t id, const union reg_value *val)
{
	(void)id;
	for (size_t i = 0; i < ARRAY_SIZE(compat); i++) {
		if (compat[i].pvr != val->u32)
			continue;
		v->arch_compat = val->u32;
		p9_regs(v->vcpu.cpu)->pcr = compat[i].pcr;
		return 0;
	}
	return -EINVAL;
}

static struct ppc_vpa *area_of(struct ppc_vcpu *v, uint64_t id)
{
	if (id == KVM_REG_PPC_VPA_SLB)
		return &v->slb_shadow;
	return id == KVM_REG_PPC_VPA_DTL ? &v->dtl : &v->vpa;
}

static int get_vpa(struct ppc_vcpu *v, uint64_t id, union reg_value *val)
{
	struct ppc_vpa *area = area_of(v, id);

	kvm_lock(&v->vpa_lock);
	val->area.addr = area->gpa;
	val->area.length = area->len;
	kvm_unlock(&v->vpa_lock);
	return 0;
}

static int set_vpa(struct ppc_vcpu *v, uint64_t id, const union reg_value *val)
{
	return vpa_set(v, area_of(v, id), val->area.addr, val->area.length);
}

static int get_icp(struct ppc_vcpu *v, uint64_t id, union reg_value *val)
{
	(void)id;
	if (!v->icp)
		return -ENXIO;
	val->u64 = xics_get_icp(v);
	return 0;
}

static int set_icp(struct ppc_vcpu *v, uint64_t id, const union reg_value *val)
{
	(void)id;
	return v->icp ? xics_set_icp(v, val->u64) : -ENXIO;
}

static const struct reg_func funcs[] = {
	{KVM_REG_PPC_PURR, 1, get_purr, set_purr},
	{KVM_REG_PPC_SPURR, 1, get_spurr, set_spurr},
	{KVM_REG_PPC_VTB, 1, get_vtb, set_vtb},
	{KVM_REG_PPC_FPR(0), 32, get_fpr, set_fpr},
	{KVM_REG_PPC_HIOR, 1, get_hior, set_hior},
	{KVM_REG_PPC_DEBUG_INST, 1, get_debug_inst, NULL},
	{KVM_REG_PPC_LPCR, 1, get_lpcr, set_lpcr},
	{KVM_REG_PPC_LPCR_64, 1, get_lpcr, set_lpcr},
	{KVM_REG_PPC_CIABR, 1, get_ciabr, set_ciabr},
	{KVM_REG_PPC_DPDES, 1, get_dpdes, set_dpdes},
	{KVM_REG_PPC_TB_OFFSET, 1, get_tb_offset, set_tb_offset},
	{KVM_REG_PPC_DEC_EXPIRY, 1, get_dec_expiry, set_dec_expiry},
	{KVM_REG_PPC_PTCR, 1, get_ptcr, set_ptcr},
	{KVM_REG_PPC_ARCH_COMPAT, 1, get_compat, set_compat},
	{KVM_REG_PPC_VPA_ADDR, 1, get_vpa, set_vpa},
	{KVM_REG_PPC_VPA_SLB, 1, get_vpa, set_vpa},
	{KVM_REG_PPC_VPA_DTL, 1, get_vpa, set_vpa},
	{KVM_REG_PPC_ICP_STATE, 1, get_icp, set_icp},
};

/* --- the two ioctls --- */

static const struct reg_row *find_row(uint64_t id)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (id >= rows[i].id && id < rows[i].id + rows[i].count)
			return &rows[i];
	}
	return NULL;
}

static const struct reg_func *find_func(uint64_t id)
{
	for (size_t i = 0; i < ARRAY_SIZE(funcs); i++) {
		if (id >= funcs[i].id && id < funcs[i].id + funcs[i].count)
			return &funcs[i];
	}
	return NULL;
}

static void *row_field(struct ppc_vcpu *v, const struct reg_row *row, uint64_t id)
{
	size_t size = kvm_reg_size(id) == sizeof(u128) ? sizeof(u128) : sizeof(uint64_t);
	char *base = row->place == IN_REGS ? (char *)p9_regs(v->vcpu.cpu) : (char *)v;

	return base + row->offset + (id - row->id) * size;
}

int ppc_get_one_reg(struct ppc_vcpu *v, const struct kvm_one_reg *reg)
{
	const struct reg_row *row = find_row(reg->id);
	const struct reg_func *func = row ? NULL : find_func(reg->id);
	size_t size = kvm_reg_size(reg->id);
	union reg_value val = {0};
	int ret;

	if (row) {
		void *field = row_field(v, row, reg->id);

		if (size == sizeof(u128))
			memcpy(&val.u128, field, sizeof(u128));
		else if (size == sizeof(uint64_t))
			val.u64 = *(uint64_t *)field;
		else
			val.u32 = (uint32_t) * (uint64_t *)field;
	} else if (func) {
		ret = func->get(v, reg->id, &val);
		if (ret)
			return ret;
	} else {
		return -EINVAL;
	}
	return kvm_copy_out(kvm_user_ptr(reg->addr), &val, size);
}

int ppc_set_one_reg(struct ppc_vcpu *v, const struct kvm_one_reg *reg)
{
	const struct reg_row *row = find_row(reg->id);
	const struct reg_func *func = row ? NULL : find_func(reg->id);
	size_t size = kvm_reg_size(reg->id);
	union reg_value val = {0};
	int ret;

	if (!row && (!func || !func->set))
		return -EINVAL;
	ret = kvm_copy_in(&val, kvm_user_ptr(reg->addr), size);
	if (ret)
		return ret;
	if (row) {
		void *field = row_field(v, row, reg->id);

		if (size == sizeof(u128))
			memcpy(field, &val.u128, sizeof(u128));
		else
			*(uint64_t *)field =
				(size == sizeof(uint64_t) ? val.u64 : val.u32) & row->writable;
	} else {
		ret = func->set(v, reg->id, &val);
	}
	/* PID, LPCR, PCR, breakpoints: translation and more depend on some of them. */
	p9_state_changed(v->vcpu.cpu);
	return ret;
}
