/*
 * KVM_IRQFD and KVM_IOEVENTFD: an eventfd that raises an interrupt source, and one that a guest's
 * store to a device address signals without leaving KVM_RUN.
 *
 * The kernel hooks into the eventfd's wait queue; here one thread per VM, started with the first
 * irqfd, waits for all of them. Descriptors are duplicated, so that the caller may close its own;
 * they are identified by the caller's number, as it gives it again to deassign.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kvm/internal.h"

struct irqfd {
	int caller_fd;
	int fd;
	uint32_t gsi;
	struct irqfd *next;
};

struct ioeventfd {
	int caller_fd;
	int fd;
	uint64_t addr;
	uint32_t len; /* 0: any */
	bool match;
	uint64_t datamatch;
	struct ioeventfd *next;
};

struct kvm_eventfds {
	struct kvm_vm *vm;
	struct kvm_lock lock;
	struct irqfd *irqfds;
	struct ioeventfd *ioeventfds;
	_Atomic uint32_t nr_ioeventfds;
	int epoll;
	int stop; /* eventfd that ends the thread */
	bool started;
	pthread_t thread;
};

/* Descriptor -> own duplicate: -EBADF, -EINVAL when it is not an eventfd. */
static int dup_eventfd(int fd)
{
	char path[32], target[32];
	ssize_t n;
	int own = dup(fd);

	if (own < 0)
		return errno == EBADF ? -EBADF : -EMFILE;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", own);
	n = readlink(path, target, sizeof(target) - 1);
	if (n >= 0) {
		target[n] = '\0';
		if (strcmp(target, "anon_inode:[eventfd]")) {
			close(own);
			return -EINVAL;
		}
	}
	return own;
}

/* vm->eventfds, made on first use. NULL: no memory. vm.lock held. */
static struct kvm_eventfds *eventfds_of(struct kvm_vm *vm)
{
	struct kvm_eventfds *e = vm->eventfds;

	if (e)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->vm = vm;
	e->epoll = -1;
	e->stop = -1;
	if (kvm_lock_init(&e->lock, KVM_RANK_EVENTFD)) {
		free(e);
		return NULL;
	}
	__atomic_store_n(&vm->eventfds, e, __ATOMIC_RELEASE);
	return e;
}

/* The descriptor was readable: take its count, and its interrupt's number. */
static bool irqfd_consume(struct kvm_eventfds *e, int fd, uint32_t *gsi)
{
	bool fired = false;

	kvm_lock(&e->lock);
	for (struct irqfd *i = e->irqfds; i; i = i->next) {
		uint64_t count;
		struct iovec iov = {.iov_base = &count, .iov_len = sizeof(count)};
		ssize_t n;

		if (i->fd != fd)
			continue;
		/* Somebody else may have taken it: do not wait. */
		n = preadv2(fd, &iov, 1, -1, RWF_NOWAIT);
		if (n < 0 && errno == EOPNOTSUPP)
			n = read(fd, &count, sizeof(count));
		fired = n == sizeof(count);
		*gsi = i->gsi;
		break;
	}
	kvm_unlock(&e->lock);
	return fired;
}

static void *irqfd_thread(void *arg)
{
	struct kvm_eventfds *e = arg;
	struct epoll_event events[16];

	for (;;) {
		int n = epoll_wait(e->epoll, events, ARRAY_SIZE(events), -1);

		for (int i = 0; i < n; i++) {
			uint32_t gsi;

			if (events[i].data.fd == e->stop)
				return NULL;
			if (!irqfd_consume(e, events[i].data.fd, &gsi))
				continue;
			/* A pulse: edges count the rising one, level sources see both. */
			e->vm->arch->irq_line(e->vm, gsi, 1);
			e->vm->arch->irq_line(e->vm, gsi, 0);
		}
		if (n < 0 && errno != EINTR)
			return NULL;
	}
}

static int epoll_add(int epoll, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static int irqfd_start(struct kvm_eventfds *e)
{
	sigset_t all, old;
	int ret;

	if (e->started)
		return 0;
	if (e->epoll < 0)
		e->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (e->stop < 0) {
		e->stop = eventfd(0, EFD_CLOEXEC);
		if (e->epoll >= 0 && e->stop >= 0) {
			ret = epoll_add(e->epoll, e->stop);
			if (ret)
				return ret;
		}
	}
	if (e->epoll < 0 || e->stop < 0)
		return -EMFILE;
	/* The caller's signals are for the caller's threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(&e->thread, NULL, irqfd_thread, e);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret)
		return -ENOMEM;
	e->started = true;
	return 0;
}

static int irqfd_assign(struct kvm_eventfds *e, const struct kvm_irqfd *args)
{
	struct irqfd *i;
	int ret, fd;

	for (i = e->irqfds; i; i = i->next) {
		if (i->caller_fd == (int)args->fd)
			return -EBUSY;
	}
	fd = dup_eventfd((int)args->fd);
	if (fd < 0)
		return fd;
	ret = -ENOMEM;
	i = calloc(1, sizeof(*i));
	if (!i)
		goto fail;
	ret = irqfd_start(e);
	if (ret)
		goto fail;
	*i = (struct irqfd){.caller_fd = (int)args->fd, .fd = fd, .gsi = args->gsi};
	i->next = e->irqfds;
	e->irqfds = i;
	ret = epoll_add(e->epoll, fd);
	if (!ret)
		return 0;
	e->irqfds = i->next;
fail:
	free(i);
	close(fd);
	return ret;
}

static void irqfd_deassign(struct kvm_eventfds *e, const struct kvm_irqfd *args)
{
	for (struct irqfd **p = &e->irqfds; *p; p = &(*p)->next) {
		struct irqfd *i = *p;

		if (i->caller_fd != (int)args->fd || i->gsi != args->gsi)
			continue;
		*p = i->next;
		epoll_ctl(e->epoll, EPOLL_CTL_DEL, i->fd, NULL);
		close(i->fd);
		free(i);
		return;
	}
}

int kvm_irqfd(struct kvm_vm *vm, const struct kvm_irqfd *args)
{
	struct kvm_eventfds *e;
	int ret = 0;

	/* Resampling needs the interrupt controller to report ends of interrupts: not offered. */
	if (args->flags & ~KVM_IRQFD_FLAG_DEASSIGN || !vm->arch->irq_line)
		return -EINVAL;
	kvm_lock(&vm->lock);
	e = eventfds_of(vm);
	if (!e) {
		kvm_unlock(&vm->lock);
		return -ENOMEM;
	}
	kvm_lock(&e->lock);
	if (args->flags & KVM_IRQFD_FLAG_DEASSIGN)
		irqfd_deassign(e, args);
	else
		ret = irqfd_assign(e, args);
	kvm_unlock(&e->lock);
	kvm_unlock(&vm->lock);
	return ret;
}

static int ioeventfd_assign(struct kvm_eventfds *e, const struct kvm_ioeventfd *args)
{
	bool match = args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH;
	struct ioeventfd *i;
	int fd;

	for (i = e->ioeventfds; i; i = i->next) {
		if (i->addr == args->addr &&
		    (!i->len || !args->len ||
		     (i->len == args->len &&
		      (!i->match || !match || i->datamatch == args->datamatch))))
			return -EEXIST;
	}
	fd = dup_eventfd(args->fd);
	if (fd < 0)
		return fd;
	i = calloc(1, sizeof(*i));
	if (!i) {
		close(fd);
		return -ENOMEM;
	}
	*i = (struct ioeventfd){.caller_fd = args->fd,
				.fd = fd,
				.addr = args->addr,
				.len = args->len,
				.match = match,
				.datamatch = args->datamatch};
	i->next = e->ioeventfds;
	e->ioeventfds = i;
	atomic_fetch_add(&e->nr_ioeventfds, 1);
	return 0;
}

static int ioeventfd_deassign(struct kvm_eventfds *e, const struct kvm_ioeventfd *args)
{
	bool match = args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH;

	for (struct ioeventfd **p = &e->ioeventfds; *p; p = &(*p)->next) {
		struct ioeventfd *i = *p;

		if (i->caller_fd != args->fd || i->addr != args->addr || i->len != args->len ||
		    i->match != match || (match && i->datamatch != args->datamatch))
			continue;
		*p = i->next;
		close(i->fd);
		free(i);
		atomic_fetch_sub(&e->nr_ioeventfds, 1);
		return 0;
	}
	return -ENOENT;
}

int kvm_ioeventfd(struct kvm_vm *vm, const struct kvm_ioeventfd *args)
{
	struct kvm_eventfds *e;
	int ret;

	if (args->len > 8 || (args->len & (args->len - 1)))
		return -EINVAL;
	if (args->addr + args->len < args->addr)
		return -EINVAL;
	if (args->flags & ~(KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_DEASSIGN))
		return -EINVAL;
	if (!args->len && (args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH))
		return -EINVAL;
	kvm_lock(&vm->lock);
	e = eventfds_of(vm);
	if (!e) {
		kvm_unlock(&vm->lock);
		return -ENOMEM;
	}
	kvm_lock(&e->lock);
	if (args->flags & KVM_IOEVENTFD_FLAG_DEASSIGN)
		ret = ioeventfd_deassign(e, args);
	else
		ret = ioeventfd_assign(e, args);
	kvm_unlock(&e->lock);
	kvm_unlock(&vm->lock);
	return ret;
}

bool kvm_ioeventfd_write(struct kvm_vm *vm, gpa_t gpa, uint32_t len, uint64_t value)
{
	struct kvm_eventfds *e = __atomic_load_n(&vm->eventfds, __ATOMIC_ACQUIRE);
	bool taken = false;

	if (!e || !atomic_load(&e->nr_ioeventfds))
		return false;
	kvm_lock(&e->lock);
	for (struct ioeventfd *i = e->ioeventfds; i; i = i->next) {
		if (i->addr != gpa.v || (i->len && i->len != len) ||
		    (i->match && i->datamatch != value))
			continue;
		eventfd_write(i->fd, 1);
		taken = true;
		break;
	}
	kvm_unlock(&e->lock);
	return taken;
}

void kvm_eventfd_fini(struct kvm_vm *vm)
{
	struct kvm_eventfds *e = vm->eventfds;

	if (!e)
		return;
	if (e->started) {
		eventfd_write(e->stop, 1);
		pthread_join(e->thread, NULL);
	}
	while (e->irqfds) {
		struct irqfd *i = e->irqfds;

		e->irqfds = i->next;
		close(i->fd);
		free(i);
	}
	while (e->ioeventfds) {
		struct ioeventfd *i = e->ioeventfds;

		e->ioeventfds = i->next;
		close(i->fd);
		free(i);
	}
	if (e->epoll >= 0)
		close(e->epoll);
	if (e->stop >= 0)
		close(e->stop);
	kvm_lock_destroy(&e->lock);
	free(e);
	vm->eventfds = NULL;
}
