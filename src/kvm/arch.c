/*
 * The one table that lists the architectures whose hypervisor is here.
 */
#include "kvm/internal.h"
#include "kvm/powerpc/powerpc.h"

static const struct kvm_arch_ops *const arches[] = {
	&ppc_arch_ops,
};

const struct kvm_arch_ops *kvm_arch_find(enum kvm_guest_arch arch)
{
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++) {
		if (arches[i]->arch == arch)
			return arches[i];
	}
	return NULL;
}
