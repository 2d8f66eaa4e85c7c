/*
 * Executable memory: see memory.h. Each unit has a bit; the first run of free ones that is long enough is
 * taken, so that free neighbours become one and memory that was never used stays so.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "jit/memory.h"

#define WORD_BITS 64
#define SIZES	  32 /* of pieces, in units, that there are hints for: nearly all */

/*
 * The writable mapping is for moments; its pages are in memory because of the other one. It is given
 * back, to be mapped again by page faults, whenever so many pieces have been given out, of a page each or more.
 */
#define UNMAP_AFTER 256

struct zone {
	size_t first, count; /* units */
	size_t low[SIZES + 1]; /* by n: before it no run of n free ones begins */
	uint64_t *taken;     /* a bit a unit */
};

struct jit_memory {
	uint8_t *writable;
	const uint8_t *exec;
	size_t size;
	_Atomic size_t used; /* written under the lock */
	unsigned written; /* pieces, since the writable mapping was given back */
	struct zone zone[JIT_ZONES];
	pthread_mutex_t lock;
};

/* The same memory at two addresses. */
static bool map_twice(size_t bytes, void **one, void **other)
{
	int fd;

	*one = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	if (*one == MAP_FAILED)
		return false;
	/*
	 * A second mapping of the same pages. It is anonymous like the first, not a file's, since perf looks
	 * for the names of code (trace.h) in anonymous memory only.
	 */
	*other = mremap(*one, 0, bytes, MREMAP_MAYMOVE);
	if (*other != MAP_FAILED)
		return true;
	munmap(*one, bytes);
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

struct jit_memory *jit_memory_create(size_t bytes)
{
	struct jit_memory *m = calloc(1, sizeof(*m));
	void *writable, *exec;

	if (!m)
		return NULL;
	m->size = bytes;
	for (unsigned n = 0; n < JIT_ZONES; n++) {
		struct zone *z = &m->zone[n];

		z->count = bytes / JIT_ZONES / JIT_UNIT;
		z->first = z->count * n;
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
	for (unsigned n = 0; n < JIT_ZONES; n++)
		free(m->zone[n].taken);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

void jit_memory_trim(struct jit_memory *m)
{
	madvise(m->writable, m->size, MADV_DONTNEED);
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

/* The first of `units` free ones in a row; NULL: there are not so many. */
static uint8_t *take(struct jit_memory *m, struct zone *z, uint32_t units)
{
	uint32_t sizes = units < SIZES ? units : SIZES;
	size_t at = 0, end;

	/* Nor one of more. */
	for (uint32_t n = 1; n <= sizes; n++)
		at = z->low[n] > at ? z->low[n] : at;
	at = next(z, at, z->count, false);
	while (at + units <= z->count) {
		end = next(z, at, at + units, true);
		if (end == at + units) {
			if (units <= SIZES)
				z->low[units] = end;
			mark(z, at, units, true);
			return m->writable + (z->first + at) * JIT_UNIT;
		}
		at = next(z, end, z->count, false);
	}
	if (units <= SIZES)
		z->low[units] = z->count;
	return NULL;
}

static void give(struct zone *z, size_t at, uint32_t units)
{
	size_t start = at;

	mark(z, at, units, false);
	/* If the run begins further ahead it was long enough for all hints before. */
	while (start && at - start < SIZES && !(z->taken[(start - 1) / WORD_BITS] >> (start - 1) % WORD_BITS & 1))
		start--;
	for (uint32_t n = 1; n <= SIZES; n++)
		if (start < z->low[n])
			z->low[n] = start;
}

uint8_t *jit_memory_alloc(struct jit_memory *m, enum jit_zone zone, uint32_t units)
{
	uint8_t *p;

	pthread_mutex_lock(&m->lock);
	p = take(m, &m->zone[zone], units);
	if (p) {
		m->used += (size_t)units * JIT_UNIT;
		if (++m->written >= UNMAP_AFTER) {
			jit_memory_trim(m);
			m->written = 0;
		}
	}
	pthread_mutex_unlock(&m->lock);
	return p;
}

void jit_memory_free(struct jit_memory *m, enum jit_zone zone, uint8_t *writable, uint32_t units)
{
	struct zone *z = &m->zone[zone];

	pthread_mutex_lock(&m->lock);
	m->used -= (size_t)units * JIT_UNIT;
	give(z, (size_t)(writable - m->writable) / JIT_UNIT - z->first, units);
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
