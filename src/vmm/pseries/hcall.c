/*
 * Hypercalls that the hypervisor leaves to user space (PAPR 14.11): table-driven; a number that is
 * not in the table is H_FUNCTION. Arguments are in args[0..8] (GPR4 to GPR12), and so are results.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "mem/endian.h"
#include "util/bits.h"
#include "vmm/pseries/pseries.h"

typedef int64_t (*hcall_fn)(struct vcpu *v, uint64_t args[9]);

static int64_t h_get_term_char(struct vcpu *v, uint64_t args[9])
{
	return vty_get(pseries_of(v->vm), args[0], args);
}

static int64_t h_put_term_char(struct vcpu *v, uint64_t args[9])
{
	return vty_put(pseries_of(v->vm), args[0], args[1], &args[2]);
}

static int64_t h_set_sprg0(struct vcpu *v, uint64_t args[9])
{
	struct kvm_regs regs;

	if (vcpu_ioctl(v, KVM_GET_REGS, &regs))
		return H_HARDWARE;
	regs.sprg0 = args[0];
	return vcpu_ioctl(v, KVM_SET_REGS, &regs) ? H_HARDWARE : H_SUCCESS;
}

/*
 * Unit, mode. Interrupts of the terminal follow its masking at the interrupt controller; the
 * per-device switch is kept and has no effect, as on machines whose hvterm1 has none.
 */
static int64_t h_vio_signal(struct vcpu *v, uint64_t args[9])
{
	if (args[0] != PSERIES_VTY_UNIT || args[1] > 1)
		return H_PARAMETER;
	pseries_of(v->vm)->vty_signal = args[1];
	return H_SUCCESS;
}

int pseries_change_lpcr(struct vcpu *v, uint64_t mask, uint64_t value)
{
	uint64_t lpcr;
	int ret = vcpu_get_reg(v, KVM_REG_PPC_LPCR_64, &lpcr);

	return ret ? ret : vcpu_set_reg(v, KVM_REG_PPC_LPCR_64, (lpcr & ~mask) | value);
}

int pseries_set_lpcr(struct vcpu *v, uint64_t mask, uint64_t value)
{
	struct vm *vm = v->vm;
	int ret = 0;

	if (!vm_exclusive_begin(vm, v))
		return -EINTR;
	for (unsigned i = 0; i < vm->nr_vcpus && !ret; i++)
		ret = pseries_change_lpcr(&vm->vcpus[i], mask, value);
	vm_exclusive_end(vm);
	return ret;
}

static int64_t set_mode_lpcr(struct vcpu *v, uint64_t mask, uint64_t value)
{
	int ret = pseries_set_lpcr(v, mask, value);

	/* The VM ends: the answer is never seen. */
	return !ret || ret == -EINTR ? H_SUCCESS : H_HARDWARE;
}

/* Flags, resource, two values. The debug registers' resources are the hypervisor's. */
static int64_t h_set_mode(struct vcpu *v, uint64_t args[9])
{
	switch (args[1]) {
	case H_SET_MODE_RESOURCE_LE:
		if (args[2])
			return H_P3;
		if (args[3])
			return H_P4;
		if (args[0] > 1)
			return H_UNSUPPORTED_FLAG_START;
		return set_mode_lpcr(v, LPCR_ILE, args[0] ? LPCR_ILE : 0);
	case H_SET_MODE_RESOURCE_ADDR_TRANS_MODE:
		if (args[2])
			return H_P3;
		if (args[3])
			return H_P4;
		/* 1 is reserved; POWER9's 2 puts the vectors where no kernel has them. */
		if (args[0] != 0 && args[0] != 3)
			return H_UNSUPPORTED_FLAG_START;
		return set_mode_lpcr(v, LPCR_AIL, args[0] << LPCR_AIL_SHIFT);
	}
	return H_P2;
}

static int64_t h_get_cpu_characteristics(struct vcpu *v, uint64_t args[9])
{
	struct kvm_ppc_cpu_char c = {0};

	if (vm_ioctl(v->vm, KVM_PPC_GET_CPU_CHAR, &c))
		return H_FUNCTION;
	args[0] = c.character & c.character_mask;
	args[1] = c.behaviour & c.behaviour_mask;
	return H_SUCCESS;
}

int pseries_configure_mmu(struct pseries *p)
{
	struct kvm_ppc_mmuv3_cfg cfg = {
		.flags = KVM_PPC_MMUV3_RADIX | (p->gtse ? KVM_PPC_MMUV3_GTSE : 0),
		.process_table = p->process_table,
	};

	return vm_ioctl(p->vm, KVM_PPC_CONFIGURE_V3_MMU, &cfg);
}

#define PROC_TABLE_FLAGS    (PROC_TABLE_OP_MASK | PROC_TABLE_TYPE_MASK | PROC_TABLE_GTSE)
#define PROC_TABLE_MAX_SIZE 24 /* log2 of its bytes, less 12: 64 GiB */

/*
 * Flags, address, page size, table size (as log2 less 12). The operation is in bits 0x18: 0x18
 * registers, 0x10 deregisters, 0 keeps the table and changes the rest. This machine does radix
 * translation only, which the device tree said before.
 */
static int64_t h_register_proc_tbl(struct vcpu *v, uint64_t args[9])
{
	struct pseries *p = pseries_of(v->vm);
	uint64_t flags = args[0];
	bool radix = (flags & PROC_TABLE_TYPE_MASK) == PROC_TABLE_RADIX;
	uint64_t table = p->process_table;
	int ret;

	if (flags & ~(uint64_t)PROC_TABLE_FLAGS)
		return H_PARAMETER;
	switch (flags & PROC_TABLE_OP_MASK) {
	case PROC_TABLE_NEW:
		if (!radix)
			return H_PARAMETER;
		/* 60 bits of real address, a table of 4 KiB at least */
		if ((args[1] & 0xfff) || args[1] >> 60)
			return H_P2;
		if (args[2])
			return H_P3;
		if (args[3] > PROC_TABLE_MAX_SIZE)
			return H_P4;
		table = PATB1_GR | args[1] | args[3];
		break;
	case PROC_TABLE_DEREG:
		table = PATB1_GR;
		break;
	case 0:
		if (!radix)
			return H_PARAMETER;
		break;
	default:
		return H_PARAMETER;
	}
	if (!vm_exclusive_begin(v->vm, v))
		return H_SUCCESS;
	p->process_table = table;
	if (radix)
		p->gtse = flags & PROC_TABLE_GTSE;
	ret = pseries_configure_mmu(p);
	vm_exclusive_end(v->vm);
	return ret ? H_PARAMETER : H_SUCCESS;
}

static int64_t h_random(struct vcpu *v, uint64_t args[9])
{
	(void)v;
	return getrandom(&args[0], 8, 0) == 8 ? H_SUCCESS : H_HARDWARE;
}

/*
 * System reset (vector 0x100) on a vCPU that the exclusive section holds. SRR1 bits 42:45 give a
 * reason for those that end a power-saving mode, bits 46:47 that mode: neither applies.
 */
static int deliver_system_reset(struct vcpu *v)
{
	struct kvm_regs regs;
	uint64_t lpcr;
	int ret;

	ret = vcpu_ioctl(v, KVM_GET_REGS, &regs);
	if (!ret)
		ret = vcpu_get_reg(v, KVM_REG_PPC_LPCR_64, &lpcr);
	if (ret)
		return ret;
	regs.srr0 = regs.pc;
	regs.srr1 = regs.msr & ~mask64_be(42, 47);
	regs.msr = MSR_SF | (regs.msr & MSR_ME) | (lpcr & LPCR_ILE ? MSR_LE : 0);
	regs.pc = 0x100;
	return vcpu_ioctl(v, KVM_SET_REGS, &regs);
}

/* Target: a processor number, -1 all, -2 all but the caller. */
static int64_t h_signal_sys_reset(struct vcpu *v, uint64_t args[9])
{
	int64_t target = (int64_t)args[0];
	struct vm *vm = v->vm;
	int ret = 0;

	if (target < -2 || (target >= 0 && !vcpu_by_id(vm, args[0])))
		return H_PARAMETER;
	if (!vm_exclusive_begin(vm, v))
		return H_SUCCESS;
	for (unsigned i = 0; i < vm->nr_vcpus; i++) {
		struct vcpu *t = &vm->vcpus[i];

		if ((target == -2 && t == v) || (target >= 0 && t->id != args[0]))
			continue;
		if (vcpu_state(t) == VCPU_RUNNABLE && deliver_system_reset(t))
			ret = -EIO;
	}
	vm_exclusive_end(vm);
	return ret ? H_HARDWARE : H_SUCCESS;
}

/*
 * Guest memory of 1, 2, 4 or 8 bytes at their natural alignment; NULL for anything else. This
 * machine has no devices at real addresses, so a cache-inhibited access is one to memory, too.
 */
static uint8_t *logical_mem(struct vcpu *v, uint64_t size, uint64_t gpa)
{
	if (size > 8 || !is_pow2(size) || (gpa & (size - 1)))
		return NULL;
	return vm_mem(v->vm, gpa, size);
}

/*
 * PAPR "hcall-debug": size, logical address; the value comes back right-justified in GPR4. The
 * bytes are a big-endian number whatever the guest's mode, as in Linux KVM and QEMU.
 */
static int64_t h_logical_load(struct vcpu *v, uint64_t args[9])
{
	const uint8_t *p = logical_mem(v, args[0], args[1]);

	if (!p)
		return H_PARAMETER;
	switch (args[0]) {
	case 1:
		args[0] = *p;
		break;
	case 2:
		args[0] = ld_be16(p);
		break;
	case 4:
		args[0] = ld_be32(p);
		break;
	case 8:
		args[0] = ld_be64(p);
		break;
	}
	return H_SUCCESS;
}

/* Size, logical address, value: its low bytes. */
static int64_t h_logical_store(struct vcpu *v, uint64_t args[9])
{
	uint8_t *p = logical_mem(v, args[0], args[1]);

	if (!p)
		return H_PARAMETER;
	switch (args[0]) {
	case 1:
		*p = (uint8_t)args[2];
		break;
	case 2:
		st_be16(p, (uint16_t)args[2]);
		break;
	case 4:
		st_be32(p, (uint32_t)args[2]);
		break;
	case 8:
		st_be64(p, args[2]);
		break;
	}
	return H_SUCCESS;
}

/*
 * H_LOGICAL_ICBI and H_LOGICAL_DCBF: a logical address. The VMM's accesses are coherent with the
 * processors', so the address is all that there is to check. (The first one comes here only from
 * hypervisors on silicon: the software processors' translations are forgotten in ours.)
 */
static int64_t h_logical_cache(struct vcpu *v, uint64_t args[9])
{
	return vm_mem(v->vm, args[0], 1) ? H_SUCCESS : H_PARAMETER;
}

static int64_t h_rtas(struct vcpu *v, uint64_t args[9])
{
	return rtas_call(v, args[0]);
}

static const struct {
	uint64_t nr;
	hcall_fn fn;
} hcalls[] = {
	{H_PUT_TERM_CHAR, h_put_term_char},
	{H_GET_TERM_CHAR, h_get_term_char},
	{H_RTAS, h_rtas},
	{H_SET_SPRG0, h_set_sprg0},
	{H_LOGICAL_CI_LOAD, h_logical_load},
	{H_LOGICAL_CI_STORE, h_logical_store},
	{H_LOGICAL_CACHE_LOAD, h_logical_load},
	{H_LOGICAL_CACHE_STORE, h_logical_store},
	{H_LOGICAL_ICBI, h_logical_cache},
	{H_LOGICAL_DCBF, h_logical_cache},
	{H_VIO_SIGNAL, h_vio_signal},
	{H_SET_MODE, h_set_mode},
	{H_GET_CPU_CHARACTERISTICS, h_get_cpu_characteristics},
	{H_REGISTER_PROC_TBL, h_register_proc_tbl},
	{H_RANDOM, h_random},
	{H_SIGNAL_SYS_RESET, h_signal_sys_reset},
};

void pseries_hypercall(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	uint64_t args[9];

	memcpy(args, run->papr_hcall.args, sizeof(args));
	run->papr_hcall.ret = (uint64_t)(int64_t)H_FUNCTION;
	for (unsigned i = 0; i < ARRAY_SIZE(hcalls); i++) {
		if (hcalls[i].nr != run->papr_hcall.nr)
			continue;
		run->papr_hcall.ret = (uint64_t)hcalls[i].fn(v, args);
		memcpy(run->papr_hcall.args, args, sizeof(args));
		break;
	}
}
