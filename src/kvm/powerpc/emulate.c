/*
 * Loads and stores to device memory: the instruction at pc is decoded, and carried out by the
 * caller of KVM_RUN (KVM_EXIT_MMIO) or by an ioeventfd.
 *
 * Which instructions: all fixed-point and floating-point loads and stores of one register, in D,
 * DS and X form, with update and byte-reversed. Others (multiple, string, vector, larx/stcx, dcbz)
 * get a data storage interrupt as from caching-inhibited storage that does not do them.
 *
 * The decoder here is apart from the processor's: that one makes IR; this needs three fields of
 * some fifty instructions, and the silicon offers its hypervisor no more than the instruction
 * image.
 */
#include <string.h>

#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/powerpc.h"
#include "mem/endian.h"
#include "util/bits.h"

enum {
	STORE = 1 << 0,
	UPDATE = 1 << 1,
	SIGN = 1 << 2,
	REVERSE = 1 << 3,
	FPR = 1 << 4,    /* the register is an FPR */
	SINGLE = 1 << 5, /* memory has single format */
};

struct access {
	uint16_t opcode; /* primary: D forms; extended: DS and X forms */
	uint8_t size;
	uint8_t flags;
};

static const struct access d_forms[] = {
	{32, 4, 0},                             /* lwz */
	{33, 4, UPDATE},                        /* lwzu */
	{34, 1, 0},                             /* lbz */
	{35, 1, UPDATE},                        /* lbzu */
	{36, 4, STORE},                         /* stw */
	{37, 4, STORE | UPDATE},                /* stwu */
	{38, 1, STORE},                         /* stb */
	{39, 1, STORE | UPDATE},                /* stbu */
	{40, 2, 0},                             /* lhz */
	{41, 2, UPDATE},                        /* lhzu */
	{42, 2, SIGN},                          /* lha */
	{43, 2, SIGN | UPDATE},                 /* lhau */
	{44, 2, STORE},                         /* sth */
	{45, 2, STORE | UPDATE},                /* sthu */
	{48, 4, FPR | SINGLE},                  /* lfs */
	{49, 4, FPR | SINGLE | UPDATE},         /* lfsu */
	{50, 8, FPR},                           /* lfd */
	{51, 8, FPR | UPDATE},                  /* lfdu */
	{52, 4, FPR | SINGLE | STORE},          /* stfs */
	{53, 4, FPR | SINGLE | STORE | UPDATE}, /* stfsu */
	{54, 8, FPR | STORE},                   /* stfd */
	{55, 8, FPR | STORE | UPDATE},          /* stfdu */
};

/* Primary opcode 58: loads */
static const struct access ds_loads[] = {
	{0, 8, 0},      /* ld */
	{1, 8, UPDATE}, /* ldu */
	{2, 4, SIGN},   /* lwa */
};

/* Primary opcode 62: stores */
static const struct access ds_stores[] = {
	{0, 8, STORE},          /* std */
	{1, 8, STORE | UPDATE}, /* stdu */
};

/* Primary opcode 31, bits 21:30 */
static const struct access x_forms[] = {
	{21, 8, 0},                              /* ldx */
	{23, 4, 0},                              /* lwzx */
	{53, 8, UPDATE},                         /* ldux */
	{55, 4, UPDATE},                         /* lwzux */
	{87, 1, 0},                              /* lbzx */
	{119, 1, UPDATE},                        /* lbzux */
	{149, 8, STORE},                         /* stdx */
	{151, 4, STORE},                         /* stwx */
	{181, 8, STORE | UPDATE},                /* stdux */
	{183, 4, STORE | UPDATE},                /* stwux */
	{215, 1, STORE},                         /* stbx */
	{247, 1, STORE | UPDATE},                /* stbux */
	{279, 2, 0},                             /* lhzx */
	{311, 2, UPDATE},                        /* lhzux */
	{341, 4, SIGN},                          /* lwax */
	{343, 2, SIGN},                          /* lhax */
	{373, 4, SIGN | UPDATE},                 /* lwaux */
	{375, 2, SIGN | UPDATE},                 /* lhaux */
	{407, 2, STORE},                         /* sthx */
	{439, 2, STORE | UPDATE},                /* sthux */
	{532, 8, REVERSE},                       /* ldbrx */
	{534, 4, REVERSE},                       /* lwbrx */
	{535, 4, FPR | SINGLE},                  /* lfsx */
	{567, 4, FPR | SINGLE | UPDATE},         /* lfsux */
	{599, 8, FPR},                           /* lfdx */
	{631, 8, FPR | UPDATE},                  /* lfdux */
	{660, 8, STORE | REVERSE},               /* stdbrx */
	{662, 4, STORE | REVERSE},               /* stwbrx */
	{663, 4, FPR | SINGLE | STORE},          /* stfsx */
	{695, 4, FPR | SINGLE | STORE | UPDATE}, /* stfsux */
	{727, 8, FPR | STORE},                   /* stfdx */
	{759, 8, FPR | STORE | UPDATE},          /* stfdux */
	{790, 2, REVERSE},                       /* lhbrx */
	{855, 4, FPR | SIGN},                    /* lfiwax */
	{887, 4, FPR},                           /* lfiwzx */
	{918, 2, STORE | REVERSE},               /* sthbrx */
	{983, 4, FPR | STORE},                   /* stfiwx */
};

static const struct access *find(const struct access *table, size_t n, unsigned opcode)
{
	for (size_t i = 0; i < n; i++) {
		if (table[i].opcode == opcode)
			return &table[i];
	}
	return NULL;
}

#define FIND(table, opcode) find(table, ARRAY_SIZE(table), opcode)

/* The access that insn makes and its effective address; NULL: not one that is emulated. */
static const struct access *decode(const struct p9_regs *r, uint32_t insn, uint64_t *ea)
{
	unsigned primary = insn >> 26;
	unsigned ra = (insn >> 16) & 31, rb = (insn >> 11) & 31;
	uint64_t base = ra ? r->gpr[ra] : 0;
	const struct access *a;

	switch (primary) {
	case 31:
		a = FIND(x_forms, (insn >> 1) & 0x3ff);
		*ea = base + r->gpr[rb];
		break;
	case 58:
		a = FIND(ds_loads, insn & 3);
		*ea = base + (uint64_t)sext64(insn & 0xfffc, 16);
		break;
	case 62:
		a = FIND(ds_stores, insn & 3);
		*ea = base + (uint64_t)sext64(insn & 0xfffc, 16);
		break;
	default:
		a = FIND(d_forms, primary);
		*ea = base + (uint64_t)sext64(insn & 0xffff, 16);
		break;
	}
	if (!(r->msr & P9_MSR_SF))
		*ea &= UINT32_MAX;
	return a;
}

/* Book I, 4.6.2: DOUBLE(WORD), bit for bit, signalling NaNs included. */
static uint64_t single_to_double(uint32_t w)
{
	uint64_t sign = (uint64_t)(w >> 31) << 63;
	uint32_t exp = (w >> 23) & 0xff, frac = w & 0x7fffff;

	if (exp == 0xff)
		return sign | UINT64_C(0x7ff) << 52 | (uint64_t)frac << 29;
	if (exp)
		return sign | (uint64_t)(exp + 1023 - 127) << 52 | (uint64_t)frac << 29;
	if (!frac)
		return sign;
	/* Denormal: normalise. */
	exp = 1023 - 126;
	while (!(frac & 0x800000)) {
		frac <<= 1;
		exp--;
	}
	return sign | (uint64_t)exp << 52 | (uint64_t)(frac & 0x7fffff) << 29;
}

/* Book I, 4.6.3: SINGLE(DOUBLEWORD). */
static uint32_t double_to_single(uint64_t d)
{
	uint32_t sign = (uint32_t)(d >> 32) & 0x80000000;
	unsigned exp = (d >> 52) & 0x7ff;

	if (exp > 896 || !(d & UINT64_C(0x7fffffffffffffff)))
		return ((uint32_t)(d >> 32) & 0xc0000000) | ((uint32_t)(d >> 29) & 0x3fffffff);
	if (exp >= 874) {
		uint64_t frac = BIT64(52) | (d & (BIT64(52) - 1));

		return sign | (uint32_t)(frac >> (29 + 897 - exp));
	}
	return sign; /* undefined by the architecture */
}

/* The value's `size` bytes in memory order, and back. */
static void put_bytes(uint8_t *data, uint64_t value, unsigned size, bool big_endian)
{
	uint8_t be[8];

	st_be64(be, value);
	for (unsigned i = 0; i < size; i++)
		data[big_endian ? i : size - 1 - i] = be[8 - size + i];
}

static uint64_t get_bytes(const uint8_t *data, unsigned size, bool big_endian)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value = value << 8 | data[big_endian ? i : size - 1 - i];
	return value;
}

static uint64_t store_value(const struct p9_regs *r, const struct access *a, unsigned reg)
{
	uint64_t fpr;

	if (!(a->flags & FPR))
		return r->gpr[reg];
	fpr = (uint64_t)(r->vsr[reg] >> 64);
	return a->flags & SINGLE ? double_to_single(fpr) : fpr;
}

/* The value as a number of the host's byte order in `size` bytes, for comparison (datamatch). */
static uint64_t host_value(const uint8_t *data, unsigned size)
{
	return get_bytes(data, size, !HOST_LITTLE_ENDIAN);
}

bool ppc_fetch_current(struct ppc_vcpu *v, uint32_t *insn)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(v);
	bool there;

	kvm_lock(&vm->mmu_lock);
	there = p9_fetch_current(v->vcpu.cpu, insn);
	kvm_unlock(&vm->mmu_lock);
	return there;
}

enum ppc_next ppc_emulate_mmio(struct ppc_vcpu *v, uint64_t ea, gpa_t gpa, bool write)
{
	struct cpu *c = v->vcpu.cpu;
	struct p9_regs *r = p9_regs(c);
	struct kvm_run *run = v->vcpu.run;
	const struct access *a;
	uint8_t data[8] = {0};
	uint64_t insn_ea;
	uint32_t insn;
	unsigned reg;
	bool store, big_endian;

	/* Not readable any more: another processor unmapped it. Let it fault by itself. */
	if (!ppc_fetch_current(v, &insn))
		return PPC_RESUME;
	a = decode(r, insn, &insn_ea);
	if (!a) {
		ppc_inject_dsi(v, ea, PPC_DSISR_BADACCESS | (write ? P9_DSISR_ISSTORE : 0));
		return PPC_RESUME;
	}
	store = a->flags & STORE;
	/* The instruction in memory is not the one that faulted: try again. */
	if (store != write)
		return PPC_RESUME;
	/* Over a page's end: the other page may be memory. Guarded storage wants aligned accesses.
	 */
	if (insn_ea != ea || (ea & (KVM_PAGE_SIZE - 1)) + a->size > KVM_PAGE_SIZE) {
		r->dar = insn_ea;
		p9_deliver(c, P9_VEC_ALIGNMENT, 0);
		return PPC_RESUME;
	}

	reg = (insn >> 21) & 31;
	big_endian = !(r->msr & P9_MSR_LE) != !!(a->flags & REVERSE);
	if (store)
		put_bytes(data, store_value(r, a, reg), a->size, big_endian);
	if ((a->flags & UPDATE) && ((insn >> 16) & 31))
		r->gpr[(insn >> 16) & 31] = insn_ea;
	p9_set_pc(c, p9_pc(c) + 4);
	if (store && kvm_ioeventfd_write(v->vcpu.vm, gpa, a->size, host_value(data, a->size)))
		return PPC_RESUME;

	v->mmio = (struct ppc_mmio){
		.load = !store,
		.big_endian = big_endian,
		.sign = a->flags & SIGN,
		.fpr = a->flags & FPR,
		.single = a->flags & SINGLE,
		.reg = (uint8_t)reg,
		.size = a->size,
	};
	v->pending = PPC_PENDING_MMIO;
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = gpa.v;
	memcpy(run->mmio.data, data, sizeof(data));
	run->mmio.len = a->size;
	run->mmio.is_write = store;
	return PPC_USER;
}

void ppc_complete_mmio(struct ppc_vcpu *v)
{
	struct p9_regs *r = p9_regs(v->vcpu.cpu);
	const struct ppc_mmio *m = &v->mmio;
	uint8_t data[8];
	uint64_t value;

	if (!m->load)
		return;
	memcpy(data, v->vcpu.run->mmio.data, sizeof(data));
	value = get_bytes(data, m->size, m->big_endian);
	if (m->sign)
		value = (uint64_t)sext64(value, 8 * m->size);
	if (!m->fpr && m->nested) {
		nested_complete_load(v, m->reg, value);
		return;
	}
	if (!m->fpr) {
		r->gpr[m->reg] = value;
		return;
	}
	if (m->single)
		value = single_to_double((uint32_t)value);
	r->vsr[m->reg] = (u128)value << 64;
}
