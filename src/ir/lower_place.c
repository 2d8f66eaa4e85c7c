/*
 * Where values are: temporaries, given out as results appear and taken back after the last position
 * that reads them; or guest state, when a result can be computed where it is going to be set.
 */
#include "ir/lower.h"

#include <assert.h>
#include <errno.h>

#define TEMP_UNITS (sizeof(union ir_slot) / CODE_UNIT)

uint16_t lower_take_temp(struct output *o)
{
	for (unsigned w = 0; w < ARRAY_SIZE(o->free_temps); w++) {
		if (o->free_temps[w]) {
			unsigned bit = (unsigned)__builtin_ctzll(o->free_temps[w]);

			o->free_temps[w] &= o->free_temps[w] - 1;
			return (uint16_t)((64 * w + bit) * TEMP_UNITS);
		}
	}
	o->l.err = E2BIG;
	return 0;
}

void lower_give_temp(struct output *o, uint16_t loc)
{
	unsigned t = loc / TEMP_UNITS;

	o->free_temps[t / 64] |= UINT64_C(1) << t % 64;
}

void lower_expire_all(struct output *o)
{
	uint32_t *head = &o->expire[o->position];

	do {
		lower_give_temp(o, o->l.v[*head].loc);
		*head = o->next[*head];
	} while (*head != NOWHERE);
}

void lower_place_in_temp(struct output *o, uint32_t id)
{
	struct value *v = &o->l.v[id];

	uint32_t last = v->last;

	v->loc = lower_take_temp(o);
	v->flags |= VAL_TEMP;
	/* One that will be found in guest state is in a temporary until it is set there. */
	if (v->flags & VAL_STATE)
		last = v->home;
	/* A result that nobody reads has its temporary until the op is over. */
	if (last < o->position)
		last = o->position;
	o->next[id] = o->expire[last];
	o->expire[last] = id;
}

/* Where a value is, as an operand. Constants get a temporary for the time of this op. */
uint16_t lower_operand(struct output *o, uint32_t id)
{
	const struct ir_inst *i = &o->l.r->inst[id];
	unsigned delta;
	uint32_t root;
	uint64_t c;

	if (lower_const(&o->l, id, &c)) {
		uint16_t t = lower_take_temp(o);
		struct code_wide *op = lower_add_op(o, i->type == IR_I32 ? CODE_LI32 : CODE_LI64);

		assert(o->nscratch < ARRAY_SIZE(o->scratch));
		o->scratch[o->nscratch++] = t;
		op->d = t;
		op->imm = c;
		return t;
	}
	root = lower_root(&o->l, id, &delta);
	return (uint16_t)(o->l.v[root].loc + delta);
}

/* The same for its low 32 bits. */
uint16_t lower_low_operand(struct output *o, uint32_t id)
{
	uint16_t loc = lower_operand(o, id);

	return o->l.r->inst[id].type == IR_I64 ? (uint16_t)(loc + CODE_LOW) : loc;
}

/*
 * May the definition at this position write what `set` is to write, and `set` vanish? Not if
 * something between sees guest state, and not while the old contents are still read.
 */
static bool may_write_early(const struct output *o, uint32_t id, uint32_t set)
{
	const struct lower *l = &o->l;
	const struct ir_inst *s = &l->r->inst[set];
	uint32_t first = state_first(s), end = first + state_count(s->type);

	if (s->imm >= CODE_REACH || set - id > 64 || l->v[id + 1].barrier != l->v[set].barrier)
		return false;
	if (l->v[id].last > l->v[set].clob && !(l->v[id].flags & VAL_STATE))
		return false;
	/* A helper gets a vector result's place, and may write it before it faults or reads state.
	 */
	if (s->type == IR_V128 &&
	    ir_calls_with(&l->r->inst[id], IR_H_FAULTS | IR_H_READS_STATE | IR_H_WRITES_STATE))
		return false;
	for (uint32_t c = first; c < end; c++) {
		if (l->cell[c] > id)
			return false;
	}
	for (uint32_t k = id + 1; k < set; k++) {
		const struct ir_inst *i = &l->r->inst[k];

		if ((i->op == IR_SET || (i->op == IR_GET && lower_needed(l, k))) &&
		    state_first(i) < end && first < state_first(i) + state_count(i->type))
			return false;
	}
	return true;
}

/* Where the result goes. Operands have been placed: their temporaries can be had again. */
uint16_t lower_result(struct output *o, uint32_t id)
{
	struct value *v = &o->l.v[id];

	lower_expire(o);
	if (v->flags & VAL_SUNK ||
	    (v->home && (v->flags & (VAL_GLOBAL | VAL_STATE)) != VAL_GLOBAL &&
	     may_write_early(o, id, v->home))) {
		v->loc = lower_state_operand(&o->l.r->inst[v->home]);
		o->l.v[v->home].flags |= VAL_SET;
		lower_keep_until(o, v->home, v->last);
	} else if (!(v->flags & VAL_EARLY)) {
		lower_place_in_temp(o, id);
	}
	return v->loc;
}
