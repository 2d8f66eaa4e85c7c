/*
 * The VMM's face to the command: describe a virtual machine, run it, learn how it ended.
 *
 * The VMM is a plain client of the KVM API. It reaches a hypervisor through a `struct
 * kvm_backend` only, so the same code drives the host's /dev/kvm and the hypervisor of src/kvm.
 */
#ifndef ANYKVM_VMM_VMM_H
#define ANYKVM_VMM_VMM_H

#include <stdbool.h>
#include <stdint.h>
#include "kvm/kvm.h"
#include "util/error.h"
#include "vmm/loader.h"

struct console;
struct machine;

struct vmm_config {
	const struct machine *machine;
	const struct kvm_backend *backend;
	const char *kernel;
	enum image_format kernel_format;
	const char *initrd; /* NULL: none */
	const char *append; /* the kernel's command line; NULL: empty */
	uint64_t memory;    /* bytes */
	unsigned cores;
	unsigned threads; /* per core */
	bool nested;      /* the guest may be a hypervisor itself */
	bool no_reboot;   /* a guest's reset ends the run */
	struct kvm_tuning tuning;
	bool trace_exits; /* each exit to the VMM as a line on stderr */
};

/* How a run ended. */
enum vmm_end {
	VMM_RUNS,        /* not yet (within the VMM only) */
	VMM_POWER_OFF,   /* the guest powered itself off */
	VMM_RESET,       /* it asked for a reset, and config.no_reboot was set */
	VMM_CRASH,       /* it panicked, or stopped its last processor */
	VMM_QUIT,        /* the user ended it (console escape, vmm_quit) */
	VMM_OUTPUT_LOST, /* the console's output cannot be written; console_destroy says why */
	VMM_BAD_CONFIG,  /* the configuration asks for more than machine, hypervisor or host have */
	VMM_BAD_IMAGE,   /* kernel or initial RAM disk cannot be loaded */
	VMM_ERROR,       /* hypervisor or host failed */
};

/*
 * Run a virtual machine until it ends, over resets of its own. Returns after all its threads
 * are gone and its memory is freed. error->text says why for VMM_CRASH, VMM_BAD_CONFIG,
 * VMM_BAD_IMAGE and VMM_ERROR. The console outlives the call. Several may run in one process.
 */
enum vmm_end vmm_run(const struct vmm_config *config, struct console *console, struct error *error);

/* The host's /dev/kvm, for guests of the host's own architecture (devkvm.c). */
extern const struct kvm_backend kvm_backend_devkvm;

/* Whether /dev/kvm is there, may be opened and runs guests of the architecture. */
bool devkvm_usable(enum kvm_guest_arch arch);

#endif
