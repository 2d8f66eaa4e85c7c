/*
 * POWER virtual machines: capabilities, the MMU's configuration, and the architecture's operations.
 */
#include <errno.h>
#include <string.h>

#include "kvm/abi/mappings.h"
#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/powerpc.h"
#include "util/bits.h"

#define RADIX_GPA_BITS 52

/* Partition-table entry, doubleword 1 */
#define PATB_GR   BIT64(63) /* guest radix */
#define PRTS_MASK 0x1f
#define PRTS_MAX  24

#define MAX_SMT_THREADS 8

static int ppc_check_extension(struct kvm *k, struct kvm_vm *vm, uint64_t cap)
{
	switch (cap) {
	case KVM_CAP_PPC_UNSET_IRQ:
	case KVM_CAP_PPC_IRQ_LEVEL:
	case KVM_CAP_PPC_HIOR:
	case KVM_CAP_PPC_PAPR:
	case KVM_CAP_PPC_SEGSTATE:
	case KVM_CAP_PPC_ENABLE_HCALL:
	case KVM_CAP_PPC_RTAS:
	case KVM_CAP_IRQ_XICS:
	case KVM_CAP_PPC_GET_SMMU_INFO:
	case KVM_CAP_PPC_GET_CPU_CHAR:
	case KVM_CAP_PPC_HWRNG:
	case KVM_CAP_PPC_MMU_RADIX:
	case KVM_CAP_PPC_RPT_INVALIDATE:
	case KVM_CAP_PPC_AIL_MODE_3:
		return 1;
	case KVM_CAP_PPC_NESTED_HV:
		return !k->tuning.no_nested;
	case KVM_CAP_PPC_SMT:
		return vm ? (int)ppc_vm_of(vm)->smt_mode : 1;
	case KVM_CAP_PPC_SMT_POSSIBLE:
		return 8 | 4 | 2 | 1; /* a bit per number of threads: doorbells are emulated */
	default:
		return 0;
	}
}

static void ppc_vm_fini(struct kvm_vm *kvm_vm)
{
	struct ppc_vm *vm = ppc_vm_of(kvm_vm);

	if (!vm->initialised)
		return;
	nested_destroy(vm);
	radix_destroy(vm);
	kvm_lock_destroy(&vm->mmu_lock);
}

static int ppc_vm_init(struct kvm_vm *kvm_vm, uint64_t type)
{
	struct ppc_vm *vm = ppc_vm_of(kvm_vm);
	int ret;

	if (type != KVM_VM_PPC_DEFAULT && type != KVM_VM_PPC_HV)
		return -EINVAL;
	ret = kvm_lock_init(&vm->mmu_lock, KVM_RANK_MMU);
	if (ret)
		return ret;
	vm->initialised = true;
	vm->smt_mode = 1;
	vm->joint_threads = kvm_vm->kvm->tuning.joint_threads;
	atomic_store(&vm->gtse, P9_LPCR_GTSE);
	ppc_hcall_defaults(vm);
	return radix_create(vm);
}

static int set_smt(struct ppc_vm *vm, uint64_t mode, uint64_t flags)
{
	int ret = 0;

	if (flags || mode > MAX_SMT_THREADS || !is_pow2(mode))
		return -EINVAL;
	kvm_lock(&vm->vm.lock);
	if (atomic_load(&vm->vm.nr_vcpus))
		ret = -EBUSY;
	else
		vm->smt_mode = (uint32_t)mode;
	kvm_unlock(&vm->vm.lock);
	return ret;
}

static int ppc_vm_enable_cap(struct kvm_vm *kvm_vm, const struct kvm_enable_cap *cap)
{
	struct ppc_vm *vm = ppc_vm_of(kvm_vm);

	switch (cap->cap) {
	case KVM_CAP_PPC_ENABLE_HCALL:
		return ppc_enable_hcall(vm, cap->args[0], cap->args[1]);
	case KVM_CAP_PPC_SMT:
		return set_smt(vm, cap->args[0], cap->args[1]);
	case KVM_CAP_PPC_NESTED_HV:
		return nested_enable(vm, cap->args[0]);
	default:
		return -EINVAL;
	}
}

/* --- MMU --- */

static int configure_mmu(struct ppc_vm *vm, void *arg)
{
	struct kvm_ppc_mmuv3_cfg cfg;
	int ret = kvm_copy_in(&cfg, arg, sizeof(cfg));

	if (ret)
		return ret;
	if (cfg.flags & ~(KVM_PPC_MMUV3_RADIX | KVM_PPC_MMUV3_GTSE))
		return -EINVAL;
	/* Radix only, and the table must say so too. */
	if (!(cfg.flags & KVM_PPC_MMUV3_RADIX) || !(cfg.process_table & PATB_GR))
		return -EINVAL;
	if ((cfg.process_table & PRTS_MASK) > PRTS_MAX)
		return -EINVAL;

	kvm_lock(&vm->vm.lock);
	atomic_store(&vm->process_table, cfg.process_table);
	atomic_store(&vm->gtse, cfg.flags & KVM_PPC_MMUV3_GTSE ? P9_LPCR_GTSE : 0);
	kvm_make_all_request(&vm->vm, PPC_REQ_MMU);
	/* As tlbie with RIC = 2 after a partition-table entry changed. */
	p9_invalidate(vm->vm.system, NULL, PPC_LPID, UINT64_MAX, false, 0, 0);
	kvm_unlock(&vm->vm.lock);
	return 0;
}

static int get_rmmu_info(void *arg)
{
	/* AP encodings of tlbie (Book III): page shift, and AP in the top three bits. */
	static const struct kvm_ppc_rmmu_info info = {
		.geometries =
			{
				{.page_shift = 12, .level_bits = {9, 9, 9, 13}},
				{.page_shift = 16, .level_bits = {5, 9, 9, 13}},
			},
		.ap_encodings =
			{
				12 | 0u << 29,
				16 | 5u << 29,
				21 | 1u << 29,
				30 | 2u << 29,
			},
	};

	return kvm_copy_out(arg, &info, sizeof(info));
}

static int get_smmu_info(void *arg)
{
	static const struct kvm_ppc_smmu_info info = {.flags = KVM_PPC_NO_HASH};

	return kvm_copy_out(arg, &info, sizeof(info));
}

/*
 * This silicon does not speculate past a guest's checks, so there is nothing to flush and no
 * barrier to place: all bits are known, none is set.
 */
static int get_cpu_char(void *arg)
{
	static const struct kvm_ppc_cpu_char info = {
		.character_mask =
			KVM_PPC_CPU_CHAR_SPEC_BAR_ORI31 | KVM_PPC_CPU_CHAR_BCCTRL_SERIALISED |
			KVM_PPC_CPU_CHAR_L1D_FLUSH_ORI30 | KVM_PPC_CPU_CHAR_L1D_FLUSH_TRIG2 |
			KVM_PPC_CPU_CHAR_L1D_THREAD_PRIV | KVM_PPC_CPU_CHAR_BR_HINT_HONOURED |
			KVM_PPC_CPU_CHAR_MTTRIG_THR_RECONF | KVM_PPC_CPU_CHAR_COUNT_CACHE_DIS |
			KVM_PPC_CPU_CHAR_BCCTR_FLUSH_ASSIST,
		.behaviour_mask =
			KVM_PPC_CPU_BEHAV_FAVOUR_SECURITY | KVM_PPC_CPU_BEHAV_L1D_FLUSH_PR |
			KVM_PPC_CPU_BEHAV_BNDS_CHK_SPEC_BAR | KVM_PPC_CPU_BEHAV_FLUSH_COUNT_CACHE,
	};

	return kvm_copy_out(arg, &info, sizeof(info));
}

static int ppc_vm_ioctl(struct kvm_vm *kvm_vm, uint32_t request, void *arg)
{
	struct kvm_rtas_token_args token;
	int ret;

	switch (request) {
	case KVM_PPC_CONFIGURE_V3_MMU:
		return configure_mmu(ppc_vm_of(kvm_vm), arg);
	case KVM_PPC_GET_RMMU_INFO:
		return get_rmmu_info(arg);
	case KVM_PPC_GET_SMMU_INFO:
		return get_smmu_info(arg);
	case KVM_PPC_GET_CPU_CHAR:
		return get_cpu_char(arg);
	case KVM_PPC_RTAS_DEFINE_TOKEN:
		ret = kvm_copy_in(&token, arg, sizeof(token));
		return ret ? ret : rtas_define_token(ppc_vm_of(kvm_vm), &token);
	case KVM_ANYKVM_GET_MAPPINGS:
		return ppc_get_mappings(kvm_vm, arg);
	case KVM_PPC_SVM_OFF:
		return 0; /* never a secure guest, so it is not one now */
	default:
		return -ENOTTY;
	}
}

static const struct kvm_device_ops *ppc_device_ops(uint32_t type)
{
	return type == KVM_DEV_TYPE_XICS ? &xics_device_ops : NULL;
}

const struct kvm_arch_ops ppc_arch_ops = {
	.arch = KVM_GUEST_PPC64,
	.name = "powerpc",
	.cpu = &p9_arch,
	.vm_size = sizeof(struct ppc_vm),
	.vcpu_size = sizeof(struct ppc_vcpu),
	.max_gpa = UINT64_C(1) << RADIX_GPA_BITS,
	.check_extension = ppc_check_extension,
	.vm_init = ppc_vm_init,
	.vm_fini = ppc_vm_fini,
	.vm_ioctl = ppc_vm_ioctl,
	.vm_enable_cap = ppc_vm_enable_cap,
	.vcpu_init = ppc_vcpu_init,
	.vcpu_fini = ppc_vcpu_fini,
	.vcpu_ioctl = ppc_vcpu_ioctl,
	.vcpu_async_ioctl = ppc_vcpu_async_ioctl,
	.vcpu_enable_cap = ppc_vcpu_enable_cap,
	.vcpu_run = ppc_vcpu_run,
	.unmap = radix_unmap,
	.harvest_dirty = radix_harvest_dirty,
	.vm_stats = &ppc_vm_stats,
	.vcpu_stats = &ppc_vcpu_stats,
	.vm_stats_read = ppc_vm_stats_read,
	.vcpu_stats_read = ppc_vcpu_stats_read,
	.timebase = p9_host_tb,
	.irq_line = xics_irq_line,
	.device_ops = ppc_device_ops,
};
