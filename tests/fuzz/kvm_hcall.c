/*
 * Hypercalls with any arguments in any order, on a guest that also writes its memory, has interrupt
 * sources fire, and loses memory: no crash, no access outside its memory, no hang.
 */
#include "kvm_fuzz.h"

static const uint64_t numbers[] = {
	H_SET_DABR,
	H_PAGE_INIT,
	H_LOGICAL_CI_LOAD,
	H_LOGICAL_CI_STORE,
	H_EOI,
	H_CPPR,
	H_IPI,
	H_IPOLL,
	H_XIRR,
	H_REGISTER_VPA,
	H_CEDE,
	H_CONFER,
	H_PROD,
	H_SET_XDABR,
	H_XIRR_X,
	H_RANDOM,
	H_SET_MODE,
	H_RPT_INVALIDATE,
	H_RTAS,
	H_SET_PARTITION_TABLE,
	H_ENTER,
	H_TLB_INVALIDATE,
};

static void enable_all(struct fuzz_vm *f)
{
	static const char *const rtas[] = {"ibm,set-xive", "ibm,get-xive", "ibm,int-off",
					   "ibm,int-on"};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct kvm_enable_cap cap = {.cap = KVM_CAP_PPC_ENABLE_HCALL,
					     .args = {numbers[i], 1}};

		fuzz_ioctl(f, f->vm, KVM_ENABLE_CAP, &cap);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rtas); i++) {
		struct kvm_rtas_token_args args = {.token = i + 1};

		strcpy(args.name, rtas[i]);
		fuzz_ioctl(f, f->vm, KVM_PPC_RTAS_DEFINE_TOKEN, &args);
	}
	for (uint64_t irq = 16; irq < 20; irq++) {
		uint64_t state = UINT64_C(5) << KVM_XICS_PRIORITY_SHIFT |
				 (irq == 19 ? KVM_XICS_LEVEL_SENSITIVE : 0) | (irq & 1);
		struct kvm_device_attr attr = {
			.group = KVM_DEV_XICS_GRP_SOURCES, .attr = irq, .addr = (uintptr_t)&state};

		fuzz_ioctl(f, f->xics, KVM_SET_DEVICE_ATTR, &attr);
	}
}

static void hcall(struct fuzz_vm *f, struct fuzz_input *in)
{
	struct ppc_vcpu *v = fuzz_vcpu(f, fuzz_take(in, 1) & 1);
	uint64_t *gpr = p9_regs(v->vcpu.cpu)->gpr;
	uint8_t which = (uint8_t)fuzz_take(in, 1);

	gpr[3] = which < 240 ? numbers[which % ARRAY_SIZE(numbers)] : fuzz_number(in);
	for (unsigned i = 4; i <= 9; i++)
		gpr[i] = fuzz_number(in);
	ppc_hcall(v);
	v->pending = PPC_PENDING_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct fuzz_vm f;

	fuzz_vm_create(&f);
	enable_all(&f);
	while (in.size) {
		switch (fuzz_take(&in, 1) % 8) {
		case 0: { /* the guest writes its memory */
			uint64_t at = fuzz_take(&in, 3) % (FUZZ_MEM - 8);
			uint64_t value = fuzz_take(&in, 8);

			memcpy(f.mem + at, &value, sizeof(value));
			break;
		}
		case 1: {
			struct kvm_irq_level l = {.irq = 16 + (uint32_t)(fuzz_take(&in, 1) & 3)};

			l.level = (uint32_t)fuzz_take(&in, 1) & 1;
			fuzz_ioctl(&f, f.vm, KVM_IRQ_LINE, &l);
			break;
		}
		case 2: { /* the areas are written */
			struct ppc_vcpu *v = fuzz_vcpu(&f, fuzz_take(&in, 1) & 1);

			vpa_enter(v);
			vpa_leave(v);
			break;
		}
		case 3: { /* half of the memory goes, or comes back read-only */
			struct kvm_userspace_memory_region r = {
				.userspace_addr = (uintptr_t)f.mem,
				.memory_size = fuzz_take(&in, 1) & 1 ? FUZZ_MEM / 2 : 0,
				.flags = (uint32_t)fuzz_take(&in, 1) & 3,
			};

			fuzz_ioctl(&f, f.vm, KVM_SET_USER_MEMORY_REGION, &r);
			break;
		}
		default:
			hcall(&f, &in);
			break;
		}
	}
	fuzz_vm_destroy(&f);
	return 0;
}
