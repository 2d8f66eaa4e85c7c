/*
 * Tables of shadow trees, and taking away what they map: see nested_tables.h.
 *
 * A table has beside each leaf the L1 frame that it maps, so that the frame's reverse map is found
 * when the leaf goes. Tables are a bounded resource (an L1 can map one page at all addresses): at
 * the limit, a few go, in the order of the addresses that they translate, and round again. That is
 * about the order in which guests fill them; which of them are in use, nothing tells.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kvm/powerpc/nested_tables.h"

/* A table for each 64 pages of L1's memory (8 times what maps it all once), and some. */
#define TABLES_MIN 4096

/* Tables that are kept for the next guest, or fault; what is more goes back to the host. */
#define TABLES_KEPT 64

/*
 * Tables that go at once when the limit is reached: enough for a leaf (three), and so few that
 * other vCPUs' faults, which wait for mmu_lock, do not wait for long.
 */
#define RECLAIM_TABLES 16

static uint64_t tables_max(const struct ppc_vm *vm)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < vm->vm.nr_slots; i++)
		pages += vm->vm.slot[i]->npages;
	return TABLES_MIN + pages / 64;
}

uint64_t shadow_leaf_gfn(const entry_t *entries, unsigned i)
{
	return ((const struct shadow_table *)(const void *)entries)->gfn[i];
}

uint64_t shadow_table_bytes(void)
{
	return sizeof(struct shadow_table);
}

int shadow_create(struct nested_guest *g)
{
	/* Zeros that take no memory: of 64 KiB, a guest uses a page. It is aligned to its size. */
	const size_t size = 2 * ROOT_SIZE - KVM_PAGE_SIZE;
	uint8_t *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (map == MAP_FAILED)
		return -ENOMEM;
	before = -(uintptr_t)map & (ROOT_SIZE - 1);
	if (before)
		munmap(map, before);
	if (size - before > ROOT_SIZE)
		munmap(map + before + ROOT_SIZE, size - before - ROOT_SIZE);
	g->root = (entry_t *)(void *)(map + before);
	return 0;
}

uint64_t shadow_patb0(const struct nested_guest *g)
{
	return PATB_HR | PATB_RTS_52 | (uintptr_t)g->root | ROOT_BITS;
}

/* --- taking away --- */

void shadow_flush(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g)
{
	struct nested_vm *n = vm->nested;
	struct shadow_table *t;

	if (!g->stale)
		return;
	p9_invalidate(vm->vm.system, self, g->lpid, UINT64_MAX, true, 0, 0);
	g->stale = false;
	while ((t = g->pending)) {
		g->pending = t->next;
		if (n->nr_free == TABLES_KEPT) {
			free(t);
			n->nr_tables--;
			continue;
		}
		t->next = n->free;
		n->free = t;
		n->nr_free++;
	}
}

/* The reverse-map head of a frame; NULL: no slot. */
static uint64_t *rmap_head(struct ppc_vm *vm, uint64_t gfn)
{
	struct kvm_memslot *slot = kvm_find_slot(&vm->vm, GPA(gfn << KVM_PAGE_SHIFT));

	return slot && slot->rmap ? &slot->rmap[gfn - slot->base_gfn] : NULL;
}

void shadow_zap_leaf(struct ppc_vm *vm, struct nested_guest *g, struct shadow_table *t, unsigned i,
		     unsigned shift, uint64_t gpa, uint64_t *head)
{
	entry_store(&t->entry[i], 0);
	if (!head)
		head = rmap_head(vm, t->gfn[i]);
	if (head)
		rmap_remove(head, rmap_entry(gpa, shift, g->l1_lpid));
	g->stale = true;
}

void shadow_zap_table(struct ppc_vm *vm, struct nested_guest *g, struct shadow_table *t,
		      unsigned shift, uint64_t base)
{
	for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
		uint64_t v = entry_load(&t->entry[i]);
		uint64_t gpa = base + ((uint64_t)i << shift);

		if (!v)
			continue;
		if (is_leaf(v))
			shadow_zap_leaf(vm, g, t, i, shift, gpa, NULL);
		else
			shadow_zap_table(vm, g, shadow_of(v), shift - TABLE_BITS, gpa);
	}
	t->next = g->pending;
	g->pending = t;
	g->nr_tables--;
	g->stale = true;
}

static bool has_tables(struct shadow_table *t)
{
	for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
		uint64_t v = entry_load(&t->entry[i]);

		if (v && !is_leaf(v))
			return true;
	}
	return false;
}

/* Of L2 addresses [start, end), those from `at` on; so many tables more. */
struct zap {
	uint64_t start, end, at;
	unsigned want;
};

/*
 * Under the n entries of 1 << shift that start at L2 address `base`, and are t's but at the root.
 * Tables go from the bottom up, so each of them takes bounded time. False: there is more, from
 * z->at on.
 */
static bool zap_under(struct ppc_vm *vm, struct nested_guest *g, struct zap *z,
		      struct shadow_table *t, entry_t *entry, unsigned n, unsigned shift,
		      uint64_t base)
{
	uint64_t size = BIT64(shift);
	unsigned i = z->at > base ? (unsigned)((z->at - base) >> shift) : 0;

	for (; i < n; i++) {
		uint64_t v = entry_load(&entry[i]), gpa = base + i * size;
		unsigned below = shift - TABLE_BITS;
		struct shadow_table *sub;
		bool whole;

		if (gpa >= z->end)
			break;
		if (!v)
			continue;
		if (is_leaf(v)) {
			shadow_zap_leaf(vm, g, t, i, shift, gpa, NULL);
			continue;
		}
		if (!z->want) {
			z->at = gpa;
			return false;
		}
		sub = shadow_of(v);
		whole = gpa >= z->start && z->end - gpa >= size;
		if ((below > RADIX_SHIFT_4K || !whole) &&
		    !zap_under(vm, g, z, sub, sub->entry, TABLE_ENTRIES, below, gpa))
			return false;
		/* Tables may have come where a step before this was. */
		if (!whole || (below > RADIX_SHIFT_4K && has_tables(sub)))
			continue;
		entry_store(&entry[i], 0);
		shadow_zap_table(vm, g, sub, below, gpa);
		if (z->want)
			z->want--;
	}
	return true;
}

/* Most of the root was never used: a guest's memory begins at 0. */
static bool zap(struct ppc_vm *vm, struct nested_guest *g, struct zap *z)
{
	return z->at >= g->top || zap_under(vm, g, z, NULL, g->root,
					    (unsigned)(g->top >> ROOT_SHIFT), ROOT_SHIFT, 0);
}

bool shadow_zap_step(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g, uint64_t start,
		     uint64_t end, uint64_t *at)
{
	struct zap z = {.start = start, .end = end, .at = *at, .want = SHADOW_STEP};
	bool done = zap(vm, g, &z);

	shadow_flush(vm, self, g);
	*at = z.at;
	return !done;
}

void shadow_zap(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g, uint64_t start,
		uint64_t end)
{
	struct zap z = {.start = start, .end = end, .at = start, .want = UINT_MAX};

	zap(vm, g, &z);
	shadow_flush(vm, self, g);
}

void shadow_destroy(struct ppc_vm *vm, struct nested_guest *g)
{
	shadow_zap(vm, NULL, g, 0, UINT64_MAX);
	munmap((void *)g->root, ROOT_SIZE);
	g->root = NULL;
}

void shadow_fini(struct nested_vm *n)
{
	struct shadow_table *t;

	while ((t = n->free)) {
		n->free = t->next;
		free(t);
	}
}

/* --- the limit --- */

struct shadow_table *shadow_table_alloc(struct ppc_vm *vm, struct nested_guest *g, bool *limit)
{
	struct nested_vm *n = vm->nested;
	struct shadow_table *t = n->free;

	if (t) {
		n->free = t->next;
		n->nr_free--;
	} else {
		*limit = n->nr_tables >= tables_max(vm);
		t = *limit ? NULL : aligned_alloc(TABLE_SIZE, sizeof(*t));
		if (!t)
			return NULL;
		n->nr_tables++;
	}
	memset((void *)t, 0, sizeof(*t));
	g->nr_tables++;
	return t;
}

/*
 * Take away tables under an array of n entries of 1 << shift that starts at `base`, from
 * g->reclaim on: those with nothing but leaves, and so, from the bottom up, all. Each table that is
 * looked at goes, or one below it does, so no more are looked at than `want` and those above. True:
 * there were as many, and g->reclaim is where to go on.
 */
static bool reclaim_under(struct ppc_vm *vm, struct nested_guest *g, entry_t *entry, unsigned n,
			  unsigned shift, uint64_t base, unsigned *want)
{
	unsigned i = g->reclaim > base ? (unsigned)((g->reclaim - base) >> shift) : 0;

	for (; i < n; i++) {
		uint64_t v = entry_load(&entry[i]), gpa = base + ((uint64_t)i << shift);
		unsigned below = shift - TABLE_BITS;
		struct shadow_table *t;

		if (!v || is_leaf(v))
			continue;
		t = shadow_of(v);
		if (below > RADIX_SHIFT_4K &&
		    reclaim_under(vm, g, t->entry, TABLE_ENTRIES, below, gpa, want))
			return true;
		if (below > RADIX_SHIFT_4K && has_tables(t))
			continue; /* before where it began */
		entry_store(&entry[i], 0);
		shadow_zap_table(vm, g, t, below, gpa);
		if (!--*want) {
			g->reclaim = gpa + BIT64(shift);
			return true;
		}
	}
	return false;
}

static void reclaim_guest(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g,
			  unsigned *want)
{
	/* To the end, and once more from the beginning. */
	for (unsigned round = 0; round < 2 && g->nr_tables; round++) {
		if (reclaim_under(vm, g, g->root, (unsigned)(g->top >> ROOT_SHIFT), ROOT_SHIFT, 0,
				  want))
			break;
		g->reclaim = 0;
	}
	shadow_flush(vm, self, g);
}

void shadow_reclaim(struct ppc_vm *vm, struct cpu *self, struct nested_guest *g)
{
	unsigned want = RECLAIM_TABLES;

	reclaim_guest(vm, self, g, &want);
	for (struct nested_guest *o = vm->nested->all; o && want; o = o->next)
		reclaim_guest(vm, self, o, &want);
}
