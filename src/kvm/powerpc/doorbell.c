/*
 * Directed privileged doorbells: msgsndp and msgclrp, and reads of TIR and DPDES. HFSCR[MSGP] is
 * off, so they come here, and threads of a core are what KVM_CAP_PPC_SMT says (smt_mode consecutive
 * vCPU identifiers), whatever the host has.
 */
#include "kvm/powerpc/powerpc.h"

#define XO_MSGSNDP 142
#define XO_MSGCLRP 174
#define XO_MFSPR   339
#define SPR_DPDES  176
#define SPR_TIR    446

/* A message (RB): type in bits 32:36, thread in 57:63 */
#define MSG_TYPE(rb)    (((rb) >> 27) & 0x1f)
#define MSG_TYPE_SERVER 5
#define MSG_THREAD(rb)  ((rb)&0x7f)

static struct ppc_vcpu *sibling(struct ppc_vcpu *v, uint32_t thread)
{
	uint32_t threads = ppc_vm_of_vcpu(v)->smt_mode;
	struct kvm_vcpu *s;

	if (thread >= threads)
		return NULL;
	s = kvm_find_vcpu(v->vcpu.vm, (v->vcpu.id & ~(threads - 1)) + thread);
	return s ? ppc_vcpu_of(s) : NULL;
}

/* A bit per thread with a doorbell pending; of a running sibling, as of its last entry. */
static uint64_t read_dpdes(struct ppc_vcpu *v)
{
	uint32_t threads = ppc_vm_of_vcpu(v)->smt_mode;
	uint64_t dpdes = 0;

	for (uint32_t i = 0; i < threads; i++) {
		struct ppc_vcpu *s = sibling(v, i);
		bool pending = s && atomic_load(&s->doorbell);

		if (s == v)
			pending |= p9_regs(v->vcpu.cpu)->dpdes & 1;
		if (pending)
			dpdes |= UINT64_C(1) << i;
	}
	return dpdes;
}

enum ppc_next ppc_emulate_doorbell(struct ppc_vcpu *v)
{
	struct cpu *c = v->vcpu.cpu;
	struct p9_regs *r = p9_regs(c);
	struct ppc_vcpu *target;
	uint32_t insn;
	unsigned rt, rb, spr;

	if (!ppc_fetch_current(v, &insn))
		return PPC_RESUME; /* it will fault by itself */
	if (insn >> 26 != 31)
		goto illegal;
	rt = (insn >> 21) & 31;
	rb = (insn >> 11) & 31;
	spr = ((insn >> 16) & 31) | ((insn >> 11) & 31) << 5;
	switch ((insn >> 1) & 0x3ff) {
	case XO_MSGSNDP:
		if (MSG_TYPE(r->gpr[rb]) != MSG_TYPE_SERVER)
			break;
		target = sibling(v, MSG_THREAD(r->gpr[rb]));
		if (target) {
			atomic_store(&target->doorbell, true);
			kvm_make_request(&target->vcpu, PPC_REQ_DOORBELL);
		}
		break;
	case XO_MSGCLRP:
		if (MSG_TYPE(r->gpr[rb]) != MSG_TYPE_SERVER)
			break;
		kvm_check_request(&v->vcpu, PPC_REQ_DOORBELL);
		atomic_store(&v->doorbell, false);
		r->dpdes &= ~UINT64_C(1);
		p9_state_changed(c);
		break;
	case XO_MFSPR:
		if (spr == SPR_TIR)
			r->gpr[rt] = v->vcpu.id & (ppc_vm_of_vcpu(v)->smt_mode - 1);
		else if (spr == SPR_DPDES)
			r->gpr[rt] = read_dpdes(v);
		else
			goto illegal;
		break;
	default:
		goto illegal;
	}
	p9_set_pc(c, p9_pc(c) + 4);
	return PPC_RESUME;

illegal:
	ppc_inject_program(v, PPC_PROG_ILLEGAL);
	return PPC_RESUME;
}
