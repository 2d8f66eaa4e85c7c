/*
 * Shadow trees against a brute-force model: L1's trees, the memory slots and their dirty logs
 * change at random, L2s fault at random. Whatever is in a shadow tree must be what L1's tree and
 * the slots say, and be in exactly one reverse map; whatever L2 stored must be in the dirty log.
 */
#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/radix_tree.h"
#include "kvm_test.h"

#define LPIDS   3
#define REGIONS 4 /* of 2 MiB, in each L2 */
#define PAGES   (REGIONS * 512)
#define MIB2    (UINT64_C(1) << 21)

/* L1's memory: tables, then what L2 gets; the second slot is the upper half of that. */
#define PATB   UINT64_C(0x100000)
#define TABLES UINT64_C(0x200000)
#define POOL   UINT64_C(0x1000000)
#define SPLIT  UINT64_C(0x1800000)
#define END    UINT64_C(0x2000000)

static struct test_vm t;
static uint64_t seed = 0x9e3779b97f4a7c15;

/* What L1's tree says of each 4 KiB page: 0, or RADIX_LEAF and the entry's permissions. */
static struct model_page {
	uint64_t to, attr;
	unsigned shift;
} model[LPIDS][PAGES];

static bool stored[END / 4096]; /* since the log was read */
static bool logging[2], present[2];

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint64_t root_of(unsigned lpid)
{
	return TABLES + lpid * UINT64_C(0x100000);
}

/* Tables of an L2: root, level 1, level 2, and per region one of 512 entries. */
static uint64_t leaf_table(unsigned lpid, unsigned region)
{
	return root_of(lpid) + 0x20000 + region * UINT64_C(0x1000);
}

static uint64_t pde(unsigned lpid, unsigned region)
{
	return root_of(lpid) + 0x11000 + 8 * region;
}

static void put(uint64_t at, uint64_t v)
{
	st_be64(t.mem + at, v);
}

static void invalidate(unsigned lpid, uint64_t start, uint64_t end)
{
	unsigned pages = (unsigned)((end - start) >> 12);

	if (rnd() & 1) {
		assert_int_equal(HCALL(&t, 0, H_RPT_INVALIDATE, lpid, H_RPTI_TARGET_CMMU,
				       H_RPTI_TYPE_NESTED | H_RPTI_TYPE_TLB, H_RPTI_PAGE_ALL, start,
				       end),
				 H_SUCCESS);
		return;
	}
	/* An address with the page's size, or all of the LPID */
	assert_int_equal(HCALL(&t, 0, H_TLB_INVALIDATE, 1 << 16, lpid,
			       pages == 1    ? start
			       : pages == 16 ? start | 5 << 5
					     : UINT64_C(2) << 10),
			 H_SUCCESS);
}

static void set_model(unsigned lpid, uint64_t gpa, uint64_t to, unsigned shift, uint64_t attr)
{
	for (uint64_t off = 0; off < BIT64(shift); off += 4096)
		model[lpid][(gpa + off) >> 12] = (struct model_page){to + off, attr, shift};
}

static uint64_t random_attr(void)
{
	uint64_t attr = RADIX_LEAF | RADIX_READ;

	if (rnd() & 1)
		attr |= RADIX_WRITE;
	if (rnd() & 1)
		attr |= RADIX_EXEC;
	return attr;
}

/* L1 maps, maps otherwise, or unmaps; and tells L0. */
static void l1_change(void)
{
	unsigned lpid = rnd() % LPIDS, region = rnd() % REGIONS, shift, index;
	uint64_t gpa = region * MIB2, attr = random_attr(), to, now, at;

	now = ld_be64(t.mem + pde(lpid, region));
	if (rnd() % 8 == 0) {
		/* The region becomes one page, nothing, or a table of 4 or 64 KiB pages. */
		set_model(lpid, gpa, 0, 21, 0);
		memset(t.mem + leaf_table(lpid, region), 0, 4096);
		switch (rnd() % 4) {
		case 0:
			put(pde(lpid, region), 0);
			break;
		case 1:
			to = POOL + rnd() % ((END - POOL) / MIB2) * MIB2;
			put(pde(lpid, region), RADIX_VALID | to | attr);
			set_model(lpid, gpa, to, 21, attr);
			break;
		default:
			put(pde(lpid, region),
			    RADIX_VALID | leaf_table(lpid, region) | (rnd() & 1 ? 9 : 5));
			break;
		}
		invalidate(lpid, gpa, gpa + MIB2);
		return;
	}
	if (!now || (now & RADIX_LEAF))
		return;
	shift = (now & 31) == 9 ? 12 : 16;
	index = rnd() % (1u << (21 - shift));
	gpa += (uint64_t)index << shift;
	at = leaf_table(lpid, region) + 8 * index;
	to = POOL + (rnd() % (END - POOL) & ~(BIT64(shift) - 1));
	if (rnd() % 4 == 0)
		to = POOL + 0x100000; /* a page that many share */
	if (rnd() % 4) {
		put(at, RADIX_VALID | to | attr);
		set_model(lpid, gpa, to, shift, attr);
	} else {
		put(at, 0);
		set_model(lpid, gpa, 0, shift, 0);
	}
	invalidate(lpid, gpa, gpa + BIT64(shift));
}

static int slot_of(uint64_t gpa)
{
	int i = gpa >= SPLIT;

	return gpa < END && present[i] ? i : -1;
}

static void l2_fault(void)
{
	struct ppc_vm *vm = test_vm_inside(&t);
	unsigned lpid = rnd() % LPIDS, page = rnd() % PAGES, shift;
	const struct model_page *m = &model[lpid][page];
	enum nested_need need = (enum nested_need)(1u << rnd() % 3);
	uint64_t gpa = (uint64_t)page << 12 | (rnd() & 0xff8), leaf;
	bool allowed = m->attr & (need == NEED_READ    ? RADIX_READ
				  : need == NEED_WRITE ? RADIX_WRITE
						       : RADIX_EXEC);
	struct nested_translation tr;
	struct nested_guest *g;
	enum nested_map ret;
	long error;

	nested_lock(vm);
	g = nested_get(vm, lpid, true, &error);
	ret = shadow_map(vm, NULL, g, gpa, need, &tr);
	nested_put(vm, NULL, g);
	nested_unlock(vm);
	leaf = shadow_lookup(vm, lpid, gpa, &shift);
	if (!allowed) {
		assert_int_equal(ret, NESTED_FAULT);
		assert_int_equal(leaf, 0);
	} else if (slot_of(m->to) < 0) {
		assert_int_equal(ret, NESTED_DEVICE);
	} else {
		assert_int_equal(ret, NESTED_MAPPED);
		assert_true(leaf & RADIX_LEAF);
		if (need == NEED_WRITE) {
			assert_true(leaf & RADIX_WRITE);
			stored[m->to >> 12] = true;
		}
	}
}

static void set_slot(int i)
{
	uint64_t start = i ? SPLIT : 0, size = i ? END - SPLIT : SPLIT;
	uint32_t flags = logging[i] ? KVM_MEM_LOG_DIRTY_PAGES : 0;

	assert_int_equal(test_set_slot(&t, i, flags, start, present[i] ? size : 0, t.mem + start),
			 0);
}

static void forget_stores(int i)
{
	uint64_t start = i ? SPLIT : 0, end = i ? END : SPLIT;

	memset(&stored[start >> 12], 0, (end - start) >> 12);
}

static void slot_change(void)
{
	int i = rnd() & 1;

	/* The first has L1's tables: it stays. */
	if (i && rnd() & 1) {
		present[i] = !present[i];
		logging[i] = present[i] && (rnd() & 1);
	} else if (present[i]) {
		logging[i] = !logging[i];
	} else {
		return;
	}
	set_slot(i);
	forget_stores(i);
}

static void read_log(void)
{
	static uint64_t bitmap[END / 4096 / 64];
	int i = rnd() & 1;
	struct kvm_dirty_log log = {.slot = (uint32_t)i, .dirty_bitmap = (uintptr_t)bitmap};
	uint64_t start = i ? SPLIT : 0, end = i ? END : SPLIT;

	if (!logging[i])
		return;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_GET_DIRTY_LOG, &log), 0);
	for (uint64_t gpa = start < POOL ? POOL : start; gpa < end; gpa += 4096) {
		uint64_t page = (gpa - start) >> 12;

		/* What is written by now is a store; what was not is not in the log. */
		assert_int_equal(bitmap[page / 64] >> (page % 64) & 1, stored[gpa >> 12]);
	}
	forget_stores(i);
}

/* Every leaf is right, and in one reverse map; no reverse map has more. */
static void check_all(void)
{
	struct ppc_vm *vm = test_vm_inside(&t);
	uint64_t leaves = 0, entries = 0;

	for (unsigned lpid = 0; lpid < LPIDS; lpid++) {
		for (uint64_t page = 0; page < PAGES; page++) {
			const struct model_page *m = &model[lpid][page];
			uint64_t gpa = page << 12, leaf, mask;
			unsigned shift;
			int slot;

			leaf = shadow_lookup(vm, lpid, gpa, &shift);
			if (!leaf)
				continue;
			mask = BIT64(shift) - 1;
			slot = slot_of(m->to);
			assert_true(slot >= 0);
			assert_int_equal((leaf & RADIX_RPN) + (gpa & mask),
					 (uintptr_t)t.mem + m->to);
			assert_true(shift <= m->shift);
			assert_true(!logging[slot] || shift == 12);
			assert_int_equal(leaf & ~m->attr & (RADIX_READ | RADIX_WRITE | RADIX_EXEC),
					 0);
			/* Neither R nor C is left to the walker. */
			assert_true(leaf & RADIX_R);
			assert_true(!(leaf & RADIX_WRITE) || (leaf & RADIX_C));
			if (logging[slot] && (leaf & RADIX_WRITE))
				assert_true(stored[m->to >> 12]);
			leaves += !(gpa & mask);
		}
	}
	nested_lock(vm);
	for (uint32_t i = 0; i < vm->vm.nr_slots; i++) {
		const struct kvm_memslot *s = vm->vm.slot[i];

		for (uint64_t page = 0; s->rmap && page < s->npages; page++)
			entries += rmap_count(s->rmap[page]);
	}
	nested_unlock(vm);
	assert_int_equal(leaves, entries);
	assert_false(atomic_load(&vm->vm.bugged));
}

static void against_model(void **state)
{
	(void)state;
	test_vm_create(&t, 1);
	assert_int_equal(test_set_slot(&t, 0, 0, 0, 0, NULL), 0);
	for (int i = 0; i < 2; i++) {
		present[i] = true;
		set_slot(i);
	}
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_NESTED_HV, 1, 0), 0);
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_ENABLE_HCALL, H_RPT_INVALIDATE, 1),
			 0);
	for (unsigned lpid = 0; lpid < LPIDS; lpid++) {
		uint64_t root = root_of(lpid);

		put(PATB + 16 * lpid, PATB_HR | PATB_RTS_52 | root | ROOT_BITS);
		put(PATB + 16 * lpid + 8, BIT64(63));
		put(root, RADIX_VALID | (root + 0x10000) | 9);
		put(root + 0x10000, RADIX_VALID | (root + 0x11000) | 9);
	}
	assert_int_equal(HCALL(&t, 0, H_SET_PARTITION_TABLE, PATB), H_SUCCESS);
	for (unsigned step = 0; step < 40000; step++) {
		switch (rnd() % 64) {
		case 0:
			slot_change();
			break;
		case 1:
			read_log();
			break;
		case 2 ... 20:
			l1_change();
			break;
		default:
			l2_fault();
			break;
		}
		if (step % 64 == 0)
			check_all();
	}
	test_vm_destroy(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(against_model)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
