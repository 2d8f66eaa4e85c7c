/*
 * RTAS calls that the hypervisor serves when the VMM has given their tokens
 * (KVM_PPC_RTAS_DEFINE_TOKEN): those of the interrupt sources, which otherwise would each be a
 * detour through the VMM. The call's argument buffer is in guest memory (PAPR+, "RTAS Argument
 * Call Buffer"): token, number of arguments and of results, then both, all of 32 bits,
 * big-endian.
 */
#include <errno.h>
#include <string.h>

#include "kvm/powerpc/powerpc.h"
#include "mem/endian.h"

#define RTAS_WORDS     19 /* token, nargs, nret, 16 arguments and results */
#define RTAS_ARGS      3
#define RTAS_OK        0
#define RTAS_BAD_PARAM (-3)

/* One RTAS call, arguments and results in host order; each function says how many it wants. */
struct rtas_call {
	const char *name;
	uint32_t nargs, nret;
	int (*handler)(struct xics *x, const uint32_t *arg, uint32_t *ret);
};

static int set_xive(struct xics *x, const uint32_t *arg, uint32_t *ret)
{
	(void)ret;
	return xics_set_xive(x, arg[0], arg[1], arg[2]);
}

static int get_xive(struct xics *x, const uint32_t *arg, uint32_t *ret)
{
	return xics_get_xive(x, arg[0], &ret[1], &ret[2]);
}

static int int_off(struct xics *x, const uint32_t *arg, uint32_t *ret)
{
	(void)ret;
	return xics_int_off(x, arg[0]);
}

static int int_on(struct xics *x, const uint32_t *arg, uint32_t *ret)
{
	(void)ret;
	return xics_int_on(x, arg[0]);
}

static const struct rtas_call calls[PPC_RTAS_CALLS] = {
	{"ibm,set-xive", 3, 1, set_xive},
	{"ibm,get-xive", 1, 3, get_xive},
	{"ibm,int-off", 1, 1, int_off},
	{"ibm,int-on", 1, 1, int_on},
};

int rtas_define_token(struct ppc_vm *vm, const struct kvm_rtas_token_args *args)
{
	int ret = 0;
	size_t i;

	for (i = 0; i < PPC_RTAS_CALLS; i++) {
		if (!strncmp(calls[i].name, args->name, sizeof(args->name)))
			break;
	}
	kvm_lock(&vm->vm.lock);
	if (!args->token) {
		/* To undefine what is not defined is no error. */
		if (i < PPC_RTAS_CALLS)
			atomic_store(&vm->rtas_token[i], 0);
		goto out;
	}
	for (size_t j = 0; j < PPC_RTAS_CALLS; j++) {
		if (atomic_load(&vm->rtas_token[j]) == args->token) {
			ret = -EEXIST;
			goto out;
		}
	}
	if (i == PPC_RTAS_CALLS)
		ret = -ENOENT;
	else if (args->token > UINT32_MAX)
		ret = -EINVAL;
	else
		atomic_store(&vm->rtas_token[i], (uint32_t)args->token);
out:
	kvm_unlock(&vm->vm.lock);
	return ret;
}

bool rtas_hcall(struct ppc_vcpu *v, long *result)
{
	struct ppc_vm *vm = ppc_vm_of_vcpu(v);
	uint64_t buffer = p9_regs(v->vcpu.cpu)->gpr[4] & PPC_REAL_MASK;
	uint32_t arg[3] = {0}, ret[3] = {0};
	uint8_t raw[4 * RTAS_WORDS];
	uint32_t token, nargs, nret;
	const struct rtas_call *call = NULL;
	int err;

	if (!vm->xics || kvm_read_guest(v->vcpu.vm, GPA(buffer), raw, 4 * RTAS_ARGS))
		return false;
	token = ld_be32(raw);
	for (size_t i = 0; i < PPC_RTAS_CALLS && token; i++) {
		if (atomic_load(&vm->rtas_token[i]) == token)
			call = &calls[i];
	}
	if (!call)
		return false;

	nargs = ld_be32(raw + 4);
	nret = ld_be32(raw + 8);
	*result = H_PARAMETER;
	/* There must be room for a status to say anything at all. */
	if (nargs > RTAS_WORDS - RTAS_ARGS - 1 || nret > RTAS_WORDS - RTAS_ARGS - nargs || !nret)
		return true;
	if (nargs == call->nargs && nret == call->nret) {
		if (kvm_read_guest(v->vcpu.vm, GPA(buffer + 4 * RTAS_ARGS), raw, 4 * nargs))
			return true;
		for (uint32_t i = 0; i < nargs; i++)
			arg[i] = ld_be32(raw + 4 * i);
		err = call->handler(vm->xics, arg, ret);
	} else {
		err = -EINVAL;
		nret = 1;
	}
	ret[0] = (uint32_t)(err ? RTAS_BAD_PARAM : RTAS_OK);
	for (uint32_t i = 0; i < nret; i++)
		st_be32(raw + 4 * i, ret[i]);
	if (kvm_write_guest(v->vcpu.vm, GPA(buffer + 4 * (RTAS_ARGS + nargs)), raw, 4 * nret))
		return true;
	*result = H_SUCCESS;
	return true;
}
