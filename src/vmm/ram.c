/*
 * Guest memory: reserved, not committed, and aligned so that the hypervisor can map it with its
 * largest pages (a page of the guest's address space needs a host address of equal alignment)
 * and the host's kernel can back it with huge ones.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "util/bits.h"
#include "vmm/vm.h"

int ram_create(struct ram *ram, uint64_t size, struct error *e)
{
	uint64_t align = size >= BIT64(30) ? BIT64(30) : BIT64(21);

	*ram = (struct ram){0};
	if (size > UINT64_C(1) << 46)
		return error_set(e, -E2BIG,
				 "%" PRIu64 " MiB are more memory than this host can "
				 "address; give the guest less with --memory.",
				 size >> 20);
	ram->map_size = size + align;
	ram->map = mmap(NULL, ram->map_size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ram->map == MAP_FAILED) {
		ram->map = NULL;
		return error_set(e, -ENOMEM,
				 "the host has no %" PRIu64 " MiB of address space for the guest's "
				 "memory (%s); give the guest less with --memory.",
				 size >> 20, strerror(errno));
	}
	ram->base = (uint8_t *)(uintptr_t)align_up((uintptr_t)ram->map, align);
	ram->size = size;
	/* Advice only: a host without transparent huge pages runs the guest as well. */
	madvise(ram->base, size, MADV_HUGEPAGE);
	madvise(ram->base, size, MADV_DONTFORK);
	return 0;
}

void ram_destroy(struct ram *ram)
{
	if (ram->map)
		munmap(ram->map, ram->map_size);
	*ram = (struct ram){0};
}
