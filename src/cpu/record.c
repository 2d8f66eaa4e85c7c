/*
 * Recording the path of what is hot: from the region that was sampled on, the run loop interprets what comes next,
 * a region's worth at a time, and it is noted where each begins and how it was left. It ends when the beginning was passed a
 * few times, or after a number of steps, or when anything else than a jump happens: an interrupt, a fault,
 * an instruction that changes the context. A path lies in one span, as linked regions do, so that it
 * ends with the translation of its page.
 *
 * What is compiled is the way round: from that place which was passed most often, to where it was passed last.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/core.h"

#define STEPS  24
#define ROUNDS 3
#define LIKELIER 3

struct cpu_record {
	bool active, over;
	struct region *region; /* readable: until the recording has ended the processor is at no quiescent point */
	struct region_piece old[REGION_PIECES]; /* of the path that it has */
	unsigned nold;
	enum ir_leave left;    /* why the last step was left */
	bool loop[CPU_PIECES]; /* a piece was gone to backwards, by a branch to a fixed address */
	unsigned steps, rounds;
	uint8_t step[STEPS + 1]; /* the piece of each, the last one being where it would go on */
	struct cpu_path path;
};

static struct cpu_path_piece *piece_at(struct cpu_path *path, uint64_t pc)
{
	for (unsigned n = 0; n < path->n; n++)
		if (path->piece[n].pc == pc)
			return &path->piece[n];
	return NULL;
}

static void note_next(struct cpu_path_piece *p, uint64_t pc)
{
	for (unsigned n = 0; n < ARRAY_SIZE(p->next); n++) {
		if (p->next[n] == pc)
			return;
		if (p->next[n] == CPU_NO_NEXT) {
			p->next[n] = pc;
			return;
		}
	}
}

/* Is the code at `host`, where pc leads now, in the span of the path's beginning, and in its mode? */
static bool inside(const struct cpu_record *r, uint32_t mode, hva_t host, uint64_t pc)
{
	const struct cpu_path_piece *p = &r->path.piece[0];

	return mode == r->path.mode && (pc ^ p->pc) >> region_span_shift(mode) == 0 &&
	       host.v - p->host.v == pc - p->pc;
}

/*
 * Add the code at the program counter to `path`, which has room for it. NULL: it cannot be read there any more. c->error
 * or env.fault may be set.
 */
static struct cpu_path_piece *add_piece(struct cpu *c, struct cpu_path *path)
{
	struct cpu_path_piece *p = &path->piece[path->n];
	uint32_t mode;
	void *host = cpu_mark_code(c, &mode, &p->version);

	if (!host || (path->n && !inside(c->record, mode, HVA(host), c->env.pc)))
		return NULL;
	/* Nothing was waited for since it was fetched, so it is there. */
	cpu_copy_code(c->system, HVA(host), CPU_REGION_INSNS, &p->code);
	p->host = HVA(host);
	p->pc = c->env.pc;
	p->next[0] = p->next[1] = CPU_NO_NEXT;
	path->n++;
	return p;
}

bool cpu_record_begin(struct cpu *c, struct region *g)
{
	const struct region_path *old = region_path(g);
	struct cpu_record *r = c->record;

	if (!r)
		r = c->record = calloc(1, sizeof(*r));
	if (!r)
		return false;
	r->region = g;
	r->nold = old ? old->n : 0;
	if (old)
		memcpy(r->old, old->piece, sizeof(r->old));
	r->path.mode = g->mode;
	r->path.n = 0;
	r->path.piece[0].pc = c->env.pc;
	r->path.piece[0].host = HVA(g->host);
	r->over = false;
	memset(r->loop, 0, sizeof(r->loop));
	r->steps = r->rounds = 0;
	r->active = true;
	return true;
}

enum cpu_step cpu_record_step(struct cpu *c, enum ir_leave *leave)
{
	struct cpu_record *r = c->record;
	uint64_t pc = c->env.pc;
	struct cpu_path_piece *p;
	unsigned page_shift;
	uint8_t at;
	void *host;

	if (r->over || r->steps == STEPS)
		goto over;
	host = c->arch->fetch(c, &page_shift);
	if (!host) {
		cpu_record_end(c, false);
		return CPU_STEP_FAULT;
	}
	if (!inside(r, c->mode | region_span_bits(page_shift), HVA(host), pc))
		goto over;
	p = piece_at(&r->path, pc);
	if (!p) {
		if (r->path.n == CPU_PIECES)
			goto over;
		p = add_piece(c, &r->path);
	}
	if (!p) {
		cpu_record_end(c, false);
		return c->env.fault ? CPU_STEP_FAULT : c->error[0] ? CPU_STEP_ERROR : CPU_STEP_OVER;
	}
	at = (uint8_t)(p - r->path.piece);
	if (r->steps) {
		struct cpu_path_piece *from = &r->path.piece[r->step[r->steps - 1]];

		if (r->left == IR_LEAVE_INDIRECT)
			note_next(from, pc);
		else if (pc <= from->pc)
			r->loop[at] = true;
	}
	r->step[r->steps++] = at;
	if (!at && r->rounds++ == ROUNDS)
		goto over;
	if (!cpu_interpret_once(c, leave)) {
		cpu_record_end(c, false);
		return c->env.fault ? CPU_STEP_FAULT : CPU_STEP_ERROR;
	}
	r->left = *leave;
	r->over = *leave != IR_LEAVE_INDIRECT && *leave != IR_LEAVE_DIRECT;
	return CPU_STEP_RUN;
over:
	cpu_record_end(c, true);
	return CPU_STEP_OVER;
}

/* ---- what has come of it ---- */

/* The pieces of steps [first, last), in that order, and which of them follow each other. */
static void take_round(const struct cpu_record *r, unsigned first, unsigned last, struct cpu_path *path)
{
	path->mode = r->path.mode;
	path->n = 0;
	for (unsigned k = first; k < last; k++) {
		const struct cpu_path_piece *p = &r->path.piece[r->step[k]];

		if (!piece_at(path, p->pc))
			path->piece[path->n++] = *p;
	}
	/* What was left for somewhere else need not be expected to go there. */
	for (unsigned k = 0; k < path->n; k++) {
		struct cpu_path_piece *p = &path->piece[k];

		for (unsigned n = 0; n < ARRAY_SIZE(p->next); n++)
			if (p->next[n] != CPU_NO_NEXT && !piece_at(path, p->next[n]))
				p->next[n] = CPU_NO_NEXT;
		if (p->next[0] == CPU_NO_NEXT) {
			p->next[0] = p->next[1];
			p->next[1] = CPU_NO_NEXT;
		}
	}
}

/* The guest address of a place in a path's span. */
static uint64_t pc_of(const struct cpu_path *path, uint64_t host)
{
	return path->piece[0].pc + (host - path->piece[0].host.v);
}

static bool had_next(const struct cpu_path *path, const struct region_piece *old, uint64_t pc)
{
	for (unsigned k = 0; k < ARRAY_SIZE(old->next); k++)
		if (old->next[k] && pc_of(path, old->next[k]) == pc)
			return true;
	return false;
}

/* Has the path anything that the region's path from before had not? */
static bool is_new(const struct cpu_record *r, const struct cpu_path *path)
{
	for (unsigned n = 0; n < path->n; n++) {
		const struct cpu_path_piece *p = &path->piece[n];
		unsigned k = 0;

		while (k < r->nold && r->old[k].host != p->host.v)
			k++;
		if (k == r->nold)
			return true;
		for (unsigned m = 0; m < ARRAY_SIZE(p->next); m++)
			if (p->next[m] != CPU_NO_NEXT && !had_next(path, &r->old[k], p->next[m]))
				return true;
	}
	return false;
}

/* Add what the path from before has and was not run this time, as far as there is room. */
static void add_old(struct cpu *c, struct cpu_path *path)
{
	const struct cpu_record *r = c->record;
	uint64_t pc = c->env.pc;

	for (unsigned n = 0; n < r->nold && path->n < CPU_PIECES; n++) {
		c->env.pc = pc_of(path, r->old[n].host);
		if (!piece_at(path, c->env.pc))
			add_piece(c, path);
		/* Nothing was to be run there, nor need it be. */
		c->env.fault = 0;
		c->error[0] = 0;
	}
	c->env.pc = pc;
	for (unsigned n = 0; n < r->nold; n++) {
		struct cpu_path_piece *p = piece_at(path, pc_of(path, r->old[n].host));

		for (unsigned k = 0; p && k < ARRAY_SIZE(p->next); k++) {
			uint64_t next = r->old[n].next[k];

			if (next && piece_at(path, pc_of(path, next)))
				note_next(p, pc_of(path, next));
		}
	}
}

/*
 * The steps between which the head was passed first and last. That is the place that was passed most often; but a loop's
 * own head rather, by LIKELIER, than what it calls: where that returns to is known if it was called in the same path.
 * False: none was passed twice.
 */
static bool find_round(const struct cpu_record *r, unsigned *first, unsigned *last)
{
	unsigned weight[CPU_PIECES] = {0}, head = 0;

	/* It may have ended before it had begun. */
	if (!r->steps)
		return false;
	for (unsigned k = 0; k < r->steps; k++)
		weight[r->step[k]] += r->loop[r->step[k]] ? LIKELIER : 1;
	for (unsigned n = 1; n < r->path.n; n++)
		if (weight[n] > weight[head])
			head = n;
	for (*first = 0; *first < r->steps && r->step[*first] != head;)
		++*first;
	for (*last = r->steps - 1; *last > *first && r->step[*last] != head;)
		--*last;
	return *last > *first;
}

/* The recorded path, with what the one from before has. False: there is no use in it. */
static bool make_path(struct cpu *c, struct cpu_path *path)
{
	struct cpu_record *r = c->record;
	unsigned first, last;

	if (!find_round(r, &first, &last))
		return false;
	take_round(r, first, last, path);
	path->made = 1;
	if (path->piece[0].pc != r->path.piece[0].pc) {
		struct region *g = region_lookup(c->system->regions, path->piece[0].host, path->piece[0].pc,
						 path->mode);

		/* It is met, and recorded, itself. */
		if (g && region_path(g))
			return false;
	} else if (r->nold) {
		struct region_path *old = region_path(r->region);

		path->made += atomic_load_explicit(&old->made, memory_order_relaxed);
		if (!is_new(r, path)) {
			/* It is as good as it gets. */
			atomic_store_explicit(&old->made, UINT_MAX, memory_order_relaxed);
			return false;
		}
		add_old(c, path);
	}
	/* What is one piece is a region as it is. */
	return path->n > 1;
}

void cpu_record_end(struct cpu *c, bool keep)
{
	struct cpu_record *r = c->record;
	struct cpu_path *path;

	if (!r || !r->active)
		return;
	r->active = false;
	path = keep ? malloc(sizeof(*path)) : NULL;
	if (!path)
		return;
	if (!make_path(c, path)) {
		free(path);
		return;
	}
	cpu_compile_path(c, path);
}

void cpu_record_destroy(struct cpu *c)
{
	free(c->record);
	c->record = NULL;
}
