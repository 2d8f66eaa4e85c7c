/*
 * The tables of shadow trees: how many there may be, and how they go, a few at a time, while others
 * map pages.
 */
#include <pthread.h>
#include <unistd.h>

#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/radix_tree.h"
#include "kvm_test.h"

#define PATB      UINT64_C(0x100000)
#define ROOT      UINT64_C(0x200000) /* 64 KiB */
#define LEVELS    UINT64_C(0x210000) /* a table for each level */
#define FRAME     UINT64_C(0x300000)
#define LPID      7
#define ATTR_RWX  UINT64_C(7)

static struct test_vm t;

static int64_t set_ptcr(uint64_t ptcr)
{
	return HCALL(&t, 0, H_SET_PARTITION_TABLE, ptcr);
}

static int64_t tlbie(unsigned ric, unsigned is, uint64_t lpid)
{
	return HCALL(&t, 0, H_TLB_INVALIDATE, 1 << 16 | ric << 18, lpid, is << 10);
}

static uint64_t alias(uint64_t i)
{
	return i * UINT64_C(0x7654321000) % BIT64(52);
}

/* How many tables there may be. */
#define TABLES_LIMIT (4096 + GUEST_MEM / 4096 / 64)

/* One frame at all addresses: a tree each of whose levels is one table over and over. */
static void loop_tree(void)
{
	for (uint64_t i = 0; i < 8192; i++)
		st_be64(t.mem + ROOT + 8 * i, RADIX_VALID | LEVELS | 9);
	for (uint64_t i = 0; i < 512; i++) {
		st_be64(t.mem + LEVELS + 8 * i, RADIX_VALID | (LEVELS + 0x1000) | 9);
		st_be64(t.mem + LEVELS + 0x1000 + 8 * i, RADIX_VALID | (LEVELS + 0x2000) | 9);
		st_be64(t.mem + LEVELS + 0x2000 + 8 * i,
			RADIX_VALID | RADIX_LEAF | FRAME | ATTR_RWX);
	}
}

/* That is bounded, and L2 goes on. */
static void aliases(void **state)
{
	struct ppc_vm *vm = test_vm_inside(&t);
	struct nested_translation tr;
	struct nested_guest *g;
	unsigned shift;
	long error;
	uint64_t n;

	(void)state;
	nested_lock(vm);
	g = nested_get(vm, LPID, true, &error);
	nested_unlock(vm);
	assert_non_null(g);
	for (uint64_t i = 0; i < 30000; i++) {
		uint64_t gpa = alias(i), before = g->nr_tables;

		nested_lock(vm);
		assert_int_equal(shadow_map(vm, NULL, g, gpa, NEED_READ, &tr), NESTED_MAPPED);
		nested_unlock(vm);
		assert_int_not_equal(shadow_lookup(vm, LPID, gpa, &shift), 0);
		n = rmap_count(vm->vm.slot[0]->rmap[FRAME >> 12]);
		assert_true(i < RMAP_MAX ? n == i + 1 : n <= RMAP_MAX);
		/* The oldest made room, and the next is still there. */
		if (i >= RMAP_MAX && i < 2 * RMAP_MAX && TABLES_LIMIT > g->nr_tables) {
			assert_int_equal(shadow_lookup(vm, LPID, alias(i - RMAP_MAX), &shift), 0);
			assert_int_not_equal(
				shadow_lookup(vm, LPID, alias(i - RMAP_MAX + 1), &shift), 0);
		}
		/* At the limit few go. */
		assert_true(g->nr_tables + 16 >= before);
	}
	assert_true(vm->nested->nr_tables <= TABLES_LIMIT);
	nested_lock(vm);
	nested_put(vm, NULL, g);
	nested_unlock(vm);
	assert_false(atomic_load(&vm->vm.bugged));
}

static struct nested_guest *guest_of(uint64_t lpid)
{
	struct nested_guest *g;
	long error;

	nested_lock(test_vm_inside(&t));
	g = nested_get(test_vm_inside(&t), lpid, true, &error);
	assert_non_null(g);
	nested_put(test_vm_inside(&t), NULL, g);
	nested_unlock(test_vm_inside(&t));
	return g;
}

static void map(struct nested_guest *g, uint64_t gpa)
{
	struct ppc_vm *vm = test_vm_inside(&t);
	struct nested_translation tr;

	nested_lock(vm);
	assert_int_equal(shadow_map(vm, NULL, g, gpa, NEED_READ, &tr), NESTED_MAPPED);
	nested_unlock(vm);
}

/* Few tables at a time, so that others need not wait for long; those of each level, in the end. */
static void zap_in_steps(void **state)
{
	struct ppc_vm *vm = test_vm_inside(&t);
	struct nested_guest *g;
	uint64_t before, at;
	unsigned steps, shift;
	bool more;

	(void)state;
	g = guest_of(LPID);
	/* Numbers of tables around that of a step; the last of them alone under those above. */
	for (unsigned n = 1; n < 3 * SHADOW_STEP; n++) {
		for (unsigned i = 0; i < n; i++)
			map(g, n % 2 ? alias(i) : BIT64(30) - (uint64_t)(n - i) * BIT64(21));
		at = 0;
		for (steps = 0, more = true; more; steps++) {
			before = g->nr_tables;
			nested_lock(vm);
			more = shadow_zap_step(vm, NULL, g, 0, UINT64_MAX, &at);
			nested_unlock(vm);
			/* And those above the last one that was left. */
			assert_in_range(before - g->nr_tables, more ? SHADOW_STEP : 1,
					SHADOW_STEP + 2);
		}
		assert_int_equal(g->nr_tables, 0);
		assert_true(steps <= 1 + 3 * n / SHADOW_STEP);
		assert_int_equal(rmap_count(vm->vm.slot[0]->rmap[FRAME >> 12]), 0);
	}
	/* What does not belong to the range stays, and what comes back behind it. */
	for (unsigned i = 0; i < 100; i++)
		map(g, i * BIT64(21));
	at = 2 * BIT64(21);
	nested_lock(vm);
	assert_true(shadow_zap_step(vm, NULL, g, at, 99 * BIT64(21), &at));
	nested_unlock(vm);
	assert_in_range(at, 3 * BIT64(21), 98 * BIT64(21));
	map(g, 2 * BIT64(21));
	for (more = true; more;) {
		nested_lock(vm);
		more = shadow_zap_step(vm, NULL, g, 2 * BIT64(21), 99 * BIT64(21), &at);
		nested_unlock(vm);
	}
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(!!shadow_lookup(vm, LPID, i * BIT64(21), &shift),
				 i <= 2 || i == 99);
	assert_false(atomic_load(&vm->vm.bugged));
}

/* Maps pages of a guest, and has L1 tell of its entry, until told to stop. */
static _Atomic bool stop_mapping;

static void *mapper(void *arg)
{
	struct ppc_vm *vm = test_vm_inside(&t);
	struct nested_translation tr;
	unsigned i = 0;

	(void)arg;
	while (!atomic_load(&stop_mapping)) {
		struct nested_guest *g;
		long error;

		nested_lock(vm);
		g = nested_get(vm, LPID, true, &error);
		if (g) {
			shadow_map(vm, NULL, g, alias(i++ % 1000), NEED_READ, &tr);
			nested_put(vm, NULL, g);
		}
		nested_unlock(vm);
	}
	return NULL;
}

/* Each form that takes a whole guest away, while its pages are mapped, and it comes and goes. */
static void invalidate_while_mapping(void **state)
{
	struct ppc_vm *vm = test_vm_inside(&t);
	uint64_t entry = ld_be64(t.mem + PATB + 16 * LPID);
	pthread_t thread;

	(void)state;
	atomic_store(&stop_mapping, false);
	pthread_create(&thread, NULL, mapper, NULL);
	for (unsigned i = 0; i < 400; i++) {
		st_be64(t.mem + PATB + 16 * LPID, i / 8 % 2 ? 0 : entry);
		switch (i % 8) {
		case 0:
		case 1:
			assert_int_equal(tlbie(0, 2, LPID), H_SUCCESS);
			break;
		case 2:
			assert_int_equal(tlbie(0, 3, 0), H_SUCCESS);
			break;
		case 3:
			assert_int_equal(tlbie(2, 3, 0), H_SUCCESS);
			break;
		case 4:
			assert_int_equal(set_ptcr(PATB), H_SUCCESS);
			break;
		default:
			assert_int_equal(tlbie(2, 2, LPID), H_SUCCESS);
			break;
		}
		usleep(200);
	}
	atomic_store(&stop_mapping, true);
	pthread_join(thread, NULL);
	st_be64(t.mem + PATB + 16 * LPID, 0);
	assert_int_equal(tlbie(2, 2, LPID), H_SUCCESS);
	/* Gone, with all that it had. */
	assert_null(vm->nested->guest[LPID]);
	assert_int_equal(vm->nested->nr_guests, 0);
	assert_int_equal(vm->nested->nr_tables, vm->nested->nr_free);
	if (vm->vm.slot[0]->rmap)
		assert_int_equal(rmap_count(vm->vm.slot[0]->rmap[FRAME >> 12]), 0);
	assert_false(atomic_load(&vm->vm.bugged));
}

static int setup(void **state)
{
	(void)state;
	test_vm_create(&t, 1);
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_NESTED_HV, 1, 0), 0);
	loop_tree();
	st_be64(t.mem + PATB + 16 * LPID, PATB_HR | PATB_RTS_52 | ROOT | ROOT_BITS);
	assert_int_equal(set_ptcr(PATB), H_SUCCESS);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_vm_destroy(&t);
	return 0;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(aliases),
		TEST(zap_in_steps),
		TEST(invalidate_while_mapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
