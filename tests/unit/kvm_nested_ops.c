/*
 * Nested HV: what L1 does to its guests' memory and translations by hypercalls, what L2 does by its
 * own, which L1 never sees, and where L1's trees end. Each is seen by L2 code, or by what L1 is
 * told.
 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "kvm_nested_l1.h"

/* L2's process 3: its effective addresses from 1 GiB are real ones from 0. Tables in L2's memory.
 */
#define PID    3
#define PRTB   UINT64_C(0x50000)
#define ROOT   UINT64_C(0x60000)
#define LEVEL2 UINT64_C(0x70000)
#define LEVEL3 UINT64_C(0x71000) /* of 2 MiB pages */
#define LEVEL4 UINT64_C(0x72000) /* of 4 KiB pages, from EA_4K on */
#define EA     UINT64_C(0x40000000)
#define EA_4K  (EA + 0x200000)
#define BUF    UINT64_C(0x28000) /* of L1 */

#define PRIVILEGED UINT64_C(8)
#define LEAF       (RADIX_VALID | RADIX_LEAF | RADIX_R | RADIX_C | PRIVILEGED | ATTR_RWX)

/* Where `prepare` does not tell the processor that code changed. */
#define CODE_2 (L2_CODE + 0x2000)

static void l2_process(void)
{
	uint8_t *mem = t.mem + L2_MEM;

	set_patb(LPID, ld_be64(t.mem + PATB + 16 * LPID), BIT64(63) | PRTB);
	st_be64(mem + PRTB + PID * 16, PATB_RTS_52 | ROOT | ROOT_BITS);
	st_be64(mem + ROOT, RADIX_VALID | LEVEL2 | 9);
	st_be64(mem + LEVEL2 + 8, RADIX_VALID | LEVEL3 | 9);
	st_be64(mem + LEVEL3, LEAF);
	st_be64(mem + LEVEL3 + 8, RADIX_VALID | LEVEL4 | 9);
}

/* --- H_COPY_TOFROM_GUEST --- */

static int64_t copy_in(uint64_t ea, uint64_t n)
{
	return HCALL(&t, 0, H_COPY_TOFROM_GUEST, LPID, PID, ea, 0, BUF, n);
}

/* L1 stores into code that L2 has run: L2 runs what is there now. */
static void copied_code_runs(void **state)
{
	(void)state;
	l2_process();
	st_le32(t.mem + L2_MEM + CODE_2, INSN_LI(7, 1));
	st_le32(t.mem + L2_MEM + CODE_2 + 4, INSN_SC1);
	for (unsigned i = 1; i < 6; i++) {
		/* More than once: the processor may take its time to translate. */
		for (unsigned k = 0; k < 100; k++) {
			PREPARE(0, INSN_SC1);
			put64(PT + PT_NIP, CODE_2);
			assert_int_equal(enter(0), P9_VEC_SYSCALL);
			assert_int_equal(pt_gpr(7), i);
		}
		st_le32(t.mem + BUF, INSN_LI(7, i + 1));
		assert_int_equal(copy_in(EA + CODE_2, 4), H_SUCCESS);
	}
}

/* What it stores is in the dirty log, what it loads is not; a read-only slot is not stored to. */
static void copy_and_slots(void **state)
{
	const uint64_t target = L2_MEM + 0x180000;

	(void)state;
	l2_process();
	PREPARE(0, INSN_SC1);
	assert_int_equal(enter(0), P9_VEC_SYSCALL);
	memset(t.mem + BUF, 0x55, 0x1000);
	assert_int_equal(test_set_slot(&t, 0, KVM_MEM_LOG_DIRTY_PAGES, 0, GUEST_MEM, t.mem), 0);
	dirty_page(0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(copy_in(EA + 0x180ff8, 16), H_SUCCESS);
		assert_int_equal(dirty_page(target), 1);
		assert_int_equal(copy_in(EA + 0x180ff8, 16), H_SUCCESS);
		assert_int_equal(dirty_page(target + 0x1000), 1);
		assert_int_equal(
			HCALL(&t, 0, H_COPY_TOFROM_GUEST, LPID, PID, EA + 0x180000, BUF, 0, 8),
			H_SUCCESS);
		assert_int_equal(dirty_page(target), 0);
	}
	/* A slot for the target alone; the one before it has the tables. */
	assert_int_equal(test_set_slot(&t, 0, 0, 0, 0, NULL), 0);
	assert_int_equal(test_set_slot(&t, 0, 0, 0, target, t.mem), 0);
	assert_int_equal(test_set_slot(&t, 1, KVM_MEM_READONLY, target, 0x1000, t.mem + target), 0);
	st_le64(t.mem + target, 77);
	assert_int_equal(copy_in(EA + 0x180000, 8), H_NOT_FOUND);
	assert_int_equal(ld_le64(t.mem + target), 77);
	assert_int_equal(HCALL(&t, 0, H_COPY_TOFROM_GUEST, LPID, PID, EA + 0x180000, BUF, 0, 8),
			 H_SUCCESS);
	assert_int_equal(ld_le64(t.mem + BUF), 77);
}

/* --- the dirty log, read in the middle of a store --- */

static struct {
	uint8_t *page;
	_Atomic uint64_t *word; /* of the slot's log */
	bool marked;            /* the log had the page */
} middle;

/* The store's first byte: the log is read here, and the VMM has the page as it is now. */
static void read_log(int sig)
{
	(void)sig;
	middle.marked = atomic_exchange(middle.word, 0) != 0;
	mprotect(middle.page, 0x1000, PROT_READ | PROT_WRITE);
}

/* What is stored after the log was read is in the next one. */
static void log_read_while_copying(void **state)
{
	const uint64_t target = L2_MEM + 0x180000, bit = target / 4096;
	struct sigaction mine = {.sa_handler = read_log}, old;
	struct kvm_memslot *slot;
	int64_t ret;

	(void)state;
	l2_process();
	PREPARE(0, INSN_SC1);
	assert_int_equal(enter(0), P9_VEC_SYSCALL);
	assert_int_equal(test_set_slot(&t, 0, KVM_MEM_LOG_DIRTY_PAGES, 0, GUEST_MEM, t.mem), 0);
	dirty_page(0);
	slot = kvm_find_slot(&test_vm_inside(&t)->vm, GPA(target));
	middle.page = t.mem + target;
	middle.word = &slot->dirty[bit / 64];
	middle.marked = false;
	assert_int_equal(sigaction(SIGSEGV, &mine, &old), 0);
	assert_int_equal(mprotect(middle.page, 0x1000, PROT_READ), 0);
	ret = copy_in(EA + 0x180000, 8);
	assert_int_equal(sigaction(SIGSEGV, &old, NULL), 0);
	assert_int_equal(ret, H_SUCCESS);
	/* Marked before, which is not enough, and after. */
	assert_true(middle.marked);
	assert_int_equal(dirty_page(target), 1);
}

/* --- invalidation --- */

static uint64_t leaf_at(uint64_t gpa)
{
	uint64_t leaf;

	shadow_shift(gpa, &leaf);
	return leaf;
}

/* Each page size that tlbie can name takes as much away, and no more. */
static void tlbie_page_sizes(void **state)
{
	static const struct {
		unsigned ap, shift;
	} size[] = {{0, 12}, {5, 16}, {1, 21}, {2, 30}};
	/* Pages behind the one at 1 GiB, 4 KiB each, the last in the next GiB. */
	static const uint64_t page[] = {0x40000000, 0x40001000, 0x40010000, 0x40200000, 0x80000000};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(page); i++)
		l1_map(LPID, page[i], L2_MEM + 0x100000 + i * 0x1000, 12, ATTR_RWX);
	for (unsigned k = 0; k < ARRAY_SIZE(size); k++) {
		for (unsigned i = 0; i < ARRAY_SIZE(page); i++) {
			PREPARE(0, INSN_LD(5, 4, 0), INSN_SC1);
			put64(PT + 8 * 4, page[i]);
			assert_int_equal(enter(0), P9_VEC_SYSCALL);
			assert_int_not_equal(leaf_at(page[i]), 0);
		}
		assert_int_equal(tlbie(tlbie_insn(0, 0, 1), LPID, page[0] | size[k].ap << 5),
				 H_SUCCESS);
		for (unsigned i = 0; i < ARRAY_SIZE(page); i++) {
			if (page[i] - page[0] < BIT64(size[k].shift))
				assert_int_equal(leaf_at(page[i]), 0);
			else
				assert_int_not_equal(leaf_at(page[i]), 0);
		}
		assert_int_not_equal(leaf_at(0), 0);
	}
	for (unsigned ap = 3; ap < 8; ap++)
		if (ap != 5)
			assert_int_equal(tlbie(tlbie_insn(0, 0, 1), LPID, page[0] | ap << 5),
					 H_PARAMETER);
}

/*
 * L2 changes a translation of its own process, and says so by H_RPT_INVALIDATE: L1 is not asked,
 * and the next load is by the new translation.
 */
static void l2_invalidates_its_own(void **state)
{
	static const uint32_t code[] = {
		INSN_LD(20, 16, 0),  /* by the old translation */
		INSN_STD(17, 18, 0), /* the new one */
		INSN_SC1,
		INSN_MR(21, 3),
		INSN_LD(22, 16, 0),
		INSN_LI(3, 0),
		INSN_SC1,
	};

	(void)state;
	l2_process();
	st_le64(t.mem + L2_MEM + 0x100000, 11);
	st_le64(t.mem + L2_MEM + 0x101000, 22);
	for (unsigned type = H_RPTI_TYPE_TLB; type <= H_RPTI_TYPE_PRT; type <<= 1) {
		st_be64(t.mem + L2_MEM + LEVEL4, LEAF | 0x100000);
		prepare(0, code, ARRAY_SIZE(code));
		put64(HV + HV_PIDR, PID);
		put64(PT + PT_NIP, EA + L2_CODE);
		put64(PT + PT_MSR, P9_MSR_SF | P9_MSR_LE | P9_MSR_IR | P9_MSR_DR);
		put64(PT + 8 * 3, H_RPT_INVALIDATE);
		put64(PT + 8 * 4, PID);
		put64(PT + 8 * 5, H_RPTI_TARGET_CMMU);
		put64(PT + 8 * 6, type);
		put64(PT + 8 * 7, H_RPTI_PAGE_4K);
		put64(PT + 8 * 8, EA_4K);
		put64(PT + 8 * 9, EA_4K + 0x1000);
		put64(PT + 8 * 16, EA_4K);
		put64(PT + 8 * 17, __builtin_bswap64(LEAF | 0x101000));
		put64(PT + 8 * 18, EA + LEVEL4);
		assert_int_equal(enter(0), P9_VEC_SYSCALL);
		assert_int_equal(get64(PT + PT_NIP), EA + L2_CODE + sizeof(code));
		assert_int_equal(pt_gpr(20), 11);
		assert_int_equal(pt_gpr(21), H_SUCCESS);
		assert_int_equal(pt_gpr(22), 22);
		/* The test is about to change the entry in L2's stead. */
		assert_int_equal(HCALL(&t, 0, H_TLB_INVALIDATE, tlbie_insn(2, 0, 1), LPID, 2 << 10),
				 H_SUCCESS);
	}
	/* One of L2's guests is L1's to care for. */
	PREPARE(0, INSN_SC1, INSN_LI(21, 1), INSN_SC1);
	put64(PT + 8 * 3, H_RPT_INVALIDATE);
	put64(PT + 8 * 6, H_RPTI_TYPE_NESTED | H_RPTI_TYPE_TLB);
	assert_int_equal(enter(0), P9_VEC_SYSCALL);
	assert_int_equal(get64(PT + PT_NIP), L2_CODE + 4);
	/* Problem state may not ask: that is L1's to say. */
	st_be64(t.mem + L2_MEM + LEVEL3, LEAF & ~PRIVILEGED);
	PREPARE(0, INSN_SC1, INSN_LI(21, 1), INSN_SC1);
	put64(HV + HV_PIDR, PID);
	put64(PT + PT_NIP, EA + L2_CODE);
	put64(PT + PT_MSR, P9_MSR_SF | P9_MSR_LE | P9_MSR_IR | P9_MSR_DR | P9_MSR_PR | P9_MSR_EE);
	put64(PT + 8 * 3, H_RPT_INVALIDATE);
	put64(PT + 8 * 6, H_RPTI_TYPE_TLB);
	assert_int_equal(enter(0), P9_VEC_SYSCALL);
	assert_int_equal(get64(PT + PT_NIP), EA + L2_CODE + 4);
	assert_int_equal(get64(PT + PT_MSR) & P9_MSR_PR, P9_MSR_PR);
}

/* --- L1's trees --- */

/* A tree of 16 GiB in a space of 52 bits: beyond it nothing is mapped, nor what wraps around. */
static void beyond_the_tree(void **state)
{
	const uint64_t rts_34 = UINT64_C(3) << 5, end = BIT64(34), ea = end + 0x20000;
	uint64_t root = new_table(ROOT_SIZE);

	(void)state;
	st_be64(t.mem + root, RADIX_VALID | RADIX_LEAF | L2_MEM | ATTR_RWX);
	/* The last 2 MiB of it, too. */
	st_be64(t.mem + root + ROOT_SIZE - 8, RADIX_VALID | RADIX_LEAF | L2_MEM | ATTR_RWX);
	set_patb(LPID, PATB_HR | rts_34 | root | ROOT_BITS, BIT64(63));
	st_le64(t.mem + L2_MEM + 0x20000, 33);

	PREPARE(0, INSN_LD(5, 4, 0), INSN_LD(6, 7, 8), INSN_SC1);
	put64(PT + 8 * 4, end - 0x200000 + 0x20000);
	put64(PT + 8 * 7, ea);
	assert_int_equal(enter(0), P9_VEC_HDSI);
	assert_int_equal(pt_gpr(5), 33);
	assert_int_equal(get64(PT + PT_NIP), L2_CODE + 4);
	assert_int_equal(get64(HV + HV_HDSISR), P9_DSISR_NOHPTE);
	assert_int_equal(get64(HV + HV_HDAR), ea + 8);
	assert_int_equal(get64(HV + HV_ASDR), ea);

	PREPARE(0, INSN_STD(5, 4, 8), INSN_SC1);
	put64(PT + 8 * 4, ea);
	assert_int_equal(enter(0), P9_VEC_HDSI);
	assert_int_equal(get64(HV + HV_HDSISR), P9_DSISR_NOHPTE | P9_DSISR_ISSTORE);

	PREPARE(0, INSN_SC1);
	put64(PT + PT_NIP, end + L2_CODE);
	assert_int_equal(enter(0), P9_VEC_HISI);
	assert_int_equal(get64(PT + PT_NIP), end + L2_CODE);
	assert_int_equal(get64(PT + PT_MSR) & NESTED_SRR1_CAUSE, P9_DSISR_NOHPTE);
	assert_int_equal(get64(HV + HV_ASDR), end + L2_CODE);
}

/* No instructions are fetched from a page that L1 maps as non-idempotent; data is its own matter.
 */
static void guarded_pages(void **state)
{
	const uint64_t gpa = 0x400000, att = 0x10;

	(void)state;
	for (uint64_t i = 0; i < 4; i++) {
		bool guarded = i == 2;

		l1_map(LPID, gpa, L2_MEM + gpa, 21, ATTR_RWX | i * att);
		assert_int_equal(tlbie(tlbie_insn(0, 0, 1), LPID, gpa | 1 << 5), H_SUCCESS);
		PREPARE(0, INSN_LD(5, 4, 0), INSN_STD(5, 4, 8), INSN_SC1);
		put64(PT + 8 * 4, gpa + 0x100);
		st_le64(t.mem + L2_MEM + gpa + 0x100, 44 + i);
		assert_int_equal(enter(0), P9_VEC_SYSCALL);
		assert_int_equal(ld_le64(t.mem + L2_MEM + gpa + 0x108), 44 + i);
		PREPARE(0, INSN_ILLEGAL);
		st_le32(t.mem + L2_MEM + gpa, INSN_SC1);
		put64(PT + PT_NIP, gpa);
		assert_int_equal(enter(0), guarded ? P9_VEC_HISI : P9_VEC_SYSCALL);
		if (guarded) {
			assert_int_equal(get64(PT + PT_MSR) & NESTED_SRR1_CAUSE, P9_DSISR_NOEXEC);
			assert_int_equal(get64(HV + HV_ASDR), gpa);
			assert_int_equal(get64(PT + PT_NIP), gpa);
		}
	}
}

/* --- threads of a core that depend on each other --- */

static void set_line(unsigned i, uint32_t level)
{
	struct kvm_interrupt irq = {.irq = level};

	assert_int_equal(test_ioctl(&t, t.vcpu[i], KVM_INTERRUPT, &irq), 0);
}

static void *raise_line(void *arg)
{
	(void)arg;
	usleep(20000);
	set_line(1, KVM_INTERRUPT_SET_LEVEL);
	return NULL;
}

/* A vCPU waits to enter L2; an external interrupt ends that, for L1 to take and try again. */
static void interrupt_ends_wait(void **state)
{
	struct ppc_vcpu *v = test_vcpu_inside(&t, 0);
	struct ppc_vm *vm = test_vm_inside(&t);

	(void)state;
	vm->joint_threads = true;
	vm->smt_mode = 2;
	PREPARE(0, INSN_SC1);
	assert_int_equal(test_hcall(&t, 0, H_ENTER_NESTED, (const uint64_t[]){HV, PT}, 2),
			 PPC_RESUME);
	assert_ptr_equal(vm->nested->core[0].owner, v);
	for (unsigned i = 0; i < 2; i++) {
		pthread_t thread;

		PREPARE(1, INSN_SC1);
		/* The wait's end, if it were not for the interrupt: the test is not to hang. */
		put64(HV + 0x1000 + HV_HDEC, p9_tb(p9_regs(v->vcpu.cpu)) + 2 * P9_TB_HZ);
		/* During the wait, and before it. */
		if (!i)
			assert_int_equal(pthread_create(&thread, NULL, raise_line, NULL), 0);
		else
			set_line(1, KVM_INTERRUPT_SET_LEVEL);
		assert_int_equal(enter(1), 0);
		if (!i)
			pthread_join(thread, NULL);
		set_line(1, (uint32_t)KVM_INTERRUPT_UNSET);
		/* It waits no more, and has not had the core. */
		assert_null(vm->nested->core[0].first);
		assert_ptr_equal(vm->nested->core[0].owner, v);
	}
	/* The core is to be had once the other has left. */
	nested_leave(v, 0);
	PREPARE(1, INSN_SC1);
	assert_int_equal(enter(1), P9_VEC_SYSCALL);
	assert_null(vm->nested->core[0].owner);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(copied_code_runs), TEST(copy_and_slots),         TEST(log_read_while_copying),
		TEST(tlbie_page_sizes), TEST(l2_invalidates_its_own), TEST(beyond_the_tree),
		TEST(guarded_pages),    TEST(interrupt_ends_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
