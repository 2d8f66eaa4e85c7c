/*
 * The plan: what needs no op of its own.
 */
#include "ir/lower.h"

#include <errno.h>
#include <string.h>

/* Count a use of `id` at position `at`, in the block that starts at `first`. */
static inline void use(struct lower *l, uint32_t id, uint32_t at, uint32_t first)
{
	uint32_t root = lower_root(l, id, NULL);
	struct value *v = &l->v[root];

	v->uses++;
	if (v->last < at)
		v->last = at;
	if (UNLIKELY(root < first)) {
		v->flags |= VAL_GLOBAL;
		l->crossing = true;
	}
	if (root != id)
		l->v[id].uses++;
}

static void unuse(struct lower *l, uint32_t id)
{
	uint32_t root = lower_root(l, id, NULL);

	l->v[root].uses--;
	if (root != id)
		l->v[id].uses--;
}

/* An access to guest state: when is it next written? `all`: where anything may be. */
static uint32_t next_write(struct lower *l, const struct ir_inst *i, uint32_t all, bool write,
			   uint32_t id)
{
	uint32_t *cell = &l->cell[state_first(i)], next = all;
	unsigned n = state_count((enum ir_type)i->type);

	for (unsigned c = 0; c < n; c++) {
		if (next > cell[c])
			next = cell[c];
		if (write)
			cell[c] = id;
	}
	return next;
}

/* Can the operation be done later than it stands, by a handler that writes any place? */
static bool may_sink(const struct ir_inst *i)
{
	return !ir_has_side(i) && i->op != IR_GET && i->op != IR_CONST && i->op != IR_VCONST &&
	       i->op != IR_PC && i->op != IR_CALL && !lower_is_view(i);
}

static void scan_operands(struct lower *l, const struct ir_inst *i, uint32_t id, uint32_t first)
{
	unsigned n = ir_nargs(i);

	for (unsigned k = 0; k < n; k++)
		use(l, i->arg[k], id, first);
	if (LIKELY(!ir_clobbers_state(i)))
		return;
	/*
	 * A helper gets vectors by reference, and may write guest state before it has read
	 * them: an operand must not be that state.
	 */
	for (unsigned k = 0; k < n; k++) {
		if (ir_helper_of(i)->arg[k] == IR_V128) {
			struct value *v = &l->v[lower_root(l, i->arg[k], NULL)];

			if (v->last < id + 1)
				v->last = id + 1;
		}
	}
}

/* May it absorb what it reads? */
static bool may_fuse(const struct ir_inst *i)
{
	static const bool may[IR_OP_COUNT] = {
		[IR_LOAD] = true,   [IR_STORE] = true, [IR_BR] = true,
		[IR_SELECT] = true, [IR_OR] = true,    [IR_AND] = true,
	};

	return may[i->op];
}

/*
 * A block from its end: a value is defined before it is used, so when its definition is reached all
 * its users are known, and one that nobody needs adds no uses of its own. And when the state of each
 * GET and SET is next written, and barriers.
 */
static void scan_block(struct lower *l, const struct ir_bb *bb, uint32_t *barriers)
{
	uint32_t all = NOWHERE, first = bb->first;

	memset(l->cell, 0xff, l->ncells * sizeof(*l->cell));
	for (uint32_t id = first + bb->count; id-- > first;) {
		const struct ir_inst *i = &l->r->inst[id];
		struct value *v = &l->v[id];

		v->barrier = *barriers;
		switch (i->op) {
		case IR_INSN:
			v->flags |= VAL_SIDE;
			break;
		case IR_CONST:
		case IR_VCONST:
		case IR_PC:
		case IR_TRUNC32:
		case IR_VLO:
		case IR_VHI:
			break;
		case IR_GET:
			if (v->uses)
				v->clob = next_write(l, i, all, false, id);
			break;
		case IR_SET:
			v->flags |= VAL_SIDE;
			use(l, i->arg[0], id, first);
			if (i->arg[0] >= first)
				l->v[i->arg[0]].home = id;
			v->clob = next_write(l, i, all, true, id);
			break;
		default:
			if (ir_has_side(i)) {
				v->flags |= VAL_SIDE;
				*barriers += ir_observes_state(i);
				v->barrier = *barriers;
				if (ir_clobbers_state(i))
					all = id;
			} else if (!v->uses) {
				break;
			} else if (v->home && v->barrier != l->v[v->home].barrier &&
				   !(v->flags & VAL_GLOBAL) && may_sink(i)) {
				l->sink[l->nsink++] = v->home;
			}
			scan_operands(l, i, id, first);
			if (may_fuse(i))
				l->fuses[l->nfuses++] = id;
			break;
		}
	}
}

/*
 * Can the value be read at `at` from where it would be without that use? A GET would have to be
 * copied if its state is written before, a value that is kept in guest state likewise.
 */
static bool available(const struct lower *l, uint32_t id, uint32_t at)
{
	const struct value *v = &l->v[lower_root(l, id, NULL)];
	uint32_t clob = NOWHERE;
	uint64_t c;

	if (v->flags & VAL_GLOBAL || lower_const(l, id, &c))
		return true;
	if (l->r->inst[v - l->v].op == IR_GET)
		clob = v->clob;
	else if (v->home)
		clob = l->v[v->home].clob;
	return at <= clob || v->last > clob;
}

/*
 * May a user absorb the value? Then it must be in the same block (as all are if it is not global), have
 * absorbed nothing itself, and be nobody else's if `sole`.
 */
static bool absorbable(const struct lower *l, uint32_t id, bool sole)
{
	const struct value *v = &l->v[id];

	return !(v->flags & VAL_GLOBAL) && v->fuse == FUSE_NONE && (!sole || v->uses == 1);
}

/* `user` no longer reads the value, but, with it, what that was made of. */
static void absorb(struct lower *l, uint32_t id, uint32_t user)
{
	const struct ir_inst *i = &l->r->inst[id];
	unsigned n = ir_nargs(i);

	unuse(l, id);
	for (unsigned k = 0; k < n; k++) {
		/* What comes from another block is known to. */
		use(l, i->arg[k], user, 0);
		if (!l->v[id].uses)
			unuse(l, i->arg[k]);
	}
}

void lower_address(const struct lower *l, uint32_t add, uint32_t *a, uint32_t *b, uint64_t *imm)
{
	const struct ir_inst *i = &l->r->inst[add];

	*a = i->arg[0];
	*b = i->arg[1];
	if (lower_const(l, *a, imm)) {
		*a = i->arg[1];
		*b = IR_NO_VAL;
	} else if (lower_const(l, *b, imm)) {
		*b = IR_NO_VAL;
	}
}

static void fuse_address(struct lower *l, uint32_t id)
{
	uint32_t add = l->r->inst[id].arg[0], a, b;
	uint64_t imm;

	if (l->r->inst[add].op != IR_ADD || !absorbable(l, add, false))
		return;
	lower_address(l, add, &a, &b, &imm);
	/* A sum of two has no room for a displacement. */
	if (b != IR_NO_VAL && ir_disp_of(&l->r->inst[id]))
		return;
	if (lower_const(l, a, &imm) || !available(l, a, id) ||
	    (b != IR_NO_VAL && !available(l, b, id)))
		return;
	l->v[id].fuse = b == IR_NO_VAL ? FUSE_ADDR_IMM : FUSE_ADDR_SUM;
	l->v[id].index = add;
	absorb(l, add, id);
}

static bool is_zero(const struct lower *l, uint32_t id)
{
	uint64_t c;

	return lower_const(l, id, &c) && !c;
}

/* Is the value known to be 0 or 1? */
static bool is_bool(const struct lower *l, uint32_t id)
{
	const struct ir_inst *i = &l->r->inst[id];
	uint64_t c;

	return (i->op >= IR_EQ && i->op <= IR_LEU) || i->op == IR_ADDCARRY ||
	       (i->op == IR_EXTRACT && ir_field_len(i) == 1) || (i->op == IR_GET && i->aux == 1) ||
	       (i->op == IR_AND && lower_const(l, i->arg[1], &c) && c == 1);
}

/* The comparison i, with a constant on the right if there is one. */
static void match_comparison(const struct lower *l, const struct ir_inst *i, struct cond *c)
{
	static const uint8_t kind[] = {[IR_EQ - IR_EQ] = COND_EQ,   [IR_NE - IR_EQ] = COND_NE,
				       [IR_LTS - IR_EQ] = COND_LTS, [IR_LES - IR_EQ] = COND_LES,
				       [IR_LTU - IR_EQ] = COND_LTU, [IR_LEU - IR_EQ] = COND_LEU};
	static const uint8_t swapped[] = {
		/* x < y is not (y <= x) */
		[COND_EQ] = COND_EQ,   [COND_NE] = COND_NE,   [COND_LTS] = COND_LES,
		[COND_LES] = COND_LTS, [COND_LTU] = COND_LEU, [COND_LEU] = COND_LTU};

	c->kind = kind[i->op - IR_EQ];
	c->is_32 = i->aux == IR_I32;
	c->a = i->arg[0];
	c->b = i->arg[1];
	if (lower_const(l, c->a, &c->imm) && !lower_const(l, c->b, &c->imm)) {
		lower_const(l, c->a, &c->imm);
		c->a = i->arg[1];
		c->b = i->arg[0];
		if (c->kind != COND_EQ && c->kind != COND_NE)
			c->invert = !c->invert;
		c->kind = swapped[c->kind];
	}
	c->is_imm = lower_const(l, c->b, &c->imm);
}

/*
 * What has to be tested to know that value `id` is not zero, seen through comparisons with zero
 * and the like as far as one user alone has them. chain: what would be absorbed.
 */
static struct cond match_cond(const struct lower *l, uint32_t id, uint32_t *chain, unsigned *nchain)
{
	struct cond c = {.kind = COND_NE, .is_imm = true, .a = id};

	for (*nchain = 0; *nchain < 4;) {
		const struct ir_inst *i = &l->r->inst[id];

		c.a = id;
		c.is_32 = i->type == IR_I32;
		if (!absorbable(l, id, true))
			return c;
		if (i->op >= IR_EQ && i->op <= IR_LEU) {
			chain[(*nchain)++] = id;
			if ((i->op != IR_EQ && i->op != IR_NE) || !is_zero(l, i->arg[1])) {
				match_comparison(l, i, &c);
				return c;
			}
			c.invert ^= i->op == IR_EQ;
			id = i->arg[0];
			c.a = id;
			c.is_32 = i->aux == IR_I32;
			if (l->r->inst[id].type != i->aux)
				return c;
		} else if (i->op == IR_AND) {
			chain[(*nchain)++] = id;
			c.kind = COND_TEST;
			c.a = i->arg[0];
			c.b = i->arg[1];
			c.is_imm = lower_const(l, c.b, &c.imm);
			if (!c.is_imm && lower_const(l, c.a, &c.imm)) {
				c.a = i->arg[1];
				c.is_imm = true;
			}
			return c;
		} else if (i->op == IR_EXTRACT) {
			chain[(*nchain)++] = id;
			c.kind = COND_TEST;
			c.a = i->arg[0];
			c.imm = ir_low_mask(ir_field_len(i)) << ir_field_pos(i);
			return c;
		} else if (i->op == IR_XOR && is_bool(l, i->arg[0]) &&
			   lower_const(l, i->arg[1], &c.imm) && c.imm == 1) {
			chain[(*nchain)++] = id;
			c.imm = 0;
			c.invert ^= true;
			id = i->arg[0];
			c.a = id;
		} else if (i->op == IR_ZEXT32 || i->op == IR_SEXT32) {
			chain[(*nchain)++] = id;
			c.a = i->arg[0];
			c.is_32 = true;
			return c;
		} else {
			c.imm = 0;
			return c;
		}
	}
	return c;
}

static void fuse_cond(struct lower *l, uint32_t id)
{
	uint32_t chain[4];
	unsigned n;
	struct cond c = match_cond(l, l->r->inst[id].arg[0], chain, &n);

	if (!available(l, c.a, id) || (!c.is_imm && !available(l, c.b, id)))
		return;
	for (unsigned k = 0; k < n; k++)
		absorb(l, chain[k], id);
	l->v[id].fuse = FUSE_COND;
	l->v[id].index = l->ncond;
	l->cond[l->ncond++] = c;
}

static void fuse_cmp3(struct lower *l, uint32_t id)
{
	for (unsigned k = 0; k < 2; k++) {
		uint32_t cmp = l->r->inst[id].arg[k];
		const struct ir_inst *i = &l->r->inst[cmp];

		if ((i->op != IR_CMP3S && i->op != IR_CMP3U) || !absorbable(l, cmp, true) ||
		    !available(l, i->arg[0], id) || !available(l, i->arg[1], id))
			continue;
		l->v[id].fuse = FUSE_CMP3;
		l->v[id].index = k;
		absorb(l, cmp, id);
		return;
	}
}

static void fuse_rotl(struct lower *l, uint32_t id)
{
	uint32_t rot = l->r->inst[id].arg[0];
	const struct ir_inst *i = &l->r->inst[rot];
	uint64_t c;

	if (l->r->inst[id].type != IR_I64 || i->op != IR_ROTL || !absorbable(l, rot, true) ||
	    !lower_const(l, l->r->inst[id].arg[1], &c) || !lower_const(l, i->arg[1], &c) ||
	    !available(l, i->arg[0], id))
		return;
	l->v[id].fuse = FUSE_ROTL;
	absorb(l, rot, id);
}

static void fuse(struct lower *l)
{
	/* They were noted from the end. */
	while (l->nfuses) {
		uint32_t id = l->fuses[--l->nfuses];
		const struct ir_inst *i = &l->r->inst[id];

		switch (i->op) {
		case IR_LOAD:
		case IR_STORE:
			fuse_address(l, id);
			break;
		case IR_BR:
			fuse_cond(l, id);
			break;
		case IR_SELECT:
			if (l->v[id].uses && i->type == IR_I64)
				fuse_cond(l, id);
			break;
		case IR_OR:
			if (l->v[id].uses && i->type == IR_I64)
				fuse_cmp3(l, id);
			break;
		case IR_AND:
			if (l->v[id].uses)
				fuse_rotl(l, id);
			break;
		default:
			break;
		}
	}
}

unsigned lower_leaves(const struct lower *l, uint32_t id, uint32_t *leaf)
{
	const struct ir_inst *i = &l->r->inst[id];
	const struct value *v = &l->v[id];
	unsigned n = 0, first = v->fuse == FUSE_NONE ? 0 : 1;
	const struct cond *c;
	uint64_t imm;
	uint32_t b;

	switch (v->fuse) {
	case FUSE_ADDR_IMM:
	case FUSE_ADDR_SUM:
		lower_address(l, v->index, &leaf[0], &b, &imm);
		leaf[1] = b;
		n = b == IR_NO_VAL ? 1 : 2;
		break;
	case FUSE_COND:
		c = &l->cond[v->index];
		leaf[0] = c->a;
		leaf[1] = c->b;
		n = c->is_imm ? 1 : 2;
		break;
	case FUSE_CMP3:
		leaf[0] = l->r->inst[i->arg[v->index]].arg[0];
		leaf[1] = l->r->inst[i->arg[v->index]].arg[1];
		leaf[2] = i->arg[1 - v->index];
		return 3;
	case FUSE_ROTL:
		leaf[0] = l->r->inst[i->arg[0]].arg[0];
		return 1;
	default:
		break;
	}
	for (unsigned k = first; k < ir_nargs(i); k++)
		leaf[n++] = i->arg[k];
	return n;
}

static void find_first_uses(struct lower *l, uint32_t *first_use)
{
	memset(first_use, 0xff, l->r->ninst * sizeof(*first_use));
	for (uint32_t id = 0; id < l->r->ninst; id++) {
		uint32_t leaf[5];
		unsigned n;

		if (!lower_needed(l, id) || lower_is_view(&l->r->inst[id]))
			continue;
		n = lower_leaves(l, id, leaf);
		for (unsigned k = 0; k < n; k++) {
			uint32_t root = lower_root(l, leaf[k], NULL);

			if (first_use[root] == NOWHERE)
				first_use[root] = id;
		}
	}
}

/* Can the definition of what `set` sets be done there? */
static bool can_sink(const struct lower *l, uint32_t set, const uint32_t *first_use)
{
	uint32_t id = l->r->inst[set].arg[0], leaf[5];
	const struct value *v = &l->v[id];
	unsigned n;

	/* It may have been absorbed since it was noted. */
	if (!v->uses || v->last > l->v[set].clob || l->r->inst[set].imm >= CODE_REACH ||
	    first_use[id] != set)
		return false;
	n = lower_leaves(l, id, leaf);
	for (unsigned k = 0; k < n; k++) {
		if (!available(l, leaf[k], set))
			return false;
	}
	return true;
}

/*
 * `rd := address` after a load with update, and the like: the result may not be written where it
 * is computed since the access between may fault, but it can be computed where it is written.
 * first_use: by value, the first position that reads it (filled in when it is asked for).
 */
static void sink(struct lower *l, uint32_t *first_use)
{
	if (!l->nsink)
		return;
	find_first_uses(l, first_use);
	/* They were noted from the end. */
	while (l->nsink) {
		uint32_t set = l->sink[--l->nsink], id = l->r->inst[set].arg[0], leaf[5];
		unsigned n;

		if (!can_sink(l, set, first_use))
			continue;
		l->v[id].flags |= VAL_SUNK;
		n = lower_leaves(l, id, leaf);
		for (unsigned k = 0; k < n; k++) {
			struct value *o = &l->v[lower_root(l, leaf[k], NULL)];

			if (o->last < set)
				o->last = set;
		}
	}
}

void lower_plan(struct lower *l)
{
	uint32_t *first_use = l->order + l->norder, barriers = 0;

	for (uint32_t k = l->norder; k-- > 0;)
		scan_block(l, &l->r->bb[l->order[k]], &barriers);
	fuse(l);
	sink(l, first_use);
}
