/*
 * The KVM ABI of POWER guests: registers, MMU configuration, capabilities, the XICS device
 * (Documentation/virt/kvm/api.rst, devices/xics.rst). See abi/kvm.h on request numbers.
 */
#ifndef ANYKVM_KVM_ABI_PPC_H
#define ANYKVM_KVM_ABI_PPC_H

#include "kvm/abi/kvm.h"
#include "util/bits.h"

/* Types for KVM_CREATE_VM. */
#define KVM_VM_PPC_DEFAULT 0
#define KVM_VM_PPC_HV      1
#define KVM_VM_PPC_PR      2

struct kvm_regs {
	uint64_t pc;
	uint64_t cr;
	uint64_t ctr;
	uint64_t lr;
	uint64_t xer;
	uint64_t msr;
	uint64_t srr0;
	uint64_t srr1;
	uint64_t pid;
	uint64_t sprg0;
	uint64_t sprg1;
	uint64_t sprg2;
	uint64_t sprg3;
	uint64_t sprg4; /* 4..7: Book E only */
	uint64_t sprg5;
	uint64_t sprg6;
	uint64_t sprg7;
	uint64_t gpr[32];
};

ASSERT_OFFSET(struct kvm_regs, gpr, 136);
ASSERT_SIZE(struct kvm_regs, 392);

/* Book3S part; the union's other members are of Book E. */
struct kvm_sregs {
	uint32_t pvr;
	union {
		struct {
			uint64_t sdr1;
			struct {
				struct {
					uint64_t slbe;
					uint64_t slbv;
				} slb[64];
			} ppc64;
			struct {
				uint32_t sr[16];
				uint64_t ibat[8];
				uint64_t dbat[8];
			} ppc32;
		} s;
		uint8_t pad[1020];
	} u;
};

ASSERT_OFFSET(struct kvm_sregs, u, 8);
ASSERT_SIZE(struct kvm_sregs, 1232);

struct kvm_fpu {
	uint64_t fpr[32];
};

struct kvm_guest_debug {
	uint32_t control;
	uint32_t pad;
	struct {
		struct {
			uint64_t addr;
			uint32_t type;
			uint32_t reserved;
		} bp[16];
	} arch;
};

ASSERT_SIZE(struct kvm_guest_debug, 264);

/* KVM_INTERRUPT */
#define KVM_INTERRUPT_SET       UINT32_C(0xffffffff)
#define KVM_INTERRUPT_UNSET     UINT32_C(0xfffffffe)
#define KVM_INTERRUPT_SET_LEVEL UINT32_C(0xfffffffd)

/* --- MMU --- */

#define KVM_PPC_PAGE_SIZES_MAX_SZ 8
#define KVM_PPC_PAGE_SIZES_REAL   UINT64_C(1)
#define KVM_PPC_1T_SEGMENTS       UINT64_C(2)
#define KVM_PPC_NO_HASH           UINT64_C(4)

struct kvm_ppc_one_page_size {
	uint32_t page_shift;
	uint32_t pte_enc;
};

struct kvm_ppc_one_seg_page_size {
	uint32_t page_shift;
	uint32_t slb_enc;
	struct kvm_ppc_one_page_size enc[KVM_PPC_PAGE_SIZES_MAX_SZ];
};

struct kvm_ppc_smmu_info {
	uint64_t flags;
	uint32_t slb_size;
	uint16_t data_keys;
	uint16_t instr_keys;
	struct kvm_ppc_one_seg_page_size sps[KVM_PPC_PAGE_SIZES_MAX_SZ];
};

ASSERT_SIZE(struct kvm_ppc_smmu_info, 592);

#define KVM_PPC_MMUV3_RADIX UINT64_C(1)
#define KVM_PPC_MMUV3_GTSE  UINT64_C(2)

struct kvm_ppc_mmuv3_cfg {
	uint64_t flags;
	uint64_t process_table; /* second doubleword of the partition-table entry */
};

ASSERT_SIZE(struct kvm_ppc_mmuv3_cfg, 16);

struct kvm_ppc_rmmu_info {
	struct kvm_ppc_radix_geom {
		uint8_t page_shift;
		uint8_t level_bits[4]; /* from the lowest level; 0 ends */
		uint8_t pad[3];
	} geometries[8];
	uint32_t ap_encodings[8]; /* page shift in the low bits, AP << 29 */
};

ASSERT_SIZE(struct kvm_ppc_rmmu_info, 96);

/* KVM_PPC_RTAS_DEFINE_TOKEN: have the hypervisor serve this RTAS call; token 0 undoes it. */
struct kvm_rtas_token_args {
	char name[120];
	uint64_t token;
};

ASSERT_SIZE(struct kvm_rtas_token_args, 128);

/* As H_GET_CPU_CHARACTERISTICS returns them. */
struct kvm_ppc_cpu_char {
	uint64_t character;
	uint64_t behaviour;
	uint64_t character_mask;
	uint64_t behaviour_mask;
};

ASSERT_SIZE(struct kvm_ppc_cpu_char, 32);

#define KVM_PPC_CPU_CHAR_SPEC_BAR_ORI31     BIT64(63)
#define KVM_PPC_CPU_CHAR_BCCTRL_SERIALISED  BIT64(62)
#define KVM_PPC_CPU_CHAR_L1D_FLUSH_ORI30    BIT64(61)
#define KVM_PPC_CPU_CHAR_L1D_FLUSH_TRIG2    BIT64(60)
#define KVM_PPC_CPU_CHAR_L1D_THREAD_PRIV    BIT64(59)
#define KVM_PPC_CPU_CHAR_BR_HINT_HONOURED   BIT64(58)
#define KVM_PPC_CPU_CHAR_MTTRIG_THR_RECONF  BIT64(57)
#define KVM_PPC_CPU_CHAR_COUNT_CACHE_DIS    BIT64(56)
#define KVM_PPC_CPU_CHAR_BCCTR_FLUSH_ASSIST BIT64(54)
#define KVM_PPC_CPU_BEHAV_FAVOUR_SECURITY   BIT64(63)
#define KVM_PPC_CPU_BEHAV_L1D_FLUSH_PR      BIT64(62)
#define KVM_PPC_CPU_BEHAV_BNDS_CHK_SPEC_BAR BIT64(61)
#define KVM_PPC_CPU_BEHAV_FLUSH_COUNT_CACHE BIT64(58)

/* --- capabilities --- */

enum kvm_ppc_capabilities {
	KVM_CAP_PPC_SEGSTATE = 43,
	KVM_CAP_PPC_OSI = 52,
	KVM_CAP_PPC_UNSET_IRQ = 53,
	KVM_CAP_PPC_GET_PVINFO = 57,
	KVM_CAP_PPC_IRQ_LEVEL = 58,
	KVM_CAP_SPAPR_TCE = 63,
	KVM_CAP_PPC_SMT = 64,
	KVM_CAP_PPC_RMA = 65,
	KVM_CAP_PPC_HIOR = 67,
	KVM_CAP_PPC_PAPR = 68,
	KVM_CAP_PPC_GET_SMMU_INFO = 78,
	KVM_CAP_PPC_ALLOC_HTAB = 80,
	KVM_CAP_PPC_HTAB_FD = 84,
	KVM_CAP_PPC_RTAS = 91,
	KVM_CAP_IRQ_XICS = 92,
	KVM_CAP_SPAPR_MULTITCE = 94,
	KVM_CAP_PPC_FIXUP_HCALL = 103,
	KVM_CAP_PPC_ENABLE_HCALL = 104,
	KVM_CAP_PPC_HWRNG = 115,
	KVM_CAP_SPAPR_TCE_64 = 125,
	KVM_CAP_PPC_HTM = 132,
	KVM_CAP_SPAPR_RESIZE_HPT = 133,
	KVM_CAP_PPC_MMU_RADIX = 134,
	KVM_CAP_PPC_MMU_HASH_V3 = 135,
	KVM_CAP_PPC_FWNMI = 146,
	KVM_CAP_PPC_SMT_POSSIBLE = 147,
	KVM_CAP_PPC_GET_CPU_CHAR = 151,
	KVM_CAP_PPC_NESTED_HV = 160,
	KVM_CAP_PPC_IRQ_XIVE = 169,
	KVM_CAP_PPC_GUEST_DEBUG_SSTEP = 176,
	KVM_CAP_PPC_SECURE_GUEST = 181,
	KVM_CAP_PPC_DAWR1 = 194,
	KVM_CAP_PPC_RPT_INVALIDATE = 202,
	KVM_CAP_PPC_AIL_MODE_3 = 210,
};

/* --- requests --- */

#define KVM_GET_REGS              KVM_IOR(0x81, struct kvm_regs)
#define KVM_SET_REGS              KVM_IOW(0x82, struct kvm_regs)
#define KVM_GET_SREGS             KVM_IOR(0x83, struct kvm_sregs)
#define KVM_SET_SREGS             KVM_IOW(0x84, struct kvm_sregs)
#define KVM_GET_FPU               KVM_IOR(0x8c, struct kvm_fpu)
#define KVM_SET_FPU               KVM_IOW(0x8d, struct kvm_fpu)
#define KVM_SET_GUEST_DEBUG       KVM_IOW(0x9b, struct kvm_guest_debug)
#define KVM_PPC_GET_SMMU_INFO     KVM_IOR(0xa6, struct kvm_ppc_smmu_info)
#define KVM_PPC_RTAS_DEFINE_TOKEN KVM_IOW(0xac, struct kvm_rtas_token_args)
#define KVM_PPC_CONFIGURE_V3_MMU  KVM_IOW(0xaf, struct kvm_ppc_mmuv3_cfg)
#define KVM_PPC_GET_RMMU_INFO     KVM_IOW(0xb0, struct kvm_ppc_rmmu_info)
#define KVM_PPC_GET_CPU_CHAR      KVM_IOR(0xb1, struct kvm_ppc_cpu_char)
#define KVM_PPC_SVM_OFF           KVM_IO(0xb3)

/* --- register identifiers (KVM_GET_ONE_REG, KVM_SET_ONE_REG) --- */

#define KVM_REG_PPC_32(n)  (KVM_REG_PPC | KVM_REG_SIZE_U32 | (n))
#define KVM_REG_PPC_64(n)  (KVM_REG_PPC | KVM_REG_SIZE_U64 | (n))
#define KVM_REG_PPC_128(n) (KVM_REG_PPC | KVM_REG_SIZE_U128 | (n))

#define KVM_REG_PPC_HIOR        KVM_REG_PPC_64(0x01)
#define KVM_REG_PPC_DABR        KVM_REG_PPC_64(0x08)
#define KVM_REG_PPC_DSCR        KVM_REG_PPC_64(0x09)
#define KVM_REG_PPC_PURR        KVM_REG_PPC_64(0x0a)
#define KVM_REG_PPC_SPURR       KVM_REG_PPC_64(0x0b)
#define KVM_REG_PPC_DAR         KVM_REG_PPC_64(0x0c)
#define KVM_REG_PPC_DSISR       KVM_REG_PPC_32(0x0d)
#define KVM_REG_PPC_AMR         KVM_REG_PPC_64(0x0e)
#define KVM_REG_PPC_UAMOR       KVM_REG_PPC_64(0x0f)
#define KVM_REG_PPC_MMCR0       KVM_REG_PPC_64(0x10)
#define KVM_REG_PPC_MMCR1       KVM_REG_PPC_64(0x11)
#define KVM_REG_PPC_MMCRA       KVM_REG_PPC_64(0x12)
#define KVM_REG_PPC_MMCR2       KVM_REG_PPC_64(0x13)
#define KVM_REG_PPC_MMCRS       KVM_REG_PPC_64(0x14)
#define KVM_REG_PPC_SIAR        KVM_REG_PPC_64(0x15)
#define KVM_REG_PPC_SDAR        KVM_REG_PPC_64(0x16)
#define KVM_REG_PPC_SIER        KVM_REG_PPC_64(0x17)
#define KVM_REG_PPC_PMC(n)      KVM_REG_PPC_32(0x17 + (n)) /* 1..8 */
#define KVM_REG_PPC_FPR(n)      KVM_REG_PPC_64(0x20 + (n))
#define KVM_REG_PPC_VR(n)       KVM_REG_PPC_128(0x40 + (n))
#define KVM_REG_PPC_VSR(n)      KVM_REG_PPC_128(0x60 + (n)) /* 0..31 */
#define KVM_REG_PPC_FPSCR       KVM_REG_PPC_64(0x80)
#define KVM_REG_PPC_VSCR        KVM_REG_PPC_32(0x81)
#define KVM_REG_PPC_VPA_ADDR    KVM_REG_PPC_64(0x82)
#define KVM_REG_PPC_VPA_SLB     KVM_REG_PPC_128(0x83) /* address, then length, as two integers */
#define KVM_REG_PPC_VPA_DTL     KVM_REG_PPC_128(0x84)
#define KVM_REG_PPC_DEBUG_INST  KVM_REG_PPC_32(0x8b)
#define KVM_REG_PPC_ICP_STATE   KVM_REG_PPC_64(0x8c)
#define KVM_REG_PPC_VP_STATE    KVM_REG_PPC_128(0x8d)
#define KVM_REG_PPC_TB_OFFSET   KVM_REG_PPC_64(0x9c)
#define KVM_REG_PPC_SPMC1       KVM_REG_PPC_32(0x9d)
#define KVM_REG_PPC_SPMC2       KVM_REG_PPC_32(0x9e)
#define KVM_REG_PPC_IAMR        KVM_REG_PPC_64(0x9f)
#define KVM_REG_PPC_TFHAR       KVM_REG_PPC_64(0xa0)
#define KVM_REG_PPC_TFIAR       KVM_REG_PPC_64(0xa1)
#define KVM_REG_PPC_TEXASR      KVM_REG_PPC_64(0xa2)
#define KVM_REG_PPC_FSCR        KVM_REG_PPC_64(0xa3)
#define KVM_REG_PPC_PSPB        KVM_REG_PPC_32(0xa4)
#define KVM_REG_PPC_EBBHR       KVM_REG_PPC_64(0xa5)
#define KVM_REG_PPC_EBBRR       KVM_REG_PPC_64(0xa6)
#define KVM_REG_PPC_BESCR       KVM_REG_PPC_64(0xa7)
#define KVM_REG_PPC_TAR         KVM_REG_PPC_64(0xa8)
#define KVM_REG_PPC_DPDES       KVM_REG_PPC_64(0xa9)
#define KVM_REG_PPC_DAWR        KVM_REG_PPC_64(0xaa)
#define KVM_REG_PPC_DAWRX       KVM_REG_PPC_64(0xab)
#define KVM_REG_PPC_CIABR       KVM_REG_PPC_64(0xac)
#define KVM_REG_PPC_IC          KVM_REG_PPC_64(0xad)
#define KVM_REG_PPC_VTB         KVM_REG_PPC_64(0xae)
#define KVM_REG_PPC_CSIGR       KVM_REG_PPC_64(0xaf)
#define KVM_REG_PPC_TACR        KVM_REG_PPC_64(0xb0)
#define KVM_REG_PPC_TCSCR       KVM_REG_PPC_64(0xb1)
#define KVM_REG_PPC_PID         KVM_REG_PPC_64(0xb2)
#define KVM_REG_PPC_ACOP        KVM_REG_PPC_64(0xb3)
#define KVM_REG_PPC_VRSAVE      KVM_REG_PPC_32(0xb4)
#define KVM_REG_PPC_LPCR        KVM_REG_PPC_32(0xb5)
#define KVM_REG_PPC_LPCR_64     KVM_REG_PPC_64(0xb5)
#define KVM_REG_PPC_PPR         KVM_REG_PPC_64(0xb6)
#define KVM_REG_PPC_ARCH_COMPAT KVM_REG_PPC_32(0xb7)
#define KVM_REG_PPC_DABRX       KVM_REG_PPC_32(0xb8)
#define KVM_REG_PPC_WORT        KVM_REG_PPC_64(0xb9)
#define KVM_REG_PPC_TIDR        KVM_REG_PPC_64(0xbc)
#define KVM_REG_PPC_PSSCR       KVM_REG_PPC_64(0xbd)
#define KVM_REG_PPC_DEC_EXPIRY  KVM_REG_PPC_64(0xbe) /* in guest time base ticks */
#define KVM_REG_PPC_ONLINE      KVM_REG_PPC_32(0xbf)
#define KVM_REG_PPC_PTCR        KVM_REG_PPC_64(0xc0)

/* Checkpointed state of a transaction */
#define KVM_REG_PPC_TM        (KVM_REG_PPC | UINT64_C(0x80000000))
#define KVM_REG_PPC_TM_GPR(n) (KVM_REG_PPC_TM | KVM_REG_SIZE_U64 | (n))

/* KVM_REG_PPC_ICP_STATE */
#define KVM_REG_PPC_ICP_CPPR_SHIFT 56
#define KVM_REG_PPC_ICP_CPPR_MASK  UINT64_C(0xff)
#define KVM_REG_PPC_ICP_XISR_SHIFT 32
#define KVM_REG_PPC_ICP_XISR_MASK  UINT64_C(0xffffff)
#define KVM_REG_PPC_ICP_MFRR_SHIFT 24
#define KVM_REG_PPC_ICP_MFRR_MASK  UINT64_C(0xff)
#define KVM_REG_PPC_ICP_PPRI_SHIFT 16
#define KVM_REG_PPC_ICP_PPRI_MASK  UINT64_C(0xff)

/* --- the XICS device (devices/xics.rst) --- */

#define KVM_DEV_XICS_GRP_SOURCES 1 /* attr: source number; data: 64 bits as below */
#define KVM_DEV_XICS_GRP_CTRL    2
#define KVM_DEV_XICS_NR_SERVERS  1 /* data: 32 bits */

#define KVM_XICS_DESTINATION_SHIFT 0
#define KVM_XICS_DESTINATION_MASK  UINT64_C(0xffffffff)
#define KVM_XICS_PRIORITY_SHIFT    32
#define KVM_XICS_PRIORITY_MASK     UINT64_C(0xff)
#define KVM_XICS_LEVEL_SENSITIVE   (UINT64_C(1) << 40)
#define KVM_XICS_MASKED            (UINT64_C(1) << 41)
#define KVM_XICS_PENDING           (UINT64_C(1) << 42)
#define KVM_XICS_PRESENTED         (UINT64_C(1) << 43)
#define KVM_XICS_QUEUED            (UINT64_C(1) << 44)

#endif
