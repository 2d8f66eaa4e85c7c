/*
 * Hypercalls and their arguments: what is served here, what goes to the VMM, and the registered
 * areas.
 */
#include "kvm_test.h"

#define VPA  UINT64_C(0x40000)
#define DTL  UINT64_C(0x50000)
#define SHDW UINT64_C(0x60000)

#define FUNC(f) ((uint64_t)(f) << H_VPA_FUNC_SHIFT)

static struct test_vm t;

static int setup(void **state)
{
	(void)state;
	test_vm_create(&t, 2);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_vm_destroy(&t);
	return 0;
}

static struct p9_regs *regs(unsigned i)
{
	return p9_regs(test_vcpu_inside(&t, i)->vcpu.cpu);
}

static void enable(uint64_t nr)
{
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_ENABLE_HCALL, nr, 1), 0);
}

static void to_the_vmm(void **state)
{
	static const uint64_t user[] = {
		H_ENTER,
		H_PUT_TERM_CHAR,
		H_REGISTER_PROC_TBL,
		H_RTAS,
		H_CAS,
		0,
		1,
		3,
		H_RANDOM,
		H_SET_MODE,
		H_RPT_INVALIDATE,
		H_LAST_PAPR + 4,
		UINT64_MAX,
		0xf803,
	};
	const uint64_t args[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

	(void)state;
	for (size_t i = 0; i < sizeof(user) / sizeof(user[0]); i++) {
		assert_int_equal(test_hcall(&t, 0, user[i], args, 9), PPC_USER);
		assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_PAPR_HCALL);
		assert_int_equal(t.run[0]->papr_hcall.nr, user[i]);
		assert_memory_equal(t.run[0]->papr_hcall.args, args, sizeof(args));
	}
	/* Nesting is not there, and says so itself. */
	assert_int_equal(HCALL(&t, 0, H_SET_PARTITION_TABLE, 0), H_FUNCTION);
	assert_int_equal(HCALL(&t, 0, H_ENTER_NESTED, 0, 0), H_FUNCTION);
	assert_int_equal(HCALL(&t, 0, H_TLB_INVALIDATE, 0, 0, 0), H_FUNCTION);
	assert_int_equal(HCALL(&t, 0, H_COPY_TOFROM_GUEST, 0), H_FUNCTION);
	/* A call can be taken away. */
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_ENABLE_HCALL, H_PROD, 0), 0);
	assert_int_equal(test_hcall(&t, 0, H_PROD, args, 1), PPC_USER);
	enable(H_PROD);
	assert_int_equal(HCALL(&t, 0, H_PROD, 1), H_SUCCESS);
}

static void processors(void **state)
{
	(void)state;
	assert_int_equal(HCALL(&t, 0, H_PROD, 2), H_PARAMETER);
	assert_int_equal(HCALL(&t, 0, H_PROD, UINT64_MAX), H_PARAMETER);
	assert_int_equal(HCALL(&t, 0, H_CONFER, 1, 0), H_SUCCESS);
	assert_int_equal(HCALL(&t, 0, H_CONFER, UINT64_MAX, 0), H_SUCCESS);
	assert_int_equal(HCALL(&t, 0, H_CONFER, 7, 0), H_PARAMETER);
	enable(H_RANDOM);
	assert_int_equal(HCALL(&t, 0, H_RANDOM, 0), H_SUCCESS);
	uint64_t first = regs(0)->gpr[4];
	assert_int_equal(HCALL(&t, 0, H_RANDOM, 0), H_SUCCESS);
	assert_int_not_equal(regs(0)->gpr[4], first);
}

static void breakpoints(void **state)
{
	const uint64_t endian[] = {0, H_SET_MODE_RESOURCE_LE, 0, 0};

	(void)state;
	enable(H_SET_MODE);
	assert_int_equal(HCALL(&t, 0, H_SET_MODE, 0, H_SET_MODE_RESOURCE_SET_CIABR, 0x1002, 0),
			 H_SUCCESS);
	assert_int_equal(regs(0)->ciabr, 0x1002);
	assert_int_equal(HCALL(&t, 0, H_SET_MODE, 0, H_SET_MODE_RESOURCE_SET_CIABR, 0x1003, 0),
			 H_P3);
	assert_int_equal(HCALL(&t, 0, H_SET_MODE, 0, H_SET_MODE_RESOURCE_SET_CIABR, 0x1002, 1),
			 H_P4);
	assert_int_equal(HCALL(&t, 0, H_SET_MODE, 1, H_SET_MODE_RESOURCE_SET_CIABR, 0x1002, 0),
			 H_UNSUPPORTED_FLAG_START);
	assert_int_equal(HCALL(&t, 0, H_SET_MODE, 0, H_SET_MODE_RESOURCE_SET_DAWR0, 0x2000, 0x63),
			 H_SUCCESS);
	assert_int_equal(regs(0)->dawr0, 0x2000);
	assert_int_equal(regs(0)->dawrx0, 0x63);
	assert_int_equal(HCALL(&t, 0, H_SET_MODE, 0, H_SET_MODE_RESOURCE_SET_DAWR0, 0x2000, 4),
			 H_P4);
	assert_int_equal(HCALL(&t, 0, H_SET_MODE, 0, H_SET_MODE_RESOURCE_SET_DAWR1, 0, 0), H_P2);
	assert_int_equal(test_hcall(&t, 0, H_SET_MODE, endian, 4), PPC_USER);
	assert_int_equal(HCALL(&t, 0, H_SET_DABR, 0x3005), H_SUCCESS);
	assert_int_equal(regs(0)->dawr0, 0x3000);
	assert_int_equal(regs(0)->dawrx0, 0x33);
	assert_int_equal(HCALL(&t, 0, H_SET_XDABR, 0x3002, 2), H_SUCCESS);
	assert_int_equal(regs(0)->dawrx0, 0x42);
	assert_int_equal(HCALL(&t, 0, H_SET_XDABR, 0x3002, 0), H_PARAMETER);
	assert_int_equal(HCALL(&t, 0, H_SET_XDABR, 0x3002, 4), H_PARAMETER);
}

static void translations(void **state)
{
	(void)state;
	enable(H_RPT_INVALIDATE);
	assert_int_equal(HCALL(&t, 0, H_RPT_INVALIDATE, 1, H_RPTI_TARGET_CMMU, H_RPTI_TYPE_TLB,
			       H_RPTI_PAGE_ALL, 0, UINT64_MAX),
			 H_SUCCESS);
	assert_int_equal(HCALL(&t, 0, H_RPT_INVALIDATE, 1, H_RPTI_TARGET_CMMU, H_RPTI_TYPE_TLB,
			       H_RPTI_PAGE_4K, 0x1000, 0x2000),
			 H_SUCCESS);
	assert_int_equal(HCALL(&t, 0, H_RPT_INVALIDATE, 1, H_RPTI_TARGET_CMMU, 0xe, 0, 5, 5),
			 H_SUCCESS);
	assert_int_equal(HCALL(&t, 0, H_RPT_INVALIDATE, 1, H_RPTI_TARGET_CMMU, H_RPTI_TYPE_TLB,
			       H_RPTI_PAGE_4K, 0x2000, 0x1000),
			 H_P5);
	assert_int_equal(HCALL(&t, 0, H_RPT_INVALIDATE, 1, H_RPTI_TARGET_CMMU,
			       H_RPTI_TYPE_NESTED | H_RPTI_TYPE_TLB, H_RPTI_PAGE_4K, 0, 0x1000),
			 H_FUNCTION);
}

static void page_init(void **state)
{
	const uint64_t zero = UINT64_C(1) << 15, copy = UINT64_C(1) << 14;

	(void)state;
	enable(H_PAGE_INIT);
	memset(t.mem + 0x3000, 0x77, 4096);
	assert_int_equal(HCALL(&t, 0, H_PAGE_INIT, copy, 0x5000, 0x3000), H_SUCCESS);
	assert_memory_equal(t.mem + 0x5000, t.mem + 0x3000, 4096);
	assert_int_equal(HCALL(&t, 0, H_PAGE_INIT, zero, 0x5000, 0), H_SUCCESS);
	assert_int_equal(t.mem[0x5fff], 0);
	assert_int_equal(HCALL(&t, 0, H_PAGE_INIT, 0, 0x5000, 0), H_SUCCESS);
	assert_int_equal(HCALL(&t, 0, H_PAGE_INIT, 1, 0x5000, 0), H_PARAMETER);
	assert_int_equal(HCALL(&t, 0, H_PAGE_INIT, zero, 0x5008, 0), H_PARAMETER);
	assert_int_equal(HCALL(&t, 0, H_PAGE_INIT, zero, GUEST_MEM, 0), H_PARAMETER);
	assert_int_equal(HCALL(&t, 0, H_PAGE_INIT, copy, 0x5000, GUEST_MEM), H_PARAMETER);
	assert_int_equal(HCALL(&t, 0, H_PAGE_INIT, copy, 0x5000, 0x3008), H_PARAMETER);
	assert_int_equal(HCALL(&t, 0, H_PAGE_INIT, zero, ~UINT64_C(4095), 0), H_PARAMETER);
	/* the last page of a slot */
	assert_int_equal(HCALL(&t, 0, H_PAGE_INIT, zero, GUEST_MEM - 4096, 0), H_SUCCESS);
}

/* What it does to translated code: kvm_run.c. */
static void logical_icbi(void **state)
{
	(void)state;
	enable(H_LOGICAL_ICBI);
	assert_int_equal(HCALL(&t, 0, H_LOGICAL_ICBI, 0x3001), H_SUCCESS);
	assert_int_equal(HCALL(&t, 0, H_LOGICAL_ICBI, GUEST_MEM - 1), H_SUCCESS);
	assert_int_equal(HCALL(&t, 0, H_LOGICAL_ICBI, GUEST_MEM), H_PARAMETER);
	assert_int_equal(HCALL(&t, 0, H_LOGICAL_ICBI, UINT64_MAX), H_PARAMETER);
}

static int64_t reg_vpa(uint64_t func, uint64_t cpu, uint64_t addr)
{
	return HCALL(&t, 0, H_REGISTER_VPA, FUNC(func), cpu, addr);
}

static void areas(void **state)
{
	(void)state;
	st_be16(t.mem + VPA + 4, 640);
	st_be32(t.mem + DTL + 4, 3 * 48 + 5);
	st_be32(t.mem + SHDW + 4, 64);
	/* a log needs a VPA */
	assert_int_equal(reg_vpa(H_VPA_REG_DTL, 0, DTL), H_RESOURCE);
	assert_int_equal(reg_vpa(H_VPA_REG_SLB, 0, SHDW), H_RESOURCE);
	/* bad processors, addresses, lengths, functions */
	assert_int_equal(reg_vpa(H_VPA_REG_VPA, 9, VPA), H_PARAMETER);
	assert_int_equal(reg_vpa(H_VPA_REG_VPA, 0, 0), H_PARAMETER);
	assert_int_equal(reg_vpa(H_VPA_REG_VPA, 0, VPA + 8), H_PARAMETER);
	assert_int_equal(reg_vpa(H_VPA_REG_VPA, 0, GUEST_MEM), H_PARAMETER);
	assert_int_equal(reg_vpa(0, 0, VPA), H_PARAMETER);
	assert_int_equal(reg_vpa(4, 0, VPA), H_PARAMETER);
	st_be16(t.mem + VPA + 4, 639);
	assert_int_equal(reg_vpa(H_VPA_REG_VPA, 0, VPA), H_PARAMETER);
	st_be16(t.mem + GUEST_MEM - 512 + 4, 640); /* past the end of memory */
	assert_int_equal(reg_vpa(H_VPA_REG_VPA, 0, GUEST_MEM - 512), H_PARAMETER);
	st_be16(t.mem + VPA + 4, 640);
	st_be32(t.mem + VPA + 0x100, 77);
	assert_int_equal(reg_vpa(H_VPA_REG_VPA, 0, VPA), H_SUCCESS);
	/* shared, and dispatched: Linux looks before it leaves for the first time */
	assert_int_equal(t.mem[VPA + 9] & 2, 2);
	assert_int_equal(ld_be32(t.mem + VPA + 0x100), 0);
	st_be32(t.mem + DTL + 4, 47);
	assert_int_equal(reg_vpa(H_VPA_REG_DTL, 0, DTL), H_PARAMETER);
	st_be32(t.mem + DTL + 4, UINT32_MAX);
	assert_int_equal(reg_vpa(H_VPA_REG_DTL, 0, DTL), H_PARAMETER);
	st_be32(t.mem + DTL + 4, 3 * 48 + 5);
	assert_int_equal(reg_vpa(H_VPA_REG_DTL, 0, DTL), H_SUCCESS);
	assert_int_equal(reg_vpa(H_VPA_REG_SLB, 0, SHDW), H_SUCCESS);
	assert_int_equal(reg_vpa(H_VPA_DEREG_VPA, 0, 0), H_RESOURCE);

	/* dispatches: the count is even inside, odd outside; one entry each, wrapping after 3 */
	for (uint64_t n = 1; n <= 5; n++) {
		TEST_CODE(&t, 0, GUEST_CODE + 64 * n, INSN_LI(3u, 0x54), INSN_SC1);
		assert_int_equal(test_run(&t, 0), 0);
		assert_int_equal(ld_be32(t.mem + VPA + 0x100), 2 * n - 1);
		assert_int_equal(ld_be64(t.mem + VPA + 0x218), n);
		assert_int_equal(ld_be64(t.mem + DTL + (n - 1) % 3 * 48 + 32), GUEST_CODE + 64 * n);
		assert_int_equal(t.mem[DTL + (n - 1) % 3 * 48], 7);
	}
	assert_int_equal(t.mem[VPA + 9] & 2, 2);
	for (int i = 3 * 48; i < 4 * 48; i++)
		assert_int_equal(t.mem[DTL + i], 0);

	assert_int_equal(reg_vpa(H_VPA_DEREG_DTL, 0, 0), H_SUCCESS);
	assert_int_equal(reg_vpa(H_VPA_DEREG_SLB, 0, 0), H_SUCCESS);
	assert_int_equal(reg_vpa(H_VPA_DEREG_VPA, 0, 0), H_SUCCESS);
	TEST_CODE(&t, 0, GUEST_CODE + 1024, INSN_LI(3u, 0x54), INSN_SC1);
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(ld_be32(t.mem + VPA + 0x100), 9);
}

static void area_in_vanished_memory(void **state)
{
	(void)state;
	assert_int_equal(test_set_slot(&t, 1, 0, GUEST_MEM, 65536, t.mem + 0x100000), 0);
	st_be16(t.mem + 0x100004, 1024);
	assert_int_equal(reg_vpa(H_VPA_REG_VPA, 0, GUEST_MEM), H_SUCCESS);
	assert_int_equal(test_set_slot(&t, 1, 0, 0, 0, NULL), 0);
	TEST_CODE(&t, 0, GUEST_CODE, INSN_LI(3u, 0x54), INSN_SC1);
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(ld_be32(t.mem + 0x100100), 0);
}

static void area_registers(void **state)
{
	struct {
		uint64_t addr, length;
	} area = {VPA, 0};
	struct kvm_one_reg reg = {.id = KVM_REG_PPC_VPA_DTL, .addr = (uintptr_t)&area};

	(void)state;
	area.length = 4800;
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_ONE_REG, &reg), -EINVAL); /* no VPA */
	reg.id = KVM_REG_PPC_VPA_ADDR;
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_ONE_REG, &reg), 0);
	reg.id = KVM_REG_PPC_VPA_DTL;
	area.addr = DTL;
	area.length = 47;
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_ONE_REG, &reg), -EINVAL);
	area.length = 100;
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_ONE_REG, &reg), 0);
	area.addr = area.length = 0;
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_GET_ONE_REG, &reg), 0);
	assert_int_equal(area.addr, DTL);
	assert_int_equal(area.length, 96);
	area.addr = 0;
	reg.id = KVM_REG_PPC_VPA_ADDR;
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_ONE_REG, &reg), -EINVAL); /* in use */
	area.addr = 8;
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_ONE_REG, &reg), -EINVAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(to_the_vmm),     TEST(processors),
		TEST(breakpoints),    TEST(translations),
		TEST(page_init),      TEST(logical_icbi),
		TEST(areas),          TEST(area_in_vanished_memory),
		TEST(area_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
