/*
 * The walk that writes the new region, block by block in an order in which dominators come first.
 */
#include "ir/opt.h"

#include <stdlib.h>
#include <string.h>

#include "ir/scratch.h"
#include "mem/endian.h"

static void *larger(struct opt *o, const void *array, size_t size)
{
	void *p = scratch_take(o->r->scratch, 2 * (size_t)o->cap, size);

	if (p)
		memcpy(p, array, o->cap * size);
	else
		o->failed = true;
	return p;
}

static bool more_room(struct opt *o)
{
	void *fact = larger(o, o->fact, sizeof(*o->fact));
	void *block = larger(o, o->block, sizeof(*o->block));
	void *chain = larger(o, o->chain, sizeof(*o->chain));
	void *inst = realloc(o->inst, 2 * (size_t)o->cap * sizeof(*o->inst));

	o->failed |= !inst;
	if (inst) {
		o->inst = inst;
		o->r->spare = inst;
		o->r->cap_spare = 2 * o->cap;
	}
	if (o->failed)
		return false;
	o->fact = fact;
	o->block = block;
	o->chain = chain;
	o->cap *= 2;
	return true;
}

uint32_t opt_append(struct opt *o, const struct ir_inst *i)
{
	uint32_t id = o->ninst;

	if (id == o->cap && (o->failed || !more_room(o))) {
		/* Go on with what there is; the old region will be kept. */
		return id - 1;
	}
	o->inst[id] = *i;
	o->block[id] = o->cur;
	o->ninst++;
	opt_learn(o, id);
	return id;
}

/*
 * May an older result be used in another block? That costs a place to keep it in, and keeps it
 * from being part of an address or a branch there; so only for what takes some time.
 */
static bool worth_keeping(const struct ir_inst *i)
{
	switch (i->op) {
	case IR_MUL:
	case IR_MULHU:
	case IR_MULHS:
	case IR_DIVU:
	case IR_DIVS:
	case IR_REMU:
	case IR_REMS:
	case IR_CALL:
		return true;
	default:
		return i->op >= IR_VADD && i->op <= IR_VPERM2;
	}
}

static uint32_t hash(const struct ir_inst *i)
{
	uint64_t h = i->op | i->type << 8 | (uint64_t)i->aux << 16;

	h = (h ^ i->imm) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ h >> 29 ^ i->arg[0]) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 31 ^ i->arg[1]) * UINT64_C(0x94d049bb133111eb);
	h = (h ^ h >> 30 ^ i->arg[2] ^ (uint64_t)i->arg[3] << 32) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 32);
}

static bool same(const struct ir_inst *a, const struct ir_inst *b)
{
	return a->op == b->op && a->type == b->type && a->aux == b->aux && a->imm == b->imm &&
	       !memcmp(a->arg, b->arg, sizeof(a->arg));
}

/* The same operation on the same values, if there is one that always runs before. */
static uint32_t find_or_append(struct opt *o, const struct ir_inst *i)
{
	uint32_t *bucket = &o->bucket[hash(i) & o->bucket_mask];
	uint32_t id;

	for (id = *bucket; id != IR_NO_VAL; id = o->chain[id]) {
		if (same(&o->inst[id], i) &&
		    (o->block[id] == o->cur ||
		     (worth_keeping(i) && ir_cfg_dominates(&o->cfg, o->block[id], o->cur))))
			return id;
	}
	id = opt_append(o, i);
	if (!o->failed) {
		o->chain[id] = *bucket;
		*bucket = id;
	}
	return id;
}

static bool commutes(enum ir_op op)
{
	return op == IR_ADD || op == IR_MUL || op == IR_MULHU || op == IR_MULHS || op == IR_AND ||
	       op == IR_OR || op == IR_XOR || op == IR_EQ || op == IR_NE || op == IR_VAND ||
	       op == IR_VOR || op == IR_VXOR || op == IR_VADD || op == IR_VEQ || op == IR_ADDC ||
	       op == IR_ADDCARRY;
}

/* Of two operands that may change places, a constant goes right, an older value left. */
static void settle(const struct opt *o, struct ir_inst *i)
{
	bool left = o->inst[i->arg[0]].op == IR_CONST, right = o->inst[i->arg[1]].op == IR_CONST;
	uint32_t a = i->arg[0];

	if (left != right ? left : a > i->arg[1]) {
		i->arg[0] = i->arg[1];
		i->arg[1] = a;
	}
}

static bool fold(struct opt *o, const struct ir_inst *i, uint32_t *value)
{
	uint64_t c[3] = {0}, result;

	if (i->op == IR_CONST || i->type == IR_V128)
		return false;
	for (unsigned k = 0, nargs = ir_nargs(i); k < nargs; k++) {
		if (k > 2 || !opt_const(o, i->arg[k], &c[k]))
			return false;
	}
	if (!opt_fold(i, c, &result))
		return false;
	*value = opt_make_const(o, (enum ir_type)i->type, result);
	return true;
}

/* As opt_value; i is changed. */
static uint32_t value_of(struct opt *o, struct ir_inst *i)
{
	uint32_t value;

	/* Each round makes it simpler; a bound, should two rules ever disagree. */
	for (unsigned round = 0; round < 16; round++) {
		enum simpler s;

		if (fold(o, i, &value))
			return value;
		if (commutes(i->op))
			settle(o, i);
		s = opt_arith(o, i, &value);
		if (s == AS_IT_IS)
			s = opt_bits(o, i, &value);
		if (s == AS_IT_IS)
			s = opt_compare(o, i, &value);
		if (s == REPLACED)
			return value;
		if (s == AS_IT_IS)
			break;
	}
	return find_or_append(o, i);
}

uint32_t opt_value(struct opt *o, struct ir_inst i)
{
	return value_of(o, &i);
}

/* What a GET gives by what its cells hold, or IR_NO_VAL. */
static uint32_t held(struct opt *o, const struct ir_inst *i)
{
	uint32_t first = state_first(i);
	unsigned n = state_count((enum ir_type)i->type), size = ir_type_size((enum ir_type)i->type);
	uint32_t v = o->state[first];
	unsigned whole;
	bool low;

	for (unsigned c = 0; c < n; c++) {
		if (o->state[first + c] != v)
			return IR_NO_VAL;
	}
	if (v == AVAIL_NONE)
		return IR_NO_VAL;
	if (o->inst[v].type == i->type)
		return v;
	/* A part of something wider. */
	whole = ir_type_size(opt_type(o, v));
	if (whole != 2 * size)
		return IR_NO_VAL;
	low = (i->imm % whole == 0) == HOST_LITTLE_ENDIAN;
	if (i->type == IR_I64)
		return opt_make_un(o, low ? IR_VLO : IR_VHI, IR_I64, v);
	return low ? opt_make_un(o, IR_TRUNC32, IR_I32, v) : IR_NO_VAL;
}

static uint32_t get(struct opt *o, const struct ir_inst *i)
{
	uint32_t first = state_first(i);
	unsigned n = state_count((enum ir_type)i->type);
	uint32_t v = held(o, i);

	if (v != IR_NO_VAL)
		return v;
	v = opt_append(o, i);
	for (unsigned c = 0; c < n; c++) {
		if (o->state[first + c] != AVAIL_NONE)
			return v;
	}
	for (unsigned c = 0; c < n; c++)
		o->state[first + c] = v;
	return v;
}

static void set(struct opt *o, const struct ir_inst *i)
{
	uint32_t first = state_first(i);
	unsigned n = state_count((enum ir_type)i->type);
	bool already = true;

	for (unsigned c = 0; c < n; c++) {
		uint32_t v = o->state[first + c];

		already = already && v == o->state[first] &&
			  (v == i->arg[0] || (v != AVAIL_NONE && ir_same_constant(&o->inst[v], &o->inst[i->arg[0]])));
	}
	if (already)
		return;
	for (unsigned c = 0; c < n; c++)
		o->state[first + c] = i->arg[0];
	opt_append(o, i);
}

/* The same operation on the same values, as far as so few steps tell? */
static bool equal(const struct opt *o, uint32_t a, uint32_t b, unsigned steps)
{
	const struct ir_inst *x = &o->inst[a], *y = &o->inst[b];

	if (a == b)
		return true;
	if (!steps || x->op != y->op || x->type != y->type || x->aux != y->aux || x->imm != y->imm ||
	    x->op == IR_GET || ir_has_side(x))
		return false;
	/* Which operand is the older one may differ. */
	if (commutes(x->op) && ir_nargs(x) == 2 && equal(o, x->arg[0], y->arg[1], steps - 1) &&
	    equal(o, x->arg[1], y->arg[0], steps - 1))
		return true;
	for (unsigned k = 0, nargs = ir_nargs(x); k < nargs; k++)
		if (!equal(o, x->arg[k], y->arg[k], steps - 1))
			return false;
	return true;
}

#define WAY_STEPS 24 /* branches that are looked at */

/*
 * Was there a branch on the same condition on every way here, of which only one side leads here? Then *always says
 * which.
 */
static bool decided(const struct opt *o, uint32_t cond, bool *always)
{
	uint32_t below = o->cur;

	for (unsigned steps = 0; below && steps < WAY_STEPS; steps++) {
		uint32_t b = o->cfg.idom[below];
		const struct ir_inst *br = &o->r->inst[o->r->bb[b].first + o->r->bb[b].count - 1];

		if (br->op == IR_BR && br->arg[1] != br->arg[2] && o->cfg.npred[below] == 1 &&
		    equal(o, o->new_id[br->arg[0]], cond, 3)) {
			*always = br->arg[1] == below;
			return true;
		}
		below = b;
	}
	return false;
}

static void end(struct opt *o, struct ir_inst i)
{
	bool always;

	if (i.op == IR_BR) {
		i.arg[1] = ir_through(o->r, i.arg[1]);
		i.arg[2] = ir_through(o->r, i.arg[2]);
		if (i.arg[1] == i.arg[2]) {
			i.op = IR_JUMP;
		} else if (decided(o, i.arg[0], &always) || !opt_branch(o, &i, &always)) {
			i.op = IR_JUMP;
			i.arg[1] = always ? i.arg[1] : i.arg[2];
		}
	}
	if (i.op == IR_JUMP) {
		i.arg[0] = i.arg[2] = IR_NO_VAL;
		i.arg[1] = ir_through(o->r, i.arg[1]);
		o->entered[i.arg[1]] = true;
	} else if (i.op == IR_BR) {
		i.aux = o->inst[i.arg[0]].type;
		o->entered[i.arg[1]] = true;
		o->entered[i.arg[2]] = true;
	}
	opt_append(o, &i);
}

static void write_inst(struct opt *o, uint32_t old)
{
	struct ir_inst i = o->r->inst[old];

	for (unsigned k = 0, nargs = ir_nargs(&i); k < nargs; k++)
		i.arg[k] = o->new_id[i.arg[k]];
	if (i.op == IR_GET) {
		o->new_id[old] = get(o, &i);
	} else if (i.op == IR_SET) {
		set(o, &i);
	} else if (ir_ends_block(&i)) {
		end(o, i);
	} else if (ir_has_side(&i)) {
		if (ir_clobbers_state(&i))
			memset(o->state, 0xff, o->ncells * sizeof(*o->state));
		o->new_id[old] = opt_append(o, &i);
	} else {
		o->new_id[old] = value_of(o, &i);
	}
}

/* What is known where the block starts, in new values. */
static void enter(struct opt *o, uint32_t b)
{
	for (uint32_t c = 0; c < o->ncells; c++) {
		uint32_t v = o->entry[(size_t)b * o->ncells + c];

		o->state[c] = v != AVAIL_NONE ? o->new_id[v] : AVAIL_NONE;
	}
}

/*
 * Can the block still be reached? If its dominator was left out, it cannot (unless that was only
 * passed over); else, if a branch to it was written, or a predecessor has not been written yet.
 */
static bool reachable(const struct opt *o, uint32_t b, const bool *done)
{
	uint32_t dom = b;

	if (b == 0)
		return true;
	do {
		dom = o->cfg.idom[dom];
	} while (dom && ir_only_jumps(o->r, dom));
	if (!o->bb[dom].count)
		return false;
	if (o->entered[b])
		return true;
	for (uint32_t p = 0; p < o->cfg.npred[b]; p++) {
		if (!done[o->cfg.pred[o->cfg.pred_at[b] + p]])
			return true;
	}
	return false;
}

void opt_rewrite(struct opt *o)
{
	const struct ir_region *r = o->r;
	bool *done = o->entered + r->nbb;

	for (uint32_t k = 0; k < o->cfg.nrpo && !o->failed; k++) {
		uint32_t b = o->order[k];

		done[b] = true;
		if (!reachable(o, b, done))
			continue;
		o->cur = b;
		o->bb[b].first = o->ninst;
		enter(o, b);
		for (uint32_t id = r->bb[b].first; id < r->bb[b].first + r->bb[b].count; id++)
			write_inst(o, id);
		o->bb[b].count = o->ninst - o->bb[b].first;
	}
}
