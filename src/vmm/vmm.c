/* One run: a VM, and after each reset a new one. */
#include <errno.h>

#include "vmm/control.h"
#include "vmm/save.h"
#include "vmm/vm.h"
#include "vmm/vmm.h"

/*
 * A reset makes a new VM rather than putting the old one's registers back: there is one way
 * to the power-on state, and nothing of the old guest can survive by omission.
 */
static enum vmm_end run_until_reset(const struct vmm_config *config, bool restore,
				    struct console *console, void *keep, struct error *e)
{
	enum vmm_end end;
	struct vm vm;
	int ret;

	ret = vm_create(&vm, config, console, keep, e);
	if (ret)
		return ret == -E2BIG ? VMM_BAD_CONFIG : VMM_ERROR;
	ret = restore ? restore_vm(&vm, e) : config->machine->load(&vm, e);
	if (ret) {
		vm_destroy(&vm);
		switch (ret) {
		case -E2BIG:
			return VMM_BAD_CONFIG;
		case -EREMOTEIO: /* the hypervisor refused something */
		case -ENOMEM:
			return VMM_ERROR;
		}
		return VMM_BAD_IMAGE;
	}
	if (config->control)
		control_attach(config->control, &vm);
	end = vm_run(&vm, e);
	if (config->control)
		control_detach(config->control);
	vm_destroy(&vm);
	return end;
}

enum vmm_end vmm_run(const struct vmm_config *config, struct console *console, struct error *error)
{
	const struct machine *m = config->machine;
	enum vmm_end end = VMM_ERROR;
	bool restore = config->restore;
	void *keep = NULL;

	error->text[0] = 0;
	if (m->keep_create && m->keep_create(&keep, error))
		return VMM_ERROR;
	do {
		end = run_until_reset(config, restore, console, keep, error);
		/* A reset is one: it begins with the kernel. */
		restore = false;
	} while (end == VMM_RESET && !config->no_reboot);
	if (m->keep_destroy)
		m->keep_destroy(keep);
	return end;
}
