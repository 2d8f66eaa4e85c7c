/*
 * Saving a virtual machine and restoring it in another process. The file (save_file.h) holds:
 *
 *   MACH  the machine's name and configuration, and where its kernel came from (for a reset)
 *   the machine's own sections: devices, then processors
 *   MEMO  a block of memory: address, a bit per page, and the pages whose bit is set; others are
 * zero
 *
 * Guests of the guest are in its memory and registers: a vCPU is never seen inside one.
 */
#ifndef ANYKVM_VMM_SAVE_H
#define ANYKVM_VMM_SAVE_H

#include "vmm/save_file.h"
#include "vmm/vm.h"

/* All of the VM to config->save, with its vCPUs held (vm_exclusive_begin). -errno. */
int save_vm(struct vm *vm, struct error *e);

/*
 * What config->restore holds, into a VM that was created and has not run. -EREMOTEIO if the
 * hypervisor refused a part, -ENOMEM of the host, other errors are the file's.
 */
int restore_vm(struct vm *vm, struct error *e);

#endif
