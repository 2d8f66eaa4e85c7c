/*
 * Reserved memory: see watch.h.
 */
#include "cpu/core.h"
#include "ir/code.h"

/*
 * So many stores go to a block before it is no longer watched: as many as cost what a shootdown does, about.
 */
#define CREDIT 256

static uint64_t block_of(hva_t host)
{
	return host.v & ~TLB_BLOCK_MASK;
}

static unsigned granule_in(uint64_t host)
{
	return (host & TLB_BLOCK_MASK) >> CPU_GRANULE_SHIFT;
}

static unsigned set_index(uint64_t block)
{
	return ((block >> TLB_BLOCK_SHIFT) * UINT64_C(0x9e3779b97f4a7c15)) >> 59;
}

_Static_assert(CPU_WATCH_SETS == 1 << (64 - 59), "the hash has as many values as there are sets");

static struct cpu_watch_set *set_of(struct cpu_watches *w, hva_t host)
{
	return &w->set[set_index(block_of(host))];
}

/* Lock held, or for a hint. CPU_WATCH_WAYS: none. */
static unsigned way_of(const struct cpu_watch_set *s, uint64_t block)
{
	unsigned n;

	for (n = 0; n < CPU_WATCH_WAYS; n++)
		if (atomic_load_explicit(&s->block[n], memory_order_relaxed) == block)
			break;
	return n;
}

void cpu_watches_init(struct cpu_watches *w)
{
	for (unsigned n = 0; n < CPU_WATCH_SETS; n++)
		pthread_mutex_init(&w->set[n].lock, NULL);
}

void cpu_watches_destroy(struct cpu_watches *w)
{
	for (unsigned n = 0; n < CPU_WATCH_SETS; n++)
		pthread_mutex_destroy(&w->set[n].lock);
}

void cpu_watches_join(struct cpu_watches *w)
{
	atomic_fetch_add(&w->writers, 1);
	/* Whoever is in the middle of a conditional store as the only processor is done then. */
	for (unsigned n = 0; n < CPU_WATCH_SETS; n++) {
		pthread_mutex_lock(&w->set[n].lock);
		pthread_mutex_unlock(&w->set[n].lock);
	}
}

void cpu_watches_leave(struct cpu_watches *w)
{
	atomic_fetch_sub(&w->writers, 1);
}

bool cpu_watches_any(const struct cpu_watches *w)
{
	return atomic_load_explicit(&w->blocks, memory_order_relaxed);
}

bool cpu_watches_block(const struct cpu_watches *w, hva_t block)
{
	if (LIKELY(!cpu_watches_any(w)))
		return false;
	return way_of(&w->set[set_index(block_of(block))], block_of(block)) < CPU_WATCH_WAYS;
}

/* Lock held, for all of these. */

/* Have way n be another block's, or nobody's (0). All reservations there are lost. */
static void assign(struct cpu_watches *w, struct cpu_watch_set *s, unsigned n, uint64_t block)
{
	uint64_t before = atomic_load_explicit(&s->block[n], memory_order_relaxed);
	struct cpu_watched *way = &s->way[n];

	if (!before && block)
		atomic_fetch_add(&w->blocks, 1);
	if (before && !block)
		atomic_fetch_sub(&w->blocks, 1);
	atomic_store(&s->block[n], block);
	way->told = false;
	way->credit = CREDIT;
	way->assigned = ++s->last;
	for (unsigned k = 0; k < ARRAY_SIZE(way->stores); k++)
		way->stores[k] = s->last;
}

/* A way for another block: one that is free, or the one that has seen most stores since it was last of use. */
static unsigned choose(const struct cpu_watch_set *s)
{
	unsigned best = 0;

	for (unsigned n = 0; n < CPU_WATCH_WAYS; n++) {
		if (!atomic_load_explicit(&s->block[n], memory_order_relaxed))
			return n;
		if (s->way[n].credit < s->way[best].credit)
			best = n;
	}
	/* Of equals not always the same. */
	return s->way[best].credit == CREDIT ? s->last % CPU_WATCH_WAYS : best;
}

/* Somebody stored there. c: a processor, that keeps what it has reserved itself; NULL: somebody else. */
static void stored(struct cpu_watches *w, struct cpu_watch_set *s, struct cpu *c, hva_t host, unsigned size)
{
	unsigned n = way_of(s, block_of(host));
	uint64_t first = host.v >> CPU_GRANULE_SHIFT, last = (host.v + size - 1) >> CPU_GRANULE_SHIFT;

	if (n == CPU_WATCH_WAYS || !size)
		return;
	s->last++;
	for (uint64_t g = first; g <= last; g++) {
		uint64_t *count = &s->way[n].stores[granule_in(g << CPU_GRANULE_SHIFT)];

		if (c && c->watch.granule == g && c->watch.stores == *count) {
			c->watch.stores = s->last;
			c->watch.own = true;
		}
		*count = s->last;
	}
	if (!--s->way[n].credit)
		assign(w, s, n, 0);
}

/* Is every store to it reported? */
static bool heard(struct cpu_watches *w, const struct cpu_watched *way)
{
	return way->told || atomic_load(&w->writers) == 1;
}

/* ---- reserving ---- */

bool cpu_watch_load(struct cpu *c, hva_t host, unsigned size, u128 *raw)
{
	struct cpu_system *system = c->system;
	struct cpu_watches *w = &system->watches;
	struct cpu_watch_set *s = set_of(w, host);
	struct cpu_request req = {
		.kind = CPU_REQ_PROTECT_HOST,
		.arg = { block_of(host), TLB_BLOCK_SIZE },
	};
	uint64_t since;
	unsigned n;

	pthread_mutex_lock(&s->lock);
	n = way_of(s, block_of(host));
	if (n == CPU_WATCH_WAYS) {
		n = choose(s);
		assign(w, s, n, block_of(host));
	}
	if (!heard(w, &s->way[n])) {
		since = s->way[n].assigned;
		pthread_mutex_unlock(&s->lock);
		count(&c->stats.watched_blocks);
		/* From when all have served it, whatever they enter in their TLBs is reported. */
		cpu_broadcast(system, c, &req);
		pthread_mutex_lock(&s->lock);
		if (s->way[n].assigned == since)
			s->way[n].told = true;
		pthread_mutex_unlock(&s->lock);
		return false;
	}
	s->way[n].credit = CREDIT;
	c->watch.granule = host.v >> CPU_GRANULE_SHIFT;
	c->watch.stores = s->way[n].stores[granule_in(host.v)];
	c->watch.own = false;
	*raw = code_raw_load(hva_ptr(host), size);
	pthread_mutex_unlock(&s->lock);
	return true;
}

bool cpu_watch_swap(struct cpu *c, hva_t host, unsigned size, u128 expected, u128 desired)
{
	struct cpu_watches *w = &c->system->watches;
	struct cpu_watch_set *s = set_of(w, host);
	unsigned n;
	bool done;

	pthread_mutex_lock(&s->lock);
	n = way_of(s, block_of(host));
	/* Beside other processors, whom the lock keeps out, the hypervisor's user may store. */
	if (c->watch.own)
		expected = code_raw_load(hva_ptr(host), size);
	done = c->watch.granule == host.v >> CPU_GRANULE_SHIFT && n < CPU_WATCH_WAYS && heard(w, &s->way[n]) &&
	       s->way[n].stores[granule_in(host.v)] == c->watch.stores &&
	       code_raw_swap(hva_ptr(host), size, &expected, desired);
	/* Its own, too: the reservation is its caller's to forget. In lockstep the store is made twice. */
	if (done) {
		stored(w, s, c, host, size);
		c->watch.own = false;
	}
	pthread_mutex_unlock(&s->lock);
	return done;
}

/* ---- stores ---- */

void cpu_store_begin(struct cpu *c, hva_t host)
{
	struct cpu_watches *w = &c->system->watches;

	/* Nobody can watch it from here on before c has served his request. */
	if (!cpu_watches_block(w, host))
		return;
	c->watch.held = set_of(w, host);
	pthread_mutex_lock(&c->watch.held->lock);
}

void cpu_store_end(struct cpu *c, hva_t host, unsigned size, bool done)
{
	struct cpu_watch_set *s = c->watch.held;

	if (!s)
		return;
	c->watch.held = NULL;
	if (done)
		stored(&c->system->watches, s, c, host, size);
	pthread_mutex_unlock(&s->lock);
}

void cpu_outside_store_begin(struct cpu_system *s, hva_t host)
{
	/* In any case: nobody waits for this thread before he has it watched. */
	pthread_mutex_lock(&set_of(&s->watches, host)->lock);
}

void cpu_outside_store_end(struct cpu_system *s, hva_t host, unsigned size)
{
	struct cpu_watch_set *set = set_of(&s->watches, host);

	stored(&s->watches, set, NULL, host, size);
	pthread_mutex_unlock(&set->lock);
}

void cpu_watch_forget(struct cpu_watches *w, hva_t start, uint64_t len)
{
	if (!atomic_load(&w->blocks))
		return;
	for (struct cpu_watch_set *s = w->set; s < w->set + CPU_WATCH_SETS; s++) {
		pthread_mutex_lock(&s->lock);
		for (unsigned n = 0; n < CPU_WATCH_WAYS; n++) {
			uint64_t block = atomic_load_explicit(&s->block[n], memory_order_relaxed);

			if (block && block - (start.v & ~TLB_BLOCK_MASK) < len + (start.v & TLB_BLOCK_MASK))
				assign(w, s, n, 0);
		}
		pthread_mutex_unlock(&s->lock);
	}
}
