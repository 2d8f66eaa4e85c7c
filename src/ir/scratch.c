#include "ir/scratch.h"

#include <stdlib.h>

#include "util/bits.h"

#define CHUNK_MIN (UINT64_C(64) << 10)

struct scratch_chunk {
	struct scratch_chunk *next;
	size_t size, used;
	_Alignas(16) char data[];
};

void scratch_destroy(struct ir_scratch *s)
{
	while (s->first) {
		struct scratch_chunk *next = s->first->next;

		free(s->first);
		s->first = next;
	}
	s->cur = NULL;
}

/* A chunk with room, behind the current one. */
static struct scratch_chunk *more(struct ir_scratch *s, size_t bytes)
{
	struct scratch_chunk **at = s->cur ? &s->cur->next : &s->first;
	size_t size = bytes > CHUNK_MIN ? bytes : CHUNK_MIN;
	struct scratch_chunk *c = *at;

	if (!c || c->size < bytes) {
		c = malloc(sizeof(*c) + size);
		if (!c)
			return NULL;
		c->size = size;
		c->next = *at;
		*at = c;
	}
	c->used = 0;
	s->cur = c;
	return c;
}

void *scratch_take(struct ir_scratch *s, size_t count, size_t size)
{
	size_t bytes = align_up(count * size, 16);
	struct scratch_chunk *c = s->cur;
	void *p;

	if (!c || c->size - c->used < bytes) {
		c = more(s, bytes);
		if (!c)
			return NULL;
	}
	p = c->data + c->used;
	c->used += bytes;
	return p;
}

struct scratch_mark scratch_mark(const struct ir_scratch *s)
{
	return (struct scratch_mark){s->cur, s->cur ? s->cur->used : 0};
}

void scratch_release(struct ir_scratch *s, struct scratch_mark m)
{
	s->cur = m.chunk;
	if (m.chunk)
		m.chunk->used = m.used;
}
