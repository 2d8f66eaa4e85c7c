/*
 * Sources of translations: see source.h.
 */
#include "cpu/power9/source.h"

#include "mem/endian.h"

static unsigned recent_slot(const _Atomic uint64_t *where)
{
	return ((uintptr_t)where * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - 6);
}

_Static_assert(P9_RECENT == 1 << 6, "recent_slot");

static bool below(uint64_t a, uint64_t b, uint64_t end)
{
	return (a < end) == (b < end);
}

/* Is an equal one listed? Those of the user's half are forgotten alone, so they are apart. */
static bool listed(const struct p9_sources *s, const struct p9_source *new)
{
	unsigned n = s->recent[recent_slot(new->where)];
	const struct p9_source *o = &s->source[n];

	return n < s->count && o->where == new->where && o->value == new->value &&
	       o->shift == new->shift && o->exec >= new->exec &&
	       below(o->base, new->base, UINT64_C(1) << 62) &&
	       (!new->shift || o->base == new->base);
}

void p9_sources_note(struct p9_sources *s, uint64_t patb1, uint64_t ea,
		     const struct radix_trace *trace)
{
	if (s->incomplete)
		return;
	if (!s->count)
		s->patb1 = patb1;
	if (s->patb1 != patb1 || trace->count > RADIX_TRACE ||
	    s->count + trace->count > P9_SOURCES) {
		s->incomplete = true;
		return;
	}
	for (unsigned n = 0; n < trace->count; n++) {
		bool leaf = n + 1 == trace->count;
		struct p9_source new = {
			.where = trace->entry[n].where,
			.value = trace->entry[n].value,
			.base = leaf ? ea & ~((UINT64_C(1) << trace->shift) - 1) : ea,
			.shift = leaf ? trace->shift : 0,
			.exec = leaf && (trace->entry[n].value & RPTE_EAA_EXEC),
		};

		if (listed(s, &new))
			continue;
		s->recent[recent_slot(new.where)] = s->count;
		s->source[s->count++] = new;
	}
}

void p9_sources_forget_below(struct p9_sources *s, uint64_t end)
{
	uint32_t kept = 0;

	for (uint32_t n = 0; n < s->count; n++)
		if (s->source[n].base >= end)
			s->source[kept++] = s->source[n];
	s->count = kept;
}

bool p9_sources_meet(const struct p9_sources *s, hva_t start, uint64_t len)
{
	for (uint32_t n = 0; n < s->count; n++)
		if ((uintptr_t)s->source[n].where - start.v < len)
			return true;
	return false;
}

/* Does what was cached of an entry still hold? C may have been set since; that takes nothing away. */
static bool holds(uint64_t then, uint64_t now, bool leaf)
{
	return now == then || (leaf && now == (then | RPTE_C));
}

enum p9_sources_state p9_sources_check(struct p9_sources *s, const uint64_t *patb1,
				       struct p9_source *page)
{
	if (s->incomplete || !patb1 || (s->count && s->patb1 != *patb1))
		return P9_SOURCES_LOST;
	for (uint32_t n = 0; n < s->count; n++) {
		const struct p9_source *o = &s->source[n];
		uint64_t now = be64toh(atomic_load_explicit(o->where, memory_order_relaxed));

		if (LIKELY(holds(o->value, now, o->shift)))
			continue;
		if (!o->shift)
			return P9_SOURCES_LOST;
		*page = *o;
		s->source[n] = s->source[--s->count];
		return P9_SOURCES_PAGE;
	}
	return P9_SOURCES_SAME;
}
