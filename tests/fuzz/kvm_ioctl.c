/*
 * ioctls with any arguments, of any descriptor, in any order: no crash, no hang, and no number but
 * 0, a descriptor, or an error comes back.
 */
#include "kvm_fuzz.h"

static const uint32_t requests[] = {
	KVM_GET_API_VERSION,
	KVM_CREATE_VM,
	KVM_CHECK_EXTENSION,
	KVM_GET_VCPU_MMAP_SIZE,
	KVM_CREATE_VCPU,
	KVM_GET_DIRTY_LOG,
	KVM_SET_USER_MEMORY_REGION,
	KVM_IRQ_LINE,
	KVM_IRQ_LINE_STATUS,
	KVM_IRQFD,
	KVM_IOEVENTFD,
	KVM_CREATE_DEVICE,
	KVM_SET_DEVICE_ATTR,
	KVM_GET_DEVICE_ATTR,
	KVM_HAS_DEVICE_ATTR,
	KVM_INTERRUPT,
	KVM_SET_SIGNAL_MASK,
	KVM_GET_MP_STATE,
	KVM_SET_MP_STATE,
	KVM_ENABLE_CAP,
	KVM_GET_ONE_REG,
	KVM_SET_ONE_REG,
	KVM_GET_REGS,
	KVM_SET_REGS,
	KVM_GET_SREGS,
	KVM_SET_SREGS,
	KVM_PPC_GET_SMMU_INFO,
	KVM_PPC_CONFIGURE_V3_MMU,
	KVM_PPC_GET_RMMU_INFO,
	KVM_PPC_GET_CPU_CHAR,
	KVM_PPC_RTAS_DEFINE_TOKEN,
};

#define MAX_ARG 2048

/* Pointers inside arguments: into the argument's own buffer, guest memory, or nowhere. */
static uint64_t pointer(struct fuzz_vm *f, struct fuzz_input *in, uint8_t *arg)
{
	switch (fuzz_take(in, 1) & 3) {
	case 0:
		return (uintptr_t)(arg + MAX_ARG);
	case 1:
		return (uintptr_t)f->mem + (fuzz_take(in, 1) << 12) % FUZZ_MEM;
	case 2:
		return 0;
	default:
		return UINT64_C(0x10) << (fuzz_take(in, 1) & 63); /* unmapped, as good as surely */
	}
}

static void fill(struct fuzz_vm *f, struct fuzz_input *in, uint32_t request, uint8_t *arg)
{
	size_t words = fuzz_take(in, 1) % 16;

	memset(arg, 0, 2 * MAX_ARG);
	for (size_t i = 0; i < words; i++) {
		uint64_t v = fuzz_number(in);

		memcpy(arg + 8 * i, &v, sizeof(v));
	}
	switch (request) {
	case KVM_SET_USER_MEMORY_REGION: {
		struct kvm_userspace_memory_region r = {
			.slot = (uint32_t)fuzz_take(in, 1) % 6,
			.flags = (uint32_t)fuzz_take(in, 1) % 5,
			.guest_phys_addr = fuzz_take(in, 1) << 12,
			.memory_size = (fuzz_take(in, 1) % 64) << 12,
			.userspace_addr = (uintptr_t)f->mem + ((fuzz_take(in, 1) % 192) << 12),
		};

		memcpy(arg, &r, sizeof(r));
		break;
	}
	case KVM_GET_DIRTY_LOG: {
		struct kvm_dirty_log log = {.slot = (uint32_t)fuzz_take(in, 1) % 6,
					    .dirty_bitmap = pointer(f, in, arg)};

		memcpy(arg, &log, sizeof(log));
		break;
	}
	case KVM_SET_DEVICE_ATTR:
	case KVM_GET_DEVICE_ATTR: {
		struct kvm_device_attr attr = {.group = (uint32_t)fuzz_take(in, 1) % 3,
					       .attr = fuzz_number(in),
					       .addr = pointer(f, in, arg)};

		memcpy(arg, &attr, sizeof(attr));
		break;
	}
	case KVM_GET_ONE_REG:
	case KVM_SET_ONE_REG: {
		struct kvm_one_reg reg = {.id = KVM_REG_PPC |
						(fuzz_take(in, 1) % 6) << KVM_REG_SIZE_SHIFT |
						fuzz_take(in, 1),
					  .addr = pointer(f, in, arg)};

		memcpy(arg, &reg, sizeof(reg));
		break;
	}
	case KVM_IRQFD:
	case KVM_IOEVENTFD:
		/* Not the fuzzer's own descriptors. */
		memset(arg, 0xff, 4);
		memset(arg + 20, 0xff, 4);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	/* The second half is where pointers in arguments point. */
	static uint8_t arg[2 * MAX_ARG];
	struct fuzz_vm f;

	fuzz_vm_create(&f);
	while (in.size) {
		uint8_t op = (uint8_t)fuzz_take(&in, 1);
		int fd = KVM_FIRST_FILE + (int)(fuzz_take(&in, 1) % 8);
		uint32_t request = requests[op % ARRAY_SIZE(requests)];

		if (op >= 250) {
			/* Memory faults in, so that slot changes have something to undo. */
			radix_map(ppc_vm_of(fuzz_vcpu(&f, 0)->vcpu.vm), NULL,
				  GPA(fuzz_take(&in, 1) << 12), op & 1);
			continue;
		}
		if (request == KVM_CREATE_VM || request == KVM_CREATE_VCPU ||
		    request == KVM_CHECK_EXTENSION) {
			/* A few are enough: a processor has megabytes. */
			if (request != KVM_CHECK_EXTENSION && fd > KVM_FIRST_FILE + 1)
				continue;
			fuzz_ioctl(&f, fd, request, (void *)(uintptr_t)(fuzz_take(&in, 1) % 4));
			continue;
		}
		fill(&f, &in, request, arg);
		fuzz_ioctl(&f, fd, request, fuzz_take(&in, 1) & 15 ? arg : NULL);
	}
	fuzz_vm_destroy(&f);
	return 0;
}
