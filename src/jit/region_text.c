/*
 * Interpreted code found by what it was made from: regions at other places whose guest code is the same, at the
 * same distance from the start of its block and in the same mode, have one piece of it together. It does not
 * depend on more (ir.h, *Position*). So a second guest with the same kernel, or a program that was read to other
 * pages, is not translated again, and takes the memory of its regions only.
 *
 * When all its regions have died, since the guest's memory was written or taken away, it is kept while there is
 * room: the same guest code may come again.
 */
#include "jit/region_cache.h"
#include "util/slab.h"

/* In front of the code. */
struct text {
	struct siphash content;
	struct text *next; /* of those that were let go */
	uint32_t hash;
	uint16_t len : 12; /* of the guest code */
	uint16_t known : 1;   /* to others */
	uint16_t counted : 1; /* in region_cache.bytes */
	uint16_t let_go : 1;  /* is in the list of these */
	uint8_t refs; /* regions that have it, */
	uint8_t live; /* and those of them that are not dead */
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

void region_text_init(struct ir_code *code, uint32_t len)
{
	*text_of(code) = (struct text){.len = (uint16_t)len};
}

void region_text_enter(struct region_cache *rc, struct ir_code *code, const struct region_content *c,
		       uint32_t len)
{
	struct text *t = text_of(code);

	if (!region_content_known(rc, c, len))
		return;
	t->known = true;
	t->hash = region_content_hash(c);
	t->content = region_content_value(rc, c, len);
	region_set_add(&rc->twins, t->hash, t);
}

struct ir_code *region_text_find(struct region_cache *rc, const struct region_content *c)
{
	uint32_t hash = region_content_hash(c);
	unsigned at = 0;
	struct text *t;

	while ((t = region_set_next(&rc->twins, hash, &at))) {
		struct siphash value;

		if (t->hash != hash || t->len > c->size || t->refs == UINT8_MAX)
			continue;
		value = region_content_value(rc, c, t->len);
		if (siphash_same(&value, &t->content))
			return code_of(t);
	}
	return NULL;
}

static void set_counted(struct region_cache *rc, struct text *t, bool counted)
{
	size_t size = region_text_size(code_of(t));

	if (counted && !t->counted)
		atomic_fetch_add(&rc->bytes, size);
	else if (!counted && t->counted)
		atomic_fetch_sub(&rc->bytes, size);
	t->counted = counted;
}

void region_text_take(struct region_cache *rc, struct ir_code *code)
{
	struct text *t = text_of(code);

	t->refs++;
	t->live++;
	set_counted(rc, t, true);
}

size_t region_text_die(struct region_cache *rc, struct ir_code *code, bool for_room)
{
	struct text *t = text_of(code);

	/* What is kept for others is still there. */
	if (--t->live || (!for_room && t->known))
		return 0;
	set_counted(rc, t, false);
	return region_text_size(code);
}

static void text_free(struct region_cache *rc, struct text *t)
{
	set_counted(rc, t, false);
	if (t->known)
		region_set_remove(&rc->twins, t->hash, t);
	slab_give(rc->slab, t, region_text_size(code_of(t)));
}

void region_text_give(struct region_cache *rc, struct ir_code *code)
{
	struct text *t = text_of(code);

	if (--t->refs)
		return;
	if (!t->counted && !t->let_go) {
		text_free(rc, t);
		return;
	}
	set_counted(rc, t, true);
	if (t->let_go)
		return;
	t->let_go = true;
	t->next = NULL;
	*rc->let_go.texts_end = t;
	rc->let_go.texts_end = &t->next;
}

bool region_text_drop(struct region_cache *rc)
{
	struct text *t = rc->let_go.texts;

	if (!t)
		return false;
	rc->let_go.texts = t->next;
	if (!t->next)
		rc->let_go.texts_end = &rc->let_go.texts;
	t->let_go = false;
	/* It may have been found again. */
	if (!t->refs)
		text_free(rc, t);
	return true;
}
