/*
 * Shared checks. Loads and stores whose addresses are one value plus constants, such as the registers saved in a
 * stack frame or the fields of a structure, share one look at the TLB: a PROBE before the first of them answers for
 * the others, in its block and in those that it dominates, up to what may change translations (ir.h).
 *
 * What is left of the others gets the constant as a displacement, which spares the addition.
 *
 * A store may serve as the first of a group that loads belong to. A load may be the first of one with stores only where these
 * are sure to follow, in its block, or store what has been loaded before: for memory that may only be read is
 * common (pages that are to be copied when they are written).
 */
#include "ir/opt.h"

#include <string.h>

#include "ir/scratch.h"

#define NO_GROUP UINT32_MAX
#define OPEN_MAX 12 /* groups that may still grow */

/*
 * Bytes that a group spans: within a block, where most of it is accessed as a rule; and with what other blocks
 * access, or do not. The larger it is the more often it lies in two blocks of the TLB.
 */
#define SPAN_MAX       512
#define SPAN_MAX_FAR   256

struct group {
	uint32_t base, members;
	uint32_t block;
	struct ir_probe p;
	uint64_t loaded; /* which eight bytes, near the first access (near) */
	uint32_t probe;  /* its new id, once written */
};

struct access {
	uint32_t group;
	uint32_t base; /* old ids */
	int32_t disp;
};

struct share {
	struct ir_region *r;
	struct access *access; /* by old id */
	uint32_t *uses;        /* of all that is no address; of sums: by others than addresses */
	uint32_t *new_id;
	struct group *group;
	uint32_t ngroups, nselects;
	struct open {
		uint32_t group[OPEN_MAX], n;
	} open, *at_end; /* now; by block */
	uint32_t cur;    /* block */
	struct ir_cfg cfg;
	bool barriers;   /* something in the region may change translations */
	bool probes;     /* checks may be shared */
};

#define SUMS_MAX 16 /* of constants, one to the other: in each round of a loop, at most */

/* The value and the constant that an address is made of, by so many sums at most. */
static void split(const struct ir_region *r, uint32_t addr, unsigned sums, uint32_t *base, int64_t *disp)
{
	uint64_t sum = 0;

	*base = addr;
	for (; sums > 0; sums--) {
		const struct ir_inst *i = &r->inst[*base];

		if (i->op != IR_ADD || r->inst[i->arg[1]].op != IR_CONST)
			break;
		*base = i->arg[0];
		sum += r->inst[i->arg[1]].imm;
	}
	*disp = (int64_t)sum;
}

static bool is_access(const struct ir_inst *i)
{
	return i->op == IR_LOAD || i->op == IR_STORE;
}

/*
 * Are two the same value? Those of different blocks may be computed in each, of the same operands: an entry of a table that is
 * loaded in one and stored in another.
 */
static bool is_same(const struct ir_region *r, uint32_t a, uint32_t b)
{
	const struct ir_inst *x = &r->inst[a], *y = &r->inst[b];

	if (a == b)
		return true;
	return x->op == IR_ADD && y->op == IR_ADD && x->type == y->type &&
	       ((x->arg[0] == y->arg[0] && x->arg[1] == y->arg[1]) ||
		(x->arg[0] == y->arg[1] && x->arg[1] == y->arg[0]));
}

/* Of the eight bytes around the first access of a group that an access lies in: a bit each; 0: further away. */
static uint64_t near(const struct group *g, int low, int high)
{
	int first = (low - g->p.at + 256) >> 3, last = (high - 1 - g->p.at + 256) >> 3;

	if (first < 0 || last > 63)
		return 0;
	return UINT64_C(1) << first | UINT64_C(1) << last;
}

/* May a store have been checked where the group begins? */
static bool may_store(const struct share *s, const struct group *g, int low, int high)
{
	uint64_t bits = near(g, low, high);

	return ir_probe_stores(g->p) || g->block == s->cur || (bits && !(bits & ~g->loaded));
}

/* Does it fit into the group, and be it by making that larger? */
static bool fits(const struct share *s, const struct group *g, uint32_t base, bool store, int low,
		 int high)
{
	int from = low < g->p.low ? low : g->p.low, to = high > g->p.high ? high : g->p.high;
	int most = g->block == s->cur ? SPAN_MAX : SPAN_MAX_FAR;

	return is_same(s->r, g->base, base) && (!store || may_store(s, g, low, high)) &&
	       (to - from <= most || (from == g->p.low && to == g->p.high));
}

/* The open group that an access joins, which is grown; NO_GROUP. Those for stores first: they serve both. */
static uint32_t join(struct share *s, uint32_t base, bool store, int low, int high)
{
	uint32_t found = NO_GROUP;
	struct group *g;

	for (unsigned n = 0; n < s->open.n; n++) {
		g = &s->group[s->open.group[n]];
		if (fits(s, g, base, store, low, high) &&
		    (found == NO_GROUP || ir_probe_stores(g->p)))
			found = s->open.group[n];
	}
	if (found == NO_GROUP)
		return found;
	g = &s->group[found];
	g->members++;
	g->p.both |= store ? g->p.kind == MEM_READ : g->p.kind == MEM_WRITE;
	if (!store)
		g->loaded |= near(g, low, high);
	if (low < g->p.low)
		g->p.low = (int16_t)low;
	if (high > g->p.high)
		g->p.high = (int16_t)high;
	return found;
}

static uint32_t begin(struct share *s, uint32_t base, bool store, int low, int size)
{
	if (s->open.n == OPEN_MAX)
		memmove(s->open.group, s->open.group + 1,
			--s->open.n * sizeof(*s->open.group));
	s->group[s->ngroups] = (struct group){
		.base = base,
		.members = 1,
		.block = s->cur,
		.p = {
			.kind = store ? MEM_WRITE : MEM_READ,
			.size = (uint8_t)size,
			.at = (int16_t)low,
			.low = (int16_t)low,
			.high = (int16_t)(low + size),
		},
	};
	if (!store)
		s->group[s->ngroups].loaded = near(&s->group[s->ngroups], low, low + size);
	s->open.group[s->open.n++] = s->ngroups;
	return s->ngroups++;
}

/*
 * clean: nothing of the guest instruction has been done yet that must not be done again, so that the
 * region can be left here.
 */
static void place(struct share *s, uint32_t id, bool *clean)
{
	const struct ir_inst *i = &s->r->inst[id];
	struct ir_memop m = ir_memop_of(i);
	struct access *x = &s->access[id];
	bool store = i->op == IR_STORE;
	int64_t disp;

	split(s->r, i->arg[0], SUMS_MAX, &x->base, &disp);
	x->disp = (int32_t)disp;
	if (s->probes && disp == (int16_t)disp && disp + m.size == (int16_t)(disp + m.size) &&
	    !(m.aligned && m.size > 1) && s->r->inst[x->base].op != IR_CONST) {
		x->group = join(s, x->base, store, (int)disp, (int)disp + m.size);
		if (x->group == NO_GROUP && *clean)
			x->group = begin(s, x->base, store, (int)disp, m.size);
	}
	/* Even a load may not be done twice, if it is one of a device's register. */
	*clean = false;
}

/* A helper may have translations changed, or wait for others who do. */
static bool is_barrier(const struct ir_inst *i)
{
	return i->op == IR_CALL && ir_has_side(i);
}

/*
 * The groups that hold where a block begins: those at the end of the block that dominates it, if there
 * can be no barrier between.
 */
static void enter(struct share *s, uint32_t b)
{
	const struct ir_cfg *c = &s->cfg;
	uint32_t dom;

	s->cur = b;
	s->open.n = 0;
	if (b == 0 || c->number[b] == CFG_NONE)
		return;
	dom = c->idom[b];
	if (s->barriers) {
		for (uint32_t k = 0; k < c->npred[b]; k++)
			if (c->pred[c->pred_at[b] + k] != dom)
				return;
	}
	/* All that dominates it has been seen, unless blocks lie in a strange order. */
	if (s->r->bb[dom].first < s->r->bb[b].first)
		s->open = s->at_end[dom];
}

static void walk(struct share *s, uint32_t b)
{
	const struct ir_region *r = s->r;
	bool clean = false;

	enter(s, b);
	for (uint32_t id = r->bb[b].first; id < r->bb[b].first + r->bb[b].count; id++) {
		const struct ir_inst *i = &r->inst[id];
		unsigned n = ir_nargs(i);

		for (unsigned k = 0; k < n; k++)
			s->uses[i->arg[k]] += k > 0 || !is_access(i);
		s->access[id].group = NO_GROUP;
		s->nselects += i->op == IR_SELECT;
		if (is_access(i)) {
			place(s, id, &clean);
		} else if (i->op == IR_INSN) {
			clean = true;
		} else if (is_barrier(i)) {
			clean = false;
			s->open.n = 0;
		} else if (ir_has_side(i) && i->op != IR_POLL) {
			clean = false;
		}
	}
	s->at_end[b] = s->open;
}

/* Blocks as they lie. block_at: scratch, by instruction. */
static void find(struct share *s, uint32_t *block_at)
{
	const struct ir_region *r = s->r;

	for (uint32_t b = 0; b < r->nbb; b++)
		if (r->bb[b].count)
			block_at[r->bb[b].first] = b;
	for (uint32_t id = 0; id < r->ninst && !s->barriers; id++)
		s->barriers = is_barrier(&r->inst[id]);
	for (uint32_t id = 0; id < r->ninst;) {
		uint32_t b = block_at[id];

		walk(s, b);
		id += r->bb[b].count;
	}
}

/*
 * The condition of a selection: bits under a mask are tested where they are wanted, which is cheaper than to keep
 * what is left of them until then. Shifts by amounts beyond the width, several by one amount, are made so.
 */
static uint32_t condition(struct share *s, uint32_t old, struct ir_inst *to, uint32_t *at)
{
	struct ir_inst i = s->r->inst[old];

	if (i.op != IR_AND || s->uses[old] < 2 || s->r->inst[i.arg[1]].op != IR_CONST)
		return s->new_id[old];
	for (unsigned k = 0; k < 2; k++)
		i.arg[k] = s->new_id[i.arg[k]];
	to[*at] = i;
	return (*at)++;
}

/* The check of a group, before its first access. */
static struct ir_inst probe(const struct share *s, const struct group *g)
{
	return (struct ir_inst){
		.op = IR_PROBE,
		.type = IR_I64,
		.aux = ir_probe_aux(g->p),
		.arg = {s->new_id[g->base], IR_NO_VAL, IR_NO_VAL, IR_NO_VAL},
		.imm = ir_probe_imm(g->p),
	};
}

/*
 * The instruction as it is to be, behind a PROBE if it is the first of its group. It is changed where it lies: a copy
 * that was just written in parts is read late by the host.
 */
static void rewrite(struct share *s, uint32_t old, struct ir_inst *to, uint32_t *at)
{
	const struct ir_inst *was = &s->r->inst[old];
	struct access *x = &s->access[old];
	struct group *g = x->group == NO_GROUP ? NULL : &s->group[x->group];
	uint32_t cond = was->op == IR_SELECT ? condition(s, was->arg[0], to, at) : 0;
	struct ir_inst *i;

	if (g && g->members > 1 && g->probe == IR_NO_VAL) {
		g->probe = (*at)++;
		to[g->probe] = probe(s, g);
	}
	i = &to[*at];
	*i = *was;
	for (unsigned k = 0, n = ir_nargs(i); k < n; k++)
		i->arg[k] = s->new_id[i->arg[k]];
	if (g && g->members > 1) {
		i->op = i->op == IR_LOAD ? IR_LOAD_HOST : IR_STORE_HOST;
		i->arg[0] = g->probe;
		i->imm = ir_with_disp(i->imm, x->disp);
	} else if (i->op == IR_SELECT) {
		i->arg[0] = cond;
	} else if (is_access(i)) {
		uint32_t base;
		int64_t disp;

		/* A sum that somebody else needs is there already. */
		split(s->r, was->arg[0], 1, &base, &disp);
		if (disp == (int32_t)disp && !s->uses[was->arg[0]]) {
			i->arg[0] = s->new_id[base];
			i->imm = ir_with_disp(i->imm, (int32_t)disp);
		}
	}
	s->new_id[old] = (*at)++;
}

/* The region anew, in its other array. */
static void write_all(struct share *s)
{
	struct ir_region *r = s->r;
	struct ir_inst *to = opt_spare(r, r->ninst + s->ngroups + s->nselects);
	uint32_t at = 0;

	if (!to)
		return;
	for (uint32_t g = 0; g < s->ngroups; g++)
		s->group[g].probe = IR_NO_VAL;
	for (uint32_t id = 0; id < r->ninst; id++)
		rewrite(s, id, to, &at);
	for (uint32_t b = 0; b < r->nbb; b++) {
		struct ir_bb *bb = &r->bb[b];
		uint32_t end;

		if (!bb->count)
			continue;
		/* Blocks begin where the one before ends: a PROBE is part of the one it is for. */
		end = s->new_id[bb->first + bb->count - 1] + 1;
		bb->first = bb->first ? s->new_id[bb->first - 1] + 1 : 0;
		bb->count = end - bb->first;
	}
	opt_use_spare(r, at);
}

void opt_share(struct ir_region *r, bool probes)
{
	struct share s = {.r = r, .probes = probes};

	s.access = scratch_take(r->scratch, r->ninst, sizeof(*s.access));
	s.uses = scratch_take(r->scratch, r->ninst, sizeof(*s.uses));
	s.new_id = scratch_take(r->scratch, r->ninst, sizeof(*s.new_id));
	s.group = scratch_take(r->scratch, r->ninst, sizeof(*s.group));
	s.at_end = scratch_take(r->scratch, r->nbb, sizeof(*s.at_end));
	if (!s.access || !s.uses || !s.new_id || !s.group || !s.at_end || !ir_cfg_init(&s.cfg, r))
		return;
	memset(s.uses, 0, r->ninst * sizeof(*s.uses));
	find(&s, s.new_id);
	write_all(&s);
}
