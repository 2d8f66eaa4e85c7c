/*
 * Memory slots: guest physical ranges backed by the caller's memory (KVM_SET_USER_MEMORY_REGION),
 * access to guest memory by the hypervisor, and the dirty log.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm/internal.h"
#include "util/bits.h"

int kvm_slots_init(struct kvm_vm *vm)
{
	int ret = kvm_lock_init(&vm->slots_change, KVM_RANK_SLOTS_CHANGE);

	if (ret)
		return ret;
	ret = kvm_rwlock_init(&vm->slots_lock, KVM_RANK_SLOTS);
	if (ret)
		kvm_lock_destroy(&vm->slots_change);
	return ret;
}

static void slot_free(struct kvm_memslot *slot)
{
	if (slot) {
		free((void *)slot->dirty);
		free(slot->rmap);
	}
	free(slot);
}

void kvm_slots_fini(struct kvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->nr_slots; i++)
		slot_free(vm->slot[i]);
	vm->nr_slots = 0;
	kvm_rwlock_destroy(&vm->slots_lock);
	kvm_lock_destroy(&vm->slots_change);
}

/* Index of the first slot that ends above gfn; nr_slots when none does. */
static uint32_t slot_index_above(struct kvm_vm *vm, uint64_t gfn)
{
	uint32_t lo = 0, hi = vm->nr_slots;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct kvm_memslot *s = vm->slot[mid];

		if (s->base_gfn + s->npages > gfn)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

struct kvm_memslot *kvm_find_slot(struct kvm_vm *vm, gpa_t gpa)
{
	uint64_t gfn = gpa.v >> KVM_PAGE_SHIFT;
	uint32_t i = slot_index_above(vm, gfn);

	if (i == vm->nr_slots || vm->slot[i]->base_gfn > gfn)
		return NULL;
	return vm->slot[i];
}

static void mark_dirty(struct kvm_memslot *slot, gpa_t gpa, uint64_t len)
{
	uint64_t first, last;

	if (!slot->dirty || !len)
		return;
	first = (gpa.v - kvm_slot_start(slot)) >> KVM_PAGE_SHIFT;
	last = (gpa.v + len - 1 - kvm_slot_start(slot)) >> KVM_PAGE_SHIFT;
	for (uint64_t page = first; page <= last; page++)
		atomic_fetch_or(&slot->dirty[page / 64], BIT64(page % 64));
}

void *kvm_guest_ptr(struct kvm_vm *vm, gpa_t gpa, uint64_t len, bool write)
{
	struct kvm_memslot *slot = kvm_find_slot(vm, gpa);

	if (!slot || len > kvm_slot_start(slot) + kvm_slot_size(slot) - gpa.v)
		return NULL;
	if (write) {
		if (slot->flags & KVM_MEM_READONLY)
			return NULL;
		mark_dirty(slot, gpa, len);
	}
	return hva_ptr(kvm_slot_hva(slot, gpa));
}

static int copy_guest(struct kvm_vm *vm, gpa_t gpa, void *to, const void *from, uint64_t len)
{
	int ret = 0;

	kvm_read_lock(&vm->slots_lock);
	while (len) {
		uint64_t n = KVM_PAGE_SIZE - (gpa.v & (KVM_PAGE_SIZE - 1));
		void *p;

		if (n > len)
			n = len;
		p = kvm_guest_ptr(vm, gpa, n, from != NULL);
		if (!p) {
			ret = -EFAULT;
			break;
		}
		if (from) {
			cpu_outside_store_begin(vm->system, HVA(p));
			memcpy(p, from, n);
			cpu_outside_store_end(vm->system, HVA(p), (unsigned)n);
			/* Once more: the log may have been read between the two. */
			kvm_guest_ptr(vm, gpa, n, true);
			from = (const char *)from + n;
		} else {
			memcpy(to, p, n);
			to = (char *)to + n;
		}
		gpa.v += n;
		len -= n;
	}
	kvm_rw_unlock(&vm->slots_lock);
	return ret;
}

int kvm_read_guest(struct kvm_vm *vm, gpa_t gpa, void *buf, uint64_t len)
{
	return copy_guest(vm, gpa, buf, NULL, len);
}

int kvm_write_guest(struct kvm_vm *vm, gpa_t gpa, const void *buf, uint64_t len)
{
	return copy_guest(vm, gpa, NULL, buf, len);
}

/* --- KVM_SET_USER_MEMORY_REGION --- */

static uint32_t slot_index_by_id(struct kvm_vm *vm, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < vm->nr_slots; i++) {
		if (vm->slot[i]->id == id)
			break;
	}
	return i;
}

/* Every page of the range must be mapped: a hole would be a signal in a vCPU's thread. */
static bool host_range_mapped(uint64_t addr, uint64_t size)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t end = align_up(addr + size, page);
	unsigned char vec[4096];

	for (addr = align_down(addr, page); addr < end;) {
		uint64_t n = end - addr;

		if (n > sizeof(vec) * page)
			n = sizeof(vec) * page;
		if (mincore((void *)(uintptr_t)addr, n, vec))
			return false;
		addr += n;
	}
	return true;
}

static bool slot_overlaps(struct kvm_vm *vm, uint64_t base_gfn, uint64_t npages, uint32_t id)
{
	for (uint32_t i = slot_index_above(vm, base_gfn); i < vm->nr_slots; i++) {
		const struct kvm_memslot *s = vm->slot[i];

		if (s->base_gfn >= base_gfn + npages)
			break;
		if (s->id != id)
			return true;
	}
	return false;
}

static uint64_t dirty_words(uint64_t npages)
{
	return (npages + 63) / 64;
}

/* slots_lock held for writing. */
static void slot_remove(struct kvm_vm *vm, uint32_t index)
{
	memmove(&vm->slot[index], &vm->slot[index + 1],
		(vm->nr_slots - index - 1) * sizeof(vm->slot[0]));
	vm->nr_slots--;
}

/* slots_lock held for writing; the slot overlaps no other, and there is room. */
static void slot_insert(struct kvm_vm *vm, struct kvm_memslot *slot)
{
	uint32_t index = slot_index_above(vm, slot->base_gfn);

	memmove(&vm->slot[index + 1], &vm->slot[index],
		(vm->nr_slots - index) * sizeof(vm->slot[0]));
	vm->slot[index] = slot;
	vm->nr_slots++;
}

/* What is wrong with the request by itself. */
static int check_region(struct kvm_vm *vm, const struct kvm_userspace_memory_region *r)
{
	if (r->flags & ~(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY))
		return -EINVAL;
	/* The high half is an address space; there is one. */
	if (r->slot >= KVM_USER_MEM_SLOTS)
		return -EINVAL;
	if ((r->memory_size | r->guest_phys_addr | r->userspace_addr) & (KVM_PAGE_SIZE - 1))
		return -EINVAL;
	if (r->guest_phys_addr + r->memory_size < r->guest_phys_addr ||
	    r->userspace_addr + r->memory_size < r->userspace_addr)
		return -EINVAL;
	if (r->memory_size >> KVM_PAGE_SHIFT > KVM_MAX_SLOT_PAGES)
		return -EINVAL;
	if (r->guest_phys_addr + r->memory_size > vm->arch->max_gpa)
		return -EINVAL;
	return 0;
}

static int set_region(struct kvm_vm *vm, const struct kvm_userspace_memory_region *r)
{
	uint32_t index = slot_index_by_id(vm, r->slot);
	struct kvm_memslot *old = index < vm->nr_slots ? vm->slot[index] : NULL;
	struct kvm_memslot *new = NULL;
	uint64_t npages = r->memory_size >> KVM_PAGE_SHIFT;
	bool same_memory;

	if (!npages) {
		if (!old)
			return -EINVAL;
	} else {
		if (old) {
			if (old->hva.v != r->userspace_addr || old->npages != npages ||
			    (old->flags ^ r->flags) & KVM_MEM_READONLY)
				return -EINVAL;
			if (kvm_slot_start(old) == r->guest_phys_addr && old->flags == r->flags)
				return 0;
		}
		if (slot_overlaps(vm, r->guest_phys_addr >> KVM_PAGE_SHIFT, npages, r->slot))
			return -EEXIST;
		if (!host_range_mapped(r->userspace_addr, r->memory_size))
			return -EINVAL;
		new = calloc(1, sizeof(*new));
		if (!new)
			return -ENOMEM;
		*new = (struct kvm_memslot){
			.id = r->slot,
			.flags = r->flags,
			.base_gfn = r->guest_phys_addr >> KVM_PAGE_SHIFT,
			.npages = npages,
			.hva = {r->userspace_addr},
		};
		if (r->flags & KVM_MEM_LOG_DIRTY_PAGES) {
			new->dirty = calloc(dirty_words(npages), sizeof(*new->dirty));
			if (!new->dirty) {
				slot_free(new);
				return -ENOMEM;
			}
		}
	}

	/* Nothing fails from here on. */
	same_memory = old && new && old->base_gfn == new->base_gfn;
	kvm_write_lock(&vm->slots_lock);
	if (old)
		slot_remove(vm, index);
	if (new)
		slot_insert(vm, new);
	/*
	 * What was mapped goes: on removal because it must, when logging starts because large pages
	 * and pages already marked changed would hide writes, when it ends so that large pages
	 * come back.
	 */
	if (old)
		vm->arch->unmap(vm, old, kvm_slot_start(old), kvm_slot_size(old));
	if (same_memory && old->dirty && new->dirty)
		memcpy((void *)new->dirty, (const void *)old->dirty,
		       dirty_words(npages) * sizeof(*new->dirty));
	kvm_rw_unlock(&vm->slots_lock);
	slot_free(old);
	return 0;
}

int kvm_set_memory_region(struct kvm_vm *vm, const struct kvm_userspace_memory_region *region)
{
	int ret = check_region(vm, region);

	if (ret)
		return ret;
	kvm_lock(&vm->slots_change);
	ret = set_region(vm, region);
	kvm_unlock(&vm->slots_change);
	return ret;
}

/* --- the dirty log --- */

int kvm_get_dirty_log(struct kvm_vm *vm, const struct kvm_dirty_log *log)
{
	struct kvm_memslot *slot;
	uint64_t *bitmap = NULL;
	uint64_t words = 0;
	uint32_t index;
	int ret = 0;

	if (log->slot >= KVM_USER_MEM_SLOTS)
		return -EINVAL;
	kvm_lock(&vm->slots_change);
	index = slot_index_by_id(vm, log->slot);
	slot = index < vm->nr_slots ? vm->slot[index] : NULL;
	if (!slot || !slot->dirty) {
		ret = -ENOENT;
		goto out;
	}
	words = dirty_words(slot->npages);
	bitmap = calloc(words, sizeof(*bitmap));
	if (!bitmap) {
		ret = -ENOMEM;
		goto out;
	}
	kvm_read_lock(&vm->slots_lock);
	vm->arch->harvest_dirty(vm, slot, bitmap);
	for (uint64_t i = 0; i < words; i++)
		bitmap[i] |= atomic_exchange(&slot->dirty[i], 0);
	kvm_rw_unlock(&vm->slots_lock);
	ret = kvm_copy_out(kvm_user_ptr(log->dirty_bitmap), bitmap, words * sizeof(*bitmap));
out:
	kvm_unlock(&vm->slots_change);
	free(bitmap);
	return ret;
}
