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
struct control;
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
	const char *save; /* where the state goes when the user ends the run; NULL: nowhere */
	const char *restore; /* a state to begin with; NULL: begin with the kernel */
	/* A sentence for the user while the VM runs. Any thread. NULL: nobody listens. */
	void (*report)(const char *sentence);
	struct control *control; /* who shows the machine to others (control.h); NULL: nobody */
};

/* How a run ended. */
enum vmm_end {
	VMM_RUNS,        /* not yet (within the VMM only) */
	VMM_POWER_OFF,   /* the guest powered itself off */
	VMM_RESET,       /* it asked for a reset, and config.no_reboot was set */
	VMM_CRASH,       /* it panicked, or stopped its last processor */
	VMM_SAVED,       /* so did the user, and its state is in config.save */
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

/* Strings of a configuration that was read from a file. */
struct vmm_saved {
	char *kernel, *initrd, *append;
};

/*
 * Complete a configuration by what the state config->restore is of: machine, memory, processors,
 * nested; and kernel, initrd and append (for a reset), unless they are there. The strings are owned
 * by *saved. -errno with a sentence, above all -EINVAL: the file is damaged or none.
 */
int vmm_read_saved(struct vmm_config *config, struct vmm_saved *saved, struct error *e);
void vmm_saved_free(struct vmm_saved *saved);

/* Whether a state could be saved there. -errno. */
int vmm_can_save(const char *path, struct error *e);

/* The host's /dev/kvm, for guests of the host's own architecture (devkvm.c). */
extern const struct kvm_backend kvm_backend_devkvm;

/* Whether /dev/kvm is there, may be opened and runs guests of the architecture. */
bool devkvm_usable(enum kvm_guest_arch arch);

#endif
