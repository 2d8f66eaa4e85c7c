/*
 * POWER9 (Power ISA 3.0B): the registers of one hardware thread, as the hypervisor sees them, and
 * the few operations on them that are not register access.
 *
 * The thread never executes in hypervisor state (MSR[HV] = 1): an interrupt that the architecture
 * takes there ends cpu_run with CPU_EXIT_HYPERVISOR, `p9_exit_vector` holding its vector
 * and HSRR0/HSRR1 (SRR0/SRR1 for `sc 1`), HDAR, HDSISR, ASDR, HEIR as the Book III chapter on interrupts
 * says. pc and msr then are those of the interrupted guest (for `sc`: after it), so that another
 * cpu_run goes on where it was interrupted, as hrfid would.
 *
 * Real addresses that partition-scoped tables yield are host virtual addresses (mem/addr.h).
 *
 * Register access is by structure member, on the thread that holds the processor. After it
 * changes msr, fpscr, so, lpcr, lpidr, pidr, ptcr or the partition-table entry, p9_state_changed must be
 * called before the next cpu_run.
 */
#ifndef ANYKVM_CPU_POWER9_POWER9_H
#define ANYKVM_CPU_POWER9_POWER9_H

#include "cpu/cpu.h"
#include "ir/env.h"

#define P9_PVR UINT32_C(0x004e1202) /* POWER9 DD2.2 */

#define P9_TB_HZ UINT64_C(512000000)

/* Interrupt vectors (Book III, figure "Effective addresses of interrupt vectors"). */
enum p9_vector {
	P9_VEC_RESET = 0x100,
	P9_VEC_MACHINE_CHECK = 0x200,
	P9_VEC_DSI = 0x300,
	P9_VEC_DSEGI = 0x380,
	P9_VEC_ISI = 0x400,
	P9_VEC_ISEGI = 0x480,
	P9_VEC_EXTERNAL = 0x500,
	P9_VEC_ALIGNMENT = 0x600,
	P9_VEC_PROGRAM = 0x700,
	P9_VEC_FP_UNAVAILABLE = 0x800,
	P9_VEC_DECREMENTER = 0x900,
	P9_VEC_HDEC = 0x980,
	P9_VEC_DOORBELL = 0xa00,
	P9_VEC_SYSCALL = 0xc00,
	P9_VEC_TRACE = 0xd00,
	P9_VEC_HDSI = 0xe00,
	P9_VEC_HISI = 0xe20,
	P9_VEC_HEAI = 0xe40,
	P9_VEC_HMI = 0xe60,
	P9_VEC_HDOORBELL = 0xe80,
	P9_VEC_HVIRT = 0xea0,
	P9_VEC_PERFMON = 0xf00,
	P9_VEC_VEC_UNAVAILABLE = 0xf20,
	P9_VEC_VSX_UNAVAILABLE = 0xf40,
	P9_VEC_FAC_UNAVAILABLE = 0xf60,
	P9_VEC_HFAC_UNAVAILABLE = 0xf80,
	P9_VEC_SCV = 0x3000, /* offset of system call vectored, level 0 */
};

/* MSR */
#define P9_MSR_SF  (UINT64_C(1) << 63)
#define P9_MSR_HV  (UINT64_C(1) << 60)
#define P9_MSR_S   (UINT64_C(1) << 22)
#define P9_MSR_TS_MASK (UINT64_C(3) << 33)
#define P9_MSR_TM  (UINT64_C(1) << 32)
#define P9_MSR_VEC (UINT64_C(1) << 25)
#define P9_MSR_VSX (UINT64_C(1) << 23)
#define P9_MSR_EE  (UINT64_C(1) << 15)
#define P9_MSR_PR  (UINT64_C(1) << 14)
#define P9_MSR_FP  (UINT64_C(1) << 13)
#define P9_MSR_ME  (UINT64_C(1) << 12)
#define P9_MSR_FE0 (UINT64_C(1) << 11)
#define P9_MSR_SE  (UINT64_C(1) << 10) /* TE, bits 53:54: single-step, branch trace */
#define P9_MSR_BE  (UINT64_C(1) << 9)
#define P9_MSR_FE1 (UINT64_C(1) << 8)
#define P9_MSR_IR  (UINT64_C(1) << 5)
#define P9_MSR_DR  (UINT64_C(1) << 4)
#define P9_MSR_PMM (UINT64_C(1) << 2)
#define P9_MSR_RI  (UINT64_C(1) << 1)
#define P9_MSR_LE  (UINT64_C(1) << 0)

/* LPCR */
#define P9_LPCR_EVIRT  (UINT64_C(1) << 42)
#define P9_LPCR_ILE    (UINT64_C(1) << 25)
#define P9_LPCR_AIL    (UINT64_C(3) << 23)
#define P9_LPCR_UPRT   (UINT64_C(1) << 22)
#define P9_LPCR_HR     (UINT64_C(1) << 20) /* host radix */
#define P9_LPCR_LD     (UINT64_C(1) << 17)
#define P9_LPCR_PECE   (UINT64_C(0x1f) << 12)
#define P9_LPCR_MER    (UINT64_C(1) << 11)
#define P9_LPCR_GTSE   (UINT64_C(1) << 10)
#define P9_LPCR_HEIC   (UINT64_C(1) << 4)
#define P9_LPCR_LPES   (UINT64_C(1) << 3)
#define P9_LPCR_HVICE  (UINT64_C(1) << 1)
#define P9_LPCR_HDICE  (UINT64_C(1) << 0)

/* (H)FSCR facility bits; the interrupt cause codes are their bit numbers (from the right). */
enum p9_facility_bit {
	P9_FSCR_FP = 0, /* HFSCR only */
	P9_FSCR_VECVSX = 1, /* HFSCR only */
	P9_FSCR_DSCR = 2,
	P9_FSCR_PM = 3, /* HFSCR only */
	P9_FSCR_BHRB = 4, /* HFSCR only */
	P9_FSCR_TM = 5,
	P9_FSCR_EBB = 7,
	P9_FSCR_TAR = 8,
	P9_FSCR_MSGP = 10, /* HFSCR only */
	P9_FSCR_LM = 11,
	P9_FSCR_SCV = 12,
};

/* DSISR, HDSISR, and the matching SRR1/HSRR1 bits of instruction storage interrupts */
#define P9_DSISR_NOHPTE       0x40000000u /* no translation found */
#define P9_DSISR_NOEXEC       0x10000000u /* SRR1: no-execute or guarded */
#define P9_DSISR_PROTFAULT    0x08000000u
#define P9_DSISR_CACHE_INHIBITED 0x04000000u /* atomic to caching-inhibited storage */
#define P9_DSISR_ISSTORE      0x02000000u
#define P9_DSISR_DABRMATCH    0x00400000u
#define P9_DSISR_KEYFAULT     0x00200000u
#define P9_DSISR_UNSUPP_MMU   0x00080000u
#define P9_DSISR_SET_RC       0x00040000u /* R or C could not be set */
#define P9_DSISR_PRTABLE_FAULT 0x00020000u /* fault on a partition-scoped access to a process table */

/* XER fields are kept apart; p9_xer_get and p9_xer_set make the register. */
struct p9_regs {
	uint64_t gpr[32];
	uint64_t lr, ctr, tar;
	uint64_t crf[8];   /* p9_cr_get and p9_cr_set make the register; else cr.h */
	uint64_t so, ov, ca, ov32; /* each 0 or 1 */
	uint64_t ca32;     /* in bit 32 (from the right), the others are undefined */
	uint64_t xer_rest; /* the string byte count and reserved bits that can be written */
	uint64_t fpscr;
	u128 vsr[64];      /* doubleword 0 is the high half; FPR n is doubleword 0 of VSR n, VR n is VSR 32 + n */
	uint64_t vscr, vrsave;
	/*
	 * Reservation (reserve.h), if it is watched, or bare and carried over a region's end: its effective address; the bytes
	 * loaded, 0: none is watched; their value as a register would hold it. The bytes of one that is carried, else 0. The
	 * address (P9_RESV_BITS of it) that is to be watched from the load on, for so many loads more; and how many that were, of
	 * which address, when one was given up last.
	 */
	uint64_t resv_addr, resv_size;
	u128 resv_value;
	uint64_t resv_carried;
	uint64_t resv_watch, resv_left;
	uint64_t resv_given_up, resv_patience;

	uint64_t msr, srr0, srr1, hsrr0, hsrr1;
	uint64_t dar, dsisr, hdar, hdsisr, asdr, heir;
	uint64_t sprg[4], sprg_user, hsprg[2]; /* SPRG0..3; SPRG3's user image is sprg[3] */
	uint64_t pidr, lpidr, ptcr, lpcr, pcr, hrmor, rpr;
	uint64_t fscr, hfscr, dscr, udscr, ctrl;
	uint64_t amr, iamr, uamor, amor;
	uint64_t ciabr, dawr0, dawrx0;
	uint64_t cfar, tidr, ldbar;
	uint64_t pir, tir, dpdes, dhdes, ppr, pspb, tfhar, tfiar, texasr;
	uint64_t ebbhr, ebbrr, bescr, psscr, hmer, hmeer, tscr, ttr, ic, wort, lmrr, lmser;
	uint64_t mmcr0, mmcr1, mmcr2, mmcra, mmcrc, pmc[6], siar, sdar, sier;
	/*
	 * Time. TB = host time base + tb_offset. The decrementers are held as the time base value at
	 * which they pass zero; dec_pending latches nothing: the interrupt is level by sign. VTB,
	 * PURR and SPURR advance only while cpu_run is executing.
	 */
	uint64_t tb_offset;
	uint64_t dec_expires, hdec_expires;
	uint64_t vtb_base, purr_base, spurr_base;
	uint64_t tb_at_entry; /* host TB when cpu_run was entered */
	/*
	 * The partition-table entry of LPIDR: the hypervisor puts its two doublewords here as the
	 * silicon would have them cached from PTCR's table. patb0: HR, RTS, RPDB, RPDS of the
	 * partition-scoped tree, RPDB a host virtual address; patb1: process table, a guest real
	 * address.
	 */
	uint64_t patb0, patb1;
};

struct p9_cpu;

/* The registers of a processor of this architecture. */
struct p9_regs *p9_regs(struct cpu *c);

/* The program counter: env.pc, which every processor structure begins with (ir/env.h). */
static inline uint64_t p9_pc(const struct cpu *c)
{
	return ((const struct ir_env *)(const void *)c)->pc;
}

static inline void p9_set_pc(struct cpu *c, uint64_t pc)
{
	((struct ir_env *)(void *)c)->pc = pc;
}

extern const struct cpu_arch p9_arch;

/* Vector of the interrupt that ended cpu_run with CPU_EXIT_HYPERVISOR. */
uint32_t p9_exit_vector(const struct cpu *c);

/* How many interrupts of a kind were delivered to the supervisor (cpu_stats_read's rules). */
uint64_t p9_delivered(const struct cpu *c, enum p9_vector vector);

/* Re-derive what depends on control registers that the hypervisor has written. */
void p9_state_changed(struct cpu *c);

/*
 * Deliver an interrupt to the guest's own supervisor, as the hypervisor does when it injects one:
 * SRR0 = pc, SRR1 = msr with srr1_bits put in, MSR and pc by LPCR[ILE, AIL]. The vector is one that is
 * directed to the supervisor. DAR and DSISR are the caller's to set.
 */
void p9_deliver(struct cpu *c, enum p9_vector vector, uint64_t srr1_bits);

/* External interrupt pending for the guest (LPCR[MER] with delivery to the supervisor). Any thread. */
void p9_set_external(struct cpu *c, bool level);

/* Level of that line. Any thread. */
bool p9_external_pending(struct cpu *c);

/* Pending interrupts that would end a `cede`: external, decrementer, doorbell, regardless of EE. */
bool p9_interrupt_pending(struct cpu *c);

uint64_t p9_cr_get(const struct p9_regs *r);
void p9_cr_set(struct p9_regs *r, uint32_t cr);
uint64_t p9_xer_get(const struct p9_regs *r);
void p9_xer_set(struct p9_regs *r, uint64_t xer);

/* Time base of the host clock, in ticks of P9_TB_HZ; the guest's is this plus tb_offset. */
uint64_t p9_host_tb(void);
uint64_t p9_tb(const struct p9_regs *r);
uint64_t p9_dec_get(const struct p9_regs *r);       /* sign-extended by LPCR[LD] rules */
void p9_dec_set(struct cpu *c, uint64_t value);
/* The same by the time base at which it becomes negative less one: dec_expires. */
void p9_dec_set_expiry(struct cpu *c, uint64_t expires);
uint64_t p9_hdec_get(const struct p9_regs *r);
void p9_hdec_set(struct cpu *c, uint64_t value);
uint64_t p9_vtb_get(const struct p9_regs *r);
void p9_vtb_set(struct p9_regs *r, uint64_t value);
uint64_t p9_purr_get(const struct p9_regs *r);
void p9_purr_set(struct p9_regs *r, uint64_t value);
uint64_t p9_spurr_get(const struct p9_regs *r);
void p9_spurr_set(struct p9_regs *r, uint64_t value);

/*
 * Invalidate translations as tlbie does (RIC 0: TLB, 1: page-walk cache, 2: all with process or
 * partition table entries), on every processor of the system; done on return. Used by H_RPT_INVALIDATE and
 * by the hypervisor for its partition-scoped tables.
 *   lpid: whose translations; pid: ~0 for all processes, else of one; [start, end): effective
 *   addresses (process-scoped) or guest real addresses (partition_scoped); start = end = 0: all.
 */
void p9_invalidate(struct cpu_system *s, struct cpu *self, uint32_t lpid, uint64_t pid,
		   bool partition_scoped, uint64_t start, uint64_t end);

/*
 * Debugging and the hypervisor's copies: translate an effective address for a data read as the
 * guest would now, with no side effect and no exception. False: no translation.
 */
bool p9_translate_debug(struct cpu *c, gva_t ea, gpa_t *real);

/*
 * The instruction at the current pc, for a hypervisor that emulates it (MMIO). False: not readable.
 * p9_invalidate waits only for processors that run: the caller sees to it that page tables and what
 * they lead to stay until it returns.
 */
bool p9_fetch_current(struct cpu *c, uint32_t *insn);

#endif
