/*
 * The jump cache: see core.h.
 *
 * A table is for one context and mode, so that an address is all there is to compare, and guests cannot make one
 * that leads into another's. An address is in one of two entries: what it takes the first of from another goes to
 * that one's second. What an invalidation makes doubtful, or another owner of the table, is taken out of it
 * by a list of what was entered, in time that entering it took; the regions are kept, as a guess for who comes to the
 * same place next. Dead ones go before they are freed (cpu_jumps_purge).
 */
#include <stdlib.h>
#include <string.h>

#include "cpu/core.h"

/* A list longer than this says no more than that. */
#define LISTED 1024

#define HINTS 64

struct table {
	uint32_t context, mode; /* context 0: nobody's */
	uint32_t place;
	uint64_t used;
	uint32_t nlisted; /* of those below that hold something */
	uint16_t listed[LISTED];
	struct region_jump jump[CPU_JUMP_ENTRIES];
	/* By entry: the region at its pc; a guess where that is region_jump_empty. */
	struct region *region[CPU_JUMP_ENTRIES];
};

struct cpu_jumps {
	struct table *now;
	uint64_t clock;
	const void *unentered; /* jit_unentered */
	uint8_t hint[HINTS]; /* where a combination was found last */
	/* Written when they are used first. */
	struct table table[CPU_JUMP_TABLES];
};

_Static_assert(CPU_JUMP_ENTRIES <= UINT16_MAX + 1, "listed");

const struct region_jump cpu_no_jumps[CPU_JUMP_ENTRIES] = {
	[0] = {.pc = 4}, /* region_jump_empty */
	[CPU_JUMP_HALF] = {.pc = 4},
};

static uint32_t first_of(uint64_t pc)
{
	return region_jump_hash(pc) & (CPU_JUMP_HALF - 1);
}

static uint32_t second_of(uint64_t pc)
{
	return CPU_JUMP_HALF + (region_jump_hash_second(pc) & (CPU_JUMP_HALF - 1));
}

/* The address in an entry that holds nothing. */
static uint64_t empty_pc(uint32_t n)
{
	return region_jump_empty(n & (CPU_JUMP_HALF - 1));
}

bool cpu_jumps_create(struct cpu *c)
{
	c->jump = cpu_no_jumps;
	/* So large that nothing of it is there before it is touched. */
	c->jumps = calloc(1, sizeof(*c->jumps));
	if (!c->jumps)
		return false;
	c->jumps->now = c->jumps->table;
	c->jumps->unentered = c->system->jit ? jit_unentered(c->system->jit) : NULL;
	return true;
}

void cpu_jumps_destroy(struct cpu *c)
{
	free(c->jumps);
	c->jumps = NULL;
}

static void empty(struct table *t, uint32_t n)
{
	t->jump[n].pc = empty_pc(n);
}

/* Regions stay as guesses. */
static void forget(struct table *t)
{
	if (t->nlisted <= LISTED)
		for (uint32_t k = 0; k < t->nlisted; k++)
			empty(t, t->listed[k]);
	else
		for (uint32_t n = 0; n < CPU_JUMP_ENTRIES; n++)
			empty(t, n);
	t->nlisted = 0;
}

/* The table for the present context and mode. */
static struct table *take(struct cpu *c)
{
	struct cpu_jumps *s = c->jumps;
	uint8_t *hint = &s->hint[(c->fetch_context * 0x9e3779b1u ^ c->mode * 0x85ebca6bu) >> 26];
	struct table *t = &s->table[*hint], *victim = NULL;
	bool same_place = false;

	_Static_assert(HINTS == 1 << 6, "hash of hint");
	if (LIKELY(t->context == c->fetch_context && t->mode == c->mode))
		return t;
	for (t = s->table; t < s->table + CPU_JUMP_TABLES; t++) {
		bool here = t->context && t->place == c->fetch_place && t->mode == c->mode;

		if (t->context == c->fetch_context && t->mode == c->mode)
			goto out;
		/* The context's before an invalidation rather than that which was not used for longest. */
		if (!victim || here > same_place || (here == same_place && t->used < victim->used)) {
			victim = t;
			same_place = here;
		}
	}
	t = victim;
	if (!t->context) {
		empty(t, 0);
		empty(t, CPU_JUMP_HALF);
	}
	forget(t);
	t->context = c->fetch_context;
	t->mode = c->mode;
	t->place = c->fetch_place;
out:
	*hint = (uint8_t)(t - s->table);
	return t;
}

static struct table *present(struct cpu *c)
{
	struct cpu_jumps *s = c->jumps;

	if (UNLIKELY(s->now->context != c->fetch_context || s->now->mode != c->mode)) {
		s->now = take(c);
		s->now->used = ++s->clock;
	}
	c->jump = s->now->jump;
	return s->now;
}

void cpu_jumps_select(struct cpu *c)
{
	/* A processor without a run loop, of a test of its helpers, has none. */
	if (LIKELY(c->jumps))
		present(c);
}

struct region *cpu_jumps_find(struct cpu *c, uint64_t pc)
{
	const struct table *t = present(c);
	uint32_t n = first_of(pc);

	if (LIKELY(t->jump[n].pc == pc))
		return t->region[n];
	n = second_of(pc);
	return t->jump[n].pc == pc ? t->region[n] : NULL;
}

struct region *cpu_jumps_before(struct cpu *c, uint64_t pc, bool second)
{
	return present(c)->region[second ? second_of(pc) : first_of(pc)];
}

/* Something is to be in entry n. */
static void list(struct table *t, uint32_t n)
{
	if (t->jump[n].pc != empty_pc(n))
		return;
	if (t->nlisted < LISTED)
		t->listed[t->nlisted] = n;
	if (t->nlisted <= LISTED)
		t->nlisted++;
}

void cpu_jumps_set(struct cpu *c, uint64_t pc, struct region *g)
{
	struct table *t = present(c);
	uint32_t n = first_of(pc), second = second_of(pc);
	uint64_t other = t->jump[n].pc;

	/* A dead region's. */
	if (t->jump[second].pc == pc)
		empty(t, second);
	if (other != pc && other != empty_pc(n)) {
		second = second_of(other);
		list(t, second);
		t->region[second] = t->region[n];
		t->jump[second] = t->jump[n];
	}
	list(t, n);
	t->region[n] = g;
	t->jump[n] = (struct region_jump){pc, c->jumps->unentered};
}

void cpu_jumps_compiled(struct cpu *c, uint64_t pc, const void *entry)
{
	/* It was found just now. */
	struct table *t = c->jumps->now;
	uint32_t n = first_of(pc);

	if (t->jump[n].pc != pc)
		n = second_of(pc);
	t->jump[n].entry = entry;
}

void cpu_jumps_clear(struct cpu *c)
{
	struct cpu_jumps *s = c->jumps;

	for (struct table *t = s->table; t < s->table + CPU_JUMP_TABLES; t++) {
		if (!t->context)
			continue;
		t->nlisted = LISTED + 1;
		forget(t);
		for (uint32_t n = 0; n < CPU_JUMP_ENTRIES; n++)
			t->region[n] = NULL;
	}
}

void cpu_jumps_purge(struct cpu *c, bool renew)
{
	struct cpu_jumps *s = c->jumps;

	for (struct table *t = s->table; t < s->table + CPU_JUMP_TABLES; t++) {
		if (!t->context)
			continue;
		for (uint32_t n = 0; n < CPU_JUMP_ENTRIES; n++) {
			struct region *g = t->region[n];

			if (!g || !atomic_load_explicit(&g->dead, memory_order_relaxed))
				continue;
			t->region[n] = NULL;
			empty(t, n);
		}
		if (renew)
			forget(t);
	}
}
