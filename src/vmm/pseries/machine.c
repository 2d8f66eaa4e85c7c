/* The pseries machine: its parts put together, and the way into the kernel. */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/loader.h"
#include "vmm/pseries/pseries.h"

/* RTAS and the device tree lie below, where 32-bit real mode and any kernel reach them. */
#define LOW_MEMORY_END (UINT64_C(1) << 30)
#define PAGE_64K       UINT64_C(0x10000)

static int keep_create(void **keep, struct error *e)
{
	*keep = nvram_create();
	return *keep ? 0 : error_set(e, -ENOMEM, "the host has no memory for the guest's NVRAM.");
}

static void keep_destroy(void *keep)
{
	nvram_destroy(keep);
}

static int create_vm(struct vm *vm, struct error *e)
{
	unsigned threads = vm->config->threads;
	bool compiles = vm->backend == &kvm_backend_anykvm && !vm->config->tuning.no_jit;
	int ret;

	ret = sys_ioctl(vm, KVM_CREATE_VM, (void *)(uintptr_t)KVM_VM_PPC_HV);
	if (ret < 0)
		return error_set(e, ret,
				 "the hypervisor \"%s\" cannot create a virtual machine "
				 "(%s)%s.",
				 vm->backend->name, strerror(-ret),
				 compiles ? "; for compiled code it takes executable memory: less with --translations, "
					    "none with --jit off" : "");
	vm->fd = ret;
	if (vm_check_cap(vm, KVM_CAP_PPC_MMU_RADIX) < 1 || vm_check_cap(vm, KVM_CAP_IRQ_XICS) < 1)
		return error_set(e, -ENOTSUP,
				 "the hypervisor \"%s\" cannot run radix guests with "
				 "XICS; try --backend anykvm.",
				 vm->backend->name);
	if (vm->config->nested) {
		ret = vm_enable_cap(vm, KVM_CAP_PPC_NESTED_HV, 1, 0);
		if (ret < 0)
			return error_set(e, ret,
					 "the hypervisor \"%s\" has no nested guests (%s); "
					 "leave out --nested.",
					 vm->backend->name, strerror(-ret));
	}
	if (threads == 1)
		return 0;
	ret = vm_enable_cap(vm, KVM_CAP_PPC_SMT, threads, 0);
	if (ret < 0)
		return error_set(e, -E2BIG,
				 "the hypervisor \"%s\" has no cores of %u threads (%s); "
				 "use --smp threads=1.",
				 vm->backend->name, threads, strerror(-ret));
	return 0;
}

static int set_memory(struct vm *vm, struct error *e)
{
	struct kvm_userspace_memory_region r = {
		.slot = 0,
		.guest_phys_addr = 0,
		.memory_size = vm->ram.size,
		.userspace_addr = (uintptr_t)vm->ram.base,
	};
	int ret = vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &r);

	/* Of a slot that is aligned and the only one, only the size can be invalid. */
	if (ret == -EINVAL)
		return error_set(e, -E2BIG,
				 "%" PRIu64 " MiB of memory are more than the hypervisor \"%s\" "
				 "takes; give the guest less with --memory.",
				 vm->ram.size >> 20, vm->backend->name);
	if (ret < 0)
		return error_set(e, ret,
				 "the hypervisor \"%s\" does not take %" PRIu64 " MiB of guest "
				 "memory (%s); try less with --memory.",
				 vm->backend->name, vm->ram.size >> 20, strerror(-ret));
	return 0;
}

/*
 * Hypercalls that KVM handles only on request (api.rst 7.1, KVM_CAP_PPC_ENABLE_HCALL). One that
 * it does not implement it refuses: such a call always comes to hcall.c. The H_LOGICAL_ ones it
 * takes for its own devices only, and gives the rest to hcall.c, too.
 */
static void enable_hcalls(struct pseries *p)
{
	static const uint64_t wanted[] = {
		H_SET_MODE,
		H_RANDOM,
		H_PAGE_INIT,
		H_LOGICAL_CI_LOAD,
		H_LOGICAL_CI_STORE,
		H_LOGICAL_CACHE_LOAD,
		H_LOGICAL_CACHE_STORE,
		H_LOGICAL_ICBI,
		H_LOGICAL_DCBF,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(wanted); i++)
		vm_enable_cap(p->vm, KVM_CAP_PPC_ENABLE_HCALL, wanted[i], 1);
	p->rpt_invalidate = vm_check_cap(p->vm, KVM_CAP_PPC_RPT_INVALIDATE) > 0 &&
			    !vm_enable_cap(p->vm, KVM_CAP_PPC_ENABLE_HCALL, H_RPT_INVALIDATE, 1);
}

static int create_mmu(struct pseries *p, struct error *e)
{
	int ret;

	ret = vm_ioctl(p->vm, KVM_PPC_GET_RMMU_INFO, &p->rmmu);
	p->process_table = PATB1_GR;
	p->gtse = true;
	if (ret >= 0)
		ret = pseries_configure_mmu(p);
	if (ret < 0)
		return error_set(e, ret, "the hypervisor refuses radix translation (%s).",
				 strerror(-ret));
	return 0;
}

/*
 * The device tree tells of a decrementer of 56 bits, which is extended by its sign only with LPCR[LD]:
 * a hypervisor in the guest would take one that has run out for one of 2^32 ticks else.
 */
static int set_large_decrementer(struct vcpu *v)
{
	return pseries_change_lpcr(v, LPCR_LD, LPCR_LD);
}

static int create_vcpus(struct vm *vm, struct error *e)
{
	unsigned n = vm->config->cores * vm->config->threads;
	int max = vm_check_cap(vm, KVM_CAP_MAX_VCPUS);
	uint32_t compat = PSERIES_LOGICAL_PVR;
	struct kvm_one_reg reg = {.id = KVM_REG_PPC_ARCH_COMPAT, .addr = (uintptr_t)&compat};
	int ret;

	if (max > 0 && n > (unsigned)max)
		return error_set(e, -E2BIG,
				 "%u processors are more than the hypervisor's %d; give "
				 "fewer with --smp.",
				 n, max);
	if (vm_alloc_vcpus(vm, n))
		return error_set(e, -ENOMEM, "the host has no memory for %u processors.", n);
	for (unsigned i = 0; i < n; i++) {
		/* KVM puts the threads of one virtual core at consecutive numbers. */
		ret = vcpu_create(vm, i, i, e);
		if (ret)
			return ret;
		ret = vcpu_enable_cap(&vm->vcpus[i], KVM_CAP_PPC_PAPR, 0, 0);
		if (ret < 0)
			return error_set(e, ret, "the hypervisor cannot run partitions (%s).",
					 strerror(-ret));
		/* A processor that has no modes but ISA 3.00 needs not to be told. */
		vcpu_ioctl(&vm->vcpus[i], KVM_SET_ONE_REG, &reg);
		ret = set_large_decrementer(&vm->vcpus[i]);
		if (ret)
			return error_set(e, ret,
					 "the hypervisor has no large decrementer (%s).",
					 strerror(-ret));
	}
	return 0;
}

static int create(struct vm *vm, struct error *e)
{
	struct pseries *p = calloc(1, sizeof(*p));
	int ret;

	if (!p)
		return error_set(e, -ENOMEM, "the host has no memory for the machine.");
	p->vm = vm;
	p->nvram = vm->keep;
	p->xics.fd = -1;
	pthread_mutex_init(&p->xics.lock, NULL);
	vm->priv = p;
	ret = create_vm(vm, e);
	if (ret)
		return ret;
	ret = set_memory(vm, e);
	if (ret)
		return ret;
	ret = create_mmu(p, e);
	if (ret)
		return ret;
	enable_hcalls(p);
	ret = create_vcpus(vm, e);
	if (ret)
		return ret;
	ret = xics_create(p, e);
	if (ret)
		return ret;
	vty_create(p);
	return 0;
}

static void destroy(struct vm *vm)
{
	struct pseries *p = pseries_of(vm);

	vty_destroy(p);
	xics_destroy(p);
	free(p);
	vm->priv = NULL;
}

int pseries_set_entry(struct vcpu *v, void *arg)
{
	const struct pseries_entry *entry = arg;
	struct kvm_regs regs = {
		.pc = entry->pc,
		.msr = entry->msr,
		.gpr = {[3] = entry->r3, [4] = entry->r4},
	};
	uint32_t online = 1;
	struct kvm_one_reg reg = {.id = KVM_REG_PPC_ONLINE, .addr = (uintptr_t)&online};

	/* A hint for KVM's accounting only. */
	vcpu_ioctl(v, KVM_SET_ONE_REG, &reg);
	return vcpu_ioctl(v, KVM_SET_REGS, &regs);
}

/*
 * Where things go. Kernel: where it was linked for, which is address 0. RTAS and the tree (its
 * size is known last, so at most the 2 MiB that build_fdt allows): at the end of memory or of
 * the first GiB. The initial RAM disk: below them if there is room, else behind the first GiB.
 */
#define FDT_ROOM        (UINT64_C(2) << 20)
#define PROCESSOR_SHARE 10

/*
 * What a guest needs at the least to come as far as a message: with less, Linux stops before it
 * has a console, or kills its init, and the user sees nothing. Besides what is loaded, that is as
 * much as the kernel again for what it allocates at boot (page tables, the array of struct page,
 * slabs; Debian's 6.1, of 41 MiB, fails in 80 MiB and starts in 96), a share of that for each
 * further processor's own data (4 do with 112 MiB, not with 96; 16 not with 144), and the initial
 * RAM disk again, which is unpacked from memory to memory. All of it goes by the kernel's size, so
 * that a small program is not refused a small machine; a raw image says nothing of what it needs.
 */
static uint64_t least_memory(const struct pseries *p, const struct loaded_image *kernel)
{
	bool known = p->vm->config->kernel_format == IMAGE_ELF;
	uint64_t size = known ? kernel->end - kernel->start : 0;
	uint64_t each = size / PROCESSOR_SHARE * (p->vm->nr_vcpus - 1);

	return kernel->end + PSERIES_RTAS_SIZE + FDT_ROOM + size + each + 2 * p->initrd_size;
}

static int no_room(struct pseries *p, const struct loaded_image *kernel, struct error *e)
{
	uint64_t need = align_up(least_memory(p, kernel), p->vm->machine->memory_unit);

	return error_set(e, -ENOSPC,
			 "%" PRIu64 " MiB of guest memory are too little for this kernel%s, which "
			 "take%s %" PRIu64 " MiB at the least; give more with --memory.",
			 p->vm->ram.size >> 20, p->initrd_size ? " and initial RAM disk" : "",
			 p->initrd_size ? "" : "s", need >> 20);
}

static int place(struct pseries *p, const struct loaded_image *kernel, const char *initrd,
		 struct error *e)
{
	uint64_t size = p->vm->ram.size;
	uint64_t low_end = size < LOW_MEMORY_END ? size : LOW_MEMORY_END;
	uint64_t kernel_end = align_up(kernel->end, PAGE_64K);
	int ret;

	p->initrd_size = 0;
	if (initrd) {
		ret = image_size(initrd, &p->initrd_size, e);
		if (ret)
			return ret;
	}
	/* First: files may be of any size, and the sums below are then those of sizes that fit. */
	if (kernel_end > low_end || p->initrd_size > size || size < least_memory(p, kernel) ||
	    low_end - kernel_end < PSERIES_RTAS_SIZE + FDT_ROOM)
		return no_room(p, kernel, e);
	p->rtas_base = low_end - PSERIES_RTAS_SIZE;
	p->fdt_base = p->rtas_base - FDT_ROOM;
	if (!p->initrd_size)
		return 0;
	if (p->initrd_size <= p->fdt_base - kernel_end)
		p->initrd_base = (p->fdt_base - p->initrd_size) & ~(PAGE_64K - 1);
	else if (size > LOW_MEMORY_END && p->initrd_size <= size - LOW_MEMORY_END)
		p->initrd_base = LOW_MEMORY_END;
	else
		return no_room(p, kernel, e);
	return p->initrd_base >= kernel_end ? 0 : no_room(p, kernel, e);
}

static int load(struct vm *vm, struct error *e)
{
	const struct vmm_config *config = vm->config;
	struct pseries *p = pseries_of(vm);
	const struct load_target target = {
		.mem = vm->ram.base,
		.size = vm->ram.size,
		.elf_machine = EM_PPC64,
		.elf_data = vm->machine->elf_data,
		.arch_name = vm->machine->arch_name,
		/* Kernels are linked at 0xc000000000000000 + physical address. */
		.phys_mask = UINT64_MAX >> 4,
	};
	struct pseries_entry entry = {.msr = MSR_SF};
	struct loaded_image kernel;
	uint64_t initrd_size;
	uint32_t fdt_size;
	void *fdt;
	int ret;

	ret = load_kernel(&target, config->kernel, config->kernel_format, &kernel, e);
	if (ret)
		return ret;
	ret = place(p, &kernel, config->initrd, e);
	if (ret)
		return ret;
	if (p->initrd_size) {
		/* At most what was placed: the file may have grown. */
		ret = load_file(&target, config->initrd, p->initrd_base, p->initrd_size,
				&initrd_size, e);
		if (ret)
			return ret;
		p->initrd_size = initrd_size;
	}
	memcpy(vm->ram.base + p->rtas_base, rtas_blob, sizeof(rtas_blob));
	ret = pseries_build_fdt(p, &fdt, &fdt_size, e);
	if (ret)
		return ret;
	memcpy(vm->ram.base + p->fdt_base, fdt, fdt_size);
	free(fdt);

	/* The entry contract of a flattened tree: r3 tree, r4 kernel, r5 0. */
	entry.pc = kernel.entry;
	entry.r3 = p->fdt_base;
	entry.r4 = kernel.start;
	ret = vcpu_start(&vm->vcpus[0], pseries_set_entry, &entry);
	if (ret)
		return error_set(e, -EREMOTEIO,
				 "the hypervisor does not take the first processor's "
				 "registers (%s).",
				 strerror(-ret));
	return 0;
}

static void describe(struct vcpu *v, char *text, size_t size)
{
	struct kvm_regs regs;

	if (!vcpu_ioctl(v, KVM_GET_REGS, &regs))
		snprintf(text, size,
			 "NIP %#" PRIx64 ", MSR %#" PRIx64 ", LR %#" PRIx64 ", GPR1 %#" PRIx64
			 ", GPR3 %#" PRIx64,
			 regs.pc, regs.msr, regs.lr, regs.gpr[1], regs.gpr[3]);
}

const struct machine machine_pseries = {
	.name = "pseries",
	.arch_name = "ppc64le",
	.description = "POWER9 partition, radix translation, XICS interrupts",
	.arch = KVM_GUEST_PPC64,
	.elf_machine = EM_PPC64,
	.elf_data = ELFDATA2LSB,
	.memory_unit = UINT64_C(16) << 20,
	.max_threads = 8,
	.keep_create = keep_create,
	.keep_destroy = keep_destroy,
	.create = create,
	.destroy = destroy,
	.load = load,
	.save = pseries_save,
	.restore = pseries_restore,
	.restored = pseries_restored,
	.describe = describe,
	.hypercall = pseries_hypercall,
};
