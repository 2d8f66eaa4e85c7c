/*
 * Path regions: code compiled from several pieces of the guest's, as they were seen to be run one after the
 * other. A path region is found by the place of its first piece, as any; and it is in the lists of the blocks that its
 * other pieces lie in, so that a store to one of them kills it, and each store is reported for as long as it lives.
 *
 * It is not found by content: what it was made from is a matter of how the code was run there.
 */
#include <errno.h>
#include <stdlib.h>

#include "jit/jit.h"
#include "jit/region_cache.h"
#include "util/slab.h"

/* ---- the lock is held ---- */

static void list_piece(struct region_cache *rc, struct region_piece *p)
{
	struct code_block *b = region_block_find(rc, p->host);

	p->block_next = b->pieces;
	b->pieces = p;
}

static void unlist_piece(struct region_cache *rc, struct region_piece *p)
{
	struct region_piece **at = &region_block_find(rc, p->host)->pieces;

	while (*at != p)
		at = &(*at)->block_next;
	*at = p->block_next;
}

void region_path_unlist(struct region_cache *rc, struct region *g)
{
	struct region_path *path = g->compiled->path;

	/* The first lies where the region does. */
	for (unsigned n = 1; n < path->n; n++)
		unlist_piece(rc, &path->piece[n]);
}

/* It is in no block's list of regions any more. */
static void leave_block(struct region_cache *rc, struct region *g)
{
	struct region **at = &region_block_find(rc, g->host)->regions;

	while (*at != g)
		at = &(*at)->block_next;
	*at = g->block_next;
}

bool region_path_kill(struct region_cache *rc, struct code_block *b, uint64_t start, uint64_t end)
{
	struct region_piece *p = b->pieces;
	bool any = false;

	while (p) {
		if (p->host >= end || p->host + p->len <= start) {
			p = p->block_next;
			continue;
		}
		leave_block(rc, p->region);
		region_retire(rc, p->region, false);
		any = true;
		/* Others of its pieces have left this list, too. */
		p = b->pieces;
	}
	return any;
}

/* What was read is what is there, and will be reported. */
static bool current(struct region_cache *rc, const struct region_path_source *piece)
{
	const struct code_block *b = region_block_find(rc, piece->host.v);

	return b && atomic_load(&b->marked) && atomic_load(&b->version) == piece->version;
}

static void enter_path(struct region_cache *rc, struct region *g, struct region_compiled *c,
		       const struct region_product *p, struct ir_code *text)
{
	struct code_block *b = region_block_find(rc, g->host);
	struct region *old = region_lookup(rc, HVA(g->host), g->pc, g->mode);

	if (old) {
		leave_block(rc, old);
		region_retire(rc, old, false);
	}
	if (text)
		region_give_text(rc, g, text);
	region_give_compiled(rc, g, c, p);
	region_enter(rc, b, g);
	for (unsigned n = 1; n < c->path->n; n++)
		list_piece(rc, &c->path->piece[n]);
	region_make_room(rc, true, g);
}

/* ---- without the lock ---- */

unsigned region_path_made(struct region_cache *rc, const struct region_source *at)
{
	const struct region *g;
	unsigned made = 0;

	/* With the lock held nothing is freed: the caller need not be a processor. */
	pthread_mutex_lock(&rc->lock);
	g = region_lookup(rc, at->host, at->pc, at->mode);
	if (g && region_path(g))
		made = atomic_load_explicit(&region_path(g)->made, memory_order_relaxed);
	pthread_mutex_unlock(&rc->lock);
	return made;
}

static struct region_path *path_of(struct region *g, const struct region_path_source *piece, unsigned n,
				   unsigned made)
{
	struct region_path *path = calloc(1, sizeof(*path));

	if (!path)
		return NULL;
	path->n = n;
	atomic_init(&path->made, made);
	for (unsigned k = 0; k < n; k++)
		path->piece[k] = (struct region_piece){
			.host = piece[k].host.v,
			.next = {piece[k].next[0].v, piece[k].next[1].v},
			.len = piece[k].len,
			.region = g,
		};
	return path;
}

struct region *region_enter_path(struct region_cache *rc, const struct region_source *from,
				 const struct region_path_source *piece, unsigned n, struct jit_code *code,
				 struct ir_code *text, unsigned made)
{
	const struct region_product p = {.code = code, .len = piece[0].len};
	struct region_compiled *c = region_compiled_new(&p);
	struct region *g = region_new(rc, from);
	struct region_path *path = g ? path_of(g, piece, n, made) : NULL;
	int err = c && path ? 0 : ENOMEM;

	if (text)
		region_text_init(text, piece[0].len);
	pthread_mutex_lock(&rc->lock);
	for (unsigned k = 0; k < n && !err; k++)
		if (!current(rc, &piece[k]))
			err = EAGAIN;
	if (!err) {
		c->path = path;
		enter_path(rc, g, c, &p, text);
	}
	pthread_mutex_unlock(&rc->lock);
	if (!err)
		return g;
	if (g)
		slab_give(rc->regions, g, sizeof(*g));
	if (text)
		slab_give(rc->slab, (char *)text - REGION_TEXT_FRONT, region_text_size(text));
	jit_free(rc->jit, code);
	free(path);
	free(c);
	errno = err;
	return NULL;
}
