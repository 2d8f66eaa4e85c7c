/*
 * Statistics of POWER: see stat.h. Vectors have the names of the kernel's kvm_hv tracepoints,
 * hypercalls PAPR's.
 */
#include "kvm/abi/kvm.h"
#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/powerpc.h"
#include "kvm/powerpc/stat.h"

/* --- names --- */

/* What the architecture takes to hypervisor state here. */
#define EXITS(_)                                                                                   \
	_(SYSTEM_RESET, P9_VEC_RESET)                                                              \
	_(MACHINE_CHECK, P9_VEC_MACHINE_CHECK)                                                     \
	_(EXTERNAL, P9_VEC_EXTERNAL)                                                               \
	_(HV_DECREMENTER, P9_VEC_HDEC)                                                             \
	_(SYSCALL, P9_VEC_SYSCALL)                                                                 \
	_(H_DATA_STORAGE, P9_VEC_HDSI)                                                             \
	_(H_INST_STORAGE, P9_VEC_HISI)                                                             \
	_(H_EMUL_ASSIST, P9_VEC_HEAI)                                                              \
	_(H_MAINTENANCE, P9_VEC_HMI)                                                               \
	_(H_DOORBELL, P9_VEC_HDOORBELL)                                                            \
	_(H_VIRT, P9_VEC_HVIRT)                                                                    \
	_(PERFMON, P9_VEC_PERFMON)                                                                 \
	_(H_FAC_UNAVAIL, P9_VEC_HFAC_UNAVAILABLE)

/* What it delivers to the supervisor. */
#define INTERRUPTS(_)                                                                              \
	_(MACHINE_CHECK, P9_VEC_MACHINE_CHECK)                                                     \
	_(DATA_STORAGE, P9_VEC_DSI)                                                                \
	_(DATA_SEGMENT, P9_VEC_DSEGI)                                                              \
	_(INST_STORAGE, P9_VEC_ISI)                                                                \
	_(INST_SEGMENT, P9_VEC_ISEGI)                                                              \
	_(EXTERNAL, P9_VEC_EXTERNAL)                                                               \
	_(ALIGNMENT, P9_VEC_ALIGNMENT)                                                             \
	_(PROGRAM, P9_VEC_PROGRAM)                                                                 \
	_(FP_UNAVAIL, P9_VEC_FP_UNAVAILABLE)                                                       \
	_(DECREMENTER, P9_VEC_DECREMENTER)                                                         \
	_(DOORBELL, P9_VEC_DOORBELL)                                                               \
	_(SYSCALL, P9_VEC_SYSCALL)                                                                 \
	_(SYSCALL_VECTORED, P9_VEC_SCV)                                                            \
	_(TRACE, P9_VEC_TRACE)                                                                     \
	_(PERFMON, P9_VEC_PERFMON)                                                                 \
	_(ALTIVEC, P9_VEC_VEC_UNAVAILABLE)                                                         \
	_(VSX, P9_VEC_VSX_UNAVAILABLE)                                                             \
	_(FAC_UNAVAIL, P9_VEC_FAC_UNAVAILABLE)

#define HCALLS(_)                                                                                  \
	_(H_REMOVE) _(H_ENTER) _(H_READ) _(H_CLEAR_MOD) _(H_CLEAR_REF) _(H_PROTECT)                \
	_(H_GET_TCE) _(H_PUT_TCE) _(H_SET_SPRG0) _(H_SET_DABR) _(H_PAGE_INIT)                      \
	_(H_LOGICAL_CI_LOAD) _(H_LOGICAL_CI_STORE) _(H_LOGICAL_CACHE_LOAD)                         \
	_(H_LOGICAL_CACHE_STORE) _(H_LOGICAL_ICBI) _(H_LOGICAL_DCBF) _(H_GET_TERM_CHAR)            \
	_(H_PUT_TERM_CHAR) _(H_EOI) _(H_CPPR) _(H_IPI) _(H_IPOLL) _(H_XIRR) _(H_PERFMON)           \
	_(H_REGISTER_VPA) _(H_CEDE) _(H_CONFER) _(H_PROD) _(H_GET_PPP) _(H_SET_PPP) _(H_PURR)      \
	_(H_PIC) _(H_REG_CRQ) _(H_FREE_CRQ) _(H_VIO_SIGNAL) _(H_SEND_CRQ)                          \
	_(H_REGISTER_LOGICAL_LAN) _(H_FREE_LOGICAL_LAN) _(H_ADD_LOGICAL_LAN_BUFFER)                \
	_(H_SEND_LOGICAL_LAN) _(H_BULK_REMOVE) _(H_MULTICAST_CTRL) _(H_SET_XDABR) _(H_STUFF_TCE)   \
	_(H_PUT_TCE_INDIRECT) _(H_GET_CPU_CHARACTERISTICS) _(H_POLL_PENDING) _(H_JOIN)             \
	_(H_VIOCTL) _(H_ENABLE_CRQ) _(H_GET_EM_PARMS) _(H_SET_MPP) _(H_GET_MPP)                    \
	_(H_HOME_NODE_ASSOCIATIVITY) _(H_BEST_ENERGY) _(H_XIRR_X) _(H_RANDOM) _(H_GET_MPP_X)       \
	_(H_SET_MODE) _(H_BLOCK_REMOVE) _(H_CLEAR_HPT) _(H_REGISTER_PROC_TBL)                      \
	_(H_SIGNAL_SYS_RESET) _(H_RPT_INVALIDATE) _(H_GET_ENERGY_SCALE_INFO) _(H_WATCHDOG)         \
	_(H_RTAS) _(H_LOGICAL_MEMOP) _(H_CAS) _(H_UPDATE_DT) _(H_SET_PARTITION_TABLE)              \
	_(H_ENTER_NESTED) _(H_TLB_INVALIDATE) _(H_COPY_TOFROM_GUEST)

static const struct kvm_stat vm_stats[] = {
	KVM_STAT_INSTANT("nested_guests"),
	KVM_STAT_BYTES("shadow_table_bytes"),
};

const struct kvm_stat_table ppc_vm_stats = {vm_stats, ARRAY_SIZE(vm_stats)};

static const struct kvm_stat vcpu_stats[] = {
	KVM_STAT_COUNTER("exits"),
	KVM_STAT_COUNTER("l2_exits"),
#define _(name, vector) KVM_STAT_COUNTER("exit_" #name),
	EXITS(_)
#undef _
	KVM_STAT_COUNTER("exit_other"),
#define _(name, vector) KVM_STAT_COUNTER("l2_exit_" #name),
	EXITS(_)
#undef _
	KVM_STAT_COUNTER("l2_exit_other"),
#define _(nr) KVM_STAT_COUNTER("hcall_" #nr),
	HCALLS(_)
#undef _
	KVM_STAT_COUNTER("hcall_other"),
#define _(nr) KVM_STAT_COUNTER("l2_hcall_" #nr),
	HCALLS(_)
#undef _
	KVM_STAT_COUNTER("l2_hcall_other"),
#define _(name, vector) KVM_STAT_COUNTER("interrupt_" #name),
	INTERRUPTS(_)
#undef _
	KVM_STAT_COUNTER("page_fault_mapped"),
	KVM_STAT_COUNTER("page_fault_no_memory"),
	KVM_STAT_COUNTER("page_fault_device"),
	KVM_STAT_COUNTER("shadow_fault_mapped"),
	KVM_STAT_COUNTER("shadow_fault_no_memory"),
	KVM_STAT_COUNTER("shadow_fault_device"),
	KVM_STAT_COUNTER("shadow_fault_to_l1"),
	KVM_STAT_COUNTER("nested_entries"),
	KVM_STAT_COUNTER("nested_entries_refused"),
	KVM_STAT_COUNTER("nested_exit_again"),
#define _(name, vector) KVM_STAT_COUNTER("nested_exit_" #name),
	EXITS(_)
#undef _
	KVM_STAT_COUNTER("nested_exit_other"),
};

const struct kvm_stat_table ppc_vcpu_stats = {vcpu_stats, ARRAY_SIZE(vcpu_stats)};

/* --- counting --- */

static unsigned vector_slot(uint64_t vector)
{
	return vector / 0x20 % PPC_STAT_VECTORS;
}

static unsigned hcall_slot(uint64_t nr)
{
	if (nr % 4 == 0 && nr <= H_LAST_PAPR)
		return (unsigned)(nr / 4);
	if (nr >= H_RTAS && nr - H_RTAS < 4)
		return PPC_STAT_HCALL_KVM + (unsigned)(nr - H_RTAS);
	if (nr % 4 == 0 && nr >= H_SET_PARTITION_TABLE && nr <= H_COPY_TOFROM_GUEST)
		return PPC_STAT_HCALL_NESTED + (unsigned)(nr - H_SET_PARTITION_TABLE) / 4;
	return PPC_STAT_HCALL_OTHER;
}

_Static_assert(H_COPY_TOFROM_GUEST == H_SET_PARTITION_TABLE + 12, "hypercalls of nesting");
_Static_assert((int)PPC_FAULT_NO_MEMORY == (int)NESTED_NO_MEMORY &&
		       (int)PPC_FAULT_DEVICE == (int)NESTED_DEVICE &&
		       (int)PPC_FAULT_GUEST == (int)NESTED_FAULT,
	       "shadow faults are counted by enum nested_map");

void ppc_stat_exit(struct ppc_vcpu *v)
{
	enum ppc_level level = v->nested ? PPC_L2 : PPC_L1;
	const struct p9_regs *r = p9_regs(v->vcpu.cpu);
	uint32_t vector = p9_exit_vector(v->vcpu.cpu);

	count(&v->stat.exits[level]);
	count(&v->stat.exit[level][vector_slot(vector)]);
	/* In problem state, sc 1 is no hypercall. */
	if (vector == P9_VEC_SYSCALL && !(r->msr & P9_MSR_PR))
		count(&v->stat.hcall[level][hcall_slot(r->gpr[3])]);
}

void ppc_stat_nested_exit(struct ppc_vcpu *v, long trap)
{
	count(&v->stat.nested_exit[vector_slot((uint64_t)trap)]);
}

/* --- reading --- */

/* Those that have names, into *out, and the rest of `all` behind them. */
static uint64_t *read_exits(const struct counter *exit, unsigned first, uint64_t *out)
{
	uint64_t other = 0;

	for (unsigned i = first; i < PPC_STAT_VECTORS; i++)
		other += counter_read(&exit[i]);
#define _(name, vector)                                                                            \
	*out = counter_read(&exit[vector_slot(vector)]);                                           \
	other -= *out++;
	EXITS(_)
#undef _
	/* They were not read at one moment. */
	*out++ = (int64_t)other < 0 ? 0 : other;
	return out;
}

static uint64_t *read_hcalls(const struct counter *hcall, uint64_t *out)
{
	uint64_t other = 0;

	for (unsigned i = 0; i < PPC_STAT_HCALLS; i++)
		other += counter_read(&hcall[i]);
#define _(nr)                                                                                      \
	*out = counter_read(&hcall[hcall_slot(nr)]);                                               \
	other -= *out++;
	HCALLS(_)
#undef _
	*out++ = (int64_t)other < 0 ? 0 : other;
	return out;
}

void ppc_vcpu_stats_read(struct kvm_vcpu *vcpu, uint64_t *out)
{
	const struct ppc_vcpu_stat *s = &ppc_vcpu_of(vcpu)->stat;

	*out++ = counter_read(&s->exits[PPC_L1]);
	*out++ = counter_read(&s->exits[PPC_L2]);
	out = read_exits(s->exit[PPC_L1], 0, out);
	out = read_exits(s->exit[PPC_L2], 0, out);
	out = read_hcalls(s->hcall[PPC_L1], out);
	out = read_hcalls(s->hcall[PPC_L2], out);
#define _(name, vector) *out++ = p9_delivered(vcpu->cpu, vector);
	INTERRUPTS(_)
#undef _
	for (unsigned i = 0; i < PPC_FAULT_GUEST; i++)
		*out++ = counter_read(&s->page_fault[i]);
	for (unsigned i = 0; i < PPC_FAULT_ENDS; i++)
		*out++ = counter_read(&s->shadow_fault[i]);
	*out++ = counter_read(&s->nested_entries);
	*out++ = counter_read(&s->nested_refused);
	*out++ = counter_read(&s->nested_exit[0]);
	read_exits(s->nested_exit, 1, out);
}

void ppc_vm_stats_read(struct kvm_vm *kvm_vm, uint64_t *out)
{
	struct ppc_vm *vm = ppc_vm_of(kvm_vm);

	kvm_lock(&vm->mmu_lock);
	out[0] = vm->nested ? vm->nested->nr_guests : 0;
	out[1] = vm->nested ? vm->nested->nr_tables * shadow_table_bytes() : 0;
	kvm_unlock(&vm->mmu_lock);
}
