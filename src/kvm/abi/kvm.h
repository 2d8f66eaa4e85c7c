/*
 * The KVM ABI that all architectures share: requests, capabilities, structures, exits
 * (Documentation/virt/kvm/api.rst). It is the same whatever the host is; integers and
 * structures are in the byte order of the process that makes the call.
 *
 * Request numbers. An ioctl number encodes direction, argument size and number, and POWER
 * encodes them differently from the rest. The KVM_* requests below are in the common encoding
 * (x86, s390); kvm_request(arch, KVM_RUN) gives the number of an architecture, which is what a
 * backend's `ioctl` takes. So code that serves several architectures names a request
 * once. Requests whose structure differs by architecture are in that architecture's file.
 *
 * Pointers inside structures are 64-bit integers.
 */
#ifndef ANYKVM_KVM_ABI_KVM_H
#define ANYKVM_KVM_ABI_KVM_H

#include <stddef.h>
#include <stdint.h>
#include "kvm/kvm.h"
#include "util/compiler.h"

#define KVM_API_VERSION 12

/* --- request numbers --- */

#define KVM_IOC_TYPE UINT32_C(0xae)

/* The common encoding: direction (2 bits), size (14), type (8), number (8). */
#define KVM_IOC_DIR_NONE  UINT32_C(0)
#define KVM_IOC_DIR_WRITE UINT32_C(1) /* the caller writes: an argument goes in */
#define KVM_IOC_DIR_READ  UINT32_C(2)
#define KVM_IOC(dir, nr, size)                                                                     \
	((uint32_t)((dir) << 30 | (uint32_t)(size) << 16 | KVM_IOC_TYPE << 8 | (nr)))
#define KVM_IO(nr)         KVM_IOC(KVM_IOC_DIR_NONE, nr, 0)
#define KVM_IOW(nr, type)  KVM_IOC(KVM_IOC_DIR_WRITE, nr, sizeof(type))
#define KVM_IOR(nr, type)  KVM_IOC(KVM_IOC_DIR_READ, nr, sizeof(type))
#define KVM_IOWR(nr, type) KVM_IOC(KVM_IOC_DIR_WRITE | KVM_IOC_DIR_READ, nr, sizeof(type))

/*
 * The request's number for a guest architecture. POWER: direction in 3 bits (none 1, read 2,
 * write 4), size in 13.
 */
static inline uint64_t kvm_request(enum kvm_guest_arch arch, uint32_t request)
{
	uint32_t dir = request >> 30;
	uint32_t size = (request >> 16) & 0x3fff;
	uint32_t ppc_dir = 0;

	if (arch != KVM_GUEST_PPC64)
		return request;
	if (dir == KVM_IOC_DIR_NONE)
		ppc_dir = 1;
	if (dir & KVM_IOC_DIR_READ)
		ppc_dir |= 2;
	if (dir & KVM_IOC_DIR_WRITE)
		ppc_dir |= 4;
	return ppc_dir << 29 | size << 16 | (request & 0xffff);
}

/* --- memory --- */

#define KVM_MEM_LOG_DIRTY_PAGES UINT32_C(1)
#define KVM_MEM_READONLY        UINT32_C(2)

struct kvm_userspace_memory_region {
	uint32_t slot; /* low half: slot number, high half: address space */
	uint32_t flags;
	uint64_t guest_phys_addr;
	uint64_t memory_size; /* bytes; 0 deletes the slot */
	uint64_t userspace_addr;
};

ASSERT_SIZE(struct kvm_userspace_memory_region, 32);

struct kvm_dirty_log {
	uint32_t slot;
	uint32_t padding1;
	uint64_t dirty_bitmap; /* address; a bit per page, filled up to a multiple of 64 bits */
};

ASSERT_SIZE(struct kvm_dirty_log, 16);

struct kvm_clear_dirty_log {
	uint32_t slot;
	uint32_t num_pages;
	uint64_t first_page;
	uint64_t dirty_bitmap;
};

ASSERT_SIZE(struct kvm_clear_dirty_log, 24);

/* --- interrupts --- */

struct kvm_irq_level {
	union {
		uint32_t irq;
		int32_t status;
	};
	uint32_t level;
};

ASSERT_SIZE(struct kvm_irq_level, 8);

struct kvm_interrupt {
	uint32_t irq;
};

#define KVM_IRQFD_FLAG_DEASSIGN UINT32_C(1)
#define KVM_IRQFD_FLAG_RESAMPLE UINT32_C(2)

struct kvm_irqfd {
	uint32_t fd;
	uint32_t gsi;
	uint32_t flags;
	uint32_t resamplefd;
	uint8_t pad[16];
};

ASSERT_SIZE(struct kvm_irqfd, 32);

#define KVM_IOEVENTFD_FLAG_DATAMATCH  UINT32_C(1)
#define KVM_IOEVENTFD_FLAG_PIO        UINT32_C(2)
#define KVM_IOEVENTFD_FLAG_DEASSIGN   UINT32_C(4)
#define KVM_IOEVENTFD_VALID_FLAG_MASK UINT32_C(0x1f)

struct kvm_ioeventfd {
	uint64_t datamatch;
	uint64_t addr;
	uint32_t len; /* 1, 2, 4 or 8; 0: any */
	int32_t fd;
	uint32_t flags;
	uint8_t pad[36];
};

ASSERT_SIZE(struct kvm_ioeventfd, 64);

/* --- vCPU state --- */

struct kvm_signal_mask {
	uint32_t len; /* 8: the kernel's sigset_t */
	uint8_t sigset[];
};

ASSERT_SIZE(struct kvm_signal_mask, 4);

enum kvm_mp_states {
	KVM_MP_STATE_RUNNABLE = 0,
	KVM_MP_STATE_UNINITIALIZED = 1,
	KVM_MP_STATE_INIT_RECEIVED = 2,
	KVM_MP_STATE_HALTED = 3,
	KVM_MP_STATE_SIPI_RECEIVED = 4,
	KVM_MP_STATE_STOPPED = 5,
	KVM_MP_STATE_CHECK_STOP = 6,
	KVM_MP_STATE_OPERATING = 7,
	KVM_MP_STATE_LOAD = 8,
};

struct kvm_mp_state {
	uint32_t mp_state;
};

struct kvm_translation {
	uint64_t linear_address;
	uint64_t physical_address;
	uint8_t valid;
	uint8_t writeable;
	uint8_t usermode;
	uint8_t pad[5];
};

ASSERT_SIZE(struct kvm_translation, 24);

#define KVM_GUESTDBG_ENABLE     UINT32_C(1)
#define KVM_GUESTDBG_SINGLESTEP UINT32_C(2)

struct kvm_enable_cap {
	uint32_t cap;
	uint32_t flags;
	uint64_t args[4];
	uint8_t pad[64];
};

ASSERT_SIZE(struct kvm_enable_cap, 104);

struct kvm_one_reg {
	uint64_t id;
	uint64_t addr;
};

ASSERT_SIZE(struct kvm_one_reg, 16);

struct kvm_reg_list {
	uint64_t n;
	uint64_t reg[];
};

/* Register identifiers: architecture, size (log2 of bytes), number. */
#define KVM_REG_ARCH_MASK  UINT64_C(0xff00000000000000)
#define KVM_REG_PPC        UINT64_C(0x1000000000000000)
#define KVM_REG_X86        UINT64_C(0x2000000000000000)
#define KVM_REG_S390       UINT64_C(0x5000000000000000)
#define KVM_REG_SIZE_SHIFT 52
#define KVM_REG_SIZE_MASK  UINT64_C(0x00f0000000000000)
#define KVM_REG_SIZE_U8    UINT64_C(0x0000000000000000)
#define KVM_REG_SIZE_U16   UINT64_C(0x0010000000000000)
#define KVM_REG_SIZE_U32   UINT64_C(0x0020000000000000)
#define KVM_REG_SIZE_U64   UINT64_C(0x0030000000000000)
#define KVM_REG_SIZE_U128  UINT64_C(0x0040000000000000)

/* Bytes of the register that an identifier names. */
static inline size_t kvm_reg_size(uint64_t id)
{
	return (size_t)1 << ((id & KVM_REG_SIZE_MASK) >> KVM_REG_SIZE_SHIFT);
}

/* --- devices --- */

enum kvm_device_types {
	KVM_DEV_TYPE_XICS = 3,
	KVM_DEV_TYPE_VFIO = 4,
	KVM_DEV_TYPE_FLIC = 6,
	KVM_DEV_TYPE_XIVE = 9,
};

#define KVM_CREATE_DEVICE_TEST UINT32_C(1)

struct kvm_create_device {
	uint32_t type;
	uint32_t fd; /* out */
	uint32_t flags;
};

ASSERT_SIZE(struct kvm_create_device, 12);

struct kvm_device_attr {
	uint32_t flags;
	uint32_t group;
	uint64_t attr;
	uint64_t addr; /* of the attribute's data */
};

ASSERT_SIZE(struct kvm_device_attr, 24);

/* --- struct kvm_run --- */

enum kvm_exit_reasons {
	KVM_EXIT_UNKNOWN = 0,
	KVM_EXIT_EXCEPTION = 1,
	KVM_EXIT_IO = 2,
	KVM_EXIT_HYPERCALL = 3,
	KVM_EXIT_DEBUG = 4,
	KVM_EXIT_HLT = 5,
	KVM_EXIT_MMIO = 6,
	KVM_EXIT_IRQ_WINDOW_OPEN = 7,
	KVM_EXIT_SHUTDOWN = 8,
	KVM_EXIT_FAIL_ENTRY = 9,
	KVM_EXIT_INTR = 10,
	KVM_EXIT_SET_TPR = 11,
	KVM_EXIT_TPR_ACCESS = 12,
	KVM_EXIT_S390_SIEIC = 13,
	KVM_EXIT_S390_RESET = 14,
	KVM_EXIT_NMI = 16,
	KVM_EXIT_INTERNAL_ERROR = 17,
	KVM_EXIT_PAPR_HCALL = 19,
	KVM_EXIT_S390_TSCH = 22,
	KVM_EXIT_SYSTEM_EVENT = 24,
	KVM_EXIT_S390_STSI = 25,
	KVM_EXIT_IOAPIC_EOI = 26,
};

enum kvm_internal_errors {
	KVM_INTERNAL_ERROR_EMULATION = 1,
	KVM_INTERNAL_ERROR_SIMUL_EX = 2,
	KVM_INTERNAL_ERROR_DELIVERY_EV = 3,
	KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON = 4,
};

enum kvm_system_events {
	KVM_SYSTEM_EVENT_SHUTDOWN = 1,
	KVM_SYSTEM_EVENT_RESET = 2,
	KVM_SYSTEM_EVENT_CRASH = 3,
};

/* What KVM_EXIT_DEBUG says; POWER's, the common size of the others is larger. */
struct kvm_debug_exit_ppc {
	uint64_t address;
	uint32_t status;
	uint32_t reserved;
};

/*
 * The area shared by a vCPU and its caller. s390 has the program status word between apic_base
 * and the exit union: its own structure will be in abi/s390.h.
 */
struct kvm_run {
	/* in */
	uint8_t request_interrupt_window;
	uint8_t immediate_exit;
	uint8_t padding1[6];
	/* out */
	uint32_t exit_reason;
	uint8_t ready_for_interrupt_injection;
	uint8_t if_flag;
	uint16_t flags;
	/* in and out (x86) */
	uint64_t cr8;
	uint64_t apic_base;
	union {
		struct {
			uint64_t hardware_exit_reason;
		} hw;
		struct {
			uint64_t hardware_entry_failure_reason;
			uint32_t cpu;
		} fail_entry;
		struct {
			uint32_t exception;
			uint32_t error_code;
		} ex;
		struct {
			uint8_t direction; /* 0 in, 1 out */
			uint8_t size;
			uint16_t port;
			uint32_t count;
			uint64_t data_offset;
		} io;
		struct {
			struct kvm_debug_exit_ppc arch;
		} debug;
		struct {
			uint64_t phys_addr;
			uint8_t data[8]; /* as the bytes in memory would be */
			uint32_t len;
			uint8_t is_write;
		} mmio;
		struct {
			uint64_t nr;
			uint64_t args[6];
			uint64_t ret;
			uint32_t longmode;
			uint32_t pad;
		} hypercall;
		struct {
			uint32_t suberror;
			uint32_t ndata;
			uint64_t data[16];
		} internal;
		struct {
			uint64_t nr;
			uint64_t ret;     /* in: to GPR3 */
			uint64_t args[9]; /* GPR4..12; in: results to the same registers */
		} papr_hcall;
		struct {
			uint32_t type;
			uint32_t ndata;
			uint64_t data[16];
		} system_event;
		char padding[256];
	};
	uint64_t kvm_valid_regs;
	uint64_t kvm_dirty_regs;
	union {
		char padding[2048];
	} s;
};

ASSERT_OFFSET(struct kvm_run, exit_reason, 8);
ASSERT_OFFSET(struct kvm_run, cr8, 16);
ASSERT_OFFSET(struct kvm_run, mmio, 32);
ASSERT_OFFSET(struct kvm_run, mmio.len, 48);
ASSERT_OFFSET(struct kvm_run, papr_hcall.args, 48);
ASSERT_OFFSET(struct kvm_run, kvm_valid_regs, 288);
ASSERT_OFFSET(struct kvm_run, s, 304);
ASSERT_SIZE(struct kvm_run, 2352);

/* --- statistics (KVM_GET_STATS_FD) --- */

/* The descriptor's content begins with it; the blocks' offsets are multiples of 8. */
struct kvm_stats_header {
	uint32_t flags; /* 0 */
	uint32_t name_size;
	uint32_t num_desc;
	uint32_t id_offset;
	uint32_t desc_offset;
	uint32_t data_offset;
};

ASSERT_SIZE(struct kvm_stats_header, 24);

/* Of desc.flags: type, unit, base of the unit's exponent. */
#define KVM_STATS_TYPE_MASK       UINT32_C(0x00f)
#define KVM_STATS_TYPE_CUMULATIVE UINT32_C(0x000)
#define KVM_STATS_TYPE_INSTANT    UINT32_C(0x001)
#define KVM_STATS_TYPE_PEAK       UINT32_C(0x002)
#define KVM_STATS_UNIT_MASK       UINT32_C(0x0f0)
#define KVM_STATS_UNIT_NONE       UINT32_C(0x000)
#define KVM_STATS_UNIT_BYTES      UINT32_C(0x010)
#define KVM_STATS_UNIT_SECONDS    UINT32_C(0x020)
#define KVM_STATS_UNIT_CYCLES     UINT32_C(0x030)
#define KVM_STATS_UNIT_BOOLEAN    UINT32_C(0x040)
#define KVM_STATS_BASE_MASK       UINT32_C(0xf00)
#define KVM_STATS_BASE_POW10      UINT32_C(0x000)
#define KVM_STATS_BASE_POW2       UINT32_C(0x100)

/* The kernel's header.name_size. */
#define KVM_STATS_NAME_SIZE 48

struct kvm_stats_desc {
	uint32_t flags;
	int16_t exponent;
	uint16_t size;   /* values; 1 but for histograms */
	uint32_t offset; /* in the data block */
	uint32_t bucket_size;
	char name[]; /* header.name_size bytes */
};

ASSERT_SIZE(struct kvm_stats_desc, 16);

/* --- capabilities --- */

enum kvm_capabilities {
	KVM_CAP_IRQCHIP = 0,
	KVM_CAP_USER_MEMORY = 3,
	KVM_CAP_NR_VCPUS = 9,
	KVM_CAP_NR_MEMSLOTS = 10,
	KVM_CAP_MP_STATE = 14,
	KVM_CAP_COALESCED_MMIO = 15,
	KVM_CAP_SYNC_MMU = 16,
	KVM_CAP_DESTROY_MEMORY_REGION_WORKS = 21,
	KVM_CAP_SET_GUEST_DEBUG = 23,
	KVM_CAP_IRQ_ROUTING = 25,
	KVM_CAP_JOIN_MEMORY_REGIONS_WORKS = 30,
	KVM_CAP_IRQFD = 32,
	KVM_CAP_IOEVENTFD = 36,
	KVM_CAP_INTERNAL_ERROR_DATA = 40,
	KVM_CAP_ENABLE_CAP = 54,
	KVM_CAP_MAX_VCPUS = 66,
	KVM_CAP_ONE_REG = 70,
	KVM_CAP_READONLY_MEM = 81,
	KVM_CAP_DEVICE_CTRL = 89,
	KVM_CAP_ENABLE_CAP_VM = 98,
	KVM_CAP_CHECK_EXTENSION_VM = 105,
	KVM_CAP_MAX_VCPU_ID = 128,
	KVM_CAP_IMMEDIATE_EXIT = 136,
	KVM_CAP_STATS_BINARY_FD = 203,
};

/* --- requests --- */

/* To the system descriptor. */
#define KVM_GET_API_VERSION    KVM_IO(0x00)
#define KVM_CREATE_VM          KVM_IO(0x01) /* type; gives a VM descriptor */
#define KVM_CHECK_EXTENSION    KVM_IO(0x03) /* also to a VM's */
#define KVM_GET_VCPU_MMAP_SIZE KVM_IO(0x04)

/* To a VM's. */
#define KVM_CREATE_VCPU            KVM_IO(0x41) /* identifier; gives a vCPU descriptor */
#define KVM_GET_DIRTY_LOG          KVM_IOW(0x42, struct kvm_dirty_log)
#define KVM_SET_USER_MEMORY_REGION KVM_IOW(0x46, struct kvm_userspace_memory_region)
#define KVM_CREATE_IRQCHIP         KVM_IO(0x60)
#define KVM_IRQ_LINE               KVM_IOW(0x61, struct kvm_irq_level)
#define KVM_IRQ_LINE_STATUS        KVM_IOWR(0x67, struct kvm_irq_level)
#define KVM_IRQFD                  KVM_IOW(0x76, struct kvm_irqfd)
#define KVM_IOEVENTFD              KVM_IOW(0x79, struct kvm_ioeventfd)
#define KVM_CLEAR_DIRTY_LOG        KVM_IOWR(0xc0, struct kvm_clear_dirty_log)
#define KVM_CREATE_DEVICE          KVM_IOWR(0xe0, struct kvm_create_device)

/* To a VM's and a vCPU's, whether it is in KVM_RUN or not; gives a descriptor for `pread`. */
#define KVM_GET_STATS_FD KVM_IO(0xce)

/* To a device's (and, where capable, a VM's or vCPU's). */
#define KVM_SET_DEVICE_ATTR KVM_IOW(0xe1, struct kvm_device_attr)
#define KVM_GET_DEVICE_ATTR KVM_IOW(0xe2, struct kvm_device_attr)
#define KVM_HAS_DEVICE_ATTR KVM_IOW(0xe3, struct kvm_device_attr)

/* To a vCPU's; KVM_ENABLE_CAP also to a VM's. */
#define KVM_RUN             KVM_IO(0x80)
#define KVM_TRANSLATE       KVM_IOWR(0x85, struct kvm_translation)
#define KVM_INTERRUPT       KVM_IOW(0x86, struct kvm_interrupt)
#define KVM_SET_SIGNAL_MASK KVM_IOW(0x8b, struct kvm_signal_mask)
#define KVM_GET_MP_STATE    KVM_IOR(0x98, struct kvm_mp_state)
#define KVM_SET_MP_STATE    KVM_IOW(0x99, struct kvm_mp_state)
#define KVM_ENABLE_CAP      KVM_IOW(0xa3, struct kvm_enable_cap)
#define KVM_GET_ONE_REG     KVM_IOW(0xab, struct kvm_one_reg)
#define KVM_SET_ONE_REG     KVM_IOW(0xac, struct kvm_one_reg)
#define KVM_GET_REG_LIST    KVM_IOWR(0xb0, struct kvm_reg_list)

#endif
