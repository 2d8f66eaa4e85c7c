/*
 * Translation contexts: see context.h.
 */
#include <stdlib.h>
#include <string.h>

#include "cpu/power9/context.h"
#include "util/compiler.h"

#define QUADRANT_1 (UINT64_C(1) << 62)
#define QUADRANT_3 (UINT64_C(3) << 62)

static const unsigned page_shift[P9_PAGE_SIZES] = { 21, 16 };

/* Regions found in this context before are not found any more. */
static void renew(struct p9_contexts *m, struct p9_context *x)
{
	x->id = ++m->next_id;
	memset(x->fetched, 0, sizeof(x->fetched));
}

int p9_contexts_init(struct p9_contexts *m, struct counter *recycles)
{
	m->recycles = recycles;
	/*
	 * All TLBs at once: selecting a context can then never fail. Most machines use few: their memory is
	 * written when they are taken first.
	 */
	for (unsigned i = 0; i < P9_CONTEXTS; i++) {
		struct p9_context *x = &m->context[i];

		x->tlb = aligned_alloc(64, sizeof(struct tlb));
		if (!x->tlb)
			return -1;
		x->age = 1;
		renew(m, x);
	}
	return 0;
}

void p9_contexts_fini(struct p9_contexts *m)
{
	for (unsigned i = 0; i < P9_CONTEXTS; i++)
		free(m->context[i].tlb);
}

static bool supervisor(const struct p9_context *x)
{
	return !x->key.real && !x->key.pr;
}

/* ---- lists of slots ---- */

static void note_slot(struct p9_slots *s, uint64_t ea)
{
	if (s->count < P9_SLOTS)
		s->slot[s->count] = (ea >> TLB_BLOCK_SHIFT) & (TLB_ENTRIES - 1);
	if (s->count <= P9_SLOTS)
		s->count++;
}

/* Forget those of the listed slots that translate addresses up to `last`. */
static void forget_slots(struct tlb *tlb, struct p9_slots *s, uint64_t last)
{
	if (s->count <= P9_SLOTS)
		for (unsigned i = 0; i < s->count; i++)
			tlb_forget_slot(tlb, s->slot[i], last);
	else if (last == UINT64_MAX)
		tlb_flush(tlb);
	else
		for (unsigned i = 0; i < TLB_ENTRIES; i++)
			tlb_forget_slot(tlb, i, last);
	s->count = 0;
}

void p9_context_filled(struct p9_context *x, uint64_t ea)
{
	note_slot(&x->filled, ea);
	if (ea >= QUADRANT_3)
		x->high = true;
	else if (supervisor(x))
		note_slot(&x->low, ea);
}

/* ---- code ---- */

static unsigned fetched_bit(uint64_t ea)
{
	return ((ea >> TLB_BLOCK_SHIFT) * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - 13);
}

_Static_assert(P9_FETCHED_BITS == 1 << 13, "fetched_bit");

void p9_context_fetched(struct p9_context *x, uint64_t pc)
{
	unsigned bit = fetched_bit(pc);

	if (pc < QUADRANT_1)
		x->low_code = true;
	x->fetched[bit / 64] |= UINT64_C(1) << (bit % 64);
}

/* Whether code may have been fetched from [start, end), since the context's id changed. */
static bool fetched(const struct p9_context *x, uint64_t start, uint64_t end)
{
	uint64_t first = start >> TLB_BLOCK_SHIFT, last = (end - 1) >> TLB_BLOCK_SHIFT;

	/* A kernel runs little of its user's code, and changes much of the rest. */
	if (end <= QUADRANT_1 && !x->low_code)
		return false;
	if (last - first > P9_FETCHED_BITS / 8)
		return true;
	for (uint64_t n = first; n <= last; n++) {
		unsigned bit = fetched_bit(n << TLB_BLOCK_SHIFT);

		if (x->fetched[bit / 64] >> (bit % 64) & 1)
			return true;
	}
	return false;
}

/* ---- pages ---- */

static unsigned page_slot(uint64_t ea, unsigned shift)
{
	return (ea >> shift) % P9_PAGES;
}

const struct p9_page *p9_context_page(const struct p9_context *x, uint64_t ea, unsigned prot)
{
	for (unsigned n = 0; n < P9_PAGE_SIZES; n++) {
		const struct p9_page *g = &x->page[n][page_slot(ea, page_shift[n])];

		if (g->age == x->age && (ea ^ g->base) >> page_shift[n] == 0 && (g->prot & prot))
			return g;
	}
	return NULL;
}

void p9_context_keep_page(struct p9_context *x, uint64_t ea, unsigned shift, uint64_t addend,
			  unsigned prot)
{
	for (unsigned n = 0; n < P9_PAGE_SIZES; n++) {
		if (shift < page_shift[n])
			continue;
		x->page[n][page_slot(ea, page_shift[n])] = (struct p9_page){
			.base = ea,
			.addend = addend,
			.age = x->age,
			.prot = prot,
		};
		return;
	}
}

static void forget_pages(struct p9_context *x)
{
	if (++x->age)
		return;
	/* Old ages would come true again. */
	memset(x->page, 0, sizeof(x->page));
	x->age = 1;
}

static void forget_pages_in(struct p9_context *x, uint64_t start, uint64_t end)
{
	for (unsigned n = 0; n < P9_PAGE_SIZES; n++) {
		uint64_t first = start >> page_shift[n], last = (end - 1) >> page_shift[n];

		if (last - first >= P9_PAGES) {
			forget_pages(x);
			return;
		}
		for (uint64_t k = first; k <= last; k++)
			x->page[n][k % P9_PAGES].age = 0;
	}
}

/* ---- forgetting ---- */

void p9_context_flush(struct p9_contexts *m, struct p9_context *x)
{
	/* The walker enters guest real addresses behind the list's back. */
	if (x->key.real)
		x->filled.count = P9_SLOTS + 1;
	forget_slots(x->tlb, &x->filled, UINT64_MAX);
	forget_pages(x);
	x->low.count = 0;
	x->low_code = false;
	x->high = false;
	renew(m, x);
}

void p9_context_flush_range(struct p9_contexts *m, struct p9_context *x, uint64_t start,
			    uint64_t end)
{
	tlb_flush_range(x->tlb, start, end - start);
	forget_pages_in(x, start, end);
	if (fetched(x, start, end))
		renew(m, x);
}

/* Forget what a supervisor context holds of quadrant 0. */
static void flush_low(struct p9_contexts *m, struct p9_context *x)
{
	forget_slots(x->tlb, &x->low, QUADRANT_1 - 1);
	for (unsigned n = 0; n < P9_PAGE_SIZES; n++)
		for (unsigned k = 0; k < P9_PAGES; k++)
			if (x->page[n][k].base < QUADRANT_1)
				x->page[n][k].age = 0;
	if (x->low_code)
		renew(m, x);
	x->low_code = false;
}

void p9_context_flush_process(struct p9_contexts *m, struct p9_context *x, uint64_t pid,
			      uint64_t start, uint64_t end)
{
	bool ranged = end > start;

	if (x->key.real)
		return;
	/* Process 0's addresses are in every context: quadrant 3. */
	if (pid == UINT64_MAX || (pid == 0 && (supervisor(x) || x->high || x->key.pid == 0))) {
		if (ranged)
			p9_context_flush_range(m, x, start, end);
		else
			p9_context_flush(m, x);
	} else if (supervisor(x) ? x->pid == pid : x->key.pid == pid) {
		if (ranged)
			p9_context_flush_range(m, x, start, end);
		else if (supervisor(x))
			flush_low(m, x);
		else
			p9_context_flush(m, x);
	}
}

void p9_context_flush_host(struct p9_contexts *m, struct p9_context *x, hva_t start, uint64_t len)
{
	tlb_flush_host(x->tlb, start, len);
	forget_pages(x);
	renew(m, x);
}

/* ---- choosing ---- */

static struct p9_context_key key_of(const struct p9_cpu *p, bool relocation)
{
	struct p9_context_key key = { .lpid = p->regs.lpidr, .used = 1 };

	if (!relocation) {
		key.real = 1;
		return key;
	}
	if (p->regs.msr & P9_MSR_PR) {
		key.pr = 1;
		key.pid = p->regs.pidr;
	} else {
		key.keys = (p->regs.amr >> 62) | ((p->regs.iamr >> 62) & 1) << 2;
	}
	return key;
}

static struct p9_context *find(struct p9_contexts *m, struct p9_context_key key)
{
	unsigned hint = (key.pid ^ key.pr << 1 ^ key.real << 2 ^ key.keys << 3 ^ key.lpid << 4) %
			ARRAY_SIZE(m->hint);
	struct p9_context *c = &m->context[m->hint[hint]], *victim = NULL;

	if (LIKELY(!memcmp(&c->key, &key, sizeof(key)))) {
		c->used = ++m->clock;
		return c;
	}
	for (c = m->context; c < m->context + P9_CONTEXTS; c++) {
		if (!memcmp(&c->key, &key, sizeof(key))) {
			m->hint[hint] = c - m->context;
			c->used = ++m->clock;
			return c;
		}
	}
	for (c = m->context; c < m->context + P9_CONTEXTS; c++)
		if (c != m->data && c != m->fetch && c != m->real &&
		    (!victim || c->used < victim->used))
			victim = c;
	if (victim->key.used) {
		count(m->recycles);
		p9_context_flush(m, victim);
	} else {
		tlb_flush(victim->tlb);
	}
	victim->key = key;
	victim->pid = 0;
	victim->used = ++m->clock;
	return victim;
}

static struct p9_context *context_for(struct p9_contexts *m, const struct p9_cpu *p,
				      bool relocation)
{
	struct p9_context *x = find(m, key_of(p, relocation));

	if (supervisor(x) && x->pid != p->regs.pidr) {
		flush_low(m, x);
		x->pid = p->regs.pidr;
	}
	return x;
}

void p9_contexts_select(struct p9_contexts *m, const struct p9_cpu *p)
{
	bool dr = p->regs.msr & P9_MSR_DR, ir = p->regs.msr & P9_MSR_IR;

	m->data = context_for(m, p, dr);
	m->fetch = ir == dr ? m->data : context_for(m, p, ir);
	if (!m->real || m->real->key.lpid != p->regs.lpidr)
		m->real = find(m, key_of(p, false));
}
