/*
 * The KVM API's entry (kvm.h): the descriptor table, the choice of handler by a descriptor's kind,
 * and the kick.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "kvm/internal.h"

/* From an architecture's request number to the common encoding; 0 for what is not KVM's. */
static uint32_t canonical_request(enum kvm_guest_arch arch, uint64_t request)
{
	uint32_t dir, size, ppc_dir;

	if (request > UINT32_MAX || ((request >> 8) & 0xff) != KVM_IOC_TYPE)
		return 0;
	if (arch != KVM_GUEST_PPC64)
		return (uint32_t)request;
	ppc_dir = (uint32_t)request >> 29;
	size = ((uint32_t)request >> 16) & 0x1fff;
	switch (ppc_dir) {
	case 1:
		dir = KVM_IOC_DIR_NONE;
		break;
	case 2:
		dir = KVM_IOC_DIR_READ;
		break;
	case 4:
		dir = KVM_IOC_DIR_WRITE;
		break;
	case 6:
		dir = KVM_IOC_DIR_READ | KVM_IOC_DIR_WRITE;
		break;
	default:
		return 0;
	}
	return dir << 30 | size << 16 | ((uint32_t)request & 0xffff);
}

int kvm_file_install(struct kvm *k, enum kvm_file_kind kind, struct kvm_vm *vm,
		     struct kvm_vcpu *vcpu, struct kvm_device *device)
{
	struct kvm_file *f = calloc(1, sizeof(*f));
	int fd;

	if (!f)
		return -ENOMEM;
	f->kind = kind;
	f->refs = 1;
	f->vm = vm;
	f->vcpu = vcpu;
	f->device = device;
	kvm_lock(&k->lock);
	for (fd = KVM_FIRST_FILE; fd < KVM_MAX_FILES; fd++) {
		if (!atomic_load_explicit(&k->file[fd], memory_order_relaxed))
			break;
	}
	if (fd < KVM_MAX_FILES)
		atomic_store(&k->file[fd], f);
	kvm_unlock(&k->lock);
	if (fd == KVM_MAX_FILES) {
		free(f);
		return -EMFILE;
	}
	return fd;
}

struct kvm_file *kvm_file_get(struct kvm *k, int fd)
{
	struct kvm_file *f;

	if (fd < 0 || fd >= KVM_MAX_FILES)
		return NULL;
	kvm_lock(&k->lock);
	f = atomic_load_explicit(&k->file[fd], memory_order_relaxed);
	if (f)
		f->refs++;
	kvm_unlock(&k->lock);
	return f;
}

void kvm_file_put(struct kvm *k, struct kvm_file *f)
{
	bool last;

	kvm_lock(&k->lock);
	last = --f->refs == 0;
	kvm_unlock(&k->lock);
	if (!last)
		return;
	/*
	 * A vCPU lives as long as its VM, and so does a device (vCPUs point to the interrupt
	 * controller); only the VM is counted.
	 */
	if (f->vm)
		kvm_vm_put(f->vm);
	free(f);
}

static int api_close(struct kvm *k, int fd)
{
	struct kvm_file *f;

	if (fd < 0 || fd >= KVM_MAX_FILES)
		return -EBADF;
	kvm_lock(&k->lock);
	f = atomic_exchange(&k->file[fd], NULL);
	kvm_unlock(&k->lock);
	if (!f)
		return -EBADF;
	/* Whoever found the entry before it went may still be using it. */
	while (atomic_load(&k->kickers))
		sched_yield();
	kvm_file_put(k, f);
	return 0;
}

static int api_open(enum kvm_guest_arch arch, struct kvm **out)
{
	const struct kvm_arch_ops *ops = kvm_arch_find(arch);
	struct kvm *k;
	int fd;

	*out = NULL;
	if (!ops)
		return -ENOENT;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->arch = ops;
	if (kvm_lock_init(&k->lock, KVM_RANK_FILES)) {
		free(k);
		return -ENOMEM;
	}
	fd = kvm_file_install(k, KVM_FILE_SYSTEM, NULL, NULL, NULL);
	if (fd < 0) {
		kvm_lock_destroy(&k->lock);
		free(k);
		return fd;
	}
	*out = k;
	return fd;
}

static int api_ioctl(struct kvm *k, int fd, uint64_t request, void *arg)
{
	uint32_t req = canonical_request(k->arch->arch, request);
	struct kvm_file *f = kvm_file_get(k, fd);
	int ret = -ENOTTY;

	if (!f)
		return -EBADF;
	switch (f->kind) {
	case KVM_FILE_SYSTEM:
		ret = kvm_system_ioctl(k, req, arg);
		break;
	case KVM_FILE_VM:
		ret = kvm_vm_ioctl(f->vm, req, arg);
		break;
	case KVM_FILE_VCPU:
		ret = req ? kvm_vcpu_ioctl(f->vcpu, req, arg) : -EINVAL;
		break;
	case KVM_FILE_DEVICE:
		ret = kvm_device_ioctl(f->device, req, arg);
		break;
	case KVM_FILE_STATS:
		break;
	}
	kvm_file_put(k, f);
	return ret;
}

static int64_t api_pread(struct kvm *k, int fd, void *buf, size_t size, uint64_t offset)
{
	struct kvm_file *f = kvm_file_get(k, fd);
	int64_t ret = -EINVAL;

	if (!f)
		return -EBADF;
	if (f->kind == KVM_FILE_STATS)
		ret = kvm_stats_pread(f->vm, f->vcpu, buf, size, offset);
	kvm_file_put(k, f);
	return ret;
}

static void *api_map_run(struct kvm *k, int vcpu_fd, size_t size, int *err)
{
	struct kvm_file *f = kvm_file_get(k, vcpu_fd);
	void *run = NULL;

	if (!f) {
		*err = -EBADF;
		return NULL;
	}
	if (f->kind != KVM_FILE_VCPU)
		*err = -ENODEV;
	else if (!size || size > KVM_RUN_AREA_SIZE)
		*err = -EINVAL;
	else
		run = f->vcpu->run;
	kvm_file_put(k, f);
	return run;
}

static void api_destroy(struct kvm *k)
{
	if (!k)
		return;
	/* vCPUs and devices before their VMs, though the order does not matter to the counts. */
	for (int fd = KVM_MAX_FILES - 1; fd >= 0; fd--)
		api_close(k, fd);
	kvm_lock_destroy(&k->lock);
	free(k);
}

static void api_kick(struct kvm *k, int vcpu_fd)
{
	struct kvm_file *f;

	if (vcpu_fd < 0 || vcpu_fd >= KVM_MAX_FILES)
		return;
	atomic_fetch_add(&k->kickers, 1);
	f = atomic_load(&k->file[vcpu_fd]);
	if (f && f->kind == KVM_FILE_VCPU)
		kvm_vcpu_kick(f->vcpu);
	atomic_fetch_sub(&k->kickers, 1);
}

static void api_tune(struct kvm *k, const struct kvm_tuning *t)
{
	k->tuning = *t;
}

static uint64_t api_timebase(struct kvm *k)
{
	return k->arch->timebase ? k->arch->timebase() : 0;
}

const struct kvm_backend kvm_backend_anykvm = {
	.name = "anykvm",
	.open = api_open,
	.tune = api_tune,
	.ioctl = api_ioctl,
	.map_run = api_map_run,
	.pread = api_pread,
	.timebase = api_timebase,
	.close = api_close,
	.destroy = api_destroy,
	.kick = api_kick,
};
