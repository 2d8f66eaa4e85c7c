/* The fake KVM backend. See vmm_fake.h. */
#include "vmm_fake.h"

struct fake_state fake;

struct kvm {
	int unused;
};

static struct kvm fake_kvm;

static int fake_open(enum kvm_guest_arch arch, struct kvm **out)
{
	if (arch != KVM_GUEST_PPC64)
		return -ENODEV;
	fake.opened++;
	fake.nr_vcpus = 0;
	*out = &fake_kvm;
	return FAKE_SYS;
}

static int fake_attr(uint32_t request, struct kvm_device_attr *a)
{
	uint64_t *state = (uint64_t *)(uintptr_t)a->addr;
	uint64_t i = a->attr - PSERIES_IRQ_FIRST;

	if (a->group != KVM_DEV_XICS_GRP_SOURCES || i >= FAKE_NR_IRQ)
		return -ENXIO;
	if (request == KVM_SET_DEVICE_ATTR)
		fake.sources[i] = *state;
	else
		*state = fake.sources[i];
	return 0;
}

static int fake_one_reg(struct fake_vcpu *v, uint32_t request, struct kvm_one_reg *r)
{
	void *p = (void *)(uintptr_t)r->addr;
	void *at;

	switch (r->id) {
	case KVM_REG_PPC_LPCR_64:
		at = &v->lpcr;
		break;
	case KVM_REG_PPC_ARCH_COMPAT:
		at = &v->compat;
		break;
	default:
		return -EINVAL;
	}
	if (request == KVM_SET_ONE_REG)
		memcpy(at, p, kvm_reg_size(r->id));
	else
		memcpy(p, at, kvm_reg_size(r->id));
	return 0;
}

static int fake_run(struct fake_vcpu *v, unsigned index)
{
	int ret;

	if (v->pending) {
		v->regs.gpr[3] = v->run.papr_hcall.ret;
		memcpy(&v->regs.gpr[4], v->run.papr_hcall.args, 9 * 8);
		v->pending = false;
		memset(&v->run.papr_hcall, 0, sizeof(v->run.papr_hcall));
	}
	if (v->run.immediate_exit || atomic_exchange(&v->kicked, false)) {
		v->run.exit_reason = KVM_EXIT_INTR;
		return -EINTR;
	}
	v->runs++;
	ret = fake.guest ? fake.guest(v, index) : -EINTR;
	if (!ret && v->run.exit_reason == KVM_EXIT_PAPR_HCALL)
		v->pending = true;
	return ret;
}

static int fake_vcpu_ioctl(struct fake_vcpu *v, unsigned index, uint32_t request, void *arg)
{
	struct kvm_enable_cap *cap = arg;

	switch (request) {
	case KVM_RUN:
		return fake_run(v, index);
	case KVM_GET_REGS:
		memcpy(arg, &v->regs, sizeof(v->regs));
		return 0;
	case KVM_SET_REGS:
		memcpy(&v->regs, arg, sizeof(v->regs));
		return 0;
	case KVM_GET_ONE_REG:
	case KVM_SET_ONE_REG:
		return fake_one_reg(v, request, arg);
	case KVM_ENABLE_CAP:
		if (cap->cap == KVM_CAP_IRQ_XICS)
			v->server = cap->args[1];
		return 0;
	}
	return -ENOTTY;
}

static int fake_vm_ioctl(uint32_t request, void *arg)
{
	uint64_t n = (uintptr_t)arg;
	struct kvm_ppc_rmmu_info rmmu = {
		.ap_encodings = {0x0c, 0xa0000010, 0x20000015, 0x4000001e},
	};
	struct kvm_ppc_cpu_char character = {1, 2, 3, 3};
	struct kvm_enable_cap *cap = arg;

	switch (request) {
	case KVM_CHECK_EXTENSION:
		if (n == KVM_CAP_MAX_VCPUS)
			return FAKE_VCPUS;
		return n == KVM_CAP_PPC_MMU_RADIX || n == KVM_CAP_IRQ_XICS;
	case KVM_CREATE_VCPU:
		if (fake.nr_vcpus == FAKE_VCPUS)
			return -EINVAL;
		memset(&fake.vcpus[fake.nr_vcpus], 0, sizeof(fake.vcpus[0]));
		return FAKE_VCPU + (int)fake.nr_vcpus++;
	case KVM_SET_USER_MEMORY_REGION:
		memcpy(&fake.slot, arg, sizeof(fake.slot));
		return 0;
	case KVM_CREATE_DEVICE:
		((struct kvm_create_device *)arg)->fd = FAKE_XICS;
		return 0;
	case KVM_IRQ_LINE:
		fake.pulses++;
		return 0;
	case KVM_ENABLE_CAP:
		if (cap->cap == KVM_CAP_PPC_SMT)
			fake.smt = (uint32_t)cap->args[0];
		else if (cap->cap == KVM_CAP_PPC_ENABLE_HCALL)
			fake.hcalls_enabled++;
		else
			return -EINVAL;
		return 0;
	case KVM_PPC_CONFIGURE_V3_MMU:
		memcpy(&fake.mmu, arg, sizeof(fake.mmu));
		return 0;
	case KVM_PPC_GET_RMMU_INFO:
		memcpy(arg, &rmmu, sizeof(rmmu));
		return 0;
	case KVM_PPC_GET_CPU_CHAR:
		memcpy(arg, &character, sizeof(character));
		return 0;
	}
	return -ENOTTY;
}

uint32_t fake_common(uint64_t request)
{
	uint32_t dir = (uint32_t)(request >> 29), common = 0;

	common |= dir & 2 ? KVM_IOC_DIR_READ : 0;
	common |= dir & 4 ? KVM_IOC_DIR_WRITE : 0;
	return common << 30 | (request & 0x1fffffff);
}

int fake_ioctl(struct kvm *k, int fd, uint64_t request, void *arg)
{
	uint32_t r = fake_common(request);

	(void)k;
	if (fake.fail_request && r == fake.fail_request)
		return -EPERM;
	if (fd == FAKE_SYS) {
		switch (r) {
		case KVM_GET_API_VERSION:
			return KVM_API_VERSION;
		case KVM_GET_VCPU_MMAP_SIZE:
			return sizeof(struct kvm_run);
		case KVM_CREATE_VM:
			return FAKE_VM;
		}
		return -ENOTTY;
	}
	if (fd == FAKE_VM)
		return fake_vm_ioctl(r, arg);
	if (fd == FAKE_XICS)
		return fake_attr(r, arg);
	if (fd >= FAKE_VCPU && fd < FAKE_VCPU + FAKE_VCPUS)
		return fake_vcpu_ioctl(&fake.vcpus[fd - FAKE_VCPU], (unsigned)fd - FAKE_VCPU, r,
				       arg);
	return -EBADF;
}

static void *fake_map_run(struct kvm *k, int fd, size_t size, int *err)
{
	(void)k;
	(void)size;
	*err = 0;
	return &fake.vcpus[fd - FAKE_VCPU].run;
}

static int fake_close(struct kvm *k, int fd)
{
	(void)k;
	(void)fd;
	return 0;
}

static void fake_destroy(struct kvm *k)
{
	(void)k;
	fake.destroyed++;
}

static void fake_kick(struct kvm *k, int fd)
{
	(void)k;
	atomic_store(&fake.vcpus[fd - FAKE_VCPU].kicked, true);
}

const struct kvm_backend fake_backend = {
	.name = "fake",
	.open = fake_open,
	.ioctl = fake_ioctl,
	.map_run = fake_map_run,
	.close = fake_close,
	.destroy = fake_destroy,
	.kick = fake_kick,
};

const struct vmm_config fake_config = {
	.machine = &machine_pseries,
	.backend = &fake_backend,
	.kernel_format = IMAGE_RAW,
	.append = "console=hvc0",
	.memory = UINT64_C(64) << 20,
	.cores = 1,
	.threads = 1,
};

void fake_machine_create(struct fake_machine *m, const struct vmm_config *config)
{
	struct error e;

	memset(&fake, 0, sizeof(fake));
	m->config = *config;
	assert_int_equal(pipe(m->in), 0);
	assert_int_equal(pipe(m->out), 0);
	assert_int_equal(console_create(&m->console, m->in[0], m->out[1], false, &e), 0);
	m->keep = NULL;
	assert_int_equal(machine_pseries.keep_create(&m->keep, &e), 0);
	assert_int_equal(vm_create(&m->vm, &m->config, m->console, m->keep, &e), 0);
	m->p = pseries_of(&m->vm);
}

void fake_machine_destroy(struct fake_machine *m)
{
	vm_destroy(&m->vm);
	machine_pseries.keep_destroy(m->keep);
	console_destroy(m->console, true);
	for (int i = 0; i < 2; i++) {
		close(m->in[i]);
		close(m->out[i]);
	}
}

int64_t fake_hcall(struct vm *vm, uint64_t nr, uint64_t args[9])
{
	struct vcpu *v = &vm->vcpus[0];

	v->run->exit_reason = KVM_EXIT_PAPR_HCALL;
	v->run->papr_hcall.nr = nr;
	memcpy(v->run->papr_hcall.args, args, 9 * 8);
	pseries_hypercall(v);
	memcpy(args, v->run->papr_hcall.args, 9 * 8);
	return (int64_t)v->run->papr_hcall.ret;
}
