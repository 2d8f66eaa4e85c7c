/*
 * Address translation of POWER9: radix trees, process-scoped (the guest's own) over
 * partition-scoped (the hypervisor's). Power ISA 3.0B Book III chapter 5.
 */
#ifndef ANYKVM_CPU_POWER9_MMU_H
#define ANYKVM_CPU_POWER9_MMU_H

#include "cpu/power9/core.h"

/* Radix page-table entries (Book III 5.7.10) */
#define RPTE_VALID     (UINT64_C(1) << 63)
#define RPTE_LEAF      (UINT64_C(1) << 62)
#define RPTE_RPN_MASK  UINT64_C(0x01fffffffffff000)
#define RPTE_R         UINT64_C(0x100)
#define RPTE_C         UINT64_C(0x80)
#define RPTE_ATT_MASK  UINT64_C(0x30)
#define RPTE_ATT_NI    UINT64_C(0x20) /* non-idempotent I/O: guarded */
#define RPTE_EAA_PRIV  UINT64_C(8)
#define RPTE_EAA_READ  UINT64_C(4)
#define RPTE_EAA_RW    UINT64_C(2)
#define RPTE_EAA_EXEC  UINT64_C(1)
#define RPDE_NLB_MASK  UINT64_C(0x01ffffffffffff00)
#define RPDE_NLS_MASK  UINT64_C(0x1f)

/* Process- and partition-table entries: root of a tree */
#define RTE_RPDB_MASK  UINT64_C(0x0fffffffffffff00)
#define RTE_RPDS_MASK  UINT64_C(0x1f)

enum prot { PROT_R = 1, PROT_W = 2, PROT_X = 4 };

/* Why a translation failed; what the interrupt registers will say. */
struct radix_fault {
	uint32_t bits;      /* DSISR positions; for fetches the SRR1 ones, which are the same */
	bool segment;       /* the address is outside what the tree can translate */
	bool partition;     /* the hypervisor's: HDSI or HISI, with the guest real address below */
	uint64_t guest_real;
};

/* The guest's table entries that a walk of the process-scoped tree went through, leaf last. */
#define RADIX_TRACE 6

struct radix_trace {
	unsigned count; /* more than RADIX_TRACE: not all are here; 0: no such tree */
	unsigned shift; /* of the leaf */
	struct {
		const _Atomic uint64_t *where;
		uint64_t value;
	} entry[RADIX_TRACE];
};

struct radix_result {
	uint64_t host;    /* host virtual address of the byte */
	uint64_t guest_real;
	unsigned shift;   /* log2 of the smaller page of the two scopes */
	unsigned prot;    /* enum prot allowed now; W only if C is set in both scopes */
	struct radix_trace trace;
};

/*
 * Translate ea for an access by the thread's present state (relocation, PR, AMR). Sets R and C
 * bits as the hardware does. `debug`: sets nothing.
 */
bool radix_translate(struct p9_cpu *p, uint64_t ea, enum mem_access kind, bool debug,
		     struct radix_result *res, struct radix_fault *fault);

/* mmu.c: translation contexts and the TLBs that belong to them. */

struct p9_mmu;

int p9_mmu_init(struct p9_cpu *p);
void p9_mmu_fini(struct p9_cpu *p);

/* Select the contexts for the present state; after any change of MSR, PID, LPID, AMR, IAMR. */
void p9_mmu_select(struct p9_cpu *p);

/* The TLB of guest real addresses of the present partition, for table walks. */
struct tlb *p9_mmu_real_tlb(struct p9_cpu *p);
/* The walker entered the block of gra there. */
void p9_mmu_real_filled(struct p9_cpu *p, uint64_t gra);

void *p9_mmu_fetch(struct cpu *c, unsigned *page_shift);
void p9_mmu_request(struct cpu *c, const struct cpu_request *req);

extern const struct mem_door_ops p9_door_ops;

#endif
