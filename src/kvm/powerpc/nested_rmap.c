/*
 * Reverse maps: from a frame of L1 to the leaves of shadow trees that map it. The head is one word
 * in the memory slot:
 *	0		none
 *	odd		the only entry, itself
 *	even		a pointer to a list of two or more, the oldest first
 * An entry holds all that finds its leaf: bits 19:58 the L2 page number, 17:18 the size (0: 4
 * KiB, 1: 2 MiB, 2: 1 GiB), 1:16 L1's LPID, bit 0 set. A large leaf is entered at its first frame.
 *
 * A leaf has exactly one entry, from when it is linked to when it is taken away, so that adding
 * searches nothing, and removing looks only among the entries of one frame, RMAP_MAX at most.
 *
 * Lists shrink as they grew: of one longer than the shortest, a third at least is in use always,
 * so what they take is bounded by the leaves that there are, not by those that ever were.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/radix_tree.h"

#define RMAP_SINGLE     UINT64_C(1)
#define RMAP_LPID_SHIFT 1
#define RMAP_SIZE_SHIFT 17
#define RMAP_GFN_SHIFT  19

#define ROOM_MIN 4

struct rmap_list {
	uint32_t n, room;
	uint64_t entry[];
};

uint64_t rmap_entry(uint64_t gpa, unsigned shift, uint32_t l1_lpid)
{
	uint64_t size = (shift - RADIX_SHIFT_4K) / TABLE_BITS;

	return gpa >> KVM_PAGE_SHIFT << RMAP_GFN_SHIFT | size << RMAP_SIZE_SHIFT |
	       (uint64_t)l1_lpid << RMAP_LPID_SHIFT | RMAP_SINGLE;
}

uint64_t rmap_gpa(uint64_t entry)
{
	return entry >> RMAP_GFN_SHIFT << KVM_PAGE_SHIFT;
}

unsigned rmap_shift(uint64_t entry)
{
	return RADIX_SHIFT_4K + TABLE_BITS * (unsigned)(entry >> RMAP_SIZE_SHIFT & 3);
}

uint32_t rmap_lpid(uint64_t entry)
{
	return (uint32_t)(entry >> RMAP_LPID_SHIFT) & (NESTED_LPIDS - 1);
}

static struct rmap_list *list_of(uint64_t head)
{
	return (struct rmap_list *)(uintptr_t)head;
}

uint32_t rmap_count(uint64_t head)
{
	if (!head)
		return 0;
	return head & RMAP_SINGLE ? 1 : list_of(head)->n;
}

uint64_t rmap_at(uint64_t head, uint32_t i)
{
	return head & RMAP_SINGLE ? head : list_of(head)->entry[i];
}

/* NULL: no memory, and the list (NULL: a new one) is as it was. */
static struct rmap_list *resize(struct rmap_list *l, uint32_t room)
{
	l = realloc(l, sizeof(*l) + room * sizeof(l->entry[0]));
	if (l)
		l->room = room;
	return l;
}

int rmap_add(uint64_t *head, uint64_t entry)
{
	struct rmap_list *l;

	if (!*head) {
		*head = entry;
		return 0;
	}
	l = *head & RMAP_SINGLE ? NULL : list_of(*head);
	if (!l || l->n == l->room) {
		struct rmap_list *new = resize(l, l ? 2 * l->room : ROOM_MIN);

		if (!new)
			return -ENOMEM;
		if (!l) {
			new->n = 1;
			new->entry[0] = *head;
		}
		l = new;
		*head = (uintptr_t)l;
	}
	l->entry[l->n++] = entry;
	return 0;
}

void rmap_remove(uint64_t *head, uint64_t entry)
{
	struct rmap_list *l;
	uint32_t i;

	if (*head & RMAP_SINGLE) {
		if (*head == entry)
			*head = 0;
		return;
	}
	if (!*head)
		return;
	l = list_of(*head);
	/* From the end: what was mapped last goes first when a guest goes. */
	i = l->n;
	while (i && l->entry[i - 1] != entry)
		i--;
	if (!i)
		return;
	memmove(&l->entry[i - 1], &l->entry[i], (l->n - i) * sizeof(l->entry[0]));
	l->n--;
	if (l->n == 1) {
		*head = l->entry[0];
		free(l);
	} else if (l->room > ROOM_MIN && l->n <= l->room / 3) {
		struct rmap_list *small = resize(l, l->room / 2);

		/* A list that stays too long is none that is wrong. */
		if (small)
			*head = (uintptr_t)small;
	}
}
