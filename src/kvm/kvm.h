/*
 * The KVM API: how a VMM reaches a hypervisor, ours or the host's.
 *
 * Requests, structures and error numbers are those of Documentation/virt/kvm/api.rst for the
 * guest's architecture, whatever the host is (abi/): a `request` is the architecture's ioctl number,
 * and `arg` what api.rst says. The host's /dev/kvm serves where host and guest architecture
 * agree (src/vmm/devkvm.c); the hypervisor of this folder serves everywhere.
 *
 * Functions return what the ioctl would, or -errno.
 */
#ifndef ANYKVM_KVM_KVM_H
#define ANYKVM_KVM_KVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One opened hypervisor; holds the descriptors that its ioctls return. */
struct kvm;

enum kvm_guest_arch { KVM_GUEST_PPC64, KVM_GUEST_X86_64, KVM_GUEST_S390X };

/* For --jit-level: from what all hosts of the architecture have to all that this one has. */
#define KVM_HOST_LEVELS 4

/* How the software processors execute. All false: as fast as they can. */
struct kvm_tuning {
	bool no_jit;      /* interpret everything */
	unsigned jit_without; /* so many levels of the host's features are not used; at most KVM_HOST_LEVELS */
	bool no_optimise; /* leave the IR as the front end made it */
	bool check_ir;    /* verify each region */
	uint64_t translation_bytes; /* what they may take of memory; 0: the default */
	bool no_twins;    /* no code is expected twice, as that of a guest's guest is */
	bool lockstep;    /* compare compiled code with the interpreter; VMs of one vCPU */
	/* Descriptors, 0 for none: where compiled code is named for perf, and shown to people. */
	int perf_map_fd, jit_dump_fd;
	/* NULL, or what gets the errno of a write there that failed, by the end of the VM. */
	int *perf_map_error, *jit_dump_error;
	bool no_nested;   /* no guest may be a hypervisor: -EPERM */
	/* One hardware thread of a core at a time may be in a nested guest. */
	bool joint_threads;
};

struct kvm_backend {
	const char *name; /* "anykvm" or "kvm" */
	/* As open("/dev/kvm"): *out and the system descriptor's number, or -errno. */
	int (*open)(enum kvm_guest_arch arch, struct kvm **out);
	/* For VMs created from now on. NULL where processors are silicon. */
	void (*tune)(struct kvm *k, const struct kvm_tuning *t);
	/* As ioctl(fd, request, arg). */
	int (*ioctl)(struct kvm *k, int fd, uint64_t request, void *arg);
	/* As mmap of a vCPU descriptor at offset 0: the struct kvm_run; -errno in *err when NULL. */
	void *(*map_run)(struct kvm *k, int vcpu_fd, size_t size, int *err);
	/*
	 * As pread of a statistics descriptor (KVM_GET_STATS_FD): bytes or -errno. Any thread. NULL
	 * if the backend has no statistics.
	 */
	int64_t (*pread)(struct kvm *k, int fd, void *buf, size_t size, uint64_t offset);
	/*
	 * The host's counter that a guest's time is an offset to (KVM_REG_PPC_TB_OFFSET), in the
	 * guest's ticks. NULL or 0: unknown. Any thread.
	 */
	uint64_t (*timebase)(struct kvm *k);
	/* As close(fd). A vCPU's descriptor also unmaps its kvm_run. */
	int (*close)(struct kvm *k, int fd);
	/* Releases everything; no thread may be inside a call. */
	void (*destroy)(struct kvm *k);
	/*
	 * Have a vCPU leave KVM_RUN as a signal would: -EINTR with KVM_EXIT_INTR. Any thread;
	 * async-signal-safe. (With the host's KVM: immediate_exit and a signal to the thread.)
	 */
	void (*kick)(struct kvm *k, int vcpu_fd);
};

/* The hypervisor written here. */
extern const struct kvm_backend kvm_backend_anykvm;

#endif
