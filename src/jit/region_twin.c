/*
 * Regions of the same content: guest code that is the same at other places of memory.
 *
 * Interpreted code they have together (region_text.c). Compiled code, in which direct jumps lead to others, is
 * copied (jit_copy), if both lie at the same distance from the start of their spans, since it depends on that which
 * jumps are direct. It has a cost of some thousand host instructions, where compiling takes fifty times that.
 *
 * Whether the content is the same is told by a hash with a key that no guest knows, of all that code depends on. What
 * was compared would have to be kept else: the memory of the guest may have been written since. They are looked for
 * in sets of eight by the first bytes, code of both forms in one, which is a line of the host's cache; in one that
 * is full the oldest is lost. So a guest that makes as many of one hash as it likes has less found, and nothing takes
 * longer.
 *
 * What has died, since the guest's memory was written or taken away, is kept while there is room: the same guest
 * code may come again, as when a guest's guest is started once more.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "jit/jit.h"
#include "jit/region_cache.h"

#define FIRST	     32u	      /* bytes, by which it is looked for */
#define LEAST	     4u		      /* what is less is not */
#define MOST	     1024u	      /* nor what is more */
#define SAME	     3		      /* of one content: some may die */
#define KIND	     UINT32_C(0x8000) /* of a hash: it is struct region_compiled, not text */
#define SET_BITS_MAX 20

struct region_content region_content_of(const struct region_source *from, bool compiled, uint32_t kind)
{
	uint32_t mode = compiled ? from->mode : from->mode & ~REGION_SPAN_MASK;

	return (struct region_content){
		.mode = mode,
		.place = (uint32_t)(from->host.v & ((UINT64_C(1) << region_span_shift(mode)) - 1)),
		.kind = kind << 1 | compiled,
		.bytes = from->bytes,
		.size = from->bound ? 0 : from->size,
	};
}

bool region_content_known(const struct region_cache *rc, const struct region_content *c, uint32_t len)
{
	return rc->twins.line && len >= LEAST && len <= MOST && len <= c->size;
}

uint32_t region_content_hash(const struct region_content *c)
{
	const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
	uint32_t mode = c->mode & ~REGION_SPAN_MASK, place = c->place & TLB_BLOCK_MASK;
	uint64_t h = ((uint64_t)mode << 32 | place) * factor, word[FIRST / 8] = {0};

	memcpy(word, c->bytes, c->size < FIRST ? c->size : FIRST);
	for (unsigned n = 0; n < FIRST / 8; n++)
		h = ((h ^ h >> 32) + word[n]) * factor;
	return ((uint32_t)(h >> 32) & ~KIND) | (c->kind & 1 ? KIND : 0);
}

struct siphash region_content_value(const struct region_cache *rc, const struct region_content *c, uint32_t len)
{
	uint32_t head[4] = {c->mode, c->place, c->kind, len};
	uint8_t all[sizeof(head) + MOST];

	memcpy(all, head, sizeof(head));
	memcpy(all + sizeof(head), c->bytes, len);
	return siphash(&rc->key, all, sizeof(head) + len);
}

/* ---- sets; the lock is held ---- */

/* A word says which: its address without the bits that are 0, and some of its hash's, KIND among them. */
static uint64_t word_of(uint32_t hash, const void *what)
{
	return (uint64_t)(uint16_t)hash << 48 | (uintptr_t)what >> 4;
}

static uint64_t *line_of(const struct region_set *s, uint32_t hash)
{
	return s->line + (size_t)(hash >> (32 - s->bits)) * REGION_SET_WAYS;
}

void region_set_add(struct region_set *s, uint32_t hash, const void *what)
{
	uint64_t *line = line_of(s, hash);

	memmove(line + 1, line, (REGION_SET_WAYS - 1) * sizeof(*line));
	line[0] = word_of(hash, what);
}

void region_set_remove(struct region_set *s, uint32_t hash, const void *what)
{
	uint64_t *line = line_of(s, hash), word = word_of(hash, what);
	unsigned n = 0;

	while (n < REGION_SET_WAYS && line[n] != word)
		n++;
	if (n == REGION_SET_WAYS)
		return;
	memmove(line + n, line + n + 1, (REGION_SET_WAYS - 1 - n) * sizeof(*line));
	line[REGION_SET_WAYS - 1] = 0;
}

void *region_set_next(const struct region_set *s, uint32_t hash, unsigned *at)
{
	const uint64_t *line;

	if (!s->line)
		return NULL;
	line = line_of(s, hash);
	while (*at < REGION_SET_WAYS && line[*at]) {
		uint64_t word = line[(*at)++];

		if (word >> 48 == (uint16_t)hash)
			return (void *)(uintptr_t)(word << 16 >> 12);
	}
	return NULL;
}

/* ---- compiled code; the lock is held ---- */

void region_twin_enter(struct region_cache *rc, struct region_compiled *c, const struct region_product *p)
{
	struct region_compiled *o, *oldest = NULL;
	unsigned same = 0, at = 0;

	if (!p->known)
		return;
	while ((o = region_set_next(&rc->twins, p->hash, &at)))
		if (siphash_same(&o->content, &p->content)) {
			oldest = o;
			same++;
		}
	/* Those of other contents are to stay. */
	if (same >= SAME)
		region_twin_remove(rc, oldest);
	c->content = p->content;
	c->content_len = (uint16_t)p->len;
	c->content_hash = p->hash;
	region_set_add(&rc->twins, c->content_hash, c);
}

void region_twin_remove(struct region_cache *rc, struct region_compiled *c)
{
	if (c->content_len)
		region_set_remove(&rc->twins, c->content_hash, c);
	c->content_len = 0;
}

static void compiled_free(struct region_cache *rc, struct region_compiled *c)
{
	size_t size = region_compiled_size(c);

	atomic_fetch_sub(&rc->compiled_bytes, size);
	atomic_fetch_sub(&rc->kept_bytes, size);
	region_twin_remove(rc, c);
	jit_free(rc->jit, c->code);
	free(c);
}

void region_twin_let_go(struct region_cache *rc, struct region_compiled *c)
{
	/* Others may have taken its place meanwhile. */
	if (!c->content_len) {
		compiled_free(rc, c);
		return;
	}
	c->let_go_next = NULL;
	*rc->let_go.twins_end = c;
	rc->let_go.twins_end = &c->let_go_next;
}

bool region_twin_drop(struct region_cache *rc)
{
	struct region_compiled *c = rc->let_go.twins;

	if (!c)
		return false;
	rc->let_go.twins = c->let_go_next;
	if (!c->let_go_next)
		rc->let_go.twins_end = &rc->let_go.twins;
	compiled_free(rc, c);
	return true;
}

bool region_twin_copy(struct region_cache *rc, const struct region_source *from, uint32_t kind,
		      struct region_product *p)
{
	struct region_content c = region_content_of(from, true, kind);
	uint32_t hash = region_content_hash(&c);
	struct region_compiled *o;
	unsigned at = 0;

	while ((o = region_set_next(&rc->twins, hash, &at))) {
		struct siphash value;

		if (o->content_hash != hash || o->content_len > c.size)
			continue;
		value = region_content_value(rc, &c, o->content_len);
		if (!siphash_same(&value, &o->content))
			continue;
		*p = (struct region_product){
			.code = jit_copy(rc->jit, o->code),
			.len = o->content_len,
			.known = true,
			.hash = hash,
			.content = value,
		};
		return p->code;
	}
	return false;
}

/* ---- without the lock ---- */

bool region_finds_twins(const struct region_cache *rc)
{
	return rc->twins.line;
}

bool region_copy_twin(struct region_cache *rc, const struct region_source *from, uint32_t kind,
		      struct region_product *p)
{
	bool found;

	if (!region_finds_twins(rc))
		return false;
	pthread_mutex_lock(&rc->lock);
	found = region_twin_copy(rc, from, kind, p);
	pthread_mutex_unlock(&rc->lock);
	return found;
}

void region_product_init(struct region_cache *rc, struct region_product *p, struct jit_code *code,
			 const struct region_source *from, uint32_t len, uint32_t kind)
{
	struct region_content c = region_content_of(from, true, kind);

	*p = (struct region_product){.code = code, .len = len};
	if (!region_content_known(rc, &c, len))
		return;
	p->known = true;
	p->hash = region_content_hash(&c);
	p->content = region_content_value(rc, &c, len);
}

/* ---- life ---- */

static bool create_set(struct region_set *s, unsigned bits)
{
	const size_t line = REGION_SET_WAYS * sizeof(uint64_t);

	/* Each line in one of the host's; memory that is not used yet is to stay untouched. */
	s->memory = calloc(((size_t)1 << bits) + 1, line);
	s->line = (uint64_t *)(void *)(((uintptr_t)s->memory + line - 1) & ~(uintptr_t)(line - 1));
	s->bits = bits;
	return s->memory;
}

bool region_twins_create(struct region_cache *rc, size_t all)
{
	unsigned bits = 1;

	rc->let_go.texts_end = &rc->let_go.texts;
	rc->let_go.twins_end = &rc->let_go.twins;
	if (!all)
		return true;
	/* Without a key nothing is known, so nothing is found. */
	if (getrandom(&rc->key, sizeof(rc->key), 0) != sizeof(rc->key))
		return true;
	while (bits < SET_BITS_MAX && (size_t)2 * REGION_SET_WAYS * sizeof(uint64_t) << bits <= all / REGION_SET_SHARE)
		bits++;
	return create_set(&rc->twins, bits);
}

void region_twins_destroy(struct region_cache *rc)
{
	while (region_twin_drop(rc))
		;
	free(rc->twins.memory);
}
