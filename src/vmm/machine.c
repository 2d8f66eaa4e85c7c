/* The machines that exist. */
#include <string.h>

#include "util/compiler.h"
#include "vmm/machine.h"

static const struct machine *const machines[] = {
	&machine_pseries,
};

const struct machine *machine_at(unsigned i)
{
	return i < ARRAY_SIZE(machines) ? machines[i] : NULL;
}

const struct machine *machine_by_arch(const char *arch_name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(machines); i++)
		if (!strcmp(machines[i]->arch_name, arch_name))
			return machines[i];
	return NULL;
}

const struct machine *machine_by_elf(uint16_t elf_machine)
{
	for (unsigned i = 0; i < ARRAY_SIZE(machines); i++)
		if (machines[i]->elf_machine == elf_machine)
			return machines[i];
	return NULL;
}
