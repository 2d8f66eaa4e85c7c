/*
 * Threads of a core that depend on each other (tuning.joint_threads, kvm-hv's
 * indep_threads_mode=N): all of a core's threads are in the same partition, so that while one of
 * them is inside an L2, no other can be. L1 sees H_ENTER_NESTED take longer.
 *
 * Whoever leaves L2 hands the core to who has waited longest. A wait ends early, and the
 * hypercall with it, when the vCPU has something else to do: then L1 tries again.
 */
#include "kvm/powerpc/nested.h"
#include "util/bits.h"

static struct nested_core *core_of(struct ppc_vcpu *v)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(v);

	return &vm->nested->core[v->vcpu.id / vm->smt_mode];
}

/* mmu_lock held, as in all functions up to release. */
static void append(struct nested_core *core, struct ppc_vcpu *v)
{
	struct ppc_vcpu **link = &core->first;

	while (*link)
		link = &(*link)->core_next;
	v->core_next = NULL;
	*link = v;
}

static void unlist(struct nested_core *core, struct ppc_vcpu *v)
{
	struct ppc_vcpu **link = &core->first;

	while (*link && *link != v)
		link = &(*link)->core_next;
	if (*link)
		*link = v->core_next;
}

static void release(struct nested_core *core)
{
	core->owner = core->first;
	if (!core->owner)
		return;
	core->first = core->owner->core_next;
	kvm_vcpu_wake(&core->owner->vcpu);
}

/* Has the vCPU anything to do but to wait? */
static bool distracted(struct ppc_vcpu *v)
{
	if (kvm_vcpu_interrupted(&v->vcpu)) {
		/* For the run loop to find. */
		kvm_vcpu_kick(&v->vcpu);
		return true;
	}
	return atomic_load(&v->vcpu.requests) || atomic_load(&v->vcpu.vm->bugged) ||
	       p9_external_pending(v->vcpu.cpu);
}

/* Nanoseconds of a number of ticks, rounded up; a day is as good as never. */
static int64_t ticks_to_ns(uint64_t ticks)
{
	if (ticks > P9_TB_HZ * 86400)
		ticks = P9_TB_HZ * 86400;
	return (int64_t)(ticks * 1000 / (P9_TB_HZ / 1000000)) + 1;
}

bool nested_core_enter(struct ppc_vcpu *v, uint64_t until)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(v);
	struct nested_core *core = core_of(v);
	const struct p9_regs *r = p9_regs(v->vcpu.cpu);
	bool mine;

	if (!vm->joint_threads)
		return true;
	kvm_lock(&vm->mmu_lock);
	mine = !core->owner;
	if (mine)
		core->owner = v;
	else
		append(core, v);
	kvm_unlock(&vm->mmu_lock);
	if (mine)
		return true;

	vpa_leave(v);
	for (;;) {
		uint32_t seq = atomic_load(&v->vcpu.wake_seq);
		uint64_t now = p9_tb(r);

		kvm_lock(&vm->mmu_lock);
		mine = core->owner == v;
		kvm_unlock(&vm->mmu_lock);
		if (mine || now >= until || distracted(v))
			break;
		kvm_vcpu_block(&v->vcpu, seq, ticks_to_ns(until - now));
	}
	vpa_enter(v);
	if (mine)
		return true;
	kvm_lock(&vm->mmu_lock);
	mine = core->owner == v; /* just now */
	if (!mine)
		unlist(core, v);
	kvm_unlock(&vm->mmu_lock);
	return mine;
}

void nested_core_leave(struct ppc_vcpu *v)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(v);
	struct nested_core *core = core_of(v);

	if (!vm->joint_threads)
		return;
	kvm_lock(&vm->mmu_lock);
	release(core);
	kvm_unlock(&vm->mmu_lock);
}
