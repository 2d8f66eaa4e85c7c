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
	/* 0 is nobody's: of what is to be looked up in any case. */
	if (!++m->next_id)
		m->next_id = 1;
	x->id = m->next_id;
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
		x->age = x->age_low = 1;
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
	return !(x->key.state & (P9_CONTEXT_REAL | P9_CONTEXT_PR));
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
	tlb_forget_windows(tlb, last);
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

static uint32_t block_number(uint64_t host)
{
	return (uint32_t)(host >> TLB_BLOCK_SHIFT);
}

void p9_context_stores(struct p9_context *x, uint64_t ea, uint64_t host)
{
	x->stored[tlb_slot(x->tlb, ea) - x->tlb->entry] = block_number(host);
}

/* ---- code ---- */

static unsigned fetched_bit(uint64_t ea)
{
	return ((ea >> TLB_BLOCK_SHIFT) * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - 15);
}

_Static_assert(P9_FETCHED_BITS == 1 << 15, "fetched_bit");

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
	if (end - 1 < QUADRANT_1 && !x->low_code)
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

/* What a page's age must be, to be valid. Age 0 never is. */
static uint32_t *age_of(struct p9_context *x, uint64_t ea)
{
	return ea < QUADRANT_1 ? &x->age_low : &x->age;
}

const struct p9_page *p9_context_page(struct p9_context *x, uint64_t ea, unsigned prot)
{
	for (unsigned n = 0; n < P9_PAGE_SIZES; n++) {
		const struct p9_page *g = &x->page[n][page_slot(ea, page_shift[n])];

		if (g->age == *age_of(x, ea) && (ea ^ g->base) >> page_shift[n] == 0 && (g->prot & prot) == prot)
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
			.age = *age_of(x, ea),
			.prot = prot,
			.shift = shift,
		};
		return;
	}
}

static void forget_pages_low(struct p9_context *x)
{
	if (++x->age_low)
		return;
	/* Old ages would come true again. */
	memset(x->page, 0, sizeof(x->page));
	x->age_low = 1;
}

static void forget_pages(struct p9_context *x)
{
	forget_pages_low(x);
	if (++x->age)
		return;
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

/*
 * Nothing has been filled since all was forgotten last: nothing is in the TLB, no page is kept, and no region was
 * found, which takes a fetch.
 */
static bool empty(const struct p9_context *x)
{
	return !x->filled.count;
}

void p9_context_flush(struct p9_contexts *m, struct p9_context *x)
{
	if (empty(x))
		return;
	forget_slots(x->tlb, &x->filled, UINT64_MAX);
	forget_pages(x);
	p9_sources_clear(&x->sources);
	x->low.count = 0;
	x->low_code = false;
	x->high = false;
	renew(m, x);
}

void p9_context_flush_range(struct p9_contexts *m, struct p9_context *x, uint64_t start,
			    uint64_t end)
{
	if (empty(x))
		return;
	tlb_flush_range(x->tlb, start, end - start);
	forget_pages_in(x, start, end);
	if (fetched(x, start, end))
		renew(m, x);
}

/* Forget what a supervisor context holds of quadrant 0. */
static void flush_low(struct p9_contexts *m, struct p9_context *x)
{
	forget_slots(x->tlb, &x->low, QUADRANT_1 - 1);
	forget_pages_low(x);
	p9_sources_forget_below(&x->sources, QUADRANT_1);
	if (x->low_code)
		renew(m, x);
	x->low_code = false;
}

/* Forget what does not hold any more by the tables. */
static void refresh(struct p9_contexts *m, struct p9_context *x, const uint64_t *patb1)
{
	enum p9_sources_state state;
	struct p9_source page;

	while ((state = p9_sources_check(&x->sources, patb1, &page)) == P9_SOURCES_PAGE) {
		uint64_t end = page.base + (UINT64_C(1) << page.shift);

		/* Code that could not be fetched need not be looked up anew. */
		if (page.exec) {
			p9_context_flush_range(m, x, page.base, end);
		} else {
			tlb_flush_range(x->tlb, page.base, end - page.base);
			forget_pages_in(x, page.base, end);
		}
	}
	if (state == P9_SOURCES_LOST)
		p9_context_flush(m, x);
}

void p9_context_flush_process(struct p9_contexts *m, struct p9_context *x, uint64_t pid,
			      uint64_t start, uint64_t end, const uint64_t *patb1)
{
	bool ranged = end > start;

	if (x->key.state & P9_CONTEXT_REAL)
		return;
	/* Process 0's addresses are in every context: quadrant 3. */
	if (pid == UINT64_MAX || (pid == 0 && (supervisor(x) || x->high || x->key.pid == 0))) {
		/* quadrant 0 of a process that need not be the current one */
		if (pid && supervisor(x))
			flush_low(m, x);
		if (ranged)
			p9_context_flush_range(m, x, start, end);
		else
			refresh(m, x, patb1);
	} else if (supervisor(x) ? x->pid == pid : x->key.pid == pid) {
		if (ranged)
			p9_context_flush_range(m, x, start, end);
		else if (supervisor(x))
			flush_low(m, x);
		else
			refresh(m, x, patb1);
	}
}

void p9_context_flush_host(struct p9_contexts *m, struct p9_context *x, hva_t start, uint64_t len)
{
	if (empty(x))
		return;
	/* Entries of tables that are gone can not be looked at again. */
	if (p9_sources_meet(&x->sources, start, len)) {
		p9_context_flush(m, x);
		return;
	}
	if (x->filled.count <= P9_SLOTS) {
		tlb_flush_host_windows(x->tlb, start, len);
		for (unsigned i = 0; i < x->filled.count; i++)
			tlb_flush_host_slot(x->tlb, x->filled.slot[i], start, len);
	} else {
		tlb_flush_host(x->tlb, start, len);
	}
	forget_pages(x);
	renew(m, x);
}

/*
 * The same of one block. This is done for each that code is found in: a list of numbers is an eighth of the TLB, and
 * several are compared at once.
 */
static void protect_block(struct p9_context *x, hva_t block)
{
	enum { AT_ONCE = 64 };
	const uint32_t number = block_number(block.v);

	for (unsigned i = 0; i < TLB_ENTRIES; i += AT_ONCE) {
		uint32_t met = 0;

		for (unsigned k = 0; k < AT_ONCE; k++)
			met |= x->stored[i + k] == number;
		for (unsigned k = 0; met && k < AT_ONCE; k++)
			tlb_protect_host_slot(x->tlb, i + k, block, TLB_BLOCK_SIZE);
	}
	tlb_protect_host_windows(x->tlb, block, TLB_BLOCK_SIZE);
}

void p9_context_protect_host(struct p9_context *x, hva_t start, uint64_t len)
{
	if (!(start.v & TLB_BLOCK_MASK) && len == TLB_BLOCK_SIZE) {
		protect_block(x, start);
		return;
	}
	if (x->filled.count <= P9_SLOTS) {
		tlb_protect_host_windows(x->tlb, start, len);
		for (unsigned i = 0; i < x->filled.count; i++)
			tlb_protect_host_slot(x->tlb, x->filled.slot[i], start, len);
	} else {
		tlb_protect_host(x->tlb, start, len);
	}
}

/* ---- choosing ---- */

/* AMR as Linux has it in the kernel, but while it accesses its user. */
#define KEYS_BLOCKED (3u << P9_CONTEXT_KEYS_SHIFT)

static struct p9_context_key key_of(const struct p9_cpu *p, bool relocation, bool fetch)
{
	struct p9_context_key key = { .lpid = p->regs.lpidr, .state = P9_CONTEXT_USED };

	if (!relocation) {
		key.state |= P9_CONTEXT_REAL;
	} else if (p->regs.msr & P9_MSR_PR) {
		key.state |= P9_CONTEXT_PR;
		key.pid = p->regs.pidr;
	} else {
		/* AMR is nothing to fetches. */
		key.state |= (fetch ? KEYS_BLOCKED :
				      (uint32_t)(p->regs.amr >> 62) << P9_CONTEXT_KEYS_SHIFT) |
			     (uint32_t)(p->regs.iamr >> 62 & 1) << (P9_CONTEXT_KEYS_SHIFT + 2);
	}
	return key;
}

static bool same(struct p9_context_key a, struct p9_context_key b)
{
	return a.lpid == b.lpid && a.pid == b.pid && a.state == b.state;
}

static unsigned hint_of(struct p9_context_key key)
{
	uint64_t h = (uint64_t)key.lpid << 32 ^ (uint64_t)key.pid << 6 ^ key.state;

	_Static_assert(P9_CONTEXT_HINTS == 1 << 8, "hint_of");
	return (h * UINT64_C(0x9e3779b97f4a7c15)) >> 56;
}

static struct p9_context *find(struct p9_contexts *m, struct p9_context_key key)
{
	uint8_t *hint = &m->hint[hint_of(key)];
	struct p9_context *c = &m->context[*hint], *victim = NULL;

	if (LIKELY(same(c->key, key))) {
		c->used = ++m->clock;
		return c;
	}
	for (c = m->context; c < m->context + P9_CONTEXTS; c++) {
		if (same(c->key, key)) {
			*hint = c - m->context;
			c->used = ++m->clock;
			return c;
		}
	}
	for (c = m->context; c < m->context + P9_CONTEXTS; c++)
		if (c != m->data && c != m->fetch && c != m->real &&
		    (!victim || c->used < victim->used))
			victim = c;
	if (victim->key.state) {
		count(m->recycles);
		p9_context_flush(m, victim);
	} else {
		tlb_flush(victim->tlb);
	}
	victim->key = key;
	*hint = victim - m->context;
	victim->pid = 0;
	victim->used = ++m->clock;
	return victim;
}

static struct p9_context *context_for(struct p9_contexts *m, const struct p9_cpu *p,
				      bool relocation, bool fetch)
{
	struct p9_context *x = find(m, key_of(p, relocation, fetch));

	if (supervisor(x) && x->pid != p->regs.pidr) {
		flush_low(m, x);
		x->pid = p->regs.pidr;
	}
	return x;
}

void p9_contexts_select(struct p9_contexts *m, const struct p9_cpu *p)
{
	bool dr = p->regs.msr & P9_MSR_DR, ir = p->regs.msr & P9_MSR_IR;

	m->data = context_for(m, p, dr, false);
	if (ir == dr && (!supervisor(m->data) ||
			 (m->data->key.state & KEYS_BLOCKED) == KEYS_BLOCKED))
		m->fetch = m->data;
	else
		m->fetch = context_for(m, p, ir, true);
	if (!m->real || m->real->key.lpid != p->regs.lpidr)
		m->real = find(m, key_of(p, false, false));
}
