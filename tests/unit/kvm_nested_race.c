/*
 * What races with the hypervisor: a VMM that takes memory away while an instruction in it is
 * emulated, and an L1 whose other processors write its tables and invalidate, while L2s run. The
 * memory that is taken away is made inaccessible, so that one late access ends the test.
 *
 * With ThreadSanitizer (-Db_sanitize=thread) it tells of races in the hypervisor's own state;
 * guests' memory, which guests race for as they like, is left out by `quiet`.
 */
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/radix_tree.h"
#include "kvm_test.h"

#define WINDOW     UINT64_C(0x20000000) /* the slot that comes and goes */
#define WINDOW_MEM (UINT64_C(32) << 20) /* its memory, in t.mem */
#define WINDOW_LEN (UINT64_C(2) << 20)
#define DEVICE     UINT64_C(0x30000000) /* no slot */

#define PATB    UINT64_C(0x300000)
#define ROOT    UINT64_C(0x400000)
#define LEVEL   UINT64_C(0x410000) /* tables of levels 1, 2 and 3 */
#define HV      UINT64_C(0x20000)  /* struct hv_guest_state, a page for each vCPU */
#define PT      UINT64_C(0x28000)  /* struct pt_regs */
#define L2_MEM  UINT64_C(0x1000000)
#define L2_CODE UINT64_C(0x10000)
#define LPIDS   3

#define INSN_RFID       0x4c000024u
#define INSN_MR(ra, rs) (0x7c000378u | (rs) << 21 | (ra) << 16 | (rs) << 11)

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define quiet __attribute__((no_sanitize("thread"), noinline))
#endif
#elif defined(__SANITIZE_THREAD__)
#define quiet __attribute__((no_sanitize("thread"), noinline))
#endif
#ifndef quiet
#define quiet
#endif

static struct test_vm t;
static _Atomic bool stop;

static uint64_t rnd(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* A doubleword of L1's memory, as a processor of L1's would store it. */
quiet static void put(uint64_t gpa, uint64_t v)
{
	*(volatile uint64_t *)(void *)(t.mem + gpa) = htobe64(v);
}

/* --- instructions that are emulated, in memory that goes --- */

static void window(bool there)
{
	uint8_t *mem = t.mem + WINDOW_MEM;

	if (there)
		assert_int_equal(mprotect(mem, WINDOW_LEN, PROT_READ | PROT_WRITE), 0);
	assert_int_equal(test_set_slot(&t, 1, 0, WINDOW, there ? WINDOW_LEN : 0, mem), 0);
	if (!there)
		assert_int_equal(mprotect(mem, WINDOW_LEN, PROT_NONE), 0);
}

static _Atomic unsigned accesses;
static _Atomic bool ended;

/* Device accesses, until the test is over. */
static void *device_user(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		int ret = test_run(&t, 0);

		if (!ret && t.run[0]->exit_reason == KVM_EXIT_MMIO)
			atomic_fetch_add(&accesses, 1);
		else if (ret != -EINTR)
			break;
	}
	atomic_store(&ended, true);
	return NULL;
}

/* Each time the vCPU is in the window and does its work, the window goes. */
static void come_and_go(unsigned rounds)
{
	pthread_t thread;

	atomic_store(&stop, false);
	atomic_store(&ended, false);
	assert_int_equal(pthread_create(&thread, NULL, device_user, NULL), 0);
	for (unsigned k = 0; k < rounds && !atomic_load(&ended); k++) {
		unsigned before = atomic_load(&accesses);

		while (atomic_load(&accesses) == before && !atomic_load(&ended))
			sched_yield();
		window(false);
		/* For as long as an access that is late may take. */
		nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
		window(true);
	}
	assert_false(atomic_load(&ended));
	atomic_store(&stop, true);
	be->kick(t.kvm, t.vcpu[0]);
	pthread_join(thread, NULL);
}

static void slot_goes_while_emulating(void **state)
{
	struct kvm_regs r;

	(void)state;
	test_vm_create(&t, 1);
	window(true);
	st_be32(t.mem + WINDOW_MEM, INSN_D(34, 4, 20, 0)); /* lbz r4,0(r20) */
	st_be32(t.mem + WINDOW_MEM + 4, INSN_B(-4));
	/* Instruction storage: try again. */
	st_be32(t.mem + 0x400, INSN_RFID);
	test_get_regs(&t, 0, &r);
	r.pc = WINDOW;
	r.msr = P9_MSR_SF;
	r.gpr[20] = DEVICE;
	test_set_regs(&t, 0, &r);
	come_and_go(200);
	test_vm_destroy(&t);
}

/* --- L1's side --- */

/* A tree of each LPID: the first 2 MiB in 4 KiB pages, the next a device, one more the window. */
static void make_tables(void)
{
	for (unsigned lpid = 0; lpid < LPIDS; lpid++) {
		uint64_t root = ROOT + lpid * UINT64_C(0x20000), level = root + 0x10000;
		const uint64_t leaf = RADIX_VALID | RADIX_LEAF | 7;

		put(PATB + 16 * lpid, PATB_HR | PATB_RTS_52 | root | ROOT_BITS);
		put(PATB + 16 * lpid + 8, BIT64(63));
		put(root, RADIX_VALID | level | 9);
		put(level, RADIX_VALID | (level + 0x1000) | 9);
		put(level + 0x1000, RADIX_VALID | (level + 0x2000) | 9);
		put(level + 0x1008, leaf | DEVICE);
		put(level + 0x1010, leaf | WINDOW);
		for (uint64_t i = 0; i < 512; i++)
			put(level + 0x2000 + 8 * i, leaf | (L2_MEM + (i << 12)));
	}
	assert_int_equal(HCALL(&t, 0, H_SET_PARTITION_TABLE, PATB), H_SUCCESS);
}

/*
 * L1, which enters L2 again and again; after an instruction that L2 has not, behind it. L2's
 * pc is `pc`, its GPR20 and GPR21 lead to the device and to its memory. All is big-endian.
 */
static void prepare(unsigned i, uint64_t pc)
{
	static const uint32_t l1[] = {
		INSN_MR(3u, 21u),
		INSN_MR(4u, 22u),
		INSN_MR(5u, 23u),
		INSN_SC1,
		0x2c030000u | P9_VEC_HEAI, /* cmpwi r3,0xe40 */
		0x4082ffecu,               /* bne -20 */
		INSN_D(58, 6, 23, 256),    /* ld r6,256(r23): NIP */
		INSN_ADDI(6u, 6u, 4),
		INSN_D(62, 6, 23, 256),
		INSN_B(-36),
	};
	uint64_t hv = HV + 0x1000 * i, pt = PT + 0x1000 * i;
	struct kvm_regs r;

	for (size_t k = 0; k < ARRAY_SIZE(l1); k++)
		st_be32(t.mem + GUEST_CODE + 4 * k, l1[k]);
	memset(t.mem + hv, 0, 248);
	memset(t.mem + pt, 0, 352);
	put(hv, 2);
	put(hv + 8, i); /* LPID 0, token i */
	put(hv + 32, UINT64_MAX);
	put(hv + 48, UINT64_MAX >> 8);
	put(hv + 88, UINT64_MAX);
	put(pt + 8 * 20, UINT64_C(1) << 21);
	put(pt + 8 * 32, pc);
	put(pt + 8 * 33, P9_MSR_SF);
	test_get_regs(&t, i, &r);
	r.pc = GUEST_CODE;
	r.msr = P9_MSR_SF;
	r.gpr[21] = H_ENTER_NESTED;
	r.gpr[22] = hv;
	r.gpr[23] = pt;
	test_set_regs(&t, i, &r);
}

static void create(unsigned vcpus)
{
	test_vm_create(&t, vcpus);
	window(true);
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_NESTED_HV, 1, 0), 0);
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_ENABLE_HCALL, H_RPT_INVALIDATE, 1),
			 0);
	make_tables();
}

/* L2's code, in the window: a device access, and an instruction that there is not. */
static void slot_goes_while_l2_is_emulated(void **state)
{
	const uint64_t window_in_l2 = UINT64_C(2) << 21, code = 0x1000;

	(void)state;
	create(1);
	st_be32(t.mem + WINDOW_MEM + code, INSN_D(34, 4, 20, 0));
	st_be32(t.mem + WINDOW_MEM + code + 4, 0);
	st_be32(t.mem + WINDOW_MEM + code + 8, INSN_B(-8));
	/* L2's instruction storage interrupt: once more. */
	st_be32(t.mem + L2_MEM + 0x400, 0x48000002u | (uint32_t)(window_in_l2 + code)); /* ba */
	prepare(0, window_in_l2 + code);
	come_and_go(200);
	test_vm_destroy(&t);
}

/* --- a hostile L1 --- */

static void *l1_processor(void *arg)
{
	unsigned i = (unsigned)(uintptr_t)arg;

	while (!atomic_load(&stop)) {
		int ret = test_run(&t, i);

		if (ret && ret != -EINTR)
			return "a vCPU cannot go on";
	}
	return NULL;
}

/* Anything of an L2: an entry of its tree, of the partition table, a word of its state. */
static void scribble(uint64_t *seed)
{
	static const uint64_t at[] = {L2_MEM, WINDOW, DEVICE};
	uint64_t r = rnd(seed), lpid = r % LPIDS, v = rnd(seed);
	uint64_t root = ROOT + lpid * UINT64_C(0x20000), level = root + 0x10000;
	uint64_t page = at[r >> 8 & 1] + (v >> 12 & 511) * 4096;
	uint64_t leaf = RADIX_VALID | RADIX_LEAF | page | (v & 7);
	unsigned i = r >> 16 & 1;

	switch (r >> 24 & 15) {
	case 0:
		put(PATB + 16 * lpid, r >> 40 & 3 ? PATB_HR | PATB_RTS_52 | root | ROOT_BITS : v);
		break;
	case 1:
		put(root, r >> 40 & 3 ? RADIX_VALID | level | 9 : v);
		break;
	case 2:
		put(level + 0x1000, r >> 40 & 3 ? RADIX_VALID | (level + 0x2000) | 9 : v);
		break;
	case 3:
		put(HV + 0x1000 * i + 8, (v % (LPIDS + 1)) << 32 | (v >> 32 & 3));
		break;
	case 4: /* not how long, and from where it comes back by itself */
		put(HV + 0x1000 * i + (12 + (v >> 32) % 19) * 8, v);
		break;
	case 5:
		put(PT + 0x1000 * i + 8 * 32, L2_CODE);
		put(PT + 0x1000 * i + 8 * 33, P9_MSR_SF);
		put(HV + 0x1000 * i, r >> 40 & 7 ? 2 : v & 3);
		break;
	default:
		put(level + 0x2000 + (r >> 32 & 511) * 8, r >> 48 & 7 ? leaf : v);
		break;
	}
}

/* Hypercalls of a third vCPU. */
static void hostile_hcall(uint64_t *seed)
{
	uint64_t r = rnd(seed), gpa = rnd(seed) & 0x3ff000, lpid = r >> 8 & 3;

	switch (r % 8) {
	case 0:
		HCALL(&t, 2, H_SET_PARTITION_TABLE, r >> 16 & 7 ? PATB : 0);
		break;
	case 1:
		HCALL(&t, 2, H_COPY_TOFROM_GUEST, lpid, 0, gpa, r & 256 ? L2_MEM : 0,
		      r & 256 ? 0 : L2_MEM, r >> 16 & 0x1fff);
		break;
	case 2:
		HCALL(&t, 2, H_RPT_INVALIDATE, lpid, H_RPTI_TARGET_CMMU,
		      H_RPTI_TYPE_NESTED | (r >> 16 & 1 ? H_RPTI_TYPE_PRT : H_RPTI_TYPE_TLB),
		      H_RPTI_PAGE_ALL, gpa, gpa + (r >> 20 & 0x1ffff));
		break;
	default: /* R, any RIC, any IS */
		HCALL(&t, 2, H_TLB_INVALIDATE, 1 << 16 | (r >> 16 & 3) << 18, lpid,
		      gpa | (r >> 24 & 3) << 10 | (r >> 32 & 7) << 5);
		break;
	}
}

static _Atomic bool scribbled;

static void *hostile(void *arg)
{
	uint64_t seed = UINT64_C(0x2545f4914f6cdd1d);

	(void)arg;
	for (unsigned k = 0; k < 20000; k++) {
		if (k % 8)
			scribble(&seed);
		else
			hostile_hcall(&seed);
	}
	atomic_store(&scribbled, true);
	return NULL;
}

static void hostile_l1(void **state)
{
	/* L2: stores to 512 pages, a device access, and out. */
	static const uint32_t l2[] = {
		INSN_LIS(4u, 0),
		INSN_LI(6u, 512),
		INSN_D(62, 6, 4, 0x800),
		INSN_ADDI(4u, 4u, 0x1000),
		INSN_ADDI(6u, 6u, -1),
		0x2c060000u, /* cmpwi r6,0 */
		0x4082fff0u, /* bne -16 */
		INSN_D(34, 4, 20, 0),
		INSN_SC1,
		INSN_B(-36),
	};
	static uint64_t bitmap[WINDOW_LEN / 4096 / 64];
	struct kvm_dirty_log log = {.slot = 1, .dirty_bitmap = (uintptr_t)bitmap};
	uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);
	struct kvm_userspace_memory_region r = {
		.slot = 1,
		.guest_phys_addr = WINDOW,
		.memory_size = WINDOW_LEN,
	};
	pthread_t thread[3];
	void *result;

	(void)state;
	create(3);
	r.userspace_addr = (uintptr_t)t.mem + WINDOW_MEM;
	for (size_t k = 0; k < ARRAY_SIZE(l2); k++)
		st_be32(t.mem + L2_MEM + L2_CODE + 4 * k, l2[k]);
	/* L2's own interrupts begin anew. */
	for (uint64_t vector = 0x100; vector < 0x1000; vector += 0x20)
		st_be32(t.mem + L2_MEM + vector, 0x48000002u | (uint32_t)L2_CODE);
	prepare(0, L2_CODE);
	prepare(1, L2_CODE);
	atomic_store(&stop, false);
	atomic_store(&scribbled, false);
	for (uintptr_t i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, l1_processor, (void *)i);
	pthread_create(&thread[2], NULL, hostile, NULL);
	while (!atomic_load(&scribbled)) {
		uint64_t how = rnd(&seed) >> 32;

		if (how % 4 == 0) {
			window(false);
			window(true);
		}
		r.flags = how & 16 ? KVM_MEM_LOG_DIRTY_PAGES : 0;
		test_ioctl(&t, t.fd, KVM_SET_USER_MEMORY_REGION, &r);
		test_ioctl(&t, t.fd, KVM_GET_DIRTY_LOG, &log);
		sched_yield();
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < 2; i++)
		be->kick(t.kvm, t.vcpu[i]);
	for (unsigned i = 0; i < 3; i++) {
		pthread_join(thread[i], &result);
		assert_null(result);
	}
	assert_false(atomic_load(&test_vm_inside(&t)->vm.bugged));
	test_vm_destroy(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slot_goes_while_emulating),
		cmocka_unit_test(slot_goes_while_l2_is_emulated),
		cmocka_unit_test(hostile_l1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
