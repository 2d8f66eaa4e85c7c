/*
 * vCPUs: creation, KVM_RUN's common part, requests, blocking and kicks.
 *
 * A kick is what a signal is to the kernel's KVM. It sets `kicked`, has the processor leave guest
 * code, and wakes a vCPU that is blocked (futex, since a condition variable must not be used
 * in a signal handler); the vCPU's loop consumes it.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kvm/internal.h"

/* Signals are numbered from 1; the ABI's set is the kernel's, 64 of them. */
#define KERNEL_SIGSET_SIZE 8

void kvm_vcpu_destroy(struct kvm_vcpu *vcpu)
{
	vcpu->vm->arch->vcpu_fini(vcpu);
	if (vcpu->cpu)
		cpu_destroy(vcpu->cpu);
	if (vcpu->run)
		munmap(vcpu->run, KVM_RUN_AREA_SIZE);
	kvm_lock_destroy(&vcpu->mutex);
	free(vcpu);
}

static struct kvm_vcpu *vcpu_alloc(struct kvm_vm *vm, uint32_t id)
{
	struct kvm_vcpu *vcpu = calloc(1, vm->arch->vcpu_size);

	if (!vcpu)
		return NULL;
	vcpu->vm = vm;
	vcpu->id = id;
	if (kvm_lock_init(&vcpu->mutex, KVM_RANK_VCPU)) {
		free(vcpu);
		return NULL;
	}
	vcpu->run = mmap(NULL, KVM_RUN_AREA_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vcpu->run == MAP_FAILED)
		vcpu->run = NULL;
	else
		vcpu->cpu = cpu_create(vm->system);
	if (!vcpu->cpu) {
		kvm_vcpu_destroy(vcpu);
		return NULL;
	}
	return vcpu;
}

int kvm_vcpu_create(struct kvm_vm *vm, uint64_t id)
{
	struct kvm_vcpu *vcpu;
	uint32_t n;
	int ret;

	if (id >= KVM_MAX_VCPU_IDS)
		return -EINVAL;
	kvm_lock(&vm->lock);
	n = atomic_load(&vm->nr_vcpus);
	ret = -EEXIST;
	if (kvm_find_vcpu(vm, id))
		goto out;
	ret = -EINVAL;
	if (n == KVM_MAX_VCPUS)
		goto out;
	ret = -ENOMEM;
	vcpu = vcpu_alloc(vm, (uint32_t)id);
	if (!vcpu)
		goto out;
	vcpu->index = n;
	ret = vm->arch->vcpu_init(vcpu);
	if (ret) {
		kvm_vcpu_destroy(vcpu);
		goto out;
	}
	kvm_vm_get(vm);
	ret = kvm_file_install(vm->kvm, KVM_FILE_VCPU, vm, vcpu, NULL);
	if (ret < 0) {
		kvm_vm_put(vm); /* the caller's descriptor holds another */
		kvm_vcpu_destroy(vcpu);
		goto out;
	}
	atomic_store_explicit(&vm->vcpu_by_id[id], vcpu, memory_order_release);
	atomic_store(&vm->vcpu[n], vcpu);
	atomic_store(&vm->nr_vcpus, n + 1);
out:
	kvm_unlock(&vm->lock);
	return ret;
}

/* --- requests, kicks, blocking --- */

static long futex(_Atomic uint32_t *word, int op, uint32_t value, const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, timeout, NULL, 0);
}

void kvm_vcpu_wake(struct kvm_vcpu *vcpu)
{
	int saved = errno;

	/* Either this sees `blocked`, or the futex sees the new sequence number and does not wait.
	 */
	atomic_fetch_add(&vcpu->wake_seq, 1);
	if (!atomic_load(&vcpu->blocked))
		return;
	futex(&vcpu->wake_seq, FUTEX_WAKE, INT_MAX, NULL);
	errno = saved;
}

void kvm_vcpu_kick(struct kvm_vcpu *vcpu)
{
	atomic_store(&vcpu->kicked, true);
	cpu_kick(vcpu->cpu);
	kvm_vcpu_wake(vcpu);
}

void kvm_make_request(struct kvm_vcpu *vcpu, uint32_t request)
{
	atomic_fetch_or(&vcpu->requests, request);
	cpu_kick(vcpu->cpu);
	kvm_vcpu_wake(vcpu);
}

bool kvm_check_request(struct kvm_vcpu *vcpu, uint32_t request)
{
	if (!(atomic_load_explicit(&vcpu->requests, memory_order_relaxed) & request))
		return false;
	return atomic_fetch_and(&vcpu->requests, ~request) & request;
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void kvm_vcpu_block(struct kvm_vcpu *vcpu, uint32_t seq, int64_t timeout_ns)
{
	struct timespec ts = {.tv_sec = timeout_ns / 1000000000,
			      .tv_nsec = timeout_ns % 1000000000};
	uint64_t start;

	if (timeout_ns <= 0)
		return;
	count(&vcpu->stat.halts);
	start = clock_ns();
	atomic_store(&vcpu->blocked, true);
	atomic_thread_fence(memory_order_seq_cst);
	futex(&vcpu->wake_seq, FUTEX_WAIT, seq, timeout_ns == INT64_MAX ? NULL : &ts);
	atomic_store(&vcpu->blocked, false);
	count_by(&vcpu->stat.halt_wait_ns, clock_ns() - start);
}

/*
 * KVM_SET_SIGNAL_MASK: is a signal pending for this thread that the mask lets through? It
 * stays pending, for the caller to take when KVM_RUN has returned.
 */
static bool signal_pending(const struct kvm_vcpu *vcpu)
{
	sigset_t pending;

	if (!vcpu->sigmask_set || sigpending(&pending))
		return false;
	for (int sig = 1; sig <= 8 * KERNEL_SIGSET_SIZE; sig++) {
		if (sigismember(&pending, sig) == 1 && sigismember(&vcpu->sigmask, sig) == 0)
			return true;
	}
	return false;
}

bool kvm_vcpu_interrupted(struct kvm_vcpu *vcpu)
{
	if (atomic_load_explicit(&vcpu->kicked, memory_order_relaxed) &&
	    atomic_exchange(&vcpu->kicked, false))
		return true;
	return signal_pending(vcpu);
}

/* --- ioctls --- */

static int vcpu_ioctl_run(struct kvm_vcpu *vcpu, void *arg)
{
	struct kvm_vcpu_stat *stat = &vcpu->stat;
	int ret;

	if (arg)
		return -EINVAL;
	if (atomic_load(&vcpu->vm->bugged))
		return -EIO;
	count(&stat->runs);
	ret = vcpu->vm->arch->vcpu_run(vcpu);
	if (ret == -EINTR)
		count(&stat->signal_exits);
	else if (!ret && vcpu->run->exit_reason < KVM_STAT_USER_EXITS)
		count(&stat->user_exit[vcpu->run->exit_reason]);
	return ret;
}

static int vcpu_ioctl_set_signal_mask(struct kvm_vcpu *vcpu, void *arg)
{
	struct kvm_signal_mask mask;
	uint64_t set;
	int ret;

	if (!arg) {
		vcpu->sigmask_set = false;
		return 0;
	}
	ret = kvm_copy_in(&mask, arg, sizeof(mask));
	if (ret)
		return ret;
	if (mask.len != KERNEL_SIGSET_SIZE)
		return -EINVAL;
	ret = kvm_copy_in(&set, (char *)arg + sizeof(mask), sizeof(set));
	if (ret)
		return ret;
	sigemptyset(&vcpu->sigmask);
	for (int sig = 1; sig <= 8 * KERNEL_SIGSET_SIZE; sig++) {
		if (set & (UINT64_C(1) << (sig - 1)))
			sigaddset(&vcpu->sigmask, sig);
	}
	vcpu->sigmask_set = true;
	return 0;
}

static int vcpu_ioctl_enable_cap(struct kvm_vcpu *vcpu, void *arg)
{
	struct kvm_enable_cap cap;
	int ret = kvm_copy_in(&cap, arg, sizeof(cap));

	if (ret)
		return ret;
	if (cap.flags)
		return -EINVAL;
	return vcpu->vm->arch->vcpu_enable_cap(vcpu, &cap);
}

int kvm_vcpu_ioctl(struct kvm_vcpu *vcpu, uint32_t request, void *arg)
{
	int ret = vcpu->vm->arch->vcpu_async_ioctl(vcpu, request, arg);

	if (ret != -ENOTTY)
		return ret;
	/* It needs not to wait until the vCPU leaves KVM_RUN. */
	if (request == KVM_GET_STATS_FD)
		return arg ? -EINVAL : kvm_stats_open(vcpu->vm, vcpu);
	kvm_lock(&vcpu->mutex);
	switch (request) {
	case KVM_RUN:
		ret = vcpu_ioctl_run(vcpu, arg);
		break;
	case KVM_SET_SIGNAL_MASK:
		ret = vcpu_ioctl_set_signal_mask(vcpu, arg);
		break;
	case KVM_ENABLE_CAP:
		ret = vcpu_ioctl_enable_cap(vcpu, arg);
		break;
	default:
		ret = vcpu->vm->arch->vcpu_ioctl(vcpu, request, arg);
		break;
	}
	kvm_unlock(&vcpu->mutex);
	return ret;
}
