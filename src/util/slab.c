#include "util/slab.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "util/bits.h"
#include "util/compiler.h"

#define CHUNK   ((size_t)2 << 20)
#define ALIGN   64 /* of the first piece of a chunk, and of those that are the library's */
/* Larger pieces, and all where a sanitizer is to see each of them, are the library's. */
#if defined(__SANITIZE_ADDRESS__)
#define CLASSES 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CLASSES 0
#endif
#endif
#ifndef CLASSES
#define CLASSES 256
#endif

struct piece {
	struct piece *next;
};

struct chunk {
	struct chunk *next;
};

/* In front of a larger one. */
struct large {
	_Alignas(ALIGN) struct large *next;
	struct large **link;
};

struct slab {
	pthread_mutex_t lock;
	unsigned shift; /* log2 of the step */
	struct piece *spare[CLASSES + 1]; /* by size / step */
	struct chunk *chunks;
	char *at, *end; /* of the newest chunk */
	struct large *large;
};

static size_t steps(const struct slab *s, size_t size)
{
	return (size + ((size_t)1 << s->shift) - 1) >> s->shift;
}

struct slab *slab_create(size_t step)
{
	struct slab *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	s->shift = (unsigned)__builtin_ctzl(step);
	return s;
}

void slab_destroy(struct slab *s)
{
	if (!s)
		return;
	while (s->large) {
		struct large *next = s->large->next;

		free(s->large);
		s->large = next;
	}
	while (s->chunks) {
		struct chunk *next = s->chunks->next;

		free(s->chunks);
		s->chunks = next;
	}
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static void *take_large(struct slab *s, size_t size)
{
	struct large *l;

	if (size > SIZE_MAX / 2)
		return NULL;
	l = aligned_alloc(ALIGN, align_up(sizeof(*l) + size, ALIGN));
	if (!l)
		return NULL;
	pthread_mutex_lock(&s->lock);
	l->next = s->large;
	l->link = &s->large;
	if (l->next)
		l->next->link = &l->next;
	s->large = l;
	pthread_mutex_unlock(&s->lock);
	return l + 1;
}

static void give_large(struct slab *s, void *p)
{
	struct large *l = (struct large *)p - 1;

	pthread_mutex_lock(&s->lock);
	*l->link = l->next;
	if (l->next)
		l->next->link = l->link;
	pthread_mutex_unlock(&s->lock);
	free(l);
}

/* Lock held. */
static bool more(struct slab *s)
{
	struct chunk *c = aligned_alloc(CHUNK, CHUNK);

	if (!c)
		return false;
	/* Advice only. */
	madvise(c, CHUNK, MADV_HUGEPAGE);
	c->next = s->chunks;
	s->chunks = c;
	s->at = (char *)c + ALIGN;
	s->end = (char *)c + CHUNK;
	return true;
}

void *slab_take(struct slab *s, size_t size)
{
	size_t n = steps(s, size);
	struct piece *p;

	if (size > (size_t)CLASSES << s->shift)
		return take_large(s, size);
	pthread_mutex_lock(&s->lock);
	p = s->spare[n];
	if (p) {
		s->spare[n] = p->next;
	} else if ((size_t)(s->end - s->at) >= n << s->shift || more(s)) {
		/* What was left of the chunk before is lost: it is little. */
		p = (struct piece *)(void *)s->at;
		s->at += n << s->shift;
	}
	pthread_mutex_unlock(&s->lock);
	return p;
}

void slab_give(struct slab *s, void *piece, size_t size)
{
	size_t n = steps(s, size);
	struct piece *p = piece;

	if (!p)
		return;
	if (size > (size_t)CLASSES << s->shift) {
		give_large(s, p);
		return;
	}
	pthread_mutex_lock(&s->lock);
	p->next = s->spare[n];
	s->spare[n] = p;
	pthread_mutex_unlock(&s->lock);
}
