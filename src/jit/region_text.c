/*
 * Interpreted code found by what it was made from: regions at other places whose guest code is the same, at the
 * same distance from the start of its block and in the same mode, have one piece of it together. It does not
 * depend on more (ir.h, *Position*). So a second guest with the same kernel, or a program that was read to other
 * pages, is not translated again, and takes the memory of its regions only.
 */
#include "jit/region_cache.h"
#include "util/slab.h"

/* In front of the code. */
struct text {
	struct siphash content;
	uint32_t hash;
	uint16_t len;  /* of the guest code */
	uint16_t refs; /* regions that have it, */
	uint16_t live; /* and those of them that are not dead */
	bool known;    /* to others */
};

_Static_assert(sizeof(struct text) <= REGION_TEXT_FRONT, "room for it");

static struct text *text_of(const struct ir_code *code)
{
	return (struct text *)(void *)((char *)code - REGION_TEXT_FRONT);
}

static struct ir_code *code_of(struct text *t)
{
	return (struct ir_code *)(void *)((char *)t + REGION_TEXT_FRONT);
}

size_t region_text_size(const struct ir_code *code)
{
	return REGION_TEXT_FRONT + ir_code_size(code);
}

uint32_t region_text_len(const struct ir_code *code)
{
	return text_of(code)->len;
}

void region_text_init(struct region_cache *rc, struct ir_code *code, const struct region_content *c,
		      uint32_t len)
{
	struct text *t = text_of(code);

	*t = (struct text){.len = (uint16_t)len};
	if (!region_content_known(rc, c, len))
		return;
	t->known = true;
	t->hash = region_content_hash(c);
	t->content = region_content_value(rc, c, len);
	region_set_add(&rc->texts, t->hash, t);
}

struct ir_code *region_text_find(struct region_cache *rc, const struct region_content *c)
{
	uint32_t hash = region_content_hash(c);
	unsigned at = 0;
	struct text *t;

	while ((t = region_set_next(&rc->texts, hash, &at))) {
		struct siphash value;

		if (t->hash != hash || t->len > c->size || t->refs == UINT16_MAX)
			continue;
		value = region_content_value(rc, c, t->len);
		if (siphash_same(&value, &t->content))
			return code_of(t);
	}
	return NULL;
}

void region_text_take(struct region_cache *rc, struct ir_code *code)
{
	struct text *t = text_of(code);

	t->refs++;
	if (!t->live++)
		atomic_fetch_add(&rc->bytes, region_text_size(code));
}

size_t region_text_die(struct region_cache *rc, struct ir_code *code)
{
	size_t size = region_text_size(code);

	if (--text_of(code)->live)
		return 0;
	atomic_fetch_sub(&rc->bytes, size);
	return size;
}

void region_text_give(struct region_cache *rc, struct ir_code *code)
{
	struct text *t = text_of(code);

	if (--t->refs)
		return;
	if (t->known)
		region_set_remove(&rc->texts, t->hash, t);
	slab_give(rc->slab, t, region_text_size(code));
}
