/*
 * Shadow trees against a brute-force model: L1's trees, its partition table, the memory slots and
 * their dirty logs change at random, L2s fault at random, L1 ages and write-protects pages and
 * invalidates in every way there is. Whatever is in a shadow tree must be what L1's tree and the
 * slots say, and be in exactly one reverse map; R and C in L1's tree must be set exactly where L2
 * was; whatever L2 stored must be in the dirty log.
 */
#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/radix_tree.h"
#include "kvm_test.h"

#define LPIDS   3
#define TREES   2 /* that an LPID's partition-table entry may lead to */
#define REGIONS 4 /* of 2 MiB, in each L2 */
#define PAGES   (REGIONS * 512)
#define MIB2    (UINT64_C(1) << 21)

/*
 * L1's memory: tables, then what L2 gets. The second slot is behind the first, or moved on by its
 * size.
 */
#define PATB   UINT64_C(0x100000)
#define TABLES UINT64_C(0x200000)
#define POOL   UINT64_C(0x1000000)
#define SPLIT  UINT64_C(0x1800000)
#define SIZE1  UINT64_C(0x800000)
#define END    (SPLIT + 2 * SIZE1)

static struct test_vm t;
static uint64_t seed = 0x9e3779b97f4a7c15;

/* What L1's tree says of each 4 KiB page: 0, or RADIX_LEAF, the permissions, R and C. */
static struct model_page {
	uint64_t to, attr;
	unsigned shift;
} model[LPIDS][TREES][PAGES];

/* An LPID's tree: in memory, and as it was when L1 last said that it may have changed. */
enum { NO_TREE = TREES, NOT_CACHED };
static unsigned in_memory[LPIDS], cached[LPIDS];

static bool stored[END / 4096]; /* since the log was read */

static struct {
	bool present, logging, read_only;
	uint64_t start, size;
	uint8_t *host;
} slots[2];

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint64_t root_of(unsigned lpid, unsigned tree)
{
	return TABLES + (lpid * TREES + tree) * UINT64_C(0x100000);
}

/* Tables of an L2: root, level 1, level 2, and per region one of 512 entries. */
static uint64_t leaf_table(unsigned lpid, unsigned tree, unsigned region)
{
	return root_of(lpid, tree) + 0x20000 + region * UINT64_C(0x1000);
}

static uint64_t pde(unsigned lpid, unsigned tree, unsigned region)
{
	return root_of(lpid, tree) + 0x11000 + 8 * region;
}

static void put(uint64_t at, uint64_t v)
{
	st_be64(t.mem + at, v);
}

static uint64_t get(uint64_t at)
{
	return ld_be64(t.mem + at);
}

/* The tree that L2 runs with; NULL: none. */
static struct model_page *tree_of(unsigned lpid)
{
	return cached[lpid] < TREES ? model[lpid][cached[lpid]] : NULL;
}

/* --- invalidation --- */

enum { RIC_TLB, RIC_PWC, RIC_ALL };

static void tlbie(unsigned ric, unsigned is, unsigned lpid, uint64_t rb)
{
	assert_int_equal(HCALL(&t, 0, H_TLB_INVALIDATE, 1 << 16 | ric << 18, lpid, rb | is << 10),
			 H_SUCCESS);
}

static void rpt(unsigned lpid, uint64_t type, uint64_t start, uint64_t end)
{
	assert_int_equal(HCALL(&t, 0, H_RPT_INVALIDATE, lpid, H_RPTI_TARGET_CMMU,
			       H_RPTI_TYPE_NESTED | type, H_RPTI_PAGE_ALL, start, end),
			 H_SUCCESS);
}

/* The partition-table entry was read anew; one that is not there takes the guest away. */
static void entry_flushed(unsigned lpid)
{
	if (cached[lpid] != NOT_CACHED)
		cached[lpid] = in_memory[lpid] == NO_TREE ? NOT_CACHED : in_memory[lpid];
}

/* A page-walk cache that may keep upper levels is told first, or with all else. */
static void invalidate(unsigned lpid, uint64_t start, uint64_t end, bool upper)
{
	unsigned pages = (unsigned)((end - start) >> 12);

	if (upper && rnd() & 1)
		tlbie(RIC_PWC, rnd() & 1 ? 2 : 3, lpid, 0);
	switch (rnd() % 8) {
	case 0:
	case 1:
	case 2:
		rpt(lpid, H_RPTI_TYPE_TLB | (upper ? H_RPTI_TYPE_PWC : 0), start, end);
		break;
	case 3: /* everybody */
		tlbie(RIC_TLB, 3, 0, 0);
		break;
	case 4: /* with the partition-table entry */
		if (rnd() & 1)
			tlbie(RIC_ALL, 2, lpid, 0);
		else
			rpt(lpid, H_RPTI_TYPE_TLB | H_RPTI_TYPE_PWC | H_RPTI_TYPE_PRT, 0,
			    UINT64_MAX);
		entry_flushed(lpid);
		break;
	default:
		/* An address with the page's size, or all of the LPID */
		if (pages == 1)
			tlbie(RIC_TLB, 0, lpid, start);
		else if (pages == 16)
			tlbie(RIC_TLB, 0, lpid, start | 5 << 5);
		else if (pages == 512 && rnd() & 1)
			tlbie(RIC_TLB, 0, lpid, start | 1 << 5);
		else
			tlbie(RIC_TLB, 2, lpid, 0);
		break;
	}
}

/* What is not needed is right as well. A page-walk cache's says nothing of leaves. */
static void needless(void)
{
	struct ppc_vm *vm = test_vm_inside(&t);
	unsigned lpid = rnd() % LPIDS, shift;
	uint64_t gpa = rnd() % PAGES << 12, leaf = shadow_lookup(vm, lpid, gpa, &shift);

	if (rnd() & 1)
		tlbie(RIC_PWC, 2, lpid, 0);
	else
		rpt(lpid, H_RPTI_TYPE_PWC, 0, UINT64_MAX);
	assert_int_equal(shadow_lookup(vm, lpid, gpa, &shift), leaf);
	invalidate(lpid, gpa, gpa + 4096, false);
	assert_int_equal(shadow_lookup(vm, lpid, gpa, &shift), 0);
}

/* --- L1 --- */

static void set_model(unsigned lpid, unsigned tree, uint64_t gpa, uint64_t to, unsigned shift,
		      uint64_t attr)
{
	for (uint64_t off = 0; off < BIT64(shift); off += 4096)
		model[lpid][tree][(gpa + off) >> 12] =
			(struct model_page){attr ? to + off : 0, attr, shift};
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

/* Where a page lies, and where its entry in L1's tree; 0: it has none. */
static uint64_t entry_of(unsigned lpid, unsigned tree, uint64_t gpa, unsigned *shift)
{
	unsigned region = (unsigned)(gpa / MIB2);
	uint64_t e = get(pde(lpid, tree, region));

	*shift = 21;
	if (!e || (e & RADIX_LEAF))
		return e ? pde(lpid, tree, region) : 0;
	*shift = (e & 31) == 9 ? 12 : 16;
	return leaf_table(lpid, tree, region) + 8 * (gpa % MIB2 >> *shift);
}

/* L1 maps, maps otherwise, or unmaps; and tells L0. */
static void l1_change(void)
{
	unsigned lpid = rnd() % LPIDS, tree = rnd() % TREES, region = rnd() % REGIONS, shift;
	uint64_t gpa = region * MIB2, attr = random_attr(), to, at;

	if (rnd() % 8 == 0) {
		/* The region becomes one page, nothing, or a table of 4 or 64 KiB pages. */
		set_model(lpid, tree, gpa, 0, 21, 0);
		memset(t.mem + leaf_table(lpid, tree, region), 0, 4096);
		switch (rnd() % 4) {
		case 0:
			put(pde(lpid, tree, region), 0);
			break;
		case 1:
			to = POOL + rnd() % ((END - POOL) / MIB2) * MIB2;
			put(pde(lpid, tree, region), RADIX_VALID | to | attr);
			set_model(lpid, tree, gpa, to, 21, attr);
			break;
		default:
			put(pde(lpid, tree, region),
			    RADIX_VALID | leaf_table(lpid, tree, region) | (rnd() & 1 ? 9 : 5));
			break;
		}
		invalidate(lpid, gpa, gpa + MIB2, true);
		return;
	}
	gpa += rnd() % 512 << 12;
	at = entry_of(lpid, tree, gpa, &shift);
	if (!at || shift == 21)
		return;
	gpa = align_down(gpa, BIT64(shift));
	to = POOL + (rnd() % (END - POOL) & ~(BIT64(shift) - 1));
	if (rnd() % 4 == 0)
		to = POOL + 0x100000; /* a page that many share */
	if (rnd() % 4) {
		put(at, RADIX_VALID | to | attr);
		set_model(lpid, tree, gpa, to, shift, attr);
	} else {
		put(at, 0);
		set_model(lpid, tree, gpa, 0, shift, 0);
	}
	invalidate(lpid, gpa, gpa + BIT64(shift), false);
}

/* L1 takes R, C or the permission to store away from a page, and tells L0. */
static void l1_age(void)
{
	unsigned lpid = rnd() % LPIDS, tree = rnd() % TREES, shift;
	uint64_t gpa = rnd() % PAGES << 12, at = entry_of(lpid, tree, gpa, &shift), attr;
	static const uint64_t less[] = {RADIX_R, RADIX_C, RADIX_R | RADIX_C, RADIX_WRITE};
	uint64_t gone = less[rnd() % 4];

	attr = model[lpid][tree][gpa >> 12].attr & ~gone;
	if (!at || !attr)
		return;
	put(at, get(at) & ~gone);
	gpa = align_down(gpa, BIT64(shift));
	set_model(lpid, tree, gpa, model[lpid][tree][gpa >> 12].to, shift, attr);
	invalidate(lpid, gpa, gpa + BIT64(shift), false);
}

/* L1 writes its partition table. It may tell L0 much later, or in several ways. */
static void l1_partition(void)
{
	unsigned lpid = rnd() % LPIDS, tree = rnd() % (TREES + 1);

	put(PATB + 16 * lpid,
	    tree == NO_TREE ? 0 : PATB_HR | PATB_RTS_52 | root_of(lpid, tree) | ROOT_BITS);
	in_memory[lpid] = tree;
	switch (rnd() % 5) {
	case 0:
		break;
	case 1:
		assert_int_equal(HCALL(&t, 0, H_SET_PARTITION_TABLE, PATB), H_SUCCESS);
		for (lpid = 0; lpid < LPIDS; lpid++)
			entry_flushed(lpid);
		break;
	case 2:
		tlbie(RIC_ALL, 3, 0, 0);
		for (lpid = 0; lpid < LPIDS; lpid++)
			entry_flushed(lpid);
		break;
	case 3:
		rpt(lpid, H_RPTI_TYPE_PRT, 0, UINT64_MAX);
		entry_flushed(lpid);
		break;
	default:
		tlbie(RIC_ALL, 2, lpid, 0);
		entry_flushed(lpid);
		break;
	}
}

/* --- L2 --- */

static int slot_of(uint64_t gpa)
{
	for (int i = 0; i < 2; i++) {
		if (slots[i].present && gpa - slots[i].start < slots[i].size)
			return i;
	}
	return -1;
}

/* What L2's access does to L1's entry, for all of the page that it maps. */
static void set_rc(unsigned lpid, uint64_t gpa, bool store)
{
	struct model_page *m = &tree_of(lpid)[gpa >> 12];
	uint64_t at;
	unsigned shift;

	gpa = align_down(gpa, BIT64(m->shift));
	set_model(lpid, cached[lpid], gpa, m->to & ~(BIT64(m->shift) - 1), m->shift,
		  m->attr | RADIX_R | (store ? RADIX_C : 0));
	at = entry_of(lpid, cached[lpid], gpa, &shift);
	assert_int_equal(get(at) & (RADIX_R | RADIX_C), m->attr & (RADIX_R | RADIX_C));
}

static void l2_fault(void)
{
	struct ppc_vm *vm = test_vm_inside(&t);
	unsigned lpid = rnd() % LPIDS, page = rnd() % PAGES, shift;
	const struct model_page none = {0}, *m;
	enum nested_need need = (enum nested_need)(1u << rnd() % 3);
	uint64_t gpa = (uint64_t)page << 12 | (rnd() & 0xff8), leaf;
	struct nested_translation tr;
	struct nested_guest *g;
	enum nested_map ret;
	bool allowed;
	long error;
	int slot;

	if (cached[lpid] == NOT_CACHED && in_memory[lpid] != NO_TREE)
		cached[lpid] = in_memory[lpid];
	m = tree_of(lpid) ? &tree_of(lpid)[page] : &none;
	allowed = m->attr & (need == NEED_READ    ? RADIX_READ
			     : need == NEED_WRITE ? RADIX_WRITE
						  : RADIX_EXEC);
	nested_lock(vm);
	g = nested_get(vm, lpid, true, &error);
	ret = shadow_map(vm, NULL, g, gpa, need, &tr);
	nested_put(vm, NULL, g);
	nested_unlock(vm);
	leaf = shadow_lookup(vm, lpid, gpa, &shift);
	if (!allowed) {
		assert_int_equal(ret, NESTED_FAULT);
		assert_int_equal(leaf, 0);
		return;
	}
	set_rc(lpid, gpa, need == NEED_WRITE);
	slot = slot_of(m->to);
	if (slot < 0 || (need == NEED_WRITE && slots[slot].read_only)) {
		assert_int_equal(ret, NESTED_DEVICE);
		return;
	}
	assert_int_equal(ret, NESTED_MAPPED);
	assert_true(leaf & RADIX_LEAF);
	if (need == NEED_WRITE) {
		assert_true(leaf & RADIX_WRITE);
		stored[m->to >> 12] = true;
	}
}

/* --- the VMM --- */

static void set_slot(int i)
{
	uint32_t flags = (slots[i].logging ? KVM_MEM_LOG_DIRTY_PAGES : 0) |
			 (slots[i].read_only ? KVM_MEM_READONLY : 0);

	assert_int_equal(test_set_slot(&t, i, flags, slots[i].start,
				       slots[i].present ? slots[i].size : 0, slots[i].host),
			 0);
}

/* Of a slot, wherever it is or was. */
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
		slots[i].present = !slots[i].present;
		slots[i].logging = slots[i].present && (rnd() & 1);
		slots[i].read_only = slots[i].present && rnd() % 4 == 0;
		if (slots[i].present)
			slots[i].start = rnd() & 1 ? SPLIT : SPLIT + SIZE1;
	} else if (i && slots[i].present && rnd() & 1) {
		/* It moves. */
		slots[i].start = slots[i].start == SPLIT ? SPLIT + SIZE1 : SPLIT;
		slots[i].logging = rnd() & 1;
	} else if (slots[i].present) {
		slots[i].logging = !slots[i].logging;
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
	uint64_t start = slots[i].start;

	if (!slots[i].logging)
		return;
	assert_int_equal(test_ioctl(&t, t.fd, KVM_GET_DIRTY_LOG, &log), 0);
	for (uint64_t page = 0; page < slots[i].size >> 12; page++) {
		uint64_t gpa = start + (page << 12);

		/* What is written by now is a store; what was not is not in the log. */
		if (gpa >= POOL)
			assert_int_equal(bitmap[page / 64] >> (page % 64) & 1, stored[gpa >> 12]);
		stored[gpa >> 12] = false;
	}
}

/* --- what must hold --- */

static void check_leaf(unsigned lpid, uint64_t gpa, uint64_t leaf, unsigned shift)
{
	const struct model_page *m = &tree_of(lpid)[gpa >> 12];
	int slot = slot_of(m->to);

	assert_true(slot >= 0);
	assert_int_equal((leaf & RADIX_RPN) + (gpa & (BIT64(shift) - 1)),
			 (uintptr_t)slots[slot].host + m->to - slots[slot].start);
	assert_true(shift <= m->shift);
	assert_true(!slots[slot].logging || shift == 12);
	assert_int_equal(leaf & ~m->attr & (RADIX_READ | RADIX_WRITE | RADIX_EXEC), 0);
	/* Neither R nor C is left to the walker, and L1 has them. */
	assert_true(leaf & RADIX_R);
	assert_true(m->attr & RADIX_R);
	if (!(leaf & RADIX_WRITE))
		return;
	assert_true((leaf & RADIX_C) && (m->attr & RADIX_C) && !slots[slot].read_only);
	assert_true(!slots[slot].logging || stored[m->to >> 12]);
}

/* Each entry of a frame leads to a leaf that maps it, and begins there. */
static uint64_t check_rmap(const struct kvm_memslot *s, uint64_t page)
{
	struct ppc_vm *vm = test_vm_inside(&t);
	uint32_t n = rmap_count(s->rmap[page]);

	for (uint32_t i = 0; i < n; i++) {
		uint64_t e = rmap_at(s->rmap[page], i), leaf;
		unsigned shift;

		leaf = shadow_lookup(vm, rmap_lpid(e), rmap_gpa(e), &shift);
		assert_true(leaf & RADIX_LEAF);
		assert_int_equal(shift, rmap_shift(e));
		assert_int_equal(leaf & RADIX_RPN, s->hva.v + (page << 12));
	}
	return n;
}

/* Every leaf is right, and in one reverse map; no reverse map has more. */
static void check_all(void)
{
	struct ppc_vm *vm = test_vm_inside(&t);
	uint64_t leaves = 0, entries = 0;

	for (unsigned lpid = 0; lpid < LPIDS; lpid++) {
		if (cached[lpid] == NOT_CACHED)
			assert_null(vm->nested->guest[lpid]);
		for (uint64_t gpa = 0; gpa < PAGES << 12; gpa += 4096) {
			unsigned shift;
			uint64_t leaf = shadow_lookup(vm, lpid, gpa, &shift);

			if (!leaf)
				continue;
			check_leaf(lpid, gpa, leaf, shift);
			leaves += !(gpa & (BIT64(shift) - 1));
		}
	}
	/* One thread: nothing changes meanwhile. */
	for (uint32_t i = 0; i < vm->vm.nr_slots; i++) {
		const struct kvm_memslot *s = vm->vm.slot[i];

		for (uint64_t page = 0; s->rmap && page < s->npages; page++)
			entries += check_rmap(s, page);
	}
	assert_int_equal(leaves, entries);
	assert_false(atomic_load(&vm->vm.bugged));
}

static void against_model(void **state)
{
	(void)state;
	test_vm_create(&t, 1);
	assert_int_equal(test_set_slot(&t, 0, 0, 0, 0, NULL), 0);
	for (int i = 0; i < 2; i++) {
		slots[i].present = true;
		slots[i].start = i ? SPLIT : 0;
		slots[i].size = i ? SIZE1 : SPLIT;
		slots[i].host = t.mem + slots[i].start;
		set_slot(i);
	}
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_NESTED_HV, 1, 0), 0);
	assert_int_equal(test_enable_cap(&t, t.fd, KVM_CAP_PPC_ENABLE_HCALL, H_RPT_INVALIDATE, 1),
			 0);
	for (unsigned lpid = 0; lpid < LPIDS; lpid++) {
		for (unsigned tree = 0; tree < TREES; tree++) {
			uint64_t root = root_of(lpid, tree);

			put(root, RADIX_VALID | (root + 0x10000) | 9);
			put(root + 0x10000, RADIX_VALID | (root + 0x11000) | 9);
		}
		put(PATB + 16 * lpid, PATB_HR | PATB_RTS_52 | root_of(lpid, 0) | ROOT_BITS);
		put(PATB + 16 * lpid + 8, BIT64(63));
		cached[lpid] = NOT_CACHED;
	}
	assert_int_equal(HCALL(&t, 0, H_SET_PARTITION_TABLE, PATB), H_SUCCESS);
	for (unsigned step = 0; step < 60000; step++) {
		switch (rnd() % 64) {
		case 0:
			slot_change();
			break;
		case 1:
			read_log();
			break;
		case 2:
			if (rnd() & 1)
				l1_partition();
			else
				needless();
			break;
		case 3 ... 6:
			l1_age();
			break;
		case 7 ... 20:
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
