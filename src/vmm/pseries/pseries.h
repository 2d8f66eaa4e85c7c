/*
 * The pseries machine: a POWER9 partition after PAPR+ (Linux on Power Architecture Reference),
 * radix translation only, XICS interrupts, entered directly at the kernel with a flattened
 * device tree. There is no partition firmware: what Linux would get out of it (RTAS, the result
 * of ibm,client-architecture-support) is there from the start.
 *
 * The hypervisor handles the frequent hypercalls itself; the rest comes to hcall.c. RTAS is a
 * blob of a few instructions in guest memory that makes the hypercall H_RTAS (rtas.c).
 */
#ifndef ANYKVM_VMM_PSERIES_PSERIES_H
#define ANYKVM_VMM_PSERIES_PSERIES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include "kvm/abi/papr.h"
#include "kvm/abi/ppc.h"
#include "vmm/vm.h"

/* The time base runs at 512 MHz on every POWER9; the clock is what QEMU says, too. */
#define PSERIES_TIMEBASE_HZ 512000000
#define PSERIES_CLOCK_HZ    1000000000

/* Logical processor version "ISA 3.00": the kernel takes its "architected" POWER9 for it. */
#define PSERIES_LOGICAL_PVR UINT32_C(0x0f000005)

/* Interrupt source numbers (XICS; 16 and more, below are special to it). */
#define PSERIES_IRQ_VTY   0x1100
#define PSERIES_IRQ_FIRST PSERIES_IRQ_VTY
#define PSERIES_NR_IRQS   1

/* Unit addresses on the virtual bus. */
#define PSERIES_VTY_UNIT   UINT32_C(0x71000000)
#define PSERIES_NVRAM_UNIT UINT32_C(0x71000001)

#define PSERIES_RTAS_SIZE UINT32_C(0x10000)

struct nvram;

/*
 * XICS: the sources' states, of which the hypervisor's device holds the truth. `lock` makes
 * read-modify-write of a source and raising it one after the other; the presentation side is
 * held still by the exclusive section.
 */
struct xics {
	int fd;
	pthread_mutex_t lock;
};

struct pseries {
	struct vm *vm;
	struct xics xics;
	struct nvram *nvram;
	uint64_t process_table; /* as registered: KVM_PPC_CONFIGURE_V3_MMU's process_table */
	bool gtse;
	bool vty_signal;      /* H_VIO_SIGNAL's state, which hvterm1 does not use */
	int64_t clock_offset; /* seconds that set-time-of-day put the clock ahead of the host's */
	struct kvm_ppc_rmmu_info rmmu;
	bool rpt_invalidate;
	/* Where load put things. */
	uint64_t rtas_base, fdt_base, initrd_base, initrd_size;
	/* What restore has seen. */
	bool restored_partition;
	unsigned restored_vcpus;
};

static inline struct pseries *pseries_of(struct vm *vm)
{
	return vm->priv;
}

/* xics.c */

/* The XICS device, connected to all vCPUs, its sources masked. -errno. */
int xics_create(struct pseries *p, struct error *e);
void xics_destroy(struct pseries *p);
bool xics_source_valid(uint64_t irq);
/* An edge on a message-signalled source; any thread. */
void xics_pulse(struct pseries *p, uint32_t irq);
/* State word (KVM_XICS_*) of a source; set it, of a machine that does not run. -errno. */
int xics_get(struct pseries *p, uint32_t irq, uint64_t *state);
int xics_put(struct pseries *p, uint32_t irq, uint64_t state);
/*
 * Replace the bits in mask by those of value, pending interrupts untouched. On a vCPU's thread,
 * with no device lock. -errno; -EINTR if the VM ends meanwhile.
 */
int xics_update(struct vcpu *v, uint32_t irq, uint64_t mask, uint64_t value);

/* vty.c: the virtual terminal */

void vty_create(struct pseries *p);
void vty_destroy(struct pseries *p);
int64_t vty_get(struct pseries *p, uint64_t unit, uint64_t args[9]);
int64_t vty_put(struct pseries *p, uint64_t unit, uint64_t len, const uint64_t data[2]);

/* nvram.c */

#define NVRAM_SIZE UINT32_C(65536)

/* 64 KiB of non-volatile memory with one free partition in it. NULL: no memory. */
struct nvram *nvram_create(void);
void nvram_destroy(struct nvram *n);
/* Copy out of and into it; false if the range is not inside. Any thread. */
bool nvram_read(struct nvram *n, uint64_t offset, void *to, uint64_t len);
bool nvram_write(struct nvram *n, uint64_t offset, const void *from, uint64_t len);

/* rtas.c */

/* The instructions at the RTAS entry point. */
extern const uint8_t rtas_blob[20];

/* Tokens and properties of the /rtas node, by libfdt's sequential writer; its error. */
int rtas_write_fdt(void *fdt);

/*
 * H_RTAS with the address of the arguments (PAPR 7.2.1: token, nargs, nret, then the cells,
 * big-endian). Gives the hypercall's return code.
 */
int64_t rtas_call(struct vcpu *v, uint64_t args_gpa);

/* hcall.c */

void pseries_hypercall(struct vcpu *v);

/* Set or clear bits of LPCR on all vCPUs; on a vCPU's thread. -errno, -EINTR as above. */
int pseries_set_lpcr(struct vcpu *v, uint64_t mask, uint64_t value);
/* The same on this vCPU alone, which does not run: its own thread, or before any. */
int pseries_change_lpcr(struct vcpu *v, uint64_t mask, uint64_t value);

/* Translation as registered (p->process_table, p->gtse). -errno. */
int pseries_configure_mmu(struct pseries *p);

/* fdt.c */

/*
 * The device tree, complete, in malloc'ed memory of *size bytes. -ENOMEM; -E2BIG for a command
 * line too long or too many processors.
 */
int pseries_build_fdt(struct pseries *p, void **fdt, uint32_t *size, struct error *e);

/* save.c: struct machine's */
int pseries_save(struct vm *vm, struct save_writer *w, struct error *e);
int pseries_restore(struct vm *vm, struct save_reader *r, uint32_t tag, struct save_cursor *c,
		    struct error *e);
int pseries_restored(struct vm *vm, struct save_reader *r, struct error *e);

/* machine.c: a vCPU's registers for its start at pc with r3; MSR is SF only or as the caller's. */
struct pseries_entry {
	uint64_t pc, r3, r4, msr;
};

int pseries_set_entry(struct vcpu *v, void *entry);

#define MSR_SF BIT64(63)
#define MSR_ME BIT64(12)
#define MSR_LE BIT64(0)

#define LPCR_ILE       UINT64_C(0x02000000)
#define LPCR_AIL       UINT64_C(0x01800000)
#define LPCR_AIL_SHIFT 23
#define LPCR_LD        UINT64_C(0x00020000) /* the decrementer has all its bits */

#define PATB1_GR BIT64(63) /* guest uses radix */

#endif
