/*
 * vCPUs: the threads that call KVM_RUN, what is done with its exits, and how they are held.
 *
 * A vCPU's thread runs guest code as long as vm->attention is false; else it looks under the lock
 * whether the VM ended, another thread holds the exclusive section, or its own vCPU is stopped.
 * It cannot miss a request: who makes one sets `attention` first and kicks then, and a kick holds
 * for the next KVM_RUN too.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/abi/kvm.h"
#include "vmm/save.h"
#include "vmm/vm.h"

int vm_alloc_vcpus(struct vm *vm, unsigned n)
{
	vm->vcpus = calloc(n, sizeof(*vm->vcpus));
	if (!vm->vcpus)
		return -ENOMEM;
	vm->nr_vcpus = n;
	for (unsigned i = 0; i < n; i++)
		vm->vcpus[i] = (struct vcpu){.vm = vm, .index = i, .fd = -1};
	return 0;
}

int vcpu_create(struct vm *vm, unsigned index, unsigned id, struct error *e)
{
	struct vcpu *v = &vm->vcpus[index];
	int err = 0;
	int ret;

	ret = vm_ioctl(vm, KVM_CREATE_VCPU, (void *)(uintptr_t)id);
	if (ret < 0)
		return error_set(e, ret, "the hypervisor cannot create processor %u (%s).", index,
				 strerror(-ret));
	v->fd = ret;
	v->id = id;
	v->state = VCPU_STOPPED;
	v->run = vm->backend->map_run(vm->kvm, v->fd, vm->run_size, &err);
	if (!v->run)
		return error_set(e, err, "cannot map processor %u's kvm_run (%s).", index,
				 strerror(-err));
	return 0;
}

struct vcpu *vcpu_by_id(struct vm *vm, uint64_t id)
{
	for (unsigned i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpus[i].id == id)
			return &vm->vcpus[i];
	return NULL;
}

int vcpu_start(struct vcpu *v, int (*setup)(struct vcpu *v, void *arg), void *arg)
{
	struct vm *vm = v->vm;
	int ret = -EBUSY;

	pthread_mutex_lock(&vm->lock);
	if (v->state == VCPU_STOPPED) {
		/* Its thread waits for the lock or `changed`: nobody else uses its registers. */
		ret = setup(v, arg);
		if (!ret) {
			v->state = VCPU_RUNNABLE;
			pthread_cond_broadcast(&vm->changed);
		}
	}
	pthread_mutex_unlock(&vm->lock);
	return ret;
}

void vcpu_stop_self(struct vcpu *v)
{
	pthread_mutex_lock(&v->vm->lock);
	v->state = VCPU_STOPPING;
	pthread_mutex_unlock(&v->vm->lock);
}

enum vcpu_state vcpu_state(struct vcpu *v)
{
	return atomic_load(&v->state);
}

static void update_attention(struct vm *vm)
{
	atomic_store(&vm->attention, vm->exclusive || vm->end != VMM_RUNS);
}

static bool others_busy(struct vm *vm, struct vcpu *self)
{
	for (unsigned i = 0; i < vm->nr_vcpus; i++)
		if (&vm->vcpus[i] != self && vm->vcpus[i].busy)
			return true;
	return false;
}

bool vm_exclusive_begin(struct vm *vm, struct vcpu *self)
{
	bool held = false;

	pthread_mutex_lock(&vm->lock);
	while (vm->exclusive && vm->end == VMM_RUNS) {
		/* Its owner waits for this vCPU too, which is in no call and may be looked at. */
		if (self) {
			self->busy = false;
			pthread_cond_broadcast(&vm->changed);
		}
		pthread_cond_wait(&vm->changed, &vm->lock);
	}
	if (self)
		self->busy = true;
	if (vm->end == VMM_RUNS) {
		vm->exclusive = true;
		update_attention(vm);
		for (unsigned i = 0; i < vm->nr_vcpus; i++)
			if (&vm->vcpus[i] != self && vm->vcpus[i].busy)
				vm->backend->kick(vm->kvm, vm->vcpus[i].fd);
		while (others_busy(vm, self) && vm->end == VMM_RUNS)
			pthread_cond_wait(&vm->changed, &vm->lock);
		held = vm->end == VMM_RUNS;
		if (!held)
			vm->exclusive = false;
	}
	pthread_mutex_unlock(&vm->lock);
	return held;
}

void vm_exclusive_end(struct vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->exclusive = false;
	update_attention(vm);
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
}

static const char *exit_name(uint32_t reason)
{
	switch (reason) {
	case KVM_EXIT_UNKNOWN:
		return "unknown";
	case KVM_EXIT_EXCEPTION:
		return "exception";
	case KVM_EXIT_DEBUG:
		return "debug";
	case KVM_EXIT_HLT:
		return "hlt";
	case KVM_EXIT_MMIO:
		return "mmio";
	case KVM_EXIT_SHUTDOWN:
		return "shutdown";
	case KVM_EXIT_FAIL_ENTRY:
		return "fail-entry";
	case KVM_EXIT_INTR:
		return "intr";
	case KVM_EXIT_NMI:
		return "nmi";
	case KVM_EXIT_INTERNAL_ERROR:
		return "internal-error";
	case KVM_EXIT_PAPR_HCALL:
		return "papr-hcall";
	case KVM_EXIT_SYSTEM_EVENT:
		return "system-event";
	}
	return "other";
}

static void trace_exit(const struct vcpu *v)
{
	const struct kvm_run *run = v->run;

	flockfile(stderr);
	fprintf(stderr, "exit vcpu=%u %s", v->index, exit_name(run->exit_reason));
	if (run->exit_reason == KVM_EXIT_PAPR_HCALL) {
		fprintf(stderr, " nr=%#" PRIx64 " args=", run->papr_hcall.nr);
		for (unsigned i = 0; i < 5; i++)
			fprintf(stderr, "%s%#" PRIx64, i ? "," : "", run->papr_hcall.args[i]);
	} else if (run->exit_reason == KVM_EXIT_MMIO) {
		fprintf(stderr, " addr=%#" PRIx64 " len=%u %s", run->mmio.phys_addr, run->mmio.len,
			run->mmio.is_write ? "write" : "read");
	}
	/* The terminal may be in raw mode. */
	fputs("\r\n", stderr);
	funlockfile(stderr);
}

/* No device answers there: the bus gives all ones and drops what is written. */
static void unassigned_mmio(struct kvm_run *run)
{
	if (!run->mmio.is_write)
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
}

/* An end that is not the guest's wish: say where the guest was. */
static void stop_with_state(struct vcpu *v, enum vmm_end why, const char *what, uint64_t code)
{
	char where[256] = "unknown registers";

	if (v->vm->machine->describe)
		v->vm->machine->describe(v, where, sizeof(where));
	vm_stop(v->vm, why, "%s (%#" PRIx64 ") on processor %u (%s).", what, code, v->index, where);
}

static void handle_exit(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	struct vm *vm = v->vm;

	switch (run->exit_reason) {
	case KVM_EXIT_INTR:
		break;
	case KVM_EXIT_PAPR_HCALL:
		v->incomplete = true;
		if (vm->machine->hypercall)
			vm->machine->hypercall(v);
		else
			stop_with_state(v, VMM_ERROR, "the hypervisor left an unexpected hypercall",
					run->papr_hcall.nr);
		break;
	case KVM_EXIT_MMIO:
		v->incomplete = true;
		unassigned_mmio(run);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		if (run->system_event.type == KVM_SYSTEM_EVENT_SHUTDOWN)
			vm_stop(vm, VMM_POWER_OFF, NULL);
		else if (run->system_event.type == KVM_SYSTEM_EVENT_RESET)
			vm_stop(vm, VMM_RESET, NULL);
		else
			stop_with_state(v, VMM_CRASH, "the guest crashed: system event",
					run->system_event.type);
		break;
	case KVM_EXIT_SHUTDOWN:
	case KVM_EXIT_HLT:
		stop_with_state(v, VMM_CRASH, "the guest crashed: its processor gave up",
				run->exit_reason);
		break;
	case KVM_EXIT_NMI:
		stop_with_state(v, VMM_CRASH, "the guest had a machine check it cannot handle", 0);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		stop_with_state(v, VMM_ERROR, "the hypervisor cannot enter the guest",
				run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		stop_with_state(v, VMM_ERROR, "the hypervisor reports an internal error",
				run->internal.suberror);
		break;
	case KVM_EXIT_UNKNOWN:
		stop_with_state(v, VMM_ERROR, "the processor stopped for an unknown reason",
				run->hw.hardware_exit_reason);
		break;
	default:
		stop_with_state(v, VMM_ERROR,
				"the hypervisor left the guest for a reason unknown "
				"to this VMM",
				run->exit_reason);
	}
}

static void run_once(struct vcpu *v)
{
	int ret = vcpu_ioctl(v, KVM_RUN, NULL);

	/* Whatever it returned, KVM has taken the last exit's results by now. */
	v->incomplete = false;
	if (ret == -EINTR || ret == -EAGAIN)
		return;
	if (ret < 0) {
		vm_stop(v->vm, VMM_ERROR, "the hypervisor cannot run processor %u (%s).", v->index,
			strerror(-ret));
		return;
	}
	if (v->vm->config->trace_exits)
		trace_exit(v);
	handle_exit(v);
}

/*
 * Have KVM take the last exit's results without running the guest (api.rst, KVM_RUN with
 * immediate_exit): before others look at the registers, or before vcpu_start sets them.
 */
static void complete_exit(struct vcpu *v)
{
	v->run->immediate_exit = 1;
	vcpu_ioctl(v, KVM_RUN, NULL);
	v->run->immediate_exit = 0;
	v->incomplete = false;
}

static bool all_stopped(struct vm *vm)
{
	for (unsigned i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpus[i].state != VCPU_STOPPED)
			return false;
	return true;
}

/* Wait until the vCPU may run: false if the VM has ended. */
static bool wait_runnable(struct vcpu *v)
{
	struct vm *vm = v->vm;

	pthread_mutex_lock(&vm->lock);
	while (vm->end == VMM_RUNS && (v->state != VCPU_RUNNABLE || vm->exclusive)) {
		if (v->incomplete) {
			pthread_mutex_unlock(&vm->lock);
			complete_exit(v);
			pthread_mutex_lock(&vm->lock);
			continue;
		}
		if (v->state == VCPU_STOPPING) {
			v->state = VCPU_STOPPED;
			if (all_stopped(vm)) {
				pthread_mutex_unlock(&vm->lock);
				vm_stop(vm, VMM_CRASH,
					"the guest stopped its last processor and cannot go on.");
				pthread_mutex_lock(&vm->lock);
				continue;
			}
		}
		if (v->busy) {
			v->busy = false;
			pthread_cond_broadcast(&vm->changed);
		}
		pthread_cond_wait(&vm->changed, &vm->lock);
	}
	v->busy = vm->end == VMM_RUNS;
	if (!v->busy)
		pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
	return v->busy;
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *v = arg;

	while (wait_runnable(v))
		do {
			run_once(v);
		} while (!atomic_load(&v->vm->attention) && v->state == VCPU_RUNNABLE);
	return NULL;
}

static int start_threads(struct vm *vm, struct error *e)
{
	sigset_t all, old;
	int ret = 0;

	/* Signals for the process go to the command's own threads. */
	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGABRT);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (unsigned i = 0; i < vm->nr_vcpus && !ret; i++) {
		char name[16];

		ret = -pthread_create(&vm->vcpus[i].thread, NULL, vcpu_thread, &vm->vcpus[i]);
		vm->vcpus[i].has_thread = !ret;
		snprintf(name, sizeof(name), "vcpu-%u", i);
		if (!ret)
			pthread_setname_np(vm->vcpus[i].thread, name);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ret)
		error_set(e, ret,
			  "the host gives no more threads (%s); try fewer processors with "
			  "--smp.",
			  strerror(-ret));
	return ret;
}

/* A state that cannot be saved is no reason to lose it: the guest runs on. */
static void save_and_stop(struct vm *vm)
{
	struct error e;
	int ret;

	if (!vm_exclusive_begin(vm, NULL))
		return;
	ret = save_vm(vm, &e);
	if (!ret)
		vm_stop(vm, VMM_SAVED, NULL);
	vm_exclusive_end(vm);
	if (ret && vm->config->report)
		vm->config->report(e.text);
}

enum vmm_end vm_run(struct vm *vm, struct error *e)
{
	struct error thread_error;

	if (start_threads(vm, &thread_error))
		vm_stop(vm, VMM_ERROR, "%s", thread_error.text);
	pthread_mutex_lock(&vm->lock);
	while (vm->end == VMM_RUNS) {
		if (!vm->save_wanted) {
			pthread_cond_wait(&vm->changed, &vm->lock);
			continue;
		}
		vm->save_wanted = false;
		pthread_mutex_unlock(&vm->lock);
		save_and_stop(vm);
		pthread_mutex_lock(&vm->lock);
	}
	pthread_mutex_unlock(&vm->lock);
	for (unsigned i = 0; i < vm->nr_vcpus; i++) {
		if (vm->vcpus[i].has_thread)
			pthread_join(vm->vcpus[i].thread, NULL);
		vm->vcpus[i].has_thread = false;
	}
	*e = vm->end_error;
	return vm->end;
}
