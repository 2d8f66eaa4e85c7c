/*
 * Translation contexts. Each has a TLB of its own, so switching between kernel and user, between
 * processes, or between guests changes two pointers. A context is named by all that translation
 * depends on beside the tables: LPID, PID, PR, relocation, and key 0 of AMR and IAMR, which
 * Linux switches at each entry to the kernel (KUAP).
 */
#include <stdlib.h>
#include <string.h>

#include "cpu/power9/exception.h"
#include "cpu/power9/mmu.h"

#define CONTEXTS 32

struct p9_context_key {
	uint32_t lpid;
	uint32_t pid;
	uint8_t real;
	uint8_t pr;
	uint8_t keys; /* AMR[0:1], IAMR[1]; only for supervisor state */
	uint8_t used;
};

struct p9_context {
	struct p9_context_key key;
	uint32_t id;   /* changes whenever cached regions of the context must be looked up anew */
	uint64_t used; /* for choosing a victim */
	struct tlb *tlb;
};

struct p9_mmu {
	struct p9_context context[CONTEXTS];
	struct p9_context *data, *fetch;
	uint32_t next_id;
	uint64_t clock;
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
	/* All TLBs at once: selecting a context can then never fail. */
	for (unsigned i = 0; i < CONTEXTS; i++) {
		m->context[i].tlb = aligned_alloc(64, sizeof(struct tlb));
		if (!m->context[i].tlb) {
			p9_mmu_fini(p);
			return -1;
		}
		tlb_flush(m->context[i].tlb);
		m->context[i].id = ++m->next_id;
	}
	p->cpu.env.door.ops = &p9_door_ops;
	p9_mmu_select(p);
	return 0;
}

void p9_mmu_fini(struct p9_cpu *p)
{
	if (!p->mmu)
		return;
	for (unsigned i = 0; i < CONTEXTS; i++)
		free(p->mmu->context[i].tlb);
	free(p->mmu);
	p->mmu = NULL;
}

static struct p9_context_key key_of(const struct p9_cpu *p, bool relocation)
{
	struct p9_context_key key = { .lpid = p->regs.lpidr, .used = 1 };

	if (!relocation) {
		key.real = 1;
		return key;
	}
	key.pid = p->regs.pidr;
	if (p->regs.msr & P9_MSR_PR)
		key.pr = 1;
	else
		key.keys = (p->regs.amr >> 62) | ((p->regs.iamr >> 62) & 1) << 2;
	return key;
}

static struct p9_context *find(struct p9_mmu *m, struct p9_context_key key)
{
	struct p9_context *c, *victim = NULL;

	for (c = m->context; c < m->context + CONTEXTS; c++) {
		if (!memcmp(&c->key, &key, sizeof(key))) {
			c->used = ++m->clock;
			return c;
		}
	}
	for (c = m->context; c < m->context + CONTEXTS; c++)
		if (c != m->data && c != m->fetch && (!victim || c->used < victim->used))
			victim = c;
	if (victim->key.used) {
		tlb_flush(victim->tlb);
		victim->id = ++m->next_id;
	}
	victim->key = key;
	victim->used = ++m->clock;
	return victim;
}

void p9_mmu_select(struct p9_cpu *p)
{
	struct p9_mmu *m = p->mmu;
	bool dr = p->regs.msr & P9_MSR_DR, ir = p->regs.msr & P9_MSR_IR;

	m->data = find(m, key_of(p, dr));
	m->fetch = ir == dr ? m->data : find(m, key_of(p, ir));
	p->cpu.env.door.tlb = m->data->tlb;
	p->cpu.fetch_tlb = m->fetch->tlb;
	p->cpu.fetch_context = m->fetch->id;
}

struct tlb *p9_mmu_real_tlb(struct p9_cpu *p)
{
	return find(p->mmu, key_of(p, false))->tlb;
}

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

/* Translate and enter the block of ea in `tlb`; NULL: fault recorded. *slow as in door.h. */
static void *fill(struct p9_cpu *p, struct tlb *tlb, uint64_t ea, enum mem_access kind,
		  bool store_like, bool *slow)
{
	struct tlb_entry *e = tlb_slot(tlb, ea);
	uint64_t block = ea & ~TLB_BLOCK_MASK;
	struct radix_result res;
	struct radix_fault fault;
	hva_t host_block;

	*slow = false;
	/* A store to a block with code that is still there needs no walk. */
	if (kind == MEM_WRITE && e->tag[MEM_WRITE] == (block | TLB_TAG_SLOW)) {
		void *host = (void *)(uintptr_t)(ea + e->addend);

		*slow = cpu_block_has_code(&p->cpu, HVA((uintptr_t)host & ~TLB_BLOCK_MASK));
		if (!*slow)
			e->tag[MEM_WRITE] = block;
		return host;
	}
	p->cpu.stats.tlb_misses++;
	if (!radix_translate(p, ea, kind, false, &res, &fault)) {
		raise_storage(p, ea, kind, store_like, &fault);
		return NULL;
	}
	host_block = HVA(res.host & ~TLB_BLOCK_MASK);
	e->tag[MEM_READ] = res.prot & PROT_R ? block : TLB_TAG_INVALID;
	e->tag[MEM_FETCH] = res.prot & PROT_X ? block : TLB_TAG_INVALID;
	e->tag[MEM_WRITE] = TLB_TAG_INVALID;
	if (res.prot & PROT_W) {
		bool code = cpu_block_has_code(&p->cpu, host_block);

		e->tag[MEM_WRITE] = code ? block | TLB_TAG_SLOW : block;
		*slow = code;
	}
	e->addend = res.host - ea;
	return hva_ptr(HVA(res.host));
}

static bool door_fill(struct mem_door *d, gva_t addr, enum mem_access kind, bool store_like,
		      void **host, bool *slow)
{
	*host = fill(cpu_of_door(d), d->tlb, addr.v, kind, store_like, slow);
	return *host;
}

static void door_code_write(struct mem_door *d, hva_t host, unsigned size)
{
	cpu_code_write(&cpu_of_door(d)->cpu, host, size);
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
	.code_write = door_code_write,
	.misaligned = door_misaligned,
};

void *p9_mmu_fetch(struct cpu *c)
{
	uint64_t pc = c->env.pc;
	void *host = tlb_lookup(c->fetch_tlb, pc, 4, MEM_FETCH);
	bool slow;

	return host ? host : fill(p9_of(c), c->fetch_tlb, pc, MEM_FETCH, false, &slow);
}

/* Forget all of a context, or a range of its addresses. */
static void invalidate(struct p9_mmu *m, struct p9_context *x, uint64_t start, uint64_t end)
{
	if (end > start)
		tlb_flush_range(x->tlb, start, end - start);
	else
		tlb_flush(x->tlb);
	x->id = ++m->next_id;
}

void p9_mmu_request(struct cpu *c, const struct cpu_request *req)
{
	struct p9_cpu *p = p9_of(c);
	struct p9_mmu *m = p->mmu;
	struct p9_context *x;

	for (x = m->context; x < m->context + CONTEXTS; x++) {
		if (!x->key.used)
			continue;
		switch (req->kind) {
		case CPU_REQ_FLUSH_ALL:
			invalidate(m, x, 0, 0);
			break;
		case CPU_REQ_FLUSH_HOST:
			tlb_flush_host(x->tlb, HVA(req->arg[0]), req->arg[1]);
			x->id = ++m->next_id;
			break;
		case CPU_REQ_PROTECT_HOST:
			tlb_protect_host(x->tlb, HVA(req->arg[0]), req->arg[1]);
			break;
		case CPU_REQ_ARCH: {
			/* lpid, pid, partition scoped, start, end: see p9_invalidate */
			bool all_pids = req->arg[1] == UINT64_MAX;

			if (x->key.lpid != req->arg[0])
				break;
			if (req->arg[2])
				/* Guest real addresses: which effective ones led there is not kept. */
				invalidate(m, x, 0, 0);
			else if (!x->key.real &&
				 (all_pids || x->key.pid == req->arg[1] || req->arg[1] == 0))
				/* Process 0's addresses (quadrant 3) are in every context. */
				invalidate(m, x, req->arg[3], req->arg[4]);
			break;
		}
		}
	}
	c->fetch_context = m->fetch->id;
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
