#include "kvm/lock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int kvm_lock_init(struct kvm_lock *l, enum kvm_lock_rank rank)
{
	l->rank = rank;
	atomic_init(&l->waiting, 0);
	atomic_init(&l->turns, 0);
	return pthread_mutex_init(&l->m, NULL) ? -ENOMEM : 0;
}

void kvm_lock_destroy(struct kvm_lock *l)
{
	pthread_mutex_destroy(&l->m);
}

int kvm_rwlock_init(struct kvm_rwlock *l, enum kvm_lock_rank rank)
{
	pthread_rwlockattr_t attr;
	int err;

	l->rank = rank;
	if (pthread_rwlockattr_init(&attr))
		return -ENOMEM;
#ifdef PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP
	/* Slot changes must not starve under vCPUs that fault all the time. */
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
	err = pthread_rwlock_init(&l->l, &attr);
	pthread_rwlockattr_destroy(&attr);
	return err ? -ENOMEM : 0;
}

void kvm_rwlock_destroy(struct kvm_rwlock *l)
{
	pthread_rwlock_destroy(&l->l);
}

#ifdef KVM_LOCK_CHECK
static _Thread_local unsigned held[KVM_RANKS];

void kvm_lock_check_acquire(enum kvm_lock_rank rank)
{
	for (unsigned r = rank; r < KVM_RANKS; r++) {
		if (held[r]) {
			fprintf(stderr, "kvm: lock of rank %u taken while holding one of rank %u\n",
				(unsigned)rank, r);
			abort();
		}
	}
	held[rank]++;
}

void kvm_lock_check_release(enum kvm_lock_rank rank)
{
	held[rank]--;
}
#endif
