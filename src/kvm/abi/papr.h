/*
 * The hypercalls of PAPR+ (and KVM's additions) that hypervisor and VMM both name: numbers,
 * return codes, and the structures that a guest and they share. The call's number is in GPR3,
 * arguments in GPR4 to GPR12; the return code comes back in GPR3, results from GPR4.
 */
#ifndef ANYKVM_KVM_ABI_PAPR_H
#define ANYKVM_KVM_ABI_PAPR_H

#include <stdint.h>

/* Return codes (PAPR+, "Hypervisor Call Return Codes") */
enum h_return {
	H_SUCCESS = 0,
	H_BUSY = 1,
	H_CLOSED = 2,
	H_NOT_AVAILABLE = 3,
	H_CONSTRAINED = 4,
	H_PARTIAL = 5,
	H_PAGE_REGISTERED = 15,
	H_LONG_BUSY_ORDER_1_MSEC = 9900,
	H_LONG_BUSY_ORDER_100_SEC = 9905,
	H_HARDWARE = -1,
	H_FUNCTION = -2,
	H_PRIVILEGE = -3,
	H_PARAMETER = -4,
	H_BAD_MODE = -5,
	H_PTEG_FULL = -6,
	H_NOT_FOUND = -7,
	H_RESERVED_DABR = -8,
	H_NO_MEM = -9,
	H_AUTHORITY = -10,
	H_PERMISSION = -11,
	H_DROPPED = -12,
	H_SOURCE_PARM = -13,
	H_DEST_PARM = -14,
	H_RESOURCE = -16,
	H_TABLE_FULL = -41,
	H_P2 = -55,
	H_P3 = -56,
	H_P4 = -57,
	H_P5 = -58,
	H_P6 = -59,
	H_TOO_BIG = -64,
	H_UNSUPPORTED_FLAG_START = -256,
	H_MULTI_THREADS_ACTIVE = -9005,
};

enum h_call {
	H_REMOVE = 0x04,
	H_ENTER = 0x08,
	H_READ = 0x0c,
	H_CLEAR_MOD = 0x10,
	H_CLEAR_REF = 0x14,
	H_PROTECT = 0x18,
	H_GET_TCE = 0x1c,
	H_PUT_TCE = 0x20,
	H_SET_SPRG0 = 0x24,
	H_SET_DABR = 0x28,
	H_PAGE_INIT = 0x2c,
	H_LOGICAL_CI_LOAD = 0x3c,
	H_LOGICAL_CI_STORE = 0x40,
	H_LOGICAL_CACHE_LOAD = 0x44,
	H_LOGICAL_CACHE_STORE = 0x48,
	H_LOGICAL_ICBI = 0x4c,
	H_LOGICAL_DCBF = 0x50,
	H_GET_TERM_CHAR = 0x54,
	H_PUT_TERM_CHAR = 0x58,
	H_EOI = 0x64,
	H_CPPR = 0x68,
	H_IPI = 0x6c,
	H_IPOLL = 0x70,
	H_XIRR = 0x74,
	H_MIGRATE_DMA = 0x78,
	H_PERFMON = 0x7c,
	H_REGISTER_VPA = 0xdc,
	H_CEDE = 0xe0,
	H_CONFER = 0xe4,
	H_PROD = 0xe8,
	H_GET_PPP = 0xec,
	H_SET_PPP = 0xf0,
	H_PURR = 0xf4,
	H_PIC = 0xf8,
	H_REG_CRQ = 0xfc,
	H_FREE_CRQ = 0x100,
	H_VIO_SIGNAL = 0x104,
	H_SEND_CRQ = 0x108,
	H_COPY_RDMA = 0x110,
	H_REGISTER_LOGICAL_LAN = 0x114,
	H_FREE_LOGICAL_LAN = 0x118,
	H_ADD_LOGICAL_LAN_BUFFER = 0x11c,
	H_SEND_LOGICAL_LAN = 0x120,
	H_BULK_REMOVE = 0x124,
	H_MULTICAST_CTRL = 0x130,
	H_SET_XDABR = 0x134,
	H_STUFF_TCE = 0x138,
	H_PUT_TCE_INDIRECT = 0x13c,
	H_CHANGE_LOGICAL_LAN_MAC = 0x14c,
	H_VTERM_PARTNER_INFO = 0x150,
	H_REGISTER_VTERM = 0x154,
	H_FREE_VTERM = 0x158,
	H_GET_CPU_CHARACTERISTICS = 0x1c8,
	H_POLL_PENDING = 0x1d8,
	H_JOIN = 0x298,
	H_VIOCTL = 0x2a8,
	H_ENABLE_CRQ = 0x2b0,
	H_GET_EM_PARMS = 0x2b8,
	H_SET_MPP = 0x2d0,
	H_GET_MPP = 0x2d4,
	H_HOME_NODE_ASSOCIATIVITY = 0x2ec,
	H_BEST_ENERGY = 0x2f4,
	H_XIRR_X = 0x2fc,
	H_RANDOM = 0x300,
	H_COP = 0x304,
	H_GET_MPP_X = 0x314,
	H_SET_MODE = 0x31c,
	H_BLOCK_REMOVE = 0x328,
	H_CLEAR_HPT = 0x358,
	H_RESIZE_HPT_PREPARE = 0x36c,
	H_RESIZE_HPT_COMMIT = 0x370,
	H_REGISTER_PROC_TBL = 0x37c,
	H_SIGNAL_SYS_RESET = 0x380,
	H_RPT_INVALIDATE = 0x448,
	H_GET_ENERGY_SCALE_INFO = 0x450,
	H_WATCHDOG = 0x45c,
	H_LAST_PAPR = H_WATCHDOG,

	/* KVM's own (qemu firmware interface) */
	H_RTAS = 0xf000,
	H_LOGICAL_MEMOP = 0xf001,
	H_CAS = 0xf002,
	H_UPDATE_DT = 0xf003,

	/* KVM's nested HV (Documentation/powerpc/kvm-nested.rst) */
	H_SET_PARTITION_TABLE = 0xf800,
	H_ENTER_NESTED = 0xf804,
	H_TLB_INVALIDATE = 0xf808,
	H_COPY_TOFROM_GUEST = 0xf80c,
};

/* H_REGISTER_VPA: sub-function, bits 16:18 of the flags */
#define H_VPA_FUNC_SHIFT 45
#define H_VPA_FUNC_MASK  7
enum h_vpa_func {
	H_VPA_REG_VPA = 1,
	H_VPA_REG_DTL = 2,
	H_VPA_REG_SLB = 3,
	H_VPA_DEREG_VPA = 5,
	H_VPA_DEREG_DTL = 6,
	H_VPA_DEREG_SLB = 7,
};

/* H_SET_MODE */
enum h_set_mode_resource {
	H_SET_MODE_RESOURCE_SET_CIABR = 1,
	H_SET_MODE_RESOURCE_SET_DAWR0 = 2,
	H_SET_MODE_RESOURCE_ADDR_TRANS_MODE = 3,
	H_SET_MODE_RESOURCE_LE = 4,
	H_SET_MODE_RESOURCE_SET_DAWR1 = 5,
};

/* H_REGISTER_PROC_TBL flags */
#define PROC_TABLE_OP_MASK   0x18
#define PROC_TABLE_DEREG     0x10
#define PROC_TABLE_NEW       0x18
#define PROC_TABLE_TYPE_MASK 0x06
#define PROC_TABLE_HPT_SLB   0x00
#define PROC_TABLE_HPT_PT    0x02
#define PROC_TABLE_RADIX     0x04
#define PROC_TABLE_GTSE      0x01

/* H_RPT_INVALIDATE */
#define H_RPTI_TYPE_NESTED       0x0001
#define H_RPTI_TYPE_TLB          0x0002
#define H_RPTI_TYPE_PWC          0x0004
#define H_RPTI_TYPE_PRT          0x0008 /* process table; with NESTED: partition table */
#define H_RPTI_TARGET_CMMU       0x01
#define H_RPTI_TARGET_CMMU_LOCAL 0x02
#define H_RPTI_TARGET_NMMU       0x04
#define H_RPTI_PAGE_4K           0x01
#define H_RPTI_PAGE_64K          0x02
#define H_RPTI_PAGE_2M           0x04
#define H_RPTI_PAGE_1G           0x08
#define H_RPTI_PAGE_ALL          UINT64_MAX

#endif
