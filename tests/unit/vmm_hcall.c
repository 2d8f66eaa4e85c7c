/* Hypercalls of the pseries machine that reach the VMM: results and argument checks. */
#include "vmm_fake.h"

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

static void unknown(void **state)
{
	for (uint64_t nr = 0; nr <= 0x500; nr += 4) {
		if (nr == H_PUT_TERM_CHAR || nr == H_GET_TERM_CHAR || nr == H_SET_SPRG0 ||
		    nr == H_VIO_SIGNAL || nr == H_SET_MODE || nr == H_GET_CPU_CHARACTERISTICS ||
		    nr == H_REGISTER_PROC_TBL || nr == H_RANDOM || nr == H_SIGNAL_SYS_RESET ||
		    (nr >= H_LOGICAL_CI_LOAD && nr <= H_LOGICAL_DCBF))
			continue;
		assert_int_equal(HCALL(vm_of(state), nr, 1, 2, 3), H_FUNCTION);
	}
	assert_int_equal(HCALL(vm_of(state), H_CAS), H_FUNCTION);
	assert_int_equal(HCALL(vm_of(state), UINT64_MAX), H_FUNCTION);
}

static void terminal(void **state)
{
	struct fake_machine *m = *state;
	struct vm *vm = &m->vm;
	uint64_t args[9];
	char text[64];

	assert_int_equal(HCALL(vm, H_PUT_TERM_CHAR, 0x71000001, 1, 0), H_PARAMETER);
	assert_int_equal(HCALL(vm, H_PUT_TERM_CHAR, PSERIES_VTY_UNIT, 17, 0), H_PARAMETER);
	assert_int_equal(HCALL(vm, H_PUT_TERM_CHAR, PSERIES_VTY_UNIT, 0), H_SUCCESS);
	assert_int_equal(HCALL(vm, H_PUT_TERM_CHAR, PSERIES_VTY_UNIT, 10, 0x4142434445464748,
			       0x494a4b4c4d4e4f50),
			 H_SUCCESS);
	assert_int_equal(read(m->out[0], text, sizeof(text)), 10);
	assert_memory_equal(text, "ABCDEFGHIJ", 10);

	assert_int_equal(HCALL(vm, H_GET_TERM_CHAR, 5), H_PARAMETER);
	memset(args, 0xff, sizeof(args));
	args[0] = PSERIES_VTY_UNIT;
	assert_int_equal(fake_hcall(vm, H_GET_TERM_CHAR, args), H_SUCCESS);
	assert_int_equal(args[0], 0);
	assert_int_equal(write(m->in[1], "abcdefghijklmnopqrs", 19), 19);
	while (console_pending(m->console) < 19)
		usleep(1000);
	while (!fake.pulses)
		usleep(1000);
	args[0] = PSERIES_VTY_UNIT;
	assert_int_equal(fake_hcall(vm, H_GET_TERM_CHAR, args), H_SUCCESS);
	assert_int_equal(args[0], 16);
	assert_true(args[1] == 0x6162636465666768 && args[2] == 0x696a6b6c6d6e6f70);
	args[0] = PSERIES_VTY_UNIT;
	assert_int_equal(fake_hcall(vm, H_GET_TERM_CHAR, args), H_SUCCESS);
	assert_int_equal(args[0], 3);
	assert_true(args[1] == 0x7172730000000000 && args[2] == 0);
}

/* A reader that stops: the guest gets H_BUSY, nothing is lost or doubled. */
static void terminal_backpressure(void **state)
{
	struct fake_machine *m = *state;
	uint64_t sent = 0, got = 0;
	uint8_t buf[4096];
	bool busy = false;

	while (!busy) {
		uint64_t word = sent / 8;
		int64_t ret = HCALL(&m->vm, H_PUT_TERM_CHAR, PSERIES_VTY_UNIT, 8, word);

		busy = ret == H_BUSY;
		if (!busy) {
			assert_int_equal(ret, H_SUCCESS);
			sent += 8;
		}
	}
	assert_true(sent >= 65536);
	while (got < sent) {
		ssize_t n = read(m->out[0], buf, sizeof(buf));

		assert_true(n > 0);
		for (ssize_t i = 0; i < n; i++, got++)
			assert_int_equal(buf[i], (uint8_t)(got / 8 >> (56 - 8 * (got % 8))));
	}
	assert_int_equal(HCALL(&m->vm, H_PUT_TERM_CHAR, PSERIES_VTY_UNIT, 8, 0), H_SUCCESS);
}

static void set_mode(void **state)
{
	struct vm *vm = vm_of(state);

	assert_int_equal(HCALL(vm, H_SET_MODE, 2, H_SET_MODE_RESOURCE_LE),
			 H_UNSUPPORTED_FLAG_START);
	assert_int_equal(HCALL(vm, H_SET_MODE, 1, H_SET_MODE_RESOURCE_LE, 1), H_P3);
	assert_int_equal(HCALL(vm, H_SET_MODE, 1, H_SET_MODE_RESOURCE_LE, 0, 1), H_P4);
	assert_int_equal(HCALL(vm, H_SET_MODE, 1, 77), H_P2);
	for (int i = 0; i < 2; i++)
		fake.vcpus[i].lpcr = 0x40000000;
	assert_int_equal(HCALL(vm, H_SET_MODE, 1, H_SET_MODE_RESOURCE_LE), H_SUCCESS);
	for (int i = 0; i < 2; i++)
		assert_int_equal(fake.vcpus[i].lpcr, 0x42000000);
	assert_int_equal(HCALL(vm, H_SET_MODE, 1, H_SET_MODE_RESOURCE_ADDR_TRANS_MODE),
			 H_UNSUPPORTED_FLAG_START);
	assert_int_equal(HCALL(vm, H_SET_MODE, 2, H_SET_MODE_RESOURCE_ADDR_TRANS_MODE),
			 H_UNSUPPORTED_FLAG_START);
	assert_int_equal(HCALL(vm, H_SET_MODE, 3, H_SET_MODE_RESOURCE_ADDR_TRANS_MODE), H_SUCCESS);
	for (int i = 0; i < 2; i++)
		assert_int_equal(fake.vcpus[i].lpcr, 0x43800000);
	assert_int_equal(HCALL(vm, H_SET_MODE, 0, H_SET_MODE_RESOURCE_ADDR_TRANS_MODE), H_SUCCESS);
	assert_int_equal(HCALL(vm, H_SET_MODE, 0, H_SET_MODE_RESOURCE_LE), H_SUCCESS);
	for (int i = 0; i < 2; i++)
		assert_int_equal(fake.vcpus[i].lpcr, 0x40000000);
	fake.fail_request = KVM_SET_ONE_REG;
	assert_int_equal(HCALL(vm, H_SET_MODE, 1, H_SET_MODE_RESOURCE_LE), H_HARDWARE);
}

static void register_proc_tbl(void **state)
{
	struct vm *vm = vm_of(state);
	const uint64_t radix = PROC_TABLE_NEW | PROC_TABLE_RADIX;

	assert_true(fake.mmu.process_table == PATB1_GR);
	assert_int_equal(fake.mmu.flags, KVM_PPC_MMUV3_RADIX | KVM_PPC_MMUV3_GTSE);
	assert_int_equal(HCALL(vm, H_REGISTER_PROC_TBL, radix | 0x20, 0x10000, 0, 4), H_PARAMETER);
	assert_int_equal(HCALL(vm, H_REGISTER_PROC_TBL, 0x08 | PROC_TABLE_RADIX, 0x10000, 0, 4),
			 H_PARAMETER);
	assert_int_equal(HCALL(vm, H_REGISTER_PROC_TBL, PROC_TABLE_NEW, 0x10000, 0, 4),
			 H_PARAMETER);
	assert_int_equal(HCALL(vm, H_REGISTER_PROC_TBL, radix, 0x10001, 0, 4), H_P2);
	assert_int_equal(HCALL(vm, H_REGISTER_PROC_TBL, radix, UINT64_C(1) << 60, 0, 4), H_P2);
	assert_int_equal(HCALL(vm, H_REGISTER_PROC_TBL, radix, 0x10000, 1, 4), H_P3);
	assert_int_equal(HCALL(vm, H_REGISTER_PROC_TBL, radix, 0x10000, 0, 25), H_P4);
	assert_true(fake.mmu.process_table == PATB1_GR);

	assert_int_equal(HCALL(vm, H_REGISTER_PROC_TBL, radix | PROC_TABLE_GTSE, 0x10000, 0, 4),
			 H_SUCCESS);
	assert_true(fake.mmu.process_table == (PATB1_GR | 0x10004));
	assert_int_equal(fake.mmu.flags, KVM_PPC_MMUV3_RADIX | KVM_PPC_MMUV3_GTSE);
	/* No operation: only GTSE changes. */
	assert_int_equal(HCALL(vm, H_REGISTER_PROC_TBL, PROC_TABLE_RADIX), H_SUCCESS);
	assert_true(fake.mmu.process_table == (PATB1_GR | 0x10004));
	assert_int_equal(fake.mmu.flags, KVM_PPC_MMUV3_RADIX);
	assert_int_equal(HCALL(vm, H_REGISTER_PROC_TBL, PROC_TABLE_DEREG), H_SUCCESS);
	assert_true(fake.mmu.process_table == PATB1_GR);
	fake.fail_request = KVM_PPC_CONFIGURE_V3_MMU;
	assert_int_equal(HCALL(vm, H_REGISTER_PROC_TBL, radix, 0x10000, 0, 4), H_PARAMETER);
}

static void sys_reset(void **state)
{
	struct vm *vm = vm_of(state);

	assert_int_equal(HCALL(vm, H_SIGNAL_SYS_RESET, 7), H_PARAMETER);
	assert_int_equal(HCALL(vm, H_SIGNAL_SYS_RESET, (uint64_t)-3), H_PARAMETER);
	fake.vcpus[0].regs = (struct kvm_regs){.pc = 0x1234, .msr = MSR_SF | MSR_ME | 0x30};
	fake.vcpus[0].lpcr = LPCR_ILE;
	fake.vcpus[1].regs.pc = 0x777;
	/* The other one is stopped: it takes none. */
	assert_int_equal(HCALL(vm, H_SIGNAL_SYS_RESET, (uint64_t)-2), H_SUCCESS);
	assert_int_equal(fake.vcpus[0].regs.pc, 0x1234);
	assert_int_equal(fake.vcpus[1].regs.pc, 0x777);
	assert_int_equal(HCALL(vm, H_SIGNAL_SYS_RESET, (uint64_t)-1), H_SUCCESS);
	assert_int_equal(fake.vcpus[0].regs.pc, 0x100);
	assert_int_equal(fake.vcpus[0].regs.srr0, 0x1234);
	assert_true(fake.vcpus[0].regs.srr1 == (MSR_SF | MSR_ME | 0x30));
	assert_true(fake.vcpus[0].regs.msr == (MSR_SF | MSR_ME | MSR_LE));
	assert_int_equal(fake.vcpus[1].regs.pc, 0x777);
}

static void others(void **state)
{
	struct vm *vm = vm_of(state);
	uint64_t args[9] = {0};

	assert_int_equal(fake_hcall(vm, H_GET_CPU_CHARACTERISTICS, args), H_SUCCESS);
	assert_int_equal(args[0], 1);
	assert_int_equal(args[1], 2);
	assert_int_equal(HCALL(vm, H_SET_SPRG0, 0xabcd), H_SUCCESS);
	assert_int_equal(fake.vcpus[0].regs.sprg0, 0xabcd);
	assert_int_equal(HCALL(vm, H_VIO_SIGNAL, PSERIES_VTY_UNIT, 1), H_SUCCESS);
	assert_int_equal(HCALL(vm, H_VIO_SIGNAL, PSERIES_VTY_UNIT, 2), H_PARAMETER);
	assert_int_equal(HCALL(vm, H_VIO_SIGNAL, PSERIES_NVRAM_UNIT, 1), H_PARAMETER);
	assert_int_equal(fake_hcall(vm, H_RANDOM, args), H_SUCCESS);
	fake.fail_request = KVM_PPC_GET_CPU_CHAR;
	assert_int_equal(HCALL(vm, H_GET_CPU_CHARACTERISTICS), H_FUNCTION);
}

/* Loads and stores of logical memory: big-endian, at natural alignment, inside of memory. */
static void logical(void **state)
{
	static const uint64_t loads[] = {H_LOGICAL_CI_LOAD, H_LOGICAL_CACHE_LOAD};
	static const uint64_t stores[] = {H_LOGICAL_CI_STORE, H_LOGICAL_CACHE_STORE};
	const uint64_t value = 0x8182838485868788;
	struct vm *vm = vm_of(state);
	uint64_t end = vm->ram.size;

	for (int k = 0; k < 2; k++) {
		for (uint64_t size = 0; size <= 17; size++) {
			bool good = size == 1 || size == 2 || size == 4 || size == 8;
			uint64_t args[9] = {size, 0x1000};
			uint8_t *p = vm->ram.base + 0x1000;

			memset(p, 0, 16);
			assert_int_equal(HCALL(vm, stores[k], size, 0x1000, value),
					 good ? H_SUCCESS : H_PARAMETER);
			assert_int_equal(fake_hcall(vm, loads[k], args),
					 good ? H_SUCCESS : H_PARAMETER);
			for (uint64_t i = 0; i < 16; i++)
				assert_int_equal(p[i],
						 good && i < size
							 ? (uint8_t)(value >> 8 * (size - 1 - i))
							 : 0);
			if (!good) {
				assert_int_equal(args[0], size);
				continue;
			}
			assert_true(args[0] == value << (64 - 8 * size) >> (64 - 8 * size));
			assert_int_equal(args[1], 0x1000);
			/* The last bytes of memory, behind them, and where sums wrap. */
			assert_int_equal(HCALL(vm, stores[k], size, end - size, 0), H_SUCCESS);
			assert_int_equal(HCALL(vm, stores[k], size, end, 0), H_PARAMETER);
			assert_int_equal(HCALL(vm, stores[k], size, -size, 0), H_PARAMETER);
			assert_int_equal(HCALL(vm, loads[k], size, end - size), H_SUCCESS);
			assert_int_equal(HCALL(vm, loads[k], size, end), H_PARAMETER);
			assert_int_equal(HCALL(vm, loads[k], size, -size), H_PARAMETER);
			for (uint64_t off = 1; off < size; off++) {
				assert_int_equal(HCALL(vm, loads[k], size, 0x1000 + off),
						 H_PARAMETER);
				assert_int_equal(HCALL(vm, stores[k], size, 0x1000 + off, 0),
						 H_PARAMETER);
			}
		}
		assert_int_equal(HCALL(vm, loads[k], UINT64_C(1) << 32, 0), H_PARAMETER);
		assert_int_equal(HCALL(vm, loads[k], UINT64_C(1) << 63, 0), H_PARAMETER);
	}
	for (uint64_t nr = H_LOGICAL_ICBI; nr <= H_LOGICAL_DCBF; nr += 4) {
		assert_int_equal(HCALL(vm, nr, 0x1001), H_SUCCESS);
		assert_int_equal(HCALL(vm, nr, end - 1), H_SUCCESS);
		assert_int_equal(HCALL(vm, nr, end), H_PARAMETER);
		assert_int_equal(HCALL(vm, nr, UINT64_MAX), H_PARAMETER);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(terminal, setup, teardown),
		cmocka_unit_test_setup_teardown(terminal_backpressure, setup, teardown),
		cmocka_unit_test_setup_teardown(set_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(register_proc_tbl, setup, teardown),
		cmocka_unit_test_setup_teardown(sys_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(logical, setup, teardown),
		cmocka_unit_test_setup_teardown(others, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
