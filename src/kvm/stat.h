/*
 * Statistics (KVM_GET_STATS_FD, api.rst 4.133): what a VM and its vCPUs count, as a descriptor that
 * describes itself.
 *
 * Each counter has one writer, the thread that is in KVM_RUN, and is counted at an exit or on
 * another slow path (util/counter.h); compiled guest code counts nothing. So a reader needs no
 * lock and never stops a vCPU, even one that is in KVM_RUN for hours.
 *
 * A descriptor's values are those of tables: of the processor and of this file's, for all
 * architectures, then of the architecture's own (kvm_arch_ops.vm_stats, .vcpu_stats).
 */
#ifndef ANYKVM_KVM_STAT_H
#define ANYKVM_KVM_STAT_H

#include <stddef.h>
#include <stdint.h>
#include "util/counter.h"

struct kvm_vm;
struct kvm_vcpu;

/* A value's name, at most KVM_STATS_NAME_SIZE - 1 characters, and its kvm_stats_desc fields. */
struct kvm_stat {
	const char *name;
	uint32_t flags;
	int16_t exponent;
};

struct kvm_stat_table {
	const struct kvm_stat *stat;
	uint32_t n;
};

#define KVM_STAT_COUNTER(n)                                                                        \
	{                                                                                          \
		.name = (n), .flags = KVM_STATS_TYPE_CUMULATIVE                                    \
	}
#define KVM_STAT_INSTANT(n)                                                                        \
	{                                                                                          \
		.name = (n), .flags = KVM_STATS_TYPE_INSTANT                                       \
	}
#define KVM_STAT_BYTES(n)                                                                          \
	{                                                                                          \
		.name = (n),                                                                       \
		.flags = KVM_STATS_TYPE_INSTANT | KVM_STATS_UNIT_BYTES | KVM_STATS_BASE_POW2       \
	}
#define KVM_STAT_NS(n)                                                                             \
	{                                                                                          \
		.name = (n),                                                                       \
		.flags =                                                                           \
			KVM_STATS_TYPE_CUMULATIVE | KVM_STATS_UNIT_SECONDS | KVM_STATS_BASE_POW10, \
		.exponent = -9                                                                     \
	}

/* Reasons of KVM_RUN's return that have counters of their own: smaller than this. */
#define KVM_STAT_USER_EXITS 32

/* What every vCPU counts. */
struct kvm_vcpu_stat {
	struct counter runs;                           /* KVM_RUN */
	struct counter signal_exits;                   /* ended by a kick or signal */
	struct counter user_exit[KVM_STAT_USER_EXITS]; /* by run->exit_reason */
	struct counter halts, halt_wait_ns;            /* blocked (kvm_vcpu_block) */
};

/* KVM_GET_STATS_FD: a descriptor or -errno. vcpu NULL: the VM's own. */
int kvm_stats_open(struct kvm_vm *vm, struct kvm_vcpu *vcpu);

/* As pread: bytes, 0 at the end, or -EFAULT, -ENOMEM. Any thread, any lock state of vCPUs. */
int64_t kvm_stats_pread(struct kvm_vm *vm, struct kvm_vcpu *vcpu, void *buf, size_t size,
			uint64_t offset);

#endif
