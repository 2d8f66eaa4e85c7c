/*
 * Whole runs over the fake backend: a function plays the guest, with as many threads as vCPUs.
 * What is tested is the VMM's side of the KVM contract: starting, stopping, holding and ending
 * vCPUs, reset, completion of exits, memory placement.
 */
#include <fcntl.h>
#include <libfdt.h>

#include "mem/endian.h"
#include "vmm_fake.h"

#define ARGS 0x8000

static char image[] = "/tmp/anykvm-test-XXXXXX";
static uint32_t tok_start, tok_stop, tok_query, tok_off, tok_reboot;
static struct error last_error;

static int hcall(struct fake_vcpu *v, uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2,
		 uint64_t a3)
{
	v->run.exit_reason = KVM_EXIT_PAPR_HCALL;
	v->run.papr_hcall.nr = nr;
	v->run.papr_hcall.args[0] = a0;
	v->run.papr_hcall.args[1] = a1;
	v->run.papr_hcall.args[2] = a2;
	v->run.papr_hcall.args[3] = a3;
	return 0;
}

static uint8_t *guest_mem(uint64_t gpa)
{
	return (uint8_t *)(uintptr_t)fake.slot.userspace_addr + gpa;
}

static int rtas(struct fake_vcpu *v, unsigned i, uint32_t token, uint32_t nargs, uint32_t nret,
		uint32_t a0, uint32_t a1, uint32_t a2)
{
	uint8_t *p = guest_mem(ARGS + 0x100 * i);

	st_be32(p, token);
	st_be32(p + 4, nargs);
	st_be32(p + 8, nret);
	st_be32(p + 12, a0);
	st_be32(p + 16, a1);
	st_be32(p + 20, a2);
	return hcall(v, H_RTAS, ARGS + 0x100 * i, 0, 0, 0);
}

static uint32_t ret_cell(unsigned i, uint32_t nargs, uint32_t n)
{
	return ld_be32(guest_mem(ARGS + 0x100 * i) + 12 + 4 * (nargs + n));
}

/* Reads what the guest is given at its entry, as a kernel would. */
static void find_tokens(struct fake_vcpu *v)
{
	const void *fdt = guest_mem(v->regs.gpr[3]);
	int rtas_node;

	assert_int_equal(fdt_check_header(fdt), 0);
	rtas_node = fdt_path_offset(fdt, "/rtas");
	tok_start = ld_be32(fdt_getprop(fdt, rtas_node, "start-cpu", NULL));
	tok_stop = ld_be32(fdt_getprop(fdt, rtas_node, "stop-self", NULL));
	tok_query = ld_be32(fdt_getprop(fdt, rtas_node, "query-cpu-stopped-state", NULL));
	tok_off = ld_be32(fdt_getprop(fdt, rtas_node, "power-off", NULL));
	tok_reboot = ld_be32(fdt_getprop(fdt, rtas_node, "system-reboot", NULL));
	/* RTAS is where the tree says: the hypercall, then blr. */
	uint32_t entry = ld_be32(fdt_getprop(fdt, rtas_node, "linux,rtas-entry", NULL));
	assert_int_equal(ld_be32(guest_mem(entry) + 12), 0x44000022);
	assert_int_equal(ld_be32(guest_mem(entry) + 16), 0x4e800020);
}

static enum vmm_end run(struct vmm_config *config, fake_guest guest)
{
	struct console *console;
	enum vmm_end end;
	int in[2], out[2];

	memset(&fake, 0, sizeof(fake));
	memset(&last_error, 0, sizeof(last_error));
	fake.guest = guest;
	config->kernel = image;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(console_create(&console, in[0], out[1], false, &last_error), 0);
	end = vmm_run(config, console, &last_error);
	console_destroy(console, true);
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
	}
	assert_int_equal(fake.opened, fake.destroyed);
	return end;
}

static int guest_power_off(struct fake_vcpu *v, unsigned i)
{
	assert_int_equal(v->regs.pc, 0);
	assert_int_equal(v->regs.gpr[4], 0);
	assert_int_equal(v->regs.gpr[5], 0);
	assert_true(v->regs.msr == MSR_SF);
	assert_memory_equal(guest_mem(0), "kernel", 6);
	find_tokens(v);
	return rtas(v, i, tok_off, 2, 1, 0, 0, 0);
}

static void power_off(void **state)
{
	struct vmm_config config = fake_config;

	(void)state;
	config.cores = 3;
	assert_int_equal(run(&config, guest_power_off), VMM_POWER_OFF);
	assert_int_equal(fake.opened, 1);
	assert_int_equal(fake.vcpus[1].runs, 0);
}

static unsigned boots;

static int guest_reboot(struct fake_vcpu *v, unsigned i)
{
	/* Power-on state each time: memory that the last boot wrote is clear. */
	assert_int_equal(*guest_mem(0x100000), 0);
	*guest_mem(0x100000) = 1;
	find_tokens(v);
	return ++boots < 4 ? rtas(v, i, tok_reboot, 0, 1, 0, 0, 0)
			   : rtas(v, i, tok_off, 2, 1, 0, 0, 0);
}

static void reboot(void **state)
{
	struct vmm_config config = fake_config;

	(void)state;
	boots = 0;
	assert_int_equal(run(&config, guest_reboot), VMM_POWER_OFF);
	assert_int_equal(boots, 4);
	assert_int_equal(fake.opened, 4);
	boots = 0;
	config.no_reboot = true;
	assert_int_equal(run(&config, guest_reboot), VMM_RESET);
	assert_int_equal(boots, 1);
}

/*
 * CPU 0 starts CPU 1 again and again; CPU 1 checks its entry state and stops itself. The result
 * of its stop-self must not show in the registers of its next start.
 */
#define ROUNDS 500
static unsigned phase, starts;
static _Atomic unsigned entered;

static int guest_hotplug(struct fake_vcpu *v, unsigned i)
{
	if (i == 1) {
		if (v->regs.pc != 0x60)
			return 0; /* fails the test by an unknown exit */
		assert_int_equal(v->regs.gpr[3], starts);
		assert_int_equal(v->regs.gpr[4], 0);
		v->regs.pc = 0x64;
		entered++;
		v->regs.gpr[4] = 0xdead;
		return rtas(v, i, tok_stop, 0, 1, 0, 0, 0);
	}
	switch (phase) {
	case 0:
		find_tokens(v);
		phase = 1;
		/* fallthrough */
	case 1:
		if (starts == ROUNDS)
			return rtas(v, i, tok_off, 2, 1, 0, 0, 0);
		starts++;
		phase = 2;
		return rtas(v, i, tok_start, 3, 1, 1, 0x60, starts);
	case 2:
		assert_int_equal(v->regs.gpr[3], 0);
		assert_int_equal(ret_cell(i, 3, 0), 0);
		phase = 3;
		return rtas(v, i, tok_query, 1, 2, 1, 0, 0);
	default:
		assert_int_equal(ret_cell(i, 1, 0), 0);
		if (ret_cell(i, 1, 1) == 0)
			phase = 1;
		else
			return rtas(v, i, tok_query, 1, 2, 1, 0, 0);
		return guest_hotplug(v, i);
	}
}

static void hotplug(void **state)
{
	struct vmm_config config = fake_config;

	(void)state;
	config.cores = 2;
	phase = starts = entered = 0;
	assert_int_equal(run(&config, guest_hotplug), VMM_POWER_OFF);
	assert_int_equal(entered, ROUNDS);
}

static int guest_stops_all(struct fake_vcpu *v, unsigned i)
{
	find_tokens(v);
	return rtas(v, i, tok_stop, 0, 0, 0, 0, 0);
}

static void last_processor(void **state)
{
	struct vmm_config config = fake_config;

	(void)state;
	assert_int_equal(run(&config, guest_stops_all), VMM_CRASH);
	assert_non_null(strstr(last_error.text, "last processor"));
}

/*
 * All vCPUs change LPCR at once, which holds the others; and none may be in guest code while
 * another has it. The last to finish powers off.
 */
#define CHANGES 200
static _Atomic unsigned in_guest, finished;
static unsigned done[4], step[4];

static int guest_set_mode(struct fake_vcpu *v, unsigned i)
{
	in_guest++;
	if (i == 0 && !tok_off)
		find_tokens(v);
	in_guest--;
	if (i == 0 && step[0] < 3)
		return rtas(v, 0, tok_start, 3, 1, ++step[0], 0x60, 0);
	if (done[i]++ < CHANGES)
		return hcall(v, H_SET_MODE, done[i] & 1, H_SET_MODE_RESOURCE_LE, 0, 0);
	if (done[i] == CHANGES + 1)
		finished++;
	if (finished == 4)
		return rtas(v, i, tok_off, 2, 1, 0, 0, 0);
	usleep(100);
	v->run.exit_reason = KVM_EXIT_INTR;
	return -EINTR;
}

static int check_ioctl(struct kvm *k, int fd, uint64_t request, void *arg)
{
	/* H_SET_MODE's register accesses come with every vCPU out of its guest. */
	if (fake_common(request) == KVM_SET_ONE_REG && fd == FAKE_VCPU + 3)
		assert_int_equal(in_guest, 0);
	return fake_ioctl(k, fd, request, arg);
}

static void exclusive(void **state)
{
	struct kvm_backend backend = fake_backend;
	struct vmm_config config = fake_config;

	(void)state;
	backend.ioctl = check_ioctl;
	config.backend = &backend;
	config.cores = 4;
	memset(done, 0, sizeof(done));
	memset(step, 0, sizeof(step));
	finished = 0;
	tok_off = 0;
	assert_int_equal(run(&config, guest_set_mode), VMM_POWER_OFF);
	for (int i = 0; i < 4; i++)
		assert_true(done[i] >= CHANGES);
}

static int guest_mmio(struct fake_vcpu *v, unsigned i)
{
	(void)i;
	if (v->runs == 1) {
		v->run.exit_reason = KVM_EXIT_MMIO;
		v->run.mmio.phys_addr = 0x600000000;
		v->run.mmio.len = 8;
		v->run.mmio.is_write = 0;
		memset(v->run.mmio.data, 0, 8);
		return 0;
	}
	assert_true(ld_be64(v->run.mmio.data) == UINT64_MAX);
	v->run.exit_reason = KVM_EXIT_SYSTEM_EVENT;
	v->run.system_event.type = KVM_SYSTEM_EVENT_SHUTDOWN;
	return 0;
}

static uint32_t odd_reason;

static int guest_odd(struct fake_vcpu *v, unsigned i)
{
	(void)i;
	v->run.exit_reason = odd_reason;
	return 0;
}

static int guest_fails(struct fake_vcpu *v, unsigned i)
{
	(void)v;
	(void)i;
	return -EIO;
}

/* Every exit has an outcome, and a sentence if it is not the guest's wish. */
static void exits(void **state)
{
	struct vmm_config config = fake_config;
	enum vmm_end end;

	(void)state;
	assert_int_equal(run(&config, guest_fails), VMM_ERROR);
	assert_non_null(strstr(last_error.text, "cannot run processor 0"));
	for (odd_reason = 0; odd_reason < 40; odd_reason++) {
		if (odd_reason == KVM_EXIT_INTR || odd_reason == KVM_EXIT_MMIO ||
			odd_reason == KVM_EXIT_PAPR_HCALL)
			continue;
		end = run(&config, guest_odd);
		assert_true(end == VMM_ERROR || end == VMM_CRASH);
		assert_true(last_error.text[0]);
	}
}

static void mmio(void **state)
{
	struct vmm_config config = fake_config;

	(void)state;
	assert_int_equal(run(&config, guest_mmio), VMM_POWER_OFF);
}

static void refused(void **state)
{
	static const uint32_t requests[] = {
		KVM_GET_API_VERSION,      KVM_GET_VCPU_MMAP_SIZE, KVM_CREATE_VM,
		KVM_CREATE_VCPU,          KVM_CREATE_DEVICE,      KVM_SET_USER_MEMORY_REGION,
		KVM_PPC_CONFIGURE_V3_MMU, KVM_SET_DEVICE_ATTR,    KVM_SET_REGS,
		KVM_ENABLE_CAP,           KVM_PPC_GET_RMMU_INFO,
	};
	struct vmm_config config = fake_config;
	struct console *console;
	int in[2], out[2];

	(void)state;
	config.kernel = image;
	for (unsigned i = 0; i < ARRAY_SIZE(requests); i++) {
		memset(&fake, 0, sizeof(fake));
		fake.fail_request = requests[i];
		assert_int_equal(pipe(in), 0);
		assert_int_equal(pipe(out), 0);
		assert_int_equal(console_create(&console, in[0], out[1], false, &last_error), 0);
		assert_int_equal(vmm_run(&config, console, &last_error), VMM_ERROR);
		assert_true(last_error.text[0]);
		assert_int_equal(fake.opened, fake.destroyed);
		console_destroy(console, true);
		for (int k = 0; k < 2; k++) {
			close(in[k]);
			close(out[k]);
		}
	}
}

static void *quit_soon(void *arg)
{
	/* As the user's Ctrl-A x on a terminal. */
	usleep(20000);
	assert_int_equal(write(*(int *)arg, "abc\x01x", 5), 5);
	return NULL;
}

static int guest_spins(struct fake_vcpu *v, unsigned i)
{
	(void)i;
	usleep(100);
	v->run.exit_reason = KVM_EXIT_INTR;
	return atomic_exchange(&v->kicked, false) ? -EINTR : 0;
}

static void quit(void **state)
{
	struct vmm_config config = fake_config;
	struct console *console;
	int in[2], out[2];
	pthread_t t;

	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.guest = guest_spins;
	config.kernel = image;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(console_create(&console, in[0], out[1], true, &last_error), 0);
	pthread_create(&t, NULL, quit_soon, &in[1]);
	assert_int_equal(vmm_run(&config, console, &last_error), VMM_QUIT);
	pthread_join(t, NULL);
	console_destroy(console, false);
	for (int k = 0; k < 2; k++) {
		close(in[k]);
		close(out[k]);
	}
}

static int make_image(void **state)
{
	int fd = mkstemp(image);

	(void)state;
	return fd < 0 || write(fd, "kernel", 6) != 6 || close(fd);
}

static int remove_image(void **state)
{
	(void)state;
	return unlink(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(power_off), cmocka_unit_test(reboot),
		cmocka_unit_test(hotplug),   cmocka_unit_test(last_processor),
		cmocka_unit_test(exclusive), cmocka_unit_test(exits),
		cmocka_unit_test(mmio),      cmocka_unit_test(refused),
		cmocka_unit_test(quit),
	};

	return cmocka_run_group_tests(tests, make_image, remove_image);
}
