/*
 * Fuzzes RTAS and the other hypercalls that reach the VMM: a sequence of calls with any
 * arguments on a pseries machine whose hypervisor is the tests' fake one.
 *
 * One machine serves all inputs; its memory, NVRAM and clock stay as the last one left them.
 *
 * The input is a list of records: hypercall number (2 bytes; 0 makes an RTAS call), then for a
 * hypercall four arguments of 8 bytes, for RTAS an address selector and the bytes of its cells.
 */
#include <fcntl.h>

/* cmocka's assertions of vmm_fake.h are those of a test; here they abort. */
#include "../unit/vmm_fake.h"
#include "mem/endian.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fake_machine machine;
static pthread_t drainer;

static void *drain(void *arg)
{
	char buf[4096];

	(void)arg;
	while (read(machine.out[0], buf, sizeof(buf)) > 0)
		;
	return NULL;
}

static void init(void)
{
	struct vmm_config config = fake_config;

	config.cores = 4;
	config.memory = UINT64_C(16) << 20;
	fake_machine_create(&machine, &config);
	pthread_create(&drainer, NULL, drain, NULL);
}

/* As before the first call: no vCPU but the first one runs, and the VM has not ended. */
static void reset(void)
{
	machine.vm.end = VMM_RUNS;
	machine.vm.attention = false;
	machine.vm.exclusive = false;
	for (unsigned i = 0; i < machine.vm.nr_vcpus; i++) {
		machine.vm.vcpus[i].state = i ? VCPU_STOPPED : VCPU_RUNNABLE;
		machine.vm.vcpus[i].busy = false;
	}
}

static size_t hypercall(const uint8_t *p, size_t n, uint64_t nr)
{
	uint64_t args[9] = {0};
	size_t used = n < 32 ? n : 32;
	uint8_t raw[32] = {0};

	memcpy(raw, p, used);
	for (int i = 0; i < 4; i++)
		args[i] = ld_be64(raw + 8 * i);
	fake_hcall(&machine.vm, nr, args);
	return used;
}

/* Address selector, length, bytes. */
static size_t rtas(const uint8_t *p, size_t n)
{
	uint64_t size = machine.vm.ram.size;
	uint64_t at[] = {0x1000, size - 16, size - 64, size - 4, size, UINT64_MAX - 3, 0xfffffffc};
	uint64_t args[9];
	size_t len;
	uint8_t *mem;

	if (n < 2)
		return n;
	args[0] = at[p[0] % ARRAY_SIZE(at)];
	len = p[1] < n - 2 ? p[1] : n - 2;
	mem = vm_mem(&machine.vm, args[0], len);
	if (mem) {
		memcpy(mem, p + 2, len);
		/* Tokens are dense from 0x2000: hit them often. */
		if (len >= 4 && !(p[0] & 0x80))
			st_be32(mem, 0x2000 + mem[3] % 32);
	}
	fake_hcall(&machine.vm, H_RTAS, args);
	return len + 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!machine.p)
		init();
	reset();
	while (size >= 2) {
		uint64_t nr = ld_be16(data);
		size_t used;

		data += 2;
		size -= 2;
		used = nr ? hypercall(data, size, nr) : rtas(data, size);
		data += used;
		size -= used;
	}
	return 0;
}
