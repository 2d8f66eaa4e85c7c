/*
 * Finished pieces: bringing them to code memory, copying, linking, killing and freeing them.
 *
 * A piece has a hot and a cold part, each in its zone (jit/memory.h). What it says of addresses is relative, or
 * absolute and not its own, but for the word at the start of the cold part: the address of its struct jit_code. So in
 * a copy there is that to change, and displacements from one part to the other and to what lies outside: those
 * are noted.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "jit/x86_64/jit.h"

/*
 * Positions of displacements, as the piece was generated: cold part behind the hot one. First those that lead from
 * one part to the other but for the exits', then those to the outside.
 */
struct jit_moves {
	_Atomic uint32_t refs; /* copies have them together */
	uint16_t ncross, noutside;
	uint16_t at[];
};

/* A piece in memory. */
struct placed {
	uint8_t *hot, *cold; /* writable */
	const uint8_t *hot_exec, *cold_exec;
	uint32_t boundary; /* the position where the cold part begins */
};

static uint8_t *writable(const struct placed *p, uint32_t at)
{
	return at < p->boundary ? p->hot + at : p->cold + (at - p->boundary);
}

static const uint8_t *address(const struct placed *p, uint32_t at)
{
	return at < p->boundary ? p->hot_exec + at : p->cold_exec + (at - p->boundary);
}

static void set_displacement(const struct placed *p, uint32_t where, const uint8_t *target)
{
	int32_t d = (int32_t)(target - (address(p, where) + 4));

	memcpy(writable(p, where), &d, sizeof(d));
}

static int32_t displacement(const struct placed *p, uint32_t where)
{
	int32_t d;

	memcpy(&d, address(p, where), sizeof(d));
	return d;
}

static bool allot(struct jit_memory *m, struct jit_code *c, struct placed *p)
{
	const uint32_t units = jit_memory_units(JIT_HOT, c->size);

	p->boundary = c->size;
	p->hot = jit_memory_alloc(m, JIT_HOT, units);
	if (!p->hot)
		return false;
	p->cold = jit_memory_alloc(m, JIT_COLD, jit_memory_units(JIT_COLD, c->cold_size));
	if (!p->cold) {
		jit_memory_free(m, JIT_HOT, p->hot, units);
		return false;
	}
	p->hot_exec = jit_memory_exec(m, p->hot);
	p->cold_exec = jit_memory_exec(m, p->cold);
	c->entry = p->hot_exec;
	c->cold = (int32_t)(p->cold_exec - p->hot_exec);
	return true;
}

static bool is_exit(const struct gen *g, uint32_t where)
{
	for (uint32_t n = 0; n < g->r->nexit; n++)
		if (g->exit_where[n] == where)
			return true;
	return false;
}

static bool crosses(const struct gen *g, const struct a_reference *r)
{
	return (r->where < g->cold) != (r->target < g->cold);
}

static struct jit_moves *find_moves(const struct gen *g)
{
	struct jit_moves *v;
	uint32_t count = g->noutside;

	for (uint32_t n = 0; n < g->a.nref; n++)
		count += crosses(g, &g->a.ref[n]);
	v = malloc(sizeof(*v) + count * sizeof(v->at[0]));
	if (!v)
		return NULL;
	atomic_init(&v->refs, 1);
	v->ncross = 0;
	v->noutside = (uint16_t)g->noutside;
	for (uint32_t n = 0; n < g->a.nref; n++) {
		const struct a_reference *r = &g->a.ref[n];

		if (crosses(g, r) && !is_exit(g, r->where))
			v->at[v->ncross++] = (uint16_t)r->where;
	}
	for (uint32_t n = 0; n < g->noutside; n++)
		v->at[v->ncross + n] = (uint16_t)g->outside[n].where;
	return v;
}

bool gen_place(const struct gen *g, struct jit_memory *m, struct jit_code *c)
{
	struct placed p;

	c->size = g->cold;
	c->cold_size = a_pos(&g->a) - g->cold;
	c->moves = NULL;
	if (!g->layout->no_copies) {
		c->moves = find_moves(g);
		if (!c->moves)
			return false;
	}
	if (!allot(m, c, &p)) {
		free(c->moves);
		return false;
	}
	memcpy(p.hot, g->a.base, c->size);
	memcpy(p.cold, g->a.base + g->cold, c->cold_size);
	for (uint32_t n = 0; n < g->a.nref; n++) {
		const struct a_reference *r = &g->a.ref[n];

		if (crosses(g, r))
			set_displacement(&p, r->where, address(&p, r->target));
	}
	for (uint32_t n = 0; n < g->noutside; n++)
		set_displacement(&p, g->outside[n].where, g->outside[n].target);
	c->dead = (int32_t)(address(&p, g->entry_stub) - p.hot_exec);
	for (uint32_t n = 0; n < g->r->nexit; n++) {
		c->exit[n].where = g->exit_where[n];
		if (g->exit_where[n] != NO_INDEX)
			c->exit[n].unlinked = displacement(&p, g->exit_where[n]);
	}
	return true;
}

struct jit_code *jit_copy(struct jit *j, const struct jit_code *c)
{
	size_t size = sizeof(*c) + c->nexit * sizeof(c->exit[0]);
	const struct jit_moves *v = c->moves;
	struct jit_code *n;
	struct placed p, o = {.hot_exec = c->entry, .cold_exec = jit_code_cold(c), .boundary = c->size};
	struct assembler first = {.bias = gen_bias(&j->layout)};
	int64_t hot, cold;

	if (!v) {
		errno = ENOTSUP;
		return NULL;
	}
	n = malloc(size);
	if (!n)
		return NULL;
	memcpy(n, c, size);
	if (!allot(j->memory, n, &p)) {
		free(n);
		return NULL;
	}
	n->owner = NULL;
	atomic_fetch_add_explicit(&n->moves->refs, 1, memory_order_relaxed);
	memcpy(p.hot, o.hot_exec, c->size);
	memcpy(p.cold, o.cold_exec, c->cold_size);
	memcpy(p.cold, &(struct jit_code *){n}, sizeof(n));
	/* c may be dead: jit_kill */
	first.base = first.at = p.hot;
	first.end = p.hot + c->size;
	gen_first(&first);
	/* how far each part was moved */
	hot = p.hot_exec - o.hot_exec;
	cold = p.cold_exec - o.cold_exec;
	for (uint32_t k = 0; k < v->ncross + v->noutside; k++) {
		uint32_t at = v->at[k];
		bool in_hot = at < p.boundary;
		int64_t target = k >= v->ncross ? 0 : in_hot ? cold : hot;
		int32_t d = (int32_t)(displacement(&o, at) + target - (in_hot ? hot : cold));

		memcpy(writable(&p, at), &d, sizeof(d));
	}
	n->dead = (int32_t)(c->dead + cold - hot);
	for (uint32_t k = 0; k < n->nexit; k++) {
		struct jit_exit *e = &n->exit[k];

		if (e->where == JIT_NO_EXIT)
			continue;
		e->unlinked = (int32_t)(e->unlinked + cold - hot);
		memcpy(p.hot + e->where, &e->unlinked, sizeof(e->unlinked));
	}
	return n;
}

size_t jit_code_size(const struct jit_code *c)
{
	const struct jit_moves *v = c->moves;
	size_t moves = v ? sizeof(*v) + (v->ncross + v->noutside) * sizeof(v->at[0]) : 0;

	return (size_t)jit_memory_units(JIT_HOT, c->size) * JIT_UNIT(JIT_HOT) +
	       (size_t)jit_memory_units(JIT_COLD, c->cold_size) * JIT_UNIT(JIT_COLD) + sizeof(*c) +
	       c->nexit * sizeof(c->exit[0]) + moves;
}

void jit_free(struct jit *j, struct jit_code *c)
{
	if (!c)
		return;
	jit_memory_free(j->memory, JIT_HOT, jit_memory_writable(j->memory, c->entry),
			jit_memory_units(JIT_HOT, c->size));
	jit_memory_free(j->memory, JIT_COLD, jit_memory_writable(j->memory, jit_code_cold(c)),
			jit_memory_units(JIT_COLD, c->cold_size));
	if (c->moves && atomic_fetch_sub_explicit(&c->moves->refs, 1, memory_order_acq_rel) == 1)
		free(c->moves);
	free(c);
}

void jit_kill(struct jit *j, struct jit_code *c)
{
	uint64_t *first = (uint64_t *)(void *)jit_memory_write(j->memory, c->entry);
	uint64_t jump = 0xe9 | (uint64_t)(uint32_t)(c->dead - 5) << 8;

	/* Aligned, and behind the jump what was there: who has fetched the old bytes goes on in them. */
	__atomic_store_n(first, jump | (*first & ~((UINT64_C(1) << 40) - 1)), __ATOMIC_RELEASE);
}

/* Within an aligned doubleword (compile.c): one store, seen whole by who executes it. */
static void set_exit(struct jit *j, const struct jit_code *c, const struct jit_exit *e, int32_t d)
{
	uint8_t *at = jit_memory_write(j->memory, (const uint8_t *)c->entry + e->where);
	unsigned shift = (uintptr_t)at % 8 * 8;
	uint64_t *word = (uint64_t *)(void *)(at - shift / 8);
	uint64_t rest = *word & ~((uint64_t)UINT32_MAX << shift);

	__atomic_store_n(word, rest | (uint64_t)(uint32_t)d << shift, __ATOMIC_RELEASE);
}

void jit_link(struct jit *j, struct jit_code *from, uint32_t exit, const struct jit_code *to, bool poll)
{
	const uint8_t *target = (const uint8_t *)to->entry + (poll ? 0 : to->polled);
	const struct jit_exit *e = &from->exit[exit];

	if (e->where != JIT_NO_EXIT)
		set_exit(j, from, e, (int32_t)(target - ((const uint8_t *)from->entry + e->where + 4)));
}

void jit_unlink(struct jit *j, struct jit_code *from, uint32_t exit)
{
	const struct jit_exit *e = &from->exit[exit];

	if (e->where != JIT_NO_EXIT)
		set_exit(j, from, e, e->unlinked);
}
