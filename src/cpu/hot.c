/*
 * Where processors spend their time, by samples: when one leaves compiled code because it was asked to, for a
 * request, its own timer or for nothing else, it counts the region that it goes on in. That is one which is entered with a look for
 * requests, as the heads of loops and what is called through pointers are.
 *
 * A few are counted by each processor; who is not met for a while makes room. Whoever was met often enough has the path
 * recorded that is run from there (record.c). That comes to nothing at times; then it takes more samples to be tried again.
 */
#include <stdlib.h>

#include "cpu/core.h"

#define WAYS 2
#define SETS 32 /* a power of two */

/*
 * So often is a region met, with no more than so many samples in between, before its path is recorded. A path costs a
 * few milliseconds to compile: it should have run for longer than that, and so go on for longer.
 */
#define HITS  4
#define APART 32

/*
 * And again, for a region whose path came to nothing or has died, or that has one: that much more often each time. So
 * many samples later one time is forgotten: other code may be there now.
 */
#define AGAIN  8
#define TRIES  3
#define FORGET 1024

struct cpu_hot {
	uint32_t samples;
	struct met {
		uint64_t host;
		uint32_t mode;
		uint32_t last, tried_at; /* by number of samples */
		uint16_t hits;
		uint8_t tried;
	} met[SETS][WAYS];
};

static struct met *meet(struct cpu_hot *h, const struct region *g)
{
	uint64_t hash = (g->host >> 2 ^ (uint64_t)g->mode << 32) * UINT64_C(0x9e3779b97f4a7c15);
	struct met *set = h->met[(hash >> 32) % SETS], *m, *oldest = set;

	for (m = set; m < set + WAYS; m++) {
		if (m->host == g->host && m->mode == g->mode)
			goto out;
		if ((int32_t)(m->last - oldest->last) < 0)
			oldest = m;
	}
	m = oldest;
	*m = (struct met){.host = g->host, .mode = g->mode, .last = h->samples};
out:
	if (h->samples - m->last > APART)
		m->hits = 0;
	if (m->tried && h->samples - m->tried_at >= FORGET) {
		m->tried--;
		m->tried_at = h->samples;
	}
	m->last = h->samples;
	return m;
}

/* True in the first place, and then AGAIN times as seldom for each time. */
static bool enough(unsigned hits, unsigned tried)
{
	unsigned wanted = HITS;

	if (tried >= TRIES)
		return false;
	while (tried--)
		wanted *= AGAIN;
	return hits >= wanted;
}

bool cpu_hot_sample(struct cpu *c, struct region *g)
{
	struct region_path *path = region_path(g);
	struct cpu_hot *h = c->hot;
	struct met *m;

	/* What is bound to its address is so because addresses wrap. */
	if (!c->arch->translate_path || !c->system->jit || g->bound || g->mode & c->arch->mode_stepped)
		return false;
	if (path) {
		unsigned hits = atomic_fetch_add_explicit(&path->samples, 1, memory_order_relaxed) + 1u;

		if (!enough(hits, atomic_load_explicit(&path->made, memory_order_relaxed)))
			return false;
		/* If nothing comes of it that is to take as long again, not to be tried with each sample. */
		atomic_store_explicit(&path->samples, 0, memory_order_relaxed);
		return cpu_record_begin(c, g);
	}
	if (!h)
		h = c->hot = calloc(1, sizeof(*h));
	if (!h)
		return false;
	h->samples++;
	m = meet(h, g);
	if (++m->hits == HITS / 2 && !m->tried)
		atomic_fetch_add_explicit(&c->system->promising, 1, memory_order_relaxed);
	if (!enough(m->hits, m->tried))
		return false;
	m->tried++;
	m->tried_at = h->samples;
	m->hits = 0;
	return cpu_record_begin(c, g);
}

void cpu_hot_destroy(struct cpu *c)
{
	free(c->hot);
	c->hot = NULL;
}
