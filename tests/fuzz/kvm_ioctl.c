/*
 * ioctls with any arguments, of any descriptor, in any order: no crash, no hang, and no number but
 * 0, a descriptor, or an error comes back.
 */
#include "kvm_fuzz.h"
#include "kvm/abi/mappings.h"

#define MAX_STEPS 64

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
	KVM_RUN,
	KVM_PPC_SVM_OFF,
	KVM_ANYKVM_GET_MAPPINGS,
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
	case KVM_ANYKVM_GET_MAPPINGS: {
		struct kvm_mappings m = {.flags = (uint32_t)fuzz_take(in, 1) % 3,
					 .lpid = (uint32_t)fuzz_take(in, 1),
					 .start = fuzz_number(in),
					 .entries = pointer(f, in, arg),
					 .nr = (uint32_t)fuzz_take(in, 1) %
					       (MAX_ARG / sizeof(struct kvm_mapping))};

		memcpy(arg, &m, sizeof(m));
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
	case KVM_CREATE_DEVICE: {
		struct kvm_create_device cd = {.type = (uint32_t)fuzz_take(in, 1) % 6,
					       .flags = (uint32_t)fuzz_take(in, 1) % 3};

		memcpy(arg, &cd, sizeof(cd));
		break;
	}
	case KVM_ENABLE_CAP: {
		static const uint32_t caps[] = {KVM_CAP_PPC_ENABLE_HCALL, KVM_CAP_PPC_SMT,
						KVM_CAP_PPC_NESTED_HV, KVM_CAP_PPC_PAPR,
						KVM_CAP_IRQ_XICS};
		struct kvm_enable_cap cap = {.cap = caps[fuzz_take(in, 1) % ARRAY_SIZE(caps)]};

		for (unsigned i = 0; i < 4; i++)
			cap.args[i] = fuzz_number(in);
		memcpy(arg, &cap, sizeof(cap));
		break;
	}
	case KVM_PPC_RTAS_DEFINE_TOKEN: {
		static const char *const names[] = {"ibm,set-xive", "ibm,get-xive", "ibm,int-off",
						    "ibm,int-on", "no-such-call"};
		struct kvm_rtas_token_args token = {.token = fuzz_number(in)};

		strcpy(token.name, names[fuzz_take(in, 1) % ARRAY_SIZE(names)]);
		memcpy(arg, &token, sizeof(token));
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

/*
 * Of what makes and closes descriptors a few are enough: a processor has megabytes, and the VM is
 * spoilt for the next input. `magic` is a byte of the input, so that few inputs do it by chance.
 */
static void descriptors(struct fuzz_vm *f, struct fuzz_input *in, uint32_t request, int fd)
{
	uint8_t magic = (uint8_t)fuzz_take(in, 1);
	uint64_t arg = fuzz_take(in, 1) % 4;

	if (magic != 0x5a || fd > KVM_FIRST_FILE + 1)
		return;
	f->spoilt = true;
	fuzz_ioctl(f, fd, request, (void *)(uintptr_t)arg);
}

/* Memory faults in, so that slot changes have something to undo. */
static void fault(struct fuzz_vm *f, struct fuzz_input *in, bool write)
{
	struct kvm_file *file = atomic_load(&f->kvm->file[f->vm]);

	if (file)
		radix_map(ppc_vm_of(file->vm), NULL, GPA(fuzz_take(in, 1) << 12), write);
}

/*
 * KVM_RUN that completes what was pending and ends before the guest runs: at once, or by a kick
 * that came first. (The guest's own code is for kvm_nested and power9_run.)
 */
static void run(struct fuzz_vm *f, struct fuzz_input *in, int fd)
{
	int error;
	struct kvm_run *run = kvm_backend_anykvm.map_run(f->kvm, fd, KVM_RUN_AREA_SIZE, &error);

	if (run) {
		uint8_t how = (uint8_t)fuzz_take(in, 1);
		struct ppc_vcpu *v = ppc_vcpu_of(atomic_load(&f->kvm->file[fd])->vcpu);

		for (size_t i = 0; i < (size_t)(how >> 4); i++) {
			uint64_t value = fuzz_number(in);

			memcpy((char *)run + 8 * i, &value, sizeof(value));
		}
		if ((how & 3) == 1)
			v->pending = PPC_PENDING_HCALL;
		run->immediate_exit = how & 4;
		if (!run->immediate_exit)
			kvm_backend_anykvm.kick(f->kvm, fd);
	}
	if (fuzz_ioctl(f, fd, KVM_RUN, NULL) == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The second half is where pointers in arguments point. */
	static uint8_t arg[2 * MAX_ARG];
	static struct fuzz_vm f;
	struct fuzz_input in = {data, size};

	fuzz_vm_begin(&f, NULL);
	for (unsigned step = 0; in.size && step < MAX_STEPS; step++) {
		uint8_t op = (uint8_t)fuzz_take(&in, 1);
		int fd = KVM_FIRST_FILE + (int)(fuzz_take(&in, 1) % 8);
		uint32_t request = requests[op % ARRAY_SIZE(requests)];

		if (op >= 248) {
			fault(&f, &in, op & 1);
			continue;
		}
		if (op >= 246) {
			if (fuzz_take(&in, 1) == 0x5a) {
				f.spoilt = true;
				kvm_backend_anykvm.close(f.kvm, fd);
			}
			continue;
		}
		switch (request) {
		case KVM_CREATE_VM:
		case KVM_CREATE_VCPU:
			descriptors(&f, &in, request, fd);
			break;
		case KVM_CHECK_EXTENSION:
			fuzz_ioctl(&f, fd, request, (void *)(uintptr_t)fuzz_take(&in, 1));
			break;
		case KVM_RUN:
			run(&f, &in, fd);
			break;
		default:
			fill(&f, &in, request, arg);
			fuzz_ioctl(&f, fd, request, fuzz_take(&in, 1) & 15 ? arg : NULL);
			break;
		}
	}
	return 0;
}
