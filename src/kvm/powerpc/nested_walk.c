/*
 * Walking the radix trees of L1 and L2, which lie in L1's memory (Power ISA 3.0B, Book III, "Radix
 * Tree Translation"). The processor's walker does the same in silicon's place; but it walks trees
 * that lead to host addresses, and L1's lead to L1's.
 *
 * All that is read here was written by a guest: each table address is looked up in the memory
 * slots, and each level takes five bits of the address at least, so the walk ends.
 */
#include <endian.h>
#include <stdatomic.h>

#include "kvm/powerpc/nested.h"
#include "kvm/powerpc/radix_tree.h"

#define RTE_RPDB   UINT64_C(0x0fffffffffffff00)
#define RTE_RPDS   UINT64_C(0x1f)
#define PDE_NLB    UINT64_C(0x01ffffffffffff00)
#define PTE_ATT    UINT64_C(0x30)
#define PTE_ATT_NI UINT64_C(0x20) /* non-idempotent: guarded, nothing is fetched from there */
#define PRTB       UINT64_C(0x0ffffffffffff000)
#define PRTS       UINT64_C(0x1f)
#define TREE_MAX   52
#define AGAIN_MAX  16 /* R and C that somebody else keeps changing */

struct walk {
	struct ppc_vm *vm;
	const struct nested_guest *g;
	bool process; /* the tree lies at L2 real addresses; otherwise at L1's */
	uint64_t pte;
	uint64_t where; /* address of the entry */
	unsigned shift;
	uint32_t fault;
	uint64_t fault_addr;
};

static bool translate_real(struct ppc_vm *vm, const struct nested_guest *g, uint64_t gpa,
			   enum nested_need need, struct nested_translation *t);

/* Host pointer of an entry; NULL: fault recorded. */
static _Atomic uint64_t *entry_ptr(struct walk *w, uint64_t addr, bool write)
{
	struct nested_translation t;
	void *p;

	if (w->process) {
		if (!translate_real(w->vm, w->g, addr, write ? NEED_READ | NEED_WRITE : NEED_READ,
				    &t)) {
			w->fault = t.fault | P9_DSISR_PRTABLE_FAULT;
			w->fault_addr = t.fault_addr;
			return NULL;
		}
		addr = t.gpa;
	}
	p = kvm_guest_ptr(&w->vm->vm, GPA(addr), sizeof(uint64_t), write);
	if (!p) {
		w->fault = P9_DSISR_PRTABLE_FAULT;
		w->fault_addr = addr;
	}
	return p;
}

/* From the root (doubleword 0 of a process- or partition-table entry) to the leaf of addr. */
static bool walk(struct walk *w, uint64_t root, uint64_t addr)
{
	unsigned bits = ((root >> 58 & 0x18) | (root >> 5 & 7)) + 31;
	uint64_t base = root & RTE_RPDB;
	unsigned nls = root & RTE_RPDS;

	if (bits > TREE_MAX) {
		w->fault = P9_DSISR_UNSUPP_MMU;
		return false;
	}
	if (addr >> bits) {
		w->fault = P9_DSISR_NOHPTE;
		return false;
	}
	for (;;) {
		_Atomic uint64_t *p;

		if (nls < 5 || nls > 16 || bits < nls + RADIX_SHIFT_4K) {
			w->fault = P9_DSISR_UNSUPP_MMU;
			return false;
		}
		bits -= nls;
		w->where = (base & ~((UINT64_C(8) << nls) - 1)) +
			   (addr >> bits & (BIT64(nls) - 1)) * 8;
		p = entry_ptr(w, w->where, false);
		if (!p)
			return false;
		w->pte = be64toh(atomic_load_explicit(p, memory_order_relaxed));
		if (!(w->pte & RADIX_VALID)) {
			w->fault = P9_DSISR_NOHPTE;
			return false;
		}
		if (w->pte & RADIX_LEAF)
			break;
		nls = w->pte & RTE_RPDS;
		base = w->pte & PDE_NLB;
	}
	w->shift = bits;
	if (bits != 12 && bits != 16 && bits != 21 && bits != 30) {
		w->fault = P9_DSISR_UNSUPP_MMU;
		return false;
	}
	return true;
}

/* Set R, and C for a store. False with w->fault 0: the entry changed, walk again. */
static bool update_rc(struct walk *w, bool store)
{
	uint64_t want = w->pte | RADIX_R | (store ? RADIX_C : 0), old;
	_Atomic uint64_t *p;

	if (want == w->pte)
		return true;
	w->fault = 0;
	p = entry_ptr(w, w->where, true);
	if (!p) {
		/* Read-only memory: the processor, too, says that it could not. */
		w->fault = P9_DSISR_SET_RC;
		return false;
	}
	old = htobe64(w->pte);
	if (!atomic_compare_exchange_strong(p, &old, htobe64(want)))
		return false;
	/* The dirty log may have been read since; there is one more thing to report. */
	entry_ptr(w, w->where, true);
	w->fault = 0;
	w->pte = want;
	return true;
}

static unsigned prot_of(uint64_t pte)
{
	unsigned prot = 0;

	if (pte & RADIX_READ)
		prot |= NEED_READ;
	if (pte & RADIX_WRITE)
		prot |= NEED_READ | NEED_WRITE;
	if ((pte & RADIX_EXEC) && (pte & PTE_ATT) != PTE_ATT_NI)
		prot |= NEED_EXEC;
	return prot;
}

static uint32_t denied(unsigned need)
{
	return need & NEED_EXEC ? P9_DSISR_NOEXEC : P9_DSISR_PROTFAULT;
}

/* The walk found a leaf: fill in the rest. */
static void finish(const struct walk *w, uint64_t addr, struct nested_translation *t)
{
	uint64_t mask = BIT64(w->shift) - 1;

	t->gpa = (w->pte & RADIX_RPN & ~mask) | (addr & mask);
	t->shift = w->shift;
	t->prot = prot_of(w->pte);
	if (!(w->pte & RADIX_C))
		t->prot &= ~(unsigned)NEED_WRITE;
}

static bool translate_real(struct ppc_vm *vm, const struct nested_guest *g, uint64_t gpa,
			   enum nested_need need, struct nested_translation *t)
{
	struct walk w = {.vm = vm, .g = g};

	*t = (struct nested_translation){0};
	/* An entry that is not there at all translates nothing; one of a hash guest is not ours. */
	if (!(g->patb0 & PATB_HR)) {
		t->fault = g->patb0 ? P9_DSISR_UNSUPP_MMU : P9_DSISR_NOHPTE;
		return false;
	}
	for (unsigned i = 0; i < AGAIN_MAX; i++) {
		if (!walk(&w, g->patb0, gpa))
			break;
		if (need & ~prot_of(w.pte)) {
			w.fault = denied(need);
			break;
		}
		if (update_rc(&w, need & NEED_WRITE)) {
			finish(&w, gpa, t);
			return true;
		}
		if (w.fault)
			break;
	}
	/* Still changing: what the architecture has for R and C that cannot be set. */
	t->fault = w.fault ? w.fault : P9_DSISR_SET_RC;
	t->fault_addr = w.fault_addr;
	return false;
}

bool nested_translate(struct ppc_vm *vm, const struct nested_guest *g, uint64_t gpa,
		      enum nested_need need, struct nested_translation *t)
{
	if (translate_real(vm, g, gpa, need, t))
		return true;
	if (need & NEED_WRITE)
		t->fault |= P9_DSISR_ISSTORE;
	return false;
}

bool nested_translate_ea(struct ppc_vm *vm, const struct nested_guest *g, uint32_t pid, uint64_t ea,
			 enum nested_need need, struct nested_translation *t)
{
	struct walk w = {.vm = vm, .g = g, .process = true};
	uint64_t size = BIT64((g->patb1 & PRTS) + 12);
	struct nested_translation process;
	_Atomic uint64_t *p;
	uint64_t root;

	*t = (struct nested_translation){0};
	if ((g->patb1 & PRTS) > 24 || (uint64_t)pid * 16 >= size)
		return false;
	p = entry_ptr(&w, (g->patb1 & PRTB) + (uint64_t)pid * 16, false);
	if (!p)
		return false;
	root = be64toh(atomic_load_explicit(p, memory_order_relaxed));
	for (unsigned i = 0; i < AGAIN_MAX; i++) {
		if (!walk(&w, root, ea) || (need & ~prot_of(w.pte)))
			return false;
		finish(&w, ea, &process);
		/* R and C in L2's entry only for an access that is going to happen. */
		if (!translate_real(vm, g, process.gpa, need, t))
			return false;
		if (!update_rc(&w, need & NEED_WRITE)) {
			if (w.fault)
				return false;
			continue;
		}
		if (process.shift < t->shift)
			t->shift = process.shift;
		return true;
	}
	return false;
}
