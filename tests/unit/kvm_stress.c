/*
 * Several vCPUs at once: the dirty log against guests that store all the time, interrupts between
 * vCPUs that cede, and slots that come and go under running guests.
 */
#include <pthread.h>
#include <time.h>

#include "kvm_test.h"

#define LOG_GPA   UINT64_C(0x20000000)
#define LOG_PAGES 64
#define COUNTERS  UINT64_C(0x100000) /* a doubleword per vCPU, 128 bytes apart */

#define INSN_RLWINM(ra, rs, sh, mb, me)                                                            \
	(21u << 26 | (rs) << 21 | (ra) << 16 | (sh) << 11 | (mb) << 6 | (me) << 1)
#define INSN_MULLI(rt, ra, v) (7u << 26 | (rt) << 21 | (ra) << 16 | ((v)&0xffff))
#define INSN_RFID             0x4c000024u
#define INSN_MFSPR(rt, spr)   INSN_X(339, rt, (spr)&31, (spr) >> 5)
#define INSN_MTSPR(spr, rs)   INSN_X(467, rs, (spr)&31, (spr) >> 5)
#define SPR_SRR0              26u
#define SPR_SRR1              27u

static struct test_vm t;

struct runner {
	pthread_t thread;
	unsigned vcpu;
	int result;
};

static void *run_vcpu(void *arg)
{
	struct runner *r = arg;

	r->result = test_run(&t, r->vcpu);
	return NULL;
}

static void start(struct runner *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		r[i].vcpu = i;
		assert_int_equal(pthread_create(&r[i].thread, NULL, run_vcpu, &r[i]), 0);
	}
}

/* Each was running until it was kicked: a guest that went wrong left by itself. */
static void stop(struct runner *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		be->kick(t.kvm, t.vcpu[i]);
	for (unsigned i = 0; i < n; i++) {
		pthread_join(r[i].thread, NULL);
		assert_int_equal(r[i].result, -EINTR);
	}
}

static void sleep_ms(unsigned ms)
{
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};

	nanosleep(&ts, NULL);
}

/* Big-endian code, real mode; GPRs 20.. from `gpr`. */
static void put_code(unsigned vcpu, uint64_t gpa, const uint32_t *insn, size_t n,
		     const uint64_t *gpr, unsigned ngpr)
{
	struct kvm_regs r;

	for (size_t i = 0; i < n; i++)
		st_be32(t.mem + gpa + 4 * i, insn[i]);
	test_get_regs(&t, vcpu, &r);
	r.pc = gpa;
	r.msr = P9_MSR_SF;
	for (unsigned i = 0; i < ngpr; i++)
		r.gpr[20 + i] = gpr[i];
	test_set_regs(&t, vcpu, &r);
}

/*
 * Two vCPUs store to random pages; here a copy is kept of the pages that the log names. When
 * they have stopped and the log was read once more, copy and memory must be the same.
 */
static void dirty_log_misses_nothing(void **state)
{
	static const uint32_t code[] = {
		INSN_MULLI(21u, 21u, 25173),        INSN_ADDI(21u, 21u, 13849),
		INSN_RLWINM(22u, 21u, 24, 14, 19), /* page: 6 bits of the generator's middle */
		INSN_ADDI(23u, 23u, 1),             INSN_X(151, 23u, 20u, 22u), /* stwx */
		INSN_B(-20),
	};
	static uint8_t copy[LOG_PAGES * 4096];
	uint8_t *mem;
	uint64_t bitmap, named = 0;
	struct kvm_dirty_log log = {.slot = 1, .dirty_bitmap = (uintptr_t)&bitmap};
	struct runner r[2];

	(void)state;
	test_vm_create(&t, 2);
	mem = t.mem + (32 << 20);
	assert_int_equal(test_set_slot(&t, 1, KVM_MEM_LOG_DIRTY_PAGES, LOG_GPA, sizeof(copy), mem),
			 0);
	for (unsigned i = 0; i < 2; i++) {
		const uint64_t gpr[] = {LOG_GPA + 8 * i, 77 + i};

		put_code(i, GUEST_CODE + 256 * i, code, ARRAY_SIZE(code), gpr, 2);
	}
	memset(copy, 0, sizeof(copy));
	start(r, 2);
	/* On a busy host it may take long until the vCPUs have run at all. */
	for (int round = 0; round < 300 || (named <= LOG_PAGES && round < 100000); round++) {
		if (round % 10 == 0)
			sleep_ms(1);
		assert_int_equal(test_ioctl(&t, t.fd, KVM_GET_DIRTY_LOG, &log), 0);
		for (unsigned page = 0; page < LOG_PAGES; page++) {
			if (!(bitmap >> page & 1))
				continue;
			memcpy(copy + page * 4096, mem + page * 4096, 4096);
			named++;
		}
	}
	stop(r, 2);
	assert_int_equal(test_ioctl(&t, t.fd, KVM_GET_DIRTY_LOG, &log), 0);
	for (unsigned page = 0; page < LOG_PAGES; page++) {
		if (bitmap >> page & 1)
			memcpy(copy + page * 4096, mem + page * 4096, 4096);
	}
	assert_memory_equal(copy, mem, sizeof(copy));
	assert_true(named > LOG_PAGES);
	test_vm_destroy(&t);
}

/*
 * A token goes round: a vCPU that is interrupted counts, passes it to the next by IPI, and cedes. A
 * wake-up that is lost would end it.
 */
static void ipi_ring(void **state)
{
	static const uint32_t handler[] = {
		INSN_MFSPR(24u, SPR_SRR0),
		INSN_MFSPR(25u, SPR_SRR1),
		INSN_LI(3u, H_XIRR),
		INSN_SC1,
		INSN_ADDI(26u, 4u, 0), /* XIRR */
		INSN_LI(3u, H_IPI),    /* withdraw */
		INSN_ADDI(4u, 20u, 0),
		INSN_LI(5u, 0xff),
		INSN_SC1,
		INSN_LI(3u, H_EOI),
		INSN_ADDI(4u, 26u, 0),
		INSN_SC1,
		INSN_D(58, 23u, 22u, 0), /* ld r23,0(r22) */
		INSN_ADDI(23u, 23u, 1),
		INSN_D(62, 23u, 22u, 0), /* std */
		INSN_LI(3u, H_IPI),      /* pass it on */
		INSN_ADDI(4u, 21u, 0),
		INSN_LI(5u, 4),
		INSN_SC1,
		INSN_MTSPR(SPR_SRR0, 24u),
		INSN_MTSPR(SPR_SRR1, 25u),
		INSN_RFID,
	};
	static const uint32_t code[] = {
		INSN_LI(3u, H_CPPR), INSN_LI(4u, 0xff), INSN_SC1,
		INSN_LI(3u, H_CEDE), INSN_SC1,          INSN_B(-8),
	};
	struct runner r[TEST_VCPUS];
	uint64_t before = 0, now = 0;

	(void)state;
	test_vm_create(&t, TEST_VCPUS);
	test_xics_create(&t);
	for (size_t i = 0; i < ARRAY_SIZE(handler); i++)
		st_be32(t.mem + 0x500 + 4 * i, handler[i]);
	/* The decrementers are far away; should one pass, its handler just returns. */
	st_be32(t.mem + 0x900, INSN_RFID);
	for (unsigned i = 0; i < TEST_VCPUS; i++) {
		const uint64_t gpr[] = {i, (i + 1) % TEST_VCPUS, COUNTERS + 128 * i};

		p9_dec_set(test_vcpu_inside(&t, i)->vcpu.cpu, 0x7fffffff);
		put_code(i, GUEST_CODE, code, ARRAY_SIZE(code), gpr, 3);
	}
	HCALL(&t, 0, H_IPI, 0, 4);
	start(r, TEST_VCPUS);
	for (int round = 0; round < 10; round++) {
		for (int wait = 0; wait < 1000 && now == before; wait++) {
			sleep_ms(5);
			now = __atomic_load_n((uint64_t *)(void *)(t.mem + COUNTERS),
					      __ATOMIC_RELAXED);
		}
		assert_int_not_equal(now, before);
		before = now;
	}
	stop(r, TEST_VCPUS);
	/* All went round alike. */
	for (unsigned i = 1; i < TEST_VCPUS; i++)
		assert_true(ld_be64(t.mem + COUNTERS) - ld_be64(t.mem + COUNTERS + 128 * i) <= 1);
	test_vm_destroy(&t);
}

/*
 * vCPUs run code and store in a slot that is moved to other host memory behind their back: after
 * the ioctl, nothing goes to the old memory any more.
 */
static void slots_change_under_guests(void **state)
{
	static const uint32_t code[] = {
		INSN_ADDI(23u, 23u, 1),
		INSN_D(36, 23u, 20u, 0), /* stw r23,0(r20) */
		INSN_B(-8),
	};
	struct runner r[2];
	uint8_t *mem[2];
	int current = 0;

	(void)state;
	test_vm_create(&t, 2);
	mem[0] = t.mem + (32 << 20);
	mem[1] = t.mem + (34 << 20);
	assert_int_equal(test_set_slot(&t, 1, 0, LOG_GPA, 2 << 20, mem[0]), 0);
	for (unsigned i = 0; i < 2; i++) {
		const uint64_t gpr[] = {LOG_GPA + 128 * i};

		put_code(i, GUEST_CODE + 256 * i, code, ARRAY_SIZE(code), gpr, 1);
	}
	for (int round = 0; round < 50; round++) {
		start(r, 2);
		sleep_ms(2);
		/* Deleted: both leave with a device access. */
		assert_int_equal(test_set_slot(&t, 1, 0, 0, 0, NULL), 0);
		memset(mem[current], 0, 256);
		for (unsigned i = 0; i < 2; i++) {
			pthread_join(r[i].thread, NULL);
			assert_int_equal(r[i].result, 0);
			assert_int_equal(t.run[i]->exit_reason, KVM_EXIT_MMIO);
			assert_int_equal(t.run[i]->mmio.phys_addr, LOG_GPA + 128 * i);
		}
		for (unsigned k = 0; k < 256; k++)
			assert_int_equal(mem[current][k], 0);
		current = !current;
		assert_int_equal(test_set_slot(&t, 1, 0, LOG_GPA, 2 << 20, mem[current]), 0);
	}
	test_vm_destroy(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dirty_log_misses_nothing),
		cmocka_unit_test(ipi_ring),
		cmocka_unit_test(slots_change_under_guests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
