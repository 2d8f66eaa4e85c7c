/*
 * The host's /dev/kvm as a backend, for guests of the host's own architecture.
 *
 * A kick has to end KVM_RUN, or the next one if the vCPU is not in it. immediate_exit covers
 * the time before the guest is entered; a signal to the vCPU's thread the time after. (The signal
 * alone would be lost if it came just before the ioctl.)
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kvm/abi/kvm.h"
#include "vmm/vmm.h"

#define KICK_SIGNAL (SIGRTMIN + 1)

struct dev_vcpu {
	int fd;
	struct kvm_run *run;
	size_t size;
	_Atomic bool in_run;
	pthread_t thread; /* valid while in_run */
};

#define MAX_VCPUS 1024

struct kvm {
	enum kvm_guest_arch arch;
	int sys_fd;
	/* Filled before the vCPU's thread starts, never shrunk: read without a lock. */
	struct dev_vcpu *vcpus[MAX_VCPUS];
	_Atomic unsigned nr_vcpus;
};

static bool host_runs(enum kvm_guest_arch arch)
{
	struct utsname u;

	if (uname(&u))
		return false;
	switch (arch) {
	case KVM_GUEST_PPC64:
		return !strncmp(u.machine, "ppc64", 5);
	case KVM_GUEST_X86_64:
		return !strcmp(u.machine, "x86_64");
	case KVM_GUEST_S390X:
		return !strcmp(u.machine, "s390x");
	}
	return false;
}

static void on_kick(int sig)
{
	(void)sig; /* its arrival interrupts the ioctl */
}

static int dev_open(enum kvm_guest_arch arch, struct kvm **out)
{
	struct sigaction sa = {.sa_handler = on_kick};
	struct kvm *k;
	int fd;

	if (!host_runs(arch))
		return -ENODEV;
	fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	k = calloc(1, sizeof(*k));
	if (!k) {
		close(fd);
		return -ENOMEM;
	}
	sigemptyset(&sa.sa_mask);
	sigaction(KICK_SIGNAL, &sa, NULL);
	k->arch = arch;
	k->sys_fd = fd;
	*out = k;
	return fd;
}

static struct dev_vcpu *find_vcpu(struct kvm *k, int fd)
{
	unsigned n = atomic_load(&k->nr_vcpus);

	for (unsigned i = 0; i < n; i++)
		if (k->vcpus[i]->fd == fd)
			return k->vcpus[i];
	return NULL;
}

static int dev_run(struct kvm *k, struct dev_vcpu *v, unsigned long request)
{
	sigset_t kick;
	int ret;

	(void)k;
	/* Threads are created with all signals blocked. */
	sigemptyset(&kick);
	sigaddset(&kick, KICK_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
	v->thread = pthread_self();
	atomic_store(&v->in_run, true);
	ret = ioctl(v->fd, request, 0);
	if (ret < 0)
		ret = -errno;
	atomic_store(&v->in_run, false);
	if (ret == -EINTR)
		__atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	return ret;
}

static int dev_ioctl(struct kvm *k, int fd, uint64_t request, void *arg)
{
	struct dev_vcpu *v;
	int ret;

	if (request == kvm_request(k->arch, KVM_RUN)) {
		v = find_vcpu(k, fd);
		if (v)
			return dev_run(k, v, (unsigned long)request);
	}
	ret = ioctl(fd, (unsigned long)request, arg);
	return ret < 0 ? -errno : ret;
}

static uint64_t dev_timebase(struct kvm *k)
{
	uint64_t tb = 0;

	(void)k;
#if defined(__powerpc64__)
	/* SPR 268, as a guest reads it that has no offset. */
	__asm__ volatile("mfspr %0,268" : "=r"(tb));
#endif
	return tb;
}

static int64_t dev_pread(struct kvm *k, int fd, void *buf, size_t size, uint64_t offset)
{
	ssize_t n = pread(fd, buf, size, (off_t)offset);

	(void)k;
	return n < 0 ? -errno : n;
}

static void *dev_map_run(struct kvm *k, int vcpu_fd, size_t size, int *err)
{
	unsigned n = atomic_load(&k->nr_vcpus);
	struct dev_vcpu *v;

	*err = -ENOMEM;
	if (n == MAX_VCPUS)
		return NULL;
	v = calloc(1, sizeof(*v));
	if (!v)
		return NULL;
	v->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu_fd, 0);
	if (v->run == MAP_FAILED) {
		*err = -errno;
		free(v);
		return NULL;
	}
	v->fd = vcpu_fd;
	v->size = size;
	k->vcpus[n] = v;
	atomic_store(&k->nr_vcpus, n + 1);
	*err = 0;
	return v->run;
}

static int dev_close(struct kvm *k, int fd)
{
	struct dev_vcpu *v = find_vcpu(k, fd);

	if (v && v->run) {
		munmap(v->run, v->size);
		v->run = NULL;
		v->fd = -1;
	}
	return close(fd) ? -errno : 0;
}

static void dev_destroy(struct kvm *k)
{
	for (unsigned i = 0; i < k->nr_vcpus; i++)
		free(k->vcpus[i]);
	close(k->sys_fd);
	free(k);
}

static void dev_kick(struct kvm *k, int vcpu_fd)
{
	struct dev_vcpu *v = find_vcpu(k, vcpu_fd);

	if (!v)
		return;
	__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	if (atomic_load(&v->in_run))
		pthread_kill(v->thread, KICK_SIGNAL);
}

const struct kvm_backend kvm_backend_devkvm = {
	.name = "kvm",
	.open = dev_open,
	.ioctl = dev_ioctl,
	.map_run = dev_map_run,
	.pread = dev_pread,
	.timebase = dev_timebase,
	.close = dev_close,
	.destroy = dev_destroy,
	.kick = dev_kick,
};

bool devkvm_usable(enum kvm_guest_arch arch)
{
	return host_runs(arch) && !access("/dev/kvm", R_OK | W_OK);
}
