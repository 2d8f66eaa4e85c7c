/*
 * Hypercalls and RTAS calls with any arguments in any order, on a guest that also writes its
 * memory, has interrupt sources fire, and loses memory: no crash, no access outside its memory, no
 * hang.
 */
#include "kvm_fuzz.h"
#include "mem/endian.h"

#define MAX_STEPS 64

static const uint64_t numbers[] = {
	H_SET_DABR,
	H_PAGE_INIT,
	H_LOGICAL_CI_LOAD,
	H_LOGICAL_CI_STORE,
	H_LOGICAL_ICBI,
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

/* ibm,set-xive and its like: mostly what they take, of interrupts and servers that there are. */
static void rtas(struct fuzz_vm *f, struct fuzz_input *in)
{
	struct ppc_vcpu *v = fuzz_vcpu(f, fuzz_take(in, 1) & 1);
	uint8_t shape = (uint8_t)fuzz_take(in, 1), token = shape % 6, *buffer;
	uint32_t nargs = token == 1 ? 3 : 1, nret = token == 2 ? 3 : 1;
	uint64_t at = fuzz_number(in);

	if (shape & 0x80)
		nargs = (uint32_t)fuzz_take(in, 4);
	if (shape & 0x40)
		nret = (uint32_t)fuzz_take(in, 4);
	buffer = at <= FUZZ_MEM - 24 ? f->mem + at : NULL;
	if (buffer) {
		st_be32(buffer, token);
		st_be32(buffer + 4, nargs);
		st_be32(buffer + 8, nret);
		st_be32(buffer + 12, FUZZ_IRQ + (uint32_t)fuzz_take(in, 1) % (FUZZ_IRQS + 1));
		st_be32(buffer + 16, (uint32_t)fuzz_take(in, 1) % (FUZZ_VCPUS + 1));
		st_be32(buffer + 20, (uint32_t)fuzz_number(in));
	}
	p9_regs(v->vcpu.cpu)->gpr[3] = H_RTAS;
	p9_regs(v->vcpu.cpu)->gpr[4] = at;
	ppc_hcall(v);
	v->pending = PPC_PENDING_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_vm f;
	struct fuzz_input in = {data, size};

	fuzz_vm_begin(&f, enable_all);
	for (unsigned step = 0; in.size && step < MAX_STEPS; step++) {
		switch (fuzz_take(&in, 1) % 8) {
		case 0: { /* the guest writes its memory */
			uint64_t at = fuzz_take(&in, 3) % (FUZZ_MEM - 8);
			uint64_t value = fuzz_take(&in, 8);

			memcpy(f.mem + at, &value, sizeof(value));
			break;
		}
		case 1: {
			struct kvm_irq_level l = {.irq = FUZZ_IRQ +
							 (uint32_t)fuzz_take(&in, 1) % FUZZ_IRQS};

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
		case 4:
			rtas(&f, &in);
			break;
		default:
			hcall(&f, &in);
			break;
		}
	}
	return 0;
}
