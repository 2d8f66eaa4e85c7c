/*
 * The partition-scoped tree against a brute-force model: slots come, go, move and change flags at
 * random; whatever is mapped must be what the slots say, and what no slot has is not mapped.
 */
#include "kvm_test.h"
#include "util/bits.h"

#define PTE_LEAF  BIT64(62)
#define PTE_RPN   UINT64_C(0x01fffffffffff000)
#define PTE_R     UINT64_C(0x100)
#define PTE_C     UINT64_C(0x80)
#define PTE_READ  UINT64_C(4)
#define PTE_WRITE UINT64_C(2)
#define PTE_EXEC  UINT64_C(1)
#define GIB       (UINT64_C(1) << 30)
#define MIB       (UINT64_C(1) << 20)

#define SLOTS 6
#define SPACE (UINT64_C(6) << 30) /* guest addresses that the model uses, from BASE */
#define BASE  (UINT64_C(8) << 30)

static struct test_vm t;
static uint8_t *host; /* 4 GiB of address space, aligned to 1 GiB */

struct model_slot {
	bool used;
	uint32_t flags;
	uint64_t gpa, size;
	uint8_t *mem;
};

static struct model_slot model[SLOTS];
static uint64_t seed = 88172645463325252;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static const struct model_slot *model_find(uint64_t gpa)
{
	for (int i = 0; i < SLOTS; i++) {
		if (model[i].used && gpa >= model[i].gpa && gpa - model[i].gpa < model[i].size)
			return &model[i];
	}
	return NULL;
}

static bool model_overlaps(uint64_t gpa, uint64_t size, int except)
{
	for (int i = 0; i < SLOTS; i++) {
		if (i != except && model[i].used && gpa < model[i].gpa + model[i].size &&
		    model[i].gpa < gpa + size)
			return true;
	}
	return false;
}

/* Largest page of the slot at gpa that may be, as the architecture has sizes. */
static unsigned model_shift(const struct model_slot *s, uint64_t gpa)
{
	static const unsigned shifts[] = {30, 21};

	if (s->flags & KVM_MEM_LOG_DIRTY_PAGES)
		return 12;
	for (int i = 0; i < 2; i++) {
		uint64_t size = BIT64(shifts[i]), base = gpa & ~(size - 1);

		if (base >= s->gpa && base + size <= s->gpa + s->size &&
		    !((s->gpa ^ (uintptr_t)s->mem) & (size - 1)))
			return shifts[i];
	}
	return 12;
}

static void check_leaf(uint64_t gpa)
{
	const struct model_slot *s = model_find(gpa);
	unsigned shift;
	uint64_t pte = radix_lookup(test_vm_inside(&t), GPA(gpa), &shift);

	if (!pte)
		return;
	assert_non_null(s);
	assert_true(pte & PTE_LEAF);
	assert_int_equal((pte & PTE_RPN) + (gpa & (BIT64(shift) - 1)),
			 (uintptr_t)s->mem + (gpa - s->gpa));
	assert_int_equal(pte & (PTE_READ | PTE_EXEC), PTE_READ | PTE_EXEC);
	assert_int_equal(!(pte & PTE_WRITE), !!(s->flags & KVM_MEM_READONLY));
	assert_true(shift <= model_shift(s, gpa));
	assert_int_equal((pte & PTE_RPN) & (BIT64(shift) - 1), 0);
}

static void random_map(void)
{
	uint64_t gpa = BASE + (rnd() % SPACE & ~UINT64_C(7));
	bool write = rnd() & 1;
	const struct model_slot *s;
	enum radix_result result, expect = RADIX_MAPPED;
	unsigned shift;
	uint64_t pte;
	int i;

	/* mostly where a slot is */
	i = (int)(rnd() % SLOTS);
	if (model[i].used && rnd() % 8)
		gpa = model[i].gpa + (rnd() % model[i].size & ~UINT64_C(7));
	s = model_find(gpa);
	if (!s)
		expect = RADIX_NO_SLOT;
	else if (write && (s->flags & KVM_MEM_READONLY))
		expect = RADIX_READ_ONLY;
	result = radix_map(test_vm_inside(&t), NULL, GPA(gpa), write);
	assert_int_equal(result, expect);
	check_leaf(gpa);
	pte = radix_lookup(test_vm_inside(&t), GPA(gpa), &shift);
	if (result == RADIX_MAPPED) {
		assert_true(pte & PTE_LEAF);
		assert_true(pte & PTE_R);
		if (write)
			assert_true(pte & PTE_C);
	} else if (result == RADIX_NO_SLOT) {
		assert_int_equal(pte, 0);
	}
}

static void random_slot_change(void)
{
	static const uint64_t sizes[] = {4096,           5 * 4096, 2 * MIB,
					 7 * MIB + 4096, GIB,      GIB + 2 * MIB};
	static const uint64_t aligns[] = {4096, 65536, 2 * MIB, GIB};
	int i = (int)(rnd() % SLOTS);
	struct model_slot *s = &model[i];
	struct model_slot new = *s;
	uint64_t align = aligns[rnd() % 4];
	int ret;

	switch (s->used ? rnd() % 4 : 0) {
	case 0: /* delete, or create */
		if (s->used) {
			assert_int_equal(test_set_slot(&t, 1 + i, 0, 0, 0, NULL), 0);
			s->used = false;
			return;
		}
		new.used = true;
		new.size = sizes[rnd() % 6];
		new.gpa = BASE + (rnd() % (SPACE - new.size) & ~(align - 1));
		new.mem = host + (rnd() % (4 * GIB - new.size) & ~(align - 1));
		new.flags = (uint32_t)(rnd() % 4);
		break;
	case 1: /* dirty logging on or off */
		new.flags ^= KVM_MEM_LOG_DIRTY_PAGES;
		break;
	default: /* move */
		new.gpa = BASE + (rnd() % (SPACE - new.size) & ~(align - 1));
		break;
	}
	ret = test_set_slot(&t, 1 + i, new.flags, new.gpa, new.size, new.mem);
	if (model_overlaps(new.gpa, new.size, i)) {
		assert_int_equal(ret, -EEXIST);
		return;
	}
	assert_int_equal(ret, 0);
	*s = new;
}

static void against_model(void **state)
{
	(void)state;
	test_vm_create(&t, 1);
	host = mmap(NULL, 5 * GIB, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(host, MAP_FAILED);
	host = (uint8_t *)(((uintptr_t)host + GIB - 1) & ~(GIB - 1));
	memset(model, 0, sizeof(model));
	for (int round = 0; round < 3000; round++) {
		random_slot_change();
		for (int k = 0; k < 8; k++)
			random_map();
		/* What was mapped before the change, too. */
		for (int i = 0; i < SLOTS; i++) {
			if (!model[i].used)
				continue;
			check_leaf(model[i].gpa);
			check_leaf(model[i].gpa + model[i].size - 4096);
			if (model[i].gpa + model[i].size < BASE + SPACE)
				check_leaf(model[i].gpa + model[i].size);
			check_leaf(model[i].gpa - 4096);
		}
		for (int k = 0; k < 20; k++)
			check_leaf(BASE + (rnd() % SPACE));
	}
	test_vm_destroy(&t);
	munmap(host, 4 * GIB);
}

static void page_sizes(void **state)
{
	unsigned shift;

	(void)state;
	test_vm_create(&t, 1);
	host = mmap(NULL, 4 * GIB, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(host, MAP_FAILED);
	host = (uint8_t *)(((uintptr_t)host + GIB - 1) & ~(GIB - 1));
	assert_int_equal(test_set_slot(&t, 1, 0, BASE, 2 * GIB + 2 * MIB + 8192, host), 0);
	assert_int_equal(radix_map(test_vm_inside(&t), NULL, GPA(BASE + GIB + 5), false),
			 RADIX_MAPPED);
	radix_lookup(test_vm_inside(&t), GPA(BASE + GIB), &shift);
	assert_int_equal(shift, 30);
	radix_map(test_vm_inside(&t), NULL, GPA(BASE + 2 * GIB), false);
	radix_lookup(test_vm_inside(&t), GPA(BASE + 2 * GIB), &shift);
	assert_int_equal(shift, 21);
	radix_map(test_vm_inside(&t), NULL, GPA(BASE + 2 * GIB + 2 * MIB), false);
	radix_lookup(test_vm_inside(&t), GPA(BASE + 2 * GIB + 2 * MIB), &shift);
	assert_int_equal(shift, 12);
	/* With the log, small pages that start clean; without it again, large ones. */
	assert_int_equal(
		test_set_slot(&t, 1, KVM_MEM_LOG_DIRTY_PAGES, BASE, 2 * GIB + 2 * MIB + 8192, host),
		0);
	assert_int_equal(radix_lookup(test_vm_inside(&t), GPA(BASE + GIB), &shift), 0);
	radix_map(test_vm_inside(&t), NULL, GPA(BASE + GIB), false);
	assert_int_equal(radix_lookup(test_vm_inside(&t), GPA(BASE + GIB), &shift) & PTE_C, 0);
	assert_int_equal(shift, 12);
	assert_int_equal(test_set_slot(&t, 1, 0, BASE, 2 * GIB + 2 * MIB + 8192, host), 0);
	radix_map(test_vm_inside(&t), NULL, GPA(BASE + GIB), false);
	assert_int_equal(radix_lookup(test_vm_inside(&t), GPA(BASE + GIB), &shift) & PTE_C, PTE_C);
	assert_int_equal(shift, 30);
	/* Host and guest aligned differently: small pages. */
	assert_int_equal(test_set_slot(&t, 2, 0, BASE + 4 * GIB, GIB, host + 65536), 0);
	radix_map(test_vm_inside(&t), NULL, GPA(BASE + 4 * GIB + 4 * MIB), true);
	radix_lookup(test_vm_inside(&t), GPA(BASE + 4 * GIB + 4 * MIB), &shift);
	assert_int_equal(shift, 12);
	test_vm_destroy(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_sizes),
		cmocka_unit_test(against_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
