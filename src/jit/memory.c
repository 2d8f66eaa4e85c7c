/*
 * Executable memory: see memory.h. Free pieces are kept in lists by size; what is never freed is
 * taken from the end.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "jit/memory.h"

#define SIZE_CLASSES 512 /* larger pieces are not reused one by one */

struct free_piece {
	struct free_piece *next;
};

struct zone {
	size_t next, end;
	struct free_piece *free[SIZE_CLASSES];
};

struct jit_memory {
	uint8_t *writable;
	const uint8_t *exec;
	size_t size;
	_Atomic size_t used; /* written under the lock */
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
		m->zone[n].next = bytes / JIT_ZONES / JIT_UNIT * JIT_UNIT * n;
		m->zone[n].end = bytes / JIT_ZONES / JIT_UNIT * JIT_UNIT * (n + 1);
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
	free(m);
	return NULL;
}

void jit_memory_destroy(struct jit_memory *m)
{
	if (!m)
		return;
	munmap(m->writable, m->size);
	munmap((void *)m->exec, m->size);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

uint8_t *jit_memory_alloc(struct jit_memory *m, enum jit_zone zone, uint32_t units)
{
	struct zone *z = &m->zone[zone];
	size_t bytes = (size_t)units * JIT_UNIT;
	uint8_t *p = NULL;

	pthread_mutex_lock(&m->lock);
	if (units < SIZE_CLASSES && z->free[units]) {
		struct free_piece *f = z->free[units];

		z->free[units] = f->next;
		p = (uint8_t *)f;
	} else if (z->end - z->next >= bytes) {
		p = m->writable + z->next;
		z->next += bytes;
	} else {
		/* The tail is used up: a larger piece serves, its rest is kept. */
		for (uint32_t n = units + 1; n < SIZE_CLASSES && !p; n++) {
			struct free_piece *f = z->free[n], *rest;

			if (!f)
				continue;
			z->free[n] = f->next;
			p = (uint8_t *)f;
			rest = (struct free_piece *)(p + bytes);
			rest->next = z->free[n - units];
			z->free[n - units] = rest;
		}
	}
	if (p)
		m->used += bytes;
	pthread_mutex_unlock(&m->lock);
	return p;
}

void jit_memory_free(struct jit_memory *m, enum jit_zone zone, uint8_t *writable, uint32_t units)
{
	struct zone *z = &m->zone[zone];

	pthread_mutex_lock(&m->lock);
	m->used -= (size_t)units * JIT_UNIT;
	if (units < SIZE_CLASSES) {
		struct free_piece *f = (struct free_piece *)writable;

		f->next = z->free[units];
		z->free[units] = f;
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
