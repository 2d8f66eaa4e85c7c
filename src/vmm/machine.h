/*
 * Machine models: what a virtual machine looks like to its guest. A model is a table of
 * functions; the machines that exist are listed in machine.c, in no other place.
 */
#ifndef ANYKVM_VMM_MACHINE_H
#define ANYKVM_VMM_MACHINE_H

#include <stddef.h>
#include <stdint.h>
#include "kvm/kvm.h"
#include "util/error.h"

struct save_cursor;
struct save_reader;
struct save_writer;
struct vm;
struct vcpu;

struct machine {
	const char *name;      /* "pseries" */
	const char *arch_name; /* as --arch takes it: "ppc64le" */
	const char *description;
	enum kvm_guest_arch arch;
	uint16_t elf_machine;
	uint8_t elf_data; /* ELFDATA2LSB or ELFDATA2MSB: the kernels' byte order */
	uint64_t memory_unit; /* guest memory is a multiple of this */
	unsigned max_threads; /* per core */

	/*
	 * What outlives a reset of the machine (battery-backed memory). *keep is NULL at first;
	 * free releases it. -ENOMEM.
	 */
	int (*keep_create)(void **keep, struct error *e);
	void (*keep_destroy)(void *keep);

	/*
	 * On a VM with memory but no vCPUs: create vCPUs (vcpu_create) and devices. On error the
	 * VM is destroyed with what there is. Called before any vCPU's thread runs. -E2BIG if the
	 * configuration asks for more than machine or hypervisor have; any other error is theirs.
	 */
	int (*create)(struct vm *vm, struct error *e);
	/* Free what create made; the vCPUs' threads are gone, their descriptors not yet. */
	void (*destroy)(struct vm *vm);

	/*
	 * Put kernel, initial RAM disk and firmware tables into memory and the first vCPU at the
	 * kernel's entry. -EREMOTEIO if the hypervisor refused something, -ENOMEM of the host,
	 * -E2BIG as above (a command line too long); any other error is that of an image.
	 */
	int (*load)(struct vm *vm, struct error *e);

	/*
	 * Write what of the VM is neither configuration nor memory as sections (save.h), vCPUs held.
	 * -errno.
	 */
	int (*save)(struct vm *vm, struct save_writer *w, struct error *e);
	/* Take such a section into a VM that has not run; then, that was all. As restore_vm. */
	int (*restore)(struct vm *vm, struct save_reader *r, uint32_t tag, struct save_cursor *c,
		       struct error *e);
	int (*restored)(struct vm *vm, struct save_reader *r, struct error *e);

	/* Where a vCPU is, for a message: some registers as text. NULL if it cannot tell. */
	void (*describe)(struct vcpu *v, char *text, size_t size);

	/* KVM_EXIT_PAPR_HCALL: on the vCPU's thread; results go to v->run. NULL if there are none.
	 */
	void (*hypercall)(struct vcpu *v);
};

extern const struct machine machine_pseries;

/* The i-th machine, NULL behind the last. */
const struct machine *machine_at(unsigned i);

/* By --arch's name; NULL if there is none. */
const struct machine *machine_by_arch(const char *arch_name);

/* By the machine number of an ELF header; NULL if there is none. */
const struct machine *machine_by_elf(uint16_t elf_machine);

#endif
