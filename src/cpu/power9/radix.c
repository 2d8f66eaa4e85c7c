/*
 * The radix page-table walker: Power ISA 3.0B Book III 5.7.10 to 5.7.12.
 */
#include <stdatomic.h>

#include "cpu/power9/mmu.h"
#include "mem/endian.h"
#include "util/bits.h"

enum { ACCESS_PROT_READ = PROT_R, ACCESS_PROT_WRITE = PROT_W, ACCESS_PROT_FETCH = PROT_X };

static unsigned needed_prot(enum mem_access kind)
{
	switch (kind) {
	case MEM_READ:
		return ACCESS_PROT_READ;
	case MEM_WRITE:
		return ACCESS_PROT_WRITE;
	default:
		return ACCESS_PROT_FETCH;
	}
}

static unsigned eaa_prot(uint64_t pte)
{
	unsigned prot = 0;

	if (pte & RPTE_EAA_READ)
		prot |= PROT_R;
	if (pte & RPTE_EAA_RW)
		prot |= PROT_R | PROT_W;
	if (pte & RPTE_EAA_EXEC)
		prot |= PROT_X;
	/* Nothing is fetched from guarded storage. */
	if ((pte & RPTE_ATT_MASK) == RPTE_ATT_NI)
		prot &= ~PROT_X;
	return prot;
}

/* Where a tree's entries are found: in host memory, or in guest real memory. */
struct tree {
	struct p9_cpu *p;
	bool guest;          /* entries lie at guest real addresses */
	bool debug;
	enum mem_access kind; /* of the access that is being translated */
	struct radix_fault *fault;
	struct radix_trace *trace; /* NULL: nobody wants to know */
};

struct leaf {
	uint64_t pte;
	_Atomic uint64_t *where; /* in host memory, big-endian */
	uint64_t address;        /* as the tree knows it */
	unsigned shift;
};

static bool partition_translate(struct p9_cpu *p, uint64_t gra, enum mem_access kind, bool debug,
				struct radix_result *res, struct radix_fault *fault);

/* Host pointer of a table entry of the guest's; a failure is a hypervisor storage interrupt. */
static void *table_ptr(struct tree *t, uint64_t gra, enum mem_access kind)
{
	void *host = tlb_lookup(p9_mmu_real_tlb(t->p), gra, 8, kind);
	struct radix_result res;

	if (host)
		return host;
	if (!partition_translate(t->p, gra, kind, t->debug, &res, t->fault)) {
		t->fault->bits |= P9_DSISR_PRTABLE_FAULT;
		return NULL;
	}
	/* An entry that is worth a walk is worth keeping. */
	if (!t->debug) {
		struct tlb_entry *e = tlb_slot(p9_mmu_real_tlb(t->p), gra);
		uint64_t block = gra & ~TLB_BLOCK_MASK;

		if (kind == MEM_READ) {
			e->tag[MEM_READ] = block;
			e->tag[MEM_WRITE] = TLB_TAG_INVALID;
			e->tag[MEM_FETCH] = TLB_TAG_INVALID;
			e->addend = res.host - gra;
			p9_mmu_real_filled(t->p, gra);
		}
	}
	return hva_ptr(HVA(res.host));
}

static void trace_entry(struct tree *t, const _Atomic uint64_t *where, uint64_t entry)
{
	unsigned n;

	if (!t->trace)
		return;
	n = t->trace->count++;
	if (n < RADIX_TRACE) {
		t->trace->entry[n].where = where;
		t->trace->entry[n].value = entry;
	}
}

static bool load_entry(struct tree *t, uint64_t addr, uint64_t *entry, _Atomic uint64_t **where)
{
	_Atomic uint64_t *p;

	/* Entries are naturally aligned: table bases are multiples of their size, or of 256 at least. */
	p = t->guest ? table_ptr(t, addr, MEM_READ) : hva_ptr(HVA(addr));
	if (!p)
		return false;
	/* What the entry leads to was written before it. */
	*entry = be64toh(atomic_load_explicit(p, memory_order_acquire));
	*where = p;
	trace_entry(t, p, *entry);
	return true;
}

/*
 * Walk from a root (dw0 of a process- or partition-table entry) to the leaf for addr, of which
 * the tree translates `size` bits.
 */
static bool walk(struct tree *t, uint64_t root, uint64_t addr, struct leaf *leaf)
{
	unsigned rts = ((root >> 58) & 0x18) | ((root >> 5) & 7);
	unsigned bits = rts + 31;       /* size of the space translated by the tree, log2 */
	uint64_t base = root & RTE_RPDB_MASK;
	unsigned nls = root & RTE_RPDS_MASK;

	if (bits > 52) {
		t->fault->bits |= P9_DSISR_UNSUPP_MMU;
		return false;
	}
	if (addr >> bits) {
		t->fault->segment = true;
		return false;
	}
	for (;;) {
		uint64_t entry, index;

		if (nls < 5 || nls > 16 || bits < nls + 12) {
			t->fault->bits |= P9_DSISR_UNSUPP_MMU;
			return false;
		}
		bits -= nls;
		index = (addr >> bits) & ((UINT64_C(1) << nls) - 1);
		/* The base is aligned to the table's size: lower bits of the field are ignored. */
		leaf->address = (base & ~((UINT64_C(8) << nls) - 1)) + index * 8;
		if (!load_entry(t, leaf->address, &entry, &leaf->where))
			return false;
		if (!(entry & RPTE_VALID)) {
			t->fault->bits |= P9_DSISR_NOHPTE;
			return false;
		}
		if (entry & RPTE_LEAF) {
			leaf->pte = entry;
			leaf->shift = bits;
			/* POWER9 pages: 4K, 64K, 2M, 1G. */
			if (bits != 12 && bits != 16 && bits != 21 && bits != 30) {
				t->fault->bits |= P9_DSISR_UNSUPP_MMU;
				return false;
			}
			return true;
		}
		nls = entry & RPDE_NLS_MASK;
		base = entry & RPDE_NLB_MASK;
	}
}

/*
 * Set R, and C for a store, in the leaf as it was read. False with *again: it changed meanwhile,
 * walk again; false otherwise: fault recorded.
 */
static bool update_rc(struct tree *t, struct leaf *leaf, bool store, bool *again)
{
	uint64_t want = leaf->pte | RPTE_R | (store ? RPTE_C : 0), old;
	_Atomic uint64_t *where = leaf->where;
	bool set;

	*again = false;
	if (want == leaf->pte || t->debug)
		return true;
	if (t->guest) {
		/* The hardware's store to the guest's table obeys the partition-scoped permissions. */
		where = table_ptr(t, leaf->address, MEM_WRITE);
		if (!where) {
			t->fault->bits |= P9_DSISR_ISSTORE;
			return false;
		}
	}
	old = htobe64(leaf->pte);
	cpu_store_begin(&t->p->cpu, HVA(where));
	set = atomic_compare_exchange_strong(where, &old, htobe64(want));
	cpu_store_end(&t->p->cpu, HVA(where), sizeof(old), set);
	if (!set) {
		*again = true;
		return false;
	}
	leaf->pte = want;
	return true;
}

/*
 * Sixteen pages of 4 KiB that lie in a row, all with the same permissions, R and C, are as good as one of 64 KiB: a
 * hypervisor makes such where its own hypervisor maps it by pages of 64 KiB. Nothing takes one of them away without all
 * that translates through the tree, or without the memory that it leads to.
 */
static unsigned joined_shift(const struct leaf *leaf)
{
	enum { PAGES = 16 };
	const _Atomic uint64_t *first =
		(const _Atomic uint64_t *)((uintptr_t)leaf->where & ~(PAGES * sizeof(uint64_t) - 1));
	uint64_t pte;

	if (leaf->shift != 12)
		return leaf->shift;
	pte = be64toh(atomic_load_explicit(first, memory_order_relaxed));
	if (pte & RPTE_RPN_MASK & 0xffff)
		return 12;
	for (unsigned n = 1; n < PAGES; n++)
		if (be64toh(atomic_load_explicit(&first[n], memory_order_relaxed)) !=
		    pte + ((uint64_t)n << 12))
			return 12;
	return 16;
}

static bool partition_translate(struct p9_cpu *p, uint64_t gra, enum mem_access kind, bool debug,
				struct radix_result *res, struct radix_fault *fault)
{
	struct tree t = { .p = p, .guest = false, .debug = debug, .kind = kind, .fault = fault };
	struct leaf leaf;
	unsigned prot;
	bool again;

	fault->partition = true;
	fault->guest_real = gra;
	do {
		if (!walk(&t, p->regs.patb0, gra, &leaf)) {
			/* The tree covers all that a guest real address can be; outside is unmapped. */
			if (fault->segment) {
				fault->segment = false;
				fault->bits |= P9_DSISR_NOHPTE;
			}
			goto fault;
		}
		prot = eaa_prot(leaf.pte);
		if (!(prot & needed_prot(kind))) {
			fault->bits |= kind == MEM_FETCH ? P9_DSISR_NOEXEC : P9_DSISR_PROTFAULT;
			goto fault;
		}
		again = false;
	} while (!update_rc(&t, &leaf, kind == MEM_WRITE, &again) && again);
	if (!(leaf.pte & RPTE_C))
		prot &= ~PROT_W;
	res->host = (leaf.pte & RPTE_RPN_MASK & ~((UINT64_C(1) << leaf.shift) - 1)) |
		    (gra & ((UINT64_C(1) << leaf.shift) - 1));
	res->guest_real = gra;
	res->shift = joined_shift(&leaf);
	res->prot = prot;
	fault->partition = false;
	return true;
fault:
	if (kind == MEM_WRITE)
		fault->bits |= P9_DSISR_ISSTORE;
	return false;
}

/* Permissions of a process-scoped leaf in the present state. */
static unsigned process_prot(const struct p9_cpu *p, uint64_t pte, bool *privilege)
{
	unsigned prot = eaa_prot(pte);
	bool pr = p->regs.msr & P9_MSR_PR;

	*privilege = false;
	if (pte & RPTE_EAA_PRIV) {
		if (pr) {
			*privilege = true;
			return 0;
		}
		return prot;
	}
	if (!pr) {
		/* Supervisor access to problem-state pages goes by key 0 of AMR and IAMR. */
		if (p->regs.amr & BIT64_BE(0))
			prot &= ~PROT_W;
		if (p->regs.amr & BIT64_BE(1))
			prot &= ~PROT_R;
		if (p->regs.iamr & BIT64_BE(1))
			prot &= ~PROT_X;
	}
	return prot;
}

static bool process_translate(struct p9_cpu *p, uint64_t ea, enum mem_access kind, bool debug,
			      struct radix_result *res, struct radix_fault *fault)
{
	struct radix_trace *trace = &res->trace;
	struct tree t = { .p = p, .guest = true, .debug = debug, .kind = kind, .fault = fault,
			  .trace = trace };
	uint64_t table = p->regs.patb1 & UINT64_C(0x0ffffffffffff000);
	unsigned table_shift = (p->regs.patb1 & 0x1f) + 12;
	unsigned quadrant = ea >> 62;
	uint64_t pid = quadrant == 3 ? 0 : p->regs.pidr & UINT32_MAX;
	struct radix_result part;
	struct leaf leaf;
	_Atomic uint64_t *where;
	uint64_t root, mask;
	unsigned prot;
	bool again, privilege;

	/* Quadrants 1 and 2 are for hypervisor state alone. */
	if (quadrant == 1 || quadrant == 2) {
		fault->segment = true;
		return false;
	}
	if (table_shift > 36 || pid * 16 >= UINT64_C(1) << table_shift) {
		fault->bits |= P9_DSISR_NOHPTE;
		return false;
	}
	if (!load_entry(&t, table + pid * 16, &root, &where))
		return false;
	do {
		trace->count = 1;
		/* The two bits that choose the quadrant are not translated. */
		if (!walk(&t, root, ea & ~(UINT64_C(3) << 62), &leaf))
			return false;
		prot = process_prot(p, leaf.pte, &privilege);
		if (!(prot & needed_prot(kind))) {
			fault->bits |= kind == MEM_FETCH && !privilege ? P9_DSISR_NOEXEC :
									   P9_DSISR_PROTFAULT;
			return false;
		}
		mask = (UINT64_C(1) << leaf.shift) - 1;
		/*
		 * The second scope first: R and C of the guest's entry are set only by an access that
		 * will be performed.
		 */
		if (!partition_translate(p, (leaf.pte & RPTE_RPN_MASK & ~mask) | (ea & mask), kind,
					 debug, &part, fault))
			return false;
		again = false;
		if (update_rc(&t, &leaf, kind == MEM_WRITE, &again))
			break;
		if (!again)
			return false;
	} while (true);
	if (!(leaf.pte & RPTE_C))
		prot &= ~PROT_W;
	/* As it is now that R and C are set. */
	if (trace->count <= RADIX_TRACE)
		trace->entry[trace->count - 1].value = leaf.pte;
	trace->shift = leaf.shift;
	res->host = part.host;
	res->guest_real = part.guest_real;
	res->prot = prot & part.prot;
	res->shift = leaf.shift < part.shift ? leaf.shift : part.shift;
	return true;
}

bool radix_translate(struct p9_cpu *p, uint64_t ea, enum mem_access kind, bool debug,
		     struct radix_result *res, struct radix_fault *fault)
{
	uint64_t relocation = kind == MEM_FETCH ? P9_MSR_IR : P9_MSR_DR;
	bool ok;

	*fault = (struct radix_fault){ 0 };
	res->trace.count = 0;
	if (!(p->regs.patb0 & BIT64_BE(0))) {
		/* A partition whose entry says hashed page tables: not what this processor can do. */
		fault->partition = true;
		fault->guest_real = ea;
		fault->bits = P9_DSISR_UNSUPP_MMU;
		return false;
	}
	if (p->regs.msr & relocation)
		ok = process_translate(p, ea, kind, debug, res, fault);
	else
		/* Guest real mode: the four high-order bits are ignored. */
		ok = partition_translate(p, ea & UINT64_C(0x0fffffffffffffff), kind, debug, res,
					 fault);
	if (!ok && kind == MEM_WRITE)
		fault->bits |= P9_DSISR_ISSTORE;
	return ok;
}
