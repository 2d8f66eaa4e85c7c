/*
 * From effective addresses to host memory: the fills of the TLBs, and the requests of other
 * processors. Contexts are in context.h, the tables' walker in radix.c.
 */
#include <stdlib.h>
#include <string.h>

#include "cpu/power9/context.h"
#include "cpu/power9/exception.h"
#include "cpu/power9/mmu.h"

#define WRITABLE_LOG 18

struct p9_mmu {
	struct p9_contexts contexts;
	/* Blocks of host memory that a TLB may allow stores to, by hash: maybe too many. */
	uint64_t writable[(1 << WRITABLE_LOG) / 64];
};

static struct p9_cpu *cpu_of_door(struct mem_door *d)
{
	return p9_of_env(container_of(d, struct ir_env, door));
}

int p9_mmu_init(struct p9_cpu *p)
{
	struct p9_mmu *m = calloc(1, sizeof(*m));

	if (!m)
		return -1;
	p->mmu = m;
	if (p9_contexts_init(&m->contexts, &p->cpu.stats.context_recycles)) {
		p9_mmu_fini(p);
		return -1;
	}
	p->cpu.env.door.ops = &p9_door_ops;
	p9_mmu_select(p);
	return 0;
}

void p9_mmu_fini(struct p9_cpu *p)
{
	if (!p->mmu)
		return;
	p9_contexts_fini(&p->mmu->contexts);
	free(p->mmu);
	p->mmu = NULL;
}

void p9_mmu_select(struct p9_cpu *p)
{
	struct p9_contexts *m = &p->mmu->contexts;

	p9_contexts_select(m, p);
	p->cpu.env.door.tlb = m->data->tlb;
	p->cpu.fetch_tlb = m->fetch->tlb;
	cpu_set_context(&p->cpu, m->fetch->id, (uint32_t)(m->fetch - m->context));
}

struct tlb *p9_mmu_real_tlb(struct p9_cpu *p)
{
	return p->mmu->contexts.real->tlb;
}

void p9_mmu_real_filled(struct p9_cpu *p, uint64_t gra)
{
	p9_context_filled(p->mmu->contexts.real, gra);
}

/* ---- which blocks may be stored to ---- */

/* blocks: 1, the one at host, or TLB_GROUP_ALL, all of a group that begins there. */
static void note_writable(struct p9_mmu *m, uint64_t host, uint64_t blocks)
{
	unsigned bit = tlb_block_bit(host, WRITABLE_LOG);

	m->writable[bit / 64] |= blocks << (bit % 64);
}

static bool may_be_writable(const struct p9_mmu *m, uint64_t host)
{
	unsigned bit = tlb_block_bit(host, WRITABLE_LOG);

	return m->writable[bit / 64] >> (bit % 64) & 1;
}

/* ---- fills ---- */

/* Record the interrupt that a failed translation gives. */
static void raise_storage(struct p9_cpu *p, uint64_t ea, enum mem_access kind, bool store_like,
			  const struct radix_fault *f)
{
	bool fetch = kind == MEM_FETCH;
	uint32_t bits = f->bits | (store_like && !fetch ? P9_DSISR_ISSTORE : 0);

	if (f->partition) {
		p->regs.asdr = f->guest_real & ~UINT64_C(0xfff);
		p->regs.hdar = ea;
		if (fetch) {
			p9_raise(p, P9_VEC_HISI, bits);
		} else {
			p->regs.hdsisr = bits;
			p9_raise(p, P9_VEC_HDSI, 0);
		}
	} else if (f->segment) {
		if (!fetch)
			p->regs.dar = ea;
		p9_raise(p, fetch ? P9_VEC_ISEGI : P9_VEC_DSEGI, 0);
	} else if (fetch) {
		p9_raise(p, P9_VEC_ISI, bits);
	} else {
		p->regs.dar = ea;
		p->regs.dsisr = bits;
		p9_raise(p, P9_VEC_DSI, 0);
	}
}

static const unsigned prot_of[] = {
	[MEM_READ] = PROT_R,
	[MEM_WRITE] = PROT_W,
	[MEM_FETCH] = PROT_X,
};

/* Enter a translation in the TLB. Says whether stores must be reported. */
static bool enter(struct p9_cpu *p, struct p9_context *x, uint64_t ea, unsigned prot,
		  uint64_t addend, unsigned page_shift)
{
	struct tlb_entry *e = tlb_slot(x->tlb, ea);
	uint64_t block = ea & ~TLB_BLOCK_MASK;
	bool slow = false;

	e->tag[MEM_READ] = prot & PROT_R ? block : TLB_TAG_INVALID;
	e->tag[MEM_FETCH] = prot & PROT_X ? block : TLB_TAG_INVALID;
	e->tag[MEM_WRITE] = TLB_TAG_INVALID;
	if (prot & PROT_W) {
		slow = cpu_stores_reported(&p->cpu, HVA(block + addend));
		e->tag[MEM_WRITE] = slow ? block | TLB_TAG_SLOW : block;
		note_writable(p->mmu, block + addend, 1);
		p9_context_stores(x, ea, block + addend);
	}
	e->addend = addend;
	x->page_shift[e - x->tlb->entry] = page_shift;
	p9_context_filled(x, ea);
	return slow;
}

/* Translate and enter the block of ea in x's TLB; NULL: fault recorded. *slow as in door.h. */
static void *fill(struct p9_cpu *p, struct p9_context *x, uint64_t ea, enum mem_access kind,
		  bool store_like, bool *slow)
{
	struct tlb_entry *e = tlb_slot(x->tlb, ea);
	uint64_t block = ea & ~TLB_BLOCK_MASK, addend;
	const struct p9_page *page;
	struct radix_result res;
	struct radix_fault fault;
	unsigned prot, shift;

	*slow = false;
	/* A store that is still to be reported needs no walk. */
	if (kind == MEM_WRITE && e->tag[MEM_WRITE] == (block | TLB_TAG_SLOW)) {
		void *host = (void *)(uintptr_t)(ea + e->addend);

		*slow = cpu_stores_reported(&p->cpu, HVA((uintptr_t)host & ~TLB_BLOCK_MASK));
		if (!*slow) {
			e->tag[MEM_WRITE] = block;
			note_writable(p->mmu, (uintptr_t)host, 1);
			p9_context_stores(x, ea, (uintptr_t)host);
		}
		return host;
	}
	count(&p->cpu.stats.tlb_misses);
	page = p9_context_page(x, ea, prot_of[kind]);
	if (page) {
		prot = page->prot;
		addend = page->addend;
		shift = page->shift;
	} else {
		if (!radix_translate(p, ea, kind, false, &res, &fault)) {
			raise_storage(p, ea, kind, store_like, &fault);
			return NULL;
		}
		prot = res.prot;
		/* What data may be accessed by the present AMR does not hold in the context of fetches. */
		if (kind == MEM_FETCH && x != p->mmu->contexts.data)
			prot &= PROT_X;
		addend = res.host - ea;
		shift = res.shift;
		p9_context_keep_page(x, ea, res.shift, addend, prot);
		if (res.trace.count)
			p9_sources_note(&x->sources, p->regs.patb1, ea, &res.trace);
	}
	count(&p->cpu.stats.tlb_refills);
	/*
	 * Code is rarely written. Where a kernel's is writable until it has booted, the right to store, once noted,
	 * would have all of the TLB looked through when the block is translated.
	 */
	if (kind == MEM_FETCH)
		prot &= ~PROT_W;
	*slow = enter(p, x, ea, prot, addend, shift);
	return (void *)(uintptr_t)(ea + addend);
}

static bool door_fill(struct mem_door *d, gva_t addr, enum mem_access kind, bool store_like,
		      void **host, bool *slow)
{
	struct p9_cpu *p = cpu_of_door(d);

	*host = fill(p, p->mmu->contexts.data, addr.v, kind, store_like, slow);
	return *host;
}

static void door_fill_known(struct mem_door *d, gva_t addr, enum mem_access kind)
{
	struct p9_cpu *p = cpu_of_door(d);
	struct p9_context *x = p->mmu->contexts.data;
	const struct p9_page *page = p9_context_page(x, addr.v, prot_of[kind]);

	/* What is in the TLB is as good, and may say that stores must be reported. */
	if (page && tlb_slot(x->tlb, addr.v)->tag[kind] != (addr.v | TLB_TAG_SLOW))
		enter(p, x, addr.v, page->prot, page->addend, page->shift);
}

/* A page of 64 KiB, or such a part of a larger one, and those beside it that are so on the host as well. */
#define WIDE TLB_GROUP_SIZE

static bool may_access(struct p9_cpu *p, uint64_t ea, enum tlb_window_kind kind, uint64_t addend)
{
	static const unsigned wants[] = {
		[TLB_WINDOW_READ] = PROT_R,
		[TLB_WINDOW_WRITE] = PROT_W,
		[TLB_WINDOW_BOTH] = PROT_R | PROT_W,
	};
	const struct p9_page *page = p9_context_page(p->mmu->contexts.data, ea, wants[kind]);

	return page && page->addend == addend;
}

_Static_assert(3 * TLB_GROUP_BLOCKS < 64, "a bit for each block of such a range, and of those beside it");

/* A bit for each of `count` blocks, whole groups of the guest's, to which stores must be reported. */
static uint64_t reported(struct p9_cpu *p, uint64_t host, unsigned count)
{
	uint64_t set = 0;

	for (unsigned n = 0; n < count; n++) {
		uint64_t block = host + n * TLB_BLOCK_SIZE;

		if (block % TLB_GROUP_SIZE) {
			note_writable(p->mmu, block, 1);
			set |= (uint64_t)cpu_stores_reported(&p->cpu, HVA(block)) << n;
		} else {
			note_writable(p->mmu, block, TLB_GROUP_ALL);
			set |= (uint64_t)cpu_stores_reported_in(&p->cpu, HVA(block)) << n;
			n += TLB_GROUP_BLOCKS - 1;
		}
	}
	return set;
}

static void door_widen(struct mem_door *d, enum tlb_window_kind kind, uint64_t addend, uint64_t *first,
		       uint64_t *length)
{
	struct p9_cpu *p = cpu_of_door(d);
	uint64_t start = *first & ~(WIDE - 1), end = start + WIDE, set;
	unsigned at, count;

	if (!may_access(p, start, kind, addend))
		return;
	/* Not round the end of the address space: what lies there may be forgotten apart. */
	if (end && may_access(p, end, kind, addend))
		end += WIDE;
	if (start && may_access(p, start - WIDE, kind, addend))
		start -= WIDE;
	count = (unsigned)((end - start) / TLB_BLOCK_SIZE);
	if (kind != TLB_WINDOW_READ) {
		/* Up to the next on either side that is reported. Its own is not, by its entry. */
		at = (unsigned)((*first - start) / TLB_BLOCK_SIZE);
		set = reported(p, start + addend, count) | UINT64_C(1) << count;
		count = at + 1 + (unsigned)__builtin_ctzll(set >> at >> 1);
		set &= (UINT64_C(1) << at) - 1;
		if (set) {
			unsigned n = 64 - (unsigned)__builtin_clzll(set);

			start += n * TLB_BLOCK_SIZE;
			count -= n;
		}
	}
	*first = start;
	*length = count * TLB_BLOCK_SIZE;
}

static void door_code_write(struct mem_door *d, hva_t host, unsigned size)
{
	cpu_code_write(&cpu_of_door(d)->cpu, host, size);
}

static void door_store_begin(struct mem_door *d, hva_t host)
{
	cpu_store_begin(&cpu_of_door(d)->cpu, host);
}

static void door_store_end(struct mem_door *d, hva_t host, unsigned size, bool stored)
{
	cpu_store_end(&cpu_of_door(d)->cpu, host, size, stored);
}

static void door_misaligned(struct mem_door *d, gva_t addr, bool store)
{
	struct p9_cpu *p = cpu_of_door(d);

	(void)store; /* POWER9 does not report it */
	p->regs.dar = addr.v;
	p->regs.dsisr = 0;
	p9_raise(p, P9_VEC_ALIGNMENT, 0);
}

const struct mem_door_ops p9_door_ops = {
	.fill = door_fill,
	.fill_known = door_fill_known,
	.widen = door_widen,
	.code_write = door_code_write,
	.store_begin = door_store_begin,
	.store_end = door_store_end,
	.misaligned = door_misaligned,
};

void *p9_mmu_fetch(struct cpu *c, unsigned *page_shift)
{
	struct p9_context *x = p9_of(c)->mmu->contexts.fetch;
	uint64_t pc = c->env.pc;
	void *host = tlb_lookup(c->fetch_tlb, pc, 4, MEM_FETCH);
	bool slow;

	p9_context_fetched(x, pc);
	if (!host)
		host = fill(p9_of(c), x, pc, MEM_FETCH, false, &slow);
	*page_shift = x->page_shift[tlb_slot(x->tlb, pc) - x->tlb->entry];
	return host;
}

/* ---- requests ---- */

/*
 * Could a processor translate by a context's tables of its own accord, as it is now? Then what it still
 * holds after an invalidation may be what it has looked up since. Otherwise it must not hold
 * anything: software may change those tables and not say so again. Linux, for one, invalidates a
 * process where it has stopped running, and from then on only where it still runs.
 */
static bool current(const struct p9_regs *r, const struct p9_context *x)
{
	return x->key.lpid == r->lpidr && (!(x->key.state & P9_CONTEXT_PR) || x->key.pid == r->pidr);
}

void p9_mmu_request(struct cpu *c, const struct cpu_request *req)
{
	const struct p9_regs *r = &p9_of(c)->regs;
	struct p9_mmu *mmu = p9_of(c)->mmu;
	struct p9_contexts *m = &mmu->contexts;
	struct p9_context *x;
	/* Only a running processor is waited for by who takes memory away. */
	bool look = atomic_load(&c->running);

	if (req->kind == CPU_REQ_PROTECT_HOST && req->arg[1] <= TLB_BLOCK_SIZE &&
	    !may_be_writable(mmu, req->arg[0]))
		return;
	for (x = m->context; x < m->context + P9_CONTEXTS; x++) {
		if (!x->key.state)
			continue;
		switch (req->kind) {
		case CPU_REQ_FLUSH_ALL:
			p9_context_flush(m, x);
			break;
		case CPU_REQ_FLUSH_HOST:
			p9_context_flush_host(m, x, HVA(req->arg[0]), req->arg[1]);
			break;
		case CPU_REQ_PROTECT_HOST:
			p9_context_protect_host(x, HVA(req->arg[0]), req->arg[1]);
			break;
		case CPU_REQ_ARCH:
			/* lpid, pid, partition scoped, start, end: see p9_invalidate */
			if (x->key.lpid != req->arg[0])
				break;
			if (req->arg[2])
				/* Guest real addresses: which effective ones led there is not kept. */
				p9_context_flush(m, x);
			else
				p9_context_flush_process(
					m, x, req->arg[1], req->arg[3], req->arg[4],
					look && current(r, x) ? &r->patb1 : NULL);
			break;
		}
	}
	cpu_set_context(c, m->fetch->id, c->fetch_place);
}

void p9_invalidate(struct cpu_system *s, struct cpu *self, uint32_t lpid, uint64_t pid,
		   bool partition_scoped, uint64_t start, uint64_t end)
{
	struct cpu_request req = {
		.kind = CPU_REQ_ARCH,
		.arg = { lpid, pid, partition_scoped, start, end },
	};

	cpu_broadcast(s, self, &req);
}

bool p9_translate_debug(struct cpu *c, gva_t ea, gpa_t *real)
{
	struct radix_result res;
	struct radix_fault fault;

	if (!radix_translate(p9_of(c), ea.v, MEM_READ, true, &res, &fault))
		return false;
	*real = GPA(res.guest_real);
	return true;
}

bool p9_fetch_current(struct cpu *c, uint32_t *insn)
{
	struct radix_result res;
	struct radix_fault fault;

	if ((c->env.pc & 3) ||
	    !radix_translate(p9_of(c), c->env.pc, MEM_FETCH, true, &res, &fault))
		return false;
	memcpy(insn, hva_ptr(HVA(res.host)), sizeof(*insn));
	*insn = p9_of(c)->regs.msr & P9_MSR_LE ? le32toh(*insn) : be32toh(*insn);
	return true;
}
