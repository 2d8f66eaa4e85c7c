/* RTAS calls: what they do, and that bad counts, buffers and arguments are refused. */
#include <libfdt.h>
#include <time.h>

#include "mem/endian.h"
#include "vmm_fake.h"

#define ARGS 0x4000 /* where the calls' cells are */
#define BUF  0x5000

static uint8_t fdt[16384];

/* Tokens as a guest finds them: in the /rtas node. */
static uint32_t token(const char *name)
{
	const void *p;
	int len;

	assert_int_equal(fdt_create(fdt, sizeof(fdt)), 0);
	assert_int_equal(fdt_finish_reservemap(fdt), 0);
	assert_int_equal(fdt_begin_node(fdt, ""), 0);
	assert_int_equal(rtas_write_fdt(fdt), 0);
	assert_int_equal(fdt_end_node(fdt), 0);
	assert_int_equal(fdt_finish(fdt), 0);
	p = fdt_getprop(fdt, 0, name, &len);
	assert_non_null(p);
	assert_int_equal(len, 4);
	return ld_be32(p);
}

static uint32_t rets[16];

static int32_t call(struct vm *vm, const char *name, unsigned nargs, unsigned nret, ...)
{
	uint8_t *p = vm_mem(vm, ARGS, 256);
	va_list ap;

	memset(p, 0xee, 256);
	st_be32(p, token(name));
	st_be32(p + 4, nargs);
	st_be32(p + 8, nret);
	va_start(ap, nret);
	for (unsigned i = 0; i < nargs; i++)
		st_be32(p + 12 + 4 * i, va_arg(ap, uint32_t));
	va_end(ap);
	assert_int_equal(HCALL(vm, H_RTAS, ARGS), H_SUCCESS);
	for (unsigned i = 0; i < nret; i++)
		rets[i] = ld_be32(p + 12 + 4 * (nargs + i));
	/* Nothing behind the last cell is touched. */
	assert_int_equal(p[12 + 4 * (nargs + nret)], 0xee);
	return nret ? (int32_t)rets[0] : 0;
}

static int setup(void **state)
{
	struct vmm_config config = fake_config;
	struct fake_machine *m = calloc(1, sizeof(*m));

	config.cores = 2;
	fake_machine_create(m, &config);
	m->vm.vcpus[0].state = VCPU_RUNNABLE;
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	fake_machine_destroy(*state);
	free(*state);
	return 0;
}

static struct vm *vm_of(void **state)
{
	return &((struct fake_machine *)*state)->vm;
}

static void bad_calls(void **state)
{
	struct vm *vm = vm_of(state);
	uint64_t size = vm->ram.size;
	uint8_t *p = vm_mem(vm, ARGS, 12);

	assert_int_equal(HCALL(vm, H_RTAS, UINT64_MAX), H_PARAMETER);
	assert_int_equal(HCALL(vm, H_RTAS, size), H_PARAMETER);
	assert_int_equal(HCALL(vm, H_RTAS, size - 8), H_PARAMETER);
	st_be32(p, 0x2000);
	st_be32(p + 4, 17);
	st_be32(p + 8, 1);
	assert_int_equal(HCALL(vm, H_RTAS, ARGS), H_PARAMETER);
	st_be32(p + 4, 0xffffffff);
	st_be32(p + 8, 0xffffffff);
	assert_int_equal(HCALL(vm, H_RTAS, ARGS), H_PARAMETER);
	/* The cells do not fit into memory. */
	p = vm_mem(vm, size - 12, 12);
	st_be32(p, 0x2000);
	st_be32(p + 4, 1);
	st_be32(p + 8, 1);
	assert_int_equal(HCALL(vm, H_RTAS, size - 12), H_PARAMETER);
	/* Unknown tokens; right tokens with wrong counts. */
	p = vm_mem(vm, ARGS, 64);
	for (uint32_t t = 0x1ff0; t < 0x2080; t++) {
		st_be32(p, t);
		st_be32(p + 4, 8);
		st_be32(p + 8, 1);
		assert_int_equal(HCALL(vm, H_RTAS, ARGS), H_SUCCESS);
		assert_int_equal((int32_t)ld_be32(p + 12 + 32), -3);
	}
	assert_int_equal(vm->end, VMM_RUNS);
}

static void processors(void **state)
{
	struct vm *vm = vm_of(state);

	assert_int_equal(call(vm, "query-cpu-stopped-state", 1, 2, 0), 0);
	assert_int_equal(rets[1], 2);
	assert_int_equal(call(vm, "query-cpu-stopped-state", 1, 2, 1), 0);
	assert_int_equal(rets[1], 0);
	assert_int_equal(call(vm, "query-cpu-stopped-state", 1, 2, 2), -3);
	assert_int_equal(call(vm, "start-cpu", 3, 1, 2, 0x60, 0), -3);
	assert_int_equal(call(vm, "start-cpu", 3, 1, 0, 0x60, 0), -1);
	assert_int_equal(call(vm, "start-cpu", 3, 1, 1, 0x60, 99), 0);
	assert_int_equal(fake.vcpus[1].regs.pc, 0x60);
	assert_int_equal(fake.vcpus[1].regs.gpr[3], 99);
	assert_true(fake.vcpus[1].regs.msr == MSR_SF);
	assert_int_equal(call(vm, "query-cpu-stopped-state", 1, 2, 1), 0);
	assert_int_equal(rets[1], 2);
	/* Once only. */
	assert_int_equal(call(vm, "start-cpu", 3, 1, 1, 0x60, 99), -1);
	assert_int_equal(call(vm, "stop-self", 0, 1), 0);
	assert_int_equal(call(vm, "query-cpu-stopped-state", 1, 2, 0), 0);
	assert_int_equal(rets[1], 1);
}

static void interrupts(void **state)
{
	struct vm *vm = vm_of(state);

	assert_int_equal(call(vm, "ibm,set-xive", 3, 1, 2, 0, 5), -3);
	assert_int_equal(call(vm, "ibm,set-xive", 3, 1, PSERIES_IRQ_VTY, 9, 5), -3);
	assert_int_equal(call(vm, "ibm,set-xive", 3, 1, PSERIES_IRQ_VTY, 1, 256), -3);
	assert_int_equal(call(vm, "ibm,get-xive", 1, 3, 0x10), -3);
	assert_int_equal(call(vm, "ibm,int-on", 1, 1, 0x10), -3);
	assert_int_equal(call(vm, "ibm,int-off", 1, 1, 0x10), -3);

	fake.sources[0] |= KVM_XICS_PENDING;
	assert_int_equal(call(vm, "ibm,set-xive", 3, 1, PSERIES_IRQ_VTY, 1, 5), 0);
	assert_true(fake.sources[0] ==
		    (1 | UINT64_C(5) << 32 | KVM_XICS_MASKED | KVM_XICS_PENDING));
	assert_int_equal(call(vm, "ibm,int-on", 1, 1, PSERIES_IRQ_VTY), 0);
	assert_true(fake.sources[0] == (1 | UINT64_C(5) << 32 | KVM_XICS_PENDING));
	assert_int_equal(call(vm, "ibm,get-xive", 1, 3, PSERIES_IRQ_VTY), 0);
	assert_int_equal(rets[1], 1);
	assert_int_equal(rets[2], 5);
	assert_int_equal(call(vm, "ibm,int-off", 1, 1, PSERIES_IRQ_VTY), 0);
	assert_true(fake.sources[0] & KVM_XICS_MASKED);
	fake.fail_request = KVM_SET_DEVICE_ATTR;
	assert_int_equal(call(vm, "ibm,int-on", 1, 1, PSERIES_IRQ_VTY), -1);
}

static void nvram(void **state)
{
	struct vm *vm = vm_of(state);
	uint8_t *buf = vm_mem(vm, BUF, 64);

	/* One free partition of all 64 KiB. */
	assert_int_equal(call(vm, "nvram-fetch", 3, 2, 0, BUF, 32), 0);
	assert_int_equal(rets[1], 32);
	assert_int_equal(buf[0], 0x7f);
	assert_int_equal(ld_be16(buf + 2), 4096);
	assert_memory_equal(buf + 4, "wwwwwwwwwwww", 12);
	unsigned sum = buf[0];
	for (int i = 2; i < 16; i++) {
		sum += buf[i];
		sum = (sum & 0xff) + (sum >> 8);
	}
	assert_int_equal(buf[1], sum);

	memcpy(buf, "hello", 5);
	assert_int_equal(call(vm, "nvram-store", 3, 2, 65531, BUF, 5), 0);
	memset(buf, 0, 5);
	assert_int_equal(call(vm, "nvram-fetch", 3, 2, 65531, BUF, 5), 0);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(call(vm, "nvram-store", 3, 2, 65532, BUF, 5), -3);
	assert_int_equal(call(vm, "nvram-fetch", 3, 2, 65536, BUF, 1), -3);
	assert_int_equal(call(vm, "nvram-fetch", 3, 2, 0xffffffff, BUF, 0xffffffff), -3);
	assert_int_equal(call(vm, "nvram-fetch", 3, 2, 0, 0xfffffff0, 32), -3);
	assert_int_equal(call(vm, "nvram-store", 3, 2, 0, (uint32_t)vm->ram.size - 31, 32), -3);
}

static void clock_calls(void **state)
{
	struct vm *vm = vm_of(state);
	time_t now = time(NULL);
	struct tm tm;

	assert_int_equal(call(vm, "get-time-of-day", 0, 8), 0);
	gmtime_r(&now, &tm);
	assert_int_equal(rets[1], tm.tm_year + 1900);
	assert_int_equal(call(vm, "set-time-of-day", 7, 1, 2001, 13, 1, 0, 0, 0, 0), -3);
	assert_int_equal(call(vm, "set-time-of-day", 7, 1, 2001, 2, 0, 0, 0, 0, 0), -3);
	assert_int_equal(call(vm, "set-time-of-day", 7, 1, 2001, 2, 3, 24, 0, 0, 0), -3);
	assert_int_equal(call(vm, "set-time-of-day", 7, 1, 0xffffffff, 2, 3, 4, 0, 0, 0), -3);
	assert_int_equal(call(vm, "set-time-of-day", 7, 1, 2001, 2, 3, 4, 5, 6, 7), 0);
	assert_int_equal(call(vm, "get-time-of-day", 0, 8), 0);
	assert_int_equal(rets[1], 2001);
	assert_int_equal(rets[2], 2);
	assert_int_equal(rets[3], 3);
	assert_int_equal(rets[4], 4);
	assert_int_equal(rets[5], 5);
}

static void system_parameters(void **state)
{
	struct vm *vm = vm_of(state);
	uint8_t *buf = vm_mem(vm, BUF, 256);

	memset(buf, 0xaa, 256);
	assert_int_equal(call(vm, "ibm,get-system-parameter", 3, 1, 20, BUF, 200), 0);
	assert_string_equal((char *)buf + 2, "MaxEntCap=2,DesMem=64,DesProcs=2,MaxPlatProcs=2");
	assert_int_equal(ld_be16(buf), strlen((char *)buf + 2) + 1);
	/* A short buffer gets the beginning and no more. */
	memset(buf, 0xaa, 256);
	assert_int_equal(call(vm, "ibm,get-system-parameter", 3, 1, 20, BUF, 5), 0);
	assert_memory_equal(buf + 2, "Max\xaa", 4);
	assert_int_equal(call(vm, "ibm,get-system-parameter", 3, 1, 20, BUF, 1), -3);
	assert_int_equal(call(vm, "ibm,get-system-parameter", 3, 1, 20, 0xfffffff0, 200), -3);
	assert_int_equal(call(vm, "ibm,get-system-parameter", 3, 1, 4444, BUF, 200), -3);
	assert_int_equal(call(vm, "ibm,set-system-parameter", 2, 1, 20, BUF), -9002);
	assert_int_equal(call(vm, "ibm,set-system-parameter", 2, 1, 44, BUF), -3);
}

static void ends(void **state)
{
	struct fake_machine *m = *state;
	char ch;

	assert_int_equal(call(&m->vm, "event-scan", 4, 1, 0, 0, 0, 0), 1);
	assert_int_equal(call(&m->vm, "check-exception", 6, 1, 0, 0, 0, 0, 0, 0), 1);
	assert_int_equal(call(&m->vm, "get-sensor-state", 2, 2, 3, 0), -3);
	assert_int_equal(call(&m->vm, "display-character", 1, 1, 'X'), 0);
	assert_int_equal(read(m->out[0], &ch, 1), 1);
	assert_int_equal(ch, 'X');
	assert_int_equal(m->vm.end, VMM_RUNS);
	strcpy(vm_mem(&m->vm, BUF, 256), "OS panic: no\x01 init\nmore");
	assert_int_equal(call(&m->vm, "ibm,os-term", 1, 1, BUF), 0);
	assert_int_equal(m->vm.end, VMM_CRASH);
	assert_string_equal(m->vm.end_error.text, "the guest panicked: OS panic: no? init");
	/* The first reason counts. */
	assert_int_equal(call(&m->vm, "power-off", 2, 1, 0, 0), 0);
	assert_int_equal(m->vm.end, VMM_CRASH);
}

static void power_off(void **state)
{
	struct vm *vm = vm_of(state);

	assert_int_equal(call(vm, "power-off", 2, 1, 0xffffffff, 0xffffffff), 0);
	assert_int_equal(vm->end, VMM_POWER_OFF);
}

static void reboot(void **state)
{
	struct vm *vm = vm_of(state);

	assert_int_equal(call(vm, "system-reboot", 0, 1), 0);
	assert_int_equal(vm->end, VMM_RESET);
}

static void panic_at_end_of_memory(void **state)
{
	struct vm *vm = vm_of(state);

	memset(vm_mem(vm, vm->ram.size - 4, 4), 'z', 4);
	assert_int_equal(call(vm, "ibm,os-term", 1, 1, (uint32_t)vm->ram.size - 4), 0);
	assert_string_equal(vm->end_error.text, "the guest panicked: zzzz");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_calls, setup, teardown),
		cmocka_unit_test_setup_teardown(processors, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupts, setup, teardown),
		cmocka_unit_test_setup_teardown(nvram, setup, teardown),
		cmocka_unit_test_setup_teardown(clock_calls, setup, teardown),
		cmocka_unit_test_setup_teardown(system_parameters, setup, teardown),
		cmocka_unit_test_setup_teardown(ends, setup, teardown),
		cmocka_unit_test_setup_teardown(power_off, setup, teardown),
		cmocka_unit_test_setup_teardown(reboot, setup, teardown),
		cmocka_unit_test_setup_teardown(panic_at_end_of_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
