/*
 * Mutexes that know their place in the lock order (internal.h lists it). A build with
 * KVM_LOCK_CHECK defined (all with sanitizers and the fuzz targets) stops at the first acquisition against
 * the order, whether or not it would have blocked this time.
 */
#ifndef ANYKVM_KVM_LOCK_H
#define ANYKVM_KVM_LOCK_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

/* In the order in which they may be taken. */
enum kvm_lock_rank {
	KVM_RANK_VCPU,         /* kvm_vcpu.mutex */
	KVM_RANK_VM,           /* kvm_vm.lock */
	KVM_RANK_SLOTS_CHANGE, /* kvm_vm.slots_change */
	KVM_RANK_VPA,          /* ppc_vcpu.vpa_lock */
	KVM_RANK_SLOTS,        /* kvm_vm.slots_lock */
	KVM_RANK_MMU,          /* ppc_vm.mmu_lock */
	KVM_RANK_IRQCHIP,      /* xics.lock */
	KVM_RANK_EVENTFD,      /* kvm_eventfds.lock */
	KVM_RANK_FILES,        /* kvm.lock */
	KVM_RANKS,
};

struct kvm_lock {
	pthread_mutex_t m;
	_Atomic unsigned waiting;
	_Atomic unsigned turns; /* of those who had to wait */
	enum kvm_lock_rank rank;
};

/* A reader-writer lock that lets a waiting writer go first; not to be taken recursively. */
struct kvm_rwlock {
	pthread_rwlock_t l;
	enum kvm_lock_rank rank;
};

/* 0 or -ENOMEM. */
int kvm_lock_init(struct kvm_lock *l, enum kvm_lock_rank rank);
void kvm_lock_destroy(struct kvm_lock *l);
int kvm_rwlock_init(struct kvm_rwlock *l, enum kvm_lock_rank rank);
void kvm_rwlock_destroy(struct kvm_rwlock *l);

#ifdef KVM_LOCK_CHECK
void kvm_lock_check_acquire(enum kvm_lock_rank rank);
void kvm_lock_check_release(enum kvm_lock_rank rank);
#else
static inline void kvm_lock_check_acquire(enum kvm_lock_rank rank)
{
	(void)rank;
}

static inline void kvm_lock_check_release(enum kvm_lock_rank rank)
{
	(void)rank;
}
#endif

static inline void kvm_lock(struct kvm_lock *l)
{
	kvm_lock_check_acquire(l->rank);
	if (!pthread_mutex_trylock(&l->m))
		return;
	atomic_fetch_add(&l->waiting, 1);
	pthread_mutex_lock(&l->m);
	atomic_fetch_sub(&l->waiting, 1);
	atomic_fetch_add(&l->turns, 1);
}

static inline void kvm_unlock(struct kvm_lock *l)
{
	pthread_mutex_unlock(&l->m);
	kvm_lock_check_release(l->rank);
}

/*
 * For long work in steps, of who holds the lock: let it go between two, and wait until one of those who
 * want it has had it, if there are any. A mutex alone would nearly always go back to who has just
 * unlocked it. `turns` is what kvm_lock_turns returned before the unlock.
 */
static inline unsigned kvm_lock_turns(struct kvm_lock *l)
{
	return atomic_load(&l->turns);
}

static inline void kvm_lock_give_way(struct kvm_lock *l, unsigned turns)
{
	while (atomic_load(&l->waiting) && atomic_load(&l->turns) == turns)
		sched_yield();
}

static inline void kvm_read_lock(struct kvm_rwlock *l)
{
	kvm_lock_check_acquire(l->rank);
	pthread_rwlock_rdlock(&l->l);
}

static inline void kvm_write_lock(struct kvm_rwlock *l)
{
	kvm_lock_check_acquire(l->rank);
	pthread_rwlock_wrlock(&l->l);
}

static inline void kvm_rw_unlock(struct kvm_rwlock *l)
{
	pthread_rwlock_unlock(&l->l);
	kvm_lock_check_release(l->rank);
}

#endif
