/*
 * Executable memory: see memory.h. Each unit has a bit; the first run of free ones that is long enough is
 * taken, so that free neighbours become one and memory that was never used stays so.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "jit/memory.h"
#include "util/bits.h"

#define WORD_BITS 64
#define CLASSES	  12 /* of pieces, by log2 of their units */

/*
 * The writable mapping is for moments; its pages are in memory because of the other one. It is given back, to be mapped again
 * by page faults, when so many different ranges of it have been written: what a fault maps, since the
 * host maps what is there around it.
 */
#define RANGE_SHIFT 16
#define RANGES_MAX  48

/* Of the host. Where code is run from it is in pages of this size once one has been filled. */
#define HUGE_PAGE ((size_t)2 << 20)

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 */
#endif

struct zone {
	size_t start;        /* its offset in bytes */
	size_t unit, count;  /* bytes of one; units */
	size_t low[CLASSES]; /* by class: no free run of 2^class units begins before it */
	size_t high;         /* none from it on ever was */
	uint64_t *taken;     /* a bit a unit */
};

struct jit_memory {
	uint8_t *writable;
	const uint8_t *exec;
	size_t size;
	_Atomic size_t used; /* written under the lock */
	_Atomic uint64_t *written; /* a bit for each range, since the writable mapping was given back */
	unsigned nwritten;         /* of them; under the lock */
	size_t collapsed; /* bytes of the first zone that were made huge pages of, or could not be */
	struct zone zone[JIT_ZONES];
	pthread_mutex_t lock;
};

/* Address space of so many bytes that starts `offset` behind a multiple of HUGE_PAGE; NULL if there is none. */
static void *reserve(size_t bytes, size_t offset)
{
	size_t all = bytes + 2 * HUGE_PAGE;
	char *p = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), *at;

	if (p == MAP_FAILED)
		return NULL;
	at = (char *)align_up((uintptr_t)p, HUGE_PAGE) + offset;
	munmap(p, (size_t)(at - p));
	munmap(at + bytes, (size_t)(p + all - (at + bytes)));
	return at;
}

/* The same anonymous memory at two addresses. */
static bool map_anonymous_twice(size_t bytes, void **one, void **other)
{
	/* Huge pages are for code that runs: written, they would only take longer to map and be resident twice. */
	void *at = reserve(bytes, HUGE_PAGE / 2);

	if (!at)
		return false;
	*one = mmap(at, bytes, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	if (*one == MAP_FAILED) {
		munmap(at, bytes);
		return false;
	}
	at = reserve(bytes, 0);
	*other = at ? mremap(*one, 0, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, at) : MAP_FAILED;
	if (*other != MAP_FAILED)
		return true;
	if (at)
		munmap(at, bytes);
	munmap(*one, bytes);
	return false;
}

/* The same memory at two addresses. */
static bool map_twice(size_t bytes, void **one, void **other)
{
	int fd;

	/* Anonymous, not a file's, since perf looks for the names of code (trace.h) in anonymous memory only. */
	if (map_anonymous_twice(bytes, one, other))
		return true;
	/* Valgrind has no such mremap. */
	fd = memfd_create("compiled code", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)bytes)) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	*one = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	*other = mmap(NULL, bytes, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
	close(fd);
	if (*one != MAP_FAILED && *other != MAP_FAILED)
		return true;
	if (*one != MAP_FAILED)
		munmap(*one, bytes);
	if (*other != MAP_FAILED)
		munmap(*other, bytes);
	return false;
}

/* Of m->written. */
static size_t words(const struct jit_memory *m)
{
	return (m->size >> RANGE_SHIFT) / WORD_BITS + 1;
}

struct jit_memory *jit_memory_create(size_t bytes)
{
	struct jit_memory *m = calloc(1, sizeof(*m));
	void *writable, *exec;

	if (!m)
		return NULL;
	bytes = align_up(bytes, (size_t)sysconf(_SC_PAGESIZE));
	m->size = bytes;
	m->written = calloc(words(m), sizeof(*m->written));
	if (!m->written)
		goto fail;
	for (unsigned n = 0; n < JIT_ZONES; n++) {
		struct zone *z = &m->zone[n];

		z->unit = JIT_UNIT(n);
		z->count = bytes / JIT_ZONES / z->unit;
		z->start = bytes / JIT_ZONES * n;
		z->taken = calloc(z->count / WORD_BITS + 1, sizeof(*z->taken));
		if (!z->taken)
			goto fail;
	}
	if (!map_twice(bytes, &writable, &exec))
		goto fail;
	m->writable = writable;
	if (mprotect(exec, bytes, PROT_READ | PROT_EXEC)) {
		munmap(exec, bytes);
		munmap(writable, bytes);
		goto fail;
	}
	m->exec = exec;
	pthread_mutex_init(&m->lock, NULL);
	return m;
fail:
	free(m->written);
	for (unsigned n = 0; n < JIT_ZONES; n++)
		free(m->zone[n].taken);
	free(m);
	return NULL;
}

void jit_memory_destroy(struct jit_memory *m)
{
	if (!m)
		return;
	munmap(m->writable, m->size);
	munmap((void *)m->exec, m->size);
	free(m->written);
	for (unsigned n = 0; n < JIT_ZONES; n++)
		free(m->zone[n].taken);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

/* Bytes up to `end` are going to be written. The lock is held. */
static void write_range(struct jit_memory *m, size_t offset, size_t end)
{
	for (size_t n = offset >> RANGE_SHIFT; n << RANGE_SHIFT < end; n++) {
		uint64_t bit = UINT64_C(1) << n % WORD_BITS;

		if (m->written[n / WORD_BITS] & bit)
			continue;
		if (m->nwritten == RANGES_MAX) {
			madvise(m->writable, m->size, MADV_DONTNEED);
			for (size_t w = 0; w < words(m); w++)
				m->written[w] = 0;
			m->nwritten = 0;
		}
		m->written[n / WORD_BITS] |= bit;
		m->nwritten++;
		/* Around a page that is read the host maps what there is; a write would have a fault for each. */
		(void)*(volatile uint8_t *)(m->writable + (offset > n << RANGE_SHIFT ? offset : n << RANGE_SHIFT));
	}
}

uint8_t *jit_memory_write(struct jit_memory *m, const uint8_t *exec)
{
	size_t offset = (size_t)(exec - m->exec), n = offset >> RANGE_SHIFT;

	/* Mostly it was before. Should another thread give it back now, it counts as one too few. */
	if (!(atomic_load_explicit(&m->written[n / WORD_BITS], memory_order_relaxed) >> n % WORD_BITS & 1)) {
		pthread_mutex_lock(&m->lock);
		write_range(m, offset, offset + 1);
		pthread_mutex_unlock(&m->lock);
	}
	return m->writable + offset;
}

/* The first unit from `at` on that is taken, or is not; `end` if there is none. */
static size_t next(const struct zone *z, size_t at, size_t end, bool taken)
{
	while (at < end) {
		uint64_t word = z->taken[at / WORD_BITS];

		word = (taken ? word : ~word) >> (at % WORD_BITS);
		if (word) {
			at += (size_t)__builtin_ctzll(word);
			return at < end ? at : end;
		}
		at = (at / WORD_BITS + 1) * WORD_BITS;
	}
	return end;
}

static unsigned class_of(uint32_t units)
{
	unsigned class = 31 - (unsigned)__builtin_clz(units | 1);

	return class < CLASSES ? class : CLASSES - 1;
}

static void mark(struct zone *z, size_t at, size_t units, bool taken)
{
	for (size_t n = at; n < at + units; n++) {
		uint64_t bit = UINT64_C(1) << (n % WORD_BITS);

		if (taken)
			z->taken[n / WORD_BITS] |= bit;
		else
			z->taken[n / WORD_BITS] &= ~bit;
	}
}

/*
 * Thousands of pieces of code are run in turn, each on a page of its own as likely as not: with small pages the
 * host's processor would spend its time with their translations. What is filled, resident as a whole thus, becomes
 * a huge page; whoever runs there waits for it to be copied. If it cannot be had, all is as it was.
 */
static void collapse(struct jit_memory *m, size_t from, size_t to)
{
	for (; from < to; from += HUGE_PAGE)
		madvise((void *)(uintptr_t)(m->exec + from), HUGE_PAGE, MADV_COLLAPSE);
}

uint8_t *jit_memory_alloc(struct jit_memory *m, enum jit_zone zone, uint32_t units)
{
	struct zone *z = &m->zone[zone];
	uint8_t *p = NULL;
	unsigned class = class_of(units);
	bool first = true;
	size_t at, end, from, to;

	pthread_mutex_lock(&m->lock);
	from = to = m->collapsed;
	at = next(z, z->low[class], z->count, false);
	while (!p && at + units <= z->count) {
		end = next(z, at, at + units, true);
		if (first && end - at >= (size_t)1 << class) {
			z->low[class] = at;
			first = false;
		}
		if (end == at + units)
			p = m->writable + z->start + at * z->unit;
		else
			at = next(z, end, z->count, false);
	}
	if (p) {
		mark(z, at, units, true);
		m->used += units * z->unit;
		if (z->high < at + units) {
			z->high = at + units;
			to = m->zone[JIT_HOT].high * m->zone[JIT_HOT].unit / HUGE_PAGE * HUGE_PAGE;
			m->collapsed = to;
		}
		write_range(m, z->start + at * z->unit, z->start + (at + units) * z->unit);
	}
	pthread_mutex_unlock(&m->lock);
	/* It takes a while, in which others may have code memory. */
	collapse(m, from, to);
	return p;
}

void jit_memory_free(struct jit_memory *m, enum jit_zone zone, uint8_t *writable, uint32_t units)
{
	struct zone *z = &m->zone[zone];
	size_t at = ((size_t)(writable - m->writable) - z->start) / z->unit;

	pthread_mutex_lock(&m->lock);
	m->used -= units * z->unit;
	mark(z, at, units, false);
	/* A run that it makes long enough begins within that length before it. */
	for (unsigned n = 0; n < CLASSES; n++) {
		size_t low = at >> n ? at - ((size_t)1 << n) + 1 : 0;

		if (low < z->low[n])
			z->low[n] = low;
	}
	pthread_mutex_unlock(&m->lock);
}

const uint8_t *jit_memory_exec(const struct jit_memory *m, const uint8_t *writable)
{
	return m->exec + (writable - m->writable);
}

uint8_t *jit_memory_writable(const struct jit_memory *m, const uint8_t *exec)
{
	return m->writable + (exec - m->exec);
}

size_t jit_memory_used(const struct jit_memory *m)
{
	return m->used;
}
