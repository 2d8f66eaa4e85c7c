/*
 * KVM_RUN with real guest code: hypercalls to the VMM, memory faulted in, devices, ceding, kicks.
 */
#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "kvm_test.h"

#define DEVICE_GPA UINT64_C(0x20000000) /* no slot there */

/*
 * An interrupt handler: SRR0 to r30 (sc 1 itself changes SRR0), and a hypercall that the VMM sees.
 * Big-endian, as LPCR[ILE] is 0.
 */
static void put_handler(struct test_vm *t, uint64_t vector)
{
	st_be32(t->mem + vector, INSN_X(339, 30u, 26u, 0u));     /* mfspr r30,SRR0 */
	st_be32(t->mem + vector + 4, INSN_X(339, 29u, 27u, 0u)); /* mfspr r29,SRR1 */
	st_be32(t->mem + vector + 8, INSN_LI(3u, 0x54));
	st_be32(t->mem + vector + 12, INSN_SC1);
}

static void put_user_hcall(void **state)
{
	struct test_vm t;

	(void)state;
	test_vm_create(&t, 1);
	/* H_PUT_TERM_CHAR with r4..r6; the result goes to r3, and r7 := r3 + 1 */
	TEST_CODE(&t, 0, GUEST_CODE, INSN_LI(3u, 0x58), INSN_LI(4u, 0x11), INSN_LI(5u, 0x22),
		  INSN_SC1, INSN_ADDI(31u, 3u, 1), INSN_LI(3u, 0x54), INSN_SC1);
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_PAPR_HCALL);
	assert_int_equal(t.run[0]->papr_hcall.nr, H_PUT_TERM_CHAR);
	assert_int_equal(t.run[0]->papr_hcall.args[0], 0x11);
	assert_int_equal(t.run[0]->papr_hcall.args[1], 0x22);
	t.run[0]->papr_hcall.ret = 41;
	t.run[0]->papr_hcall.args[2] = 0x77;
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(t.run[0]->papr_hcall.nr, H_GET_TERM_CHAR);
	assert_int_equal(test_gpr(&t, 0, 31), 42);
	assert_int_equal(test_gpr(&t, 0, 6), 0x77);
	test_vm_destroy(&t);
}

static void not_papr(void **state)
{
	struct test_vm t;
	int fd;

	(void)state;
	test_vm_create(&t, 0);
	fd = test_ioctl_n(&t, t.fd, KVM_CREATE_VCPU, 0);
	assert_true(fd >= 0);
	assert_int_equal(test_ioctl(&t, fd, KVM_RUN, NULL), -EINVAL);
	assert_int_equal(test_ioctl_n(&t, fd, KVM_RUN, 1), -EINVAL);
	test_vm_destroy(&t);
}

/* One device access of each width and kind. */
struct mmio_case {
	uint32_t insn; /* RT = r5 or f5, RA = r4 (base), RB = r6 (0) */
	unsigned len;
	bool write, fpr;
	uint8_t data[8]; /* what the device sees, or answers */
	uint64_t reg;    /* before a store, after a load */
	unsigned disp;
	bool update;
};

static const struct mmio_case cases[] = {
	{INSN_D(34, 5u, 4u, 0), 1, false, false, {0x80}, 0x80, 0, false},         /* lbz */
	{INSN_D(40, 5u, 4u, 2), 2, false, false, {0x34, 0x82}, 0x8234, 2, false}, /* lhz */
	{INSN_D(42, 5u, 4u, 2), 2, false, false, {0x34, 0x82}, 0xffffffffffff8234, 2, false}, /* lha
											       */
	{INSN_D(32, 5u, 4u, 4), 4, false, false, {1, 2, 3, 4}, 0x04030201, 4, false}, /* lwz */
	{INSN_D(33, 5u, 4u, 4), 4, false, false, {1, 2, 3, 4}, 0x04030201, 4, true},  /* lwzu */
	{INSN_D(58, 5u, 4u, 10),
	 4,
	 false,
	 false,
	 {1, 2, 3, 0x84},
	 0xffffffff84030201,
	 8,
	 false}, /* lwa
		  */
	{INSN_D(58, 5u, 4u, 8),
	 8,
	 false,
	 false,
	 {1, 2, 3, 4, 5, 6, 7, 8},
	 0x0807060504030201,
	 8,
	 false},                                                                        /* ld */
	{INSN_X(534, 5u, 4u, 6u), 4, false, false, {1, 2, 3, 4}, 0x01020304, 0, false}, /* lwbrx */
	{INSN_X(532, 5u, 4u, 6u),
	 8,
	 false,
	 false,
	 {1, 2, 3, 4, 5, 6, 7, 8},
	 0x0102030405060708,
	 0,
	 false},                                                                    /* ldbrx */
	{INSN_D(38, 5u, 4u, 1), 1, true, false, {0xaa}, 0x55aa, 1, false},          /* stb */
	{INSN_D(44, 5u, 4u, 2), 2, true, false, {0xcd, 0xab}, 0xabcd, 2, false},    /* sth */
	{INSN_D(37, 5u, 4u, 4), 4, true, false, {4, 3, 2, 1}, 0x01020304, 4, true}, /* stwu */
	{INSN_D(62, 5u, 4u, 0),
	 8,
	 true,
	 false,
	 {8, 7, 6, 5, 4, 3, 2, 1},
	 0x0102030405060708,
	 0,
	 false},                                                                       /* std */
	{INSN_X(662, 5u, 4u, 6u), 4, true, false, {1, 2, 3, 4}, 0x01020304, 0, false}, /* stwbrx */
	{INSN_X(918, 5u, 4u, 6u), 2, true, false, {3, 4}, 0x01020304, 0, false},       /* sthbrx */
	{INSN_D(48, 5u, 4u, 0),
	 4,
	 false,
	 true,
	 {0, 0, 0xc0, 0x3f},
	 0x3ff8000000000000,
	 0,
	 false}, /* lfs 1.5 */
	{INSN_D(48, 5u, 4u, 0),
	 4,
	 false,
	 true,
	 {1, 0, 0, 0},
	 0x36a0000000000000,
	 0,
	 false}, /* lfs denormal */
	{INSN_D(48, 5u, 4u, 0),
	 4,
	 false,
	 true,
	 {1, 0, 0x80, 0x7f},
	 0x7ff0000020000000,
	 0,
	 false}, /* lfs SNaN */
	{INSN_D(50, 5u, 4u, 0),
	 8,
	 false,
	 true,
	 {1, 2, 3, 4, 5, 6, 7, 8},
	 0x0807060504030201,
	 0,
	 false}, /* lfd */
	{INSN_X(855, 5u, 4u, 6u),
	 4,
	 false,
	 true,
	 {0, 0, 0, 0x80},
	 0xffffffff80000000,
	 0,
	 false}, /* lfiwax
		  */
	{INSN_D(52, 5u, 4u, 0),
	 4,
	 true,
	 true,
	 {0, 0, 0xc0, 0x3f},
	 0x3ff8000000000000,
	 0,
	 false}, /* stfs
		  */
	{INSN_D(52, 5u, 4u, 0),
	 4,
	 true,
	 true,
	 {1, 0, 0, 0},
	 0x36a0000000000000,
	 0,
	 false}, /* stfs denormal */
	{INSN_D(54, 5u, 4u, 0),
	 8,
	 true,
	 true,
	 {1, 2, 3, 4, 5, 6, 7, 8},
	 0x0807060504030201,
	 0,
	 false}, /* stfd */
	{INSN_X(983, 5u, 4u, 6u),
	 4,
	 true,
	 true,
	 {1, 2, 3, 4},
	 0x0807060504030201,
	 0,
	 false}, /* stfiwx
		  */
};

static void mmio(void **state)
{
	struct test_vm t;

	(void)state;
	test_vm_create(&t, 1);
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		const struct mmio_case *c = &cases[k];
		uint64_t fpr = c->reg;
		struct kvm_one_reg reg = {.id = KVM_REG_PPC_FPR(5), .addr = (uintptr_t)&fpr};
		struct kvm_regs r;
		uint64_t got;

		/* New code each time, at a new place: no icbi in between. */
		TEST_CODE(&t, 0, GUEST_CODE + 64 * k, c->insn, INSN_LI(3u, 0x54), INSN_SC1);
		test_get_regs(&t, 0, &r);
		r.gpr[4] = DEVICE_GPA;
		r.gpr[5] = c->write && !c->fpr ? c->reg : 0;
		r.gpr[6] = 0;
		test_set_regs(&t, 0, &r);
		if (c->write && c->fpr)
			assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_ONE_REG, &reg), 0);
		assert_int_equal(test_run(&t, 0), 0);
		assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_MMIO);
		assert_int_equal(t.run[0]->mmio.phys_addr, DEVICE_GPA + c->disp);
		assert_int_equal(t.run[0]->mmio.len, c->len);
		assert_int_equal(t.run[0]->mmio.is_write, c->write);
		if (c->write)
			assert_memory_equal(t.run[0]->mmio.data, c->data, c->len);
		else
			memcpy(t.run[0]->mmio.data, c->data, c->len);
		assert_int_equal(test_run(&t, 0), 0);
		assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_PAPR_HCALL);
		if (!c->write) {
			got = test_gpr(&t, 0, 5);
			if (c->fpr) {
				assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_GET_ONE_REG, &reg),
						 0);
				got = fpr;
			}
			assert_int_equal(got, c->reg);
		}
		assert_int_equal(test_gpr(&t, 0, 4), DEVICE_GPA + (c->update ? c->disp : 0));
	}
	test_vm_destroy(&t);
}

/* Big-endian guest: the same store, the bytes the other way round. */
static void mmio_big_endian(void **state)
{
	static const uint32_t code[] = {INSN_D(36, 5u, 4u, 0), INSN_LI(3u, 0x54), INSN_SC1};
	struct test_vm t;
	struct kvm_regs r;

	(void)state;
	test_vm_create(&t, 1);
	for (size_t i = 0; i < 3; i++)
		st_be32(t.mem + GUEST_CODE + 4 * i, code[i]);
	test_get_regs(&t, 0, &r);
	r.pc = GUEST_CODE;
	r.msr = P9_MSR_SF;
	r.gpr[4] = DEVICE_GPA;
	r.gpr[5] = 0x01020304;
	test_set_regs(&t, 0, &r);
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_MMIO);
	assert_memory_equal(t.run[0]->mmio.data, "\1\2\3\4", 4);
	test_vm_destroy(&t);
}

/* What devices do not do is the guest's error: a data storage interrupt at 0x300. */
static void mmio_unsupported(void **state)
{
	struct test_vm t;
	struct kvm_regs r;
	uint64_t dar = 0;
	struct kvm_one_reg reg = {.id = KVM_REG_PPC_DAR, .addr = (uintptr_t)&dar};

	(void)state;
	test_vm_create(&t, 1);
	put_handler(&t, 0x300);
	TEST_CODE(&t, 0, GUEST_CODE, INSN_D(46, 29u, 4u, 0)); /* lmw */
	test_get_regs(&t, 0, &r);
	r.gpr[4] = DEVICE_GPA;
	test_set_regs(&t, 0, &r);
	put_handler(&t, 0x600); /* lmw in little-endian mode is an alignment one */
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_PAPR_HCALL);
	test_get_regs(&t, 0, &r);
	assert_int_equal(r.gpr[30], GUEST_CODE);

	TEST_CODE(&t, 0, GUEST_CODE + 64, INSN_X(103, 5u, 4u, 6u)); /* lvx */
	test_get_regs(&t, 0, &r);
	r.gpr[4] = DEVICE_GPA + 16;
	r.gpr[6] = 0;
	r.msr |= P9_MSR_VEC;
	test_set_regs(&t, 0, &r);
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_PAPR_HCALL);
	test_get_regs(&t, 0, &r);
	assert_int_equal(r.gpr[30], GUEST_CODE + 64);
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_GET_ONE_REG, &reg), 0);
	assert_int_equal(dar, DEVICE_GPA + 16);
	test_vm_destroy(&t);
}

/* sc 1 in problem state is a privileged instruction, and its address is SRR0. */
static void hcall_from_user(void **state)
{
	struct test_vm t;
	struct kvm_regs r;

	(void)state;
	test_vm_create(&t, 1);
	put_handler(&t, 0x700);
	test_process(&t, 0);
	TEST_CODE(&t, 0, GUEST_CODE, INSN_LI(3u, 0x58), INSN_SC1);
	test_get_regs(&t, 0, &r);
	r.msr |= P9_MSR_PR | P9_MSR_IR | P9_MSR_DR;
	test_set_regs(&t, 0, &r);
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(t.run[0]->papr_hcall.nr, H_GET_TERM_CHAR);
	test_get_regs(&t, 0, &r);
	assert_int_equal(r.gpr[30], GUEST_CODE + 4);
	assert_true(r.gpr[29] & PPC_PROG_PRIV);
	test_vm_destroy(&t);
}

static void ioeventfd_takes_stores(void **state)
{
	struct test_vm t;
	struct kvm_regs r;
	int fd = eventfd(0, EFD_NONBLOCK);
	struct kvm_ioeventfd io = {
		.addr = DEVICE_GPA,
		.len = 2,
		.fd = fd,
		.datamatch = 0x1234,
		.flags = KVM_IOEVENTFD_FLAG_DATAMATCH,
	};
	eventfd_t count;

	(void)state;
	test_vm_create(&t, 1);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_IOEVENTFD, &io), 0);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_IOEVENTFD, &io), -EEXIST);
	TEST_CODE(&t, 0, GUEST_CODE, INSN_D(44, 5u, 4u, 0), INSN_D(44, 5u, 4u, 0),
		  INSN_LI(5u, 0x1235), INSN_D(44, 5u, 4u, 0));
	test_get_regs(&t, 0, &r);
	r.gpr[4] = DEVICE_GPA;
	r.gpr[5] = 0x1234;
	test_set_regs(&t, 0, &r);
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_MMIO);
	assert_memory_equal(t.run[0]->mmio.data, "\x35\x12", 2);
	assert_int_equal(eventfd_read(fd, &count), 0);
	assert_int_equal(count, 2);
	io.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_IOEVENTFD, &io), 0);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_IOEVENTFD, &io), -ENOENT);
	io.flags = 0;
	io.len = 3;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_IOEVENTFD, &io), -EINVAL);
	io.len = 4;
	io.fd = -1;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_IOEVENTFD, &io), -EBADF);
	io.fd = 0;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_IOEVENTFD, &io), -EINVAL);
	close(fd);
	test_vm_destroy(&t);
}

static void memory_readonly(void **state)
{
	struct test_vm t;
	struct kvm_regs r;

	(void)state;
	test_vm_create(&t, 1);
	assert_int_equal(test_set_slot(&t, 1, KVM_MEM_READONLY, DEVICE_GPA, 0x10000,
				       t.mem + GUEST_MEM - 0x10000),
			 0);
	st_le32(t.mem + GUEST_MEM - 0x10000, 0xcafe);
	/* load, then store: the load is memory, the store is a device access (api.rst 4.35) */
	TEST_CODE(&t, 0, GUEST_CODE, INSN_D(32, 31u, 4u, 0), INSN_D(36, 5u, 4u, 0));
	test_get_regs(&t, 0, &r);
	r.gpr[4] = DEVICE_GPA;
	test_set_regs(&t, 0, &r);
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_MMIO);
	assert_int_equal(t.run[0]->mmio.is_write, 1);
	assert_int_equal(test_gpr(&t, 0, 31), 0xcafe);
	test_vm_destroy(&t);
}

/* A guest that stores for ever loses the slot under it: the next store goes to the VMM. */
static void *run_thread(void *arg)
{
	struct test_vm *t = arg;

	return (void *)(intptr_t)test_run(t, 0);
}

static void sleep_ms(unsigned ms)
{
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};

	nanosleep(&ts, NULL);
}

static void slot_removed_while_running(void **state)
{
	struct test_vm t;
	struct kvm_regs r;
	pthread_t thread;
	void *ret;

	(void)state;
	test_vm_create(&t, 1);
	assert_int_equal(test_set_slot(&t, 1, 0, DEVICE_GPA, 0x200000, t.mem + (32 << 20)), 0);
	TEST_CODE(&t, 0, GUEST_CODE, INSN_ADDI(5u, 5u, 1), INSN_D(36, 5u, 4u, 0x100), INSN_B(-8));
	test_get_regs(&t, 0, &r);
	r.gpr[4] = DEVICE_GPA;
	test_set_regs(&t, 0, &r);
	pthread_create(&thread, NULL, run_thread, &t);
	while (!__atomic_load_n(t.mem + (32 << 20) + 0x100, __ATOMIC_RELAXED))
		sleep_ms(1);
	assert_int_equal(test_set_slot(&t, 1, 0, 0, 0, NULL), 0);
	/* It is not written any more from here on. */
	memset(t.mem + (32 << 20) + 0x100, 0, 4);
	pthread_join(thread, &ret);
	assert_int_equal((intptr_t)ret, 0);
	assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_MMIO);
	assert_int_equal(t.run[0]->mmio.phys_addr, DEVICE_GPA + 0x100);
	assert_int_equal(ld_le32(t.mem + (32 << 20) + 0x100), 0);
	test_vm_destroy(&t);
}

static void dirty_log(void **state)
{
	struct test_vm t;
	struct kvm_regs r;
	uint64_t bitmap[2];
	struct kvm_dirty_log log = {.slot = 1, .dirty_bitmap = (uintptr_t)bitmap};

	(void)state;
	test_vm_create(&t, 1);
	assert_int_equal(test_set_slot(&t, 1, KVM_MEM_LOG_DIRTY_PAGES, DEVICE_GPA, 70 * 4096,
				       t.mem + (32 << 20)),
			 0);
	/* read page 1, write page 2 and page 67, then tell */
	TEST_CODE(&t, 0, GUEST_CODE, INSN_D(32, 31u, 4u, 0x1000), INSN_D(36, 5u, 4u, 0x2000),
		  INSN_D(36, 5u, 6u, 0), INSN_LI(3u, 0x54), INSN_SC1, INSN_D(36, 5u, 4u, 0x2000),
		  INSN_LI(3u, 0x54), INSN_SC1, INSN_LI(3u, 0x54), INSN_SC1);
	test_get_regs(&t, 0, &r);
	r.gpr[4] = DEVICE_GPA;
	r.gpr[6] = DEVICE_GPA + 67 * 4096;
	test_set_regs(&t, 0, &r);
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_GET_DIRTY_LOG, &log), 0);
	assert_int_equal(bitmap[0], 1 << 2);
	assert_int_equal(bitmap[1], 1 << 3);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_GET_DIRTY_LOG, &log), 0);
	assert_int_equal(bitmap[0] | bitmap[1], 0);
	/* A page that was written before is noticed again. */
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_GET_DIRTY_LOG, &log), 0);
	assert_int_equal(bitmap[0], 1 << 2);
	assert_int_equal(bitmap[1], 0);
	/* Moving the slot does not lose what is new; deleting it does. */
	assert_int_equal(test_set_slot(&t, 1, 0, 0, 0, NULL), 0);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_GET_DIRTY_LOG, &log), -ENOENT);
	log.slot = KVM_USER_MEM_SLOTS;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_GET_DIRTY_LOG, &log), -EINVAL);
	log.slot = 0;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_GET_DIRTY_LOG, &log), -ENOENT);
	test_vm_destroy(&t);
}

/*
 * The VMM serves H_LOGICAL_CACHE_STORE by writing the guest's code. The guest sees it after icbi,
 * or after H_LOGICAL_ICBI. So often that the code is interpreted at first and compiled later.
 */
static void code_written_by_the_vmm(void **state)
{
	const uint32_t target = GUEST_CODE + 0x1040;
	struct test_vm t;

	(void)state;
	test_vm_create(&t, 1);
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_ENABLE_HCALL, H_LOGICAL_ICBI, 1), 0);
	st_le32(t.mem + target, INSN_LI(7u, 1));
	st_le32(t.mem + target + 4, 0x4e800020u); /* blr */
	TEST_CODE(&t, 0, GUEST_CODE, INSN_LIS(8u, target >> 16),
		  INSN_ORI(8u, 8u, target),                          /* target */
		  INSN_B(0x1038) | 1,                                /* bl target */
		  INSN_LI(3u, H_LOGICAL_CACHE_STORE), INSN_SC1,      /* the VMM writes */
		  INSN_X(982, 0u, 0u, 8u), 0x7c0004acu, 0x4c00012cu, /* icbi 0,r8; sync; isync */
		  INSN_B(0x1020) | 1,                                /* bl target */
		  INSN_LI(3u, H_LOGICAL_CACHE_STORE), INSN_SC1,      /* again */
		  INSN_LI(3u, H_LOGICAL_ICBI), INSN_ADDI(4u, 8u, 3), INSN_SC1, INSN_ADDI(6u, 3u, 0),
		  INSN_B(-52));
	for (unsigned v = 2; v < 300; v++) {
		assert_int_equal(test_run(&t, 0), 0);
		assert_int_equal(t.run[0]->papr_hcall.nr, H_LOGICAL_CACHE_STORE);
		assert_int_equal(test_gpr(&t, 0, 7), v - 1);
		st_le32(t.mem + target, INSN_LI(7u, v));
	}
	assert_int_equal(test_gpr(&t, 0, 6), H_SUCCESS);
	test_vm_destroy(&t);
}

static void kick_ends_a_loop(void **state)
{
	struct test_vm t;
	pthread_t thread;
	void *ret;

	(void)state;
	test_vm_create(&t, 1);
	TEST_CODE(&t, 0, GUEST_CODE, INSN_B(0));
	/* Before KVM_RUN: it returns at once, and only once. */
	be->kick(t.kvm, t.vcpu[0]);
	assert_int_equal(test_run(&t, 0), -EINTR);
	assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_INTR);
	pthread_create(&thread, NULL, run_thread, &t);
	sleep_ms(20);
	be->kick(t.kvm, t.vcpu[0]);
	pthread_join(thread, &ret);
	assert_int_equal((intptr_t)ret, -EINTR);
	t.run[0]->immediate_exit = 1;
	assert_int_equal(test_run(&t, 0), -EINTR);
	be->kick(t.kvm, -1);
	be->kick(t.kvm, 4000);
	be->kick(t.kvm, t.fd);
	test_vm_destroy(&t);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* H_CEDE returns at the decrementer's interrupt (0x900), by prod, by kick. */
static void cede(void **state)
{
	struct test_vm t;
	struct kvm_regs r;
	pthread_t thread;
	double start;
	void *ret;
	uint64_t expiry;
	struct kvm_one_reg reg = {.id = KVM_REG_PPC_DEC_EXPIRY, .addr = (uintptr_t)&expiry};

	(void)state;
	test_vm_create(&t, 2);
	put_handler(&t, 0x900);
	TEST_CODE(&t, 0, GUEST_CODE, INSN_LI(3u, H_CEDE), INSN_SC1, INSN_B(0));
	/* Before the expiry is reckoned: a busy host may take the processor away after that. */
	start = now();
	expiry = p9_tb(p9_regs(test_vcpu_inside(&t, 0)->vcpu.cpu)) + P9_TB_HZ / 20;
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_ONE_REG, &reg), 0);
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_PAPR_HCALL);
	assert_true(now() - start > 0.045);
	assert_true(now() - start < 5);
	test_get_regs(&t, 0, &r);
	assert_int_equal(r.gpr[30], GUEST_CODE + 8);

	/* Far in the future, and a prod that came before the cede. */
	expiry = p9_tb(p9_regs(test_vcpu_inside(&t, 0)->vcpu.cpu)) + P9_TB_HZ * 4;
	assert_int_equal(test_ioctl(&t, t.vcpu[0], KVM_SET_ONE_REG, &reg), 0);
	assert_int_equal(HCALL(&t, 1, H_PROD, 0), H_SUCCESS);
	TEST_CODE(&t, 0, GUEST_CODE + 64, INSN_LI(3u, H_CEDE), INSN_SC1, INSN_LI(3u, 0x54),
		  INSN_SC1);
	start = now();
	assert_int_equal(test_run(&t, 0), 0);
	assert_true(now() - start < 1);

	/* A prod while it is ceded. */
	TEST_CODE(&t, 0, GUEST_CODE + 128, INSN_LI(3u, H_CEDE), INSN_SC1, INSN_LI(3u, 0x54),
		  INSN_SC1);
	pthread_create(&thread, NULL, run_thread, &t);
	sleep_ms(30);
	assert_int_equal(HCALL(&t, 1, H_PROD, 0), H_SUCCESS);
	pthread_join(thread, &ret);
	assert_int_equal((intptr_t)ret, 0);
	assert_true(now() - start < 2);

	/* A kick. */
	TEST_CODE(&t, 0, GUEST_CODE + 192, INSN_LI(3u, H_CEDE), INSN_SC1, INSN_LI(3u, 0x54),
		  INSN_SC1);
	pthread_create(&thread, NULL, run_thread, &t);
	sleep_ms(30);
	be->kick(t.kvm, t.vcpu[0]);
	pthread_join(thread, &ret);
	assert_int_equal((intptr_t)ret, -EINTR);
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(t.run[0]->papr_hcall.nr, H_GET_TERM_CHAR);
	test_vm_destroy(&t);
}

/* An interrupt source wakes a ceded processor, and is delivered at 0x500. */
static void external_interrupt(void **state)
{
	uint64_t source = UINT64_C(5) << KVM_XICS_PRIORITY_SHIFT;
	struct kvm_device_attr attr = {
		.group = KVM_DEV_XICS_GRP_SOURCES,
		.attr = 0x1000,
		.addr = (uintptr_t)&source,
	};
	struct kvm_irq_level level = {.irq = 0x1000, .level = 1};
	struct test_vm t;
	pthread_t thread;
	struct kvm_irqfd irqfd = {.gsi = 0x1000};
	void *ret;

	(void)state;
	test_vm_create(&t, 1);
	test_xics_create(&t);
	assert_int_equal(test_ioctl(&t, t.xics, KVM_SET_DEVICE_ATTR, &attr), 0);
	/* handler: H_XIRR, then a call that tells what it was */
	st_be32(t.mem + 0x500, INSN_LI(3u, H_XIRR));
	st_be32(t.mem + 0x504, INSN_SC1);
	st_be32(t.mem + 0x508, INSN_ADDI(31u, 4u, 0));
	st_be32(t.mem + 0x50c, INSN_LI(3u, 0x54));
	st_be32(t.mem + 0x510, INSN_SC1);
	TEST_CODE(&t, 0, GUEST_CODE, INSN_LI(3u, H_CPPR), INSN_LI(4u, 0xff), INSN_SC1,
		  INSN_LI(3u, H_CEDE), INSN_SC1, INSN_B(-8));
	pthread_create(&thread, NULL, run_thread, &t);
	sleep_ms(30);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_IRQ_LINE, &level), 0);
	pthread_join(thread, &ret);
	assert_int_equal((intptr_t)ret, 0);
	assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_PAPR_HCALL);
	assert_int_equal(test_gpr(&t, 0, 31), 0xff001000);

	/* The same by an eventfd. */
	assert_int_equal(HCALL(&t, 0, H_EOI, 0xff001000), H_SUCCESS);
	irqfd.fd = (uint32_t)eventfd(0, 0);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_IRQFD, &irqfd), 0);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_IRQFD, &irqfd), -EBUSY);
	TEST_CODE(&t, 0, GUEST_CODE + 64, INSN_LI(3u, H_CEDE), INSN_SC1, INSN_B(-8));
	pthread_create(&thread, NULL, run_thread, &t);
	sleep_ms(30);
	eventfd_write((int)irqfd.fd, 1);
	pthread_join(thread, &ret);
	assert_int_equal(test_gpr(&t, 0, 31), 0xff001000);
	irqfd.flags = KVM_IRQFD_FLAG_DEASSIGN;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_IRQFD, &irqfd), 0);
	irqfd.flags = KVM_IRQFD_FLAG_RESAMPLE;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_IRQFD, &irqfd), -EINVAL);
	close((int)irqfd.fd);
	test_vm_destroy(&t);
}

/* Doorbells between threads of a virtual core, taken at 0xa00. */
static void doorbell(void **state)
{
	struct test_vm t;
	struct kvm_regs r;
	int fd[2];

	(void)state;
	test_vm_create(&t, 0);
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_SMT, 3, 0), -EINVAL);
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_SMT, 2, 0), 0);
	assert_int_equal(test_ioctl_n(&t, t.fd, KVM_CHECK_EXTENSION, KVM_CAP_PPC_SMT), 2);
	for (unsigned i = 0; i < 2; i++) {
		int err;

		fd[i] = test_ioctl_n(&t, t.fd, KVM_CREATE_VCPU, i);
		t.vcpu[i] = fd[i];
		t.run[i] = be->map_run(t.kvm, fd[i], sizeof(struct kvm_run), &err);
		assert_int_equal(test_enable_cap(&t, fd[i], KVM_CAP_PPC_PAPR, 0, 0), 0);
	}
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_SMT, 4, 0), -EBUSY);
	put_handler(&t, 0xa00);
	/* msgsndp to thread 1; mfspr r31,TIR */
	TEST_CODE(&t, 0, GUEST_CODE, INSN_LIS(5u, 0x2800), INSN_ORI(5u, 5u, 1),
		  INSN_X(142, 0u, 0u, 5u), INSN_X(339, 31u, 446u & 31, 446u >> 5),
		  INSN_LI(3u, 0x54), INSN_SC1);
	assert_int_equal(test_run(&t, 0), 0);
	assert_int_equal(t.run[0]->exit_reason, KVM_EXIT_PAPR_HCALL);
	assert_int_equal(test_gpr(&t, 0, 31), 0);
	TEST_CODE(&t, 1, GUEST_CODE + 64, INSN_B(0));
	test_get_regs(&t, 1, &r);
	r.msr |= P9_MSR_EE;
	test_set_regs(&t, 1, &r);
	assert_int_equal(test_run(&t, 1), 0);
	test_get_regs(&t, 1, &r);
	assert_int_equal(r.pc, 0xa10);
	test_vm_destroy(&t);
}

/* Two VMs run side by side and do not see each other. */
static void two_vms(void **state)
{
	struct test_vm a, b;

	(void)state;
	test_vm_create(&a, 1);
	test_vm_create(&b, 1);
	TEST_CODE(&a, 0, GUEST_CODE, INSN_LI(31u, 1), INSN_LI(3u, 0x54), INSN_SC1);
	TEST_CODE(&b, 0, GUEST_CODE, INSN_LI(31u, 2), INSN_LI(3u, 0x54), INSN_SC1);
	assert_int_equal(test_run(&a, 0), 0);
	assert_int_equal(test_run(&b, 0), 0);
	assert_int_equal(test_gpr(&a, 0, 31), 1);
	assert_int_equal(test_gpr(&b, 0, 31), 2);
	test_vm_destroy(&a);
	assert_int_equal(test_gpr(&b, 0, 31), 2);
	test_vm_destroy(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_user_hcall),
		cmocka_unit_test(not_papr),
		cmocka_unit_test(mmio),
		cmocka_unit_test(mmio_big_endian),
		cmocka_unit_test(mmio_unsupported),
		cmocka_unit_test(hcall_from_user),
		cmocka_unit_test(ioeventfd_takes_stores),
		cmocka_unit_test(memory_readonly),
		cmocka_unit_test(slot_removed_while_running),
		cmocka_unit_test(dirty_log),
		cmocka_unit_test(code_written_by_the_vmm),
		cmocka_unit_test(kick_ends_a_loop),
		cmocka_unit_test(cede),
		cmocka_unit_test(external_interrupt),
		cmocka_unit_test(doorbell),
		cmocka_unit_test(two_vms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
